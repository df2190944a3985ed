//! The start-up self-test of every adapter: each stage on small problems whose answers the CPU knows. A driver that fails
//! is refused, whatever it is called. It cannot run every kernel there is, since kernels are made for a number of assets;
//! the cross-check of a run looks at those that ran.

use std::sync::Arc;

use super::device::{Attempt, Device};
use super::driver::Driver as _;
use super::facts::SelfTest;
use super::given::{Given, Matrices};
use super::inspect;
use super::kernel::Kernel;
use super::parameters::Question;
use super::plan::Accuracy;
use super::precision::Precision;
use super::resampled::{Resampled, Resamples};
use super::screened::Screened;
use super::way::Way;
use rayon::prelude::*;

use crate::batch::{Batch, Block, Request, Solutions};
use crate::covariance::estimator::Estimator;
use crate::covariance::{Drawn, RiskModel, Universe, correlate, moments, packed};
use crate::engine::Job as _;
use crate::engine::cpu::CpuEngine;
use crate::error::Result;
use crate::measure::{Measured, Metric};
use crate::methods::certificate::Status;
use crate::methods::risk_budgeting::certificate::certify;
use crate::methods::risk_budgeting::condition::condition;
use crate::methods::{Program, Selection};
use crate::panel::{Labels, Panel, Returns};
use crate::philox::{KNOWN_ANSWERS, philox4x32};
use crate::resample::{Law, Scheme};
use crate::stop::Stop;
use crate::subsets::Subsets;
use crate::subsets::space::Space;

/// Resamples whose rows are compared with the CPU's: the published vectors of the law (its tests check the CPU's).
const DRAWS: [(Scheme, f64, usize, u64, u32, u64); 6] = [
    (Scheme::Stationary, 5.0, 100, 0, 0, 0),
    (Scheme::Stationary, 20.0, 2520, 0x0123_4567_89AB_CDEF, 0, 1),
    (Scheme::Stationary, 20.0, 2520, 0x0123_4567_89AB_CDEF, 7, (1 << 32) + 3),
    (Scheme::Iid, 1.0, 100, 0, 0, 1),
    (Scheme::Circular, 7.0, 100, 0, 0, 0),
    (Scheme::Moving, 7.0, 100, 0, 0, 0),
];

/// Assets of given matrices, so that subgroups and workgroups descend.
const GIVEN: [usize; 2] = [20, 70];

/// Batches of resamples: assets, scheme and length. Together they take both ways to moments, of few assets and of many,
/// and threads, subgroups that do three stages in one, and matrices that are streamed.
const RESAMPLED: [(usize, Scheme, f64); 3] =
    [(3, Scheme::Circular, 10.0), (20, Scheme::Iid, 1.0), (140, Scheme::Iid, 1.0)];
const RESAMPLES: usize = 3;
const ROWS: usize = 48;

/// Subsets that are screened, of 24 assets: those of one thread each, and those that go through the stages.
const SCREENED: [usize; 2] = [3, 20];
const UNIVERSE: usize = 24;
const SUBSETS: u64 = 24;
const METRICS: [Metric; 4] = [Metric::Volatility, Metric::Diversification, Metric::MaxWeight, Metric::MeanCorrelation];

/// Budgets and correlations of given problems: an ordinary one, one with small and negative correlations.
const BUDGETS: [f64; 3] = [0.2, 0.3, 0.5];
const COVARIANCES: [f64; 18] =
    [4.0, 2.4, 0.9, 2.4, 9.0, 1.2, 0.9, 1.2, 1.0, 1.0, -0.3, 0.01, -0.3, 1.0, -0.2, 0.01, -0.2, 1.0];

/// Device memory that a test may use.
const MEMORY: u64 = 8 << 20;

/// Tests everything in the precision of `accuracy`.
///
/// # Errors
/// The device cannot run the test at all.
pub fn run(device: &Arc<Device>, accuracy: Accuracy) -> Result<SelfTest> {
    // Side by side: most of the time goes into kernels that are compiled.
    let mut parts: Vec<Box<dyn Fn() -> Result<SelfTest> + Send + Sync + '_>> = vec![Box::new(|| draws(device))];
    parts.push(Box::new(|| given(device, accuracy, &BUDGETS, &COVARIANCES)));
    parts.extend(GIVEN.map(|n| -> Box<dyn Fn() -> Result<SelfTest> + Send + Sync + '_> {
        Box::new(move || given(device, accuracy, &vec![1.0 / n as f64; n], &model(n)?.covariance()))
    }));
    for (assets, scheme, length) in RESAMPLED {
        parts.push(Box::new(move || {
            let law = Law::new(scheme, length, ROWS, 7, 0)?;
            resampled(device, accuracy, &panel(ROWS, assets)?, law)
        }));
    }
    for size in SCREENED {
        parts.push(Box::new(move || screened(device, accuracy, size)));
    }
    let found: Vec<SelfTest> = parts.par_iter().map(|part| part()).collect::<Result<_>>()?;
    Ok(found.into_iter().fold(SelfTest::default(), SelfTest::and))
}

/// Philox and the index law, bit by bit.
fn draws(device: &Device) -> Result<SelfTest> {
    let mut found = SelfTest { philox: device.attempt(|| philox(device))?, ..SelfTest::default() };
    for (scheme, length, rows, seed, cell, resample) in DRAWS {
        let expected = Law::new(scheme, length, rows, seed, cell)?;
        found.law &= device.attempt(|| device.rows(&expected, resample))? == expected.rows(resample);
    }
    Ok(found)
}

/// How far figures of this precision may be off what the CPU says, relatively, where no error is amplified.
fn close(precision: Precision) -> f64 {
    match precision {
        Precision::Single => 2e-6,
        Precision::Double => 1e-12,
    }
}

fn philox(device: &Device) -> Attempt<bool> {
    let questions = KNOWN_ANSWERS.map(|(counter, key, _)| Question { counter, key: [key[0], key[1], 0, 0] });
    let questions = device.upload("questions", &questions);
    let answers = device.room("answers", 16 * KNOWN_ANSWERS.len() as u64);
    let kernel = Kernel::Known { wide: device.facts.wide_integers };
    let words = device.run(kernel, 1, &[(0, &questions), (1, &answers)], &answers)?;
    Ok(words.iter().eq(KNOWN_ANSWERS.iter().flat_map(|(_, _, answer)| answer)))
}

/// Returns with a common factor, from Philox.
fn panel(rows: usize, n: usize) -> Result<Panel> {
    let uniform = |t: usize, i: usize| {
        let words = philox4x32([t as u32, i as u32, 0, 0], [0, 0]);
        (f64::from(words[0]) + f64::from(words[1])) / f64::from(u32::MAX) - 1.0
    };
    let value = |t: usize, i: usize| 0.01 * (1.0 + i as f64 / n as f64) * (0.6 * uniform(t, n) + uniform(t, i));
    let values = (0..rows).flat_map(|t| (0..n).map(move |i| value(t, i))).collect();
    let assets = (0..n).map(|i| i.to_string()).collect();
    Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values })
}

/// Risk of such returns.
fn model(n: usize) -> Result<RiskModel> {
    Ok(model_of(&panel(4 * n, n)?, &vec![1.0; 4 * n]).2)
}

/// Sums, products and the risk model of a history whose rows count so much.
fn model_of(panel: &Panel, weights: &[f64]) -> (Vec<f64>, Vec<f64>, RiskModel) {
    let n = panel.assets();
    let (mut sums, mut products, mut model) = (vec![0.0; n], vec![0.0; packed(n)], RiskModel::room(n));
    moments(panel.values(), weights, &mut sums, &mut products, &mut Vec::new());
    correlate(&sums, &products, Drawn::rows(panel.rows()), &mut model.correlation, &mut model.volatilities);
    (sums, products, model)
}

/// Given matrices, certified on the CPU.
fn given(device: &Arc<Device>, accuracy: Accuracy, budgets: &[f64], covariances: &[f64]) -> Result<SelfTest> {
    let mut found = SelfTest::default();
    let matrices = Matrices::Given { covariances, assume_psd: true };
    let program = Program::new(budgets)?;
    let blocks = device.attempt(|| {
        let mut given = Given::new(Arc::clone(device), MEMORY, &program, matrices, accuracy, &Request::PORTFOLIOS)?;
        given.start(0..(covariances.len() / budgets.len().pow(2)) as u64)?;
        given.finish()
    })?;
    for certificate in blocks.into_iter().flat_map(|block| block.portfolios().certificates) {
        found.descend &= certificate.status == Status::Converged;
        found.descend_error = found.descend_error.max(certificate.rc_error);
    }
    Ok(found)
}

/// Resamples, stage by stage.
fn resampled(device: &Arc<Device>, accuracy: Accuracy, panel: &Panel, law: Law) -> Result<SelfTest> {
    let mut found = SelfTest::default();
    let (n, precision) = (panel.assets(), accuracy.precision);
    let batch = Batch::resampled(panel.clone(), law, RESAMPLES as u64, &vec![1.0; n])?;
    let budgets = batch.budgets();
    let way = Way::of(&law, Estimator::Sample, n, precision, device.facts.limits.workgroup_memory_bytes);
    let numbers: Vec<u64> = (0..RESAMPLES as u64).collect();
    let beside = Selection::CLOSED_FORMS;
    let (solutions, stages) = device.attempt(|| {
        let (device, how) = (Arc::clone(device), (way, accuracy));
        let resamples = Resamples { panel, law, windows: None, estimator: Estimator::Sample };
        let mut resampled = Resampled::new(device, MEMORY, batch.program(), resamples, how, &beside)?;
        let running = resampled.begin(&numbers)?;
        Ok((resampled.end_whole(running)?, inspect::stages(&resampled, RESAMPLES)?))
    })?;
    let request = Request::COMPARED;
    let expected = CpuEngine::default().job(&batch, &request).run(0..RESAMPLES as u64, &Stop::NEVER)?.portfolios();

    let close = close(precision);
    let near = |found: f64, expected: f64, size: f64| (found - expected).abs() <= close * size;
    let mut counts = vec![0; ROWS];
    for p in 0..RESAMPLES {
        law.counts(p as u64, &mut counts);
        let weights: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
        let (sums, products, model) = model_of(panel, &weights);
        let size = |i: usize| products[i * (i + 1) / 2 + i].sqrt();
        for i in 0..n {
            found.moments &= near(stages.sums[p * n + i], sums[i], size(i) * (ROWS as f64).sqrt());
            for j in 0..=i {
                let at = i * (i + 1) / 2 + j;
                found.moments &= near(stages.products[p * packed(n) + at], products[at], size(i) * size(j));
            }
            let volatility = model.volatilities[i];
            found.correlate &= near(stages.volatilities[p * n + i], volatility, volatility);
        }
        let correlations = stages.correlations.iter().skip(p * n * n).zip(&model.correlation);
        found.correlate &= correlations.fold(true, |all, (&found, &expected)| all & near(found, expected, 1.0));

        // Of positions, weights and exposures the risk shares are the same.
        let y = &stages.positions[p * n..(p + 1) * n];
        let (error, _) = certify(&model.correlation, y, budgets, &mut vec![0.0; n]);
        // Errors of the correlations come on top of those of the descent.
        let allowed = 2.0 * accuracy.limits.rc_error;
        found.descend &= error <= allowed;
        found.descend_error = found.descend_error.max(error);

        let certificate = solutions.certificates[p];
        let weights = &solutions.weights[p * n..(p + 1) * n];
        let volatilities = model.volatilities.iter().zip(panel.volatilities());
        let exposures: Vec<f64> = weights.iter().zip(volatilities).map(|(w, (s, sigma))| w * s * sigma).collect();
        let mut product = vec![0.0; n];
        let (error, variance) = certify(&model.correlation, &exposures, budgets, &mut product);
        let kappa = condition(&model.correlation, &exposures, &mut product);
        let volatility = variance.sqrt();
        found.certify &= certificate.status == Status::Converged
            && error <= allowed
            && (certificate.rc_error - error).abs() <= allowed
            && near(certificate.kappa, kappa, allowed / close * certificate.kappa)
            && near(certificate.volatility, volatility, volatility);
        let count = beside.methods().len();
        let portfolios = |from: &Solutions| from.comparisons.portfolios[p * count..][..count].to_vec();
        let pairs = portfolios(&solutions).into_iter().zip(portfolios(&expected));
        found.certify &= pairs.fold(true, |all, (found, expected)| all & near(found, expected, expected));
    }
    Ok(found)
}

/// Subsets of one covariance, and their figures.
fn screened(device: &Arc<Device>, accuracy: Accuracy, size: usize) -> Result<SelfTest> {
    let subsets = Subsets::all(Space::of(UNIVERSE, size)?)?;
    let universe: Arc<Universe> = model(UNIVERSE)?.into();
    let batch = Batch::subsets(Arc::clone(&universe), subsets.clone(), SUBSETS, None)?;
    let blocks = device.attempt(|| {
        let source = (universe.model(), &subsets, None);
        let mut screened = Screened::new(Arc::clone(device), MEMORY, batch.budgets(), source, accuracy, &METRICS)?;
        screened.start(0..SUBSETS)?;
        screened.finish()
    })?;
    let request = Request::Metrics(METRICS.to_vec());
    let expected = CpuEngine::default().job(&batch, &request).run(0..SUBSETS, &Stop::NEVER)?.metrics();
    let measure = Block::joined(blocks).is_some_and(|found| agree(&found.metrics(), &expected, accuracy));
    Ok(SelfTest { measure, ..SelfTest::default() })
}

/// Solutions are within their tolerance of each other, and so are their figures.
fn agree(found: &Measured, expected: &Measured, accuracy: Accuracy) -> bool {
    let allowed = 2.0 * accuracy.limits.rc_error;
    let columns = found.columns.iter().flatten().zip(expected.columns.iter().flatten());
    let all = columns.fold(true, |all, (found, expected)| all & ((found - expected).abs() <= allowed));
    all && found.statuses == expected.statuses
}

impl Device {
    fn attempt<T>(&self, work: impl FnOnce() -> Attempt<T>) -> Result<T> {
        self.guarded(work).map_err(|trouble| trouble.into_error())
    }
}
