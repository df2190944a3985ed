//! The only seam: an engine turns a batch and a range of problem indices into certified solutions.

use std::ops::Range;

use crate::batch::{Batch, Solutions, Want};
use crate::error::Result;

pub mod cpu;
pub mod gpu;

/// What computed a result, as recorded with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineInfo {
    /// `cpu` or `gpu`.
    pub engine: &'static str,
    /// The adapter's name; none for the CPU.
    pub adapter: Option<String>,
    /// The driver and its version; none for the CPU.
    pub driver: Option<String>,
}

/// Solves ranges of a batch. Results are a pure function of the batch and the index, within one engine, adapter and
/// CPU feature level: never of the range, of threads or of memory.
pub trait Engine: Send + Sync {
    fn info(&self) -> EngineInfo;

    /// Solves the problems of `range`.
    ///
    /// # Errors
    /// Only for the run as a whole (device lost for good, out of memory). A hard problem is a status.
    fn solve(&self, batch: &Batch, range: Range<u64>, want: Want) -> Result<Solutions>;

    /// How often each row of the history occurs in each of these problems (problems x T), as this engine draws it.
    ///
    /// # Errors
    /// As [`Engine::solve`]. The batch must be resampled.
    fn counts(&self, batch: &Batch, problems: &[u64]) -> Result<Vec<u32>>;
}
