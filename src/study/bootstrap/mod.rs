//! How far can a risk-parity portfolio be trusted? Resample its history, solve every resample, and look at the spread.

mod outcome;
mod plan;
#[cfg(feature = "files")]
mod spec;
#[cfg(feature = "files")]
mod study;

use serde::{Deserialize, Serialize};

use super::block::Block;
use super::statistics::reading::Reading;
use crate::batch::part::Part;
use crate::batch::{self, Solutions};
use crate::covariance::Estimator;
use crate::engine::Precision;
use crate::error::Result;
use crate::methods::RiskMeasure;
use crate::methods::risk_budgeting::Options;
use crate::panel::Returns;
use crate::resample::Scheme;
use crate::run::crosscheck::{Checker, CrossCheck, Sample, sample};
use crate::run::{Context, RcError, Solves};
use crate::stop::Stop;
use crate::store::{Checkpoint, IN_MEMORY};
pub use outcome::{Methods, Outcome, Portfolio, Run, Sensitivity, SensitivityAsset};
pub use plan::Plan;
#[cfg(feature = "files")]
pub use spec::Spec;
#[cfg(feature = "files")]
pub use study::{Bootstrap, WEIGHTS};

/// What changes for the user. A run keeps its seed, its cross-check, its estimator and its measure of risk elsewhere
/// ([`crate::store::manifest`], [`crate::study::setup`]).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub resamples: u64,
    pub scheme: Scheme,
    pub block: Block,
    #[serde(skip)]
    pub seed: u64,
    #[serde(skip)]
    pub crosscheck: Sample,
    /// Repeat the study at half and twice the block length with a tenth of the resamples.
    pub sensitivity: bool,
    pub periods_per_year: Option<f64>,
    /// Windows of the history whose portfolios are compared, two at least.
    pub windows: usize,
    #[serde(skip)]
    pub estimator: Estimator,
    /// What is budgeted.
    #[serde(skip)]
    pub measure: RiskMeasure,
}

/// Runs the study. `budgets` has one entry per asset; assets with a zero budget leave.
///
/// # Errors
/// A panel that cannot be resampled, a block length out of range, a device that fails, a disk that is full.
pub fn bootstrap(returns: &Returns, budgets: &[f64], config: &Config, context: &mut Context) -> Result<Outcome> {
    solve(&Plan::new(returns, budgets, config, context.observer)?, context)
}

/// Solves what is not kept, and answers. Solutions are left in the store of `context` ([`Plan::solutions`]); one that
/// keeps nothing is given memory, and beyond that a file without a name.
///
/// # Errors
/// A device that fails, a disk that is full, asked to stop.
pub fn solve(plan: &Plan, context: &mut Context) -> Result<Outcome> {
    if !context.store.keeps() {
        *context.store = Checkpoint::aside(IN_MEMORY);
    }
    let solved = plan.solve(None, context)?;
    let Context { engine, store, observer } = context;
    observer.phase("summarising");
    plan.outcome(&solved, engine.info(), store, &mut Reading::new(*observer))
}

/// What one machine of several found: its resamples are kept, and statistics wait until all are together.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub shard: Part,
    /// Resamples from the first up to, but without, the second.
    pub range: [u64; 2],
    /// Of these; the other block lengths are not counted.
    pub solves: Solves,
    pub rc_error: RcError,
    pub crosscheck: Option<CrossCheck>,
    pub run: Run,
}

/// Solves one part of the study, as [`solve`] would, for the store of `context`.
///
/// # Errors
/// As [`solve`].
pub fn part(plan: &Plan, part: Part, context: &mut Context) -> Result<Share> {
    if !context.store.keeps() {
        *context.store = Checkpoint::aside(IN_MEMORY);
    }
    let solved = plan.solve(Some(part), context)?;
    let Context { engine, store, observer } = context;
    let info = engine.info();
    let (solves, rc_error) = plan.certified(&solved.range, &info, store, &mut Reading::new(*observer))?;
    Ok(Share {
        shard: part,
        range: [solved.range.start, solved.range.end],
        solves,
        rc_error,
        crosscheck: solved.crosscheck,
        run: plan.run(info, None),
    })
}

/// Draws and solves a sample of a finished study again on the CPU, in f64, and compares it with the study's solutions,
/// which hold weights of all assets.
///
/// # Errors
/// As [`bootstrap`].
pub fn verify(
    plan: &Plan,
    size: Sample,
    options: Options,
    precision: Precision,
    solutions: Solutions,
) -> Result<CrossCheck> {
    let block = batch::Block::Portfolios(solutions.over(&plan.keep, &plan.signs, plan.names.len()));
    let sample = sample(plan.config.resamples, plan.config.seed, size);
    let request = plan.request();
    let checker = Checker::new(&plan.batch, &request, precision, options);
    checker.check(0, &block, &sample, None, &Stop::NEVER).map(CrossCheck::from)
}
