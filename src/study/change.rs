//! How far a portfolio changes within its history: what no resample of the whole can show.
//!
//! The halves of the history, and windows that do not overlap, are histories of their own: each has its portfolio and
//! its robust standard errors ([`influence`](super::influence)). Where weights differ by more than these say, the world moves.
//! The first half's portfolio of every method is held in the second as well: what was estimated there meets other data here.

use std::borrow::Cow;

use rayon::prelude::*;
use serde::{Serialize, Serializer};

use super::influence::{Band, Influence};
use crate::covariance::{Estimate, Estimator, RiskModel, estimate};
use crate::error::Result;
use crate::methods::{Method, Program, Selection};
use crate::panel::{Panel, Returns};
use crate::stop::Stop;

/// Windows of the history, unless another number is asked for.
pub const WINDOWS: usize = 8;

/// Rolling windows: so many steps, each as long as one of those that do not overlap.
const STEPS: usize = 40;

/// Rolling windows are left out for more assets than this: forty portfolios would take longer than the study.
const MOST_ROLLED: usize = 500;

/// The share of a fresh sample's weights that lie in the 90 % band of a sample of equal length: the difference of two has
/// the variance of two, and P(|Z| <= 1.645 / sqrt(2)) is about this.
const EXPECTED: f64 = 0.75;

/// E|Z| of a standard normal number.
const MEAN_ABSOLUTE: f64 = 0.797_884_560_802_865_4;

/// The portfolio of each half of the history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Halves {
    /// Label of the first row of the second half.
    pub cut: Option<String>,
    /// Half the absolute change of all weights.
    pub distance: f64,
    /// The same where only sampling moves the weights: half the sum of their expected absolute differences, by the
    /// standard errors of [`HalvesOfAsset`].
    pub expected_distance: f64,
    /// Weights of the second half within the robust band of the first, and how many of a fresh sample would be.
    pub inside: usize,
    pub expected_inside: f64,
    /// Every method's portfolio of the first half, held in the second.
    pub methods: OutOfSample,
}

/// A method's portfolio of the first half of the history, held in the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Held {
    /// Half the absolute change of all weights between the halves.
    pub distance: f64,
    /// max_i |r_i / b_i - 1| of the first half's weights under the second half's covariance, r their risk shares.
    pub max_error: f64,
    /// 1/2 sum_i |r_i - b_i|: the part of the risk that is not where its budget wants it.
    pub misplaced: f64,
    /// Volatility of the first half's weights in the second half over that in the first.
    pub volatility_ratio: f64,
}

/// Risk budgeting, and the methods beside it that have a portfolio in both halves.
#[derive(Debug, Clone, PartialEq)]
pub struct OutOfSample {
    names: Vec<String>,
    held: Vec<(Method, Held)>,
}

impl OutOfSample {
    /// Risk budgeting.
    pub fn own(&self) -> &Held {
        &self.held[0].1
    }

    pub fn of(&self, method: Method) -> Option<&Held> {
        self.held.iter().find(|(own, _)| *own == method).map(|(_, held)| held)
    }

    /// Those beside risk budgeting.
    pub fn others(&self) -> impl Iterator<Item = (Method, &str, &Held)> {
        self.held.iter().zip(&self.names).skip(1).map(|((method, held), name)| (*method, name.as_str(), held))
    }
}

impl Serialize for OutOfSample {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.names.iter().zip(&self.held).map(|(name, (_, held))| (name, held)))
    }
}

/// A weight in each half.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct HalvesOfAsset {
    pub first: f64,
    pub second: f64,
    /// second - first, with its standard error.
    pub difference: f64,
    pub se: f64,
}

impl HalvesOfAsset {
    /// Of a short position.
    #[must_use]
    pub fn negated(self) -> HalvesOfAsset {
        let HalvesOfAsset { first, second, difference, se } = self;
        HalvesOfAsset { first: -first, second: -second, difference: -difference, se }
    }
}

/// The portfolios of successive windows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Windows {
    pub count: usize,
    /// Root mean square over the assets of the standard deviation of a weight over the windows.
    pub between_sd: f64,
    /// Root mean square over assets and windows of the standard error of a weight.
    pub within_se: f64,
    /// The one over the other: near one, sampling explains how windows differ.
    pub ratio: f64,
}

/// The portfolios of windows that overlap, in the order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Rolling {
    /// Rows of a window.
    pub length: usize,
    /// Labels of their last rows.
    pub ends: Vec<String>,
    /// A portfolio for each of them, asset by asset.
    pub bands: Vec<Vec<Banded>>,
}

impl Rolling {
    /// Of sizes, as weights: times the signs of the positions.
    #[must_use]
    pub fn signed(mut self, signs: &[f64]) -> Rolling {
        for portfolio in &mut self.bands {
            for (band, _) in portfolio.iter_mut().zip(signs).filter(|(_, sign)| **sign < 0.0) {
                let Banded { weight, lower, upper } = *band;
                *band = Banded { weight: -weight, lower: -upper, upper: -lower };
            }
        }
        self
    }
}

/// A weight in a window, with its robust band of 90 %.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Banded {
    pub weight: f64,
    pub lower: f64,
    pub upper: f64,
}

/// All of it, and each asset's weights in the halves.
#[derive(Debug, Clone, Default)]
pub struct Change {
    pub halves: Option<(Halves, Vec<HalvesOfAsset>)>,
    pub windows: Option<Windows>,
    pub rolling: Option<Rolling>,
}

impl Change {
    /// Under the covariances that `estimator` makes of the parts; none of what has a part without a portfolio or without
    /// standard errors. `windows` is the number of those that do not overlap, two at least.
    ///
    /// # Errors
    /// Asked to stop.
    pub fn of(
        (returns, budgets): (&Returns, &[f64]),
        estimator: Estimator,
        beside: &Selection,
        windows: usize,
        stop: &Stop,
    ) -> Result<Change> {
        let parts = Parts { returns, budgets, estimator, beside, stop };
        let change = Change {
            halves: parts.halves(),
            windows: parts.windows(windows),
            rolling: parts.rolling(returns.rows() / windows.max(1)),
        };
        stop.check()?;
        Ok(change)
    }
}

/// The portfolio of a part of the history.
struct Portfolio {
    full: RiskModel,
    weights: Vec<f64>,
    bands: Vec<Band>,
}

/// Parts of a history.
struct Parts<'a> {
    returns: &'a Returns,
    budgets: &'a [f64],
    estimator: Estimator,
    beside: &'a Selection,
    stop: &'a Stop,
}

impl Parts<'_> {
    /// Of so many parts, of equal length up to a row.
    fn successive(&self, parts: usize) -> Option<Vec<Portfolio>> {
        let rows = self.returns.rows();
        let estimate = |part: usize| self.estimate(rows * part / parts, rows * (part + 1) / parts);
        (0..parts).into_par_iter().map(estimate).collect()
    }

    /// Of the rows from `first` up to, but without, `last`.
    fn estimate(&self, first: usize, last: usize) -> Option<Portfolio> {
        if self.stop.asked() {
            return None;
        }
        let panel = Panel::new(&self.returns.part(first..last)).ok()?;
        let found: Estimate = estimate(&panel, self.estimator).ok()?;
        let weights = Method::RiskBudgeting.finished(&Program::new(self.budgets).ok()?, &found.model)?;
        let bands = Influence::of(&panel, &found, &weights, self.budgets)?.bands()?;
        Some(Portfolio { full: found.model, weights, bands })
    }

    fn halves(&self) -> Option<(Halves, Vec<HalvesOfAsset>)> {
        let all = self.successive(2)?;
        let [first, second] = all.as_slice() else { return None };
        let asset = |i: usize| HalvesOfAsset {
            first: first.weights[i],
            second: second.weights[i],
            difference: second.weights[i] - first.weights[i],
            se: first.bands[i].se.hypot(second.bands[i].se),
        };
        let assets: Vec<HalvesOfAsset> = (0..self.budgets.len()).map(asset).collect();
        let within = |(band, w): &(&Band, &f64)| (band.lower..=band.upper).contains(*w);
        let program = Program::new(self.budgets).ok()?;
        let held = |method: Method| {
            let of = |half: &Portfolio| match method {
                Method::RiskBudgeting => Some(half.weights.clone()),
                method => self
                    .beside
                    .closed_form(method, &half.full.volatilities)
                    .map(Cow::into_owned)
                    .or_else(|| method.finished(&program, &half.full)),
            };
            Some((method, self.held((&first.full, &second.full), &of(first)?, &of(second)?)))
        };
        let held: Vec<(Method, Held)> = self.beside.all().into_iter().filter_map(held).collect();
        let names = held.iter().map(|(method, _)| self.beside.name(*method).to_string()).collect();
        let methods = OutOfSample { names, held };
        let halves = Halves {
            cut: self.returns.labels.get(self.returns.rows() / 2),
            distance: methods.own().distance,
            expected_distance: 0.5 * MEAN_ABSOLUTE * assets.iter().map(|asset| asset.se).sum::<f64>(),
            inside: first.bands.iter().zip(&second.weights).filter(within).count(),
            expected_inside: EXPECTED * assets.len() as f64,
            methods,
        };
        Some((halves, assets))
    }

    /// The weights `first` of the first half under the covariances of both, beside those of the second.
    fn held(&self, (before, after): (&RiskModel, &RiskModel), first: &[f64], second: &[f64]) -> Held {
        let n = first.len();
        let (mut scratch, mut shares) = (vec![0.0; n], vec![0.0; n]);
        let volatility = before.shares(first, &mut scratch, &mut shares);
        let later = after.shares(first, &mut scratch, &mut shares);
        Held {
            distance: 0.5 * first.iter().zip(second).map(|(a, b)| (a - b).abs()).sum::<f64>(),
            max_error: shares.iter().zip(self.budgets).map(|(r, b)| (r / b - 1.0).abs()).fold(0.0, f64::max),
            misplaced: 0.5 * shares.iter().zip(self.budgets).map(|(r, b)| (r - b).abs()).sum::<f64>(),
            volatility_ratio: later / volatility,
        }
    }

    fn windows(&self, count: usize) -> Option<Windows> {
        if count < 2 {
            return None;
        }
        let all = self.successive(count)?;
        let n = self.budgets.len();
        let variance = |i: usize| {
            let mean = all.iter().map(|part| part.weights[i]).sum::<f64>() / count as f64;
            all.iter().map(|part| (part.weights[i] - mean).powi(2)).sum::<f64>() / (count - 1) as f64
        };
        let between_sd = ((0..n).map(variance).sum::<f64>() / n as f64).sqrt();
        let squares = all.iter().flat_map(|part| &part.bands).map(|band| band.se.powi(2)).sum::<f64>();
        let within_se = (squares / (count * n) as f64).sqrt();
        Some(Windows { count, between_sd, within_se, ratio: between_sd / within_se })
    }

    fn rolling(&self, length: usize) -> Option<Rolling> {
        let rows = self.returns.rows();
        if self.budgets.len() > MOST_ROLLED || length == 0 || length >= rows {
            return None;
        }
        let steps = STEPS.min(rows - length);
        let ends: Vec<usize> = (0..=steps).map(|step| length + (rows - length) * step / steps).collect();
        let banded = |(weight, band): (&f64, &Band)| Banded { weight: *weight, lower: band.lower, upper: band.upper };
        let estimate = |&end: &usize| {
            let found = self.estimate(end - length, end)?;
            Some(found.weights.iter().zip(&found.bands).map(banded).collect())
        };
        let bands: Option<Vec<Vec<Banded>>> = ends.par_iter().map(estimate).collect();
        let label = |end: &usize| self.returns.labels.get(end - 1).unwrap_or(end.to_string());
        Some(Rolling { length, ends: ends.iter().map(label).collect(), bands: bands? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::Labels;
    use crate::philox::philox4x32;

    fn beside() -> Selection {
        Selection::new(&Method::NAMED, Vec::new())
    }

    fn change(returns: &Returns, windows: usize) -> Change {
        Change::of((returns, &[0.5, 0.5]), Estimator::Sample, &beside(), windows, &Stop::NEVER).unwrap()
    }

    /// Two independent assets, the second of which moves `times` as much from the middle on.
    fn history(rows: usize, times: f64) -> Returns {
        let value = |t: usize, i: usize| {
            let words = philox4x32([t as u32, i as u32, 0, 0], [1, 2]);
            let size = if i == 1 && t >= rows / 2 { times } else { 1.0 };
            size * words.iter().map(|&word| f64::from(word) / f64::from(u32::MAX) - 0.5).sum::<f64>()
        };
        let values = (0..rows).flat_map(|t| [value(t, 0), value(t, 1)]).collect();
        let labels = Labels::Text((0..rows).map(|t| format!("row {t}")).collect());
        Returns { assets: vec!["A".to_owned(), "B".to_owned()], labels, values }
    }

    #[test]
    fn what_does_not_change_differs_by_as_much_as_its_errors_say() {
        let change = change(&history(4000, 1.0), WINDOWS);
        let (halves, assets) = change.halves.unwrap();
        assert_eq!(halves.cut.as_deref(), Some("row 2000"));
        // Two weights that sum to one: both are inside, or none.
        assert_eq!((halves.inside, halves.expected_inside), (2, 1.5));
        assert!(halves.distance <= 0.02 && halves.distance <= 4.0 * halves.expected_distance);
        assert!(assets[0].difference.abs() <= 3.0 * assets[0].se);
        // A standard deviation over eight windows, and standard errors of eight degrees each.
        assert!((0.4..2.0).contains(&change.windows.unwrap().ratio), "{:?}", change.windows);
    }

    #[test]
    fn what_changes_is_seen() {
        // By inverse volatility: half of each, then a quarter of the second.
        let change = change(&history(4000, 3.0), WINDOWS);
        let (halves, assets) = change.halves.unwrap();
        assert_eq!(halves.inside, 0);
        assert!((halves.distance - 0.25).abs() <= 0.03, "{halves:?}");
        assert!((assets[1].difference + 0.25).abs() <= 0.03 && assets[1].difference < -3.0 * assets[1].se);
        assert!(change.windows.unwrap().ratio > 5.0, "{:?}", change.windows);
        assert!(halves.distance > 5.0 * halves.expected_distance);
        // Of two independent assets that vary as 1 to 9 when held in halves, the second takes 9 / 10 of the risk.
        for method in Method::NAMED {
            let held = halves.methods.of(method).unwrap();
            // Equal variances: all methods hold halves, but for the noise of the estimates.
            assert!((held.max_error - 0.8).abs() <= 0.03, "{method:?}: {held:?}");
            assert!((held.misplaced - 0.4).abs() <= 0.015, "{method:?}: {held:?}");
            assert!((held.volatility_ratio - 5.0_f64.sqrt()).abs() <= 0.1, "{method:?}: {held:?}");
        }
        assert_eq!(halves.methods.of(Method::EqualWeight).unwrap().distance, 0.0);
    }

    #[test]
    fn rolling_windows_begin_and_end_with_the_history_and_follow_its_change() {
        let rolling = change(&history(4000, 3.0), WINDOWS).rolling.unwrap();
        assert_eq!((rolling.length, rolling.ends.len(), rolling.bands.len()), (500, STEPS + 1, STEPS + 1));
        assert_eq!((rolling.ends[0].as_str(), rolling.ends[STEPS].as_str()), ("row 499", "row 3999"));
        let second = |step: usize| rolling.bands[step][1];
        assert!((second(0).weight - 0.5).abs() <= 0.05 && (second(STEPS).weight - 0.25).abs() <= 0.05);
        assert!(rolling.bands.iter().flatten().all(|at| at.lower < at.weight && at.weight < at.upper));
    }

    #[test]
    fn what_is_asked_to_stop_says_so() {
        let stop = Stop::when(|| true);
        let error =
            Change::of((&history(400, 1.0), &[0.5, 0.5]), Estimator::Sample, &beside(), WINDOWS, &stop).unwrap_err();
        assert_eq!(error.kind, crate::ErrorKind::Interrupted);
    }

    #[test]
    fn short_histories_have_no_parts() {
        let short = change(&history(40, 1.0), WINDOWS);
        assert!(short.halves.is_some() && short.windows.is_none() && short.rolling.is_none());
        // Two windows of twenty rows are long enough.
        assert!(change(&history(40, 1.0), 2).windows.is_some());
        assert!(change(&history(20, 1.0), WINDOWS).halves.is_none());
    }
}
