//! Who bore the risk, year by year.

use plotly::common::{Anchor, ColorBar, Orientation};

use super::own;
use crate::report::html::cells::Cells;
use crate::report::html::chart::{Chart, MOST_ROWS, Table, columns, diverging, height, layout, plot, rows};
use crate::report::html::text::{label, name, rounded};
use crate::report::words;
use crate::study::backtest::Outcome;
use crate::study::backtest::outcome::YearShares;

/// None of a strategy without budgets, and without dates.
pub fn shares(outcome: &Outcome) -> Option<Chart> {
    let own = own(outcome);
    let budgets = &own.account.track.budgets;
    let years = &own.shares_by_year;
    if years.is_empty() || budgets.is_empty() {
        return None;
    }
    let mut assets: Vec<usize> = (0..budgets.len()).filter(|&asset| budgets[asset] > 0.0).collect();
    let off = |asset: usize| years.iter().map(|year| (year.shares[asset] - budgets[asset]).abs()).fold(0.0, f64::max);
    let most = *assets.iter().max_by(|a, b| off(**a).total_cmp(&off(**b)))?;
    let worst = years.iter().max_by(|a, b| {
        let off = |year: &YearShares| (year.shares[most] - budgets[most]).abs();
        off(a).total_cmp(&off(b))
    })?;
    let all = assets.len();
    if all > MOST_ROWS {
        assets.sort_by(|a, b| off(*b).total_cmp(&off(*a)));
        assets.truncate(MOST_ROWS);
    }
    let cell = |asset: usize, year: usize| years[year].shares[asset] - budgets[asset];
    let grid = |of: &dyn Fn(usize, usize) -> f64| -> Vec<Vec<f64>> {
        assets.iter().map(|&asset| (0..years.len()).map(|year| of(asset, year)).collect()).collect()
    };
    let hover: Vec<Vec<String>> = assets
        .iter()
        .map(|&asset| {
            let text = |year: &YearShares| {
                format!(
                    "{}, {}: {} of the risk, budget {}",
                    label(&outcome.assets[asset].name),
                    year.year,
                    words::percent(year.shares[asset], 1),
                    words::percent(budgets[asset], 1)
                )
            };
            years.iter().map(text).collect()
        })
        .collect();
    let widest = assets.iter().map(|&asset| off(asset)).fold(0.0, f64::max);
    let bar = ColorBar::new()
        .orientation(Orientation::Horizontal)
        .y(1.0)
        .y_anchor(Anchor::Bottom)
        .thickness(10)
        .tick_suffix(" %");
    let cells = Cells {
        values: grid(&|asset, year| rounded(100.0 * cell(asset, year))),
        texts: None,
        hover,
        colours: diverging(),
        range: [-100.0 * widest, 100.0 * widest],
        bar: Some(bar),
    };
    let names: Vec<String> = years.iter().map(|year| year.year.to_string()).collect();
    let height = height(assets.len()) + 30;
    let shape = layout(
        height,
        columns(names.iter().map(String::as_str)),
        rows(assets.iter().map(|&asset| outcome.assets[asset].name.as_str())),
    );
    let mut head = vec!["asset".to_string(), "budget".to_string()];
    head.extend(names.iter().cloned());
    let numbers = (0..budgets.len()).filter(|&asset| budgets[asset] > 0.0).map(|asset| {
        let mut row = vec![name(&outcome.assets[asset].name), words::percent(budgets[asset], 2)];
        row.extend(years.iter().map(|year| words::percent(year.shares[asset], 2)));
        row
    });
    Some(Chart {
        id: "shares",
        title: format!(
            "{} strayed farthest from its risk budget of {}: {} of the risk in {}",
            name(&outcome.assets[most].name),
            words::percent(budgets[most], 1),
            words::percent(worst.shares[most], 1),
            worst.year
        ),
        plot: plot(cells.traces("x", "y"), shape),
        other: None,
        folded: false,
        height,
        caption: format!(
            "Realised shares of the variance of {}, less the budgets, in percentage points. Budgets are met on the window of a \
             decision; what comes after is another year.{}",
            name(&own.label),
            if all > MOST_ROWS {
                format!(" Shown are the {MOST_ROWS} of {all} assets that stray most.")
            } else {
                String::new()
            }
        ),
        table: Table { head, rows: numbers.collect(), ends_in_words: false },
    })
}
