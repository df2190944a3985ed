//! How the weight of each asset is distributed over the resamples.

use plotly::common::{HoverInfo, Line, Marker, MarkerSymbol, Mode, Orientation};
use plotly::{BoxPlot, Plot, Scatter, Trace};

use super::{Placed, change, shown, solved};
use crate::report::html::chart::{
    BLUE, Chart, GREEN, GREY, LIGHT_BLUE, ORANGE, Other, Table, at, height, layout, percent_axis, plot, rows,
};
use crate::report::html::text::{name, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::holdings::Holdings;
use crate::study::statistics::asset::Asset;
use crate::study::statistics::distribution::Statistics;

/// One number of an asset as a chart has it.
type Drawn<'a> = &'a dyn Fn(&Asset, f64) -> f64;

pub fn weights(outcome: &Outcome) -> Chart {
    let (assets, left_out) = shown(outcome);
    let held = outcome.given.as_ref();
    let absolute = drawing(&assets, held, &|_, weight| percent(weight), "weight (% of the portfolio)");
    // What is held may be many times the weight, and would leave no room for the bands.
    let relative = drawing(&assets, None, &|asset, weight| percent(change(asset, weight)), "change of the weight (%)");
    let most = solved(outcome).into_iter().map(|(_, asset)| asset).reduce(|a, b| if size(b) > size(a) { b } else { a });
    let most = most.expect("a study has assets");
    let against = if most.point.is_some() { "full-history weight" } else { "median weight" };
    let limited = outcome.run.limits.is_some();
    let table = Table::new(
        [
            "asset",
            "full history",
            "mean",
            "sd",
            "error of sd",
            "2.5 %",
            "5 %",
            "25 %",
            "50 %",
            "75 %",
            "95 %",
            "97.5 %",
            "robust 5 %",
            "robust 95 %",
        ],
        solved(outcome).into_iter().map(|(_, asset)| {
            let w = &asset.weight;
            let p = |x: f64| words::percent(x, 2);
            [
                name(&asset.name),
                words::maybe_percent(asset.point, 2),
                p(w.mean),
                p(w.sd),
                words::percent(asset.mc_error.sd, 3),
                p(w.q025),
                p(w.q05),
                p(w.q25),
                p(w.q50),
                p(w.q75),
                p(w.q95),
                p(w.q975),
                words::maybe_percent(asset.robust.map(|band| band.lower), 2),
                words::maybe_percent(asset.robust.map(|band| band.upper), 2),
            ]
        }),
    );
    let table = match limited {
        true => table.and(
            ["at min", "at max", "sd unlimited"],
            solved(outcome).into_iter().map(|(_, asset)| {
                let share = |share: Option<f64>| share.map_or(String::new(), |share| words::percent(share, 1));
                let free = asset.unlimited.map_or(String::new(), |free| words::percent(free.sd, 2));
                [share(asset.at_min), share(asset.at_max), free]
            }),
        ),
        false => table,
    };
    let bounds = if limited { " A bar ends what a bound holds there in 5 % of the resamples and more." } else { "" };
    Chart {
        id: "weights",
        title: format!(
            "For its size, {} moves most: {:+.0} to {:+.0} % of its {against}",
            name(&most.name),
            100.0 * change(most, most.weight.q05),
            100.0 * change(most, most.weight.q95),
        ),
        plot: relative,
        other: Some(Other {
            names: ["Relative to the weight", "In % of the portfolio"].map(String::from).to_vec(),
            plots: vec![absolute],
        }),
        folded: false,
        height: height(assets.len()),
        caption: format!(
            "A box holds the middle half of the resamples' weights and is cut at their median; whiskers reach from the 5 % to \
             the 95 % quantile, relative to the {against} (orange). Triangles end the robust band, which allows for spells of volatility.{bounds}{left_out}"
        ),
        table,
    }
}
/// How far a weight moves, beside its size.
fn size(asset: &Asset) -> f64 {
    let w = &asset.weight;
    change(asset, w.q95).abs().max(change(asset, w.q05).abs())
}

fn drawing(assets: &[Placed], held: Option<&Holdings>, drawn: Drawn, title: &str) -> Plot {
    let of = |statistic: fn(&Statistics) -> f64| -> Vec<f64> {
        assets.iter().map(|(_, asset)| drawn(asset, statistic(&asset.weight))).collect()
    };
    let places = at(assets.len());
    let boxes = BoxPlot::<f64, f64>::new(places.clone())
        .orientation(Orientation::Horizontal)
        .lower_fence(of(|w| w.q05))
        .q1(of(|w| w.q25))
        .median(of(|w| w.q50))
        .q3(of(|w| w.q75))
        .upper_fence(of(|w| w.q95))
        .name("resamples")
        .fill_color(LIGHT_BLUE)
        .line(Line::new().color(BLUE).width(1.5))
        .hover_info(HoverInfo::Skip);
    let hover = |&(_, asset): &Placed| {
        format!(
            "full history {}<br>90 % of resamples {}<br>median {}",
            words::maybe_percent(asset.point, 2),
            words::band(asset.weight.q05, asset.weight.q95, 2),
            words::percent(asset.weight.q50, 2)
        )
    };
    let hover: Vec<String> = assets.iter().map(hover).collect();
    let marks = |x: Vec<f64>, name: &str, symbol, size, colour: &'static str| {
        Scatter::new(x, places.clone())
            .mode(Mode::Markers)
            .name(name)
            .marker(Marker::new().symbol(symbol).size(size).color(colour))
            .hover_text_array(hover.clone())
            .hover_info(HoverInfo::Text)
    };
    let all = |of: &dyn Fn(&Asset) -> Option<f64>| -> Vec<f64> {
        assets.iter().map(|(_, asset)| of(asset).map_or(f64::NAN, |weight| drawn(asset, weight))).collect()
    };
    let mut traces: Vec<Box<dyn Trace>> = vec![boxes];
    if assets.iter().any(|(_, asset)| asset.robust.is_some()) {
        let lower = all(&|asset| asset.robust.map(|band| band.lower.max(0.0)));
        let upper = all(&|asset| asset.robust.map(|band| band.upper));
        traces.push(marks(lower, "robust band", MarkerSymbol::TriangleRight, 8, GREY));
        traces.push(marks(upper, "", MarkerSymbol::TriangleLeft, 8, GREY).show_legend(false));
    }
    if assets.iter().any(|(_, asset)| asset.stops() != [None, None]) {
        let [low, high] = [0, 1].map(|end: usize| all(&|asset| asset.stops()[end]));
        traces.push(marks(low, "bound", MarkerSymbol::LineNSOpen, 14, BLUE));
        traces.push(marks(high, "", MarkerSymbol::LineNSOpen, 14, BLUE).show_legend(false));
    }
    traces.push(marks(all(&|asset| asset.point), "full history", MarkerSymbol::Diamond, 10, ORANGE));
    if let Some(given) = held {
        let own = assets.iter().map(|&(place, asset)| drawn(asset, given.weights[place])).collect();
        traces.push(marks(own, "yours", MarkerSymbol::X, 9, GREEN));
    }
    let y = rows(assets.iter().map(|(_, asset)| asset.name.as_str()));
    plot(traces, layout(height(assets.len()), percent_axis(title), y))
}
