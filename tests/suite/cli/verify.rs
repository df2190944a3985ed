//! Does `verify` find what is not what it was?

use std::fs;

use crate::run::{Folder, equirisk, json, prices, returns, table};

const BOOTSTRAP: [&str; 8] = ["bootstrap", "-B", "200", "--seed", "5", "--last", "300", "-o"];

#[test]
fn a_sound_run_is_confirmed_and_a_sample_solved_again() {
    let folder = Folder::new();
    for engine in ["cpu", "gpu"] {
        let out = folder.name(engine);
        let budgets = ["--engine", engine, "--budgets", "S&P 500=2,NIKKEI=1,Commodities (CRB)=0", "--assets"];
        let assets = ["S&P 500,NIKKEI,Commodities (CRB)"];
        equirisk(&[&BOOTSTRAP[..], &[&out], &budgets, &assets].concat()).succeeded();
        let found = json(&["verify", &out, "--json", "--crosscheck", "all"]);
        assert_eq!(found["crosscheck"]["sampled"], 200);
        assert_eq!(found["crosscheck"]["disagreements"], 0);
        let difference = found["crosscheck"]["max_weight_difference"].as_f64().unwrap();
        assert!(difference <= if engine == "cpu" { 0.0 } else { 1e-5 }, "{difference}");
    }
}

#[test]
fn every_damaged_file_is_named() {
    let folder = Folder::new();
    let out = folder.name("out");
    equirisk(&[&BOOTSTRAP[..], &[&out]].concat()).succeeded();
    for name in ["summary.json", "summary.txt", "assets.csv", "report.html", "weights.parquet", "returns.parquet"] {
        let path = folder.path("out").join(name);
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let run = equirisk(&["verify", &out]).refused(1);
        assert!(run.stderr.contains(name), "{}", run.stderr);
        fs::remove_file(&path).unwrap();
        equirisk(&["verify", &out]).refused(1);
        fs::write(&path, bytes).unwrap();
    }
    equirisk(&["verify", &out]).succeeded();
}

/// Digests can be forged along with the numbers; the sample cannot.
#[test]
fn weights_that_were_not_solved_are_a_disagreement() {
    let folder = Folder::new();
    let (out, other) = (folder.name("out"), folder.name("other"));
    equirisk(&[&BOOTSTRAP[..], &[&out]].concat()).succeeded();
    let args: Vec<&str> = BOOTSTRAP.into_iter().map(|arg| if arg == "5" { "6" } else { arg }).collect();
    equirisk(&[&args[..], &[&other]].concat()).succeeded();
    fs::copy(folder.path("other/weights.parquet"), folder.path("out/weights.parquet")).unwrap();
    let digest = |name: &str| {
        let manifest: serde_json::Value = serde_json::from_str(&folder.read(name)).unwrap();
        manifest["outputs_sha256"]["weights.parquet"].as_str().unwrap().to_owned()
    };
    let forged = folder.read("out/run.json").replace(&digest("out/run.json"), &digest("other/run.json"));
    folder.write("out/run.json", forged);
    let run = equirisk(&["verify", &out]);
    assert_eq!(run.code, 6, "{run:?}");
}

#[test]
fn a_screen_is_verified_by_its_list() {
    let folder = Folder::new();
    let out = folder.name("out");
    equirisk(&["screen", "--size", "4", "--top", "9", "--by", "sharpe", "-o", &out]).succeeded();
    assert_eq!(json(&["verify", &out, "--json"])["crosscheck"]["sampled"], 9);
    // A list of other subsets, with a digest to match.
    let summary = folder.read("out/summary.json");
    let first = summary.split("\"weights\": [").nth(1).unwrap().split(',').next().unwrap().trim().to_owned();
    let forged = summary.replacen(&first, "0.123", 1);
    folder.write("out/summary.json", &forged);
    let sum = |text: &str| equirisk::store::digest::bytes(text.as_bytes());
    let manifest = folder.read("out/run.json").replace(&sum(&summary), &sum(&forged));
    folder.write("out/run.json", manifest);
    assert_eq!(equirisk(&["verify", &out]).code, 6);
}

#[test]
fn what_is_no_finished_run_is_refused() {
    let folder = Folder::new();
    equirisk(&["verify", &folder.name("nowhere")]).refused(2);
    for (text, code) in [("{}", 2), ("junk", 2), ("{\"program\": \"equirisk\", \"schema\": 2}", 2), ("[]", 2)] {
        folder.write("run.json", text);
        equirisk(&["verify", &folder.name("")]).refused(code);
        // Nor is it overwritten without force.
        let args = ["bootstrap", "-B", "20", "--seed", "1", "--last", "100", "-o", &folder.name("")];
        equirisk(&args).refused(2);
        assert_eq!(folder.read("run.json"), text);
    }
}

/// A history that never loses has no drawdown, and the ratio to it is not finite.
#[test]
fn a_list_whose_figure_is_not_finite_is_verified_by_its_portfolios() {
    let folder = Folder::new();
    let rising: Vec<f64> = returns(300, 5, 0.7, 3).iter().map(|r| 0.001 + 0.01 * r.abs()).collect();
    let data = folder.write("rising.csv", table(&prices(&rising, 5), 5));
    let out = folder.name("out");
    equirisk(&["screen", &data, "-k", "2", "--by", "calmar", "--engine", "cpu", "-o", &out]).succeeded();
    let summary: serde_json::Value = serde_json::from_str(&folder.read("out/summary.json")).unwrap();
    assert!(summary["top"][0]["value"].is_null(), "{}", summary["top"][0]);
    assert_eq!(json(&["verify", &out, "--json"])["crosscheck"]["disagreements"], 0);
}
