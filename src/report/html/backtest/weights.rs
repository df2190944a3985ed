//! What a strategy wants to hold, decision by decision.

use plotly::Scatter;
use plotly::common::{HoverInfo, Line, Mode};
use plotly::layout::AxisRange;

use super::{StrategyOutcome, own};
use crate::report::html::chart::{
    BLUE, Chart, GREEN, GREY, ORANGE, Other, PURPLE, RED, Table, axis, layout, percent_axis, plot,
};
use crate::report::html::text::{label, name, percent};
use crate::report::words;
use crate::stats;
use crate::study::backtest::Outcome;

const HEIGHT: usize = 460;

/// Assets drawn one by one; the others are one.
const MOST: usize = 12;

const COLOURS: [&str; 12] =
    [BLUE, ORANGE, GREEN, PURPLE, RED, "#b59a1f", "#4aa3b5", "#c76d9d", "#7a8a2e", "#5f6caf", "#a0683a", "#3f9b86"];

/// None of a history with fewer than two decisions.
pub fn weights(outcome: &Outcome) -> Option<Chart> {
    let decisions = &outcome.decisions;
    let shown: Vec<&StrategyOutcome> = {
        let first = own(outcome);
        let others = outcome.strategies.iter().filter(|strategy| strategy.name != first.name);
        std::iter::once(first).chain(others.filter(|strategy| varies(outcome, strategy))).collect()
    };
    if decisions.len() < 2 || !varies(outcome, shown[0]) {
        return None;
    }
    let mut plots = shown.iter().map(|strategy| drawn(outcome, strategy));
    let (plot, names) = (plots.next()?, shown.iter().map(|strategy| label(&strategy.label)).collect::<Vec<_>>());
    let others: Vec<plotly::Plot> = plots.collect();
    let column = |asset: usize| stats_of(outcome, shown[0], asset);
    let assets = || outcome.assets.iter().enumerate();
    let most = assets().max_by(|a, b| column(a.0)[1].total_cmp(&column(b.0)[1]))?;
    let [low, mean, high] = column(most.0);
    Some(Chart {
        id: "weights",
        title: format!(
            "{} held most of {}: {} on average, between {} and {}",
            words::capitalised(&name(&shown[0].label)),
            name(&most.1.name),
            words::percent(mean, 1),
            words::percent(low, 1),
            words::percent(high, 1)
        ),
        plot,
        other: (!others.is_empty()).then_some(Other { names, plots: others }),
        folded: false,
        height: HEIGHT,
        caption: format!(
            "Weights of each decision before exposure, one on the other. A decision without a certified portfolio is a gap.{}",
            if outcome.assets.len() > MOST {
                format!(" Shown are the {MOST} largest; the others are one.")
            } else {
                String::new()
            }
        ),
        table: Table::new(
            ["asset", "lowest", "mean", "highest", "enters", "leaves"],
            assets().map(|(asset, own)| {
                let [low, mean, high] = column(asset).map(|x| words::percent(x, 2));
                let text = |text: &Option<String>| text.as_ref().map_or("-".to_string(), |text| name(text));
                [name(&own.name), low, mean, high, text(&own.enters), text(&own.leaves)]
            }),
        ),
    })
}

fn place(outcome: &Outcome, strategy: &StrategyOutcome) -> usize {
    outcome.strategies.iter().position(|own| own.name == strategy.name).unwrap_or_default()
}

/// Weights of an asset at the decisions of a strategy; not a number where there is no portfolio.
fn series(outcome: &Outcome, strategy: &StrategyOutcome, asset: usize) -> Vec<f64> {
    let place = place(outcome, strategy);
    let weight = |own: &crate::study::backtest::Decision| {
        own.portfolios[place].weights.as_ref().map_or(f64::NAN, |own| own[asset])
    };
    outcome.decisions.iter().map(weight).collect()
}

fn stats_of(outcome: &Outcome, strategy: &StrategyOutcome, asset: usize) -> [f64; 3] {
    let known: Vec<f64> = series(outcome, strategy, asset).into_iter().filter(|x| x.is_finite()).collect();
    let (low, high) = known.iter().fold((f64::MAX, 0.0_f64), |(low, high), x| (low.min(*x), high.max(*x)));
    if known.is_empty() { [f64::NAN; 3] } else { [low, stats::mean(&known), high] }
}

/// Fixed mixes have one picture that says nothing.
fn varies(outcome: &Outcome, strategy: &StrategyOutcome) -> bool {
    (0..outcome.assets.len()).any(|asset| {
        let [low, _, high] = stats_of(outcome, strategy, asset);
        high - low > 1e-9
    })
}

fn drawn(outcome: &Outcome, strategy: &StrategyOutcome) -> plotly::Plot {
    let mut assets: Vec<usize> = (0..outcome.assets.len()).collect();
    let mean = |asset: &usize| stats_of(outcome, strategy, *asset)[1];
    assets.sort_by(|a, b| mean(b).total_cmp(&mean(a)));
    let (one_by_one, rest) = assets.split_at(assets.len().min(MOST));
    // In the order of the data.
    let mut one_by_one = one_by_one.to_vec();
    one_by_one.sort_unstable();
    let dates: Vec<String> = outcome.decided.iter().map(|date| label(date)).collect();
    let area = |called: String, colour: &'static str, values: Vec<f64>| -> Box<dyn plotly::Trace> {
        let hover = values.iter().zip(&dates).map(|(x, date)| format!("{called}, {date}: {}", words::percent(*x, 1)));
        let hover: Vec<String> = hover.collect();
        Scatter::new(dates.clone(), values.into_iter().map(percent).collect())
            .mode(Mode::Lines)
            .stack_group("weights")
            .name(&called)
            .line(Line::new().color(colour).width(0.5))
            .hover_text_array(hover)
            .hover_info(HoverInfo::Text)
    };
    let mut traces: Vec<Box<dyn plotly::Trace>> = one_by_one
        .iter()
        .zip(COLOURS)
        .map(|(&asset, colour)| area(label(&outcome.assets[asset].name), colour, series(outcome, strategy, asset)))
        .collect();
    if !rest.is_empty() {
        let all: Vec<Vec<f64>> = rest.iter().map(|&asset| series(outcome, strategy, asset)).collect();
        let sums = (0..dates.len()).map(|at| all.iter().map(|own| own[at]).sum()).collect();
        traces.push(area(format!("{} others", rest.len()), GREY, sums));
    }
    let y = percent_axis("of the portfolio (%)").range(AxisRange::new(0.0, 100.0));
    plot(traces, layout(HEIGHT, axis("decision"), y))
}
