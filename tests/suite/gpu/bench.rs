//! Does the GPU bench measure what it says? It is run whole, at its smallest sizes.

use std::time::Duration;

use super::*;
use measure::{Settings, file_name, first_result};

#[path = "../../../benches/gpu/measure/mod.rs"]
mod measure;

fn settings(limit: Duration) -> Settings {
    Settings {
        device: None,
        memory: Some(64 << 20),
        quick: Some(true),
        assets: vec![5, 20],
        limit,
        date: Some("today".to_owned()),
        commit: None,
        cold_start: None,
    }
}

/// The report as a reader of the file has it.
fn report(settings: &Settings) -> (serde_json::Value, usize) {
    let mut parts = 0;
    let report = measure::run(settings, &mut |_, _| parts += 1).unwrap();
    (serde_json::from_str(&serde_json::to_string(&report).unwrap()).unwrap(), parts)
}

#[test]
fn every_case_is_measured_above_its_floor_and_agrees_with_the_cpu() {
    let program = env!("CARGO_BIN_EXE_equirisk").into();
    let arguments = ["bootstrap", "-B", "16", "--engine", "gpu", "--json"].map(str::to_owned).to_vec();
    let settings = Settings { cold_start: Some((program, arguments)), ..settings(Duration::from_secs(60)) };
    let (report, parts) = report(&settings);
    let cases = report["cases"].as_array().unwrap();
    assert!(cases.len() >= 8 && parts >= cases.len(), "{report:#}");
    assert_eq!(report["complete"], true);
    assert_eq!(report["date"], "today");
    assert_eq!(report["adapter"]["name"], engine().facts().name);
    assert!(report["features"].as_array().unwrap().iter().any(|feature| feature == "TIMESTAMP_QUERY"), "{report:#}");
    let seconds = report["cold_start"]["process_seconds"].as_array().unwrap();
    assert!(report["cold_start"]["failure"].is_null() && seconds.len() == 3, "{report:#}");
    assert!(seconds.iter().all(|seconds| seconds.as_f64().unwrap() > 0.0), "{report:#}");

    // What no compiler may see through is exact on any adapter.
    for share in ["two_sum_hidden_share", "two_product_hidden_share"] {
        assert_eq!(report["probe"][share], 1.0, "{}", report["probe"]);
    }
    for (name, speed) in report["hardware"].as_object().unwrap() {
        assert!(speed.as_f64().is_none_or(|speed| speed > 0.0), "{name}: {speed}");
    }
    for case in cases {
        assert!(case["skipped"].is_null(), "{case:#}");
        let measured = &case["measured"];
        let number = |name: &str| measured[name].as_f64().unwrap_or_else(|| panic!("no {name}: {case:#}"));
        assert!(number("device_seconds") <= number("wall_seconds"), "{case:#}");
        assert!(number("ratio_to_floor") >= 1.0, "{case:#}");
        // Subsets take Newton's steps, which are not counted.
        let screened = case["workload"] == "screen";
        assert!(screened || number("sweeps_mean") >= 1.0, "{case:#}");
        assert!(number("rc_error_largest") > 0.0, "{case:#}");
        assert_eq!(measured["solves"]["converged"], case["problems"], "{case:#}");
        assert!(measured["crosscheck"]["sampled"].as_u64() >= Some(60), "{case:#}");
        assert_eq!(measured["crosscheck"]["disagreements"], 0, "{case:#}");
        let stages = measured["stages"].as_array().unwrap();
        let sum: f64 = stages.iter().map(|stage| stage["device_seconds"].as_f64().unwrap()).sum();
        assert!((sum / number("device_seconds") - 1.0).abs() < 1e-9, "{case:#}");
        // One kernel may correlate, descend and certify.
        let solving: &[&str] = if screened { &["measure"] } else { &["descend", "solve"] };
        assert!(stages.iter().any(|stage| solving.iter().any(|name| stage["stage"] == *name)), "{case:#}");
    }
}

#[test]
fn cases_without_time_are_skipped_with_a_reason() {
    let (report, _) = report(&settings(Duration::ZERO));
    assert_eq!(report["complete"], true);
    for case in report["cases"].as_array().unwrap() {
        assert_eq!(case["skipped"], "no time is left");
        assert!(case["measured"].is_null());
    }
}

#[test]
fn the_first_result_of_a_process_comes_after_its_engine() {
    let times: serde_json::Value = serde_json::from_str(&first_result(&settings(Duration::ZERO)).unwrap()).unwrap();
    assert!(times["first_result_seconds"].as_f64() > times["open_seconds"].as_f64(), "{times}");
}

#[test]
fn reports_are_named_after_their_adapter() {
    assert_eq!(file_name("NVIDIA H200"), "gpu-nvidia-h200.json");
    assert_eq!(file_name("llvmpipe (LLVM 15.0.6, 256 bits)"), "gpu-llvmpipe-llvm-15-0-6-256-bits.json");
}
