//! The oracle-approximating shrinkage towards no correlation (Chen, Wiesel, Eldar & Hero 2010), in the form that
//! scikit-learn computes.

use super::shrinkage::{Pairs, Shrinkage, unit};
use crate::real::Real;

/// ```text
/// rho = (n + delta + n^2) / ((T + 1) delta), at most 1; 1 where delta = 0
/// ```
#[inline(always)]
pub fn shrinkage<R: Real>(n: R, rows: R, pairs: Pairs<R>) -> Shrinkage<R> {
    if !(pairs.squares > R::ZERO) {
        return Shrinkage::towards(R::ZERO, R::ONE);
    }
    let delta = pairs.squares;
    Shrinkage::towards(R::ZERO, unit((n + delta + n * n) / ((rows + R::ONE) * delta)))
}
