//! Is every subset solved as if it were alone, and measured right?

use equirisk::batch::part::Part;
use equirisk::covariance::{Estimator, RiskModel, Universe, full_sample};
use equirisk::engine::cpu::CpuEngine;
use equirisk::engine::{Engine, Job as _};
use equirisk::measure::{Measured, Metric};
use equirisk::methods::risk_budgeting::{self, Options, Problem, validity};
use equirisk::observer::{Observer, Unwatched};
use equirisk::run::Context;
use equirisk::run::crosscheck::Sample;
use equirisk::stop::Stop;
use equirisk::store::Checkpoint;
use equirisk::study::measures::Components;
use equirisk::study::screen::figure::{Figure, Filter};
use equirisk::study::screen::{Config, Outcome, Question, part as share, screen};
use equirisk::study::winners::affordable;
use equirisk::subsets::Subsets;
use equirisk::subsets::space::{Pool, Space};
use equirisk::{Batch, Labels, Panel, Request, Returns, Status};

use crate::cases::Npz;

fn checked(covariance: &[f64]) -> RiskModel {
    validity::model(covariance, false).unwrap()
}

pub fn hang_seng() -> RiskModel {
    checked(&Npz::open("reference/orlib_hangseng31.npz").array("cov").1)
}

pub fn nikkei() -> RiskModel {
    let (_, packed) = Npz::open("orlib_nikkei225.npz").array("packed");
    let entry = |i: usize, j: usize| packed[i.max(j) * (i.max(j) + 1) / 2 + i.min(j)];
    checked(&(0..225 * 225).map(|at| entry(at / 225, at % 225)).collect::<Vec<f64>>())
}

fn part(universe: &RiskModel, assets: &[u32]) -> RiskModel {
    let mut part = RiskModel::default();
    universe.gather(assets, &mut part);
    part
}

/// Weights finished to rounding.
fn finished(risk: &RiskModel) -> Vec<f64> {
    let n = risk.assets();
    let budgets = vec![1.0 / n as f64; n];
    let mut weights = vec![0.0; n];
    let RiskModel { correlation, volatilities } = risk;
    let problem = Problem { correlation, volatilities, budgets: &budgets, covariance: None };
    let options = Options { finish: true, ..Options::default() };
    let certificate = risk_budgeting::solve(problem, options, &mut risk_budgeting::Workspace::default(), &mut weights);
    assert_eq!(certificate.status, Status::Converged);
    weights
}

fn measured(universe: &RiskModel, subsets: &Subsets, problems: u64) -> Measured {
    let batch = Batch::subsets(universe.clone(), subsets.clone(), problems, None).unwrap();
    let request = Request::Metrics(Metric::ALL.to_vec());
    CpuEngine::default().job(&batch, &request).run(0..problems, &Stop::NEVER).unwrap().metrics()
}

/// Compares every measure with that of an independent solution; returns the largest relative difference.
fn compare(universe: &RiskModel, subsets: &Subsets, problems: u64) -> f64 {
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
        let batch = Batch::subsets(universe.clone(), subsets, 3000, None).unwrap();
        let request = Request::Metrics(Metric::ALL.to_vec());
        let job = CpuEngine::default().job(&batch, &request);
        for range in [0..1, 5..6, 17..93, 2999..3000] {
            let some = job.run(range.clone(), &Stop::NEVER).unwrap().metrics();
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
    let universe = RiskModel { correlation, volatilities: vec![0.1, 0.2, 0.3, 0.3] };
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

pub fn names(assets: usize) -> Vec<String> {
    (0..assets).map(|i| format!("A{i}")).collect()
}

pub fn first_of(universe: &RiskModel, assets: usize) -> RiskModel {
    let keep: Vec<u32> = (0..assets as u32).collect();
    part(universe, &keep)
}

pub fn config(by: &str, top: usize) -> Config {
    Config {
        by: Figure::named(by).unwrap(),
        top,
        filters: Vec::new(),
        shortlist_by: Metric::Diversification,
        shortlist: 1000,
        halves: false,
        also: Vec::new(),
        crosscheck: Sample::Default,
    }
}

pub fn found(question: &Question, problems: u64, config: &Config, engine: &dyn Engine) -> Outcome {
    watched(question, problems, config, engine, &mut Unwatched)
}

pub fn watched(
    question: &Question,
    problems: u64,
    config: &Config,
    engine: &dyn Engine,
    observer: &mut dyn Observer,
) -> Outcome {
    let context = &mut Context { engine, store: &mut Checkpoint::none(), observer };
    screen(question, problems, config, context, &mut |_, _, _| Ok(())).unwrap()
}

fn screened(universe: &RiskModel, subsets: &Subsets, problems: u64, config: &Config) -> Outcome {
    cut(universe, subsets, problems, config, &[])
}

/// The same, in parts first that start where these problems do: chunks are cut there.
fn cut(universe: &RiskModel, subsets: &Subsets, problems: u64, config: &Config, starts: &[u64]) -> Outcome {
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
    let store = &mut Checkpoint::aside(u64::MAX);
    let context = &mut Context { engine: &CpuEngine::default(), store, observer: &mut Unwatched };
    for ends in starts.windows(2) {
        let part = Part::Problems { from: ends[0], to: ends[1] };
        share(&question, problems, config, part, context).unwrap();
    }
    screen(&question, problems, config, context, &mut |_, _, _| Ok(())).unwrap()
}

/// Weights by plain coordinate descent on the covariance, run until nothing changes.
fn independent(risk: &RiskModel) -> Vec<f64> {
    let n = risk.assets();
    let s = risk.covariance();
    let b = 1.0 / n as f64;
    let mut y: Vec<f64> = risk.volatilities.iter().map(|s| 1.0 / s).collect();
    for _ in 0..10_000 {
        let mut change = 0.0_f64;
        for i in 0..n {
            let a: f64 = (0..n).filter(|&j| j != i).map(|j| s[i * n + j] * y[j]).sum();
            let next = (-a + (a * a + 4.0 * s[i * n + i] * b).sqrt()) / (2.0 * s[i * n + i]);
            change = change.max((next / y[i] - 1.0).abs());
            y[i] = next;
        }
        if change < 1e-16 {
            break;
        }
    }
    let total: f64 = y.iter().sum();
    y.iter().map(|y| y / total).collect()
}

#[test]
fn the_list_is_what_sorting_every_subset_gives() {
    let universe = hang_seng();
    let subsets = Subsets::all(Space::of(31, 3).unwrap()).unwrap();
    for figure in ["volatility", "diversification", "effective-bets", "max-weight", "mean-correlation"] {
        let outcome = screened(&universe, &subsets, 4495, &config(figure, 40));
        let mut all = Vec::new();
        subsets.visit(0..4495, |rank, assets| {
            let risk = part(&universe, assets);
            let profile = risk.profile(independent(&risk), None);
            let c = |i: usize, j: usize| risk.correlation[i * 3 + j];
            let value = match figure {
                "volatility" => profile.volatility,
                "diversification" => -profile.diversification_ratio,
                "effective-bets" => -Components::of(&risk).effective_bets(&profile.weights),
                "max-weight" => profile.weights.iter().copied().fold(0.0, f64::max),
                _ => (c(0, 1) + c(0, 2) + c(1, 2)) / 3.0,
            };
            all.push((value, rank, profile));
        });
        all.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for (entry, (value, rank, profile)) in outcome.top.iter().zip(&all) {
            assert_eq!(entry.rank_index, *rank, "{figure}");
            assert!((entry.value.abs() / value.abs() - 1.0).abs() < 1e-12);
            assert!((entry.figures.volatility / profile.volatility - 1.0).abs() < 1e-12);
            assert!(entry.weights.iter().zip(&profile.weights).all(|(a, b)| (a / b - 1.0).abs() < 1e-12));
        }
        assert_eq!((outcome.top.len(), outcome.solves.converged), (40, 4495));
        assert_eq!(outcome.distribution.histogram.counts.iter().sum::<u64>(), 4495);
        // The best hundredth, by hand.
        assert_eq!(outcome.inclusion.subsets, 45);
        let mut counts = vec![0; 31];
        for (_, rank, _) in &all[..45] {
            let mut assets = [0; 3];
            subsets.assets(*rank, &mut assets);
            assets.iter().for_each(|&asset| counts[asset as usize] += 1);
        }
        assert!(outcome.inclusion.assets.iter().zip(counts).all(|(asset, count)| asset.count == count), "{figure}");
    }
}

#[test]
fn outcomes_do_not_depend_on_chunks_or_threads() {
    let nikkei = nikkei();
    for (n, k, figure) in [(30, 4, "diversification"), (50, 5, "volatility")] {
        let universe = first_of(&nikkei, n);
        let subsets = Subsets::all(Space::of(n, k).unwrap()).unwrap();
        let problems = subsets.space().count().unwrap();
        let run = |threads: usize, starts: &[u64]| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| cut(&universe, &subsets, problems, &config(figure, 50), starts))
        };
        let expected = run(1, &[]);
        assert_eq!(expected.subsets.passing, problems);
        let thirds: Vec<u64> = (0..problems).step_by(12_288).chain([problems]).collect();
        for (threads, starts) in [(2, &[][..]), (1, &thirds), (2, &[4096, 8192, 20_480])] {
            assert_eq!(run(threads, starts), expected, "C({n}, {k}), {threads} threads, cut at {starts:?}");
        }
    }
}

#[test]
fn equal_subsets_are_listed_by_rank() {
    // Six copies of one asset, three of another: figures of many triples are equal but for rounding.
    let n = 9;
    let correlation: Vec<f64> = (0..n * n).map(|at| if (at / n < 6) == (at % n < 6) { 1.0 } else { 0.3 }).collect();
    let universe = RiskModel { correlation, volatilities: (0..n).map(|i| if i < 6 { 0.1 } else { 0.37 }).collect() };
    let subsets = Subsets::all(Space::of(n, 4).unwrap()).unwrap();
    let outcome = screened(&universe, &subsets, 126, &config("diversification", 126));
    assert_eq!(outcome.top.len(), 126);
    for pair in outcome.top.windows(2) {
        let equal = (pair[0].value - pair[1].value).abs() < 1e-10;
        assert!(if equal { pair[0].rank_index < pair[1].rank_index } else { pair[0].value > pair[1].value });
    }
    // A short list is the beginning of the long one.
    for top in [1, 7, 30] {
        let short = screened(&universe, &subsets, 126, &config("diversification", top));
        assert_eq!(short.top[..], outcome.top[..top]);
    }
}

#[test]
fn spaces_of_one_subset_are_screened() {
    for (n, k) in [(1, 1), (5, 5)] {
        let universe = first_of(&hang_seng(), n);
        let subsets = Subsets::all(Space::of(n, k).unwrap()).unwrap();
        let outcome = screened(&universe, &subsets, 1, &config("diversification", 50));
        assert_eq!((outcome.top.len(), outcome.subsets.space, outcome.subsets.passing), (1, Some(1), 1));
        if n == 1 {
            assert_eq!(outcome.top[0].weights, [1.0]);
            assert_eq!(outcome.top[0].figures.mean_correlation, None);
            assert!((outcome.top[0].value - 1.0).abs() < 1e-15);
        }
    }
}

#[test]
fn spaces_too_large_to_rank_are_sampled() {
    let subsets = Subsets::sampled(Space::of(225, 60).unwrap(), 500, 3).unwrap();
    assert_eq!(subsets.space().count(), None);
    let outcome = screened(&nikkei(), &subsets, 500, &config("diversification", 5));
    assert_eq!((outcome.subsets.screened, outcome.solves.converged), (500, 500));
    assert!(outcome.subsets.space_approximate > 1e50);
    // The error of a mean over a sample that is nothing of its space.
    let s = outcome.distribution.statistics.unwrap();
    assert!((s.mc_error / (s.sd / 500.0_f64.sqrt()) - 1.0).abs() < 1e-12);
    assert!(Subsets::all(Space::of(225, 60).unwrap()).unwrap_err().message.contains("too many to number"));
}

/// A history of so many assets, its covariance, and everything that a screen of it asks.
struct Told {
    names: Vec<String>,
    returns: Returns,
    universe: RiskModel,
    subsets: Subsets,
    problems: u64,
}

impl Told {
    fn of(rows: usize, assets: usize, size: usize) -> Told {
        let values = crate::run::returns(rows, assets, 0.6, 17).iter().map(|r| 0.2 * r + 1e-4).collect();
        let labels = Labels::Text((0..rows).map(|row| format!("row {row}")).collect());
        Told::new(Returns { assets: names(assets), labels, values }, size)
    }

    fn new(returns: Returns, size: usize) -> Told {
        let universe = full_sample(&Panel::new(&returns).unwrap());
        let subsets = Subsets::all(Space::of(returns.assets.len(), size).unwrap()).unwrap();
        let problems = subsets.space().count().unwrap();
        Told { names: returns.assets.clone(), universe, subsets, problems, returns }
    }

    fn screened(&self, config: &Config) -> Outcome {
        let question = Question {
            assets: &self.names,
            universe: &Universe::from(self.universe.clone()),
            estimator: Estimator::Sample,
            returns: Some(&self.returns),
            simple: Some(&self.returns),
            subsets: &self.subsets,
            max_correlation: None,
            bounds: None,
            periods_per_year: Some(252.0),
        };
        found(&question, self.problems, config, &CpuEngine::default())
    }

    /// Each subset by number with its weights, solved another way, and its path.
    fn by_hand(&self) -> Vec<(Vec<u32>, Vec<f64>, Vec<f64>)> {
        let mut all = Vec::new();
        self.subsets.visit(0..self.problems, |_, assets| {
            let weights = independent(&part(&self.universe, assets));
            let row = |row: &[f64]| assets.iter().zip(&weights).map(|(&i, w)| w * row[i as usize]).sum();
            let path = self.returns.values.chunks(self.names.len()).map(row).collect();
            all.push((assets.to_vec(), weights, path));
        });
        all
    }
}

/// Between the two values in the middle.
fn middle(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    0.5 * (values[values.len() / 2 - 1] + values[values.len() / 2])
}

fn sharpe(path: &[f64]) -> f64 {
    let mean = path.iter().sum::<f64>() / path.len() as f64;
    let squares: f64 = path.iter().map(|r| (r - mean).powi(2)).sum();
    252.0_f64.sqrt() * mean / (squares / (path.len() - 1) as f64).sqrt()
}

#[test]
fn histogram_and_inclusion_are_of_the_figure_asked_for() {
    let told = Told::of(120, 12, 3);
    let by_hand = told.by_hand();
    let mut ranked: Vec<(f64, &Vec<u32>)> = by_hand.iter().map(|(assets, _, path)| (sharpe(path), assets)).collect();
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let outcome = told.screened(&config("sharpe", 5));
    let distribution = &outcome.distribution;
    assert_eq!((distribution.figure.name(), distribution.subsets, distribution.shortlist), ("sharpe", 220, false));
    assert_eq!((outcome.run.shortlist, outcome.run.shortlist_by), (None, None));
    let s = distribution.statistics.unwrap();
    let mean = ranked.iter().map(|(value, _)| value).sum::<f64>() / 220.0;
    assert!(
        (s.mean - mean).abs() < 1e-10 && (s.max - ranked[0].0).abs() < 1e-10 && (s.min - ranked[219].0).abs() < 1e-10
    );
    assert_eq!(s.mc_error, 0.0);
    for (edges, count) in distribution.histogram.edges.windows(2).zip(&distribution.histogram.counts) {
        let within = ranked.iter().filter(|(value, _)| (edges[0]..edges[1]).contains(value)).count();
        assert_eq!(*count, within as u64, "{edges:?}");
    }
    // The best hundredth: three of 220.
    assert_eq!((outcome.inclusion.figure.name(), outcome.inclusion.subsets), ("sharpe", 3));
    for (asset, included) in outcome.inclusion.assets.iter().enumerate() {
        let count = ranked[..3].iter().filter(|(_, assets)| assets.contains(&(asset as u32))).count();
        assert_eq!(included.count, count as u64, "{asset}");
    }

    // Of a shortlist, what it holds: the best by the other metric.
    let short = told.screened(&Config { shortlist: 40, ..config("sharpe", 5) });
    let mut diversified: Vec<(f64, f64)> = by_hand
        .iter()
        .map(|(assets, weights, path)| {
            (part(&told.universe, assets).profile(weights.clone(), None).diversification_ratio, sharpe(path))
        })
        .collect();
    diversified.sort_by(|a, b| b.0.total_cmp(&a.0));
    let of_these = diversified[..40].iter().map(|(_, value)| value).sum::<f64>() / 40.0;
    assert_eq!((short.distribution.subsets, short.distribution.shortlist, short.run.shortlist), (40, true, Some(40)));
    assert!((short.distribution.statistics.unwrap().mean - of_these).abs() < 1e-10);
    assert_eq!((short.inclusion.figure.name(), short.inclusion.subsets), ("sharpe", 1));
}

#[test]
fn bounds_on_the_path_hold_for_histogram_and_inclusion_where_all_are_known() {
    let told = Told::of(120, 12, 3);
    let bound = middle(told.by_hand().iter().map(|(_, _, path)| sharpe(path)).collect());
    let filters = vec![Filter::parse(&format!("sharpe>{bound}")).unwrap()];
    let outcome = told.screened(&Config { filters, ..config("diversification", 300) });
    let kept = 110;
    assert_eq!((outcome.top.len(), outcome.distribution.subsets), (kept, kept as u64));
    assert_eq!(outcome.distribution.histogram.counts.iter().sum::<u64>(), kept as u64);
    assert_eq!(outcome.inclusion.subsets, kept.div_ceil(100) as u64);
}

#[test]
fn halves_compare_the_subsets_that_keep_the_bounds() {
    let told = Told::of(200, 12, 3);
    let half = |rows: std::ops::Range<usize>| Told::new(told.returns.part(rows), 3).by_hand();
    let (first, second) = (half(0..100), half(100..200));
    let largest = |weights: &[f64]| weights.iter().copied().fold(0.0, f64::max);
    let whole: Vec<(f64, f64)> =
        told.by_hand().iter().map(|(_, weights, path)| (largest(weights), sharpe(path))).collect();
    let (light, good) =
        (middle(whole.iter().map(|one| one.0).collect()), middle(whole.iter().map(|one| one.1).collect()));
    for bound in [format!("max-weight<{light}"), format!("sharpe>{good}")] {
        let filters = vec![Filter::parse(&bound).unwrap()];
        let outcome = told.screened(&Config { filters, halves: true, ..config("sharpe", 5) });
        let keeps = |at: &usize| if bound.starts_with("max") { whole[*at].0 < light } else { whole[*at].1 > good };
        let kept: Vec<usize> = (0..220).filter(keeps).collect();
        assert_eq!(kept.len(), 110, "{bound}");
        let halves = outcome.halves.unwrap();
        assert_eq!(halves.subsets, kept.len() as u64, "{bound}");
        let all = kept.iter().map(|&at| sharpe(&second[at].2)).sum::<f64>() / kept.len() as f64;
        assert!((halves.all_second - all).abs() < 1e-10, "{bound}: {} {all}", halves.all_second);
        // The best hundredth of the first half.
        let mut order = kept.clone();
        order.sort_by(|&a, &b| sharpe(&first[b].2).total_cmp(&sharpe(&first[a].2)));
        let winners = &order[..kept.len().div_ceil(100)];
        let later = winners.iter().map(|&at| sharpe(&second[at].2)).sum::<f64>() / winners.len() as f64;
        assert!((halves.winners_second - later).abs() < 1e-10, "{bound}: {} {later}", halves.winners_second);
    }
}

#[test]
fn bounds_that_leave_few_of_the_sample_are_met_by_a_larger_one() {
    let told = Told::of(150, 30, 4);
    let calm = told.screened(&config("volatility", 301)).top;
    let bound = 0.5 * (calm[299].value + calm[300].value);
    let filters = vec![Filter::parse(&format!("volatility<{bound}")).unwrap()];
    let outcome = told.screened(&Config { filters, halves: true, ..config("diversification", 5) });
    let passing = outcome.subsets.passing;
    // 4,096 of the 27,405 subsets would hold about 45 of these: all are looked at.
    assert_eq!((outcome.subsets.screened, passing), (27_405, 300));
    assert_eq!(outcome.halves.unwrap().subsets, passing);
    assert_eq!(outcome.cloud.unwrap().sample.len() as u64, passing);
}

#[test]
fn the_cloud_and_the_growth_are_those_of_pen_and_paper() {
    let told = Told::of(150, 9, 3);
    let outcome = told.screened(&config("volatility", 4));
    let cloud = outcome.cloud.unwrap();
    let by_hand = told.by_hand();
    assert_eq!((cloud.sample.len(), cloud.list.len()), (84, 4));
    for (point, (_, _, path)) in cloud.sample.iter().zip(&by_hand) {
        let mean = path.iter().sum::<f64>() / 150.0;
        let sd = (path.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 149.0).sqrt();
        assert!((point.mean_return / (252.0 * mean) - 1.0).abs() < 1e-10);
        assert!((point.volatility / (252.0_f64.sqrt() * sd) - 1.0).abs() < 1e-10);
    }
    let growth = outcome.growth.unwrap();
    assert_eq!((growth.rows.len(), growth.every, growth.list.len()), (150, 1, 3));
    let equal: Vec<f64> = told.returns.values.chunks(9).map(|row| row.iter().sum::<f64>() / 9.0).collect();
    let of_place = |place: usize| {
        let listed = &outcome.top[place].assets;
        let held = |assets: &[u32]| assets.iter().map(|&i| &told.names[i as usize]).eq(listed);
        by_hand.iter().find(|(assets, _, _)| held(assets)).unwrap().2.clone()
    };
    let lines = growth.list.iter().chain([&growth.equal_weight]).zip((0..3).map(of_place).chain([equal]));
    for (line, path) in lines {
        let wealth = |rows: usize| path[..rows].iter().map(|r| 1.0 + r).product::<f64>();
        for row in 0..150 {
            let highest = (0..=row + 1).map(wealth).fold(0.0, f64::max);
            assert!((line.wealth[row] / wealth(row + 1) - 1.0).abs() < 1e-12);
            assert!((line.drawdown[row] - (wealth(row + 1) / highest - 1.0)).abs() < 1e-12);
        }
        let deepest = line.drawdown.iter().copied().fold(0.0, f64::min);
        assert!((line.figures.max_drawdown + deepest).abs() < 1e-12);
        assert_eq!(line.last, line.wealth[149]);
    }
    // Of a long history some rows are kept, the last among them.
    let long = Told::of(2500, 5, 2).screened(&config("volatility", 1)).growth.unwrap();
    assert_eq!((long.every, long.rows.len(), long.rows.last().unwrap().as_str()), (3, 834, "row 2499"));
    assert_eq!(long.equal_weight.last, *long.equal_weight.wealth.last().unwrap());
}

#[test]
fn what_is_shown_of_a_history_does_not_depend_on_threads() {
    let told = Told::of(150, 30, 3);
    let filters = vec![Filter::parse("max-weight<0.6").unwrap(), Filter::parse("max-drawdown<0.5").unwrap()];
    let config = Config { filters, halves: true, ..config("sharpe", 9) };
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| told.screened(&config))
    };
    let (one, two) = (run(1), run(2));
    assert!(one.halves.is_some() && one.growth.is_some() && one.top.len() == 9);
    assert_eq!(one, two);
}

#[test]
fn the_choice_is_repeated_where_that_takes_seconds() {
    let of = |name: &str| Figure::named(name).unwrap();
    for (subsets, size, rows, figure, resamples, expected) in [
        (210, 4, 3971, "diversification", 1000, Some(200)),
        (5000, 5, 3971, "diversification", 50, Some(50)),
        (5001, 5, 100, "diversification", 50, None),
        (210, 4, 3971, "sharpe", 1000, Some(200)),
        (5000, 5, 3971, "sharpe", 1000, None),
        (5000, 100, 3971, "volatility", 1000, None),
    ] {
        assert_eq!(affordable(subsets, size, rows, of(figure), resamples), expected, "{subsets} {size} {figure}");
    }
}
