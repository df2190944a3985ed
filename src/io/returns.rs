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
use std::collections::{BTreeSet, HashSet};

use crate::error::{Error, Result, Text, option};
use crate::io::history::History;
use crate::io::input::Format;
use crate::io::nature::Said;
use crate::io::{
    Detected, Input, Kind, Limits, Missing, Notices, ReadOptions, Request, Table, arrow, cash, codes, delimited,
    in_memory, join, listed, lives, missing, names, nature, npy, npz, parquet, shown, warnings,
};
use crate::panel::{Labels, Returns};

/// Returns, and what was decided on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    pub returns: Returns,
    /// Returns of the column that is cash, one a row, where one was named; NaN where it has none.
    pub cash: Option<Vec<f64>>,
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
    /// Names with a cell in some row, whatever the dates asked for.
    filled: HashSet<String>,
}

/// Joins what the files hold by date, and turns it into returns.
fn joined(parts: Vec<Part>, options: &ReadOptions, limits: Limits) -> Result<Reading> {
    let files = parts.len();
    let has_lives = options.missing == Missing::LifeSpans;
    if let Some(name) = options.exclude.iter().find(|name| !parts.iter().any(|part| part.excluded.contains(*name))) {
        let histories = parts.iter().flat_map(|part| &part.histories);
        let names: Vec<String> = histories.flat_map(|history| history.assets.iter().cloned()).collect();
        return Err(names::unknown(&option("exclude").to_string(), name, &names));
    }
    let mut histories = Vec::with_capacity(files);
    let mut detected: Vec<Detected> = Vec::with_capacity(files);
    let mut filled = HashSet::new();
    for part in parts {
        filled.extend(part.filled);
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
    let wanted = options.assets.as_deref();
    if let Some(cash) = &options.cash {
        cash::put_last(&mut history, cash, wanted)?;
    } else if let Some(wanted) = wanted.filter(|_| files > 1) {
        let chosen = names::choose(&history.source, &history.assets, |asset| asset + 2, Some(wanted))?;
        history.take_assets(&chosen);
    }
    if has_lives {
        lives::refuse_empty(&history, &filled)?;
    }
    let kind = if detected[0].kind == Kind::Returns.name() { Kind::Returns } else { Kind::Prices };
    notices.extend(missing::apply(&mut history, options.missing, kind, options.cash.is_some())?);
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
    let cash = options.cash.as_ref().and_then(|_| cash::take(&mut returns));
    if has_lives {
        notices.extend(lives::leave_out_unborn(&mut returns, &source)?);
    } else {
        refuse_constants(&returns, &source)?;
    }
    notices.extend(warnings::about(&returns, &source, has_lives));
    if let Some((name, cash)) = &cash {
        notices.extend(cash::judge(&source, name, cash, &returns.labels)?);
    }
    Ok(Reading { returns, cash: cash.map(|(_, cash)| cash), detected, notices })
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
pub(crate) fn cells(input: &Input, request: &Request<'_>) -> Result<(Vec<History>, Detected)> {
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
    let columns = options.columns();
    let request = Request {
        kind: options.kind,
        assets: columns.as_deref(),
        cash: options.cash.as_deref(),
        are_rates: false,
        exclude: &options.exclude,
        excluded: RefCell::default(),
        is_part,
        notation: &options.notation,
        limits,
    };
    let (mut histories, mut detected) = cells(&request)?;
    // Of several files, one may hold none of the assets asked for.
    histories.retain(|history| !history.assets.is_empty() || !is_part);
    let cash = |history: &History| cash::position(history, options.cash.as_deref());
    let is_cash = |history: &History| history.assets.len() == 1 && cash(history).is_some();
    // Cash by itself is what the others are.
    histories.sort_by_key(is_cash);
    let mut filled = HashSet::new();
    let mut others = None;
    for history in &mut histories {
        let mut remarks: Notices = Vec::new();
        let said_missing = &options.notation.missing;
        remarks.extend(codes::empty(history, &detected.prose, said_missing).map(Text::from));
        filled.extend(lives::names_with_cells(history));
        let cash = cash(history);
        let looks = cash::looks(history, cash, detected.has_percent_signs);
        history.window(options.from, options.to)?;
        remarks.extend(history.sort()?);
        let said = Said { kind: options.kind, percent: options.notation.percent, log_returns: options.log_returns };
        let settled = match (looks, cash) {
            (None, _) => cash::settle_alone(history, said, others, detected.has_percent_signs)?,
            (Some(looks), Some(cash)) => cash::settle(history, cash, looks, said)?,
            (Some(looks), None) => nature::settle(history, looks, said)?,
        };
        others = Some((settled.kind, settled.is_percent));
        remarks.extend(settled.remarks);
        detected.kind = settled.kind.name();
        detected.is_percent |= settled.is_percent;
        detected.is_doubtful |= settled.is_doubtful;
        // Series side by side say the same thing once.
        remarks.retain(|remark| !detected.remarks.contains(remark));
        detected.remarks.append(&mut remarks);
    }
    Ok(Part { histories, detected, excluded: request.excluded.into_inner(), filled })
}

fn from_prices(history: &History, log_returns: bool) -> Result<Returns> {
    history.require_rows(3, "prices")?;
    let n = history.assets.len();
    let mut values = Vec::with_capacity(history.values.len() - n);
    for row in 1..history.rows() {
        for (asset, (before, price)) in history.row(row - 1).iter().zip(history.row(row)).enumerate() {
            let simple = (price - before) / before;
            let value = if log_returns { simple.ln_1p() } else { simple };
            // Before and after a life there is no price, and no return.
            let is_lived = !(before.is_nan() || price.is_nan());
            if is_lived && !value.is_finite() {
                return Err(Error::input(format!(
                    "{}: from {before:e} to {price:e} is not a finite return",
                    history.place(row, asset)
                )));
            }
            values.push(if is_lived { value } else { f64::NAN });
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

fn refuse_constants(returns: &Returns, source: &str) -> Result<()> {
    let (constant, moving): (Vec<usize>, Vec<usize>) =
        (0..returns.assets.len()).partition(|&asset| warnings::is_constant(returns, asset));
    let Some(&one) = constant.first() else { return Ok(()) };
    let names = listed(constant.iter().map(|&asset| returns.assets[asset].as_str()));
    let verb = if constant.len() == 1 { "never moves" } else { "never move" };
    let (rows, value) = (returns.rows(), returns.values[one]);
    let moving: Vec<&str> = moving.into_iter().map(|asset| returns.assets[asset].as_str()).collect();
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
