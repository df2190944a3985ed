//! How an estimate moves as the sample covariance moves towards one row.
//!
//! With C the sample correlation, C*_ij = keep C_ij + shift the estimate, z a standardised row, and the intensity held,
//!
//! ```text
//! dS_ij  = z_i z_j - C_ij                      e_i = (z_i^2 - 1) / 2, the relative change of a volatility
//! dS*_ij = keep dS_ij + shift (e_i + e_j) + dshift      i != j        dS*_ii = z_i^2 - 1
//! dshift = rho drbar towards one correlation, else 0    drbar = mean over pairs of z_i z_j - C_ij (z_i^2 + z_j^2) / 2
//! ```
//!
//! in units of the volatilities.

use super::estimator::Estimator;
use super::estimator::shrinkage::Shrinkage;
use super::full_history::Estimate;

/// How an estimate moves, as it acts on some exposures.
#[derive(Debug)]
pub struct Tangent<'a> {
    /// Exposures u of the assets, and their sum.
    exposures: &'a [f64],
    total: f64,
    shrinkage: Shrinkage<f64>,
    /// C u.
    product: Vec<f64>,
    /// Towards one correlation: sum_{j != i} C_ij.
    rows: Option<Vec<f64>>,
}

impl<'a> Tangent<'a> {
    /// At the solution of a risk-budgeting problem, where (C* u)_i = b_i / u_i; none where the estimate is neither the
    /// sample covariance nor shrunk towards a correlation, or depends on the correlations no more.
    pub fn of(estimate: &Estimate, exposures: &'a [f64], budgets: &[f64]) -> Option<Tangent<'a>> {
        let n = exposures.len();
        let smooth = estimate.estimator == Estimator::Sample || estimate.estimator.is_linear();
        let (shrinkage, rows) = match estimate.refined.shrinkage {
            _ if !smooth => return None,
            None => (Shrinkage::none(0.0), None),
            Some(shrinkage) if shrinkage.shift != 0.0 => {
                let row = |i: usize| estimate.model.correlation[i * n..(i + 1) * n].iter().sum::<f64>() - 1.0;
                let others = (n - 1) as f64;
                let own = |i: usize| (row(i) - shrinkage.shift * others) / shrinkage.keep;
                (shrinkage, Some((0..n).map(own).collect::<Vec<f64>>()))
            }
            Some(shrinkage) => (shrinkage, None),
        };
        if shrinkage.keep == 0.0 && rows.is_some() {
            return None;
        }
        let total: f64 = exposures.iter().sum();
        let shrunk = |(u, b): (&f64, &f64)| b / u;
        let plain = |(u, b): (&f64, &f64)| {
            let others = b / u - u - shrinkage.shift * (total - u);
            if shrinkage.keep == 0.0 { 0.0 } else { others / shrinkage.keep + u }
        };
        let pairs = exposures.iter().zip(budgets);
        let product =
            if shrinkage == Shrinkage::none(0.0) { pairs.map(shrunk).collect() } else { pairs.map(plain).collect() };
        Some(Tangent { exposures, total, shrinkage, product, rows })
    }

    /// Writes - dS* u of a row.
    pub fn against(&self, z: &[f64], out: &mut [f64]) {
        let Tangent { exposures, total, shrinkage: Shrinkage { keep, shift, intensity }, .. } = *self;
        let exposed: f64 = z.iter().zip(exposures).map(|(z, u)| z * u).sum();
        for (out, (z, product)) in out.iter_mut().zip(z.iter().zip(&self.product)) {
            *out = keep * (product - z * exposed);
        }
        if keep == 1.0 && shift == 0.0 {
            return;
        }
        let relative = |z: f64| 0.5 * (z * z - 1.0);
        let moved: f64 = z.iter().zip(exposures).map(|(z, u)| relative(*z) * u).sum();
        let shifted = self.rows.as_ref().map_or(0.0, |rows| {
            let (n, sum) = (z.len() as f64, z.iter().sum::<f64>());
            let squares: f64 = z.iter().zip(rows).map(|(z, row)| z * z * (1.0 + row)).sum();
            intensity * (sum * sum - squares) / (n * (n - 1.0))
        });
        for (out, (z, u)) in out.iter_mut().zip(z.iter().zip(exposures)) {
            let e = relative(*z);
            *out -= (1.0 - keep) * 2.0 * e * u + shift * (e * (total - u) + moved - e * u) + shifted * (total - u);
        }
    }
}
