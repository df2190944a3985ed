//! Which driver a batch takes, and what it needs on a device.

use std::sync::Arc;

use super::GpuEngine;
use super::device::{Attempt, Device, Trouble};
use super::driver::Driver;
use super::given::{Given, Matrices};
use super::kernel::{self, Refining};
use super::listed::Listed;
use super::plan::{Origin, Others, Plan};
use super::precision::Precision;
use super::resampled::{Resampled, Resamples};
use super::screened::{Screened, arrange};
use crate::batch::{Assets, Batch, Covariances, Request};
use crate::covariance::Estimator;
use crate::panel::Panel;
use crate::sampling::{Rows, Weighting};

/// The driver of a batch.
///
/// # Errors
/// A batch that this device does not take, or cannot hold.
pub fn driver<'a>(
    engine: &GpuEngine,
    device: Arc<Device>,
    batch: &'a Batch<'_>,
    request: &'a Request,
) -> Attempt<Box<dyn Driver + 'a>> {
    let (memory, accuracy) = (engine.memory(), engine.accuracy());
    let (source, program, beside) = (batch.source(), batch.program(), request.beside());
    if !program.measure().is_volatility() {
        return Err(unfit("risks other than volatility"));
    }
    if batch.bounds().is_some() {
        return Err(unfit("sets of assets within bounds of their weights"));
    }
    if let Some(what) = program.beyond_lanes() {
        return Err(unfit(what));
    }
    if let Some(method) = beside.beyond_devices(batch.assets()) {
        let within = if beside.limits().is_some() { " within limits" } else { "" };
        return Err(unfit(&format!("`{}` of {} assets{within}", beside.name(method), batch.assets())));
    }
    let whole = matches!((&source.assets, request), (Assets::All, Request::Portfolios { .. }));
    if program.is_limited() && !whole {
        return Err(unfit("limits of sets of assets, and of figures"));
    }
    let memory_of_others = kernel::other_bytes(batch.assets().min(256), accuracy.precision);
    if beside.solved().next().is_some() && memory_of_others > u64::from(device.facts.limits.workgroup_memory_bytes) {
        return Err(unfit("methods beside risk budgeting in so little workgroup memory"));
    }
    if !matches!(source.covariances, Covariances::Estimated { .. }) && !beside.is_closed() {
        return Err(unfit("methods beside risk budgeting that have to be solved for, or mixes, of given matrices"));
    }
    match (&source.covariances, &source.assets, request) {
        (Covariances::Given { matrices, assume_psd, .. }, Assets::All, request) => {
            let matrices = Matrices::Given { covariances: matrices, assume_psd: *assume_psd };
            Ok(Box::new(Given::new(device, memory, program, matrices, accuracy, request)?))
        }
        (Covariances::Given { .. }, _, _) => Err(unfit("parts of given matrices")),
        (Covariances::Estimated { panel, rows, estimator }, assets, request) => {
            let resamples = resamples(panel, rows, *estimator)?;
            if !estimator.is_on_devices() {
                return Err(unfit(&format!("the estimator {}", estimator.name())));
            }
            if resamples.windows.is_some() && *estimator != Estimator::Sample {
                return Err(unfit(&format!("the estimator {} of windows", estimator.name())));
            }
            if estimator.weighting(panel.rows()) != Weighting::Equal && accuracy.precision == Precision::Double {
                // Weights are whole numbers of 32 bits there.
                return Err(unfit(&format!("the estimator {} in double precision", estimator.name())));
            }
            let how = |assets| (engine.way(&resamples, assets), accuracy);
            match (assets, request) {
                (Assets::All, Request::Portfolios { beside }) => {
                    let how = how(panel.assets());
                    Ok(Box::new(Resampled::new(device, memory, program, resamples, how, beside)?))
                }
                (Assets::Listed(sets), request) if resamples.windows.is_none() => {
                    let how = how(batch.assets());
                    Ok(Box::new(Listed::new(&device, memory, program, resamples, sets, how, request)?))
                }
                _ => Err(unfit("this of resamples")),
            }
        }
        (Covariances::Known(universe), Assets::Subsets { subsets, cap, .. }, Request::Metrics(metrics))
            if universe.shrinking().is_none() =>
        {
            let source = (universe.model(), subsets, cap.as_ref());
            Ok(Box::new(Screened::new(device, memory, batch.budgets(), source, accuracy, metrics)?))
        }
        (Covariances::Known(_), Assets::All, _) => Err(unfit("one covariance")),
        (Covariances::Known(universe), assets, request) => {
            let matrices = Matrices::Parts { universe, assets };
            Ok(Box::new(Given::new(device, memory, program, matrices, accuracy, request)?))
        }
    }
}

/// Bytes that a job of this batch takes on the device and for what comes back from it.
pub fn bytes(engine: &GpuEngine, batch: &Batch) -> Attempt<u64> {
    let (facts, memory, accuracy) = (&engine.facts, engine.memory(), engine.accuracy());
    let (source, program) = (batch.source(), batch.program());
    let limited = program.is_limited().then(|| program.limits().groups.len());
    let origin = match (&source.covariances, &source.assets) {
        (Covariances::Estimated { panel, rows, estimator }, _) => {
            let way = engine.way(&resamples(panel, rows, *estimator)?, batch.assets());
            let refining = Refining::of(*estimator);
            Origin::Resampled { rows: panel.rows(), way, refining, others: Others::default(), limited }
        }
        (Covariances::Known(universe), Assets::Subsets { subsets, cap, .. }) if universe.shrinking().is_none() => {
            let source = (universe.model(), subsets, cap.as_ref());
            return arrange(facts, memory, source, accuracy).map(|arrangement| arrangement.bytes);
        }
        (Covariances::Given { .. } | Covariances::Known(_), _) => Origin::Given { limited },
    };
    Plan::new(facts, memory, origin, batch.assets(), accuracy).map(|plan| plan.bytes)
}

/// What is resampled, where rows are drawn.
///
/// # Errors
/// Rows of the history itself.
pub fn resamples<'a>(panel: &'a Panel, rows: &'a Rows, estimator: Estimator) -> Attempt<Resamples<'a>> {
    let (law, windows) = rows.draws().ok_or_else(|| unfit("windows of a history"))?;
    Ok(Resamples { panel, law: *law, windows, estimator })
}

fn unfit(what: &str) -> Trouble {
    Trouble::Unfit(format!("the GPU engine does not solve {what}"))
}
