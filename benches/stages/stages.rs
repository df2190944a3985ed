//! How long does each stage take on each engine? One group a stage, named as its shader and its twin are.
//!
//! usage: cargo bench -p stages -- --save-baseline before      then, on another commit, -- --baseline before
//!        cargo bench -p stages -- descend                     one group
//!
//! The CPU works on one thread. On the GPU, where an adapter opens, a stage's time is the device's own, by its timestamps;
//! `solve` is wall time, transfers included, on both.

#![expect(clippy::print_stderr, reason = "says why there are no GPU figures")]

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, BenchmarkId, Criterion, SamplingMode, Throughput};
use equirisk::covariance::interleaved;
use equirisk::covariance::resampler::{Resampler, Workspace};
use equirisk::covariance::{Drawn, Estimator, correlate, packed};
use equirisk::engine::Engine;
use equirisk::engine::cpu::CpuEngine;
use equirisk::engine::gpu::{self, GpuEngine};
use equirisk::lanes::{LANES, Lanes, below};
use equirisk::methods::limits::Limits;
use equirisk::methods::risk_budgeting::Options;
use equirisk::methods::risk_budgeting::certificate::certify;
use equirisk::methods::risk_budgeting::descent::descend;
use equirisk::methods::risk_budgeting::interleaved::Group;
use equirisk::methods::{Program, Selection};
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::sampling::Rows;
use equirisk::stop::Stop;
use equirisk::{Batch, Method, Request};
use pulp::Arch;

/// Rows of the history: ten years of days.
const ROWS: usize = 2520;

const SIZES: [usize; 3] = [10, 50, 200];

/// Laws, and how the CPU sums moments under them.
const LAWS: [(&str, Scheme, f64); 2] = [("single rows", Scheme::Iid, 1.0), ("blocks of 20", Scheme::Stationary, 20.0)];

/// Problems at a time: a few groups of lanes.
const PROBLEMS: u64 = 64;

fn main() {
    rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build_global().expect("the first pool");
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    stages_on_cpu(&mut criterion);
    solve(&mut criterion, "cpu", &CpuEngine::default(), &SIZES, PROBLEMS);
    match GpuEngine::open(gpu::Options { allow_software: true, profile: true, ..gpu::Options::default() }) {
        Ok(engine) => {
            // A software adapter takes seconds for what a card does in microseconds.
            let (sizes, problems) = if engine.facts().software { (&SIZES[..2], PROBLEMS) } else { (&SIZES[..], 4096) };
            stages_on_gpu(&mut criterion, &engine, sizes, problems);
            solve(&mut criterion, "gpu", &engine, sizes, problems);
        }
        Err(error) => eprintln!("no figures of a GPU: {error}"),
    }
    criterion.final_summary();
}

fn group<'a>(criterion: &'a mut Criterion, stage: &str, problems: u64) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(stage);
    group.throughput(Throughput::Elements(problems));
    group
}

/// Those that are generic are compiled for the machine's vectors, as the engine compiles them.
fn stages_on_cpu(criterion: &mut Criterion) {
    let arch = Arch::new();
    let mut stage = group(criterion, "draw", 1);
    for (name, scheme, length) in LAWS {
        let (law, mut counts) = (law(scheme, length), vec![0; ROWS]);
        stage.bench_function(BenchmarkId::new("cpu", name), |b| b.iter(|| law.counts(black_box(1), &mut counts)));
    }
    drop(stage);

    // Drawing included.
    let mut stage = group(criterion, "moments", PROBLEMS);
    for n in SIZES {
        let panel = panel(n);
        for (name, scheme, length) in LAWS {
            let rows = Rows::Resampled { law: law(scheme, length), resamples: PROBLEMS };
            let resampler = Resampler::new(&panel, &rows, Estimator::Sample);
            let (mut work, mut moments) = (Workspace::default(), vec![0.0; resampler.entries()]);
            stage.bench_function(BenchmarkId::new(format!("cpu {name}"), n), |b| {
                b.iter(|| {
                    let span = resampler.span(0..black_box(PROBLEMS));
                    (0..PROBLEMS).for_each(|resample| span.moments(resample, &mut work, &mut moments));
                });
            });
        }
    }
    drop(stage);

    let problems = SIZES.map(Problem::new);
    let mut stage = group(criterion, "correlate", 1);
    for problem in &problems {
        let Problem { n, moments, .. } = problem;
        let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; *n]);
        let (sums, products) = moments.split_at(*n);
        stage.bench_function(BenchmarkId::new("cpu", n), |b| {
            b.iter(|| {
                arch.dispatch(|| {
                    correlate(black_box(sums), products, Drawn::rows(ROWS), &mut correlation, &mut volatilities)
                })
            });
        });
    }
    drop(stage);
    let mut stage = group(criterion, "correlate", LANES as u64);
    for problem in &problems {
        let Problem { n, moments, .. } = problem;
        let moments = lanes(moments);
        let mut correlation = vec![Lanes::default(); below(*n).start];
        let (mut volatilities, mut inverses) = (vec![Lanes::default(); *n], vec![Lanes::default(); *n]);
        stage.bench_function(BenchmarkId::new("cpu lanes", n), |b| {
            b.iter(|| {
                let moments = black_box(&moments);
                interleaved::correlate(
                    arch,
                    moments,
                    [Drawn::rows(ROWS); LANES],
                    &mut correlation,
                    &mut volatilities,
                    &mut inverses,
                )
            });
        });
    }
    drop(stage);

    let tolerance = Options::default().tolerance;
    let mut stage = group(criterion, "descend", 1);
    for problem in &problems {
        let Problem { n, correlation, budgets, .. } = problem;
        let (mut y, mut product) = (vec![0.0; *n], vec![0.0; *n]);
        stage.bench_function(BenchmarkId::new("cpu", n), |b| {
            b.iter(|| arch.dispatch(|| descend(black_box(correlation), budgets, tolerance, 100, &mut y, &mut product)));
        });
    }
    drop(stage);
    // Certificates included.
    let mut stage = group(criterion, "descend", LANES as u64);
    for problem in &problems {
        let Problem { n, correlation, budgets, .. } = problem;
        let mut group = Group::default();
        group.resize(*n);
        for i in 0..*n {
            group.correlation[below(i)].copy_from_slice(&lanes(&correlation[i * n..i * n + i]));
        }
        group.volatilities.fill(Lanes([1.0; LANES]));
        group.usable = [true; LANES];
        stage.bench_function(BenchmarkId::new("cpu lanes", n), |b| {
            b.iter(|| group.solve(arch, black_box(budgets), Options::default(), false));
        });
    }
    drop(stage);

    let mut stage = group(criterion, "certify", 1);
    for problem in &problems {
        let Problem { n, correlation, budgets, .. } = problem;
        let (mut y, mut product) = (vec![0.0; *n], vec![0.0; *n]);
        descend(correlation, budgets, tolerance, 100, &mut y, &mut product);
        stage.bench_function(BenchmarkId::new("cpu", n), |b| {
            b.iter(|| arch.dispatch(|| certify(black_box(correlation), &y, budgets, &mut product)));
        });
    }
}

/// The case within limits.
const WITHIN: &str = "gpu within limits";

/// That of windows of paths: a year, every month.
const WINDOWS: &str = "gpu windows";

/// Runs whose mean stands for as many as criterion asks for: a run takes longer than the stage of it that counts.
const RUNS: u64 = 4;

/// Every stage of the sample covariance; of other estimators and methods what only they have, and what they change.
fn stages_on_gpu(criterion: &mut Criterion, engine: &GpuEngine, sizes: &[usize], problems: u64) {
    let times = || engine.stage_times().expect("the device can be read");
    let sample = Estimator::Sample;
    let shrunk = [Estimator::LedoitWolf, Estimator::ConstantCorrelation, Estimator::Oas];
    let decaying = Estimator::Ewma { half_life: 63.0 };
    let methods = [Method::MinimumVariance, Method::MaximumDiversification, Method::HierarchicalRiskParity];
    let mut cases = vec![("gpu".to_owned(), sample, Selection::NONE, vec![])];
    cases.extend(shrunk.map(|own| (format!("gpu {}", own.name()), own, Selection::NONE, vec!["shrink"])));
    cases.push((format!("gpu {}", decaying.name()), decaying, Selection::NONE, vec!["draw", "moments"]));
    cases.push(("gpu gerber".to_owned(), Estimator::Gerber, Selection::NONE, vec!["moments", "correlate"]));
    let one = |method: Method| {
        (format!("gpu {}", method.name()), sample, Selection::new(&[method], Vec::new()), vec!["others"])
    };
    cases.extend(methods.map(one));
    cases.push((WINDOWS.to_owned(), sample, Selection::NONE, vec!["draw", "moments"]));
    cases.push((WITHIN.to_owned(), sample, Selection::NONE, vec!["limit", "certify"]));
    for (&n, (name, estimator, beside, stages)) in sizes.iter().flat_map(|n| cases.iter().map(move |case| (n, case))) {
        if !beside.is_on_devices(n) {
            continue;
        }
        let batch = match name.as_str() {
            WITHIN => within(n, Scheme::Stationary, 20.0),
            WINDOWS => windows(n, Scheme::Stationary, 20.0),
            _ => estimated(n, Scheme::Stationary, 20.0, *estimator),
        };
        let request = Request::Portfolios { beside: beside.clone() };
        let job = engine.prepare(&batch, &request).expect("room for few problems");
        let run = || job.run(0..problems, &Stop::NEVER).expect("the device is not lost");
        run();
        for found in times().into_iter().filter(|found| stages.is_empty() || stages.contains(&found.stage)) {
            let mut stage = group(criterion, found.stage, problems);
            stage.sampling_mode(SamplingMode::Flat).bench_function(BenchmarkId::new(name, n), |b| {
                b.iter_custom(|asked| {
                    let runs = asked.min(RUNS);
                    (0..runs).for_each(|_| drop(run()));
                    let taken = times().iter().find(|t| t.stage == found.stage).map_or(0.0, |t| t.nanoseconds);
                    Duration::from_nanos(taken as u64).mul_f64(asked as f64 / runs as f64)
                });
            });
        }
    }
}

/// From a batch to its certified solutions.
fn solve(criterion: &mut Criterion, name: &str, engine: &impl Engine, sizes: &[usize], problems: u64) {
    let mut stage = group(criterion, "whole", problems);
    for &n in sizes {
        let covariances = Problem::new(n).covariance().repeat(problems as usize);
        let given = Batch::given(covariances, &vec![1.0; n]).expect("equal budgets").assume_psd();
        let mut batches = vec![("given", given)];
        batches.extend(LAWS.map(|(name, scheme, length)| (name, resampled(n, scheme, length))));
        for (source, batch) in &batches {
            let job = engine.prepare(batch, &Request::PORTFOLIOS).expect("room for few problems");
            stage.bench_function(BenchmarkId::new(format!("{name} {source}"), n), |b| {
                b.iter(|| job.run(0..problems, &Stop::NEVER).expect("the device is not lost"));
            });
        }
    }
}

/// One resample's moments, and what the stages make of them.
struct Problem {
    n: usize,
    /// n sums, then packed second moments.
    moments: Vec<f64>,
    correlation: Vec<f64>,
    volatilities: Vec<f64>,
    budgets: Vec<f64>,
}

impl Problem {
    fn new(n: usize) -> Problem {
        let panel = panel(n);
        let mut work = Workspace::default();
        let mut moments = vec![0.0; n + packed(n)];
        let rows = Rows::Resampled { law: law(Scheme::Iid, 1.0), resamples: 1 };
        Resampler::new(&panel, &rows, Estimator::Sample).span(0..1).moments(0, &mut work, &mut moments);
        let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
        let (sums, products) = moments.split_at(n);
        correlate(sums, products, Drawn::rows(ROWS), &mut correlation, &mut volatilities);
        Problem { n, moments, correlation, volatilities, budgets: vec![1.0 / n as f64; n] }
    }

    fn covariance(&self) -> Vec<f64> {
        let (n, s) = (self.n, &self.volatilities);
        (0..n * n).map(|at| self.correlation[at] * (s[at / n] * s[at % n])).collect()
    }
}

/// The same problem in every lane.
fn lanes(values: &[f64]) -> Vec<Lanes> {
    values.iter().map(|&value| Lanes([value; LANES])).collect()
}

fn law(scheme: Scheme, length: f64) -> Law {
    Law::new(scheme, length, ROWS, 1, 0).expect("a valid law")
}

fn resampled(n: usize, scheme: Scheme, length: f64) -> Batch<'static> {
    estimated(n, scheme, length, Estimator::Sample)
}

fn estimated(n: usize, scheme: Scheme, length: f64, estimator: Estimator) -> Batch<'static> {
    let rows = Rows::Resampled { law: law(scheme, length), resamples: u64::MAX };
    Batch::estimated(panel(n), rows, estimator, &vec![1.0; n]).expect("equal budgets")
}

/// A year of each path, every month.
fn windows(n: usize, scheme: Scheme, length: f64) -> Batch<'static> {
    let spans = (252..=ROWS as u32).step_by(21).map(|end| end - 252..end).collect();
    let rows = Rows::Paths { law: law(scheme, length), paths: 1 << 32, spans };
    Batch::estimated(panel(n), rows, Estimator::Sample, &vec![1.0; n]).expect("equal budgets")
}

/// Within floors of a fifth and caps of twice the mean weight.
fn within(n: usize, scheme: Scheme, length: f64) -> Batch<'static> {
    let rows = Rows::Resampled { law: law(scheme, length), resamples: u64::MAX };
    let equal = 1.0 / n as f64;
    let limits = Limits { least: vec![0.2 * equal; n], most: vec![2.0 * equal; n], ..Limits::none(n) };
    let program = Program::within(&vec![1.0; n], limits).expect("the limits leave room");
    Batch::of_rows(panel(n), rows, Estimator::Sample, program).expect("limits of so many assets")
}

/// Returns with a market, volatilities spread threefold, always the same.
fn panel(n: usize) -> Panel {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 32) as f64 / f64::from(u32::MAX) - 0.5
    };
    let mut values = Vec::with_capacity(ROWS * n);
    for _ in 0..ROWS {
        let market = uniform();
        values.extend((0..n).map(|i| 0.01 * (1.0 + 2.0 * i as f64 / n as f64) * (market + uniform())));
    }
    let assets = (0..n).map(|i| i.to_string()).collect();
    Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).expect("returns that move")
}
