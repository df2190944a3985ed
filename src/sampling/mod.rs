//! Which rows of a history make a problem, and what each of them counts.

mod rows;
mod weighting;

pub use rows::Rows;
pub use weighting::{Decay, Weighting, WholeWeights};
