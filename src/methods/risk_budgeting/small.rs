//! Newton's method on eight small problems at once, a lane each, unrolled for each size: for screens, where k is small
//! and the whole of a problem stays in registers. Equal budgets b = 1/k. In relative steps u, y <- y (1 + u):
//!
//! ```text
//! M_ij = y_i C_ij y_j         g_i = sum_j M_ij          error = max_i |b - g_i| / b
//! (M + b I) u = b - g         by L D L', without square roots
//! ```
//!
//! Four or five steps from the row-sum start bring ordinary problems to rounding, where coordinate descent takes nine
//! sweeps, each a chain of k square roots and divisions. A lane that has converged stands still, so its result is that of
//! the problem by itself. What a dozen steps do not solve is left to [`super::solve`].

use pulp::{Arch, Simd, WithSimd};

use super::{FLOOR, Options};
use crate::lanes::{LANES, Lanes, vectors, vectors_mut};

/// Largest problems that are unrolled. Above, the triangle leaves the registers and coordinate descent in lanes is faster.
pub const MOST: usize = 10;

/// Problems that need more steps are hedged ones, and need damping.
const STEPS: usize = 12;

/// A step goes at most this share of the way to the boundary.
const TO_BOUNDARY: f64 = 0.9;

/// The error is measured before y is scaled to y'C y = 1, which can about double it.
const AIM: f64 = 0.25;

/// Vectors of one group of eight problems of size k: correlations below the diagonal, row by row, then volatilities.
pub const fn entries(k: usize) -> usize {
    k * (k - 1) / 2 + k
}

/// Where C_ij, j < i, stands in a group.
pub const fn at(i: usize, j: usize) -> usize {
    i * (i - 1) / 2 + j
}

/// What is found of eight problems.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Found {
    /// max_i |w_i (S w)_i / w'S w - b| / b, from the weights by a fresh product; infinite where the lane is not solved.
    pub rc_error: Lanes,
    pub volatility: Lanes,
    /// sum_i w_i sigma_i / volatility.
    pub diversification: Lanes,
    pub max_weight: Lanes,
    /// Mean over the pairs; NaN for one asset.
    pub mean_correlation: Lanes,
}

/// Solves groups of [`entries`] vectors each; writes k vectors of weights and one [`Found`] for each group.
pub fn solve(arch: Arch, k: usize, groups: &[Lanes], options: Options, weights: &mut [Lanes], found: &mut [Found]) {
    macro_rules! dispatch {
        ($($size:literal)*) => {
            match k {
                $($size => arch.dispatch(Solve::<$size> { groups, tolerance: options.tolerance, weights, found }),)*
                _ => panic!("{k} assets are too many to be unrolled"),
            }
        };
    }
    dispatch!(1 2 3 4 5 6 7 8 9 10);
}

struct Solve<'a, const K: usize> {
    groups: &'a [Lanes],
    tolerance: f64,
    weights: &'a mut [Lanes],
    found: &'a mut [Found],
}

impl<const K: usize> WithSimd for Solve<'_, K> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Solve { groups, tolerance, weights, found } = self;
        let v = LANES / S::F64_LANES;
        for ((group, weights), found) in groups.chunks_exact(entries(K)).zip(weights.chunks_exact_mut(K)).zip(found) {
            let (group, weights) = (vectors::<S>(group), vectors_mut::<S>(weights));
            for part in 0..v {
                let mut c = [[simd.splat_f64s(0.0); K]; K];
                for i in 1..K {
                    for j in 0..i {
                        c[i][j] = group[at(i, j) * v + part];
                    }
                }
                let y = newton(simd, &c, AIM * tolerance);
                let mut volatilities = y;
                for i in 0..K {
                    volatilities[i] = group[(K * (K - 1) / 2 + i) * v + part];
                }
                let (w, measures) = measure(simd, &c, &volatilities, &y, tolerance);
                for i in 0..K {
                    weights[i * v + part] = w[i];
                }
                let Found { rc_error, volatility, diversification, max_weight, mean_correlation } = found;
                let fields = [rc_error, volatility, diversification, max_weight, mean_correlation];
                for (field, measure) in fields.into_iter().zip(measures) {
                    vectors_mut::<S>(std::slice::from_mut(field))[part] = measure;
                }
            }
        }
    }
}

/// The solution with y'C y near 1, or wherever the steps end.
#[inline(always)]
fn newton<S: Simd, const K: usize>(simd: S, c: &[[S::f64s; K]; K], aim: f64) -> [S::f64s; K] {
    let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    let b = simd.splat_f64s((K as f64).recip());
    let aim = simd.splat_f64s(aim / K as f64);
    // y_i = sqrt(b) / sqrt(row sum of C) where that is positive, else sqrt(b).
    let mut sums = [one; K];
    for i in 1..K {
        for j in 0..i {
            sums[i] = simd.add_f64s(sums[i], c[i][j]);
            sums[j] = simd.add_f64s(sums[j], c[i][j]);
        }
    }
    let mut y = sums.map(|sum| {
        let positive = simd.less_than_f64s(zero, sum);
        simd.sqrt_f64s(simd.div_f64s(b, simd.select_f64s(positive, sum, one)))
    });
    for _ in 0..STEPS {
        let mut m = *c;
        let mut g = y.map(|y| simd.mul_f64s(y, y));
        let mut d = g.map(|g| simd.add_f64s(g, b));
        for i in 1..K {
            for j in 0..i {
                m[i][j] = simd.mul_f64s(simd.mul_f64s(c[i][j], y[i]), y[j]);
                g[i] = simd.add_f64s(g[i], m[i][j]);
                g[j] = simd.add_f64s(g[j], m[i][j]);
            }
        }
        let mut u = g.map(|g| simd.sub_f64s(b, g));
        let mut error = zero;
        for u in u {
            error = simd.max_f64s(simd.abs_f64s(u), error);
        }
        // Not a number is given up as well.
        let live = simd.less_than_f64s(aim, error);
        if !(simd.reduce_max_f64s(simd.select_f64s(live, one, zero)) > 0.0) {
            break;
        }
        // In place: row i of m becomes row i of L, d the reciprocals of D.
        for i in 0..K {
            for j in 0..i {
                // m_ij = L_ij D_j so far.
                let mut left = m[i][j];
                for l in 0..j {
                    left = simd.negate_mul_add_e_f64s(m[i][l], m[j][l], left);
                }
                m[i][j] = left;
            }
            for j in 0..i {
                let scaled = simd.mul_f64s(m[i][j], d[j]);
                d[i] = simd.negate_mul_add_e_f64s(scaled, m[i][j], d[i]);
                u[i] = simd.negate_mul_add_e_f64s(scaled, u[j], u[i]);
                m[i][j] = scaled;
            }
            d[i] = simd.div_f64s(one, d[i]);
        }
        for i in 0..K {
            u[i] = simd.mul_f64s(u[i], d[i]);
        }
        for i in (0..K).rev() {
            for j in 0..i {
                u[j] = simd.negate_mul_add_e_f64s(m[i][j], u[i], u[j]);
            }
        }
        let lowest = simd.splat_f64s(-TO_BOUNDARY);
        for i in 0..K {
            let step = simd.select_f64s(live, simd.max_f64s(u[i], lowest), zero);
            y[i] = simd.mul_add_e_f64s(y[i], step, y[i]);
        }
    }
    y
}

/// Weights, and what is measured of them: the fields of [`Found`].
#[inline(always)]
fn measure<S: Simd, const K: usize>(
    simd: S,
    c: &[[S::f64s; K]; K],
    volatilities: &[S::f64s; K],
    y: &[S::f64s; K],
    tolerance: f64,
) -> ([S::f64s; K], [S::f64s; 5]) {
    let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
    let (mut w, mut total) = (*y, zero);
    for i in 0..K {
        w[i] = simd.div_f64s(y[i], volatilities[i]);
        total = simd.add_f64s(total, w[i]);
    }
    let scale = simd.div_f64s(one, total);
    // The same portfolio in correlation units, from the weights as they are returned.
    let (mut x, mut undiversified, mut largest, mut largest_x) = (*y, zero, zero, zero);
    for i in 0..K {
        w[i] = simd.mul_f64s(w[i], scale);
        x[i] = simd.mul_f64s(w[i], volatilities[i]);
        undiversified = simd.add_f64s(undiversified, x[i]);
        largest = simd.max_f64s(largest, w[i]);
        largest_x = simd.max_f64s(largest_x, x[i]);
    }
    let (mut product, mut correlations) = (x, zero);
    for i in 1..K {
        for j in 0..i {
            product[i] = simd.mul_add_e_f64s(c[i][j], x[j], product[i]);
            product[j] = simd.mul_add_e_f64s(c[i][j], x[i], product[j]);
            correlations = simd.add_f64s(correlations, c[i][j]);
        }
    }
    let mut variance = zero;
    for i in 0..K {
        product[i] = simd.mul_f64s(product[i], x[i]);
        variance = simd.add_f64s(variance, product[i]);
    }
    let volatility = simd.sqrt_f64s(variance);
    let inverse = simd.div_f64s(simd.splat_f64s(K as f64), variance);
    let mut error = zero;
    for i in 0..K {
        let gap = simd.mul_add_e_f64s(product[i], inverse, simd.splat_f64s(-1.0));
        error = simd.max_f64s(error, simd.abs_f64s(gap));
    }
    // kappa <= max_i (x_i / b) sum_i x_i / variance, as in `condition::condition_bound`.
    let bound = simd.mul_f64s(simd.mul_f64s(largest_x, undiversified), inverse);
    let tolerance = simd.splat_f64s(tolerance);
    let mut good = simd.less_than_or_equal_f64s(error, tolerance);
    good = simd.and_m64s(good, simd.less_than_or_equal_f64s(simd.mul_f64s(simd.splat_f64s(FLOOR), bound), tolerance));
    good = simd.and_m64s(good, simd.less_than_f64s(zero, variance));
    let measures = [
        simd.select_f64s(good, error, simd.splat_f64s(f64::INFINITY)),
        volatility,
        simd.div_f64s(undiversified, volatility),
        largest,
        simd.mul_f64s(correlations, simd.splat_f64s(2.0 / (K * (K - 1)) as f64)),
    ];
    (w, measures)
}
