//! One large problem in two precisions: stages `descend` and `certify` of [`super::descent`] and [`super::certificate`]
//! with sweeps in f32 and residuals in f64 (iterative refinement: Wilkinson 1963; Higham 2002, chapter 12).
//!
//! ```text
//! descend   on the f32 correlations until the error is near the f32 floor
//! certify   in f64: w as returned, S w, rc_error            done where it meets the tolerance
//! correct   (C + diag(b / y^2)) d = b / y - C y             residual in f64, solved for d by Gauss-Seidel sweeps in f32
//!           y <- y + d, and certify again
//! ```
//!
//! Sweeps go backward and forward in turn, each over the lower triangle alone: see [`super::interleaved`].
//!
//! The f32 matrix is half the size and nothing returned depends on its rounding: weights come with the f64 certificate,
//! and what does not meet it is left to [`super::solve`].

use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};
use pulp::{Arch, Simd, WithSimd};

use super::{AIM, FLOOR, Options, condition_bound};
use crate::lanes::{LANES, Lanes, vectors_mut};
use crate::philox::philox4x32;

/// Entries of a line: the f32 of a vector of AVX-512, the f64 of two.
const LINE: usize = 16;

/// Rows that share a pass over the product.
const BLOCK: usize = 4;

/// Sweeps by roots, before Newton steps are close enough.
const EXACT: u32 = 1;

/// Descent in f32 goes on to this error ...
const SWITCH: f32 = 1e-5;

/// ... or to this much for each asset, the rounding of its products; and never longer than this.
const SWITCH_PER_ASSET: f32 = 4e-8;
const SWEEPS: u32 = 24;

/// Sweeps of one correction, and corrections, at most.
const CORRECTING_SWEEPS: u32 = 16;
const CORRECTIONS: u32 = 3;

/// Differences between C r and C' r, and excesses of correlations over one, that need no closer look: above the rounding
/// of thousands of assets, and below what [`super::validity`] lets pass.
const ROUNDING: f64 = 1e-11;

/// A line of f32, so that every row starts a cache line.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Numbers that start a cache line, padded to whole ones: a vector that crosses the end of a line takes twice as long.
#[derive(Debug, Clone, Default)]
struct Singles(Vec<Line>);

/// The same in double precision.
#[derive(Debug, Clone, Default)]
struct Doubles(Vec<Lanes>);

impl Deref for Singles {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for Singles {
    fn deref_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

impl Deref for Doubles {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for Doubles {
    fn deref_mut(&mut self) -> &mut [f64] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// Room for one problem of n assets; vectors are padded to whole lines.
#[derive(Debug, Clone, Default)]
pub struct Mixed {
    assets: usize,
    /// n rows of correlations before the diagonal, zeros to the end of their line; what is beyond is of no use.
    correlation: Vec<Line>,
    y: Singles,
    /// sum_{j<i} C_ij y_j, and `base` + sum_{j>i} C_ij y_j.
    below: Singles,
    above: Singles,
    base: Singles,
    slopes: Singles,
    /// b, and 1 / b; one and zero where padded.
    budgets: Singles,
    inverse_budgets: Singles,
    /// Of a correction: b / y^2, y / b, and the change of y.
    curvature: Singles,
    scale: Singles,
    change: Singles,
    volatilities: Doubles,
    inverses: Doubles,
    sums: Doubles,
    /// Fixed numbers in (1/2, 1), and the products of C and of C' with them.
    probe: Doubles,
    rows: Doubles,
    columns: Doubles,
    /// A row of C.
    scaled: Doubles,
    /// S w.
    covariances: Doubles,
}

/// A problem that is solved, certified, and well clear of the rounding floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solved {
    pub rc_error: f64,
    pub sweeps: u32,
    pub volatility: f64,
}

impl Mixed {
    /// Solves for the n x n `covariance`, whose definiteness is taken for granted, and writes the weights. None where
    /// the input is suspicious or the problem hard: it needs a closer look, and `weights` hold nothing.
    pub fn solve(
        &mut self,
        arch: Arch,
        covariance: &[f64],
        budgets: &[f64],
        options: Options,
        weights: &mut [f64],
    ) -> Option<Solved> {
        self.resize(budgets);
        arch.dispatch(Solve { room: self, covariance, budgets, options, weights })
    }

    /// 1 / sigma of the problem tried last.
    pub fn inverses(&self) -> &[f64] {
        &self.inverses[..self.assets]
    }

    fn resize(&mut self, budgets: &[f64]) {
        let n = budgets.len();
        let padded = n.next_multiple_of(LINE);
        if self.assets != n {
            *self = Mixed { assets: n, ..Mixed::default() };
            self.correlation.resize(n * padded / LINE, Line::zeroed());
            let Mixed { y, below, above, base, slopes, budgets, inverse_budgets, .. } = self;
            for vector in [y, below, above, base, slopes, budgets, inverse_budgets] {
                vector.0.resize(padded / LINE, Line::zeroed());
            }
            let Mixed { curvature, scale, change, .. } = self;
            for vector in [curvature, scale, change] {
                vector.0.resize(padded / LINE, Line::zeroed());
            }
            let Mixed { volatilities, inverses, sums, probe, rows, columns, scaled, covariances, .. } = self;
            for vector in [volatilities, inverses, sums, probe, rows, columns, scaled, covariances] {
                vector.0.resize(padded / LANES, Lanes::default());
            }
            let words = (0..).flat_map(|q| philox4x32([q, 0, 0, 0], [0, 0]));
            for (r, word) in self.probe.iter_mut().zip(words) {
                *r = 0.5 + 0.5 * f64::from(word) / f64::from(u32::MAX);
            }
        }
        self.budgets.fill(1.0);
        self.inverse_budgets.fill(0.0);
        for (i, &b) in budgets.iter().enumerate() {
            self.budgets[i] = b as f32;
            self.inverse_budgets[i] = b.recip() as f32;
        }
    }
}

struct Solve<'a> {
    room: &'a mut Mixed,
    covariance: &'a [f64],
    budgets: &'a [f64],
    options: Options,
    weights: &'a mut [f64],
}

impl WithSimd for Solve<'_> {
    type Output = Option<Solved>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Solve { room, covariance, budgets, options, weights } = self;
        let asymmetry = scale(simd, room, covariance)?;
        let mut sweeps = descend(simd, room)?;
        for i in 0..budgets.len() {
            weights[i] = f64::from(room.y[i]) * room.inverses[i];
        }
        for correction in 0..=CORRECTIONS {
            let total: f64 = weights.iter().sum();
            weights.iter_mut().for_each(|w| *w /= total);
            let (rc_error, variance) = certify(simd, room, covariance, budgets, weights);
            if !(variance > 0.0 && rc_error.is_finite()) {
                return None;
            }
            if rc_error <= options.tolerance {
                let x = weights.iter().zip(room.volatilities.iter()).map(|(w, s)| w * s);
                // The product may be that of S or of S': what they differ by counts like rounding.
                let sound = FLOOR.max(asymmetry) * condition_bound(x, budgets, variance) <= options.tolerance;
                return sound.then_some(Solved { rc_error, sweeps, volatility: variance.sqrt() });
            }
            if correction < CORRECTIONS {
                sweeps += correct(simd, room, budgets, AIM * options.tolerance, variance, weights)?;
            }
        }
        None
    }
}

/// Correlations in f32, volatilities, and the row sums of C, in one pass over the covariance. Returns how far C r is from
/// C' r for fixed r, which tells without a transpose whether S is symmetric (Freivalds 1979); none where S needs a closer
/// look.
#[inline(always)]
fn scale<S: Simd>(simd: S, room: &mut Mixed, covariance: &[f64]) -> Option<f64> {
    let Mixed { assets: n, correlation, volatilities, inverses, sums, probe, rows, columns, scaled, .. } = room;
    let n = *n;
    let (mut smallest, mut largest) = (f64::INFINITY, 0.0_f64);
    for i in 0..n {
        let variance = covariance[i * n + i];
        if !(variance > 0.0) {
            return None;
        }
        smallest = smallest.min(variance);
        largest = largest.max(variance);
        volatilities[i] = variance.sqrt();
        inverses[i] = volatilities[i].recip();
    }
    // Volatilities far apart are looked at elsewhere, and so is whatever cannot be divided by safely.
    if !(largest * 1e-20 < smallest && smallest > 1e-200 && largest < 1e200) {
        return None;
    }
    columns.fill(0.0);
    let mut beyond = [simd.splat_f64s(0.0); LANES];
    for (i, (row, singles)) in
        covariance.chunks_exact(n).zip(correlation.chunks_exact_mut(n.div_ceil(LINE))).enumerate()
    {
        let whole = n - n % LANES;
        let mut rest = Lanes::default();
        rest.0[..n - whole].copy_from_slice(&row[whole..]);
        let mut line = ScaledRow {
            own: simd.splat_f64s(inverses[i]),
            weight: simd.splat_f64s(inverses[i] * probe[i]),
            dot: [simd.splat_f64s(0.0); LANES],
            sum: [simd.splat_f64s(0.0); LANES],
            beyond,
        };
        line.add(simd, &row[..whole], &inverses[..whole], &probe[..whole], &mut columns[..whole], &mut scaled[..whole]);
        if whole < n {
            let end = whole..whole + LANES;
            line.add(
                simd,
                &rest.0,
                &inverses[end.clone()],
                &probe[end.clone()],
                &mut columns[end.clone()],
                &mut scaled[end],
            );
        }
        beyond = line.beyond;
        rows[i] = total(simd, &line.dot) * inverses[i];
        sums[i] = total(simd, &line.sum) * inverses[i];
        let singles = bytemuck::cast_slice_mut::<Line, f32>(&mut singles[..=i / LINE]);
        for (single, c) in singles.iter_mut().zip(scaled.iter()) {
            *single = *c as f32;
        }
        singles[i..].fill(0.0);
    }
    let beyond = beyond[..LANES / S::F64_LANES].iter().map(|&b| simd.reduce_max_f64s(b)).fold(0.0, f64::max);
    let mut asymmetry = 0.0_f64;
    for i in 0..n {
        let gap = (rows[i] - columns[i] * inverses[i]).abs();
        // What is not a number fails, too.
        if !(gap <= ROUNDING) {
            return None;
        }
        asymmetry = asymmetry.max(gap);
    }
    (beyond <= 1.0 + ROUNDING).then_some(asymmetry)
}

/// What is known of a row of correlations.
struct ScaledRow<S: Simd> {
    /// 1 / sigma_i, and r_i.
    own: S::f64s,
    weight: S::f64s,
    dot: [S::f64s; LANES],
    sum: [S::f64s; LANES],
    /// The largest of all rows.
    beyond: [S::f64s; LANES],
}

impl<S: Simd> ScaledRow<S> {
    /// Takes whole groups of [`LANES`] entries further.
    #[inline(always)]
    fn add(&mut self, simd: S, row: &[f64], inverses: &[f64], probe: &[f64], columns: &mut [f64], scaled: &mut [f64]) {
        let v = LANES / S::F64_LANES;
        let (row, inverses) = (S::as_simd_f64s(row).0, S::as_simd_f64s(inverses).0);
        let (probe, columns) = (S::as_simd_f64s(probe).0, S::as_mut_simd_f64s(columns).0);
        let scaled = S::as_mut_simd_f64s(scaled).0;
        for first in (0..row.len()).step_by(v) {
            for k in 0..v {
                let at = first + k;
                let s = simd.mul_f64s(row[at], inverses[at]);
                self.dot[k] = simd.mul_add_e_f64s(s, probe[at], self.dot[k]);
                self.sum[k] = simd.add_f64s(self.sum[k], s);
                columns[at] = simd.mul_add_e_f64s(row[at], self.weight, columns[at]);
                let c = simd.mul_f64s(s, self.own);
                self.beyond[k] = simd.max_f64s(self.beyond[k], simd.abs_f64s(c));
                scaled[at] = c;
            }
        }
    }
}

/// The sum of eight lanes, in a fixed order.
#[inline(always)]
fn total<S: Simd>(_: S, sums: &[S::f64s; LANES]) -> f64 {
    let mut lanes = Lanes::default();
    let v = LANES / S::F64_LANES;
    vectors_mut::<S>(std::slice::from_mut(&mut lanes)).copy_from_slice(&sums[..v]);
    let [a, b, c, d, e, f, g, h] = lanes.0;
    ((a + e) + (c + g)) + ((b + f) + (d + h))
}

/// Sweeps in f32 until the error is near their floor. Returns how many; none where the variance vanishes.
#[inline(always)]
fn descend<S: Simd>(simd: S, room: &mut Mixed) -> Option<u32> {
    let n = room.assets;
    let Mixed { correlation, y, below, above, base, slopes, budgets, inverse_budgets, sums, .. } = room;
    for i in 0..n {
        let (b, sum) = (budgets[i], sums[i] as f32);
        y[i] = if sum > 0.0 { b.sqrt() / sum.sqrt() } else { b.sqrt() };
    }
    base.fill(0.0);
    let mut state =
        Sweep { simd, correlation, b: budgets, slopes, scale: inverse_budgets, base, y, below, above, error: 0.0 };
    state.forward::<Stay>(n);
    settle(simd, state.y, state.below, state.b, state.slopes)?;
    let switch = SWITCH.max(SWITCH_PER_ASSET * n as f32);
    let mut before = 0.0;
    for sweep in 1..=SWEEPS {
        state.error = 0.0;
        match (sweep % 2 == 0, sweep <= EXACT) {
            (true, true) => state.forward::<Root>(n),
            (true, false) => state.forward::<Newton>(n),
            (false, true) => state.backward::<Root>(n),
            (false, false) => state.backward::<Newton>(n),
        }
        let made = if sweep % 2 == 0 { &mut *state.below } else { &mut *state.above };
        settle(simd, state.y, made, state.b, state.slopes)?;
        if foretells(state.error, before, switch) {
            return Some(sweep);
        }
        before = state.error;
    }
    Some(SWEEPS)
}

/// Whether the largest gap of a sweep, and that of the sweep before, foretell the aim: see [`super::interleaved`].
fn foretells(error: f32, before: f32, aim: f32) -> bool {
    error * (error / before).min(1.0).sqrt() <= aim
}

/// One coordinate in every lane: its coefficient b, its value, its entry of the product.
#[derive(Clone, Copy)]
struct Coordinate<S: Simd> {
    b: S::f32s,
    y: S::f32s,
    product: S::f32s,
    slope: S::f32s,
}

/// How far a coordinate is from its root, and how far it moves. A trait, since closures are not compiled for the caller's
/// vector instructions.
trait Step {
    /// b - y p of a descent; p + b y of a correction.
    #[inline(always)]
    fn gap<S: Simd>(simd: S, at: Coordinate<S>) -> S::f32s {
        simd.negate_mul_add_e_f32s(at.product, at.y, at.b)
    }

    fn change<S: Simd>(simd: S, at: Coordinate<S>, gap: S::f32s) -> S::f32s;
}

/// Nowhere.
struct Stay;

impl Step for Stay {
    #[inline(always)]
    fn change<S: Simd>(simd: S, _: Coordinate<S>, _: S::f32s) -> S::f32s {
        simd.splat_f32s(0.0)
    }
}

/// To the root of y_i (C y)_i = b_i, the others fixed.
struct Root;

impl Step for Root {
    #[inline(always)]
    fn change<S: Simd>(simd: S, at: Coordinate<S>, _: S::f32s) -> S::f32s {
        let two = simd.splat_f32s(2.0);
        let four_b = simd.mul_f32s(simd.splat_f32s(4.0), at.b);
        let a = simd.sub_f32s(at.product, at.y);
        let d = simd.sqrt_f32s(simd.mul_add_e_f32s(a, a, four_b));
        let positive = simd.less_than_f32s(simd.splat_f32s(0.0), a);
        // One division: 4 b / 2 (a + d), or (d - a) / 2.
        let numerator = simd.select_f32s(positive, four_b, simd.sub_f32s(d, a));
        let sum = simd.add_f32s(a, d);
        let denominator = simd.select_f32s(positive, simd.add_f32s(sum, sum), two);
        simd.sub_f32s(simd.div_f32s(numerator, denominator), at.y)
    }
}

/// The same to first order, slope = y / (y^2 + b); never by more than three quarters of y down.
struct Newton;

impl Step for Newton {
    #[inline(always)]
    fn change<S: Simd>(simd: S, at: Coordinate<S>, gap: S::f32s) -> S::f32s {
        simd.max_f32s(simd.mul_f32s(gap, at.slope), simd.mul_f32s(simd.splat_f32s(-0.75), at.y))
    }
}

/// To the root of p + b y = 0, for p that grows with y: slope = -1 / (1 + b).
struct Linear;

impl Step for Linear {
    #[inline(always)]
    fn gap<S: Simd>(simd: S, at: Coordinate<S>) -> S::f32s {
        simd.mul_add_e_f32s(at.b, at.y, at.product)
    }

    #[inline(always)]
    fn change<S: Simd>(simd: S, at: Coordinate<S>, gap: S::f32s) -> S::f32s {
        simd.mul_f32s(gap, at.slope)
    }
}

/// What a sweep works on; `b`, `slopes` and `scale` belong to its [`Step`].
struct Sweep<'a, S: Simd> {
    simd: S,
    correlation: &'a [Line],
    b: &'a [f32],
    slopes: &'a mut [f32],
    scale: &'a [f32],
    base: &'a [f32],
    y: &'a mut [f32],
    below: &'a mut [f32],
    above: &'a mut [f32],
    /// max_i |gap_i| scale_i, each before y_i moved.
    error: f32,
}

impl<S: Simd> Sweep<'_, S> {
    #[inline(always)]
    fn forward<P: Step>(&mut self, n: usize) {
        let mut first = 0;
        while first + BLOCK <= n {
            self.forward_block::<P, BLOCK>(first);
            first += BLOCK;
        }
        while first < n {
            self.forward_block::<P, 1>(first);
            first += 1;
        }
    }

    #[inline(always)]
    fn backward<P: Step>(&mut self, n: usize) {
        self.above.copy_from_slice(self.base);
        let mut end = n;
        while end % BLOCK > 0 {
            end -= 1;
            self.backward_block::<P, 1>(end);
        }
        while end > 0 {
            end -= BLOCK;
            self.backward_block::<P, BLOCK>(end);
        }
    }

    /// Steps along the W coordinates from `first` on.
    #[inline(always)]
    fn forward_block<P: Step, const W: usize>(&mut self, first: usize) {
        let (simd, v) = (self.simd, LINE / S::F32_LANES);
        let (correlation, width) = (self.correlation, self.y.len() / LINE);
        let rows = rows::<S, W>(correlation, width, first);
        let y = &S::as_simd_f32s(self.y).0[..(first / LINE + 1) * v];
        let mut sums = [[simd.splat_f32s(0.0); LINE]; W];
        for line in 0..=first / LINE {
            for k in 0..v {
                let at = line * v + k;
                for r in 0..W {
                    sums[r][k] = simd.mul_add_e_f32s(rows[r][at], y[at], sums[r][k]);
                }
            }
        }
        // Those of the block among them as they were: what has moved is added below.
        let mut known = [simd.splat_f32s(0.0); W];
        for r in 0..W {
            let mut sum = sums[r][0];
            for k in 1..v {
                sum = simd.add_f32s(sum, sums[r][k]);
            }
            known[r] = simd.splat_f32s(simd.reduce_sum_f32s(sum));
        }
        for r in 0..W {
            let i = first + r;
            self.below[i] = scalar::<S>(known[r]);
            let change = self.step::<P>(i, known[r], self.above[i]);
            for s in r + 1..W {
                let c = correlation[(first + s) * width + i / LINE].0[i % LINE];
                known[s] = simd.mul_add_e_f32s(change, simd.splat_f32s(c), known[s]);
            }
        }
    }

    /// The same from the last of them to the first.
    #[inline(always)]
    fn backward_block<P: Step, const W: usize>(&mut self, first: usize) {
        let (simd, v) = (self.simd, LINE / S::F32_LANES);
        let (correlation, width) = (self.correlation, self.y.len() / LINE);
        let mut moved = [simd.splat_f32s(0.0); W];
        for r in (0..W).rev() {
            let i = first + r;
            let mut known = simd.splat_f32s(self.above[i]);
            for s in (r + 1..W).rev() {
                let c = correlation[(first + s) * width + i / LINE].0[i % LINE];
                known = simd.mul_add_e_f32s(moved[s], simd.splat_f32s(c), known);
            }
            self.step::<P>(i, known, self.below[i]);
            moved[r] = simd.splat_f32s(self.y[i]);
        }
        let rows = rows::<S, W>(correlation, width, first);
        let above = &mut S::as_mut_simd_f32s(self.above).0[..(first / LINE + 1) * v];
        // From the end, since the next block needs that first.
        let mut at = above.len();
        while at > 0 {
            at -= 1;
            let mut sum = above[at];
            for r in 0..W {
                sum = simd.mul_add_e_f32s(rows[r][at], moved[r], sum);
            }
            above[at] = sum;
        }
    }

    /// Moves y_i for (C y)_i = y_i + `new` + `known`. Returns the change, in every lane.
    #[inline(always)]
    fn step<P: Step>(&mut self, i: usize, new: S::f32s, known: f32) -> S::f32s {
        let simd = self.simd;
        let y = simd.splat_f32s(self.y[i]);
        let product = simd.add_f32s(new, simd.splat_f32s(known + self.y[i]));
        let at = Coordinate { b: simd.splat_f32s(self.b[i]), y, product, slope: simd.splat_f32s(self.slopes[i]) };
        let gap = P::gap(simd, at);
        let change = P::change(simd, at, gap);
        self.y[i] = scalar::<S>(simd.add_f32s(y, change));
        self.error = self.error.max(scalar::<S>(gap).abs() * self.scale[i]);
        change
    }
}

/// The W rows from `first` on, to the end of the line of their diagonals: a block lies in one line.
#[inline(always)]
fn rows<S: Simd, const W: usize>(correlation: &[Line], width: usize, first: usize) -> [&[S::f32s]; W] {
    let mut rows: [&[S::f32s]; W] = [&[]; W];
    for r in 0..W {
        let row = &correlation[(first + r) * width..][..=first / LINE];
        rows[r] = S::as_simd_f32s(bytemuck::cast_slice(row)).0;
    }
    rows
}

/// The number in every lane.
#[inline(always)]
fn scalar<S: Simd>(lanes: S::f32s) -> f32 {
    bytemuck::cast_slice::<S::f32s, f32>(std::slice::from_ref(&lanes))[0]
}

/// Scales y, and the part t of C y that a sweep has made, so that y'C y = 1, and sets the slopes y / (y^2 + b) of the next
/// sweep. None where y'C y is zero up to rounding, or not a number.
#[inline(always)]
fn settle<S: Simd>(simd: S, y: &mut [f32], t: &mut [f32], b: &[f32], slopes: &mut [f32]) -> Option<()> {
    let v = LINE / S::F32_LANES;
    let (y, t) = (S::as_mut_simd_f32s(y).0, S::as_mut_simd_f32s(t).0);
    let zero = simd.splat_f32s(0.0);
    let (mut cross, mut size) = ([zero; LINE], [zero; LINE]);
    for (y, t) in y.chunks_exact(v).zip(t.chunks_exact(v)) {
        for k in 0..v {
            cross[k] = simd.mul_add_e_f32s(y[k], t[k], cross[k]);
            size[k] = simd.mul_add_e_f32s(y[k], y[k], size[k]);
        }
    }
    let size = line_total::<S>(&size);
    let variance = size + 2.0 * line_total::<S>(&cross);
    if !(variance > f32::EPSILON * size) {
        return None;
    }
    let scale = simd.splat_f32s(variance.sqrt().recip());
    let (slopes, b) = (S::as_mut_simd_f32s(slopes).0, S::as_simd_f32s(b).0);
    for (((y, t), slope), b) in y.iter_mut().zip(t).zip(slopes).zip(b) {
        *y = simd.mul_f32s(*y, scale);
        *t = simd.mul_f32s(*t, scale);
        *slope = simd.div_f32s(*y, simd.mul_add_e_f32s(*y, *y, *b));
    }
    Some(())
}

/// The sum of a line of f32, in a fixed order.
#[inline(always)]
fn line_total<S: Simd>(sums: &[S::f32s; LINE]) -> f32 {
    let mut line = [0.0; LINE];
    line.copy_from_slice(bytemuck::cast_slice(&sums[..LINE / S::F32_LANES]));
    for half in [8, 4, 2, 1] {
        for l in 0..half {
            line[l] += line[l + half];
        }
    }
    line[0]
}

/// S w, from which (max_i |w_i (S w)_i / w'S w - b_i| / b_i, w'S w). Of S the lower triangle is read, each entry for its
/// row and for its column.
#[inline(always)]
fn certify<S: Simd>(simd: S, room: &mut Mixed, covariance: &[f64], budgets: &[f64], weights: &[f64]) -> (f64, f64) {
    let n = room.assets;
    let product = &mut room.covariances[..n];
    product.fill(0.0);
    let mut first = 0;
    while first + BLOCK <= n {
        add_covariances::<S, BLOCK>(simd, &covariance[first * n..], weights, product, first);
        first += BLOCK;
    }
    while first < n {
        add_covariances::<S, 1>(simd, &covariance[first * n..], weights, product, first);
        first += 1;
    }
    let variance: f64 = weights.iter().zip(&*product).map(|(w, p)| w * p).sum();
    let inverse = variance.recip();
    let mut largest = 0.0;
    for ((w, p), b) in weights.iter().zip(&*product).zip(budgets) {
        let error = (w * p * inverse - b).abs() / b;
        largest = if error > largest { error } else { largest };
    }
    (largest, variance)
}

/// product += what W rows up to the diagonal, the first of them row `first`, and their columns contribute to S w.
#[inline(always)]
fn add_covariances<S: Simd, const W: usize>(simd: S, rows: &[f64], w: &[f64], product: &mut [f64], first: usize) {
    let (n, v) = (w.len(), LANES / S::F64_LANES);
    let whole = first - first % LANES;
    let mut heads: [&[S::f64s]; W] = [&[]; W];
    let mut scale = [simd.splat_f64s(0.0); W];
    for r in 0..W {
        heads[r] = S::as_simd_f64s(&rows[r * n..r * n + whole]).0;
        scale[r] = simd.splat_f64s(w[first + r]);
    }
    let mut sums = [[simd.splat_f64s(0.0); LANES]; W];
    let (others, before) = (S::as_simd_f64s(&w[..whole]).0, S::as_mut_simd_f64s(&mut product[..whole]).0);
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
        let (own, row) = (w[first + r], &rows[r * n..r * n + first + r + 1]);
        let mut sum = total(simd, &sums[r]);
        for j in whole..first + r {
            sum += row[j] * w[j];
            product[j] += row[j] * own;
        }
        product[first + r] += sum + row[first + r] * own;
    }
}

/// Corrects weights whose S w and variance are at hand, up to a factor, to the error `aim` of the linear system. Returns
/// its sweeps; none where a weight would vanish.
#[inline(always)]
fn correct<S: Simd>(
    simd: S,
    room: &mut Mixed,
    budgets: &[f64],
    aim: f64,
    variance: f64,
    weights: &mut [f64],
) -> Option<u32> {
    let n = weights.len();
    let Mixed { correlation, below, above, base, slopes, curvature, scale: errors, change, .. } = room;
    let scale = variance.sqrt().recip();
    {
        let (volatilities, inverses, covariances) =
            (&room.volatilities[..n], &room.inverses[..n], &room.covariances[..n]);
        let (base, errors) = (&mut base[..n], &mut errors[..n]);
        let (slopes, curvature) = (&mut slopes[..n], &mut curvature[..n]);
        let budgets = &budgets[..n];
        for i in 0..n {
            let exact = weights[i] * volatilities[i] * scale;
            let inverse = exact.recip();
            let target = budgets[i] * inverse;
            let bend = target * inverse;
            base[i] = (covariances[i] * inverses[i] * scale - target) as f32;
            curvature[i] = bend as f32;
            errors[i] = target.recip() as f32;
            slopes[i] = -(1.0 + bend).recip() as f32;
        }
    }
    // With no change yet, nothing lies below: the first sweep goes backward.
    below.fill(0.0);
    change.fill(0.0);
    let mut state =
        Sweep { simd, correlation, b: curvature, slopes, scale: errors, base, y: change, below, above, error: 0.0 };
    let (mut sweeps, mut before) = (0, 0.0);
    while sweeps < CORRECTING_SWEEPS {
        state.error = 0.0;
        sweeps += 1;
        if sweeps % 2 == 0 {
            state.forward::<Linear>(n);
        } else {
            state.backward::<Linear>(n);
        }
        if foretells(state.error, before, aim as f32) {
            break;
        }
        before = state.error;
    }
    for i in 0..n {
        weights[i] += f64::from(change[i]) * room.inverses[i] / scale;
    }
    weights.iter().all(|&w| w > 0.0).then_some(sweeps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::certificate::Status;
    use crate::solver::{Problem, Workspace, solve, validity};

    /// The covariance of two factors and some noise, volatilities a hundredfold apart.
    fn covariance(n: usize) -> Vec<f64> {
        let volatility = |i: usize| 0.01 * 100.0_f64.powf(i as f64 / n as f64);
        let loading = |i: usize| [0.7, 0.4 * (i as f64).sin()];
        let correlation = |i: usize, j: usize| {
            let ([a, b], [c, d]) = (loading(i), loading(j));
            if i == j { 1.0 } else { a * c + b * d }
        };
        (0..n * n).map(|at| correlation(at / n, at % n) * volatility(at / n) * volatility(at % n)).collect()
    }

    fn try_mixed(covariance: &[f64], budgets: &[f64]) -> Option<(Vec<f64>, Solved)> {
        let mut weights = vec![0.0; budgets.len()];
        let mut room = Mixed::default();
        let solved = room.solve(Arch::new(), covariance, budgets, Options::default(), &mut weights)?;
        Some((weights, solved))
    }

    #[test]
    fn the_solution_is_that_of_the_descent_in_double_precision() {
        for n in [5, 16, 113, 129, 200] {
            let covariance = covariance(n);
            let sum = (1..=n).sum::<usize>() as f64;
            let budgets: Vec<f64> = (1..=n).map(|i| i as f64 / sum).collect();
            let (weights, solved) = try_mixed(&covariance, &budgets).expect("an ordinary problem");
            assert!(solved.rc_error <= 1e-8);

            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            validity::check(&covariance, false, &mut correlation, &mut volatilities).unwrap();
            let mut expected = vec![0.0; n];
            let problem = Problem {
                correlation: &correlation,
                volatilities: &volatilities,
                budgets: &budgets,
                covariance: Some(&covariance),
            };
            let options = Options { finish: true, ..Options::default() };
            let certificate = solve(problem, options, &mut Workspace::default(), &mut expected);
            assert_eq!(certificate.status, Status::Converged);
            for (w, e) in weights.iter().zip(&expected) {
                // Contributions within 1e-8 of their budgets hold the weights of a well-conditioned problem as tightly.
                assert!((w / e - 1.0).abs() <= 2e-8, "n = {n}: {w} {e}");
            }
            assert!((solved.volatility / certificate.volatility - 1.0).abs() <= 1e-8);
        }
    }

    #[test]
    fn matrices_that_are_no_covariances_are_left_alone() {
        let n = 120;
        let sound = covariance(n);
        let budgets = vec![1.0 / n as f64; n];
        assert!(try_mixed(&sound, &budgets).is_some());
        let spoilt = |at: usize, value: f64| {
            let mut matrix = sound.clone();
            matrix[at] = value;
            try_mixed(&matrix, &budgets)
        };
        let pair = 7 * n + 90;
        // One entry away from its mirror image by far more than rounding; beyond one; not a number; no variance.
        assert!(spoilt(pair, sound[pair] * (1.0 + 1e-9)).is_none());
        assert!(spoilt(pair, f64::NAN).is_none());
        assert!(spoilt(pair, f64::INFINITY).is_none());
        assert!(spoilt(7 * n + 7, 0.0).is_none());
        assert!(spoilt(7 * n + 7, -1.0).is_none());
        let mut beyond = sound.clone();
        beyond[1] = 1.001 * (sound[0] * sound[n + 1]).sqrt();
        beyond[n] = beyond[1];
        assert!(try_mixed(&beyond, &budgets).is_none());
    }

    #[test]
    fn hedged_assets_are_left_to_others() {
        // Pairs that cancel to 1e-12: single precision cannot tell them from riskless ones.
        let n = 120;
        let covariance: Vec<f64> = (0..n * n)
            .map(|at| match (at / n, at % n) {
                (i, j) if i == j => 1.0,
                (i, j) if i / 2 == j / 2 => -1.0 + 1e-12,
                _ => 0.0,
            })
            .collect();
        assert!(try_mixed(&covariance, &vec![1.0 / n as f64; n]).is_none());
    }
}
