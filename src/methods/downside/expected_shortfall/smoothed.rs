//! Newton on a smoothed kink: most of the tail in few steps.
//!
//! ```text
//! p_t = c_t f_t,  f_t = clip(1/2 + (l_t - v) / (2 h), 0, 1),  v such that sum_t p_t = 1
//! q = -sum_t p_t d_t                                       the gradient of a smooth, convex function near ES
//! kappa_t = c_t / (2 h) where 0 < f_t < 1                  rows at the kink
//! H = sum kappa d d' - (sum kappa d)(sum kappa d)' / sum kappa
//!
//! repeat:  max_i |y_i q_i - b_i| / b_i small: h narrower, v and p anew
//!          (Y H Y + diag b) u = b - Y q,  Y = diag y
//!          y <- y (1 + t u), t = 1 or less, where the slope along u is upwards by no more than a fifth of what it was
//! ```
//!
//! v is not a variable of Newton: it is placed anew for every y. H is the covariance of the rows at the kink. Only
//! rows near the tail are looked at, until a step is large: should one be missed, the face finds it
//! ([`face`](super::face)).

use pulp::Simd;

use super::{Found, NARROWER, NARROWEST, WIDEST, Workspace};
use crate::lanes::{LANES, Lanes, vectors};
use crate::methods::downside::drawn::Drawn;
use crate::methods::downside::factor::{factorise, substitute};
use crate::methods::downside::rows::Rows;
use crate::methods::downside::{Problem, TO_BOUNDARY};
use crate::methods::linear::dot;

/// Evaluations of trial steps: ordinary problems need three to ten.
const STEP_LIMIT: u32 = 1000;

/// The error at which the kink narrows.
const CLOSE: f64 = 0.3;

/// The error at which the last width is done.
const DONE: f64 = 0.1;

/// The share of the slope that a step may leave, upwards.
const LEFT: f64 = 0.2;

/// The share that a shortened step may leave downwards.
const STEEP: f64 = 0.7;

/// Trials of a step.
const TRIALS: u32 = 20;

/// So many rows at the kink are few enough for the face at any width.
const FEW: usize = 10;

/// At this width, more of them are.
const NARROW: f64 = 0.006;

/// Evaluations to place v: ordinary ones need three.
const PLACINGS: u32 = 100;

/// How far below v, beyond the kink, rows are near, in the unit of widths.
const NEAR: f64 = 0.15;

/// After a relative step this large, rows near the tail are gathered anew.
const LARGE: f64 = 0.1;

/// The rows near the kink, and what they count.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    pub rows: Vec<u32>,
    /// l, the first one again up to whole vectors.
    losses: Vec<f64>,
    /// c, and zeros.
    caps: Vec<f64>,
    /// p.
    pub shares: Vec<f64>,
    /// y, filled up with zeros to whole vectors.
    padded: Vec<Lanes>,
    /// v.
    pub value: f64,
    /// h.
    width: f64,
    /// Losses that were not near.
    floor: f64,
}

impl Tail {
    /// Rows with losses above a floor.
    #[inline(always)]
    fn gather(&mut self, losses: &[Lanes], caps: &[f64], floor: f64) {
        self.floor = floor;
        let losses: &[f64] = bytemuck::cast_slice(losses);
        // Every row is written, and written over where it is not near.
        self.rows.resize(losses.len() + 1, 0);
        let mut found = 0;
        for (row, (&loss, &cap)) in (0..).zip(losses.iter().zip(caps)) {
            self.rows[found] = row;
            found += usize::from(loss > floor && cap > 0.0);
        }
        self.rows.truncate(found);
        let whole = found.next_multiple_of(LANES);
        self.losses.clear();
        self.losses.extend(self.rows.iter().map(|&row| losses[row as usize]));
        self.losses.resize(whole, self.losses.first().copied().unwrap_or_default());
        self.caps.clear();
        self.caps.extend(self.rows.iter().map(|&row| caps[row as usize]));
        self.caps.resize(whole, 0.0);
    }

    /// All rows with these p > 0.
    pub fn all(&mut self, shares: &[f64]) {
        self.rows.clear();
        self.rows.extend((0..).zip(shares).filter(|(_, p)| **p > 0.0).map(|(row, _)| row));
    }

    /// l = -d'y of these rows alone.
    #[inline(always)]
    fn price<S: Simd>(&mut self, simd: S, drawn: &Drawn, rows: &Rows, y: &[f64]) {
        let Tail { rows: near, losses, padded, .. } = self;
        padded.clear();
        padded.resize(y.len().div_ceil(LANES), Lanes::default());
        bytemuck::cast_slice_mut::<Lanes, f64>(padded)[..y.len()].copy_from_slice(y);
        let y = vectors::<S>(padded);
        let offset = product(simd, vectors::<S>(drawn.padded_offsets()), y);
        for (loss, &row) in losses.iter_mut().zip(&*near) {
            *loss = -(product(simd, vectors::<S>(rows.padded(row as usize)), y) + offset);
        }
        let filling = losses.first().copied().unwrap_or_default();
        losses[near.len()..].fill(filling);
    }

    /// sum p - 1, and its slope in v, which is negative.
    #[inline(always)]
    fn count<S: Simd>(&self, simd: S, v: f64) -> (f64, f64) {
        let scale = 0.5 / self.width;
        let (zero, one, half) = (simd.splat_f64s(0.0), simd.splat_f64s(1.0), simd.splat_f64s(0.5));
        let (v, steep) = (simd.splat_f64s(v), simd.splat_f64s(scale));
        let (mut total, mut kinked) = (zero, zero);
        let (losses, caps) = (S::as_simd_f64s(&self.losses).0, S::as_simd_f64s(&self.caps).0);
        for (&loss, &cap) in losses.iter().zip(caps) {
            let f = simd.mul_add_e_f64s(simd.sub_f64s(loss, v), steep, half);
            let clipped = simd.min_f64s(simd.max_f64s(f, zero), one);
            total = simd.mul_add_e_f64s(cap, clipped, total);
            kinked = simd.add_f64s(kinked, simd.select_f64s(simd.equal_f64s(f, clipped), cap, zero));
        }
        (simd.reduce_sum_f64s(total) - 1.0, -simd.reduce_sum_f64s(kinked) * scale)
    }

    /// v and p of the losses at hand, with v near where it was. False where the rows do not fill the tail.
    #[inline(always)]
    fn place<S: Simd>(&mut self, simd: S) -> bool {
        let (losses, caps) = (S::as_simd_f64s(&self.losses).0, S::as_simd_f64s(&self.caps).0);
        let Some(&first) = losses.first() else { return false };
        let (mut least, mut largest, mut mass) = (first, first, simd.splat_f64s(0.0));
        for (&loss, &cap) in losses.iter().zip(caps) {
            least = simd.min_f64s(least, loss);
            largest = simd.max_f64s(largest, loss);
            mass = simd.add_f64s(mass, cap);
        }
        if !(simd.reduce_sum_f64s(mass) >= 1.0) {
            return false;
        }
        // Newton on a piecewise linear, falling function, within its bracket.
        let (mut low, mut high) =
            (simd.reduce_min_f64s(least) - self.width, simd.reduce_max_f64s(largest) + self.width);
        let mut v = if self.value > low && self.value < high { self.value } else { 0.5 * (low + high) };
        for _ in 0..PLACINGS {
            let (over, slope) = self.count(simd, v);
            if over > 0.0 {
                low = v;
            } else {
                high = v;
            }
            if over.abs() <= 8.0 * f64::EPSILON {
                break;
            }
            let next = v - over / slope;
            let next = if next > low && next < high { next } else { 0.5 * (low + high) };
            if !(next > low && next < high) {
                break;
            }
            v = next;
        }
        self.value = v;
        let scale = 0.5 / self.width;
        self.shares.clear();
        let rows = self.losses.iter().zip(&self.caps).take(self.rows.len());
        self.shares.extend(rows.map(|(loss, cap)| cap * (0.5 + (loss - v) * scale).clamp(0.0, 1.0)));
        true
    }
}

/// a'b.
#[inline(always)]
fn product<S: Simd>(simd: S, a: &[S::f64s], b: &[S::f64s]) -> f64 {
    let mut total = simd.splat_f64s(0.0);
    for (a, b) in a.iter().zip(b) {
        total = simd.mul_add_e_f64s(*a, *b, total);
    }
    simd.reduce_sum_f64s(total)
}

impl Workspace {
    /// y of the problem's start, scaled to a shortfall of one; false where it has none.
    #[inline(always)]
    pub fn begin<S: Simd>(&mut self, simd: S, problem: &Problem) -> bool {
        problem.start(&self.drawn, &mut self.y);
        self.price(simd, problem);
        let (mean, deviation) = self.spread(simd);
        // Where the 5 % quantile and the shortfall beyond it would be, were returns normal.
        self.tail.value = mean + 1.6 * deviation;
        self.unit = (2.0 * deviation).max(mean.abs());
        self.gather(simd, WIDEST);
        let bound = self.bound();
        if !(bound > self.floor()) || !bound.is_finite() {
            return false;
        }
        let scale = bound.recip();
        self.y.iter_mut().for_each(|y| *y *= scale);
        self.tail.losses.iter_mut().for_each(|l| *l *= scale);
        self.tail.value *= scale;
        self.tail.floor *= scale;
        self.unit = (self.unit * scale).max(1.0);
        true
    }

    /// The losses of all rows at hand are those of y: where their size has grown, so has the unit of widths.
    #[inline(always)]
    pub fn measure<S: Simd>(&mut self, simd: S) {
        let (_, deviation) = self.spread(simd);
        self.unit = self.unit.max(2.0 * deviation);
    }

    /// v + sum c max(l - v, 0): no less than the shortfall, as long as the rows at hand are those beyond v.
    #[inline(always)]
    fn bound(&self) -> f64 {
        let v = self.tail.value;
        let rows = self.tail.losses.iter().zip(&self.tail.caps);
        v + rows.map(|(loss, cap)| cap * (loss - v).max(0.0)).sum::<f64>()
    }

    /// A shortfall of y that may be rounding.
    #[inline(always)]
    fn floor(&self) -> f64 {
        32.0 * self.y.len() as f64 * f64::EPSILON * self.drawn.size(&self.y)
    }

    /// Mean and standard deviation of the losses at hand.
    #[inline(always)]
    fn spread<S: Simd>(&self, simd: S) -> (f64, f64) {
        let (losses, counts) = (vectors::<S>(&self.losses), vectors::<S>(self.drawn.counts()));
        let mut first = simd.splat_f64s(0.0);
        for (&loss, &count) in losses.iter().zip(counts) {
            first = simd.mul_add_e_f64s(count, loss, first);
        }
        let mean = simd.reduce_sum_f64s(first) / self.drawn.total();
        let mut second = simd.splat_f64s(0.0);
        for (&loss, &count) in losses.iter().zip(counts) {
            let apart = simd.sub_f64s(loss, simd.splat_f64s(mean));
            second = simd.mul_add_e_f64s(simd.mul_f64s(count, apart), apart, second);
        }
        (mean, (simd.reduce_sum_f64s(second) / self.drawn.total()).sqrt())
    }

    /// Rows near the tail, by the losses of all at hand; v and p of a kink of this relative width.
    #[inline(always)]
    pub fn gather<S: Simd>(&mut self, simd: S, width: f64) {
        self.tail.width = width * self.unit;
        let reach = (width + NEAR) * self.unit;
        // Further down where v turns out to lie there, in the end all rows.
        for floor in [self.tail.value - reach, self.tail.value - 4.0 * reach, f64::NEG_INFINITY] {
            self.tail.gather(&self.losses, &self.caps, floor);
            // Rows left out count nothing, as long as they lie below the kink.
            if self.tail.place(simd) && self.tail.value - self.tail.width >= floor {
                return;
            }
        }
    }

    /// v, p and q at the trial, by the losses of all rows or of those near the tail alone.
    #[inline(always)]
    fn evaluate<S: Simd>(&mut self, simd: S, problem: &Problem, width: f64, all: bool) {
        if !all {
            self.tail.price(simd, &self.drawn, problem.rows, &self.trial);
        }
        if all || !(self.tail.place(simd) && self.tail.value - self.tail.width >= self.tail.floor) {
            self.drawn.losses(simd, problem.rows, &self.trial, &mut self.losses);
            self.gather(simd, width);
        }
        self.differentiate_tail(simd, problem);
    }

    /// v, p and q for a kink of another relative width.
    #[inline(always)]
    fn narrow<S: Simd>(&mut self, simd: S, problem: &Problem, width: f64) {
        self.tail.width = width * self.unit;
        self.tail.place(simd);
        self.differentiate_tail(simd, problem);
    }

    /// q of the p near the tail.
    #[inline(always)]
    fn differentiate_tail<S: Simd>(&mut self, simd: S, problem: &Problem) {
        let Workspace { drawn, tail, pairs, room, gradient, .. } = self;
        // Every row is written, and written over where it has no share.
        pairs.resize(tail.rows.len() + 1, (0, 0.0));
        let mut found = 0;
        for (&row, &p) in tail.rows.iter().zip(&tail.shares) {
            pairs[found] = (row, -p);
            found += usize::from(p > 0.0);
        }
        drawn.weigh(simd, problem.rows, pairs[..found].iter().copied(), room, gradient);
    }

    /// Newton from the current y, from one relative width of the kink to another. False where there is no solution, or
    /// no way on.
    #[inline(always)]
    pub fn smooth<S: Simd>(
        &mut self,
        simd: S,
        problem: &Problem,
        width: &mut f64,
        last: f64,
        found: &mut Found,
    ) -> bool {
        let budgets = problem.budgets;
        self.narrow(simd, problem, *width);
        while found.steps < STEP_LIMIT {
            let mut error = self.miss(budgets);
            if !error.is_finite() || self.vanishes(simd, problem, *width) {
                return false;
            }
            if *width > NARROWEST && dot(&self.gradient, &self.y) <= 0.0 {
                // A kink that is too wide hides a small shortfall of raw returns.
                *width *= NARROWER;
                self.narrow(simd, problem, *width);
                continue;
            }
            if error <= CLOSE && !self.is_narrow(*width, last) {
                *width = (*width * NARROWER).max(last);
                self.narrow(simd, problem, *width);
                error = self.miss(budgets);
            }
            if error <= DONE && self.is_narrow(*width, last) {
                return true;
            }
            let Some(slope) = self.direct(simd, problem) else { return false };
            let all = self.search_line(simd, problem, *width, slope, found);
            std::mem::swap(&mut self.y, &mut self.trial);
            if all {
                self.measure(simd);
                self.narrow(simd, problem, *width);
            }
        }
        false
    }

    /// Writes the trial: along the step, `steep` downwards at first, as far as it goes or until it rises by a fifth of
    /// that, by the secants of a bracket. Whether losses of all rows are at hand.
    #[inline(always)]
    fn search_line<S: Simd>(&mut self, simd: S, problem: &Problem, width: f64, steep: f64, found: &mut Found) -> bool {
        let (steepest, largest) =
            self.step.iter().fold((0.0_f64, 0.0_f64), |(down, most), &u| (down.max(-u), most.max(u.abs())));
        let mut t = if steepest > TO_BOUNDARY { TO_BOUNDARY / steepest } else { 1.0 };
        let (mut low, mut high) = ((0.0, -steep), (f64::INFINITY, f64::INFINITY));
        let mut side = None;
        for trial in 0..TRIALS {
            for i in 0..self.y.len() {
                self.trial[i] = self.y[i] * (1.0 + t * self.step[i]);
            }
            found.steps += 1;
            let all = trial > 0 || t * largest > LARGE;
            self.evaluate(simd, problem, width, all);
            let slope: f64 = (0..self.y.len())
                .map(|i| {
                    let u = self.step[i];
                    self.gradient[i] * (self.y[i] * u) - problem.budgets[i] * u / (1.0 + t * u)
                })
                .sum();
            if slope <= LEFT * steep && (trial == 0 || slope >= -STEEP * steep) {
                return all;
            }
            if slope > 0.0 {
                high = (t, slope);
            } else {
                low = (t, slope);
            }
            // Twice on one side: the slope jumps, and a secant says little.
            let above = slope > 0.0;
            let secant = if side == Some(above) { 0.5 } else { low.1 / (low.1 - high.1) };
            side = Some(above);
            t = low.0 + (high.0 - low.0) * if secant > 0.1 { secant.min(0.9) } else { 0.1 };
        }
        true
    }

    /// Whether so few rows are at the kink that the face can take over, or the kink is at its last width. A solution
    /// has up to one more of them than assets.
    #[inline(always)]
    fn is_narrow(&self, width: f64, last: f64) -> bool {
        let rows = self.tail.shares.iter().zip(&self.tail.caps);
        let kinked: usize = rows.map(|(p, cap)| usize::from(*p > 0.0 && p < cap)).sum();
        kinked <= FEW || width <= NARROW && kinked <= FEW + self.y.len() || width <= last
    }

    /// p of the smoothed tail, row by row.
    #[inline(always)]
    pub fn settle(&mut self) {
        self.shares.fill(0.0);
        for (&row, &p) in self.tail.rows.iter().zip(&self.tail.shares) {
            self.shares[row as usize] = p;
        }
    }

    /// Writes b - Y q and returns its largest entry relative to b; infinite where it is not a number.
    #[inline(always)]
    pub fn miss(&mut self, budgets: &[f64]) -> f64 {
        let mut error = 0.0;
        for i in 0..budgets.len() {
            self.gap[i] = budgets[i] - self.y[i] * self.gradient[i];
            let relative = (self.gap[i] / budgets[i]).abs();
            error = if relative <= error {
                error
            } else if relative.is_nan() {
                f64::INFINITY
            } else {
                relative
            };
        }
        error
    }

    /// Whether the shortfall of y is at most rounding.
    #[inline(always)]
    fn vanishes<S: Simd>(&mut self, simd: S, problem: &Problem, width: f64) -> bool {
        if self.bound() > self.floor() {
            return false;
        }
        // Rows near the tail may no longer be all of it.
        self.price(simd, problem);
        self.gather(simd, width);
        !(self.bound() > self.floor())
    }

    /// The Newton step for the gap; returns how steeply the objective falls along it. None where that is not a number.
    #[inline(always)]
    fn direct<S: Simd>(&mut self, simd: S, problem: &Problem) -> Option<f64> {
        let n = problem.budgets.len();
        let Workspace { drawn, tail, products, pairs, kinked, matrix, room, y, step, gap, .. } = self;
        let scale = 0.5 / tail.width;
        pairs.clear();
        for ((&row, &cap), &p) in tail.rows.iter().zip(&tail.caps).zip(&tail.shares) {
            if p > 0.0 && p < cap {
                pairs.push((row, cap * scale));
            }
        }
        products.clear(n);
        products.add(simd, drawn, problem.rows, pairs);
        drawn.weigh(simd, problem.rows, pairs.iter().copied(), room, kinked);
        let total: f64 = pairs.iter().map(|(_, kappa)| kappa).sum();
        let total = if total > 0.0 { total } else { 1.0 };
        matrix.resize(n * n, 0.0);
        for i in 0..n {
            for j in i..n {
                matrix[i * n + j] = y[i] * y[j] * (products.get(j, i) - kinked[i] * kinked[j] / total);
            }
            matrix[i * n + i] += problem.budgets[i];
        }
        if !factorise(matrix, n) {
            return None;
        }
        step.copy_from_slice(gap);
        substitute(matrix, step);
        step.iter().all(|u| u.is_finite()).then(|| dot(gap, step))
    }
}
