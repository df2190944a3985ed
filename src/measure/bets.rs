//! Effective number of bets of eight portfolios at once, a lane each.
//!
//! ```text
//! C = E L E'      v = E'x       p_m = v_m^2 L_m / sum_m v_m^2 L_m       bets = exp(- sum_m p_m ln p_m)
//! ```
//!
//! Cyclic Jacobi rotations turn C into L; x is turned along, so that no eigenvector is kept.

use nalgebra::{DMatrix, DVector, SymmetricEigen};
use pulp::{Arch, Simd, WithSimd};

use crate::lanes::{LANES, Lanes, vectors_mut};

/// Convergence is quadratic: ordinary correlations take five or six sweeps.
const SWEEPS: usize = 24;

/// A lane is done when what is left beside its diagonal is below this share of it, squared.
const DONE: f64 = 1e-28;

/// From correlations (k x k) and x (k) of eight portfolios, both of which are overwritten.
pub fn effective_bets(arch: Arch, correlation: &mut [Lanes], x: &mut [Lanes]) -> Lanes {
    let k = x.len();
    arch.dispatch(Jacobi { correlation: &mut *correlation, x: &mut *x });
    let mut bets = Lanes::default();
    for lane in 0..LANES {
        let along = |m: usize| x[m].0[lane].powi(2) * correlation[m * k + m].0[lane].max(0.0);
        bets.0[lane] = number_of((0..k).map(along));
    }
    bets
}

/// Of one portfolio.
pub fn of_one(correlation: &[f64], x: &[f64]) -> f64 {
    let k = x.len();
    let eigen = SymmetricEigen::new(DMatrix::from_row_slice(k, k, correlation));
    let along = eigen.eigenvectors.tr_mul(&DVector::from_column_slice(x));
    number_of(along.iter().zip(&eigen.eigenvalues).map(|(v, l)| v * v * l.max(0.0)))
}

/// exp(- sum_m p_m ln p_m) of shares that do not sum to one yet.
fn number_of(shares: impl Iterator<Item = f64> + Clone) -> f64 {
    let total: f64 = shares.clone().sum();
    shares.filter(|&p| p > 0.0).map(|p| p / total).map(|p| -p * p.ln()).sum::<f64>().exp()
}

struct Jacobi<'a> {
    correlation: &'a mut [Lanes],
    x: &'a mut [Lanes],
}

impl WithSimd for Jacobi<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Jacobi { correlation, x } = self;
        let k = x.len();
        let v = LANES / S::F64_LANES;
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let (a, x) = (vectors_mut::<S>(correlation), vectors_mut::<S>(x));
        for part in 0..v {
            let at = |i: usize, j: usize| (i * k + j) * v + part;
            for _ in 0..SWEEPS {
                let mut beside = zero;
                for i in 0..k {
                    for j in 0..i {
                        beside = simd.mul_add_e_f64s(a[at(i, j)], a[at(i, j)], beside);
                    }
                }
                // A lane that is done turns no further: its result is its own.
                let live = simd.less_than_f64s(simd.splat_f64s(DONE), beside);
                if !(simd.reduce_max_f64s(simd.select_f64s(live, one, zero)) > 0.0) {
                    break;
                }
                for p in 0..k {
                    for q in p + 1..k {
                        let pq = a[at(p, q)];
                        let gap = simd.sub_f64s(a[at(q, q)], a[at(p, p)]);
                        let twice = simd.add_f64s(pq, pq);
                        let root = simd.sqrt_f64s(simd.mul_add_e_f64s(gap, gap, simd.mul_f64s(twice, twice)));
                        let below = simd.less_than_f64s(gap, zero);
                        let signed = simd.select_f64s(below, simd.sub_f64s(zero, root), root);
                        let denominator = simd.add_f64s(gap, signed);
                        let turns = simd.and_m64s(live, simd.less_than_f64s(zero, simd.abs_f64s(denominator)));
                        let t = simd.div_f64s(twice, simd.select_f64s(turns, denominator, one));
                        let t = simd.select_f64s(turns, t, zero);
                        let cosine = simd.div_f64s(one, simd.sqrt_f64s(simd.mul_add_e_f64s(t, t, one)));
                        let sine = simd.mul_f64s(t, cosine);
                        a[at(p, p)] = simd.negate_mul_add_e_f64s(t, pq, a[at(p, p)]);
                        a[at(q, q)] = simd.mul_add_e_f64s(t, pq, a[at(q, q)]);
                        let left = simd.select_f64s(turns, zero, pq);
                        a[at(p, q)] = left;
                        a[at(q, p)] = left;
                        for i in (0..k).filter(|&i| i != p && i != q) {
                            let (ip, iq) = (a[at(i, p)], a[at(i, q)]);
                            let turned_p = simd.negate_mul_add_e_f64s(sine, iq, simd.mul_f64s(cosine, ip));
                            let turned_q = simd.mul_add_e_f64s(sine, ip, simd.mul_f64s(cosine, iq));
                            a[at(i, p)] = turned_p;
                            a[at(p, i)] = turned_p;
                            a[at(i, q)] = turned_q;
                            a[at(q, i)] = turned_q;
                        }
                        let (xp, xq) = (x[p * v + part], x[q * v + part]);
                        x[p * v + part] = simd.negate_mul_add_e_f64s(sine, xq, simd.mul_f64s(cosine, xp));
                        x[q * v + part] = simd.mul_add_e_f64s(sine, xp, simd.mul_f64s(cosine, xq));
                    }
                }
            }
        }
    }
}
