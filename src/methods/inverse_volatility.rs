//! The inverse-volatility portfolio: risk parity, were all correlations equal (Maillard, Roncalli & Teiletche 2010).

use super::certificate::{Proof, Status};
use super::limits::Limits;
use super::risk_budgeting::{Options, limited};
use super::volatility;
use crate::covariance::RiskModel;

/// w_i = (1 / sigma_i) / sum_j (1 / sigma_j).
pub fn inverse_volatility(volatilities: &[f64]) -> Vec<f64> {
    let total: f64 = volatilities.iter().map(|s| s.recip()).sum();
    volatilities.iter().map(|s| s.recip() / total).collect()
}

/// Within limits: risk budgeting with equal budgets, were all correlations zero. The error is the `kkt_error` of that.
pub fn within(
    model: &RiskModel,
    limits: &Limits,
    tolerance: f64,
    work: &mut limited::Workspace,
    weights: &mut [f64],
) -> Proof {
    let n = weights.len();
    let free = inverse_volatility(&model.volatilities);
    if limits.hold(&free, 0.0) {
        weights.copy_from_slice(&free);
        let volatility = volatility(model, weights);
        return Proof { status: Status::Converged, error: 0.0, margin: f64::NAN, unique: true, volatility };
    }
    let correlation = limited::uncorrelated(n);
    let budgets = vec![1.0 / n as f64; n];
    let problem = limited::Problem {
        correlation: &correlation,
        volatilities: &model.volatilities,
        budgets: &budgets,
        limits,
        risk: limited::Risk::Volatility,
    };
    let found = limited::solve(problem, None, Options { tolerance, finish: false }, work);
    weights.copy_from_slice(&found.portfolio.weights);
    let (status, error, volatility) = (found.status, found.portfolio.kkt_error, volatility(model, weights));
    Proof { status, error, margin: f64::NAN, unique: true, volatility }
}
