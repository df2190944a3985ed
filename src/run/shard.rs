//! Shards: a run cut into parts for several machines, each a range of problem indices.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Part `index` of `of`, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    pub index: u64,
    pub of: u64,
}

impl Shard {
    /// The whole.
    pub const WHOLE: Shard = Shard { index: 0, of: 1 };

    /// From `I/N`; none unless 0 <= I < N.
    pub fn parse(text: &str) -> Option<Shard> {
        let (index, of) = text.split_once('/')?;
        let shard = Shard { index: index.trim().parse().ok()?, of: of.trim().parse().ok()? };
        (shard.index < shard.of).then_some(shard)
    }

    /// Its problems of [0, `total`), cut at multiples of `piece`: shards of equal size, as far as pieces go.
    pub fn range(self, total: u64, piece: u64) -> Range<u64> {
        let pieces = u128::from(total.div_ceil(piece));
        // At most the number of pieces, which fits.
        let cut = |index: u64| (pieces * u128::from(index) / u128::from(self.of)) as u64;
        let at = |index: u64| cut(index).saturating_mul(piece).min(total);
        at(self.index)..at(self.index + 1)
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
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
                    let mut at = 0;
                    for index in 0..of {
                        let range = Shard { index, of }.range(total, piece);
                        assert_eq!(range.start, at);
                        assert!(range.start <= range.end && (range.end == total || range.end.is_multiple_of(piece)));
                        at = range.end;
                    }
                    assert_eq!(at, total);
                }
            }
        }
    }

    #[test]
    fn shards_are_counted_from_zero() {
        assert_eq!(Shard::parse("0/3"), Some(Shard { index: 0, of: 3 }));
        assert_eq!(Shard::parse("2/3").unwrap().to_string(), "2/3");
        for text in ["3/3", "0/0", "-1/3", "1", "a/b", "1/3/5", ""] {
            assert_eq!(Shard::parse(text), None, "{text}");
        }
    }
}
