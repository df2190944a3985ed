//! Would the winners of a screen win again? The history is resampled, each winner solved on every resample, and the
//! winners ranked against each other.
//!
//! The winners were chosen on the very history that is resampled, so that this answers too optimistically. Where it is affordable,
//! the choice itself is repeated: every subset is solved on the resamples, and the best are chosen again out of all.

use std::collections::HashMap;
use std::sync::Arc;

use rayon::prelude::*;
use serde::Serialize;

use super::block::{Block, block_length};
use super::screen::figure::Figure;
use super::screen::values::{Asking, values};
use super::statistics::summary::Summary;
use crate::batch::Covariances;
use crate::covariance::Estimator;
use crate::error::Result;
use crate::methods::limits::Bounds;
use crate::panel::{Panel, Returns};
use crate::resample::{LAW, Law, Scheme};
use crate::run::Context;
use crate::sampling::Rows;
use crate::stats;

/// Places that count as winning again, or half of the winners where there are fewer than twice as many.
const PLACES: usize = 10;

/// The choice is repeated among so many subsets at most, on the first so many resamples.
const MOST_SUBSETS: u64 = 5_000;
const RESELECTED: u64 = 200;

/// Multiplications that this may take: some seconds of one core.
const MOST_WORK: f64 = 4e9;

/// Of a solution of k assets, as a multiple of k^2.
const OF_A_SOLUTION: f64 = 20.0;

/// The resamples on which the best of `subsets` of `size` assets each can be chosen again; none where that is too much:
///
/// ```text
/// subsets <= 5,000   and   subsets resamples (20 size^2 + [path] rows size) <= 4e9,    resamples = min(B, 200)
/// ```
pub fn affordable(subsets: u64, size: usize, rows: usize, figure: Figure, resamples: u64) -> Option<u64> {
    let resamples = resamples.min(RESELECTED);
    let size = size as f64;
    let path = if figure.is_of_the_path() { rows as f64 * size } else { 0.0 };
    let work = subsets as f64 * resamples as f64 * (OF_A_SOLUTION * size * size + path);
    (subsets <= MOST_SUBSETS && work <= MOST_WORK).then_some(resamples)
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config<'a> {
    pub resamples: u64,
    pub scheme: Scheme,
    pub block: Block,
    pub seed: u64,
    pub estimator: Estimator,
    pub periods_per_year: Option<f64>,
    /// Of the weights of all assets.
    pub bounds: Option<&'a Bounds>,
    /// Of the batch among those of the study; the one after it repeats the choice.
    pub number: u32,
}

/// How a winner fared.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Winner {
    /// Its place in the screen, from 1.
    pub place: usize,
    pub assets: Vec<String>,
    /// P(among the best places of these winners | resample), with its Monte Carlo error. Optimistic, for the winners were chosen
    /// on the history that is resampled.
    pub probability: f64,
    pub mc_error: f64,
    pub mean_place: f64,
    /// The share of resamples in which it is among as many best of all subsets; null where the choice was not repeated.
    pub reselected: Option<f64>,
    /// The figure over the resamples.
    pub value: Summary,
}

/// The choice, repeated on resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Reselection {
    /// Chosen from: all that keep the bounds on the whole history.
    pub subsets: u64,
    /// On which some subset has a portfolio: only these count.
    pub resamples: u64,
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
    /// Null where it would take too long.
    pub reselection: Option<Reselection>,
    pub winners: Vec<Winner>,
}

/// Resamples `returns`, of which covariances are made, with the same rows of `simple`, of which paths are, and ranks
/// `winners` on each resample: against each other, and where `all` subsets are given with a number of resamples, on the
/// first of these against all. The winners are among them; assets ascend.
///
/// # Errors
/// A history that cannot be resampled, a block length out of range.
pub fn winners(
    (returns, simple): (&Returns, &Returns),
    winners: &[Vec<u32>],
    all: Option<(&[Vec<u32>], u64)>,
    figure: Figure,
    config: &Config,
    context: &mut Context,
) -> Result<Outcome> {
    let history = returns.select(&held(winners));
    let (length, _) = block_length(&history, None, config.scheme, config.block, context.observer);
    let law = Law::new(config.scheme, length, returns.rows(), config.seed, 0)?;
    let work = Resampled { returns, simple, law, figure, config };
    context.observer.phase("solving the winners on resamples");
    let own = work.values(winners, config.resamples, config.number, context)?;
    // Only resamples on which every winner has a figure count.
    let counted: Vec<&[f64]> =
        own.chunks_exact(winners.len()).filter(|values| values.iter().all(|value| value.is_finite())).collect();
    let places: Vec<Vec<f64>> = counted.par_iter().map(|values| places_of(values, figure)).collect();
    let best = PLACES.min(winners.len().div_ceil(2));
    let again = match all {
        Some((sets, resamples)) => {
            context.observer.phase("solving all on resamples");
            let values = work.values(sets, resamples, config.number + 1, context)?;
            Some(reselected(winners, sets, &values, best, figure))
        }
        None => None,
    };
    let winner = |at: usize| {
        let won = places.iter().filter(|places| places[at] <= best as f64).count();
        let probability = won as f64 / places.len() as f64;
        Winner {
            place: at + 1,
            assets: winners[at].iter().map(|&asset| returns.assets[asset as usize].clone()).collect(),
            probability,
            mc_error: stats::probability_error(probability, places.len()),
            mean_place: places.iter().map(|places| places[at]).sum::<f64>() / places.len() as f64,
            reselected: again.as_ref().map(|(_, shares)| shares[at]),
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
        reselection: again.as_ref().map(|(reselection, _)| *reselection),
        winners: (0..winners.len()).map(winner).collect(),
    })
}

/// The assets that some set holds.
fn held(sets: &[Vec<u32>]) -> Vec<usize> {
    let mut held: Vec<usize> = sets.iter().flatten().map(|&asset| asset as usize).collect();
    held.sort_unstable();
    held.dedup();
    held
}

/// The places of values by how good they are, ties in between; what has no figure comes last.
fn places_of(values: &[f64], figure: Figure) -> Vec<f64> {
    let sign = if figure.larger_is_better() { 1.0 } else { -1.0 };
    let signed = |&value: &f64| if value.is_finite() { sign * value } else { f64::NEG_INFINITY };
    let signed: Vec<f64> = values.iter().map(signed).collect();
    let mut places = vec![0.0; signed.len()];
    stats::descending_ranks(&signed, &mut Vec::new(), &mut places);
    places
}

/// Of each winner the share of resamples in which it is among the `best` first of all `sets`, whose figures `values` holds,
/// resample after resample. Those in which none has a figure do not count.
fn reselected(
    winners: &[Vec<u32>],
    sets: &[Vec<u32>],
    values: &[f64],
    best: usize,
    figure: Figure,
) -> (Reselection, Vec<f64>) {
    let at: HashMap<&[u32], usize> = sets.iter().enumerate().map(|(at, set)| (&set[..], at)).collect();
    let counted: Vec<&[f64]> =
        values.chunks_exact(sets.len().max(1)).filter(|values| values.iter().any(|value| value.is_finite())).collect();
    let places: Vec<Vec<f64>> = counted.par_iter().map(|values| places_of(values, figure)).collect();
    let share = |winner: &Vec<u32>| {
        let Some(&at) = at.get(&winner[..]) else { return 0.0 };
        let chosen = |which: usize| counted[which][at].is_finite() && places[which][at] <= best as f64;
        (0..places.len()).filter(|&which| chosen(which)).count() as f64 / places.len() as f64
    };
    let reselection = Reselection { subsets: sets.len() as u64, resamples: counted.len() as u64 };
    (reselection, winners.iter().map(share).collect())
}

/// Resamples of a history, by one law whatever is solved on them.
struct Resampled<'a> {
    returns: &'a Returns,
    /// Simple ones of the same rows.
    simple: &'a Returns,
    law: Law,
    figure: Figure,
    config: &'a Config<'a>,
}

impl Resampled<'_> {
    /// The figure of each of the `sets` on each of the resamples, resample after resample; NaN where there is none.
    fn values(&self, sets: &[Vec<u32>], resamples: u64, number: u32, context: &mut Context) -> Result<Vec<f64>> {
        let Resampled { returns, simple, law, figure, config } = *self;
        let Config { estimator, periods_per_year, bounds, .. } = *config;
        // Only the assets that some set holds.
        let held = held(sets);
        let place_of = |asset: &u32| held.binary_search(&(*asset as usize)).unwrap_or_default() as u32;
        let placed: Vec<Vec<u32>> = sets.iter().map(|assets| assets.iter().map(place_of).collect()).collect();
        let panel = Arc::new(Panel::new(&returns.select(&held))?);
        let rows = Rows::Resampled { law, resamples };
        let covariances = Covariances::Estimated { panel, rows, estimator };
        let count = sets.len() as u64;
        let path = |problem: u64, weights: &[f64]| {
            drawn_path(simple, &law, problem / count, &sets[(problem % count) as usize], weights)
        };
        let bounds = bounds.map(|bounds| bounds.over(held.iter().copied()));
        let asking = Asking { figure, periods_per_year, bounds: bounds.as_ref(), path: &path, number };
        values(covariances, &placed, &asking, None, context)
    }
}

/// Returns of a portfolio in the rows of a resample, in the order it draws them.
fn drawn_path(history: &Returns, law: &Law, resample: u64, assets: &[u32], weights: &[f64]) -> Vec<f64> {
    let (n, rows) = (history.assets.len(), law.rows as usize);
    let mut path = Vec::with_capacity(rows);
    law.runs(resample, |start, length| {
        for row in (start as usize..(start + length) as usize).map(|row| row % rows) {
            let row = &history.values[row * n..(row + 1) * n];
            path.push(assets.iter().zip(weights).map(|(&asset, w)| w * row[asset as usize]).sum());
        }
    });
    path
}
