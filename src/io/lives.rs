//! Assets that come and go: from its first cell to its last an asset lives, and before and after it does not exist.
//!
//! Late starters and early enders are the normal case of a backtest, not damage. What is missing within a life is: its row
//! leaves for all assets, and nothing is filled in.

use std::collections::HashSet;
use std::ops::Range;

use crate::error::{Error, Result, Text, option};
use crate::io::history::History;
use crate::io::{Kind, Notices, count, listed, missing, shown};
use crate::panel::Returns;

/// Whether any of the first so many columns has a cell in a row.
pub(super) fn has_cell(history: &History, row: usize, columns: usize) -> bool {
    history.row(row)[..columns].iter().any(|x| !x.is_nan())
}

/// Keeps the rows from the first cell of any asset to the last, but for those in which a living one has none.
pub(super) fn keep(history: &mut History, kind: Kind, assets: usize) -> Result<Notices> {
    let mut notices: Notices = trim(history, assets)?.into_iter().collect();
    let lives: Vec<Range<usize>> = (0..history.assets.len()).map(|column| life(history, column)).collect();
    let is_hole = |row: usize, column: usize| history.row(row)[column].is_nan() && lives[column].contains(&row);
    let before = history.rows();
    let hole = |row: usize| (0..lives.len()).find(|&column| is_hole(row, column));
    let (kept, broken): (Vec<usize>, Vec<usize>) = (0..before).partition(|&row| hole(row).is_none());
    if let Some((row, column)) = broken.first().and_then(|&row| Some((row, hole(row)?))) {
        if kind == Kind::Returns {
            return Err(no_return(history, row, column, broken.len(), column >= assets));
        }
        let holes: Vec<usize> =
            (0..lives.len()).map(|column| broken.iter().filter(|&&row| is_hole(row, column)).count()).collect();
        let costs = missing::costs(history, &holes);
        if kept.is_empty() {
            return Err(Error::input(format!(
                "{}: in each of {} some asset has no cell between its first and its last; {costs}",
                history.source,
                count(before, "row")
            ))
            .hint(format!("leave assets out with {}", option("exclude"))));
        }
        history.take(&kept);
        let left = format!("{}: {} of {before} rows left out", history.source, broken.len());
        notices.push(
            format!(
                "{left}, where an asset has no cell between its first and its last; {} kept ({}); {costs}",
                kept.len(),
                history.span()
            )
            .into(),
        );
    }
    notices.extend(late(history, assets));
    Ok(notices)
}

/// Leaves out the rows before the first cell of any asset and after the last: where there is cash alone, or nothing.
fn trim(history: &mut History, assets: usize) -> Result<Option<Text>> {
    let before = history.rows();
    let mut traded = (0..before).filter(|&row| has_cell(history, row, assets));
    let Some(first) = traded.next() else {
        return Err(Error::input(format!(
            "{}: no asset has a cell in these rows ({})",
            history.source,
            history.span()
        ))
        .hint(format!(
            "ask for wider dates with {} and {}, or for other assets",
            option("from"),
            option("to")
        )));
    };
    let kept: Vec<usize> = (first..traded.next_back().unwrap_or(first) + 1).collect();
    if kept.len() == before {
        return Ok(None);
    }
    history.take(&kept);
    let empty = count(before - kept.len(), "row");
    Ok(Some(
        format!(
            "{}: {empty} of {before} left out at the ends, where no asset has a cell; {} kept ({})",
            history.source,
            kept.len(),
            history.span()
        )
        .into(),
    ))
}

/// The rows from a column's first cell to its last.
fn life(history: &History, column: usize) -> Range<usize> {
    let mut cells = (0..history.rows()).filter(|&row| !history.row(row)[column].is_nan());
    let Some(first) = cells.next() else { return 0..0 };
    first..cells.next_back().unwrap_or(first) + 1
}

fn no_return(history: &History, row: usize, column: usize, rows: usize, is_cash: bool) -> Error {
    let others = if rows > 1 { format!("; {} have such a gap", count(rows, "row")) } else { String::new() };
    let what = if is_cash { "of cash" } else { "of the asset" };
    let otherwise = match is_cash {
        true => String::new(),
        false => format!(
            ", leave the asset out with {}, or use {}",
            option("exclude").quoted(shown(&history.assets[column])),
            option("missing").word("exclude-assets")
        ),
    };
    Error::input(format!(
        "{}: no return, between the first and the last {what}: a period cannot be skipped{others}",
        history.place(row, column)
    ))
    .hint(format!(
        "fill the cell, shorten the dates with {} and {}{otherwise}; prices may have gaps",
        option("from"),
        option("to")
    ))
}

/// Assets that end so shortly before the last row that their last prices may only be late.
fn late(history: &History, assets: usize) -> Option<Text> {
    const SHORTLY: usize = 5;
    let rows = history.rows();
    let ends: Vec<(usize, usize)> = (0..assets).map(|asset| (asset, life(history, asset).end)).collect();
    let late = || ends.iter().filter(|(_, end)| (rows.saturating_sub(SHORTLY)..rows).contains(end) && *end > 0);
    let earliest = late().map(|(_, end)| *end).min()?;
    let names: Vec<&str> = late().map(|(asset, _)| history.assets[*asset].as_str()).collect();
    let (verb, them, their) = if names.len() == 1 { ("ends", "it", "its") } else { ("end", "them", "their") };
    let all_live = match history.days() {
        Some(days) => {
            let end = option("to").word(days[earliest - 1]);
            format!("; if {their} last prices are only late, end all rows there with {end}")
        }
        None => String::new(),
    };
    Some(
        format!(
            "{}: {} {verb} shortly before the last row ({}), from {} on: a backtest sells {them} there{all_live}",
            history.source,
            listed(names.into_iter()),
            history.label(rows - 1),
            history.label(earliest - 1)
        )
        .into(),
    )
}

/// Refuses assets without a cell in any row of the data, among the names that have one.
///
/// # Errors
/// Some asset is not among them.
pub(super) fn refuse_empty(history: &History, filled: &HashSet<String>) -> Result<()> {
    let empty: Vec<&str> = history.assets.iter().map(String::as_str).filter(|name| !filled.contains(*name)).collect();
    let Some(first) = empty.first() else { return Ok(()) };
    let verb = if empty.len() == 1 { "has" } else { "have" };
    let names = listed(empty.iter().copied());
    Err(Error::input(format!("{}: {names} {verb} no cell in any row", history.source))
        .hint(format!("fill the column, or leave it out: {}", option("exclude").quoted(shown(first)))))
}

/// Leaves out assets without a return in these rows, and names them: they live before or after, or have one price.
///
/// # Errors
/// No asset is left.
pub(super) fn leave_out_unborn(returns: &mut Returns, source: &str) -> Result<Option<Text>> {
    let (kept, left): (Vec<usize>, Vec<usize>) =
        (0..returns.assets.len()).partition(|&asset| returns.life(asset).is_some());
    let (first, last) = returns.span();
    let span = format!("{} to {}", first.unwrap_or_default(), last.unwrap_or_default());
    if kept.is_empty() {
        return Err(Error::input(format!("{source}: no asset has a return in these rows ({span})")).hint(format!(
            "ask for wider dates with {} and {}, or give a longer history",
            option("from"),
            option("to")
        )));
    }
    if left.is_empty() {
        return Ok(None);
    }
    let names = listed(left.iter().map(|&asset| returns.assets[asset].as_str()));
    let assets = count(left.len(), "asset");
    *returns = returns.select(&kept);
    Ok(Some(format!("{source}: {assets} left out, without a return in these rows ({span}): {names}").into()))
}

/// Assets with a cell in some row.
pub(super) fn names_with_cells(history: &History) -> impl Iterator<Item = String> {
    let n = history.assets.len();
    let has_cell = move |asset: &usize| history.values.iter().skip(*asset).step_by(n).any(|x| !x.is_nan());
    (0..n).filter(has_cell).map(move |asset| history.assets[asset].clone())
}
