//! Is a covariance estimated as the formulas have it, from the rows of its problem and from these alone?

use std::f64::consts::LN_2;

use equirisk::covariance::{Estimate, Estimator, estimate};
use equirisk::io::{Input, ReadOptions, read_returns};
use equirisk::{Labels, Panel, Returns};
use serde_json::Value;

use crate::cases::{Npz, data, json as reference, numbers};
use crate::interrupted::{assert_equal, killed, results};
use crate::run::{Folder, apart, covariance, equirisk, json, read_weights, returns, table};
use crate::screen::names;

/// All of them, in the order of `tests/data/estimators`.
pub const ESTIMATORS: [&str; 10] = [
    "sample",
    "ewma",
    "ledoit-wolf",
    "constant-correlation",
    "oas",
    "ledoit-wolf-raw",
    "oas-raw",
    "gerber",
    "nonlinear",
    "denoised",
];

/// How the returns of these tests are read.
pub const READ: [&str; 4] = ["--returns", "--percent=false", "--engine", "cpu"];

/// The flags that ask for an estimator.
pub fn flags<'a>(name: &'a str, half_life: &'a str) -> Vec<&'a str> {
    let flags = ["--estimator", name, "--half-life", half_life];
    flags[..if name == "ewma" { 4 } else { 2 }].to_vec()
}

/// The same in the library.
fn estimated(values: &[f64], assets: usize, name: &str, half_life: f64) -> Estimate {
    let estimator = match name {
        "ewma" => Estimator::Ewma { half_life },
        _ => serde_json::from_value(name.into()).unwrap(),
    };
    assert_eq!(estimator.name(), name);
    let returns = Returns { assets: names(assets), labels: Labels::Text(Vec::new()), values: values.to_vec() };
    estimate(&Panel::new(&returns).unwrap(), estimator).unwrap()
}

/// A history and what others make of it: `tests/data/estimators/README.md`.
pub struct Case {
    pub name: String,
    pub assets: Vec<String>,
    pub half_life: String,
    /// How the resamples are drawn, where there are some.
    pub law: Option<String>,
    pub hrp_orders: Value,
    values: Vec<f64>,
    arrays: Npz,
}

impl Case {
    pub fn all() -> Vec<Case> {
        let index = reference("estimators/index.json");
        assert_eq!(index["estimators"], serde_json::json!(ESTIMATORS));
        index["panels"].as_array().unwrap().iter().map(Case::read).collect()
    }

    fn read(known: &Value) -> Case {
        let name = known["name"].as_str().unwrap().to_owned();
        let mut arrays = Npz::open(&format!("estimators/{name}.npz"));
        let values = match known["file"].as_str() {
            None => arrays.array("returns").1,
            Some(file) => {
                let input = if file == "sample" { Input::Sample } else { Input::Path(data(file)) };
                let last = known["rows"].as_u64().map(|rows| rows as usize);
                read_returns(&[input], &ReadOptions { last, ..ReadOptions::default() }).unwrap().returns.values
            }
        };
        Case {
            name,
            assets: names(known["assets"].as_array().unwrap().len()),
            half_life: known["half_life"].to_string(),
            law: known["law"].as_str().map(str::to_owned),
            hrp_orders: known["hrp_orders"].clone(),
            values,
            arrays,
        }
    }

    /// An array of the case: what there is of each estimator.
    pub fn array(&mut self, name: &str) -> Vec<Vec<f64>> {
        let values = self.arrays.array(name).1;
        values.chunks(values.len() / ESTIMATORS.len()).map(<[f64]>::to_vec).collect()
    }

    /// The history as a file, every digit written.
    pub fn written(&self, folder: &Folder) -> String {
        folder.write(&format!("{}.csv", self.name), table(&self.values, self.assets.len()))
    }
}

/// The largest absolute difference.
pub fn distance(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).fold(0.0, |worst: f64, (f, e)| {
        assert!(!(f - e).is_nan(), "{f} against {e}");
        worst.max((f - e).abs())
    })
}

/// Sums of the same products in another order; eigenvectors turn by more.
fn rounding(name: &str) -> f64 {
    if ["nonlinear", "denoised"].contains(&name) { 1e-11 } else { 1e-13 }
}

#[test]
fn correlations_and_volatilities_are_those_of_others() {
    for mut case in Case::all() {
        let n = case.assets.len();
        let (correlations, volatilities) = (case.array("correlation"), case.array("volatility"));
        for (e, name) in ESTIMATORS.into_iter().enumerate() {
            let what = format!("{name} of {}", case.name);
            let found = estimated(&case.values, n, name, case.half_life.parse().unwrap()).model;
            let lower: Vec<f64> = (0..n).flat_map(|i| found.correlation[i * n..=i * n + i].to_vec()).collect();
            let worst = distance(&lower, &correlations[e]);
            assert!(worst <= rounding(name), "{what}: {worst:e}");
            let worst = apart(&found.volatilities, &volatilities[e]);
            assert!(worst <= 1e-13, "{what}: {worst:e}");
            assert!((0..n * n).all(|at| found.correlation[at] == found.correlation[at % n * n + at / n]), "{what}");
        }
    }
}

#[test]
fn portfolios_and_what_is_told_of_estimators_are_those_of_others() {
    let folder = Folder::new();
    for mut case in Case::all() {
        let data = case.written(&folder);
        let (weights, volatilities) = (case.array("erc"), case.array("volatility"));
        let parameters = case.array("parameter");
        for (e, name) in ESTIMATORS.into_iter().enumerate() {
            let what = format!("{name} of {}", case.name);
            let found = json(&[&["solve", &data, "--json"], &READ[..], &flags(name, &case.half_life)[..]].concat());
            // Finished to rounding.
            let worst = apart(&numbers(&found["weights"]), &weights[e]);
            assert!(worst <= 1e-12, "{what}: {worst:e}");
            let inverse = numbers(&found["methods"]["inverse_volatility"]["weights"]);
            let risks: Vec<f64> = inverse.iter().zip(&volatilities[e]).map(|(w, s)| w * s).collect();
            assert!(apart(&risks, &vec![risks[0]; risks.len()]) <= 1e-13, "{what}: {risks:?}");

            let told = &found["run"]["estimator"];
            assert_eq!(told["name"], name);
            let half_life = (name == "ewma").then(|| case.half_life.parse::<f64>().unwrap());
            assert_eq!(told["half_life"].as_f64(), half_life, "{what}");
            assert_eq!(found["shrinkage"], told["intensity"]["point"], "{what}");
            let own = match name {
                "ewma" => "effective_rows",
                "denoised" => "kept",
                _ => "intensity",
            };
            let (shown, expected) = (["effective_rows", "kept", "intensity"], parameters[e][0]);
            for (key, value) in shown.map(|key| (key, &told[key])) {
                let value = if key == "effective_rows" { value } else { &value["point"] };
                let near = value.as_f64().map(|value| (value - expected).abs() <= 1e-13 * expected.max(1.0));
                assert_eq!(near, (key == own && !expected.is_nan()).then_some(true), "{what}: {key} {value}");
            }
        }
    }
}

#[test]
fn portfolios_of_resamples_are_those_of_others() {
    let folder = Folder::new();
    for mut case in Case::all() {
        let Some(law) = case.law.clone() else { continue };
        let [first, second] = ["resample0", "resample1"]
            .map(|set| (case.array(&format!("{set}.erc")), case.array(&format!("{set}.parameter"))));
        let data = case.written(&folder);
        let assets: Vec<&str> = case.assets.iter().map(String::as_str).collect();
        for (e, name) in ESTIMATORS.into_iter().enumerate() {
            let (what, out) = (format!("{name} of {}", case.name), format!("{}-{name}", case.name));
            let (path, law) = (folder.name(&out), law.split(' ').collect::<Vec<_>>());
            let args = ["bootstrap", &data, "-B", "2", "--no-sensitivity", "--json", "-o", &path];
            let found = json(&[&args[..], &READ, &law, &flags(name, &case.half_life)].concat());
            let solved = read_weights(&folder.path(&format!("{out}/weights.parquet")), &assets);
            assert_eq!(solved.len(), 2);
            for (solved, (expected, _)) in solved.iter().zip([&first, &second]) {
                let weights: Vec<f64> = solved.weights.iter().map(|weight| weight.unwrap()).collect();
                // Solutions of 1e-8 are within twice that.
                let worst = apart(&weights, &expected[e]);
                assert!(worst <= 2e-8, "{what}: {worst:e}");
            }
            let told = &found["run"]["estimator"][if name == "denoised" { "kept" } else { "intensity" }];
            let (p, q) = (first.1[e][0], second.1[e][0]);
            assert_eq!(told.is_null(), p.is_nan() || name == "ewma", "{what}");
            if !told.is_null() {
                let number = |key: &str| told[key].as_f64().unwrap();
                assert!((number("mean") - 0.5 * (p + q)).abs() <= 1e-13, "{what}: {told}");
                // Quantiles of two numbers lie between them, in proportion.
                assert!((number("q95") - number("q05") - 0.9 * (p - q).abs()).abs() <= 1e-13, "{what}: {told}");
            }
        }
    }
}

/// The rows that a resample is said to use are all that goes into its covariance: as a history they have the same portfolio.
#[test]
fn a_resample_is_estimated_from_the_rows_that_are_printed() {
    let folder = Folder::new();
    let (assets, values) = (["A0", "A1", "A2", "A3", "A4"], returns(90, 5, 0.8, 7));
    let data = folder.write("returns.csv", table(&values, 5));
    // Summed by the ends of blocks, and row by row.
    let laws: [&[&str]; 2] = [&["--scheme", "moving", "--block", "9"], &["--scheme", "iid"]];
    let drawn = laws.map(|law| {
        let args = ["rows", &data, "--returns", "--seed", "8", "--resample", "0..1"];
        let text = equirisk(&[&args[..], law].concat()).succeeded().stdout;
        let rows = text.lines().skip(1).map(|line| line.rsplit(',').next().unwrap().parse::<usize>().unwrap());
        let values: Vec<f64> = rows.flat_map(|row| values[5 * row..5 * row + 5].to_vec()).collect();
        assert_eq!(values.len(), 90 * 5);
        folder.write(&format!("{}.csv", law[1]), table(&values, 5))
    });
    for (e, name) in ESTIMATORS.into_iter().enumerate() {
        let (law, drawn, out) = (laws[e % 2], &drawn[e % 2], folder.name(name));
        let asked = flags(name, "15");
        let args = ["bootstrap", &data, "-B", "1", "--seed", "8", "--no-sensitivity", "--json", "-o", &out];
        let found = json(&[&args[..], &READ, law, &asked].concat());
        let resampled = read_weights(&folder.path(&format!("{name}/weights.parquet")), &assets).remove(0);
        let solved = json(&[&["solve", drawn, "--json"], &READ[..], &asked].concat());
        let weights: Vec<f64> = resampled.weights.iter().map(|weight| weight.unwrap()).collect();
        let worst = apart(&weights, &numbers(&solved["weights"]));
        assert!(worst <= 2e-8, "{name}: {worst:e}");
        // It moves with the weights, and by no more.
        let volatility = solved["volatility"].as_f64().unwrap();
        assert!((resampled.volatility.unwrap() / volatility - 1.0).abs() <= 2e-8, "{name}");
        let (told, other) = (&found["run"]["estimator"], &solved["run"]["estimator"]);
        for key in ["intensity", "kept"] {
            let (mean, point) = (told[key]["mean"].as_f64(), other[key]["point"].as_f64());
            assert_eq!(mean.is_some(), point.is_some(), "{name}");
            assert!(mean.is_none_or(|mean| (mean - point.unwrap()).abs() <= 1e-13), "{name}: {mean:?} {point:?}");
        }
    }
}

/// In correlation units an asset's own units are nothing to an estimator; in those of returns they are.
#[test]
fn the_units_of_an_asset_are_those_of_its_volatility_and_change_raw_shrinkage_alone() {
    let values = returns(60, 4, 0.7, 5);
    let scaled = |factor: f64| -> Vec<f64> {
        values.chunks(4).flat_map(|row| [row[0], row[1], factor * row[2], row[3]]).collect()
    };
    let is_raw = |name: &str| name.ends_with("-raw");
    for factor in [2.0_f64.powi(-30), 128.0] {
        for name in ESTIMATORS {
            let [plain, other] = [&values, &scaled(factor)].map(|values| estimated(values, 4, name, 20.0));
            let is_same = plain.model.correlation == other.model.correlation;
            assert_eq!(is_same, !is_raw(name), "{name}");
            assert_eq!(is_same, plain.refined.parameter == other.refined.parameter, "{name}");
            if is_same {
                let mut expected = plain.model.volatilities;
                expected[2] *= factor;
                assert_eq!(other.model.volatilities, expected, "{name}");
            }
        }
    }
    let folder = Folder::new();
    let [plain, small] = [1.0, 1.0 / 64.0].map(|factor| folder.write(&factor.to_string(), table(&scaled(factor), 4)));
    for name in ["ledoit-wolf", "constant-correlation", "oas", "ledoit-wolf-raw"] {
        let [plain, small] = [&plain, &small].map(|data| {
            json(&[&["solve", data, "--json"], &READ[..], &["--estimator", name]].concat())["shrinkage"]
                .as_f64()
                .unwrap()
        });
        assert_eq!(plain == small, !is_raw(name), "{name}: {plain} {small}");
    }
}

#[test]
fn only_exponential_weights_heed_the_order_of_rows() {
    let values = returns(60, 4, 0.7, 5);
    let reversed: Vec<f64> = values.chunks(4).rev().flatten().copied().collect();
    for name in ESTIMATORS {
        let [there, back] = [&values, &reversed].map(|values| estimated(values, 4, name, 20.0).model);
        let worst = distance(&there.correlation, &back.correlation);
        assert_eq!(worst <= rounding(name), name != "ewma", "{name}: {worst:e}");
    }
}

#[test]
fn exponential_weights_tend_to_equal_ones_and_a_decay_is_a_half_life() {
    let solve = |asked: &[&str]| {
        json(&[&["solve", "--last", "504", "--engine", "cpu", "--json", "--quiet", "--estimator"], asked].concat())
    };
    let (sample, slow) = (solve(&["sample"]), solve(&["ewma", "--half-life", "1e9"]));
    // The first of 504 rows weighs 3.5e-7 less than the last.
    assert!(apart(&numbers(&slow["weights"]), &numbers(&sample["weights"])) <= 1e-6);
    let decay = solve(&["ewma", "--decay", "0.94"]);
    let told = &decay["run"]["estimator"];
    let (half_life, effective) = (told["half_life"].as_f64().unwrap(), told["effective_rows"].as_f64().unwrap());
    assert!((half_life + LN_2 / 0.94_f64.ln()).abs() <= 1e-13);
    // (sum w)^2 / sum w^2 of a geometric series.
    let all = 0.94_f64.powi(504);
    assert!((effective / ((1.94 / 0.06) * (1.0 - all) / (1.0 + all)) - 1.0).abs() <= 1e-13);
    assert_eq!(solve(&["ewma", "--half-life", &half_life.to_string()]), decay);
}

/// The best of all subsets, which are estimated from co-moments of the universe, against its assets by themselves.
#[test]
fn a_subset_is_estimated_from_its_own_assets() {
    for name in ESTIMATORS {
        let history = [&["--last", "504", "--engine", "cpu", "--json", "--quiet"], &flags(name, "63")[..]].concat();
        let found = json(&[&["screen", "-k", "4", "--top", "1", "--no-halves"], &history[..]].concat());
        let best = &found["top"][0];
        let assets: Vec<&str> = best["assets"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let solved = json(&[&["solve", "--assets", &assets.join(",")], &history[..]].concat());
        let worst = apart(&numbers(&best["weights"]), &numbers(&solved["weights"]));
        assert!(worst <= 1e-12, "{name}: {worst:e}");
        let number = |found: &Value, key: &str| found[key].as_f64();
        let (ratio, other) = (number(best, "value").unwrap(), number(&solved, "diversification_ratio").unwrap());
        assert!((ratio / other - 1.0).abs() <= 1e-12, "{name}");
        // As it was found among all, before it was finished: by solutions of 1e-8.
        let among = number(&found["distribution"], "max").unwrap();
        assert!((among / ratio - 1.0).abs() <= 2e-8, "{name}: {among}");
        let (shrinkage, other) = (number(best, "shrinkage"), number(&solved, "shrinkage"));
        assert_eq!(shrinkage.is_some(), other.is_some(), "{name}");
        assert!(shrinkage.is_none_or(|x| (x - other.unwrap()).abs() <= 1e-13), "{name}: {shrinkage:?} {other:?}");
    }
}

#[test]
fn assets_without_a_budget_take_no_part() {
    let folder = Folder::new();
    let data = folder.write("returns.csv", table(&returns(60, 4, 0.7, 5), 4));
    for name in ESTIMATORS {
        let solve = |more: &[&str]| {
            json(&[&["solve", &data, "--json", "--quiet"], &READ[..], &flags(name, "20")[..], more].concat())
        };
        let (without, other) = (solve(&["--budgets", "A0=1,A1=0,A2=1,A3=1"]), solve(&["--exclude", "A1"]));
        let (mut weights, others) = (numbers(&without["weights"]), numbers(&other["weights"]));
        assert_eq!(weights.remove(1), 0.0);
        assert!(apart(&weights, &others) <= 1e-13 && without["shrinkage"] == other["shrinkage"], "{name}");
    }
}

#[test]
fn runs_in_parts_and_on_any_threads_are_the_whole_byte_by_byte() {
    let (blocks, single): (&[&str], &[&str]) = (&["--block", "12"], &["--scheme", "iid"]);
    for (name, law) in [("ledoit-wolf", single), ("ewma", blocks), ("gerber", single), ("denoised", blocks)] {
        let folder = Folder::new();
        let data = folder.write("returns.csv", table(&returns(120, 6, 0.7, 3), 6));
        let asked = flags(name, "30");
        let run = |out: &str, more: &[&str]| {
            let out = folder.name(out);
            let args = ["bootstrap", &data, "--seed", "5", "--json", "-o", &out];
            equirisk(&[&args[..], &READ, law, &asked, more].concat()).succeeded()
        };
        let whole = run("whole", &["-B", "600", "--threads", "1"]);
        let expected = results(&folder.path("whole"));
        assert_eq!(run("threads", &["-B", "600", "--threads", "2"]).stdout, whole.stdout, "{name}");
        assert_equal(&folder.path("threads"), &expected);
        run("first", &["-B", "600", "--shard", "0/2"]);
        run("second", &["-B", "600", "--shard", "1/2"]);
        let [first, second, joined] = ["first", "second", "joined"].map(|name| folder.name(name));
        let merged = equirisk(&["merge", &second, &first, "-o", &joined, "--json"]).succeeded();
        assert_eq!(merged.stdout, whole.stdout, "{name}");
        assert_equal(&folder.path("joined"), &expected);
        let checked = &json(&["verify", &joined, "--json"])["crosscheck"];
        assert_eq!((&checked["sampled"], &checked["disagreements"]), (&64.into(), &0.into()), "{name}");
        run("few", &["-B", "37"]);
        let weights = |name: &str| {
            read_weights(&folder.path(&format!("{name}/weights.parquet")), &["A0", "A1", "A2", "A3", "A4", "A5"])
        };
        assert_eq!(weights("few"), weights("whole")[..37], "{name}");
    }
}

#[test]
fn runs_that_were_killed_go_on_to_the_same_bytes() {
    let folder = Folder::new();
    let (blocks, single): (&[&str], &[&str]) = (&["--block", "12"], &["--scheme", "iid"]);
    for (name, law) in [("ledoit-wolf", single), ("ewma", blocks)] {
        let args = ["bootstrap", "-B", "60000", "--seed", "3", "--last", "250", "--engine", "cpu", "--no-sensitivity"];
        let args = [&args[..], law, &flags(name, "63")].concat();
        let (own, whole) = (folder.name(name), folder.name(&format!("{name}-whole")));
        killed(&args, &own, 1);
        let run = equirisk(&[&args[..], &["-o", &own]].concat()).succeeded();
        assert!(run.stderr.contains("problems are solved already"), "{name}: {}", run.stderr);
        assert_eq!(equirisk(&[&args[..], &["-o", &whole]].concat()).succeeded().stdout, run.stdout, "{name}");
        assert_equal(&folder.path(name), &results(&folder.path(&format!("{name}-whole"))));
    }
}

#[test]
fn another_estimator_is_another_run() {
    let folder = Folder::new();
    let [whole, first, second] = ["whole", "first", "second"].map(|name| folder.name(name));
    let run = |out: &str, asked: &[&str]| {
        let args =
            ["bootstrap", "-B", "20", "--seed", "5", "--last", "100", "--block", "5", "--engine", "cpu", "-o", out];
        equirisk(&[&args[..], asked].concat())
    };
    run(&whole, &flags("ewma", "20")).succeeded();
    for asked in [flags("ewma", "21"), flags("oas", ""), flags("sample", "")] {
        assert!(run(&whole, &asked).refused(2).stderr.contains("holds a different run"), "{asked:?}");
    }
    run(&first, &["--estimator", "oas", "--shard", "0/2"]).succeeded();
    run(&second, &["--estimator", "ledoit-wolf", "--shard", "1/2"]).succeeded();
    let said = equirisk(&["merge", &first, &second, "-o", &folder.name("joined")]).refused(2).stderr;
    assert!(said.contains("estimator oas and ledoit-wolf"), "{said}");
}

#[test]
fn what_contradicts_itself_is_refused_with_what_to_do() {
    let folder = Folder::new();
    let given = folder.write("covariance.csv", covariance(&[0.04, 0.01, 0.01, 0.09], 2));
    let ewma = ["solve", "--estimator", "ewma"];
    let cases: [(&[&str], &[&str]); 10] = [
        (&["solve", "--half-life", "63"], &["add --estimator ewma", "leave --half-life out"]),
        (&["screen", "-k", "2", "--estimator", "oas", "--decay", "0.94"], &["leave --decay out"]),
        (&["bootstrap", "--estimator", "ewma"], &["--half-life", "11.2", "0.94", "63"]),
        (&[&ewma[..], &["--half-life", "63", "--decay", "0.94"]].concat(), &["--half-life", "--decay"]),
        (&[&ewma[..], &["--half-life", "0"]].concat(), &["--half-life", "such as 63"]),
        (&[&ewma[..], &["--half-life", "nan"]].concat(), &["--half-life", "such as 63"]),
        (&[&ewma[..], &["--decay", "1"]].concat(), &["--decay", "between 0 and 1"]),
        (&[&ewma[..], &["--decay", "1e-9"]].concat(), &["one row would be all there is", "11.2"]),
        (&["solve", "--estimator", "ledoit"], &ESTIMATORS),
        (&["screen", &given, "--covariance", "-k", "2", "--estimator", "oas"], &["--covariance gives one"]),
    ];
    for (args, words) in cases {
        let said = equirisk(args).refused(2).stderr;
        assert!(words.iter().all(|word| said.contains(word)), "{args:?}, {words:?}: {said}");
    }
    for name in &ESTIMATORS[1..] {
        let said = equirisk(&[&["solve", &given, "--covariance"], &flags(name, "63")[..]].concat()).refused(2).stderr;
        assert!(said.contains(&format!("--estimator {name}")) && said.contains("leave --estimator out"), "{said}");
    }
    equirisk(&["solve", &given, "--covariance", "--estimator", "sample"]).succeeded();
}

/// With a half-life of a fifth of a row the last twenty rows are all there is.
#[test]
fn an_asset_that_stands_still_where_weight_is_left_is_an_error_that_says_so() {
    let folder = Folder::new();
    let mut values = returns(60, 3, 0.5, 4);
    values[40 * 3..].chunks_mut(3).for_each(|row| row[1] = 0.0);
    let data = folder.write("returns.csv", table(&values, 3));
    let run = |command: &[&str], half_life: &str| {
        equirisk(&[command, &[&data], &READ[..], &flags("ewma", half_life)[..]].concat())
    };
    for command in [&["solve"][..], &["bootstrap", "-B", "20", "--seed", "1"], &["screen", "-k", "2"]] {
        let said = run(command, "0.2").refused(4).stderr;
        assert!(said.contains("does not move over the last rows"), "{said}");
        assert!(said.contains("hint: give a longer --half-life"), "{said}");
    }
    run(&["solve"], "3").succeeded();
}

#[test]
fn one_asset_is_the_same_to_every_estimator() {
    let folder = Folder::new();
    let data = folder.write("returns.csv", table(&returns(40, 1, 0.0, 6), 1));
    let solve = |name: &str| json(&[&["solve", &data, "--json"], &READ[..], &flags(name, "1e9")[..]].concat());
    let sample = solve("sample")["volatility"].as_f64().unwrap();
    for name in ESTIMATORS {
        let found = solve(name);
        assert_eq!(numbers(&found["weights"]), [1.0], "{name}");
        // Exponential weights of that half-life are equal to 3e-8.
        let tolerance = if name == "ewma" { 1e-7 } else { 1e-14 };
        assert!((found["volatility"].as_f64().unwrap() / sample - 1.0).abs() <= tolerance, "{name}");
    }
    for name in ["ewma", "constant-correlation", "nonlinear"] {
        let args = [&["bootstrap", &data, "-B", "20", "--seed", "1", "--json"], &READ[..], &flags(name, "10")].concat();
        assert_eq!(json(&args)["solves"]["converged"], 20, "{name}");
    }
}

/// Three assets that rise and fall together: their correlations are one, and stay equal whatever is made of them, so that
/// inverse volatility is the answer. OAS in units of returns shrinks variances to their mean, all the way.
#[test]
fn two_rows_are_enough_for_every_estimator() {
    let folder = Folder::new();
    let data = folder.write("returns.csv", table(&[0.01, 0.02, 0.03, -0.01, -0.01, -0.02], 3));
    let inverse = [2.0, 3.0, 5.0].map(|spread: f64| 1.0 / spread);
    let inverse = inverse.map(|x| x / inverse.iter().sum::<f64>());
    for name in ESTIMATORS {
        let found = json(&[&["solve", &data, "--json"], &READ[..], &flags(name, "5")[..]].concat());
        let expected = if name == "oas-raw" { [1.0 / 3.0; 3] } else { inverse };
        let worst = apart(&numbers(&found["weights"]), &expected);
        assert!(worst <= 1e-12, "{name}: {worst:e}");
        // Two rows are as far from their mean, and do not tell how far another would be.
        if name.starts_with("ledoit-wolf") {
            assert!(found["shrinkage"].as_f64().unwrap() <= 1e-14, "{name}");
        }
    }
}
