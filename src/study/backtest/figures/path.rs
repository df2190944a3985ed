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

/// One number, or what is made of one, for each figure. A number is none where the figure does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PathFigures<T = Option<f64>> {
    pub cagr: T,
    pub volatility: T,
    pub sharpe: T,
    pub sharpe_monthly: T,
    pub max_drawdown: T,
    pub ulcer_index: T,
    pub cvar95: T,
    pub turnover: T,
    pub exposure_mean: T,
    pub volatility_to_target: T,
    /// Of leverage with the return of what is levered: a part of the attribution.
    pub covariance: T,
}

/// Figures there are.
pub const FIGURES: usize = 11;

impl<T> PathFigures<T> {
    /// In the order of the columns of tables.
    pub const NAMES: [&'static str; FIGURES] = [
        "cagr",
        "volatility",
        "sharpe",
        "sharpe_monthly",
        "max_drawdown",
        "ulcer_index",
        "cvar95",
        "turnover",
        "exposure_mean",
        "volatility_to_target",
        "covariance",
    ];

    pub fn into_array(self) -> [T; FIGURES] {
        [
            self.cagr,
            self.volatility,
            self.sharpe,
            self.sharpe_monthly,
            self.max_drawdown,
            self.ulcer_index,
            self.cvar95,
            self.turnover,
            self.exposure_mean,
            self.volatility_to_target,
            self.covariance,
        ]
    }

    pub fn from_array(array: [T; FIGURES]) -> PathFigures<T> {
        let [
            cagr,
            volatility,
            sharpe,
            sharpe_monthly,
            max_drawdown,
            ulcer_index,
            cvar95,
            turnover,
            exposure_mean,
            volatility_to_target,
            covariance,
        ] = array;
        PathFigures {
            cagr,
            volatility,
            sharpe,
            sharpe_monthly,
            max_drawdown,
            ulcer_index,
            cvar95,
            turnover,
            exposure_mean,
            volatility_to_target,
            covariance,
        }
    }
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
