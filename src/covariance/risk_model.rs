//! What every estimator makes and every method takes.

/// A covariance as its correlations and volatilities, S_ij = C_ij sigma_i sigma_j: neither units nor scale matter to a
/// correlation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RiskModel {
    /// n x n, row-major, unit diagonal.
    pub correlation: Vec<f64>,
    /// Per period.
    pub volatilities: Vec<f64>,
}

impl RiskModel {
    /// Room for n assets, of no meaning yet.
    pub fn room(assets: usize) -> RiskModel {
        RiskModel { correlation: vec![0.0; assets * assets], volatilities: vec![0.0; assets] }
    }

    pub fn assets(&self) -> usize {
        self.volatilities.len()
    }

    /// S_ij = C_ij sigma_i sigma_j.
    pub fn covariance(&self) -> Vec<f64> {
        let n = self.assets();
        let entry = |(k, c): (usize, &f64)| c * self.volatilities[k / n] * self.volatilities[k % n];
        self.correlation.iter().enumerate().map(entry).collect()
    }

    /// Writes the model of these assets alone. Part of a correlation is one: nothing is scaled.
    pub fn gather(&self, assets: &[u32], part: &mut RiskModel) {
        let n = self.assets();
        part.correlation.clear();
        part.volatilities.clear();
        for &i in assets {
            let row = &self.correlation[i as usize * n..][..n];
            part.correlation.extend(assets.iter().map(|&j| row[j as usize]));
            part.volatilities.push(self.volatilities[i as usize]);
        }
    }
}
