//! Risk budgeting by semi-deviation: the root mean square of what falls short of the mean.
//!
//! ```text
//! R(y)^2 = 1/W sum_t omega_t min(d_t'y, 0)^2       d_t = x_t - m, m = 1/W sum_t omega_t x_t, W = sum_t omega_t
//! g = 1/W sum_t omega_t min(d_t'y, 0) d_t          R dR/dy = g,  y'g = R^2
//! H = 1/W sum_{d_t'y < 0} omega_t d_t d_t'         H y = g
//!
//! minimise 1/2 R(y)^2 - sum_i b_i ln y_i           stationary: y_i g_i = b_i, so that R = 1
//! ```
//!
//! The divisor is W, not W - 1: weights do not depend on it. R^2 is piecewise quadratic with a continuous gradient
//! (Markowitz 1959, chapter 9), so Newton with H is Newton of a volatility whose rows are chosen anew at each step
//! (semismooth: Qi & Sun 1993), in relative steps u (y <- y (1 + u)):
//!
//! ```text
//! repeat:  y <- y / R
//!          stop: max_i |y_i g_i - b_i| / b_i <= tolerance
//!          (Y H Y + diag b) u = b - Y g,  Y = diag y
//!          y <- y (1 + t u), t = 1, 1/2, ..., until the slope along u has at least halved
//! ```
//!
//! A step is one pass over the rows, for the gradient, and one over those that changed side since the step before, for
//! H.
//!
//! The certificate is `rc_error = max_i |w_i g_i / R^2 - b_i| / b_i`, from the returned weights by a fresh pass.

use pulp::{Arch, Scalar, Simd, WithSimd};

use super::drawn::{Drawn, Origin, sum};
use super::factor::{factorise, substitute};
use super::products::Products;
use super::{Problem, TO_BOUNDARY, hedge, is_sound, largest_error};
use crate::lanes::Lanes;
use crate::methods::certificate::Status;

/// Ordinary problems need about four.
const STEP_LIMIT: u32 = 100;

/// The share of the slope that a step may leave.
const SLOPE: f64 = 0.5;

/// Halvings of a step.
const HALVINGS: u32 = 30;

/// The search aims a little below the tolerance, so that the certificate, from the rounded weights, meets it.
const AIM: f64 = 0.9;

/// Room to solve in, so that no ordinary problem allocates once it is large enough.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    drawn: Drawn,
    y: Vec<f64>,
    trial: Vec<f64>,
    gradient: Vec<f64>,
    step: Vec<f64>,
    matrix: Vec<f64>,
    /// d_t'y of eight rows each.
    outcomes: Vec<Lanes>,
    sums: Vec<Lanes>,
    /// Rows that H holds, and those that enter or leave it.
    held: Vec<bool>,
    changed: Vec<(u32, f64)>,
    products: Products,
    direction: Vec<f64>,
}

impl Workspace {
    /// What proves that the last problem has no solution: weights, summing to one, of a long-only mix that never
    /// moves. Empty after another ending.
    pub fn direction(&self) -> &[f64] {
        &self.direction
    }
}

/// What travels with the weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// No solution: a long-only mix never moves, see [`Workspace::direction`]. Invalid: the input is bad, or an asset
    /// does not move in the rows that count.
    pub status: Status,
    /// From the returned weights by a fresh pass; NaN without weights.
    pub rc_error: f64,
    /// Semi-deviation of the returned weights, per period; NaN without weights.
    pub risk: f64,
    /// Steps of Newton.
    pub steps: u32,
}

impl Found {
    const fn unsolved(status: Status, steps: u32) -> Found {
        Found { status, rc_error: f64::NAN, risk: f64::NAN, steps }
    }
}

/// How far anybody's weights are from their budgets.
#[derive(Debug, Clone, PartialEq)]
pub struct Certified {
    pub rc_error: f64,
    /// Semi-deviation per period.
    pub risk: f64,
    /// Shares of the risk, w_i dR/dw_i / R.
    pub contributions: Vec<f64>,
}

/// Solves one problem and writes its weights; NaN where there are none.
pub fn solve(problem: Problem, tolerance: f64, work: &mut Workspace, weights: &mut [f64]) -> Found {
    Arch::new().dispatch(Solve { problem, tolerance, work, weights })
}

/// Compiled for the vector instructions of this machine.
struct Solve<'a> {
    problem: Problem<'a>,
    tolerance: f64,
    work: &'a mut Workspace,
    weights: &'a mut [f64],
}

impl WithSimd for Solve<'_> {
    type Output = Found;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Found {
        let Solve { problem, tolerance, work, weights } = self;
        work.direction.clear();
        if weights.len() != problem.budgets.len()
            || !problem.is_valid()
            || !work.drawn.read(simd, &problem, Origin::Mean)
        {
            weights.fill(f64::NAN);
            return Found::unsolved(Status::Invalid, 0);
        }
        let steps = work.minimise(simd, &problem, AIM * tolerance);
        let _ = problem.write(&mut work.y, weights);
        let risk = work.evaluate(simd, &problem, false).sqrt();
        contribute(&work.y, &mut work.gradient);
        let rc_error = largest_error(&work.gradient, problem.budgets);
        let sound = is_sound(work.drawn.size(&work.y), risk, problem.budgets, tolerance);
        let status = if rc_error <= tolerance && sound { Status::Converged } else { Status::Stalled };
        if status != Status::Converged
            && let Some(direction) = hedge(simd, &problem, &work.drawn, &mut work.products, &mut work.changed)
        {
            weights.fill(f64::NAN);
            work.direction = direction;
            return Found::unsolved(Status::NoSolution, steps);
        }
        if !(risk.is_finite() && weights.iter().all(|w| w.is_finite())) {
            weights.fill(f64::NAN);
            return Found::unsolved(Status::Stalled, steps);
        }
        Found { status, rc_error, risk, steps }
    }
}

/// The certificate of anybody's long-only weights, of any scale; none of what is not a problem, or has no risk.
pub fn certify(problem: Problem, weights: &[f64]) -> Option<Certified> {
    let (simd, mut work) = (Scalar, Workspace::default());
    if weights.len() != problem.budgets.len() || !problem.is_valid() || !work.drawn.read(simd, &problem, Origin::Mean) {
        return None;
    }
    work.y.extend(weights.iter().zip(problem.units).map(|(w, unit)| w * unit));
    work.gradient.resize(weights.len(), 0.0);
    work.trial.resize(weights.len(), 0.0);
    let risk = work.evaluate(simd, &problem, false).sqrt();
    let mut contributions = work.gradient;
    contribute(&work.y, &mut contributions);
    let rc_error = largest_error(&contributions, problem.budgets);
    (risk > 0.0 && rc_error.is_finite()).then_some(Certified { rc_error, risk, contributions })
}

/// The gradient becomes shares of the risk, y_i g_i / y'g.
#[inline(always)]
fn contribute(y: &[f64], gradient: &mut [f64]) {
    for (g, y) in gradient.iter_mut().zip(y) {
        *g *= y;
    }
    let total: f64 = gradient.iter().sum();
    gradient.iter_mut().for_each(|g| *g /= total);
}

impl Workspace {
    /// Newton from the problem's start, to `tolerance` or as far as rounding allows. Returns the number of steps.
    #[inline(always)]
    fn minimise<S: Simd>(&mut self, simd: S, problem: &Problem, tolerance: f64) -> u32 {
        let (n, budgets) = (problem.budgets.len(), problem.budgets);
        problem.start(&self.drawn, &mut self.y);
        self.trial.resize(n, 0.0);
        self.gradient.resize(n, 0.0);
        self.step.resize(n, 0.0);
        self.held.clear();
        self.held.resize(problem.counts.len(), false);
        self.products.clear(n);
        let mut risk = self.evaluate(simd, problem, false).sqrt();
        let (mut best, mut stagnant) = (f64::INFINITY, 0);
        for step in 0..STEP_LIMIT {
            if !(risk > f64::MIN_POSITIVE) || !risk.is_finite() {
                return step;
            }
            for i in 0..n {
                self.y[i] /= risk;
                self.gradient[i] /= risk;
            }
            let mut error = 0.0_f64;
            for i in 0..n {
                self.step[i] = budgets[i] - self.y[i] * self.gradient[i];
                error = error.max((self.step[i] / budgets[i]).abs());
            }
            if error <= tolerance {
                return step;
            }
            // At its floor the error only wanders.
            stagnant = if error < 0.5 * best { 0 } else { stagnant + 1 };
            best = best.min(error);
            if stagnant > 8 && best < 1e-4 || stagnant > 30 {
                return step;
            }
            let Some(slope) = self.direct(simd, problem) else { return step };
            let steepest = self.step.iter().fold(0.0_f64, |m, &u| m.max(-u));
            let mut t = if steepest > TO_BOUNDARY { TO_BOUNDARY / steepest } else { 1.0 };
            for _ in 0..HALVINGS {
                for i in 0..n {
                    self.trial[i] = self.y[i] * (1.0 + t * self.step[i]);
                }
                risk = self.evaluate(simd, problem, true).sqrt();
                let left: f64 = (0..n)
                    .map(|i| {
                        let u = self.step[i];
                        self.gradient[i] * (self.y[i] * u) - budgets[i] * u / (1.0 + t * u)
                    })
                    .sum();
                if left <= SLOPE * slope {
                    break;
                }
                t *= 0.5;
            }
            std::mem::swap(&mut self.y, &mut self.trial);
        }
        STEP_LIMIT
    }

    /// The right side in `step` becomes the Newton step; returns how steeply the objective falls along it. None where
    /// that is not a number.
    #[inline(always)]
    fn direct<S: Simd>(&mut self, simd: S, problem: &Problem) -> Option<f64> {
        let n = problem.budgets.len();
        self.exchange(simd, problem);
        self.matrix.resize(n * n, 0.0);
        let total = self.drawn.total();
        for i in 0..n {
            for j in i..n {
                self.matrix[i * n + j] = self.y[i] * self.y[j] * (self.products.get(j, i) / total);
            }
            self.matrix[i * n + i] += problem.budgets[i];
        }
        if !factorise(&mut self.matrix, n) {
            return None;
        }
        // The trial is room for the right side.
        self.trial.copy_from_slice(&self.step);
        substitute(&self.matrix, &mut self.step);
        let slope: f64 = self.trial.iter().zip(&self.step).map(|(gap, u)| gap * u).sum();
        self.step.iter().all(|u| u.is_finite()).then_some(slope)
    }

    /// Rows that changed side enter or leave H.
    #[inline(always)]
    fn exchange<S: Simd>(&mut self, simd: S, problem: &Problem) {
        let outcomes: &[f64] = bytemuck::cast_slice(&self.outcomes);
        // Every row is written, and written over where it stays.
        self.changed.resize(self.held.len() + 1, (0, 0.0));
        let mut found = 0;
        for (row, ((held, outcome), &count)) in (0..).zip(self.held.iter_mut().zip(outcomes).zip(problem.counts)) {
            let below = *outcome < 0.0 && count > 0.0;
            self.changed[found] = (row, if below { count } else { -count });
            found += usize::from(below != *held);
            *held = below;
        }
        self.products.add(simd, &self.drawn, problem.rows, &self.changed[..found]);
    }

    /// Writes d_t'y and g, of y or of the trial, and returns R^2.
    #[inline(always)]
    fn evaluate<S: Simd>(&mut self, simd: S, problem: &Problem, trial: bool) -> f64 {
        let Workspace { drawn, gradient, outcomes, sums, .. } = self;
        let y = if trial { &self.trial } else { &self.y };
        let squares = drawn.shortfalls(simd, problem.rows, y, outcomes, sums);
        let short = sums.last().map_or(0.0, sum);
        for ((g, lanes), offset) in gradient.iter_mut().zip(&*sums).zip(drawn.offsets()) {
            *g = (sum(lanes) + short * offset) / drawn.total();
        }
        squares / drawn.total()
    }
}

#[cfg(test)]
mod tests {
    use super::super::examples::{Case, Sequence, archs, furthest};
    use super::*;
    use crate::methods::downside::Rows;

    fn solved(problem: Problem) -> (Found, Vec<f64>) {
        let mut weights = vec![0.0; problem.budgets.len()];
        (solve(problem, 1e-9, &mut Workspace::default(), &mut weights), weights)
    }

    fn semi_deviation(case: &Case, weights: &[f64]) -> f64 {
        let total: f64 = case.counts.iter().sum();
        let squares = case.outcomes(weights, true).iter().map(|(x, count)| count * x.min(0.0).powi(2)).sum::<f64>();
        (squares / total).sqrt()
    }

    #[test]
    fn one_asset_has_all_the_weight_and_its_own_risk() {
        // About the mean of 1: -3, -1, 0, 4.
        let case = Case::new(&[-2.0, 0.0, 1.0, 5.0], 1);
        let (found, weights) = solved(case.problem());
        assert_eq!((found.status, weights[0], found.rc_error), (Status::Converged, 1.0, 0.0));
        assert!((found.risk - (10.0_f64 / 4.0).sqrt()).abs() < 1e-14);
    }

    #[test]
    fn assets_that_trade_places_are_held_alike() {
        let values = [-0.05, 0.02, 0.02, -0.05, 0.01, 0.03, 0.03, 0.01, -0.01, -0.02, -0.02, -0.01];
        let (found, weights) = solved(Case::new(&values, 2).problem());
        assert!(found.status == Status::Converged && furthest(&weights, &[0.5, 0.5]) < 1e-12, "{weights:?}");
    }

    #[test]
    fn of_symmetric_rows_it_is_volatility_over_the_root_of_two() {
        let mut sequence = Sequence(1);
        for n in [2, 5, 17] {
            let half = sequence.returns(60, n, 3);
            let values: Vec<f64> = half.iter().copied().chain(half.iter().map(|x| -x)).collect();
            let mut case = Case::new(&values, n);
            case.budgets = (0..n).map(|i| (1 + i) as f64 / (n * (n + 1) / 2) as f64).collect();
            let (found, weights) = solved(case.problem());
            assert!(furthest(&weights, &case.parity()) < 1e-9, "n = {n}");
            let variance = case.outcomes(&weights, true).iter().map(|(x, _)| x * x).sum::<f64>() / 120.0;
            assert!((found.risk / (0.5 * variance).sqrt() - 1.0).abs() < 1e-12, "n = {n}");
        }
    }

    #[test]
    fn of_elliptical_returns_it_is_near_volatility_parity() {
        let case = Case::new(&Sequence(2).returns(20_000, 6, 3), 6);
        let (found, weights) = solved(case.problem());
        // Sampling alone tells them apart: a weight is known to about a hundredth of itself.
        assert!(found.steps <= 5 && furthest(&weights, &case.parity()) < 5e-3, "{found:?} {weights:?}");
    }

    #[test]
    fn contributions_are_the_derivatives_of_the_risk() {
        let mut sequence = Sequence(3);
        let mut case = Case::new(&sequence.returns(80, 5, 2), 5);
        case.counts = sequence.counts(80);
        case.units = vec![1.0, 0.01, 3.0, 0.5, 20.0];
        for _ in 0..20 {
            let weights: Vec<f64> = (0..5).map(|i| (0.1 + sequence.next()) / case.units[i]).collect();
            let certified = certify(case.problem(), &weights).unwrap();
            assert!((certified.risk / semi_deviation(&case, &weights) - 1.0).abs() < 1e-12);
            for i in 0..5 {
                let mut moved = [weights.clone(), weights.clone()];
                moved[0][i] *= 1.0 + 1e-6;
                moved[1][i] *= 1.0 - 1e-6;
                let [up, down] = moved.map(|moved| semi_deviation(&case, &moved).ln());
                // The second derivative is of order one, the rounding of the difference 1e-10.
                assert!(((up - down) / 2e-6 - certified.contributions[i]).abs() < 1e-8);
            }
            // Of degree one.
            let tripled: Vec<f64> = weights.iter().map(|w| 3.0 * w).collect();
            let other = certify(case.problem(), &tripled).unwrap();
            assert!((other.risk / certified.risk - 3.0).abs() < 1e-12);
            assert!(furthest(&other.contributions, &certified.contributions) < 1e-12);
        }
    }

    #[test]
    fn certificates_hold_for_returned_weights() {
        let mut sequence = Sequence(4);
        for (rows, n) in [(40, 1), (30, 3), (12, 20), (252, 10), (64, 40), (300, 75)] {
            let mut case = Case::new(&sequence.returns(rows, n, 2), n);
            for _ in 0..4 {
                let (found, weights) = solved(case.problem());
                let certified = certify(case.problem(), &weights).unwrap();
                assert!(found.status == Status::Converged && found.rc_error <= 1e-9, "{rows} x {n}: {found:?}");
                assert!(certified.rc_error <= 1.1e-9 && certified.rc_error >= 0.0);
                assert!((certified.risk / found.risk - 1.0).abs() < 1e-13 && found.steps <= 12, "{found:?}");
                assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-14 && weights.iter().all(|w| *w > 0.0));
                case.counts = sequence.counts(rows);
            }
        }
    }

    #[test]
    fn counting_a_row_is_repeating_it() {
        let mut sequence = Sequence(5);
        let values = sequence.returns(50, 4, 2);
        let mut case = Case::new(&values, 4);
        case.counts = sequence.counts(50);
        let repeated: Vec<f64> = values
            .chunks_exact(4)
            .zip(&case.counts)
            .flat_map(|(row, &count)| std::iter::repeat_n(row, count as usize).flatten().copied())
            .collect();
        let (found, weights) = solved(case.problem());
        let (again, same) = solved(Case::new(&repeated, 4).problem());
        // The sums are the same in another order.
        assert!(furthest(&weights, &same) < 1e-12 && (found.risk / again.risk - 1.0).abs() < 1e-12);
    }

    #[test]
    fn units_change_nothing_else() {
        let mut sequence = Sequence(6);
        let values = sequence.returns(70, 6, 3);
        let mut case = Case::new(&values, 6);
        case.counts = sequence.counts(70);
        let (found, weights) = solved(case.problem());
        for asset in 0..6 {
            for unit in [2.0_f64.powi(-30), 8.0] {
                let scaled = |k: usize| if k % 6 == asset { values[k] * unit } else { values[k] };
                let mut levered = Case::new(&(0..values.len()).map(scaled).collect::<Vec<_>>(), 6);
                levered.counts.clone_from(&case.counts);
                let (other, mut same) = solved(levered.problem());
                same[asset] *= unit;
                let total: f64 = same.iter().sum();
                same.iter_mut().for_each(|w| *w /= total);
                assert_eq!(found.steps, other.steps);
                for (a, b) in weights.iter().zip(&same) {
                    // y is the same to the last bit: a few roundings of the scaling to sum one.
                    assert!((a - b).abs() <= 8.0 * f64::EPSILON * a, "{a} {b}");
                }
                // The unit may be told apart from the values.
                levered.units[asset] = 1.0 / unit;
                let (other, same) = solved(levered.problem());
                assert_eq!((found, &weights), (other, &same));
            }
        }
    }

    #[test]
    fn a_mix_that_never_moves_is_no_solution() {
        let mut sequence = Sequence(7);
        for n in [2, 3, 8] {
            let mut values = sequence.returns(40, n, 2);
            for row in values.chunks_exact_mut(n) {
                row[n - 1] = 0.001 - (0..n - 1).map(|i| (1 + i) as f64 * row[i]).sum::<f64>();
            }
            let mut case = Case::new(&values, n);
            case.units[0] = 7.0;
            let mut work = Workspace::default();
            let mut weights = vec![0.0; n];
            let found = solve(case.problem(), 1e-9, &mut work, &mut weights);
            assert_eq!(found.status, Status::NoSolution, "n = {n}: {found:?}");
            assert!(weights.iter().all(|w| w.is_nan()) && found.rc_error.is_nan() && found.risk.is_nan());
            let direction = work.direction();
            assert!((direction.iter().sum::<f64>() - 1.0).abs() < 1e-12 && direction.iter().all(|d| *d >= 0.0));
            let largest = case.outcomes(direction, true).iter().fold(0.0_f64, |m, (x, _)| m.max(x.abs()));
            // Variances are told from rounding down to 32 n eps: volatilities down to 2e-7 of those of assets.
            assert!(largest < 1e-7, "n = {n}: {largest}");
            // The proof of one problem is not that of the next.
            solve(Case::new(&sequence.returns(40, n, 2), n).problem(), 1e-9, &mut work, &mut weights);
            assert!(work.direction().is_empty());
        }
    }

    #[test]
    fn what_is_no_problem_is_invalid() {
        let mut sequence = Sequence(8);
        let values = sequence.returns(30, 3, 2);
        let case = || Case::new(&values, 3);
        let change: [fn(&mut Case); 10] = [
            |case| case.counts.fill(0.0),
            |case| case.counts[3] = -1.0,
            |case| case.counts[3] = f64::NAN,
            |case| case.counts.truncate(20),
            |case| case.budgets[0] = 0.0,
            |case| case.budgets = vec![0.5; 3],
            |case| case.budgets = vec![0.5; 2],
            |case| case.units[1] = 0.0,
            |case| case.units[1] = f64::INFINITY,
            // One row alone: nothing moves.
            |case| case.counts.iter_mut().skip(1).for_each(|count| *count = 0.0),
        ];
        for (at, change) in change.into_iter().enumerate() {
            let mut case = case();
            change(&mut case);
            let (found, weights) = solved(case.problem());
            assert_eq!(found.status, Status::Invalid, "{at}");
            assert!(weights.iter().all(|w| w.is_nan()) && certify(case.problem(), &[1.0; 3]).is_none(), "{at}");
        }
        let mut flat = values.clone();
        flat.iter_mut().skip(1).step_by(3).for_each(|x| *x = 0.1 + 0.2);
        assert_eq!(solved(Case::new(&flat, 3).problem()).0.status, Status::Invalid);
        // A start that is none is not used.
        let case = case();
        let start = [f64::NAN, 1.0, 1.0];
        assert_eq!(solved(Problem { start: Some(&start), ..case.problem() }), solved(case.problem()));
        assert!(Rows::new(&[1.0, f64::NAN], 1).is_none() && Rows::new(&[], 2).is_none());
    }

    #[test]
    fn what_was_solved_before_does_not_matter() {
        let mut sequence = Sequence(9);
        let mut work = Workspace::default();
        for (rows, n) in [(200, 30), (20, 3), (9, 1), (64, 12), (33, 45), (500, 2)] {
            let case = Case::new(&sequence.returns(rows, n, 2), n);
            let mut weights = vec![0.0; n];
            let found = solve(case.problem(), 1e-9, &mut work, &mut weights);
            assert_eq!((found, weights), solved(case.problem()));
        }
    }

    #[test]
    fn every_problem_ends() {
        let mut sequence = Sequence(10);
        for case in 0..3000 {
            let (rows, n) = (1 + case % 11, 1 + case % 7);
            // Of few values: duplicates, assets that do not move, mixes that do not.
            let values: Vec<f64> = (0..rows * n).map(|_| (sequence.next() * 4.0).floor() - 1.5).collect();
            let mut case = Case::new(&values, n);
            case.counts.iter_mut().for_each(|count| *count = (sequence.next() * 3.0).floor());
            let (found, weights) = solved(case.problem());
            if found.status == Status::Converged {
                let certified = certify(case.problem(), &weights).unwrap();
                assert!(certified.rc_error <= 1.1e-9 && certified.risk > 0.0, "{values:?}");
            } else {
                assert_ne!(found.status, Status::Stalled, "{rows} x {n}: {values:?} {:?}", case.counts);
            }
        }
    }

    #[test]
    fn vector_instructions_change_the_last_bits_alone() {
        let mut sequence = Sequence(11);
        for (rows, n) in [(37, 3), (200, 9), (300, 33)] {
            let mut case = Case::new(&sequence.returns(rows, n, 2), n);
            case.counts = sequence.counts(rows);
            let (found, weights) = solved(case.problem());
            for arch in archs() {
                let (mut work, mut same) = (Workspace::default(), vec![0.0; n]);
                let (work, same) = (&mut work, &mut same);
                let problem = case.problem();
                let other = arch.dispatch(Solve { problem, tolerance: 1e-9, work, weights: same });
                assert_eq!((found.status, found.steps), (other.status, other.steps));
                assert!(furthest(&weights, same) < 1e-12 && (found.risk / other.risk - 1.0).abs() < 1e-12);
            }
        }
    }
}
