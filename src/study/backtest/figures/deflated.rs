//! Is the best of many settings good, or the luckiest? (Bailey & Lopez de Prado 2014)
//!
//! ```text
//! SR0 = s ((1 - e) Phi^-1(1 - 1/K) + e Phi^-1(1 - 1/(K exp 1)))       the largest Sharpe ratio to expect of K settings
//!                                                                     without skill, s the sd of their Sharpe ratios
//! probability = Phi((SR - SR0) sqrt(M - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2))
//! ```
//!
//! SR is the best one's, g3 and g4 its skewness and kurtosis (3 for a normal sample). All per value: nothing is
//! annualised. K counts all settings; where they are alike, that is more trials than were really made, and the
//! probability is too low.

use serde::Serialize;

use super::difference::{FEWEST, SharpeSample};
use super::normal;
use super::shape::Shape;
use crate::stats;

/// e: Euler's constant.
const EULER: f64 = 0.577_215_664_901_532_9;

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Deflated {
    /// Number of the best setting, the first of equals.
    pub best: usize,
    /// K.
    pub trials: usize,
    /// SR of the best, per value.
    pub sharpe: f64,
    /// SR0, per value.
    pub expected_maximum: f64,
    /// That the best is better than the best of as many settings without skill.
    pub probability: f64,
}

impl Deflated {
    /// Of one strategy in all settings; none for a single setting, or too few values.
    pub fn of(settings: &[SharpeSample]) -> Option<Deflated> {
        let sharpes: Vec<(usize, f64)> =
            settings.iter().enumerate().filter_map(|(k, sample)| Some((k, sample.sharpe()?))).collect();
        // Of equals the last is taken, so the first when the order is turned around.
        let (best, sharpe) = sharpes.iter().copied().rev().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let z = &settings[best].z;
        let shape = Shape::of(z)?;
        let spread = stats::moments(&sharpes.iter().map(|(_, sharpe)| *sharpe).collect::<Vec<_>>()).sd;
        let expected_maximum = expected_maximum(settings.len(), spread);
        let variance = 1.0 - shape.skewness * sharpe + (shape.kurtosis - 1.0) / 4.0 * sharpe * sharpe;
        let score = (sharpe - expected_maximum) * (z.len() as f64 - 1.0).sqrt() / variance.sqrt();
        let probability = normal::distribution(score);
        (z.len() >= FEWEST && probability.is_finite()).then_some(Deflated {
            best,
            trials: settings.len(),
            sharpe,
            expected_maximum,
            probability,
        })
    }
}

/// Of `trials` Sharpe ratios of mean zero and this standard deviation; not finite for fewer than two.
fn expected_maximum(trials: usize, spread: f64) -> f64 {
    // The upper quantiles from below, where they lose no digits.
    let upper = |share: f64| -normal::quantile(share);
    let k = trials as f64;
    spread * ((1.0 - EULER) * upper(1.0 / k) + EULER * upper(1.0 / (k * 1.0_f64.exp())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(mean: f64) -> SharpeSample {
        let z = (0..60).map(|i| mean + if i % 2 == 0 { 0.01 } else { -0.01 }).collect();
        SharpeSample { z, periods_per_year: 12.0 }
    }

    #[test]
    fn of_two_settings_every_number_is_that_of_pen_and_paper() {
        let found = Deflated::of(&[setting(0.001), setting(0.003)]).unwrap();
        let sd = 0.01 * (60.0_f64 / 59.0).sqrt();
        assert_eq!((found.best, found.trials), (1, 2));
        assert!((found.sharpe - 0.003 / sd).abs() < 1e-14);
        // Phi^-1(1 - 1/2) = 0, and Phi^-1(1 - 1/(2 exp 1)) = Phi^-1(0.816060279414279).
        let spread = 0.002 / sd / 2.0_f64.sqrt();
        let expected = spread * EULER * 0.900_452_596_637_790_3_f64;
        assert!((found.expected_maximum / expected - 1.0).abs() < 1e-14);
        // Skewness 0 and kurtosis 1: the variance is 1.
        let score = (found.sharpe - found.expected_maximum) * 59.0_f64.sqrt();
        assert!((found.probability - normal::distribution(score)).abs() < 1e-14);
    }

    #[test]
    fn more_trials_expect_more_and_believe_less() {
        let several = |count: i32| -> Vec<SharpeSample> {
            (0..count).map(|i| setting(if i % 2 == 0 { 0.003 } else { 0.001 })).collect()
        };
        let (few, many) = (Deflated::of(&several(10)).unwrap(), Deflated::of(&several(1000)).unwrap());
        assert!(many.expected_maximum > few.expected_maximum && many.probability < few.probability);
        // Ties go to the first.
        assert_eq!((few.best, many.best), (0, 0));
    }

    #[test]
    fn one_setting_or_few_values_are_not_deflated() {
        assert_eq!(Deflated::of(&[setting(0.001)]), None);
        let short = |mean| SharpeSample { z: setting(mean).z[..FEWEST - 1].to_vec(), ..setting(mean) };
        assert_eq!(Deflated::of(&[short(0.001), short(0.002)]), None);
        assert_eq!(Deflated::of(&[]), None);
    }
}
