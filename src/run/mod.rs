//! Running a batch: chunk by chunk in index order, rescued where the GPU could not finish, cross-checked on the CPU.
//! Finished chunks are kept ([`checkpoint`]), so that a run goes on where it was interrupted, and the parts of a run that
//! several machines made ([`shard`]) are one: both solve only what is not kept.

mod ahead;
pub mod checkpoint;
pub mod chunks;
pub mod codec;
pub mod crosscheck;
mod faults;
pub mod journal;
pub mod measure;
pub mod shard;

use std::ops::Range;

use crate::batch::{Batch, Solutions, Want};
use crate::certificate::{Certificate, Status};
use crate::engine::cpu::{CpuEngine, CpuJob};
use crate::engine::{Engine, Fault, Job, Precision};
use crate::error::Result;
use crate::solver::Options;
use crate::stats;
use checkpoint::{Checkpoint, Kept, Segment};
use crosscheck::{CrossCheck, crosscheck};

/// What happens during a run, for whoever watches.
pub trait Watch {
    /// So many problems are finished.
    fn finished(&mut self, problems: u64);
    /// Something a user should know.
    fn notice(&mut self, message: &str);
    /// A device failed, and the run goes on.
    fn fault(&mut self, fault: &Fault) {
        self.notice(&fault.to_string());
    }
}

/// Watches nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn finished(&mut self, _: u64) {}
    fn notice(&mut self, _: &str) {}
}

/// What a study works with.
pub struct Means<'a> {
    pub engine: &'a dyn Engine,
    /// Of the CPU beside it.
    pub options: Options,
    /// Where finished chunks are kept.
    pub checkpoint: &'a mut Checkpoint,
    pub watch: &'a mut dyn Watch,
}

/// How the problems of a run ended. total = converged + stalled + no_solution + invalid; `rescued` counts, within
/// these, what the GPU could not finish and the CPU took over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
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
        Solves::of(&solutions.certificates)
    }

    pub fn of(certificates: &[Certificate]) -> Solves {
        let mut solves = Solves { total: certificates.len() as u64, ..Solves::default() };
        for certificate in certificates {
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

impl std::ops::AddAssign for Solves {
    fn add_assign(&mut self, other: Solves) {
        self.total += other.total;
        self.converged += other.converged;
        self.rescued += other.rescued;
        self.stalled += other.stalled;
        self.no_solution += other.no_solution;
        self.invalid += other.invalid;
    }
}

impl RcError {
    /// Of solutions whose certificates, but for those that were rescued, a device made in this precision; none where the
    /// host did.
    pub fn of(solutions: &Solutions, device: Option<Precision>) -> RcError {
        let converged = solutions.certificates.iter().filter(|c| c.status == Status::Converged);
        let mut errors: Vec<f64> = converged.map(|c| c.rc_error).collect();
        stats::sort(&mut errors);
        let median = (!errors.is_empty()).then(|| stats::quantile(&errors, 0.5));
        RcError { max: errors.last().copied(), median, computed: RcError::computed(&Solves::count(solutions), device) }
    }

    /// Where the certificates of problems that ended so were computed.
    pub fn computed(solves: &Solves, device: Option<Precision>) -> &'static str {
        let rescued = solves.rescued;
        match device.filter(|_| rescued < solves.total) {
            None => "f64 on the host",
            Some(Precision::Double) if rescued == 0 => "f64 on the device",
            Some(Precision::Double) => "f64 on the device and on the host",
            Some(_) if rescued == 0 => "f32 on the device",
            Some(_) => "f32 on the device, f64 on the host for the rescued",
        }
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
    resume(engine, options, batch, range, want, watch, &mut Checkpoint::none().of(0))
}

/// As [`solve`], but for the chunks that are `kept`: these are read, and those solved now are kept as well.
///
/// # Errors
/// As [`solve`], and those of the files that chunks are kept in.
pub fn resume(
    engine: &dyn Engine,
    options: Options,
    batch: &Batch,
    range: Range<u64>,
    want: Want,
    watch: &mut dyn Watch,
    kept: &mut Kept,
) -> Result<Solutions> {
    let mut worker = Worker::new(engine, options, batch, want);
    let mut all = Solutions::default();
    for segment in kept.segments(range)? {
        match segment {
            Segment::Kept(range) => {
                let problems = range.end - range.start;
                let whole = |solutions: &Solutions| {
                    solutions.certificates.len() as u64 == problems
                        && solutions.comparisons.volatilities.is_empty() != want.comparisons
                };
                let solutions = kept.read(&range, |bytes| codec::decode(bytes, batch.assets()).filter(whole))?;
                watch.finished(problems);
                all.extend(solutions);
            }
            Segment::Missing(range) => {
                worker.prepare(range.start, watch)?;
                for chunk in chunks::spans(batch, range, worker.span()) {
                    let solutions = worker.solve(chunk.clone(), watch)?;
                    kept.keep(chunk.clone(), || codec::encode(&solutions))?;
                    watch.finished(chunk.end - chunk.start);
                    all.extend(solutions);
                }
            }
        }
    }
    Ok(all)
}

/// An engine at work on a batch, and the CPU in reserve.
struct Worker<'a> {
    engine: &'a dyn Engine,
    cpu: CpuEngine,
    batch: &'a Batch,
    want: Want,
    /// None before the work, and once a device has failed for good.
    job: Option<Box<dyn Job + 'a>>,
    prepared: bool,
    fallback: Option<CpuJob<'a>>,
}

impl<'a> Worker<'a> {
    fn new(engine: &'a dyn Engine, options: Options, batch: &'a Batch, want: Want) -> Worker<'a> {
        Worker { engine, cpu: CpuEngine { options }, batch, want, job: None, prepared: false, fallback: None }
    }

    fn on_device(&self) -> bool {
        self.engine.info().on_device()
    }

    /// Readies the engine, once, for problems from `first` on.
    fn prepare(&mut self, first: u64, watch: &mut dyn Watch) -> Result<()> {
        if std::mem::replace(&mut self.prepared, true) {
            return Ok(());
        }
        match self.engine.prepare(self.batch, self.want) {
            Err(error) if self.on_device() => faults::given_up(&error, first, self.engine, watch),
            job => self.job = Some(job?),
        }
        Ok(())
    }

    /// Problems worth handing over at once.
    fn span(&self) -> u64 {
        self.job.as_ref().map_or(chunks::LARGEST, |job| job.span())
    }

    fn solve(&mut self, chunk: Range<u64>, watch: &mut dyn Watch) -> Result<Solutions> {
        let device = self.on_device();
        let (cpu, batch, want) = (self.cpu, self.batch, self.want);
        if let Some(running) = &self.job {
            match running.solve(chunk.clone()) {
                Err(error) if device => {
                    faults::given_up(&error, chunk.start, self.engine, watch);
                    self.job = None;
                }
                solutions => {
                    let mut solutions = solutions?;
                    if device {
                        faults::overcome(self.engine, watch);
                        let fallback = &mut self.fallback;
                        rescue(&mut solutions, chunk.start, || fallback.get_or_insert_with(|| cpu.job(batch, want)));
                    }
                    return Ok(solutions);
                }
            }
        }
        let mut solutions = self.fallback.get_or_insert_with(|| cpu.job(batch, want)).solve(chunk)?;
        solutions.certificates.iter_mut().for_each(|certificate| certificate.rescued = true);
        Ok(solutions)
    }
}

/// The cross-check of finished problems from `start` on, on a device; none on the CPU. A device that is gone by then
/// leaves the results standing, and `watch` is told.
pub fn crosschecked(
    engine: &dyn Engine,
    options: Options,
    batch: &Batch,
    (start, solutions): (u64, &Solutions),
    sample: &[u64],
    watch: &mut dyn Watch,
) -> Option<CrossCheck> {
    if !engine.info().on_device() {
        return None;
    }
    let checked = crosscheck(engine, options, batch, (start, solutions), sample);
    faults::overcome(engine, watch);
    checked.map_err(|error| watch.notice(&format!("the cross-check could not run: {error}"))).ok()
}

/// Solves on the CPU what the device did not converge.
fn rescue<'a, 'b: 'a>(solutions: &mut Solutions, start: u64, cpu: impl FnOnce() -> &'a mut CpuJob<'b>) {
    let left: Vec<usize> = (0..solutions.certificates.len())
        .filter(|&at| solutions.certificates[at].status != Status::Converged)
        .collect();
    if left.is_empty() {
        return;
    }
    // All together: the CPU solves eight problems at a time, and many resamples share their sums.
    let rescued = cpu().solve_all(left.iter().map(|&at| start + at as u64));
    solutions.replace(&left, &rescued);
    left.into_iter().for_each(|at| solutions.certificates[at].rescued = true);
}
