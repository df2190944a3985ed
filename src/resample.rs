//! The index law `pxsb-1`: which rows of the history resample `b` uses.
//!
//! For resample b and position s in [0, T):
//!
//! ```text
//! restart(s) = s = 0, or ACCEPT(s) < threshold       (iid: always; circular, moving: L divides s)
//! start(s)   = mulhi(START(s), R)                    R = T, for moving T - L + 1
//! row(s)     = (start(r) + s - r) mod T              r = the last restart at or before s
//! ```
//!
//! ACCEPT and START are words of Philox4x32-10 at counter (s / 4, b_lo, b_hi, cell << 8 | domain), word s mod 4, under
//! the seed as key. Integers only, no state: rows are a pure function of (seed, cell, b), equal on every device and
//! under any chunking. `stationary` is the bootstrap of Politis & Romano (1994), `circular` of Politis & Romano (1992),
//! `moving` of Künsch (1989). The WGSL twin is `shaders/draw.wgsl`.

use pulp::Arch;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, option};
use crate::philox::{Domain, WORDS, philox4x32, philox4x32_block};

/// Name of the index law, recorded with every run.
pub const LAW: &str = "pxsb-1";

/// How rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scheme {
    /// Every row on its own.
    Iid,
    /// Blocks of geometric length with the given mean, wrapping at the end.
    Stationary,
    /// Blocks of fixed length, wrapping at the end.
    Circular,
    /// Blocks of fixed length that never wrap.
    Moving,
}

impl Scheme {
    pub const ALL: [Scheme; 4] = [Scheme::Iid, Scheme::Stationary, Scheme::Circular, Scheme::Moving];

    /// The scheme of this name.
    pub fn named(name: &str) -> Option<Scheme> {
        Scheme::ALL.into_iter().find(|scheme| scheme.name() == name)
    }

    pub const fn name(self) -> &'static str {
        match self {
            Scheme::Iid => "iid",
            Scheme::Stationary => "stationary",
            Scheme::Circular => "circular",
            Scheme::Moving => "moving",
        }
    }
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// When a new block starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restart {
    /// At every position.
    Always,
    /// Where the ACCEPT word lies below this threshold.
    Below(u32),
    /// At every multiple of this length.
    Every(u32),
}

/// The index law with its parameters fixed: a pure function from the resample's number to its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Law {
    /// Rows T of the history, and of each resample.
    pub rows: u32,
    pub seed: u64,
    /// Sub-study (rolling window, universe ...), 24 bits. Methods never enter: all of them see the same rows.
    pub cell: u32,
    pub restart: Restart,
    /// Number R of admissible block starts.
    pub starts: u32,
}

impl Law {
    /// The law for `rows` rows. `block_length` is the mean block length for `stationary`, the length for `circular`
    /// and `moving` (rounded to whole rows), and ignored for `iid`.
    ///
    /// # Errors
    /// Fewer than 2 rows, 2^31 or more, or a block length that is not between 1 and `rows`.
    pub fn new(scheme: Scheme, block_length: f64, rows: usize, seed: u64, cell: u32) -> Result<Law> {
        assert!(cell < 1 << 24, "a cell has 24 bits, got {cell}");
        let rows = u32::try_from(rows)
            .ok()
            .filter(|&rows| rows < 1 << 31)
            .ok_or_else(|| Error::input(format!("{rows} rows are more than the 2147483647 that can be resampled")))?;
        if rows < 2 {
            return Err(Error::input(format!("a covariance needs at least 2 rows, there are {rows}")));
        }
        let length = if scheme == Scheme::Iid { 1.0 } else { block_length };
        if !(1.0..=f64::from(rows)).contains(&length) {
            return Err(Error::usage(format!(
                "a block length of {length} does not lie between 1 and the {rows} rows of the history"
            ))
            .hint(format!("give {} a length in that range, or `auto`", option("block"))));
        }
        let (restart, starts) = match scheme {
            Scheme::Iid => (Restart::Always, rows),
            Scheme::Stationary => match (4_294_967_296.0 / length + 0.5).floor() {
                threshold if threshold >= 4_294_967_296.0 => (Restart::Always, rows),
                threshold => (Restart::Below(threshold as u32), rows),
            },
            Scheme::Circular | Scheme::Moving => {
                let length = length.round() as u32;
                let starts = if scheme == Scheme::Circular { rows } else { rows - length + 1 };
                (Restart::Every(length), starts)
            }
        };
        Ok(Law { rows, seed, cell, restart, starts })
    }

    /// The acceptance threshold as recorded: 2^32 when every position restarts, none for fixed blocks.
    pub fn threshold(&self) -> Option<u64> {
        match self.restart {
            Restart::Always => Some(1 << 32),
            Restart::Below(threshold) => Some(u64::from(threshold)),
            Restart::Every(_) => None,
        }
    }

    /// Expected number of rows between restarts.
    pub fn mean_block_length(&self) -> f64 {
        match self.restart {
            Restart::Always => 1.0,
            Restart::Below(threshold) => 4_294_967_296.0 / f64::from(threshold),
            Restart::Every(length) => f64::from(length),
        }
    }

    /// Four consecutive words of a domain: those of positions 4q to 4q + 3.
    #[inline]
    fn words(&self, domain: Domain, resample: u64, q: u32) -> [u32; 4] {
        let [a, b, c] = self.counter(domain, resample);
        philox4x32([q, a, b, c], self.key())
    }

    /// Those of as many positions from `first` on as a block has; `first` is a multiple of four.
    #[inline]
    fn block(&self, arch: Arch, domain: Domain, resample: u64, first: u32) -> [u32; WORDS] {
        philox4x32_block(arch, first / 4, self.counter(domain, resample), self.key())
    }

    fn counter(&self, domain: Domain, resample: u64) -> [u32; 3] {
        [resample as u32, (resample >> 32) as u32, self.cell << 8 | domain as u32]
    }

    fn key(&self) -> [u32; 2] {
        [self.seed as u32, (self.seed >> 32) as u32]
    }

    /// Calls `run(first_row, length)` for each block of resample `b`, in order. Rows of a run wrap at T.
    pub fn runs(&self, resample: u64, mut run: impl FnMut(u32, u32)) {
        let arch = Arch::new();
        let start_of = |word: u32| ((u64::from(word) * u64::from(self.starts)) >> 32) as u32;
        let start_at = |s: u32| start_of(self.words(Domain::Start, resample, s / 4)[s as usize & 3]);
        match self.restart {
            Restart::Always => {
                for first in (0..self.rows).step_by(WORDS) {
                    let starts = self.block(arch, Domain::Start, resample, first);
                    for word in &starts[..WORDS.min((self.rows - first) as usize)] {
                        run(start_of(*word), 1);
                    }
                }
            }
            Restart::Every(length) => {
                let mut s = 0;
                while s < self.rows {
                    run(start_at(s), length.min(self.rows - s));
                    s += length;
                }
            }
            Restart::Below(threshold) => {
                let mut start = 0;
                for first in (0..self.rows).step_by(WORDS) {
                    let accepts = self.block(arch, Domain::Accept, resample, first);
                    let accepts = &accepts[..WORDS.min((self.rows - first) as usize)];
                    for (s, _) in (first..).zip(accepts).filter(|(s, word)| **word < threshold && *s > 0) {
                        run(start_at(start), s - start);
                        start = s;
                    }
                }
                run(start_at(start), self.rows - start);
            }
        }
    }

    /// The rows of a resample in order.
    pub fn rows(&self, resample: u64) -> Vec<u32> {
        let mut rows = Vec::with_capacity(self.rows as usize);
        self.runs(resample, |start, length| {
            rows.extend((start..start + length).map(|row| if row >= self.rows { row - self.rows } else { row }));
        });
        rows
    }

    /// How often each row of the history occurs in a resample; `counts` has length T and is overwritten.
    pub fn counts(&self, resample: u64, counts: &mut [u32]) {
        assert_eq!(counts.len(), self.rows as usize, "one count per row");
        counts.fill(0);
        self.runs(resample, |start, length| {
            let (start, end) = (start as usize, (start + length) as usize);
            let wrapped = end.saturating_sub(counts.len());
            for count in &mut counts[start..end - wrapped] {
                *count += 1;
            }
            for count in &mut counts[..wrapped] {
                *count += 1;
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// FNV-1a over little-endian u32 indices, as the law's published vectors use it.
    fn fnv(rows: &[u32]) -> u64 {
        rows.iter()
            .flat_map(|row| row.to_le_bytes())
            .fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3))
    }

    const SEED: u64 = 0x0123_4567_89AB_CDEF;

    #[test]
    fn the_law_gives_its_published_vectors() {
        // (scheme, L, T, seed, cell, b, sum, fnv)
        let vectors = [
            (Scheme::Stationary, 5.0, 100, 0, 0, 0, 5422, 0x9f08_6138_bcab_ac2d_u64),
            (Scheme::Stationary, 20.0, 2520, SEED, 0, 0, 2_940_701, 0x38e8_8271_4958_d471),
            (Scheme::Stationary, 20.0, 2520, SEED, 0, 1, 3_028_608, 0x6b54_df9e_cfd4_6045),
            (Scheme::Stationary, 20.0, 2520, SEED, 7, (1 << 32) + 3, 3_075_529, 0x2232_5e21_5fbb_7d3b),
            (Scheme::Iid, 1.0, 100, 0, 0, 0, 5113, 0xe873_b646_88e6_3db2),
            (Scheme::Circular, 7.0, 100, 0, 0, 0, 6358, 0xb627_0785_a1ae_25b5),
            (Scheme::Moving, 7.0, 100, 0, 0, 0, 6019, 0x6956_fba2_303a_27b4),
        ];
        for (scheme, length, rows, seed, cell, b, sum, hash) in vectors {
            let drawn = Law::new(scheme, length, rows, seed, cell).unwrap().rows(b);
            assert_eq!(drawn.iter().map(|&r| u64::from(r)).sum::<u64>(), sum, "{scheme:?} b={b}");
            assert_eq!(fnv(&drawn), hash, "{scheme:?} b={b}");
        }
        let iid = Law::new(Scheme::Iid, 1.0, 100, 0, 0).unwrap().rows(1);
        assert_eq!(fnv(&iid), 0x37da_4148_6e54_20a3);
        assert_eq!(Law::new(Scheme::Stationary, 20.0, 2520, SEED, 0).unwrap().threshold(), Some(214_748_365));
    }

    #[test]
    fn counts_are_the_histogram_of_the_rows() {
        for (scheme, length) in [
            (Scheme::Iid, 1.0),
            (Scheme::Stationary, 7.3),
            (Scheme::Stationary, 101.0),
            (Scheme::Circular, 101.0),
            (Scheme::Circular, 30.0),
            (Scheme::Moving, 101.0),
            (Scheme::Moving, 30.0),
        ] {
            let law = Law::new(scheme, length, 101, 9, 0).unwrap();
            for b in [0, 1, (1 << 33) + 5] {
                let mut expected = vec![0; 101];
                for row in law.rows(b) {
                    expected[row as usize] += 1;
                }
                let mut counts = vec![7; 101];
                law.counts(b, &mut counts);
                assert_eq!(counts, expected);
                assert_eq!(counts.iter().sum::<u32>(), 101);
            }
        }
    }

    #[test]
    fn a_mean_block_of_one_is_iid() {
        let law = |scheme| Law::new(scheme, 1.0, 50, 3, 0).unwrap();
        assert_eq!(law(Scheme::Stationary), law(Scheme::Iid));
        // A threshold that rounds to 2^32 restarts everywhere too.
        let nearly = Law::new(Scheme::Stationary, 1.0 + 1e-11, 50, 3, 0).unwrap();
        assert_eq!(nearly.restart, Restart::Always);
    }

    #[test]
    fn a_moving_block_as_long_as_the_history_is_the_history() {
        let law = Law::new(Scheme::Moving, 40.0, 40, 5, 0).unwrap();
        assert_eq!(law.rows(11), (0..40).collect::<Vec<_>>());
    }

    #[test]
    fn a_block_longer_than_the_history_is_refused() {
        for length in [0.5, 41.0, f64::NAN, f64::INFINITY] {
            assert!(Law::new(Scheme::Stationary, length, 40, 5, 0).is_err());
        }
    }
}
