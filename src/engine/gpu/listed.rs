//! Listed sets of assets of every resample: each set is a resampled batch of its own assets, and all draw the same rows.

use std::ops::Range;
use std::sync::Arc;

use super::device::{Attempt, Device, Trouble};
use super::driver::{Driver, Queue};
use super::plan::Accuracy;
use super::resampled::{Resampled, Resamples};
use super::way::Way;
use crate::batch::{Block, Request, Solutions};
use crate::measure::{Measured, Metric};
use crate::methods::certificate::{Certificate, Status};
use crate::methods::{Program, Selection};

/// The figures that follow from weights and volatilities.
const METRICS: [Metric; 3] = [Metric::Volatility, Metric::Diversification, Metric::MaxWeight];

/// Sets of assets on one device. Problem `p` is set `p % sets` of resample `p / sets`.
pub struct Listed<'a> {
    sets: Vec<Resampled>,
    assets: usize,
    request: &'a Request,
    under_way: Queue<Range<u64>>,
}

impl<'a> Listed<'a> {
    pub fn new(
        device: &Arc<Device>,
        memory: u64,
        program: &Program,
        resamples: Resamples,
        sets: &[Box<[u32]>],
        how: (Way, Accuracy),
        request: &'a Request,
    ) -> Attempt<Self> {
        if let Request::Metrics(metrics) = request
            && let Some(metric) = metrics.iter().find(|metric| !METRICS.contains(metric))
        {
            return Err(Trouble::Unfit(format!("the GPU engine does not resample for the figure `{metric}`")));
        }
        let memory = memory / sets.len() as u64;
        let set = |set: &[u32]| {
            Resampled::new(
                Arc::clone(device),
                memory,
                program,
                Resamples { panel: &resamples.panel.select(set), ..resamples },
                how,
                beside(request),
            )
        };
        let sets = sets.iter().map(|assets| set(assets)).collect::<Attempt<Vec<Resampled>>>()?;
        Ok(Listed { sets, assets: program.assets(), request, under_way: Queue::default() })
    }

    /// The resamples of a set among the problems of a piece.
    fn resamples(&self, piece: &Range<u64>, set: usize) -> Range<u64> {
        let (sets, set) = (self.sets.len() as u64, set as u64);
        let first = |problem: u64| (problem + sets - 1 - set) / sets;
        first(piece.start)..first(piece.end)
    }
}

impl Driver for Listed<'_> {
    fn room(&self) -> u32 {
        // A piece is dealt over the sets, each of which has room for so many.
        let least = self.sets.iter().map(Driver::room).min().unwrap_or(1);
        least.saturating_mul(self.sets.len() as u32)
    }

    fn pieces(&self) -> usize {
        self.sets.iter().map(Driver::pieces).min().unwrap_or(1)
    }

    fn start(&mut self, piece: Range<u64>) -> Attempt<()> {
        for set in 0..self.sets.len() {
            let resamples = self.resamples(&piece, set);
            if !resamples.is_empty() {
                self.sets[set].start(resamples)?;
            }
        }
        self.under_way.push(piece);
        Ok(())
    }

    fn finish(&mut self) -> Attempt<Vec<Block>> {
        let (n, sets) = (self.assets, self.sets.len() as u64);
        let piece = self.under_way.pop()?;
        let problems = (piece.end - piece.start) as usize;
        let mut all = Solutions::unsolved(Certificate::unsolved(Status::Stalled), problems, n, beside(self.request));
        if self.sets.iter().any(Resampled::has_parameter) {
            all = all.with_parameters();
        }
        for set in 0..self.sets.len() {
            let resamples = self.resamples(&piece, set);
            if resamples.is_empty() {
                continue;
            }
            let own = self.sets[set].finish_whole()?;
            let at = |resample: u64| (resample * sets + set as u64 - piece.start) as usize;
            all.replace(&resamples.map(at).collect::<Vec<_>>(), &own, 0);
        }
        let block = match self.request {
            Request::Portfolios { .. } => Block::Portfolios(all),
            Request::Metrics(metrics) => Block::Metrics(measured(&all, metrics, n)),
        };
        Ok(block.cut(piece.start))
    }

    fn abandon(&mut self) {
        self.under_way.clear();
        self.sets.iter_mut().for_each(Driver::abandon);
    }
}

/// Other methods that are wanted: figures need the volatilities, too.
fn beside(request: &Request) -> &Selection {
    match request {
        Request::Portfolios { beside } => beside,
        Request::Metrics(_) => &Selection::CLOSED_FORMS,
    }
}

fn measured(solutions: &Solutions, metrics: &[Metric], n: usize) -> Measured {
    let mut measured = Measured::unmeasured(solutions.certificates.len(), metrics.len());
    for (at, certificate) in solutions.certificates.iter().enumerate() {
        measured.statuses[at] = Some(certificate.status);
        if certificate.status != Status::Converged {
            continue;
        }
        measured.rc_error[at] = certificate.rc_error;
        let (weights, row) = (&solutions.weights[at * n..][..n], at * n..(at + 1) * n);
        let undiversified: f64 = weights.iter().zip(&solutions.comparisons.volatilities[row]).map(|(w, s)| w * s).sum();
        for (column, metric) in measured.columns.iter_mut().zip(metrics) {
            column[at] = match metric {
                Metric::Diversification => undiversified / certificate.volatility,
                Metric::MaxWeight => weights.iter().copied().fold(0.0, f64::max),
                _ => certificate.volatility,
            };
        }
    }
    measured
}
