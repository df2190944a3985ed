//! Outcomes for people and programs: terminal tables, and the files of a run directory, a page with charts among them.

mod backtest;
pub mod bootstrap;
mod given;
pub mod html;
mod screen;
mod sentence;
mod solve;
mod table;
pub mod terminal;
pub mod words;

pub use solve::solve_csv;

use crate::error::Result;
use crate::store::origin::Origin;
use terminal::View;

/// A page of charts.
pub const REPORT: &str = "report.html";

/// An outcome that people can read.
pub trait Shown {
    /// For a terminal, or a file.
    fn table(&self, view: View) -> String;

    /// The texts of a run directory beside summary and table, by file; `origin` is that of the data.
    ///
    /// # Errors
    /// A text cannot be made.
    fn texts(&self, origin: &Origin, view: View) -> Result<Vec<(&'static str, String)>>;

    /// What the study found, for those who read one sentence.
    fn sentence(&self) -> Option<String> {
        None
    }

    /// What a reader should know of the study, beside the notes on its data.
    fn notes(&self, view: View) -> Vec<String> {
        let _ = view;
        Vec::new()
    }
}
