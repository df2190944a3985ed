//! What is kept of all subsets: counts, a histogram, sums and the best.

use rayon::prelude::*;
use serde::Serialize;

use super::best::{Best, Candidate};
use super::figure::Relation;
use super::fold::{Fold, Piece};
use super::histogram::Histogram;
use crate::batch::counts::Solves;
use crate::measure::{Measured, Metric};
use crate::methods::certificate::Status;
use crate::run::chunks::PIECE;
use crate::run::crosscheck::Check;
use crate::stats::{self, Moments};
use crate::subsets::Subsets;

/// Which column ranks, and which columns must keep a bound, in the units of the columns.
#[derive(Debug, Clone)]
pub struct Rule {
    pub metrics: Vec<Metric>,
    pub by: usize,
    pub larger_is_better: bool,
    /// What turns the column into the figure.
    pub scale: f64,
    pub filters: Vec<(usize, Relation, f64)>,
    /// Bulk figures lie within this of the exact ones, relative: a candidate may miss a bound by as much.
    pub bulk_error: f64,
}

impl Rule {
    /// Whether a measured subset keeps all bounds, or would if it were off by a share of each.
    #[inline]
    pub fn keeps(&self, measured: &Measured, at: usize, slack: f64) -> bool {
        let holds = |(column, relation, bound): &(usize, Relation, f64)| {
            relation.nearly_holds(measured.columns[*column][at], *bound, slack)
        };
        self.filters.iter().all(holds)
    }
}

/// Certified errors of the bulk.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct LargestError {
    /// Null where nothing converged.
    pub max: Option<f64>,
}

/// The figure over all subsets that count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistics {
    pub mean: f64,
    pub sd: f64,
    /// Standard error of the mean as an estimate over the whole space: zero where all of it was screened, and for a
    /// shortlist, which is no sample.
    pub mc_error: f64,
    pub min: f64,
    pub max: f64,
}

impl Statistics {
    /// Of values that are all there are; none of no values. `left` is the share of the space that they leave out: nought
    /// where they stand for themselves.
    pub fn of(values: &[f64], left: f64) -> Option<Statistics> {
        let Moments { mean, sd, .. } = stats::moments(values);
        let sd = if values.len() < 2 { 0.0 } else { sd };
        let fold = |of: fn(f64, f64) -> f64| values.iter().copied().reduce(of);
        let (min, max) = (fold(f64::min)?, fold(f64::max)?);
        Some(Statistics { mean, sd, mc_error: (sd * sd / values.len() as f64 * left).sqrt(), min, max })
    }
}

/// The finite-population correction: a sample of the whole has no error.
pub fn left_out(space: Option<u64>, screened: u64) -> f64 {
    space.map_or(1.0, |space| (space - screened) as f64 / (space as f64 - 1.0).max(1.0))
}

/// A fold over chunks in order.
#[derive(Debug)]
pub struct Tally<'a> {
    rule: &'a Rule,
    subsets: &'a Subsets,
    /// Of the subsets that no cap barred.
    pub solves: Solves,
    pub check: Option<Check>,
    /// Converged subsets that keep all bounds.
    pub passing: u64,
    largest_error: f64,
    pub histogram: Histogram,
    pub best: Best,
    /// Near the mean, so that sums of differences lose nothing.
    centre: f64,
    sums: [f64; 2],
    range: (f64, f64),
}

impl<'a> Tally<'a> {
    pub fn new(rule: &'a Rule, subsets: &'a Subsets, histogram: Histogram, capacity: usize) -> Tally<'a> {
        let centre = 0.5 * (histogram.edges[0] + histogram.edges[histogram.edges.len() - 1]);
        Tally {
            rule,
            subsets,
            solves: Solves::default(),
            check: None,
            passing: 0,
            largest_error: 0.0,
            histogram,
            best: Best::new(capacity),
            centre,
            sums: [0.0; 2],
            range: (f64::INFINITY, f64::NEG_INFINITY),
        }
    }

    /// What there is to add for the problems from `start` on.
    pub fn fold(&self, start: u64, measured: &Measured, check: Option<Check>) -> Fold {
        let pieces = measured.statuses.len().div_ceil(PIECE as usize);
        let pieces = (0..pieces).into_par_iter().map(|piece| self.piece(start, measured, piece)).collect();
        Fold { rescued: measured.rescued, check, pieces }
    }

    /// Adds the chunk that follows those before.
    pub fn add(&mut self, fold: &Fold) {
        self.solves.rescued += fold.rescued;
        self.check = Check::both(self.check, fold.check);
        for piece in &fold.pieces {
            let [converged, stalled, no_solution, invalid, infeasible] = piece.statuses;
            self.solves.total += piece.statuses.iter().sum::<u64>();
            self.solves.converged += converged;
            self.solves.stalled += stalled;
            self.solves.no_solution += no_solution;
            self.solves.invalid += invalid;
            self.solves.infeasible += infeasible;
            self.passing += piece.passing;
            self.largest_error = self.largest_error.max(piece.largest_error);
            self.histogram.merge(&piece.histogram);
            self.sums[0] += piece.sums[0];
            self.sums[1] += piece.sums[1];
            self.range = (self.range.0.min(piece.range[0]), self.range.1.max(piece.range[1]));
            self.best.extend(&piece.candidates);
        }
    }

    fn piece(&self, start: u64, measured: &Measured, number: usize) -> Piece {
        let Rule { by, larger_is_better, scale, bulk_error, .. } = self.rule;
        let mut piece = Piece::new(self.histogram.counts.len());
        let bound = self.best.bound();
        let first = number * PIECE as usize;
        let last = measured.statuses.len().min(first + PIECE as usize);
        // Sums stay in registers.
        let (mut largest_error, mut passing, mut sums) = (0.0_f64, 0, [0.0; 2]);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        let ranked = &measured.columns[*by][first..last];
        let problems = measured.statuses[first..last].iter().zip(&measured.rc_error[first..last]).zip(ranked);
        for (at, ((status, &error), &value)) in (first..last).zip(problems) {
            let Some(status) = *status else { continue };
            if let Some(count) = piece.statuses.get_mut(usize::from(status.code())) {
                *count += 1;
            }
            if status != Status::Converged {
                continue;
            }
            largest_error = largest_error.max(error);
            let value = value * scale;
            let keeps = |slack: f64| self.rule.keeps(measured, at, slack);
            if keeps(0.0) {
                passing += 1;
                piece.histogram[self.histogram.bin(value)] += 1;
                let difference = value - self.centre;
                sums[0] += difference;
                sums[1] += difference * difference;
                (low, high) = (low.min(value), high.max(value));
            } else if !keeps(*bulk_error) {
                continue;
            }
            let value = if *larger_is_better { -value } else { value };
            if value <= bound {
                let rank = self.subsets.rank(start + at as u64);
                piece.candidates.push(Candidate { value, rank });
            }
        }
        Piece { largest_error, passing, sums, range: [low, high], ..piece }
    }

    /// The largest certified error: `rc_error`, or within bounds `kkt_error`.
    pub fn errors(&self, within_bounds: bool) -> [Option<LargestError>; 2] {
        let error = Some(LargestError { max: (self.solves.converged > 0).then_some(self.largest_error) });
        if within_bounds { [None, error] } else { [error, None] }
    }

    /// None where nothing passed. `space` is the size of the space, where it is known.
    pub fn statistics(&self, space: Option<u64>, screened: u64) -> Option<Statistics> {
        let count = self.passing as f64;
        let mean = self.sums[0] / count;
        let variance = (self.sums[1] - count * mean * mean).max(0.0) / (count - 1.0).max(1.0);
        let left = left_out(space, screened);
        (self.passing > 0).then(|| Statistics {
            mean: self.centre + mean,
            sd: variance.sqrt(),
            mc_error: (variance / count * left).sqrt(),
            min: self.range.0,
            max: self.range.1,
        })
    }
}
