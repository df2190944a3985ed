//! What is kept of a run: finished chunks, in memory or in a file; a run directory; the tables of results.

pub mod atomic;
pub mod checkpoint;
#[doc(hidden)]
pub mod codec;
pub mod columns;
mod difference;
pub mod digest;
pub mod directory;
pub mod history;
pub mod journal;
pub mod maker;
pub mod manifest;
pub mod metrics;
mod solutions;
pub mod weights;

pub use checkpoint::{Checkpoint, Kept, Segment};
pub use columns::{Column, Columns};
