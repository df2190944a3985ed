//! Do the figures of one run fit together, and follow from what it wrote?

use jiff::civil::Date;

use super::history::History;
use super::{Finished, MIX, close, finished};
use crate::run::Folder;

/// Rounding of a few operations on numbers around one; sums over thousands of rows take no more than this either.
const ROUNDING: f64 = 1e-12;

/// A run with all there is: leverage, cash, a spread, costs, a twin, assets that come and go.
fn rich() -> (Folder, Finished, History) {
    let folder = Folder::new();
    let history = History::sample()
        .between("2005-12-30", "2010-03-31")
        .starting("Emerging Debt", "2007-02-14")
        .ending("NIKKEI", "2009-07-15");
    folder.write("data.csv", history.csv());
    let flags =
        "data.csv --lookback 120 --target-vol 0.1 --regime 21 --cash-rate 0.03 --financing-spread 0.01 --cost-bps 8";
    let mut args: Vec<&str> = flags.split_whitespace().collect();
    args.extend(["--fixed", MIX]);
    let run = finished(&folder, &args);
    (folder, run, history)
}

#[test]
fn wealth_is_the_product_of_net_returns_and_what_is_not_held_is_cash() {
    let (_folder, run, _) = rich();
    let assets = run.assets();
    for name in run.strategies() {
        let mut product = 1.0;
        let net = run.wealth.series(&name, "net");
        for (r, w) in net.iter().zip(run.wealth.series(&name, "wealth")) {
            product *= 1.0 + r;
            assert!((product / w - 1.0).abs() <= ROUNDING, "{name}: {product} {w}");
        }
        assert!((run.metric(&name, "total_return") - (product - 1.0)).abs() <= ROUNDING, "{name}");

        for row in run.holdings.of(&name) {
            let held: f64 = run.holdings.across(&assets, row).iter().sum();
            assert!((run.holdings.number("cash", row) - (1.0 - held)).abs() <= ROUNDING, "{name}: {held}");
        }
        // The first row pays the build as well.
        let build = run.holdings.number("cost", run.holdings.of(&name)[0]);
        let (gross, cost) = (run.wealth.series(&name, "gross"), run.wealth.series(&name, "cost"));
        for (k, r) in net.iter().enumerate() {
            let paid = if k == 0 { 1.0 - build } else { 1.0 };
            let expected = paid * (1.0 + gross[k]) * (1.0 - cost[k]) - 1.0;
            assert!((r - expected).abs() <= 1e-15, "{name}, row {k}: {r} {expected}");
        }
    }
}

#[test]
fn attribution_sums_to_the_excess_and_risk_shares_to_one() {
    let (_folder, run, _) = rich();
    for name in run.strategies() {
        let metrics = &run.strategy(&name)["metrics"];
        let attribution = &metrics["attribution"];
        let part = |key: &str| attribution[key].as_f64().unwrap_or_else(|| panic!("{name}: {attribution}"));
        let sum: f64 = ["source", "magnification", "covariance", "financing", "trading"].map(part).iter().sum();
        assert!((sum - part("excess")).abs() <= ROUNDING, "{name}: {attribution}");
        let (net, cash) = (run.wealth.series(&name, "net"), run.wealth.series(&name, "cash_rate"));
        let excess = 252.0 * net.iter().zip(&cash).map(|(r, y)| r - y).sum::<f64>() / net.len() as f64;
        assert!((excess - part("excess")).abs() <= ROUNDING, "{name}: {excess}");
        let shares: f64 = metrics["risk_shares"].as_array().unwrap().iter().map(|share| share.as_f64().unwrap()).sum();
        assert!((shares - 1.0).abs() <= ROUNDING, "{name}: {shares}");
    }
    // Not levered, nothing is magnified or borrowed.
    let mix = &run.strategy("60/40")["metrics"]["attribution"];
    for key in ["magnification", "covariance", "financing"] {
        assert!(mix[key].as_f64().unwrap().abs() <= 1e-15, "{mix}");
    }
}

/// Section 6 once more, in a dozen lines, from weights and returns to wealth.
#[test]
fn the_account_follows_from_targets_and_returns() {
    let (_folder, run, history) = rich();
    let assets = run.assets();
    let prices = history.numbers();
    let dates: Vec<Date> = history.dates.iter().map(|date| date.parse().unwrap()).collect();
    let place = |label: &str| history.dates.iter().position(|date| date == label).unwrap();
    let last = history.rows() - 1;
    for name in run.strategies() {
        let orders = run.weights.of(&name);
        let due = |t: usize| orders.iter().copied().find(|&row| run.weights.text("traded", row) == history.dates[t]);
        let first = place(run.weights.text("traded", orders[0]));
        let (mut held, mut cash, mut wealth, mut trades) = (vec![0.0; assets.len()], 1.0, 1.0, 0);
        let mut build = 0.0;
        for t in first..=last {
            let mut gross = 0.0;
            if t > first {
                let days = f64::from((dates[t] - dates[t - 1]).get_days()) / 365.0;
                let rate = (0.03 + if cash < 0.0 { 0.01 } else { 0.0 }) * days;
                let returns: Vec<f64> = (0..assets.len()).map(|i| prices[t][i] / prices[t - 1][i] - 1.0).collect();
                gross = cash * rate
                    + (0..assets.len()).filter(|&i| held[i] != 0.0).map(|i| held[i] * returns[i]).sum::<f64>();
                cash *= (1.0 + rate) / (1.0 + gross);
                for i in 0..assets.len() {
                    if held[i] != 0.0 {
                        held[i] *= (1.0 + returns[i]) / (1.0 + gross);
                    }
                }
            }
            let mut traded = 0.0;
            let ends: Vec<bool> = (0..assets.len()).map(|i| t < last && prices[t + 1][i].is_nan()).collect();
            for i in (0..assets.len()).filter(|&i| ends[i]) {
                traded += held[i];
                cash += std::mem::take(&mut held[i]);
            }
            if let Some(order) = due(t) {
                let scale = run.weights.number("exposure", order);
                let weights = run.weights.across(&assets, order);
                let target: Vec<f64> =
                    (0..assets.len()).map(|i| if ends[i] { 0.0 } else { scale * weights[i] }).collect();
                traded += target.iter().zip(&held).map(|(target, held)| (target - held).abs()).sum::<f64>();
                held = target;
                cash = 1.0 - held.iter().sum::<f64>();
                let row = run.holdings.at(&name, "date", &history.dates[t]);
                let found = run.holdings.number("traded", row);
                assert!((found - traded).abs() <= ROUNDING, "{name} {}: {found} {traded}", history.dates[t]);
                trades += 1;
            }
            if t == first {
                build = 8e-4 * traded;
                continue;
            }
            wealth *= std::mem::replace(&mut build, 0.0).mul_add(-1.0, 1.0) * (1.0 + gross) * (1.0 - 8e-4 * traded);
            let row = run.wealth.at(&name, "date", &history.dates[t]);
            assert!((run.wealth.number("wealth", row) / wealth - 1.0).abs() <= ROUNDING, "{name} {}", history.dates[t]);
        }
        assert_eq!(run.holdings.of(&name).len(), trades, "{name}");
    }
}

/// From what `wealth.parquet` holds.
#[test]
fn the_main_figures_follow_from_the_rows() {
    let (_folder, run, _) = rich();
    let years = run.summary["run"]["years"].as_f64().unwrap();
    let sd = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (x.len() - 1) as f64).sqrt()
    };
    for name in run.strategies() {
        let of = |column: &str| run.wealth.series(&name, column);
        let (net, wealth, exposure) = (of("net"), of("wealth"), of("exposure"));
        let rows = net.len() as f64;
        let excess: Vec<f64> = net.iter().zip(of("cash_rate")).map(|(r, y)| r - y).collect();
        let mean = excess.iter().sum::<f64>() / rows;
        let (mut high, mut fall, mut squares) = (1.0_f64, 0.0_f64, 0.0);
        for w in &wealth {
            high = high.max(*w);
            fall = fall.max(1.0 - w / high);
            squares += (1.0 - w / high).powi(2);
        }
        let mut sorted = net.clone();
        sorted.sort_by(f64::total_cmp);
        let worst = 0.05 * rows;
        let whole = worst as usize;
        let tail = (sorted[..whole].iter().sum::<f64>() + (worst - whole as f64) * sorted[whole]) / worst;
        let losses = excess.iter().map(|x| x.min(0.0).powi(2)).sum::<f64>() / rows;
        for (key, expected) in [
            ("cagr", wealth[wealth.len() - 1].powf(1.0 / years) - 1.0),
            ("mean", 252.0 * net.iter().sum::<f64>() / rows),
            ("volatility", 252.0_f64.sqrt() * sd(&net)),
            ("sharpe", 252.0_f64.sqrt() * mean / sd(&excess)),
            ("sortino", 252.0_f64.sqrt() * mean / losses.sqrt()),
            ("max_drawdown", fall),
            ("ulcer_index", (squares / rows).sqrt()),
            ("cvar95", -tail),
            ("exposure_mean", exposure.iter().sum::<f64>() / rows),
            ("exposure_max", exposure.iter().fold(0.0, |most: f64, l| most.max(*l))),
            ("hit_rate", net.iter().filter(|r| **r > 0.0).count() as f64 / rows),
        ] {
            let found = run.metric(&name, key);
            assert!(close(found / expected, 1.0, 1e-10), "{name}: {key} is {found}, not {expected}");
        }
    }
}

#[test]
fn what_costs_nothing_loses_nothing_and_costs_take_what_is_traded() {
    let (folder, run, _) = rich();
    let flags =
        "data.csv --lookback 120 --target-vol 0.1 --regime 21 --cash-rate 0.03 --financing-spread 0.01 --cost-bps";
    let mut args: Vec<&str> = flags.split_whitespace().collect();
    args.extend(["0", "--fixed", MIX]);
    let free = finished(&folder, &args);
    assert!(free.wealth.column("cost").iter().all(|cost| *cost == 0.0));
    // Holdings do not depend on what trading costs.
    for (asset, column) in free.holdings.numbers.iter().filter(|(name, _)| *name != "cost") {
        assert_eq!(column, run.holdings.column(asset), "{asset}");
    }
    for name in run.strategies() {
        // The table of costs of one run says what another run finds.
        let costs = |run: &Finished, bps: f64| {
            let all = run.strategy(&name)["costs"].as_array().unwrap().clone();
            let own = all.into_iter().find(|own| own["bps"].as_f64() == Some(bps)).unwrap();
            own["cagr"].as_f64().unwrap()
        };
        assert!((costs(&run, 0.0) - free.metric(&name, "cagr")).abs() <= ROUNDING, "{name}");
        assert!((costs(&run, 10.0) - costs(&free, 10.0)).abs() <= ROUNDING, "{name}");
    }
}
