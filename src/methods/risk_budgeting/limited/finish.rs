//! The finishing steps: weights on a limit are set to it exactly, the others take Newton steps with residuals in twice the
//! working precision. With the relative steps u of the free weights, X = diag(x), d the shares s before, A the sums that
//! are at their limits and l their multipliers:
//!
//! ```text
//! (X M X + diag b) u + W A'l = b - s        A W u = limits - A w
//! volatility    M = C / v - 2 d d'                                   v = x'C x
//! returns       M = c (C / s - p p' / s^3) / R - d d'                s = sqrt(v), p = C x
//! variance      M = factor C
//! ```
//!
//! A step is kept where `kkt_error` falls.

use nalgebra::{DMatrix, DVector};

use super::super::newton::compensated_dot;
use super::certificate::{self, At, End, Portfolio, ROUNDING, certify};
use super::problem::{Multipliers, Problem, Risk};

/// One step does for well-posed problems.
const STEPS: usize = 6;

/// A sum of weights whose coefficients are those of others, but for this share, adds nothing.
const DEPENDENT: f64 = 1e-10;

/// Weights are at a bound to this share of it.
const SNAP: f64 = 4e-15;

/// A portfolio with its certificate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Certified {
    pub weights: Vec<f64>,
    pub at: Vec<At>,
    pub shares: Vec<f64>,
    pub multipliers: Multipliers,
    pub kkt_error: f64,
    /// x'C x.
    pub variance: f64,
}

impl Certified {
    /// Of weights where they are said to be: on bounds exactly.
    pub fn of(problem: Problem, weights: Vec<f64>, at: Vec<At>, multipliers: Multipliers, accurate: bool) -> Certified {
        let mut found = Certified { weights, at, multipliers, ..Certified::default() };
        found.place(problem);
        found.certify(problem, accurate);
        found
    }

    /// Weights on a limit are set to it; a bound up to the last bits is the bound.
    fn place(&mut self, problem: Problem) {
        let limits = problem.limits;
        for (i, weight) in self.weights.iter().enumerate() {
            if self.at[i] != At::Free {
                continue;
            }
            let near = |bound: f64| (weight - bound).abs() <= SNAP * bound;
            if near(limits.most[i]) && limits.most[i] < 1.0 {
                self.at[i] = At::Most;
            } else if near(limits.least[i]) && limits.least[i] > 0.0 {
                self.at[i] = At::Least;
            }
        }
        for (i, weight) in self.weights.iter_mut().enumerate() {
            *weight = match self.at[i] {
                At::Free => *weight,
                At::Least | At::Pinned => limits.least[i],
                At::Most => limits.most[i],
                At::Previous => limits.turnover.as_ref().map_or(*weight, |turnover| turnover.previous[i]),
            };
        }
    }

    /// Shares by a fresh product, and the error.
    fn certify(&mut self, problem: Problem, accurate: bool) {
        let Problem { correlation, volatilities, budgets, limits, risk } = problem;
        let n = budgets.len();
        let x: Vec<f64> = self.weights.iter().zip(volatilities).map(|(w, s)| w * s).collect();
        let product = |i: usize| {
            let row = &correlation[i * n..(i + 1) * n];
            if accurate { compensated_dot(row, &x) } else { row.iter().zip(&x).map(|(c, x)| c * x).sum() }
        };
        let contributions: Vec<f64> = (0..n).map(|i| x[i] * product(i)).collect();
        self.variance = contributions.iter().sum();
        let (variance, volatility) = (self.variance, self.variance.sqrt());
        self.shares = match risk {
            Risk::Volatility | Risk::Quadratic { .. } => contributions.iter().map(|own| own / variance).collect(),
            Risk::Variance { factor } => contributions.iter().map(|own| factor * own).collect(),
            Risk::Returns { aversion, expected } => {
                let parts = contributions.iter().zip(expected).zip(&self.weights);
                let parts: Vec<f64> = parts.map(|((own, mu), w)| aversion * own / volatility - mu * w).collect();
                let total: f64 = parts.iter().sum();
                parts.iter().map(|own| own / total).collect()
            }
        };
        let mut group_of = Vec::new();
        limits.group_of(&mut group_of);
        let Certified { weights, at, shares, multipliers, .. } = self;
        let portfolio = Portfolio { weights, shares, budgets, at, limits, group_of: &group_of };
        self.kkt_error = certify(portfolio, multipliers, &mut certificate::Workspace::default());
        if !(self.variance > 0.0) || !self.kkt_error.is_finite() {
            self.kkt_error = f64::INFINITY;
        }
    }

    /// Takes Newton steps for as long as they help.
    pub fn finish(&mut self, problem: Problem) {
        for _ in 0..STEPS {
            let Some(next) = self.stepped(problem) else { return };
            if !(next.kkt_error < self.kkt_error) {
                return;
            }
            let settled = !(next.kkt_error < 0.5 * self.kkt_error);
            *self = next;
            if settled {
                return;
            }
        }
    }

    fn stepped(&self, problem: Problem) -> Option<Certified> {
        let Problem { correlation, volatilities, budgets, risk, .. } = problem;
        let n = budgets.len();
        let free: Vec<usize> = (0..n).filter(|&i| self.at[i] == At::Free).collect();
        let sums = self.sums(problem, &free);
        let (unknown, all) = (free.len(), free.len() + sums.len());
        if unknown == 0 {
            return None;
        }
        let x: Vec<f64> = self.weights.iter().zip(volatilities).map(|(w, s)| w * s).collect();
        let volatility = self.variance.sqrt();
        // X M X = quadratic x_i C_ij x_j - linear (x p)_i (x p)_j - ratio s_i s_j
        let (quadratic, linear, ratio) = match risk {
            Risk::Volatility | Risk::Quadratic { .. } => (1.0 / self.variance, 0.0, 2.0),
            Risk::Variance { factor } => (factor, 0.0, 0.0),
            Risk::Returns { aversion, expected } => {
                let mean: f64 = expected.iter().zip(&self.weights).map(|(mu, w)| mu * w).sum();
                let part = aversion / (aversion * volatility - mean);
                (part / volatility, part / (volatility * self.variance), 1.0)
            }
        };
        let product = |i: usize| correlation[i * n..(i + 1) * n].iter().zip(&x).map(|(c, x)| c * x).sum::<f64>();
        let own: Vec<f64> = free.iter().map(|&i| x[i] * product(i)).collect();
        let mut system = DMatrix::<f64>::zeros(all, all);
        let mut right = DVector::<f64>::zeros(all);
        for (a, &i) in free.iter().enumerate() {
            for (b, &j) in free.iter().enumerate() {
                system[(a, b)] = quadratic * x[i] * correlation[i * n + j] * x[j]
                    - linear * own[a] * own[b]
                    - ratio * self.shares[i] * self.shares[j];
            }
            system[(a, a)] += budgets[i];
            right[a] = budgets[i] - self.shares[i];
            for (k, sum) in sums.iter().enumerate() {
                let coefficient = sum.coefficients[a] * self.weights[i];
                system[(a, unknown + k)] = coefficient;
                system[(unknown + k, a)] = coefficient;
            }
        }
        for (k, sum) in sums.iter().enumerate() {
            right[unknown + k] = sum.left;
        }
        let step = system.lu().solve(&right)?;
        if !step.iter().take(unknown).all(|u| u.abs() < 0.5) || !step.iter().all(|u| u.is_finite()) {
            return None;
        }
        let mut next = Certified { weights: self.weights.clone(), at: self.at.clone(), ..Certified::default() };
        for (&i, u) in free.iter().zip(step.iter()) {
            next.weights[i] *= 1.0 + u;
        }
        next.multipliers.rows = vec![0.0; problem.limits.rows.len()];
        for (sum, multiplier) in sums.iter().zip(step.iter().skip(unknown)) {
            match sum.of {
                Of::Row(row) => next.multipliers.rows[row] = *multiplier,
                Of::Turnover => next.multipliers.turnover = *multiplier,
                Of::Weights => {}
            }
        }
        next.place(problem);
        next.certify(problem, true);
        Some(next)
    }

    /// The sums of weights that are at their limits, without those that follow from others.
    fn sums(&self, problem: Problem, free: &[usize]) -> Vec<Sum> {
        let limits = problem.limits;
        let rounding = ROUNDING * self.weights.len() as f64;
        let mut sums: Vec<Sum> = Vec::new();
        let mut basis: Vec<DVector<f64>> = Vec::new();
        let mut add = |of: Of, coefficients: &dyn Fn(usize) -> f64, limit: f64| {
            let coefficients_free: Vec<f64> = free.iter().map(|&i| coefficients(i)).collect();
            let mut rest = DVector::from_vec(coefficients_free.clone());
            let size = rest.norm();
            for direction in &basis {
                let along = direction.dot(&rest);
                rest -= direction * along;
            }
            if !(rest.norm() > DEPENDENT * size) {
                return;
            }
            basis.push(rest.normalize());
            let sum = compensated_dot(&(0..self.weights.len()).map(coefficients).collect::<Vec<_>>(), &self.weights);
            sums.push(Sum { of, coefficients: coefficients_free, left: limit - sum });
        };
        add(Of::Weights, &|_| 1.0, 1.0);
        for group in &limits.groups {
            let sum: f64 = group.members.iter().map(|&i| self.weights[i]).sum();
            let (least, most) = group.ends();
            let limit = match End::of(sum, least, most, LOOSE * rounding) {
                End::Inside => continue,
                End::Least => group.least,
                End::Most | End::Both => group.most,
            };
            add(Of::Weights, &|i| if group.members.contains(&i) { 1.0 } else { 0.0 }, limit);
        }
        for (number, row) in limits.rows.iter().enumerate() {
            let sum: f64 = row.coefficients.iter().zip(&self.weights).map(|(a, w)| a * w).sum();
            let size: f64 = row.coefficients.iter().zip(&self.weights).map(|(a, w)| a.abs() * w).sum();
            let limit = match End::of(sum, row.least, row.most, LOOSE * rounding * size) {
                End::Inside => continue,
                End::Least => row.least,
                End::Most | End::Both => row.most,
            };
            add(Of::Row(number), &|i| row.coefficients[i], limit);
        }
        if let Some(turnover) = &limits.turnover {
            let change = |i: usize| self.weights[i] - turnover.previous[i];
            if turnover.of(&self.weights) >= turnover.most - LOOSE * rounding {
                let sign = |i: usize| if change(i) == 0.0 { 0.0 } else { change(i).signum() };
                let before: f64 = (0..self.weights.len()).map(|i| sign(i) * turnover.previous[i]).sum();
                add(Of::Turnover, &sign, 2.0 * turnover.most - turnover.left() + before);
            }
        }
        sums
    }
}

/// A sum that is at its limit may be this many times its rounding away from it before the first step.
const LOOSE: f64 = 1e4;

/// What a sum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    /// All of them, or a group's.
    Weights,
    Row(usize),
    Turnover,
}

/// A sum at its limit.
#[derive(Debug)]
struct Sum {
    of: Of,
    /// Of the free weights.
    coefficients: Vec<f64>,
    /// The limit, less the sum.
    left: f64,
}
