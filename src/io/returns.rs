//! From a history to returns: options, the order of steps, and the checks a careful colleague would make.
//!
//! Steps: assets, dates, order of rows, checks of cells, missing cells, returns, the last rows, checks of returns.
//!
//! ```text
//! simple   r_t = (p_t - p_{t-1}) / p_{t-1}     (p_t - p_{t-1} is exact for p_t within a factor 2 of p_{t-1})
//! log      ln(1 + r_t)
//! ```

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::io::history::History;
use crate::io::input::Format;
use crate::io::{Input, Missing, Notices, count, listed, missing, shown, wide};
use crate::panel::{Labels, Returns};

/// What the cells of a history are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    #[default]
    Prices,
    Returns,
}

/// Which part of a history to read, and how.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ReadOptions {
    pub kind: Kind,
    /// Returns are logarithmic: taken so from prices; returns in a file are used as they are.
    pub log_returns: bool,
    /// Only these assets, in this order.
    pub assets: Option<Vec<String>>,
    /// Only rows dated on or after this day.
    pub from: Option<Date>,
    /// Only rows dated on or before this day.
    pub to: Option<Date>,
    /// Only the last so many returns.
    pub last: Option<usize>,
    pub missing: Missing,
}

impl ReadOptions {
    /// # Errors
    /// Options that no data could satisfy.
    pub fn validate(&self) -> Result<()> {
        if let Some(assets) = &self.assets
            && (assets.is_empty() || assets.iter().any(|name| name.trim().is_empty()))
        {
            return Err(Error::usage("--assets names no asset").hint("write --assets A,B,C"));
        }
        if let (Some(from), Some(to)) = (self.from, self.to)
            && from > to
        {
            return Err(Error::usage(format!("--from {from} lies after --to {to}")).hint("exchange the two"));
        }
        if let Some(last) = self.last
            && last < 2
        {
            return Err(Error::usage(format!("--last {last}: a covariance needs at least 2 rows of returns"))
                .hint("ask for more rows"));
        }
        Ok(())
    }
}

/// Reads a history and turns it into returns, with notices of what was decided on the way.
///
/// # Errors
/// Options that contradict each other or data that cannot be taken at their word; the message says where.
pub fn read_returns(input: &Input, options: &ReadOptions) -> Result<(Returns, Notices)> {
    options.validate()?;
    let contents = input.load()?;
    let source = &contents.name;
    let (mut history, mut notices) = match contents.format {
        Format::Csv => wide::read(source, &contents.bytes, options.assets.as_deref(), options.kind == Kind::Returns)?,
        // Readers of further formats return a `History` here.
        Format::Parquet | Format::Arrow | Format::Npy | Format::Zip | Format::Gzip | Format::Compressed(_) => {
            return Err(contents.not_read());
        }
    };
    drop(contents.bytes);
    history.window(options.from, options.to)?;
    notices.extend(history.sort()?);
    check_cells(&history, options.kind)?;
    notices.extend(missing::apply(&mut history, options.missing)?);
    let mut returns = match options.kind {
        Kind::Prices => from_prices(&history, options.log_returns)?,
        Kind::Returns => {
            history.require_rows(2, "returns")?;
            Returns { labels: history.labels_from(0), assets: history.assets, values: history.values }
        }
    };
    if let Some(last) = options.last {
        notices.extend(keep_last(&mut returns, last, source));
    }
    refuse_constants(&returns, source)?;
    notices.extend(implausible(&returns, source));
    notices.extend(identical(&returns, source));
    let (rows, assets) = (returns.rows(), returns.assets.len());
    if rows <= assets {
        notices.push(format!("{source}: {rows} rows of returns for {assets} assets: the covariance is singular"));
    }
    Ok((returns, notices))
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

/// Returns beyond +-50 %: splits left unadjusted, figures in percent, prices taken for returns.
fn implausible(returns: &Returns, source: &str) -> Option<String> {
    const LARGE: f64 = 0.5;
    let n = returns.assets.len();
    let large = returns.values.iter().filter(|x| x.abs() > LARGE).count();
    let (worst, value) = returns.values.iter().enumerate().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    if large == 0 {
        return None;
    }
    let (label, asset) = (label(&returns.labels, worst / n), shown(&returns.assets[worst % n]));
    let percent = value * 100.0;
    let percent = if percent.abs() < 1e6 { format!("{percent:+.1} %") } else { format!("{percent:+.1e} %") };
    let question = match returns.values.iter().all(|&x| x > 0.0) {
        true => "are these prices?",
        false => "an unadjusted split, or figures in percent?",
    };
    Some(format!(
        "{source}: {} beyond +-50 %, the largest {percent} (`{asset}`, {label}): {question}",
        count(large, "return")
    ))
}

fn label(labels: &Labels, row: usize) -> String {
    match labels {
        Labels::Dates(dates) => dates[row].to_string(),
        Labels::Text(names) => shown(&names[row]),
    }
}

/// Assets whose returns are the same, bit by bit: the same thing under two names.
fn identical(returns: &Returns, source: &str) -> Notices {
    let mut seen: HashMap<u64, usize> = HashMap::new();
    let mut notices = Notices::new();
    for asset in 0..returns.assets.len() {
        let mut hasher = DefaultHasher::new();
        column(returns, asset).for_each(|x| x.to_bits().hash(&mut hasher));
        let first = *seen.entry(hasher.finish()).or_insert(asset);
        if first < asset && column(returns, first).eq(column(returns, asset)) {
            let (a, b) = (shown(&returns.assets[first]), shown(&returns.assets[asset]));
            notices.push(format!("{source}: `{a}` and `{b}` have identical returns"));
        }
    }
    if notices.len() > 3 {
        let more = notices.len() - 3;
        notices.truncate(3);
        notices.push(format!("{source}: {more} more assets have the returns of another"));
    }
    notices
}
