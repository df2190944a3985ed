//! What is screened: the history or the covariance, checked once for all subsets.

use super::{Question, Spec};
use crate::covariance::Universe;
use crate::error::{Error, Result};
use crate::methods::risk_budgeting::validity;
use crate::panel::{Panel, Returns};
use crate::study::solve::rejected;
use crate::subsets::Subsets;

/// The assets and how they move.
#[derive(Debug)]
pub struct Screenable {
    pub assets: Vec<String>,
    pub universe: Universe,
    /// What the covariance is of; none where there is a covariance alone.
    pub returns: Option<Returns>,
    /// The same as simple returns, where they are logarithmic.
    pub simple: Option<Returns>,
}

impl Screenable {
    /// # Errors
    /// A history without a covariance, or a matrix that is none.
    pub fn of(data: Returns, spec: &Spec) -> Result<Screenable> {
        let (assets, n) = (data.assets.clone(), data.assets.len());
        if spec.covariance {
            if data.values.len() != n * n {
                return Err(Error::input(format!("{} numbers are no covariance of {n} assets", data.values.len())));
            }
            let names: Vec<&str> = assets.iter().map(String::as_str).collect();
            let model = validity::model(&data.values, spec.assume_psd).map_err(|flaw| rejected(flaw, &names))?;
            return Ok(Screenable { assets, universe: model.into(), returns: None, simple: None });
        }
        let universe = Universe::estimated(&Panel::new(&data)?, spec.estimator.unwrap_or_default());
        let universe = universe.map_err(|still| still.named(&assets))?;
        // A portfolio's return is the mean of simple ones.
        let simple = spec
            .log_returns
            .then(|| Returns { values: data.values.iter().map(|r| r.exp_m1()).collect(), ..data.clone() });
        Ok(Screenable { assets, universe, returns: Some(data), simple })
    }

    pub fn question<'a>(&'a self, spec: &'a Spec, subsets: &'a Subsets) -> Question<'a> {
        Question {
            assets: &self.assets,
            universe: &self.universe,
            estimator: spec.estimator.unwrap_or_default(),
            returns: self.returns.as_ref(),
            simple: self.simple.as_ref().or(self.returns.as_ref()),
            subsets,
            max_correlation: spec.max_correlation,
            bounds: spec.bounds.as_ref(),
            periods_per_year: spec.periods_per_year,
        }
    }
}
