//! The exact end: an active set on the dual program.
//!
//! ```text
//! maximise D(p) = sum_i b_i ln q_i,  q = -sum_t p_t d_t,  0 <= p_t <= c_t, sum_t p_t = 1
//! dD/dp_t = l_t, with y = b / q                     optimal: p is the tail of y, l_t = v where 0 < p_t < c_t
//!
//! on the free rows 0, 1, ..., with Z_ti = -(d_ti - d_0i) y_i:
//!     Z diag(1/b) Z' dp = l - l_0,  dp_0 = -sum dp      Newton, as far as the first bound: that row is free no longer
//! between: a pass over all rows; those on the wrong side of v become free
//! ```
//!
//! y = b / q meets the budgets for every p, and p'l = sum b = 1: what is left to gain is the excess. D rises with
//! every step, so no face comes back.

use pulp::Simd;

use super::{Found, Workspace};
use crate::lanes::LANES;
use crate::methods::downside::Problem;
use crate::methods::downside::factor::{factorise, substitute};
use crate::methods::linear::dot;

/// Passes over the rows: ordinary problems need one or two.
const PRICINGS: u32 = 12;

/// Rows that become free at a time, beside as many as there are assets.
const MOST_ENTERING: usize = 20;

/// Added to the diagonal of the system, relative to its mean, since rows may depend on each other.
const RIDGE: f64 = 1e-11;

/// The least of it, where more is in the way of the last digits.
const LEAST_RIDGE: f64 = 1e-15;

/// Losses of the face are equal up to this, relative to the shortfall.
const EQUAL: f64 = 1e-14;

/// Losses this far apart, relative to the shortfall, are near enough for Newton to halve that with every step.
const NEAR: f64 = 1e-4;

/// Steps that improve y and p side by side.
const POLISHING_STEPS: u32 = 4;

/// Halvings of a step.
const HALVINGS: u32 = 30;

/// Rows that are free to have any share.
#[derive(Debug, Clone, Default)]
pub struct Face {
    rows: Vec<u32>,
    caps: Vec<f64>,
    shares: Vec<f64>,
    /// -d, row after row.
    points: Vec<f64>,
    /// Z diag(1 / sqrt b).
    scaled: Vec<f64>,
    matrix: Vec<f64>,
    losses: Vec<f64>,
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

    /// The Newton step, and how far apart losses are; with what y misses of its budgets, where it does. None where the
    /// step is not a number.
    #[inline(always)]
    fn solve(&mut self, y: &[f64], gap: Option<&[f64]>, ridge: f64) -> Option<f64> {
        let n = y.len();
        self.losses.clear();
        self.losses.extend(self.points.chunks_exact(n).map(|point| dot(point, y)));
        let (first, others) = self.points.split_at(n);
        self.scaled.clear();
        for point in others.chunks_exact(n) {
            self.scaled.extend((0..n).map(|i| (point[i] - first[i]) * (y[i] / self.roots[i])));
        }
        self.step.clear();
        self.step.push(0.0);
        self.step.extend(self.losses[1..].iter().map(|loss| loss - self.losses[0]));
        let apart = self.step.iter().fold(0.0_f64, |m, apart| m.max(apart.abs()));
        if apart > EQUAL || gap.is_some() {
            for (right, row) in self.step[1..].iter_mut().zip(self.scaled.chunks_exact(n)).filter(|_| gap.is_some()) {
                for (i, gap) in gap.into_iter().flatten().enumerate() {
                    *right += row[i] * gap / self.roots[i];
                }
            }
            if !self.factorise(ridge, n) {
                return None;
            }
            substitute(&self.matrix, &mut self.step[1..]);
            self.step[0] = -self.step[1..].iter().sum::<f64>();
        }
        self.step.iter().all(|dp| dp.is_finite()).then_some(apart)
    }

    /// Z diag(1/b) Z', with this ridge. False where it is not positive definite.
    #[inline(always)]
    fn factorise(&mut self, ridge: f64, n: usize) -> bool {
        let m = self.rows.len() - 1;
        self.matrix.resize(m * m, 0.0);
        let mut trace = 0.0;
        for a in 0..m {
            let row = &self.scaled[a * n..(a + 1) * n];
            for b in a..m {
                self.matrix[a * m + b] = dot(row, &self.scaled[b * n..(b + 1) * n]);
            }
            trace += self.matrix[a * m + a];
        }
        for a in 0..m {
            self.matrix[a * m + a] += ridge * (trace / m as f64);
        }
        factorise(&mut self.matrix, m)
    }

    /// v: the losses are equal up to rounding.
    fn value(&self, y: &[f64]) -> f64 {
        self.points.chunks_exact(y.len()).map(|point| dot(point, y)).sum::<f64>() / self.rows.len() as f64
    }
}

impl Workspace {
    /// Ascends from the p at hand. Whether the excess is within `tolerance`: y and p are then the solution. False as
    /// well where q is not positive, and y is left as it was.
    #[inline(always)]
    pub fn ascend<S: Simd>(&mut self, simd: S, problem: &Problem, tolerance: f64, found: &mut Found) -> bool {
        self.face.clear();
        self.face.roots.clear();
        self.face.roots.extend(problem.budgets.iter().map(|b| b.sqrt()));
        self.differentiate(simd, problem);
        if !self.gradient.iter().all(|q| *q > 0.0 && q.is_finite()) {
            return false;
        }
        for at in 0..self.tail.rows.len() {
            let row = self.tail.rows[at] as usize;
            if self.shares[row] > 0.0 && self.shares[row] < self.caps[row] {
                self.free(problem, row);
            }
        }
        for _ in 0..PRICINGS {
            let v = self.climb(problem.budgets);
            self.balance();
            self.differentiate(simd, problem);
            for ((y, b), q) in self.y.iter_mut().zip(problem.budgets).zip(&self.gradient) {
                *y = b / q;
            }
            self.price(simd, problem);
            found.steps += 1;
            found.pricings += 1;
            self.tail.value = v.unwrap_or_else(|| self.at_the_edge());
            let (_, excess) = self.excess(simd, self.tail.value);
            if excess <= tolerance {
                return true;
            }
            if !self.enter(problem) {
                break;
            }
        }
        self.polish(simd, problem, tolerance, found)
    }

    /// Where losses cancel, y = b / q has lost their digits twice: y and p are improved side by side, with the same
    /// face.
    ///
    /// ```text
    /// diag(b) u + Y P' dp = b - Y q,  l_t + z_t'u equal on the face,  sum dp = 0        P, z: points of the face, Z of y
    /// ```
    #[cold]
    fn polish<S: Simd>(&mut self, simd: S, problem: &Problem, tolerance: f64, found: &mut Found) -> bool {
        let (n, budgets) = (problem.budgets.len(), problem.budgets);
        for _ in 0..POLISHING_STEPS {
            self.differentiate(simd, problem);
            let (error, (_, excess)) = (self.miss(budgets), self.excess(simd, self.tail.value));
            if error <= tolerance && excess <= tolerance {
                return true;
            }
            let Workspace { face, gap, y, .. } = self;
            if !(error < NEAR && excess < NEAR)
                || face.rows.is_empty()
                || face.solve(y, Some(gap), LEAST_RIDGE).is_none()
            {
                return false;
            }
            for (point, dp) in face.points.chunks_exact(n).zip(&face.step) {
                for i in 0..n {
                    gap[i] -= y[i] * point[i] * dp;
                }
            }
            for i in 0..n {
                y[i] *= 1.0 + gap[i] / budgets[i];
            }
            for a in 0..face.rows.len() {
                face.shares[a] = (face.shares[a] + face.step[a]).clamp(0.0, face.caps[a]);
            }
            self.balance();
            self.price(simd, problem);
            found.steps += 1;
            self.tail.value = self.face.value(&self.y);
        }
        false
    }

    /// Writes p of the face. What rounding has left of one goes to the row that is furthest from its bounds.
    #[inline(always)]
    fn balance(&mut self) {
        let Workspace { face, shares, tail, .. } = self;
        let room = |a: usize, face: &Face| face.shares[a].min(face.caps[a] - face.shares[a]);
        let mut freest = 0;
        for (a, &row) in face.rows.iter().enumerate() {
            shares[row as usize] = face.shares[a];
            freest = if room(a, face) > room(freest, face) { a } else { freest };
        }
        if let Some(&row) = face.rows.get(freest) {
            let total: f64 = tail.rows.iter().map(|&row| shares[row as usize]).sum();
            let p = (face.shares[freest] + (1.0 - total)).clamp(0.0, face.caps[freest]);
            (face.shares[freest], shares[row as usize]) = (p, p);
        }
    }

    /// Rows on the wrong side of v become free, the furthest of them where they are many. False where there are none.
    #[inline(always)]
    fn enter(&mut self, problem: &Problem) -> bool {
        self.pairs.clear();
        for row in 0..problem.counts.len() {
            let beyond = self.losses[row / LANES].0[row % LANES] - self.tail.value;
            let wrong =
                beyond > EQUAL && self.shares[row] < self.caps[row] || beyond < -EQUAL && self.shares[row] > 0.0;
            if wrong && !self.face.rows.contains(&(row as u32)) {
                self.pairs.push((row as u32, beyond.abs()));
            }
        }
        let most = MOST_ENTERING + problem.budgets.len();
        if self.pairs.len() > most {
            self.pairs.select_nth_unstable_by(most, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
            self.pairs.truncate(most);
            self.pairs.sort_unstable_by_key(|(row, _)| *row);
        }
        for at in 0..self.pairs.len() {
            let row = self.pairs[at].0;
            self.free(problem, row as usize);
            if self.shares[row as usize] == 0.0 && !self.tail.rows.contains(&row) {
                self.tail.rows.push(row);
            }
        }
        !self.pairs.is_empty()
    }

    #[inline(always)]
    fn free(&mut self, problem: &Problem, row: usize) {
        self.face.rows.push(row as u32);
        self.face.caps.push(self.caps[row]);
        self.face.shares.push(self.shares[row]);
        self.face.points.extend(self.drawn.row(problem.rows, row).map(|d| -d));
    }

    /// Maximises D over the free rows, with q kept. Returns v; none where no row is free.
    #[inline(always)]
    fn climb(&mut self, budgets: &[f64]) -> Option<f64> {
        let n = budgets.len();
        let Workspace { face, gradient, y, shares, .. } = self;
        let mut value = None;
        let (mut least, mut ridge) = (f64::INFINITY, RIDGE);
        face.change.resize(n, 0.0);
        for _ in 0..64 + 4 * face.rows.len() {
            let k = face.rows.len();
            if k == 0 {
                return None;
            }
            for i in 0..n {
                y[i] = budgets[i] / gradient[i];
            }
            let apart = face.solve(y, None, ridge);
            value = Some(face.value(y));
            let Some(apart) = apart.filter(|apart| *apart > EQUAL) else { return value };
            if apart < NEAR && !(apart < 0.5 * least) {
                if ridge <= LEAST_RIDGE {
                    return value;
                }
                ridge = (0.01 * ridge).max(LEAST_RIDGE);
                least = f64::INFINITY;
                continue;
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
