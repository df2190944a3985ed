//! Does `equirisk screen` answer as it promises, and refuse in words what it cannot?

use std::fmt::Write as _;

use arrow_array::cast::AsArray as _;
use arrow_array::types::{Float64Type, UInt64Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::Value;

use crate::cases::{Npz, numbers};
use crate::run::{Folder, equirisk, json, returns};

/// Daily returns with dates: 400 rows of 8 assets.
fn history(folder: &Folder) -> (String, Vec<f64>) {
    let values = returns(400, 8, 0.6, 11);
    let mut text = String::from("date,A,B,C,D,E,F,G,H\n");
    let mut date = jiff::civil::date(2020, 1, 1);
    for row in values.chunks(8) {
        let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{date},{}", cells.join(","));
        date = date.tomorrow().unwrap();
    }
    (folder.write("returns.csv", text), values)
}

fn covariance(folder: &Folder, names: &[String], values: &[f64]) -> String {
    let mut text = format!(",{}\n", names.join(","));
    for (name, row) in names.iter().zip(values.chunks(names.len())) {
        let cells: Vec<String> = row.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{name},{}", cells.join(","));
    }
    folder.write("covariance.csv", text)
}

fn hang_seng(folder: &Folder) -> String {
    let names: Vec<String> = (1..=31).map(|i| format!("A{i}")).collect();
    covariance(folder, &names, &Npz::open("reference/orlib_hangseng31.npz").array("cov").1)
}

fn held(entry: &Value) -> Vec<&str> {
    entry["assets"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect()
}

#[test]
fn a_covariance_is_screened_and_the_same_bytes_come_with_any_number_of_threads() {
    let folder = Folder::new();
    let data = hang_seng(&folder);
    let args = ["screen", &data, "--covariance", "--size", "4", "--top", "20", "--json", "--threads"];
    let run = |threads: &'static str| equirisk(&[&args[..], &[threads]].concat()).succeeded();
    let (one, two) = (run("1"), run("2"));
    assert_eq!(one.stdout, two.stdout);
    let outcome = one.json();
    assert_eq!(outcome["subsets"]["space"], 31_465);
    assert_eq!(outcome["subsets"]["screened"], 31_465);
    assert_eq!(outcome["solves"]["converged"], 31_465);
    let top = outcome["top"].as_array().unwrap();
    assert_eq!(top.len(), 20);
    for entry in top {
        assert_eq!(entry["value"], entry["diversification_ratio"]);
        assert!(entry["rc_error"].as_f64().unwrap() < 1e-14);
        assert!((numbers(&entry["weights"]).iter().sum::<f64>() - 1.0).abs() < 1e-15);
        assert_eq!((entry["path"].is_null(), entry["halves"].is_null()), (true, true));
    }
    // The portfolio that `solve` finds for the same assets.
    let solved = json(&["solve", &data, "--covariance", "--assets", &held(&top[0]).join(","), "--json"]);
    let apart =
        |a: &Value, b: &Value| numbers(a).iter().zip(numbers(b)).map(|(a, b)| (a / b - 1.0).abs()).fold(0.0, f64::max);
    assert!(apart(&top[0]["weights"], &solved["weights"]) < 1e-12);
    let volatility = top[0]["volatility"].as_f64().unwrap();
    assert!((volatility / solved["volatility"].as_f64().unwrap() - 1.0).abs() < 1e-12);
}

#[test]
fn a_device_prints_the_list_of_the_cpu() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let run = |engine: &str, by: &str| {
        json(&["screen", &data, "--returns", "-k", "4", "--by", by, "--json", "--engine", engine])
    };
    for by in ["diversification", "sharpe"] {
        let (gpu, cpu) = (run("gpu", by), run("cpu", by));
        assert_eq!(gpu["top"], cpu["top"]);
        assert_eq!((&gpu["crosscheck"]["sampled"], &gpu["crosscheck"]["disagreements"]), (&64.into(), &0.into()));
        assert!(cpu["crosscheck"].is_null() && gpu["run"]["engine"] == "gpu" && !gpu["run"]["adapter"].is_null());
    }
}

#[test]
fn constraints_hold_and_their_counts_are_exact() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let groups = folder.write("groups.csv", "asset,group\nA,x\nB,x\nC,x\nD,y\nE,y\n");
    let outcome = json(&[
        "screen",
        &data,
        "--returns",
        "-k",
        "4",
        "--include",
        "A",
        "--exclude",
        "H",
        "--groups",
        &groups,
        "--group-max",
        "x=2",
        "--group-min",
        "y=1",
        "--top",
        "100",
        "--json",
    ]);
    // A and one of {none, B, C}; of D, E one or two; the rest of F, G.
    // Without B, C: (1 of y, 2 of FG) 2 + (2 of y, 1 of FG) 2 = 4; with one of them: 2 x (2 x 2 + 1) = 10.
    assert_eq!(outcome["subsets"]["space"], 14);
    let top = outcome["top"].as_array().unwrap();
    assert_eq!(top.len(), 14);
    for entry in top {
        let held = held(entry);
        let of = |group: &[&str]| held.iter().filter(|name| group.contains(name)).count();
        assert!(held.contains(&"A") && !held.contains(&"H") && of(&["A", "B", "C"]) <= 2 && of(&["D", "E"]) >= 1);
    }
}

#[test]
fn caps_and_bounds_are_counted_and_kept() {
    let folder = Folder::new();
    let data = hang_seng(&folder);
    let run = |more: &[&str]| {
        json(&[&["screen", &data, "--covariance", "-k", "3", "--top", "5000", "--json"], more].concat())
    };
    let all = run(&[]);
    let count = |keeps: &dyn Fn(&Value) -> bool| all["top"].as_array().unwrap().iter().filter(|e| keeps(e)).count();
    let volatility = |entry: &Value| entry["volatility"].as_f64().unwrap();
    let bounded = run(&["--where", "volatility<0.035", "--where", "max-weight <= 40%"]);
    let expected = count(&|e| volatility(e) < 0.035 && e["max_weight"].as_f64().unwrap() <= 0.4);
    assert!(expected > 10 && bounded["subsets"]["passing"] == expected && bounded["subsets"]["feasible"] == 4495);
    assert_eq!(bounded["top"].as_array().unwrap().len(), expected);
    let capped = run(&["--max-correlation", "0.45"]);
    let correlation = Npz::open("reference/orlib_hangseng31.npz").array("cov").1;
    let c = |i: usize, j: usize| correlation[i * 31 + j] / (correlation[i * 32] * correlation[j * 32]).sqrt();
    let mut feasible = 0;
    for i in 0..31 {
        for j in 0..i {
            for l in 0..j {
                feasible += u64::from(c(i, j) <= 0.45 && c(i, l) <= 0.45 && c(j, l) <= 0.45);
            }
        }
    }
    assert!(feasible > 10 && capped["subsets"]["feasible"] == feasible && capped["solves"]["total"] == feasible);
}

#[test]
fn figures_of_the_path_are_those_of_the_returns() {
    let folder = Folder::new();
    let (data, values) = history(&folder);
    let run = |by: &str| {
        json(&[
            "screen",
            &data,
            "--returns",
            "-k",
            "3",
            "--by",
            by,
            "--top",
            "56",
            "--json",
            "--periods-per-year",
            "252",
        ])
    };
    let outcome = run("sharpe");
    let top = outcome["top"].as_array().unwrap();
    assert_eq!(top.len(), 56);
    for entry in top {
        let positions: Vec<usize> = held(entry).iter().map(|name| "ABCDEFGH".find(name).unwrap()).collect();
        let weights = numbers(&entry["weights"]);
        let path: Vec<f64> =
            values.chunks(8).map(|row| positions.iter().zip(&weights).map(|(&i, w)| row[i] * w).sum()).collect();
        let mean = path.iter().sum::<f64>() / 400.0;
        let sd = (path.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 399.0).sqrt();
        let below = (path.iter().map(|r| r.min(0.0).powi(2)).sum::<f64>() / 400.0).sqrt();
        let mut sorted = path.clone();
        sorted.sort_by(f64::total_cmp);
        let (mut wealth, mut peak, mut drawdown) = (1.0_f64, 1.0_f64, 0.0_f64);
        for r in &path {
            wealth *= 1.0 + r;
            peak = peak.max(wealth);
            drawdown = drawdown.max(1.0 - wealth / peak);
        }
        let expected = [
            ("sharpe", 252.0_f64.sqrt() * mean / sd),
            ("sortino", 252.0_f64.sqrt() * mean / below),
            ("max_drawdown", drawdown),
            ("cvar95", -sorted[..20].iter().sum::<f64>() / 20.0),
            ("calmar", (wealth.powf(252.0 / 400.0) - 1.0) / drawdown),
        ];
        for (name, expected) in expected {
            let found = entry["path"][name].as_f64().unwrap();
            assert!((found - expected).abs() < 1e-10 * expected.abs().max(1.0), "{name}: {found} {expected}");
        }
        // The sample covariance gives the same volatility as the path.
        assert!((entry["volatility"].as_f64().unwrap() / sd - 1.0).abs() < 1e-10);
    }
    let values = |outcome: &Value| -> Vec<f64> {
        outcome["top"].as_array().unwrap().iter().map(|entry| entry["value"].as_f64().unwrap()).collect()
    };
    assert!(values(&outcome).is_sorted_by(|a, b| a >= b));
    assert!(values(&run("max-drawdown")).is_sorted_by(|a, b| a <= b));
    // A bound on the path, under another ranking, keeps what sorting all would.
    let bounded = json(&[
        "screen",
        &data,
        "--returns",
        "-k",
        "3",
        "--top",
        "56",
        "--json",
        "--periods-per-year",
        "252",
        "--where",
        "max-drawdown<0.2",
    ]);
    let expected = top.iter().filter(|entry| entry["path"]["max_drawdown"].as_f64().unwrap() < 0.2).count();
    assert!(expected > 0 && expected < 56, "{expected}");
    assert_eq!(bounded["top"].as_array().unwrap().len(), expected);
}

#[test]
fn halves_are_what_a_screen_of_each_half_finds() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let run = |more: &[&str]| {
        json(&[&["screen", &data, "--returns", "-k", "2", "--top", "28", "--json", "--no-halves"], more].concat())
    };
    let whole = json(&["screen", &data, "--returns", "-k", "2", "--top", "28", "--json"]);
    let (first, second) = (run(&["--to", "2020-07-18"]), run(&["--last", "200"]));
    assert_eq!(whole["halves"]["split"], "2020-07-19");
    assert_eq!(whole["halves"]["subsets"], 28);
    let value_of = |outcome: &Value, rank: &Value| {
        let entries = outcome["top"].as_array().unwrap();
        entries.iter().find(|entry| entry["rank_index"] == *rank).unwrap()["value"].as_f64().unwrap()
    };
    for entry in whole["top"].as_array().unwrap() {
        for (name, half) in [("first", &first), ("second", &second)] {
            let expected = value_of(half, &entry["rank_index"]);
            assert!((entry["halves"][name].as_f64().unwrap() / expected - 1.0).abs() < 1e-12);
        }
    }
    // The one best of the first half, and what became of it.
    let best = &first["top"][0];
    assert_eq!(whole["halves"]["winners"], 1);
    assert!((whole["halves"]["winners_first"].as_f64().unwrap() / best["value"].as_f64().unwrap() - 1.0).abs() < 1e-12);
    let later = value_of(&second, &best["rank_index"]);
    assert!((whole["halves"]["winners_second"].as_f64().unwrap() / later - 1.0).abs() < 1e-12);
}

#[test]
fn logarithmic_returns_hold_for_halves_and_winners_too() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let run = |by: &str, more: &[&str]| {
        let asked = ["screen", &data, "--returns", "--log-returns", "-k", "2", "--top", "28", "--json", "--by", by];
        json(&[&asked[..], more].concat())
    };
    let value_of = |outcome: &Value, rank: &Value| {
        let entries = outcome["top"].as_array().unwrap();
        entries.iter().find(|entry| entry["rank_index"] == *rank).unwrap()["value"].as_f64().unwrap()
    };
    // Of the covariance and of the path, whose returns are simple ones.
    for by in ["volatility", "sharpe"] {
        // Blocks as long as the history: every resample is the history.
        let again = ["--bootstrap-top", "28", "-B", "3", "--seed", "1", "--scheme", "moving", "--block", "400"];
        let whole = run(by, &again);
        let (first, second) =
            (run(by, &["--to", "2020-07-18", "--no-halves"]), run(by, &["--last", "200", "--no-halves"]));
        for (entry, winner) in
            whole["top"].as_array().unwrap().iter().zip(whole["bootstrap"]["winners"].as_array().unwrap())
        {
            for (name, half) in [("first", &first), ("second", &second)] {
                let (found, expected) = (entry["halves"][name].as_f64().unwrap(), value_of(half, &entry["rank_index"]));
                assert!((found / expected - 1.0).abs() < 1e-12, "{by}: {found} {expected}");
            }
            let (found, expected) = (winner["value"]["mean"].as_f64().unwrap(), entry["value"].as_f64().unwrap());
            assert!((found / expected - 1.0).abs() < 1e-9, "{by}: {found} {expected}");
        }
    }
}

#[test]
fn the_precision_of_a_screen_is_said_and_makes_another_run() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let out = folder.name("out");
    let run = |more: &[&str]| {
        let asked = ["screen", &data, "--returns", "-k", "3", "--top", "5", "--engine", "gpu", "-o", &out];
        equirisk(&[&asked[..], more].concat())
    };
    let double = run(&["--precision", "f64"]).succeeded();
    assert!(double.stdout.contains("(GPU, f64: "), "{}", double.stdout);
    assert!(folder.read("out/report.html").contains("GPU, f64: "));
    let summary: Value = serde_json::from_str(&folder.read("out/summary.json")).unwrap();
    assert_eq!(summary["run"]["precision"], "f64");
    // The same again is this run, in single precision it is another.
    assert!(run(&["--precision", "f64"]).succeeded().stderr.contains("holds this run already"));
    for more in [&["--precision", "f32"][..], &[]] {
        let refused = run(more).refused(2);
        assert!(refused.stderr.contains("a different run: precision f64, now none"), "{}", refused.stderr);
    }
    let single = run(&["--force"]).succeeded();
    assert!(single.stdout.contains("(GPU, f32: "), "{}", single.stdout);
    // That is the default, and as many are checked as are asked for.
    assert!(run(&["--precision", "f32"]).succeeded().stderr.contains("holds this run already"));
    let refused = run(&["--crosscheck", "all"]).refused(2);
    assert!(refused.stderr.contains("crosscheck default, now all"), "{}", refused.stderr);
}

#[test]
fn a_screen_that_solves_nothing_says_so_first_and_is_exit_code_3() {
    let folder = Folder::new();
    let hedge = covariance(&folder, &["A".to_owned(), "B".to_owned()], &[1.0, -1.0, -1.0, 1.0]);
    let out = folder.name("out");
    let run = || equirisk(&["screen", &hedge, "--covariance", "-k", "2", "--engine", "cpu", "-o", &out]);
    for _ in 0..2 {
        let run = run();
        assert_eq!(run.code, 3);
        assert!(run.stdout.lines().nth(1).unwrap().starts_with("! the only subset has no"), "{}", run.stdout);
        assert!(run.stderr.contains("error: the only subset has no certified portfolio\nhint: "), "{}", run.stderr);
    }
}

#[test]
fn winners_are_screened_again_on_resamples() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let run = |threads: &str, by: &str| {
        json(&[
            "screen",
            &data,
            "--returns",
            "-k",
            "3",
            "--by",
            by,
            "--top",
            "5",
            "--bootstrap-top",
            "30",
            "-B",
            "100",
            "--seed",
            "5",
            "--json",
            "--threads",
            threads,
        ])
    };
    for by in ["diversification", "sharpe"] {
        let outcome = run("1", by);
        assert_eq!(outcome, run("2", by));
        assert_eq!(outcome["top"].as_array().unwrap().len(), 5);
        let again = &outcome["bootstrap"];
        let winners = again["winners"].as_array().unwrap();
        assert_eq!((winners.len(), &again["places"], &again["counted"]), (30, &10.into(), &100.into()));
        // Ten places on each resample, ties aside.
        let total: f64 = winners.iter().map(|winner| winner["probability"].as_f64().unwrap()).sum();
        assert!((total - 10.0).abs() < 1e-9, "{total}");
        // A path figure's resamples hold the rows that its covariance is of: volatile, but near the sample's.
        let mean = winners[0]["value"]["mean"].as_f64().unwrap();
        let sd = winners[0]["value"]["sd"].as_f64().unwrap();
        assert!((mean - outcome["top"][0]["value"].as_f64().unwrap()).abs() < 2.0 * sd);
    }
}

#[test]
fn a_directory_holds_the_screen_and_every_subset_can_be_kept() {
    let folder = Folder::new();
    let data = hang_seng(&folder);
    let (dir, all) = (folder.name("out"), folder.name("metrics.parquet"));
    let args = ["screen", &data, "--covariance", "-k", "3", "--top", "10", "-o", &dir];
    let first = equirisk(&[&args[..], &["--all", &all]].concat()).succeeded();
    assert!(first.stderr.contains("4,495 rows"), "{}", first.stderr);
    let top = folder.read("out/top.csv");
    assert_eq!(top.lines().count(), 11);
    let counts = folder.read("out/histogram.csv");
    let total: u64 = counts.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse::<u64>().unwrap()).sum();
    assert_eq!(total, 4495);
    assert_eq!(folder.read("out/inclusion.csv").lines().count(), 32);
    let summary: Value = serde_json::from_str(&folder.read("out/summary.json")).unwrap();
    assert_eq!(summary["subsets"]["screened"], 4495);
    // Again: what is there is shown.
    let second = equirisk(&args).succeeded();
    assert!(second.stdout == first.stdout && second.stderr.contains("finished"), "{}", second.stderr);
    equirisk(&[&args[..7], &["-o", &dir, "--by", "volatility"]].concat()).refused(2);
    // A finished run has no metrics to write any more; those that are there are left alone.
    let late = equirisk(&[&args[..], &["--all", &folder.name("late.parquet")]].concat()).refused(2);
    assert!(late.stderr.contains("finished") && late.stderr.contains("--all"), "{}", late.stderr);
    let third = equirisk(&[&args[..], &["--all", &all]].concat()).succeeded();
    assert_eq!(third.stdout, first.stdout);

    let file = std::fs::File::open(folder.path("metrics.parquet")).unwrap();
    let mut rows = Vec::new();
    for batch in ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap() {
        let batch = batch.unwrap();
        let floats = |name: &str| batch.column_by_name(name).unwrap().as_primitive::<Float64Type>().clone();
        let ranks = batch.column_by_name("rank").unwrap().as_primitive::<UInt64Type>().clone();
        let asset = |i: usize| {
            let column = batch.column_by_name(&format!("asset_{i}")).unwrap();
            column.as_string::<i32>().clone()
        };
        let (values, errors) = (floats("diversification"), floats("rc_error"));
        let assets = [asset(1), asset(2), asset(3)];
        for at in 0..batch.num_rows() {
            assert!(errors.value(at) <= 1e-8);
            let names = assets.clone().map(|column| column.value(at).to_string());
            rows.push((ranks.value(at), values.value(at), names));
        }
    }
    assert_eq!(rows.len(), 4495);
    for entry in summary["top"].as_array().unwrap() {
        let (rank, value, names) = &rows[entry["rank_index"].as_u64().unwrap() as usize];
        assert_eq!(*rank, entry["rank_index"].as_u64().unwrap());
        // The bulk is solved to 1e-8, the list to rounding.
        assert!((value / entry["value"].as_f64().unwrap() - 1.0).abs() < 2e-8);
        assert_eq!(held(entry), names.each_ref().map(String::as_str));
    }
    let bytes = std::fs::read(folder.path("metrics.parquet")).unwrap();
    let again = folder.name("again.parquet");
    equirisk(&["screen", &data, "--covariance", "-k", "3", "--all", &again, "--threads", "1"]).succeeded();
    assert!(std::fs::read(folder.path("again.parquet")).unwrap() == bytes);
    equirisk(&["screen", &data, "--covariance", "-k", "3", "--all", &again]).refused(2);
}

#[test]
fn a_dry_run_counts_and_computes_nothing_else() {
    let folder = Folder::new();
    let data = hang_seng(&folder);
    let dir = folder.name("out");
    let plan = json(&["screen", &data, "--covariance", "-k", "6", "--dry-run", "--json", "-o", &dir]);
    assert_eq!(plan["subsets"]["space"], 736_281);
    assert!(plan["seconds"].as_f64().unwrap() > 0.0 && plan["memory_bytes"].as_u64().unwrap() > 0);
    assert!(!folder.path("out").exists());
    // The path of a shortlist takes its time, too.
    let (history, _) = history(&folder);
    let plan = |by| {
        json(&[
            "screen",
            &history,
            "--returns",
            "-k",
            "4",
            "--by",
            by,
            "--shortlist",
            "30",
            "--top",
            "5",
            "--dry-run",
            "--json",
        ])
    };
    assert_eq!((&plan("sharpe")["shortlist"], &plan("diversification")["shortlist"]), (&30.into(), &Value::Null));
}

#[test]
fn a_list_that_bounds_on_the_path_leave_short_says_what_was_not_tried() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let args = ["screen", &data, "--returns", "-k", "4", "--top", "2", "--where", "sharpe>100"];
    let run = |shortlist| equirisk(&[&args[..], &["--shortlist", shortlist]].concat()).succeeded().stderr;
    let short = run("20");
    assert!(short.contains("the 20 best") && short.contains("--shortlist"), "{short}");
    // All of them were tried.
    assert!(!run("70").contains("best"), "{}", run("70"));
}

#[test]
fn the_few_that_a_cap_leaves_are_binned_and_compared() {
    let folder = Folder::new();
    // Sixty assets in the market, of which five have no other part in it than the rest of their variance.
    let (rows, n) = (300, 60);
    let values = returns(rows, n, 3.0, 5);
    let alone = returns(rows, 5, 0.0, 6);
    let mut text = format!("t,{}\n", (0..n).map(|i| format!("S{i}")).collect::<Vec<_>>().join(","));
    for t in 0..rows {
        let cell = |i: usize| 0.1 * if i < 5 { alone[t * 5 + i] } else { values[t * n + i] };
        let _ = writeln!(text, "{t},{}", (0..n).map(|i| cell(i).to_string()).collect::<Vec<_>>().join(","));
    }
    let data = folder.write("returns.csv", text);
    let outcome = json(&["screen", &data, "--returns", "-k", "5", "--max-correlation", "0.5", "--json"]);
    let subsets = &outcome["subsets"];
    let feasible = subsets["feasible"].as_u64().unwrap();
    // The five by themselves, and four of them with one of the others: 276 of 5,461,512.
    assert_eq!((&subsets["space"], feasible), (&5_461_512.into(), 276));
    // The bins lie where they are: the first and the last, which take what lies beyond, hold a few.
    let histogram = &outcome["distribution"]["histogram"];
    let counts = numbers(&histogram["counts"]);
    assert!(counts[0] + counts[counts.len() - 1] < 0.1 * 276.0, "{histogram}");
    assert!(outcome["halves"]["subsets"].as_u64().unwrap() > 2, "{}", outcome["halves"]);
}

#[test]
fn unsolvable_subsets_are_counted_and_never_ranked() {
    let folder = Folder::new();
    let names: Vec<String> = ["A", "B", "C", "D"].map(String::from).to_vec();
    // A and B hedge each other perfectly.
    let values = [0.04, -0.04, 0.0, 0.0, -0.04, 0.04, 0.0, 0.0, 0.0, 0.0, 0.01, 0.002, 0.0, 0.0, 0.002, 0.09];
    let data = covariance(&folder, &names, &values);
    let run = equirisk(&["screen", &data, "--covariance", "-k", "2", "--json"]).succeeded();
    let outcome = run.json();
    assert_eq!((&outcome["solves"]["total"], &outcome["solves"]["no_solution"]), (&6.into(), &1.into()));
    assert_eq!(outcome["top"].as_array().unwrap().len(), 5);
    assert!(outcome["top"].as_array().unwrap().iter().all(|entry| held(entry) != ["A", "B"]));
    let strict = equirisk(&["screen", &data, "--covariance", "-k", "2", "--strict"]);
    assert!(strict.code == 3 && strict.stderr.contains("1 subset stayed unsolved"), "{strict:?}");
}

#[test]
fn samples_extend_and_spaces_beyond_ranks_need_one() {
    let folder = Folder::new();
    let values = returns(60, 90, 0.5, 3);
    let mut text = format!("t,{}\n", (0..90).map(|i| format!("S{i}")).collect::<Vec<_>>().join(","));
    for (t, row) in values.chunks(90).enumerate() {
        let _ = writeln!(text, "{t},{}", row.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    }
    let data = folder.write("returns.csv", text);
    let base = ["screen", &data, "--returns", "--json", "--no-halves", "--seed", "4"];
    let refused = equirisk(&[&base[..], &["-k", "30"]].concat()).refused(2);
    assert!(refused.stderr.contains("6.73e23") && refused.stderr.contains("--sample"), "{}", refused.stderr);
    let drawn = json(&[&base[..], &["-k", "30", "--sample", "300"]].concat());
    assert_eq!((&drawn["subsets"]["space"], &drawn["subsets"]["screened"]), (&Value::Null, &300.into()));
    assert_eq!((&drawn["run"]["sample"], &drawn["run"]["seed"]), (&300.into(), &4.into()));
    let small = json(&[&base[..], &["-k", "3", "--sample", "400", "--top", "400"]].concat());
    let large = json(&[&base[..], &["-k", "3", "--sample", "1000", "--top", "1000"]].concat());
    let ranks = |outcome: &Value| -> std::collections::BTreeSet<u64> {
        outcome["top"].as_array().unwrap().iter().map(|entry| entry["rank_index"].as_u64().unwrap()).collect()
    };
    assert_eq!((ranks(&small).len(), ranks(&large).len()), (400, 1000));
    assert!(ranks(&small).is_subset(&ranks(&large)));
    let whole = equirisk(&[&base[..], &["-k", "2", "--sample", "1e6"]].concat()).succeeded();
    assert_eq!(whole.json()["subsets"]["screened"], 4005);
    assert!(whole.stderr.contains("only 4,005 subsets"), "{}", whole.stderr);
    // Nothing was drawn, so that there is no seed to pass.
    let unseeded = equirisk(&["screen", &data, "--returns", "-k", "2", "--sample", "1e6"]).succeeded();
    assert!(!unseeded.stderr.contains("seed"), "{}", unseeded.stderr);
}

#[test]
fn what_makes_no_sense_is_refused_in_words() {
    let folder = Folder::new();
    let covariance = hang_seng(&folder);
    let (history, _) = history(&folder);
    let groups = folder.write("groups.csv", "A,x\nB,x\nC,y\n");
    let twice = folder.write("twice.csv", "A,x\nA,y\n");
    let with_covariance = |more: &[&'static str]| [&["screen", &covariance, "--covariance"], more].concat();
    let with_history = |more: &[&str]| -> Vec<String> {
        [&["screen", &history, "--returns"], more].concat().into_iter().map(String::from).collect()
    };
    for (args, said) in [
        (with_covariance(&["-k", "32"]), "32 assets cannot be formed from 31"),
        (with_covariance(&["-k", "0"]), "not a whole number from 1 up"),
        (with_covariance(&["-k", "3", "--by", "sharpe"]), "--by sharpe"),
        (with_covariance(&["-k", "3", "--by", "sharpe", "--dry-run"]), "--by sharpe"),
        (with_covariance(&["-k", "3", "--where", "max-drawdown<0.2"]), "--where max-drawdown"),
        (with_covariance(&["-k", "3", "--halves"]), "--halves"),
        (with_covariance(&["-k", "3", "--bootstrap-top", "10"]), "--bootstrap-top"),
        (with_covariance(&["-k", "3", "--by", "volatility-annual"]), "periods per year"),
        (with_covariance(&["-k", "1", "--by", "mean-correlation"]), "one asset has no correlation"),
        (with_covariance(&["-k", "3", "--by", "beauty"]), "no figure is called that"),
        (with_covariance(&["-k", "3", "--where", "volatility"]), "no comparison"),
        (with_covariance(&["-k", "3", "--group-min", "x=1"]), "--groups"),
        (with_covariance(&["-k", "2", "--include", "A1,A2,A3"]), "3 assets must be held"),
        (with_covariance(&["-k", "2", "--include", "A1", "--exclude", "A1"]), "both included and excluded"),
    ] {
        let run = equirisk(&args).refused(2);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
    for (more, code, said) in [
        (vec!["-k", "3", "--include", "Z"], 4, "no asset `Z`"),
        (vec!["-k", "3", "--groups", &groups, "--group-min", "z=1"], 4, "no group `z`"),
        (vec!["-k", "3", "--groups", &groups, "--group-min", "x"], 2, "no limit"),
        (vec!["-k", "3", "--groups", &groups, "--group-min", "x=2,y=2"], 2, "no subset of 3"),
        (vec!["-k", "3", "--groups", &groups, "--group-max", "x=1", "--include", "A,B"], 2, "--include holds 2"),
        (vec!["-k", "3", "--groups", &twice], 4, "two groups"),
        (vec!["-k", "1", "--by", "sharpe", "--shortlist-by", "mean-correlation"], 2, "--shortlist-by mean-correlation"),
        (vec!["-k", "3", "--memory", "1kB"], 2, "allowed by --memory"),
    ] {
        let args = with_history(&more);
        let run = equirisk(&args.iter().map(String::as_str).collect::<Vec<_>>()).refused(code);
        assert!(run.stderr.contains(said), "{more:?}: {}", run.stderr);
    }
}

#[test]
fn the_choice_is_repeated_on_resamples() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let run = |more: &[&str]| {
        let asked = ["screen", &data, "--returns", "-k", "2", "--json", "--seed", "1", "--threads"];
        let (one, two) = (json(&[&asked[..], &["1"], more].concat()), json(&[&asked[..], &["2"], more].concat()));
        assert_eq!(one, two);
        one["bootstrap"].clone()
    };
    let share = |winner: &Value, of: &str| winner[of].as_f64().unwrap();
    for by in ["diversification", "sharpe"] {
        // Where all subsets are winners, to be among the best of these is to be among the best of all.
        let all = run(&["--by", by, "--bootstrap-top", "28", "-B", "150"]);
        assert_eq!(all["reselection"], serde_json::json!({ "subsets": 28, "resamples": 150 }));
        let winners = all["winners"].as_array().unwrap();
        assert!(winners.iter().all(|winner| share(winner, "reselected") == share(winner, "probability")), "{by}");
        assert!(winners.iter().any(|winner| share(winner, "reselected") > 0.0 && share(winner, "reselected") < 1.0));
        // Among more subsets a place is harder to keep.
        let few = run(&["--by", by, "--bootstrap-top", "6", "-B", "150"]);
        let winners = few["winners"].as_array().unwrap();
        assert!(winners.iter().all(|winner| share(winner, "reselected") <= share(winner, "probability")), "{by}");
        let total: f64 = winners.iter().map(|winner| share(winner, "reselected")).sum();
        assert!(total > 0.0 && total < 3.0, "{total}");
        // Blocks as long as the history: every resample is the history, and the choice is the screen.
        let same = run(&["--by", by, "--bootstrap-top", "6", "-B", "3", "--scheme", "moving", "--block", "400"]);
        let found: Vec<f64> =
            same["winners"].as_array().unwrap().iter().map(|winner| share(winner, "reselected")).collect();
        assert_eq!(found, [1.0, 1.0, 1.0, 0.0, 0.0, 0.0], "{by}");
    }
    // The first 200 resamples, and only subsets that keep the bounds on the whole history.
    let bounded = run(&["--bootstrap-top", "3", "-B", "300", "--where", "max-weight<0.6"]);
    assert_eq!(bounded["reselection"]["resamples"], 200);
    let subsets = bounded["reselection"]["subsets"].as_u64().unwrap();
    let passing = json(&["screen", &data, "--returns", "-k", "2", "--json", "--where", "max-weight<0.6"]);
    assert!(subsets > 3 && subsets < 28 && passing["subsets"]["passing"] == subsets, "{subsets}");
}

#[test]
fn the_choice_of_too_many_is_not_repeated_and_that_is_said() {
    let folder = Folder::new();
    let values = returns(60, 34, 0.5, 3);
    let mut text = format!("t,{}\n", (0..34).map(|i| format!("S{i}")).collect::<Vec<_>>().join(","));
    for (t, row) in values.chunks(34).enumerate() {
        let _ = writeln!(text, "{t},{}", row.iter().map(ToString::to_string).collect::<Vec<_>>().join(","));
    }
    let data = folder.write("returns.csv", text);
    let args = ["screen", &data, "--returns", "-k", "3", "--bootstrap-top", "4", "-B", "20", "--seed", "1"];
    // 5,984 subsets.
    let outcome = json(&[&args[..], &["--json"]].concat());
    assert!(
        outcome["bootstrap"]["reselection"].is_null() && outcome["bootstrap"]["winners"][0]["reselected"].is_null()
    );
    assert!(outcome["sentence"].as_str().unwrap().contains("which is optimistic"), "{}", outcome["sentence"]);
    let shown = equirisk(&args).succeeded().stdout.replace('\n', " ");
    assert!(shown.contains("would take too long here") && !shown.contains("P(again, all)"), "{shown}");
    // A sample of them is screened, and chosen from.
    let sampled = json(&[&args[..], &["--json", "--sample", "1000"]].concat());
    assert_eq!(sampled["bootstrap"]["reselection"], serde_json::json!({ "subsets": 1000, "resamples": 20 }));
}

#[test]
fn a_table_shows_weights_and_how_far_the_figure_moves() {
    let folder = Folder::new();
    let (data, _) = history(&folder);
    let args = ["screen", &data, "--returns", "-k", "3", "--by", "sharpe", "--top", "4", "--seed", "1"];
    let args = [&args[..], &["--bootstrap-top", "6", "-B", "100"]].concat();
    let outcome = json(&[&args[..], &["--json"]].concat());
    let shown = equirisk(&args).succeeded().stdout;
    let heads = shown.lines().find(|line| line.contains("assets, weights in %")).unwrap();
    assert!(["sharpe", "5–95 %", "P(again)", "P(again, all)"].iter().all(|head| heads.contains(head)), "{heads}");
    let number = |value: &Value| value.as_f64().unwrap();
    for (at, entry) in outcome["top"].as_array().unwrap().iter().enumerate() {
        let line = shown.lines().find(|line| line.starts_with(&format!("  {}  ", at + 1))).unwrap();
        let weights: Vec<String> = held(entry)
            .iter()
            .zip(numbers(&entry["weights"]))
            .map(|(name, weight)| format!("{name} {:.1}", 100.0 * weight))
            .collect();
        assert!(line.ends_with(&weights.join(", ")), "{line}");
        let winner = &outcome["bootstrap"]["winners"][at];
        let [low, high] = ["q05", "q95"].map(|name| format!("{:.4}", number(&winner["value"][name])));
        assert!(line.contains(&format!("{low} {high}")), "{line}");
        let [again, all] = ["probability", "reselected"].map(|name| format!("{:.0} %", 100.0 * number(&winner[name])));
        assert!(line.contains(&again) && line.contains(&all), "{line}");
    }
    let text = shown.replace('\n', " ");
    assert!(text.contains("It is optimistic: these were chosen on the same history."), "{text}");
}

/// Returns of assets in two spells of equal length: in each, an asset has the volatility that `volatility` gives it.
fn spells(folder: &Folder, name: &str, assets: usize, volatility: impl Fn(usize, usize) -> f64) -> String {
    let values = returns(600, assets, 0.2, 4);
    let mut text = format!("t,{}\n", (0..assets).map(|i| format!("S{i}")).collect::<Vec<_>>().join(","));
    for (t, row) in values.chunks(assets).enumerate() {
        // Those of `returns` grow with the number of the asset.
        let cell = |i: usize| row[i] / (1.0 + i as f64) * volatility(i, t / 300);
        let _ = writeln!(text, "{t},{}", (0..assets).map(|i| cell(i).to_string()).collect::<Vec<_>>().join(","));
    }
    folder.write(name, text)
}

#[test]
fn the_sentence_says_what_to_do() {
    let folder = Folder::new();
    let sentence = |args: &[&str]| {
        let run = equirisk(&[&["screen"], args, &["--json"]].concat());
        run.json()["sentence"].as_str().unwrap().to_string()
    };
    // The same assets are calm in both halves.
    let steady = spells(&folder, "steady.csv", 10, |i, _| 1.0 + i as f64);
    let by = ["--returns", "-k", "4", "--by", "volatility"];
    let said = sentence(&[&[&steady[..]], &by[..]].concat());
    assert!(
        said.starts_with("The best 4 of 10 by volatility (") && said.ends_with("the ranking carries over."),
        "{said}"
    );
    assert!(said.contains("out of sample (split at 300) the halves' rankings correlate 0.9"), "{said}");
    assert!(said.contains(" hold S0 "), "{said}");
    // All but one asset change places: what the best have in common is that one.
    let turned = spells(&folder, "turned.csv", 10, |i, half| match (i, half) {
        (0, _) => 3.0,
        (i, 0) => 1.0 + i as f64,
        (i, _) => 11.0 - i as f64,
    });
    let said = sentence(&[&[&turned[..]], &by[..]].concat());
    assert!(said.contains("is mostly luck: hold the common assets (S0 in 100 %"), "{said}");
    assert!(said.ends_with("of the best 3), not the list."), "{said}");
    // One best of ten has nothing in common with others.
    let few = sentence(&[&[&turned[..]], &["--returns", "-k", "9", "--by", "volatility"][..]].concat());
    assert!(!few.contains("common assets ("), "{few}");
    let uncompared = sentence(&[&[&steady[..]], &by[..], &["--no-halves"]].concat());
    assert!(uncompared.contains("the halves of the history were not compared"), "{uncompared}");
    let nothing = sentence(&[&[&steady[..]], &by[..], &["--where", "sharpe>100"]].concat());
    assert_eq!(nothing, "No subset keeps sharpe>100: loosen a bound, or choose among more assets.");
    let capped = sentence(&[&[&steady[..]], &by[..], &["--max-correlation", "-0.9"]].concat());
    assert!(capped.starts_with("There is nothing to choose from: each of the 210 subsets holds a pair"), "{capped}");
    let covariance = hang_seng(&folder);
    let said = sentence(&[&covariance, "--covariance", "-k", "2"]);
    assert!(
        said.starts_with("The best 2 of 31 by diversification (") && said.contains("a covariance has no history"),
        "{said}"
    );
    let names = ["A".to_owned(), "B".to_owned()];
    let hedge = self::covariance(&folder, &names, &[1.0, -1.0, -1.0, 1.0]);
    let said = sentence(&[&hedge, "--covariance", "-k", "2"]);
    assert!(said.starts_with("There is nothing to choose from: the only subset has no certified portfolio"), "{said}");
    // The table begins with it, after what went in.
    let shown = equirisk(&[&["screen", &steady], &by[..]].concat()).succeeded().stdout;
    assert!(shown.lines().nth(1).unwrap().starts_with("The best 4 of 10 by volatility ("), "{shown}");
    assert!(
        shown.replace('\n', " ").contains("Out of sample (split at 300; 210 subsets): the halves' rankings correlate"),
        "{shown}"
    );
}
