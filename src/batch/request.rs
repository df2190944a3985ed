//! What is asked of a batch, and the blocks that come back.

use super::solutions::Solutions;
use crate::measure::{Measured, Metric};
use crate::methods::Method;
use crate::methods::certificate::Status;

/// What comes back of every problem.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// Weights and certificates of risk budgeting; with other methods beside it, which need no solver, the volatilities
    /// of the assets and of these methods' portfolios.
    Portfolios { beside: &'static [Method] },
    /// Figures of the portfolio and no weights.
    Metrics(Vec<Metric>),
}

impl Request {
    /// Weights and certificates alone.
    pub const PORTFOLIOS: Request = Request::Portfolios { beside: &[] };

    /// And the methods that need no solver beside these.
    pub const COMPARED: Request = Request::Portfolios { beside: &Method::CLOSED_FORMS };

    /// Methods beside risk budgeting.
    pub fn beside(&self) -> &'static [Method] {
        match self {
            Request::Portfolios { beside } => beside,
            Request::Metrics(_) => &[],
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

    /// Puts the results of `rescued`, in order, at these positions, and marks them so.
    pub fn rescue(&mut self, positions: &[usize], rescued: &Block) {
        match (self, rescued) {
            (Block::Portfolios(all), Block::Portfolios(own)) => {
                all.replace(positions, own);
                positions.iter().for_each(|&at| all.certificates[at].rescued = true);
            }
            (Block::Metrics(all), Block::Metrics(own)) => {
                all.replace(positions, own);
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
