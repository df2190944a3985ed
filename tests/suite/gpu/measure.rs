//! Does the device measure the subsets that the CPU measures, and find the same best ones?

use super::*;
use crate::screen::{config, first_of, found, hang_seng, names, nikkei, watched};
use equirisk::covariance::{Estimator, RiskModel, Universe};
use equirisk::engine::Kind;
use equirisk::engine::cpu::CpuEngine;
use equirisk::measure::{Measured, Metric};
use equirisk::run::crosscheck::Sample;
use equirisk::study::screen::{Outcome, Question};
use equirisk::subsets::Subsets;
use equirisk::subsets::cap::Cap;
use equirisk::subsets::space::{Pool, Space};

/// What a device measures.
const METRICS: [Metric; 4] = [Metric::MeanCorrelation, Metric::Volatility, Metric::MaxWeight, Metric::Diversification];

fn measured(
    engine: &dyn Engine,
    universe: &RiskModel,
    subsets: &Subsets,
    cap: Option<Cap>,
    range: std::ops::Range<u64>,
) -> Measured {
    let batch = Batch::subsets(universe.clone(), subsets.clone(), range.end, cap).unwrap();
    let request = Request::Metrics(METRICS.to_vec());
    engine.prepare(&batch, &request).unwrap().run(range, &Stop::NEVER).unwrap().metrics()
}

fn assert_agrees(universe: &RiskModel, subsets: &Subsets, cap: Option<Cap>, range: std::ops::Range<u64>) {
    // Single precision throughout.
    assert_within(5e-6, engine(), universe, subsets, cap, range);
}

fn assert_within(
    tolerance: f64,
    engine: &dyn Engine,
    universe: &RiskModel,
    subsets: &Subsets,
    cap: Option<Cap>,
    range: std::ops::Range<u64>,
) {
    let gpu = measured(engine, universe, subsets, cap.clone(), range.clone());
    let cpu = measured(&CpuEngine::default(), universe, subsets, cap, range);
    assert_eq!(gpu.statuses, cpu.statuses);
    for (metric, (gpu, cpu)) in METRICS.iter().zip(gpu.columns.iter().zip(&cpu.columns)) {
        for (a, b) in gpu.iter().zip(cpu) {
            // Correlations near zero are rounded as numbers of order one.
            let size = b.abs().max(0.1);
            assert!(a.is_nan() == b.is_nan() && !((a - b).abs() > tolerance * size), "{metric:?}: {a} {b}");
        }
    }
}

#[test]
fn subsets_of_every_size_are_measured_as_on_the_cpu() {
    let universe = hang_seng();
    for k in 1..=10 {
        let subsets = Subsets::all(Space::of(31, k).unwrap()).unwrap();
        let last = subsets.space().count().unwrap();
        assert_agrees(&universe, &subsets, None, 0..last.min(1500));
        // Ranks beyond 32 bits there are none of here; the last ones walk the table from its far end.
        assert_agrees(&universe, &subsets, None, last.saturating_sub(200)..last);
    }
}

/// Sizes and universes: threads, subgroups and workgroups of the descent, matrices of both layouts, whole quads and not.
const LARGER: [(usize, usize); 7] = [(11, 225), (16, 60), (17, 40), (20, 50), (32, 64), (64, 70), (100, 103)];

#[test]
fn larger_subsets_go_through_the_stages_and_are_measured_as_on_the_cpu() {
    for (k, n) in LARGER {
        let universe = first_of(&nikkei(), n);
        let subsets = Subsets::all(Space::of(n, k).unwrap()).unwrap();
        let last = subsets.space().count().unwrap();
        assert_agrees(&universe, &subsets, None, 0..200);
        // Most of these ranks have more than 32 bits.
        assert_agrees(&universe, &subsets, None, last - 100..last);
    }
}

#[test]
fn larger_subsets_are_sampled_included_and_barred_alike() {
    let universe = nikkei();
    // Too many to have ranks.
    let floyd = Subsets::sampled(Space::of(225, 20).unwrap(), 1 << 40, 0x1234_5678_9ABC).unwrap();
    assert!(floyd.space().count().is_none());
    assert_agrees(&universe, &floyd, None, (1 << 33)..(1 << 33) + 200);
    let permuted = Subsets::sampled(Space::of(225, 11).unwrap(), 1 << 40, 5).unwrap();
    assert!(permuted.space().count().is_some());
    assert_agrees(&universe, &permuted, None, 1000..1200);
    for (size, largest) in [(12, 0.62), (21, 0.72)] {
        let cap = Cap::new(&universe.correlation, largest);
        let pool =
            Pool { assets: (0..225).filter(|&asset| asset != 7 && asset != 100).collect(), least: 0, most: size };
        let subsets = Subsets::sampled(Space::new(size, vec![7, 100], vec![pool]).unwrap(), 1 << 40, 1).unwrap();
        let admitted = measured(engine(), &universe, &subsets, Some(cap.clone()), 0..400);
        let barred = admitted.statuses.iter().filter(|status| status.is_none()).count();
        assert!((20..380).contains(&barred), "{barred} of subsets of {size} are barred");
        assert_agrees(&universe, &subsets, Some(cap.clone()), 0..400);
    }
}

#[test]
fn larger_subsets_do_not_know_their_neighbours_runtime_checks_or_optional_features() {
    let universe = first_of(&nikkei(), 50);
    for k in [12, 20] {
        let subsets = Subsets::all(Space::of(50, k).unwrap()).unwrap();
        let whole = measured(engine(), &universe, &subsets, None, 0..150);
        // Room for a few problems at a time beside the universe and its binomials.
        let small = open(Options { memory: Some(64 << 10), ..Options::default() });
        let mut parts = measured(&small, &universe, &subsets, None, 0..70);
        parts.extend(&measured(&small, &universe, &subsets, None, 70..150));
        assert_eq!(whole, parts);
        let checked = open(Options { checked: true, ..Options::default() });
        assert_eq!(whole, measured(&checked, &universe, &subsets, None, 0..150));
        let plain = open(Options { plain: true, ..Options::default() });
        assert_within(5e-6, &plain, &universe, &subsets, None, 0..150);
    }
}

#[test]
fn double_precision_measures_as_the_cpu_does() {
    let Some(precise) = open_double(Options::default()) else { return };
    let universe = first_of(&nikkei(), 50);
    for k in [1, 2, 5, 12, 20] {
        let subsets = Subsets::all(Space::of(50, k).unwrap()).unwrap();
        // Both descend to certificates of 1e-8.
        assert_within(2e-8, &precise, &universe, &subsets, None, 0..subsets.space().count().unwrap().min(200));
    }
}

#[test]
fn ranks_beyond_32_bits_samples_included_assets_and_caps_reach_the_same_subsets() {
    let universe = nikkei();
    let all = Subsets::all(Space::of(225, 8).unwrap()).unwrap();
    let large = 1_u64 << 46;
    assert!(all.space().count().unwrap() > large);
    assert_agrees(&universe, &all, None, large + 12_345..large + 13_000);
    let sample = Subsets::sampled(Space::of(225, 9).unwrap(), 1 << 40, 0x1234_5678_9ABC).unwrap();
    assert_agrees(&universe, &sample, None, 0..700);
    let small = Subsets::sampled(Space::of(225, 2).unwrap(), 1000, 7).unwrap();
    assert_agrees(&universe, &small, None, 0..1000);
    let pool = Pool { assets: (0..225).filter(|&asset| asset != 7 && asset != 100).collect(), least: 0, most: 4 };
    let included = Subsets::all(Space::new(6, vec![7, 100], vec![pool]).unwrap()).unwrap();
    assert_agrees(&universe, &included, Some(Cap::new(&universe.correlation, 0.6)), 5000..7000);
}

fn screened(engine: &dyn Engine, universe: &RiskModel, subsets: &Subsets, by: &str) -> Outcome {
    let names = names(universe.assets());
    let universe = &Universe::from(universe.clone());
    let question = Question {
        assets: &names,
        universe,
        estimator: Estimator::Sample,
        returns: None,
        simple: None,
        subsets,
        max_correlation: None,
        bounds: None,
        periods_per_year: None,
    };
    let config = equirisk::study::screen::Config { crosscheck: Sample::Count(300), ..config(by, 50) };
    let problems = subsets.space().count().unwrap();
    found(&question, problems, &config, engine)
}

#[test]
fn lists_are_those_of_the_cpu_and_hardly_a_subset_changes_its_bin() {
    for by in ["diversification", "volatility", "max-weight", "mean-correlation"] {
        assert_same_list(30, 4, by);
    }
    assert_same_list(18, 12, "diversification");
    assert_same_list(23, 20, "max-weight");
}

fn assert_same_list(n: usize, k: usize, by: &str) {
    let universe = first_of(&nikkei(), n);
    let subsets = Subsets::all(Space::of(n, k).unwrap()).unwrap();
    let (gpu, cpu) =
        (screened(engine(), &universe, &subsets, by), screened(&CpuEngine::default(), &universe, &subsets, by));
    assert_eq!(gpu.top, cpu.top, "{by}");
    let (bins, own) = (&gpu.distribution.histogram, &cpu.distribution.histogram);
    assert_eq!(bins.edges, own.edges);
    let moved: u64 = bins.counts.iter().zip(&own.counts).map(|(a, b)| a.abs_diff(*b)).sum();
    let count = subsets.space().count().unwrap();
    assert!(moved <= 2 * count / 1000, "{by}: {moved} counts of {count} differ");
    let check = gpu.crosscheck.unwrap();
    assert_eq!((check.sampled, check.disagreements), (300, 0));
    assert!(cpu.crosscheck.is_none() && gpu.run.engine == Kind::Gpu);
}

#[test]
fn hedged_subsets_go_to_the_cpu() {
    // C(n - 2, k - 2) subsets hold a hedge, C(n - 4, k - 4) of these hold both.
    assert_hedges_rescued(6, 3, 4, 0);
    assert_hedges_rescued(13, 11, 55, 36);
    assert_hedges_rescued(19, 17, 136, 105);
}

fn assert_hedges_rescued(n: usize, k: usize, hedged: u64, twice: u64) {
    // 0 and 1 hedge each other perfectly, 2 and 3 almost.
    let mut correlation = vec![0.0; n * n];
    (0..n).for_each(|i| correlation[i * n + i] = 1.0);
    for (i, j, c) in [(0, 1, -1.0), (2, 3, -0.999_999)] {
        correlation[i * n + j] = c;
        correlation[j * n + i] = c;
    }
    let universe = RiskModel { correlation, volatilities: vec![0.1; n] };
    let subsets = Subsets::all(Space::of(n, k).unwrap()).unwrap();
    let (gpu, cpu) = (
        screened(engine(), &universe, &subsets, "volatility"),
        screened(&CpuEngine::default(), &universe, &subsets, "volatility"),
    );
    assert_eq!(gpu.top, cpu.top);
    assert_eq!((gpu.solves.no_solution, gpu.solves.converged), (cpu.solves.no_solution, cpu.solves.converged));
    assert!(gpu.solves.no_solution == hedged && gpu.solves.rescued >= 2 * hedged - twice, "{:?}", gpu.solves);
}

#[test]
fn subsets_measured_by_a_list_are_those_of_a_range() {
    let universe = first_of(&nikkei(), 20);
    for k in [3, 12] {
        let subsets = Subsets::all(Space::of(20, k).unwrap()).unwrap();
        let cap = Some(Cap::new(&universe.correlation, 0.5));
        let batch = Batch::subsets(universe.clone(), subsets, if k == 3 { 1140 } else { 9000 }, cap).unwrap();
        let request = Request::Metrics(METRICS.to_vec());
        let job = CpuEngine::default().job(&batch, &request);
        // Runs of neighbours, gaps, and more than one piece of work.
        let listed: Vec<u64> =
            if k == 3 { (0..1140).filter(|p| p % 7 < 3).collect() } else { (0..9000).step_by(2).collect() };
        let (all, some) = (
            job.run(0..9000.min(listed[listed.len() - 1] + 1), &Stop::NEVER).unwrap().metrics(),
            job.run_all(&listed, &Stop::NEVER).unwrap().metrics(),
        );
        assert_eq!(some.statuses.len(), listed.len());
        for (at, &problem) in listed.iter().enumerate() {
            assert_eq!(some.statuses[at], all.statuses[problem as usize]);
            for (own, column) in some.columns.iter().zip(&all.columns) {
                assert_eq!(own[at].to_bits(), column[problem as usize].to_bits());
            }
        }
    }
}

#[test]
fn what_a_device_cannot_screen_is_screened_on_the_cpu_and_said() {
    struct Noted(Vec<String>);
    impl equirisk::observer::Observer for Noted {
        fn finished(&mut self, _: u64) {}
        fn notice(&mut self, message: &equirisk::error::Text) {
            self.0.push(message.to_string());
        }
    }
    let universe = RiskModel {
        correlation: (0..300 * 300).map(|at| if at % 301 == 0 { 1.0 } else { 0.0 }).collect(),
        volatilities: vec![0.1; 300],
    };
    let names = names(300);
    let groups = (0..3).map(|g| Pool { assets: (g * 10..g * 10 + 10).collect(), least: 0, most: 2 }).collect();
    for (space, by) in [
        (Space::of(300, 299).unwrap(), "volatility"),
        (Space::new(3, Vec::new(), groups).unwrap(), "volatility"),
        (Space::of(300, 2).unwrap(), "effective-bets"),
    ] {
        let subsets = Subsets::all(space).unwrap();
        let question = Question {
            assets: &names,
            universe: &Universe::from(universe.clone()),
            estimator: Estimator::Sample,
            returns: None,
            simple: None,
            subsets: &subsets,
            max_correlation: None,
            bounds: None,
            periods_per_year: None,
        };
        let mut noted = Noted(Vec::new());
        let problems = subsets.space().count().unwrap();
        let outcome = watched(&question, problems, &config(by, 5), engine(), &mut noted);
        assert_eq!(outcome.solves.converged, problems);
        assert!(noted.0.iter().any(|notice| notice.contains("does not screen")), "{:?}", noted.0);
    }
}
