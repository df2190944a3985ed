//! The f32 correlations of a matrix in f64, and whether it can be a covariance, in a single pass.

use pulp::{Simd, WithSimd};

use super::{BLOCK, LINE, Line, Mixed};
use crate::lanes::{LANES, Lanes, prefetch, vectors_mut};

/// Differences between C r and C' r, and excesses of correlations over one, that need no closer look: above the rounding
/// of thousands of assets, and below what [`super::validity`] lets pass.
const ROUNDING: f64 = 1e-11;

/// How far beyond the next rows memory is asked for.
const AHEAD: usize = 512;

/// Correlations in f32, volatilities, and C r for fixed r about one, in one pass over the matrix. `PROBED`: returns how far
/// C r is from C' r, which tells without a transpose whether the matrix is symmetric (Freivalds 1979); none where it needs
/// a closer look. Else it is taken for symmetric, and zero is returned.
pub(super) struct Scale<'a, const PROBED: bool> {
    pub room: &'a mut Mixed,
    pub matrix: &'a [f64],
}

impl<const PROBED: bool> WithSimd for Scale<'_, PROBED> {
    type Output = Option<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<f64> {
        let Scale { room, matrix } = self;
        let Mixed { assets: n, correlation, ahead, volatilities, inverses, probe, factors, rows, columns, .. } = room;
        let n = *n;
        let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
        for i in 0..n {
            prefetch(matrix, i * n + i);
        }
        for i in 0..n {
            let variance = matrix[i * n + i];
            if !(variance > 0.0) {
                return None;
            }
            smallest = smallest.min(variance);
            largest = largest.max(variance);
            volatilities[i] = variance.sqrt();
            inverses[i] = volatilities[i].recip();
            factors[i] = inverses[i] * probe[i];
        }
        // Volatilities far apart are looked at elsewhere, and so is whatever cannot be divided by safely.
        if !(largest * 1e-20 < smallest && smallest > 1e-200 && largest < 1e200) {
            return None;
        }
        columns.fill(0.0);
        let mut pass = Pass { simd, inverses, factors, rows, columns, beyond: [simd.splat_f64s(0.0); LANES] };
        let mut first = 0;
        while first + BLOCK <= n {
            pass.block::<PROBED, BLOCK>(matrix, correlation, ahead, first, n);
            first += BLOCK;
        }
        while first < n {
            pass.block::<PROBED, 1>(matrix, correlation, ahead, first, n);
            first += 1;
        }
        let beyond = pass.beyond[..LANES / S::F64_LANES].iter().map(|&b| simd.reduce_max_f64s(b)).fold(0.0, f64::max);
        for i in 0..n {
            rows[i] *= inverses[i];
        }
        if !PROBED {
            return Some(0.0);
        }
        let mut asymmetry = 0.0_f64;
        for i in 0..n {
            let gap = (rows[i] - columns[i] * inverses[i]).abs();
            // What is not a number fails, too.
            if !(gap <= ROUNDING) {
                return None;
            }
            asymmetry = asymmetry.max(gap);
        }
        (beyond <= 1.0 + ROUNDING).then_some(asymmetry)
    }
}

/// A pass over the matrix S, some rows at a time.
struct Pass<'a, S: Simd> {
    simd: S,
    inverses: &'a [f64],
    /// r / sigma.
    factors: &'a [f64],
    /// S (r / sigma), and what the rows so far contribute to S' (r / sigma).
    rows: &'a mut [f64],
    columns: &'a mut [f64],
    /// The largest correlation so far, in any lane.
    beyond: [S::f64s; LANES],
}

/// What is at hand of W rows.
struct Block<S: Simd, const W: usize> {
    /// 1 / sigma_i and r_i / sigma_i, in every lane.
    own: [S::f64s; W],
    factor: [S::f64s; W],
    /// Dot products with r / sigma.
    dot: [[S::f64s; LANES]; W],
}

impl<S: Simd> Pass<'_, S> {
    /// Takes W rows of n, the first of them row `first`.
    #[inline(always)]
    fn block<const PROBED: bool, const W: usize>(
        &mut self,
        matrix: &[f64],
        correlation: &mut [Line],
        ahead: &mut [[Line; 2]],
        first: usize,
        n: usize,
    ) {
        let (simd, zero, stride) = (self.simd, self.simd.splat_f64s(0.0), n.next_multiple_of(LINE));
        let given = &matrix[first * n..];
        let kept = &mut bytemuck::cast_slice_mut(correlation)[first * stride..(first + W) * stride];
        let whole = n - n % LANES;
        // To the end of the line that follows that of the diagonals.
        let split = (first / LINE * LINE + 2 * LINE).min(whole);
        let mut block = Block { own: [zero; W], factor: [zero; W], dot: [[zero; LANES]; W] };
        let (mut lower, mut upper): ([&[f64]; W], [&[f64]; W]) = ([&[]; W], [&[]; W]);
        let mut rest = [Lanes::default(); W];
        for r in 0..W {
            let row = &given[r * n..(r + 1) * n];
            block.own[r] = simd.splat_f64s(self.inverses[first + r]);
            block.factor[r] = simd.splat_f64s(self.factors[first + r]);
            lower[r] = &row[..split];
            upper[r] = &row[split..whole];
            rest[r].0[..n - whole].copy_from_slice(&row[whole..]);
        }
        let next = &given[W * n..];
        self.take::<PROBED, W, true>(&mut block, lower, next, 0, kept);
        self.take::<PROBED, W, false>(&mut block, upper, next, split, kept);
        if whole < n {
            let mut last: [&[f64]; W] = [&[]; W];
            for r in 0..W {
                last[r] = &rest[r].0;
            }
            self.take::<PROBED, W, true>(&mut block, last, next, whole, kept);
        }
        for r in 0..W {
            let (i, row) = (first + r, &mut kept[r * stride..(r + 1) * stride]);
            self.rows[i] = total(simd, &block.dot[r]);
            let line = i / LINE;
            let [own, after] = &mut ahead[i];
            own.0[i % LINE + 1..].copy_from_slice(&row[i + 1..(line + 1) * LINE]);
            if let Some(row) = row.get((line + 1) * LINE..(line + 2) * LINE) {
                after.0.copy_from_slice(row);
            }
            row[i..(line + 1) * LINE].fill(0.0);
        }
    }

    /// Takes whole groups of columns, from column `start` on, and asks for as much of the rows that come `next`. Entries of
    /// the triangle are `KEPT`; beyond it one costs a multiply-add for its row and, `PROBED`, one for its column.
    #[inline(always)]
    fn take<const PROBED: bool, const W: usize, const KEPT: bool>(
        &mut self,
        block: &mut Block<S, W>,
        entries: [&[f64]; W],
        next: &[f64],
        start: usize,
        kept: &mut [f32],
    ) {
        let (simd, v, end, stride) = (self.simd, LANES / S::F64_LANES, start + entries[0].len(), kept.len() / W);
        let (inverses, factors) =
            (S::as_simd_f64s(&self.inverses[start..end]).0, S::as_simd_f64s(&self.factors[start..end]).0);
        let columns = S::as_mut_simd_f64s(&mut self.columns[start..end]).0;
        let mut rows: [&[S::f64s]; W] = [&[]; W];
        for r in 0..W {
            rows[r] = &S::as_simd_f64s(entries[r]).0[..columns.len()];
        }
        for group in (0..columns.len()).step_by(v) {
            // W rows in turn are no stream that the processor would see: what follows them is, in its own order.
            for line in 0..W {
                prefetch(next, AHEAD + W * (start + group * S::F64_LANES) + LANES * line);
            }
            for k in 0..v {
                let (factor, mut column) = (factors[group + k], columns[group + k]);
                for r in 0..W {
                    let s = rows[r][group + k];
                    block.dot[r][k] = simd.mul_add_e_f64s(s, factor, block.dot[r][k]);
                    if PROBED {
                        column = simd.mul_add_e_f64s(s, block.factor[r], column);
                    }
                }
                columns[group + k] = column;
            }
            if KEPT {
                for r in 0..W {
                    let mut correlations = [simd.splat_f64s(0.0); LANES];
                    for k in 0..v {
                        let c = simd.mul_f64s(simd.mul_f64s(rows[r][group + k], inverses[group + k]), block.own[r]);
                        self.beyond[k] = simd.max_f64s(self.beyond[k], simd.abs_f64s(c));
                        correlations[k] = c;
                    }
                    let correlations: &[f64] = bytemuck::cast_slice(&correlations[..v]);
                    let singles = &mut kept[r * stride + start + group * S::F64_LANES..][..LANES];
                    for l in 0..LANES {
                        singles[l] = correlations[l] as f32;
                    }
                }
            }
        }
    }
}

/// The sum of eight lanes, in a fixed order.
#[inline(always)]
pub(super) fn total<S: Simd>(_: S, sums: &[S::f64s; LANES]) -> f64 {
    let mut lanes = Lanes::default();
    let v = LANES / S::F64_LANES;
    vectors_mut::<S>(std::slice::from_mut(&mut lanes)).copy_from_slice(&sums[..v]);
    let [a, b, c, d, e, f, g, h] = lanes.0;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}
