//! Second moments by the ends of blocks: stage `moments` of [`crate::covariance`] where blocks are long.
//!
//! Prefix sums of the pair products, tied down at both ends (a bridge), so that they stay of the order of sqrt(T):
//!
//! ```text
//! q_t = (z_t, packed z_t z_t')     B_t = sum_{u < t} (q_u - mean q)     B_0 = B_T = 0
//! sum of q over rows [s, e) = B_e - B_s + (e - s) mean q
//! ```
//!
//! A block of any length costs two rows of B, and one that wraps past T nothing more. Columns are kept in tiles that
//! stay in cache while a group of resamples passes over them.

use crate::covariance::packed;
use crate::lanes::{LANES, Lanes};
use crate::panel::Panel;
use crate::resample::Law;

use pulp::{Arch, Simd, WithSimd};

use crate::lanes::{vectors, vectors_mut};

/// Vectors of eight columns in a tile: 32 columns of T = 2,520 rows are 630 KiB.
const TILE: usize = 4;

#[derive(Debug)]
pub struct Bridge {
    rows: usize,
    /// Columns of q: n sums, then packed second moments.
    columns: usize,
    /// Tiles one after the other, each (T + 1) x TILE.
    prefix: Vec<Lanes>,
    /// T times mean q, tile by tile: what the runs of a resample add up to beside their ends.
    total: Vec<Lanes>,
    arch: Arch,
}

impl Bridge {
    /// Bytes that the bridge of a panel takes.
    pub fn bytes(rows: usize, assets: usize) -> usize {
        (rows + 1) * tiles(assets + packed(assets)) * TILE * size_of::<Lanes>()
    }

    pub fn new(panel: &Panel) -> Bridge {
        let (rows, n) = (panel.rows(), panel.assets());
        let columns = n + packed(n);
        let padded = tiles(columns) * TILE;
        let mut q = vec![Lanes::default(); padded];
        let fill = |q: &mut [Lanes], z: &[f64]| {
            let (sums, products) = bytemuck::cast_slice_mut::<Lanes, f64>(q).split_at_mut(n);
            sums.copy_from_slice(z);
            let mut at = 0;
            for i in 0..n {
                for j in 0..=i {
                    products[at + j] = z[i] * z[j];
                }
                at += i + 1;
            }
        };
        let mut total = vec![Lanes::default(); padded];
        for z in panel.values().chunks_exact(n) {
            fill(&mut q, z);
            for (total, q) in total.iter_mut().zip(&q) {
                for lane in 0..LANES {
                    total.0[lane] += q.0[lane];
                }
            }
        }
        let mut prefix = vec![Lanes::default(); (rows + 1) * padded];
        let tile_length = (rows + 1) * TILE;
        let mut row = vec![Lanes::default(); padded];
        for (t, z) in panel.values().chunks_exact(n).enumerate().take(rows - 1) {
            fill(&mut q, z);
            for (column, row) in row.iter_mut().enumerate() {
                for lane in 0..LANES {
                    row.0[lane] += q[column].0[lane] - total[column].0[lane] / rows as f64;
                }
                prefix[column / TILE * tile_length + (t + 1) * TILE + column % TILE] = *row;
            }
        }
        Bridge { rows, columns, prefix, total, arch: Arch::new() }
    }

    /// Sums, then packed second moments, of each of the resamples: `moments` has one row for each.
    pub fn moments(&self, law: &Law, resamples: &[u64], runs: &mut Runs, moments: &mut [f64]) {
        runs.ends.clear();
        runs.ranges.clear();
        for &resample in resamples {
            let first = runs.ends.len();
            law.runs(resample, |start, length| {
                let end = start + length;
                runs.ends.push((start, if end > law.rows { end - law.rows } else { end }));
            });
            runs.ranges.push((first, runs.ends.len()));
        }
        let tile_length = (self.rows + 1) * TILE;
        for (tile, prefix) in self.prefix.chunks_exact(tile_length).enumerate() {
            let first = tile * TILE * LANES;
            let width = (self.columns - first).min(TILE * LANES);
            let total = &self.total[tile * TILE..(tile + 1) * TILE];
            for (&(from, to), moments) in runs.ranges.iter().zip(moments.chunks_exact_mut(self.columns)) {
                let mut sums = [Lanes::default(); TILE];
                self.arch.dispatch(Sum { prefix, total, runs: &runs.ends[from..to], sums: &mut sums });
                moments[first..first + width].copy_from_slice(&bytemuck::cast_slice(&sums)[..width]);
            }
        }
    }
}

const fn tiles(columns: usize) -> usize {
    columns.div_ceil(TILE * LANES)
}

/// The runs of a few resamples, kept while the tiles pass.
#[derive(Debug, Clone, Default)]
pub struct Runs {
    /// Rows of the bridge at a run's start and at its end.
    ends: Vec<(u32, u32)>,
    /// Runs of each resample.
    ranges: Vec<(usize, usize)>,
}

/// One tile of one resample: total + sum over runs of B_e - B_s.
struct Sum<'a> {
    prefix: &'a [Lanes],
    total: &'a [Lanes],
    runs: &'a [(u32, u32)],
    sums: &'a mut [Lanes; TILE],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let v = LANES / S::F64_LANES;
        let zero = simd.splat_f64s(0.0);
        let mut sums = [zero; TILE * LANES];
        sums[..TILE * v].copy_from_slice(vectors::<S>(self.total));
        for &(start, end) in self.runs {
            let row = |t: u32| vectors::<S>(&self.prefix[t as usize * TILE..(t as usize + 1) * TILE]);
            let (head, tail) = (row(start), row(end));
            for k in 0..TILE * v {
                sums[k] = simd.add_f64s(sums[k], simd.sub_f64s(tail[k], head[k]));
            }
        }
        vectors_mut::<S>(self.sums).copy_from_slice(&sums[..TILE * v]);
    }
}
