//! Coordinate descent on eight problems at once: stages `descend` and `certify` of [`super::descent`] and
//! [`super::certificate`], a lane each.
//!
//! A lane that meets its aim stands still until the others do; then all that wait are certified by a fresh product from
//! their weights, and one whose maintained product had drifted goes on. A lane's sweeps count for itself alone, so its
//! result is that of the problem by itself. What is not solved within 32 sweeps is left to [`super::solve`].

use pulp::{Arch, Simd, WithSimd};

use super::{AIM, FLOOR, Options, condition_bound};
use crate::lanes::{LANES, Lanes, vectors, vectors_mut};

/// More than twice what ordinary problems take to 1e-10.
const SWEEPS: f64 = 32.0;

/// Sweeps by roots, before Newton steps are close enough: with them ordinary problems take no sweep more.
const EXACT: usize = 2;

/// Certificates a lane may fail before it is left to others.
const ATTEMPTS: usize = 3;

/// A group of problems, and room to solve it.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// n x n, unit diagonal.
    pub correlation: Vec<Lanes>,
    pub volatilities: Vec<Lanes>,
    /// Lanes that hold a problem that descent may try.
    pub usable: [bool; LANES],
    /// Weights of the lanes that are solved.
    pub weights: Vec<Lanes>,
    y: Vec<Lanes>,
    product: Vec<Lanes>,
    /// y_i / (y_i^2 + b_i).
    slopes: Vec<Lanes>,
}

/// What is known of one lane.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Solved {
    /// Solved, certified, and well clear of the rounding floor.
    pub converged: bool,
    pub rc_error: f64,
    pub sweeps: u32,
    pub volatility: f64,
    /// Volatilities of the inverse-volatility and equal-weight portfolios, where asked for.
    pub inverse_volatility: f64,
    pub equal_weight: f64,
}

impl Group {
    /// Room for problems of `n` assets.
    pub fn resize(&mut self, n: usize) {
        self.correlation.resize(n * n, Lanes::default());
        let Group { volatilities, weights, y, product, slopes, .. } = self;
        for vector in [volatilities, weights, y, product, slopes] {
            vector.resize(n, Lanes::default());
        }
    }

    /// Solves all usable lanes.
    pub fn solve(&mut self, arch: Arch, budgets: &[f64], options: Options, comparisons: bool) -> [Solved; LANES] {
        arch.dispatch(Solve { group: self, budgets, options, comparisons })
    }
}

struct Solve<'a> {
    group: &'a mut Group,
    budgets: &'a [f64],
    options: Options,
    comparisons: bool,
}

impl WithSimd for Solve<'_> {
    type Output = [Solved; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Solve { group, budgets, options, comparisons } = self;
        let mut solved = [Solved::default(); LANES];
        let totals = start(simd, group, budgets);
        let mut live = group.usable;
        let mut sweeps = [0.0; LANES];
        for attempt in 0..ATTEMPTS {
            let tried = live;
            let exact = if attempt == 0 { EXACT } else { 0 };
            descend(simd, group, budgets, AIM * options.tolerance, exact, &mut live, &mut sweeps);
            let (errors, variances) = certify(simd, group, budgets, &tried);
            for lane in 0..LANES {
                let waits = tried[lane] && sweeps[lane] < SWEEPS;
                live[lane] = false;
                if waits && errors[lane] <= options.tolerance && variances[lane] > 0.0 {
                    solved[lane].converged = true;
                    solved[lane].rc_error = errors[lane];
                    solved[lane].volatility = variances[lane].sqrt();
                } else if waits && variances[lane] > 0.0 {
                    live[lane] = true;
                }
            }
            if live == [false; LANES] {
                break;
            }
            resume(group, &live, &variances);
        }
        for (lane, solved) in solved.iter_mut().enumerate() {
            solved.sweeps = sweeps[lane] as u32;
            if solved.converged {
                let x = group.weights.iter().zip(&group.volatilities).map(|(w, s)| w.0[lane] * s.0[lane]);
                let bound = condition_bound(x, budgets, solved.volatility * solved.volatility);
                solved.converged = FLOOR * bound <= options.tolerance;
            }
        }
        if comparisons {
            compare(simd, group, &totals, &mut solved);
        }
        solved
    }
}

/// The row-sum start of [`super::descent`], scaled to y'C y = 1, with its product. Returns the sum of all correlations.
#[inline(always)]
fn start<S: Simd>(simd: S, group: &mut Group, budgets: &[f64]) -> Lanes {
    let n = budgets.len();
    let v = LANES / S::F64_LANES;
    let zero = simd.splat_f64s(0.0);
    let mut totals = [zero; LANES];
    for i in 0..n {
        let mut sums = [zero; LANES];
        for row in vectors::<S>(&group.correlation[i * n..(i + 1) * n]).chunks_exact(v) {
            for k in 0..v {
                sums[k] = simd.add_f64s(sums[k], row[k]);
            }
        }
        let root = simd.splat_f64s(budgets[i].sqrt());
        let one = simd.splat_f64s(1.0);
        let y = vectors_mut::<S>(&mut group.y[i..=i]);
        for k in 0..v {
            totals[k] = simd.add_f64s(totals[k], sums[k]);
            let positive = simd.less_than_f64s(zero, sums[k]);
            let scale = simd.sqrt_f64s(simd.select_f64s(positive, sums[k], one));
            y[k] = simd.div_f64s(root, scale);
        }
    }
    multiply(simd, &group.correlation, &group.y, &mut group.product);
    rescale(simd, group, &[true; LANES]);
    let mut out = Lanes::default();
    vectors_mut::<S>(std::slice::from_mut(&mut out)).copy_from_slice(&totals[..v]);
    out
}

/// product = C x.
#[inline(always)]
fn multiply<S: Simd>(simd: S, correlation: &[Lanes], x: &[Lanes], product: &mut [Lanes]) {
    let n = x.len();
    product.fill(Lanes::default());
    let mut i = 0;
    while i + BLOCK <= n {
        add_rows::<S, BLOCK>(simd, correlation, &x[i..], product, i);
        i += BLOCK;
    }
    while i < n {
        add_rows::<S, 1>(simd, correlation, &x[i..], product, i);
        i += 1;
    }
}

/// product += sum of x_r C[first + r, :] over the W rows from `first` on: they share each load and store of a product.
#[inline(always)]
fn add_rows<S: Simd, const W: usize>(simd: S, correlation: &[Lanes], x: &[Lanes], product: &mut [Lanes], first: usize) {
    let n = product.len();
    let v = LANES / S::F64_LANES;
    let x = vectors::<S>(&x[..W]);
    let rows: [&[S::f64s]; W] =
        std::array::from_fn(|r| vectors::<S>(&correlation[(first + r) * n..(first + r + 1) * n]));
    let product = vectors_mut::<S>(product);
    for k in 0..v {
        for j in 0..n {
            let at = j * v + k;
            let mut p = product[at];
            for r in 0..W {
                p = simd.mul_add_e_f64s(x[r * v + k], rows[r][at], p);
            }
            product[at] = p;
        }
    }
}

#[inline(always)]
fn mask<S: Simd>(simd: S, lanes: &[bool; LANES], k: usize) -> S::m64s {
    let mut flags = Lanes::default();
    for (flag, lane) in flags.0.iter_mut().zip(lanes) {
        *flag = f64::from(u8::from(*lane));
    }
    simd.less_than_f64s(simd.splat_f64s(0.5), vectors::<S>(std::slice::from_ref(&flags))[k])
}

/// Scales y and C y of the `live` lanes so that y'C y = 1. Returns which of them could be scaled.
#[inline(always)]
fn rescale<S: Simd>(simd: S, group: &mut Group, live: &[bool; LANES]) -> [bool; LANES] {
    let v = LANES / S::F64_LANES;
    let one = simd.splat_f64s(1.0);
    let (y, product) = (vectors_mut::<S>(&mut group.y), vectors_mut::<S>(&mut group.product));
    let mut sound = Lanes::default();
    for k in 0..v {
        let (mut variance, mut size) = (simd.splat_f64s(0.0), simd.splat_f64s(0.0));
        for (y, p) in y.chunks_exact(v).zip(product.chunks_exact(v)) {
            variance = simd.mul_add_e_f64s(y[k], p[k], variance);
            size = simd.mul_add_e_f64s(y[k], y[k], size);
        }
        let good = simd.less_than_f64s(simd.mul_f64s(simd.splat_f64s(f64::EPSILON), size), variance);
        let scale = simd.div_f64s(one, simd.sqrt_f64s(variance));
        let scale = simd.select_f64s(simd.and_m64s(good, mask(simd, live, k)), scale, one);
        for (y, p) in y.chunks_exact_mut(v).zip(product.chunks_exact_mut(v)) {
            y[k] = simd.mul_f64s(y[k], scale);
            p[k] = simd.mul_f64s(p[k], scale);
        }
        let flags = simd.select_f64s(good, one, simd.splat_f64s(0.0));
        vectors_mut::<S>(std::slice::from_mut(&mut sound))[k] = flags;
    }
    sound.0.map(|flag| flag > 0.5)
}

/// Sweeps until every live lane meets the aim, fails, or has used up its sweeps. The first `exact` sweeps take the root
/// of each coordinate, the others a Newton step towards it.
#[inline(always)]
fn descend<S: Simd>(
    simd: S,
    group: &mut Group,
    budgets: &[f64],
    aim: f64,
    mut exact: usize,
    live: &mut [bool; LANES],
    sweeps: &mut [f64; LANES],
) {
    while *live != [false; LANES] {
        let mut masks = [mask(simd, live, 0); LANES];
        for (k, m) in masks.iter_mut().enumerate().take(LANES / S::F64_LANES) {
            *m = mask(simd, live, k);
        }
        if exact > 0 {
            sweep::<S, Root>(simd, group, budgets, &masks);
            exact -= 1;
        } else {
            slopes(simd, group, budgets, &masks);
            sweep::<S, Newton>(simd, group, budgets, &masks);
        }
        let sound = rescale(simd, group, live);
        let errors = errors(simd, group, budgets);
        for lane in 0..LANES {
            if live[lane] {
                sweeps[lane] += 1.0;
                if !sound[lane] {
                    sweeps[lane] = SWEEPS;
                }
                live[lane] = !(errors[lane] <= aim) && sweeps[lane] < SWEEPS;
            }
        }
    }
}

/// One coordinate: its budget, y_i, (C y)_i, and y_i / (y_i^2 + b_i) where that is known.
#[derive(Clone, Copy)]
struct Coordinate<S: Simd> {
    b: S::f64s,
    y: S::f64s,
    product: S::f64s,
    slope: S::f64s,
    mask: S::m64s,
}

/// How far a coordinate moves. A trait, since closures are not compiled for the caller's vector instructions.
trait Step {
    fn change<S: Simd>(simd: S, at: Coordinate<S>) -> S::f64s;
}

/// To the root of y_i (C y)_i = b_i, the others fixed: see [`super::descent`].
struct Root;

impl Step for Root {
    #[inline(always)]
    fn change<S: Simd>(simd: S, at: Coordinate<S>) -> S::f64s {
        let two = simd.splat_f64s(2.0);
        let four_b = simd.mul_f64s(simd.splat_f64s(4.0), at.b);
        let a = simd.sub_f64s(at.product, at.y);
        let d = simd.sqrt_f64s(simd.mul_add_e_f64s(a, a, four_b));
        let positive = simd.less_than_f64s(simd.splat_f64s(0.0), a);
        // One division: 4 b / 2 (a + d), or (d - a) / 2.
        let numerator = simd.select_f64s(positive, four_b, simd.sub_f64s(d, a));
        let sum = simd.add_f64s(a, d);
        let denominator = simd.select_f64s(positive, simd.add_f64s(sum, sum), two);
        let change = simd.sub_f64s(simd.div_f64s(numerator, denominator), at.y);
        simd.select_f64s(at.mask, change, simd.splat_f64s(0.0))
    }
}

/// The same to first order, y_i (b_i - y_i (C y)_i) / (y_i^2 + b_i), never by more than three quarters of y_i down:
/// no root and no division wait for the coordinate before.
struct Newton;

impl Step for Newton {
    #[inline(always)]
    fn change<S: Simd>(simd: S, at: Coordinate<S>) -> S::f64s {
        let gap = simd.negate_mul_add_e_f64s(at.product, at.y, at.b);
        simd.max_f64s(simd.mul_f64s(gap, at.slope), simd.mul_f64s(simd.splat_f64s(-0.75), at.y))
    }
}

/// y_i / (y_i^2 + b_i); zero in lanes that stand still.
#[inline(always)]
fn slopes<S: Simd>(simd: S, group: &mut Group, budgets: &[f64], masks: &[S::m64s; LANES]) {
    let v = LANES / S::F64_LANES;
    let (y, slopes) = (vectors::<S>(&group.y), vectors_mut::<S>(&mut group.slopes));
    for (i, &b) in budgets.iter().enumerate() {
        for k in 0..v {
            let y = y[i * v + k];
            let slope = simd.div_f64s(y, simd.mul_add_e_f64s(y, y, simd.splat_f64s(b)));
            slopes[i * v + k] = simd.select_f64s(masks[k], slope, simd.splat_f64s(0.0));
        }
    }
}

/// Coordinates whose changes share a pass over C y.
const BLOCK: usize = 4;

#[inline(always)]
fn sweep<S: Simd, P: Step>(simd: S, group: &mut Group, budgets: &[f64], masks: &[S::m64s; LANES]) {
    let n = budgets.len();
    let mut i = 0;
    while i + BLOCK <= n {
        block::<S, P, BLOCK>(simd, group, budgets, masks, i);
        i += BLOCK;
    }
    while i < n {
        block::<S, P, 1>(simd, group, budgets, masks, i);
        i += 1;
    }
}

/// Steps along the W coordinates from `first` on, then updates C y.
#[inline(always)]
fn block<S: Simd, P: Step, const W: usize>(
    simd: S,
    group: &mut Group,
    budgets: &[f64],
    masks: &[S::m64s; LANES],
    first: usize,
) {
    let n = budgets.len();
    let v = LANES / S::F64_LANES;
    let mut changes = [Lanes::default(); W];
    {
        let y = vectors_mut::<S>(&mut group.y[first..first + W]);
        let product = vectors::<S>(&group.product[first..first + W]);
        let slopes = vectors::<S>(&group.slopes[first..first + W]);
        let changes = vectors_mut::<S>(&mut changes);
        for k in 0..v {
            for r in 0..W {
                let at = r * v + k;
                let mut p = product[at];
                for s in 0..r {
                    let c = vectors::<S>(&group.correlation[(first + s) * n + first + r..][..1])[k];
                    p = simd.mul_add_e_f64s(changes[s * v + k], c, p);
                }
                let b = simd.splat_f64s(budgets[first + r]);
                let change = P::change(simd, Coordinate { b, y: y[at], product: p, slope: slopes[at], mask: masks[k] });
                changes[at] = change;
                y[at] = simd.add_f64s(y[at], change);
            }
        }
    }
    add_rows::<S, W>(simd, &group.correlation, &changes, &mut group.product, first);
}

/// max_i |y_i (C y)_i - b_i| / b_i, for y'C y = 1.
#[inline(always)]
fn errors<S: Simd>(simd: S, group: &Group, budgets: &[f64]) -> [f64; LANES] {
    let v = LANES / S::F64_LANES;
    let (y, product) = (vectors::<S>(&group.y), vectors::<S>(&group.product));
    let mut largest = [simd.splat_f64s(0.0); LANES];
    for (i, &b) in budgets.iter().enumerate() {
        let (b, inverse) = (simd.splat_f64s(b), simd.splat_f64s(b.recip()));
        for k in 0..v {
            let at = i * v + k;
            let gap = simd.abs_f64s(simd.sub_f64s(simd.mul_f64s(y[at], product[at]), b));
            largest[k] = simd.max_f64s(largest[k], simd.mul_f64s(gap, inverse));
        }
    }
    let mut out = Lanes::default();
    vectors_mut::<S>(std::slice::from_mut(&mut out)).copy_from_slice(&largest[..v]);
    out.0
}

/// Weights of the `tried` lanes from y, and from the weights alone, by a fresh product, the error and the variance.
/// Leaves x_i = w_i sigma_i in place of y and C x in place of C y: see [`resume`].
#[inline(always)]
fn certify<S: Simd>(
    simd: S,
    group: &mut Group,
    budgets: &[f64],
    tried: &[bool; LANES],
) -> ([f64; LANES], [f64; LANES]) {
    let n = budgets.len();
    let v = LANES / S::F64_LANES;
    {
        let (y, volatilities) = (vectors_mut::<S>(&mut group.y), vectors::<S>(&group.volatilities));
        let weights = vectors_mut::<S>(&mut group.weights);
        for k in 0..v {
            let tried = mask(simd, tried, k);
            let mut total = simd.splat_f64s(0.0);
            for i in 0..n {
                let at = i * v + k;
                y[at] = simd.div_f64s(y[at], volatilities[at]);
                total = simd.add_f64s(total, y[at]);
            }
            for i in 0..n {
                let at = i * v + k;
                // A solved lane keeps its weights to the last bit, whatever its neighbours still need.
                weights[at] = simd.select_f64s(tried, simd.div_f64s(y[at], total), weights[at]);
                // The same portfolio in correlation units, from the weights as they are returned.
                y[at] = simd.mul_f64s(weights[at], volatilities[at]);
            }
        }
    }
    multiply(simd, &group.correlation, &group.y, &mut group.product);
    let (x, product) = (vectors::<S>(&group.y), vectors::<S>(&group.product));
    let (mut errors, mut variances) = (Lanes::default(), Lanes::default());
    for k in 0..v {
        let mut variance = simd.splat_f64s(0.0);
        for i in 0..n {
            variance = simd.mul_add_e_f64s(x[i * v + k], product[i * v + k], variance);
        }
        let mut largest = simd.splat_f64s(0.0);
        for (i, &b) in budgets.iter().enumerate() {
            let share = simd.div_f64s(simd.mul_f64s(x[i * v + k], product[i * v + k]), variance);
            let gap = simd.abs_f64s(simd.sub_f64s(share, simd.splat_f64s(b)));
            largest = simd.max_f64s(largest, simd.div_f64s(gap, simd.splat_f64s(b)));
        }
        vectors_mut::<S>(std::slice::from_mut(&mut errors))[k] = largest;
        vectors_mut::<S>(std::slice::from_mut(&mut variances))[k] = variance;
    }
    (errors.0, variances.0)
}

/// Sets the lanes that go on to y = x / sqrt(x'C x), with their fresh product.
fn resume(group: &mut Group, live: &[bool; LANES], variances: &[f64; LANES]) {
    for lane in (0..LANES).filter(|&lane| live[lane]) {
        let scale = variances[lane].sqrt().recip();
        for (y, p) in group.y.iter_mut().zip(&mut group.product) {
            y.0[lane] *= scale;
            p.0[lane] *= scale;
        }
    }
}

/// Volatilities of the inverse-volatility portfolio, x_i = 1 / sum_j (1 / sigma_j), and of equal weights,
/// x_i = sigma_i / n.
#[inline(always)]
fn compare<S: Simd>(simd: S, group: &mut Group, totals: &Lanes, solved: &mut [Solved; LANES]) {
    let n = group.volatilities.len();
    let Group { correlation, volatilities, product, .. } = group;
    multiply(simd, correlation, volatilities, product);
    for (lane, solved) in solved.iter_mut().enumerate() {
        let (mut inverse, mut equal) = (0.0, 0.0);
        for (s, p) in volatilities.iter().zip(&*product) {
            inverse += s.0[lane].recip();
            equal += s.0[lane] * p.0[lane];
        }
        solved.inverse_volatility = totals.0[lane].max(0.0).sqrt() / inverse;
        solved.equal_weight = equal.max(0.0).sqrt() / n as f64;
    }
}
