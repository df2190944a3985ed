//! How much of a ranking is luck: the figure in the first and in the second half of the history, over a sample of the
//! space. The best of very many subsets are partly those whose past was kind (Bailey & Lopez de Prado 2014).

use std::ops::Range;
use std::sync::Arc;

use serde::Serialize;

use super::figure::Figure;
use super::finalist::path;
use super::values::{Asking, values};
use crate::batch::Covariances;
use crate::covariance::{Estimator, Universe};
use crate::error::Result;
use crate::methods::limits::Bounds;
use crate::panel::{Panel, Returns};
use crate::run::Context;
use crate::stats;

/// The share of the sample that counts as its winners.
const WINNERS: f64 = 0.01;

/// The figure in both halves, over a sample of the subsets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Halves {
    /// Label of the first row of the second half.
    pub split: Option<String>,
    /// Subsets with a portfolio in both halves.
    pub subsets: u64,
    /// Spearman correlation of the figure in the first half with that in the second; null where either does not vary.
    pub rank_correlation: Option<f64>,
    /// The best of the first half: how many, and their mean figure in both halves.
    pub winners: u64,
    pub winners_first: f64,
    pub winners_second: f64,
    /// Mean figure of all sampled subsets in the second half.
    pub all_second: f64,
    /// Mean share of the sampled subsets that a winner of the first half beats in the second: 0.5 is chance.
    pub winners_beat: f64,
}

/// A subset's figure in both halves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct InHalves {
    pub first: f64,
    pub second: f64,
}

impl InHalves {
    /// None where either is none.
    pub fn of(first: f64, second: f64) -> Option<InHalves> {
        (first.is_finite() && second.is_finite()).then_some(InHalves { first, second })
    }
}

/// A history cut in two.
#[derive(Debug)]
pub struct Split {
    models: [Arc<Universe>; 2],
    /// Simple returns.
    paths: [Returns; 2],
    periods_per_year: Option<f64>,
    /// Of the weights of all assets.
    bounds: Option<Bounds>,
    label: Option<String>,
}

impl Split {
    /// Of the returns that covariances are made of, and simple ones of the same rows.
    ///
    /// # Errors
    /// A half without a covariance.
    pub fn new(
        (returns, simple): (&Returns, &Returns),
        estimator: Estimator,
        periods_per_year: Option<f64>,
        bounds: Option<&Bounds>,
    ) -> Result<Split> {
        let (middle, rows) = (returns.rows() / 2, returns.rows());
        let halves = [returns.part(0..middle), returns.part(middle..rows)];
        let model = |half: &Returns| -> Result<Arc<Universe>> {
            let universe = Universe::estimated(&Panel::new(half)?, estimator);
            Ok(Arc::new(universe.map_err(|still| still.named(&half.assets))?))
        };
        let label = halves[1].span().0;
        Ok(Split {
            models: [model(&halves[0])?, model(&halves[1])?],
            paths: [simple.part(0..middle), simple.part(middle..rows)],
            periods_per_year,
            bounds: bounds.cloned(),
            label,
        })
    }

    /// The figure of each of the `sets` in each half by itself; NaN where there is none. The batches of the halves are
    /// `number` and the one after it; of each, the sets of `range`, or all.
    ///
    /// # Errors
    /// As [`crate::run::run`].
    pub fn figures(
        &self,
        sets: &[Vec<u32>],
        figure: Figure,
        number: u32,
        range: Option<&Range<u64>>,
        context: &mut Context,
    ) -> Result<[Vec<f64>; 2]> {
        let mut of = |half: usize| {
            let path = |set: u64, weights: &[f64]| path(&self.paths[half], &sets[set as usize], weights);
            let number = number + half as u32;
            let Split { periods_per_year, ref bounds, .. } = *self;
            let asking = Asking { figure, periods_per_year, bounds: bounds.as_ref(), path: &path, number };
            values(Covariances::Known(Arc::clone(&self.models[half])), sets, &asking, range.cloned(), context)
        };
        Ok([of(0)?, of(1)?])
    }

    /// The comparison over a sample; none where fewer than two of its subsets have both figures.
    pub fn compare(&self, [first, second]: &[Vec<f64>; 2], figure: Figure) -> Option<Halves> {
        let pairs = first.iter().zip(second).filter_map(|(&first, &second)| InHalves::of(first, second));
        let pairs: Vec<InHalves> = pairs.collect();
        if pairs.len() < 2 {
            return None;
        }
        let sign = if figure.larger_is_better() { 1.0 } else { -1.0 };
        let first: Vec<f64> = pairs.iter().map(|pair| sign * pair.first).collect();
        let second: Vec<f64> = pairs.iter().map(|pair| sign * pair.second).collect();
        let ranks = |values: &[f64]| {
            let mut ranks = vec![0.0; values.len()];
            stats::descending_ranks(values, &mut Vec::new(), &mut ranks);
            ranks
        };
        let (first_ranks, second_ranks) = (ranks(&first), ranks(&second));
        let rank_correlation = Some(stats::correlation(&first_ranks, &second_ranks)).filter(|r| r.is_finite());
        let mut order: Vec<usize> = (0..pairs.len()).collect();
        order.sort_by(|&a, &b| first[b].total_cmp(&first[a]));
        let winners = ((WINNERS * pairs.len() as f64).ceil() as usize).max(1);
        let mean = |of: &dyn Fn(usize) -> f64| order[..winners].iter().map(|&at| of(at)).sum::<f64>() / winners as f64;
        let others = (pairs.len() - 1) as f64;
        Some(Halves {
            split: self.label.clone(),
            subsets: pairs.len() as u64,
            rank_correlation,
            winners: winners as u64,
            winners_first: mean(&|at| pairs[at].first),
            winners_second: mean(&|at| pairs[at].second),
            all_second: stats::mean(&pairs.iter().map(|pair| pair.second).collect::<Vec<f64>>()),
            winners_beat: mean(&|at| (pairs.len() as f64 - second_ranks[at]) / others),
        })
    }
}
