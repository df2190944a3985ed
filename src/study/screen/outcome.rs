//! What a screen found, as it is printed and written.

use serde::Serialize;

use super::cloud::Cloud;
use super::figure::{Figure, Figures, Filter};
use super::growth::Growth;
use super::halves::{Halves, InHalves};
use super::histogram::Histogram;
use super::inclusion::Inclusion;
use super::tally::{LargestError, Statistics};
use crate::batch::counts::Solves;
use crate::engine::{Kind, Precision};
use crate::measure::Metric;
use crate::methods::limits::Bounds;
use crate::run::crosscheck::MetricCheck;
use crate::study::estimation::Estimation;
use crate::study::limited::Bound;

/// How many subsets there are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Counts {
    /// That meet the constraints of the space; null beyond 2^64.
    pub space: Option<u64>,
    pub space_approximate: f64,
    /// Looked at: all of them, or a sample.
    pub screened: u64,
    /// Of these, within the cap on correlations and with weights within the bounds.
    pub feasible: u64,
    /// Of these, with a portfolio whose metrics keep all bounds.
    pub passing: u64,
}

/// One of the best subsets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Rank in revolving-door order, or the number of the draw where the space has no ranks.
    pub rank_index: u64,
    pub assets: Vec<String>,
    pub weights: Vec<f64>,
    /// The figure it is ranked by.
    pub value: f64,
    #[serde(flatten)]
    pub figures: Figures,
    /// Within bounds, the largest relative miss of a budget.
    pub rc_error: f64,
    /// Within bounds, what is left of the conditions of the best weights; so is the next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<f64>,
    /// What holds each weight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Vec<Option<Bound>>>,
    /// The intensity with which its covariance was shrunk; null where the estimator has none.
    pub shrinkage: Option<f64>,
    /// The figure in each half of the history; null without one.
    pub halves: Option<InHalves>,
}

/// How the figure asked for is distributed over the subsets that pass, or over a shortlist of these.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    pub figure: Figure,
    /// Of so many subsets.
    pub subsets: u64,
    /// These are a shortlist: the figure of the others is not known.
    pub shortlist: bool,
    /// Chosen by the bounds on metrics of the covariance alone: bounds on the path were tried on the best, for the list.
    #[serde(skip)]
    pub of_metrics: bool,
    #[serde(flatten)]
    pub statistics: Option<Statistics>,
    pub histogram: Histogram,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    pub size: usize,
    pub assets: usize,
    pub by: Figure,
    /// Whether the largest value is the best.
    pub larger_is_better: bool,
    /// Where `by` is a figure of the path, and not all that pass are known by it: what made the shortlist, and how many were
    /// on it.
    pub shortlist_by: Option<Metric>,
    pub shortlist: Option<u64>,
    pub filters: Vec<Filter>,
    pub max_correlation: Option<f64>,
    /// Of the weights, one for each asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<Bounds>,
    /// Null where all subsets were screened.
    pub sample: Option<u64>,
    pub seed: Option<u64>,
    pub law: &'static str,
    pub rows: Option<usize>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub periods_per_year: Option<f64>,
    pub engine: Kind,
    pub adapter: Option<String>,
    pub driver: Option<String>,
    /// Of the bulk; the list is solved again in f64.
    pub precision: Precision,
    pub tolerance: f64,
    /// Null where a covariance was given.
    pub estimator: Option<Estimation>,
}

/// What the screen found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub subsets: Counts,
    pub top: Vec<Entry>,
    pub distribution: Distribution,
    pub inclusion: Inclusion,
    pub halves: Option<Halves>,
    pub solves: Solves,
    /// None of what is within bounds.
    pub rc_error: LargestError,
    /// Of what is within bounds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<LargestError>,
    /// Null on the CPU.
    pub crosscheck: Option<MetricCheck>,
    pub run: Run,
    /// The best subsets by asset number, ascending.
    #[serde(skip)]
    pub winners: Vec<Vec<u32>>,
    /// Risk and return of a sample and of the list; none without a history.
    #[serde(skip)]
    pub cloud: Option<Cloud>,
    /// None without a history, or without a list.
    #[serde(skip)]
    pub growth: Option<Growth>,
}
