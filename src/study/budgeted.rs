//! What risk was budgeted, as it is told of.

use serde::Serialize;

use crate::error::option;
use crate::methods::RiskMeasure;
use crate::observer::Observer;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budgeted {
    pub measure: &'static str,
    #[serde(skip)]
    pub words: &'static str,
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
        Budgeted { measure: measure.name(), words: measure.words(), level, centred: measure.is_centred() }
    }
}

/// Rows of a tail that say little.
const FEW_ROWS: f64 = 10.0;

/// Says where a tail is so short that its risk follows few rows.
pub fn warn_of_short_tail(measure: RiskMeasure, rows: usize, observer: &mut dyn Observer) {
    let RiskMeasure::ExpectedShortfall { level, .. } = measure else { return };
    let tail = (1.0 - level) * rows as f64;
    if tail < FEW_ROWS {
        observer.notice(
            &format!(
                "the tail beyond the level of {level} holds {tail:.1} of {rows} rows: the portfolio follows these few; a lower \
                 {} or a longer history helps",
                option("level")
            )
            .into(),
        );
    }
}

impl Budgeted {
    pub fn is_volatility(&self) -> bool {
        self.measure == RiskMeasure::Volatility.name()
    }
}
