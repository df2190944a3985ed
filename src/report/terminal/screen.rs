//! The table of `equirisk screen`.

use std::fmt::Write as _;

use super::{NAME, counted, grouped, name, percent, solves};
use crate::report::screen::Screened;
use crate::study::screen::Outcome;
use crate::study::screen::figure::{Figure, Filter};

/// Characters of a line.
const WIDTH: usize = 118;

/// Rows shown at most: a list to be read.
const MOST_ROWS: usize = 50;

/// Heights of a histogram's bars.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

pub fn screen(screened: &Screened) -> String {
    let outcome = &screened.outcome;
    let mut out = String::new();
    heading(&mut out, outcome);
    if outcome.top.is_empty() {
        out.push_str("No subset has a certified portfolio that keeps the bounds.\n");
        evidence(&mut out, outcome);
        return out;
    }
    list(&mut out, screened);
    distribution(&mut out, outcome);
    halves(&mut out, outcome);
    if let Some(again) = &screened.bootstrap {
        let _ = writeln!(
            out,
            "Resampled: P(again) is how often a subset was among the {} best of these {} on {} ({}, mean block {:.1} rows, seed {})",
            again.places,
            again.winners.len(),
            counted(again.counted, "resample"),
            again.scheme,
            again.block_length,
            again.seed
        );
    }
    evidence(&mut out, outcome);
    out
}

fn heading(out: &mut String, outcome: &Outcome) {
    let (run, subsets) = (&outcome.run, &outcome.subsets);
    let space = subsets.space.map_or(format!("{:.2e} subsets", subsets.space_approximate), |n| counted(n, "subset"));
    let what = match run.sample {
        Some(_) => format!("{} of {space}", grouped(subsets.screened)),
        None => space,
    };
    let drawn = run.seed.map_or(String::new(), |seed| format!(", drawn without replacement (seed {seed})"));
    let _ = writeln!(out, "{what} of {} of {}{drawn}", run.size, counted(run.assets as u64, "asset"));
    if let (Some(rows), Some(first), Some(last)) = (run.rows, &run.first, &run.last) {
        let _ = writeln!(out, "{}, {first} to {last}", counted(rows as u64, "return"));
    }
    let share = |part: u64, whole: u64| if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    if let Some(cap) = run.max_correlation {
        let feasible = percent(share(subsets.feasible, subsets.screened), 1);
        let _ = writeln!(out, "{} ({feasible}) hold no pair with a correlation above {cap}", grouped(subsets.feasible));
    }
    let of_the_path =
        |filter: &&String| Filter::parse(filter.as_str()).is_ok_and(|filter| filter.figure.is_of_the_path());
    let (path, metric): (Vec<&String>, Vec<&String>) = run.filters.iter().partition(of_the_path);
    let listed = |filters: &[&String]| filters.iter().map(|f| f.as_str()).collect::<Vec<_>>().join(" and ");
    if !metric.is_empty() {
        let passing = percent(share(subsets.passing, subsets.feasible), 1);
        let _ = writeln!(out, "{} ({passing}) keep {}", grouped(subsets.passing), listed(&metric));
    }
    if let (Some(metric), Some(count)) = (run.shortlist_by, run.shortlist) {
        let _ = writeln!(out, "ranked by {} among the {} best by {metric}", run.by, grouped(count));
    }
    if !path.is_empty() {
        let _ = writeln!(out, "of the list, only what keeps {}", listed(&path));
    }
    let unsolved = outcome.solves.unsolved();
    if unsolved > 0 {
        let _ = writeln!(
            out,
            "! {} without a certified portfolio {} not ranked: {}",
            counted(unsolved, "subset"),
            if unsolved == 1 { "is" } else { "are" },
            solves(&outcome.solves)
        );
    }
    out.push('\n');
}

/// A figure as a reader wants it: shares in percent, ratios with digits.
fn shown(figure: &str, value: f64) -> String {
    match Figure::named(figure) {
        _ if !value.is_finite() => "-".to_string(),
        Some(Figure::VolatilityAnnual | Figure::MaxDrawdown) => percent(value, 2),
        Some(Figure::Cvar95) => percent(value, 3),
        Some(Figure::Metric(crate::measure::Metric::Volatility)) => percent(value, 4),
        Some(Figure::Metric(crate::measure::Metric::MaxWeight)) => percent(value, 2),
        _ => format!("{value:.4}"),
    }
}

fn list(out: &mut String, screened: &Screened) {
    let outcome = &screened.outcome;
    let by = outcome.run.by;
    // What is ranked by stands first, and not twice.
    let column = by.len().max(9);
    let annual = outcome.run.periods_per_year.is_some();
    let volatility = (!by.starts_with("volatility")).then_some(if annual { "vol a year" } else { "volatility" });
    let diversification = by != "diversification";
    let halves = outcome.top.iter().any(|entry| entry.halves.is_some());
    let mut header = format!("{:>3}  {by:>column$}", "");
    header.extend(volatility.map(|name| format!("  {name:>10}")));
    header.push_str(if diversification { "  div. ratio" } else { "" });
    header.push_str(if halves { "  in the two halves" } else { "" });
    header.push_str(if screened.bootstrap.is_some() { "  P(again)" } else { "" });
    let _ = writeln!(out, "{header}  assets");
    for (at, entry) in outcome.top.iter().take(MOST_ROWS).enumerate() {
        let figures = &entry.figures;
        let mut line = format!("{:>3}  {:>column$}", at + 1, shown(by, entry.value));
        if volatility.is_some() {
            let value = figures.volatility_annual.map_or(percent(figures.volatility, 4), |annual| percent(annual, 2));
            let _ = write!(line, "  {value:>10}");
        }
        if diversification {
            let _ = write!(line, "  {:>10.4}", figures.diversification_ratio);
        }
        if halves {
            let both = entry.halves.map(|halves| format!("{} {}", shown(by, halves.first), shown(by, halves.second)));
            let _ = write!(line, "  {:>17}", both.as_deref().unwrap_or("-"));
        }
        if let Some(again) = &screened.bootstrap {
            let probability = again.winners.get(at).map_or(f64::NAN, |winner| winner.probability);
            let _ = write!(line, "  {:>8}", percent(probability, 0));
        }
        let names = entry.assets.join(", ");
        let room = WIDTH.saturating_sub(line.chars().count() + 2).max(24);
        let _ = writeln!(out, "{line}  {}", name(&names, room).trim_end());
    }
    if outcome.top.len() > MOST_ROWS {
        let _ = writeln!(out, "... and {} more: all of them with --json or -o DIR", outcome.top.len() - MOST_ROWS);
    }
    out.push('\n');
}

fn distribution(out: &mut String, outcome: &Outcome) {
    let distribution = &outcome.distribution;
    let figure = distribution.figure;
    if let Some(s) = distribution.statistics {
        let error = if s.mc_error > 0.0 { format!(" ± {:.1e}", s.mc_error) } else { String::new() };
        let _ = writeln!(
            out,
            "All that pass: {figure} {} to {}, mean {}{error}, sd {}",
            shown(figure, s.min),
            shown(figure, s.max),
            shown(figure, s.mean),
            shown(figure, s.sd)
        );
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
        let _ = writeln!(out, "  {} {bars} {}", shown(figure, low), shown(figure, high));
    }
    let inclusion = &outcome.inclusion;
    let mut included: Vec<_> = inclusion.assets.iter().filter(|asset| asset.count > 0).collect();
    included.sort_by_key(|asset| std::cmp::Reverse(asset.count));
    let mut line = String::new();
    for asset in included {
        let part = format!("{} {}", name(&asset.name, NAME).trim_end(), percent(asset.frequency, 0));
        if line.chars().count() + part.chars().count() + 2 > WIDTH {
            break;
        }
        line.push_str(if line.is_empty() { "  " } else { ", " });
        line.push_str(&part);
    }
    let _ = writeln!(
        out,
        "In the best {} ({} by {}):\n{line}",
        percent(inclusion.share, 1),
        counted(inclusion.subsets, "subset"),
        inclusion.figure
    );
}

fn halves(out: &mut String, outcome: &Outcome) {
    let Some(halves) = &outcome.halves else { return };
    let by = outcome.run.by;
    let correlation = halves.rank_correlation.map_or("-".to_string(), |r| format!("{r:.2}"));
    let _ = writeln!(
        out,
        "How much is luck ({}, history cut at {}): rank correlation of the halves {correlation}; the best {} of the first\n\
         half: {} there, {} in the second, where all average {}; they beat {} of all there (chance: 50 %)",
        counted(halves.subsets, "subset"),
        halves.split.as_deref().unwrap_or("the middle"),
        halves.winners,
        shown(by, halves.winners_first),
        shown(by, halves.winners_second),
        shown(by, halves.all_second),
        percent(halves.winners_beat, 0)
    );
}

fn evidence(out: &mut String, outcome: &Outcome) {
    let error = outcome.rc_error.max.map_or(String::new(), |max| format!(", rc_error at most {max:.1e}"));
    let engine = outcome.run.adapter.as_ref().map_or("CPU, f64".to_string(), |adapter| format!("GPU, f32: {adapter}"));
    let _ =
        writeln!(out, "Certificates: {}{error} ({engine}); the list: finished to rounding", solves(&outcome.solves));
    if let Some(check) = &outcome.crosscheck {
        let _ = writeln!(
            out,
            "Cross-check: {} again on the CPU in f64, {}",
            counted(check.sampled, "subset"),
            counted(check.disagreements, "disagreement")
        );
    }
}
