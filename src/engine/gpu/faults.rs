//! Trouble that tests ask for, and the one seam through which it comes: submissions and allocations of a device.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Trouble that a test asks for. Submissions and allocations are counted from one, from the end of the self-test on, and
/// go on to be counted when a device is opened again; pieces are as large as there is room for, whatever their time, so
/// that counts are those of every machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Faults {
    /// Submissions with which the device is lost.
    pub lost: Vec<u64>,
    /// A lost device cannot be opened again.
    pub gone: bool,
    /// Allocations that fail.
    pub exhausted: Vec<u64>,
    /// Allocations of more bytes than this fail.
    pub most_bytes: Option<u64>,
    /// A device that finishes nothing for so long is taken to hang.
    pub patience: Option<Duration>,
    /// Steps have room for no more groups per problem than this.
    pub step_groups: Option<u32>,
}

/// Counts what happens on an engine's devices.
#[derive(Debug, Default)]
pub struct Seam {
    faults: Faults,
    armed: AtomicBool,
    submissions: AtomicU64,
    allocations: AtomicU64,
}

impl Seam {
    pub fn new(faults: Faults) -> Seam {
        Seam { faults, ..Seam::default() }
    }

    /// From here on is counted, and trouble comes.
    pub fn arm(&self) {
        self.armed.store(true, Ordering::Relaxed);
    }

    /// Counts a submission: whether the device is lost with it.
    pub fn loses(&self) -> bool {
        self.counted(&self.submissions, &self.faults.lost)
    }

    /// Counts an allocation: whether it fails.
    pub fn exhausts(&self, bytes: u64) -> bool {
        let named = self.counted(&self.allocations, &self.faults.exhausted);
        let armed = self.armed.load(Ordering::Relaxed);
        named || armed && self.faults.most_bytes.is_some_and(|most| bytes > most)
    }

    /// How long a device may take.
    pub fn patience(&self) -> Option<Duration> {
        self.faults.patience.filter(|_| self.armed.load(Ordering::Relaxed))
    }

    fn counted(&self, counter: &AtomicU64, named: &[u64]) -> bool {
        self.armed.load(Ordering::Relaxed) && named.contains(&(counter.fetch_add(1, Ordering::Relaxed) + 1))
    }
}
