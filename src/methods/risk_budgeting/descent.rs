//! Cyclical coordinate descent on F, with a rescale after every sweep (Griveau-Billion, Richard & Roncalli 2013;
//! Choi & Chen 2022). Stage `descend`; its WGSL twins are `shaders/descend_*.wgsl`.
//!
//! ```text
//! for each i:   a = (C y)_i - y_i          d = sqrt(a^2 + 4 b_i)
//!               y_i <- a > 0 ? 2 b_i / (a + d) : (d - a) / 2     (the root without cancellation)
//!               C y <- C y + (new y_i - old y_i) C[:, i]
//! after each sweep: y <- y / sqrt(y'C y)
//! stop: max_i |y_i (C y)_i - b_i| / b_i <= tolerance, with C y computed afresh
//! ```
//!
//! Everything here is inlined, so that it is compiled for the vector instructions of the caller.

use super::condition::condition;
use crate::real::Real;

/// How the descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The error, with a fresh product, lies within the tolerance.
    Converged,
    /// The error reached the rounding floor above the tolerance.
    Floor,
    /// The sweep limit was reached.
    Limit,
    /// The variance of the iterate vanished: probably no solution exists.
    Degenerate,
}

#[derive(Debug, Clone, Copy)]
pub struct Descent {
    pub ending: Ending,
    pub sweeps: u32,
}

/// Sweeps between fresh products while the error is above the tolerance: bounds the drift of the maintained one.
const REFRESH: u32 = 16;

/// Solves from the row-sum start. `y` holds the solution scaled to y'C y = 1, `product` its C y.
#[inline(always)]
pub fn descend<R: Real>(
    correlation: &[R],
    budgets: &[R],
    tolerance: R,
    limit: u32,
    y: &mut [R],
    product: &mut [R],
) -> Descent {
    let n = budgets.len();
    start(correlation, budgets, y);
    multiply(correlation, y, product);
    if !rescale(y, product) {
        return Descent { ending: Ending::Degenerate, sweeps: 0 };
    }
    let (four, half, two) = (R::from_f64(4.0), R::from_f64(0.5), R::from_f64(2.0));
    for sweep in 1..=limit {
        for i in 0..n {
            let b = budgets[i];
            let a = product[i] - y[i];
            let d = (a * a + four * b).sqrt();
            let root = if a > R::ZERO { two * b / (a + d) } else { half * (d - a) };
            let change = root - y[i];
            y[i] = root;
            for (p, &c) in product.iter_mut().zip(&correlation[i * n..(i + 1) * n]) {
                *p += change * c;
            }
        }
        if !rescale(y, product) {
            return Descent { ending: Ending::Degenerate, sweeps: sweep };
        }
        let mut error = error(y, product, budgets);
        if error <= tolerance || sweep % REFRESH == 0 {
            multiply(correlation, y, product);
            if !rescale(y, product) {
                return Descent { ending: Ending::Degenerate, sweeps: sweep };
            }
            error = self::error(y, product, budgets);
            if error <= tolerance {
                return Descent { ending: Ending::Converged, sweeps: sweep };
            }
            let floor = R::from_f64(8.0) * R::EPSILON * condition(correlation, y, product);
            if error <= floor {
                return Descent { ending: Ending::Floor, sweeps: sweep };
            }
            multiply(correlation, y, product);
        }
    }
    Descent { ending: Ending::Limit, sweeps: limit }
}

/// y_i proportional to sqrt(b_i) / sqrt(row sum of C) where that is positive, else sqrt(b_i). Never from another
/// problem: results would depend on the order.
#[inline(always)]
fn start<R: Real>(correlation: &[R], budgets: &[R], y: &mut [R]) {
    // Row sums as column sums, row after row: C is symmetric, and sums side by side are vector arithmetic.
    y.fill(R::ZERO);
    for row in correlation.chunks_exact(budgets.len()) {
        for (sum, &c) in y.iter_mut().zip(row) {
            *sum += c;
        }
    }
    for (y, &b) in y.iter_mut().zip(budgets) {
        *y = if *y > R::ZERO { b.sqrt() / y.sqrt() } else { b.sqrt() };
    }
}

/// product = C y.
#[inline(always)]
pub fn multiply<R: Real>(correlation: &[R], y: &[R], product: &mut [R]) {
    product.fill(R::ZERO);
    for (&yi, row) in y.iter().zip(correlation.chunks_exact(y.len())) {
        for (p, &c) in product.iter_mut().zip(row) {
            *p += yi * c;
        }
    }
}

/// Scales y and C y so that y'C y = 1. False where y'C y is zero up to rounding, or negative.
#[inline(always)]
fn rescale<R: Real>(y: &mut [R], product: &mut [R]) -> bool {
    let (mut variance, mut size) = (R::ZERO, R::ZERO);
    for (&y, &p) in y.iter().zip(&*product) {
        variance += y * p;
        size += y * y;
    }
    if !(variance > R::EPSILON * size) {
        return false;
    }
    let scale = R::ONE / variance.sqrt();
    for (y, p) in y.iter_mut().zip(product) {
        *y *= scale;
        *p *= scale;
    }
    true
}

/// max_i |y_i (C y)_i - b_i| / b_i, for y'C y = 1; infinite where it is not a number.
#[inline(always)]
fn error<R: Real>(y: &[R], product: &[R], budgets: &[R]) -> R {
    let mut largest = R::ZERO;
    for ((&y, &p), &b) in y.iter().zip(product).zip(budgets) {
        let e = (y * p - b).abs() / b;
        if !(e <= largest) {
            largest = e;
        }
    }
    largest
}
