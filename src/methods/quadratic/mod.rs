//! Minimum variance and maximum diversification: one program, slices in, certified weights out.
//!
//! ```text
//! minimise F(y) = 1/2 y'C y - l'y,  y >= 0        C = correlation, sigma = volatilities
//! optimal:  (C y)_i >= l_i, = l_i where y_i > 0    w_i = (y_i / sigma_i) / sum_j (y_j / sigma_j)
//! minimum variance:         l_i = min sigma / sigma_i      (Markowitz 1952, long only)
//! maximum diversification:  l_i = 1                        (Choueifaty & Coignard 2008)
//! ```
//!
//! Ten sweeps of coordinate descent (`descent`) find most of the assets that are held; an active set (`active_set`)
//! ends exactly, most often with one factorisation; `uniqueness` looks for other portfolios that are as good.
//!
//! The certificate is `gap = 1 - min_i g_i` with g_i = (C y)_i (l'y) / (l_i y'C y), for minimum variance
//! (S w)_i / w'S w. For every long-only v, (v'C y)^2 <= v'C v y'C y (Cauchy & Schwarz) and
//! v'C y >= l'v min_i (C y)_i / l_i, so with l'v = l'y:
//!
//! ```text
//! v'C v >= (1 - gap)^2 y'C y
//! ```
//!
//! No long-only portfolio has less than (1 - gap) times this volatility, none more than 1 / (1 - gap) times this
//! diversification ratio. With v = y: gap >= 0.

mod active_set;
mod dependence;
mod descent;
mod existence;
pub mod limited;
mod uniqueness;

use super::linear::dot;
use crate::methods::certificate::Status;
use active_set::ActiveSet;
use descent::{descend, multiply};
use existence::vanishes;
use uniqueness::{Optimum, look};

/// What the portfolio is best at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aim {
    /// The least variance w'S w.
    MinimumVariance,
    /// The largest ratio of the mean volatility of the assets, sigma'w, to the volatility of their mix.
    MaximumDiversification,
}

/// One problem, already checked.
#[derive(Debug, Clone, Copy)]
pub struct Problem<'a> {
    /// n x n, row-major, symmetric, unit diagonal.
    pub correlation: &'a [f64],
    /// Positive.
    pub volatilities: &'a [f64],
}

/// Room to solve in, so that a problem without ties or dependent assets allocates nothing once it is large enough.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// l.
    linear: Vec<f64>,
    y: Vec<f64>,
    /// C y.
    product: Vec<f64>,
    set: ActiveSet,
}

/// What travels with the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Converged: the gap lies within the tolerance. No solution: a long-only mix has no variance.
    pub status: Status,
    /// From the returned weights by a fresh product; NaN without weights.
    pub gap: f64,
    /// No other portfolio is as good. False without weights.
    pub unique: bool,
    /// Sweeps of coordinate descent.
    pub sweeps: u32,
    /// Factorisations of the active set.
    pub factorisations: u32,
    /// Volatility of the returned weights, per period; NaN without weights.
    pub volatility: f64,
}

/// Solves one problem and writes its weights; NaN where there are none.
#[inline(always)]
pub fn solve(aim: Aim, problem: Problem, tolerance: f64, work: &mut Workspace, weights: &mut [f64]) -> Found {
    let Problem { correlation, volatilities } = problem;
    let n = weights.len();
    let Workspace { linear, y, product, set } = work;
    y.resize(n, 0.0);
    product.resize(n, 0.0);
    let least = aim.linear(volatilities, linear);

    let sweeps = descend(correlation, linear, tolerance, y, product);
    let mut found = Found {
        status: Status::NoSolution,
        gap: f64::NAN,
        unique: false,
        sweeps,
        factorisations: 0,
        volatility: f64::NAN,
    };
    if vanishes(correlation, y, dot(y, product)) {
        weights.fill(f64::NAN);
        return found;
    }
    // Each move to an earlier optimum lowers an index, but for rounding.
    for _ in 0..=n {
        let (factorisations, minimum) = set.minimise(correlation, linear, y, product);
        found.factorisations += factorisations;
        if vanishes(correlation, y, dot(y, product)) {
            weights.fill(f64::NAN);
            return found;
        }
        let optimum = if minimum { look(set, correlation, linear, y, product) } else { Optimum::Several };
        found.unique = optimum == Optimum::Unique;
        if optimum != Optimum::Earlier {
            break;
        }
    }

    for i in 0..n {
        weights[i] = y[i] / (volatilities[i] / least);
    }
    let total: f64 = weights.iter().sum();
    for i in 0..n {
        weights[i] /= total;
        // The same portfolio in correlation units, from the weights as they are returned.
        y[i] = weights[i] * (volatilities[i] / least);
    }
    multiply(correlation, y, product);
    let (gap, variance) = (descent::gap(linear, y, product), dot(y, product));
    found.gap = gap;
    found.unique &= gap.is_finite();
    found.status = if gap <= tolerance { Status::Converged } else { Status::Stalled };
    found.volatility = if variance < 0.0 { 0.0 } else { least * variance.sqrt() };
    found
}

/// The gap of anybody's long-only weights, by a fresh product: no long-only portfolio has less than (1 - gap) times
/// their volatility (minimum variance), or more than 1 / (1 - gap) times their diversification ratio. The scale of the
/// weights does not matter; NaN where they have no variance.
pub fn gap(aim: Aim, problem: Problem, weights: &[f64]) -> f64 {
    let Problem { correlation, volatilities } = problem;
    let mut linear = Vec::new();
    let least = aim.linear(volatilities, &mut linear);
    let y: Vec<f64> = weights.iter().zip(volatilities).map(|(w, s)| w * (s / least)).collect();
    let mut product = vec![0.0; y.len()];
    multiply(correlation, &y, &mut product);
    descent::gap(&linear, &y, &product)
}

impl Aim {
    /// Writes l and returns the least volatility, the unit of all others: units do not matter.
    #[inline(always)]
    fn linear(self, volatilities: &[f64], linear: &mut Vec<f64>) -> f64 {
        let least = volatilities.iter().copied().fold(f64::INFINITY, f64::min);
        linear.clear();
        match self {
            Aim::MinimumVariance => linear.extend(volatilities.iter().map(|s| least / s)),
            Aim::MaximumDiversification => linear.resize(volatilities.len(), 1.0),
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AIMS: [Aim; 2] = [Aim::MinimumVariance, Aim::MaximumDiversification];

    /// A sequence of pseudo-random numbers in [0, 1).
    struct Sequence(u64);

    impl Sequence {
        fn next(&mut self) -> f64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 11) as f64 / (1_u64 << 53) as f64
        }

        /// The correlations and volatilities of n assets with random loadings on so many factors.
        fn model(&mut self, n: usize, factors: usize) -> (Vec<f64>, Vec<f64>) {
            let loadings: Vec<f64> = (0..n * factors).map(|_| self.next() - 0.4).collect();
            mixes(&loadings, factors)
        }
    }

    /// Assets whose returns are rows of `loadings` times uncorrelated factors of unit variance.
    fn mixes(loadings: &[f64], factors: usize) -> (Vec<f64>, Vec<f64>) {
        let rows: Vec<&[f64]> = loadings.chunks_exact(factors).collect();
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let volatilities: Vec<f64> = rows.iter().map(|a| product(a, a).sqrt()).collect();
        let n = rows.len();
        let entry = |i: usize, j: usize| {
            if i == j { 1.0 } else { product(rows[i], rows[j]) / (volatilities[i] * volatilities[j]) }
        };
        ((0..n * n).map(|k| entry(k / n, k % n)).collect(), volatilities)
    }

    fn solved(aim: Aim, correlation: &[f64], volatilities: &[f64]) -> (Found, Vec<f64>) {
        let mut weights = vec![0.0; volatilities.len()];
        let problem = Problem { correlation, volatilities };
        (solve(aim, problem, 1e-8, &mut Workspace::default(), &mut weights), weights)
    }

    fn close(a: &[f64], b: &[f64], tolerance: f64) -> bool {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() <= tolerance)
    }

    fn variance(correlation: &[f64], volatilities: &[f64], weights: &[f64]) -> f64 {
        let x: Vec<f64> = weights.iter().zip(volatilities).map(|(w, s)| w * s).collect();
        correlation.chunks_exact(x.len()).zip(&x).map(|(row, x_i)| x_i * dot(row, &x)).sum()
    }

    #[test]
    fn hand_examples_are_met() {
        // w_1 = (s_2^2 - c) / (s_1^2 + s_2^2 - 2 c) with c = rho s_1 s_2, at most 1; for two assets maximum
        // diversification is inverse volatility. At rho = 1/2 the second asset has weight and multiplier zero at once.
        for (rho, least) in [(0.25, [7.0 / 8.0, 1.0 / 8.0]), (0.75, [1.0, 0.0]), (0.5, [1.0, 0.0])] {
            let correlation = [1.0, rho, rho, 1.0];
            let (found, weights) = solved(Aim::MinimumVariance, &correlation, &[1.0, 2.0]);
            assert!(close(&weights, &least, 1e-15), "rho = {rho}: {weights:?}");
            assert!(found.status == Status::Converged && found.gap < 1e-15 && found.unique, "rho = {rho}: {found:?}");
            let (found, weights) = solved(Aim::MaximumDiversification, &correlation, &[1.0, 2.0]);
            assert!(close(&weights, &[2.0 / 3.0, 1.0 / 3.0], 1e-15), "rho = {rho}: {weights:?}");
            assert!(found.status == Status::Converged && found.gap < 1e-15 && found.unique, "rho = {rho}: {found:?}");
        }
        for aim in AIMS {
            let (found, weights) = solved(aim, &[1.0], &[0.3]);
            assert_eq!((found.status, found.gap, found.unique), (Status::Converged, 0.0, true));
            assert_eq!((weights[0], found.volatility), (1.0, 0.3));
        }
    }

    #[test]
    fn uncorrelated_assets_are_held_by_inverse_variance_or_volatility() {
        for n in [2_usize, 7, 40] {
            let volatilities: Vec<f64> = (0..n).map(|i| 0.1 + 0.03 * i as f64).collect();
            let correlation: Vec<f64> = (0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect();
            for (aim, power) in [(Aim::MinimumVariance, -2), (Aim::MaximumDiversification, -1)] {
                let (found, weights) = solved(aim, &correlation, &volatilities);
                let total: f64 = volatilities.iter().map(|s| s.powi(power)).sum();
                let expected: Vec<f64> = volatilities.iter().map(|s| s.powi(power) / total).collect();
                assert!(close(&weights, &expected, 1e-15), "n = {n}, {aim:?}");
                assert!(found.unique && found.status == Status::Converged, "n = {n}, {aim:?}");
            }
        }
    }

    #[test]
    fn weights_meet_the_conditions_of_optimality() {
        let mut sequence = Sequence(1);
        for n in [1, 2, 3, 8, 25, 60, 120] {
            for factors in [n + 2, 3 * n] {
                let (correlation, volatilities) = sequence.model(n, factors);
                for aim in AIMS {
                    let (found, weights) = solved(aim, &correlation, &volatilities);
                    assert_eq!(found.status, Status::Converged, "n = {n}, {aim:?}: {found:?}");
                    assert!(found.unique && found.gap <= 1e-12, "n = {n}, {aim:?}: {found:?}");
                    assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14 && weights.iter().all(|&w| w >= 0.0));
                    let x: Vec<f64> = weights.iter().zip(&volatilities).map(|(w, s)| w * s).collect();
                    let risk: Vec<f64> = correlation.chunks_exact(n).map(|row| dot(row, &x)).collect();
                    let least = volatilities.iter().copied().fold(f64::INFINITY, f64::min);
                    let per = |i: usize| match aim {
                        Aim::MinimumVariance => risk[i] * volatilities[i] / least,
                        Aim::MaximumDiversification => risk[i],
                    };
                    let held = (0..n).filter(|&i| weights[i] > 0.0).map(per).fold(0.0, f64::max);
                    for i in 0..n {
                        assert!(per(i) >= held * (1.0 - 1e-11), "n = {n}, {aim:?}, asset {i}");
                    }
                    let expected = variance(&correlation, &volatilities, &weights).sqrt();
                    assert!((found.volatility / expected - 1.0).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn no_long_only_portfolio_beats_the_gap() {
        let mut sequence = Sequence(2);
        for n in [2, 5, 12] {
            let (correlation, volatilities) = sequence.model(n, n + 1);
            let problem = Problem { correlation: &correlation, volatilities: &volatilities };
            let ratio = |w: &[f64]| dot(w, &volatilities) / variance(&correlation, &volatilities, w).sqrt();
            for _ in 0..200 {
                // Of anybody's weights, of all scales.
                let given: Vec<f64> = (0..n).map(|_| sequence.next() * 3.0).collect();
                let scaled: Vec<f64> = given.iter().map(|w| w / given.iter().sum::<f64>()).collect();
                let gaps = AIMS.map(|aim| gap(aim, problem, &given));
                assert!(gaps.iter().all(|&gap| gap >= 0.0));
                let mut other: Vec<f64> = (0..n).map(|_| (sequence.next() - 0.5).max(0.0)).collect();
                other[0] += 1e-3;
                let total: f64 = other.iter().sum();
                other.iter_mut().for_each(|w| *w /= total);
                for other in [other, solved(AIMS[0], &correlation, &volatilities).1] {
                    let floor = (1.0 - gaps[0]) * variance(&correlation, &volatilities, &scaled).sqrt();
                    assert!(variance(&correlation, &volatilities, &other).sqrt() >= floor * (1.0 - 1e-12));
                }
                let best = solved(AIMS[1], &correlation, &volatilities).1;
                if gaps[1] < 1.0 {
                    assert!(ratio(&best) <= ratio(&scaled) / (1.0 - gaps[1]) * (1.0 + 1e-12));
                }
            }
            for aim in AIMS {
                let (found, weights) = solved(aim, &correlation, &volatilities);
                assert!((gap(aim, problem, &weights) - found.gap).abs() < 1e-14);
            }
        }
    }

    #[test]
    fn of_twins_the_first_is_held_and_the_answer_is_not_unique() {
        let mut sequence = Sequence(3);
        for n in [2, 3, 10, 31] {
            let (correlation, volatilities) = sequence.model(n, 2 * n);
            // Every asset twice: interleaved, and one copy of all after the other.
            for original in [|i: usize, _: usize| i / 2, |i: usize, n: usize| i % n] {
                let m = 2 * n;
                let twice: Vec<f64> =
                    (0..m * m).map(|k| correlation[original(k / m, n) * n + original(k % m, n)]).collect();
                let both: Vec<f64> = (0..m).map(|i| volatilities[original(i, n)]).collect();
                for aim in AIMS {
                    let (single, expected) = solved(aim, &correlation, &volatilities);
                    let (found, weights) = solved(aim, &twice, &both);
                    assert!(single.unique && !found.unique, "n = {n}, {aim:?}");
                    assert!(found.status == Status::Converged && found.gap < 1e-12, "n = {n}, {aim:?}: {found:?}");
                    for i in 0..n {
                        let mut copies = (0..m).filter(|&k| original(k, n) == i).map(|k| weights[k]);
                        assert!((copies.next().unwrap() - expected[i]).abs() < 1e-12, "n = {n}, {aim:?}");
                        assert_eq!(copies.next(), Some(0.0), "n = {n}, {aim:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn near_twins_are_solved() {
        let mut sequence = Sequence(4);
        for noise in [1e-2, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8, 1e-10] {
            for n in [6, 20, 45] {
                let factors = n + 5;
                let mut loadings: Vec<f64> = (0..n * factors).map(|_| sequence.next() - 0.4).collect();
                for k in 0..factors * (n / 3) {
                    loadings[factors * (n / 2) + k] = loadings[k] + noise * (sequence.next() - 0.5);
                }
                let (correlation, volatilities) = mixes(&loadings, factors);
                for aim in AIMS {
                    let (found, _) = solved(aim, &correlation, &volatilities);
                    assert_eq!(found.status, Status::Converged, "n = {n}, noise {noise}, {aim:?}: {found:?}");
                    assert!(found.factorisations <= 3 * n as u32, "n = {n}, noise {noise}, {aim:?}: {found:?}");
                }
            }
        }
    }

    #[test]
    fn an_index_fund_beside_its_holdings_is_not_the_only_answer() {
        // The fund is half of each of two uncorrelated assets: alone, as its holdings, or any mix of both, the same.
        let (correlation, volatilities) = mixes(&[0.5, 0.5, 1.0, 0.0, 0.0, 1.0], 2);
        let (found, _) = solved(Aim::MinimumVariance, &correlation, &volatilities);
        assert!(found.status == Status::Converged && !found.unique, "{found:?}");
        assert!((found.volatility - 0.5_f64.sqrt()).abs() < 1e-15);
        // Held alone, neither asset can join it, but both can.
        let mut set = ActiveSet::default();
        let least = volatilities[0];
        let linear: Vec<f64> = volatilities.iter().map(|s| least / s).collect();
        let (mut y, mut product) = ([1.0, 0.0, 0.0], [0.0; 3]);
        assert!(set.minimise(&correlation, &linear, &mut y, &mut product).1);
        assert_eq!(set.held, [0]);
        assert_eq!(look(&mut set, &correlation, &linear, &mut y, &product), Optimum::Several);
        // With a holding that is worse, the fund is the only one.
        let (correlation, volatilities) = mixes(&[0.5, 0.5, 0.0, 1.0, 0.0, 0.5, 0.0, 1.0, 0.5], 3);
        let (found, weights) = solved(Aim::MinimumVariance, &correlation, &volatilities);
        assert!(found.unique && close(&weights, &[1.0, 0.0, 0.0], 1e-15), "{found:?} {weights:?}");
    }

    #[test]
    fn perfectly_correlated_assets_have_one_least_variance_and_many_diversifications() {
        let n = 12;
        let volatilities: Vec<f64> = (0..n).map(|i| 0.1 + 0.05 * ((i + 5) % n) as f64).collect();
        let (found, weights) = solved(Aim::MinimumVariance, &vec![1.0; n * n], &volatilities);
        assert!(found.unique && found.status == Status::Converged, "{found:?}");
        assert_eq!(weights[7], 1.0);
        let (found, weights) = solved(Aim::MaximumDiversification, &vec![1.0; n * n], &volatilities);
        assert!(!found.unique && found.status == Status::Converged, "{found:?}");
        assert_eq!(weights[0], 1.0);
    }

    #[test]
    fn a_mix_without_variance_is_no_solution() {
        let mut sequence = Sequence(5);
        for n in [2, 3, 9, 24] {
            for hedged in 2..=n {
                // The last `hedged` assets are a long-only mix without variance; the others are none.
                let factors = 2 * n;
                let mut loadings: Vec<f64> = (0..n * factors).map(|_| sequence.next() - 0.4).collect();
                for k in 0..factors {
                    let held = (n - hedged..n - 1).map(|i| loadings[i * factors + k] * (1 + i % 3) as f64);
                    loadings[(n - 1) * factors + k] = -held.sum::<f64>();
                }
                let (correlation, volatilities) = mixes(&loadings, factors);
                for aim in AIMS {
                    let (found, weights) = solved(aim, &correlation, &volatilities);
                    assert_eq!(found.status, Status::NoSolution, "n = {n}, {hedged} hedged, {aim:?}: {found:?}");
                    assert!(weights.iter().all(|w| w.is_nan()) && found.gap.is_nan() && found.volatility.is_nan());
                    assert!(!found.unique);
                }
            }
        }
        // A short hedge is none.
        let (correlation, volatilities) = mixes(&[1.0, 0.0, 0.0, 1.0, 1.0, 1.0], 2);
        for aim in AIMS {
            assert_eq!(solved(aim, &correlation, &volatilities).0.status, Status::Converged);
        }
    }

    #[test]
    fn units_do_not_matter() {
        let mut sequence = Sequence(6);
        let (correlation, volatilities) = sequence.model(17, 20);
        for aim in AIMS {
            let (found, weights) = solved(aim, &correlation, &volatilities);
            for unit in [2.0_f64.powi(-40), 2.0_f64.powi(7)] {
                let scaled: Vec<f64> = volatilities.iter().map(|s| s * unit).collect();
                let (other, same) = solved(aim, &correlation, &scaled);
                assert_eq!(weights, same);
                assert_eq!(Found { volatility: found.volatility * unit, ..found }, other);
            }
        }
        // Leverage of one asset changes how much money it takes, not its share of the diversified risk.
        let (found, weights) = solved(Aim::MaximumDiversification, &correlation, &volatilities);
        for leverage in [2.0_f64.powi(-30), 2.0_f64.powi(12)] {
            for asset in 0..17 {
                let mut scaled = volatilities.clone();
                scaled[asset] *= leverage;
                let (other, levered) = solved(Aim::MaximumDiversification, &correlation, &scaled);
                assert_eq!(
                    (found.sweeps, found.factorisations, found.unique),
                    (other.sweeps, other.factorisations, other.unique)
                );
                let total: f64 = levered.iter().zip(&scaled).map(|(w, s)| w * s).sum();
                let before: f64 = weights.iter().zip(&volatilities).map(|(w, s)| w * s).sum();
                for i in 0..17 {
                    let (share, expected) = (levered[i] * scaled[i] / total, weights[i] * volatilities[i] / before);
                    // A few roundings of the scaling to sum one.
                    assert!((share - expected).abs() <= 8.0 * f64::EPSILON * expected);
                }
            }
        }
    }

    #[test]
    fn what_was_solved_before_does_not_matter() {
        let mut sequence = Sequence(7);
        let mut work = Workspace::default();
        for n in [30, 3, 1, 12, 45, 2] {
            let (correlation, volatilities) = sequence.model(n, n + 1);
            for aim in AIMS {
                let mut weights = vec![0.0; n];
                let problem = Problem { correlation: &correlation, volatilities: &volatilities };
                let found = solve(aim, problem, 1e-8, &mut work, &mut weights);
                assert_eq!((found, weights), solved(aim, &correlation, &volatilities), "n = {n}, {aim:?}");
            }
        }
    }

    #[test]
    fn what_is_no_correlation_ends_too() {
        let mut sequence = Sequence(8);
        for case in 0..3000 {
            let n = 1 + case % 12;
            let mut correlation = vec![1.0; n * n];
            for i in 0..n {
                for j in 0..i {
                    // Mostly indefinite; of few values, so that pivots vanish.
                    let c = (sequence.next() * 5.0).floor() / 2.0 - 1.0;
                    let c = if case % 50 == 0 { f64::NAN } else { c.clamp(-1.0, 1.0) };
                    (correlation[i * n + j], correlation[j * n + i]) = (c, c);
                }
            }
            let volatilities: Vec<f64> = (0..n).map(|_| (sequence.next() * 4.0).floor() + 1.0).collect();
            for aim in AIMS {
                let (found, weights) = solved(aim, &correlation, &volatilities);
                assert!(found.gap >= 0.0 || found.gap.is_nan());
                assert!(found.status != Status::Converged || weights.iter().all(|&w| w >= 0.0), "{correlation:?}");
            }
        }
        for aim in AIMS {
            assert_eq!(solved(aim, &[1.0, 0.2, 0.2, 1.0], &[f64::NAN, 1.0]).0.status, Status::Stalled);
            assert_eq!(solved(aim, &[], &[]).0.status, Status::NoSolution);
        }
    }
}
