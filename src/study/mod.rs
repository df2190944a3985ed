//! Questions: a study turns a question into a batch, and its solutions into an outcome. Studies know no file format and
//! no command line.

pub mod backtest;
pub mod block;
pub mod bootstrap;
pub mod budgeted;
pub mod change;
pub mod comparison;
pub mod estimation;
pub mod estimators;
#[cfg(feature = "files")]
pub mod given;
pub mod holdings;
pub mod influence;
pub mod limited;
pub mod limits;
pub mod measures;
#[cfg(feature = "files")]
pub mod memory;
#[cfg(feature = "files")]
pub mod protocol;
pub mod screen;
pub mod setup;
pub mod solve;
pub mod statistics;
pub mod winners;
