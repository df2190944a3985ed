//! The inverse-volatility portfolio: risk parity, were all correlations equal (Maillard, Roncalli & Teiletche 2010).

/// w_i = (1 / sigma_i) / sum_j (1 / sigma_j).
pub fn inverse_volatility(volatilities: &[f64]) -> Vec<f64> {
    let total: f64 = volatilities.iter().map(|s| s.recip()).sum();
    volatilities.iter().map(|s| s.recip() / total).collect()
}
