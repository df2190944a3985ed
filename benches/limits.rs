//! CPU time of risk budgeting within limits beside the same without, in one run: one JSON line a case, one thread.
//!
//! usage: cargo bench --bench limits [-- DATA [n10...]]
//!
//! `lanes`: eight problems at once, of covariances that resamples of a factor model have, whose correlations are known;
//! `bootstrap`: 10,000 resamples of the embedded sample, floors of 5 % and caps of 25 %, from rows to weights. With DATA, as
//! `benches/inputs.py` writes it, the jobs of `limits_peers.py` instead: the covariances of W1 in one call of the engine.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::sync::Arc;
use std::time::Duration;

use cpu_time::ProcessTime;
use equirisk::batch::{Assets, Covariances, Source};
use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::io::{Input, ReadOptions, npy, read_returns};
use equirisk::lanes::{LANES, below};
use equirisk::methods::Objective;
use equirisk::methods::limits::{Group, Limits};
use equirisk::methods::risk_budgeting::{interleaved, limited, validity};
use equirisk::panel::Panel;
use equirisk::resample::{Law, Scheme};
use equirisk::stop::Stop;
use equirisk::{Batch, Estimator, Options, Program, Request, Rows, Status};
use pulp::Arch;
use serde_json::json;

/// Each time is the least of so many.
const ROUNDS: usize = 9;

const SIZES: [usize; 5] = [10, 20, 31, 50, 98];

const GROUPS: usize = 32;

struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Near enough to normal.
    fn normal(&mut self) -> f64 {
        (0..6).map(|_| self.next() - 0.5).sum::<f64>() * std::f64::consts::SQRT_2
    }
}

/// Eight sample covariances of `rows` rows of a market of n assets.
fn group(n: usize, rows: usize, betas: &[f64], random: &mut Sequence) -> interleaved::Group {
    let mut group = interleaved::Group::default();
    group.resize(n);
    group.usable = [true; LANES];
    for lane in 0..LANES {
        let mut covariance = vec![0.0; n * n];
        for _ in 0..rows {
            let market = random.normal();
            let row: Vec<f64> = betas.iter().map(|beta| beta * (market + (1.0 + beta) * random.normal())).collect();
            for i in 0..n {
                for j in 0..n {
                    covariance[i * n + j] += row[i] * row[j] / rows as f64;
                }
            }
        }
        let model = validity::model(&covariance, true).expect("a sample covariance");
        for i in 0..n {
            group.volatilities[i].0[lane] = model.volatilities[i];
            for (j, c) in group.correlation[below(i)].iter_mut().enumerate() {
                c.0[lane] = model.correlation[i * n + j];
            }
        }
    }
    group
}

fn limits(kind: &str, n: usize) -> Limits {
    let equal = 1.0 / n as f64;
    let none = Limits::none(n);
    match kind {
        "floors and caps" => Limits { least: vec![0.2 * equal; n], most: vec![2.0 * equal; n], ..none },
        "tight" => Limits { least: vec![0.5 * equal; n], most: vec![1.5 * equal; n], ..none },
        "caps" => Limits { most: vec![1.5 * equal; n], ..none },
        "floors" => Limits { least: vec![0.5 * equal; n], ..none },
        _ => {
            let group =
                |members: std::ops::Range<usize>, least, most| Group { members: members.collect(), least, most };
            Limits { groups: vec![group(0..n / 2, 0.0, 0.4), group(n / 2..n * 3 / 4, 0.3, 1.0)], ..none }
        }
    }
}

fn least(mut work: impl FnMut()) -> Duration {
    let mut time = || {
        let start = ProcessTime::now();
        work();
        start.elapsed()
    };
    (0..ROUNDS).map(|_| time()).min().expect("rounds")
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool").install(|| {
        let Some((folder, sizes)) = arguments.split_first() else {
            SIZES.iter().for_each(|n| lanes(*n));
            bootstrap();
            return;
        };
        sizes.iter().filter_map(|size| size.strip_prefix('n')?.parse().ok()).for_each(|n| peers(folder, n));
    });
}

/// What peers are timed on, at most 1,024 problems of n assets in one batch.
fn peers(folder: &str, n: usize) {
    let array = npy::read(&Input::Path(format!("{folder}/w1_n{n}.npy").into())).expect("inputs.py wrote it");
    let matrices = &array.values[..array.values.len().min(1024 * n * n)];
    let problems = (matrices.len() / (n * n)) as u64;
    for (job, limits, objective) in [
        ("bounds", limits("tight", n), Objective::LogBarrier),
        ("groups", limits("groups", n), Objective::LogBarrier),
        ("proportional", limits("tight", n), Objective::Proportional),
    ] {
        let program =
            Program::within(&vec![1.0; n], limits).and_then(|program| program.seeking(objective)).expect("a program");
        let covariances = Covariances::Given { matrices: matrices.into(), assets: n, assume_psd: true };
        let batch = Batch::new(Source { covariances, assets: Assets::All }, program).expect("a batch");
        let (engine, mut weights) = (CpuEngine::default(), Vec::new());
        let time = least(|| {
            let solved = engine.job(&batch, &Request::PORTFOLIOS).run(0..problems, &Stop::NEVER).expect("solved");
            let solved = solved.portfolios();
            assert!(solved.certificates.iter().all(|c| c.status == Status::Converged), "ordinary problems");
            weights = solved.weights;
        });
        let (cpu_us, weights) = (1e6 * time.as_secs_f64() / problems as f64, &weights[..n]);
        println!("{}", json!({"peer": "equirisk", "job": job, "n": n, "cpu_us": cpu_us, "weights": weights}));
    }
}

fn lanes(n: usize) {
    let mut random = Sequence(5);
    let betas: Vec<f64> = (0..n).map(|_| 0.2 + random.next()).collect();
    let mut groups: Vec<_> = (0..GROUPS).map(|_| group(n, 250.max(3 * n), &betas, &mut random)).collect();
    let (budgets, options, arch) = (vec![1.0 / n as f64; n], Options::default(), Arch::new());
    let repetitions = 20_000 / (n * n) + 1;
    let each = (repetitions * GROUPS * LANES) as f64;
    for kind in ["floors and caps", "caps", "floors", "groups"] {
        let limits = limits(kind, n);
        let mut parts: Vec<Vec<usize>> = limits.groups.iter().map(|group| group.members.clone()).collect();
        parts.push((0..n).filter(|i| !parts.iter().any(|part| part.contains(i))).collect());
        let (bounds, groups_of) = (limited::interleaved::bounds(&limits), &limits.groups);
        let programs =
            limited::interleaved::Programs { budgets: &budgets, bounds: &bounds, groups: groups_of, parts: &parts };
        let mut work = limited::interleaved::Workspace::default();
        let (mut sweeps, mut left) = (0, 0);
        for found in groups.iter_mut().flat_map(|group| work.solve(arch, group, programs, options)) {
            sweeps += found.sweeps;
            left += usize::from(!found.converged);
        }
        let unlimited = least(|| {
            for at in 0..repetitions * GROUPS {
                let group = &mut groups[at % GROUPS];
                std::hint::black_box(group.solve(arch, &budgets, options, false));
            }
        });
        let limited = least(|| {
            for at in 0..repetitions * GROUPS {
                let group = &mut groups[at % GROUPS];
                std::hint::black_box(work.solve(arch, group, programs, options));
            }
        });
        let micros = |time: Duration| time.as_secs_f64() / each * 1e6;
        println!(
            "{}",
            json!({
                "case": "lanes",
                "assets": n,
                "limits": kind,
                "unlimited_us": micros(unlimited),
                "limited_us": micros(limited),
                "ratio": limited.as_secs_f64() / unlimited.as_secs_f64(),
                "sweeps": f64::from(sweeps) / (GROUPS * LANES) as f64,
                "left": left,
            })
        );
    }
}

fn bootstrap() {
    let reading = read_returns(&[Input::Sample], &ReadOptions::default()).expect("the embedded sample");
    let panel = Arc::new(Panel::new(&reading.returns).expect("returns"));
    let n = panel.assets();
    let law = Law::new(Scheme::Stationary, 114.5, panel.rows(), 1, 0).expect("a law");
    let resamples = 10_000;
    let time = |limits: Limits| {
        let program = Program::within(&vec![1.0 / n as f64; n], limits).expect("a program");
        let rows = Rows::Resampled { law, resamples };
        let batch = Batch::of_rows(Arc::clone(&panel), rows, Estimator::Sample, program).expect("a batch");
        let engine = CpuEngine::default();
        least(|| drop(engine.job(&batch, &Request::PORTFOLIOS).run(0..resamples, &Stop::NEVER).expect("solved")))
    };
    let unlimited = time(Limits::none(n));
    let limited = time(Limits { least: vec![0.05; n], most: vec![0.25; n], ..Limits::none(n) });
    println!(
        "{}",
        json!({
            "case": "bootstrap",
            "resamples": resamples,
            "unlimited_s": unlimited.as_secs_f64(),
            "limited_s": limited.as_secs_f64(),
            "ratio": limited.as_secs_f64() / unlimited.as_secs_f64(),
        })
    );
}
