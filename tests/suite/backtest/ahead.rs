//! Does any decision know what comes after it?

use super::history::History;
use super::{Finished, MIX, close, finished, same};
use crate::run::Folder;

/// The row after which everything changes, a month's last and one within a month.
const AFTER: [&str; 2] = ["2008-09-30", "2008-10-15"];

/// Returns of days, with an asset that starts late.
fn history() -> History {
    History::sample().between("2007-01-31", "2009-04-30").starting("Emerging Debt", "2007-06-13").returns()
}

/// With returns after a date multiplied by -1.3.
fn turned(history: &History, after: &str) -> History {
    let mut values = history.numbers();
    for (row, date) in values.iter_mut().zip(&history.dates) {
        if date.as_str() > after {
            row.iter_mut().for_each(|r| *r *= -1.3);
        }
    }
    History::of(&history.assets, &history.dates, &values)
}

/// All that a run knew on a date is in both runs, and equal as `agree` says. Returns how many numbers were compared.
fn assert_known(until: &str, own: &Finished, other: &Finished, agree: impl Fn(f64, f64) -> bool) -> usize {
    let mut compared = 0;
    let tables = [
        (&own.weights, &other.weights, "decided"),
        (&own.holdings, &other.holdings, "date"),
        (&own.wealth, &other.wealth, "date"),
    ];
    for (own, other, date) in tables {
        for name in own.texts["strategy"].iter().collect::<std::collections::BTreeSet<_>>() {
            let known = |table: &super::Table| -> Vec<usize> {
                table.of(name).into_iter().filter(|&row| table.text(date, row) <= until).collect()
            };
            let (rows, others) = (known(own), known(other));
            assert_eq!(rows.len(), others.len(), "{name} until {until}");
            for (row, at) in rows.into_iter().zip(others) {
                assert_eq!(own.text(date, row), other.text(date, at), "{name}");
                for (column, values) in &own.numbers {
                    let (a, b) = (values[row], other.number(column, at));
                    assert!(agree(a, b), "{name} {} {column}: {a} became {b}", own.text(date, row));
                    compared += 1;
                }
            }
        }
    }
    compared
}

const SETTINGS: [&str; 8] = [
    "--target-vol 0.1 --regime 21",
    "--estimator ewma --half-life 30 --target-vol match:60/40",
    "--estimator ledoit-wolf --leverage 2",
    "--estimator oas --overlap 5 --target-vol 0.1 --regime 15 --rebalance weekly",
    "--lookback expanding --min-history 80 --rebalance monthly+3 --lag 3",
    "--rebalance daily --band 0.02 --lag 0 --methods erc,inverse-volatility",
    "--rebalance every-10 --no-trade 0.01 --methods erc,hrp,min-variance",
    "--estimator gerber --methods erc,max-diversification",
];

fn args(settings: &'static str) -> Vec<&'static str> {
    let lookback = if settings.contains("--lookback") { "" } else { "--lookback 80" };
    let mut args: Vec<&str> = ["data.csv", "--returns", "--cash-rate", "0.02", "--fixed", MIX].to_vec();
    args.extend(lookback.split_whitespace().chain(settings.split_whitespace()));
    args
}

#[test]
fn returns_after_a_row_change_nothing_at_or_before_it_to_the_last_bit() {
    let (folder, history) = (Folder::new(), history());
    for settings in SETTINGS {
        folder.write("data.csv", history.csv());
        let own = finished(&folder, &args(settings));
        for after in AFTER {
            folder.write("data.csv", turned(&history, after).csv());
            let other = finished(&folder, &args(settings));
            let compared = assert_known(after, &own, &other, same);
            assert!(compared > 4_000, "{settings}: only {compared} numbers were compared");
            // And it matters afterwards.
            assert_ne!(own.summary["strategies"], other.summary["strategies"]);
        }
    }
}

#[test]
fn a_file_that_ends_earlier_tells_the_same_story() {
    let (folder, history) = (Folder::new(), history());
    for settings in SETTINGS {
        folder.write("data.csv", history.csv());
        let own = finished(&folder, &args(settings));
        for after in AFTER {
            // A row ends a month once the next is known: one row more.
            let next = history.dates.iter().find(|date| date.as_str() > after).unwrap();
            folder.write("data.csv", history.clone().until(next).csv());
            let other = finished(&folder, &args(settings));
            // The same numbers, perhaps added in another order.
            let compared = assert_known(after, &other, &own, |a, b| close(a, b, 1e-12));
            assert!(compared > 4_000, "{settings}: only {compared} numbers were compared");
        }
    }
}

#[test]
fn what_to_hold_now_is_what_is_decided_there_once_the_history_goes_on() {
    let (folder, history) = (Folder::new(), history());
    for settings in SETTINGS.into_iter().filter(|settings| !settings.contains("--rebalance")) {
        folder.write("data.csv", history.csv());
        let whole = finished(&folder, &args(settings));
        folder.write("data.csv", history.clone().until(AFTER[0]).csv());
        let now = finished(&folder, &args(settings));
        let assets = now.assets();
        assert_eq!(now.summary["latest"]["date"], AFTER[0]);
        let latest = now.summary["latest"]["strategies"].as_array().unwrap();
        assert_eq!(latest.len(), now.strategies().len());
        for own in latest {
            let name = own["name"].as_str().unwrap();
            let row = whole.weights.at(name, "decided", AFTER[0]);
            for (i, asset) in assets.iter().enumerate() {
                let (now, then) = (own["weights"][i].as_f64().unwrap(), whole.weights.number(asset, row));
                assert!(close(now, then, 1e-12), "{settings} {name} {asset}: {now} {then}");
            }
            let then = whole.weights.number("exposure", row);
            assert!(close(own["exposure"].as_f64().unwrap(), then, 1e-12 * then), "{settings} {name}");
        }
    }
}
