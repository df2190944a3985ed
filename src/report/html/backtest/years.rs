//! Returns by calendar year, and by month.

use super::own;
use crate::report::html::cells::Cells;
use crate::report::html::chart::{Chart, Other, Table, columns, diverging, height, layout, plot, rows};
use crate::report::html::text::{label, name, rounded};
use crate::report::words;
use crate::study::backtest::Outcome;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Returns in a grid, and what its rows and columns are called. What is not there is a gap.
struct Grid {
    rows: Vec<String>,
    columns: Vec<String>,
    cells: Vec<Vec<Option<f64>>>,
}

/// None without dates.
pub fn years(outcome: &Outcome) -> Option<Chart> {
    let own = own(outcome);
    let years: Vec<i16> = own.calendar_years.iter().map(|year| year.year).collect();
    let (first, last) = (years.first()?, years.last()?);
    let year_of = |strategy: &super::StrategyOutcome, year: i16| {
        strategy.calendar_years.iter().find(|own| own.year == year).map(|own| own.compounded)
    };
    let all: Vec<i16> = (*first..=*last).collect();
    let of_strategies = Grid {
        rows: outcome.strategies.iter().map(|strategy| strategy.label.clone()).collect(),
        columns: all.iter().map(ToString::to_string).collect(),
        cells: outcome
            .strategies
            .iter()
            .map(|strategy| all.iter().map(|&year| year_of(strategy, year)).collect())
            .collect(),
    };
    let of_months = Grid {
        rows: all.iter().map(ToString::to_string).collect(),
        columns: MONTHS.map(String::from).to_vec(),
        cells: all
            .iter()
            .map(|&year| {
                let of = |month: i8| own.months.iter().find(|own| own.year == year && own.month == month);
                (1..=12).map(|month| of(month).map(|own| own.compounded)).collect()
            })
            .collect(),
    };
    let worst = own.calendar_years.iter().min_by(|a, b| a.compounded.total_cmp(&b.compounded))?;
    let best = own.calendar_years.iter().max_by(|a, b| a.compounded.total_cmp(&b.compounded))?;
    let partial = own.calendar_years.iter().filter(|year| year.partial).map(|year| year.year.to_string());
    let partial: Vec<String> = partial.collect();
    let height = height(of_strategies.rows.len().max(if own.months.is_empty() { 0 } else { all.len() }));
    let mut head = vec!["strategy".to_string()];
    head.extend(of_strategies.columns.iter().cloned());
    let numbers = of_strategies.rows.iter().zip(&of_strategies.cells).map(|(label, cells)| {
        std::iter::once(name(label)).chain(cells.iter().map(|x| words::maybe_percent(*x, 2))).collect()
    });
    let table = Table { head, rows: numbers.collect(), ends_in_words: false };
    let other = (!own.months.is_empty()).then(|| Other {
        names: vec!["Years".to_string(), format!("Months of {}", label(&own.label))],
        plots: vec![drawn(&of_months, height)],
    });
    Some(Chart {
        id: "years",
        title: format!(
            "The best year of {} was {} with {}, the worst {} with {}",
            name(&own.label),
            best.year,
            words::signed(best.compounded, 1),
            worst.year,
            words::signed(worst.compounded, 1)
        ),
        plot: drawn(&of_strategies, height),
        other,
        folded: false,
        height,
        caption: format!(
            "Compounded returns after costs: blue below zero, orange above.{}",
            match partial.is_empty() {
                true => String::new(),
                false => format!(" Not whole: {}.", crate::wording::joined(&partial)),
            }
        ),
        table,
    })
}

fn drawn(grid: &Grid, height: usize) -> plotly::Plot {
    let all = || grid.cells.iter().flatten().flatten();
    let widest = 100.0 * all().fold(0.0_f64, |widest, x| widest.max(x.abs()));
    let each = |text: &dyn Fn(f64, &str, &str) -> String| -> Vec<Vec<String>> {
        let row = |(row, name): (&Vec<Option<f64>>, &String)| {
            let cell = |(x, column): (&Option<f64>, &String)| x.map_or(String::new(), |x| text(x, name, column));
            row.iter().zip(&grid.columns).map(cell).collect()
        };
        grid.cells.iter().zip(&grid.rows).map(row).collect()
    };
    let value = |x: &Option<f64>| rounded(100.0 * x.unwrap_or(f64::NAN));
    let cells = Cells {
        values: grid.cells.iter().map(|row| row.iter().map(value).collect()).collect(),
        // What rounds to nothing has no sign.
        texts: Some(each(&|x, _, _| format!("{:.0}", (100.0 * x).round() + 0.0))),
        hover: each(&|x, row, column| format!("{}, {}: {}", label(row), label(column), words::signed(x, 2))),
        colours: diverging(),
        range: [-widest, widest],
        bar: None,
    };
    let columns = columns(grid.columns.iter().map(String::as_str));
    plot(cells.traces("x", "y"), layout(height, columns, rows(grid.rows.iter().map(String::as_str))))
}
