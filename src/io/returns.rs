//! From histories to returns: the order of steps, and what is refused.
//!
//! Steps: each file (assets, dates, order of rows, checks of cells), join, missing cells, returns, the last rows, checks
//! of returns.
//!
//! ```text
//! simple   r_t = (p_t - p_{t-1}) / p_{t-1}     (p_t - p_{t-1} is exact for p_t within a factor 2 of p_{t-1})
//! log      ln(1 + r_t)
//! ```

use std::cell::RefCell;
use std::collections::BTreeSet;

use crate::error::{Error, Result, Text, option};
use crate::io::history::History;
use crate::io::input::Format;
use crate::io::nature::{Looks, Said};
use crate::io::{
    Detected, Input, Kind, Limits, Notices, ReadOptions, Request, Table, arrow, codes, delimited, in_memory, join,
    listed, missing, names, nature, npy, npz, parquet, shown, warnings,
};
use crate::panel::{Labels, Returns};

/// Returns, and what was decided on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub returns: Returns,
    /// What was detected in each file.
    pub detected: Vec<Detected>,
    /// All that is to be said: what was detected, left out, or looks odd.
    pub notices: Notices,
}

/// Reads histories, joins them by date and turns them into returns.
///
/// # Errors
/// Options that contradict each other or data that cannot be taken at their word; the message says where.
pub fn read_returns(inputs: &[Input], options: &ReadOptions) -> Result<Reading> {
    options.validate()?;
    let limits = Limits::new(options.memory);
    let twice = (1..inputs.len()).find(|&place| inputs[..place].contains(&inputs[place]));
    if let Some(place) = twice {
        return Err(Error::usage(format!("{} is given twice", inputs[place])).hint("name each file once"));
    }
    let is_part = inputs.len() > 1;
    let parts = inputs.iter().map(|input| part(options, is_part, limits, |request| cells(input, request)));
    joined(parts.collect::<Result<_>>()?, options, limits)
}

/// Turns a table in memory into returns; it is checked as a file is once its cells are read.
///
/// # Errors
/// As for files.
pub fn read_table(table: &Table<'_>, options: &ReadOptions) -> Result<Reading> {
    options.validate()?;
    let limits = Limits::new(options.memory);
    let part = part(options, false, limits, |request| in_memory::read(table, request))?;
    joined(vec![part], options, limits)
}

/// What one file holds.
struct Part {
    histories: Vec<History>,
    detected: Detected,
    /// Names left out that were met.
    excluded: BTreeSet<String>,
}

/// Joins what the files hold by date, and turns it into returns.
fn joined(parts: Vec<Part>, options: &ReadOptions, limits: Limits) -> Result<Reading> {
    let files = parts.len();
    if let Some(name) = options.exclude.iter().find(|name| !parts.iter().any(|part| part.excluded.contains(*name))) {
        let histories = parts.iter().flat_map(|part| &part.histories);
        let names: Vec<String> = histories.flat_map(|history| history.assets.iter().cloned()).collect();
        return Err(names::unknown(&option("exclude").to_string(), name, &names));
    }
    let mut histories = Vec::with_capacity(files);
    let mut detected: Vec<Detected> = Vec::with_capacity(files);
    for part in parts {
        histories.extend(part.histories);
        detected.push(part.detected);
    }
    detected.retain(|found| !found.kind.is_empty());
    refuse_mixed_units(&detected, options)?;
    let mut notices: Notices = detected.iter().filter_map(Detected::notice).collect();
    let mut history = match histories.len() {
        1 => histories.remove(0),
        0 if files == 0 => return Err(Error::usage("no data are given").hint("name a file")),
        0 => {
            return Err(Error::input("none of the files holds an asset that is asked for").hint(format!(
                "see {} and {}",
                option("assets"),
                option("exclude")
            )));
        }
        _ => {
            if let Some(other) = detected.iter().find(|found| found.kind != detected[0].kind) {
                let (a, b) = (&detected[0], other);
                return Err(Error::input(format!("{} holds {}, {} {}", a.source, a.kind, b.source, b.kind))
                    .hint("join prices with prices, or returns with returns"));
            }
            let are_returns = detected[0].kind == Kind::Returns.name();
            let (joined, remarks) = join::join(histories, are_returns, limits)?;
            notices.extend(remarks);
            joined
        }
    };
    if let Some(wanted) = options.assets.as_ref().filter(|_| files > 1) {
        let chosen = names::choose(&history.source, &history.assets, |asset| asset + 2, Some(wanted))?;
        history.take_assets(&chosen);
    }
    let kind = if detected[0].kind == Kind::Returns.name() { Kind::Returns } else { Kind::Prices };
    notices.extend(missing::apply(&mut history, options.missing)?);
    let source = history.source.clone();
    let mut returns = match kind {
        Kind::Prices => from_prices(&history, options.log_returns)?,
        Kind::Returns => {
            history.require_rows(2, "returns")?;
            Returns { labels: history.labels_from(0), assets: history.assets, values: history.values }
        }
    };
    if let Some(last) = options.last {
        notices.extend(keep_last(&mut returns, last, &source).map(Text::from));
    }
    refuse_constants(&returns, &source)?;
    notices.extend(warnings::about(&returns, &source));
    Ok(Reading { returns, detected, notices })
}

/// Refuses returns of which some files were taken for figures in percent by their size, and some were not.
fn refuse_mixed_units(detected: &[Detected], options: &ReadOptions) -> Result<()> {
    if let Some(doubtful) = detected.iter().find(|found| found.is_doubtful && detected.len() > 1) {
        return Err(Error::input(format!("{}: these returns are large: are they in percent?", doubtful.source)).hint(
            format!(
                "say {} if those of all files are in percent, {} if none is",
                option("percent"),
                option("percent").off()
            ),
        ));
    }
    let returns = || detected.iter().filter(|found| found.kind == Kind::Returns.name() && !found.has_percent_signs);
    let (Some(percent), Some(fraction)) =
        (returns().find(|found| found.is_percent), returns().find(|found| !found.is_percent))
    else {
        return Ok(());
    };
    if options.notation.percent.is_some() {
        return Ok(());
    }
    Err(Error::input(format!(
        "the returns of {} look like figures in percent, and those of {} do not",
        percent.source, fraction.source
    ))
    .hint(format!("say {} if all are in percent, {} if none is", option("percent"), option("percent").off())))
}

/// The cells of a file.
fn cells(input: &Input, request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
    let contents = input.load(request.limits)?;
    match contents.format {
        Format::Text => delimited::read(&contents.name, &contents.bytes, request),
        Format::Parquet => parquet::read(&contents.name, contents.bytes, request),
        Format::ArrowFile => arrow::read(&contents.name, contents.bytes, true, request),
        Format::ArrowStream => arrow::read(&contents.name, contents.bytes, false, request),
        Format::Npy => npy::history::read(&contents.name, &contents.bytes, request),
        Format::Zip => npz::read(&contents.name, &contents.bytes, request),
        Format::Gzip | Format::Other(..) => Err(contents.not_read()),
    }
}

/// One file, or one table: in order, inside the dates asked for, every cell a number that can be used or missing.
fn part(
    options: &ReadOptions,
    is_part: bool,
    limits: Limits,
    cells: impl FnOnce(&Request<'_>) -> Result<(Vec<History>, Detected)>,
) -> Result<Part> {
    let request = Request {
        kind: options.kind,
        assets: options.assets.as_deref(),
        exclude: &options.exclude,
        excluded: RefCell::default(),
        is_part,
        notation: &options.notation,
        limits,
    };
    let (mut histories, mut detected) = cells(&request)?;
    // Of several files, one may hold none of the assets asked for.
    histories.retain(|history| !history.assets.is_empty() || !is_part);
    for history in &mut histories {
        let mut remarks: Notices = Vec::new();
        let said_missing = &options.notation.missing;
        remarks.extend(codes::empty(history, &detected.prose, said_missing).map(Text::from));
        let looks = Looks::of(history, detected.has_percent_signs);
        history.window(options.from, options.to)?;
        remarks.extend(history.sort()?);
        let said = Said { kind: options.kind, percent: options.notation.percent, log_returns: options.log_returns };
        let settled = nature::settle(history, looks, said)?;
        remarks.extend(settled.remarks);
        detected.kind = settled.kind.name();
        detected.is_percent |= settled.is_percent;
        detected.is_doubtful |= settled.is_doubtful;
        // Series side by side say the same thing once.
        remarks.retain(|remark| !detected.remarks.contains(remark));
        detected.remarks.append(&mut remarks);
    }
    Ok(Part { histories, detected, excluded: request.excluded.into_inner() })
}

fn from_prices(history: &History, log_returns: bool) -> Result<Returns> {
    history.require_rows(3, "prices")?;
    let n = history.assets.len();
    let mut values = Vec::with_capacity(history.values.len() - n);
    for row in 1..history.rows() {
        for (asset, (before, price)) in history.row(row - 1).iter().zip(history.row(row)).enumerate() {
            let simple = (price - before) / before;
            let value = if log_returns { simple.ln_1p() } else { simple };
            if !value.is_finite() {
                return Err(Error::input(format!(
                    "{}: from {before:e} to {price:e} is not a finite return",
                    history.place(row, asset)
                )));
            }
            values.push(value);
        }
    }
    Ok(Returns { assets: history.assets.clone(), labels: history.labels_from(1), values })
}

fn keep_last(returns: &mut Returns, last: usize, source: &str) -> Option<String> {
    let rows = returns.rows();
    if last > rows {
        return Some(format!("{source}: the last {last} returns are asked for, there are {rows}"));
    }
    returns.values.drain(..(rows - last) * returns.assets.len());
    match &mut returns.labels {
        Labels::Dates(dates) => drop(dates.drain(..rows - last)),
        Labels::Text(names) => drop(names.drain(..rows - last)),
    }
    None
}

fn column(returns: &Returns, asset: usize) -> impl Iterator<Item = f64> {
    returns.values.iter().copied().skip(asset).step_by(returns.assets.len())
}

fn refuse_constants(returns: &Returns, source: &str) -> Result<()> {
    let first = &returns.values[..returns.assets.len()];
    let constant: Vec<usize> =
        (0..first.len()).filter(|&asset| column(returns, asset).all(|x| x == first[asset])).collect();
    let Some(&one) = constant.first() else { return Ok(()) };
    let names = listed(constant.iter().map(|&asset| returns.assets[asset].as_str()));
    let verb = if constant.len() == 1 { "never moves" } else { "never move" };
    let (rows, value) = (returns.rows(), first[one]);
    let moving: Vec<&str> = (0..first.len())
        .filter(|asset| !constant.contains(asset))
        .map(|asset| returns.assets[asset].as_str())
        .collect();
    let hint = match moving.len() {
        0 => "take a longer history or wider dates".to_string(),
        1..=10 => format!("leave it out: {}", option("assets").quoted(shown_list(&moving))),
        _ => format!("name the other assets with {}, without {names}", option("assets")),
    };
    Err(Error::input(format!("{source}: {names} {verb}: all {rows} returns are {value}, and the variance is zero"))
        .hint(hint))
}

/// As a value of the option `assets`.
fn shown_list(names: &[&str]) -> String {
    names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(",")
}
