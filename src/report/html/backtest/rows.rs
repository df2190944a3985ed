//! What charts over time share: the closes that are drawn, and how strategies are told apart.

use plotly::common::Line;

use super::{benchmark, own};
use crate::report::html::chart::{BLUE, GREEN, GREY, ORANGE, PURPLE, RED};
use crate::report::html::text::label;
use crate::report::words::grouped;
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::deepest;
use crate::study::backtest::outcome::StrategyOutcome;

/// Closes of a chart at most, beside those at which wealth is lowest: more are not told apart.
const MOST: usize = 1500;

/// Rows of the accounts that are drawn, in order.
pub struct Drawn {
    pub rows: Vec<usize>,
    /// Labels of their closes.
    pub labels: Vec<String>,
    every: usize,
}

impl Drawn {
    pub fn of(outcome: &Outcome) -> Drawn {
        let count = outcome.run.evaluated_rows;
        let every = count.div_ceil(MOST).max(1);
        let mut rows: Vec<usize> = (0..count).filter(|row| (row + 1) % every == 0 || row + 1 == count).collect();
        if every > 1 {
            rows.extend(outcome.strategies.iter().filter_map(lowest));
            rows.sort_unstable();
            rows.dedup();
        }
        let labels = rows.iter().map(|row| label(&outcome.closes[row + 1])).collect();
        Drawn { rows, labels, every }
    }

    /// What a caption says where not all are drawn.
    pub fn note(&self) -> String {
        match self.every {
            1 => String::new(),
            every => format!(
                " Every {} rows are drawn, and the lowest points; the numbers are of all.",
                grouped(every as u64)
            ),
        }
    }

    pub fn pick(&self, values: impl Fn(usize) -> f64) -> Vec<f64> {
        self.rows.iter().map(|&row| values(row)).collect()
    }
}

/// The row after which a strategy is furthest below its highest.
fn lowest(own: &StrategyOutcome) -> Option<usize> {
    deepest(&own.account.track.wealth, 1).first().map(|fall| fall.trough - 1)
}

/// 1 - W / max W, row by row.
pub fn drawdowns(wealth: &[f64]) -> Vec<f64> {
    let fallen = |high: &mut f64, wealth: &f64| {
        *high = high.max(*wealth);
        Some(1.0 - wealth / *high)
    };
    wealth.iter().scan(1.0, fallen).collect()
}

const OTHERS: [&str; 4] = [GREEN, PURPLE, RED, GREY];

/// The colour of a strategy: that which the page is about, and the benchmark, have their own.
pub fn colour(outcome: &Outcome, strategy: &StrategyOutcome) -> &'static str {
    if strategy.name == own(outcome).name {
        return BLUE;
    }
    if strategy.name == benchmark(outcome).name {
        return ORANGE;
    }
    let others = outcome
        .strategies
        .iter()
        .filter(|other| other.name != own(outcome).name && other.name != benchmark(outcome).name);
    let place = others.map(|other| &other.name).position(|name| *name == strategy.name).unwrap_or_default();
    OTHERS[place % OTHERS.len()]
}

/// Thick for what the page compares, thin for all else.
pub fn stroke(outcome: &Outcome, strategy: &StrategyOutcome) -> Line {
    let matters = strategy.name == own(outcome).name || strategy.name == benchmark(outcome).name;
    Line::new().color(colour(outcome, strategy)).width(if matters { 2.0 } else { 1.0 })
}
