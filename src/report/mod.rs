//! Outcomes for people and programs: terminal tables, and the files of a run directory, a page with charts among them.

pub mod bootstrap;
mod given;
pub mod html;
mod screen;
pub mod terminal;
pub mod words;

use crate::error::Result;
use terminal::View;

/// A page of charts.
pub const REPORT: &str = "report.html";

/// An outcome that people can read.
pub trait Shown {
    /// For a terminal, or a file.
    fn table(&self, view: View) -> String;

    /// The texts of a run directory beside summary and table, by file.
    ///
    /// # Errors
    /// A text cannot be made.
    fn texts(&self) -> Result<Vec<(&'static str, String)>>;
}
