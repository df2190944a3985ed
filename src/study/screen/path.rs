//! Figures of a portfolio's path: its weights held constant, rebalanced every period, without costs.
//!
//! ```text
//! r_t = sum_i w_i r_ti          m = mean of r          A = periods per year (1 where it is not known)
//! Sharpe       sqrt(A) m / s,   s^2 = sum (r_t - m)^2 / (T - 1)                     without a risk-free rate
//! Sortino      sqrt(A) m / d,   d^2 = sum min(r_t, 0)^2 / T                          over all rows (Sortino & Price 1994)
//! max drawdown max_t (1 - W_t / max_{s <= t} W_s),   W_t = prod_{s <= t} (1 + r_s), W_0 = 1
//! CVaR 95      minus the mean of the worst 5 % of r, a fraction of an observation included
//! Calmar       (W_T^(A / T) - 1) / max drawdown
//! ```

use serde::Serialize;

use crate::stats;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PathFigures {
    pub sharpe: f64,
    pub sortino: f64,
    /// A positive share of the wealth.
    pub max_drawdown: f64,
    /// A positive loss per period.
    pub cvar95: f64,
    /// Null where the number of periods per year is not known.
    pub calmar: Option<f64>,
}

/// The share of observations that CVaR 95 averages.
const TAIL: f64 = 0.05;

impl PathFigures {
    /// Of the returns `r`, which are reordered.
    pub fn of(r: &mut [f64], periods_per_year: Option<f64>) -> PathFigures {
        let count = r.len() as f64;
        let annual = periods_per_year.unwrap_or(1.0).sqrt();
        let mean = stats::mean(r);
        let deviation = (r.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (count - 1.0)).sqrt();
        let below = (r.iter().map(|x| x.min(0.0).powi(2)).sum::<f64>() / count).sqrt();
        let (sharpe, sortino) = (annual * mean / deviation, annual * mean / below);
        let (mut wealth, mut highest, mut max_drawdown) = (1.0_f64, 1.0_f64, 0.0_f64);
        for x in &*r {
            wealth *= 1.0 + x;
            highest = highest.max(wealth);
            max_drawdown = max_drawdown.max(1.0 - wealth / highest);
        }
        let growth = periods_per_year.map(|periods| wealth.powf(periods / count) - 1.0);
        PathFigures {
            sharpe,
            sortino,
            max_drawdown,
            cvar95: stats::worst_mean(r, TAIL).map_or(f64::NAN, |mean| -mean),
            calmar: growth.map(|growth| growth / max_drawdown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_a_short_path_are_those_of_pen_and_paper() {
        // Wealth 1.1, 0.88, 0.968: the drawdown is 20 %.
        let figures = PathFigures::of(&mut [0.1, -0.2, 0.1], Some(3.0));
        assert!((figures.max_drawdown - 0.2).abs() < 1e-15);
        assert!((figures.calmar.unwrap() - (0.968 - 1.0) / 0.2).abs() < 1e-14);
        // The worst 5 % of three values is a part of the worst one.
        assert!((figures.cvar95 - 0.2).abs() < 1e-15);
        let (mut r, periods) = ([0.02, -0.01, 0.03, -0.02, 0.01, 0.0], 252.0);
        let figures = PathFigures::of(&mut r, Some(periods));
        let mean = 0.03 / 6.0;
        // Squares of the deviations from 0.005: 2.25, 2.25, 6.25, 6.25, 0.25, 0.25 in units of 1e-4.
        let variance = (2.25 + 2.25 + 6.25 + 6.25 + 0.25 + 0.25) * 1e-4 / 5.0;
        // Of the returns themselves -1 and -2 hundredths are below zero.
        let below = (1.0 + 4.0) * 1e-4 / 6.0;
        assert!((figures.sharpe - periods.sqrt() * mean / f64::sqrt(variance)).abs() < 1e-12);
        assert!((figures.sortino - periods.sqrt() * mean / f64::sqrt(below)).abs() < 1e-12);
    }
}
