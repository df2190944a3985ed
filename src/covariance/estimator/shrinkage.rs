//! Linear shrinkage of correlations: what an intensity is made of, and what it does.
//!
//! ```text
//! C*_ij = keep C_ij + shift        i != j; the diagonal stays one
//! ```

use super::Estimator;
use super::fourth_moments::FourthMoments;
use super::{constant_correlation, ledoit_wolf, oas};
use crate::real::Real;

/// What the correlations of all pairs come to; each pair counts twice, as in the matrix.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pairs<R> {
    /// sum_{i != j} C_ij.
    pub sum: R,
    /// delta = sum_{i != j} C_ij^2.
    pub squares: R,
    /// rbar = sum_{i != j} C_ij / (n (n - 1)).
    pub mean: R,
    /// gamma = sum_{i != j} (C_ij - rbar)^2.
    pub spread: R,
}

impl<R: Real> Pairs<R> {
    /// Of W problems side by side: `below` goes through the correlations below the diagonal. The spread is about the mean
    /// itself, for the difference of sums would cancel.
    #[inline(always)]
    pub fn of<'a, const W: usize>(below: impl Iterator<Item = &'a [R; W]> + Clone) -> [Pairs<R>; W]
    where
        R: 'a,
    {
        let (mut sum, mut squares, mut pairs) = ([R::ZERO; W], [R::ZERO; W], 0);
        for c in below.clone() {
            for l in 0..W {
                sum[l] += c[l];
                squares[l] += c[l] * c[l];
            }
            pairs += 1;
        }
        let count = R::from_f64(f64::from(pairs.max(1)));
        let mean = sum.map(|sum| sum / count);
        let mut spread = [R::ZERO; W];
        for c in below {
            for l in 0..W {
                let deviation = c[l] - mean[l];
                spread[l] += deviation * deviation;
            }
        }
        let twice = |x: R| x + x;
        std::array::from_fn(|l| Pairs {
            sum: twice(sum[l]),
            squares: twice(squares[l]),
            mean: mean[l],
            spread: twice(spread[l]),
        })
    }
}

/// What becomes of correlations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shrinkage<R> {
    pub keep: R,
    pub shift: R,
    /// rho, from 0, which changes nothing, to 1.
    pub intensity: R,
}

impl<R: Real> Shrinkage<R> {
    /// That leaves correlations as they are.
    pub const fn none(intensity: R) -> Shrinkage<R> {
        Shrinkage { keep: R::ONE, shift: R::ZERO, intensity }
    }

    /// By an intensity, towards pairs of the correlation `target`.
    pub fn towards(target: R, intensity: R) -> Shrinkage<R> {
        Shrinkage { keep: R::ONE - intensity, shift: intensity * target, intensity }
    }

    /// By the intensity of an estimator, for `assets` assets over `rows` rows; none where it has none.
    #[inline(always)]
    pub fn of(
        estimator: Estimator,
        assets: usize,
        rows: usize,
        pairs: Pairs<R>,
        moments: FourthMoments<R>,
    ) -> Option<Shrinkage<R>> {
        let (n, rows) = (R::from_f64(assets as f64), R::from_f64(rows as f64));
        match estimator {
            _ if assets < 2 || !estimator.is_linear() => None,
            Estimator::LedoitWolf => Some(ledoit_wolf::shrinkage(n, rows, pairs, moments)),
            Estimator::ConstantCorrelation => Some(constant_correlation::shrinkage(n, rows, pairs, moments)),
            _ => Some(oas::shrinkage(n, rows, pairs)),
        }
    }

    #[inline(always)]
    pub fn apply(self, c: R) -> R {
        c * self.keep + self.shift
    }
}

/// x, no less than 0 and no more than 1.
pub(super) fn unit<R: Real>(x: R) -> R {
    if x >= R::ONE { R::ONE } else { x.max(R::ZERO) }
}
