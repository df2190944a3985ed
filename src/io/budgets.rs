//! Risk budgets by name of an asset or a group.

use crate::error::{Error, Result, option};
use crate::io::shares::{self, Noun, SHARES};
use crate::io::{Notices, listed, shown};

/// Sums within this of 1 are 1: budgets are written by people, as thirds or sevenths.
pub const ROUNDING: f64 = 1e-9;

/// A budget below this share of the largest is a slip: its asset's weight could not be told from zero.
const SMALLEST_SHARE: f64 = 1e-30;

const BUDGETS: Noun = Noun {
    option: "budgets",
    of: "asset",
    one: "budget",
    columns: &[
        "budget",
        "budgets",
        "risk budget",
        "risk budgets",
        "risk",
        "risk share",
        "risk contribution",
        "share",
        "shares",
        "weight",
        "weights",
        "allocation",
        "percent",
        "%",
    ],
    others: &[],
    like: SHARES,
};

const GROUP_BUDGETS: Noun = Noun { option: "group-budgets", of: "group", ..BUDGETS };

/// Budgets in the order of `assets`, summing to one. Every asset is named once; a budget of zero takes it out of the
/// problem. An argument with `=` is a list, unless there is a file of that name; all else is a file, `-` standard input.
///
/// # Errors
/// Names that are missing, unknown or repeated; budgets that are negative, not finite or all zero.
pub fn read_budgets(argument: &str, assets: &[String]) -> Result<(Vec<f64>, Notices)> {
    read(argument, assets, BUDGETS)
}

/// Budgets in the order of `groups`, summing to one.
///
/// # Errors
/// As [`read_budgets`].
pub fn read_group_budgets(argument: &str, groups: &[String]) -> Result<(Vec<f64>, Notices)> {
    shares::typed(argument, read(argument, groups, GROUP_BUDGETS))
}

fn read(argument: &str, names: &[String], noun: Noun) -> Result<(Vec<f64>, Notices)> {
    let shares = shares::read(argument, names, noun)?;
    if let Some(share) = shares.iter().find(|share| share.value < 0.0) {
        let (place, name) = (&share.place, shown(&share.name));
        return Err(Error::input(format!("{place}: the budget of `{name}` is negative: {}", share.value))
            .hint("risk budgets are positive shares of the risk; zero leaves an asset out"));
    }
    let budgets = shares::by_name(shares, names, noun)?;
    let named = |is_named: bool| -> Vec<&str> {
        let pairs = names.iter().zip(&budgets).filter(|(_, budget)| budget.is_some() == is_named);
        pairs.map(|(name, _)| name.as_str()).collect()
    };
    let without = named(false);
    if !without.is_empty() {
        let mut hint = format!("name every {}; a budget of 0 leaves one out", noun.of);
        let with = named(true);
        // A list that can be written on the command line.
        if noun.of == "asset"
            && !with.is_empty()
            && with.len() <= 10
            && !with.iter().any(|name| name.contains([',', '"']))
        {
            hint += &format!("; or take these alone: {}", option("assets").quoted(with.join(",")));
        }
        return Err(Error::input(format!("no budget for {}", listed(without.into_iter()))).hint(hint));
    }
    let budgets: Vec<f64> = budgets.into_iter().flatten().collect();
    let largest = budgets.iter().fold(0.0_f64, |m, b| m.max(*b));
    if largest <= 0.0 {
        return Err(Error::input("every budget is 0").hint(format!("give at least one {} a positive budget", noun.of)));
    }
    let total: f64 = budgets.iter().sum();
    let tiny = |budget: &f64| *budget > 0.0 && budget / largest < SMALLEST_SHARE;
    if let Some(name) = budgets.iter().position(tiny) {
        return Err(Error::input(format!(
            "the budget of `{}` is {}, too small beside {largest} to be told from zero",
            shown(&names[name]),
            budgets[name]
        ))
        .hint(format!("write 0 to leave the {} out", noun.of)));
    }
    if !total.is_finite() {
        return Err(Error::input("the budgets are too large to be added up").hint("write shares like 0.25"));
    }
    let mut notices = Notices::new();
    if (total - 1.0).abs() > ROUNDING {
        notices.push(format!("budgets sum to {total}: they are rescaled to sum to 1").into());
    }
    Ok((budgets.iter().map(|budget| budget / total).collect(), notices))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(argument: &str) -> Result<(Vec<f64>, Notices)> {
        read_budgets(argument, &["A".to_string(), "S&P 500".to_string()])
    }

    #[test]
    fn lists_are_matched_by_name() {
        assert_eq!(read("S&P 500=0.25, A = 0.75").expect("both named"), (vec![0.75, 0.25], vec![]));
        let (budgets, notices) = read("A=30,S&P 500=90,").expect("rescaled");
        assert_eq!(budgets, [0.25, 0.75]);
        assert_eq!(notices, ["budgets sum to 120: they are rescaled to sum to 1"]);
        assert_eq!(read("A=1,S&P 500=0").expect("zero is allowed"), (vec![1.0, 0.0], vec![]));
        assert_eq!(read(" A = 75 % ,S&P  500=25%").expect("percent"), (vec![0.75, 0.25], vec![]));
    }

    #[test]
    fn budgets_of_some_assets_lead_to_the_option_that_takes_these_alone() {
        let hint = read("S&P 500=1").expect_err("A is missing").hint.expect("a way on");
        assert!(hint.contains("`assets=\"S&P 500\"`"), "{hint}");
    }

    #[test]
    fn every_asset_needs_exactly_one_good_budget() {
        for (list, said) in [
            ("A=1", "no budget for `S&P 500`"),
            ("A=0.5,S&P 500=0.5,B=0.1", "no asset `B`"),
            ("A=0.5,A=0.5,S&P 500=1", "two budgets"),
            ("A=-0.5,S&P 500=1", "negative"),
            ("A=nan,S&P 500=1", "no number"),
            ("A=inf,S&P 500=1", "no number"),
            ("A=-50%,S&P 500=150%", "negative"),
            ("A=,S&P 500=1", "no number"),
            ("A=0,S&P 500=0", "every budget is 0"),
            ("A=1e-200,S&P 500=1", "too small"),
            ("A=1e308,S&P 500=1e308", "too large"),
            ("A=0.5,S&P 500", "has no budget"),
        ] {
            let error = read(list).expect_err(list);
            assert!(error.message.contains(said), "{list}: {}", error.message);
        }
    }
}
