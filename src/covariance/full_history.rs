//! The covariance of a whole history, per period.

use super::estimator::{Estimator, Layouts, Refined, Refining, Room};
use super::{Drawn, RiskModel, SUSPICIOUS_VARIANCE, centred, correlate, moments, packed};
use crate::error::{Error, option};
use crate::panel::Panel;
use crate::sampling::Rows;

/// A covariance, and how it came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    pub model: RiskModel,
    pub estimator: Estimator,
    /// What became of the sample covariance.
    pub refined: Refined,
}

impl Estimate {
    /// The sample covariance.
    pub fn sample(panel: &Panel) -> Estimate {
        Estimate { model: full_sample(panel), estimator: Estimator::Sample, refined: Refined::default() }
    }
}

/// The sample covariance.
pub fn full_sample(panel: &Panel) -> RiskModel {
    let mut model = standardised(panel, Drawn::rows(panel.rows()), &vec![1.0; panel.rows()]).0;
    model.volatilities.iter_mut().zip(panel.volatilities()).for_each(|(s, unit)| *s *= unit);
    model
}

/// An asset, by its place, that does not move over the rows that count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Still(pub usize);

impl Still {
    /// The error of a history whose assets bear these names.
    pub fn named(self, names: &[String]) -> Error {
        let name = names.get(self.0).map_or(self.0.to_string(), Clone::clone);
        Error::input(format!(
            "asset `{name}` does not move over the last rows, which are all that counts with this half-life"
        ))
        .hint(format!(
            "give a longer {}, or leave `{name}` out with {}",
            option("half-life"),
            option("assets")
        ))
    }
}

/// What an estimator makes of all rows.
///
/// # Errors
/// An asset that does not move over the rows that count.
pub fn estimate(panel: &Panel, estimator: Estimator) -> Result<Estimate, Still> {
    if estimator == Estimator::Sample {
        return Ok(Estimate::sample(panel));
    }
    let rows = panel.rows();
    let weighting = estimator.weighting(rows);
    let mut weights = vec![0.0; rows];
    Rows::All.weights(0, &weighting, &mut weights);
    let drawn = Drawn { total: weighting.total(rows), divisor: weighting.divisor(rows) };
    let (mut model, mut means, smallest) = standardised(panel, drawn, &weights);
    if !(smallest >= SUSPICIOUS_VARIANCE) && !centred(panel.values(), &weights, drawn, &mut means, &mut model) {
        let n = panel.assets();
        let counted = || panel.values().chunks_exact(n).zip(&weights).filter(|(_, weight)| **weight > 0.0);
        let moves = |i: &usize| counted().zip(counted().skip(1)).any(|((a, _), (b, _))| a[*i] != b[*i]);
        return Err(Still((0..n).find(|i| !moves(i)).unwrap_or_default()));
    }
    let (rows, means, layouts) = (&Rows::All, &means[..], &Layouts::default());
    let refining = Refining { estimator, panel, rows, set: 0, places: None, means, layouts };
    let refined = refining.refine(&mut model, &mut Room::default());
    Ok(Estimate { model, estimator, refined })
}

/// The sample covariance of weighted rows in standardised units, the means, and the smallest variance.
fn standardised(panel: &Panel, drawn: Drawn, weights: &[f64]) -> (RiskModel, Vec<f64>, f64) {
    let n = panel.assets();
    let (mut sums, mut products) = (vec![0.0; n], vec![0.0; packed(n)]);
    let mut model = RiskModel::room(n);
    moments(panel.values(), weights, &mut sums, &mut products, &mut Vec::new());
    let smallest = correlate(&sums, &products, drawn, &mut model.correlation, &mut model.volatilities);
    (model, sums.into_iter().map(|sum| sum / drawn.total).collect(), smallest)
}
