//! What is known of one resample's portfolio: a number for each figure.

use super::distribution::{Asked, CENTRAL};
use crate::batch::Solutions;
use crate::covariance::RiskModel;
use crate::panel::Panel;
use crate::resample::Law;
use crate::stats;
use crate::study::measures::{Components, equal_weight, inverse_volatility};

/// The methods of a study. What belongs to one of them only is answered here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    RiskBudgeting,
    InverseVolatility,
    EqualWeight,
}

impl Rule {
    pub const ALL: [Rule; 3] = [Rule::RiskBudgeting, Rule::InverseVolatility, Rule::EqualWeight];

    /// Whether its weights differ among resamples.
    pub fn varies(self) -> bool {
        self != Rule::EqualWeight
    }

    /// The full-sample portfolio; `solved` is that of risk budgeting.
    fn point(self, full: &RiskModel, solved: Option<&[f64]>) -> Option<Vec<f64>> {
        match self {
            Rule::RiskBudgeting => solved.map(<[f64]>::to_vec),
            Rule::InverseVolatility => Some(full.inverse_volatility()),
            Rule::EqualWeight => Some(equal_weight(full.assets())),
        }
    }

    /// The weights of problem `at` of a block.
    pub fn weights(self, block: &Solutions, at: usize, assets: usize) -> Vec<f64> {
        let row = at * assets..(at + 1) * assets;
        match self {
            Rule::RiskBudgeting => block.weights[row].to_vec(),
            Rule::InverseVolatility => inverse_volatility(&block.comparisons.volatilities[row]),
            Rule::EqualWeight => equal_weight(assets),
        }
    }

    /// Volatility of these weights under the problem's own covariance.
    pub fn volatility(self, block: &Solutions, at: usize) -> f64 {
        match self {
            Rule::RiskBudgeting => block.certificates[at].volatility,
            Rule::InverseVolatility => block.comparisons.inverse_volatility[at],
            Rule::EqualWeight => block.comparisons.equal_weight[at],
        }
    }
}

/// A number of each resample's portfolio; [`Method`](super::method::Method) says what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Of the solver's certificate.
    RcError,
    Weight(usize),
    /// From 1, the largest weight first.
    Rank(usize),
    /// Realised risk share.
    Share(usize),
    Turnover,
    MaxChange,
    RankCorrelation,
    EffectiveAssets,
    EntropyAssets,
    Volatility,
    VolatilityAnnual,
    DiversificationRatio,
    DiversificationRatioSquared,
    EffectiveBets,
    MaxError,
    ShareSd,
    Gini,
    EffectiveContributors,
    RealisedVolatility,
}

impl Figure {
    /// Whether it follows from the weights alone.
    pub fn is_of_weights(self) -> bool {
        use Figure::{DiversificationRatio, DiversificationRatioSquared, RcError, Volatility, VolatilityAnnual};
        let drawn = [RcError, Volatility, VolatilityAnnual, DiversificationRatio, DiversificationRatioSquared];
        !drawn.contains(&self)
    }

    pub fn is_of_ranks(self) -> bool {
        matches!(self, Figure::Rank(_) | Figure::RankCorrelation)
    }

    pub fn is_of_shares(self) -> bool {
        use Figure::{EffectiveContributors, Gini, MaxError, RealisedVolatility, Share, ShareSd};
        matches!(self, Share(_) | MaxError | ShareSd | Gini | EffectiveContributors | RealisedVolatility)
    }
}

/// A figure of a method over all converged resamples, and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub rule: Rule,
    pub figure: Figure,
    pub asked: Asked,
}

impl Column {
    /// With the quantiles that summaries have.
    pub fn summarised(rule: Rule, figure: Figure) -> Column {
        let finite = figure == Figure::RankCorrelation;
        Column { rule, figure, asked: Asked { finite, ..Asked::quantiles(CENTRAL) } }
    }
}

/// A method's full-sample portfolio, as resamples are held against it.
#[derive(Debug)]
pub struct Reference {
    pub weights: Vec<f64>,
    /// Deviations of its ranks from their mean, and the sum of their squares.
    pub ranks: Vec<f64>,
    pub rank_squares: f64,
}

impl Reference {
    fn new(weights: Vec<f64>) -> Reference {
        let mut ranks = vec![0.0; weights.len()];
        stats::descending_ranks(&weights, &mut Vec::new(), &mut ranks);
        let mean = stats::mean(&ranks);
        ranks.iter_mut().for_each(|rank| *rank -= mean);
        let rank_squares = ranks.iter().fold(0.0, |sum, rank| sum + rank.powi(2));
        Reference { weights, ranks, rank_squares }
    }
}

/// What all figures of a study share.
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
    references: [Option<Reference>; Rule::ALL.len()],
}

impl<'a> Setting<'a> {
    /// `names` and `budgets` have one entry for each asset, and `point` the full-sample portfolio, where one exists.
    pub fn new(
        (panel, law): (&'a Panel, &'a Law),
        (full, components): (&'a RiskModel, Option<&'a Components>),
        (assets, budgets): (&'a [String], &'a [f64]),
        point: Option<&[f64]>,
        periods_per_year: Option<f64>,
    ) -> Setting<'a> {
        let references = Rule::ALL.map(|rule| rule.point(full, point).map(Reference::new));
        Setting { panel, law, full, components, budgets, assets, periods_per_year, references }
    }

    pub fn reference(&self, rule: Rule) -> Option<&Reference> {
        self.references[rule as usize].as_ref()
    }
}
