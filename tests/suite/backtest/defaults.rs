//! Are the defaults those of rows as frequent as these, and the calendars what their names say?

use serde_json::Value;

use super::history::History;
use super::{Finished, MIX, backtest, finished};
use crate::run::Folder;

/// The last rows of the months.
fn months() -> History {
    let mut history = History::sample();
    let ends: Vec<bool> = history.dates.windows(2).map(|pair| pair[0][..7] != pair[1][..7]).chain([false]).collect();
    let mut keep = ends.iter();
    history.cells.retain(|_| *keep.next().unwrap());
    let mut keep = ends.iter();
    history.dates.retain(|_| *keep.next().unwrap());
    history
}

fn every(step: usize, mut history: History) -> History {
    history.cells = history.cells.into_iter().step_by(step).collect();
    history.dates = history.dates.into_iter().step_by(step).collect();
    history
}

fn undated(mut history: History) -> History {
    history.dates = (0..history.rows()).map(|row| row.to_string()).collect();
    history
}

fn decided(run: &Finished) -> Vec<String> {
    run.weights.of("erc").into_iter().map(|row| run.weights.text("decided", row).to_owned()).collect()
}

#[test]
fn lag_lookback_and_calendar_follow_from_how_often_there_are_rows() {
    let folder = Folder::new();
    let days = || History::sample().between("2005-01-03", "2008-12-31");
    for (history, flags, a, lag, lookback, calendar) in [
        (days(), "", 252.0, 1, 252, "monthly"),
        (every(5, History::sample()), "", 52.0, 0, 104, "monthly"),
        (months(), "", 12.0, 0, 36, "monthly"),
        (undated(days()), "--periods-per-year 252", 252.0, 1, 252, "every-21"),
        (undated(every(5, History::sample())), "--periods-per-year 52", 52.0, 0, 104, "every-21"),
        (undated(months()), "--periods-per-year 12", 12.0, 0, 36, "every-21"),
        (every(3, months()), "--lookback 12", 4.0, 0, 12, "monthly"),
    ] {
        folder.write("data.csv", history.csv());
        let args: Vec<&str> = ["data.csv", "--methods", "erc"].into_iter().chain(flags.split_whitespace()).collect();
        let run = finished(&folder, &args);
        let about = &run.summary["run"];
        assert_eq!(about["periods_per_year"].as_f64(), Some(a));
        assert_eq!(about["lag"].as_u64(), Some(lag), "{a} {flags}");
        assert_eq!(about["lookback"].as_u64(), Some(lookback), "{a} {flags}");
        assert_eq!(about["rebalance"], calendar, "{a} {flags}");
        // The first decision sees a full window of returns, and trades so many rows later.
        let first = history.dates.iter().position(|date| about["first_decision"] == **date).unwrap();
        assert!(first >= lookback as usize, "{a}: {first}");
        assert_eq!(about["first_trade"], history.dates[first + lag as usize], "{a} {flags}");
        // The header says which was used.
        let shown = backtest(&folder, &args).succeeded().stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains(&format!("windows of {lookback} rows")) && shown.contains(calendar), "{shown}");
        let trades = if lag == 1 { "traded 1 row later" } else { "traded at the same close" };
        assert!(shown.contains(trades) || lag == 0 && !shown.contains("later"), "{shown}");
    }
    // Quarters have no usual window.
    folder.write("data.csv", every(3, months()).csv());
    let refused = backtest(&folder, &["data.csv"]).refused(2);
    assert!(refused.stderr.contains("--lookback ROWS"), "{}", refused.stderr);
}

#[test]
fn all_strategies_are_compared_with_the_first_mix_or_else_with_equal_weight() {
    let folder = Folder::new();
    let recent = ["--from", "2009-01-01", "--to", "2010-12-31", "--lookback", "120"];
    let run = |extra: &[&str]| finished(&folder, &[&recent[..], extra].concat());
    let methods = ["erc", "min_variance", "max_diversification", "hrp", "inverse_volatility", "equal_weight"];
    let sample = run(&[]);
    assert_eq!(sample.strategies(), [&methods[..], &["60/40"]].concat());
    assert_eq!(sample.summary["benchmark"], "60/40");
    assert_eq!(sample.summary["run"]["cost_bps"].as_f64(), Some(5.0));
    assert_eq!(sample.summary["run"]["financing_spread"].as_f64(), Some(0.005));
    assert_eq!(sample.summary["run"]["max_leverage"].as_f64(), Some(3.0));
    // Without DATA the mix is there whatever methods are asked for, but for mixes of one's own.
    assert_eq!(run(&["--methods", "hrp"]).strategies(), ["hrp", "60/40"]);
    let own = run(&["--fixed", "half:NIKKEI=0.5,S&P 500=0.5", "--fixed", "all:NIKKEI=1", "--methods", "erc"]);
    assert_eq!(own.strategies(), ["erc", "half", "all"]);
    assert_eq!(own.summary["benchmark"], "half");
    let other = run(&["--methods", "erc,hrp", "--benchmark", "hrp"]);
    assert_eq!(other.summary["benchmark"], "hrp");
    folder.write("data.csv", History::sample().between("2009-01-01", "2010-12-31").csv());
    let data = finished(&folder, &["data.csv", "--lookback", "120", "--methods", "erc"]);
    assert_eq!(
        (data.strategies(), &data.summary["benchmark"]),
        (vec!["erc".into(), "equal_weight".into()], &Value::from("equal_weight"))
    );
    // Nothing is compared with itself.
    let own = &sample.strategy("60/40")["metrics"];
    for key in ["tracking_error", "information_ratio", "beta", "correlation"] {
        assert!(own[key].is_null() && !sample.strategy("erc")["metrics"][key].is_null(), "{key}: {own}");
    }
}

/// Calendars again, from the dates as they are written.
#[test]
fn decisions_are_the_last_rows_of_their_periods_or_rows_after_those() {
    let folder = Folder::new();
    let history = History::sample().between("2004-11-15", "2008-02-20");
    folder.write("data.csv", history.csv());
    folder.write("days.txt", "2005-12-31\n2006-01-01\n2006-02-30\n".replace("02-30", "02-28"));
    // Labels of the rows: the first price has no return.
    let dates = &history.dates[1..];
    let last = dates.len() - 1;
    // The first row at which a window of 50 is full.
    let first = 49;
    let ends = |part: &dyn Fn(&str) -> String, after: usize| -> Vec<String> {
        let ends = (0..last).filter(|&t| part(&dates[t]) != part(&dates[t + 1])).map(|t| t + after);
        ends.filter(|&t| t >= first && t < last).map(|t| dates[t].clone()).collect()
    };
    let month = |date: &str| date[..7].to_owned();
    let quarter = |date: &str| format!("{}{}", &date[..4], (date[5..7].parse::<u8>().unwrap() - 1) / 3);
    let week = |date: &str| {
        let week = date.parse::<jiff::civil::Date>().unwrap().iso_week_date();
        format!("{} {}", week.year(), week.week())
    };
    let on = |list: &[usize]| list.iter().map(|&t| dates[t].clone()).collect::<Vec<String>>();
    for (rule, expected) in [
        ("daily", on(&(first..last).collect::<Vec<_>>())),
        ("weekly", ends(&week, 0)),
        ("monthly", ends(&month, 0)),
        ("monthly+5", ends(&month, 5)),
        // More rows than a month has: still counted from each month's last row.
        ("monthly+25", ends(&month, 25)),
        ("quarterly", ends(&quarter, 0)),
        ("quarterly+2", ends(&quarter, 2)),
        ("yearly", ends(&|date| date[..4].to_owned(), 0)),
        ("every-10", on(&(first..last).step_by(10).collect::<Vec<_>>())),
        ("never", on(&[first])),
        // New year's eve of 2005 was a Saturday, and both days have the same last row.
        ("dates:days.txt", vec!["2005-12-30".into(), "2006-02-28".into()]),
    ] {
        let run = finished(&folder, &["data.csv", "--lookback", "50", "--rebalance", rule, "--methods", "erc"]);
        let expected: Vec<String> = expected.into_iter().skip_while(|date| *date < dates[first]).collect();
        assert_eq!(decided(&run), expected, "{rule}");
        assert_eq!(run.summary["rebalances"].as_u64(), Some(expected.len() as u64), "{rule}");
    }
}

#[test]
fn a_mix_waits_for_its_assets_and_an_expanding_window_for_its_least() {
    let folder = Folder::new();
    let history = History::sample().between("2005-12-30", "2008-12-31").starting("NIKKEI", "2006-09-15");
    folder.write("data.csv", history.csv());
    let first = |flags: &[&str]| {
        let run = finished(&folder, &[&["data.csv", "--methods", "erc,equal-weight"], flags].concat());
        run.summary["run"]["first_decision"].as_str().unwrap().to_owned()
    };
    assert_eq!(first(&["--lookback", "60"]), "2006-03-31");
    // NIKKEI has its first return on Monday the 18th, and no full window until December.
    assert_eq!(first(&["--lookback", "60", "--fixed", "NIKKEI=0.5,S&P 500=0.5"]), "2006-09-29");
    // All rows from the 253rd return on, as rolling windows would be.
    assert_eq!(first(&["--lookback", "expanding"]), first(&["--lookback", "252"]));
    assert_eq!(first(&["--lookback", "expanding", "--min-history", "60", "--fixed", MIX]), "2006-03-31");
}
