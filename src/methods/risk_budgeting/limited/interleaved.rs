//! Descent within limits on eight problems at once, a lane each: stages `descend`, `limit` and `certify` of
//! [`super::descent`]. Groups are the same in all lanes, bounds a lane's own; the weights themselves move, so that a bound is
//! a number that stays.
//!
//! ```text
//! y_i = sigma_i w_i,   p = C y,   v = y'p,   gap_i = b_i - y_i p_i / v        (stationary: gap_i = lambda_i w_i)
//! step_i(l) = w_i + slope_i (gap_i - l w_i), at least w_i / 4, clipped to the bounds        slope_i = w_i / (y_i^2 / v + b_i)
//! repeat
//!   certify        with the fresh p
//!   multipliers    with the product frozen: nu from  sum_g clip(sum_g step_i(nu), lo_g, hi_g) = 1, then lambda_g of the
//!                  groups that were clipped. Steps are lines, so one step of Newton does once the same ones are clipped
//!   sweep          w_i <- step_i(lambda_g(i)) with the running p
//!   restore        what is free of each held group, and of the rest, is scaled to the sum that is left to it and clipped;
//!                  where something was clipped, once more
//!   accelerate     with w' the weights so far, u the move of y, and - what the last sweep left (Anderson 1965, depth 1):
//!                  w = w' - theta (w' - w'-),   theta = u'(u - u-) / |u - u-|^2,  where it is in [-1, 1]
//!   p = C y
//! ```
//!
//! Moves shrink at a steady rate, 0.1 to 0.5 a sweep, for as long as the same weights are at bounds: acceleration saves a
//! quarter of the sweeps.
//!
//! A lane's iterations count for itself alone, so its result is that of the problem by itself. What is not solved within
//! 32 sweeps is left to [`super::solve`].

use pulp::{Arch, Simd, WithSimd};

use super::super::interleaved::{BLOCK, Group, multiply, rows};
use super::super::{AIM, FLOOR, Options, condition_bound};
use crate::lanes::{LANES, Lanes, vectors, vectors_mut};
use crate::methods::limits::{self, Limits};

/// Twice what 90 % of ordinary problems take to 1e-10.
const SWEEPS: u32 = 32;

/// Evaluations of a scalar equation.
const EVALUATIONS: usize = 16;

/// From this error on the same weights are at bounds from sweep to sweep, and one evaluation does.
const CLOSE: f64 = 1e-3;

/// The first sweep that is accelerated: its move and two weights before it are of steps alone.
const ACCELERATED: u32 = 2;

/// Sums are right where they differ by rounding alone.
const ROUNDING: f64 = 1e-14;

/// Weights are at a bound to this share of it.
const SNAP: f64 = 1e-15;

/// What is known of one lane.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Solved {
    /// Solved, certified, and well clear of the rounding floor.
    pub converged: bool,
    pub kkt_error: f64,
    /// Largest relative miss of a budget.
    pub rc_error: f64,
    pub sweeps: u32,
    pub volatility: f64,
}

/// What is asked of the weights of all lanes.
#[derive(Debug, Clone, Copy)]
pub struct Programs<'a> {
    pub budgets: &'a [f64],
    /// Least and largest weight of each asset.
    pub bounds: &'a [[Lanes; 2]],
    pub groups: &'a [limits::Group],
    /// The members of each group and, last, all other assets.
    pub parts: &'a [Vec<usize>],
}

/// The same bounds in all lanes.
pub fn bounds(limits: &Limits) -> Vec<[Lanes; 2]> {
    limits.least.iter().zip(&limits.most).map(|(least, most)| [*least, *most].map(Lanes::splat)).collect()
}

/// Room to solve in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    y: Vec<Lanes>,
    product: Vec<Lanes>,
    /// sigma_i times how far w_i has moved in this sweep.
    moved: Vec<Lanes>,
    /// The same of the last whole sweep, and the weights it led to.
    moves: Vec<Lanes>,
    images: Vec<Lanes>,
    slopes: Vec<Lanes>,
    /// step_i(l) = at_i - l falls_i, before it is clipped.
    at: Vec<Lanes>,
    falls: Vec<Lanes>,
    /// Of each asset, the multiplier of its part.
    lambdas: Vec<Lanes>,
    blocks: Vec<Block>,
}

/// Held groups and, last, all other assets.
#[derive(Debug, Clone, Copy, Default)]
struct Block {
    lambda: Lanes,
    /// One where the group is held at `target`, else zero.
    held: Lanes,
    target: Lanes,
    sum: Lanes,
    slope: Lanes,
}

impl Workspace {
    /// Solves all usable lanes of the group; their weights are written to it.
    pub fn solve(&mut self, arch: Arch, group: &mut Group, programs: Programs, options: Options) -> [Solved; LANES] {
        arch.dispatch(Solve { work: self, group, programs, options })
    }
}

struct Solve<'a> {
    work: &'a mut Workspace,
    group: &'a mut Group,
    programs: Programs<'a>,
    options: Options,
}

impl WithSimd for Solve<'_> {
    type Output = [Solved; LANES];

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Self::Output {
        let Solve { work, group, programs, options } = self;
        let n = programs.budgets.len();
        let Workspace { y, product, moved, moves, images, slopes, at, falls, lambdas, blocks } = work;
        for vector in [&mut *y, product, moved, moves, images, slopes, at, falls, lambdas] {
            vector.resize(n, Lanes::default());
        }
        blocks.clear();
        blocks.resize(programs.groups.len() + 1, Block::default());
        let mut run = Run {
            simd,
            programs,
            correlation: &group.correlation,
            volatilities: &group.volatilities,
            weights: &mut group.weights,
            y,
            product,
            moved,
            moves,
            images,
            slopes,
            at,
            falls,
            lambdas,
            blocks,
            inverse: Lanes::default(),
            live: group.usable,
            far: [true; LANES],
            clipped: [false; LANES],
        };
        run.start();
        let aim = AIM * options.tolerance;
        let mut solved = [Solved::default(); LANES];
        for sweep in 0..=SWEEPS {
            run.multiply();
            let found = run.certify();
            for lane in 0..LANES {
                let Certified { error, miss, variance } = found;
                if !run.live[lane] {
                    continue;
                }
                let (error, variance) = (error.0[lane], variance.0[lane]);
                if error <= aim && variance > 0.0 && sweep > 0 {
                    let rc_error = miss.0[lane];
                    let volatility = variance.sqrt();
                    solved[lane] = Solved { converged: true, kkt_error: error, rc_error, sweeps: sweep, volatility };
                }
                run.live[lane] = !solved[lane].converged && error.is_finite() && variance > 0.0;
                run.far[lane] = error > CLOSE;
            }
            if sweep == SWEEPS || run.live == [false; LANES] {
                break;
            }
            run.lines(sweep);
            run.multipliers();
            run.sweep();
            run.restore(run.live);
            run.restore(run.clipped);
            run.accelerate(sweep >= ACCELERATED);
        }
        for (lane, solved) in solved.iter_mut().enumerate().filter(|(_, solved)| solved.converged) {
            for (weight, bounds) in group.weights.iter_mut().zip(programs.bounds) {
                // A bound up to the last bit is the bound.
                let (weight, [least, most]) = (&mut weight.0[lane], bounds.map(|bound| bound.0[lane]));
                if (*weight - most).abs() <= SNAP * most {
                    *weight = most;
                } else if (*weight - least).abs() <= SNAP * least {
                    *weight = least;
                }
            }
            let x = group.weights.iter().zip(&group.volatilities).map(|(w, s)| w.0[lane] * s.0[lane]);
            // An asset whose weight is given has no condition that rounding could hide.
            let is_pinned = |i: usize| programs.bounds[i][0].0[lane] == programs.bounds[i][1].0[lane];
            let held = x.zip(programs.budgets).enumerate().filter(|(i, _)| !is_pinned(*i));
            let (x, b): (Vec<f64>, Vec<f64>) = held.map(|(_, (x, b))| (x, *b)).unzip();
            let bound = condition_bound(x.into_iter(), &b, solved.volatility * solved.volatility);
            solved.converged = FLOOR * bound <= options.tolerance;
        }
        solved
    }
}

/// Errors of all lanes.
#[derive(Debug, Clone, Copy)]
struct Certified {
    error: Lanes,
    miss: Lanes,
    variance: Lanes,
}

/// What a descent works on.
struct Run<'a, S: Simd> {
    simd: S,
    programs: Programs<'a>,
    correlation: &'a [Lanes],
    volatilities: &'a [Lanes],
    weights: &'a mut [Lanes],
    y: &'a mut [Lanes],
    product: &'a mut [Lanes],
    moved: &'a mut [Lanes],
    moves: &'a mut [Lanes],
    images: &'a mut [Lanes],
    slopes: &'a mut [Lanes],
    at: &'a mut [Lanes],
    falls: &'a mut [Lanes],
    lambdas: &'a mut [Lanes],
    blocks: &'a mut [Block],
    /// 1 / v.
    inverse: Lanes,
    live: [bool; LANES],
    /// Whether the error is above [`CLOSE`].
    far: [bool; LANES],
    /// Whether [`Run::restore`] has clipped a weight.
    clipped: [bool; LANES],
}

/// Vector k of a lane's number.
#[inline(always)]
fn get<S: Simd>(lanes: &Lanes, k: usize) -> S::f64s {
    vectors::<S>(std::slice::from_ref(lanes))[k]
}

#[inline(always)]
fn put<S: Simd>(lanes: &mut Lanes, k: usize, value: S::f64s) {
    vectors_mut::<S>(std::slice::from_mut(lanes))[k] = value;
}

impl<S: Simd> Run<'_, S> {
    const V: usize = LANES / S::F64_LANES;

    #[inline(always)]
    fn mask(&self, lanes: [bool; LANES], k: usize) -> S::m64s {
        self.is_set(&Lanes(lanes.map(|is| f64::from(u8::from(is)))), k)
    }

    #[inline(always)]
    fn is_set(&self, flag: &Lanes, k: usize) -> S::m64s {
        self.simd.less_than_f64s(self.simd.splat_f64s(0.5), get::<S>(flag, k))
    }

    #[inline(always)]
    fn least(&self, i: usize, k: usize) -> S::f64s {
        get::<S>(&self.programs.bounds[i][0], k)
    }

    #[inline(always)]
    fn most(&self, i: usize, k: usize) -> S::f64s {
        get::<S>(&self.programs.bounds[i][1], k)
    }

    /// w_i in proportion to sqrt(b_i) / sigma_i, within the bounds.
    #[inline(always)]
    fn start(&mut self) {
        let Programs { budgets, .. } = self.programs;
        let simd = self.simd;
        for k in 0..Self::V {
            let mut total = simd.splat_f64s(0.0);
            for i in 0..budgets.len() {
                // A weight that is given counts through the sum alone.
                let size = simd.splat_f64s(budgets[i].sqrt());
                let w = simd.div_f64s(size, get::<S>(&self.volatilities[i], k));
                total = simd.add_f64s(total, w);
                put::<S>(&mut self.weights[i], k, w);
            }
            let scale = simd.div_f64s(simd.splat_f64s(1.0), total);
            for i in 0..budgets.len() {
                let w = simd.mul_f64s(get::<S>(&self.weights[i], k), scale);
                let w = simd.max_f64s(w, self.least(i, k));
                let w = simd.min_f64s(w, self.most(i, k));
                put::<S>(&mut self.weights[i], k, w);
            }
        }
    }

    /// y and p from the weights.
    #[inline(always)]
    fn multiply(&mut self) {
        let simd = self.simd;
        let (y, w) = (vectors_mut::<S>(self.y), vectors::<S>(self.weights));
        for ((y, w), s) in y.iter_mut().zip(w).zip(vectors::<S>(self.volatilities)) {
            *y = simd.mul_f64s(*w, *s);
        }
        multiply(simd, self.correlation, self.y, self.product);
    }

    /// Errors of the weights, from the fresh product.
    #[inline(always)]
    fn certify(&mut self) -> Certified {
        let Programs { budgets, groups, parts, .. } = self.programs;
        let (n, simd, pool) = (budgets.len(), self.simd, groups.len());
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let mut found = Certified { error: Lanes::default(), miss: Lanes::default(), variance: Lanes::default() };
        for k in 0..Self::V {
            let mut variance = zero;
            for i in 0..n {
                variance = simd.mul_add_e_f64s(get::<S>(&self.y[i], k), get::<S>(&self.product[i], k), variance);
            }
            let inverse = simd.div_f64s(one, variance);
            put::<S>(&mut self.inverse, k, inverse);
            // s_i - b_i, and its sum over the free assets of a part with the sum of their weights.
            let (mut error, mut miss, mut total) = (zero, zero, zero);
            for (part, members) in parts.iter().enumerate() {
                let (mut lefts, mut weights, mut held) = (zero, zero, zero);
                for &i in members {
                    let w = get::<S>(&self.weights[i], k);
                    let own = simd.mul_f64s(get::<S>(&self.y[i], k), get::<S>(&self.product[i], k));
                    let left = simd.sub_f64s(simd.mul_f64s(own, inverse), simd.splat_f64s(budgets[i]));
                    put::<S>(&mut self.at[i], k, left);
                    let free = self.is_free(i, k, w);
                    lefts = simd.add_f64s(lefts, simd.select_f64s(free, left, zero));
                    weights = simd.add_f64s(weights, simd.select_f64s(free, w, zero));
                    held = simd.add_f64s(held, w);
                }
                total = simd.add_f64s(total, held);
                let block = &mut self.blocks[part];
                put::<S>(&mut block.sum, k, lefts);
                put::<S>(&mut block.slope, k, weights);
                if part < pool {
                    let (least, most) = (groups[part].least, groups[part].most);
                    error = simd.max_f64s(error, simd.sub_f64s(simd.splat_f64s(least), held));
                    error = simd.max_f64s(error, simd.sub_f64s(held, simd.splat_f64s(most)));
                }
            }
            error = simd.max_f64s(error, simd.abs_f64s(simd.sub_f64s(total, one)));
            self.multiplier_of_rest(k);
            for (part, members) in parts.iter().enumerate() {
                if part < pool {
                    self.multiplier_of(part, k);
                }
                let lambda = get::<S>(&self.blocks[part].lambda, k);
                for &i in members {
                    // Without a budget a weight is given, and has no condition.
                    if budgets[i] == 0.0 {
                        continue;
                    }
                    let inverse = simd.splat_f64s(budgets[i].recip());
                    let left = get::<S>(&self.at[i], k);
                    miss = simd.max_f64s(miss, simd.mul_f64s(simd.abs_f64s(left), inverse));
                    let (least, most) = (self.least(i, k), self.most(i, k));
                    let w = get::<S>(&self.weights[i], k);
                    let rest = simd.mul_add_e_f64s(lambda, w, left);
                    let at_most = simd.less_than_or_equal_f64s(most, w);
                    let at_least = simd.less_than_or_equal_f64s(w, least);
                    let rest = simd.select_f64s(at_most, simd.max_f64s(rest, zero), rest);
                    let rest = simd.select_f64s(at_least, simd.min_f64s(rest, zero), rest);
                    let rest = simd.select_f64s(simd.equal_f64s(least, most), zero, rest);
                    error = simd.max_f64s(simd.mul_f64s(simd.abs_f64s(rest), inverse), error);
                }
            }
            put::<S>(&mut found.error, k, error);
            put::<S>(&mut found.miss, k, miss);
            put::<S>(&mut found.variance, k, variance);
        }
        found
    }

    /// nu = - sum (s_i - b_i) / sum w_i over what is free outside held groups; as it was where nothing is.
    #[inline(always)]
    fn multiplier_of_rest(&mut self, k: usize) {
        let (simd, pool) = (self.simd, self.programs.groups.len());
        let zero = self.simd.splat_f64s(0.0);
        let (mut sum, mut weights) = (get::<S>(&self.blocks[pool].sum, k), get::<S>(&self.blocks[pool].slope, k));
        for block in &self.blocks[..pool] {
            let held = self.is_set(&block.held, k);
            sum = simd.add_f64s(sum, simd.select_f64s(held, zero, get::<S>(&block.sum, k)));
            weights = simd.add_f64s(weights, simd.select_f64s(held, zero, get::<S>(&block.slope, k)));
        }
        let nu = self.mean(sum, weights, get::<S>(&self.blocks[pool].lambda, k));
        put::<S>(&mut self.blocks[pool].lambda, k, nu);
    }

    /// Of a group, which at its largest sum is not below nu, and at its least not above.
    #[inline(always)]
    fn multiplier_of(&mut self, part: usize, k: usize) {
        let (simd, pool) = (self.simd, self.programs.groups.len());
        let nu = get::<S>(&self.blocks[pool].lambda, k);
        let block = &self.blocks[part];
        let held = self.is_set(&block.held, k);
        let own = self.mean(get::<S>(&block.sum, k), get::<S>(&block.slope, k), get::<S>(&block.lambda, k));
        let group = &self.programs.groups[part];
        let upper = simd.less_than_or_equal_f64s(simd.splat_f64s(group.most), get::<S>(&block.target, k));
        let signed = simd.select_f64s(upper, simd.max_f64s(own, nu), simd.min_f64s(own, nu));
        let own = if group.least == group.most { own } else { signed };
        put::<S>(&mut self.blocks[part].lambda, k, simd.select_f64s(held, own, nu));
    }

    /// - sum / weights; `else_` where there are none.
    #[inline(always)]
    fn mean(&self, sum: S::f64s, weights: S::f64s, else_: S::f64s) -> S::f64s {
        let simd = self.simd;
        let zero = simd.splat_f64s(0.0);
        let mean = simd.div_f64s(simd.sub_f64s(zero, sum), weights);
        simd.select_f64s(simd.less_than_f64s(zero, weights), mean, else_)
    }

    /// The lines of all steps; their slopes hardly change once the weights do not.
    #[inline(always)]
    fn lines(&mut self, sweep: u32) {
        let Programs { budgets, .. } = self.programs;
        let simd = self.simd;
        let fresh = sweep == 0 || sweep.is_power_of_two();
        for k in 0..Self::V {
            let inverse = get::<S>(&self.inverse, k);
            for i in 0..budgets.len() {
                let w = get::<S>(&self.weights[i], k);
                if fresh {
                    let y = get::<S>(&self.y[i], k);
                    let curve = simd.mul_add_e_f64s(simd.mul_f64s(y, y), inverse, simd.splat_f64s(budgets[i]));
                    put::<S>(&mut self.slopes[i], k, simd.div_f64s(w, curve));
                }
                let slope = get::<S>(&self.slopes[i], k);
                // `at` holds s_i - b_i.
                let at = simd.negate_mul_add_e_f64s(slope, get::<S>(&self.at[i], k), w);
                put::<S>(&mut self.at[i], k, at);
                put::<S>(&mut self.falls[i], k, simd.mul_f64s(slope, w));
            }
        }
    }

    /// A line clipped to the bounds, and its slope there, zero where it is clipped.
    #[inline(always)]
    fn step(&self, i: usize, k: usize, l: S::f64s) -> (S::f64s, S::f64s) {
        let simd = self.simd;
        let falls = get::<S>(&self.falls[i], k);
        let w = simd.negate_mul_add_e_f64s(l, falls, get::<S>(&self.at[i], k));
        let quarter = simd.mul_f64s(get::<S>(&self.weights[i], k), simd.splat_f64s(0.25));
        let least = simd.max_f64s(self.least(i, k), quarter);
        let most = self.most(i, k);
        let inside = simd.and_m64s(simd.less_than_f64s(least, w), simd.less_than_f64s(w, most));
        let clipped = simd.min_f64s(simd.max_f64s(w, least), most);
        (clipped, simd.select_f64s(inside, falls, simd.splat_f64s(0.0)))
    }

    /// Multipliers with the product frozen.
    #[inline(always)]
    fn multipliers(&mut self) {
        let Programs { groups, parts, .. } = self.programs;
        let (simd, pool) = (self.simd, groups.len());
        let one = simd.splat_f64s(1.0);
        for k in 0..Self::V {
            let (mut asked, far) = (self.mask(self.live, k), self.mask(self.far, k));
            let mut equation = Equation::from(simd, get::<S>(&self.blocks[pool].lambda, k));
            for _ in 0..EVALUATIONS {
                let (mut value, mut slope) = self.steps(&parts[pool], k, equation.at);
                value = simd.sub_f64s(value, one);
                for g in 0..pool {
                    let (sum, falls) = self.hold(g, k, equation.at, asked);
                    (value, slope) = (simd.add_f64s(value, sum), simd.add_f64s(slope, falls));
                }
                asked = equation.moves(value, slope, far, asked);
                if !any(simd, asked) {
                    break;
                }
            }
            put::<S>(&mut self.blocks[pool].lambda, k, equation.at);
            for g in 0..pool {
                self.multiplier_within(g, k, equation.at);
            }
        }
    }

    /// The sum of a group's steps, clipped to its limits, and how fast it falls; in the lanes asked, whether it is held.
    #[inline(always)]
    fn hold(&mut self, g: usize, k: usize, nu: S::f64s, asked: S::m64s) -> (S::f64s, S::f64s) {
        let simd = self.simd;
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let group = &self.programs.groups[g];
        let (least, most) = (simd.splat_f64s(group.least), simd.splat_f64s(group.most));
        let (sum, falls) = self.steps(&group.members, k, nu);
        let (above, below) = (simd.less_than_f64s(most, sum), simd.less_than_f64s(sum, least));
        let held = simd.or_m64s(above, below);
        let block = &mut self.blocks[g];
        let flag = simd.select_f64s(asked, simd.select_f64s(held, one, zero), get::<S>(&block.held, k));
        put::<S>(&mut block.held, k, flag);
        let target = simd.select_f64s(asked, simd.select_f64s(above, most, least), get::<S>(&block.target, k));
        put::<S>(&mut block.target, k, target);
        (simd.min_f64s(simd.max_f64s(sum, least), most), simd.select_f64s(held, zero, falls))
    }

    /// Of a group that is held, from its sum; else that of the rest.
    #[inline(always)]
    fn multiplier_within(&mut self, g: usize, k: usize, nu: S::f64s) {
        let simd = self.simd;
        let block = self.blocks[g];
        let (held, target) = (self.is_set(&block.held, k), get::<S>(&block.target, k));
        let (mut asked, far) = (simd.and_m64s(held, self.mask(self.live, k)), self.mask(self.far, k));
        let mut equation = Equation::from(simd, get::<S>(&block.lambda, k));
        for _ in 0..EVALUATIONS {
            let (value, slope) = self.steps(&self.programs.groups[g].members, k, equation.at);
            asked = equation.moves(simd.sub_f64s(value, target), slope, far, asked);
            if !any(simd, asked) {
                break;
            }
        }
        put::<S>(&mut self.blocks[g].lambda, k, simd.select_f64s(held, equation.at, nu));
    }

    /// Sums of the steps of these assets, and how fast they fall.
    #[inline(always)]
    fn steps(&self, members: &[usize], k: usize, l: S::f64s) -> (S::f64s, S::f64s) {
        let simd = self.simd;
        let (mut sum, mut slope) = (simd.splat_f64s(0.0), simd.splat_f64s(0.0));
        for &i in members {
            let (own, falls) = self.step(i, k, l);
            sum = simd.add_f64s(sum, own);
            slope = simd.add_f64s(slope, falls);
        }
        (sum, slope)
    }

    /// Moves all weights once, in order.
    #[inline(always)]
    fn sweep(&mut self) {
        let n = self.programs.budgets.len();
        for (part, members) in self.programs.parts.iter().enumerate() {
            members.iter().for_each(|&i| self.lambdas[i] = self.blocks[part].lambda);
        }
        for i in 0..n % BLOCK {
            self.sweep_block::<1>(i);
        }
        let mut first = n % BLOCK;
        while first < n {
            self.sweep_block::<BLOCK>(first);
            first += BLOCK;
        }
    }

    #[inline(always)]
    fn sweep_block<const W: usize>(&mut self, first: usize) {
        let simd = self.simd;
        let v = Self::V;
        let rows = rows::<S, W>(self.correlation, first);
        for k in 0..v {
            let live = self.mask(self.live, k);
            let mut sums = [simd.splat_f64s(0.0); W];
            let moved = vectors::<S>(&self.moved[..first]);
            for j in 0..first {
                let moved = moved[j * v + k];
                for r in 0..W {
                    sums[r] = simd.mul_add_e_f64s(rows[r][j * v + k], moved, sums[r]);
                }
            }
            for r in 0..W {
                for s in 0..r {
                    let moved = get::<S>(&self.moved[first + s], k);
                    sums[r] = simd.mul_add_e_f64s(rows[r][(first + s) * v + k], moved, sums[r]);
                }
                self.move_one(first + r, k, sums[r], live);
            }
        }
    }

    /// Moves w_i along its line, which what the weights before have changed of (C y)_i has moved.
    #[inline(always)]
    fn move_one(&mut self, i: usize, k: usize, change: S::f64s, live: S::m64s) {
        let simd = self.simd;
        let (w, y) = (get::<S>(&self.weights[i], k), get::<S>(&self.y[i], k));
        let (s, lambda) = (get::<S>(&self.volatilities[i], k), get::<S>(&self.lambdas[i], k));
        let slope = simd.mul_f64s(get::<S>(&self.slopes[i], k), get::<S>(&self.inverse, k));
        let at = simd.negate_mul_add_e_f64s(slope, simd.mul_f64s(y, change), get::<S>(&self.at[i], k));
        let next = simd.negate_mul_add_e_f64s(lambda, get::<S>(&self.falls[i], k), at);
        let next = simd.max_f64s(next, simd.mul_f64s(w, simd.splat_f64s(0.25)));
        let next = simd.min_f64s(simd.max_f64s(next, self.least(i, k)), self.most(i, k));
        let next = simd.select_f64s(live, next, w);
        put::<S>(&mut self.weights[i], k, next);
        put::<S>(&mut self.moved[i], k, simd.mul_f64s(simd.sub_f64s(next, w), s));
    }

    /// Scales what is free of each held group, and of the rest, to the sum that is left to it, and clips.
    #[inline(always)]
    fn restore(&mut self, lanes: [bool; LANES]) {
        if lanes == [false; LANES] {
            return;
        }
        let Programs { groups, parts, .. } = self.programs;
        let (simd, pool) = (self.simd, groups.len());
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        for k in 0..Self::V {
            let asked = self.mask(lanes, k);
            let mut clipped = zero;
            let (mut free, mut bound, mut rest) = (zero, zero, one);
            for (part, members) in parts.iter().enumerate() {
                let (mut own, mut at_bound) = (zero, zero);
                for &i in members {
                    let w = get::<S>(&self.weights[i], k);
                    let is_free = self.is_free(i, k, w);
                    own = simd.add_f64s(own, simd.select_f64s(is_free, w, zero));
                    at_bound = simd.add_f64s(at_bound, simd.select_f64s(is_free, zero, w));
                }
                if part == pool {
                    (free, bound) = (simd.add_f64s(free, own), simd.add_f64s(bound, at_bound));
                    continue;
                }
                let held = self.is_set(&self.blocks[part].held, k);
                let target = get::<S>(&self.blocks[part].target, k);
                rest = simd.sub_f64s(rest, simd.select_f64s(held, target, zero));
                free = simd.add_f64s(free, simd.select_f64s(held, zero, own));
                bound = simd.add_f64s(bound, simd.select_f64s(held, zero, at_bound));
                put::<S>(&mut self.blocks[part].sum, k, factor(simd, simd.sub_f64s(target, at_bound), own));
            }
            let scale = factor(simd, simd.sub_f64s(rest, bound), free);
            for (part, members) in parts.iter().enumerate() {
                let own = match part < pool {
                    true => {
                        let held = self.is_set(&self.blocks[part].held, k);
                        simd.select_f64s(held, get::<S>(&self.blocks[part].sum, k), scale)
                    }
                    false => scale,
                };
                for &i in members {
                    let w = get::<S>(&self.weights[i], k);
                    let free = simd.and_m64s(self.is_free(i, k, w), asked);
                    let scaled = simd.mul_f64s(w, own);
                    let inside = simd.min_f64s(simd.max_f64s(scaled, self.least(i, k)), self.most(i, k));
                    let beyond = simd.abs_f64s(simd.sub_f64s(inside, scaled));
                    clipped = simd.max_f64s(clipped, simd.select_f64s(free, beyond, zero));
                    put::<S>(&mut self.weights[i], k, simd.select_f64s(free, inside, w));
                }
            }
            let mut beyond = Lanes::default();
            put::<S>(&mut beyond, k, clipped);
            let width = S::F64_LANES;
            (k * width..(k + 1) * width).for_each(|lane| self.clipped[lane] = beyond.0[lane] > 0.0);
        }
    }

    /// Goes on in the direction of the last two sweeps, or only remembers this one.
    #[inline(always)]
    fn accelerate(&mut self, goes_on: bool) {
        let simd = self.simd;
        let (zero, one, two) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0), simd.splat_f64s(2.0));
        let n = self.programs.budgets.len();
        for k in 0..Self::V {
            let (mut along, mut square) = (zero, zero);
            for i in 0..n {
                let (w, s) = (get::<S>(&self.weights[i], k), get::<S>(&self.volatilities[i], k));
                let u = simd.sub_f64s(simd.mul_f64s(w, s), get::<S>(&self.y[i], k));
                let change = simd.sub_f64s(u, get::<S>(&self.moves[i], k));
                along = simd.mul_add_e_f64s(u, change, along);
                square = simd.mul_add_e_f64s(change, change, square);
                put::<S>(&mut self.moves[i], k, u);
            }
            let theta = simd.div_f64s(along, square);
            let sound = simd.less_than_or_equal_f64s(simd.abs_f64s(theta), one);
            let sound = simd.and_m64s(sound, simd.less_than_f64s(zero, square));
            let sound = simd.and_m64s(sound, self.mask(self.live.map(|live| live && goes_on), k));
            let theta = simd.select_f64s(sound, theta, zero);
            for i in 0..n {
                let w = get::<S>(&self.weights[i], k);
                let low = simd.max_f64s(simd.mul_f64s(w, simd.splat_f64s(0.5)), self.least(i, k));
                let high = simd.min_f64s(simd.mul_f64s(w, two), self.most(i, k));
                let change = simd.sub_f64s(w, get::<S>(&self.images[i], k));
                let next = simd.negate_mul_add_e_f64s(theta, change, w);
                let next = simd.max_f64s(simd.min_f64s(next, high), low);
                put::<S>(&mut self.images[i], k, w);
                put::<S>(&mut self.weights[i], k, simd.select_f64s(sound, next, w));
            }
        }
    }

    /// Whether a weight is at neither bound.
    #[inline(always)]
    fn is_free(&self, i: usize, k: usize, w: S::f64s) -> S::m64s {
        let simd = self.simd;
        let above = simd.less_than_f64s(self.least(i, k), w);
        simd.and_m64s(above, simd.less_than_f64s(w, self.most(i, k)))
    }
}

/// sum / free where both are positive, else one.
#[inline(always)]
fn factor<S: Simd>(simd: S, sum: S::f64s, free: S::f64s) -> S::f64s {
    let zero = simd.splat_f64s(0.0);
    let both = simd.and_m64s(simd.less_than_f64s(zero, sum), simd.less_than_f64s(zero, free));
    simd.select_f64s(both, simd.div_f64s(sum, free), simd.splat_f64s(1.0))
}

/// Whether any lane is set.
#[inline(always)]
fn any<S: Simd>(simd: S, lanes: S::m64s) -> bool {
    simd.reduce_max_f64s(simd.select_f64s(lanes, simd.splat_f64s(1.0), simd.splat_f64s(0.0))) > 0.0
}

/// An equation f(at) = 0 of a decreasing function, in every lane: [`super::multipliers::Equation`].
#[derive(Clone, Copy)]
struct Equation<S: Simd> {
    simd: S,
    at: S::f64s,
    low: S::f64s,
    high: S::f64s,
}

impl<S: Simd> Equation<S> {
    #[inline(always)]
    fn from(simd: S, at: S::f64s) -> Equation<S> {
        Equation { simd, at, low: simd.splat_f64s(f64::NEG_INFINITY), high: simd.splat_f64s(f64::INFINITY) }
    }

    /// Moves on from f(at) = `value`, where f falls by `slope`, in the lanes asked. Returns those that are to be asked again:
    /// the far ones, and those where f is flat.
    #[inline(always)]
    fn moves(&mut self, value: S::f64s, slope: S::f64s, far: S::m64s, asked: S::m64s) -> S::m64s {
        let Equation { simd, at, low, high } = *self;
        let (zero, one) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0));
        let open = simd.less_than_f64s(simd.splat_f64s(ROUNDING), simd.abs_f64s(value));
        let open = simd.and_m64s(open, asked);
        let above = simd.less_than_f64s(zero, value);
        self.low = simd.select_f64s(above, simd.max_f64s(low, at), low);
        self.high = simd.select_f64s(above, high, simd.min_f64s(high, at));
        let newton = simd.add_f64s(at, simd.div_f64s(value, slope));
        let inside = simd.and_m64s(simd.less_than_f64s(self.low, newton), simd.less_than_f64s(newton, self.high));
        let falls = simd.less_than_f64s(zero, slope);
        let inside = simd.and_m64s(inside, falls);
        let stride = simd.max_f64s(simd.abs_f64s(at), one);
        let out = simd.select_f64s(above, simd.add_f64s(at, stride), simd.sub_f64s(at, stride));
        let middle = simd.mul_f64s(simd.splat_f64s(0.5), simd.add_f64s(self.low, self.high));
        // Half of an infinite bracket is not finite.
        let bounded = simd.less_than_f64s(simd.abs_f64s(middle), simd.splat_f64s(f64::MAX));
        let next = simd.select_f64s(inside, newton, simd.select_f64s(bounded, middle, out));
        self.at = simd.select_f64s(open, next, at);
        simd.and_m64s(open, simd.or_m64s(far, simd.not_m64s(falls)))
    }
}
