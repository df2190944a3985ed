//! Rates of interest by date: a file of dates and of percent a year, as FRED has them.
//!
//! ```text
//! observation_date,DTB3
//! 2020-01-02,1.51
//! 2020-01-03,.          no rate that day
//! ```

use std::cell::RefCell;

use jiff::ToSpan as _;
use jiff::civil::Date;

use crate::error::{Error, Result, option};
use crate::io::dates::Keys;
use crate::io::{Input, Kind, Limits, Notation, Notices, Request, codes, listed, returns, shown};

/// Rates in percent that all lie below this may be fractions.
const SMALL: f64 = 0.2;
/// Rates in percent beyond this may be prices.
const LARGE: f64 = 100.0;
/// A rate holds for so many of the usual distances between dates, and for so many days at least: holidays are shorter.
const HOLDS: i32 = 3;
const LEAST_DAYS: i32 = 10;

/// Rates a year, in order of their dates.
#[derive(Debug, Clone, PartialEq)]
pub struct Rates {
    pub dates: Vec<Date>,
    /// In percent a year, each finite.
    pub percent: Vec<f64>,
}

impl Rates {
    /// The last rate dated on or before a day, as a fraction a year; none before the first.
    pub fn at(&self, date: Date) -> Option<f64> {
        let known = self.dates.partition_point(|own| *own <= date);
        Some(self.percent[known.checked_sub(1)?] / 100.0)
    }

    /// The first day on which a rate is known, and the last: after it the file has ended. Between them the last rate holds,
    /// however long: some files have the days of changes alone.
    pub fn known(&self) -> Option<(Date, Date)> {
        let (first, last) = (self.dates.first()?, self.dates.last()?);
        Some((*first, last.saturating_add(self.holds().days())))
    }

    /// The first of these days on which none is known.
    pub fn first_uncovered(&self, days: impl IntoIterator<Item = Date>) -> Option<Date> {
        let known = self.known();
        days.into_iter().find(|day| known.is_none_or(|(first, last)| *day < first || last < *day))
    }

    /// Days for which the last rate holds.
    fn holds(&self) -> i32 {
        let mut gaps: Vec<i32> = self.dates.windows(2).map(|pair| (pair[1] - pair[0]).get_days()).collect();
        gaps.sort_unstable();
        let usual = gaps.get(gaps.len() / 2).copied().unwrap_or(0);
        usual.saturating_mul(HOLDS).max(LEAST_DAYS)
    }
}

/// Reads a file of rates, in any format that histories are read from: a column of dates, and one of percent a year.
///
/// # Errors
/// No dates, several columns, no rate at all, or one that is no number; the message says where.
pub fn read_rates(input: &Input) -> Result<(Rates, Notices)> {
    // As the Federal Reserve writes that there is none.
    let notation = Notation { missing: vec!["ND".to_string(), "NC".to_string()], ..Notation::default() };
    let request = Request {
        kind: Kind::Prices,
        assets: None,
        cash: None,
        are_rates: true,
        exclude: &[],
        excluded: RefCell::default(),
        is_part: false,
        notation: &notation,
        limits: Limits::default(),
    };
    let (mut histories, detected) = returns::cells(input, &request).map_err(of_rates)?;
    let columns: Vec<&str> = histories.iter().flat_map(|history| history.assets.iter().map(String::as_str)).collect();
    if columns.len() != 1 {
        return Err(Error::input(format!(
            "{input}: one column of rates is needed, and there are {}",
            listed(columns.into_iter())
        ))
        .hint("keep the dates and one of the columns: the short rate of your currency, such as DTB3 of FRED"));
    }
    let Some(mut history) = histories.pop() else { return Err(Error::input(format!("{input}: no rates"))) };
    let mut notices: Notices = detected.notice().into_iter().collect();
    notices.extend(codes::empty(&mut history, &detected.prose, &[]).map(|text| format!("{input}: {text}").into()));
    if !matches!(history.keys, Keys::Dates(_) | Keys::Moments(_)) {
        let label = shown(history.labels.first().map_or("", |label| label));
        return Err(Error::input(format!("{input}: rates are found by date, and the rows are labelled `{label}`"))
            .hint("put dates (yyyy-mm-dd) in the first column, and percent a year in the second"));
    }
    let remarks = history.sort().map_err(|error| error.hint("keep one rate for each date"))?;
    notices.extend(remarks.iter().map(|remark| format!("{input}: {}", remark.nested()).into()));
    if let Some(row) = history.values.iter().position(|x| x.is_infinite()) {
        return Err(Error::input(format!("{}: {} is not a finite number", history.place(row, 0), history.values[row]))
            .hint("correct the cell, or empty it if it is missing"));
    }
    let scale = if detected.has_percent_signs { 100.0 } else { 1.0 };
    let mut rates = Rates { dates: Vec::new(), percent: Vec::new() };
    for (day, value) in history.days().unwrap_or_default().into_iter().zip(&history.values) {
        if value.is_nan() {
            continue;
        }
        // Of several in a day, the last.
        if rates.dates.last() == Some(&day) {
            rates.dates.pop();
            rates.percent.pop();
        }
        rates.dates.push(day);
        rates.percent.push(scale * value);
    }
    if rates.dates.is_empty() {
        return Err(Error::input(format!("{input}: `{}` has no rate in any row", shown(&history.assets[0])))
            .hint("give dates and percent a year: 2020-01-02,1.51"));
    }
    if !detected.has_percent_signs {
        notices.extend(odd(&rates).map(|text| format!("{input}: {text}").into()));
    }
    Ok((rates, notices))
}

/// What to do next where the reader of histories would say so by options, which are for other files.
fn of_rates(error: Error) -> Error {
    match error.hint.as_ref().is_some_and(|hint| hint.options().next().is_some()) {
        true => error.hint("write dates as yyyy-mm-dd, rates in percent a year, and nothing where there is no rate"),
        false => error,
    }
}

/// What is said of rates that may not be in percent a year.
fn odd(rates: &Rates) -> Option<String> {
    let (day, largest) = rates.dates.iter().zip(&rates.percent).max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let read = format!("{} takes rates as percent a year", option("cash-rate"));
    match largest.abs() {
        0.0 => None,
        size if size < SMALL => Some(format!("{read}, and the largest is {largest} % ({day}): are these fractions?")),
        size if size > LARGE => Some(format!("{read}, and the largest is {largest} % ({day}): are these prices?")),
        _ => None,
    }
}
