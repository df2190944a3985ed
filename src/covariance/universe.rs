//! A covariance whose parts are problems of their own: each is estimated from its own assets alone.
//!
//! Where an estimator goes entry by entry, a part is gathered. Where it does not, what becomes of a part depends on how
//! many assets it has, and on which. An intensity follows from co-moments that are made once for all,
//!
//! ```text
//! kappa_ij = mean y_i^2 y_j^2        eta_ij = mean y_i^3 y_j
//! A = sum_ij kappa_ij        B = sum_i kappa_ii        D = sum_ij eta_ij        over the pairs of a part
//! ```
//!
//! so that a part of k assets costs k^2 additions and no pass over rows. In the units of returns, with v_i = s_i / max s of
//! the part, A = ((T - 1) / T)^2 sum_ij v_i^2 v_j^2 kappa_ij.

use std::sync::Arc;

use super::RiskModel;
use super::estimator::Estimator;
use super::estimator::fourth_moments::{FourthMoments, Units};
use super::estimator::refining::{Refined, refine};
use super::full_history::{Still, estimate, full_sample};
use crate::panel::Panel;

/// A covariance of which parts are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct Universe {
    /// What parts begin with: the sample covariance, or what goes entry by entry.
    model: RiskModel,
    shrinking: Option<Shrinking>,
}

/// What the intensity of a part is made of.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrinking {
    pub estimator: Estimator,
    /// Rows of the history.
    pub rows: usize,
    /// kappa, n x n.
    squares: Vec<f64>,
    /// eta_ij + eta_ji, n x n; eta_ii on the diagonal, which is kappa_ii.
    cubes: Vec<f64>,
}

impl From<RiskModel> for Universe {
    /// A covariance that was given: parts are gathered.
    fn from(model: RiskModel) -> Universe {
        Universe { model, shrinking: None }
    }
}

impl From<RiskModel> for Arc<Universe> {
    fn from(model: RiskModel) -> Arc<Universe> {
        Arc::new(model.into())
    }
}

impl Universe {
    /// Of a history.
    ///
    /// # Errors
    /// As [`estimate`].
    pub fn estimated(panel: &Panel, estimator: Estimator) -> Result<Universe, Still> {
        if estimator.is_entry_wise() {
            return Ok(estimate(panel, estimator)?.model.into());
        }
        let model = full_sample(panel);
        let shrinking = Some(Shrinking::of(panel, estimator, &model));
        Ok(Universe { model, shrinking })
    }

    /// Assets of the whole.
    pub fn assets(&self) -> usize {
        self.model.assets()
    }

    /// What parts begin with.
    pub fn model(&self) -> &RiskModel {
        &self.model
    }

    /// What becomes of them; none where they are left as they are.
    pub fn shrinking(&self) -> Option<&Shrinking> {
        self.shrinking.as_ref()
    }

    /// Writes the covariance of these assets alone, and returns the parameter of its estimator, where it has one.
    pub fn gather(&self, assets: &[u32], part: &mut RiskModel) -> Option<f64> {
        self.model.gather(assets, part);
        let Shrinking { estimator, rows, .. } = *self.shrinking.as_ref()?;
        let moments = self.fourth_moments(assets, &part.volatilities);
        let Refined { parameter, .. } = refine(estimator, (rows, rows), moments, part);
        parameter
    }

    /// Of these assets, which have these volatilities, as the estimator reads them.
    #[inline(always)]
    pub fn fourth_moments(&self, assets: &[u32], volatilities: &[f64]) -> FourthMoments<f64> {
        match &self.shrinking {
            Some(shrinking) if shrinking.estimator.is_linear() => shrinking.moments(assets),
            Some(shrinking) if shrinking.estimator.reads_rows() => shrinking.norms(assets, volatilities),
            _ => FourthMoments::default(),
        }
    }
}

impl Shrinking {
    fn of(panel: &Panel, estimator: Estimator, model: &RiskModel) -> Shrinking {
        let (n, rows) = (panel.assets(), panel.rows());
        let (mut squares, mut cubes) = (Vec::new(), Vec::new());
        if estimator.reads_rows() {
            squares.resize(n * n, 0.0);
            cubes.resize(if estimator.reads_cubes() { n * n } else { 0 }, 0.0);
            let standardised = model.volatilities.iter().zip(panel.volatilities()).map(|(s, unit)| s / unit);
            let mean = |i: usize| panel.values().iter().skip(i).step_by(n).sum::<f64>() / rows as f64;
            let units: Vec<Units<f64>> = standardised.enumerate().map(|(i, s)| Units::of(mean(i), s, rows)).collect();
            let mut y = vec![0.0; n];
            for row in panel.values().chunks_exact(n) {
                for (y, (z, unit)) in y.iter_mut().zip(row.iter().zip(&units)) {
                    *y = z * unit.scale - unit.offset;
                }
                for i in 0..n {
                    let square = y[i] * y[i];
                    for (sum, y) in squares[i * n..=i * n + i].iter_mut().zip(&y) {
                        *sum += square * (y * y);
                    }
                    if let Some(sums) = cubes.get_mut(i * n..=i * n + i) {
                        for (sum, y_j) in sums.iter_mut().zip(&y) {
                            // y_i^3 y_j + y_i y_j^3.
                            *sum += y[i] * y_j * (square + y_j * y_j);
                        }
                        sums[i] -= square * square;
                    }
                }
            }
            for sums in [&mut squares, &mut cubes] {
                sums.iter_mut().for_each(|sum| *sum /= rows as f64);
                for at in 0..sums.len() {
                    let (i, j) = (at / n, at % n);
                    if j > i {
                        sums[at] = sums[j * n + i];
                    }
                }
            }
        }
        Shrinking { estimator, rows, squares, cubes }
    }

    /// Of these assets, in units of the largest of their volatilities: the norms alone.
    fn norms(&self, assets: &[u32], volatilities: &[f64]) -> FourthMoments<f64> {
        let n = self.squares.len().isqrt();
        let rows = self.rows as f64;
        let largest = volatilities.iter().copied().fold(0.0, f64::max);
        let square = |at: usize| (volatilities[at] / largest).powi(2) * (rows - 1.0) / rows;
        let mut norms = 0.0;
        for (at, &i) in assets.iter().enumerate() {
            let row = &self.squares[i as usize * n..][..n];
            let others: f64 = (0..at).map(|other| square(other) * row[assets[other] as usize]).sum();
            norms += square(at) * (2.0 * others + square(at) * row[i as usize]);
        }
        FourthMoments { norms, ..FourthMoments::default() }
    }

    /// Of these assets, in correlation units.
    #[inline(always)]
    fn moments(&self, assets: &[u32]) -> FourthMoments<f64> {
        if !self.estimator.reads_rows() {
            return FourthMoments::default();
        }
        let n = self.squares.len().isqrt();
        let mut moments = FourthMoments::<f64>::default();
        for (at, &i) in assets.iter().enumerate() {
            let row = i as usize * n;
            for &j in &assets[..at] {
                moments.norms += 2.0 * self.squares[row + j as usize];
                if let Some(cube) = self.cubes.get(row + j as usize) {
                    moments.cubes += cube;
                }
            }
            moments.fourths += self.squares[row + i as usize];
        }
        moments.norms += moments.fourths;
        moments.cubes += moments.fourths;
        moments
    }
}
