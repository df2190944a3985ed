//! The Gerber statistic: how often two assets move far together (Gerber, Markowitz, Ernst, Miao, Javid & Sargen 2022).
//!
//! An asset is up where its return is at least c s0, down where it is at most -c s0, about zero and not about its mean;
//! s0 is its root mean square deviation over the drawn rows. With counts of drawn rows,
//!
//! ```text
//! G_ij = (UU + DD - UD - DU) / (T - NN)        T - NN: rows where i or j is up or down
//! ```
//!
//! Counts are integers, so the statistic has one rounding, that of the division, and is the same
//! on every machine that has the same thresholds.
//!
//! It is positive semi-definite: 1 / (T - NN) = 1/T sum_k (NN / T)^k entry by entry, where NN is a Gram matrix; so are
//! its powers entry by entry, and their products with (U - D)'(U - D) (Schur 1911).

use pulp::{Arch, NullaryFnOnce, Simd, WithSimd};

use crate::lanes::{LANES, Lanes, vectors};

/// c of the paper: a move is far from half a standard deviation on.
pub const THRESHOLD: f64 = 0.5;

/// Drawn rows of a word of bits.
const WORD: usize = u64::BITS as usize;

/// Vectors of assets that share a pass over the drawn rows.
const ABREAST: usize = 4;

/// Assets counted together against eight others: as many as registers hold the counts of.
const TILE: usize = 4;

/// A history of returns as they are, in any unit of each asset, laid out for vector arithmetic: each row padded with
/// zeros to whole vectors. Rows and not columns are kept together: a drawn row is read once, from one place.
#[derive(Debug)]
pub struct History {
    assets: usize,
    /// T x ceil(n / 8).
    rows: Vec<Lanes>,
    arch: Arch,
}

/// Bits of eight assets over 64 drawn rows.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
struct Planes {
    /// Up or down.
    active: [u64; LANES],
    /// Down.
    negative: [u64; LANES],
}

/// Room to count in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// Of each eight assets, one after the other, all words.
    planes: Vec<Planes>,
    /// The thresholds, padded.
    limits: Vec<Lanes>,
    /// Rows where an asset is up or down, of each.
    active: Vec<[i64; LANES]>,
}

impl History {
    /// From returns as they are, T x n, row-major.
    pub fn new(returns: &[f64], assets: usize) -> History {
        let rows = returns.chunks_exact(assets).flat_map(|row| row.chunks(LANES).map(|part| padded(part, 0.0)));
        History { assets, rows: rows.collect(), arch: Arch::new() }
    }

    /// The Gerber statistic of the drawn rows, repeats counted, with thresholds c s0 in the units of each asset's
    /// returns: n x n, row-major, unit diagonal.
    ///
    /// Nothing is divided by zero. An asset's mean square over the drawn rows is at least s0^2, so some row lies beyond
    /// c s0 = s0 / 2, with a factor of two to spare for rounding: T - NN >= 1. Where thresholds are not those of the
    /// drawn rows, and neither of two assets is ever up or down, their statistic is 0.
    pub fn correlation(&self, rows: &[u32], thresholds: &[f64], work: &mut Workspace, correlation: &mut [f64]) {
        let words = rows.len().div_ceil(WORD);
        let Workspace { planes, limits, active } = work;
        // What pads a row is never up nor down.
        limits.clear();
        limits.extend(thresholds.chunks(LANES).map(|part| padded(part, f64::INFINITY)));
        planes.resize(limits.len() * words, Planes::default());
        active.resize(limits.len(), [0; LANES]);
        self.arch.dispatch(Mark { history: self, rows, thresholds: limits, planes });
        let count = Count { assets: self.assets, words, planes, active, correlation };
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = Popcount::try_new() {
            return simd.vectorize(count);
        }
        self.arch.dispatch(count);
    }
}

fn padded(part: &[f64], with: f64) -> Lanes {
    let mut lanes = Lanes::splat(with);
    lanes.0[..part.len()].copy_from_slice(part);
    lanes
}

/// Writes the bits of the drawn rows, 64 of them a word, the first drawn in the lowest bit.
///
/// ```text
/// active_iw   = sum_b 2^b [x_i >= c s0_i or x_i <= -c s0_i]        x of the drawn row 64 w + b
/// negative_iw = sum_b 2^b [x_i <= -c s0_i]
/// ```
struct Mark<'a> {
    history: &'a History,
    rows: &'a [u32],
    thresholds: &'a [Lanes],
    planes: &'a mut [Planes],
}

impl WithSimd for Mark<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        let width = vectors::<S>(self.thresholds).len();
        for w in 0..self.rows.len().div_ceil(WORD) {
            let whole = width / ABREAST * ABREAST;
            for first in (0..whole).step_by(ABREAST) {
                self.word::<S, ABREAST>(simd, w, first);
            }
            match width - whole {
                1 => self.word::<S, 1>(simd, w, whole),
                2 => self.word::<S, 2>(simd, w, whole),
                3 => self.word::<S, 3>(simd, w, whole),
                _ => {}
            }
        }
    }
}

impl Mark<'_> {
    /// Word `w` of W vectors of assets.
    #[inline(always)]
    fn word<S: Simd, const W: usize>(&mut self, simd: S, w: usize, first: usize) {
        let thresholds = &vectors::<S>(self.thresholds)[first..first + W];
        let history = vectors::<S>(&self.history.rows);
        let width = vectors::<S>(self.thresholds).len();
        let words = self.rows.len().div_ceil(WORD);
        let zero = simd.splat_u64s(0);
        let (mut high, mut low) = ([simd.splat_f64s(0.0); W], [simd.splat_f64s(0.0); W]);
        for k in 0..W {
            high[k] = thresholds[k];
            low[k] = simd.neg_f64s(thresholds[k]);
        }
        let (mut up, mut down) = ([zero; W], [zero; W]);
        let mut bit = simd.splat_u64s(1);
        for &row in &self.rows[w * WORD..(w * WORD + WORD).min(self.rows.len())] {
            let x = &history[row as usize * width + first..][..W];
            for k in 0..W {
                let above = simd.greater_than_or_equal_f64s(x[k], high[k]);
                let below = simd.less_than_or_equal_f64s(x[k], low[k]);
                up[k] = simd.or_u64s(up[k], simd.select_u64s(above, bit, zero));
                down[k] = simd.or_u64s(down[k], simd.select_u64s(below, bit, zero));
            }
            bit = simd.add_u64s(bit, bit);
        }
        let v = LANES / S::F64_LANES;
        for k in 0..W {
            let planes = &mut self.planes[(first + k) / v * words + w];
            S::as_mut_simd_u64s(&mut planes.active).0[(first + k) % v] = simd.or_u64s(up[k], down[k]);
            S::as_mut_simd_u64s(&mut planes.negative).0[(first + k) % v] = down[k];
        }
    }
}

#[cfg(target_arch = "x86_64")]
pulp::simd_type! {
    /// AVX-512 with its own count of ones.
    struct Popcount {
        avx512f: "avx512f",
        avx512dq: "avx512dq",
        avx512vl: "avx512vl",
        avx512vpopcntdq: "avx512vpopcntdq",
    }
}

/// Counts pairs of planes.
///
/// ```text
/// both  = sum_w popcount(active_iw & active_jw)
/// apart = sum_w popcount(active_iw & active_jw & (negative_iw ^ negative_jw))
/// G_ij  = (both - 2 apart) / (active_i + active_j - both)
/// ```
struct Count<'a> {
    assets: usize,
    words: usize,
    planes: &'a [Planes],
    active: &'a mut [[i64; LANES]],
    correlation: &'a mut [f64],
}

impl NullaryFnOnce for Count<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Count { assets: n, words, planes, active, correlation } = self;
        let eight = |group: usize| &planes[group * words..][..words];
        for (group, active) in active.iter_mut().enumerate() {
            *active = [0; LANES];
            for planes in eight(group) {
                for i in 0..LANES {
                    active[i] += i64::from(planes.active[i].count_ones());
                }
            }
        }
        for first in (0..n).step_by(TILE) {
            let (group, lane) = (first / LANES, first % LANES);
            for second in 0..=group {
                let (both, apart) = overlap(eight(group), lane, eight(second));
                for (r, i) in (first..n.min(first + TILE)).enumerate() {
                    let mut statistic = [0.0; LANES];
                    for j in 0..LANES {
                        let moved = active[group][lane + r] + active[second][j] - both[r][j];
                        statistic[j] = (both[r][j] - 2 * apart[r][j]) as f64 / moved.max(1) as f64;
                    }
                    for (j, &g) in (second * LANES..i).zip(&statistic) {
                        correlation[i * n + j] = g;
                        correlation[j * n + i] = g;
                    }
                }
            }
        }
        for i in 0..n {
            correlation[i * n + i] = 1.0;
        }
    }
}

/// Counts of rows for each of four assets and each of eight others.
type Overlap = [[i64; LANES]; TILE];

/// Rows where each of four assets, from lane `lane` of `one` on, and each of the eight of `other` are both up or down,
/// and those of them where one is up and the other down.
#[inline(always)]
fn overlap(one: &[Planes], lane: usize, other: &[Planes]) -> (Overlap, Overlap) {
    let (mut both, mut apart) = ([[0; LANES]; TILE], [[0; LANES]; TILE]);
    for (a, b) in one.iter().zip(other) {
        for r in 0..TILE {
            for j in 0..LANES {
                let active = a.active[lane + r] & b.active[j];
                both[r][j] += i64::from(active.count_ones());
                apart[r][j] += i64::from((active & (a.negative[lane + r] ^ b.negative[j])).count_ones());
            }
        }
    }
    (both, apart)
}

#[cfg(test)]
mod tests {
    use super::super::spectrum::tests::{is_correlation, noise};
    use super::*;

    fn statistic(history: &History, rows: &[u32], thresholds: &[f64]) -> Vec<f64> {
        let mut correlation = vec![f64::NAN; thresholds.len() * thresholds.len()];
        history.correlation(rows, thresholds, &mut Workspace::default(), &mut correlation);
        correlation
    }

    /// A history of n assets and 150 rows, `rows` of them drawn, and thresholds of half a standard deviation.
    fn drawn(n: usize, rows: usize) -> (Vec<f64>, Vec<u32>, Vec<f64>) {
        let returns: Vec<f64> = (0..150 * n).map(|k| noise(k) + 0.5 * noise(10_000 + k / n) + 0.05).collect();
        let rows: Vec<u32> = (0..rows).map(|t| ((noise(20_000 + t) + 0.5) * 150.0) as u32).collect();
        let thresholds = (0..n).map(|i| {
            let x = || rows.iter().map(|&row| returns[row as usize * n + i]);
            let mean = x().sum::<f64>() / rows.len() as f64;
            THRESHOLD * (x().map(|x| (x - mean).powi(2)).sum::<f64>() / rows.len() as f64).sqrt()
        });
        let thresholds = thresholds.collect();
        (returns, rows, thresholds)
    }

    #[test]
    fn counted_by_hand() {
        #[rustfmt::skip]
        let returns = [
            2.0,  1.0,  0.0, // U U N
           -1.0, -2.0,  0.5, // D D N
            1.0, -1.0,  3.0, // U D U
            0.0,  0.0, -1.0, // N N D
            0.9,  1.0, -2.0, // N U D
           -3.0, -2.0,  0.0, // D D N
        ];
        let history = History::new(&returns, 3);
        let [a, b, c] = [2.0 / 5.0, 1.0 / 6.0, -2.0 / 6.0];
        assert_eq!(statistic(&history, &[0, 1, 2, 3, 4, 5], &[1.0; 3]), [1.0, a, b, a, 1.0, c, b, c, 1.0]);
        // The first row twice, the third once: of the first two assets, two rows together and one apart.
        let [a, b, c] = [1.0 / 3.0, 1.0 / 3.0, -1.0 / 3.0];
        assert_eq!(statistic(&history, &[0, 2, 0], &[1.0; 3]), [1.0, a, b, a, 1.0, c, b, c, 1.0]);
    }

    #[test]
    fn equals_counting_row_by_row() {
        for n in [1, 2, 8, 9, 17, 33, 50] {
            for rows in [2, 63, 64, 65, 128, 300] {
                let (returns, rows, thresholds) = drawn(n, rows);
                let side = |row: u32, i: usize| {
                    let x = returns[row as usize * n + i];
                    i32::from(x >= thresholds[i]) - i32::from(x <= -thresholds[i])
                };
                let counted = |k: usize| {
                    let pairs = || rows.iter().map(|&row| (side(row, k / n), side(row, k % n)));
                    f64::from(pairs().map(|(i, j)| i * j).sum::<i32>())
                        / pairs().filter(|&p| p != (0, 0)).count() as f64
                };
                let expected: Vec<f64> = (0..n * n).map(counted).collect();
                let history = History::new(&returns, n);
                assert_eq!(statistic(&history, &rows, &thresholds), expected, "{n} assets, {} rows", rows.len());
            }
        }
    }

    #[test]
    fn room_can_be_used_again() {
        let mut work = Workspace::default();
        for (n, rows) in [(20, 300), (3, 10), (33, 65)] {
            let (returns, rows, thresholds) = drawn(n, rows);
            let history = History::new(&returns, n);
            let mut correlation = vec![0.0; n * n];
            history.correlation(&rows, &thresholds, &mut work, &mut correlation);
            assert_eq!(correlation, statistic(&history, &rows, &thresholds));
        }
    }

    #[test]
    fn positive_semi_definite() {
        for (n, rows) in [(5, 2), (20, 7), (40, 15), (40, 300)] {
            let (returns, rows, thresholds) = drawn(n, rows);
            let matrix = statistic(&History::new(&returns, n), &rows, &thresholds);
            assert!(is_correlation(&matrix) > -1e-13, "{n} assets, {} rows", rows.len());
        }
    }

    #[test]
    fn units_of_an_asset_do_not_matter() {
        let (n, rows) = (6, 100);
        let (returns, rows, thresholds) = drawn(n, rows);
        let unit = |i: usize| 2.0_f64.powi(100 * i as i32 - 300);
        let scaled: Vec<f64> = returns.iter().enumerate().map(|(k, x)| x * unit(k % n)).collect();
        let their: Vec<f64> = thresholds.iter().enumerate().map(|(i, c)| c * unit(i)).collect();
        let before = statistic(&History::new(&returns, n), &rows, &thresholds);
        assert_eq!(statistic(&History::new(&scaled, n), &rows, &their), before);
    }

    #[test]
    fn assets_never_up_nor_down_divide_nothing_by_zero() {
        let returns = [0.1, -0.1, 5.0, -0.1, 0.1, 5.0];
        assert_eq!(
            statistic(&History::new(&returns, 3), &[0, 1], &[1.0; 3]),
            [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
        );
    }

    /// Every kind of vector arithmetic that this machine has marks and counts alike.
    #[test]
    fn same_with_any_instructions() {
        let (n, rows) = (43, 300);
        let (returns, rows, thresholds) = drawn(n, rows);
        let history = History::new(&returns, n);
        let expected = statistic(&history, &rows, &thresholds);
        let thresholds: Vec<Lanes> = thresholds.chunks(LANES).map(|part| padded(part, f64::INFINITY)).collect();
        let words = rows.len().div_ceil(WORD);
        let check = |mark: &dyn Fn(Mark), count: &dyn Fn(Count)| {
            let mut planes = vec![Planes::default(); thresholds.len() * words];
            let mut active = vec![[0; LANES]; thresholds.len()];
            let mut correlation = vec![0.0; n * n];
            mark(Mark { history: &history, rows: &rows, thresholds: &thresholds, planes: &mut planes });
            count(Count { assets: n, words, planes: &planes, active: &mut active, correlation: &mut correlation });
            assert_eq!(correlation, expected);
        };
        check(&|mark| mark.with_simd(pulp::Scalar::new()), &|count| count.call());
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V3::try_new() {
            check(&|mark| Simd::vectorize(simd, mark), &|count| Simd::vectorize(simd, count));
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(simd) = pulp::x86::V4::try_new() {
            check(&|mark| Simd::vectorize(simd, mark), &|count| Simd::vectorize(simd, count));
        }
    }
}
