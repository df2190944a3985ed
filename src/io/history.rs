//! What every format is read into: rows of numbers with gaps, each row with its label and its place in the file.

use std::cmp::Ordering;

use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::io::dates::Keys;
use crate::io::{Notices, count, shown};
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
    /// Line of each row in the file, from 1.
    pub lines: Vec<u64>,
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
            Keys::Numbers(_) | Keys::Names => shown(&self.labels[row]),
        }
    }

    /// "prices.csv: line 61, column 3 (`JPM`, 2019-08-27)"
    pub(crate) fn place(&self, row: usize, asset: usize) -> String {
        let (line, column, name) = (self.lines[row], self.columns[asset], shown(&self.assets[asset]));
        format!("{}: line {line}, column {column} (`{name}`, {})", self.source, self.label(row))
    }

    /// "2019-06-03 to 2020-06-30"
    pub(crate) fn span(&self) -> String {
        match self.rows() {
            0 => "no rows".to_string(),
            rows => format!("{} to {}", self.label(0), self.label(rows - 1)),
        }
    }

    /// Puts rows in increasing order of their labels. No label may stand twice.
    pub(crate) fn sort(&mut self) -> Result<Notices> {
        let order = match &self.keys {
            Keys::Dates(dates) => order(dates),
            Keys::Numbers(numbers) => order(numbers),
            Keys::Names => {
                let mut rows: Vec<usize> = (0..self.rows()).collect();
                rows.sort_by(|&a, &b| self.labels[a].cmp(&self.labels[b]));
                match repeated(&rows, &self.labels) {
                    Some((first, second)) => RowOrder::Repeated { first, second },
                    None => RowOrder::Increasing,
                }
            }
        };
        match order {
            RowOrder::Increasing => Ok(Notices::new()),
            RowOrder::Decreasing => {
                let rows: Vec<usize> = (0..self.rows()).rev().collect();
                self.take(&rows);
                Ok(vec![format!("{}: newest first: rows are put in order, {}", self.source, self.span())])
            }
            RowOrder::Mixed { rows, first } => {
                let notice = format!(
                    "{}: rows are out of order (line {}, {}, is the first): they are sorted",
                    self.source,
                    self.lines[first],
                    self.label(first)
                );
                self.take(&rows);
                Ok(vec![notice])
            }
            RowOrder::Repeated { first, second } => {
                let same = |(a, b): (&f64, &f64)| a == b || a.is_nan() && b.is_nan();
                let is_same = self.row(first).iter().zip(self.row(second)).all(same);
                let values = if is_same { "the same values" } else { "different values" };
                Err(Error::input(format!(
                    "{}: {} stands twice with {values}: lines {} and {}",
                    self.source,
                    self.label(first),
                    self.lines[first],
                    self.lines[second]
                ))
                .hint("keep one row per date"))
            }
        }
    }

    /// Keeps the rows dated within [from, to].
    pub(crate) fn window(&mut self, from: Option<Date>, to: Option<Date>) -> Result<()> {
        if from.is_none() && to.is_none() {
            return Ok(());
        }
        let Keys::Dates(dates) = &self.keys else {
            return Err(Error::input(format!(
                "{}: --from and --to need dates, and the first column holds labels like `{}`",
                self.source,
                shown(self.labels.first().map_or("", |label| label))
            ))
            .hint("choose rows with --last, or put dates (yyyy-mm-dd) in the first column"));
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
        self.lines = rows.iter().map(|&row| self.lines[row]).collect();
        self.keys = match &self.keys {
            Keys::Dates(dates) => Keys::Dates(rows.iter().map(|&row| dates[row]).collect()),
            Keys::Numbers(numbers) => Keys::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
            Keys::Names => Keys::Names,
        };
        self.labels = rows.iter().map(|&row| std::mem::take(&mut self.labels[row])).collect();
    }

    /// Keeps the given assets, in the given order.
    pub(crate) fn take_assets(&mut self, assets: &[usize]) {
        let n = self.assets.len();
        self.values = self.values.chunks_exact(n).flat_map(|row| assets.iter().map(|&asset| row[asset])).collect();
        self.columns = assets.iter().map(|&asset| self.columns[asset]).collect();
        self.assets = assets.iter().map(|&asset| std::mem::take(&mut self.assets[asset])).collect();
    }

    /// Labels of the rows from `first` on.
    pub(crate) fn labels_from(&self, first: usize) -> Labels {
        match &self.keys {
            Keys::Dates(dates) => Labels::Dates(dates[first..].to_vec()),
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

enum RowOrder {
    Increasing,
    Decreasing,
    /// `rows` puts them in order; `first` is the first that is not.
    Mixed {
        rows: Vec<usize>,
        first: usize,
    },
    Repeated {
        first: usize,
        second: usize,
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
    if let Some((first, second)) = repeated(&rows, keys) {
        return RowOrder::Repeated { first, second };
    }
    // The direction most rows follow is the file's own.
    let falls = keys.windows(2).filter(|pair| pair[0] > pair[1]).count();
    let wrong = if 2 * falls > keys.len() { Ordering::Less } else { Ordering::Greater };
    let first = keys.windows(2).position(|pair| pair[0].cmp(&pair[1]) == wrong).map_or(0, |row| row + 1);
    RowOrder::Mixed { rows, first }
}

/// Of stably sorted rows, the pair with equal keys that comes first in the file.
fn repeated<K: Ord>(sorted: &[usize], keys: &[K]) -> Option<(usize, usize)> {
    let pairs = sorted.windows(2).filter(|pair| keys[pair[0]] == keys[pair[1]]);
    pairs.map(|pair| (pair[0], pair[1])).min_by_key(|&(_, second)| second)
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
    fn repeats_are_named_by_both_lines() {
        let error = history(&[1, 2, 3, 2]).sort().expect_err("2 twice");
        assert_eq!(error.message, "f: 2 stands twice with the same values: lines 3 and 5");
    }
}
