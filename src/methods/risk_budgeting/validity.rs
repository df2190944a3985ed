//! Is a given matrix a covariance? Decided in f64, up to the rounding of its numbers; the tests are relative, so units do
//! not matter.
//!
//! Numbers that are all exact in f32 were made in f32, and a matrix made there is neither symmetric nor positive
//! semi-definite to f64 precision. Such a matrix is allowed for by [`Rounding::Single`]; a gap or a negative variance
//! beyond that makes it invalid all the same. It is solved as it stands, and certified so: a variance of -1e-6 of some long
//! and short positions does not move what a certificate proves. Where the exact matrix has a long-only mix without
//! variance, rounding decides whether there is a solution, and the proof that there is none may not close (`stalled`).

use super::definite;
use crate::covariance::RiskModel;

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

/// The precision in which the numbers of a matrix were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    Double,
    Single,
}

impl Rounding {
    /// Single where every number is exact in f32. What is not finite says nothing.
    pub fn of(numbers: &[f64]) -> Rounding {
        let is_single = |x: &f64| f64::from(*x as f32) == *x || x.is_nan();
        if numbers.iter().all(is_single) { Rounding::Single } else { Rounding::Double }
    }

    /// Differences between S_ij and S_ji, over sigma_i sigma_j, and excesses of correlations over one that count as
    /// rounding. A sum of many products is some hundred times as uncertain as one number.
    pub fn of_entries(self) -> f64 {
        match self {
            Rounding::Double => 1e-10,
            Rounding::Single => 1e-5,
        }
    }

    /// How far below zero the pivots of n x n correlations may lie. In f32 every correlation is off by up to eps, and so
    /// the eigenvalues are by up to n eps; four times that allows for sums that were made in f32 too.
    pub fn of_pivots(self, n: usize) -> f64 {
        match self {
            Rounding::Double => definite::ROUNDING * n as f64,
            Rounding::Single => 4.0 * f64::from(f32::EPSILON) * n as f64,
        }
    }
}

/// Makes the n x n `covariance` of single-precision numbers symmetric where it is so up to rounding: both triangles become
/// their mean, in f32 again, so that the numbers still tell their precision. Returns the largest difference of mirrored
/// entries that was mended, relative to the volatilities; none where there was nothing to mend, or the matrix is no
/// covariance of such numbers.
pub fn symmetrise(covariance: &mut [f64], n: usize) -> Option<f64> {
    let rounding = Rounding::of(covariance);
    if rounding == Rounding::Double {
        return None;
    }
    let mut largest = 0.0_f64;
    for i in 0..n {
        for j in 0..i {
            let (lower, upper) = (covariance[i * n + j], covariance[j * n + i]);
            if lower != upper {
                let gap = (lower - upper).abs() / (covariance[i * n + i].sqrt() * covariance[j * n + j].sqrt());
                if !(gap <= rounding.of_entries()) {
                    return None;
                }
                largest = largest.max(gap);
            }
        }
    }
    if largest == 0.0 {
        return None;
    }
    for i in 0..n {
        for j in 0..i {
            let mean = f64::from((0.5 * (covariance[i * n + j] + covariance[j * n + i])) as f32);
            covariance[i * n + j] = mean;
            covariance[j * n + i] = mean;
        }
    }
    Some(largest)
}

/// A variance below this share of the largest is zero: its volatility lies beyond the rounding of the others.
const NO_VARIANCE: f64 = 1e-28;

/// Side of the square tiles in which a matrix is compared with its transpose.
const TILE: usize = 32;

/// The correlations and volatilities of an n x n matrix.
///
/// # Errors
/// As [`check`].
pub fn model(covariance: &[f64], assume_psd: bool) -> Result<RiskModel, Flaw> {
    let mut model = RiskModel::room(covariance.len().isqrt());
    check(covariance, assume_psd, &mut model.correlation, &mut model.volatilities)?;
    Ok(model)
}

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
    let rounding = Rounding::of(covariance);
    let most = rounding.of_entries();
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
                    if !((lower - upper).abs() <= most) {
                        return Err(Flaw::Asymmetric { row: i, column: j });
                    }
                    if c.abs() > 1.0 + most {
                        return Err(Flaw::BeyondOne { row: i, column: j, correlation: c });
                    }
                    correlation[i * n + j] = c;
                    correlation[j * n + i] = c;
                }
            }
        }
    }
    (0..n).for_each(|i| correlation[i * n + i] = 1.0);
    if assume_psd {
        return Ok(());
    }
    definite::check(correlation, n, rounding.of_pivots(n)).map_err(|pivot| Flaw::Indefinite { pivot })
}
