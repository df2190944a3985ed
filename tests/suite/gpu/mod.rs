//! Does the GPU engine compute what the CPU computes? On whatever adapter there is, a software one included; without
//! any these tests fail. `tests/run.sh` runs them on adapters whose subgroups differ, and says with `TEST_ADAPTER` which
//! one it means.

use std::sync::OnceLock;

use equirisk::ErrorKind;
use equirisk::engine::gpu::{GpuEngine, Options, adapters};
use equirisk::engine::{Engine, Job, Precision};
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::stop::Stop;
use equirisk::{Batch, Request, Solutions, Status};

mod bench;
mod draw;
mod estimators;
mod limits;
mod listed;
mod measure;
mod methods;
mod precision;
mod profile;
mod solutions;
mod stages;
mod trouble;
mod windows;

/// The engine that most tests share: kernels are compiled once.
fn engine() -> &'static GpuEngine {
    static ENGINE: OnceLock<GpuEngine> = OnceLock::new();
    ENGINE.get_or_init(|| open(Options::default()))
}

fn open(options: Options) -> GpuEngine {
    GpuEngine::open(Options { allow_software: true, ..options })
        .expect("these tests need an adapter: the Debian package mesa-vulkan-drivers has a software one")
}

/// The same in double precision. An adapter without it is refused: where there is none, that is what is tested.
fn open_double(options: Options) -> Option<GpuEngine> {
    let options = Options { precision: Precision::Double, ..options };
    if engine().facts().double_precision {
        return Some(open(options));
    }
    let error = GpuEngine::open(Options { allow_software: true, ..options }).expect_err("there is no double precision");
    assert_eq!(error.kind, ErrorKind::Device);
    assert!(error.message.contains("no double precision"), "{error}");
    None
}

#[test]
fn the_adapter_is_the_one_that_is_meant() {
    let facts = engine().facts();
    if let Ok(meant) = std::env::var("TEST_ADAPTER") {
        assert!(facts.name.contains(&meant), "`{}` is not `{meant}`", facts.name);
        assert_eq!(adapters().len(), 1, "and there is no other: {:?}", adapters());
    }
    assert_eq!(Some(facts), adapters().get(facts.index));
}

/// Returns of `n` assets with a common factor, volatilities spread sevenfold, tails a little heavy.
fn panel(rows: usize, n: usize) -> Panel {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as f64 / f64::from(1_u32 << 31) - 0.5
    };
    let mut values = Vec::with_capacity(rows * n);
    for _ in 0..rows {
        let size = 1.0 + 4.0 * uniform().abs();
        let market = uniform() + uniform();
        for i in 0..n {
            let volatility = 0.005 * (1.0 + 6.0 * i as f64 / n as f64);
            values.push(volatility * size * (0.7 * market + uniform() + uniform()) + 1e-4);
        }
    }
    let assets = (0..n).map(|i| format!("A{i}")).collect();
    Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap()
}

/// Resamples of such returns, stationary with blocks of 10 (or T, if that is less), equal budgets. Moments go by steps.
fn batch(rows: usize, n: usize) -> Batch<'static> {
    drawn(Scheme::Stationary, (rows as f64).min(10.0), rows, n)
}

/// The same row by row. Moments go by counts.
fn iid(rows: usize, n: usize) -> Batch<'static> {
    drawn(Scheme::Iid, 1.0, rows, n)
}

fn drawn(scheme: Scheme, length: f64, rows: usize, n: usize) -> Batch<'static> {
    let law = Law::new(scheme, length, rows, 42, 0).unwrap();
    Batch::resampled(panel(rows, n), law, u64::MAX, &vec![1.0; n]).unwrap()
}

/// The same resamples with other budgets.
fn budgeted(batch: &Batch, budgets: &[f64]) -> Batch<'static> {
    let (panel, law) = batch.resamples().unwrap();
    Batch::resampled(panel.clone(), law, batch.problems(), budgets).unwrap()
}

fn solve(engine: &impl Engine, batch: &Batch, range: std::ops::Range<u64>) -> Solutions {
    let request = Request::COMPARED;
    let job = engine.prepare(batch, &request).unwrap();
    job.run(range, &Stop::NEVER).unwrap().portfolios()
}

/// The weights' bits, so that equality is equality.
fn bits(solutions: &Solutions) -> Vec<u64> {
    solutions.weights.iter().map(|w| w.to_bits()).collect()
}

fn count(solutions: &Solutions, status: Status) -> usize {
    solutions.certificates.iter().filter(|c| c.status == status).count()
}
