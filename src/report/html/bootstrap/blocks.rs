//! Whether the block length matters.

use plotly::Scatter;
use plotly::common::{HoverInfo, Marker, MarkerSymbol, Mode};
use plotly::layout::RangeMode;

use super::{shown, solved};
use crate::report::html::chart::{BLUE, Chart, GREEN, ORANGE, Table, at, height, layout, percent_axis, plot, rows};
use crate::report::html::text::{label, name, percent};
use crate::report::words::{self, counted};
use crate::study::bootstrap::{Outcome, Sensitivity};

/// None where the study was not repeated at another block length, or has no spread there.
pub fn blocks(outcome: &Outcome) -> Option<Chart> {
    let lengths = &outcome.sensitivity;
    if lengths.len() < 2 || lengths.iter().any(|length| length.converged < 2) {
        return None;
    }
    let (assets, left_out) = shown(outcome);
    // The repetitions know only the assets that were solved for.
    let solved = solved(outcome);
    let place_of = |place: usize| solved.iter().position(|(at, _)| *at == place).unwrap_or_default();
    let symbols =
        [(GREEN, MarkerSymbol::TriangleLeft), (BLUE, MarkerSymbol::Circle), (ORANGE, MarkerSymbol::TriangleRight)];
    let trace = |(length, (colour, symbol)): (&Sensitivity, (&'static str, MarkerSymbol))| {
        let sd = |place: usize| length.assets[place_of(place)].sd;
        let hover = assets.iter().map(|&(place, asset)| {
            let sd = words::percent(sd(place), 2);
            format!("{}<br>sd {sd} in blocks of {:.1} rows", label(&asset.name), length.block_length)
        });
        let trace: Box<dyn plotly::Trace> =
            Scatter::new(assets.iter().map(|&(place, _)| percent(sd(place))).collect(), at(assets.len()))
                .mode(Mode::Markers)
                .name(format!("{:.1} rows", length.block_length))
                .marker(Marker::new().symbol(symbol).size(10).color(colour))
                .hover_text_array(hover.collect::<Vec<_>>())
                .hover_info(HoverInfo::Text);
        trace
    };
    let mean_sd = |length: &Sensitivity| length.assets.iter().map(|a| a.sd).sum::<f64>() / length.assets.len() as f64;
    let (first, last) = (&lengths[0], &lengths[lengths.len() - 1]);
    let change = 100.0 * (mean_sd(last) / mean_sd(first) - 1.0);
    let height = height(assets.len());
    let mut head = vec!["asset".to_string()];
    head.extend(lengths.iter().map(|length| format!("sd, {:.1} rows", length.block_length)));
    head.extend(lengths.iter().map(|length| format!("5 % to 95 %, {:.1} rows", length.block_length)));
    let numbers = solved.iter().enumerate().map(|(at, (_, asset))| {
        let mut row = vec![name(&asset.name)];
        row.extend(lengths.iter().map(|length| words::percent(length.assets[at].sd, 3)));
        row.extend(lengths.iter().map(|length| {
            let asset = &length.assets[at];
            crate::report::html::text::range(asset.q05, asset.q95, 2)
        }));
        row
    });
    // The standard error of a standard deviation from so many resamples, twice, is what no eye should read into.
    let noise = 100.0 * 2.0 / (2.0 * first.resamples as f64).sqrt();
    let effect = if change.abs() > noise {
        let verb = if change < 0.0 { "narrow" } else { "widen" };
        format!("{verb} the spread of the weights by {:.0} % on average", change.abs())
    } else {
        "make no visible difference to the spread of the weights".to_string()
    };
    Some(Chart {
        id: "blocks",
        title: format!("Blocks of {:.1} instead of {:.1} rows {effect}", last.block_length, first.block_length),
        plot: plot(
            lengths.iter().zip(symbols).map(trace).collect(),
            layout(
                height,
                percent_axis("sd of the weight (% of the portfolio)").range_mode(RangeMode::ToZero),
                rows(assets.iter().map(|(_, asset)| asset.name.as_str())),
            ),
        ),
        other: None,
        folded: true,
        height,
        caption: format!(
            "The study again in blocks of half and of twice the length, {} each. Marks close together: the answer does not \
             hang on the block length. A spread that grows with it says that volatility clusters longer than a block, and \
             that the bands above are optimistic.{left_out}",
            counted(first.resamples, "resample")
        ),
        table: Table { head, rows: numbers.collect(), ends_in_words: false },
    })
}
