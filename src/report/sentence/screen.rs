//! What a screen found, in a few sentences: the best subset, whether the ranking carries over to data it has not seen, and
//! so whether a reader should hold the list, or what the best have in common.

use crate::report::words::{self, counted, cut, figure as shown, grouped, percent};
use crate::study::screen::halves::Halves;
use crate::study::screen::inclusion::Included;
use crate::study::screen::{Entry, Outcome, Screened};
use crate::study::winners;

/// The ranking carries over where the halves' rankings correlate by this at least, and the best of the first half beat this
/// share of all in the second; in part where they reach the second of each. Chance is 0 and one half.
const CARRIES: [f64; 2] = [0.4, 0.75];
const IN_PART: [f64; 2] = [0.15, 0.6];

/// An asset is common among the best where this share of them holds it, and so many times the share that draws would give
/// (or all of them do).
const COMMON: f64 = 0.5;
const ABOVE_CHANCE: f64 = 1.5;

/// Of fewer of the best than this, nothing is common; where the best hundredth are fewer, so many of the list stand for it,
/// but no more than a tenth of all.
const FEWEST_BEST: u64 = 3;
const FIRST: usize = 10;

/// Names in a sentence at most, and columns of each.
const MOST_NAMES: usize = 6;
const MOST_COMMON: usize = 4;
const NAME: usize = 24;

pub fn sentence(screened: &Screened) -> String {
    let outcome = &screened.outcome;
    if outcome.top.is_empty() {
        return nothing(outcome);
    }
    let again = screened.bootstrap.as_ref().and_then(again);
    let parts = [Some(format!("{}; {}", best(outcome), carries(outcome))), again];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

/// Why there is no list.
fn nothing(outcome: &Outcome) -> String {
    let (run, solves) = (&outcome.run, &outcome.solves);
    if let Some(cap) = run.max_correlation.filter(|_| solves.total == 0) {
        return format!(
            "There is nothing to choose from: each of the {} holds a pair with a correlation above {cap}. Raise the cap.",
            counted(outcome.subsets.screened, "subset")
        );
    }
    if solves.converged == 0 {
        return format!(
            "There is nothing to choose from: {} ({}). Help: {}.",
            words::nothing(solves.total, "subset"),
            words::solves(solves),
            words::remedy(solves)
        );
    }
    if run.filters.is_empty() {
        return format!("There is nothing to choose from: no portfolio has a {}.", run.by);
    }
    let bounds: Vec<String> = run.filters.iter().map(ToString::to_string).collect();
    let tried = if outcome.distribution.shortlist { "of the shortlist " } else { "" };
    format!("No subset {tried}keeps {}: loosen a bound, or choose among more assets.", bounds.join(" and "))
}

/// "The best 5 of 50 by sharpe (0.9100) hold SPY 12.3 %, ..".
fn best(outcome: &Outcome) -> String {
    let (run, first) = (&outcome.run, &outcome.top[0]);
    let among = match (run.shortlist, run.shortlist_by) {
        (Some(count), Some(metric)) => format!(", among the {} best by {metric}", grouped(count)),
        _ => String::new(),
    };
    let mut held: Vec<(&String, f64)> = first.assets.iter().zip(first.weights.iter().copied()).collect();
    held.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut named: Vec<String> = held
        .iter()
        .take(MOST_NAMES)
        .map(|(name, weight)| format!("{} {}", cut(name, NAME), percent(*weight, 1)))
        .collect();
    if held.len() > MOST_NAMES {
        named.push(format!("{} more", held.len() - MOST_NAMES));
    }
    let verb = if run.size == 1 { "is" } else { "hold" };
    let (best, of) = (if run.size == 1 { "best".to_string() } else { format!("best {}", run.size) }, run.assets);
    format!("The {best} of {of} by {} ({}{among}) {verb} {}", run.by, shown(run.by, first.value), named.join(", "))
}

/// How far a ranking carries over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Carries {
    Over,
    InPart,
    Not,
}

impl Carries {
    fn of(halves: &Halves) -> Carries {
        let reaches = |[correlation, beat]: [f64; 2]| {
            halves.rank_correlation.is_some_and(|r| r >= correlation) && halves.winners_beat >= beat
        };
        match () {
            () if reaches(CARRIES) => Carries::Over,
            () if reaches(IN_PART) => Carries::InPart,
            () => Carries::Not,
        }
    }
}

/// Whether the ranking carries over, and what follows.
fn carries(outcome: &Outcome) -> String {
    let Some(halves) = &outcome.halves else {
        return match outcome.run.rows {
            None => "a covariance has no history, so nothing here tells whether the ranking carries over: give prices or returns \
                     before you rely on it."
                .to_string(),
            Some(_) => "the halves of the history were not compared, so nothing here tells whether the ranking carries over."
                .to_string(),
        };
    };
    let found = format!(
        "out of sample (split at {}) the halves' rankings correlate {} and the first half's best beat {} of all in the second \
         (chance: 50 %)",
        split(halves),
        correlation(halves),
        percent(halves.winners_beat, 0)
    );
    let common = common(outcome);
    let advice = match (Carries::of(halves), common) {
        (Carries::Over, _) => "the ranking carries over.".to_string(),
        (Carries::InPart, Some(common)) => {
            format!(
                "the ranking carries over in part: rely on the common assets ({common}) more than on a place in the list."
            )
        }
        (Carries::InPart, None) => {
            "the ranking carries over in part: take the first places for about equally good.".to_string()
        }
        (Carries::Not, Some(common)) => {
            format!("the ranking is mostly luck: hold the common assets ({common}), not the list.")
        }
        (Carries::Not, None) => {
            "the ranking is mostly luck, and no asset stands out among the best: choose by something else.".to_string()
        }
    };
    format!("{found}: {advice}")
}

/// "A in 97 %, B in 90 % of the best 45", of assets that the best hold far more often than draws would: of the best hundredth,
/// or where these are few, of the first of the list.
fn common(outcome: &Outcome) -> Option<String> {
    let (run, inclusion) = (&outcome.run, &outcome.inclusion);
    let tenth = usize::try_from(passing(outcome) / 10).unwrap_or(usize::MAX);
    let first = &outcome.top[..outcome.top.len().min(FIRST).min(tenth)];
    let of_the_list = inclusion.subsets < FEWEST_BEST && first.len() as u64 >= FEWEST_BEST;
    let best = if of_the_list { first.len() as u64 } else { inclusion.subsets };
    if best < FEWEST_BEST {
        return None;
    }
    let count = |asset: &Included| match of_the_list {
        true => first.iter().filter(|entry| entry.assets.contains(&asset.name)).count() as u64,
        false => asset.count,
    };
    let chance = run.size as f64 / run.assets as f64;
    let share = |count: u64| count as f64 / best as f64;
    let mut common: Vec<(u64, &str)> = inclusion
        .assets
        .iter()
        .map(|asset| (count(asset), asset.name.as_str()))
        .filter(|(count, _)| share(*count) >= COMMON.max((ABOVE_CHANCE * chance).min(1.0)))
        .collect();
    common.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let named: Vec<String> = common
        .iter()
        .take(MOST_COMMON)
        .map(|(count, name)| format!("{} in {}", cut(name, NAME), percent(share(*count), 0)))
        .collect();
    (!named.is_empty()).then(|| format!("{} of the best {}", named.join(", "), grouped(best)))
}

/// Whether the first would be chosen again.
fn again(again: &winners::Outcome) -> Option<String> {
    let first = again.winners.first().filter(|_| again.counted > 0)?;
    if let (Some(reselection), Some(share)) = (again.reselection, first.reselected) {
        return Some(format!(
            "On {} it is among the best {} of all {} again in {} (chance: {}).",
            counted(reselection.resamples, "resample"),
            again.places,
            counted(reselection.subsets, "subset"),
            percent(share, 0),
            percent(chance(again.places, reselection.subsets), 1)
        ));
    }
    Some(format!(
        "On {} it is among the best {} of these {} in {} (chance: {}), which is optimistic: they were chosen on the same history.",
        counted(again.counted, "resample"),
        again.places,
        again.winners.len(),
        percent(first.probability, 0),
        percent(chance(again.places, again.winners.len() as u64), 0)
    ))
}

/// The share of resamples in which any of so many subsets would be among the best by chance.
pub fn chance(places: usize, subsets: u64) -> f64 {
    (places as f64 / subsets as f64).min(1.0)
}

fn split(halves: &Halves) -> String {
    halves.split.as_ref().map_or("the middle".to_string(), |label| cut(label, NAME))
}

fn correlation(halves: &Halves) -> String {
    halves.rank_correlation.map_or("-".to_string(), |r| format!("{r:.2}"))
}

/// The halves in full: "Out of sample (split at 2006-08-11): the halves' rankings correlate 0.67. ..".
pub fn out_of_sample(outcome: &Outcome, halves: &Halves) -> String {
    let by = outcome.run.by;
    let bounds = if outcome.run.filters.is_empty() { "" } else { " that keep the bounds" };
    let sample = match halves.subsets < passing(outcome) {
        true => format!("; a sample of {}{bounds}", counted(halves.subsets, "subset")),
        false => format!("; {}{bounds}", counted(halves.subsets, "subset")),
    };
    format!(
        "Out of sample (split at {}{sample}): the halves' rankings correlate {}. {} of the first half scored {} there and {} in \
         the second half (average of all: {}), better than {} (chance: 50 %).",
        split(halves),
        correlation(halves),
        if halves.winners == 1 { "The best".to_string() } else { format!("The best {}", grouped(halves.winners)) },
        shown(by, halves.winners_first),
        shown(by, halves.winners_second),
        shown(by, halves.all_second),
        percent(halves.winners_beat, 0)
    )
}

/// What histogram and inclusion are of: "All 210 subsets that pass", or a shortlist.
pub fn ranked(outcome: &Outcome) -> String {
    let count = counted(outcome.distribution.subsets, "subset");
    let (run, bounded) = (&outcome.run, !outcome.run.filters.is_empty());
    match (outcome.distribution.shortlist, run.shortlist_by) {
        (true, Some(metric)) => {
            format!("The shortlist ({count}{}, the best by {metric})", if bounded { " that pass" } else { "" })
        }
        _ if !bounded => format!("All {count}"),
        _ if bounds_of_the_list(outcome) => format!("All {count} that keep the bounds of the covariance"),
        _ => format!("All {count} that pass"),
    }
}

/// What holds a weight, after its number: " max", or nothing.
pub fn tag(entry: &Entry, asset: usize) -> String {
    let bound = entry.bounds.as_ref().and_then(|bounds| bounds[asset]);
    bound.map_or(String::new(), |bound| format!(" {}", bound.name()))
}

/// "all 210 converged, rc_error at most 9.0e-9", or within bounds "optimal to 9.0e-9".
pub fn certificates(outcome: &Outcome) -> String {
    match outcome.kkt_error {
        None => words::certificates(&outcome.solves, outcome.rc_error.max),
        Some(error) => {
            let error = error.max.map_or(String::new(), |max| format!(", optimal to {max:.1e}"));
            words::solves(&outcome.solves) + &error
        }
    }
}

/// Whether bounds on the path were tried on the best alone: then histogram and inclusion count subsets that miss them, too.
pub fn bounds_of_the_list(outcome: &Outcome) -> bool {
    let of_the_path = outcome.run.filters.iter().any(|filter| filter.figure.is_of_the_path());
    of_the_path && outcome.distribution.of_metrics
}

/// Subsets that keep all bounds, as far as that is known: those on the path are tried on the best alone where these are many.
pub fn passing(outcome: &Outcome) -> u64 {
    let distribution = &outcome.distribution;
    let by_metrics = distribution.of_metrics || distribution.shortlist;
    if by_metrics { outcome.subsets.passing } else { distribution.subsets }
}

/// How P(again) is to be read.
pub fn caveat(again: &winners::Outcome) -> String {
    let own = format!(
        "Resampled: P(again) is how often a subset is among the {} best of these {} on {} ({}, mean block {:.1} rows, seed {}). \
         It is optimistic: these were chosen on the same history.",
        again.places,
        again.winners.len(),
        counted(again.counted, "resample"),
        again.scheme,
        again.block_length,
        again.seed
    );
    match again.reselection {
        Some(reselection) => format!(
            "{own} P(again, all) repeats the choice: how often it is among the {} best of all {} on {} (chance: {}).",
            again.places,
            counted(reselection.subsets, "subset"),
            counted(reselection.resamples, "resample"),
            percent(chance(again.places, reselection.subsets), 1)
        ),
        None => format!("{own} To choose again from all subsets on each resample would take too long here."),
    }
}
