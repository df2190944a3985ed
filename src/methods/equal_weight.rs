//! The equal-weight portfolio: no estimate at all.

/// w_i = 1 / n.
pub fn equal_weight(assets: usize) -> Vec<f64> {
    vec![1.0 / assets as f64; assets]
}
