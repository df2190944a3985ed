//! Does the study solve every resample, say the truth about it, and say the same every time?

use serde_json::Value;

use crate::law::printed;
use crate::run::{
    Folder, Solved, apart, budgets, equirisk, json, prices, read_weights, returns, risk, sample_covariance, table,
};

const QUANTILES: [&str; 7] = ["q025", "q05", "q25", "q50", "q75", "q95", "q975"];
const NAMES: [&str; 20] = [
    "A0", "A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12", "A13", "A14", "A15", "A16", "A17",
    "A18", "A19",
];

fn count(summary: &Value, name: &str) -> u64 {
    summary["solves"][name].as_u64().unwrap_or_else(|| panic!("solves.{name}: {}", summary["solves"]))
}

/// The accounts of a run: every problem ends in exactly one of the four ways.
fn balanced(summary: &Value, total: u64) {
    let ended = ["converged", "stalled", "no_solution", "invalid"].map(|name| count(summary, name));
    assert_eq!((count(summary, "total"), ended.iter().sum::<u64>()), (total, total), "{}", summary["solves"]);
    assert!(count(summary, "rescued") <= total);
}

fn number(value: &Value, key: &str) -> f64 {
    value[key].as_f64().unwrap_or_else(|| panic!("{key} of {value}"))
}

/// Quantile by linear interpolation (type 7).
fn quantile(sorted: &[f64], q: f64) -> f64 {
    let place = q * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[test]
fn double_precision_reaches_the_tolerance_of_the_cpu_on_the_device() {
    let shared = ["bootstrap", "--json", "-B", "200", "--seed", "1", "--no-sensitivity", "--quiet"];
    let run = |own: &[&str]| json(&[&shared[..], own].concat());
    let (cpu, gpu) = (run(&["--engine", "cpu"]), run(&["--engine", "gpu", "--precision", "f64"]));
    assert_eq!((count(&gpu, "converged"), count(&gpu, "rescued")), (200, 0));
    assert_eq!(gpu["rc_error"]["computed"], "f64 on the device");
    assert_eq!(gpu["run"]["precision"], "f64");
    assert!(number(&gpu["rc_error"], "max") <= 1e-8, "{}", gpu["rc_error"]);
    assert_eq!(gpu["crosscheck"]["disagreements"], 0);
    for (g, c) in gpu["assets"].as_array().unwrap().iter().zip(cpu["assets"].as_array().unwrap()) {
        assert!((number(g, "mean") / number(c, "mean") - 1.0).abs() <= 4e-8, "{g} {c}");
    }
    equirisk(&["bootstrap", "--engine", "cpu", "--precision", "f32"]).refused(2);
}

#[test]
fn every_resample_of_the_sample_is_solved_and_certified_on_both_engines_and_they_agree() {
    let run =
        |engine: &str| json(&["bootstrap", "--json", "-B", "10000", "--seed", "1", "--engine", engine, "--quiet"]);
    let (cpu, gpu) = (run("cpu"), run("gpu"));
    for (summary, engine, tolerance) in [(&cpu, "cpu", 1e-8), (&gpu, "gpu", 1e-5)] {
        balanced(summary, 10_000);
        assert_eq!(count(summary, "converged"), 10_000, "{engine}");
        let (max, median) = (number(&summary["rc_error"], "max"), number(&summary["rc_error"], "median"));
        assert!(0.0 <= median && median <= max && max <= tolerance, "{engine}: {}", summary["rc_error"]);
        assert_eq!(summary["run"]["engine"], engine);
        assert_eq!(summary["run"]["seed"], 1);
        assert_eq!(summary["run"]["scheme"], "stationary");
        assert_eq!(summary["run"]["resamples"], 10_000);
        assert_eq!(summary["run"]["law"], "pxsb-1");
        assert_eq!(summary["run"]["periods_per_year"], 252.0);
        assert_eq!(summary["assets"].as_array().unwrap().len(), 10);
        for method in ["erc", "inverse_volatility", "equal_weight"] {
            assert!(summary["methods"][method].is_object(), "{method}");
        }
        let (block, threshold) = (number(&summary["run"], "block_length"), number(&summary["run"], "threshold"));
        assert_eq!((4_294_967_296.0 / block + 0.5).floor(), threshold);
    }
    assert!(gpu["run"]["adapter"].is_string() && cpu["run"]["adapter"].is_null());
    assert_eq!(cpu["run"]["threshold"], gpu["run"]["threshold"]);

    let check = &gpu["crosscheck"];
    assert!(number(check, "sampled") >= 64.0 && check["disagreements"] == 0, "{check}");
    assert!((0.0..=1e-5).contains(&number(check, "max_weight_difference")), "{check}");
    assert!((0.0..=1e-5).contains(&number(check, "max_rc_error")), "{check}");

    // The f32 tolerance of the GPU.
    let close = |a: &Value, b: &Value, key: &str, scale: f64| {
        let (a, b) = (number(a, key), number(b, key));
        assert!((a - b).abs() <= 1e-5 * scale, "{key}: {a} against {b}");
    };
    for (a, b) in cpu["assets"].as_array().unwrap().iter().zip(gpu["assets"].as_array().unwrap()) {
        assert_eq!(a["name"], b["name"]);
        QUANTILES.iter().chain(&["point", "mean", "sd"]).for_each(|key| close(a, b, key, 1.0));
        QUANTILES.iter().chain(&["mean", "sd"]).for_each(|key| assert!(number(&a["mc_error"], key) >= 0.0));
    }
    let volatility = |summary: &Value| summary["portfolio"]["volatility"].clone();
    for key in ["mean", "sd", "q05", "q50", "q95"] {
        close(&volatility(&cpu), &volatility(&gpu), key, number(&volatility(&cpu), "mean"));
    }
}

#[test]
fn the_same_command_gives_the_same_bytes_on_any_number_of_threads() {
    for format in [&["--json"][..], &[]] {
        let shared = [&["bootstrap", "-B", "5000", "--seed", "3", "--engine", "cpu"], format].concat();
        let run = |extra: &[&str]| equirisk(&[&shared[..], extra].concat()).succeeded().stdout;
        let first = run(&[]);
        for extra in [&[][..], &["--threads", "1"], &["--threads", "2"], &["--threads", "7"]] {
            assert!(run(extra) == first, "other bytes with {extra:?}");
        }
    }
    let gpu = || equirisk(&["bootstrap", "-B", "300", "--seed", "3", "--engine", "gpu", "--json"]).succeeded().stdout;
    assert!(gpu() == gpu(), "other bytes on the GPU");
}

#[test]
fn a_larger_run_begins_with_the_smaller_one() {
    let folder = Folder::new();
    let data = folder.write("data.csv", table(&prices(&returns(120, 4, 1.0, 2), 4), 4));
    // 5,000 resamples are more than one chunk.
    for (engine, sizes) in [("cpu", &["100", "250", "5000"][..]), ("gpu", &["100", "250"])] {
        let solved: Vec<Vec<Solved>> = sizes
            .iter()
            .map(|size| {
                let out = folder.name(&format!("{engine}{size}"));
                let args = ["-B", size, "-o", &out, "--engine", engine, "--seed", "6", "--no-sensitivity"];
                equirisk(&[&["bootstrap", &data], &args[..]].concat()).succeeded();
                read_weights(&folder.path(&format!("{engine}{size}/weights.parquet")), &NAMES[..4])
            })
            .collect();
        for (pair, size) in solved.windows(2).zip(sizes) {
            assert_eq!(pair[0].len().to_string(), **size);
            assert!(pair[1][..pair[0].len()] == pair[0], "{engine}: {size} is not the beginning of the next");
        }
        assert!(solved.last().unwrap().iter().enumerate().all(|(b, row)| row.resample == b as u64));
    }
}

/// From the rows alone: the covariance of the resample, the portfolio's risk under it, and the budgets.
#[test]
fn each_resample_is_the_risk_budgeting_portfolio_of_its_rows() {
    let folder = Folder::new();
    let (values, wanted) = (returns(60, 4, 1.0, 11), [0.4, 0.3, 0.2, 0.1]);
    let data = folder.write("data.csv", table(&values, 4));
    let budget = folder.write("budgets.csv", budgets(&wanted));
    for (scheme, engine, tolerance) in [
        ("stationary", "cpu", 1e-8),
        ("circular", "cpu", 1e-8),
        ("moving", "cpu", 1e-8),
        ("iid", "cpu", 1e-8),
        ("stationary", "gpu", 1e-5),
        ("moving", "gpu", 1e-5),
    ] {
        let shared = [&data, "--returns", "--scheme", scheme, "--block", "5", "--seed", "8"];
        let out = folder.name(&format!("{scheme}-{engine}"));
        let own = ["-B", "50", "-o", &out, "--engine", engine, "--budgets", &budget];
        equirisk(&[&["bootstrap"], &shared[..], &own].concat()).succeeded();
        let solved = read_weights(&folder.path(&format!("{scheme}-{engine}/weights.parquet")), &NAMES[..4]);
        let rows = printed(&equirisk(&[&["rows", "--resample", "0..50"], &shared[..]].concat()).succeeded());
        assert_eq!((solved.len(), rows.len()), (50, 50));
        for (solved, (resample, rows)) in solved.iter().zip(&rows) {
            assert_eq!((solved.resample, solved.status.as_str()), (*resample, "converged"));
            let weights: Vec<f64> = solved.weights.iter().map(|w| w.unwrap()).collect();
            let (volatility, shares) = risk(&sample_covariance(&values, 4, rows), &weights);
            // Rounding, of f32 where the GPU measures, comes on top of the tolerance.
            let slack = if engine == "gpu" { 1e-5 } else { 1e-12 };
            assert!(apart(&shares, &wanted) <= tolerance + slack, "{scheme} {engine} {resample}: {shares:?}");
            assert!(solved.rc_error.unwrap() <= tolerance);
            assert!((weights.iter().sum::<f64>() - 1.0).abs() <= slack && weights.iter().all(|w| *w > 0.0));
            assert!((solved.volatility.unwrap() / volatility - 1.0).abs() <= slack, "{scheme} {engine} {resample}");
        }
    }
}

#[test]
fn the_reported_statistics_are_those_of_the_stored_weights() {
    let folder = Folder::new();
    let data = folder.write("data.csv", table(&prices(&returns(90, 3, 1.0, 4), 3), 3));
    let args = ["bootstrap", &data, "-B", "999", "--seed", "2", "--engine", "cpu", "--json", "-o", &folder.name("out")];
    let summary = json(&args);
    let point = json(&["solve", &data, "--json", "--engine", "cpu"]);
    let solved = read_weights(&folder.path("out/weights.parquet"), &NAMES[..3]);
    let check = |report: &Value, mut values: Vec<f64>, keys: &[(&str, f64)]| {
        values.sort_by(f64::total_cmp);
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        let same = |key: &str, expected: f64| {
            let found = number(report, key);
            assert!((found - expected).abs() <= 1e-12 * expected.abs(), "{key}: {found} against {expected}");
        };
        same("mean", mean);
        same("sd", sd);
        keys.iter().for_each(|(key, q)| same(key, quantile(&values, *q)));
        let error = number(&report["mc_error"], "mean");
        assert!((error - sd / count.sqrt()).abs() <= 1e-9 * error, "{error}");
    };
    for (i, asset) in summary["assets"].as_array().unwrap().iter().enumerate() {
        assert_eq!(asset["name"], NAMES[i]);
        let levels = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975];
        let keys: Vec<_> = QUANTILES.into_iter().zip(levels).collect();
        check(asset, solved.iter().map(|row| row.weights[i].unwrap()).collect(), &keys);
        let difference = number(asset, "point") - point["weights"][i].as_f64().unwrap();
        assert!(difference.abs() <= 1e-12, "{difference:e}");
    }
    let volatilities = solved.iter().map(|row| row.volatility.unwrap()).collect();
    check(&summary["portfolio"]["volatility"], volatilities, &[("q05", 0.05), ("q50", 0.5), ("q95", 0.95)]);
    let errors = solved.iter().map(|row| row.rc_error.unwrap());
    assert_eq!(number(&summary["rc_error"], "max"), errors.fold(0.0, f64::max));
}

#[test]
fn half_and_twice_the_block_length_are_tried_with_a_tenth_of_the_resamples() {
    let run = json(&["bootstrap", "-B", "200", "--block", "30", "--seed", "1", "--json", "--last", "300"]);
    let tried = run["sensitivity"].as_array().unwrap();
    // The law's parameter is 2^32 / L rounded, so a reported length may differ from L in the last digits.
    let lengths: Vec<f64> = tried.iter().map(|entry| number(entry, "block_length")).collect();
    assert!(apart(&lengths, &[15.0, 30.0, 60.0]) <= 1e-6, "{lengths:?}");
    assert!(tried.iter().all(|entry| entry["resamples"] == 20), "{tried:?}");
}

/// Equal rows only: no variance at all. Two distinct rows: all correlations are +1 or -1, so a portfolio exists
/// exactly when every asset moves the same way between them.
#[test]
fn five_rows_of_twenty_assets_finish_and_every_resample_is_accounted_for() {
    let folder = Folder::new();
    let values = returns(5, 20, 2.5, 3);
    let data = folder.write("data.csv", table(&values, 20));
    let shared = [&data, "--returns", "--seed", "1"];
    let rows = printed(&equirisk(&[&["rows", "--resample", "0..2000"], &shared[..]].concat()).succeeded());
    let mut statuses = Vec::new();
    for engine in ["cpu", "gpu"] {
        let out = folder.name(engine);
        let args = [&["bootstrap", "-B", "2000", "--engine", engine, "-o", &out], &shared[..]].concat();
        let run = equirisk(&args).succeeded();
        let summary: Value = serde_json::from_str(&folder.read(&format!("{engine}/summary.json"))).unwrap();
        balanced(&summary, 2000);
        let excluded = 2000 - count(&summary, "converged");
        assert!(excluded > 0 && excluded < 2000, "the data should give both: {excluded}");
        let said = format!("{:.1} %", excluded as f64 / 20.0);
        let (before, _) = run.stdout.split_once("\nA0 ").expect("a table of assets");
        assert!(before.contains(&said), "`{said}` does not stand above the table:\n{before}");

        let solved = read_weights(&folder.path(&format!("{engine}/weights.parquet")), &NAMES);
        for status in ["converged", "stalled", "no_solution", "invalid"] {
            let found = solved.iter().filter(|row| row.status == status).count() as u64;
            assert_eq!(found, count(&summary, status), "{engine} {status}");
        }
        for (row, (resample, rows)) in solved.iter().zip(&rows) {
            let mut distinct = rows.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let move_of = |i: usize| values[distinct[1] * 20 + i] > values[distinct[0] * 20 + i];
            match distinct.len() {
                1 => assert_eq!(row.status, "invalid", "{engine} {resample}"),
                2 if (1..20).all(|i| move_of(i) == move_of(0)) => assert_eq!(row.status, "converged", "{resample}"),
                2 => assert_eq!(row.status, "no_solution", "{engine} {resample}"),
                _ => assert_ne!(row.status, "invalid", "{engine} {resample}"),
            }
            let solved = row.status == "converged";
            assert!(row.weights.iter().all(|w| w.is_some() == solved), "{engine} {resample}: {row:?}");
        }
        statuses.push(solved.into_iter().map(|row| row.status).collect::<Vec<_>>());

        assert_eq!(equirisk(&[&args[..], &["--strict", "--force"]].concat()).code, 3);
    }
    assert!(statuses[0] == statuses[1], "the engines disagree");
}

#[test]
fn where_nothing_can_be_solved_there_are_no_statistics() {
    let folder = Folder::new();
    let hedge: Vec<f64> = returns(40, 1, 0.0, 5).into_iter().flat_map(|r| [r, -2.0 * r]).collect();
    let data = folder.write("data.csv", table(&hedge, 2));
    for engine in ["cpu", "gpu"] {
        let args = ["bootstrap", &data, "--returns", "-B", "64", "--seed", "1", "--engine", engine];
        let run = equirisk(&[&args[..], &["--json"]].concat());
        let summary = run.json();
        assert_eq!((run.code, count(&summary, "converged")), (3, 0));
        balanced(&summary, 64);
        for key in ["point", "mean", "sd", "q05", "q50", "q95"] {
            assert!(summary["assets"][0][key].is_null(), "{key}: {}", summary["assets"][0]);
        }
        let run = equirisk(&args);
        assert!(
            run.code == 3 && run.stderr.contains("error: none of 64 resamples has a certified portfolio"),
            "{run:?}"
        );
        // Said first, and nothing else.
        let text: Vec<&str> = run.stdout.lines().collect();
        assert!(text.len() == 2 && text[1].starts_with("! none of 64 resamples"), "{text:?}");
    }
}

#[test]
fn one_resample_is_a_study_too() {
    for engine in ["cpu", "gpu"] {
        let args = ["bootstrap", "-B", "1", "--seed", "1", "--engine", engine];
        balanced(&json(&[&args[..], &["--json"]].concat()), 1);
        let text = equirisk(&args).succeeded().stdout;
        assert!(!text.contains("NaN"), "{text}");
    }
}

#[test]
fn prices_in_another_unit_give_the_same_bytes() {
    let folder = Folder::new();
    let original = prices(&returns(120, 5, 1.0, 7), 5);
    // A power of two scales every price exactly.
    let scales = [1.0, (-40.0_f64).exp2(), 30.0_f64.exp2()];
    let files = scales.map(|scale| {
        let scaled: Vec<f64> = original.iter().map(|price| price * scale).collect();
        folder.write(&format!("{scale}.csv"), table(&scaled, 5))
    });
    for engine in ["cpu", "gpu"] {
        let study = |data: &str| {
            equirisk(&["bootstrap", data, "-B", "200", "--seed", "1", "--engine", engine, "--json"]).succeeded().stdout
        };
        let portfolio = |data: &str| equirisk(&["solve", data, "--engine", engine, "--json"]).succeeded().stdout;
        let (first, one) = (study(&files[0]), portfolio(&files[0]));
        for file in &files[1..] {
            assert!(study(file) == first && portfolio(file) == one, "{engine} {file}");
        }
    }
}

#[test]
fn returns_of_implausible_size_are_a_notice_and_change_no_weight() {
    let folder = Folder::new();
    let original = returns(120, 5, 1.0, 9);
    let solved = |scale: f64| {
        let scaled: Vec<f64> = original.iter().map(|r| r * scale).collect();
        let data = folder.write(&format!("{scale:e}.csv"), table(&scaled, 5));
        // A logarithmic return may be of any size; a simple one not below -100 %. The dates of the table leave days out:
        // how many make a year is said where it is not given.
        let flags = ["--returns", "--log-returns", "--periods-per-year", "252", "--json", "--engine", "cpu"];
        let run = equirisk(&[&["solve", &data], &flags[..]].concat()).succeeded();
        if scale > 1.0 {
            assert!(equirisk(&["solve", &data, "--returns"]).refused(4).stderr.contains("below -100 %"));
        }
        let portfolio = run.json();
        let study = json(&[
            "bootstrap",
            &data,
            "--returns",
            "--log-returns",
            "-B",
            "100",
            "--seed",
            "1",
            "--engine",
            "cpu",
            "--json",
        ]);
        assert_eq!(count(&study, "converged"), 100, "{scale:e}");
        let mut weights = crate::cases::numbers(&portfolio["weights"]);
        weights.extend(study["assets"].as_array().unwrap().iter().map(|asset| number(asset, "q05")));
        weights.push(number(&portfolio, "volatility") / scale);
        (weights, run.stderr)
    };
    let (expected, quiet) = solved(1.0);
    assert_eq!(quiet, "");
    for scale in [1e-8, 1e8] {
        let (found, said) = solved(scale);
        assert!(apart(&found, &expected) <= 1e-12, "{scale:e}: {:e}", apart(&found, &expected));
        assert_eq!(scale > 1.0, said.contains("note: "), "{scale:e}: {said}");
    }
}

#[test]
fn a_seed_is_chosen_said_and_enough_to_repeat_the_run() {
    let args = ["bootstrap", "-B", "20", "--json", "--engine", "cpu"];
    let (first, other) = (equirisk(&args).succeeded(), equirisk(&args).succeeded());
    let seed = first.json()["run"]["seed"].to_string();
    let table = equirisk(&["bootstrap", "-B", "20", "--engine", "cpu"]).succeeded().stdout;
    let said: String =
        table.replace('\n', " ").split_once("seed ").unwrap().1.chars().take_while(char::is_ascii_digit).collect();
    let again = equirisk(&["bootstrap", "-B", "20", "--engine", "cpu", "--seed", &said]).succeeded().stdout;
    assert_eq!(again, table);
    assert_ne!(other.json()["run"]["seed"].to_string(), seed);
    assert!(equirisk(&[&args[..], &["--seed", &seed]].concat()).succeeded().stdout == first.stdout);
}

#[test]
fn a_job_too_small_for_a_gpu_is_the_cpus_and_only_what_is_unusual_is_noted() {
    let folder = Folder::new();
    let values: Vec<f64> = returns(500, 3, 0.7, 3).iter().map(|r| 0.3 * r).collect();
    let data = folder.write("plain.csv", table(&prices(&values, 3), 3));
    let run = equirisk(&["bootstrap", &data, "-B", "20", "--periods-per-year", "252"]).succeeded();
    assert!(run.stdout.contains("(CPU, f64)"), "{}", run.stdout);
    assert_eq!(run.stderr, "");
}

#[test]
fn what_counts_as_converged_lies_within_the_tolerance_that_the_run_states() {
    for engine in ["cpu", "gpu"] {
        let summary = json(&["bootstrap", "-B", "200", "--seed", "1", "--engine", engine, "--json", "--quiet"]);
        let (stated, worst) = (number(&summary["run"], "tolerance"), number(&summary["rc_error"], "max"));
        assert!(worst <= stated, "{engine}: rc_error up to {worst:e} under a tolerance of {stated:e}");
    }
}

/// The tolerance is at fault there, not the history.
#[test]
fn a_tolerance_below_rounding_is_not_blamed_on_the_assets() {
    let run = equirisk(&["solve", "--tolerance", "1e-17"]).refused(3);
    assert!(run.stderr.contains("stalled") && run.stderr.contains("tolerance"), "{}", run.stderr);
    assert!(!run.stderr.contains("hedge") && !run.stderr.contains("fewer assets"), "{}", run.stderr);
    let args = ["bootstrap", "-B", "50", "--seed", "1", "--tolerance", "1e-17", "--engine", "cpu"];
    let run = equirisk(&[&args[..], &["--json"]].concat());
    let summary = run.json();
    assert_eq!((run.code, count(&summary, "stalled"), count(&summary, "converged")), (3, 50, 0));
    assert!(run.stderr.contains("hint: loosen --tolerance"), "{}", run.stderr);
    assert!(!run.stderr.contains("fewer assets") && !run.stderr.contains("longer history"), "{}", run.stderr);
}
