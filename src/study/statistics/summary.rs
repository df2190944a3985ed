//! Summaries of a distribution over resamples, each number with its Monte Carlo error.

use serde::Serialize;

use super::distribution::{Distribution, Quantile};
use crate::stats::{self, Moments};

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
        stats::sort(&mut values);
        let quantile = |q| Quantile { value: stats::quantile(&values, q), error: stats::quantile_error(&values, q) };
        Summary::new(moments, values.len(), quantile)
    }

    /// Of the same numbers with the other sign.
    #[must_use]
    pub fn negated(self) -> Summary {
        let SummaryError { q05, q95, .. } = self.mc_error;
        let mc_error = SummaryError { q05: q95, q95: q05, ..self.mc_error };
        Summary { mean: -self.mean, sd: self.sd, q05: -self.q95, q50: -self.q50, q95: -self.q05, mc_error }
    }

    fn new(moments: Moments, count: usize, quantile: impl Fn(f64) -> Quantile) -> Summary {
        let [q05, q50, q95] = [0.05, 0.5, 0.95].map(quantile);
        Summary {
            mean: moments.mean,
            sd: moments.sd,
            q05: q05.value,
            q50: q50.value,
            q95: q95.value,
            mc_error: SummaryError {
                mean: moments.mean_error(count),
                sd: moments.sd_error(count),
                q05: q05.error,
                q50: q50.error,
                q95: q95.error,
            },
        }
    }
}

/// Of a column of which these quantiles were asked.
impl From<&Distribution> for Summary {
    fn from(found: &Distribution) -> Summary {
        Summary::new(found.moments, found.count, |q| found.quantile(q))
    }
}
