//! The table of `equirisk solve`.

use std::fmt::Write as _;

use super::limits;
use super::names_width;
use super::table::{Column, padded, table};
use super::view::View;
use crate::error::option;
use crate::methods::certificate::Status;
use crate::report::words::{self, counted, cut, maybe_percent, percent};
use crate::study::measures::Profile;
use crate::study::solve::{Outcome, Portfolio};

/// Columns that a method takes with the bands of its weights.
const BANDED: usize = 35;

/// More methods than this stand side by side without their risk shares.
const MANY: usize = 3;

/// Columns of what is held.
const OWN: usize = 20;

pub fn solve(outcome: &Outcome, view: View) -> String {
    let mut out = String::new();
    // The last leaves first, before the budgets do.
    let count = outcome.methods.iter().count();
    let leaves = |number: usize| (number > 0).then(|| (count - number) as u8);
    // Of many only the weights are shown, but for those of risk budgeting.
    let many = count > MANY;
    let method = |(number, portfolio): (usize, &'_ Portfolio)| {
        let name = match many && number > 0 {
            true => words::short_method(portfolio.method, &portfolio.name),
            false => words::method(portfolio.method, &portfolio.name),
        };
        (name, portfolio.profile.clone(), leaves(number))
    };
    let methods: Vec<_> = outcome.methods.iter().enumerate().map(method).collect();
    let width = names_width(outcome.assets.iter());
    let under =
        |head: &str, cells: &mut dyn Iterator<Item = String>| std::iter::once(head.to_string()).chain(cells).collect();
    let names = under("asset", &mut outcome.assets.iter().map(|asset| cut(asset, width)));
    let budgets = under("budget", &mut outcome.budgets.iter().map(|&budget| percent(budget, 2)));
    let mut columns = vec![Column::names("", names, width), Column::numbers("", budgets, 8, 2, Some(u8::MAX))];
    // What is held stands last, and stays.
    let own = if outcome.given.is_some() { OWN + 2 } else { 0 };
    // What limits did takes its place.
    let robust = outcome.robust.as_ref().filter(|_| outcome.limited.is_none());
    let robust = robust.filter(|_| view.columns() >= width + 2 + BANDED + own);
    let shows_costs = view.columns() >= width + 2 + limits::LIMITED + own;
    columns.extend(methods.iter().enumerate().map(|(number, (name, profile, leaves))| {
        // Bands are those of the weights that were solved for.
        let robust = robust.filter(|_| number == 0);
        if many && number > 0 {
            let weights = under("weight", &mut profile.weights.iter().map(|&weight| percent(weight, 2)));
            return Column::numbers(name, weights, 9, 2, *leaves);
        }
        let band = |i: usize| robust.map(|all| words::band(all.lower[i].max(0.0), all.upper[i], 2));
        if let Some(limited) = outcome.limited.as_ref().filter(|_| number == 0 && shows_costs) {
            let (head, cells) = limits::cells(outcome, limited);
            return Column::numbers(name, under(&head, &mut cells.into_iter()), limits::LIMITED, 2, *leaves);
        }
        let row = |weight: &str, band: Option<&str>, share: &str| {
            let band = band.map_or(String::new(), |band| format!(" {band:>15}"));
            format!("{weight:>8}{band} {share:>10}")
        };
        let mut rows = profile
            .weights
            .iter()
            .zip(&profile.risk_shares)
            .enumerate()
            .map(|(i, (&weight, &share))| row(&percent(weight, 2), band(i).as_deref(), &percent(share, 2)));
        let head = row("weight", robust.map(|_| "90 % band"), "risk share");
        Column::numbers(name, under(&head, &mut rows), if robust.is_some() { BANDED } else { 19 }, 2, *leaves)
    }));
    if let Some(given) = &outcome.given {
        let outside = |i: usize| given.outside.as_ref().is_some_and(|outside| outside.contains(&outcome.assets[i]));
        let row = |i: usize| {
            let weight = format!("{:.2} %{}", 100.0 * given.weights[i], if outside(i) { "*" } else { " " });
            format!("{weight:>9} {:>10}", percent(given.risk_shares[i], 2))
        };
        let head = format!("{:>9} {:>10}", "weight ", "risk share");
        columns.push(Column::numbers("yours", under(&head, &mut (0..outcome.assets.len()).map(row)), OWN, 2, None));
    }
    let mut ends = table(&mut out, columns, view);
    let own = outcome.given.as_ref().and_then(|given| Some((given.volatility, ends.pop()?)));
    // Figures of the whole stand below the columns of their methods, their names beside them. Budgets leave last, when
    // names and one method are all there is room for.
    let first = if ends.len() > 2 { 2 } else { 1 };
    let mut line = |label: &str, figure: &dyn Fn(&Profile) -> String, own: Option<(String, usize)>| {
        let mut line = label.to_string();
        for ((_, profile, _), end) in methods.iter().zip(&ends[first..]) {
            let room = end.saturating_sub(line.len());
            line.push_str(&padded(&figure(profile), room, false));
        }
        if let Some((figure, end)) = own {
            line.push_str(&padded(&figure, end.saturating_sub(line.len()), false));
        }
        out.push_str(&line);
        out.push('\n');
    };
    let left_out = methods.len().saturating_sub(ends.len().saturating_sub(first));
    match outcome.periods_per_year.map(f64::sqrt) {
        Some(scale) => line(
            "volatility a year",
            &|profile| maybe_percent(profile.volatility_annual, 2),
            own.map(|(volatility, end)| (percent(scale * volatility, 2), end)),
        ),
        None => line(
            "volatility",
            &|profile| percent(profile.volatility, 4),
            own.map(|(volatility, end)| (percent(volatility, 4), end)),
        ),
    }
    if !outcome.run.risk.is_volatility() {
        let risk = words::measure(&outcome.run.risk);
        line(&risk, &|profile| percent(profile.risk_contributions.iter().sum(), 4), None);
    }
    line("diversification", &|profile| format!("{:.3}", profile.diversification_ratio), None);
    if left_out > 0 {
        out.push_str(&view.wrapped(&view.text(format!(
            "{} not shown: a wider terminal has room for {}, {} and {} have all.",
            counted(left_out as u64, "method"),
            if left_out == 1 { "it" } else { "them" },
            option("json"),
            option("output").plain("FILE")
        ))));
    }
    if let Some(periods) = outcome.periods_per_year {
        out.push_str(&view.wrapped(&format!("(annualised with {periods} periods a year)")));
    }
    if let Some(given) = &outcome.given {
        out.push_str(&view.wrapped(&words::holdings(given, words::ROBUST)));
    }
    if let Some(robust) = robust {
        out.push_str(&view.wrapped(&format!(
            "(90 % band: for the weight under the true covariance, if history goes on as it was; it allows for spells of \
             volatility, with {} degrees of freedom)",
            robust.degrees
        )));
    }
    if let Some(limited) = &outcome.limited {
        limits::sums(&mut out, limited, view);
        out.push('\n');
        for said in limits::costs(outcome, limited) {
            out.push_str(&view.wrapped(&said));
        }
    }
    let found = match (outcome.run.risk.is_volatility(), &outcome.limited) {
        (_, Some(limited)) => limits::verdict(outcome, limited),
        (true, None) => format!(
            "{}: risk shares are within {:.1e} of the budgets, relative ({}, kappa {:.2}, {})",
            outcome.status.name(),
            outcome.rc_error,
            counted(u64::from(outcome.sweeps), "sweep"),
            outcome.kappa,
            outcome.engine
        ),
        (false, None) => format!(
            "{}: shares of the {} are within {:.1e} of the budgets, relative{} ({}, {})",
            outcome.status.name(),
            words::measure(&outcome.run.risk),
            outcome.rc_error,
            outcome.slack.map_or(String::new(), |slack| { format!(", slack {}", rounding(slack)) }),
            counted(u64::from(outcome.sweeps), "step"),
            outcome.engine
        ),
    };
    // Writing to a string cannot fail.
    let _ = write!(out, "\n{}", view.verdict(&view.wrapped(&found), true));
    for portfolio in outcome.methods.iter() {
        if let Some((proof, sound)) = proof(portfolio, outcome.limited.is_some()) {
            out.push_str(&view.verdict(&view.wrapped(&proof), sound));
        }
    }
    if let Some(estimation) = outcome.run.estimator.as_ref().and_then(words::estimation) {
        out.push_str(&view.wrapped(&estimation));
    }
    out
}

/// What proves the portfolio of a method beside risk budgeting, and whether it does; nothing of what follows from a formula.
fn proof(portfolio: &Portfolio, within_limits: bool) -> Option<(String, bool)> {
    let name = words::method(portfolio.method, &portfolio.name);
    let status = portfolio.status.name();
    let held = portfolio.profile.weights.iter().filter(|weight| weight.abs() > HELD).count();
    let held = format!("{held} of {} held", counted(portfolio.profile.weights.len() as u64, "asset"));
    let sound = portfolio.status == Status::Converged;
    if let Some(gap) = portfolio.gap {
        let gap = rounding(gap);
        let which = if within_limits { "portfolio within the limits" } else { "long-only portfolio" };
        let others = if portfolio.unique == Some(false) { "; other portfolios are as good" } else { "" };
        return Some((format!("{name}: {status}, no {which} is better by more than {gap}; {held}{others}"), sound));
    }
    let split_error = portfolio.split_error?;
    let margin = portfolio.margin.flatten().map_or(String::new(), |margin| match margin > 0.0 {
        false => "; correlations are tied, and another tree is as good".to_string(),
        true => format!("; correlations off by less than {:.1e} give the same tree", margin / 2.0),
    });
    let leaves = portfolio.order.as_deref().map_or(String::new(), |order| format!("; leaves {}", words::listed(order)));
    Some((format!("{name} (single linkage): {status}, splits are within {split_error:.1e}{margin}{leaves}"), sound))
}

/// A bound that rounding alone is left of.
fn rounding(bound: f64) -> String {
    if bound == 0.0 { "rounding".to_string() } else { format!("{bound:.1e}") }
}

/// A smaller weight does not count as held.
const HELD: f64 = 1e-6;
