//! The one configuration of a batch of given matrices.

use serde::{Deserialize, Serialize};

use crate::study::comparison::Comparison;
use crate::study::limited::Within;
use crate::study::protocol;
use crate::study::setup::Setup;

/// What makes two batches the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub study: String,
    /// SHA-256 of the matrices.
    pub data_sha256: String,
    pub problems: u64,
    /// One for each asset.
    pub budgets: Vec<f64>,
    pub assume_psd: bool,
    /// What is asked of weights beside budgets; null where nothing is.
    #[serde(default)]
    pub within: Option<Within>,
    /// What risk budgeting is compared with.
    #[serde(default)]
    pub comparison: Comparison,
    pub setup: Setup,
}

impl protocol::Spec for Spec {
    fn setup(&self) -> &Setup {
        &self.setup
    }

    fn is_sound(&self) -> bool {
        let tolerance = self.setup.tolerance.is_none_or(|tolerance| tolerance > 0.0 && tolerance.is_finite());
        tolerance
            && self.comparison.is_sound(&self.budgets)
            && !self.budgets.is_empty()
            && self.within.as_ref().is_none_or(|within| within.is_sound(self.budgets.len()))
            && self.budgets.iter().all(|b| *b >= 0.0 && b.is_finite())
    }
}
