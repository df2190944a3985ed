//! How far weights are from the best within limits: stage `certify` with limits.
//!
//! ```text
//! kkt_error = max_i |s_i - b_i + w_i (nu + z_i + m_g(i) + sum_k a_ki m_k + eta_i)| / b_i
//! ```
//!
//! over the assets whose weight is not given, and over every violated limit and |sum w - 1|. Signs of z, m and eta are
//! those of [`Multipliers`]. It bounds the weights: sqrt(sum b_i (dw_i / w_i)^2) <= kkt_error to first order, up to a
//! common factor of w.
//!
//! nu and m_g follow from the weights. With F the free assets of a block (a group at its limit, or all others),
//!
//! ```text
//! nu + m_g = - sum_F (s_i - b_i) / sum_F w_i
//! ```
//!
//! and without free assets it is the middle of the interval that the signs of z leave. Multipliers of rows and of turnover
//! are the solver's.

use super::problem::Multipliers;
use crate::methods::limits::Limits;

/// Where a weight is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum At {
    #[default]
    Free,
    Least,
    Most,
    /// Its least weight is its largest.
    Pinned,
    /// Where it was before, under a limit on turnover.
    Previous,
}

/// Which limit of a group or a row its sum is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum End {
    #[default]
    Inside,
    Least,
    Most,
    Both,
}

impl End {
    /// Of a sum that differs from a limit by so much at most.
    pub fn of(sum: f64, least: f64, most: f64, rounding: f64) -> End {
        match (sum <= least + rounding, sum >= most - rounding) {
            (false, false) => End::Inside,
            (true, false) => End::Least,
            (false, true) => End::Most,
            (true, true) => End::Both,
        }
    }

    /// A multiplier with the sign that it may have here.
    pub fn project(self, multiplier: f64) -> f64 {
        match self {
            End::Inside => 0.0,
            End::Least => multiplier.min(0.0),
            End::Most => multiplier.max(0.0),
            End::Both => multiplier,
        }
    }
}

/// Rounding of a sum of weights that is at its limit.
pub const ROUNDING: f64 = 1e-13;

/// Room to certify in.
#[derive(Debug, Clone, Default)]
pub struct Workspace {
    /// s_i - b_i, with what rows and turnover add.
    left: Vec<f64>,
    ends: Vec<End>,
    blocks: Vec<Block>,
}

/// Values that a multiplier may have.
#[derive(Debug, Clone, Copy)]
struct Block {
    left: f64,
    held: f64,
    low: f64,
    high: f64,
}

impl Block {
    const EMPTY: Block = Block { left: 0.0, held: 0.0, low: f64::NEG_INFINITY, high: f64::INFINITY };

    /// The interval that the signs leave, or the mean of the free assets.
    fn interval(&self) -> (f64, f64) {
        if self.held > 0.0 {
            let mean = -self.left / self.held;
            return (mean, mean);
        }
        (self.low, self.high)
    }
}

/// The middle of an interval, its finite end, or zero.
fn middle(low: f64, high: f64) -> f64 {
    match (low.is_finite(), high.is_finite()) {
        (true, true) => 0.5 * (low + high),
        (true, false) => low.max(0.0),
        (false, true) => high.min(0.0),
        (false, false) => 0.0,
    }
}

/// The portfolio that is certified, and what the solver knows of it.
#[derive(Debug, Clone, Copy)]
pub struct Portfolio<'a> {
    pub weights: &'a [f64],
    /// Risk shares s.
    pub shares: &'a [f64],
    pub budgets: &'a [f64],
    pub at: &'a [At],
    pub limits: &'a Limits,
    /// Of each asset, the number of its group; the number of groups where it has none.
    pub group_of: &'a [usize],
}

/// The error, with the multipliers that give it: those of rows and turnover come in, the others are written.
#[inline(always)]
pub fn certify(portfolio: Portfolio, multipliers: &mut Multipliers, work: &mut Workspace) -> f64 {
    let Portfolio { weights, shares, budgets, at, limits, group_of } = portfolio;
    let n = weights.len();
    let Workspace { left, ends, blocks } = work;
    left.clear();
    left.extend(shares.iter().zip(budgets).map(|(share, budget)| share - budget));
    let total: f64 = weights.iter().sum();
    let mut error = (total - 1.0).abs();
    for ((&w, &least), &most) in weights.iter().zip(&limits.least).zip(&limits.most) {
        error = error.max(least - w).max(w - most);
    }
    multipliers.rows.resize(limits.rows.len(), 0.0);
    for (row, multiplier) in limits.rows.iter().zip(&mut multipliers.rows) {
        let sum: f64 = row.coefficients.iter().zip(weights).map(|(a, w)| a * w).sum();
        let size: f64 = row.coefficients.iter().zip(weights).map(|(a, w)| a.abs() * w).sum();
        error = error.max(row.least - sum).max(sum - row.most);
        *multiplier = End::of(sum, row.least, row.most, 1e4 * ROUNDING * size).project(*multiplier);
        for ((left, a), w) in left.iter_mut().zip(&row.coefficients).zip(weights) {
            *left += w * a * *multiplier;
        }
    }
    let mut eta = 0.0;
    if let Some(turnover) = &limits.turnover {
        let moved = turnover.of(weights);
        error = error.max(moved - turnover.most);
        eta = End::of(moved, f64::NEG_INFINITY, turnover.most, 1e4 * ROUNDING).project(multipliers.turnover);
        for (left, (w, v)) in left.iter_mut().zip(weights.iter().zip(&turnover.previous)) {
            if w != v {
                *left += eta * w * (w - v).signum();
            }
        }
    }
    multipliers.turnover = eta;
    // What eta_i may add to or take from, where a weight did not change.
    let slack = |i: usize| match &limits.turnover {
        Some(turnover) if weights[i] == turnover.previous[i] => eta,
        _ => 0.0,
    };

    let pool = limits.groups.len();
    ends.clear();
    for group in &limits.groups {
        let sum: f64 = group.members.iter().map(|&i| weights[i]).sum();
        error = error.max(group.least - sum).max(sum - group.most);
        let (least, most) = group.ends();
        ends.push(End::of(sum, least, most, ROUNDING * n as f64));
    }
    let block_of = |i: usize, ends: &[End]| {
        let group = group_of[i];
        if group < pool && ends[group] != End::Inside { group } else { pool }
    };
    blocks.clear();
    blocks.resize(pool + 1, Block::EMPTY);
    for i in 0..n {
        let (block, own) = (&mut blocks[block_of(i, ends)], -left[i] / weights[i]);
        match at[i] {
            At::Free => {
                block.left += left[i];
                block.held += weights[i];
            }
            At::Most => block.high = block.high.min(own + slack(i)),
            At::Least => block.low = block.low.max(own - slack(i)),
            At::Previous => {
                block.low = block.low.max(own - slack(i));
                block.high = block.high.min(own + slack(i));
            }
            At::Pinned => {}
        }
    }
    let (mut low, mut high) = blocks[pool].interval();
    if low != high {
        for (end, block) in ends.iter().zip(&*blocks) {
            let (least, most) = block.interval();
            match end {
                End::Most => high = high.min(most),
                End::Least => low = low.max(least),
                End::Inside | End::Both => {}
            }
        }
    }
    let nu = middle(low, high);
    multipliers.sum = nu;
    multipliers.groups.clear();
    for (end, block) in ends.iter().zip(&*blocks) {
        let (least, most) = block.interval();
        let own = if least <= most { nu.max(least).min(most) } else { middle(least, most) };
        multipliers.groups.push(end.project(own - nu));
    }
    multipliers.bounds.clear();
    for i in 0..n {
        let block = block_of(i, ends);
        let of_group = if block < pool { multipliers.groups[block] } else { 0.0 };
        let rest = left[i] + weights[i] * (nu + of_group);
        // What eta_i cannot take of an asset that did not change, and then what the multiplier of its own bound cannot.
        let still = slack(i) * weights[i];
        let rest = rest - rest.max(-still).min(still);
        let (missed, bound) = match at[i] {
            At::Free | At::Previous => (rest.abs(), 0.0),
            At::Most => (rest.max(0.0), (-rest / weights[i]).max(0.0)),
            At::Least => ((-rest).max(0.0), (-rest / weights[i]).min(0.0)),
            At::Pinned => (0.0, -rest / weights[i]),
        };
        multipliers.bounds.push(bound);
        let missed = missed / budgets[i];
        if at[i] != At::Pinned && !(missed <= error) {
            error = missed;
        }
    }
    error
}
