//! The only seam: an engine takes a batch and turns ranges of problem indices into blocks of certified results.

use std::ops::Range;

use crate::batch::{Batch, Block, Request};
use crate::error::{Error, Result};
use crate::stop::Stop;

mod absent;
mod build;
pub mod choose;
pub mod cpu;
mod fault;
#[cfg(feature = "gpu")]
pub mod gpu;
mod info;
mod screen;

pub use absent::Absent;
use cpu::CpuEngine;
pub use fault::{Fault, Remedy};
pub use info::{Choice, EngineInfo, Kind, Precision};

/// Largest `rc_error` of a single-precision solution that counts as converged. Descent aims for its floor, about 1e-6;
/// certificates in fresh single-precision arithmetic add a few 1e-7.
pub const ACCEPTANCE: f64 = 1e-5;

/// A machine that solves batches.
pub trait Engine: Send + Sync {
    fn info(&self) -> EngineInfo;

    /// The CPU beside it, which takes what a device leaves and checks what it made.
    fn reserve(&self) -> CpuEngine;

    /// Readies a batch for what is asked of it: what all its problems share is computed or uploaded once.
    ///
    /// # Errors
    /// When the device cannot hold it, or is lost; [`crate::ErrorKind::Device`] where the batch is not for this device.
    fn prepare<'a>(&'a self, batch: &'a Batch<'_>, request: &'a Request) -> Result<Box<dyn Job + 'a>>;

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

/// A batch on an engine, and what is asked of it. Results are a pure function of the batch and the index, within one
/// engine, adapter and CPU feature level: never of the range, of threads or of memory.
pub trait Job: Sync {
    /// The results of the problems of `range`, in order, in blocks that end where [`Block::PROBLEMS`] says; at least one.
    ///
    /// # Errors
    /// Only for the run as a whole (device lost for good, out of memory, asked to stop). A hard problem is a status.
    fn blocks(&self, range: Range<u64>, stop: &Stop) -> Result<Vec<Block>>;

    /// The same in one block.
    ///
    /// # Errors
    /// As [`Job::blocks`].
    fn run(&self, range: Range<u64>, stop: &Stop) -> Result<Block> {
        Block::joined(self.blocks(range, stop)?).ok_or_else(|| Error::failed("an engine gave no results"))
    }

    /// So many problems keep this engine busy: worth handing over at once.
    fn span(&self) -> u64;

    /// How often each row of the history occurs in each of these problems (problems x T), as this engine draws it; where rows
    /// count by their age, what each counts in whole numbers. Empty where problems are not resamples.
    ///
    /// # Errors
    /// As [`Job::run`].
    fn counts(&self, problems: &[u64]) -> Result<Vec<u32>>;
}
