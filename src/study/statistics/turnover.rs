//! What one draw of the data differs from another.

use crate::batch::Solutions;
use crate::error::Result;
use crate::methods::Selection;
use crate::methods::certificate::Status;
use crate::observer::Observer;
use crate::stats;
use crate::store::blocks::Blocks;

/// Pairs of neighbouring resamples compared.
const PAIRS: usize = 4096;

/// The first converged problems of `blocks`, in order, until `take`, which gets a block, the problem's position in it and
/// its number, wants no more.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn converged(
    blocks: &dyn Blocks,
    observer: &mut dyn Observer,
    mut take: impl FnMut(&Solutions, usize, u64) -> bool,
) -> Result<()> {
    let mut start = 0;
    for block in 0..blocks.count() {
        observer.check()?;
        let found = blocks.read(block)?;
        for (at, certificate) in found.certificates.iter().enumerate() {
            if certificate.status == Status::Converged && !take(&found, at, start + at as u64) {
                return Ok(());
            }
        }
        start += found.certificates.len() as u64;
    }
    Ok(())
}

/// Mean half-L1 distance of the weights of resamples 0 and 1, 2 and 3, ..., among the first `problems`, for risk budgeting
/// and each method beside it.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn pairwise(
    blocks: &dyn Blocks,
    beside: &Selection,
    problems: u64,
    observer: &mut dyn Observer,
) -> Result<Vec<f64>> {
    let methods = beside.all();
    let mut distances = vec![Vec::new(); methods.len()];
    let mut waiting: Option<Vec<Vec<f64>>> = None;
    let mut pairs = 0;
    converged(blocks, observer, |block, at, resample| {
        if resample >= problems {
            return false;
        }
        let weights: Vec<Vec<f64>> = methods.iter().map(|method| block.weights_of(*method, beside, at)).collect();
        match waiting.take() {
            None => waiting = Some(weights),
            Some(others) => {
                pairs += 1;
                for (distances, (a, b)) in distances.iter_mut().zip(others.iter().zip(&weights)) {
                    let distance = 0.5 * a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>();
                    // A method may have no portfolio where risk budgeting has one.
                    distances.extend((!distance.is_nan()).then_some(distance));
                }
            }
        }
        pairs < PAIRS
    })?;
    Ok(distances.iter().map(|distances| stats::mean(distances)).collect())
}
