//! Second moments row by row, in vector arithmetic: stage `moments` of [`crate::covariance`] where blocks are short.
//!
//! ```text
//! M_ij += sum_r (c_r z_ri) z_rj        for eight rows r at a time, j in vectors of eight, i >= the first j
//! ```
//!
//! Rows that a resample does not draw cost nothing, and eight rows share each load and store of a sum.

use pulp::{Arch, Simd, WithSimd};

use crate::lanes::{LANES, Lanes, vectors, vectors_mut};
use crate::panel::Panel;

/// Rows that share a pass over the sums.
const ROWS: usize = 8;

/// A panel laid out for vector arithmetic: each row padded with zeros to whole vectors.
#[derive(Debug)]
pub struct Gram {
    assets: usize,
    /// T x ceil(n / 8).
    rows: Vec<Lanes>,
    arch: Arch,
}

/// Room to sum in.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// For each vector of columns j, the sums of all i: ceil(n / 8) x n.
    products: Vec<Lanes>,
    sums: Vec<Lanes>,
    /// c_r z_ri of the rows in work: n x 8.
    weighted: Vec<Lanes>,
}

impl Gram {
    pub fn new(panel: &Panel) -> Gram {
        let n = panel.assets();
        let rows = panel.values().chunks_exact(n).flat_map(|row| {
            row.chunks(LANES).map(|part| {
                let mut lanes = Lanes::default();
                lanes.0[..part.len()].copy_from_slice(part);
                lanes
            })
        });
        Gram { assets: n, rows: rows.collect(), arch: Arch::new() }
    }

    /// Sums, then packed second moments, of the rows taken `counts` times.
    pub fn moments(&self, counts: &[u32], room: &mut Sums, moments: &mut [f64]) {
        let (n, width) = (self.assets, self.assets.div_ceil(LANES));
        let Sums { products, sums, weighted } = room;
        products.clear();
        products.resize(width * n, Lanes::default());
        sums.clear();
        sums.resize(width, Lanes::default());
        weighted.resize(n, Lanes::default());
        let mut drawn = [(0, 0.0); ROWS];
        let mut waiting = 0;
        for (row, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            drawn[waiting] = (row, f64::from(count));
            waiting += 1;
            if waiting == ROWS {
                self.arch.dispatch(Update { gram: self, drawn: &drawn, products, sums, weighted });
                waiting = 0;
            }
        }
        if waiting > 0 {
            drawn[waiting..].fill((0, 0.0));
            self.arch.dispatch(Update { gram: self, drawn: &drawn, products, sums, weighted });
        }
        let (first, packed) = moments.split_at_mut(n);
        for (j, sum) in first.iter_mut().enumerate() {
            *sum = sums[j / LANES].0[j % LANES];
        }
        let mut at = 0;
        for i in 0..n {
            for j in 0..=i {
                packed[at + j] = products[j / LANES * n + i].0[j % LANES];
            }
            at += i + 1;
        }
    }
}

/// Adds eight rows to the sums; a row with count zero adds nothing.
struct Update<'a> {
    gram: &'a Gram,
    drawn: &'a [(usize, f64); ROWS],
    products: &'a mut [Lanes],
    sums: &'a mut [Lanes],
    weighted: &'a mut [Lanes],
}

impl WithSimd for Update<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Update { gram, drawn, products, sums, weighted } = self;
        let (n, width) = (gram.assets, gram.assets.div_ceil(LANES));
        let v = LANES / S::F64_LANES;
        let rows = drawn.map(|(row, _)| &gram.rows[row * width..(row + 1) * width]);
        for (r, (row, (_, count))) in rows.iter().zip(drawn).enumerate() {
            let values = bytemuck::cast_slice::<Lanes, f64>(row);
            for (weighted, z) in weighted.iter_mut().zip(values) {
                weighted.0[r] = count * z;
            }
        }
        for j in 0..width {
            for k in 0..v {
                let sum = &mut vectors_mut::<S>(&mut sums[j..=j])[k];
                for r in 0..ROWS {
                    *sum = simd.mul_add_e_f64s(simd.splat_f64s(drawn[r].1), vectors::<S>(&rows[r][j..=j])[k], *sum);
                }
            }
        }
        // Two columns of vectors at a time share the numbers that multiply them; the first of the two begins earlier.
        for j in (0..width).step_by(2) {
            let first = j * LANES;
            let second = (first + LANES).min(n);
            if j + 1 < width {
                add_products::<S, 1>(simd, &rows, j, &weighted[first..second], products, n, first);
                add_products::<S, 2>(simd, &rows, j, &weighted[second..], products, n, second);
            } else {
                add_products::<S, 1>(simd, &rows, j, &weighted[first..], products, n, first);
            }
        }
    }
}

/// products += sum over eight rows of c_r z_ri z_rj, for W columns of vectors j and the i from `first` on.
#[inline(always)]
fn add_products<S: Simd, const W: usize>(
    simd: S,
    rows: &[&[Lanes]; ROWS],
    j: usize,
    weighted: &[Lanes],
    products: &mut [Lanes],
    n: usize,
    first: usize,
) {
    let v = LANES / S::F64_LANES;
    let (front, back) = products[j * n..].split_at_mut(n);
    let out: [&mut [S::f64s]; 2] =
        [vectors_mut::<S>(&mut front[first..]), vectors_mut::<S>(if W > 1 { &mut back[first..n] } else { &mut [] })];
    for k in 0..v {
        let mut z = [[simd.splat_f64s(0.0); ROWS]; W];
        for w in 0..W {
            for r in 0..ROWS {
                z[w][r] = vectors::<S>(&rows[r][j + w..=j + w])[k];
            }
        }
        for (i, weighted) in weighted.iter().enumerate() {
            let at = i * v + k;
            let mut even = [simd.splat_f64s(0.0); W];
            let mut odd = [simd.splat_f64s(0.0); W];
            for w in 0..W {
                even[w] = out[w][at];
            }
            // Two chains, so that neither waits for the other.
            for r in (0..ROWS).step_by(2) {
                let (a, b) = (simd.splat_f64s(weighted.0[r]), simd.splat_f64s(weighted.0[r + 1]));
                for w in 0..W {
                    even[w] = simd.mul_add_e_f64s(a, z[w][r], even[w]);
                    odd[w] = simd.mul_add_e_f64s(b, z[w][r + 1], odd[w]);
                }
            }
            for w in 0..W {
                out[w][at] = simd.add_f64s(even[w], odd[w]);
            }
        }
    }
}
