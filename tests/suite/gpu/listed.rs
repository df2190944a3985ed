//! Are listed sets of assets of every resample solved as on the CPU, and do runs on a device end when they are asked to?

use super::*;
use crate::batch::{assert_ends, assert_figures_go_on, assert_portfolios_go_on};
use crate::screen::{first_of, nikkei};
use equirisk::Program;
use equirisk::batch::{Assets, Covariances, Rows, Source};
use equirisk::covariance::Estimator;
use equirisk::engine::cpu::CpuEngine;
use equirisk::measure::Metric;
use equirisk::observer::Unwatched;
use equirisk::run::{Context, Work, gather};
use equirisk::store::Checkpoint;
use equirisk::subsets::Subsets;
use equirisk::subsets::space::Space;

/// Sets of four of ten assets, of so many resamples.
fn listed(scheme: Scheme, length: f64, resamples: u64) -> Batch<'static> {
    let law = Law::new(scheme, length, 300, 42, 0).unwrap();
    let rows = Rows::Resampled { law, resamples };
    let panel = panel(300, 10).into();
    let covariances = Covariances::Estimated { panel, rows, estimator: Estimator::Sample };
    let assets = Assets::listed([vec![0, 1, 2, 3], vec![9, 4, 7, 0], vec![5, 6, 8, 2]]).unwrap();
    Batch::new(Source { covariances, assets }, Program::new(&[1.0, 2.0, 3.0, 4.0]).unwrap()).unwrap()
}

#[test]
fn listed_sets_of_resamples_are_solved_as_on_the_cpu() {
    for (scheme, length) in [(Scheme::Stationary, 10.0), (Scheme::Iid, 1.0)] {
        let batch = listed(scheme, length, 40);
        let (gpu, cpu) = (solve(engine(), &batch, 0..120), solve(&CpuEngine::default(), &batch, 0..120));
        assert_eq!(count(&gpu, Status::Converged), 120, "{:?}", gpu.certificates);
        // Risk shares are within 1e-5 of their budgets, relatively; weights follow.
        let near = |gpu: &[f64], cpu: &[f64], tolerance: f64| {
            assert_eq!(gpu.len(), cpu.len());
            gpu.iter().zip(cpu).for_each(|(g, c)| assert!((g / c - 1.0).abs() <= tolerance, "{g:e} {c:e}"));
        };
        near(&gpu.weights, &cpu.weights, 1e-5);
        near(&gpu.comparisons.volatilities, &cpu.comparisons.volatilities, 1e-6);
        near(&gpu.comparisons.portfolios, &cpu.comparisons.portfolios, 1e-6);

        let request = Request::Metrics(vec![Metric::MaxWeight, Metric::Volatility, Metric::Diversification]);
        let figures = |engine: &dyn Engine| {
            engine.prepare(&batch, &request).unwrap().run(0..120, &Stop::NEVER).unwrap().metrics()
        };
        let (gpu, cpu) = (figures(engine()), figures(&CpuEngine::default()));
        assert_eq!(gpu.statuses, cpu.statuses);
        gpu.columns.iter().zip(&cpu.columns).for_each(|(gpu, cpu)| near(gpu, cpu, 1e-5));
        assert!(gpu.rc_error.iter().all(|&error| error <= 1e-5), "{:?}", gpu.rc_error);
    }
}

#[test]
fn listed_sets_do_not_depend_on_how_the_batch_is_cut() {
    let batch = listed(Scheme::Stationary, 10.0, 14);
    let whole = solve(engine(), &batch, 0..42);
    // Within a resample's sets, and with room for a few problems at a time.
    let small = open(Options { memory: Some(1 << 20), ..Options::default() });
    for engine in [engine(), &small] {
        let mut cut = solve(engine, &batch, 0..1);
        cut.extend(solve(engine, &batch, 1..20));
        cut.extend(solve(engine, &batch, 20..42));
        assert_eq!(whole, cut);
    }
}

#[test]
fn runs_of_listed_sets_are_rescued_and_checked() {
    let batch = listed(Scheme::Stationary, 10.0, 40);
    let sample: Vec<u64> = (0..120).collect();
    let work = Work { batch: &batch, request: &Request::PORTFOLIOS, number: 0, sample: &sample };
    let store = &mut Checkpoint::none();
    let found = gather(work, 0..120, &mut Context { engine: engine(), store, observer: &mut Unwatched }).unwrap();
    let check = found.check.unwrap();
    assert_eq!((check.sampled, check.disagreements, found.solutions.certificates.len()), (120, 0, 120));
}

#[test]
fn a_figure_that_a_device_does_not_resample_for_is_refused() {
    let (batch, request) = (listed(Scheme::Iid, 1.0, 2), Request::Metrics(vec![Metric::EffectiveBets]));
    let error = engine().prepare(&batch, &request).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Device);
    assert!(error.message.contains("effective-bets"), "{error}");
}

#[test]
fn jobs_on_a_device_end_when_they_are_asked_to() {
    // Room for a few problems at a time: there are pieces after the first.
    let small = open(Options { memory: Some(160 << 10), ..Options::default() });
    assert_ends(&small, &batch(300, 10), &[Request::COMPARED], 200);
    let subsets = Subsets::all(Space::of(24, 4).unwrap()).unwrap();
    let screen = Batch::subsets(first_of(&nikkei(), 24), subsets, 9000, None).unwrap();
    assert_ends(&small, &screen, &[Request::Metrics(vec![Metric::Volatility])], 9000);
}

#[test]
fn runs_on_a_device_go_on_where_they_were_ended() {
    assert_portfolios_go_on(engine());
    assert_figures_go_on(engine(), &first_of(&nikkei(), 40), 4096..8192);
}
