//! Does every set of assets of every covariance come out as if it stood alone, and can a run be ended anywhere?

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use equirisk::batch::{Assets, Block, Covariances, Rows, Source};
use equirisk::covariance::{Estimator, RiskModel, Universe};
use equirisk::engine::cpu::CpuEngine;
use equirisk::engine::{Engine, Job as _};
use equirisk::measure::{Measured, Metric};
use equirisk::methods::risk_budgeting::{self, Options, Problem, validity};
use equirisk::observer::{Observer, Unwatched};
use equirisk::panel::{Labels, Panel, Returns};
use equirisk::resample::{Law, Scheme};
use equirisk::run::{Context, Work, gather};
use equirisk::stop::Stop;
use equirisk::store::{Checkpoint, Columns};
use equirisk::study::measures::Components;
use equirisk::study::screen::{Outcome, Question, screen};
use equirisk::subsets::Subsets;
use equirisk::subsets::cap::Cap;
use equirisk::subsets::space::Space;
use equirisk::{Batch, ErrorKind, Program, Request, Solutions, Status};

use crate::run::{returns, sample_covariance};
use crate::screen::{config, names};

const ROWS: usize = 120;
const ASSETS: usize = 6;

/// Returns with a market. In rows 20 to 50 asset 1 hedges asset 0 perfectly; in rows 60 to 80 asset 2 does not move.
fn history() -> Vec<f64> {
    let mut values = returns(ROWS, ASSETS, 0.7, 3);
    for (t, row) in values.chunks_mut(ASSETS).enumerate() {
        if (20..50).contains(&t) {
            row[1] = -2.0 * row[0];
        }
        if (60..80).contains(&t) {
            row[2] = 0.0;
        }
    }
    values
}

/// A covariance in which assets 0 and 1 hedge each other perfectly.
fn hedged() -> Vec<f64> {
    let volatilities = [0.1, 0.2, 0.15, 0.3, 0.25, 0.1];
    let correlation = |i: usize, j: usize| match (i.min(j), i.max(j)) {
        (i, j) if i == j => 1.0,
        (0, 1) => -1.0,
        (0 | 1, _) => 0.0,
        _ => 0.4,
    };
    let entry = |i: usize, j: usize| correlation(i, j) * volatilities[i] * volatilities[j];
    (0..ASSETS * ASSETS).map(|at| entry(at / ASSETS, at % ASSETS)).collect()
}

/// Ordinary covariances, one with a hedge and one that is none.
fn matrices() -> Vec<Vec<f64>> {
    let drawn = |seed| {
        let values = returns(40, ASSETS, 0.6, seed);
        sample_covariance(&values, ASSETS, &(0..40).collect::<Vec<usize>>())
    };
    let mut matrices: Vec<Vec<f64>> = (0..11).map(drawn).collect();
    matrices[3] = hedged();
    matrices[5][1] *= 100.0;
    matrices[5][ASSETS] *= 100.0;
    matrices
}

/// As the definition has it: the covariance as it is, without any of the sums that the engine shares. None where some
/// asset has no variance.
fn model(covariance: &[f64]) -> Option<RiskModel> {
    let n = covariance.len().isqrt();
    let volatilities: Vec<f64> = (0..n).map(|i| covariance[i * n + i].sqrt()).collect();
    let entry = |i: usize, j: usize| {
        if i == j { 1.0 } else { covariance[i * n + j] / (volatilities[i] * volatilities[j]) }
    };
    let correlation = (0..n * n).map(|at| entry(at / n, at % n)).collect();
    volatilities.iter().all(|&s| s > 0.0).then_some(RiskModel { correlation, volatilities })
}

/// One problem, solved by itself and finished to rounding.
struct Alone {
    status: Option<Status>,
    weights: Vec<f64>,
    volatilities: Vec<f64>,
    figures: Vec<f64>,
}

fn alone(whole: Option<&RiskModel>, assets: Option<&[u32]>, budgets: &[f64]) -> Alone {
    let n = budgets.len();
    let nothing = |status| {
        let (weights, volatilities) = (vec![f64::NAN; n], vec![f64::NAN; n]);
        Alone { status, weights, volatilities, figures: vec![f64::NAN; Metric::ALL.len()] }
    };
    let Some(assets) = assets else { return nothing(None) };
    let Some(whole) = whole else { return nothing(Some(Status::Invalid)) };
    let mut risk = RiskModel::default();
    whole.gather(assets, &mut risk);
    let RiskModel { correlation, volatilities } = &risk;
    let problem = Problem { correlation, volatilities, budgets, covariance: None };
    let options = Options { finish: true, ..Options::default() };
    let mut weights = vec![0.0; n];
    let certificate = risk_budgeting::solve(problem, options, &mut risk_budgeting::Workspace::default(), &mut weights);
    if certificate.status != Status::Converged {
        return Alone { volatilities: volatilities.clone(), ..nothing(Some(certificate.status)) };
    }
    let profile = risk.profile(weights.clone(), None);
    let pairs = || (0..n).flat_map(|i| (0..i).map(move |j| (i, j)));
    let mean = pairs().map(|(i, j)| correlation[i * n + j]).sum::<f64>() / pairs().count() as f64;
    let bets = Components::of(&risk).effective_bets(&weights);
    let largest = weights.iter().copied().fold(0.0, f64::max);
    let figures = vec![profile.volatility, profile.diversification_ratio, bets, largest, mean];
    Alone { status: Some(Status::Converged), weights, volatilities: volatilities.clone(), figures }
}

/// What a source is, and the whole covariances that it holds.
fn covariances() -> Vec<(String, Covariances<'static>, Vec<Option<RiskModel>>)> {
    let given = matrices();
    let checked = given.iter().map(|matrix| validity::model(matrix, false).ok()).collect();
    let given = Covariances::Given { matrices: given.concat().into(), assets: ASSETS, assume_psd: false };
    let mut all = vec![("given".to_owned(), given, checked)];
    for (name, matrix) in [("an ordinary one", &matrices()[0]), ("a hedged one", &hedged())] {
        let known = validity::model(matrix, false).unwrap();
        all.push((name.to_owned(), Covariances::Known(known.clone().into()), vec![Some(known)]));
    }
    let values = history();
    let assets = names(ASSETS);
    let returns = Returns { assets, labels: Labels::Text(Vec::new()), values: values.clone() };
    let panel = Arc::new(Panel::new(&returns).unwrap());
    // Summed row by row and, from a mean block of 8 on, by the ends of blocks.
    let law = |scheme, length| Law::new(scheme, length, ROWS, 5, 0).unwrap();
    let resampled = |law| Rows::Resampled { law, resamples: 21 };
    // Of different lengths: ordinary ones, one with the hedge, one without movement.
    let spans: Arc<[Range<u32>]> = [0..20, 20..50, 35..119, 60..80, 0..120, 90..120, 3..33, 50..100, 1..90].into();
    for rows in [
        Rows::All,
        resampled(law(Scheme::Iid, 1.0)),
        resampled(law(Scheme::Stationary, 4.0)),
        resampled(law(Scheme::Circular, 12.0)),
        Rows::Spans(spans),
        Rows::Paths { law: law(Scheme::Stationary, 12.0), paths: 5, spans: [0..40, 30..120, 7..100].into() },
    ] {
        let whole = |set: u64| {
            let mut drawn = Vec::new();
            rows.runs(set, ROWS, |first, length| drawn.extend((first..first + length).map(|row| row as usize % ROWS)));
            model(&sample_covariance(&values, ASSETS, &drawn))
        };
        let whole = (0..rows.count()).map(whole).collect();
        let name = format!("{rows:?}");
        let panel = panel.clone();
        all.push((name, Covariances::Estimated { panel, rows, estimator: Estimator::Sample }, whole));
    }
    all
}

fn assets() -> Vec<Assets> {
    let subsets = Subsets::all(Space::of(ASSETS, 3).unwrap()).unwrap();
    // Bars some, but not those with the hedge.
    let universe = validity::model(&matrices()[0], false).unwrap();
    let cap = Cap::new(&universe.correlation, 0.33);
    vec![
        Assets::All,
        Assets::listed([vec![0, 1, 2], vec![5, 3, 1], vec![2, 0, 4], vec![1, 5, 0]]).unwrap(),
        Assets::Subsets { subsets: subsets.clone(), count: 20, cap: None },
        Assets::Subsets { subsets, count: 17, cap: Some(cap) },
    ]
}

fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    let near = (found - expected).abs() <= tolerance * expected.abs().max(1e-3);
    assert!(near || found.is_nan() && expected.is_nan(), "{what}: {found:e} {expected:e}");
}

/// Of 1e-8 solutions are within twice that.
const TOLERANCE: f64 = 2e-8;

fn assert_portfolios(found: &Solutions, expected: &[Alone], what: &str) {
    let n = expected[0].weights.len();
    for (p, one) in expected.iter().enumerate() {
        let what = format!("{what}, problem {p}");
        // What is barred is no problem: it has no weights.
        assert_eq!(found.certificates[p].status, one.status.unwrap_or(Status::Invalid), "{what}");
        let near = |found: &[f64], expected: &[f64], tolerance| {
            found.iter().zip(expected).for_each(|(&a, &b)| assert_near(a, b, tolerance, &what));
        };
        near(&found.weights[p * n..][..n], &one.weights, TOLERANCE);
        assert_near(found.certificates[p].volatility, one.figures[0], TOLERANCE, &what);
        // Sums of the same rows in another order.
        near(&found.comparisons.volatilities[p * n..][..n], &one.volatilities, 1e-11);
    }
}

fn assert_figures(found: &Measured, expected: &[Alone], what: &str) {
    for (p, one) in expected.iter().enumerate() {
        let what = format!("{what}, problem {p}");
        assert_eq!(found.statuses[p], one.status, "{what}");
        for (column, &figure) in found.columns.iter().zip(&one.figures) {
            assert_near(column[p], figure, TOLERANCE, &what);
        }
    }
}

#[test]
fn every_set_of_assets_of_every_covariance_is_solved_as_if_it_stood_alone() {
    let engine = CpuEngine::default();
    let (mut hedges, mut invalid, mut barred) = (0, 0, 0);
    for (name, covariances, whole) in covariances() {
        for assets in assets() {
            let size = assets.size(ASSETS);
            let what = format!("{name} x {size} assets");
            // Unequal, so that the order of assets counts; subsets have equal ones.
            let equal = matches!(assets, Assets::Subsets { .. });
            let budgets: Vec<f64> = (0..size).map(|i| if equal { 1.0 } else { (i + 1) as f64 }).collect();
            let source = Source { covariances: covariances.clone(), assets: assets.clone() };
            let batch = Batch::new(source, Program::new(&budgets).unwrap()).unwrap();
            assert_eq!(batch.problems(), whole.len() as u64 * assets.count());
            let mut expected = Vec::new();
            for model in &whole {
                let every: Vec<u32> = (0..ASSETS as u32).collect();
                let all = matches!(assets, Assets::All);
                assets.visit(0..assets.count(), |set| {
                    expected.push(alone(model.as_ref(), if all { Some(&every) } else { set }, batch.budgets()));
                });
            }
            let with = |status| expected.iter().filter(|one| one.status == status).count();
            hedges += with(Some(Status::NoSolution));
            invalid += with(Some(Status::Invalid));
            barred += with(None);

            let requests = [Request::COMPARED, Request::Metrics(Metric::ALL.to_vec())];
            for request in &requests {
                let job = engine.job(&batch, request);
                let block = job.run(0..batch.problems(), &Stop::NEVER).unwrap();
                match &block {
                    Block::Portfolios(found) => assert_portfolios(found, &expected, &what),
                    Block::Metrics(found) => assert_figures(found, &expected, &what),
                }
                // Whoever asks for some gets the same, up to the sums that resamples share.
                let some: Vec<u64> = (0..batch.problems()).filter(|p| p % 3 != 1).collect();
                let expected: Vec<Alone> = some
                    .iter()
                    .map(|&p| {
                        let Alone { status, weights, volatilities, figures } = &expected[p as usize];
                        let (weights, volatilities) = (weights.clone(), volatilities.clone());
                        Alone { status: *status, weights, volatilities, figures: figures.clone() }
                    })
                    .collect();
                match job.run_all(&some, &Stop::NEVER).unwrap() {
                    Block::Portfolios(found) => assert_portfolios(&found, &expected, &what),
                    Block::Metrics(found) => assert_figures(&found, &expected, &what),
                }
            }
        }
    }
    assert!(hedges > 20 && invalid > 20 && barred > 20, "{hedges} hedged, {invalid} invalid, {barred} barred");
}

#[test]
fn sets_of_assets_that_are_not_there_are_refused() {
    let model = Arc::new(validity::model(&matrices()[0], false).unwrap());
    let refused = |assets: Assets| {
        let covariances = Covariances::Known(RiskModel::clone(&model).into());
        let budgets = vec![1.0; assets.size(ASSETS)];
        Batch::new(Source { covariances, assets }, Program::new(&budgets).unwrap()).err()
    };
    let space = |assets| Subsets::all(Space::of(assets, 3).unwrap()).unwrap();
    let subsets = |subsets, count| Assets::Subsets { subsets, count, cap: None };
    let listed = |sets: &[&[u32]]| Assets::Listed(sets.iter().map(|set| Box::from(*set)).collect());
    for (assets, said) in [
        (subsets(space(7), 1), Some("asset 6")),
        (subsets(space(6), 21), Some("a space of 20")),
        (subsets(space(6), 20), None),
        (listed(&[&[0, 1], &[5, 6]]), Some("asset 6")),
        (listed(&[&[0, 1], &[2, 3, 4]]), Some("one size")),
        (listed(&[&[0, 1], &[5, 4]]), None),
    ] {
        let error = refused(assets);
        assert_eq!(error.is_some(), said.is_some(), "{error:?}");
        assert!(error.is_none_or(|error| error.message.contains(said.unwrap_or_default())));
    }
    assert!(Assets::listed([vec![0, 1], vec![2]]).is_err() && Assets::listed([]).is_err());
}

#[test]
fn borrowed_matrices_are_not_copied() {
    let given = matrices().concat();
    let batch = Batch::given(&given, &[1.0; ASSETS]).unwrap();
    let Covariances::Given { matrices: Cow::Borrowed(held), .. } = &batch.source().covariances else {
        panic!("they were copied");
    };
    assert!(std::ptr::eq(*held, &given[..]) && batch.symmetrised().is_none());
    assert_eq!(batch.clone().assume_psd().problems(), 11);
    let owned = Batch::given(given.clone(), &[1.0; ASSETS]).unwrap();
    let (found, expected) = (batch.solve(&CpuEngine::default()), owned.solve(&CpuEngine::default()));
    assert!(bytes(&found.unwrap()) == bytes(&expected.unwrap()));
}

#[test]
fn borrowed_matrices_of_single_precision_are_copied_to_be_mended() {
    let mut given = vec![1.0, 0.25, 0.25, 2.0];
    given[1] += f64::from(f32::EPSILON);
    let before = given.clone();
    let batch = Batch::given(&given, &[1.0, 1.0]).unwrap();
    assert_eq!(batch.symmetrised().map(|mended| mended.matrices), Some(1));
    let Covariances::Given { matrices: Cow::Owned(held), .. } = &batch.source().covariances else {
        panic!("nothing was mended");
    };
    assert!(held[1] == held[2] && given == before);
    // In double precision that is no rounding, and stays as it is.
    let double = [1.0, 0.25 + 1e-13, 0.25, 2.0];
    let batch = Batch::given(&double[..], &[1.0, 1.0]).unwrap();
    assert!(matches!(&batch.source().covariances, Covariances::Given { matrices: Cow::Borrowed(_), .. }));
}

/// Solutions as they are kept: bit by bit, what is not a number included.
fn bytes(solutions: &Solutions) -> Vec<u8> {
    Columns::from(solutions.clone()).encode().unwrap()
}

/// A wish that is there once it has been asked for so often.
fn asked(times: u64) -> Stop {
    let asked = AtomicU64::new(0);
    Stop::when(move || asked.fetch_add(1, Ordering::Relaxed) >= times)
}

/// Ends a run after so many problems.
pub struct Ending {
    left: u64,
    ended: Arc<AtomicBool>,
}

impl Ending {
    pub fn after(problems: u64) -> Ending {
        Ending { left: problems, ended: Arc::new(AtomicBool::new(problems == 0)) }
    }
}

impl Observer for Ending {
    fn finished(&mut self, work: u64) {
        self.left = self.left.saturating_sub(work);
        self.ended.store(self.left == 0, Ordering::Relaxed);
    }

    fn notice(&mut self, message: &equirisk::error::Text) {
        panic!("{message}");
    }

    fn stop(&self) -> Stop {
        Stop::on(self.ended.clone())
    }
}

/// Ends when the wish is there.
struct Wishing(Stop);

impl Observer for Wishing {
    fn finished(&mut self, _: u64) {}

    fn notice(&mut self, message: &equirisk::error::Text) {
        panic!("{message}");
    }

    fn stop(&self) -> Stop {
        self.0.clone()
    }
}

fn resampled(problems: u64) -> Batch<'static> {
    let returns = Returns { assets: names(ASSETS), labels: Labels::Text(Vec::new()), values: history() };
    let law = Law::new(Scheme::Stationary, 12.0, ROWS, 5, 0).unwrap();
    Batch::resampled(Panel::new(&returns).unwrap(), law, problems, &[1.0; ASSETS]).unwrap()
}

/// A run of all problems is ended before it begins, after some, and in the middle of some, and goes on from there.
pub fn assert_portfolios_go_on(engine: &dyn Engine) {
    let span = engine.prepare(&resampled(1), &Request::PORTFOLIOS).unwrap().span();
    // Several chunks.
    let problems = 5 * span;
    let batch = resampled(problems);
    let work = Work { batch: &batch, request: &Request::COMPARED, number: 3, sample: &[] };
    let run = |store: &mut Checkpoint, observer: &mut dyn Observer| {
        gather(work, 0..problems, &mut Context { engine, store, observer })
    };
    let expected = bytes(&run(&mut Checkpoint::none(), &mut Unwatched).unwrap().solutions);
    let interrupted = |store: &mut Checkpoint, observer: &mut dyn Observer| {
        let error = run(store, observer).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted, "{error}");
        store.finished()
    };
    let folder = tempfile::tempdir().unwrap();
    let file = Checkpoint::create(&folder.path().join("chunks"), "{}").unwrap();
    for mut store in [Checkpoint::aside(u64::MAX), Checkpoint::aside(0), file] {
        assert_eq!(interrupted(&mut store, &mut Wishing(Stop::when(|| true))), 0);
        let some = interrupted(&mut store, &mut Ending::after(1));
        assert!((1..problems).contains(&some), "{some} of {problems}");
        // In the middle of what follows, which is lost.
        let more = interrupted(&mut store, &mut Wishing(asked(2)));
        assert!((some..problems).contains(&more), "{more} of {problems}");
        assert!(bytes(&run(&mut store, &mut Unwatched).unwrap().solutions) == expected);
        assert_eq!(store.finished(), problems);
        // Nothing is left to be done, or to be ended.
        let again = run(&mut store, &mut Unwatched).unwrap();
        assert!(bytes(&again.solutions) == expected);
    }
    let error = batch.solve_watched(engine, &mut Wishing(Stop::when(|| true))).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Interrupted);
}

#[test]
fn portfolios_go_on_where_they_were_ended() {
    assert_portfolios_go_on(&CpuEngine::default());
}

/// A screen that is ended goes on from what is kept to what it is without that.
pub fn assert_figures_go_on(engine: &dyn Engine, universe: &RiskModel, kept: Range<u64>) {
    let names = names(universe.assets());
    let subsets = Subsets::all(Space::of(universe.assets(), 3).unwrap()).unwrap();
    let problems = subsets.space().count().unwrap();
    let universe = &Universe::from(universe.clone());
    let question = Question {
        assets: &names,
        universe,
        estimator: Estimator::Sample,
        returns: None,
        simple: None,
        subsets: &subsets,
        max_correlation: None,
        bounds: None,
        periods_per_year: None,
    };
    let config = config("diversification", 20);
    let run = |store: &mut Checkpoint, observer: &mut dyn Observer| -> equirisk::Result<Outcome> {
        screen(&question, problems, &config, &mut Context { engine, store, observer }, &mut |_, _, _| Ok(()))
    };
    let expected = run(&mut Checkpoint::none(), &mut Unwatched).unwrap();
    let mut store = Checkpoint::aside(u64::MAX);
    let interrupted = |store: &mut Checkpoint, observer: &mut dyn Observer| {
        let error = run(store, observer).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Interrupted, "{error}");
        store.finished()
    };
    assert_eq!(interrupted(&mut store, &mut Wishing(Stop::when(|| true))), 0);
    if !kept.is_empty() {
        use equirisk::batch::part::Part;
        let part = Part::Problems { from: kept.start, to: kept.end };
        let context = &mut Context { engine, store: &mut store, observer: &mut Unwatched };
        equirisk::study::screen::part(&question, problems, &config, part, context).unwrap();
    }
    let some = interrupted(&mut store, &mut Ending::after(1));
    assert!((1..problems).contains(&some), "{some} of {problems}");
    assert_eq!(run(&mut store, &mut Unwatched).unwrap(), expected);
    assert_eq!(store.finished(), problems);
}

#[test]
fn figures_go_on_where_they_were_ended() {
    // More than one chunk of subsets.
    let universe = crate::screen::first_of(&crate::screen::nikkei(), 120);
    assert_figures_go_on(&CpuEngine::default(), &universe, 0..0);
}

/// Asks a job of each request for an end before it begins and after some problems.
pub fn assert_ends(engine: &dyn Engine, batch: &Batch, requests: &[Request], problems: u64) {
    for request in requests {
        let job = engine.prepare(batch, request).unwrap();
        for times in [0, 1] {
            let error = job.run(0..problems, &asked(times)).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Interrupted, "{request:?}: {error}");
        }
        // It is as ready as before.
        let (found, other) = (job.run(0..7, &Stop::NEVER).unwrap(), engine.prepare(batch, request).unwrap());
        // What is not a number included.
        let other = other.run(0..7, &asked(u64::MAX)).unwrap();
        assert_eq!(format!("{found:?}"), format!("{other:?}"));
    }
}

#[test]
fn jobs_of_every_kind_end_when_they_are_asked_to() {
    let requests = [Request::PORTFOLIOS, Request::Metrics(vec![Metric::Volatility])];
    for (_, covariances, _) in covariances().into_iter().filter(|(name, _, _)| name != "a hedged one") {
        for assets in assets() {
            let budgets = vec![1.0; assets.size(ASSETS)];
            let batch =
                Batch::new(Source { covariances: covariances.clone(), assets }, Program::new(&budgets).unwrap())
                    .unwrap();
            let error = |request: &Request, stop: &Stop| {
                CpuEngine::default().job(&batch, request).run(0..batch.problems(), stop).unwrap_err()
            };
            for request in &requests {
                assert_eq!(error(request, &Stop::when(|| true)).kind, ErrorKind::Interrupted);
            }
        }
    }
    let universe = validity::model(&hedged(), false).unwrap();
    let subsets = Subsets::all(Space::of(ASSETS, 3).unwrap()).unwrap();
    let engine = CpuEngine::default();
    assert_ends(&engine, &Batch::subsets(universe, subsets, 20, None).unwrap(), &requests, 20);
    assert_ends(&engine, &resampled(3000), &requests, 3000);
}
