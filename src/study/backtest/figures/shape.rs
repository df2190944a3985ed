//! How returns are distributed, and whether they follow one another.
//!
//! ```text
//! m_p = mean (r - mean r)^p      skewness  m_3 / m_2^(3/2)      excess kurtosis  m_4 / m_2^2 - 3
//! c_t = r_t - mean r             autocorrelation  sum_t c_t c_{t-1} / sum_t c_t^2
//! ```

use super::ratio::varies;
use crate::stats;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shape {
    pub skewness: f64,
    /// 3 for a normal sample.
    pub kurtosis: f64,
    /// Of lag 1.
    pub autocorrelation: f64,
}

impl Shape {
    /// None where returns do not vary.
    pub fn of(returns: &[f64]) -> Option<Shape> {
        let (mean, n) = (stats::mean(returns), returns.len() as f64);
        let (mut second, mut third, mut fourth, mut products, mut previous) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for r in returns {
            let c = r - mean;
            second += c * c;
            third += c * c * c;
            fourth += c * c * c * c;
            products += c * previous;
            previous = c;
        }
        let variance = second / n;
        varies(variance.sqrt()).then(|| Shape {
            skewness: third / n / variance.powf(1.5),
            kurtosis: fourth / n / (variance * variance),
            autocorrelation: products / second,
        })
    }
}

/// Whether an autocorrelation is more than that of independent returns, which has a standard error of 1 / sqrt(N).
/// Where it is positive, volatility and Sharpe ratio from rows flatter: those of months are the ones to look at (Lo
/// 2002).
pub fn is_autocorrelated(autocorrelation: f64, rows: usize) -> bool {
    autocorrelation.abs() > 2.0 / (rows as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shape_of_two_points_is_known() {
        let shape = Shape::of(&[-1.0, 1.0]).unwrap();
        assert_eq!(shape, Shape { skewness: 0.0, kurtosis: 1.0, autocorrelation: -0.5 });
    }

    #[test]
    fn one_large_loss_skews_to_the_left() {
        // Mean 0, squares 12, cubes -24, fourth powers 84, products -3 + 1 + 1.
        let shape = Shape::of(&[-3.0, 1.0, 1.0, 1.0]).unwrap();
        assert!((shape.skewness - -6.0 / 3.0_f64.powf(1.5)).abs() < 1e-15);
        assert!((shape.kurtosis - 21.0 / 9.0).abs() < 1e-15);
        assert!((shape.autocorrelation - -1.0 / 12.0).abs() < 1e-16);
    }

    #[test]
    fn what_does_not_vary_has_no_shape() {
        assert_eq!((Shape::of(&[]), Shape::of(&[0.1]), Shape::of(&[0.1; 9])), (None, None, None));
    }

    #[test]
    fn two_standard_errors_are_said() {
        assert!(is_autocorrelated(0.21, 100) && is_autocorrelated(-0.21, 100) && !is_autocorrelated(0.19, 100));
    }
}
