//! CPU time of backtests, from returns to all figures: one JSON line a case, one thread.
//!
//! usage: cargo bench --bench backtest
//!
//! 4,032 daily returns of 10 assets, windows of 252 rows, a decision every 21 rows: 180 decisions. The case `erc` is what
//! other programs are timed at: risk budgeting with drift and costs, beside equal weight, which it is compared with here. The
//! case `paths` is a thousand resampled paths of the same history, drawn, solved, gone through by four strategies, and
//! summarised: `benches/backtest.sh` runs another program beside it.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use equirisk::methods::{Method, Mix};
use equirisk::observer::Unwatched;
use equirisk::run::crosscheck::Sample;
use equirisk::study::backtest::calendar::Rebalance;
use equirisk::study::backtest::config::{Config, Costs, Exposure, Leverage, Lookback, Trading};
use equirisk::study::backtest::market::Market;
use equirisk::study::backtest::paths::{Paths, Resampling};
use equirisk::study::backtest::{Asked, Plan, solve};
use equirisk::study::block::Block;
use equirisk::{Checkpoint, Context, CpuEngine, Estimator, Labels, Returns, Scheme};
use serde_json::json;

/// Each time is the least of so many.
const ROUNDS: usize = 15;

const ROWS: usize = 4032;
const ASSETS: usize = 10;

/// A market and each asset's own moves, near enough to normal.
fn returns() -> Returns {
    let mut state = 12_u64;
    let mut normal = || {
        let mut uniform = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        (0..6).map(|_| uniform() - 0.5).sum::<f64>() * std::f64::consts::SQRT_2
    };
    let mut values = Vec::with_capacity(ROWS * ASSETS);
    for _ in 0..ROWS {
        let market = normal();
        values.extend((0..ASSETS).map(|i| {
            let size = 0.002 * (1.0 + i as f64);
            0.0002 + size * (0.5 * market + normal())
        }));
    }
    let labels = Labels::Text((0..ROWS).map(|row| row.to_string()).collect());
    Returns { assets: (0..ASSETS).map(|i| i.to_string()).collect(), labels, values }
}

fn main() {
    // One thread, as the programs that it is compared with are held to.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    let returns = returns();
    let config = Config {
        periods_per_year: 252.0,
        rebalance: Rebalance::Every(21),
        lag: 1,
        lookback: Lookback::Rolling(252),
        overlap: 1,
        exposure: Exposure { leverage: Leverage::Constant(1.0), most: 3.0, applies_to: None, regime: None },
        costs: Costs { rates: vec![5e-4; ASSETS], initial: true, spread: 0.005 },
        trading: Trading::default(),
        periods: Vec::new(),
    };
    let cases: [(&str, &[Method]); 4] = [
        ("erc", &[Method::RiskBudgeting, Method::EqualWeight]),
        ("closed forms", &[Method::RiskBudgeting, Method::InverseVolatility, Method::EqualWeight]),
        ("four", &FOUR),
        ("all", &Method::NAMED),
    ];
    for (name, methods) in cases {
        let mut least = Duration::MAX;
        let mut decisions = 0;
        for _ in 0..ROUNDS {
            let clock = ProcessTime::now();
            let mixes = if name == "four" { vec![mix()] } else { Vec::new() };
            let plan = plan(&returns, &config, methods, &mixes);
            let outcome = solve(&plan, &mut Unwatched).expect("nothing stops it");
            least = least.min(clock.elapsed());
            decisions = outcome.rebalances;
        }
        let seconds = least.as_secs_f64();
        println!("{}", json!({ "strategies": name, "decisions": decisions, "cpu_ms": 1e3 * seconds }));
    }
    paths(&returns, &config);
}

fn plan(returns: &Returns, config: &Config, methods: &[Method], mixes: &[Mix]) -> Plan {
    let market = Arc::new(Market::new(returns.clone(), vec![0.0; ROWS], 252.0));
    let asked = Asked {
        budgets: &[0.1; ASSETS],
        methods,
        mixes,
        benchmark: "equal_weight",
        estimator: Estimator::Sample,
        config,
        tolerance: 1e-8,
        within: None,
        not_before: 0,
    };
    Plan::new(market, &asked).expect("a history that is long enough")
}

/// With a mix of two beside them, four strategies.
const FOUR: [Method; 3] = [Method::RiskBudgeting, Method::InverseVolatility, Method::EqualWeight];

fn mix() -> Mix {
    let mut weights = vec![0.0; ASSETS];
    (weights[0], weights[1]) = (0.6, 0.4);
    Mix { name: "60/40".to_string(), weights }
}

/// Four strategies along many paths.
fn paths(returns: &Returns, config: &Config) {
    const PATHS: u64 = 1000;
    let plan = plan(returns, config, &FOUR, &[mix()]);
    let resampling =
        Resampling { paths: PATHS, scheme: Scheme::Stationary, block: Block::Length(63.0), sensitivity: false };
    let mut least = Duration::MAX;
    for _ in 0..5 {
        let clock = ProcessTime::now();
        let drawn = Paths::new(&plan, resampling, (7, Sample::Default), &mut Unwatched).expect("rows of all assets");
        let engine = CpuEngine::default();
        let context = &mut Context { engine: &engine, store: &mut Checkpoint::none(), observer: &mut Unwatched };
        let solved = drawn.solve(&plan, None, context).expect("nothing stops it");
        let outcome = drawn.outcome(&plan, &solved);
        assert_eq!(outcome.solves.converged, outcome.solves.total);
        least = least.min(clock.elapsed());
    }
    println!("{}", json!({ "strategies": "paths", "paths": PATHS, "cpu_ms": 1e3 * least.as_secs_f64() }));
}
