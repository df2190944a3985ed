//! Which assets a decision is about, and the rows their covariance is estimated from.
//!
//! An asset lives from its first to its last return. It is eligible at a decision if it has a risk budget, a return in every
//! row of the window, and moves there: it enters with a full window, never by padding. With rows that overlap, row t of the
//! window is
//!
//! ```text
//! Z_t = (r_t + .. + r_{t-K+1}) / sqrt(K)
//! ```

use std::ops::Range;

use super::config::Lookback;
use super::market::Market;
use crate::panel::{Labels, Returns};

/// What a decision looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// The decision.
    pub row: usize,
    /// Eligible, in ascending order.
    pub assets: Vec<usize>,
    /// Rows of Z.
    pub rows: Range<usize>,
}

/// Finds the windows of a history.
#[derive(Debug)]
pub struct Windows<'a> {
    lives: &'a [Range<usize>],
    /// The first row of the run of equal returns that ends at each row, rows x assets.
    still: Vec<u32>,
    budgeted: Vec<bool>,
    lookback: Lookback,
    overlap: usize,
}

impl<'a> Windows<'a> {
    pub fn new(market: &'a Market, budgets: &[f64], lookback: Lookback, overlap: usize) -> Windows<'a> {
        let (n, values) = (market.assets(), &market.returns.values);
        let mut still = vec![0; values.len()];
        for at in 0..values.len() {
            let stands = at >= n && values[at] == values[at - n];
            still[at] = if stands { still[at - n] } else { (at / n) as u32 };
        }
        let budgeted = budgets.iter().map(|budget| *budget > 0.0).collect();
        Windows { lives: &market.lives, still, budgeted, lookback, overlap }
    }

    /// The first row of Z of an asset.
    fn first(&self, asset: usize) -> usize {
        self.lives[asset].start.saturating_add(self.overlap - 1)
    }

    /// The first row at which an asset may be eligible.
    fn ready(&self, asset: usize) -> Option<usize> {
        let ready = self.first(asset).checked_add(self.lookback.least() - 1)?;
        self.lives[asset].contains(&ready).then_some(ready)
    }

    /// The first of so many rows at which each asset is eligible; none of those that never are.
    pub fn entries(&self, rows: usize) -> Vec<Option<usize>> {
        let mut entries = vec![None; self.lives.len()];
        for row in 0..rows {
            for asset in self.at(row).assets {
                entries[asset] = entries[asset].or(Some(row));
            }
        }
        entries
    }

    /// What a decision at the close of this row looks at.
    pub fn at(&self, row: usize) -> Window {
        let grown = |asset: usize| {
            self.budgeted[asset]
                && self.lives[asset].contains(&row)
                && self.ready(asset).is_some_and(|ready| ready <= row)
        };
        let mut assets: Vec<usize> = (0..self.lives.len()).filter(|&asset| grown(asset)).collect();
        loop {
            let start = match self.lookback {
                Lookback::Rolling(rows) => (row + 1).saturating_sub(rows),
                Lookback::Expanding(_) => assets.iter().map(|&asset| self.first(asset)).max().unwrap_or(row),
            };
            // Without those that stand still an expanding window may begin earlier.
            let before = assets.len();
            let n = self.lives.len();
            let first = start + 1 - self.overlap.min(start + 1);
            assets.retain(|&asset| self.still[row * n + asset] as usize > first);
            if assets.len() == before || matches!(self.lookback, Lookback::Rolling(_)) {
                return Window { row, assets, rows: start..row + 1 };
            }
        }
    }
}

/// Rows `rows` of Z of these assets, all of which have returns there.
pub fn overlapped(returns: &Returns, assets: &[usize], rows: Range<usize>, overlap: usize) -> Returns {
    let n = returns.assets.len();
    let scale = 1.0 / (overlap as f64).sqrt();
    let sum = |row: usize, asset: usize| {
        (row + 1 - overlap..=row).map(|at| returns.values[at * n + asset]).sum::<f64>() * scale
    };
    let value = |row: usize, asset: usize| match overlap {
        1 => returns.values[row * n + asset],
        _ => sum(row, asset),
    };
    Returns {
        assets: assets.iter().map(|&asset| returns.assets[asset].clone()).collect(),
        labels: Labels::Text(Vec::new()),
        values: rows.flat_map(|row| assets.iter().map(move |&asset| value(row, asset))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A has all rows, B starts at row 3, C ends at row 6 and stands still from row 2 on.
    fn history() -> Returns {
        let nan = f64::NAN;
        let cell = |row: usize| {
            let x = 0.01 * (row as f64 + 1.0) * if row.is_multiple_of(2) { 1.0 } else { -1.0 };
            [
                x,
                if row < 3 { nan } else { x * x },
                if row > 6 { nan } else { x.max(0.0).min(0.03 - 0.01 * row.min(3) as f64) },
            ]
        };
        Returns {
            assets: ["A", "B", "C"].map(String::from).to_vec(),
            labels: Labels::Text(Vec::new()),
            values: (0..10).flat_map(cell).collect(),
        }
    }

    fn market() -> Market {
        Market::new(history(), vec![0.0; 10], 4.0)
    }

    #[test]
    fn an_asset_enters_with_a_full_window_and_leaves_with_its_last_return() {
        let market = market();
        let windows = Windows::new(&market, &[1.0; 3], Lookback::Rolling(3), 1);
        assert_eq!(market.lives, [0..10, 3..10, 0..7]);
        assert_eq!(windows.at(1).assets, [0; 0], "two rows are no window of three");
        assert_eq!(windows.at(2), Window { row: 2, assets: vec![0, 2], rows: 0..3 });
        assert_eq!(windows.at(4).assets, [0, 2], "B has two rows");
        assert_eq!(windows.at(5).assets, [0, 1], "C stands still");
        assert_eq!(windows.at(9).assets, [0, 1]);
        assert_eq!([0, 1, 2].map(|asset| windows.ready(asset)), [Some(2), Some(5), Some(2)]);
        // No budget, no part.
        let windows = Windows::new(&market, &[1.0, 0.0, 1.0], Lookback::Rolling(3), 1);
        assert_eq!(windows.at(9).assets, [0]);
        // A window of two-row sums takes a row more.
        let windows = Windows::new(&market, &[1.0; 3], Lookback::Rolling(3), 2);
        assert_eq!(windows.at(2).assets, [0; 0]);
        assert_eq!(windows.at(3), Window { row: 3, assets: vec![0, 2], rows: 1..4 });
        assert_eq!(windows.at(6).assets, [0, 1]);
    }

    #[test]
    fn an_expanding_window_begins_with_its_youngest_asset() {
        let market = market();
        let windows = Windows::new(&market, &[1.0; 3], Lookback::Expanding(3), 1);
        assert_eq!(windows.at(4), Window { row: 4, assets: vec![0, 2], rows: 0..5 });
        assert_eq!(windows.at(9), Window { row: 9, assets: vec![0, 1], rows: 3..10 });
    }

    #[test]
    fn overlapping_rows_are_sums_over_the_root_of_their_number() {
        let z = overlapped(&history(), &[0, 1], 5..7, 2);
        let x = [0.05, -0.06, 0.07];
        let root = 2.0_f64.sqrt();
        let sums = [x[0] + x[1], x[0] * x[0] + x[1] * x[1], x[1] + x[2], x[1] * x[1] + x[2] * x[2]];
        assert!(z.values.iter().zip(sums).all(|(z, sum)| (z - sum / root).abs() < 1e-16));
        assert_eq!(overlapped(&history(), &[0], 4..5, 1).values, [0.05]);
    }
}
