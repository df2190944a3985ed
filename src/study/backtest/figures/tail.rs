//! The worst returns.

use crate::stats;

/// The share of rows that CVaR 95 averages, and beyond which VaR 95 lies.
pub const TAIL: f64 = 0.05;

/// Minus the mean of the worst 5 % of the returns, a fraction of a row included; none without returns, which are
/// reordered.
pub fn cvar95(returns: &mut [f64]) -> Option<f64> {
    stats::worst_mean(returns, TAIL).map(|mean| -mean)
}
