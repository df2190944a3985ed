//! The CPU engine: rayon over problems, f64 throughout, nothing allocated for an ordinary problem.

use std::ops::Range;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use super::screen::Screen;
use super::{Engine, EngineInfo, Job};
use crate::batch::{Batch, Comparisons, Solutions, Source, Want};
use crate::certificate::{Certificate, Status};
use crate::covariance::interleaved::{correlate, scale};
use crate::covariance::packed;
use crate::covariance::resampler::{Resampler, Span, Workspace};
use crate::error::Result;
use crate::lanes::{LANES, Lanes, interleave};
use crate::measure::{Measured, Metric};
use crate::solver::certificate::{certify, condition};
use crate::solver::definite::{definite, definite_lanes};
use crate::solver::interleaved::Group;
use crate::solver::mixed::{Matrix, Mixed};
use crate::solver::{self, FINISHING_TOLERANCE, FLOOR, Options, Problem, descent::multiply, validity};

/// Problems of more assets than this are solved one by one, in two precisions: their interleaved matrices fill the
/// second-level cache, and rows are long enough to be vectors by themselves.
const MOST_INTERLEAVED: usize = 112;

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
        EngineInfo { engine: "cpu", adapter: None, driver: None, precision: "f64", tolerance: self.options.tolerance }
    }

    fn prepare<'a>(&'a self, batch: &'a Batch, want: Want) -> Result<Box<dyn Job + 'a>> {
        Ok(Box::new(self.job(batch, want)))
    }
}

impl CpuEngine {
    pub fn job<'a>(&self, batch: &'a Batch, want: Want) -> CpuJob<'a> {
        let resampler = match &batch.source {
            Source::Resampled { panel, law } => Some(Resampler::new(panel, *law)),
            Source::Given { .. } | Source::Subsets { .. } => None,
        };
        CpuJob { batch, want, options: self.options, resampler, arch: Arch::new() }
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
    /// The vector instructions of this machine.
    arch: Arch,
}

/// Room for one problem at a time.
#[derive(Debug, Clone, Default)]
struct Room {
    group: Group,
    /// Moments or matrices of a group's problems, and their factors.
    interleaved: Vec<Lanes>,
    covariance: Workspace,
    mixed: Mixed,
    solver: solver::Workspace,
    portfolio: Vec<f64>,
    product: Vec<f64>,
}

/// One problem, and where its results go.
struct Slot<'a> {
    problem: u64,
    weights: &'a mut [f64],
    certificate: &'a mut Certificate,
    volatilities: &'a mut [f64],
    inverse_volatility: &'a mut [f64],
    equal_weight: &'a mut [f64],
}

impl Job for CpuJob<'_> {
    fn solve(&self, range: Range<u64>) -> Result<Solutions> {
        Ok(self.solve_all(range))
    }

    fn span(&self) -> u64 {
        SPAN
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

    fn measure(&self, range: Range<u64>, metrics: &[Metric]) -> Result<Measured> {
        Ok(self.screen(metrics).measure(range))
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
    /// Solves these problems, in ascending order but not necessarily neighbours. Each comes out as it does by itself,
    /// at the cost of a problem in a batch: what the lanes and the sums of moments share is shared.
    pub fn solve_all(&self, problems: impl IntoIterator<Item = u64>) -> Solutions {
        let problems: Vec<u64> = problems.into_iter().collect();
        let (n, count) = (self.batch.assets(), problems.len());
        let compared = if self.want.comparisons { count } else { 0 };
        let mut weights = vec![f64::NAN; count * n];
        let mut certificates = vec![Certificate::unsolved(Status::Invalid); count];
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
        let mut slots: Vec<Slot> = problems
            .into_iter()
            .zip(weights.chunks_mut(n))
            .zip(&mut certificates)
            .map(|((problem, weights), certificate)| Slot {
                problem,
                weights,
                certificate,
                volatilities: volatilities.next().unwrap_or_default(),
                inverse_volatility: inverse.next().unwrap_or_default(),
                equal_weight: equal.next().unwrap_or_default(),
            })
            .collect();
        // Results do not depend on how problems are dealt out.
        let least = if self.interleaves() { LANES } else { 1 };
        let resampler = self.resampler.as_ref().filter(|_| self.in_bulk());
        let together = resampler.and_then(Resampler::shared).unwrap_or(count).max(1);
        for slots in slots.chunks_mut(together) {
            let span = resampler.map(|resampler| resampler.span(slots.iter().map(|slot| slot.problem)));
            let share = slots.len().div_ceil(PIECES * rayon::current_num_threads());
            let grain = share.next_multiple_of(least).clamp(least, GRAIN);
            slots
                .par_chunks_mut(grain)
                .for_each_init(Room::default, |room, slots| self.solve_grain(span.as_ref(), room, slots));
        }
        Solutions { weights, certificates, comparisons }
    }

    /// Measures these subsets, as [`Job::measure`] does a range of them.
    ///
    /// # Panics
    /// As [`Job::measure`].
    pub fn measure_all(&self, problems: &[u64], metrics: &[Metric]) -> Measured {
        self.screen(metrics).measure_all(problems)
    }

    fn screen<'a>(&'a self, metrics: &'a [Metric]) -> Screen<'a> {
        let Source::Subsets { universe, subsets, cap } = &self.batch.source else {
            panic!("only subsets are measured");
        };
        let (budgets, options, arch) = (self.batch.budgets(), self.options, self.arch);
        Screen { universe, subsets, cap: cap.as_ref(), budgets, options, arch, metrics }
    }

    /// Error and kappa of `weights` under the covariance of `problem` as this engine builds it, in f64. Infinite where
    /// the problem's input is invalid.
    pub fn certify(&self, problem: u64, weights: &[f64]) -> (f64, f64) {
        let mut room = Room::default();
        if self.build(problem, None, &mut room.covariance).is_none() {
            return (f64::INFINITY, f64::INFINITY);
        }
        let Workspace { correlation, volatilities, .. } = &room.covariance;
        room.portfolio.extend(weights.iter().zip(volatilities).map(|(w, s)| w * s));
        room.product.resize(weights.len(), 0.0);
        let (rc_error, _) = certify(correlation, &room.portfolio, self.batch.budgets(), &mut room.product);
        (rc_error, condition(correlation, &room.portfolio, &mut room.product))
    }

    /// Builds the covariance of a problem, of a span of resamples where it is one of them. None where its input is
    /// invalid; else the matrix as given, where one was.
    #[inline(always)]
    fn build(&self, problem: u64, span: Option<&Span>, covariance: &mut Workspace) -> Option<Option<&[f64]>> {
        match &self.batch.source {
            Source::Resampled { panel, .. } => {
                let resampler = self.resampler.as_ref().expect("made with the job for resampled sources");
                let moves = match span {
                    Some(span) => span.covariance(problem, covariance),
                    None => resampler.covariance(problem, covariance),
                };
                if !moves {
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
            Source::Subsets { universe, subsets, .. } => {
                let mut assets = vec![0; subsets.size()];
                subsets.assets(subsets.rank(problem), &mut assets);
                universe.gather(&assets, &mut covariance.correlation, &mut covariance.volatilities);
                Some(None)
            }
        }
    }

    /// Whether problems are tried eight at a time first: a matter of their size and of the options alone.
    fn interleaves(&self) -> bool {
        self.batch.assets() <= MOST_INTERLEAVED && self.in_bulk()
    }

    /// Whether problems are first tried in the ways of many ordinary ones: sums of moments shared, and solved in lanes or
    /// in two precisions.
    fn in_bulk(&self) -> bool {
        // A screen's bulk is measured elsewhere; what is solved here are single subsets.
        let subsets = matches!(self.batch.source, Source::Subsets { .. });
        !self.finishes() && !subsets
    }

    /// Whether every solution takes the finishing step.
    fn finishes(&self) -> bool {
        self.options.finish || self.options.tolerance <= FINISHING_TOLERANCE
    }

    /// Solves the problem of each slot.
    fn solve_grain(&self, span: Option<&Span>, room: &mut Room, slots: &mut [Slot]) {
        let interleaves = self.interleaves();
        for slots in slots.chunks_mut(LANES) {
            let solved = if interleaves { self.solve_group(span, room, slots) } else { [false; LANES] };
            for (_, slot) in slots.iter_mut().enumerate().filter(|(lane, _)| !solved[*lane]) {
                if interleaves || !self.solve_given(room, slot) {
                    self.arch.dispatch(SolveOne { job: self, span, room, slot });
                }
            }
        }
    }

    /// Tries the problems of up to eight slots, a lane each. Returns which are solved; the others have hard or suspicious
    /// input and are left to [`CpuJob::solve_one`].
    fn solve_group(&self, span: Option<&Span>, room: &mut Room, slots: &mut [Slot]) -> [bool; LANES] {
        let n = self.batch.assets();
        let Room { group, interleaved, covariance, .. } = room;
        group.resize(n);
        // Lanes without a problem repeat the last one, unheeded.
        let problems: [u64; LANES] = std::array::from_fn(|lane| slots[lane.min(slots.len() - 1)].problem);
        match &self.batch.source {
            Source::Resampled { panel, .. } => {
                interleaved.resize(n + packed(n), Lanes::default());
                let span = span.expect("made for resampled sources");
                span.interleave(&problems, covariance, interleaved);
                let Group { correlation, volatilities, weights: inverses, .. } = group;
                group.usable = correlate(self.arch, interleaved, panel.rows(), correlation, volatilities, inverses);
                for (volatility, unit) in group.volatilities.iter_mut().zip(panel.volatilities()) {
                    volatility.0.iter_mut().for_each(|s| *s *= unit);
                }
            }
            Source::Given { covariances, assume_psd } => {
                let given = problems.map(|problem| &covariances[problem as usize * n * n..][..n * n]);
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
            Source::Subsets { .. } => unreachable!("solved one by one"),
        }
        let solved = group.solve(self.arch, self.batch.budgets(), self.options, self.want.comparisons);
        for (lane, (slot, found)) in slots.iter_mut().zip(&solved).enumerate().filter(|(_, (_, found))| found.converged)
        {
            slot.weights.iter_mut().zip(&group.weights).for_each(|(to, from)| *to = from.0[lane]);
            *slot.certificate = Certificate::converged(found.rc_error, found.sweeps, found.volatility);
            if self.want.comparisons {
                slot.volatilities.iter_mut().zip(&group.volatilities).for_each(|(to, from)| *to = from.0[lane]);
                slot.inverse_volatility[0] = found.inverse_volatility;
                slot.equal_weight[0] = found.equal_weight;
            }
        }
        solved.map(|found| found.converged)
    }

    /// Tries one large problem, of a covariance as it was given, in two precisions. Returns whether it is solved.
    fn solve_given(&self, room: &mut Room, slot: &mut Slot) -> bool {
        let n = self.batch.assets();
        let Source::Given { covariances, assume_psd } = &self.batch.source else { return false };
        if self.finishes() || self.want.comparisons {
            return false;
        }
        let covariance = &covariances[slot.problem as usize * n * n..][..n * n];
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
        let n = self.batch.assets();
        let covariance = &mut room.covariance;
        let Some(given) = self.build(slot.problem, span, covariance) else {
            slot.weights.fill(f64::NAN);
            return;
        };
        let (correlation, volatilities) = (&covariance.correlation, &covariance.volatilities);
        let (budgets, options) = (self.batch.budgets(), self.options);
        // What was tried in lanes, or as it was given, is not tried again.
        let untried = given.is_none() && self.in_bulk() && !self.interleaves();
        let matrix = untried.then_some(Matrix::Made { correlation, volatilities });
        let solved = matrix.and_then(|matrix| room.mixed.solve(self.arch, matrix, budgets, options, slot.weights));
        *slot.certificate = if let Some(found) = solved {
            Certificate::converged(found.rc_error, found.sweeps, found.volatility)
        } else {
            let problem = Problem { correlation, volatilities, budgets, covariance: given };
            solver::solve(problem, options, &mut room.solver, slot.weights)
        };
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
