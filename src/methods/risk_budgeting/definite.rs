//! Does a correlation matrix, up to rounding, give no portfolio a negative variance? Cholesky factorisations decide
//! (Higham 2002, chapter 10): a pivoted one, after a plain one of the matrix lifted by half the rounding.
//!
//! ```text
//! L_ij = (C_ij - sum_{k<j} L_ik L_jk) / L_jj        L_ii^2 = C_ii + lift - sum_{k<i} L_ik^2 > 0
//! ```

use pulp::{Arch, Simd, WithSimd};

use crate::lanes::{LANES, Lanes, below, vectors, vectors_mut};

/// Pivots below this share of n are rounding in f64.
pub const ROUNDING: f64 = 64.0 * f64::EPSILON;

/// Pivoted Cholesky: a positive semi-definite matrix leaves nothing but `rounding` once its pivots are spent. A plain
/// Cholesky of the matrix lifted by half the rounding of f64 settles most cases at a fraction of the cost.
///
/// # Errors
/// The pivot that is negative.
pub fn check(correlation: &[f64], n: usize, rounding: f64) -> Result<(), f64> {
    if definite(Arch::new(), correlation, &vec![1.0; n], &mut Vec::new()) {
        return Ok(());
    }
    let mut rest = correlation.to_vec();
    let mut left: Vec<usize> = (0..n).collect();
    while let Some((position, pivot)) =
        left.iter().map(|&i| rest[i * n + i]).enumerate().max_by(|a, b| a.1.total_cmp(&b.1))
    {
        let lowest = left.iter().fold(f64::INFINITY, |m, &i| m.min(rest[i * n + i]));
        if lowest < -rounding {
            return Err(lowest);
        }
        if pivot <= rounding {
            let beyond = left.iter().flat_map(|&i| left.iter().map(move |&j| (i, j)));
            let largest = beyond.map(|(i, j)| rest[i * n + j].abs()).fold(0.0, f64::max);
            return if largest > 4.0 * rounding { Err(-largest) } else { Ok(()) };
        }
        let p = left.swap_remove(position);
        for &i in &left {
            let factor = rest[i * n + p] / pivot;
            for &j in &left {
                rest[i * n + j] -= factor * rest[p * n + j];
            }
        }
    }
    Ok(())
}

/// Whether the n x n matrix D S D, D = diag(`inverses`), of unit diagonal, has the plain factorisation, and so is definite;
/// else it needs a closer look. `factor` is room.
pub fn definite(arch: Arch, matrix: &[f64], inverses: &[f64], factor: &mut Vec<Lanes>) -> bool {
    let n = inverses.len();
    factor.resize(n * n.div_ceil(LANES), Lanes::default());
    arch.dispatch(FactorOne { matrix, inverses, factor })
}

struct FactorOne<'a> {
    matrix: &'a [f64],
    inverses: &'a [f64],
    /// L', row after row, each padded to whole lines; what lies left of its diagonal is of no use.
    factor: &'a mut [Lanes],
}

impl WithSimd for FactorOne<'_> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let FactorOne { matrix, inverses, factor } = self;
        let n = inverses.len();
        for (row, (given, own)) in factor.chunks_exact_mut(n.div_ceil(LANES)).zip(matrix.chunks_exact(n).zip(inverses))
        {
            let row = &mut bytemuck::cast_slice_mut::<Lanes, f64>(row)[..n];
            for ((out, s), inverse) in row.iter_mut().zip(given).zip(inverses) {
                *out = s * own * inverse;
            }
        }
        let mut first = 0;
        while first + BLOCK <= n {
            if !factor_rows::<S, BLOCK>(simd, factor, n, first) {
                return false;
            }
            first += BLOCK;
        }
        (first..n).all(|first| factor_rows::<S, 1>(simd, factor, n, first))
    }
}

/// Lines of columns that are updated together.
const LINES: usize = 2;

/// Factors the W rows of L' from `first` on: less what the rows above take away, then one after the other. False where a
/// pivot is not positive.
#[inline(always)]
fn factor_rows<S: Simd, const W: usize>(simd: S, factor: &mut [Lanes], n: usize, first: usize) -> bool {
    let width = n.div_ceil(LANES);
    let (above, rows) = factor.split_at_mut(first * width);
    let rows = &mut rows[..W * width];
    let mut line = first / LANES;
    while line + LINES <= width {
        subtract::<S, W, LINES>(simd, above, rows, width, first, line);
        line += LINES;
    }
    if line < width {
        subtract::<S, W, 1>(simd, above, rows, width, first, line);
    }
    let lift = 0.5 * ROUNDING * n as f64;
    for r in 0..W {
        let (row, below) = rows[r * width..].split_at_mut(width);
        let own = bytemuck::cast_slice::<Lanes, f64>(row);
        let pivot = own[first + r] + lift;
        if !(pivot > 0.0) {
            return false;
        }
        let scale = simd.splat_f64s(pivot.sqrt().recip());
        let row = vectors_mut::<S>(&mut row[first / LANES..]);
        row.iter_mut().for_each(|x| *x = simd.mul_f64s(*x, scale));
        let row = vectors::<S>(bytemuck::cast_slice(row));
        for (s, below) in (r + 1..W).zip(below.chunks_exact_mut(width)) {
            let factor = simd.splat_f64s(bytemuck::cast_slice::<S::f64s, f64>(row)[first % LANES + s]);
            for (out, x) in vectors_mut::<S>(&mut below[first / LANES..]).iter_mut().zip(row) {
                *out = simd.negate_mul_add_e_f64s(factor, *x, *out);
            }
        }
    }
    true
}

/// rows_r -= sum over the rows m above of L_(first + r) m L'_m, for M lines of columns.
#[inline(always)]
fn subtract<S: Simd, const W: usize, const M: usize>(
    simd: S,
    above: &[Lanes],
    rows: &mut [Lanes],
    width: usize,
    first: usize,
    line: usize,
) {
    let v = M * LANES / S::F64_LANES;
    let mut sums = [[simd.splat_f64s(0.0); LINES * LANES]; W];
    for above in above.chunks_exact(width) {
        let factors = &bytemuck::cast_slice::<Lanes, f64>(above)[first..first + W];
        let above = vectors::<S>(&above[line..line + M]);
        for r in 0..W {
            let factor = simd.splat_f64s(factors[r]);
            for k in 0..v {
                let sum = &mut sums[r][k];
                *sum = simd.mul_add_e_f64s(factor, above[k], *sum);
            }
        }
    }
    for r in 0..W {
        let row = vectors_mut::<S>(&mut rows[r * width + line..][..M]);
        for k in 0..v {
            row[k] = simd.sub_f64s(row[k], sums[r][k]);
        }
    }
}

/// The same for eight interleaved correlation matrices, given below their diagonals ([`below`]).
pub fn definite_lanes(arch: Arch, correlation: &[Lanes], n: usize, factor: &mut Vec<Lanes>) -> [bool; LANES] {
    factor.resize(n * n, Lanes::default());
    arch.dispatch(Factor { correlation, n, factor })
}

struct Factor<'a> {
    correlation: &'a [Lanes],
    n: usize,
    /// L, row after row, with 1 / L_ii on the diagonal.
    factor: &'a mut [Lanes],
}

/// Columns that share each load of L_ik.
const BLOCK: usize = 4;

impl WithSimd for Factor<'_> {
    type Output = [bool; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Factor { correlation, n, factor } = self;
        let v = LANES / S::F64_LANES;
        let lift = simd.splat_f64s(1.0 + 0.5 * ROUNDING * n as f64);
        let mut smallest = [simd.splat_f64s(f64::INFINITY); LANES];
        for i in 0..n {
            let (above, row) = factor.split_at_mut(i * n);
            let row = &mut row[..n];
            let given = &correlation[below(i)];
            let mut j = 0;
            while j + BLOCK <= i {
                eliminate::<S, BLOCK>(simd, above, n, given, row, j);
                j += BLOCK;
            }
            while j < i {
                eliminate::<S, 1>(simd, above, n, given, row, j);
                j += 1;
            }
            let row = vectors_mut::<S>(row);
            for k in 0..v {
                let mut pivot = lift;
                for j in 0..i {
                    pivot = simd.negate_mul_add_e_f64s(row[j * v + k], row[j * v + k], pivot);
                }
                // What is not a number must count as the smallest, whichever operand a minimum returns.
                let positive = simd.less_than_f64s(simd.splat_f64s(0.0), pivot);
                let pivot = simd.select_f64s(positive, pivot, simd.splat_f64s(0.0));
                smallest[k] = simd.min_f64s(smallest[k], pivot);
                row[i * v + k] = simd.div_f64s(simd.splat_f64s(1.0), simd.sqrt_f64s(pivot));
            }
        }
        let mut out = Lanes::default();
        vectors_mut::<S>(std::slice::from_mut(&mut out)).copy_from_slice(&smallest[..v]);
        out.0.map(|pivot| pivot > 0.0)
    }
}

/// L_ij of one row for the W columns from `first` on; `above` holds the rows before.
#[inline(always)]
fn eliminate<S: Simd, const W: usize>(
    simd: S,
    above: &[Lanes],
    n: usize,
    given: &[Lanes],
    row: &mut [Lanes],
    first: usize,
) {
    let v = LANES / S::F64_LANES;
    let (given, row) = (vectors::<S>(given), vectors_mut::<S>(row));
    let mut rows: [&[S::f64s]; W] = [&[]; W];
    for w in 0..W {
        rows[w] = vectors::<S>(&above[(first + w) * n..(first + w) * n + first + w + 1]);
    }
    for k in 0..v {
        let mut sums = [simd.splat_f64s(0.0); W];
        for w in 0..W {
            sums[w] = given[(first + w) * v + k];
        }
        for at in (k..first * v).step_by(v) {
            let own = row[at];
            for w in 0..W {
                sums[w] = simd.negate_mul_add_e_f64s(own, rows[w][at], sums[w]);
            }
        }
        for w in 0..W {
            for s in 0..w {
                let at = (first + s) * v + k;
                sums[w] = simd.negate_mul_add_e_f64s(row[at], rows[w][at], sums[w]);
            }
            let at = (first + w) * v + k;
            row[at] = simd.mul_f64s(sums[w], rows[w][at]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Eight correlation matrices of random loadings on n + 3 factors; lane l then gives the pair (0, 1) a correlation
    /// that some of them cannot have.
    fn matrices(n: usize, seed: u64) -> Vec<Vec<f64>> {
        let mut state = seed;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64 - 0.5
        };
        (0..LANES)
            .map(|lane| {
                let factors = n + 3;
                let loadings: Vec<f64> = (0..n * factors).map(|_| random()).collect();
                let dot = |i: usize, j: usize| -> f64 {
                    (0..factors).map(|f| loadings[i * factors + f] * loadings[j * factors + f]).sum()
                };
                let mut matrix: Vec<f64> = (0..n * n)
                    .map(|at| dot(at / n, at % n) / (dot(at / n, at / n) * dot(at % n, at % n)).sqrt())
                    .collect();
                if n > 1 && lane % 2 == 1 {
                    let pegged = 0.1 * lane as f64 + 0.29;
                    (matrix[1], matrix[n]) = (pegged, pegged);
                }
                matrix
            })
            .collect()
    }

    /// The smallest eigenvalue is positive.
    fn oracle(matrix: &[f64], n: usize) -> bool {
        nalgebra::DMatrix::from_row_slice(n, n, matrix).symmetric_eigenvalues().min() > 0.0
    }

    #[test]
    fn definite_matrices_are_those_of_positive_eigenvalues() {
        for n in [1, 2, 3, 5, 8, 21, 50] {
            let (mut definite_ones, mut others) = (0, 0);
            for seed in 0..20 {
                let matrices = matrices(n, seed);
                let pairs = (0..n).flat_map(|i| (0..i).map(move |j| i * n + j));
                let lanes: Vec<Lanes> = pairs.map(|at| Lanes(std::array::from_fn(|lane| matrices[lane][at]))).collect();
                for arch in [Arch::new(), Arch::Scalar] {
                    let found = definite_lanes(arch, &lanes, n, &mut Vec::new());
                    for (lane, matrix) in matrices.iter().enumerate() {
                        let expected = oracle(matrix, n);
                        assert_eq!(found[lane], expected, "n = {n}, seed {seed}, lane {lane}");
                        assert_eq!(
                            definite(arch, matrix, &vec![1.0; n], &mut Vec::new()),
                            expected,
                            "n = {n}, seed {seed}"
                        );
                        assert_eq!(check(matrix, n, ROUNDING * n as f64).is_ok(), expected, "n = {n}, seed {seed}");
                        definite_ones += usize::from(found[lane]);
                        others += usize::from(!found[lane]);
                    }
                }
            }
            assert!(definite_ones > 0 && (n < 3 || others > 0), "n = {n}: {definite_ones} {others}");
        }
    }

    #[test]
    fn what_is_not_a_number_is_not_definite() {
        let n = 3;
        for at in 0..n {
            let mut lanes = vec![Lanes::default(); below(n).start];
            lanes[at] = Lanes::splat(f64::NAN);
            assert_eq!(definite_lanes(Arch::new(), &lanes, n, &mut Vec::new()), [false; LANES]);
        }
    }
}
