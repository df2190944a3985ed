//! The tables of a backtest that are no texts: portfolios, what was held, and wealth.

use std::path::Path;

use super::fan::{OfAsset, Spread};
use super::figures::{FIGURES, PathFigures};
use super::outcome::Outcome;
use super::paths::PathsOutcome;
use super::plan::Plan;
use crate::error::Result;
use crate::store::table::{self, Cells};

/// Target weights of each strategy at each decision, before exposure.
pub const WEIGHTS: &str = "weights.parquet";
/// What each strategy holds after each trade.
pub const HOLDINGS: &str = "holdings.parquet";
/// Each strategy row by row.
pub const WEALTH: &str = "wealth.parquet";

/// The figures of each strategy on each path.
pub const PATHS: &str = "paths.parquet";

/// The weights of risk budgeting over resamples of each window.
pub const FAN: &str = "fan.parquet";
/// Its columns of numbers, the last ones.
pub const FAN_NUMBERS: usize = 5;

/// The one setting of a study without a grid.
const SETTING: u64 = 0;

/// Row after row of numbers as columns.
fn columns(rows: &[&[f64]], assets: usize) -> Vec<Vec<f64>> {
    (0..assets).map(|asset| rows.iter().map(|row| row[asset]).collect()).collect()
}

/// # Errors
/// The file cannot be written.
pub fn write_weights(plan: &Plan, outcome: &Outcome, directory: &Path) -> Result<()> {
    let (market, scaling) = (&plan.market, plan.scaling());
    let missing = vec![f64::NAN; market.assets()];
    let number = |x: Option<f64>| x.unwrap_or(f64::NAN);
    let all: Vec<(usize, &super::Decision)> = (0..plan.strategies.len())
        .flat_map(|strategy| outcome.decisions.iter().map(move |decision| (strategy, decision)))
        .collect();
    let portfolio = |(strategy, decision): &(usize, &super::Decision)| decision.portfolios[*strategy].clone();
    let portfolios: Vec<super::Portfolio> = all.iter().map(portfolio).collect();
    let weights: Vec<&[f64]> = portfolios.iter().map(|own| own.weights.as_deref().unwrap_or(&missing)).collect();
    let labels = &market.returns.labels;
    let exposure = outcome.strategies.iter().flat_map(|own| own.scales.iter().map(|scale| number(*scale)));
    let traded = |row: usize| Some(row + plan.config.lag).filter(|row| *row < market.rows());
    let columns = vec![
        ("setting", Cells::Whole(vec![SETTING; all.len()])),
        (
            "strategy",
            Cells::Text(all.iter().map(|(strategy, _)| plan.strategies.get(*strategy).name.clone()).collect()),
        ),
        ("decided", Cells::labels(labels, all.iter().map(|(_, decision)| Some(decision.window.row)))),
        ("traded", Cells::labels(labels, all.iter().map(|(_, decision)| traded(decision.window.row)))),
        ("status", Cells::Text(portfolios.iter().map(|own| own.status.name().to_string()).collect())),
        ("rc_error", Cells::Numbers(portfolios.iter().map(|own| number(own.error)).collect())),
        ("exante_volatility", Cells::Numbers(portfolios.iter().map(|own| number(scaling.annual(own))).collect())),
        ("exposure", Cells::Numbers(exposure.collect())),
    ];
    let of_assets = self::columns(&weights, market.assets());
    table::write(&directory.join(WEIGHTS), columns, &market.returns.assets, of_assets)
}

/// # Errors
/// The file cannot be written.
pub fn write_holdings(plan: &Plan, outcome: &Outcome, directory: &Path) -> Result<()> {
    let market = &plan.market;
    let all: Vec<(&str, &super::account::Trade)> = outcome
        .strategies
        .iter()
        .flat_map(|own| own.account.trades.iter().map(|trade| (own.name.as_str(), trade)))
        .collect();
    let rows: Vec<&[f64]> = all.iter().map(|(_, trade)| trade.holdings.as_slice()).collect();
    let columns = vec![
        ("strategy", Cells::Text(all.iter().map(|(name, _)| (*name).to_string()).collect())),
        ("date", Cells::labels(&market.returns.labels, all.iter().map(|(_, trade)| Some(trade.row)))),
        ("traded", Cells::Numbers(all.iter().map(|(_, trade)| trade.traded).collect())),
        ("cost", Cells::Numbers(all.iter().map(|(_, trade)| trade.cost).collect())),
        ("cash", Cells::Numbers(all.iter().map(|(_, trade)| trade.cash).collect())),
    ];
    let of_assets = self::columns(&rows, market.assets());
    table::write(&directory.join(HOLDINGS), columns, &market.returns.assets, of_assets)
}

/// # Errors
/// The file cannot be written.
pub fn write_wealth(plan: &Plan, outcome: &Outcome, directory: &Path) -> Result<()> {
    let market = &plan.market;
    let rows = plan.start + 1..market.rows();
    let of_each = |of: &dyn Fn(&super::figures::Track) -> &[f64]| {
        Cells::Numbers(outcome.strategies.iter().flat_map(|own| of(&own.account.track).iter().copied()).collect())
    };
    let again = || outcome.strategies.iter().flat_map(|_| rows.clone());
    let name = |own: &super::outcome::StrategyOutcome| rows.clone().map(|_| own.name.clone()).collect::<Vec<_>>();
    let columns = vec![
        ("date", Cells::labels(&market.returns.labels, again().map(Some))),
        ("strategy", Cells::Text(outcome.strategies.iter().flat_map(name).collect())),
        ("net", of_each(&|track| &track.net)),
        ("gross", of_each(&|track| &track.gross)),
        ("cost", of_each(&|track| &track.cost)),
        ("exposure", of_each(&|track| &track.exposure)),
        ("cash_rate", Cells::Numbers(again().map(|row| market.cash[row]).collect())),
        ("wealth", of_each(&|track| &track.wealth)),
    ];
    table::write(&directory.join(WEALTH), columns, &[], Vec::new())
}

/// # Errors
/// The file cannot be written.
pub fn write_paths(paths: &PathsOutcome, directory: &Path) -> Result<()> {
    let strategies = paths.strategies.len();
    let rows = paths.count as usize * strategies;
    let figure = |at: usize| Cells::Numbers(paths.figures.iter().skip(at).step_by(FIGURES).copied().collect());
    let mut columns = vec![
        ("path", Cells::Whole((0..rows as u64).map(|row| row / strategies as u64).collect())),
        ("strategy", Cells::Text((0..rows).map(|row| paths.strategies[row % strategies].name.clone()).collect())),
    ];
    columns.extend(PathFigures::<f64>::NAMES.into_iter().enumerate().map(|(at, name)| (name, figure(at))));
    table::write(&directory.join(PATHS), columns, &[], Vec::new())
}

/// # Errors
/// The file cannot be written.
pub fn write_fan(plan: &Plan, fan: &[Spread], directory: &Path) -> Result<()> {
    let assets = || fan.iter().flat_map(|spread| &spread.assets);
    let numbers =
        |of: fn(&OfAsset) -> Option<f64>| Cells::Numbers(assets().map(|own| of(own).unwrap_or(f64::NAN)).collect());
    let decided = plan.windows.iter().flat_map(|window| vec![Some(window.row); plan.market.assets()]);
    let columns = vec![
        ("decided", Cells::labels(&plan.market.returns.labels, decided)),
        ("asset", Cells::Text(assets().map(|own| own.name.clone()).collect())),
        ("weight", numbers(|own| own.weight)),
        ("q05", numbers(|own| own.q05)),
        ("q50", numbers(|own| own.q50)),
        ("q95", numbers(|own| own.q95)),
        ("same_direction", numbers(|own| own.same_direction)),
    ];
    table::write(&directory.join(FAN), columns, &[], Vec::new())
}
