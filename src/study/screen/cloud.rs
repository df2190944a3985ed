//! Risk and return of subsets: the list among a sample of all.
//!
//! ```text
//! return      A sum_i w_i m_i,       m_i = mean simple return of asset i,   A = periods per year (1 where not known)
//! volatility  sqrt(A) sigma_p,       under the covariance of the whole history
//! ```

use super::finalist::Finalist;
use crate::panel::Returns;

/// A portfolio: a year's figures where the number of periods is known, else those of a period.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub volatility: f64,
    pub mean_return: f64,
}

/// A sample of the subsets that pass, and the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Cloud {
    pub sample: Vec<Point>,
    /// In the order of the list.
    pub list: Vec<Point>,
}

impl Cloud {
    /// `returns` are simple ones.
    pub fn of(sample: &[Finalist], list: &[Finalist], returns: &Returns, periods_per_year: Option<f64>) -> Cloud {
        let (n, rows) = (returns.assets.len(), returns.rows() as f64);
        let mut means = vec![0.0; n];
        for row in returns.values.chunks_exact(n) {
            means.iter_mut().zip(row).for_each(|(mean, r)| *mean += r);
        }
        means.iter_mut().for_each(|mean| *mean /= rows);
        let point = |found: &Finalist| {
            let mean: f64 = found.assets.iter().zip(&found.weights).map(|(&asset, w)| w * means[asset as usize]).sum();
            Point {
                volatility: found.figures.volatility_annual.unwrap_or(found.figures.volatility),
                mean_return: mean * periods_per_year.unwrap_or(1.0),
            }
        };
        Cloud { sample: sample.iter().map(point).collect(), list: list.iter().map(point).collect() }
    }
}
