//! How a study was asked to compute: one set of entries for the job of every study, so that none forgets one.

use serde::{Deserialize, Serialize};

use crate::engine::{Choice, Precision};
use crate::run::crosscheck::Sample;

/// Entries of a job that its results depend on and its data do not. The device is none of them: shards of one run may
/// take a device each, and who computed is known from the [`Maker`](crate::store::maker::Maker).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// As it was asked for.
    pub engine: Choice,
    /// None for that of the engine: single on a GPU, double on the CPU.
    pub precision: Option<Precision>,
    /// None for that of the engine.
    pub tolerance: Option<f64>,
    /// On the CPU, which needs no cross-check, the usual number.
    pub crosscheck: Sample,
}
