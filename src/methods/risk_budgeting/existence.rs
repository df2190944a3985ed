//! Does a risk-budgeting portfolio exist? None does exactly where a direction d >= 0, d != 0 with d'C d = 0 exists: F
//! falls without bound along it. So the smallest variance over the simplex decides:
//!
//! ```text
//! minimise 1/2 d'C d   subject to  sum d = 1, d >= 0
//! stationary:  C d - lambda 1 - z = 0,  d_i z_i = 0,  z >= 0
//! no solution: d'C d <= 32 n eps d'|C| d at some d of the simplex
//! ```
//!
//! Solved by the predictor-corrector interior-point method of Mehrotra (1992).

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use super::descent::multiply;

const ITERATION_LIMIT: usize = 60;

/// The direction that proves that no solution exists, scaled to sum one; none where a solution exists.
pub fn zero_variance_direction(correlation: &[f64]) -> Option<Vec<f64>> {
    let n = correlation.len().isqrt();
    let mut d = DVector::from_element(n, 1.0 / n as f64);
    let mut image = vec![0.0; n];
    multiply(correlation, d.as_slice(), &mut image);
    let mut lambda = image.iter().copied().fold(f64::INFINITY, f64::min) - 1.0;
    let mut z = DVector::from_iterator(n, image.iter().map(|c| c - lambda));

    for _ in 0..ITERATION_LIMIT {
        multiply(correlation, d.as_slice(), &mut image);
        if has_no_variance(correlation, &d, &image) {
            return Some(sparsest(correlation, d));
        }
        // Any x of the simplex has x'C x >= 2 x'C d - d'C d >= 2 min_i (C d)_i - d'C d.
        let variance = d.iter().zip(&image).map(|(d, c)| d * c).sum::<f64>();
        let smallest = image.iter().copied().fold(f64::INFINITY, f64::min);
        if 2.0 * smallest - variance > 64.0 * n as f64 * f64::EPSILON {
            return None;
        }
        let mu = d.dot(&z) / n as f64;
        let residual = DVector::from_iterator(n, (0..n).map(|i| lambda + z[i] - image[i]));
        let mut system = DMatrix::from_row_slice(n, n, correlation);
        for i in 0..n {
            system[(i, i)] += z[i] / d[i];
        }
        let factor = Cholesky::new(system)?;
        let ones = factor.solve(&DVector::from_element(n, 1.0));
        // Predictor: straight for complementarity; corrector: recentred, with the second-order term.
        let predicted = newton_step(&factor, &ones, &d, &z, &residual, &DVector::zeros(n));
        let (a, b) = (longest(&d, &predicted.0), longest(&z, &predicted.2));
        let ahead = (&d + &predicted.0 * a).dot(&(&z + &predicted.2 * b)) / n as f64;
        let centring = (ahead / mu).powi(3) * mu;
        let target = DVector::from_iterator(n, (0..n).map(|i| centring - predicted.0[i] * predicted.2[i]));
        let (step, step_lambda, step_z) = newton_step(&factor, &ones, &d, &z, &residual, &target);
        let t = 0.995 * longest(&d, &step).min(longest(&z, &step_z));
        d += step * t;
        z += step_z * t;
        lambda += step_lambda * t;
        let total = d.sum();
        d /= total;
        if !(t > 1e-12) || d.iter().chain(z.iter()).any(|x| !(*x > 0.0)) {
            break;
        }
    }
    multiply(correlation, d.as_slice(), &mut image);
    has_no_variance(correlation, &d, &image).then(|| sparsest(correlation, d))
}

/// d'C d <= 32 n eps d'|C| d.
fn has_no_variance(correlation: &[f64], d: &DVector<f64>, image: &[f64]) -> bool {
    let n = d.len();
    let variance: f64 = d.iter().zip(image).map(|(d, c)| d * c).sum();
    if variance > 1e-9 {
        return false;
    }
    let size: f64 = correlation
        .chunks_exact(n)
        .zip(d.iter())
        .map(|(row, d_i)| d_i * row.iter().zip(d.iter()).map(|(c, d)| c.abs() * d).sum::<f64>())
        .sum();
    variance <= 32.0 * n as f64 * f64::EPSILON * size
}

/// The same proof without the dust: small entries set to zero where what is left still has no variance.
fn sparsest(correlation: &[f64], d: DVector<f64>) -> Vec<f64> {
    let largest = d.max();
    let mut image = vec![0.0; d.len()];
    for threshold in [1e-3, 1e-6, 1e-9] {
        let mut trial = d.map(|d| if d < threshold * largest { 0.0 } else { d });
        trial /= trial.sum();
        multiply(correlation, trial.as_slice(), &mut image);
        if has_no_variance(correlation, &trial, &image) {
            return trial.as_slice().to_vec();
        }
    }
    d.as_slice().to_vec()
}

/// One Newton step on the stationarity conditions, with complementarity aimed at d_i z_i = target_i:
///
/// ```text
/// (C + Z/D) dd - dlambda 1 = residual + target / d - z        sum dd = 0        dz = (target - z dd) / d - z
/// ```
fn newton_step(
    factor: &Cholesky<f64, Dyn>,
    ones: &DVector<f64>,
    d: &DVector<f64>,
    z: &DVector<f64>,
    residual: &DVector<f64>,
    target: &DVector<f64>,
) -> (DVector<f64>, f64, DVector<f64>) {
    let right = residual + target.component_div(d) - z;
    let particular = factor.solve(&right);
    let lambda = -particular.sum() / ones.sum();
    let step = particular + ones * lambda;
    let step_z = (target - z.component_mul(&step)).component_div(d) - z;
    (step, lambda, step_z)
}

/// The longest step, at most 1, that keeps x + t step non-negative.
fn longest(x: &DVector<f64>, step: &DVector<f64>) -> f64 {
    x.iter().zip(step.iter()).filter(|(_, s)| **s < 0.0).fold(1.0, |t: f64, (x, s)| t.min(-x / s))
}
