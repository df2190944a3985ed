//! What a bootstrap found, in a few sentences: how far the weights move, why, and what a reader can do about it.
//!
//! Three reasons move the weights of the next estimate: sampling, which resamples show; spells of volatility, which robust
//! bands show; and change, which the parts of the history show. The sentence says which of them matters most here, whether
//! another method would have done better, and what makes this history hard, where something does.

use crate::methods::Method;
use crate::report::words::{self, counted, cut, percent};
use crate::study::bootstrap::Outcome;
use crate::study::change::Halves;
use crate::study::estimation::Estimation;
use crate::study::estimators::UnderEstimator;
use crate::study::influence::LEAST_ROWS;

/// Halves that differ by this many times what sampling explains have changed; below the second, sampling explains them.
const CHANGED: f64 = 2.0;
const UNCHANGED: f64 = 1.5;

/// Halves of fewer rows than half of this have standard errors that are themselves uncertain.
const SHORT: usize = 250;

/// An asset with more of the weight than this dominates the portfolio.
const DOMINANT: f64 = 0.5;

/// Robust bands that are wider than those of the resamples by this, on average over the assets, matter most of all: of six
/// assets over 2,520 rows they are 0.9 to 1.3 times as wide where volatility does not cluster, or does for all alike, and
/// 1.1 to 1.5 times where each asset has spells of its own.
const CLUSTERED: f64 = 1.33;

/// Risk that another method misplaces is less, or more, than risk budgeting's by this to be told.
const CLEARLY: f64 = 1.1;

/// An estimator is told under which weights differ less by this.
const STEADIER: f64 = 1.1;

/// A history of fewer rows has no robust bands in its halves, and hardly any in itself.
const FEW_ROWS: usize = 2 * LEAST_ROWS;

/// An estimator is judged by this many resamples at least: differences of pairs of them are then known to a tenth.
const FEW_RESAMPLES: u64 = 100;

/// Columns of a name.
const NAME: usize = 24;

pub fn sentence(outcome: &Outcome) -> String {
    if outcome.solves.converged == 0 {
        let what = words::nothing(outcome.solves.total, "resample");
        let remedy = match outcome.run.risk.is_volatility() {
            true => words::remedy(&outcome.solves).to_string(),
            false => "some long-only mix has no such risk: use fewer assets, or a longer history".to_string(),
        };
        return format!(
            "No weights can be trusted here: {what} ({}). {}.",
            words::solves(&outcome.solves),
            capitalised(&remedy)
        );
    }
    if outcome.run.assets == 1 {
        return "One asset is all of the portfolio: there is no weight to be trusted or not.".to_string();
    }
    let parts = [
        hard(outcome),
        Some(moves(outcome)),
        words::paired(outcome),
        dominated(outcome),
        others(outcome),
        estimators(outcome),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// What makes the history hard, where something does.
fn hard(outcome: &Outcome) -> Option<String> {
    let (rows, assets) = (outcome.run.rows, outcome.run.assets);
    let unsolved = outcome.solves.unsolved();
    if rows <= assets {
        return Some(format!(
            "{} of {} make a singular covariance: some mixes seem to have no risk. Use fewer assets or a longer history \
             before you rely on these weights.",
            counted(rows as u64, "return"),
            counted(assets as u64, "asset")
        ));
    }
    if rows < FEW_ROWS {
        return Some(format!("{} are too few to say how far weights move.", counted(rows as u64, "return")));
    }
    if outcome.assets.iter().all(|asset| asset.point.is_none()) {
        let what = if outcome.run.risk.is_volatility() { "variance" } else { outcome.run.risk.words };
        return Some(format!(
            "The full history has no risk-budgeting portfolio, because some long-only mix of these assets has no {what}: \
             leave one of them out."
        ));
    }
    (unsolved > 0).then(|| {
        format!(
            "{} of the resamples have no portfolio and are left out: the figures speak for the others alone.",
            percent(unsolved as f64 / outcome.solves.total as f64, 1)
        )
    })
}

/// How far the weights move, and why.
fn moves(outcome: &Outcome) -> String {
    let statistics = outcome.methods.own();
    let ewma = outcome.run.estimator.half_life.is_some();
    if ewma {
        return format!(
            "Two such estimates, each from rows of this history in another order, differ by {} of the portfolio: that is \
             how much an estimate that follows the last rows moves over the years, not how wrong today's is.",
            percent(statistics.pairwise_turnover, 1)
        );
    }
    let moved = statistics.turnover.as_ref().map_or(statistics.pairwise_turnover, |turnover| turnover.mean);
    let sample =
        format!("A new sample of the same history would move {} of the portfolio on average", percent(moved, 1));
    let Some(halves) = &outcome.halves else {
        return match outcome.assets.iter().any(|asset| asset.robust.is_some()) {
            false if !outcome.run.risk.is_volatility() => format!(
                "{sample}. Halves of the history are not compared: standard errors are known of budgets of volatility alone."
            ),
            false if outcome.run.limits.is_some() => format!(
                "{sample}. Halves of the history are not compared: standard errors are known of weights without limits alone."
            ),
            false if outcome.run.rows >= FEW_ROWS => format!(
                "{sample}. Halves of the history are not compared: this estimator has no standard errors to compare them \
                 with."
            ),
            _ => format!(
                "{sample}. The history is too short to be cut in halves, so nothing here tells whether the world changes."
            ),
        };
    };
    let ratio = halves.distance / (halves.expected_distance * stretch(outcome));
    let differ = format!(
        "{sample}; the two halves of the history differ by {}, where sampling alone would part halves by {}",
        percent(halves.distance, 1),
        percent(halves.expected_distance, 1)
    );
    if ratio >= CHANGED {
        return format!(
            "{differ}: change matters more than sampling here. Take the bands for the least that may move, and expect a \
             portfolio estimated now to be off by about as much as the halves differ."
        );
    }
    if ratio >= UNCHANGED {
        return format!("{differ}: both matter here. Take the bands for somewhat too narrow.");
    }
    if let Some(times) = widening(outcome).filter(|times| *times >= CLUSTERED) {
        return format!(
            "{differ}. Spells of volatility matter most: bands that allow for them are {times:.1} times as wide, and are the \
             ones to use."
        );
    }
    format!("{differ}: sampling is the main reason here, and the bands show it. Only a longer history narrows them.")
}

/// How much farther the halves of a history without change may differ before that is told: few weights differ by chance
/// more often, beside what is expected of them, and so do standard errors of few rows. By quantiles of chi with one and two
/// degrees of freedom over their means, beside those of more.
fn stretch(outcome: &Outcome) -> f64 {
    let of_assets = match outcome.run.assets {
        ..=2 => 1.4,
        3 => 1.15,
        _ => 1.0,
    };
    if outcome.run.rows < SHORT { 1.25 * of_assets } else { of_assets }
}

/// How much wider robust bands are than those of the resamples: the mean over the assets that have both.
fn widening(outcome: &Outcome) -> Option<f64> {
    let ratios: Vec<f64> = outcome.assets.iter().filter_map(|asset| asset.widening()).collect();
    (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64)
}

/// The asset with most of the weight, where it has more than half.
fn dominated(outcome: &Outcome) -> Option<String> {
    let weight = |point: Option<f64>| point.unwrap_or(0.0);
    let most = outcome.assets.iter().max_by(|a, b| weight(a.point).total_cmp(&weight(b.point)))?;
    let share = most.point.filter(|share| *share > DOMINANT && outcome.run.assets > 2)?;
    Some(format!(
        "{} holds {} of the portfolio, so read the bands of the others beside their own small weights.",
        cut(&most.name, NAME),
        percent(share, 0)
    ))
}

/// Whether another method would have done better on the second half, or how much worse; nothing where budgets are unequal,
/// which other methods do not know.
fn others(outcome: &Outcome) -> Option<String> {
    let held: Vec<f64> = outcome.assets.iter().map(|asset| asset.budget).filter(|budget| *budget > 0.0).collect();
    if held.iter().any(|budget| (budget / held[0] - 1.0).abs() > 1e-9) {
        return None;
    }
    let Halves { methods, .. } = outcome.halves.as_ref()?;
    let told = |misplaced: f64| percent(misplaced, 0);
    let own = methods.own().misplaced;
    let held = "eld in the second half, the weights of the first left";
    let best = methods.others().min_by(|a, b| a.2.misplaced.total_cmp(&b.2.misplaced));
    if let Some((method, name, best)) = best.filter(|(.., best)| own > CLEARLY * best.misplaced) {
        let name = words::method(method, name);
        return Some(format!(
            "{} did better: h{held} {} of the risk away from its budgets, those of {name} {}.",
            capitalised(&name),
            told(own),
            told(best.misplaced)
        ));
    }
    let beside = match methods.of(Method::InverseVolatility) {
        None => String::new(),
        Some(other) if other.misplaced > CLEARLY * own => {
            format!("; those of inverse volatility {}", told(other.misplaced))
        }
        Some(other) => {
            format!("; inverse volatility, which needs no correlations, did as well ({})", told(other.misplaced))
        }
    };
    Some(format!("H{held} {} of the risk away from its budgets{beside}.", told(own)))
}

/// An estimator under which weights move clearly less and volatility is promised no worse, where there is one.
fn estimators(outcome: &Outcome) -> Option<String> {
    if outcome.run.estimator.half_life.is_some() {
        return None;
    }
    let name = outcome.run.estimator.name;
    let own = outcome.estimators.iter().find(|under| under.estimation.name == name)?.methods.own();
    let (own_differ, own_excess) = (own.pairwise_turnover, own.held_over_promised - 1.0);
    // What follows the last rows moves with them, and is not judged by that.
    // Nor is what changes with the units of the returns, or was seen in a few resamples.
    let judged = |under: &&UnderEstimator| {
        let Estimation { name: other, half_life, .. } = &under.estimation;
        half_life.is_none() && *other != name && !other.ends_with("-raw") && under.converged >= FEW_RESAMPLES
    };
    let better = outcome.estimators.iter().filter(judged).filter(|under| {
        let portfolios = under.methods.own();
        own_differ > STEADIER * portfolios.pairwise_turnover
            && (portfolios.held_over_promised - 1.0).abs() <= own_excess.abs()
    });
    let best = better.min_by(|a, b| a.methods.own().pairwise_turnover.total_cmp(&b.methods.own().pairwise_turnover))?;
    let portfolios = best.methods.own();
    let beyond = |excess: f64| {
        let side = if excess < 0.0 { "less" } else { "more" };
        format!("{} {side}", percent(excess.abs(), 1))
    };
    Some(format!(
        "With {}, weights of two resamples differ by {} in place of {}, and hold {} volatility than they promise, in place \
         of {}.",
        words::estimator(best.estimation.name),
        percent(portfolios.pairwise_turnover, 1),
        percent(own_differ, 1),
        beyond(portfolios.held_over_promised - 1.0),
        beyond(own_excess)
    ))
}

/// With a capital letter.
fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}
