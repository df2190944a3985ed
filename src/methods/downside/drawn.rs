//! What each row of a history counts in a problem, and the passes over those rows.
//!
//! ```text
//! d_t = x_t - m,  m = 1/W sum_t omega_t x_t,  W = sum_t omega_t        from the mean
//! d_t = x_t + taken                                                    from zero; that was taken from the returns
//! ```

use pulp::Simd;

use super::Problem;
use super::rows::{Rows, TOGETHER};
use crate::lanes::{LANES, Lanes, vectors, vectors_mut};

/// Below this share of the squares that it is made of, a variance is computed anew, without cancellation.
const SUSPICIOUS: f64 = 1e-4;

/// What the rows are measured from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin<'a> {
    Mean,
    /// Zero, of returns from which this was taken, in the units of the values.
    Zero(&'a [f64]),
}

#[derive(Debug, Clone, Default)]
pub struct Drawn {
    /// Omega of eight rows each, then zeros.
    counts: Vec<Lanes>,
    /// What makes d_t of a row less the centre, filled up with zeros to whole vectors.
    offsets: Vec<Lanes>,
    assets: usize,
    /// sqrt(1/W sum omega d_i^2).
    sizes: Vec<f64>,
    /// W.
    total: f64,
    sums: Vec<Lanes>,
}

impl Drawn {
    /// Reads the counts of a valid problem. False where no row counts, a number is not finite, or an asset never moves
    /// from the mean.
    #[inline(always)]
    pub fn read<S: Simd>(&mut self, simd: S, problem: &Problem, origin: Origin) -> bool {
        let (rows, n) = (problem.rows, problem.budgets.len());
        self.assets = n;
        self.counts.clear();
        self.counts.resize(rows.count().div_ceil(LANES * TOGETHER) * TOGETHER, Lanes::default());
        let counts: &mut [f64] = bytemuck::cast_slice_mut(&mut self.counts);
        counts[..rows.count()].copy_from_slice(problem.counts);
        self.total = self.counts.iter().map(sum).sum();
        if !(self.total > 0.0) {
            return false;
        }
        self.offsets.clear();
        self.offsets.resize(n.div_ceil(LANES), Lanes::default());
        self.sizes.resize(n, 0.0);
        self.moments(simd, rows);
        for i in 0..n {
            let (mean, square) = (sum(&self.sums[i]) / self.total, sum(&self.sums[n + i]) / self.total);
            // 1/W sum omega (x + o)^2, which may cancel.
            let offset = match origin {
                Origin::Mean => -mean,
                Origin::Zero(taken) => rows.centre()[i] + taken[i],
            };
            self.offsets[i / LANES].0[i % LANES] = offset;
            let size = square + offset * (2.0 * mean + offset);
            let plain = size > SUSPICIOUS * (square + offset * offset);
            self.sizes[i] = if plain { size.sqrt() } else { self.size_of(problem, i, offset) };
            if !(self.sizes[i].is_finite() && offset.is_finite()) || origin == Origin::Mean && !(self.sizes[i] > 0.0) {
                return false;
            }
        }
        true
    }

    /// sums_i = sum_t omega_t x_ti and sums_(n + i) = sum_t omega_t x_ti^2.
    #[inline(always)]
    fn moments<S: Simd>(&mut self, simd: S, rows: &Rows) {
        let (n, v) = (rows.assets(), LANES / S::F64_LANES);
        self.sums.clear();
        self.sums.resize(2 * n, Lanes::default());
        let (first, second) = self.sums.split_at_mut(n);
        let (first, second) = (vectors_mut::<S>(first), vectors_mut::<S>(second));
        for (counts, four) in self.counts.as_chunks::<TOGETHER>().0.iter().zip(rows.fours()) {
            let (counts, four) = (vectors::<S>(counts), vectors::<S>(four));
            for k in 0..v {
                for i in 0..n {
                    let (mut sum, mut square) = (first[i * v + k], second[i * v + k]);
                    for b in 0..TOGETHER {
                        let x = four[(b * n + i) * v + k];
                        let weighted = simd.mul_f64s(counts[b * v + k], x);
                        sum = simd.add_f64s(sum, weighted);
                        square = simd.mul_add_e_f64s(weighted, x, square);
                    }
                    (first[i * v + k], second[i * v + k]) = (sum, square);
                }
            }
        }
    }

    /// sqrt(1/W sum omega (x + o)^2), term by term; zero where the rows that count are all the same and o is their
    /// mean.
    #[cold]
    fn size_of(&self, problem: &Problem, asset: usize, offset: f64) -> f64 {
        let drawn = || (0..).zip(problem.counts).filter(|(_, count)| **count > 0.0);
        let value = |row: usize| problem.rows.row(row)[asset];
        let first = drawn().map(|(row, _)| value(row)).next().unwrap_or_default();
        if drawn().all(|(row, _)| value(row) == first) {
            // The mean of equal numbers may be off by rounding.
            let size = (first + offset).abs();
            return if size <= 1e-12 * first.abs() { 0.0 } else { size };
        }
        let squares: f64 = drawn().map(|(row, count)| count * (value(row) + offset).powi(2)).sum();
        (squares / self.total).sqrt()
    }

    /// What the rows count, then zeros.
    pub fn counts(&self) -> &[Lanes] {
        &self.counts
    }

    pub fn total(&self) -> f64 {
        self.total
    }

    pub fn sizes(&self) -> &[f64] {
        &self.sizes
    }

    /// What makes d_t of a row less the centre.
    #[inline(always)]
    pub fn offsets(&self) -> &[f64] {
        &bytemuck::cast_slice(&self.offsets)[..self.assets]
    }

    /// The same, filled up with zeros.
    #[inline(always)]
    pub fn padded_offsets(&self) -> &[Lanes] {
        &self.offsets
    }

    /// d of a row.
    #[inline(always)]
    pub fn row<'a>(&'a self, rows: &'a Rows, row: usize) -> impl Iterator<Item = f64> + 'a {
        rows.row(row).iter().zip(self.offsets()).map(|(x, offset)| x + offset)
    }

    /// sum_i y_i size_i: what cancels in d_t'y.
    #[inline(always)]
    pub fn size(&self, y: &[f64]) -> f64 {
        y.iter().zip(&self.sizes).map(|(y, size)| y * size).sum()
    }

    /// o'y.
    #[inline(always)]
    fn offset(&self, y: &[f64]) -> f64 {
        y.iter().zip(self.offsets()).map(|(y, offset)| y * offset).sum()
    }

    /// losses = -d'y, of all rows.
    #[inline(always)]
    pub fn losses<S: Simd>(&self, simd: S, rows: &Rows, y: &[f64], losses: &mut Vec<Lanes>) {
        let v = LANES / S::F64_LANES;
        losses.resize(self.counts.len(), Lanes::default());
        let start = simd.splat_f64s(self.offset(y));
        for (losses, four) in losses.as_chunks_mut::<TOGETHER>().0.iter_mut().zip(rows.fours()) {
            let (losses, four) = (vectors_mut::<S>(losses), vectors::<S>(four));
            for k in 0..v {
                let totals = outcomes(simd, four, k, y, start);
                for b in 0..TOGETHER {
                    losses[b * v + k] = simd.neg_f64s(totals[b]);
                }
            }
        }
    }

    /// What falls short of zero: `outcomes` = d'y, `sums`_i = sum_t omega_t min(d_t'y, 0) x_ti and, last,
    /// sum_t omega_t min(d_t'y, 0). Returns sum_t omega_t min(d_t'y, 0)^2.
    #[inline(always)]
    pub fn shortfalls<S: Simd>(
        &self,
        simd: S,
        rows: &Rows,
        y: &[f64],
        outcomes: &mut Vec<Lanes>,
        sums: &mut Vec<Lanes>,
    ) -> f64 {
        let (n, v, zero) = (y.len(), LANES / S::F64_LANES, simd.splat_f64s(0.0));
        outcomes.resize(self.counts.len(), Lanes::default());
        sums.clear();
        sums.resize(n + 1, Lanes::default());
        let sums = vectors_mut::<S>(sums);
        let mut squares = zero;
        let start = simd.splat_f64s(self.offset(y));
        let fours = outcomes.as_chunks_mut::<TOGETHER>().0.iter_mut().zip(self.counts.as_chunks::<TOGETHER>().0);
        for ((outcomes, counts), four) in fours.zip(rows.fours()) {
            let (outcomes, counts, four) = (vectors_mut::<S>(outcomes), vectors::<S>(counts), vectors::<S>(four));
            for k in 0..v {
                let totals = self::outcomes(simd, four, k, y, start);
                let mut short = totals;
                for b in 0..TOGETHER {
                    outcomes[b * v + k] = totals[b];
                    let below = simd.min_f64s(totals[b], zero);
                    short[b] = simd.mul_f64s(counts[b * v + k], below);
                    squares = simd.mul_add_e_f64s(short[b], below, squares);
                    sums[n * v + k] = simd.add_f64s(sums[n * v + k], short[b]);
                }
                for i in 0..n {
                    // Two chains, so that neither waits for the other.
                    let (mut even, mut odd) = (sums[i * v + k], zero);
                    for b in (0..TOGETHER).step_by(2) {
                        even = simd.mul_add_e_f64s(short[b], four[(b * n + i) * v + k], even);
                        odd = simd.mul_add_e_f64s(short[b + 1], four[((b + 1) * n + i) * v + k], odd);
                    }
                    sums[i * v + k] = simd.add_f64s(even, odd);
                }
            }
        }
        simd.reduce_sum_f64s(squares)
    }

    /// out_i = sum_t weight_t d_ti, over some rows.
    #[inline(always)]
    pub fn weigh<S: Simd>(
        &self,
        simd: S,
        rows: &Rows,
        weights: impl Iterator<Item = (u32, f64)>,
        room: &mut Vec<Lanes>,
        out: &mut [f64],
    ) {
        room.clear();
        room.resize(self.offsets.len(), Lanes::default());
        let sums = vectors_mut::<S>(room);
        let mut total = 0.0;
        for (row, weight) in weights {
            total += weight;
            let weight = simd.splat_f64s(weight);
            for (sum, x) in sums.iter_mut().zip(vectors::<S>(rows.padded(row as usize))) {
                *sum = simd.mul_add_e_f64s(weight, *x, *sum);
            }
        }
        let sums: &[f64] = bytemuck::cast_slice(room);
        for ((out, sum), offset) in out.iter_mut().zip(sums).zip(self.offsets()) {
            *out = sum + total * offset;
        }
    }
}

/// o'y + x'y of some blocks side by side, for vector `k` of each.
#[inline(always)]
fn outcomes<S: Simd>(simd: S, blocks: &[S::f64s], k: usize, y: &[f64], start: S::f64s) -> [S::f64s; TOGETHER] {
    let (n, v) = (y.len(), LANES / S::F64_LANES);
    let mut totals = [start; TOGETHER];
    for (i, &y) in y.iter().enumerate() {
        let y = simd.splat_f64s(y);
        for b in 0..TOGETHER {
            totals[b] = simd.mul_add_e_f64s(y, blocks[(b * n + i) * v + k], totals[b]);
        }
    }
    totals
}

/// The lanes together, in a fixed order.
#[inline(always)]
pub fn sum(lanes: &Lanes) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes.0;
    ((a + b) + (c + d)) + ((e + f) + (g + h))
}
