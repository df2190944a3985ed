//! Histories: prices, the returns they make, and the standardised panel that problems are built from.

use std::ops::Range;

use jiff::civil::Date;

use crate::error::{Error, Result, option};

/// What a row of a history is labelled with: its first column.
#[derive(Debug, Clone, PartialEq)]
pub enum Labels {
    Dates(Vec<Date>),
    /// Observation numbers or other names, in file order.
    Text(Vec<String>),
}

impl Labels {
    /// That of a row, as text; none where it has none.
    pub fn get(&self, row: usize) -> Option<String> {
        match self {
            Labels::Dates(dates) => dates.get(row).map(ToString::to_string),
            Labels::Text(labels) => labels.get(row).cloned(),
        }
    }
}

/// A history of returns: rows (observations) x assets, row-major, oldest first.
///
/// Every cell is finite, with one exception: where a history was read by lives ([`crate::io::Missing::LifeSpans`], for
/// backtests), cells before and after the life of an asset are NaN, and no others. [`Panel::new`] takes no such history.
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

    /// One asset's returns, row by row.
    pub(crate) fn column(&self, asset: usize) -> impl Iterator<Item = f64> + Clone {
        self.values.iter().copied().skip(asset).step_by(self.assets.len().max(1))
    }

    /// The rows from an asset's first return to its last: all, where every cell is finite. None where it has no return.
    pub fn life(&self, asset: usize) -> Option<Range<usize>> {
        let is_there = |x: f64| !x.is_nan();
        let first = self.column(asset).position(is_there)?;
        let lived = self.column(asset).enumerate().filter(|(_, x)| is_there(*x)).map(|(row, _)| row);
        Some(first..lived.last()? + 1)
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

    /// With the columns of short positions negated: one sign, 1 or -1, for each asset.
    #[must_use]
    pub fn signed(mut self, signs: &[f64]) -> Returns {
        if signs.iter().any(|sign| *sign < 0.0) {
            let rows = self.values.chunks_exact_mut(signs.len());
            rows.for_each(|row| row.iter_mut().zip(signs).for_each(|(x, sign)| *x *= sign));
        }
        self
    }

    /// The rows of a range, with their labels where there are any.
    #[must_use]
    pub fn part(&self, rows: Range<usize>) -> Returns {
        let n = self.assets.len();
        Returns {
            assets: self.assets.clone(),
            labels: match &self.labels {
                Labels::Dates(dates) => Labels::Dates(dates.get(rows.clone()).unwrap_or_default().to_vec()),
                Labels::Text(labels) => Labels::Text(labels.get(rows.clone()).unwrap_or_default().to_vec()),
            },
            values: self.values[rows.start * n..rows.end * n].to_vec(),
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

/// Returns centred by their mean and divided by their volatility, once, in f64: those of the full sample, or of some rows of
/// it. Problems built from it do not depend on units or scale, and single precision loses nothing to the mean.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    rows: usize,
    /// rows x assets, row-major.
    values: Vec<f64>,
    /// Volatility per period of each asset (divisor: one less than the rows).
    volatilities: Vec<f64>,
    /// Mean of each asset, in units of its volatility.
    means: Vec<f64>,
}

impl Panel {
    /// # Errors
    /// Fewer than two rows, a cell that is not finite, or an asset that never moves.
    pub fn new(returns: &Returns) -> Result<Panel> {
        Panel::standardised_by(returns, 0..returns.rows())
    }

    /// With the means and volatilities of these rows, two at least: nothing of the others enters them.
    ///
    /// # Errors
    /// As [`Panel::new`], of these rows; a cell of any row that is not finite.
    pub fn standardised_by(returns: &Returns, known: Range<usize>) -> Result<Panel> {
        let (rows, n) = (known.len(), returns.assets.len());
        if rows < 2 {
            return Err(Error::input(format!("a covariance needs at least 2 rows of returns, there are {rows}")));
        }
        let cells = known.start * n..known.end * n;
        let known = &returns.values[cells.clone()];
        // Of every asset, row by row, in the order of the file.
        let mut largest = vec![0.0_f64; n];
        let mut moves = vec![false; n];
        let history = || known.chunks_exact(n);
        for row in history() {
            for j in 0..n {
                let (x, first) = (row[j], known[j]);
                // What is not a number is the largest of all.
                let kept = x.abs() <= largest[j] || largest[j].is_nan();
                largest[j] = if kept { largest[j] } else { x.abs() };
                moves[j] |= x != first;
            }
        }
        let strange = returns.values.iter().position(|x| !x.is_finite()).map(|place| place % n);
        for (j, asset) in returns.assets.iter().enumerate() {
            if !largest[j].is_finite() || strange == Some(j) {
                return Err(Error::input(format!("asset `{asset}` has a return that is not a finite number")));
            }
            if !moves[j] {
                return Err(Error::input(format!("asset `{asset}` never moves: its variance is zero"))
                    .hint(format!("leave `{asset}` out with {}", option("assets"))));
            }
        }
        // Scaled by the largest return, so that squares neither overflow nor vanish.
        let mut means = vec![0.0; n];
        for row in history() {
            for j in 0..n {
                means[j] += row[j] / largest[j];
            }
        }
        means.iter_mut().for_each(|mean| *mean /= rows as f64);
        let mut values = Vec::with_capacity(returns.values.len());
        for row in returns.values.chunks_exact(n) {
            values.extend((0..n).map(|j| row[j] / largest[j] - means[j]));
        }
        let mut squares = vec![0.0; n];
        for row in values[cells].chunks_exact(n) {
            for j in 0..n {
                squares[j] += row[j] * row[j];
            }
        }
        let mut volatilities = squares;
        for (j, asset) in returns.assets.iter().enumerate() {
            let volatility = (volatilities[j] / (rows - 1) as f64).sqrt();
            if !(volatility > 0.0 && (volatility * largest[j]).is_normal()) {
                return Err(Error::input(format!(
                    "asset `{asset}` moves too little: its variance cannot be told from zero"
                ))
                .hint(format!("leave `{asset}` out with {}", option("assets"))));
            }
            volatilities[j] = volatility;
        }
        for row in values.chunks_exact_mut(n) {
            for j in 0..n {
                row[j] /= volatilities[j];
            }
        }
        means.iter_mut().zip(&volatilities).for_each(|(mean, volatility)| *mean /= volatility);
        volatilities.iter_mut().zip(largest).for_each(|(volatility, largest)| *volatility *= largest);
        Ok(Panel { rows: returns.rows(), values, volatilities, means })
    }

    /// Of these assets alone.
    #[must_use]
    pub fn select(&self, assets: &[u32]) -> Panel {
        let of = |all: &[f64]| assets.iter().map(|&asset| all[asset as usize]).collect();
        let rows = self.values.chunks_exact(self.assets());
        Panel {
            rows: self.rows,
            values: rows.flat_map(|row| assets.iter().map(|&asset| row[asset as usize])).collect(),
            volatilities: of(&self.volatilities),
            means: of(&self.means),
        }
    }

    /// With the columns of short positions negated: one sign, 1 or -1, for each asset.
    #[must_use]
    pub fn signed(mut self, signs: &[f64]) -> Panel {
        if signs.iter().any(|sign| *sign < 0.0) {
            let values = self.values.chunks_exact_mut(signs.len()).chain([&mut self.means[..]]);
            values.for_each(|row| row.iter_mut().zip(signs).for_each(|(x, sign)| *x *= sign));
        }
        self
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

    /// Means in units of the volatilities: what was taken from the returns.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// What one unit of a standardised return is worth.
    pub fn volatilities(&self) -> &[f64] {
        &self.volatilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel(values: &[f64]) -> Result<Panel> {
        let assets = vec!["A".to_owned(), "B".to_owned()];
        Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values: values.to_vec() })
    }

    #[test]
    fn returns_are_standardised() {
        let panel = panel(&[0.01, -2.0, -0.03, 4.0, 0.05, 1.0]).unwrap();
        assert_eq!((panel.rows(), panel.assets()), (3, 2));
        for (j, volatility) in [0.04, 3.0].into_iter().enumerate() {
            let column: Vec<f64> = panel.values().iter().skip(j).step_by(2).copied().collect();
            let (sum, squares) = column.iter().fold((0.0, 0.0), |(sum, squares), z| (sum + z, squares + z * z));
            // A few roundings of numbers of the order of one.
            assert!(f64::abs(sum) < 1e-15 && f64::abs(squares - 2.0) < 1e-15, "{column:?}");
            assert!((panel.volatilities()[j] / volatility - 1.0).abs() < 1e-15);
        }
    }

    #[test]
    fn what_cannot_be_standardised_is_named() {
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            for at in [1, 3, 5] {
                let mut values = [0.01, 0.02, -0.01, 0.04, 0.03, 7.0];
                values[at] = bad;
                let error = panel(&values).unwrap_err().to_string();
                assert!(error.contains("`B`") && error.contains("not a finite number"), "{error}");
            }
        }
        let error = panel(&[0.01, 0.02, 0.01, 0.03]).unwrap_err().to_string();
        assert!(error.contains("`A` never moves"), "{error}");
        let error = panel(&[1.0, 0.02, 1.0 + 1e-16, 0.03, 1.0 + f64::EPSILON, 0.1]).map(|_| ());
        assert!(error.is_ok(), "the last digit is a move: {error:?}");
        let error = panel(&[1e-320, 0.02, 2e-320, 0.03]).unwrap_err().to_string();
        assert!(error.contains("`A` moves too little"), "{error}");
        assert!(panel(&[0.1, 0.2]).unwrap_err().to_string().contains("at least 2 rows"));
    }
}
