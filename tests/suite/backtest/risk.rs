//! Are the portfolios what their names say, under the covariance of the window that they were decided on?

use super::history::History;
use super::{Finished, finished};
use crate::run::{Folder, risk, sample_covariance};

/// Volatilities a year, one for each decision.
fn volatilities(run: &Finished, strategy: &str) -> Vec<f64> {
    run.weights.series(strategy, "exante_volatility")
}

#[test]
fn risk_budgeting_lies_between_minimum_variance_and_equal_weight_at_every_decision() {
    let folder = Folder::new();
    let late = History::sample().between("2003-12-31", "2012-12-31").starting("Iboxx HY EUR", "2006-03-15");
    folder.write("late.csv", late.csv());
    let mut decisions = 0;
    // A window of hardly more rows than assets, shrunk ones, weighted ones, and all there is.
    for settings in [
        "--lookback 252",
        "--lookback 12 --rebalance weekly",
        "late.csv --lookback 60 --estimator ledoit-wolf",
        "late.csv --estimator ewma --half-life 25 --lookback 130",
        "late.csv --lookback expanding --min-history 100 --overlap 3",
    ] {
        let args: Vec<&str> =
            settings.split_whitespace().chain(["--methods", "erc,min-variance,equal-weight"]).collect();
        let run = finished(&folder, &args);
        let of = |strategy: &str| volatilities(&run, strategy);
        for ((least, own), most) in of("min_variance").into_iter().zip(of("erc")).zip(of("equal_weight")) {
            // Of one covariance, so that rounding is all there is between equals.
            assert!(least <= own * (1.0 + 1e-12) && own <= most * (1.0 + 1e-12), "{settings}: {least} {own} {most}");
            decisions += 1;
        }
    }
    assert!(decisions > 900, "only {decisions} decisions");
}

/// The sample covariance of a window, from the definition, and what portfolios are under it.
#[test]
fn portfolios_solve_their_problems_under_the_covariance_of_their_rows() {
    let folder = Folder::new();
    let history = History::sample().between("2006-06-30", "2010-06-30");
    folder.write("data.csv", history.csv());
    let run = finished(&folder, &["data.csv", "--lookback", "100"]);
    let returns = history.returns();
    let (n, assets) = (returns.assets.len(), &returns.assets);
    let values: Vec<f64> = returns.numbers().concat();
    let decisions = run.weights.of("erc").len();
    for k in (0..decisions).step_by(7) {
        let decided = run.weights.text("decided", run.weights.of("erc")[k]);
        let row = returns.dates.iter().position(|date| date == decided).unwrap();
        let window: Vec<usize> = (row + 1 - 100..=row).collect();
        let covariance = sample_covariance(&values, n, &window);
        let volatility: Vec<f64> = (0..n).map(|i| covariance[i * n + i].sqrt()).collect();
        let weights = |name: &str| run.weights.across(assets, run.weights.of(name)[k]);
        for name in run.strategies() {
            let (own, _) = risk(&covariance, &weights(&name));
            let found = volatilities(&run, &name)[k];
            assert!((found / (252.0_f64.sqrt() * own) - 1.0).abs() <= 1e-11, "{name} {decided}: {found}");
        }
        let (_, shares) = risk(&covariance, &weights("erc"));
        // Budgets are met to rounding; the covariance is computed in another order here.
        assert!(shares.iter().all(|share| (share - 0.1).abs() <= 1e-11), "{decided}: {shares:?}");

        let inverse: f64 = volatility.iter().map(|s| 1.0 / s).sum();
        for (i, w) in weights("inverse_volatility").iter().enumerate() {
            assert!((w - 1.0 / volatility[i] / inverse).abs() <= 1e-13, "{decided}: {w}");
        }
        assert!(weights("equal_weight").iter().all(|w| (w - 0.1).abs() <= 1e-15));

        // Minimum variance: S w is the least where something is held. Maximum diversification: the same of correlations.
        let correlation: Vec<f64> = (0..n * n).map(|k| covariance[k] / volatility[k / n] / volatility[k % n]).collect();
        let amounts = |w: Vec<f64>| w.iter().zip(&volatility).map(|(w, s)| w * s).collect::<Vec<f64>>();
        for (matrix, own) in
            [(&covariance, weights("min_variance")), (&correlation, amounts(weights("max_diversification")))]
        {
            let slope: Vec<f64> = (0..n).map(|i| (0..n).map(|j| matrix[i * n + j] * own[j]).sum()).collect();
            let total: f64 = own.iter().zip(&slope).map(|(w, g)| w * g).sum::<f64>() / own.iter().sum::<f64>();
            for i in 0..n {
                let off = if own[i] > 0.0 { (slope[i] / total - 1.0).abs() } else { 1.0 - slope[i] / total };
                assert!(off <= 1e-8, "{decided}: the condition of {} is off by {off:e}", assets[i]);
            }
        }
    }
}

#[test]
fn budgets_are_the_shares_of_risk_and_those_of_the_eligible_sum_to_one() {
    let folder = Folder::new();
    let names = ["US BONDS 10Y", "S&P 500", "NIKKEI", "Emerging Debt"];
    let history = History::sample().between("2006-06-30", "2009-06-30").only(&names).starting("NIKKEI", "2007-10-15");
    folder.write("data.csv", history.csv());
    let budgets = "US BONDS 10Y=0.5,S&P 500=0.3,NIKKEI=0.2,Emerging Debt=0";
    let run = finished(&folder, &["data.csv", "--lookback", "90", "--budgets", budgets, "--methods", "erc"]);
    let returns = history.returns();
    let values = returns.numbers();
    let mut seen = [0, 0];
    for row in run.weights.of("erc") {
        let weights = run.weights.across(&returns.assets, row);
        assert_eq!(weights[3], 0.0, "no budget, no weight");
        let eligible: &[usize] = if weights[2] > 0.0 { &[0, 1, 2] } else { &[0, 1] };
        seen[eligible.len() - 2] += 1;
        let at = returns.dates.iter().position(|date| date == run.weights.text("decided", row)).unwrap();
        assert_eq!(eligible.len() == 3, !values[at + 1 - 90][2].is_nan(), "eligible by a full window alone");
        let window: Vec<f64> =
            (at + 1 - 90..=at).flat_map(|t| eligible.iter().map(|&i| values[t][i]).collect::<Vec<_>>()).collect();
        let covariance = sample_covariance(&window, eligible.len(), &(0..90).collect::<Vec<_>>());
        let held: Vec<f64> = eligible.iter().map(|&i| weights[i]).collect();
        let (_, shares) = risk(&covariance, &held);
        let asked = [0.5, 0.3, 0.2];
        let total: f64 = eligible.iter().map(|&i| asked[i]).sum();
        for (share, &i) in shares.iter().zip(eligible) {
            assert!((share - asked[i] / total).abs() <= 1e-11, "{shares:?}");
        }
    }
    assert!(seen[0] > 5 && seen[1] > 5, "{seen:?}");
}

/// Over a window in which all assets are as volatile, least variance and most diversification are one.
#[test]
fn minimum_variance_of_equal_volatilities_is_maximum_diversification() {
    const ROWS: usize = 60;
    let folder = Folder::new();
    let returns = History::sample().returns();
    for start in (0..returns.rows() - ROWS - 3).step_by(450) {
        let window = start..start + ROWS + 3;
        let mut values: Vec<Vec<f64>> = returns.numbers()[window.clone()].to_vec();
        let n = values[0].len();
        let covariance = sample_covariance(&values.concat(), n, &(0..ROWS).collect::<Vec<_>>());
        let volatility: Vec<f64> = (0..n).map(|i| covariance[i * n + i].sqrt()).collect();
        let args = [
            "data.csv",
            "--returns",
            "--lookback",
            "60",
            "--rebalance",
            "never",
            "--methods",
            "min-variance,max-diversification",
        ];
        folder.write("data.csv", History::of(&returns.assets, &returns.dates[window.clone()], &values).csv());
        let own = finished(&folder, &args);
        for row in &mut values {
            row.iter_mut().zip(&volatility).for_each(|(r, s)| *r *= 0.01 / s);
        }
        folder.write("data.csv", History::of(&returns.assets, &returns.dates[window], &values).csv());
        let scaled = finished(&folder, &args);
        let weights = |run: &Finished, name: &str| run.weights.across(&returns.assets, run.weights.of(name)[0]);
        let least = weights(&scaled, "min_variance");
        for (a, b) in least.iter().zip(weights(&scaled, "max_diversification")) {
            assert!((a - b).abs() <= 1e-10, "from row {start}: {a} {b}");
        }
        // Back in its own units, it is that of the history as it was.
        let amounts: Vec<f64> = least.iter().zip(&volatility).map(|(y, s)| y / s).collect();
        let total: f64 = amounts.iter().sum();
        for (a, b) in amounts.iter().zip(weights(&own, "max_diversification")) {
            assert!((a / total - b).abs() <= 1e-10, "from row {start}: {} {b}", a / total);
        }
    }
}

#[test]
fn a_strategy_that_matches_itself_holds_its_wealth() {
    let folder = Folder::new();
    for (name, flag) in
        [("erc", "match:erc"), ("equal_weight", "match:equal-weight"), ("60/40", "match:60/40"), ("hrp", "match:hrp")]
    {
        let args = ["--from", "2008-01-01", "--to", "2010-12-31", "--lookback", "90", "--target-vol", flag];
        let fixed = ["--fixed", super::MIX, "--lever", "erc,hrp,equal_weight,60/40"];
        let run = finished(&folder, &[&args[..], &fixed].concat());
        let exposure = run.weights.series(name, "exposure");
        assert!(exposure.len() > 20 && exposure.iter().all(|l| (l - 1.0).abs() <= 1e-14), "{name}: {exposure:?}");
        // The others are as volatile as it, before the cap.
        let target = volatilities(&run, name);
        for other in
            run.strategies().iter().filter(|other| ["erc", "hrp", "equal_weight", "60/40"].contains(&other.as_str()))
        {
            let scales = run.weights.series(other, "exposure");
            for ((own, scale), x) in volatilities(&run, other).iter().zip(scales).zip(&target) {
                let expected = (x / own).min(3.0);
                assert!((scale / expected - 1.0).abs() <= 1e-12, "{name} {other}: {scale} {expected}");
            }
        }
    }
}
