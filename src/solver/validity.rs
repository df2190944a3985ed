//! Is a given matrix a covariance? Decided in f64, up to rounding; the tests are relative, so units do not matter.

use nalgebra::DMatrix;

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
    if assume_psd { Ok(()) } else { check_definite(correlation, n) }
}

/// Pivoted Cholesky: a positive semi-definite matrix leaves nothing but rounding once its pivots are spent. A plain
/// Cholesky of the matrix lifted by half that rounding settles most cases at a fraction of the cost.
fn check_definite(correlation: &[f64], n: usize) -> Result<(), Flaw> {
    let rounding = 64.0 * n as f64 * f64::EPSILON;
    let mut lifted = DMatrix::from_row_slice(n, n, correlation);
    for i in 0..n {
        lifted[(i, i)] += 0.5 * rounding;
    }
    if lifted.cholesky().is_some() {
        return Ok(());
    }
    let mut rest = correlation.to_vec();
    let mut left: Vec<usize> = (0..n).collect();
    while let Some((position, pivot)) =
        left.iter().map(|&i| rest[i * n + i]).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
    {
        let lowest = left.iter().fold(f64::INFINITY, |m, &i| m.min(rest[i * n + i]));
        if lowest < -rounding {
            return Err(Flaw::Indefinite { pivot: lowest });
        }
        if pivot <= rounding {
            let beyond = left.iter().flat_map(|&i| left.iter().map(move |&j| (i, j)));
            let largest = beyond.map(|(i, j)| rest[i * n + j].abs()).fold(0.0, f64::max);
            return if largest > 4.0 * rounding { Err(Flaw::Indefinite { pivot: -largest }) } else { Ok(()) };
        }
        let p = left.swap_remove(position);
        for &i in &left {
            let factor = rest[i * n + p] / pivot;
            for &j in &left {
                rest[i * n + j] -= factor * rest[p * n + j];
            }
        }
    }
    Ok(())
}
