//! Outcomes for people and programs: terminal tables, and the files of a run directory.

pub mod bootstrap;
pub mod digest;
pub mod directory;
pub mod history;
pub mod maker;
pub mod manifest;
pub mod metrics;
pub mod screen;
pub mod terminal;
pub mod weights;
pub mod words;
