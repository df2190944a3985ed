//! What a portfolio is asked to be, whatever makes it.

use super::certificate::{Certificate, Status};
use super::limits::Limits;
use super::risk_budgeting::limited::{self, Found};
use super::risk_budgeting::{self, Options};
use super::{RiskMeasure, Workspace};
use crate::covariance::RiskModel;
use crate::error::{Error, Result};

/// Risk budgets of n assets, summing to one, and limits of their weights. Assets with a zero budget have left before, but
/// for those whose weight is given.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    budgets: Vec<f64>,
    measure: RiskMeasure,
    limits: Limits,
    returns: Option<ExpectedReturns>,
    objective: Objective,
}

/// What is sought within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Objective {
    /// ln R(w) - sum b ln w: [`limited`].
    #[default]
    LogBarrier,
    /// Shares in proportion to the budgets where no bound holds: [`limited::proportional`]. Bounds only.
    Proportional,
    /// (1 + gamma) w'S w / (2 v) - sum b ln w, v the variance of the log barrier's portfolio: the larger gamma, the closer to
    /// minimum variance.
    VarianceWeight(f64),
}

/// Risk is R(w) = c sqrt(w'S w) - mu'w (Roncalli 2015).
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedReturns {
    /// mu, in excess of cash, for the period of the covariance.
    pub expected: Vec<f64>,
    /// c, for that period.
    pub aversion: f64,
}

impl Program {
    /// Of volatility, without limits. Budgets are scaled to sum to one; what does so up to rounding stays as it is.
    ///
    /// # Errors
    /// Budgets that are not positive and finite, or none.
    pub fn new(budgets: &[f64]) -> Result<Program> {
        Program::within(budgets, Limits::none(budgets.len()))
    }

    /// Of volatility, within limits.
    ///
    /// # Errors
    /// As [`Program::new`], where an asset whose weight is given needs no budget; limits of another number of assets, or
    /// that no weights are within.
    pub fn within(budgets: &[f64], limits: Limits) -> Result<Program> {
        let total: f64 = budgets.iter().sum();
        let pinned = |asset: usize| limits.assets() == budgets.len() && limits.is_pinned(asset);
        let sound = |(asset, b): (usize, &f64)| *b > 0.0 || *b == 0.0 && pinned(asset);
        if !(total > 0.0 && total.is_finite() && budgets.iter().enumerate().all(sound)) {
            return Err(Error::input("risk budgets must be positive numbers, at least one of them"));
        }
        limits.check(budgets.len())?;
        if let Some(conflict) = limits.conflict() {
            return Err(Error::input(format!("no weights are within the limits: {conflict:?}")));
        }
        let exact = (total - 1.0).abs() <= budgets.len() as f64 * f64::EPSILON;
        let budgets = budgets.iter().map(|b| if exact { *b } else { b / total }).collect();
        Ok(Program {
            budgets,
            measure: RiskMeasure::Volatility,
            limits,
            returns: None,
            objective: Objective::LogBarrier,
        })
    }

    /// Number n of assets.
    pub fn assets(&self) -> usize {
        self.budgets.len()
    }

    pub fn budgets(&self) -> &[f64] {
        &self.budgets
    }

    /// The same budgets and risk without limits: assets without a budget have no weight.
    #[must_use]
    pub fn unlimited(self) -> Program {
        let mut limits = Limits::none(self.assets());
        for (i, _) in self.budgets.iter().enumerate().filter(|(_, b)| **b == 0.0) {
            (limits.least[i], limits.most[i]) = (0.0, 0.0);
        }
        Program { limits, objective: Objective::LogBarrier, ..self }
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    pub fn returns(&self) -> Option<&ExpectedReturns> {
        self.returns.as_ref()
    }

    /// Whether there is more to it than budgets: limits, or expected returns.
    pub fn is_limited(&self) -> bool {
        let weighed = matches!(self.objective, Objective::VarianceWeight(_));
        weighed || self.returns.is_some() || !self.limits.is_none()
    }

    /// What descent in many lanes at once, on the CPU and on GPUs, does not know of it; none where it knows all.
    pub fn beyond_lanes(&self) -> Option<&'static str> {
        match self.objective {
            _ if self.returns.is_some() => Some("expected returns"),
            Objective::Proportional => Some("proportional shares"),
            Objective::VarianceWeight(_) => Some("a weight of the variance"),
            Objective::LogBarrier => self.limits.beyond_lanes(),
        }
    }

    /// What is budgeted.
    pub fn measure(&self) -> RiskMeasure {
        self.measure
    }

    /// Of this measure of risk.
    #[must_use]
    pub fn under(self, measure: RiskMeasure) -> Program {
        Program { measure, ..self }
    }

    /// With expected returns in the risk.
    ///
    /// # Errors
    /// Not one finite number for each asset; an aversion that is not positive.
    pub fn expecting(self, returns: ExpectedReturns) -> Result<Program> {
        let ExpectedReturns { expected, aversion } = &returns;
        if expected.len() != self.assets() || !expected.iter().all(|mu| mu.is_finite()) {
            return Err(Error::input(format!("expected returns are not {} numbers", self.assets())));
        }
        if !(*aversion > 0.0 && aversion.is_finite()) {
            return Err(Error::input(format!("a risk aversion of {aversion} is not a positive number")));
        }
        Ok(Program { returns: Some(returns), ..self })
    }

    pub fn objective(&self) -> Objective {
        self.objective
    }

    /// With another objective.
    ///
    /// # Errors
    /// Proportional shares with more than bounds; a weight of the variance that is not positive, or beside expected returns.
    pub fn seeking(self, objective: Objective) -> Result<Program> {
        let Limits { groups, rows, turnover, .. } = &self.limits;
        let bounds_alone = groups.is_empty() && rows.is_empty() && turnover.is_none() && self.returns.is_none();
        match objective {
            Objective::Proportional if !bounds_alone => {
                Err(Error::input("proportional shares take bounds of assets alone"))
            }
            Objective::VarianceWeight(gamma) if !(gamma > 0.0 && gamma.is_finite() && self.returns.is_none()) => {
                Err(Error::input("a weight of the variance is a positive number, without expected returns"))
            }
            _ => Ok(Program { objective, ..self }),
        }
    }

    /// Solves it under a covariance, within its limits. `covariance` is the matrix that was given, where one was.
    #[inline(always)]
    pub fn solve(
        &self,
        model: &RiskModel,
        covariance: Option<&[f64]>,
        options: Options,
        work: &mut limited::Workspace,
    ) -> Found {
        let problem = self.problem(model);
        if self.objective == Objective::Proportional {
            return limited::proportional::solve(problem, options);
        }
        let found = limited::solve(problem, covariance, options, work);
        match self.objective {
            Objective::VarianceWeight(gamma) if found.status == Status::Converged => {
                let risk = limited::Risk::Variance { factor: (1.0 + gamma) / found.portfolio.variance };
                let weighed = limited::solve(limited::Problem { risk, ..problem }, covariance, options, work);
                Found { sweeps: found.sweeps + weighed.sweeps, ..weighed }
            }
            _ => found,
        }
    }

    /// Writes the weights of its portfolio of volatility, NaN where there are none, and returns what travels with them.
    #[inline(always)]
    pub fn certified(
        &self,
        model: &RiskModel,
        covariance: Option<&[f64]>,
        options: Options,
        work: &mut Workspace,
        weights: &mut [f64],
    ) -> Certificate {
        if self.is_limited() {
            let found = self.solve(model, covariance, options, &mut work.limited);
            return found.certificate(&self.budgets, weights);
        }
        let RiskModel { correlation, volatilities } = model;
        let problem = risk_budgeting::Problem { correlation, volatilities, budgets: &self.budgets, covariance };
        risk_budgeting::solve(problem, options, &mut work.risk_budgeting, weights)
    }

    /// The problem that this is under a covariance, but for its objective.
    pub fn problem<'a>(&'a self, model: &'a RiskModel) -> limited::Problem<'a> {
        limited::Problem {
            correlation: &model.correlation,
            volatilities: &model.volatilities,
            budgets: &self.budgets,
            limits: &self.limits,
            risk: match &self.returns {
                Some(ExpectedReturns { expected, aversion }) => {
                    limited::Risk::Returns { aversion: *aversion, expected }
                }
                None => limited::Risk::Volatility,
            },
        }
    }
}
