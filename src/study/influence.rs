//! What each period of a history does to the risk-budgeting weights, and the bands that follow where volatility comes in
//! spells: those hold fewer independent periods than rows, which resampled blocks see only in part.
//!
//! With u_i = x_i sigma_i the exposures of the unscaled solution, C u = b / u, and z_t the standardised returns of period t,
//!
//! ```text
//! H     = C + diag(b / u^2)
//! du_t  = -H^-1 (z_t (z_t'u) - C u)                 dx_t = du_t / sigma
//! psi_t = (dx_t - w sum(dx_t)) / sum(x)             the influence of period t; sums to zero over t
//! ```
//!
//! is how the weights w = x / sum(x) move as the covariance moves towards z_t z_t', and w(sample) - w(truth) is about the
//! mean of psi_t. Where correlations are shrunk, z_t z_t' - C gives way to how the shrunk covariance moves, its intensity
//! held ([`Tangent`]). The long-run variance of that mean is taken from nu equally weighted cosines (Mueller 2004; Lazarus, Lewis,
//! Stock & Watson 2018):
//!
//! ```text
//! L_j = sqrt(2 / T) sum_t psi_t cos(pi j (t - 1/2) / T), j = 1..nu
//! omega = mean of L_j^2            se = sqrt(omega / T)            band: w +- t_nu(0.95) se
//! ```
//!
//! Fewer cosines see longer spells and make wider bands. nu = 8 covered best among (0.41 T^(2/3), 0.6 T^(1/2), 8, 5) over
//! normal, fat-tailed and clustered returns: see `benches/coverage.rs`.

use std::f64::consts::PI;

use nalgebra::{Cholesky, DMatrix, DMatrixViewMut, Dyn};
use rayon::prelude::*;
use serde::Serialize;

use crate::covariance::Estimate;
use crate::covariance::tangent::Tangent;
use crate::methods::volatility;
use crate::panel::{Labels, Panel};

/// Cosines, and so the degrees of freedom.
pub const DEGREES: usize = 8;

/// The 95 % quantile of Student's t with [`DEGREES`] degrees of freedom.
const QUANTILE: f64 = 1.859_548_037_530_898_1;

/// Below two rows for a cosine there is no band.
pub const LEAST_ROWS: usize = 2 * DEGREES;

/// Periods solved for together.
const TOGETHER: usize = 64;

/// A band of one weight that holds where volatility comes in spells.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    /// Standard error of the weight.
    pub se: f64,
    /// Of 90 %.
    pub lower: f64,
    pub upper: f64,
    /// Degrees of freedom.
    pub degrees: usize,
}

impl Band {
    /// Of a short position.
    #[must_use]
    pub fn negated(self) -> Band {
        Band { lower: -self.upper, upper: -self.lower, ..self }
    }
}

/// A period that decides much of a portfolio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Day {
    /// Label of the row.
    pub date: String,
    /// The asset whose weight it moves most.
    pub asset: String,
    /// What this one period adds to that weight: psi / T, without it the weight would be about so much less.
    pub influence: f64,
}

/// The influence of every period on every weight.
#[derive(Debug, Clone)]
pub struct Influence {
    /// psi, T x n, row-major.
    series: Vec<f64>,
    weights: Vec<f64>,
}

impl Influence {
    /// Of the portfolio with these weights and budgets, which sum to one, under the estimate from all rows; none where the
    /// weights do not follow from the rows smoothly, or mostly from the last of them.
    pub fn of(panel: &Panel, estimate: &Estimate, weights: &[f64], budgets: &[f64]) -> Option<Influence> {
        let n = panel.assets();
        let full = &estimate.model;
        // The unscaled solution has variance one.
        let volatility = volatility(full, weights);
        let u: Vec<f64> = weights.iter().zip(&full.volatilities).map(|(w, s)| w * s / volatility).collect();
        let total: f64 = weights.iter().sum::<f64>() / volatility;
        let mut hessian = DMatrix::from_row_slice(n, n, &full.correlation);
        for i in 0..n {
            hessian[(i, i)] += budgets[i] / (u[i] * u[i]);
        }
        let factor: Cholesky<f64, Dyn> = Cholesky::new(hessian)?;
        let tangent = Tangent::of(estimate, &u, budgets)?;
        let mut series = vec![0.0; panel.values().len()];
        series.par_chunks_mut(TOGETHER * n).zip(panel.values().par_chunks(TOGETHER * n)).for_each(|(psi, rows)| {
            for (psi, z) in psi.chunks_exact_mut(n).zip(rows.chunks_exact(n)) {
                tangent.against(z, psi);
            }
            // A period is a column here.
            let periods = psi.len() / n;
            factor.solve_mut(&mut DMatrixViewMut::from_slice(psi, n, periods));
            for psi in psi.chunks_exact_mut(n) {
                psi.iter_mut().zip(&full.volatilities).for_each(|(x, s)| *x /= s);
                let sum: f64 = psi.iter().sum();
                psi.iter_mut().zip(weights).for_each(|(x, w)| *x = (*x - w * sum) / total);
            }
        });
        let finite = series.iter().all(|psi| psi.is_finite());
        finite.then(|| Influence { series, weights: weights.to_vec() })
    }

    fn rows(&self) -> usize {
        self.series.len() / self.weights.len()
    }

    /// psi, rows x assets, row-major.
    pub fn series(&self) -> &[f64] {
        &self.series
    }

    /// A band of each weight; none of a history of fewer than sixteen rows.
    pub fn bands(&self) -> Option<Vec<Band>> {
        let (rows, n) = (self.rows(), self.weights.len());
        if rows < LEAST_ROWS {
            return None;
        }
        let squares = (1..=DEGREES).into_par_iter().map(|j| {
            let mut sums = vec![0.0; n];
            for (t, psi) in self.series.chunks_exact(n).enumerate() {
                let cosine = (PI * j as f64 * (t as f64 + 0.5) / rows as f64).cos();
                sums.iter_mut().zip(psi).for_each(|(sum, psi)| *sum += cosine * psi);
            }
            sums.iter().map(|sum| sum * sum * 2.0 / rows as f64).collect::<Vec<f64>>()
        });
        let squares: Vec<Vec<f64>> = squares.collect();
        let band = |(i, &weight): (usize, &f64)| {
            let omega = squares.iter().map(|of| of[i]).sum::<f64>() / DEGREES as f64;
            let se = (omega / rows as f64).sqrt();
            Band { se, lower: weight - QUANTILE * se, upper: weight + QUANTILE * se, degrees: DEGREES }
        };
        Some(self.weights.iter().enumerate().map(band).collect())
    }

    /// The periods that move a weight most, the first most of all.
    pub fn days(&self, most: usize, labels: &Labels, assets: &[String]) -> Vec<Day> {
        let (rows, n) = (self.rows(), self.weights.len());
        let largest = |t: usize| {
            let psi = &self.series[t * n..(t + 1) * n];
            let moved = (1..n).fold(0, |most, i| if psi[i].abs() > psi[most].abs() { i } else { most });
            (t, moved, psi[moved])
        };
        let mut periods: Vec<(usize, usize, f64)> = (0..rows).map(largest).collect();
        periods.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()).then(a.0.cmp(&b.0)));
        let day = |(t, moved, psi): (usize, usize, f64)| Day {
            date: labels.get(t).unwrap_or_else(|| (t + 1).to_string()),
            asset: assets[moved].clone(),
            influence: psi / rows as f64,
        };
        periods.into_iter().take(most).map(day).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance::{Estimator, RiskModel, estimate, full_sample};
    use crate::methods::{Method, Program};
    use crate::panel::Returns;

    const ROWS: usize = 200;

    /// Returns of `n` assets with a common part, and of different sizes.
    fn returns(n: usize) -> Returns {
        let mut state = 7_u64;
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
        };
        let mut values = Vec::new();
        for _ in 0..ROWS {
            let market = uniform();
            values.extend((0..n).map(|i| 0.01 * (1.0 + i as f64) * (uniform() + 0.5 * market)));
        }
        let assets = (0..n).map(|i| format!("A{i}")).collect();
        Returns { assets, labels: Labels::Text((0..ROWS).map(|t| format!("day {t}")).collect()), values }
    }

    fn weights(model: &RiskModel, budgets: &[f64]) -> Vec<f64> {
        Method::RiskBudgeting.finished(&Program::new(budgets).unwrap(), model).unwrap()
    }

    fn influence(panel: &Panel, budgets: &[f64]) -> Influence {
        let full = Estimate::sample(panel);
        Influence::of(panel, &full, &weights(&full.model, budgets), budgets).unwrap()
    }

    #[test]
    fn it_is_how_weights_move_as_the_covariance_moves_towards_a_period() {
        let (n, budgets) = (5, [0.1, 0.3, 0.2, 0.25, 0.15]);
        let panel = Panel::new(&returns(n)).unwrap();
        let (full, found) = (full_sample(&panel), influence(&panel, &budgets));
        let step = 1e-6;
        for t in [0, 17, ROWS - 1] {
            let z: Vec<f64> = (0..n).map(|i| panel.values()[t * n + i] * panel.volatilities()[i]).collect();
            let moved = |step: f64| {
                let mut covariance = full.covariance();
                for i in 0..n {
                    for j in 0..n {
                        let at = i * n + j;
                        covariance[at] += step * (z[i] * z[j] - covariance[at]);
                    }
                }
                let volatilities: Vec<f64> = (0..n).map(|i| covariance[i * n + i].sqrt()).collect();
                let correlation = |k: usize| covariance[k] / (volatilities[k / n] * volatilities[k % n]);
                let correlation = (0..n * n).map(correlation).collect();
                weights(&RiskModel { correlation, volatilities }, &budgets)
            };
            let (up, down) = (moved(step), moved(-step));
            for i in 0..n {
                let slope = (up[i] - down[i]) / (2.0 * step);
                let psi = found.series()[t * n + i];
                // The central difference errs by step^2, and by 1e-15 / step of rounding.
                assert!((psi - slope).abs() <= 1e-7 * (1.0 + slope.abs()), "period {t}, asset {i}: {psi} {slope}");
            }
        }
    }

    /// Where correlations are shrunk by a fixed intensity, towards none or towards their mean.
    #[test]
    fn it_is_how_shrunk_weights_move_while_the_intensity_stays() {
        let (n, budgets) = (5, [0.1, 0.3, 0.2, 0.25, 0.15]);
        let mut history = returns(n);
        // Pairs that differ.
        for row in history.values.chunks_exact_mut(n) {
            row[1] += 2.0 * row[0];
            row[4] -= row[3];
        }
        let panel = Panel::new(&history).unwrap();
        let full = full_sample(&panel);
        let step = 1e-6;
        for estimator in [Estimator::LedoitWolf, Estimator::ConstantCorrelation, Estimator::Oas] {
            let estimate = estimate(&panel, estimator).unwrap();
            let rho = estimate.refined.parameter.unwrap();
            assert!(rho > 0.0 && rho < 1.0, "{estimator:?}: {rho}");
            let found = Influence::of(&panel, &estimate, &weights(&estimate.model, &budgets), &budgets).unwrap();
            for t in [0, 17, ROWS - 1] {
                let z: Vec<f64> = (0..n).map(|i| panel.values()[t * n + i] * panel.volatilities()[i]).collect();
                let moved = |step: f64| {
                    let covariance: Vec<f64> = full
                        .covariance()
                        .iter()
                        .enumerate()
                        .map(|(k, s)| s + step * (z[k / n] * z[k % n] - s))
                        .collect();
                    let volatilities: Vec<f64> = (0..n).map(|i| covariance[i * n + i].sqrt()).collect();
                    let plain = |k: usize| covariance[k] / (volatilities[k / n] * volatilities[k % n]);
                    let pairs = (0..n * n).filter(|k| k / n != k % n);
                    let mean = pairs.map(plain).sum::<f64>() / (n * (n - 1)) as f64;
                    let target = if estimator == Estimator::ConstantCorrelation { mean } else { 0.0 };
                    let shrunk = |k: usize| if k / n == k % n { 1.0 } else { (1.0 - rho) * plain(k) + rho * target };
                    weights(&RiskModel { correlation: (0..n * n).map(shrunk).collect(), volatilities }, &budgets)
                };
                let (up, down) = (moved(step), moved(-step));
                for i in 0..n {
                    let slope = (up[i] - down[i]) / (2.0 * step);
                    let psi = found.series()[t * n + i];
                    assert!((psi - slope).abs() <= 1e-7 * (1.0 + slope.abs()), "{estimator:?} {t} {i}: {psi} {slope}");
                }
            }
        }
        // Those of which it is not known have none.
        for estimator in [Estimator::Ewma { half_life: 40.0 }, Estimator::Gerber, Estimator::Nonlinear] {
            let found = estimate(&panel, estimator).unwrap();
            assert!(Influence::of(&panel, &found, &weights(&found.model, &budgets), &budgets).is_none());
        }
    }

    #[test]
    fn over_all_periods_it_sums_to_zero() {
        let budgets = [0.5, 0.3, 0.2];
        let found = influence(&Panel::new(&returns(3)).unwrap(), &budgets);
        for i in 0..3 {
            let column = || found.series().iter().skip(i).step_by(3);
            let (sum, size) = (column().sum::<f64>(), column().map(|psi| psi.abs()).sum::<f64>());
            assert!(sum.abs() <= 1e-12 * size, "asset {i}: {sum} of {size}");
        }
    }

    /// Two assets are held by inverse volatility, whatever their correlation: w_1 = s_2 / (s_1 + s_2), and a period moves a
    /// variance by z^2 - s^2.
    #[test]
    fn of_two_assets_it_is_that_of_their_volatilities() {
        let panel = Panel::new(&returns(2)).unwrap();
        let found = influence(&panel, &[0.5, 0.5]);
        let &[s, r] = full_sample(&panel).volatilities.as_slice() else { unreachable!() };
        for (t, (z, psi)) in panel.values().chunks_exact(2).zip(found.series().chunks_exact(2)).enumerate() {
            let (ds, dr) = (s * (z[0] * z[0] - 1.0) / 2.0, r * (z[1] * z[1] - 1.0) / 2.0);
            let expected = (s * dr - r * ds) / (s + r).powi(2);
            assert!((psi[0] - expected).abs() <= 1e-12 && (psi[1] + expected).abs() <= 1e-12, "period {t}");
        }
    }

    /// A cosine of the basis is seen by itself alone, at full size: omega = T a^2 / (2 nu).
    #[test]
    fn bands_take_their_width_from_slow_movements() {
        let wave = |j: f64| Influence {
            series: (0..ROWS).map(|t| 0.3 * (PI * j * (t as f64 + 0.5) / ROWS as f64).cos()).collect(),
            weights: vec![0.4],
        };
        let band = wave(3.0).bands().unwrap()[0];
        let se = (0.3_f64.powi(2) / (2.0 * DEGREES as f64)).sqrt();
        assert!((band.se - se).abs() <= 1e-12, "{band:?} {se}");
        assert!((band.upper - 0.4 - QUANTILE * se).abs() <= 1e-12 && (0.4 - band.lower - QUANTILE * se).abs() <= 1e-12);
        // What is faster than the basis averages out.
        assert!(wave(50.0).bands().unwrap()[0].se <= 1e-12);
        let short = Influence { series: vec![0.1; LEAST_ROWS - 1], weights: vec![1.0] };
        assert!(short.bands().is_none());
    }

    /// P(|t| <= q) of eight degrees is s (1 + c/2 + 3 c^2 / 8 + 5 c^3 / 16), s = q / sqrt(8 + q^2), c = 8 / (8 + q^2).
    #[test]
    fn the_quantile_is_that_of_students_t() {
        let (s, c) = (QUANTILE / (8.0 + QUANTILE.powi(2)).sqrt(), 8.0 / (8.0 + QUANTILE.powi(2)));
        let inside = s * (1.0 + c / 2.0 + 3.0 * c * c / 8.0 + 5.0 * c.powi(3) / 16.0);
        assert!((inside - 0.9).abs() <= 1e-14, "{inside}");
    }

    #[test]
    fn the_day_that_decides_is_found() {
        let mut history = returns(3);
        // One period, far from all others.
        history.values[40 * 3 + 1] = 0.04;
        let panel = Panel::new(&history).unwrap();
        let budgets = [0.2, 0.3, 0.5];
        let full = full_sample(&panel);
        let before = weights(&full, &budgets);
        let days = influence(&panel, &budgets).days(5, &history.labels, &history.assets);
        assert_eq!((days.len(), &*days[0].date, &*days[0].asset), (5, "day 40", "A1"));
        assert!(days.windows(2).all(|pair| pair[0].influence.abs() >= pair[1].influence.abs()));
        // Left out for real.
        history.values.drain(40 * 3..41 * 3);
        let after = weights(&full_sample(&Panel::new(&history).unwrap()), &budgets);
        let (difference, told) = (before[1] - after[1], days[0].influence);
        // To first order, of a period that adds a sixth to a variance.
        assert!(difference * told > 0.0 && (0.6..1.6).contains(&(told / difference)), "{told} {difference}");
    }
}
