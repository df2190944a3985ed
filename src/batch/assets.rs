//! Which assets of a covariance a problem is about.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::subsets::Subsets;
use crate::subsets::cap::Cap;

/// Sets of assets by number.
#[derive(Debug, Clone, PartialEq)]
pub enum Assets {
    /// One set: all assets.
    All,
    /// The first so many subsets of a space; one that the cap bars is not solved.
    Subsets { subsets: Subsets, count: u64, cap: Option<Cap> },
    /// These, all of one size.
    Listed(Arc<[Box<[u32]>]>),
}

impl Assets {
    /// Sets of one size.
    ///
    /// # Errors
    /// No set, or sets of different sizes.
    pub fn listed(sets: impl IntoIterator<Item = Vec<u32>>) -> Result<Assets> {
        let sets: Vec<Box<[u32]>> = sets.into_iter().map(Vec::into_boxed_slice).collect();
        alike(&sets)?;
        Ok(Assets::Listed(sets.into()))
    }

    /// Whether each set is one of so many assets.
    pub(super) fn check(&self, assets: usize) -> Result<()> {
        let beyond = |asset: u32| asset as usize >= assets;
        let named = match self {
            Assets::All => None,
            Assets::Subsets { subsets, count, .. } => {
                let most = subsets.most();
                if most.is_some_and(|most| *count > most) {
                    return Err(Error::input(format!("{count} subsets of a space of {}", most.unwrap_or_default())));
                }
                subsets.space().held().find(|&asset| beyond(asset))
            }
            Assets::Listed(sets) => {
                alike(sets)?;
                sets.iter().flatten().copied().find(|&asset| beyond(asset))
            }
        };
        match named {
            Some(asset) => Err(Error::input(format!("a set holds asset {asset}, counted from 0, of {assets}"))),
            None => Ok(()),
        }
    }

    /// Sets there are.
    pub fn count(&self) -> u64 {
        match self {
            Assets::All => 1,
            Assets::Subsets { count, .. } => *count,
            Assets::Listed(sets) => sets.len() as u64,
        }
    }

    /// Assets of each set, of so many in all.
    pub fn size(&self, assets: usize) -> usize {
        match self {
            Assets::All => assets,
            Assets::Subsets { subsets, .. } => subsets.size(),
            Assets::Listed(sets) => sets[0].len(),
        }
    }

    /// Calls `visit` with each set of `range`, in order; none where it is all assets or barred.
    pub fn visit(&self, range: std::ops::Range<u64>, mut visit: impl FnMut(Option<&[u32]>)) {
        match self {
            Assets::All => range.for_each(|_| visit(None)),
            Assets::Subsets { subsets, cap, .. } => subsets.visit(range, |_, assets| {
                visit(Some(assets).filter(|assets| cap.as_ref().is_none_or(|cap| cap.admits(assets))));
            }),
            Assets::Listed(sets) => {
                sets[range.start as usize..range.end as usize].iter().for_each(|set| visit(Some(set)));
            }
        }
    }
}

/// Sets of one size, at least one of them.
fn alike(sets: &[Box<[u32]>]) -> Result<()> {
    match sets.first() {
        Some(first) if !first.is_empty() && sets.iter().all(|set| set.len() == first.len()) => Ok(()),
        _ => Err(Error::usage("a list of assets holds sets of one size, and at least one of them")),
    }
}
