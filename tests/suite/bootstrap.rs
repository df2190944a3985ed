//! Does the bootstrap study agree with an independent one, and with itself?

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use equirisk::batch::Comparisons;
use equirisk::block_length;
use equirisk::engine::cpu::CpuEngine;
use equirisk::io::{Input, ReadOptions, read_returns};
use equirisk::observer::Unwatched;
use equirisk::panel::{Labels, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::run::Context;
use equirisk::run::crosscheck::Sample;
use equirisk::stats;
use equirisk::store::Checkpoint;
use equirisk::store::atomic::Existing;
use equirisk::store::blocks::Blocks;
use equirisk::store::weights::{Described, RC_ERROR, write_weights};
use equirisk::study::block::Block;
use equirisk::study::bootstrap::{Bootstrap, Config, Outcome, Plan, Spec, solve};
use equirisk::study::protocol::Study as _;
use equirisk::study::setup::Setup;
use equirisk::{
    Certificate, Choice, Error, ErrorKind, Estimator, Method, Observer, RiskMeasure, Solutions, Status, Stop,
};
use serde_json::Value;

use crate::cases::{data, json};

fn sp20(last: Option<usize>) -> Returns {
    let options = ReadOptions { last, ..ReadOptions::default() };
    read_returns(&[Input::Path(data("sp500_20_daily_px.csv.gz"))], &options).unwrap().returns
}

fn sample() -> Returns {
    read_returns(&[Input::Sample], &ReadOptions::default()).unwrap().returns
}

fn config(resamples: u64, scheme: Scheme, block: Block) -> Config {
    Config {
        resamples,
        scheme,
        block,
        seed: 11,
        crosscheck: Sample::Default,
        sensitivity: false,
        periods_per_year: None,
        windows: 8,
        estimator: Estimator::Sample,
        measure: RiskMeasure::Volatility,
    }
}

fn study(returns: &Returns, config: &Config) -> (Outcome, Solutions) {
    budgeted(returns, &vec![1.0; returns.assets.len()], config)
}

fn budgeted(returns: &Returns, budgets: &[f64], config: &Config) -> (Outcome, Solutions) {
    let engine = CpuEngine::default();
    let plan = Plan::new(returns, budgets, config, &mut Unwatched).unwrap();
    let mut store = Checkpoint::none();
    let outcome = solve(&plan, &mut Context { engine: &engine, store: &mut store, observer: &mut Unwatched }).unwrap();
    (outcome, plan.solutions(&store).unwrap())
}

fn column(returns: &Returns, i: usize) -> Vec<f64> {
    returns.values.iter().skip(i).step_by(returns.assets.len()).copied().collect()
}

#[test]
fn block_lengths_equal_those_of_arch() {
    for (name, returns) in [("sp500_20_full", sp20(None)), ("multiasset10_daily", sample())] {
        let expected = &json("bootstrap_reference.json")["block_lengths"][name];
        assert_eq!(expected["T"], returns.rows());
        let mut medians = std::collections::BTreeMap::new();
        for (i, asset) in returns.assets.iter().enumerate() {
            let series = column(&returns, i);
            let squares: Vec<f64> = series.iter().map(|r| r * r).collect();
            for (kind, series) in [("returns", series), ("squared_returns", squares)] {
                let length = block_length::optimal(&series);
                medians.entry(kind).or_insert_with(Vec::new).push(length.stationary);
                for (key, value) in [("stationary", length.stationary), ("circular", length.circular)] {
                    let expected = expected[kind][asset][key].as_f64().unwrap();
                    // Both sum thousands of products in f64, in different orders.
                    assert!((value / expected - 1.0).abs() < 1e-9, "{name} {asset} {kind} {key}: {value} {expected}");
                }
            }
        }
        for (kind, block) in [("squared_returns", Block::Auto), ("returns", Block::AutoReturns)] {
            let used = study(&returns, &config(1, Scheme::Stationary, block)).0.run.block_length;
            assert!((used / stats::median(&medians[kind]) - 1.0).abs() < 1e-12, "{name} {kind}: {used}");
        }
    }
}

/// z-scores of our statistics against the reference, with both Monte Carlo errors.
fn scores(expected: &Value, values: &[f64]) -> Vec<f64> {
    let moments = stats::moments(values);
    let mut sorted = values.to_vec();
    stats::sort(&mut sorted);
    let count = values.len();
    [
        ("mean", moments.mean, moments.mean_error(count)),
        ("sd", moments.sd, moments.sd_error(count)),
        ("q05", stats::quantile(&sorted, 0.05), stats::quantile_error(&sorted, 0.05)),
        ("q50", stats::quantile(&sorted, 0.5), stats::quantile_error(&sorted, 0.5)),
        ("q95", stats::quantile(&sorted, 0.95), stats::quantile_error(&sorted, 0.95)),
    ]
    .into_iter()
    .map(|(key, value, error)| {
        let reference = expected[key].as_f64().unwrap();
        let reference_error = expected[&format!("{key}_se")].as_f64().unwrap();
        (value - reference) / (error * error + reference_error * reference_error).sqrt()
    })
    .collect()
}

#[test]
fn distributions_match_an_independent_bootstrap() {
    let returns = sp20(Some(2520));
    for reference in json("bootstrap_reference.json")["studies"].as_array().unwrap() {
        let scheme = if reference["kind"] == "iid" { Scheme::Iid } else { Scheme::Stationary };
        let block = Block::Length(reference["L"].as_f64().unwrap());
        let (outcome, solutions) = study(&returns, &config(20_000, scheme, block));
        assert_eq!(outcome.solves.converged, 20_000);
        let n = returns.assets.len();
        let mut z = Vec::new();
        for (i, asset) in outcome.assets.iter().enumerate() {
            let weights: Vec<f64> = solutions.weights.iter().skip(i).step_by(n).copied().collect();
            z.extend(scores(&reference["weights"][&asset.name], &weights));
            let point = reference["full_sample_weights"][i].as_f64().unwrap();
            // The reference's own solver stopped at 1e-12.
            assert!((asset.point.unwrap() / point - 1.0).abs() < 1e-11);
        }
        let volatility: Vec<f64> = solutions.certificates.iter().map(|c| c.volatility).collect();
        z.extend(scores(&reference["portfolio_vol"], &volatility));
        let largest = z.iter().fold(0.0_f64, |m, z| m.max(z.abs()));
        let mean_square = z.iter().map(|z| z * z).sum::<f64>() / z.len() as f64;
        println!("{}: max |z| {largest:.2}, mean z^2 {mean_square:.2}", reference["name"]);
        // The reference's own bounds, for statistics that are strongly correlated with each other.
        assert!(largest < 5.0 && mean_square < 4.0, "{}: {largest} {mean_square}", reference["name"]);
    }
}

#[test]
fn the_reported_statistics_are_those_of_the_weights() {
    let returns = sample();
    let (outcome, solutions) = study(&returns, &config(500, Scheme::Stationary, Block::Length(20.0)));
    let n = returns.assets.len();
    for (i, asset) in outcome.assets.iter().enumerate() {
        let mut weights: Vec<f64> = solutions.weights.iter().skip(i).step_by(n).copied().collect();
        assert_eq!(asset.weight.mean, stats::mean(&weights));
        stats::sort(&mut weights);
        assert_eq!(asset.weight.q05, stats::quantile(&weights, 0.05));
        assert_eq!(asset.weight.q975, stats::quantile(&weights, 0.975));
        assert!((asset.bias.unwrap() - (asset.weight.mean - asset.point.unwrap())).abs() < 1e-16);
    }
    // Ranks 1 to n are dealt out in every resample.
    let ranks: f64 = outcome.assets.iter().map(|a| a.mean_rank).sum();
    assert!((ranks - 55.0).abs() < 1e-9);
    let first: f64 = outcome.assets.iter().map(|a| a.rank_probabilities[0].probability).sum();
    assert!((first - 1.0).abs() < 1e-12);
    // Equal weights do not move; inverse volatility promises less than risk budgeting keeps.
    let methods = &outcome.methods;
    assert_eq!(methods.of(Method::EqualWeight).unwrap().turnover.as_ref().unwrap().mean, 0.0);
    assert!(
        methods.own().realised.max_error.mean < methods.of(Method::InverseVolatility).unwrap().realised.max_error.mean
    );
    assert!(
        methods.of(Method::InverseVolatility).unwrap().realised.max_error.mean
            < methods.of(Method::EqualWeight).unwrap().realised.max_error.mean
    );
    let shares: f64 = methods.own().realised.shares.iter().map(|s| s.summary.mean).sum();
    assert!((shares - 1.0).abs() < 1e-12);
}

#[test]
fn more_resamples_extend_a_smaller_run() {
    let returns = sample();
    for block in [Block::Length(1.5), Block::Length(50.0)] {
        let few = study(&returns, &config(37, Scheme::Stationary, block)).1;
        let many = study(&returns, &config(5000, Scheme::Stationary, block)).1;
        assert_eq!(few.weights[..], many.weights[..few.weights.len()]);
    }
}

#[test]
fn block_sums_equal_gathered_rows() {
    // Long blocks are summed by their ends; the covariance of the rows themselves must come out the same.
    let returns = sample();
    let (_, solutions) = study(&returns, &config(20, Scheme::Circular, Block::Length(25.0)));
    let (n, rows) = (returns.assets.len(), returns.rows());
    let law = Law::new(Scheme::Circular, 25.0, rows, 11, 0).unwrap();
    for b in 0..20 {
        let drawn = law.rows(b as u64);
        let (drawn, values) = (&drawn, &returns.values);
        let gathered = |i: usize| drawn.iter().map(move |&t| values[t as usize * n + i]);
        let means: Vec<f64> = (0..n).map(|i| gathered(i).sum::<f64>() / rows as f64).collect();
        let mut variance = 0.0;
        for i in 0..n {
            for j in 0..n {
                let products = gathered(i).zip(gathered(j)).map(|(x, y)| (x - means[i]) * (y - means[j]));
                let weights = &solutions.weights[b * n..];
                variance += weights[i] * weights[j] * products.sum::<f64>() / (rows - 1) as f64;
            }
        }
        let volatility = solutions.certificates[b].volatility;
        assert!((variance.sqrt() / volatility - 1.0).abs() < 1e-12, "{} {volatility}", variance.sqrt());
    }
}

#[test]
fn too_short_a_history_is_counted_not_hidden() {
    let returns = sp20(Some(5));
    let (outcome, solutions) = study(&returns, &config(400, Scheme::Iid, Block::Auto));
    let solves = outcome.solves;
    println!("{solves:?}");
    assert_eq!(solves.total, 400);
    assert_eq!(solves.converged + solves.stalled + solves.no_solution + solves.invalid, 400);
    assert!(solves.no_solution > 0);
    for (b, Certificate { status, rc_error, .. }) in solutions.certificates.iter().enumerate() {
        let weights = &solutions.weights[b * 20..(b + 1) * 20];
        match status {
            Status::Converged => assert!(*rc_error <= 1e-8 && weights.iter().all(|w| *w > 0.0)),
            Status::NoSolution | Status::Infeasible | Status::Invalid => assert!(weights.iter().all(|w| w.is_nan())),
            Status::Stalled => {}
        }
    }
}

#[test]
fn an_asset_that_does_not_move_in_a_resample_is_invalid_however_long_the_history() {
    // A peg that breaks once: a third of the resamples leave the one row out in which it moves.
    let noise = |t: usize| ((t as f64 * 0.754_877_666).fract() - 0.5) * 0.02;
    for rows in [1000, 100_000] {
        let returns = Returns {
            assets: vec!["peg".into(), "other".into()],
            labels: Labels::Text((0..rows).map(|t| t.to_string()).collect()),
            values: (0..rows).flat_map(|t| [if t == rows / 3 { 0.05 } else { 0.0 }, noise(t)]).collect(),
        };
        let (outcome, solutions) = study(&returns, &config(20, Scheme::Iid, Block::Auto));
        let law = Law::new(Scheme::Iid, 1.0, rows, 11, 0).unwrap();
        for (b, certificate) in solutions.certificates.iter().enumerate() {
            let moved = law.rows(b as u64).contains(&((rows / 3) as u32));
            let expected = if moved { Status::Converged } else { Status::Invalid };
            assert_eq!(certificate.status, expected, "{rows} rows, resample {b}");
        }
        assert!(outcome.solves.invalid > 0 && outcome.solves.converged > 0);
    }
}

#[test]
fn zero_budgets_keep_their_places_in_every_list() {
    let returns = sample();
    let mut budgets = vec![1.0; 10];
    budgets[3] = 0.0;
    budgets[0] = 0.0;
    let (outcome, solutions) = budgeted(&returns, &budgets, &config(50, Scheme::Stationary, Block::Length(20.0)));
    let names: Vec<&str> = outcome.assets.iter().map(|a| a.name.as_str()).collect();
    assert_eq!(names, returns.assets.iter().map(String::as_str).collect::<Vec<_>>());
    for (_, method) in outcome.methods.iter() {
        let point = method.point.as_ref().unwrap();
        for list in [&point.weights, &point.risk_shares, &method.bagged.as_ref().unwrap().profile.weights] {
            assert_eq!(list.len(), 10);
            assert!((0..10).all(|i| (list[i] == 0.0) == (budgets[i] == 0.0)));
        }
        assert!(method.weights.iter().zip(&returns.assets).all(|(summary, name)| summary.name == *name));
    }
    let weights = &solutions.weights;
    assert_eq!(weights.len(), 500);
    assert!(weights.chunks(10).all(|w| w[0] == 0.0 && w[3] == 0.0 && w[1] > 0.0));
    assert_eq!(outcome.run.excluded, [returns.assets[0].clone(), returns.assets[3].clone()]);
}

/// Blocks of another size, as a file of chunks would hand them out.
struct Cut<'a>(&'a Solutions, usize);

impl Blocks for Cut<'_> {
    fn count(&self) -> usize {
        self.0.certificates.len().div_ceil(self.1)
    }

    fn read(&self, block: usize) -> equirisk::Result<Cow<'_, Solutions>> {
        let (problems, n) = (self.0.certificates.len(), self.0.weights.len() / self.0.certificates.len());
        let (start, end) = (block * self.1, ((block + 1) * self.1).min(problems));
        let compared = &self.0.comparisons;
        Ok(Cow::Owned(Solutions {
            weights: self.0.weights[start * n..end * n].to_vec(),
            certificates: self.0.certificates[start..end].to_vec(),
            comparisons: Comparisons {
                volatilities: compared.volatilities[start * n..end * n].to_vec(),
                methods: compared.methods.clone(),
                portfolios: compared.portfolios[start * 2..end * 2].to_vec(),
                solved: Vec::new(),
            },
            parameters: Vec::new(),
        }))
    }
}

/// Counts what is told, and stops when asked so often.
struct Stops {
    left: Arc<AtomicUsize>,
    finished: u64,
}

impl Stops {
    fn after(asked: usize) -> Stops {
        Stops { left: Arc::new(AtomicUsize::new(asked)), finished: 0 }
    }
}

impl Observer for Stops {
    fn finished(&mut self, work: u64) {
        self.finished += work;
    }

    fn notice(&mut self, _: &equirisk::error::Text) {}

    fn stop(&self) -> Stop {
        let left = Arc::clone(&self.left);
        let one_less = |left: usize| left.checked_sub(1);
        Stop::when(move || left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err())
    }
}

#[test]
fn weights_are_written_alike_whatever_the_blocks_and_stopped_when_asked() {
    let returns = sample();
    let (_, solutions) = study(&returns, &config(9000, Scheme::Stationary, Block::Length(20.0)));
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, blocks: &dyn Blocks, observer: &mut dyn Observer| {
        let path = folder.path().join(name);
        let described = Described {
            noun: "resample",
            assets: &returns.assets,
            error: RC_ERROR,
            within_limits: false,
            start: 0,
            metadata: &[],
        };
        write_weights(&path, Existing::Refuse, &described, blocks, observer).map(|()| std::fs::read(&path).unwrap())
    };
    let whole = file("whole", &solutions, &mut Unwatched).unwrap();
    let mut observer = Stops::after(1000);
    assert!(file("cut", &Cut(&solutions, 700), &mut observer).unwrap() == whole);
    assert_eq!(observer.finished, 9000);
    assert_eq!(file("stopped", &solutions, &mut Stops::after(1)).unwrap_err().kind, ErrorKind::Interrupted);
    assert!(!folder.path().join("stopped").exists());
}

#[test]
fn a_study_tells_of_all_its_work_and_ends_wherever_it_is_stopped() {
    let returns = sp20(Some(300));
    let config = Config { sensitivity: true, ..config(1500, Scheme::Stationary, Block::Length(20.0)) };
    let setup = Setup { engine: Choice::Cpu, crosscheck: Sample::Default, precision: None, tolerance: None };
    let spec = Spec::of(&returns, &vec![1.0; returns.assets.len()], &config, setup);
    let study = Bootstrap::prepare(&spec, Some(1), returns, &mut Unwatched).unwrap();
    let engine = CpuEngine::default();
    let folder = tempfile::tempdir().unwrap();
    let run = |observer: &mut Stops| -> Result<(), Error> {
        let mut store = Checkpoint::none();
        let outcome = study.whole(&mut Context { engine: &engine, store: &mut store, observer })?;
        study.write(&outcome, &mut store, observer, folder.path())
    };
    const PLENTY: usize = 1 << 40;
    let mut observer = Stops::after(PLENTY);
    run(&mut observer).unwrap();
    let work = study.work(&(0..1500), false);
    // What is read is counted in sixteenths of a problem, and rounded once while summarising and once while writing.
    assert!((work - 2..=work).contains(&observer.finished), "{} of {work}", observer.finished);
    let asked = PLENTY - observer.left.load(Ordering::Relaxed);
    for asked in (0..asked).step_by(asked / 40) {
        assert_eq!(run(&mut Stops::after(asked)).unwrap_err().kind, ErrorKind::Interrupted, "asked {asked} times");
    }
}

#[test]
fn budgets_of_other_assets_are_refused() {
    let (returns, config) = (sp20(Some(50)), config(10, Scheme::Iid, Block::Auto));
    for count in [19, 21] {
        let error = Plan::new(&returns, &vec![1.0; count], &config, &mut Unwatched).unwrap_err();
        assert!(error.message.contains("risk budgets for 20 assets"), "{error}");
    }
}
