//! One portfolio: the risk-budgeting weights with their certificate, beside inverse volatility and equal weight.

use std::borrow::Cow;

use serde::{Serialize, Serializer};

mod losses;
mod unsolved;

use super::budgeted::{Budgeted, warn_of_short_tail};
use super::estimation::Estimation;
use super::holdings::Holdings;
use super::influence::{Band, DEGREES, Influence};
use super::limited::{Limited, Placed, Within};
use super::measures::Profile;
use crate::batch::{Batch, Solutions, submatrix};
use crate::covariance::{Estimator, RiskModel, estimate};
use crate::engine::{Engine, Kind};
use crate::error::{Error, Result, option};
use crate::methods::certificate::{Certificate, Proof, Status};
use crate::methods::risk_budgeting::Options;
use crate::methods::risk_budgeting::limited::{self, Certified};
use crate::methods::risk_budgeting::validity::{self, Flaw};
use crate::methods::{self, Method, RiskMeasure, Selection};
use crate::observer::Observer;
use crate::panel::Panel;
use losses::Losses;

/// What `solve` found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub assets: Vec<String>,
    pub budgets: Vec<f64>,
    #[serde(flatten)]
    pub profile: Profile,
    pub status: Status,
    pub rc_error: f64,
    /// Of expected shortfall: no portfolio is better by more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<f64>,
    /// Null where risk is not volatility.
    pub kappa: f64,
    pub sweeps: u32,
    /// The engine that found the weights: a GPU may hand a hard problem to the CPU.
    pub engine: Kind,
    pub periods_per_year: Option<f64>,
    /// Bands of the weights; null where a covariance was given, and of short histories.
    pub robust: Option<Robust>,
    pub methods: Methods,
    /// What limits did; none without limits.
    #[serde(flatten)]
    pub limited: Option<Limited>,
    /// What somebody holds, where it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<Holdings>,
    /// The intensity of shrinkage; null where the estimator has none, and where a covariance was given.
    pub shrinkage: Option<f64>,
    pub run: Run,
}

/// How it was done.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    /// Null where a covariance was given.
    pub estimator: Option<Estimation>,
    /// What was budgeted.
    pub risk: Budgeted,
}

/// Bands of all weights that hold where volatility comes in spells ([`crate::study::influence`]), asset by asset; an asset
/// without a budget has no width.
#[derive(Debug, Clone, Serialize)]
pub struct Robust {
    pub se: Vec<f64>,
    /// Of 90 %.
    pub lower: Vec<f64>,
    pub upper: Vec<f64>,
    /// Degrees of freedom.
    pub degrees: usize,
}

impl Robust {
    /// Of `assets` assets, of which those at `keep` are held, as sizes with these signs.
    fn spread(bands: &[Band], (keep, signs): (&[usize], &[f64]), assets: usize) -> Robust {
        let mut all =
            Robust { se: vec![0.0; assets], lower: vec![0.0; assets], upper: vec![0.0; assets], degrees: DEGREES };
        for (&i, (band, sign)) in keep.iter().zip(bands.iter().zip(signs)) {
            let band = if *sign < 0.0 { band.negated() } else { *band };
            (all.se[i], all.lower[i], all.upper[i]) = (band.se, band.lower, band.upper);
        }
        all
    }
}

/// A method's portfolio under the same covariance, with its proof.
#[derive(Debug, Clone, Serialize)]
pub struct Portfolio {
    #[serde(skip)]
    pub method: Method,
    /// As results call the method.
    #[serde(skip)]
    pub name: String,
    #[serde(flatten)]
    pub profile: Profile,
    pub status: Status,
    /// Of risk budgeting and volatility parity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rc_error: Option<f64>,
    /// Of inverse volatility within limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<f64>,
    /// Of minimum variance and maximum diversification: no long-only portfolio (within the limits) is better by more than
    /// this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<f64>,
    /// No other portfolio is as good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<bool>,
    /// Of hierarchical risk parity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_error: Option<f64>,
    /// How far the tree is from another, in correlations; null where there are fewer than two merges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Option<f64>>,
    /// Assets as they are split, from left to right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<String>>,
}

impl Portfolio {
    /// Of a method that needs no proof.
    fn exact(method: Method, name: &str, profile: Profile) -> Portfolio {
        Portfolio {
            method,
            name: name.to_string(),
            profile,
            status: Status::Converged,
            rc_error: None,
            kkt_error: None,
            gap: None,
            unique: None,
            split_error: None,
            margin: None,
            order: None,
        }
    }
}

/// Risk budgeting and the methods beside it that have a portfolio.
#[derive(Debug, Clone)]
pub struct Methods(Vec<Portfolio>);

impl Methods {
    pub fn iter(&self) -> impl Iterator<Item = &Portfolio> {
        self.0.iter()
    }
}

impl Serialize for Methods {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|portfolio| (&portfolio.name, portfolio)))
    }
}

/// A covariance to solve, with the budgets of all its assets; a zero budget leaves its asset out, at weight zero.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub assets: &'a [String],
    pub risk: Risk<'a>,
    pub budgets: &'a [f64],
    /// What somebody holds, one for each asset, where it is to be compared.
    pub weights: Option<&'a [f64]>,
    /// What is budgeted: where it is not volatility, a history is needed.
    pub measure: RiskMeasure,
    /// Methods beside risk budgeting; mixes are over all assets.
    pub beside: &'a Selection,
    /// What is asked of weights beside budgets.
    pub within: &'a Within,
    pub periods_per_year: Option<f64>,
}

/// Where the covariance of all assets comes from.
#[derive(Debug, Clone, Copy)]
pub enum Risk<'a> {
    /// n x n, row-major.
    Given { covariance: &'a [f64], assume_psd: bool },
    /// Estimated from a history: of the assets that are held, by themselves.
    History { panel: &'a Panel, estimator: Estimator },
}

impl Risk<'_> {
    /// Of all assets.
    fn covariance(&self, names: &[String]) -> Result<Cow<'_, [f64]>> {
        Ok(match *self {
            Risk::Given { covariance, .. } => covariance.into(),
            Risk::History { panel, estimator } => {
                estimate(panel, estimator).map_err(|still| still.named(names))?.model.covariance().into()
            }
        })
    }

    fn estimator(&self) -> Option<Estimator> {
        match self {
            Risk::Given { .. } => None,
            Risk::History { estimator, .. } => Some(*estimator),
        }
    }

    fn assets(&self) -> usize {
        match self {
            Risk::Given { covariance, .. } => covariance.len().isqrt(),
            Risk::History { panel, .. } => panel.assets(),
        }
    }
}

/// Solves it on `engine`, which should take the finishing step.
///
/// # Errors
/// `Input` where the matrix is no covariance; `Unsolved` where no certified portfolio was found.
pub fn solve(question: &Question, engine: &dyn Engine, observer: &mut dyn Observer) -> Result<Outcome> {
    let n = question.assets.len();
    let (budgets, assets) = (question.budgets.len(), question.risk.assets());
    if budgets != n || assets != n {
        return Err(Error::input(format!("{budgets} risk budgets and a covariance of {assets} assets for {n} assets")));
    }
    let Within { limits: named, terms } = question.within;
    let keep = question.within.keep(question.budgets);
    let signs: Vec<f64> = keep.iter().map(|&i| terms.sign(i)).collect();
    let names: Vec<&str> = keep.iter().map(|&i| question.assets[i].as_str()).collect();
    let held: Vec<u32> = keep.iter().map(|&i| i as u32).collect();
    let (covariance, assume_psd, history) = match question.risk {
        Risk::Given { covariance, assume_psd } => {
            let mut part = submatrix(covariance, n, &keep);
            part.iter_mut().enumerate().for_each(|(k, s)| *s *= signs[k / keep.len()] * signs[k % keep.len()]);
            (part, assume_psd, None)
        }
        // An estimate is positive semi-definite by construction.
        Risk::History { panel, estimator } => {
            let panel = panel.select(&held).signed(&signs);
            let names: Vec<String> = names.iter().map(|name| (*name).to_string()).collect();
            let found = estimate(&panel, estimator).map_err(|still| still.named(&names))?;
            (found.model.covariance(), true, Some((panel, found)))
        }
    };
    let budgets: Vec<f64> = keep.iter().map(|&i| question.budgets[i]).collect();

    let risk = validity::model(&covariance, assume_psd).map_err(|flaw| rejected(flaw, &names))?;

    let tolerance = engine.reserve().options.tolerance;
    let program = question.within.program(&budgets, &keep, question.assets, question.periods_per_year)?;
    if program.is_limited() && !question.measure.is_volatility() {
        return Err(Error::usage(format!(
            "limits, signs and returns are for budgets of volatility, not of {}",
            question.measure.words()
        ))
        .hint(format!("leave {} or the limits out", option("risk"))));
    }
    // Signs and groups are told of, too.
    let told = !question.within.is_none() || !named.groups.is_empty();
    let limited = told.then(|| {
        let options = Options { tolerance, finish: true };
        let given = matches!(question.risk, Risk::Given { .. }).then_some(&covariance[..]);
        program.solve(&risk, given, options, &mut limited::Workspace::default())
    });
    let by_volatility = match &limited {
        Some(found) => {
            let mut weights = vec![0.0; keep.len()];
            let certificates = vec![found.certificate(program.budgets(), &mut weights)];
            Solutions { weights, certificates, ..Solutions::default() }
        }
        // Checked above.
        None => Batch::given(&covariance[..], &budgets)?.assume_psd().solve_watched(engine, observer)?,
    };
    if let Some(found) = limited.as_ref().filter(|found| found.status != Status::Converged) {
        return Err(unsolved::within_limits(
            found,
            &program,
            &risk,
            &names,
            &signs,
            (tolerance, question.periods_per_year),
        ));
    }
    let parity = by_volatility.certificates[0];
    let losses = match (question.measure, &history) {
        (RiskMeasure::Volatility, _) => None,
        (measure, Some((panel, _))) => {
            warn_of_short_tail(measure, panel.rows(), observer);
            Some(Losses::solve(measure, panel, program.budgets(), tolerance)?)
        }
        (measure, None) => return Err(Error::input(format!("{} takes returns, not a covariance", measure.words()))),
    };
    let found = match &losses {
        None if parity.status != Status::Converged => {
            return Err(unsolved::of(&parity, &risk, &names, tolerance, question.risk.estimator()));
        }
        None => by_volatility.weights.clone(),
        Some(losses) => losses.weights(&names, tolerance)?,
    };
    let certificate = losses.as_ref().map_or(parity, Losses::certificate);
    let robust = history
        .as_ref()
        .filter(|_| losses.is_none() && !program.is_limited())
        .and_then(|(panel, estimate)| Influence::of(panel, estimate, &found, program.budgets())?.bands());
    let robust = robust.map(|bands| Robust::spread(&bands, (&keep, &signs), n));
    let measured = |weights, contributions: Option<&[f64]>| {
        let profile = risk.profile(weights, question.periods_per_year);
        losses
            .as_ref()
            .map_or(profile.clone(), |losses| losses.measured(profile, contributions))
            .signed(&signs)
            .spread(&keep, n)
    };
    let profile = |weights| measured(weights, None);
    let mut all_budgets = vec![0.0; n];
    keep.iter().zip(program.budgets()).for_each(|(&i, budget)| all_budgets[i] = *budget);
    let mut solved = measured(found, losses.as_ref().and_then(Losses::contributions));
    if let (Some(found), Some(returns)) = (&limited, program.returns()) {
        // Shares are of the risk that is budgeted.
        let Certified { weights, shares, variance, .. } = &found.portfolio;
        let mean: f64 = weights.iter().zip(&returns.expected).map(|(w, mu)| w * mu).sum();
        let own = risk.profile(weights.clone(), question.periods_per_year);
        let own = own.measured(returns.aversion * variance.sqrt() - mean, shares.clone());
        solved = own.signed(&signs).spread(&keep, n);
    }
    let limits = program.is_limited().then(|| program.limits());
    let selection = question.beside.over(&keep).within(limits);
    let budgeted = |method: Method, profile: Profile, certificate: &Certificate| Portfolio {
        status: certificate.status,
        rc_error: Some(certificate.rc_error),
        ..Portfolio::exact(method, method.name(), profile)
    };
    let own = budgeted(Method::RiskBudgeting, solved.clone(), &certificate);
    let paired = losses.as_ref().filter(|_| parity.status == Status::Converged);
    let paired = paired.map(|_| budgeted(Method::VolatilityParity, profile(by_volatility.weights.clone()), &parity));
    let others = selection
        .methods()
        .iter()
        .filter_map(|&method| portfolio(method, &selection, (&risk, &names), &|weights| profile(weights)));
    let methods = Methods(std::iter::once(own).chain(paired).chain(others).collect());
    let estimation = history.as_ref().map(|(panel, estimate)| Estimation::of(estimate, panel.rows()));
    let given = question.weights.map(|held| beside(question, held, &solved.weights, robust.as_ref())).transpose()?;
    Ok(Outcome {
        given,
        shrinkage: estimation.as_ref().and_then(Estimation::shrinkage),
        run: Run { estimator: estimation, risk: question.measure.into() },
        limited: limited.map(|found| {
            let expected =
                terms.expected.as_ref().map(|expected| keep.iter().map(|&i| expected.returns[i]).collect::<Vec<f64>>());
            let placed = Placed {
                assets: question.assets,
                keep: &keep,
                limits: named,
                signs: &signs,
                expected: expected.as_deref(),
            };
            Limited::of(placed, &program, &risk, &found)
        }),
        assets: question.assets.to_vec(),
        budgets: all_budgets,
        profile: solved,
        status: certificate.status,
        rc_error: certificate.rc_error,
        slack: certificate.slack,
        kappa: certificate.kappa,
        sweeps: certificate.sweeps,
        engine: if certificate.rescued || losses.is_some() || told { Kind::Cpu } else { engine.info().engine },
        periods_per_year: question.periods_per_year,
        robust,
        methods,
    })
}

/// The portfolio of a method beside risk budgeting; none where it has none.
fn portfolio(
    method: Method,
    beside: &Selection,
    (risk, names): (&RiskModel, &[&str]),
    profile: &dyn Fn(Vec<f64>) -> Profile,
) -> Option<Portfolio> {
    let exact = |weights| Portfolio::exact(method, beside.name(method), profile(weights));
    if let Some(weights) = beside.closed_form(method, &risk.volatilities) {
        return Some(exact(weights.into_owned()));
    }
    let (mut weights, mut work) = (vec![0.0; names.len()], methods::Workspace::default());
    let Proof { status, error, margin, unique, .. } =
        method.solve(risk, beside.limits(), Options::default().tolerance, &mut work, &mut weights)?;
    let found = (status == Status::Converged || status == Status::Stalled).then(|| exact(weights))?;
    let order = work.hierarchical.order().iter().map(|&i| names[i].to_string()).collect();
    Some(match method {
        Method::HierarchicalRiskParity => Portfolio {
            status,
            split_error: Some(error),
            margin: Some(margin.is_finite().then_some(margin)),
            order: Some(order),
            ..found
        },
        Method::InverseVolatility => Portfolio { status, kkt_error: Some(error), ..found },
        _ => Portfolio { status, gap: Some(error), unique: Some(unique), ..found },
    })
}

/// What is held beside the portfolio and its bands.
fn beside(question: &Question, held: &[f64], portfolio: &[f64], robust: Option<&Robust>) -> Result<Holdings> {
    if held.len() != question.assets.len() {
        return Err(Error::input(format!("{} weights for {} assets", held.len(), question.assets.len())));
    }
    let band = robust.map(|all| move |i: usize| (all.lower[i], all.upper[i]));
    let bands = band.as_ref().map(|band| band as &dyn Fn(usize) -> (f64, f64));
    let under = Holdings::under(&question.risk.covariance(question.assets)?, held)?;
    let under = match question.risk {
        Risk::History { panel, .. } => under.measured(question.measure, panel),
        Risk::Given { .. } => under,
    };
    Ok(under.beside(question.assets, Some(portfolio), bands))
}

/// The error for a matrix that is no covariance.
pub fn rejected(flaw: Flaw, assets: &[&str]) -> Error {
    match flaw {
        Flaw::NotFinite { row, column } => {
            Error::input(format!("the covariance of `{}` and `{}` is not a finite number", assets[row], assets[column]))
                .hint(format!("leave the asset out with {}, or mend the file", option("assets")))
        }
        Flaw::ZeroVariance { asset } => Error::input(format!("asset `{}` (position {asset}) has no variance", assets[asset]))
            .hint(format!("leave `{}` out with {}: no risk can be budgeted to it", assets[asset], option("assets"))),
        Flaw::Asymmetric { row, column } => Error::input(format!(
            "the covariance is not symmetric: the entries of `{}` and `{}` ({row}, {column}) differ",
            assets[row], assets[column]
        ))
        .hint("a covariance matrix equals its transpose; mend the file"),
        Flaw::BeyondOne { row, column, correlation } => Error::input(format!(
            "`{}` and `{}` ({row}, {column}) would have a correlation of {correlation:.6}",
            assets[row], assets[column]
        ))
        .hint("a covariance cannot exceed the product of the two volatilities; mend the file"),
        Flaw::Indefinite { pivot } => Error::input(format!(
            "the covariance is indefinite: some portfolio would have a negative variance (pivot {pivot:.1e} of the correlation)"
        ))
        .hint(format!("repair the matrix (nearest positive semi-definite), or pass {} if only rounding is to blame", option("assume-psd"))),
    }
}
