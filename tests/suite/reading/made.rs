//! Histories to be dressed as vendors dress them, and what a right reading makes of them.

use equirisk::io::Kind;
use equirisk::panel::{Labels, Returns};
use jiff::civil::{Date, DateTime, Weekday, date};
use jiff::{Span, ToSpan};
use proptest::prelude::*;

use crate::run::uniform;

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    Days,
    Weeks,
    Months,
    Quarters,
    Hours,
}

/// A history: rows by assets, NaN where a cell is missing.
#[derive(Debug, Clone)]
pub struct Made {
    pub period: Period,
    pub moments: Vec<DateTime>,
    pub assets: Vec<String>,
    /// Digits behind the point, per asset.
    pub digits: Vec<usize>,
    pub kind: Kind,
    pub values: Vec<f64>,
}

/// Names as vendors give them: shares, funds, indices, pairs; words that are fields elsewhere.
const NAMES: [&str; 23] = [
    "SPY",
    "TLT",
    "GLD",
    "BRK.B",
    "BTC-USD",
    "7203.T",
    "S&P 500",
    "US BONDS 10Y",
    "T",
    "LOW",
    "A",
    "High Yield",
    "Small Value",
    "^GSPC",
    "EURUSD=X",
    "3M Company",
    "KEY",
    "Iboxx HY US",
    "MSCI World Index",
    "OPEN",
    "N",
    "ID",
    "V",
];
/// Names that nothing could take for anything else.
const PLAIN_NAMES: [&str; 8] = ["SPY", "TLT", "GLD", "AAPL", "MSFT", "XOM", "JPM", "WMT"];

impl Made {
    pub fn rows(&self) -> usize {
        self.moments.len()
    }

    pub fn cell(&self, row: usize, asset: usize) -> f64 {
        self.values[row * self.assets.len() + asset]
    }

    /// A cell with all its digits, nothing beside them; empty where it is missing.
    pub fn written(&self, row: usize, asset: usize) -> String {
        let value = self.cell(row, asset);
        if value.is_nan() { String::new() } else { format!("{value:.*}", self.digits[asset]) }
    }

    /// The rows at these places, in this order.
    pub fn take(&self, rows: &[usize]) -> Made {
        let n = self.assets.len();
        Made {
            moments: rows.iter().map(|&row| self.moments[row]).collect(),
            values: rows.iter().flat_map(|&row| self.values[row * n..(row + 1) * n].iter().copied()).collect(),
            ..self.clone()
        }
    }

    /// One asset alone.
    pub fn alone(&self, asset: usize) -> Made {
        Made {
            assets: vec![self.assets[asset].clone()],
            digits: vec![self.digits[asset]],
            values: (0..self.rows()).map(|row| self.cell(row, asset)).collect(),
            ..self.clone()
        }
    }

    /// What reading gives: rows in order, those with a gap left out, and the change from each to the next.
    pub fn returns(&self) -> Returns {
        let n = self.assets.len();
        let mut rows: Vec<usize> = (0..self.rows()).collect();
        rows.sort_by_key(|&row| self.moments[row]);
        rows.retain(|&row| (0..n).all(|asset| !self.cell(row, asset).is_nan()));
        let change = |pair: &[usize]| {
            let (before, after) = (pair[0], pair[1]);
            let change = move |asset| self.cell(after, asset) / self.cell(before, asset) - 1.0;
            (0..n).map(change).collect::<Vec<f64>>()
        };
        let (kept, values) = match self.kind {
            Kind::Prices => (&rows[1..], rows.windows(2).flat_map(change).collect()),
            Kind::Returns => (&rows[..], rows.iter().flat_map(|&row| (0..n).map(move |a| self.cell(row, a))).collect()),
        };
        let labels = match self.period {
            Period::Hours => {
                Labels::Text(kept.iter().map(|&row| self.moments[row].strftime("%F %H:%M").to_string()).collect())
            }
            _ => Labels::Dates(kept.iter().map(|&row| self.moments[row].date()).collect()),
        };
        Returns { assets: self.assets.clone(), labels, values }
    }
}

/// The ends of so many periods.
fn moments(period: Period, first: Date, rows: usize) -> Vec<DateTime> {
    let at = |span: Span| first.checked_add(span).expect("dates of a market");
    let i = |row: usize| i64::try_from(row).expect("few rows");
    let weekdays = || first.series(1.day()).filter(|day| !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday));
    match period {
        Period::Days => weekdays().take(rows).map(|day| day.at(0, 0, 0, 0)).collect(),
        Period::Weeks => {
            let days_to_sunday = 7 - i64::from(first.weekday().to_monday_one_offset());
            (0..rows).map(|row| at(i(row).weeks().days(days_to_sunday)).at(0, 0, 0, 0)).collect()
        }
        Period::Months => (0..rows).map(|row| at(i(row).months()).last_of_month().at(0, 0, 0, 0)).collect(),
        Period::Quarters => {
            let january = date(first.year(), 1, 1);
            let end = |row| january.checked_add((2 + 3 * i(row)).months()).expect("dates of a market").last_of_month();
            (0..rows).map(|row| end(row).at(0, 0, 0, 0)).collect()
        }
        // Seven bars a day, on the half hour.
        Period::Hours => {
            weekdays().flat_map(|day| (0..7_i8).map(move |bar| day.at(9 + bar, 30, 0, 0))).take(rows).collect()
        }
    }
}

prop_compose! {
    /// Histories of prices that walk 0.3 to 3 % a row, from a seed.
    pub fn made(are_plain: bool)(
        period in prop::sample::select(vec![
            Period::Days, Period::Days, Period::Days, Period::Weeks, Period::Months, Period::Months, Period::Quarters, Period::Hours,
        ]),
        first_day in 0..12_000_i64,
        rows in 14_usize..70,
        assets in prop::sample::subsequence(if are_plain { PLAIN_NAMES.to_vec() } else { NAMES.to_vec() }, 2..=6).prop_shuffle(),
        seed in any::<u64>(),
        gaps in prop::option::of(1_usize..4),
    ) -> Made {
        let first = date(1985, 1, 1).checked_add(first_day.days()).expect("before 2018");
        history(period, first, rows, &assets, seed, gaps.unwrap_or(0))
    }
}

/// A history from a seed.
pub fn history(period: Period, first: Date, rows: usize, assets: &[&str], seed: u64, gaps: usize) -> Made {
    // Where prices begin, and the digits behind their points.
    const LEVELS: [(f64, usize); 10] = [
        (0.08, 6),
        (1.1, 4),
        (9.5, 3),
        (25.0, 2),
        (101.3, 4),
        (140.0, 2),
        (980.0, 3),
        (1_400.0, 2),
        (28_000.0, 1),
        (120_000.0, 0),
    ];
    let mut uniform = uniform(seed);
    let mut unit = move || uniform() + 0.5;
    (0..8).for_each(|_| _ = unit());
    let n = assets.len();
    let mut columns = Vec::new();
    let mut digits = Vec::new();
    for _ in assets {
        let (level, places) = LEVELS[(unit() * LEVELS.len() as f64) as usize % LEVELS.len()];
        let step = 0.003 + 0.027 * unit();
        let mut price = level * (0.8 + 0.4 * unit());
        // A uniform deviate of this width has the step as its standard deviation.
        let mut walk = || {
            price *= 1.0 + step * 12_f64.sqrt() * (unit() - 0.5);
            let text = format!("{price:.places$}");
            text.parse::<f64>().expect("digits")
        };
        columns.push((0..rows).map(|_| walk()).collect::<Vec<f64>>());
        digits.push(places);
    }
    let mut values: Vec<f64> = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
    for _ in 0..gaps {
        values[(unit() * (rows * n) as f64) as usize % (rows * n)] = f64::NAN;
    }
    Made {
        period,
        moments: moments(period, first, rows),
        assets: assets.iter().map(|name| (*name).to_string()).collect(),
        digits,
        kind: Kind::Prices,
        values,
    }
}

/// The returns of a history as a history of their own, written to so many digits, as fractions.
pub fn as_returns(made: &Made, places: usize) -> Made {
    let returns = made.returns();
    let complete: Vec<usize> =
        (0..made.rows()).filter(|&row| (0..made.assets.len()).all(|a| !made.cell(row, a).is_nan())).collect();
    let round = |x: &f64| format!("{x:.places$}").parse::<f64>().expect("digits");
    Made {
        moments: complete[1..].iter().map(|&row| made.moments[row]).collect(),
        digits: vec![places; made.assets.len()],
        kind: Kind::Returns,
        values: returns.values.iter().map(round).collect(),
        ..made.clone()
    }
}
