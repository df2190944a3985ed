//! What strategies trade in: returns of assets that come and go, and of cash.

use std::ops::Range;

use jiff::civil::Date;

use crate::panel::{Labels, Returns};

/// The histories of a study.
#[derive(Debug, Clone, PartialEq)]
pub struct Market {
    /// Simple returns; not a number before and after the life of an asset, and nowhere else.
    pub returns: Returns,
    /// Return of cash over each row; not a number where no rate is known.
    pub cash: Vec<f64>,
    /// d_t, the part of a year that each row takes: days from the close before / 365, or one over the periods per year.
    pub years: Vec<f64>,
    /// The rows in which each asset has returns.
    pub lives: Vec<Range<usize>>,
}

impl Market {
    /// `cash` is given for each row.
    pub fn new(returns: Returns, cash: Vec<f64>, periods_per_year: f64) -> Market {
        // One without a return never lives.
        let lives = (0..returns.assets.len()).map(|asset| returns.life(asset).unwrap_or(0..0)).collect();
        let years = years(&returns.labels, returns.rows(), periods_per_year);
        Market { returns, cash, years, lives }
    }

    /// The last row in which an asset has a return.
    pub fn end(&self, asset: usize) -> usize {
        self.lives[asset].end.saturating_sub(1)
    }

    pub fn rows(&self) -> usize {
        self.cash.len()
    }

    pub fn assets(&self) -> usize {
        self.returns.assets.len()
    }

    /// Its rows in their own order.
    pub fn source(&self) -> Vec<u32> {
        (0..self.rows() as u32).collect()
    }

    pub fn dates(&self) -> Option<&[Date]> {
        match &self.returns.labels {
            Labels::Dates(dates) => Some(dates),
            Labels::Text(_) => None,
        }
    }

    pub fn label(&self, row: usize) -> String {
        self.returns.labels.get(row).unwrap_or_else(|| (row + 1).to_string())
    }

    /// What borrowing costs beyond cash over a row, at a spread a year.
    pub fn spread(&self, row: usize, a_year: f64) -> f64 {
        a_year * self.years[row]
    }
}

const DAYS: f64 = 365.0;

/// d_t of each row. The close before the first row is not known: it is taken to be one period earlier.
pub fn years(labels: &Labels, rows: usize, periods_per_year: f64) -> Vec<f64> {
    let usual = 1.0 / periods_per_year;
    match labels {
        Labels::Dates(dates) => {
            let between = |pair: &[Date]| f64::from((pair[1] - pair[0]).get_days()) / DAYS;
            std::iter::once(usual).chain(dates.windows(2).map(between)).collect()
        }
        Labels::Text(_) => vec![usual; rows],
    }
}
