//! Weighted second moments of some rows: what curves a measure of losses.
//!
//! ```text
//! M_ij += sum_r d_ri (weight_r d_rj)        for eight rows r at a time, j in vectors of eight, i >= the first j
//! ```

use super::drawn::Drawn;
use crate::lanes::{LANES, Lanes};

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

    /// Adds the rows at these positions, with these weights.
    #[inline(always)]
    pub fn add(&mut self, drawn: &Drawn, values: &[f64], rows: &[(u32, f64)]) {
        let width = self.assets.div_ceil(LANES);
        for eight in rows.chunks(ROWS) {
            let mut weights = [0.0; ROWS];
            for (r, &(position, weight)) in eight.iter().enumerate() {
                weights[r] = weight;
                let out: &mut [f64] = bytemuck::cast_slice_mut(&mut self.rows[r * width..(r + 1) * width]);
                for (out, d) in out.iter_mut().zip(drawn.row(values, position as usize)) {
                    *out = d;
                }
            }
            self.add_eight(&weights);
        }
    }

    /// Rows of no weight may be left from before.
    #[inline(always)]
    fn add_eight(&mut self, weights: &[f64; ROWS]) {
        let (n, width) = (self.assets, self.assets.div_ceil(LANES));
        for j in 0..width {
            let mut weighted = [[0.0; LANES]; ROWS];
            let mut factors: [&[f64]; ROWS] = [&[]; ROWS];
            for r in 0..ROWS {
                let row = &self.rows[r * width..(r + 1) * width];
                for l in 0..LANES {
                    weighted[r][l] = weights[r] * row[j].0[l];
                }
                factors[r] = &bytemuck::cast_slice(row)[j * LANES..n];
            }
            for (i, sum) in self.sums[j * n..(j + 1) * n][j * LANES..].iter_mut().enumerate() {
                // Two chains, so that neither waits for the other.
                let (mut even, mut odd) = (sum.0, [0.0; LANES]);
                for r in (0..ROWS).step_by(2) {
                    let (a, b) = (factors[r][i], factors[r + 1][i]);
                    for l in 0..LANES {
                        even[l] += a * weighted[r][l];
                        odd[l] += b * weighted[r + 1][l];
                    }
                }
                for l in 0..LANES {
                    sum.0[l] = even[l] + odd[l];
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
