//! Outcomes for people and programs: terminal tables, and the files of a run directory.

pub mod directory;
pub mod terminal;
pub mod weights;
