//! What a backtest found, in a few sentences: how the first strategy did, whether it was better than the benchmark beyond
//! chance, and at what cost its lead is gone.

use crate::report::words::{capitalised, counted, never_certain, percent};
use crate::study::backtest::Outcome;
use crate::study::backtest::outcome::StrategyOutcome;

/// A p-value below which a difference is hardly chance.
const HARDLY_CHANCE: f64 = 0.05;
/// Above which it may well be.
const MAY_BE_CHANCE: f64 = 0.10;

pub fn sentence(outcome: &Outcome) -> String {
    let Some(own) = outcome.own() else {
        return outcome.strategies.first().map_or(String::new(), |own| format!("{}.", alone(own)));
    };
    let benchmark = outcome.strategy(&outcome.benchmark);
    let parts =
        [Some(format!("{}{}", alone(own), beside(benchmark))), chance(own), luck(own, outcome), cost(own, outcome)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// "Risk budgeting grew 2.7 % a year at a volatility of 5.2 %, and fell by 17.5 % at worst"
fn alone(own: &StrategyOutcome) -> String {
    let name = capitalised(&own.label);
    if let Some(date) = &own.ruined {
        return format!("{name} lost everything on {date}");
    }
    let growth = match own.metrics.cagr {
        Some(cagr) if cagr < 0.0 => format!("lost {} a year", percent(-cagr, 1)),
        Some(cagr) => format!("grew {} a year", percent(cagr, 1)),
        None => "was held".to_string(),
    };
    let volatility = own.metrics.volatility_monthly.or(own.metrics.volatility);
    let volatility = volatility.map_or(String::new(), |x| format!(" at a volatility of {}", percent(x, 1)));
    let fell = own.metrics.max_drawdown.map_or(String::new(), |x| format!(", and fell by {} at worst", percent(x, 1)));
    format!("{name} {growth}{volatility}{fell}")
}

/// "; 60/40 lost 1.0 % a year, and fell by 31.0 %."
fn beside(benchmark: Option<&StrategyOutcome>) -> String {
    benchmark.map_or(".".to_string(), |other| {
        let text = alone(other);
        // A name in the middle of a sentence begins as it is written.
        format!("; {}{}.", other.label, &text[capitalised(&other.label).len()..])
    })
}

/// Whether the difference of Sharpe ratios may be chance.
fn chance(own: &StrategyOutcome) -> Option<String> {
    let found = own.metrics.relative.sharpe_difference?;
    let (p, se) = (found.p_value, found.standard_error);
    let verdict = match p {
        p if p < HARDLY_CHANCE => "is hardly chance",
        p if p < MAY_BE_CHANCE => "may be chance",
        _ => "may well be chance",
    };
    let digits = if p < MAY_BE_CHANCE { 3 } else { 2 };
    Some(format!(
        "The difference of their Sharpe ratios, {:+.2} with a standard error of {se:.2}, {verdict} (p = {p:.digits$}, {}).",
        found.difference,
        if own.metrics.sharpe_monthly.is_some() { "months" } else { "rows" }
    ))
}

/// On how many paths it would have been better.
fn luck(own: &StrategyOutcome, outcome: &Outcome) -> Option<String> {
    let paths = outcome.paths.as_ref()?;
    let wins = paths.probability(&own.name, &outcome.benchmark, "sharpe")?;
    let drawdown = paths.strategies.iter().find(|of| of.name == own.name)?.figures.max_drawdown.as_ref()?;
    Some(format!(
        "On {} of {} its Sharpe ratio is the higher one, and its largest fall is {} to {} on nine of ten.",
        never_certain(wins),
        counted(paths.count, "resampled path"),
        percent(drawdown.statistics.q05, 0),
        percent(drawdown.statistics.q95, 0)
    ))
}

/// Where its lead is gone.
fn cost(own: &StrategyOutcome, outcome: &Outcome) -> Option<String> {
    let (cost, paid) = (own.break_even_bps?, outcome.run.cost_bps?);
    (cost > paid).then(|| format!("Its lead in growth is gone once trading costs {cost:.0} basis points each way."))
}
