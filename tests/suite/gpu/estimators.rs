//! Does a device estimate what the CPU estimates?

use super::*;
use equirisk::covariance::resampler::{Resampler, Workspace};
use equirisk::engine::cpu::CpuEngine;
use equirisk::engine::gpu::Faults;
use equirisk::observer::Unwatched;
use equirisk::run::{Context, Work, gather};
use equirisk::sampling::Rows;
use equirisk::store::Checkpoint;
use equirisk::{Covariances, Estimator};

const LINEAR: [Estimator; 3] = [Estimator::LedoitWolf, Estimator::ConstantCorrelation, Estimator::Oas];

/// (T, n): one asset, threads, subgroups, workgroups and streams; T of less than a slice, of several, beyond a dispatch.
const SHAPES: [(usize, usize); 9] =
    [(60, 1), (60, 2), (252, 3), (5000, 10), (100, 16), (252, 33), (300, 70), (130, 140), (300, 500)];

fn estimated(scheme: Scheme, length: f64, rows: usize, n: usize, estimator: Estimator) -> Batch<'static> {
    let law = Law::new(scheme, length, rows, 42, 0).unwrap();
    let rows = Rows::Resampled { law, resamples: 1 << 41 };
    Batch::estimated(panel(law.rows as usize, n), rows, estimator, &vec![1.0; n]).unwrap()
}

fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    a.iter().zip(b).fold(0.0_f64, |m, (a, b)| if (a - b).abs() <= m { m } else { (a - b).abs() }) / largest
}

fn assert_agrees(engine: &GpuEngine, batch: &Batch, problems: u64, tolerance: f64) {
    let (gpu, cpu) = (solve(engine, batch, 0..problems), solve(&CpuEngine::default(), batch, 0..problems));
    let n = batch.assets();
    let (precision, Covariances::Estimated { estimator, .. }) = (engine.info().precision, &batch.source().covariances)
    else {
        panic!("nothing is estimated")
    };
    let what = format!("T {}, n {n}, {}, {precision:?}", batch.rows(), estimator.name());
    let solved: Vec<usize> =
        (0..problems as usize).filter(|&p| gpu.certificates[p].status == Status::Converged).collect();
    assert!(solved.len() >= problems as usize * 9 / 10, "{what}: {} of {problems}", solved.len());
    assert_eq!(gpu.parameters.len(), cpu.parameters.len(), "{what}");
    for p in solved {
        let row = p * n..(p + 1) * n;
        let off = difference(&gpu.weights[row.clone()], &cpu.weights[row.clone()]);
        assert!(off <= tolerance, "{what}, problem {p}: weights off by {off:e}");
        let off = difference(&gpu.comparisons.volatilities[row.clone()], &cpu.comparisons.volatilities[row]);
        assert!(off <= 1e-6, "{what}, problem {p}: volatilities off by {off:e}");
        let off = difference(&gpu.comparisons.portfolios[2 * p..][..2], &cpu.comparisons.portfolios[2 * p..][..2]);
        assert!(off <= 2e-6, "{what}, problem {p}: portfolios off by {off:e}");
        if let (Some(found), Some(expected)) = (gpu.parameters.get(p), cpu.parameters.get(p)) {
            // 1e-5 relative; an intensity near zero is a difference of larger numbers.
            let off = (found - expected).abs() / expected.max(0.1);
            assert!(off <= 1e-5, "{what}, problem {p}: intensity {found} where {expected} is right");
        }
    }
}

#[test]
fn shrunk_resamples_are_those_of_the_cpu() {
    for (rows, n) in SHAPES {
        for estimator in LINEAR {
            let problems = if n > 100 { 3 } else { 40 };
            let length = (rows as f64 / 8.0).min(20.0);
            assert_agrees(engine(), &estimated(Scheme::Stationary, length, rows, n, estimator), problems, 1e-5);
            assert_agrees(engine(), &estimated(Scheme::Iid, 1.0, rows, n, estimator), problems, 1e-5);
        }
    }
}

#[test]
fn shrunk_resamples_are_those_of_the_cpu_in_double_precision_and_without_features() {
    let plain = open(Options { plain: true, ..Options::default() });
    let double = open_double(Options::default());
    for (rows, n) in [(252, 3), (300, 12), (252, 33), (260, 70)] {
        for estimator in LINEAR {
            for (scheme, length) in [(Scheme::Stationary, 20.0), (Scheme::Iid, 1.0)] {
                let batch = estimated(scheme, length, rows, n, estimator);
                assert_agrees(&plain, &batch, 9, 1e-5);
                if let Some(double) = &double {
                    assert_agrees(double, &batch, 9, 2e-7);
                }
            }
        }
    }
}

#[test]
fn a_history_of_many_bindings_is_shrunk_alike() {
    // A binding holds 4,096 rows of 64 assets, and a dispatch takes as many.
    let small = open(Options { binding_bytes: Some(1400 << 10), ..Options::default() });
    for estimator in LINEAR {
        for (scheme, length) in [(Scheme::Circular, 100.0), (Scheme::Iid, 1.0)] {
            let batch = estimated(scheme, length, 10_000, 64, estimator);
            let (few, all) = (solve(&small, &batch, 0..5), solve(engine(), &batch, 0..5));
            assert!(few.weights == all.weights && few.parameters == all.parameters, "{estimator:?}");
        }
    }
}

/// Of more assets than rows count, correlations are singular: few problems have an answer that rounding leaves.
const HALF_LIVES: [f64; 3] = [20.0, 63.0, 1e6];

#[test]
fn weights_that_decay_are_those_of_the_cpu() {
    for (rows, n) in SHAPES {
        for half_life in HALF_LIVES.into_iter().filter(|half_life| *half_life > 100.0 || n < 20) {
            let problems = if n > 100 { 3 } else { 40 };
            let estimator = Estimator::Ewma { half_life };
            let length = (rows as f64 / 8.0).min(20.0);
            assert_agrees(engine(), &estimated(Scheme::Stationary, length, rows, n, estimator), problems, 1e-5);
            assert_agrees(engine(), &estimated(Scheme::Circular, length.floor(), rows, n, estimator), problems, 1e-5);
            assert_agrees(engine(), &estimated(Scheme::Iid, 1.0, rows, n, estimator), problems, 1e-5);
        }
    }
    // Over several tiles of draws and two dispatches of slices, and in one block.
    for (rows, length) in [(20_000, 50.0), (300, 300.0)] {
        let batch = estimated(Scheme::Stationary, length, rows, 3, Estimator::Ewma { half_life: 250.0 });
        assert_agrees(engine(), &batch, 9, 1e-5);
    }
    // Ends of runs that find no room leave their problem to the CPU.
    let faults = Faults { step_groups: Some(3), ..Faults::default() };
    let cramped = open(Options { faults, ..Options::default() });
    let batch = estimated(Scheme::Stationary, 20.0, 600, 3, Estimator::Ewma { half_life: 63.0 });
    assert_eq!(count(&solve(&cramped, &batch, 0..40), Status::Stalled), 40);
}

#[test]
fn where_one_row_counts_most_the_device_is_right_or_leaves_it() {
    for half_life in [0.1, 0.2, 0.5, 1.0, 3.0] {
        for n in [2, 20] {
            let batch = estimated(Scheme::Iid, 1.0, 60, n, Estimator::Ewma { half_life });
            let (gpu, cpu) = (solve(engine(), &batch, 0..300), solve(&CpuEngine::default(), &batch, 0..300));
            for p in (0..300).filter(|&p| gpu.certificates[p].status == Status::Converged) {
                let row = p * n..(p + 1) * n;
                let off = difference(&gpu.weights[row.clone()], &cpu.weights[row]);
                assert!(off <= 1e-5, "half-life {half_life}, n {n}, problem {p}: weights off by {off:e}");
            }
        }
    }
}

#[test]
fn the_gerber_statistic_is_that_of_the_cpu() {
    let double = open_double(Options::default());
    for (rows, n) in SHAPES {
        let problems = if n > 100 { 3 } else { 40 };
        let length = (rows as f64 / 8.0).min(20.0);
        for batch in [
            estimated(Scheme::Stationary, length, rows, n, Estimator::Gerber),
            estimated(Scheme::Iid, 1.0, rows, n, Estimator::Gerber),
        ] {
            // Of 150,000 returns some are nearer to their threshold than rounding.
            assert_agrees(engine(), &batch, problems, 1e-5);
            if let Some(double) = double.as_ref().filter(|_| n < 100) {
                assert_agrees(double, &batch, 9, 2e-7);
            }
            // Ratios of integers: those of the CPU, rounded.
            let numbers = [0, 5, 77];
            let found = engine().stages(&batch, &numbers).unwrap();
            let Covariances::Estimated { panel, rows: sets, estimator } = &batch.source().covariances else { panic!() };
            let resampler = Resampler::new(panel, sets, *estimator);
            for (p, &number) in numbers.iter().enumerate() {
                let mut work = Workspace::default();
                assert!(resampler.alone().covariance(number, &mut work));
                let correlations = &found.correlations[p * n * n..(p + 1) * n * n];
                let left = found.volatilities[p * n..(p + 1) * n].contains(&0.0);
                for (found, right) in correlations.iter().zip(&work.model.correlation) {
                    // A division on a device is within 2.5 units of the last place.
                    assert!(left || (found - right).abs() <= 3e-7 * right.abs(), "T {rows}, n {n}: {found}, {right}");
                }
            }
        }
    }
}

#[test]
fn returns_at_their_threshold_are_left_to_the_cpu() {
    // Of a, -a, b, -b in turn with b^2 = 7 a^2 the mean square is 4 a^2: half its root is a. Resamples are the history, turned.
    let turn = |t: usize| [1.0, -1.0, 7.0_f64.sqrt(), -7.0_f64.sqrt()][t % 4];
    let values = (0..64).flat_map(|t| [0.01 * turn(t), 0.02 * turn(t / 4)]).collect();
    let assets = vec!["A".to_owned(), "B".to_owned()];
    let panel = Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap();
    let law = Law::new(Scheme::Circular, 64.0, 64, 42, 0).unwrap();
    let rows = Rows::Resampled { law, resamples: 50 };
    let batch = Batch::estimated(panel, rows, Estimator::Gerber, &[1.0, 1.0]).unwrap();
    assert_eq!(count(&solve(engine(), &batch, 0..50), Status::Stalled), 50);
    assert_eq!(count(&solve(&CpuEngine::default(), &batch, 0..50), Status::Converged), 50);
}

#[test]
fn what_rows_count_is_equal_bit_for_bit() {
    let resamples = [0, 1, 77, (1 << 32) + 3];
    for rows in [2, 60, 257, 2520, 5000] {
        for (scheme, length) in [(Scheme::Iid, 1.0), (Scheme::Stationary, 20.0), (Scheme::Circular, 2.0)] {
            for half_life in [0.1, 5.0, 63.0, 1e9] {
                let length = if rows < 60 { 1.0 } else { length };
                let batch = estimated(scheme, length, rows, 1, Estimator::Ewma { half_life });
                let counts = engine().prepare(&batch, &Request::PORTFOLIOS).unwrap().counts(&resamples).unwrap();
                let expected = CpuEngine::default().job(&batch, &Request::PORTFOLIOS).counts(&resamples).unwrap();
                assert!(counts == expected, "T {rows}, {scheme:?}, half-life {half_life}");
                let sums = expected.chunks(rows).map(|row| row.iter().map(|&x| u64::from(x)).sum::<u64>());
                assert!(sums.collect::<std::collections::BTreeSet<_>>().len() == 1, "every position counts once");
            }
        }
    }
}

#[test]
fn runs_on_a_device_are_checked_with_their_intensities() {
    for estimator in LINEAR.into_iter().chain([Estimator::Ewma { half_life: 100.0 }, Estimator::Gerber]) {
        let batch = estimated(Scheme::Stationary, 10.0, 400, 8, estimator);
        let sample: Vec<u64> = (0..300).collect();
        let work = Work { batch: &batch, request: &Request::COMPARED, number: 0, sample: &sample };
        let context = &mut Context { engine: engine(), store: &mut Checkpoint::none(), observer: &mut Unwatched };
        let found = gather(work, 0..300, context).unwrap();
        let check = found.check.unwrap();
        assert_eq!((check.sampled, check.disagreements), (300, 0), "{estimator:?}");
        assert_eq!(found.solutions.parameters.len(), if estimator.parameter().is_some() { 300 } else { 0 });
        assert!(found.solutions.certificates.iter().filter(|own| !own.rescued).count() > 250, "{estimator:?}");
    }
}

#[test]
fn exponential_weights_are_not_taken_in_double_precision() {
    let Some(double) = open_double(Options::default()) else { return };
    let batch = estimated(Scheme::Iid, 1.0, 100, 3, Estimator::Ewma { half_life: 20.0 });
    let error = double.prepare(&batch, &Request::PORTFOLIOS).err().unwrap();
    assert!(error.message.to_string().contains("ewma in double precision"), "{error}");
}
