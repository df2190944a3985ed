//! How far can a risk-parity portfolio be trusted? Resample its history, solve every resample, and look at the spread.

mod outcome;
mod plan;

use serde::Serialize;

use super::block::Block;
use super::statistics::observer::Observer;
use crate::batch::Solutions;
use crate::engine::Precision;
use crate::error::Result;
use crate::panel::Returns;
use crate::resample::Scheme;
use crate::run::crosscheck::{self, CrossCheck, Sample, sample};
use crate::run::shard::Shard;
use crate::run::{Means, RcError, Solves, Unwatched};
use crate::solver::Options;
pub use outcome::{Methods, Outcome, Portfolio, Run, Sensitivity, SensitivityAsset};
pub use plan::Plan;

/// What changes for the user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    pub resamples: u64,
    pub scheme: Scheme,
    pub block: Block,
    pub seed: u64,
    pub crosscheck: Sample,
    /// Repeat the study at half and twice the block length with a tenth of the resamples.
    pub sensitivity: bool,
    pub periods_per_year: Option<f64>,
}

/// Runs the study. `budgets` has one entry per asset; assets with a zero budget leave, and the solutions that come back
/// beside the outcome are without them.
///
/// # Errors
/// A panel that cannot be resampled, a block length out of range, a device that fails, a disk that is full; those of the
/// observer.
pub fn bootstrap(
    returns: &Returns,
    budgets: &[f64],
    config: &Config,
    means: &mut Means,
    observer: &mut dyn Observer,
) -> Result<(Outcome, Solutions)> {
    let plan = Plan::new(returns, budgets, config, means.watch)?;
    let solved = plan.solve(Shard::WHOLE, means)?;
    let outcome = plan.outcome(&solved, means.engine.info(), observer)?;
    Ok((outcome, solved.main))
}

/// What one machine of several found: its resamples are kept, and statistics wait until all are together.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    pub shard: Shard,
    /// Resamples from the first up to, but without, the second.
    pub range: [u64; 2],
    /// Of these; the other block lengths are not counted.
    pub solves: Solves,
    pub rc_error: RcError,
    pub crosscheck: Option<CrossCheck>,
    pub run: Run,
}

/// Solves one shard of the study, as [`bootstrap`] would, for the checkpoint of `means`.
///
/// # Errors
/// As [`bootstrap`].
pub fn part(
    returns: &Returns,
    budgets: &[f64],
    config: &Config,
    shard: Shard,
    means: &mut Means,
    observer: &mut dyn Observer,
) -> Result<Part> {
    let plan = Plan::new(returns, budgets, config, means.watch)?;
    let solved = plan.solve(shard, means)?;
    let range = shard.range(config.resamples, 1);
    let info = means.engine.info();
    let (solves, rc_error) = plan.certified(&solved.main, range.end - range.start, &info, observer)?;
    Ok(Part {
        shard,
        range: [range.start, range.end],
        solves,
        rc_error,
        crosscheck: solved.crosscheck,
        run: plan.run(info),
    })
}

/// Draws and solves a sample of a finished study again on the CPU, in f64, and compares it with the study's solutions,
/// which hold weights of all assets.
///
/// # Errors
/// As [`bootstrap`].
pub fn verify(
    returns: &Returns,
    budgets: &[f64],
    config: &Config,
    options: Options,
    precision: Precision,
    solutions: Solutions,
) -> Result<CrossCheck> {
    let plan = Plan::new(returns, budgets, config, &mut Unwatched)?;
    let rows = solutions.weights.chunks_exact(plan.names.len());
    let weights = rows.flat_map(|row| plan.keep.iter().map(|&i| row[i])).collect();
    let solutions = Solutions { weights, ..solutions };
    let sample = sample(config.resamples, config.seed, config.crosscheck);
    let rows_differ = vec![false; sample.len()];
    Ok(crosscheck::compare(precision, options, &plan.batch, (0, &solutions), &sample, &rows_differ))
}
