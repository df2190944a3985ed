//! Risk budgeting within limits: slices in, certified weights out.
//!
//! With limits the risk shares cannot all be the budgets. The portfolio is the least of a scale-free log barrier over the
//! admissible weights W ([`Limits`]):
//!
//! ```text
//! minimise G(w) = ln R(w) - sum_i b_i ln w_i  over W        R(w) = sqrt(w'S w)  or  c sqrt(w'S w) - mu'w
//! risk share  s_i = w_i R_i(w) / R(w),  R_i = dR/dw_i       dG / d ln w_i = s_i - b_i
//! ```
//!
//! G does not change with the scale of w, and with x = t w it is the least over t of F(x) = R(x) - sum b ln x, strictly
//! convex, on the cone of W. So there is one portfolio, whatever units and however the limits are written, unless W holds a
//! mix without risk. Without limits it is the risk-budgeting portfolio.
//!
//! Coordinate descent ([`descent`]) solves ordinary problems in about ten sweeps; rows, turnover beside groups, and what it
//! leaves go to an interior point ([`interior`]); [`finish`] brings either to rounding.

use super::{AIM, FINISHING_TOLERANCE, FLOOR, Options, SWEEP_LIMIT, condition_bound};
use crate::methods::certificate::{Certificate, Status};
use crate::methods::limits::{Group, Limits};
use certificate::At;
use descent::descend;
pub use finish::Certified;
pub use problem::{Multipliers, Problem, Risk, uncorrelated};

pub mod certificate;
pub mod descent;
pub mod finish;
pub mod interior;
pub mod interleaved;
pub mod multipliers;
pub mod problem;
pub mod proportional;

/// Descent ends here where less is asked for: the finishing steps do the rest.
const CLOSE: f64 = 1e-10;

/// Room to solve in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    descent: descent::Workspace,
    ones: Vec<f64>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub status: Status,
    /// Of a problem without a solution, the weights that prove it.
    pub portfolio: Certified,
    /// Sweeps of coordinate descent and steps of the interior point.
    pub sweeps: u32,
}

/// Solves one problem. `covariance` is the matrix that was given, where one was: the certificate is then against it, digit
/// for digit.
#[inline(always)]
pub fn solve(problem: Problem, covariance: Option<&[f64]>, options: Options, work: &mut Workspace) -> Found {
    let Problem { volatilities, limits, budgets, .. } = problem;
    let n = budgets.len();
    let accurate = options.finish || options.tolerance <= FINISHING_TOLERANCE;
    work.ones.clear();
    work.ones.resize(n, 1.0);
    // In the units of the certificate.
    let given = |problem| match covariance {
        Some(covariance) => Problem { correlation: covariance, volatilities: &work.ones, ..problem },
        None => problem,
    };
    let relaxed = relaxed(limits);
    let known = relaxed.as_ref().unwrap_or(limits);
    let aim = (AIM * options.tolerance).max(if accurate { CLOSE } else { 0.0 });
    let (ending, mut sweeps) = descend(Problem { limits: known, ..problem }, aim, SWEEP_LIMIT, &mut work.descent);
    let descent::Workspace { weights, at, multipliers, .. } = &work.descent;
    let mut found = None;
    if ending == descent::Ending::Converged {
        let (weights, at) = (closed(known, weights, at), at.clone());
        let mut own = Certified::of(given(problem), weights, at, multipliers.clone(), accurate);
        let close = own.kkt_error <= options.tolerance.max(1e3 * aim);
        if close && (accurate || own.kkt_error > options.tolerance) {
            own.finish(given(problem));
        }
        found = (own.kkt_error <= options.tolerance).then_some(own);
    }
    // Where products cancel, a small error proves nothing.
    let sound = |own: &Certified| {
        let held = |i: &usize| own.at[*i] != At::Pinned;
        let (x, b): (Vec<f64>, Vec<f64>) =
            (0..n).filter(held).map(|i| (own.weights[i] * volatilities[i], budgets[i])).unzip();
        x.is_empty()
            || FLOOR * condition_bound(x.into_iter(), &b, own.variance) <= options.tolerance.max(FINISHING_TOLERANCE)
    };
    let mut proven = found.as_ref().is_some_and(sound);
    if found.is_none() {
        let inner = interior::solve(problem);
        sweeps += inner.steps;
        let at = places(limits, &inner.weights);
        let mut own = Certified::of(given(problem), inner.weights, at, inner.multipliers, accurate);
        if matches!(inner.ending, interior::Ending::NoVariance | interior::Ending::NoRisk) {
            return Found { status: Status::NoSolution, portfolio: own, sweeps };
        }
        if own.kkt_error <= CLOSE.sqrt() {
            own.finish(given(problem));
        }
        proven = own.kkt_error <= options.tolerance && sound(&own);
        found = Some(own);
    }
    let portfolio = found.unwrap_or_default();
    if !proven && let Some(proof) = without_variance(problem) {
        let portfolio = Certified { weights: proof, ..Certified::default() };
        return Found { status: Status::NoSolution, portfolio, sweeps };
    }
    let status = if portfolio.kkt_error <= options.tolerance { Status::Converged } else { Status::Stalled };
    Found { status, portfolio, sweeps }
}

impl Found {
    /// Writes the weights, NaN where there are none, and returns what travels with them.
    pub fn certificate(&self, budgets: &[f64], weights: &mut [f64]) -> Certificate {
        let Found { status, portfolio, sweeps } = self;
        if *status == Status::NoSolution {
            weights.fill(f64::NAN);
            return Certificate { sweeps: *sweeps, ..Certificate::unsolved(*status) };
        }
        weights.copy_from_slice(&portfolio.weights);
        let missed = portfolio.shares.iter().zip(budgets).filter(|(_, b)| **b > 0.0).map(|(s, b)| (s - b).abs() / b);
        Certificate {
            status: *status,
            rc_error: missed.fold(0.0, f64::max),
            kkt_error: Some(portfolio.kkt_error),
            sweeps: *sweeps,
            volatility: portfolio.variance.sqrt(),
            ..Certificate::unsolved(*status)
        }
    }
}

/// Limits without those that descent does not know; none where it knows them all.
fn relaxed(limits: &Limits) -> Option<Limits> {
    let both = !limits.groups.is_empty() && limits.turnover.is_some();
    (both || !limits.rows.is_empty()).then(|| Limits {
        rows: Vec::new(),
        turnover: if both { None } else { limits.turnover.clone() },
        ..limits.clone()
    })
}

/// Weights of the descent, those on a limit exactly there and the free ones of each part scaled to close its sum.
fn closed(limits: &Limits, weights: &[f64], at: &[At]) -> Vec<f64> {
    let mut all: Vec<f64> = (0..weights.len())
        .map(|i| match at[i] {
            At::Free => weights[i],
            At::Least | At::Pinned => limits.least[i],
            At::Most => limits.most[i],
            At::Previous => limits.turnover.as_ref().map_or(weights[i], |turnover| turnover.previous[i]),
        })
        .collect();
    let scale = |all: &mut [f64], members: &[usize], sum: f64| {
        let bound: f64 = members.iter().filter(|&&i| at[i] != At::Free).map(|&i| all[i]).sum();
        let free: f64 = members.iter().filter(|&&i| at[i] == At::Free).map(|&i| all[i]).sum();
        if free > 0.0 && sum > bound {
            members.iter().filter(|&&i| at[i] == At::Free).for_each(|&i| all[i] *= (sum - bound) / free);
        }
    };
    let mut rest: Vec<usize> = (0..weights.len()).collect();
    let mut left = 1.0;
    for group in &limits.groups {
        let Group { members, least, most } = group;
        let sum: f64 = members.iter().map(|&i| all[i]).sum();
        let near = |limit: f64| (sum - limit).abs() <= 1e-9;
        let Some(limit) = [*least, *most].into_iter().find(|limit| near(*limit)) else { continue };
        scale(&mut all, members, limit);
        left -= limit;
        rest.retain(|i| !members.contains(i));
    }
    // What turnover holds is closed by the finishing steps.
    if limits.turnover.is_none() {
        scale(&mut all, &rest, left);
    }
    all
}

/// Where weights are that were put on their bounds exactly.
fn places(limits: &Limits, weights: &[f64]) -> Vec<At> {
    let before = limits.turnover.as_ref().map(|turnover| &turnover.previous);
    let place = |(i, weight): (usize, &f64)| match () {
        () if limits.is_pinned(i) => At::Pinned,
        () if *weight == limits.least[i] => At::Least,
        () if *weight == limits.most[i] => At::Most,
        () if before.is_some_and(|before| before[i] == *weight) => At::Previous,
        () => At::Free,
    };
    weights.iter().enumerate().map(place).collect()
}

/// Weights within the limits that have no variance; none where there are none.
pub fn without_variance(problem: Problem) -> Option<Vec<f64>> {
    let n = problem.budgets.len();
    let (budgets, linear) = (vec![0.0; n], vec![1.0; n]);
    let least = interior::solve(Problem { budgets: &budgets, risk: Risk::Quadratic { linear: &linear }, ..problem });
    (least.ending == interior::Ending::NoVariance).then_some(least.weights)
}
