//! Risk and return: the list among a sample of all subsets.

use plotly::Scatter;
use plotly::common::{HoverInfo, Marker, MarkerSymbol, Mode};

use super::holding;
use crate::report::html::chart::{BLUE, Chart, ORANGE, Table, layout, percent_axis, plot};
use crate::report::html::text::{label, percent};
use crate::report::sentence::screen as choice;
use crate::report::words::{self, counted};
use crate::study::screen::Outcome;
use crate::study::screen::cloud::Point;

const HEIGHT: usize = 480;

/// Digits of the sample's marks: pixels tell no more.
const DIGITS: i32 = 4;

/// None without a history.
pub fn cloud(outcome: &Outcome) -> Option<Chart> {
    let cloud = outcome.cloud.as_ref()?;
    let first = cloud.list.first()?;
    let of = |points: &[Point], of: fn(&Point) -> f64| -> Vec<f64> { points.iter().map(|p| percent(of(p))).collect() };
    let short = |values: Vec<f64>| -> Vec<f64> {
        let scale = 10.0_f64.powi(DIGITS);
        values.into_iter().map(|x| (x * scale).round() / scale).collect()
    };
    let risk = |point: &Point| point.volatility;
    let mean = |point: &Point| point.mean_return;
    let sample = Scatter::new(short(of(&cloud.sample, risk)), short(of(&cloud.sample, mean)))
        .mode(Mode::Markers)
        .name("subsets")
        .marker(Marker::new().size(4).color(BLUE).opacity(0.35))
        .hover_info(HoverInfo::Skip);
    let text = |point: &Point| {
        format!("{} risk, {} return", words::percent(point.volatility, 2), words::percent(point.mean_return, 2))
    };
    let hover = outcome.top.iter().zip(&cloud.list).enumerate().map(|(at, (entry, point))| {
        let assets: Vec<String> = entry.assets.iter().take(6).map(|asset| label(asset)).collect();
        format!("place {}: {}<br>{}", at + 1, text(point), assets.join("<br>"))
    });
    // No more of the list than are shown.
    let listed = &cloud.list[..cloud.list.len().min(outcome.top.len())];
    let list = Scatter::new(of(listed, risk), of(listed, mean))
        .mode(Mode::Markers)
        .name("the list")
        .marker(Marker::new().symbol(MarkerSymbol::TriangleUp).size(11).color(ORANGE))
        .hover_text_array(hover.collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    let below = |of: fn(&Point) -> f64| {
        let share =
            cloud.sample.iter().filter(|point| of(point) < of(first)).count() as f64 / cloud.sample.len() as f64;
        words::percent(share, 0)
    };
    let period = if outcome.run.periods_per_year.is_some() { "a year" } else { "a period" };
    let bounded = if outcome.run.filters.is_empty() { "" } else { " that keep the bounds" };
    let which = match (cloud.sample.len() as u64) < choice::passing(outcome) {
        true => format!("A sample of {}{bounded}", counted(cloud.sample.len() as u64, "subset")),
        false => format!("All {}{bounded}", counted(cloud.sample.len() as u64, "subset")),
    };
    let position = if cloud.sample.is_empty() {
        String::new()
    } else {
        format!(", more risk than {} of the subsets and more return than {}", below(risk), below(mean))
    };
    Some(Chart {
        id: "cloud",
        title: format!("The best had {} {period}{position}", text(first)),
        plot: plot(
            vec![sample, list],
            layout(
                HEIGHT,
                percent_axis(&format!("volatility {period} (%)")),
                percent_axis(&format!("mean return {period} (%)")),
            ),
        ),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "{which}: a mark is a risk-parity portfolio, weights held constant, without costs. Mean returns of a history say \
             little about those to come; volatilities say more. Triangles mark the list."
        ),
        table: Table {
            ends_in_words: true,
            ..Table::new(
                ["place", "volatility", "mean return", "assets and weights"],
                outcome.top.iter().zip(listed).enumerate().map(|(at, (entry, point))| {
                    [
                        (at + 1).to_string(),
                        words::percent(point.volatility, 3),
                        words::percent(point.mean_return, 3),
                        holding(entry),
                    ]
                }),
            )
        },
    })
}
