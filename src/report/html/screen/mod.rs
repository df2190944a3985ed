//! The report of `equirisk screen`.

mod again;
mod cloud;
mod growth;
mod halves;
mod histogram;
mod inclusion;
mod list;
mod overview;

use plotly::layout::Axis;

use super::chart::{axis, percent_axis};
use super::page::Page;
use super::text::{name, percent, rounded};
use crate::report::Shown as _;
use crate::report::sentence::screen as choice;
use crate::report::terminal::View;
use crate::report::words::{self, counted, grouped};
use crate::store::origin::Origin;
use crate::study::screen::figure::Figure;
use crate::study::screen::{Entry, Outcome, Screened};

/// Places of a list that a chart has room for.
const MOST_PLACES: usize = 40;

/// The page: a pure function of the outcome, of where its data came from, and of how options are told.
pub fn screen(screened: &Screened, origin: &Origin, view: View) -> String {
    let outcome = &screened.outcome;
    let run = &outcome.run;
    let charts = if outcome.top.is_empty() {
        Vec::new()
    } else {
        let charts = [
            Some(list::list(screened)),
            histogram::histogram(outcome),
            cloud::cloud(outcome),
            growth::growth(outcome),
            halves::halves(outcome),
            inclusion::inclusion(outcome),
            again::again(screened),
        ];
        charts.into_iter().flatten().collect()
    };
    let sources = origin.sources();
    let of = if sources.is_empty() { String::new() } else { format!(" of {sources}") };
    Page {
        name: format!("equirisk screen{of}: the best risk-parity portfolios of {} assets", run.size),
        answer: screened.sentence().into_iter().collect(),
        notes: origin.notes.iter().cloned().chain(screened.notes(view)).collect(),
        overview: if outcome.top.is_empty() { String::new() } else { overview::overview(screened) },
        title: format!("Which {} of {} to hold?", run.size, counted(run.assets as u64, "asset")),
        facts: facts(screened, origin),
        warnings: warnings(outcome),
        charts,
        closing: "The best of very many subsets are partly those whose past was kind. The list was solved again to rounding \
                and ranked in double precision. All numbers stand in summary.json, top.csv, histogram.csv and inclusion.csv."
            .to_string(),
    }
    .html(origin)
}

/// What went in, and how it was solved.
fn facts(screened: &Screened, origin: &Origin) -> Vec<(&'static str, String)> {
    let outcome = &screened.outcome;
    let (run, subsets) = (&outcome.run, &outcome.subsets);
    let mut facts = Vec::new();
    if !origin.files.is_empty() {
        facts.push(("Data", origin.sources()));
    }
    if let (Some(rows), Some(first), Some(last)) = (run.rows, &run.first, &run.last) {
        let periods = words::periods(run.periods_per_year);
        facts.push(("History", format!("{}, {first} to {last}{periods}", counted(rows as u64, "return"))));
    }
    let space = subsets.space.map_or(format!("{:.2e}", subsets.space_approximate), grouped);
    facts.push((
        "Subsets",
        format!(
            "{} of {space}: {} of {}{}",
            grouped(subsets.screened),
            run.size,
            counted(run.assets as u64, "asset"),
            run.seed.map_or(String::new(), |seed| format!(", drawn without replacement, seed {seed}"))
        ),
    ));
    if let Some(estimation) = run.estimator.as_ref().and_then(words::estimation) {
        facts.push(("Estimator", estimation));
    }
    facts.push((
        "Ranked by",
        match (run.shortlist_by, run.shortlist) {
            (Some(metric), Some(count)) => format!("{}, among the {} best by {metric}", run.by, grouped(count)),
            _ => run.by.to_string(),
        },
    ));
    if let Some(bounds) = &run.bounds {
        let of = format!("{} of {}", grouped(subsets.feasible), grouped(outcome.solves.total));
        facts.push(("Limits", format!("{}: {of} subsets can be held so", words::weights_within(bounds))));
    }
    let mut bounds: Vec<String> = run.filters.iter().map(ToString::to_string).collect();
    bounds.extend(run.max_correlation.map(|cap| format!("no pair correlated above {cap}")));
    if !bounds.is_empty() {
        let by_metrics = outcome.distribution.of_metrics || outcome.distribution.shortlist;
        let on_the_path = run.filters.iter().any(|filter| filter.figure.is_of_the_path());
        let tried = match by_metrics && on_the_path {
            true => " by the covariance; bounds on the path were tried on the best of these",
            false => "",
        };
        facts.push(("Bounds", format!("{}: {} pass{tried}", bounds.join(", "), grouped(choice::passing(outcome)))));
    }
    facts.extend(screened.bootstrap.as_ref().map(|again| {
        let block = format!("mean block {:.1} rows, seed {}", again.block_length, again.seed);
        ("Resamples", format!("{} ({}, {block})", counted(again.resamples, "resample"), again.scheme))
    }));
    facts.push(("Engine", words::engine(run.adapter.as_deref(), run.precision)));
    facts.push(("Certificates", choice::certificates(outcome)));
    let check = outcome.crosscheck.as_ref();
    facts.extend(check.map(|check| ("Cross-check", words::again(check.sampled, "subset", check.disagreements))));
    facts
}

/// A portfolio in words: "SPY 12.3 %, TLT 45.6 % max".
fn holding(entry: &Entry) -> String {
    let part = |(at, asset): (usize, &String)| {
        format!("{} {}{}", name(asset), words::percent(entry.weights[at], 2), choice::tag(entry, at))
    };
    entry.assets.iter().enumerate().map(part).collect::<Vec<_>>().join(", ")
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    let mut warnings = Vec::new();
    if outcome.solves.failed() > 0 {
        warnings
            .push(format!("Subsets without a certified portfolio are not ranked: {}.", words::solves(&outcome.solves)));
    }
    if let Some(check) = outcome.crosscheck.filter(|check| check.disagreements > 0) {
        warnings
            .push(format!("The GPU and the CPU disagree on {}.", counted(check.disagreements, "cross-checked subset")));
    }
    warnings
}

/// A figure as a chart shows it: shares in percent.
fn plotted(figure: Figure, value: f64) -> f64 {
    if words::is_share(figure) { percent(value) } else { rounded(value) }
}

/// An axis for a figure.
fn figure_axis(figure: Figure, what: &str) -> Axis {
    let title = format!("{figure}{what}");
    if words::is_share(figure) { percent_axis(&title) } else { axis(&title) }
}
