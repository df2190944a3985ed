//! What was detected in a file: one line for the terminal, one object for the record of a run.

use serde::Serialize;

use crate::error::Text;
use crate::io::{ColumnRole, Notices};

/// How a file was read. `remarks` say in words what departs from the plain case: CSV, dates as yyyy-mm-dd, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Detected {
    pub source: String,
    /// `csv`, `parquet`, `arrow`, `npy`, `npz`, or `memory` of a table that no file holds.
    pub format: &'static str,
    /// `wide`, `long`, `single` (a table of one asset's fields) or `blocks` (series with dates of their own).
    pub layout: &'static str,
    /// `prices` or `returns`.
    pub kind: &'static str,
    /// Notation of the row labels.
    pub dates: Option<&'static str>,
    pub encoding: Option<&'static str>,
    pub delimiter: Option<&'static str>,
    pub decimal_mark: Option<&'static str>,
    /// What each column was taken for; of arrays, which have no columns of their own, nothing.
    pub columns: Vec<ColumnRole>,
    pub remarks: Notices,
    /// What stands above the names in a text: it may say what a number stands for.
    #[serde(skip)]
    pub(crate) prose: Vec<String>,
    /// Cells had percent signs, and are fractions now.
    #[serde(skip)]
    pub(crate) has_percent_signs: bool,
    /// Figures were in percent by their size, and are fractions now.
    #[serde(skip)]
    pub(crate) is_percent: bool,
    /// Figures may be in percent.
    #[serde(skip)]
    pub(crate) is_doubtful: bool,
}

impl Detected {
    /// One line, where there is something to say.
    pub fn notice(&self) -> Option<Text> {
        let remarks: Vec<String> = self.remarks.iter().map(Text::nested).collect();
        (!remarks.is_empty()).then(|| format!("{}: {}", self.source, remarks.join("; ")).into())
    }
}
