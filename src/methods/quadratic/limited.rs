//! Minimum variance and maximum diversification within limits: the same program on the cone of the admissible weights,
//!
//! ```text
//! minimise 1/2 x'S x - l'x,  x = t w,  w within the limits        l_i = 1  or  sigma_i
//! ```
//!
//! by the interior point of [`limited::interior`], where the portfolio without limits is not within them.
//!
//! The certificate is `gap`, as without limits. With g_i = (S w)_i l'w / w'S w, and m and eta the multipliers of groups,
//! rows and turnover, every u within the limits has, after Lagrange,
//!
//! ```text
//! (g - l)'u >= D = min over the bounds, sum u = 1, of  (g - l + A'm)'u + eta (1/2 sum |u_i - v_i| - tau)
//!                  - sum_k (m_k hi_k where m_k > 0, m_k lo_k where m_k < 0)
//! ```
//!
//! so u'S w l'w / w'S w >= l'u (1 - gap) with gap = max(0, -D) / min l'u, and by Cauchy & Schwarz no portfolio within the
//! limits has less than (1 - gap) times this volatility, or more than 1 / (1 - gap) times this diversification ratio. The
//! inner minimum is a sum: what is cheapest is filled first.

use nalgebra::DMatrix;

use super::{Aim, Found, Problem, Workspace, multiply};
use crate::methods::certificate::Status;
use crate::methods::limits::Limits;
use crate::methods::linear::dot;
use crate::methods::risk_budgeting::limited::{self, Multipliers, Risk, interior};

/// A portfolio without limits is within them where none is missed by more.
const INSIDE: f64 = 1e-14;

/// Solves one problem within limits and writes its weights; NaN where there are none.
pub fn solve(
    aim: Aim,
    problem: Problem,
    limits: &Limits,
    tolerance: f64,
    work: &mut Workspace,
    weights: &mut [f64],
) -> Found {
    let free = super::solve(aim, problem, tolerance, work, weights);
    if free.status == Status::Converged && limits.hold(weights, INSIDE) {
        return free;
    }
    let Problem { correlation, volatilities } = problem;
    let n = weights.len();
    let linear = match aim {
        Aim::MinimumVariance => vec![1.0; n],
        Aim::MaximumDiversification => volatilities.to_vec(),
    };
    let budgets = vec![0.0; n];
    let risk = Risk::Quadratic { linear: &linear };
    let found = interior::solve(limited::Problem { correlation, volatilities, budgets: &budgets, limits, risk });
    let mut all = Found { sweeps: free.sweeps + found.steps, unique: false, ..free };
    if found.ending == interior::Ending::NoVariance {
        weights.fill(f64::NAN);
        return Found { status: Status::NoSolution, gap: f64::NAN, volatility: f64::NAN, ..all };
    }
    weights.copy_from_slice(&found.weights);
    let (gap, variance) = gap(problem, &linear, limits, weights, &found.multipliers);
    all.gap = gap;
    all.volatility = variance.max(0.0).sqrt();
    all.unique = gap.is_finite() && is_definite(correlation, n);
    all.status = if gap <= tolerance { Status::Converged } else { Status::Stalled };
    all
}

/// Whether the program is strictly convex beyond doubt: then no other portfolio is as good.
fn is_definite(correlation: &[f64], n: usize) -> bool {
    let factor = DMatrix::from_row_slice(n, n, correlation).cholesky();
    factor.is_some_and(|factor| factor.l_dirty().diagonal().iter().all(|pivot| pivot * pivot > DEFINITE))
}

/// Pivots of a correlation above this are no rounding.
const DEFINITE: f64 = 1e-10;

/// The gap of weights within the limits, from a fresh product, and w'S w. Infinite where limits are missed.
fn gap(problem: Problem, linear: &[f64], limits: &Limits, weights: &[f64], multipliers: &Multipliers) -> (f64, f64) {
    let Problem { correlation, volatilities } = problem;
    let n = weights.len();
    let y: Vec<f64> = weights.iter().zip(volatilities).map(|(w, s)| w * s).collect();
    let mut product = vec![0.0; n];
    multiply(correlation, &y, &mut product);
    let variance = dot(&y, &product);
    if !limits.hold(weights, 1e-12 * n as f64) {
        return (f64::INFINITY, variance);
    }
    let mean = dot(linear, weights);
    let scale = mean / variance;
    let mut costs: Vec<f64> = (0..n).map(|i| volatilities[i] * product[i] * scale - linear[i]).collect();
    let mut constant = 0.0;
    // Multipliers are those of (S w)_i / w'S w - l_i / l'w.
    let mut add = |m: f64, least: f64, most: f64, coefficient: &dyn Fn(usize) -> f64| {
        constant -= if m > 0.0 { m * most } else { m * least };
        costs.iter_mut().enumerate().for_each(|(i, cost)| *cost += m * coefficient(i));
    };
    for (group, &m) in limits.groups.iter().zip(&multipliers.groups).filter(|(_, m)| **m != 0.0) {
        add(mean * m, group.least, group.most, &|i| if group.members.contains(&i) { 1.0 } else { 0.0 });
    }
    for (row, &m) in limits.rows.iter().zip(&multipliers.rows).filter(|(_, m)| **m != 0.0) {
        add(mean * m, row.least, row.most, &|i| row.coefficients[i]);
    }
    // Of half the sum of changes; `multipliers` has that of each change.
    let eta = 2.0 * mean * multipliers.turnover.max(0.0);
    let lowest = filled(&costs, limits, eta) + constant;
    let scale = filled(linear, limits, 0.0);
    let gap = (-lowest).max(0.0) / scale;
    (if gap.is_finite() { gap } else { f64::INFINITY }, variance)
}

/// The least of c'u + eta (1/2 sum |u_i - v_i| - tau) over the bounds and sum u = 1: each asset in up to two pieces, below
/// its weight before and above it, the cheapest filled first.
fn filled(costs: &[f64], limits: &Limits, eta: f64) -> f64 {
    let Limits { least, most, turnover, .. } = limits;
    let mut pieces: Vec<(f64, f64)> = Vec::new();
    let (mut value, mut left) = (0.0, 1.0);
    for i in 0..costs.len() {
        left -= least[i];
        value += costs[i] * least[i];
        match turnover.as_ref().filter(|_| eta > 0.0) {
            Some(turnover) => {
                let before = turnover.previous[i];
                value += eta * (least[i] - before).abs() / 2.0;
                let corner = before.clamp(least[i], most[i]);
                pieces.push((costs[i] - eta / 2.0, corner - least[i]));
                pieces.push((costs[i] + eta / 2.0, most[i] - corner));
            }
            None => pieces.push((costs[i], most[i] - least[i])),
        }
    }
    pieces.sort_by(|a, b| a.0.total_cmp(&b.0));
    for (cost, room) in pieces {
        let taken = room.min(left.max(0.0));
        value += cost * taken;
        left -= taken;
    }
    value - turnover.as_ref().map_or(0.0, |turnover| eta * (turnover.most - 0.5 * turnover.left()))
}
