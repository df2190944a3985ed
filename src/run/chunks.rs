//! Chunks: how a run is cut, from the problem and the engine. Results do not depend on it, nor on where a checkpoint, a
//! part or a second run cuts.

use std::ops::Range;

use crate::batch::part::aligned;
use crate::batch::{Batch, Block, Request};
use crate::covariance::packed;
use crate::lanes::LANES;

/// Problems of a chunk of portfolios at most.
pub const LARGEST: u64 = Block::PROBLEMS;

/// Work of a chunk, in floating-point operations: about ten seconds of one core, well under one of a GPU.
const WORK: f64 = 2e11;

/// Sweeps assumed per problem.
const SWEEPS: f64 = 10.0;

/// Chunks of figures are multiples of this many problems, so that sums over these do not depend on the chunks.
pub const PIECE: u64 = Block::PROBLEMS;

/// Problems of a chunk of figures at most on the CPU: well under a second of work. A device takes more at once.
const LARGEST_MEASURED: u64 = 1 << 18;
const LARGEST_ON_DEVICE: u64 = 1 << 20;

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

/// Subsets of k assets per chunk of figures, from k alone.
pub fn measured(size: usize, device: bool) -> u64 {
    let largest = if device { LARGEST_ON_DEVICE } else { LARGEST_MEASURED };
    (largest / (size * size).div_ceil(256) as u64).max(PIECE) / PIECE * PIECE
}

/// How the problems of `range` are cut for an engine that takes `span` of them at once, a device or not: where it can be, at
/// multiples of `unit` problems, which are kept together.
pub fn cut(
    batch: &Batch,
    request: &Request,
    range: Range<u64>,
    (span, device): (u64, bool),
    unit: u64,
) -> Vec<Range<u64>> {
    if range.is_empty() {
        return Vec::new();
    }
    let size = match request {
        Request::Portfolios { .. } => {
            let chunk = chunk_size(batch.rows(), batch.assets());
            // Powers of two, so that parts end where chunks do.
            if span < chunk {
                1 << span.max(1).ilog2()
            } else if device {
                span / chunk * chunk
            } else {
                // Enough for all threads, and no more than can be waited for.
                let threads = rayon::current_num_threads();
                let units = if unit > 1 { unit * threads as u64 } else { 0 };
                chunk.max((LANES * threads).next_power_of_two() as u64).max(units)
            }
        }
        Request::Metrics(_) => measured(batch.assets(), device),
    };
    aligned(range, if size > unit { size / unit * unit } else { size })
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
        assert!([1, 4, 16, 100, 5000].iter().all(|&size| measured(size, true).is_multiple_of(PIECE)));
    }

    #[test]
    fn parts_cover_the_range_once_and_end_where_chunks_do() {
        let batch = Batch::given(vec![1.0; 10_000], &[1.0]).unwrap();
        let cut = |range, span| cut(&batch, &Request::PORTFOLIOS, range, (span, false), 1);
        assert_eq!(cut(100..10_000, 4096), [100..4096, 4096..8192, 8192..10_000]);
        assert_eq!(cut(100..10_000, 9000), [100..4096, 4096..8192, 8192..10_000]);
        assert_eq!(cut(3000..5000, 1500), [3000..3072, 3072..4096, 4096..5000]);
        assert_eq!(cut(5..5, 1), []);
    }

    #[test]
    fn what_is_kept_together_is_cut_apart_only_where_an_engine_takes_less() {
        let batch = Batch::given(vec![1.0; 20_000], &[1.0]).unwrap();
        let cut = |span, unit| cut(&batch, &Request::PORTFOLIOS, 0..9_000, (span, true), unit);
        assert_eq!(cut(4096, 180), [0..3960, 3960..7920, 7920..9000]);
        assert_eq!(cut(1500, 3000)[..2], [0..1024, 1024..2048]);
    }
}
