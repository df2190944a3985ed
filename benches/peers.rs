//! CPU time per problem of our solver and our bootstrap, on the inputs that peers are timed on: one JSON line each.
//!
//! usage: cargo bench --bench peers -- DATA [W1] [W2]     (DATA as `benches/inputs.py` writes it; N=200 for one size)

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::time::Instant;

use cpu_time::ProcessTime;
use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::io::{Input, npy};
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::stats;
use equirisk::{Batch, Source, Status, Want};

const REPETITIONS: usize = 7;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let Some(folder) = arguments.next() else {
        println!("usage: cargo bench --bench peers -- DATA [W1] [W2]");
        return;
    };
    let wanted: Vec<String> = arguments.collect();
    let wants = |name: &str| wanted.is_empty() || wanted.iter().any(|w| w == name);
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("one thread");
    one_thread.install(|| {
        if wants("W1") {
            for n in std::env::var("N").map_or(vec![5, 10, 20, 50, 100, 200, 500], |n| vec![n.parse().expect("a size")])
            {
                let array = npy::read(&Input::Path(format!("{folder}/w1_n{n}.npy").into())).expect("W1 data");
                w1(n, &array.values, true);
                if std::env::var("N").is_err() {
                    w1(n, &array.values, false);
                }
            }
        }
        if wants("W2") {
            let array = npy::read(&Input::Path(format!("{folder}/w2_returns.npy").into())).expect("W2 data");
            for (name, scheme, length) in [
                ("iid", Scheme::Iid, 1.0),
                ("stationary20", Scheme::Stationary, 20.0),
                ("stationary75", Scheme::Stationary, 75.0),
            ] {
                w2(name, scheme, length, &array);
            }
        }
    });
}

/// Least CPU and wall seconds of a few runs, after one that does not count.
fn time<T>(mut run: impl FnMut() -> T) -> (f64, f64, T) {
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

/// Given covariances.
fn w1(n: usize, covariances: &[f64], assume_psd: bool) {
    let problems = covariances.len() / (n * n);
    let source = Source::Given { covariances: covariances.to_vec(), assume_psd };
    let batch = Batch::new(source, &vec![1.0 / n as f64; n]).expect("equal budgets");
    let engine = CpuEngine::default();
    let (cpu, wall, solutions) =
        time(|| engine.job(&batch, Want::default()).solve(0..problems as u64).expect("the CPU engine does not fail"));
    let worst = solutions.certificates.iter().map(|c| c.rc_error).fold(0.0, f64::max);
    let failures = solutions.certificates.iter().filter(|c| c.status != Status::Converged).count();
    let label = if assume_psd { "equirisk" } else { "equirisk, validated" };
    println!(
        r#"{{"peer": "{label}", "workload": "W1", "n": {n}, "B": {problems}, "cpu_s_per_problem": {:e}, "wall_s_per_problem": {:e}, "rc_err_max": {worst:e}, "failures": {failures}}}"#,
        cpu / problems as f64,
        wall / problems as f64
    );
}

/// Bootstrap end to end: resample, covariance, solve, mean, sd and the 5 % and 95 % quantiles of every weight.
fn w2(name: &str, scheme: Scheme, length: f64, returns: &npy::Array) {
    let [rows, n] = returns.shape[..] else { panic!("W2 returns are a matrix") };
    let returns = Returns {
        assets: (0..n).map(|i| i.to_string()).collect(),
        labels: Labels::Text((0..rows).map(|t| t.to_string()).collect()),
        values: returns.values.clone(),
    };
    let engine = CpuEngine::default();
    let resamples = 1000;
    let (cpu, wall, worst) = time(|| {
        let panel = Panel::new(&returns).expect("W2 returns are sound");
        let law = Law::new(scheme, length, rows, 1, 0).expect("a valid law");
        let batch = Batch::new(Source::Resampled { panel, law }, &vec![1.0 / n as f64; n]).expect("equal budgets");
        let solutions = engine.job(&batch, Want::default()).solve(0..resamples).expect("the CPU engine does not fail");
        for i in 0..n {
            let mut column: Vec<f64> = solutions.weights.iter().skip(i).step_by(n).copied().collect();
            std::hint::black_box(stats::moments(&column));
            stats::sort(&mut column);
            std::hint::black_box((stats::quantile(&column, 0.05), stats::quantile(&column, 0.95)));
        }
        solutions.certificates.iter().map(|c| c.rc_error).fold(0.0, f64::max)
    });
    println!(
        r#"{{"peer": "equirisk", "workload": "W2 {name}", "n": {n}, "B": {resamples}, "cpu_s": {cpu:e}, "wall_s": {wall:e}, "rc_err_max": {worst:e}}}"#
    );
}
