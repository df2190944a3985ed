//! Risk budgeting by semi-deviation: the root mean square of what falls short of the mean.
//!
//! ```text
//! R(y)^2 = 1/W sum_t omega_t min(d_t'y, 0)^2       d_t = x_t - m, m = 1/W sum_t omega_t x_t, W = sum_t omega_t
//! g = 1/W sum_t omega_t min(d_t'y, 0) d_t          R dR/dy = g,  y'g = R^2
//! H = 1/W sum_{d_t'y < 0} omega_t d_t d_t'         H y = g
//!
//! minimise 1/2 R(y)^2 - sum_i b_i ln y_i           stationary: y_i g_i = b_i, so that R = 1
//! ```
//!
//! The divisor is W, not W - 1: weights do not depend on it. R^2 is piecewise quadratic with a continuous gradient
//! (Markowitz 1959, chapter 9), so Newton with H is Newton of a volatility whose rows are chosen anew at each step
//! (semismooth: Qi & Sun 1993), in relative steps u (y <- y (1 + u)):
//!
//! ```text
//! repeat:  y <- y / R
//!          stop: max_i |y_i g_i - b_i| / b_i <= tolerance
//!          (Y H Y + diag b) u = b - Y g,  Y = diag y
//!          y <- y (1 + t u), t = 1, 1/2, ..., until the slope along u has at least halved
//! ```
//!
//! A step is one pass over the rows, for the gradient, and one over those that changed side since the step before, for H.
//!
//! The certificate is `rc_error = max_i |w_i g_i / R^2 - b_i| / b_i`, from the returned weights by a fresh pass.

use super::drawn::{Drawn, Origin, sum};
use super::factor::{factorise, substitute};
use super::products::Products;
use super::{FLOOR, Problem, RESOLVED, TO_BOUNDARY, hedge, largest_error};
use crate::lanes::{LANES, Lanes};
use crate::methods::certificate::Status;

/// Ordinary problems need about four.
const STEP_LIMIT: u32 = 100;

/// The share of the slope that a step may leave.
const SLOPE: f64 = 0.5;

/// Halvings of a step.
const HALVINGS: u32 = 30;

/// The search aims a little below the tolerance, so that the certificate, from the rounded weights, meets it.
const AIM: f64 = 0.9;

/// Room to solve in, so that no ordinary problem allocates once it is large enough.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    drawn: Drawn,
    y: Vec<f64>,
    trial: Vec<f64>,
    gradient: Vec<f64>,
    step: Vec<f64>,
    matrix: Vec<f64>,
    /// d_t'y of eight rows each.
    outcomes: Vec<Lanes>,
    sums: Vec<Lanes>,
    /// Rows that H holds, and those that enter or leave it.
    held: Vec<bool>,
    changed: Vec<(u32, f64)>,
    products: Products,
    direction: Vec<f64>,
}

impl Workspace {
    /// What proves that the last problem has no solution: weights, summing to one, of a long-only mix that never moves.
    /// Empty after another ending.
    pub fn direction(&self) -> &[f64] {
        &self.direction
    }
}

/// What travels with the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// No solution: a long-only mix never moves, see [`Workspace::direction`]. Invalid: the input is bad, or an asset does
    /// not move in the rows that count.
    pub status: Status,
    /// From the returned weights by a fresh pass; NaN without weights.
    pub rc_error: f64,
    /// Semi-deviation of the returned weights, per period; NaN without weights.
    pub risk: f64,
    /// Steps of Newton.
    pub steps: u32,
}

impl Found {
    const fn unsolved(status: Status, steps: u32) -> Found {
        Found { status, rc_error: f64::NAN, risk: f64::NAN, steps }
    }
}

/// How far anybody's weights are from their budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct Certified {
    pub rc_error: f64,
    /// Semi-deviation per period.
    pub risk: f64,
    /// Shares of the risk, w_i dR/dw_i / R.
    pub contributions: Vec<f64>,
}

/// Solves one problem and writes its weights; NaN where there are none.
#[inline(always)]
pub fn solve(problem: Problem, tolerance: f64, work: &mut Workspace, weights: &mut [f64]) -> Found {
    work.direction.clear();
    if weights.len() != problem.budgets.len() || !problem.is_valid() || !work.drawn.read(&problem, Origin::Mean) {
        weights.fill(f64::NAN);
        return Found::unsolved(Status::Invalid, 0);
    }
    let steps = work.minimise(&problem, AIM * tolerance);
    problem.write(&mut work.y, weights);
    let risk = work.evaluate(false).sqrt();
    contribute(&work.y, &mut work.gradient);
    let rc_error = largest_error(&work.gradient, problem.budgets);
    let status = if rc_error <= tolerance { Status::Converged } else { Status::Stalled };

    // |d_t'y| <= sum_i y_i |d_ti|: what cancels in the risk, and so what rounding leaves of it.
    let size: f64 = work.y.iter().zip(work.drawn.sizes()).map(|(y, size)| y * size).sum();
    let least = problem.budgets.iter().copied().fold(1.0, f64::min);
    let sound = FLOOR * size <= tolerance.max(RESOLVED) * risk * least;
    let doubtful = status != Status::Converged || !sound;
    if doubtful && let Some(direction) = hedge(&problem, &work.drawn, &mut work.products, &mut work.changed) {
        weights.fill(f64::NAN);
        work.direction = direction;
        return Found::unsolved(Status::NoSolution, steps);
    }
    if !(risk.is_finite() && weights.iter().all(|w| w.is_finite())) {
        weights.fill(f64::NAN);
        return Found::unsolved(Status::Stalled, steps);
    }
    Found { status, rc_error, risk, steps }
}

/// The certificate of anybody's long-only weights, of any scale; none of what is not a problem, or has no risk.
pub fn certify(problem: Problem, weights: &[f64]) -> Option<Certified> {
    let mut work = Workspace::default();
    if weights.len() != problem.budgets.len() || !problem.is_valid() || !work.drawn.read(&problem, Origin::Mean) {
        return None;
    }
    work.y.extend(weights.iter().zip(problem.units).map(|(w, unit)| w * unit));
    work.gradient.resize(weights.len(), 0.0);
    work.trial.resize(weights.len(), 0.0);
    let risk = work.evaluate(false).sqrt();
    let mut contributions = work.gradient;
    contribute(&work.y, &mut contributions);
    let rc_error = largest_error(&contributions, problem.budgets);
    (risk > 0.0 && rc_error.is_finite()).then_some(Certified { rc_error, risk, contributions })
}

/// The gradient becomes shares of the risk, y_i g_i / y'g.
#[inline(always)]
fn contribute(y: &[f64], gradient: &mut [f64]) {
    for (g, y) in gradient.iter_mut().zip(y) {
        *g *= y;
    }
    let total: f64 = gradient.iter().sum();
    gradient.iter_mut().for_each(|g| *g /= total);
}

impl Workspace {
    /// Newton from the problem's start, to `tolerance` or as far as rounding allows. Returns the number of steps.
    #[inline(always)]
    fn minimise(&mut self, problem: &Problem, tolerance: f64) -> u32 {
        let (n, budgets) = (problem.budgets.len(), problem.budgets);
        problem.start(&self.drawn, &mut self.y);
        self.trial.resize(n, 0.0);
        self.gradient.resize(n, 0.0);
        self.step.resize(n, 0.0);
        self.held.clear();
        self.held.resize(self.drawn.len(), false);
        self.products.clear(n);
        let mut risk = self.evaluate(false).sqrt();
        let (mut best, mut stagnant) = (f64::INFINITY, 0);
        for step in 0..STEP_LIMIT {
            if !(risk > f64::MIN_POSITIVE) || !risk.is_finite() {
                return step;
            }
            for i in 0..n {
                self.y[i] /= risk;
                self.gradient[i] /= risk;
            }
            let mut error = 0.0_f64;
            for i in 0..n {
                self.step[i] = budgets[i] - self.y[i] * self.gradient[i];
                error = error.max((self.step[i] / budgets[i]).abs());
            }
            if error <= tolerance {
                return step;
            }
            // At its floor the error only wanders.
            stagnant = if error < 0.5 * best { 0 } else { stagnant + 1 };
            best = best.min(error);
            if stagnant > 8 && best < 1e-4 || stagnant > 30 {
                return step;
            }
            let Some(slope) = self.direct(problem) else { return step };
            let steepest = self.step.iter().fold(0.0_f64, |m, &u| m.max(-u));
            let mut t = if steepest > TO_BOUNDARY { TO_BOUNDARY / steepest } else { 1.0 };
            for _ in 0..HALVINGS {
                for i in 0..n {
                    self.trial[i] = self.y[i] * (1.0 + t * self.step[i]);
                }
                risk = self.evaluate(true).sqrt();
                let left: f64 = (0..n)
                    .map(|i| {
                        let u = self.step[i];
                        self.gradient[i] * (self.y[i] * u) - budgets[i] * u / (1.0 + t * u)
                    })
                    .sum();
                if left <= SLOPE * slope {
                    break;
                }
                t *= 0.5;
            }
            std::mem::swap(&mut self.y, &mut self.trial);
        }
        STEP_LIMIT
    }

    /// The right side in `step` becomes the Newton step; returns how steeply the objective falls along it. None where
    /// that is not a number.
    #[inline(always)]
    fn direct(&mut self, problem: &Problem) -> Option<f64> {
        let n = problem.budgets.len();
        self.exchange(problem);
        self.matrix.resize(n * n, 0.0);
        let total = self.drawn.total();
        for i in 0..n {
            for j in i..n {
                self.matrix[i * n + j] = self.y[i] * self.y[j] * (self.products.get(j, i) / total);
            }
            self.matrix[i * n + i] += problem.budgets[i];
        }
        if !factorise(&mut self.matrix, n) {
            return None;
        }
        // The trial is room for the right side.
        self.trial.copy_from_slice(&self.step);
        substitute(&self.matrix, &mut self.step);
        let slope: f64 = self.trial.iter().zip(&self.step).map(|(gap, u)| gap * u).sum();
        self.step.iter().all(|u| u.is_finite()).then_some(slope)
    }

    /// Rows that changed side enter or leave H.
    #[inline(always)]
    fn exchange(&mut self, problem: &Problem) {
        let outcomes: &[f64] = bytemuck::cast_slice(&self.outcomes);
        // Every row is written, and written over where it stays.
        self.changed.resize(self.held.len() + 1, (0, 0.0));
        let mut found = 0;
        for (row, ((held, outcome), count)) in self.held.iter_mut().zip(outcomes).zip(self.drawn.counts()).enumerate() {
            let below = *outcome < 0.0;
            self.changed[found] = (row as u32, if below { *count } else { -count });
            found += usize::from(below != *held);
            *held = below;
        }
        self.products.add(&self.drawn, problem.values, &self.changed[..found]);
    }

    /// Writes d_t'y and g, of y or of the trial, and returns R^2.
    #[inline(always)]
    fn evaluate(&mut self, trial: bool) -> f64 {
        let Workspace { drawn, outcomes, sums, gradient, .. } = self;
        let y = if trial { &self.trial } else { &self.y };
        outcomes.resize(drawn.counts().len() / LANES, Lanes::default());
        sums.clear();
        sums.resize(y.len(), Lanes::default());
        let (counts, _) = drawn.counts().as_chunks::<LANES>();
        let mut squares = Lanes::default();
        for ((outcome, block), counts) in outcomes.iter_mut().zip(drawn.blocks()).zip(counts) {
            let mut total = [0.0; LANES];
            for (d, &y) in block.iter().zip(y) {
                for l in 0..LANES {
                    total[l] += d.0[l] * y;
                }
            }
            outcome.0 = total;
            let mut short = [0.0; LANES];
            for l in 0..LANES {
                short[l] = if total[l] < 0.0 { counts[l] * total[l] } else { 0.0 };
                squares.0[l] += short[l] * total[l];
            }
            for (sum, d) in sums.iter_mut().zip(block) {
                for l in 0..LANES {
                    sum.0[l] += short[l] * d.0[l];
                }
            }
        }
        for (g, lanes) in gradient.iter_mut().zip(&*sums) {
            *g = sum(lanes) / drawn.total();
        }
        sum(&squares) / drawn.total()
    }
}
