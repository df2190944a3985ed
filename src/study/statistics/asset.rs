//! The distribution of each asset's weight over the resamples.

use serde::Serialize;

use super::distribution::{Asked, Event, QUANTILES, Statistics};
use super::figure::{Column, Figure, Setting};
use super::limited::{self, Unlimited};
use super::passes::Distributions;
use crate::methods::Method;
use crate::stats;
use crate::study::change::HalvesOfAsset;
use crate::study::influence::Band;

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
    pub weight: Statistics,
    /// mean - point.
    pub bias: Option<f64>,
    pub mean_rank: f64,
    pub rank_sd: f64,
    pub rank_probabilities: Vec<RankProbability>,
    /// P(weight > 2 point).
    pub p_double: Option<f64>,
    /// P(weight < point / 2).
    pub p_half: Option<f64>,
    pub mc_error: Statistics,
    /// A band that holds where volatility comes in spells; null where no portfolio exists, of short histories, and of
    /// assets without a budget.
    pub robust: Option<Band>,
    /// Share of the resamples in which it is at its least weight, and at its largest; null without limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_min: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_max: Option<f64>,
    /// What it would be without limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlimited: Option<Unlimited>,
    /// Its weight in each half of the history; null where one of them has no portfolio or is too short.
    pub halves: Option<HalvesOfAsset>,
}

/// Puts the assets that do not take part back in their places, at weight zero, and gives sizes their signs.
pub fn with_excluded(solved: Vec<Asset>, (keep, signs): (&[usize], &[f64]), names: &[String]) -> Vec<Asset> {
    let nothing =
        Statistics { mean: 0.0, sd: 0.0, q025: 0.0, q05: 0.0, q25: 0.0, q50: 0.0, q75: 0.0, q95: 0.0, q975: 0.0 };
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
            at_min: None,
            at_max: None,
            unlimited: None,
            halves: None,
        })
        .collect();
    for (&i, (asset, sign)) in keep.iter().zip(solved.into_iter().zip(signs)) {
        assets[i] = if *sign < 0.0 { asset.negated() } else { asset };
    }
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
        let against = point.map(|point| [Event::Above(2.0 * point[i]), Event::Below(0.5 * point[i])]);
        let bounds = setting.limits.map(|limits| limited::of_weight(limits.least[i], limits.most[i]));
        let events = against.into_iter().chain(bounds).flatten().collect();
        let asked = Asked { events, ..Asked::quantiles(&QUANTILES) };
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
    let asset = |i: usize| {
        let (weight, rank) = (found.of(method, Figure::Weight(i)), found.of(method, Figure::Rank(i)));
        let (moments, count) = (weight.moments, weight.count);
        let [statistics, mc_error] = weight.statistics();
        let point = setting.reference(method).map(|point| point.weights[i]);
        let share = |hits: usize| hits as f64 / count as f64;
        let at_bound = |end: usize| {
            let limits = setting.limits?;
            let is_limited = if end == 0 { limits.least[i] > 0.0 } else { limits.most[i] < 1.0 };
            let hits = weight.hits.get(end + if point.is_some() { 2 } else { 0 })?;
            Some(if is_limited { share(*hits) } else { 0.0 })
        };
        let probability = |(k, hits): (usize, &usize)| {
            let p = share(*hits);
            RankProbability { k, probability: p, mc_error: stats::probability_error(p, count) }
        };
        Asset {
            name: setting.assets[i].clone(),
            budget: setting.budgets[i],
            point,
            weight: statistics,
            bias: point.map(|point| moments.mean - point),
            mean_rank: rank.moments.mean,
            rank_sd: rank.moments.sd,
            rank_probabilities: ranks(n).zip(&rank.hits).map(probability).collect(),
            p_double: point.and(weight.hits.first()).map(|hits| share(*hits)),
            p_half: point.and(weight.hits.get(1)).map(|hits| share(*hits)),
            mc_error,
            robust: robust.map(|bands| bands[i]),
            at_min: at_bound(0),
            at_max: at_bound(1),
            unlimited: None,
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
    /// Of a short position. Ranks, and bounds, are of sizes.
    fn negated(self) -> Asset {
        Asset {
            point: self.point.map(|w| -w),
            weight: self.weight.negated(),
            mc_error: self.mc_error.turned(),
            bias: self.bias.map(|x| -x),
            robust: self.robust.map(Band::negated),
            halves: self.halves.map(HalvesOfAsset::negated),
            // What is known of it without limits has its sign already.
            ..self
        }
    }

    /// The ends of the 90 % range that are bounds: which hold the weight in 5 % of the resamples or more.
    pub fn stops(&self) -> [Option<f64>; 2] {
        let holds = |share: Option<f64>| share.is_some_and(|share| share >= 0.05);
        let (low, high) = (holds(self.at_min), holds(self.at_max));
        // A short position at its least size is at the upper end.
        let short = self.weight.mean < 0.0;
        let [low, high] = if short { [high, low] } else { [low, high] };
        [low.then_some(self.weight.q05), high.then_some(self.weight.q95)]
    }

    /// Whether a bound holds it in most resamples: its band is the bound's then, not the data's.
    pub fn is_held(&self) -> bool {
        self.at_min.unwrap_or(0.0) + self.at_max.unwrap_or(0.0) > 0.5
    }

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
