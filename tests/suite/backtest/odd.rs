//! Does the program stay calm and honest with odd histories, and say what a reader should know?

use serde_json::Value;

use super::history::History;
use super::{MIX, backtest, finished};
use crate::run::Folder;

fn few() -> History {
    History::sample().between("2006-12-29", "2008-12-31").only(&["US BONDS 10Y", "S&P 500", "NIKKEI", "Emerging Debt"])
}

/// A panic or a signal fails in `fed`; here every refusal says what to do.
#[test]
fn no_odd_file_is_more_than_refused() {
    let folder = Folder::new();
    let changed = |change: &dyn Fn(usize, usize, f64) -> f64| {
        let prices = few().numbers();
        let row = |(t, row): (usize, &Vec<f64>)| row.iter().enumerate().map(|(i, x)| change(t, i, *x)).collect();
        History::of(&few().assets, &few().dates, &prices.iter().enumerate().map(row).collect::<Vec<_>>())
    };
    let ok = [
        ("one of four constant", changed(&|_, i, x| if i == 1 { 5.0 } else { x })),
        ("huge prices", changed(&|_, _, x| x * 1e300)),
        ("tiny prices", changed(&|_, _, x| x * 1e-300)),
        ("twins", changed(&|t, i, x| if i == 1 { few().numbers()[t][0] } else { x })),
        ("constant for a year", changed(&|t, i, x| if i == 2 && t < 261 { 5.0 } else { x })),
        ("one cell alone", changed(&|t, i, x| if i == 3 && t != 200 { f64::NAN } else { x })),
        ("two cells alone", changed(&|t, i, x| if i == 3 && t != 200 && t != 201 { f64::NAN } else { x })),
        ("all lose almost everything in a day", changed(&|t, _, x| if t >= 300 { x * 1e-3 } else { x })),
    ];
    for (name, history) in &ok {
        folder.write("data.csv", history.csv());
        let run = finished(&folder, &["data.csv", "--lookback", "60", "--target-vol", "0.1", "--regime", "21"]);
        for strategy in run.strategies() {
            let wealth = run.wealth.series(&strategy, "wealth");
            assert!(wealth.iter().all(|w| w.is_finite() && *w >= 0.0), "{name}: {strategy}");
        }
    }
    let no = [
        ("one row", changed(&|_, _, x| x).until("2006-12-29")),
        ("two rows", changed(&|_, _, x| x).until("2007-01-01")),
        ("one asset", few().only(&["NIKKEI"])),
        ("all constant", changed(&|_, _, _| 1.0)),
        ("empty column", changed(&|_, i, x| if i == 1 { f64::NAN } else { x })),
        ("no cells", changed(&|_, _, _| f64::NAN)),
        ("no rows", few().until("1990-01-01")),
        ("prices below zero", changed(&|t, i, x| if t == 100 && i == 0 { -x } else { x })),
    ];
    for (name, history) in &no {
        folder.write("data.csv", history.csv());
        for flags in [&[][..], &["--lookback", "60"], &["--lookback", "2", "--rebalance", "daily", "--lag", "0"]] {
            let run = backtest(&folder, &[&["data.csv"], flags].concat());
            assert!(run.code == 4 && run.stderr.contains("hint: "), "{name}: {run:?}");
        }
    }
}

#[test]
fn the_shortest_history_that_is_enough_is_enough() {
    let folder = Folder::new();
    // A window of 20 returns of 3 rows, a lag of 2, and a row to hold: 20 + 2 + 2 + 2 returns.
    for (rows, code) in [(26, 0), (25, 4)] {
        let mut history = few().returns();
        history.dates.truncate(rows);
        history.cells.truncate(rows);
        folder.write("data.csv", history.csv());
        let flags =
            "data.csv --returns --periods-per-year 252 --lookback 20 --overlap 3 --lag 2 --rebalance daily --json";
        let run = backtest(&folder, &flags.split(' ').collect::<Vec<_>>());
        assert_eq!(run.code, code, "{run:?}");
        if code == 0 {
            let summary = run.json();
            assert_eq!((&summary["run"]["evaluated_rows"], &summary["rebalances"]), (&Value::from(2), &Value::from(4)));
        }
    }
}

#[test]
fn a_ruined_strategy_is_worth_nothing_from_then_on() {
    let folder = Folder::new();
    let args = ["--from", "2007-01-01", "--to", "2010-06-30", "--lookback", "60", "--leverage", "14", "--lever", "erc"];
    let run = finished(&folder, &args);
    let date = run.strategy("erc")["ruined"].as_str().expect("ruined").to_owned();
    assert!(run.strategy("60/40")["ruined"].is_null());
    for row in run.wealth.of("erc") {
        let (net, wealth) = (run.wealth.number("net", row), run.wealth.number("wealth", row));
        match run.wealth.text("date", row).cmp(date.as_str()) {
            std::cmp::Ordering::Less => assert!(net > -1.0 && wealth > 0.0),
            std::cmp::Ordering::Equal => assert_eq!((net, wealth), (-1.0, 0.0)),
            std::cmp::Ordering::Greater => assert_eq!((net, wealth), (0.0, 0.0)),
        }
    }
    assert!(
        run.holdings.of("erc").iter().all(|&row| run.holdings.text("date", row) < date.as_str()),
        "no trades after"
    );
    assert_eq!((run.metric("erc", "total_return"), run.metric("erc", "max_drawdown")), (-1.0, 1.0));
    let shown = backtest(&folder, &args).succeeded().stdout;
    assert!(shown.contains(&format!("Risk budgeting lost everything on {date}")), "{shown}");
}

#[test]
fn what_a_reader_should_know_is_said() {
    let folder = Folder::new();
    let lives = History::sample()
        .between("2006-12-29", "2009-12-31")
        .starting("Emerging Debt", "2007-09-03")
        .ending("NIKKEI", "2008-08-13");
    folder.write("lives.csv", lives.csv());
    let mut holidays = few();
    for t in [100, 200, 300] {
        holidays.cells[t] = holidays.cells[t - 1].clone();
    }
    folder.write("holidays.csv", holidays.csv());
    let flags = "lives.csv --lookback 15 --target-vol 0.2 --cost-bps 0 --fixed";
    let levered = finished(&folder, &flags.split(' ').chain(["half:S&P 500=0.5,NIKKEI=0.5"]).collect::<Vec<_>>());
    let plain = finished(&folder, &["holidays.csv", "--lookback", "60"]);
    for (run, said) in [
        (&levered, &["borrowing costs the spread", "--cash-rate"][..]),
        (&levered, &["the cap of 3", "below its target", "risk budgeting in"]),
        (&levered, &["drifts beyond the cap of 3", "of the rows, up to"]),
        (&levered, &["10 assets in a window of 15 rows"]),
        (&levered, &["enter later", "`Emerging Debt` from 2007-09-28"]),
        (&levered, &["`NIKKEI` on 2008-08-13", "holdings sold at the last price"]),
        (&levered, &["an asset ends", "stays in cash", "`half`"]),
        (&levered, &["trading costs nothing"]),
        (&levered, &["neighbouring rows", "months"]),
        (&plain, &["exactly zero on 3 of 523 rows", "holidays"]),
        (&plain, &["252 periods", "returns a year", "--periods-per-year 261"]),
    ] {
        let notes = run.summary["notes"].as_array().unwrap();
        let is_it = |note: &Value| said.iter().all(|word| note.as_str().unwrap().contains(word));
        assert!(notes.iter().any(is_it), "{said:?} is not said: {notes:#?}");
    }
    // Nothing is said of what is not so.
    let notes = plain.summary["notes"].to_string();
    for word in ["cap", "borrow", "enter later", "end:", "costs nothing", "window of"] {
        assert!(!notes.contains(word), "{word}: {notes}");
    }
}

#[test]
fn a_calm_market_trades_within_its_bands_and_a_mix_below_one_keeps_cash() {
    let folder = Folder::new();
    let args = ["--from", "2006-12-29", "--to", "2009-12-31", "--lookback", "60", "--methods", "erc,equal-weight"];
    let mixes = ["--fixed", "half:S&P 500=0.3,US BONDS 10Y=0.2", "--fixed", MIX];
    let run = |extra: &[&str]| finished(&folder, &[&args[..], &mixes, extra].concat());
    // A band that nothing leaves: built once, and held.
    let held = run(&["--band", "0.9"]);
    for name in held.strategies() {
        assert_eq!(held.holdings.of(&name).len(), 1, "{name}");
        assert_eq!((held.metric(&name, "trades"), held.metric(&name, "turnover")), (1.0, 0.0), "{name}");
    }
    // What trades once is what never trades again; the calendar differs, and with it what might have been.
    let never = run(&["--rebalance", "never"]);
    assert!(never.weights.of("erc").len() == 1 && held.weights.of("erc").len() > 20);
    // Within a no-trade region only what lies beyond it moves, each to its target.
    let lazy = run(&["--no-trade", "0.01", "--rebalance", "daily"]);
    let assets = lazy.assets();
    for name in lazy.strategies() {
        for pair in lazy.holdings.of(&name).windows(2) {
            let row = lazy.weights.at(&name, "traded", lazy.holdings.text("date", pair[1]));
            let target = lazy.weights.across(&assets, row);
            let after = lazy.holdings.across(&assets, pair[1]);
            let moved = after.iter().zip(&target).filter(|(h, w)| (*h - *w).abs() <= 1e-15).count();
            assert!(moved >= 1 && after.iter().zip(&target).all(|(h, w)| (h - w).abs() <= 0.01), "{name}");
        }
    }
    let half = lazy.holdings.series("half", "cash");
    assert!((half[0] - 0.5).abs() <= 1e-15 && half.iter().all(|cash| (0.48..=0.52).contains(cash)), "{half:?}");
    assert!(held.metric("half", "exposure_mean") < 0.55);
}
