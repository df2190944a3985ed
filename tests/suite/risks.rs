//! Is another risk than volatility budgeted as its definition has it, proved, and set beside volatility on the same rows?

use serde_json::Value;

use crate::cases::numbers;
use crate::estimators::{READ, distance};
use crate::interrupted::{assert_equal, killed, results};
use crate::run::{Folder, equirisk, json, read_weights, returns, table, uniform};

const MEASURES: [&[&str]; 3] = [
    &["--risk", "semi-deviation"],
    &["--risk", "expected-shortfall"],
    &["--risk", "expected-shortfall", "--level", "0.8"],
];

fn level(measure: &[&str]) -> Option<f64> {
    match measure[1..] {
        ["expected-shortfall"] => Some(0.95),
        ["expected-shortfall", _, level] => Some(level.parse().unwrap()),
        _ => None,
    }
}

fn solve(data: &str, measure: &[&str], more: &[&str]) -> Value {
    json(&[&["solve", data, "--json", "--quiet"], &READ[..], measure, more].concat())
}

/// Losses of a mix about their mean.
fn losses(values: &[f64], weights: &[f64]) -> Vec<f64> {
    let outcome = |row: &[f64]| row.iter().zip(weights).map(|(x, w)| x * w).sum::<f64>();
    let outcomes: Vec<f64> = values.chunks(weights.len()).map(outcome).collect();
    let mean = outcomes.iter().sum::<f64>() / outcomes.len() as f64;
    outcomes.iter().map(|r| mean - r).collect()
}

/// By the definition, from scratch: of the tail, rows in part count in part.
fn risk(values: &[f64], weights: &[f64], level: Option<f64>) -> f64 {
    let mut losses = losses(values, weights);
    let Some(level) = level else {
        return (losses.iter().map(|l| l.max(0.0).powi(2)).sum::<f64>() / losses.len() as f64).sqrt();
    };
    losses.sort_by(|a, b| b.total_cmp(a));
    let tail = (1.0 - level) * losses.len() as f64;
    let whole = tail.floor() as usize;
    (losses[..whole].iter().sum::<f64>() + (tail - whole as f64) * losses[whole]) / tail
}

/// Returns with a tail of losses, of assets that are not alike.
fn skewed(rows: usize, assets: usize, seed: u64) -> Vec<f64> {
    let mut next = uniform(seed);
    let mut draw = || -(0.5 - next()).max(1e-9).ln();
    let mut values = Vec::new();
    for _ in 0..rows {
        let common = 1.0 - draw();
        values.extend((0..assets).map(|i| 0.01 * (1.0 + i as f64) * (0.7 * common + 1.0 - draw())));
    }
    values
}

#[test]
fn no_portfolio_has_less_risk_for_its_budgets() {
    // b'ln w - ln R(w) is greatest at the portfolio, whatever the scale of w: that is the program it solves.
    let folder = Folder::new();
    let (n, values) = (5, skewed(600, 5, 7));
    let data = folder.write("skewed.csv", table(&values, n));
    let shares = [0.1, 0.3, 0.2, 0.25, 0.15];
    let budgets = "A0=10%,A1=30%,A2=20%,A3=25%,A4=15%";
    for measure in MEASURES {
        let found = solve(&data, measure, &["--budgets", budgets]);
        let (weights, contributions) = (numbers(&found["weights"]), numbers(&found["risk_contributions"]));
        let level = level(measure);
        let least = risk(&values, &weights, level);
        assert!((contributions.iter().sum::<f64>() / least - 1.0).abs() <= 1e-12, "{measure:?}: {least}");
        assert!(distance(&numbers(&found["risk_shares"]), &shares) <= 1e-8, "{measure:?}");
        assert!(found["rc_error"].as_f64().unwrap() <= 1e-8 && found["kappa"].is_null(), "{measure:?}");
        let slack = found["slack"].as_f64();
        assert_eq!(slack.is_some(), level.is_some(), "{measure:?}");
        let slack = slack.unwrap_or(0.0);
        assert!((0.0..=1e-8).contains(&slack), "{measure:?}: {slack}");
        let value = |weights: &[f64]| {
            let logarithms = weights.iter().zip(shares).map(|(w, b)| b * w.ln()).sum::<f64>();
            logarithms - risk(&values, weights, level).ln()
        };
        let best = value(&weights);
        let mut next = uniform(11);
        for step in 0..400 {
            // Near and far.
            let size = 10.0_f64.powi(-(step % 6));
            let other: Vec<f64> = weights.iter().map(|w| w * (size * 2.0 * next()).exp()).collect();
            assert!(value(&other) <= best + 1e-7, "{measure:?}: {} beyond {best}", value(&other));
        }
    }
}

#[test]
fn symmetric_rows_give_volatility_parity() {
    // Where every row has its mirror image, what falls short is half of the variance.
    let folder = Folder::new();
    let half = returns(150, 4, 1.0, 3);
    let values: Vec<f64> = half.iter().copied().chain(half.iter().map(|x| -x)).collect();
    let data = folder.write("mirrored.csv", table(&values, 4));
    let found = solve(&data, MEASURES[0], &[]);
    let parity = numbers(&found["methods"]["volatility_parity"]["weights"]);
    assert!(distance(&numbers(&found["weights"]), &parity) <= 1e-8);
    let plain = solve(&data, &[], &[]);
    assert!(distance(&numbers(&plain["weights"]), &parity) <= 1e-12);
    assert!(plain["methods"].get("volatility_parity").is_none() && plain.get("slack").is_none());
    // R^2 is half of the variance, whose divisor is T - 1.
    let share: f64 = numbers(&found["risk_contributions"]).iter().sum();
    let volatility = found["volatility"].as_f64().unwrap();
    assert!((share / volatility - (0.5 * 299.0 / 300.0_f64).sqrt()).abs() <= 1e-9);
}

#[test]
fn assets_that_move_as_one_are_held_by_their_size() {
    // Of one path and its multiples every risk is proportional to the multiple: w_i ~ b_i / c_i.
    let folder = Folder::new();
    let path = skewed(80, 1, 5);
    let values: Vec<f64> = path.iter().flat_map(|x| [*x, 2.0 * x, 4.0 * x]).collect();
    let data = folder.write("one.csv", table(&values, 3));
    for measure in MEASURES {
        let weights = numbers(&solve(&data, measure, &[])["weights"]);
        assert!(distance(&weights, &[4.0 / 7.0, 2.0 / 7.0, 1.0 / 7.0]) <= 1e-8, "{measure:?}: {weights:?}");
    }
}

#[test]
fn units_of_assets_change_nothing() {
    let folder = Folder::new();
    let values = skewed(200, 3, 9);
    let scaled: Vec<f64> =
        values.chunks(3).flat_map(|row| [row[0], row[1] * 0.125, row[2] * 2.0_f64.powi(-20)]).collect();
    let (data, other) = (folder.write("a.csv", table(&values, 3)), folder.write("b.csv", table(&scaled, 3)));
    for measure in MEASURES {
        let (a, b) =
            (numbers(&solve(&data, measure, &[])["weights"]), numbers(&solve(&other, measure, &[])["weights"]));
        let back = [b[0], b[1] * 0.125, b[2] * 2.0_f64.powi(-20)];
        let total: f64 = back.iter().sum();
        assert!(distance(&back.map(|w| w / total), &a) <= 1e-12, "{measure:?}");
    }
}

#[test]
fn where_there_is_no_portfolio_the_mix_that_proves_it_is_named() {
    let folder = Folder::new();
    // A steady gain: from zero, the worst of A2 is no loss.
    let values: Vec<f64> = skewed(200, 2, 1).chunks(2).flat_map(|row| [row[0], row[1], 0.01 + 1e-4 * row[0]]).collect();
    let data = folder.write("cash.csv", table(&values, 3));
    let raw = [&["solve", &data], &READ[..], MEASURES[1], &["--raw-losses"]].concat();
    let refused = equirisk(&raw).refused(3).stderr;
    assert!(refused.contains("no_solution") && refused.contains("1.0000 A2"), "{refused}");
    assert!(refused.contains("leave out --raw-losses"), "{refused}");
    assert_eq!(solve(&data, MEASURES[1], &[])["status"], "converged");
    // About the mean, only what never moves has no risk.
    let hedged: Vec<f64> = returns(100, 2, 0.5, 2).chunks(2).flat_map(|row| [row[0], row[1], -row[0]]).collect();
    let data = folder.write("hedged.csv", table(&hedged, 3));
    for measure in MEASURES {
        let refused = equirisk(&[&["solve", &data], &READ[..], measure].concat()).refused(3).stderr;
        // In either order.
        assert!(refused.contains("0.5000 A0") && refused.contains("0.5000 A2"), "{measure:?}: {refused}");
    }
}

#[test]
fn flags_that_contradict_each_other_are_refused() {
    let refused = |args: &[&str], said: &str| {
        let stderr = equirisk(args).refused(2).stderr;
        assert!(stderr.contains(said), "{args:?}: {stderr}");
    };
    for command in ["solve", "bootstrap"] {
        let shortfall = [command, "--risk", "expected-shortfall"];
        refused(&[command, "--level", "0.9"], "add --risk expected-shortfall, or leave --level out");
        refused(&[command, "--risk", "semi-deviation", "--raw-losses"], "leave --raw-losses out");
        refused(&[&shortfall[..], &["--level", "1"]].concat(), "between 0 and 1");
        refused(&[&shortfall[..], &["--estimator", "oas"]].concat(), "leave --estimator or --risk out");
    }
    refused(
        &["bootstrap", "--risk", "semi-deviation", "--compare-estimators", "oas"],
        "leave --compare-estimators or --risk out",
    );
    let folder = Folder::new();
    let matrix = folder.write("c.csv", crate::run::covariance(&[1.0, 0.2, 0.2, 1.0], 2));
    refused(&["solve", &matrix, "--covariance", "--risk", "semi-deviation"], "leave --risk out");
}

#[test]
fn a_study_is_the_same_however_it_is_made_and_pairs_volatility_parity() {
    let folder = Folder::new();
    let values = skewed(300, 4, 21);
    let data = folder.write("skewed.csv", table(&values, 4));
    let common = [&["bootstrap", &data, "--seed", "5", "--block", "6", "--quiet"], &READ[..]].concat();
    let run = |out: &str, more: &[&str]| {
        equirisk(&[&common[..], more, &["-o", &folder.name(out)]].concat()).succeeded();
        results(&folder.path(out))
    };
    let assets = ["A0", "A1", "A2", "A3"];
    let weights = |out: &str, file: &str| read_weights(&folder.path(out).join(file), &assets);
    run("volatility", &["-B", "400"]);
    for (number, measure) in MEASURES[..2].iter().enumerate() {
        let with = |more: &[&'static str]| [measure, more].concat();
        let name = |what: &str| format!("{what}{number}");
        let whole = run(&name("whole"), &with(&["-B", "400", "--threads", "1"]));
        run(&name("threads"), &with(&["-B", "400", "--threads", "2"]));
        assert_equal(&folder.path(&name("threads")), &whole);
        run(&name("first"), &with(&["-B", "400", "--shard", "0/2"]));
        run(&name("second"), &with(&["-B", "400", "--shard", "1/2"]));
        let merged = folder.name(&name("merged"));
        let parts = [folder.name(&name("first")), folder.name(&name("second"))];
        equirisk(&["merge", &parts[0], &parts[1], "-o", &merged, "--quiet"]).succeeded();
        assert_equal(&folder.path(&name("merged")), &whole);
        equirisk(&["verify", &merged, "--quiet"]).succeeded();

        let own = weights(&name("whole"), "weights.parquet");
        let parity = weights(&name("whole"), "weights.volatility_parity.parquet");
        let plain = weights("volatility", "weights.parquet");
        assert!(parity.iter().zip(&plain).all(|(a, b)| a.weights == b.weights), "{measure:?}");
        // More resamples begin with these, and other methods change nothing.
        run(&name("more"), &with(&["-B", "500", "--methods", "all"]));
        let more = weights(&name("more"), "weights.parquet");
        assert!(more.iter().zip(&own).all(|(a, b)| a.weights == b.weights && a.rc_error == b.rc_error), "{measure:?}");

        // The differences, once more.
        let summary: Value = serde_json::from_str(&folder.read(&format!("{}/summary.json", name("whole")))).unwrap();
        let paired = &summary["paired"];
        let difference = |a: &Option<f64>, b: &Option<f64>| a.unwrap() - b.unwrap();
        for (i, told) in paired["assets"].as_array().unwrap().iter().enumerate() {
            let pairs = own.iter().zip(&parity);
            let mut differences: Vec<f64> =
                pairs.map(|(own, parity)| difference(&own.weights[i], &parity.weights[i])).collect();
            let mean = differences.iter().sum::<f64>() / 400.0;
            assert!((told["mean"].as_f64().unwrap() - mean).abs() <= 1e-14, "{told}");
            differences.sort_by(f64::total_cmp);
            let ends = [told["q025"].as_f64().unwrap(), told["q975"].as_f64().unwrap()];
            let below = |end: f64| differences.iter().filter(|x| **x < end).count();
            assert!((9..=11).contains(&below(ends[0])) && (389..=391).contains(&below(ends[1])), "{told}");
            assert_eq!(told["clear"], ends[0] > 0.0 || ends[1] < 0.0);
        }
        let methods = &summary["methods"];
        let points = ["erc", "volatility_parity"].map(|name| numbers(&methods[name]["point"]["weights"]));
        let apart = 0.5 * points[0].iter().zip(&points[1]).map(|(a, b)| (a - b).abs()).sum::<f64>();
        assert!((paired["distance"].as_f64().unwrap() - apart).abs() <= 1e-14);
        assert_eq!(paired["noise"], methods["erc"]["pairwise_turnover"]);
        // The one that was solved for is the one that `solve` gives.
        let solved = numbers(&solve(&data, measure, &[])["weights"]);
        assert!(distance(&solved, &points[0]) <= 1e-12);
        assert!(
            summary["halves"].is_null() && summary["sentence"].as_str().unwrap().contains("in place of volatility")
        );
    }
}

#[test]
fn a_study_that_was_killed_goes_on_where_it_was() {
    let folder = Folder::new();
    let data = folder.write("skewed.csv", table(&skewed(400, 6, 4), 6));
    let args = [
        &["bootstrap", &data, "--seed", "2", "--quiet", "-B", "20000", "--no-sensitivity", "--risk", "semi-deviation"],
        &READ[..],
    ]
    .concat();
    equirisk(&[&args[..], &["-o", &folder.name("whole")]].concat()).succeeded();
    killed(&args, &folder.name("killed"), 4096);
    equirisk(&[&args[..], &["-o", &folder.name("killed")]].concat()).succeeded();
    assert_equal(&folder.path("killed"), &results(&folder.path("whole")));
}
