//! The exact end of the quadratic program: an active set (Lawson & Hanson 1974) over the assets held, P = {y > 0}.
//!
//! ```text
//! repeat:  solve C_PP z = l_P, by C_PP = U'U
//!          some z_i <= 0:  y <- y + t (z - y), t = min y_i / (y_i - z_i) over those; the i of the minimum leaves P
//!          else:           y <- z; the i outside P of the least (C y)_i / l_i enters, where that is below 1
//! ties: the lower index
//! ```
//!
//! Assets that depend on others held leave before z is used, see [`dependence`](super::dependence).

use super::descent::multiply;
use crate::methods::linear::{add, dot};

/// At or below this pivot an asset depends on those before it.
pub const DEPENDENT: f64 = 1e-12;

/// An asset is missing where it lacks more than this share of l, and more than the rounding of C y.
pub const RESOLVED: f64 = 1e-12;

/// The rounding of (C y)_i, in units of sum_j |C_ij| y_j.
pub const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Factorisations per asset before the search ends where it is.
const LIMIT: usize = 3;

/// The assets held and the factor of their correlations.
#[derive(Debug, Clone, Default)]
pub struct ActiveSet {
    /// P, in rising order.
    pub held: Vec<usize>,
    /// U, |P| x |P|, row-major; below the diagonal of no meaning. The diagonal holds 1 / U_ii.
    pub factor: Vec<f64>,
    /// The right side of a system in U, then its solution.
    pub solution: Vec<f64>,
    /// Assets that entered and left without a step: rounding alone called them in.
    barred: Vec<bool>,
}

/// How a factorisation ended.
pub enum Factored {
    /// `solution` holds z.
    Solved,
    /// y has moved along dependent assets until this one was at zero.
    Left(usize),
    /// y is a mix without variance: F falls along it without bound.
    Unbounded,
}

impl ActiveSet {
    /// Minimises from the current y, by which assets are held. Returns the number of factorisations and whether the end
    /// is the minimum: the factor is then that of the assets held. `product` holds a fresh C y.
    #[inline(always)]
    pub fn minimise(&mut self, correlation: &[f64], linear: &[f64], y: &mut [f64], product: &mut [f64]) -> (u32, bool) {
        let n = y.len();
        self.held.clear();
        self.held.extend((0..n).filter(|&i| y[i] > 0.0));
        self.barred.clear();
        self.barred.resize(n, false);
        let mut entered = None;
        let mut factorisations = 0;
        while factorisations < LIMIT * n {
            factorisations += 1;
            let left = match self.factorise(correlation, linear, y) {
                Factored::Solved => self.step(y),
                Factored::Left(asset) => Some(asset),
                Factored::Unbounded => break,
            };
            if let Some(asset) = left {
                self.held.retain(|&i| i != asset);
                self.barred[asset] = entered == Some(asset);
                continue;
            }
            multiply(correlation, y, product);
            entered = self.missing(correlation, linear, y, product);
            let Some(asset) = entered else { return (factorisations as u32, true) };
            self.held.insert(self.held.partition_point(|&i| i < asset), asset);
        }
        multiply(correlation, y, product);
        (factorisations as u32, false)
    }

    /// C_PP = U'U and the solution of C_PP z = l_P, row after row; the right side is one more column.
    #[inline(always)]
    fn factorise(&mut self, correlation: &[f64], linear: &[f64], y: &mut [f64]) -> Factored {
        let (n, m) = (y.len(), self.held.len());
        self.factor.resize(m * m, 0.0);
        self.solution.resize(m, 0.0);
        for (k, &i) in self.held.iter().enumerate() {
            let row = &correlation[i * n..(i + 1) * n];
            for (x, &j) in self.factor[k * m..(k + 1) * m][k..].iter_mut().zip(&self.held[k..]) {
                *x = row[j];
            }
            self.solution[k] = linear[i];
        }
        for k in 0..m {
            let pivot = self.factor[k * m + k];
            if pivot <= DEPENDENT
                && let Some(end) = self.leave(k, pivot, correlation, linear, y)
            {
                return end;
            }
            let (above, below) = self.factor.split_at_mut((k + 1) * m);
            let row = &mut above[k * m + k..];
            let scale = pivot.sqrt().recip();
            for x in &mut row[1..] {
                *x *= scale;
            }
            row[0] = scale;
            let (solved, rest) = self.solution.split_at_mut(k + 1);
            solved[k] *= scale;
            add(rest, -solved[k], &row[1..]);
            for (r, out) in below.chunks_exact_mut(m).enumerate() {
                add(&mut out[k + 1 + r..], -row[1 + r], &row[1 + r..]);
            }
        }
        self.back_substitute(m);
        Factored::Solved
    }

    /// Solves U z = `solution` for the first `size` assets held.
    #[inline(always)]
    pub fn back_substitute(&mut self, size: usize) {
        let m = self.held.len();
        for k in (0..size).rev() {
            let row = &self.factor[k * m..(k + 1) * m];
            let (first, rest) = self.solution[k..size].split_at_mut(1);
            first[0] = (first[0] - dot(&row[k + 1..size], rest)) * row[k];
        }
    }

    /// y <- y + t (z - y): all the way, or until the first asset is at zero, which leaves.
    #[inline(always)]
    fn step(&self, y: &mut [f64]) -> Option<usize> {
        let mut first: Option<(f64, usize)> = None;
        for (&i, &z) in self.held.iter().zip(&self.solution) {
            if z <= 0.0 {
                let t = if y[i] > 0.0 { y[i] / (y[i] - z) } else { 0.0 };
                if first.is_none_or(|(least, _)| t < least) {
                    first = Some((t, i));
                }
            }
        }
        for (&i, &z) in self.held.iter().zip(&self.solution) {
            y[i] = match first {
                Some((t, _)) => (y[i] + t * (z - y[i])).max(0.0),
                None => z,
            };
        }
        let (_, asset) = first?;
        y[asset] = 0.0;
        Some(asset)
    }

    /// The asset whose holding would lower F the most, relative to l: least (C y)_i / l_i, below 1 beyond rounding.
    #[inline(always)]
    fn missing(&self, correlation: &[f64], linear: &[f64], y: &[f64], product: &[f64]) -> Option<usize> {
        let n = y.len();
        let (mut least, mut asset) = (1.0 - RESOLVED, None);
        for i in 0..n {
            let ratio = product[i] / linear[i];
            if ratio < least && y[i] == 0.0 && !self.barred[i] {
                let size: f64 = correlation[i * n..(i + 1) * n].iter().zip(y).map(|(c, y)| c.abs() * y).sum();
                if linear[i] - product[i] > ROUNDING * size {
                    (least, asset) = (ratio, Some(i));
                }
            }
        }
        asset
    }
}
