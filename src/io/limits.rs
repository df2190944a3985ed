//! How much a file may ask for, before any of it is given.

use crate::error::{Error, Result, option};

/// A file beyond this many bytes, compressed or not, is refused: 100,000 days of 1,000 assets still fit.
const MOST_BYTES: u64 = 1 << 30;
/// More rows than this are refused: 40 years of minutes still fit.
const MOST_ROWS: usize = 1 << 22;

/// Bytes of a cell while it is read: its value, its return, and the text or the line it stands in.
const PER_CELL: u64 = 24;
/// Bytes of a cell that has a row of its own: where it stands as well. Measured: 37, beside the text.
const PER_RECORD: u64 = 48;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Of a file, and of what it unpacks to.
    pub bytes: u64,
    rows: usize,
    cells: usize,
    records: usize,
    /// Set by the user, not by the program.
    is_asked: bool,
}

impl Limits {
    /// Within so many bytes of memory, or within what the program allows by itself.
    pub(crate) fn new(memory: Option<u64>) -> Limits {
        let bytes = memory.unwrap_or(MOST_BYTES).min(MOST_BYTES);
        let most = |each: u64| (memory.unwrap_or(u64::MAX) / each).min(1 << 27) as usize;
        let (cells, records) = (most(PER_CELL), most(PER_RECORD));
        Limits { bytes, rows: MOST_ROWS, cells, records, is_asked: memory.is_some() }
    }

    /// # Errors
    /// A table of so many rows or cells is too large.
    pub(crate) fn check(&self, source: &str, rows: usize, cells: usize) -> Result<()> {
        self.check_within(source, rows, cells, self.cells)
    }

    /// # Errors
    /// A table of so many rows or cells, each of which has a row of its own in the file, is too large.
    pub(crate) fn check_long(&self, source: &str, rows: usize, cells: usize) -> Result<()> {
        self.check_within(source, rows, cells, self.records)
    }

    fn check_within(&self, source: &str, rows: usize, cells: usize, most: usize) -> Result<()> {
        if rows <= self.rows && cells <= most {
            return Ok(());
        }
        Err(self.too_large(source, format!("{rows} rows and {cells} cells, at most {} and {most}", self.rows)))
    }

    /// # Errors
    /// What unpacks to so many bytes is too large.
    pub(crate) fn check_bytes(&self, source: &str, bytes: u64) -> Result<()> {
        if bytes <= self.bytes {
            return Ok(());
        }
        Err(self.too_large(source, format!("unpacks to {}, at most {}", size(bytes as f64), size(self.bytes as f64))))
    }

    /// The error for what is too large: a matter of the data, or, where the user drew the line, of the flag.
    pub(crate) fn too_large(&self, source: &str, what: String) -> Error {
        match self.is_asked {
            true => Error::usage(format!("{source}: {what}, which is not allowed by {}", option("memory"))).hint(
                format!("raise {}, or cut the data down to the assets and dates that are needed", option("memory")),
            ),
            false => {
                Error::input(format!("{source}: {what}")).hint("cut it down to the assets and dates that are needed")
            }
        }
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::new(None)
    }
}

/// Memory: "512 B", "64.0 KiB", "59.1 MiB", "8.0 GiB".
pub fn size(bytes: f64) -> String {
    let mut left = bytes;
    for unit in ["B", "KiB", "MiB", "GiB", "TiB", "PiB"] {
        if left < 1024.0 {
            return if unit == "B" { format!("{left:.0} B") } else { format!("{left:.1} {unit}") };
        }
        left /= 1024.0;
    }
    format!("{left:.1} EiB")
}
