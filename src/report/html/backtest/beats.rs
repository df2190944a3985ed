//! How much of a Sharpe ratio, and of a fall, is luck of the path.

use plotly::Scatter;
use plotly::common::{ErrorData, ErrorType, HoverInfo, Marker, Mode};

use super::rows::colour;
use super::{benchmark, own};
use crate::report::html::chart::{Chart, Other, Table, at, axis, height, layout, percent_axis, plot, rows};
use crate::report::html::text::{label, name, percent, rounded};
use crate::report::words::{capitalised, counted, maybe_percent, never_certain};
use crate::study::backtest::Outcome;
use crate::study::backtest::paths::{Figure, OfStrategy, PathsOutcome};

/// None without paths.
pub fn beats(outcome: &Outcome) -> Option<Chart> {
    let found = outcome.paths.as_ref()?;
    let sharpe = |own: &OfStrategy| found.sharpe(own).cloned();
    let fall = |own: &OfStrategy| own.figures.max_drawdown.clone();
    let height = height(found.strategies.len());
    let names = || rows(found.strategies.iter().map(|own| own.label.as_str()));
    let of_sharpe = ranges(outcome, found, &sharpe, rounded, &|x| format!("{x:.2}"));
    let of_falls = ranges(outcome, found, &fall, percent, &|x| crate::report::words::percent(x, 1));
    let first = own(outcome);
    let title = match found.probability(&first.name, &outcome.benchmark, "sharpe") {
        Some(p) => format!(
            "{} has the higher Sharpe ratio on {} of the paths, against {}",
            capitalised(&name(&first.label)),
            never_certain(p),
            name(&benchmark(outcome).label)
        ),
        None => format!("The Sharpe ratio of {} depends on the path", name(&first.label)),
    };
    let x = if found.is_monthly() { "Sharpe ratio of months" } else { "Sharpe ratio" };
    Some(Chart {
        id: "beats",
        title,
        plot: plot(of_sharpe, layout(height, axis(x), names())),
        other: Some(Other {
            names: vec!["Sharpe ratio".to_string(), "Largest fall".to_string()],
            plots: vec![plot(of_falls, layout(height, percent_axis("largest fall (%)"), names()))],
        }),
        folded: false,
        height,
        caption: format!(
            "Median and 90 % of {}; all strategies see the same paths, so they are compared path by path, and bands that \
             overlap may still be far apart.",
            counted(found.count, "resampled path")
        ),
        table: Table::new(
            ["strategy", "better than", "by Sharpe ratio", "by largest fall"],
            found.strategies.iter().flat_map(|a| {
                found.strategies.iter().filter(|b| a.name != b.name).map(|b| {
                    let p = |by: &str| maybe_percent(found.probability(&a.name, &b.name, by), 1);
                    [name(&a.label), name(&b.label), p("sharpe"), p("max_drawdown")]
                })
            }),
        ),
    })
}

fn ranges(
    outcome: &Outcome,
    found: &PathsOutcome,
    figure: &dyn Fn(&OfStrategy) -> Option<Figure>,
    shown: fn(f64) -> f64,
    text: &dyn Fn(f64) -> String,
) -> Vec<Box<dyn plotly::Trace>> {
    let places = at(found.strategies.len());
    let own = found.strategies.iter().zip(places);
    let trace = |(own, place): (&OfStrategy, f64)| -> Option<Box<dyn plotly::Trace>> {
        let s = figure(own)?.statistics;
        let strategy = outcome.strategy(&own.name)?;
        let colour = colour(outcome, strategy);
        let hover = format!("{}: median {}, 90 % {} to {}", label(&own.label), text(s.q50), text(s.q05), text(s.q95));
        Some(
            Scatter::new(vec![shown(s.q50)], vec![place])
                .mode(Mode::Markers)
                .name(label(&own.label))
                .show_legend(false)
                .marker(Marker::new().size(10).color(colour))
                .error_x(
                    ErrorData::new(ErrorType::Data)
                        .symmetric(false)
                        .array(vec![shown(s.q95 - s.q50)])
                        .array_minus(vec![shown(s.q50 - s.q05)])
                        .color(colour)
                        .thickness(2.0)
                        .width(5),
                )
                .hover_text_array(vec![hover])
                .hover_info(HoverInfo::Text),
        )
    };
    own.filter_map(trace).collect()
}
