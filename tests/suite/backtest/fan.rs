//! Are the bands of a decision those of its resampled window, and is what lies within them left alone?

use serde_json::Value;

use super::history::History;
use super::{Table, backtest, close, finished};
use crate::interrupted::{assert_equal, killed, results};
use crate::run::{Folder, equirisk, json};

const ARGS: [&str; 10] =
    ["--from", "2006", "--to", "2008", "--lookback", "100", "--seed", "5", "--methods", "erc,equal-weight"];

fn with<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&ARGS[..], extra].concat()
}

/// The first decision is cell 0 of the index law, as a bootstrap of its window is.
#[test]
fn the_first_bands_are_those_of_a_bootstrap_of_the_window() {
    let folder = Folder::new();
    let returns = History::sample().between("2005-12-30", "2008-12-31").returns();
    folder.write("data.csv", returns.csv());
    let common = ["--returns", "--seed", "5", "--tolerance", "1e-12"];
    let args = ["data.csv", "--lookback", "100", "--methods", "erc,equal-weight", "-B", "200"];
    let run = finished(&folder, &[&args[..], &common].concat());
    let fan = run.summary["fan"].as_array().unwrap();
    assert_eq!(fan.len() as u64, run.summary["rebalances"].as_u64().unwrap());
    let decided = fan[0]["date"].as_str().unwrap();
    assert_eq!(run.summary["run"]["first_decision"], decided);
    let last = returns.dates.iter().position(|date| date == decided).unwrap();
    let window = returns.clone().between(&returns.dates[last - 99], decided);
    assert_eq!(window.rows(), 100);
    folder.write("window.csv", window.csv());
    // A quarter of the window is more than 21.
    let path = folder.name("window.csv");
    let own = [&["bootstrap", &path, "-B", "200", "--block", "21", "--no-sensitivity", "--json"][..], &common].concat();
    let bands = json(&own);
    for (asset, expected) in fan[0]["assets"].as_array().unwrap().iter().zip(bands["assets"].as_array().unwrap()) {
        assert_eq!(asset["name"], expected["name"]);
        for (key, other) in [("weight", "point"), ("q05", "q05"), ("q50", "q50"), ("q95", "q95")] {
            let (a, b) = (asset[key].as_f64().unwrap(), expected[other].as_f64().unwrap());
            assert!((a - b).abs() <= 1e-10, "{} {key}: {a} and {b}", asset["name"]);
        }
        // All is bought, whatever the weights.
        assert_eq!(asset["same_direction"], 1.0);
    }
    assert_eq!((&fan[0]["converged"], &fan[0]["block_length"]), (&Value::from(200), &Value::from(21.0)));
    // Another cell draws other rows.
    assert_ne!(fan[1]["assets"][0]["q05"], fan[0]["assets"][0]["q05"]);
}

#[test]
fn the_table_holds_what_the_json_holds() {
    let folder = Folder::new();
    let run = finished(&folder, &with(&["-B", "50", "--fan-block", "10"]));
    let table = Table::read(&folder.path("out/fan.parquet"));
    let mut row = 0;
    for spread in run.summary["fan"].as_array().unwrap() {
        assert_eq!(spread["block_length"], 10.0);
        for asset in spread["assets"].as_array().unwrap() {
            assert_eq!(asset["name"], table.text("asset", row));
            assert_eq!(spread["date"], table.text("decided", row));
            for key in ["weight", "q05", "q50", "q95", "same_direction"] {
                let expected = asset[key].as_f64().unwrap_or(f64::NAN);
                assert!(super::same(table.number(key, row), expected), "{key} of {asset}");
            }
            let share = asset["same_direction"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&share) && close((share * 50.0).round() / 50.0, share, 1e-12), "{share}");
            row += 1;
        }
    }
    assert_eq!(row, table.rows);
}

/// An asset is traded to its target, or is held within its band and stays.
#[test]
fn within_its_band_nothing_is_traded() {
    let folder = Folder::new();
    let all = finished(&folder, &with(&["-B", "60"]));
    let run = finished(&folder, &with(&["-B", "60", "--fan-band"]));
    let turnover = |run: &super::Finished| run.metric("erc", "turnover");
    assert!(turnover(&run) < 0.8 * turnover(&all), "{} and {}", turnover(&run), turnover(&all));
    assert_eq!(run.metric("equal_weight", "turnover"), all.metric("equal_weight", "turnover"));
    let (mut traded, mut stayed) = (0, 0);
    for (number, spread) in run.summary["fan"].as_array().unwrap().iter().enumerate().skip(1) {
        let at = run.weights.at("erc", "decided", spread["date"].as_str().unwrap());
        let date = run.weights.text("traded", at).to_owned();
        let Some(row) = run.holdings.of("erc").into_iter().find(|&row| run.holdings.text("date", row) == date) else {
            stayed += 1;
            continue;
        };
        for asset in spread["assets"].as_array().unwrap() {
            let name = asset["name"].as_str().unwrap();
            let (held, target) = (run.holdings.number(name, row), run.weights.number(name, at));
            let within = asset["q05"].as_f64().unwrap() <= held && held <= asset["q95"].as_f64().unwrap();
            assert!(close(held, target, 1e-15) || within, "{name} of decision {number}: {held} for {target}");
            traded += usize::from(close(held, target, 1e-15));
            stayed += usize::from(!close(held, target, 1e-15));
        }
    }
    assert!(traded > 0 && stayed > 0, "{traded} trades, {stayed} left alone");
}

#[test]
fn an_interrupted_fan_goes_on_to_the_same_bytes_and_is_verified() {
    let folder = Folder::new();
    let args = with(&["-B", "2000", "--fan-band"]);
    backtest(&folder, &[&args[..], &["-o", "out"]].concat()).succeeded();
    let written = results(&folder.path("out"));
    assert!(written.iter().any(|(name, _)| name == "fan.parquet"));
    let out = folder.name("killed");
    killed(&["backtest"].into_iter().chain(args.iter().copied()).collect::<Vec<_>>(), &out, 4000);
    backtest(&folder, &[&args[..], &["-o", "killed", "--threads", "1"]].concat()).succeeded();
    assert_equal(&folder.path("killed"), &written);
    let found = json(&["verify", &folder.name("out"), "--json"]);
    assert_eq!(found["crosscheck"]["disagreements"], 0);
    let decisions = serde_json::from_str::<Value>(&folder.read("out/summary.json")).unwrap()["rebalances"].as_u64();
    assert_eq!(found["crosscheck"]["sampled"].as_u64(), decisions.map(|count| 2 * count.min(64)));
    // Bands of other resamples are found out.
    let other = with(&["-B", "1900", "--fan-band"]);
    backtest(&folder, &[&other[..], &["-o", "other"]].concat()).succeeded();
    std::fs::copy(folder.path("other/fan.parquet"), folder.path("out/fan.parquet")).unwrap();
    let digest = |name: &str| {
        let manifest: Value = serde_json::from_str(&folder.read(name)).unwrap();
        manifest["outputs_sha256"]["fan.parquet"].as_str().unwrap().to_owned()
    };
    let forged = folder.read("out/run.json").replace(&digest("out/run.json"), &digest("other/run.json"));
    folder.write("out/run.json", forged);
    assert_eq!(equirisk(&["verify", &folder.name("out")]).code, 6);
}

/// A late entrant has bands from its first window on, and none before.
#[test]
fn an_asset_has_bands_where_it_is_eligible() {
    let folder = Folder::new();
    let history = History::sample().between("2006-12-29", "2008-12-31").starting("NIKKEI", "2007-10-31");
    folder.write("data.csv", history.csv());
    let run = finished(&folder, &["data.csv", "--lookback", "60", "-B", "20", "--seed", "1", "--methods", "erc"]);
    let place = history.place("NIKKEI");
    let bands: Vec<bool> =
        run.summary["fan"].as_array().unwrap().iter().map(|spread| !spread["assets"][place]["q05"].is_null()).collect();
    let enters = bands.iter().position(|is_there| *is_there).unwrap();
    assert!(enters > 0 && bands[enters..].iter().all(|is_there| *is_there), "{bands:?}");
    assert_eq!(run.summary["assets"][place]["enters"], run.summary["fan"][enters]["date"]);
}
