//! What is kept of all subsets: counts, a histogram, sums and the best.

use rayon::prelude::*;
use serde::Serialize;

use super::best::{Best, Candidate};
use super::histogram::Histogram;
use crate::certificate::Status;
use crate::measure::{Measured, Metric};
use crate::run::Solves;
use crate::run::measure::PIECE;
use crate::subsets::Subsets;

use super::figure::Relation;

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

/// The figure over all subsets that count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Statistics {
    pub mean: f64,
    pub sd: f64,
    /// Standard error of the mean as an estimate over the whole space: zero where all of it was screened.
    pub mc_error: f64,
    pub min: f64,
    pub max: f64,
}

/// A fold over chunks in order.
#[derive(Debug)]
pub struct Tally<'a> {
    rule: &'a Rule,
    subsets: &'a Subsets,
    pub solves: Solves,
    /// Subsets that no cap barred.
    pub admitted: u64,
    /// Converged subsets that keep all bounds.
    pub passing: u64,
    pub largest_error: f64,
    pub histogram: Histogram,
    pub best: Best,
    /// Near the mean, so that sums of differences lose nothing.
    centre: f64,
    sums: [f64; 2],
    range: (f64, f64),
}

/// The share of one piece.
struct Part {
    solves: Solves,
    admitted: u64,
    passing: u64,
    largest_error: f64,
    histogram: Histogram,
    sums: [f64; 2],
    range: (f64, f64),
    candidates: Vec<Candidate>,
}

impl<'a> Tally<'a> {
    pub fn new(rule: &'a Rule, subsets: &'a Subsets, histogram: Histogram, capacity: usize) -> Tally<'a> {
        let centre = 0.5 * (histogram.edges[0] + histogram.edges[histogram.edges.len() - 1]);
        Tally {
            rule,
            subsets,
            solves: Solves::default(),
            admitted: 0,
            passing: 0,
            largest_error: 0.0,
            histogram,
            best: Best::new(capacity),
            centre,
            sums: [0.0; 2],
            range: (f64::INFINITY, f64::NEG_INFINITY),
        }
    }

    /// Adds the problems from `start` on, which follow those before.
    pub fn add(&mut self, start: u64, measured: &Measured) {
        let pieces = measured.statuses.len().div_ceil(PIECE as usize);
        let parts: Vec<Part> = (0..pieces).into_par_iter().map(|piece| self.part(start, measured, piece)).collect();
        self.solves.rescued += measured.rescued;
        for part in parts {
            self.solves.total += part.solves.total;
            self.solves.converged += part.solves.converged;
            self.solves.stalled += part.solves.stalled;
            self.solves.no_solution += part.solves.no_solution;
            self.solves.invalid += part.solves.invalid;
            self.admitted += part.admitted;
            self.passing += part.passing;
            self.largest_error = self.largest_error.max(part.largest_error);
            self.histogram.merge(&part.histogram);
            self.sums[0] += part.sums[0];
            self.sums[1] += part.sums[1];
            self.range = (self.range.0.min(part.range.0), self.range.1.max(part.range.1));
            self.best.extend(&part.candidates);
        }
    }

    fn part(&self, start: u64, measured: &Measured, piece: usize) -> Part {
        let Rule { by, larger_is_better, scale, filters, bulk_error, .. } = self.rule;
        let mut part = Part {
            solves: Solves::default(),
            admitted: 0,
            passing: 0,
            largest_error: 0.0,
            histogram: self.histogram.clone(),
            sums: [0.0; 2],
            range: (f64::INFINITY, f64::NEG_INFINITY),
            candidates: Vec::new(),
        };
        part.histogram.counts.fill(0);
        let bound = self.best.bound();
        let first = piece * PIECE as usize;
        let last = measured.statuses.len().min(first + PIECE as usize);
        for at in first..last {
            let Some(status) = measured.statuses[at] else { continue };
            part.admitted += 1;
            match status {
                Status::Converged => part.solves.converged += 1,
                Status::Stalled => part.solves.stalled += 1,
                Status::NoSolution => part.solves.no_solution += 1,
                Status::Invalid => part.solves.invalid += 1,
            }
            if status != Status::Converged {
                continue;
            }
            part.largest_error = part.largest_error.max(measured.rc_error[at]);
            let value = measured.columns[*by][at] * scale;
            let keeps = |slack: f64| {
                let holds = |(column, relation, bound): &(usize, Relation, f64)| {
                    relation.nearly_holds(measured.columns[*column][at], *bound, slack)
                };
                filters.iter().all(holds)
            };
            if keeps(0.0) {
                part.passing += 1;
                part.histogram.add(value);
                let difference = value - self.centre;
                part.sums[0] += difference;
                part.sums[1] += difference * difference;
                part.range = (part.range.0.min(value), part.range.1.max(value));
            } else if !keeps(*bulk_error) {
                continue;
            }
            let value = if *larger_is_better { -value } else { value };
            if value <= bound {
                let rank = self.subsets.rank(start + at as u64);
                part.candidates.push(Candidate { value, rank });
            }
        }
        part.solves.total = part.admitted;
        part
    }

    /// None where nothing passed. `space` is the size of the space, where it is known.
    pub fn statistics(&self, space: Option<u64>, screened: u64) -> Option<Statistics> {
        let count = self.passing as f64;
        let mean = self.sums[0] / count;
        let variance = (self.sums[1] - count * mean * mean).max(0.0) / (count - 1.0).max(1.0);
        // The finite-population correction: a sample of the whole has no error.
        let left = space.map_or(1.0, |space| (space - screened) as f64 / (space as f64 - 1.0).max(1.0));
        (self.passing > 0).then(|| Statistics {
            mean: self.centre + mean,
            sd: variance.sqrt(),
            mc_error: (variance / count * left).sqrt(),
            min: self.range.0,
            max: self.range.1,
        })
    }
}
