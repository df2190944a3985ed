//! A batch on the GPU: cut into what the device holds, continued through failed allocations and a lost device.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::device::{Attempt, Device, Trouble, lock};
use super::given::{self, Given};
use super::plan::{Origin, Plan};
use super::precision::Precision;
use super::resampled::{self, Resampled, WIDEST_SPREAD};
use super::screened::{Screened, arrange};
use super::{GpuEngine, SMALLEST_BUDGET};
use crate::batch::{Batch, Comparisons, Solutions, Source, Want};
use crate::certificate::{Certificate, Status};
use crate::engine::{Fault, Job, Remedy};
use crate::error::Result;
use crate::measure::{Measured, Metric};

/// Bytes that a job of this batch takes on the device and for what comes back from it.
pub fn bytes(engine: &GpuEngine, batch: &Batch) -> Attempt<u64> {
    let (facts, memory, accuracy) = (&engine.facts, engine.memory(), engine.accuracy());
    let origin = match &batch.source {
        Source::Given { .. } => Origin::Given,
        Source::Resampled { panel, law } => {
            Origin::Resampled { rows: panel.rows(), way: engine.way(law, panel.assets()) }
        }
        Source::Subsets { universe, subsets, cap } => {
            let source = (universe, subsets, cap.as_ref());
            return arrange(facts, memory, source, accuracy).map(|arrangement| arrangement.bytes);
        }
    };
    Plan::new(facts, memory, origin, batch.assets(), accuracy).map(|plan| plan.bytes)
}

/// A batch ready to be solved on the GPU.
pub struct GpuJob<'a> {
    engine: &'a GpuEngine,
    batch: &'a Batch,
    want: Want,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    device: Arc<Device>,
    /// What lies on the device; none before the first use and after a loss.
    prepared: Option<Prepared<'a>>,
    /// Problems at a time at most: halved by every failed allocation.
    room: u32,
    /// Problems that the last attempt asked room for at a time; none where what they share found no room.
    tried: u32,
    /// The device has been lost once and opened again; a second loss ends the job.
    reopened: bool,
}

enum Prepared<'a> {
    Resampled(Box<Resampled<'a>>),
    Given(Box<Given<'a>>),
    Screened(Box<Screened<'a>>),
}

/// A piece that the device works on.
enum Running {
    Resampled(Box<resampled::Running>),
    Given(Box<given::Running>),
}

impl<'a> GpuJob<'a> {
    pub fn new(engine: &'a GpuEngine, batch: &'a Batch, want: Want) -> Result<GpuJob<'a>> {
        let state = State { device: engine.device(), prepared: None, room: u32::MAX, tried: 0, reopened: false };
        let job = GpuJob { engine, batch, want, state: Mutex::new(state) };
        if job.within_precision() {
            job.recovering(None, |job, state| job.prepared(state).map(|_| ()))?;
        }
        Ok(job)
    }

    /// Whether the precision can tell the budgets and hold the weights; else all is left to the CPU.
    fn within_precision(&self) -> bool {
        if self.engine.options.precision == Precision::Double {
            return true;
        }
        let smallest = self.batch.budgets().iter().fold(f64::INFINITY, |m, &b| m.min(b));
        let spread = match &self.batch.source {
            Source::Resampled { panel, .. } => {
                let volatilities = || panel.volatilities().iter();
                volatilities().fold(0.0_f64, |m, &v| m.max(v)) / volatilities().fold(f64::INFINITY, |m, &v| m.min(v))
            }
            // Weights are made on the host.
            Source::Given { .. } | Source::Subsets { .. } => 1.0,
        };
        smallest >= SMALLEST_BUDGET / self.batch.assets() as f64 && spread <= WIDEST_SPREAD
    }

    /// What lies on the device, uploaded if it does not.
    fn prepared<'s>(&self, state: &'s mut State<'a>) -> Attempt<&'s mut Prepared<'a>> {
        let prepared = match state.prepared.take() {
            Some(prepared) => prepared,
            None => {
                let (device, memory) = (Arc::clone(&state.device), self.engine.memory());
                let accuracy = self.engine.accuracy();
                match &self.batch.source {
                    Source::Resampled { panel, law } => {
                        let how = (self.engine.way(law, panel.assets()), accuracy);
                        Resampled::new(device, memory, self.batch, (panel, *law), how, self.want)
                            .map(|r| Prepared::Resampled(Box::new(r)))?
                    }
                    Source::Given { covariances, assume_psd } => {
                        let source = (&covariances[..], *assume_psd);
                        Given::new(device, memory, self.batch, source, accuracy, self.want)
                            .map(|g| Prepared::Given(Box::new(g)))?
                    }
                    Source::Subsets { universe, subsets, cap } => {
                        let source = (universe, subsets, cap.as_ref());
                        Screened::new(device, memory, self.batch, source, accuracy)
                            .map(|s| Prepared::Screened(Box::new(s)))?
                    }
                }
            }
        };
        Ok(state.prepared.insert(prepared))
    }

    /// Runs `work`, at `problem`; with less room after a failed allocation, on a new device after the first loss.
    fn recovering<T>(
        &self,
        problem: Option<u64>,
        mut work: impl FnMut(&Self, &mut State<'a>) -> Attempt<T>,
    ) -> Result<T> {
        let mut state = lock(&self.state);
        let overcome = |trouble: Trouble, remedy| {
            let fault = Fault { what: trouble.into_error().to_string(), problem, remedy };
            tracing::warn!("{fault}");
            lock(&self.engine.faults).push(fault);
        };
        loop {
            state.tried = 0;
            match work(self, &mut state) {
                Ok(value) => return Ok(value),
                Err(trouble @ Trouble::Memory(_)) if state.tried > 1 => {
                    state.room = state.tried / 2;
                    overcome(trouble, Remedy::Fewer(state.room));
                }
                Err(Trouble::Lost(what)) if !state.reopened => {
                    state.reopened = true;
                    state.prepared = None;
                    state.device = self.engine.reopen(&state.device).map_err(|error| {
                        Trouble::Lost(format!("{what}, and could not be opened again: {error}")).into_error()
                    })?;
                    overcome(Trouble::Lost(what), Remedy::Reopened);
                }
                Err(trouble) => return Err(trouble.into_error()),
            }
        }
    }

    /// Takes 0..total, which `number` turns into problems, through `start` and `finish`, as many at a time as there is
    /// room for. A piece is started before the one in front of it is finished, so that the device need not wait for the
    /// host, nor the host for it.
    fn in_pieces<P, T>(
        &self,
        total: u64,
        number: impl Fn(u64) -> u64,
        mut start: impl FnMut(&mut Prepared<'a>, Range<u64>) -> Attempt<P>,
        mut finish: impl FnMut(&mut Prepared<'a>, P) -> Attempt<T>,
        mut done: impl FnMut(T),
    ) -> Result<()> {
        // Up to `at` all is done, up to `ahead` it is under way.
        let (mut at, mut ahead) = (0, 0);
        let mut under_way: VecDeque<(u64, P)> = VecDeque::new();
        while at < total {
            let (value, end) = self.recovering(Some(number(at)), |job, state| {
                let mut tried = 0;
                let mut attempt = || {
                    let limit = state.room;
                    let prepared = job.prepared(state)?;
                    let room = prepared.room().min(limit);
                    tried = u64::from(room).min(total - at) as u32;
                    while ahead < total && under_way.len() < prepared.batches() {
                        let end = (ahead + u64::from(room)).min(total);
                        under_way.push_back((end, start(prepared, ahead..end)?));
                        ahead = end;
                    }
                    let (end, piece) = under_way.pop_front().expect("a piece was started");
                    let value = finish(prepared, piece)?;
                    Ok((value, end))
                };
                let finished = attempt();
                if finished.is_err() {
                    // Whatever went wrong, the pieces behind are started again: they may have less room, or no device.
                    under_way.clear();
                    ahead = at;
                    state.tried = tried;
                }
                finished
            })?;
            done(value);
            at = end;
        }
        Ok(())
    }

    fn unsolved(&self, problems: usize) -> Solutions {
        let compared = if self.want.comparisons { problems } else { 0 };
        let n = self.batch.assets();
        Solutions {
            weights: vec![f64::NAN; problems * n],
            certificates: vec![Certificate::unsolved(Status::Stalled); problems],
            comparisons: Comparisons {
                volatilities: vec![f64::NAN; compared * n],
                inverse_volatility: vec![f64::NAN; compared],
                equal_weight: vec![f64::NAN; compared],
            },
        }
    }
}

impl Prepared<'_> {
    /// Problems at a time at most.
    fn room(&self) -> u32 {
        match self {
            Prepared::Resampled(resampled) => resampled.plan.room,
            Prepared::Given(given) => given.plan.room,
            Prepared::Screened(screened) => screened.room,
        }
    }

    /// Batches under way at a time.
    fn batches(&self) -> usize {
        match self {
            Prepared::Resampled(resampled) => resampled.plan.batches,
            Prepared::Given(given) => given.plan.batches,
            Prepared::Screened(screened) => screened.batches,
        }
    }
}

impl Job for GpuJob<'_> {
    fn solve(&self, range: Range<u64>) -> Result<Solutions> {
        let problems = range.end.saturating_sub(range.start);
        if !self.within_precision() {
            return Ok(self.unsolved(problems as usize));
        }
        let mut solutions = Solutions::default();
        let start = |prepared: &mut Prepared<'_>, piece: Range<u64>| {
            let piece = range.start + piece.start..range.start + piece.end;
            match prepared {
                Prepared::Resampled(resampled) => {
                    resampled.start(&piece.collect::<Vec<_>>()).map(|running| Running::Resampled(Box::new(running)))
                }
                Prepared::Given(given) => given.start(piece).map(|running| Running::Given(Box::new(running))),
                Prepared::Screened(_) => {
                    Err(Trouble::Unfit("the GPU engine measures subsets and keeps no weights".to_owned()))
                }
            }
        };
        let finish = |prepared: &mut Prepared<'_>, running| match (prepared, running) {
            (Prepared::Resampled(resampled), Running::Resampled(running)) => resampled.finish(*running),
            (Prepared::Given(given), Running::Given(running)) => given.finish(*running),
            _ => unreachable!("a batch has one source"),
        };
        self.in_pieces(problems, |at| range.start + at, start, finish, |next| solutions.extend(next))?;
        Ok(solutions)
    }

    fn span(&self) -> u64 {
        self.engine.span()
    }

    fn counts(&self, problems: &[u64]) -> Result<Vec<u32>> {
        let mut counts = Vec::new();
        let finish = |prepared: &mut Prepared<'_>, piece: Range<u64>| match prepared {
            Prepared::Resampled(resampled) => resampled.counts(&problems[piece.start as usize..piece.end as usize]),
            Prepared::Given(_) | Prepared::Screened(_) => Ok(Vec::new()),
        };
        let number = |at: u64| problems[at as usize];
        self.in_pieces(problems.len() as u64, number, |_, piece| Ok(piece), finish, |next| counts.extend(next))?;
        Ok(counts)
    }

    fn measure(&self, range: Range<u64>, metrics: &[Metric]) -> Result<Measured> {
        let mut measured = Measured::new(metrics.len());
        let start = |prepared: &mut Prepared<'_>, piece: Range<u64>| match prepared {
            Prepared::Screened(screened) => screened.start(range.start + piece.start..range.start + piece.end, metrics),
            _ => panic!("only subsets are measured"),
        };
        let finish = |prepared: &mut Prepared<'_>, running| match prepared {
            Prepared::Screened(screened) => screened.finish(running),
            _ => panic!("only subsets are measured"),
        };
        self.in_pieces(range.end - range.start, |at| range.start + at, start, finish, |next| measured.extend(&next))?;
        Ok(measured)
    }
}
