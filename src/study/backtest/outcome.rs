//! What a backtest found, as it is printed and written.

use serde::Serialize;

use super::account::Account;
use super::decide::Decision;
use super::fan::Spread;
use super::figures::{CostFigures, Metrics, MonthReturn, Period, YearReturn};
use super::grid::GridOutcome;
use super::paths::PathsOutcome;
use crate::batch::counts::{RcError, Solves};
use crate::engine::{EngineInfo, Kind, Precision};
use crate::error::Text;
use crate::resample::LAW;
use crate::run::crosscheck::CrossCheck;
use crate::study::estimation::Estimation;
use crate::study::limits::NamedLimits;
use crate::study::statistics::limited::KktError;

/// What the study found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub strategies: Vec<StrategyOutcome>,
    /// Decisions.
    pub rebalances: usize,
    /// What the others are compared with, by name.
    pub benchmark: String,
    pub periods: Vec<Period>,
    pub latest: Latest,
    pub assets: Vec<AssetOutcome>,
    /// Of risk budgeting.
    pub solves: Solves,
    pub rc_error: RcError,
    /// In its place, within limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<KktError>,
    /// Of minimum variance and maximum diversification.
    pub gap: Gap,
    /// Of paths that a device solved; none of a history, which the CPU solves.
    pub crosscheck: Option<CrossCheck>,
    /// Other settings; none where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grid: Option<GridOutcome>,
    /// Weights of risk budgeting at each decision, over resamples of its window; none where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fan: Option<Vec<Spread>>,
    /// The same strategies on other paths; none where they were not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paths: Option<PathsOutcome>,
    pub run: Run,
    /// Labels of the evaluated closes, from that of the first trade on.
    #[serde(skip)]
    pub closes: Vec<String>,
    /// All decisions with their portfolios, and the labels of their rows.
    #[serde(skip)]
    pub decisions: Vec<Decision>,
    #[serde(skip)]
    pub decided: Vec<String>,
    /// What a reader should know of the study.
    #[serde(skip)]
    pub notes: Vec<Text>,
}

/// A strategy, looked back on.
#[derive(Debug, Clone, Serialize)]
pub struct StrategyOutcome {
    pub name: String,
    /// As tables call it.
    pub label: String,
    pub metrics: Metrics,
    /// At other costs of trading; none where assets cost differently.
    pub costs: Vec<CostFigures>,
    /// Basis points at which its growth is that of the benchmark, both paying them.
    pub break_even_bps: Option<f64>,
    pub calendar_years: Vec<YearReturn>,
    /// Decisions without a certified portfolio: what was held stayed.
    pub unsolved: Vec<String>,
    /// The row in which wealth was gone.
    pub ruined: Option<String>,
    /// By calendar month; empty without dates, and where rows are longer.
    #[serde(skip)]
    pub months: Vec<MonthReturn>,
    /// Of the variance, by calendar year; empty without dates.
    #[serde(skip)]
    pub shares_by_year: Vec<YearShares>,
    /// Exposure at each decision; none without a target.
    #[serde(skip)]
    pub scales: Vec<Option<f64>>,
    #[serde(skip)]
    pub account: Account,
}

/// Who bore the risk of a calendar year: one number for each asset, which sum to one.
#[derive(Debug, Clone, PartialEq)]
pub struct YearShares {
    pub year: i16,
    pub shares: Vec<f64>,
}

/// What to hold after the last row.
#[derive(Debug, Clone, Serialize)]
pub struct Latest {
    pub date: String,
    pub strategies: Vec<LatestPortfolio>,
}

#[derive(Debug, Clone, Serialize)]
pub struct LatestPortfolio {
    pub name: String,
    /// Of all assets, before exposure; null where there is no certified portfolio.
    pub weights: Option<Vec<f64>>,
    pub exposure: Option<f64>,
    /// A year, before exposure.
    pub exante_volatility: Option<f64>,
}

/// An asset's life, and its weight in risk budgeting.
#[derive(Debug, Clone, Serialize)]
pub struct AssetOutcome {
    pub name: String,
    /// Labels of its first and last return.
    pub first: String,
    pub last: String,
    /// The first decision at which it is eligible; null for none.
    pub enters: Option<String>,
    /// Its last return, where the history goes on.
    pub leaves: Option<String>,
    /// Over the decisions at which it is eligible; null where risk budgeting is not asked for.
    pub weight: Option<WeightRange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct WeightRange {
    pub mean: f64,
    pub min: f64,
    pub max: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Gap {
    /// Null where no such method is asked for.
    pub max: Option<f64>,
}

/// What was run.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    pub rows: usize,
    pub evaluated_rows: usize,
    pub assets: usize,
    pub first: Option<String>,
    pub first_decision: String,
    pub first_trade: String,
    pub last: String,
    pub years: Option<f64>,
    pub periods_per_year: f64,
    pub lag: usize,
    pub rebalance: String,
    /// Rows of a window; of one that expands, at least.
    pub lookback: usize,
    pub expanding: bool,
    pub overlap: usize,
    pub estimator: Estimation,
    /// Mean return of cash a year over the evaluated rows.
    pub cash: f64,
    pub financing_spread: f64,
    /// Basis points; null where assets cost differently.
    pub cost_bps: Option<f64>,
    pub target_volatility: Option<f64>,
    pub max_leverage: f64,
    /// What weights are within, but for mixes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<NamedLimits>,
    pub seed: Option<u64>,
    pub law: Option<&'static str>,
    pub engine: Kind,
    pub adapter: Option<String>,
    pub driver: Option<String>,
    pub precision: Precision,
    pub tolerance: f64,
}

impl Outcome {
    /// The strategy that a reader asks about: the first that is not the benchmark. None where there is no other.
    pub fn own(&self) -> Option<&StrategyOutcome> {
        self.strategies.iter().find(|own| own.name != self.benchmark)
    }

    pub fn strategy(&self, name: &str) -> Option<&StrategyOutcome> {
        self.strategies.iter().find(|own| own.name == name)
    }
}

impl StrategyOutcome {
    /// Whether it has held more than its wealth.
    pub fn is_levered(&self) -> bool {
        self.metrics.exposure_max.is_some_and(|most| most > 1.0 + 1e-9)
    }
}

impl Run {
    /// With paths, drawn by this seed and solved by this engine.
    #[must_use]
    pub fn drawn(self, seed: u64, info: EngineInfo) -> Run {
        let EngineInfo { engine, adapter, driver, precision, .. } = info;
        Run { seed: Some(seed), law: Some(LAW), engine, adapter, driver, precision, ..self }
    }
}
