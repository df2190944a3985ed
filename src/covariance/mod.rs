//! Building a problem's covariance: stages `moments` and `correlate`.
//!
//! With row counts c of a resample, a standardised panel z (T x n) and the divisor T - 1,
//!
//! ```text
//! m_i  = sum_t c_t z_ti        M_ij = sum_t c_t z_ti z_tj        (stage moments)
//! S_ij = (M_ij - m_i m_j / T) / (T - 1)
//! s_i  = sqrt(S_ii)            C_ij = S_ij / (s_i s_j)           (stage correlate)
//! ```
//!
//! Second moments are packed by rows of the lower triangle, diagonal included: M_ij at i (i + 1) / 2 + j, j <= i.
//! WGSL twins: `shaders/moments.wgsl`, `shaders/correlate.wgsl`.
//!
//! What stands here is the plain form, generic over the number type: the twin of the shaders. The CPU engine sums moments
//! in vector arithmetic, row by row ([`gram`]) or by the ends of blocks ([`bridge`]), as [`resampler`] chooses, and
//! correlates eight problems at a time ([`interleaved`]).

pub mod bridge;
pub mod gram;
pub mod interleaved;
pub mod resampler;
mod risk_model;
mod spare;

use serde::{Deserialize, Serialize};

use crate::panel::Panel;
use crate::real::Real;
pub use risk_model::RiskModel;

/// How a covariance is estimated from returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// The sample covariance, divisor T - 1.
    #[default]
    Sample,
}

/// Rows summed before they join the total: keeps rounding at the order of the tile, not of T.
pub const TILE_ROWS: usize = 64;

/// Below this share of its full-sample variance, an asset's variance in a resample is computed again from centred
/// rows: the difference of moments has lost too many digits.
pub const SUSPICIOUS_VARIANCE: f64 = 1.0 / 64.0;

/// An asset whose returns over the drawn rows span less than this share of their size did not move.
const CONSTANT: f64 = 16.0 * f64::EPSILON;

/// Entries of a packed lower triangle of order n, diagonal included.
pub const fn packed(n: usize) -> usize {
    n * (n + 1) / 2
}

/// Sums and second moments of the rows of `values` (T x n, row-major), each taken `counts` times.
pub fn moments<R: Real>(values: &[R], counts: &[u32], sums: &mut [R], products: &mut [R], tile: &mut Vec<R>) {
    let n = sums.len();
    sums.fill(R::ZERO);
    products.fill(R::ZERO);
    tile.clear();
    tile.resize(n + products.len(), R::ZERO);
    for (rows, counts) in values.chunks(TILE_ROWS * n).zip(counts.chunks(TILE_ROWS)) {
        let (tile_sums, tile_products) = tile.split_at_mut(n);
        tile_sums.fill(R::ZERO);
        tile_products.fill(R::ZERO);
        for (z, &count) in rows.chunks_exact(n).zip(counts) {
            if count == 0 {
                continue;
            }
            let count = R::from_f64(f64::from(count));
            let mut at = 0;
            for i in 0..n {
                let weighted = count * z[i];
                tile_sums[i] += weighted;
                for (product, &zj) in tile_products[at..=at + i].iter_mut().zip(&z[..=i]) {
                    *product += weighted * zj;
                }
                at += i + 1;
            }
        }
        for (sum, &part) in sums.iter_mut().zip(&*tile_sums) {
            *sum += part;
        }
        for (product, &part) in products.iter_mut().zip(&*tile_products) {
            *product += part;
        }
    }
}

/// Correlations (n x n, row-major, unit diagonal) and volatilities from moments over `rows` rows. Returns the smallest
/// variance; where it is not positive, the correlations mean nothing.
pub fn correlate<R: Real>(sums: &[R], products: &[R], rows: usize, correlation: &mut [R], volatilities: &mut [R]) -> R {
    let n = sums.len();
    let per_row = R::ONE / R::from_f64(rows as f64);
    let divisor = R::ONE / R::from_f64((rows - 1) as f64);
    let mut at = 0;
    let mut smallest = R::from_f64(f64::INFINITY);
    for i in 0..n {
        let mean = sums[i] * per_row;
        for j in 0..=i {
            correlation[i * n + j] = (products[at + j] - mean * sums[j]) * divisor;
        }
        at += i + 1;
        let variance = correlation[i * n + i];
        if !(variance >= smallest) {
            smallest = variance;
        }
        volatilities[i] = variance.sqrt();
    }
    scale_to_correlation(correlation, volatilities);
    smallest
}

/// Divides the lower triangle of a covariance by the volatilities and mirrors it.
fn scale_to_correlation<R: Real>(matrix: &mut [R], volatilities: &[R]) {
    let n = volatilities.len();
    for i in 0..n {
        let scale = R::ONE / volatilities[i];
        for j in 0..i {
            let c = matrix[i * n + j] * scale / volatilities[j];
            matrix[i * n + j] = c;
            matrix[j * n + i] = c;
        }
        matrix[i * n + i] = R::ONE;
    }
}

/// Correlations and volatilities from rows centred by their mean, each taken `counts` times: nothing cancels. False where
/// some asset does not move over the drawn rows.
///
/// ```text
/// d_t = z_t - mean as computed      S_ij = (sum_t c_t d_ti d_tj - (sum_t c_t d_ti) (sum_t c_t d_tj) / T) / (T - 1)
/// ```
pub fn centred(values: &[f64], counts: &[u32], correlation: &mut [f64], volatilities: &mut [f64]) -> bool {
    let n = volatilities.len();
    let rows = counts.iter().map(|&count| f64::from(count)).sum::<f64>();
    let drawn = || values.chunks_exact(n).zip(counts).filter(|(_, count)| **count > 0);
    let mut means = vec![0.0; n];
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); n];
    for (z, &count) in drawn() {
        for ((mean, range), &z) in means.iter_mut().zip(&mut ranges).zip(z) {
            *mean += f64::from(count) * z / rows;
            *range = (range.0.min(z), range.1.max(z));
        }
    }
    // Equal returns are equal numbers: what did not move shows no range, whatever sums round to.
    if ranges.iter().any(|(low, high)| !(high - low > CONSTANT * low.abs().max(high.abs()))) {
        return false;
    }
    correlation.fill(0.0);
    let mut left = vec![0.0; n];
    let mut deviations = vec![0.0; n];
    for (z, &count) in drawn() {
        let count = f64::from(count);
        for i in 0..n {
            deviations[i] = z[i] - means[i];
            left[i] += count * deviations[i];
            let weighted = count * deviations[i];
            for (s, d) in correlation[i * n..=i * n + i].iter_mut().zip(&deviations[..=i]) {
                *s += weighted * d;
            }
        }
    }
    for i in 0..n {
        for j in 0..=i {
            correlation[i * n + j] = (correlation[i * n + j] - left[i] * left[j] / rows) / (rows - 1.0);
        }
        let variance = correlation[i * n + i];
        if !(variance > 0.0) {
            return false;
        }
        volatilities[i] = variance.sqrt();
    }
    scale_to_correlation(correlation, volatilities);
    true
}

/// The covariance of the whole history, per period.
pub fn full_sample(panel: &Panel) -> RiskModel {
    let (rows, n) = (panel.rows(), panel.assets());
    let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
    let mut model = RiskModel::room(n);
    moments(panel.values(), &vec![1; rows], &mut sums, &mut products, &mut Vec::new());
    correlate(&sums, &products, rows, &mut model.correlation, &mut model.volatilities);
    model.volatilities.iter_mut().zip(panel.volatilities()).for_each(|(s, unit)| *s *= unit);
    model
}
