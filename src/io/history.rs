//! What every format is read into: rows of numbers with gaps, each row with its label and its place in the file.

use std::cmp::Ordering;

use jiff::civil::{Date, DateTime};

use crate::error::{Error, Result, Text, option};
use crate::io::dates::{self, Keys};
use crate::io::{Detected, Notation, Notices, count, shown};
use crate::panel::Labels;

#[derive(Debug, Clone)]
pub(crate) struct History {
    pub source: String,
    pub assets: Vec<String>,
    /// Column of each asset in the file, from 1.
    pub columns: Vec<usize>,
    /// The first column as written.
    pub labels: Vec<String>,
    pub keys: Keys,
    /// Line (or row) of each row in the file, from 1.
    pub lines: Vec<u64>,
    /// Of a long table: line of each cell, 0 where there is none. Else empty.
    pub cell_lines: Vec<u32>,
    /// What the file's lines are called: `line` of a text, `row` of a table without text.
    pub noun: &'static str,
    /// rows x assets, row-major; NaN where a cell is missing.
    pub values: Vec<f64>,
}

impl History {
    pub(crate) fn rows(&self) -> usize {
        self.labels.len()
    }

    pub(crate) fn row(&self, row: usize) -> &[f64] {
        let n = self.assets.len();
        &self.values[row * n..(row + 1) * n]
    }

    /// A row's label, dates in ISO notation.
    pub(crate) fn label(&self, row: usize) -> String {
        match &self.keys {
            Keys::Dates(dates) => dates[row].to_string(),
            Keys::Moments(moments) => written(moments[row]),
            Keys::Numbers(_) | Keys::Names => shown(&self.labels[row]),
        }
    }

    /// The day of each row, where there are dates.
    pub(crate) fn days(&self) -> Option<Vec<Date>> {
        match &self.keys {
            Keys::Dates(dates) => Some(dates.clone()),
            Keys::Moments(moments) => Some(moments.iter().map(|moment| moment.date()).collect()),
            Keys::Numbers(_) | Keys::Names => None,
        }
    }

    /// "prices.csv: line 61, column 3 (`JPM`, 2019-08-27)"
    pub(crate) fn place(&self, row: usize, asset: usize) -> String {
        let cell = self.cell_lines.get(row * self.assets.len() + asset).map(|&line| u64::from(line));
        let line = cell.filter(|&line| line > 0).unwrap_or(self.lines[row]);
        let (column, name) = (self.columns[asset], shown(&self.assets[asset]));
        format!("{}: {} {line}, column {column} (`{name}`, {})", self.source, self.noun, self.label(row))
    }

    /// "2019-06-03 to 2020-06-30"
    pub(crate) fn span(&self) -> String {
        match self.rows() {
            0 => "no rows".to_string(),
            rows => format!("{} to {}", self.label(0), self.label(rows - 1)),
        }
    }

    /// Reads the labels, in a column of this name; without one, rows are numbered.
    pub(crate) fn read_labels(
        &mut self,
        name: Option<&str>,
        notation: &Notation,
        detected: &mut Detected,
    ) -> Result<()> {
        let Some(name) = name else {
            self.keys = Keys::Numbers((1..=self.rows() as i64).collect());
            return Ok(());
        };
        let place = |row: usize| format!("{}: {} {}", self.source, self.noun, self.lines[row]);
        let read = dates::read(&self.labels, name, notation.date_format.as_deref(), place)?;
        self.keys = read.keys;
        detected.dates = Some(read.notation);
        // Series side by side are written alike.
        let remark = read.remark.map(Text::from);
        detected.remarks.extend(remark.filter(|remark| !detected.remarks.contains(remark)));
        Ok(())
    }

    /// Puts rows in increasing order of their labels. A label may stand twice only with the same cells: the second row is
    /// then left out. Gives what was done.
    pub(crate) fn sort(&mut self) -> Result<Notices> {
        let mut remarks = self.drop_copies()?;
        let order = match &self.keys {
            Keys::Dates(dates) => order(dates),
            Keys::Moments(moments) => order(moments),
            Keys::Numbers(numbers) => order(numbers),
            Keys::Names => RowOrder::Increasing,
        };
        match order {
            RowOrder::Increasing => {}
            RowOrder::Decreasing => {
                let rows: Vec<usize> = (0..self.rows()).rev().collect();
                self.take(&rows);
                remarks.push(format!("newest first: rows are put in order, {}", self.span()).into());
            }
            RowOrder::Mixed { rows, first } => {
                let (noun, line, label) = (self.noun, self.lines[first], self.label(first));
                remarks.push(
                    format!("rows are out of order ({noun} {line}, {label}, is the first): they are sorted").into(),
                );
                self.take(&rows);
            }
        }
        Ok(remarks)
    }

    /// Leaves out rows whose label and cells stand already in an earlier row.
    fn drop_copies(&mut self) -> Result<Notices> {
        let mut rows: Vec<usize> = (0..self.rows()).collect();
        let same_label = |a: usize, b: usize| match &self.keys {
            Keys::Dates(dates) => dates[a].cmp(&dates[b]),
            Keys::Moments(moments) => moments[a].cmp(&moments[b]),
            Keys::Numbers(numbers) => numbers[a].cmp(&numbers[b]),
            // Each row is one of its own.
            Keys::Names => a.cmp(&b),
        };
        rows.sort_by(|&a, &b| same_label(a, b));
        let mut copies = Vec::new();
        let mut different: Option<(usize, usize)> = None;
        for run in rows.chunk_by(|&a, &b| same_label(a, b) == Ordering::Equal) {
            for &second in &run[1..] {
                let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
                if self.row(run[0]).iter().zip(self.row(second)).all(same) {
                    copies.push(second);
                } else if different.is_none_or(|(_, earlier)| second < earlier) {
                    different = Some((run[0], second));
                }
            }
        }
        if let Some((first, second)) = different {
            return Err(Error::input(format!(
                "{}: {} stands twice with different values: {}s {} and {}",
                self.source,
                self.label(first),
                self.noun,
                self.lines[first],
                self.lines[second]
            ))
            .hint(format!(
                "keep one row per date; a table with one row per date and asset is read with {}",
                option("long")
            )));
        }
        copies.sort_unstable();
        let Some(&first) = copies.first() else { return Ok(Notices::new()) };
        let (copied, noun, line, label) = (copies.len(), self.noun, self.lines[first], self.label(first));
        let kept: Vec<usize> = (0..self.rows()).filter(|row| copies.binary_search(row).is_err()).collect();
        self.take(&kept);
        let rows = count(copied, "row");
        Ok(vec![
            format!("{rows} left out: the same label and values stand already above (first: {noun} {line}, {label})")
                .into(),
        ])
    }

    /// Keeps the rows dated within [from, to].
    pub(crate) fn window(&mut self, from: Option<Date>, to: Option<Date>) -> Result<()> {
        if from.is_none() && to.is_none() {
            return Ok(());
        }
        let Some(dates) = self.days() else {
            return Err(Error::input(format!(
                "{}: {} and {} need dates, and the first column holds labels like `{}`",
                self.source,
                option("from"),
                option("to"),
                shown(self.labels.first().map_or("", |label| label))
            ))
            .hint(format!("choose rows with {}, or put dates (yyyy-mm-dd) in the first column", option("last"))));
        };
        let is_inside = |date: Date| from.is_none_or(|from| from <= date) && to.is_none_or(|to| date <= to);
        let rows: Vec<usize> = (0..self.rows()).filter(|&row| is_inside(dates[row])).collect();
        if let (true, Some(first), Some(last)) = (rows.is_empty(), dates.iter().min(), dates.iter().max()) {
            return Err(Error::input(format!("{}: no row lies within the dates asked for", self.source))
                .hint(format!("the file runs from {first} to {last}")));
        }
        self.take(&rows);
        Ok(())
    }

    /// Keeps the given rows, in the given order.
    pub(crate) fn take(&mut self, rows: &[usize]) {
        self.values = rows.iter().flat_map(|&row| self.row(row).iter().copied()).collect();
        if !self.cell_lines.is_empty() {
            let n = self.assets.len();
            self.cell_lines =
                rows.iter().flat_map(|&row| self.cell_lines[row * n..(row + 1) * n].iter().copied()).collect();
        }
        self.lines = rows.iter().map(|&row| self.lines[row]).collect();
        self.keys = match &self.keys {
            Keys::Dates(dates) => Keys::Dates(rows.iter().map(|&row| dates[row]).collect()),
            Keys::Moments(moments) => Keys::Moments(rows.iter().map(|&row| moments[row]).collect()),
            Keys::Numbers(numbers) => Keys::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
            Keys::Names => Keys::Names,
        };
        self.labels = rows.iter().map(|&row| std::mem::take(&mut self.labels[row])).collect();
    }

    /// Keeps the given assets, in the given order.
    pub(crate) fn take_assets(&mut self, assets: &[usize]) {
        let n = self.assets.len();
        if assets.iter().copied().eq(0..n) {
            return;
        }
        let take = |row: usize, asset: &usize| row * n + *asset;
        let places: Vec<usize> =
            (0..self.rows()).flat_map(|row| assets.iter().map(move |asset| take(row, asset))).collect();
        self.values = places.iter().map(|&place| self.values[place]).collect();
        if !self.cell_lines.is_empty() {
            self.cell_lines = places.iter().map(|&place| self.cell_lines[place]).collect();
        }
        self.columns = assets.iter().map(|&asset| self.columns[asset]).collect();
        self.assets = assets.iter().map(|&asset| std::mem::take(&mut self.assets[asset])).collect();
    }

    /// A copy with the given assets, in the given order.
    pub(crate) fn only(&self, assets: &[usize]) -> History {
        let mut copy = self.clone();
        copy.take_assets(assets);
        copy
    }

    /// Adds the assets of a history of the same rows behind its own.
    pub(crate) fn append_assets(&mut self, other: History) {
        fn beside<T: Copy>(left: &[T], right: &[T], (n, m): (usize, usize)) -> Vec<T> {
            let rows = left.chunks_exact(n).zip(right.chunks_exact(m));
            rows.flat_map(|(left, right)| left.iter().chain(right).copied()).collect()
        }
        let widths = (self.assets.len(), other.assets.len());
        self.values = beside(&self.values, &other.values, widths);
        if !self.cell_lines.is_empty() {
            self.cell_lines = beside(&self.cell_lines, &other.cell_lines, widths);
        }
        self.assets.extend(other.assets);
        self.columns.extend(other.columns);
    }

    /// Labels of the rows from `first` on.
    pub(crate) fn labels_from(&self, first: usize) -> Labels {
        match &self.keys {
            Keys::Dates(dates) => Labels::Dates(dates[first..].to_vec()),
            Keys::Moments(moments) => Labels::Text(moments[first..].iter().map(|&moment| written(moment)).collect()),
            Keys::Numbers(_) | Keys::Names => Labels::Text(self.labels[first..].to_vec()),
        }
    }

    /// At least so many rows, or an error that counts them.
    pub(crate) fn require_rows(&self, least: usize, noun: &str) -> Result<()> {
        if self.rows() >= least {
            return Ok(());
        }
        Err(Error::input(format!(
            "{}: {} of {noun}; a covariance needs at least {least}",
            self.source,
            count(self.rows(), "row")
        ))
        .hint("take a longer history or wider dates"))
    }
}

/// "2021-01-01 09:30"
fn written(moment: DateTime) -> String {
    let format = if moment.second() == 0 && moment.subsec_nanosecond() == 0 { "%F %H:%M" } else { "%F %T%.f" };
    moment.strftime(format).to_string()
}

enum RowOrder {
    Increasing,
    Decreasing,
    /// `rows` puts them in order; `first` is the first that is not.
    Mixed {
        rows: Vec<usize>,
        first: usize,
    },
}

fn order<K: Ord>(keys: &[K]) -> RowOrder {
    let all = |wanted: Ordering| keys.windows(2).all(|pair| pair[0].cmp(&pair[1]) == wanted);
    if all(Ordering::Less) {
        return RowOrder::Increasing;
    }
    if all(Ordering::Greater) {
        return RowOrder::Decreasing;
    }
    let mut rows: Vec<usize> = (0..keys.len()).collect();
    rows.sort_by(|&a, &b| keys[a].cmp(&keys[b]));
    // The direction most rows follow is the file's own.
    let falls = keys.windows(2).filter(|pair| pair[0] > pair[1]).count();
    let wrong = if 2 * falls > keys.len() { Ordering::Less } else { Ordering::Greater };
    let first = keys.windows(2).position(|pair| pair[0].cmp(&pair[1]) == wrong).map_or(0, |row| row + 1);
    RowOrder::Mixed { rows, first }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(numbers: &[i64]) -> History {
        History {
            source: "f".into(),
            assets: vec!["A".into()],
            columns: vec![2],
            labels: numbers.iter().map(i64::to_string).collect(),
            keys: Keys::Numbers(numbers.to_vec()),
            lines: (2..2 + numbers.len() as u64).collect(),
            cell_lines: Vec::new(),
            noun: "line",
            values: numbers.iter().map(|&x| x as f64).collect(),
        }
    }

    #[test]
    fn any_order_without_repeats_is_sorted_and_said() {
        for numbers in [[1, 2, 3, 4], [4, 3, 2, 1], [1, 3, 2, 4], [4, 2, 3, 1]] {
            let mut history = history(&numbers);
            let notices = history.sort().expect("no repeats");
            assert_eq!(history.values, [1.0, 2.0, 3.0, 4.0]);
            assert_eq!(history.labels, ["1", "2", "3", "4"]);
            assert_eq!(notices.is_empty(), numbers == [1, 2, 3, 4]);
        }
    }

    #[test]
    fn a_copy_of_a_row_is_left_out_and_another_value_is_an_error() {
        let mut copied = history(&[1, 2, 3, 2]);
        let remarks = copied.sort().expect("the same values");
        assert_eq!(copied.values, [1.0, 2.0, 3.0]);
        assert!(remarks[0].starts_with("1 row left out") && remarks[0].contains("line 5, 2"), "{remarks:?}");
        let mut other = history(&[1, 2, 3, 2]);
        other.values[3] = 7.0;
        let error = other.sort().expect_err("2 twice");
        assert_eq!(error.message, "f: 2 stands twice with different values: lines 3 and 5");
    }
}
