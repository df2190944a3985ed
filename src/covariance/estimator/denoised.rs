//! A correlation matrix without the eigenvalues that noise alone would show (Lopez de Prado 2020).
//!
//! Of the sample correlation of T rows of n independent assets, no eigenvalue lies above the edge of Marchenko & Pastur
//! (1967) but by chance:
//!
//! ```text
//! edge = (1 + sqrt(n / T))^2
//! lambda_i <= edge:   lambda_i := the mean of all of these
//! C* = the correlation of V diag(lambda) V'
//! ```
//!
//! The book fits the variance of the noise to a density of the eigenvalues; here it is one, and nothing is fitted.

use super::spectrum::Spectrum;

/// Denoises the sample correlation (n x n) of `rows` rows in place; returns how many eigenvalues were kept.
pub fn denoised(correlation: &mut [f64], rows: usize) -> usize {
    let n = correlation.len().isqrt();
    let spectrum = Spectrum::of(correlation);
    let mut values = spectrum.values.clone();
    let edge = (1.0 + (n as f64 / rows as f64).sqrt()).powi(2);
    // The mean of all eigenvalues is one: some lie below the edge.
    let noise = values.iter().filter(|&&lambda| lambda <= edge).count();
    let mean = values[..noise].iter().sum::<f64>() / noise as f64;
    values[..noise].fill(mean.max(0.0));
    spectrum.rebuild(&values, correlation);
    n - noise
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::tests::{correlation, identity, is_correlation, twins};
    use super::*;

    #[test]
    fn identity_stays_and_nothing_is_kept() {
        for n in [1, 2, 7] {
            for rows in [2, 5, 100] {
                let mut matrix = identity(n);
                assert_eq!(denoised(&mut matrix, rows), 0);
                assert_eq!(matrix, identity(n), "{n} assets, {rows} rows");
            }
        }
    }

    #[test]
    fn factor_above_the_edge_is_kept() {
        // One factor: eigenvalues 0.7 of all but one, and 0.7 + 0.3 n = 12.7, far above the edge of 2.25.
        let (n, rows) = (40, 160);
        let model = |i, j| if i == j { 1.0 } else { 0.3 };
        let mut matrix: Vec<f64> = (0..n * n).map(|k| model(k / n, k % n)).collect();
        let before = matrix.clone();
        assert_eq!(denoised(&mut matrix, rows), 1);
        for (after, before) in matrix.iter().zip(&before) {
            assert!((after - before).abs() < 1e-14, "{after} from {before}");
        }
    }

    #[test]
    fn eigenvalues_of_independent_assets_become_one() {
        let (n, rows) = (30, 300);
        let mut matrix = correlation(n, rows);
        assert_eq!(denoised(&mut matrix, rows), 0);
        for (after, one) in matrix.iter().zip(&identity(n)) {
            assert!((after - one).abs() < 1e-14);
        }
    }

    #[test]
    fn noise_is_flat_and_the_rest_nearly_as_before() {
        // Assets in groups of ten, one factor each.
        let (n, rows) = (50, 200);
        let model = |i: usize, j: usize| {
            if i == j {
                1.0
            } else if i / 10 == j / 10 {
                0.8
            } else {
                0.2
            }
        };
        let spectrum = Spectrum::of(&(0..n * n).map(|k| model(k / n, k % n)).collect::<Vec<_>>());
        let mut matrix = vec![0.0; n * n];
        spectrum.rebuild(&spectrum.values, &mut matrix);
        assert_eq!(denoised(&mut matrix, rows), 5);
        let after = Spectrum::of(&matrix).values;
        assert!(after[44] - after[0] < 1e-13, "{after:?}");
        for (after, before) in after.iter().zip(&spectrum.values) {
            assert!((after - before).abs() < 1e-12, "{after} from {before}");
        }
    }

    #[test]
    fn few_rows_and_twins_give_correlations() {
        for (n, rows) in [(1, 2), (2, 2), (3, 2), (20, 2), (60, 2), (12, 12), (12, 5), (40, 200)] {
            for mut matrix in [correlation(n, rows), twins(n, rows)] {
                let kept = denoised(&mut matrix, rows);
                assert!(kept < n && is_correlation(&matrix) > -1e-13, "{n} assets, {rows} rows");
            }
        }
    }
}
