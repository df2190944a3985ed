//! The CPU engine: rayon over problems, f64 throughout, nothing allocated for an ordinary problem.

mod limited;
mod losses;
mod others;

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::build::{Building, Built, Model};
use super::screen::Screen;
use super::{Engine, EngineInfo, Job, Kind, Precision};
use crate::batch::solutions::Solved;
use crate::batch::{Assets, Batch, Block, Covariances, Request, Solutions};
use crate::covariance::RiskModel;
use crate::covariance::interleaved::scale;
use crate::covariance::resampler::{Resampler, Span};
use crate::error::Result;
use crate::lanes::{LANES, Lanes, interleave};
use crate::measure::{Measured, Metric, metric};
use crate::methods::certificate::{Certificate, Proof, Status};
use crate::methods::downside::{Rows, measured};
use crate::methods::risk_budgeting::certificate::certify;
use crate::methods::risk_budgeting::condition::condition;
use crate::methods::risk_budgeting::definite::{definite, definite_lanes};
use crate::methods::risk_budgeting::interleaved::Group;
use crate::methods::risk_budgeting::limited::interleaved;
use crate::methods::risk_budgeting::mixed::{Matrix, Mixed};
use crate::methods::risk_budgeting::{FINISHING_TOLERANCE, FLOOR, Options};
use crate::methods::{self, Method, Selection, quadratic};
use crate::stop::Stop;
use others::SolveOthers;

/// Problems of more assets than this are solved one by one, in two precisions: their interleaved matrices fill the
/// second-level cache, and rows are long enough to be vectors by themselves.
pub const MOST_INTERLEAVED: usize = 112;

/// Problems one thread takes at a time at most.
const GRAIN: usize = 64 * LANES;

/// Pieces of work for each thread, so that none waits long for the last.
const PIECES: usize = 2;

/// Problems solved between two signs of progress.
const SPAN: u64 = 1024;

#[derive(Debug, Clone, Copy, Default)]
pub struct CpuEngine {
    pub options: Options,
}

impl Engine for CpuEngine {
    fn info(&self) -> EngineInfo {
        EngineInfo {
            engine: Kind::Cpu,
            adapter: None,
            driver: None,
            precision: Precision::Double,
            tolerance: self.options.tolerance,
        }
    }

    fn reserve(&self) -> CpuEngine {
        *self
    }

    fn prepare<'a>(&'a self, batch: &'a Batch<'_>, request: &'a Request) -> Result<Box<dyn Job + 'a>> {
        Ok(Box::new(self.job(batch, request)))
    }
}

impl CpuEngine {
    pub fn job<'a>(&self, batch: &'a Batch<'_>, request: &'a Request) -> CpuJob<'a> {
        let resampler = match &batch.source().covariances {
            Covariances::Estimated { panel, rows, estimator } => Some(Resampler::new(panel, rows, *estimator)),
            Covariances::Given { .. } | Covariances::Known(_) => None,
        };
        let rows = match &batch.source().covariances {
            Covariances::Estimated { panel, .. } if !batch.program().measure().is_volatility() => {
                Some(measured::rows(panel))
            }
            _ => None,
        };
        let known = limited::known(batch.program());
        CpuJob { batch, request, options: self.options, resampler, rows, known, arch: Arch::new() }
    }
}

/// A batch ready to be solved on the CPU.
#[derive(Debug)]
pub struct CpuJob<'a> {
    batch: &'a Batch<'a>,
    request: &'a Request,
    options: Options,
    /// Where covariances are estimated.
    resampler: Option<Resampler<'a>>,
    /// Where risk is not volatility.
    rows: Option<Rows>,
    /// Where lanes know the limits.
    known: Option<limited::Known>,
    /// The vector instructions of this machine.
    arch: Arch,
}

/// Room for one problem at a time.
#[derive(Debug, Clone, Default)]
struct Room {
    group: Group,
    /// Moments or matrices of a group's problems, and their factors.
    interleaved: Vec<Lanes>,
    building: Building,
    mixed: Mixed,
    limited: interleaved::Workspace,
    solver: methods::Workspace,
    /// A lane by itself.
    lane: RiskModel,
    portfolio: Vec<f64>,
    product: Vec<f64>,
    /// What each row counts.
    counts: Vec<f64>,
    losses: measured::Workspace,
}

/// One problem, and where its results go.
struct Slot<'a> {
    problem: u64,
    weights: &'a mut [f64],
    certificate: &'a mut Certificate,
    volatilities: &'a mut [f64],
    /// Volatilities of the portfolios of other methods, where asked for.
    portfolios: &'a mut [f64],
    /// Weights and proofs of those that are solved for.
    solved: Vec<(&'a mut [f64], &'a mut Proof)>,
    /// Of the estimator, where it has one.
    parameter: Option<&'a mut f64>,
}

impl Job for CpuJob<'_> {
    fn blocks(&self, range: Range<u64>, stop: &Stop) -> Result<Vec<Block>> {
        Ok(self.run(range.clone(), stop)?.cut(range.start))
    }

    fn run(&self, range: Range<u64>, stop: &Stop) -> Result<Block> {
        match self.request {
            Request::Metrics(metrics) => match self.screen(metrics, stop) {
                Some(screen) => {
                    let measured = screen.measure(range);
                    stop.check()?;
                    Ok(Block::Metrics(measured))
                }
                None => self.run_all(&range.collect::<Vec<u64>>(), stop),
            },
            Request::Portfolios { .. } => self.run_all(&range.collect::<Vec<u64>>(), stop),
        }
    }

    fn span(&self) -> u64 {
        SPAN
    }

    fn counts(&self, problems: &[u64]) -> Result<Vec<u32>> {
        let Some((panel, law)) = self.batch.resamples() else { return Ok(Vec::new()) };
        let rows = panel.rows();
        let mut counts = vec![0; problems.len() * rows];
        let resampler = self.resampler.as_ref();
        let whole = resampler.and_then(Resampler::whole_weights);
        for (&problem, counts) in problems.iter().zip(counts.chunks_mut(rows)) {
            match (resampler, &whole) {
                (Some(resampler), Some(whole)) => resampler.rows().whole_weights(problem, whole, counts),
                _ => law.counts(problem, counts),
            }
        }
        Ok(counts)
    }
}

/// [`CpuJob::solve_one`] compiled for the vector instructions of this machine.
struct SolveOne<'a, 'b, 'c> {
    job: &'a CpuJob<'b>,
    span: Option<&'a Span<'a>>,
    room: &'a mut Room,
    slot: &'a mut Slot<'c>,
}

impl WithSimd for SolveOne<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.job.solve_one(self.span, self.room, self.slot);
    }
}

impl CpuJob<'_> {
    /// The results of these problems, in ascending order but not necessarily neighbours. Each comes out as it does by
    /// itself, at the cost of a problem in a batch: what the lanes and the sums of moments share is shared.
    ///
    /// # Errors
    /// Asked to stop.
    pub fn run_all(&self, problems: &[u64], stop: &Stop) -> Result<Block> {
        let block = match self.request {
            Request::Portfolios { beside } => Block::Portfolios(self.solve_all(problems, beside, stop)),
            Request::Metrics(metrics) => Block::Metrics(match self.screen(metrics, stop) {
                Some(screen) => screen.measure_all(problems),
                None => self.measure_all(problems, metrics, stop),
            }),
        };
        stop.check()?;
        Ok(block)
    }

    fn solve_all(&self, problems: &[u64], beside: &Selection, stop: &Stop) -> Solutions {
        let (n, count) = (self.batch.assets(), problems.len());
        let mut all = Solutions::unsolved(Certificate::unsolved(Status::Invalid), count, n, beside);
        if self.resampler.as_ref().is_some_and(Resampler::has_parameter) {
            all = all.with_parameters();
        }
        let Solutions { weights, certificates, comparisons, parameters } = &mut all;
        // Without comparisons their columns are empty, and so is every slot's share of them.
        let mut volatilities = comparisons.volatilities.chunks_mut(n);
        let mut portfolios = comparisons.portfolios.chunks_mut(beside.methods().len().max(1));
        let mut solved: Vec<_> = comparisons
            .solved
            .iter_mut()
            .map(|Solved { weights, proofs, .. }| weights.chunks_mut(n).zip(proofs))
            .collect();
        let mut parameters = parameters.iter_mut();
        let mut slots: Vec<Slot> = problems
            .iter()
            .zip(weights.chunks_mut(n))
            .zip(certificates)
            .map(|((&problem, weights), certificate)| Slot {
                problem,
                weights,
                certificate,
                volatilities: volatilities.next().unwrap_or_default(),
                portfolios: portfolios.next().unwrap_or_default(),
                solved: solved.iter_mut().filter_map(Iterator::next).collect(),
                parameter: parameters.next(),
            })
            .collect();
        // Results do not depend on how problems are dealt out.
        let least = if self.interleaves() { LANES } else { 1 };
        let resampler = self.resampler.as_ref().filter(|_| self.in_bulk());
        let together = resampler.and_then(Resampler::shared).unwrap_or(count).max(1);
        for slots in slots.chunks_mut(together) {
            let span = resampler.map(|resampler| resampler.span(slots.iter().map(|slot| slot.problem)));
            if slots.len() <= least {
                // A few problems wake no other thread.
                self.solve_grain(span.as_ref(), &mut Room::default(), slots, stop);
                continue;
            }
            let share = slots.len().div_ceil(PIECES * rayon::current_num_threads());
            let grain = share.next_multiple_of(least).clamp(least, GRAIN);
            slots
                .par_chunks_mut(grain)
                .for_each_init(Room::default, |room, slots| self.solve_grain(span.as_ref(), room, slots, stop));
        }
        all
    }

    /// Measures problems of any source, one by one.
    fn measure_all(&self, problems: &[u64], metrics: &[Metric], stop: &Stop) -> Measured {
        let n = self.batch.assets();
        let grain = |room: &mut Room, problems: &[u64]| {
            let mut measured = Measured::unmeasured(problems.len(), metrics.len());
            let mut weights = vec![0.0; n];
            for (at, &problem) in problems.iter().enumerate().take_while(|_| !stop.asked()) {
                let mut certificate = Certificate::unsolved(Status::Invalid);
                match self.build(problem, None, &mut room.building) {
                    Built::Barred => continue,
                    Built::Invalid => {}
                    Built::Model(built) => {
                        let RiskModel { correlation, volatilities } = built.model;
                        certificate = self.budgeted(built, &mut room.solver, &mut weights);
                        if certificate.status == Status::Converged {
                            let x: Vec<f64> = weights.iter().zip(volatilities).map(|(w, s)| w * s).collect();
                            measured.rc_error[at] = certificate.error();
                            for (column, &wanted) in measured.columns.iter_mut().zip(metrics) {
                                column[at] = metric(wanted, correlation, &weights, &x, certificate.volatility);
                            }
                        }
                    }
                }
                measured.statuses[at] = Some(certificate.status);
            }
            measured
        };
        if problems.len() <= LANES {
            // A few problems wake no other thread.
            return grain(&mut Room::default(), problems);
        }
        // Sets of assets of one covariance together, which is built once for them.
        let together = LANES.max(self.batch.source().assets.count().min(GRAIN as u64) as usize);
        let parts: Vec<Measured> = problems.par_chunks(together).map_init(Room::default, grain).collect();
        let mut all = Measured::new(metrics.len());
        parts.iter().for_each(|part| all.extend(part));
        all
    }

    /// The fast way of subsets of one covariance; none for another source.
    fn screen<'a>(&'a self, metrics: &'a [Metric], stop: &'a Stop) -> Option<Screen<'a>> {
        let source = self.batch.source();
        let (Covariances::Known(universe), Assets::Subsets { subsets, cap, .. }) =
            (&source.covariances, &source.assets)
        else {
            return None;
        };
        let (batch, options, arch) = (self.batch, self.options, self.arch);
        Some(Screen { batch, universe, subsets, cap: cap.as_ref(), options, arch, metrics, stop })
    }

    /// Error and kappa of `weights` under the covariance of `problem` as this engine builds it, in f64. Infinite where
    /// the problem's input is invalid.
    pub fn certify(&self, problem: u64, weights: &[f64]) -> (f64, f64) {
        if let Some(losses) = self.losses() {
            let (mut counts, mut work) = (Vec::new(), measured::Workspace::default());
            let problem = losses.problem(problem, self.batch.budgets(), None, &mut counts);
            let rc_error = measured::certify(losses.measure, losses.panel, problem, self.options, &mut work, weights);
            return (rc_error.unwrap_or(f64::INFINITY), 1.0);
        }
        let mut building = Building::default();
        let Built::Model(Model { model, .. }) = self.build(problem, None, &mut building) else {
            return (f64::INFINITY, f64::INFINITY);
        };
        let exposures: Vec<f64> = weights.iter().zip(&model.volatilities).map(|(w, s)| w * s).collect();
        let mut product = vec![0.0; weights.len()];
        let (rc_error, _) = certify(&model.correlation, &exposures, self.batch.budgets(), &mut product);
        (rc_error, condition(&model.correlation, &exposures, &mut product))
    }

    /// The gap of `weights` by the aim of a method, and their volatility, likewise; none of methods that have no gap.
    pub fn gap(&self, problem: u64, method: Method, weights: &[f64]) -> Option<(f64, f64)> {
        // Within limits it takes multipliers that are not kept.
        let aim = method.aim().filter(|_| self.request.beside().limits().is_none())?;
        let mut building = Building::default();
        let Built::Model(Model { model, .. }) = self.build(problem, None, &mut building) else {
            return Some((f64::INFINITY, f64::NAN));
        };
        let problem = quadratic::Problem { correlation: &model.correlation, volatilities: &model.volatilities };
        Some((quadratic::gap(aim, problem, weights), methods::volatility(model, weights)))
    }

    #[inline(always)]
    fn build<'b>(&'b self, problem: u64, span: Option<&Span>, building: &'b mut Building) -> Built<'b> {
        building.build(self.batch.source(), self.resampler.as_ref(), span, problem)
    }

    /// Whether problems are tried eight at a time first: a matter of their size and of the options alone.
    fn interleaves(&self) -> bool {
        self.batch.assets() <= MOST_INTERLEAVED && self.in_bulk()
    }

    /// Whether problems are first tried in the ways of many ordinary ones: sums of moments shared, and solved in lanes or
    /// in two precisions.
    fn in_bulk(&self) -> bool {
        let source = self.batch.source();
        let whole = matches!(source.assets, Assets::All) && !matches!(source.covariances, Covariances::Known(_));
        !self.finishes() && whole
    }

    fn compares(&self) -> bool {
        !self.request.beside().methods().is_empty()
    }

    /// Whether every solution takes the finishing step.
    fn finishes(&self) -> bool {
        self.options.finish || self.options.tolerance <= FINISHING_TOLERANCE
    }

    /// Solves the problem of each slot.
    fn solve_grain(&self, span: Option<&Span>, room: &mut Room, slots: &mut [Slot], stop: &Stop) {
        let interleaves = self.interleaves();
        for slots in slots.chunks_mut(LANES).take_while(|_| !stop.asked()) {
            let solved = if interleaves { self.solve_group(span, room, slots) } else { [false; LANES] };
            let left = slots.iter_mut().enumerate().filter(|(lane, _)| !solved[*lane]);
            for (_, slot) in left.take_while(|_| !stop.asked()) {
                if interleaves || !self.solve_given(room, slot) {
                    self.arch.dispatch(SolveOne { job: self, span, room, slot });
                }
            }
            if let Some(losses) = self.losses() {
                for slot in slots.iter_mut().take_while(|_| !stop.asked()) {
                    self.solve_losses(losses, room, slot);
                }
            }
        }
    }

    /// Tries the problems of up to eight slots, a lane each. Returns which are solved; the others have hard or suspicious
    /// input and are left to [`CpuJob::solve_one`].
    fn solve_group(&self, span: Option<&Span>, room: &mut Room, slots: &mut [Slot]) -> [bool; LANES] {
        let n = self.batch.assets();
        let Room { group, interleaved, building, .. } = room;
        group.resize(n);
        // Lanes without a problem repeat the last one, unheeded.
        let problems: [u64; LANES] = std::array::from_fn(|lane| slots[lane.min(slots.len() - 1)].problem);
        let mut parameters = None;
        match &self.batch.source().covariances {
            Covariances::Estimated { .. } => {
                let span = span.expect("made for resampled sources");
                let Group { correlation, volatilities, weights: inverses, .. } = group;
                let to = (&mut correlation[..], &mut volatilities[..], &mut inverses[..]);
                (group.usable, parameters) = span.group(&problems, self.arch, &mut building.work, interleaved, to);
            }
            Covariances::Given { matrices, assume_psd, .. } => {
                let given = problems.map(|problem| &matrices[problem as usize * n * n..][..n * n]);
                interleaved.resize(n * n, Lanes::default());
                interleave(&given, interleaved);
                let Group { correlation, volatilities, weights: inverses, .. } = group;
                // What differs more from its transpose is certified as it was given, not as the mean of the two.
                group.usable = scale(self.arch, interleaved, correlation, volatilities, inverses, FLOOR);
                if !assume_psd {
                    let definite = definite_lanes(self.arch, &group.correlation, n, interleaved);
                    group.usable.iter_mut().zip(definite).for_each(|(usable, definite)| *usable &= definite);
                }
            }
            Covariances::Known(_) => unreachable!("solved one by one"),
        }
        if self.batch.program().is_limited() {
            return self.solve_lanes(room, slots, parameters);
        }
        let solved = group.solve(self.arch, self.batch.budgets(), self.options, self.compares());
        for (lane, (slot, found)) in slots.iter_mut().zip(&solved).enumerate().filter(|(_, (_, found))| found.converged)
        {
            slot.weights.iter_mut().zip(&group.weights).for_each(|(to, from)| *to = from.0[lane]);
            *slot.certificate = Certificate::converged(found.rc_error, found.sweeps, found.volatility);
            if let (Some(to), Some(from)) = (&mut slot.parameter, parameters) {
                **to = from[lane];
            }
            if self.compares() {
                slot.volatilities.iter_mut().zip(&group.volatilities).for_each(|(to, from)| *to = from.0[lane]);
                for (to, method) in slot.portfolios.iter_mut().zip(self.request.beside().methods()) {
                    *to = found.volatility_of(*method).unwrap_or(f64::NAN);
                }
            }
        }
        if self.compares() && !self.request.beside().is_closed() {
            for (lane, slot) in slots.iter_mut().enumerate().filter(|(lane, _)| solved[*lane].converged) {
                room.group.lane(lane, &mut room.lane);
                self.arch.dispatch(SolveOthers { job: self, room, slot });
            }
        }
        solved.map(|found| found.converged)
    }

    /// Tries one large problem, of a covariance as it was given, in two precisions. Returns whether it is solved.
    fn solve_given(&self, room: &mut Room, slot: &mut Slot) -> bool {
        let n = self.batch.assets();
        let source = self.batch.source();
        let (Covariances::Given { matrices, assume_psd, .. }, Assets::All) = (&source.covariances, &source.assets)
        else {
            return false;
        };
        if self.finishes() || self.compares() || self.batch.program().is_limited() {
            return false;
        }
        let covariance = &matrices[slot.problem as usize * n * n..][..n * n];
        let matrix = Matrix::Given(covariance);
        let solved = room.mixed.solve(self.arch, matrix, self.batch.budgets(), self.options, slot.weights);
        let solved = solved
            .filter(|_| *assume_psd || definite(self.arch, covariance, room.mixed.inverses(), &mut room.interleaved));
        if let Some(found) = solved {
            *slot.certificate = Certificate::converged(found.rc_error, found.sweeps, found.volatility);
        }
        solved.is_some()
    }

    #[inline(always)]
    fn solve_one(&self, span: Option<&Span>, room: &mut Room, slot: &mut Slot) {
        let built = match self.build(slot.problem, span, &mut room.building) {
            Built::Model(built) => built,
            Built::Invalid | Built::Barred => {
                slot.weights.fill(f64::NAN);
                return;
            }
        };
        let Model { model, given, parameter, .. } = built;
        let RiskModel { correlation, volatilities } = model;
        let (budgets, options) = (self.batch.budgets(), self.options);
        if let (Some(to), Some(from)) = (&mut slot.parameter, parameter) {
            **to = from;
        }
        // What was tried in lanes, or as it was given, is not tried again.
        let limited = self.batch.program().is_limited();
        let untried = given.is_none() && self.in_bulk() && !self.interleaves() && !limited;
        let matrix = untried.then_some(Matrix::Made { correlation, volatilities });
        let solved = matrix.and_then(|matrix| room.mixed.solve(self.arch, matrix, budgets, options, slot.weights));
        *slot.certificate = if let Some(found) = solved {
            Certificate::converged(found.rc_error, found.sweeps, found.volatility)
        } else {
            self.budgeted(built, &mut room.solver, slot.weights)
        };
        if self.compares() {
            room.lane.clone_from(model);
            self.compare(room, slot);
        }
    }
}
