//! Is every subset of a screen the best within the bounds of its members?

use equirisk::covariance::{Estimator, RiskModel, Universe};
use equirisk::engine::Job as _;
use equirisk::engine::cpu::CpuEngine;
use equirisk::measure::{Measured, Metric};
use equirisk::methods::Program;
use equirisk::methods::limits::Bounds;
use equirisk::methods::risk_budgeting::Options;
use equirisk::methods::risk_budgeting::limited::interior;
use equirisk::stop::Stop;
use equirisk::study::limited::Bound;
use equirisk::study::measures::Components;
use equirisk::study::screen::{Outcome, Question};
use equirisk::subsets::Subsets;
use equirisk::subsets::space::Space;
use equirisk::{Batch, Request, Status};

use crate::screen::{config, found, hang_seng, names, nikkei};

/// So close that figures lie within 1e-9 of the exact ones.
const CLOSE: Options = Options { tolerance: 1e-10, finish: false };

fn uniform(assets: usize, least: f64, most: f64) -> Bounds {
    Bounds { least: vec![least; assets], most: vec![most; assets] }
}

/// Free, floored, capped, both, and given, in turn.
fn by_name(assets: usize, size: usize) -> Bounds {
    let even = 1.0 / size as f64;
    let of = |asset: usize| {
        [(0.0, 1.0), (0.6 * even, 1.0), (0.0, 0.7 * even), (0.8 * even, 1.3 * even), (even, even)][asset % 5]
    };
    let (least, most) = (0..assets).map(of).unzip();
    Bounds { least, most }
}

fn measured(universe: &RiskModel, subsets: &Subsets, problems: u64, bounds: Option<&Bounds>) -> Measured {
    let batch = Batch::subsets(universe.clone(), subsets.clone(), problems, None).unwrap();
    let batch = batch.within(bounds.cloned()).unwrap();
    let request = Request::Metrics(Metric::ALL.to_vec());
    CpuEngine { options: CLOSE }.job(&batch, &request).run(0..problems, &Stop::NEVER).unwrap().metrics()
}

/// Whether the members can hold the whole: their largest weights sum to 1 and more, their least to no more.
fn holds_the_whole(bounds: &Bounds, assets: &[u32]) -> bool {
    let sum = |of: &[f64]| assets.iter().map(|&asset| of[asset as usize]).sum::<f64>();
    sum(&bounds.most) > 1.0 - 1e-9 && sum(&bounds.least) < 1.0 + 1e-9
}

/// Compares every measure with that of the weights that an interior point finds; returns how many subsets have weights.
fn compare(universe: &RiskModel, subsets: &Subsets, problems: u64, bounds: &Bounds) -> usize {
    let measured = measured(universe, subsets, problems, Some(bounds));
    let (mut at, mut feasible) = (0, 0);
    subsets.visit(0..problems, |_, assets| {
        let k = assets.len();
        let status = measured.statuses[at];
        if holds_the_whole(bounds, assets) {
            assert_eq!(status, Some(Status::Converged), "{assets:?}");
            assert!(measured.rc_error[at] <= CLOSE.tolerance);
            let mut risk = RiskModel::default();
            universe.gather(assets, &mut risk);
            let program = Program::within(&vec![1.0 / k as f64; k], bounds.of_set(assets)).unwrap();
            let profile = risk.profile(interior::solve(program.problem(&risk)).weights, None);
            let expected = [
                profile.volatility,
                profile.diversification_ratio,
                Components::of(&risk).effective_bets(&profile.weights),
                profile.weights.iter().copied().fold(0.0, f64::max),
            ];
            for (column, expected) in measured.columns.iter().zip(expected) {
                let difference = (column[at] / expected - 1.0).abs();
                assert!(difference <= 1e-9, "{assets:?}: {} is not {expected}", column[at]);
            }
            feasible += 1;
        } else {
            assert_eq!(status, Some(Status::Infeasible), "{assets:?}");
            assert!(measured.columns.iter().all(|column| column[at].is_nan()));
        }
        at += 1;
    });
    feasible
}

#[test]
fn subsets_of_every_size_are_the_best_within_their_bounds() {
    let universe = hang_seng();
    for k in [2, 3, 4, 7, 12, 20] {
        let subsets = Subsets::sampled(Space::of(31, k).unwrap(), 300, 3).unwrap();
        let even = 1.0 / k as f64;
        for (least, most) in [(0.0, 1.2 * even), (0.7 * even, 1.0), (0.8 * even, 1.3 * even)] {
            assert_eq!(compare(&universe, &subsets, 300, &uniform(31, least, most)), 300, "{k} {least} {most}");
        }
        let feasible = compare(&universe, &subsets, 300, &by_name(31, k));
        assert!((30..=300).contains(&feasible), "{k}: {feasible}");
    }
    let subsets = Subsets::sampled(Space::of(225, 40).unwrap(), 60, 1).unwrap();
    assert!(compare(&nikkei(), &subsets, 60, &by_name(225, 40)) > 30);
}

#[test]
fn a_bound_that_holds_nowhere_changes_no_figure() {
    let universe = hang_seng();
    for k in [3, 12] {
        let subsets = Subsets::sampled(Space::of(31, k).unwrap(), 500, 5).unwrap();
        let free = measured(&universe, &subsets, 500, None);
        let loose = measured(&universe, &subsets, 500, Some(&uniform(31, 1e-3, 0.99)));
        assert_eq!(free.statuses, loose.statuses);
        for (free, loose) in free.columns.iter().zip(&loose.columns) {
            // Both lie within twice their tolerance.
            assert!(free.iter().zip(loose).all(|(a, b)| (a / b - 1.0).abs() <= 4.0 * CLOSE.tolerance), "{k}");
        }
    }
}

#[test]
fn what_a_subset_measures_within_bounds_does_not_depend_on_its_neighbours() {
    let universe = hang_seng();
    let subsets = Subsets::all(Space::of(31, 4).unwrap()).unwrap();
    let bounds = by_name(31, 4);
    let all = measured(&universe, &subsets, 3000, Some(&bounds));
    let batch = Batch::subsets(universe, subsets, 3000, None).unwrap().within(Some(bounds)).unwrap();
    let request = Request::Metrics(Metric::ALL.to_vec());
    let job = CpuEngine { options: CLOSE }.job(&batch, &request);
    for range in [0..1, 5..6, 17..93, 2999..3000] {
        let some = job.run(range.clone(), &Stop::NEVER).unwrap().metrics();
        for (one, whole) in some.columns.iter().zip(&all.columns) {
            let whole = &whole[range.start as usize..range.end as usize];
            assert!(one.iter().zip(whole).all(|(a, b)| a.to_bits() == b.to_bits()), "{range:?}");
        }
    }
}

fn screened(bounds: &Bounds, size: usize) -> (Subsets, Outcome) {
    let subsets = Subsets::all(Space::of(31, size).unwrap()).unwrap();
    let problems = subsets.space().count().unwrap();
    let question = Question {
        assets: &names(31),
        universe: &Universe::from(hang_seng()),
        estimator: Estimator::Sample,
        returns: None,
        simple: None,
        subsets: &subsets,
        max_correlation: None,
        bounds: Some(bounds),
        periods_per_year: None,
    };
    let outcome = found(&question, problems, &config("volatility", 5000), &CpuEngine::default());
    (subsets, outcome)
}

#[test]
fn infeasible_subsets_are_counted_and_never_listed() {
    let bounds = by_name(31, 3);
    let (subsets, outcome) = screened(&bounds, 3);
    let mut feasible = 0;
    subsets.visit(0..4495, |_, assets| feasible += u64::from(holds_the_whole(&bounds, assets)));
    assert!((1000..4400).contains(&feasible), "{feasible}");
    let solves = outcome.solves;
    assert_eq!((solves.total, solves.converged, solves.infeasible), (4495, feasible, 4495 - feasible));
    assert_eq!((outcome.subsets.feasible, outcome.subsets.passing), (feasible, feasible));
    assert_eq!(outcome.top.len() as u64, feasible);
    assert!(outcome.rc_error.max.is_none() && outcome.kkt_error.unwrap().max.unwrap() <= 1e-8);
    for entry in &outcome.top {
        assert!(entry.kkt_error.unwrap() <= 1e-12, "{entry:?}");
        assert!((entry.weights.iter().sum::<f64>() - 1.0).abs() <= 1e-14, "{entry:?}");
        let held = entry.bounds.as_ref().unwrap();
        for ((name, &weight), bound) in entry.assets.iter().zip(&entry.weights).zip(held) {
            let [least, most] = bounds.of(name[1..].parse().unwrap());
            assert!((least..=most).contains(&weight), "{name} {weight}");
            // To the last bit, and no weight is near a bound that does not hold it.
            let expected = match () {
                () if least == most => Some(Bound::Pinned),
                () if weight == least => Some(Bound::Min),
                () if weight == most => Some(Bound::Max),
                () => None,
            };
            assert_eq!(*bound, expected);
            assert!(bound.is_some() || (weight > least + 1e-12 && weight < most - 1e-12), "{name} {weight}");
        }
    }
}
