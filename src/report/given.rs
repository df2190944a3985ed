//! Texts of a batch of given matrices.

use super::Shown;
use crate::error::Result;
use crate::report::terminal::View;
use crate::report::words::{self, counted, solves};
use crate::store::origin::Origin;
use crate::study::given::{Outcome, Portfolios};

impl Shown for Outcome {
    fn table(&self, _: View) -> String {
        let error = self.rc_error.max.map_or(String::new(), |max| format!("; rc_error at most {max:.1e}"));
        let methods: String = self.methods.iter().map(line).collect();
        format!(
            "{} of {}: {}{error}\nweights: {}\n{methods}",
            counted(self.solves.total, "problem"),
            counted(self.assets as u64, "asset"),
            solves(&self.solves),
            self.weights
        )
    }

    fn texts(&self, _: &Origin, _: View) -> Result<Vec<(&'static str, String)>> {
        Ok(Vec::new())
    }
}

/// A method beside risk budgeting.
fn line(found: &Portfolios) -> String {
    let largest = found.evidence.certificate.and_then(|own| own.gap.or(own.split_error));
    let error =
        largest.map_or(String::new(), |largest| format!("; {} at most {:.1e}", found.method.error(), largest.max));
    let unsolved =
        found.evidence.statuses.map_or(0, |own| own.stalled + own.no_solution + own.infeasible + own.invalid);
    let unsolved = if unsolved > 0 { format!("; {unsolved} without") } else { String::new() };
    format!("{}: {}{error}{unsolved}\n", words::method(found.method, found.method.name()), found.weights)
}
