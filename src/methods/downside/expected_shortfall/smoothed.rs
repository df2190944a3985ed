//! Newton on a smoothed kink: most of the tail in few steps.
//!
//! ```text
//! p_t = c_t f_t,  f_t = clip(1/2 + (l_t - v) / (2 h), 0, 1),  v such that sum_t p_t = 1
//! q = -sum_t p_t d_t                                       the gradient of a smooth convex ES_h, within h/2 of ES
//! kappa_t = c_t / (2 h) where 0 < f_t < 1                  rows at the kink
//! H = sum kappa d d' - (sum kappa d)(sum kappa d)' / sum kappa
//!
//! repeat:  max_i |y_i q_i - b_i| / b_i small: h narrower, v and p anew
//!          (Y H Y + diag b) u = b - Y q,  Y = diag y
//!          y <- y (1 + t u), t = 1, 1/2, ..., until the slope along u has at least fallen to a fifth
//! ```
//!
//! v is not a variable of Newton: it is placed anew for every y, from the rows near it alone. H is the covariance of the
//! rows at the kink, which are few, so that a step costs one pass over the rows for their losses and little else.

use super::{Found, NARROWER, Workspace};
use crate::lanes::{LANES, Lanes};
use crate::methods::downside::drawn::{Drawn, sum};
use crate::methods::downside::factor::{dot, factorise, substitute};
use crate::methods::downside::{Problem, TO_BOUNDARY};

const STEP_LIMIT: u32 = 200;

/// The error at which the kink narrows.
const CLOSE: f64 = 0.3;

/// The error at which the last width is done.
const DONE: f64 = 0.1;

/// The share of the slope that a step may leave.
const SLOPE: f64 = 0.2;

/// Halvings of a step.
const HALVINGS: u32 = 30;

/// Evaluations to place v: ordinary ones need three.
const PLACINGS: u32 = 100;

/// The rows near the kink, and what they count.
#[derive(Debug, Clone, Default)]
pub struct Tail {
    /// Positions of rows.
    pub rows: Vec<u32>,
    pub losses: Vec<f64>,
    pub caps: Vec<f64>,
    /// p.
    pub shares: Vec<f64>,
    /// v.
    pub value: f64,
    /// h.
    pub width: f64,
}

impl Tail {
    /// Rows with losses above a floor.
    #[inline(always)]
    fn gather(&mut self, drawn: &Drawn, losses: &[Lanes], caps: &[f64], floor: f64) {
        let losses: &[f64] = &bytemuck::cast_slice(losses)[..drawn.len()];
        // Every row is written, and written over where it is not near.
        self.rows.resize(losses.len() + 1, 0);
        let mut found = 0;
        for (row, &loss) in (0..).zip(losses) {
            self.rows[found] = row;
            found += usize::from(loss > floor);
        }
        self.rows.truncate(found);
        self.losses.clear();
        self.losses.extend(self.rows.iter().map(|&row| losses[row as usize]));
        self.caps.clear();
        self.caps.extend(self.rows.iter().map(|&row| caps[row as usize]));
        // Whole eights: what no loss is adds nothing.
        let whole = found.next_multiple_of(LANES);
        self.losses.resize(whole, f64::NEG_INFINITY);
        self.caps.resize(whole, 0.0);
    }

    /// sum p - 1, and its slope in v, which is negative.
    #[inline(always)]
    fn count(&self, v: f64) -> (f64, f64) {
        let scale = 0.5 / self.width;
        let (mut total, mut kinked) = (Lanes::default(), Lanes::default());
        let (losses, _) = self.losses.as_chunks::<LANES>();
        let (caps, _) = self.caps.as_chunks::<LANES>();
        for (losses, caps) in losses.iter().zip(caps) {
            for l in 0..LANES {
                let f = 0.5 + (losses[l] - v) * scale;
                let inside = f > 0.0 && f < 1.0;
                let clipped = if f > 0.0 { f } else { 0.0 };
                let clipped = if clipped < 1.0 { clipped } else { 1.0 };
                total.0[l] += caps[l] * clipped;
                kinked.0[l] += if inside { caps[l] } else { 0.0 };
            }
        }
        (sum(&total) - 1.0, -sum(&kinked) * scale)
    }

    /// Places v among the rows gathered, near where it is. False where they do not fill the tail.
    #[inline(always)]
    fn place(&mut self) -> bool {
        let (mut least, mut largest, mut mass) = (f64::INFINITY, f64::NEG_INFINITY, 0.0);
        for (&loss, &cap) in self.losses.iter().zip(&self.caps).take(self.rows.len()) {
            least = least.min(loss);
            largest = largest.max(loss);
            mass += cap;
        }
        if !(mass >= 1.0) {
            return false;
        }
        // Newton on a piecewise linear, falling function, within its bracket.
        let (mut low, mut high) = (least - self.width, largest + self.width);
        let mut v = if self.value > low && self.value < high { self.value } else { 0.5 * (low + high) };
        for _ in 0..PLACINGS {
            let (over, slope) = self.count(v);
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
        true
    }

    /// Rows of positive p alone.
    #[inline(always)]
    pub fn list(&mut self, shares: &[f64]) {
        self.rows.clear();
        self.shares.clear();
        for (row, &p) in (0..).zip(shares) {
            if p > 0.0 {
                self.rows.push(row);
                self.shares.push(p);
            }
        }
    }
}

impl Workspace {
    /// y of the problem's start, scaled to a shortfall of one; false where it has none.
    #[inline(always)]
    pub fn begin(&mut self, problem: &Problem) -> bool {
        problem.start(&self.drawn, &mut self.y);
        self.drawn.losses(&self.y, &mut self.losses);
        let (mean, deviation) = self.spread();
        // Where the 5 % quantile and the shortfall beyond it would be, were returns normal.
        self.tail.value = mean + 1.6 * deviation;
        let mut width = super::WIDEST * 2.0 * deviation;
        let mut risk = 0.0;
        // A kink that is too wide may hide a small shortfall of raw returns.
        for _ in 0..16 {
            self.place(problem, width);
            risk = dot(&self.gradient, &self.y);
            if risk > 0.0 || !(width > 0.0) {
                break;
            }
            width *= 0.25;
        }
        if !(risk > f64::MIN_POSITIVE) || !risk.is_finite() {
            return false;
        }
        let scale = risk.recip();
        self.y.iter_mut().for_each(|y| *y *= scale);
        self.losses.iter_mut().for_each(|losses| losses.0.iter_mut().for_each(|l| *l *= scale));
        self.tail.value *= scale;
        self.unit = 1.0 - mean * scale;
        true
    }

    /// Mean and standard deviation of the losses at hand.
    #[inline(always)]
    fn spread(&self) -> (f64, f64) {
        let (counts, _) = self.drawn.counts().as_chunks::<LANES>();
        let mut first = Lanes::default();
        for (losses, counts) in self.losses.iter().zip(counts) {
            for l in 0..LANES {
                first.0[l] += counts[l] * losses.0[l];
            }
        }
        let mean = sum(&first) / self.drawn.total();
        let mut second = Lanes::default();
        for (losses, counts) in self.losses.iter().zip(counts) {
            for l in 0..LANES {
                second.0[l] += counts[l] * ((losses.0[l] - mean) * (losses.0[l] - mean));
            }
        }
        (mean, (sum(&second) / self.drawn.total()).sqrt())
    }

    /// v, p and q of the losses at hand.
    #[inline(always)]
    pub fn place(&mut self, problem: &Problem, width: f64) {
        let Workspace { drawn, losses, caps, tail, .. } = self;
        tail.width = width;
        let mut floor = tail.value - 3.0 * width;
        for attempt in 0..3 {
            tail.gather(drawn, losses, caps, floor);
            // Rows left out count nothing, as long as they lie below the kink.
            let placed = tail.place();
            if placed && tail.value - width >= floor || floor == f64::NEG_INFINITY {
                break;
            }
            floor = if attempt == 0 { tail.value.min(floor) - 12.0 * width } else { f64::NEG_INFINITY };
        }
        let scale = 0.5 / width;
        tail.shares.clear();
        let rows = tail.losses.iter().zip(&tail.caps).take(tail.rows.len());
        tail.shares.extend(rows.map(|(loss, cap)| cap * (0.5 + (loss - tail.value) * scale).clamp(0.0, 1.0)));
        drawn.gradient(problem.values, &tail.rows, &tail.shares, &mut self.gradient);
    }

    /// Newton from the current y, from one relative width of the kink to another. False where there is no solution, or no
    /// way on.
    #[inline(always)]
    pub fn smooth(&mut self, problem: &Problem, width: &mut f64, last: f64, found: &mut Found) -> bool {
        let (n, budgets) = (problem.budgets.len(), problem.budgets);
        self.place(problem, *width * self.unit);
        while found.steps < STEP_LIMIT {
            let mut error = self.miss(budgets);
            if self.vanishes(problem) || !error.is_finite() {
                return false;
            }
            if *width <= last && error <= DONE {
                return true;
            }
            if error <= CLOSE && *width > last {
                *width = (*width * NARROWER).max(last);
                self.place(problem, *width * self.unit);
                error = self.miss(budgets);
                if *width <= last && error <= DONE {
                    return true;
                }
            }
            found.steps += 1;
            let Some(slope) = self.direct(problem) else { return false };
            let steepest = self.step.iter().fold(0.0_f64, |m, &u| m.max(-u));
            let mut t = if steepest > TO_BOUNDARY { TO_BOUNDARY / steepest } else { 1.0 };
            for _ in 0..HALVINGS {
                for i in 0..n {
                    self.trial[i] = self.y[i] * (1.0 + t * self.step[i]);
                }
                self.drawn.losses(&self.trial, &mut self.losses);
                self.place(problem, *width * self.unit);
                let left: f64 = (0..n)
                    .map(|i| {
                        let u = self.step[i];
                        self.gradient[i] * (self.y[i] * u) - budgets[i] * u / (1.0 + t * u)
                    })
                    .sum();
                if left <= SLOPE * slope {
                    break;
                }
                t *= 0.5;
            }
            std::mem::swap(&mut self.y, &mut self.trial);
        }
        false
    }

    /// Writes b - Y q and returns its largest entry relative to b.
    #[inline(always)]
    fn miss(&mut self, budgets: &[f64]) -> f64 {
        let mut error = 0.0;
        for i in 0..budgets.len() {
            self.gap[i] = budgets[i] - self.y[i] * self.gradient[i];
            let relative = (self.gap[i] / budgets[i]).abs();
            error = if relative <= error { error } else { relative };
        }
        error
    }

    /// Whether the shortfall of y is at most rounding: v + sum c max(l - v, 0) bounds it from above.
    #[inline(always)]
    fn vanishes(&self, problem: &Problem) -> bool {
        let v = self.tail.value;
        let rows = self.tail.losses.iter().zip(&self.tail.caps).take(self.tail.rows.len());
        let bound = v + rows.map(|(loss, cap)| cap * (loss - v).max(0.0)).sum::<f64>();
        let size: f64 = self.y.iter().zip(self.drawn.sizes()).map(|(y, size)| y * size).sum();
        bound <= 32.0 * problem.budgets.len() as f64 * f64::EPSILON * size
    }

    /// The Newton step for the gap; returns how steeply the objective falls along it. None where that is not a number.
    #[inline(always)]
    fn direct(&mut self, problem: &Problem) -> Option<f64> {
        let n = problem.budgets.len();
        let Workspace { drawn, tail, products, pairs, kinked, matrix, y, step, gap, .. } = self;
        let scale = 0.5 / tail.width;
        pairs.clear();
        for ((&row, &cap), &p) in tail.rows.iter().zip(&tail.caps).zip(&tail.shares) {
            if p > 0.0 && p < cap {
                pairs.push((row, cap * scale));
            }
        }
        products.clear(n);
        products.add(drawn, problem.values, pairs);
        let mut total = 0.0;
        kinked.fill(0.0);
        for &(row, kappa) in &*pairs {
            total += kappa;
            for (k, d) in kinked.iter_mut().zip(drawn.row(problem.values, row as usize)) {
                *k += kappa * d;
            }
        }
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
