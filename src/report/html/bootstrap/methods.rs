//! Methods beside each other: how far two histories of the same kind part them, and how much more risk they hold than they
//! promised.

use plotly::Scatter;
use plotly::common::{HoverInfo, Marker, MarkerSymbol, Mode};
use plotly::layout::RangeMode;

use crate::methods::Method;
use crate::report::html::chart::{BLUE, Chart, GREEN, GREY, ORANGE, PURPLE, RED, Table, layout, percent_axis, plot};
use crate::report::html::text::{self, percent, range};
use crate::report::words;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::method::MethodStatistics;

const HEIGHT: usize = 420;

/// How a method is drawn.
pub fn mark(method: Method) -> (&'static str, MarkerSymbol) {
    match method {
        Method::RiskBudgeting => (BLUE, MarkerSymbol::Circle),
        Method::InverseVolatility => (ORANGE, MarkerSymbol::Square),
        Method::EqualWeight => (GREEN, MarkerSymbol::Diamond),
        Method::MinimumVariance => (PURPLE, MarkerSymbol::TriangleDown),
        Method::MaximumDiversification => (GREEN, MarkerSymbol::TriangleUp),
        Method::HierarchicalRiskParity => (RED, MarkerSymbol::Hexagon),
        Method::VolatilityParity => (ORANGE, MarkerSymbol::Circle),
        Method::Fixed(_) => (GREY, MarkerSymbol::Cross),
    }
}

/// By how much more a method's portfolios hold than they promised, relative.
fn excess(method: &MethodStatistics) -> f64 {
    method.realised.volatility.mean / method.promised.mean - 1.0
}

pub fn methods(outcome: &Outcome) -> Chart {
    let all = &outcome.methods;
    let name = |which| text::name(&words::method(which, all.name(which)));
    let trace = |(which, method): (Method, &MethodStatistics)| {
        let (label, (colour, symbol)) = (text::label(&words::method(which, all.name(which))), mark(which));
        let hover = format!(
            "{label}<br>two histories differ by {}<br>volatility held over promised: {}",
            words::percent(method.pairwise_turnover, 1),
            words::signed(excess(method), 1)
        );
        let trace: Box<dyn plotly::Trace> =
            Scatter::new(vec![percent(method.pairwise_turnover)], vec![percent(excess(method))])
                .mode(Mode::Markers)
                .name(label)
                .marker(Marker::new().symbol(symbol).size(13).color(colour))
                .clip_on_axis(false)
                .hover_text_array(vec![hover])
                .hover_info(HoverInfo::Text);
        trace
    };
    let annual = outcome.run.periods_per_year.map_or(1.0, f64::sqrt);
    let volatility = if outcome.run.periods_per_year.is_some() { "volatility a year" } else { "volatility" };
    let own = all.own();
    Chart {
        id: "methods",
        title: format!(
            "Weights of risk budgeting differ by {} between two histories of this kind, and hold {} the volatility they promise",
            words::percent(own.pairwise_turnover, 1),
            beside(excess(own))
        ),
        plot: plot(
            all.iter().map(trace).collect(),
            layout(
                HEIGHT,
                percent_axis("two resamples differ by (% of the portfolio)").range_mode(RangeMode::ToZero),
                percent_axis("volatility held over promised, less one (%)").range_mode(RangeMode::ToZero),
            ),
        ),
        other: None,
        folded: false,
        height: HEIGHT,
        caption: format!(
            "Down and to the left is better. Across: half the sum of the absolute differences of the weights of two resamples, \
             which needs no reference. Up: the volatility of the resampled weights under the sample covariance of the full \
             history, over that under the estimate they were made from. Each method is judged by its own aim in the table: \
             risk budgeting by the worst budget, minimum variance by the least volatility, maximum diversification by the \
             greatest ratio.{}",
            if all.iter().any(|(which, _)| which == Method::HierarchicalRiskParity) {
                " Hierarchical risk parity links by single linkage; other libraries do otherwise."
            } else {
                ""
            }
        ),
        table: Table::new(
            [
                "method",
                "differ by",
                "weights move by",
                "5 % to 95 %",
                &format!("{volatility} held"),
                "promised",
                "own aim missed by",
                "worst risk share misses by",
                "assets held",
            ],
            all.iter().map(|(which, method)| {
                let moves = method.turnover.as_ref();
                [
                    name(which),
                    words::percent(method.pairwise_turnover, 2),
                    moves.map_or("-".to_string(), |t| words::percent(t.mean, 2)),
                    moves.map_or("-".to_string(), |t| range(t.q05, t.q95, 2)),
                    words::percent(annual * method.realised.volatility.mean, 3),
                    words::percent(annual * method.promised.mean, 3),
                    method.aim.as_ref().map_or("-".to_string(), |aim| words::percent(aim.mean, 2)),
                    words::percent(method.realised.max_error.mean, 1),
                    format!("{:.1}", method.held.mean),
                ]
            }),
        ),
    }
}

/// "2.9 % more than".
fn beside(excess: f64) -> String {
    if excess < 0.0 {
        format!("{} less than", words::percent(-excess, 1))
    } else {
        format!("{} more than", words::percent(excess, 1))
    }
}
