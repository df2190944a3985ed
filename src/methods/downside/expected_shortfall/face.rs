//! The exact end: an active set on the dual program.
//!
//! ```text
//! maximise D(p) = sum_i b_i ln q_i,  q = -sum_t p_t d_t,  0 <= p_t <= c_t, sum_t p_t = 1
//! dD/dp_t = l_t, with y = b / q                     optimal: p is the tail of y, l_t = v where 0 < p_t < c_t
//!
//! on the free rows K, with Z_ti = -d_ti y_i:        G = Z diag(1/b) Z'
//!     (G  1) (dp)   (l_K)
//!     (1' 0) (v ) = ( 0 )                           Newton, as far as the first bound: that row leaves K
//! between: a pass over all rows; those on the wrong side of v enter K
//! ```
//!
//! y = b / q meets the budgets for every p, and p'l = sum b = 1: what is left to gain is the excess. D rises with every
//! step, so no face comes back.

use super::{Found, Workspace};
use crate::methods::downside::Problem;
use crate::methods::downside::factor::{dot, factorise, substitute};

/// Passes over the rows: ordinary problems need two.
const PRICINGS: u32 = 12;

/// Added to the diagonal of G, relative to it: rows of the face may depend on each other.
const RIDGE: f64 = 1e-11;

/// Losses of the face are equal up to this, relative to the shortfall.
const EQUAL: f64 = 1e-14;

/// Halvings of a step.
const HALVINGS: u32 = 30;

/// Rows that are free to have any share.
#[derive(Debug, Clone, Default)]
pub struct Face {
    /// Positions of rows.
    rows: Vec<u32>,
    caps: Vec<f64>,
    shares: Vec<f64>,
    /// -d, row after row.
    points: Vec<f64>,
    /// Z diag(1 / sqrt b).
    scaled: Vec<f64>,
    matrix: Vec<f64>,
    losses: Vec<f64>,
    ones: Vec<f64>,
    step: Vec<f64>,
    change: Vec<f64>,
    roots: Vec<f64>,
}

impl Face {
    fn clear(&mut self) {
        self.rows.clear();
        self.caps.clear();
        self.shares.clear();
        self.points.clear();
    }

    #[inline(always)]
    fn remove(&mut self, at: usize, n: usize) {
        let last = self.rows.len() - 1;
        self.rows.swap_remove(at);
        self.caps.swap_remove(at);
        self.shares.swap_remove(at);
        self.points.copy_within(last * n.., at * n);
        self.points.truncate(last * n);
    }

    /// The Newton step, and v.
    #[inline(always)]
    fn direct(&mut self, y: &[f64]) -> Option<f64> {
        let (n, k) = (y.len(), self.rows.len());
        self.losses.clear();
        self.losses.extend(self.points.chunks_exact(n).map(|point| dot(point, y)));
        let mean = self.losses.iter().sum::<f64>() / k as f64;
        self.scaled.clear();
        for point in self.points.chunks_exact(n) {
            self.scaled.extend((0..n).map(|i| point[i] * (y[i] / self.roots[i])));
        }
        self.matrix.resize(k * k, 0.0);
        let mut trace = 0.0;
        for a in 0..k {
            let row = &self.scaled[a * n..(a + 1) * n];
            for b in a..k {
                self.matrix[a * k + b] = dot(row, &self.scaled[b * n..(b + 1) * n]);
            }
            trace += self.matrix[a * k + a];
        }
        for a in 0..k {
            self.matrix[a * k + a] += RIDGE * (trace / k as f64);
        }
        if !factorise(&mut self.matrix, k) {
            return None;
        }
        self.step.clear();
        self.step.extend(self.losses.iter().map(|loss| loss - mean));
        self.ones.clear();
        self.ones.resize(k, 1.0);
        substitute(&self.matrix, &mut self.step);
        substitute(&self.matrix, &mut self.ones);
        let shift = self.step.iter().sum::<f64>() / self.ones.iter().sum::<f64>();
        for (dp, one) in self.step.iter_mut().zip(&self.ones) {
            *dp -= shift * one;
        }
        (shift.is_finite() && self.step.iter().all(|dp| dp.is_finite())).then_some(mean + shift)
    }
}

impl Workspace {
    /// Ascends from the p at hand. Whether the excess is within `tolerance`: y and p are then the solution. False as well
    /// where q is not positive, and nothing is changed.
    #[inline(always)]
    pub fn ascend(&mut self, problem: &Problem, tolerance: f64, found: &mut Found) -> bool {
        let n = problem.budgets.len();
        self.face.clear();
        self.face.roots.clear();
        self.face.roots.extend(problem.budgets.iter().map(|b| b.sqrt()));
        self.tail.list(&self.shares);
        self.drawn.gradient(problem.values, &self.tail.rows, &self.tail.shares, &mut self.gradient);
        if !self.gradient.iter().all(|q| *q > 0.0 && q.is_finite()) {
            return false;
        }
        for row in 0..self.drawn.len() {
            if self.shares[row] > 0.0 && self.shares[row] < self.caps[row] {
                self.free(problem, row);
            }
        }
        for _ in 0..PRICINGS {
            let v = self.climb(problem.budgets);
            for (&row, &p) in self.face.rows.iter().zip(&self.face.shares) {
                self.shares[row as usize] = p;
            }
            self.tail.list(&self.shares);
            self.drawn.gradient(problem.values, &self.tail.rows, &self.tail.shares, &mut self.gradient);
            for i in 0..n {
                self.y[i] = problem.budgets[i] / self.gradient[i];
            }
            self.drawn.losses(&self.y, &mut self.losses);
            found.steps += 1;
            found.pricings += 1;
            let v = v.unwrap_or_else(|| self.at_the_edge());
            self.tail.value = v;
            let (_, excess) = self.excess(v);
            if excess <= tolerance {
                return true;
            }
            if self.enter(problem, v) == 0 {
                return false;
            }
        }
        false
    }

    /// Rows on the wrong side of v become free. Returns how many.
    #[inline(always)]
    fn enter(&mut self, problem: &Problem, v: f64) -> usize {
        let mut entered = 0;
        for row in 0..self.drawn.len() {
            let beyond = self.losses[row / 8].0[row % 8] - v;
            let wrong =
                beyond > EQUAL && self.shares[row] < self.caps[row] || beyond < -EQUAL && self.shares[row] > 0.0;
            if wrong && !self.face.rows.contains(&(row as u32)) {
                self.free(problem, row);
                entered += 1;
            }
        }
        entered
    }

    #[inline(always)]
    fn free(&mut self, problem: &Problem, row: usize) {
        self.face.rows.push(row as u32);
        self.face.caps.push(self.caps[row]);
        self.face.shares.push(self.shares[row]);
        self.face.points.extend(self.drawn.row(problem.values, row).map(|d| -d));
    }

    /// Maximises D over the free rows, with q kept. Returns v; none where no row is free.
    #[inline(always)]
    fn climb(&mut self, budgets: &[f64]) -> Option<f64> {
        let n = budgets.len();
        let Workspace { face, gradient, y, shares, .. } = self;
        let mut value = None;
        let mut least = f64::INFINITY;
        face.change.resize(n, 0.0);
        for _ in 0..64 + 4 * face.rows.len() {
            let k = face.rows.len();
            if k == 0 {
                return None;
            }
            for i in 0..n {
                y[i] = budgets[i] / gradient[i];
            }
            let Some(v) = face.direct(y) else { return value };
            value = Some(v);
            let apart = face.losses.iter().fold(0.0_f64, |m, loss| m.max((loss - v).abs()));
            if apart <= EQUAL || !(apart < least) {
                return value;
            }

            // The first bound, and how q changes.
            let (mut t, mut first) = (1.0, None);
            face.change.fill(0.0);
            for (a, &dp) in face.step.iter().enumerate() {
                let room = if dp > 0.0 { face.caps[a] - face.shares[a] } else { face.shares[a] };
                if dp.abs() * t > room {
                    t = room / dp.abs();
                    first = Some(a);
                }
                for (change, point) in face.change.iter_mut().zip(&face.points[a * n..(a + 1) * n]) {
                    *change += dp * point;
                }
            }
            let rise = |t: f64| -> f64 {
                let terms = budgets.iter().zip(&*gradient).zip(&face.change);
                terms.map(|((b, q), dq)| if q + t * dq > 0.0 { b * dq / (q + t * dq) } else { f64::NEG_INFINITY }).sum()
            };
            let steep = rise(0.0);
            for _ in 0..HALVINGS {
                if rise(t) >= -0.5 * steep.abs() {
                    break;
                }
                t *= 0.5;
                first = None;
            }
            for (share, (dp, cap)) in face.shares.iter_mut().zip(face.step.iter().zip(&face.caps)) {
                *share = (*share + t * dp).clamp(0.0, *cap);
            }
            for (q, dq) in gradient.iter_mut().zip(&face.change) {
                *q += t * dq;
            }
            least = if t == 1.0 { apart } else { f64::INFINITY };
            if let Some(a) = first {
                let bound = if face.step[a] > 0.0 { face.caps[a] } else { 0.0 };
                shares[face.rows[a] as usize] = bound;
                face.remove(a, n);
                least = f64::INFINITY;
            }
        }
        value
    }
}
