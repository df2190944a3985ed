//! What lies on a device for one batch, and turns pieces of it into blocks.

use std::collections::VecDeque;
use std::ops::Range;

use super::device::{Attempt, Trouble};
use crate::batch::Block;

/// A batch on one device. Pieces are started before those in front of them are finished, so that the device need not
/// wait for the host, nor the host for it; they are finished in the order in which they were started.
pub trait Driver: Send {
    /// Problems of a piece at most.
    fn room(&self) -> u32;

    /// Pieces under way at a time.
    fn pieces(&self) -> usize;

    /// Sets the device to work on a piece.
    fn start(&mut self, piece: Range<u64>) -> Attempt<()>;

    /// Waits for the piece that was started first, and cuts its results where blocks end; what comes after it goes on
    /// meanwhile.
    fn finish(&mut self) -> Attempt<Vec<Block>>;

    /// Forgets what is under way.
    fn abandon(&mut self);

    /// Counts per row of these problems, at most [`Driver::room`] of them. Empty where they are not resamples.
    fn counts(&mut self, problems: &[u64]) -> Attempt<Vec<u32>> {
        let _ = problems;
        Ok(Vec::new())
    }
}

/// Pieces under way, in order.
#[derive(Debug)]
pub struct Queue<P>(VecDeque<P>);

impl<P> Default for Queue<P> {
    fn default() -> Self {
        Queue(VecDeque::new())
    }
}

impl<P> Queue<P> {
    pub fn push(&mut self, piece: P) {
        self.0.push_back(piece);
    }

    pub fn pop(&mut self) -> Attempt<P> {
        self.0.pop_front().ok_or_else(|| Trouble::Failed("no piece is under way".to_owned()))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}
