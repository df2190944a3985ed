//! The only seam: an engine takes a batch and turns ranges of problem indices into certified solutions.

use std::ops::Range;

use crate::batch::{Batch, Solutions, Want};
use crate::error::{Error, Result};
use crate::measure::{Measured, Metric};

mod absent;
pub mod cpu;
mod fault;
pub mod gpu;
mod info;
mod screen;

pub use absent::Absent;
pub use fault::{Fault, Remedy};
pub use info::{Choice, EngineInfo, Kind, Precision};

/// A machine that solves batches.
pub trait Engine: Send + Sync {
    fn info(&self) -> EngineInfo;

    /// Readies a batch: what all its problems share is computed or uploaded once.
    ///
    /// # Errors
    /// When the device cannot hold it, or is lost.
    fn prepare<'a>(&'a self, batch: &'a Batch, want: Want) -> Result<Box<dyn Job + 'a>>;

    /// Bytes that a job of this batch takes on the device at most; none without a device.
    fn device_bytes(&self, batch: &Batch) -> Option<u64> {
        let _ = batch;
        None
    }

    /// The faults that this engine's jobs have overcome since it was last asked, in order.
    fn faults(&self) -> Vec<Fault> {
        Vec::new()
    }
}

/// A batch on an engine. Results are a pure function of the batch and the index, within one engine, adapter and CPU
/// feature level: never of the range, of threads or of memory.
pub trait Job: Sync {
    /// Solves the problems of `range`, in order.
    ///
    /// # Errors
    /// Only for the run as a whole (device lost for good, out of memory). A hard problem is a status.
    fn solve(&self, range: Range<u64>) -> Result<Solutions>;

    /// So many problems keep this engine busy: worth handing over at once.
    fn span(&self) -> u64;

    /// How often each row of the history occurs in each of these problems (problems x T), as this engine draws it.
    /// Empty where the batch is not resampled.
    ///
    /// # Errors
    /// As [`Job::solve`].
    fn counts(&self, problems: &[u64]) -> Result<Vec<u32>>;

    /// Solves and measures the subsets of `range`, in order: one column for each of `metrics`, and no weights.
    ///
    /// # Errors
    /// As [`Job::solve`]; and an engine that cannot measure.
    ///
    /// # Panics
    /// For a source other than [`crate::Source::Subsets`].
    fn measure(&self, range: Range<u64>, metrics: &[Metric]) -> Result<Measured> {
        let _ = (range, metrics);
        Err(Error::device("this engine does not screen subsets"))
    }
}
