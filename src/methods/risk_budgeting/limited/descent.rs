//! Cyclical coordinate descent within limits: stages `descend` and `limit`. In correlation units, y_i = sigma_i x_i,
//! x = t w, p = C y, m_i = mu_i / sigma_i (zero without returns, where alpha = 1):
//!
//! ```text
//! repeat
//!   rescale        y, p, t /= R             R = sqrt(y'p)  or  c sqrt(y'p) - m'y;    alpha = c / sqrt(y'p)
//!   certify        with the fresh p; stop at 0.9 tolerance
//!   multipliers    with the product frozen:   q_i = alpha (p_i - y_i) - m_i
//!                  r_i(l) = clip(root of alpha r^2 + (q_i + l / (t sigma_i)) r = b_i, t min_i sigma_i, t max_i sigma_i)
//!                  nu from  sum_g clip(sum_g r_i(nu) / sigma_i, t lo_g, t hi_g) = t
//!                  groups that are clipped are held: lambda_g from  sum_g r_i(lambda_g) / sigma_i = t limit;  else nu
//!   sweep          y_i <- r_i(lambda_g(i)) with the running p
//!   restore twice  what is free of each held group, and of the rest, is scaled to the sum that is left to it
//!   p = C y
//! ```
//!
//! With the product frozen the equation of nu is exact for the sum of weights, so that nu needs no step size. A limit on
//! turnover has two multipliers: of what rises over its old weight, and of what falls below. In between the weight stays.

use super::super::descent::multiply;
use super::certificate::{self, At, Portfolio, certify};
use super::multipliers::Equation;
use super::problem::{Multipliers, Problem, Risk};
use crate::methods::linear::{add, dot};

/// Evaluations of a scalar equation in the first sweeps, and in the others.
const EVALUATIONS: [usize; 2] = [12, 2];

/// Sweeps that take the many.
const FIRST: u32 = 3;

/// Sweeps without half the error after which rounding is all that moves, below [`SMALL`].
const PATIENCE: u32 = 24;

const SMALL: f64 = 1e-6;

/// How the descent ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Converged,
    /// The sweep limit was reached, or rounding.
    Limit,
    /// R(y) <= 0, or no variance.
    NoRisk,
}

/// Room to solve in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    pub y: Vec<f64>,
    pub product: Vec<f64>,
    pub at: Vec<At>,
    pub weights: Vec<f64>,
    pub shares: Vec<f64>,
    pub multipliers: Multipliers,
    pub certificate: certificate::Workspace,
    /// Of each asset, the number of its group; the number of groups where it has none.
    pub group_of: Vec<usize>,
    /// min_i sigma_i and max_i sigma_i, and m.
    least: Vec<f64>,
    most: Vec<f64>,
    linear: Vec<f64>,
    /// q_i without its multiplier, 1 / (t sigma_i), r_i / sigma_i and its slope.
    frozen: Vec<f64>,
    inverse: Vec<f64>,
    sums: Vec<f64>,
    slopes: Vec<f64>,
    blocks: Blocks,
}

/// Parts of the assets whose weights have a sum that is given: held groups and, last, the rest.
#[derive(Debug, Clone, Default)]
struct Blocks {
    of: Vec<usize>,
    /// Of groups, then of the rest.
    lambda: Vec<f64>,
    /// Sums over t; NaN where it is not given.
    targets: Vec<f64>,
    held: Vec<bool>,
    free: Vec<f64>,
    bound: Vec<f64>,
}

/// The state beside the vectors.
#[derive(Debug, Clone, Copy)]
struct Scale {
    alpha: f64,
    /// t.
    total: f64,
    /// The limit on turnover holds: multipliers of what rises and of what falls.
    turnover: Option<[f64; 2]>,
}

/// Solves from the row-sum start; `work.weights` holds the weights, `work.at` where they are. Rows are not known here, nor
/// turnover beside groups.
#[inline(always)]
pub fn descend(problem: Problem, tolerance: f64, limit: u32, work: &mut Workspace) -> (Ending, u32) {
    let mut scale = start(problem, work);
    let (mut halved, mut since) = (f64::INFINITY, 0);
    for sweep in 0..=limit {
        if !rescale(problem, &mut scale, work) {
            read(problem, scale, work);
            return (Ending::NoRisk, sweep);
        }
        read(problem, scale, work);
        let error = error(problem, scale, work);
        if sweep > 0 && error <= tolerance {
            return (Ending::Converged, sweep);
        }
        since += 1;
        if error < 0.5 * halved {
            (halved, since) = (error, 0);
        }
        if sweep == limit || !(error >= 0.0) || (since > PATIENCE && halved < SMALL) {
            return (Ending::Limit, sweep);
        }
        multipliers(problem, &mut scale, sweep < FIRST, work);
        self::sweep(problem, scale, work);
        restore(problem, scale, work);
        multiply(problem.correlation, &work.y, &mut work.product);
    }
    (Ending::Limit, limit)
}

/// y of the unlimited descent, clipped to the bounds of its total.
#[inline(always)]
fn start(problem: Problem, work: &mut Workspace) -> Scale {
    let Problem { correlation, volatilities, budgets, limits, risk } = problem;
    let n = budgets.len();
    let Workspace { y, product, at, weights, shares, least, most, linear, group_of, .. } = work;
    for vector in [&mut *y, product, weights, shares, least, most, linear] {
        vector.clear();
        vector.resize(n, 0.0);
    }
    for vector in [&mut work.frozen, &mut work.inverse, &mut work.sums, &mut work.slopes] {
        vector.resize(n, 0.0);
    }
    at.clear();
    at.resize(n, At::Free);
    limits.group_of(group_of);
    let Blocks { of, lambda, targets, held, free, bound } = &mut work.blocks;
    of.clear();
    of.resize(n, 0);
    // Turnover has two parts beside those that stay.
    let blocks = (limits.groups.len() + 1).max(3);
    for vector in [lambda, targets, free, bound] {
        vector.clear();
        vector.resize(blocks, 0.0);
    }
    held.clear();
    held.resize(blocks, false);

    for row in correlation.chunks_exact(n) {
        add(y, 1.0, row);
    }
    for i in 0..n {
        y[i] = if y[i] > 0.0 { (budgets[i] / y[i]).sqrt() } else { budgets[i].sqrt() };
        // A weight that is given counts through the sum alone.
        y[i] = y[i].max(1e-3 / n as f64);
        least[i] = limits.least[i] * volatilities[i];
        most[i] = limits.most[i] * volatilities[i];
        if let Risk::Returns { expected, .. } | Risk::Quadratic { linear: expected } = risk {
            linear[i] = expected[i] / volatilities[i];
        }
    }
    let total = match risk {
        Risk::Variance { .. } => {
            let total: f64 = y.iter().zip(volatilities).map(|(y, s)| y / s).sum();
            y.iter_mut().for_each(|y| *y /= total);
            1.0
        }
        _ => y.iter().zip(volatilities).map(|(y, s)| y / s).sum(),
    };
    for i in 0..n {
        (y[i], at[i]) = clipped(y[i], total * least[i], total * most[i]);
    }
    multiply(correlation, y, product);
    let alpha = if let Risk::Variance { factor } = risk { factor } else { 1.0 };
    Scale { alpha, total, turnover: None }
}

#[inline(always)]
fn clipped(y: f64, least: f64, most: f64) -> (f64, At) {
    if least == most {
        (least, At::Pinned)
    } else if y <= least {
        (least, At::Least)
    } else if y >= most {
        (most, At::Most)
    } else {
        (y, At::Free)
    }
}

/// R = 1. False where R is not positive, or the variance is rounding.
#[inline(always)]
fn rescale(problem: Problem, scale: &mut Scale, work: &mut Workspace) -> bool {
    let Workspace { y, product, linear, .. } = work;
    let variance = dot(y, product);
    if !(variance > f64::EPSILON * dot(y, y)) {
        return false;
    }
    let risk = match problem.risk {
        Risk::Volatility => variance.sqrt(),
        Risk::Returns { aversion, .. } => aversion * variance.sqrt() - dot(linear, y),
        // The minimum on the ray.
        Risk::Quadratic { .. } => variance / dot(linear, y),
        Risk::Variance { .. } => return true,
    };
    if !(risk > 0.0) {
        return false;
    }
    for (y, p) in y.iter_mut().zip(product) {
        *y /= risk;
        *p /= risk;
    }
    scale.total /= risk;
    if let Risk::Returns { aversion, .. } = problem.risk {
        scale.alpha = aversion * risk / variance.sqrt();
    }
    true
}

/// Weights and shares of the iterate.
#[inline(always)]
fn read(problem: Problem, scale: Scale, work: &mut Workspace) {
    let Workspace { y, product, linear, weights, shares, .. } = work;
    for i in 0..y.len() {
        weights[i] = y[i] / problem.volatilities[i] / scale.total;
        shares[i] = y[i] * (scale.alpha * product[i] - linear[i]);
    }
}

#[inline(always)]
fn error(problem: Problem, scale: Scale, work: &mut Workspace) -> f64 {
    let Workspace { weights, shares, at, multipliers, certificate, group_of, .. } = work;
    let Problem { budgets, limits, .. } = problem;
    if let Some(turnover) = &limits.turnover {
        // A weight that stays is where it was, to the last bit.
        let stay = weights.iter_mut().zip(&turnover.previous).zip(&*at).filter(|(_, at)| **at == At::Previous);
        stay.for_each(|((weight, before), _)| *weight = *before);
        multipliers.turnover = scale.turnover.map_or(0.0, |[up, down]| 0.5 * (up - down));
    }
    certify(Portfolio { weights, shares, budgets, at, limits, group_of }, multipliers, certificate)
}

/// The root of alpha r^2 + q r = b without cancellation; infinite where there is none, with alpha = 0.
#[inline(always)]
fn root(q: f64, alpha: f64, b: f64) -> f64 {
    let d = (q * q + 4.0 * alpha * b).sqrt();
    let (above, below) = if q > 0.0 { (2.0 * b, q + d) } else { ((d - q).max(f64::MIN_POSITIVE), 2.0 * alpha) };
    above / below
}

/// Which part of the moves a sum is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moves {
    Up,
    Down,
}

#[inline(always)]
fn multipliers(problem: Problem, scale: &mut Scale, first: bool, work: &mut Workspace) {
    let Problem { volatilities, budgets, limits, .. } = problem;
    let n = budgets.len();
    let evaluations = EVALUATIONS[usize::from(!first)];
    let (alpha, total) = (scale.alpha, scale.total);
    let Workspace { y, product, least, most, linear, frozen, inverse, sums, slopes, blocks, group_of, .. } = work;
    let Blocks { of, lambda, targets, held, free: sum, bound: slope } = blocks;
    for i in 0..n {
        frozen[i] = alpha * (product[i] - y[i]) - linear[i];
        inverse[i] = (total * volatilities[i]).recip();
    }
    // r_i / sigma_i at the multiplier l, and how fast it falls.
    let evaluate = |i: usize, l: f64| {
        let r = root(frozen[i] + l * inverse[i], alpha, budgets[i]);
        let slope = inverse[i] / (volatilities[i] * (alpha + budgets[i] / (r * r)));
        let (low, high) = (total * least[i], total * most[i]);
        let inside = r > low && r < high;
        (r.max(low).min(high) / volatilities[i], if inside { slope } else { 0.0 })
    };
    let pool = limits.groups.len();
    let mut equation = Equation::from(lambda[pool]);
    for _ in 0..evaluations {
        let l = equation.at;
        for i in 0..n {
            (sums[i], slopes[i]) = evaluate(i, l);
        }
        let (mut value, mut falls) = (-total, 0.0);
        if pool == 0 {
            value += sums.iter().sum::<f64>();
            falls = slopes.iter().sum();
        } else {
            sum.fill(0.0);
            slope.fill(0.0);
            for i in 0..n {
                sum[group_of[i]] += sums[i];
                slope[group_of[i]] += slopes[i];
            }
            for (g, group) in limits.groups.iter().enumerate() {
                let (low, high) = (total * group.least, total * group.most);
                held[g] = sum[g] > high || sum[g] < low;
                targets[g] = if sum[g] > high { group.most } else { group.least };
                value += sum[g].max(low).min(high);
                falls += if held[g] { 0.0 } else { slope[g] };
            }
            value += sum[pool];
            falls += slope[pool];
        }
        if !equation.moves(value, falls, total) {
            break;
        }
    }
    let nu = equation.at;
    lambda[pool] = nu;
    for (g, group) in limits.groups.iter().enumerate() {
        if !held[g] {
            lambda[g] = nu;
            continue;
        }
        let mut equation = Equation::from(if lambda[g] == 0.0 { nu } else { lambda[g] });
        for _ in 0..evaluations {
            let (mut value, mut falls) = (-total * targets[g], 0.0);
            for &i in &group.members {
                let (own, slope) = evaluate(i, equation.at);
                value += own;
                falls += slope;
            }
            if !equation.moves(value, falls, total) {
                break;
            }
        }
        lambda[g] = equation.at;
    }
    targets[pool] = 1.0 - (0..pool).filter(|&g| held[g]).map(|g| targets[g]).sum::<f64>();
    for i in 0..n {
        let group = group_of[i];
        of[i] = if group < pool && held[group] { group } else { pool };
    }

    let Some(turnover) = &limits.turnover else { return };
    // How far r_i / sigma_i has moved from its old weight, on one side of it.
    let moved = |i: usize, l: f64, moves: Moves| {
        let (own, slope) = evaluate(i, l);
        let change = own - total * turnover.previous[i];
        match moves {
            Moves::Up if change > 0.0 => (change, slope),
            Moves::Down if change < 0.0 => (change, slope),
            _ => (0.0, 0.0),
        }
    };
    let over = |l: f64, moves: Moves| {
        (0..n).map(|i| moved(i, l, moves)).fold((0.0, 0.0), |(a, b), (value, slope)| (a + value, b + slope))
    };
    let most = total * turnover.most;
    if over(nu, Moves::Up).0 <= most {
        scale.turnover = None;
        return;
    }
    let [up, down] = scale.turnover.unwrap_or([nu, nu]);
    let solved = |start: f64, moves: Moves, target: f64| {
        let mut equation = Equation::from(start);
        for _ in 0..evaluations {
            let (value, falls) = over(equation.at, moves);
            if !equation.moves(value - target, falls, total) {
                break;
            }
        }
        equation.at
    };
    scale.turnover =
        Some([solved(up.max(nu), Moves::Up, most), solved(down.min(nu), Moves::Down, total * turnover.left() - most)]);
}

#[inline(always)]
fn sweep(problem: Problem, scale: Scale, work: &mut Workspace) {
    let Problem { correlation, volatilities, budgets, limits, .. } = problem;
    let n = budgets.len();
    let Scale { alpha, total, turnover } = scale;
    let Workspace { y, product, at, least, most, linear, inverse, blocks, .. } = work;
    for i in 0..n {
        let q = alpha * (product[i] - y[i]) - linear[i];
        let (low, high) = (total * least[i], total * most[i]);
        let (next, place) = match (turnover, &limits.turnover) {
            (Some([up, down]), Some(limit)) => {
                let before = total * limit.previous[i] * volatilities[i];
                let mut r = root(q + up * inverse[i], alpha, budgets[i]);
                let mut stays = false;
                if r < before {
                    r = root(q + down * inverse[i], alpha, budgets[i]);
                    stays = r > before;
                }
                let (next, place) = clipped(if stays { before } else { r }, low, high);
                (next, if stays && place == At::Free { At::Previous } else { place })
            }
            _ => clipped(root(q + blocks.lambda[blocks.of[i]] * inverse[i], alpha, budgets[i]), low, high),
        };
        let change = next - y[i];
        at[i] = place;
        if change != 0.0 {
            y[i] = next;
            add(product, change, &correlation[i * n..(i + 1) * n]);
        }
    }
}

/// Blocks of a turnover that is at its limit: what rose sums to its old weights and the turnover, what fell to its old
/// weights without it.
const ROSE: usize = 0;
const FELL: usize = 1;
const STAYED: usize = 2;

#[inline(always)]
fn restore(problem: Problem, scale: Scale, work: &mut Workspace) {
    let Problem { volatilities, limits, .. } = problem;
    let n = volatilities.len();
    let total = scale.total;
    let Workspace { y, at, least, most, blocks, .. } = work;
    let Blocks { of, targets, free, bound, .. } = blocks;
    let turnover = limits.turnover.as_ref().filter(|_| scale.turnover.is_some());
    let mut count = limits.groups.len() + 1;
    if let Some(turnover) = turnover {
        count = 3;
        targets[..count].copy_from_slice(&[turnover.most, turnover.left() - turnover.most, f64::NAN]);
        for i in 0..n {
            let change = y[i] - total * turnover.previous[i] * volatilities[i];
            of[i] = match at[i] {
                At::Previous => STAYED,
                _ if change > 0.0 => ROSE,
                _ if change < 0.0 => FELL,
                _ => STAYED,
            };
            targets[of[i]] += turnover.previous[i];
        }
    }
    for _ in 0..2 {
        free[..count].fill(0.0);
        bound[..count].fill(0.0);
        for i in 0..n {
            let sum = if at[i] == At::Free { &mut *free } else { &mut *bound };
            sum[of[i]] += y[i] / volatilities[i];
        }
        for block in 0..count {
            let rest = total * targets[block] - bound[block];
            free[block] = if free[block] > 0.0 && rest > 0.0 { rest / free[block] } else { 1.0 };
        }
        for i in 0..n {
            if at[i] != At::Free {
                continue;
            }
            let (mut low, mut high) = (total * least[i], total * most[i]);
            let mut ends = [At::Least, At::Most];
            if let Some(turnover) = turnover {
                let before = total * turnover.previous[i] * volatilities[i];
                if of[i] == ROSE && before > low {
                    (low, ends[0]) = (before, At::Previous);
                } else if of[i] == FELL && before < high {
                    (high, ends[1]) = (before, At::Previous);
                }
            }
            let scaled = y[i] * free[of[i]];
            (y[i], at[i]) = if scaled <= low {
                (low, ends[0])
            } else if scaled >= high {
                (high, ends[1])
            } else {
                (scaled, At::Free)
            };
        }
    }
}
