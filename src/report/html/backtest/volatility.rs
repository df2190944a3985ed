//! Volatility over the last rows, beside the target.

use plotly::Scatter;
use plotly::common::{DashType, HoverInfo, Line, Mode};

use super::own;
use super::rows::{Drawn, stroke};
use crate::report::html::chart::{Chart, GREY, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent};
use crate::report::words;
use crate::stats;
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::{quarter, trailing};

const HEIGHT: usize = 420;

/// None of a run that is no longer than that.
pub fn volatility(outcome: &Outcome) -> Option<Chart> {
    let run = &outcome.run;
    let window = quarter(run.periods_per_year);
    if run.evaluated_rows <= window {
        return None;
    }
    let drawn = Drawn::of(outcome);
    let rolling = |net: &[f64]| -> Vec<f64> {
        let known = trailing(net, window).map(|sd| sd * run.periods_per_year.sqrt());
        std::iter::repeat_n(f64::NAN, window - 1).chain(known).collect()
    };
    let mut traces: Vec<Box<dyn plotly::Trace>> = Vec::new();
    let mut numbers = Vec::new();
    for strategy in &outcome.strategies {
        let called = label(&strategy.label);
        let values = rolling(&strategy.account.track.net);
        let hover = drawn.rows.iter().zip(&drawn.labels);
        let hover = hover.map(|(&row, date)| format!("{called}, {date}: {}", words::percent(values[row], 1)));
        traces.push(
            Scatter::new(drawn.labels.clone(), drawn.pick(|row| percent(values[row])))
                .mode(Mode::Lines)
                .name(&called)
                .line(stroke(outcome, strategy))
                .hover_text_array(hover.collect::<Vec<_>>())
                .hover_info(HoverInfo::Text),
        );
        let mut known: Vec<f64> = values.into_iter().filter(|x| x.is_finite()).collect();
        stats::sort(&mut known);
        numbers.push((strategy, known));
    }
    if let (Some(target), Some(first), Some(last)) = (run.target_volatility, drawn.labels.first(), drawn.labels.last())
    {
        traces.push(
            Scatter::new(vec![first.clone(), last.clone()], vec![percent(target); 2])
                .mode(Mode::Lines)
                .name("target")
                .line(Line::new().color(GREY).width(1.5).dash(DashType::Dot))
                .hover_info(HoverInfo::Skip),
        );
    }
    let (first, known) = numbers.iter().find(|(strategy, _)| strategy.name == own(outcome).name)?;
    let at = |q: f64| words::percent(stats::quantile(known, q), 1);
    let aim =
        run.target_volatility.map_or(String::new(), |aim| format!(", for a target of {}", words::percent(aim, 1)));
    Some(Chart {
        id: "volatility",
        title: format!("The volatility of {} lay between {} and {}{aim}", name(&first.label), at(0.0), at(1.0)),
        plot: plot(traces, layout(HEIGHT, axis("close"), percent_axis("volatility a year (%)"))),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "Of the last {window} rows, a year. Exposure is set by a longer window before, so it follows what happened.{}",
            drawn.note()
        ),
        table: Table::new(
            ["strategy", "lowest", "5 %", "median", "95 %", "highest", "of all rows"],
            numbers.iter().map(|(strategy, known)| {
                let at = |q: f64| words::percent(stats::quantile(known, q), 2);
                let all = words::maybe_percent(strategy.metrics.volatility, 2);
                [name(&strategy.label), at(0.0), at(0.05), at(0.5), at(0.95), at(1.0), all]
            }),
        ),
    })
}
