//! Limits from flags and files: does the program print what is proved elsewhere, and keep it?

use serde_json::Value;

use crate::cases::{Npz, json, numbers};
use crate::run::{Folder, Run, equirisk, json as run_json};

/// The flags of a case of `limits.json`, with the files they name.
fn flags(case: &Value, folder: &Folder) -> Vec<String> {
    let names: Vec<&str> = case["assets"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let n = names.len();
    let covariance: Vec<f64> = match case["covariance_file"].as_str() {
        Some(file) => Npz::open(file).array("cov").1,
        None => case["covariance"].as_array().unwrap().iter().flat_map(numbers).collect(),
    };
    let line = |first: &str, rest: &mut dyn Iterator<Item = String>| {
        std::iter::once(first.to_string()).chain(rest).collect::<Vec<_>>().join(",") + "\n"
    };
    let mut text = line("", &mut names.iter().map(|name| (*name).to_string()));
    for (name, row) in names.iter().zip(covariance.chunks(n)) {
        text += &line(name, &mut row.iter().map(|s| format!("{s:e}")));
    }
    let file = |name: &str, text: String| folder.write(name, text);
    let mut words = vec!["solve".to_string(), file("covariance.csv", text), "--covariance".into(), "--json".into()];
    let mut add = |flag: &str, value: String| words.extend([flag.to_string(), value]);
    let column = |head: &str, values: &mut dyn Iterator<Item = String>| {
        let rows = names.iter().zip(values).map(|(name, value)| format!("{name},{value}\n"));
        format!("asset,{head}\n") + &rows.collect::<String>()
    };
    let given = |key: &str| (!case[key].is_null()).then(|| numbers(&case[key]));
    let shown = |values: Vec<f64>| values.into_iter().map(|value| format!("{value:?}")).collect::<Vec<_>>();
    for (key, flag, head) in [
        ("budgets", "--budgets", "budget"),
        ("min_weights", "--min-weight", "min"),
        ("max_weights", "--max-weight", "max"),
        ("previous", "--previous", "weight"),
        ("expected_returns", "--expected-returns", "return"),
        ("signs", "--signs", "sign"),
    ] {
        if let Some(values) = given(key) {
            add(flag, file(&format!("{key}.csv"), column(head, &mut shown(values).into_iter())));
        }
    }
    if let (Some(groups), Some(limits)) = (case["groups"].as_array(), case["group_limits"].as_object()) {
        let members =
            names.iter().zip(groups).filter_map(|(name, group)| Some(format!("{name},{}\n", group.as_str()?)));
        add("--groups", file("groups.csv", "asset,group\n".to_string() + &members.collect::<String>()));
        let end = |value: &Value| value.as_f64().map_or(String::new(), |x| format!("{x:?}"));
        let ranges = limits.iter().map(|(name, ends)| format!("{name},{},{}\n", end(&ends[0]), end(&ends[1])));
        add("--group-weights", file("ranges.csv", "group,min,max\n".to_string() + &ranges.collect::<String>()));
    }
    for row in case["rows"].as_array().into_iter().flatten() {
        let terms = names.iter().zip(numbers(&row["coefficients"])).filter(|(_, a)| *a != 0.0);
        let sum =
            terms.map(|(name, a)| format!("{a:?} * '{name}'")).collect::<Vec<_>>().join(" + ").replace("+ -", "- ");
        for (key, sign) in [("min", ">="), ("max", "<=")] {
            if let Some(end) = row[key].as_f64() {
                add("--limit", format!("{sum} {sign} {end:?}"));
            }
        }
    }
    for (key, flag) in [
        ("risk_aversion", "--risk-aversion"),
        ("max_turnover", "--max-turnover"),
        ("variance_weight", "--variance-weight"),
    ] {
        if let Some(value) = case[key].as_f64() {
            add(flag, format!("{value:?}"));
        }
    }
    add("--objective", case["objective"].as_str().unwrap().to_string());
    words
}

#[test]
fn proved_answers_are_printed_with_what_holds_them() {
    let all = json("limits.json");
    for case in all.as_array().unwrap() {
        let (name, expected) = (&case["name"], &case["expected"]);
        let folder = Folder::new();
        let words = flags(case, &folder);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match expected["status"].as_str().unwrap() {
            "infeasible" => {
                let Run { code, stderr, .. } = equirisk(&words);
                assert_eq!(code, 2, "{name}: {stderr}");
                let reason = ["0.95", "0.9"].iter().any(|total| stderr.contains(total));
                assert!(reason && stderr.contains("hint: "), "{name}: {stderr}");
                continue;
            }
            "no_solution" => {
                let Run { code, stderr, .. } = equirisk(&words);
                assert_eq!(code, 3, "{name}: {stderr}");
                assert!(stderr.contains("no_solution") && stderr.contains("0.6667 A2 + 0.3333 A1"), "{name}: {stderr}");
                continue;
            }
            _ => {}
        }
        let found = run_json(&words);
        assert_eq!(found["status"], "converged", "{name}");
        let close = |key: &str, tolerance: f64| {
            let pairs = numbers(&found[key]).into_iter().zip(numbers(&expected[key]));
            let worst = pairs.fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
            // Rounding of the covariance, amplified by the condition of the worst case.
            assert!(worst <= tolerance, "{name}: {key} off by {worst:e}");
        };
        close("weights", 2e-12);
        close("risk_shares", 2e-11);
        assert!(found["kkt_error"].as_f64().unwrap() <= 1e-12, "{name}: {}", found["kkt_error"]);
        for (key, word) in [("at_min", "min"), ("at_max", "max"), ("pinned", "pinned"), ("at_previous", "previous")] {
            let bounds = found["bounds"].as_array().unwrap();
            let held: Vec<u64> = (0..bounds.len() as u64).filter(|&i| bounds[i as usize] == word).collect();
            let said: Vec<u64> = expected[key].as_array().into_iter().flatten().map(|i| i.as_u64().unwrap()).collect();
            assert_eq!(held, said, "{name}: {key}");
        }
        let multipliers = &found["multipliers"];
        if let Some(nu) = expected["nu"].as_f64() {
            let sum = multipliers["sum"].as_f64().unwrap();
            assert!((sum - nu).abs() <= 1e-9 * (1.0 + nu.abs()), "{name}: nu is {sum}, not {nu}");
        }
        for (place, z) in expected["bound_multipliers"].as_object().into_iter().flatten() {
            let own = multipliers["bounds"][place.parse::<usize>().unwrap()].as_f64().unwrap();
            assert!((own - z.as_f64().unwrap()).abs() <= 1e-8, "{name}: z of {place} is {own}, not {z}");
        }
        if let Some(eta) = expected["turnover_multiplier"].as_f64() {
            let own = multipliers["turnover"].as_f64().unwrap();
            assert!((own - eta).abs() <= 1e-8, "{name}: eta is {own}, not {eta}");
        }
    }
}

#[test]
fn limits_hold_in_every_resample_whatever_the_threads_the_parts_and_the_interruptions() {
    let folder = Folder::new();
    let path = |name: &str| folder.name(name);
    let study = |more: &[&str]| {
        let words = ["bootstrap", "-B", "600", "--seed", "1", "-q", "--min-weight", "5%", "--max-weight", "25%"];
        equirisk(&[&words, more].concat()).succeeded();
    };
    study(&["-o", &path("one"), "--threads", "1", "--methods", "min-variance,inverse-volatility"]);
    study(&["-o", &path("two"), "--threads", "2", "--methods", "min-variance,inverse-volatility"]);
    for (part, name) in [("0/2", "a"), ("1/2", "b")] {
        study(&["-o", &path(name), "--shard", part, "--methods", "min-variance,inverse-volatility"]);
    }
    equirisk(&["merge", &path("a"), &path("b"), "-q", "-o", &path("joined")]).succeeded();
    let bytes = |name: &str| std::fs::read(folder.path(&format!("{name}/weights.parquet"))).unwrap();
    assert!(bytes("one") == bytes("two") && bytes("one") == bytes("joined"));
    equirisk(&["verify", &path("one")]).succeeded();
    let summary: Value = serde_json::from_slice(&std::fs::read(folder.path("one/summary.json")).unwrap()).unwrap();
    assert_eq!((&summary["solves"]["converged"], &summary["solves"]["infeasible"]), (&600.into(), &0.into()));
    assert!(summary["kkt_error"]["max"].as_f64().unwrap() <= 1e-8);
    let asset = |name: &str| summary["assets"].as_array().unwrap().iter().find(|asset| asset["name"] == name).unwrap();
    let (equity, bonds) = (asset("MSCI Emerging"), asset("GERMAN BONDS 10Y"));
    // An index of shares stands on its floor, whatever is drawn; a bond at its cap about half of the time.
    assert_eq!((&equity["q05"], &equity["q95"]), (&0.05.into(), &0.05.into()));
    assert!(equity["at_min"].as_f64().unwrap() > 0.99 && equity["unlimited"]["sd"].as_f64().unwrap() > 1e-3);
    let at_max = bonds["at_max"].as_f64().unwrap();
    assert!((0.3..0.7).contains(&at_max) && bonds["q95"] == 0.25, "{bonds}");
}

#[test]
fn a_short_position_has_a_negative_weight_and_a_band_below_zero() {
    let found = run_json(&["solve", "--signs", "NIKKEI=-1", "--net", "0.5..0.9", "--json"]);
    let weights = numbers(&found["weights"]);
    let sizes: f64 = weights.iter().map(|w| w.abs()).sum();
    assert!(weights[4] < 0.0 && (sizes - 1.0).abs() < 1e-12, "{weights:?}");
    assert!((found["net"].as_f64().unwrap() - weights.iter().sum::<f64>()).abs() < 1e-12);
    let bands =
        run_json(&["bootstrap", "-B", "200", "--seed", "1", "--signs", "NIKKEI=-1", "--max-weight", "30%", "--json"]);
    let short = &bands["assets"][4];
    let of = |key: &str| short[key].as_f64().unwrap();
    assert!(of("q05") < of("q95") && of("q95") < 0.0 && of("point") < 0.0, "{short}");
    assert!(of("mean") > of("q05") && of("mean") < of("q95"), "{short}");
}
