//! Do programs that were written independently get the same?
//!
//! `handed/` holds the cases that came with the specification, `independent/` those of a second program, in plain loops:
//! `tests/data/backtest/README.md` says more. What is compared, and how closely, is what the handed cases ask for.

use std::fs;

use serde_json::Value;

use super::history::History;
use super::{Finished, Table, finished};
use crate::cases::{data, json};
use crate::run::Folder;

/// Weights and holdings, absolute: solvers end at 1e-10 or closer, and windows are as ill-conditioned as histories are.
const WEIGHTS: f64 = 1e-9;
/// Wealth and figures, relative: sums of thousands of rows in another order.
const FIGURES: f64 = 1e-8;
/// p-values and costs at which two strategies break even: the quantile's approximation, and where a search stops.
const SEARCHED: f64 = 1e-6;
/// What is zero but for rounding.
const ZERO: f64 = 1e-12;

/// Compares, and keeps what differs.
struct Comparison {
    compared: usize,
    wrong: Vec<String>,
}

impl Comparison {
    fn number(&mut self, what: &str, found: f64, expected: &Value, relative: f64, absolute: f64) {
        self.compared += 1;
        let agrees = match expected.as_f64() {
            Some(e) => (found - e).abs() <= relative * e.abs() + absolute,
            None => expected.is_null() && found.is_nan(),
        };
        if !agrees {
            self.wrong.push(format!("{what}: {found}, not {expected}"));
        }
    }

    fn equal(&mut self, what: &str, found: &Value, expected: &Value) {
        self.compared += 1;
        if found != expected {
            self.wrong.push(format!("{what}: {found}, not {expected}"));
        }
    }

    /// All that is expected is found; there may be more.
    fn figures(&mut self, what: &str, found: &Value, expected: &Value) {
        match expected {
            Value::Number(_) => {
                let relative = if what.contains("p_value") || what.contains("break_even") { SEARCHED } else { FIGURES };
                self.number(what, found.as_f64().unwrap_or(f64::NAN), expected, relative, ZERO);
            }
            Value::Array(all) => {
                for (i, own) in all.iter().enumerate() {
                    self.figures(&format!("{what}[{i}]"), &found[i], own);
                }
            }
            Value::Object(all) => {
                for (key, own) in all {
                    self.figures(&format!("{what}.{key}"), &found[key], own);
                }
            }
            _ => self.equal(what, found, expected),
        }
    }

    fn across(&mut self, what: &str, table: &Table, row: usize, assets: &[String], expected: &Value) {
        for (i, asset) in assets.iter().enumerate() {
            self.number(&format!("{what} {asset}"), table.number(asset, row), &expected[i], 0.0, WEIGHTS);
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The names that a table of the case has beside these.
fn strategies<'a>(table: &'a Value, beside: &'a [&str]) -> impl Iterator<Item = &'a String> {
    table.as_object().into_iter().flat_map(|all| all.keys()).filter(|name| !beside.contains(&name.as_str()))
}

fn compare(case: &Value, run: &Finished) -> Comparison {
    let mut comparison = Comparison { compared: 0, wrong: Vec::new() };
    let about = &run.summary["run"];
    for key in ["rows", "evaluated_rows", "first_decision", "first_trade", "last", "years", "periods_per_year", "lag"] {
        if !case[key].is_null() {
            comparison.figures(key, &about[key], &case[key]);
        }
    }
    comparison.figures("decisions", &run.summary["rebalances"], &case["decisions"]);
    comparison.equal("benchmark", &run.summary["benchmark"], &case["benchmark"]);
    let assets: Vec<String> = list(&case["assets"]).iter().map(|name| text(name).to_owned()).collect();
    assert_eq!(run.assets(), assets);
    for name in strategies(&case["metrics"], &[]) {
        let own = run.strategy(name);
        comparison.figures(name, &own["metrics"], &case["metrics"][name]);
        if !case["break_even_bps"].is_null() {
            comparison.figures(&format!("break_even {name}"), &own["break_even_bps"], &case["break_even_bps"][name]);
        }
        for key in ["unsolved", "ruined"].iter().filter(|key| !case[**key].is_null()) {
            comparison.equal(&format!("{key} {name}"), &own[key], &case[key][name]);
        }
        for (found, year) in list(&own["calendar_years"]).iter().zip(list(&case["calendar_years"]["years"])) {
            comparison.equal(&format!("years of {name}"), &found["year"], year);
        }
        for (found, expected) in list(&own["calendar_years"]).iter().zip(list(&case["calendar_years"][name])) {
            comparison.figures(&format!("{} of {name}", found["year"]), &found["return"], expected);
        }
        let costs = case["costs"].as_object();
        for (bps, expected) in costs.into_iter().flatten() {
            let found = list(&own["costs"]).iter().find(|found| found["bps"].as_f64() == bps.parse().ok());
            comparison.figures(&format!("at {bps} bp {name}"), found.unwrap_or(&Value::Null), &expected[name]);
        }
    }
    portfolios(&mut comparison, case, run, &assets);
    account(&mut comparison, case, run, &assets);
    periods(&mut comparison, case, run);
    comparison
}

fn portfolios(comparison: &mut Comparison, case: &Value, run: &Finished, assets: &[String]) {
    for decision in list(&case["weights"]) {
        let decided = text(&decision["decided"]);
        for name in strategies(&decision["weights"], &[]) {
            let row = run.weights.at(name, "decided", decided);
            let what = format!("{name} decided {decided}");
            assert_eq!(Some(row - run.weights.of(name)[0]), decision["number"].as_u64().map(|n| n as usize), "{what}");
            comparison.across(&what, &run.weights, row, assets, &decision["weights"][name]);
            let number = |column: &str| run.weights.number(column, row);
            comparison.number(&what, number("exante_volatility"), &decision["exante"][name], FIGURES, ZERO);
            comparison.number(&what, number("exposure"), &decision["scale"][name], FIGURES, ZERO);
            if let Some(traded) = decision["traded"].as_str() {
                comparison.equal(&what, &run.weights.text("traded", row).into(), &traded.into());
            }
        }
    }
    let latest = &run.summary["latest"];
    comparison.equal("latest", &latest["date"], &case["latest"]["date"]);
    for found in list(&latest["strategies"]) {
        let name = text(&found["name"]);
        let what = format!("latest of {name}");
        // The handed cases have one strategy's, by its name.
        let expected = &case["latest"]["weights"].as_object().map_or(&case["latest"][name], |all| &all[name]);
        for (i, own) in list(expected).iter().enumerate() {
            comparison.number(&what, found["weights"][i].as_f64().unwrap_or(f64::NAN), own, 0.0, WEIGHTS);
        }
        if let Some(all) = case["latest"]["scale"].as_object() {
            comparison.figures(&what, &found["exposure"], &all[name]);
            comparison.figures(&what, &found["exante_volatility"], &case["latest"]["exante"][name]);
        } else if name == "erc" {
            comparison.figures(&what, &found["exante_volatility"], &case["latest"]["exante"]);
        }
    }
}

fn account(comparison: &mut Comparison, case: &Value, run: &Finished, assets: &[String]) {
    for (k, date) in list(&case["wealth"]["dates"]).iter().enumerate() {
        for name in strategies(&case["wealth"], &["dates"]) {
            let row = run.wealth.at(name, "date", text(date));
            let what = format!("{name} on {date}");
            let number = |column: &str| run.wealth.number(column, row);
            comparison.number(&what, number("wealth"), &case["wealth"][name][k], FIGURES, ZERO);
            comparison.number(&what, number("exposure"), &case["exposure"][name][k], FIGURES, ZERO);
        }
    }
    for name in strategies(&case["holdings"], &[]) {
        let trades = run.holdings.of(name).len();
        comparison.equal(&format!("trades of {name}"), &trades.into(), &case["trades"][name]);
        for trade in list(&case["holdings"][name]) {
            let date = text(&trade["date"]);
            let row = run.holdings.at(name, "date", date);
            let what = format!("{name} traded {date}");
            comparison.across(&what, &run.holdings, row, assets, &trade["holdings"]);
            for key in ["traded", "cost", "cash"] {
                let found = run.holdings.number(key, row);
                comparison.number(&format!("{what}: {key}"), found, &trade[key], FIGURES, WEIGHTS);
            }
        }
    }
}

fn periods(comparison: &mut Comparison, case: &Value, run: &Finished) {
    for period in list(&case["periods"]) {
        let is_it = |found: &&Value| match text(&period["kind"]) {
            "drawdown" => found["peak"] == period["peak"],
            "volatility" => found["name"] == period["state"],
            _ => found["name"] == period["name"],
        } && found["kind"] == period["kind"];
        let Some(found) = list(&run.summary["periods"]).iter().find(is_it) else {
            comparison.wrong.push(format!("no period {period}"));
            continue;
        };
        for key in ["depth", "from", "to", "recovery"].iter().filter(|key| !period[**key].is_null()) {
            comparison.figures(&format!("period {}: {key}", found["name"]), &found[key], &period[key]);
        }
        for (name, expected) in period["figures"].as_object().into_iter().flatten() {
            let own = list(&found["figures"]).iter().find(|own| own["strategy"] == **name).unwrap();
            // Returns of days that are apart make neither a return nor a fall.
            let all = ["rows", "volatility", "sharpe", "total_return", "max_drawdown"];
            let keys = if period["kind"] == "volatility" { &all[..3] } else { &all[..] };
            for key in keys.iter().filter(|key| !expected[**key].is_null()) {
                comparison.figures(&format!("{} of {name}: {key}", found["name"]), &own[key], &expected[key]);
            }
        }
    }
}

/// Runs a case in a folder that holds the files it names.
fn assert_agrees(case: &Value) -> usize {
    let folder = Folder::new();
    for file in ["worked.csv", "multiasset19_monthly_ret.csv", "rates.csv", "dates.txt"] {
        fs::copy(data("backtest").join(file), folder.path(file)).unwrap();
    }
    if !case["data"].is_null() {
        folder.write("data.csv", History::by_rule(&case["data"]).csv());
    }
    let args: Vec<&str> = list(&case["args"]).iter().skip(1).map(text).collect();
    let comparison = compare(case, &finished(&folder, &args));
    let (wrong, compared) = (&comparison.wrong, comparison.compared);
    let first = wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
    assert!(wrong.is_empty(), "{}: {} of {compared} numbers differ:\n{first}", case["name"], wrong.len());
    compared
}

#[test]
fn the_cases_that_came_with_the_specification_are_met() {
    for name in ["worked", "sample_2008", "multiasset19_levered"] {
        let compared = assert_agrees(&json(&format!("backtest/handed/{name}.json")));
        assert!(compared > 200, "{name}: only {compared} numbers were compared");
    }
}

/// The cases of the second program, a part of them: they run side by side.
fn assert_independent(names: &[&str]) {
    for name in names {
        let compared = assert_agrees(&json(&format!("backtest/independent/{name}.json")));
        assert!(compared > 200, "{name}: only {compared} numbers were compared");
    }
}

#[test]
fn another_program_agrees_on_the_sample_with_and_without_leverage() {
    assert_independent(&["default", "levered_twin", "regime_floor", "match"]);
}

#[test]
fn another_program_agrees_where_assets_come_and_go() {
    assert_independent(&["late_expanding", "ends_delisting", "ends_band_lag3", "monthly_cash_late", "holes"]);
}

#[test]
fn another_program_agrees_on_estimators_and_budgets() {
    assert_independent(&["budgets", "ewma", "ledoit_undated", "overlap", "never_logarithms"]);
}

#[test]
fn another_program_agrees_on_rules_of_trading_rates_and_ruin() {
    assert_independent(&["weekly_rates", "no_trade_lag3", "dates_and_periods", "ruined"]);
}

#[test]
fn every_case_of_the_other_program_is_compared() {
    let own = include_str!("cases.rs");
    let files = fs::read_dir(data("backtest/independent")).unwrap().map(|entry| entry.unwrap().path());
    let names: Vec<String> = files.map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert!(names.len() >= 16, "cases are missing: {names:?}");
    for name in names {
        assert!(own.contains(&format!("\"{name}\"")), "{name} is compared nowhere");
    }
}
