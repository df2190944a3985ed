//! From histories to returns: the order of steps, and what is refused.
//!
//! Steps: each file (assets, dates, order of rows, checks of cells), join, missing cells, returns, the last rows, checks
//! of returns.
//!
//! ```text
//! simple   r_t = (p_t - p_{t-1}) / p_{t-1}     (p_t - p_{t-1} is exact for p_t within a factor 2 of p_{t-1})
//! log      ln(1 + r_t)
//! ```

use crate::error::{Error, Result};
use crate::io::history::History;
use crate::io::input::Format;
use crate::io::{
    Detected, Input, Kind, Limits, Notices, ReadOptions, Request, arrow, delimited, join, listed, missing, names, npy,
    npz, parquet, shown, warnings,
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
    let mut histories = Vec::with_capacity(inputs.len());
    let mut detected: Vec<Detected> = Vec::with_capacity(inputs.len());
    let twice = (1..inputs.len()).find(|&place| inputs[..place].contains(&inputs[place]));
    if let Some(place) = twice {
        return Err(Error::usage(format!("{} is given twice", inputs[place])).hint("name each file once"));
    }
    for input in inputs {
        let (history, found) = read_one(input, options, inputs.len() > 1, limits)?;
        histories.push(history);
        detected.push(found);
    }
    let mut notices: Notices = detected.iter().filter_map(Detected::notice).collect();
    let mut history = match histories.len() {
        1 => histories.remove(0),
        0 => return Err(Error::usage("no data are given").hint("name a file")),
        _ => {
            if let Some(other) = detected.iter().find(|found| found.kind != detected[0].kind) {
                let (a, b) = (&detected[0], other);
                return Err(Error::input(format!("{} holds {}, {} {}", a.source, a.kind, b.source, b.kind))
                    .hint("join prices with prices, or returns with returns"));
            }
            let mut joined = join::join(histories, limits)?;
            if let Some(wanted) = &options.assets {
                let chosen = names::choose(&joined.source, &joined.assets, |asset| asset + 2, Some(wanted))?;
                joined.take_assets(&chosen);
            }
            joined
        }
    };
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
        notices.extend(keep_last(&mut returns, last, &source));
    }
    refuse_constants(&returns, &source)?;
    notices.extend(warnings::about(&returns, kind, &source));
    Ok(Reading { returns, detected, notices })
}

/// One file: in order, inside the dates asked for, every cell a number that can be used or missing.
fn read_one(input: &Input, options: &ReadOptions, is_part: bool, limits: Limits) -> Result<(History, Detected)> {
    let request =
        Request { kind: options.kind, assets: options.assets.as_deref(), is_part, notation: &options.notation, limits };
    let contents = input.load(limits)?;
    let (mut history, mut detected) = match contents.format {
        Format::Text => delimited::read(&contents.name, &contents.bytes, &request)?,
        Format::Parquet => parquet::read(&contents.name, contents.bytes, &request)?,
        Format::ArrowFile => arrow::read(&contents.name, contents.bytes, true, &request)?,
        Format::ArrowStream => arrow::read(&contents.name, contents.bytes, false, &request)?,
        Format::Npy => npy::history::read(&contents.name, &contents.bytes, &request)?,
        Format::Zip => npz::read(&contents.name, &contents.bytes, &request)?,
        Format::Gzip | Format::Other(..) => return Err(contents.not_read()),
    };
    if detected.kind.is_empty() {
        let is_signed = options.kind == Kind::Prices && are_signed(&history);
        if is_signed {
            detected.remarks.push("negative values throughout: these are returns, not prices".to_string());
        }
        detected.kind = if is_signed { Kind::Returns } else { options.kind }.name();
    }
    let is_returns = detected.kind == Kind::Returns.name();
    history.window(options.from, options.to)?;
    detected.remarks.extend(history.sort()?);
    check_cells(&history, if is_returns { Kind::Returns } else { Kind::Prices })?;
    Ok((history, detected))
}

/// Whether every asset goes above and below zero as returns do: prices cannot.
fn are_signed(history: &History) -> bool {
    const LEAST_ROWS: usize = 10;
    const LEAST_SHARE: f64 = 0.1;
    let n = history.assets.len();
    history.rows() >= LEAST_ROWS
        && (0..n).all(|asset| {
            let column = || history.values.iter().skip(asset).step_by(n);
            let (below, above) = (column().filter(|x| **x < 0.0).count(), column().filter(|x| **x > 0.0).count());
            below.min(above) as f64 >= LEAST_SHARE * (below + above).max(1) as f64 && below.min(above) > 0
        })
}

fn check_cells(history: &History, kind: Kind) -> Result<()> {
    let n = history.assets.len();
    let is_bad = |&x: &f64| x.is_infinite() || kind == Kind::Prices && x <= 0.0;
    let Some(bad) = history.values.iter().position(is_bad) else { return Ok(()) };
    let (value, place) = (history.values[bad], history.place(bad / n, bad % n));
    Err(if value.is_infinite() {
        Error::input(format!("{place}: {value} is not a finite number"))
            .hint("correct the cell, or empty it if it is missing")
    } else if value == 0.0 {
        Error::input(format!("{place}: a price of 0")).hint("correct the cell, or empty it if it is missing")
    } else {
        Error::input(format!("{place}: a negative price, {value}")).hint("say --returns if the file holds returns")
    })
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
        1..=10 => format!("leave it out: --assets \"{}\"", shown_list(&moving)),
        _ => format!("name the other assets with --assets, without {names}"),
    };
    Err(Error::input(format!("{source}: {names} {verb}: all {rows} returns are {value}, and the variance is zero"))
        .hint(hint))
}

/// As an argument for --assets.
fn shown_list(names: &[&str]) -> String {
    names.iter().map(|name| shown(name)).collect::<Vec<_>>().join(",")
}
