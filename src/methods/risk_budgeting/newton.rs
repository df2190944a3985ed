//! Damped Newton on F, for what coordinate descent leaves (f64 only: these problems are beyond single precision).
//!
//! In relative steps u (y <- y (1 + u), elementwise), with Y = diag(y):
//!
//! ```text
//! (Y C Y + diag b) u = b - Y C y
//! F(y (1 + t u)) - F(y) = t y'C d + t^2/2 d'C d - sum_i b_i ln(1 + t u_i),      d = y u
//! ```
//!
//! The change of F is computed from that formula, never as a difference of two values of F, so the line search does
//! not stall at the rounding of F.

use nalgebra::{DMatrix, DVector};

use super::descent::multiply;

const STEP_LIMIT: u32 = 100;

/// One step does for well-posed problems; the others serve hedged ones.
const FINISHING_STEPS: usize = 6;

/// Sufficient decrease (Armijo), as a share of the decrease the linear model promises.
const SUFFICIENT: f64 = 1e-4;

/// Keeps y positive: a step goes at most this share of the way to the boundary.
const TO_BOUNDARY: f64 = 0.95;

/// Minimises F from the current y (replaced where it is unusable), to `tolerance` or as far as rounding allows.
/// `y` ends scaled to y'C y = 1 where that is positive. Returns the number of steps.
pub fn minimise(correlation: &[f64], budgets: &[f64], tolerance: f64, y: &mut [f64], product: &mut [f64]) -> u32 {
    let n = budgets.len();
    if y.iter().any(|&y| !(y > 0.0 && y.is_finite())) {
        for (y, b) in y.iter_mut().zip(budgets) {
            *y = b.sqrt();
        }
    }
    let mut best = f64::INFINITY;
    let mut stagnant = 0;
    for step in 0..STEP_LIMIT {
        multiply(correlation, y, product);
        let variance: f64 = dot(y, product);
        if !(variance > f64::MIN_POSITIVE) || !variance.is_finite() {
            return step;
        }
        let scale = variance.sqrt().recip();
        for (y, p) in y.iter_mut().zip(&mut *product) {
            *y *= scale;
            *p *= scale;
        }
        let gap = DVector::from_iterator(n, (0..n).map(|i| budgets[i] - y[i] * product[i]));
        let error = (0..n).fold(0.0_f64, |m, i| m.max((gap[i] / budgets[i]).abs()));
        if error <= tolerance {
            return step;
        }
        // At its floor the error only wanders.
        stagnant = if error < 0.5 * best { 0 } else { stagnant + 1 };
        best = best.min(error);
        if stagnant > 8 && best < 1e-4 || stagnant > 30 {
            return step;
        }
        let Some(factor) = hessian(correlation, budgets, y).cholesky() else { return step };
        let u = factor.solve(&gap);
        if !u.iter().all(|u| u.is_finite()) {
            return step;
        }
        let slope = -gap.dot(&u);
        let direction: Vec<f64> = y.iter().zip(u.iter()).map(|(y, u)| y * u).collect();
        let mut image = vec![0.0; n];
        multiply(correlation, &direction, &mut image);
        let curvature = dot(&direction, &image);
        let along = dot(&direction, product);
        let steepest = u.iter().fold(0.0_f64, |m, &u| m.max(-u));
        let mut t = if steepest > TO_BOUNDARY { TO_BOUNDARY / steepest } else { 1.0 };
        for _ in 0..40 {
            let barrier: f64 = budgets.iter().zip(u.iter()).map(|(b, u)| b * (t * u).ln_1p()).sum();
            if t * along + 0.5 * t * t * curvature - barrier <= SUFFICIENT * t * slope {
                break;
            }
            t *= 0.5;
        }
        for (y, u) in y.iter_mut().zip(u.iter()) {
            *y *= 1.0 + t * u;
        }
    }
    STEP_LIMIT
}

/// The finishing steps: Newton with its residual in twice the working precision, so that the answer is right to rounding
/// even where the product cancels. `matrix` is the correlation and x = y, or the covariance and x = w; the scale of x
/// does not matter. Leaves x as it was when a step would not improve it.
pub fn finish(matrix: &[f64], budgets: &[f64], x: &mut [f64]) {
    let mut error = f64::INFINITY;
    let mut kept = x.to_vec();
    // Factored once: near the solution the Hessian hardly changes, and the accurate residual does the work.
    let mut factor = None;
    for step in 0..=FINISHING_STEPS {
        let (gap, largest) = accurate_gap(matrix, budgets, x);
        if !(largest < error) {
            x.copy_from_slice(&kept);
            return;
        }
        let settled = !(largest < 0.5 * error);
        error = largest;
        kept.copy_from_slice(x);
        if settled || step == FINISHING_STEPS {
            return;
        }
        if factor.is_none() {
            factor = hessian(matrix, budgets, x).cholesky();
        }
        let Some(u) = factor.as_ref().map(|factor| factor.solve(&gap)) else { return };
        if !u.iter().all(|u| u.abs() < 0.5) {
            return;
        }
        for (x, u) in x.iter_mut().zip(u.iter()) {
            *x *= 1.0 + u;
        }
    }
}

/// b_i - x_i (M x)_i / x'M x and its largest size relative to b_i, by compensated products (Ogita, Rump & Oishi 2005).
pub fn accurate_gap(matrix: &[f64], budgets: &[f64], x: &[f64]) -> (DVector<f64>, f64) {
    let n = x.len();
    let contributions: Vec<f64> =
        matrix.chunks_exact(n).zip(x).map(|(row, x_i)| x_i * compensated_dot(row, x)).collect();
    let variance: f64 = contributions.iter().sum();
    let gap = DVector::from_iterator(n, contributions.iter().zip(budgets).map(|(c, b)| b - c / variance));
    let largest = gap.iter().zip(budgets).fold(0.0, |m: f64, (g, b)| {
        let e = g.abs() / b;
        if e <= m { m } else { e }
    });
    (gap, largest)
}

/// X M X / x'M x + diag b.
fn hessian(matrix: &[f64], budgets: &[f64], x: &[f64]) -> DMatrix<f64> {
    let n = x.len();
    let mut hessian = DMatrix::from_fn(n, n, |i, j| x[i] * matrix[j * n + i] * x[j]);
    let variance = hessian.sum();
    hessian /= variance;
    for i in 0..n {
        hessian[(i, i)] += budgets[i];
    }
    hessian
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A dot product as if computed in twice the working precision and rounded once.
pub fn compensated_dot(a: &[f64], b: &[f64]) -> f64 {
    let (mut sum, mut low) = (0.0, 0.0);
    for (&a, &b) in a.iter().zip(b) {
        let (product, product_error) = two_product(a, b);
        let (next, sum_error) = two_sum(sum, product);
        sum = next;
        low += sum_error + product_error;
    }
    sum + low
}

fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// Exact product as a sum of two doubles.
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let product = a * b;
    (product, a.mul_add(b, -product))
}
