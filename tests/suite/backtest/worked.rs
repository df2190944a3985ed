//! Is the worked example met, number by number?
//!
//! `--returns --periods-per-year 4 --lookback 3 --rebalance every-2 --lag 1 --target-vol 0.03 --max-leverage 2.4 --lever erc
//! --cash-rate 0.04 --financing-spread 0.02 --cost-bps 10`: no dates, so each row is a quarter, in which cash earns y = 1 %
//! and borrowing costs s = 0.5 % beyond.
//!
//! ```text
//! row    1    2    3     4    5    6        window 1-3 decided at 3, traded at 4      window 3-5 decided at 5, traded at 6
//! A %    3   -1    1    -1    0    2        deviations 2(1,-1,0)   sd 2 %             1(1,-1,0)     sd 1 %
//! B %    2    1    0  -0.5   -1    1                   1(1,0,-1)   sd 1 %             0.5(1,0,-1)   sd 0.5 %
//! C %    1    2    0     2   -2    3                   1(0,1,-1)   sd 1 %             2(0,1,-1)     sd 2 %
//!
//! Both windows: C_AB = C_BC = 1/2, C_AC = -1/2, so y = (2,1,2): y_A(y_A + y_B/2 - y_C/2) = 2(2 + 1/2 - 1) = 3,
//! y_B(y_A/2 + y_B + y_C/2) = 1(1 + 1 + 1) = 3, y_C as y_A: equal; w_i ~ y_i/sd_i.
//! Window 1: w = (1,1,2)/4, w'Sw = 0.5625e-4, sigma 0.75 % a row, 1.5 % a year, l = 2: h* = (0.5, 0.5, 1.0), c = -1.
//! Others: inverse vol (0.2, 0.4, 0.4); minimum variance (2/7, 0, 5/7), variance 3/7e-4; max. diversification (1/3, 0, 2/3).
//! Window 2: w = (2,2,1)/5, sigma 0.6 %, 1.2 % a year, 3/1.2 = 2.5, capped: l = 2.4, h* = (0.96, 0.96, 0.48), c = -1.4.
//! Minimum variance (0, 1, 0); maximum diversification (2/3, 0, 1/3).
//!
//! close 4  build 2.0 traded, k0 = 0.002
//! row 5    a = 0 - 0.005 - 0.02 = -0.025;  cash leg -1 x 0.015;  g = -0.04;  r = 0.998 x 0.96 - 1 = -0.04192     W = 0.95808
//!          drift h = (0.5, 0.495, 0.98)/0.96 = (0.520833, 0.515625, 1.020833), c = -1.015/0.96 = -1.057292,
//!          exposure 2.057292
//! row 6    a = 0.010417 + 0.005156 + 0.030625 = 0.046198;  cash leg -1.057292 x 0.015 = -0.015859;
//!          g = 233/7680 = 0.030338542; drift (0.515607, 0.505447, 1.020498), c = -1.041552;
//!          trades (+0.444393, +0.454553, -0.540498), sum 1.439444, k = 0.001439444
//!          r = 1.030338542 x 0.998560556 - 1 = 0.028855427                                                  W = 0.98572580758
//! equal weight (l = 1): k0 = 0.001, r_5 = 0.999 x 0.99 - 1 = -0.01099; g_6 = 593/29700, k = 6.756236e-6,
//!          r_6 = 0.019959439                                                                                W = 1.0087500846
//! ```

use super::{Finished, Table, finished};
use crate::cases::data;
use crate::run::Folder;

/// Exact numbers come back but for rounding.
const ROUNDING: f64 = 1e-14;

fn worked() -> (Folder, Finished) {
    let folder = Folder::new();
    let path = data("backtest/worked.csv");
    let flags = "--returns --periods-per-year 4 --lookback 3 --rebalance every-2 --lag 1 --target-vol 0.03 --max-leverage 2.4 \
                 --lever erc --cash-rate 0.04 --financing-spread 0.02 --cost-bps 10 --benchmark equal-weight --methods \
                 erc,inverse-volatility,equal-weight,min-variance,max-diversification";
    let args: Vec<&str> = std::iter::once(path.to_str().unwrap()).chain(flags.split_whitespace()).collect();
    let run = finished(&folder, &args);
    (folder, run)
}

fn assert_numbers(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (f, e) in found.iter().zip(expected) {
        assert!((f - e).abs() <= tolerance, "{what}: {found:?} instead of {expected:?}");
    }
}

fn abc(table: &Table, row: usize) -> Vec<f64> {
    table.across(&["A", "B", "C"].map(String::from), row)
}

#[test]
fn both_windows_of_the_worked_example_have_the_weights_of_the_text() {
    let (_folder, run) = worked();
    let expected: [(&str, [[f64; 3]; 2]); 5] = [
        ("erc", [[1.0 / 4.0, 1.0 / 4.0, 2.0 / 4.0], [2.0 / 5.0, 2.0 / 5.0, 1.0 / 5.0]]),
        // Standard deviations 2, 1, 1 and 1, 0.5, 2.
        ("inverse_volatility", [[0.2, 0.4, 0.4], [2.0 / 7.0, 4.0 / 7.0, 1.0 / 7.0]]),
        ("equal_weight", [[1.0 / 3.0; 3]; 2]),
        ("min_variance", [[2.0 / 7.0, 0.0, 5.0 / 7.0], [0.0, 1.0, 0.0]]),
        ("max_diversification", [[1.0 / 3.0, 0.0, 2.0 / 3.0], [2.0 / 3.0, 0.0, 1.0 / 3.0]]),
    ];
    for (strategy, windows) in expected {
        let rows = run.weights.of(strategy);
        assert_eq!(rows.len(), 2, "{strategy}");
        for ((row, weights), (decided, traded)) in rows.iter().zip(windows).zip([("3", "4"), ("5", "6")]) {
            assert_numbers(strategy, &abc(&run.weights, *row), &weights, ROUNDING);
            assert_eq!(run.weights.text("decided", *row), decided);
            assert_eq!(run.weights.text("traded", *row), traded);
            assert_eq!(run.weights.text("status", *row), "converged");
        }
    }
    // Held means above zero exactly, and what is not held is zero exactly.
    assert_eq!(abc(&run.weights, run.weights.of("min_variance")[0])[1], 0.0);
    let of = |strategy: &str, column: &str| run.weights.series(strategy, column);
    assert_numbers("exante of erc", &of("erc", "exante_volatility"), &[0.015, 0.012], ROUNDING);
    assert_numbers("exposure of erc", &of("erc", "exposure"), &[2.0, 2.4], ROUNDING);
    assert_numbers("exposure of others", &of("equal_weight", "exposure"), &[1.0, 1.0], 0.0);
    // Minimum variance: a variance of 3/7e-4 a row, then that of B alone, 0.25e-4.
    let volatility = [2.0 * (3e-4_f64 / 7.0).sqrt(), 2.0 * 0.005];
    assert_numbers("exante of minimum variance", &of("min_variance", "exante_volatility"), &volatility, ROUNDING);
}

#[test]
fn the_account_of_the_worked_example_is_that_of_the_text() {
    let (_folder, run) = worked();
    let of = |strategy: &str, column: &str| run.wealth.series(strategy, column);
    assert_eq!(run.wealth.of("erc").iter().map(|&row| run.wealth.text("date", row)).collect::<Vec<_>>(), ["5", "6"]);
    let (g6, traded) = (233.0 / 7680.0, 1.439443952989);
    assert_numbers("gross of erc", &of("erc", "gross"), &[-0.04, g6], ROUNDING);
    // The text has k to nine digits.
    let r6 = (1.0 + g6) * (1.0 - traded / 1000.0) - 1.0;
    assert_numbers("net of erc", &of("erc", "net"), &[0.998 * 0.96 - 1.0, r6], 1e-14);
    assert_numbers("net of erc, as in the text", &of("erc", "net"), &[-0.04192, 0.028855427], 5e-10);
    assert_numbers("wealth of erc", &of("erc", "wealth"), &[0.95808, 0.98572580758], 5e-12);
    assert_numbers("exposure of erc", &of("erc", "exposure"), &[2.0, 1.975 / 0.96], ROUNDING);
    assert_numbers("cost of erc", &of("erc", "cost"), &[0.0, traded / 1000.0], 1e-14);
    assert_numbers("cash rate", &of("erc", "cash_rate"), &[0.01, 0.01], ROUNDING);
    let equal = of("equal_weight", "net");
    let g6 = 593.0 / 29700.0;
    assert_numbers("equal weight", &equal, &[0.999 * 0.99 - 1.0, 0.019959439], 5e-10);
    assert_numbers("gross of equal weight", &of("equal_weight", "gross"), &[-0.01, g6], ROUNDING);
    assert_numbers("cost of equal weight", &of("equal_weight", "cost"), &[0.0, 6.756236e-6], 5e-13);
    assert_numbers("wealth of equal weight", &of("equal_weight", "wealth"), &[0.98901, 1.0087500846], 5e-11);

    let rows = run.holdings.of("erc");
    let holdings: Vec<(&str, Vec<f64>, f64, f64, f64)> = rows
        .iter()
        .map(|&row| {
            let number = |column: &str| run.holdings.number(column, row);
            (run.holdings.text("date", row), abc(&run.holdings, row), number("traded"), number("cost"), number("cash"))
        })
        .collect();
    assert_eq!(holdings.iter().map(|trade| trade.0).collect::<Vec<_>>(), ["4", "6"]);
    assert_numbers("built", &holdings[0].1, &[0.5, 0.5, 1.0], ROUNDING);
    assert_numbers("built", &[holdings[0].2, holdings[0].3, holdings[0].4], &[2.0, 0.002, -1.0], ROUNDING);
    assert_numbers("traded", &holdings[1].1, &[0.96, 0.96, 0.48], ROUNDING);
    assert_numbers("traded", &[holdings[1].2, holdings[1].3, holdings[1].4], &[traded, traded / 1000.0, -1.4], 1e-12);
    assert_numbers("traded, as in the text", &[holdings[1].2], &[0.444393 + 0.454553 + 0.540498], 1.5e-6);
}

#[test]
fn the_figures_of_the_worked_example_are_those_of_the_text() {
    let (_folder, run) = worked();
    // To half a unit of the last digit that the text has.
    for (key, expected, digits) in [
        ("total_return", -0.014274192, 9),
        ("cagr", -0.028344632, 9),
        ("mean", -0.026129146, 9),
        ("volatility", 0.100091569, 9),
        ("sharpe", -0.660686475, 9),
        ("sortino", -0.900623410, 9),
        ("max_drawdown", 0.04192, 14),
        ("calmar", -0.676160121, 9),
        ("ulcer_index", 0.0313132477, 10),
        ("turnover", 1.439444, 6),
        ("tracking_error", 0.05632245, 8),
        ("information_ratio", -0.782424, 6),
        ("beta", 2.286808, 6),
    ] {
        let found = run.metric("erc", key);
        assert!((found - expected).abs() <= 0.5001 * 0.1_f64.powi(digits), "{key}: {found}, not {expected}");
    }
    for (key, expected) in [
        ("source", -0.02008861),
        ("magnification", -0.02066406),
        ("covariance", 0.00200267),
        ("financing", -0.02057292),
        ("trading", -0.00680623),
        ("excess", -0.06612915),
    ] {
        let found = run.strategy("erc")["metrics"]["attribution"][key].as_f64().unwrap();
        assert!((found - expected).abs() <= 0.51e-8, "{key}: {found}, not {expected}");
    }
    let metrics = &run.strategy("erc")["metrics"];
    assert_eq!(metrics["drawdown"], serde_json::json!({ "peak": "4", "trough": "5", "recovery": null }));
    assert_eq!(metrics["trades"], 2);
    // Without dates there are no months, and two rows tell no difference from chance.
    for key in ["volatility_monthly", "sharpe_monthly", "hit_rate_monthly", "best_month", "worst_month", "up_capture"] {
        assert!(metrics[key].is_null(), "{key}: {}", metrics[key]);
    }
    assert!(metrics["sharpe_difference"].is_null());
    assert!((run.metric("erc", "volatility_to_target") - run.metric("erc", "volatility") / 0.03).abs() <= 1e-12);
    assert!(run.strategy("equal_weight")["metrics"]["volatility_to_target"].is_null(), "not levered");
    let about = &run.summary["run"];
    for (key, expected) in [("first_decision", "3"), ("first_trade", "4"), ("last", "6")] {
        assert_eq!(about[key], expected, "{key}");
    }
    assert_eq!((about["years"].as_f64(), about["evaluated_rows"].as_u64()), (Some(0.5), Some(2)));
}
