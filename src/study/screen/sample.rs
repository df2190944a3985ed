//! The study's own sample of the space, which fixes the bins and compares the halves of the history. It follows from the
//! space, the cap and the bounds of weights alone, so that it is the same on every machine and engine, whatever else is
//! screened.

use crate::error::Result;
use crate::methods::limits::Bounds;
use crate::subsets::Subsets;
use crate::subsets::cap::Cap;

/// Subsets of the sample.
pub const SIZE: u64 = 4096;

/// Samples of the study are drawn with this seed, whatever the user's.
pub const SEED: u64 = 0;

/// Where a cap, or bounds of weights or figures, leave fewer of the sample than this, a larger one is drawn.
pub const FEW: usize = 256;

/// So many times larger.
const LARGER: u64 = 64;

/// Which subsets of a space are of use.
#[derive(Debug, Clone, Copy)]
pub struct Admission<'a> {
    pub cap: Option<&'a Cap>,
    pub bounds: Option<&'a Bounds>,
}

impl Admission<'_> {
    fn is_open(&self) -> bool {
        self.cap.is_none() && self.bounds.is_none()
    }

    /// Whether the cap admits these assets, and weights of them may be within their bounds.
    pub fn admits(&self, assets: &[u32]) -> bool {
        self.cap.is_none_or(|cap| cap.admits(assets)) && self.bounds.is_none_or(|bounds| bounds.admit(assets))
    }
}

/// The problems 0..count of some subsets of the space of `subsets`.
///
/// # Errors
/// A space that cannot be sampled.
pub fn sample(subsets: &Subsets, admission: Admission) -> Result<(Subsets, u64)> {
    let (sample, count) = drawn(subsets, SIZE)?;
    if admission.is_open() || admitted(&sample, count, admission).len() >= FEW {
        return Ok((sample, count));
    }
    larger(subsets)
}

/// As [`sample`], where that leaves too few.
///
/// # Errors
/// As [`sample`].
pub fn larger(subsets: &Subsets) -> Result<(Subsets, u64)> {
    drawn(subsets, LARGER * SIZE)
}

fn drawn(subsets: &Subsets, size: u64) -> Result<(Subsets, u64)> {
    let sample = Subsets::sampled(subsets.space().clone(), size, SEED)?;
    let count = sample.space().count().map_or(size, |count| count.min(size));
    Ok((sample, count))
}

/// Those of the problems 0..count that are admitted, [`SIZE`] of them at most.
pub fn admitted(sample: &Subsets, count: u64, admission: Admission) -> Vec<Vec<u32>> {
    let mut admitted = Vec::new();
    sample.visit(0..count, |_, assets| {
        if admission.admits(assets) {
            admitted.push(assets.to_vec());
        }
    });
    evenly(admitted)
}

/// [`SIZE`] of them at most: evenly, for a space that was taken whole stands in its order.
pub fn evenly<T>(all: Vec<T>) -> Vec<T> {
    let step = all.len().div_ceil(SIZE as usize).max(1);
    all.into_iter().step_by(step).collect()
}
