//! Mean, volatility and Sharpe ratio of the returns of some rows.
//!
//! ```text
//! x_t = r_t - y_t                        excess of the return over that of cash
//! mean        A mean r
//! volatility  sqrt(A) sd(r)              sd has divisor N - 1
//! sharpe      sqrt(A) mean x / sd(x)
//! ```

use super::ratio::ratio;

/// A figure is none where there are too few rows for it, or they do not vary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Performance {
    pub rows: usize,
    pub mean: Option<f64>,
    /// A mean x.
    pub excess: Option<f64>,
    pub volatility: Option<f64>,
    pub sharpe: Option<f64>,
}

impl Performance {
    /// Of the returns r_t and y_t of each row.
    pub fn of(rows: impl Iterator<Item = (f64, f64)> + Clone, periods_per_year: f64) -> Performance {
        let (mut count, mut mean_r, mut mean_x) = (0, 0.0, 0.0);
        for (r, y) in rows.clone() {
            count += 1;
            mean_r += r;
            mean_x += r - y;
        }
        (mean_r, mean_x) = (mean_r / count as f64, mean_x / count as f64);
        let (mut squares_r, mut squares_x) = (0.0, 0.0);
        for (r, y) in rows {
            squares_r += (r - mean_r) * (r - mean_r);
            squares_x += (r - y - mean_x) * (r - y - mean_x);
        }
        Performance::of_sums(count, [mean_r, mean_x], [squares_r, squares_x], periods_per_year)
    }

    /// From `count` rows: the means of r and x, and the sums of their squared deviations.
    pub fn of_sums(
        count: usize,
        [mean_r, mean_x]: [f64; 2],
        [squares_r, squares_x]: [f64; 2],
        periods_per_year: f64,
    ) -> Performance {
        let annual = periods_per_year.sqrt();
        let sd = |squares: f64| (count > 1).then(|| (squares / (count as f64 - 1.0)).sqrt());
        Performance {
            rows: count,
            mean: (count > 0).then_some(periods_per_year * mean_r),
            excess: (count > 0).then_some(periods_per_year * mean_x),
            volatility: sd(squares_r).map(|sd| annual * sd),
            sharpe: sd(squares_x).and_then(|sd| ratio(annual * mean_x, sd)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_two_rows_are_those_of_pen_and_paper() {
        // x = 0, 0.02.
        let found = Performance::of([(0.01, 0.01), (0.03, 0.01)].into_iter(), 4.0);
        assert_eq!((found.rows, found.mean), (2, Some(0.08)));
        assert!((found.volatility.unwrap() - 2.0 * 0.02 / 2.0_f64.sqrt()).abs() < 1e-16);
        assert!((found.sharpe.unwrap() - 2.0 * 0.01 / (0.02 / 2.0_f64.sqrt())).abs() < 1e-14);
    }

    #[test]
    fn one_row_has_a_mean_and_no_more_and_no_row_has_nothing() {
        let one = Performance::of([(0.01, 0.0)].into_iter(), 4.0);
        assert_eq!((one.mean, one.volatility, one.sharpe), (Some(0.04), None, None));
        let none = Performance::of(std::iter::empty(), 4.0);
        assert_eq!((none.mean, none.excess, none.volatility, none.sharpe), (None, None, None, None));
    }

    #[test]
    fn what_earns_as_cash_does_has_no_sharpe_ratio() {
        let cash = [0.0001, 0.0003, 0.0002].map(|y| ((1.0 + y) - 1.0, y));
        assert_eq!(Performance::of(cash.into_iter(), 252.0).sharpe, None);
    }
}
