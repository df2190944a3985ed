//! A portfolio that somebody holds, beside the one of a study.

use serde::Serialize;

use crate::error::{Error, Result};
use crate::methods::RiskMeasure;
use crate::panel::{Panel, Returns};

/// What is held.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Holdings {
    /// One for each asset of the data, summing to one.
    pub weights: Vec<f64>,
    /// r_i = w_i cov(r_i, r_p) / var(r_p), or shares of the risk that the study budgets; they sum to one.
    pub risk_shares: Vec<f64>,
    /// Per period.
    pub volatility: f64,
    /// Half the absolute change to the portfolio of the study; null where that has none.
    pub distance: Option<f64>,
    /// The assets whose weight lies beyond the study's band: what is within it is not told from the portfolio by this
    /// history. Null where there are no bands.
    pub outside: Option<Vec<String>>,
}

impl Holdings {
    /// Weights with the risk they carry over a history.
    ///
    /// # Errors
    /// They do not move at all.
    pub fn over(returns: &Returns, weights: &[f64]) -> Result<Holdings> {
        let n = returns.assets.len();
        let rows = returns.values.chunks_exact(n);
        // Squares of what is scaled neither overflow nor vanish.
        let largest = returns.values.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let path: Vec<f64> =
            rows.clone().map(|row| row.iter().zip(weights).map(|(x, w)| w * (x / largest)).sum()).collect();
        let mean = path.iter().sum::<f64>() / path.len() as f64;
        let mut shares = vec![0.0; n];
        for (row, r) in rows.zip(&path) {
            for i in 0..n {
                shares[i] += weights[i] * (row[i] / largest) * (r - mean);
            }
        }
        let degrees = path.len().saturating_sub(1).max(1) as f64;
        Holdings::with(weights, shares, |sum| (sum / degrees).sqrt() * largest)
    }

    /// Weights with the risk they carry under a covariance, n x n.
    ///
    /// # Errors
    /// They do not move at all.
    pub fn under(covariance: &[f64], weights: &[f64]) -> Result<Holdings> {
        let largest = covariance.iter().fold(0.0_f64, |largest, x| largest.max(x.abs()));
        let moved = |row: &[f64]| row.iter().zip(weights).map(|(c, w)| c / largest * w).sum::<f64>();
        let rows = covariance.chunks_exact(weights.len());
        let parts = rows.zip(weights).map(|(row, w)| w * moved(row)).collect();
        Holdings::with(weights, parts, |sum| sum.sqrt() * largest.sqrt())
    }

    fn with(weights: &[f64], contributions: Vec<f64>, volatility: impl Fn(f64) -> f64) -> Result<Holdings> {
        let variance: f64 = contributions.iter().sum();
        if !(variance > 0.0) {
            return Err(Error::input("the weights that are held do not move: their portfolio has no variance")
                .hint("give weights of assets that move"));
        }
        let risk_shares = contributions.iter().map(|part| part / variance).collect();
        let volatility = volatility(variance);
        Ok(Holdings { weights: weights.to_vec(), risk_shares, volatility, distance: None, outside: None })
    }

    /// With shares of another risk than volatility, over the history `panel` of all assets.
    #[must_use]
    pub fn measured(self, measure: RiskMeasure, panel: &Panel) -> Holdings {
        if measure.is_volatility() {
            return self;
        }
        let rows: Vec<&[f64]> = panel.values().chunks_exact(panel.assets()).collect();
        Holdings { risk_shares: measure.of_weights(&rows, &self.weights, panel).1, ..self }
    }

    /// Beside the portfolio of a study, whose assets bear `names`, and its bands, where it has them.
    #[must_use]
    pub fn beside(
        self,
        names: &[String],
        portfolio: Option<&[f64]>,
        bands: Option<&dyn Fn(usize) -> (f64, f64)>,
    ) -> Holdings {
        let distance = |portfolio: &[f64]| {
            0.5 * self.weights.iter().zip(portfolio).map(|(own, other)| (own - other).abs()).sum::<f64>()
        };
        let beyond = |band: &dyn Fn(usize) -> (f64, f64)| {
            let is_outside = |&i: &usize| {
                let (lower, upper) = band(i);
                !(lower..=upper).contains(&self.weights[i])
            };
            (0..names.len()).filter(is_outside).map(|i| names[i].clone()).collect()
        };
        Holdings { distance: portfolio.map(distance), outside: bands.map(beyond), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::Labels;

    fn names() -> Vec<String> {
        ["A", "B"].map(String::from).to_vec()
    }

    #[test]
    fn a_history_and_its_covariance_give_the_same_shares() {
        let values = vec![0.01, -0.02, -0.01, 0.01, 0.03, 0.02, -0.03, 0.0];
        let returns = Returns { assets: names(), labels: Labels::Text(Vec::new()), values: values.clone() };
        let panel = Panel::new(&returns).unwrap();
        let covariance = crate::covariance::full_sample(&panel).covariance();
        let weights = [0.4, 0.6];
        let (over, under) =
            (Holdings::over(&returns, &weights).unwrap(), Holdings::under(&covariance, &weights).unwrap());
        for (a, b) in over.risk_shares.iter().zip(&under.risk_shares) {
            assert!((a - b).abs() <= 1e-14, "{a} {b}");
        }
        assert!((over.volatility / under.volatility - 1.0).abs() <= 1e-14);
        // Whatever the unit.
        let scaled = Returns { values: values.iter().map(|x| x * 1e-170).collect(), ..returns };
        assert!((Holdings::over(&scaled, &weights).unwrap().risk_shares[0] - over.risk_shares[0]).abs() <= 1e-14);
    }

    #[test]
    fn uncorrelated_holdings_share_the_risk_as_their_variances() {
        // Variances 1 and 4 at weights 2/3 and 1/3: 4/9 of the variance each.
        let held = Holdings::under(&[1.0, 0.0, 0.0, 4.0], &[2.0 / 3.0, 1.0 / 3.0]).unwrap();
        assert!((held.volatility - 8.0_f64.sqrt() / 3.0).abs() <= 1e-15);
        assert!(held.risk_shares.iter().all(|share| (share - 0.5).abs() <= 1e-15));
        let beside = held.beside(&names(), Some(&[0.5, 0.5]), Some(&|i| [(0.6, 0.7), (0.4, 0.6)][i]));
        assert!((beside.distance.unwrap() - 1.0 / 6.0).abs() <= 1e-15);
        assert_eq!(beside.outside.unwrap(), ["B"]);
        assert!(Holdings::under(&[1.0, 0.0, 0.0, 0.0], &[0.0, 1.0]).is_err());
    }
}
