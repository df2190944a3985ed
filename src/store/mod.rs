//! What is kept of a run: finished chunks, in memory or in a file; a run directory; the tables of results.

pub mod blocks;
pub mod checkpoint;
pub mod columns;
mod solutions;

#[cfg(feature = "files")]
pub mod atomic;
#[cfg(feature = "files")]
#[doc(hidden)]
pub mod codec;
#[cfg(feature = "files")]
pub mod difference;
#[cfg(feature = "files")]
pub mod digest;
#[cfg(feature = "files")]
pub mod directory;
#[cfg(feature = "files")]
pub mod history;
#[cfg(feature = "files")]
pub mod journal;
#[cfg(feature = "files")]
pub mod maker;
#[cfg(feature = "files")]
pub mod manifest;
#[cfg(feature = "files")]
pub mod metrics;
#[cfg(feature = "files")]
pub mod origin;
#[cfg(feature = "files")]
pub mod table;
#[cfg(feature = "files")]
pub mod weights;

pub use checkpoint::{Checkpoint, IN_MEMORY, Segment};
pub use columns::{Column, Columns};
