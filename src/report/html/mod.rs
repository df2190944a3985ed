//! `report.html`: what a study found, as charts that say what they show.
//!
//! One file without any access to a network: plotly.js stands in it, and its policy for content forbids all else. A chart
//! is a file here: a title that states the finding, the plot, how to read it, its numbers as a table. Nothing in it varies
//! between equal runs.

mod backtest;
mod bootstrap;
mod cells;
mod chart;
mod page;
mod screen;
mod text;

pub use backtest::backtest;
pub use bootstrap::bootstrap;
pub use screen::screen;
