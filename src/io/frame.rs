//! Typed columns, as Parquet and Arrow files hold them, to a history.

use std::borrow::Cow;

use arrow_array::RecordBatch;
use jiff::civil::{DateTime, Time};

use crate::error::{Error, Result, option};
use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::column::Column;
use crate::io::history::History;
use crate::io::sketch::Name;
use crate::io::sketch::Sketch;
use crate::io::{Detected, EMPTY, Limits, Notices, Request, Rows, assemble, head, roles, shown};

/// A table of columns.
pub(crate) struct Frame {
    source: String,
    names: Vec<String>,
    columns: Vec<Column>,
    /// Columns that pandas wrote as the index.
    index: Vec<String>,
    /// Columns of dates of which some have a time of day.
    is_within_days: Vec<usize>,
    rows: usize,
}

impl Frame {
    /// A table of these columns; `pandas` is what that library says about them.
    pub(crate) fn new(source: &str, names: Vec<String>, pandas: Option<&str>) -> Frame {
        let columns = names.iter().map(|_| Column::Nothing(0)).collect();
        Frame {
            source: source.to_string(),
            names,
            columns,
            index: pandas.map(index_columns).unwrap_or_default(),
            is_within_days: Vec::new(),
            rows: 0,
        }
    }

    pub(crate) fn push(&mut self, batch: &RecordBatch, limits: Limits) -> Result<()> {
        self.rows = self.rows.saturating_add(batch.num_rows());
        limits.check(&self.source, self.rows, self.rows.saturating_mul(self.names.len()))?;
        for (place, array) in batch.columns().iter().enumerate().take(self.columns.len()) {
            let name = &self.names[place];
            self.columns[place].extend(array.as_ref()).map_err(|reason| {
                Error::input(format!("{}: column `{}`: {reason}", self.source, shown(name)))
                    .hint("write it again, or save it as CSV")
            })?;
        }
        Ok(())
    }

    /// Names of several levels, which pandas writes as Python tuples, become an asset and a field each.
    fn names(&self, remarks: &mut Notices) -> Vec<Name> {
        let plain = |text: &String| Name { text: text.split_whitespace().collect::<Vec<_>>().join(" "), parts: None };
        let mut names: Vec<Name> = self.names.iter().map(plain).collect();
        let of_assets: Vec<usize> = (0..names.len()).filter(|&place| !self.is_index(place)).collect();
        let tuples: Option<Vec<Vec<String>>> = of_assets.iter().map(|&place| tuple(&self.names[place])).collect();
        let Some(tuples) = tuples.filter(|tuples| !tuples.is_empty()) else { return names };
        let depth = tuples[0].len();
        if tuples.iter().any(|tuple| tuple.len() != depth) {
            return names;
        }
        // The first column of a text table holds labels, and has no say.
        let level = |level: usize| {
            std::iter::once(String::new()).chain(tuples.iter().map(|tuple| tuple[level].clone())).collect()
        };
        let combined = head::combine(&mut (0..depth).map(level).collect(), remarks);
        for (&place, name) in of_assets.iter().zip(combined.into_iter().skip(1)) {
            names[place] = name;
        }
        names
    }

    pub(crate) fn width(&self) -> usize {
        self.columns.len()
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn name(&self, column: usize) -> &str {
        &self.names[column]
    }

    /// The column that names the rows of a square table: pandas's index, or else the first one of text.
    pub(crate) fn label_column(&self) -> Option<usize> {
        let is_text = |&column: &usize| matches!(self.columns[column], Column::Words { .. });
        let index = (0..self.width()).find(|&column| self.is_index(column));
        index.or_else(|| (0..self.width()).find(is_text))
    }

    /// A cell as a number.
    pub(crate) fn number(&self, column: usize, row: usize) -> Cell {
        match &self.columns[column] {
            Column::Numbers(numbers) if numbers[row].is_nan() => Cell::Missing,
            Column::Numbers(numbers) => Cell::Number(numbers[row]),
            Column::Nothing(_) => Cell::Missing,
            Column::Words { codes, words, .. } => {
                let word = words.get(codes[row] as usize).map_or("", String::as_str);
                Numbers::new(Decimal::Point, false).parse(word)
            }
            Column::Dates(_) | Column::Other(_) => Cell::Text,
        }
    }

    /// A cell as a label or a name; empty where it is missing.
    pub(crate) fn text(&self, column: usize, row: usize) -> Result<Cow<'_, str>> {
        Ok(match &self.columns[column] {
            Column::Numbers(numbers) => Cow::Owned(match numbers[row] {
                number if number.is_nan() => String::new(),
                number if number.fract() == 0.0 && number.abs() < 1e18 => (number as i64).to_string(),
                number => number.to_string(),
            }),
            Column::Dates(dates) => {
                let is_within_days = self.is_within_days.contains(&column);
                Cow::Owned(dates[row].map(|moment| written(moment, is_within_days)).unwrap_or_default())
            }
            Column::Words { codes, words, .. } => {
                Cow::Borrowed(words.get(codes[row] as usize).map_or("", String::as_str))
            }
            Column::Nothing(_) => Cow::Borrowed(""),
            Column::Other(kind) => {
                let name = shown(&self.names[column]);
                return Err(Error::input(format!("{}: column `{name}` holds {kind}", self.source))
                    .hint("rows are labelled by dates, numbers or text"));
            }
        })
    }

    fn is_index(&self, place: usize) -> bool {
        self.index.contains(&self.names[place])
    }

    pub(crate) fn finish(mut self, format: &'static str, request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
        let source = self.source.as_str();
        if self.rows == 0 {
            return Err(Error::input(format!("{source}: a table without rows")).hint(EMPTY));
        }
        let is_timed = |moment: &DateTime| moment.time() != Time::midnight();
        let is_within_days =
            |column: &Column| matches!(column, Column::Dates(dates) if dates.iter().flatten().any(is_timed));
        self.is_within_days = (0..self.width()).filter(|&column| is_within_days(&self.columns[column])).collect();
        let source = self.source.as_str();
        let mut detected = Detected { source: source.to_string(), format, ..Detected::default() };
        let names = self.names(&mut detected.remarks);
        let sketches: Vec<Sketch> = names
            .into_iter()
            .zip(&self.columns)
            .enumerate()
            .map(|(place, (name, column))| column.sketch(name, self.is_index(place)))
            .collect();
        let roles = roles::decide(source, &sketches, request)?;
        detected.remarks.extend(roles.remarks.iter().cloned());
        detected.columns.clone_from(&roles.columns);
        let mut cursor = Cursor { frame: &self, row: None };
        let histories = assemble::read(&mut cursor, &roles, request, &mut detected)?;
        Ok((histories, detected))
    }
}

/// A row of a table of columns; none before the first.
struct Cursor<'a> {
    frame: &'a Frame,
    row: Option<usize>,
}

impl Rows for Cursor<'_> {
    fn source(&self) -> &str {
        &self.frame.source
    }

    fn noun(&self) -> &'static str {
        "row"
    }

    fn advance(&mut self) -> Result<Option<u64>> {
        let next = self.row.map_or(0, |row| row + 1);
        self.row = Some(next);
        Ok((next < self.frame.rows).then_some(next as u64 + 1))
    }

    fn text(&self, column: usize) -> Result<Cow<'_, str>> {
        let row = self.row.expect("a row was asked for");
        self.frame.text(column, row)
    }

    fn number(&self, column: usize) -> Cell {
        let row = self.row.expect("a row was asked for");
        self.frame.number(column, row)
    }

    fn has_dates(&self, column: usize) -> bool {
        matches!(self.frame.columns[column], Column::Dates(_))
    }

    fn not_a_number(&self, place: &str, asset: &str, column: usize) -> Error {
        let cells = &self.frame.columns[column];
        Error::input(format!("{place}: the column holds {cells}, and this cell is no number")).hint(format!(
            "leave `{}` out with {}",
            shown(asset),
            option("exclude")
        ))
    }
}

/// A day, or a moment in a column that has them.
fn written(moment: DateTime, is_within_days: bool) -> String {
    if is_within_days { moment.to_string() } else { moment.date().to_string() }
}

/// No index has more levels.
const MOST_LEVELS: usize = 8;

/// The columns that pandas says are its index. A range is not stored, and has no column.
fn index_columns(pandas: &str) -> Vec<String> {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(pandas) else { return Vec::new() };
    let names = value.get("index_columns").and_then(|columns| columns.as_array());
    names.into_iter().flatten().filter_map(|name| name.as_str().map(str::to_string)).take(MOST_LEVELS).collect()
}

/// The words of `('Close', 'AAPL')`.
fn tuple(name: &str) -> Option<Vec<String>> {
    let inside = name.strip_prefix("('")?.strip_suffix("')")?;
    let words: Vec<String> = inside.split("', '").map(str::to_string).collect();
    (words.len() > 1).then_some(words)
}
