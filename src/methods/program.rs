//! What a portfolio is asked to be, whatever makes it.

use super::RiskMeasure;
use crate::error::{Error, Result};

/// Risk budgets of n assets: positive, summing to one. Assets with a zero budget have left before.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    budgets: Vec<f64>,
    measure: RiskMeasure,
}

impl Program {
    /// Of volatility. Budgets are scaled to sum to one; what does so up to rounding stays as it is.
    ///
    /// # Errors
    /// Budgets that are not positive and finite, or none.
    pub fn new(budgets: &[f64]) -> Result<Program> {
        let total: f64 = budgets.iter().sum();
        if budgets.is_empty() || !total.is_finite() || budgets.iter().any(|&b| !(b > 0.0)) {
            return Err(Error::input("risk budgets must be positive numbers, at least one of them"));
        }
        let exact = (total - 1.0).abs() <= budgets.len() as f64 * f64::EPSILON;
        let budgets = budgets.iter().map(|b| if exact { *b } else { b / total }).collect();
        Ok(Program { budgets, measure: RiskMeasure::Volatility })
    }

    /// Number n of assets.
    pub fn assets(&self) -> usize {
        self.budgets.len()
    }

    pub fn budgets(&self) -> &[f64] {
        &self.budgets
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
}
