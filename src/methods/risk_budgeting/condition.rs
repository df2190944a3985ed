//! kappa: how much rounding of a covariance shows in risk contributions.

use crate::real::Real;

/// kappa = max_i (|C| y)_i / |(C y)_i|, the cancellation in C y: `product` holds C y and is overwritten.
pub fn condition<R: Real>(correlation: &[R], y: &[R], product: &mut [R]) -> R {
    let mut kappa = R::ZERO;
    for (row, p) in correlation.chunks_exact(y.len()).zip(product) {
        let mut size = R::ZERO;
        for (&c, &y) in row.iter().zip(y) {
            size += c.abs() * y;
        }
        let ratio = size / p.abs();
        if !(ratio <= kappa) {
            kappa = ratio;
        }
    }
    kappa
}

/// An upper bound of kappa at a solution, without a product: (|C| y)_i <= sum_j y_j and (C y)_i = b_i y'C y / y_i.
pub fn condition_bound(y: impl Iterator<Item = f64>, budgets: &[f64], variance: f64) -> f64 {
    let (mut total, mut largest) = (0.0, 0.0_f64);
    for (y, b) in y.zip(budgets) {
        total += y;
        largest = largest.max(y / b);
    }
    largest * total / variance
}
