//! The equal-weight portfolio: no estimate at all.

use super::certificate::Status;
use super::limits::Limits;
use super::risk_budgeting::{Options, limited};

/// w_i = 1 / n.
pub fn equal_weight(assets: usize) -> Vec<f64> {
    vec![1.0 / assets as f64; assets]
}

/// Within limits: the largest mean of the logarithms of the weights, which is risk budgeting of a risk that is constant. None
/// where it was not found.
pub fn within(limits: &Limits) -> Option<Vec<f64>> {
    let n = limits.assets();
    let free = equal_weight(n);
    if limits.hold(&free, 0.0) {
        return Some(free);
    }
    let correlation = limited::uncorrelated(n);
    let problem = limited::Problem {
        correlation: &correlation,
        volatilities: &vec![1.0; n],
        budgets: &free,
        limits,
        risk: limited::Risk::Variance { factor: 0.0 },
    };
    let options = Options { finish: true, ..Options::default() };
    let found = limited::solve(problem, None, options, &mut limited::Workspace::default());
    (found.status == Status::Converged).then_some(found.portfolio.weights)
}
