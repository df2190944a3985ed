//! What cash earns over each row: a column of the data, a rate, or a file of rates.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::arguments::BacktestArguments;
use super::values::CashRate;
use crate::cli::data::Notes;
use crate::error::option;
use crate::io::{self, Input};
use crate::panel::{Labels, Returns};
use crate::study::backtest::market::years;
use crate::{Error, Result};

/// One return for each row; not a number where none is known.
pub fn rates(
    arguments: &BacktestArguments,
    column: Option<Vec<f64>>,
    returns: &Returns,
    periods_per_year: f64,
    notes: &mut Notes,
) -> Result<Vec<f64>> {
    let rows = returns.rows();
    let years = years(&returns.labels, rows, periods_per_year);
    if let Some(column) = column {
        return Ok(column);
    }
    match &arguments.cash_rate {
        None => Ok(vec![0.0; rows]),
        Some(CashRate::Constant(rate)) => Ok(years.iter().map(|part| rate * part).collect()),
        Some(CashRate::File(path)) => {
            let Labels::Dates(dates) = &returns.labels else {
                return Err(Error::usage(format!(
                    "{}: rates are found by date, and these rows have none",
                    option("cash-rate")
                ))
                .hint("give a number a year"));
            };
            let (rates, notices) = io::read_rates(&Input::from_argument(Some(path)))?;
            notes.say(&notices);
            // The rate that is known at the close before.
            let before = std::iter::once(earlier(dates[0], periods_per_year)).chain(dates.iter().copied());
            let span = rates.known();
            let covered = |date: &Date| span.is_some_and(|(first, last)| first <= *date && *date <= last);
            let known =
                before.map(|date| Some(date).filter(covered).and_then(|date| rates.at(date)).unwrap_or(f64::NAN));
            Ok(known.zip(&years).map(|(rate, part)| rate * part).collect())
        }
    }
}

/// A period before the first row.
fn earlier(first: Date, periods_per_year: f64) -> Date {
    let days = (365.0 / periods_per_year).round().clamp(1.0, 366.0) as i64;
    first.checked_sub(days.days()).unwrap_or(first)
}
