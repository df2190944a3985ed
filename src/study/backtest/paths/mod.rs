//! How much of a backtest is luck of the path?
//!
//! Path p has the rows of the history in another order: position s has the date s and the returns of row idx(s) of the
//! index law ([`crate::resample`]), all assets, cash and what borrowing costs together. Calendar, windows and the first trade
//! are those of the history. All strategies see the same paths, so that one is compared with another path by path.
//!
//! A problem is (path, date), solved by whatever engine there is; weights are dropped once a path is gone through, and its
//! figures are kept.

mod lockstep;
mod outcome;
mod plan;
mod walk;

use serde::{Deserialize, Serialize};

use crate::resample::Scheme;
use crate::study::block::Block;

pub use outcome::{Beats, Deep, Fan, Figure, OfStrategy, PathsOutcome, Quantiles, Sensitivity, Share};
pub use plan::{Paths, Solved};
pub use walk::Walked;

/// What is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Resampling {
    pub paths: u64,
    pub scheme: Scheme,
    pub block: Block,
    /// A tenth of the paths again, at half and twice the block length.
    pub sensitivity: bool,
}

impl Resampling {
    /// Whether it can be meant.
    pub fn is_sound(&self) -> bool {
        self.paths > 0
    }

    /// Paths at each of the other block lengths.
    pub fn tenth(&self) -> u64 {
        self.paths.div_ceil(10)
    }
}
