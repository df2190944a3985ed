//! One problem: slices in, certified weights out.
//!
//! For a covariance S and budgets b > 0 summing to one, the risk-budgeting portfolio is the w > 0, sum w = 1, with
//! w_i (S w)_i / w'S w = b_i. It comes from the convex program without the sum constraint (Spinu 2013; Bruder &
//! Roncalli 2012), in correlation units, so that neither units nor scale matter:
//!
//! ```text
//! minimise F(y) = 1/2 y'C y - sum_i b_i ln y_i        C = correlation, sigma = volatilities
//! stationary:  y_i (C y)_i = b_i                      w_i = (y_i / sigma_i) / sum_j (y_j / sigma_j)
//! ```
//!
//! Coordinate descent ([`descent`]) solves ordinary problems in about ten sweeps. What it leaves goes to a damped
//! Newton ([`newton`]); what that leaves is tested for existence ([`existence`]).

use crate::methods::certificate::{Certificate, Status};

pub mod certificate;
pub mod condition;
pub mod definite;
pub mod descent;
pub mod existence;
pub mod interleaved;
pub mod limited;
pub mod mixed;
pub mod newton;
pub mod small;
pub mod validity;

use certificate::certify;
use condition::{condition, condition_bound};
use descent::{Ending, descend, multiply};

/// Sweeps after which Newton takes over. Ordinary problems need about 10 to 1e-8 whatever n is; hedged ones hundreds.
pub const SWEEP_LIMIT: u32 = 200;

/// `rc_error` cannot be told from rounding below this many eps times kappa.
pub const FLOOR: f64 = 8.0 * f64::EPSILON;

/// Descent aims a little below the tolerance, so that the certificate, computed from the rounded weights, meets it.
const AIM: f64 = 0.9;

/// At or below this tolerance every solution takes the finishing Newton step.
pub const FINISHING_TOLERANCE: f64 = 1e-12;

/// What changes for the user of the solver.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// Largest relative error of a risk contribution, `rc_error`, that counts as solved.
    pub tolerance: f64,
    /// Take the finishing Newton step, which brings well-posed problems to the rounding floor.
    pub finish: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options { tolerance: 1e-8, finish: false }
    }
}

/// Room to solve in, so that no problem allocates.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    y: Vec<f64>,
    product: Vec<f64>,
}

/// One problem, already checked.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// n x n, unit diagonal.
    pub correlation: &'a [f64],
    pub volatilities: &'a [f64],
    pub budgets: &'a [f64],
    /// The covariance that was given, where one was: the certificate is then against it, digit for digit.
    pub covariance: Option<&'a [f64]>,
}

/// Solves one problem and writes its weights; NaN where there are none.
#[inline(always)]
pub fn solve(problem: Problem, options: Options, work: &mut Workspace, weights: &mut [f64]) -> Certificate {
    let Problem { correlation, volatilities, budgets, covariance } = problem;
    let n = budgets.len();
    let Workspace { y, product } = work;
    y.resize(n, 0.0);
    product.resize(n, 0.0);

    let aim = AIM * options.tolerance;
    let mut run = descend(correlation, budgets, aim, SWEEP_LIMIT, y, product);
    if run.ending != Ending::Converged {
        run.sweeps += newton::minimise(correlation, budgets, aim, y, product);
    }
    // Where products cancel, plain arithmetic can neither reach the tolerance nor tell whether it has.
    let variance: f64 = y.iter().zip(&*product).map(|(y, p)| y * p).sum();
    let resolvable = options.tolerance.max(FINISHING_TOLERANCE);
    let sound = FLOOR * condition_bound(y.iter().copied(), budgets, variance) <= resolvable;
    let mut accurate = options.finish || options.tolerance <= FINISHING_TOLERANCE || !sound;
    let (mut rc_error, variance) = loop {
        if accurate && covariance.is_none() {
            newton::finish(correlation, budgets, y);
        }
        for i in 0..n {
            weights[i] = y[i] / volatilities[i];
        }
        if let Some(covariance) = covariance.filter(|_| accurate) {
            newton::finish(covariance, budgets, weights);
        }
        let total: f64 = weights.iter().sum();
        for i in 0..n {
            weights[i] /= total;
            // The same portfolio in correlation units, from the weights as they are returned.
            y[i] = weights[i] * volatilities[i];
        }
        let (rc_error, variance) = match covariance {
            Some(covariance) => certify(covariance, weights, budgets, product),
            None => certify(correlation, y, budgets, product),
        };
        if accurate || rc_error <= options.tolerance {
            break (rc_error, variance);
        }
        // Descent saw the mean of both triangles: the matrix as it was given may ask for more.
        accurate = true;
    };
    if accurate && rc_error.is_finite() {
        rc_error = match covariance {
            Some(covariance) => newton::accurate_gap(covariance, budgets, weights).1,
            None => newton::accurate_gap(correlation, budgets, y).1,
        };
    }
    let mut certificate = Certificate {
        status: if rc_error <= options.tolerance { Status::Converged } else { Status::Stalled },
        rc_error,
        kappa: f64::NAN,
        sweeps: run.sweeps,
        rescued: false,
        volatility: variance.sqrt(),
        slack: None,
        kkt_error: None,
    };
    // An error below the tolerance proves a solution only where the tolerance lies above the rounding floor.
    if certificate.status != Status::Converged || accurate {
        multiply(correlation, y, product);
        certificate.kappa = condition(correlation, y, product);
    }
    let proven = sound || FLOOR * certificate.kappa <= resolvable;
    let doubtful = certificate.status != Status::Converged || !proven;
    if doubtful && existence::zero_variance_direction(correlation).is_some() {
        weights.fill(f64::NAN);
        let unsolved = Certificate::unsolved(Status::NoSolution);
        return Certificate { kappa: certificate.kappa, sweeps: run.sweeps, ..unsolved };
    }
    certificate
}
