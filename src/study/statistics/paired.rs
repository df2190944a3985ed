//! What another measure of risk changes beside volatility parity, resample by resample: both portfolios are made from the
//! same rows, so that what moves both of them cancels.

use serde::Serialize;

use super::distribution::Asked;
use super::figure::{Column, Figure, Setting};
use super::passes::Distributions;
use crate::methods::Method;

/// The ends of the interval of 95 %.
const ENDS: [f64; 2] = [0.025, 0.975];

/// Fewer resamples have no such ends.
const LEAST: usize = 40;

/// Differences of the weights, budgeted by the measure less by volatility.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Paired {
    /// 1/2 sum |w - v| of the portfolios of the full history; null where one of them has none.
    pub distance: Option<f64>,
    /// Mean of 1/2 sum |w_b - w_b'| over neighbouring resamples: the noise that the distance stands beside.
    pub noise: f64,
    /// The same of volatility parity.
    pub volatility_noise: f64,
    /// Share of the assets whose interval of 95 % leaves zero out.
    pub clear: f64,
    pub assets: Vec<Difference>,
}

/// Of the weights of one asset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    pub name: String,
    /// Of the full history; null where one of the portfolios does not exist.
    pub point: Option<f64>,
    pub mean: f64,
    pub sd: f64,
    pub q025: f64,
    pub q975: f64,
    /// Zero lies outside the interval of 95 %; of fewer than 40 resamples nothing is clear.
    pub clear: bool,
}

/// The columns it takes; none where risk is volatility.
pub fn columns(setting: &Setting) -> Vec<Column> {
    if setting.measure.is_volatility() {
        return Vec::new();
    }
    let asked = || Asked { finite: true, ..Asked::quantiles(&ENDS) };
    let column = |i| Column { method: Method::RiskBudgeting, figure: Figure::Beyond(i), asked: asked() };
    (0..setting.assets.len()).map(column).collect()
}

/// None where risk is volatility, and where no resample has both portfolios. `noise` is that of risk budgeting, then of
/// volatility parity.
pub fn paired(setting: &Setting, found: &Distributions, noise: (f64, f64)) -> Option<Paired> {
    found.get(Method::RiskBudgeting, Figure::Beyond(0)).filter(|found| found.count > 0)?;
    let weights = |method| setting.reference(method).map(|own| &own.weights);
    let points = weights(Method::RiskBudgeting).zip(weights(Method::VolatilityParity));
    let points: Option<Vec<f64>> = points.map(|(w, v)| w.iter().zip(v).map(|(w, v)| w - v).collect());
    let difference = |(i, name): (usize, &String)| {
        let found = found.of(Method::RiskBudgeting, Figure::Beyond(i));
        let [q025, q975] = ENDS.map(|q| found.quantile(q).value);
        Difference {
            name: name.clone(),
            point: points.as_ref().map(|points| points[i]),
            mean: found.moments.mean,
            sd: found.moments.sd,
            q025,
            q975,
            clear: found.count >= LEAST && (q025 > 0.0 || q975 < 0.0),
        }
    };
    let assets: Vec<Difference> = setting.assets.iter().enumerate().map(difference).collect();
    Some(Paired {
        distance: points.map(|points| 0.5 * points.iter().map(|d| d.abs()).sum::<f64>()),
        noise: noise.0,
        volatility_noise: noise.1,
        clear: assets.iter().filter(|asset| asset.clear).count() as f64 / assets.len() as f64,
        assets,
    })
}

impl Paired {
    /// Whether the portfolios of the two measures differ by less than two resamples do; none where that is not known.
    pub fn is_noise(&self) -> Option<bool> {
        self.distance.filter(|_| self.noise.is_finite()).map(|distance| distance <= self.noise)
    }

    /// The same over all assets `names`: without a budget there is no difference.
    #[must_use]
    pub fn spread(self, names: &[String]) -> Paired {
        let nothing = |name: &String| Difference {
            name: name.clone(),
            point: self.distance.map(|_| 0.0),
            mean: 0.0,
            sd: 0.0,
            q025: 0.0,
            q975: 0.0,
            clear: false,
        };
        let known = |name: &String| self.assets.iter().find(|asset| asset.name == *name).cloned();
        let assets = names.iter().map(|name| known(name).unwrap_or_else(|| nothing(name))).collect();
        Paired { assets, ..self }
    }
}
