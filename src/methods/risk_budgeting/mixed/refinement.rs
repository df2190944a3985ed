//! Certificates in f64, and corrections of what they find.

use pulp::{Simd, WithSimd};

use super::scaling::total;
use super::sweeps::{Linear, Sweep, foretells};
use super::{BLOCK, Mixed, in_lines};
use crate::lanes::LANES;

/// Sweeps of one correction at most.
const CORRECTING_SWEEPS: u32 = 16;

/// M x, from which (max_i |x_i (M x)_i / x'M x - b_i| / b_i, x'M x). Of M the lower triangle is read, each entry for its
/// row and for its column.
pub(super) struct Certify<'a> {
    pub room: &'a mut Mixed,
    pub matrix: &'a [f64],
    pub budgets: &'a [f64],
}

impl WithSimd for Certify<'_> {
    type Output = (f64, f64);

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> (f64, f64) {
        let Certify { room, matrix, budgets } = self;
        let n = room.assets;
        let (x, product) = (&room.portfolio[..n], &mut room.product[..n]);
        product.fill(0.0);
        let mut first = 0;
        while first + BLOCK <= n {
            add_rows::<S, BLOCK>(simd, &matrix[first * n..], x, product, first);
            first += BLOCK;
        }
        while first < n {
            add_rows::<S, 1>(simd, &matrix[first * n..], x, product, first);
            first += 1;
        }
        let variance: f64 = x.iter().zip(&*product).map(|(x, p)| x * p).sum();
        let inverse = variance.recip();
        let mut largest = 0.0;
        for ((x, p), b) in x.iter().zip(&*product).zip(budgets) {
            let error = (x * p * inverse - b).abs() / b;
            largest = if error > largest { error } else { largest };
        }
        (largest, variance)
    }
}

/// product += what W rows up to the diagonal, the first of them row `first`, and their columns contribute to M x.
#[inline(always)]
fn add_rows<S: Simd, const W: usize>(simd: S, rows: &[f64], x: &[f64], product: &mut [f64], first: usize) {
    let (n, v) = (x.len(), LANES / S::F64_LANES);
    let whole = first - first % LANES;
    let mut heads: [&[S::f64s]; W] = [&[]; W];
    let mut scale = [simd.splat_f64s(0.0); W];
    for r in 0..W {
        heads[r] = S::as_simd_f64s(&rows[r * n..r * n + whole]).0;
        scale[r] = simd.splat_f64s(x[first + r]);
    }
    let mut sums = [[simd.splat_f64s(0.0); LANES]; W];
    let (others, before) = (S::as_simd_f64s(&x[..whole]).0, S::as_mut_simd_f64s(&mut product[..whole]).0);
    for group in (0..others.len()).step_by(v) {
        for k in 0..v {
            let at = group + k;
            let (other, mut p) = (others[at], before[at]);
            for r in 0..W {
                p = simd.mul_add_e_f64s(scale[r], heads[r][at], p);
                sums[r][k] = simd.mul_add_e_f64s(other, heads[r][at], sums[r][k]);
            }
            before[at] = p;
        }
    }
    for r in 0..W {
        let (own, row) = (x[first + r], &rows[r * n..r * n + first + r + 1]);
        let mut sum = total(simd, &sums[r]);
        for j in whole..first + r {
            sum += row[j] * x[j];
            product[j] += row[j] * own;
        }
        product[first + r] += sum + row[first + r] * own;
    }
}

/// Corrects the portfolio, whose M x and variance are at hand, up to a factor, to the error `aim` of the linear system.
/// Returns its sweeps; none where a weight would vanish.
pub(super) struct Correct<'a> {
    pub room: &'a mut Mixed,
    pub budgets: &'a [f64],
    pub aim: f64,
    pub variance: f64,
}

impl WithSimd for Correct<'_> {
    type Output = Option<u32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<u32> {
        in_lines!(S, V => correct::<S, V>(simd, self))
    }
}

#[inline(always)]
fn correct<S: Simd, const V: usize>(simd: S, problem: Correct) -> Option<u32> {
    let Correct { room, budgets, aim, variance } = problem;
    let n = room.assets;
    let Mixed { correlation, ahead, below, above, base, slopes, curvature, scale: errors, change, .. } = room;
    let scale = variance.sqrt().recip();
    {
        let (x, volatilities) = (&room.portfolio[..n], &room.volatilities[..n]);
        let (inverses, product) = (&room.inverses[..n], &room.product[..n]);
        let (base, errors) = (&mut base[..n], &mut errors[..n]);
        let (slopes, curvature) = (&mut slopes[..n], &mut curvature[..n]);
        let budgets = &budgets[..n];
        for i in 0..n {
            let exact = x[i] * volatilities[i] * scale;
            let inverse = exact.recip();
            let target = budgets[i] * inverse;
            let bend = target * inverse;
            base[i] = (product[i] * inverses[i] * scale - target) as f32;
            curvature[i] = bend as f32;
            errors[i] = target.recip() as f32;
            slopes[i] = -(1.0 + bend).recip() as f32;
        }
    }
    // With no change yet, nothing lies below: the first sweep goes backward.
    below.fill(0.0);
    change.fill(0.0);
    let mut state =
        Sweep::<S, V> { simd, correlation, ahead, b: curvature, slopes, scale: errors, base, y: change, below, above };
    let (mut sweeps, mut before) = (0, 0.0);
    while sweeps < CORRECTING_SWEEPS {
        sweeps += 1;
        let error = if sweeps.is_multiple_of(2) { state.forward::<Linear>() } else { state.backward::<Linear>() };
        if foretells(error, before, aim as f32) {
            break;
        }
        before = error;
    }
    let x = &mut room.portfolio[..n];
    for i in 0..n {
        x[i] += f64::from(change[i]) * room.inverses[i] / scale;
    }
    x.iter().all(|&x| x > 0.0).then_some(sweeps)
}
