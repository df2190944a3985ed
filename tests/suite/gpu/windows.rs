//! Are windows of paths solved as the CPU solves them?

use std::ops::Range;

use super::*;
use equirisk::covariance::{Drawn, correlate, moments, packed};
use equirisk::engine::cpu::CpuEngine;
use equirisk::methods::limits::Limits;
use equirisk::methods::risk_budgeting::Options as Accuracy;
use equirisk::observer::{Noted, Unwatched};
use equirisk::run::{Context, Gathered, Work, gather};
use equirisk::sampling::Rows;
use equirisk::store::Checkpoint;
use equirisk::{Assets, Covariances, Estimator, Program, Source};

/// Rows of the history.
const ROWS: u32 = 400;

pub fn rolling(length: u32, step: u32) -> Vec<Range<u32>> {
    (length..=ROWS).step_by(step as usize).map(|end| end - length..end).collect()
}

fn expanding() -> Vec<Range<u32>> {
    (60..=ROWS).step_by(31).map(|end| 0..end).collect()
}

/// That a backtest asks for, that do not begin with the path, hardly overlap, go back, are alike, are one.
fn all_spans() -> Vec<Vec<Range<u32>>> {
    vec![
        rolling(126, 21),
        rolling(200, 1)[..70].to_vec(),
        expanding(),
        expanding().into_iter().map(|span| 17..span.end.max(80)).collect(),
        vec![0..130, 130..260, 260..400],
        vec![100..300, 50..250, 60..390, 60..390, 0..80, 320..400, 10..390],
        vec![33..333],
    ]
}

const LAWS: [(Scheme, f64); 3] = [(Scheme::Stationary, 20.0), (Scheme::Circular, 9.0), (Scheme::Iid, 1.0)];

fn paths(scheme: Scheme, length: f64, n: usize, spans: &[Range<u32>], estimator: Estimator) -> Batch<'static> {
    let law = Law::new(scheme, length, ROWS as usize, 42, 0).unwrap();
    let rows = Rows::Paths { law, paths: 1 << 30, spans: spans.into() };
    Batch::estimated(panel(ROWS as usize, n), rows, estimator, &vec![1.0; n]).unwrap()
}

pub fn sampled(scheme: Scheme, length: f64, n: usize, spans: &[Range<u32>]) -> Batch<'static> {
    paths(scheme, length, n, spans, Estimator::Sample)
}

/// Largest |a - b| over the largest b.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    let largest = b.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    a.iter().zip(b).fold(0.0_f64, |m, (a, b)| if (a - b).abs() <= m { m } else { (a - b).abs() }) / largest
}

fn assert_agrees(engine: &GpuEngine, batch: &Batch, range: Range<u64>, tolerance: f64) {
    assert!(batch.fits_devices());
    let (n, problems) = (batch.assets(), (range.end - range.start) as usize);
    let Covariances::Estimated { rows, .. } = &batch.source().covariances else { unreachable!() };
    let what = format!("n {n}, {range:?} of {rows:?}");
    let (gpu, cpu) = (solve(engine, batch, range.clone()), solve(&CpuEngine::default(), batch, range));
    assert_eq!(count(&gpu, Status::Converged), problems, "{what}: {:?}", gpu.certificates);
    for (p, (found, expected)) in gpu.certificates.iter().zip(&cpu.certificates).enumerate() {
        assert_eq!(found.status, expected.status, "{what}, problem {p}");
        let off = (found.volatility / expected.volatility - 1.0).abs();
        assert!(off <= tolerance, "{what}, problem {p}: volatility off by {off:e}");
        let own = p * n..(p + 1) * n;
        let off = difference(&gpu.weights[own.clone()], &cpu.weights[own.clone()]);
        assert!(off <= tolerance, "{what}, problem {p}: weights off by {off:e}");
        let off = difference(&gpu.comparisons.volatilities[own.clone()], &cpu.comparisons.volatilities[own]);
        assert!(off <= 1e-6, "{what}, problem {p}: volatilities off by {off:e}");
    }
    let off = difference(&gpu.comparisons.portfolios, &cpu.comparisons.portfolios);
    assert!(off <= 1e-6, "{what}: portfolios off by {off:e}");
}

#[test]
fn windows_are_solved_as_on_the_cpu() {
    for (spans, (scheme, length)) in all_spans().iter().flat_map(|spans| LAWS.map(|law| (spans, law))) {
        for n in [2, 10, 17, 33] {
            let count = spans.len() as u64;
            // Of three paths and a part of two more, and of paths far on.
            let batch = sampled(scheme, length, n, spans);
            assert_agrees(engine(), &batch, count / 2..4 * count + count.div_ceil(3), 1e-5);
            let far = ((1 << 30) - 1) * count;
            assert_agrees(engine(), &batch, far..far + count, 1e-5);
        }
    }
    for n in [1, 70, 140] {
        assert_agrees(engine(), &sampled(Scheme::Stationary, 20.0, n, &rolling(252, 37)), 3..9, 1e-5);
    }
}

#[test]
fn windows_are_solved_in_double_precision_and_without_features() {
    let plain = open(Options { plain: true, ..Options::default() });
    let double = open_double(Options::default());
    for spans in [rolling(126, 21), expanding()] {
        for n in [3, 20, 70] {
            let batch = sampled(Scheme::Stationary, 20.0, n, &spans);
            assert_agrees(&plain, &batch, 5..20, 1e-5);
            if let Some(double) = &double {
                assert_agrees(double, &batch, 5..20, 2e-7);
            }
        }
    }
}

#[test]
fn windows_are_solved_within_limits() {
    for (n, spans) in [(10, rolling(126, 21)), (10, expanding()), (33, rolling(252, 37))] {
        let equal = 1.0 / n as f64;
        let limits = Limits { least: vec![0.7 * equal; n], most: vec![1.4 * equal; n], ..Limits::none(n) };
        let program = Program::within(&vec![1.0; n], limits).unwrap();
        let free = sampled(Scheme::Stationary, 20.0, n, &spans);
        let batch = Batch::new(free.source().clone(), program).unwrap();
        assert!(batch.fits_devices());
        let exact = CpuEngine { options: Accuracy { tolerance: 1e-10, finish: false } };
        let portfolios = |engine: &dyn Engine| {
            let job = engine.prepare(&batch, &Request::PORTFOLIOS).unwrap();
            job.run(4..25, &Stop::NEVER).unwrap().portfolios()
        };
        let (gpu, cpu) = (portfolios(engine()), portfolios(&exact));
        assert_eq!(statuses(&gpu), statuses(&cpu), "n {n}, {spans:?}");
        let off = difference(&gpu.weights, &cpu.weights);
        assert!(off <= 2e-5, "n {n}, {spans:?}: weights off by {off:e}");
    }
}

#[test]
fn moments_of_windows_are_those_of_their_twin() {
    for (n, spans) in [2, 10, 17, 33, 140].into_iter().flat_map(|n| all_spans().into_iter().map(move |s| (n, s))) {
        let batch = sampled(Scheme::Stationary, 20.0, n, &spans);
        let Covariances::Estimated { panel, rows, .. } = &batch.source().covariances else { unreachable!() };
        let problems: Vec<u64> = (spans.len() as u64 - 1..2 * spans.len() as u64).take(12).collect();
        let stages = engine().stages(&batch, &problems).unwrap();
        for (p, &problem) in problems.iter().enumerate() {
            let length = spans[problem as usize % spans.len()].len();
            let mut counts = vec![0.0; ROWS as usize];
            rows.runs(problem, ROWS as usize, |first, length| {
                (first..first + length).for_each(|row| counts[(row % ROWS) as usize] += 1.0);
            });
            let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
            moments(panel.values(), &counts, &mut sums, &mut products, &mut Vec::new());
            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            correlate(&sums, &products, Drawn::rows(length), &mut correlation, &mut volatilities);

            let what = format!("n {n}, problem {problem} of {spans:?}");
            // The device's are divided by what the covariance is divided by.
            let divisor = length as f64 - 1.0;
            let size = |i: usize| products[i * (i + 1) / 2 + i].sqrt();
            for i in 0..n {
                let error = (divisor * stages.sums[p * n + i] - sums[i]).abs() / (size(i) * (length as f64).sqrt());
                assert!(error <= 1e-6, "{what}: sum {i} off by {error:e}");
                for j in 0..=i {
                    let at = i * (i + 1) / 2 + j;
                    let product = divisor * stages.products[p * packed(n) + at];
                    let error = (product - products[at]).abs() / (size(i) * size(j));
                    assert!(error <= 1e-6, "{what}: product {i} {j} off by {error:e}");
                }
                let error = (stages.volatilities[p * n + i] / volatilities[i] - 1.0).abs();
                assert!(error <= 1e-6, "{what}: volatility {i} off by {error:e}");
            }
        }
    }
    let batch = sampled(Scheme::Iid, 1.0, 3, &rolling(100, 10));
    assert!(engine().stages(&batch, &[0, 2]).unwrap_err().message.contains("here and there"));
}

#[test]
fn a_window_comes_out_the_same_whatever_is_asked_for_with_it() {
    // A few workgroups at a time, and a few problems: pieces begin and end anywhere in a path.
    let small = open(Options { memory: Some(300 << 10), binding_bytes: Some(80_000), ..Options::default() });
    for n in [2, 10, 20] {
        for spans in [rolling(126, 21), expanding(), vec![100..300, 50..250, 60..390, 0..80]] {
            let batch = sampled(Scheme::Stationary, 20.0, n, &spans);
            let end = 6 * spans.len() as u64 + 1;
            let whole = solve(engine(), &batch, 0..end);
            for cuts in [vec![0, 1, 2, 7, end], vec![0, spans.len() as u64, end - 1, end]] {
                let mut cut = Solutions::default();
                cuts.windows(2).for_each(|two| cut.extend(solve(engine(), &batch, two[0]..two[1])));
                assert_eq!(whole, cut, "n {n}, {spans:?} cut at {cuts:?}");
            }
            assert_eq!(whole, solve(&small, &batch, 0..end), "n {n}, {spans:?}");
        }
    }
}

/// Returns whose first half moves a tenth as much as the second.
fn calm_at_first(n: usize) -> Panel {
    let usual = panel(ROWS as usize, n);
    let scale = |at: usize| if at / n < ROWS as usize / 2 { 0.1 } else { 1.0 };
    let values = usual.values().iter().enumerate().map(|(at, z)| scale(at) * 0.01 * z).collect();
    let assets = (0..n).map(|i| format!("A{i}")).collect();
    Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap()
}

#[test]
fn windows_far_calmer_than_the_history_are_told() {
    let n = 10;
    let law = Law::new(Scheme::Circular, f64::from(ROWS), ROWS as usize, 3, 0).unwrap();
    let rows = Rows::Paths { law, paths: 9, spans: rolling(60, 20).into() };
    let batch = Batch::estimated(calm_at_first(n), rows, Estimator::Sample, &vec![1.0; n]).unwrap();
    assert_agrees(engine(), &batch, 0..batch.problems(), 1e-5);
}

#[test]
fn an_asset_that_stands_still_in_a_window_is_left_to_the_cpu() {
    let n = 4;
    let usual = panel(ROWS as usize, n);
    let still = |at: usize| at.is_multiple_of(n) && at / n < ROWS as usize / 2;
    let values = usual.values().iter().enumerate().map(|(at, z)| if still(at) { 0.001 } else { 0.01 * z }).collect();
    let assets = (0..n).map(|i| format!("A{i}")).collect();
    let returns = Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap();
    let law = Law::new(Scheme::Circular, f64::from(ROWS), ROWS as usize, 3, 0).unwrap();
    let rows = Rows::Paths { law, paths: 9, spans: rolling(60, 20).into() };
    let batch = Batch::estimated(returns, rows, Estimator::Sample, &vec![1.0; n]).unwrap();
    let (gpu, cpu) =
        (solve(engine(), &batch, 0..batch.problems()), solve(&CpuEngine::default(), &batch, 0..batch.problems()));
    let mut left = 0;
    for (p, (found, expected)) in gpu.certificates.iter().zip(&cpu.certificates).enumerate() {
        match found.status {
            Status::Converged => assert_eq!(expected.status, Status::Converged, "problem {p}"),
            _ => left += 1,
        }
    }
    let moving = count(&cpu, Status::Converged);
    assert!(left > 0 && moving < cpu.certificates.len(), "{left} left, {moving} move");
    assert_eq!(count(&gpu, Status::Converged), moving);
    // A run has the CPU solve them.
    let (gathered, notes) = run(&batch, 0..batch.problems(), &[]);
    assert_eq!(statuses(&gathered.solutions), statuses(&cpu));
    assert_eq!(gathered.solutions.certificates.iter().filter(|c| c.rescued).count(), left);
    assert!(notes.is_empty(), "{notes:?}");
}

fn statuses(solutions: &Solutions) -> Vec<Status> {
    solutions.certificates.iter().map(|certificate| certificate.status).collect()
}

/// A run on the device, and what it said.
fn run(batch: &Batch, range: Range<u64>, sample: &[u64]) -> (Gathered, Vec<String>) {
    let (mut unwatched, request) = (Unwatched, Request::COMPARED);
    let mut observer = Noted::new(&mut unwatched);
    let work = Work { batch, request: &request, number: 0, sample };
    let context = &mut Context { engine: engine(), store: &mut Checkpoint::none(), observer: &mut observer };
    let gathered = gather(work, range, context).unwrap();
    (gathered, observer.notes.iter().map(ToString::to_string).collect())
}

#[test]
fn a_run_compares_windows_with_the_cpu() {
    let batch = sampled(Scheme::Stationary, 20.0, 10, &rolling(126, 21));
    let (gathered, notes) = run(&batch, 3..100, &[3, 4, 50, 99]);
    let check = gathered.check.unwrap();
    assert_eq!((check.sampled, check.disagreements), (4, 0), "{check:?}");
    assert!(notes.is_empty(), "{notes:?}");
    assert_eq!(gathered.solutions, solve(engine(), &batch, 3..100));
}

#[test]
fn what_devices_do_not_take_of_windows_the_cpu_takes() {
    let spans = rolling(126, 50);
    let estimators = [
        Estimator::Ewma { half_life: 30.0 },
        Estimator::LedoitWolf,
        Estimator::ConstantCorrelation,
        Estimator::Oas,
        Estimator::Gerber,
        Estimator::Nonlinear,
    ];
    let refused = |batch: Batch, what: &str| {
        assert!(!batch.fits_devices(), "{what}");
        let error = engine().prepare(&batch, &Request::COMPARED).err().unwrap();
        assert!(error.message.contains(what), "{error}");
        let problems = batch.problems().min(20);
        let (gathered, notes) = run(&batch, 0..problems, &[]);
        let cpu = solve(&CpuEngine::default(), &batch, 0..problems);
        assert_eq!((bits(&gathered.solutions), statuses(&gathered.solutions)), (bits(&cpu), statuses(&cpu)));
        assert!(notes.iter().any(|note| note.contains(what)), "{what}: {notes:?}");
    };
    for estimator in estimators {
        refused(paths(Scheme::Stationary, 20.0, 5, &spans, estimator), estimator.name());
    }
    let whole = sampled(Scheme::Stationary, 20.0, 5, &spans);
    let some = Assets::listed([vec![0, 1], vec![2, 4]]).unwrap();
    let source = Source { assets: some, ..whole.source().clone() };
    refused(Batch::new(source, Program::new(&[1.0; 2]).unwrap()).unwrap(), "this of resamples");
    for rows in [Rows::All, Rows::Spans(spans.into())] {
        let history = Batch::estimated(panel(ROWS as usize, 5), rows, Estimator::Sample, &[1.0; 5]).unwrap();
        refused(history, "windows of a history");
    }
}

#[test]
fn a_path_that_is_too_long_for_a_workgroup_is_refused() {
    let (rows, n) = (70_000, 2);
    let law = Law::new(Scheme::Stationary, 50.0, rows, 1, 0).unwrap();
    let of = |spans: Vec<Range<u32>>| {
        let rows = Rows::Paths { law, paths: 2, spans: spans.into() };
        Batch::estimated(panel(law.rows as usize, n), rows, Estimator::Sample, &vec![1.0; n]).unwrap()
    };
    // Windows of a year, of which no group is long.
    assert_agrees(engine(), &of(vec![0..252, 40_000..40_252, 69_748..70_000]), 0..6, 1e-5);
    let long = of(vec![0..65_000, 0..70_000]);
    let error = engine().prepare(&long, &Request::COMPARED).err().unwrap();
    assert!(error.message.contains("span"), "{error}");
}
