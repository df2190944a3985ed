//! The report of `equirisk bootstrap`.

mod blocks;
mod convergence;
mod days;
mod halves;
mod methods;
mod quantiles;
mod shares;
mod weights;

use super::chart::MOST_ROWS;
use super::page::Page;
use crate::report::words::{self, counted};
use crate::study::bootstrap::Outcome;
use crate::study::statistics::asset::{self, Asset};

/// The page: a pure function of the outcome.
pub fn bootstrap(outcome: &Outcome) -> String {
    // One resample has no spread.
    let charts = if outcome.solves.converged < 2 {
        Vec::new()
    } else {
        let charts = [
            Some(weights::weights(outcome)),
            halves::halves(outcome),
            Some(shares::shares(outcome)),
            Some(quantiles::quantiles(outcome)),
            Some(methods::methods(outcome)),
            days::days(outcome),
            Some(convergence::settling(outcome)),
            blocks::blocks(outcome),
        ];
        charts.into_iter().flatten().collect()
    };
    let run = &outcome.run;
    let mut facts = vec![
        ("History", words::history(run) + &words::periods(run.periods_per_year)),
        ("Resamples", words::resamples(run)),
        ("Engine", words::engine(run.adapter.as_deref(), run.precision)),
        ("Certificates", words::certificates(&outcome.solves, outcome.rc_error.max)),
    ];
    facts.extend(outcome.crosscheck.as_ref().map(|check| ("Cross-check", words::crosscheck(check))));
    Page {
        title: "How far can these risk-budgeting weights be trusted?".to_string(),
        facts,
        warnings: warnings(outcome),
        charts,
        notes: "A bootstrap knows only its history: what never happened in it is in no band. Robust bands allow for spells of \
                volatility that are longer than a block. All numbers in full precision stand in summary.json and \
                assets.csv, the weights of every resample in weights.parquet."
            .to_string(),
    }
    .html()
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
        let names: Vec<String> = run.excluded.iter().take(5).map(|name| super::text::name(name)).collect();
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
