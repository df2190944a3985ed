//! The rows of a text table, wide (one row per date, one column per asset) or long (one row per date and asset).

use crate::error::{Error, Result};
use crate::io::cells::{Cell, Decimal, Numbers};
use crate::io::csv::Table;
use crate::io::history::History;
use crate::io::pivot::Pivot;
use crate::io::{Limits, dates::Keys, shown};

/// Reads wide rows: the columns of these names and places, all others are not even looked at.
pub(crate) fn read(
    table: &mut Table<'_>,
    labels: Option<usize>,
    assets: Vec<String>,
    columns: &[usize],
    limits: Limits,
) -> Result<(History, Percentages)> {
    let mut history = History {
        source: table.source.to_string(),
        assets,
        columns: columns.iter().map(|column| column + 1).collect(),
        labels: Vec::new(),
        keys: Keys::Names,
        lines: Vec::new(),
        cell_lines: Vec::new(),
        noun: "line",
        values: Vec::new(),
    };
    let mut percentages = Percentages::new(columns.len());
    while let Some(line) = table.next()? {
        history.lines.push(line);
        history.labels.push(match labels {
            Some(column) => table.cell(column).to_string(),
            None => history.lines.len().to_string(),
        });
        for (asset, &column) in columns.iter().enumerate() {
            let cell = table.numbers.parse(table.cell(column));
            percentages.see(asset, line, cell);
            history.values.push(match cell {
                Cell::Missing => f64::NAN,
                Cell::Number(number) | Cell::Percent(number) => number,
                Cell::Text => return Err(unreadable(table, &history, line, asset)),
            });
        }
        limits.check(table.source, history.labels.len(), history.values.len())?;
    }
    Ok((history, percentages))
}

/// Reads long rows.
pub(crate) fn read_long(
    table: &mut Table<'_>,
    [labels, asset, value]: [usize; 3],
    limits: Limits,
) -> Result<(History, Percentages, Option<String>)> {
    let mut pivot = Pivot::new(table.source, "line", limits);
    let mut percentages = Percentages::new(1);
    while let Some(line) = table.next()? {
        let name = table.cell(asset).split_whitespace().collect::<Vec<_>>().join(" ");
        let cell = table.numbers.parse(table.cell(value));
        percentages.see(0, line, cell);
        let number = match cell {
            Cell::Missing => f64::NAN,
            Cell::Number(number) | Cell::Percent(number) => number,
            Cell::Text => {
                let (label, text) = (shown(table.cell(labels)), table.cell(value));
                let place =
                    format!("{}: line {line}, column {} (`{}`, {label})", table.source, value + 1, shown(&name));
                return Err(not_a_number(&place, &name, text, &table.numbers));
            }
        };
        pivot.push(line, table.cell(labels), &name, number)?;
    }
    let (history, remark) = pivot.finish(value + 1)?;
    Ok((history, percentages, remark))
}

fn unreadable(table: &Table<'_>, history: &History, line: u64, asset: usize) -> Error {
    let (column, name) = (history.columns[asset], shown(&history.assets[asset]));
    let label = shown(history.labels.last().map_or("", |label| label));
    let place = format!("{}: line {line}, column {column} (`{name}`, {label})", table.source);
    not_a_number(&place, &history.assets[asset], table.cell(column - 1), &table.numbers)
}

fn not_a_number(place: &str, name: &str, text: &str, numbers: &Numbers) -> Error {
    let error = Error::input(format!("{place}: `{}` is not a number", shown(text)));
    let other = match numbers.decimal {
        Decimal::Point => Decimal::Comma,
        Decimal::Comma => Decimal::Point,
    };
    match Numbers::new(other, true).parse(text) {
        Cell::Text => error
            .hint(format!("correct the cell, empty it if it is missing, or leave `{}` out with --assets", shown(name))),
        _ => error.hint("numbers take one decimal mark throughout: say --decimal-comma, or --decimal-comma=false"),
    }
}

/// Whether each column writes percent signs; a column that writes some is not to be trusted.
pub(crate) struct Percentages {
    /// First line with a percent sign and first line without one, per asset. A bare zero says nothing.
    seen: Vec<[Option<u64>; 2]>,
}

impl Percentages {
    fn new(assets: usize) -> Percentages {
        Percentages { seen: vec![[None; 2]; assets] }
    }

    fn see(&mut self, asset: usize, line: u64, cell: Cell) {
        let [with, without] = &mut self.seen[asset];
        match cell {
            Cell::Percent(_) => _ = with.get_or_insert(line),
            Cell::Number(number) if number != 0.0 => _ = without.get_or_insert(line),
            _ => {}
        }
    }

    /// The remark, where percentages were read; they are returns if every column writes them.
    pub(crate) fn finish(&self, history: &History) -> Result<Option<String>> {
        for (asset, seen) in self.seen.iter().enumerate() {
            if let [Some(with), Some(without)] = seen {
                return Err(Error::input(format!(
                    "{}: column {} (`{}`) has a percent sign in line {with} and none in line {without}",
                    history.source,
                    history.columns[asset],
                    shown(&history.assets[asset])
                ))
                .hint("write the whole column with percent signs or without"));
            }
        }
        let columns = self.seen.iter().filter(|seen| seen[0].is_some()).count();
        Ok((columns > 0).then(|| format!("percent signs in {columns} of {} columns: 1.25% is 0.0125", self.seen.len())))
    }

    /// All columns that hold anything but zeros hold percentages.
    pub(crate) fn are_all(&self) -> bool {
        self.seen.iter().all(|seen| seen[1].is_none())
    }

    /// The first asset and line with a percent sign.
    pub(crate) fn first(&self) -> Option<(usize, u64)> {
        self.seen.iter().enumerate().filter_map(|(asset, seen)| Some((asset, seen[0]?))).min_by_key(|(_, line)| *line)
    }
}
