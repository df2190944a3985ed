//! Wealth and drawdown of the first of the list beside equal weight of all assets: weights held constant, rebalanced every
//! period, without costs, as in [`path`](super::path).
//!
//! ```text
//! W_t = prod_{s <= t} (1 + r_s)          D_t = W_t / max(1, max_{s <= t} W_s) - 1
//! ```

use super::finalist::{Finalist, path};
use super::path::PathFigures;
use crate::panel::Returns;

/// Places of the list that are followed.
pub const FIRST: usize = 3;

/// Rows kept of a path at most: more than a chart shows.
const MOST_ROWS: usize = 1000;

/// What became of one unit.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub wealth: Vec<f64>,
    /// Zero or below: a share of the highest wealth so far.
    pub drawdown: Vec<f64>,
    /// Of all rows.
    pub figures: PathFigures,
    /// After the last row.
    pub last: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Growth {
    /// Labels of the rows that are kept, or their numbers from 1.
    pub rows: Vec<String>,
    /// Every so many rows are kept, and the last.
    pub every: usize,
    /// The first places, in order.
    pub list: Vec<Line>,
    pub equal_weight: Line,
}

impl Growth {
    /// `returns` are simple ones.
    pub fn of(list: &[Finalist], returns: &Returns, periods_per_year: Option<f64>) -> Growth {
        let rows = returns.rows();
        let every = rows.div_ceil(MOST_ROWS).max(1);
        // Counted from the last, which is kept.
        let kept = |row: usize| (rows - 1 - row).is_multiple_of(every);
        let line = |assets: &[u32], weights: &[f64]| {
            let mut returns = path(returns, assets, weights);
            let (mut wealth, mut highest) = (1.0_f64, 1.0_f64);
            let (mut wealths, mut drawdowns) = (Vec::new(), Vec::new());
            for (row, r) in returns.iter().enumerate() {
                wealth *= 1.0 + r;
                highest = highest.max(wealth);
                if kept(row) {
                    wealths.push(wealth);
                    drawdowns.push(wealth / highest - 1.0);
                }
            }
            let figures = PathFigures::of(&mut returns, periods_per_year);
            Line { wealth: wealths, drawdown: drawdowns, figures, last: wealth }
        };
        let n = returns.assets.len();
        let all: Vec<u32> = (0..n as u32).collect();
        let label = |row: usize| returns.labels.get(row).unwrap_or_else(|| (row + 1).to_string());
        Growth {
            rows: (0..rows).filter(|&row| kept(row)).map(label).collect(),
            every,
            list: list.iter().take(FIRST).map(|found| line(&found.assets, &found.weights)).collect(),
            equal_weight: line(&all, &vec![1.0 / n as f64; n]),
        }
    }
}
