//! A covariance: a square table whose rows and columns have the same names.
//!
//! - Text: a line of names, then one row per asset that begins with its name.
//! - Parquet and Arrow: one column per asset; names of rows in pandas's index or in the first column of text.
//! - NPZ: a square array, and one of names beside it. NPY: numbers alone, whose assets are called 0, 1, 2, ..
//!
//! Rows are matched to columns by name; without names of their own they stand in the order of the columns. Names, shape,
//! finite numbers and positive variances are checked here, where file and line are known; symmetry and definiteness are
//! properties of the matrix and belong to the solver.

use std::collections::HashMap;

use crate::error::{Error, Result, Text, option};
use crate::io::cells::Cell;
use crate::io::csv::Table;
use crate::io::frame::Frame;
use crate::io::input::Format;
use crate::io::npy::member::{Cells, Member};
use crate::io::{Input, Limits, Notices, arrow, count, names, npy, npz, parquet, shown, text};
use crate::methods::risk_budgeting::validity;
use crate::panel::Covariance;

const LAYOUT: &str = "a covariance has a first line of names and a first column with the same names";
const SHAPE: &str = "save one square array, assets x assets";

/// Reads a covariance, or its part for some assets in the order asked for, within so many bytes of memory, or within
/// what the program allows.
///
/// # Errors
/// A file that is no such table, or a variance that is not positive; the message says where.
pub fn read_covariance(input: &Input, assets: Option<&[String]>, memory: Option<u64>) -> Result<(Covariance, Notices)> {
    if assets.is_some_and(<[String]>::is_empty) {
        return Err(Error::usage(format!("{} names no asset", option("assets")))
            .hint(format!("write {}", option("assets").plain("A,B,C"))));
    }
    let limits = Limits::new(memory);
    let contents = input.load(limits)?;
    let source = contents.name.as_str();
    match contents.format {
        Format::Text => from_text(source, &contents.bytes, assets, limits),
        Format::Npy => {
            let member = npy::member::parse(source, &contents.bytes[..], contents.bytes.len() as u64)?;
            from_array(source, member, None, assets, limits)
        }
        Format::Zip => from_archive(source, &contents.bytes, assets, limits),
        Format::Parquet => from_frame(source, &parquet::frame(source, contents.bytes, limits)?, assets),
        Format::ArrowFile => from_frame(source, &arrow::frame(source, contents.bytes, true, limits)?, assets),
        Format::ArrowStream => from_frame(source, &arrow::frame(source, contents.bytes, false, limits)?, assets),
        Format::Gzip | Format::Other(..) => Err(contents.not_read()),
    }
}

fn from_text(source: &str, bytes: &[u8], assets: Option<&[String]>, limits: Limits) -> Result<(Covariance, Notices)> {
    let (text, _) = text::decode(source, bytes)?;
    let (mut table, notice) = Table::open(source, &text)?;
    if let Cell::Number(number) = table.numbers.parse(&table.names[0]) {
        let line = table.header_line;
        return Err(Error::input(format!("{source}: line {line} begins with the number {number}: there are no names"))
            .hint(LAYOUT));
    }
    let mut line = table.next()?;
    // Without a column of names the first row begins with a number.
    let is_named = !line.is_some_and(|_| {
        let first = table.cell(0);
        matches!(table.numbers.parse(first), Cell::Number(_)) && !table.names.iter().any(|name| name == first)
    });
    let before = usize::from(is_named);
    let columns = table.names[before..].to_vec();
    if columns.is_empty() {
        return Err(Error::input(format!("{source}: no asset columns: there is one column only")).hint(LAYOUT));
    }
    let mut square = Square::new(source, "line", &columns, before, assets)?;
    while let Some(at) = line {
        let label = if is_named { plain(table.cell(0)) } else { square.next_label(at)? };
        if let Some(place) = square.place(at, &label)? {
            let cells = square.chosen.iter().map(|&column| {
                let text = table.cell(column + before);
                match table.numbers.parse(text) {
                    Cell::Number(number) => Ok(number),
                    // A half that is left empty is filled from the other.
                    Cell::Missing if text.is_empty() => Ok(f64::NAN),
                    Cell::Missing => Err(square.refuse(at, &label, column, "missing cell".to_string())),
                    Cell::Percent(_) => {
                        Err(square.refuse(at, &label, column, format!("`{}` is a percentage", shown(text))))
                    }
                    Cell::Text => Err(square.refuse(at, &label, column, format!("`{}` is not a number", shown(text)))),
                }
            });
            let cells = cells.collect::<Result<_>>()?;
            square.put(place, at, &label, cells)?;
            limits.check(source, square.number_of_rows, square.number_of_rows.saturating_mul(columns.len()))?;
        }
        line = table.next()?;
    }
    let (mut covariance, notices) = square.finish()?;
    restore(&mut covariance);
    Ok(finish(source, covariance, notice.map(Text::from).into_iter().chain(notices).collect()))
}

fn from_frame(source: &str, frame: &Frame, assets: Option<&[String]>) -> Result<(Covariance, Notices)> {
    let labels = frame.label_column();
    let places: Vec<usize> = (0..frame.width()).filter(|place| Some(*place) != labels).collect();
    let columns: Vec<String> = places.iter().map(|&place| plain(frame.name(place))).collect();
    if columns.is_empty() {
        return Err(Error::input(format!("{source}: no asset columns")).hint(LAYOUT));
    }
    // Names come first, or last where pandas wrote its index.
    let before = usize::from(labels == Some(0));
    let mut square = Square::new(source, "row", &columns, before, assets)?;
    for row in 0..frame.rows() {
        let at = row as u64 + 1;
        let label = match labels {
            Some(labels) => plain(&frame.text(labels, row)?),
            None => square.next_label(at)?,
        };
        if let Some(place) = square.place(at, &label)? {
            let cells = square.chosen.iter().map(|&column| match frame.number(places[column], row) {
                Cell::Number(number) => Ok(number),
                Cell::Missing => Ok(f64::NAN),
                Cell::Percent(_) | Cell::Text => {
                    let name = shown(frame.name(places[column]));
                    Err(Error::input(format!("{source}: row {at}, column `{name}`: this cell is no number"))
                        .hint(format!("correct it, or leave `{name}` out with {}", option("assets"))))
                }
            });
            let cells = cells.collect::<Result<_>>()?;
            square.put(place, at, &label, cells)?;
        }
    }
    let (covariance, notices) = square.finish()?;
    Ok(finish(source, covariance, notices))
}

fn from_archive(
    source: &str,
    bytes: &[u8],
    assets: Option<&[String]>,
    limits: Limits,
) -> Result<(Covariance, Notices)> {
    const COVARIANCES: [&str; 8] = ["covariance", "covariances", "cov", "sigma", "s", "c", "data", "arr_0"];
    let mut remarks = Notices::new();
    let mut members = npz::members(source, bytes, limits, &mut remarks)?;
    let squares: Vec<usize> = (0..members.len())
        .filter(|&place| {
            let Member { shape, cells } = &members[place].1;
            matches!(shape[..], [n, m] if n == m) && matches!(cells, Cells::Numbers(_))
        })
        .collect();
    let named = || {
        let called = |name: &&str| squares.iter().copied().find(|&place| members[place].0.eq_ignore_ascii_case(name));
        COVARIANCES.iter().find_map(called)
    };
    let there = || npz::listed_names(&members);
    let table = match squares[..] {
        [one] => one,
        [] => {
            return Err(Error::input(format!("{source}: of the arrays {} none is a square table of numbers", there()))
                .hint(SHAPE));
        }
        _ => named().ok_or_else(|| {
            Error::input(format!("{source}: which of the arrays {} is the covariance?", there()))
                .hint("call it `covariance`")
        })?,
    };
    let beside = npz::names_beside(&members, members[table].1.shape[0]);
    if members.len() > 1 {
        let name = |place: usize| format!("`{}`", shown(&members[place].0));
        let names = beside.map_or(String::new(), |place| format!(", with names from {}", name(place)));
        remarks.push(format!("of the arrays {}, {} is read{names}", there(), name(table)).into());
    }
    let names = beside.and_then(|place| npz::take_words(&mut members[place].1));
    let (covariance, notices) = from_array(source, members.swap_remove(table).1, names, assets, limits)?;
    let remarks: Vec<String> = remarks.iter().map(Text::nested).collect();
    let remark = (!remarks.is_empty()).then(|| format!("{source}: {}", remarks.join(", ")));
    Ok((covariance, remark.map(Text::from).into_iter().chain(notices).collect()))
}

fn from_array(
    source: &str,
    member: Member,
    names: Option<Vec<String>>,
    assets: Option<&[String]>,
    limits: Limits,
) -> Result<(Covariance, Notices)> {
    let Member { shape, cells } = member;
    let n = match shape[..] {
        [n, m] if n == m => n,
        _ => {
            return Err(Error::input(format!("{source}: an array of shape {shape:?} is no covariance")).hint(SHAPE));
        }
    };
    let Cells::Numbers(values) = cells else {
        return Err(
            Error::input(format!("{source}: an array of {}, where numbers are needed", cells.name())).hint(SHAPE)
        );
    };
    limits.check(source, n, values.len())?;
    let columns: Vec<String> = names.map_or_else(
        || (0..n).map(|asset| asset.to_string()).collect(),
        |names| names.iter().map(|n| plain(n)).collect(),
    );
    let mut square = Square::new(source, "row", &columns, 0, assets)?;
    for (row, at) in values.chunks_exact(n).zip(1..) {
        let label = square.next_label(at)?;
        if let Some(place) = square.place(at, &label)? {
            let cells = square.chosen.iter().map(|&column| row[column]).collect();
            square.put(place, at, &label, cells)?;
        }
    }
    let (covariance, notices) = square.finish()?;
    Ok(finish(source, covariance, notices))
}

/// A name without the spaces around it, and with single ones inside.
fn plain(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A row that is there: its line, and its cells in the columns chosen; NaN where one is empty.
struct Row {
    line: u64,
    cells: Vec<f64>,
}

/// A square table under way: rows come as they stand in the file, and are matched to the columns by name.
struct Square<'a> {
    source: &'a str,
    /// What rows are counted in.
    noun: &'static str,
    columns: &'a [String],
    /// Columns of the file before the first of them.
    before: usize,
    /// The columns asked for, in that order.
    chosen: Vec<usize>,
    places: HashMap<&'a str, usize>,
    /// Rows are stored as they come: a long header alone asks for no memory.
    rows: Vec<Option<Row>>,
    number_of_rows: usize,
    is_reordered: bool,
}

impl<'a> Square<'a> {
    fn new(
        source: &'a str,
        noun: &'static str,
        columns: &'a [String],
        before: usize,
        assets: Option<&[String]>,
    ) -> Result<Square<'a>> {
        let chosen = names::choose(source, columns, |asset| asset + 1 + before, assets)?;
        let places = chosen.iter().enumerate().map(|(place, &column)| (columns[column].as_str(), place)).collect();
        let mut rows = Vec::new();
        rows.resize_with(chosen.len(), || None);
        Ok(Square { source, noun, columns, before, chosen, places, rows, number_of_rows: 0, is_reordered: false })
    }

    /// The name of the next row, where rows have none of their own.
    fn next_label(&self, at: u64) -> Result<String> {
        self.columns.get(self.number_of_rows).cloned().ok_or_else(|| {
            let (source, noun) = (self.source, self.noun);
            Error::input(format!("{source}: {noun} {at}: more rows than the {} columns", self.columns.len()))
                .hint(LAYOUT)
        })
    }

    /// Where the next row, of this name, belongs; nowhere, where it was not asked for.
    fn place(&mut self, at: u64, label: &str) -> Result<Option<usize>> {
        self.is_reordered |= self.columns.get(self.number_of_rows).is_some_and(|name| name != label);
        self.number_of_rows += 1;
        let place = self.places.get(label).copied();
        if place.is_none() && !self.columns.iter().any(|name| name == label) {
            let (source, noun) = (self.source, self.noun);
            return Err(Error::input(format!(
                "{source}: {noun} {at}: row `{}` has no column of that name",
                shown(label)
            ))
            .hint(LAYOUT));
        }
        Ok(place)
    }

    fn put(&mut self, place: usize, line: u64, label: &str, cells: Vec<f64>) -> Result<()> {
        for (position, (&cell, &column)) in cells.iter().zip(&self.chosen).enumerate() {
            if cell.is_infinite() {
                return Err(self.refuse(line, label, column, format!("{cell} is not a finite number")));
            }
            if position == place && cell <= 0.0 {
                let what = format!("the variance of an asset must be positive, it is {cell}");
                return Err(self.refuse(line, label, column, what));
            }
        }
        let row = Row { line, cells };
        match self.rows[place].replace(row) {
            None => Ok(()),
            Some(Row { line: first, .. }) => {
                let (source, noun) = (self.source, self.noun);
                Err(Error::input(format!("{source}: row `{}` stands twice: {noun}s {first} and {line}", shown(label))))
            }
        }
    }

    /// The error for a cell, in a column of assets (counted from 0).
    fn refuse(&self, line: u64, row: &str, column: usize, what: String) -> Error {
        let (source, noun, name) = (self.source, self.noun, shown(&self.columns[column]));
        let (row, column) = (shown(row), column + 1 + self.before);
        Error::input(format!("{source}: {noun} {line}, column {column} (`{row}`, `{name}`): {what}"))
            .hint(format!("correct the cell, or leave `{row}` out with {}", option("assets")))
    }

    fn finish(self) -> Result<(Covariance, Notices)> {
        let source = self.source;
        if let Some(place) = self.rows.iter().position(Option::is_none) {
            return Err(Error::input(format!(
                "{source}: {} for {}: there is no row `{}`",
                count(self.number_of_rows, "row"),
                count(self.columns.len(), "column"),
                shown(&self.columns[self.chosen[place]])
            ))
            .hint(LAYOUT));
        }
        let mut notices = Notices::new();
        if self.is_reordered {
            notices
                .push(format!("{source}: rows and columns stand in different orders: they are matched by name").into());
        }
        let n = self.chosen.len();
        let rows: Vec<&Row> = self.rows.iter().flatten().collect();
        let mut values: Vec<f64> = rows.iter().flat_map(|row| &row.cells).copied().collect();
        // Above or below the diagonal of the file, whose columns may have been chosen in another order.
        let is_above = |i: usize, j: usize| self.chosen[j] > self.chosen[i];
        let pairs = || (0..n).flat_map(|i| (0..n).map(move |j| (i, j))).filter(|(i, j)| i != j);
        let half = |above: bool| pairs().filter(move |&(i, j)| is_above(i, j) == above);
        let name = |above: bool| if above { "above" } else { "below" };
        if let Some(hole) = values.iter().position(|x| x.is_nan()) {
            let (i, j) = (hole / n, hole % n);
            let above = is_above(i, j);
            let is_half = half(above).all(|(i, j)| values[i * n + j].is_nan() && !values[j * n + i].is_nan())
                && values.iter().filter(|x| x.is_nan()).count() == n * (n - 1) / 2;
            if !is_half {
                let label = &self.columns[self.chosen[i]];
                return Err(self.refuse(rows[i].line, label, self.chosen[j], "missing cell".to_string()));
            }
            for (i, j) in half(above) {
                values[i * n + j] = values[j * n + i];
            }
            let (empty, full) = (name(above), name(!above));
            notices
                .push(format!("{source}: the cells {empty} the diagonal are empty: they are those {full} it").into());
        }
        for above in [true, false] {
            let is_zero = |&(i, j): &(usize, usize)| values[i * n + j] == 0.0;
            if half(above).all(|pair| is_zero(&pair)) && half(!above).any(|pair| !is_zero(&pair)) {
                return Err(Error::input(format!(
                    "{source}: the covariance is not symmetric: all entries {} the diagonal are 0",
                    name(above)
                ))
                .hint("leave that half empty, and it is filled from the other; or write both halves"));
            }
        }
        let assets = self.chosen.iter().map(|&column| self.columns[column].clone()).collect();
        Ok((Covariance { assets, values }, notices))
    }
}

/// Numbers that were printed in single precision, and so as the shortest decimals that tell them apart there, are restored
/// where the two halves of the matrix differ: that is rounding then.
fn restore(covariance: &mut Covariance) {
    let (n, values) = (covariance.assets.len(), &covariance.values);
    if (0..n).all(|i| (0..i).all(|j| values[i * n + j] == values[j * n + i])) {
        return;
    }
    let single = |x: &f64| {
        let single = *x as f32;
        (single.to_string().parse() == Ok(*x)).then_some(f64::from(single))
    };
    if let Some(singles) = values.iter().map(single).collect() {
        covariance.values = singles;
    }
}

/// What is to be said of the matrix as a whole.
fn finish(source: &str, mut covariance: Covariance, mut notices: Notices) -> (Covariance, Notices) {
    let n = covariance.assets.len();
    if let Some(gap) = validity::symmetrise(&mut covariance.values, n) {
        notices.push(format!(
            "{source}: single-precision numbers, made symmetric as the mean of both halves: mirrored entries differed by \
             up to {gap:.0e} of the product of the two volatilities"
        ).into());
    }
    // Correlations that were computed miss 1 by their rounding, or are in percent.
    let all_are = |value: f64| (0..n).all(|i| (covariance.values[i * n + i] / value - 1.0).abs() < 1e-6);
    if let Some(value) = [1.0, 100.0].into_iter().find(|value| n > 1 && all_are(*value)) {
        notices.push(
            format!("{source}: every variance is {value}: these are correlations, and every volatility is taken as 1")
                .into(),
        );
    }
    (covariance, notices)
}
