//! The periods of the history that decide most of the portfolio.

use plotly::Bar;
use plotly::common::{HoverInfo, Marker, Orientation, TextPosition};

use crate::report::html::chart::{BLUE, Chart, Table, at, axis, height, layout, plot, rows};
use crate::report::html::text::{label, name, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::influence::Day;

/// None where the full history has no portfolio.
pub fn days(outcome: &Outcome) -> Option<Chart> {
    let days = &outcome.days;
    let first = days.first()?;
    let bars = Bar::new(days.iter().map(|day| percent(day.influence)).collect(), at(days.len()))
        .orientation(Orientation::Horizontal)
        .name("adds to the weight")
        .marker(Marker::new().color(BLUE))
        .text_array(days.iter().map(|day| label(&day.asset)).collect::<Vec<_>>())
        .text_position(TextPosition::Auto)
        .clip_on_axis(false)
        .hover_text_array(days.iter().map(|day| format!("{}: {}", name(&day.asset), points(day))).collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    let height = height(days.len());
    Some(Chart {
        id: "days",
        title: format!(
            "{} decides most: without it, {} would have about {}",
            first.date,
            name(&first.asset),
            without(first)
        ),
        plot: plot(
            vec![bars],
            layout(height, axis("points of the weight"), rows(days.iter().map(|day| day.date.as_str())))
                .show_legend(false),
        ),
        other: None,
        folded: false,
        height,
        caption: format!(
            "The {} of {} that move a weight most, each with the asset that it moves most and what it adds to that asset's \
             weight, to first order. A portfolio that few periods decide is the portfolio of these periods.",
            words::counted(days.len() as u64, "row"),
            outcome.run.rows
        ),
        table: Table::new(
            ["row", "asset", "adds to its weight"],
            days.iter().map(|day| [day.date.clone(), name(&day.asset), points(day)]),
        ),
    })
}

fn points(day: &Day) -> String {
    format!("{:+.3} points", 100.0 * day.influence)
}

/// "0.52 points less".
fn without(day: &Day) -> String {
    let more = if day.influence > 0.0 { "less" } else { "more" };
    format!("{:.2} points {more}", 100.0 * day.influence.abs())
}
