//! Second moments row by row, in vector arithmetic: stage `moments` of [`crate::covariance`] where blocks are short.
//!
//! ```text
//! M_ij += sum_r z_ri (omega_r z_rj)        for eight rows r at a time, j in vectors of eight, i >= the first j
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
    /// Rows, and what they count.
    drawn: Vec<(u32, f64)>,
    /// For each vector of columns j, the sums of all i: ceil(n / 8) x n.
    products: Vec<Lanes>,
    sums: Vec<Lanes>,
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

    /// Sums, then packed second moments, of the rows counted `weights` times.
    pub fn moments(&self, weights: &[f64], room: &mut Sums, moments: &mut [f64]) {
        self.begin(room);
        let Sums { drawn, products, sums } = room;
        // Every row is written, and written over where it was not drawn: whether it was cannot be foretold.
        drawn.resize(weights.len() + ROWS, (0, 0.0));
        let mut found = 0;
        for (row, &weight) in (0..).zip(weights) {
            drawn[found] = (row, weight);
            found += usize::from(weight > 0.0);
        }
        // Rows that add nothing fill the last eight.
        drawn[found..found + ROWS].fill((0, 0.0));
        let drawn = &drawn[..found.next_multiple_of(ROWS)];
        self.arch.dispatch(Add { gram: self, drawn, products, sums });
        self.read(room, moments);
    }

    /// Nothing is summed yet.
    pub fn begin(&self, Sums { products, sums, .. }: &mut Sums) {
        let (n, width) = (self.assets, self.assets.div_ceil(LANES));
        products.clear();
        products.resize(width * n, Lanes::default());
        sums.clear();
        sums.resize(width, Lanes::default());
    }

    /// Adds these rows, each of them once.
    pub fn add(&self, rows: &[u32], Sums { drawn, products, sums }: &mut Sums) {
        drawn.clear();
        drawn.extend(rows.iter().map(|&row| (row, 1.0)));
        // Rows that add nothing fill the last eight.
        drawn.resize(rows.len().next_multiple_of(ROWS), (0, 0.0));
        self.arch.dispatch(Add { gram: self, drawn, products, sums });
    }

    /// What is summed: sums, then packed second moments.
    pub fn read(&self, Sums { products, sums, .. }: &Sums, moments: &mut [f64]) {
        let n = self.assets;
        let (first, packed) = moments.split_at_mut(n);
        first.copy_from_slice(&bytemuck::cast_slice(sums)[..n]);
        let mut at = 0;
        for i in 0..n {
            let (whole, rest) = packed[at..at + i + 1].as_chunks_mut();
            let mut columns = products.iter().skip(i).step_by(n);
            for (whole, products) in whole.iter_mut().zip(&mut columns) {
                *whole = products.0;
            }
            for (packed, product) in rest.iter_mut().zip(columns.flat_map(|products| products.0)) {
                *packed = product;
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
}

impl WithSimd for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Add { gram, drawn, products, sums } = self;
        for drawn in drawn.as_chunks::<ROWS>().0 {
            add_rows(simd, gram, drawn, products, sums);
        }
    }
}

#[inline(always)]
fn add_rows<S: Simd>(simd: S, gram: &Gram, drawn: &[(u32, f64); ROWS], products: &mut [Lanes], sums: &mut [Lanes]) {
    let (n, width) = (gram.assets, gram.assets.div_ceil(LANES));
    let v = LANES / S::F64_LANES;
    let (mut rows, mut weights): ([&[Lanes]; ROWS], _) = ([&[]; ROWS], [simd.splat_f64s(0.0); ROWS]);
    for (r, &(row, weight)) in drawn.iter().enumerate() {
        rows[r] = &gram.rows[row as usize * width..][..width];
        weights[r] = simd.splat_f64s(weight);
    }
    // Two columns of vectors at a time share the numbers that multiply them; the first of the two begins earlier.
    for j in (0..width).step_by(2) {
        let (first, second) = (j * LANES, ((j + 1) * LANES).min(n));
        for k in 0..v {
            let one = weigh(simd, &rows, &weights, j, k, sums);
            let (front, back) = products[j * n..].split_at_mut(n);
            let (square, front) = front[first..].split_at_mut(second - first);
            add_products(simd, &rows, [one], k, first, [square]);
            if j + 1 < width {
                let two = weigh(simd, &rows, &weights, j + 1, k, sums);
                add_products(simd, &rows, [one, two], k, second, [front, &mut back[second..n]]);
            }
        }
    }
}

/// omega_r z_rj of eight rows, for vector `k` of column `j` of vectors; sums += theirs.
#[inline(always)]
fn weigh<S: Simd>(
    simd: S,
    rows: &[&[Lanes]; ROWS],
    weights: &[S::f64s; ROWS],
    j: usize,
    k: usize,
    sums: &mut [Lanes],
) -> [S::f64s; ROWS] {
    let sum = &mut vectors_mut::<S>(&mut sums[j..=j])[k];
    let mut weighted = [*sum; ROWS];
    for r in 0..ROWS {
        weighted[r] = simd.mul_f64s(weights[r], vectors::<S>(&rows[r][j..=j])[k]);
        *sum = simd.add_f64s(*sum, weighted[r]);
    }
    weighted
}

/// products += sum over eight rows of z_ri omega_r z_rj, for i from `first` on and vector `k` of the j of W columns of
/// vectors; of those the omega_r z_rj are at hand.
#[inline(always)]
fn add_products<S: Simd, const W: usize>(
    simd: S,
    rows: &[&[Lanes]; ROWS],
    weighted: [[S::f64s; ROWS]; W],
    k: usize,
    first: usize,
    products: [&mut [Lanes]; W],
) {
    let (v, count) = (LANES / S::F64_LANES, products[0].len());
    let mut factors: [&[f64]; ROWS] = [&[]; ROWS];
    for r in 0..ROWS {
        factors[r] = &bytemuck::cast_slice(rows[r])[first..first + count];
    }
    let products = products.map(|column| &mut vectors_mut::<S>(column)[..count * v]);
    for i in 0..count {
        let at = i * v + k;
        let mut even = [simd.splat_f64s(0.0); W];
        let mut odd = [simd.splat_f64s(0.0); W];
        for w in 0..W {
            even[w] = products[w][at];
        }
        // Two chains, so that neither waits for the other.
        for r in (0..ROWS).step_by(2) {
            let (a, b) = (simd.splat_f64s(factors[r][i]), simd.splat_f64s(factors[r + 1][i]));
            for w in 0..W {
                even[w] = simd.mul_add_e_f64s(a, weighted[w][r], even[w]);
                odd[w] = simd.mul_add_e_f64s(b, weighted[w][r + 1], odd[w]);
            }
        }
        for w in 0..W {
            products[w][at] = simd.add_f64s(even[w], odd[w]);
        }
    }
}
