//! The column of a history that is cash, and no asset.
//!
//! It is judged apart from the assets: interest stays close to its value before, as levels do, and never falls, as prices.

use jiff::civil::Date;

use crate::error::{Error, ErrorKind, Result, Text, option};
use crate::io::history::History;
use crate::io::nature::{self, Looks, Said, Settled};
use crate::io::{Kind, ReadOptions, names, shown};
use crate::panel::{Labels, Returns};

/// Cash that loses more than this in a row, or gains more than the other, is hardly cash.
const LOSS: f64 = 0.02;
const GAIN: f64 = 0.05;
/// Where rows are years apart, it may gain so much a year.
const GAIN_A_YEAR: f64 = 0.5;
/// Beyond these it is none.
const NO_LOSS: f64 = 0.5;
const NO_GAIN: f64 = 1.0;

/// # Errors
/// A name that no cash can have beside these options.
pub(crate) fn validate(cash: &str, options: &ReadOptions) -> Result<()> {
    if cash.trim().is_empty() {
        return Err(Error::usage(format!("{} names no column", option("cash")))
            .hint(format!("write {}", option("cash").plain("COLUMN"))));
    }
    if options.exclude.iter().any(|name| name == cash) {
        let both = (option("cash"), option("exclude"));
        return Err(Error::usage(format!("`{}` stands in {} and in {}", shown(cash), both.0, both.1))
            .hint("name it in one of them"));
    }
    if options.assets.as_ref().is_some_and(|assets| assets.iter().all(|name| name == cash)) {
        return Err(Error::usage(format!("{} names `{}` alone, which is cash", option("assets"), shown(cash)))
            .hint("name the assets as well: cash is held beside them"));
    }
    Ok(())
}

/// The error for a column that is not there.
pub(crate) fn unknown(source: &str, cash: &str, names: &[String]) -> Error {
    let mut error = names::unknown_of("column", source, cash, names);
    error.message = format!("{}, which {} names", error.message.nested(), option("cash")).into();
    error.kind = ErrorKind::Usage;
    error
}

/// Its place among the assets of a history.
pub(crate) fn position(history: &History, cash: Option<&str>) -> Option<usize> {
    history.assets.iter().position(|name| Some(name.as_str()) == cash)
}

/// What all rows of the assets look like; of cash alone nothing is told.
pub(crate) fn looks(history: &History, cash: Option<usize>, had_signs: bool) -> Option<Looks> {
    match cash {
        None => Some(Looks::of(history, had_signs)),
        Some(_) if history.assets.len() == 1 => None,
        Some(cash) => Some(Looks::of(&history.only(&assets(history, cash)), had_signs)),
    }
}

/// As [`nature::settle`], with cash taken for what the assets are; it comes last.
///
/// # Errors
/// As there; prices of cash that are not above zero.
pub(crate) fn settle(history: &mut History, cash: usize, looks: Looks, said: Said) -> Result<Settled> {
    let mut of_cash = history.only(&[cash]);
    history.take_assets(&assets(history, cash));
    let settled = nature::settle(history, looks, said)?;
    take_as(&mut of_cash, settled.kind, settled.is_percent)?;
    history.append_assets(of_cash);
    Ok(settled)
}

/// Where a history holds nothing but cash: of the kind of the `others` in its file, and whether they are in percent, or of
/// what is said.
///
/// # Errors
/// Prices of cash that are not above zero.
pub(crate) fn settle_alone(
    history: &mut History,
    said: Said,
    others: Option<(Kind, bool)>,
    had_signs: bool,
) -> Result<Settled> {
    let own = match had_signs {
        true => (Kind::Returns, false),
        false => (said.kind, said.kind == Kind::Returns && said.percent == Some(true)),
    };
    let (kind, is_percent) = others.unwrap_or(own);
    take_as(history, kind, is_percent)?;
    Ok(Settled { kind, is_percent, is_doubtful: false, remarks: Vec::new() })
}

fn take_as(history: &mut History, kind: Kind, are_percent: bool) -> Result<()> {
    if are_percent {
        history.values.iter_mut().for_each(|x| *x /= 100.0);
    }
    nature::refuse_cells(history, kind).map_err(|error| match kind {
        Kind::Prices => error.hint(advice()),
        Kind::Returns => error,
    })
}

/// All assets but cash.
fn assets(history: &History, cash: usize) -> Vec<usize> {
    (0..history.assets.len()).filter(|&asset| asset != cash).collect()
}

/// Assets in the order asked for, and cash behind them.
///
/// # Errors
/// No such column, or no other.
pub(crate) fn put_last(history: &mut History, cash: &str, assets: Option<&[String]>) -> Result<()> {
    if position(history, Some(cash)).is_none() {
        return Err(unknown(&history.source, cash, &history.assets));
    }
    let mut order: Vec<String> = assets.unwrap_or(&history.assets).to_vec();
    order.retain(|name| name != cash);
    if order.is_empty() {
        let (source, name) = (&history.source, shown(cash));
        return Err(Error::input(format!("{source}: `{name}` is cash ({}), and there is no asset", option("cash")))
            .hint("cash is held beside assets: give data of some"));
    }
    order.push(cash.to_string());
    let chosen = names::choose(&history.source, &history.assets, |asset| asset + 2, Some(&order))?;
    history.take_assets(&chosen);
    Ok(())
}

/// Takes the returns of cash, the last column, from those of the assets.
pub(crate) fn take(returns: &mut Returns) -> Option<(String, Vec<f64>)> {
    let cash = returns.assets.len().checked_sub(1)?;
    let values = returns.column(cash).collect();
    let name = returns.assets[cash].clone();
    *returns = returns.select(&(0..cash).collect::<Vec<_>>());
    Some((name, values))
}

/// What is said of returns that are hardly those of cash.
///
/// # Errors
/// Returns that cannot be those of cash: a rate a year was taken for a price, or a price for a return.
pub(crate) fn judge(source: &str, name: &str, cash: &[f64], labels: &Labels) -> Result<Option<Text>> {
    let there = || cash.iter().copied().enumerate().filter(|(_, x)| !x.is_nan());
    let Some((row, worst)) = there().max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())) else { return Ok(None) };
    let (low, high) = there().fold((0.0_f64, 0.0_f64), |(low, high), (_, x)| (low.min(x), high.max(x)));
    let on = labels.get(row).map_or(String::new(), |label| format!(" on {}", shown(&label)));
    let returns = format!("{source}: cash `{}` returns {:+.2} %{on}", shown(name), 100.0 * worst);
    if high > NO_GAIN || low < -NO_LOSS {
        return Err(Error::input(returns).hint(advice()));
    }
    let most = GAIN.max(GAIN_A_YEAR * years_a_row(labels));
    Ok((high > most || low < -LOSS).then(|| format!("{returns}, as cash hardly does: {}", advice()).into()))
}

/// "`cash` takes ..."
fn advice() -> String {
    format!(
        "{} takes a column of prices or returns; rates a year are read from a file with {}",
        option("cash"),
        option("cash-rate")
    )
}

fn years_a_row(labels: &Labels) -> f64 {
    let days =
        |dates: &[Date]| Some(f64::from((*dates.last()? - *dates.first()?).get_days()) / (dates.len() - 1) as f64);
    match labels {
        Labels::Dates(dates) if dates.len() > 1 => days(dates).unwrap_or(0.0) / 365.25,
        _ => 0.0,
    }
}
