//! Outcomes for people and programs: terminal tables, and the files of a run directory, a page with charts among them.

pub mod bootstrap;
pub mod difference;
pub mod digest;
pub mod directory;
pub mod history;
pub mod html;
pub mod maker;
pub mod manifest;
pub mod metrics;
pub mod screen;
pub mod setup;
pub mod terminal;
pub mod weights;
pub mod words;
