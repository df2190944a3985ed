//! One question in many settings: how much of the best one's figure is luck, and what does a choice cost?
//!
//! Settings are the product of lists of values. All decide from the first row at which all can, and are looked at over the
//! rows after U, the latest of their first trades: wealth is one there, and no setting pays for its build. Windows that
//! settings share are solved once.

use serde::{Deserialize, Serialize};

use super::account::{Account, account};
use super::config::Config;
use super::decide::{Decision, Portfolio};
use super::figures::{Deflated, PathFigures, Performance, Scratch, SharpeSample, Track};
use super::plan::{Asked, Plan};
use super::solve::{Evaluated, orders};
use super::windows::Window;
use crate::covariance::Estimator;
use crate::error::{Error, Result};
use crate::observer::Observer;
use crate::stats;

/// Settings at most: each keeps an account for each strategy.
pub const MOST_SETTINGS: usize = 10_000;

/// What is tried.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    pub keys: Vec<String>,
    pub settings: Vec<Setting>,
}

/// One combination.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setting {
    /// One for each key, as it was asked for.
    pub values: Vec<String>,
    pub config: Config,
    pub estimator: Estimator,
}

/// What came of all settings.
#[derive(Debug, Clone, Serialize)]
pub struct GridOutcome {
    pub keys: Vec<String>,
    /// Values of the keys, setting by setting.
    pub settings: Vec<Vec<String>>,
    /// The close at which wealth of all is one.
    pub from: String,
    /// Rows after it.
    pub rows: usize,
    /// Every strategy of the first setting, then of the second, and so on.
    pub cells: Vec<Cell>,
    /// Of each strategy.
    pub deflated: Vec<Best>,
    pub halves: Vec<InHalves>,
}

/// A strategy in a setting.
#[derive(Debug, Clone, Serialize)]
pub struct Cell {
    /// Number of the setting.
    pub setting: usize,
    pub strategy: String,
    #[serde(flatten)]
    pub figures: PathFigures,
}

/// The best setting of a strategy by its Sharpe ratio, and whether it is more than the luckiest of so many.
#[derive(Debug, Clone, Serialize)]
pub struct Best {
    pub strategy: String,
    /// None where it cannot be told.
    #[serde(flatten)]
    pub deflated: Option<Deflated>,
}

/// Whether settings that did well in the first half of the rows did so in the second.
#[derive(Debug, Clone, Serialize)]
pub struct InHalves {
    pub strategy: String,
    /// Of the Sharpe ratios of the settings; null for fewer than three settings, or where they are alike.
    pub rank_correlation: Option<f64>,
}

impl Grid {
    /// Whether it can be meant for so many assets.
    pub fn is_sound(&self, assets: usize) -> bool {
        let sound = |setting: &Setting| {
            setting.values.len() == self.keys.len() && setting.estimator.is_sound() && setting.config.is_sound(assets)
        };
        (1..=MOST_SETTINGS).contains(&self.settings.len()) && self.settings.iter().all(sound)
    }

    /// A plan for each setting of what is asked in `base`, whose configuration and estimator they replace: all decide from
    /// the first row at which all can.
    ///
    /// # Errors
    /// As [`Plan::new`]; settings that leave no rows.
    pub fn plans(&self, base: &Plan) -> Result<Vec<Plan>> {
        let methods = base.strategies.methods();
        let plan = |setting: &Setting, not_before: usize| {
            let asked = Asked {
                budgets: &base.budgets,
                methods: &methods,
                mixes: base.strategies.mixes(),
                benchmark: &base.strategies.get(base.benchmark).name,
                estimator: setting.estimator,
                config: &setting.config,
                tolerance: base.tolerance,
                within: base.within.as_ref(),
                not_before,
            };
            Plan::new(base.market.clone(), &asked).map_err(|error| {
                let message = format!("{}: {}", self.told(setting), error.message.nested());
                Error { message: message.into(), ..error }
            })
        };
        let mut plans: Vec<Plan> = self.settings.iter().map(|setting| plan(setting, 0)).collect::<Result<_>>()?;
        let first = plans.iter().map(|plan| plan.windows[0].row).max().unwrap_or(0);
        for (own, setting) in plans.iter_mut().zip(&self.settings).filter(|(own, _)| own.windows[0].row < first) {
            *own = plan(setting, first)?;
        }
        match latest(&plans) + 1 < base.market.rows() {
            true => Ok(plans),
            false => Err(Error::input("no row is left that all settings hold through")
                .hint("leave out the settings that begin last, or take a longer history")),
        }
    }

    /// Runs the plans of all settings.
    ///
    /// # Errors
    /// As [`super::solve`].
    pub fn run(&self, plans: &[Plan], observer: &mut dyn Observer) -> Result<GridOutcome> {
        let start = latest(plans);
        let evaluated = Evaluated::after(&plans[0], start);
        let shared = evaluated.shared(&plans[0]);
        let source = plans[0].market.source();
        let rows = shared.cash.len();
        let strategies = plans[0].strategies.len();
        let (mut cells, mut scratch) = (Vec::new(), Scratch::default());
        let mut samples: Vec<Vec<SharpeSample>> = vec![Vec::new(); strategies];
        let mut halves: Vec<[Vec<f64>; 2]> = vec![Default::default(); strategies];
        for (number, (plan, decisions)) in plans.iter().zip(decisions(plans, observer)?).enumerate() {
            for (strategy, own) in plan.strategies.iter().enumerate() {
                let orders = orders(plan, &source, (&decisions, &[]), strategy);
                let account = account(&plan.market, &source, plan.start, &orders, plan.terms());
                let track = after(account, start - plan.start, start);
                let figures = PathFigures::of(&shared, &track, plan.scaling().aim(strategy), &mut scratch);
                cells.push(Cell { setting: number, strategy: own.name.clone(), figures });
                samples[strategy].push(SharpeSample::of(&shared, &track.net));
                for (half, part) in halves[strategy].iter_mut().zip([0..rows / 2, rows / 2..rows]) {
                    let pairs = part.map(|row| (track.net[row], shared.cash[row]));
                    half.push(Performance::of(pairs, plan.config.periods_per_year).sharpe.unwrap_or(f64::NAN));
                }
            }
            observer.check()?;
        }
        let names = || plans[0].strategies.iter().map(|strategy| strategy.name.clone());
        let best =
            |(strategy, samples): (String, &Vec<SharpeSample>)| Best { strategy, deflated: Deflated::of(samples) };
        let in_halves = |(strategy, [first, second]): (String, &[Vec<f64>; 2])| InHalves {
            strategy,
            rank_correlation: rank_correlation(first, second),
        };
        Ok(GridOutcome {
            keys: self.keys.clone(),
            settings: self.settings.iter().map(|setting| setting.values.clone()).collect(),
            from: shared.timeline.label(0),
            rows,
            cells,
            deflated: names().zip(&samples).map(best).collect(),
            halves: names().zip(&halves).map(in_halves).collect(),
        })
    }

    /// "lookback 126, lag 1"
    fn told(&self, setting: &Setting) -> String {
        let pairs = self.keys.iter().zip(&setting.values);
        pairs.map(|(key, value)| format!("{key} {value}")).collect::<Vec<_>>().join(", ")
    }
}

/// U.
fn latest(plans: &[Plan]) -> usize {
    plans.iter().map(|plan| plan.start).max().unwrap_or(0)
}

/// The decisions of each plan. Plans of one estimator share the windows that they share.
fn decisions(plans: &[Plan], observer: &mut dyn Observer) -> Result<Vec<Vec<Decision>>> {
    let key = |window: &Window| (window.row, window.rows.start, window.assets.clone());
    let alike = |a: &Plan, b: &Plan| a.estimator == b.estimator && a.config.overlap == b.config.overlap;
    let mut all: Vec<Option<Vec<Decision>>> = vec![None; plans.len()];
    for first in 0..plans.len() {
        if all[first].is_some() {
            continue;
        }
        let members: Vec<usize> =
            (first..plans.len()).filter(|&other| all[other].is_none() && alike(&plans[first], &plans[other])).collect();
        // In order of time: what is first in a batch is known at all of its decisions.
        let mut windows: Vec<&Window> = members.iter().flat_map(|&member| &plans[member].windows).collect();
        windows.sort_by_cached_key(|window| key(window));
        windows.dedup();
        let windows: Vec<Window> = windows.into_iter().cloned().collect();
        let solved = plans[first].question().decide(&windows, observer)?;
        let portfolios = |window: &Window| -> Vec<Portfolio> {
            let place = windows.binary_search_by(|own| key(own).cmp(&key(window)));
            solved[place.expect("every window of a plan is solved")].portfolios.clone()
        };
        for member in members {
            let own = plans[member].windows.iter();
            let decision = |window: &Window| Decision { window: window.clone(), portfolios: portfolios(window) };
            all[member] = Some(own.map(decision).collect());
        }
    }
    Ok(all.into_iter().flatten().collect())
}

/// What an account did after its first `rows` rows, from a wealth of one on: trades after the close of row `start` of the
/// history alone.
fn after(account: Account, rows: usize, start: usize) -> Track {
    let Account { track, trades, .. } = account;
    let n = track.assets;
    let part = |values: &[f64]| values[rows..].to_vec();
    let mut net = part(&track.net);
    if rows == 0 && net.first().is_some_and(|first| *first > -1.0) {
        // Nobody pays for the build.
        net[0] = (1.0 + track.gross[0]) * (1.0 - track.cost[0]) - 1.0;
    }
    let own = trades.iter().filter(|trade| trade.row > start);
    let grow = |wealth: &mut f64, net: &f64| {
        *wealth *= 1.0 + net;
        Some(*wealth)
    };
    Track {
        wealth: net.iter().scan(1.0, grow).collect(),
        net,
        gross: part(&track.gross),
        traded: part(&track.traded),
        cost: part(&track.cost),
        losses: part(&track.losses),
        exposure: part(&track.exposure),
        earned: part(&track.earned),
        contributions: track.contributions[rows * n..].to_vec(),
        assets: n,
        trades: own.clone().count(),
        turned_over: own.map(|trade| 0.5 * trade.traded).sum(),
        budgets: track.budgets,
        ..Track::default()
    }
}

/// Of the settings that have both (Spearman).
fn rank_correlation(first: &[f64], second: &[f64]) -> Option<f64> {
    let both: Vec<(f64, f64)> =
        first.iter().copied().zip(second.iter().copied()).filter(|(a, b)| a.is_finite() && b.is_finite()).collect();
    let ranked = |values: Vec<f64>| {
        let mut ranks = vec![0.0; values.len()];
        stats::descending_ranks(&values, &mut Vec::new(), &mut ranks);
        ranks
    };
    let (a, b): (Vec<f64>, Vec<f64>) = both.into_iter().unzip();
    let found = stats::correlation(&ranked(a.clone()), &ranked(b));
    (a.len() >= 3 && found.is_finite()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_keep_their_places_have_a_rank_correlation_of_one() {
        assert_eq!(rank_correlation(&[0.1, 0.5, 0.3], &[1.0, 9.0, 2.0]), Some(1.0));
        assert_eq!(rank_correlation(&[0.1, 0.5, 0.3], &[9.0, 1.0, 2.0]), Some(-1.0));
        assert_eq!(rank_correlation(&[0.1, 0.5], &[9.0, 1.0]), None);
        // What is not known on one side does not count.
        assert_eq!(rank_correlation(&[0.1, 0.5, f64::NAN, 0.3], &[1.0, 9.0, 5.0, 2.0]), Some(1.0));
        assert_eq!(rank_correlation(&[0.1, 0.1, 0.1], &[1.0, 9.0, 2.0]), None);
    }
}
