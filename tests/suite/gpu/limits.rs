//! Are portfolios within limits those of the CPU, exactly within the limits, and certified for what they are?

use super::*;
use crate::run::{Folder, equirisk, json, npy, read_npy};
use equirisk::covariance::{Drawn, correlate, moments, packed};
use equirisk::engine::cpu::CpuEngine;
use equirisk::methods::limits::{Group, Limits, Row};
use equirisk::methods::risk_budgeting::Options as Accuracy;
use equirisk::methods::{Mix, Program, Selection};
use equirisk::observer::Unwatched;
use equirisk::run::{Context, Work, gather};
use equirisk::sampling::Rows;
use equirisk::store::Checkpoint;
use equirisk::{Assets, Covariances, Estimator, Method, RiskModel, Source};

/// The CPU at a tolerance at which its weights are the answer.
const EXACT: CpuEngine = CpuEngine { options: Accuracy { tolerance: 1e-10, finish: false } };

const BOUNDS: [&str; 7] = ["caps", "floors", "both", "tight", "random", "pinned", "sum"];
const GROUPS: [&str; 3] = ["groups", "groups that sum to one", "many groups"];

/// Limits of n assets, as in `tests/suite/limits.rs`.
fn limits(kind: &str, n: usize) -> Limits {
    let equal = 1.0 / n as f64;
    let mut limits = Limits::none(n);
    let half = n.div_ceil(2);
    match kind {
        "caps" => limits.most = vec![1.5 * equal; n],
        "floors" => limits.least = vec![0.5 * equal; n],
        "both" => (limits.least, limits.most) = (vec![0.2 * equal; n], vec![2.0 * equal; n]),
        // A vertex.
        "tight" => (limits.least, limits.most) = (vec![0.999 * equal; n], vec![1.001 * equal; n]),
        "random" => {
            let uniform = |i: usize| (i as f64 * 0.618_033_988_75).fract();
            limits.least = (0..n).map(|i| uniform(i) * 0.8 * equal).collect();
            limits.most = (0..n).map(|i| (limits.least[i] + uniform(7 * i + 3) * 3.0 * equal).min(1.0)).collect();
        }
        "pinned" => {
            for i in (0..n).step_by(3) {
                (limits.least[i], limits.most[i]) = (0.5 * equal, 0.5 * equal);
            }
        }
        "sum" => limits.most = vec![1.0001 * equal; n],
        "groups" => {
            limits.groups = vec![
                Group { members: (0..half).collect(), least: 0.0, most: 0.4 },
                Group { members: (half..n - n / 4).collect(), least: 0.1, most: 1.0 },
            ];
            limits.most = vec![(6.0 * equal).min(1.0); n];
        }
        "many groups" => {
            let of = |k: usize| (0..n).filter(|i| i % 12 == k).collect::<Vec<usize>>();
            let group = |k: usize| Group { members: of(k), least: 0.07, most: 0.09 };
            limits.groups = (0..12).map(group).collect();
        }
        _ => {
            limits.groups = vec![
                Group { members: (0..half).collect(), least: 0.3, most: 0.3 },
                Group { members: (half..n).collect(), least: 0.0, most: 0.7 },
            ];
        }
    }
    assert_eq!(limits.conflict(), None, "{kind}, n {n}");
    limits
}

/// Resamples of [`panel`], within limits.
fn within(rows: usize, limits: Limits) -> Batch<'static> {
    let n = limits.assets();
    let law = Law::new(Scheme::Stationary, 10.0, rows, 42, 0).unwrap();
    let rows_drawn = Rows::Resampled { law, resamples: u64::MAX };
    let program = Program::within(&vec![1.0; n], limits).unwrap();
    Batch::of_rows(panel(rows, n), rows_drawn, Estimator::Sample, program).unwrap()
}

fn portfolios(engine: &impl Engine, batch: &Batch, beside: &[Method], problems: u64) -> Solutions {
    let limits = batch.program().limits();
    let beside = Selection::new(beside, Vec::new()).within((!beside.is_empty()).then_some(limits));
    let request = Request::Portfolios { beside };
    engine.prepare(batch, &request).unwrap().run(0..problems, &Stop::NEVER).unwrap().portfolios()
}

/// What is left of the conditions of the best weights, by the definition: one multiplier for what is free of each group
/// that is at a limit, and one for the rest.
fn kkt_error(covariance: &[f64], budgets: &[f64], limits: &Limits, weights: &[f64]) -> f64 {
    let n = weights.len();
    let product = |i: usize| (0..n).map(|j| covariance[i * n + j] * weights[j]).sum::<f64>();
    let parts: Vec<f64> = (0..n).map(|i| weights[i] * product(i)).collect();
    let variance: f64 = parts.iter().sum();
    let left: Vec<f64> = (0..n).map(|i| parts[i] / variance - budgets[i]).collect();
    let mut block = vec![limits.groups.len(); n];
    let mut error = (weights.iter().sum::<f64>() - 1.0).abs();
    for (number, group) in limits.groups.iter().enumerate() {
        let sum: f64 = group.members.iter().map(|&i| weights[i]).sum();
        error = error.max(group.least - sum).max(sum - group.most);
        if (sum - group.least).abs() < 1e-12 && group.least > 0.0 || (sum - group.most).abs() < 1e-12 {
            group.members.iter().for_each(|&i| block[i] = number);
        }
    }
    for number in 0..=limits.groups.len() {
        let own: Vec<usize> = (0..n).filter(|&i| block[i] == number).collect();
        let is_free = |i: usize| limits.least[i] < weights[i] && weights[i] < limits.most[i];
        let free: Vec<usize> = own.iter().copied().filter(|&i| is_free(i)).collect();
        let (sum, held) = free.iter().fold((0.0, 0.0), |(sum, held), &i| (sum + left[i], held + weights[i]));
        let ratio = |i: &usize| -left[*i] / weights[*i];
        let pinned = |i: &usize| limits.least[*i] == limits.most[*i];
        let at = |bounds: &[f64]| {
            own.iter().copied().filter(|i| weights[*i] == bounds[*i] && !pinned(i)).collect::<Vec<usize>>()
        };
        let (least, most) = (at(&limits.least), at(&limits.most));
        let low = least.iter().map(ratio).fold(f64::NEG_INFINITY, f64::max);
        let high = most.iter().map(ratio).fold(f64::INFINITY, f64::min);
        let multiplier = match (held > 0.0, low.is_finite(), high.is_finite()) {
            (true, ..) => -sum / held,
            (_, true, true) => 0.5 * (low + high),
            (_, true, false) => low,
            (_, false, true) => high,
            _ => 0.0,
        };
        let rest = |i: usize| (left[i] + weights[i] * multiplier) / budgets[i];
        error = free.iter().map(|&i| rest(i).abs()).fold(error, f64::max);
        error = least.iter().map(|&i| -rest(i)).fold(error, f64::max);
        error = most.iter().map(|&i| rest(i)).fold(error, f64::max);
    }
    error
}

/// The covariance of a resample in f64.
fn covariance(batch: &Batch, problem: u64) -> RiskModel {
    let (panel, law) = batch.resamples().unwrap();
    let (rows, n) = (panel.rows(), panel.assets());
    let mut counts = vec![0; rows];
    law.counts(problem, &mut counts);
    let counts: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
    let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
    moments(panel.values(), &counts, &mut sums, &mut products, &mut Vec::new());
    let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
    correlate(&sums, &products, Drawn::rows(rows), &mut correlation, &mut volatilities);
    volatilities.iter_mut().zip(panel.volatilities()).for_each(|(s, sigma)| *s *= sigma);
    RiskModel { correlation, volatilities }
}

/// What was compared: problems, those left to the CPU, and errors in f64 of those that were not.
#[derive(Default)]
struct Compared {
    problems: usize,
    left: usize,
    errors: Vec<f64>,
}

impl Compared {
    fn quantile(&mut self, q: f64) -> f64 {
        self.errors.sort_by(f64::total_cmp);
        self.errors[((self.errors.len() - 1) as f64 * q) as usize]
    }
}

/// Compares what the device finished with the answers, which are `expected`.
fn assert_agrees(batch: &Batch, found: &Solutions, expected: &Solutions, what: &str, close: f64, all: &mut Compared) {
    let (program, n) = (batch.program(), batch.assets());
    let limits = program.limits();
    for (p, certificate) in found.certificates.iter().enumerate() {
        all.problems += 1;
        if certificate.status != Status::Converged {
            assert_eq!(certificate.status, Status::Stalled, "{what}, problem {p}");
            all.left += 1;
            continue;
        }
        assert_eq!(expected.certificates[p].status, Status::Converged, "{what}, problem {p}");
        let (weights, right) = (&found.weights[p * n..][..n], &expected.weights[p * n..][..n]);
        let largest = right.iter().copied().fold(0.0, f64::max);
        let rounding = 1e-13 * n as f64;
        assert!(limits.hold(weights, rounding), "{what}, problem {p}: {weights:?}");
        for (i, (w, r)) in weights.iter().zip(right).enumerate() {
            assert!((w - r).abs() <= close * largest, "{what}, problem {p}: weight {i} is {w}, not {r}");
            let (least, most) = (limits.least[i], limits.most[i]);
            assert!(least <= *w && *w <= most, "{what}, problem {p}: weight {i} is {w}, not in {least}..{most}");
            // Whoever is at a bound for the one and a little off it for the other is held by next to nothing.
            for bound in [least, most] {
                let (here, there) = (*w == bound, *r == bound);
                let near = (w - r).abs() <= close * largest && (w - bound).abs() <= close * largest;
                assert!(here == there || near, "{what}, problem {p}: weight {i} is {w}, right is {r} at {bound}");
            }
        }
        let certified = certificate.kkt_error.unwrap();
        assert!(certified <= 1e-5, "{what}, problem {p}: {certificate:?}");
    }
}

#[test]
fn weights_within_limits_are_those_of_the_cpu_for_every_size() {
    let mut all = Compared::default();
    // Groups take kernels of their own, which software adapters are slow to compile.
    let (few, two, many) = (&GROUPS[..0], &GROUPS[..2], &GROUPS[..]);
    let sizes: [(usize, u64, &[&str]); 8] = [
        (3, 24, few),
        (10, 40, two),
        (16, 24, few),
        (17, 24, few),
        (33, 16, many),
        (64, 8, few),
        (65, 4, two),
        (130, 3, many),
    ];
    for (n, problems, groups) in sizes {
        for kind in BOUNDS.iter().chain(groups) {
            let batch = within(400, limits(kind, n));
            let (gpu, cpu) = (portfolios(engine(), &batch, &[], problems), portfolios(&EXACT, &batch, &[], problems));
            assert_agrees(&batch, &gpu, &cpu, &format!("{kind}, n {n}"), 1e-5, &mut all);
            for (p, certificate) in gpu.certificates.iter().enumerate() {
                if certificate.status == Status::Converged {
                    let model = covariance(&batch, p as u64);
                    let weights = &gpu.weights[p * n..][..n];
                    let program = batch.program();
                    all.errors.push(kkt_error(&model.covariance(), program.budgets(), program.limits(), weights));
                }
            }
        }
    }
    let [half, many, most] = [0.5, 0.99, 1.0].map(|q| all.quantile(q));
    println!("{} problems, {} left; f64 errors {half:.1e} {many:.1e} {most:.1e}", all.problems, all.left);
    assert!(50 * all.left <= all.problems, "{} of {} are left to the CPU", all.left, all.problems);
    assert!(half <= 2e-6 && many <= 1e-5 && most <= 3e-5, "errors {half:e} {many:e} {most:e}");
}

#[test]
fn certificates_within_limits_say_what_double_precision_says() {
    for (n, kind) in [(3, "caps"), (10, "both"), (16, "groups"), (33, "random"), (64, "many groups"), (100, "floors")] {
        let batch = within(400, limits(kind, n));
        let found = portfolios(engine(), &batch, &[], 8);
        for (p, certificate) in found.certificates.iter().enumerate() {
            assert_eq!(certificate.status, Status::Converged, "{kind}, n {n}: {certificate:?}");
            let model = covariance(&batch, p as u64);
            let (weights, program) = (&found.weights[p * n..][..n], batch.program());
            let error = kkt_error(&model.covariance(), program.budgets(), program.limits(), weights);
            let claimed = certificate.kkt_error.unwrap();
            assert!((claimed - error).abs() <= 4e-6, "{kind}, n {n}, problem {p}: {claimed:e}, but {error:e}");
            let x: Vec<f64> = weights.iter().zip(&model.volatilities).map(|(w, s)| w * s).collect();
            let product = |i: usize| (0..n).map(|j| model.correlation[i * n + j] * x[j]).sum::<f64>();
            let parts: Vec<f64> = (0..n).map(|i| x[i] * product(i)).collect();
            let variance: f64 = parts.iter().sum();
            assert!((certificate.volatility / variance.sqrt() - 1.0).abs() <= 1e-6, "{kind}, n {n}, problem {p}");
            let missed = parts.iter().map(|part| (part / variance * n as f64 - 1.0).abs()).fold(0.0, f64::max);
            let off = (certificate.rc_error - missed).abs();
            assert!(off <= 1e-5 * missed.max(1.0), "{kind}, n {n}: {certificate:?}, {missed:e}");
        }
    }
}

#[test]
fn given_matrices_are_solved_within_limits() {
    let mut all = Compared::default();
    for n in [3, 10, 17, 64, 70] {
        for kind in ["both", "tight", "pinned", "groups", "groups that sum to one"] {
            let limits = limits(kind, n);
            let resampled = within(400, limits.clone());
            let matrices: Vec<f64> = (0..12).flat_map(|p| covariance(&resampled, p).covariance()).collect();
            let covariances = Covariances::Given { matrices: matrices.clone().into(), assets: n, assume_psd: true };
            let program = resampled.program().clone();
            let batch = Batch::new(Source { covariances, assets: Assets::All }, program).unwrap();
            let (gpu, cpu) = (portfolios(engine(), &batch, &[], 12), portfolios(&EXACT, &batch, &[], 12));
            assert_agrees(&batch, &gpu, &cpu, &format!("{kind}, n {n}"), 1e-5, &mut all);
            for (p, certificate) in gpu.certificates.iter().enumerate() {
                if certificate.status == Status::Converged {
                    let weights = &gpu.weights[p * n..][..n];
                    let own = &matrices[p * n * n..][..n * n];
                    let error = kkt_error(own, batch.program().budgets(), &limits, weights);
                    let claimed = certificate.kkt_error.unwrap();
                    assert!((claimed - error).abs() <= 1e-10, "{kind}, n {n}: {claimed:e}, but {error:e}");
                }
            }
        }
    }
    assert!(20 * all.left <= all.problems, "{} of {} are left to the CPU", all.left, all.problems);
}

#[test]
fn a_matrix_that_is_no_covariance_is_invalid_within_limits_too() {
    let mut limits = Limits::none(2);
    limits.most = vec![0.6; 2];
    let matrices = vec![1.0, 0.5, 0.5, 1.0, 1.0, 2.0, 2.0, 1.0, 4.0, 0.0, 0.0, 1.0];
    let covariances = Covariances::Given { matrices: matrices.into(), assets: 2, assume_psd: false };
    let program = Program::within(&[1.0, 1.0], limits).unwrap();
    let batch = Batch::new(Source { covariances, assets: Assets::All }, program).unwrap();
    let found = portfolios(engine(), &batch, &[], 3);
    let statuses: Vec<Status> = found.certificates.iter().map(|certificate| certificate.status).collect();
    assert_eq!(statuses, [Status::Converged, Status::Invalid, Status::Converged]);
    // Two thirds without the limit.
    assert_eq!(found.weights[5], 0.6);
    assert!((found.weights[4] - 0.4).abs() < 1e-15, "{:?}", found.weights);
}

#[test]
fn limits_hold_without_features_in_little_memory_and_in_double_precision() {
    let plain = open(Options { plain: true, ..Options::default() });
    let small = open(Options { workgroup_bytes: Some(16 << 10), ..Options::default() });
    let mut all = Compared::default();
    for (engine, sizes) in [(&plain, &[3, 17, 64][..]), (&small, &[10, 64, 100][..])] {
        for (n, kind) in sizes.iter().flat_map(|n| ["both", "groups"].map(|kind| (*n, kind))) {
            let batch = within(400, limits(kind, n));
            let (gpu, cpu) = (portfolios(engine, &batch, &[], 4), portfolios(&EXACT, &batch, &[], 4));
            assert_agrees(&batch, &gpu, &cpu, &format!("{kind}, n {n}"), 1e-5, &mut all);
        }
    }
    assert_eq!(all.left, 0, "of {}", all.problems);
    let Some(double) = open_double(Options::default()) else { return };
    for (n, kind) in [(10, "both"), (10, "tight"), (10, "groups"), (20, "both"), (70, "random")] {
        let batch = within(400, limits(kind, n));
        let (gpu, cpu) = (portfolios(&double, &batch, &[], 6), portfolios(&EXACT, &batch, &[], 6));
        assert_agrees(&batch, &gpu, &cpu, &format!("{kind}, n {n}"), 1e-8, &mut all);
        for certificate in &gpu.certificates {
            assert!(certificate.kkt_error.is_none_or(|error| error <= 1e-8), "{kind}, n {n}: {certificate:?}");
        }
    }
    assert!(20 * all.left <= all.problems, "{} of {}", all.left, all.problems);
}

#[test]
fn what_stands_beside_is_within_the_limits_and_that_of_the_cpu() {
    let methods = [Method::InverseVolatility, Method::EqualWeight];
    for (n, kind) in [(3, "caps"), (10, "both"), (10, "groups"), (33, "random"), (70, "floors")] {
        let batch = within(400, limits(kind, n));
        let (gpu, cpu) = (portfolios(engine(), &batch, &methods, 12), portfolios(&EXACT, &batch, &methods, 12));
        assert_eq!(gpu.weights, portfolios(engine(), &batch, &[], 12).weights, "{kind}, n {n}");
        let (found, right) = (&gpu.comparisons.of(methods[0]).unwrap(), cpu.comparisons.of(methods[0]).unwrap());
        for p in 0..12 {
            let (weights, expected) = (&found.weights[p * n..][..n], &right.weights[p * n..][..n]);
            assert_eq!(found.proofs[p].status, Status::Converged, "{kind}, n {n}, problem {p}");
            assert!(batch.program().limits().hold(weights, 1e-13 * n as f64), "{kind}, n {n}: {weights:?}");
            for (w, r) in weights.iter().zip(expected) {
                assert!((w - r).abs() <= 1e-5 * r.max(1.0 / n as f64), "{kind}, n {n}, problem {p}: {w}, not {r}");
            }
        }
        assert_eq!(gpu.comparisons.portfolios.len(), cpu.comparisons.portfolios.len());
        for (found, right) in gpu.comparisons.portfolios.iter().zip(&cpu.comparisons.portfolios) {
            assert!((found / right - 1.0).abs() <= 4e-6, "{kind}, n {n}: {found} where {right} is right");
        }
    }
}

#[test]
fn a_fixed_mix_beside_keeps_its_place_before_equal_weights() {
    let n = 10;
    let batch = within(300, limits("random", n));
    let weights: Vec<f64> = (1..=n).map(|i| i as f64 / 55.0).collect();
    let mix = Mix { name: "rising".to_owned(), weights };
    let beside = Selection::new(&[Method::EqualWeight], vec![mix]).within(Some(batch.program().limits()));
    let request = Request::Portfolios { beside };
    let solved = |engine: &dyn Engine| {
        engine.prepare(&batch, &request).unwrap().run(0..6, &Stop::NEVER).unwrap().portfolios().comparisons.portfolios
    };
    let (gpu, cpu) = (solved(engine()), solved(&EXACT));
    assert!(gpu.iter().zip(&cpu).all(|(a, b)| (a / b - 1.0).abs() <= 1e-6), "{gpu:?} {cpu:?}");
    assert!((cpu[0] / cpu[1] - 1.0).abs() > 1e-3, "the two must differ for the test to tell");
}

#[test]
fn no_sampled_problem_within_limits_disagrees() {
    for (n, kind) in [(10, "both"), (10, "sum"), (33, "groups"), (64, "random")] {
        let batch = within(500, limits(kind, n));
        let sample: Vec<u64> = (0..60).collect();
        let beside = Selection::CLOSED_FORMS.within(Some(batch.program().limits()));
        let request = Request::Portfolios { beside };
        let work = Work { batch: &batch, request: &request, number: 0, sample: &sample };
        let context = &mut Context { engine: engine(), store: &mut Checkpoint::none(), observer: &mut Unwatched };
        let check = gather(work, 0..60, context).unwrap().check.unwrap();
        assert_eq!((check.sampled, check.disagreements), (60, 0), "{kind}, n {n}: {check:?}");
    }
}

#[test]
fn estimators_that_devices_take_are_solved_within_limits() {
    for (n, estimator) in [(10, Estimator::LedoitWolf), (10, Estimator::Ewma { half_life: 90.0 }), (20, Estimator::Oas)]
    {
        let law = Law::new(Scheme::Stationary, 10.0, 400, 42, 0).unwrap();
        let rows = Rows::Resampled { law, resamples: u64::MAX };
        let program = Program::within(&vec![1.0; n], limits("both", n)).unwrap();
        let batch = Batch::of_rows(panel(400, n), rows, estimator, program).unwrap();
        let (gpu, cpu) = (portfolios(engine(), &batch, &[], 12), portfolios(&EXACT, &batch, &[], 12));
        let mut all = Compared::default();
        assert_agrees(&batch, &gpu, &cpu, &format!("{estimator:?}, n {n}"), 1e-5, &mut all);
        assert_eq!(all.left, 0, "{estimator:?}, n {n}");
    }
}

#[test]
fn weights_within_limits_do_not_depend_on_how_the_batch_is_cut() {
    for (n, kind) in [(10, "groups"), (20, "both"), (70, "random")] {
        let batch = within(300, limits(kind, n));
        let whole = portfolios(engine(), &batch, &[], 13);
        let job = engine().prepare(&batch, &Request::PORTFOLIOS).unwrap();
        let parts = [0..1, 1..7, 7..13].map(|range| job.run(range, &Stop::NEVER).unwrap().portfolios());
        let cut: Vec<f64> = parts.into_iter().flat_map(|part| part.weights).collect();
        assert!(whole.weights == cut, "{kind}, n {n}");
    }
}

#[test]
fn hedges_that_take_several_dispatches_are_solved_beside_easy_neighbours() {
    // Pairs near -1 take more sweeps than one dispatch has; without correlations the start is nearly the answer.
    let mut sweeps = 0;
    for n in [6, 20, 80] {
        let identity: Vec<f64> = (0..n * n).map(|k| if k % (n + 1) == 0 { 1.0 } else { 0.0 }).collect();
        let hedged = |c: f64| {
            let mut matrix = identity.clone();
            (matrix[1], matrix[n]) = (c, c);
            matrix
        };
        let matrices = [hedged(0.0), hedged(-0.92), hedged(-0.97), hedged(0.0)].concat();
        let mut limits = Limits::none(n);
        limits.most[n - 1] = 0.5 / n as f64;
        let covariances = Covariances::Given { matrices: matrices.into(), assets: n, assume_psd: true };
        let program = Program::within(&vec![1.0; n], limits).unwrap();
        let batch = Batch::new(Source { covariances, assets: Assets::All }, program).unwrap();
        let (gpu, cpu) = (portfolios(engine(), &batch, &[], 4), portfolios(&EXACT, &batch, &[], 4));
        let mut all = Compared::default();
        assert_agrees(&batch, &gpu, &cpu, &format!("hedged, n {n}"), 1e-5, &mut all);
        sweeps = gpu.certificates.iter().map(|own| own.sweeps).fold(sweeps, u32::max);
        let statuses: Vec<Status> = gpu.certificates.iter().map(|own| own.status).collect();
        // Rounding of the correlations says too little of the nearer pair.
        assert_eq!(statuses, [Status::Converged, Status::Converged, Status::Stalled, Status::Converged], "n {n}");
        assert!(gpu.weights[..n] == gpu.weights[3 * n..], "n {n}");
        assert_eq!(gpu.weights[n - 1], 0.5 / n as f64);
    }
    assert!(sweeps > 25, "{sweeps} sweeps are one dispatch");
}

#[test]
fn what_a_device_does_not_know_is_not_for_it() {
    let refused = |limits: Limits| {
        let batch = within(300, limits);
        let error = engine().prepare(&batch, &Request::PORTFOLIOS).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Device);
        error.message.to_string()
    };
    let mut rows = Limits::none(3);
    rows.rows = vec![Row { coefficients: vec![1.0, -1.0, 0.0], least: 0.0, most: f64::INFINITY }];
    assert!(refused(rows).contains("linear limits"));
    let mut groups = Limits::none(20);
    groups.groups = (0..17).map(|i| Group { members: vec![i], least: 0.0, most: 0.2 }).collect();
    assert!(refused(groups).contains("more than 16 groups"));

    let batch = within(300, limits("caps", 10));
    let beside = Selection::new(&[Method::MinimumVariance], Vec::new()).within(Some(batch.program().limits()));
    let error = engine().prepare(&batch, &Request::Portfolios { beside }).err().unwrap();
    assert!(error.message.contains("`min_variance` of 10 assets within limits"), "{error}");

    // Single precision does not tell these from one weight that is given: all is left to the CPU.
    let mut near = Limits::none(3);
    (near.least[0], near.most[0]) = (0.25, 0.25 + 1e-10);
    let found = portfolios(engine(), &within(300, near), &[], 3);
    assert_eq!(count(&found, Status::Stalled), 3);
}

/// The outcome of a bootstrap of the sample.
fn bootstrap(words: &[&str]) -> serde_json::Value {
    json(&[&["bootstrap", "-B", "600", "--seed", "5", "--no-sensitivity", "--json"], words].concat())
}

#[test]
fn a_bootstrap_within_limits_has_the_bands_of_the_cpu() {
    let limits = ["--min-weight", "0.05", "--max-weight", "0.25"];
    let device = engine().facts().index.to_string();
    let gpu = bootstrap(&[&limits[..], &["--engine", "gpu", "--device", &device]].concat());
    let cpu = bootstrap(&[&limits[..], &["--engine", "cpu"]].concat());
    assert_eq!((gpu["run"]["engine"].as_str(), gpu["crosscheck"]["disagreements"].as_u64()), (Some("gpu"), Some(0)));
    assert_eq!(gpu["solves"]["converged"], 600);
    assert!(gpu["solves"]["rescued"].as_u64().unwrap() < 30, "{}", gpu["solves"]);
    for (gpu, cpu) in gpu["assets"].as_array().unwrap().iter().zip(cpu["assets"].as_array().unwrap()) {
        for figure in ["mean", "sd", "q05", "q50", "q95", "at_min", "at_max"] {
            let (found, right) = (gpu[figure].as_f64().unwrap(), cpu[figure].as_f64().unwrap());
            // Shares count whole resamples: one may be a rounding off its bound.
            let close = if figure.starts_with("at") { 0.01 } else { 1e-5 };
            assert!((found - right).abs() <= close, "{}: {figure} {found}, not {right}", gpu["name"]);
        }
    }
}

#[test]
fn a_batch_within_limits_has_the_weights_of_the_cpu() {
    let folder = Folder::new();
    let n = 12;
    let resampled = within(300, limits("both", n));
    let matrices: Vec<f64> = (0..9).flat_map(|p| covariance(&resampled, p).covariance()).collect();
    let data = folder.write("covariances.npy", npy(&[9, n, n], &matrices));
    // Short positions, too: rows and columns change signs on the way in, weights on the way out.
    let solved = |engine: &str| {
        let out = folder.name("weights.npy");
        let words = ["batch", &data, "-o", &out, "--max-weight", "0.15", "--min-weight", "2%", "--signs", "0=-1"];
        equirisk(&[&words[..], &["--engine", engine, "--force", "--quiet"]].concat()).succeeded();
        read_npy(&folder.path("weights.npy"))
    };
    let (gpu, cpu) = (solved("gpu"), solved("cpu"));
    for (gpu, cpu) in gpu.iter().zip(&cpu) {
        for (found, right) in gpu.iter().zip(cpu) {
            assert!((found - right).abs() <= 1e-5 && (0.02..=0.15).contains(&found.abs()), "{gpu:?} {cpu:?}");
        }
        assert!(gpu[0] < 0.0 && (gpu.iter().map(|w| w.abs()).sum::<f64>() - 1.0).abs() < 1e-14, "{gpu:?}");
    }
}
