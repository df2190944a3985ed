//! What became of one unit: the first of the list beside equal weight of all assets.

use plotly::Scatter;
use plotly::common::{DashType, HoverInfo, Line as Stroke, Mode};
use plotly::layout::AxisType;

use crate::report::html::chart::{BLUE, Chart, GREEN, GREY, ORANGE, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, percent, rounded};
use crate::report::words::{self, counted, grouped};
use crate::study::screen::Outcome;
use crate::study::screen::growth::Line;

const HEIGHT: usize = 560;

/// The parts of the height that wealth and drawdown take, from below.
const WEALTH: [f64; 2] = [0.42, 1.0];
const DRAWDOWN: [f64; 2] = [0.0, 0.34];

const COLOURS: [&str; 3] = [BLUE, ORANGE, GREEN];

/// None without a history.
pub fn growth(outcome: &Outcome) -> Option<Chart> {
    let growth = outcome.growth.as_ref()?;
    let first = growth.list.first()?;
    let own = outcome.top.len().min(growth.list.len());
    let places =
        growth.list[..own].iter().enumerate().map(|(at, line)| (format!("place {}", at + 1), COLOURS[at], line));
    let all = format!("equal weight of {}", counted(outcome.run.assets as u64, "asset"));
    let lines: Vec<(String, &'static str, &Line)> = places.chain([(all, GREY, &growth.equal_weight)]).collect();
    // Names of rows come from files.
    let rows: Vec<String> = growth.rows.iter().map(|row| label(row)).collect();
    let mut traces: Vec<Box<dyn plotly::Trace>> = Vec::new();
    for (name, colour, line) in &lines {
        let dash = if *colour == GREY { DashType::Dash } else { DashType::Solid };
        let stroke = || Stroke::new().color(*colour).width(1.5).dash(dash.clone());
        let hover = |text: &dyn Fn(f64) -> String, values: &[f64]| -> Vec<String> {
            values.iter().zip(&rows).map(|(&x, row)| format!("{name}, {row}: {}", text(x))).collect()
        };
        traces.push(
            Scatter::new(rows.clone(), line.wealth.iter().copied().map(rounded).collect())
                .mode(Mode::Lines)
                .name(name)
                .line(stroke())
                .hover_text_array(hover(&|x| format!("{x:.3}"), &line.wealth))
                .hover_info(HoverInfo::Text),
        );
        traces.push(
            Scatter::new(rows.clone(), line.drawdown.iter().copied().map(percent).collect())
                .mode(Mode::Lines)
                .name(name)
                .show_legend(false)
                .line(stroke())
                .hover_text_array(hover(&|x| words::percent(x, 1), &line.drawdown))
                .hover_info(HoverInfo::Text)
                .y_axis("y2"),
        );
    }
    let shape = layout(HEIGHT, axis("row").anchor("y2"), axis("wealth").type_(AxisType::Log).domain(&WEALTH))
        .y_axis2(percent_axis("drawdown (%)").domain(&DRAWDOWN));
    let equal = &growth.equal_weight;
    let every = if growth.every > 1 {
        format!(" Every {} rows are drawn; the numbers are of all.", grouped(growth.every as u64))
    } else {
        String::new()
    };
    Some(Chart {
        id: "growth",
        title: format!(
            "One unit became {:.2} in the best and {:.2} in equal weight; the deepest loss was {} and {}",
            first.last,
            equal.last,
            words::percent(first.figures.max_drawdown, 0),
            words::percent(equal.figures.max_drawdown, 0)
        ),
        plot: plot(traces, shape),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "Wealth above, on a logarithmic scale, and the loss since its highest point below. Weights are held constant and \
             rebalanced every period, without costs. The list was chosen on this very history, and equal weight was not: its \
             lead is flattered.{every}"
        ),
        table: Table::new(
            ["portfolio", "wealth at the end", "sharpe", "sortino", "max drawdown", "cvar95", "calmar"],
            lines.iter().map(|(name, _, line)| {
                let figures = &line.figures;
                [
                    name.clone(),
                    format!("{:.4}", line.last),
                    format!("{:.4}", figures.sharpe),
                    format!("{:.4}", figures.sortino),
                    words::percent(figures.max_drawdown, 2),
                    words::percent(figures.cvar95, 3),
                    figures.calmar.map_or("-".to_string(), |calmar| format!("{calmar:.4}")),
                ]
            }),
        ),
    })
}
