//! Limits as a study records and reports them: by name, resolved to numbers, safe for JSON. [`NamedLimits::limits`] is what
//! methods take.
//!
//! Weights are sizes of positions; rows are of signed weights, and their coefficients have the signs already.

mod contradiction;
mod settle;
mod terms;

pub use contradiction::{contradiction, of_subsets};
pub use settle::{budgets_of_groups, left_out, settle};
pub use terms::{Expected, Terms};

use serde::{Deserialize, Serialize};

use crate::methods::limits::{Group, Limits, Row, Turnover};

/// What weights may be, and what is sought within that.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedLimits {
    /// Least weight of each asset.
    pub least: Vec<f64>,
    /// Largest weight of each asset.
    pub most: Vec<f64>,
    /// All groups, those without a limit from 0 to 1.
    pub groups: Vec<NamedGroup>,
    pub rows: Vec<NamedRow>,
    /// Weights before, one for each asset.
    pub previous: Option<Vec<f64>>,
    /// Half the sum of absolute changes, at most.
    pub max_turnover: Option<f64>,
    pub objective: Objective,
}

/// least <= the sum of the members' weights <= most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedGroup {
    pub name: String,
    /// Places of assets, in ascending order.
    pub members: Vec<usize>,
    pub least: f64,
    pub most: f64,
}

/// least <= sum of coefficients times sizes <= most; either may be open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NamedRow {
    /// As it was asked for.
    pub expression: String,
    /// One for each asset.
    pub coefficients: Vec<f64>,
    pub least: Option<f64>,
    pub most: Option<f64>,
}

/// What is sought within the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// The least risk for the budget-weighted mean of log weights.
    #[default]
    LogBarrier,
    /// Shares in proportion to the budgets where no bound holds (Richard & Roncalli 2019).
    Proportional,
}

impl Objective {
    /// As results call it.
    pub const fn name(self) -> &'static str {
        match self {
            Objective::LogBarrier => "log_barrier",
            Objective::Proportional => "proportional",
        }
    }
}

impl NamedGroup {
    /// Whether it has a limit.
    pub fn is_limited(&self) -> bool {
        self.least > 0.0 || self.most < 1.0
    }
}

impl NamedLimits {
    /// None, of n assets.
    pub fn none(assets: usize) -> NamedLimits {
        NamedLimits {
            least: vec![0.0; assets],
            most: vec![1.0; assets],
            groups: Vec::new(),
            rows: Vec::new(),
            previous: None,
            max_turnover: None,
            objective: Objective::default(),
        }
    }

    /// Number n of assets.
    pub fn assets(&self) -> usize {
        self.least.len()
    }

    /// Whether every portfolio is within them. The objective has no say without limits.
    pub fn is_none(&self) -> bool {
        self.limits().is_none()
    }

    /// The groups that [`NamedLimits::limits`] has, in its order. A group whose members have all left limits nothing, unless
    /// it asks for more than 0.
    pub fn limited(&self) -> impl Iterator<Item = &NamedGroup> {
        self.groups.iter().filter(|group| group.is_limited() && (group.least > 0.0 || !group.members.is_empty()))
    }

    /// For methods.
    pub fn limits(&self) -> Limits {
        let group = |group: &NamedGroup| Group { members: group.members.clone(), least: group.least, most: group.most };
        let row = |row: &NamedRow| Row {
            coefficients: row.coefficients.clone(),
            least: row.least.unwrap_or(f64::NEG_INFINITY),
            most: row.most.unwrap_or(f64::INFINITY),
        };
        let turnover = self.previous.as_ref().zip(self.max_turnover);
        Limits {
            least: self.least.clone(),
            most: self.most.clone(),
            groups: self.limited().map(group).collect(),
            rows: self.rows.iter().map(row).collect(),
            turnover: turnover.map(|(previous, most)| Turnover { previous: previous.clone(), most }),
        }
    }

    /// For the assets at these places alone, in their order: the weights of all others are 0. Rows that are kept by this
    /// whatever the weights are dropped; what the others held before is still to be sold, so that previous weights sum to
    /// less than one.
    pub fn over(&self, keep: &[usize]) -> NamedLimits {
        let of = |values: &[f64]| -> Vec<f64> { keep.iter().map(|&asset| values[asset]).collect() };
        let group = |group: &NamedGroup| NamedGroup {
            members: (0..keep.len()).filter(|&place| group.members.contains(&keep[place])).collect(),
            ..group.clone()
        };
        let row = |row: &NamedRow| NamedRow { coefficients: of(&row.coefficients), ..row.clone() };
        let says_something = |row: &NamedRow| {
            row.coefficients.iter().any(|coefficient| *coefficient != 0.0)
                || row.least.is_some_and(|least| least > 0.0)
                || row.most.is_some_and(|most| most < 0.0)
        };
        NamedLimits {
            least: of(&self.least),
            most: of(&self.most),
            groups: self.groups.iter().map(group).collect(),
            rows: self.rows.iter().map(row).filter(says_something).collect(),
            previous: self.previous.as_deref().map(of),
            max_turnover: self.max_turnover,
            objective: self.objective,
        }
    }

    /// Whether they can be meant for so many assets: a record may hold anything.
    pub fn is_sound(&self, assets: usize) -> bool {
        let share = |x: &f64| (0.0..=1.0).contains(x);
        let weights = |values: &[f64]| values.len() == assets && values.iter().all(share);
        let finite = |x: &Option<f64>| x.is_none_or(f64::is_finite);
        let mut taken = vec![false; assets];
        let free = |asset: &usize| taken.get_mut(*asset).is_some_and(|taken| !std::mem::replace(taken, true));
        weights(&self.least)
            && weights(&self.most)
            && self.groups.iter().flat_map(|group| &group.members).all(free)
            && self.groups.iter().all(|group| group.members.is_sorted() && share(&group.least) && share(&group.most))
            && self.rows.iter().all(|row| {
                row.coefficients.len() == assets
                    && row.coefficients.iter().all(|coefficient| coefficient.is_finite())
                    && finite(&row.least)
                    && finite(&row.most)
            })
            && self.previous.as_ref().is_none_or(|previous| weights(previous))
            && self.max_turnover.is_none_or(|most| most >= 0.0 && most.is_finite())
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn group(name: &str, members: &[usize], least: f64, most: f64) -> NamedGroup {
        NamedGroup { name: name.to_string(), members: members.to_vec(), least, most }
    }

    fn row(coefficients: &[f64], least: Option<f64>, most: Option<f64>) -> NamedRow {
        NamedRow { expression: "A >= B".to_string(), coefficients: coefficients.to_vec(), least, most }
    }

    fn all() -> NamedLimits {
        NamedLimits {
            least: vec![0.0, 0.1, 0.0, 0.2],
            most: vec![1.0, 0.5, 0.0, 0.6],
            groups: vec![group("EQUITY", &[0, 2], 0.2, 0.5), group("BONDS", &[1], 0.0, 1.0)],
            rows: vec![row(&[1.0, -1.0, 0.0, 0.0], Some(0.0), None), row(&[0.0, 0.0, 1.0, 0.0], None, Some(0.5))],
            previous: Some(vec![0.25; 4]),
            max_turnover: Some(0.3),
            objective: Objective::Proportional,
        }
    }

    #[test]
    fn a_record_reads_back_and_takes_no_other_fields() {
        let json = serde_json::to_string(&all()).unwrap();
        assert!(json.contains(r#""objective":"proportional""#) && json.contains(r#""most":null"#), "{json}");
        assert_eq!(serde_json::from_str::<NamedLimits>(&json).unwrap(), all());
        assert!(serde_json::from_str::<NamedLimits>(&json.replace("\"rows\"", "\"lines\"")).is_err());
        assert!(all().is_sound(4) && !all().is_sound(3));
        assert!(
            !NamedLimits { groups: vec![group("A", &[0], 0.0, 1.0), group("B", &[0], 0.0, 1.0)], ..all() }.is_sound(4)
        );
    }

    #[test]
    fn methods_get_the_groups_that_have_limits_and_rows_with_open_ends() {
        let limits = all().limits();
        assert_eq!(limits.groups, [Group { members: vec![0, 2], least: 0.2, most: 0.5 }]);
        assert_eq!((limits.rows[0].least, limits.rows[0].most), (0.0, f64::INFINITY));
        assert_eq!(limits.turnover.map(|turnover| turnover.most), Some(0.3));
        let none = NamedLimits::none(4);
        assert!(none.is_none() && !all().is_none());
        let named = NamedLimits { groups: vec![group("ALL", &[0, 1, 2, 3], 0.0, 1.0)], ..none };
        assert!(named.is_none());
    }

    #[test]
    fn what_is_kept_stays_in_its_order() {
        let kept = all().over(&[3, 0]);
        assert_eq!((kept.least, kept.most), (vec![0.2, 0.0], vec![0.6, 1.0]));
        assert_eq!(kept.groups, [group("EQUITY", &[1], 0.2, 0.5), group("BONDS", &[], 0.0, 1.0)]);
        // The second row is of an asset that has left: it is kept anyway.
        assert_eq!(kept.rows, [row(&[0.0, 1.0], Some(0.0), None)]);
        assert_eq!(kept.previous, Some(vec![0.25; 2]));
        let asks = NamedLimits { rows: vec![row(&[0.0, 0.0, 1.0, 0.0], Some(0.1), None)], ..all() };
        assert_eq!(asks.over(&[0, 1]).rows.len(), 1);
    }
}
