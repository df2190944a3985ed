//! Running a batch: chunk by chunk in index order, rescued where a device could not finish, cross-checked on the CPU,
//! folded by whoever asked. Finished chunks are kept ([`crate::store`]), so that a run goes on where it was interrupted,
//! and the parts of a run that several machines made ([`crate::batch::part`]) are one: both solve only what is not kept.

mod ahead;
pub mod chunks;
pub mod crosscheck;

use std::ops::Range;

use rayon::prelude::*;

pub use crate::batch::counts::{RcError, Solves};
use crate::batch::{Batch, Block, Request, Solutions};
use crate::engine::cpu::CpuJob;
use crate::engine::{Engine, Fault, Job, Remedy};
use crate::error::{Error, ErrorKind, Result};
use crate::observer::{Observer, Unwatched};
use crate::stop::Stop;
use crate::store::checkpoint::foreign;
use crate::store::{Checkpoint, Columns, Segment};
use ahead::ahead;
use crosscheck::{Check, Checker};

/// What a run works with.
pub struct Context<'a> {
    pub engine: &'a dyn Engine,
    /// Where finished chunks are kept.
    pub store: &'a mut Checkpoint,
    pub observer: &'a mut dyn Observer,
}

/// What is run.
#[derive(Debug, Clone, Copy)]
pub struct Work<'a> {
    pub batch: &'a Batch<'a>,
    pub request: &'a Request,
    /// Number of the batch among those of the study, under which chunks are kept.
    pub number: u32,
    /// Problems, in order, that a run on a device compares with the CPU.
    pub sample: &'a [u64],
}

/// A chunk, finished: the results of consecutive problems, and on a device, how the sampled ones among these compare
/// with the CPU.
#[derive(Debug)]
pub struct Chunk {
    pub range: Range<u64>,
    pub block: Block,
    pub check: Option<Check>,
}

/// What is made of finished chunks.
pub trait Fold {
    /// What is kept of a chunk.
    fn columns(&self, chunk: Chunk) -> Columns;

    /// Takes the chunks in order, as they were kept.
    ///
    /// # Errors
    /// The fold itself fails, which ends the run.
    fn add(&mut self, range: &Range<u64>, columns: &Columns) -> Result<Added>;
}

/// What a fold says of a chunk that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added {
    Taken,
    /// It lacks what is asked for now: it is solved again.
    Again,
    /// It is of something else.
    Foreign,
}

/// Runs the problems of `range`. What the device leaves is solved again on the CPU in f64, from the recipe on; when the
/// device fails for good, the CPU takes the rest and the observer is told.
///
/// # Errors
/// [`ErrorKind::Interrupted`] where the observer asks for it, with all finished chunks kept; those of the fold and of the
/// files that chunks are kept in.
pub fn run(work: Work, range: Range<u64>, context: &mut Context, fold: &mut dyn Fold) -> Result<()> {
    run_whole(work, 1, range, context, fold)
}

/// The same where every `unit` neighbouring problems make one thing: the dates of a path do. Chunks, the store and the fold
/// count such things, and so does `range`. An observer is told of problems.
///
/// # Errors
/// As [`run`]; figures, which are kept one by one.
pub fn run_whole(work: Work, unit: u64, range: Range<u64>, context: &mut Context, fold: &mut dyn Fold) -> Result<()> {
    if unit > 1 && matches!(work.request, Request::Metrics(_)) {
        return Err(Error::failed("figures of several problems do not make one thing"));
    }
    let stop = context.observer.stop();
    let mut runner = Runner {
        work,
        unit,
        engine: context.engine,
        job: None,
        ready: false,
        reserve: None,
        checker: None,
        begun: None,
        stop,
    };
    for segment in context.store.segments(work.number, range)? {
        let missing = match segment {
            Segment::Kept(range) => {
                runner.stop.check()?;
                match fold.add(&range, &*context.store.read(work.number, &range)?)? {
                    Added::Taken => {
                        context.observer.kept((range.end - range.start) * unit);
                        continue;
                    }
                    Added::Again => range,
                    Added::Foreign => return Err(foreign(&range)),
                }
            }
            Segment::Missing(range) => range,
        };
        runner.missing(missing, context, fold)?;
    }
    Ok(())
}

/// Batches of so many problems are worth trying some of them first: so many, at so many places.
const WORTH_TRYING: u64 = 512;
const TRIED: u64 = 4;
const PLACES: u64 = 4;

/// An engine at work on a batch, and the CPU in reserve.
struct Runner<'a> {
    work: Work<'a>,
    /// Problems that are kept together.
    unit: u64,
    engine: &'a dyn Engine,
    /// None before the work, and once a device has failed for good.
    job: Option<Box<dyn Job + 'a>>,
    ready: bool,
    reserve: Option<CpuJob<'a>>,
    checker: Option<Checker<'a>>,
    /// Problems of a unit that is not whole yet.
    begun: Option<Chunk>,
    stop: Stop,
}

impl<'a> Runner<'a> {
    fn missing(&mut self, range: Range<u64>, context: &mut Context, fold: &mut dyn Fold) -> Result<()> {
        let Work { batch, request, .. } = self.work;
        let engine = self.engine;
        let device = engine.info().on_device();
        if !std::mem::replace(&mut self.ready, true) {
            match engine.prepare(batch, request) {
                Err(error) if device => given_up(&error, range.start * self.unit, engine, context.observer),
                job => self.job = Some(job?),
            }
            if device && self.solves_nothing(range.start * self.unit, context.observer)? {
                self.job = None;
            }
        }
        let mut left = range.start * self.unit..range.end * self.unit;
        if let Some(job) = self.job.take() {
            let chunks = chunks::cut(batch, request, left.clone(), (job.span(), device), self.unit);
            let mut failed = false;
            if device {
                let stop = self.stop.clone();
                ahead(&*job, chunks, &stop, |range, blocks| match blocks {
                    Ok(blocks) => {
                        overcome(engine, context.observer);
                        for chunk in self.mended(&*job, range.start, blocks, context)? {
                            self.take(chunk, context, fold)?;
                        }
                        left.start = range.end;
                        Ok(())
                    }
                    Err(error) if error.kind == ErrorKind::Interrupted => Err(error),
                    Err(error) => {
                        given_up(&error, range.start, engine, context.observer);
                        failed = true;
                        Ok(())
                    }
                })?;
            } else {
                for range in chunks {
                    self.stop.check()?;
                    for chunk in chunked(range.start, job.blocks(range.clone(), &self.stop)?) {
                        self.take(chunk, context, fold)?;
                    }
                    left.start = range.end;
                }
            }
            if !failed {
                self.job = Some(job);
            }
        }
        let stop = self.stop.clone();
        for range in chunks::cut(batch, request, left, (chunks::LARGEST, false), self.unit) {
            stop.check()?;
            let mut block = self.reserve().run(range.clone(), &stop)?;
            block.all_rescued();
            self.take(Chunk { range, block, check: None }, context, fold)?;
        }
        Ok(())
    }

    /// Whether the device solves none of the problems that are tried of a large batch, here and there, or fails at them:
    /// the CPU then takes all from `problem` on, which costs less than to let the device try each of them. A matter of
    /// the batch and the device alone, so that parts of a run decide alike.
    fn solves_nothing(&self, problem: u64, observer: &mut dyn Observer) -> Result<bool> {
        let problems = self.work.batch.problems();
        let Some(job) = self.job.as_deref().filter(|_| problems >= WORTH_TRYING) else { return Ok(false) };
        for place in 0..PLACES {
            let start = problems / PLACES * place;
            let block = match job.run(start..start + TRIED, &self.stop) {
                Ok(block) => block,
                Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    given_up(&error, problem, self.engine, observer);
                    return Ok(true);
                }
            };
            if block.unsolved().len() < block.problems() {
                return Ok(false);
            }
        }
        let tried = PLACES * TRIED;
        observer
            .notice(&format!("the device solves none of {tried} problems that were tried: the CPU takes all").into());
        Ok(true)
    }

    fn reserve(&mut self) -> &CpuJob<'a> {
        let Work { batch, request, .. } = self.work;
        let engine = self.engine;
        self.reserve.get_or_insert_with(|| engine.reserve().job(batch, request))
    }

    /// The blocks of a device from `start` on: what it left is rescued, and a sample of what it made is checked.
    fn mended(&mut self, job: &dyn Job, start: u64, blocks: Vec<Block>, context: &mut Context) -> Result<Vec<Chunk>> {
        let Work { batch, request, sample, .. } = self.work;
        let stop = self.stop.clone();
        let mut chunks = chunked(start, blocks);
        let left: Vec<Vec<usize>> = chunks.par_iter().map(|chunk| chunk.block.unfinished()).collect();
        let own = |(chunk, left): (&Chunk, &Vec<usize>)| left.iter().map(|&at| chunk.range.start + at as u64).collect();
        let problems: Vec<Vec<u64>> = chunks.iter().zip(&left).map(own).collect();
        let problems = problems.concat();
        if !problems.is_empty() {
            // All together: the CPU solves eight problems at a time, and many resamples share their sums.
            let rescued = self.reserve().run_all(&problems, &stop)?;
            let mut first = 0;
            for (chunk, left) in chunks.iter_mut().zip(&left) {
                chunk.block.rescue(left, &rescued, first);
                first += left.len();
            }
        }
        let checker = self.checker.get_or_insert_with(|| {
            let (info, reserve) = (self.engine.info(), self.engine.reserve());
            Checker::new(batch, request, info.precision, reserve.options)
        });
        for chunk in &mut chunks {
            let check = checker.check(chunk.range.start, &chunk.block, sample, Some(job), &stop);
            overcome(self.engine, context.observer);
            chunk.check = match check {
                Err(error) if error.kind == ErrorKind::Interrupted => return Err(error),
                Err(error) => {
                    let what = format!("the cross-check could not run: {}", error.message.nested());
                    context.observer.notice(&what.into());
                    None
                }
                Ok(check) => Some(check),
            };
        }
        Ok(chunks)
    }

    /// Takes the next problems; what is whole of them is kept.
    fn take(&mut self, chunk: Chunk, context: &mut Context, fold: &mut dyn Fold) -> Result<()> {
        let Some(chunk) = self.whole(chunk) else { return Ok(()) };
        let range = chunk.range.clone();
        let columns = fold.columns(chunk);
        if fold.add(&range, &columns)? != Added::Taken {
            return Err(Error::failed("a chunk was not what it had just been made"));
        }
        let problems = (range.end - range.start) * self.unit;
        context.store.keep(self.work.number, range, columns)?;
        context.observer.finished(problems);
        Ok(())
    }

    /// The whole units among these problems and those before them, numbered as units; the rest waits.
    fn whole(&mut self, next: Chunk) -> Option<Chunk> {
        if self.unit == 1 {
            return Some(next);
        }
        let all = match self.begun.take() {
            Some(mut begun) => {
                begun.range.end = next.range.end;
                begun.block.extend(next.block);
                Chunk { check: Check::both(begun.check, next.check), ..begun }
            }
            None => next,
        };
        let Range { start, end } = all.range;
        let last = end / self.unit * self.unit;
        let units = start / self.unit..last / self.unit;
        if last == end {
            return Some(Chunk { range: units, ..all });
        }
        if units.is_empty() {
            self.begun = Some(all);
            return None;
        }
        let solutions = all.block.portfolios();
        let (own, problems) = ((last - start) as usize, (end - start) as usize);
        let block = |part: Range<usize>| Block::Portfolios(solutions.part(part));
        self.begun = Some(Chunk { range: last..end, block: block(own..problems), check: None });
        Some(Chunk { range: units, block: block(0..own), check: all.check })
    }
}

/// Consecutive blocks from `start` on, unchecked.
fn chunked(start: u64, blocks: Vec<Block>) -> Vec<Chunk> {
    let mut end = start;
    let chunk = |block: Block| {
        let start = end;
        end += block.problems() as u64;
        Chunk { range: start..end, block, check: None }
    };
    blocks.into_iter().map(chunk).collect()
}

/// Tells of the faults that the engine has overcome since it was last asked.
fn overcome(engine: &dyn Engine, observer: &mut dyn Observer) {
    engine.faults().iter().for_each(|fault| observer.fault(fault));
}

/// Tells that the CPU takes over from `problem` on: after a fault, or because the problems are not for this device.
fn given_up(error: &Error, problem: u64, engine: &dyn Engine, observer: &mut dyn Observer) {
    overcome(engine, observer);
    let fault = Fault { what: error.to_string(), problem: Some(problem), remedy: Remedy::Cpu };
    match error.kind {
        ErrorKind::Device => observer.notice(&fault.to_string().into()),
        _ => observer.fault(&fault),
    }
}

/// Portfolios, with how they compare with the CPU's, as columns.
pub fn portfolio_columns(chunk: Chunk) -> Columns {
    let columns = match chunk.block {
        Block::Portfolios(solutions) => solutions.into(),
        Block::Metrics(_) => Columns::default(),
    };
    columns.with("check", Check::numbers(chunk.check))
}

/// All solutions of a run, and what the cross-check found.
#[derive(Debug, Default)]
pub struct Gathered {
    pub solutions: Solutions,
    pub check: Option<Check>,
    assets: usize,
}

impl Fold for Gathered {
    fn columns(&self, chunk: Chunk) -> Columns {
        portfolio_columns(chunk)
    }

    fn add(&mut self, range: &Range<u64>, columns: &Columns) -> Result<Added> {
        let Some(solutions) = Solutions::from_columns(columns, range.end - range.start, self.assets) else {
            return Ok(Added::Foreign);
        };
        self.solutions.extend(solutions);
        self.check = Check::both(self.check, columns.f64s("check").and_then(Check::of_numbers));
        Ok(Added::Taken)
    }
}

/// What the cross-check found; solutions are left where they are kept.
#[derive(Debug, Default)]
struct Checked {
    check: Option<Check>,
    assets: usize,
}

impl Fold for Checked {
    fn columns(&self, chunk: Chunk) -> Columns {
        portfolio_columns(chunk)
    }

    fn add(&mut self, range: &Range<u64>, columns: &Columns) -> Result<Added> {
        if !Solutions::are_in(columns, range.end - range.start, self.assets) {
            return Ok(Added::Foreign);
        }
        self.check = Check::both(self.check, columns.f64s("check").and_then(Check::of_numbers));
        Ok(Added::Taken)
    }
}

/// Runs the problems of `range` for the store of `context` alone, from which their solutions can be read
/// ([`crate::store::blocks::Stored`]). Returns what the cross-check found.
///
/// # Errors
/// As [`run`].
pub fn keep(work: Work, range: Range<u64>, context: &mut Context) -> Result<Option<Check>> {
    let mut checked = Checked { assets: work.batch.assets(), ..Checked::default() };
    run(work, range, context, &mut checked)?;
    Ok(checked.check)
}

/// Runs the problems of `range` and keeps all solutions in memory.
///
/// # Errors
/// As [`run`].
pub fn gather(work: Work, range: Range<u64>, context: &mut Context) -> Result<Gathered> {
    let mut gathered = Gathered { assets: work.batch.assets(), ..Gathered::default() };
    run(work, range, context, &mut gathered)?;
    Ok(gathered)
}

impl Batch<'_> {
    /// Solves all problems on `engine`.
    ///
    /// # Errors
    /// Where the engine as a whole fails. A hard problem is a [`crate::Status`].
    pub fn solve(&self, engine: &dyn Engine) -> Result<Solutions> {
        self.solve_watched(engine, &mut Unwatched)
    }

    /// The same for whoever watches, and may end it.
    ///
    /// # Errors
    /// As [`Batch::solve`]; [`ErrorKind::Interrupted`] where the observer asks for it.
    pub fn solve_watched(&self, engine: &dyn Engine, observer: &mut dyn Observer) -> Result<Solutions> {
        let work = Work { batch: self, request: &Request::PORTFOLIOS, number: 0, sample: &[] };
        observer.total(self.problems());
        let context = &mut Context { engine, store: &mut Checkpoint::none(), observer };
        Ok(gather(work, 0..self.problems(), context)?.solutions)
    }
}
