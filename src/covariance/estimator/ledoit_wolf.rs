//! Shrinkage towards no correlation (Ledoit & Wolf 2004).

use super::fourth_moments::FourthMoments;
use super::shrinkage::{Pairs, Shrinkage, unit};
use crate::real::Real;

/// ```text
/// rho = (A - n - delta) / (T delta), at most 1; 0 where delta = 0
/// ```
#[inline(always)]
pub fn shrinkage<R: Real>(n: R, rows: R, pairs: Pairs<R>, moments: FourthMoments<R>) -> Shrinkage<R> {
    if !(pairs.squares > R::ZERO) {
        return Shrinkage::none(R::ZERO);
    }
    let noise = moments.norms - n - pairs.squares;
    Shrinkage::towards(R::ZERO, unit(noise / (rows * pairs.squares)))
}
