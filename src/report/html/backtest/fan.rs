//! How far each decision can be trusted: the weights of its resampled window.

use plotly::Scatter;
use plotly::common::{Fill, HoverInfo, Line, Mode};

use crate::report::html::chart::{BLUE, Chart, LIGHT_BLUE, Other, Table, axis, layout, percent_axis, plot};
use crate::report::html::text::{label, name, percent};
use crate::report::words;
use crate::stats;
use crate::study::backtest::Outcome;
use crate::study::backtest::fan::{OfAsset, Spread};

const HEIGHT: usize = 400;

/// Assets that can be chosen: those with the largest weights.
const MOST: usize = 12;

/// None where windows were not resampled.
pub fn fan(outcome: &Outcome) -> Option<Chart> {
    let found = outcome.fan.as_ref().filter(|found| !found.is_empty())?;
    let column = |asset: usize| found.iter().map(move |spread| &spread.assets[asset]);
    let mean = |asset: usize| {
        let known: Vec<f64> = column(asset).filter_map(|own| own.weight).collect();
        if known.is_empty() { 0.0 } else { stats::mean(&known) }
    };
    let mut assets: Vec<usize> =
        (0..outcome.assets.len()).filter(|&asset| column(asset).any(|own| own.q50.is_some())).collect();
    assets.sort_by(|a, b| mean(*b).total_cmp(&mean(*a)));
    let widths = |asset: usize| -> Vec<f64> { column(asset).filter_map(|own| Some(own.q95? - own.q05?)).collect() };
    let of_median = |values: Vec<f64>| if values.is_empty() { f64::NAN } else { stats::median(&values) };
    let ways = |asset: usize| -> Vec<f64> { column(asset).skip(1).filter_map(|own| own.same_direction).collect() };
    let first = *assets.first()?;
    let shown = &assets[..assets.len().min(MOST)];
    let mut plots = shown.iter().map(|&asset| drawn(found, asset));
    let plot = plots.next()?;
    let others: Vec<plotly::Plot> = plots.collect();
    let names = shown.iter().map(|&asset| label(&outcome.assets[asset].name)).collect();
    Some(Chart {
        id: "fan",
        title: format!(
            "The 90 % band of {}'s weight is {} wide at the median decision",
            name(&outcome.assets[first].name),
            words::percent(of_median(widths(first)), 1)
        ),
        plot,
        other: (!others.is_empty()).then_some(Other { names, plots: others }),
        folded: false,
        height: HEIGHT,
        caption: "The weight of risk budgeting at each decision, and where 90 % of the resamples of its window put it. A trade \
                  that stays within the band is hardly told from noise."
            .to_string(),
        table: Table::new(
            ["asset", "mean weight", "width of the band, median", "same direction, median"],
            assets.iter().map(|&asset| {
                let way = of_median(ways(asset));
                [
                    name(&outcome.assets[asset].name),
                    words::percent(mean(asset), 2),
                    words::percent(of_median(widths(asset)), 2),
                    words::maybe_percent(Some(way).filter(|x| x.is_finite()), 0),
                ]
            }),
        ),
    })
}

fn drawn(found: &[Spread], asset: usize) -> plotly::Plot {
    let known: Vec<(&Spread, &OfAsset)> =
        found.iter().map(|spread| (spread, &spread.assets[asset])).filter(|(_, own)| own.q50.is_some()).collect();
    let dates: Vec<String> = known.iter().map(|(spread, _)| label(&spread.date)).collect();
    let of = |number: fn(&OfAsset) -> Option<f64>| -> Vec<f64> {
        known.iter().map(|(_, own)| percent(number(own).unwrap_or(f64::NAN))).collect()
    };
    let around: Vec<f64> = of(|own| own.q95).into_iter().chain(of(|own| own.q05).into_iter().rev()).collect();
    let both: Vec<String> = dates.iter().chain(dates.iter().rev()).cloned().collect();
    let hover = known.iter().zip(&dates).map(|((_, own), date)| {
        let band = words::band(own.q05.unwrap_or(f64::NAN), own.q95.unwrap_or(f64::NAN), 1);
        format!("{date}: {} ({band})", words::maybe_percent(own.weight, 1))
    });
    let hover: Vec<String> = hover.collect();
    plot(
        vec![
            Scatter::new(both, around)
                .mode(Mode::Lines)
                .fill(Fill::ToSelf)
                .fill_color(LIGHT_BLUE)
                .line(Line::new().width(0.0).color(BLUE))
                .name("90 % of the resamples")
                .hover_info(HoverInfo::Skip),
            Scatter::new(dates, of(|own| own.weight))
                .mode(Mode::Lines)
                .name("decided")
                .line(Line::new().color(BLUE).width(2.0))
                .hover_text_array(hover)
                .hover_info(HoverInfo::Text),
        ],
        layout(HEIGHT, axis("decision"), percent_axis("weight (%)")),
    )
}
