//! How a method's portfolios vary over the resamples: instability of the weights, and what becomes of the risk they
//! promised. The same figures for every method, on the same rows, so that methods compare.

use serde::Serialize;

use super::distribution::Distribution;
use super::evidence::{self, Evidence, MethodCertificate, Statuses};
use super::figure::{Column, Figure, Setting};
use super::out_of_bag::{OutOfBag, out_of_bag};
use super::passes::Distributions;
use super::summary::Summary;
use super::turnover::pairwise;
use crate::batch::counts::Solves;
use crate::error::Result;
use crate::methods::Method;
use crate::observer::Observer;
use crate::store::blocks::Blocks;
use crate::study::measures::Profile;

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
pub struct MethodStatistics {
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
    /// Volatility under the estimate that the portfolio was made from, per period: what it promised, where `realised` is
    /// what it holds.
    pub promised: Summary,
    /// By how much the portfolios miss what the method aims at, under the full-sample covariance: risk budgeting the
    /// budgets (as `realised.max_error`), minimum variance the least volatility, maximum diversification the greatest
    /// ratio, relative. Null for methods without such an aim.
    pub aim: Option<Summary>,
    /// Assets with a weight above 1e-6.
    pub held: Summary,
    /// Null for portfolios that follow from a formula.
    pub certificate: Option<MethodCertificate>,
    /// How the resamples ended; null for portfolios that follow from a formula.
    pub statuses: Option<Statuses>,
}

/// The columns it takes.
pub fn columns(setting: &Setting, method: Method) -> Vec<Column> {
    use Figure::*;
    let n = setting.assets.len();
    let mut figures: Vec<Figure> = (0..n).map(Weight).chain((0..n).map(Share)).collect();
    figures.push(Held);
    if method.aims() {
        figures.push(Aim);
    }
    if setting.reference(method).is_some() {
        figures.extend([Turnover, MaxChange, RankCorrelation]);
    }
    if setting.components.is_some() {
        figures.push(EffectiveBets);
    }
    figures.extend([EffectiveAssets, EntropyAssets, Volatility, DiversificationRatio, DiversificationRatioSquared]);
    figures.extend([MaxError, ShareSd, Gini, EffectiveContributors, RealisedVolatility]);
    figures.into_iter().map(|figure| Column::summarised(method, figure)).collect()
}

/// All methods of a study.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn methods(
    setting: &Setting,
    blocks: &dyn Blocks,
    (found, solves): (&Distributions, &Solves),
    observer: &mut dyn Observer,
) -> Result<Vec<MethodStatistics>> {
    let pairwise = pairwise(blocks, setting.selection, u64::MAX, observer)?;
    let out_of_bag = out_of_bag(setting, blocks, observer)?;
    let errors = found.of(Method::RiskBudgeting, Figure::RcError);
    let largest = |found: &Distribution| (found.count > 0).then(|| found.quantile(1.0).value);
    let slack = found.get(Method::RiskBudgeting, Figure::Slack).and_then(largest);
    let own = Evidence::of(solves, largest(errors), slack);
    let evidence = evidence::evidence(setting.selection, own, blocks, observer)?;
    let of = |(((&method, pairwise), out_of_bag), evidence)| {
        MethodStatistics::of(setting, method, found, pairwise, out_of_bag, evidence)
    };
    Ok(setting.methods.iter().zip(pairwise).zip(out_of_bag).zip(evidence).map(of).collect())
}

impl MethodStatistics {
    fn of(
        setting: &Setting,
        method: Method,
        found: &Distributions,
        pairwise_turnover: f64,
        out_of_bag: Option<OutOfBag>,
        evidence: Evidence,
    ) -> MethodStatistics {
        let point = setting.reference(method).map(|point| &point.weights[..]);
        let summary = |figure| Summary::from(found.of(method, figure));
        let by_asset = |figure: fn(usize) -> Figure| {
            let named = |(i, name): (usize, &String)| AssetSummary { name: name.clone(), summary: summary(figure(i)) };
            setting.assets.iter().enumerate().map(named).collect()
        };
        let against_point = |figure| point.is_some().then(|| summary(figure));
        let correlated = point.is_some() && found.of(method, Figure::RankCorrelation).count > 0;
        MethodStatistics {
            weights: by_asset(Figure::Weight),
            turnover: against_point(Figure::Turnover),
            pairwise_turnover,
            max_change: against_point(Figure::MaxChange),
            rank_correlation: correlated.then(|| summary(Figure::RankCorrelation)),
            effective_assets: summary(Figure::EffectiveAssets),
            entropy_assets: summary(Figure::EntropyAssets),
            volatility: summary(Figure::Volatility),
            diversification_ratio: summary(Figure::DiversificationRatio),
            diversification_ratio_squared: summary(Figure::DiversificationRatioSquared),
            effective_bets: setting.components.map(|_| summary(Figure::EffectiveBets)),
            realised: Realised {
                shares: by_asset(Figure::Share),
                max_error: summary(Figure::MaxError),
                sd: summary(Figure::ShareSd),
                gini: summary(Figure::Gini),
                effective_contributors: summary(Figure::EffectiveContributors),
                volatility: summary(Figure::RealisedVolatility),
            },
            out_of_bag,
            promised: summary(Figure::Volatility),
            aim: method.aims().then(|| summary(Figure::Aim)),
            held: summary(Figure::Held),
            certificate: evidence.certificate,
            statuses: evidence.statuses,
            bagged: bagged(setting, method, found, point),
            point: setting.point(method),
        }
    }

    /// The same over all assets `names`, of which those at `keep` were solved for, as sizes with these signs: the others are
    /// held at zero.
    #[must_use]
    pub fn spread(self, (keep, signs): (&[usize], &[f64]), names: &[String]) -> MethodStatistics {
        let short = signs.iter().any(|sign| *sign < 0.0);
        if keep.len() == names.len() && !short {
            return self;
        }
        let signed = |(own, sign): (AssetSummary, &f64)| match *sign < 0.0 {
            true => AssetSummary { summary: own.summary.negated(), ..own },
            false => own,
        };
        let all = |solved: Vec<AssetSummary>| {
            let nothing = |name: &String| AssetSummary { name: name.clone(), summary: Summary::of([0.0, 0.0]) };
            let mut all: Vec<AssetSummary> = names.iter().map(nothing).collect();
            keep.iter().zip(solved).for_each(|(&i, summary)| all[i] = summary);
            all
        };
        MethodStatistics {
            point: self.point.map(|point| point.signed(signs).spread(keep, names.len())),
            weights: all(self.weights.into_iter().zip(signs).map(signed).collect()),
            realised: Realised { shares: all(self.realised.shares), ..self.realised },
            bagged: self.bagged.map(|b| Bagged { profile: b.profile.signed(signs).spread(keep, names.len()), ..b }),
            ..self
        }
    }
}

fn bagged(setting: &Setting, method: Method, found: &Distributions, point: Option<&[f64]>) -> Option<Bagged> {
    let weights: Vec<_> = (0..setting.assets.len()).map(|i| found.of(method, Figure::Weight(i))).collect();
    if weights[0].count == 0 {
        return None;
    }
    let total: f64 = weights.iter().map(|weight| weight.sum).sum();
    let mean: Vec<f64> = weights.iter().map(|weight| weight.sum / total).collect();
    let distance = point.map(|point| 0.5 * mean.iter().zip(point).map(|(m, p)| (m - p).abs()).sum::<f64>());
    Some(Bagged { profile: setting.profile(mean), distance_to_point: distance })
}
