//! Limits on a device: how they go up, and what the host makes of weights that are at them in the device's precision.

use super::precision::{Limits as Accepted, Precision};
use crate::covariance::RiskModel;
use crate::methods::Program;
use crate::methods::certificate::{Certificate, Status};
use crate::methods::limits::{Group, Limits};
use crate::methods::risk_budgeting::limited::certificate::At;
use crate::methods::risk_budgeting::limited::{Certified, Found, Multipliers, Problem, Risk};

/// Rounding of a sum of weights, for each of them.
const ROUNDING: f64 = 1e-13;

/// Rounds of closing sums: weights that are scaled over a bound are put there, and what they leave goes to the others.
const ROUNDS: usize = 3;

/// Limits of a batch, and its bounds as the device has them.
#[derive(Debug, Clone)]
pub struct Limited {
    limits: Limits,
    least: Vec<f64>,
    most: Vec<f64>,
    /// Sums are at a limit to this share of it.
    near: f64,
}

impl Limited {
    /// None of a program without limits.
    pub fn of(program: &Program, precision: Precision) -> Option<Limited> {
        let limits = program.limits();
        let rounded = |bounds: &[f64]| bounds.iter().map(|bound| precision.round(*bound)).collect();
        program.is_limited().then(|| Limited {
            least: rounded(&limits.least),
            most: rounded(&limits.most),
            limits: limits.clone(),
            near: precision.near(),
        })
    }

    pub fn groups(&self) -> usize {
        self.limits.groups.len()
    }

    /// As `shaders/limits.wgsl` reads them.
    pub fn numbers(&self) -> Vec<f64> {
        let mut part_of = Vec::new();
        self.limits.group_of(&mut part_of);
        let bounds = self.limits.least.iter().zip(&self.limits.most).zip(part_of);
        let assets = bounds.flat_map(|((least, most), part)| [*least, *most, part as f64, 0.0]);
        let groups = self.limits.groups.iter().flat_map(|group| [group.least, group.most, 0.0, 0.0]);
        assets.chain(groups).collect()
    }

    /// Puts weights that the device has at its bound at the bound itself, bit for bit, and scales what is free of each
    /// group at a limit, and of the rest, to the sum that is left to it. Returns where the weights are, and by what share
    /// a weight was scaled at most; none where they are not within the limits then.
    pub fn close(&self, weights: &mut [f64]) -> Option<(Vec<At>, f64)> {
        let mut at = self.placed(weights);
        let mut rest = vec![true; weights.len()];
        let (mut left, mut moved) = (1.0, 0.0_f64);
        for group in &self.limits.groups {
            let sum: f64 = group.members.iter().map(|&i| weights[i]).sum();
            let Some(limit) = self.limit(group, sum) else { continue };
            moved = moved.max(self.scale(&group.members, limit, weights, &mut at));
            group.members.iter().for_each(|&i| rest[i] = false);
            left -= limit;
        }
        let rest: Vec<usize> = (0..rest.len()).filter(|&i| rest[i]).collect();
        moved = moved.max(self.scale(&rest, left, weights, &mut at));
        let total: f64 = weights.iter().sum();
        let rounding = ROUNDING * weights.len() as f64;
        let bounds = weights.iter().zip(self.limits.least.iter().zip(&self.limits.most));
        let within = bounds.fold(true, |all, (w, (least, most))| all & (least <= w) & (w <= most));
        let whole = (total - 1.0).abs() <= rounding;
        (within && whole && self.limits.hold(weights, rounding)).then_some((at, moved))
    }

    /// Closes the sums of weights, and certifies them in f64 against the covariance; NaN where nothing can be said of them.
    pub fn certificate(
        &self,
        covariance: &[f64],
        model: &RiskModel,
        budgets: &[f64],
        accepted: Accepted,
        weights: &mut [f64],
    ) -> Certificate {
        let closed = self.close(weights);
        let ones = vec![1.0; weights.len()];
        let problem = Problem {
            correlation: covariance,
            volatilities: &ones,
            budgets,
            limits: &self.limits,
            risk: Risk::Volatility,
        };
        let certified = closed
            .map(|(at, _)| Certified::of(problem, weights.to_vec(), at, Multipliers::default(), false))
            .filter(|found| found.kkt_error.is_finite());
        let Some(found) = certified else {
            weights.fill(f64::NAN);
            return Certificate::unsolved(Status::Stalled);
        };
        let kappa = condition(&found, model, budgets);
        let solved = found.kkt_error <= accepted.rc_error && kappa <= accepted.kappa;
        let status = if solved { Status::Converged } else { Status::Stalled };
        let found = Found { status, portfolio: found, sweeps: 0 };
        Certificate { kappa, ..found.certificate(budgets, weights) }
    }

    fn placed(&self, weights: &mut [f64]) -> Vec<At> {
        let place = |(i, w): (usize, &mut f64)| {
            let (least, most) = (self.limits.least[i], self.limits.most[i]);
            let (found, at) = match () {
                () if least == most => (least, At::Pinned),
                () if *w == self.most[i] => (most, At::Most),
                () if *w == self.least[i] => (least, At::Least),
                () => (*w, At::Free),
            };
            *w = found;
            at
        };
        weights.iter_mut().enumerate().map(place).collect()
    }

    /// The limit that the sum of a group is at.
    fn limit(&self, group: &Group, sum: f64) -> Option<f64> {
        let (least, most) = group.ends();
        let near = |limit: &f64| limit.is_finite() && (sum - limit).abs() <= self.near * limit;
        [least, most].into_iter().find(near)
    }

    /// Scales the free ones of these weights so that all sum to `sum`. Returns by what share at most.
    fn scale(&self, members: &[usize], sum: f64, weights: &mut [f64], at: &mut [At]) -> f64 {
        let mut moved = 0.0_f64;
        for _ in 0..ROUNDS {
            let (free, bound) = members.iter().fold((0.0, 0.0), |(free, bound), &i| match at[i] {
                At::Free => (free + weights[i], bound),
                _ => (free, bound + weights[i]),
            });
            if !(free > 0.0 && sum > bound) {
                break;
            }
            let factor: f64 = (sum - bound) / free;
            moved = moved.max((factor - 1.0).abs());
            let mut clipped = false;
            for &i in members.iter().filter(|&&i| at[i] == At::Free).collect::<Vec<_>>() {
                let (least, most) = (self.limits.least[i], self.limits.most[i]);
                let scaled = weights[i] * factor;
                (weights[i], at[i]) = match () {
                    () if scaled >= most => (most, At::Most),
                    () if scaled <= least => (least, At::Least),
                    () => (scaled, At::Free),
                };
                clipped |= at[i] != At::Free;
            }
            if !clipped {
                break;
            }
        }
        moved
    }

    /// Whether this precision tells bounds and limits apart that are.
    pub fn is_told(program: &Program, precision: Precision) -> bool {
        let limits = program.limits();
        let told = |least: f64, most: f64| least == most || precision.round(least) < precision.round(most);
        limits.least.iter().zip(&limits.most).all(|(least, most)| told(*least, *most))
            && limits.groups.iter().all(|group| told(group.least, group.most))
    }
}

/// What rounding of the correlations is multiplied with, as `shaders/certify_limited.wgsl` has it:
///
/// ```text
/// max_i x_i (|C| x)_i / (b_i x'C x) over what is free, and their sum without b_i
/// ```
fn condition(found: &Certified, model: &RiskModel, budgets: &[f64]) -> f64 {
    let n = budgets.len();
    let x: Vec<f64> = found.weights.iter().zip(&model.volatilities).map(|(w, s)| w * s).collect();
    let row = |i: usize| model.correlation[i * n..(i + 1) * n].iter().zip(&x).map(|(c, x)| c.abs() * x).sum::<f64>();
    let (mut kappa, mut whole) = (0.0_f64, 0.0);
    for i in 0..n {
        let size = x[i] * row(i) / found.variance;
        whole += size;
        if found.at[i] == At::Free {
            kappa = kappa.max(size / budgets[i]);
        }
    }
    kappa.max(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(limits: Limits) -> Limited {
        let n = limits.assets();
        Limited::of(&Program::within(&vec![1.0; n], limits).unwrap(), Precision::Single).unwrap()
    }

    /// As a device leaves it.
    fn single(weights: &[f64]) -> Vec<f64> {
        weights.iter().map(|w| Precision::Single.round(*w)).collect()
    }

    #[test]
    fn weights_at_a_rounded_bound_are_at_the_bound_and_sums_close() {
        let mut limits = Limits::none(5);
        limits.most = vec![0.1, 1.0, 0.3, 1.0, 1.0];
        limits.least[4] = 0.15;
        limits.groups = vec![Group { members: vec![0, 1], least: 0.0, most: 0.35 }];
        let limited = limited(limits);
        // The sums are off by a few roundings.
        let mut weights = single(&[0.1, 0.25 + 3e-8, 0.3, 0.2 - 5e-8, 0.15]);
        let (at, moved) = limited.close(&mut weights).unwrap();
        assert_eq!((weights[0], weights[2], weights[4]), (0.1, 0.3, 0.15));
        assert_eq!(at, [At::Most, At::Free, At::Most, At::Free, At::Least]);
        assert!((weights[0] + weights[1] - 0.35).abs() < 1e-15 && (weights.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert!(moved > 1e-8 && moved < 1e-6, "{moved:e}");
    }

    #[test]
    fn what_is_scaled_over_a_bound_is_put_there() {
        let mut limits = Limits::none(3);
        limits.most[0] = 0.4;
        let limited = limited(limits);
        let mut weights = vec![0.4 - 1e-9, 0.3, 0.3 - 1e-7];
        let (at, _) = limited.close(&mut weights).unwrap();
        assert_eq!((weights[0], at[0]), (0.4, At::Most));
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-15, "{weights:?}");
    }

    #[test]
    fn sums_that_do_not_close_are_not_within_the_limits() {
        let mut limits = Limits::none(2);
        limits.most = vec![0.5, 0.6];
        let limited = limited(limits);
        assert_eq!(limited.close(&mut single(&[0.5, 0.6])), None);
        assert_eq!(limited.close(&mut [f64::NAN, 0.5]), None);
    }

    #[test]
    fn bounds_that_are_one_in_single_precision_are_not_told() {
        let mut limits = Limits::none(2);
        (limits.least[0], limits.most[0]) = (0.5, 0.5 + 1e-9);
        let program = Program::within(&[1.0, 1.0], limits).unwrap();
        assert!(!Limited::is_told(&program, Precision::Single) && Limited::is_told(&program, Precision::Double));
    }
}
