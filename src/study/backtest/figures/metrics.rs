//! All figures of one strategy over the evaluated rows.

use serde::Serialize;

use super::attribution::{Attribution, Leverage};
use super::drawdown::{self, Depth};
use super::growth::cagr;
use super::months::{self, monthly};
use super::path::{performance, to_target, turnover};
use super::performance::Performance;
use super::ratio::ratio;
use super::relative::Relative;
use super::risk_shares::{risk_share_error, risk_shares};
use super::rows::{Market, Track};
use super::shape::Shape;
use super::tail::{TAIL, cvar95};
use crate::stats;

/// Of net returns r, cash y and the excess x = r - y; A periods and Y years. Null where a figure does not exist.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// W_N - 1.
    pub total_return: Option<f64>,
    /// W_N^(1 / Y) - 1.
    pub cagr: Option<f64>,
    /// A mean r.
    pub mean: Option<f64>,
    /// sqrt(A) sd(r).
    pub volatility: Option<f64>,
    /// sqrt(A) mean x / sd(x).
    pub sharpe: Option<f64>,
    /// As `volatility` and `sharpe`, of calendar months; null where rows are not shorter.
    pub volatility_monthly: Option<f64>,
    pub sharpe_monthly: Option<f64>,
    /// Lag 1 of r.
    pub autocorrelation: Option<f64>,
    /// sqrt(A) mean x / sqrt(mean min(x, 0)^2).
    pub sortino: Option<f64>,
    /// A positive share of wealth.
    pub max_drawdown: Option<f64>,
    /// Null where wealth never fell.
    pub drawdown: Option<Drawdown>,
    /// cagr / max_drawdown.
    pub calmar: Option<f64>,
    pub ulcer_index: Option<f64>,
    /// Minus the mean of the worst 5 % of r, per row.
    pub cvar95: Option<f64>,
    /// Minus the 5 % quantile of r, per row.
    pub var95: Option<f64>,
    pub skewness: Option<f64>,
    pub excess_kurtosis: Option<f64>,
    /// Share of rows with r > 0.
    pub hit_rate: Option<f64>,
    pub hit_rate_monthly: Option<f64>,
    pub best_month: Option<f64>,
    pub worst_month: Option<f64>,
    /// One-way, a year, the build excluded.
    pub turnover: Option<f64>,
    /// The build included.
    pub trades: usize,
    /// At the start of each row.
    pub exposure_mean: Option<f64>,
    pub exposure_max: Option<f64>,
    /// Null for a strategy without a target.
    pub volatility_to_target: Option<f64>,
    /// Realised, one for each asset; they sum to 1.
    pub risk_shares: Option<Vec<f64>>,
    /// Null for a strategy without budgets.
    pub risk_share_error: Option<f64>,
    /// Null for the benchmark itself.
    #[serde(flatten)]
    pub relative: Relative,
    pub attribution: Option<Attribution>,
}

/// Labels of the closes of the deepest fall.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Drawdown {
    pub peak: String,
    pub trough: String,
    /// The first close as high as the peak; null where there is none yet.
    pub recovery: Option<String>,
}

impl Metrics {
    /// `benchmark` is none for the benchmark itself; `target` is the volatility a year that the strategy is levered to.
    pub fn of(market: &Market, track: &Track, benchmark: Option<&Track>, target: Option<f64>) -> Metrics {
        let Market { timeline, cash, .. } = *market;
        let (net, wealth) = (&track.net, track.wealth.last().copied());
        let rows = performance(market, net);
        let months: Vec<f64> = monthly(timeline, net).collect();
        let by_month = Performance::of(months.iter().copied().zip(monthly(timeline, cash)), months::PER_YEAR);
        let by_month = timeline.has_shorter_rows_than_months().then_some(by_month);
        let (shape, depth) = (Shape::of(net), Depth::of(&track.wealth));
        let cagr = wealth.and_then(|wealth| cagr(wealth, timeline.years));
        let mut sorted = net.clone();
        stats::sort(&mut sorted);
        let leverage = Leverage::of(market, track, &mut Vec::new());
        let risk_shares = risk_shares(track);
        Metrics {
            total_return: wealth.map(|wealth| wealth - 1.0),
            cagr,
            mean: rows.mean,
            volatility: rows.volatility,
            sharpe: rows.sharpe,
            volatility_monthly: by_month.and_then(|months| months.volatility),
            sharpe_monthly: by_month.and_then(|months| months.sharpe),
            autocorrelation: shape.map(|shape| shape.autocorrelation),
            sortino: sortino(market, net, rows.excess),
            max_drawdown: depth.map(|depth| depth.max),
            drawdown: Drawdown::deepest(market, track),
            calmar: cagr.zip(depth).and_then(|(cagr, depth)| ratio(cagr, depth.max)),
            ulcer_index: depth.map(|depth| depth.ulcer),
            cvar95: cvar95(&mut sorted.clone()),
            var95: Some(-stats::quantile(&sorted, TAIL)).filter(|quantile| quantile.is_finite()),
            skewness: shape.map(|shape| shape.skewness),
            excess_kurtosis: shape.map(|shape| shape.kurtosis - 3.0),
            hit_rate: hit_rate(net),
            hit_rate_monthly: hit_rate(&months),
            best_month: months.iter().copied().max_by(f64::total_cmp),
            worst_month: months.iter().copied().min_by(f64::total_cmp),
            turnover: turnover(market, track),
            trades: track.trades,
            exposure_mean: leverage.map(|leverage| leverage.mean),
            exposure_max: track.exposure.iter().copied().max_by(f64::total_cmp),
            volatility_to_target: to_target(rows.volatility, target),
            risk_share_error: risk_shares.as_ref().and_then(|shares| risk_share_error(shares, &track.budgets)),
            risk_shares,
            relative: benchmark.map(|benchmark| Relative::of(market, net, &benchmark.net)).unwrap_or_default(),
            attribution: leverage.map(|leverage| Attribution::of(market, track, leverage)),
        }
    }
}

impl Drawdown {
    fn deepest(market: &Market, track: &Track) -> Option<Drawdown> {
        let label = |close| market.timeline.label(close);
        let fall = *drawdown::deepest(&track.wealth, 1).first()?;
        Some(Drawdown { peak: label(fall.peak), trough: label(fall.trough), recovery: fall.recovery.map(label) })
    }
}

/// Against the quadratic mean of what lies below cash, over all rows (Sortino & Price 1994); `excess` is A mean x.
fn sortino(market: &Market, net: &[f64], excess: Option<f64>) -> Option<f64> {
    let below = net.iter().zip(market.cash).map(|(r, y)| (r - y).min(0.0).powi(2)).sum::<f64>();
    let deviation = (below / net.len() as f64).sqrt();
    excess.and_then(|excess| ratio(excess / market.timeline.periods_per_year.sqrt(), deviation))
}

/// Share of what is above zero.
fn hit_rate(returns: &[f64]) -> Option<f64> {
    let hits = returns.iter().filter(|r| **r > 0.0).count();
    (!returns.is_empty()).then(|| hits as f64 / returns.len() as f64)
}
