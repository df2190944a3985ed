//! How the covariances of a study were estimated, as it is told of.

use serde::Serialize;

use crate::covariance::estimator::Parameter;
use crate::covariance::{Estimate, Estimator};
use crate::study::statistics::summary::Summary;

/// The estimator of a study, and what its parameter came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Estimation {
    pub name: &'static str,
    /// Rows after which a row weighs half as much; null where all weigh alike.
    pub half_life: Option<f64>,
    /// As many rows, weighed alike, would estimate a mean as well; null where they are weighed alike.
    pub effective_rows: Option<f64>,
    /// Of shrinkage; null where the estimator has none, and where every problem has its own.
    pub intensity: Option<Told>,
    /// Eigenvalues that were kept; null but for `denoised`.
    pub kept: Option<Told>,
}

/// The parameter of an estimator.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Told {
    /// Of the full history.
    pub point: f64,
    /// Over the resamples.
    #[serde(flatten)]
    pub resamples: Option<OverResamples>,
}

/// A figure over the resamples that have a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct OverResamples {
    pub mean: f64,
    pub q05: f64,
    pub q95: f64,
}

impl Estimation {
    /// From so many rows, where every problem has its own parameter.
    pub fn by(estimator: Estimator, rows: usize) -> Estimation {
        let half_life = match estimator {
            Estimator::Ewma { half_life } => Some(half_life),
            _ => None,
        };
        let effective_rows = half_life.map(|_| estimator.weighting(rows).effective_rows(rows));
        Estimation { name: estimator.name(), half_life, effective_rows, intensity: None, kept: None }
    }

    /// Of the full history, of so many rows.
    pub fn of(estimate: &Estimate, rows: usize) -> Estimation {
        let told = |parameter: Parameter| {
            let point = estimate.refined.parameter.filter(|_| estimate.estimator.parameter() == Some(parameter))?;
            Some(Told { point, resamples: None })
        };
        let (intensity, kept) = (told(Parameter::Intensity), told(Parameter::Kept));
        Estimation { intensity, kept, ..Estimation::by(estimate.estimator, rows) }
    }

    /// With the parameter over the resamples, where it is known.
    #[must_use]
    pub fn over(self, resamples: Option<Summary>) -> Estimation {
        let resamples = resamples.map(|Summary { mean, q05, q95, .. }| OverResamples { mean, q05, q95 });
        let told = |told: Told| Told { resamples, ..told };
        Estimation { intensity: self.intensity.map(told), kept: self.kept.map(told), ..self }
    }

    /// The intensity of the full history.
    pub fn shrinkage(&self) -> Option<f64> {
        self.intensity.map(|told| told.point)
    }
}
