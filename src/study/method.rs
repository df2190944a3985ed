//! How a method's portfolios vary over the resamples: instability of the weights, and what becomes of the risk they
//! promised. The same figures for every method, on the same rows, so that methods compare.

use rayon::prelude::*;
use serde::Serialize;

use super::measures::{Components, Profile, effective_number, gini};
use super::summary::Summary;
use crate::covariance::RiskModel;
use crate::panel::Panel;
use crate::resample::Law;
use crate::stats;

/// Pairs of neighbouring resamples compared for `pairwise_turnover`.
const PAIRS: usize = 4096;

/// Resamples whose left-out rows are evaluated.
const OUT_OF_BAG: usize = 1000;

/// What all methods of a study share.
#[derive(Debug)]
pub struct Setting<'a> {
    pub panel: &'a Panel,
    pub law: &'a Law,
    /// The full-sample covariance: the truth that a resample's portfolio is measured against.
    pub full: &'a RiskModel,
    /// None for too many assets.
    pub components: Option<&'a Components>,
    pub budgets: &'a [f64],
    pub assets: &'a [String],
    pub periods_per_year: Option<f64>,
    /// The resamples that count: those whose problem converged.
    pub resamples: &'a [u64],
    /// Asset volatilities of each of these resamples, row by row.
    pub volatilities: &'a [f64],
}

/// Per-asset distribution of a method's weights or risk shares.
#[derive(Debug, Clone, Serialize)]
pub struct AssetSummary {
    pub name: String,
    #[serde(flatten)]
    pub summary: Summary,
}

/// Realised risk contributions: shares of the resample's weights under the full-sample covariance, which mirrors the
/// full-sample weights under the unknown true one.
#[derive(Debug, Clone, Serialize)]
pub struct Realised {
    pub shares: Vec<AssetSummary>,
    /// max_i |r_i / b_i - 1|.
    pub max_error: Summary,
    /// Standard deviation over assets of r_i / b_i.
    pub sd: Summary,
    pub gini: Summary,
    /// exp(- sum r ln r).
    pub effective_contributors: Summary,
    /// Volatility of the resample's weights under the full-sample covariance, per period.
    pub volatility: Summary,
}

/// The resample's weights on the rows the resample left out. These rows are not independent of those it used: the
/// dispersion is about twice that of a true hold-out, so this stands beside `realised`, never instead of it.
#[derive(Debug, Clone, Serialize)]
pub struct OutOfBag {
    pub resamples: usize,
    /// Volatility on the left-out rows over volatility under the resample's covariance.
    pub volatility_ratio: Summary,
    pub max_error: Summary,
}

/// The average of the resampled weights, as a portfolio.
#[derive(Debug, Clone, Serialize)]
pub struct Bagged {
    #[serde(flatten)]
    pub profile: Profile,
    /// 1/2 sum |w - w_0|; null without a full-sample portfolio.
    pub distance_to_point: Option<f64>,
}

/// One method over all resamples.
#[derive(Debug, Clone, Serialize)]
pub struct Method {
    /// The full-sample portfolio; null where none exists.
    pub point: Option<Profile>,
    pub weights: Vec<AssetSummary>,
    /// 1/2 sum |w_b - w_0|.
    pub turnover: Option<Summary>,
    /// Mean of 1/2 sum |w_b - w_b'| over neighbouring resamples.
    pub pairwise_turnover: f64,
    /// max_i |w_b,i - w_0,i|.
    pub max_change: Option<Summary>,
    /// Spearman correlation of w_b with w_0; null where either does not vary.
    pub rank_correlation: Option<Summary>,
    /// 1 / sum w^2.
    pub effective_assets: Summary,
    /// exp(- sum w ln w).
    pub entropy_assets: Summary,
    /// Volatility under the resample's own covariance, per period.
    pub volatility: Summary,
    pub diversification_ratio: Summary,
    pub diversification_ratio_squared: Summary,
    /// Effective number of uncorrelated bets under the full-sample correlation; null for more than 500 assets.
    pub effective_bets: Option<Summary>,
    pub realised: Realised,
    /// Null where resamples leave fewer than 2 n rows out.
    pub out_of_bag: Option<OutOfBag>,
    pub bagged: Option<Bagged>,
}

/// Scalars of one resample's portfolio.
struct Scalars {
    turnover: f64,
    max_change: f64,
    rank_correlation: f64,
    effective_assets: f64,
    entropy_assets: f64,
    diversification_ratio: f64,
    effective_bets: f64,
    max_error: f64,
    sd: f64,
    gini: f64,
    effective_contributors: f64,
    realised_volatility: f64,
}

impl Method {
    /// From the weights (resamples x n) and their volatilities under each resample's covariance.
    pub fn of(setting: &Setting, weights: &[f64], volatility: &[f64], point: Option<Vec<f64>>) -> Method {
        let n = setting.assets.len();
        let mut shares = vec![0.0; weights.len()];
        let point_ranks = point.as_ref().map(|point| {
            let mut ranks = vec![0.0; n];
            stats::descending_ranks(point, &mut Vec::new(), &mut ranks);
            ranks
        });
        let scalars: Vec<Scalars> = weights
            .par_chunks(n)
            .zip(shares.par_chunks_mut(n))
            .zip(setting.volatilities.par_chunks(n))
            .zip(volatility)
            .map(|(((weights, shares), volatilities), volatility)| {
                let reference = point.as_deref().zip(point_ranks.as_deref());
                scalars(setting, weights, shares, volatilities, *volatility, reference)
            })
            .collect();
        let summary = |field: fn(&Scalars) -> f64| Summary::of(scalars.iter().map(field));
        let against_point = |field: fn(&Scalars) -> f64| point.is_some().then(|| summary(field));
        let rank_correlations: Vec<f64> =
            scalars.iter().map(|s| s.rank_correlation).filter(|r| r.is_finite()).collect();
        Method {
            weights: by_asset(setting.assets, weights),
            turnover: against_point(|s| s.turnover),
            pairwise_turnover: pairwise_turnover(weights, n),
            max_change: against_point(|s| s.max_change),
            rank_correlation: (!rank_correlations.is_empty()).then(|| Summary::of(rank_correlations)),
            effective_assets: summary(|s| s.effective_assets),
            entropy_assets: summary(|s| s.entropy_assets),
            volatility: Summary::of(volatility.iter().copied()),
            diversification_ratio: summary(|s| s.diversification_ratio),
            diversification_ratio_squared: summary(|s| s.diversification_ratio.powi(2)),
            effective_bets: setting.components.map(|_| summary(|s| s.effective_bets)),
            realised: Realised {
                shares: by_asset(setting.assets, &shares),
                max_error: summary(|s| s.max_error),
                sd: summary(|s| s.sd),
                gini: summary(|s| s.gini),
                effective_contributors: summary(|s| s.effective_contributors),
                volatility: summary(|s| s.realised_volatility),
            },
            out_of_bag: out_of_bag(setting, weights, volatility),
            bagged: bagged(setting, weights, point.as_deref()),
            point: point.map(|point| setting.full.profile(point, setting.periods_per_year)),
        }
    }
}

impl Method {
    /// The same over all assets `names`, of which those at `keep` were solved: the others are held at zero.
    #[must_use]
    pub fn spread(self, keep: &[usize], names: &[String]) -> Method {
        if keep.len() == names.len() {
            return self;
        }
        let all = |solved: Vec<AssetSummary>| {
            let nothing = |name: &String| AssetSummary { name: name.clone(), summary: Summary::of([0.0, 0.0]) };
            let mut all: Vec<AssetSummary> = names.iter().map(nothing).collect();
            keep.iter().zip(solved).for_each(|(&i, summary)| all[i] = summary);
            all
        };
        Method {
            point: self.point.map(|point| point.spread(keep, names.len())),
            weights: all(self.weights),
            realised: Realised { shares: all(self.realised.shares), ..self.realised },
            bagged: self.bagged.map(|b| Bagged { profile: b.profile.spread(keep, names.len()), ..b }),
            ..self
        }
    }
}

fn scalars(
    setting: &Setting,
    weights: &[f64],
    shares: &mut [f64],
    volatilities: &[f64],
    volatility: f64,
    point: Option<(&[f64], &[f64])>,
) -> Scalars {
    let n = weights.len();
    let mut scratch = vec![0.0; n];
    let realised_volatility = setting.full.shares(weights, &mut scratch, shares);
    let relative: Vec<f64> = shares.iter().zip(setting.budgets).map(|(r, b)| r / b).collect();
    let (mut turnover, mut max_change, mut rank_correlation) = (f64::NAN, f64::NAN, f64::NAN);
    if let Some((point, point_ranks)) = point {
        let changes = || weights.iter().zip(point).map(|(w, p)| (w - p).abs());
        turnover = 0.5 * changes().sum::<f64>();
        max_change = changes().fold(0.0, f64::max);
        let mut ranks = vec![0.0; n];
        stats::descending_ranks(weights, &mut Vec::new(), &mut ranks);
        rank_correlation = stats::correlation(&ranks, point_ranks);
    }
    Scalars {
        turnover,
        max_change,
        rank_correlation,
        effective_assets: weights.iter().map(|w| w * w).sum::<f64>().recip(),
        entropy_assets: effective_number(weights),
        diversification_ratio: weights.iter().zip(volatilities).map(|(w, s)| w * s).sum::<f64>() / volatility,
        effective_bets: setting.components.map_or(f64::NAN, |components| components.effective_bets(weights)),
        max_error: relative.iter().fold(0.0, |m, r| m.max((r - 1.0).abs())),
        sd: if n > 1 { stats::moments(&relative).sd } else { 0.0 },
        gini: gini(shares, &mut scratch),
        effective_contributors: effective_number(shares),
        realised_volatility,
    }
}

/// One summary per column of a resamples x n matrix.
fn by_asset(assets: &[String], matrix: &[f64]) -> Vec<AssetSummary> {
    let n = assets.len();
    assets
        .par_iter()
        .enumerate()
        .map(|(i, name)| AssetSummary {
            name: name.clone(),
            summary: Summary::of(matrix.iter().skip(i).step_by(n).copied()),
        })
        .collect()
}

/// Mean half-L1 distance of resamples 0 and 1, 2 and 3, ...: what one draw of the data differs from another.
fn pairwise_turnover(weights: &[f64], n: usize) -> f64 {
    let distances: Vec<f64> = weights
        .chunks_exact(2 * n)
        .take(PAIRS)
        .map(|pair| 0.5 * pair[..n].iter().zip(&pair[n..]).map(|(a, b)| (a - b).abs()).sum::<f64>())
        .collect();
    stats::mean(&distances)
}

fn bagged(setting: &Setting, weights: &[f64], point: Option<&[f64]>) -> Option<Bagged> {
    let n = setting.assets.len();
    if weights.is_empty() {
        return None;
    }
    let mut mean = vec![0.0; n];
    for row in weights.chunks_exact(n) {
        mean.iter_mut().zip(row).for_each(|(m, w)| *m += w);
    }
    let total: f64 = mean.iter().sum();
    mean.iter_mut().for_each(|m| *m /= total);
    let distance = point.map(|point| 0.5 * mean.iter().zip(point).map(|(m, p)| (m - p).abs()).sum::<f64>());
    Some(Bagged { profile: setting.full.profile(mean, setting.periods_per_year), distance_to_point: distance })
}

/// Evaluates the first resamples' weights on the rows these resamples left out.
fn out_of_bag(setting: &Setting, weights: &[f64], volatility: &[f64]) -> Option<OutOfBag> {
    let n = setting.assets.len();
    let units = setting.panel.volatilities();
    let figures: Option<Vec<(f64, f64)>> = setting
        .resamples
        .par_iter()
        .zip(weights.par_chunks(n))
        .zip(volatility)
        .take(OUT_OF_BAG)
        .map(|((&resample, weights), volatility)| {
            let mut counts = vec![0; setting.panel.rows()];
            setting.law.counts(resample, &mut counts);
            let left: Vec<&[f64]> =
                setting.panel.values().chunks_exact(n).zip(&counts).filter(|(_, c)| **c == 0).map(|(z, _)| z).collect();
            if left.len() < 2 * n {
                return None;
            }
            let exposure: Vec<f64> = weights.iter().zip(units).map(|(w, s)| w * s).collect();
            let returns: Vec<f64> = left.iter().map(|z| z.iter().zip(&exposure).map(|(z, x)| z * x).sum()).collect();
            let centre = stats::mean(&returns);
            let mut shares = vec![0.0; n];
            for (z, r) in left.iter().zip(&returns) {
                for ((share, z), x) in shares.iter_mut().zip(*z).zip(&exposure) {
                    *share += x * z * (r - centre);
                }
            }
            let variance: f64 = shares.iter().sum();
            let max_error = shares
                .iter()
                .zip(setting.budgets)
                .fold(0.0_f64, |m, (share, b)| m.max((share / variance / b - 1.0).abs()));
            Some(((variance / (left.len() - 1) as f64).sqrt() / volatility, max_error))
        })
        .collect();
    let figures = figures.filter(|figures| !figures.is_empty())?;
    Some(OutOfBag {
        resamples: figures.len(),
        volatility_ratio: Summary::of(figures.iter().map(|f| f.0)),
        max_error: Summary::of(figures.iter().map(|f| f.1)),
    })
}
