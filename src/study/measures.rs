//! Measures of one portfolio under one covariance.

use nalgebra::{DMatrix, SymmetricEigen};
use serde::Serialize;

use crate::covariance::RiskModel;
use crate::methods::risk_budgeting::descent::multiply;

/// A portfolio's risk under a covariance.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Profile {
    pub weights: Vec<f64>,
    /// RC_i = w_i (S w)_i / sigma_p, in volatility units; they sum to the volatility.
    pub risk_contributions: Vec<f64>,
    /// RC_i / R(w); they sum to one.
    pub risk_shares: Vec<f64>,
    /// sigma_p per period.
    pub volatility: f64,
    /// Per year; null where the number of periods per year is not known.
    pub volatility_annual: Option<f64>,
    /// sum_i w_i sigma_i / sigma_p (Choueifaty & Coignard 2008).
    pub diversification_ratio: f64,
}

impl Profile {
    /// With another risk than volatility, and these shares of it.
    #[must_use]
    pub fn measured(self, risk: f64, risk_shares: Vec<f64>) -> Profile {
        let risk_contributions = risk_shares.iter().map(|share| share * risk).collect();
        Profile { risk_contributions, risk_shares, ..self }
    }

    /// Of sizes, as weights: times the signs of the positions.
    #[must_use]
    pub fn signed(mut self, signs: &[f64]) -> Profile {
        self.weights.iter_mut().zip(signs).for_each(|(w, sign)| *w *= sign);
        self
    }

    /// The same over `assets` assets, of which those at `keep` are held; the others have weight zero.
    #[must_use]
    pub fn spread(self, keep: &[usize], assets: usize) -> Profile {
        let all = |values: Vec<f64>| {
            let mut all = vec![0.0; assets];
            keep.iter().zip(values).for_each(|(&i, value)| all[i] = value);
            all
        };
        Profile {
            weights: all(self.weights),
            risk_contributions: all(self.risk_contributions),
            risk_shares: all(self.risk_shares),
            ..self
        }
    }
}

impl RiskModel {
    /// Risk shares w_i (S w)_i / w'S w, written to `shares`; returns the volatility. `scratch` has room for n.
    pub fn shares(&self, weights: &[f64], scratch: &mut [f64], shares: &mut [f64]) -> f64 {
        for ((x, w), s) in scratch.iter_mut().zip(weights).zip(&self.volatilities) {
            *x = w * s;
        }
        multiply(&self.correlation, scratch, shares);
        let mut variance = 0.0;
        for (share, x) in shares.iter_mut().zip(scratch) {
            *share *= *x;
            variance += *share;
        }
        shares.iter_mut().for_each(|share| *share /= variance);
        variance.max(0.0).sqrt()
    }

    pub fn profile(&self, weights: Vec<f64>, periods_per_year: Option<f64>) -> Profile {
        let n = self.assets();
        let mut risk_shares = vec![0.0; n];
        let volatility = self.shares(&weights, &mut vec![0.0; n], &mut risk_shares);
        let undiversified: f64 = weights.iter().zip(&self.volatilities).map(|(w, s)| w * s).sum();
        Profile {
            risk_contributions: risk_shares.iter().map(|share| share * volatility).collect(),
            risk_shares,
            volatility,
            volatility_annual: periods_per_year.map(|periods| volatility * periods.sqrt()),
            diversification_ratio: undiversified / volatility,
            weights,
        }
    }
}

/// exp(- sum_i p_i ln p_i): how many equal parts are as even as these. Shares may be slightly negative.
pub fn effective_number(shares: &[f64]) -> f64 {
    shares.iter().map(|&p| if p > 0.0 { -p * p.ln() } else { 0.0 }).sum::<f64>().exp()
}

/// Principal components of a covariance, for the effective number of bets (Meucci 2009).
#[derive(Debug, Clone)]
pub struct Components {
    /// Eigenvectors of the correlation, in columns.
    vectors: DMatrix<f64>,
    values: Vec<f64>,
    volatilities: Vec<f64>,
}

impl Components {
    /// Of the correlation matrix: components of the covariance itself would be ruled by the most volatile asset.
    pub fn of(risk: &RiskModel) -> Components {
        let n = risk.assets();
        let eigen = SymmetricEigen::new(DMatrix::from_row_slice(n, n, &risk.correlation));
        Components {
            vectors: eigen.eigenvectors,
            values: eigen.eigenvalues.iter().map(|v| v.max(0.0)).collect(),
            volatilities: risk.volatilities.clone(),
        }
    }

    /// Smallest eigenvalue of the correlation over their sum.
    pub fn smallest_share(&self) -> f64 {
        self.values.iter().copied().fold(f64::INFINITY, f64::min) / self.values.iter().sum::<f64>()
    }

    /// Eigenvectors with their eigenvalues.
    pub fn pairs(&self) -> impl Iterator<Item = (&[f64], f64)> {
        self.vectors.as_slice().chunks_exact(self.values.len()).zip(self.values.iter().copied())
    }

    /// Of the assets.
    pub fn volatilities(&self) -> &[f64] {
        &self.volatilities
    }

    /// exp(- sum_m p_m ln p_m) with p_m the share of variance along component m.
    pub fn effective_bets(&self, weights: &[f64]) -> f64 {
        let along =
            |vector: &[f64]| -> f64 { (0..weights.len()).map(|i| vector[i] * weights[i] * self.volatilities[i]).sum() };
        let mut shares: Vec<f64> = self.pairs().map(|(vector, value)| along(vector).powi(2) * value).collect();
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        effective_number(&shares)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contributions_of_uncorrelated_assets_are_their_own_variances() {
        let risk = RiskModel { correlation: vec![1.0, 0.0, 0.0, 1.0], volatilities: vec![0.3, 0.4] };
        let profile = risk.profile(vec![0.5, 0.5], Some(4.0));
        assert!((profile.volatility - 0.25).abs() < 1e-15);
        assert!((profile.volatility_annual.unwrap() - 0.5).abs() < 1e-15);
        assert!((profile.risk_shares[0] - 0.36).abs() < 1e-15);
        assert!((profile.diversification_ratio - 1.4).abs() < 1e-14);
        assert!((profile.risk_contributions.iter().sum::<f64>() - profile.volatility).abs() < 1e-16);
    }

    #[test]
    fn even_shares_count_in_full() {
        assert!((effective_number(&[0.25; 4]) - 4.0).abs() < 1e-14);
    }

    #[test]
    fn uncorrelated_even_bets_are_counted_one_each() {
        let risk = RiskModel { correlation: vec![1.0, 0.0, 0.0, 1.0], volatilities: vec![0.1, 0.2] };
        let bets = Components::of(&risk).effective_bets(&[2.0 / 3.0, 1.0 / 3.0]);
        assert!((bets - 2.0).abs() < 1e-12);
    }
}
