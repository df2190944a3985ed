//! Building a problem's covariance: stages `moments` and `correlate`.
//!
//! With row weights omega of a problem, which are counts where all rows count alike ([`Weighting`]), their total W, the
//! divisor W - W2 / W, which is T - 1 for counts, and a standardised panel z (T x n),
//!
//! ```text
//! m_i  = sum_t omega_t z_ti    M_ij = sum_t omega_t z_ti z_tj    (stage moments)
//! S_ij = (M_ij - m_i m_j / W) / (W - W2 / W)
//! s_i  = sqrt(S_ii)            C_ij = S_ij / (s_i s_j)           (stage correlate)
//! ```
//!
//! What an [`Estimator`] makes of C comes after that (stage `shrink`).
//!
//! Second moments are packed by rows of the lower triangle, diagonal included: M_ij at i (i + 1) / 2 + j, j <= i.
//! WGSL twins: `shaders/moments.wgsl`, `shaders/correlate.wgsl`.
//!
//! What stands here is the plain form, generic over the number type: the twin of the shaders. The CPU engine sums moments
//! in vector arithmetic, row by row ([`gram`]) or by the ends of blocks ([`bridge`]), as [`resampler`] chooses, and
//! correlates eight problems at a time ([`interleaved`]).

pub mod bridge;
pub mod estimator;
mod full_history;
pub mod gram;
pub mod interleaved;
pub mod resampler;
mod risk_model;
mod spare;
pub mod tangent;
mod universe;
pub mod windows;

use crate::real::Real;
pub use estimator::Estimator;
pub use full_history::{Estimate, Still, estimate, full_sample};
pub use risk_model::RiskModel;
pub use universe::Universe;

#[cfg(doc)]
use crate::sampling::Weighting;

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

/// Sums and second moments of the rows of `values` (T x n, row-major), each counted `weights` times.
pub fn moments<R: Real>(values: &[R], weights: &[R], sums: &mut [R], products: &mut [R], tile: &mut Vec<R>) {
    let n = sums.len();
    sums.fill(R::ZERO);
    products.fill(R::ZERO);
    tile.clear();
    tile.resize(n + products.len(), R::ZERO);
    for (rows, weights) in values.chunks(TILE_ROWS * n).zip(weights.chunks(TILE_ROWS)) {
        let (tile_sums, tile_products) = tile.split_at_mut(n);
        tile_sums.fill(R::ZERO);
        tile_products.fill(R::ZERO);
        for (z, &weight) in rows.chunks_exact(n).zip(weights) {
            if weight == R::ZERO {
                continue;
            }
            let mut at = 0;
            for i in 0..n {
                let weighted = weight * z[i];
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

/// What the rows of a problem weigh together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drawn {
    /// W: T, where all count alike.
    pub total: f64,
    /// W - W2 / W: T - 1.
    pub divisor: f64,
}

impl Drawn {
    /// So many rows that count alike.
    pub fn rows(rows: usize) -> Drawn {
        Drawn { total: rows as f64, divisor: (rows - 1) as f64 }
    }
}

/// Correlations (n x n, row-major, unit diagonal) and volatilities from moments. Returns the smallest variance; where it
/// is not positive, the correlations mean nothing.
pub fn correlate<R: Real>(
    sums: &[R],
    products: &[R],
    drawn: Drawn,
    correlation: &mut [R],
    volatilities: &mut [R],
) -> R {
    let n = sums.len();
    let per_row = R::ONE / R::from_f64(drawn.total);
    let divisor = R::ONE / R::from_f64(drawn.divisor);
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

/// Correlations and volatilities from rows centred by their mean, each counted `weights` times: nothing cancels. Writes
/// the means. False where some asset does not move over the drawn rows.
///
/// ```text
/// d_t = z_t - mean as computed
/// S_ij = (sum_t omega_t d_ti d_tj - (sum_t omega_t d_ti) (sum_t omega_t d_tj) / W) / (W - W2 / W)
/// ```
pub fn centred(
    values: &[f64],
    weights: &[f64],
    Drawn { total, divisor }: Drawn,
    means: &mut [f64],
    RiskModel { correlation, volatilities }: &mut RiskModel,
) -> bool {
    let n = volatilities.len();
    let drawn = || values.chunks_exact(n).zip(weights).filter(|(_, weight)| **weight > 0.0);
    means.fill(0.0);
    let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); n];
    for (z, &weight) in drawn() {
        for ((mean, range), &z) in means.iter_mut().zip(&mut ranges).zip(z) {
            *mean += weight * z / total;
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
    for (z, &weight) in drawn() {
        for i in 0..n {
            deviations[i] = z[i] - means[i];
            let weighted = weight * deviations[i];
            left[i] += weighted;
            for (s, d) in correlation[i * n..=i * n + i].iter_mut().zip(&deviations[..=i]) {
                *s += weighted * d;
            }
        }
    }
    for i in 0..n {
        for j in 0..=i {
            correlation[i * n + j] = (correlation[i * n + j] - left[i] * left[j] / total) / divisor;
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
