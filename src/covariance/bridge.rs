//! Second moments by the ends of blocks: stage `moments` of [`crate::covariance`] where blocks are long.
//!
//! Prefix sums of the pair products, tied down at both ends (a bridge), so that they stay of the order of sqrt(T):
//!
//! ```text
//! q_t = (z_t, packed z_t z_t')     B_t = sum_{u < t} (q_u - mean q)     B_0 = B_T = 0
//! sum of q over rows [s, e) = B_e - B_s + (e - s) mean q
//! ```
//!
//! A block of any length costs two rows of B, and one that wraps past T nothing more. B is never whole: a tile of its
//! columns is made where it stays in cache, many resamples pass over it, and it is gone. Tiles are independent, so that
//! threads share them and the sums do not depend on how.
//!
//! Where weights decay with age, sums are geometric ones, which do not close at T: a block that wraps is cut in two.
//!
//! ```text
//! G_{t+1} = lambda G_t + q_t - mean q                              G_0 = 0
//! weighted sum over rows [s, e), of which the last is a rows old = lambda^a G_e - lambda^(a + e - s) G_s
//!                                                                + mean q times their weights
//! ```

use std::ops::Range;
use std::sync::OnceLock;

use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::covariance::packed;
use crate::covariance::spare::{Loan, Spare};
use crate::lanes::{LANES, Lanes, interleave, vectors, vectors_mut};
use crate::panel::Panel;
use crate::resample::Law;
use crate::sampling::{Decay, Weighting};

/// Vectors of eight columns in a tile: 32 columns of T = 2,520 rows are 630 KiB.
const TILE: usize = 4;

/// Columns of a tile.
const COLUMNS: usize = TILE * LANES;

/// A row of a tile.
type Row = [Lanes; TILE];

/// Resamples drawn in one piece of work.
const DRAWN: usize = 64;

#[derive(Debug)]
pub struct Bridge {
    rows: usize,
    assets: usize,
    /// How the weights of rows decay, where they do.
    decay: Option<Decay>,
    /// W / T.
    total: f64,
    /// T rows z_t, 1, and zeros up to a vector beyond, so that vectors may start at any asset.
    values: Vec<Lanes>,
    arch: Arch,
    /// T mean q, tile by tile, made when a tile is first needed.
    totals: Vec<OnceLock<Row>>,
    /// Room for tiles, and for the sums of a span.
    tiles: Spare<Row>,
    sums: Spare<Row>,
}

impl Bridge {
    /// Bytes that a tile of so many rows takes.
    pub fn tile_bytes(rows: usize) -> usize {
        (rows + 1) * size_of::<Row>()
    }

    /// Bytes that the sums of one resample of so many assets take.
    pub fn sum_bytes(assets: usize) -> usize {
        tiles(assets) * size_of::<Row>()
    }

    pub fn new(panel: &Panel, weighting: &Weighting) -> Bridge {
        let (rows, assets) = (panel.rows(), panel.assets());
        let total = weighting.total(rows) / rows as f64;
        let decay = match weighting {
            Weighting::Equal => None,
            Weighting::Exponential(decay) => Some(decay.clone()),
        };
        let mut values = vec![Lanes::default(); rows * width(assets)];
        for (padded, z) in values.chunks_exact_mut(width(assets)).zip(panel.values().chunks_exact(assets)) {
            let padded = bytemuck::cast_slice_mut::<Lanes, f64>(padded);
            padded[..assets].copy_from_slice(z);
            padded[assets] = 1.0;
        }
        let totals = vec![OnceLock::new(); tiles(assets)];
        let (arch, tiles, sums) = (Arch::new(), Spare::default(), Spare::default());
        Bridge { rows, assets, decay, total, values, arch, totals, tiles, sums }
    }

    /// Sums and packed second moments of each of the resamples, which ascend.
    pub fn sums(&self, law: &Law, resamples: Vec<u64>) -> Sums<'_> {
        let draw = |resamples: &[u64]| match &self.decay {
            None => Runs::draw(law, resamples),
            Some(decay) => Runs::draw_ageing(law, resamples, decay),
        };
        let runs: Vec<Runs> = resamples.par_chunks(DRAWN).map(draw).collect();
        let mut tiles = self.sums.lend(self.totals.len() * resamples.len());
        tiles.par_chunks_mut(resamples.len().max(1)).enumerate().for_each_init(
            || self.tiles.lend(self.rows + 1),
            |prefix, (tile, sums)| {
                let segments = segments(self.assets, tile * COLUMNS);
                let total = || self.arch.dispatch(Total { bridge: self, segments: &segments });
                let total = self.totals[tile].get_or_init(total);
                let (segments, runs) = (&segments[..], &runs[..]);
                if self.decay.is_some() {
                    self.arch.dispatch(SumTile::<true> { bridge: self, segments, total, runs, prefix, sums });
                } else {
                    self.arch.dispatch(SumTile::<false> { bridge: self, segments, total, runs, prefix, sums });
                }
            },
        );
        Sums { resamples, columns: columns(self.assets), tiles }
    }
}

/// Columns of q: n sums, then packed second moments.
const fn columns(assets: usize) -> usize {
    assets + packed(assets)
}

fn tiles(assets: usize) -> usize {
    columns(assets).div_ceil(COLUMNS)
}

/// Vectors of a padded row.
const fn width(assets: usize) -> usize {
    assets / LANES + 2
}

/// Columns of a tile that are products of one number with a run of others.
struct Segment {
    /// Its first column in the tile.
    at: usize,
    /// Positions in a padded row: of the one, and of the first of the others.
    own: usize,
    first: usize,
    /// Vectors that hold the run; what is beyond it belongs to the next segment, or to nobody.
    vectors: usize,
}

/// The segments, in order, of the tile whose columns start at `from`.
fn segments(assets: usize, from: usize) -> Vec<Segment> {
    let to = from + COLUMNS;
    // q = (1 z, z_0 z_0, z_1 (z_0, z_1), ...).
    let runs = std::iter::once((assets, 0, assets)).chain((0..assets).map(|i| (i, assets + packed(i), i + 1)));
    let overlaps = runs.filter(|(_, start, length)| *start < to && start + length > from);
    let segment = |(own, start, length): (usize, usize, usize)| {
        let (low, high) = (start.max(from), (start + length).min(to));
        Segment { at: low - from, own, first: low - start, vectors: (high - low).div_ceil(LANES) }
    };
    overlaps.map(segment).collect()
}

/// The rows of the bridge at a run's start and at its end, and what they count.
#[derive(Debug, Clone, Copy)]
struct Run {
    start: u32,
    end: u32,
    head: f64,
    tail: f64,
}

/// The runs of a few resamples.
struct Runs {
    runs: Vec<Run>,
    /// Those of each resample.
    ranges: Vec<Range<usize>>,
}

impl Runs {
    fn draw(law: &Law, resamples: &[u64]) -> Runs {
        let (mut runs, mut ranges) = (Vec::new(), Vec::with_capacity(resamples.len()));
        for &resample in resamples {
            let first = runs.len();
            law.runs(resample, |start, length| {
                let end = start + length;
                let end = if end > law.rows { end - law.rows } else { end };
                runs.push(Run { start, end, head: 1.0, tail: 1.0 });
            });
            ranges.push(first..runs.len());
        }
        Runs { runs, ranges }
    }

    /// The same where rows count by their age; those too old to count are left out.
    fn draw_ageing(law: &Law, resamples: &[u64], decay: &Decay) -> Runs {
        let (mut runs, mut ranges) = (Vec::new(), Vec::with_capacity(resamples.len()));
        for &resample in resamples {
            let first = runs.len();
            // The age of the row before the next.
            let mut age = law.rows;
            law.runs(resample, |start, length| {
                let before = length.min(law.rows - start);
                for (start, rows) in [(start, before), (0, length - before)] {
                    let head = decay.weight(age as usize);
                    age -= rows;
                    if rows > 0 && (age as usize) < decay.ages() {
                        runs.push(Run { start, end: start + rows, head, tail: decay.weight(age as usize) });
                    }
                }
            });
            ranges.push(first..runs.len());
        }
        Runs { runs, ranges }
    }
}

/// One tile: its prefix sums, then for each resample T mean q + sum over runs of B_e - B_s, or W mean q + sum over runs of
/// tail G_e - head G_s.
struct SumTile<'a, const DECAYS: bool> {
    bridge: &'a Bridge,
    segments: &'a [Segment],
    total: &'a Row,
    runs: &'a [Runs],
    /// Room for T + 1 rows.
    prefix: &'a mut [Row],
    sums: &'a mut [Row],
}

impl<const DECAYS: bool> WithSimd for SumTile<'_, DECAYS> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let SumTile { bridge, segments, total, runs, prefix, sums } = self;
        let v = LANES / S::F64_LANES;
        prefixes(simd, bridge, segments, total, prefix);
        let total = if DECAYS { &total.map(|lanes| Lanes(lanes.0.map(|x| x * bridge.total))) } else { total };
        let resamples = runs.iter().flat_map(|runs| runs.ranges.iter().map(move |range| (runs, range)));
        for ((runs, range), sums) in resamples.zip(sums) {
            let mut all = [simd.splat_f64s(0.0); COLUMNS];
            all[..TILE * v].copy_from_slice(vectors::<S>(total));
            for run in &runs.runs[range.clone()] {
                let head = vectors::<S>(&prefix[run.start as usize]);
                let tail = vectors::<S>(&prefix[run.end as usize]);
                let (of_head, of_tail) = (simd.splat_f64s(run.head), simd.splat_f64s(run.tail));
                for k in 0..TILE * v {
                    if DECAYS {
                        all[k] = simd.negate_mul_add_e_f64s(head[k], of_head, all[k]);
                        all[k] = simd.mul_add_e_f64s(tail[k], of_tail, all[k]);
                    } else {
                        all[k] = simd.add_f64s(all[k], simd.sub_f64s(tail[k], head[k]));
                    }
                }
            }
            vectors_mut::<S>(sums).copy_from_slice(&all[..TILE * v]);
        }
    }
}

/// Rows of q that are made before they are summed: a vector that was stored in two parts is read late.
const BATCH: usize = 8;

/// T times mean q of a tile: what the runs of a resample add up to beside their ends.
struct Total<'a> {
    bridge: &'a Bridge,
    segments: &'a [Segment],
}

impl WithSimd for Total<'_> {
    type Output = Row;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Row {
        let Total { bridge, segments } = self;
        let width = width(bridge.assets);
        let mut q = [[Lanes::default(); TILE + 1]; BATCH];
        let mut total = Row::default();
        for z in bridge.values.chunks(BATCH * width) {
            pair_products(simd, z, width, segments, &mut q);
            for q in &q[..z.len() / width] {
                let sums = vectors_mut::<S>(&mut total).iter_mut().zip(vectors::<S>(q));
                sums.for_each(|(total, q)| *total = simd.add_f64s(*total, *q));
            }
        }
        total
    }
}

/// Fills in the rows of a tile of B, or of G.
#[inline(always)]
fn prefixes<S: Simd>(simd: S, bridge: &Bridge, segments: &[Segment], total: &Row, prefix: &mut [Row]) {
    let (rows, width) = (bridge.rows, width(bridge.assets));
    let mut q = [[Lanes::default(); TILE + 1]; BATCH];
    let mean = total.map(|total| Lanes(total.0.map(|x| x / rows as f64)));
    let lambda = simd.splat_f64s(bridge.decay.as_ref().map_or(1.0, Decay::lambda));
    let mut row = Row::default();
    prefix[0] = row;
    for (z, prefix) in bridge.values.chunks(BATCH * width).zip(prefix[1..].chunks_mut(BATCH)) {
        pair_products(simd, z, width, segments, &mut q);
        for (q, prefix) in q.iter().zip(prefix) {
            let sums = vectors_mut::<S>(&mut row).iter_mut().zip(vectors::<S>(q)).zip(vectors::<S>(&mean));
            sums.for_each(|((row, q), mean)| *row = simd.mul_add_e_f64s(*row, lambda, simd.sub_f64s(*q, *mean)));
            *prefix = row;
        }
    }
    if bridge.decay.is_none() {
        prefix[rows] = Row::default();
    }
}

/// q of a few rows, for the columns of a tile and some that mean nothing.
#[inline(always)]
fn pair_products<S: Simd>(
    simd: S,
    rows: &[Lanes],
    width: usize,
    segments: &[Segment],
    q: &mut [[Lanes; TILE + 1]; BATCH],
) {
    for segment in segments {
        let length = segment.vectors * LANES;
        for (z, q) in rows.chunks_exact(width).zip(&mut *q) {
            let z = bytemuck::cast_slice::<Lanes, f64>(z);
            let q = &mut bytemuck::cast_slice_mut::<Lanes, f64>(q)[segment.at..segment.at + length];
            let own = simd.splat_f64s(z[segment.own]);
            let others = S::as_simd_f64s(&z[segment.first..segment.first + length]).0;
            let products = S::as_mut_simd_f64s(q).0.iter_mut().zip(others);
            products.for_each(|(product, other)| *product = simd.mul_f64s(own, *other));
        }
    }
}

/// Sums and second moments of resamples, tile by tile.
#[derive(Debug)]
pub struct Sums<'a> {
    /// In ascending order.
    resamples: Vec<u64>,
    /// Columns of q: n sums, then packed second moments.
    columns: usize,
    /// Of each tile, a row for each resample.
    tiles: Loan<'a, Row>,
}

impl Sums<'_> {
    /// The moments of one resample.
    pub fn copy(&self, resample: u64, moments: &mut [f64]) {
        let position = self.position(resample);
        for (tile, moments) in self.tiles().zip(moments[..self.columns].chunks_mut(COLUMNS)) {
            moments.copy_from_slice(&row(tile, position)[..moments.len()]);
        }
    }

    /// Those of eight, a lane each.
    pub fn interleave(&self, resamples: &[u64; LANES], moments: &mut [Lanes]) {
        let positions = resamples.map(|resample| self.position(resample));
        for (tile, moments) in self.tiles().zip(moments[..self.columns].chunks_mut(COLUMNS)) {
            interleave(&positions.map(|position| row(tile, position)), moments);
        }
    }

    fn tiles(&self) -> impl Iterator<Item = &[Row]> {
        self.tiles.chunks(self.resamples.len())
    }

    fn position(&self, resample: u64) -> usize {
        self.resamples.binary_search(&resample).expect("sums are asked for the resamples they were made of")
    }
}

/// The columns of one resample in a tile.
fn row(tile: &[Row], position: usize) -> &[f64] {
    bytemuck::cast_slice(&tile[position])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::covariance::moments;
    use crate::panel::{Labels, Returns};
    use crate::resample::Scheme;
    use crate::sampling::Rows;

    #[test]
    fn sums_by_the_ends_of_blocks_are_sums_over_their_rows() {
        // Widths below, at and above those of vectors and tiles.
        for (rows, n) in [(30, 1), (61, 2), (64, 7), (50, 8), (200, 31), (90, 50)] {
            let values: Vec<f64> = (0..rows * n).map(|at| ((at * at) as f64).sin() + (at / n) as f64 * 0.01).collect();
            let assets = (0..n).map(|i| i.to_string()).collect();
            let panel = Panel::new(&Returns { assets, labels: Labels::Text(Vec::new()), values }).unwrap();
            let law = Law::new(Scheme::Stationary, 9.0, rows, 5, 0).unwrap();
            let drawn = Rows::Resampled { law, resamples: u64::MAX };
            for weighting in [Weighting::Equal, Weighting::exponential(0.4, rows), Weighting::exponential(25.0, rows)] {
                let bridge = Bridge::new(&panel, &weighting);
                // With gaps: resamples need not be neighbours.
                let span: Vec<u64> = (3..3 + DRAWN as u64 + 2).map(|at| at * at).collect();
                let all = bridge.sums(&law, span.clone());
                let mut weights = vec![0.0; rows];
                let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
                let mut found = vec![0.0; n + packed(n)];
                for resample in span {
                    drawn.weights(resample, &weighting, &mut weights);
                    moments(panel.values(), &weights, &mut sums, &mut products, &mut Vec::new());
                    all.copy(resample, &mut found);
                    for (found, expected) in found.iter().zip(sums.iter().chain(&products)) {
                        // Standardised returns: sums of T numbers of the order of one.
                        assert!((found - expected).abs() <= 1e-13 * rows as f64, "n = {n}: {found} {expected}");
                    }
                    // Alone as among others.
                    let mut alone = vec![0.0; n + packed(n)];
                    bridge.sums(&law, vec![resample]).copy(resample, &mut alone);
                    assert_eq!(alone, found, "n = {n}");
                }
            }
        }
    }
}
