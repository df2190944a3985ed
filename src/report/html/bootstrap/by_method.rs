//! The weight of each asset under every method: a dot and a band each.

use plotly::Scatter;
use plotly::common::{ErrorData, ErrorType, HoverInfo, Marker, Mode};

use super::methods::mark;
use super::{Placed, shown};
use crate::methods::Method;
use crate::report::html::chart::{Chart, Table, at, height, layout, percent_axis, plot, rows};
use crate::report::html::text::{self, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::method::MethodStatistics;

/// Pixels that the row of a method takes.
const ROW: usize = 14;

/// None where methods are compared that need no chart: those that follow from the volatilities are in the table of methods.
pub fn by_method(outcome: &Outcome) -> Option<Chart> {
    let all = &outcome.methods;
    let methods: Vec<(Method, &MethodStatistics)> = all.iter().filter(|(which, _)| which.varies()).collect();
    if !methods.iter().any(|(which, _)| which.is_solved()) {
        return None;
    }
    let (assets, left_out) = shown(outcome);
    let name = |which| words::method(which, all.name(which));
    // Methods stand below each other around the place of their asset.
    let offset = |number: usize| (number as f64 - (methods.len() - 1) as f64 / 2.0) * 0.8 / methods.len() as f64;
    let trace = |(number, &(which, method)): (usize, &(Method, &MethodStatistics))| {
        let (colour, symbol) = mark(which);
        let summary = |&(place, _): &Placed| &method.weights[place].summary;
        let of = |number: &dyn Fn(&Placed) -> f64| assets.iter().map(number).collect::<Vec<f64>>();
        let places: Vec<f64> = at(assets.len()).into_iter().map(|place| place + offset(number)).collect();
        let hover = |placed: &Placed| {
            let summary = summary(placed);
            format!(
                "{}, {}<br>mean {}, 5 to 95 % {}",
                text::label(&placed.1.name),
                text::label(&name(which)),
                words::percent(summary.mean, 2),
                words::band(summary.q05, summary.q95, 2)
            )
        };
        let bands = ErrorData::new(ErrorType::Data)
            .symmetric(false)
            .array(of(&|placed| percent(summary(placed).q95 - summary(placed).mean)))
            .array_minus(of(&|placed| percent(summary(placed).mean - summary(placed).q05)))
            .color(colour)
            .thickness(1.5)
            .width(0);
        let trace: Box<dyn plotly::Trace> = Scatter::new(of(&|placed| percent(summary(placed).mean)), places)
            .mode(Mode::Markers)
            .name(text::label(&name(which)))
            .marker(Marker::new().symbol(symbol).size(8).color(colour))
            .error_x(bands)
            .hover_text_array(assets.iter().map(hover).collect())
            .hover_info(HoverInfo::Text);
        trace
    };
    let tall = height(assets.len()).max(80 + assets.len() * methods.len() * ROW);
    let widest = |method: &MethodStatistics| {
        let widths = assets.iter().map(|&(place, _)| {
            let summary = &method.weights[place].summary;
            summary.q95 - summary.q05
        });
        widths.sum::<f64>() / assets.len() as f64
    };
    let most = methods.iter().max_by(|a, b| widest(a.1).total_cmp(&widest(b.1)))?;
    Some(Chart {
        id: "by-method",
        title: format!(
            "Bands of a weight are {} wide on average under {}, {} under risk budgeting",
            words::percent(widest(most.1), 1),
            name(most.0),
            words::percent(widest(all.own()), 1)
        ),
        plot: plot(
            methods.iter().enumerate().map(trace).collect(),
            layout(
                tall,
                percent_axis("weight (% of the portfolio)"),
                rows(assets.iter().map(|(_, asset)| asset.name.as_str())),
            ),
        ),
        other: None,
        folded: false,
        height: tall,
        caption: format!(
            "A mark is the mean over the resamples, its line reaches from the 5 % to the 95 % quantile. Methods that do not \
             look at the data have no band and are left out.{left_out}"
        ),
        table: Table::new(
            ["asset", "method", "full history", "mean", "5 %", "50 %", "95 %"],
            assets.iter().flat_map(|&(place, asset)| {
                methods.iter().map(move |&(which, method)| {
                    let summary = &method.weights[place].summary;
                    let point = method.point.as_ref().map(|point| point.weights[place]);
                    [
                        text::name(&asset.name),
                        text::name(&name(which)),
                        words::maybe_percent(point, 2),
                        words::percent(summary.mean, 2),
                        words::percent(summary.q05, 2),
                        words::percent(summary.q50, 2),
                        words::percent(summary.q95, 2),
                    ]
                })
            }),
        ),
    })
}
