//! What the paths of a backtest say, below its table.

use super::table::{Column, table};
use super::view::View;
use super::{LEAVE_EARLY, LEAVE_LATE, NAME, names_width};
use crate::report::words::{counted, cut, never_certain, percent};
use crate::study::backtest::Outcome;
use crate::study::backtest::paths::{Figure, OfStrategy, PathsOutcome};

pub fn paths(outcome: &Outcome, found: &PathsOutcome, view: View) -> String {
    let all = &found.strategies;
    let names: Vec<String> = all.iter().map(|own| cut(&own.label, NAME)).collect();
    let width = names_width(names.iter()).max("strategy".len());
    let cells = |text: &dyn Fn(&OfStrategy) -> String| -> Vec<String> { all.iter().map(text).collect() };
    let is_monthly = found.is_monthly();
    let sharpe = |own: &OfStrategy| band(found.sharpe(own), |x| format!("{x:.2}"));
    let growth = |own: &OfStrategy| band(own.figures.cagr.as_ref(), |x| percent(x, 1));
    let depth = |own: &OfStrategy| band(own.figures.max_drawdown.as_ref(), |x| percent(x, 0));
    let deep = |own: &OfStrategy| match own.drawdowns.get(1) {
        Some(deep) => never_certain(deep.probability),
        None => "-".to_string(),
    };
    let wins = |by: &'static str| {
        let against = |own: &OfStrategy| found.probability(&own.name, &outcome.benchmark, by);
        move |own: &OfStrategy| against(own).map_or(String::new(), never_certain)
    };
    let columns = vec![
        Column::names("strategy", names, width),
        Column::numbers(if is_monthly { "Sharpe of months" } else { "Sharpe" }, cells(&sharpe), 13, 2, None),
        Column::numbers("CAGR", cells(&growth), 15, 2, LEAVE_EARLY),
        Column::numbers("drawdown", cells(&depth), 12, 2, LEAVE_LATE),
        Column::numbers("> 30 %", cells(&deep), 6, 2, LEAVE_LATE),
        Column::numbers("wins", cells(&wins("sharpe")), 6, 2, None),
        Column::numbers("falls less", cells(&wins("max_drawdown")), 10, 2, LEAVE_EARLY),
    ];
    let mut out = view.wrapped(&format!(
        "Over {} ({}, blocks of about {:.0} rows), 5 to 95 %:",
        counted(found.count, "resampled path"),
        found.scheme,
        found.block_length,
    ));
    table(&mut out, columns, view);
    let benchmark = outcome.strategy(&outcome.benchmark).map_or("", |own| own.label.as_str());
    out.push_str(&view.dim(&view.wrapped(&format!(
        "> 30 %: share of the paths with a deeper drawdown; wins, falls less: share of the paths on which the Sharpe ratio is \
         above {benchmark}'s, and the largest drawdown below it"
    ))));
    for own in all.iter().filter(|own| own.ruined > 0) {
        let text = format!("! {} lost everything on {}", own.label, counted(own.ruined, "path"));
        out.push_str(&view.warning(&view.wrapped(&text)));
    }
    out.push('\n');
    out
}

/// "0.74 to 1.32"
fn band(figure: Option<&Figure>, text: impl Fn(f64) -> String) -> String {
    figure.map_or("-".to_string(), |figure| {
        let (low, high) = (text(figure.statistics.q05), text(figure.statistics.q95));
        format!("{} to {high}", low.trim_end_matches(" %"))
    })
}
