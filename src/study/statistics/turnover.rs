//! What one draw of the data differs from another.

use crate::batch::Solutions;
use crate::error::Result;
use crate::methods::Method;
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

/// Mean half-L1 distance of the weights of resamples 0 and 1, 2 and 3, ..., for each method.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn pairwise(blocks: &dyn Blocks, observer: &mut dyn Observer) -> Result<[f64; Method::ALL.len()]> {
    let mut distances = Method::ALL.map(|_| Vec::new());
    let mut waiting: Option<[Vec<f64>; Method::ALL.len()]> = None;
    converged(blocks, observer, |block, at, _| {
        let weights = Method::ALL.map(|method| block.weights_of(method, at));
        match waiting.take() {
            None => waiting = Some(weights),
            Some(others) => {
                for (distances, (a, b)) in distances.iter_mut().zip(others.iter().zip(&weights)) {
                    distances.push(0.5 * a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f64>());
                }
            }
        }
        distances[0].len() < PAIRS
    })?;
    Ok(distances.map(|distances| stats::mean(&distances)))
}
