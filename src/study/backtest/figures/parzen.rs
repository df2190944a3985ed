//! Variance of a mean whose values depend on one another, with Parzen weights and an automatic bandwidth (Andrews
//! 1991).
//!
//! ```text
//! long-run variance  G_0 + 2 sum_{0 < j < S} k(j / S) G_j,    G_j = sum_t u_t u_{t-j} / M,  u of mean zero
//! k(x)               1 - 6 x^2 + 6 x^3 up to 1/2, 2 (1 - x)^3 beyond
//! S                  min(M - 1, 2.6614 (alpha M)^(1/5))
//! alpha              sum 4 p^2 e^4 / (1 - p)^8  /  sum e^4 / (1 - p)^4, over the series, of which p and e^2 are slope
//!                    and residual variance of an AR(1) with intercept, by least squares
//! ```

use crate::stats;

/// S for series of M values.
pub fn bandwidth(series: &[Vec<f64>]) -> f64 {
    let values = series.first().map_or(0, Vec::len) as f64;
    let (mut above, mut below) = (0.0, 0.0);
    for series in series {
        let (slope, residual) = autoregression(series);
        let scale = residual.powi(2) / (1.0 - slope).powi(4);
        above += 4.0 * slope.powi(2) * scale / (1.0 - slope).powi(4);
        below += scale;
    }
    // The longest where the series are random walks, or known from their last value.
    (values - 1.0).min(2.6614 * (above / below * values).powf(0.2))
}

/// Of a series of mean zero.
pub fn long_run_variance(series: &[f64], bandwidth: f64) -> f64 {
    let covariance =
        |lag: usize| series.iter().zip(&series[lag..]).map(|(a, b)| a * b).sum::<f64>() / series.len() as f64;
    let lags = (1..series.len()).take_while(|lag| (*lag as f64) < bandwidth);
    covariance(0) + lags.map(|lag| 2.0 * weight(lag as f64 / bandwidth) * covariance(lag)).sum::<f64>()
}

/// k(x) for 0 <= x <= 1.
fn weight(x: f64) -> f64 {
    if x <= 0.5 { 1.0 - 6.0 * x * x + 6.0 * x * x * x } else { 2.0 * (1.0 - x).powi(3) }
}

/// Slope and residual variance of values on those before them.
fn autoregression(series: &[f64]) -> (f64, f64) {
    let (Some((_, next)), Some((_, previous))) = (series.split_first(), series.split_last()) else {
        return (f64::NAN, f64::NAN);
    };
    let (mean_next, mean_previous) = (stats::mean(next), stats::mean(previous));
    let (mut products, mut squares) = (0.0, 0.0);
    for (next, previous) in next.iter().zip(previous) {
        products += (next - mean_next) * (previous - mean_previous);
        squares += (previous - mean_previous) * (previous - mean_previous);
    }
    let slope = products / squares;
    let residuals = next.iter().zip(previous).map(|(n, p)| n - mean_next - slope * (p - mean_previous));
    (slope, residuals.map(|residual| residual * residual).sum::<f64>() / next.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_fall_from_one_to_nothing_without_a_step() {
        assert_eq!((weight(0.0), weight(0.5), weight(1.0)), (1.0, 0.25, 0.0));
        assert!((weight(0.5_f64.next_up()) - 0.25).abs() < 1e-15);
    }

    #[test]
    fn an_autoregression_is_found_again() {
        // x_t = 1 - x_{t-1} / 2 without noise.
        let series: Vec<f64> = std::iter::successors(Some(3.0), |x| Some(1.0 - 0.5 * x)).take(8).collect();
        let (slope, residual) = autoregression(&series);
        assert!((slope + 0.5).abs() < 1e-14 && residual < 1e-28);
    }

    #[test]
    fn a_bandwidth_of_one_leaves_the_variance() {
        assert_eq!(long_run_variance(&[1.0, -1.0, 1.0, -1.0], 1.0), 1.0);
        // G_0 = 1, G_1 = -3/4, k(1/2) = 1/4.
        assert_eq!(long_run_variance(&[1.0, -1.0, 1.0, -1.0], 2.0), 1.0 - 2.0 * 0.25 * 0.75);
    }

    #[test]
    fn bandwidths_follow_the_slope_alone_for_one_series() {
        let noise = |i: u32| (f64::from(i * i % 97) / 97.0) - 0.5;
        let series: Vec<f64> = (0..200)
            .scan(0.0, |x, i| {
                *x = 0.3 * *x + noise(i);
                Some(*x)
            })
            .collect();
        let slope = autoregression(&series).0;
        let alpha = 4.0 * slope.powi(2) / (1.0 - slope).powi(4);
        assert!((bandwidth(&[series]) - 2.6614 * (alpha * 200.0).powf(0.2)).abs() < 1e-12);
    }

    #[test]
    fn what_cannot_be_estimated_takes_the_longest_bandwidth() {
        assert_eq!(bandwidth(&[vec![1.0, 2.0, 3.0, 4.0]]), 3.0);
    }
}
