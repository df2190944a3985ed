//! Cross-check of a GPU run: a sample of its problems, solved again wholly on the CPU in f64, from the recipe on.

use std::sync::OnceLock;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::batch::{Batch, Solutions, Want};
use crate::certificate::Status;
use crate::engine::cpu::{CpuEngine, CpuJob};
use crate::engine::{Engine, Precision};
use crate::error::Result;
use crate::feistel;
use crate::solver::Options;

/// Weights from single precision may differ by this share of the largest weight, beside its rounding floor.
pub const WEIGHT_TOLERANCE: f64 = 1e-5;

/// Tolerance of the solutions that a run is held against.
const EXACT: f64 = 1e-8;

/// Problems checked at most where no number was asked for.
const MOST_BY_DEFAULT: u64 = 1 << 20;

/// Problems solved together.
const TOGETHER: usize = 4096;

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

/// What the cross-check found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CrossCheck {
    pub sampled: u64,
    /// Largest |w_gpu - w_cpu| over the sample; null where no sampled problem converged on both.
    pub max_weight_difference: Option<f64>,
    /// Largest error of the GPU's weights, measured in f64 against the covariance as the CPU builds it.
    pub max_rc_error: Option<f64>,
    /// Problems whose rows, status or weights differ beyond tolerance.
    pub disagreements: u64,
}

impl CrossCheck {
    /// What two cross-checks of different problems found together.
    #[must_use]
    pub fn and(self, other: CrossCheck) -> CrossCheck {
        CrossCheck {
            sampled: self.sampled + other.sampled,
            max_weight_difference: larger(self.max_weight_difference, other.max_weight_difference),
            max_rc_error: larger(self.max_rc_error, other.max_rc_error),
            disagreements: self.disagreements + other.disagreements,
        }
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

/// Compares `solutions` of the problems from `start` on, as `engine` gave them, with the CPU's for the sampled ones.
///
/// # Errors
/// When the engine cannot draw the sample's rows.
pub fn crosscheck(
    engine: &dyn Engine,
    options: Options,
    batch: &Batch,
    (start, solutions): (u64, &Solutions),
    sample: &[u64],
) -> Result<CrossCheck> {
    let exact = CpuEngine { options: exact(options) };
    let rows_differ =
        rows_differ(&*engine.prepare(batch, Want::default())?, &exact.job(batch, Want::default()), sample)?;
    Ok(compare(engine.info().precision, options, batch, (start, solutions), sample, &rows_differ))
}

/// Whatever a run accepts, it is held against good answers.
fn exact(options: Options) -> Options {
    Options { tolerance: options.tolerance.min(EXACT), ..options }
}

/// Compares `solutions` of the problems from `start` on, made in this precision, with the CPU's for the sampled ones.
/// Where rows are known to differ, that is a disagreement already.
pub fn compare(
    precision: Precision,
    options: Options,
    batch: &Batch,
    (start, solutions): (u64, &Solutions),
    sample: &[u64],
    rows_differ: &[bool],
) -> CrossCheck {
    let n = batch.assets();
    // Statuses are those of the run's own tolerance.
    let exact_job = CpuEngine { options: exact(options) }.job(batch, Want::default());
    let own_tolerance = CpuEngine { options };
    let own_job = OnceLock::new();
    // Together, for the CPU solves eight problems at a time, and many resamples share their sums; with bounds on what
    // is held.
    let solved = |problems: &[u64]| {
        let mut own = exact_job.solve_all(problems.iter().copied());
        let stalled = |&at: &usize| own.certificates[at].status == Status::Stalled;
        let left: Vec<usize> = (0..problems.len()).filter(stalled).collect();
        if !left.is_empty() {
            let job: &CpuJob = own_job.get_or_init(|| own_tolerance.job(batch, Want::default()));
            own.replace(&left, &job.solve_all(left.iter().map(|&at| problems[at])));
        }
        own
    };
    let mut compared: Vec<Comparison> = Vec::with_capacity(sample.len());
    for (sample, rows_differ) in sample.chunks(TOGETHER).zip(rows_differ.chunks(TOGETHER)) {
        let own = solved(sample);
        let compare = |(own_at, (&problem, &rows_differ)): (usize, (&u64, &bool))| {
            let certified = own.certificates[own_at];
            let own = &own.weights[own_at * n..][..n];
            let at = (problem - start) as usize;
            let theirs = &solutions.weights[at * n..][..n];
            let certificate = solutions.certificates[at];
            let mut comparison = Comparison {
                agrees: !rows_differ && certificate.status == certified.status,
                difference: None,
                rc_error: None,
            };
            if certificate.status == Status::Converged && certified.status == Status::Converged {
                let (rc_error, kappa) = exact_job.certify(problem, theirs);
                let largest = own.iter().copied().fold(0.0, f64::max);
                let difference = own.iter().zip(theirs).fold(0.0_f64, |m, (a, b)| m.max((a - b).abs()));
                // In double precision both sides are within twice the tolerance.
                let (usual, epsilon) = match precision {
                    Precision::Double => (4.0 * options.tolerance, f64::EPSILON),
                    Precision::Single => (WEIGHT_TOLERANCE, f64::from(f32::EPSILON)),
                };
                let floor = 8.0 * epsilon * kappa;
                // A rescued problem is solved no better than the user asked: weights are within twice the tolerance.
                let loose = if certificate.rescued { 2.0 * options.tolerance } else { 0.0 };
                comparison.agrees &= difference <= (usual + loose + floor) * largest;
                comparison.difference = Some(difference);
                comparison.rc_error = Some(rc_error);
            }
            comparison
        };
        compared.par_extend(sample.par_iter().zip(rows_differ).enumerate().map(compare));
    }
    let largest = |values: &mut dyn Iterator<Item = f64>| values.reduce(f64::max);
    CrossCheck {
        sampled: sample.len() as u64,
        max_weight_difference: largest(&mut compared.iter().filter_map(|c| c.difference)),
        max_rc_error: largest(&mut compared.iter().filter_map(|c| c.rc_error)),
        disagreements: compared.iter().filter(|c| !c.agrees).count() as u64,
    }
}

struct Comparison {
    agrees: bool,
    difference: Option<f64>,
    rc_error: Option<f64>,
}

/// Counts kept at once while rows are compared.
const COUNTS: usize = 1 << 24;

/// For each sampled problem: do the engine's row counts differ from the CPU's? They must be equal.
fn rows_differ(engine: &dyn crate::engine::Job, cpu: &dyn crate::engine::Job, sample: &[u64]) -> Result<Vec<bool>> {
    let mut differ = Vec::with_capacity(sample.len());
    let rows = sample.first().map_or(Ok(0), |first| cpu.counts(&[*first]).map(|counts| counts.len()))?;
    if rows == 0 {
        return Ok(vec![false; sample.len()]);
    }
    for part in sample.chunks((COUNTS / rows).max(1)) {
        let (theirs, own) = (engine.counts(part)?, cpu.counts(part)?);
        differ.extend(theirs.chunks(rows).zip(own.chunks(rows)).map(|(a, b)| a != b));
    }
    Ok(differ)
}
