//! How a strategy is run: calendar, windows, exposure, costs. What is the same for all strategies of a study.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::calendar::Rebalance;

/// What changes for the user, beside the estimator, the strategies and the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// A.
    pub periods_per_year: f64,
    pub rebalance: Rebalance,
    /// Rows from a decision to its trade.
    pub lag: usize,
    pub lookback: Lookback,
    /// Windows are of sums of so many neighbouring rows, over the root of their number: for markets that close at different
    /// hours.
    pub overlap: usize,
    pub exposure: Exposure,
    pub costs: Costs,
    pub trading: Trading,
    /// Spans of the calendar that are looked at by themselves.
    pub periods: Vec<Named>,
}

impl Config {
    /// Whether it can be meant for so many assets.
    pub fn is_sound(&self, assets: usize) -> bool {
        let positive = |x: &f64| *x > 0.0 && x.is_finite();
        let from_zero = |x: &f64| *x >= 0.0 && x.is_finite();
        let Config { periods_per_year, lookback, overlap, exposure, costs, trading, .. } = self;
        let leverage = match &exposure.leverage {
            Leverage::Constant(x) | Leverage::Volatility(x) => positive(x),
            Leverage::Match(_) => true,
        };
        let seen = lookback.seen(*overlap);
        positive(periods_per_year)
            && lookback.least() >= 2
            && (1..lookback.least()).contains(overlap)
            && leverage
            && positive(&exposure.most)
            && exposure.regime.is_none_or(|own| (2..=seen).contains(&own.rows) && (0.0..=1.0).contains(&own.floor))
            && costs.rates.len() == assets
            && costs.rates.iter().all(from_zero)
            && from_zero(&costs.spread)
            && trading.band.is_none_or(|band| from_zero(&band))
            && trading.no_trade.is_none_or(|region| from_zero(&region))
            && trading.delisting_return.is_none_or(|lost| (-1.0..=0.0).contains(&lost))
    }
}

/// Rows that a covariance is estimated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lookback {
    /// The last so many.
    Rolling(usize),
    /// All, of assets that have at least so many.
    Expanding(usize),
}

impl Lookback {
    /// Rows that an asset must have.
    pub fn least(self) -> usize {
        match self {
            Lookback::Rolling(rows) | Lookback::Expanding(rows) => rows,
        }
    }

    /// Rows of the history that go into the shortest window, of rows that overlap by so many.
    pub fn seen(self, overlap: usize) -> usize {
        self.least().saturating_add(overlap.saturating_sub(1))
    }
}

/// Holdings are weights times an exposure, which is one where nothing is said.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    pub leverage: Leverage,
    /// Exposure to a volatility is at most this.
    pub most: f64,
    /// The strategies it applies to, by name; null for all but fixed mixes.
    pub applies_to: Option<Vec<String>>,
    pub regime: Option<Regime>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Leverage {
    /// The same at every decision.
    Constant(f64),
    /// To this annual volatility under the covariance of the window.
    Volatility(f64),
    /// To the volatility of this strategy on the same window.
    Match(String),
}

impl Leverage {
    /// The annual volatility that is aimed at, where it is a number.
    pub fn target(&self) -> Option<f64> {
        match self {
            Leverage::Volatility(target) => Some(*target),
            Leverage::Constant(_) | Leverage::Match(_) => None,
        }
    }

    /// Whether exposure depends on the covariance.
    pub fn varies(&self) -> bool {
        !matches!(self, Leverage::Constant(_))
    }
}

/// Less exposure while the last rows are wilder than the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Regime {
    pub rows: usize,
    /// Of the exposure, at least this part stays.
    pub floor: f64,
}

/// What trading and borrowing cost.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Costs {
    /// Per unit of traded notional, one for each asset, each way.
    pub rates: Vec<f64>,
    /// Whether the first build is paid.
    pub initial: bool,
    /// Over cash, a year, on what is borrowed.
    pub spread: f64,
}

impl Costs {
    /// The one rate of all assets; none where they differ.
    pub fn uniform(&self) -> Option<f64> {
        let first = *self.rates.first()?;
        self.rates.iter().all(|rate| *rate == first).then_some(first)
    }
}

/// When a trade is made, and what is lost where an asset ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trading {
    /// Only where some holding is further from its target than this.
    pub band: Option<f64>,
    /// Only the holdings that are further from their targets than this.
    pub no_trade: Option<f64>,
    /// The return of an asset when it ends, where it is not sold at its last price.
    pub delisting_return: Option<f64>,
}

/// Days of the calendar, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    pub from: Date,
    pub to: Date,
}

/// Spans of one name are looked at together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Named {
    pub name: String,
    pub spans: Vec<Span>,
}
