//! Stage `measure` on the CPU: every subset of a range gathered, solved and measured, nothing allocated for an ordinary
//! one. Small subsets go through [`small`] in groups of eight, larger ones through [`Group`], and those within bounds through
//! [`limited::interleaved`], each lane with the bounds of its own assets; what these leave is solved one by one.

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use crate::batch::Batch;
use crate::covariance::estimator::fourth_moments::FourthMoments;
use crate::covariance::interleaved::shrink;
use crate::covariance::{RiskModel, Universe};
use crate::lanes::{LANES, Lanes, below};
use crate::measure::{Measured, Metric, bets, metric};
use crate::methods;
use crate::methods::certificate::{Certificate, Status};
use crate::methods::risk_budgeting::interleaved::Group;
use crate::methods::risk_budgeting::small::{self, Found, at, entries};
use crate::methods::risk_budgeting::{Options, limited};
use crate::stop::Stop;
use crate::subsets::Subsets;
use crate::subsets::cap::Cap;

/// Problems one thread takes at a time.
const GRAIN: u64 = 4096;

/// Groups gathered before they are solved, so that stores have settled before they are read as vectors.
const GROUPS: usize = 8;

/// Larger problems are gathered a group at a time: a group's stores settle before its first entry is read again.
const MOST_GATHERED: usize = 32;

/// The problems of a screen and what is wanted of them.
#[derive(Debug)]
pub(super) struct Screen<'a> {
    pub batch: &'a Batch<'a>,
    pub universe: &'a Universe,
    pub subsets: &'a Subsets,
    pub cap: Option<&'a Cap>,
    pub options: Options,
    pub arch: Arch,
    pub metrics: &'a [Metric],
    /// Asked before every few problems: what comes back then is of no use.
    pub stop: &'a Stop,
}

/// Room for some groups of problems at a time.
#[derive(Debug)]
struct Room {
    /// Gathered groups: [`entries`] vectors each for small problems.
    gathered: Vec<Lanes>,
    /// Of the gathered groups, where there are bounds.
    bounds: Vec<[Lanes; 2]>,
    group: Group,
    limited: limited::interleaved::Workspace,
    /// All assets are one part.
    parts: [Vec<usize>; 1],
    weights: Vec<Lanes>,
    found: Vec<Found>,
    /// Which problem of the range each lane holds, and its assets.
    slots: Vec<usize>,
    assets: Vec<u32>,
    /// For [`bets`].
    matrix: Vec<Lanes>,
    x: Vec<Lanes>,
    /// For one problem by itself.
    part: RiskModel,
    own_weights: Vec<f64>,
    solver: methods::Workspace,
}

impl Screen<'_> {
    /// Measures the problems of `range`. Results do not depend on how problems are dealt out.
    pub fn measure(&self, range: Range<u64>) -> Measured {
        let grains = (range.end - range.start).div_ceil(GRAIN);
        let parts: Vec<Measured> = (0..grains)
            .into_par_iter()
            .map_init(
                || self.room(),
                |room, grain| {
                    let start = range.start + grain * GRAIN;
                    self.measure_grain(start..range.end.min(start + GRAIN), room)
                },
            )
            .collect();
        let mut all = Measured::new(self.metrics.len());
        parts.iter().for_each(|part| all.extend(part));
        all
    }

    /// Measures these problems, in ascending order but not necessarily neighbours: each comes out as in a range.
    pub fn measure_all(&self, problems: &[u64]) -> Measured {
        let grain = |room: &mut Room, problems: &[u64]| {
            let mut measured = Measured::unmeasured(problems.len(), self.metrics.len());
            let mut position = 0;
            for run in problems.chunk_by(|a, b| a + 1 == *b) {
                self.visit(run[0]..run[0] + run.len() as u64, &mut position, room, &mut measured);
            }
            self.solve(room, &mut measured);
            measured
        };
        let parts: Vec<Measured> = problems.par_chunks(GRAIN as usize).map_init(|| self.room(), grain).collect();
        let mut all = Measured::new(self.metrics.len());
        parts.iter().for_each(|part| all.extend(part));
        all
    }

    fn groups(&self) -> usize {
        if self.subsets.size() <= MOST_GATHERED { GROUPS } else { 1 }
    }

    fn room(&self) -> Room {
        let k = self.subsets.size();
        let mut gathered = vec![Lanes::default(); self.groups() * entries(k)];
        // Lanes without a problem hold uncorrelated assets, unheeded.
        for group in gathered.chunks_exact_mut(entries(k)) {
            group[k * (k - 1) / 2..].fill(Lanes::splat(1.0));
        }
        Room {
            gathered,
            bounds: vec![Default::default(); self.groups() * k],
            group: Group::default(),
            limited: limited::interleaved::Workspace::default(),
            parts: [(0..k).collect()],
            weights: vec![Lanes::default(); self.groups() * k],
            found: vec![Found::default(); self.groups()],
            slots: Vec::with_capacity(self.groups() * LANES),
            assets: Vec::with_capacity(self.groups() * LANES * k),
            matrix: Vec::new(),
            x: Vec::new(),
            part: RiskModel::default(),
            own_weights: vec![0.0; k],
            solver: methods::Workspace::default(),
        }
    }

    fn measure_grain(&self, range: Range<u64>, room: &mut Room) -> Measured {
        let mut measured = Measured::unmeasured((range.end - range.start) as usize, self.metrics.len());
        self.visit(range, &mut 0, room, &mut measured);
        self.solve(room, &mut measured);
        measured
    }

    /// Gathers the problems of `range`, whose results go to `position` and on, and solves what fills the room.
    fn visit(&self, range: Range<u64>, position: &mut usize, room: &mut Room, measured: &mut Measured) {
        let bounds = self.batch.bounds();
        self.subsets.visit(range, |_, assets| {
            if self.cap.is_none_or(|cap| cap.admits(assets)) {
                if bounds.is_none_or(|bounds| bounds.admit(assets)) {
                    self.gather(assets, room);
                    room.slots.push(*position);
                    if room.slots.len() == self.groups() * LANES {
                        self.solve(room, measured);
                    }
                } else {
                    measured.statuses[*position] = Some(Status::Infeasible);
                }
            }
            *position += 1;
        });
    }

    /// Writes a problem into the lane that follows.
    #[inline(always)]
    fn gather(&self, assets: &[u32], room: &mut Room) {
        let k = assets.len();
        let model = self.universe.model();
        let n = model.assets();
        let (group, lane) = (room.slots.len() / LANES, room.slots.len() % LANES);
        let gathered = &mut room.gathered[group * entries(k)..][..entries(k)];
        let (correlation, volatilities) = gathered.split_at_mut(k * (k - 1) / 2);
        let mut entry = correlation.iter_mut();
        for (i, &a) in assets.iter().enumerate() {
            let row = &model.correlation[a as usize * n..][..n];
            for (&b, c) in assets[..i].iter().zip(&mut entry) {
                c.0[lane] = row[b as usize];
            }
            volatilities[i].0[lane] = model.volatilities[a as usize];
        }
        if let Some(bounds) = self.batch.bounds() {
            let own = room.bounds[group * k..][..k].iter_mut();
            own.zip(assets).for_each(|([least, most], &asset)| {
                [least.0[lane], most.0[lane]] = bounds.of(asset as usize);
            });
        }
        room.assets.extend_from_slice(assets);
    }

    /// Solves and measures what was gathered.
    fn solve(&self, room: &mut Room, measured: &mut Measured) {
        if self.stop.asked() {
            room.slots.clear();
            room.assets.clear();
            return;
        }
        let k = self.subsets.size();
        let groups = room.slots.len().div_ceil(LANES);
        (0..groups).for_each(|group| self.shrink(group, room));
        if k <= small::MOST && self.batch.bounds().is_none() {
            let (gathered, weights) = (&room.gathered[..groups * entries(k)], &mut room.weights[..groups * k]);
            small::solve(self.arch, k, gathered, self.options, weights, &mut room.found[..groups]);
        } else {
            (0..groups).for_each(|group| self.solve_group(group, room));
        }
        for group in 0..groups {
            let bets = self.metrics.contains(&Metric::EffectiveBets).then(|| self.bets(group, room));
            let found = room.found[group];
            let columns = |metric: &Metric| match metric {
                Metric::Volatility => found.volatility,
                Metric::Diversification => found.diversification,
                Metric::EffectiveBets => bets.unwrap_or_default(),
                Metric::MaxWeight => found.max_weight,
                Metric::MeanCorrelation => found.mean_correlation,
            };
            let slots = &room.slots[group * LANES..room.slots.len().min((group + 1) * LANES)];
            for (column, metric) in measured.columns.iter_mut().zip(self.metrics) {
                let values = columns(metric);
                for (&slot, value) in slots.iter().zip(values.0) {
                    column[slot] = value;
                }
            }
            for (lane, &slot) in slots.iter().enumerate() {
                measured.statuses[slot] = Some(Status::Converged);
                measured.rc_error[slot] = found.rc_error.0[lane];
            }
            for lane in 0..slots.len() {
                if found.rc_error.0[lane] == f64::INFINITY {
                    self.solve_one(group * LANES + lane, room, measured);
                }
            }
        }
        room.slots.clear();
        room.assets.clear();
    }

    /// Stage `shrink` of a gathered group.
    fn shrink(&self, group: usize, room: &mut Room) {
        let Some(shrinking) = self.universe.shrinking() else { return };
        let k = self.subsets.size();
        let Room { gathered, assets, part, slots, .. } = room;
        let lanes = slots.len().saturating_sub(group * LANES).min(LANES);
        let held = |lane: usize| &assets[(group * LANES + lane) * k..][..k];
        let (pairs, volatilities) = gathered[group * entries(k)..][..entries(k)].split_at_mut(k * (k - 1) / 2);
        if shrinking.estimator.is_linear() {
            let mut moments = [FourthMoments::default(); LANES];
            for (lane, moments) in moments.iter_mut().enumerate().take(lanes) {
                *moments = self.universe.fourth_moments(held(lane), &[]);
            }
            shrink(self.arch, shrinking.estimator, k, [shrinking.rows; LANES], &moments, pairs);
            return;
        }
        for lane in 0..lanes {
            self.universe.gather(held(lane), part);
            for i in 0..k {
                volatilities[i].0[lane] = part.volatilities[i];
                pairs[below(i)].iter_mut().zip(&part.correlation[i * k..]).for_each(|(to, c)| to.0[lane] = *c);
            }
        }
    }

    /// Larger problems, and those within bounds, by coordinate descent.
    fn solve_group(&self, group: usize, room: &mut Room) {
        let k = self.subsets.size();
        let gathered = &room.gathered[group * entries(k)..][..entries(k)];
        let Room { group: solver, limited, bounds, parts, slots, .. } = room;
        solver.resize(k);
        let (correlation, volatilities) = gathered.split_at(k * (k - 1) / 2);
        solver.correlation.copy_from_slice(correlation);
        solver.volatilities.copy_from_slice(volatilities);
        // Of error and volatility; none where a lane is left.
        let budgets = self.batch.budgets();
        let solved: [Option<[f64; 2]>; LANES] = match self.batch.bounds() {
            None => {
                solver.usable = [true; LANES];
                let solved = solver.solve(self.arch, budgets, self.options, false);
                solved.map(|found| found.converged.then_some([found.rc_error, found.volatility]))
            }
            Some(_) => {
                // Lanes without a problem have no bounds.
                solver.usable = std::array::from_fn(|lane| group * LANES + lane < slots.len());
                let bounds = &bounds[group * k..][..k];
                let programs = limited::interleaved::Programs { budgets, bounds, groups: &[], parts };
                let solved = limited.solve(self.arch, solver, programs, self.options);
                solved.map(|found| found.converged.then_some([found.kkt_error, found.volatility]))
            }
        };
        room.weights[group * k..][..k].copy_from_slice(&solver.weights);
        let found = &mut room.found[group];
        *found = Found::default();
        correlation.iter().for_each(|c| (0..LANES).for_each(|lane| found.mean_correlation.0[lane] += c.0[lane]));
        for lane in 0..LANES {
            let weights = || solver.weights.iter().map(|w| w.0[lane]);
            let undiversified: f64 = weights().zip(volatilities).map(|(w, s)| w * s.0[lane]).sum();
            let [error, volatility] = solved[lane].unwrap_or([f64::INFINITY, f64::NAN]);
            found.rc_error.0[lane] = error;
            found.volatility.0[lane] = volatility;
            found.diversification.0[lane] = undiversified / volatility;
            found.max_weight.0[lane] = weights().fold(0.0, f64::max);
            found.mean_correlation.0[lane] /= correlation.len() as f64;
        }
    }

    fn bets(&self, group: usize, room: &mut Room) -> Lanes {
        let k = self.subsets.size();
        let gathered = &room.gathered[group * entries(k)..][..entries(k)];
        let (correlation, volatilities) = gathered.split_at(k * (k - 1) / 2);
        room.matrix.resize(k * k, Lanes::default());
        room.x.clear();
        for i in 0..k {
            room.matrix[i * k + i] = Lanes::splat(1.0);
            for j in 0..i {
                room.matrix[i * k + j] = correlation[at(i, j)];
                room.matrix[j * k + i] = correlation[at(i, j)];
            }
            let (w, s) = (room.weights[group * k + i], volatilities[i]);
            room.x.push(Lanes(std::array::from_fn(|lane| w.0[lane] * s.0[lane])));
        }
        bets::effective_bets(self.arch, &mut room.matrix, &mut room.x)
    }

    /// A problem the lanes left: damped, and told apart from one without a solution.
    fn solve_one(&self, position: usize, room: &mut Room, measured: &mut Measured) {
        let k = self.subsets.size();
        let slot = room.slots[position];
        let Room { assets, part, own_weights, solver, .. } = room;
        let held = &assets[position * k..][..k];
        self.universe.gather(held, part);
        let program = self.batch.program_of(held);
        let certificate = program.map_or(Certificate::unsolved(Status::Infeasible), |program| {
            program.certified(part, None, self.options, solver, own_weights)
        });
        measured.statuses[slot] = Some(certificate.status);
        let converged = certificate.status == Status::Converged;
        measured.rc_error[slot] = if converged { certificate.error() } else { f64::NAN };
        let RiskModel { correlation, volatilities } = part;
        let x: Vec<f64> = own_weights.iter().zip(&*volatilities).map(|(w, s)| w * s).collect();
        for (column, &wanted) in measured.columns.iter_mut().zip(self.metrics) {
            let value = || metric(wanted, correlation, own_weights, &x, certificate.volatility);
            column[slot] = if converged { value() } else { f64::NAN };
        }
    }
}
