//! Quadratic-inverse shrinkage of the eigenvalues of a correlation matrix (Ledoit & Wolf 2022).
//!
//! Noise spreads the eigenvalues of a sample. How far each is to be moved back follows from where the inverses of all
//! lie, smoothed over a width h relative to each. With T rows, n assets, eigenvalues lambda of rank r and N = T - 1, or
//! N = r where r < n (repeated rows lower the rank below T - 1):
//!
//! ```text
//! c = n / N        h = min(c^2, c^-2)^0.35 / n^0.35        l_j = 1 / lambda_j of the r positive ones
//! q_ji = (l_j - l_i)^2 + l_j^2 h^2
//! theta_i = 1/r sum_j l_j (l_j - l_i) / q_ji               H_i = 1/r sum_j l_j^2 h / q_ji
//!
//! r = n:   1 / delta_i = l_i ((1 - c + c theta_i)^2 + c^2 H_i^2)
//! r < n:   1 / delta_i = l_i (theta_i^2 + H_i^2)           1 / delta = (c - 1) 1/r sum_j l_j    of the n - r others
//!
//! delta := delta sum lambda / sum delta                    C* = the correlation of V diag(delta) V'
//! ```
//!
//! All are positive: H is, and r < n makes c > 1. So C* is positive definite whatever T is.

use super::spectrum::Spectrum;

/// Exponent of the width h, from the paper.
const SMOOTHING: f64 = 0.35;

/// An eigenvalue up to so many times n eps of the largest is null: what rounding leaves of zero.
const NULL: f64 = 8.0;

/// Shrinks the sample correlation (n x n) of `rows` rows, at least 2, in place.
pub fn nonlinear(correlation: &mut [f64], rows: usize) {
    // Of one asset there is nothing to shrink.
    if correlation.len() > 1 {
        let spectrum = Spectrum::of(correlation);
        spectrum.rebuild(&shrunk(&spectrum.values, rows), correlation);
    }
}

/// delta of eigenvalues in ascending order.
fn shrunk(values: &[f64], rows: usize) -> Vec<f64> {
    let n = values.len();
    let null = NULL * n as f64 * f64::EPSILON * values[n - 1];
    // Deviations of T rows from their mean have rank T - 1 at most: more is rounding.
    let rank = values.iter().filter(|&&lambda| lambda > null).count().min(rows - 1);
    let (others, positive) = values.split_at(n - rank);
    let full = others.is_empty();
    let c = n as f64 / if full { rows - 1 } else { rank } as f64;
    let h = ((c * c).min(1.0 / (c * c)) / n as f64).powf(SMOOTHING);
    let inverses: Vec<f64> = positive.iter().map(|lambda| 1.0 / lambda).collect();
    let mean = inverses.iter().sum::<f64>() / rank as f64;
    let mut delta = vec![1.0 / ((c - 1.0) * mean); others.len()];
    for &own in &inverses {
        let (mut theta, mut hilbert) = (0.0, 0.0);
        for &l in &inverses {
            let (away, width) = (l - own, l * h);
            let weight = l / (away * away + width * width);
            theta += weight * away;
            hilbert += weight * width;
        }
        (theta, hilbert) = (theta / rank as f64, hilbert / rank as f64);
        let (real, imaginary) = if full { (1.0 - c + c * theta, c * hilbert) } else { (theta, hilbert) };
        delta.push(1.0 / (own * (real * real + imaginary * imaginary)));
    }
    let scale = values.iter().sum::<f64>() / delta.iter().sum::<f64>();
    delta.iter_mut().for_each(|delta| *delta *= scale);
    delta
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::tests::{correlation, identity, is_correlation, twins};
    use super::*;

    #[test]
    fn identity_stays() {
        for n in [1, 2, 7] {
            for rows in [2, 5, 100] {
                let mut shrunk = identity(n);
                nonlinear(&mut shrunk, rows);
                assert_eq!(shrunk, identity(n), "{n} assets, {rows} rows");
            }
        }
    }

    #[test]
    fn trace_is_kept_and_eigenvalues_are_positive() {
        for (n, rows) in [(2, 2), (5, 100), (20, 30), (20, 20), (30, 8)] {
            let delta = shrunk(&Spectrum::of(&correlation(n, rows)).values, rows);
            assert!((delta.iter().sum::<f64>() / n as f64 - 1.0).abs() < 1e-14, "{n} assets, {rows} rows");
            assert!(delta.iter().all(|&delta| delta > 0.0), "{n} assets, {rows} rows: {delta:?}");
        }
    }

    #[test]
    fn few_rows_and_twins_give_positive_definite_correlations() {
        for (n, rows) in [(2, 2), (3, 2), (20, 2), (60, 2), (12, 13), (12, 12), (12, 5), (40, 200)] {
            for mut matrix in [correlation(n, rows), twins(n, rows)] {
                nonlinear(&mut matrix, rows);
                assert!(is_correlation(&matrix) > 1e-3, "{n} assets, {rows} rows");
            }
        }
    }

    #[test]
    fn eigenvalues_of_independent_assets_move_towards_one() {
        let (n, rows) = (50, 200);
        let sample = correlation(n, rows);
        let mut matrix = sample.clone();
        nonlinear(&mut matrix, rows);
        let spread = |matrix: &[f64]| {
            let values = Spectrum::of(matrix).values;
            values[n - 1] - values[0]
        };
        assert!(spread(&matrix) < 0.25 * spread(&sample), "{} of {}", spread(&matrix), spread(&sample));
    }

    #[test]
    fn order_of_assets_does_not_matter() {
        let (n, rows) = (9, 30);
        let mut matrix = correlation(n, rows);
        let mut reversed: Vec<f64> = matrix.iter().rev().copied().collect();
        nonlinear(&mut matrix, rows);
        nonlinear(&mut reversed, rows);
        for (a, b) in matrix.iter().zip(reversed.iter().rev()) {
            assert!((a - b).abs() < 1e-14);
        }
    }
}
