//! A problem with limits by interior point: for rows that overlap, turnover with groups, and whatever descent leaves.
//!
//! ```text
//! minimise f(x) - sum_i b_i ln x_i   over   x = t w,  t > 0,  w within the limits
//! f = x'S x / 2,   (c sqrt(x'S x) - mu'x)^2 / 2,   x'S x / 2 - l'x,   factor x'S x / 2 with t = 1
//!
//! grad f(x) - zeta - N'z + E'lambda = 0     N x = q     E x = e
//! x_i zeta_i = b_i     q_k z_k = 0     q, z >= 0
//! ```
//!
//! N x >= 0 are the limits on the cone: max_i t - x_i, x_i - min_i t, hi t - a'x, a'x - lo t with t = sum x; E x = e
//! those whose ends are one. Turnover has a rise u_i of its own for each asset, u_i >= x_i - v_i t, u_i >= 0, sum u <=
//! tau t: weights and previous weights both sum to one, so half of all changes is what rises.
//!
//! `path` is the predictor-corrector method of Mehrotra (1992) with targets: the logarithms keep theirs, b_i, while
//! q_k z_k falls to zero. Multipliers of the limits are t z. `finish` then takes what holds as given and solves the
//! rest as equations, so the answer is right to rounding.
//!
//! No solution exists where a mix within the limits has no variance, or no risk R(w) <= 0. The iterates show the first
//! most often; else the least variance within the limits decides. For the second, R(w) > 0 for all of them exactly
//! where the largest ratio mu'w / sqrt(w'S w) is below c: least x'S x / 2 - mu'x.

mod conditions;
mod cone;
mod conflict;
mod finish;
mod forced;
mod path;
mod rows;
mod system;
#[cfg(test)]
mod tests;

pub use conflict::conflict;

use super::problem::{Multipliers, Problem, Risk};
use conditions::{complete, error_of, has_no_variance, risk_of, violation};
use cone::Cone;
use finish::finish;
use forced::forced;
use path::follow;
use rows::{inside, only};

/// An answer whose conditions hold to this, relative to budgets, is one.
const OPTIMAL: f64 = 1e-8;

/// Runs of the path, of a quadratic, whose scale is not known before, and of others; and the error that ends them.
const RUNS: [usize; 2] = [10, 3];
const NEAR: f64 = 1e-5;

/// A proof is within the limits to this.
const WITHIN: f64 = 1e-9;

/// Variances above this share of (sum y)^2 are far from rounding.
const PLAIN: f64 = 1e-9;

/// How the path ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Optimal,
    Stalled,
    /// The weights have no variance: w'S w <= 32 n eps w'abs(S) w.
    NoVariance,
    /// The weights have no risk: R(w) <= 0.
    NoRisk,
}

/// The best weights, or the proof that there are none.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub ending: Ending,
    /// On a bound exactly where it holds them.
    pub weights: Vec<f64>,
    /// Of s_i - b_i + w_i (nu + z_i + ..) = 0, where for [`Risk::Variance`] s_i = factor w_i (S w)_i, and for
    /// [`Risk::Quadratic`] s_i = w_i (S w)_i / w'S w with l_i w_i / l'w in the place of b_i. A given weight has z_i so
    /// that its condition holds too.
    pub multipliers: Multipliers,
    /// Factorisations of n x n systems.
    pub steps: u32,
    /// The largest condition that is missed, relative to b_i (to 1/n without budgets), or limit that is violated.
    pub error: f64,
}

/// The best weights of a problem that has weights within its limits.
pub fn solve(problem: Problem) -> Found {
    let limits = problem.limits;
    let n = limits.assets();
    if let Some(weights) = only(limits) {
        return given(&problem, weights);
    }
    if let Some(found) = forced(&problem) {
        return found;
    }
    let mut aim = start(&problem);
    if let Risk::Returns { expected, .. } = problem.risk {
        let first = inside(limits, &aim);
        if !positive_risk(&problem, &first) {
            let steepest = steepest(&problem, expected);
            if steepest.proves(&problem) {
                return no_risk(steepest);
            }
            // Its ratio is the largest, so R > 0 nearby.
            aim = steepest.weights;
            for share in [0.5, 0.1, 0.01, 1e-4] {
                let trial: Vec<f64> = aim.iter().zip(&first).map(|(a, f)| a + share * (f - a)).collect();
                if positive_risk(&problem, &inside(limits, &trial)) {
                    aim = trial;
                    break;
                }
            }
        }
    }
    let found = attempt(&problem, &aim);
    if found.ending != Ending::Stalled || matches!(problem.risk, Risk::Variance { .. }) {
        return found;
    }
    let none = vec![0.0; n];
    let least = Problem { budgets: &none, risk: Risk::Variance { factor: 1.0 }, ..problem };
    let least = attempt(&least, &start(&least));
    if has_no_variance(&problem, &least.weights) && violation(limits, &least.weights) <= WITHIN {
        return Found { ending: Ending::NoVariance, steps: found.steps + least.steps, ..least };
    }
    // Once more from within the limits, where R > 0.
    let mut within = least.weights;
    if let Risk::Returns { expected, .. } = problem.risk {
        let steepest = steepest(&problem, expected);
        if steepest.proves(&problem) {
            return no_risk(steepest);
        }
        if violation(limits, &steepest.weights) <= WITHIN {
            within.iter_mut().zip(&steepest.weights).for_each(|(w, s)| *w = 0.5 * (*w + s));
        }
    }
    if !positive_risk(&problem, &inside(limits, &within)) {
        return found;
    }
    let again = attempt(&problem, &within);
    let steps = found.steps + least.steps + again.steps;
    Found { steps, ..if again.error < found.error { again } else { found } }
}

/// Weights to start near: those of uncorrelated assets.
fn start(problem: &Problem) -> Vec<f64> {
    let n = problem.limits.assets();
    let sigma = problem.volatilities;
    match problem.risk {
        Risk::Quadratic { linear } => {
            let ratios: Vec<f64> = linear.iter().zip(sigma).map(|(l, s)| (l / s).max(0.0)).collect();
            let mean = ratios.iter().sum::<f64>() / n as f64;
            let floor = if mean > 0.0 { 0.1 * mean } else { 1.0 };
            ratios.iter().zip(sigma).map(|(ratio, s)| ratio.max(floor) / s).collect()
        }
        _ => {
            let least = 1e-6 / n as f64;
            problem.budgets.iter().zip(sigma).map(|(b, s)| b.max(least).sqrt() / s).collect()
        }
    }
}

/// Runs of the path, again from where the last one stopped while none has come near an answer: the scale of the
/// problem, and with it how far the logarithms and limits are kept apart, is that of the start.
fn attempt(problem: &Problem, aim: &[f64]) -> Found {
    let limits = problem.limits;
    if let Some(weights) = only(limits) {
        return given(problem, weights);
    }
    let fixed = matches!(problem.risk, Risk::Variance { .. });
    let runs = RUNS[usize::from(!matches!(problem.risk, Risk::Quadratic { .. }))];
    let (mut aim, mut steps) = (aim.to_vec(), 0);
    let mut run = 0;
    loop {
        run += 1;
        let cone = Cone::new(problem, &aim, true);
        let followed = follow(&cone, |v| {
            let y = v.rows(0, cone.assets());
            let total: f64 = y.iter().sum();
            if fixed || cone.image(v).dot(&y) > PLAIN * total * total {
                return false;
            }
            let weights = cone.weights(limits, v);
            has_no_variance(problem, &weights) && violation(limits, &weights) <= WITHIN
        });
        steps += followed.steps;
        let weights = cone.weights(limits, &followed.point.v);
        if followed.ended {
            let multipliers = Multipliers::default();
            return Found { ending: Ending::NoVariance, weights, multipliers, steps, error: f64::INFINITY };
        }
        if !(followed.error <= NEAR) && run < runs {
            let next: Vec<f64> = weights.iter().map(|w| w.max(0.0)).collect();
            if positive_risk(problem, &inside(limits, &next)) {
                aim = next;
                continue;
            }
        }
        let finished = finish(problem, &cone, &followed.point);
        steps += finished.steps;
        let ending = if finished.error <= OPTIMAL { Ending::Optimal } else { Ending::Stalled };
        return Found {
            ending,
            weights: finished.weights,
            multipliers: finished.multipliers,
            steps,
            error: finished.error,
        };
    }
}

/// R(w) > 0, of [`Risk::Returns`].
fn positive_risk(problem: &Problem, weights: &[f64]) -> bool {
    match problem.risk {
        Risk::Returns { aversion, expected } => risk_of(problem, weights, aversion, expected) > 0.0,
        _ => true,
    }
}

/// The weights with the largest l'w / sqrt(w'S w).
fn steepest(problem: &Problem, linear: &[f64]) -> Found {
    let none = vec![0.0; linear.len()];
    solve(Problem { budgets: &none, risk: Risk::Quadratic { linear }, ..*problem })
}

impl Found {
    /// Whether these weights are within the limits and have no risk.
    fn proves(&self, problem: &Problem) -> bool {
        !positive_risk(problem, &self.weights) && violation(problem.limits, &self.weights) <= WITHIN
    }
}

fn no_risk(steepest: Found) -> Found {
    let ending = if steepest.ending == Ending::NoVariance { Ending::NoVariance } else { Ending::NoRisk };
    Found { ending, ..steepest }
}

/// Where the limits leave one point.
fn given(problem: &Problem, weights: Vec<f64>) -> Found {
    let fixed = matches!(problem.risk, Risk::Variance { .. });
    let mut ending = Ending::Optimal;
    if !fixed && has_no_variance(problem, &weights) {
        ending = Ending::NoVariance;
    } else if !positive_risk(problem, &weights) {
        ending = Ending::NoRisk;
    }
    let mut multipliers = Multipliers {
        bounds: vec![0.0; weights.len()],
        groups: vec![0.0; problem.limits.groups.len()],
        rows: vec![0.0; problem.limits.rows.len()],
        ..Multipliers::default()
    };
    conditions::of_one_point(problem, &weights, &mut multipliers);
    complete(problem, &weights, &mut multipliers, false);
    let error = error_of(problem, &weights, &multipliers);
    Found { ending, weights, multipliers, steps: 0, error }
}
