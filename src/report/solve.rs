//! A portfolio as a table for a spreadsheet.

use super::table::{csv_of, number};
use crate::error::Result;
use crate::methods::Method;
use crate::study::solve::Outcome;

/// One line per asset: budget, weight and risk share, the robust band where there is one, what somebody holds where it was
/// given, and the weights of the other methods.
///
/// # Errors
/// None that is known of.
pub fn solve_csv(outcome: &Outcome) -> Result<String> {
    let mut columns: Vec<(&str, &[f64])> = vec![
        ("budget", &outcome.budgets),
        ("weight", &outcome.profile.weights),
        ("risk_share", &outcome.profile.risk_shares),
    ];
    let prices = outcome.limited.as_ref().map(|limited| &limited.multipliers.bounds);
    if let (Some(limited), Some(prices)) = (&outcome.limited, prices) {
        columns.push(("budget_miss", &limited.budget_misses));
        columns.push(("bound_multiplier", prices));
    }
    if let Some(robust) = &outcome.robust {
        columns.push(("robust_se", &robust.se));
        columns.push(("robust_lower", &robust.lower));
        columns.push(("robust_upper", &robust.upper));
    }
    if let Some(given) = &outcome.given {
        columns.push(("given_weight", &given.weights));
        columns.push(("given_risk_share", &given.risk_shares));
    }
    let others = outcome.methods.iter().filter(|portfolio| portfolio.method != Method::RiskBudgeting);
    columns.extend(others.map(|portfolio| (portfolio.name.as_str(), &portfolio.profile.weights[..])));
    let header = std::iter::once("asset").chain(columns.iter().map(|(name, _)| *name)).map(String::from).collect();
    let record = |(i, asset): (usize, &String)| {
        std::iter::once(asset.clone()).chain(columns.iter().map(|(_, values)| number(values[i]))).collect()
    };
    csv_of("weights.csv", std::iter::once(header).chain(outcome.assets.iter().enumerate().map(record)))
}
