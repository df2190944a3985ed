//! The same resamples under other estimators: does a shrunk covariance move less, and does it promise better?

use serde::{Serialize, Serializer};

use crate::covariance::{Estimate, Estimator, RiskModel};
use crate::error::Result;
use crate::methods::{Method, Program, Selection};
use crate::observer::Observer;
use crate::panel::Panel;
use crate::store::blocks::Blocks;
use crate::study::estimation::Estimation;
use crate::study::statistics::figure::{Column, Figure, Setting};
use crate::study::statistics::passes::Passes;
use crate::study::statistics::summary::Summary;
use crate::study::statistics::turnover::pairwise;

/// What an estimator makes of the same history.
#[derive(Debug, Clone, Serialize)]
pub struct UnderEstimator {
    #[serde(flatten)]
    pub estimation: Estimation,
    pub resamples: u64,
    pub converged: u64,
    pub methods: UnderMethods,
}

/// Every method under it: risk budgeting, then those beside it in the order asked for.
#[derive(Debug, Clone)]
pub struct UnderMethods {
    names: Vec<String>,
    methods: Vec<(Method, Portfolios)>,
}

impl UnderMethods {
    pub fn iter(&self) -> impl Iterator<Item = (Method, &str, &Portfolios)> {
        self.methods.iter().zip(&self.names).map(|((method, portfolios), name)| (*method, name.as_str(), portfolios))
    }

    /// Risk budgeting.
    pub fn own(&self) -> &Portfolios {
        &self.methods[0].1
    }
}

impl Serialize for UnderMethods {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(_, name, portfolios)| (name, portfolios)))
    }
}

/// Means over the resamples of a method's portfolios.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Portfolios {
    /// Half the absolute difference of the weights of two resamples.
    pub pairwise_turnover: f64,
    /// The same against the portfolio of the full history under the same estimator; null where there is none.
    pub turnover: Option<f64>,
    /// Volatility under the full-history sample covariance, whatever the estimator, per period.
    pub held: f64,
    /// Volatility under the estimate that the portfolio was made from, per period.
    pub promised: f64,
    /// held / promised.
    pub held_over_promised: f64,
    /// By how much the method's own aim is missed; null where it has none.
    pub aim: Option<f64>,
}

/// What is known of the history.
#[derive(Debug, Clone, Copy)]
pub struct History<'a> {
    pub panel: &'a Panel,
    pub law: &'a crate::resample::Law,
    /// The sample covariance of all of it.
    pub full: &'a RiskModel,
    pub names: &'a [String],
    pub program: &'a Program,
    pub selection: &'a Selection,
}

/// The portfolio of the full history under an estimate, for risk budgeting and each method beside it.
pub fn points(program: &Program, selection: &Selection, estimate: &Estimate) -> Vec<Option<Vec<f64>>> {
    let model = &estimate.model;
    let of = |method: Method| match selection.closed_form(method, &model.volatilities) {
        Some(weights) => Some(weights.into_owned()),
        None => method.finished(program, model),
    };
    selection.all().into_iter().map(of).collect()
}

/// Over the first `resamples` of `blocks`, which were estimated as `estimate` was.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn under(
    history: &History,
    estimate: &Estimate,
    blocks: &dyn Blocks,
    resamples: u64,
    observer: &mut dyn Observer,
) -> Result<UnderEstimator> {
    let History { panel, law, full, names, program, selection } = *history;
    let points = points(program, selection, estimate);
    let models = (full, &estimate.model, None);
    let setting = Setting::new((panel, law), models, (names, program), (selection, &points), None);
    let passes = Passes { setting: &setting, blocks, problems: resamples };
    let (found, solves) = passes.distributions(columns(&setting, estimate.estimator), observer)?;
    let pairwise = pairwise(blocks, selection, resamples, observer)?;
    let mean = |method, figure| found.get(method, figure).map(|found| found.moments.mean);
    let portfolios = |(&method, pairwise_turnover): (&Method, f64)| {
        let of = |figure| mean(method, figure).unwrap_or(f64::NAN);
        let (held, promised) = (of(Figure::RealisedVolatility), of(Figure::Volatility));
        let turnover = mean(method, Figure::Turnover);
        let aim = mean(method, Figure::Aim);
        let held_over_promised = held / promised;
        (method, Portfolios { pairwise_turnover, turnover, held, promised, held_over_promised, aim })
    };
    let parameter = found.get(Method::RiskBudgeting, Figure::Parameter).map(Summary::from);
    Ok(UnderEstimator {
        estimation: Estimation::of(estimate, panel.rows()).over(parameter),
        resamples,
        converged: solves.converged,
        methods: UnderMethods {
            names: setting.methods.iter().map(|method| selection.name(*method).to_string()).collect(),
            methods: setting.methods.iter().zip(pairwise).map(portfolios).collect(),
        },
    })
}

/// The columns that this takes.
pub fn columns(setting: &Setting, estimator: Estimator) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for &method in &setting.methods {
        let mut figures = vec![Figure::RealisedVolatility, Figure::Volatility];
        figures.extend(setting.reference(method).map(|_| Figure::Turnover));
        if method.aims() {
            figures.push(Figure::Aim);
        }
        if method == Method::RiskBudgeting && estimator.parameter().is_some() {
            figures.push(Figure::Parameter);
        }
        columns.extend(figures.into_iter().map(|figure| Column::summarised(method, figure)));
    }
    // Figures of one method are computed together.
    columns.sort_by_key(|column| column.method.code());
    columns
}
