//! What every engine agrees on: a recipe that builds problem `p` anywhere, the budgets, and what is asked for.
//!
//! A job is a pure function from a problem's index to its certified solution. No path, covariance or random state is
//! ever stored for all problems: engines build what they need, when they need it, in any order.

use rayon::prelude::*;

use crate::certificate::Certificate;
use crate::covariance::RiskModel;
use crate::error::{Error, Result};
use crate::panel::Panel;
use crate::resample::Law;
use crate::solver::validity;
use crate::subsets::Subsets;
use crate::subsets::cap::Cap;

/// Where problem `p` comes from.
///
/// Generated sources are compositions of rows (identity | resampled), span (full | windows) and assets
/// (all | subset). Here are resampled x full x all, identity x full x subset, and explicit matrices. `Windows` (identity
/// x windows x all) is a further variant of this enum.
#[derive(Debug, Clone)]
pub enum Source {
    /// Problem `p` is the sample covariance of resample `p` of one history.
    Resampled { panel: Panel, law: Law },
    /// Problem `p` is the `p`-th of the given covariance matrices, row-major, n x n each. What counts as rounding in one
    /// depends on its numbers: on those of single precision, far more does ([`validity::Rounding`]).
    Given { covariances: Vec<f64>, assume_psd: bool },
    /// Problem `p` is the part of one covariance that belongs to subset `p`. A subset that `cap` bars is not measured.
    Subsets { universe: RiskModel, subsets: Subsets, cap: Option<Cap> },
}

/// A batch of risk-budgeting problems over the same assets with the same budgets.
#[derive(Debug, Clone)]
pub struct Batch {
    pub source: Source,
    /// Risk budgets: positive, summing to one. Assets with a zero budget have left before a batch is built.
    budgets: Vec<f64>,
    symmetrised: Option<Symmetrised>,
}

/// Given matrices of single-precision numbers that were symmetric up to rounding, and are so now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Symmetrised {
    pub matrices: u64,
    /// The largest difference of mirrored entries, relative to the volatilities.
    pub largest: f64,
}

impl Batch {
    /// Given matrices of single-precision numbers become symmetric here, where they are so up to rounding: certificates
    /// are computed from them as they stand in the batch.
    ///
    /// # Errors
    /// Budgets that are not positive and finite.
    ///
    /// # Panics
    /// Budgets, panel, law and matrices that are not of one size.
    pub fn new(mut source: Source, budgets: &[f64]) -> Result<Batch> {
        let total: f64 = budgets.iter().sum();
        if budgets.is_empty() || !total.is_finite() || budgets.iter().any(|&b| !(b > 0.0)) {
            return Err(Error::input("risk budgets must be positive numbers, at least one of them"));
        }
        let n = budgets.len();
        let mut symmetrised = None;
        match &mut source {
            Source::Resampled { panel, law } => {
                assert_eq!(panel.assets(), n, "one budget per asset");
                assert_eq!(panel.rows(), law.rows as usize, "the law is for this panel");
            }
            Source::Given { covariances, .. } => {
                assert_eq!(covariances.len() % (n * n), 0, "whole n x n matrices");
                let gaps = covariances.par_chunks_exact_mut(n * n).filter_map(|one| validity::symmetrise(one, n));
                let (matrices, largest) =
                    gaps.map(|gap| (1, gap)).reduce(|| (0, 0.0), |a, b| (a.0 + b.0, f64::max(a.1, b.1)));
                symmetrised = (matrices > 0).then_some(Symmetrised { matrices, largest });
            }
            Source::Subsets { subsets, .. } => {
                assert_eq!(subsets.size(), n, "one budget for each place in a subset");
                assert!(budgets.iter().all(|b| *b == budgets[0]), "subsets have equal budgets");
            }
        }
        // What sums to one up to rounding stays as it is.
        let exact = (total - 1.0).abs() <= n as f64 * f64::EPSILON;
        let budgets = budgets.iter().map(|b| if exact { *b } else { b / total }).collect();
        Ok(Batch { source, budgets, symmetrised })
    }

    /// Number n of assets of each problem.
    pub fn assets(&self) -> usize {
        self.budgets.len()
    }

    pub fn budgets(&self) -> &[f64] {
        &self.budgets
    }

    /// What was made symmetric of the given matrices.
    pub fn symmetrised(&self) -> Option<Symmetrised> {
        self.symmetrised
    }

    /// The index law of a resampled source.
    pub fn law(&self) -> Option<Law> {
        match self.source {
            Source::Resampled { law, .. } => Some(law),
            Source::Given { .. } | Source::Subsets { .. } => None,
        }
    }
}

/// The assets with a positive budget, in order.
pub fn active(budgets: &[f64]) -> Vec<usize> {
    (0..budgets.len()).filter(|&i| budgets[i] > 0.0).collect()
}

/// Rows and columns `keep` of an n x n matrix.
pub fn submatrix(matrix: &[f64], n: usize, keep: &[usize]) -> Vec<f64> {
    keep.iter().flat_map(|&i| keep.iter().map(move |&j| matrix[i * n + j])).collect()
}

/// What comes back beside weights and certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Want {
    /// Asset volatilities of each problem's covariance, and the volatilities of the inverse-volatility and
    /// equal-weight portfolios under it.
    pub comparisons: bool,
}

/// Columns of [`Want::comparisons`], one entry (or n entries) per problem.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Comparisons {
    /// Asset volatilities, problems x n. NaN rows where the input is invalid.
    pub volatilities: Vec<f64>,
    /// Volatility of the inverse-volatility portfolio under the problem's covariance.
    pub inverse_volatility: Vec<f64>,
    /// Volatility of the equal-weight portfolio under the problem's covariance.
    pub equal_weight: Vec<f64>,
}

/// Certified solutions of consecutive problems, in order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Solutions {
    /// Weights, problems x n, row-major. NaN rows where there are none (`no_solution`, `invalid`).
    pub weights: Vec<f64>,
    pub certificates: Vec<Certificate>,
    pub comparisons: Comparisons,
}

impl Solutions {
    /// Appends the solutions of the problems that follow.
    pub fn extend(&mut self, next: Solutions) {
        self.weights.extend(next.weights);
        self.certificates.extend(next.certificates);
        let (all, more) = (&mut self.comparisons, next.comparisons);
        all.volatilities.extend(more.volatilities);
        all.inverse_volatility.extend(more.inverse_volatility);
        all.equal_weight.extend(more.equal_weight);
    }

    /// Replaces the solutions at `positions` by those of `others`, in order.
    pub fn replace(&mut self, positions: &[usize], others: &Solutions) {
        let n = self.weights.len() / self.certificates.len().max(1);
        let (all, own) = (&mut self.comparisons, &others.comparisons);
        for (from, &to) in positions.iter().enumerate() {
            let (row, other) = (to * n..(to + 1) * n, from * n..(from + 1) * n);
            self.weights[row.clone()].copy_from_slice(&others.weights[other.clone()]);
            self.certificates[to] = others.certificates[from];
            if !own.volatilities.is_empty() {
                all.volatilities[row].copy_from_slice(&own.volatilities[other]);
                all.inverse_volatility[to] = own.inverse_volatility[from];
                all.equal_weight[to] = own.equal_weight[from];
            }
        }
    }
}
