//! What lies on a device for one batch, and turns pieces of it into blocks.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::GpuEngine;
use super::device::{Attempt, Device, Trouble};
use super::given::{Given, Matrices};
use super::listed::Listed;
use super::plan::{Origin, Plan};
use super::resampled::Resampled;
use super::screened::{Screened, arrange};
use crate::batch::{Assets, Batch, Block, Covariances, Request};

/// A batch on one device. Pieces are started before those in front of them are finished, so that the device need not
/// wait for the host, nor the host for it; they are finished in the order in which they were started.
pub trait Driver: Send {
    /// Problems of a piece at most.
    fn room(&self) -> u32;

    /// Pieces under way at a time.
    fn pieces(&self) -> usize;

    /// Sets the device to work on a piece.
    fn start(&mut self, piece: Range<u64>) -> Attempt<()>;

    /// Waits for the piece that was started first; what comes after it goes on meanwhile.
    fn finish(&mut self) -> Attempt<Block>;

    /// Forgets what is under way.
    fn abandon(&mut self);

    /// Counts per row of these problems, at most [`Driver::room`] of them. Empty where they are not resamples.
    fn counts(&mut self, problems: &[u64]) -> Attempt<Vec<u32>> {
        let _ = problems;
        Ok(Vec::new())
    }
}

/// Pieces under way, in order.
#[derive(Debug)]
pub struct Queue<P>(VecDeque<P>);

impl<P> Default for Queue<P> {
    fn default() -> Self {
        Queue(VecDeque::new())
    }
}

impl<P> Queue<P> {
    pub fn push(&mut self, piece: P) {
        self.0.push_back(piece);
    }

    pub fn pop(&mut self) -> Attempt<P> {
        self.0.pop_front().ok_or_else(|| Trouble::Failed("no piece is under way".to_owned()))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

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
    match (&source.covariances, &source.assets, request) {
        (Covariances::Given { matrices, assume_psd, .. }, Assets::All, request) => {
            let matrices = Matrices::Given { covariances: matrices, assume_psd: *assume_psd };
            Ok(Box::new(Given::new(device, memory, batch.budgets(), matrices, accuracy, request)?))
        }
        (Covariances::Given { .. }, _, _) => Err(unfit("parts of given matrices")),
        (Covariances::Estimated { panel, rows, .. }, assets, request) => {
            let Some(law) = rows.law() else { return Err(unfit("windows of a history")) };
            let how = |assets| (engine.way(&law, assets), accuracy);
            match (assets, request) {
                (Assets::All, Request::Portfolios { beside }) => {
                    let how = how(panel.assets());
                    Ok(Box::new(Resampled::new(device, memory, batch.budgets(), (panel, law), how, beside)?))
                }
                (Assets::Listed(sets), request) => {
                    let how = how(batch.assets());
                    Ok(Box::new(Listed::new(&device, memory, batch.budgets(), (panel, law), sets, how, request)?))
                }
                _ => Err(unfit("this of resamples")),
            }
        }
        (Covariances::Known(model), Assets::Subsets { subsets, cap, .. }, Request::Metrics(metrics)) => {
            let source = (&**model, subsets, cap.as_ref());
            Ok(Box::new(Screened::new(device, memory, batch.budgets(), source, accuracy, metrics)?))
        }
        (Covariances::Known(_), Assets::All, _) => Err(unfit("one covariance")),
        (Covariances::Known(model), assets, request) => {
            let matrices = Matrices::Parts { model, assets };
            Ok(Box::new(Given::new(device, memory, batch.budgets(), matrices, accuracy, request)?))
        }
    }
}

/// Bytes that a job of this batch takes on the device and for what comes back from it.
pub fn bytes(engine: &GpuEngine, batch: &Batch) -> Attempt<u64> {
    let (facts, memory, accuracy) = (&engine.facts, engine.memory(), engine.accuracy());
    let source = batch.source();
    let origin = match (&source.covariances, &source.assets) {
        (Covariances::Estimated { panel, rows, .. }, _) => {
            let Some(law) = rows.law() else { return Err(unfit("windows of a history")) };
            Origin::Resampled { rows: panel.rows(), way: engine.way(&law, batch.assets()) }
        }
        (Covariances::Known(model), Assets::Subsets { subsets, cap, .. }) => {
            let source = (&**model, subsets, cap.as_ref());
            return arrange(facts, memory, source, accuracy).map(|arrangement| arrangement.bytes);
        }
        (Covariances::Given { .. } | Covariances::Known(_), _) => Origin::Given,
    };
    Plan::new(facts, memory, origin, batch.assets(), accuracy).map(|plan| plan.bytes)
}

fn unfit(what: &str) -> Trouble {
    Trouble::Unfit(format!("the GPU engine does not solve {what}"))
}
