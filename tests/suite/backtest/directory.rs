//! Is a run kept, shown again, the same whatever computed it, and found out where it was changed?

use std::fs;

use serde_json::Value;

use super::history::History;
use super::{MIX, Table, backtest, finished};
use crate::interrupted::{assert_equal, results};
use crate::run::{Folder, equirisk, json};

const ARGS: [&str; 12] = [
    "--from",
    "2007-01-01",
    "--to",
    "2010-12-31",
    "--lookback",
    "120",
    "--target-vol",
    "0.1",
    "--regime",
    "21",
    "--period",
    "fall=2008-09..2008-11",
];

const FILES: [&str; 10] = [
    "run.json",
    "summary.json",
    "summary.txt",
    "metrics.csv",
    "periods.csv",
    "report.html",
    "weights.parquet",
    "holdings.parquet",
    "wealth.parquet",
    "returns.parquet",
];

fn with<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&ARGS[..], extra].concat()
}

#[test]
fn a_run_leaves_its_files_and_a_finished_one_is_shown_again() {
    let folder = Folder::new();
    let first = backtest(&folder, &with(&["-o", "new/out", "--json"])).succeeded();
    for file in FILES {
        assert!(folder.path("new/out").join(file).exists(), "no {file}");
    }
    let written = results(&folder.path("new/out"));
    assert!(written.iter().all(|(name, _)| !name.starts_with('.') && !name.contains("part") && !name.contains("tmp")));
    let again = backtest(&folder, &with(&["-o", "new/out", "--json", "--threads", "1"])).succeeded();
    assert_eq!(again.stdout, first.stdout);
    assert!(again.stderr.contains("holds this run already"), "{}", again.stderr);
    // What is printed for people is what is kept for them, but for the notes on the data.
    let shown = backtest(&folder, &with(&["-o", "new/out"])).succeeded().stdout;
    assert!(folder.read("new/out/summary.txt").starts_with(shown.trim_end()), "{shown}");
    assert_equal(&folder.path("new/out"), &written);
}

#[test]
fn a_different_backtest_in_the_directory_is_refused_until_force_replaces_it() {
    let folder = Folder::new();
    backtest(&folder, &with(&["-o", "out"])).succeeded();
    let written = results(&folder.path("out"));
    for (other, said) in [
        (&["--lag", "2"][..], "lag 1, now 2"),
        (&["--cost-bps", "7"], "rates"),
        (&["--estimator", "oas"], "estimator sample, now oas"),
        (&["--rebalance", "weekly"], "period month, now week"),
        (&["--methods", "erc"], "methods"),
        (&["--fixed", MIX, "--fixed", "all:NIKKEI=1"], "fixed"),
        (&["--cash-rate", "0.02"], "data"),
        (&["--overlap", "3"], "overlap 1, now 3"),
        (&["--no-initial-cost"], "initial yes, now no"),
        (&["--max-leverage", "2"], "3.0, now 2.0"),
        (&["--benchmark", "erc"], "benchmark 60/40, now erc"),
    ] {
        let run = backtest(&folder, &with(&[&["-o", "out"], other].concat())).refused(2);
        let differs = run.stderr.split("a different run: ").nth(1).unwrap_or_else(|| panic!("{}", run.stderr));
        assert!(differs.lines().next().unwrap().contains(said), "{other:?}: {differs}");
        assert!(run.stderr.contains("--force"), "{}", run.stderr);
    }
    assert_equal(&folder.path("out"), &written);
    let replaced = backtest(&folder, &with(&["-o", "out", "--lag", "2", "--force", "--json"])).succeeded();
    assert_eq!(replaced.json()["run"]["lag"], 2);
    assert_eq!(folder.read("out/summary.json"), replaced.stdout);
}

#[test]
fn two_runs_are_equal_to_the_last_byte_whatever_the_threads() {
    let folder = Folder::new();
    backtest(&folder, &with(&["-o", "one", "--threads", "1"])).succeeded();
    let written = results(&folder.path("one"));
    for (out, threads) in [("again", "1"), ("two", "2"), ("seven", "7")] {
        backtest(&folder, &with(&["-o", out, "--threads", threads])).succeeded();
        assert_equal(&folder.path(out), &written);
    }
}

#[test]
fn a_sound_run_is_verified_and_every_changed_file_is_named() {
    let folder = Folder::new();
    let out = folder.name("out");
    backtest(&folder, &with(&["-o", "out"])).succeeded();
    let found = json(&["verify", &out, "--json", "--crosscheck", "all"]);
    let decisions = serde_json::from_str::<Value>(&folder.read("out/summary.json")).unwrap()["rebalances"].clone();
    assert_eq!((&found["study"], &found["crosscheck"]["sampled"]), (&Value::from("backtest"), &decisions));
    assert_eq!(found["crosscheck"]["disagreements"], 0);
    // The same program on the same machine.
    assert!(found["crosscheck"]["max_weight_difference"].as_f64().unwrap() <= 1e-14, "{found}");
    for name in FILES.into_iter().filter(|name| *name != "run.json") {
        let path = folder.path("out").join(name);
        let bytes = fs::read(&path).unwrap();
        let mut flipped = bytes.clone();
        flipped[bytes.len() / 2] ^= 1;
        fs::write(&path, &flipped).unwrap();
        let run = equirisk(&["verify", &out]).refused(1);
        assert!(run.stderr.contains(name), "{name}: {}", run.stderr);
        fs::remove_file(&path).unwrap();
        equirisk(&["verify", &out]).refused(1);
        // Nor is a run without it taken for a finished one.
        let again = backtest(&folder, &with(&["-o", "out"]));
        assert!(again.code != 0 && again.stderr.contains("hint: ") || path.exists(), "{name}: {again:?}");
        fs::write(&path, bytes).unwrap();
    }
    equirisk(&["verify", &out]).succeeded();
}

/// Digests can be forged along with the numbers; decisions made again cannot.
#[test]
fn weights_that_were_not_decided_are_a_disagreement() {
    let folder = Folder::new();
    backtest(&folder, &with(&["-o", "out"])).succeeded();
    backtest(&folder, &with(&["-o", "other", "--estimator", "oas"])).succeeded();
    fs::copy(folder.path("other/weights.parquet"), folder.path("out/weights.parquet")).unwrap();
    let digest = |name: &str| {
        let manifest: Value = serde_json::from_str(&folder.read(name)).unwrap();
        manifest["outputs_sha256"]["weights.parquet"].as_str().unwrap().to_owned()
    };
    let forged = folder.read("out/run.json").replace(&digest("out/run.json"), &digest("other/run.json"));
    folder.write("out/run.json", forged);
    let run = equirisk(&["verify", &folder.name("out")]);
    assert_eq!(run.code, 6, "{run:?}");
}

fn records(text: &str) -> (Vec<String>, Vec<Vec<String>>) {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let names = reader.headers().unwrap().iter().map(str::to_owned).collect();
    (names, reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect())
}

fn assert_cell(what: &str, cell: &str, expected: &Value) {
    match expected {
        Value::Null => assert_eq!(cell, "", "{what}"),
        Value::String(text) => assert_eq!(cell, text, "{what}"),
        number => assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{what}"),
    }
}

#[test]
fn the_tables_hold_what_the_json_holds() {
    let folder = Folder::new();
    let run = finished(&folder, &with(&["--methods", "erc,hrp,equal-weight"]));
    let (names, lines) = records(&folder.read("out/metrics.csv"));
    assert_eq!(lines.iter().map(|line| line[0].clone()).collect::<Vec<_>>(), run.strategies());
    for line in &lines {
        let metrics = &run.strategy(&line[0])["metrics"];
        for (name, cell) in names.iter().zip(line).skip(1) {
            let expected = match name.as_str() {
                "sharpe_difference" => &metrics[name]["difference"],
                "p_value" => &metrics["sharpe_difference"][name],
                _ => metrics.get(name).unwrap_or_else(|| panic!("{name} is not in the JSON")),
            };
            assert_cell(&format!("{} {name}", line[0]), cell, expected);
        }
        // All figures that are one number are there.
        for (key, value) in metrics.as_object().unwrap().iter().filter(|(_, value)| value.is_number()) {
            assert!(names.contains(key), "{key}, {value}, is not in metrics.csv");
        }
    }
    let (names, lines) = records(&folder.read("out/periods.csv"));
    let mut lines = lines.iter();
    for period in run.summary["periods"].as_array().unwrap() {
        for figures in period["figures"].as_array().unwrap() {
            let line = lines.next().expect("a line for each period and strategy");
            for (name, cell) in names.iter().zip(line) {
                let expected = period.get(name).unwrap_or(&figures[name]);
                assert_cell(&format!("{} {name}", period["name"]), cell, expected);
            }
        }
    }
    assert!(lines.next().is_none());
    let kinds: Vec<&str> =
        run.summary["periods"].as_array().unwrap().iter().map(|p| p["kind"].as_str().unwrap()).collect();
    assert!(["drawdown", "volatility", "named"].iter().all(|kind| kinds.contains(kind)), "{kinds:?}");
}

#[test]
fn returns_are_kept_as_they_were_used_with_cash_and_nothing_outside_a_life() {
    let folder = Folder::new();
    let history = History::sample()
        .between("2006-12-29", "2008-12-31")
        .starting("NIKKEI", "2007-06-15")
        .ending("S&P 500", "2008-03-14");
    folder.write("data.csv", history.csv());
    finished(&folder, &["data.csv", "--lookback", "60", "--cash-rate", "0.03"]);
    let kept = Table::read(&folder.path("out/returns.parquet"));
    let returns = history.returns();
    assert_eq!(kept.texts["date"], returns.dates);
    for (row, values) in returns.numbers().iter().enumerate() {
        for (asset, r) in returns.assets.iter().zip(values) {
            // Of prices around one, rounded once more or less.
            assert!(super::close(kept.number(asset, row), *r, 1e-15), "{asset} on {}", returns.dates[row]);
        }
        // Friday to Monday is three days of 365.
        let days = if row == 0 { continue } else { days(&returns.dates[row - 1], &returns.dates[row]) };
        assert!((kept.number("cash", row) - 0.03 * days / 365.0).abs() <= 1e-17, "{}", returns.dates[row]);
    }
}

fn days(from: &str, to: &str) -> f64 {
    let day = |text: &str| text.parse::<jiff::civil::Date>().unwrap();
    f64::from((day(to) - day(from)).get_days())
}

#[test]
fn a_dry_run_says_what_would_be_decided_and_writes_nothing() {
    let folder = Folder::new();
    let dry = backtest(&folder, &with(&["--dry-run", "--json", "-o", "out"])).succeeded().json();
    assert!(!folder.path("out").exists());
    let run = finished(&folder, &ARGS);
    for key in ["first_decision", "first_trade", "evaluated_rows"] {
        assert_eq!(dry[key], run.summary["run"][key], "{key}");
    }
    assert_eq!(dry["decisions"], run.summary["rebalances"]);
}
