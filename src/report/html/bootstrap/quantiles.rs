//! Quantiles of the weights against the weights from the full history.

use plotly::common::{Anchor, ColorBar, Font, HoverInfo, Mode, Orientation};
use plotly::{HeatMap, Scatter};

use super::{Placed, shown, solved};
use crate::report::html::chart::{Chart, INK, Table, at, columns, diverging, heading, height, layout, plot, rows};
use crate::report::html::text::{label, name, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::asset::Asset;

const NAMES: [&str; 7] = ["2.5 %", "5 %", "25 %", "50 %", "75 %", "95 %", "97.5 %"];

fn quantiles_of(asset: &Asset) -> [f64; 7] {
    let w = &asset.weight;
    [w.q025, w.q05, w.q25, w.q50, w.q75, w.q95, w.q975]
}

/// What the quantiles are compared with: the median stands in where the full history has no portfolio.
fn centre(asset: &Asset) -> f64 {
    asset.point.unwrap_or(asset.weight.q50)
}

fn change(asset: &Asset, weight: f64) -> f64 {
    weight / centre(asset) - 1.0
}

pub fn quantiles(outcome: &Outcome) -> Chart {
    let (assets, left_out) = shown(outcome);
    let changes: Vec<Vec<f64>> =
        assets.iter().map(|(_, asset)| quantiles_of(asset).map(|q| percent(change(asset, q))).to_vec()).collect();
    let farthest = changes.iter().flatten().map(|change| change.abs()).fold(1.0, f64::max);
    let texts = |text: fn(&Asset, usize) -> String| -> Vec<Vec<String>> {
        assets.iter().map(|(_, asset)| (0..NAMES.len()).map(|q| text(asset, q)).collect()).collect()
    };
    let hover = texts(|asset, q| {
        let weight = quantiles_of(asset)[q];
        format!(
            "{}<br>{} quantile {}<br>{:+.1} % of the full-history weight",
            label(&asset.name),
            NAMES[q],
            words::percent(weight, 2),
            100.0 * change(asset, weight)
        )
    });
    let cells = HeatMap::new(at(NAMES.len()), at(assets.len()), changes)
        .color_scale(diverging())
        .zmin(-farthest)
        .zmax(farthest)
        .color_bar(
            ColorBar::new()
                .title("change in %")
                .orientation(Orientation::Horizontal)
                .y(1.0)
                .y_anchor(Anchor::Bottom)
                .thickness(10),
        )
        .hover_text_matrix(hover)
        .hover_info(HoverInfo::Text);
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for row in 0..assets.len() {
        for column in 0..NAMES.len() {
            x.push(column as f64);
            y.push(row as f64);
        }
    }
    // Small weights need more digits.
    let digits = if assets.iter().all(|(_, asset)| asset.weight.q95 < 0.1) { 2 } else { 1 };
    let weights = assets.iter().flat_map(|(_, asset)| quantiles_of(asset)).map(|q| format!("{:.digits$}", 100.0 * q));
    let labels = Scatter::new(x, y)
        .mode(Mode::Text)
        .text_array(weights.collect::<Vec<_>>())
        .text_font(Font::new().color(INK).size(11))
        .hover_info(HoverInfo::Skip)
        .show_legend(false);
    let solved = solved(outcome);
    let size = |&(_, asset): &Placed| {
        let w = &asset.weight;
        change(asset, w.q95).abs().max(change(asset, w.q05).abs())
    };
    let most = solved.iter().copied().reduce(|a, b| if size(&b) > size(&a) { b } else { a });
    let (_, most) = most.expect("a study has assets");
    let height = height(assets.len()) + 40;
    let against = if most.point.is_some() { "full-history weight" } else { "median weight" };
    Chart {
        id: "quantiles",
        title: format!(
            "For its size, {} moves most: {:+.0} to {:+.0} % of its {against}",
            name(&most.name),
            100.0 * change(most, most.weight.q05),
            100.0 * change(most, most.weight.q95),
        ),
        plot: plot(
            vec![cells, labels],
            layout(
                height,
                columns(NAMES.into_iter()).title(heading("quantile; cells: weight (%)")),
                rows(assets.iter().map(|(_, asset)| asset.name.as_str())),
            ),
        ),
        height,
        caption: format!(
            "A row is an asset, a column a quantile of its weight over the resamples, the number in the cell that weight in \
             %. The colour is its change against the {against}: blue is less, orange more. Pale rows can be trusted.\
             {left_out}"
        ),
        table: Table::new(
            ["change of the weight", NAMES[0], NAMES[1], NAMES[2], NAMES[3], NAMES[4], NAMES[5], NAMES[6]],
            solved.iter().map(|(_, asset)| {
                let [a, b, c, d, e, f, g] = quantiles_of(asset).map(|q| format!("{:+.2} %", 100.0 * change(asset, q)));
                [name(&asset.name), a, b, c, d, e, f, g]
            }),
        ),
    }
}
