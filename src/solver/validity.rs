//! Is a given matrix a covariance? Decided in f64, up to rounding; the tests are relative, so units do not matter.

use super::definite;

/// Why a matrix is not a covariance, with the positions that show it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Flaw {
    NotFinite {
        row: usize,
        column: usize,
    },
    ZeroVariance {
        asset: usize,
    },
    Asymmetric {
        row: usize,
        column: usize,
    },
    /// |S_ij| > sigma_i sigma_j.
    BeyondOne {
        row: usize,
        column: usize,
        correlation: f64,
    },
    /// Some portfolio has a negative variance.
    Indefinite {
        pivot: f64,
    },
}

/// Differences between S_ij and S_ji, and excesses of correlations over one, that count as rounding.
const ROUNDING: f64 = 1e-10;

/// A variance below this share of the largest is zero: its volatility lies beyond the rounding of the others.
const NO_VARIANCE: f64 = 1e-28;

/// Side of the square tiles in which a matrix is compared with its transpose.
const TILE: usize = 32;

/// Checks the n x n `covariance` and writes its correlations and volatilities. The lower and the upper triangle are
/// averaged. With `assume_psd` the search for negative variances is left out.
///
/// # Errors
/// The first flaw found.
#[inline(always)]
pub fn check(
    covariance: &[f64],
    assume_psd: bool,
    correlation: &mut [f64],
    volatilities: &mut [f64],
) -> Result<(), Flaw> {
    let n = volatilities.len();
    // A plain conjunction, which vectorises; the place is looked for only where there is one.
    if !covariance.iter().fold(true, |all, x| all & x.is_finite()) {
        let at = covariance.iter().position(|x| !x.is_finite()).unwrap_or_default();
        return Err(Flaw::NotFinite { row: at / n, column: at % n });
    }
    let largest = (0..n).fold(0.0_f64, |m, i| m.max(covariance[i * n + i]));
    for i in 0..n {
        let variance = covariance[i * n + i];
        if !(variance > NO_VARIANCE * largest) {
            return Err(Flaw::ZeroVariance { asset: i });
        }
        volatilities[i] = variance.sqrt();
    }
    let inverse: Vec<f64> = volatilities.iter().map(|s| s.recip()).collect();
    for (i, (row, scaled)) in covariance.chunks_exact(n).zip(correlation.chunks_exact_mut(n)).enumerate() {
        for ((c, s), inverse_j) in scaled.iter_mut().zip(row).zip(&inverse) {
            // One after the other, so that the product of two small or large volatilities cannot leave the range.
            *c = s * inverse[i] * inverse_j;
        }
    }
    // In tiles, since one of the two triangles is walked against the grain.
    for rows in (0..n).step_by(TILE) {
        for columns in (0..=rows).step_by(TILE) {
            for i in rows..(rows + TILE).min(n) {
                for j in columns..(columns + TILE).min(i) {
                    let (lower, upper) = (correlation[i * n + j], correlation[j * n + i]);
                    let c = 0.5 * (lower + upper);
                    if !((lower - upper).abs() <= ROUNDING) {
                        return Err(Flaw::Asymmetric { row: i, column: j });
                    }
                    if c.abs() > 1.0 + ROUNDING {
                        return Err(Flaw::BeyondOne { row: i, column: j, correlation: c });
                    }
                    correlation[i * n + j] = c;
                    correlation[j * n + i] = c;
                }
            }
        }
    }
    (0..n).for_each(|i| correlation[i * n + i] = 1.0);
    if assume_psd { Ok(()) } else { definite::check(correlation, n).map_err(|pivot| Flaw::Indefinite { pivot }) }
}
