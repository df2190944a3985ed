//! The one configuration of a backtest.

use serde::{Deserialize, Serialize};

use super::config::Config;
use super::grid::Grid;
use super::{fan, paths};
use crate::covariance::Estimator;
use crate::methods::{Method, Mix};
use crate::study::limited::Within;
use crate::study::protocol;
use crate::study::setup::Setup;

/// What makes two backtests the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub study: String,
    /// SHA-256 of the returns and of cash: names, row labels and values.
    pub data_sha256: String,
    /// One for each asset.
    pub budgets: Vec<f64>,
    /// By name, in the order of the tables.
    pub methods: Vec<String>,
    /// Parts of wealth.
    pub fixed: Vec<Mix>,
    /// By name.
    pub benchmark: String,
    pub estimator: Estimator,
    /// What is asked of weights beside budgets; null where nothing is.
    #[serde(default)]
    pub within: Option<Within>,
    pub config: Config,
    /// Other settings of the same question; null where none is asked for.
    #[serde(default)]
    pub grid: Option<Grid>,
    /// Other paths of the history; null where none is asked for.
    #[serde(default)]
    pub paths: Option<paths::Resampling>,
    /// Resamples of the windows; null where none are asked for.
    #[serde(default)]
    pub fan: Option<fan::Resampling>,
    pub setup: Setup,
}

impl Spec {
    pub fn methods(&self) -> Vec<Method> {
        let named = |name: &String| Method::NAMED.into_iter().find(|method| method.name() == name);
        self.methods.iter().filter_map(named).collect()
    }
}

impl protocol::Spec for Spec {
    fn setup(&self) -> &Setup {
        &self.setup
    }

    fn is_sound(&self) -> bool {
        let n = self.budgets.len();
        let positive = |x: &f64| *x > 0.0 && x.is_finite();
        let from_zero = |x: &f64| *x >= 0.0 && x.is_finite();
        self.methods().len() == self.methods.len()
            && !(self.methods.is_empty() && self.fixed.is_empty())
            && self.fixed.len() <= Method::MOST_FIXED
            && self.fixed.iter().all(|mix| mix.weights.len() == n && mix.weights.iter().all(from_zero))
            && self.budgets.iter().all(from_zero)
            && self.estimator.is_sound()
            && self.within.as_ref().is_none_or(|within| within.is_sound(n))
            && self.config.is_sound(n)
            && self.grid.as_ref().is_none_or(|grid| grid.is_sound(n))
            && self.paths.is_none_or(|paths| paths.is_sound())
            && self.fan.is_none_or(|fan| fan.is_sound())
            && self.setup.tolerance.is_none_or(|tolerance| positive(&tolerance))
    }
}
