//! The normal distribution, accurate in its tails: a p-value of 1e-30 has nearly as many correct digits as one of 0.5.
//!
//! ```text
//! phi(x)    = exp(-x^2 / 2) / sqrt(2 pi)
//! Phi(x)    = 1/2 + phi(x) (x + x^3 / 3 + x^5 / (3 x 5) + x^7 / (3 x 5 x 7) + ..)
//! 1 - Phi(x) = phi(x) / (x + 1 / (x + 2 / (x + 3 / (x + ..))))                                                 x > 0
//! ```
//!
//! Abramowitz & Stegun (1964), 26.2.11 and 26.2.14.

use std::f64::consts::PI;

/// Up to here the series, which loses few digits when it is taken from 1; beyond, the fraction, which converges fast.
const SERIES: f64 = 2.0;
/// Levels of the fraction that are enough from there on.
const LEVELS: u32 = 120;

/// Phi(x): the probability of a value up to x.
pub fn distribution(x: f64) -> f64 {
    if x < 0.0 { above(-x) } else { 1.0 - above(x) }
}

/// Phi^-1(p), infinite at 0 and 1; for p near 1, minus that of 1 - p is more accurate where 1 - p is known.
pub fn quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -quantile(1.0 - p);
    }
    if p == 0.0 {
        return f64::NEG_INFINITY;
    }
    // Within 4.5e-4 (Abramowitz & Stegun 1964, 26.2.23); each step of Halley's triples the digits.
    let t = (-2.0 * p.ln()).sqrt();
    let numerator = 2.515517 + t * (0.802853 + t * 0.010328);
    let denominator = 1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308));
    let mut x = numerator / denominator - t;
    for _ in 0..3 {
        let step = (distribution(x) - p) / density(x);
        x -= step / (1.0 + 0.5 * x * step);
    }
    x
}

fn density(x: f64) -> f64 {
    (-0.5 * x * x).exp() / (2.0 * PI).sqrt()
}

/// 1 - Phi(x) for x >= 0.
fn above(x: f64) -> f64 {
    if x < SERIES {
        let (mut term, mut sum, mut odd) = (x, x, 1.0);
        while term > 1e-18 * sum {
            odd += 2.0;
            term *= x * x / odd;
            sum += term;
        }
        return 0.5 - density(x) * sum;
    }
    density(x) / (1..=LEVELS).rev().fold(x, |below, level| x + f64::from(level) / below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the C library's `erfc(-x / sqrt(2)) / 2`.
    const KNOWN: [(f64, f64); 13] = [
        (-37.0, 5.725571222525139e-300),
        (-20.0, 2.7536241186063314e-89),
        (-10.0, 7.619853024160593e-24),
        (-6.0, 9.865876450377012e-10),
        (-3.5, 0.00023262907903552504),
        (-2.5, 0.006209665325776139),
        (-2.0, 0.02275013194817922),
        (-1.3, 0.09680048458561034),
        (-0.4, 0.3445782583896758),
        (0.2, 0.579259709439103),
        (1.0, 0.8413447460685429),
        (2.2, 0.9860965524865014),
        (5.0, 0.9999997133484281),
    ];

    #[test]
    fn tails_have_their_digits() {
        for (x, p) in KNOWN {
            // exp(-x^2 / 2) multiplies the rounding of x^2 / 2 by as much, in either library.
            let tolerance = 1e-14 + x * x * 4.0 * f64::EPSILON;
            assert!((distribution(x) / p - 1.0).abs() < tolerance.min(1e-12), "{x}: {} against {p}", distribution(x));
        }
        assert_eq!((distribution(f64::NEG_INFINITY), distribution(f64::INFINITY)), (0.0, 1.0));
        assert_eq!(distribution(0.0), 0.5);
    }

    #[test]
    fn series_and_fraction_meet() {
        let (series, fraction) = (above(SERIES.next_down()), above(SERIES));
        assert!((series / fraction - 1.0).abs() < 1e-14, "{series} {fraction}");
    }

    #[test]
    fn the_quantile_inverts_the_distribution() {
        for p in [1e-300, 1e-100, 1e-16, 1e-5, 0.01, 0.3, 0.5] {
            // In the tail, p changes by x^2 times as much as x.
            assert!((distribution(quantile(p)) / p - 1.0).abs() < 1e-12, "{p}");
        }
        for x in [-37.0, -8.0, -2.0, -0.1, 0.0, 0.7, 3.0_f64] {
            assert!((quantile(distribution(x)) - x).abs() < 1e-13 * (1.0 + x.abs()), "{x}");
        }
        assert_eq!((quantile(0.0), quantile(1.0)), (f64::NEG_INFINITY, f64::INFINITY));
        assert!((quantile(0.975) - 1.959963984540054).abs() < 1e-14);
    }
}
