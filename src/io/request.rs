//! What is asked of a history: its kind, its part, and how it is written, where that is not left to detection.

use std::cell::RefCell;
use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::error::{Error, Result, option};
use crate::io::{Limits, Missing, Notices, cash, dates, names, shown};

/// What the cells of a history are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// Prices, unless percent signs or negative values throughout say that these are returns.
    #[default]
    Prices,
    Returns,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Prices => "prices",
            Kind::Returns => "returns",
        }
    }
}

/// How a file is written, where that is known; what is not said is detected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notation {
    /// Between the cells of a text.
    pub delimiter: Option<u8>,
    /// Whether a comma stands between whole and fraction.
    pub decimal_comma: Option<bool>,
    /// What separates thousands, and nothing else does.
    pub thousands: Option<char>,
    /// Prices are whole numbers and 32nds: `118-16` and `118'160` are 118.5.
    pub thirty_seconds: bool,
    /// Words and numbers that stand for a missing cell, besides the usual ones.
    pub missing: Vec<String>,
    /// How dates are written, as `%d/%m/%Y` or `dd/mm/yyyy`; `none` keeps rows in the order of the file.
    pub date_format: Option<String>,
    /// One row per date and asset.
    pub long: bool,
    /// Returns are in percent; what is not said is told from their size.
    pub percent: Option<bool>,
    /// The table that is read where a text holds several, from 1.
    pub table: Option<usize>,
}

/// Which part of a history to read, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadOptions {
    pub kind: Kind,
    /// Returns are logarithmic: taken so from prices; returns in a file are used as they are.
    pub log_returns: bool,
    /// Only these assets, in this order.
    pub assets: Option<Vec<String>>,
    /// Assets, or columns of a table, that are not read.
    pub exclude: Vec<String>,
    /// Only rows dated on or after this day.
    pub from: Option<Date>,
    /// Only rows dated on or before this day.
    pub to: Option<Date>,
    /// Only the last so many returns.
    pub last: Option<usize>,
    /// The column that is cash, among `assets` or not: prices or returns like the others. It is read, and is no asset.
    pub cash: Option<String>,
    pub missing: Missing,
    pub notation: Notation,
    /// Bytes that reading may take; none leaves it at what the program allows.
    pub memory: Option<u64>,
}

impl ReadOptions {
    /// For a backtest: assets come and go, where otherwise only the rows would be kept in which all have a cell.
    #[must_use]
    pub fn with_lives(self) -> ReadOptions {
        let missing = match self.missing {
            Missing::CompleteRows => Missing::LifeSpans,
            other => other,
        };
        ReadOptions { missing, ..self }
    }

    /// The columns to read: the assets asked for, and cash.
    pub(crate) fn columns(&self) -> Option<Vec<String>> {
        let mut columns = self.assets.clone()?;
        columns.extend(self.cash.iter().filter(|cash| !columns.contains(cash)).cloned().collect::<Vec<_>>());
        Some(columns)
    }

    /// # Errors
    /// Options that no data could satisfy.
    pub fn validate(&self) -> Result<()> {
        if let Some(assets) = &self.assets
            && (assets.is_empty() || assets.iter().any(|name| name.trim().is_empty()))
        {
            return Err(Error::usage(format!("{} names no asset", option("assets")))
                .hint(format!("write {}", option("assets").plain("A,B,C"))));
        }
        if let Some(assets) = &self.assets
            && let Some(both) = self.exclude.iter().find(|name| assets.contains(name))
        {
            return Err(Error::usage(format!(
                "`{}` stands in {} and in {}",
                shown(both),
                option("assets"),
                option("exclude")
            ))
            .hint("name it in one of them"));
        }
        if let Some(cash) = &self.cash {
            cash::validate(cash, self)?;
        }
        if self.notation.table == Some(0) {
            return Err(Error::usage(format!("{}: tables are numbered from 1", option("table").plain(0)))
                .hint(format!("say {}", option("table").plain(1))));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Error::usage(format!("{} lies after {}", option("from").word(from), option("to").word(to)))
                .hint("exchange the two"));
        }
        if let Some(last) = self.last
            && last < 2
        {
            return Err(Error::usage(format!(
                "{}: a covariance needs at least 2 rows of returns",
                option("last").plain(last)
            ))
            .hint("ask for more rows"));
        }
        if let Some(format) = &self.notation.date_format
            && format != dates::NO_DATES
            && !["y", "Y", "s", "F", "D"].iter().any(|letter| format.contains(letter))
        {
            return Err(Error::usage(format!("{} `{}` has no year", option("date-format"), shown(format)))
                .hint("write it like %d/%m/%Y or dd/mm/yyyy"));
        }
        Ok(())
    }
}

/// What is asked of one file.
pub(crate) struct Request<'a> {
    pub kind: Kind,
    /// The columns asked for, cash among them.
    pub assets: Option<&'a [String]>,
    /// The column that is cash.
    pub cash: Option<&'a str>,
    /// The cells are rates, of which percent signs and names of prices say nothing.
    pub are_rates: bool,
    pub exclude: &'a [String],
    /// Names of `exclude` that were met.
    pub excluded: RefCell<BTreeSet<String>>,
    /// The file is one of several: not every asset need be in it.
    pub is_part: bool,
    pub notation: &'a Notation,
    pub limits: Limits,
}

impl Request<'_> {
    /// Whether the user leaves this asset or column out.
    pub(crate) fn excludes(&self, name: &str) -> bool {
        let is_excluded = self.exclude.iter().any(|other| other == name);
        if is_excluded {
            self.excluded.borrow_mut().insert(name.to_string());
        }
        is_excluded
    }

    /// Positions of the assets asked for among these names; of those that are there, in a file of several.
    pub(crate) fn choose(&self, source: &str, names: &[String], column: impl Fn(usize) -> usize) -> Result<Vec<usize>> {
        if let Some(cash) = self.cash.filter(|cash| !self.is_part && !names.iter().any(|name| name == cash)) {
            return Err(cash::unknown(source, cash, names));
        }
        let kept: Option<Vec<String>> = match self.assets {
            Some(wanted) if self.is_part => Some(wanted.iter().filter(|name| names.contains(name)).cloned().collect()),
            Some(wanted) => Some(wanted.to_vec()),
            None if self.exclude.is_empty() => None,
            None => Some(names.iter().filter(|name| !self.excludes(name)).cloned().collect()),
        };
        names::choose(source, names, column, kept.as_deref())
    }

    /// The name of a file's only asset, whose column has the name of a field such as `Close`: that of the file.
    pub(crate) fn name_of_single(&self, source: &str, column: &str, remarks: &mut Notices) -> String {
        let Some(name) = asset_of(source).filter(|_| !self.are_rates) else { return column.to_string() };
        remarks.push(format!("the asset is named `{}` after the file", shown(&name)).into());
        name
    }
}

/// An asset's name from the file that holds it alone: `AAPL` of `data/AAPL.csv.gz`, `BRK.B` of `BRK.B.csv`.
fn asset_of(source: &str) -> Option<String> {
    const PACKED: [&str; 3] = ["gz", "gzip", "zip"];
    let path = std::path::Path::new(source);
    let last = path.extension()?;
    let stem = std::path::Path::new(path.file_stem()?);
    let is_packed = PACKED.iter().any(|packed| last.eq_ignore_ascii_case(packed)) && stem.extension().is_some();
    let name = if is_packed { stem.file_stem()? } else { stem.as_os_str() };
    name.to_str().filter(|name| !name.is_empty()).map(str::to_string)
}

#[cfg(test)]
mod tests {
    use super::asset_of;

    #[test]
    fn an_asset_is_named_after_its_file() {
        for (source, name) in [
            ("data/AAPL.csv", Some("AAPL")),
            ("AAPL.csv.gz", Some("AAPL")),
            ("BRK.B.csv", Some("BRK.B")),
            ("7203.T.csv.zip", Some("7203.T")),
            ("spy.us.txt", Some("spy.us")),
            ("AAPL.zip", Some("AAPL")),
            ("standard input", None),
        ] {
            assert_eq!(asset_of(source).as_deref(), name, "{source}");
        }
    }
}
