//! A keyed permutation of [0, N): a sample without replacement that needs no memory and extends as it grows.
//!
//! A balanced Feistel network on 2h bits with Philox words as its round function (Luby & Rackoff 1988), and cycle
//! walking back into [0, N) (Black & Rogaway 2002). Law `feistel-1`.

use crate::philox::{Domain, philox4x32};

const ROUNDS: u32 = 6;

/// The image of `i` under the permutation of [0, `size`) keyed by `seed`; `i` < `size` <= 2^62.
pub fn permute(i: u64, size: u64, seed: u64, cell: u32) -> u64 {
    assert!(i < size && size <= 1 << 62, "{i} of a permutation of {size}");
    let bits = u64::BITS - (size - 1).max(1).leading_zeros();
    let half = bits.div_ceil(2);
    let mask = (1_u64 << half) - 1;
    let key = [seed as u32, (seed >> 32) as u32];
    let mut x = i;
    loop {
        let (mut left, mut right) = (x >> half, x & mask);
        for round in 0..ROUNDS {
            let counter = [right as u32, (right >> 32) as u32, round, cell << 8 | Domain::Feistel as u32];
            let word = u64::from(philox4x32(counter, key)[0]);
            (left, right) = (right, left ^ (word & mask));
        }
        x = left << half | right;
        if x < size {
            return x;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_its_published_vectors() {
        // C(50, 10) with seed 42.
        let expected = [9_568_437_735, 7_259_544_081, 2_792_707_329, 4_570_207_587, 8_899_328_710, 4_747_692_315];
        for (i, image) in expected.into_iter().enumerate() {
            assert_eq!(permute(i as u64, 10_272_278_170, 42, 0), image);
        }
    }

    #[test]
    fn it_is_a_bijection_of_any_size() {
        for size in [1, 2, 3, 4, 5, 17, 64, 1000] {
            let mut seen = vec![false; size as usize];
            for i in 0..size {
                let image = permute(i, size, 7, 0) as usize;
                assert!(!std::mem::replace(&mut seen[image], true), "{image} of {size} twice");
            }
        }
    }
}
