//! What is kept of a run: finished chunks, in memory or in a file.

pub mod checkpoint;
mod codec;
pub mod columns;
pub mod journal;
mod solutions;

pub use checkpoint::{Checkpoint, Kept, Segment};
pub use columns::{Column, Columns};
