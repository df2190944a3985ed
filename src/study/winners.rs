//! Would the winners of a screen win again? The history is resampled, each winner solved on every resample, and the
//! winners ranked against each other.

use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::block::{Block, block_length};
use super::screen::figure::Figure;
use super::screen::finalist::path as path_of;
use super::screen::values::{Asking, values};
use super::statistics::summary::Summary;
use crate::batch::Covariances;
use crate::covariance::Estimator;
use crate::error::Result;
use crate::panel::{Panel, Returns};
use crate::resample::{LAW, Law, Scheme};
use crate::run::Context;
use crate::sampling::Rows;
use crate::stats;

/// Places that count as winning again, or half of the winners where there are fewer than twice as many.
const PLACES: usize = 10;

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    pub resamples: u64,
    pub scheme: Scheme,
    pub block: Block,
    pub seed: u64,
    pub periods_per_year: Option<f64>,
    /// Of the batch among those of the study.
    pub number: u32,
}

/// How a winner fared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Winner {
    /// Its place in the screen, from 1.
    pub place: usize,
    pub assets: Vec<String>,
    /// P(among the best places | resample), with its Monte Carlo error.
    pub probability: f64,
    pub mc_error: f64,
    pub mean_place: f64,
    /// The figure over the resamples.
    pub value: Summary,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub figure: Figure,
    /// What counts as winning again: a place up to this.
    pub places: usize,
    pub resamples: u64,
    /// Resamples on which every winner has a portfolio: only these count.
    pub counted: u64,
    pub scheme: Scheme,
    pub block_length: f64,
    pub seed: u64,
    pub law: &'static str,
    pub winners: Vec<Winner>,
}

/// Resamples `returns`, of which covariances are made, with the same rows of `simple`, of which paths are, and ranks
/// `winners` on each resample.
///
/// # Errors
/// A history that cannot be resampled, a block length out of range.
pub fn winners(
    (returns, simple): (&Returns, &Returns),
    winners: &[Vec<u32>],
    figure: Figure,
    config: &Config,
    context: &mut Context,
) -> Result<Outcome> {
    // Only the assets some winner holds.
    let mut held: Vec<usize> = winners.iter().flatten().map(|&asset| asset as usize).collect();
    held.sort_unstable();
    held.dedup();
    let place_of = |asset: u32| held.binary_search(&(asset as usize)).unwrap_or_default() as u32;
    let subsets: Vec<Vec<u32>> = winners.iter().map(|assets| assets.iter().map(|&a| place_of(a)).collect()).collect();
    let (history, paths) = (returns.select(&held), simple.select(&held));
    let panel = Panel::new(&history)?;
    let (length, _) = block_length(&history, None, config.scheme, config.block, context.observer);
    let law = Law::new(config.scheme, length, panel.rows(), config.seed, 0)?;
    let rows = Rows::Resampled { law, resamples: config.resamples };
    let covariances = Covariances::Estimated { panel: Arc::new(panel), rows, estimator: Estimator::Sample };
    let sets = subsets.len() as u64;
    let path = |problem: u64, weights: &[f64]| {
        path_of(&drawn(&paths, &law, problem / sets), &subsets[(problem % sets) as usize], weights)
    };
    let asking = Asking { figure, periods_per_year: config.periods_per_year, path: &path, number: config.number };
    let all = values(covariances, &subsets, &asking, None, context)?;
    // Only resamples on which every winner has a figure count.
    let counted: Vec<&[f64]> =
        all.chunks_exact(subsets.len()).filter(|values| values.iter().all(|value| value.is_finite())).collect();
    let sign = if figure.larger_is_better() { 1.0 } else { -1.0 };
    let places: Vec<Vec<f64>> = counted
        .par_iter()
        .map(|values| {
            let signed: Vec<f64> = values.iter().map(|value| sign * value).collect();
            let mut places = vec![0.0; signed.len()];
            stats::descending_ranks(&signed, &mut Vec::new(), &mut places);
            places
        })
        .collect();
    let best = PLACES.min(winners.len().div_ceil(2));
    let winner = |at: usize| {
        let again = places.iter().filter(|places| places[at] <= best as f64).count();
        let probability = again as f64 / places.len() as f64;
        Winner {
            place: at + 1,
            assets: winners[at].iter().map(|&asset| returns.assets[asset as usize].clone()).collect(),
            probability,
            mc_error: stats::probability_error(probability, places.len()),
            mean_place: places.iter().map(|places| places[at]).sum::<f64>() / places.len() as f64,
            value: Summary::of(counted.iter().map(|values| values[at])),
        }
    };
    Ok(Outcome {
        figure,
        places: best,
        resamples: config.resamples,
        counted: counted.len() as u64,
        scheme: config.scheme,
        block_length: length,
        seed: config.seed,
        law: LAW,
        winners: (0..winners.len()).map(winner).collect(),
    })
}

/// The rows of a resample, in the order it draws them.
fn drawn(history: &Returns, law: &Law, resample: u64) -> Returns {
    let n = history.assets.len();
    let rows = law.rows as usize;
    let mut values = Vec::with_capacity(history.values.len());
    law.runs(resample, |start, length| {
        for row in (start as usize..(start + length) as usize).map(|row| row % rows) {
            values.extend_from_slice(&history.values[row * n..(row + 1) * n]);
        }
    });
    Returns { values, ..history.clone() }
}
