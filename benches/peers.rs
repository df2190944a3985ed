//! CPU time of our solver and our bootstrap on the inputs that peers are timed on: one JSON line a case.
//!
//! usage: cargo bench --bench peers -- [--threads N] DATA [CASE...]     (DATA as `benches/inputs.py` writes it)
//!
//! Cases are those of `benches/workloads.py`; one that is not offered here prints nothing.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::time::Instant;

use cpu_time::ProcessTime;
use equirisk::engine::cpu::CpuEngine;
use equirisk::engine::gpu::{self, GpuEngine};
use equirisk::engine::{Engine, Job as _};
use equirisk::io::{Input, npy};
use equirisk::measure::Metric;
use equirisk::methods::risk_budgeting::validity;
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::stats;
use equirisk::stop::Stop;
use equirisk::subsets::Subsets;
use equirisk::subsets::space::Space;
use equirisk::{Batch, Request, Solutions};
use rayon::prelude::*;
use serde_json::json;

const REPETITIONS: usize = 7;

const SIZES: [usize; 7] = [5, 10, 20, 50, 100, 200, 500];

const BOOTSTRAPS: [(&str, Scheme, f64); 3] =
    [("iid", Scheme::Iid, 1.0), ("20", Scheme::Stationary, 20.0), ("75", Scheme::Stationary, 75.0)];

const SUBSETS: [usize; 4] = [4, 5, 8, 20];

/// Of the larger spaces, the first so many subsets: all of C(30, 4) and C(30, 5).
const MOST_SUBSETS: u64 = 200_000;

/// Larger subsets are left to the CPU.
const LARGEST_ON_GPU: usize = 10;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench").peekable();
    let mut threads = 1;
    if arguments.next_if(|a| a == "--threads").is_some() {
        threads = arguments.next().and_then(|n| n.parse().ok()).expect("--threads takes a number");
    }
    let Some(folder) = arguments.next() else {
        println!("usage: cargo bench --bench peers -- [--threads N] DATA [CASE...]");
        return;
    };
    let cases: Vec<String> = arguments.collect();
    let wanted = |case: &str| cases.is_empty() || cases.iter().any(|c| c == case);
    let read = |file: &str| npy::read(&Input::Path(format!("{folder}/{file}").into())).expect("inputs.py wrote it");
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool of threads");
    pool.install(|| {
        for n in SIZES {
            let case = format!("W1/{n}");
            if wanted(&case) {
                let covariances = read(&format!("w1_n{n}.npy")).values;
                given("equirisk", &case, n, &covariances, true);
                given("equirisk, validated", &case, n, &covariances, false);
            }
        }
        for (which, scheme, length) in BOOTSTRAPS {
            let case = format!("W2/{which}");
            if wanted(&case) {
                bootstrap(&case, scheme, length, &read("w2_returns.npy"));
            }
        }
        for k in SUBSETS {
            let case = format!("W3/{k}");
            if wanted(&case) {
                screen(&case, k, &read("w3_covariance.npy"), &CpuEngine::default());
            }
            // Only by name: it needs an adapter.
            let case = format!("W3/{k}/gpu");
            if k <= LARGEST_ON_GPU && cases.contains(&case) {
                let engine = GpuEngine::open(gpu::Options { allow_software: true, ..gpu::Options::default() });
                screen(&case, k, &read("w3_covariance.npy"), &engine.expect("an adapter"));
            }
        }
    });
}

/// Least CPU and wall seconds of a few runs, after one that does not count.
fn least<T>(mut run: impl FnMut() -> T) -> (f64, f64, T) {
    let mut result = run();
    let (mut cpu, mut wall) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..REPETITIONS {
        let (cpu_start, wall_start) = (ProcessTime::now(), Instant::now());
        result = run();
        cpu = cpu.min(cpu_start.elapsed().as_secs_f64());
        wall = wall.min(wall_start.elapsed().as_secs_f64());
    }
    (cpu, wall, result)
}

/// All problems in one call of the engine.
fn solved(engine: &CpuEngine, batch: &Batch) -> Solutions {
    let job = engine.job(batch, &Request::PORTFOLIOS);
    job.run(0..batch.problems(), &Stop::NEVER).expect("the CPU engine does not fail").portfolios()
}

/// Given covariances.
fn given(peer: &str, case: &str, n: usize, covariances: &[f64], assume_psd: bool) {
    let problems = covariances.len() / (n * n);
    let batch = Batch::given(covariances, &vec![1.0 / n as f64; n]).expect("equal budgets");
    let batch = if assume_psd { batch.assume_psd() } else { batch };
    let engine = CpuEngine::default();
    let (cpu, wall, solutions) = least(|| solved(&engine, &batch));
    let error = covariances
        .chunks_exact(n * n)
        .zip(solutions.weights.chunks_exact(n))
        .map(|(covariance, weights)| rc_error(covariance, weights))
        .fold(0.0, f64::max);
    print(peer, case, problems, (cpu, wall), error);
}

/// Bootstrap end to end: draw, covariance, solve, mean, sd and the 5 % and 95 % quantiles of every weight.
fn bootstrap(case: &str, scheme: Scheme, length: f64, returns: &npy::Array) {
    let [rows, n] = returns.shape[..] else { panic!("returns are a matrix") };
    let returns = Returns {
        assets: (0..n).map(|i| i.to_string()).collect(),
        labels: Labels::Text((0..rows).map(|t| t.to_string()).collect()),
        values: returns.values.clone(),
    };
    let law = Law::new(scheme, length, rows, 1, 0).expect("a valid law");
    let engine = CpuEngine::default();
    let resamples = 1000;
    let (cpu, wall, weights) = least(|| {
        let panel = Panel::new(&returns).expect("the returns are sound");
        let batch = Batch::resampled(panel, law, resamples, &vec![1.0 / n as f64; n]).expect("equal budgets");
        let solutions = solved(&engine, &batch);
        (0..n).into_par_iter().for_each(|i| {
            let mut column: Vec<f64> = solutions.weights.iter().skip(i).step_by(n).copied().collect();
            std::hint::black_box(stats::moments(&column));
            stats::sort(&mut column);
            std::hint::black_box((stats::quantile(&column, 0.05), stats::quantile(&column, 0.95)));
        });
        solutions.weights
    });
    let error = (0..resamples)
        .zip(weights.chunks_exact(n))
        .map(|(resample, weights)| rc_error(&covariance(&returns.values, &law.rows(resample), n), weights))
        .fold(0.0, f64::max);
    print("equirisk", case, resamples as usize, (cpu, wall), error);
}

/// All subsets of k of the assets: gathered, solved, with volatility and diversification ratio.
fn screen(case: &str, k: usize, covariance: &npy::Array, engine: &dyn Engine) {
    let n = covariance.shape[0];
    let (cpu, wall, (problems, error)) = least(|| {
        let universe = validity::model(&covariance.values, false).expect("a covariance");
        let subsets = Subsets::all(Space::of(n, k).expect("a space")).expect("ranks below 2^64");
        let problems = subsets.space().count().expect("ranks below 2^64").min(MOST_SUBSETS);
        let batch = Batch::subsets(universe, subsets, problems, None).expect("equal budgets");
        let request = Request::Metrics(vec![Metric::Volatility, Metric::Diversification]);
        let job = engine.prepare(&batch, &request).expect("the engine takes it");
        let measured = job.run(0..problems, &Stop::NEVER).expect("the engine measures").metrics();
        // No weights are kept to be measured again: the certificates', NaN where there is none.
        let error = measured.rc_error.iter().fold(0.0, |m: f64, &e| if e <= m { m } else { e });
        (problems as usize, error)
    });
    let peer = engine.info().adapter.map_or("equirisk".to_owned(), |adapter| format!("equirisk, {adapter}"));
    print(&peer, case, problems, (cpu, wall), error);
}

fn print(peer: &str, case: &str, problems: usize, (cpu, wall): (f64, f64), error: f64) {
    let line =
        json!({"peer": peer, "case": case, "problems": problems, "cpu_s": cpu, "wall_s": wall, "rc_error": error});
    println!("{line}");
}

/// max_i |w_i (S w)_i / w'S w - 1/n| n, as `workloads.py` checks it for the others; infinite where a weight is not positive.
fn rc_error(covariance: &[f64], weights: &[f64]) -> f64 {
    if !weights.iter().all(|&w| w > 0.0) {
        return f64::INFINITY;
    }
    let risks: Vec<f64> = weights
        .iter()
        .zip(covariance.chunks_exact(weights.len()))
        .map(|(w, row)| w * row.iter().zip(weights).map(|(s, w)| s * w).sum::<f64>())
        .collect();
    let (variance, n) = (risks.iter().sum::<f64>(), weights.len() as f64);
    risks.iter().map(|risk| (risk / variance * n - 1.0).abs()).fold(0.0, f64::max)
}

/// Sample covariance of the drawn rows, in two passes.
fn covariance(returns: &[f64], drawn: &[u32], n: usize) -> Vec<f64> {
    let rows = || drawn.iter().map(|&t| &returns[t as usize * n..][..n]);
    let observations = drawn.len() as f64;
    let mut mean = vec![0.0; n];
    for row in rows() {
        mean.iter_mut().zip(row).for_each(|(mean, x)| *mean += x / observations);
    }
    let mut covariance = vec![0.0; n * n];
    for row in rows() {
        let centred: Vec<f64> = row.iter().zip(&mean).map(|(x, mean)| x - mean).collect();
        for (entries, x) in covariance.chunks_exact_mut(n).zip(&centred) {
            entries.iter_mut().zip(&centred).for_each(|(entry, z)| *entry += x * z / (observations - 1.0));
        }
    }
    covariance
}
