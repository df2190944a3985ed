//! Who takes part: budgets and limits together say which assets leave, and who shares their budgets.

use super::{NamedLimits, contradiction};
use crate::error::{Error, Result, Text, option};
use crate::methods::limits::Conflict;
use crate::wording::{joined, short};

/// Brings budgets and limits together, and returns the places of the assets that leave: their budgets and their largest
/// weights are 0 then, and the budgets of the others sum to one.
///
/// - A largest weight of 0, its own or its group's: the asset leaves, and the others share its budget in proportion.
/// - A budget of 0: the asset leaves, unless its least weight is its largest and above 0. Then it is held without a budget.
///
/// # Errors
/// Limits that contradict each other, with these assets or without those that leave; a least weight without a budget;
/// budgets that are held by nobody.
pub fn settle(
    budgets: &mut [f64],
    limits: &mut NamedLimits,
    assets: &[String],
    notices: &mut Vec<Text>,
) -> Result<Vec<usize>> {
    // What is left nothing may leave.
    let conflict = limits.limits().conflict().filter(|conflict| !matches!(conflict, Conflict::Nothing { .. }));
    if let Some(conflict) = conflict {
        return Err(contradiction(&conflict, limits, assets));
    }
    let barred = limits.barred();
    let mut leave = Vec::new();
    let (mut unwanted, mut without) = (Vec::new(), Vec::new());
    for asset in 0..assets.len() {
        let (least, most) = (limits.least[asset], limits.most[asset]);
        if barred[asset] {
            unwanted.push(asset);
            leave.push(asset);
        } else if budgets[asset] == 0.0 && least == 0.0 {
            without.push(asset);
            leave.push(asset);
        } else if budgets[asset] == 0.0 && least < most {
            return Err(Error::usage(format!(
                "`{}` has a least weight of {} and a budget of 0",
                assets[asset],
                short(least)
            ))
            .hint(format!(
                "give it a budget, or hold it at one weight, the least and the largest: {} and {}",
                option("min-weight"),
                option("max-weight")
            )));
        }
    }
    let named =
        |places: &[usize]| -> Vec<String> { places.iter().map(|&asset| format!("`{}`", assets[asset])).collect() };
    if !without.is_empty() {
        notices.push(left_out(&named(&without)));
    }
    if !unwanted.is_empty() {
        let names = joined(&named(&unwanted));
        let of = if unwanted.len() == 1 { "its budget" } else { "their budgets" };
        notices.push(format!("a largest weight of 0 leaves out {names}: the others share {of} in proportion").into());
        unwanted.iter().for_each(|&asset| budgets[asset] = 0.0);
        let total: f64 = budgets.iter().sum();
        if !(total > 0.0) {
            return Err(Error::usage("no asset that may be held has a budget")
                .hint("give one of the others a budget, or let one with a budget have a weight"));
        }
        budgets.iter_mut().for_each(|budget| *budget /= total);
    }
    for &asset in &leave {
        (limits.least[asset], limits.most[asset]) = (0.0, 0.0);
    }
    let keep: Vec<usize> = (0..assets.len()).filter(|asset| !leave.contains(asset)).collect();
    let kept = limits.over(&keep);
    if let Some(conflict) = kept.limits().conflict() {
        let names: Vec<String> = keep.iter().map(|&asset| assets[asset].clone()).collect();
        let error = contradiction(&conflict, &kept, &names);
        if leave.is_empty() {
            return Err(error);
        }
        let hint = error.hint.as_ref().map_or(String::new(), Text::nested);
        return Err(error.hint(format!("{hint}, with {} left out", joined(&named(&leave)))));
    }
    Ok(leave)
}

/// What is said of assets, in quotes, that have a budget of 0 and leave.
pub fn left_out(names: &[String]) -> Text {
    format!("a budget of 0 leaves out {}", joined(names)).into()
}

impl NamedLimits {
    /// Whether each asset may not be held: its largest weight is 0, or its group's.
    pub fn barred(&self) -> Vec<bool> {
        let mut barred: Vec<bool> = self.most.iter().map(|most| *most == 0.0).collect();
        for group in self.groups.iter().filter(|group| group.most == 0.0) {
            group.members.iter().for_each(|&asset| barred[asset] = true);
        }
        barred
    }
}

/// Budgets of assets from those of their groups, b_i = B_g v_i / sum of v in g, in which assets that may not be held have no
/// part. Both sum to one.
///
/// # Errors
/// Assets without a group; groups with a budget whose assets have none.
pub fn budgets_of_groups(
    of_groups: &[f64],
    within: &[f64],
    limits: &NamedLimits,
    assets: &[String],
) -> Result<Vec<f64>> {
    let barred = limits.barred();
    let mut budgets = vec![f64::NAN; assets.len()];
    let mut is_left = false;
    for (group, budget) in limits.groups.iter().zip(of_groups) {
        let held = |asset: &usize| if barred[*asset] { 0.0 } else { within[*asset] };
        let total: f64 = group.members.iter().map(held).sum();
        if *budget > 0.0 && group.members.iter().all(|&asset| within[asset] == 0.0) {
            return Err(Error::usage(format!(
                "`{}` has a budget of {}, and each of its assets one of 0",
                group.name,
                short(*budget)
            ))
            .hint(format!("give one of them a budget in {}", option("budgets"))));
        }
        is_left |= *budget > 0.0 && total == 0.0;
        for &asset in &group.members {
            budgets[asset] = if total > 0.0 { budget * held(&asset) / total } else { 0.0 };
        }
    }
    let alone: Vec<String> = assets
        .iter()
        .zip(&budgets)
        .filter(|(_, budget)| budget.is_nan())
        .map(|(asset, _)| format!("`{asset}`"))
        .collect();
    if !alone.is_empty() {
        let have = if alone.len() == 1 { "has" } else { "have" };
        return Err(Error::usage(format!(
            "{} {have} no group, and {} are of groups",
            joined(&alone),
            option("group-budgets")
        ))
        .hint(format!("give each asset a group in {}", option("groups"))));
    }
    let total: f64 = budgets.iter().sum();
    // A group that may not be held at all leaves its budget to the others.
    if total > 0.0 && is_left {
        budgets.iter_mut().for_each(|budget| *budget /= total);
    }
    Ok(budgets)
}

#[cfg(test)]
mod tests {
    use super::super::{NamedGroup, NamedRow};
    use super::*;

    fn assets() -> Vec<String> {
        ["A", "B", "C", "D"].map(String::from).to_vec()
    }

    type Settled = (Vec<f64>, NamedLimits, Vec<usize>, Vec<Text>);

    fn settled(budgets: [f64; 4], limits: NamedLimits) -> Result<Settled> {
        let (mut budgets, mut limits, mut notices) = (budgets.to_vec(), limits, Vec::new());
        let leave = settle(&mut budgets, &mut limits, &assets(), &mut notices)?;
        Ok((budgets, limits, leave, notices))
    }

    fn group(members: &[usize], least: f64, most: f64) -> NamedGroup {
        NamedGroup { name: "EQUITY".to_string(), members: members.to_vec(), least, most }
    }

    #[test]
    fn without_limits_budgets_stay_as_they_are_bit_for_bit() {
        let thirds = [1.0 / 3.0, 1.0 / 3.0, 1.0 / 3.0, 0.0];
        let (budgets, limits, leave, notices) = settled(thirds, NamedLimits::none(4)).unwrap();
        assert_eq!((budgets, leave), (thirds.to_vec(), vec![3]));
        assert_eq!(limits.most, [1.0, 1.0, 1.0, 0.0]);
        assert_eq!(notices, ["a budget of 0 leaves out `D`"]);
    }

    #[test]
    fn an_asset_that_may_have_no_weight_leaves_its_budget_to_the_others() {
        let budgets = [0.5, 0.2, 0.2, 0.1];
        let own = NamedLimits { most: vec![0.0, 1.0, 1.0, 1.0], ..NamedLimits::none(4) };
        let (shared, _, leave, notices) = settled(budgets, own).unwrap();
        assert_eq!((shared, leave), (vec![0.0, 0.4, 0.4, 0.2], vec![0]));
        assert_eq!(notices, ["a largest weight of 0 leaves out `A`: the others share its budget in proportion"]);
        let groups = NamedLimits { groups: vec![group(&[0, 3], 0.0, 0.0)], ..NamedLimits::none(4) };
        let (shared, limits, leave, notices) = settled(budgets, groups).unwrap();
        assert_eq!((shared, leave), (vec![0.0, 0.5, 0.5, 0.0], vec![0, 3]));
        assert_eq!(limits.most, [0.0, 1.0, 1.0, 0.0]);
        assert!(notices[0].contains("leaves out `A` and `D`: the others share their budgets"), "{notices:?}");
    }

    #[test]
    fn an_asset_without_a_budget_is_held_at_one_weight_or_not_at_all() {
        let budgets = [0.5, 0.5, 0.0, 0.0];
        let bounds = |least: [f64; 4], most: [f64; 4]| NamedLimits {
            least: least.to_vec(),
            most: most.to_vec(),
            ..NamedLimits::none(4)
        };
        let (same, _, leave, notices) = settled(budgets, bounds([0.0, 0.0, 0.1, 0.0], [1.0, 1.0, 0.1, 1.0])).unwrap();
        assert_eq!((same, leave), (budgets.to_vec(), vec![3]));
        assert_eq!(notices, ["a budget of 0 leaves out `D`"]);
        let error = settled(budgets, bounds([0.0, 0.0, 0.1, 0.0], [1.0, 1.0, 0.2, 1.0])).unwrap_err();
        assert_eq!(error.message, "`C` has a least weight of 0.1 and a budget of 0");
    }

    #[test]
    fn what_remains_may_contradict_itself() {
        let capped = NamedLimits { most: vec![0.3; 4], ..NamedLimits::none(4) };
        assert!(settled([0.25; 4], capped.clone()).is_ok());
        let error = settled([0.5, 0.25, 0.25, 0.0], capped).unwrap_err();
        assert_eq!(error.message, "the largest weights sum to 0.9, below 1");
        assert_eq!(error.hint.unwrap(), "raise `max-weight` to 0.333334 or more, with `D` left out");
        let crossed = NamedLimits { least: vec![0.1; 4], most: vec![0.0, 1.0, 1.0, 1.0], ..NamedLimits::none(4) };
        assert!(settled([0.25; 4], crossed).unwrap_err().message.starts_with("A: at least 0.1"));
        let held =
            NamedLimits { least: vec![0.0, 1.0, 0.0, 0.0], most: vec![0.0, 1.0, 1.0, 1.0], ..NamedLimits::none(4) };
        let error = settled([1.0, 0.0, 0.0, 0.0], held).unwrap_err();
        assert_eq!(error.message, "no asset that may be held has a budget");
        let row = NamedRow {
            expression: "A >= 0.2".into(),
            coefficients: vec![1.0, 0.0, 0.0, 0.0],
            least: Some(0.2),
            most: None,
        };
        let asked = NamedLimits { rows: vec![row], ..NamedLimits::none(4) };
        assert_eq!(asked.over(&[1, 2, 3]).rows.len(), 1);
    }

    #[test]
    fn budgets_of_groups_are_shared_among_their_assets() {
        let groups = |most: f64| NamedLimits {
            groups: vec![group(&[0, 1], 0.0, 1.0), group(&[2, 3], 0.0, most)],
            ..NamedLimits::none(4)
        };
        let shared =
            |of: [f64; 2], within: [f64; 4], limits: &NamedLimits| budgets_of_groups(&of, &within, limits, &assets());
        assert_eq!(shared([0.6, 0.4], [0.25; 4], &groups(1.0)).unwrap(), [0.3, 0.3, 0.2, 0.2]);
        assert_eq!(
            shared([0.6, 0.4], [0.3, 0.1, 0.6, 0.0], &groups(1.0)).unwrap(),
            [0.6 * 0.3 / (0.3 + 0.1), 0.6 * 0.1 / (0.3 + 0.1), 0.4, 0.0]
        );
        // What a group may not hold at all goes to the others, what an asset may not to its group.
        assert_eq!(shared([0.6, 0.4], [0.25; 4], &groups(0.0)).unwrap(), [0.5, 0.5, 0.0, 0.0]);
        let barred = NamedLimits { most: vec![0.0, 1.0, 1.0, 1.0], ..groups(1.0) };
        assert_eq!(shared([0.6, 0.4], [0.25; 4], &barred).unwrap(), [0.0, 0.6, 0.2, 0.2]);
        let error = shared([0.6, 0.4], [0.5, 0.5, 0.0, 0.0], &groups(1.0)).unwrap_err();
        assert_eq!(error.message, "`EQUITY` has a budget of 0.4, and each of its assets one of 0");
        let alone = NamedLimits { groups: vec![group(&[0, 1, 2], 0.0, 1.0)], ..NamedLimits::none(4) };
        let error = budgets_of_groups(&[1.0], &[0.25; 4], &alone, &assets()).unwrap_err();
        assert_eq!(error.message, "`D` has no group, and `group-budgets` are of groups");
    }
}
