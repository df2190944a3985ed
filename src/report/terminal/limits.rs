//! What limits did to a portfolio, in words and columns.

use super::table::{Column, table};
use super::view::View;
use crate::methods::Method;
use crate::report::words::{self, counted, percent};
use crate::study::limited::{Bound, Group, Limited, Row};
use crate::study::limits::Objective;
use crate::study::solve::Outcome;

/// Columns that a method takes with what limits did to its weights.
pub const LIMITED: usize = 40;

/// Its head, and its cells without heads: weight and what holds it, risk share, its miss of the budget in points, price.
pub fn cells(outcome: &Outcome, limited: &Limited) -> (String, Vec<String>) {
    let held = limited.bounds.iter().flatten().map(|bound| tag(*bound).len()).max().unwrap_or(0);
    let row = |weight: &str, tag: &str, share: &str, miss: &str, price: &str| {
        format!("{weight:>8} {tag:<held$} {share:>10} {miss:>6} {price:>7}")
    };
    let profile = &outcome.profile;
    let cell = |i: usize| {
        let bound = limited.bounds[i].map_or("", tag);
        let price = limited.multipliers.bounds[i].abs();
        let takes_part = profile.weights[i] != 0.0;
        let shown = |text: String| if takes_part { text } else { String::new() };
        row(
            &percent(profile.weights[i], 2),
            bound,
            &percent(profile.risk_shares[i], 2),
            &shown(format!("{:+.1}", 100.0 * limited.budget_misses[i])),
            &if price > 0.0 { format!("{price:.2}") } else { String::new() },
        )
    };
    (row("weight", "", "risk share", "miss", "price"), (0..outcome.assets.len()).map(cell).collect())
}

fn tag(bound: Bound) -> &'static str {
    bound.name()
}

/// Groups and rows, each with what it holds and may hold.
pub fn sums(out: &mut String, limited: &Limited, view: View) {
    if !limited.groups.is_empty() {
        let under = |head: &str, cell: &dyn Fn(&Group) -> String| -> Vec<String> {
            std::iter::once(head.to_string()).chain(limited.groups.iter().map(cell)).collect()
        };
        let range = |group: &Group| words::range(group.min, group.max);
        let price = |group: &Group| {
            let price = limited.multipliers.groups.iter().find(|(name, _)| *name == group.name);
            price.filter(|(_, m)| *m != 0.0).map_or(String::new(), |(_, m)| format!("{:.2}", m.abs()))
        };
        let columns = vec![
            Column::names("", under("group", &|group| group.name.clone()), 5),
            Column::numbers("", under("budget", &|group| percent(group.budget, 2)), 8, 2, Some(1)),
            Column::numbers("", under("weight", &|group| percent(group.weight, 2)), 8, 2, None),
            Column::names("", under("", &|group| group.at.map_or("", tag).to_string()), 0).after(1),
            Column::numbers("", under("limits", &range), 8, 2, Some(3)),
            Column::numbers("", under("risk share", &|group| percent(group.risk_share, 2)), 10, 2, None),
            Column::numbers("", under("price", &price), 6, 2, Some(2)),
        ];
        table(out, columns, view);
    }
    if !limited.limits.is_empty() {
        let under = |head: &str, cell: &dyn Fn((usize, &Row)) -> String| -> Vec<String> {
            std::iter::once(head.to_string()).chain(limited.limits.iter().enumerate().map(cell)).collect()
        };
        let price = |(at, _): (usize, &Row)| {
            let price = limited.multipliers.limits.get(at).copied().unwrap_or(0.0).abs();
            if price > 0.0 { format!("{price:.2}") } else { String::new() }
        };
        let columns = vec![
            Column::names("", under("limit", &|(_, row)| row.expression.clone()), 5),
            Column::numbers("", under("value", &|(_, row)| format!("{:.4}", row.value)), 8, 2, None),
            Column::names("", under("", &|(_, row)| row.at.map_or("", tag).to_string()), 0).after(1),
            Column::numbers("", under("price", &price), 6, 2, Some(1)),
        ];
        table(out, columns, view);
    }
}

/// "5 of 10 assets are held by a bound; the limits cost 0.048 (volatility 4.90 % a year, 4.20 % without them)".
pub fn costs(outcome: &Outcome, limited: &Limited) -> Vec<String> {
    let mut said = Vec::new();
    let has_limits =
        limited.limits_cost.is_some_and(|cost| cost != 0.0) || limited.held() > 0 || !limited.limits.is_empty();
    let count = limited.bounds.len() as u64;
    let held = limited.held();
    let (who, verb) = match held {
        0 => ("no asset".to_string(), "is"),
        1 => (format!("1 of {}", counted(count, "asset")), "is"),
        held => (format!("{held} of {}", counted(count, "asset")), "are"),
    };
    let mut text = format!("{who} {verb} held by a bound");
    if let Some(cost) = limited.limits_cost {
        text += &format!("; the limits cost {cost:.3}");
    }
    if let Some(free) = limited.unlimited_volatility {
        let own = outcome.profile.volatility;
        text += &match outcome.periods_per_year {
            Some(periods) => {
                let scale = periods.sqrt();
                let (own, free) = (percent(own * scale, 2), percent(free * scale, 2));
                format!(" (volatility {own} a year, {free} without them)")
            }
            None => format!(" (volatility {}, {} without them)", percent(own, 4), percent(free, 4)),
        };
    }
    if has_limits {
        said.push(text);
    }
    if let Some(turnover) = limited.turnover {
        let price = limited.multipliers.turnover;
        let price = if price > 0.0 { format!(", price {price:.2}") } else { String::new() };
        said.push(format!("turnover {}{price}", percent(turnover, 2)));
    }
    if (limited.net - limited.gross).abs() > 1e-12 {
        said.push(format!(
            "sizes sum to {}, long less short to {}",
            percent(limited.gross, 2),
            percent(limited.net, 2)
        ));
    }
    if let Some(expected) = limited.expected_return {
        let year = if outcome.periods_per_year.is_some() { " a year" } else { "" };
        said.push(format!("expected return {}{year}", percent(expected, 2)));
    }
    if let Some(theta) = limited.theta {
        said.push(format!("risk shares of free assets are {theta:.4} times their budgets (Richard & Roncalli 2019)"));
    }
    let others: Vec<String> = outcome
        .methods
        .iter()
        .filter(|own| !matches!(own.method, Method::RiskBudgeting | Method::Fixed(_)))
        .map(|own| words::method(own.method, &own.name))
        .collect();
    if !others.is_empty() && has_limits {
        said.push(format!("(within the same limits: {})", others.join(", ")));
    }
    said
}

/// "converged: optimal to 2.1e-16".
pub fn verdict(outcome: &Outcome, limited: &Limited) -> String {
    let what = match limited.objective {
        Objective::LogBarrier => "optimal",
        Objective::Proportional => "proportional where no bound holds,",
    };
    let sweeps = counted(u64::from(outcome.sweeps), "sweep");
    format!("{}: {what} to {:.1e} ({sweeps}, {})", outcome.status.name(), limited.kkt_error, outcome.engine)
}
