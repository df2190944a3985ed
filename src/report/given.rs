//! Texts of a batch of given matrices.

use super::Shown;
use crate::error::Result;
use crate::report::terminal::View;
use crate::report::words::{counted, solves};
use crate::store::origin::Origin;
use crate::study::given::Outcome;

impl Shown for Outcome {
    fn table(&self, _: View) -> String {
        let error = self.rc_error.max.map_or(String::new(), |max| format!("; rc_error at most {max:.1e}"));
        format!(
            "{} of {}: {}{error}\nweights: {}\n",
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
