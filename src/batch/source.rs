//! Where problem `p` comes from: a covariance, and the assets of it that the problem is about.

use std::borrow::Cow;
use std::sync::Arc;

use super::assets::Assets;
use crate::covariance::{Estimator, Universe};
use crate::panel::Panel;
use crate::sampling::Rows;

/// Every set of assets of every covariance: with A sets of assets, problem `p` is set `p % A` of covariance `p / A`, so
/// that one covariance serves all its subsets.
#[derive(Debug, Clone)]
pub struct Source<'a> {
    pub covariances: Covariances<'a>,
    pub assets: Assets,
}

/// Covariances by number.
#[derive(Debug, Clone)]
pub enum Covariances<'a> {
    /// Matrices of so many assets, row-major, one after the other, checked when they are solved. What counts as rounding
    /// in one depends on its numbers: on those of single precision, far more does
    /// ([`crate::methods::risk_budgeting::validity::Rounding`]). With `assume_psd` they are not searched for negative variances.
    Given { matrices: Cow<'a, [f64]>, assets: usize, assume_psd: bool },
    /// One, checked already.
    Known(Arc<Universe>),
    /// Estimated from sets of rows of one history.
    Estimated { panel: Arc<Panel>, rows: Rows, estimator: Estimator },
}

impl Covariances<'_> {
    /// Covariances there are.
    pub fn count(&self) -> u64 {
        match self {
            Covariances::Given { matrices, assets, .. } => (matrices.len() / (assets * assets).max(1)) as u64,
            Covariances::Known(_) => 1,
            Covariances::Estimated { rows, .. } => rows.count(),
        }
    }

    /// Assets of each.
    pub fn assets(&self) -> usize {
        match self {
            Covariances::Given { assets, .. } => *assets,
            Covariances::Known(universe) => universe.assets(),
            Covariances::Estimated { panel, .. } => panel.assets(),
        }
    }
}
