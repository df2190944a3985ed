//! The one configuration of a screen.

use serde::{Deserialize, Serialize};

use super::Config;
use crate::covariance::Estimator;
use crate::error::{Error, Result};
use crate::methods::limits::Bounds;
use crate::resample::Scheme;
use crate::study::block::Block;
use crate::study::protocol;
use crate::study::setup::Setup;
use crate::subsets::Subsets;
use crate::subsets::space::{Pool, Space};

/// Winners on resamples of the history, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Again {
    pub winners: usize,
    pub resamples: u64,
    pub scheme: Scheme,
    pub block: Block,
}

/// What makes two screens the same, beside the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    pub study: String,
    /// SHA-256 of the returns or the covariance: names, row labels and values.
    pub data_sha256: String,
    /// The data are a covariance.
    pub covariance: bool,
    pub assume_psd: bool,
    /// The returns are logarithmic.
    pub log_returns: bool,
    pub size: usize,
    /// Assets of every subset, and of the others how many of each pool.
    pub included: Vec<u32>,
    pub pools: Vec<Pool>,
    pub sample: Option<u64>,
    pub max_correlation: Option<f64>,
    /// Least and largest weight of each asset.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// As it was asked for.
    pub config: Config,
    pub bootstrap: Option<Again>,
    /// Of the returns; none where the data are a covariance.
    pub estimator: Option<Estimator>,
    pub periods_per_year: Option<f64>,
    pub setup: Setup,
}

impl Spec {
    /// How subsets are ranked; every subset's figures are not wanted.
    pub fn config(&self) -> Config {
        let winners = self.bootstrap.map_or(0, |again| again.winners);
        Config { top: self.config.top.max(winners), crosscheck: self.setup.crosscheck, ..self.config.clone() }
    }

    /// The space of subsets of so many assets.
    ///
    /// # Errors
    /// No subset meets the constraints, or they are of other assets.
    pub fn space(&self, assets: usize) -> Result<Space> {
        let mut named: Vec<u32> = self.included.clone();
        self.pools.iter().for_each(|pool| named.extend(&pool.assets));
        named.sort_unstable();
        let repeated = named.windows(2).any(|pair| pair[0] == pair[1]);
        let foreign = self.bounds.as_ref().is_some_and(|bounds| bounds.assets() != assets);
        if repeated || foreign || named.last().is_some_and(|&asset| asset as usize >= assets) {
            return Err(Error::input("the run's constraints are not about its assets").hint("run the job again"));
        }
        Space::new(self.size, self.included.clone(), self.pools.clone())
    }

    /// The subsets that are screened, and how many they are.
    ///
    /// # Errors
    /// As [`Spec::space`]; a space that is too large.
    pub fn subsets(&self, seed: Option<u64>, assets: usize) -> Result<(Subsets, u64)> {
        let space = self.space(assets)?;
        let subsets = match self.sample {
            Some(sample) => Subsets::sampled(space, sample, seed.unwrap_or_default())?,
            None => Subsets::all(space)?,
        };
        let asked = self.sample.unwrap_or(u64::MAX);
        let count = subsets.space().count().map_or(asked, |count| count.min(asked));
        Ok((subsets, count))
    }
}

impl protocol::Spec for Spec {
    fn setup(&self) -> &Setup {
        &self.setup
    }

    fn is_sound(&self) -> bool {
        let positive = |x: &f64| *x > 0.0 && x.is_finite();
        self.estimator.is_none() == self.covariance
            && self.estimator.is_none_or(Estimator::is_sound)
            && self.config.top > 0
            && self.bounds.as_ref().is_none_or(Bounds::is_sound)
            && self.periods_per_year.is_none_or(|periods| positive(&periods))
            && self.setup.tolerance.is_none_or(|tolerance| positive(&tolerance))
    }
}
