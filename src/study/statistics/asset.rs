//! The distribution of each asset's weight over the resamples.

use serde::Serialize;

use super::distribution::{Asked, Event};
use super::figure::{Column, Figure, Setting};
use super::passes::Distributions;
use crate::methods::Method;
use crate::stats;
use crate::study::change::HalvesOfAsset;
use crate::study::influence::Band;

/// The quantiles reported per asset.
pub const QUANTILES: [f64; 7] = [0.025, 0.05, 0.25, 0.5, 0.75, 0.95, 0.975];

/// One number per reported statistic of a weight.
#[derive(Debug, Clone, Serialize)]
pub struct WeightStatistics {
    pub mean: f64,
    pub sd: f64,
    pub q025: f64,
    pub q05: f64,
    pub q25: f64,
    pub q50: f64,
    pub q75: f64,
    pub q95: f64,
    pub q975: f64,
}

/// P(the asset's weight is among the k largest), with its Monte Carlo error.
#[derive(Debug, Clone, Serialize)]
pub struct RankProbability {
    pub k: usize,
    pub probability: f64,
    pub mc_error: f64,
}

/// The distribution of one asset's weight.
#[derive(Debug, Clone, Serialize)]
pub struct Asset {
    pub name: String,
    pub budget: f64,
    /// Weight from the full history; null where no portfolio exists.
    pub point: Option<f64>,
    #[serde(flatten)]
    pub weight: WeightStatistics,
    /// mean - point.
    pub bias: Option<f64>,
    pub mean_rank: f64,
    pub rank_sd: f64,
    pub rank_probabilities: Vec<RankProbability>,
    /// P(weight > 2 point).
    pub p_double: Option<f64>,
    /// P(weight < point / 2).
    pub p_half: Option<f64>,
    pub mc_error: WeightStatistics,
    /// A band that holds where volatility comes in spells; null where no portfolio exists, of short histories, and of
    /// assets without a budget.
    pub robust: Option<Band>,
    /// Its weight in each half of the history; null where one of them has no portfolio or is too short.
    pub halves: Option<HalvesOfAsset>,
}

/// Puts the assets with a zero budget back in their places, at weight zero.
pub fn with_excluded(solved: Vec<Asset>, keep: &[usize], names: &[String]) -> Vec<Asset> {
    let nothing =
        WeightStatistics { mean: 0.0, sd: 0.0, q025: 0.0, q05: 0.0, q25: 0.0, q50: 0.0, q75: 0.0, q95: 0.0, q975: 0.0 };
    let mut assets: Vec<Asset> = names
        .iter()
        .map(|name| Asset {
            name: name.clone(),
            budget: 0.0,
            point: Some(0.0),
            weight: nothing.clone(),
            bias: Some(0.0),
            mean_rank: f64::NAN,
            rank_sd: f64::NAN,
            rank_probabilities: Vec::new(),
            p_double: None,
            p_half: None,
            mc_error: nothing.clone(),
            robust: None,
            halves: None,
        })
        .collect();
    keep.iter().zip(solved).for_each(|(&i, asset)| assets[i] = asset);
    assets
}

/// Ranks whose probability is told.
const RANKS: [usize; 3] = [1, 3, 5];

fn ranks(assets: usize) -> impl Iterator<Item = usize> {
    RANKS.into_iter().filter(move |k| *k <= assets)
}

/// The columns it takes: the risk-budgeting weights and their ranks.
pub fn columns(setting: &Setting) -> Vec<Column> {
    let method = Method::RiskBudgeting;
    let n = setting.assets.len();
    let point = setting.reference(method).map(|point| &point.weights);
    let weight = |i: usize| {
        let events = point.map(|point| vec![Event::Above(2.0 * point[i]), Event::Below(0.5 * point[i])]);
        let asked = Asked { events: events.unwrap_or_default(), ..Asked::quantiles(&QUANTILES) };
        Column { method, figure: Figure::Weight(i), asked }
    };
    let rank = |i: usize| {
        let events = ranks(n).map(|k| Event::UpTo(k as f64)).collect();
        Column { method, figure: Figure::Rank(i), asked: Asked { events, ..Asked::quantiles(&[]) } }
    };
    (0..n).map(weight).chain((0..n).map(rank)).collect()
}

/// The distributions of all weights, each against its full-sample weight, with the robust bands where there are any.
pub fn assets(setting: &Setting, found: &Distributions, robust: Option<&[Band]>) -> Vec<Asset> {
    let method = Method::RiskBudgeting;
    let n = setting.assets.len();
    let statistics = |mean, sd, q: [f64; 7]| WeightStatistics {
        mean,
        sd,
        q025: q[0],
        q05: q[1],
        q25: q[2],
        q50: q[3],
        q75: q[4],
        q95: q[5],
        q975: q[6],
    };
    let asset = |i: usize| {
        let (weight, rank) = (found.of(method, Figure::Weight(i)), found.of(method, Figure::Rank(i)));
        let (moments, count) = (weight.moments, weight.count);
        let quantiles = QUANTILES.map(|q| weight.quantile(q));
        let point = setting.reference(method).map(|point| point.weights[i]);
        let share = |hits: usize| hits as f64 / count as f64;
        let probability = |(k, hits): (usize, &usize)| {
            let p = share(*hits);
            RankProbability { k, probability: p, mc_error: stats::probability_error(p, count) }
        };
        Asset {
            name: setting.assets[i].clone(),
            budget: setting.budgets[i],
            point,
            weight: statistics(moments.mean, moments.sd, quantiles.map(|q| q.value)),
            bias: point.map(|point| moments.mean - point),
            mean_rank: rank.moments.mean,
            rank_sd: rank.moments.sd,
            rank_probabilities: ranks(n).zip(&rank.hits).map(probability).collect(),
            p_double: weight.hits.first().map(|hits| share(*hits)),
            p_half: weight.hits.get(1).map(|hits| share(*hits)),
            mc_error: statistics(moments.mean_error(count), moments.sd_error(count), quantiles.map(|q| q.error)),
            robust: robust.map(|bands| bands[i]),
            halves: None,
        }
    };
    (0..n).map(asset).collect()
}

/// The asset that moves most: the first with the widest 90 % range.
pub fn mover(assets: &[Asset]) -> Option<usize> {
    let solved = (0..assets.len()).filter(|&i| assets[i].budget > 0.0);
    solved.reduce(|a, b| if assets[b].moves() > assets[a].moves() { b } else { a })
}

impl Asset {
    /// Width of the 90 % range: how far it moves.
    pub fn moves(&self) -> f64 {
        self.weight.q95 - self.weight.q05
    }

    /// How many times as wide its robust band is as the one of the resamples; none where either is missing or a point.
    pub fn widening(&self) -> Option<f64> {
        let ratio = self.robust.map(|band| (band.upper - band.lower) / self.moves())?;
        ratio.is_finite().then_some(ratio)
    }
}
