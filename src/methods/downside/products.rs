//! Weighted second moments of some rows: what curves a measure of losses.
//!
//! ```text
//! M_ij += sum_r d_ri (weight_r d_rj)        for eight rows r at a time, j in vectors of eight, i >= the first j
//! ```

use pulp::Simd;

use super::drawn::Drawn;
use super::rows::Rows;
use crate::lanes::{LANES, Lanes, vectors, vectors_mut};

/// Rows that share a pass over the sums.
const ROWS: usize = 8;

#[derive(Debug, Clone, Default)]
pub struct Products {
    assets: usize,
    /// For each vector of columns j, the sums of all i: ceil(n / 8) x n.
    sums: Vec<Lanes>,
    /// Eight rows, each filled up with zeros to whole vectors.
    rows: Vec<Lanes>,
}

impl Products {
    #[inline(always)]
    pub fn clear(&mut self, assets: usize) {
        let width = assets.div_ceil(LANES);
        self.assets = assets;
        self.sums.clear();
        self.sums.resize(width * assets, Lanes::default());
        self.rows.clear();
        self.rows.resize(ROWS * width, Lanes::default());
    }

    /// Adds these rows, with these weights.
    #[inline(always)]
    pub fn add<S: Simd>(&mut self, simd: S, drawn: &Drawn, rows: &Rows, weighted: &[(u32, f64)]) {
        let width = self.assets.div_ceil(LANES);
        for eight in weighted.chunks(ROWS) {
            let mut weights = [0.0; ROWS];
            for (r, &(row, weight)) in eight.iter().enumerate() {
                weights[r] = weight;
                let out = vectors_mut::<S>(&mut self.rows[r * width..(r + 1) * width]);
                let row = vectors::<S>(rows.padded(row as usize)).iter().zip(vectors::<S>(drawn.padded_offsets()));
                for (out, (x, offset)) in out.iter_mut().zip(row) {
                    *out = simd.add_f64s(*x, *offset);
                }
            }
            self.add_eight(simd, &weights);
        }
    }

    /// Rows of no weight may be left from before.
    #[inline(always)]
    fn add_eight<S: Simd>(&mut self, simd: S, weights: &[f64; ROWS]) {
        let (n, width, v) = (self.assets, self.assets.div_ceil(LANES), LANES / S::F64_LANES);
        for j in 0..width {
            for k in 0..v {
                let mut weighted = [simd.splat_f64s(0.0); ROWS];
                let mut factors: [&[f64]; ROWS] = [&[]; ROWS];
                for r in 0..ROWS {
                    let row = &self.rows[r * width..(r + 1) * width];
                    weighted[r] = simd.mul_f64s(simd.splat_f64s(weights[r]), vectors::<S>(row)[j * v + k]);
                    factors[r] = &bytemuck::cast_slice(row)[j * LANES..n];
                }
                let sums = vectors_mut::<S>(&mut self.sums[j * n..(j + 1) * n][j * LANES..]);
                for i in 0..n - j * LANES {
                    // Two chains, so that neither waits for the other.
                    let (mut even, mut odd) = (sums[i * v + k], simd.splat_f64s(0.0));
                    for r in (0..ROWS).step_by(2) {
                        let (a, b) = (simd.splat_f64s(factors[r][i]), simd.splat_f64s(factors[r + 1][i]));
                        even = simd.mul_add_e_f64s(a, weighted[r], even);
                        odd = simd.mul_add_e_f64s(b, weighted[r + 1], odd);
                    }
                    sums[i * v + k] = simd.add_f64s(even, odd);
                }
            }
        }
    }

    #[inline(always)]
    pub fn get(&self, i: usize, j: usize) -> f64 {
        let (i, j) = if i < j { (j, i) } else { (i, j) };
        self.sums[j / LANES * self.assets + i].0[j % LANES]
    }
}
