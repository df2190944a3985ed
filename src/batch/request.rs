//! What is asked of a batch, and the blocks that come back.

use std::ops::Range;

use super::part::aligned;
use super::solutions::{Comparisons, Solutions};
use crate::measure::{Measured, Metric};
use crate::methods::Selection;
use crate::methods::certificate::Status;

/// What comes back of every problem.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Weights and certificates of risk budgeting; with other methods beside it, the volatilities of the assets and of
    /// these methods' portfolios, and the weights and proofs of those that are solved for.
    Portfolios { beside: Selection },
    /// Figures of the portfolio and no weights.
    Metrics(Vec<Metric>),
}

impl Request {
    /// Weights and certificates alone.
    pub const PORTFOLIOS: Request = Request::Portfolios { beside: Selection::NONE };

    /// And the methods that follow from the volatilities beside these.
    pub const COMPARED: Request = Request::Portfolios { beside: Selection::CLOSED_FORMS };

    /// Methods beside risk budgeting.
    pub fn beside(&self) -> &Selection {
        match self {
            Request::Portfolios { beside } => beside,
            Request::Metrics(_) => &Selection::NONE,
        }
    }
}

/// Results of consecutive problems, in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Block {
    Portfolios(Solutions),
    Metrics(Measured),
}

impl Block {
    /// Blocks end at multiples of this number. One of portfolios holds no more problems than that, so that nobody has to
    /// cut it; one of figures may hold several times as many.
    pub const PROBLEMS: u64 = 4096;

    pub fn problems(&self) -> usize {
        match self {
            Block::Portfolios(solutions) => solutions.certificates.len(),
            Block::Metrics(measured) => measured.statuses.len(),
        }
    }

    /// Positions of the problems that were tried and did not converge.
    pub fn unsolved(&self) -> Vec<usize> {
        let left = |status: Option<Status>| status.is_some_and(|status| status != Status::Converged);
        match self {
            Block::Portfolios(solutions) => {
                let certificates = &solutions.certificates;
                (0..certificates.len()).filter(|&at| left(Some(certificates[at].status))).collect()
            }
            Block::Metrics(measured) => {
                (0..measured.statuses.len()).filter(|&at| left(measured.statuses[at])).collect()
            }
        }
    }

    /// Positions of the problems that a device did not finish: risk budgeting, or a method beside it.
    pub fn unfinished(&self) -> Vec<usize> {
        match self {
            Block::Portfolios(solutions) => {
                let left = |&at: &usize| {
                    let Comparisons { methods, portfolios, .. } = &solutions.comparisons;
                    solutions.certificates[at].status != Status::Converged
                        || solutions.comparisons.is_stalled(at)
                        || portfolios[at * methods.len()..(at + 1) * methods.len()].iter().any(|own| !own.is_finite())
                };
                (0..solutions.certificates.len()).filter(left).collect()
            }
            Block::Metrics(_) => self.unsolved(),
        }
    }

    /// Puts the results of `rescued` from the one at `first` on, in order, at these positions, and marks them so. Where
    /// risk budgeting has converged only what other methods lack is put there: what is asked for beside it changes
    /// nothing of it.
    pub fn rescue(&mut self, positions: &[usize], rescued: &Block, first: usize) {
        match (self, rescued) {
            (Block::Portfolios(all), Block::Portfolios(own)) => {
                for (from, &at) in (first..).zip(positions) {
                    if all.certificates[at].status == Status::Converged {
                        all.complete(at, own, from);
                    } else {
                        all.replace(&[at], own, from);
                        all.certificates[at].rescued = true;
                    }
                }
            }
            (Block::Metrics(all), Block::Metrics(own)) => {
                all.replace(positions, own, first);
                all.rescued += positions.len() as u64;
            }
            _ => debug_assert!(false, "blocks of one request are of one kind"),
        }
    }

    /// Marks all problems as taken over by the CPU.
    pub fn all_rescued(&mut self) {
        match self {
            Block::Portfolios(solutions) => solutions.certificates.iter_mut().for_each(|c| c.rescued = true),
            Block::Metrics(measured) => measured.rescued = measured.statuses.len() as u64,
        }
    }

    /// Appends the results of the problems that follow.
    pub fn extend(&mut self, next: Block) {
        match (self, next) {
            (Block::Portfolios(all), Block::Portfolios(next)) => all.extend(next),
            (Block::Metrics(all), Block::Metrics(next)) => all.extend(&next),
            _ => debug_assert!(false, "blocks of one request are of one kind"),
        }
    }

    /// Consecutive blocks as one; none where there are none.
    pub fn joined(blocks: Vec<Block>) -> Option<Block> {
        blocks.into_iter().reduce(|mut all, next| {
            all.extend(next);
            all
        })
    }

    /// The problems from `start` on, cut where blocks end.
    pub fn cut(self, start: u64) -> Vec<Block> {
        match self {
            Block::Portfolios(solutions) => {
                let parts = Block::parts(start..start + solutions.certificates.len() as u64);
                if parts.len() <= 1 {
                    return vec![Block::Portfolios(solutions)];
                }
                parts.into_iter().map(|part| Block::Portfolios(solutions.part(part))).collect()
            }
            block @ Block::Metrics(_) => vec![block],
        }
    }

    /// Which of the problems of `range` each block of portfolios holds, counted from the first of them.
    pub fn parts(range: Range<u64>) -> Vec<Range<usize>> {
        let position = |problem: u64| (problem - range.start) as usize;
        let parts = aligned(range.clone(), Block::PROBLEMS).into_iter();
        parts.map(|part| position(part.start)..position(part.end)).collect()
    }

    /// Weights and certificates; none where figures were asked for.
    pub fn portfolios(self) -> Solutions {
        match self {
            Block::Portfolios(solutions) => solutions,
            Block::Metrics(_) => Solutions::default(),
        }
    }

    /// Figures; none where portfolios were asked for.
    pub fn metrics(self) -> Measured {
        match self {
            Block::Metrics(measured) => measured,
            Block::Portfolios(_) => Measured::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::Method;
    use crate::methods::certificate::{Certificate, Proof};

    #[test]
    fn the_blocks_that_one_is_cut_into_are_what_it_was() {
        let problems = 10_000;
        let numbers = |each: usize| (0..problems * each).map(|k| k as f64).collect::<Vec<f64>>();
        let beside = Selection::new(&[Method::InverseVolatility, Method::MinimumVariance], Vec::new());
        let certificate = Certificate::converged(1e-9, 8, 0.1);
        let mut solutions = Solutions::unsolved(certificate, problems, 3, &beside).with_parameters();
        solutions.weights = numbers(3);
        solutions.comparisons.volatilities = numbers(3);
        solutions.comparisons.portfolios = numbers(2);
        solutions.comparisons.solved[0].weights = numbers(3);
        for (at, proof) in solutions.comparisons.solved[0].proofs.iter_mut().enumerate() {
            *proof = Proof { margin: at as f64, ..*proof };
        }
        solutions.parameters = numbers(1);
        assert_eq!(Block::parts(1000..11_000), [0..3096, 3096..7192, 7192..10_000]);
        let cut = Block::Portfolios(solutions.clone()).cut(1000);
        assert_eq!(cut.iter().map(Block::problems).collect::<Vec<_>>(), [3096, 4096, 2808]);
        let mut again = Solutions::default();
        cut.into_iter().for_each(|block| again.extend(block.portfolios()));
        // Certificates hold what is not a number.
        assert_eq!(format!("{again:?}"), format!("{solutions:?}"));
    }
}
