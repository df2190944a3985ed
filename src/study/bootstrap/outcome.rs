//! What the study found, as it is printed and written.

use serde::{Serialize, Serializer};

use crate::batch::counts::{RcError, Solves};
use crate::engine::{Kind, Precision};
use crate::error::Text;
use crate::methods::{Method, Selection};
use crate::resample::Scheme;
use crate::run::crosscheck::CrossCheck;
use crate::study::block::BlockEstimates;
use crate::study::budgeted::Budgeted;
use crate::study::change::{Halves, Rolling, Windows};
use crate::study::estimation::Estimation;
use crate::study::estimators::UnderEstimator;
use crate::study::holdings::Holdings;
use crate::study::influence::Day;
use crate::study::limits::NamedLimits;
use crate::study::statistics::asset::Asset;
use crate::study::statistics::convergence::Step;
use crate::study::statistics::limited::{Group, KktError, Row, Turnover};
use crate::study::statistics::method::MethodStatistics;
use crate::study::statistics::paired::Paired;
use crate::study::statistics::summary::Summary;

/// The risk-budgeting portfolio as a whole, under each resample's own covariance.
#[derive(Debug, Clone, Serialize)]
pub struct Portfolio {
    pub volatility: Summary,
    pub volatility_annual: Option<Summary>,
    pub diversification_ratio: Summary,
    pub effective_assets: Summary,
    /// Within limits, the largest relative miss of a budget.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_miss: Option<Summary>,
}

/// Every method on the same resamples: risk budgeting, then those beside it in the order asked for.
#[derive(Debug, Clone)]
pub struct Methods {
    pub selection: Selection,
    pub(super) statistics: Vec<MethodStatistics>,
}

impl Methods {
    /// Risk budgeting.
    pub fn own(&self) -> &MethodStatistics {
        &self.statistics[0]
    }

    /// A method; none where it was not compared.
    pub fn of(&self, method: Method) -> Option<&MethodStatistics> {
        self.iter().find(|(own, _)| *own == method).map(|(_, statistics)| statistics)
    }

    pub fn iter(&self) -> impl Iterator<Item = (Method, &MethodStatistics)> {
        self.selection.all().into_iter().zip(&self.statistics)
    }

    /// As results call a method.
    pub fn name(&self, method: Method) -> &str {
        self.selection.name(method)
    }
}

impl Serialize for Methods {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter().map(|(method, statistics)| (self.name(method), statistics)))
    }
}

/// The main figures again at another block length.
#[derive(Debug, Clone, Serialize)]
pub struct Sensitivity {
    pub block_length: f64,
    pub threshold: Option<u64>,
    pub resamples: u64,
    pub converged: u64,
    pub assets: Vec<SensitivityAsset>,
    pub volatility: Summary,
}

#[derive(Debug, Clone, Serialize)]
pub struct SensitivityAsset {
    pub name: String,
    pub mean: f64,
    pub sd: f64,
    pub q05: f64,
    pub q95: f64,
}

/// What was run.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    pub seed: u64,
    pub scheme: Scheme,
    pub block_length: f64,
    /// The law's real parameter, of 2^32; null for fixed blocks.
    pub threshold: Option<u64>,
    pub block_estimates: Option<BlockEstimates>,
    pub resamples: u64,
    pub rows: usize,
    /// Assets solved for; those with a zero budget have left.
    pub assets: usize,
    /// Assets with a zero budget, held at weight zero.
    pub excluded: Vec<String>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub engine: Kind,
    pub adapter: Option<String>,
    pub driver: Option<String>,
    pub precision: Precision,
    pub law: &'static str,
    pub tolerance: f64,
    pub periods_per_year: Option<f64>,
    /// Windows of the history whose portfolios are compared.
    pub windows: usize,
    pub estimator: Estimation,
    /// What was budgeted.
    pub risk: Budgeted,
    /// Of the assets that were solved for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<NamedLimits>,
}

/// What the study found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub assets: Vec<Asset>,
    pub portfolio: Portfolio,
    pub methods: Methods,
    /// What the measure of risk changes beside volatility parity on the same rows; null where risk is volatility.
    pub paired: Option<Paired>,
    pub solves: Solves,
    pub rc_error: RcError,
    /// Within limits; so are the next three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<KktError>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Group>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limits: Option<Vec<Row>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub turnover: Option<Turnover>,
    pub crosscheck: Option<CrossCheck>,
    pub sensitivity: Vec<Sensitivity>,
    /// The study under other estimators.
    pub estimators: Vec<UnderEstimator>,
    /// The portfolios of the two halves of the history, and of successive windows; null where one of them has none, or is
    /// too short.
    pub halves: Option<Halves>,
    pub windows: Option<Windows>,
    /// The portfolios of windows that overlap; none where one of them is missing, and for more than 500 assets.
    #[serde(skip)]
    pub rolling: Option<Rolling>,
    /// Correlations of the assets that were solved for, over the full history, row-major.
    #[serde(skip)]
    pub correlation: Vec<f64>,
    /// What somebody holds, where it was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub given: Option<Holdings>,
    /// The periods of the history that decide most of the portfolio, the first most of all.
    pub days: Vec<Day>,
    pub run: Run,
    /// What a reader should know of the history, as it was said when the study began.
    #[serde(skip)]
    pub notes: Vec<Text>,
    /// The weight of the asset that moves most over the first so many resamples.
    #[serde(skip)]
    pub convergence: Vec<Step>,
}
