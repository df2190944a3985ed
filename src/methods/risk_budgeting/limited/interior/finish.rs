//! The finish: what holds is taken as given, and what is left is solved as equations.
//!
//! - a weight on a bound, or at its previous value between rising and falling, is given
//! - a group, a row or the turnover at its limit is an equation; all other limits are left out
//!
//! The same path without inequalities then ends in a step or two, and its error is that of rounding. Where a limit that
//! was left out is violated, or one that was taken has the wrong sign, it changes sides, a few times. Of all answers
//! the one with the least error is kept.

use super::super::problem::{Multipliers, Problem, Risk};
use super::conditions::{asked, complete, error_of, largest, pulls, slopes};
use super::cone::{Cone, Says};
use super::path::{Point, follow};
use super::rows::may_rise;
use crate::methods::limits::{Limits, Row};
use crate::methods::linear::dot;

const ROUNDS: usize = 6;

/// An error that no further round is worth.
const GOOD: f64 = 1e-13;

/// A limit is violated, or a multiplier has the wrong sign, beyond this.
const BEYOND: f64 = 1e-13;

/// Where a weight, or the sum of a limit, is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Free,
    Least,
    Most,
    /// The previous weight.
    Before,
}

#[derive(Debug, Clone, PartialEq)]
struct Held {
    assets: Vec<At>,
    groups: Vec<At>,
    rows: Vec<At>,
    turnover: bool,
}

pub struct Finished {
    pub weights: Vec<f64>,
    pub multipliers: Multipliers,
    pub error: f64,
    pub steps: u32,
}

/// The best answer near a point of the path.
pub fn finish(problem: &Problem, cone: &Cone, point: &Point) -> Finished {
    let limits = problem.limits;
    let mut held = held(limits, cone, point);
    let mut best = rough(problem, cone, point, &held);
    let (rough, mut near) = (best.multipliers.clone(), best.weights.clone());
    let mut steps = 0;
    for _ in 0..ROUNDS {
        if best.error <= GOOD {
            break;
        }
        let Some((next, unsigned)) = with(problem, &held, &near, &rough) else { break };
        steps += next.steps;
        let (changed, moved) = revise(problem, &next.weights, &unsigned, &held, &near);
        near = moved;
        if next.error < best.error {
            best = next;
        }
        if changed == held {
            break;
        }
        held = changed;
    }
    Finished { steps, ..best }
}

/// What holds: q_k < z_k in units of the row's own terms and of a budget of 1/n.
fn held(limits: &Limits, cone: &Cone, point: &Point) -> Held {
    let n = limits.assets();
    let mut held = Held {
        assets: vec![At::Free; n],
        groups: vec![At::Free; limits.groups.len()],
        rows: vec![At::Free; limits.rows.len()],
        turnover: false,
    };
    let sizes = cone.magnitudes(&point.v);
    // A budget of 1/n, where all products sum to y'C y or R^2.
    let share = cone.whole(&point.v) / n as f64;
    let (mut rises, mut positive) = (vec![false; n], vec![false; n]);
    for (k, says) in cone.says.iter().enumerate() {
        let is = k >= cone.rows() || point.q[k] * share < point.z[k] * sizes[k] * sizes[k];
        match *says {
            _ if !is => {}
            Says::Least(i) => held.assets[i] = At::Least,
            Says::Most(i) => held.assets[i] = At::Most,
            Says::GroupLeast(g) | Says::GroupIs(g) => held.groups[g] = At::Least,
            Says::GroupMost(g) => held.groups[g] = At::Most,
            Says::RowLeast(k) | Says::RowIs(k) => held.rows[k] = At::Least,
            Says::RowMost(k) => held.rows[k] = At::Most,
            Says::Rises(i) => rises[i] = true,
            Says::Positive(i) => positive[i] = true,
            Says::Turnover => held.turnover = true,
            Says::Scale => {}
        }
    }
    for i in (0..n).filter(|&i| rises[i] && positive[i] && held.turnover) {
        if held.assets[i] == At::Free {
            held.assets[i] = At::Before;
        }
    }
    held
}

/// A weight that is held.
fn weight(limits: &Limits, held: &Held, asset: usize) -> Option<f64> {
    match held.assets[asset] {
        At::Least => Some(limits.least[asset]),
        At::Most => Some(limits.most[asset]),
        At::Before => limits.turnover.as_ref().map(|turnover| turnover.previous[asset]),
        At::Free if limits.is_pinned(asset) => Some(limits.least[asset]),
        At::Free => None,
    }
}

/// Multipliers of dense rows and turnover, and nu of the rest.
fn multipliers(problem: &Problem, cone: &Cone, point: &Point) -> Multipliers {
    let limits = problem.limits;
    let mut out = Multipliers {
        bounds: vec![0.0; limits.assets()],
        groups: vec![0.0; limits.groups.len()],
        rows: vec![0.0; limits.rows.len()],
        ..Multipliers::default()
    };
    let t = cone.scale(&point.v);
    let unit = match problem.risk {
        Risk::Volatility | Risk::Returns { .. } => t,
        Risk::Variance { .. } => t * cone.factor,
        Risk::Quadratic { .. } => t / cone.image(&point.v).dot(&point.v.rows(0, cone.assets())),
    };
    for (k, says) in cone.says.iter().enumerate() {
        let price = unit * if k < cone.rows() { point.z[k] } else { point.lambda[k - cone.rows()] };
        match *says {
            Says::GroupLeast(g) => out.groups[g] -= price,
            Says::GroupMost(g) | Says::GroupIs(g) => out.groups[g] += price,
            Says::RowLeast(k) => out.rows[k] -= price / largest(&limits.rows[k].coefficients),
            Says::RowMost(k) | Says::RowIs(k) => {
                out.rows[k] += price / largest(&limits.rows[k].coefficients);
            }
            Says::Turnover => out.turnover = 0.5 * price,
            Says::Least(i) => out.bounds[i] -= price,
            Says::Most(i) => out.bounds[i] += price,
            Says::Rises(_) | Says::Positive(_) | Says::Scale => {}
        }
    }
    out
}

/// The point itself, with held weights where they are held and the others scaled to close the sum.
fn rough(problem: &Problem, cone: &Cone, point: &Point, held: &Held) -> Finished {
    let limits = problem.limits;
    let mut weights = cone.weights(limits, &point.v);
    let (mut fixed, mut free) = (0.0, 0.0);
    for (i, w) in weights.iter_mut().enumerate() {
        match weight(limits, held, i) {
            Some(given) => {
                *w = given;
                fixed += given;
            }
            None => free += *w,
        }
    }
    if free > 0.0 && fixed < 1.0 {
        for (i, w) in weights.iter_mut().enumerate() {
            if weight(limits, held, i).is_none() {
                *w = (*w * (1.0 - fixed) / free).clamp(limits.least[i], limits.most[i]);
            }
        }
    }
    let mut multipliers = multipliers(problem, cone, point);
    multipliers.sum = sum_of(problem, &weights, &multipliers);
    sign(limits, held, &mut multipliers);
    complete(problem, &weights, &mut multipliers, true);
    let error = error_of(problem, &weights, &multipliers);
    Finished { weights, multipliers, error: if error.is_nan() { f64::INFINITY } else { error }, steps: 0 }
}

/// Leaves each multiplier the sign of where its limit is held, and none to what is not.
fn sign(limits: &Limits, held: &Held, multipliers: &mut Multipliers) {
    let signed = |m: f64, at: At, one: bool| match at {
        At::Free | At::Before => 0.0,
        _ if one => m,
        At::Least => m.min(0.0),
        At::Most => m.max(0.0),
    };
    for ((m, at), group) in multipliers.groups.iter_mut().zip(&held.groups).zip(&limits.groups) {
        *m = signed(*m, *at, group.least == group.most);
    }
    for ((m, at), row) in multipliers.rows.iter_mut().zip(&held.rows).zip(&limits.rows) {
        *m = signed(*m, *at, row.least == row.most);
    }
    multipliers.turnover = if held.turnover { multipliers.turnover.max(0.0) } else { 0.0 };
}

/// nu from the conditions of all assets, with the z of the path.
fn sum_of(problem: &Problem, weights: &[f64], multipliers: &Multipliers) -> f64 {
    let limits = problem.limits;
    let slopes = slopes(problem, weights);
    let pulls = pulls(limits, &multipliers.groups, &multipliers.rows);
    let (mut gap, mut mass) = (0.0, 0.0);
    for (i, &w) in weights.iter().enumerate().filter(|(i, _)| !limits.is_pinned(*i)) {
        gap += w * (slopes[i] + pulls[i] + multipliers.bounds[i]);
        mass += w;
    }
    -gap / mass
}

/// The answer where exactly this holds, and its multipliers before their signs were seen to. `rough`: multipliers for
/// what no free asset tells.
fn with(problem: &Problem, held: &Held, near: &[f64], rough: &Multipliers) -> Option<(Finished, Multipliers)> {
    let limits = problem.limits;
    let n = limits.assets();
    let given: Vec<Option<f64>> = (0..n).map(|i| weight(limits, held, i)).collect();
    let mut less = Limits::none(n);
    for (i, given) in given.iter().enumerate() {
        if let Some(given) = *given {
            (less.least[i], less.most[i]) = (given, given);
        }
    }
    less.groups.clone_from(&limits.groups);
    for (group, at) in less.groups.iter_mut().zip(&held.groups) {
        (group.least, group.most) = ends(*at, group.least, group.most, [0.0, 1.0]);
    }
    less.rows.clone_from(&limits.rows);
    for (row, at) in less.rows.iter_mut().zip(&held.rows) {
        (row.least, row.most) = ends(*at, row.least, row.most, [f64::NEG_INFINITY, f64::INFINITY]);
    }
    if let Some(turnover) = limits.turnover.as_ref().filter(|_| held.turnover) {
        // What rises: sum (w - v) = tau.
        let rises: Vec<bool> = (0..n).map(|i| near[i] > turnover.previous[i]).collect();
        let before: f64 = (0..n).filter(|&i| rises[i]).map(|i| turnover.previous[i]).sum();
        let end = may_rise(turnover) + before;
        let coefficients = rises.iter().map(|rises| if *rises { 1.0 } else { 0.0 }).collect();
        less.rows.push(Row { coefficients, least: end, most: end });
    }
    let free = given.iter().filter(|given| given.is_none()).count();
    let (mut weights, mut multipliers, steps);
    if free == 0 || given.iter().flatten().sum::<f64>() >= 1.0 {
        weights = near.to_vec();
        multipliers = rough.clone();
        steps = 0;
    } else {
        let smaller = Problem { limits: &less, ..*problem };
        let cone = Cone::new(&smaller, near, false);
        let followed = follow(&cone, |_| false);
        weights = cone.weights(&less, &followed.point.v);
        multipliers = self::multipliers(&smaller, &cone, &followed.point);
        steps = followed.steps;
        if held.turnover && limits.turnover.is_some() {
            multipliers.turnover = 0.5 * multipliers.rows.pop()?;
        }
    }
    for (w, given) in weights.iter_mut().zip(&given) {
        *w = given.unwrap_or(*w);
    }
    if weights.iter().any(|w| !w.is_finite()) {
        return None;
    }
    let mut unsigned = multipliers.clone();
    complete(problem, &weights, &mut unsigned, free > 0);
    sign(limits, held, &mut multipliers);
    complete(problem, &weights, &mut multipliers, free > 0);
    let error = error_of(problem, &weights, &multipliers);
    let positive = weights.iter().all(|w| *w >= 0.0);
    let error = if positive && !error.is_nan() { error } else { f64::INFINITY };
    Some((Finished { weights, multipliers, error, steps }, unsigned))
}

fn ends(at: At, least: f64, most: f64, none: [f64; 2]) -> (f64, f64) {
    match at {
        At::Least => (least, least),
        At::Most => (most, most),
        At::Free | At::Before => (none[0], none[1]),
    }
}

/// Holds what is violated and frees what has the wrong sign; with weights near the next answer, on the side of their
/// previous values to which they go.
fn revise(
    problem: &Problem,
    weights: &[f64],
    multipliers: &Multipliers,
    held: &Held,
    near: &[f64],
) -> (Held, Vec<f64>) {
    let limits = problem.limits;
    let (mut next, mut moved) = (held.clone(), weights.to_vec());
    let side = |at: At, sum: f64, least: f64, most: f64, m: f64, size: f64| match at {
        At::Least if m > BEYOND && least != most => At::Free,
        At::Most if m < -BEYOND && least != most => At::Free,
        At::Free if sum < least - BEYOND * size => At::Least,
        At::Free if sum > most + BEYOND * size => At::Most,
        _ => at,
    };
    let asked = asked(problem, weights, multipliers);
    for i in (0..limits.assets()).filter(|&i| !limits.is_pinned(i)) {
        let before = limits.turnover.as_ref().filter(|_| held.turnover).map(|turnover| turnover.previous[i]);
        let eta = if before.is_some() { multipliers.turnover } else { 0.0 };
        next.assets[i] = match (held.assets[i], before) {
            (At::Before, Some(_)) if asked[i].abs() <= eta + BEYOND => At::Before,
            (At::Before, Some(v)) => {
                moved[i] = v + asked[i].signum() * f64::EPSILON.sqrt() * v.max(f64::EPSILON);
                At::Free
            }
            (At::Before, None) => At::Free,
            (At::Free, Some(v)) if (near[i] - v) * (weights[i] - v) < 0.0 => At::Before,
            (at, before) => {
                let eta = before.map_or(0.0, |v| if near[i] > v { eta } else { -eta });
                side(at, weights[i], limits.least[i], limits.most[i], asked[i] - eta, 1.0)
            }
        };
    }
    for (g, group) in limits.groups.iter().enumerate() {
        let sum = group.members.iter().map(|&i| weights[i]).sum();
        next.groups[g] = side(held.groups[g], sum, group.least, group.most, multipliers.groups[g], 1.0);
    }
    for (k, row) in limits.rows.iter().enumerate() {
        let (sum, size) = (dot(&row.coefficients, weights), largest(&row.coefficients));
        next.rows[k] = side(held.rows[k], sum, row.least, row.most, multipliers.rows[k] * size, size);
    }
    if let Some(turnover) = &limits.turnover {
        let beyond = turnover.of(weights) > turnover.most + BEYOND;
        next.turnover = if held.turnover { multipliers.turnover >= -BEYOND } else { beyond };
    }
    (next, moved)
}
