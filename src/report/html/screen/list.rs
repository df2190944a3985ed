//! The best subsets and their weights.

use plotly::HeatMap;
use plotly::common::{Anchor, ColorBar, HoverInfo, Orientation};

use super::{MOST_PLACES, holding};
use crate::report::html::chart::{Chart, Table, at, columns, heading, height, layout, plot, rows, sequential};
use crate::report::html::text::{label, name, percent};
use crate::report::sentence::screen as choice;
use crate::report::words;
use crate::study::screen::Screened;

/// Assets that a chart has room for beside each other.
const MOST_COLUMNS: usize = 30;

/// Names in a title.
const MOST_NAMES: usize = 5;

pub fn list(screened: &Screened) -> Chart {
    let outcome = &screened.outcome;
    let by = outcome.run.by;
    let top = &outcome.top[..outcome.top.len().min(MOST_PLACES)];
    // The assets the list holds, by how often; ties in the order of the data.
    let mut held: Vec<(&str, usize)> = Vec::new();
    for asset in &outcome.inclusion.assets {
        let count = top.iter().filter(|entry| entry.assets.contains(&asset.name)).count();
        if count > 0 {
            held.push((&asset.name, count));
        }
    }
    held.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let all = held.len();
    held.truncate(MOST_COLUMNS);
    let held_at = |place: usize, asset: &str| top[place].assets.iter().position(|name| name == asset);
    let weight =
        |place: usize, asset: &str| held_at(place, asset).map_or(f64::NAN, |at| percent(top[place].weights[at]));
    let tag =
        |place: usize, asset: &str| held_at(place, asset).map_or(String::new(), |at| choice::tag(&top[place], at));
    let weights: Vec<Vec<f64>> =
        (0..top.len()).map(|place| held.iter().map(|(asset, _)| weight(place, asset)).collect()).collect();
    let largest = weights.iter().flatten().copied().fold(0.0, f64::max);
    let hover: Vec<Vec<String>> = (0..top.len())
        .map(|place| {
            let value = words::figure(by, top[place].value);
            let text = |asset: &str| {
                let (weight, tag) = (weight(place, asset), tag(place, asset));
                format!("{}. {}: {weight:.2} %{tag}<br>{by} {value}", place + 1, label(asset))
            };
            held.iter().map(|(asset, _)| text(asset)).collect()
        })
        .collect();
    let cells = HeatMap::new(at(held.len()), at(top.len()), weights)
        .color_scale(sequential())
        .zmin(0.0)
        .zmax(largest)
        .color_bar(
            ColorBar::new()
                .title("weight in %")
                .orientation(Orientation::Horizontal)
                .y(1.0)
                .y_anchor(Anchor::Bottom)
                .thickness(10),
        )
        .x_gap(1)
        .y_gap(1)
        .hover_on_gaps(false)
        .hover_text_matrix(hover)
        .hover_info(HoverInfo::Text);
    let best = &outcome.top[0];
    let mut names: Vec<String> = best.assets.iter().take(MOST_NAMES).map(|asset| name(asset)).collect();
    if best.assets.len() > MOST_NAMES {
        names.push(format!("{} more", best.assets.len() - MOST_NAMES));
    }
    let places: Vec<String> = (1..=top.len()).map(|place| place.to_string()).collect();
    let height = height(top.len()) + 120;
    let mut left_out = String::new();
    if top.len() < outcome.top.len() {
        left_out += &format!(" Shown are the first {} of {} subsets; the table has all.", top.len(), outcome.top.len());
    }
    if held.len() < all {
        left_out += &format!(" Columns are the {} of {all} assets that these hold most often.", held.len());
    }
    let annual = outcome.run.periods_per_year.is_some();
    let volatility = if annual { "volatility a year" } else { "volatility" };
    let error = if outcome.kkt_error.is_some() { "kkt_error" } else { "rc_error" };
    Chart {
        id: "list",
        title: format!("The best, with {by} {}: {}", words::figure(by, best.value), names.join(", ")),
        plot: plot(
            vec![cells],
            layout(
                height,
                columns(held.iter().map(|(asset, _)| *asset)).tick_angle(-60.0),
                rows(places.iter().map(String::as_str)).title(heading("place")),
            ),
        ),
        other: None,
        folded: false,
        height,
        caption: format!(
            "A row is a subset, the best on top; a coloured cell is an asset it holds, the darker the larger its weight. \
             Columns that are full from top to bottom are assets that every good portfolio here has.{left_out}"
        ),
        table: Table {
            ends_in_words: true,
            ..Table::new(
                ["place", by.name(), volatility, "diversification ratio", error, "weights"],
                outcome.top.iter().enumerate().map(|(at, entry)| {
                    let figures = &entry.figures;
                    let volatility = figures
                        .volatility_annual
                        .map_or(words::percent(figures.volatility, 4), |annual| words::percent(annual, 2));
                    [
                        (at + 1).to_string(),
                        words::figure(by, entry.value),
                        volatility,
                        format!("{:.4}", figures.diversification_ratio),
                        format!("{:.1e}", entry.kkt_error.unwrap_or(entry.rc_error)),
                        holding(entry),
                    ]
                }),
            )
        },
    }
}
