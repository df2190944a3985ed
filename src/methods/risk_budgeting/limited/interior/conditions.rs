//! The conditions of an answer, from weights and multipliers alone.
//!
//! ```text
//! w_i (g_i + nu + z_i + sum_k a_ki m_k + eta_i) = 0     w_i g_i = s_i - b_i
//! ```

use super::super::problem::{Multipliers, Problem, Risk};
use crate::methods::limits::Limits;
use crate::methods::linear::dot;

/// Variances below this share of (sum w sigma)^2 are no unit.
const VANISHING: f64 = 1e-9;

/// A limit whose sum lies further from it than this does not hold.
const HOLDS: f64 = 1e-9;

/// C y, and y'C y.
fn image(problem: &Problem, weights: &[f64]) -> (Vec<f64>, f64) {
    let n = weights.len();
    let y: Vec<f64> = weights.iter().zip(problem.volatilities).map(|(w, sigma)| w * sigma).collect();
    let image: Vec<f64> = problem.correlation.chunks_exact(n).map(|row| dot(row, &y)).collect();
    let variance = dot(&image, &y);
    (image, variance)
}

/// w'S w <= 32 n eps w'abs(S) w.
pub fn has_no_variance(problem: &Problem, weights: &[f64]) -> bool {
    let n = weights.len();
    let (_, variance) = image(problem, weights);
    let y: Vec<f64> = weights.iter().zip(problem.volatilities).map(|(w, sigma)| w * sigma).collect();
    let rows = problem.correlation.chunks_exact(n).zip(&y);
    let size: f64 = rows.map(|(row, y_i)| y_i * row.iter().zip(&y).map(|(c, y)| c.abs() * y).sum::<f64>()).sum();
    variance <= 32.0 * n as f64 * f64::EPSILON * size
}

/// c sqrt(w'S w) - mu'w.
pub fn risk_of(problem: &Problem, weights: &[f64], aversion: f64, expected: &[f64]) -> f64 {
    let (_, variance) = image(problem, weights);
    aversion * variance.max(0.0).sqrt() - dot(expected, weights)
}

/// g.
pub fn slopes(problem: &Problem, weights: &[f64]) -> Vec<f64> {
    let (image, variance) = image(problem, weights);
    let deviation = variance.max(0.0).sqrt();
    let slope = |i: usize| {
        let along = problem.volatilities[i] * image[i];
        match problem.risk {
            Risk::Volatility => along / variance,
            Risk::Variance { factor } => factor * along,
            Risk::Quadratic { linear } => along / variance - linear[i] / dot(linear, weights),
            Risk::Returns { aversion, expected } => {
                let risk = aversion * deviation - dot(expected, weights);
                (aversion * along / deviation - expected[i]) / risk
            }
        }
    };
    (0..weights.len())
        .map(|i| {
            let budget = problem.budgets[i];
            slope(i) - if budget > 0.0 { budget / weights[i] } else { 0.0 }
        })
        .collect()
}

/// The largest violation of a limit, rows in units of their largest coefficient.
pub fn violation(limits: &Limits, weights: &[f64]) -> f64 {
    let mut worst = (weights.iter().sum::<f64>() - 1.0).abs();
    for (i, w) in weights.iter().enumerate() {
        worst = worst.max(limits.least[i] - w).max(w - limits.most[i]);
    }
    for group in &limits.groups {
        let sum: f64 = group.members.iter().map(|&i| weights[i]).sum();
        worst = worst.max(group.least - sum).max(sum - group.most);
    }
    for row in &limits.rows {
        let (sum, size) = (dot(&row.coefficients, weights), largest(&row.coefficients));
        worst = worst.max((row.least - sum) / size).max((sum - row.most) / size);
    }
    if let Some(turnover) = &limits.turnover {
        worst = worst.max(turnover.of(weights) - turnover.most);
    }
    worst
}

/// The largest size of a coefficient, 1 where all are zero.
pub fn largest(coefficients: &[f64]) -> f64 {
    let largest = coefficients.iter().fold(0.0_f64, |largest, a| largest.max(a.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}

/// sum_k a_ki m_k of groups and rows.
pub fn pulls(limits: &Limits, groups: &[f64], rows: &[f64]) -> Vec<f64> {
    let mut pulls = vec![0.0; limits.assets()];
    for (group, m) in limits.groups.iter().zip(groups) {
        group.members.iter().for_each(|&i| pulls[i] += m);
    }
    for (row, m) in limits.rows.iter().zip(rows).filter(|(_, m)| **m != 0.0) {
        pulls.iter_mut().zip(&row.coefficients).for_each(|(pull, a)| *pull += a * m);
    }
    pulls
}

/// z_i + eta_i that the condition of each asset asks for.
pub fn asked(problem: &Problem, weights: &[f64], multipliers: &Multipliers) -> Vec<f64> {
    let pulls = pulls(problem.limits, &multipliers.groups, &multipliers.rows);
    let slopes = slopes(problem, weights);
    slopes.iter().zip(&pulls).map(|(slope, pull)| -(slope + pull + multipliers.sum)).collect()
}

/// Between what eta_i may lie.
fn changes(limits: &Limits, weights: &[f64], eta: f64, i: usize) -> [f64; 2] {
    let Some(turnover) = &limits.turnover else { return [0.0, 0.0] };
    let change = weights[i] - turnover.previous[i];
    match change {
        0.0 => [-eta, eta],
        _ => [eta * change.signum(); 2],
    }
}

/// nu and z from the multipliers of groups, rows and turnover: nu (where `find`) from the assets that nothing else
/// holds, if there are any, z from the condition of each asset on a bound.
pub fn complete(problem: &Problem, weights: &[f64], multipliers: &mut Multipliers, find: bool) {
    let limits = problem.limits;
    let slopes = slopes(problem, weights);
    let pulls = pulls(limits, &multipliers.groups, &multipliers.rows);
    let (mut gap, mut mass) = (0.0, 0.0);
    for (i, &w) in weights.iter().enumerate() {
        let eta = changes(limits, weights, multipliers.turnover, i);
        if w != limits.least[i] && w != limits.most[i] && (eta[0] == eta[1]) {
            gap += w * (slopes[i] + pulls[i] + eta[0]);
            mass += w;
        }
    }
    if find && mass > 0.0 {
        multipliers.sum = -gap / mass;
    }
    for (i, &w) in weights.iter().enumerate() {
        let [low, high] = changes(limits, weights, multipliers.turnover, i);
        let asked = -(slopes[i] + pulls[i] + multipliers.sum);
        let beyond = asked - asked.min(high).max(low);
        multipliers.bounds[i] = match (w == limits.least[i], w == limits.most[i]) {
            (true, true) => beyond,
            (true, false) => beyond.min(0.0),
            (false, true) => beyond.max(0.0),
            (false, false) => 0.0,
        };
    }
}

/// nu (and eta) where the bounds, or the previous weights, leave one point: any that give z their signs.
pub fn of_one_point(problem: &Problem, weights: &[f64], multipliers: &mut Multipliers) {
    let limits = problem.limits;
    let slopes = slopes(problem, weights);
    let (mut low, mut high) = (f64::NEG_INFINITY, f64::INFINITY);
    for (i, &w) in weights.iter().enumerate().filter(|(i, _)| !limits.is_pinned(*i)) {
        if w != limits.most[i] {
            low = low.max(-slopes[i]);
        }
        if w != limits.least[i] {
            high = high.min(-slopes[i]);
        }
    }
    multipliers.sum = match (low.is_finite(), high.is_finite()) {
        (true, true) => 0.5 * (low + high),
        (true, false) => low,
        (false, true) => high,
        (false, false) => 0.0,
    };
    if limits.turnover.is_some() && low > high {
        multipliers.turnover = 0.5 * (low - high);
    }
}

/// The largest condition that is missed, relative to the budget, or limit that is violated.
pub fn error_of(problem: &Problem, weights: &[f64], multipliers: &Multipliers) -> f64 {
    let limits = problem.limits;
    let n = weights.len();
    let on = |m: f64, sum: f64, least: f64, most: f64, size: f64| {
        let holds = (m > 0.0 && (sum - most).abs() <= HOLDS * size) || (m < 0.0 && (sum - least).abs() <= HOLDS * size);
        if holds { m } else { 0.0 }
    };
    let groups: Vec<f64> = (limits.groups.iter().zip(&multipliers.groups))
        .map(|(group, &m)| on(m, group.members.iter().map(|&i| weights[i]).sum(), group.least, group.most, 1.0))
        .collect();
    let rows: Vec<f64> = (limits.rows.iter().zip(&multipliers.rows))
        .map(|(row, &m)| on(m, dot(&row.coefficients, weights), row.least, row.most, largest(&row.coefficients)))
        .collect();
    let pulls = pulls(limits, &groups, &rows);
    let eta = limits
        .turnover
        .as_ref()
        .map_or(0.0, |turnover| on(multipliers.turnover, turnover.of(weights), f64::NEG_INFINITY, turnover.most, 1.0));
    let slopes = slopes(problem, weights);
    let (_, variance) = image(problem, weights);
    let sizes: f64 = weights.iter().zip(problem.volatilities).map(|(w, sigma)| w * sigma).sum();
    let total = match problem.risk {
        Risk::Variance { factor } => factor * variance.max(VANISHING * sizes * sizes),
        _ => 1.0,
    };
    let inverse: f64 = problem.volatilities.iter().map(|sigma| 1.0 / sigma).sum();
    let mut worst = violation(limits, weights);
    for (i, &w) in weights.iter().enumerate().filter(|(i, _)| !limits.is_pinned(*i)) {
        let z = match (w == limits.least[i], w == limits.most[i]) {
            (true, _) => multipliers.bounds[i].min(0.0),
            (_, true) => multipliers.bounds[i].max(0.0),
            _ => 0.0,
        };
        let left = slopes[i] + pulls[i] + multipliers.sum + z;
        let [low, high] = changes(limits, weights, eta, i);
        let gap = (left + low).max(-(left + high)).max(0.0);
        let budget = problem.budgets[i];
        let relative = if budget > 0.0 {
            gap * w / budget
        } else {
            gap * w.max(1.0 / (problem.volatilities[i] * inverse)) * n as f64 / total
        };
        if !(left.is_finite() && relative.is_finite()) {
            return f64::INFINITY;
        }
        worst = worst.max(relative);
    }
    worst
}
