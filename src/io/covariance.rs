//! A covariance as text: a line of names, then one row per asset that begins with its name.
//!
//! Names, shape, finite numbers and positive variances are checked here, where file and line are known; symmetry and
//! definiteness are properties of the matrix and belong to the solver.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::io::cells::Cell;
use crate::io::csv::Table;
use crate::io::input::Format;
use crate::io::{Input, Limits, Notices, count, names, shown, text};
use crate::panel::Covariance;

/// Reads a covariance, or its part for some assets in the order asked for. Rows are matched to columns by name.
///
/// # Errors
/// A file that is not such a table, or a variance that is not positive; the message says where.
pub fn read_covariance(input: &Input, assets: Option<&[String]>) -> Result<(Covariance, Notices)> {
    if assets.is_some_and(<[String]>::is_empty) {
        return Err(Error::usage("--assets names no asset").hint("write --assets A,B,C"));
    }
    let contents = input.load(Limits::default())?;
    match contents.format {
        Format::Text => from_csv(&contents.name, &contents.bytes, assets),
        _ => Err(contents.not_read()),
    }
}

fn from_csv(source: &str, bytes: &[u8], assets: Option<&[String]>) -> Result<(Covariance, Notices)> {
    const LAYOUT: &str = "a covariance has a first line of names and a first column with the same names";
    let (text, _) = text::decode(source, bytes)?;
    let (mut table, notice) = Table::open(source, &text)?;
    let mut notices: Notices = notice.into_iter().collect();
    let columns = table.names[1..].to_vec();
    if columns.is_empty() {
        return Err(Error::input(format!("{source}: no asset columns: there is one column only")).hint(LAYOUT));
    }
    if let Cell::Number(number) = table.numbers.parse(&table.names[0]) {
        let line = table.header_line;
        return Err(Error::input(format!("{source}: line {line} begins with the number {number}: there are no names"))
            .hint(LAYOUT));
    }
    let chosen = names::choose(source, &columns, |asset| asset + 2, assets)?;
    let places: HashMap<&str, usize> =
        chosen.iter().enumerate().map(|(place, &column)| (columns[column].as_str(), place)).collect();
    // Rows are stored as they come: a long header alone asks for no memory.
    let mut rows: Vec<Option<(u64, Vec<f64>)>> = vec![None; chosen.len()];
    let (mut number_of_rows, mut is_reordered) = (0, false);
    while let Some(line) = table.next()? {
        let label = table.cell(0).split_whitespace().collect::<Vec<_>>().join(" ");
        is_reordered |= columns.get(number_of_rows).is_some_and(|name| *name != label);
        number_of_rows += 1;
        let Some(&place) = places.get(label.as_str()) else {
            if columns.contains(&label) {
                continue;
            }
            return Err(Error::input(format!(
                "{source}: line {line}: row `{}` has no column of that name",
                shown(&label)
            ))
            .hint(LAYOUT));
        };
        let row = chosen.iter().map(|&column| number(&table, line, &label, column)).collect::<Result<_>>()?;
        if let Some((first, _)) = rows[place].replace((line, row)) {
            return Err(Error::input(format!(
                "{source}: row `{}` stands twice: lines {first} and {line}",
                shown(&label)
            )));
        }
    }
    if let Some(place) = rows.iter().position(Option::is_none) {
        return Err(Error::input(format!(
            "{source}: {} for {}: there is no row `{}`",
            count(number_of_rows, "row"),
            count(columns.len(), "column"),
            shown(&columns[chosen[place]])
        ))
        .hint(LAYOUT));
    }
    if is_reordered {
        notices.push(format!("{source}: rows and columns stand in different orders: they are matched by name"));
    }
    let assets = chosen.iter().map(|&column| columns[column].clone()).collect();
    let values = rows.into_iter().flatten().flat_map(|(_, row)| row).collect();
    Ok((Covariance { assets, values }, notices))
}

/// The cell of the current row in a column of assets (counted from 0).
fn number(table: &Table<'_>, line: u64, row: &str, column: usize) -> Result<f64> {
    let (name, text) = (&table.names[column + 1], table.cell(column + 1));
    let refuse = |what: String| {
        Err(Error::input(format!(
            "{}: line {line}, column {} (`{}`, `{}`): {what}",
            table.source,
            column + 2,
            shown(row),
            shown(name)
        )))
    };
    let leave_out = || format!("correct the cell, or leave `{}` out with --assets", shown(row));
    match table.numbers.parse(text) {
        Cell::Number(number) if number.is_infinite() => refuse(format!("{number} is not a finite number")),
        Cell::Number(number) if row == name && number <= 0.0 => {
            refuse(format!("the variance of an asset must be positive, it is {number}"))
        }
        Cell::Number(number) => Ok(number),
        Cell::Missing => refuse("missing cell".to_string()),
        Cell::Percent(_) | Cell::Text => refuse(format!("`{}` is not a number", shown(text))),
    }
    .map_err(|error| error.hint(leave_out()))
}
