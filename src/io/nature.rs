//! Prices, returns, or neither: what the numbers of a history are.
//!
//! Prices stay above zero; returns go above and below it, and `levels` tells them from levels that do so too.

use crate::error::{Error, Result, Text, option};
use crate::io::history::History;
use crate::io::levels::{column, middle, refuse_levels, refuse_prices, refuse_scattered};
use crate::io::{Kind, Notices, shown};

/// Returns of this usual size per row and per year (if there are dates) are figures in percent: no market moves so.
const PERCENT_A_ROW: f64 = 0.3;
const PERCENT_A_YEAR: f64 = 3.0;
/// Returns of this usual size per row or per year may be.
const DOUBTFUL_A_ROW: f64 = 0.15;
const DOUBTFUL_A_YEAR: f64 = 1.5;

/// What levels below and above zero are.
const CROSS_ZERO: &str = "cross zero, as cumulative returns and yields do, and are neither prices nor returns";

/// What all rows of a history look like, whichever of them are used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks {
    are_signed: bool,
    are_percent: bool,
    /// They may be in percent, and may be not.
    are_large: bool,
    /// Percent signs were read, and the numbers are fractions.
    had_signs: bool,
}

impl Looks {
    pub(crate) fn of(history: &History, had_signs: bool) -> Looks {
        let moves_both_ways = history.values.iter().any(|x| *x < 0.0);
        let a_row = if moves_both_ways { usual_size(history) } else { 0.0 };
        let a_year = rows_a_year(history).map(|rows| a_row * rows.sqrt());
        Looks {
            are_signed: are_signed(history),
            are_percent: a_row > PERCENT_A_ROW && a_year.is_none_or(|size| size > PERCENT_A_YEAR),
            are_large: a_row > DOUBTFUL_A_ROW || a_year.is_some_and(|size| size > DOUBTFUL_A_YEAR),
            had_signs,
        }
    }
}

/// What is said of a history beside its numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub kind: Kind,
    pub percent: Option<bool>,
    pub log_returns: bool,
}

/// What was decided.
pub(crate) struct Settled {
    pub kind: Kind,
    /// The figures were in percent, and are fractions now.
    pub is_percent: bool,
    /// They may be in percent.
    pub is_doubtful: bool,
    pub remarks: Notices,
}

/// Decides between prices and returns, brings returns in percent to fractions, and gives what is to be remarked.
///
/// # Errors
/// Levels where returns are due, prices below zero, returns below -100 %.
pub(crate) fn settle(history: &mut History, looks: Looks, said: Said) -> Result<Settled> {
    let mut remarks = Notices::new();
    let mut is_percent = false;
    let has_signs = looks.had_signs;
    let kind = match said.kind {
        Kind::Prices if looks.are_signed || has_signs => {
            if !has_signs {
                remarks.push("values go above and below zero: these are returns, not prices".into());
            }
            Kind::Returns
        }
        Kind::Prices => Kind::Prices,
        Kind::Returns => {
            refuse_prices(history)?;
            Kind::Returns
        }
    };
    if kind == Kind::Returns {
        is_percent = !has_signs && said.percent.unwrap_or(looks.are_percent && !said.log_returns);
        if is_percent {
            history.values.iter_mut().for_each(|x| *x /= 100.0);
            let how = if said.percent.is_some() {
                String::new()
            } else {
                format!(" by their size ({} takes them as they are)", option("percent").off())
            };
            remarks.push(format!("returns are in percent{how}: 1.5 is 0.015").into());
        } else if looks.are_large && !has_signs && said.percent.is_none() && !said.log_returns {
            remarks.push(
                format!(
                    "a usual return is {:.0} % per row: say {} if the figures are in percent, {} if not",
                    100.0 * usual_size(history),
                    option("percent"),
                    option("percent").off()
                )
                .into(),
            );
        }
        let what = if said.kind == Kind::Returns { "run like levels, not returns" } else { CROSS_ZERO };
        let unlikely = if said.log_returns { Vec::new() } else { unlikely(history) };
        if let Some(&first) = unlikely.first() {
            // Codes for missing cells hide what the others are.
            let mut others = history.clone();
            unlikely.iter().for_each(|&place| others.values[place] = f64::NAN);
            refuse_levels(&others, what)?;
            return Err(no_return(history, first, is_percent));
        }
        remarks.extend(refuse_levels(history, what)?.map(Text::from));
    }
    refuse_cells(history, kind)?;
    if kind == Kind::Prices {
        refuse_nines(history)?;
        refuse_scattered(history)?;
    }
    let is_doubtful = kind == Kind::Returns && looks.are_large && !is_percent && !has_signs && said.percent.is_none();
    Ok(Settled { kind, is_percent, is_doubtful, remarks })
}

/// Whether every asset goes above and below zero as returns do: prices cannot. An asset of few cells does not say.
fn are_signed(history: &History) -> bool {
    const LEAST_ROWS: usize = 10;
    const LEAST_SHARE: f64 = 0.15;
    let n = history.assets.len();
    let cells = |asset: &usize| history.values.iter().skip(*asset).step_by(n).filter(|x| !x.is_nan()).count();
    let mut telling = (0..n).filter(|asset| cells(asset) >= LEAST_ROWS).peekable();
    telling.peek().is_some()
        && telling.all(|asset| {
            let (below, above) = signs(history, asset);
            below.min(above) as f64 >= LEAST_SHARE * (below + above).max(1) as f64 && below.min(above) > 0
        })
}

/// Cells below and above zero.
fn signs(history: &History, asset: usize) -> (usize, usize) {
    let column = || history.values.iter().skip(asset).step_by(history.assets.len());
    (column().filter(|x| **x < 0.0).count(), column().filter(|x| **x > 0.0).count())
}

/// The usual size of a return: the middle one of the assets' middle sizes, of a normal distribution the standard
/// deviation. A code that stands for a missing cell does not move it.
fn usual_size(history: &History) -> f64 {
    /// The middle size of a normal variable is so much of its standard deviation.
    const OF_A_DEVIATION: f64 = 0.6745;
    let of = |asset| middle(column(history, asset).into_iter().map(f64::abs).collect());
    middle((0..history.assets.len()).map(of).collect()) / OF_A_DEVIATION
}

/// Rows to the year, from the first date to the last.
fn rows_a_year(history: &History) -> Option<f64> {
    let days = history.days()?;
    let (first, last) = (days.iter().min()?, days.iter().max()?);
    let years = f64::from((*last - *first).get_days()) / 365.25;
    (years > 0.0 && days.len() > 2).then(|| ((days.len() - 1) as f64 / years).min(366.0))
}

/// Cells that can hardly be returns: nothing loses more than all, nor often the same of nearly all.
fn unlikely(history: &History) -> Vec<usize> {
    /// A loss beyond this that stands twice is a code.
    const NEARLY_ALL: f64 = -0.9;
    /// So is a gain beyond this.
    const TENFOLD: f64 = 10.0;
    let is_large = |x: f64| !(NEARLY_ALL..=TENFOLD).contains(&x) && !x.is_nan();
    let mut large: Vec<f64> = history.values.iter().copied().filter(|&x| is_large(x)).collect();
    large.sort_unstable_by(f64::total_cmp);
    let is_repeated = |x: f64| {
        let first = large.partition_point(|other| other.total_cmp(&x).is_lt());
        large.get(first + 1) == Some(&x)
    };
    let most = TENFOLD.max(100.0 * usual_size(history));
    let is_unlikely = |x: f64| x.is_finite() && (x < -1.0 || x > most || is_large(x) && is_repeated(x));
    (0..history.values.len()).filter(|&place| is_unlikely(history.values[place])).collect()
}

fn no_return(history: &History, bad: usize, is_percent: bool) -> Error {
    let n = history.assets.len();
    let scale = if is_percent { 100.0 } else { 1.0 };
    let (fraction, place) = (history.values[bad], history.place(bad / n, bad % n));
    // Multiplied by what it was divided by, a number may miss its last digit.
    let value = (fraction * scale * 1e9).round() / 1e9;
    let what = match fraction < -1.0 {
        true => format!("{value} is a return below -100 %"),
        false => format!("{value} is no likely return beside the others"),
    };
    let percent =
        if is_percent { String::new() } else { format!("; say {} if the returns are in percent", option("percent")) };
    Error::input(format!("{place}: {what}")).hint(format!(
        "say {} if it stands for a missing cell{percent}; {} if the returns are logarithmic",
        option("na").plain(value),
        option("log-returns")
    ))
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers
}

/// A price of 9999 far above all others of its column stands for none.
fn refuse_nines(history: &History) -> Result<()> {
    const FAR: f64 = 5.0;
    let n = history.assets.len();
    let is_nines =
        |x: f64| [999.0, 9_999.0, 99_999.0, 999_999.0, 9_999_999.0, 999.99, 9_999.99, 99_999.99].contains(&x);
    let has_nines = history.values.iter().any(|&x| is_nines(x));
    let columns: Vec<Vec<f64>> =
        if has_nines { (0..n).map(|asset| sorted(column(history, asset))).collect() } else { Vec::new() };
    let is_far = |&place: &usize| {
        let (value, column) = (history.values[place], &columns[place % n]);
        let below = column.partition_point(|x| x * FAR < value);
        10 * below >= 8 * column.len()
    };
    let mut places = (0..history.values.len()).filter(|&place| is_nines(history.values[place]));
    let Some(bad) = places.find(is_far) else { return Ok(()) };
    let (value, place) = (history.values[bad], history.place(bad / n, bad % n));
    Err(Error::input(format!("{place}: {value} is far above the other prices of its column"))
        .hint(format!("say {} if it stands for a missing cell", option("na").plain(value))))
}

pub(super) fn refuse_cells(history: &History, kind: Kind) -> Result<()> {
    let n = history.assets.len();
    let is_bad = |&x: &f64| x.is_infinite() || kind == Kind::Prices && x <= 0.0;
    let Some(bad) = history.values.iter().position(is_bad) else { return Ok(()) };
    let (value, place) = (history.values[bad], history.place(bad / n, bad % n));
    let negatives = history.values.iter().filter(|x| **x < 0.0).count();
    if kind == Kind::Prices && 30 * negatives > history.values.len() {
        refuse_levels(history, CROSS_ZERO)?;
    }
    Err(if value.is_infinite() {
        Error::input(format!("{place}: {value} is not a finite number"))
            .hint("correct the cell, or empty it if it is missing")
    } else if value == 0.0 {
        Error::input(format!("{place}: a price of 0")).hint("correct the cell, or empty it if it is missing")
    } else {
        // One price below zero makes no returns.
        let goes_both_ways = |asset| {
            let (below, above) = signs(history, asset);
            below.min(above) * 4 >= below + above
        };
        let both = (0..n).all(goes_both_ways);
        let asset = shown(&history.assets[bad % n]);
        Error::input(format!("{place}: a negative price, {value}")).hint(match both {
            true => format!("say {} if the file holds returns", option("returns")),
            false => format!(
                "say {} if it stands for a missing cell; a return from or to a price below zero is not defined: \
                 else leave `{asset}` out with {}, or the rows with {} and {}",
                option("na").plain(value),
                option("exclude"),
                option("from"),
                option("to")
            ),
        })
    })
}
