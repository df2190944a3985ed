//! Risk budgeting where risk is not volatility: measures of losses, from the rows of returns themselves.
//!
//! For a risk R, convex and of degree one, R(t y) = t R(y), and budgets b > 0 summing to one, the portfolio is the
//! w > 0, sum w = 1, with w_i dR/dw_i = b_i R(w). By Euler, sum_i w_i dR/dw_i = R(w). It comes from the convex program
//! without the sum constraint (Roncalli 2013, chapter 2; Cesarone & Colucci 2018 for expected shortfall):
//!
//! ```text
//! minimise R(y) - sum_i b_i ln y_i,  y > 0        stationary: y_i dR/dy_i = b_i        w = y / sum_j y_j
//! ```
//!
//! There is none exactly where a long-only mix has no risk: the objective falls along it without bound.
//!
//! - [`semi_deviation`]: the root mean square of what falls short of the mean;
//! - [`expected_shortfall`]: the mean of the worst losses.
//!
//! Nothing is estimated in between, so a problem is its rows and what each of them counts. Steps are taken relative to
//! y: multiplying the returns of one asset by a power of two divides its y by it, and changes no bit of anything else.
//!
//! Everything here is inlined, so that it is compiled for the vector instructions of the caller.

mod drawn;
pub mod expected_shortfall;
mod factor;
pub mod measured;
mod products;
pub mod semi_deviation;

use crate::methods::risk_budgeting::existence;
use drawn::Drawn;
use products::Products;

/// Keeps y positive: a step goes at most this share of the way to the boundary.
const TO_BOUNDARY: f64 = 0.95;

/// Risk contributions cannot be told from rounding below this many eps times what cancels in them.
const FLOOR: f64 = 8.0 * f64::EPSILON;

/// At or below this error rounding decides.
const RESOLVED: f64 = 1e-12;

/// Budgets sum to one up to this.
const BUDGETS: f64 = 1e-9;

/// One problem. What is not one (lengths that do not fit, budgets that are not positive or do not sum to one, counts
/// that are negative, numbers that are not finite) ends as invalid.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// Rows x n, row-major: returns, of each asset in a unit of its own.
    pub values: &'a [f64],
    /// What each row counts, whole or not. Rows that count nothing are not read.
    pub counts: &'a [f64],
    /// What one unit of a value is worth, asset by asset: positive.
    pub units: &'a [f64],
    pub budgets: &'a [f64],
    /// Weights to start from, such as those of volatility parity; without them, the inverse of the size of returns.
    pub start: Option<&'a [f64]>,
}

impl Problem<'_> {
    #[inline(always)]
    fn is_valid(&self) -> bool {
        let (n, rows) = (self.budgets.len(), self.counts.len());
        let positive = |x: &f64| *x > 0.0 && x.is_finite();
        n > 0
            && u32::try_from(rows).is_ok()
            && self.values.len() == rows.saturating_mul(n)
            && self.units.len() == n
            && self.units.iter().all(positive)
            && self.budgets.iter().all(positive)
            && (self.budgets.iter().sum::<f64>() - 1.0).abs() <= BUDGETS
            && self.counts.iter().fold(true, |all, count| all & (*count >= 0.0 && *count < f64::INFINITY))
            && self.start.is_none_or(|start| start.len() == n)
    }

    /// The y to start from, in the units of the values; no scale.
    #[inline(always)]
    fn start(&self, drawn: &Drawn, y: &mut Vec<f64>) {
        y.clear();
        if let Some(start) = self.start {
            y.extend(start.iter().zip(self.units).map(|(w, unit)| w * unit));
        }
        if !(!y.is_empty() && y.iter().all(|y| *y > 0.0 && y.is_finite())) {
            y.clear();
            y.extend(self.budgets.iter().zip(drawn.sizes()).map(|(b, size)| b.sqrt() / size));
        }
    }

    /// Weights of y, summing to one; y becomes the same portfolio in the units of the values, from the weights as they
    /// are returned. NaN where y is no portfolio.
    #[inline(always)]
    fn write(&self, y: &mut [f64], weights: &mut [f64]) {
        for (w, (y, unit)) in weights.iter_mut().zip(y.iter().zip(self.units)) {
            *w = y / unit;
        }
        let total: f64 = weights.iter().sum();
        for (w, (y, unit)) in weights.iter_mut().zip(y.iter_mut().zip(self.units)) {
            *w /= total;
            *y = *w * unit;
        }
    }
}

/// A long-only mix of the centred rows that never moves, as weights that sum to one; none where there is none. What no
/// measure about the mean sees as a risk, volatility does not either.
#[cold]
fn hedge(problem: &Problem, drawn: &Drawn, products: &mut Products, room: &mut Vec<(u32, f64)>) -> Option<Vec<f64>> {
    let n = problem.budgets.len();
    room.clear();
    room.extend((0..).zip(drawn.counts().iter().copied()).take(drawn.len()));
    products.clear(n);
    products.add(drawn, problem.values, room);
    let deviation = |i: usize| products.get(i, i).sqrt();
    let correlation: Vec<f64> = (0..n * n)
        .map(|k| {
            let (i, j) = (k / n, k % n);
            if i == j { 1.0 } else { products.get(i, j) / (deviation(i) * deviation(j)) }
        })
        .collect();
    if !correlation.iter().all(|c| c.is_finite()) {
        return None;
    }
    let mut direction = existence::zero_variance_direction(&correlation)?;
    for (i, d) in direction.iter_mut().enumerate() {
        *d /= deviation(i) * problem.units[i];
    }
    let total: f64 = direction.iter().sum();
    direction.iter_mut().for_each(|d| *d /= total);
    Some(direction)
}

/// max_i |c_i - b_i| / b_i; infinite where it is not a number.
#[inline(always)]
fn largest_error(contributions: &[f64], budgets: &[f64]) -> f64 {
    contributions.iter().zip(budgets).fold(0.0, |largest, (c, b)| {
        let error = (c - b).abs() / b;
        if error <= largest {
            largest
        } else if error.is_nan() {
            f64::INFINITY
        } else {
            error
        }
    })
}
