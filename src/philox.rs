//! Philox4x32-10, the counter-based generator behind every draw (Salmon, Moraes, Dror & Shaw 2011).
//!
//! A word is a pure function of (key, counter): no state, no order, the same on every device.
//! The WGSL twin is `shaders/philox.wgsl`.

use pulp::{Arch, Simd, WithSimd};

const MULTIPLIERS: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];
const ROUNDS: usize = 10;

/// What a word is drawn for; the low byte of the counter's last word, so that no two uses share a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Domain {
    /// Does a new block start here?
    Accept = 1,
    /// Where does the new block start?
    Start = 2,
    /// Round function of the Feistel permutation.
    Feistel = 6,
    /// Which asset joins a subset?
    Floyd = 7,
}

/// Four words of Philox4x32-10.
#[inline]
pub fn philox4x32(counter: [u32; 4], key: [u32; 2]) -> [u32; 4] {
    let mut c = counter;
    let mut k = key;
    for _ in 0..ROUNDS {
        let p0 = u64::from(MULTIPLIERS[0]) * u64::from(c[0]);
        let p1 = u64::from(MULTIPLIERS[1]) * u64::from(c[2]);
        c = [(p1 >> 32) as u32 ^ c[1] ^ k[0], p1 as u32, (p0 >> 32) as u32 ^ c[3] ^ k[1], p0 as u32];
        k = [k[0].wrapping_add(WEYL[0]), k[1].wrapping_add(WEYL[1])];
    }
    c
}

/// Counters of a block.
const BLOCK: usize = 16;

/// Words of a block.
pub const WORDS: usize = 4 * BLOCK;

/// The words of sixteen consecutive counters, (first + q, rest), in vector arithmetic: word w of counter q at 4 q + w.
pub fn philox4x32_block(arch: Arch, first: u32, rest: [u32; 3], key: [u32; 2]) -> [u32; WORDS] {
    arch.dispatch(Block { first, rest, key })
}

struct Block {
    first: u32,
    rest: [u32; 3],
    key: [u32; 2],
}

impl WithSimd for Block {
    type Output = [u32; WORDS];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let v = S::U32_LANES;
        let mut counters = [0; BLOCK];
        for (q, counter) in counters.iter_mut().enumerate() {
            *counter = self.first.wrapping_add(q as u32);
        }
        let multipliers = MULTIPLIERS.map(|m| simd.splat_u32s(m));
        let mut words = [0; WORDS];
        for (k, &counters) in S::as_simd_u32s(&counters).0.iter().enumerate() {
            let mut c =
                [counters, simd.splat_u32s(self.rest[0]), simd.splat_u32s(self.rest[1]), simd.splat_u32s(self.rest[2])];
            let mut key = self.key;
            for _ in 0..ROUNDS {
                let (low0, high0) = simd.widening_mul_u32s(multipliers[0], c[0]);
                let (low1, high1) = simd.widening_mul_u32s(multipliers[1], c[2]);
                let first = simd.xor_u32s(simd.xor_u32s(high1, c[1]), simd.splat_u32s(key[0]));
                let third = simd.xor_u32s(simd.xor_u32s(high0, c[3]), simd.splat_u32s(key[1]));
                c = [first, low1, third, low0];
                key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
            }
            for (w, c) in c.iter().enumerate() {
                for (q, word) in bytemuck::cast_slice::<S::u32s, u32>(std::slice::from_ref(c)).iter().enumerate() {
                    words[4 * (k * v + q) + w] = *word;
                }
            }
        }
        words
    }
}

/// Known answers (counter, key, output) of the Random123 distribution, run on every adapter at start-up.
pub const KNOWN_ANSWERS: [([u32; 4], [u32; 2], [u32; 4]); 3] = [
    ([0; 4], [0; 2], [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]),
    ([u32::MAX; 4], [u32::MAX; 2], [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]),
    (
        [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
        [0xa409_3822, 0x299f_31d0],
        [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn philox_gives_the_known_answers() {
        for (counter, key, expected) in KNOWN_ANSWERS {
            assert_eq!(philox4x32(counter, key), expected);
        }
    }

    #[test]
    fn a_block_is_its_counters_one_by_one() {
        // Counters wrap.
        for first in [0, 17, u32::MAX - 5] {
            let (rest, key) = ([7, 1 << 31, 0xdead_beef], [3, u32::MAX]);
            for arch in [Arch::new(), Arch::Scalar] {
                let block = philox4x32_block(arch, first, rest, key);
                for (q, words) in block.chunks_exact(4).enumerate() {
                    let counter = [first.wrapping_add(q as u32), rest[0], rest[1], rest[2]];
                    assert_eq!(words, philox4x32(counter, key));
                }
            }
        }
    }
}
