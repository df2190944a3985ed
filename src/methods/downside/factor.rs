//! Small positive definite systems, by M = U'U (Cholesky).

use crate::methods::linear::{add, dot};

/// Factorises the n x n `matrix`, of which the upper triangle is read: it becomes U, with 1 / U_ii on the diagonal.
/// False where a pivot is not positive.
#[inline(always)]
pub fn factorise(matrix: &mut [f64], n: usize) -> bool {
    for k in 0..n {
        let (above, below) = matrix.split_at_mut((k + 1) * n);
        let row = &mut above[k * n + k..];
        if !(row[0] > 0.0) {
            return false;
        }
        let scale = row[0].sqrt().recip();
        for x in &mut row[1..] {
            *x *= scale;
        }
        row[0] = scale;
        for (r, out) in below.chunks_exact_mut(n).enumerate() {
            add(&mut out[k + 1 + r..], -row[1 + r], &row[1 + r..]);
        }
    }
    true
}

/// Solves U'U x = `right` in place.
#[inline(always)]
pub fn substitute(factor: &[f64], right: &mut [f64]) {
    let n = right.len();
    for k in 0..n {
        let row = &factor[k * n + k..(k + 1) * n];
        let (first, rest) = right[k..].split_at_mut(1);
        first[0] *= row[0];
        add(rest, -first[0], &row[1..]);
    }
    for k in (0..n).rev() {
        let row = &factor[k * n + k..(k + 1) * n];
        let (first, rest) = right[k..].split_at_mut(1);
        first[0] = (first[0] - dot(&row[1..], rest)) * row[0];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hilbert_matrix_times_ones_is_solved_by_ones() {
        for n in [1, 2, 3, 5] {
            let entry = |k: usize| 1.0 / (1 + k / n + k % n) as f64;
            let mut matrix: Vec<f64> = (0..n * n).map(entry).collect();
            let mut right: Vec<f64> = matrix.chunks_exact(n).map(|row| row.iter().sum()).collect();
            assert!(factorise(&mut matrix, n));
            substitute(&matrix, &mut right);
            // Its condition is 5e5 at n = 5.
            assert!(right.iter().all(|x| (x - 1.0).abs() < 1e-10), "n = {n}: {right:?}");
        }
        assert!(!factorise(&mut [1.0, 2.0, 2.0, 1.0], 2));
        assert!(!factorise(&mut [f64::NAN], 1));
    }
}
