//! Parts of a run for several machines, each a range of problem indices. Whatever parts cover a run once make it whole.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Mention, Result, option};

/// A part of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Part {
    /// Part `index` of `of` equal ones, counted from 0.
    Shard { index: u64, of: u64 },
    /// Problems from the first up to, but without, the second.
    Problems { from: u64, to: u64 },
}

impl Part {
    /// A shard, from `I/N`; none unless 0 <= I < N.
    pub fn shard(text: &str) -> Option<Part> {
        let (index, of) = text.split_once('/')?;
        let (index, of) = (index.trim().parse().ok()?, of.trim().parse().ok()?);
        (index < of).then_some(Part::Shard { index, of })
    }

    /// The option that asks for it.
    pub fn asked(self) -> Mention {
        match self {
            Part::Shard { index, of } => option("shard").plain(format!("{index}/{of}")),
            Part::Problems { from, to } => option("problems").plain(format!("{from}..{to}")),
        }
    }

    /// Its problems of [0, `total`). Shards are cut at multiples of `piece`: they are of equal size, as far as pieces go.
    ///
    /// # Errors
    /// Problems that are not there, or that cut a piece in two.
    pub fn range(self, total: u64, piece: u64) -> Result<Range<u64>> {
        match self {
            Part::Shard { index, of } => {
                let pieces = u128::from(total.div_ceil(piece));
                // At most the number of pieces, which fits.
                let cut = |index: u64| (pieces * u128::from(index) / u128::from(of)) as u64;
                let at = |index: u64| cut(index).saturating_mul(piece).min(total);
                Ok(at(index)..at(index + 1))
            }
            Part::Problems { from, to } if from > to || to > total => {
                Err(Error::usage(format!("{}: there are problems 0 to {total}, without the last", self.asked()))
                    .hint("choose a range of these"))
            }
            Part::Problems { from, to } => {
                let whole = |at: u64| at.is_multiple_of(piece) || at == total;
                if !whole(from) || !whole(to) {
                    return Err(Error::usage(format!("{}: parts are cut at multiples of {piece}", self.asked()))
                        .hint(format!("start and end at multiples of {piece}, or end at {total}")));
                }
                Ok(from..to)
            }
        }
    }
}

/// The part of a batch of `other` problems that belongs to `range` of one of `total`: parts that cover the one cover the
/// other.
pub fn scaled(range: &Range<u64>, total: u64, other: u64) -> Range<u64> {
    let at = |problem: u64| (u128::from(problem) * u128::from(other) / u128::from(total.max(1))) as u64;
    at(range.start)..at(range.end)
}

/// `range` in parts of `size`; all cuts but the outer two are multiples of it.
pub fn aligned(range: Range<u64>, size: u64) -> Vec<Range<u64>> {
    (range.start / size..range.end.div_ceil(size))
        .map(|at| (at * size).max(range.start)..((at + 1).saturating_mul(size)).min(range.end))
        .filter(|part| !part.is_empty())
        .collect()
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Part::Shard { index, of } => write!(f, "shard {index}/{of}"),
            Part::Problems { from, to } => write!(f, "problems {from}..{to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_tile_the_whole_in_order() {
        for total in [0, 1, 5, 4096, 10_000, u64::MAX - 3] {
            for of in [1, 2, 3, 7, 1000] {
                for piece in [1, 7, 4096] {
                    let (mut at, mut beside) = (0, 0);
                    for index in 0..of {
                        let range = Part::Shard { index, of }.range(total, piece).unwrap();
                        assert_eq!(range.start, at);
                        assert!(range.start <= range.end && (range.end == total || range.end.is_multiple_of(piece)));
                        let tenth = scaled(&range, total, total / 10);
                        assert_eq!(tenth.start, beside);
                        (at, beside) = (range.end, tenth.end);
                    }
                    assert_eq!((at, beside), (total, total / 10));
                }
            }
        }
    }

    #[test]
    fn shards_are_counted_from_zero() {
        assert_eq!(Part::shard("0/3"), Some(Part::Shard { index: 0, of: 3 }));
        assert_eq!(Part::shard("2/3").unwrap().to_string(), "shard 2/3");
        for text in ["3/3", "0/0", "-1/3", "1", "a/b", "1/3/5", ""] {
            assert_eq!(Part::shard(text), None, "{text}");
        }
    }

    #[test]
    fn a_range_of_problems_is_one_of_those_there_are() {
        let range = |from, to, piece| Part::Problems { from, to }.range(10_000, piece);
        assert_eq!(range(5, 10_000, 1).unwrap(), 5..10_000);
        assert_eq!(range(4096, 8192, 4096).unwrap(), 4096..8192);
        assert_eq!(range(8192, 10_000, 4096).unwrap(), 8192..10_000);
        for (from, to, piece) in [(5, 4, 1), (0, 10_001, 1), (5, 8192, 4096), (4096, 8193, 4096)] {
            assert!(range(from, to, piece).is_err(), "{from}..{to}");
        }
    }
}
