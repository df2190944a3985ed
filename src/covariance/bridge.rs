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

use pulp::{Arch, Simd, WithSimd};

use crate::covariance::packed;
use crate::lanes::{LANES, Lanes, vectors};
use crate::panel::Panel;
use crate::resample::Law;

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
        let (rows, columns) = (panel.rows(), panel.assets() + packed(panel.assets()));
        let padded = tiles(columns) * TILE;
        // Pages that are zero already: the table is written once.
        let mut prefix = bytemuck::zeroed_vec::<Lanes>((rows + 1) * padded);
        let mut total = vec![Lanes::default(); padded];
        let arch = Arch::new();
        arch.dispatch(Build { panel, prefix: &mut prefix, total: &mut total });
        Bridge { rows, columns, prefix, total, arch }
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
        self.arch.dispatch(Sum { bridge: self, runs, moments });
    }
}

/// Fills in B and T times mean q.
struct Build<'a> {
    panel: &'a Panel,
    prefix: &'a mut [Lanes],
    total: &'a mut [Lanes],
}

impl WithSimd for Build<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Build { panel, prefix, total } = self;
        let (rows, n) = (panel.rows(), panel.assets());
        let mut q = vec![Lanes::default(); total.len()];
        for z in panel.values().chunks_exact(n) {
            pair_products(z, &mut q);
            for (total, q) in total.iter_mut().zip(&q) {
                for lane in 0..LANES {
                    total.0[lane] += q.0[lane];
                }
            }
        }
        let mean: Vec<Lanes> = total.iter().map(|total| Lanes(total.0.map(|x| x / rows as f64))).collect();
        let mut row = vec![Lanes::default(); total.len()];
        let tile_length = (rows + 1) * TILE;
        // B_T = 0, like B_0, stays as it is.
        for (t, z) in panel.values().chunks_exact(n).enumerate().take(rows - 1) {
            pair_products(z, &mut q);
            let sums = row.chunks_exact_mut(TILE).zip(q.chunks_exact(TILE)).zip(mean.chunks_exact(TILE));
            for (((row, q), mean), tile) in sums.zip(prefix.chunks_exact_mut(tile_length)) {
                for k in 0..TILE {
                    for lane in 0..LANES {
                        row[k].0[lane] += q[k].0[lane] - mean[k].0[lane];
                    }
                }
                tile[(t + 1) * TILE..(t + 2) * TILE].copy_from_slice(row);
            }
        }
    }
}

/// q = (z, packed z z').
#[inline(always)]
fn pair_products(z: &[f64], q: &mut [Lanes]) {
    let (sums, products) = bytemuck::cast_slice_mut::<Lanes, f64>(q).split_at_mut(z.len());
    sums.copy_from_slice(z);
    let mut at = 0;
    for (i, &own) in z.iter().enumerate() {
        for (product, &other) in products[at..].iter_mut().zip(&z[..=i]) {
            *product = own * other;
        }
        at += i + 1;
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

/// Tile by tile, for each resample: total + sum over runs of B_e - B_s.
struct Sum<'a> {
    bridge: &'a Bridge,
    runs: &'a Runs,
    moments: &'a mut [f64],
}

impl WithSimd for Sum<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Sum { bridge, runs, moments } = self;
        let v = LANES / S::F64_LANES;
        let tiles = bridge.prefix.chunks_exact((bridge.rows + 1) * TILE).zip(bridge.total.chunks_exact(TILE));
        for (tile, (prefix, total)) in tiles.enumerate() {
            let first = tile * TILE * LANES;
            let width = (bridge.columns - first).min(TILE * LANES);
            // A row of the tile; an array, so that a place in it needs no check but one.
            let rows = prefix.as_chunks::<TILE>().0;
            for (&(from, to), moments) in runs.ranges.iter().zip(moments.chunks_exact_mut(bridge.columns)) {
                let mut sums = [simd.splat_f64s(0.0); TILE * LANES];
                sums[..TILE * v].copy_from_slice(vectors::<S>(total));
                for &(start, end) in &runs.ends[from..to] {
                    let (head, tail) = (vectors::<S>(&rows[start as usize]), vectors::<S>(&rows[end as usize]));
                    for k in 0..TILE * v {
                        sums[k] = simd.add_f64s(sums[k], simd.sub_f64s(tail[k], head[k]));
                    }
                }
                let sums = bytemuck::cast_slice::<S::f64s, f64>(&sums[..TILE * v]);
                moments[first..first + width].copy_from_slice(&sums[..width]);
            }
        }
    }
}
