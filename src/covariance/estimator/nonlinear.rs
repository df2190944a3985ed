//! Quadratic-inverse shrinkage of the eigenvalues of a correlation matrix (Ledoit & Wolf 2022).
//!
//! Noise spreads the eigenvalues of a sample. How far each is to be moved back follows from where the inverses of all
//! lie, smoothed over a width h relative to each. With T rows, of which D differ, n assets, and rank r <= D - 1 of the
//! eigenvalues lambda: N = T - 1 where D > n, and N = r where too few rows hold back the rank (resamples repeat rows):
//!
//! ```text
//! c = n / N        h = min(c^2, c^-2)^0.35 / n^0.35        l_j = 1 / lambda_j of the r positive ones
//! q_ji = (l_j - l_i)^2 + l_j^2 h^2
//! theta_i = 1/r sum_j l_j (l_j - l_i) / q_ji               H_i = 1/r sum_j l_j^2 h / q_ji
//!
//! D > n:   1 / delta_i = l_i ((1 - c + c theta_i)^2 + c^2 H_i^2)
//! D <= n:  1 / delta_i = l_i (theta_i^2 + H_i^2)           1 / delta = (c - 1) 1/r sum_j l_j    of the n - r others
//!
//! delta := delta sum lambda / sum delta                    C* = the correlation of V diag(delta) V'
//! ```
//!
//! All are positive: H is, and r < n makes c > 1. Where D > n and yet lambda = 0, one asset is a mix of others, and no
//! noise is to blame: delta = 0, the limit as lambda falls to zero.

use super::spectrum::Spectrum;

/// Exponent of the width h, from the paper.
const SMOOTHING: f64 = 0.35;

/// An eigenvalue up to so many times n eps of the largest is null: what rounding leaves of zero.
const NULL: f64 = 8.0;

/// Shrinks the sample correlation (n x n) of `rows` rows in place, of which so many are `distinct`: at least 2.
pub fn nonlinear(correlation: &mut [f64], rows: usize, distinct: usize) {
    // Of one asset there is nothing to shrink.
    if correlation.len() > 1 {
        let spectrum = Spectrum::of(correlation);
        spectrum.rebuild(&shrunk(&spectrum.values, rows, distinct), correlation);
    }
}

/// delta of eigenvalues in ascending order.
fn shrunk(values: &[f64], rows: usize, distinct: usize) -> Vec<f64> {
    let n = values.len();
    let null = NULL * n as f64 * f64::EPSILON * values[n - 1];
    // Deviations of D rows from their mean have rank D - 1 at most: more is rounding.
    let full = distinct > n;
    let rank = if full { n } else { values.iter().filter(|&&lambda| lambda > null).count().min(distinct - 1) };
    let (others, positive) = values.split_at(n - rank);
    let c = n as f64 / if full { rows - 1 } else { rank } as f64;
    let h = ((c * c).min(1.0 / (c * c)) / n as f64).powf(SMOOTHING);
    let inverses: Vec<f64> = positive.iter().map(|lambda| 1.0 / lambda.max(null)).collect();
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
    if full {
        let mixes = delta.iter_mut().zip(values).filter(|(_, lambda)| **lambda <= null);
        mixes.for_each(|(delta, _)| *delta = 0.0);
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
                nonlinear(&mut shrunk, rows, rows);
                assert_eq!(shrunk, identity(n), "{n} assets, {rows} rows");
            }
        }
    }

    #[test]
    fn trace_is_kept_and_eigenvalues_are_positive() {
        for (n, rows) in [(2, 2), (5, 100), (20, 30), (20, 20), (30, 8)] {
            let delta = shrunk(&Spectrum::of(&correlation(n, rows)).values, rows, rows);
            assert!((delta.iter().sum::<f64>() / n as f64 - 1.0).abs() < 1e-14, "{n} assets, {rows} rows");
            assert!(delta.iter().all(|&delta| delta > 0.0), "{n} assets, {rows} rows: {delta:?}");
        }
    }

    #[test]
    fn few_rows_and_twins_give_positive_definite_correlations() {
        for (n, rows) in [(2, 2), (3, 2), (20, 2), (60, 2), (12, 12), (12, 5), (40, 40)] {
            for mut matrix in [correlation(n, rows), twins(n, rows)] {
                nonlinear(&mut matrix, rows, rows);
                assert!(is_correlation(&matrix) > 1e-3, "{n} assets, {rows} rows");
            }
        }
    }

    #[test]
    fn a_twin_of_many_rows_is_the_limit_of_what_is_nearly_one() {
        let (n, rows) = (12, 200);
        let exact = twins(n, rows);
        let nearly = |noise: f64| {
            let mut matrix = exact.clone();
            let apart = n - n / 3;
            for k in 0..n * n {
                let (i, j) = (k / n, k % n);
                matrix[k] *= if i != j && i % apart == j % apart { 1.0 - noise } else { 1.0 };
            }
            matrix
        };
        let mut limit = exact.clone();
        nonlinear(&mut limit, rows, rows);
        for noise in [1e-9, 1e-12] {
            let mut matrix = nearly(noise);
            nonlinear(&mut matrix, rows, rows);
            let apart = matrix.iter().zip(&limit).fold(0.0_f64, |most, (a, b)| most.max((a - b).abs()));
            assert!(apart < 100.0 * noise, "{apart} at {noise}");
        }
        // Assets that are one stay one.
        assert!((limit[n - 1 + n * (n / 3 - 1)] - 1.0).abs() < 1e-12 || (limit[n - n / 3] - 1.0).abs() < 1e-12);
    }

    #[test]
    fn eigenvalues_of_independent_assets_move_towards_one() {
        let (n, rows) = (50, 200);
        let sample = correlation(n, rows);
        let mut matrix = sample.clone();
        nonlinear(&mut matrix, rows, rows);
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
        nonlinear(&mut matrix, rows, rows);
        nonlinear(&mut reversed, rows, rows);
        for (a, b) in matrix.iter().zip(reversed.iter().rev()) {
            assert!((a - b).abs() < 1e-14);
        }
    }
}
