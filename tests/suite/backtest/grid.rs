//! Is a grid what its settings are by themselves, and is its verdict that of the formula?

use serde_json::Value;

use super::{MIX, backtest};
use crate::run::Folder;

const SHARED: [&str; 9] =
    ["--from", "2004", "--methods", "erc,inverse-volatility", "--fixed", MIX, "--json", "--quiet", "--cash-rate=0.01"];

fn run(args: &[&str]) -> Value {
    backtest(&Folder::new(), &[&SHARED[..], args].concat()).succeeded().json()
}

/// The cell of a strategy in a setting.
fn cell<'a>(grid: &'a Value, setting: usize, strategy: &str) -> &'a Value {
    let is_it = |cell: &&Value| cell["setting"] == setting && cell["strategy"] == strategy;
    grid["cells"].as_array().unwrap().iter().find(is_it).unwrap()
}

#[test]
fn a_setting_of_a_grid_is_the_backtest_by_itself() {
    // Lag 1 trades last, so that wealth of all is one at its first trade; nobody pays for the build.
    let grid = &run(&["--grid", "lag=0,1", "--grid", "cost-bps=5,20"])["grid"];
    assert_eq!(grid["settings"], serde_json::json!([["0", "5"], ["0", "20"], ["1", "5"], ["1", "20"]]));
    for (setting, cost) in [(2, "5"), (3, "20")] {
        let alone = run(&["--lag", "1", "--cost-bps", cost, "--no-initial-cost"]);
        assert_eq!(grid["from"], alone["run"]["first_trade"]);
        for own in alone["strategies"].as_array().unwrap() {
            let found = cell(grid, setting, own["name"].as_str().unwrap());
            for figure in ["cagr", "sharpe", "sharpe_monthly", "max_drawdown", "turnover", "cvar95"] {
                let (a, b) = (found[figure].as_f64().unwrap(), own["metrics"][figure].as_f64().unwrap());
                // The same rows, whose wealth is multiplied up in the same order.
                assert!((a - b).abs() <= 1e-13 * b.abs(), "{figure} of {}: {a} and {b}", own["name"]);
            }
        }
    }
}

#[test]
fn the_best_of_a_grid_is_the_first_of_the_highest_and_never_likelier_than_alone() {
    let found = run(&["--grid", "lookback=60,126,252", "--grid", "rebalance=monthly,monthly+10"]);
    let grid = &found["grid"];
    for deflated in grid["deflated"].as_array().unwrap() {
        let strategy = deflated["strategy"].as_str().unwrap();
        let sharpe = |setting: usize| cell(grid, setting, strategy)["sharpe_monthly"].as_f64().unwrap();
        let highest = (0..6).map(sharpe).fold(f64::NEG_INFINITY, f64::max);
        let best = deflated["best"].as_u64().unwrap() as usize;
        assert_eq!((sharpe(best), deflated["trials"].as_u64()), (highest, Some(6)));
        // Per month there, a year in the cells.
        let month = deflated["sharpe"].as_f64().unwrap();
        assert!((month * 12.0_f64.sqrt() - highest).abs() < 1e-12);
        assert!(deflated["expected_maximum"].as_f64().unwrap() >= 0.0);
        assert!((0.0..=1.0).contains(&deflated["probability"].as_f64().unwrap()));
    }
    // The mix trades the same whatever the window; only the calendar moves it.
    let of_mix = |setting: usize| cell(grid, setting, "60/40")["sharpe"].as_f64().unwrap();
    assert_eq!([of_mix(0), of_mix(1)], [of_mix(2), of_mix(3)]);
}

#[test]
fn estimators_and_half_lives_are_settings_too() {
    let ewma = ["--estimator", "ewma", "--half-life", "40"];
    let grid = run(&[&ewma[..], &["--grid", "half-life=20,40"]].concat());
    let alone = run(&[&ewma[..], &["--no-initial-cost"]].concat());
    let (a, b) = (&cell(&grid["grid"], 1, "erc")["sharpe"], &alone["strategies"][0]["metrics"]["sharpe"]);
    assert!((a.as_f64().unwrap() - b.as_f64().unwrap()).abs() < 1e-12);
    let both = run(&["--grid", "estimator=sample,ledoit-wolf,oas", "--grid", "target-vol=0.05,0.1"]);
    assert_eq!(both["grid"]["cells"].as_array().unwrap().len(), 6 * 3);
}

#[test]
fn what_cannot_be_varied_is_refused_by_name() {
    let folder = Folder::new();
    for (args, said) in [
        (&["--grid", "method=erc"][..], "`method` cannot be varied"),
        (&["--grid", "lag"], "KEY=V1,V2"),
        (&["--grid", "lag=1,x"], "not a whole number of rows"),
        (&["--grid", "lag=1", "--grid", "lag=2"], "given twice"),
        (&["--grid", "half-life=20"], "only the estimator ewma"),
        (&["--grid", "estimator=ewma"], "how fast"),
        (&["--grid", "overlap=1,300"], "cannot go together"),
        (&["--grid", "rebalance=dates:x.csv"], "files are not varied"),
    ] {
        let run = backtest(&folder, args).refused(2);
        assert!(run.stderr.contains(said), "{args:?}: {}", run.stderr);
    }
    let late = backtest(&folder, &["--grid", "lookback=126,3960", "--lag", "20"]).refused(4);
    assert!(late.stderr.contains("lookback 3960"), "{}", late.stderr);
}
