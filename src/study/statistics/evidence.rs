//! How the portfolios of methods are proved: what their certificates say over all resamples.

use serde::Serialize;

use crate::batch::counts::Solves;
use crate::error::Result;
use crate::methods::certificate::{Proof, Status};
use crate::methods::{Method, Selection};
use crate::observer::Observer;
use crate::store::blocks::Blocks;

/// The worst certificates of the resamples with a portfolio.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct MethodCertificate {
    /// Of risk budgeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rc_error: Option<Largest>,
    /// Of expected shortfall: no portfolio is better by more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack: Option<Largest>,
    /// Of minimum variance and maximum diversification: no long-only portfolio is better by more than this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gap: Option<Largest>,
    /// Of inverse volatility within limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<Largest>,
    /// Of hierarchical risk parity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split_error: Option<Largest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Smallest>,
    /// Share of the resamples in which no other portfolio is as good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unique: Option<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Largest {
    pub max: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Smallest {
    pub min: f64,
}

/// How many resamples ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Statuses {
    pub converged: u64,
    pub stalled: u64,
    pub no_solution: u64,
    pub infeasible: u64,
    pub invalid: u64,
}

impl Statuses {
    fn add(&mut self, status: Status) {
        *match status {
            Status::Converged => &mut self.converged,
            Status::Stalled => &mut self.stalled,
            Status::NoSolution => &mut self.no_solution,
            Status::Infeasible => &mut self.infeasible,
            Status::Invalid => &mut self.invalid,
        } += 1;
    }
}

/// What is known of one method.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Evidence {
    pub certificate: Option<MethodCertificate>,
    pub statuses: Option<Statuses>,
}

impl Evidence {
    /// Of risk budgeting, whose resamples ended so, with the largest certified error, and slack where there is one.
    pub fn of(solves: &Solves, rc_error: Option<f64>, slack: Option<f64>) -> Evidence {
        let Solves { converged, stalled, no_solution, infeasible, invalid, .. } = *solves;
        let [rc_error, slack] = [rc_error, slack].map(|max| max.map(|max| Largest { max }));
        Evidence {
            certificate: Some(MethodCertificate { rc_error, slack, ..MethodCertificate::default() }),
            statuses: Some(Statuses { converged, stalled, no_solution, infeasible, invalid }),
        }
    }
}

/// What is counted of one method while blocks go by.
struct Counted {
    statuses: Statuses,
    error: f64,
    margin: f64,
    unique: u64,
}

impl Counted {
    fn add(&mut self, status: Status, error: f64, margin: f64, unique: bool) {
        self.statuses.add(status);
        if status == Status::Converged {
            self.error = self.error.max(error);
            self.margin = self.margin.min(margin);
            self.unique += u64::from(unique);
        }
    }
}

/// Of risk budgeting, of which it is known already, and each method beside it.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn evidence(
    beside: &Selection,
    own: Evidence,
    blocks: &dyn Blocks,
    observer: &mut dyn Observer,
) -> Result<Vec<Evidence>> {
    let none = || Counted { statuses: Statuses::default(), error: 0.0, margin: f64::INFINITY, unique: 0 };
    let methods = beside.all();
    let mut all: Vec<Counted> = methods.iter().map(|_| none()).collect();
    // What follows from a formula has none.
    let blocks_read = if beside.solved().next().is_some() { blocks.count() } else { 0 };
    for block in 0..blocks_read {
        observer.check()?;
        let found = blocks.read(block)?;
        for (method, counted) in methods.iter().zip(&mut all) {
            for Proof { status, error, margin, unique, .. } in
                found.comparisons.of(*method).iter().flat_map(|s| &s.proofs)
            {
                counted.add(*status, *error, *margin, *unique);
            }
        }
    }
    let told = |(method, Counted { statuses, error, margin, unique }): (&Method, Counted)| {
        let known = statuses.converged > 0;
        let largest = known.then_some(Largest { max: error });
        let share = known.then(|| unique as f64 / statuses.converged as f64);
        let none = MethodCertificate::default();
        let certificate = match method {
            Method::RiskBudgeting => return own,
            Method::HierarchicalRiskParity => {
                let margin = known.then_some(Smallest { min: margin });
                MethodCertificate { split_error: largest, margin, ..none }
            }
            Method::VolatilityParity => MethodCertificate { rc_error: largest, ..none },
            Method::InverseVolatility if beside.is_solved(*method) => MethodCertificate { kkt_error: largest, ..none },
            method if method.is_solved() => MethodCertificate { gap: largest, unique: share, ..none },
            _ => return Evidence::default(),
        };
        Evidence { certificate: Some(certificate), statuses: Some(statuses) }
    };
    Ok(methods.iter().zip(all).map(told).collect())
}
