//! Are the weights right for every size, and the same however they are computed?

use super::*;
use crate::cases::{Npz, json};
use equirisk::engine::cpu::CpuEngine;
use equirisk::engine::gpu::Faults;
use equirisk::observer::Unwatched;
use equirisk::run::{Context, Work, gather};
use equirisk::store::Checkpoint;

/// Largest |a - b| over the largest b.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let largest = b.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    a.iter().zip(b).fold(0.0_f64, |m, (a, b)| if (a - b).abs() <= m { m } else { (a - b).abs() }) / largest
}

fn assert_agrees(engine: &GpuEngine, rows: usize, n: usize, problems: u64) {
    let batch = batch(rows, n);
    let gpu = solve(engine, &batch, 0..problems);
    let cpu = solve(&CpuEngine::default(), &batch, 0..problems);
    assert_eq!(count(&gpu, Status::Converged), problems as usize, "T {rows}, n {n}: {:?}", gpu.certificates);
    for (p, weights) in gpu.weights.chunks(n).enumerate() {
        // Risk shares are within 1e-5 of their budgets, relatively; weights follow.
        let error = difference(weights, &cpu.weights[p * n..(p + 1) * n]);
        assert!(error <= 1e-5, "T {rows}, n {n}, problem {p}: weights off by {error:e}");
        assert!((weights.iter().sum::<f64>() - 1.0).abs() <= 1e-6);
        assert!(weights.iter().all(|&w| f64::from(w as f32) == w), "weights are exact in single precision");
    }
    let compared = [
        (&gpu.comparisons.volatilities, &cpu.comparisons.volatilities),
        (&gpu.comparisons.portfolios, &cpu.comparisons.portfolios),
    ];
    for (gpu, cpu) in compared {
        assert_eq!(gpu.len(), cpu.len());
        assert!(difference(gpu, cpu) <= 1e-6, "T {rows}, n {n}: {gpu:?} {cpu:?}");
    }
}

#[test]
fn weights_are_those_of_the_cpu_for_every_size() {
    for n in [1, 2, 3, 10, 15, 16] {
        assert_agrees(engine(), 300, n, 67);
    }
    for n in [17, 33, 64, 65, 100] {
        assert_agrees(engine(), 300, n, 7);
    }
    assert_agrees(engine(), 700, 500, 3);
    assert_agrees(engine(), 300, 2000, 1);
}

#[test]
fn weights_are_those_of_the_cpu_without_optional_features() {
    let engine = open(Options { plain: true, ..Options::default() });
    for n in [17, 33, 64] {
        assert_agrees(&engine, 300, n, 5);
    }
}

#[test]
fn weights_are_those_of_the_cpu_in_16_kib_of_workgroup_memory() {
    let engine = open(Options { workgroup_bytes: Some(16 << 10), ..Options::default() });
    for n in [3, 17, 50, 64, 65, 100, 140] {
        assert_agrees(&engine, 300, n, 5);
    }
    let law = Law::new(Scheme::Iid, 1.0, 5000, 1, 0).unwrap();
    let long = Batch::resampled(panel(5000, 20), law, 4, &[1.0; 20]).unwrap();
    assert_eq!(count(&solve(&engine, &long, 0..4), Status::Converged), 4);
}

#[test]
fn one_kernel_solves_as_three_do() {
    let plain = open(Options { plain: true, ..Options::default() });
    for (n, batch) in [17, 20, 32, 33, 50, 64].into_iter().flat_map(|n| [(n, batch(300, n)), (n, iid(300, n))]) {
        let (one, three) = (solve(engine(), &batch, 0..9), solve(&plain, &batch, 0..9));
        // Both end within a few 1e-6 of the budgets, by sums in another order.
        assert!(difference(&one.weights, &three.weights) <= 4e-6, "n {n}");
        assert!(difference(&one.comparisons.portfolios, &three.comparisons.portfolios) <= 1e-6, "n {n}");
        assert_eq!(one.comparisons.volatilities, three.comparisons.volatilities, "n {n}");
        for (one, three) in one.certificates.iter().zip(&three.certificates) {
            assert_eq!(one.status, three.status, "n {n}");
            assert!((one.kappa / three.kappa - 1.0).abs() <= 1e-5, "n {n}: {one:?}, {three:?}");
            assert!((one.volatility / three.volatility - 1.0).abs() <= 1e-6, "n {n}: {one:?}, {three:?}");
            assert!((one.rc_error - three.rc_error).abs() <= 4e-6, "n {n}: {one:?}, {three:?}");
        }
    }
}

/// Seconds of one thread that `work` takes, at best of three times.
fn seconds(work: impl Fn() + Sync) -> f64 {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let once = || {
        let clock = cpu_time::ThreadTime::now();
        work();
        clock.elapsed().as_secs_f64()
    };
    pool.install(|| (0..3).map(|_| once()).fold(f64::INFINITY, f64::min))
}

#[test]
fn what_goes_to_the_cpu_costs_what_the_cpu_takes() {
    // One budget is beyond single precision: the device is given nothing.
    let budgets: Vec<f64> = (0..10).map(|i| if i == 0 { 1e-6 } else { 1.0 }).collect();
    for (scheme, length) in [(Scheme::Stationary, 60.0), (Scheme::Iid, 1.0)] {
        let law = Law::new(scheme, length, 2000, 42, 0).unwrap();
        let batch = Batch::resampled(panel(2000, 10), law, 2048, &budgets).unwrap();
        let solved = |engine: &dyn Engine| {
            let request = &Request::COMPARED;
            let work = Work { batch: &batch, request, number: 0, sample: &[] };
            let context = &mut Context { engine, store: &mut Checkpoint::none(), observer: &mut Unwatched };
            gather(work, 0..2048, context).unwrap().solutions
        };
        let (rescued, own) = (solved(engine()), solved(&CpuEngine::default()));
        assert!(bits(&rescued) == bits(&own) && rescued.certificates.iter().all(|c| c.rescued));
        let (there, here) = (seconds(|| drop(solved(engine()))), seconds(|| drop(solved(&CpuEngine::default()))));
        // Measured at 1.0; each by itself they took 14 times as long. Other tests run beside this one.
        assert!(there < 2.0 * here, "{there:.3} s for what takes the CPU {here:.3} s");
    }
}

#[test]
fn short_histories_of_many_assets_solve() {
    assert_agrees(engine(), 20, 33, 5);
    assert_agrees(engine(), 60, 100, 5);
}

#[test]
fn unequal_budgets_are_met() {
    let n = 12;
    let budgets: Vec<_> = (1..=n).map(|i| (i * i) as f64).collect();
    let batch = budgeted(&batch(400, n), &budgets);
    let (gpu, cpu) = (solve(engine(), &batch, 0..20), solve(&CpuEngine::default(), &batch, 0..20));
    assert_eq!(count(&gpu, Status::Converged), 20);
    assert!(difference(&gpu.weights, &cpu.weights) <= 1e-5);
}

#[test]
fn volatilities_far_apart_stay_in_range() {
    // From 1e-15 to 1e+10 of the usual size: weights span 25 orders of magnitude.
    let n = 6;
    let scaled = |power: i32, value: f64| value * 10.0_f64.powi(power);
    let usual = batch(400, n);
    let (panel, law) = usual.resamples().unwrap();
    let values =
        panel.values().chunks(n).flat_map(|row| row.iter().zip([-15, -10, -5, 0, 5, 10]).map(|(&z, p)| scaled(p, z)));
    let assets = (0..n).map(|i| format!("A{i}")).collect();
    let returns = Returns { assets, labels: Labels::Text(Vec::new()), values: values.collect() };
    let batch = Batch::resampled(Panel::new(&returns).unwrap(), law, u64::MAX, &vec![1.0; n]).unwrap();
    let (gpu, cpu) = (solve(engine(), &batch, 0..9), solve(&CpuEngine::default(), &batch, 0..9));
    assert_eq!(count(&gpu, Status::Converged), 9);
    for (g, c) in gpu.weights.iter().zip(&cpu.weights) {
        assert!((g / c - 1.0).abs() <= 1e-5, "{g:e} {c:e}");
    }
    for (g, c) in gpu.certificates.iter().zip(&cpu.certificates) {
        // Of the weights as they are, so it follows them.
        assert!((g.volatility / c.volatility - 1.0).abs() <= 1e-5, "{g:?} {c:?}");
    }
    for (g, c) in gpu.comparisons.portfolios.iter().zip(&cpu.comparisons.portfolios) {
        assert!((g / c - 1.0).abs() <= 1e-6, "{g:e} {c:e}");
    }
}

#[test]
fn resample_numbers_beyond_32_bits_solve() {
    let batch = batch(200, 5);
    let range = (1 << 32) - 3..(1 << 32) + 3;
    let (gpu, cpu) = (solve(engine(), &batch, range.clone()), solve(&CpuEngine::default(), &batch, range));
    assert!(difference(&gpu.weights, &cpu.weights) <= 1e-5);
}

#[test]
fn weights_do_not_depend_on_how_the_batch_is_cut() {
    let batches = [batch(300, 10), iid(300, 20), batch(200, 70), iid(100, 140)];
    for (batch, n) in batches.into_iter().zip([10, 20, 70, 140]) {
        let whole = solve(engine(), &batch, 0..13);
        let mut cut = solve(engine(), &batch, 0..1);
        cut.extend(solve(engine(), &batch, 1..7));
        cut.extend(solve(engine(), &batch, 7..13));
        assert_eq!(whole, cut, "n {n}");

        let small = open(Options { memory: Some(4 << 20), binding_bytes: Some(1 << 20), ..Options::default() });
        assert_eq!(bits(&whole), bits(&solve(&small, &batch, 0..13)), "n {n}");
    }
}

#[test]
fn more_workgroups_than_one_dimension_holds_are_folded() {
    // One workgroup per problem draws and certifies.
    let problems = 65_535 + 4_465;
    let batch = batch(8, 2);
    let gpu = solve(engine(), &batch, 0..problems);
    let cpu = solve(&CpuEngine::default(), &batch, 0..problems);
    let mut agreeing = 0;
    for (p, (g, c)) in gpu.certificates.iter().zip(&cpu.certificates).enumerate() {
        // Eight rows drawn at random are sometimes degenerate; both engines must then say so.
        if g.status == Status::Converged {
            assert_eq!(c.status, Status::Converged, "problem {p}");
            assert!(difference(&gpu.weights[2 * p..2 * p + 2], &cpu.weights[2 * p..2 * p + 2]) <= 1e-4, "problem {p}");
            agreeing += 1;
        }
    }
    assert!(agreeing > 60_000, "{agreeing} of {problems} converged");
}

#[test]
fn a_panel_larger_than_a_binding_is_sliced() {
    let batch = iid(20_000, 3);
    let whole = solve(engine(), &batch, 0..7);
    // 20,000 rows of four words are 320,000 bytes; 4,096 rows fit a slice of 65,536.
    let sliced = open(Options { binding_bytes: Some(100_000), ..Options::default() });
    assert_eq!(whole, solve(&sliced, &batch, 0..7));
}

#[test]
fn sums_larger_than_a_binding_are_cut() {
    // Eleven tiles of 2001 rows of 128 bytes, two of them to a binding.
    let batch = batch(2000, 24);
    let whole = solve(engine(), &batch, 0..7);
    let cut = open(Options { binding_bytes: Some(600_000), ..Options::default() });
    assert_eq!(whole, solve(&cut, &batch, 0..7));
}

#[test]
fn a_draw_without_room_is_left_to_the_cpu() {
    // About 1 + 2 x 30 steps in 300 rows; some resamples have more than 60.
    let batch = batch(300, 10);
    let faults = Faults { step_groups: Some(15), ..Faults::default() };
    let short = open(Options { faults, ..Options::default() });
    let (whole, found) = (solve(engine(), &batch, 0..50), solve(&short, &batch, 0..50));
    let left = count(&found, Status::Stalled);
    assert!((5..45).contains(&left), "{left} of 50 had no room");
    for (p, certificate) in found.certificates.iter().enumerate() {
        let weights = p * 10..(p + 1) * 10;
        match certificate.status {
            Status::Converged => assert_eq!(found.weights[weights.clone()], whole.weights[weights], "problem {p}"),
            _ => assert!(found.weights[weights].iter().all(|w| w.is_nan()), "problem {p}: {certificate:?}"),
        }
    }
}

#[test]
fn runtime_checks_change_no_bit() {
    let checked = open(Options { checked: true, ..Options::default() });
    let batches = [batch(300, 10), iid(300, 20), batch(100, 70), iid(100, 140)];
    for (batch, n) in batches.into_iter().zip([10, 20, 70, 140]) {
        assert_eq!(solve(engine(), &batch, 0..5), solve(&checked, &batch, 0..5), "n {n}");
    }
}

#[test]
fn what_single_precision_cannot_solve_is_never_called_converged() {
    // Five rows of twenty assets: rank four, mostly without any solution.
    let batch = batch(5, 20);
    let (gpu, cpu) = (solve(engine(), &batch, 0..50), solve(&CpuEngine::default(), &batch, 0..50));
    for (p, (g, c)) in gpu.certificates.iter().zip(&cpu.certificates).enumerate() {
        if g.status == Status::Converged {
            assert_eq!(c.status, Status::Converged, "problem {p}: {g:?}, {c:?}");
        }
    }
    assert!(count(&cpu, Status::Converged) < 50, "the test needs hard problems");
}

#[test]
fn tiny_budgets_are_left_to_the_cpu() {
    let batch = budgeted(&batch(100, 3), &[1.0, 1.0, 1e-5]);
    let solutions = solve(engine(), &batch, 0..4);
    assert_eq!(count(&solutions, Status::Stalled), 4);
    assert!(solutions.weights.iter().all(|w| w.is_nan()));
    assert_eq!(solutions.comparisons.volatilities.len(), 12);
}

#[test]
fn given_covariances_match_the_references_or_are_honest() {
    for case in json("reference/index.json")["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mut npz = Npz::open(&format!("reference/{name}.npz"));
        let (_, covariances) = npz.array("cov");
        let (_, budgets) = npz.array("budget");
        let (_, expected) = npz.array("weights");
        let batch = Batch::given(covariances, &budgets).unwrap();
        let solutions = solve(engine(), &batch, 0..1);
        let certificate = solutions.certificates[0];
        let condition = case["componentwise_condition"].as_f64().unwrap();
        if certificate.status == Status::Converged {
            let worst = solutions.weights.iter().zip(&expected).fold(0.0_f64, |m, (w, e)| m.max((w / e - 1.0).abs()));
            assert!(worst <= 1e-5 + 1e-7 * condition, "{name}: {worst:e}, {certificate:?}");
        } else {
            assert_eq!(certificate.status, Status::Stalled, "{name}: {certificate:?}");
            let tiny = budgets.iter().any(|b| b * (budgets.len() as f64) < 1e-3);
            assert!(condition > 10.0 || tiny, "{name} is well posed, but {certificate:?}");
        }
    }
}

#[test]
fn given_matrices_that_are_no_covariances_are_invalid() {
    let covariances = vec![1.0, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, f64::NAN, f64::NAN, 1.0, 4.0, 0.0, 0.0, 1.0];
    let batch = Batch::given(covariances, &[1.0, 1.0]).unwrap();
    let solutions = solve(engine(), &batch, 0..4);
    let statuses: Vec<_> = solutions.certificates.iter().map(|c| c.status).collect();
    assert_eq!(statuses, [Status::Converged, Status::Invalid, Status::Invalid, Status::Converged]);
    assert!((solutions.weights[6] - 1.0 / 3.0).abs() < 1e-6, "{:?}", solutions.weights);
}

#[test]
fn problems_that_are_done_early_wait_unharmed_for_their_neighbours() {
    // The identity is solved by the start; a pair at -0.98 within it takes more sweeps than one dispatch has.
    for n in [6, 20, 80, 120] {
        let identity: Vec<f64> = (0..n * n).map(|k| if k % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let mut hedged = identity.clone();
        hedged[1] = -0.98;
        hedged[n] = -0.98;
        let covariances = [identity.clone(), hedged, identity].concat();
        let budgets: Vec<_> = (1..=n).map(|i| i as f64).collect();
        let batch = Batch::given(covariances, &budgets).unwrap();
        let solutions = solve(engine(), &batch, 0..3);
        let sweeps: Vec<_> = solutions.certificates.iter().map(|c| c.sweeps).collect();
        assert!(sweeps[0] <= 1 && sweeps[1] > 25 && sweeps[2] <= 1, "n {n}: {sweeps:?}");
        // Without correlations, weights go with the square roots of budgets.
        let total: f64 = budgets.iter().map(|b| b.sqrt()).sum();
        let expected: Vec<_> = budgets.iter().map(|b| b.sqrt() / total).collect();
        assert!(difference(&solutions.weights[..n], &expected) <= 1e-6, "n {n}");
        assert!(difference(&solutions.weights[2 * n..], &expected) <= 1e-6, "n {n}");
    }
}
