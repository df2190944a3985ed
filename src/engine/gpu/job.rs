//! A batch on the GPU: cut into what the device holds, continued through failed allocations and a lost device.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::device::{Attempt, Device, Trouble};
use super::driver::Driver;
use super::drivers::driver;
use super::faults::Faults;
use super::limited::Limited;
use super::lock::lock;
use super::precision::Precision;
use super::resampled::WIDEST_SPREAD;
use super::{GpuEngine, SMALLEST_BUDGET};
use crate::batch::{Batch, Block, Covariances, Request, Solutions};
use crate::engine::{Fault, Job, Remedy};
use crate::error::Result;
use crate::measure::Measured;
use crate::methods::certificate::{Certificate, Status};
use crate::stop::Stop;

/// A batch ready to be solved on the GPU.
pub struct GpuJob<'a> {
    engine: &'a GpuEngine,
    batch: &'a Batch<'a>,
    request: &'a Request,
    state: Mutex<State<'a>>,
}

struct State<'a> {
    device: Arc<Device>,
    /// What lies on the device; none before the first use and after a loss.
    driver: Option<Box<dyn Driver + 'a>>,
    /// Problems at a time at most: halved by every failed allocation.
    room: u32,
    /// Problems of a piece that takes about [`PIECE`], as far as is known: fewer at first, twice as many at a time.
    pace: u32,
    /// Problems that the last attempt asked room for at a time; none where what they share found no room.
    tried: u32,
    /// The device has been lost once and opened again; a second loss ends the job.
    reopened: bool,
}

/// Time of a piece, about: whoever wants a run to end waits for no more than two of them.
const PIECE: Duration = Duration::from_millis(250);

/// The end of a piece of at most `room` problems: where a block ends, if it reaches that far, or else a path of so many
/// windows.
fn end(start: u64, room: u64, last: u64, windows: u64) -> u64 {
    let end = (start + room).min(last);
    let mut wholes = [Block::PROBLEMS, windows].into_iter().map(|unit| end / unit * unit);
    if end < last { wholes.find(|&whole| whole > start).unwrap_or(end) } else { end }
}

/// Problems of the first piece at most.
const FIRST: u32 = 64;

impl<'a> GpuJob<'a> {
    pub fn new(engine: &'a GpuEngine, batch: &'a Batch<'_>, request: &'a Request) -> Result<GpuJob<'a>> {
        let pace = if engine.options.faults == Faults::default() { FIRST } else { u32::MAX };
        let state = State { device: engine.device(), driver: None, room: u32::MAX, pace, tried: 0, reopened: false };
        let job = GpuJob { engine, batch, request, state: Mutex::new(state) };
        if job.within_precision() {
            job.recovering(None, |job, state| job.driver(state).map(|_| ()))?;
        }
        Ok(job)
    }

    /// Whether the precision can certify anything, tell the budgets and hold the weights; else all is left to the CPU.
    fn within_precision(&self) -> bool {
        if self.engine.options.precision == Precision::Double {
            return true;
        }
        if self.engine.accuracy().limits.rc_error <= 0.0 {
            return false;
        }
        let program = self.batch.program();
        // A weight that is given has no condition.
        let budgets = program.budgets().iter().enumerate().filter(|(asset, _)| !program.limits().is_pinned(*asset));
        let smallest = budgets.fold(f64::INFINITY, |m, (_, &b)| m.min(b));
        let spread = match &self.batch.source().covariances {
            Covariances::Estimated { panel, .. } => {
                let volatilities = || panel.volatilities().iter();
                volatilities().fold(0.0_f64, |m, &v| m.max(v)) / volatilities().fold(f64::INFINITY, |m, &v| m.min(v))
            }
            // Weights are made on the host.
            Covariances::Given { .. } | Covariances::Known(_) => 1.0,
        };
        let told = Limited::is_told(program, self.engine.options.precision);
        told && smallest >= SMALLEST_BUDGET / self.batch.assets() as f64 && spread <= WIDEST_SPREAD
    }

    /// What lies on the device, uploaded if it does not.
    fn driver<'s>(&self, state: &'s mut State<'a>) -> Attempt<&'s mut (dyn Driver + 'a)> {
        let ready = match state.driver.take() {
            Some(ready) => ready,
            None => driver(self.engine, Arc::clone(&state.device), self.batch, self.request)?,
        };
        Ok(&mut **state.driver.insert(ready))
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
                    state.driver = None;
                    state.device = self.engine.reopen(&state.device).map_err(|error| {
                        Trouble::Lost(format!("{what}, and could not be opened again: {error}")).into_error()
                    })?;
                    overcome(Trouble::Lost(what), Remedy::Reopened);
                }
                Err(trouble) => return Err(trouble.into_error()),
            }
        }
    }

    /// The results of `range`, as many problems at a time as there is room for: from each piece its first problem, and its
    /// blocks.
    fn in_pieces(&self, range: Range<u64>, stop: &Stop, mut done: impl FnMut(u64, Vec<Block>)) -> Result<()> {
        let windows = match &self.batch.source().covariances {
            Covariances::Estimated { rows, .. } => rows.draws().and_then(|(_, windows)| windows).map_or(1, <[_]>::len),
            Covariances::Given { .. } | Covariances::Known(_) => 1,
        };
        let windows = windows.max(1) as u64;
        // Up to `at` all is done, up to `ahead` it is under way.
        let (mut at, mut ahead) = (range.start, range.start);
        let mut ends: VecDeque<u64> = VecDeque::new();
        let mut since = Instant::now();
        while at < range.end {
            let piece = self.recovering(Some(at), |job, state| {
                let limit = state.room.min(state.pace);
                let mut tried = 0;
                if state.driver.is_none() {
                    // It was lost, here or by who drew the rows of a sample: nothing is under way.
                    ends.clear();
                    ahead = at;
                }
                let mut attempt = |state: &mut State<'a>| {
                    let driver = job.driver(state)?;
                    let room = driver.room().min(limit);
                    tried = u64::from(room).min(range.end - at) as u32;
                    while ahead < range.end && ends.len() < driver.pieces() {
                        let end = end(ahead, u64::from(room), range.end, windows);
                        driver.start(ahead..end)?;
                        ends.push_back(end);
                        ahead = end;
                    }
                    driver.finish()
                };
                let finished = attempt(state);
                let taken = std::mem::replace(&mut since, Instant::now()).elapsed();
                if taken < PIECE / 2 {
                    state.pace = state.pace.saturating_mul(2);
                } else if taken > PIECE * 2 {
                    state.pace = (state.pace / 2).max(1);
                }
                if finished.is_err() {
                    // Whatever went wrong, the pieces behind are started again: they may have less room, or no device.
                    state.driver.iter_mut().for_each(|driver| driver.abandon());
                    ends.clear();
                    ahead = at;
                    state.tried = tried;
                }
                finished
            })?;
            done(at, piece);
            at = ends.pop_front().unwrap_or(range.end);
            if stop.asked() {
                lock(&self.state).driver.iter_mut().for_each(|driver| driver.abandon());
                return stop.check();
            }
        }
        Ok(())
    }

    /// All left to the CPU.
    fn unsolved(&self, problems: usize) -> Block {
        let n = self.batch.assets();
        match self.request {
            Request::Metrics(metrics) => {
                let unmeasured = Measured::unmeasured(problems, metrics.len());
                Block::Metrics(Measured { statuses: vec![Some(Status::Stalled); problems], ..unmeasured })
            }
            Request::Portfolios { beside } => {
                let none = Solutions::unsolved(Certificate::unsolved(Status::Stalled), problems, n, beside);
                let parameter = match &self.batch.source().covariances {
                    Covariances::Estimated { estimator, .. } => estimator.parameter(),
                    Covariances::Given { .. } | Covariances::Known(_) => None,
                };
                Block::Portfolios(if parameter.is_some() { none.with_parameters() } else { none })
            }
        }
    }
}

impl Job for GpuJob<'_> {
    fn blocks(&self, range: Range<u64>, stop: &Stop) -> Result<Vec<Block>> {
        if range.is_empty() || !self.within_precision() {
            return Ok(self.unsolved((range.end - range.start) as usize).cut(range.start));
        }
        let mut all: Vec<Block> = Vec::new();
        self.in_pieces(range, stop, |start, mut piece| {
            let goes_on = !start.is_multiple_of(Block::PROBLEMS) && !piece.is_empty();
            if let Some(last) = all.last_mut().filter(|_| goes_on) {
                last.extend(piece.remove(0));
            }
            all.extend(piece);
        })?;
        Ok(all)
    }

    fn span(&self) -> u64 {
        self.engine.span()
    }

    fn counts(&self, problems: &[u64]) -> Result<Vec<u32>> {
        let mut counts = Vec::new();
        let mut left = problems;
        while let Some(&first) = left.first() {
            let taken = self.recovering(Some(first), |job, state| {
                let limit = state.room;
                let driver = job.driver(state)?;
                let taken = (driver.room().min(limit) as usize).min(left.len());
                let drawn = driver.counts(&left[..taken]);
                state.tried = taken as u32;
                counts.extend(drawn?);
                Ok(taken)
            })?;
            left = &left[taken..];
        }
        Ok(counts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_where_blocks_do_once_they_reach_so_far() {
        for room in [1, 64, 1000, 4095, 4096, 4097, 10_000] {
            let (mut at, last, mut count) = (100, 20_000, 0);
            while at < last {
                let next = end(at, room, last, 1);
                assert!(at < next && next <= last.min(at + room), "{room}: {at}..{next}");
                let within = at / Block::PROBLEMS == (next - 1) / Block::PROBLEMS;
                assert!(within || next == last || next.is_multiple_of(Block::PROBLEMS), "{room}: {at}..{next}");
                (at, count) = (next, count + 1);
            }
            assert!(count <= 2 * 20_000 / room + 5, "{room}: {count} pieces");
        }
    }

    #[test]
    fn smaller_pieces_end_where_paths_do() {
        let ends =
            |room| std::iter::successors(Some(100), move |&at| Some(end(at, room, 5000, 30)).filter(|_| at < 5000));
        assert_eq!(ends(70).take(3).collect::<Vec<_>>(), [100, 150, 210]);
        assert_eq!(ends(20).take(3).collect::<Vec<_>>(), [100, 120, 140]);
        assert_eq!(ends(2000).collect::<Vec<_>>(), [100, 2100, 4096, 5000]);
    }
}
