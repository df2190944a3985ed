//! What limits did over the resamples: in what share of them each holds, and the bands of groups and rows.

use serde::Serialize;

use super::distribution::{Asked, Distribution, Event};
use super::figure::{Column, Figure, Setting};
use super::passes::Distributions;
use super::summary::Summary;
use crate::methods::Method;
use crate::methods::certificate::{Certificate, Status};
use crate::stats;
use crate::study::limits::{NamedGroup, NamedRow};

/// A sum of weights is at its limit where it is off by rounding alone.
const ROUNDING: f64 = 1e-9;

/// A group of assets over the resamples.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    pub name: String,
    pub members: Vec<String>,
    pub budget: f64,
    pub min: f64,
    pub max: f64,
    pub weight: Summary,
    /// Share of the resamples in which the limit holds.
    pub at_min: f64,
    pub at_max: f64,
}

/// A limit on a sum of weights over the resamples.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    pub expression: String,
    pub min: Option<f64>,
    pub max: Option<f64>,
    pub value: Summary,
    pub at_min: f64,
    pub at_max: f64,
}

/// What is bought of the weights before.
#[derive(Debug, Clone, Serialize)]
pub struct Turnover {
    pub max: f64,
    #[serde(flatten)]
    pub summary: Summary,
    pub at_max: f64,
}

/// Of the `kkt_error` of the converged resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct KktError {
    pub max: f64,
    pub median: f64,
}

impl KktError {
    /// None without limits.
    pub fn of(certificates: &[Certificate]) -> Option<KktError> {
        let converged = certificates.iter().filter(|certificate| certificate.status == Status::Converged);
        KktError::among(&mut converged.filter_map(|certificate| certificate.kkt_error).collect::<Vec<f64>>())
    }

    /// Of these errors, which are sorted; none of none.
    pub fn among(errors: &mut [f64]) -> Option<KktError> {
        stats::sort(errors);
        Some(KktError { max: *errors.last()?, median: stats::quantile(errors, 0.5) })
    }
}

/// The weight of an asset without limits, over the first tenth of the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Unlimited {
    pub mean: f64,
    pub sd: f64,
    pub q05: f64,
    pub q95: f64,
}

/// Of a study with limits.
#[derive(Debug, Clone)]
pub struct Limited {
    pub groups: Vec<Group>,
    pub rows: Vec<Row>,
    pub turnover: Option<Turnover>,
    pub budget_miss: Summary,
    pub kkt_error: Option<KktError>,
}

/// What is asked of a weight with these bounds: whether it is at either.
pub fn of_weight(least: f64, most: f64) -> [Event; 2] {
    // A weight on its bound is the bound, bit for bit.
    [Event::UpTo(least), Event::Above(most.next_down())]
}

/// The columns it takes.
pub fn columns(setting: &Setting) -> Vec<Column> {
    let Some(limits) = setting.limits else { return Vec::new() };
    let method = Method::RiskBudgeting;
    let ends = |figure: Figure, least: f64, most: f64| {
        let events = vec![Event::UpTo(least + ROUNDING), Event::Above(most - ROUNDING)];
        Column { method, figure, asked: Asked { events, ..Column::summarised(method, figure).asked } }
    };
    let groups = limits.groups.iter().enumerate().map(|(g, group)| ends(Figure::Group(g), group.least, group.most));
    let rows = limits.rows.iter().enumerate().map(|(k, row)| {
        let (least, most) = (row.least.unwrap_or(f64::NEG_INFINITY), row.most.unwrap_or(f64::INFINITY));
        ends(Figure::Row(k), least, most)
    });
    let turnover = limits.max_turnover.map(|most| ends(Figure::Bought, f64::NEG_INFINITY, most));
    let kkt = Column { method, figure: Figure::KktError, asked: Asked::quantiles(&[0.5, 1.0]) };
    let miss = Column::summarised(method, Figure::BudgetMiss);
    groups.chain(rows).chain(turnover).chain([kkt, miss]).collect()
}

/// None without limits.
pub fn limited(setting: &Setting, found: &Distributions) -> Option<Limited> {
    let limits = setting.limits?;
    let of = |figure: Figure| found.of(Method::RiskBudgeting, figure);
    let share = |of: &Distribution, end: usize| of.hits[end] as f64 / of.count as f64;
    let group = |(g, group): (usize, &NamedGroup)| {
        let weight = of(Figure::Group(g));
        let held = |end: usize, is_limited: bool| if is_limited { share(weight, end) } else { 0.0 };
        Group {
            name: group.name.clone(),
            members: group.members.iter().map(|&i| setting.assets[i].clone()).collect(),
            budget: group.members.iter().map(|&i| setting.budgets[i]).sum(),
            min: group.least,
            max: group.most,
            weight: Summary::from(weight),
            at_min: held(0, group.least > 0.0),
            at_max: held(1, group.most < 1.0),
        }
    };
    let row = |(k, row): (usize, &NamedRow)| {
        let value = of(Figure::Row(k));
        Row {
            expression: row.expression.clone(),
            min: row.least,
            max: row.most,
            value: Summary::from(value),
            at_min: share(value, 0),
            at_max: share(value, 1),
        }
    };
    let errors = of(Figure::KktError);
    Some(Limited {
        groups: limits.groups.iter().enumerate().map(group).collect(),
        rows: limits.rows.iter().enumerate().map(row).collect(),
        turnover: limits.max_turnover.map(|max| {
            let bought = of(Figure::Bought);
            Turnover { max, summary: Summary::from(bought), at_max: share(bought, 1) }
        }),
        budget_miss: Summary::from(of(Figure::BudgetMiss)),
        kkt_error: (errors.count > 0)
            .then(|| KktError { max: errors.quantile(1.0).value, median: errors.quantile(0.5).value }),
    })
}
