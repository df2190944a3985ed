//! The CPU engine: rayon over problems, f64 throughout, nothing allocated per problem.

use std::ops::Range;

use rayon::prelude::*;

use super::{Engine, EngineInfo, Job};
use crate::batch::{Batch, Certificate, Comparisons, Solutions, Source, Status, Want};
use crate::covariance::{Resampler, Workspace};
use crate::error::Result;
use crate::solver::certificate::{certify, condition};
use crate::solver::{self, Options, Problem, descent::multiply, validity};

/// Problems one thread takes at a time.
const GRAIN: usize = 16;

#[derive(Debug, Clone, Copy, Default)]
pub struct CpuEngine {
    pub options: Options,
}

impl Engine for CpuEngine {
    fn info(&self) -> EngineInfo {
        EngineInfo { engine: "cpu", adapter: None, driver: None, tolerance: self.options.tolerance }
    }

    fn prepare<'a>(&'a self, batch: &'a Batch, want: Want) -> Result<Box<dyn Job + 'a>> {
        Ok(Box::new(self.job(batch, want)))
    }
}

impl CpuEngine {
    pub fn job<'a>(&self, batch: &'a Batch, want: Want) -> CpuJob<'a> {
        let resampler = match &batch.source {
            Source::Resampled { panel, law } => Some(Resampler::new(panel, *law)),
            Source::Given { .. } => None,
        };
        CpuJob { batch, want, options: self.options, resampler }
    }
}

/// A batch ready to be solved on the CPU.
#[derive(Debug)]
pub struct CpuJob<'a> {
    batch: &'a Batch,
    want: Want,
    options: Options,
    /// For resampled sources.
    resampler: Option<Resampler<'a>>,
}

/// Room for one problem at a time.
#[derive(Debug, Clone, Default)]
struct Room {
    covariance: Workspace,
    solver: solver::Workspace,
    portfolio: Vec<f64>,
    product: Vec<f64>,
}

/// Where one problem's results go.
struct Slot<'a> {
    weights: &'a mut [f64],
    certificate: &'a mut Certificate,
    volatilities: &'a mut [f64],
    inverse_volatility: &'a mut [f64],
    equal_weight: &'a mut [f64],
}

impl Job for CpuJob<'_> {
    fn solve(&self, range: Range<u64>) -> Result<Solutions> {
        let n = self.batch.assets();
        let problems = (range.end - range.start) as usize;
        let compared = if self.want.comparisons { problems } else { 0 };
        let mut weights = vec![f64::NAN; problems * n];
        let mut certificates = vec![Certificate::unsolved(Status::Invalid); problems];
        let mut comparisons = Comparisons {
            volatilities: vec![f64::NAN; compared * n],
            inverse_volatility: vec![f64::NAN; compared],
            equal_weight: vec![f64::NAN; compared],
        };
        // Without comparisons their columns are empty, and so is every slot's share of them.
        let (mut volatilities, mut inverse, mut equal) = (
            comparisons.volatilities.chunks_mut(n),
            comparisons.inverse_volatility.chunks_mut(1),
            comparisons.equal_weight.chunks_mut(1),
        );
        let mut slots: Vec<Slot> = weights
            .chunks_mut(n)
            .zip(&mut certificates)
            .map(|(weights, certificate)| Slot {
                weights,
                certificate,
                volatilities: volatilities.next().unwrap_or_default(),
                inverse_volatility: inverse.next().unwrap_or_default(),
                equal_weight: equal.next().unwrap_or_default(),
            })
            .collect();
        slots.par_chunks_mut(GRAIN).enumerate().for_each_init(Room::default, |room, (chunk, slots)| {
            for (at, slot) in slots.iter_mut().enumerate() {
                self.solve_one(range.start + (chunk * GRAIN + at) as u64, room, slot);
            }
        });
        Ok(Solutions { weights, certificates, comparisons })
    }

    fn counts(&self, problems: &[u64]) -> Result<Vec<u32>> {
        let Source::Resampled { law, .. } = &self.batch.source else { return Ok(Vec::new()) };
        let rows = law.rows as usize;
        let mut counts = vec![0; problems.len() * rows];
        for (&problem, counts) in problems.iter().zip(counts.chunks_mut(rows)) {
            law.counts(problem, counts);
        }
        Ok(counts)
    }
}

impl CpuJob<'_> {
    /// Error and kappa of `weights` under the covariance of `problem` as this engine builds it, in f64. Infinite where
    /// the problem's input is invalid.
    pub fn certify(&self, problem: u64, weights: &[f64]) -> (f64, f64) {
        let mut room = Room::default();
        if self.build(problem, &mut room.covariance).is_none() {
            return (f64::INFINITY, f64::INFINITY);
        }
        let Workspace { correlation, volatilities, .. } = &room.covariance;
        room.portfolio.extend(weights.iter().zip(volatilities).map(|(w, s)| w * s));
        room.product.resize(weights.len(), 0.0);
        let (rc_error, _) = certify(correlation, &room.portfolio, self.batch.budgets(), &mut room.product);
        (rc_error, condition(correlation, &room.portfolio, &mut room.product))
    }

    /// Builds the covariance of a problem. None where its input is invalid; else the matrix as given, where one was.
    fn build(&self, problem: u64, covariance: &mut Workspace) -> Option<Option<&[f64]>> {
        match &self.batch.source {
            Source::Resampled { panel, .. } => {
                let resampler = self.resampler.as_ref().expect("made with the job for resampled sources");
                if !resampler.covariance(problem, covariance) {
                    return None;
                }
                for (volatility, unit) in covariance.volatilities.iter_mut().zip(panel.volatilities()) {
                    *volatility *= unit;
                }
                Some(None)
            }
            Source::Given { covariances, assume_psd } => {
                let n = self.batch.assets();
                covariance.correlation.resize(n * n, 0.0);
                covariance.volatilities.resize(n, 0.0);
                let given = &covariances[problem as usize * n * n..][..n * n];
                validity::check(given, *assume_psd, &mut covariance.correlation, &mut covariance.volatilities)
                    .ok()
                    .map(|()| Some(given))
            }
        }
    }

    fn solve_one(&self, problem: u64, room: &mut Room, slot: &mut Slot) {
        let n = self.batch.assets();
        let covariance = &mut room.covariance;
        let Some(given) = self.build(problem, covariance) else { return };
        let (correlation, volatilities) = (&covariance.correlation, &covariance.volatilities);
        let problem = Problem { correlation, volatilities, budgets: self.batch.budgets(), covariance: given };
        *slot.certificate = solver::solve(problem, self.options, &mut room.solver, slot.weights);
        if self.want.comparisons {
            slot.volatilities.copy_from_slice(volatilities);
            room.portfolio.resize(n, 0.0);
            room.product.resize(n, 0.0);
            let mut volatility = |weight: &dyn Fn(f64) -> f64| {
                let total: f64 = volatilities.iter().map(|&s| weight(s)).sum();
                for (x, &s) in room.portfolio.iter_mut().zip(volatilities) {
                    *x = weight(s) / total * s;
                }
                multiply(correlation, &room.portfolio, &mut room.product);
                let variance: f64 = room.portfolio.iter().zip(&room.product).map(|(x, p)| x * p).sum();
                variance.max(0.0).sqrt()
            };
            slot.inverse_volatility[0] = volatility(&|s| s.recip());
            slot.equal_weight[0] = volatility(&|_| 1.0);
        }
    }
}
