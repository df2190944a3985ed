//! Tables as texts that spreadsheets open.

use crate::error::{Error, Result};

/// Shortest text that reads back to the same number; nothing where there is none.
pub fn number(x: f64) -> String {
    if x.is_finite() { x.to_string() } else { String::new() }
}

/// The same, and nothing where there is none.
pub fn maybe(x: Option<f64>) -> String {
    x.map_or(String::new(), number)
}

/// A text of comma-separated lines, the header first.
///
/// # Errors
/// None that is known of.
pub fn csv_of(name: &str, records: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let failed = |error: String| Error::failed(format!("`{name}` cannot be written: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.write_record(&record).map_err(|error| failed(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}
