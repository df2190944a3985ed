//! Eigenvalues of a correlation matrix, and the correlation matrix that has others in their place.
//!
//! ```text
//! C = H T H'        T tridiagonal                          (Householder, nalgebra's)
//! T = G L G'        L diagonal, G of rotations             (implicit QR, Wilkinson's shift: Parlett 1980, chapter 8)
//! V = H G           C = V L V'
//! ```
//!
//! The steps are taken here and not by nalgebra, whose own have been seen not to end on a matrix of low rank
//! (dimforge/nalgebra#1025): there, what is left beside the diagonal is compared with its neighbours, which may be
//! rounding alone. Here it is compared with the largest entry, and the number of steps is limited.

use nalgebra::{DMatrix, SymmetricTridiagonal};
use pulp::{Arch, NullaryFnOnce};

/// Steps for each eigenvalue before it is taken as it is. Fewer than two are needed in the mean.
const STEPS: usize = 30;

/// C = V L V'.
#[derive(Debug)]
pub struct Spectrum {
    /// Ascending. Rounding may leave some just below zero.
    pub values: Vec<f64>,
    /// The column of `vectors` that belongs to each value.
    columns: Vec<usize>,
    vectors: DMatrix<f64>,
}

impl Spectrum {
    /// Of a symmetric matrix, n x n.
    pub fn of(correlation: &[f64]) -> Spectrum {
        let n = correlation.len().isqrt();
        let tridiagonal = SymmetricTridiagonal::new(DMatrix::from_row_slice(n, n, correlation));
        let (mut vectors, mut diagonal, mut beside) = tridiagonal.unpack();
        Arch::new().dispatch(Diagonalise {
            diagonal: diagonal.as_mut_slice(),
            beside: beside.as_mut_slice(),
            vectors: vectors.as_mut_slice(),
        });
        let mut columns: Vec<usize> = (0..n).collect();
        columns.sort_by(|&a, &b| diagonal[a].total_cmp(&diagonal[b]));
        Spectrum { values: columns.iter().map(|&k| diagonal[k]).collect(), columns, vectors }
    }

    /// Writes the correlation of the matrix with these eigenvectors and the eigenvalues `values`, all at least zero:
    /// its diagonal is restored to one.
    ///
    /// ```text
    /// least = min_k values_k
    /// A  = least I + sum_k (values_k - least) v_k v_k'        only k with more than the least
    /// C* = A_ij / sqrt(A_ii A_jj)
    /// ```
    pub fn rebuild(&self, values: &[f64], correlation: &mut [f64]) {
        let n = values.len();
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let above: Vec<usize> = (0..n).filter(|&k| values[k] > least).collect();
        let mut factor = DMatrix::zeros(n, above.len());
        for (mut column, &k) in factor.column_iter_mut().zip(&above) {
            column.axpy((values[k] - least).sqrt(), &self.vectors.column(self.columns[k]), 0.0);
        }
        let product = &factor * factor.transpose();
        let roots: Vec<f64> = (0..n).map(|i| (product[(i, i)] + least).sqrt()).collect();
        for i in 0..n {
            for j in 0..i {
                let c = product[(j, i)] / (roots[i] * roots[j]);
                correlation[i * n + j] = c;
                correlation[j * n + i] = c;
            }
            correlation[i * n + i] = 1.0;
        }
    }
}

/// Makes a tridiagonal matrix diagonal and turns the columns of `vectors` (n x n, column after column) along.
///
/// A step from `start` to `end`, between two zeros off the diagonal, with mu the eigenvalue of its last 2 x 2 block
/// that is nearer to the last of the diagonal:
///
/// ```text
/// x = d_start - mu     z = e_start                      c = x / r     s = z / r     r = sqrt(x^2 + z^2)
/// w = s (d_{k+1} - d_k) + 2 c e_k
/// d_k += s w           d_{k+1} -= s w                   e_k = c w - e_k             e_{k-1} = r
/// x = e_k              z = s e_{k+1}                    e_{k+1} = c e_{k+1}
/// v_k = c v_k + s v_{k+1}                               v_{k+1} = c v_{k+1} - s v_k
/// ```
struct Diagonalise<'a> {
    diagonal: &'a mut [f64],
    /// Beside the diagonal: one entry less.
    beside: &'a mut [f64],
    vectors: &'a mut [f64],
}

impl NullaryFnOnce for Diagonalise<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        let Diagonalise { diagonal: d, beside: e, vectors } = self;
        let n = d.len();
        let size = d.iter().chain(&*e).fold(0.0_f64, |size, x| size.max(x.abs()));
        let negligible = f64::EPSILON * size;
        let (mut end, mut steps) = (n - 1, 0);
        while end > 0 {
            if !(e[end - 1].abs() > negligible) || steps == STEPS {
                (end, steps) = (end - 1, 0);
                continue;
            }
            steps += 1;
            let start = (1..end).rev().find(|&k| !(e[k - 1].abs() > negligible)).unwrap_or(0);
            let half = 0.5 * (d[end - 1] - d[end]);
            let last = e[end - 1];
            let shift = d[end] - last * (last / (half + (half * half + last * last).sqrt().copysign(half)));
            let (mut x, mut z) = (d[start] - shift, e[start]);
            for k in start..end {
                let r = (x * x + z * z).sqrt();
                let (c, s) = if r > 0.0 { (x / r, z / r) } else { (1.0, 0.0) };
                if k > start {
                    e[k - 1] = r;
                }
                let w = s * (d[k + 1] - d[k]) + 2.0 * c * e[k];
                d[k] += s * w;
                d[k + 1] -= s * w;
                e[k] = c * w - e[k];
                if k + 1 < end {
                    (x, z) = (e[k], s * e[k + 1]);
                    e[k + 1] *= c;
                }
                let (first, second) = vectors[k * n..(k + 2) * n].split_at_mut(n);
                for (a, b) in first.iter_mut().zip(second) {
                    (*a, *b) = (c * *a + s * *b, c * *b - s * *a);
                }
            }
        }
    }
}

#[cfg(test)]
pub mod tests {
    use super::*;

    /// Evenly spread over -1/2 to 1/2, without a pattern that matters here.
    pub fn noise(k: usize) -> f64 {
        let x = ((k + 1) as f64 * 12.9898).sin() * 43_758.545_3;
        x - x.floor() - 0.5
    }

    pub fn identity(n: usize) -> Vec<f64> {
        (0..n * n).map(|k| f64::from(u8::from(k / n == k % n))).collect()
    }

    /// Sample correlation of independent assets: of rank `rows` - 1 at most.
    pub fn correlation(n: usize, rows: usize) -> Vec<f64> {
        let columns: Vec<Vec<f64>> = (0..n)
            .map(|i| {
                let column: Vec<f64> = (0..rows).map(|t| noise(i * rows + t)).collect();
                let mean = column.iter().sum::<f64>() / rows as f64;
                let deviations: Vec<f64> = column.iter().map(|x| x - mean).collect();
                let size = deviations.iter().map(|d| d * d).sum::<f64>().sqrt();
                deviations.iter().map(|d| d / size).collect()
            })
            .collect();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        (0..n * n).map(|k| if k / n == k % n { 1.0 } else { dot(&columns[k / n], &columns[k % n]) }).collect()
    }

    /// The same where the last third of the assets is the first once more.
    pub fn twins(n: usize, rows: usize) -> Vec<f64> {
        let apart = n - n / 3;
        let matrix = correlation(n, rows);
        (0..n * n).map(|k| matrix[k / n % apart * n + k % n % apart]).collect()
    }

    /// Asserts that a matrix is symmetric with ones on its diagonal and returns its smallest eigenvalue.
    pub fn is_correlation(matrix: &[f64]) -> f64 {
        let n = matrix.len().isqrt();
        for i in 0..n {
            assert!(matrix[i * n + i] == 1.0);
            for j in 0..i {
                assert!(matrix[i * n + j] == matrix[j * n + i] && matrix[i * n + j].abs() <= 1.0 + 1e-15);
            }
        }
        Spectrum::of(matrix).values[0]
    }

    /// Largest entry of V L V' - C and of V'V - I.
    fn errors(matrix: &[f64]) -> (f64, f64) {
        let n = matrix.len().isqrt();
        let Spectrum { values, columns, vectors } = Spectrum::of(matrix);
        assert!(values.is_sorted());
        let mut diagonal = DMatrix::zeros(n, n);
        for (value, &k) in values.iter().zip(&columns) {
            diagonal[(k, k)] = *value;
        }
        let product = &vectors * diagonal * vectors.transpose() - DMatrix::from_row_slice(n, n, matrix);
        (product.amax(), (vectors.transpose() * &vectors - DMatrix::identity(n, n)).amax())
    }

    #[test]
    fn decomposes_what_it_is_given() {
        for (n, rows) in [(1, 2), (2, 2), (3, 2), (60, 2), (5, 100), (20, 7), (20, 21), (70, 300)] {
            for matrix in [correlation(n, rows), twins(n, rows), identity(n)] {
                let (back, turned) = errors(&matrix);
                // A few roundings for each row, of numbers as large as the largest eigenvalue.
                let tolerance = 4.0 * f64::EPSILON * n as f64;
                assert!(
                    back <= tolerance * n as f64 && turned <= tolerance,
                    "{n} assets, {rows} rows: {back} {turned}"
                );
            }
        }
    }

    /// Of the kind of dimforge/nalgebra#1025: few distinct rows, of zeros and ones.
    #[test]
    fn ends_on_matrices_of_zeros_and_ones() {
        for seed in 0..200 {
            let n = 33;
            let group = |i: usize| (6.0 * (0.5 + noise(seed * n + i))) as usize;
            let matrix: Vec<f64> = (0..n * n)
                .map(|k| {
                    let (i, j) = (group(k / n), group(k % n));
                    f64::from(u8::from(i > 0 && j > 0 && (i == j || i + j == 5)))
                })
                .collect();
            let (back, turned) = errors(&matrix);
            assert!(back < 1e-13 && turned < 1e-13, "{seed}: {back} {turned}");
        }
    }

    #[test]
    fn own_values_give_the_matrix_back() {
        for (n, rows) in [(1, 5), (2, 5), (30, 60), (30, 8)] {
            let matrix = correlation(n, rows);
            let spectrum = Spectrum::of(&matrix);
            let values: Vec<f64> = spectrum.values.iter().map(|value| value.max(0.0)).collect();
            let mut back = vec![0.0; n * n];
            spectrum.rebuild(&values, &mut back);
            assert!(matrix.iter().zip(&back).all(|(a, b)| (a - b).abs() < 1e-14), "{n} assets, {rows} rows");
        }
    }
}
