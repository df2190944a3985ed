//! The figures that resampled paths are compared by, of one strategy on one path. They are made as those of the history
//! are (`metrics`), from the same parts, in room that is used again for the next path.

use serde::Serialize;

use super::attribution::Leverage;
use super::drawdown::Depth;
use super::growth::cagr;
use super::months::{self, monthly};
use super::performance::Performance;
use super::rows::{Market, Track};
use super::tail::cvar95;

/// None where a figure does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PathFigures {
    pub cagr: Option<f64>,
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
    pub sharpe_monthly: Option<f64>,
    pub max_drawdown: Option<f64>,
    pub ulcer_index: Option<f64>,
    pub cvar95: Option<f64>,
    pub turnover: Option<f64>,
    pub exposure_mean: Option<f64>,
    pub volatility_to_target: Option<f64>,
    /// Of leverage with the return of what is levered: a part of the attribution.
    pub covariance: Option<f64>,
}

/// Room for figures in the making.
#[derive(Debug, Clone, Default)]
pub struct Scratch {
    returns: Vec<f64>,
    months: Vec<(f64, f64)>,
    unlevered: Vec<f64>,
}

impl PathFigures {
    /// `target` is the volatility a year that the strategy is levered to.
    pub fn of(market: &Market, track: &Track, target: Option<f64>, scratch: &mut Scratch) -> PathFigures {
        let Market { timeline, cash, .. } = *market;
        let performance = performance(market, &track.net);
        let depth = Depth::of(&track.wealth);
        scratch.months.clear();
        if timeline.has_shorter_rows_than_months() {
            scratch.months.extend(monthly(timeline, &track.net).zip(monthly(timeline, cash)));
        }
        scratch.returns.clone_from(&track.net);
        let leverage = Leverage::of(market, track, &mut scratch.unlevered);
        PathFigures {
            cagr: track.wealth.last().and_then(|wealth| cagr(*wealth, timeline.years)),
            volatility: performance.volatility,
            sharpe: performance.sharpe,
            sharpe_monthly: Performance::of(scratch.months.iter().copied(), months::PER_YEAR).sharpe,
            max_drawdown: depth.map(|depth| depth.max),
            ulcer_index: depth.map(|depth| depth.ulcer),
            cvar95: cvar95(&mut scratch.returns),
            turnover: turnover(market, track),
            exposure_mean: leverage.map(|leverage| leverage.mean),
            volatility_to_target: to_target(performance.volatility, target),
            covariance: leverage.map(|leverage| leverage.covariance),
        }
    }
}

/// Of all rows.
pub fn performance(market: &Market, net: &[f64]) -> Performance {
    Performance::of(net.iter().copied().zip(market.cash.iter().copied()), market.timeline.periods_per_year)
}

/// Half of what was traded after the build, a year: one-way.
pub fn turnover(market: &Market, track: &Track) -> Option<f64> {
    market.timeline.years.map(|years| track.turned_over / years)
}

/// How much of the volatility that was aimed at came about.
pub fn to_target(volatility: Option<f64>, target: Option<f64>) -> Option<f64> {
    volatility.zip(target.filter(|target| *target > 0.0)).map(|(volatility, target)| volatility / target)
}
