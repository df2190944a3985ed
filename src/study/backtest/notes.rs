//! What a reader should know of a backtest, beside its figures.

use super::config::Leverage;
use super::figures::{Kind, is_autocorrelated};
use super::outcome::Outcome;
use super::plan::Plan;
use super::windows::Window;
use crate::error::{Text, option};
use crate::wording::{counted, joined, short};

/// One line for each thing that is worth knowing, the most important first.
pub fn notes(plan: &Plan, outcome: &Outcome) -> Vec<Text> {
    let all = [
        borrowing(plan),
        unreached(plan, outcome),
        beyond_the_cap(plan, outcome),
        inflated(outcome),
        short_windows(plan),
        entering(plan, outcome),
        leaving(plan, outcome),
        ended_mixes(plan),
        unsolved(outcome),
        ambiguous(outcome),
        free(plan),
        beside_the_rows(outcome),
    ];
    all.into_iter().flatten().map(Text::from).collect()
}

/// Money is borrowed at the spread alone.
fn borrowing(plan: &Plan) -> Option<String> {
    let levers = plan.config.exposure.leverage != Leverage::Constant(1.0);
    let nothing = plan.market.cash[plan.start + 1..].iter().all(|rate| *rate == 0.0);
    (levers && nothing).then(|| {
        format!(
            "cash earns nothing, so that borrowing costs the spread of {} % a year alone: {} or {} gives its rate",
            short(100.0 * plan.config.costs.spread),
            option("cash"),
            option("cash-rate")
        )
    })
}

/// The cap holds exposure below what the target takes.
fn unreached(plan: &Plan, outcome: &Outcome) -> Option<String> {
    if !plan.config.exposure.leverage.varies() {
        return None;
    }
    let scaling = plan.scaling();
    let own: Vec<String> = (outcome.strategies.iter().enumerate())
        .filter(|(strategy, _)| scaling.applies_to(*strategy))
        .filter_map(|(_, own)| {
            let capped = own.scales.iter().flatten().filter(|scale| **scale >= plan.config.exposure.most).count();
            let share = capped as f64 / own.scales.len() as f64;
            (capped > 0).then(|| format!("{} in {:.0} %", own.label, 100.0 * share))
        })
        .collect();
    (!own.is_empty()).then(|| {
        format!(
            "the cap of {} times wealth holds exposure below its target at decisions: {}",
            short(plan.config.exposure.most),
            joined(&own)
        )
    })
}

/// Exposure drifts up after losses.
fn beyond_the_cap(plan: &Plan, outcome: &Outcome) -> Option<String> {
    let most = plan.config.exposure.most;
    if !plan.config.exposure.leverage.varies() {
        return None;
    }
    let beyond = |exposure: &[f64]| exposure.iter().filter(|l| **l > most * (1.0 + 1e-9)).count();
    let own: Vec<String> = (outcome.strategies.iter().enumerate())
        .filter(|(strategy, _)| plan.scaling().applies_to(*strategy))
        .filter_map(|(_, own)| {
            let exposure = &own.account.track.exposure;
            let share = beyond(exposure) as f64 / exposure.len() as f64;
            let highest = own.metrics.exposure_max.filter(|_| share > 0.0)?;
            Some(format!("{} in {:.0} % of the rows, up to {highest:.2}", own.label, 100.0 * share))
        })
        .collect();
    (!own.is_empty()).then(|| {
        let cap = short(most);
        format!(
            "between trades exposure drifts beyond the cap of {cap}, for wealth falls faster than holdings: {}",
            joined(&own)
        )
    })
}

/// Days that follow each other make daily figures look better.
fn inflated(outcome: &Outcome) -> Option<String> {
    let rows = outcome.run.evaluated_rows;
    let own: Vec<String> = (outcome.strategies.iter())
        .filter(|own| own.metrics.sharpe_monthly.is_some())
        .filter_map(|own| {
            let found = own.metrics.autocorrelation.filter(|found| *found > 0.0 && is_autocorrelated(*found, rows))?;
            Some(format!("{} ({found:.2})", own.label))
        })
        .collect();
    (!own.is_empty()).then(|| {
        format!(
            "returns of neighbouring rows go together, which makes volatility from rows too low and Sharpe ratios too high; \
             figures of months are more honest: autocorrelation of {}",
            joined(&own)
        )
    })
}

/// Few rows for many assets.
fn short_windows(plan: &Plan) -> Option<String> {
    let is_short = |window: &&Window| window.rows.len() < 2 * window.assets.len();
    let found = plan.windows.iter().filter(is_short).max_by_key(|window| window.assets.len())?;
    Some(format!(
        "{} in a window of {}: their covariance is mostly noise, and a longer {} or shrinkage helps",
        counted(found.assets.len() as u64, "asset"),
        counted(found.rows.len() as u64, "row"),
        option("lookback")
    ))
}

fn entering(plan: &Plan, outcome: &Outcome) -> Option<String> {
    let first = &outcome.run.first_decision;
    let late: Vec<String> = (outcome.assets.iter().zip(&plan.budgets))
        .filter(|(asset, budget)| **budget > 0.0 && asset.enters.as_ref() != Some(first))
        .map(|(asset, _)| match &asset.enters {
            Some(enters) => format!("`{}` from {enters}", asset.name),
            None => format!("`{}` never", asset.name),
        })
        .collect();
    (!late.is_empty()).then(|| format!("assets that enter later, with a full window: {}", joined(&late)))
}

fn leaving(plan: &Plan, outcome: &Outcome) -> Option<String> {
    let gone: Vec<String> = (outcome.assets.iter())
        .filter_map(|asset| Some(format!("`{}` on {}", asset.name, asset.leaves.as_ref()?)))
        .collect();
    let sales: usize = outcome.strategies.iter().map(|own| own.account.sales.len()).sum();
    let lost = match plan.config.trading.delisting_return {
        Some(lost) => format!("at a loss of {} %", short(-100.0 * lost)),
        None => "at the last price".to_string(),
    };
    (!gone.is_empty()).then(|| {
        let sold =
            if sales > 0 { format!(" ({} sold {lost})", counted(sales as u64, "holding")) } else { String::new() };
        format!("assets that end: {}{sold}", joined(&gone))
    })
}

/// Their share stays in cash.
fn ended_mixes(plan: &Plan) -> Option<String> {
    let last = plan.market.rows() - 1;
    let ended: Vec<String> = (plan.strategies.mixes().iter())
        .filter(|mix| (0..mix.weights.len()).any(|asset| mix.weights[asset] != 0.0 && plan.market.end(asset) < last))
        .map(|mix| format!("`{}`", mix.name))
        .collect();
    (!ended.is_empty())
        .then(|| format!("fixed mixes of which an asset ends, whose share stays in cash: {}", joined(&ended)))
}

fn unsolved(outcome: &Outcome) -> Option<String> {
    let own: Vec<String> = (outcome.strategies.iter())
        .filter(|own| !own.unsolved.is_empty())
        .map(|own| format!("{} at {} (first {})", own.label, own.unsolved.len(), own.unsolved[0]))
        .collect();
    (!own.is_empty()).then(|| {
        let of = counted(outcome.rebalances as u64, "decision");
        format!("without a certified portfolio what is held stays: {}, of {of}", joined(&own))
    })
}

/// More than one portfolio is as good.
fn ambiguous(outcome: &Outcome) -> Option<String> {
    let some = |strategy: usize| outcome.decisions.iter().any(|decision| !decision.portfolios[strategy].unique);
    let own: Vec<String> = (outcome.strategies.iter().enumerate())
        .filter(|(strategy, _)| some(*strategy))
        .map(|(_, own)| own.label.clone())
        .collect();
    (!own.is_empty()).then(|| {
        format!(
            "some windows do not tell portfolios of {} from others that are as good: one of them is held",
            joined(&own)
        )
    })
}

/// A named period has no row of the run.
fn beside_the_rows(outcome: &Outcome) -> Option<String> {
    let empty = outcome.periods.iter().filter(|period| period.kind == Kind::Named && period.from.is_none());
    let names: Vec<String> = empty.map(|period| format!("`{}`", period.name)).collect();
    let Outcome { run, .. } = outcome;
    (!names.is_empty()).then(|| {
        format!("no row from {} to {} lies in {}: its figures are empty", run.first_trade, run.last, joined(&names))
    })
}

/// Nobody trades for nothing.
fn free(plan: &Plan) -> Option<String> {
    plan.config.costs.rates.iter().all(|rate| *rate == 0.0).then(|| "trading costs nothing here".to_string())
}
