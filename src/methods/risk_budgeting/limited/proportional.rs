//! The other definition of risk budgeting within bounds (Richard & Roncalli 2019): shares in proportion to the budgets
//! where no bound holds, for parity with published tables.
//!
//! ```text
//! s_i = theta b_i where w_i is free,   s_i <= theta b_i at its largest,   s_i >= theta b_i at its least,   sum w = 1
//! ```
//!
//! It is the least of nothing: it depends on how limits are written, may not exist, and need not be alone. With
//! y_i = sigma_i x_i, x = t w and y'C y free, the same descent solves y_i (C y)_i = b_i between t min_i and t max_i,
//! where t makes the sum right with the product frozen:
//!
//! ```text
//! sum_i clip(r_i / sigma_i, t min_i, t max_i) = t        piecewise linear in t
//! ```

use super::super::descent::multiply;
use super::certificate::At;
use super::finish::Certified;
use super::problem::{Multipliers, Problem};
use super::{Found, Options};
use crate::methods::certificate::Status;
use crate::methods::linear::{add, dot};

const SWEEPS: u32 = 2000;

/// Sweeps without half the error after which rounding is all that moves.
const PATIENCE: u32 = 100;

/// A total that has grown by this much grows without end: no portfolio meets the conditions.
const UNBOUNDED: f64 = 1e6;

/// The portfolio, and theta in `multipliers.theta`. Limits but for bounds are not looked at.
pub fn solve(problem: Problem, options: Options) -> Found {
    let Problem { correlation, volatilities, budgets, limits, .. } = problem;
    let n = budgets.len();
    let ends = |i: usize, t: f64| (t * limits.least[i] * volatilities[i], t * limits.most[i] * volatilities[i]);
    let mut y: Vec<f64> = (0..n)
        .map(|i| {
            let sum: f64 = correlation[i * n..(i + 1) * n].iter().sum();
            (if sum > 0.0 { (budgets[i] / sum).sqrt() } else { budgets[i].sqrt() }).max(1e-3 / n as f64)
        })
        .collect();
    let mut product = vec![0.0; n];
    multiply(correlation, &y, &mut product);
    let scale = dot(&y, &product).sqrt();
    y.iter_mut().chain(&mut product).for_each(|x| *x /= scale);
    let mut t: f64 = y.iter().zip(volatilities).map(|(y, s)| y / s).sum();
    let start = t;
    let mut at = vec![At::Free; n];
    let (mut best, mut kept, mut halved, mut since) = (f64::INFINITY, None, f64::INFINITY, 0);
    let mut sweeps = 0;
    while sweeps < SWEEPS {
        let targets: Vec<f64> = (0..n).map(|i| root(product[i] - y[i], budgets[i]) / volatilities[i]).collect();
        t = total(&targets, &limits.least, &limits.most, t);
        if !(t < UNBOUNDED * start) {
            let weights = y.iter().zip(volatilities).map(|(y, s)| y / s).collect::<Vec<f64>>();
            let sum: f64 = weights.iter().sum();
            let weights = weights.iter().map(|w| w / sum).collect();
            let portfolio = Certified { weights, kkt_error: f64::INFINITY, ..Certified::default() };
            return Found { status: Status::NoSolution, portfolio, sweeps };
        }
        for i in 0..n {
            let r = root(product[i] - y[i], budgets[i]);
            let (low, high) = ends(i, t);
            let (next, place) = match () {
                () if low == high => (low, At::Pinned),
                () if r <= low => (low, At::Least),
                () if r >= high => (high, At::Most),
                () => (r, At::Free),
            };
            at[i] = place;
            let change = next - y[i];
            y[i] = next;
            add(&mut product, change, &correlation[i * n..(i + 1) * n]);
        }
        multiply(correlation, &y, &mut product);
        sweeps += 1;
        let found = certify(problem, &y, t, &at);
        since += 1;
        if found.kkt_error < 0.5 * halved {
            (halved, since) = (found.kkt_error, 0);
        }
        if found.kkt_error < best {
            best = found.kkt_error;
            kept = Some(found);
        }
        if since > PATIENCE && best < 1e-6 || (!options.finish && best <= 0.5 * options.tolerance) {
            break;
        }
    }
    let portfolio = kept.unwrap_or_default();
    let status = if best <= options.tolerance { Status::Converged } else { Status::Stalled };
    Found { status, portfolio, sweeps }
}

/// The root of r^2 + q r = b without cancellation.
fn root(q: f64, b: f64) -> f64 {
    let d = (q * q + 4.0 * b).sqrt();
    if q > 0.0 { 2.0 * b / (q + d) } else { 0.5 * (d - q) }
}

/// t with sum_i clip(r_i, t min_i, t max_i) = t.
fn total(targets: &[f64], least: &[f64], most: &[f64], start: f64) -> f64 {
    let (mut low, mut high, mut t) = (0.0, f64::INFINITY, start);
    for _ in 0..200 {
        let (mut value, mut slope) = (-t, -1.0);
        for ((r, least), most) in targets.iter().zip(least).zip(most) {
            let (own, grows) = match () {
                () if *r <= t * least => (t * least, *least),
                () if *r >= t * most => (t * most, *most),
                () => (*r, 0.0),
            };
            value += own;
            slope += grows;
        }
        if value.abs() <= 1e-15 * t {
            break;
        }
        if value > 0.0 {
            low = t;
        } else {
            high = t;
        }
        let newton = t - value / slope;
        let next = match () {
            () if newton > low && newton < high => newton,
            () if high.is_infinite() => 2.0 * t,
            () => 0.5 * (low + high),
        };
        if next == t || !next.is_finite() {
            break;
        }
        t = next;
    }
    t
}

/// Weights on a bound exactly, the free ones scaled to close the sum, and the largest miss of the conditions relative to
/// theta b_i.
fn certify(problem: Problem, y: &[f64], t: f64, at: &[At]) -> Certified {
    let Problem { correlation, volatilities, budgets, limits, .. } = problem;
    let n = y.len();
    let mut weights: Vec<f64> = (0..n)
        .map(|i| match at[i] {
            At::Least | At::Pinned => limits.least[i],
            At::Most => limits.most[i],
            At::Free | At::Previous => y[i] / volatilities[i] / t,
        })
        .collect();
    let free = |i: &usize| at[*i] == At::Free;
    let held: f64 = (0..n).filter(|i| !free(i)).map(|i| weights[i]).sum();
    let moving: f64 = (0..n).filter(free).map(|i| weights[i]).sum();
    if moving > 0.0 && held < 1.0 {
        (0..n).filter(free).for_each(|i| weights[i] *= (1.0 - held) / moving);
    }
    let x: Vec<f64> = weights.iter().zip(volatilities).map(|(w, s)| w * s).collect();
    let mut product = vec![0.0; n];
    multiply(correlation, &x, &mut product);
    let variance = dot(&x, &product);
    let shares: Vec<f64> = x.iter().zip(&product).map(|(x, p)| x * p / variance).collect();
    // Of the free assets; where there are none, whatever keeps the signs.
    let budget: f64 = (0..n).filter(free).map(|i| budgets[i]).sum();
    let ratio = |i: usize| shares[i] / budgets[i];
    let theta = if budget > 0.0 {
        (0..n).filter(free).map(|i| shares[i]).sum::<f64>() / budget
    } else {
        let low = (0..n).filter(|&i| at[i] == At::Most).map(ratio).fold(f64::NEG_INFINITY, f64::max);
        let high = (0..n).filter(|&i| at[i] == At::Least).map(ratio).fold(f64::INFINITY, f64::min);
        match (low.is_finite(), high.is_finite()) {
            (true, true) => 0.5 * (low + high),
            (true, false) => low,
            (false, true) => high,
            (false, false) => 1.0,
        }
    };
    let mut error = (weights.iter().sum::<f64>() - 1.0).abs();
    for i in 0..n {
        let left = shares[i] / theta - budgets[i];
        let missed = match at[i] {
            At::Free | At::Previous => left.abs(),
            At::Most => left.max(0.0),
            At::Least => (-left).max(0.0),
            At::Pinned => continue,
        };
        let missed = missed / budgets[i];
        if !(missed <= error) {
            error = missed;
        }
    }
    if !(theta > 0.0 && variance > 0.0 && error >= 0.0) {
        error = f64::INFINITY;
    }
    let multipliers = Multipliers { theta: Some(theta), bounds: vec![0.0; n], ..Multipliers::default() };
    Certified { weights, at: at.to_vec(), shares, multipliers, kkt_error: error, variance }
}
