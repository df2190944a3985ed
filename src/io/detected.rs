//! What was detected in a file: one line for the terminal, one object for the record of a run.

use serde::Serialize;

/// How a file was read. `remarks` say in words what departs from the plain case: CSV, dates as yyyy-mm-dd, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Detected {
    pub source: String,
    /// `csv`, `parquet`, `arrow`, `npy` or `npz`.
    pub format: &'static str,
    /// `wide`, `long` or `single` (a table of one asset's fields).
    pub layout: &'static str,
    /// `prices` or `returns`.
    pub kind: &'static str,
    /// Notation of the row labels.
    pub dates: Option<&'static str>,
    pub encoding: Option<&'static str>,
    pub delimiter: Option<&'static str>,
    pub decimal_mark: Option<&'static str>,
    pub remarks: Vec<String>,
}

impl Detected {
    /// One line, where there is something to say.
    pub fn notice(&self) -> Option<String> {
        (!self.remarks.is_empty()).then(|| format!("{}: {}", self.source, self.remarks.join("; ")))
    }
}
