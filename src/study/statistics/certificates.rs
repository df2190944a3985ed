//! How the problems of a study ended, and the certified errors of those that converged.

use super::distribution::Asked;
use super::figure::{Column, Figure, Setting};
use super::passes::{Distributions, Passes};
use crate::batch::counts::{RcError, Solves};
use crate::engine::Precision;
use crate::error::Result;
use crate::methods::{Method, RiskMeasure};
use crate::observer::Observer;

/// The column it takes.
pub fn column() -> Column {
    Column { method: Method::RiskBudgeting, figure: Figure::RcError, asked: Asked::quantiles(&[0.5, 1.0]) }
}

/// The column of the slack, where certificates have one.
pub fn slack(setting: &Setting) -> Option<Column> {
    let asked = Asked::quantiles(&[1.0]);
    matches!(setting.measure, RiskMeasure::ExpectedShortfall { .. }).then_some(Column {
        method: Method::RiskBudgeting,
        figure: Figure::Slack,
        asked,
    })
}

/// Of certificates that a device made in this precision, but for the rescued ones; none where the host did.
pub fn rc_error(found: &Distributions, solves: &Solves, device: Option<Precision>) -> RcError {
    let errors = found.of(Method::RiskBudgeting, Figure::RcError);
    let known = |q: f64| (errors.count > 0).then(|| errors.quantile(q).value);
    RcError { max: known(1.0), median: known(0.5), computed: RcError::computed(solves, device) }
}

/// By a pass of their own.
///
/// # Errors
/// Those of the blocks and the observer.
pub fn certified(passes: &Passes, device: Option<Precision>, observer: &mut dyn Observer) -> Result<(Solves, RcError)> {
    let (found, solves) = passes.distributions(vec![column()], observer)?;
    Ok((solves, rc_error(&found, &solves, device)))
}
