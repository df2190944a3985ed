//! One large problem in two precisions: stages `descend` and `certify` of [`super::descent`] and [`super::certificate`]
//! with sweeps in f32 and residuals in f64 (iterative refinement: Wilkinson 1963; Higham 2002, chapter 12).
//!
//! ```text
//! descend   on the f32 correlations until the error is near the f32 floor
//! certify   in f64: w as returned, S w, rc_error            done where it meets the tolerance
//! correct   (C + diag(b / y^2)) d = b / y - C y             residual in f64, solved for d by Gauss-Seidel sweeps in f32
//!           y <- y + d, and certify again
//! ```
//!
//! Sweeps go backward and forward in turn, each over the lower triangle alone: see [`super::interleaved`].
//!
//! The f32 matrix is half the size and nothing returned depends on its rounding: weights come with the f64 certificate,
//! and what does not meet it is left to [`super::solve`].

use std::ops::{Deref, DerefMut};

use bytemuck::{Pod, Zeroable};
use pulp::Arch;

use super::{AIM, FLOOR, Options, condition_bound};
use crate::lanes::{LANES, Lanes};
use crate::philox::philox4x32;
use refinement::{Certify, Correct};
use scaling::Scale;
use sweeps::Descend;

mod refinement;
mod scaling;
mod sweeps;

/// Entries of a line: the f32 of a vector of AVX-512, the f64 of two.
const LINE: usize = 16;

/// Rows that share a pass over the product.
const BLOCK: usize = 4;

/// Corrections at most.
const CORRECTIONS: u32 = 3;

/// A line of f32, so that every row starts a cache line.
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Numbers that start a cache line, padded to whole ones: a vector that crosses the end of a line takes twice as long.
#[derive(Debug, Clone, Default)]
struct Singles(Vec<Line>);

/// The same in double precision.
#[derive(Debug, Clone, Default)]
struct Doubles(Vec<Lanes>);

impl Deref for Singles {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for Singles {
    fn deref_mut(&mut self) -> &mut [f32] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

impl Deref for Doubles {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        bytemuck::cast_slice(&self.0)
    }
}

impl DerefMut for Doubles {
    fn deref_mut(&mut self) -> &mut [f64] {
        bytemuck::cast_slice_mut(&mut self.0)
    }
}

/// Room for one problem of n assets; vectors are padded to whole lines.
#[derive(Debug, Clone, Default)]
pub struct Mixed {
    assets: usize,
    /// Rows of correlations before the diagonal, zeros to the end of their line; what is beyond is of no use. The rows, too,
    /// are padded to whole lines, with zeros.
    correlation: Vec<Line>,
    /// Of every row what follows the diagonal in its line, zeros before, and the line after.
    ahead: Vec<[Line; 2]>,
    y: Singles,
    /// sum_{j<i} C_ij y_j, and `base` + sum_{j>i} C_ij y_j.
    below: Singles,
    above: Singles,
    base: Singles,
    slopes: Singles,
    /// b, and 1 / b; zero where padded.
    budgets: Singles,
    inverse_budgets: Singles,
    /// Of a correction: b / y^2, y / b, and the change of y.
    curvature: Singles,
    scale: Singles,
    change: Singles,
    /// The portfolio x in the units of the matrix: w_i for a covariance, w_i sigma_i for correlations; and x_i / w_i.
    portfolio: Doubles,
    units: Doubles,
    /// Square roots of the diagonal of the matrix, and one over these.
    volatilities: Doubles,
    inverses: Doubles,
    /// r, fixed numbers in (1/2, 3/2); r / sigma; C r and C' r.
    probe: Doubles,
    factors: Doubles,
    rows: Doubles,
    columns: Doubles,
    /// M x, M the matrix.
    product: Doubles,
}

/// The matrix of a problem.
#[derive(Debug, Clone, Copy)]
pub enum Matrix<'a> {
    /// A covariance as it was given: all but its definiteness is looked at.
    Given(&'a [f64]),
    /// Correlations that were made here, symmetric and of unit diagonal, and the volatilities.
    Made { correlation: &'a [f64], volatilities: &'a [f64] },
}

/// Calls for lines of f32 in so many vectors of the machine.
macro_rules! in_lines {
    ($S:ident, $V:ident => $call:expr) => {
        match $crate::methods::risk_budgeting::mixed::LINE / $S::F32_LANES {
            1 => {
                const $V: usize = 1;
                $call
            }
            2 => {
                const $V: usize = 2;
                $call
            }
            4 => {
                const $V: usize = 4;
                $call
            }
            _ => {
                const $V: usize = $crate::methods::risk_budgeting::mixed::LINE;
                $call
            }
        }
    };
}
use in_lines;

/// A problem that is solved, certified, and well clear of the rounding floor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Solved {
    pub rc_error: f64,
    pub sweeps: u32,
    pub volatility: f64,
}

impl Mixed {
    /// Solves for the n x n `matrix`, whose definiteness is taken for granted, and writes the weights. None where the
    /// input is suspicious or the problem hard: it needs a closer look, and `weights` hold nothing.
    pub fn solve(
        &mut self,
        arch: Arch,
        matrix: Matrix,
        budgets: &[f64],
        options: Options,
        weights: &mut [f64],
    ) -> Option<Solved> {
        let n = budgets.len();
        self.resize(budgets);
        // Each a call of its own: the compiler does better by small functions.
        let (matrix, asymmetry) = match matrix {
            Matrix::Given(covariance) => {
                self.units[..n].fill(1.0);
                (covariance, arch.dispatch(Scale::<true> { room: self, matrix: covariance })?)
            }
            Matrix::Made { correlation, volatilities } => {
                self.units[..n].copy_from_slice(volatilities);
                (correlation, arch.dispatch(Scale::<false> { room: self, matrix: correlation })?)
            }
        };
        let mut sweeps = arch.dispatch(Descend { room: self })?;
        for i in 0..n {
            self.portfolio[i] = f64::from(self.y[i]) * self.inverses[i];
        }
        for correction in 0..=CORRECTIONS {
            for i in 0..n {
                weights[i] = self.portfolio[i] / self.units[i];
            }
            let total: f64 = weights.iter().sum();
            for i in 0..n {
                weights[i] /= total;
                // From the weights as they are returned.
                self.portfolio[i] = weights[i] * self.units[i];
            }
            let (rc_error, variance) = arch.dispatch(Certify { room: self, matrix, budgets });
            if !(variance > 0.0 && rc_error.is_finite()) {
                return None;
            }
            if rc_error <= options.tolerance {
                let x = self.portfolio[..n].iter().zip(self.volatilities.iter()).map(|(x, s)| x * s);
                // The product may be that of S or of S': what they differ by counts like rounding.
                let sound = FLOOR.max(asymmetry) * condition_bound(x, budgets, variance) <= options.tolerance;
                return sound.then_some(Solved { rc_error, sweeps, volatility: variance.sqrt() });
            }
            if correction < CORRECTIONS {
                let aim = AIM * options.tolerance;
                sweeps += arch.dispatch(Correct { room: self, budgets, aim, variance })?;
            }
        }
        None
    }

    /// 1 / sigma of the problem tried last.
    pub fn inverses(&self) -> &[f64] {
        &self.inverses[..self.assets]
    }

    fn resize(&mut self, budgets: &[f64]) {
        let n = budgets.len();
        let padded = n.next_multiple_of(LINE);
        if self.assets != n {
            *self = Mixed { assets: n, ..Mixed::default() };
            self.correlation.resize(padded * padded / LINE, Line::zeroed());
            self.ahead.resize(padded, [Line::zeroed(); 2]);
            let Mixed { y, below, above, base, slopes, budgets, inverse_budgets, .. } = self;
            for vector in [y, below, above, base, slopes, budgets, inverse_budgets] {
                vector.0.resize(padded / LINE, Line::zeroed());
            }
            let Mixed { curvature, scale, change, .. } = self;
            for vector in [curvature, scale, change] {
                vector.0.resize(padded / LINE, Line::zeroed());
            }
            let Mixed { portfolio, units, volatilities, inverses, probe, factors, rows, columns, product, .. } = self;
            for vector in [portfolio, units, volatilities, inverses, probe, factors, rows, columns, product] {
                vector.0.resize(padded / LANES, Lanes::default());
            }
            let words = (0..).flat_map(|q| philox4x32([q, 0, 0, 0], [0, 0]));
            for (r, word) in self.probe.iter_mut().zip(words) {
                *r = 0.5 + f64::from(word) / f64::from(u32::MAX);
            }
        }
        self.budgets.fill(0.0);
        self.inverse_budgets.fill(0.0);
        for (i, &b) in budgets.iter().enumerate() {
            self.budgets[i] = b as f32;
            self.inverse_budgets[i] = b.recip() as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::certificate::Status;
    use crate::methods::risk_budgeting::{Problem, Workspace, solve, validity};

    /// The covariance of two factors and some noise, volatilities a hundredfold apart.
    fn covariance(n: usize) -> Vec<f64> {
        let volatility = |i: usize| 0.01 * 100.0_f64.powf(i as f64 / n as f64);
        let loading = |i: usize| [0.7, 0.4 * (i as f64).sin()];
        let correlation = |i: usize, j: usize| {
            let ([a, b], [c, d]) = (loading(i), loading(j));
            if i == j { 1.0 } else { a * c + b * d }
        };
        (0..n * n).map(|at| correlation(at / n, at % n) * volatility(at / n) * volatility(at % n)).collect()
    }

    fn try_mixed(matrix: Matrix, budgets: &[f64]) -> Option<(Vec<f64>, Solved)> {
        let mut weights = vec![0.0; budgets.len()];
        let mut room = Mixed::default();
        let solved = room.solve(Arch::new(), matrix, budgets, Options::default(), &mut weights)?;
        Some((weights, solved))
    }

    #[test]
    fn the_solution_is_that_of_the_descent_in_double_precision() {
        for n in [5, 16, 113, 129, 200] {
            let covariance = covariance(n);
            let sum = (1..=n).sum::<usize>() as f64;
            let budgets: Vec<f64> = (1..=n).map(|i| i as f64 / sum).collect();
            let (weights, solved) = try_mixed(Matrix::Given(&covariance), &budgets).expect("an ordinary problem");
            assert!(solved.rc_error <= 1e-8);

            let (mut correlation, mut volatilities) = (vec![0.0; n * n], vec![0.0; n]);
            validity::check(&covariance, false, &mut correlation, &mut volatilities).unwrap();
            let matrix = Matrix::Made { correlation: &correlation, volatilities: &volatilities };
            let (made, certified) = try_mixed(matrix, &budgets).expect("the same problem");
            assert!(certified.rc_error <= 1e-8);
            let mut expected = vec![0.0; n];
            let problem = Problem {
                correlation: &correlation,
                volatilities: &volatilities,
                budgets: &budgets,
                covariance: Some(&covariance),
            };
            let options = Options { finish: true, ..Options::default() };
            let certificate = solve(problem, options, &mut Workspace::default(), &mut expected);
            assert_eq!(certificate.status, Status::Converged);
            for (weights, solved) in [(&weights, solved), (&made, certified)] {
                for (w, e) in weights.iter().zip(&expected) {
                    // Contributions within 1e-8 of their budgets hold the weights of a well-conditioned problem as tightly.
                    assert!((w / e - 1.0).abs() <= 2e-8, "n = {n}: {w} {e}");
                }
                assert!((solved.volatility / certificate.volatility - 1.0).abs() <= 1e-8);
            }
        }
    }

    #[test]
    fn matrices_that_are_no_covariances_are_left_alone() {
        let n = 120;
        let sound = covariance(n);
        let budgets = vec![1.0 / n as f64; n];
        assert!(try_mixed(Matrix::Given(&sound), &budgets).is_some());
        let spoilt = |at: usize, value: f64| {
            let mut matrix = sound.clone();
            matrix[at] = value;
            try_mixed(Matrix::Given(&matrix), &budgets)
        };
        let pair = 7 * n + 90;
        // One entry away from its mirror image by far more than rounding; beyond one; not a number; no variance.
        assert!(spoilt(pair, sound[pair] * (1.0 + 1e-9)).is_none());
        assert!(spoilt(pair, f64::NAN).is_none());
        assert!(spoilt(pair, f64::INFINITY).is_none());
        assert!(spoilt(7 * n + 7, 0.0).is_none());
        assert!(spoilt(7 * n + 7, -1.0).is_none());
        let mut beyond = sound.clone();
        beyond[1] = 1.001 * (sound[0] * sound[n + 1]).sqrt();
        beyond[n] = beyond[1];
        assert!(try_mixed(Matrix::Given(&beyond), &budgets).is_none());
    }

    #[test]
    fn hedged_assets_are_left_to_others() {
        // Pairs that cancel to 1e-12: single precision cannot tell them from riskless ones.
        let n = 120;
        let covariance: Vec<f64> = (0..n * n)
            .map(|at| match (at / n, at % n) {
                (i, j) if i == j => 1.0,
                (i, j) if i / 2 == j / 2 => -1.0 + 1e-12,
                _ => 0.0,
            })
            .collect();
        let budgets = vec![1.0 / n as f64; n];
        assert!(try_mixed(Matrix::Given(&covariance), &budgets).is_none());
        let matrix = Matrix::Made { correlation: &covariance, volatilities: &vec![0.01; n] };
        assert!(try_mixed(matrix, &budgets).is_none());
    }
}
