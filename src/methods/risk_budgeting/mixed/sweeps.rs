//! Sweeps in f32, backward and forward in turn, each over the lower triangle alone: see [`crate::methods::risk_budgeting::interleaved`].

use pulp::{Simd, WithSimd};

use super::{LINE, Line, Mixed, in_lines};

/// Rows that share a pass over a vector.
const SHARING: usize = 8;

/// Descent in f32 goes on to this error ...
const SWITCH: f32 = 1e-5;

/// ... or to this much for each asset, the rounding of its products; and never longer than this.
const SWITCH_PER_ASSET: f32 = 4e-8;
const SWEEPS: u32 = 24;

/// Sweeps in f32 until the error is near their floor. Returns how many; none where the variance vanishes.
pub(super) struct Descend<'a> {
    pub room: &'a mut Mixed,
}

impl WithSimd for Descend<'_> {
    type Output = Option<u32>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Option<u32> {
        in_lines!(S, V => descend::<S, V>(simd, self.room))
    }
}

#[inline(always)]
fn descend<S: Simd, const V: usize>(simd: S, room: &mut Mixed) -> Option<u32> {
    let n = room.assets;
    let Mixed { correlation, ahead, y, below, above, base, slopes, budgets, inverse_budgets, rows, .. } = room;
    for i in 0..n {
        // C r is not far from C 1.
        let (b, sum) = (budgets[i], rows[i] as f32);
        y[i] = if sum > 0.0 { b.sqrt() / sum.sqrt() } else { b.sqrt() };
    }
    base.fill(0.0);
    let mut state =
        Sweep::<S, V> { simd, correlation, ahead, b: budgets, slopes, scale: inverse_budgets, base, y, below, above };
    state.forward::<Stay>();
    settle(simd, state.y, state.below, state.b, state.slopes)?;
    let switch = SWITCH.max(SWITCH_PER_ASSET * n as f32);
    let mut before = 0.0;
    for sweep in 1..=SWEEPS {
        let (error, made) = if sweep.is_multiple_of(2) {
            (state.forward::<Newton>(), &mut *state.below)
        } else {
            (state.backward::<Newton>(), &mut *state.above)
        };
        settle(simd, state.y, made, state.b, state.slopes)?;
        if foretells(error, before, switch) {
            return Some(sweep);
        }
        before = error;
    }
    Some(SWEEPS)
}

/// Whether the largest gap of a sweep, and that of the sweep before, foretell the aim: see [`super::interleaved`].
pub(super) fn foretells(error: f32, before: f32, aim: f32) -> bool {
    error * (error / before).min(1.0).sqrt() <= aim
}

/// A vector of coordinates: coefficients b, values, slopes, and what else there is of their entries of the product.
#[derive(Clone, Copy)]
pub(super) struct Coordinates<S: Simd> {
    b: S::f32s,
    y: S::f32s,
    slope: S::f32s,
    rest: S::f32s,
}

/// Where coordinates go, given their entries p = known + rest of the product. A trait, since closures are not compiled for
/// the caller's vector instructions.
pub(super) trait Step {
    /// What does not wait for the coordinates before.
    type Plan<S: Simd>: Copy;

    fn plan<S: Simd>(simd: S, at: Coordinates<S>) -> Self::Plan<S>;

    fn next<S: Simd>(simd: S, plan: Self::Plan<S>, known: S::f32s) -> S::f32s;

    /// How far they are from their roots: b - y p of a descent.
    #[inline(always)]
    fn gap<S: Simd>(simd: S, at: Coordinates<S>, known: S::f32s) -> S::f32s {
        simd.negate_mul_add_e_f32s(simd.add_f32s(known, at.rest), at.y, at.b)
    }
}

/// Nowhere.
struct Stay;

impl Step for Stay {
    type Plan<S: Simd> = S::f32s;

    #[inline(always)]
    fn plan<S: Simd>(_: S, at: Coordinates<S>) -> S::f32s {
        at.y
    }

    #[inline(always)]
    fn next<S: Simd>(_: S, y: S::f32s, _: S::f32s) -> S::f32s {
        y
    }
}

/// Towards the root of y_i (C y)_i = b_i, the others fixed, to first order: y + slope (b - y p), slope = y / (y^2 + b), and
/// never by more than three quarters of y down.
struct Newton;

impl Step for Newton {
    /// y + slope (b - y rest), slope y, and the least value: one multiply-add is left.
    type Plan<S: Simd> = (S::f32s, S::f32s, S::f32s);

    #[inline(always)]
    fn plan<S: Simd>(simd: S, at: Coordinates<S>) -> Self::Plan<S> {
        let gap = simd.negate_mul_add_e_f32s(at.rest, at.y, at.b);
        let start = simd.mul_add_e_f32s(at.slope, gap, at.y);
        (start, simd.mul_f32s(at.slope, at.y), simd.mul_f32s(simd.splat_f32s(0.25), at.y))
    }

    #[inline(always)]
    fn next<S: Simd>(simd: S, (start, slope, least): Self::Plan<S>, known: S::f32s) -> S::f32s {
        simd.max_f32s(simd.negate_mul_add_e_f32s(slope, known, start), least)
    }
}

/// To the root of p + b y = 0, for p that grows with y: slope = -1 / (1 + b).
pub(super) struct Linear;

impl Step for Linear {
    /// y + slope (rest + b y), and slope.
    type Plan<S: Simd> = (S::f32s, S::f32s);

    #[inline(always)]
    fn plan<S: Simd>(simd: S, at: Coordinates<S>) -> Self::Plan<S> {
        let gap = simd.mul_add_e_f32s(at.b, at.y, at.rest);
        (simd.mul_add_e_f32s(at.slope, gap, at.y), at.slope)
    }

    #[inline(always)]
    fn next<S: Simd>(simd: S, (start, slope): Self::Plan<S>, known: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(slope, known, start)
    }

    #[inline(always)]
    fn gap<S: Simd>(simd: S, at: Coordinates<S>, known: S::f32s) -> S::f32s {
        simd.mul_add_e_f32s(at.b, at.y, simd.add_f32s(known, at.rest))
    }
}

/// What a sweep works on; `b`, `slopes` and `scale` belong to its [`Step`].
///
/// Coordinates are taken a line at a time, in `V` vectors. Inside, one waits for the one before: its new value is spread
/// over the lanes and added to the products of its own line and of the next one, a chain of two multiply-adds and a
/// permutation. What concerns all other lines is added meanwhile.
pub(super) struct Sweep<'a, S: Simd, const V: usize> {
    pub simd: S,
    pub correlation: &'a [Line],
    pub ahead: &'a [[Line; 2]],
    pub b: &'a [f32],
    pub slopes: &'a mut [f32],
    pub scale: &'a [f32],
    pub base: &'a [f32],
    pub y: &'a mut [f32],
    pub below: &'a mut [f32],
    pub above: &'a mut [f32],
}

/// Does the same with each lane of a line, in the order given. The compiler must know which, to permute in registers.
macro_rules! for_lanes {
    ($lane:ident in $($number:literal)* $body:block) => {
        $({
            const $lane: usize = $number;
            $body
        })*
    };
}

impl<S: Simd, const V: usize> Sweep<'_, S, V> {
    /// Returns max_i |gap_i| scale_i, each before y_i moved.
    #[inline(always)]
    pub fn forward<P: Step>(&mut self) -> f32 {
        let (simd, lines, zero) = (self.simd, self.y.len() / LINE, [self.simd.splat_f32s(0.0); V]);
        let (mut known, mut errors) = (zero, zero);
        for line in 0..lines {
            let at = self.coordinates(line, self.above);
            let plan = plan::<P, S, V>(simd, at);
            let rows = &self.ahead.as_chunks::<LINE>().0[line];
            let mut next = zero;
            for_lanes!(LANE in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 {
                let moved = moved::<P, S, V, LANE>(simd, plan, known);
                add(simd, moved, &rows[LANE][0], &mut known);
                add(simd, moved, &rows[LANE][1], &mut next);
            });
            self.finish::<P>(line, at, plan, known, &mut errors);
            *vectors_mut::<S, V>(self.below, line) = known;
            if line + 1 < lines {
                known = self.products(line + 1, line);
                for k in 0..V {
                    known[k] = simd.add_f32s(known[k], next[k]);
                }
            }
        }
        largest(simd, errors)
    }

    /// As [`Sweep::forward`].
    #[inline(always)]
    pub fn backward<P: Step>(&mut self) -> f32 {
        let (simd, lines, zero) = (self.simd, self.y.len() / LINE, [self.simd.splat_f32s(0.0); V]);
        self.above.copy_from_slice(self.base);
        let (mut next, mut errors) = (zero, zero);
        for line in (0..lines).rev() {
            let at = self.coordinates(line, self.below);
            let plan = plan::<P, S, V>(simd, at);
            let rows = &self.correlation[line * LINE * lines..][..LINE * lines];
            // Before the first line there is none: what is made for it is of no use.
            let before = line.saturating_sub(1);
            let mut known = vectors::<S, V>(self.above, line);
            for k in 0..V {
                known[k] = simd.add_f32s(known[k], next[k]);
            }
            next = zero;
            for_lanes!(LANE in 15 14 13 12 11 10 9 8 7 6 5 4 3 2 1 0 {
                let moved = moved::<P, S, V, LANE>(simd, plan, known);
                add(simd, moved, &rows[LANE * lines + line], &mut known);
                add(simd, moved, &rows[LANE * lines + before], &mut next);
            });
            self.finish::<P>(line, at, plan, known, &mut errors);
            *vectors_mut::<S, V>(self.above, line) = known;
            self.spread(line, before);
        }
        largest(simd, errors)
    }

    /// Those of a line, for products whose `other` part is known from the sweep before.
    #[inline(always)]
    fn coordinates(&self, line: usize, other: &[f32]) -> [Coordinates<S>; V] {
        let (b, y) = (vectors::<S, V>(self.b, line), vectors::<S, V>(self.y, line));
        let (slope, other) = (vectors::<S, V>(self.slopes, line), vectors::<S, V>(other, line));
        let mut all = [Coordinates { b: b[0], y: y[0], slope: slope[0], rest: y[0] }; V];
        for k in 0..V {
            all[k] = Coordinates { b: b[k], y: y[k], slope: slope[k], rest: self.simd.add_f32s(other[k], y[k]) };
        }
        all
    }

    /// Moves a line. No coordinate's product holds what those after it have added: all of them move once more, at once.
    #[inline(always)]
    fn finish<P: Step>(
        &mut self,
        line: usize,
        at: [Coordinates<S>; V],
        plan: [P::Plan<S>; V],
        known: [S::f32s; V],
        errors: &mut [S::f32s; V],
    ) {
        let (simd, scale) = (self.simd, vectors::<S, V>(self.scale, line));
        for k in 0..V {
            let gap = simd.abs_f32s(P::gap(simd, at[k], known[k]));
            errors[k] = simd.max_f32s(errors[k], simd.mul_f32s(gap, scale[k]));
            vectors_mut::<S, V>(self.y, line)[k] = P::next(simd, plan[k], known[k]);
        }
    }

    /// The products of the rows of a line with the first `lines` of y.
    #[inline(always)]
    fn products(&self, line: usize, lines: usize) -> [S::f32s; V] {
        let (simd, width) = (self.simd, self.y.len() / LINE);
        let y = &S::as_simd_f32s(self.y).0[..lines * V];
        let mut products = [0.0; LINE];
        for first in (0..LINE).step_by(SHARING) {
            let mut rows = [y; SHARING];
            for r in 0..SHARING {
                let row = &self.correlation[(line * LINE + first + r) * width..][..lines];
                rows[r] = S::as_simd_f32s(bytemuck::cast_slice(row)).0;
            }
            let mut sums = [[simd.splat_f32s(0.0); V]; SHARING];
            for at in (0..y.len()).step_by(V) {
                for k in 0..V {
                    for r in 0..SHARING {
                        sums[r][k] = simd.mul_add_e_f32s(rows[r][at + k], y[at + k], sums[r][k]);
                    }
                }
            }
            for r in 0..SHARING {
                let mut sum = sums[r][0];
                for k in 1..V {
                    sum = simd.add_f32s(sum, sums[r][k]);
                }
                products[first + r] = simd.reduce_sum_f32s(sum);
            }
        }
        vectors::<S, V>(&products, 0)
    }

    /// Adds what the coordinates of a line contribute to the products of the first `lines`.
    #[inline(always)]
    fn spread(&mut self, line: usize, lines: usize) {
        let (simd, width) = (self.simd, self.y.len() / LINE);
        let above = &mut S::as_mut_simd_f32s(self.above).0[..lines * V];
        for first in (0..LINE).step_by(SHARING) {
            let mut rows: [&[S::f32s]; SHARING] = [&[]; SHARING];
            let mut moved = [simd.splat_f32s(0.0); SHARING];
            for r in 0..SHARING {
                let i = line * LINE + first + r;
                rows[r] = S::as_simd_f32s(bytemuck::cast_slice(&self.correlation[i * width..][..lines])).0;
                moved[r] = simd.splat_f32s(self.y[i]);
            }
            for at in 0..above.len() {
                let mut sum = above[at];
                for r in 0..SHARING {
                    sum = simd.mul_add_e_f32s(rows[r][at], moved[r], sum);
                }
                above[at] = sum;
            }
        }
    }
}

#[inline(always)]
fn plan<P: Step, S: Simd, const V: usize>(simd: S, at: [Coordinates<S>; V]) -> [P::Plan<S>; V] {
    let mut plans = [P::plan(simd, at[0]); V];
    for k in 1..V {
        plans[k] = P::plan(simd, at[k]);
    }
    plans
}

/// The next value of a lane, in every lane.
#[inline(always)]
fn moved<P: Step, S: Simd, const V: usize, const LANE: usize>(
    simd: S,
    plan: [P::Plan<S>; V],
    known: [S::f32s; V],
) -> S::f32s {
    let k = LANE / S::F32_LANES;
    let next = P::next(simd, plan[k], known[k]);
    simd.splat_f32s(bytemuck::cast_slice::<S::f32s, f32>(std::slice::from_ref(&next))[LANE % S::F32_LANES])
}

/// sums += y c
#[inline(always)]
fn add<S: Simd, const V: usize>(simd: S, y: S::f32s, c: &Line, sums: &mut [S::f32s; V]) {
    let c = vectors::<S, V>(&c.0, 0);
    for k in 0..V {
        sums[k] = simd.mul_add_e_f32s(y, c[k], sums[k]);
    }
}

/// The vectors of a line.
#[inline(always)]
fn vectors<S: Simd, const V: usize>(values: &[f32], line: usize) -> [S::f32s; V] {
    let (vectors, _) = S::as_simd_f32s(&values[line * LINE..(line + 1) * LINE]).0.as_chunks();
    vectors[0]
}

#[inline(always)]
fn vectors_mut<S: Simd, const V: usize>(values: &mut [f32], line: usize) -> &mut [S::f32s; V] {
    let (vectors, _) = S::as_mut_simd_f32s(&mut values[line * LINE..(line + 1) * LINE]).0.as_chunks_mut();
    &mut vectors[0]
}

#[inline(always)]
fn largest<S: Simd, const V: usize>(simd: S, vectors: [S::f32s; V]) -> f32 {
    let mut largest = vectors[0];
    for k in 1..V {
        largest = simd.max_f32s(largest, vectors[k]);
    }
    simd.reduce_max_f32s(largest)
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
    // Where padded, zero over this.
    let least = simd.splat_f32s(f32::MIN_POSITIVE);
    for (((y, t), slope), b) in y.iter_mut().zip(t).zip(slopes).zip(b) {
        *y = simd.mul_f32s(*y, scale);
        *t = simd.mul_f32s(*t, scale);
        *slope = simd.div_f32s(*y, simd.max_f32s(simd.mul_add_e_f32s(*y, *y, *b), least));
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
