//! Summaries of a distribution over resamples, each number with its Monte Carlo error.

use serde::Serialize;

use crate::stats;

/// Mean, spread and central quantiles, and their Monte Carlo standard errors. Null where there are too few values.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Summary {
    pub mean: f64,
    pub sd: f64,
    pub q05: f64,
    pub q50: f64,
    pub q95: f64,
    pub mc_error: SummaryError,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SummaryError {
    pub mean: f64,
    pub sd: f64,
    pub q05: f64,
    pub q50: f64,
    pub q95: f64,
}

impl Summary {
    pub fn of(values: impl IntoIterator<Item = f64>) -> Summary {
        let mut values: Vec<f64> = values.into_iter().collect();
        let moments = stats::moments(&values);
        let count = values.len();
        stats::sort(&mut values);
        let q = |q| stats::quantile(&values, q);
        let e = |q| stats::quantile_error(&values, q);
        Summary {
            mean: moments.mean,
            sd: moments.sd,
            q05: q(0.05),
            q50: q(0.5),
            q95: q(0.95),
            mc_error: SummaryError {
                mean: moments.mean_error(count),
                sd: moments.sd_error(count),
                q05: e(0.05),
                q50: e(0.5),
                q95: e(0.95),
            },
        }
    }
}
