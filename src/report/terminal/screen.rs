//! The table of `equirisk screen`.

use std::fmt::Write as _;

use super::table::{Column, fitting, table};
use super::view::View;
use super::{LEAVE_EARLY, LEAVE_LATE, LEAVE_NEXT, NAME};
use crate::error::option;
use crate::measure::Metric;
use crate::report::words::{self, counted, cut, figure as shown, grouped, percent, solves};
use crate::study::screen::Screened;
use crate::study::screen::figure::{Figure, Filter};
use crate::study::screen::halves::InHalves;
use crate::study::screen::{Entry, Outcome};

/// Rows shown at most: a list to be read.
const MOST_ROWS: usize = 50;

/// Columns of a terminal that a list of names has, as long as numbers can leave for it; half of that at least.
const FEWEST_NAMES: usize = 24;

/// Heights of a histogram's bars.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub fn screen(screened: &Screened, view: View) -> String {
    let outcome = &screened.outcome;
    let mut out = String::new();
    heading(&mut out, outcome, view);
    if outcome.solves.total > 0 && outcome.solves.converged == 0 {
        out.push_str(&view.warning(&view.wrapped(&words::nothing_solved(&outcome.solves, "subset"))));
        return out;
    }
    warned(&mut out, outcome, view);
    if outcome.top.is_empty() {
        out.push_str("No subset has a certified portfolio that keeps the bounds.\n");
        evidence(&mut out, outcome, view);
        return out;
    }
    list(&mut out, screened, view);
    distribution(&mut out, outcome, view);
    halves(&mut out, outcome, view);
    if let Some(again) = &screened.bootstrap {
        out.push_str(&view.wrapped(&format!(
            "Resampled: P(again) is how often a subset was among the {} best of these {} on {} ({}, mean block {:.1} rows, \
             seed {})",
            again.places,
            again.winners.len(),
            counted(again.counted, "resample"),
            again.scheme,
            again.block_length,
            again.seed
        )));
    }
    evidence(&mut out, outcome, view);
    out
}

fn heading(out: &mut String, outcome: &Outcome, view: View) {
    let (run, subsets) = (&outcome.run, &outcome.subsets);
    let space = subsets.space.map_or(format!("{:.2e} subsets", subsets.space_approximate), |n| counted(n, "subset"));
    let what = match run.sample {
        Some(_) => format!("{} of {space}", grouped(subsets.screened)),
        None => space,
    };
    let drawn = run.seed.map_or(String::new(), |seed| format!(", drawn without replacement (seed {seed})"));
    let what = format!("{what} of {} of {}{drawn}", run.size, counted(run.assets as u64, "asset"));
    out.push_str(&view.bold(&view.wrapped(&what)));
    let mut line = |text: String| out.push_str(&view.wrapped(&text));
    if let (Some(rows), Some(first), Some(last)) = (run.rows, &run.first, &run.last) {
        let periods = words::periods(run.periods_per_year);
        line(format!("{}, {first} to {last}{periods}", counted(rows as u64, "return")));
    }
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    if let Some(cap) = run.max_correlation {
        let feasible = percent(share(subsets.feasible, subsets.screened), 1);
        line(format!("{} ({feasible}) hold no pair with a correlation above {cap}", grouped(subsets.feasible)));
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
    if !path.is_empty() {
        line(format!("of the list, only what keeps {}", listed(&path)));
    }
}

/// What is missing from the list.
fn warned(out: &mut String, outcome: &Outcome, view: View) {
    let unsolved = outcome.solves.unsolved();
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
        let probability = |at: usize| again.winners.get(at).map_or(f64::NAN, |winner| winner.probability);
        let cells = (0..top.len()).map(|at| percent(probability(at), 0)).collect();
        columns.push(Column::numbers("P(again)", cells, 8, 2, LEAVE_LATE));
    }
    // Names take what room is left; some numbers leave so that they have any.
    let mut assets = Column { gap: 2, ..Column::names("assets", vec![String::new(); top.len()], FEWEST_NAMES) };
    columns.push(assets.clone());
    let mut columns = fitting(columns, view);
    columns.pop();
    let used: usize = columns.iter().map(Column::room).sum();
    let room = view.columns().saturating_sub(used + assets.gap).max(FEWEST_NAMES / 2);
    assets.width = 0;
    assets.cells = cells(&|entry| cut(&entry.assets.join(", "), room));
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

fn distribution(out: &mut String, outcome: &Outcome, view: View) {
    let distribution = &outcome.distribution;
    let figure = distribution.figure;
    if let Some(s) = distribution.statistics {
        let error = if s.mc_error > 0.0 { format!(" ± {:.1e}", s.mc_error) } else { String::new() };
        out.push_str(&view.wrapped(&format!(
            "All that pass: {figure} {} to {}, mean {}{error}, sd {}",
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
    out.push_str(&view.wrapped(&format!("In the best {share} ({subsets} by {}):", inclusion.figure)));
    out.push_str(&line);
    out.push('\n');
}

fn halves(out: &mut String, outcome: &Outcome, view: View) {
    let Some(halves) = &outcome.halves else { return };
    let by = outcome.run.by;
    let correlation = halves.rank_correlation.map_or("-".to_string(), |r| format!("{r:.2}"));
    out.push_str(&view.wrapped(&format!(
        "How much is luck ({}, history cut at {}): rank correlation of the halves {correlation}; the best {} of the first \
         half: {} there, {} in the second, where all average {}; they beat {} of all there (chance: 50 %)",
        counted(halves.subsets, "subset"),
        halves.split.as_deref().unwrap_or("the middle"),
        halves.winners,
        shown(by, halves.winners_first),
        shown(by, halves.winners_second),
        shown(by, halves.all_second),
        percent(halves.winners_beat, 0)
    )));
}

fn evidence(out: &mut String, outcome: &Outcome, view: View) {
    let engine = words::engine(outcome.run.adapter.as_deref(), outcome.run.precision);
    let found = words::certificates(&outcome.solves, outcome.rc_error.max);
    let text = format!("Certificates: {found} ({engine}); the list: finished to rounding");
    out.push_str(&view.verdict(&view.wrapped(&text), outcome.solves.unsolved() == 0));
    if let Some(check) = &outcome.crosscheck {
        let text = format!("Cross-check: {}", words::again(check.sampled, "subset", check.disagreements));
        out.push_str(&view.verdict(&view.wrapped(&text), check.disagreements == 0));
    }
}
