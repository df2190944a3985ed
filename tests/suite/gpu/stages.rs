//! Does each stage compute what its Rust twin does?

use super::*;
use equirisk::covariance::{Drawn, correlate, moments, packed};
use equirisk::methods::risk_budgeting::certificate::certify;
use equirisk::methods::risk_budgeting::descent::descend;

/// (T, n): thread, subgroup, workgroup and streamed kernels, both kernels of moments from counts, T below n, T beyond
/// one dispatch.
const SHAPES: [(usize, usize); 8] =
    [(252, 1), (252, 3), (5000, 10), (100, 16), (252, 33), (300, 70), (300, 128), (130, 140)];

const PROBLEMS: [u64; 3] = [0, 5, (1 << 40) + 1];

#[test]
fn moments_and_correlations_are_those_of_their_twins() {
    let batches = SHAPES.into_iter().flat_map(|(rows, n)| [(rows, n, batch(rows, n)), (rows, n, iid(rows, n))]);
    // Sums by steps over two dispatches of slices.
    let batches = batches.chain([(20_000, 3, batch(20_000, 3))]).map(|batch| (engine(), batch));
    // Without subgroups correlations of any size can be seen.
    let plain = open(Options { plain: true, ..Options::default() });
    for (engine, (rows, n, batch)) in batches.chain([(&plain, (252, 33, batch(252, 33)))]) {
        let (panel, law) = batch.resamples().unwrap();
        let stages = engine.stages(&batch, &PROBLEMS).unwrap();
        assert!(!stages.correlations.is_empty() || (17..=64).contains(&n), "n {n}");
        for (p, &problem) in PROBLEMS.iter().enumerate() {
            let mut counts = vec![0; rows];
            law.counts(problem, &mut counts);
            let counts: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
            let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
            moments(panel.values(), &counts, &mut sums, &mut products, &mut Vec::new());
            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            correlate(&sums, &products, Drawn::rows(rows), &mut correlation, &mut volatilities);

            // Moments are rounded to the order of a tile of 64 rows or a slice of 256, a few eps of single precision.
            let size = |i: usize| products[i * (i + 1) / 2 + i].sqrt();
            for i in 0..n {
                let sum = stages.sums[p * n + i];
                assert!((sum - sums[i]).abs() <= 1e-6 * size(i) * (rows as f64).sqrt(), "T {rows}, n {n}: sum {i}");
                for j in 0..=i {
                    let at = i * (i + 1) / 2 + j;
                    let product = stages.products[p * packed(n) + at];
                    let error = (product - products[at]).abs() / (size(i) * size(j));
                    assert!(error <= 1e-6, "T {rows}, n {n}: product {i} {j} off by {error:e}");
                }
                let error = (stages.volatilities[p * n + i] / volatilities[i] - 1.0).abs();
                assert!(error <= 1e-6, "T {rows}, n {n}: volatility {i} off by {error:e}");
                // Where one kernel correlates and solves, they do not leave it.
                if stages.correlations.is_empty() {
                    continue;
                }
                for j in 0..n {
                    let found = stages.correlations[(p * n + i) * n + j];
                    let error = (found - correlation[i * n + j]).abs();
                    assert!(error <= 1e-6, "T {rows}, n {n}: correlation {i} {j} off by {error:e}");
                }
            }
        }
    }
}

#[test]
fn descents_end_where_their_twin_does() {
    for (rows, n) in SHAPES {
        let batch = batch(rows, n);
        let stages = engine().stages(&batch, &PROBLEMS).unwrap();
        let budgets = vec![1.0 / n as f32; n];
        for p in 0..PROBLEMS.len() {
            let sums = &stages.sums[p * n..(p + 1) * n];
            let products = &stages.products[p * packed(n)..(p + 1) * packed(n)];
            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            correlate(sums, products, Drawn::rows(rows), &mut correlation, &mut volatilities);
            let correlation: Vec<f32> = correlation.iter().map(|&c| c as f32).collect();
            let (mut y, mut product) = (vec![0.0; n], vec![0.0; n]);
            descend(&correlation, &budgets, 2e-6_f32, 200, &mut y, &mut product);
            for (i, (found, expected)) in stages.positions[p * n..].iter().zip(&y).enumerate() {
                // Both stop within 4e-6 of their budgets; y follows within that.
                let error = (found / f64::from(*expected) - 1.0).abs();
                assert!(error <= 8e-6, "T {rows}, n {n}, problem {p}: y_{i} off by {error:e}");
            }
        }
    }
}

#[test]
fn certificates_say_what_double_precision_says() {
    for (rows, n) in SHAPES {
        let batch = batch(rows, n);
        let (panel, law) = batch.resamples().unwrap();
        let solutions = solve(engine(), &batch, 0..3);
        for p in 0..3 {
            let mut counts = vec![0; rows];
            law.counts(p as u64, &mut counts);
            let counts: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
            let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
            moments(panel.values(), &counts, &mut sums, &mut products, &mut Vec::new());
            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            correlate(&sums, &products, Drawn::rows(rows), &mut correlation, &mut volatilities);

            let weights = &solutions.weights[p * n..(p + 1) * n];
            let exposures: Vec<_> = (0..n).map(|i| weights[i] * volatilities[i] * panel.volatilities()[i]).collect();
            let (rc_error, variance) = certify(&correlation, &exposures, batch.budgets(), &mut vec![0.0; n]);
            let certificate = solutions.certificates[p];
            assert_eq!(certificate.status, Status::Converged, "T {rows}, n {n}: {certificate:?}");
            // Correlations differ by up to 1e-6 between the two, and so may risk shares.
            assert!((certificate.rc_error - rc_error).abs() <= 2e-6, "T {rows}, n {n}: {certificate:?}, {rc_error:e}");
            assert!((certificate.volatility / variance.sqrt() - 1.0).abs() <= 1e-6, "T {rows}, n {n}");
        }
    }
}
