//! The f32 correlations of a covariance in f64, and whether it can be one, in a single pass.

use pulp::Simd;

use super::{LINE, Line, Mixed};
use crate::lanes::{LANES, Lanes, vectors_mut};

/// Differences between C r and C' r, and excesses of correlations over one, that need no closer look: above the rounding
/// of thousands of assets, and below what [`super::validity`] lets pass.
const ROUNDING: f64 = 1e-11;

/// Correlations in f32, volatilities, and the row sums of C, in one pass over the covariance. Returns how far C r is from
/// C' r for fixed r, which tells without a transpose whether S is symmetric (Freivalds 1979); none where S needs a closer
/// look.
#[inline(always)]
pub(super) fn scale<S: Simd>(simd: S, room: &mut Mixed, covariance: &[f64]) -> Option<f64> {
    let Mixed { assets: n, correlation, volatilities, inverses, sums, probe, rows, columns, scaled, .. } = room;
    let n = *n;
    let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
    for i in 0..n {
        let variance = covariance[i * n + i];
        if !(variance > 0.0) {
            return None;
        }
        smallest = smallest.min(variance);
        largest = largest.max(variance);
        volatilities[i] = variance.sqrt();
        inverses[i] = volatilities[i].recip();
    }
    // Volatilities far apart are looked at elsewhere, and so is whatever cannot be divided by safely.
    if !(largest * 1e-20 < smallest && smallest > 1e-200 && largest < 1e200) {
        return None;
    }
    columns.fill(0.0);
    let mut beyond = [simd.splat_f64s(0.0); LANES];
    for (i, (row, singles)) in
        covariance.chunks_exact(n).zip(correlation.chunks_exact_mut(n.div_ceil(LINE))).enumerate()
    {
        let whole = n - n % LANES;
        let mut rest = Lanes::default();
        rest.0[..n - whole].copy_from_slice(&row[whole..]);
        let mut line = ScaledRow {
            own: simd.splat_f64s(inverses[i]),
            weight: simd.splat_f64s(inverses[i] * probe[i]),
            dot: [simd.splat_f64s(0.0); LANES],
            sum: [simd.splat_f64s(0.0); LANES],
            beyond,
        };
        line.add(simd, &row[..whole], &inverses[..whole], &probe[..whole], &mut columns[..whole], &mut scaled[..whole]);
        if whole < n {
            let end = whole..whole + LANES;
            line.add(
                simd,
                &rest.0,
                &inverses[end.clone()],
                &probe[end.clone()],
                &mut columns[end.clone()],
                &mut scaled[end],
            );
        }
        beyond = line.beyond;
        rows[i] = total(simd, &line.dot) * inverses[i];
        sums[i] = total(simd, &line.sum) * inverses[i];
        let singles = bytemuck::cast_slice_mut::<Line, f32>(&mut singles[..=i / LINE]);
        for (single, c) in singles.iter_mut().zip(scaled.iter()) {
            *single = *c as f32;
        }
        singles[i..].fill(0.0);
    }
    let beyond = beyond[..LANES / S::F64_LANES].iter().map(|&b| simd.reduce_max_f64s(b)).fold(0.0, f64::max);
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

/// What is known of a row of correlations.
struct ScaledRow<S: Simd> {
    /// 1 / sigma_i, and r_i.
    own: S::f64s,
    weight: S::f64s,
    dot: [S::f64s; LANES],
    sum: [S::f64s; LANES],
    /// The largest of all rows.
    beyond: [S::f64s; LANES],
}

impl<S: Simd> ScaledRow<S> {
    /// Takes whole groups of [`LANES`] entries further.
    #[inline(always)]
    fn add(&mut self, simd: S, row: &[f64], inverses: &[f64], probe: &[f64], columns: &mut [f64], scaled: &mut [f64]) {
        let v = LANES / S::F64_LANES;
        let (row, inverses) = (S::as_simd_f64s(row).0, S::as_simd_f64s(inverses).0);
        let (probe, columns) = (S::as_simd_f64s(probe).0, S::as_mut_simd_f64s(columns).0);
        let scaled = S::as_mut_simd_f64s(scaled).0;
        for first in (0..row.len()).step_by(v) {
            for k in 0..v {
                let at = first + k;
                let s = simd.mul_f64s(row[at], inverses[at]);
                self.dot[k] = simd.mul_add_e_f64s(s, probe[at], self.dot[k]);
                self.sum[k] = simd.add_f64s(self.sum[k], s);
                columns[at] = simd.mul_add_e_f64s(row[at], self.weight, columns[at]);
                let c = simd.mul_f64s(s, self.own);
                self.beyond[k] = simd.max_f64s(self.beyond[k], simd.abs_f64s(c));
                scaled[at] = c;
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
