//! How a covariance is estimated from the rows of a problem, and from these alone.
//!
//! An estimator is a pure function of the rows of its problem: nothing of the full history enters that of a resample. The
//! sample covariance and the exponentially weighted one are sums of products of rows, whose weights differ
//! ([`Weighting`]). The others begin with the sample covariance and replace its correlations.
//!
//! Shrinkage works in correlation units: rows are divided by their own standard deviations, and volatilities are kept.
//! Then no weight depends on the units of an asset. With T rows x_t of mean m, s0^2 the mean of (x - m)^2, and
//! C the sample correlation,
//!
//! ```text
//! y = (x - m) / s0        C = y'y / T        delta = sum_{i != j} C_ij^2        rbar = mean_{i != j} C_ij
//! C* = (1 - rho) C + rho F                   F = I, or constant correlation
//! ```

mod constant_correlation;
mod denoised;
pub mod fourth_moments;
mod gerber;
mod ledoit_wolf;
mod nonlinear;
mod oas;
mod raw;
pub(super) mod refining;
pub mod shrinkage;
mod spectrum;

use serde::{Deserialize, Serialize};

use crate::sampling::Weighting;
pub use refining::{Layouts, Refined, Refining, Room};

/// How a covariance is estimated from returns.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Estimator {
    /// The sample covariance, divisor T - 1.
    #[default]
    Sample,
    /// Rows weigh half as much with every half-life: `DataFrame.ewm(halflife=H).cov()` of pandas.
    Ewma {
        /// In rows.
        half_life: f64,
    },
    /// Towards no correlation (Ledoit & Wolf 2004), in correlation units.
    LedoitWolf,
    /// Towards one correlation for all pairs (Ledoit & Wolf 2004, "Honey, I shrunk the sample covariance matrix"), in
    /// correlation units.
    ConstantCorrelation,
    /// Towards no correlation, by the oracle-approximating intensity (Chen, Wiesel, Eldar & Hero 2010), in correlation
    /// units.
    Oas,
    /// As `LedoitWolf` in the units of the returns, towards equal variances, as libraries have it: weights depend on the
    /// units of each asset.
    LedoitWolfRaw,
    /// As `Oas` in the units of the returns.
    OasRaw,
    /// How often assets move far together (Gerber et al. 2022), with the volatilities of the sample.
    Gerber,
    /// Quadratic-inverse shrinkage of the eigenvalues of the correlation (Ledoit & Wolf 2022).
    Nonlinear,
    /// Eigenvalues of the correlation within the reach of noise become their mean (Lopez de Prado 2020).
    Denoised,
}

/// What an estimator is told by, beside its covariance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parameter {
    /// The intensity of shrinkage, from 0 to 1.
    Intensity,
    /// The number of eigenvalues that were kept.
    Kept,
}

impl Estimator {
    /// As it is asked for and told of.
    pub const fn name(self) -> &'static str {
        match self {
            Estimator::Sample => "sample",
            Estimator::Ewma { .. } => "ewma",
            Estimator::LedoitWolf => "ledoit-wolf",
            Estimator::ConstantCorrelation => "constant-correlation",
            Estimator::Oas => "oas",
            Estimator::LedoitWolfRaw => "ledoit-wolf-raw",
            Estimator::OasRaw => "oas-raw",
            Estimator::Gerber => "gerber",
            Estimator::Nonlinear => "nonlinear",
            Estimator::Denoised => "denoised",
        }
    }

    /// What rows count, in sets of up to so many.
    pub fn weighting(self, rows: usize) -> Weighting {
        match self {
            Estimator::Ewma { half_life } => Weighting::exponential(half_life, rows),
            _ => Weighting::Equal,
        }
    }

    /// Whether its covariance of some assets is part of that of all: entry by entry, from two columns of the rows.
    pub fn is_entry_wise(self) -> bool {
        matches!(self, Estimator::Sample | Estimator::Ewma { .. } | Estimator::Gerber)
    }

    /// Whether all it does to correlations of the sample is to move them, all alike, towards one number.
    pub fn is_linear(self) -> bool {
        matches!(self, Estimator::LedoitWolf | Estimator::ConstantCorrelation | Estimator::Oas)
    }

    /// Whether something becomes of the weighted covariance of the rows.
    pub fn refines(self) -> bool {
        !matches!(self, Estimator::Sample | Estimator::Ewma { .. })
    }

    /// What it is told by; none of some.
    pub fn parameter(self) -> Option<Parameter> {
        match self {
            Estimator::Sample | Estimator::Ewma { .. } | Estimator::Gerber | Estimator::Nonlinear => None,
            Estimator::Denoised => Some(Parameter::Kept),
            _ => Some(Parameter::Intensity),
        }
    }

    /// Whether GPUs take it.
    pub fn is_on_devices(self) -> bool {
        self.is_linear() || matches!(self, Estimator::Sample | Estimator::Ewma { .. } | Estimator::Gerber)
    }

    /// Whether its intensity takes a pass over the rows, beside their covariance.
    pub fn reads_rows(self) -> bool {
        matches!(self, Estimator::LedoitWolf | Estimator::ConstantCorrelation | Estimator::LedoitWolfRaw)
    }

    /// Whether that pass takes all sums.
    pub fn reads_cubes(self) -> bool {
        self == Estimator::ConstantCorrelation
    }

    /// Whether its parameter, if it has one, is in range.
    pub fn is_sound(self) -> bool {
        match self {
            Estimator::Ewma { half_life } => half_life >= SHORTEST && half_life.is_finite(),
            _ => true,
        }
    }
}

/// Half-lives are no shorter, in rows: the newest row would be all there is.
pub const SHORTEST: f64 = 0.1;
