//! Revolving-door order of the k-subsets of 0..n (Nijenhuis & Wilf 1978; Kreher & Stinson 1999): neighbours, the last and
//! the first included, differ by one swap.
//!
//! ```text
//! rank(c) = sum_i (-1)^(k - i) C(c_i + 1, i) - (k odd)        c_1 < ... < c_k
//! ```

use super::binomial::Binomials;

/// Writes the subset of `rank`, ascending; `rank` < C(n, k).
pub fn unrank(rank: u64, n: usize, binomials: &Binomials, subset: &mut [u32]) {
    let (mut rank, mut element) = (rank, n);
    for i in (1..=subset.len()).rev() {
        while binomials.get(element, i) > rank {
            element -= 1;
        }
        subset[i - 1] = element as u32;
        // The subsets whose largest element this is follow in reversed order.
        rank = binomials.get(element + 1, i) - 1 - rank;
    }
}

/// The number of an ascending subset.
pub fn rank(subset: &[u32], binomials: &Binomials) -> u64 {
    // From the smallest element up, each level reversing the one below.
    let level = |rank: u64, (i, &element): (usize, &u32)| binomials.get(element as usize + 1, i + 1) - 1 - rank;
    subset.iter().enumerate().fold(0, level)
}

/// Replaces the subset of 0..n by the one that follows; the first follows the last.
#[inline]
pub fn advance(subset: &mut [u32], n: usize) {
    let k = subset.len();
    if k == n {
        return;
    }
    // The subset begins with 0, 1, .., j - 1.
    let j = subset.iter().zip(0..).take_while(|(element, i)| **element == *i).count();
    if (k - j).is_multiple_of(2) {
        if j == 0 {
            subset[0] -= 1;
        } else {
            subset[j - 1] = j as u32;
            if j > 1 {
                subset[j - 2] = j as u32 - 1;
            }
        }
        return;
    }
    let element = subset[j];
    let above = subset.get(j + 1).copied().unwrap_or(n as u32);
    if above == element + 1 {
        if j + 1 < k {
            subset[j + 1] = element;
        }
        subset[j] = j as u32;
    } else {
        if j > 0 {
            subset[j - 1] = element;
        }
        subset[j] = element + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn subset_of(rank: u64, n: usize, k: usize) -> Vec<u32> {
        let mut subset = vec![0; k];
        unrank(rank, n, &Binomials::new(n, k), &mut subset);
        subset
    }

    #[test]
    fn it_gives_its_published_vectors() {
        assert_eq!(subset_of(57, 10, 3), [1, 7, 8]);
        assert_eq!(subset_of(10_000_000_000, 50, 10), [3, 9, 13, 19, 21, 22, 24, 25, 39, 49]);
    }

    /// Walks all of C(n, k): distinct because every subset has the rank it is met at, and each one swap from the last.
    fn walk(n: usize, k: usize) {
        let binomials = Binomials::new(n, k);
        let count = binomials.get(n, k);
        let mut walker = subset_of(0, n, k);
        let mut subset = vec![0; k];
        let mut before = subset_of(count - 1, n, k);
        for at in 0..count {
            assert_eq!(rank(&walker, &binomials), at, "C({n}, {k})");
            assert!(walker.is_sorted_by(|a, b| a < b) && walker[k - 1] < n as u32);
            let (mut i, mut j, mut kept) = (0, 0, 0);
            while i < k && j < k {
                kept += usize::from(walker[i] == before[j]);
                (i, j) = (i + usize::from(walker[i] <= before[j]), j + usize::from(before[j] <= walker[i]));
            }
            assert_eq!(k - kept, usize::from(count > 1), "C({n}, {k}) at {at}");
            // Of the largest spaces, some ranks from scratch.
            if count <= 30_000 || at % 16 == 0 {
                unrank(at, n, &binomials, &mut subset);
                assert_eq!(subset, walker, "C({n}, {k}) at {at}");
            }
            before.copy_from_slice(&walker);
            advance(&mut walker, n);
        }
        assert_eq!(walker, subset_of(0, n, k), "the first follows the last, C({n}, {k})");
    }

    #[test]
    fn every_space_up_to_a_million_is_a_bijection_walked_by_single_swaps() {
        // Of pairs and triples among more than 72 assets, which run to a million assets, a few.
        let (mut spaces, mut subsets) = (0, 0);
        for n in 1..=72 {
            for k in 1..=n {
                let count = Binomials::new(n, k).get(n, k);
                if count <= 1_000_000 {
                    walk(n, k);
                    (spaces, subsets) = (spaces + 1, subsets + count);
                }
            }
        }
        for (n, k) in [(100_000, 1), (1000, 2), (1414, 2), (182, 3), (1000, 999), (400, 398)] {
            walk(n, k);
        }
        assert!(spaces > 700 && subsets > 20_000_000, "{spaces} spaces, {subsets} subsets");
    }

    proptest! {
        #[test]
        fn ranks_up_to_the_last_bit_lead_back_to_themselves(share in 0.0..1.0_f64, space in 0..6_usize) {
            let (n, k) = [(64, 32), (62, 31), (67, 33), (67, 34), (100, 17), (1000, 7)][space];
            let binomials = Binomials::new(n, k);
            let count = binomials.exact(n, k).unwrap();
            let mut subset = vec![0; k];
            for at in [(share * count as f64) as u64 % count, 0, count - 1, (1 << 63) % count, ((1 << 63) - 1) % count] {
                unrank(at, n, &binomials, &mut subset);
                prop_assert!(subset.is_sorted_by(|a, b| a < b) && subset[k - 1] < n as u32);
                prop_assert_eq!(rank(&subset, &binomials), at);
                let mut next = subset.clone();
                advance(&mut next, n);
                prop_assert_eq!(rank(&next, &binomials), (at + 1) % count);
            }
        }
    }
}
