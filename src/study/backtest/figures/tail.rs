//! The worst returns.

use crate::stats;

/// The share of rows that CVaR 95 averages, and beyond which VaR 95 lies.
pub const TAIL: f64 = 0.05;

/// Minus the mean of the worst 5 % of the returns, a fraction of a row included; none without returns, which are
/// reordered.
pub fn cvar95(returns: &mut [f64]) -> Option<f64> {
    stats::worst_mean(returns, TAIL).map(|mean| -mean)
}

/// The same of returns of which about the worst sixth lies below `guess`, such as the mean less one standard deviation; `room`
/// is overwritten.
pub fn cvar95_below(
    returns: impl ExactSizeIterator<Item = f64> + Clone,
    guess: f64,
    room: &mut Vec<f64>,
) -> Option<f64> {
    let count = returns.len();
    room.clear();
    room.extend(returns.clone().filter(|x| *x < guess));
    let found = stats::worst_mean_of(room, TAIL, count).or_else(|| {
        room.clear();
        room.extend(returns);
        stats::worst_mean(room, TAIL)
    });
    found.map(|mean| -mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_changes_nothing_whether_it_is_good_or_not() {
        let returns: Vec<f64> = (0..997).map(|k| (f64::from(k) * 0.754).sin().powi(3)).collect();
        let expected = cvar95(&mut returns.clone());
        assert!(expected.is_some());
        for guess in [-0.5, -0.99, -2.0, 0.0, 2.0, f64::NAN] {
            assert_eq!(cvar95_below(returns.iter().copied(), guess, &mut Vec::new()), expected, "{guess}");
        }
        assert_eq!(cvar95_below([].into_iter(), 0.0, &mut Vec::new()), None);
    }
}
