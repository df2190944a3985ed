//! Chunks: how a run is cut. From the problem alone, so that a checkpoint, a shard or a second run cuts alike.

use std::ops::Range;

use crate::batch::{Batch, Source};
use crate::covariance::packed;

/// Problems of a chunk at most.
pub const LARGEST: u64 = 4096;

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

/// `range` cut for an engine that takes `span` problems at once: into whole chunks, as many as that holds, or where a
/// chunk holds more, into equal parts of one. All cuts but the outer two are aligned to index 0.
pub fn spans(batch: &Batch, range: Range<u64>, span: u64) -> impl Iterator<Item = Range<u64>> {
    let rows = match &batch.source {
        Source::Resampled { law, .. } => law.rows as usize,
        Source::Given { .. } | Source::Subsets { .. } => 0,
    };
    let chunk = chunk_size(rows, batch.assets());
    // Powers of two, so that parts end where chunks do.
    let size = if span < chunk { 1 << span.max(1).ilog2() } else { span / chunk * chunk };
    (range.start / size..range.end.div_ceil(size))
        .map(move |at| (at * size).max(range.start)..((at + 1) * size).min(range.end))
        .filter(|span| !span.is_empty())
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
    fn spans_cover_the_range_once_and_end_where_chunks_do() {
        let source = Source::Given { covariances: vec![1.0; 10_000], assume_psd: false };
        let batch = Batch::new(source, &[1.0]).unwrap();
        let cut = |range, span| spans(&batch, range, span).collect::<Vec<_>>();
        assert_eq!(cut(100..10_000, 4096), [100..4096, 4096..8192, 8192..10_000]);
        assert_eq!(cut(100..10_000, 9000), [100..8192, 8192..10_000]);
        assert_eq!(cut(3000..5000, 1500), [3000..3072, 3072..4096, 4096..5000]);
        assert_eq!(cut(5..5, 1), []);
    }
}
