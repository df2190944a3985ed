//! What a study compares risk budgeting with, as it is asked for.

use serde::{Deserialize, Serialize};

use crate::covariance::Estimator;
use crate::methods::{Method, Mix, Selection};

/// Methods, mixes and estimators to compare.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// Methods beside risk budgeting, by name; null where none was asked for.
    pub methods: Option<Vec<String>>,
    /// Fixed mixes of all assets.
    pub fixed: Vec<Mix>,
    /// Estimators under which the study is repeated.
    pub estimators: Vec<Estimator>,
}

impl Comparison {
    /// The methods, or `anyway` where none was asked for, and the mixes.
    pub fn selection(&self, anyway: &[Method]) -> Selection {
        let named = |name: &String| Method::NAMED.into_iter().find(|method| method.name() == name);
        let methods = match &self.methods {
            Some(names) => names.iter().filter_map(named).collect(),
            None => anyway.to_vec(),
        };
        Selection::new(&methods, self.fixed.clone())
    }

    /// Whether a run of assets with these budgets may have it.
    pub fn is_sound(&self, budgets: &[f64]) -> bool {
        let is_mix = |mix: &Mix| {
            let held = mix.weights.iter().zip(budgets).filter(|(_, budget)| **budget > 0.0);
            let total: f64 = held.map(|(weight, _)| weight).sum();
            mix.weights.len() == budgets.len() && mix.weights.iter().all(|w| w.is_finite()) && total > 0.0
        };
        self.methods.iter().flatten().all(|name| Method::NAMED.iter().any(|method| method.name() == name))
            && self.fixed.len() <= Method::MOST_FIXED
            && self.fixed.iter().all(is_mix)
            && self.estimators.iter().all(|estimator| estimator.is_sound())
    }
}
