//! What risk was budgeted, as it is told of.

use serde::Serialize;

use crate::methods::RiskMeasure;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budgeted {
    pub measure: &'static str,
    /// Of expected shortfall; null of other measures.
    pub level: Option<f64>,
    /// What all rows have in common is no risk.
    pub centred: bool,
}

impl From<RiskMeasure> for Budgeted {
    fn from(measure: RiskMeasure) -> Budgeted {
        let level = match measure {
            RiskMeasure::ExpectedShortfall { level, .. } => Some(level),
            _ => None,
        };
        Budgeted { measure: measure.name(), level, centred: measure.is_centred() }
    }
}

impl Budgeted {
    pub fn is_volatility(&self) -> bool {
        self.measure == RiskMeasure::Volatility.name()
    }
}
