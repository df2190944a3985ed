//! The methods beside risk budgeting.

use pulp::{Simd, WithSimd};

use super::{CpuJob, Room, Slot};
use crate::covariance::RiskModel;
use crate::methods::Method;
use crate::methods::risk_budgeting::descent::multiply;

/// [`CpuJob::solve_others`], likewise.
pub(super) struct SolveOthers<'a, 'b, 'c> {
    pub job: &'a CpuJob<'b>,
    pub room: &'a mut Room,
    pub slot: &'a mut Slot<'c>,
}

impl WithSimd for SolveOthers<'_, '_, '_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        self.job.solve_others(self.room, self.slot);
    }
}

impl CpuJob<'_> {
    /// All of them, under the covariance in `room.lane`.
    #[inline(always)]
    pub(super) fn compare(&self, room: &mut Room, slot: &mut Slot) {
        slot.volatilities.copy_from_slice(&room.lane.volatilities);
        self.close(room, slot, true);
        if !self.request.beside().is_closed() {
            self.solve_others(room, slot);
        }
    }

    /// Volatilities of portfolios that follow from a formula, under the covariance in `room.lane`: of those that lanes know,
    /// or of the others.
    #[inline(always)]
    pub(super) fn close(&self, room: &mut Room, slot: &mut Slot, of_lanes: bool) {
        let Room { lane: RiskModel { correlation, volatilities }, portfolio, product, .. } = room;
        portfolio.resize(volatilities.len(), 0.0);
        product.resize(volatilities.len(), 0.0);
        let beside = self.request.beside();
        let wanted = |method: &Method| Method::CLOSED_FORMS.contains(method) == of_lanes;
        for (to, method) in slot.portfolios.iter_mut().zip(beside.methods()).filter(|(_, method)| wanted(method)) {
            let Some(weights) = beside.closed_form(*method, volatilities) else { continue };
            for (x, (w, s)) in portfolio.iter_mut().zip(weights.iter().zip(&*volatilities)) {
                *x = w * s;
            }
            multiply(correlation, portfolio, product);
            let variance: f64 = portfolio.iter().zip(&*product).map(|(x, p)| x * p).sum();
            *to = variance.max(0.0).sqrt();
        }
    }

    /// The methods beside risk budgeting that lanes do not know, under the covariance in `room.lane`.
    #[inline(always)]
    pub(super) fn solve_others(&self, room: &mut Room, slot: &mut Slot) {
        self.close(room, slot, false);
        let beside = self.request.beside();
        let mut places = beside.methods().iter().enumerate().filter(|(_, method)| beside.is_solved(**method));
        for (weights, proof) in &mut slot.solved {
            let Some((place, method)) = places.next() else { break };
            if let Some(found) =
                method.solve(&room.lane, beside.limits(), self.options.tolerance, &mut room.solver, weights)
            {
                slot.portfolios[place] = found.volatility;
                **proof = found;
            }
        }
    }
}
