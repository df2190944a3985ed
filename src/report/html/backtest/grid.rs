//! What settings make of the strategy.

use plotly::Scatter;
use plotly::common::{HoverInfo, Marker, Mode};

use super::own;
use super::rows::colour;
use crate::report::html::chart::{Chart, MOST_ROWS, Table, axis, height, layout, plot, rows};
use crate::report::html::text::{label, name, rounded};
use crate::report::words::counted;
use crate::study::backtest::Outcome;
use crate::study::backtest::grid::Cell;

/// None without a grid.
pub fn grid(outcome: &Outcome) -> Option<Chart> {
    let found = outcome.grid.as_ref()?;
    let sharpe = |cell: &Cell| cell.figures.sharpe_monthly.or(cell.figures.sharpe);
    let first = own(outcome);
    let cell = |setting: usize, strategy: &str| {
        found.cells.iter().find(|cell| cell.setting == setting && cell.strategy == strategy)
    };
    let value = |setting: usize| cell(setting, &first.name).and_then(sharpe);
    // The best on top.
    let mut settings: Vec<usize> = (0..found.settings.len()).collect();
    let order = |setting: usize| value(setting).unwrap_or(f64::NEG_INFINITY);
    settings.sort_by(|a, b| order(*b).total_cmp(&order(*a)));
    let all = settings.len();
    let left_out = if all > MOST_ROWS {
        let (top, bottom) = (MOST_ROWS / 2, MOST_ROWS - MOST_ROWS / 2);
        settings = [&settings[..top], &settings[all - bottom..]].concat();
        format!(" Shown are the {top} best and {bottom} worst of {all}; grid.csv has all.")
    } else {
        String::new()
    };
    let called = |setting: usize| found.settings[setting].join(" ");
    let traces: Vec<Box<dyn plotly::Trace>> = outcome
        .strategies
        .iter()
        .map(|strategy| {
            let points: Vec<(usize, f64)> = settings
                .iter()
                .enumerate()
                .filter_map(|(place, &setting)| Some((place, cell(setting, &strategy.name).and_then(sharpe)?)))
                .collect();
            let hover = points
                .iter()
                .map(|(place, x)| format!("{}, {}: {x:.3}", label(&strategy.label), label(&called(settings[*place]))));
            let hover: Vec<String> = hover.collect();
            let size = if strategy.name == first.name { 11 } else { 7 };
            let trace: Box<dyn plotly::Trace> = Scatter::new(
                points.iter().map(|(_, x)| rounded(*x)).collect(),
                points.iter().map(|(place, _)| *place as f64).collect(),
            )
            .mode(Mode::Markers)
            .name(label(&strategy.label))
            .marker(Marker::new().size(size).color(colour(outcome, strategy)))
            .hover_text_array(hover)
            .hover_info(HoverInfo::Text);
            trace
        })
        .collect();
    let names: Vec<String> = settings.iter().map(|&setting| called(setting)).collect();
    let height = height(settings.len());
    let (low, high) = (order(*settings.last()?), order(*settings.first()?));
    let luck = found.deflated.iter().find(|own| own.strategy == first.name).and_then(|own| own.deflated);
    let luck = luck.map_or(String::new(), |own| {
        format!("; the best is more than luck with a probability of {:.0} %", 100.0 * own.probability)
    });
    let mut head = vec![found.keys.join(" x ")];
    head.extend(outcome.strategies.iter().map(|strategy| name(&strategy.label)));
    let numbers = (0..found.settings.len()).map(|setting| {
        let cells = outcome.strategies.iter().map(|strategy| {
            cell(setting, &strategy.name).and_then(sharpe).map_or("-".to_string(), |x| format!("{x:.3}"))
        });
        std::iter::once(name(&called(setting))).chain(cells).collect()
    });
    Some(Chart {
        id: "grid",
        title: format!(
            "Over {} the Sharpe ratio of {} lies between {low:.2} and {high:.2}{luck}",
            counted(all as u64, "setting"),
            name(&first.label)
        ),
        plot: plot(traces, layout(height, axis("Sharpe ratio"), rows(names.iter().map(String::as_str)))),
        other: None,
        folded: false,
        height,
        caption: format!(
            "A line per setting of {}, the best for {} on top; all over the same rows from {} on. What is spread out is the \
             price of a choice that nobody could have known to be right.{left_out}",
            name(&found.keys.join(" x ")),
            name(&first.label),
            name(&found.from)
        ),
        table: Table { head, rows: numbers.collect(), ends_in_words: false },
    })
}
