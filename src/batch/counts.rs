//! How the problems of a run ended.

use std::ops::AddAssign;

use serde::{Deserialize, Serialize};

use super::solutions::Solutions;
use crate::engine::Precision;
use crate::methods::certificate::{Certificate, Status};
use crate::stats;

/// How the problems of a run ended. total = converged + stalled + no_solution + infeasible + invalid; `rescued`
/// counts, within these, what the GPU could not finish and the CPU took over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Solves {
    pub total: u64,
    pub converged: u64,
    pub rescued: u64,
    pub stalled: u64,
    pub no_solution: u64,
    #[serde(default)]
    pub infeasible: u64,
    pub invalid: u64,
}

impl Solves {
    pub fn count(solutions: &Solutions) -> Solves {
        Solves::of(&solutions.certificates)
    }

    pub fn of(certificates: &[Certificate]) -> Solves {
        let mut solves = Solves::default();
        certificates.iter().for_each(|certificate| solves.add(certificate));
        solves
    }

    /// Counts one more.
    pub fn add(&mut self, certificate: &Certificate) {
        self.total += 1;
        self.rescued += u64::from(certificate.rescued);
        *match certificate.status {
            Status::Converged => &mut self.converged,
            Status::Stalled => &mut self.stalled,
            Status::NoSolution => &mut self.no_solution,
            Status::Infeasible => &mut self.infeasible,
            Status::Invalid => &mut self.invalid,
        } += 1;
    }

    /// As they are kept with a chunk.
    pub fn into_numbers(self) -> [u64; 7] {
        let Solves { total, converged, rescued, stalled, no_solution, infeasible, invalid } = self;
        [total, converged, rescued, stalled, no_solution, infeasible, invalid]
    }

    /// From what was kept.
    pub fn of_numbers(numbers: &[u64]) -> Option<Solves> {
        let &[total, converged, rescued, stalled, no_solution, infeasible, invalid] = numbers else { return None };
        Some(Solves { total, converged, rescued, stalled, no_solution, infeasible, invalid })
    }

    pub fn unsolved(&self) -> u64 {
        self.total - self.converged
    }

    /// Of these, what weights may be within the limits of.
    pub fn failed(&self) -> u64 {
        self.unsolved() - self.infeasible
    }
}

impl AddAssign for Solves {
    fn add_assign(&mut self, other: Solves) {
        self.total += other.total;
        self.converged += other.converged;
        self.rescued += other.rescued;
        self.stalled += other.stalled;
        self.no_solution += other.no_solution;
        self.infeasible += other.infeasible;
        self.invalid += other.invalid;
    }
}

/// Certified errors of the converged problems.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RcError {
    /// Largest; null where nothing converged.
    pub max: Option<f64>,
    pub median: Option<f64>,
    /// Where the certificates were computed, and in which precision: on the host, on the device, or both.
    pub computed: &'static str,
}

impl RcError {
    /// Of solutions whose certificates, but for those that were rescued, a device made in this precision; none where the
    /// host did.
    pub fn of(solutions: &Solutions, device: Option<Precision>) -> RcError {
        let converged = solutions.certificates.iter().filter(|c| c.status == Status::Converged);
        RcError::among(converged.map(|c| c.rc_error).collect(), &Solves::count(solutions), device)
    }

    /// The same of the errors of the converged ones among so many.
    pub fn among(mut errors: Vec<f64>, solves: &Solves, device: Option<Precision>) -> RcError {
        stats::sort(&mut errors);
        let median = (!errors.is_empty()).then(|| stats::quantile(&errors, 0.5));
        RcError { max: errors.last().copied(), median, computed: RcError::computed(solves, device) }
    }

    /// Where the certificates of problems that ended so were computed.
    pub fn computed(solves: &Solves, device: Option<Precision>) -> &'static str {
        match device.filter(|_| solves.rescued < solves.total) {
            None => "f64 on the host",
            Some(Precision::Double) if solves.rescued == 0 => "f64 on the device",
            Some(Precision::Double) => "f64 on the device and on the host",
            Some(Precision::Single) if solves.rescued == 0 => "f32 on the device",
            Some(Precision::Single) => "f32 on the device, f64 on the host for the rescued",
        }
    }
}
