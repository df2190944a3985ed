//! How much of its wealth a strategy holds.

use plotly::Scatter;
use plotly::common::{DashType, HoverInfo, Line, Mode};

use super::StrategyOutcome;
use super::rows::{Drawn, stroke};
use crate::report::html::chart::{Chart, RED, Table, axis, layout, plot};
use crate::report::html::text::{label, name, rounded};
use crate::report::words::capitalised;
use crate::stats;
use crate::study::backtest::Outcome;
use crate::wording::short;

const HEIGHT: usize = 400;

/// None where every strategy holds its wealth, neither more nor less.
pub fn exposure(outcome: &Outcome) -> Option<Chart> {
    let varies = |own: &&StrategyOutcome| own.scales.iter().flatten().any(|scale| (scale - 1.0).abs() > 1e-9);
    let own: Vec<&StrategyOutcome> = outcome.strategies.iter().filter(varies).collect();
    let first = own.first()?;
    let drawn = Drawn::of(outcome);
    let mut traces: Vec<Box<dyn plotly::Trace>> = Vec::new();
    for strategy in &own {
        let (called, exposure) = (label(&strategy.label), &strategy.account.track.exposure);
        let rows = drawn.rows.iter().zip(&drawn.labels);
        let hover = rows.map(|(&row, date)| format!("{called}, {date}: {:.2} times wealth", exposure[row]));
        traces.push(
            Scatter::new(drawn.labels.clone(), drawn.pick(|row| rounded(exposure[row])))
                .mode(Mode::Lines)
                .name(&called)
                .line(stroke(outcome, strategy))
                .hover_text_array(hover.collect::<Vec<_>>())
                .hover_info(HoverInfo::Text),
        );
    }
    let most = outcome.run.max_leverage;
    let capped = outcome.run.target_volatility.is_some();
    if let (true, Some(begin), Some(end)) = (capped, drawn.labels.first(), drawn.labels.last()) {
        traces.push(
            Scatter::new(vec![begin.clone(), end.clone()], vec![most; 2])
                .mode(Mode::Lines)
                .name("cap")
                .line(Line::new().color(RED).width(1.5).dash(DashType::Dot))
                .hover_info(HoverInfo::Skip),
        );
    }
    let range = |strategy: &StrategyOutcome| {
        let mut all = strategy.account.track.exposure.clone();
        stats::sort(&mut all);
        [0.0, 0.5, 1.0].map(|q| stats::quantile(&all, q))
    };
    let [low, _, high] = range(first);
    let cap = if capped { format!(", with a cap of {}", short(most)) } else { String::new() };
    Some(Chart {
        id: "exposure",
        title: format!("{} held {low:.2} to {high:.2} times its wealth{cap}", capitalised(&name(&first.label))),
        plot: plot(traces, layout(HEIGHT, axis("close"), axis("holdings over wealth"))),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "At the start of each row. Between trades exposure drifts, upwards after losses: a cap holds at decisions \
             alone.{}",
            drawn.note()
        ),
        table: Table::new(
            ["strategy", "lowest", "median", "mean", "highest", "volatility over target"],
            own.iter().map(|strategy| {
                let [low, middle, high] = range(strategy);
                let number = |x: Option<f64>| x.map_or("-".to_string(), |x| format!("{x:.3}"));
                [
                    name(&strategy.label),
                    format!("{low:.3}"),
                    format!("{middle:.3}"),
                    number(strategy.metrics.exposure_mean),
                    format!("{high:.3}"),
                    number(strategy.metrics.volatility_to_target),
                ]
            }),
        ),
    })
}
