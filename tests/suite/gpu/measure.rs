//! Does the device measure the subsets that the CPU measures, and find the same best ones?

use super::*;
use crate::screen::{config, first_of, found, hang_seng, names, nikkei, watched};
use equirisk::engine::cpu::CpuEngine;
use equirisk::measure::{Measured, Metric};
use equirisk::run::crosscheck::Sample;
use equirisk::study::screen::{Outcome, Question};
use equirisk::subsets::Subsets;
use equirisk::subsets::cap::Cap;
use equirisk::subsets::space::{Pool, Space};
use equirisk::subsets::universe::Universe;

/// What a device measures.
const METRICS: [Metric; 4] = [Metric::MeanCorrelation, Metric::Volatility, Metric::MaxWeight, Metric::Diversification];

fn measured(
    engine: &dyn Engine,
    universe: &Universe,
    subsets: &Subsets,
    cap: Option<Cap>,
    range: std::ops::Range<u64>,
) -> Measured {
    let source = Source::Subsets { universe: universe.clone(), subsets: subsets.clone(), cap };
    let batch = Batch::new(source, &vec![1.0; subsets.size()]).unwrap();
    engine.prepare(&batch, Want::default()).unwrap().measure(range, &METRICS).unwrap()
}

fn assert_agrees(universe: &Universe, subsets: &Subsets, cap: Option<Cap>, range: std::ops::Range<u64>) {
    let gpu = measured(engine(), universe, subsets, cap.clone(), range.clone());
    let cpu = measured(&CpuEngine::default(), universe, subsets, cap, range);
    assert_eq!(gpu.statuses, cpu.statuses);
    for (metric, (gpu, cpu)) in METRICS.iter().zip(gpu.columns.iter().zip(&cpu.columns)) {
        for (a, b) in gpu.iter().zip(cpu) {
            // Single precision throughout; correlations near zero are rounded as numbers of order one.
            assert!(a.is_nan() == b.is_nan() && !((a - b).abs() > 5e-6 * b.abs().max(0.1)), "{metric:?}: {a} {b}");
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

fn screened(engine: &dyn Engine, universe: &Universe, subsets: &Subsets, by: &str) -> Outcome {
    let names = names(universe.assets());
    let question =
        Question { assets: &names, universe, returns: None, subsets, max_correlation: None, periods_per_year: None };
    let config = equirisk::study::screen::Config { crosscheck: Sample::Count(300), ..config(by, 50) };
    let problems = subsets.space().count().unwrap();
    found(&question, problems, &config, engine)
}

#[test]
fn lists_are_those_of_the_cpu_and_hardly_a_subset_changes_its_bin() {
    let universe = first_of(&nikkei(), 30);
    let subsets = Subsets::all(Space::of(30, 4).unwrap()).unwrap();
    for by in ["diversification", "volatility", "max-weight", "mean-correlation"] {
        let (gpu, cpu) =
            (screened(engine(), &universe, &subsets, by), screened(&CpuEngine::default(), &universe, &subsets, by));
        assert_eq!(gpu.top, cpu.top, "{by}");
        let (bins, own) = (&gpu.distribution.histogram, &cpu.distribution.histogram);
        assert_eq!(bins.edges, own.edges);
        let moved: u64 = bins.counts.iter().zip(&own.counts).map(|(a, b)| a.abs_diff(*b)).sum();
        assert!(moved <= 2 * 27_405 / 1000, "{by}: {moved} counts differ");
        let check = gpu.crosscheck.unwrap();
        assert_eq!((check.sampled, check.disagreements), (300, 0));
        assert!(cpu.crosscheck.is_none() && gpu.run.engine == "gpu");
    }
}

#[test]
fn hedged_subsets_go_to_the_cpu() {
    // 0 and 1 hedge each other perfectly, 2 and 3 almost.
    let n = 6;
    let mut correlation = vec![0.0; n * n];
    (0..n).for_each(|i| correlation[i * n + i] = 1.0);
    for (i, j, c) in [(0, 1, -1.0), (2, 3, -0.999_999)] {
        correlation[i * n + j] = c;
        correlation[j * n + i] = c;
    }
    let universe = Universe { correlation, volatilities: vec![0.1; n] };
    let subsets = Subsets::all(Space::of(n, 3).unwrap()).unwrap();
    let (gpu, cpu) = (
        screened(engine(), &universe, &subsets, "volatility"),
        screened(&CpuEngine::default(), &universe, &subsets, "volatility"),
    );
    assert_eq!(gpu.top, cpu.top);
    assert_eq!((gpu.solves.no_solution, gpu.solves.converged), (cpu.solves.no_solution, cpu.solves.converged));
    assert!(gpu.solves.no_solution == 4 && gpu.solves.rescued >= 8, "{:?}", gpu.solves);
}

#[test]
fn what_a_device_cannot_screen_is_screened_on_the_cpu_and_said() {
    struct Noted(Vec<String>);
    impl equirisk::run::Watch for Noted {
        fn finished(&mut self, _: u64) {}
        fn notice(&mut self, message: &str) {
            self.0.push(message.to_owned());
        }
    }
    let universe = hang_seng();
    let names = names(31);
    let groups = (0..3).map(|g| Pool { assets: (g * 10..g * 10 + 10).collect(), least: 0, most: 2 }).collect();
    for (space, by) in [
        (Space::of(31, 29).unwrap(), "volatility"),
        (Space::new(3, Vec::new(), groups).unwrap(), "volatility"),
        (Space::of(31, 2).unwrap(), "effective-bets"),
    ] {
        let subsets = Subsets::all(space).unwrap();
        let question = Question {
            assets: &names,
            universe: &universe,
            returns: None,
            subsets: &subsets,
            max_correlation: None,
            periods_per_year: None,
        };
        let mut noted = Noted(Vec::new());
        let problems = subsets.space().count().unwrap();
        let outcome = watched(&question, problems, &config(by, 5), engine(), &mut noted);
        assert_eq!(outcome.solves.converged, problems);
        assert!(noted.0.iter().any(|notice| notice.contains("does not screen")), "{:?}", noted.0);
    }
}
