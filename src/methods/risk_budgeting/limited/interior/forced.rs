//! Turnover that the bounds, or assets that have left, use up: what has to rise, or to fall, does so and nothing else
//! does.
//!
//! ```text
//! what falls is at least   sum max(v - max, 0) + what has left     where that is tau:  w >= min(v, max)
//! what rises is at least   sum max(min - v, 0)                     where that is tau:  w <= max(v, min)
//! ```
//!
//! These bounds say all that turnover does. Their multipliers z are eta_i there: with eta half the largest of them, and
//! nu less by eta (or more), every eta_i lies between -eta and eta.

use super::super::problem::{Multipliers, Problem};
use super::conditions::{complete, error_of};
use super::rows::SAME;
use super::{Found, solve};
use crate::methods::limits::Limits;

/// The answer where that is so.
pub fn forced(problem: &Problem) -> Option<Found> {
    let limits = problem.limits;
    let turnover = limits.turnover.as_ref()?;
    let (n, before) = (limits.assets(), &turnover.previous);
    let spent = turnover.most - SAME * n as f64;
    let falls = (0..n).map(|i| (before[i] - limits.most[i]).max(0.0)).sum::<f64>() + turnover.left();
    let rises = (0..n).map(|i| (limits.least[i] - before[i]).max(0.0)).sum::<f64>();
    let mut bounds = Limits { turnover: None, ..limits.clone() };
    for i in 0..n {
        if falls >= spent {
            bounds.least[i] = bounds.least[i].max(before[i].min(limits.most[i]));
        }
        if rises >= spent {
            bounds.most[i] = bounds.most[i].min(before[i].max(limits.least[i]));
        }
    }
    if falls < spent && rises < spent {
        return None;
    }
    let found = solve(Problem { limits: &bounds, ..*problem });
    let Multipliers { sum, bounds: z, .. } = &found.multipliers;
    if z.is_empty() {
        return Some(found);
    }
    let moved = (0..n).filter(|&i| bounds.least[i] != limits.least[i] || bounds.most[i] != limits.most[i]);
    let (low, high) = moved.fold((0.0_f64, 0.0_f64), |(low, high), i| (low.min(z[i]), high.max(z[i])));
    // nu + z_i = nu' + eta_i.
    let turnover = 0.5 * (high - low);
    let sum = sum + 0.5 * (low + high);
    let mut multipliers = Multipliers { sum, turnover, ..found.multipliers.clone() };
    complete(problem, &found.weights, &mut multipliers, false);
    let error = error_of(problem, &found.weights, &multipliers);
    Some(Found { multipliers, error, ..found })
}
