//! The worked example of the specification, section 7: three assets, six rows without dates, four periods a year.
//!
//! ```text
//! row    1    2    3     4    5    6      the first decision is traded at the close of row 4, the second at that of 6
//! A %    3   -1    1    -1    0    2
//! B %    2    1    0  -0.5   -1    1        cash 1 %, spread 0.5 % a row; 10 hundredths of a percent per side
//! C %    1    2    0     2   -2    3
//! ```

use super::*;

const ROW_5: [f64; 3] = [0.0, -0.01, -0.02];
const ROW_6: [f64; 3] = [0.02, 0.01, 0.03];
const CASH: [f64; 2] = [0.01, 0.01];
const SPREAD: [f64; 2] = [0.005, 0.005];
const COST: f64 = 10e-4;

/// The account of the specification: holdings of the first trade, held over row 5, drifted over row 6, and traded to
/// those of the second at its close.
fn account(first: [f64; 3], second: [f64; 3]) -> Track {
    let traded = |from: [f64; 3], to: [f64; 3]| (0..3).map(|i| (to[i] - from[i]).abs()).sum::<f64>();
    let built = traded([0.0; 3], first);
    let mut track =
        Track { build: Build { traded: built, cost: COST * built }, assets: 3, trades: 2, ..Track::default() };
    let (mut held, mut wealth, mut kept) = (first, 1.0, 1.0 - track.build.cost);
    for (t, returns) in [ROW_5, ROW_6].into_iter().enumerate() {
        let exposure: f64 = held.iter().sum();
        let cash = 1.0 - exposure;
        let rate = if cash >= 0.0 { CASH[t] } else { CASH[t] + SPREAD[t] };
        let contributions: Vec<f64> = (0..3).map(|i| held[i] * returns[i]).collect();
        let earned: f64 = contributions.iter().sum();
        let gross = earned + cash * rate;
        held = std::array::from_fn(|i| held[i] * (1.0 + returns[i]) / (1.0 + gross));
        let notional = if t == 1 { traded(held, second) } else { 0.0 };
        kept *= 1.0 - COST * notional;
        let net = (1.0 + gross) * kept - 1.0;
        wealth *= 1.0 + net;
        kept = 1.0;
        track.net.push(net);
        track.gross.push(gross);
        track.traded.push(notional);
        track.turned_over += 0.5 * notional;
        track.cost.push(COST * notional);
        track.exposure.push(exposure);
        track.earned.push(earned);
        track.contributions.extend(contributions);
        track.wealth.push(wealth);
    }
    track
}

/// Levered to a target of 3 %: twice, then 2.4 times, which is the cap.
fn erc() -> Track {
    Track { budgets: vec![1.0 / 3.0; 3], ..account([0.5, 0.5, 1.0], [0.96, 0.96, 0.48]) }
}

fn equal_weight() -> Track {
    account([1.0 / 3.0; 3], [1.0 / 3.0; 3])
}

fn timeline() -> Timeline {
    Timeline::new(["4", "5", "6"].map(str::to_string).to_vec(), None, 4.0)
}

fn market(timeline: &Timeline) -> Market<'_> {
    Market { timeline, cash: &CASH, spread: &SPREAD }
}

/// Figures that are written with so many digits.
#[track_caller]
fn same(found: Option<f64>, written: f64, unit: f64) {
    let found = found.expect("a figure that exists");
    assert!((found - written).abs() <= 0.5001 * unit, "{found} against {written}");
}

#[test]
fn the_rows_of_the_worked_example_are_those_of_pen_and_paper() {
    let erc = erc();
    assert_eq!((erc.build.traded, erc.build.cost), (2.0, 0.002));
    same(erc.earned.first().copied(), -0.025, 1e-15);
    same(erc.gross.first().copied(), -0.04, 1e-15);
    same(erc.net.first().copied(), -0.04192, 1e-15);
    same(erc.wealth.first().copied(), 0.95808, 1e-15);
    same(erc.exposure.get(1).copied(), 2.057292, 1e-6);
    for (contribution, written) in erc.contributions[3..].iter().zip([0.010417, 0.005156, 0.030625]) {
        same(Some(*contribution), written, 1e-6);
    }
    same(erc.earned.get(1).copied(), 0.046198, 1e-6);
    same(erc.gross.get(1).copied(), 233.0 / 7680.0, 1e-15);
    same(erc.traded.get(1).copied(), 1.439444, 1e-6);
    same(erc.cost.get(1).copied(), 0.001439444, 1e-9);
    same(erc.net.get(1).copied(), 0.028855427, 1e-9);
    same(erc.wealth.get(1).copied(), 0.98572580758, 1e-11);

    let equal = equal_weight();
    same(Some(equal.build.cost), 0.001, 1e-15);
    same(equal.net.first().copied(), -0.01099, 1e-15);
    same(equal.gross.get(1).copied(), 593.0 / 29700.0, 1e-15);
    same(equal.cost.get(1).copied(), 6.756236e-6, 1e-12);
    same(equal.net.get(1).copied(), 0.019959439, 1e-9);
    same(equal.wealth.get(1).copied(), 1.0087500846, 1e-10);
}

#[test]
fn figures_of_the_worked_example_are_those_of_pen_and_paper() {
    let timeline = timeline();
    let found = Metrics::of(&market(&timeline), &erc(), Some(&equal_weight()), Some(0.03));
    assert_eq!(timeline.years, Some(0.5));
    same(found.total_return, -0.014274192, 1e-9);
    same(found.cagr, -0.028344632, 1e-9);
    same(found.mean, -0.026129146, 1e-9);
    same(found.volatility, 0.100091569, 1e-9);
    same(found.sharpe, -0.660686475, 1e-9);
    same(found.sortino, -0.900623410, 1e-9);
    same(found.max_drawdown, 0.04192, 1e-15);
    let drawdown = found.drawdown.expect("wealth fell");
    assert_eq!((drawdown.peak.as_str(), drawdown.trough.as_str(), drawdown.recovery), ("4", "5", None));
    same(found.calmar, -0.676160121, 1e-9);
    same(found.ulcer_index, 0.0313132477, 1e-10);
    same(found.turnover, 1.439444, 1e-6);
    assert_eq!(found.trades, 2);
    let parts = found.attribution.expect("rows");
    same(Some(parts.source), -0.02008861, 1e-8);
    same(Some(parts.magnification), -0.02066406, 1e-8);
    same(Some(parts.covariance), 0.00200267, 1e-8);
    same(Some(parts.financing), -0.02057292, 1e-8);
    same(Some(parts.trading), -0.00680623, 1e-8);
    same(Some(parts.excess), -0.06612915, 1e-8);
    same(found.relative.tracking_error, 0.05632245, 1e-8);
    same(found.relative.information_ratio, -0.782424, 1e-6);
    same(found.relative.beta, 2.286808, 1e-6);
    // Of two rows, by hand: cov(h_i r_i, a) / var(a) = (c_6 - c_5) / (a_6 - a_5), of c_A = 0, 1/96 and so on.
    let shares = found.risk_shares.expect("assets");
    for (share, contribution) in shares.iter().zip([0.0104166667, 0.01015625, 0.050625]) {
        same(Some(*share), contribution / 0.0711979167, 1e-8);
    }
    same(found.risk_share_error, 3.0 * 0.050625 / 0.0711979167 - 1.0, 1e-8);
    same(found.volatility_to_target, 0.1000915689 / 0.03, 1e-7);
    same(found.exposure_mean, (2.0 + 2.0572916667) / 2.0, 1e-9);
    same(found.exposure_max, 2.0572916667, 1e-9);
    same(found.autocorrelation, -0.5, 1e-14);
    same(found.relative.correlation, 1.0, 1e-14);
    same(found.hit_rate, 0.5, 1e-15);
    // The twentieth part of the way from the loss to the gain, of two rows.
    same(found.var95, 0.95 * 0.04192 - 0.05 * 0.028855427, 1e-9);
    same(found.cvar95, 0.04192, 1e-15);
}

#[cfg(feature = "files")]
#[test]
fn figures_that_need_dates_months_or_a_benchmark_are_null() {
    let timeline = timeline();
    let found = Metrics::of(&market(&timeline), &equal_weight(), None, None);
    let json = serde_json::to_value(&found).expect("figures are plain");
    for key in [
        "volatility_monthly",
        "sharpe_monthly",
        "hit_rate_monthly",
        "best_month",
        "worst_month",
        "volatility_to_target",
        "risk_share_error",
        "tracking_error",
        "information_ratio",
        "beta",
        "correlation",
        "up_capture",
        "down_capture",
        "sharpe_difference",
    ] {
        assert!(json.get(key).is_some_and(serde_json::Value::is_null), "{key}");
    }
    assert_eq!(json["drawdown"]["recovery"], "6");
    assert!(year_returns(&timeline, &equal_weight().net).is_empty());
}

#[test]
fn one_row_has_a_mean_and_no_volatility() {
    let timeline = Timeline::new(["4", "5"].map(str::to_string).to_vec(), None, 4.0);
    let market = Market { timeline: &timeline, cash: &CASH[..1], spread: &SPREAD[..1] };
    let one = Track { net: vec![0.02], wealth: vec![1.02], ..Track::default() };
    let found = Metrics::of(&market, &one, Some(&one), Some(0.1));
    same(found.mean, 0.08, 1e-15);
    assert_eq!((found.volatility, found.sharpe, found.drawdown, found.calmar), (None, None, None, None));
    assert_eq!((found.max_drawdown, found.hit_rate), (Some(0.0), Some(1.0)));
}

#[cfg(feature = "files")]
#[test]
fn without_rows_there_are_no_figures() {
    let timeline = Timeline::new(vec!["4".to_string()], None, 4.0);
    let market = Market { timeline: &timeline, cash: &[], spread: &[] };
    let json = serde_json::to_value(Metrics::of(&market, &Track::default(), None, None)).expect("figures are plain");
    let figures = json.as_object().expect("figures have names");
    assert!(figures.iter().all(|(key, figure)| figure.is_null() || key == "trades"), "{json}");
}

#[test]
fn a_ruin_has_figures_and_none_that_is_not_a_number() {
    let timeline = Timeline::new((0..5).map(|close| close.to_string()).collect(), None, 4.0);
    let market = Market { timeline: &timeline, cash: &[0.01; 4], spread: &[0.005; 4] };
    let ruined = Track {
        net: vec![0.1, -1.0, 0.0, 0.0],
        gross: vec![0.1, -1.3, 0.01, 0.01],
        earned: vec![0.13, -1.27, 0.0, 0.0],
        exposure: vec![3.0, 3.0, 0.0, 0.0],
        traded: vec![0.0; 4],
        wealth: vec![1.1, 0.0, 0.0, 0.0],
        ..Track::default()
    };
    let found = Metrics::of(&market, &ruined, Some(&equal_weight()), None);
    assert_eq!((found.total_return, found.cagr, found.max_drawdown), (Some(-1.0), Some(-1.0), Some(1.0)));
    assert_eq!(found.calmar, Some(-1.0));
}

#[cfg(feature = "files")]
#[test]
fn figures_of_paths_are_those_of_the_history() {
    let dates = [1, 2, 3].map(|month| jiff::civil::Date::constant(2020, month, 28)).to_vec();
    // As if rows were days, so that months say something else.
    let daily = Timeline::new(dates.iter().map(|date| date.to_string()).collect(), Some(dates), 252.0);
    let (track, mut scratch) = (erc(), Scratch::default());
    for (timeline, has_months) in [(daily, true), (timeline(), false)] {
        let market = market(&timeline);
        let path = PathFigures::of(&market, &track, Some(0.03), &mut scratch);
        assert_eq!(path.sharpe_monthly.is_some(), has_months);
        let history = serde_json::to_value(Metrics::of(&market, &track, None, Some(0.03))).expect("figures are plain");
        let path = serde_json::to_value(path).expect("figures are plain");
        for (key, figure) in path.as_object().expect("figures have names") {
            let whole = if key == "covariance" { &history["attribution"][key] } else { &history[key] };
            assert_eq!(figure, whole, "{key}");
        }
    }
}

#[test]
fn costs_and_periods_of_the_worked_example_are_those_of_the_reference() {
    let timeline = timeline();
    let (market, erc, equal) = (market(&timeline), erc(), equal_weight());
    // An independent program in plain loops.
    let written = [
        (-0.021631734375, -0.59636773326285),
        (-0.024992477836065, -0.62862666887887),
        (-0.028344632270757, -0.66068647523338),
        (-0.035023232101371, -0.72421603007041),
    ];
    for (point, (cagr, sharpe)) in cost_curve(&market, &erc, true).into_iter().zip(written) {
        same(point.cagr, cagr, 1e-13);
        same(point.sharpe, sharpe, 1e-12);
    }
    for (net, at) in erc.net.iter().zip(net_at(&erc, COST, true)) {
        same(Some(at), *net, 1e-15);
    }
    // The strategy is behind without costs, and trades more.
    assert_eq!(break_even(&erc, &equal, true), None);

    let found = periods(&market, &[("erc", &erc), ("equal_weight", &equal)], &equal, &[]);
    assert_eq!(found.len(), 1);
    same(found[0].depth, 0.01099, 1e-15);
    let labels = [&found[0].peak, &found[0].from, &found[0].to, &found[0].recovery].map(Option::as_deref);
    assert_eq!(labels, [Some("4"), Some("5"), Some("5"), Some("6")]);
    same(found[0].figures[0].total_return, -0.04192, 1e-15);
    assert_eq!((found[0].figures[0].rows, found[0].figures[0].volatility), (1, None));
}
