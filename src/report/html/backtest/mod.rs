//! The report of `equirisk backtest`.

mod attribution;
mod beats;
mod costs;
mod exposure;
mod fan;
mod grid;
mod overview;
mod periods;
mod rows;
mod shares;
mod spread;
mod volatility;
mod wealth;
mod weights;
mod years;

use super::page::Page;
use crate::report::Shown as _;
use crate::report::terminal::View;
use crate::report::words::{self, counted, percent};
use crate::store::origin::Origin;
use crate::study::backtest::Outcome;
use crate::study::backtest::outcome::StrategyOutcome;

/// The page: a pure function of the outcome, of where its data came from, and of how options are told.
pub fn backtest(outcome: &Outcome, origin: &Origin, view: View) -> String {
    let charts = [
        Some(wealth::wealth(outcome)),
        spread::spread(outcome),
        beats::beats(outcome),
        periods::periods(outcome),
        years::years(outcome),
        volatility::volatility(outcome),
        exposure::exposure(outcome),
        weights::weights(outcome),
        fan::fan(outcome),
        shares::shares(outcome),
        attribution::attribution(outcome),
        costs::costs(outcome),
        grid::grid(outcome),
    ];
    let sources = origin.sources();
    let of = if sources.is_empty() { String::new() } else { format!(" of {sources}") };
    Page {
        name: format!("equirisk backtest{of}: risk parity through its history"),
        title: "How would this risk-parity strategy have gone?".to_string(),
        answer: outcome.sentence().into_iter().collect(),
        facts: facts(outcome, origin),
        warnings: warnings(outcome),
        notes: origin.notes.iter().cloned().chain(outcome.notes(view)).collect(),
        overview: overview::overview(outcome),
        charts: charts.into_iter().flatten().collect(),
        closing: "A backtest knows only its history, and was looked at before it was shown: nobody shows one that did \
                  badly. All numbers in full precision stand in summary.json and metrics.csv, portfolios in \
                  weights.parquet, every row in wealth.parquet."
            .to_string(),
    }
    .html(origin)
}

/// What went in, and how it was solved.
fn facts(outcome: &Outcome, origin: &Origin) -> Vec<(&'static str, String)> {
    let run = &outcome.run;
    let mut facts = Vec::new();
    if !origin.files.is_empty() {
        facts.push(("Data", origin.sources()));
    }
    let rows = counted(run.evaluated_rows as u64, "row");
    facts.push((
        "Held",
        format!("{} to {}, {rows} of {}", run.first_trade, run.last, counted(run.assets as u64, "asset")),
    ));
    facts.push((
        "Decisions",
        format!(
            "{}, {}, traded {} later",
            counted(outcome.rebalances as u64, "decision"),
            run.rebalance,
            counted(run.lag as u64, "row")
        ),
    ));
    let window = if run.expanding { "all rows, at least " } else { "" };
    facts.push(("Windows", format!("{window}{}, {}", counted(run.lookback as u64, "row"), run.estimator.name)));
    if let Some(target) = run.target_volatility {
        let most = crate::wording::short(run.max_leverage);
        facts.push(("Exposure", format!("to a volatility of {}, at most {most} times wealth", percent(target, 1))));
    }
    let cost = run.cost_bps.map_or("a cost for each asset".to_string(), |cost| {
        format!("{} basis points each way", crate::wording::short(cost))
    });
    facts.push(("Trading", cost));
    let (cash, spread) = (percent(run.cash, 1), percent(run.financing_spread, 1));
    facts.push(("Cash", format!("{cash} a year, borrowing {spread} above")));
    if let Some(paths) = &outcome.paths {
        let blocks = format!("{}, blocks of about {:.0} rows", paths.scheme, paths.block_length);
        facts.push(("Paths", format!("{}, {blocks}", counted(paths.count, "resampled path"))));
        facts.push(("Engine of paths", words::engine(run.adapter.as_deref(), run.precision)));
    }
    facts.push(("Certificates", words::certificates(&outcome.solves, outcome.rc_error.max)));
    facts.extend(outcome.crosscheck.as_ref().map(|check| ("Cross-check", words::crosscheck(check))));
    facts
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    let ruined = outcome
        .strategies
        .iter()
        .filter_map(|own| own.ruined.as_ref().map(|date| format!("{} lost everything on {date}.", own.label)));
    let unsolved = outcome.strategies.iter().filter(|own| !own.unsolved.is_empty()).map(|own| {
        format!(
            "{} of {} have no certified portfolio of {}: what was held stayed.",
            crate::wording::grouped(own.unsolved.len() as u64),
            counted(outcome.rebalances as u64, "decision"),
            own.label
        )
    });
    let disagreements = outcome.crosscheck.filter(|check| check.disagreements > 0).map(|check| {
        format!("The GPU and the CPU disagree on {}.", counted(check.disagreements, "cross-checked problem"))
    });
    ruined.chain(unsolved).chain(disagreements).collect()
}

/// The strategy that the page is about.
fn own(outcome: &Outcome) -> &StrategyOutcome {
    outcome.own().unwrap_or(&outcome.strategies[0])
}

fn benchmark(outcome: &Outcome) -> &StrategyOutcome {
    outcome.strategy(&outcome.benchmark).unwrap_or(&outcome.strategies[0])
}
