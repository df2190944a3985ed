//! Prices, returns, or neither: what the numbers of a history are.
//!
//! Returns go above and below zero and hardly remember the row before; prices and other levels do. One figure tells:
//!
//! ```text
//! v = sum_t (x_t - x_{t-1})^2 / sum_t (x_t - mean)^2      about 2 for returns, near 0 for levels (von Neumann 1941)
//! ```

use crate::error::{Error, Result};
use crate::io::history::History;
use crate::io::{Kind, listed, shown};

/// Fewer rows tell nothing.
const LEAST_ROWS: usize = 20;
/// v = 2 (1 - rho) for a first autocorrelation rho: 0.5 is a rho of 0.75, which no return of a traded asset has. Random
/// walks of 60 rows stay below it in 97 of 100 cases; shorter ones need more room, and have it: the v of 24 returns lies
/// below 0.8 in one case of a thousand. Means over several assets decide better still.
const PERSISTENT: f64 = 0.5;
const PERSISTENT_SHORT: f64 = 0.8;
const SHORT: usize = 60;
/// Returns scatter around zero; prices lie more than so many standard deviations above it.
const FAR_FROM_ZERO: f64 = 3.0;
const LEAST_ROWS_FAR: usize = 10;
/// Returns of this usual size per row and per year (if there are dates) are figures in percent: no market moves so.
const PERCENT_A_ROW: f64 = 0.3;
const PERCENT_A_YEAR: f64 = 3.0;
/// Returns of this usual size a year may be.
const DOUBTFUL_A_YEAR: f64 = 1.5;

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
            are_large: a_year.is_some_and(|size| size > DOUBTFUL_A_YEAR),
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

/// Decides between prices and returns, brings returns in percent to fractions, and gives what is to be remarked.
///
/// # Errors
/// Levels where returns are due, prices below zero, returns below -100 %.
pub(crate) fn settle(history: &mut History, looks: Looks, said: Said) -> Result<(Kind, Vec<String>)> {
    let mut remarks = Vec::new();
    let has_signs = looks.had_signs;
    let kind = match said.kind {
        Kind::Prices if looks.are_signed && !has_signs => {
            refuse_levels(
                history,
                "cross zero, as cumulative returns and yields do, and are neither prices nor returns",
            )?;
            remarks.push("negative values throughout: these are returns, not prices".to_string());
            Kind::Returns
        }
        Kind::Prices if has_signs => Kind::Returns,
        Kind::Prices => Kind::Prices,
        Kind::Returns => {
            refuse_prices(history)?;
            refuse_levels(history, "are levels by their course, not returns")?;
            Kind::Returns
        }
    };
    if kind == Kind::Returns {
        let is_percent = !has_signs && said.percent.unwrap_or(looks.are_percent && !said.log_returns);
        if is_percent {
            history.values.iter_mut().for_each(|x| *x /= 100.0);
            let how =
                if said.percent.is_some() { "" } else { " by their size (--percent=false takes them as they are)" };
            remarks.push(format!("returns are in percent{how}: 1.5 is 0.015"));
        } else if looks.are_large && !has_signs && said.percent.is_none() && !said.log_returns {
            remarks.push(format!(
                "a usual return is {:.0} % per row: say --percent if the figures are in percent, --percent=false if not",
                100.0 * usual_size(history)
            ));
        }
        if !said.log_returns {
            refuse_losses(history, is_percent)?;
        }
    }
    refuse_cells(history, kind)?;
    Ok((kind, remarks))
}

/// Whether every asset goes above and below zero as returns do: prices cannot.
fn are_signed(history: &History) -> bool {
    const LEAST_ROWS: usize = 10;
    const LEAST_SHARE: f64 = 0.1;
    history.rows() >= LEAST_ROWS
        && (0..history.assets.len()).all(|asset| {
            let (below, above) = signs(history, asset);
            below.min(above) as f64 >= LEAST_SHARE * (below + above).max(1) as f64 && below.min(above) > 0
        })
}

/// Cells below and above zero.
fn signs(history: &History, asset: usize) -> (usize, usize) {
    let column = || history.values.iter().skip(asset).step_by(history.assets.len());
    (column().filter(|x| **x < 0.0).count(), column().filter(|x| **x > 0.0).count())
}

fn column(history: &History, asset: usize) -> Vec<f64> {
    history.values.iter().copied().skip(asset).step_by(history.assets.len()).filter(|x| x.is_finite()).collect()
}

/// The figure above; none where too few rows tell, or none moves.
fn von_neumann(column: &[f64]) -> Option<f64> {
    if column.len() < LEAST_ROWS {
        return None;
    }
    let mean = column.iter().sum::<f64>() / column.len() as f64;
    let variance: f64 = column.iter().map(|x| (x - mean).powi(2)).sum();
    let steps: f64 = column.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    (variance > 0.0).then_some(steps / variance)
}

/// Refuses a history most of whose columns run like levels.
fn refuse_levels(history: &History, what: &str) -> Result<()> {
    let n = history.assets.len();
    let figures: Vec<(usize, f64)> =
        (0..n).filter_map(|asset| Some((asset, von_neumann(&column(history, asset))?))).collect();
    let limit = if history.rows() < SHORT { PERSISTENT_SHORT } else { PERSISTENT };
    // The mean of all: interest on cash remembers too, beside assets that do not.
    let mean = figures.iter().map(|(_, v)| v).sum::<f64>() / figures.len() as f64;
    if figures.is_empty() || mean >= limit {
        return Ok(());
    }
    let levels: Vec<usize> = figures.iter().filter(|(_, v)| *v < limit).map(|(asset, _)| *asset).collect();
    let names = listed(levels.iter().map(|&asset| history.assets[asset].as_str()));
    Err(Error::input(format!(
        "{}: {names} {what}: each value is close to the one before (squared steps over variance {mean:.2}, where \
         returns have about 2)",
        history.source
    ))
    .hint("give prices, or the change from each row to the next; cumulative returns plus one are prices"))
}

/// Refuses a history most of whose columns lie far above zero: prices where returns are asked for.
fn refuse_prices(history: &History) -> Result<()> {
    let n = history.assets.len();
    let is_far = |&asset: &usize| {
        let column = column(history, asset);
        let rows = column.len() as f64;
        let mean = column.iter().sum::<f64>() / rows;
        let sd = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows).sqrt();
        column.len() >= LEAST_ROWS_FAR && column.iter().all(|x| *x > 0.0) && mean > FAR_FROM_ZERO * sd
    };
    let far: Vec<usize> = (0..n).filter(is_far).collect();
    if 2 * far.len() <= n {
        return Ok(());
    }
    let names = listed(far.iter().map(|&asset| history.assets[asset].as_str()));
    Err(Error::input(format!(
        "{}: {names} are far above zero in every row, as prices and levels are: these are no returns",
        history.source
    ))
    .hint("leave --returns out if these are prices"))
}

/// The middle one of the assets' root mean squares.
fn usual_size(history: &History) -> f64 {
    let mut sizes: Vec<f64> = (0..history.assets.len())
        .map(|asset| {
            let column = column(history, asset);
            (column.iter().map(|x| x * x).sum::<f64>() / column.len().max(1) as f64).sqrt()
        })
        .collect();
    sizes.sort_unstable_by(f64::total_cmp);
    sizes.get(sizes.len() / 2).copied().unwrap_or(0.0)
}

/// Rows to the year, from the first date to the last.
fn rows_a_year(history: &History) -> Option<f64> {
    let days = history.days()?;
    let (first, last) = (days.iter().min()?, days.iter().max()?);
    let years = f64::from((*last - *first).get_days()) / 365.25;
    (years > 0.0 && days.len() > 2).then(|| ((days.len() - 1) as f64 / years).min(366.0))
}

/// Nothing loses more than all.
fn refuse_losses(history: &History, is_percent: bool) -> Result<()> {
    let n = history.assets.len();
    let Some(bad) = history.values.iter().position(|x| *x < -1.0) else { return Ok(()) };
    let value = history.values[bad] * if is_percent { 100.0 } else { 1.0 };
    let percent = if is_percent { String::new() } else { "; say --percent if the returns are in percent".to_string() };
    Err(Error::input(format!("{}: {value} is a return below -100 %", history.place(bad / n, bad % n))).hint(format!(
        "say --na={value} if it stands for a missing cell{percent}; --log-returns if the returns are logarithmic"
    )))
}

fn refuse_cells(history: &History, kind: Kind) -> Result<()> {
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
        let both = (0..n).all(|asset| signs(history, asset).0 > 0 && signs(history, asset).1 > 0);
        let asset = shown(&history.assets[bad % n]);
        Error::input(format!("{place}: a negative price, {value}")).hint(match both {
            true => "say --returns if the file holds returns".to_string(),
            false => format!(
                "say --na={value} if it stands for a missing cell; a return from or to a price below zero is not defined: \
                 else leave `{asset}` out with --exclude, or the rows with --from and --to"
            ),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_remember_the_row_before() {
        // A walk, and its steps: a linear congruential sequence.
        let mut state = 1_u64;
        let steps: Vec<f64> = (0..120)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) as f64 / f64::from(1 << 31) - 0.5
            })
            .collect();
        let walk: Vec<f64> = steps
            .iter()
            .scan(0.0, |sum, x| {
                *sum += x;
                Some(*sum)
            })
            .collect();
        assert!(von_neumann(&walk).expect("long enough") < PERSISTENT);
        assert!(von_neumann(&steps).expect("long enough") > 1.0);
        assert_eq!(von_neumann(&steps[..10]), None);
    }
}
