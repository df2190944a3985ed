//! Is every wrong call refused by its own exit code, with what is wrong, where, and what to do next?

use super::backtest;
use super::history::History;
use crate::run::Folder;

/// Four assets over two years, and the files that people get wrong.
fn folder() -> Folder {
    let folder = Folder::new();
    let mut prices = History::sample().between("2006-12-29", "2008-12-31").only(&[
        "US BONDS 10Y",
        "S&P 500",
        "NIKKEI",
        "Emerging Debt",
    ]);
    prices.assets = ["A", "B", "C", "D"].map(String::from).to_vec();
    let write = |name: &str, history: &History| folder.write(name, history.csv());
    write("prices.csv", &prices);
    write("returns.csv", &prices.returns());
    let mut undated = prices.clone();
    undated.dates = (0..prices.rows()).map(|row| row.to_string()).collect();
    write("undated.csv", &undated);
    write("late.csv", &prices.clone().starting("C", "2008-02-15"));
    let apart = prices.clone().ending("A", "2007-07-31").starting("C", "2007-12-17");
    write("apart.csv", &apart);
    write("two.csv", &apart.only(&["A", "C"]));
    let mut holes = prices.returns();
    holes.cells[100][1].clear();
    write("holes.csv", &holes);
    let with_cash = |history: &History, cash: &dyn Fn(usize) -> String| {
        let mut history = history.clone();
        history.assets.push("BILLS".into());
        history.cells.iter_mut().enumerate().for_each(|(t, row)| row.push(cash(t)));
        history
    };
    let level = |t: usize| (100.0 + 0.01 * t as f64).to_string();
    write("cash.csv", &with_cash(&prices, &level));
    write("cash_ends.csv", &with_cash(&prices, &|t| if t > 300 { String::new() } else { level(t) }));
    let rate = |t: usize| if t == 120 { String::new() } else { "0.0001".to_string() };
    write("cash_holes.csv", &with_cash(&prices.returns(), &rate));
    let rates = |from: usize, to: usize| -> String {
        let lines = prices.dates[from..to].iter().map(|date| format!("{date},2.5\n"));
        std::iter::once("observation_date,DTB3\n".to_string()).chain(lines).collect()
    };
    folder.write("rates_end.csv", rates(0, 300));
    folder.write("rates_late.csv", rates(300, prices.rows()));
    let constant = vec![vec![1.0, 2.0]; prices.rows()];
    write("constant.csv", &History::of(&["A", "B"].map(String::from), &prices.dates, &constant));
    folder.write("ok.txt", "2007-06-29\n");
    folder.write("days.txt", "2007-06-29\nsoon\n");
    folder.write("periods.csv", "name,from,to\nfall,2009,2008\n");
    folder
}

/// Each call with the code it ends with, and what its message says.
fn assert_refused(code: i32, calls: &[(&str, &[&str])]) {
    let folder = folder();
    for (call, said) in calls {
        // Where a window matters it is said; else it is one that fits.
        let window = if call.contains("--lookback") || call.contains("DEFAULT") { "" } else { "--lookback 60" };
        let args: Vec<&str> =
            call.split(' ').filter(|word| *word != "DEFAULT").chain(window.split_whitespace()).collect();
        let run = backtest(&folder, &[&args[..], &["-o", "out"]].concat()).refused(code);
        for word in *said {
            assert!(run.stderr.contains(word), "`{call}` should say `{word}`: {}", run.stderr);
        }
        let helps = run.stderr.contains("hint: ") || run.stderr.contains("try '--help'");
        assert!(helps, "`{call}` should say what to do next: {}", run.stderr);
    }
}

#[test]
fn a_call_that_cannot_be_meant_is_a_usage_error() {
    assert_refused(
        2,
        &[
            ("undated.csv --periods-per-year 252 --rebalance monthly", &["--rebalance monthly", "dates", "every-21"]),
            ("undated.csv --periods-per-year 252 --rebalance weekly+2", &["--rebalance weekly+2", "dates"]),
            ("undated.csv --periods-per-year 252 --rebalance dates:ok.txt", &["--rebalance", "dates"]),
            ("undated.csv --periods-per-year 252 --period x=2008", &["--period", "dates"]),
            ("undated.csv --periods-per-year 252 --cash-rate rates_end.csv", &["--cash-rate", "date"]),
            ("undated.csv", &["--periods-per-year"]),
            ("undated.csv --periods-per-year 10 DEFAULT", &["10 a year", "--lookback ROWS"]),
            ("prices.csv --lookback 10 --overlap 10", &["--lookback 10", "overlap by 10", "--overlap"]),
            ("prices.csv --lookback 0", &["--lookback", "from 2 up"]),
            ("prices.csv --lookback 1", &["--lookback", "from 2 up"]),
            ("prices.csv --lookback 60.5", &["--lookback"]),
            ("prices.csv --lag -1", &["--lag"]),
            ("prices.csv --lag 1.5", &["--lag", "whole number of rows"]),
            ("prices.csv --overlap 0", &["--overlap", "from 1 up"]),
            ("prices.csv --min-history 100", &["--min-history", "--lookback expanding"]),
            ("prices.csv --lookback expanding --min-history 1", &["--min-history 1", "2 rows"]),
            ("prices.csv --rebalance fortnightly", &["fortnightly", "monthly", "every-N", "dates:FILE"]),
            ("prices.csv --rebalance every-0", &["every-0"]),
            ("prices.csv --rebalance dates:nowhere.txt", &["nowhere.txt"]),
            ("prices.csv --methods erc,foo", &["foo", "--methods", "min-variance"]),
            ("prices.csv --benchmark foo", &["--benchmark", "`foo`", "`equal_weight`"]),
            ("prices.csv --lever foo", &["--lever", "`foo`", "`erc`"]),
            ("prices.csv --target-vol match:foo", &["--target-vol", "`foo`", "`erc`"]),
            ("late.csv --fixed mix:A=0.5,C=0.5 --target-vol match:mix", &["match:mix", "`C`", "2008-02-29", "--from"]),
            ("prices.csv --target-vol -0.1", &["--target-vol", "-0.1"]),
            ("prices.csv --target-vol 10", &["--target-vol", "0.10"]),
            ("prices.csv --band -0.1", &["--band", "from 0 up"]),
            ("prices.csv --no-trade -0.1", &["--no-trade", "from 0 up"]),
            ("prices.csv --cost-bps -1", &["--cost-bps", "-1", "from 0 up"]),
            ("prices.csv --cost-bps A=1,B=2", &["--cost-bps", "`C`", "*="]),
            ("prices.csv --cost-bps A=1,B=-2,*=1", &["--cost-bps", "`B`"]),
            ("prices.csv --financing-spread -1", &["--financing-spread", "from 0 up"]),
            ("prices.csv --delisting-return 0.3", &["--delisting-return", "-0.3"]),
            ("prices.csv --leverage -1", &["--leverage"]),
            ("prices.csv --max-leverage 0", &["--max-leverage"]),
            ("cash.csv --cash BILLS --cash-rate 0.02", &["--cash <COLUMN>", "--cash-rate"]),
            ("prices.csv --cash-rate 5", &["--cash-rate", "0.02"]),
            ("prices.csv --target-vol 0.1 --leverage 2", &["--target-vol", "--leverage"]),
            ("prices.csv --half-life 20", &["--half-life", "--estimator ewma"]),
            ("prices.csv --estimator oas --half-life 20", &["--half-life", "--estimator ewma"]),
            ("prices.csv --estimator ewma", &["--half-life ROWS"]),
            ("prices.csv --regime 200", &["--regime 200", "2 to 60 rows"]),
            ("prices.csv --regime 1", &["--regime 1"]),
            ("prices.csv --regime 21 --methods equal-weight", &["--regime", "erc"]),
            ("prices.csv --regime-floor 0.3", &["--regime"]),
            ("prices.csv --regime 21 --regime-floor 2", &["--regime-floor", "from 0 to 1"]),
            ("prices.csv --fixed A=-0.5,B=1.5", &["--fixed", "`A`", "short"]),
            ("prices.csv --fixed A=0.5,X=0.5", &["--fixed", "`X`", "`A`"]),
            ("prices.csv --cash BILLS", &["`BILLS`", "--cash", "hint: "]),
            ("prices.csv --cost-bps X=1,*=2", &["--cost-bps", "`X`", "`A`"]),
            ("prices.csv --fixed A=0", &["--fixed", "sum to 0"]),
            ("prices.csv --fixed erc:A=0.5,B=0.5", &["`erc`", "NAME:"]),
            ("prices.csv --fixed m:A=1 --fixed m:B=1", &["`m`", "NAME:"]),
            ("prices.csv --period x=2009..2008", &["--period", "2009", "2008"]),
            ("prices.csv --log-returns", &["--log-returns", "simple", "--returns"]),
            ("prices.csv --paths 10 --overlap 2", &["--overlap", "--paths", "leave"]),
            ("prices.csv --paths 10 --block 5000", &["block length of 5000", "523 rows", "--block"]),
            ("prices.csv --block 20", &["--block", "--paths"]),
            ("prices.csv --scheme iid", &["--scheme", "--paths"]),
            ("prices.csv -B 10 --block 20", &["--block", "--fan-block"]),
            ("prices.csv --paths 0", &["--paths"]),
            ("prices.csv --paths 10 -B 10", &["--paths", "--resamples"]),
            ("prices.csv --paths 10 --shard 0/2", &["--seed"]),
            ("prices.csv -B 10 --methods equal-weight", &["--resamples", "risk budgeting", "erc"]),
            ("prices.csv -B 10 --fan-block 61", &["--fan-block 61", "60 rows"]),
            ("prices.csv -B 10 --fan-block 0", &["--fan-block", "from 1 up"]),
            ("prices.csv --fan-band", &["--resamples"]),
            ("prices.csv -B 10 --fan-band --grid lag=0,1", &["--fan-band", "--grid"]),
            ("prices.csv --no-sensitivity", &["--paths"]),
            ("prices.csv --shard 1/2", &["--shard", "leave"]),
            ("prices.csv --problems 0..5", &["--problems", "leave"]),
        ],
    );
}

#[test]
fn data_that_cannot_be_traded_are_an_error_of_data() {
    assert_refused(
        4,
        &[
            ("prices.csv --assets A,X", &["`X`", "`A`, `B`, `C`, `D`"]),
            // 523 returns; the 521st window would end at the last but two, and its trade has one row to hold.
            ("prices.csv --lookback 521", &["523 rows", "521", "524", "--lookback"]),
            ("prices.csv --lookback 60 --lag 18446744073709551615", &["523 rows", "--lookback"]),
            ("prices.csv --lookback 18446744073709551615", &["523 rows", "--lookback"]),
            ("prices.csv --rebalance monthly+18446744073709551615", &["two assets", "hint: "]),
            ("constant.csv", &["`A` never", "`B` never"]),
            ("prices.csv --lookback 60 --lag 500", &["523 rows", "562", "--lookback"]),
            // No two live together for a window: each is ready where it is ready.
            ("two.csv", &["two assets", "60 rows", "`A` from 2007-03-23", "`C` from 2008-03-10", "hint: "]),
            // Both of the mix never live together.
            ("apart.csv --fixed mix:A=0.5,C=0.5", &["fixed mixes", "`C`", "2007-12-18", "hint: "]),
            ("holes.csv --returns", &["`B`", "2007-05-21", "line 102", "--exclude \"B\"", "--missing exclude-assets"]),
            ("cash_holes.csv --returns --cash BILLS", &["`BILLS`", "2007-06-18", "hint: "]),
            ("cash_ends.csv --cash BILLS", &["cash", "2008-02-25"]),
            ("prices.csv --cash-rate rates_end.csv", &["cash", "2008-0", "hint: "]),
            ("prices.csv --cash-rate rates_late.csv", &["cash", "2007-04-03", "hint: "]),
            ("prices.csv --cash-rate nowhere.csv", &["nowhere.csv"]),
            ("prices.csv --cash-rate prices.csv", &["prices.csv", "one column"]),
            ("prices.csv --rebalance dates:days.txt", &["days.txt", "line 2", "`soon`"]),
            ("prices.csv --periods periods.csv", &["periods.csv", "line 2"]),
            ("late.csv --paths 10", &["`C`", "2008-02-18", "--from 2008-02-18", "4 assets"]),
            ("apart.csv --assets A,B --paths 10", &["`A`", "2007-07-31", "--to 2007-07-31"]),
            ("prices.csv --budgets A=1", &["`B`", "budget"]),
            ("prices.csv --budgets A=1,B=0,C=0,D=0", &["two assets"]),
            ("nowhere.csv", &["nowhere.csv"]),
        ],
    );
}

/// Else the call that is right is refused next, as a different run.
#[test]
fn a_refused_call_leaves_no_directory() {
    let folder = folder();
    for call in [
        "undated.csv --periods-per-year 252 --lookback 60 --rebalance monthly",
        "prices.csv --lookback 10 --overlap 10",
        "prices.csv --lookback 60 --benchmark foo",
        "late.csv --lookback 60 --fixed mix:A=0.5,C=0.5 --target-vol match:mix",
        "prices.csv --lookback 521",
        "two.csv --lookback 60",
        "holes.csv --returns --lookback 60",
        "prices.csv --lookback 60 --cash-rate rates_end.csv",
        "prices.csv --lookback 60 --grid lookback=60,5000",
    ] {
        let args: Vec<&str> = call.split(' ').chain(["-o", "out"]).collect();
        let run = backtest(&folder, &args);
        assert!(run.code != 0 && !folder.path("out").exists(), "`{call}` left a directory: {run:?}");
    }
}

/// A mix is no reason to refuse where there is a date on which it can be built.
#[test]
fn a_mix_whose_asset_starts_later_begins_later() {
    let folder = folder();
    let run = backtest(&folder, &["late.csv", "--lookback", "60", "--fixed", "mix:A=0.5,C=0.5", "--json"]).succeeded();
    assert_eq!(run.json()["run"]["first_decision"], "2008-02-29");
}

/// Between its first and its last cell an asset lives; prices may have gaps, which leave for all.
#[test]
fn a_gap_in_prices_is_said_and_its_row_leaves_for_all() {
    let folder = folder();
    let mut gaps = History::sample().between("2006-12-29", "2008-12-31");
    gaps.cells[100][3].clear();
    gaps.cells[300][0].clear();
    folder.write("gaps.csv", gaps.csv());
    let run = super::finished(&folder, &["gaps.csv", "--lookback", "60", "--methods", "erc"]);
    assert_eq!(run.summary["run"]["rows"], 521);
    let notes = run.summary["notes"].to_string();
    assert!(notes.contains("2 of 524 rows left out"), "{notes}");
    // As if the rows had never been there.
    let (mut without, mut at) = (gaps.clone(), 0..);
    without.cells.retain(|_| ![100, 300].contains(&at.next().unwrap()));
    let mut at = 0..;
    without.dates.retain(|_| ![100, 300].contains(&at.next().unwrap()));
    folder.write("without.csv", without.csv());
    let other = super::finished(&folder, &["without.csv", "--lookback", "60", "--methods", "erc"]);
    assert_eq!(run.summary["strategies"], other.summary["strategies"]);
    // Or the assets leave that have such gaps.
    let fewer = ["gaps.csv", "--lookback", "60", "--methods", "erc", "--missing", "exclude-assets"];
    assert_eq!(super::finished(&folder, &fewer).assets().len(), 8);
    backtest(&folder, &["gaps.csv", "--lookback", "60", "--missing", "error"]).refused(4);
}
