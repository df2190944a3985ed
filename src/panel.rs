//! Histories: prices, the returns they make, and the standardised panel that problems are built from.

use jiff::civil::Date;

use crate::error::{Error, Result};

/// What a row of a history is labelled with: its first column.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    Dates(Vec<Date>),
    /// Observation numbers or other names, in file order.
    Text(Vec<String>),
}

/// A history of returns: rows (observations) x assets, row-major, oldest first, every cell finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Returns {
    pub assets: Vec<String>,
    /// One label per row: for returns made from prices, that of the later price.
    pub labels: Labels,
    pub values: Vec<f64>,
}

impl Returns {
    pub fn rows(&self) -> usize {
        self.values.len() / self.assets.len().max(1)
    }

    /// The history of the assets at these positions.
    #[must_use]
    pub fn select(&self, keep: &[usize]) -> Returns {
        let n = self.assets.len().max(1);
        Returns {
            assets: keep.iter().map(|&i| self.assets[i].clone()).collect(),
            labels: self.labels.clone(),
            values: self.values.chunks_exact(n).flat_map(|row| keep.iter().map(|&i| row[i])).collect(),
        }
    }

    /// Labels of the first and the last row.
    pub fn span(&self) -> (Option<String>, Option<String>) {
        match &self.labels {
            Labels::Dates(dates) => (dates.first().map(ToString::to_string), dates.last().map(ToString::to_string)),
            Labels::Text(labels) => (labels.first().cloned(), labels.last().cloned()),
        }
    }
}

/// A covariance matrix with the names of its assets.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    pub assets: Vec<String>,
    /// n x n, row-major.
    pub values: Vec<f64>,
}

/// Returns centred by their full-sample mean and divided by their full-sample volatility, once, in f64.
/// Problems built from it do not depend on units or scale, and single precision loses nothing to the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    rows: usize,
    /// rows x assets, row-major.
    values: Vec<f64>,
    /// Full-sample volatility per period of each asset (divisor T - 1).
    volatilities: Vec<f64>,
}

impl Panel {
    /// # Errors
    /// Fewer than two rows, a cell that is not finite, or an asset that never moves.
    pub fn new(returns: &Returns) -> Result<Panel> {
        let (rows, n) = (returns.rows(), returns.assets.len());
        if rows < 2 {
            return Err(Error::input(format!("a covariance needs at least 2 rows of returns, there are {rows}")));
        }
        let mut values = returns.values.clone();
        let mut volatilities = Vec::with_capacity(n);
        for (j, asset) in returns.assets.iter().enumerate() {
            let column = || returns.values.iter().skip(j).step_by(n);
            let largest = column().fold(0.0_f64, |m, x| m.max(x.abs()));
            if column().any(|x| !x.is_finite()) {
                return Err(Error::input(format!("asset `{asset}` has a return that is not a finite number")));
            }
            let first = returns.values[j];
            if column().all(|&x| x == first) {
                return Err(Error::input(format!("asset `{asset}` never moves: its variance is zero"))
                    .hint(format!("leave `{asset}` out with --assets")));
            }
            // Scaled by the largest return, so that squares neither overflow nor vanish.
            let mean = column().map(|x| x / largest).sum::<f64>() / rows as f64;
            let squares: f64 = column().map(|x| (x / largest - mean).powi(2)).sum();
            let volatility = (squares / (rows - 1) as f64).sqrt();
            if !(volatility > 0.0 && (volatility * largest).is_normal()) {
                return Err(Error::input(format!(
                    "asset `{asset}` moves too little: its variance cannot be told from zero"
                ))
                .hint(format!("leave `{asset}` out with --assets")));
            }
            for x in values.iter_mut().skip(j).step_by(n) {
                *x = (*x / largest - mean) / volatility;
            }
            volatilities.push(volatility * largest);
        }
        Ok(Panel { rows, values, volatilities })
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn assets(&self) -> usize {
        self.volatilities.len()
    }

    /// Standardised returns, rows x assets, row-major.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Full-sample volatilities: what one unit of a standardised return is worth.
    pub fn volatilities(&self) -> &[f64] {
        &self.volatilities
    }
}
