//! What became of one unit, and how far it fell on the way.

use plotly::Scatter;
use plotly::common::{HoverInfo, Mode};
use plotly::layout::AxisType;

use super::rows::{Drawn, drawdowns, stroke};
use super::{benchmark, own};
use crate::report::html::chart::{Chart, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent, rounded};
use crate::report::words::{self, maybe_percent};
use crate::study::backtest::Outcome;

const HEIGHT: usize = 600;

/// The parts of the height that wealth and drawdown take, from below.
const WEALTH: [f64; 2] = [0.4, 1.0];
const DRAWDOWN: [f64; 2] = [0.0, 0.33];

pub fn wealth(outcome: &Outcome) -> Chart {
    let drawn = Drawn::of(outcome);
    let mut traces: Vec<Box<dyn plotly::Trace>> = Vec::new();
    for strategy in &outcome.strategies {
        let called = label(&strategy.label);
        let wealth = &strategy.account.track.wealth;
        let fallen = drawdowns(wealth);
        let hover = |text: &dyn Fn(usize) -> String| -> Vec<String> {
            let rows = drawn.rows.iter().zip(&drawn.labels);
            rows.map(|(&row, date)| format!("{called}, {date}: {}", text(row))).collect()
        };
        // Of nothing there is no logarithm: a gap.
        let level = |row: usize| if wealth[row] > 0.0 { rounded(wealth[row]) } else { f64::NAN };
        traces.push(
            Scatter::new(drawn.labels.clone(), drawn.pick(level))
                .mode(Mode::Lines)
                .name(&called)
                .line(stroke(outcome, strategy))
                .hover_text_array(hover(&|row| format!("{:.3}", wealth[row])))
                .hover_info(HoverInfo::Text),
        );
        traces.push(
            Scatter::new(drawn.labels.clone(), drawn.pick(|row| percent(-fallen[row])))
                .mode(Mode::Lines)
                .name(&called)
                .show_legend(false)
                .line(stroke(outcome, strategy))
                .hover_text_array(hover(&|row| words::percent(-fallen[row], 1)))
                .hover_info(HoverInfo::Text)
                .y_axis("y2"),
        );
    }
    let shape =
        layout(HEIGHT, axis("close").anchor("y2"), axis("wealth, logarithmic").type_(AxisType::Log).domain(&WEALTH))
            .y_axis2(percent_axis("below its highest (%)").domain(&DRAWDOWN));
    let (first, other) = (own(outcome), benchmark(outcome));
    let last = |of: &super::StrategyOutcome| of.account.track.wealth.last().map_or(1.0, |wealth| *wealth);
    let fell = |of: &super::StrategyOutcome| maybe_percent(of.metrics.max_drawdown, 0);
    let title = if first.name == other.name {
        format!("One unit of {} became {:.2}, and fell by {} on the way", name(&first.label), last(first), fell(first))
    } else {
        format!(
            "One unit became {:.2} in {} and {:.2} in {}; they fell by {} and {} on the way",
            last(first),
            name(&first.label),
            last(other),
            name(&other.label),
            fell(first),
            fell(other)
        )
    };
    Chart {
        id: "wealth",
        title,
        plot: plot(traces, shape),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "Above, wealth after all costs, where equal distances are equal growth. Below, how far it stands under its highest \
             close before.{}",
            drawn.note()
        ),
        table: Table::new(
            ["strategy", "wealth at the end", "a year", "largest fall", "from", "to", "recovered"],
            outcome.strategies.iter().map(|strategy| {
                let fall = strategy.metrics.drawdown.as_ref();
                let text = |of: Option<&String>| of.map_or("-".to_string(), |text| name(text));
                [
                    name(&strategy.label),
                    format!("{:.4}", last(strategy)),
                    maybe_percent(strategy.metrics.cagr, 2),
                    maybe_percent(strategy.metrics.max_drawdown, 2),
                    text(fall.map(|fall| &fall.peak)),
                    text(fall.map(|fall| &fall.trough)),
                    text(fall.and_then(|fall| fall.recovery.as_ref())),
                ]
            }),
        ),
    }
}
