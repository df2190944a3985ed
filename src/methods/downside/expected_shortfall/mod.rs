//! Risk budgeting by expected shortfall: the mean of the worst losses, of which there are (1 - alpha) W.
//!
//! ```text
//! l_t = -d_t'y      d_t = x_t - m (centred, the default), or x_t (raw)
//! c_t = min(omega_t / ((1 - alpha) W), 1)          a row's largest share of the tail; W = sum_t omega_t
//! ES(y) = min_v v + sum_t c_t max(l_t - v, 0)      (Rockafellar & Uryasev 2000, 2002)
//!       = max_p sum_t p_t l_t,  0 <= p_t <= c_t, sum_t p_t = 1
//!
//! minimise ES(y) - sum_i b_i ln y_i                stationary: y_i q_i = b_i, q_i = -sum_t p_t d_ti, p of the tail of y
//! ```
//!
//! So the last row of the tail counts by a fraction, and where (1 - alpha) W < 1 the tail is the worst loss alone.
//!
//! `smoothed` finds most of the tail, by Newton on a smoothed kink; `face` ends exactly, by an active set on the dual
//! program, whose y = b / q meets the budgets whatever p is. What is left is whether p is the tail of y:
//!
//! ```text
//! excess = sum_t (c_t - p_t) max(l_t - v, 0) + p_t max(v - l_t, 0) >= 0, for any v
//! ES(y) <= p'l + excess                            equal at v = the alpha quantile of the losses
//! ```
//!
//! # Certificate
//!
//! Two numbers, from the returned weights and p by a fresh pass: with k_i = w_i q_i / p'l, which sum to one,
//!
//! ```text
//! rc_error = max_i |k_i - b_i| / b_i               slack = 1 - p'l / ES(w) >= 0
//! ```
//!
//! For every long-only u, ES(u) >= q'u = p'l sum_i k_i u_i / w_i >= p'l prod_i (u_i / w_i)^k_i, the mean of the ratios
//! being at least their geometric mean. So
//!
//! ```text
//! ES(u) / prod_i u_i^k_i >= (1 - slack) ES(w) / prod_i w_i^k_i
//! ```
//!
//! No portfolio is better by more than the slack, at budgets that are off by no more than rc_error.
//!
//! # Existence
//!
//! There is a portfolio exactly where ES(u) > 0 for every long-only mix u. Centred, the shortfall of what moves is
//! positive, so only a mix that never moves is in the way. Raw returns of cash with a positive mean have a shortfall
//! below zero: no portfolio, and cash is the proof.

mod face;
mod smoothed;

use pulp::{Arch, Scalar, Simd, WithSimd};

use super::drawn::{Drawn, Origin};
use super::products::Products;
use super::{Problem, hedge, is_sound, largest_error};
use crate::lanes::{Lanes, vectors};
use crate::methods::certificate::Status;
use face::Face;
use smoothed::Tail;

/// What losses are measured from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Form<'a> {
    /// The mean of the rows that count: risk is a deviation, as a volatility is.
    Centred,
    /// Zero. This was taken from the returns, in the units of the values: zeros where nothing was.
    Raw { taken: &'a [f64] },
}

/// What changes for the user of the solver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options<'a> {
    /// Alpha, between zero and one.
    pub level: f64,
    pub form: Form<'a>,
    /// Largest rc_error and slack that count as solved.
    pub tolerance: f64,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Options { level: 0.95, form: Form::Centred, tolerance: 1e-8 }
    }
}

impl Options<'_> {
    fn is_valid(&self, assets: usize) -> bool {
        let taken = match self.form {
            Form::Centred => assets,
            Form::Raw { taken } => taken.len(),
        };
        self.level > 0.0 && self.level < 1.0 && taken == assets
    }

    fn origin(&self) -> Origin<'_> {
        match self.form {
            Form::Centred => Origin::Mean,
            Form::Raw { taken } => Origin::Zero(taken),
        }
    }
}

/// Room to solve in, so that no ordinary problem allocates once it is large enough.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    drawn: Drawn,
    /// c, row by row, then zeros up to whole blocks.
    caps: Vec<f64>,
    /// p, likewise.
    shares: Vec<f64>,
    /// l, of eight rows each.
    losses: Vec<Lanes>,
    /// Rows near the tail: all with p > 0 are among them.
    tail: Tail,
    face: Face,
    y: Vec<f64>,
    trial: Vec<f64>,
    /// q.
    gradient: Vec<f64>,
    gap: Vec<f64>,
    step: Vec<f64>,
    /// sum kappa d over the rows at the kink.
    kinked: Vec<f64>,
    matrix: Vec<f64>,
    products: Products,
    pairs: Vec<(u32, f64)>,
    room: Vec<Lanes>,
    /// What widths are shares of: the shortfall, or, where that is more, twice the standard deviation of the losses.
    unit: f64,
    direction: Vec<f64>,
}

impl Workspace {
    /// The p of the last problem, row by row: with the weights, what its certificate proves. Empty without weights.
    pub fn shares(&self) -> &[f64] {
        &self.shares
    }

    /// What proves that the last problem has no solution: weights, summing to one, of a long-only mix without
    /// shortfall. Empty after another ending.
    pub fn direction(&self) -> &[f64] {
        &self.direction
    }
}

/// What travels with the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Converged: rc_error and slack lie within the tolerance. No solution: a long-only mix has no shortfall, see
    /// [`Workspace::direction`]. Invalid: the input is bad, or, centred, an asset does not move in the rows that
    /// count.
    pub status: Status,
    /// From the returned weights and [`Workspace::shares`] by a fresh pass; NaN without weights.
    pub rc_error: f64,
    /// Likewise.
    pub slack: f64,
    /// Expected shortfall of the returned weights, per period; NaN without weights.
    pub risk: f64,
    /// Evaluations of losses: of trial steps of Newton, by the rows near the tail where steps are small, and of all
    /// rows on the dual face.
    pub steps: u32,
    /// Of them, those of all rows on the dual face.
    pub pricings: u32,
    /// (1 - alpha) W: rows in the tail, where each row counts one. Below one it is the worst row alone.
    pub tail: f64,
    /// The asset that has no shortfall by itself, where it proves that there is no solution.
    pub alone: Option<usize>,
}

impl Found {
    const NONE: Found = Found {
        status: Status::Invalid,
        rc_error: f64::NAN,
        slack: f64::NAN,
        risk: f64::NAN,
        steps: 0,
        pricings: 0,
        tail: f64::NAN,
        alone: None,
    };
}

/// How far anybody's weights and shares of the tail are from a solution.
#[derive(Debug, Clone, PartialEq)]
pub struct Certified {
    pub rc_error: f64,
    pub slack: f64,
    /// Expected shortfall per period.
    pub risk: f64,
    /// Shares of the risk, w_i q_i / p'l.
    pub contributions: Vec<f64>,
}

/// Each width is this share of the one before.
const NARROWER: f64 = 0.3;

/// Half the width of the kink at first, in the unit of widths.
const WIDEST: f64 = 0.2;

/// The width at which the dual face takes over, however many rows are left at the kink.
const LAST: f64 = 1e-4;

/// The search ends at this width.
const NARROWEST: f64 = 1e-7;

/// The search aims a little below the tolerance, so that the certificate, from the rounded weights, meets it.
const AIM: f64 = 0.5;

/// Solves one problem and writes its weights; NaN where there are none.
pub fn solve(problem: Problem, options: Options, work: &mut Workspace, weights: &mut [f64]) -> Found {
    Arch::new().dispatch(Solve { problem, options, work, weights })
}

/// Compiled for the vector instructions of this machine.
struct Solve<'a> {
    problem: Problem<'a>,
    options: Options<'a>,
    work: &'a mut Workspace,
    weights: &'a mut [f64],
}

impl WithSimd for Solve<'_> {
    type Output = Found;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Found {
        let Solve { problem, options, work, weights } = self;
        let mut found = Found::NONE;
        work.direction.clear();
        work.shares.clear();
        if weights.len() != problem.budgets.len() || !work.read(simd, &problem, &options) {
            weights.fill(f64::NAN);
            return found;
        }
        found.tail = (1.0 - options.level) * work.drawn.total();

        work.search(simd, &problem, AIM * options.tolerance, &mut found);
        // The quantile goes with the scale of the weights.
        let v = work.tail.value / problem.write(&mut work.y, weights);
        work.price(simd, &problem);
        let mut proven = work.prove(simd, &problem, v, &mut found);
        if !(found.slack <= options.tolerance) {
            // Not the quantile, as it seems: what the shortfall is, all the same.
            let (v, _) = work.tail();
            proven = work.prove(simd, &problem, v, &mut found);
        }
        let solved = proven && found.rc_error <= options.tolerance && found.slack <= options.tolerance;
        let sound = is_sound(work.drawn.size(&work.y), found.risk, problem.budgets, options.tolerance);
        found.status = if solved && sound { Status::Converged } else { Status::Stalled };
        if found.status != Status::Converged && work.has_none(simd, &problem, &options, &mut found) {
            found.status = Status::NoSolution;
            proven = false;
        }
        work.shares.truncate(problem.counts.len());
        if !proven {
            (found.rc_error, found.slack, found.risk) = (f64::NAN, f64::NAN, f64::NAN);
            work.shares.clear();
            weights.fill(f64::NAN);
        }
        found
    }
}

/// The certificate of anybody's long-only weights, of any scale, with these shares of the tail, row by row; none of
/// what is not a problem, or has no risk. Shares that do not lie in their bounds are moved there, then scaled to sum
/// to one.
///
/// Shares come from [`Workspace::shares`], which makes rc_error small at a solution, or from [`tail`], which makes the
/// slack zero.
pub fn certify(problem: Problem, options: Options, weights: &[f64], shares: &[f64]) -> Option<Certified> {
    let mut work = Workspace::held(&problem, &options, weights)?;
    if shares.len() != problem.counts.len() {
        return None;
    }
    let (v, _) = work.tail();
    for ((p, cap), share) in work.shares.iter_mut().zip(&work.caps).zip(shares) {
        *p = if *share > 0.0 { share.min(*cap) } else { 0.0 };
    }
    work.tail.all(&work.shares);
    let mut found = Found::NONE;
    let proven = work.prove(Scalar, &problem, v, &mut found) && found.rc_error.is_finite();
    let Found { rc_error, slack, risk, .. } = found;
    proven.then_some(Certified { rc_error, slack, risk, contributions: work.gradient })
}

/// Shares of the tail of anybody's weights, row by row: the rows beyond the alpha quantile of the losses in full, the
/// first of those at the quantile as far as they fit. None of what is not a problem.
pub fn tail(problem: Problem, options: Options, weights: &[f64]) -> Option<Vec<f64>> {
    let work = Workspace::held(&problem, &options, weights)?;
    let (_, mut shares) = work.tail();
    shares.truncate(problem.counts.len());
    Some(shares)
}

impl Workspace {
    /// With the losses of these weights.
    fn held(problem: &Problem, options: &Options, weights: &[f64]) -> Option<Workspace> {
        let mut work = Workspace::default();
        if weights.len() != problem.budgets.len() || !work.read(Scalar, problem, options) {
            return None;
        }
        work.y.extend(weights.iter().zip(problem.units).map(|(w, unit)| w * unit));
        work.price(Scalar, problem);
        Some(work)
    }

    /// False where there is no problem.
    #[inline(always)]
    fn read<S: Simd>(&mut self, simd: S, problem: &Problem, options: &Options) -> bool {
        let n = problem.budgets.len();
        if !problem.is_valid() || !options.is_valid(n) || !self.drawn.read(simd, problem, options.origin()) {
            return false;
        }
        for room in [&mut self.trial, &mut self.gradient, &mut self.step, &mut self.gap, &mut self.kinked] {
            room.clear();
            room.resize(n, 0.0);
        }
        let whole = (1.0 - options.level) * self.drawn.total();
        let counts: &[f64] = bytemuck::cast_slice(self.drawn.counts());
        self.caps.clear();
        // More than all of the tail is no share: a row that fills it alone is not to bend the kink.
        self.caps.extend(counts.iter().map(|count| (count / whole).min(1.0)));
        self.shares.clear();
        self.shares.resize(self.caps.len(), 0.0);
        self.caps.iter().fold(true, |all, cap| all & cap.is_finite())
    }

    /// Leaves y and p of the solution, or of the last place where there is none.
    #[inline(always)]
    fn search<S: Simd>(&mut self, simd: S, problem: &Problem, tolerance: f64, found: &mut Found) {
        if !self.begin(simd, problem) {
            return;
        }
        let (mut width, mut last) = (WIDEST, LAST);
        loop {
            let smoothed = self.smooth(simd, problem, &mut width, last, found);
            self.settle();
            if !smoothed || self.ascend(simd, problem, tolerance, found) || last <= NARROWEST {
                return;
            }
            // y has moved on the face, and losses of all rows are at hand.
            last *= NARROWER * NARROWER;
            self.measure(simd);
            self.gather(simd, width);
        }
    }

    /// l of all rows.
    #[inline(always)]
    fn price<S: Simd>(&mut self, simd: S, problem: &Problem) {
        self.drawn.losses(simd, problem.rows, &self.y, &mut self.losses);
    }

    /// q of p.
    #[inline(always)]
    fn differentiate<S: Simd>(&mut self, simd: S, problem: &Problem) {
        let Workspace { drawn, shares, tail, room, gradient, .. } = self;
        let held = tail.rows.iter().map(|&row| (row, -shares[row as usize])).filter(|(_, p)| *p < 0.0);
        drawn.weigh(simd, problem.rows, held, room, gradient);
    }

    /// rc_error, slack and risk of y and p, with fresh losses at hand; v may be any number. `gradient` becomes shares
    /// of the risk. False where there is no risk.
    #[inline(always)]
    fn prove<S: Simd>(&mut self, simd: S, problem: &Problem, v: f64, found: &mut Found) -> bool {
        let total: f64 = self.shares.iter().sum();
        self.shares.iter_mut().for_each(|p| *p /= total);
        let (inside, excess) = self.excess(simd, v);
        self.differentiate(simd, problem);
        for (q, y) in self.gradient.iter_mut().zip(&self.y) {
            *q *= y / inside;
        }
        let risk = inside + excess;
        if !(inside > 0.0 && risk.is_finite()) {
            return false;
        }
        found.rc_error = largest_error(&self.gradient, problem.budgets);
        (found.slack, found.risk) = (excess / risk, risk);
        true
    }

    /// p'l, and the excess.
    #[inline(always)]
    fn excess<S: Simd>(&self, simd: S, v: f64) -> (f64, f64) {
        let losses = vectors::<S>(&self.losses);
        let (caps, shares) = (S::as_simd_f64s(&self.caps).0, S::as_simd_f64s(&self.shares).0);
        let (zero, v) = (simd.splat_f64s(0.0), simd.splat_f64s(v));
        let (mut inside, mut excess) = (zero, zero);
        for ((&loss, &cap), &p) in losses.iter().zip(caps).zip(shares) {
            let beyond = simd.sub_f64s(loss, v);
            let (above, below) = (simd.max_f64s(beyond, zero), simd.min_f64s(beyond, zero));
            inside = simd.mul_add_e_f64s(p, loss, inside);
            excess = simd.mul_add_e_f64s(simd.sub_f64s(cap, p), above, excess);
            excess = simd.sub_f64s(excess, simd.mul_f64s(p, below));
        }
        (simd.reduce_sum_f64s(inside), simd.reduce_sum_f64s(excess).max(0.0))
    }

    /// A v that parts the rows of p from the others as well as can be: between the least loss of a row with p > 0 and
    /// the largest of a row with p < c.
    #[inline(always)]
    fn at_the_edge(&self) -> f64 {
        let losses: &[f64] = bytemuck::cast_slice(&self.losses);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for ((&loss, &cap), &share) in losses.iter().zip(&self.caps).zip(&self.shares) {
            low = if share > 0.0 && loss < low { loss } else { low };
            high = if share < cap && loss > high { loss } else { high };
        }
        if low.is_finite() && high.is_finite() {
            0.5 * (low + high)
        } else if low.is_finite() {
            low
        } else {
            high
        }
    }

    /// The alpha quantile of the losses at hand, and p of their tail.
    #[cold]
    fn tail(&self) -> (f64, Vec<f64>) {
        let losses: &[f64] = bytemuck::cast_slice(&self.losses);
        let mut order: Vec<usize> = (0..losses.len()).filter(|&row| self.caps[row] > 0.0).collect();
        order.sort_by(|&a, &b| losses[b].total_cmp(&losses[a]));
        let (mut v, mut left) = (f64::NAN, 1.0_f64);
        let mut shares = vec![0.0; self.shares.len()];
        for row in order {
            if left > 0.0 {
                shares[row] = self.caps[row].min(left);
                left -= shares[row];
                v = losses[row];
            }
        }
        (v, shares)
    }

    /// Whether there is no solution, beyond doubt.
    #[cold]
    fn has_none<S: Simd>(&mut self, simd: S, problem: &Problem, options: &Options, found: &mut Found) -> bool {
        let gain = match options.form {
            Form::Centred => None,
            Form::Raw { .. } => self.gain(simd, problem, found),
        };
        let direction = gain.or_else(|| hedge(simd, problem, &self.drawn, &mut self.products, &mut self.pairs));
        self.direction.extend(direction.into_iter().flatten());
        !self.direction.is_empty()
    }

    /// A long-only mix of raw returns without shortfall: an asset by itself, or the last place of the search.
    fn gain<S: Simd>(&mut self, simd: S, problem: &Problem, found: &mut Found) -> Option<Vec<f64>> {
        let mix = self.y.clone();
        for asset in 0..mix.len() {
            self.y.fill(0.0);
            self.y[asset] = 1.0;
            if self.is_free(simd, problem) {
                found.alone = Some(asset);
                return Some(self.y.clone());
            }
        }
        self.y.copy_from_slice(&mix);
        if !(mix.iter().all(|y| *y >= 0.0 && y.is_finite()) && self.is_free(simd, problem)) {
            return None;
        }
        let weights = mix.iter().zip(problem.units).map(|(y, unit)| y / unit);
        let total: f64 = weights.clone().sum();
        Some(weights.map(|w| w / total).collect())
    }

    /// Whether y has no shortfall, up to rounding.
    fn is_free<S: Simd>(&mut self, simd: S, problem: &Problem) -> bool {
        self.price(simd, problem);
        let (_, shares) = self.tail();
        let (mut risk, mut size) = (0.0, 0.0);
        for (row, &p) in shares.iter().enumerate().filter(|(_, p)| **p > 0.0) {
            for (d, y) in self.drawn.row(problem.rows, row).zip(&self.y) {
                risk -= p * d * y;
                size += p * d.abs() * y;
            }
        }
        risk <= 32.0 * self.y.len() as f64 * f64::EPSILON * size
    }
}

#[cfg(test)]
mod tests;
