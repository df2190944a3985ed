//! The distribution of each asset's weight over the resamples.

use rayon::prelude::*;
use serde::Serialize;

use crate::stats;

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
        })
        .collect();
    keep.iter().zip(solved).for_each(|(&i, asset)| assets[i] = asset);
    assets
}

/// The distributions of all weights (resamples x n), each against its full-sample weight.
pub fn assets(names: &[String], budgets: &[f64], weights: &[f64], point: Option<&[f64]>) -> Vec<Asset> {
    let n = names.len();
    let count = weights.len() / n;
    let mut ranks = vec![0.0; weights.len()];
    ranks.par_chunks_mut(n).zip(weights.par_chunks(n)).for_each_init(Vec::new, |order, (ranks, row)| {
        stats::descending_ranks(row, order, ranks);
    });
    let share = |hits: usize| hits as f64 / count as f64;
    (0..n)
        .into_par_iter()
        .map(|i| {
            let mut column: Vec<f64> = weights.iter().skip(i).step_by(n).copied().collect();
            let ranks: Vec<f64> = ranks.iter().skip(i).step_by(n).copied().collect();
            let moments = stats::moments(&column);
            let rank_moments = stats::moments(&ranks);
            stats::sort(&mut column);
            let q = QUANTILES.map(|q| stats::quantile(&column, q));
            let e = QUANTILES.map(|q| stats::quantile_error(&column, q));
            let point = point.map(|point| point[i]);
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
            let probability = |k: usize| {
                let p = share(ranks.iter().filter(|rank| **rank <= k as f64).count());
                RankProbability { k, probability: p, mc_error: stats::probability_error(p, count) }
            };
            Asset {
                name: names[i].clone(),
                budget: budgets[i],
                point,
                weight: statistics(moments.mean, moments.sd, q),
                bias: point.map(|point| moments.mean - point),
                mean_rank: rank_moments.mean,
                rank_sd: rank_moments.sd,
                rank_probabilities: [1, 3, 5].into_iter().filter(|k| *k <= n).map(probability).collect(),
                p_double: point.map(|point| share(column.iter().filter(|w| **w > 2.0 * point).count())),
                p_half: point.map(|point| share(column.iter().filter(|w| **w < 0.5 * point).count())),
                mc_error: statistics(moments.mean_error(count), moments.sd_error(count), e),
            }
        })
        .collect()
}
