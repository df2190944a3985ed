//! Cross-check of a run on a device: a sample of its problems, solved again wholly on the CPU in f64, from the recipe on.

use std::sync::OnceLock;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Block, Request, Solutions};
use crate::engine::cpu::{CpuEngine, CpuJob};
use crate::engine::{Job, Precision};
use crate::error::Result;
use crate::feistel;
use crate::measure::{Measured, Metric};
use crate::methods::certificate::Status;
use crate::methods::risk_budgeting::Options;
use crate::stop::Stop;

/// Weights from single precision may differ by this share of the largest weight, beside its rounding floor, and figures by
/// this, relative.
pub const WEIGHT_TOLERANCE: f64 = 1e-5;

/// Tolerance of the solutions that weights are held against.
const EXACT: f64 = 1e-8;

/// Intensities of shrinkage may differ by this, relative.
const PARAMETER_TOLERANCE: f64 = 1e-5;

/// A correlation or an intensity near zero is compared as a number of order one.
const SMALLEST: f64 = 0.1;

/// Problems checked at most where no number was asked for.
const MOST_BY_DEFAULT: u64 = 1 << 20;

/// Problems solved together.
const TOGETHER: usize = 4096;

/// Counts kept at once while rows are compared.
const COUNTS: usize = 1 << 24;

/// How many problems are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sample {
    /// max(64, B / 1000), up to a million.
    #[default]
    Default,
    Count(u64),
    All,
}

/// What a cross-check found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Check {
    pub sampled: u64,
    /// Largest difference over the sample, of a weight or, relative, of a figure; none where no sampled problem converged
    /// on both.
    pub max_difference: Option<f64>,
    /// Largest error of the device's weights, measured in f64 against the covariance as the CPU builds it.
    pub max_rc_error: Option<f64>,
    /// Problems whose rows, status, intensity, weights or figures differ beyond tolerance.
    pub disagreements: u64,
}

impl Check {
    /// What two cross-checks of different problems found together.
    #[must_use]
    pub fn and(self, other: Check) -> Check {
        Check {
            sampled: self.sampled + other.sampled,
            max_difference: larger(self.max_difference, other.max_difference),
            max_rc_error: larger(self.max_rc_error, other.max_rc_error),
            disagreements: self.disagreements + other.disagreements,
        }
    }

    /// As it is kept with a chunk; nothing where there was none.
    pub fn numbers(check: Option<Check>) -> Vec<f64> {
        let none = f64::NAN;
        check.map_or(Vec::new(), |check| {
            let (sampled, disagreements) = (check.sampled as f64, check.disagreements as f64);
            vec![sampled, disagreements, check.max_difference.unwrap_or(none), check.max_rc_error.unwrap_or(none)]
        })
    }

    /// From what was kept.
    pub fn of_numbers(numbers: &[f64]) -> Option<Check> {
        let &[sampled, disagreements, difference, rc_error] = numbers else { return None };
        let known = |x: f64| (!x.is_nan()).then_some(x);
        Some(Check {
            sampled: sampled as u64,
            max_difference: known(difference),
            max_rc_error: known(rc_error),
            disagreements: disagreements as u64,
        })
    }

    /// The same where either may not have been.
    pub fn both(a: Option<Check>, b: Option<Check>) -> Option<Check> {
        match (a, b) {
            (Some(a), Some(b)) => Some(a.and(b)),
            (a, b) => a.or(b),
        }
    }
}

/// A cross-check of weights, as it is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct CrossCheck {
    pub sampled: u64,
    /// Largest |w_gpu - w_cpu| over the sample; null where no sampled problem converged on both.
    pub max_weight_difference: Option<f64>,
    pub max_rc_error: Option<f64>,
    pub disagreements: u64,
}

impl From<Check> for CrossCheck {
    fn from(check: Check) -> CrossCheck {
        let Check { sampled, max_difference: max_weight_difference, max_rc_error, disagreements } = check;
        CrossCheck { sampled, max_weight_difference, max_rc_error, disagreements }
    }
}

/// A cross-check of figures, as it is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct MetricCheck {
    pub sampled: u64,
    /// Largest relative difference of a figure; null where no sampled problem converged on both.
    pub max_metric_difference: Option<f64>,
    pub disagreements: u64,
}

impl From<Check> for MetricCheck {
    fn from(check: Check) -> MetricCheck {
        let Check { sampled, max_difference: max_metric_difference, disagreements, .. } = check;
        MetricCheck { sampled, max_metric_difference, disagreements }
    }
}

/// The larger of two numbers, where there are any.
pub fn larger(a: Option<f64>, b: Option<f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    }
}

/// The sampled problems of [0, `problems`), in order: the first images of the seed's permutation.
pub fn sample(problems: u64, seed: u64, size: Sample) -> Vec<u64> {
    let count = match size {
        Sample::Default => (problems / 1000).clamp(64, MOST_BY_DEFAULT).min(problems),
        Sample::Count(count) => count.min(problems),
        Sample::All => problems,
    };
    let mut sample: Vec<u64> = (0..count).map(|i| feistel::permute(i, problems, seed, 0)).collect();
    sample.sort_unstable();
    sample
}

/// Compares the blocks of a batch with what the CPU finds.
#[derive(Debug)]
pub struct Checker<'a> {
    batch: &'a Batch<'a>,
    request: &'a Request,
    /// Of the blocks.
    precision: Precision,
    /// That the run was asked for.
    options: Options,
    /// Whatever a run accepts, it is held against good answers; what these do not reach, against those of its own
    /// tolerance.
    exact: OnceLock<CpuJob<'a>>,
    own: OnceLock<CpuJob<'a>>,
}

impl<'a> Checker<'a> {
    pub fn new(batch: &'a Batch<'a>, request: &'a Request, precision: Precision, options: Options) -> Checker<'a> {
        Checker { batch, request, precision, options, exact: OnceLock::new(), own: OnceLock::new() }
    }

    fn exact(&self) -> &CpuJob<'a> {
        let options = match self.request {
            Request::Portfolios { .. } => Options { tolerance: self.options.tolerance.min(EXACT), ..self.options },
            Request::Metrics(_) => self.options,
        };
        self.exact.get_or_init(|| CpuEngine { options }.job(self.batch, self.plain()))
    }

    fn own(&self) -> &CpuJob<'a> {
        self.own.get_or_init(|| CpuEngine { options: self.options }.job(self.batch, self.plain()))
    }

    /// Without what is not compared: portfolios that follow from a formula.
    fn plain(&self) -> &'a Request {
        match self.request {
            Request::Portfolios { beside } if beside.solved().next().is_none() => &Request::PORTFOLIOS,
            portfolios @ Request::Portfolios { .. } => portfolios,
            metrics @ Request::Metrics(_) => metrics,
        }
    }

    /// Compares the sampled problems of a block from `start` on. `job` drew their rows, which must be the CPU's; without
    /// one they are taken for granted.
    ///
    /// # Errors
    /// When the engine cannot draw the sample's rows; asked to stop.
    pub fn check(
        &self,
        start: u64,
        block: &Block,
        sample: &[u64],
        job: Option<&dyn Job>,
        stop: &Stop,
    ) -> Result<Check> {
        let end = start + block.problems() as u64;
        let inside = &sample[sample.partition_point(|&p| p < start)..sample.partition_point(|&p| p < end)];
        let rows_differ = match job.filter(|_| !inside.is_empty()) {
            Some(job) => self.rows_differ(job, inside)?,
            None => vec![false; inside.len()],
        };
        let mut found = Check { sampled: inside.len() as u64, ..Check::default() };
        // Together, for the CPU solves eight problems at a time, and many resamples share their sums; with bounds on what
        // is held.
        for (sample, rows_differ) in inside.chunks(TOGETHER).zip(rows_differ.chunks(TOGETHER)) {
            let compared = match block {
                Block::Portfolios(theirs) => self.weights(start, theirs, sample, rows_differ, stop)?,
                Block::Metrics(theirs) => self.figures(start, theirs, sample, stop)?,
            };
            for Comparison { agrees, difference, rc_error } in compared {
                found.disagreements += u64::from(!agrees);
                found.max_difference = larger(found.max_difference, difference);
                found.max_rc_error = larger(found.max_rc_error, rc_error);
            }
        }
        Ok(found)
    }

    fn weights(
        &self,
        start: u64,
        theirs: &Solutions,
        sample: &[u64],
        rows_differ: &[bool],
        stop: &Stop,
    ) -> Result<Vec<Comparison>> {
        let n = self.batch.assets();
        let mut own = self.exact().run_all(sample, stop)?.portfolios();
        let stalled = |&at: &usize| own.certificates[at].status == Status::Stalled || own.comparisons.is_stalled(at);
        let left: Vec<usize> = (0..sample.len()).filter(stalled).collect();
        if !left.is_empty() {
            // Statuses are those of the run's own tolerance.
            let problems: Vec<u64> = left.iter().map(|&at| sample[at]).collect();
            own.replace(&left, &self.own().run_all(&problems, stop)?.portfolios(), 0);
        }
        let compare = |(own_at, (&problem, &rows_differ)): (usize, (&u64, &bool))| {
            let certified = own.certificates[own_at];
            let at = (problem - start) as usize;
            let others_agree = self.others_agree(problem, (&own, own_at), (theirs, at));
            let agree = others_agree && parameters_agree(&own, own_at, theirs, at);
            let own = &own.weights[own_at * n..][..n];
            let theirs_row = &theirs.weights[at * n..][..n];
            let certificate = theirs.certificates[at];
            let agrees = !rows_differ && certificate.status == certified.status && agree;
            let mut comparison = Comparison { agrees, difference: None, rc_error: None };
            if certificate.status == Status::Converged && certified.status == Status::Converged {
                let (rc_error, kappa) = self.exact().certify(problem, theirs_row);
                let largest = own.iter().copied().fold(0.0, f64::max);
                let difference = own.iter().zip(theirs_row).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
                let usual = self.usual();
                let floor = 8.0 * self.precision.epsilon() * kappa;
                // A rescued problem is solved no better than the user asked: weights are within twice the tolerance.
                let loose = if certificate.rescued { 2.0 * self.options.tolerance } else { 0.0 };
                comparison.agrees &= difference <= (usual + loose + floor) * largest;
                comparison.difference = Some(difference);
                // Within limits budgets are missed, and that is no error.
                comparison.rc_error = (!self.batch.program().is_limited()).then_some(rc_error);
            }
            comparison
        };
        Ok(sample.par_iter().zip(rows_differ).enumerate().map(compare).collect())
    }

    fn figures(&self, start: u64, theirs: &Measured, sample: &[u64], stop: &Stop) -> Result<Vec<Comparison>> {
        let Request::Metrics(metrics) = self.request else { return Ok(Vec::new()) };
        let exact = self.exact().run_all(sample, stop)?.metrics();
        let compare = |(own, &problem): (usize, &u64)| {
            let at = (problem - start) as usize;
            let agrees = exact.statuses[own] == theirs.statuses[at];
            if !agrees || exact.statuses[own] != Some(Status::Converged) {
                return Comparison { agrees, difference: None, rc_error: None };
            }
            let differences = metrics.iter().enumerate().map(|(column, metric)| {
                let (a, b) = (theirs.columns[column][at], exact.columns[column][own]);
                let size = if *metric == Metric::MeanCorrelation { b.abs().max(SMALLEST) } else { b.abs() };
                // Of one asset there is none.
                if a.is_nan() && b.is_nan() { 0.0 } else { (a - b).abs() / size }
            });
            let largest = differences.fold(0.0, |m: f64, d| if d <= m { m } else { d });
            Comparison { agrees: largest <= WEIGHT_TOLERANCE, difference: Some(largest), rc_error: None }
        };
        Ok(sample.iter().enumerate().map(compare).collect())
    }

    /// Whether the portfolios of methods beside risk budgeting agree, of those that both have. What has an aim is judged by
    /// it: of near-twins different shares are as good.
    fn others_agree(
        &self,
        problem: u64,
        (own, own_at): (&Solutions, usize),
        (theirs, at): (&Solutions, usize),
    ) -> bool {
        theirs.comparisons.solved.iter().all(|theirs| {
            let Some(own) = own.comparisons.of(theirs.method) else { return false };
            let (proof, certified) = (theirs.proofs[at], own.proofs[own_at]);
            if proof.status != certified.status || certified.status != Status::Converged {
                return proof.status == certified.status;
            }
            let n = own.weights.len() / own.proofs.len();
            let (own, theirs_row) = (&own.weights[own_at * n..][..n], &theirs.weights[at * n..][..n]);
            if let Some((gap, volatility)) = self.exact().gap(problem, theirs.method, theirs_row) {
                let off = (proof.volatility / volatility - 1.0).abs();
                return gap <= 2.0 * self.usual() && off <= self.usual();
            }
            let largest = own.iter().copied().fold(0.0, f64::max);
            own.iter().zip(theirs_row).all(|(a, b)| (a - b).abs() <= self.usual() * largest)
        })
    }

    /// What the precision may make of a weight, relative to the largest. In double precision both sides are within twice the
    /// tolerance.
    fn usual(&self) -> f64 {
        match self.precision {
            Precision::Double => 4.0 * self.options.tolerance,
            Precision::Single => WEIGHT_TOLERANCE,
        }
    }

    /// For each sampled problem: do the engine's row counts differ from the CPU's? They must be equal.
    fn rows_differ(&self, job: &dyn Job, sample: &[u64]) -> Result<Vec<bool>> {
        let mut differ = Vec::with_capacity(sample.len());
        let Some((panel, _)) = self.batch.resamples() else { return Ok(vec![false; sample.len()]) };
        let rows = panel.rows();
        for part in sample.chunks((COUNTS / rows).max(1)) {
            let (theirs, own) = (job.counts(part)?, self.exact().counts(part)?);
            differ.extend(theirs.chunks(rows).zip(own.chunks(rows)).map(|(a, b)| a != b));
        }
        differ.resize(sample.len(), true);
        Ok(differ)
    }
}

/// Whether what the estimator is told by agrees, where both have it.
fn parameters_agree(own: &Solutions, own_at: usize, theirs: &Solutions, at: usize) -> bool {
    // What is read from a table of weights has none.
    let both = own.parameters.get(own_at).zip(theirs.parameters.get(at));
    both.is_none_or(|(own, theirs)| {
        own.is_nan() && theirs.is_nan() || (own - theirs).abs() <= PARAMETER_TOLERANCE * own.max(SMALLEST)
    })
}

struct Comparison {
    agrees: bool,
    difference: Option<f64>,
    rc_error: Option<f64>,
}
