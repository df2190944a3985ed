//! Where the best stand among all subsets that pass.

use plotly::common::{HoverInfo, Marker, MarkerSymbol, Mode};
use plotly::{Bar, Scatter};

use super::{figure_axis, plotted};
use crate::report::html::chart::{BLUE, Chart, ORANGE, Table, axis, layout, plot};
use crate::report::sentence::screen as choice;
use crate::report::words::{self, grouped};
use crate::study::screen::Outcome;

const HEIGHT: usize = 400;

/// None where nothing passes.
pub fn histogram(outcome: &Outcome) -> Option<Chart> {
    let distribution = &outcome.distribution;
    let (figure, statistics) = (distribution.figure, distribution.statistics?);
    let histogram = &distribution.histogram;
    let occupied = |count: &u64| *count > 0;
    let first = histogram.counts.iter().position(occupied)?;
    let last = histogram.counts.iter().rposition(occupied)?;
    let bins: Vec<(f64, f64, u64)> =
        (first..=last).map(|bin| (histogram.edges[bin], histogram.edges[bin + 1], histogram.counts[bin])).collect();
    let highest = bins.iter().map(|bin| bin.2).max()?;
    let middle = |&(from, to, _): &(f64, f64, u64)| plotted(figure, 0.5 * (from + to));
    let hover = bins.iter().map(|&(from, to, count)| {
        format!("{} to {}: {}", words::figure(figure, from), words::figure(figure, to), grouped(count))
    });
    let bars = Bar::new(bins.iter().map(middle).collect(), bins.iter().map(|bin| bin.2).collect())
        .name("subsets that pass")
        .marker(Marker::new().color(BLUE))
        .hover_text_array(hover.collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    let value = |entry: &crate::study::screen::Entry| entry.figures.get(figure);
    let hover = outcome
        .top
        .iter()
        .enumerate()
        .map(|(at, entry)| format!("place {}: {}", at + 1, words::figure(figure, value(entry))));
    let winners = Scatter::new(
        outcome.top.iter().map(|entry| plotted(figure, value(entry))).collect(),
        // Below the bars, where they hide nothing.
        vec![-0.04 * highest as f64; outcome.top.len()],
    )
    .mode(Mode::Markers)
    .name("the list")
    .clip_on_axis(false)
    .marker(Marker::new().symbol(MarkerSymbol::TriangleUp).size(11).color(ORANGE))
    .hover_text_array(hover.collect::<Vec<_>>())
    .hover_info(HoverInfo::Text);
    let best = value(outcome.top.first()?);
    let deviations = (best - statistics.mean).abs() / statistics.sd;
    let how_far =
        if deviations.is_finite() { format!(", {deviations:.1} standard deviations away") } else { String::new() };
    let text = |x: f64| words::figure(figure, x);
    Some(Chart {
        id: "histogram",
        title: format!("The best has {figure} {}, where the mean is {}{how_far}", text(best), text(statistics.mean)),
        plot: plot(vec![bars, winners], layout(HEIGHT, figure_axis(figure, ""), axis("subsets")).bar_gap(0.06)),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "{}, by {figure}, from {} to {}.{} Triangles mark the list. Winners that stand apart from the bulk are few; winners \
             at the end of a broad slope have many equals, and which of these is first may be luck.",
            choice::ranked(outcome),
            text(statistics.min),
            text(statistics.max),
            unknown(outcome)
        ),
        table: Table::new(
            ["from", "to", "subsets"],
            bins.iter().map(|&(from, to, count)| [text(from), text(to), grouped(count)]),
        ),
    })
}

/// What the chart does not know.
pub fn unknown(outcome: &Outcome) -> String {
    if outcome.distribution.shortlist {
        return format!(
            " {} is a figure of the path, computed for the shortlist alone: that of the other {} is not known.",
            outcome.run.by,
            grouped(outcome.subsets.passing.saturating_sub(outcome.run.shortlist.unwrap_or(0)))
        );
    }
    if choice::bounds_of_the_list(outcome) {
        return " Bounds on the path were tried on the best alone, and hold for the list.".to_string();
    }
    String::new()
}
