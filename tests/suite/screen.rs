//! Is every subset solved as if it were alone, and measured right?

use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::measure::{Measured, Metric};
use equirisk::solver::{self, Options, Problem, validity};
use equirisk::study::measures::{Components, Risk};
use equirisk::subsets::Subsets;
use equirisk::subsets::space::{Pool, Space};
use equirisk::subsets::universe::Universe;
use equirisk::{Batch, Source, Status, Want};

use crate::cases::Npz;

fn checked(covariance: &[f64]) -> Universe {
    let n = covariance.len().isqrt();
    let mut universe = Universe { correlation: vec![0.0; n * n], volatilities: vec![0.0; n] };
    validity::check(covariance, false, &mut universe.correlation, &mut universe.volatilities).unwrap();
    universe
}

fn hang_seng() -> Universe {
    checked(&Npz::open("reference/orlib_hangseng31.npz").array("cov").1)
}

fn nikkei() -> Universe {
    let (_, packed) = Npz::open("orlib_nikkei225.npz").array("packed");
    let entry = |i: usize, j: usize| packed[i.max(j) * (i.max(j) + 1) / 2 + i.min(j)];
    checked(&(0..225 * 225).map(|at| entry(at / 225, at % 225)).collect::<Vec<f64>>())
}

fn part(universe: &Universe, assets: &[u32]) -> Risk {
    let (mut correlation, mut volatilities) = (Vec::new(), Vec::new());
    universe.gather(assets, &mut correlation, &mut volatilities);
    Risk { correlation, volatilities }
}

/// Weights finished to rounding.
fn finished(risk: &Risk) -> Vec<f64> {
    let n = risk.assets();
    let budgets = vec![1.0 / n as f64; n];
    let mut weights = vec![0.0; n];
    let Risk { correlation, volatilities } = risk;
    let problem = Problem { correlation, volatilities, budgets: &budgets, covariance: None };
    let options = Options { finish: true, ..Options::default() };
    let certificate = solver::solve(problem, options, &mut solver::Workspace::default(), &mut weights);
    assert_eq!(certificate.status, Status::Converged);
    weights
}

fn measured(universe: &Universe, subsets: &Subsets, problems: u64) -> Measured {
    let k = subsets.size();
    let source = Source::Subsets { universe: universe.clone(), subsets: subsets.clone(), cap: None };
    let batch = Batch::new(source, &vec![1.0; k]).unwrap();
    CpuEngine::default().job(&batch, Want::default()).measure(0..problems, &Metric::ALL).unwrap()
}

/// Compares every measure with that of an independent solution; returns the largest relative difference.
fn compare(universe: &Universe, subsets: &Subsets, problems: u64) -> f64 {
    let measured = measured(universe, subsets, problems);
    assert_eq!(measured.statuses.len(), problems as usize);
    let mut worst = 0.0_f64;
    let mut at = 0;
    subsets.visit(0..problems, |_, assets| {
        assert_eq!(measured.statuses[at], Some(Status::Converged));
        assert!(measured.rc_error[at] <= 1e-8);
        let risk = part(universe, assets);
        let profile = risk.profile(finished(&risk), None);
        let k = assets.len();
        let pairs = || (0..k).flat_map(|i| (0..i).map(move |j| (i, j)));
        let mean = pairs().map(|(i, j)| risk.correlation[i * k + j]).sum::<f64>() / pairs().count() as f64;
        let expected = [
            profile.volatility,
            profile.diversification_ratio,
            Components::of(&risk).effective_bets(&profile.weights),
            profile.weights.iter().copied().fold(0.0, f64::max),
            mean,
        ];
        for (column, expected) in measured.columns.iter().zip(expected) {
            if k > 1 || expected.is_finite() {
                worst = worst.max((column[at] - expected).abs() / expected.abs().max(1e-3));
            }
        }
        at += 1;
    });
    worst
}

#[test]
fn all_triples_of_the_hang_seng_are_measured_as_if_each_stood_alone() {
    let universe = hang_seng();
    let subsets = Subsets::all(Space::of(31, 3).unwrap()).unwrap();
    assert_eq!(subsets.space().count(), Some(4495));
    // Twice the tolerance of bulk solutions.
    assert!(compare(&universe, &subsets, 4495) <= 2e-8);
}

#[test]
fn random_subsets_of_the_nikkei_are_measured_as_if_each_stood_alone() {
    let subsets = Subsets::sampled(Space::of(225, 8).unwrap(), 3000, 1).unwrap();
    assert!(compare(&nikkei(), &subsets, 3000) <= 2e-8);
}

#[test]
fn subsets_of_every_size_are_measured_as_if_each_stood_alone() {
    let universe = hang_seng();
    for k in 1..=31 {
        let subsets = Subsets::sampled(Space::of(31, k).unwrap(), 200, 3).unwrap();
        let problems = subsets.space().count().unwrap().min(200);
        let worst = compare(&universe, &subsets, problems);
        assert!(worst <= 2e-8, "{k} assets: {worst:e}");
    }
}

#[test]
fn what_a_subset_measures_does_not_depend_on_its_neighbours() {
    let universe = hang_seng();
    for k in [4, 20] {
        let subsets = Subsets::all(Space::of(31, k).unwrap()).unwrap();
        let all = measured(&universe, &subsets, 3000);
        let source = Source::Subsets { universe: universe.clone(), subsets, cap: None };
        let batch = Batch::new(source, &vec![1.0; k]).unwrap();
        let engine = CpuEngine::default();
        let job = engine.job(&batch, Want::default());
        for range in [0..1, 5..6, 17..93, 2999..3000] {
            let some = job.measure(range.clone(), &Metric::ALL).unwrap();
            for (one, whole) in some.columns.iter().zip(&all.columns) {
                assert_eq!(one[..], whole[range.start as usize..range.end as usize], "{k} {range:?}");
            }
        }
    }
}

#[test]
fn subsets_without_a_portfolio_are_counted_and_not_measured() {
    // 0 and 1 hedge each other perfectly; 2 and 3 are the same asset.
    let correlation = vec![1.0, -1.0, 0.0, 0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0];
    let universe = Universe { correlation, volatilities: vec![0.1, 0.2, 0.3, 0.3] };
    let subsets = Subsets::all(Space::of(4, 2).unwrap()).unwrap();
    let measured = measured(&universe, &subsets, 6);
    let mut at = 0;
    subsets.visit(0..6, |_, assets| {
        let hedged = assets == [0, 1];
        let status = if hedged { Status::NoSolution } else { Status::Converged };
        assert_eq!(measured.statuses[at], Some(status), "{assets:?}");
        assert_eq!(measured.columns[0][at].is_nan(), hedged);
        if assets == [2, 3] {
            assert!((measured.columns[0][at] - 0.3).abs() < 1e-15);
            assert!((measured.columns[1][at] - 1.0).abs() < 1e-15);
            assert!((measured.columns[2][at] - 1.0).abs() < 1e-12);
        }
        at += 1;
    });
}

#[test]
fn samples_hold_no_subset_twice_and_groups_are_respected() {
    let pools = vec![
        Pool { assets: (0..15).collect(), least: 1, most: 2 },
        Pool { assets: (15..31).collect(), least: 1, most: 3 },
    ];
    let space = Space::new(4, Vec::new(), pools).unwrap();
    let subsets = Subsets::sampled(space, 3000, 9).unwrap();
    let mut seen = std::collections::HashSet::new();
    subsets.visit(0..3000, |rank, assets| {
        let first = assets.iter().filter(|&&a| a < 15).count();
        assert!((1..=2).contains(&first) && assets.len() == 4);
        assert!(seen.insert(assets.to_vec()));
        let mut again = vec![0; 4];
        subsets.assets(rank, &mut again);
        assert_eq!(again, assets);
    });
}
