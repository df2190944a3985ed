//! How a study was asked to compute: one set of entries for the job of every study, so that none forgets one.

use serde::{Deserialize, Serialize};

use crate::run::crosscheck::Sample;

/// Entries of a job that its results depend on and its data do not. The device is none of them: shards of one run may
/// take a device each, and who computed is known from the [`Maker`](super::maker::Maker).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setup {
    /// As it was asked for.
    pub engine: String,
    /// None for that of the engine: single on a GPU, double on the CPU.
    pub precision: Option<String>,
    /// None for that of the engine.
    pub tolerance: Option<f64>,
    /// `all` or a number; none for the usual number, and on the CPU, which needs no cross-check.
    pub crosscheck: Option<String>,
}

impl Setup {
    /// What is sampled for the cross-check; none where no run has such an entry.
    pub fn sample(&self) -> Option<Sample> {
        match self.crosscheck.as_deref() {
            None => Some(Sample::Default),
            Some("all") => Some(Sample::All),
            Some(count) => count.parse().ok().map(Sample::Count),
        }
    }

    /// The entry that [`Setup::sample`] reads.
    pub fn crosscheck(sample: Sample) -> Option<String> {
        match sample {
            Sample::Default => None,
            Sample::Count(count) => Some(count.to_string()),
            Sample::All => Some("all".to_string()),
        }
    }
}
