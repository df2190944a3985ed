//! Second moments row by row, in vector arithmetic: stage `moments` of [`crate::covariance`] where blocks are short.
//!
//! ```text
//! M_ij += sum_r (c_r z_ri) z_rj        for eight rows r at a time, j in vectors of eight, i >= the first j
//! ```
//!
//! Rows that a resample does not draw cost nothing, and eight rows share each load and store of a sum.

use std::ops::Range;

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
    /// Rows, and how often they are taken.
    drawn: Vec<(u32, f64)>,
    /// For each vector of columns j, the sums of all i: ceil(n / 8) x n.
    products: Vec<Lanes>,
    sums: Vec<Lanes>,
    /// c_r z_ri of the rows in work, row after row.
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
        let Sums { drawn, products, sums, weighted } = room;
        products.clear();
        products.resize(width * n, Lanes::default());
        sums.clear();
        sums.resize(width, Lanes::default());
        weighted.resize(ROWS * width, Lanes::default());
        drawn.clear();
        drawn.extend((0..).zip(counts).filter(|(_, count)| **count > 0).map(|(row, count)| (row, f64::from(*count))));
        // Rows that add nothing fill the last eight.
        drawn.resize(drawn.len().next_multiple_of(ROWS), (0, 0.0));
        self.arch.dispatch(Add { gram: self, drawn, products, sums, weighted });
        let (first, packed) = moments.split_at_mut(n);
        first.copy_from_slice(&bytemuck::cast_slice(sums)[..n]);
        let mut at = 0;
        for i in 0..n {
            for (j, packed) in packed[at..at + i + 1].chunks_mut(LANES).enumerate() {
                packed.copy_from_slice(&products[j * n + i].0[..packed.len()]);
            }
            at += i + 1;
        }
    }
}

/// Adds rows, eight at a time, to the sums.
struct Add<'a> {
    gram: &'a Gram,
    drawn: &'a [(u32, f64)],
    products: &'a mut [Lanes],
    sums: &'a mut [Lanes],
    weighted: &'a mut [Lanes],
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Add { gram, drawn, products, sums, weighted } = self;
        for drawn in drawn.as_chunks::<ROWS>().0 {
            add_rows(simd, gram, drawn, products, sums, weighted);
        }
    }
}

#[inline(always)]
fn add_rows<S: Simd>(
    simd: S,
    gram: &Gram,
    drawn: &[(u32, f64); ROWS],
    products: &mut [Lanes],
    sums: &mut [Lanes],
    weighted: &mut [Lanes],
) {
    let (n, width) = (gram.assets, gram.assets.div_ceil(LANES));
    let v = LANES / S::F64_LANES;
    let mut rows: [&[Lanes]; ROWS] = [&[]; ROWS];
    for (rows, (row, _)) in rows.iter_mut().zip(drawn) {
        *rows = &gram.rows[*row as usize * width..][..width];
    }
    for (weighted, (row, (_, count))) in weighted.chunks_exact_mut(width).zip(rows.iter().zip(drawn)) {
        let count = simd.splat_f64s(*count);
        for (weighted, z) in vectors_mut::<S>(weighted).iter_mut().zip(vectors::<S>(row)) {
            *weighted = simd.mul_f64s(count, *z);
        }
    }
    let mut factors: [&[f64]; ROWS] = [&[]; ROWS];
    for (factors, weighted) in factors.iter_mut().zip(weighted.chunks_exact(width)) {
        *factors = &bytemuck::cast_slice(weighted)[..n];
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
        if j + 1 < width {
            add_products::<S, 1>(simd, &rows, j, &factors, products, first..first + LANES);
            add_products::<S, 2>(simd, &rows, j, &factors, products, first + LANES..n);
        } else {
            add_products::<S, 1>(simd, &rows, j, &factors, products, first..n);
        }
    }
}

/// products += sum over eight rows of c_r z_ri z_rj, for W columns of vectors j; `factors` are the c_r z_ri.
#[inline(always)]
fn add_products<S: Simd, const W: usize>(
    simd: S,
    rows: &[&[Lanes]; ROWS],
    j: usize,
    factors: &[&[f64]; ROWS],
    products: &mut [Lanes],
    range: Range<usize>,
) {
    let v = LANES / S::F64_LANES;
    let n = factors[0].len();
    let (front, back) = products[j * n..].split_at_mut(n);
    let back = if W > 1 { &mut back[range.clone()] } else { &mut [] };
    let out: [&mut [S::f64s]; 2] = [vectors_mut::<S>(&mut front[range.clone()]), vectors_mut::<S>(back)];
    let mut factors = *factors;
    for factors in &mut factors {
        *factors = &factors[range.clone()];
    }
    for k in 0..v {
        let mut z = [[simd.splat_f64s(0.0); ROWS]; W];
        for w in 0..W {
            for r in 0..ROWS {
                z[w][r] = vectors::<S>(&rows[r][j + w..=j + w])[k];
            }
        }
        for i in 0..range.len() {
            let at = i * v + k;
            let mut even = [simd.splat_f64s(0.0); W];
            let mut odd = [simd.splat_f64s(0.0); W];
            for w in 0..W {
                even[w] = out[w][at];
            }
            // Two chains, so that neither waits for the other.
            for r in (0..ROWS).step_by(2) {
                let (a, b) = (simd.splat_f64s(factors[r][i]), simd.splat_f64s(factors[r + 1][i]));
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
