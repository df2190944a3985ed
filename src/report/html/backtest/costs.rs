//! What trading may cost.

use plotly::Scatter;
use plotly::common::{HoverInfo, Mode};

use super::own;
use super::rows::stroke;
use crate::report::html::chart::{Chart, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent};
use crate::report::words::{capitalised, maybe_percent};
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::COSTS_BPS;
use crate::wording::short;

const HEIGHT: usize = 380;

/// None where assets cost differently, and without dates.
pub fn costs(outcome: &Outcome) -> Option<Chart> {
    let first = own(outcome);
    first.costs.iter().find(|cost| cost.cagr.is_some())?;
    let traces: Vec<Box<dyn plotly::Trace>> = outcome
        .strategies
        .iter()
        .map(|strategy| {
            let costs = &strategy.costs;
            let hover = costs.iter().map(|cost| {
                format!("{}, {} bp: {} a year", label(&strategy.label), short(cost.bps), maybe_percent(cost.cagr, 2))
            });
            let hover: Vec<String> = hover.collect();
            let trace: Box<dyn plotly::Trace> = Scatter::new(
                costs.iter().map(|cost| cost.bps).collect(),
                costs.iter().map(|cost| percent(cost.cagr.unwrap_or(f64::NAN))).collect(),
            )
            .mode(Mode::LinesMarkers)
            .name(label(&strategy.label))
            .line(stroke(outcome, strategy))
            .hover_text_array(hover)
            .hover_info(HoverInfo::Text);
            trace
        })
        .collect();
    let title = match first.break_even_bps {
        Some(cost) => {
            format!(
                "{} grows as the benchmark does once trading costs {cost:.0} basis points",
                capitalised(&name(&first.label))
            )
        }
        None => format!("No cost below 1,000 basis points makes {} grow as the benchmark does", name(&first.label)),
    };
    let of = |strategy: &super::StrategyOutcome, bps: f64| {
        maybe_percent(strategy.costs.iter().find(|cost| cost.bps == bps).and_then(|cost| cost.cagr), 2)
    };
    Some(Chart {
        id: "costs",
        title,
        plot: plot(
            traces,
            layout(HEIGHT, axis("basis points of what is traded, each way"), percent_axis("growth a year (%)")),
        ),
        other: None,
        folded: true,
        height: HEIGHT,
        caption: "The same trades at other costs: holdings do not depend on them.".to_string(),
        table: Table::new(
            ["strategy", "0 bp", "5 bp", "10 bp", "20 bp", "as the benchmark at"],
            outcome.strategies.iter().map(|strategy| {
                let [a, b, c, d] = COSTS_BPS.map(|bps| of(strategy, bps));
                let even = strategy.break_even_bps.map_or("-".to_string(), |cost| format!("{cost:.0} bp"));
                [name(&strategy.label), a, b, c, d, even]
            }),
        ),
    })
}
