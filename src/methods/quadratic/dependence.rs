//! Assets that depend on others held. Where the pivot of asset j is at most 1e-12, the direction d with d_j = 1 and
//! C d = 0 among the assets before j has almost no variance, and F changes along it by its slope alone:
//!
//! ```text
//! F(y + t d) - F(y) = -s t + 1/2 pivot t^2,      s = d'(l - C y),  d'C d = pivot
//! d >= 0 without variance:  a mix that lowers F for ever
//! s = 0:    both are optimal or neither: y <- y - t d until j, the later asset, is at zero, or one before it
//! s != 0:   y <- y + t sign(s) d until an asset is at zero; where the minimum comes first, the pivot is used as it is
//! ```
//!
//! Nothing that leaves this way is lost: an asset that is worth holding enters again.

use super::active_set::{ActiveSet, Factored, RESOLVED, ROUNDING};
use super::existence::has_no_variance;
use crate::methods::linear::{add, dot};

impl ActiveSet {
    /// Moves y along the direction of the k-th asset held, whose pivot is at most 1e-12; none where the pivot will do.
    #[cold]
    pub fn leave(
        &mut self,
        k: usize,
        pivot: f64,
        correlation: &[f64],
        linear: &[f64],
        y: &mut [f64],
    ) -> Option<Factored> {
        let n = y.len();
        let d = self.direction(k);
        let held = &self.held[..=k];
        let mut mix = vec![0.0; n];
        held.iter().zip(&d).for_each(|(&i, d)| mix[i] = d.max(0.0));
        if has_no_variance(correlation, &mix) {
            y.copy_from_slice(&mix);
            return Some(Factored::Unbounded);
        }
        let (mut slope, mut size, mut length) = (0.0, 0.0, 0.0);
        for (&i, d) in held.iter().zip(&d) {
            slope += d * (linear[i] - dot(&correlation[i * n..(i + 1) * n], y));
            size += d.abs() * linear[i];
            length += d.abs();
        }
        let tied = slope.abs() <= (RESOLVED * size).max(ROUNDING * length * y.iter().sum::<f64>());
        let sign = if tied || slope < 0.0 { -1.0 } else { 1.0 };

        // Among equals the lower index leaves, but j itself before all others in a tie: it comes last.
        let mut first: Option<(f64, usize)> = None;
        for (&i, d) in held.iter().zip(&d).filter(|(_, d)| sign * **d < 0.0) {
            let t = y[i] / d.abs();
            if first.is_none_or(|(least, _)| t < least || t == least && tied && i == held[k]) {
                first = Some((t, i));
            }
        }
        let minimum = if pivot > 0.0 { slope.abs() / pivot } else { f64::INFINITY };
        // Without a pivot and without an end the direction is rounding: j has nothing to add.
        let (t, asset) = match first {
            Some((t, asset)) if tied || t < minimum => (t, asset),
            _ if pivot > 0.0 => return None,
            _ => (0.0, held[k]),
        };
        for (&i, d) in held.iter().zip(&d) {
            y[i] = (y[i] + t * sign * d).max(0.0);
        }
        y[asset] = 0.0;
        Some(Factored::Left(asset))
    }

    /// d_j = 1 for the k-th asset held, d = -C^-1 C_j for those before it, through its column of U.
    fn direction(&mut self, k: usize) -> Vec<f64> {
        let m = self.held.len();
        let right = (0..k).map(|i| -self.factor[i * m + k]).collect();
        let kept = std::mem::replace(&mut self.solution, right);
        self.back_substitute(k);
        let mut d = std::mem::replace(&mut self.solution, kept);
        d.push(1.0);
        d
    }

    /// What would be the pivot of an asset that is not held; `solution` holds d = -C_PP^-1 C_P,i.
    pub fn depend(&mut self, correlation: &[f64], n: usize, asset: usize) -> f64 {
        let row = &correlation[asset * n..(asset + 1) * n];
        self.forward_substitute(row);
        let pivot = row[asset] - dot(&self.solution, &self.solution);
        self.solution.iter_mut().for_each(|x| *x = -*x);
        self.back_substitute(self.held.len());
        pivot
    }

    /// Solves U'u = row_P into `solution`.
    pub fn forward_substitute(&mut self, row: &[f64]) {
        let m = self.held.len();
        self.solution.clear();
        self.solution.extend(self.held.iter().map(|&j| row[j]));
        for k in 0..m {
            let own = &self.factor[k * m + k..(k + 1) * m];
            let (solved, rest) = self.solution.split_at_mut(k + 1);
            solved[k] *= own[0];
            add(rest, -solved[k], &own[1..]);
        }
    }
}
