//! The table of `equirisk screen`.

use std::fmt::Write as _;

use super::table::{Column, fitting, table};
use super::view::View;
use super::{LEAVE_EARLY, LEAVE_LAST, LEAVE_LATE, LEAVE_NEXT, NAME};
use crate::error::option;
use crate::measure::Metric;
use crate::report::sentence::screen as choice;
use crate::report::words::{self, counted, cut, figure as shown, grouped, percent, solves};
use crate::study::screen::figure::{Figure, Filter};
use crate::study::screen::halves::InHalves;
use crate::study::screen::{Entry, Outcome, Screened};
use crate::study::winners::Winner;

/// Rows shown at most: a list to be read.
const MOST_ROWS: usize = 50;

/// Columns of a terminal that a list of names has, as long as numbers can leave for it; half of that at least.
const FEWEST_NAMES: usize = 24;
const MOST_NAMES: usize = 48;

/// Columns of a name with its weight, and of the name alone, at least.
const ROOM_OF_A_NAME: usize = 12;
const SHORTEST_NAME: usize = 4;

/// Heights of a histogram's bars.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub fn screen(screened: &Screened, view: View) -> String {
    let outcome = &screened.outcome;
    let mut out = String::new();
    out.push_str(&view.dim(&view.wrapped(&heading(outcome))));
    if outcome.solves.total > 0 && outcome.solves.converged == 0 {
        out.push_str(&view.warning(&view.wrapped(&words::nothing_solved(&outcome.solves, "subset"))));
        return out;
    }
    out.push_str(&view.bold(&view.wrapped(&choice::sentence(screened))));
    bounds(&mut out, outcome, view);
    warned(&mut out, outcome, view);
    if outcome.top.is_empty() {
        evidence(&mut out, outcome, view);
        return out;
    }
    list(&mut out, screened, view);
    distribution(&mut out, outcome, view);
    if let Some(halves) = &outcome.halves {
        out.push_str(&view.wrapped(&choice::out_of_sample(outcome, halves)));
    }
    if let Some(again) = &screened.bootstrap {
        out.push_str(&view.wrapped(&choice::caveat(again)));
    }
    evidence(&mut out, outcome, view);
    out
}

/// "210 subsets of 4 of 10 assets; 3,971 returns, 1999-01-01 to 2014-03-21, 252 periods a year".
fn heading(outcome: &Outcome) -> String {
    let (run, subsets) = (&outcome.run, &outcome.subsets);
    let space = subsets.space.map_or(format!("{:.2e} subsets", subsets.space_approximate), |n| counted(n, "subset"));
    let what = match run.sample {
        Some(_) => format!("{} of {space}", grouped(subsets.screened)),
        None => space,
    };
    let drawn = run.seed.map_or(String::new(), |seed| format!(", drawn without replacement (seed {seed})"));
    let history = match (run.rows, &run.first, &run.last) {
        (Some(rows), Some(first), Some(last)) => {
            let periods = words::periods(run.periods_per_year);
            format!("; {}, {first} to {last}{periods}", counted(rows as u64, "return"))
        }
        _ => String::new(),
    };
    format!("{what} of {} of {}{drawn}{history}", run.size, counted(run.assets as u64, "asset"))
}

/// What subsets were chosen from, where that is not all of them.
fn bounds(out: &mut String, outcome: &Outcome, view: View) {
    let (run, subsets) = (&outcome.run, &outcome.subsets);
    let mut line = |text: String| out.push_str(&view.wrapped(&text));
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    let admitted = outcome.solves.total;
    if let Some(cap) = run.max_correlation {
        let admits = percent(share(admitted, subsets.screened), 1);
        line(format!("{} ({admits}) hold no pair with a correlation above {cap}", grouped(admitted)));
    }
    if let Some(bounds) = &run.bounds {
        let feasible = percent(share(subsets.feasible, admitted), 1);
        let count = grouped(subsets.feasible);
        line(format!("{count} ({feasible}) can be held with {}", words::weights_within(bounds)));
    }
    let of_the_path = |filter: &&Filter| filter.figure.is_of_the_path();
    let (path, metric): (Vec<&Filter>, Vec<&Filter>) = run.filters.iter().partition(of_the_path);
    let listed = |filters: &[&Filter]| filters.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
    if !metric.is_empty() {
        let passing = percent(share(subsets.passing, subsets.feasible), 1);
        line(format!("{} ({passing}) keep {}", grouped(subsets.passing), listed(&metric)));
    }
    if let (Some(metric), Some(count)) = (run.shortlist_by, run.shortlist) {
        line(format!("ranked by {} among the {} best by {metric}", run.by, grouped(count)));
    }
    if path.is_empty() {
        return;
    }
    if choice::bounds_of_the_list(outcome) {
        line(format!("of the list, only what keeps {}", listed(&path)));
    } else {
        let kept = outcome.distribution.subsets;
        let passing = percent(share(kept, run.shortlist.unwrap_or(subsets.passing)), 1);
        line(format!("{} ({passing}) keep {}", grouped(kept), listed(&path)));
    }
}

/// What is missing from the list.
fn warned(out: &mut String, outcome: &Outcome, view: View) {
    let unsolved = outcome.solves.failed();
    if unsolved > 0 {
        let text = format!(
            "! {} without a certified portfolio {} not ranked: {}",
            counted(unsolved, "subset"),
            if unsolved == 1 { "is" } else { "are" },
            solves(&outcome.solves)
        );
        out.push_str(&view.warning(&view.wrapped(&text)));
    }
    out.push('\n');
}

fn list(out: &mut String, screened: &Screened, view: View) {
    let outcome = &screened.outcome;
    let by = outcome.run.by;
    let top = &outcome.top[..outcome.top.len().min(MOST_ROWS)];
    let cells = |text: &dyn Fn(&Entry) -> String| -> Vec<String> { top.iter().map(text).collect() };
    let places = (1..=top.len()).map(|place| place.to_string()).collect();
    // What is ranked by stands first, and not twice.
    let mut columns = vec![
        Column::numbers("", places, 3, 0, None),
        Column::numbers(by.name(), cells(&|entry| shown(by, entry.value)), by.name().len().max(9), 2, None),
    ];
    if !by.name().starts_with("volatility") {
        let name = if outcome.run.periods_per_year.is_some() { "vol a year" } else { "volatility" };
        let text = |entry: &Entry| {
            let annual = entry.figures.volatility_annual;
            annual.map_or(percent(entry.figures.volatility, 4), |annual| percent(annual, 2))
        };
        columns.push(Column::numbers(name, cells(&text), 10, 2, LEAVE_NEXT));
    }
    if by != Figure::Metric(Metric::Diversification) {
        let text = |entry: &Entry| format!("{:.4}", entry.figures.diversification_ratio);
        columns.push(Column::numbers("div. ratio", cells(&text), 10, 2, LEAVE_EARLY));
    }
    if outcome.top.iter().any(|entry| entry.halves.is_some()) {
        let both = |h: InHalves| format!("{} {}", shown(by, h.first), shown(by, h.second));
        let text = |entry: &Entry| entry.halves.map_or("-".to_string(), both);
        columns.push(Column::numbers("in the two halves", cells(&text), 17, 2, LEAVE_LATE));
    }
    if let Some(again) = &screened.bootstrap {
        let of = |text: &dyn Fn(&Winner) -> String| -> Vec<String> {
            (0..top.len()).map(|at| again.winners.get(at).map_or("-".to_string(), text)).collect()
        };
        let range = |winner: &Winner| format!("{} {}", shown(by, winner.value.q05), shown(by, winner.value.q95));
        columns.insert(2, Column::numbers("5–95 %", of(&range), 13, 2, LEAVE_LAST));
        columns.push(Column::numbers("P(again)", of(&|winner| percent(winner.probability, 0)), 8, 2, LEAVE_LATE));
        if again.reselection.is_some() {
            let share = |winner: &Winner| winner.reselected.map_or("-".to_string(), |share| percent(share, 0));
            columns.push(Column::numbers("P(again, all)", of(&share), 13, 2, LEAVE_LAST));
        }
    }
    // Names and weights take what room is left; some numbers leave so that they have any.
    let fewest = (ROOM_OF_A_NAME * outcome.run.size).clamp(FEWEST_NAMES, MOST_NAMES);
    let mut assets = Column { gap: 2, ..Column::names("assets, weights in %", vec![String::new(); top.len()], fewest) };
    columns.push(assets.clone());
    let mut columns = fitting(columns, view);
    columns.pop();
    let used: usize = columns.iter().map(Column::room).sum();
    let room = view.columns().saturating_sub(used + assets.gap).max(FEWEST_NAMES / 2);
    assets.width = 0;
    assets.head = cut(&assets.head, room);
    assets.cells = cells(&|entry| holding(entry, room));
    columns.push(assets);
    table(out, columns, view);
    if outcome.top.len() > MOST_ROWS {
        let more = outcome.top.len() - MOST_ROWS;
        out.push_str(&view.wrapped(&view.text(format!(
            "... and {more} more: all of them with {} or {}",
            option("json"),
            option("output").plain("DIR")
        ))));
    }
    out.push('\n');
}

/// "SPY 12.3, TLT 45.6 max" in so many columns: names are cut as far as that helps.
fn holding(entry: &Entry, room: usize) -> String {
    let text = |longest: usize| {
        let part = |(asset, name): (usize, &String)| {
            format!("{} {:.1}{}", cut(name, longest), 100.0 * entry.weights[asset], choice::tag(entry, asset))
        };
        entry.assets.iter().enumerate().map(part).collect::<Vec<_>>().join(", ")
    };
    let longest = (SHORTEST_NAME..=NAME).rev().find(|&longest| words::columns(&text(longest)) <= room);
    cut(&text(longest.unwrap_or(SHORTEST_NAME)), room)
}

fn distribution(out: &mut String, outcome: &Outcome, view: View) {
    let distribution = &outcome.distribution;
    let figure = distribution.figure;
    if let Some(s) = distribution.statistics {
        let error = if s.mc_error > 0.0 { format!(" ± {:.1e}", s.mc_error) } else { String::new() };
        out.push_str(&view.wrapped(&format!(
            "{}: {figure} {} to {}, mean {}{error}, sd {}",
            choice::ranked(outcome),
            shown(figure, s.min),
            shown(figure, s.max),
            shown(figure, s.mean),
            shown(figure, s.sd)
        )));
        let histogram = &distribution.histogram;
        let occupied = |count: &u64| *count > 0;
        let first = histogram.counts.iter().position(occupied).unwrap_or(0);
        let last = histogram.counts.iter().rposition(occupied).unwrap_or(0);
        let highest = histogram.counts.iter().copied().max().unwrap_or(1).max(1);
        let bar = |&count: &u64| match count {
            0 => ' ',
            count => BARS[((count as f64 / highest as f64 * 7.0).round() as usize).min(7)],
        };
        let bars: String = histogram.counts[first..=last].iter().map(bar).collect();
        // The outer bins take what lies beyond them.
        let (low, high) = (histogram.edges[first].min(s.min), histogram.edges[last + 1].max(s.max));
        let (low, high) = (shown(figure, low), shown(figure, high));
        if words::columns(&low) + words::columns(&bars) + words::columns(&high) + 4 <= view.columns() {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "  {low} {bars} {high}");
        }
    }
    let inclusion = &outcome.inclusion;
    let mut included: Vec<_> = inclusion.assets.iter().filter(|asset| asset.count > 0).collect();
    included.sort_by_key(|asset| std::cmp::Reverse(asset.count));
    let mut line = String::new();
    for asset in included {
        let part = format!("{} {}", cut(&asset.name, NAME), percent(asset.frequency, 0));
        if words::columns(&line) + words::columns(&part) + 2 > view.columns() {
            break;
        }
        line.push_str(if line.is_empty() { "  " } else { ", " });
        line.push_str(&part);
    }
    let (share, subsets) = (percent(inclusion.share, 1), counted(inclusion.subsets, "subset"));
    let of = if distribution.shortlist { " of the shortlist" } else { "" };
    out.push_str(&view.wrapped(&format!("In the best {share}{of} ({subsets} by {}):", inclusion.figure)));
    out.push_str(&line);
    out.push('\n');
}

fn evidence(out: &mut String, outcome: &Outcome, view: View) {
    let engine = words::engine(outcome.run.adapter.as_deref(), outcome.run.precision);
    let found = choice::certificates(outcome);
    let text = format!("Certificates: {found} ({engine}); the list: finished to rounding");
    out.push_str(&view.verdict(&view.wrapped(&text), outcome.solves.failed() == 0));
    if let Some(estimation) = outcome.run.estimator.as_ref().and_then(words::estimation) {
        out.push_str(&view.wrapped(&format!("{estimation} Each subset is estimated from its own assets.")));
    }
    if let Some(check) = &outcome.crosscheck {
        let text = format!("Cross-check: {}", words::again(check.sampled, "subset", check.disagreements));
        out.push_str(&view.verdict(&view.wrapped(&text), check.disagreements == 0));
    }
}
