//! Ratios that may not exist.

/// Returns carry the rounding of 1 + r, so that what deviates by less does not vary.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Whether a deviation of returns is more than their rounding.
pub fn varies(deviation: f64) -> bool {
    deviation > ROUNDING && deviation.is_finite()
}

/// None where the denominator, in units of returns, is zero but for rounding.
pub fn ratio(numerator: f64, denominator: f64) -> Option<f64> {
    varies(denominator.abs()).then(|| numerator / denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_denominator_makes_no_figure() {
        assert_eq!(ratio(1.0, -2.0), Some(-0.5));
        assert_eq!((ratio(1.0, 0.0), ratio(0.0, 1e-17), ratio(1.0, f64::NAN)), (None, None, None));
    }
}
