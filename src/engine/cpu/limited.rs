//! Risk budgeting of one problem, within limits where there are any.

use pulp::{Simd, WithSimd};

use super::{CpuJob, Room, Slot};
use crate::batch::Covariances;
use crate::engine::build::Model;
use crate::lanes::{LANES, Lanes};
use crate::methods;
use crate::methods::Program;
use crate::methods::certificate::{Certificate, Status};
use crate::methods::risk_budgeting::limited::interleaved;

/// What lanes take of the limits of a program that they know.
#[derive(Debug)]
pub(super) struct Known {
    bounds: Vec<[Lanes; 2]>,
    /// The members of each group and, last, all other assets.
    parts: Vec<Vec<usize>>,
}

/// None where lanes do not know the limits.
pub(super) fn known(program: &Program) -> Option<Known> {
    if program.beyond_lanes().is_some() || !program.is_limited() {
        return None;
    }
    let limits = program.limits();
    let mut rest = vec![true; program.assets()];
    let mut parts: Vec<Vec<usize>> = limits.groups.iter().map(|group| group.members.clone()).collect();
    parts.iter().flatten().for_each(|&i| rest[i] = false);
    parts.push((0..rest.len()).filter(|&i| rest[i]).collect());
    Some(Known { bounds: interleaved::bounds(limits), parts })
}

/// [`CpuJob::solve_lane`] compiled for the vector instructions of this machine.
struct SolveLane<'a, 'b, 'c> {
    job: &'a CpuJob<'b>,
    room: &'a mut Room,
    slot: &'a mut Slot<'c>,
    /// Risk budgeting is done.
    budgeted: bool,
}

impl WithSimd for SolveLane<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.job.solve_lane(self.room, self.slot, self.budgeted);
    }
}

impl CpuJob<'_> {
    /// The problems of a group that is built, eight at a time where lanes know their limits, and what is left of them one by
    /// one. Returns which were tried.
    pub(super) fn solve_lanes(
        &self,
        room: &mut Room,
        slots: &mut [Slot],
        parameters: Option<[f64; LANES]>,
    ) -> [bool; LANES] {
        let (program, usable) = (self.batch.program(), room.group.usable);
        let mut solved = [interleaved::Solved::default(); LANES];
        if let Some(Known { bounds, parts }) = &self.known {
            let (budgets, groups) = (program.budgets(), &program.limits().groups);
            let programs = interleaved::Programs { budgets, bounds, groups, parts };
            solved = room.limited.solve(self.arch, &mut room.group, programs, self.options);
        }
        for (lane, slot) in slots.iter_mut().enumerate().filter(|(lane, _)| usable[*lane]) {
            if let (Some(to), Some(from)) = (&mut slot.parameter, parameters) {
                **to = from[lane];
            }
            let found = solved[lane];
            if found.converged {
                slot.weights.iter_mut().zip(&room.group.weights).for_each(|(to, from)| *to = from.0[lane]);
                let certificate = Certificate::converged(found.rc_error, found.sweeps, found.volatility);
                *slot.certificate = Certificate { kkt_error: Some(found.kkt_error), ..certificate };
            }
            if !found.converged || self.compares() {
                room.group.lane(lane, &mut room.lane);
                self.arch.dispatch(SolveLane { job: self, room, slot, budgeted: found.converged });
            }
        }
        usable
    }

    /// The problem in `room.lane`: its budgets, unless that is done, and the methods beside.
    #[inline(always)]
    fn solve_lane(&self, room: &mut Room, slot: &mut Slot, budgeted: bool) {
        if !budgeted {
            let given = match &self.batch.source().covariances {
                Covariances::Given { matrices, assets, .. } => {
                    Some(&matrices[slot.problem as usize * assets * assets..][..assets * assets])
                }
                Covariances::Known(_) | Covariances::Estimated { .. } => None,
            };
            let model = Model { model: &room.lane, given, parameter: None, held: &[] };
            *slot.certificate = self.budgeted(model, &mut room.solver, slot.weights);
        }
        if self.compares() {
            self.compare(room, slot);
        }
    }

    /// The portfolio of a set of assets, or of all.
    #[inline(always)]
    pub(super) fn budgeted(&self, model: Model, solver: &mut methods::Workspace, weights: &mut [f64]) -> Certificate {
        let Model { model, given, held, .. } = model;
        match self.batch.program_of(held) {
            Some(program) => program.certified(model, given, self.options, solver, weights),
            None => {
                weights.fill(f64::NAN);
                Certificate::unsolved(Status::Infeasible)
            }
        }
    }
}
