//! Is a path the backtest of its rows, and are the paths together what their figures say, whoever ran them?

use std::path::Path;

use equirisk::{Law, Scheme};
use serde_json::Value;

use super::history::History;
use super::{MIX, Table, backtest, close, finished};
use crate::interrupted::{assert_equal, killed, results};
use crate::run::{Folder, equirisk, json};

const FIGURES: [&str; 10] = [
    "cagr",
    "volatility",
    "sharpe",
    "sharpe_monthly",
    "max_drawdown",
    "ulcer_index",
    "cvar95",
    "turnover",
    "exposure_mean",
    "volatility_to_target",
];

const SEED: u64 = 11;

/// Five years of days, with bills whose rate changes.
fn history() -> History {
    let returns = History::sample().between("2004-12-31", "2009-12-31").returns();
    let mut values = returns.numbers();
    values.iter_mut().enumerate().for_each(|(t, row)| row.push(1e-4 * (1.0 + (t as f64 * 0.01).sin())));
    let assets: Vec<String> = returns.assets.iter().cloned().chain(["BILLS".to_string()]).collect();
    History::of(&assets, &returns.dates, &values)
}

/// The history with the rows of a path, on its own dates.
fn along(history: &History, law: &Law, path: u64) -> History {
    let values = history.numbers();
    let rows: Vec<Vec<f64>> = law.rows(path).iter().map(|row| values[*row as usize].clone()).collect();
    History::of(&history.assets, &history.dates, &rows)
}

/// The figures of a strategy on a path.
fn figures(table: &Table, strategies: &[String], path: usize, strategy: usize) -> Vec<f64> {
    let row = path * strategies.len() + strategy;
    assert_eq!((table.number("path", row), table.text("strategy", row)), (path as f64, strategies[strategy].as_str()));
    FIGURES.iter().map(|name| table.number(name, row)).collect()
}

/// Borrowing costs what bills yield: the spread of a row depends on the dates, which a path has in another order.
const SHARED: &str = "--returns --cash BILLS --lookback 120 --financing-spread 0 --quiet --tolerance 1e-12";

#[test]
fn a_path_is_the_backtest_of_its_rows() {
    let history = history();
    let cases: [(&str, Scheme, f64); 6] = [
        ("--scheme stationary --block 40", Scheme::Stationary, 40.0),
        ("--scheme circular --block 21 --target-vol 0.1 --regime 30 --max-leverage 2", Scheme::Circular, 21.0),
        ("--scheme moving --block 63 --rebalance quarterly+2 --lag 3 --leverage 1.5", Scheme::Moving, 63.0),
        ("--scheme iid --lookback expanding --min-history 100 --cost-bps 20 --no-initial-cost", Scheme::Iid, 1.0),
        (
            "--block 50 --estimator ewma --half-life 40 --methods erc,inverse-volatility --target-vol match:60/40",
            Scheme::Stationary,
            50.0,
        ),
        (
            "--block 30 --rebalance weekly --band 0.03 --methods erc,equal-weight --max-weight 0.3",
            Scheme::Stationary,
            30.0,
        ),
    ];
    for (case, scheme, block) in cases {
        let folder = Folder::new();
        folder.write("data.csv", history.csv());
        // What is said twice is said by the case.
        let shared =
            if case.contains("--lookback") { SHARED.replace("--lookback 120 ", "") } else { SHARED.to_string() };
        let args: Vec<&str> = shared.split(' ').chain(case.split(' ')).chain(["--fixed", MIX]).collect();
        let drawn = ["data.csv", "--paths", "3", "--seed", "11", "--no-sensitivity"];
        let drawing: Vec<&str> = drawn.into_iter().chain(args.iter().copied()).collect();
        let run = finished(&folder, &drawing);
        let table = Table::read(&folder.path("out/paths.parquet"));
        let strategies = run.strategies();
        assert_eq!(table.rows, 3 * strategies.len());
        let law = Law::new(scheme, block, history.rows(), SEED, 0).unwrap();
        for path in [0, 2] {
            folder.write("path.csv", along(&history, &law, path as u64).csv());
            // Flags of drawing mean nothing here.
            let own: Vec<&str> = case.split(' ').collect();
            let is_drawn = |at: usize| ["--scheme", "--block"].contains(&own[at]);
            let own = (0..own.len()).filter(|&at| !(is_drawn(at) || at > 0 && is_drawn(at - 1))).map(|at| own[at]);
            let args = ["path.csv"].into_iter().chain(shared.split(' ')).chain(own).chain(["--fixed", MIX]);
            let alone = finished(&folder, &args.collect::<Vec<_>>());
            for (strategy, name) in strategies.iter().enumerate() {
                let metrics = &alone.strategy(name)["metrics"];
                for (found, key) in figures(&table, &strategies, path, strategy).into_iter().zip(FIGURES) {
                    let expected = metrics[key].as_f64().unwrap_or(f64::NAN);
                    // Weights within 1e-12, and a thousand rows.
                    let near = close(found, expected, 1e-9 * expected.abs().max(1.0));
                    assert!(near, "`{case}` path {path} {name} {key}: {found} and {expected}");
                }
                let covariance = metrics["attribution"]["covariance"].as_f64().unwrap();
                let found = table.number("covariance", path * strategies.len() + strategy);
                assert!(close(found, covariance, 1e-9), "`{case}` {name}: {found} and {covariance}");
            }
        }
    }
}

const ARGS: [&str; 12] = [
    "--from",
    "2005",
    "--to",
    "2009",
    "--lookback",
    "120",
    "--methods",
    "erc,inverse-volatility",
    "--seed",
    "7",
    "--target-vol",
    "0.1",
];

fn with<'a>(extra: &[&'a str]) -> Vec<&'a str> {
    [&ARGS[..], &["--fixed", MIX], extra].concat()
}

#[test]
fn paths_together_say_what_their_figures_say() {
    let folder = Folder::new();
    let run = finished(&folder, &with(&["--paths", "40"]));
    let (table, found) = (Table::read(&folder.path("out/paths.parquet")), &run.summary["paths"]);
    assert_eq!((&found["count"], &run.summary["run"]["seed"]), (&Value::from(40), &Value::from(7)));
    let strategies = run.strategies();
    for (at, own) in found["strategies"].as_array().unwrap().iter().enumerate() {
        assert_eq!(own["name"], strategies[at].as_str());
        for key in ["cagr", "sharpe_monthly", "max_drawdown", "turnover", "exposure_mean"] {
            let mut values: Vec<f64> = (0..40).map(|path| table.number(key, path * strategies.len() + at)).collect();
            let mean = values.iter().sum::<f64>() / 40.0;
            let sd = (values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 39.0).sqrt();
            values.sort_by(f64::total_cmp);
            assert!(close(own[key]["mean"].as_f64().unwrap(), mean, 1e-12), "{key}");
            assert!(close(own[key]["sd"].as_f64().unwrap(), sd, 1e-12), "{key}");
            assert!(close(own[key]["mc_error"]["mean"].as_f64().unwrap(), sd / 40.0_f64.sqrt(), 1e-12), "{key}");
            // Interpolated between neighbours (type 7).
            let place = 0.25 * 39.0;
            let q25 = values[9] + (place - 9.0) * (values[10] - values[9]);
            assert!(close(own[key]["q25"].as_f64().unwrap(), q25, 1e-12), "{key}");
        }
        let deeper = |depth: f64| {
            (0..40).filter(|path| table.number("max_drawdown", path * strategies.len() + at) > depth).count() as f64
                / 40.0
        };
        for deep in own["drawdowns"].as_array().unwrap() {
            let p = deeper(deep["beyond"].as_f64().unwrap());
            assert_eq!(deep["probability"], p);
            assert!(close(deep["mc_error"].as_f64().unwrap(), (p * (1.0 - p) / 40.0).sqrt(), 1e-15));
        }
    }
    let beats = found["beats"].as_array().unwrap();
    assert_eq!(beats.len(), 2 * strategies.len() * (strategies.len() - 1));
    for own in beats {
        let place = |key: &str| strategies.iter().position(|name| own[key] == name.as_str()).unwrap();
        let (a, b) = (place("a"), place("b"));
        let (figure, sign) = if own["by"] == "sharpe" { ("sharpe_monthly", 1.0) } else { ("max_drawdown", -1.0) };
        let better = (0..40).filter(|path| {
            let of = |at: usize| sign * table.number(figure, path * strategies.len() + at);
            of(a) > of(b)
        });
        assert_eq!(own["probability"], better.count() as f64 / 40.0, "{own}");
    }
    // Wealth of risk budgeting and of the benchmark, from one on.
    let wealth = found["wealth"].as_array().unwrap();
    assert_eq!(wealth.iter().map(|fan| fan["strategy"].as_str().unwrap()).collect::<Vec<_>>(), ["erc", "60/40"]);
    for fan in wealth {
        assert_eq!((fan["at"].as_array().unwrap().len(), &fan["quantiles"]["q05"][0]), (240, &Value::from(1.0)));
        assert_eq!(fan["at"][239], run.summary["run"]["last"]);
        for at in 0..240 {
            let q = ["q05", "q25", "q50", "q75", "q95"].map(|q| fan["quantiles"][q][at].as_f64().unwrap());
            assert!(q.is_sorted(), "{q:?}");
        }
    }
    // A tenth at half, once and twice the block length.
    let lengths: Vec<f64> =
        found["sensitivity"].as_array().unwrap().iter().map(|own| own["block_length"].as_f64().unwrap()).collect();
    let own = found["block_length"].as_f64().unwrap();
    assert_eq!(lengths, [own / 2.0, own, own * 2.0]);
    assert!(own >= 63.0, "days have blocks of a quarter at least: {own}");
}

/// The benchmark may stand before risk budgeting: the bands of each are its own all the same.
#[test]
fn bands_of_wealth_end_where_the_growth_of_their_strategy_does() {
    let folder = Folder::new();
    let args = ["--from", "2005", "--to", "2009", "--lookback", "120", "--methods", "equal-weight,erc"];
    let args = [&args[..], &["--benchmark", "equal-weight", "--paths", "25", "--seed", "7"]].concat();
    let run = finished(&folder, &args);
    let (table, strategies) = (Table::read(&folder.path("out/paths.parquet")), run.strategies());
    assert_eq!(run.summary["benchmark"], "equal_weight");
    assert_eq!(strategies[..2], ["equal_weight", "erc"]);
    let years = run.summary["run"]["years"].as_f64().unwrap();
    for fan in run.summary["paths"]["wealth"].as_array().unwrap() {
        let at = strategies.iter().position(|name| fan["strategy"] == name.as_str()).unwrap();
        let growth = |path: usize| (1.0 + table.number("cagr", path * strategies.len() + at)).powf(years);
        let mut last: Vec<f64> = (0..25).map(growth).collect();
        last.sort_by(f64::total_cmp);
        let median = fan["quantiles"]["q50"].as_array().unwrap().last().unwrap().as_f64().unwrap();
        assert!(close(median / last[12], 1.0, 1e-12), "{}: {median} and {}", fan["strategy"], last[12]);
    }
}

#[test]
fn fewer_paths_are_the_first_of_more() {
    let folder = Folder::new();
    finished(&folder, &with(&["--paths", "10", "--block", "30"]));
    let few = Table::read(&folder.path("out/paths.parquet"));
    finished(&folder, &with(&["--paths", "25", "--block", "30", "--threads", "1"]));
    let more = Table::read(&folder.path("out/paths.parquet"));
    for name in FIGURES {
        let (few, more) = (few.column(name), more.column(name));
        assert!(few.iter().zip(more).all(|(a, b)| super::same(*a, *b)), "{name}");
    }
}

#[test]
fn shards_and_interrupted_runs_come_to_the_same_bytes() {
    let folder = Folder::new();
    let args = with(&["--paths", "150"]);
    backtest(&folder, &[&args[..], &["-o", "whole"]].concat()).succeeded();
    let written = results(&folder.path("whole"));
    assert!(written.iter().any(|(name, _)| name == "paths.parquet"));
    for threads in ["1", "3"] {
        backtest(&folder, &[&args[..], &["-o", "again", "--force", "--threads", threads]].concat()).succeeded();
        assert_equal(&folder.path("again"), &written);
    }
    for shard in ["0/3", "1/3", "2/3"] {
        let out = format!("part{}", &shard[..1]);
        let run = backtest(&folder, &[&args[..], &["--shard", shard, "-o", &out, "--json"]].concat()).succeeded();
        let range = run.json()["range"].clone();
        assert_eq!(range[1].as_u64().unwrap() - range[0].as_u64().unwrap(), 50);
    }
    let name = |name: &str| folder.name(name);
    equirisk(&["merge", &name("part2"), &name("part0"), &name("part1"), "-o", &name("joined")]).succeeded();
    assert_equal(&folder.path("joined"), &written);
    let out = folder.name("killed");
    let all: Vec<&str> = ["backtest"].into_iter().chain(args.iter().copied()).collect();
    killed(&all, &out, 20);
    assert!(Path::new(&out).join("run.json").exists());
    backtest(&folder, &[&args[..], &["-o", "killed"]].concat()).succeeded();
    assert_equal(&folder.path("killed"), &written);
}

#[test]
fn paths_are_gone_through_again_and_others_are_a_disagreement() {
    let folder = Folder::new();
    backtest(&folder, &with(&["--paths", "12", "-o", "out"])).succeeded();
    let found = json(&["verify", &folder.name("out"), "--json"]);
    let decisions = json_of(&folder, "out")["rebalances"].as_u64().unwrap().min(64);
    assert_eq!(found["crosscheck"]["sampled"], decisions + 8);
    assert_eq!(found["crosscheck"]["disagreements"], 0);
    backtest(&folder, &with(&["--paths", "12", "--cost-bps", "6", "-o", "other"])).succeeded();
    std::fs::copy(folder.path("other/paths.parquet"), folder.path("out/paths.parquet")).unwrap();
    let digest = |name: &str| {
        let manifest: Value = serde_json::from_str(&folder.read(name)).unwrap();
        manifest["outputs_sha256"]["paths.parquet"].as_str().unwrap().to_owned()
    };
    let forged = folder.read("out/run.json").replace(&digest("out/run.json"), &digest("other/run.json"));
    folder.write("out/run.json", forged);
    assert_eq!(equirisk(&["verify", &folder.name("out")]).code, 6);
}

fn json_of(folder: &Folder, directory: &str) -> Value {
    serde_json::from_str(&folder.read(&format!("{directory}/summary.json"))).unwrap()
}

/// Fifty times wealth does not last.
#[test]
fn a_strategy_that_loses_everything_on_some_paths_is_told() {
    let folder = Folder::new();
    let run = backtest(
        &folder,
        &["--from", "2007", "--to", "2009", "--lookback", "60", "--leverage", "50", "--methods", "erc"],
    );
    let ruin = run.succeeded();
    assert!(ruin.stdout.contains("lost everything"), "{}", ruin.stdout);
    let args = ["--from", "2007", "--to", "2009", "--lookback", "60", "--leverage", "25", "--methods", "erc"];
    let run = finished(&folder, &[&args[..], &["--fixed", MIX, "--paths", "20", "--seed", "1"]].concat());
    let table = Table::read(&folder.path("out/paths.parquet"));
    let own = &run.summary["paths"]["strategies"][0];
    let gone = (0..20).filter(|path| table.number("max_drawdown", path * 2) == 1.0).count();
    assert!(gone > 0 && own["ruined"] == gone, "{gone}: {}", own["ruined"]);
    // A year of nothing is a growth of -1, and the mix beside it knows nothing of it.
    assert!((0..20).any(|path| table.number("cagr", path * 2) == -1.0));
    assert_eq!(run.summary["paths"]["strategies"][1]["ruined"], 0);
}
