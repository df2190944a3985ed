//! Solutions that need not lie in memory: cut into blocks, which are read as often as statistics pass over them.

use std::borrow::Cow;
use std::ops::Range;

use super::checkpoint::{Checkpoint, Segment, foreign};
use crate::batch::Solutions;
use crate::error::{Error, Result};
use crate::methods::certificate::{Certificate, Status};
use crate::methods::{Method, Selection};

/// Problems of a block of solutions in memory.
const BLOCK: usize = 4096;

/// Solutions of consecutive problems from 0 on, cut into blocks that can be read again and again.
pub trait Blocks: Sync {
    fn count(&self) -> usize;

    /// # Errors
    /// Those of the file that the block lies in.
    fn read(&self, block: usize) -> Result<Cow<'_, Solutions>>;

    /// All of them together.
    ///
    /// # Errors
    /// As [`Blocks::read`].
    fn all(&self) -> Result<Solutions> {
        let mut all = Solutions::default();
        for block in 0..self.count() {
            all.extend(self.read(block)?.into_owned());
        }
        Ok(all)
    }
}

impl Blocks for Solutions {
    fn count(&self) -> usize {
        self.certificates.len().div_ceil(BLOCK)
    }

    fn read(&self, block: usize) -> Result<Cow<'_, Solutions>> {
        let start = block * BLOCK;
        Ok(Cow::Owned(self.part(start..(start + BLOCK).min(self.certificates.len()))))
    }
}

/// The finished chunks of a batch.
#[derive(Debug)]
pub struct Stored<'a> {
    store: &'a Checkpoint,
    batch: u32,
    chunks: Vec<Range<u64>>,
    assets: usize,
}

impl Stored<'_> {
    /// Portfolios of the problems of `range`, of `assets` assets each.
    ///
    /// # Errors
    /// Some are not finished.
    pub fn new(store: &Checkpoint, batch: u32, range: Range<u64>, assets: usize) -> Result<Stored<'_>> {
        let finished = |segment| match segment {
            Segment::Kept(range) => Ok(range),
            Segment::Missing(range) => {
                Err(Error::failed(format!("problems {} to {} are not kept", range.start, range.end)))
            }
        };
        let chunks = store.segments(batch, range)?.into_iter().map(finished).collect::<Result<_>>()?;
        Ok(Stored { store, batch, chunks, assets })
    }
}

impl Blocks for Stored<'_> {
    fn count(&self) -> usize {
        self.chunks.len()
    }

    fn read(&self, block: usize) -> Result<Cow<'_, Solutions>> {
        let range = &self.chunks[block];
        let columns = self.store.read(self.batch, range)?;
        let solutions = Solutions::from_columns(&columns, range.end - range.start, self.assets);
        solutions.map(Cow::Owned).ok_or_else(|| foreign(range))
    }
}

/// The portfolios of one method in place of those of risk budgeting, their errors in place of theirs.
pub struct OfMethod<'a, B: ?Sized> {
    pub blocks: &'a B,
    pub method: Method,
    pub beside: &'a Selection,
}

impl<B: Blocks + ?Sized> Blocks for OfMethod<'_, B> {
    fn count(&self) -> usize {
        self.blocks.count()
    }

    fn read(&self, block: usize) -> Result<Cow<'_, Solutions>> {
        let found = self.blocks.read(block)?;
        let problems = 0..found.certificates.len();
        let weights = problems.clone().flat_map(|at| found.weights_of(self.method, self.beside, at)).collect();
        let solved = found.comparisons.of(self.method);
        let certificate = |at: usize| {
            let (status, rc_error) = match solved {
                Some(solved) => (solved.proofs[at].status, solved.proofs[at].error),
                // What follows from a formula is there wherever the input is valid.
                None if found.certificates[at].status == Status::Invalid => (Status::Invalid, f64::NAN),
                None => (Status::Converged, f64::NAN),
            };
            let volatility = found.volatility_of(self.method, at);
            Certificate { status, rc_error, volatility, ..Certificate::converged(f64::NAN, 0, f64::NAN) }
        };
        let certificates = problems.map(certificate).collect();
        Ok(Cow::Owned(Solutions { weights, certificates, ..Solutions::default() }))
    }
}

/// Weights over all `assets`, of which those at `keep` were solved for, as sizes of positions with these signs: the others
/// are zero.
#[derive(Debug)]
pub struct Spread<'a, B: ?Sized> {
    pub blocks: &'a B,
    pub keep: &'a [usize],
    pub signs: &'a [f64],
    pub assets: usize,
}

impl<B: Blocks + ?Sized> Blocks for Spread<'_, B> {
    fn count(&self) -> usize {
        self.blocks.count()
    }

    fn read(&self, block: usize) -> Result<Cow<'_, Solutions>> {
        let found = self.blocks.read(block)?;
        if self.keep.len() == self.assets && self.signs.iter().all(|sign| *sign > 0.0) {
            return Ok(found);
        }
        let mut all = vec![0.0; found.certificates.len() * self.assets];
        for (row, found) in all.chunks_exact_mut(self.assets).zip(found.weights.chunks_exact(self.keep.len())) {
            self.keep.iter().zip(found.iter().zip(self.signs)).for_each(|(&i, (w, sign))| row[i] = w * sign);
        }
        Ok(Cow::Owned(Solutions { weights: all, ..found.into_owned() }))
    }
}
