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

use super::Limits;
use crate::methods::risk_budgeting::limited::interior::conflict;

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
}

/// Rounding that a sum of n weights may have.
fn rounding(assets: usize) -> f64 {
    1e-12 * assets as f64
}

impl Limits {
    /// The limits that contradict each other; none where there are weights within all of them.
    pub fn conflict(&self) -> Option<Conflict> {
        self.of_bounds().or_else(|| self.of_groups()).or_else(|| self.of_turnover()).or_else(|| self.of_rows())
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
        if several || !self.rows.is_empty() { conflict(self) } else { None }
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
