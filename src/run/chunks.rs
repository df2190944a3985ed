//! Chunks: how a run is cut. From the problem alone, so that a checkpoint, a shard or a second run cuts alike.

use std::ops::Range;

use crate::batch::{Batch, Source};
use crate::covariance::packed;

const LARGEST: u64 = 4096;

/// Work of a chunk, in floating-point operations: about ten seconds of one core, well under one of a GPU.
const WORK: f64 = 2e11;

/// Sweeps assumed per problem.
const SWEEPS: f64 = 10.0;

/// Problems per chunk: the largest power of two up to 4,096 whose estimated work stays within 2e11 operations.
pub fn chunk_size(rows: usize, assets: usize) -> u64 {
    let n = assets as f64;
    let work = 2.0 * (rows as f64 * packed(assets) as f64 + SWEEPS * n * n);
    let mut size = LARGEST;
    while size > 1 && size as f64 * work > WORK {
        size /= 2;
    }
    size
}

/// The chunks that `range` touches, aligned to index 0 and cut to the range.
pub fn chunks(batch: &Batch, range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let rows = match &batch.source {
        Source::Resampled { law, .. } => law.rows as usize,
        Source::Given { .. } | Source::Subsets { .. } => 0,
    };
    let size = chunk_size(rows, batch.assets());
    (range.start / size..range.end.div_ceil(size))
        .map(move |chunk| (chunk * size).max(range.start)..((chunk + 1) * size).min(range.end))
        .filter(|chunk| !chunk.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_shrink_with_the_work_and_never_vanish() {
        assert_eq!(chunk_size(3971, 10), 4096);
        assert_eq!(chunk_size(2520, 50), 4096);
        assert_eq!(chunk_size(2520, 500), 256);
        assert_eq!(chunk_size(100_000, 2_000), 1);
    }

    #[test]
    fn chunks_cover_the_range_once_and_are_aligned() {
        let source = Source::Given { covariances: vec![1.0; 10_000], assume_psd: false };
        let batch = Batch::new(source, &[1.0]).unwrap();
        let cut: Vec<_> = chunks(&batch, 100..10_000).collect();
        assert_eq!(cut, [100..4096, 4096..8192, 8192..10_000]);
        assert_eq!(chunks(&batch, 5..5).count(), 0);
    }
}
