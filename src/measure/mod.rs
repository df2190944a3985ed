//! What is measured of a subset's portfolio: stage `measure`.

pub mod bets;

use serde::{Deserialize, Serialize};

use crate::methods::certificate::Status;

/// A figure of a portfolio under the covariance it was solved for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Metric {
    /// sigma_p per period.
    Volatility,
    /// sum_i w_i sigma_i / sigma_p (Choueifaty & Coignard 2008).
    Diversification,
    /// exp(- sum_m p_m ln p_m), p_m the share of variance along principal component m of the subset's correlation
    /// (Meucci 2009).
    EffectiveBets,
    /// Largest weight.
    MaxWeight,
    /// Mean correlation over the pairs.
    MeanCorrelation,
}

impl Metric {
    pub const ALL: [Metric; 5] = [
        Metric::Volatility,
        Metric::Diversification,
        Metric::EffectiveBets,
        Metric::MaxWeight,
        Metric::MeanCorrelation,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Metric::Volatility => "volatility",
            Metric::Diversification => "diversification",
            Metric::EffectiveBets => "effective-bets",
            Metric::MaxWeight => "max-weight",
            Metric::MeanCorrelation => "mean-correlation",
        }
    }

    /// Whether the largest value is the best.
    pub const fn larger_is_better(self) -> bool {
        matches!(self, Metric::Diversification | Metric::EffectiveBets)
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// Columns of what was measured of consecutive problems: nothing else of a screen is kept.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Measured {
    /// How each problem ended; none where it was barred and not solved.
    pub statuses: Vec<Option<Status>>,
    /// Problems that the GPU could not finish.
    pub rescued: u64,
    /// NaN unless converged, as in all columns. Within bounds, what is left of the conditions of the best weights.
    pub rc_error: Vec<f64>,
    /// One column for each metric asked for.
    pub columns: Vec<Vec<f64>>,
}

impl Measured {
    /// Columns without entries.
    pub fn new(metrics: usize) -> Measured {
        Measured { columns: vec![Vec::new(); metrics], ..Measured::default() }
    }

    /// Nothing measured yet of so many problems.
    pub fn unmeasured(problems: usize, metrics: usize) -> Measured {
        Measured {
            statuses: vec![None; problems],
            rescued: 0,
            rc_error: vec![f64::NAN; problems],
            columns: vec![vec![f64::NAN; problems]; metrics],
        }
    }

    /// Replaces what was measured at `positions` by that of `others` from the one at `first` on, in order.
    pub fn replace(&mut self, positions: &[usize], others: &Measured, first: usize) {
        for (from, &to) in (first..).zip(positions) {
            self.statuses[to] = others.statuses[from];
            self.rc_error[to] = others.rc_error[from];
            for (column, own) in self.columns.iter_mut().zip(&others.columns) {
                column[to] = own[from];
            }
        }
    }

    /// Appends the problems that follow.
    pub fn extend(&mut self, next: &Measured) {
        self.statuses.extend_from_slice(&next.statuses);
        self.rescued += next.rescued;
        self.rc_error.extend_from_slice(&next.rc_error);
        for (column, more) in self.columns.iter_mut().zip(&next.columns) {
            column.extend_from_slice(more);
        }
    }
}

/// A metric of one portfolio with correlations C (n x n) and x_i = w_i sigma_i, in plain arithmetic.
pub fn metric(metric: Metric, correlation: &[f64], weights: &[f64], x: &[f64], volatility: f64) -> f64 {
    let n = weights.len();
    match metric {
        Metric::Volatility => volatility,
        Metric::Diversification => x.iter().sum::<f64>() / volatility,
        Metric::EffectiveBets => bets::of_one(correlation, x),
        Metric::MaxWeight => weights.iter().copied().fold(0.0, f64::max),
        Metric::MeanCorrelation => {
            let below: f64 = (0..n).map(|i| correlation[i * n..i * n + i].iter().sum::<f64>()).sum();
            2.0 * below / (n * (n - 1)) as f64
        }
    }
}
