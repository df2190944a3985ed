//! The subsets that meet the constraints, numbered without gaps.
//!
//! Some assets are always held, the others fall into pools with a least and a largest number held of each. A rank is a
//! composition (how many of each pool, the first pool's number outermost) and within it the ranks inside the pools in
//! mixed radix, the first pool's fastest. Without constraints there is one pool, and the rank is that of the subset.

use serde::{Deserialize, Serialize};

use super::binomial::{self, Binomials};
use super::revolving;
use crate::error::{Error, Result, option};

/// Assets of which between `least` and `most` are held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub assets: Vec<u32>,
    pub least: usize,
    pub most: usize,
}

/// All subsets of one size that meet the constraints.
#[derive(Debug, Clone, PartialEq)]
pub struct Space {
    included: Vec<u32>,
    pools: Vec<Pool>,
    binomials: Vec<Binomials>,
    /// `ways[g][r]`: ways to take r assets from the pools g.., saturated.
    ways: Vec<Vec<u64>>,
    size: usize,
    approximate: f64,
}

impl Space {
    /// Subsets of `size` assets, all of `included` among them and the others from the pools.
    ///
    /// # Errors
    /// No subset meets the constraints.
    pub fn new(size: usize, included: Vec<u32>, pools: Vec<Pool>) -> Result<Space> {
        let held = included.len() + pools.iter().map(|pool| pool.assets.len()).sum::<usize>();
        if size == 0 || size > held {
            return Err(Error::usage(format!("subsets of {size} assets cannot be formed from {held}"))
                .hint(format!("choose a {} from 1 to {held}", option("size"))));
        }
        if included.len() > size {
            return Err(Error::usage(format!(
                "{} assets must be held, more than {}",
                included.len(),
                option("size").plain(size)
            ))
            .hint(format!("include fewer assets or choose a larger {}", option("size"))));
        }
        let rest = size - included.len();
        let pools: Vec<Pool> =
            pools.into_iter().map(|pool| Pool { most: pool.most.min(pool.assets.len()).min(rest), ..pool }).collect();
        let binomials: Vec<Binomials> = pools.iter().map(|pool| Binomials::new(pool.assets.len(), pool.most)).collect();
        let mut ways = vec![vec![0_u64; rest + 1]; pools.len() + 1];
        let mut approximate = vec![0.0; rest + 1];
        ways[pools.len()][0] = 1;
        approximate[0] = 1.0;
        for (g, pool) in pools.iter().enumerate().rev() {
            let mut more = vec![0.0; rest + 1];
            for r in 0..=rest {
                for c in pool.least..=pool.most.min(r) {
                    let product = binomials[g].get(pool.assets.len(), c).saturating_mul(ways[g + 1][r - c]);
                    ways[g][r] = ways[g][r].saturating_add(product);
                    more[r] += binomial::approximate(pool.assets.len(), c) * approximate[r - c];
                }
            }
            approximate = more;
        }
        if ways[0][rest] == 0 {
            return Err(Error::usage(format!("no subset of {size} assets meets the limits on the groups")).hint(
                format!(
                    "lower {}, raise {}, or choose another {}",
                    option("group-min"),
                    option("group-max"),
                    option("size")
                ),
            ));
        }
        Ok(Space { included, pools, binomials, ways, size, approximate: approximate[rest] })
    }

    /// All subsets of `size` of `assets` assets.
    ///
    /// # Errors
    /// As [`Space::new`].
    pub fn of(assets: usize, size: usize) -> Result<Space> {
        Space::new(size, Vec::new(), vec![Pool { assets: (0..assets as u32).collect(), least: 0, most: size }])
    }

    /// How many subsets there are; none beyond 64 bits.
    pub fn count(&self) -> Option<u64> {
        Some(self.ways[0][self.size - self.included.len()]).filter(|&count| count != Binomials::TOO_LARGE)
    }

    pub fn approximate_count(&self) -> f64 {
        self.approximate
    }

    /// All assets that subsets may hold.
    pub fn held(&self) -> impl Iterator<Item = u32> {
        let pools = self.pools.iter().flat_map(|pool| &pool.assets);
        self.included.iter().chain(pools).copied()
    }

    /// The largest sum that values of the assets have over a subset: the best of what each pool must give, then the best of
    /// what it may.
    pub fn largest_sum(&self, values: &[f64]) -> f64 {
        let mut sum: f64 = self.included.iter().map(|&asset| values[asset as usize]).sum();
        let (mut rest, mut others) = (self.size - self.included.len(), Vec::new());
        for Pool { assets, least, most } in &self.pools {
            let mut own: Vec<f64> = assets.iter().map(|&asset| values[asset as usize]).collect();
            own.sort_unstable_by(|a, b| b.total_cmp(a));
            sum += own[..*least].iter().sum::<f64>();
            rest -= least;
            others.extend_from_slice(&own[*least..*most]);
        }
        others.sort_unstable_by(|a, b| b.total_cmp(a));
        sum + others[..rest].iter().sum::<f64>()
    }

    /// Assets of each subset.
    pub fn size(&self) -> usize {
        self.size
    }

    /// Whether there is one pool without limits.
    pub fn is_plain(&self) -> bool {
        let rest = self.size - self.included.len();
        matches!(&self.pools[..], [pool] if pool.least == 0 && pool.most == rest.min(pool.assets.len()))
    }

    /// The assets always held and the one pool of a plain space.
    pub(crate) fn plain(&self) -> (&[u32], &[u32]) {
        assert!(self.is_plain(), "a space with limits on its groups has no one pool");
        (&self.included, &self.pools[0].assets)
    }
}

/// A place in a space, moved to any rank or to the next.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    space: &'a Space,
    /// How many are held of each pool, the rank among these, and their positions in the pool, pool after pool.
    counts: Vec<usize>,
    ranks: Vec<u64>,
    positions: Vec<u32>,
    /// The rank within the whole space.
    rank: u64,
}

impl<'a> Cursor<'a> {
    pub fn at(space: &'a Space, rank: u64) -> Cursor<'a> {
        let rest = space.size - space.included.len();
        let pools = space.pools.len();
        let mut cursor =
            Cursor { space, counts: vec![0; pools], ranks: vec![0; pools], positions: vec![0; rest], rank };
        cursor.seek(rank);
        cursor
    }

    pub fn seek(&mut self, rank: u64) {
        let space = self.space;
        self.rank = rank;
        let (mut left, mut rank, mut before) = (space.size - space.included.len(), rank, 1_u64);
        for (g, pool) in space.pools.iter().enumerate() {
            for c in pool.least..=pool.most.min(left) {
                let inside = space.binomials[g].get(pool.assets.len(), c);
                // At most the size of the space, save where a saturated factor meets a zero.
                let block = before.saturating_mul(inside).saturating_mul(space.ways[g + 1][left - c]);
                if rank < block {
                    self.counts[g] = c;
                    before *= inside;
                    break;
                }
                rank -= block;
            }
            left -= self.counts[g];
        }
        let mut start = 0;
        for (g, pool) in space.pools.iter().enumerate() {
            let c = self.counts[g];
            let inside = space.binomials[g].get(pool.assets.len(), c);
            self.ranks[g] = rank % inside;
            rank /= inside;
            revolving::unrank(
                self.ranks[g],
                pool.assets.len(),
                &space.binomials[g],
                &mut self.positions[start..start + c],
            );
            start += c;
        }
    }

    /// Moves to the next rank, which exists.
    #[inline]
    pub fn advance(&mut self) {
        self.rank += 1;
        if let [pool] = &self.space.pools[..] {
            return revolving::advance(&mut self.positions, pool.assets.len());
        }
        let mut start = 0;
        for (g, pool) in self.space.pools.iter().enumerate() {
            let c = self.counts[g];
            self.ranks[g] += 1;
            if c > 0 {
                // From the last to the first, too.
                revolving::advance(&mut self.positions[start..start + c], pool.assets.len());
            }
            if self.ranks[g] < self.space.binomials[g].get(pool.assets.len(), c) {
                return;
            }
            self.ranks[g] = 0;
            start += c;
        }
        self.seek(self.rank);
    }

    /// Writes the assets: those always held, then pool by pool.
    #[inline]
    pub fn assets(&self, assets: &mut [u32]) {
        let (first, mut rest) = assets.split_at_mut(self.space.included.len());
        first.copy_from_slice(&self.space.included);
        let mut positions = &self.positions[..];
        for (pool, &c) in self.space.pools.iter().zip(&self.counts) {
            let (own, others) = std::mem::take(&mut rest).split_at_mut(c);
            let (held, left) = positions.split_at(c);
            for (asset, &position) in own.iter_mut().zip(held) {
                *asset = pool.assets[position as usize];
            }
            (rest, positions) = (others, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn listed(space: &Space) -> Vec<Vec<u32>> {
        let count = space.count().unwrap();
        let mut walker = Cursor::at(space, 0);
        let mut assets = vec![0; space.size()];
        let mut all = Vec::new();
        for rank in 0..count {
            Cursor::at(space, rank).assets(&mut assets);
            let mut walked = assets.clone();
            walker.assets(&mut walked);
            assert_eq!(walked, assets, "rank {rank}");
            assets.sort_unstable();
            all.push(assets.clone());
            if rank + 1 < count {
                walker.advance();
            }
        }
        all
    }

    #[test]
    fn constrained_spaces_hold_exactly_what_a_search_through_all_subsets_finds() {
        let pool = |assets: &[u32], least, most| Pool { assets: assets.to_vec(), least, most };
        // 1 and 9 are always held and count towards the limits, as in groups 0..4: 1 to 2, 4..7: 1 to 3, 7..11: 0 to 2.
        let pools = vec![pool(&[0, 2, 3], 0, 1), pool(&[4, 5, 6], 1, 3), pool(&[7, 8, 10], 0, 1)];
        let space = Space::new(5, vec![1, 9], pools).unwrap();
        let listed = listed(&space);
        let found: BTreeSet<Vec<u32>> = (0..1_u32 << 11)
            .filter(|bits| {
                let held = |from: u32, to: u32| (from..to).filter(|i| bits >> i & 1 == 1).count();
                bits.count_ones() == 5
                    && bits >> 1 & 1 == 1
                    && bits >> 9 & 1 == 1
                    && (1..=2).contains(&held(0, 4))
                    && (1..=3).contains(&held(4, 7))
                    && held(7, 11) <= 2
            })
            .map(|bits| (0..11).filter(|i| bits >> i & 1 == 1).collect())
            .collect();
        assert_eq!(listed.len(), found.len());
        assert_eq!(listed.into_iter().collect::<BTreeSet<_>>(), found);
    }

    #[test]
    fn the_largest_sum_is_that_of_the_best_subset() {
        let pool = |assets: &[u32], least, most| Pool { assets: assets.to_vec(), least, most };
        let values = [0.3, 0.05, 0.1, 0.02, 0.4, 0.5, 0.6, 0.01];
        for (least, most) in [(0, 3), (1, 2), (2, 2), (3, 3)] {
            let pools = vec![pool(&[1, 2, 3], least, most), pool(&[4, 5, 6, 7], 0, 2)];
            let space = Space::new(4, vec![0], pools).unwrap();
            let sum = |assets: &Vec<u32>| assets.iter().map(|&asset| values[asset as usize]).sum::<f64>();
            let best = listed(&space).iter().map(sum).fold(0.0, f64::max);
            assert!((space.largest_sum(&values) - best).abs() < 1e-15, "{least} {most}");
        }
    }

    #[test]
    fn many_groups_are_counted_without_listing_their_compositions() {
        let pools = (0..20).map(|g| Pool { assets: (g * 5..g * 5 + 5).collect(), least: 0, most: 2 }).collect();
        let space = Space::new(10, Vec::new(), pools).unwrap();
        // The coefficient of x^10 in (1 + 5 x + 10 x^2)^20.
        let mut power = vec![1.0_f64];
        for _ in 0..20 {
            let mut next = vec![0.0; power.len() + 2];
            for (i, p) in power.iter().enumerate() {
                next[i] += p;
                next[i + 1] += 5.0 * p;
                next[i + 2] += 10.0 * p;
            }
            power = next;
        }
        assert!((space.count().unwrap() as f64 / power[10] - 1.0).abs() < 1e-12);
        assert!((space.approximate_count() / power[10] - 1.0).abs() < 1e-12);
        let count = space.count().unwrap();
        let mut assets = [0; 10];
        for rank in [0, count / 3, count - 1] {
            Cursor::at(&space, rank).assets(&mut assets);
            let mut per_group = [0; 20];
            assets.iter().for_each(|&asset| per_group[asset as usize / 5] += 1);
            assert!(per_group.iter().all(|&held| held <= 2) && assets.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn what_cannot_be_met_is_refused_in_words() {
        assert!(Space::of(5, 6).unwrap_err().message.contains("6 assets cannot be formed from 5"));
        assert!(Space::of(5, 0).is_err());
        let pool = Pool { assets: vec![0, 1], least: 2, most: 2 };
        let other = Pool { assets: vec![2, 3], least: 2, most: 2 };
        assert!(Space::new(3, Vec::new(), vec![pool, other]).unwrap_err().message.contains("limits on the groups"));
        assert_eq!(Space::of(5, 5).unwrap().count(), Some(1));
        assert_eq!(Space::of(1, 1).unwrap().count(), Some(1));
    }

    #[test]
    fn spaces_beyond_64_bits_know_their_size_roughly() {
        let space = Space::of(500, 20).unwrap();
        assert_eq!(space.count(), None);
        assert!((space.approximate_count() / 2.667e35 - 1.0).abs() < 1e-3);
    }
}
