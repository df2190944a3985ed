//! Histories whose cells need no reading: arrays, and tables that the caller holds.

use crate::error::{Error, Result, option};
use crate::io::dates::{self, Keys};
use crate::io::history::History;
use crate::io::sketch::Figures;
use crate::io::{Detected, Request, assemble, count, shown};
use crate::panel::Labels;

/// A history in memory, oldest row first or not: [`crate::io::read_table`] checks it as a file is checked.
#[derive(Debug, Clone, Copy)]
pub struct Table<'a> {
    /// Of the assets.
    pub names: &'a [String],
    /// Dates, or text that is read as that of a file is. Rows without labels keep their order, oldest first.
    pub labels: Option<&'a Labels>,
    /// rows x assets, row-major; NaN where a cell is missing.
    pub values: &'a [f64],
    /// What messages call it.
    pub source: &'a str,
}

/// The history of a table, with the assets asked for.
pub(crate) fn read(table: &Table<'_>, request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
    let Table { names, labels, values, source } = *table;
    let wrong = |what: String| Err(Error::input(format!("{source}: {what}")).hint("give rows x assets"));
    if names.is_empty() {
        return wrong("no assets".to_string());
    }
    let rows = values.len() / names.len();
    if values.len() != rows * names.len() {
        return wrong(format!("{} for {}", count(values.len(), "cell"), count(names.len(), "asset")));
    }
    let number = labels.map_or(rows, |labels| match labels {
        Labels::Dates(dates) => dates.len(),
        Labels::Text(labels) => labels.len(),
    });
    if rows == 0 {
        return wrong("no rows".to_string());
    }
    if number != rows {
        return wrong(format!("{} for {}", count(number, "label"), count(rows, "row")));
    }
    let mut detected = Detected { source: source.to_string(), format: "memory", layout: "wide", ..Detected::default() };
    let history = history(source, names.to_vec(), labels.cloned(), values.to_vec(), request, &mut detected)?;
    if request.assets.is_none() {
        assemble::refuse_bars(&history)?;
    }
    Ok((vec![chosen(history, labels.is_some(), request)?], detected))
}

/// Numbers with their names and what labels there are.
pub(crate) fn history(
    source: &str,
    names: Vec<String>,
    labels: Option<Labels>,
    values: Vec<f64>,
    request: &Request<'_>,
    detected: &mut Detected,
) -> Result<History> {
    let (rows, n) = (values.len() / names.len().max(1), names.len());
    request.limits.check(source, rows, values.len())?;
    let mut history = History {
        source: source.to_string(),
        columns: (1..=n).collect(),
        labels: Vec::new(),
        keys: Keys::Names,
        lines: (1..=rows as u64).collect(),
        cell_lines: Vec::new(),
        noun: "row",
        assets: names,
        values,
    };
    match labels {
        Some(Labels::Dates(days)) => {
            history.labels = days.iter().map(ToString::to_string).collect();
            history.keys = Keys::Dates(days);
            detected.dates = Some(dates::ISO);
        }
        Some(Labels::Text(labels)) => {
            history.labels = labels;
            history.read_labels(Some("date"), request.notation, detected)?;
        }
        None => {
            history.labels = (0..rows).map(|row| row.to_string()).collect();
            history.keys = Keys::Numbers((0..rows as i64).collect());
        }
    }
    assemble::refuse_matrix(&history)?;
    Ok(history)
}

/// The assets asked for.
pub(crate) fn chosen(mut history: History, has_labels: bool, request: &Request<'_>) -> Result<History> {
    let is_left_out = |name: &String| request.exclude.contains(name);
    if !has_labels && request.assets.is_none() && !history.assets.first().is_some_and(is_left_out) {
        refuse_labels(&history)?;
    }
    let chosen = request.choose(&history.source, &history.assets, |asset| asset + 1)?;
    // Of several files, one may hold nothing but what is left out.
    if chosen.is_empty() && !request.is_part {
        return Err(Error::input(format!("{}: every asset is left out", history.source))
            .hint(format!("name fewer of them in {}", option("exclude"))));
    }
    history.take_assets(&chosen);
    Ok(history)
}

/// Refuses a first column that would count or date the rows: nothing else labels them.
fn refuse_labels(history: &History) -> Result<()> {
    const LEAST_ROWS: usize = 5;
    let n = history.assets.len();
    let first: Vec<f64> = history.values.iter().copied().step_by(n.max(1)).collect();
    let figures = Figures::of(&first);
    let are_dates = figures.are_compact_days || figures.may_be_seconds() || figures.may_be_days_or_months();
    let is_label = figures.are_whole && (figures.are_in_turn || are_dates);
    if n < 2 || figures.count < LEAST_ROWS || !is_label {
        return Ok(());
    }
    let name = shown(&history.assets[0]);
    let is_numbered = name == "0";
    let (column, exclude, assets) = match is_numbered {
        true => (name.clone(), option("exclude").plain(&name), option("assets").plain("0,1,..")),
        false => (format!("1 (`{name}`)"), option("exclude").quoted(&name), option("assets")),
    };
    Err(Error::input(format!(
        "{}: column {column} holds whole numbers that count or date the rows: an asset, or not?",
        history.source
    ))
    .hint(format!("leave it out with {exclude}, or name the columns to read with {assets}")))
}
