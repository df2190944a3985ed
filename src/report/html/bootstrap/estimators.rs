//! The same resamples under other estimators: what a shrunk covariance changes.

use plotly::Scatter;
use plotly::common::{HoverInfo, Marker, Mode};
use plotly::layout::RangeMode;

use super::methods::mark;
use crate::methods::Method;
use crate::report::html::chart::{Chart, Table, layout, percent_axis, plot};
use crate::report::html::text::{self, percent};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::estimators::{Portfolios, UnderEstimator};

const HEIGHT: usize = 420;

/// None where no estimators are compared.
pub fn estimators(outcome: &Outcome) -> Option<Chart> {
    let all = &outcome.estimators;
    let first = all.first()?;
    let called = |under: &UnderEstimator| words::estimator(under.estimation.name).to_string();
    let of = |under: &UnderEstimator, place: usize| -> Option<Portfolios> {
        under.methods.iter().nth(place).map(|(_, _, portfolios)| *portfolios)
    };
    let trace = |(place, (method, name, _)): (usize, (Method, &str, &Portfolios))| {
        let (colour, symbol) = mark(method);
        let known: Vec<(&UnderEstimator, Portfolios)> =
            all.iter().filter_map(|under| Some((under, of(under, place)?))).collect();
        let hover = |(under, own): &(&UnderEstimator, Portfolios)| {
            format!(
                "{}<br>{}<br>two resamples differ by {}<br>volatility held over promised: {}",
                text::label(&words::method(method, name)),
                text::label(&called(under)),
                words::percent(own.pairwise_turnover, 1),
                words::signed(own.held_over_promised - 1.0, 1)
            )
        };
        let trace: Box<dyn plotly::Trace> = Scatter::new(
            known.iter().map(|(_, own)| percent(own.pairwise_turnover)).collect(),
            known.iter().map(|(_, own)| percent(own.held_over_promised - 1.0)).collect(),
        )
        .mode(Mode::Markers)
        .name(text::label(&words::method(method, name)))
        .marker(Marker::new().symbol(symbol).size(10).color(colour))
        .clip_on_axis(false)
        .hover_text_array(known.iter().map(hover).collect())
        .hover_info(HoverInfo::Text);
        trace
    };
    let steadiest =
        all.iter().min_by(|a, b| a.methods.own().pairwise_turnover.total_cmp(&b.methods.own().pairwise_turnover))?;
    Some(Chart {
        id: "estimators",
        title: format!(
            "Under {}, risk budgeting differs least between resamples: by {}",
            called(steadiest),
            words::percent(steadiest.methods.own().pairwise_turnover, 1)
        ),
        plot: plot(
            first.methods.iter().enumerate().map(trace).collect(),
            layout(
                HEIGHT,
                percent_axis("two resamples differ by (% of the portfolio)").range_mode(RangeMode::ToZero),
                percent_axis("volatility held over promised, less one (%)"),
            ),
        ),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "A mark for each estimator and method, on the same {} resamples; hover for the estimator. Left is steadier, and \
             zero on the axis up keeps what it promised. What is held is the volatility under the sample covariance of the full \
             history, whatever the estimator.",
            first.resamples
        ),
        table: Table::new(
            [
                "estimator",
                "intensity",
                "method",
                "differ by",
                "weights move by",
                "held over promised",
                "own aim missed by",
            ],
            all.iter().flat_map(|under| {
                let parameter = under.estimation.intensity.or(under.estimation.kept);
                let parameter = parameter.map_or("-".to_string(), |told| {
                    format!("{:.3}", told.resamples.map_or(told.point, |over| over.mean))
                });
                under.methods.iter().map(move |(method, name, own)| {
                    [
                        called(under),
                        parameter.clone(),
                        text::name(&words::method(method, name)),
                        words::percent(own.pairwise_turnover, 2),
                        words::maybe_percent(own.turnover, 2),
                        words::signed(own.held_over_promised - 1.0, 2),
                        words::maybe_percent(own.aim, 2),
                    ]
                })
            }),
        ),
    })
}
