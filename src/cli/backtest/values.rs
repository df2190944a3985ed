//! What the values of a backtest's flags mean.

use std::path::PathBuf;

use crate::cli::values::{first_day, last_day};
use crate::io::plain;
use crate::study::backtest::calendar::Rebalance;
use crate::study::backtest::config::{self, Named, Span};
use crate::study::block::Block;

/// `--lookback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lookback {
    Rolling(usize),
    Expanding,
}

/// `--rebalance`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Calendar {
    Rule(Rebalance),
    /// A file of days.
    File(PathBuf),
}

/// `--cash-rate`.
#[derive(Debug, Clone, PartialEq)]
pub enum CashRate {
    /// A year.
    Constant(f64),
    File(PathBuf),
}

/// `--target-vol`.
pub type Leverage = config::Leverage;

pub fn lookback(text: &str) -> Result<Lookback, String> {
    match text {
        "expanding" => Ok(Lookback::Expanding),
        _ => match text.parse() {
            Ok(rows) if rows >= 2 => Ok(Lookback::Rolling(rows)),
            _ => Err("not a number of rows from 2 up, nor `expanding`".to_string()),
        },
    }
}

pub fn rebalance(text: &str) -> Result<Calendar, String> {
    match text.strip_prefix("dates:") {
        Some(file) if !file.is_empty() => Ok(Calendar::File(file.into())),
        _ => text.parse().map(Calendar::Rule),
    }
}

/// A number is a rate, all else the name of a file.
pub fn cash_rate(text: &str) -> Result<CashRate, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.abs() < 1.0 => Ok(CashRate::Constant(rate)),
        Ok(rate) => Err(format!("{rate} is no rate a year: 2 % is written 0.02")),
        Err(_) => match text.strip_suffix('%').and_then(|text| text.trim().parse::<f64>().ok()) {
            Some(percent) if percent.abs() < 100.0 => Ok(CashRate::Constant(percent / 100.0)),
            _ => Ok(CashRate::File(text.into())),
        },
    }
}

/// A volatility a year, or the strategy that it is taken from.
pub fn target(text: &str) -> Result<Leverage, String> {
    if let Some(name) = text.strip_prefix("match:") {
        return match plain(name) {
            name if name.is_empty() => Err("match: whom? write match:60/40".to_string()),
            name => Ok(Leverage::Match(name)),
        };
    }
    let percent = text.strip_suffix('%').map(|text| text.trim().parse::<f64>().map(|x| x / 100.0));
    match percent.unwrap_or_else(|| text.parse()) {
        Ok(x) if x > 0.0 && x < MOST_VOLATILITY => Ok(Leverage::Volatility(x)),
        Ok(x) if x >= MOST_VOLATILITY && x.is_finite() => {
            Err(format!("a volatility of {x} a year: 10 % is written 0.10"))
        }
        _ => Err("not an annual volatility such as 0.10, nor match:NAME".to_string()),
    }
}

/// A year: beyond, percent are meant.
const MOST_VOLATILITY: f64 = 2.0;

/// A number of rows from zero up.
pub fn rows(text: &str) -> Result<usize, String> {
    text.parse().map_err(|_| "not a whole number of rows from 0 up".to_string())
}

/// A number from zero up.
pub fn decimal(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x: &f64| *x >= 0.0 && x.is_finite()).ok_or_else(|| "not a number from 0 up".to_string())
}

/// A number from zero to one.
pub fn rate(text: &str) -> Result<f64, String> {
    decimal(text).ok().filter(|x| *x <= 1.0).ok_or_else(|| "not a number from 0 to 1".to_string())
}

/// A return between a total loss and none.
pub fn share(text: &str) -> Result<f64, String> {
    let parsed = text.parse().ok().filter(|x: &f64| (-1.0..=0.0).contains(x));
    parsed.ok_or_else(|| "not a return from -1 to 0, such as -0.3".to_string())
}

/// `NAME=FROM..TO`, `NAME=2008`, `NAME=2007-10`.
pub fn named_span(text: &str) -> Result<Named, String> {
    let (name, span) = text.rsplit_once('=').ok_or("write NAME=FROM..TO, such as crisis=2007-10..2009-03")?;
    let name = plain(name);
    if name.is_empty() {
        return Err("a period needs a name: NAME=FROM..TO".to_string());
    }
    let (from, to) = span.split_once("..").unwrap_or((span, span));
    let span = Span { from: first_day(from)?, to: last_day(to)? };
    if span.from > span.to {
        return Err(format!("{} lies after {}", span.from, span.to));
    }
    Ok(Named { name, spans: vec![span] })
}

/// Rows of a block.
pub fn fan_block(text: &str) -> Result<f64, String> {
    match Block::parse(text) {
        Some(Block::Length(rows)) => Ok(rows),
        _ => Err("not a number of rows from 1 up".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn values_are_read_as_people_write_them() {
        assert_eq!(target("10%"), Ok(Leverage::Volatility(0.1)));
        assert_eq!(target("match:60/40"), Ok(Leverage::Match("60/40".to_string())));
        assert!(target("10").is_err_and(|error| error.contains("0.10")));
        assert!(target("-0.1").is_err() && target("match:").is_err() && target("nan").is_err());
        assert_eq!(cash_rate("0.02"), Ok(CashRate::Constant(0.02)));
        assert_eq!(cash_rate("2%"), Ok(CashRate::Constant(0.02)));
        assert_eq!(cash_rate("DTB3.csv"), Ok(CashRate::File("DTB3.csv".into())));
        assert!(cash_rate("2").is_err());
        assert_eq!(lookback("expanding"), Ok(Lookback::Expanding));
        assert!(lookback("1").is_err() && lookback("-3").is_err());
        assert_eq!(rebalance("dates:days.csv"), Ok(Calendar::File("days.csv".into())));
        assert!(rebalance("dates:").is_err() && rebalance("hourly").is_err());
        assert!(share("-0.3").is_ok() && share("0.3").is_err() && rate("1.5").is_err() && decimal("inf").is_err());
    }

    #[test]
    fn a_named_span_may_be_a_year_or_a_month() {
        let span = |text| named_span(text).map(|named: Named| (named.name, named.spans[0].from, named.spans[0].to));
        let crisis = ("crisis".to_string(), date(2007, 10, 1), date(2009, 3, 31));
        assert_eq!(span("crisis=2007-10..2009-03"), Ok(crisis));
        assert_eq!(span("a=b=2008"), Ok(("a=b".to_string(), date(2008, 1, 1), date(2008, 12, 31))));
        assert!(span("2008").is_err() && span("=2008").is_err() && span("x=2009..2008").is_err());
    }
}
