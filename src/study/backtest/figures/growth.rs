//! Growth of wealth.

/// Return over all rows: prod (1 + r_t) - 1.
pub fn compound(returns: &[f64]) -> f64 {
    returns.iter().fold(1.0, |wealth, r| wealth * (1.0 + r)) - 1.0
}

/// Growth a year, W^(1 / Y) - 1, over years of the calendar; -1 after a ruin.
pub fn cagr(wealth: f64, years: Option<f64>) -> Option<f64> {
    years.map(|years| wealth.powf(1.0 / years) - 1.0).filter(|growth| growth.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_doubles_in_two_years_grows_by_its_root() {
        assert_eq!(cagr(2.0, Some(2.0)), Some(2.0_f64.sqrt() - 1.0));
        assert_eq!(cagr(0.0, Some(2.0)), Some(-1.0));
        assert_eq!((cagr(2.0, None), cagr(2.0, Some(1e-9))), (None, None));
    }

    #[test]
    fn halves_and_doubles_cancel() {
        assert_eq!(compound(&[1.0, -0.5]), 0.0);
        assert_eq!(compound(&[]), 0.0);
    }
}
