//! The portfolio of a measure of losses.

use super::unsolved::mixed;
use crate::error::{Error, ErrorKind, Result, option};
use crate::methods::RiskMeasure;
use crate::methods::certificate::{Certificate, Status};
use crate::methods::downside::measured;
use crate::panel::Panel;
use crate::study::measures::Profile;

/// The portfolio of a measure of losses.
pub struct Losses<'a> {
    measure: RiskMeasure,
    panel: &'a Panel,
    rows: Vec<&'a [f64]>,
    found: measured::Portfolio,
    volatility: f64,
}

impl<'a> Losses<'a> {
    pub fn solve(measure: RiskMeasure, panel: &'a Panel, budgets: &[f64], tolerance: f64) -> Result<Losses<'a>> {
        if !measure.is_sound() {
            return Err(Error::input(format!("{measure:?}: its level does not lie between zero and one")));
        }
        let found = measured::whole(measure, panel, budgets, tolerance);
        let rows: Vec<&[f64]> = panel.values().chunks_exact(panel.assets()).collect();
        let volatility = RiskMeasure::Volatility.of_weights(&rows, &found.weights, panel).0;
        Ok(Losses { measure, panel, rows, found, volatility })
    }

    pub fn certificate(&self) -> Certificate {
        let measured::Found { status, rc_error, slack, steps, .. } = self.found.found;
        let volatility = self.volatility;
        Certificate { rc_error, slack, sweeps: steps, volatility, ..Certificate::unsolved(status) }
    }

    pub fn contributions(&self) -> Option<&[f64]> {
        self.found.contributions.as_deref()
    }

    /// A portfolio with its shares of this risk: those of a certificate, or by a fresh pass.
    pub fn measured(&self, profile: Profile, contributions: Option<&[f64]>) -> Profile {
        let (risk, shares) = self.measure.of_weights(&self.rows, &profile.weights, self.panel);
        profile.measured(risk, contributions.map_or(shares, <[f64]>::to_vec))
    }

    /// Certified weights, or the error that says why there are none.
    pub fn weights(&self, assets: &[&str], tolerance: f64) -> Result<Vec<f64>> {
        let measured::Found { status, rc_error, slack, steps, .. } = self.found.found;
        if status == Status::Converged {
            return Ok(self.found.weights.clone());
        }
        let measure = self.measure.words();
        let status = status.name();
        let Some(proof) = &self.found.proof else {
            let slack = slack.map_or(String::new(), |slack| format!(" and a slack of {slack:.1e}"));
            return Err(Error::new(
                ErrorKind::Unsolved,
                format!(
                    "{status}: the best weights have an rc_error of {rc_error:.1e}{slack}, above the tolerance of \
                     {tolerance:.0e} ({steps} steps)"
                ),
            )
            .hint(format!("rounding alone may exceed this tolerance: try a looser {}", option("tolerance"))));
        };
        let shown = mixed(proof.iter().copied().zip(assets.iter().copied()));
        let mend = match self.measure.is_centred() {
            true => format!("leave one of these assets out with {}, or take a longer history", option("assets")),
            false => format!(
                "leave out {}, so that losses are measured from the mean, or leave these assets out with {}",
                option("raw-losses"),
                option("assets")
            ),
        };
        Err(Error::new(
            ErrorKind::Unsolved,
            format!("{status}: no risk-budgeting portfolio exists, because a long-only mix has no {measure}: {shown}"),
        )
        .hint(mend))
    }
}
