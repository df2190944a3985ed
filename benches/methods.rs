//! CPU time of our estimators and methods on the inputs that peers are timed on: one JSON line a job.
//!
//! usage: cargo bench --bench methods -- DATA [PART...]     (DATA as `benches/inputs.py` writes it)
//!
//! The parts are `n10`, `n50` and `n200`, what is set beside peers; `bootstrap`, what an estimator adds to one; and
//! `study`, a study of six methods from returns to statistics, on two threads. All of them where none is named.

#![expect(clippy::print_stdout, reason = "the figures are what it is for")]

use std::sync::Arc;
use std::time::Instant;

use cpu_time::ProcessTime;
use equirisk::covariance::Estimator;
use equirisk::covariance::resampler::{Resampler, Workspace};
use equirisk::engine::Job as _;
use equirisk::engine::cpu::{CpuEngine, MOST_INTERLEAVED};
use equirisk::io::{Input, npy};
use equirisk::lanes::{LANES, Lanes, below};
use equirisk::methods::risk_budgeting::validity;
use equirisk::methods::{self, Method, Selection};
use equirisk::observer::{Observer, Unwatched};
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::run::Context;
use equirisk::run::crosscheck::Sample;
use equirisk::sampling::Rows;
use equirisk::stop::Stop;
use equirisk::store::Checkpoint;
use equirisk::study::block::Block;
use equirisk::study::bootstrap::{Config, Plan, solve};
use equirisk::{Batch, Options, Request, RiskMeasure, RiskModel, Status};
use pulp::{Arch, Simd, WithSimd};
use serde_json::json;

const REPETITIONS: usize = 7;

const SIZES: [usize; 3] = [10, 50, 200];

const ESTIMATORS: [Estimator; 10] = [
    Estimator::Sample,
    Estimator::Ewma { half_life: 40.0 },
    Estimator::LedoitWolf,
    Estimator::LedoitWolfRaw,
    Estimator::ConstantCorrelation,
    Estimator::Oas,
    Estimator::OasRaw,
    Estimator::Gerber,
    Estimator::Nonlinear,
    Estimator::Denoised,
];

/// Those that cost a bootstrap little.
const CHEAP: [Estimator; 5] = [
    Estimator::Sample,
    Estimator::LedoitWolf,
    Estimator::ConstantCorrelation,
    Estimator::Oas,
    Estimator::Ewma { half_life: 63.0 },
];

const BLOCKS: [(&str, Scheme, f64); 3] = [
    ("single rows", Scheme::Iid, 1.0),
    ("blocks of 20", Scheme::Stationary, 20.0),
    ("blocks of 75", Scheme::Stationary, 75.0),
];

const SOLVED: [Method; 3] = [Method::MinimumVariance, Method::MaximumDiversification, Method::HierarchicalRiskParity];

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|a| a != "--bench");
    let Some(folder) = arguments.next() else {
        println!("usage: cargo bench --bench methods -- DATA [PART...]");
        return;
    };
    let parts: Vec<String> = arguments.collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|p| p == part);
    let read = |file: &str| npy::read(&Input::Path(format!("{folder}/{file}").into())).expect("inputs.py wrote it");
    let threads = |number| rayon::ThreadPoolBuilder::new().num_threads(number).build().expect("a pool of threads");
    threads(1).install(|| {
        for n in SIZES.into_iter().filter(|n| wanted(&format!("n{n}"))) {
            estimators(&returns(&read(&format!("window_n{n}.npy")), n));
            solvers(&read(&format!("w1_n{n}.npy")).values, n);
        }
        if wanted("bootstrap") {
            bootstrap(&returns(&read("w2_returns.npy"), 50));
        }
    });
    if wanted("study") {
        let returns = returns(&read("w2_returns.npy"), 10);
        threads(2).install(|| study(&returns));
    }
}

/// The first so many assets of a history.
fn returns(history: &npy::Array, assets: usize) -> Returns {
    let [rows, all] = history.shape[..] else { panic!("returns are a matrix") };
    let name = |number: usize| number.to_string();
    let labels = Labels::Text((0..rows).map(name).collect());
    let values = history.values.clone();
    Returns { assets: (0..all).map(name).collect(), labels, values }.select(&(0..assets).collect::<Vec<_>>())
}

/// CPU and wall seconds of one run.
type Seconds = [f64; 2];

/// Medians of works that take turns, after a turn that does not count.
fn medians<const N: usize>(mut works: [&mut dyn FnMut(); N]) -> [Seconds; N] {
    let mut found: [[Vec<f64>; 2]; N] = std::array::from_fn(|_| [Vec::new(), Vec::new()]);
    for turn in 0..=REPETITIONS {
        for (work, [cpu, wall]) in works.iter_mut().zip(&mut found) {
            let (cpu_start, wall_start) = (ProcessTime::now(), Instant::now());
            work();
            if turn > 0 {
                cpu.push(cpu_start.elapsed().as_secs_f64());
                wall.push(wall_start.elapsed().as_secs_f64());
            }
        }
    }
    let median = |mut seconds: Vec<f64>| {
        seconds.sort_by(f64::total_cmp);
        seconds[REPETITIONS / 2]
    };
    found.map(|seconds| seconds.map(median))
}

/// A job, and what tells whether a peer's answer is the same.
fn print(job: &str, n: usize, problems: u64, [cpu, wall]: Seconds, answer: Option<f64>) {
    let [cpu_us, wall_us] = [cpu, wall].map(|seconds| 1e6 * seconds / problems as f64);
    let line = json!({"peer": "equirisk", "job": job, "n": n, "cpu_us": cpu_us, "wall_us": wall_us, "answer": answer});
    println!("{line}");
}

/// Every estimator: of all rows of the window, as peers are given them, and of resamples of its rows.
fn estimators(window: &Returns) {
    let n = window.assets.len();
    let problems: u64 = if n > 50 { 256 } else { 1024 };
    let panel = Panel::new(window).expect("the returns are sound");
    let whole = Rows::Spans((0..problems).map(|_| 0..panel.rows() as u32).collect());
    let law = Law::new(Scheme::Iid, 1.0, panel.rows(), 1, 0).expect("a valid law");
    let drawn = Rows::Resampled { law, resamples: problems };
    for estimator in ESTIMATORS {
        let build = |rows| covariances(&Resampler::new(&panel, rows, estimator), n, problems);
        let [whole_time, drawn_time] = medians([&mut || build(&whole), &mut || build(&drawn)]);
        let (resampler, mut work) = (Resampler::new(&panel, &whole, estimator), Workspace::default());
        assert!(resampler.alone().covariance(0, &mut work), "all assets move");
        let name = estimator.name();
        print(name, n, problems, whole_time, Some(mean_correlation(&work.model)));
        print(&format!("{name}, resampled"), n, problems, drawn_time, None);
    }
}

/// Covariances of so many sets of rows, as the engine builds them: eight at a time, those of many assets one by one.
fn covariances(resampler: &Resampler, n: usize, problems: u64) {
    let (span, arch) = (resampler.span(0..problems), Arch::new());
    let (mut work, mut moments) = (Workspace::default(), Vec::new());
    let room = |length: usize| vec![Lanes::default(); length];
    let (mut correlation, mut volatilities, mut inverses) = (room(below(n).start), room(n), room(n));
    if n > MOST_INTERLEAVED {
        for set in 0..problems {
            assert!(span.covariance(set, &mut work), "all assets move");
            std::hint::black_box(&work.model);
        }
        return;
    }
    for first in (0..problems).step_by(LANES) {
        let sets = std::array::from_fn(|lane| first + lane as u64);
        let to = (&mut correlation[..], &mut volatilities[..], &mut inverses[..]);
        let (trusted, _) = span.group(&sets, arch, &mut work, &mut moments, to);
        assert_eq!(trusted, [true; LANES], "all assets move");
        std::hint::black_box(&correlation);
    }
}

fn mean_correlation(model: &RiskModel) -> f64 {
    let n = model.assets() as f64;
    (model.correlation.iter().sum::<f64>() - n) / (n * (n - 1.0))
}

/// Every method on given covariances: risk budgeting in a batch, the others one by one in one call, correlations and
/// volatilities being known, as they are where risk budgeting has been solved.
fn solvers(covariances: &[f64], n: usize) {
    let covariances = &covariances[..covariances.len().min(1024 * n * n)];
    let problems = (covariances.len() / (n * n)) as u64;
    let batch = Batch::given(covariances, &vec![1.0; n]).expect("equal budgets").assume_psd();
    let model = |covariance| validity::model(covariance, true).expect("a covariance");
    let models: Vec<RiskModel> = covariances.chunks_exact(n * n).map(model).collect();
    let first = &covariances[..n * n];

    let (mut budgeted, mut weights) = (Vec::new(), [(); 3].map(|()| Vec::new()));
    let [one, two, three] = &mut weights;
    let times = medians([
        &mut || budgeted = risk_budgeting(&batch),
        &mut || *one = solved(SOLVED[0], &models),
        &mut || *two = solved(SOLVED[1], &models),
        &mut || *three = solved(SOLVED[2], &models),
    ]);
    print(Method::RiskBudgeting.name(), n, problems, times[0], Some(answer(Method::RiskBudgeting, first, &budgeted)));
    for ((method, weights), time) in SOLVED.into_iter().zip(&weights).zip(&times[1..]) {
        print(method.name(), n, problems, *time, Some(answer(method, first, weights)));
    }
    together(&batch, problems);
}

/// The weights of the first problem.
fn risk_budgeting(batch: &Batch) -> Vec<f64> {
    let job = CpuEngine::default().job(batch, &Request::PORTFOLIOS);
    let solutions = job.run(0..batch.problems(), &Stop::NEVER).expect("the CPU does not fail").portfolios();
    assert!(solutions.certificates.iter().all(|c| c.status == Status::Converged), "ordinary problems");
    solutions.weights[..batch.assets()].to_vec()
}

/// The weights of the first problem.
fn solved(method: Method, models: &[RiskModel]) -> Vec<f64> {
    Arch::new().dispatch(Solve { method, models })
}

/// One method for all, compiled for the vector instructions of this machine as the engine's is.
struct Solve<'a> {
    method: Method,
    models: &'a [RiskModel],
}

impl WithSimd for Solve<'_> {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f64> {
        let Solve { method, models } = self;
        let (tolerance, mut work) = (Options::default().tolerance, methods::Workspace::default());
        let mut weights = vec![0.0; models[0].assets()];
        // The first one last: its weights are what is left.
        for model in models.iter().rev() {
            let proof = method.solve(model, None, tolerance, &mut work, &mut weights).expect("it is solved for");
            assert_eq!(proof.status, Status::Converged, "ordinary problems");
        }
        weights
    }
}

/// What tells a portfolio: the volatility of the one with the least, the ratio of the best diversified, else sum w^2.
fn answer(method: Method, covariance: &[f64], weights: &[f64]) -> f64 {
    let n = weights.len();
    let rows = || covariance.chunks_exact(n).zip(weights);
    let variance: f64 = rows().map(|(row, w)| w * row.iter().zip(weights).map(|(s, w)| s * w).sum::<f64>()).sum();
    match method {
        Method::MinimumVariance => variance.sqrt(),
        Method::MaximumDiversification => {
            let apart: f64 = weights.iter().enumerate().map(|(i, w)| w * covariance[i * n + i].sqrt()).sum();
            apart / variance.sqrt()
        }
        _ => weights.iter().map(|w| w * w).sum(),
    }
}

/// What the three methods add in a batch of the engine.
fn together(batch: &Batch, problems: u64) {
    let beside = |methods: &[Method]| Request::Portfolios { beside: Selection::new(methods, Vec::new()) };
    let (plain, all) = (beside(&[Method::EqualWeight]), beside(&[&[Method::EqualWeight], &SOLVED[..]].concat()));
    let run = |request: &Request| {
        let job = CpuEngine::default().job(batch, request);
        std::hint::black_box(job.run(0..batch.problems(), &Stop::NEVER).expect("the CPU does not fail"));
    };
    let [plain, all] = medians([&mut || run(&plain), &mut || run(&all)]);
    let added = [all[0] - plain[0], all[1] - plain[1]];
    print("the three beside erc in a batch", batch.assets(), problems, added, None);
}

/// Draw, covariance and solve under every estimator that costs little.
fn bootstrap(returns: &Returns) {
    let (n, resamples) = (returns.assets.len(), 1000);
    let panel = Arc::new(Panel::new(returns).expect("the returns are sound"));
    for (title, scheme, length) in BLOCKS {
        let law = Law::new(scheme, length, panel.rows(), 1, 0).expect("a valid law");
        let run = |estimator| {
            let rows = Rows::Resampled { law, resamples };
            let batch = Batch::estimated(Arc::clone(&panel), rows, estimator, &vec![1.0; n]).expect("equal budgets");
            std::hint::black_box(risk_budgeting(&batch));
        };
        let [mut a, mut b, mut c, mut d, mut e] = CHEAP.map(|estimator| move || run(estimator));
        for (estimator, time) in CHEAP.iter().zip(medians([&mut a, &mut b, &mut c, &mut d, &mut e])) {
            print(&format!("bootstrap, {title}, {}", estimator.name()), n, resamples, time, None);
        }
    }
}

/// 10,000 resamples under six methods: solved, and the whole study with its statistics.
fn study(returns: &Returns) {
    let n = returns.assets.len();
    let config = Config {
        resamples: 10_000,
        scheme: Scheme::Stationary,
        block: Block::Auto,
        seed: 1,
        crosscheck: Sample::Default,
        sensitivity: true,
        periods_per_year: None,
        windows: 8,
        estimator: Estimator::Sample,
        measure: RiskMeasure::Volatility,
    };
    let selection = Selection::new(&Method::NAMED, Vec::new());
    let planned = |observer: &mut dyn Observer| {
        let plan = Plan::new(returns, &vec![1.0; n], &config, observer).expect("the returns are sound");
        plan.beside(selection.clone())
    };
    let (plan, request) = (planned(&mut Unwatched), Request::Portfolios { beside: selection.clone() });
    let [solving, whole] = medians([
        &mut || {
            let job = CpuEngine::default().job(plan.batch(), &request);
            std::hint::black_box(job.run(0..config.resamples, &Stop::NEVER).expect("the CPU does not fail"));
        },
        &mut || {
            let (engine, store, observer) = (&CpuEngine::default(), &mut Checkpoint::none(), &mut Unwatched);
            let plan = planned(observer);
            let context = &mut Context { engine, store, observer };
            std::hint::black_box(solve(&plan, context).expect("the CPU does not fail"));
        },
    ]);
    print("six methods, solved", n, config.resamples, solving, None);
    print("six methods, the whole study", n, config.resamples, whole, None);
}
