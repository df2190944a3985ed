//! What risk is, where it is budgeted.

use serde::{Deserialize, Serialize};

use crate::panel::Panel;

/// A risk R of a portfolio, convex and of degree one: R(t y) = t R(y). By Euler, sum_i y_i dR/dy_i = R(y), so that
/// y_i dR/dy_i / R are shares of it.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RiskMeasure {
    /// The standard deviation, from a covariance.
    #[default]
    Volatility,
    /// The root mean square of what falls short of the mean, from the returns themselves.
    SemiDeviation,
    /// The mean of the worst losses, the share 1 - `level` of all, from the returns themselves: about the mean where
    /// `centred`.
    ExpectedShortfall { level: f64, centred: bool },
}

impl RiskMeasure {
    /// The level that is usual.
    pub const LEVEL: f64 = 0.95;

    /// As results call it.
    pub const fn name(self) -> &'static str {
        match self {
            RiskMeasure::Volatility => "volatility",
            RiskMeasure::SemiDeviation => "semi_deviation",
            RiskMeasure::ExpectedShortfall { .. } => "expected_shortfall",
        }
    }

    /// As sentences call it.
    pub const fn words(self) -> &'static str {
        match self {
            RiskMeasure::Volatility => "volatility",
            RiskMeasure::SemiDeviation => "semi-deviation",
            RiskMeasure::ExpectedShortfall { .. } => "expected shortfall",
        }
    }

    pub fn is_volatility(self) -> bool {
        self == RiskMeasure::Volatility
    }

    /// Whether its level is one.
    pub fn is_sound(self) -> bool {
        !matches!(self, RiskMeasure::ExpectedShortfall { level, .. } if !(level > 0.0 && level < 1.0))
    }

    /// Whether what all rows have in common is no risk.
    pub fn is_centred(self) -> bool {
        !matches!(self, RiskMeasure::ExpectedShortfall { centred: false, .. })
    }

    /// The risk of a portfolio over rows that count alike, and each asset's share of it, y_i dR/dy_i / R. `exposures` are
    /// in the units of the rows, and `means` is what was taken from these.
    ///
    /// ```text
    /// r_t = x_t'y - c      c the mean of x_t'y, or -means'y where the measure is not centred
    /// semi-deviation       R^2 = 1/T sum_t min(r_t, 0)^2          y_i dR/dy_i = y_i / (T R) sum_t min(r_t, 0) d_ti
    /// expected shortfall   R = -sum_t p_t r_t                     y_i dR/dy_i = -y_i sum_t p_t d_ti
    /// ```
    ///
    /// where p is 1 / ((1 - level) T) for the worst rows, and what is left of one for the next.
    #[must_use]
    pub fn shares(self, rows: &[&[f64]], exposures: &[f64], means: &[f64]) -> (f64, Vec<f64>) {
        let count = rows.len() as f64;
        let outcome = |row: &&[f64]| row.iter().zip(exposures).map(|(x, y)| x * y).sum::<f64>();
        let outcomes: Vec<f64> = rows.iter().map(outcome).collect();
        let centre = if self.is_centred() {
            outcomes.iter().sum::<f64>() / count
        } else {
            -means.iter().zip(exposures).map(|(m, y)| m * y).sum::<f64>()
        };
        let weights: Vec<f64> = match self {
            RiskMeasure::Volatility => outcomes.iter().map(|r| r - centre).collect(),
            RiskMeasure::SemiDeviation => outcomes.iter().map(|r| (r - centre).min(0.0)).collect(),
            RiskMeasure::ExpectedShortfall { level, .. } => worst(&outcomes, (1.0 - level) * count),
        };
        let mut shares = vec![0.0; exposures.len()];
        let mut sums = vec![0.0; exposures.len()];
        let mut total = 0.0;
        for (row, p) in rows.iter().zip(&weights) {
            total += p;
            for ((share, sum), x) in shares.iter_mut().zip(&mut sums).zip(*row) {
                *share += p * x;
                *sum += x;
            }
        }
        for (i, share) in shares.iter_mut().enumerate() {
            let centre = if self.is_centred() { sums[i] / count } else { -means[i] };
            *share = exposures[i] * (*share - total * centre);
        }
        let risk: f64 = shares.iter().sum();
        // What is not held has no sign.
        shares.iter_mut().for_each(|share| *share = *share / risk + 0.0);
        let risk = match self {
            RiskMeasure::ExpectedShortfall { .. } => risk,
            RiskMeasure::Volatility => (risk / (count - 1.0)).sqrt(),
            RiskMeasure::SemiDeviation => (risk / count).sqrt(),
        };
        (risk, shares)
    }
}

impl RiskMeasure {
    /// Of weights, over these rows of a panel, per period.
    #[must_use]
    pub fn of_weights(self, rows: &[&[f64]], weights: &[f64], panel: &Panel) -> (f64, Vec<f64>) {
        let exposures: Vec<f64> = weights.iter().zip(panel.volatilities()).map(|(w, s)| w * s).collect();
        self.shares(rows, &exposures, panel.means())
    }
}

/// -p_t: so many of the worst rows, the last of them in part, weigh minus one together.
fn worst(outcomes: &[f64], rows: f64) -> Vec<f64> {
    let whole = (rows.floor() as usize).min(outcomes.len() - 1);
    let mut order: Vec<u32> = (0..outcomes.len() as u32).collect();
    let by_outcome = |a: &u32, b: &u32| outcomes[*a as usize].total_cmp(&outcomes[*b as usize]).then(a.cmp(b));
    order.select_nth_unstable_by(whole, by_outcome);
    let mut weights = vec![0.0; outcomes.len()];
    for &row in &order[..whole] {
        weights[row as usize] = -rows.recip();
    }
    weights[order[whole] as usize] = -(rows - whole as f64) / rows;
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_those_of_a_hand_example() {
        // Outcomes of the equal mix: -3, -1, 1, 3, about their mean of zero.
        let rows: [&[f64]; 4] = [&[-4.0, -2.0], &[-2.0, 0.0], &[2.0, 0.0], &[4.0, 2.0]];
        let (risk, shares) = RiskMeasure::SemiDeviation.shares(&rows, &[0.5, 0.5], &[0.0, 0.0]);
        // R^2 = (9 + 1) / 4; of 10, the first has 0.5 (3 * 4 + 1 * 2) = 7.
        assert_eq!((risk, &shares[..]), (2.5_f64.sqrt(), &[0.7, 0.3][..]));
        // The worst 1.6 rows of four: the first, and 0.6 of the second.
        let shortfall = RiskMeasure::ExpectedShortfall { level: 0.6, centred: true };
        let (risk, shares) = shortfall.shares(&rows, &[0.5, 0.5], &[0.0, 0.0]);
        assert!((risk - 3.6 / 1.6).abs() < 1e-15 && (shares[0] - 2.6 / 3.6).abs() < 1e-15);
        // With a mean of one in both, losses are smaller by one.
        let raw = RiskMeasure::ExpectedShortfall { level: 0.6, centred: false };
        assert!((raw.shares(&rows, &[0.5, 0.5], &[1.0, 1.0]).0 - (3.6 / 1.6 - 1.0)).abs() < 1e-15);
        let (volatility, shares) = RiskMeasure::Volatility.shares(&rows, &[0.5, 0.5], &[0.0, 0.0]);
        assert_eq!((volatility, &shares[..]), ((20.0_f64 / 3.0).sqrt(), &[0.7, 0.3][..]));
    }

    #[test]
    fn a_level_lies_between_none_and_all() {
        let shortfall = |level| RiskMeasure::ExpectedShortfall { level, centred: true };
        assert!(shortfall(0.95).is_sound() && RiskMeasure::SemiDeviation.is_sound());
        assert!([0.0, 1.0, f64::NAN].into_iter().all(|level| !shortfall(level).is_sound()));
    }
}
