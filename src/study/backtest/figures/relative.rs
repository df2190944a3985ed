//! A strategy beside the benchmark, on the same rows.
//!
//! ```text
//! tracking error      sqrt(A) sd(r - r_b)                 beta         cov(x, x_b) / var(x_b)
//! information ratio   A mean(r - r_b) / tracking error    correlation  of x and x_b
//! up (down) capture   mean return of the months in which r_b > 0 (< 0) / the benchmark's mean there
//! ```

use serde::Serialize;

use super::difference::{SharpeDifference, SharpeSample};
use super::months::monthly;
use super::performance::Performance;
use super::ratio::{ratio, varies};
use super::rows::Market;
use crate::stats;

/// Null where a figure does not exist, as all do not for the benchmark itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Relative {
    pub tracking_error: Option<f64>,
    pub information_ratio: Option<f64>,
    pub beta: Option<f64>,
    pub correlation: Option<f64>,
    pub up_capture: Option<f64>,
    pub down_capture: Option<f64>,
    pub sharpe_difference: Option<SharpeDifference>,
}

impl Relative {
    /// Of the net returns of a strategy and of the benchmark.
    pub fn of(market: &Market, net: &[f64], benchmark: &[f64]) -> Relative {
        let pairs = net.iter().copied().zip(benchmark.iter().copied());
        // The benchmark in the place of cash: its Sharpe ratio is the information ratio.
        let active = Performance::of(pairs.map(|(r, b)| (r - b, 0.0)), market.timeline.periods_per_year);
        let (beta, correlation) = regression(&excess(market, net), &excess(market, benchmark));
        let months: Vec<(f64, f64)> = monthly(market.timeline, net).zip(monthly(market.timeline, benchmark)).collect();
        Relative {
            tracking_error: active.volatility,
            information_ratio: active.sharpe,
            beta,
            correlation,
            up_capture: capture(&months, |b| b > 0.0),
            down_capture: capture(&months, |b| b < 0.0),
            sharpe_difference: SharpeDifference::of(
                &SharpeSample::of(market, net),
                &SharpeSample::of(market, benchmark),
            ),
        }
    }
}

fn excess(market: &Market, net: &[f64]) -> Vec<f64> {
    net.iter().zip(market.cash).map(|(r, y)| r - y).collect()
}

/// Slope of x on x_b, and their correlation.
fn regression(x: &[f64], benchmark: &[f64]) -> (Option<f64>, Option<f64>) {
    let (mean_x, mean_b, n) = (stats::mean(x), stats::mean(benchmark), x.len() as f64);
    let (mut xx, mut xb, mut bb) = (0.0, 0.0, 0.0);
    for (x, b) in x.iter().zip(benchmark) {
        xx += (x - mean_x) * (x - mean_x);
        xb += (x - mean_x) * (b - mean_b);
        bb += (b - mean_b) * (b - mean_b);
    }
    let vary = |squares: f64| varies((squares / n).sqrt());
    (vary(bb).then(|| xb / bb), (vary(bb) && vary(xx)).then(|| xb / (xx.sqrt() * bb.sqrt())))
}

/// Over the months, of the strategy and of the benchmark, in which the benchmark does this.
fn capture(months: &[(f64, f64)], benchmark_does: impl Fn(f64) -> bool) -> Option<f64> {
    let those = months.iter().filter(|(_, b)| benchmark_does(*b));
    let (own, benchmark) = those.fold((0.0, 0.0), |(own, sum), (r, b)| (own + r, sum + b));
    ratio(own, benchmark)
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;

    use super::super::rows::Timeline;
    use super::*;

    fn months(rows: i8) -> Timeline {
        let dates: Vec<Date> = (1..=rows + 1).map(|month| Date::constant(2020, month, 28)).collect();
        Timeline::new(dates.iter().map(Date::to_string).collect(), Some(dates), 12.0)
    }

    #[test]
    fn half_of_the_benchmark_captures_half_of_it() {
        let timeline = months(4);
        let market = Market { timeline: &timeline, cash: &[0.0; 4], spread: &[0.0; 4] };
        let benchmark = [0.04, -0.02, 0.0, 0.02];
        let found = Relative::of(&market, &benchmark.map(|b| b / 2.0), &benchmark);
        for (figure, value) in
            [(found.beta, 0.5), (found.correlation, 1.0), (found.up_capture, 0.5), (found.down_capture, 0.5)]
        {
            assert!((figure.unwrap() - value).abs() < 1e-14);
        }
        // r - r_b = -0.02, 0.01, 0, -0.01, of mean -0.005 and squared deviations 5e-4.
        let error = (12.0 * 5e-4 / 3.0_f64).sqrt();
        assert!((found.tracking_error.unwrap() - error).abs() < 1e-16);
        assert!((found.information_ratio.unwrap() - 12.0 * -0.005 / error).abs() < 1e-13);
        // Four months are too few to test.
        assert_eq!(found.sharpe_difference, None);
    }

    #[test]
    fn beside_itself_nothing_is_told_apart() {
        let timeline = months(3);
        let market = Market { timeline: &timeline, cash: &[0.001; 3], spread: &[0.0; 3] };
        let found = Relative::of(&market, &[0.01, 0.02, 0.03], &[0.01, 0.02, 0.03]);
        assert_eq!((found.tracking_error, found.information_ratio), (Some(0.0), None));
        assert_eq!((found.up_capture, found.down_capture), (Some(1.0), None));
        let still = Relative::of(&market, &[0.01, 0.02, 0.03], &[0.001; 3]);
        assert_eq!((still.beta, still.correlation), (None, None));
    }
}
