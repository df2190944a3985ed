//! Shrinkage towards one correlation for all pairs (Ledoit & Wolf 2004, "Honey, I shrunk the sample covariance matrix").

use super::fourth_moments::FourthMoments;
use super::shrinkage::{Pairs, Shrinkage, unit};
use crate::real::Real;

/// Correlations whose spread is rounding are one already.
const ROUNDING: f64 = 64.0;

/// ```text
/// rho = (A - n - delta - (B - n) - rbar (D - B - sum_{i != j} C_ij)) / (T gamma), between 0 and 1
/// C*  = C and rho = 1 where n = 2 or gamma <= 64 eps n^2
/// ```
#[inline(always)]
pub fn shrinkage<R: Real>(n: R, rows: R, pairs: Pairs<R>, moments: FourthMoments<R>) -> Shrinkage<R> {
    let equal = pairs.spread <= R::from_f64(ROUNDING) * R::EPSILON * n * n;
    if equal || n <= R::from_f64(2.0) {
        return Shrinkage::none(R::ONE);
    }
    let FourthMoments { norms, fourths, cubes } = moments;
    let noise = norms - n - pairs.squares - (fourths - n) - pairs.mean * (cubes - fourths - pairs.sum);
    Shrinkage::towards(pairs.mean, unit(noise / (rows * pairs.spread)))
}
