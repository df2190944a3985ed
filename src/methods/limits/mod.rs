//! What weights may be, beside being positive and summing to one: bounds, groups, linear rows and turnover.
//!
//! ```text
//! W = { sum w = 1,  min_i <= w_i <= max_i,  lo_g <= sum_{i in g} w_i <= hi_g,  lo_k <= sum_i a_ki w_i <= hi_k,
//!       sum max(w_i - v_i, 0) <= tau }
//! ```
//!
//! The last is turnover, 1/2 sum |w_i - v_i| over the assets and those that have left, which are sold. Weights are sizes of
//! positions. Groups are disjoint: what overlaps is a row. Assets that may not be held have left before.

mod bounds;
mod feasibility;

pub use bounds::Bounds;
pub use feasibility::{Conflict, Side};

use crate::error::{Error, Result};

/// Groups that descent in lanes knows at most: their multipliers are in registers.
pub const MOST_GROUPS: usize = 16;

/// What weights may be; of no limit, everything.
#[derive(Debug, Clone, PartialEq)]
pub struct Limits {
    /// Least weight of each asset.
    pub least: Vec<f64>,
    /// Largest weight of each asset, at most 1.
    pub most: Vec<f64>,
    /// Disjoint groups with a limit.
    pub groups: Vec<Group>,
    pub rows: Vec<Row>,
    pub turnover: Option<Turnover>,
}

/// least <= the sum of the members' weights <= most.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Places of assets, in ascending order.
    pub members: Vec<usize>,
    /// At least 0.
    pub least: f64,
    /// At most 1.
    pub most: f64,
}

/// least <= sum of coefficients times weights <= most.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// One for each asset.
    pub coefficients: Vec<f64>,
    /// Minus infinity where there is none.
    pub least: f64,
    /// Infinity where there is none.
    pub most: f64,
}

/// What is bought is at most `most`: half the sum of absolute changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Turnover {
    /// Weights before, one for each asset. They sum to one, or less where assets that were held have left.
    pub previous: Vec<f64>,
    pub most: f64,
}

impl Group {
    /// Its limits; infinite where it asks for nothing.
    pub fn ends(&self) -> (f64, f64) {
        let least = if self.least > 0.0 { self.least } else { f64::NEG_INFINITY };
        (least, if self.most < 1.0 { self.most } else { f64::INFINITY })
    }
}

impl Turnover {
    /// Of weights that sum to one: the mean of what is bought and what is sold.
    pub fn of(&self, weights: &[f64]) -> f64 {
        let moved: f64 = self.previous.iter().zip(weights).map(|(v, w)| (w - v).abs()).sum();
        0.5 * (moved + self.left())
    }

    /// What assets that have left held before.
    pub fn left(&self) -> f64 {
        // Rounding is nobody's holding.
        let left = 1.0 - self.previous.iter().sum::<f64>();
        if left > 1e-9 { left } else { 0.0 }
    }
}

impl Limits {
    /// None, of n assets.
    pub fn none(assets: usize) -> Limits {
        Limits {
            least: vec![0.0; assets],
            most: vec![1.0; assets],
            groups: Vec::new(),
            rows: Vec::new(),
            turnover: None,
        }
    }

    /// Number n of assets.
    pub fn assets(&self) -> usize {
        self.least.len()
    }

    /// Writes of each asset the number of its group; the number of groups where it has none.
    pub fn group_of(&self, of: &mut Vec<usize>) {
        of.clear();
        of.resize(self.assets(), self.groups.len());
        for (number, group) in self.groups.iter().enumerate() {
            group.members.iter().for_each(|&i| of[i] = number);
        }
    }

    /// What descent in many lanes at once, on the CPU and on GPUs, does not know of them; none where it knows all.
    pub fn beyond_lanes(&self) -> Option<&'static str> {
        match () {
            () if !self.rows.is_empty() => Some("linear limits"),
            () if self.turnover.is_some() => Some("a limit on turnover"),
            () if self.groups.len() > MOST_GROUPS => Some("limits on more than 16 groups"),
            () => None,
        }
    }

    /// Whether every portfolio is within them.
    pub fn is_none(&self) -> bool {
        self.least.iter().all(|least| *least <= 0.0)
            && self.most.iter().all(|most| *most >= 1.0)
            && self.groups.iter().all(|group| group.least <= 0.0 && group.most >= 1.0)
            && self.rows.is_empty()
            && self.turnover.is_none()
    }

    /// # Errors
    /// Limits that are not of so many assets, not numbers, or of groups that share an asset.
    pub fn check(&self, assets: usize) -> Result<()> {
        let within = |x: &f64| (0.0..=1.0).contains(x);
        let bounds = [&self.least, &self.most].into_iter().all(|all| all.len() == assets && all.iter().all(within));
        let mut held = vec![false; assets];
        let groups = self.groups.iter().all(|group| {
            let fresh = |&i: &usize| held.get_mut(i).is_some_and(|held| !std::mem::replace(held, true));
            within(&group.least) && within(&group.most) && group.members.iter().all(fresh)
        });
        let numbers = |all: &[f64]| all.len() == assets && all.iter().all(|x| x.is_finite());
        let rows = self.rows.iter().all(|row| numbers(&row.coefficients) && row.least <= row.most);
        let turnover = self.turnover.as_ref().is_none_or(|turnover| {
            let total: f64 = turnover.previous.iter().sum();
            numbers(&turnover.previous)
                && turnover.previous.iter().all(|w| *w >= 0.0)
                && total <= 1.0 + 1e-9
                && turnover.most >= 0.0
        });
        match (bounds, groups, rows, turnover) {
            (true, true, true, true) => Ok(()),
            (false, ..) => {
                Err(Error::input(format!("bounds are not two numbers from 0 to 1 for each of {assets} assets")))
            }
            (_, false, ..) => Err(Error::input("limits of groups are not from 0 to 1, or groups share an asset")),
            (_, _, false, _) => Err(Error::input(format!("a row of limits is not {assets} coefficients and two ends"))),
            _ => Err(Error::input(
                "weights before are not positive numbers that sum to one at most, or turnover is negative",
            )),
        }
    }

    /// Whether weights are within them, but for rounding.
    pub fn hold(&self, weights: &[f64], rounding: f64) -> bool {
        let inside = |x: f64, least: f64, most: f64| x >= least - rounding && x <= most + rounding;
        let groups = self
            .groups
            .iter()
            .all(|group| inside(group.members.iter().map(|&i| weights[i]).sum(), group.least, group.most));
        let sum = |a: &[f64]| a.iter().zip(weights).map(|(a, w)| a * w).sum::<f64>();
        weights.iter().zip(self.least.iter().zip(&self.most)).all(|(w, (least, most))| inside(*w, *least, *most))
            && groups
            && self.rows.iter().all(|row| inside(sum(&row.coefficients), row.least, row.most))
            && self.turnover.as_ref().is_none_or(|turnover| turnover.of(weights) <= turnover.most + rounding)
    }

    /// Whether this weight is given.
    pub fn is_pinned(&self, asset: usize) -> bool {
        self.least[asset] == self.most[asset]
    }
}
