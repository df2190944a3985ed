//! Rows of any format to histories, by the roles of the columns.

use std::borrow::Cow;

use crate::error::{Error, Result, Text, option};
use crate::io::cells::{Cell, is_missing};
use crate::io::dates::{self, Keys};
use crate::io::fields::Part;
use crate::io::history::History;
use crate::io::layout::{Block, Labels, Layout};
use crate::io::percentages::Percentages;
use crate::io::pivot::Pivot;
use crate::io::roles::Roles;
use crate::io::{Detected, EMPTY, Kind, Request, shown};

/// The rows of a table, one after the other.
pub(crate) trait Rows {
    fn source(&self) -> &str;
    /// What messages call a row: `line` of a text, `row` of a table without text.
    fn noun(&self) -> &'static str;
    /// Moves to the next row and gives its number.
    fn advance(&mut self) -> Result<Option<u64>>;
    /// The cell in a column, as a label or a name; empty where it is missing.
    fn text(&self, column: usize) -> Result<Cow<'_, str>>;
    /// The cell in a column, as a number.
    fn number(&self, column: usize) -> Cell;
    /// Whether a column holds dates by its type, which have no notation.
    fn has_dates(&self, _column: usize) -> bool {
        false
    }
    /// The error for a cell that is no number; `place` says where it stands.
    fn not_a_number(&self, place: &str, asset: &str, column: usize) -> Error;
}

/// Reads all rows: one history, or one for each series with dates of its own.
pub(crate) fn read(
    rows: &mut dyn Rows,
    roles: &Roles,
    request: &Request<'_>,
    detected: &mut Detected,
) -> Result<Vec<History>> {
    let mut histories = Vec::new();
    match &roles.layout {
        Layout::Long { labels, asset, value } => {
            detected.layout = "long";
            let (mut history, percentages) = long(rows, labels, (*asset, *value), request, detected)?;
            let column = value + 1;
            let chosen = request.choose(&history.source, &history.assets, |_| column)?;
            history.take_assets(&chosen);
            histories.push((history, percentages, labels.clone()));
        }
        Layout::Wide { blocks, is_single } => {
            detected.layout = match (blocks.len(), is_single) {
                (1, true) => "single",
                (1, false) => "wide",
                _ => "blocks",
            };
            let blocks = chosen(rows.source(), blocks, request)?;
            for (history, percentages, block) in wide(rows, blocks, request)? {
                histories.push((history, percentages, block.labels));
            }
        }
    }
    let mut read = Vec::with_capacity(histories.len());
    for (mut history, percentages, labels) in histories {
        if history.labels.is_empty() {
            return Err(Error::input(format!("{}: a header and no rows", history.source)).hint(EMPTY));
        }
        refuse_matrix(&history)?;
        if request.assets.is_none() && !request.are_rates {
            refuse_bars(&history)?;
        }
        settle_percentages(&history, &percentages, request, detected)?;
        let name = labels.first().map(|column| roles.columns[column].name.as_str());
        // Parts put together are dates, whatever their names.
        let name = if matches!(labels, Labels::Parts(_) | Labels::DayAndTime(..)) { Some("date") } else { name };
        let mut notation = Cow::Borrowed(request.notation);
        if let Labels::Column(column) = labels
            && rows.has_dates(column)
        {
            notation.to_mut().date_format = None;
        }
        history.read_labels(name, &notation, detected)?;
        read.push(history);
    }
    Ok(read)
}

/// The blocks with the assets asked for.
fn chosen(source: &str, blocks: &[Block], request: &Request<'_>) -> Result<Vec<Block>> {
    let all: Vec<(usize, usize)> = blocks
        .iter()
        .enumerate()
        .flat_map(|(place, block)| block.assets.iter().map(move |(column, _)| (place, *column)))
        .collect();
    let names: Vec<String> =
        blocks.iter().flat_map(|block| block.assets.iter().map(|(_, name)| name.clone())).collect();
    let chosen = request.choose(source, &names, |place| all[place].1 + 1)?;
    let mut kept: Vec<Block> =
        blocks.iter().map(|block| Block { labels: block.labels.clone(), assets: Vec::new() }).collect();
    for place in chosen {
        kept[all[place].0].assets.push((all[place].1, names[place].clone()));
    }
    kept.retain(|block| !block.assets.is_empty() || blocks.len() == 1);
    Ok(kept)
}

/// The label of the current row.
fn label(rows: &dyn Rows, labels: &Labels, number: usize) -> Result<String> {
    Ok(match labels {
        Labels::None => number.to_string(),
        Labels::Column(column) => {
            let text = rows.text(*column)?;
            if is_missing(&text) { String::new() } else { text.into_owned() }
        }
        Labels::DayAndTime(day, time) => {
            format!("{} {}", rows.text(*day)?, dates::written_time(&rows.text(*time)?)).trim().to_string()
        }
        Labels::Parts(parts) => {
            let mut label = String::new();
            for (part, column) in parts {
                let text = rows.text(*column)?;
                if text.is_empty() {
                    let columns: Vec<String> =
                        parts.iter().map(|(part, column)| format!("{part:?} in column {}", column + 1)).collect();
                    return Err(Error::input(format!(
                        "{}: row {number} of the data has no {part:?} (dates stand in several columns: {})",
                        rows.source(),
                        columns.join(", ")
                    ))
                    .hint("write year, month and day in every row"));
                }
                // A float loses nothing that a whole number has.
                let text = text.strip_suffix(".0").unwrap_or(&text);
                match part {
                    Part::Year => label.push_str(text),
                    Part::Quarter => label.push_str(&format!("Q{}", text.trim_start_matches(['Q', 'q']))),
                    Part::Month | Part::Day => label.push_str(&format!("-{text:0>2}")),
                }
            }
            label
        }
    })
}

fn empty(rows: &dyn Rows, block: &Block) -> History {
    History {
        source: rows.source().to_string(),
        assets: block.assets.iter().map(|(_, name)| name.clone()).collect(),
        columns: block.assets.iter().map(|(column, _)| column + 1).collect(),
        labels: Vec::new(),
        keys: Keys::Names,
        lines: Vec::new(),
        cell_lines: Vec::new(),
        noun: rows.noun(),
        values: Vec::new(),
    }
}

fn wide(rows: &mut dyn Rows, blocks: Vec<Block>, request: &Request<'_>) -> Result<Vec<(History, Percentages, Block)>> {
    let is_one = blocks.len() == 1;
    let mut read: Vec<(History, Percentages, Block)> =
        blocks.into_iter().map(|block| (empty(rows, &block), Percentages::new(block.assets.len()), block)).collect();
    while let Some(line) = rows.advance()? {
        let mut cells = 0;
        for (history, percentages, block) in &mut read {
            let label = label(rows, &block.labels, history.labels.len() + 1)?;
            let is_missing = |(column, _): &(usize, String)| rows.number(*column) == Cell::Missing;
            // A shorter series ends above the last row.
            if !is_one && label.is_empty() && block.assets.iter().all(is_missing) {
                continue;
            }
            history.labels.push(label);
            history.lines.push(line);
            for (asset, (column, name)) in block.assets.iter().enumerate() {
                let cell = rows.number(*column);
                percentages.see(asset, line, cell);
                history.values.push(match cell {
                    Cell::Missing => f64::NAN,
                    Cell::Number(number) | Cell::Percent(number) => number,
                    Cell::Text => {
                        let label = shown(history.labels.last().map_or("", |label| label));
                        let (source, noun) = (rows.source(), rows.noun());
                        let place =
                            format!("{source}: {noun} {line}, column {} (`{}`, {label})", column + 1, shown(name));
                        return Err(rows.not_a_number(&place, name, *column));
                    }
                });
            }
            cells += history.values.len();
        }
        let longest = read.iter().map(|(history, ..)| history.labels.len()).max().unwrap_or(0);
        request.limits.check(rows.source(), longest, cells)?;
    }
    Ok(read)
}

fn long(
    rows: &mut dyn Rows,
    labels: &Labels,
    (asset, value): (usize, usize),
    request: &Request<'_>,
    detected: &mut Detected,
) -> Result<(History, Percentages)> {
    let mut pivot = Pivot::new(rows.source(), rows.noun(), request.limits);
    let mut percentages = Percentages::new(1);
    let mut number = 0;
    while let Some(line) = rows.advance()? {
        number += 1;
        let name = rows.text(asset)?.split_whitespace().collect::<Vec<_>>().join(" ");
        let label = label(rows, labels, number)?;
        let cell = rows.number(value);
        percentages.see(0, line, cell);
        let number = match cell {
            Cell::Missing => f64::NAN,
            Cell::Number(number) | Cell::Percent(number) => number,
            Cell::Text => {
                let (source, noun) = (rows.source(), rows.noun());
                let place =
                    format!("{source}: {noun} {line}, column {} (`{}`, {})", value + 1, shown(&name), shown(&label));
                return Err(rows.not_a_number(&place, &name, value));
            }
        };
        pivot.push(line, &label, &name, number)?;
    }
    let (history, remark) = pivot.finish(value + 1)?;
    detected.remarks.extend(remark.map(Text::from));
    Ok((history, percentages))
}

/// Percent signs: of returns where every column has them, else of what cannot be prices.
fn settle_percentages(
    history: &History,
    percentages: &Percentages,
    request: &Request<'_>,
    detected: &mut Detected,
) -> Result<()> {
    let Some(remark) = percentages.finish(history)?.map(Text::from) else { return Ok(()) };
    if !detected.remarks.contains(&remark) {
        detected.remarks.push(remark);
    }
    detected.has_percent_signs = true;
    if request.kind == Kind::Returns || request.are_rates {
        return Ok(());
    }
    // Bonds are quoted in percent too: only what falls below zero is certain to be no price.
    let are_returns = percentages.are_all() && history.values.iter().any(|x| *x < 0.0);
    if let Some((asset, line)) = percentages.first().filter(|_| !are_returns) {
        let (column, name) = (history.columns[asset], shown(&history.assets[asset]));
        return Err(Error::input(format!(
            "{}: {} {line}, column {column} (`{name}`): a percentage, where prices are asked for",
            history.source, history.noun
        ))
        .hint(format!("say {} if the file holds returns", option("returns"))));
    }
    detected.remarks.push("percentages are returns".into());
    detected.kind = Kind::Returns.name();
    Ok(())
}

/// Refuses what would be one asset's opens, highs, lows and closes under other names: in every row one column is the
/// highest, another the lowest, and all are close.
pub(crate) fn refuse_bars(history: &History) -> Result<()> {
    const LEAST_ROWS: usize = 20;
    const MOST_COLUMNS: usize = 12;
    const CLOSE: f64 = 1.3;
    let n = history.assets.len();
    if history.rows() < LEAST_ROWS || !(4..=MOST_COLUMNS).contains(&n) || history.values.iter().any(|x| !(*x > 0.0)) {
        return Ok(());
    }
    let rows = || (0..history.rows()).map(|row| history.row(row));
    let near = |asset: usize| {
        rows().all(|row| {
            let others = row.iter().filter(|x| **x <= CLOSE * row[asset] && row[asset] <= CLOSE * **x).count();
            others >= 4
        })
    };
    let bars: Vec<usize> = (0..n).filter(|&asset| near(asset)).collect();
    let is_extreme =
        |asset: &usize, sign: f64| rows().all(|row| bars.iter().all(|&other| sign * row[*asset] >= sign * row[other]));
    let (high, low) =
        (bars.iter().find(|asset| is_extreme(asset, 1.0)), bars.iter().find(|asset| is_extreme(asset, -1.0)));
    let (Some(&high), Some(&low)) = (high, low) else { return Ok(()) };
    let is_crossed = bars
        .iter()
        .any(|&a| bars.iter().any(|&b| rows().any(|row| row[a] > row[b]) && rows().any(|row| row[a] < row[b])));
    if high == low || !is_crossed {
        return Ok(());
    }
    let name = |asset: usize| shown(&history.assets[asset]);
    Err(Error::input(format!(
        "{}: in every row `{}` is the highest and `{}` the lowest of columns close to each other: open, high, low and close of \
         one asset?",
        history.source,
        name(high),
        name(low)
    ))
    .hint(format!("name the columns to read with {}", option("assets"))))
}

/// Rows that are named as the columns are those of a covariance or correlation.
pub(crate) fn refuse_matrix(history: &History) -> Result<()> {
    let n = history.assets.len();
    // Rows and columns may both be numbered.
    let is_name = |label: &String| history.assets.contains(label) && label.parse::<f64>().is_err();
    let named = history.labels.iter().take(n + 1).filter(|label| is_name(label)).count();
    let is_named = n >= 2 && named >= 2 && 2 * named > history.labels.len();
    // A matrix without names is told by its symmetry.
    let close = |a: f64, b: f64| (a - b).abs() <= 1e-6 * (a.abs() + b.abs());
    let is_symmetric = || {
        n >= 3
            && history.rows() == n
            && (0..n).all(|i| (0..i).all(|j| close(history.row(i)[j], history.row(j)[i])) && history.row(i)[i] > 0.0)
    };
    if !is_named && !is_symmetric() {
        return Ok(());
    }
    let is_correlation = history.rows() == n && (0..n).all(|i| close(history.row(i)[i], 1.0));
    let what = if is_correlation { "a correlation matrix" } else { "a covariance matrix" };
    let how = if is_named { "its rows are named as its columns" } else { "it is square and symmetric" };
    Err(Error::input(format!("{}: this looks like {what}, not a history: {how}", history.source))
        .hint(format!("say {} if it is one", option("covariance"))))
}
