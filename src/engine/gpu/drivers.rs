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
use crate::sampling::Weighting;

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
    let source = batch.source();
    if !batch.program().measure().is_volatility() {
        return Err(unfit("risks other than volatility"));
    }
    if batch.bounds().is_some() {
        return Err(unfit("sets of assets within bounds of their weights"));
    }
    let beside = request.beside();
    if let Some(method) = beside.methods().iter().find(|own| batch.assets() > own.most_assets_on_devices()) {
        return Err(unfit(&format!("`{}` of {} assets", beside.name(*method), batch.assets())));
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
            Ok(Box::new(Given::new(device, memory, batch.budgets(), matrices, accuracy, request)?))
        }
        (Covariances::Given { .. }, _, _) => Err(unfit("parts of given matrices")),
        (Covariances::Estimated { panel, rows, estimator }, assets, request) => {
            let Some(law) = rows.law() else { return Err(unfit("windows of a history")) };
            if !estimator.is_on_devices() {
                return Err(unfit(&format!("the estimator {}", estimator.name())));
            }
            if estimator.weighting(panel.rows()) != Weighting::Equal && accuracy.precision == Precision::Double {
                // Weights are whole numbers of 32 bits there.
                return Err(unfit(&format!("the estimator {} in double precision", estimator.name())));
            }
            let how = |assets| (engine.way(&law, *estimator, assets), accuracy);
            let resampled = Resamples { panel, law, estimator: *estimator };
            match (assets, request) {
                (Assets::All, Request::Portfolios { beside }) => {
                    let how = how(panel.assets());
                    Ok(Box::new(Resampled::new(device, memory, batch.budgets(), resampled, how, beside)?))
                }
                (Assets::Listed(sets), request) => {
                    let how = how(batch.assets());
                    Ok(Box::new(Listed::new(&device, memory, batch.budgets(), resampled, sets, how, request)?))
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
            Ok(Box::new(Given::new(device, memory, batch.budgets(), matrices, accuracy, request)?))
        }
    }
}

/// Bytes that a job of this batch takes on the device and for what comes back from it.
pub fn bytes(engine: &GpuEngine, batch: &Batch) -> Attempt<u64> {
    let (facts, memory, accuracy) = (&engine.facts, engine.memory(), engine.accuracy());
    let source = batch.source();
    let origin = match (&source.covariances, &source.assets) {
        (Covariances::Estimated { panel, rows, estimator }, _) => {
            let Some(law) = rows.law() else { return Err(unfit("windows of a history")) };
            let way = engine.way(&law, *estimator, batch.assets());
            Origin::Resampled { rows: panel.rows(), way, refining: Refining::of(*estimator), others: Others::default() }
        }
        (Covariances::Known(universe), Assets::Subsets { subsets, cap, .. }) if universe.shrinking().is_none() => {
            let source = (universe.model(), subsets, cap.as_ref());
            return arrange(facts, memory, source, accuracy).map(|arrangement| arrangement.bytes);
        }
        (Covariances::Given { .. } | Covariances::Known(_), _) => Origin::Given,
    };
    Plan::new(facts, memory, origin, batch.assets(), accuracy).map(|plan| plan.bytes)
}

fn unfit(what: &str) -> Trouble {
    Trouble::Unfit(format!("the GPU engine does not solve {what}"))
}
