//! Budgets of a measure of losses: the rows of each problem themselves, weighed.

use super::{CpuJob, Room, Slot};
use crate::batch::Covariances;
use crate::covariance::resampler::Resampler;
use crate::methods::certificate::{Certificate, Proof, Status};
use crate::methods::downside::{self, Rows, measured};
use crate::methods::risk_budgeting::Options;
use crate::methods::{Method, RiskMeasure};
use crate::panel::Panel;

/// A measure of losses, and the rows that it takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Losses<'a> {
    pub measure: RiskMeasure,
    pub panel: &'a Panel,
    rows: &'a Rows,
    resampler: &'a Resampler<'a>,
}

impl Losses<'_> {
    /// Volatility of these weights over the rows, per period: sqrt(1 / (W - 1) sum_t omega_t (r_t - m)^2).
    fn volatility(&self, counts: &[f64], weights: &[f64]) -> f64 {
        let outcome = |row: &[f64]| -> f64 {
            let terms = row.iter().zip(weights).zip(self.panel.volatilities());
            terms.map(|((z, w), s)| z * w * s).sum()
        };
        let rows = || self.panel.values().chunks_exact(weights.len()).zip(counts).filter(|(_, count)| **count > 0.0);
        let (mut total, mut sum, mut squares) = (0.0, 0.0, 0.0);
        for (row, count) in rows() {
            let r = outcome(row);
            total += count;
            sum += count * r;
            squares += count * r * r;
        }
        // Rows are standardised: their mean is small beside their spread.
        ((squares - sum * sum / total) / (total - 1.0)).max(0.0).sqrt()
    }

    /// A problem's rows count `counts` each, once they are drawn.
    pub fn problem<'b>(
        &'b self,
        number: u64,
        budgets: &'b [f64],
        start: Option<&'b [f64]>,
        counts: &'b mut Vec<f64>,
    ) -> downside::Problem<'b> {
        counts.resize(self.panel.rows(), 0.0);
        self.resampler.weigh(number, counts);
        downside::Problem { rows: self.rows, counts, units: self.panel.volatilities(), budgets, start }
    }
}

impl CpuJob<'_> {
    /// Where risk is not volatility.
    pub(super) fn losses(&self) -> Option<Losses<'_>> {
        let measure = self.batch.program().measure();
        match (&self.batch.source().covariances, &self.resampler, &self.rows) {
            (Covariances::Estimated { panel, .. }, Some(resampler), Some(rows)) => {
                Some(Losses { measure, panel, rows, resampler })
            }
            _ => None,
        }
    }

    /// Budgets another risk where volatility has been budgeted: that portfolio is the start, and stands beside it.
    pub(super) fn solve_losses(&self, losses: Losses, room: &mut Room, slot: &mut Slot) {
        let beside = self.request.beside();
        let is_parity = |own: Method| own == Method::VolatilityParity;
        let Certificate { status, rc_error, volatility, .. } = *slot.certificate;
        let place = beside.methods().iter().position(|own| is_parity(*own));
        if let Some((number, place)) = beside.solved().position(is_parity).zip(place) {
            let (weights, proof) = &mut slot.solved[number];
            weights.copy_from_slice(slot.weights);
            **proof = Proof { status, error: rc_error, margin: f64::NAN, unique: true, volatility };
            slot.portfolios[place] = volatility;
        }
        if status == Status::Invalid {
            return;
        }
        let Room { portfolio, counts, losses: work, .. } = room;
        portfolio.clear();
        portfolio.extend_from_slice(slot.weights);
        let problem = losses.problem(slot.problem, self.batch.budgets(), Some(portfolio), counts);
        let options = Options { finish: self.finishes(), ..self.options };
        let found = measured::solve(losses.measure, losses.panel, problem, options, work, slot.weights);
        let measured::Found { status, rc_error, slack, steps, .. } = found;
        let volatility = losses.volatility(counts, slot.weights);
        *slot.certificate = Certificate { rc_error, slack, sweeps: steps, volatility, ..Certificate::unsolved(status) };
    }
}
