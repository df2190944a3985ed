//! The report of `equirisk bootstrap`.

mod blocks;
mod by_method;
mod convergence;
mod correlation;
mod days;
mod estimators;
mod halves;
mod methods;
mod overview;
mod paired;
mod rolling;
mod shares;
mod weights;

use super::chart::MOST_ROWS;
use super::page::Page;
use super::text;
use crate::report::Shown as _;
use crate::report::terminal::View;
use crate::report::words::{self, counted};
use crate::store::origin::Origin;
use crate::study::bootstrap::Outcome;
use crate::study::statistics::asset::{self, Asset};

/// The page: a pure function of the outcome, of where its data came from, and of how options are told.
pub fn bootstrap(outcome: &Outcome, origin: &Origin, view: View) -> String {
    // One resample has no spread.
    let has_spread = outcome.solves.converged >= 2;
    let charts = if has_spread {
        let charts = [
            Some(weights::weights(outcome)),
            halves::halves(outcome),
            Some(shares::shares(outcome)),
            Some(methods::methods(outcome)),
            paired::paired(outcome),
            by_method::by_method(outcome),
            estimators::estimators(outcome),
            rolling::rolling(outcome),
            days::days(outcome),
            correlation::correlation(outcome),
            blocks::blocks(outcome),
            Some(convergence::settling(outcome)),
        ];
        charts.into_iter().flatten().collect()
    } else {
        Vec::new()
    };
    let sources = origin.sources();
    let of = if sources.is_empty() { String::new() } else { format!(" of {sources}") };
    Page {
        name: format!("equirisk bootstrap{of}: risk-budgeting weights and how far to trust them"),
        title: "How far can these risk-budgeting weights be trusted?".to_string(),
        answer: outcome
            .sentence()
            .into_iter()
            .chain(outcome.given.as_ref().map(|given| words::holdings(given, words::RESAMPLED)))
            .collect(),
        facts: facts(outcome, origin),
        warnings: warnings(outcome),
        notes: origin.notes.iter().cloned().chain(outcome.notes(view)).collect(),
        overview: if has_spread { overview::overview(outcome) } else { String::new() },
        charts,
        closing: "A bootstrap knows only its history: what never happened in it is in no band. All numbers in full \
                  precision stand in summary.json and assets.csv, the weights of every resample in weights.parquet."
            .to_string(),
    }
    .html(origin)
}

/// What went in, and how it was solved.
fn facts(outcome: &Outcome, origin: &Origin) -> Vec<(&'static str, String)> {
    let run = &outcome.run;
    let budgets: Vec<&Asset> = outcome.assets.iter().filter(|asset| asset.budget > 0.0).collect();
    let equal = budgets.iter().all(|asset| (asset.budget / budgets[0].budget - 1.0).abs() <= 1e-9);
    let listed = |asset: &&Asset| format!("{} {}", text::name(&asset.name), words::percent(asset.budget, 1));
    let mut facts = Vec::new();
    if !origin.files.is_empty() {
        facts.push(("Data", origin.sources()));
    }
    facts.push(("History", words::history(run) + &words::periods(run.periods_per_year)));
    facts.push((
        "Risk budgets",
        match (equal, budgets.len()) {
            (true, _) => format!("equal, {} each", words::percent(budgets[0].budget, 2)),
            (false, ..=12) => budgets.iter().map(listed).collect::<Vec<_>>().join(", "),
            (false, count) => format!("unequal, of {}", counted(count as u64, "asset")),
        },
    ));
    if !run.risk.is_volatility() {
        facts.push(("Risk", words::measure(&run.risk)));
    }
    if let Some(estimation) = words::estimation(&run.estimator) {
        let about =
            if run.estimator.half_life.is_some() { format!("{estimation} {}", words::EWMA) } else { estimation };
        facts.push(("Estimator", about));
    }
    facts.push(("Resamples", words::resamples(run)));
    facts.push(("Engine", words::engine(run.adapter.as_deref(), run.precision)));
    facts.push(("Certificates", words::certificates(&outcome.solves, outcome.rc_error.max)));
    facts.extend(outcome.crosscheck.as_ref().map(|check| ("Cross-check", words::crosscheck(check))));
    facts
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    let mut warnings = Vec::new();
    let (run, solves) = (&outcome.run, &outcome.solves);
    if solves.converged < 2 {
        warnings
            .push(format!("{} with a certified portfolio: no spread to show.", counted(solves.converged, "resample")));
    }
    if solves.unsolved() > 0 {
        let share = words::percent(solves.unsolved() as f64 / solves.total as f64, 1);
        warnings.push(format!(
            "{share} of the resamples have no certified portfolio and are left out of all statistics: {}.",
            words::solves(solves)
        ));
    }
    if let Some(check) = outcome.crosscheck.filter(|check| check.disagreements > 0) {
        warnings.push(format!(
            "The GPU and the CPU disagree on {}.",
            counted(check.disagreements, "cross-checked problem")
        ));
    }
    if !run.excluded.is_empty() {
        let names: Vec<String> = run.excluded.iter().take(5).map(|name| text::name(name)).collect();
        let more = if run.excluded.len() > 5 { ", .." } else { "" };
        warnings.push(format!(
            "{} with a zero budget {} held at weight zero and not shown: {}{more}.",
            counted(run.excluded.len() as u64, "asset"),
            if run.excluded.len() == 1 { "is" } else { "are" },
            names.join(", ")
        ));
    }
    if outcome.assets.iter().any(|asset| asset.point.is_none()) {
        warnings
            .push("The full history has no risk-budgeting portfolio: no full-history weights are marked.".to_string());
    }
    warnings
}

/// An asset with its place among all.
type Placed<'a> = (usize, &'a Asset);

/// The assets that were solved for.
fn solved(outcome: &Outcome) -> Vec<Placed<'_>> {
    outcome.assets.iter().enumerate().filter(|(_, asset)| asset.budget > 0.0).collect()
}

/// What weights are compared with: the median stands in where the full history has no portfolio.
fn centre(asset: &Asset) -> f64 {
    asset.point.unwrap_or(asset.weight.q50)
}

/// A weight relative to that, less one.
fn change(asset: &Asset, weight: f64) -> f64 {
    weight / centre(asset) - 1.0
}

/// The asset that moves most.
fn mover(outcome: &Outcome) -> &Asset {
    &outcome.assets[asset::mover(&outcome.assets).expect("a study has assets")]
}

/// The assets a chart has room for, and a sentence about the others: in the order of the data, or those that move most.
fn shown(outcome: &Outcome) -> (Vec<Placed<'_>>, String) {
    let mut assets = solved(outcome);
    let all = assets.len();
    if all <= MOST_ROWS {
        return (assets, String::new());
    }
    assets.sort_by(|a, b| b.1.moves().total_cmp(&a.1.moves()));
    assets.truncate(MOST_ROWS);
    (assets, format!(" Shown are the {MOST_ROWS} of {all} assets that move most; the table has all."))
}
