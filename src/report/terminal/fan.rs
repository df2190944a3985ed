//! How sure the decisions of a backtest are, below its table.

use super::view::View;
use crate::methods::Method;
use crate::report::words::{counted, maybe_percent, percent};
use crate::stats;
use crate::study::backtest::Outcome;
use crate::study::backtest::fan::{OfAsset, Spread};

/// Trades that half of the resamples or more would have made the other way are hardly better than chance.
const HARDLY_SURE: f64 = 0.75;

pub fn fan(outcome: &Outcome, found: &[Spread], view: View) -> String {
    let assets = || found.iter().flat_map(|spread| &spread.assets);
    let width = |own: &OfAsset| Some((own.q95? - own.q05?) / own.weight.filter(|weight| *weight > 0.0)?);
    let widths: Vec<f64> = assets().filter_map(width).collect();
    // The first build has but one direction.
    let ways: Vec<f64> =
        found.iter().skip(1).flat_map(|spread| &spread.assets).filter_map(|own| own.same_direction).collect();
    let resamples = found.iter().map(|spread| spread.converged).max().unwrap_or(0);
    let mut lines = Vec::new();
    if !widths.is_empty() {
        lines.push(format!(
            "Over {} of each window: the 90 % band of a weight is {} of the weight wide at the median",
            counted(resamples, "resample"),
            percent(stats::median(&widths), 0),
        ));
    }
    if !ways.is_empty() {
        let unsure = ways.iter().filter(|share| **share < HARDLY_SURE).count() as f64 / ways.len() as f64;
        lines.push(format!(
            "{} of the trades of risk budgeting after the first would have gone the other way in a quarter of the resamples or \
             more",
            percent(unsure, 0),
        ));
    }
    let own = outcome.strategy(Method::RiskBudgeting.name());
    if let Some(own) = own.filter(|_| !lines.is_empty()) {
        lines.push(format!("turnover {} a year", maybe_percent(own.metrics.turnover, 0)));
    }
    match lines.is_empty() {
        true => String::new(),
        false => view.wrapped(&lines.join("; ")) + "\n",
    }
}
