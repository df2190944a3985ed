//! Is the optimal portfolio the only one? At an optimum y of assets P, others are optimal exactly where a direction
//! d != 0 leads to them:
//!
//! ```text
//! C d = 0,   d_i >= 0 for i in W = {i outside P: (C y)_i = l_i},   d_i = 0 for other i outside P
//! ```
//!
//! C_PP is positive definite, so d is given by its part in W: with the Schur complement S = C_WW - C_WP C_PP^-1 C_PW of
//! the assets held, S d_W = 0. Most problems have no W. One asset of W alone decides where S_ii = 0; it then takes
//! the place of a later asset held, so that of dependent assets the first is held. What is left to decide is whether
//! assets of W mix without variance, which is the program itself, for S and l = 1.

use super::active_set::{ActiveSet, DEPENDENT, RESOLVED, ROUNDING};
use super::descent::{descend, multiply};
use crate::methods::linear::dot;

/// Assets within this share of l of being held are as good as those held: the gap does not tell them apart.
const TIED: f64 = 1e-9;

/// What a look around an optimum found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Optimum {
    Unique,
    Several,
    /// y has moved to another optimum, which holds an earlier asset.
    Earlier,
}

/// Looks for other optima beside y, the minimum that `set` has found; `product` holds C y.
#[inline(always)]
pub fn look(set: &mut ActiveSet, correlation: &[f64], linear: &[f64], y: &mut [f64], product: &[f64]) -> Optimum {
    let rounding = ROUNDING * y.iter().sum::<f64>();
    let near = |i: usize, share: f64| y[i] == 0.0 && product[i] - linear[i] <= rounding.max(share * linear[i]);
    if !(0..y.len()).any(|i| near(i, TIED)) {
        return Optimum::Unique;
    }
    let tied: Vec<Tied> =
        (0..y.len()).filter(|&i| near(i, TIED)).map(|i| Tied { asset: i, equal: near(i, RESOLVED) }).collect();
    among(&tied, set, correlation, y)
}

/// An asset of W.
struct Tied {
    asset: usize,
    /// It may take the place of a later asset: the active set will not call that one back.
    equal: bool,
}

#[cold]
fn among(tied: &[Tied], set: &mut ActiveSet, correlation: &[f64], y: &mut [f64]) -> Optimum {
    let n = y.len();
    let mut several = false;
    for &Tied { asset, equal } in tied {
        if set.depend(correlation, n, asset) > DEPENDENT {
            continue;
        }
        several = true;
        if !equal {
            continue;
        }
        let mut first: Option<(f64, usize)> = None;
        for (&d, &i) in set.solution.iter().zip(&set.held) {
            if d < 0.0 && first.is_none_or(|(least, _)| y[i] / -d < least) {
                first = Some((y[i] / -d, i));
            }
        }
        if let Some((t, leaving)) = first.filter(|&(_, leaving)| leaving > asset) {
            for (&d, &i) in set.solution.iter().zip(&set.held) {
                y[i] = (y[i] + t * d).max(0.0);
            }
            y[asset] = t;
            y[leaving] = 0.0;
            return Optimum::Earlier;
        }
    }
    if several || tied.len() > 1 && mix_without_variance(tied, set, correlation, n) {
        return Optimum::Several;
    }
    Optimum::Unique
}

/// Whether d >= 0, d != 0 with S d = 0 exists: the least variance over the simplex, S scaled to a unit diagonal.
fn mix_without_variance(tied: &[Tied], set: &mut ActiveSet, correlation: &[f64], n: usize) -> bool {
    let m = tied.len();
    let mut columns = Vec::new();
    for &Tied { asset, .. } in tied {
        set.forward_substitute(&correlation[asset * n..(asset + 1) * n]);
        columns.push(set.solution.clone());
    }
    let mut schur = vec![0.0; m * m];
    for a in 0..m {
        for b in 0..m {
            schur[a * m + b] = correlation[tied[a].asset * n + tied[b].asset] - dot(&columns[a], &columns[b]);
        }
    }
    let scale: Vec<f64> = (0..m).map(|a| schur[a * m + a].sqrt()).collect();
    for a in 0..m {
        for b in 0..m {
            schur[a * m + b] = if a == b { 1.0 } else { schur[a * m + b] / (scale[a] * scale[b]) };
        }
    }
    let (ones, mut d, mut product) = (vec![1.0; m], vec![0.0; m], vec![0.0; m]);
    descend(&schur, &ones, 0.0, &mut d, &mut product);
    ActiveSet::default().minimise(&schur, &ones, &mut d, &mut product);
    multiply(&schur, &d, &mut product);
    dot(&d, &product) <= DEPENDENT * d.iter().sum::<f64>().powi(2)
}
