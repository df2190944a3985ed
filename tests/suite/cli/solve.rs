//! Is the one portfolio right, in every number that is printed with it?

use serde_json::Value;

use crate::cases::{Npz, json as reference, numbers};
use crate::run::{
    Folder, Run, apart, budgets, covariance, equirisk, fed, json, prices, program, returns, risk, sample_covariance,
    table,
};

fn solve(folder: &Folder, matrix: &[f64], columns: usize, shares: Option<&[f64]>, extra: &[&str]) -> Run {
    let data = folder.write("covariance.csv", covariance(matrix, columns));
    let shares = shares.map(|shares| folder.write("budgets.csv", budgets(shares)));
    let mut args = vec!["solve", &data, "--covariance", "--json"];
    if let Some(shares) = &shares {
        args.extend(["--budgets", shares]);
    }
    args.extend(extra);
    equirisk(&args)
}

#[test]
fn weights_match_the_references_to_rounding_on_the_cpu_and_to_f32_on_the_gpu() {
    let folder = Folder::new();
    for case in reference("reference/index.json")["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut npz = Npz::open(&format!("reference/{name}.npz"));
        let ((shape, matrix), (_, shares), (_, expected)) =
            (npz.array("cov"), npz.array("budget"), npz.array("weights"));
        let condition = case["componentwise_condition"].as_f64().unwrap();
        for (engine, tolerance) in [("cpu", 1e-13 + 1e-15 * condition), ("gpu", 1e-5 + 1e-7 * condition)] {
            let run = solve(&folder, &matrix, shape[1], Some(&shares), &["--engine", engine]);
            if engine == "gpu" && run.code == 3 {
                // An honest answer where f32 cannot do it.
                run.refused(3);
                continue;
            }
            let portfolio = run.succeeded().json();
            let worst = apart(&numbers(&portfolio["weights"]), &expected);
            assert!(worst <= tolerance, "{name} on the {engine}: {worst:e} > {tolerance:e}");
            assert_eq!(portfolio["status"], "converged", "{name}");
        }
    }
}

#[test]
fn published_tables_are_reproduced_and_the_degenerate_one_is_refused() {
    let folder = Folder::new();
    let (mut solved, mut degenerate) = (0, 0);
    for case in reference("paper_cases.json").as_array().unwrap() {
        let kind = case["kind"].as_str().unwrap();
        if !["unconstrained", "degenerate_no_solution"].contains(&kind) {
            continue;
        }
        let matrix = |value: &Value| value.as_array().unwrap().iter().flat_map(numbers).collect::<Vec<_>>();
        let shares = numbers(&case["budget"]);
        let n = shares.len();
        let covariance = if case["cov"].is_array() {
            matrix(&case["cov"])
        } else {
            let vol = numbers(&case["vol"]);
            matrix(&case["corr"]).iter().enumerate().map(|(k, c)| c * vol[k / n] * vol[k % n]).collect()
        };
        let run = solve(&folder, &covariance, n, Some(&shares), &["--engine", "cpu"]);
        if kind == "degenerate_no_solution" {
            let run = run.refused(3);
            assert!(run.stderr.contains("no_solution") && run.stderr.contains("hint: "), "{}", run.stderr);
            degenerate += 1;
            continue;
        }
        let weights = numbers(&run.succeeded().json()["weights"]);
        let expected = numbers(&case["solved_f64"]);
        // `solved_f64` has an error of its own of up to 6e-12.
        let worst = weights.iter().zip(&expected).fold(0.0_f64, |m, (w, e)| m.max((w - e).abs()));
        assert!(worst <= 1e-11, "{}: {worst:e}", case["name"]);
        solved += 1;
    }
    assert!(solved >= 28 && degenerate >= 1, "{solved} solved, {degenerate} degenerate");
}

#[test]
fn what_has_no_portfolio_is_refused_with_the_reason_and_what_to_do() {
    // What the message must name, where it can be known.
    let named: [(&str, &[&str]); 8] = [
        ("rank4_T5_n120", &["no_solution"]),
        ("perfect_hedge_n2", &["no_solution", "A0", "A1"]),
        ("not_psd_n3", &["indefinite"]),
        ("zero_variance_asset", &["A2", "variance"]),
        ("nan_entry", &["A2", "A5"]),
        ("asymmetric", &["A1", "A7", "symmetric"]),
        ("budget_negative", &["A4", "negative", "budget"]),
        ("not_square", &["19", "20"]),
    ];
    let folder = Folder::new();
    let mut refused = 0;
    for case in reference("invalid/index.json").as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut npz = Npz::open(&format!("invalid/{name}.npz"));
        let (shape, matrix) = npz.array("cov");
        let shares = npz.array("budget").1;
        for engine in ["cpu", "gpu"] {
            let run = solve(&folder, &matrix, shape[1], Some(&shares), &["--engine", engine]);
            if case["verdict"] == "error" {
                assert!([3, 4].contains(&run.code), "{name}: {run:?}");
                let code = run.code;
                let said = run.refused(code).stderr;
                let words = named.iter().find(|(n, _)| *n == name).map_or(&[][..], |(_, words)| words);
                assert!(words.iter().all(|word| said.contains(word)), "{name}, {words:?}: {said}");
                assert!(said.contains("hint: "), "{name}: {said}");
                refused += 1;
                continue;
            }
            let run = run.succeeded();
            let weights = numbers(&run.json()["weights"]);
            let (tolerance, floor) = if engine == "cpu" { (1e-12, 1e-13) } else { (2e-5, 2e-5) };
            match name {
                "budget_zero_entry" => {
                    assert_eq!(weights[4], 0.0);
                    let (_, risk) = risk(&matrix, &weights);
                    let worst = (0..20).filter(|i| *i != 4).fold(0.0_f64, |m, i| m.max((risk[i] * 19.0 - 1.0).abs()));
                    assert!(worst <= tolerance, "{name}: {worst:e}");
                    assert!(run.stderr.contains("A4"), "{}", run.stderr);
                }
                "budget_sums_to_2" => {
                    let expected = Npz::open("reference/sp20_full.npz").array("weights").1;
                    assert!(apart(&weights, &expected) <= floor, "{name}");
                    assert!(run.stderr.contains("rescaled") && run.stderr.contains('2'), "{}", run.stderr);
                }
                _ => {
                    let expected = Npz::open("reference/sp20_full.npz").array("weights").1;
                    assert!(apart(&weights, &expected) <= tolerance, "{name}");
                }
            }
        }
    }
    assert!(refused >= 16);
}

/// Every figure follows from the covariance and the weights.
fn consistent(portfolio: &Value, covariance: &[f64], slack: f64) {
    let weights = numbers(&portfolio["weights"]);
    let n = weights.len();
    let (volatility, shares) = risk(covariance, &weights);
    let number = |key: &str| portfolio[key].as_f64().unwrap_or_else(|| panic!("{key}: {portfolio}"));
    assert!((number("volatility") / volatility - 1.0).abs() <= slack, "{} {volatility}", number("volatility"));
    assert!((weights.iter().sum::<f64>() - 1.0).abs() <= slack);
    let said = (numbers(&portfolio["risk_contributions"]), numbers(&portfolio["risk_shares"]));
    assert!((said.0.iter().sum::<f64>() / number("volatility") - 1.0).abs() <= 1e-14 * n as f64);
    assert!((said.1.iter().sum::<f64>() - 1.0).abs() <= 1e-14 * n as f64);
    for (i, share) in shares.iter().enumerate() {
        assert!((said.1[i] - share).abs() <= slack, "share {i}: {} {share}", said.1[i]);
        assert!((said.0[i] / volatility - share).abs() <= slack, "contribution {i}");
    }
}

#[test]
fn every_figure_of_a_portfolio_follows_from_its_covariance() {
    let folder = Folder::new();
    let (values, wanted) = (returns(250, 6, 1.0, 21), [0.3, 0.25, 0.2, 0.1, 0.1, 0.05]);
    let data = folder.write("returns.csv", table(&values, 6));
    let budget = folder.write("budgets.csv", budgets(&wanted));
    let matrix = sample_covariance(&values, 6, &(0..250).collect::<Vec<_>>());
    for (engine, tolerance, slack) in [("cpu", 1e-8, 1e-12), ("gpu", 1e-5, 1e-5)] {
        let args = ["--returns", "--budgets", &budget, "--periods-per-year", "52", "--engine", engine, "--json"];
        let portfolio = json(&[&["solve", &data], &args[..]].concat());
        assert_eq!(portfolio["assets"], serde_json::json!(["A0", "A1", "A2", "A3", "A4", "A5"]));
        consistent(&portfolio, &matrix, slack);
        let number = |key: &str| portfolio[key].as_f64().unwrap_or_else(|| panic!("{key}: {portfolio}"));
        assert!((number("volatility_annual") / number("volatility") / 52.0_f64.sqrt() - 1.0).abs() <= 1e-14);
        let worst = apart(&numbers(&portfolio["risk_shares"]), &wanted);
        assert!(worst <= tolerance && number("rc_error") <= tolerance, "{worst:e} {portfolio}");
        assert!(number("kappa") >= 1.0 && number("sweeps") >= 1.0);
        assert_eq!((&portfolio["status"], &portfolio["engine"]), (&"converged".into(), &engine.into()));

        let methods = &portfolio["methods"];
        for method in ["inverse_volatility", "equal_weight"] {
            consistent(&methods[method], &matrix, 1e-12);
        }
        let inverse: Vec<f64> = (0..6).map(|i| 1.0 / matrix[i * 7].sqrt()).collect();
        let inverse: Vec<f64> = inverse.iter().map(|x| x / inverse.iter().sum::<f64>()).collect();
        assert!(apart(&numbers(&methods["inverse_volatility"]["weights"]), &inverse) <= 1e-12);
        assert!(apart(&numbers(&methods["equal_weight"]["weights"]), &[1.0 / 6.0; 6]) <= 1e-15);
    }
}

#[test]
fn the_closed_forms_hold() {
    let folder = Folder::new();
    let sigma = [0.02, 0.15, 0.3, 1.7];
    let shares = [0.1, 0.2, 0.3, 0.4];
    let uncorrelated: Vec<f64> = (0..16).map(|k| if k % 5 == 0 { sigma[k / 4] * sigma[k / 4] } else { 0.0 }).collect();
    let two = [0.04, 0.3 * 0.2 * 0.5, 0.3 * 0.2 * 0.5, 0.25];
    let normalised = |values: Vec<f64>| {
        let sum: f64 = values.iter().sum();
        values.into_iter().map(|x| x / sum).collect::<Vec<_>>()
    };
    let weights = |run: Run| numbers(&run.succeeded().json()["weights"]);
    // Without correlation w is proportional to sqrt(b) / sigma; two assets share the risk at 1 / sigma.
    let expected = normalised((0..4).map(|i| f64::sqrt(shares[i]) / sigma[i]).collect());
    assert!(apart(&weights(solve(&folder, &uncorrelated, 4, Some(&shares), &["--engine", "cpu"])), &expected) <= 1e-13);
    let expected = normalised(vec![1.0 / 0.2, 1.0 / 0.5]);
    assert!(apart(&weights(solve(&folder, &two, 2, None, &["--engine", "cpu"])), &expected) <= 1e-13);
    assert_eq!(weights(solve(&folder, &[0.04], 1, None, &[])), [1.0]);
}

#[test]
fn budgets_are_taken_by_name_rescaled_aloud_and_zero_means_zero() {
    let assets = ["--assets", "NIKKEI,S&P 500,EUROSTOXX 50", "--json", "--engine", "cpu"];
    let with = |budgets: &str| equirisk(&[&["solve", "--budgets", budgets], &assets[..]].concat()).succeeded();
    let exact = with("S&P 500=0.5,EUROSTOXX 50=0.25,NIKKEI=0.25");
    assert!(!exact.stderr.contains("rescaled"), "{}", exact.stderr);
    assert!(apart(&numbers(&exact.json()["risk_shares"]), &[0.25, 0.5, 0.25]) <= 1e-8);
    let scaled = with("NIKKEI=1,S&P 500=2,EUROSTOXX 50=1");
    assert!(scaled.stderr.contains("rescaled") && scaled.stderr.contains('4'), "{}", scaled.stderr);
    assert_eq!(scaled.json()["weights"], exact.json()["weights"]);

    let zero = with("NIKKEI=0,S&P 500=0.5,EUROSTOXX 50=0.5");
    assert!(zero.stderr.contains("NIKKEI"), "{}", zero.stderr);
    let two = json(&["solve", "--assets", "S&P 500,EUROSTOXX 50", "--json", "--engine", "cpu"]);
    let weights = numbers(&zero.json()["weights"]);
    assert_eq!(weights[0], 0.0);
    assert!(apart(&weights[1..], &numbers(&two["weights"])) <= 1e-14);
}

/// Budgets as a spreadsheet has them (made-up numbers, after riskparity.py's issue 33).
#[test]
fn budgets_in_percent_and_names_with_spaces_are_what_they_say() {
    let [prices, budgets] = ["reading/prices.csv", "reading/budgets_percent.csv"].map(crate::cases::data);
    let [prices, budgets] = [prices.to_str().unwrap(), budgets.to_str().unwrap()];
    let weights = |args: &[&str]| numbers(&json(&[&["solve", prices, "--json"], args].concat())["weights"]);
    let from_file = weights(&["--budgets", budgets]);
    // The answer of an independent solver.
    let expected = [0.369_038_51, 0.112_965_4, 0.517_996_08];
    assert!(apart(&from_file, &expected) <= 1e-3, "{from_file:?}");
    assert_eq!(weights(&["--budgets", "ALFA=50%, BRVO=30%, CHRL=20%"]), from_file);
    assert_eq!(weights(&["--assets", "ALFA, CHRL"]), weights(&["--assets", "ALFA,CHRL"]));
    let run = equirisk(&["screen", prices, "-k", "1", "--exclude", "ALFA, CHRL", "--json"]).succeeded();
    assert_eq!(run.json()["top"][0]["assets"], serde_json::json!(["BRVO"]));
    let run = equirisk(&["solve", prices, "--assets", "ALFA,BVRO"]).refused(4);
    assert!(run.stderr.contains("did you mean `BRVO`?"), "{}", run.stderr);
    let run = equirisk(&["solve", prices, "--budgets", "ALFA=0.6,BRVO=0.4"]).refused(4);
    assert!(run.stderr.contains("--assets \"ALFA,BRVO\""), "{}", run.stderr);
}

#[test]
fn the_history_can_be_chosen_by_assets_dates_and_length_and_piped_in() {
    let folder = Folder::new();
    let values = prices(&returns(300, 3, 1.0, 31), 3);
    let text = table(&values, 3);
    let data = folder.write("all.csv", &text);
    let weights = |args: &[&str]| numbers(&json(&[&["solve", "--json", "--engine", "cpu"], args].concat())["weights"]);
    let all = weights(&[&data]);
    let shuffled = weights(&[&data, "--assets", "A2,A0,A1"]);
    assert!(apart(&shuffled, &[all[2], all[0], all[1]]) <= 1e-13);

    // 100 returns are the last 101 prices.
    let lines: Vec<&str> = text.lines().collect();
    let last = folder.write("last.csv", [&lines[..1], &lines[lines.len() - 101..]].concat().join("\n"));
    assert_eq!(weights(&[&data, "--last", "100"]), weights(&[&last]));
    let first = lines[lines.len() - 101].split(',').next().unwrap();
    assert_eq!(weights(&[&data, "--from", first]), weights(&[&last]));
    let early = folder.write("early.csv", lines[..51].join("\n"));
    assert_eq!(weights(&[&data, "--to", lines[50].split(',').next().unwrap()]), weights(&[&early]));

    let piped = fed(&mut program(&["solve", "-", "--json", "--engine", "cpu"]), text.as_bytes()).succeeded();
    assert_eq!(numbers(&piped.json()["weights"]), all);
}

#[test]
fn a_year_is_what_was_taken_and_what_the_dates_say_is_counted() {
    let folder = Folder::new();
    let told = |weekdays: &dyn Fn(jiff::civil::Date) -> bool, years: i16, more: &[&str]| {
        let mut noise = crate::run::uniform(3);
        let mut text = String::from("date,A,B\n");
        let mut day = jiff::civil::date(2018, 1, 1);
        while day.year() < 2018 + years {
            if weekdays(day) {
                text += &format!("{day},{},{}\n", 0.01 * noise(), 0.02 * noise());
            }
            day = day.tomorrow().unwrap();
        }
        let data = folder.write("returns.csv", text);
        let run = equirisk(&[&["solve", &data, "--returns", "--engine", "cpu"], more].concat()).succeeded();
        let json = json(&[&["solve", &data, "--returns", "--engine", "cpu", "--json"], more].concat());
        (run, json["periods_per_year"].as_f64())
    };
    let weekday = |day: jiff::civil::Date| day.weekday().to_monday_zero_offset() < 5;
    // Every weekday: 261 a year.
    let (run, periods) = told(&weekday, 4, &[]);
    assert_eq!(periods, Some(252.0));
    assert!(run.stdout.contains("(annualised with 252 periods a year)"), "{}", run.stdout);
    let said =
        "note: a year is taken as 252 periods, and these dates hold 261.2 returns a year: --periods-per-year 261";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    // With nine holidays a year there is nothing to say, nor where the number was given.
    let open = |day: jiff::civil::Date| weekday(day) && day.day() != 15;
    for (run, periods) in [told(&open, 4, &[]), told(&weekday, 4, &["--periods-per-year", "261"])] {
        assert!(!run.stderr.contains("returns a year"), "{periods:?} {}", run.stderr);
    }
    // A few weeks do not tell.
    let (run, _) = told(&|day| weekday(day) && day.month() < 3, 1, &[]);
    assert!(!run.stderr.contains("returns a year"), "{}", run.stderr);
}

#[test]
fn rows_on_which_nothing_moves_are_counted() {
    let folder = Folder::new();
    let mut values = returns(60, 3, 0.5, 1);
    for row in [7, 30] {
        values[3 * row..3 * row + 3].fill(0.0);
    }
    let run = equirisk(&["solve", &folder.write("returns.csv", table(&values, 3)), "--returns"]).succeeded();
    let said = "returns.csv: every asset returns exactly zero on 2 of 60 rows";
    assert!(run.stderr.contains(said), "{}", run.stderr);
    // One asset that stands still is no holiday.
    values[3 * 7] = 0.01;
    values[3 * 30] = 0.01;
    let run = equirisk(&["solve", &folder.write("returns.csv", table(&values, 3)), "--returns"]).succeeded();
    assert!(!run.stderr.contains("exactly zero"), "{}", run.stderr);
}

#[test]
fn missing_cells_cost_rows_or_assets_or_are_refused_as_asked() {
    let data = crate::cases::data("messy/02_leading_nan.csv");
    let data = data.to_str().unwrap();
    let solve = |rule: &[&str]| equirisk(&[&["solve", data, "--json"], rule].concat());
    let rows = solve(&[]).succeeded();
    assert!(rows.stderr.contains("80") && rows.stderr.contains("KO"), "{}", rows.stderr);
    assert_eq!(rows.json()["assets"].as_array().unwrap().len(), 5);
    assert_eq!(rows.stdout, solve(&["--missing", "complete-rows"]).succeeded().stdout);
    let assets = solve(&["--missing", "exclude-assets"]).succeeded();
    assert!(["KO", "CVX"].iter().all(|asset| assets.stderr.contains(asset)), "{}", assets.stderr);
    assert_eq!(assets.json()["assets"], serde_json::json!(["AAPL", "JPM", "WMT"]));
    assert!(solve(&["--missing", "error"]).refused(4).stderr.contains("KO"));
}
