//! Typed columns, as Parquet and Arrow files hold them, to a history.

use arrow_array::RecordBatch;

use crate::error::{Error, Result};
use crate::io::column::{Column, NO_WORD};
use crate::io::dates::Keys;
use crate::io::history::History;
use crate::io::layout::{self, Layout, Sketch};
use crate::io::pivot::Pivot;
use crate::io::{Detected, EMPTY, Limits, Request, head, shown};

/// A table of columns.
pub(crate) struct Frame {
    source: String,
    names: Vec<String>,
    columns: Vec<Column>,
    /// Columns that pandas wrote as the index.
    index: Vec<String>,
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

    /// Names of several levels, which pandas writes as Python tuples, become one name each; the columns of other fields
    /// than the one chosen are left out.
    fn flatten(&mut self, remarks: &mut Vec<String>) {
        let of_assets: Vec<usize> = (0..self.names.len()).filter(|&place| !self.is_index(place)).collect();
        let tuples: Option<Vec<Vec<String>>> = of_assets.iter().map(|&place| tuple(&self.names[place])).collect();
        let Some(tuples) = tuples.filter(|tuples| !tuples.is_empty()) else { return };
        let depth = tuples[0].len();
        if tuples.iter().any(|tuple| tuple.len() != depth) {
            return;
        }
        // The first column of a text table holds labels, and has no say.
        let level = |level: usize| {
            std::iter::once(String::new()).chain(tuples.iter().map(|tuple| tuple[level].clone())).collect()
        };
        let (names, left_out) = head::combine(&mut (0..depth).map(level).collect(), remarks);
        for (&place, name) in of_assets.iter().zip(names.into_iter().skip(1)) {
            self.names[place] = name;
        }
        let mut is_kept = vec![true; self.names.len()];
        left_out.iter().for_each(|column| is_kept[of_assets[column - 1]] = false);
        let mut kept = is_kept.iter().copied();
        self.names.retain(|_| kept.next().unwrap_or(true));
        let mut kept = is_kept.iter().copied();
        self.columns.retain(|_| kept.next().unwrap_or(true));
    }

    fn is_index(&self, place: usize) -> bool {
        self.index.contains(&self.names[place])
    }

    pub(crate) fn finish(mut self, format: &'static str, request: &Request<'_>) -> Result<(History, Detected)> {
        let mut flattened = Vec::new();
        self.flatten(&mut flattened);
        let source = self.source.as_str();
        if self.rows == 0 {
            return Err(Error::input(format!("{source}: a table without rows")).hint(EMPTY));
        }
        let sketches: Vec<Sketch> = self
            .names
            .iter()
            .zip(&self.columns)
            .map(|(name, column)| column.sketch(name, self.index.contains(name)))
            .collect();
        let (layout, remarks) = layout::decide(source, &sketches, request.notation.long)?;
        let remarks = [flattened, remarks].concat();
        let mut detected = Detected { source: source.to_string(), format, remarks, ..Detected::default() };
        let (mut history, labels) = match layout {
            Layout::Long { labels, asset, value } => {
                detected.layout = "long";
                let mut pivot = Pivot::new(source, "row", request.limits);
                for row in 0..self.rows {
                    let name = self.text(asset, row)?;
                    let name = name.split_whitespace().collect::<Vec<_>>().join(" ");
                    pivot.push(row as u64 + 1, &self.text(labels, row)?, &name, self.number(value, row)?)?;
                }
                let (mut history, remark) = pivot.finish(value + 1)?;
                detected.remarks.extend(remark);
                let chosen = request.choose(source, &history.assets, |_| value + 1)?;
                history.take_assets(&chosen);
                (history, Some(labels))
            }
            Layout::Wide { labels, assets } => {
                detected.layout = "wide";
                let names: Vec<String> = assets.iter().map(|&column| self.names[column].clone()).collect();
                let chosen = request.choose(source, &names, |asset| assets[asset] + 1)?;
                let columns: Vec<usize> = chosen.iter().map(|&asset| assets[asset]).collect();
                let names = chosen.iter().map(|&asset| names[asset].clone()).collect();
                (self.wide(labels, names, &columns)?, labels)
            }
            Layout::Single { labels, value } => {
                detected.layout = "single";
                let names = [Request::name_of_single(source, &self.names[value], &mut detected.remarks)];
                let chosen = request.choose(source, &names, |_| value + 1)?;
                let columns: Vec<usize> = chosen.iter().map(|_| value).collect();
                let names = chosen.iter().map(|&asset| names[asset].clone()).collect();
                (self.wide(labels, names, &columns)?, labels)
            }
        };
        let is_dated = labels.is_some_and(|labels| matches!(self.columns[labels], Column::Dates(_)));
        let mut notation = request.notation.clone();
        if is_dated {
            // These are no text: they have no format.
            notation.date_format = None;
        }
        history.read_labels(labels.map(|labels| self.names[labels].as_str()), &notation, &mut detected)?;
        Ok((history, detected))
    }

    fn wide(&self, labels: Option<usize>, assets: Vec<String>, columns: &[usize]) -> Result<History> {
        let mut history = History {
            source: self.source.clone(),
            assets,
            columns: columns.iter().map(|column| column + 1).collect(),
            labels: Vec::with_capacity(self.rows),
            keys: Keys::Names,
            lines: (1..=self.rows as u64).collect(),
            cell_lines: Vec::new(),
            noun: "row",
            values: Vec::with_capacity(self.rows * columns.len()),
        };
        for row in 0..self.rows {
            history.labels.push(match labels {
                Some(labels) => self.text(labels, row)?,
                None => (row + 1).to_string(),
            });
            for &column in columns {
                history.values.push(self.number(column, row)?);
            }
        }
        Ok(history)
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

    /// A cell as a number; NaN where it is missing.
    pub(crate) fn number(&self, column: usize, row: usize) -> Result<f64> {
        match &self.columns[column] {
            Column::Numbers(numbers) => Ok(numbers[row]),
            Column::Nothing(_) => Ok(f64::NAN),
            Column::Words { codes, .. } if codes[row] == NO_WORD => Ok(f64::NAN),
            other => {
                let name = shown(&self.names[column]);
                Err(Error::input(format!("{}: column `{name}` holds {other}, no numbers", self.source))
                    .hint(format!("leave `{name}` out with --assets")))
            }
        }
    }

    /// A cell as a label or a name; empty where it is missing.
    pub(crate) fn text(&self, column: usize, row: usize) -> Result<String> {
        Ok(match &self.columns[column] {
            Column::Numbers(numbers) => match numbers[row] {
                number if number.is_nan() => String::new(),
                number if number.fract() == 0.0 && number.abs() < 1e18 => (number as i64).to_string(),
                number => number.to_string(),
            },
            Column::Dates(dates) => dates[row].map(|date| date.to_string()).unwrap_or_default(),
            Column::Words { codes, words, .. } => words.get(codes[row] as usize).cloned().unwrap_or_default(),
            Column::Nothing(_) => String::new(),
            Column::Other(kind) => {
                let name = shown(&self.names[column]);
                return Err(Error::input(format!("{}: column `{name}` holds {kind}", self.source))
                    .hint("rows are labelled by dates, numbers or text"));
            }
        })
    }
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
