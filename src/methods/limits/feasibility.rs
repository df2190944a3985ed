//! Whether any weights are within limits, and which limits contradict each other where none are.
//!
//! Bounds and disjoint groups, in closed form (assets without a group stand by themselves):
//!
//! ```text
//! L_g = max(lo_g, sum_g min)      U_g = min(hi_g, sum_g max)
//! none where min_i > max_i, L_g > U_g, sum L > 1 or sum U < 1
//! ```
//!
//! Turnover over bounds alone: what the bounds force to rise, or to fall, is at most tau. Rows, and turnover beside groups:
//! the least sum of squared violations ([`conflict`]).

use super::{Limits, Row};
use crate::methods::risk_budgeting::limited::interior::{self, Ending, conflict};
use crate::methods::risk_budgeting::limited::{Problem, Risk, uncorrelated};

/// Which end of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    Least,
    Most,
}

/// Limits that no weights are within.
#[derive(Debug, Clone, PartialEq)]
pub enum Conflict {
    /// The least weight of an asset is above its largest.
    Bounds { asset: usize, least: f64, most: f64 },
    /// The largest weights (or the least) of all assets sum to `total`.
    Sum { side: Side, total: f64 },
    /// A group's own limits.
    Crossed { group: usize, least: f64, most: f64 },
    /// A group is to hold at least (at most) `asked`, and the bounds of its members let them hold at most (at least) `holds`.
    Members { group: usize, side: Side, asked: f64, holds: f64 },
    /// With their limits, and the bounds of all assets, these groups and all other assets hold `total` at most (at least).
    /// `all` where no asset stands outside them.
    Groups { groups: Vec<usize>, side: Side, total: f64, all: bool },
    /// To be within the bounds, at least `needed` has to be turned over.
    Turnover { needed: f64, most: f64 },
    /// Rows (and where `groups` is not empty, limits of groups; where `turnover`, the limit on it) that contradict each other
    /// over the bounds.
    Rows { rows: Vec<usize>, groups: Vec<usize>, turnover: bool },
    /// Together with all others these limits leave nothing to some assets, which have a budget of risk.
    Nothing { assets: Vec<usize> },
}

/// An equal weight times this is not small.
const SMALL: f64 = 0.1;

/// A weight that limits have driven to nothing.
const NOTHING: f64 = 1e-7;

/// Rounding that a sum of n weights may have.
pub(super) fn rounding(assets: usize) -> f64 {
    1e-12 * assets as f64
}

impl Limits {
    /// The limits that contradict each other; none where there are weights within all of them.
    pub fn conflict(&self) -> Option<Conflict> {
        let closed = self.of_bounds().or_else(|| self.of_groups()).or_else(|| self.of_turnover());
        closed.or_else(|| self.of_nothing()).or_else(|| self.of_rows())
    }

    fn of_bounds(&self) -> Option<Conflict> {
        let mut bounds = self.least.iter().zip(&self.most).enumerate();
        let (asset, (&least, &most)) = bounds.find(|(_, (least, most))| least > most)?;
        Some(Conflict::Bounds { asset, least, most })
    }

    fn of_groups(&self) -> Option<Conflict> {
        let rounding = rounding(self.assets());
        let mut outside = vec![true; self.assets()];
        let (mut totals, mut tight) = ([0.0, 0.0], [Vec::new(), Vec::new()]);
        for (number, group) in self.groups.iter().enumerate() {
            if group.least > group.most {
                return Some(Conflict::Crossed { group: number, least: group.least, most: group.most });
            }
            group.members.iter().for_each(|&asset| outside[asset] = false);
            let sum = |bounds: &[f64]| -> f64 { group.members.iter().map(|&asset| bounds[asset]).sum() };
            let (least, most) = (sum(&self.least), sum(&self.most));
            if group.least > most + rounding {
                return Some(Conflict::Members { group: number, side: Side::Least, asked: group.least, holds: most });
            }
            if group.most < least - rounding {
                return Some(Conflict::Members { group: number, side: Side::Most, asked: group.most, holds: least });
            }
            totals[0] += group.least.max(least);
            totals[1] += group.most.min(most);
            if group.least > least {
                tight[0].push(number);
            }
            if group.most < most {
                tight[1].push(number);
            }
        }
        for (total, bounds) in totals.iter_mut().zip([&self.least, &self.most]) {
            *total += outside.iter().zip(bounds).filter(|(outside, _)| **outside).map(|(_, bound)| bound).sum::<f64>();
        }
        let side = match totals {
            [least, _] if least > 1.0 + rounding => Side::Least,
            [_, most] if most < 1.0 - rounding => Side::Most,
            _ => return None,
        };
        let (total, groups) = (totals[side as usize], std::mem::take(&mut tight[side as usize]));
        Some(match groups.is_empty() {
            true => Conflict::Sum { side, total },
            false => Conflict::Groups { groups, side, total, all: !outside.contains(&true) },
        })
    }

    fn of_turnover(&self) -> Option<Conflict> {
        let turnover = self.turnover.as_ref()?;
        let rises = self.least.iter().zip(&turnover.previous).map(|(least, before)| (least - before).max(0.0));
        let falls = self.most.iter().zip(&turnover.previous).map(|(most, before)| (before - most).max(0.0));
        let needed = rises.sum::<f64>().max(falls.sum::<f64>() + turnover.left()).max(turnover.left());
        (needed > turnover.most + rounding(self.assets())).then_some(Conflict::Turnover { needed, most: turnover.most })
    }

    fn of_rows(&self) -> Option<Conflict> {
        let several = self.turnover.is_some() && !self.groups.is_empty();
        if !several && self.rows.is_empty() {
            return None;
        }
        conflict(self).or_else(|| self.of_a_row()).or_else(|| self.of_vanishing())
    }

    /// Assets to which one row leaves nothing: it asks for the least that its sum can be over the bounds, and they would
    /// add to it.
    fn of_a_row(&self) -> Option<Conflict> {
        let n = self.assets();
        let ends = |row: &Row| {
            let turned: Vec<f64> = row.coefficients.iter().map(|a| -a).collect();
            [(row.coefficients.clone(), row.most), (turned, -row.least)]
        };
        for (coefficients, most) in self.rows.iter().flat_map(ends) {
            let mut order: Vec<usize> = (0..n).collect();
            order.sort_by(|&i, &j| coefficients[i].total_cmp(&coefficients[j]));
            let mut left = 1.0 - self.least.iter().sum::<f64>();
            let mut sum: f64 = self.least.iter().zip(&coefficients).map(|(least, a)| least * a).sum();
            let mut marginal = f64::NEG_INFINITY;
            for i in order {
                let taken = (self.most[i] - self.least[i]).min(left);
                if taken > rounding(n) {
                    (left, sum, marginal) = (left - taken, sum + taken * coefficients[i], coefficients[i]);
                }
            }
            let rounding = rounding(n) * coefficients.iter().fold(0.0_f64, |largest, a| largest.max(a.abs()));
            let adds = |&i: &usize| coefficients[i] > marginal + rounding && self.least[i] == 0.0 && self.most[i] > 0.0;
            let assets: Vec<usize> = (0..n).filter(adds).collect();
            if sum >= most - rounding && !assets.is_empty() {
                return Some(Conflict::Nothing { assets });
            }
        }
        None
    }

    /// Assets to which the least weights of all others, their group or turnover leave nothing.
    fn of_nothing(&self) -> Option<Conflict> {
        let n = self.assets();
        let mut group_of = Vec::new();
        self.group_of(&mut group_of);
        let least_of = |members: &[usize]| members.iter().map(|&i| self.least[i]).sum::<f64>();
        let outside: f64 = (0..n).filter(|&i| group_of[i] == self.groups.len()).map(|i| self.least[i]).sum();
        let needs: Vec<f64> = self.groups.iter().map(|group| group.least.max(least_of(&group.members))).collect();
        let whole = outside + needs.iter().sum::<f64>();
        let rises = self.turnover.as_ref().map(|turnover| {
            self.least.iter().zip(&turnover.previous).map(|(least, before)| (least - before).max(0.0)).sum::<f64>()
        });
        let largest = |i: usize| {
            let mut room = self.most[i].min(1.0 - whole + self.least[i]);
            let number = group_of[i];
            if let Some(group) = self.groups.get(number) {
                let others = least_of(&group.members) - self.least[i];
                // The group's own need may be this asset's.
                room = self.most[i].min(group.most - others).min(1.0 - (whole - needs[number]) - others);
            }
            if let (Some(turnover), Some(rises)) = (&self.turnover, rises) {
                let before = turnover.previous[i];
                room = room.min(before + turnover.most - (rises - (self.least[i] - before).max(0.0)));
            }
            room
        };
        let assets: Vec<usize> =
            (0..n).filter(|&i| self.least[i] == 0.0 && self.most[i] > 0.0 && largest(i) <= rounding(n)).collect();
        (!assets.is_empty()).then_some(Conflict::Nothing { assets })
    }

    /// Weights of which each is positive are within the limits where the mean of their logarithms has a maximum.
    fn of_vanishing(&self) -> Option<Conflict> {
        let n = self.assets();
        let correlation = uncorrelated(n);
        let (ones, equal) = (vec![1.0; n], vec![1.0 / n as f64; n]);
        let problem = Problem {
            correlation: &correlation,
            volatilities: &ones,
            budgets: &equal,
            limits: self,
            risk: Risk::Variance { factor: 0.0 },
        };
        let found = interior::solve(problem);
        if found.ending == Ending::Optimal {
            return None;
        }
        // The largest share that an asset may have of the length of the weights.
        let largest = |i: usize| {
            let linear: Vec<f64> = (0..n).map(|j| f64::from(u8::from(j == i))).collect();
            let none = vec![0.0; n];
            let risk = Risk::Quadratic { linear: &linear };
            interior::solve(Problem { budgets: &none, risk, ..problem }).weights[i]
        };
        let small = |i: usize| self.least[i] == 0.0 && !(found.weights[i] > SMALL / n as f64);
        let assets: Vec<usize> = (0..n).filter(|&i| small(i) && !(largest(i) > NOTHING)).collect();
        (!assets.is_empty()).then_some(Conflict::Nothing { assets })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Group;
    use super::*;

    #[test]
    fn what_contradicts_each_other_is_named() {
        let free = Limits::none(4);
        assert_eq!(free.conflict(), None);
        let capped = Limits { most: vec![0.25; 4], ..free.clone() };
        assert_eq!(capped.conflict(), None);
        let low = Limits { most: vec![0.2375; 4], ..free.clone() };
        assert_eq!(low.conflict(), Some(Conflict::Sum { side: Side::Most, total: 0.95 }));
        let group = |members: [usize; 2], least, most| Group { members: members.to_vec(), least, most };
        let halves = |a: Group, b: Group| Limits { groups: vec![a, b], ..free.clone() };
        let short = halves(group([0, 1], 0.0, 0.5), group([2, 3], 0.0, 0.4));
        let groups = Conflict::Groups { groups: vec![0, 1], side: Side::Most, total: 0.9, all: true };
        assert_eq!(short.conflict(), Some(groups));
        let whole = halves(group([0, 1], 0.6, 1.0), group([2, 3], 0.0, 0.4));
        assert_eq!(whole.conflict(), None);
        let members = Limits { most: vec![0.24, 0.24, 1.0, 1.0], ..whole };
        let asked = Conflict::Members { group: 0, side: Side::Least, asked: 0.6, holds: 0.48 };
        assert_eq!(members.conflict(), Some(asked));
    }
}
