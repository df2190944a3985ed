//! How the covariances of a study were estimated, as it is told of.

use serde::Serialize;

use crate::covariance::Estimator;
use crate::study::statistics::summary::Summary;

/// The estimator of a study, and what its parameter came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimation {
    pub name: &'static str,
    /// Rows after which a row weighs half as much; null where all weigh alike.
    pub half_life: Option<f64>,
    /// As many rows, weighed alike, would estimate a mean as well; null where they are weighed alike.
    pub effective_rows: Option<f64>,
    /// Null where the estimator does not shrink, and where every problem has its own.
    pub intensity: Option<Intensity>,
}

/// The intensity of shrinkage.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Intensity {
    /// Of the full history.
    pub point: f64,
    /// Over the resamples.
    #[serde(flatten)]
    pub resamples: Option<OverResamples>,
}

/// A figure over the resamples whose input was valid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OverResamples {
    pub mean: f64,
    pub q05: f64,
    pub q95: f64,
}

impl From<Summary> for OverResamples {
    fn from(Summary { mean, q05, q95, .. }: Summary) -> OverResamples {
        OverResamples { mean, q05, q95 }
    }
}

impl Estimation {
    /// From so many rows.
    pub fn of(estimator: Estimator, rows: usize, intensity: Option<Intensity>) -> Estimation {
        let half_life = match estimator {
            Estimator::Ewma { half_life } => Some(half_life),
            _ => None,
        };
        let effective_rows = half_life.map(|_| estimator.weighting(rows).effective_rows(rows));
        Estimation { name: estimator.name(), half_life, effective_rows, intensity }
    }
}
