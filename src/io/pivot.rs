//! A long table, one row per date and asset, to one row per date and one column per asset.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::io::dates::Keys;
use crate::io::history::History;
use crate::io::{Limits, count, shown};

/// Gathers the cells of a long table in the order in which dates and assets first appear.
pub(crate) struct Pivot {
    source: String,
    noun: &'static str,
    limits: Limits,
    rows: HashMap<String, u32>,
    assets: HashMap<String, u32>,
    labels: Vec<String>,
    names: Vec<String>,
    lines: Vec<u64>,
    cells: Vec<(u32, u32, u32, f64)>,
}

impl Pivot {
    pub(crate) fn new(source: &str, noun: &'static str, limits: Limits) -> Pivot {
        Pivot {
            source: source.to_string(),
            noun,
            limits,
            rows: HashMap::new(),
            assets: HashMap::new(),
            labels: Vec::new(),
            names: Vec::new(),
            lines: Vec::new(),
            cells: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, line: u64, label: &str, asset: &str, value: f64) -> Result<()> {
        if asset.is_empty() {
            return Err(Error::input(format!("{}: {} {line}: no asset", self.source, self.noun))
                .hint("each row of a long table names its asset"));
        }
        let row = number(&mut self.rows, &mut self.labels, label);
        if self.labels.len() > self.lines.len() {
            self.lines.push(line);
        }
        let column = number(&mut self.assets, &mut self.names, asset);
        self.cells.push((row, column, u32::try_from(line).unwrap_or(u32::MAX), value));
        let dense = self.labels.len().saturating_mul(self.names.len());
        self.limits.check_long(&self.source, self.labels.len(), dense.max(self.cells.len()))
    }

    /// The history, its value column being this one; and how many cells stood twice.
    pub(crate) fn finish(self, column: usize) -> Result<(History, Option<String>)> {
        let n = self.names.len();
        let mut values = vec![f64::NAN; self.labels.len() * n];
        let mut cell_lines = vec![0_u32; values.len()];
        let mut copies = 0;
        for (row, asset, line, value) in self.cells {
            let place = row as usize * n + asset as usize;
            let first = cell_lines[place];
            if first == 0 {
                (values[place], cell_lines[place]) = (value, line);
            } else if values[place] == value || values[place].is_nan() && value.is_nan() {
                copies += 1;
            } else {
                let (label, name) = (shown(&self.labels[row as usize]), shown(&self.names[asset as usize]));
                return Err(Error::input(format!(
                    "{}: `{name}` stands twice on {label} with different values: {}s {first} and {line}",
                    self.source, self.noun
                ))
                .hint("keep one row per date and asset"));
            }
        }
        let history = History {
            source: self.source,
            columns: vec![column; n],
            assets: self.names,
            labels: self.labels,
            keys: Keys::Names,
            lines: self.lines,
            cell_lines,
            noun: self.noun,
            values,
        };
        let remark = (copies > 0).then(|| format!("{} left out that stand already above", count(copies, "row")));
        Ok((history, remark))
    }
}

/// The number of a word, given out in the order in which words come.
fn number(numbers: &mut HashMap<String, u32>, words: &mut Vec<String>, word: &str) -> u32 {
    if let Some(&number) = numbers.get(word) {
        return number;
    }
    let number = words.len() as u32;
    numbers.insert(word.to_string(), number);
    words.push(word.to_string());
    number
}
