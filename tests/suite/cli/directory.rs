//! Is a finished run kept, found again, and never lost by accident?

use std::fs;

use serde_json::Value;

use crate::run::{Folder, equirisk, read_weights};

const ARGS: [&str; 7] = ["bootstrap", "-B", "30", "--engine", "cpu", "--last", "250"];
const FILES: [&str; 5] = ["run.json", "summary.json", "assets.csv", "report.html", "weights.parquet"];

fn with<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&ARGS[..], extra].concat()
}

#[test]
fn a_run_leaves_manifest_summary_table_and_weights() {
    let folder = Folder::new();
    let run = equirisk(&with(&["--seed", "1", "--json", "-o", &folder.name("new/out")])).succeeded();
    assert_eq!(folder.read("new/out/summary.json").trim_end(), run.stdout.trim_end());
    let summary = run.json();
    let names: Vec<&str> =
        summary["assets"].as_array().unwrap().iter().map(|asset| asset["name"].as_str().unwrap()).collect();

    let manifest: Value = serde_json::from_str(&folder.read("new/out/run.json")).unwrap();
    for key in ["version", "command"] {
        assert!(!manifest[key].is_null(), "{key}: {manifest}");
    }
    let text = manifest.to_string();
    assert_eq!(manifest["job"]["estimator"], "sample");
    for expected in ["\"seed\":1", "pxsb-1", &summary["run"]["threshold"].to_string()] {
        assert!(text.contains(expected), "{expected} in {text}");
    }

    let mut table = csv::Reader::from_path(folder.path("new/out/assets.csv")).unwrap();
    let header = table.headers().unwrap().clone();
    let column = |name: &str| header.iter().position(|h| h == name).unwrap_or_else(|| panic!("{name} in {header:?}"));
    let records: Vec<csv::StringRecord> = table.records().map(Result::unwrap).collect();
    assert_eq!(records.len(), 10);
    for (record, asset) in records.iter().zip(summary["assets"].as_array().unwrap()) {
        assert_eq!(record[0], *asset["name"].as_str().unwrap());
        for key in ["point", "mean", "sd", "q025", "q05", "q25", "q50", "q75", "q95", "q975"] {
            // serde_json reads decimal numbers to within an ulp.
            let (cell, number) = (record[column(key)].parse::<f64>().unwrap(), asset[key].as_f64().unwrap());
            assert!((cell - number).abs() <= 4e-16 * number.abs(), "{key}: {cell} {number}");
        }
    }

    let solved = read_weights(&folder.path("new/out/weights.parquet"), &names);
    assert!(solved.iter().map(|row| row.resample).eq(0..30));
    let temporary: Vec<_> = fs::read_dir(folder.path("new/out"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.starts_with('.') || name.contains("part") || name.contains("tmp"))
        .collect();
    assert!(temporary.is_empty(), "{temporary:?}");
}

#[test]
fn an_equal_finished_run_is_shown_again_and_keeps_its_seed() {
    let folder = Folder::new();
    let out = folder.name("out");
    for format in ["--json", "--quiet"] {
        // No seed given: the finished run lends its own.
        let first = equirisk(&with(&["-o", &out, "--force", format])).succeeded();
        let written = FILES.map(|file| fs::read(folder.path("out").join(file)).unwrap());
        let again = equirisk(&with(&["-o", &out, format, "--threads", "1"])).succeeded();
        assert_eq!(again.stdout, first.stdout);
        assert!(FILES.map(|file| fs::read(folder.path("out").join(file)).unwrap()) == written);
    }
}

#[test]
fn a_different_job_in_the_directory_is_refused_until_force_replaces_it() {
    let folder = Folder::new();
    let out = folder.name("out");
    equirisk(&with(&["-o", &out, "--seed", "1"])).succeeded();
    let written = FILES.map(|file| fs::read(folder.path("out").join(file)).unwrap());
    for other in [
        &["--seed", "2"][..],
        &["--seed", "1", "--scheme", "circular"],
        &["--seed", "1", "--block", "9"],
        &["--seed", "1", "--no-sensitivity"],
        &["--seed", "1", "--budgets", "S&P 500=1,NIKKEI=1", "--assets", "S&P 500,NIKKEI"],
    ] {
        let run = equirisk(&with(&[&["-o", &out], other].concat())).refused(2);
        assert!(run.stderr.contains("hint: ") && run.stderr.contains("--force"), "{}", run.stderr);
        let differs = match other {
            ["--seed", "2"] => "seed 1, now 2",
            [.., "--scheme", _] => "scheme stationary, now circular",
            [.., "--block", _] => "block auto, now 9",
            [.., "--no-sensitivity"] => "sensitivity yes, now no",
            _ => "other budgets; other data",
        };
        assert!(run.stderr.contains(&format!("a different run: {differs}\n")), "{}", run.stderr);
    }
    assert!(FILES.map(|file| fs::read(folder.path("out").join(file)).unwrap()) == written);

    let run = equirisk(&with(&["-o", &out, "--seed", "2", "--json", "--force"])).succeeded();
    assert_eq!(folder.read("out/summary.json").trim_end(), run.stdout.trim_end());
    assert_eq!(run.json()["run"]["seed"], 2);
}

#[test]
fn a_run_by_another_estimator_is_another_run() {
    let folder = Folder::new();
    let out = folder.name("out");
    let args = with(&["-o", &out, "--seed", "1"]);
    equirisk(&args).succeeded();
    let changed = folder.read("out/run.json").replace("\"estimator\": \"sample\"", "\"estimator\": \"other\"");
    folder.write("out/run.json", changed);
    let refused = equirisk(&[&args[..], &["--estimator", "sample"]].concat()).refused(2);
    assert!(refused.stderr.contains("estimator other, now sample"), "{}", refused.stderr);
    // Nor is one verified that this version does not know.
    equirisk(&["verify", &out]).refused(4);
    let unknown = equirisk(&with(&["--estimator", "shrunk"])).refused(2);
    assert!(unknown.stderr.contains("possible values: sample"), "{}", unknown.stderr);
}

/// The manifest marks a run as finished, but its files are the result.
#[test]
fn a_run_that_lost_a_file_is_not_taken_for_finished() {
    let folder = Folder::new();
    let args = with(&["--seed", "1"]);
    for file in FILES {
        let out = folder.name(file);
        let args = [&args[..], &["-o", &out]].concat();
        equirisk(&args).succeeded();
        let path = folder.path(file).join(file);
        fs::remove_file(&path).unwrap();
        let run = equirisk(&args);
        let refused = run.code != 0 && run.stdout.is_empty() && run.stderr.contains("hint: ");
        assert!(refused || (run.code == 0 && path.exists()), "{file} is gone, yet: {run:?}");
    }
}

#[test]
fn files_of_another_origin_are_not_overwritten_without_force() {
    for file in FILES {
        let folder = Folder::new();
        folder.write(file, "precious");
        let run = equirisk(&with(&["--seed", "1", "-o", &folder.name("")]));
        assert!(folder.read(file) == "precious", "{file} was overwritten, exit code {}: {}", run.code, run.stderr);
        run.refused(2);
    }
}

#[test]
fn an_output_that_is_no_directory_is_refused() {
    let folder = Folder::new();
    let file = folder.write("file", "precious");
    for out in [file.clone(), file + "/below"] {
        let run = equirisk(&with(&["--seed", "1", "-o", &out]));
        assert!([1, 2].contains(&run.code) && run.stdout.is_empty(), "{run:?}");
    }
    assert_eq!(folder.read("file"), "precious");
}

#[test]
fn an_equal_run_is_known_again_whatever_its_budgets_round_to() {
    let folder = Folder::new();
    for assets in [3, 7, 9] {
        let budgets: Vec<String> = NAMES
            .iter()
            .take(assets)
            .enumerate()
            .map(|(i, n)| format!("{n}={}", 0.1 + 0.37 / (i + 3) as f64))
            .collect();
        let (names, budgets, out) = (NAMES[..assets].join(","), budgets.join(","), folder.name(&assets.to_string()));
        let args = [
            "bootstrap",
            "-B",
            "20",
            "--seed",
            "1",
            "--no-sensitivity",
            "--tolerance",
            "3.3e-9",
            "--assets",
            &names,
            "--budgets",
            &budgets,
            "-o",
            &out,
        ];
        let first = equirisk(&args).succeeded().stdout;
        assert_eq!(equirisk(&args).succeeded().stdout, first, "{assets} assets");
    }
}

/// Assets of the embedded sample whose names hold no comma or equals sign.
const NAMES: [&str; 9] = [
    "US BONDS 10Y",
    "GERMAN BONDS 10Y",
    "S&P 500",
    "EUROSTOXX 50",
    "NIKKEI",
    "MSCI Emerging",
    "Iboxx HY US",
    "Iboxx HY EUR",
    "Emerging Debt",
];
