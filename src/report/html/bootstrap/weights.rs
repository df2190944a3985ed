//! How the weight of each asset is distributed over the resamples.

use plotly::common::{HoverInfo, Marker, MarkerSymbol, Mode, Orientation};
use plotly::{BoxPlot, Scatter};

use super::{Placed, mover, shown, solved};
use crate::report::html::chart::{
    BLUE, Chart, LIGHT_BLUE, ORANGE, Table, at, height, layout, percent_axis, plot, rows,
};
use crate::report::html::text::{name, percent, range};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::asset::WeightStatistics;

pub fn weights(outcome: &Outcome) -> Chart {
    let (assets, left_out) = shown(outcome);
    let of = |statistic: fn(&WeightStatistics) -> f64| -> Vec<f64> {
        assets.iter().map(|(_, asset)| percent(statistic(&asset.weight))).collect()
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
        .line(plotly::common::Line::new().color(BLUE).width(1.5))
        .hover_info(HoverInfo::Skip);
    let hover = |&(_, asset): &Placed| {
        format!(
            "full history {}<br>90 % of resamples {}<br>median {}",
            words::maybe_percent(asset.point, 2),
            range(asset.weight.q05, asset.weight.q95, 2),
            words::percent(asset.weight.q50, 2)
        )
    };
    let points = Scatter::new(assets.iter().map(|(_, a)| a.point.map_or(f64::NAN, percent)).collect(), places)
        .mode(Mode::Markers)
        .name("full history")
        .marker(Marker::new().symbol(MarkerSymbol::Diamond).size(10).color(ORANGE))
        .hover_text_array(assets.iter().map(hover).collect::<Vec<_>>())
        .hover_info(HoverInfo::Text);
    let most = mover(outcome);
    let wider = words::wider(&outcome.assets).map_or(String::new(), |text| format!(" {text}"));
    let height = height(assets.len());
    let y = rows(assets.iter().map(|(_, asset)| asset.name.as_str()));
    Chart {
        id: "weights",
        title: format!("{}'s weight moves most: {}", name(&most.name), range(most.weight.q05, most.weight.q95, 1)),
        plot: plot(vec![boxes, points], layout(height, percent_axis("weight (% of the portfolio)"), y)),
        height,
        caption: format!(
            "A box holds the middle half of the resamples' weights and is cut at their median; whiskers reach from the 5 % to \
             the 95 % quantile. The diamond is the weight from the full history.{wider}{left_out}"
        ),
        table: Table::new(
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
        ),
    }
}
