//! Running a batch: chunk by chunk in index order, rescued where the GPU could not finish, cross-checked on the CPU.

pub mod chunks;
pub mod crosscheck;
pub mod measure;

use std::ops::Range;

use rayon::prelude::*;

use crate::batch::{Batch, Solutions, Want};
use crate::certificate::Status;
use crate::engine::cpu::{CpuEngine, CpuJob};
use crate::engine::{Engine, Job as _};
use crate::error::Result;
use crate::solver::Options;
use crate::stats;
use crosscheck::{CrossCheck, crosscheck};

/// What happens during a run, for whoever watches.
pub trait Watch {
    /// So many problems are finished.
    fn finished(&mut self, problems: u64);
    /// Something a user should know.
    fn notice(&mut self, message: &str);
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn finished(&mut self, _: u64) {}
    fn notice(&mut self, _: &str) {}
}

/// How the problems of a run ended. total = converged + stalled + no_solution + invalid; `rescued` counts, within
/// these, what the GPU could not finish and the CPU took over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Solves {
    pub total: u64,
    pub converged: u64,
    pub rescued: u64,
    pub stalled: u64,
    pub no_solution: u64,
    pub invalid: u64,
}

/// Certified errors of the converged problems.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct RcError {
    /// Largest; null where nothing converged.
    pub max: Option<f64>,
    pub median: Option<f64>,
    /// Where the certificates were computed, and in which precision: on the host, on the device, or both.
    pub computed: &'static str,
}

impl Solves {
    pub fn count(solutions: &Solutions) -> Solves {
        let mut solves = Solves { total: solutions.certificates.len() as u64, ..Solves::default() };
        for certificate in &solutions.certificates {
            solves.rescued += u64::from(certificate.rescued);
            *match certificate.status {
                Status::Converged => &mut solves.converged,
                Status::Stalled => &mut solves.stalled,
                Status::NoSolution => &mut solves.no_solution,
                Status::Invalid => &mut solves.invalid,
            } += 1;
        }
        solves
    }

    pub fn unsolved(&self) -> u64 {
        self.total - self.converged
    }
}

impl RcError {
    /// Of solutions whose certificates, but for those that were rescued, a device made in this precision; none where the
    /// host did.
    pub fn of(solutions: &Solutions, device: Option<&str>) -> RcError {
        let rescued = solutions.certificates.iter().filter(|c| c.rescued).count();
        let all = rescued == solutions.certificates.len();
        let computed = match device.filter(|_| !all) {
            None => "f64 on the host",
            Some("f64") if rescued == 0 => "f64 on the device",
            Some("f64") => "f64 on the device and on the host",
            Some(_) if rescued == 0 => "f32 on the device",
            Some(_) => "f32 on the device, f64 on the host for the rescued",
        };
        let converged = solutions.certificates.iter().filter(|c| c.status == Status::Converged);
        let mut errors: Vec<f64> = converged.map(|c| c.rc_error).collect();
        stats::sort(&mut errors);
        let median = (!errors.is_empty()).then(|| stats::quantile(&errors, 0.5));
        RcError { max: errors.last().copied(), median, computed }
    }
}

/// Solves the problems of `range` on `engine`, chunk by chunk. What the GPU leaves is solved again on the CPU in f64,
/// from the recipe on; when the device fails for good, the CPU takes the rest and `watch` is told.
///
/// # Errors
/// When the CPU engine itself fails, which it does not.
pub fn solve(
    engine: &dyn Engine,
    options: Options,
    batch: &Batch,
    range: Range<u64>,
    want: Want,
    watch: &mut dyn Watch,
) -> Result<Solutions> {
    let cpu = CpuEngine { options };
    let device = engine.info().engine != "cpu";
    let mut fallback: Option<CpuJob> = None;
    let mut job = match engine.prepare(batch, want) {
        Err(error) if device => {
            watch.notice(&format!("{error}; the CPU solves all problems"));
            None
        }
        job => Some(job?),
    };
    let mut all = Solutions::default();
    let span = job.as_ref().map_or(chunks::LARGEST, |job| job.span());
    for chunk in chunks::spans(batch, range, span) {
        let mut solved = None;
        if let Some(running) = &job {
            match running.solve(chunk.clone()) {
                Err(error) if device => {
                    watch.notice(&format!("{error}; the CPU solves problems from {} on", chunk.start));
                    job = None;
                }
                solutions => solved = Some(solutions?),
            }
        }
        let solutions = match solved {
            Some(mut solutions) => {
                if device {
                    rescue(&mut solutions, chunk.start, || fallback.get_or_insert_with(|| cpu.job(batch, want)))?;
                }
                solutions
            }
            None => {
                let mut solutions = fallback.get_or_insert_with(|| cpu.job(batch, want)).solve(chunk.clone())?;
                solutions.certificates.iter_mut().for_each(|certificate| certificate.rescued = true);
                solutions
            }
        };
        all.extend(solutions);
        watch.finished(chunk.end - chunk.start);
    }
    Ok(all)
}

/// The cross-check of a finished run of problems [0, B) on a device; none on the CPU. A device that is gone by then
/// leaves the results standing, and `watch` is told.
pub fn crosschecked(
    engine: &dyn Engine,
    options: Options,
    batch: &Batch,
    solutions: &Solutions,
    sample: &[u64],
    watch: &mut dyn Watch,
) -> Option<CrossCheck> {
    if engine.info().engine == "cpu" {
        return None;
    }
    crosscheck(engine, options, batch, solutions, sample)
        .map_err(|error| watch.notice(&format!("the cross-check could not run: {error}")))
        .ok()
}

/// Solves on the CPU what the device did not converge.
fn rescue<'a, 'b: 'a>(solutions: &mut Solutions, start: u64, cpu: impl FnOnce() -> &'a mut CpuJob<'b>) -> Result<()> {
    let left: Vec<usize> = (0..solutions.certificates.len())
        .filter(|&at| solutions.certificates[at].status != Status::Converged)
        .collect();
    if left.is_empty() {
        return Ok(());
    }
    let cpu: &CpuJob = cpu();
    let rescued: Vec<(usize, Solutions)> = left
        .into_par_iter()
        .map(|at| {
            let problem = start + at as u64;
            cpu.solve(problem..problem + 1).map(|solution| (at, solution))
        })
        .collect::<Result<_>>()?;
    for (at, solution) in rescued {
        solutions.replace(at, &solution);
        solutions.certificates[at].rescued = true;
    }
    Ok(())
}
