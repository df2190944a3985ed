//! The table of `equirisk bootstrap`.

use super::table::{Column, fitting, table};
use super::view::View;
use super::{LEAVE_EARLY, LEAVE_LAST, LEAVE_LATE, LEAVE_NEXT, names_width};
use crate::error::option;
use crate::methods::Method;
use crate::report::sentence::bootstrap::sentence;
use crate::report::words::{self, counted, cut, maybe_percent, percent};
use crate::study::bootstrap::{Outcome, Sensitivity};
use crate::study::estimators::UnderEstimator;
use crate::study::statistics::asset::Asset;
use crate::study::statistics::limited::{Group, Row};
use crate::study::statistics::method::MethodStatistics;
use crate::study::statistics::summary::Summary;

/// Assets listed at most: the largest weights.
const MOST_ASSETS: usize = 40;

/// Characters of the range picture: at least, and on however wide a screen.
const PICTURE: usize = 20;
const LARGEST_PICTURE: usize = 60;

pub fn bootstrap(outcome: &Outcome, view: View) -> String {
    let mut out = String::new();
    let run = &outcome.run;
    out.push_str(&view.dim(&view.wrapped(&format!("{}; {}", words::history(run), words::resamples(run)))));
    if outcome.solves.converged == 0 {
        out.push_str(&view.warning(&view.wrapped(&words::nothing_solved(&outcome.solves, "resample"))));
        return out;
    }
    let left_out = outcome.solves.unsolved();
    if left_out > 0 {
        let text = format!(
            "! {} of the resamples have no certified portfolio and are left out of all statistics: {}",
            percent(left_out as f64 / outcome.solves.total as f64, 1),
            words::solves(&outcome.solves)
        );
        out.push_str(&view.warning(&view.wrapped(&text)));
    }
    out.push_str(&view.bold(&view.wrapped(&sentence(outcome))));
    out.push('\n');
    weights(&mut out, outcome, view);
    methods(&mut out, outcome, view);
    estimators(&mut out, outcome, view);
    block_lengths(&mut out, outcome, view);
    evidence(&mut out, outcome, view);
    out
}

fn weights(out: &mut String, outcome: &Outcome, view: View) {
    let width = names_width(outcome.assets.iter().map(|asset| &asset.name));
    // Short positions have negative weights.
    let lowest = outcome.assets.iter().map(|a| a.weight.q05.min(a.point.unwrap_or(0.0))).fold(0.0, f64::min);
    let widest =
        outcome.assets.iter().map(|a| a.weight.q95.max(a.point.unwrap_or(0.0))).fold(f64::MIN_POSITIVE, f64::max);
    let shares = &outcome.methods.own().realised.shares;
    let realised = |place: usize, _: &Asset| {
        shares.get(place).map_or("-".to_string(), |s| words::band(s.summary.q05, s.summary.q95, 1))
    };
    // Small weights need more digits.
    let digits = if widest < 0.1 { 3 } else { 2 };
    let sd = |_: usize, asset: &Asset| {
        if asset.weight.sd.is_finite() {
            format!("{:.digits$} ± {:.*} %", 100.0 * asset.weight.sd, digits + 1, 100.0 * asset.mc_error.sd)
        } else {
            "-".to_string()
        }
    };
    let range = |_: usize, asset: &Asset| words::band(asset.weight.q05, asset.weight.q95, 2);
    let given = outcome.given.as_ref();
    let own = |place: usize, asset: &Asset| {
        given.map_or(String::new(), |given| {
            let is_outside = given.outside.as_ref().is_some_and(|outside| outside.contains(&asset.name));
            format!("{} %{}", &format!("{:.2}", 100.0 * given.weights[place]), if is_outside { "*" } else { " " })
        })
    };
    let limited = outcome.run.limits.as_ref();
    let free = |_: usize, asset: &Asset| {
        let unlimited = asset.unlimited.filter(|_| asset.is_held());
        unlimited.map_or(String::new(), |free| percent(free.sd, digits))
    };
    let mut shown: Vec<(usize, &Asset)> = outcome.assets.iter().enumerate().collect();
    if shown.len() > MOST_ASSETS {
        shown.sort_by(|a, b| b.1.weight.mean.total_cmp(&a.1.weight.mean));
        shown.truncate(MOST_ASSETS);
    }
    let cells = |text: &dyn Fn(usize, &Asset) -> String| -> Vec<String> {
        shown.iter().map(|&(place, asset)| text(place, asset)).collect()
    };
    // The picture is what people look at: it stays where all else but the weights has left, and takes the room there is.
    let columns = |room: usize| {
        let start = percent(lowest, 0);
        let scale = format!("{start}{:>w$}", percent(widest, 0), w = room.saturating_sub(words::columns(&start)));
        let mut columns = vec![
            Column::names("asset", cells(&|_, asset| cut(&asset.name, width)), width),
            Column::numbers("weight", cells(&|_, asset| maybe_percent(asset.point, 2)), 7, 2, None),
            Column::numbers("weight, 5–95 %", cells(&range), 14, 2, LEAVE_LAST),
            Column::numbers(&scale, cells(&|_, asset| picture(asset, (lowest, widest), room)), room, 2, LEAVE_LATE),
            Column::numbers("risk share 5–95 %", cells(&realised), 14, 2, LEAVE_NEXT),
            Column::numbers("sd (± MC error)", cells(&sd), 15, 2, LEAVE_EARLY),
        ];
        if limited.is_some() {
            let at = |share: fn(&Asset) -> Option<f64>| {
                cells(&|_, asset| share(asset).filter(|share| *share > 0.0).map_or(String::new(), |p| percent(p, 0)))
            };
            columns.insert(3, Column::numbers("at min", at(|asset| asset.at_min), 6, 2, LEAVE_LAST));
            columns.insert(4, Column::numbers("at max", at(|asset| asset.at_max), 6, 2, LEAVE_LAST));
            columns.push(Column::numbers("sd unlimited", cells(&free), 12, 2, LEAVE_EARLY));
        }
        if given.is_some() {
            columns.insert(2, Column::numbers("yours ", cells(&own), 7, 2, None));
        }
        columns
    };
    let fitted = fitting(columns(PICTURE), view);
    let used: usize = fitted.iter().map(Column::room).sum();
    let has_picture = fitted.iter().any(|column| column.head.starts_with(&percent(lowest, 0)));
    let room = if has_picture { (PICTURE + view.columns().saturating_sub(used)).min(LARGEST_PICTURE) } else { PICTURE };
    table(out, columns(room), view);
    if shown.len() < outcome.assets.len() {
        let more = outcome.assets.len() - shown.len();
        out.push_str(&view.wrapped(&view.text(format!(
            "... and {more} assets with smaller weights: all of them with {} or {}",
            option("json"),
            option("output").plain("DIR")
        ))));
    }
    out.push('\n');
    limits(out, outcome, view);
    let said = [
        words::bounds(outcome),
        given.map(|given| words::holdings(given, words::RESAMPLED)),
        words::change(outcome),
        words::short_windows(outcome),
        words::wider(&outcome.assets),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    said.iter().for_each(|text| out.push_str(&view.wrapped(text)));
    if !said.is_empty() {
        out.push('\n');
    }
}

/// `  ├──●───┤ `: the 90 % range with the full-sample weight, from the lowest to the widest of all; an end on a bound is a stop, `┃`.
fn picture(asset: &Asset, (lowest, widest): (f64, f64), room: usize) -> String {
    let position =
        |x: f64| (((x - lowest) / (widest - lowest) * (room - 1) as f64).round().max(0.0) as usize).min(room - 1);
    let mut cells = vec![' '; room];
    let (low, high) = (position(asset.weight.q05), position(asset.weight.q95));
    cells[low..=high].fill('─');
    let [from, to] = asset.stops();
    cells[low] = if from.is_some() { '┃' } else { '├' };
    cells[high] = if to.is_some() { '┃' } else { '┤' };
    if let Some(point) = asset.point {
        cells[position(point)] = '●';
    }
    cells.into_iter().collect()
}

/// Groups, rows and turnover over the resamples.
fn limits(out: &mut String, outcome: &Outcome, view: View) {
    let share = |share: f64| if share > 0.0 { percent(share, 0) } else { String::new() };
    if let Some(groups) = outcome.groups.as_ref().filter(|groups| !groups.is_empty()) {
        let cells = |text: &dyn Fn(&Group) -> String| groups.iter().map(text).collect::<Vec<String>>();
        let columns = vec![
            Column::names("group", cells(&|group| group.name.clone()), 8),
            Column::numbers("budget", cells(&|group| percent(group.budget, 1)), 7, 2, LEAVE_EARLY),
            Column::numbers("limits", cells(&|group| words::range(group.min, group.max)), 7, 2, LEAVE_LATE),
            Column::numbers("mean", cells(&|group| percent(group.weight.mean, 2)), 7, 2, None),
            Column::numbers(
                "weight, 5–95 %",
                cells(&|g| words::band(g.weight.q05, g.weight.q95, 2)),
                14,
                2,
                LEAVE_LAST,
            ),
            Column::numbers("at min", cells(&|group| share(group.at_min)), 6, 2, None),
            Column::numbers("at max", cells(&|group| share(group.at_max)), 6, 2, None),
        ];
        table(out, columns, view);
        out.push('\n');
    }
    if let Some(rows) = outcome.limits.as_ref().filter(|rows| !rows.is_empty()) {
        let cells = |text: &dyn Fn(&Row) -> String| rows.iter().map(text).collect::<Vec<String>>();
        let columns = vec![
            Column::names("limit", cells(&|row| row.expression.clone()), 8),
            Column::numbers("value, 5–95 %", cells(&|row| words::band(row.value.q05, row.value.q95, 2)), 14, 2, None),
            Column::numbers("at min", cells(&|row| share(row.at_min)), 6, 2, None),
            Column::numbers("at max", cells(&|row| share(row.at_max)), 6, 2, None),
        ];
        table(out, columns, view);
        out.push('\n');
    }
}

/// On a narrower screen, bands of methods leave first.
const BANDS: usize = 100;

fn methods(out: &mut String, outcome: &Outcome, view: View) {
    let all = &outcome.methods;
    let scale = outcome.run.periods_per_year.map_or(1.0, f64::sqrt);
    let banded = view.columns() >= BANDS;
    let spread = |s: &Summary| {
        let [mean, low, high] = [s.mean, s.q05, s.q95].map(|x| 100.0 * x);
        match low == high {
            true if mean == 0.0 => "fixed".to_string(),
            false if banded => format!("{mean:.1} ({low:.1}–{high:.1}) %"),
            _ => format!("{mean:.1} %"),
        }
    };
    let cells = |text: &dyn Fn(Method, &MethodStatistics) -> String| -> Vec<String> {
        all.iter().map(|(which, method)| text(which, method)).collect()
    };
    let turnover = |_, method: &MethodStatistics| method.turnover.as_ref().map_or("-".to_string(), spread);
    let held = |_, method: &MethodStatistics| {
        let [held, promised] = [&method.realised.volatility, &method.promised].map(|s| 100.0 * scale * s.mean);
        format!("{held:.2} ({promised:.2}) %")
    };
    let aim = |which, method: &MethodStatistics| match (which, &method.aim) {
        (_, Some(missed)) if !missed.mean.is_finite() => "-".to_string(),
        (Method::RiskBudgeting, Some(missed)) => format!("{} of a budget", percent(missed.mean, 0)),
        (Method::MinimumVariance, Some(missed)) => format!("{} of vol", percent(missed.mean, 1)),
        (Method::MaximumDiversification, Some(missed)) => format!("{} of DR", percent(missed.mean, 1)),
        _ => "-".to_string(),
    };
    let volatility = match outcome.run.periods_per_year {
        Some(_) if banded => "vol a year, held (promised)",
        _ => "vol held (promised)",
    };
    let mut columns = vec![
        Column::names("method", cells(&|which, _| words::method(which, all.name(which))), 18),
        Column::numbers("differ by", cells(&|_, m| percent(m.pairwise_turnover, 1)), 9, 2, None),
        Column::numbers("weights move by", cells(&turnover), 15, 2, LEAVE_LAST),
        Column::numbers(volatility, cells(&held), 13, 2, LEAVE_LAST),
        Column::numbers("own aim missed by", cells(&aim), 17, 2, LEAVE_LATE),
        Column::numbers("held", cells(&|_, m| format!("{:.1}", m.held.mean)), 5, 2, LEAVE_EARLY),
    ];
    if let Some(halves) = &outcome.halves {
        let misplaced = |which, _: &MethodStatistics| {
            halves.methods.of(which).map_or("-".to_string(), |held| percent(held.misplaced, 1))
        };
        columns.push(Column::numbers("misplaced", cells(&misplaced), 9, 2, LEAVE_NEXT));
    }
    table(out, columns, view);
    if let Some(estimation) = words::estimation(&outcome.run.estimator) {
        out.push_str(&view.wrapped(&estimation));
    }
    if outcome.run.estimator.half_life.is_some() {
        out.push_str(&view.wrapped(words::EWMA));
    }
    out.push('\n');
}

/// The same under other estimators: how far two resamples differ, and by how much more is held than was promised.
fn estimators(out: &mut String, outcome: &Outcome, view: View) {
    let all = &outcome.estimators;
    let Some(first) = all.first() else { return };
    let names: Vec<String> = all.iter().map(|under| words::estimator(under.estimation.name).to_string()).collect();
    let intensity = |under: &UnderEstimator| match (&under.estimation.intensity, &under.estimation.kept) {
        (Some(told), _) => format!("{:.3}", told.resamples.map_or(told.point, |over| over.mean)),
        (None, Some(kept)) => format!("{:.1} kept", kept.resamples.map_or(kept.point, |over| over.mean)),
        (None, None) => "-".to_string(),
    };
    let mut columns = vec![
        Column::names("differ by / held over promised", names, 29),
        Column::numbers("intensity", all.iter().map(intensity).collect(), 9, 2, Some(u8::MAX)),
    ];
    let count = first.methods.iter().count();
    for (place, (method, name, _)) in first.methods.iter().enumerate() {
        let cell = |under: &UnderEstimator| {
            under.methods.iter().nth(place).map_or("-".to_string(), |(_, _, own)| {
                let (differ, excess) = (100.0 * own.pairwise_turnover, 100.0 * (own.held_over_promised - 1.0));
                let differ = if differ.is_finite() { format!("{differ:.1}") } else { "-".to_string() };
                let excess = if excess.is_finite() { format!("{excess:+.1}") } else { "-".to_string() };
                format!("{differ} / {excess}")
            })
        };
        let head = words::short_method(method, name);
        let leaves = (place > 0).then(|| 1 + (count - place) as u8);
        columns.push(Column::numbers(&head, all.iter().map(cell).collect(), 11, 2, leaves));
    }
    let all_columns = columns.len();
    let left_out = all_columns - table(out, columns, view).len();
    // Intensities leave last of all.
    let methods_left_out = left_out.min(count - 1);
    if methods_left_out > 0 {
        out.push_str(&view.wrapped(&view.text(format!(
            "{} not shown: a wider terminal has more room, {} has all.",
            counted(methods_left_out as u64, "method"),
            option("json")
        ))));
    }
    out.push_str(&view.dim(&view.wrapped(&format!(
        "(each on the same {}; in %: weights of two resamples differ by, and volatility held under the sample covariance over \
         what was promised)",
        counted(first.resamples, "resample")
    ))));
    out.push('\n');
}

fn block_lengths(out: &mut String, outcome: &Outcome, view: View) {
    // One resample has no spread.
    if outcome.sensitivity.len() < 2 || outcome.sensitivity.iter().any(|s| s.converged < 2) {
        return;
    }
    let mean_sd = |s: &Sensitivity| s.assets.iter().map(|a| a.sd).sum::<f64>() / s.assets.len() as f64;
    let parts: Vec<String> =
        outcome.sensitivity.iter().map(|s| format!("{} at {:.1}", percent(mean_sd(s), 2), s.block_length)).collect();
    let each = counted(outcome.sensitivity[0].resamples, "resample");
    out.push_str(
        &view.wrapped(&format!("Block length: mean sd of the weights {} rows ({each} each)", parts.join(", "))),
    );
}

fn evidence(out: &mut String, outcome: &Outcome, view: View) {
    let run = &outcome.run;
    let found = match outcome.kkt_error {
        Some(error) => format!("{}, optimal to {:.1e}", words::solves(&outcome.solves), error.max),
        None => words::certificates(&outcome.solves, outcome.rc_error.max),
    };
    let text = format!("Certificates: {found} ({})", words::engine(run.adapter.as_deref(), run.precision));
    out.push_str(&view.verdict(&view.wrapped(&text), outcome.solves.unsolved() == 0));
    if let Some(check) = &outcome.crosscheck {
        let text = format!("Cross-check: {}", words::crosscheck(check));
        out.push_str(&view.verdict(&view.wrapped(&text), check.disagreements == 0));
    }
    out.push('\n');
    let periods = run.periods_per_year.map_or(String::new(), |number| format!(" A year has {number} periods."));
    let robust = match outcome.assets.iter().any(|asset| asset.robust.is_some()) {
        true => format!(" Robust bands: from what each row does to the weights; all of them with {}.", option("json")),
        false => String::new(),
    };
    let hierarchical = match outcome.methods.iter().any(|(which, _)| which == Method::HierarchicalRiskParity) {
        true => " Hierarchical risk parity links by single linkage; other libraries do otherwise.",
        false => "",
    };
    let halves = match outcome.halves.is_some() {
        true => {
            " misplaced: the risk that is not where its budget wants it, when the weights of the first half are held in the \
                 second."
        }
        false => "",
    };
    out.push_str(&view.dim(&view.wrapped(&view.text(format!(
        "weight: from the full history. 5–95 %: quantiles over the resamples. risk share: of the resampled weights over the \
         full history, which stands for holding estimated weights under the truth. differ by: half the absolute \
         difference of two resamples' weights; weights move by: against the full-history weights. vol held: under the \
         full-history covariance; promised: under the estimate that the portfolio was made from. own aim: of risk budgeting the budgets, \
         the worst of them; of minimum variance the least volatility; of maximum diversification the greatest ratio (DR).\
         {hierarchical} held: assets with a weight.{halves}{periods}{robust}",
    )))));
}
