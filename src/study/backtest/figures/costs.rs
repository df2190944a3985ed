//! What trading costs leave. Holdings do not depend on them, so that the same rows tell it for any cost per side:
//!
//! ```text
//! 1 + r_t = (1 + g_t) (1 - c u_t - lost_t)      u_t traded, lost_t what delisted assets lost; row 1 pays the build too
//! ```
//!
//! The cost at which a strategy's lead is gone is the smallest root of
//!
//! ```text
//! f(c) = ln W_N(c) - ln W_b,N(c)        f'(c) = sum u_b / (1 - c u_b - lost_b) - sum u / (1 - c u - lost)
//! ```
//!
//! Both sums of f' rise with c, so that their values at the ends of an interval bound f' within it. An interval is
//! halved until f' has one sign in it, or f cannot reach zero: no root is passed over, whatever the shape of f.

use serde::Serialize;

use super::growth::{cagr, compound};
use super::path::performance;
use super::rows::{Market, Track};

/// The costs per side, in hundredths of a percent, that are always shown.
pub const COSTS_BPS: [f64; 4] = [0.0, 5.0, 10.0, 20.0];

const BASIS_POINT: f64 = 1e-4;

/// A cost at which a lead is gone is looked for up to here.
const HIGHEST: f64 = 1000.0 * BASIS_POINT;

/// Returns that differ by less in all rows are the same.
const ROUNDING: f64 = 1e-12;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CostFigures {
    pub bps: f64,
    pub cagr: Option<f64>,
    pub sharpe: Option<f64>,
}

/// Net returns at a uniform cost per side, as a fraction of what is traded. `initial`: whether the build costs as well.
pub fn net_at(track: &Track, cost: f64, initial: bool) -> Vec<f64> {
    let mut ruined = false;
    let rows = track.gross.iter().zip(factors(track, cost, initial));
    rows.map(|(gross, kept)| {
        if ruined {
            return 0.0;
        }
        ruined = *gross <= -1.0 || kept <= 0.0;
        if ruined { -1.0 } else { (1.0 + gross) * kept - 1.0 }
    })
    .collect()
}

/// At each of the costs that are always shown.
pub fn cost_curve(market: &Market, track: &Track, initial: bool) -> Vec<CostFigures> {
    let figures = |bps| {
        let net = net_at(track, bps * BASIS_POINT, initial);
        let growth = (!net.is_empty()).then(|| cagr(1.0 + compound(&net), market.timeline.years)).flatten();
        CostFigures { bps, cagr: growth, sharpe: performance(market, &net).sharpe }
    };
    COSTS_BPS.map(figures).to_vec()
}

/// The smallest cost, in hundredths of a percent, at which both end with the same wealth, both paying it. None where
/// there is none below 1,000, one of them is ruined without costs, or they are the same throughout.
pub fn break_even(track: &Track, benchmark: &Track, initial: bool) -> Option<f64> {
    let ruined = |track| net_at(track, 0.0, initial).contains(&-1.0);
    if ruined(track) || ruined(benchmark) || same(track, benchmark, initial) {
        return None;
    }
    let growth = |track: &Track| track.gross.iter().map(|gross| gross.ln_1p()).sum::<f64>();
    let lead = Lead {
        gross: growth(track) - growth(benchmark),
        own: trades(track, initial),
        benchmark: trades(benchmark, initial),
    };
    // Below the cost that takes all of either.
    let ruinous = lead.own.iter().chain(&lead.benchmark).map(|trade| trade.kept / trade.traded).fold(HIGHEST, f64::min);
    let root = lead.first_root(0.0, ruinous * (1.0 - ROUNDING))?;
    Some(root / BASIS_POINT)
}

/// What each row leaves of wealth after its costs.
fn factors(track: &Track, cost: f64, initial: bool) -> impl Iterator<Item = f64> {
    let lost = track.losses.iter().copied().chain(std::iter::repeat(0.0));
    let build = if initial { 1.0 - cost * track.build.traded } else { 1.0 };
    let builds = std::iter::once(build).chain(std::iter::repeat(1.0));
    track.traded.iter().zip(lost).zip(builds).map(move |((traded, lost), build)| build * (1.0 - cost * traded - lost))
}

/// Whether two strategies have the same returns at any cost.
fn same(track: &Track, benchmark: &Track, initial: bool) -> bool {
    let near = |a: &[f64], b: &[f64]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= ROUNDING);
    let net = |track, cost| net_at(track, cost, initial);
    near(&net(track, 0.0), &net(benchmark, 0.0)) && near(&net(track, HIGHEST), &net(benchmark, HIGHEST))
}

/// A trade leaves `kept` - cost x `traded` of wealth.
#[derive(Debug, Clone, Copy)]
struct Trade {
    traded: f64,
    kept: f64,
}

fn trades(track: &Track, initial: bool) -> Vec<Trade> {
    let lost = track.losses.iter().copied().chain(std::iter::repeat(0.0));
    let build = Trade { traded: if initial { track.build.traded } else { 0.0 }, kept: 1.0 };
    let rows = track.traded.iter().zip(lost).map(|(traded, lost)| Trade { traded: *traded, kept: 1.0 - lost });
    std::iter::once(build).chain(rows).filter(|trade| trade.traded > 0.0 || trade.kept < 1.0).collect()
}

/// f, the logarithm of how much more wealth a strategy ends with.
struct Lead {
    /// Without costs.
    gross: f64,
    own: Vec<Trade>,
    benchmark: Vec<Trade>,
}

impl Lead {
    fn at(&self, cost: f64) -> f64 {
        let kept = |trades: &[Trade]| -> f64 { trades.iter().map(|t| (t.kept - 1.0 - cost * t.traded).ln_1p()).sum() };
        self.gross + kept(&self.own) - kept(&self.benchmark)
    }

    /// The least and the largest f' within an interval.
    fn slopes(&self, low: f64, high: f64) -> [f64; 2] {
        let burden =
            |trades: &[Trade], cost: f64| -> f64 { trades.iter().map(|t| t.traded / (t.kept - cost * t.traded)).sum() };
        [burden(&self.benchmark, low) - burden(&self.own, high), burden(&self.benchmark, high) - burden(&self.own, low)]
    }

    /// The smallest root within an interval.
    fn first_root(&self, low: f64, high: f64) -> Option<f64> {
        let (at_low, at_high) = (self.at(low), self.at(high));
        if at_low == 0.0 {
            return Some(low);
        }
        let [least, largest] = self.slopes(low, high);
        let reach = (high - low) * if at_low > 0.0 { -least } else { largest };
        if reach < at_low.abs() {
            return None;
        }
        let middle = 0.5 * (low + high);
        let is_monotone = least >= 0.0 || largest <= 0.0;
        if is_monotone {
            return (at_low.signum() != at_high.signum() || at_high == 0.0).then(|| self.bisect(low, high));
        }
        // As small as an interval gets: f touches zero here.
        if !(low < middle && middle < high) {
            return Some(low);
        }
        self.first_root(low, middle).or_else(|| self.first_root(middle, high))
    }

    /// The root of an f that rises or falls, to the last bit.
    fn bisect(&self, mut low: f64, mut high: f64) -> f64 {
        let sign = self.at(low).signum();
        loop {
            let middle = 0.5 * (low + high);
            if !(low < middle && middle < high) {
                return high;
            }
            if self.at(middle) * sign > 0.0 { low = middle } else { high = middle }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::{Build, Timeline};
    use super::*;

    fn track(gross: &[f64], traded: &[f64], build: f64) -> Track {
        let build = Build { traded: build, cost: 0.0 };
        Track { gross: gross.to_vec(), traded: traded.to_vec(), build, ..Track::default() }
    }

    #[test]
    fn the_first_row_pays_the_build_unless_it_is_free() {
        let track = track(&[0.1, -0.1], &[0.5, 0.0], 2.0);
        let net = net_at(&track, 0.01, true);
        assert!((net[0] - (0.98 * 1.1 * 0.995 - 1.0)).abs() < 1e-16 && (net[1] + 0.1).abs() < 1e-16);
        assert!((net_at(&track, 0.01, false)[0] - (1.1 * 0.995 - 1.0)).abs() < 1e-16);
    }

    #[test]
    fn what_is_lost_with_an_asset_is_lost_at_any_cost() {
        let track = Track { losses: vec![0.25, 0.0], ..track(&[0.0, 0.0], &[0.5, 0.5], 0.0) };
        assert_eq!(net_at(&track, 0.0, true), [-0.25, 0.0]);
        assert_eq!(net_at(&track, 0.5, true), [-0.5, -0.25]);
    }

    #[test]
    fn a_ruin_is_for_good_whether_of_the_market_or_of_costs() {
        assert_eq!(net_at(&track(&[0.0, -1.5, 0.01], &[0.0; 3], 0.0), 0.0, true), [0.0, -1.0, 0.0]);
        assert_eq!(net_at(&track(&[0.0, 0.0], &[4.0, 0.0], 0.0), 0.25, true), [-1.0, 0.0]);
    }

    #[test]
    fn a_curve_falls_from_what_is_earned_before_costs() {
        let timeline = Timeline::new(vec![String::new(); 3], None, 2.0);
        let market = Market { timeline: &timeline, cash: &[0.0; 2], spread: &[0.0; 2] };
        let curve = cost_curve(&market, &track(&[0.1, 0.2], &[1.0, 0.0], 1.0), true);
        assert_eq!(curve.iter().map(|point| point.bps).collect::<Vec<_>>(), COSTS_BPS);
        for point in curve {
            let kept = 1.0 - point.bps * 1e-4;
            assert!((point.cagr.unwrap() - (1.1 * 1.2 * kept * kept - 1.0)).abs() < 1e-15);
        }
    }

    #[test]
    fn one_trade_more_is_worth_the_lead_it_makes() {
        // 1.01 (1 - c) = 1.
        let found = break_even(&track(&[0.01], &[1.0], 0.0), &track(&[0.0], &[0.0], 0.0), true).unwrap();
        assert!((found * 1e-4 - (1.0 - 1.0 / 1.01)).abs() < 1e-15);
        // Both pay the build; it does not matter to either.
        let found = break_even(&track(&[0.01], &[1.0], 1.0), &track(&[0.0], &[0.0], 1.0), true).unwrap();
        assert!((found * 1e-4 - (1.0 - 1.0 / 1.01)).abs() < 1e-15);
    }

    #[test]
    fn the_smallest_of_two_costs_is_taken() {
        // 1 - 2.1 c + c^2 of the one against e (1 - 2.1 c) of the other: f falls, and rises again.
        let benchmark = |lead: f64| track(&[-lead, 0.0], &[0.0, 2.1], 0.0);
        let own = track(&[0.0, 0.0], &[1.0, 1.25], 0.0);
        let roots = |lead: f64| {
            // (1 - c)(1 - 1.25 c) = (1 - lead)(1 - 2.1 c).
            let (square, linear, constant) = (1.25, -2.25 + 2.1 * (1.0 - lead), lead);
            let half = (linear * linear - 4.0 * square * constant).sqrt();
            [(-linear - half) / (2.0 * square), (-linear + half) / (2.0 * square)]
        };
        for lead in [1e-6, 1e-4, 0.0044] {
            let found = break_even(&own, &benchmark(lead), true).unwrap() * 1e-4;
            let [first, second] = roots(lead);
            assert!(first < second && (found / first - 1.0).abs() < 1e-9, "{found} of {first} and {second}");
        }
        assert_eq!(break_even(&own, &benchmark(0.006), true), None);
    }

    #[test]
    fn there_is_no_cost_where_nothing_differs_or_the_lead_lasts() {
        let (quiet, busy) = (track(&[0.01], &[0.1], 1.0), track(&[0.02], &[0.1], 1.0));
        assert_eq!(break_even(&quiet, &quiet, true), None);
        assert_eq!(break_even(&busy, &quiet, true), None);
        // A lead that is already gone is not found again below nothing.
        assert_eq!(break_even(&quiet, &busy, true), None);
        // 1,000 hundredths of a percent of 0.1 are 1 %.
        assert!(break_even(&track(&[0.0099], &[0.1], 0.0), &track(&[0.0], &[0.0], 0.0), true).is_some());
        assert_eq!(break_even(&track(&[0.0102], &[0.1], 0.0), &track(&[0.0], &[0.0], 0.0), true), None);
        assert_eq!(break_even(&track(&[-1.0], &[0.1], 0.0), &quiet, true), None);
        let lost = Track { losses: vec![1.0], ..track(&[0.0], &[0.1], 0.0) };
        assert_eq!((break_even(&lost, &quiet, true), break_even(&quiet, &lost, true)), (None, None));
    }

    #[test]
    fn a_lead_that_costs_ruin_ends_before_the_ruin() {
        let found = break_even(&track(&[0.5], &[20.0], 0.0), &track(&[0.0], &[0.0], 0.0), true).unwrap();
        assert!((found * 1e-4 - 1.0 / 60.0).abs() < 1e-15);
    }
}
