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
