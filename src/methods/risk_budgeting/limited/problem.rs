//! A problem with limits, its risk, and what its limits cost at the margin.

use crate::methods::limits::Limits;

/// One problem, already checked: there are weights within its limits.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// n x n, unit diagonal.
    pub correlation: &'a [f64],
    pub volatilities: &'a [f64],
    /// Not negative. They sum to one; of assets whose weight is given they may be zero, and of [`Risk::Quadratic`] all are.
    pub budgets: &'a [f64],
    pub limits: &'a Limits,
    pub risk: Risk<'a>,
}

/// What is minimised over x = t w, w within the limits, beside - sum b ln x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Risk<'a> {
    /// R(x)^2 / 2 with R(x) = sqrt(x'S x).
    Volatility,
    /// R(x) = c sqrt(x'S x) - mu'x, c and mu for the period of S.
    Returns { aversion: f64, expected: &'a [f64] },
    /// x'S x / 2 - l'x, without budgets: the w that maximises l'w / sqrt(w'S w).
    Quadratic { linear: &'a [f64] },
    /// factor x'S x / 2 with the scale fixed, t = 1.
    Variance { factor: f64 },
}

/// The correlation of n assets that have nothing in common.
pub fn uncorrelated(assets: usize) -> Vec<f64> {
    (0..assets * assets).map(|k| if k / assets == k % assets { 1.0 } else { 0.0 }).collect()
}

/// Multipliers of the conditions
///
/// ```text
/// s_i - b_i + w_i (nu + z_i + sum_k a_ki m_k + eta_i) = 0
/// ```
///
/// with z, m >= 0 at an upper limit and <= 0 at a lower one, eta_i = eta where w_i rose, -eta where it fell, and between the
/// two where it did not change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Multipliers {
    /// nu, of sum w = 1.
    pub sum: f64,
    /// z.
    pub bounds: Vec<f64>,
    /// m of groups.
    pub groups: Vec<f64>,
    /// m of rows.
    pub rows: Vec<f64>,
    /// eta.
    pub turnover: f64,
    /// Of [`super::proportional`] alone: s_i = theta b_i where w_i is free, and there are no other multipliers.
    pub theta: Option<f64>,
}
