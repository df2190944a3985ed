//! The one configuration of a bootstrap.

use serde::{Deserialize, Serialize};

use super::Config;
use crate::covariance::Estimator;
use crate::methods::{Method, RiskMeasure, Selection};
use crate::panel::Returns;
use crate::store::digest;
use crate::study::comparison::Comparison;
use crate::study::limited::Within;
use crate::study::protocol;
use crate::study::setup::Setup;

/// Resamples at most: beyond 2^53 a float no longer says which whole number is meant.
const MOST: u64 = 1 << 53;

/// What makes two bootstraps the same, beside the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub study: String,
    /// SHA-256 of the returns: names, row labels and values.
    pub data_sha256: String,
    /// One for each asset.
    pub budgets: Vec<f64>,
    /// What somebody holds, one for each asset.
    #[serde(default)]
    pub weights: Option<Vec<f64>>,
    /// What risk budgeting is compared with.
    #[serde(default)]
    pub comparison: Comparison,
    pub config: Config,
    pub estimator: Estimator,
    /// What is asked of weights beside budgets; null where nothing is.
    #[serde(default)]
    pub within: Option<Within>,
    /// What is budgeted.
    #[serde(default)]
    pub measure: RiskMeasure,
    pub setup: Setup,
}

impl Spec {
    pub fn of(returns: &Returns, budgets: &[f64], config: &Config, setup: Setup) -> Spec {
        Spec {
            study: "bootstrap".to_string(),
            data_sha256: digest::history(returns),
            budgets: budgets.to_vec(),
            weights: None,
            comparison: Comparison::default(),
            config: *config,
            estimator: config.estimator,
            within: None,
            measure: config.measure,
            setup,
        }
    }

    /// The methods that are compared.
    pub fn selection(&self) -> Selection {
        self.comparison.selection(&Method::CLOSED_FORMS).under(self.measure)
    }

    /// Whether nothing is estimated but sample covariances, beside the returns themselves.
    fn takes_rows(&self) -> bool {
        self.estimator == Estimator::Sample && self.comparison.estimators.is_empty()
    }

    /// With its seed.
    pub fn config(&self, seed: u64) -> Config {
        let Spec { estimator, measure, config, .. } = *self;
        Config { seed, crosscheck: self.setup.crosscheck, estimator, measure, ..config }
    }
}

impl protocol::Spec for Spec {
    fn setup(&self) -> &Setup {
        &self.setup
    }

    fn is_sound(&self) -> bool {
        let positive = |x: &f64| *x > 0.0 && x.is_finite();
        (1..=MOST).contains(&self.config.resamples)
            && self.config.windows >= 2
            && self.estimator.is_sound()
            && self.measure.is_sound()
            && (self.measure.is_volatility() || self.takes_rows() && self.within.is_none())
            && self.within.as_ref().is_none_or(|within| within.is_sound(self.budgets.len()))
            && self.comparison.is_sound(&self.budgets)
            && self
                .weights
                .as_ref()
                .is_none_or(|held| held.len() == self.budgets.len() && held.iter().all(|w| w.is_finite()))
            && self.budgets.iter().all(|b| *b >= 0.0 && b.is_finite())
            && self.config.periods_per_year.is_none_or(|periods| positive(&periods))
            && self.setup.tolerance.is_none_or(|tolerance| positive(&tolerance))
    }
}
