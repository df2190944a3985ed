//! The first resamples' weights on the rows these resamples left out.

use rayon::prelude::*;
use serde::Serialize;

use super::figure::Setting;
use super::summary::Summary;
use super::turnover::converged;
use crate::error::Result;
use crate::observer::Observer;
use crate::stats;
use crate::store::blocks::Blocks;

/// The resample's weights on the rows the resample left out. These rows are not independent of those it used: the
/// dispersion is about twice that of a true hold-out, so this stands beside `realised`, never instead of it.
#[derive(Debug, Clone, Serialize)]
pub struct OutOfBag {
    pub resamples: usize,
    /// Volatility on the left-out rows over volatility under the resample's covariance.
    pub volatility_ratio: Summary,
    pub max_error: Summary,
}

/// Resamples whose left-out rows are evaluated.
const RESAMPLES: usize = 1000;

/// One for each method.
type Each<T> = Vec<T>;

/// A resample's portfolios: weights, and volatility under its own covariance.
struct Portfolios {
    resample: u64,
    weights: Each<Vec<f64>>,
    volatility: Each<f64>,
}

/// For each method; none where resamples leave fewer than 2 n rows out.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn out_of_bag(
    setting: &Setting,
    blocks: &dyn Blocks,
    observer: &mut dyn Observer,
) -> Result<Each<Option<OutOfBag>>> {
    let (methods, mut portfolios) = (&setting.methods, Vec::new());
    converged(blocks, observer, |block, at, resample| {
        portfolios.push(Portfolios {
            resample,
            weights: methods.iter().map(|method| block.weights_of(*method, setting.selection, at)).collect(),
            volatility: methods.iter().map(|method| block.volatility_of(*method, at)).collect(),
        });
        portfolios.len() < RESAMPLES
    })?;
    let mut figures = Vec::new();
    for some in portfolios.chunks(16 * rayon::current_num_threads()) {
        observer.check()?;
        let some: Option<Vec<Each<(f64, f64)>>> = some.par_iter().map(|one| evaluate(setting, one)).collect();
        let Some(some) = some else { return Ok(methods.iter().map(|_| None).collect()) };
        figures.extend(some);
    }
    let of = |place: usize| {
        // A method may have no portfolio where risk budgeting has one.
        let figures = || figures.iter().map(|figures| figures[place]).filter(|(ratio, _)| !ratio.is_nan());
        (figures().count() > 0).then(|| OutOfBag {
            resamples: figures().count(),
            volatility_ratio: Summary::of(figures().map(|f| f.0)),
            max_error: Summary::of(figures().map(|f| f.1)),
        })
    };
    Ok((0..methods.len()).map(of).collect())
}

/// Volatility on the rows left out over that under the resample's covariance, and the largest error of the risk shares.
fn evaluate(setting: &Setting, portfolios: &Portfolios) -> Option<Each<(f64, f64)>> {
    let n = setting.assets.len();
    let mut counts = vec![0; setting.panel.rows()];
    setting.law.counts(portfolios.resample, &mut counts);
    let rows = setting.panel.values().chunks_exact(n).zip(&counts);
    let left: Vec<&[f64]> = rows.filter(|(_, count)| **count == 0).map(|(row, _)| row).collect();
    if left.len() < 2 * n {
        return None;
    }
    let of = |(weights, volatility): (&Vec<f64>, &f64)| {
        let exposure: Vec<f64> = weights.iter().zip(setting.panel.volatilities()).map(|(w, s)| w * s).collect();
        let returns: Vec<f64> = left.iter().map(|z| z.iter().zip(&exposure).map(|(z, x)| z * x).sum()).collect();
        let centre = stats::mean(&returns);
        let squares: f64 = returns.iter().map(|r| (r - centre) * (r - centre)).sum();
        let (_, shares) = setting.measure.shares(&left, &exposure, setting.panel.means());
        let errors = shares.iter().zip(setting.budgets).map(|(share, b)| (share / b - 1.0).abs());
        ((squares / (left.len() - 1) as f64).sqrt() / volatility, errors.fold(0.0, f64::max))
    };
    Some(portfolios.weights.iter().zip(&portfolios.volatility).map(of).collect())
}
