//! Is there a long-only mix without variance? Then the least variance is zero, and the largest diversification ratio
//! has no bound. Two places tell, at no cost to ordinary problems:
//!
//! - the minimum y itself: it minimises y'C y / (l'y)^2 over all mixes, so where any has no variance, y has none;
//! - dependent assets of the active set: a null vector of C_PP that is long-only.

use crate::methods::linear::dot;

/// Variances above this share of (sum y)^2 are far from rounding.
const PLAIN: f64 = 1e-9;

/// Whether y >= 0 has no variance beyond rounding; `variance` is y'C y from a product at hand, which may have drifted.
#[inline(always)]
pub fn vanishes(correlation: &[f64], y: &[f64], variance: f64) -> bool {
    let total: f64 = y.iter().sum();
    !(variance > PLAIN * total * total) && has_no_variance(correlation, y)
}

/// y'C y <= 32 n eps y'|C| y, the measure of risk budgeting.
#[cold]
pub fn has_no_variance(correlation: &[f64], y: &[f64]) -> bool {
    let n = y.len();
    let (mut variance, mut size) = (0.0, 0.0);
    for (row, &y_i) in correlation.chunks_exact(n.max(1)).zip(y).filter(|(_, y)| **y != 0.0) {
        variance += y_i * dot(row, y);
        size += y_i * row.iter().zip(y).map(|(c, y)| c.abs() * y).sum::<f64>();
    }
    variance <= 32.0 * n as f64 * f64::EPSILON * size
}
