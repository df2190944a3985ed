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
