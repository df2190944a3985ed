//! How far weights are from their budgets, and how far anybody could tell. Stage `certify`; its WGSL twin is
//! `shaders/certify.wgsl`.

use super::descent::multiply;
use crate::real::Real;

/// For a matrix M and a portfolio x in its units, from a fresh product:
/// (max_i |x_i (M x)_i / x'M x - b_i| / b_i, x'M x). M is the correlation and x_i = w_i sigma_i, or the covariance and
/// x = w. The error is infinite where it is not a number.
#[inline(always)]
pub fn certify<R: Real>(matrix: &[R], x: &[R], budgets: &[R], product: &mut [R]) -> (R, R) {
    multiply(matrix, x, product);
    let mut variance = R::ZERO;
    for (&x, &p) in x.iter().zip(&*product) {
        variance += x * p;
    }
    let mut largest = R::ZERO;
    for ((&x, &p), &b) in x.iter().zip(&*product).zip(budgets) {
        let error = (x * p / variance - b).abs() / b;
        if !(error <= largest) {
            largest = error;
        }
    }
    if largest >= R::ZERO && variance > R::ZERO { (largest, variance) } else { (R::from_f64(f64::INFINITY), variance) }
}

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
