//! What is known of one resample's portfolio: a number for each figure.

use super::distribution::{Asked, CENTRAL};
use crate::covariance::RiskModel;
use crate::methods::{Method, Program, RiskMeasure, Selection};
use crate::panel::Panel;
use crate::resample::Law;
use crate::stats;
use crate::study::limits::NamedLimits;
use crate::study::measures::{Components, Profile};

/// A number of each resample's portfolio; [`MethodStatistics`](super::method::MethodStatistics) says what they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Figure {
    /// Of the solver's certificate.
    RcError,
    Slack,
    KktError,
    /// The largest relative miss of a budget, within limits: of the certificate, too.
    BudgetMiss,
    /// Of the estimator.
    Parameter,
    Weight(usize),
    /// What a group holds, and the value of a row of limits.
    Group(usize),
    Row(usize),
    /// What is bought of the weights before.
    Bought,
    /// What a weight is more than under volatility parity on the same rows.
    Beyond(usize),
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
    /// Assets with a weight that counts.
    Held,
    /// By how much the method misses what it aims at, under the full-sample covariance.
    Aim,
}

impl Figure {
    /// Whether it follows from the weights alone.
    pub fn is_of_weights(self) -> bool {
        use Figure::{
            Beyond, BudgetMiss, DiversificationRatio, DiversificationRatioSquared, KktError, Parameter, RcError, Slack,
            Volatility, VolatilityAnnual,
        };
        !matches!(
            self,
            RcError
                | Slack
                | KktError
                | BudgetMiss
                | Parameter
                | Beyond(_)
                | Volatility
                | VolatilityAnnual
                | DiversificationRatio
                | DiversificationRatioSquared
        )
    }

    pub fn is_of_ranks(self) -> bool {
        matches!(self, Figure::Rank(_) | Figure::RankCorrelation)
    }

    pub fn is_of_shares(self) -> bool {
        use Figure::{Aim, EffectiveContributors, Gini, MaxError, RealisedVolatility, Share, ShareSd};
        matches!(self, Share(_) | MaxError | ShareSd | Gini | EffectiveContributors | RealisedVolatility | Aim)
    }
}

/// A figure of a method over all converged resamples, and what is asked of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub method: Method,
    pub figure: Figure,
    pub asked: Asked,
}

impl Column {
    /// With the quantiles that summaries have.
    pub fn summarised(method: Method, figure: Figure) -> Column {
        // A method may have no portfolio where risk budgeting has one.
        let finite = figure == Figure::RankCorrelation || method.is_solved() || method == Method::InverseVolatility;
        Column { method, figure, asked: Asked { finite, ..Asked::quantiles(CENTRAL) } }
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
    /// The full-sample covariance: the truth that a resample's portfolio is measured against, whatever the estimator.
    pub full: &'a RiskModel,
    /// What the estimator makes of the full history.
    pub model: &'a RiskModel,
    /// None for too many assets.
    pub components: Option<&'a Components>,
    pub budgets: &'a [f64],
    /// What is budgeted, and the rows that it is measured on where it is not volatility.
    pub measure: RiskMeasure,
    pub rows: Vec<&'a [f64]>,
    /// Contributions to the risk of the full-sample portfolio, where a certificate has them.
    contributions: Option<&'a [f64]>,
    pub assets: &'a [String],
    pub periods_per_year: Option<f64>,
    /// Beside risk budgeting.
    pub selection: &'a Selection,
    /// Risk budgeting, then those beside it.
    pub methods: Vec<Method>,
    references: Vec<Option<Reference>>,
    /// Over these assets; none without limits.
    pub limits: Option<&'a NamedLimits>,
    /// The least volatility and the greatest diversification ratio of any long-only portfolio under the full-sample
    /// covariance; NaN where a method that aims at them is not asked for, or there are none.
    pub least_volatility: f64,
    pub greatest_diversification: f64,
}

impl<'a> Setting<'a> {
    /// Names and budgets have one entry for each asset, and `points` a full-sample portfolio for each method, where one
    /// exists.
    pub fn new(
        (panel, law): (&'a Panel, &'a Law),
        (full, model, components): (&'a RiskModel, &'a RiskModel, Option<&'a Components>),
        (assets, program): (&'a [String], &'a Program),
        (selection, points): (&'a Selection, &[Option<Vec<f64>>]),
        periods_per_year: Option<f64>,
    ) -> Setting<'a> {
        let measure = program.measure();
        let taken = if measure.is_volatility() { 0 } else { panel.rows() };
        let references = points.iter().map(|point| point.clone().map(Reference::new)).collect();
        let methods = selection.all();
        let best = |method: Method| methods.contains(&method).then(|| method.finished(program, full)).flatten();
        let least = best(Method::MinimumVariance).map(|weights| full.profile(weights, None).volatility);
        let greatest = best(Method::MaximumDiversification);
        let greatest = greatest.map(|weights| full.profile(weights, None).diversification_ratio);
        Setting {
            panel,
            law,
            full,
            model,
            components,
            budgets: program.budgets(),
            measure,
            rows: panel.values().chunks_exact(program.assets()).take(taken).collect(),
            contributions: None,
            assets,
            periods_per_year,
            selection,
            methods,
            references,
            limits: None,
            least_volatility: least.unwrap_or(f64::NAN),
            greatest_diversification: greatest.unwrap_or(f64::NAN),
        }
    }

    /// With the contributions to the risk of the full-sample portfolio.
    #[must_use]
    pub fn contributing(self, contributions: Option<&'a [f64]>) -> Setting<'a> {
        Setting { contributions, ..self }
    }

    /// Within these limits.
    #[must_use]
    pub fn within(self, limits: Option<&'a NamedLimits>) -> Setting<'a> {
        Setting { limits, ..self }
    }

    /// A portfolio of the full history, its risk by the measure of the study.
    pub fn profile(&self, weights: Vec<f64>) -> Profile {
        let profile = self.model.profile(weights, self.periods_per_year);
        if self.measure.is_volatility() {
            return profile;
        }
        let (risk, shares) = self.measure.of_weights(&self.rows, &profile.weights, self.panel);
        profile.measured(risk, shares)
    }

    /// That of a method; of risk budgeting with the contributions that its certificate has.
    pub fn point(&self, method: Method) -> Option<Profile> {
        let own = self.profile(self.reference(method)?.weights.clone());
        match self.contributions.filter(|_| method == Method::RiskBudgeting) {
            Some(contributions) => {
                let risk = own.risk_contributions.iter().sum();
                Some(own.measured(risk, contributions.to_vec()))
            }
            None => Some(own),
        }
    }

    /// The place of a method of the study.
    pub fn place(&self, method: Method) -> usize {
        self.place_of(method).expect("a method of the study")
    }

    /// The same; none of a method that is not.
    pub fn place_of(&self, method: Method) -> Option<usize> {
        self.methods.iter().position(|own| *own == method)
    }

    pub fn reference(&self, method: Method) -> Option<&Reference> {
        self.references[self.place_of(method)?].as_ref()
    }
}
