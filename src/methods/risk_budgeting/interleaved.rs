//! Coordinate descent on eight problems at once: stages `descend` and `certify` of [`super::descent`] and
//! [`super::certificate`], a lane each. Sweeps go backward and forward in turn, so that each reads one triangle once and
//! does half the work (Eisenstat 1981):
//!
//! ```text
//! C y = below + y + above         below_i = sum_{j<i} C_ij y_j      above_i = sum_{j>i} C_ij y_j
//! backward   below is at hand; once y_i is known, above_j <- above_j + C_ij y_i for all j < i
//! forward    above is at hand; below_i is summed where y_i is due
//! after each sweep: y'C y = sum_i y_i (y_i + 2 t_i), t the part that the sweep has made, and both are scaled to one
//! ```
//!
//! C y is never whole. A sweep knows the gaps b_i - y_i (C y)_i as it meets them, one sweep back; it ends the descent
//! where their largest e, and e' of the sweep before, foretell the aim: e sqrt(e / e') <= aim.
//!
//! A lane that stops stands still until the others do; then all that wait are certified by a fresh product from their
//! weights, and one that misses goes on. A lane's sweeps count for itself alone, so its result is that of the problem by
//! itself. What is not solved within 32 sweeps is left to [`super::solve`].

use pulp::{Arch, Simd, WithSimd};

use super::{AIM, FLOOR, Options, condition_bound};
use crate::covariance::RiskModel;
use crate::lanes::{LANES, Lanes, below, vectors, vectors_mut};
use crate::methods::Method;

/// More than twice what ordinary problems take to 1e-10.
const SWEEPS: f64 = 32.0;

/// Sweeps by roots, before Newton steps are close enough: with them ordinary problems take no sweep more.
const EXACT: u32 = 1;

/// Certificates a lane may fail before it is left to others.
const ATTEMPTS: usize = 3;

/// A group of problems, and room to solve it.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Correlations below the diagonal, row after row: [`below`].
    pub correlation: Vec<Lanes>,
    pub volatilities: Vec<Lanes>,
    /// Lanes that hold a problem that descent may try.
    pub usable: [bool; LANES],
    /// Weights of the lanes that are solved.
    pub weights: Vec<Lanes>,
    y: Vec<Lanes>,
    below: Vec<Lanes>,
    above: Vec<Lanes>,
    /// y_i / (y_i^2 + b_i), not always of the last y.
    slopes: Vec<Lanes>,
}

impl Solved {
    /// Volatility of a method's portfolio under the lane's covariance; none of methods that lanes do not know.
    pub fn volatility_of(&self, method: Method) -> Option<f64> {
        match method {
            Method::RiskBudgeting => Some(self.volatility),
            Method::InverseVolatility => Some(self.inverse_volatility),
            Method::EqualWeight => Some(self.equal_weight),
            _ => None,
        }
    }
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
        self.correlation.resize(below(n).start, Lanes::default());
        let Group { volatilities, weights, y, below, above, slopes, .. } = self;
        for vector in [volatilities, weights, y, below, above, slopes] {
            vector.resize(n, Lanes::default());
        }
    }

    /// The model of one lane by itself.
    pub fn lane(&self, lane: usize, model: &mut RiskModel) {
        let n = self.volatilities.len();
        model.volatilities.clear();
        model.volatilities.extend(self.volatilities.iter().map(|s| s.0[lane]));
        model.correlation.resize(n * n, 1.0);
        for i in 0..n {
            model.correlation[i * n + i] = 1.0;
            for (j, c) in self.correlation[below(i)].iter().enumerate() {
                model.correlation[i * n + j] = c.0[lane];
                model.correlation[j * n + i] = c.0[lane];
            }
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
        for (y, b) in group.y.iter_mut().zip(budgets) {
            *y = Lanes::splat(b.sqrt());
        }
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
            compare(simd, group, &mut solved);
        }
        solved
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

/// Scales y, and the part t of C y that a sweep has made, so that y'C y = 1 in the `live` lanes. Returns which of them
/// could be scaled.
#[inline(always)]
fn rescale<S: Simd>(simd: S, y: &mut [Lanes], t: &mut [Lanes], live: &[S::m64s; LANES]) -> [bool; LANES] {
    let v = LANES / S::F64_LANES;
    let one = simd.splat_f64s(1.0);
    let (y, t) = (vectors_mut::<S>(y), vectors_mut::<S>(t));
    let mut sound = Lanes::default();
    for k in 0..v {
        let (mut cross, mut size) = (simd.splat_f64s(0.0), simd.splat_f64s(0.0));
        for (y, t) in y.chunks_exact(v).zip(t.chunks_exact(v)) {
            cross = simd.mul_add_e_f64s(y[k], t[k], cross);
            size = simd.mul_add_e_f64s(y[k], y[k], size);
        }
        let variance = simd.add_f64s(size, simd.add_f64s(cross, cross));
        let good = simd.less_than_f64s(simd.mul_f64s(simd.splat_f64s(f64::EPSILON), size), variance);
        let scale = simd.div_f64s(one, simd.sqrt_f64s(variance));
        let scale = simd.select_f64s(simd.and_m64s(good, live[k]), scale, one);
        for (y, t) in y.chunks_exact_mut(v).zip(t.chunks_exact_mut(v)) {
            y[k] = simd.mul_f64s(y[k], scale);
            t[k] = simd.mul_f64s(t[k], scale);
        }
        vectors_mut::<S>(std::slice::from_mut(&mut sound))[k] = simd.select_f64s(good, one, simd.splat_f64s(0.0));
    }
    sound.0.map(|flag| flag > 0.5)
}

/// Sweeps until every live lane expects to meet the aim, fails, or has used up its sweeps. The first `exact` sweeps take
/// the root of each coordinate, the others a Newton step towards it.
#[inline(always)]
fn descend<S: Simd>(
    simd: S,
    group: &mut Group,
    budgets: &[f64],
    aim: f64,
    exact: u32,
    live: &mut [bool; LANES],
    sweeps: &mut [f64; LANES],
) {
    let Group { correlation, y, below, above, slopes, .. } = group;
    let mut largest = [0.0; LANES];
    let mut sweep = 0_u32;
    loop {
        let mut masks = [mask(simd, live, 0); LANES];
        for (k, m) in masks.iter_mut().enumerate().take(LANES / S::F64_LANES) {
            *m = mask(simd, live, k);
        }
        // Slopes hardly change once y does not.
        if sweep == exact || sweep.is_power_of_two() {
            self::slopes::<S>(simd, y, budgets, slopes);
        }
        let gaps = [simd.splat_f64s(0.0); LANES];
        let mut state = Sweep { simd, correlation, budgets, y, below, above, slopes, masks, gaps };
        let forward = sweep.is_multiple_of(2);
        match (sweep, forward) {
            // Where the first sweep backward finds what it needs.
            (0, _) => state.forward::<Stay>(),
            (_, true) if sweep <= exact => state.forward::<Root>(),
            (_, true) => state.forward::<Newton>(),
            (_, false) if sweep <= exact => state.backward::<Root>(),
            (_, false) => state.backward::<Newton>(),
        }
        let Sweep { gaps, .. } = state;
        let sound = rescale(simd, y, if forward { below } else { above }, &masks);
        let mut errors = Lanes::default();
        vectors_mut::<S>(std::slice::from_mut(&mut errors)).copy_from_slice(&gaps[..LANES / S::F64_LANES]);
        for lane in 0..LANES {
            if live[lane] && sweep > 0 {
                sweeps[lane] += 1.0;
                let error = errors.0[lane];
                // The first sweep, after none, foretells nothing better than itself.
                let ratio = (error / largest[lane]).min(1.0);
                live[lane] = !(error * error * ratio <= aim * aim) && sweeps[lane] < SWEEPS;
                largest[lane] = error;
            }
            if live[lane] && !sound[lane] {
                (live[lane], sweeps[lane]) = (false, SWEEPS);
            }
        }
        if *live == [false; LANES] {
            return;
        }
        sweep += 1;
    }
}

/// One coordinate: its budget, y_i, the gap b_i - y_i (C y)_i, (C y)_i, and the slope.
#[derive(Clone, Copy)]
struct Coordinate<S: Simd> {
    b: S::f64s,
    y: S::f64s,
    gap: S::f64s,
    product: S::f64s,
    slope: S::f64s,
}

/// How far a coordinate moves. A trait, since closures are not compiled for the caller's vector instructions.
trait Step {
    fn change<S: Simd>(simd: S, at: Coordinate<S>) -> S::f64s;
}

/// Nowhere.
struct Stay;

impl Step for Stay {
    #[inline(always)]
    fn change<S: Simd>(simd: S, _: Coordinate<S>) -> S::f64s {
        simd.splat_f64s(0.0)
    }
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
        simd.sub_f64s(simd.div_f64s(numerator, denominator), at.y)
    }
}

/// The same to first order, y_i (b_i - y_i (C y)_i) / (y_i^2 + b_i), never by more than three quarters of y_i down:
/// no root and no division wait for the coordinate before.
struct Newton;

impl Step for Newton {
    #[inline(always)]
    fn change<S: Simd>(simd: S, at: Coordinate<S>) -> S::f64s {
        simd.max_f64s(simd.mul_f64s(at.gap, at.slope), simd.mul_f64s(simd.splat_f64s(-0.75), at.y))
    }
}

/// y_i / (y_i^2 + b_i).
#[inline(always)]
fn slopes<S: Simd>(simd: S, y: &[Lanes], budgets: &[f64], slopes: &mut [Lanes]) {
    let v = LANES / S::F64_LANES;
    let slopes = vectors_mut::<S>(slopes).chunks_exact_mut(v).zip(vectors::<S>(y).chunks_exact(v));
    for ((slopes, y), &b) in slopes.zip(budgets) {
        for k in 0..v {
            slopes[k] = simd.div_f64s(y[k], simd.mul_add_e_f64s(y[k], y[k], simd.splat_f64s(b)));
        }
    }
}

/// Coordinates that share each load and store of a vector.
pub(super) const BLOCK: usize = 4;

/// What a sweep works on.
struct Sweep<'a, S: Simd> {
    simd: S,
    correlation: &'a [Lanes],
    budgets: &'a [f64],
    y: &'a mut [Lanes],
    below: &'a mut [Lanes],
    above: &'a mut [Lanes],
    slopes: &'a [Lanes],
    /// Lanes that move.
    masks: [S::m64s; LANES],
    /// max_i |b_i - y_i (C y)_i| / b_i, each before y_i moved.
    gaps: [S::f64s; LANES],
}

impl<S: Simd> Sweep<'_, S> {
    #[inline(always)]
    fn forward<P: Step>(&mut self) {
        let n = self.budgets.len();
        for i in 0..n % BLOCK {
            self.forward_block::<P, 1>(i);
        }
        let mut first = n % BLOCK;
        while first < n {
            self.forward_block::<P, BLOCK>(first);
            first += BLOCK;
        }
    }

    #[inline(always)]
    fn backward<P: Step>(&mut self) {
        let n = self.budgets.len();
        self.above.fill(Lanes::default());
        let mut end = n;
        while end >= BLOCK {
            end -= BLOCK;
            self.backward_block::<P, BLOCK>(end);
        }
        while end > 0 {
            end -= 1;
            self.backward_block::<P, 1>(end);
        }
    }

    /// Steps along the W coordinates from `first` on.
    #[inline(always)]
    fn forward_block<P: Step, const W: usize>(&mut self, first: usize) {
        let (simd, v) = (self.simd, LANES / S::F64_LANES);
        let rows = rows::<S, W>(self.correlation, first);
        for k in 0..v {
            let mut sums = [simd.splat_f64s(0.0); W];
            let y = vectors::<S>(&self.y[..first]);
            for j in 0..first {
                let y = y[j * v + k];
                for r in 0..W {
                    sums[r] = simd.mul_add_e_f64s(rows[r][j * v + k], y, sums[r]);
                }
            }
            for r in 0..W {
                for s in 0..r {
                    let y = vectors::<S>(&self.y[first + s..=first + s])[k];
                    sums[r] = simd.mul_add_e_f64s(rows[r][(first + s) * v + k], y, sums[r]);
                }
                vectors_mut::<S>(&mut self.below[first + r..=first + r])[k] = sums[r];
                let above = vectors::<S>(&self.above[first + r..=first + r])[k];
                self.step::<P>(first + r, k, sums[r], above);
            }
        }
    }

    /// The same from the last of them to the first.
    #[inline(always)]
    fn backward_block<P: Step, const W: usize>(&mut self, first: usize) {
        let (simd, v) = (self.simd, LANES / S::F64_LANES);
        let rows = rows::<S, W>(self.correlation, first);
        for k in 0..v {
            let mut moved = [simd.splat_f64s(0.0); W];
            for r in (0..W).rev() {
                let mut above = vectors::<S>(&self.above[first + r..=first + r])[k];
                for s in (r + 1..W).rev() {
                    above = simd.mul_add_e_f64s(rows[s][(first + r) * v + k], moved[s], above);
                }
                vectors_mut::<S>(&mut self.above[first + r..=first + r])[k] = above;
                let below = vectors::<S>(&self.below[first + r..=first + r])[k];
                moved[r] = self.step::<P>(first + r, k, above, below);
            }
            let above = vectors_mut::<S>(&mut self.above[..first]);
            for j in 0..first {
                let mut sum = above[j * v + k];
                for r in 0..W {
                    sum = simd.mul_add_e_f64s(rows[r][j * v + k], moved[r], sum);
                }
                above[j * v + k] = sum;
            }
        }
    }

    /// Moves y_i, vector k of its lanes, for (C y)_i = y_i + `known` + `new`, of which `new` is known last.
    #[inline(always)]
    fn step<P: Step>(&mut self, i: usize, k: usize, new: S::f64s, known: S::f64s) -> S::f64s {
        let simd = self.simd;
        let y = &mut vectors_mut::<S>(&mut self.y[i..=i])[k];
        let b = simd.splat_f64s(self.budgets[i]);
        let product = simd.add_f64s(new, simd.add_f64s(known, *y));
        let gap = simd.negate_mul_add_e_f64s(product, *y, b);
        let error = simd.mul_f64s(simd.abs_f64s(gap), simd.splat_f64s(self.budgets[i].recip()));
        self.gaps[k] = simd.max_f64s(self.gaps[k], error);
        let slope = vectors::<S>(&self.slopes[i..=i])[k];
        let change = P::change(simd, Coordinate { b, y: *y, gap, product, slope });
        *y = simd.add_f64s(*y, simd.select_f64s(self.masks[k], change, simd.splat_f64s(0.0)));
        *y
    }
}

/// The W rows of the triangle from `first` on.
#[inline(always)]
pub(super) fn rows<S: Simd, const W: usize>(correlation: &[Lanes], first: usize) -> [&[S::f64s]; W] {
    let mut rows: [&[S::f64s]; W] = [&[]; W];
    for r in 0..W {
        rows[r] = vectors::<S>(&correlation[below(first + r)]);
    }
    rows
}

/// product = C x.
#[inline(always)]
pub(super) fn multiply<S: Simd>(simd: S, correlation: &[Lanes], x: &[Lanes], product: &mut [Lanes]) {
    let n = x.len();
    product.copy_from_slice(x);
    for i in 0..n % BLOCK {
        add_rows::<S, 1>(simd, correlation, x, product, i);
    }
    let mut first = n % BLOCK;
    while first < n {
        add_rows::<S, BLOCK>(simd, correlation, x, product, first);
        first += BLOCK;
    }
}

/// product += what the W rows of the triangle from `first` on, and their columns, contribute to C x.
#[inline(always)]
fn add_rows<S: Simd, const W: usize>(simd: S, correlation: &[Lanes], x: &[Lanes], product: &mut [Lanes], first: usize) {
    let v = LANES / S::F64_LANES;
    let rows = rows::<S, W>(correlation, first);
    let (others, own) = x[..first + W].split_at(first);
    let (others, own) = (vectors::<S>(others), vectors::<S>(own));
    let (before, after) = product[..first + W].split_at_mut(first);
    let (before, after) = (vectors_mut::<S>(before), vectors_mut::<S>(after));
    for k in 0..v {
        let mut sums = [simd.splat_f64s(0.0); W];
        for j in 0..first {
            let at = j * v + k;
            let (x, mut p) = (others[at], before[at]);
            for r in 0..W {
                sums[r] = simd.mul_add_e_f64s(rows[r][at], x, sums[r]);
                p = simd.mul_add_e_f64s(rows[r][at], own[r * v + k], p);
            }
            before[at] = p;
        }
        for r in 0..W {
            for s in 0..r {
                let c = rows[r][(first + s) * v + k];
                sums[r] = simd.mul_add_e_f64s(c, own[s * v + k], sums[r]);
                after[s * v + k] = simd.mul_add_e_f64s(c, own[r * v + k], after[s * v + k]);
            }
            after[r * v + k] = simd.add_f64s(after[r * v + k], sums[r]);
        }
    }
}

/// Weights of the `tried` lanes from y, and from the weights alone, by a fresh product, the error and the variance.
/// Leaves x_i = w_i sigma_i in place of y.
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
    multiply(simd, &group.correlation, &group.y, &mut group.above);
    let (x, product) = (vectors::<S>(&group.y), vectors::<S>(&group.above));
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

/// Volatilities of the inverse-volatility portfolio, x_i = 1 / sum_j (1 / sigma_j), and of equal weights,
/// x_i = sigma_i / n.
#[inline(always)]
fn compare<S: Simd>(simd: S, group: &mut Group, solved: &mut [Solved; LANES]) {
    let n = group.volatilities.len();
    let Group { correlation, volatilities, above: product, .. } = group;
    multiply(simd, correlation, volatilities, product);
    let mut totals = Lanes::default();
    for c in &*correlation {
        totals.0.iter_mut().zip(&c.0).for_each(|(total, c)| *total += c);
    }
    for (lane, solved) in solved.iter_mut().enumerate() {
        let (mut inverse, mut equal) = (0.0, 0.0);
        for (s, p) in volatilities.iter().zip(&*product) {
            inverse += s.0[lane].recip();
            equal += s.0[lane] * p.0[lane];
        }
        solved.inverse_volatility = (n as f64 + 2.0 * totals.0[lane]).max(0.0).sqrt() / inverse;
        solved.equal_weight = equal.max(0.0).sqrt() / n as f64;
    }
}
