//! A line per asset: its weight, how far it moves, its share of the risk, and its weight in either half.

use std::fmt::Write as _;

use super::{Placed, change, shown};
use crate::report::html::text::{escaped, name};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::asset::Asset;

/// Size of the picture of a band.
const WIDTH: f64 = 180.0;
const HEIGHT: f64 = 18.0;

/// Bands are drawn up to this change of the weight, to either side: what goes beyond ends at the edge, and its numbers tell.
const MOST: f64 = 1.0;

pub fn overview(outcome: &Outcome) -> String {
    let (assets, left_out) = shown(outcome);
    let band =
        |asset: &Asset| asset.robust.map_or([0.0; 2], |band| [change(asset, band.lower), change(asset, band.upper)]);
    let both = |asset: &Asset| moves(asset).into_iter().chain(band(asset));
    let farthest = assets.iter().flat_map(|(_, asset)| both(asset)).map(f64::abs).fold(0.0, f64::max);
    let scale = if farthest > 0.0 { farthest.min(MOST) } else { MOST };
    let own = outcome.given.is_some();
    let halves = outcome.halves.is_some();
    let percent = words::percent(scale, 0);
    let mut out = format!(
        "<section id=\"assets\" aria-labelledby=\"assets-title\">\n<h2 id=\"assets-title\">The weights, and how far they \
         move</h2>\n<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Weights\"><table class=\"overview\">\n\
         <thead><tr><th scope=\"col\">asset</th>{}<th scope=\"col\">weight</th><th scope=\"col\">5 % to 95 % of resamples</th>\
         <th scope=\"col\">change of the weight, −{percent} to +{percent}</th><th scope=\"col\">share of the risk</th>{}</tr></thead>\n<tbody>\n",
        if own { "<th scope=\"col\">yours</th>" } else { "" },
        if halves { "<th scope=\"col\">first half</th><th scope=\"col\">second half</th>" } else { "" },
    )
    .replace(" %", "\u{a0}%");
    for placed @ (place, asset) in assets {
        let w = &asset.weight;
        let share = &outcome.methods.own().realised.shares[place].summary;
        let cell = |text: String| format!("<td>{}</td>", escaped(&text));
        let yours = outcome.given.as_ref().map_or(String::new(), |given| {
            let outside = given.outside.as_ref().is_some_and(|names| names.contains(&asset.name));
            let class = if outside { " class=\"outside\"" } else { "" };
            format!("<td{class}>{}</td>", escaped(&words::percent(given.weights[place], 2)))
        });
        let half = |of: fn(&crate::study::change::HalvesOfAsset) -> f64| {
            if halves { cell(words::maybe_percent(asset.halves.as_ref().map(of), 2)) } else { String::new() }
        };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th>{yours}{}{}<td class=\"bar\">{}</td>{}{}{}</tr>",
            escaped(&name(&asset.name)),
            cell(words::maybe_percent(asset.point, 2)),
            cell(words::band(w.q05, w.q95, 2)),
            picture(placed, scale),
            cell(words::band(share.q05, share.q95, 1)),
            half(|half| half.first),
            half(|half| half.second),
        );
    }
    let _ = writeln!(
        out,
        "</tbody></table></div>\n<p class=\"how\">{}</p>\n</section>",
        escaped(&format!(
            "Weight: from the full history. Blue: the band of the resamples beside the weight itself; grey: the band that \
             allows for spells of volatility. Share of the risk: of the resampled weights over the full history, 5 % to \
             95 %.{left_out}"
        ))
    );
    out
}

/// How far resamples move a weight, relative to itself.
fn moves(asset: &Asset) -> [f64; 2] {
    [change(asset, asset.weight.q05), change(asset, asset.weight.q95)]
}

/// The bands of a weight around itself.
fn picture((_, asset): Placed, scale: f64) -> String {
    let at = |change: f64| {
        let place = 0.5 + 0.5 * (change / scale).clamp(-1.0, 1.0);
        format!("{:.1}", 2.0 + (WIDTH - 4.0) * if place.is_finite() { place } else { 0.5 })
    };
    let line = |class: &str, [low, high]: [f64; 2], y: f64| {
        format!("<line class=\"{class}\" x1=\"{}\" x2=\"{}\" y1=\"{y}\" y2=\"{y}\"/>", at(low), at(high))
    };
    let robust = asset.robust.map_or(String::new(), |band| {
        line("robust", [change(asset, band.lower), change(asset, band.upper)], HEIGHT / 2.0 + 4.0)
    });
    let [low, high] = moves(asset);
    format!(
        "<svg width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"{:+.0} to {:+.0} percent\"><line class=\"zero\" x1=\"{zero}\" x2=\"{zero}\" y1=\"0\" y2=\"{HEIGHT}\"/>{robust}{}</svg>",
        100.0 * low,
        100.0 * high,
        line("resampled", [low, high], HEIGHT / 2.0 - 2.0),
        zero = at(0.0),
    )
}
