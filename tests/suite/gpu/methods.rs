//! Do devices find the portfolios of other methods that the CPU finds?

use super::*;
use equirisk::Method;
use equirisk::engine::cpu::CpuEngine;
use equirisk::methods::{Mix, Selection};
use equirisk::observer::Unwatched;
use equirisk::run::{Context, Work, gather};
use equirisk::store::Checkpoint;

const SOLVED: [Method; 3] = [Method::MinimumVariance, Method::MaximumDiversification, Method::HierarchicalRiskParity];

/// All methods and two mixes, the second short of an asset.
fn all(n: usize) -> Request {
    let mix = |name: &str, of: &dyn Fn(usize) -> f64| {
        let weights: Vec<f64> = (0..n).map(of).collect();
        let total: f64 = weights.iter().sum();
        Mix { name: name.to_owned(), weights: weights.iter().map(|w| w / total).collect() }
    };
    let mixes = vec![mix("rising", &|i| (i + 1) as f64), mix("hedged", &|i| if i == 0 { -0.5 } else { 2.0 })];
    Request::Portfolios { beside: Selection::new(&Method::NAMED, if n > 1 { mixes } else { Vec::new() }) }
}

fn solved(engine: &impl Engine, batch: &Batch, request: &Request, problems: u64) -> Solutions {
    engine.prepare(batch, request).unwrap().run(0..problems, &Stop::NEVER).unwrap().portfolios()
}

/// Compares what the device finished; of so many problems in a hundred at least.
fn assert_agrees(engine: &GpuEngine, batch: &Batch, problems: u64, least: usize) {
    let n = batch.assets();
    let request = all(n);
    let (gpu, cpu) =
        (solved(engine, batch, &request, problems), solved(&CpuEngine::default(), batch, &request, problems));
    let (methods, single) = (request.beside().methods(), engine.info().precision == Precision::Single);
    let what = format!("T {}, n {n}", batch.rows());
    let close = if single { 1e-5 } else { 1e-10 };
    for method in SOLVED {
        let (found, expected) = (gpu.comparisons.of(method).unwrap(), cpu.comparisons.of(method).unwrap());
        let finished: Vec<usize> =
            (0..problems as usize).filter(|&p| found.proofs[p].status == Status::Converged).collect();
        assert!(100 * finished.len() >= least * problems as usize, "{what}: {method:?} of {}", finished.len());
        for p in 0..problems as usize {
            let (weights, right) = (&found.weights[p * n..][..n], &expected.weights[p * n..][..n]);
            let (proof, certified) = (found.proofs[p], expected.proofs[p]);
            if proof.status != Status::Converged {
                assert!(proof.status == Status::Stalled && weights.iter().all(|w| w.is_nan()), "{what}: {method:?}");
                continue;
            }
            assert_eq!(certified.status, Status::Converged, "{what}: {method:?}, problem {p}");
            assert!((weights.iter().sum::<f64>() - 1.0).abs() <= 2e-6 && weights.iter().all(|w| *w >= 0.0));
            // A pivot of 1e-3 makes weights of rounding a thousand times as large.
            let tolerance = match (method, single) {
                (Method::HierarchicalRiskParity, _) => close,
                (_, true) => 1e-3,
                (_, false) => 1e-7,
            };
            let largest = right.iter().copied().fold(0.0, f64::max);
            for (i, (found, right)) in weights.iter().zip(right).enumerate() {
                let off = (found - right).abs();
                assert!(off <= tolerance * largest, "{what}: {method:?}, problem {p}: weight {i} off by {off:e}");
            }
            assert!(proof.unique && proof.error <= 1e-5, "{what}: {method:?}, problem {p}: {proof:?}");
            // Of weights that are a little off, the ratio that is maximised is off by their square, its parts are not.
            let close_to = if method == Method::MaximumDiversification { tolerance } else { 0.2 * close };
            let off = (proof.volatility / certified.volatility - 1.0).abs();
            assert!(off <= close_to, "{what}: {method:?}, problem {p}: volatility off by {off:e}");
            if method == Method::HierarchicalRiskParity && n > 2 {
                // The CPU's keys are whole multiples of 2^-30.
                assert!((proof.margin - certified.margin).abs() <= close.max(2e-9), "{what}: {proof:?}, {certified:?}");
            }
            assert_eq!(proof.margin.is_nan(), certified.margin.is_nan());
        }
    }
    for (place, method) in methods.iter().enumerate() {
        for p in 0..problems as usize {
            let (found, right) = (p * methods.len() + place, &cpu.comparisons.portfolios[p * methods.len() + place]);
            let found = gpu.comparisons.portfolios[found];
            let off = (found / right - 1.0).abs();
            let close = if *method == Method::MaximumDiversification { 5e-3 } else { close };
            assert!(
                off <= 0.2 * close || found.is_nan(),
                "{what}: {method:?}, problem {p}: {found} where {right} is right"
            );
            let is_solved = SOLVED.contains(method);
            assert!(is_solved || gpu.certificates[p].status != Status::Converged || !found.is_nan(), "{method:?}");
        }
    }
}

#[test]
fn other_methods_are_those_of_the_cpu_for_every_size() {
    for (n, problems) in
        [(1, 5), (2, 40), (3, 40), (10, 60), (16, 30), (17, 20), (33, 20), (64, 10), (100, 5), (128, 4)]
    {
        // Of more assets more trees are near another.
        let least = match n {
            ..=17 => 90,
            18..=33 => 50,
            34..=64 => 10,
            _ => 0,
        };
        assert_agrees(engine(), &batch(600, n), problems, least);
        assert_agrees(engine(), &iid(600, n), problems, least);
    }
}

#[test]
fn other_methods_are_those_of_the_cpu_in_windows() {
    for n in [2, 10, 33] {
        let least = if n < 33 { 90 } else { 25 };
        let batch = windows::sampled(Scheme::Stationary, 20.0, n, &windows::rolling(252, 37));
        assert_agrees(engine(), &batch, 18, least);
    }
}

#[test]
fn other_methods_are_those_of_the_cpu_without_features_and_in_double_precision() {
    let plain = open(Options { plain: true, workgroup_bytes: Some(16 << 10), ..Options::default() });
    for n in [3, 12, 33, 64] {
        assert_agrees(&plain, &iid(600, n), 9, 50);
    }
    let Some(double) = open_double(Options::default()) else { return };
    for n in [1, 3, 12, 33, 64] {
        assert_agrees(&double, &batch(600, n), 9, 90);
    }
}

#[test]
fn what_is_asked_for_beside_it_changes_nothing_of_risk_budgeting() {
    // One kernel from moments to weights, and several.
    for n in [10, 33] {
        let batch = batch(600, n);
        let sample: Vec<u64> = (0..40).collect();
        let run = |request: &Request| {
            let work = Work { batch: &batch, request, number: 0, sample: &sample };
            let context = &mut Context { engine: engine(), store: &mut Checkpoint::none(), observer: &mut Unwatched };
            let found = gather(work, 0..40, context).unwrap();
            assert_eq!(found.check.unwrap().disagreements, 0, "n {n}");
            found.solutions
        };
        let (few, many) = (run(&Request::COMPARED), run(&all(n)));
        assert!(bits(&few) == bits(&many), "n {n}");
        assert_eq!(format!("{:?}", few.certificates), format!("{:?}", many.certificates), "n {n}");
        assert_eq!(few.comparisons.volatilities, many.comparisons.volatilities, "n {n}");
        for solved in &many.comparisons.solved {
            assert!(solved.proofs.iter().all(|proof| proof.status == Status::Converged), "n {n}: {:?}", solved.method);
            assert!(solved.weights.iter().all(|w| !w.is_nan()), "n {n}");
        }
    }
}

/// Every asset twice, the second time with a little noise.
fn twins(rows: usize, n: usize, noise: f64) -> Panel {
    let whole = panel(rows, 2 * n);
    let values = |row: &[f64]| -> Vec<f64> {
        let twin = |i: usize| row[i] + noise * row[n + i];
        (0..n).map(|i| row[i]).chain((0..n).map(twin)).collect()
    };
    let values = whole.values().chunks_exact(2 * n).flat_map(values).map(|z| 0.01 * z).collect();
    let assets = (0..2 * n).map(|i| format!("A{i}")).collect();
    Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap()
}

#[test]
fn what_single_precision_cannot_tell_is_left_to_the_cpu() {
    let law = Law::new(Scheme::Iid, 1.0, 400, 42, 0).unwrap();
    for noise in [0.0, 1e-4, 1e-3] {
        let batch = Batch::resampled(twins(400, 5, noise), law, 100, &[1.0; 10]).unwrap();
        let request = all(10);
        let gpu = solved(engine(), &batch, &request, 40);
        for method in [Method::MinimumVariance, Method::MaximumDiversification] {
            let found = gpu.comparisons.of(method).unwrap();
            assert!(found.proofs.iter().all(|proof| proof.status == Status::Stalled), "{noise}: {method:?}");
        }
    }
    // Far enough apart, the device tells them.
    let batch = Batch::resampled(twins(400, 5, 0.3), law, 100, &[1.0; 10]).unwrap();
    assert_agrees(engine(), &batch, 40, 80);
}

#[test]
fn a_mix_of_twins_long_and_short_is_right_or_left_to_the_cpu() {
    let law = Law::new(Scheme::Iid, 1.0, 400, 42, 0).unwrap();
    let weights = (0..10).map(|i| [2.0, 0.0, 0.0, 0.0, 0.0, -1.0][i.min(5)] * f64::from(i < 6)).collect();
    let beside = Selection::new(&[], vec![Mix { name: "spread".to_owned(), weights }]);
    let request = Request::Portfolios { beside };
    for noise in [0.0, 1e-4, 1e-2, 0.1, 1.0] {
        let batch = Batch::resampled(twins(400, 5, noise), law, 100, &[1.0; 10]).unwrap();
        let (gpu, cpu) = (solved(engine(), &batch, &request, 40), solved(&CpuEngine::default(), &batch, &request, 40));
        let found = gpu.comparisons.portfolios.iter().zip(&cpu.comparisons.portfolios);
        for (found, right) in found.filter(|(found, _)| !found.is_nan()) {
            assert!((found / right - 1.0).abs() <= 2e-5, "{noise}: {found} where {right} is right");
        }
        assert!(noise < 1.0 || gpu.comparisons.portfolios.iter().all(|found| found.is_finite()), "{noise}");
    }
}

#[test]
fn beyond_what_devices_take_the_cpu_takes_all() {
    let error = |n: usize, methods: &[Method]| {
        let request = Request::Portfolios { beside: Selection::new(methods, Vec::new()) };
        engine().prepare(&iid(300, n), &request).err().map(|error| error.message.to_string())
    };
    let told = error(129, &[Method::HierarchicalRiskParity]).unwrap();
    assert!(told.contains("`hrp` of 129 assets"), "{told}");
    assert!(error(257, &[Method::MinimumVariance]).unwrap().contains("`min_variance` of 257 assets"));
    assert_eq!(error(200, &[Method::MinimumVariance]), None);
}
