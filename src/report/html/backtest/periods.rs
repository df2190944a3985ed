//! Good and bad markets: all strategies on the same rows.

use plotly::Bar;
use plotly::common::{HoverInfo, Marker};

use super::rows::colour;
use super::{StrategyOutcome, benchmark, own};
use crate::report::html::chart::{Chart, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent};
use crate::report::words::{self, maybe_percent};
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::{Kind, Period};

const HEIGHT: usize = 440;

/// None where there is none.
pub fn periods(outcome: &Outcome) -> Option<Chart> {
    // Thirds by volatility are scattered over the run: they have no return of their own.
    let shown: Vec<&Period> = outcome.periods.iter().filter(|period| period.kind != Kind::Volatility).collect();
    let deepest = shown.first()?;
    let called = |period: &Period| match (period.kind, &period.from) {
        (Kind::Drawdown, Some(from)) => format!("fall from {}", label(from)),
        _ => label(&period.name),
    };
    let of = |period: &Period, strategy: &StrategyOutcome| {
        period.figures.iter().find(|own| own.strategy == strategy.name).and_then(|own| own.total_return)
    };
    let traces: Vec<Box<dyn plotly::Trace>> = outcome
        .strategies
        .iter()
        .map(|strategy| {
            let values: Vec<f64> =
                shown.iter().map(|period| percent(of(period, strategy).unwrap_or(f64::NAN))).collect();
            let hover = shown.iter().map(|period| {
                format!("{}, {}: {}", label(&strategy.label), called(period), maybe_percent(of(period, strategy), 1))
            });
            let hover: Vec<String> = hover.collect();
            let trace: Box<dyn plotly::Trace> = Bar::new(shown.iter().map(|period| called(period)).collect(), values)
                .name(label(&strategy.label))
                .marker(Marker::new().color(colour(outcome, strategy)))
                .hover_text_array(hover)
                .hover_info(HoverInfo::Text);
            trace
        })
        .collect();
    let (first, other) = (own(outcome), benchmark(outcome));
    let numbers = outcome.periods.iter().flat_map(|period| {
        period.figures.iter().map(move |figures| {
            let text = |text: &Option<String>| text.as_ref().map_or("-".to_string(), |text| name(text));
            [
                name(&period.name),
                text(&period.from),
                text(&period.to),
                name(&figures.strategy),
                maybe_percent(figures.total_return, 2),
                maybe_percent(figures.volatility, 2),
                figures.sharpe.map_or("-".to_string(), |x| format!("{x:.2}")),
                maybe_percent(figures.max_drawdown, 2),
            ]
        })
    });
    let title = if first.name == other.name {
        format!("{} fell by {} at worst", words::capitalised(&name(&first.label)), maybe_percent(deepest.depth, 1))
    } else {
        format!(
            "While {} returned {}, {} returned {}",
            name(&other.label),
            of(deepest, other).map_or("-".to_string(), |x| words::signed(x, 1)),
            name(&first.label),
            of(deepest, first).map_or("-".to_string(), |x| words::signed(x, 1))
        )
    };
    Some(Chart {
        id: "periods",
        title,
        plot: plot(traces, layout(HEIGHT, axis(""), percent_axis("return (%)"))),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "Returns over the deepest falls of {}, from its peak to its trough, and over named spans. The numbers have the \
             thirds of the rows by its volatility as well.",
            name(&other.label)
        ),
        table: Table::new(
            ["period", "from", "to", "strategy", "return", "volatility", "Sharpe", "largest fall"],
            numbers,
        ),
    })
}
