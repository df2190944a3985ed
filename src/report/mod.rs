//! Outcomes for people and programs: terminal tables, and the files of a run directory.

pub mod bootstrap;
pub mod directory;
pub mod metrics;
pub mod screen;
pub mod terminal;
pub mod weights;
