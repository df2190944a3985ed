//! Are the portfolios beside risk budgeting what they are called, does each prove it, and do they leave the rest alone?

use serde_json::Value;

use crate::cases::{Npz, json as reference, numbers};
use crate::estimators::{Case, ESTIMATORS, READ, distance, flags};
use crate::interrupted::{assert_equal, results};
use crate::run::{Folder, covariance, equirisk, json, returns, risk, sample_covariance, table};

const METHODS: [&str; 6] = ["erc", "min_variance", "max_diversification", "hrp", "inverse_volatility", "equal_weight"];

const QUADRATIC: [&str; 2] = ["min_variance", "max_diversification"];

/// Those of `tests/data/estimators`.
const KNOWN: [&str; 3] = ["min_variance", "max_diversification", "hrp"];

/// Every method's portfolio under a covariance, each proved.
fn solved(folder: &Folder, matrix: &[f64], what: &str) -> Value {
    let data = folder.write("covariance.csv", covariance(matrix, matrix.len().isqrt()));
    let args = ["solve", &data, "--covariance", "--engine", "cpu", "--methods", "all", "--json", "--quiet"];
    let methods = json(&args)["methods"].take();
    assert_proved(&methods, what);
    methods
}

/// Bounds that the program accepts; what ends exactly is within rounding of them.
fn assert_proved(methods: &Value, what: &str) {
    for name in METHODS {
        let (found, weights) = (&methods[name], numbers(&methods[name]["weights"]));
        assert_eq!(found["status"], "converged", "{what}: {name}");
        assert!(weights.iter().all(|&weight| weight >= 0.0), "{what}: {name} {weights:?}");
        assert!((weights.iter().sum::<f64>() - 1.0).abs() <= 1e-14 * weights.len() as f64, "{what}: {name}");
        let gap = found["gap"].as_f64();
        assert_eq!(
            (gap.is_some(), found["unique"].is_boolean()),
            [QUADRATIC.contains(&name); 2].into(),
            "{what}: {name}"
        );
        // The shares of weights in l'y sum to one but for rounding.
        assert!(gap.is_none_or(|gap| (-1e-14..=1e-8).contains(&gap)), "{what}: {name} {gap:?}");
    }
    let hrp = &methods["hrp"];
    assert!(hrp["split_error"].as_f64().unwrap() <= 1e-12, "{what}: {hrp}");
    assert!(hrp["margin"].as_f64().is_none_or(|margin| margin >= 0.0), "{what}: {hrp}");
}

/// Places of the assets, which are called A0, A1, ...
fn order(methods: &Value) -> Vec<u64> {
    let names = methods["hrp"]["order"].as_array().unwrap();
    names.iter().map(|name| name.as_str().unwrap()[1..].parse().unwrap()).collect()
}

fn number(found: &Value, key: &str) -> f64 {
    found[key].as_f64().unwrap_or_else(|| panic!("{key}: {found}"))
}

fn sample(values: &[f64], assets: usize) -> Vec<f64> {
    sample_covariance(values, assets, &(0..values.len() / assets).collect::<Vec<_>>())
}

#[test]
fn small_examples_are_what_can_be_worked_out_by_hand() {
    let folder = Folder::new();
    let hand = reference("estimators/hand.json");
    let matrix = |case: &Value| -> Vec<f64> {
        let (correlation, volatility) = (&case["correlation"], numbers(&case["volatility"]));
        let row = |i: usize| numbers(&correlation[i]).into_iter().zip(&volatility).map(move |(c, s)| c * s);
        (0..volatility.len()).flat_map(|i| row(i).map(|x| x * volatility[i]).collect::<Vec<_>>()).collect()
    };
    let fraction = |text: &Value| {
        let (above, below) = text.as_str().unwrap().split_once('/').unwrap();
        above.parse::<f64>().unwrap() / below.parse::<f64>().unwrap()
    };
    for case in hand["hrp"].as_array().unwrap() {
        let what = case["name"].as_str().unwrap();
        let found = solved(&folder, &matrix(case), what);
        let expected: Vec<f64> = case["hrp"].as_array().unwrap().iter().map(fraction).collect();
        assert!(distance(&numbers(&found["hrp"]["weights"]), &expected) <= 1e-15, "{what}");
        assert_eq!(serde_json::json!(order(&found)), case["order"], "{what}");
    }
    for case in hand["quadratic"].as_array().unwrap() {
        let what = case["name"].as_str().unwrap();
        let found = solved(&folder, &matrix(case), what);
        for name in QUADRATIC {
            assert!(distance(&numbers(&found[name]["weights"]), &numbers(&case[name])) <= 1e-15, "{what}: {name}");
            assert_eq!(found[name]["unique"], true, "{what}: {name}");
        }
    }
}

#[test]
fn one_asset_is_the_whole_of_every_portfolio() {
    let found = solved(&Folder::new(), &[0.04], "one asset");
    assert!(METHODS.iter().all(|name| numbers(&found[name]["weights"]) == [1.0]));
    assert!(order(&found) == [0] && found["hrp"]["margin"].is_null());
}

#[test]
fn portfolios_of_covariances_are_those_of_others() {
    let folder = Folder::new();
    let mut known = Npz::open("estimators/methods.npz");
    for case in reference("estimators/index.json")["covariances"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let found = solved(&folder, &Npz::open(&format!("reference/{name}.npz")).array("cov").1, name);
        // Rounding of the correlations moves weights by its ratio to the smallest eigenvalue of those that are held.
        let tolerance = 1e-12 + 1e-15 / number(case, "smallest_eigenvalue");
        for (m, method) in KNOWN.into_iter().enumerate() {
            let unique = case["unique"].get(m);
            assert_eq!(found[method].get("unique"), unique, "{name}: {method}");
            if unique.is_none_or(|unique| unique == true) {
                let expected = known.array(&format!("{name}.{method}")).1;
                let worst = distance(&numbers(&found[method]["weights"]), &expected);
                assert!(worst <= tolerance, "{name}: {method} {worst:e}");
            }
        }
        assert_eq!(serde_json::json!(order(&found)), case["hrp_order"], "{name}");
        let (margin, expected) = (found["hrp"]["margin"].as_f64(), case["hrp_margin"].as_f64());
        assert_eq!(margin.is_some(), expected.is_some(), "{name}");
        // Correlations of 1 and less, rounded.
        assert!(margin.is_none_or(|margin| (margin - expected.unwrap()).abs() <= 1e-15), "{name}: {margin:?}");
    }
}

#[test]
fn portfolios_of_histories_are_those_of_others_under_every_estimator() {
    let folder = Folder::new();
    for mut case in Case::all() {
        let data = case.written(&folder);
        let known = KNOWN.map(|method| case.array(method));
        for (e, name) in ESTIMATORS.into_iter().enumerate() {
            let what = format!("{name} of {}", case.name);
            let args = ["solve", &data, "--methods", "all", "--json"];
            let found = json(&[&args[..], &READ, &flags(name, &case.half_life)].concat())["methods"].take();
            assert_proved(&found, &what);
            // Eigenvectors, and what is made of them, are within 1e-11.
            let tolerance = if ["nonlinear", "denoised"].contains(&name) { 1e-10 } else { 1e-12 };
            for (method, known) in KNOWN.into_iter().zip(&known) {
                let has_several = known[e][0].is_nan();
                assert!(!QUADRATIC.contains(&method) || found[method]["unique"] == !has_several, "{what}: {method}");
                if !has_several {
                    let worst = distance(&numbers(&found[method]["weights"]), &known[e]);
                    assert!(worst <= tolerance, "{what}: {method} {worst:e}");
                }
            }
            assert_eq!(serde_json::json!(order(&found)), case.hrp_orders[e], "{what}");
        }
    }
}

/// Of one resample every statistic is its own figure.
#[test]
fn portfolios_of_a_resample_are_those_of_others() {
    let folder = Folder::new();
    for mut case in Case::all() {
        let Some(law) = case.law.clone() else { continue };
        let known = KNOWN.map(|method| case.array(&format!("resample0.{method}")));
        let (data, law) = (case.written(&folder), law.split(' ').collect::<Vec<_>>());
        for (e, name) in ESTIMATORS.into_iter().enumerate().take(3) {
            let args = ["bootstrap", &data, "-B", "1", "--methods", "all", "--no-sensitivity", "--json"];
            let found = json(&[&args[..], &READ, &law, &flags(name, &case.half_life)].concat());
            for (method, known) in KNOWN.into_iter().zip(&known) {
                let weights = found["methods"][method]["weights"].as_array().unwrap();
                let weights: Vec<f64> = weights.iter().map(|weight| number(weight, "mean")).collect();
                let worst = distance(&weights, &known[e]);
                assert!(worst <= 1e-12, "{name} of {}: {method} {worst:e}", case.name);
            }
        }
    }
}

#[test]
fn every_method_is_best_at_what_it_aims_at() {
    let folder = Folder::new();
    // Fewer assets than rows, as many, and more.
    for (rows, assets, market, seed) in
        [(80, 5, 0.7, 1), (200, 12, 0.1, 2), (60, 25, 1.5, 3), (13, 12, 1.5, 4), (12, 20, 3.0, 5)]
    {
        let matrix = sample(&returns(rows, assets, market, seed), assets);
        let what = format!("{assets} assets, {rows} rows");
        let found = solved(&folder, &matrix, &what);
        let of = |name: &str, key: &str| number(&found[name], key);
        let [least, most] = [of("min_variance", "volatility"), of("max_diversification", "diversification_ratio")];
        let [gap, other] = QUADRATIC.map(|name| of(name, "gap"));
        for name in METHODS {
            // Figures follow from the covariance and the weights.
            let weights = numbers(&found[name]["weights"]);
            let (volatility, shares) = risk(&matrix, &weights);
            let singles: f64 = (0..assets).map(|i| weights[i] * matrix[i * assets + i].sqrt()).sum();
            assert!((of(name, "volatility") / volatility - 1.0).abs() <= 1e-11, "{what}: {name}");
            assert!(
                (of(name, "diversification_ratio") / (singles / volatility) - 1.0).abs() <= 1e-11,
                "{what}: {name}"
            );
            assert!(distance(&numbers(&found[name]["risk_shares"]), &shares) <= 1e-11, "{what}: {name}");
            // The bounds that gaps prove, and rounding.
            assert!(of(name, "volatility") >= (1.0 - gap) * least * (1.0 - 1e-14), "{what}: {name}");
            assert!(of(name, "diversification_ratio") * (1.0 - other) <= most * (1.0 + 1e-14), "{what}: {name}");
        }
        // Equal budgets lie between (Maillard, Roncalli & Teiletche 2010).
        assert!(of("erc", "volatility") <= of("equal_weight", "volatility"), "{what}");
        // What is held has the least marginal risk, and nobody has less: the conditions of the optimum.
        let weights = numbers(&found["min_variance"]["weights"]);
        for i in 0..assets {
            let marginal: f64 = (0..assets).map(|j| matrix[i * assets + j] * weights[j]).sum::<f64>() / (least * least);
            assert!(marginal >= 1.0 - 1e-9 && (weights[i] == 0.0 || marginal <= 1.0 + 1e-9), "{what}: {i} {marginal}");
        }
    }
}

/// An asset that is there twice can be held as one or the other.
#[test]
fn of_assets_that_are_the_same_the_first_is_held_and_it_is_said_that_others_would_do() {
    let folder = Folder::new();
    let values: Vec<f64> = returns(60, 3, 0.2, 9).chunks(3).flat_map(|row| [row[0], row[0], row[1], row[2]]).collect();
    let found = solved(&folder, &sample(&values, 4), "twins");
    for name in QUADRATIC {
        let weights = numbers(&found[name]["weights"]);
        assert!(weights[0] > 0.1 && weights[1] == 0.0, "{name}: {weights:?}");
        assert_eq!(found[name]["unique"], false, "{name}");
    }
    let single: Vec<f64> = values.chunks(4).flat_map(|row| [row[0], row[2], row[3]]).collect();
    let single = solved(&folder, &sample(&single, 3), "one of them");
    for name in QUADRATIC {
        let mut weights = numbers(&found[name]["weights"]);
        weights.remove(1);
        assert!(distance(&weights, &numbers(&single[name]["weights"])) <= 1e-12, "{name}");
        assert_eq!(single[name]["unique"], true, "{name}");
    }
    // The twins merge first, at a correlation of one.
    assert_eq!(order(&found).iter().position(|&i| i == 0).map(|at| order(&found)[at + 1]), Some(1));
}

/// A power of two is exact: all returns times it change no weight, and those of one asset only what depends on its units.
#[test]
fn units_matter_where_they_should() {
    let folder = Folder::new();
    let values = returns(60, 4, 0.7, 5);
    let solve = |name: &str, factors: [f64; 4]| {
        let values: Vec<f64> = values.iter().zip(factors.iter().cycle()).map(|(x, factor)| x * factor).collect();
        let data = folder.write(name, table(&values, 4));
        let args = [&["solve", &data, "--methods", "all", "--json"], &READ[..]].concat();
        json(&args)["methods"].take()
    };
    let (plain, all, one) = (solve("plain", [1.0; 4]), solve("all", [0.125; 4]), solve("one", [1.0, 1.0, 0.125, 1.0]));
    for name in METHODS {
        let weights = |found: &Value| numbers(&found[name]["weights"]);
        assert_eq!(weights(&all), weights(&plain), "{name}");
        assert_eq!(number(&all[name], "volatility"), 0.125 * number(&plain[name], "volatility"), "{name}");
        // The exposure to each asset stays: eight times the weight of what moves an eighth.
        let mut expected = weights(&plain);
        expected[2] *= 8.0;
        let total: f64 = expected.iter().sum();
        let is_kept = distance(&weights(&one), &expected.iter().map(|x| x / total).collect::<Vec<_>>()) <= 1e-12;
        assert_eq!(is_kept, ["erc", "max_diversification", "inverse_volatility"].contains(&name), "{name}");
    }
}

#[test]
fn fixed_mixes_are_measured_as_they_are_given() {
    let folder = Folder::new();
    let values = returns(60, 3, 0.5, 2);
    let (matrix, data) = (sample(&values, 3), folder.write("returns.csv", table(&values, 3)));
    let file = folder.write("mix.csv", "asset,weight\nA2,25%\nA0,75%\n");
    let solve = |mixes: &[&str]| {
        let mixes: Vec<&str> = mixes.iter().flat_map(|mix| ["--fixed", mix]).collect();
        equirisk(&[&["solve", &data, "--json"], &READ[..], &mixes].concat())
    };
    let run =
        solve(&["A1=0.4,A0=0.6", "60/40:A0=60%,A1=40%", &format!("file:{file}"), &file, "three:A0=3,A1=1"]).succeeded();
    assert!(run.stderr.contains("weights sum to 4"), "{}", run.stderr);
    let found = run.json();
    for (name, expected) in [
        ("fixed", [0.6, 0.4, 0.0]),
        ("60/40", [0.6, 0.4, 0.0]),
        ("file", [0.75, 0.0, 0.25]),
        ("fixed_2", [0.75, 0.0, 0.25]),
        ("three", [0.75, 0.25, 0.0]),
    ] {
        let mix = &found["methods"][name];
        assert!(distance(&numbers(&mix["weights"]), &expected) <= 1e-15, "{name}: {mix}");
        let (volatility, shares) = risk(&matrix, &expected);
        assert!((number(mix, "volatility") / volatility - 1.0).abs() <= 1e-12, "{name}");
        assert!(distance(&numbers(&mix["risk_shares"]), &shares) <= 1e-12, "{name}");
    }
    for (mixes, code, said) in [
        (&["A0=0.6,CASH=0.4"][..], 4, "no asset `CASH`"),
        (&["A0=0.6,A0=0.4"], 4, "`A0` has two weights"),
        (&["x:A0=1", "x:A1=1"], 2, "column of results is called `x`"),
        (&["risk_share:A0=1"], 2, "column of results is called `risk_share`"),
        (&["m:A0=0.5,A1=-0.5"], 4, "--fixed: the weights of `m` sum to 0"),
        (&["hrp:A0=1"], 2, "column of results is called `hrp`"),
        (&["A0=0.5,A1=-0.5"], 4, "sum to 0"),
    ] {
        let run = solve(mixes).refused(code);
        assert!(run.stderr.contains(said) && run.stderr.contains("hint: "), "{mixes:?}: {}", run.stderr);
    }
}

#[test]
fn methods_are_those_that_were_asked_for() {
    let names = |args: &[&str]| -> Vec<String> {
        let found = json(&[&["solve", "--last", "100", "--json", "--quiet"], args].concat());
        found["methods"].as_object().unwrap().keys().cloned().collect()
    };
    // Risk budgeting is always there; serde sorts.
    assert_eq!(names(&[]), ["equal_weight", "erc", "inverse_volatility"]);
    assert_eq!(names(&["--methods", "hrp,min-variance,hrp"]), ["erc", "hrp", "min_variance"]);
    assert_eq!(names(&["--methods", "erc", "--fixed", "NIKKEI=1"]), ["erc", "fixed"]);
    let said = equirisk(&["solve", "--methods", "erc,markowitz"]).refused(2).stderr;
    let known = METHODS.map(|name| name.replace('_', "-"));
    assert!(known.iter().all(|name| said.contains(name)) && said.contains("all"), "{said}");
}

#[test]
fn budgets_are_for_risk_budgeting_and_a_zero_takes_an_asset_out_of_all() {
    let folder = Folder::new();
    let data = folder.write("returns.csv", table(&returns(60, 4, 0.7, 5), 4));
    let solve = |more: &[&str]| {
        equirisk(&[&["solve", &data, "--methods", "all", "--json"], &READ[..], more].concat()).succeeded()
    };
    let notice = "risk budgets are those of risk budgeting";
    let (plain, unequal) = (solve(&[]), solve(&["--budgets", "A0=0.4,A1=0.3,A2=0.2,A3=0.1"]));
    assert!(unequal.stderr.contains(notice) && !plain.stderr.contains(notice), "{}", unequal.stderr);
    let (plain, unequal) = (plain.json(), unequal.json());
    for name in METHODS {
        let is_same = plain["methods"][name]["weights"] == unequal["methods"][name]["weights"];
        assert_eq!(is_same, name != "erc", "{name}");
    }
    let without = solve(&["--budgets", "A0=1,A1=0,A2=1,A3=1", "--fixed", "A0=0.5,A1=0.2,A3=0.3"]);
    assert!(without.stderr.contains("a budget of 0 leaves out `A1`"), "{}", without.stderr);
    assert!(without.stderr.contains("`fixed` holds 20.0 % in assets with a risk budget of zero"), "{}", without.stderr);
    let (without, three) = (without.json(), solve(&["--exclude", "A1"]).json());
    for name in METHODS {
        let mut weights = numbers(&without["methods"][name]["weights"]);
        assert_eq!(weights.remove(1), 0.0, "{name}");
        assert!(distance(&weights, &numbers(&three["methods"][name]["weights"])) <= 1e-14, "{name}");
    }
    assert!(distance(&numbers(&without["methods"]["fixed"]["weights"]), &[0.625, 0.0, 0.0, 0.375]) <= 1e-15);
    assert!(!order(&without["methods"]).contains(&1));
}

/// Whoever asks for more gets the same and more; parts make the whole, and what was made is verified.
#[test]
fn runs_with_more_methods_hold_the_same_and_come_in_parts_too() {
    let folder = Folder::new();
    let data = folder.write("returns.csv", table(&returns(120, 6, 0.7, 3), 6));
    let run = |out: &str, more: &[&str]| {
        let out = folder.name(out);
        let args = ["bootstrap", &data, "-B", "300", "--seed", "5", "--block", "12", "--json", "-o", &out];
        equirisk(&[&args[..], &READ, more].concat()).succeeded()
    };
    let all = ["--methods", "all", "--fixed", "60/40:A0=0.6,A1=0.4"];
    let (plain, whole) = (run("plain", &[]), run("whole", &[&all[..], &["--threads", "1"]].concat()));
    let weights = |name: &str| std::fs::read(folder.path(name)).unwrap();
    assert!(weights("plain/weights.parquet") == weights("whole/weights.parquet"));
    run("hrp", &["--methods", "hrp"]);
    assert!(weights("hrp/weights.parquet") == weights("whole/weights.parquet"));
    assert!(weights("hrp/weights.hrp.parquet") == weights("whole/weights.hrp.parquet"));
    let expected = results(&folder.path("whole"));
    let files = ["min_variance", "max_diversification", "hrp"].map(|name| format!("weights.{name}.parquet"));
    assert!(files.iter().all(|file| expected.iter().any(|(name, _)| name == file)));
    run("first", &[&all[..], &["--shard", "0/2", "--threads", "2"]].concat());
    run("second", &[&all[..], &["--shard", "1/2"]].concat());
    let [first, second, joined] = ["first", "second", "joined"].map(|name| folder.name(name));
    assert_eq!(equirisk(&["merge", &first, &second, "-o", &joined, "--json"]).succeeded().stdout, whole.stdout);
    assert_equal(&folder.path("joined"), &expected);
    assert_eq!(json(&["verify", &joined, "--json"])["crosscheck"]["disagreements"], 0);

    let (plain, whole) = (plain.json(), whole.json());
    for name in ["erc", "inverse_volatility", "equal_weight"] {
        assert_eq!(plain["methods"][name], whole["methods"][name], "{name}");
    }
    let mean = |name: &str, key: &str| number(&whole["methods"][name][key], "mean");
    for name in METHODS.into_iter().chain(["60/40"]) {
        let found = &whole["methods"][name];
        let solved = KNOWN.contains(&name) || name == "erc";
        assert_eq!((found["certificate"].is_object(), found["statuses"].is_object()), (solved, solved), "{name}");
        if solved {
            let counts = found["statuses"].as_object().unwrap().values().map(|count| count.as_u64().unwrap());
            assert_eq!((counts.sum::<u64>(), &found["statuses"]["converged"]), (300, &300.into()), "{name}");
        }
        // In each resample no method has less than the least.
        assert!(mean(name, "promised") >= mean("min_variance", "promised") * (1.0 - 1e-12), "{name}");
        let has_aim = name == "erc" || QUADRATIC.contains(&name);
        assert_eq!(found["aim"].is_object(), has_aim, "{name}");
        assert!(!has_aim || number(&found["aim"], "q05") >= 0.0, "{name}: {}", found["aim"]);
    }
    let certificate = |name: &str| &whole["methods"][name]["certificate"];
    assert!(number(&certificate("erc")["rc_error"], "max") <= 1e-8);
    for name in QUADRATIC {
        assert!(number(&certificate(name)["gap"], "max") <= 1e-8, "{name}");
    }
    assert!(number(&certificate("hrp")["split_error"], "max") <= 1e-12);
    assert!(number(&certificate("hrp")["margin"], "min") >= 0.0);
}

#[test]
fn other_methods_are_another_run() {
    let folder = Folder::new();
    let out = folder.name("out");
    let run = |more: &[&str]| {
        let args =
            ["bootstrap", "-B", "20", "--seed", "5", "--last", "100", "--block", "5", "--engine", "cpu", "-o", &out];
        equirisk(&[&args[..], more].concat())
    };
    run(&["--methods", "hrp"]).succeeded();
    for more in [&[][..], &["--methods", "hrp,min-variance"], &["--methods", "hrp", "--fixed", "NIKKEI=1"]] {
        assert!(run(more).refused(2).stderr.contains("holds a different run"), "{more:?}");
    }
    assert!(run(&["--methods", "hrp"]).succeeded().stderr.contains("holds this run already"));
}
