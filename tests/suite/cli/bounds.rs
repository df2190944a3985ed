//! Does `equirisk screen` keep the bounds of the weights, wherever a subset is solved?

use std::fs;

use serde_json::Value;

use crate::cases::numbers;
use crate::run::{Folder, equirisk, json};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/sp500_20_daily_px.csv.gz");

/// Bounds of some assets of [`DATA`]: no two of AAPL, CVX, HD and JPM leave anything to others, and the caps of four may not
/// hold the whole.
const BOUNDS: &str = "asset,min,max\nAAPL,0.55,\nAMD,,0.15\nBAC,0.25,0.25\nBBY,,0.1\nCVX,0.55,0.6\nGE,,0.2\nHD,0.5,\n\
                      JNJ,,0.3\nJPM,0.5,0.5\nKO,,0.25\n";

fn names(entry: &Value) -> Vec<&str> {
    entry["assets"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

/// The largest relative difference.
fn apart(a: &Value, b: &Value) -> f64 {
    numbers(a).iter().zip(numbers(b)).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max)
}

#[test]
fn a_listed_subset_is_what_solve_finds_within_the_same_bounds() {
    let folder = Folder::new();
    let bounds = folder.write("bounds.csv", BOUNDS);
    for limits in
        [&["--max-weight", "30%"][..], &["--min-weight", "0.15"], &["--bounds", &bounds, "--max-weight", "0.6"]]
    {
        for size in ["4", "6"] {
            let found = json(&[&["screen", DATA, "-k", size, "--top", "12", "--json"], limits].concat());
            for entry in found["top"].as_array().unwrap() {
                let assets = names(entry);
                // Of a file, the rows of these assets.
                let own: Vec<&str> = BOUNDS
                    .lines()
                    .filter(|row| row.starts_with("asset,") || assets.iter().any(|a| row.starts_with(&format!("{a},"))))
                    .collect();
                folder.write("own.csv", own.join("\n"));
                let own = folder.name("own.csv");
                let mut limits = limits.to_vec();
                if let Some(file) = limits.iter_mut().find(|word| **word == bounds) {
                    *file = &own;
                }
                let solved = json(&[&["solve", DATA, "--assets", &assets.join(","), "--json"], &limits[..]].concat());
                assert!(apart(&entry["weights"], &solved["weights"]) <= 1e-9, "{limits:?} {assets:?}");
                assert_eq!(entry["bounds"], solved["bounds"], "{limits:?} {assets:?}");
                assert!(entry["kkt_error"].as_f64().unwrap() <= 1e-12);
                let volatility = [entry, &solved].map(|one| one["volatility"].as_f64().unwrap());
                assert!((volatility[0] / volatility[1] - 1.0).abs() <= 1e-9);
            }
        }
    }
}

/// What there is in a directory but the record of the run.
fn files(folder: &Folder, name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder.path(name)).unwrap().map(|entry| entry.unwrap());
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()));
    let mut files: Vec<_> = named.filter(|(name, _)| name != "run.json").collect();
    files.sort();
    files
}

#[test]
fn bytes_within_bounds_are_the_same_for_any_threads_parts_and_a_second_start() {
    let folder = Folder::new();
    let (bounds, path) = (folder.write("bounds.csv", BOUNDS), |name: &str| folder.name(name));
    let again = ["--bootstrap-top", "4", "-B", "40", "--seed", "3", "--where", "effective-bets>1.5"];
    let study = |more: &[&str]| {
        let words = ["screen", DATA, "-k", "4", "--by", "sharpe", "--top", "9", "-q", "--bounds", &bounds];
        equirisk(&[&words, &again[..], more].concat()).succeeded()
    };
    study(&["-o", &path("one"), "--threads", "1"]);
    study(&["-o", &path("two"), "--threads", "2"]);
    for part in ["0/2", "1/2"] {
        study(&["-o", &path(&part.replace('/', "-")), "--shard", part]);
    }
    equirisk(&["merge", &path("0-2"), &path("1-2"), "-q", "-o", &path("joined")]).succeeded();
    let one = files(&folder, "one");
    assert!(one == files(&folder, "two") && one == files(&folder, "joined"));
    equirisk(&["verify", &path("one")]).succeeded();
    let summary: Value = serde_json::from_str(&folder.read("one/summary.json")).unwrap();
    let solves = &summary["solves"];
    assert!(solves["infeasible"].as_u64().unwrap() > 500 && solves["converged"].as_u64().unwrap() > 1000, "{solves}");
    // Every winner has a portfolio on every resample: bounds do not depend on what is drawn.
    assert_eq!(summary["bootstrap"]["counted"], 40);
    // The same run is known again, with other bounds it is another.
    study(&["-o", &path("one")]);
    folder.write("bounds.csv", BOUNDS.replace("AMD,,0.15", "AMD,,0.16"));
    let other =
        equirisk(&["screen", DATA, "-k", "4", "--by", "sharpe", "--top", "9", "--bounds", &bounds, "-o", &path("one")]);
    assert!(other.refused(2).stderr.contains("other bounds"));
}

#[test]
fn halves_and_winners_are_within_the_bounds_too() {
    let folder = Folder::new();
    let out = folder.name("run");
    let args = ["screen", "-k", "4", "--by", "max-weight", "--top", "5", "--max-weight", "0.3", "--bootstrap-top", "5"];
    equirisk(&[&args[..], &["-B", "60", "--seed", "1", "-q", "-o", &out]].concat()).succeeded();
    let found: Value = serde_json::from_str(&folder.read("run/summary.json")).unwrap();
    for entry in found["top"].as_array().unwrap() {
        for half in ["first", "second"] {
            let largest = entry["halves"][half].as_f64().unwrap();
            assert!((0.25..=0.3).contains(&largest), "{entry}");
        }
    }
    for winner in found["bootstrap"]["winners"].as_array().unwrap() {
        assert!(winner["value"]["q95"].as_f64().unwrap() <= 0.3 && winner["value"]["q05"].as_f64().unwrap() >= 0.25);
    }
    // Without bounds the best of these hold more in a half.
    let free = json(&[&args[..7], &["--json"]].concat());
    assert!(free["top"][4]["halves"]["second"].as_f64().unwrap() > 0.3, "{free}");
    let report = folder.read("run/report.html").replace('\u{a0}', " ");
    assert!(report.contains("30.00 % max") && report.contains("weights of at most 30 %"));
    let top = folder.read("run/top.csv");
    let (head, first) = (top.lines().next().unwrap(), top.lines().nth(1).unwrap());
    assert!(head.contains("rc_error,kkt_error,") && head.ends_with("bound_1,bound_2,bound_3,bound_4"), "{head}");
    assert_eq!(head.split(',').count(), first.split(',').count());
    assert!(folder.read("run/list.csv").starts_with("place,asset,weight,bound\n"));
}

#[test]
fn bounds_go_with_whatever_else_shapes_the_subsets() {
    let folder = Folder::new();
    let groups = folder.write("groups.csv", "asset,group\nAAPL,tech\nAMD,tech\nMSFT,tech\nBAC,bank\nJPM,bank\n");
    let run = |more: &[&str]| json(&[&["screen", DATA, "-k", "4", "--top", "5000", "--json"], more].concat());
    let shaped = ["--include", "KO", "--groups", &groups, "--group-max", "tech=1", "--max-correlation", "0.5"];
    let (free, bounded) = (run(&shaped), run(&[&shaped[..], &["--max-weight", "KO=0.2,WMT=0.2,AAPL=0.1"]].concat()));
    assert_eq!(
        (&free["subsets"]["space"], &free["solves"]["total"]),
        (&bounded["subsets"]["space"], &bounded["solves"]["total"])
    );
    // None of these is infeasible: the two that are not bounded may hold the rest.
    assert_eq!(bounded["solves"]["infeasible"], 0);
    let mut held = 0;
    for entry in bounded["top"].as_array().unwrap() {
        let at = names(entry).iter().position(|name| *name == "KO").unwrap();
        let weight = numbers(&entry["weights"])[at];
        assert!(weight <= 0.2 && (entry["bounds"][at] == "max") == (weight == 0.2), "{entry}");
        held += usize::from(weight == 0.2);
    }
    assert!(held > 100, "{held}");
    // An asset that may have no weight is in no subset.
    let without =
        equirisk(&["screen", DATA, "-k", "3", "--max-weight", "KO=0,WMT=0", "--top", "5000", "--json"]).succeeded();
    assert!(without.stderr.contains("a largest weight of 0 leaves out `KO` and `WMT`"), "{}", without.stderr);
    let without = without.json();
    assert_eq!((&without["subsets"]["space"], &without["run"]["assets"]), (&816.into(), &18.into()));
    assert!(without["run"]["bounds"].is_null() && without["top"][0]["bounds"].is_null());
    // A sample too.
    let sampled = run(&["--sample", "300", "--seed", "1", "--min-weight", "KO=0.6,WMT=0.6"]);
    assert_eq!(sampled["solves"]["total"], 300);
    let both = |entry: &Value| names(entry).contains(&"KO") && names(entry).contains(&"WMT");
    assert!(sampled["solves"]["infeasible"].as_u64().unwrap() > 0);
    assert!(!sampled["top"].as_array().unwrap().iter().any(both));
}

#[test]
fn bounds_that_no_subset_is_within_are_refused_before_any_work() {
    let folder = Folder::new();
    let caps = folder
        .write("caps.csv", "asset,max\n".to_string() + &["A", "B", "C", "D"].map(|a| format!("{a},0.2\n")).concat());
    let data = folder.write("data.csv", "A,B,C,D\n1,2,3,4\n1.1,2.1,2.9,4.2\n1.2,2,3.1,4.1\n1.1,2.2,3.2,4\n");
    for (words, said, hint) in [
        (
            &["-k", "3", "--max-weight", "0.3"][..],
            "3 assets of at most 0.3 hold at most 0.9, below 1",
            "raise --max-weight to 0.333334 or more",
        ),
        (
            &["-k", "3", "--min-weight", "40%"],
            "3 assets of at least 0.4 hold at least 1.2, above 1",
            "lower --min-weight to 0.33333 or less",
        ),
        (&["-k", "3", "--max-weight", "A=0.2,B=0.2,C=0.3"], "", ""),
        (
            &["-k", "2", "--max-weight", "A=0.2,B=0.2,C=0.3,D=0.6"],
            "the largest weights of any 2 assets sum to at most 0.9, below 1",
            "raise some of them, by 0.1 in all: --max-weight or --bounds",
        ),
        (
            &["-k", "3", "--min-weight", "A=0.4,B=0.4,C=0.4,D=0.3"],
            "the least weights of any 3 assets sum to at least 1.1, above 1",
            "lower some of them, by 0.1 in all: --min-weight or --bounds",
        ),
        (
            &["-k", "2", "--include", "A", "--max-weight", "A=0.2,B=0.7,C=0.7,D=0.7"],
            "the largest weights of any 2 assets sum to at most 0.9, below 1",
            "",
        ),
        (&["-k", "4", "--max-weight", &caps], "4 assets of at most 0.2 hold at most 0.8, below 1", "0.25 or more"),
        (&["-k", "2", "--max-weight", "0"], "2 assets of at most 0 hold at most 0, below 1", ""),
        (
            &["-k", "2", "--max-weight", "A=0.1", "--min-weight", "A=0.2"],
            "A: at least 0.2, but at most 0.1",
            "the tighter holds",
        ),
        (
            &["-k", "2", "--include", "A", "--max-weight", "A=0"],
            "`A` is included and has a largest weight of 0",
            "--include",
        ),
        (
            &["-k", "2", "--min-weight", "-0.1"],
            "the least weight is negative: -0.1",
            "no asset is short: weights are from 0 to 1",
        ),
        (
            &["-k", "2", "--max-weight", "0.6", "--engine", "gpu"],
            "subsets within bounds of weights are solved on the CPU",
            "leave --engine gpu out, or the bounds",
        ),
    ] {
        let run = equirisk(&[&["screen", &data], words].concat());
        if said.is_empty() {
            run.succeeded();
            continue;
        }
        let run = run.refused(2);
        assert!(
            run.stderr.contains(&format!("error: {said}")) || run.stderr.contains(said),
            "{words:?}: {}",
            run.stderr
        );
        assert!(run.stderr.contains(hint) && !run.stderr.contains("--signs"), "{words:?}: {}", run.stderr);
    }
    // Some subsets are, but none that can be formed: nothing is solved.
    let pairs = ["--max-weight", "A=0.3,B=0.3,C=0.3,D=0.7", "--min-weight", "D=0.7"];
    let found = equirisk(&[&["screen", &data, "-k", "2", "--json"], &pairs[..]].concat()).succeeded().json();
    assert_eq!((&found["solves"]["infeasible"], &found["solves"]["converged"]), (&3.into(), &3.into()));
    assert_eq!(equirisk(&[&["screen", &data, "-k", "2", "--strict", "-q"], &pairs[..]].concat()).code, 0);
}
