//! Are the weights right, and is the certificate honest, where the answer is known from elsewhere?

use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::solver::Options;
use equirisk::{Batch, Certificate, Source, Status, Want};

use crate::cases::{Npz, json, numbers};

/// Solves one given covariance as `equirisk solve` does: with the finishing step.
pub fn solve(covariance: &[f64], budgets: &[f64]) -> (Vec<f64>, Certificate) {
    let source = Source::Given { covariances: covariance.to_vec(), assume_psd: false };
    let batch = Batch::new(source, budgets).unwrap();
    let engine = CpuEngine { options: Options { finish: true, ..Options::default() } };
    let solutions = engine.job(&batch, Want::default()).solve(0..1).unwrap();
    (solutions.weights, solutions.certificates[0])
}

#[test]
fn weights_match_the_high_precision_references() {
    for case in json("reference/index.json")["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut npz = Npz::open(&format!("reference/{name}.npz"));
        let (_, covariance) = npz.array("cov");
        let (_, budgets) = npz.array("budget");
        let (_, expected) = npz.array("weights");
        let (weights, certificate) = solve(&covariance, &budgets);
        assert_eq!(certificate.status, Status::Converged, "{name}: {certificate:?}");
        // The references state this tolerance: rounding of the input, amplified by the condition number.
        let tolerance = 1e-13 + 1e-15 * case["componentwise_condition"].as_f64().unwrap();
        let worst = weights.iter().zip(&expected).fold(0.0_f64, |m, (w, e)| m.max((w / e - 1.0).abs()));
        println!("{name}: {worst:.1e} of {tolerance:.1e}, {certificate:?}");
        assert!(worst <= tolerance, "{name}: {worst:e} > {tolerance:e}, {certificate:?}");
    }
}

fn paper_covariance(case: &serde_json::Value) -> Vec<f64> {
    let matrix = |value: &serde_json::Value| value.as_array().unwrap().iter().flat_map(numbers).collect::<Vec<_>>();
    if case["cov"].is_array() {
        return matrix(&case["cov"]);
    }
    let vol = numbers(&case["vol"]);
    let corr = matrix(&case["corr"]);
    corr.iter().enumerate().map(|(k, c)| c * vol[k / vol.len()] * vol[k % vol.len()]).collect()
}

#[test]
fn published_tables_are_reproduced() {
    let cases = json("paper_cases.json");
    let mut solved = 0;
    for case in cases.as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let (weights, certificate) = match case["kind"].as_str().unwrap() {
            "unconstrained" | "degenerate_no_solution" => solve(&paper_covariance(case), &numbers(&case["budget"])),
            _ => continue,
        };
        if case["kind"] == "degenerate_no_solution" {
            assert_eq!(certificate.status, Status::NoSolution, "{name}");
            assert!(weights.iter().all(|w| w.is_nan()));
            continue;
        }
        assert_eq!(certificate.status, Status::Converged, "{name}: {certificate:?}");
        let difference = |expected: &serde_json::Value| {
            numbers(expected).iter().zip(&weights).fold(0.0_f64, |m, (e, w)| m.max((e - w).abs()))
        };
        // `solved_f64` was itself computed in f64, with an error of up to 6e-12.
        assert!(difference(&case["solved_f64"]) <= 1e-11, "{name}: {}", difference(&case["solved_f64"]));
        if case["matches_print"] == true {
            // Half a unit of the last printed digit, and the rounding of that comparison itself.
            let printed = case["print_halfulp"].as_f64().unwrap() + 1e-15;
            assert!(difference(&case["weights"]) <= printed, "{name}: {}", difference(&case["weights"]));
        }
        solved += 1;
    }
    assert!(solved >= 28, "only {solved} cases were compared");
}

/// A covariance of `rows` observations of `assets` with factor loadings of mixed sign, from a seed.
fn sample_covariance(rows: usize, assets: usize, market: f64, seed: u64) -> Vec<f64> {
    let mut state = seed;
    let mut normal = || {
        // Sum of uniforms: the shape does not matter here, only that it is continuous.
        (0..6)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
            })
            .sum::<f64>()
    };
    let mut x: Vec<f64> = Vec::new();
    for _ in 0..rows {
        let common = market * normal();
        x.extend((0..assets).map(|_| normal() + common));
    }
    for j in 0..assets {
        let mean = x.iter().skip(j).step_by(assets).sum::<f64>() / rows as f64;
        x.iter_mut().skip(j).step_by(assets).for_each(|x| *x -= mean);
    }
    let mut s = vec![0.0; assets * assets];
    for row in x.chunks(assets) {
        for i in 0..assets {
            for j in 0..assets {
                s[i * assets + j] += row[i] * row[j] / (rows - 1) as f64;
            }
        }
    }
    s
}

#[test]
fn sweep() {
    for (rows, assets) in
        [(2, 2), (2, 5), (3, 3), (4, 5), (5, 20), (10, 20), (20, 20), (21, 20), (30, 50), (60, 50), (60, 120)]
    {
        for market in [0.0, 0.3, 1.0] {
            let mut count = std::collections::BTreeMap::new();
            let t = std::time::Instant::now();
            let mut worst = 0.0_f64;
            let mut most = 0;
            for seed in 0..200 {
                let s = sample_covariance(rows, assets, market, seed * 7919 + 13);
                let source = Source::Given { covariances: s, assume_psd: false };
                let batch = Batch::new(source, &vec![1.0; assets]).unwrap();
                let engine = CpuEngine { options: Options { finish: false, ..Options::default() } };
                let solutions = engine.job(&batch, Want::default()).solve(0..1).unwrap();
                let c = solutions.certificates[0];
                *count.entry(c.status.name()).or_insert(0) += 1;
                if c.status == Status::Stalled {
                    println!("   {c:?}");
                }
                if c.status == Status::Converged {
                    worst = worst.max(c.rc_error);
                    most = most.max(c.sweeps);
                }
            }
            println!(
                "T={rows} n={assets} m={market}: {count:?} worst {worst:.1e} sweeps {most} {:.0} us each",
                t.elapsed().as_secs_f64() / 200.0 * 1e6
            );
        }
    }
}
