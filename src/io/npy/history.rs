//! A history of numbers alone, or with what names and dates an archive holds beside them.

use crate::error::{Error, Result, option};
use crate::io::dates::Keys;
use crate::io::history::History;
use crate::io::sketch::Figures;
use crate::io::{Detected, Request, assemble};

use super::member::{Cells, Member, parse};
use super::refuse;

/// A history of numbers alone: rows x assets, or the rows of one asset.
pub(crate) fn read(name: &str, bytes: &[u8], request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
    let member = parse(name, bytes, bytes.len() as u64)?;
    let mut detected = Detected { source: name.to_string(), format: "npy", layout: "wide", ..Detected::default() };
    let history = tabulate(name, member, None, None, request, &mut detected)?;
    Ok((vec![history], detected))
}

/// Rows x assets with what names and labels there are; without, assets are called 0, 1, 2, ..
pub(crate) fn tabulate(
    source: &str,
    member: Member,
    assets: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    request: &Request<'_>,
    detected: &mut Detected,
) -> Result<History> {
    let Member { shape, cells } = member;
    let (rows, n) = match shape[..] {
        [rows] => (rows, 1),
        [rows, n] => (rows, n),
        _ => {
            return Err(refuse(source, format!("an array of shape {shape:?}, where rows x assets are needed")));
        }
    };
    let Cells::Numbers(values) = cells else {
        return Err(refuse(source, format!("an array of {}, where numbers are needed", cells.name())));
    };
    request.limits.check(source, rows, values.len())?;
    let has_labels = labels.is_some();
    let names = assets.unwrap_or_else(|| (0..n).map(|asset| asset.to_string()).collect());
    let mut history = History {
        source: source.to_string(),
        columns: (1..=n).collect(),
        labels: labels.unwrap_or_else(|| (0..rows).map(|row| row.to_string()).collect()),
        keys: Keys::Numbers((0..rows as i64).collect()),
        lines: (1..=rows as u64).collect(),
        cell_lines: Vec::new(),
        noun: "row",
        assets: names,
        values,
    };
    if has_labels {
        history.read_labels(Some("date"), request.notation, detected)?;
    }
    assemble::refuse_matrix(&history)?;
    if !has_labels && request.assets.is_none() && !request.exclude.iter().any(|name| name == "0") {
        refuse_labels(&history)?;
    }
    let chosen = request.choose(source, &history.assets, |asset| asset + 1)?;
    history.take_assets(&chosen);
    Ok(history)
}

/// Refuses a first column that would count or date the rows: arrays have no names that could say so.
fn refuse_labels(history: &History) -> Result<()> {
    const LEAST_ROWS: usize = 5;
    let n = history.assets.len();
    let first: Vec<f64> = history.values.iter().copied().step_by(n).collect();
    let figures = Figures::of(&first);
    let are_dates = figures.are_compact_days || figures.may_be_seconds() || figures.may_be_days_or_months();
    let is_label = figures.are_whole && (figures.are_in_turn || are_dates);
    if n < 2 || figures.count < LEAST_ROWS || !is_label {
        return Ok(());
    }
    Err(Error::input(format!(
        "{}: column 0 holds whole numbers that count or date the rows: an asset, or not?",
        history.source
    ))
    .hint(format!(
        "leave it out with {}, or name the columns to read with {}",
        option("exclude").plain(0),
        option("assets").plain("0,1,..")
    )))
}
