//! Risk budgeting beside methods that need less: how far its weights move, and what its risk shares are worth.

use plotly::Scatter;
use plotly::common::{ErrorData, ErrorType, HoverInfo, Marker, MarkerSymbol, Mode};
use plotly::layout::RangeMode;

use crate::methods::Method;
use crate::report::html::chart::{BLUE, Chart, GREEN, ORANGE, Table, layout, percent_axis, plot};
use crate::report::html::text::{percent, range};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::method::MethodStatistics;
use crate::study::statistics::summary::Summary;

const HEIGHT: usize = 420;

pub fn methods(outcome: &Outcome) -> Chart {
    let all = &outcome.methods;
    let mark = |which| match which {
        Method::RiskBudgeting => (BLUE, MarkerSymbol::Circle),
        Method::InverseVolatility => (ORANGE, MarkerSymbol::Square),
        Method::EqualWeight => (GREEN, MarkerSymbol::Diamond),
    };
    // Without a full-history portfolio, neighbouring resamples are compared.
    let turnover = |method: &MethodStatistics| method.turnover.as_ref().map_or(method.pairwise_turnover, |t| t.mean);
    let spread = |summary: Option<&Summary>, colour| {
        let of = |number: fn(&Summary) -> f64| vec![summary.map_or(0.0, |s| percent(number(s)))];
        ErrorData::new(ErrorType::Data)
            .symmetric(false)
            .array(of(|s| s.q95 - s.mean))
            .array_minus(of(|s| s.mean - s.q05))
            .color(colour)
            .thickness(1.5)
            .width(5)
    };
    let trace = |(which, method): (Method, &MethodStatistics)| {
        let (label, (colour, symbol)) = (words::method(which), mark(which));
        let error = &method.realised.max_error;
        let hover = format!(
            "{label}<br>weights move by {}<br>worst risk share misses by {}",
            words::percent(turnover(method), 1),
            words::percent(error.mean, 1)
        );
        let trace: Box<dyn plotly::Trace> = Scatter::new(vec![percent(turnover(method))], vec![percent(error.mean)])
            .mode(Mode::Markers)
            .name(label)
            .marker(Marker::new().symbol(symbol).size(13).color(colour))
            .clip_on_axis(false)
            .error_x(spread(method.turnover.as_ref(), colour))
            .error_y(spread(Some(error), colour))
            .hover_text_array(vec![hover])
            .hover_info(HoverInfo::Text);
        trace
    };
    let annual = outcome.run.periods_per_year.map_or(1.0, f64::sqrt);
    let volatility = if outcome.run.periods_per_year.is_some() { "volatility a year" } else { "volatility" };
    let miss = |method: &MethodStatistics| words::percent(method.realised.max_error.mean, 0);
    Chart {
        id: "methods",
        title: format!(
            "Risk budgeting's worst risk share misses its budget by {} on average, inverse volatility's by {}",
            miss(all.of(Method::RiskBudgeting)),
            miss(all.of(Method::InverseVolatility))
        ),
        plot: plot(
            all.iter().map(trace).collect(),
            layout(
                HEIGHT,
                percent_axis("weights move by (% of the portfolio)").range_mode(RangeMode::ToZero),
                percent_axis("worst risk-share error (% of its budget)").range_mode(RangeMode::ToZero),
            ),
        ),
        other: None,
        folded: false,
        height: HEIGHT,
        caption:
            "Down and to the left is better. Across: half the sum of the absolute changes against the full-history \
                  weights. Up: the largest error of a risk share against its budget, relative, under the full-history \
                  covariance. Marks are means over the resamples, whiskers reach from the 5 % to the 95 % quantile."
                .to_string(),
        table: Table::new(
            [
                "method",
                "weights move by",
                "5 % to 95 %",
                "worst risk share misses by",
                "5 % to 95 %",
                volatility,
                "diversification ratio",
            ],
            all.iter().map(|(which, method)| {
                let (moves, error) = (method.turnover.as_ref(), &method.realised.max_error);
                [
                    words::method(which).to_string(),
                    words::percent(turnover(method), 2),
                    moves.map_or("-".to_string(), |t| range(t.q05, t.q95, 2)),
                    words::percent(error.mean, 1),
                    range(error.q05, error.q95, 1),
                    words::percent(annual * method.volatility.mean, 3),
                    format!("{:.3}", method.diversification_ratio.mean),
                ]
            }),
        ),
    }
}
