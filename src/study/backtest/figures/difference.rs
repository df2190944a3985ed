//! Is one Sharpe ratio larger than another, or is it luck? (Ledoit & Wolf 2008)
//!
//! ```text
//! D   = mean z / sd(z) - mean z_b / sd(z_b)               M values of excess returns of both, sd with divisor M - 1
//! u_t = q (z_t - m) / v^1.5 - m (z_t^2 - q) / (2 v^1.5)   with m = mean z, q = mean z^2, v = q - m^2; minus that of
//!                                                         z_b: what row t adds to D
//! se^2 = P / M,  P = M / (M - 4) x long-run variance of u, its bandwidth by z - m, z_b - m_b, z^2 - q and z_b^2 - q_b
//! p   = 2 Phi(-|D| / se)
//! ```
//!
//! With g the gradient of D in (m, m_b, q, q_b), u is g times the four series, and its long-run variance is g' Psi g of
//! their long-run covariance Psi.

use serde::Serialize;

use super::months::{self, monthly};
use super::performance::Performance;
use super::rows::Market;
use super::{normal, parzen};
use crate::stats;

/// Fewer values say nothing of the difference.
pub const FEWEST: usize = 24;

/// A standard error below this, in units of a Sharpe ratio per value, is rounding: one series is a multiple of the
/// other.
const ROUNDING: f64 = 1e-12;

/// What a strategy's Sharpe ratio is compared on: excess returns of calendar months where rows are shorter, else of
/// rows.
#[derive(Debug, Clone, PartialEq)]
pub struct SharpeSample {
    pub z: Vec<f64>,
    /// 12, or A.
    pub periods_per_year: f64,
}

/// A year, as Sharpe ratios are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SharpeDifference {
    pub difference: f64,
    pub standard_error: f64,
    pub p_value: f64,
}

impl SharpeSample {
    pub fn of(market: &Market, net: &[f64]) -> SharpeSample {
        let Market { timeline, cash, .. } = *market;
        if timeline.has_shorter_rows_than_months() {
            let months = monthly(timeline, net).zip(monthly(timeline, cash));
            return SharpeSample { z: months.map(|(r, y)| r - y).collect(), periods_per_year: months::PER_YEAR };
        }
        let z = net.iter().zip(cash).map(|(r, y)| r - y).collect();
        SharpeSample { z, periods_per_year: timeline.periods_per_year }
    }

    /// Per value, not a year.
    pub fn sharpe(&self) -> Option<f64> {
        Performance::of(self.z.iter().map(|z| (*z, 0.0)), 1.0).sharpe
    }
}

impl SharpeDifference {
    /// None where there are too few values, or nothing that could differ.
    pub fn of(own: &SharpeSample, benchmark: &SharpeSample) -> Option<SharpeDifference> {
        let values = own.z.len() as f64;
        if own.z.len() < FEWEST {
            return None;
        }
        let difference = own.sharpe()? - benchmark.sharpe()?;
        let ([mean, square], [mean_b, square_b]) = (deviations(&own.z), deviations(&benchmark.z));
        let added: Vec<f64> = influence(&own.z).zip(influence(&benchmark.z)).map(|(own, b)| own - b).collect();
        let bandwidth = parzen::bandwidth(&[mean, mean_b, square, square_b]);
        let variance = values / (values - 4.0) * parzen::long_run_variance(&added, bandwidth);
        let standard_error = (variance / values).sqrt();
        let annual = own.periods_per_year.sqrt();
        (standard_error > ROUNDING).then(|| SharpeDifference {
            difference: annual * difference,
            standard_error: annual * standard_error,
            p_value: 2.0 * normal::distribution(-difference.abs() / standard_error),
        })
    }
}

/// z - m and z^2 - q.
fn deviations(z: &[f64]) -> [Vec<f64>; 2] {
    let (m, q) = (stats::mean(z), mean_square(z));
    [z.iter().map(|z| z - m).collect(), z.iter().map(|z| z * z - q).collect()]
}

/// What each value adds to the Sharpe ratio.
fn influence(z: &[f64]) -> impl Iterator<Item = f64> {
    let (m, q) = (stats::mean(z), mean_square(z));
    let scale = (q - m * m).powf(1.5);
    z.iter().map(move |z| (q * (z - m) - 0.5 * m * (z * z - q)) / scale)
}

fn mean_square(z: &[f64]) -> f64 {
    z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(z: impl IntoIterator<Item = f64>) -> SharpeSample {
        SharpeSample { z: z.into_iter().collect(), periods_per_year: 12.0 }
    }

    fn noise(step: f64) -> impl Iterator<Item = f64> + Clone {
        (0..120).map(move |i| 0.003 + 0.03 * (f64::from(i * i) * step).sin())
    }

    #[test]
    fn the_difference_is_that_of_the_ratios_and_swaps_its_sign() {
        let (a, b) = (sample(noise(0.7)), sample(noise(1.1).map(|z| z + 0.001)));
        let (ab, ba) = (SharpeDifference::of(&a, &b).unwrap(), SharpeDifference::of(&b, &a).unwrap());
        assert!((ab.difference - 12.0_f64.sqrt() * (a.sharpe().unwrap() - b.sharpe().unwrap())).abs() < 1e-15);
        assert_eq!(ab.difference, -ba.difference);
        assert!((ab.standard_error - ba.standard_error).abs() < 1e-12 && (ab.p_value - ba.p_value).abs() < 1e-12);
    }

    #[test]
    fn leverage_changes_nothing() {
        let (a, b) = (sample(noise(0.7)), sample(noise(1.1)));
        let doubled = sample(noise(0.7).map(|z| 2.0 * z));
        let (plain, levered) = (SharpeDifference::of(&a, &b).unwrap(), SharpeDifference::of(&doubled, &b).unwrap());
        assert!((plain.difference - levered.difference).abs() < 1e-13);
        // The bandwidth weighs series by their scale, so that the error is not quite the same.
        assert!((plain.standard_error / levered.standard_error - 1.0).abs() < 0.1);
        assert_eq!(SharpeDifference::of(&a, &doubled), None);
        assert_eq!(SharpeDifference::of(&a, &a), None);
    }

    #[test]
    fn what_normal_values_add_varies_as_theory_says() {
        // 1 + SR^2 / 2 (Lo 2002), of values that lie as the normal distribution does, around half its deviation.
        let z: Vec<f64> = (0..20_000).map(|i| 0.5 + normal::quantile((f64::from(i) + 0.5) / 20_000.0)).collect();
        let added: Vec<f64> = influence(&z).collect();
        assert!(stats::mean(&added).abs() < 1e-12);
        assert!((mean_square(&added) / 1.125 - 1.0).abs() < 1e-3, "{}", mean_square(&added));
    }

    #[test]
    fn the_error_is_that_of_the_four_series_and_their_covariances() {
        let (a, b) = (sample(noise(0.7)), sample(noise(1.1)));
        let ([mean, square], [mean_b, square_b]) = (deviations(&a.z), deviations(&b.z));
        let gradient = |z: &[f64]| {
            let (m, q) = (stats::mean(z), mean_square(z));
            let v = q - m * m;
            [q / v.powf(1.5), -m / (2.0 * v.powf(1.5))]
        };
        let ([g, h], [g_b, h_b]) = (gradient(&a.z), gradient(&b.z));
        let (gradient, series) = ([g, -g_b, h, -h_b], [mean, mean_b, square, square_b]);
        let (count, s) = (a.z.len(), parzen::bandwidth(&series));
        let mut sum = 0.0;
        for lag in (0..count).take_while(|lag| *lag == 0 || (*lag as f64) < s) {
            let u = lag as f64 / s;
            let weight = if u <= 0.5 { 1.0 - 6.0 * u.powi(2) + 6.0 * u.powi(3) } else { 2.0 * (1.0 - u).powi(3) };
            for (i, j) in (0..16).map(|pair| (pair / 4, pair % 4)) {
                let products = (lag..count).map(|t| series[i][t] * series[j][t - lag]).sum::<f64>() / count as f64;
                sum += gradient[i] * gradient[j] * products * if lag == 0 { 1.0 } else { 2.0 * weight };
            }
        }
        let error = (12.0 * sum / (count as f64 - 4.0)).sqrt();
        let found = SharpeDifference::of(&a, &b).unwrap();
        assert!((found.standard_error / error - 1.0).abs() < 1e-12, "{} against {error}", found.standard_error);
    }

    #[test]
    fn too_few_values_say_nothing() {
        let few = |step| sample(noise(step).take(FEWEST - 1));
        assert_eq!(SharpeDifference::of(&few(0.7), &few(1.1)), None);
        let enough = |step| sample(noise(step).take(FEWEST));
        assert!(SharpeDifference::of(&enough(0.7), &enough(1.1)).is_some());
    }
}
