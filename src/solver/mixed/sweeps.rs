//! Sweeps in f32, backward and forward in turn, each over the lower triangle alone: see [`crate::solver::interleaved`].

use pulp::Simd;

use super::{BLOCK, LINE, Line, Mixed};

/// Sweeps by roots, before Newton steps are close enough.
const EXACT: u32 = 1;

/// Descent in f32 goes on to this error ...
const SWITCH: f32 = 1e-5;

/// ... or to this much for each asset, the rounding of its products; and never longer than this.
const SWITCH_PER_ASSET: f32 = 4e-8;
const SWEEPS: u32 = 24;

/// Sweeps in f32 until the error is near their floor. Returns how many; none where the variance vanishes.
#[inline(always)]
pub(super) fn descend<S: Simd>(simd: S, room: &mut Mixed) -> Option<u32> {
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
        match (sweep.is_multiple_of(2), sweep <= EXACT) {
            (true, true) => state.forward::<Root>(n),
            (true, false) => state.forward::<Newton>(n),
            (false, true) => state.backward::<Root>(n),
            (false, false) => state.backward::<Newton>(n),
        }
        let made = if sweep.is_multiple_of(2) { &mut *state.below } else { &mut *state.above };
        settle(simd, state.y, made, state.b, state.slopes)?;
        if foretells(state.error, before, switch) {
            return Some(sweep);
        }
        before = state.error;
    }
    Some(SWEEPS)
}

/// Whether the largest gap of a sweep, and that of the sweep before, foretell the aim: see [`super::interleaved`].
pub(super) fn foretells(error: f32, before: f32, aim: f32) -> bool {
    error * (error / before).min(1.0).sqrt() <= aim
}

/// One coordinate in every lane: its coefficient b, its value, its entry of the product.
#[derive(Clone, Copy)]
pub(super) struct Coordinate<S: Simd> {
    b: S::f32s,
    y: S::f32s,
    product: S::f32s,
    slope: S::f32s,
}

/// How far a coordinate is from its root, and how far it moves. A trait, since closures are not compiled for the caller's
/// vector instructions.
pub(super) trait Step {
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
pub(super) struct Linear;

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
pub(super) struct Sweep<'a, S: Simd> {
    pub simd: S,
    pub correlation: &'a [Line],
    pub b: &'a [f32],
    pub slopes: &'a mut [f32],
    pub scale: &'a [f32],
    pub base: &'a [f32],
    pub y: &'a mut [f32],
    pub below: &'a mut [f32],
    pub above: &'a mut [f32],
    /// max_i |gap_i| scale_i, each before y_i moved.
    pub error: f32,
}

impl<S: Simd> Sweep<'_, S> {
    #[inline(always)]
    pub fn forward<P: Step>(&mut self, n: usize) {
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
    pub fn backward<P: Step>(&mut self, n: usize) {
        self.above.copy_from_slice(self.base);
        let mut end = n;
        while !end.is_multiple_of(BLOCK) {
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
