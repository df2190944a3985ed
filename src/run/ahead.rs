//! A device works ahead: it computes a chunk while the one before is rescued, checked and folded.

use std::ops::Range;
use std::sync::mpsc::sync_channel;
use std::thread;

use rayon::ThreadPoolBuilder;

use crate::batch::Block;
use crate::engine::Job;
use crate::error::{Error, Result};
use crate::stop::Stop;

/// Hands the blocks of the `chunks` to `each`, in order, until one of the two fails. A failure of the job is the last that
/// `each` is given.
///
/// # Errors
/// Those of `each`.
pub fn ahead(
    job: &dyn Job,
    chunks: Vec<Range<u64>>,
    stop: &Stop,
    mut each: impl FnMut(Range<u64>, Result<Vec<Block>>) -> Result<()>,
) -> Result<()> {
    // Outside the caller's pool, what the job does on the host would take the global one.
    let threads = rayon::current_num_threads();
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|error| Error::failed(format!("{threads} threads cannot be started: {error}")))?;
    thread::scope(|scope| {
        // A meeting point: one chunk is computed and at most one is folded.
        let (hand_over, take) = sync_channel(0);
        scope.spawn(move || {
            for chunk in chunks {
                let block = pool.install(|| job.blocks(chunk.clone(), stop));
                let failed = block.is_err();
                // Nobody takes it where `each` has failed.
                if hand_over.send((chunk, block)).is_err() || failed {
                    break;
                }
            }
        });
        take.into_iter().try_for_each(|(chunk, block)| each(chunk, block))
    })
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::measure::Measured;

    /// Works until problem 5, and counts what it was asked.
    struct Failing(AtomicU64);

    impl Job for Failing {
        fn blocks(&self, range: Range<u64>, _: &Stop) -> Result<Vec<Block>> {
            self.0.fetch_add(1, Ordering::Relaxed);
            if range.contains(&5) { Err(Error::failed("lost")) } else { Ok(vec![Block::Metrics(Measured::default())]) }
        }

        fn span(&self) -> u64 {
            1
        }

        fn counts(&self, _: &[u64]) -> Result<Vec<u32>> {
            unreachable!("no rows are drawn")
        }
    }

    fn chunks() -> Vec<Range<u64>> {
        (0..10).map(|at| at..at + 1).collect()
    }

    #[test]
    fn chunks_come_in_order_up_to_the_first_failure() {
        let job = Failing(AtomicU64::new(0));
        let mut seen = Vec::new();
        ahead(&job, chunks(), &Stop::NEVER, |chunk, block| {
            seen.push((chunk.start, block.is_ok()));
            Ok(())
        })
        .unwrap();
        assert_eq!(seen, [(0, true), (1, true), (2, true), (3, true), (4, true), (5, false)]);
        assert_eq!(job.0.into_inner(), 6);
    }

    #[test]
    fn no_more_than_one_chunk_is_computed_after_a_fold_has_failed() {
        let job = Failing(AtomicU64::new(0));
        let error = ahead(&job, chunks(), &Stop::NEVER, |_, _| Err(Error::failed("full"))).unwrap_err();
        assert_eq!(error.message, "full");
        assert!(job.0.into_inner() <= 2);
    }
}
