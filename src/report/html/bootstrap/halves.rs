//! The weights of the two halves of the history.

use plotly::Scatter;
use plotly::common::{HoverInfo, Line, Marker, MarkerSymbol, Mode};

use super::{Placed, shown, solved};
use crate::report::html::chart::{BLUE, Chart, GREY, ORANGE, Table, at, height, layout, percent_axis, plot, rows};
use crate::report::html::text::{name, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::change::HalvesOfAsset;

/// None where a half has no portfolio.
pub fn halves(outcome: &Outcome) -> Option<Chart> {
    let halves = outcome.halves.as_ref()?;
    let (assets, left_out) = shown(outcome);
    let own: Vec<(Placed, HalvesOfAsset)> =
        assets.into_iter().filter_map(|placed| Some((placed, placed.1.halves?))).collect();
    let places = at(own.len());
    let joined = |of: &dyn Fn(usize) -> [f64; 3]| (0..own.len()).flat_map(of).collect::<Vec<f64>>();
    let lines = Scatter::new(
        joined(&|k| [percent(own[k].1.first), percent(own[k].1.second), f64::NAN]),
        joined(&|k| [k as f64, k as f64, f64::NAN]),
    )
    .mode(Mode::Lines)
    .line(Line::new().color(GREY).width(2.0))
    .show_legend(false)
    .hover_info(HoverInfo::Skip);
    let marks = |name: &str, of: fn(&HalvesOfAsset) -> f64, symbol, colour: &'static str| {
        Scatter::new(own.iter().map(|(_, half)| percent(of(half))).collect(), places.clone())
            .mode(Mode::Markers)
            .name(name)
            .marker(Marker::new().symbol(symbol).size(10).color(colour))
            .hover_text_array(own.iter().map(|(_, half)| words::percent(of(half), 2)).collect::<Vec<_>>())
            .hover_info(HoverInfo::Text)
    };
    let first = marks("first half", |half| half.first, MarkerSymbol::Circle, BLUE);
    let second = marks("second half", |half| half.second, MarkerSymbol::Diamond, ORANGE);
    let height = height(own.len());
    let sentence = words::change(outcome)?;
    Some(Chart {
        id: "halves",
        title: format!("The portfolios of the two halves differ by {}", words::percent(halves.distance, 1)),
        plot: plot(
            vec![lines, first, second],
            layout(
                height,
                percent_axis("weight (% of the portfolio)"),
                rows(own.iter().map(|((_, asset), _)| asset.name.as_str())),
            ),
        ),
        other: None,
        folded: false,
        height,
        caption: format!(
            "{sentence} A resample of the whole history mixes both halves, and cannot see what changed between them.{left_out}"
        ),
        table: Table::new(
            ["asset", "first half", "second half", "difference", "standard error"],
            solved(outcome).into_iter().filter_map(|(_, asset)| {
                let half = asset.halves?;
                let p = |x: f64| words::percent(x, 2);
                Some([name(&asset.name), p(half.first), p(half.second), p(half.difference), p(half.se)])
            }),
        ),
    })
}
