//! The one covariance of a screen, checked once: every subset's is part of it.

/// Correlations (n x n, unit diagonal) and volatilities of all assets.
#[derive(Debug, Clone, PartialEq)]
pub struct Universe {
    pub correlation: Vec<f64>,
    pub volatilities: Vec<f64>,
}

impl Universe {
    pub fn assets(&self) -> usize {
        self.volatilities.len()
    }

    /// Writes the correlations (k x k) and volatilities of these assets. Part of a correlation is one: nothing is scaled.
    pub fn gather(&self, assets: &[u32], correlation: &mut Vec<f64>, volatilities: &mut Vec<f64>) {
        let n = self.assets();
        correlation.clear();
        volatilities.clear();
        for &i in assets {
            let row = &self.correlation[i as usize * n..][..n];
            correlation.extend(assets.iter().map(|&j| row[j as usize]));
            volatilities.push(self.volatilities[i as usize]);
        }
    }
}
