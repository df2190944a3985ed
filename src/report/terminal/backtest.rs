//! The table of `equirisk backtest`.

use super::fan::fan;
use super::paths::paths;
use super::table::{Column, table};
use super::view::View;
use super::{LEAVE_EARLY, LEAVE_LAST, LEAVE_LATE, LEAVE_NEXT, NAME, names_width};
use crate::methods::Method;
use crate::report::sentence::backtest::sentence;
use crate::report::words::{self, counted, cut, maybe_percent, percent, ratio};
use crate::study::backtest::Outcome;
use crate::study::backtest::figures::{Kind, Period};
use crate::study::backtest::grid::{Best, Cell, GridOutcome};
use crate::study::backtest::outcome::StrategyOutcome;

/// Strategies whose returns stand in a line of a period, at most.
const MOST_BESIDE: usize = 8;

/// Columns of a mix's name above its returns.
const SHORT: usize = 12;

pub fn backtest(outcome: &Outcome, view: View) -> String {
    let mut out = String::new();
    out.push_str(&view.dim(&view.wrapped(&header(outcome))));
    out.push_str(&view.bold(&view.wrapped(&sentence(outcome))));
    out.push('\n');
    strategies(&mut out, outcome, view);
    periods(&mut out, outcome, view);
    attribution(&mut out, outcome, view);
    if let Some(found) = &outcome.grid {
        grid(&mut out, outcome, found, view);
    }
    if let Some(found) = &outcome.paths {
        out.push_str(&paths(outcome, found, view));
    }
    if let Some(found) = &outcome.fan {
        out.push_str(&fan(outcome, found, view));
    }
    evidence(&mut out, outcome, view);
    out
}

/// "10 assets, 2007-07-02 to 2009-12-31 (653 rows): 30 decisions (monthly, lag 1) ..."
fn header(outcome: &Outcome) -> String {
    let run = &outcome.run;
    let window = match run.expanding {
        true => format!("all rows, at least {}", run.lookback),
        false => counted(run.lookback as u64, "row"),
    };
    let overlap = if run.overlap > 1 { format!(" of {}-row returns", run.overlap) } else { String::new() };
    let lag = if run.lag == 0 {
        "at the same close".to_string()
    } else {
        format!("{} later", counted(run.lag as u64, "row"))
    };
    let cost = match run.cost_bps {
        Some(cost) => format!("{} bp", crate::wording::short(cost)),
        None => "a cost of its own for each asset".to_string(),
    };
    format!(
        "{}, {} to {} ({}): {} ({}, the first {}, traded {lag}), windows of {window}{overlap}, {}; trading at {cost}, cash at \
         {} a year, borrowing {} above",
        counted(run.assets as u64, "asset"),
        run.first_trade,
        run.last,
        counted(run.evaluated_rows as u64, "row"),
        counted(outcome.rebalances as u64, "decision"),
        run.rebalance,
        run.first_decision,
        run.estimator.name,
        percent(run.cash, 1),
        percent(run.financing_spread, 1),
    )
}

fn strategies(out: &mut String, outcome: &Outcome, view: View) {
    let all = &outcome.strategies;
    let labels: Vec<String> = all.iter().map(|own| cut(&own.label, NAME)).collect();
    let width = names_width(labels.iter()).max("strategy".len());
    let cells = |text: &dyn Fn(&StrategyOutcome) -> String| -> Vec<String> { all.iter().map(text).collect() };
    let drawdown = |own: &StrategyOutcome| {
        let trough = own.metrics.drawdown.as_ref().map_or("", |fall| fall.trough.as_str());
        // Of a date, the month.
        let month = if trough.len() == 10 && trough.is_char_boundary(7) { &trough[..7] } else { trough };
        format!("{} {month}", maybe_percent(own.metrics.max_drawdown, 1)).trim_end().to_string()
    };
    let p = |own: &StrategyOutcome| {
        let found = own.metrics.relative.sharpe_difference.map(|found| found.p_value);
        match found {
            Some(p) if p < 0.005 => "<0.01".to_string(),
            found => ratio(found),
        }
    };
    let mut columns = vec![
        Column::names("strategy", labels.clone(), width),
        Column::numbers("CAGR", cells(&|own| maybe_percent(own.metrics.cagr, 2)), 7, 2, None),
        Column::numbers("vol.", cells(&|own| maybe_percent(own.metrics.volatility, 2)), 7, 2, None),
        Column::numbers("Sharpe", cells(&|own| ratio(own.metrics.sharpe)), 6, 2, None),
    ];
    if all.iter().any(|own| own.metrics.sharpe_monthly.is_some()) {
        columns.push(Column::numbers("of months", cells(&|own| ratio(own.metrics.sharpe_monthly)), 9, 2, LEAVE_LAST));
    }
    columns.extend([
        Column::numbers("drawdown", cells(&drawdown), 8, 2, LEAVE_LAST),
        Column::numbers("CVaR 95 %", cells(&|own| maybe_percent(own.metrics.cvar95, 2)), 9, 2, LEAVE_EARLY),
        Column::numbers("turnover", cells(&|own| maybe_percent(own.metrics.turnover, 0)), 8, 2, LEAVE_NEXT),
        Column::numbers("exposure", cells(&|own| ratio(own.metrics.exposure_mean)), 8, 2, LEAVE_NEXT),
    ]);
    if all.iter().any(|own| own.metrics.relative.sharpe_difference.is_some()) {
        columns.push(Column::numbers("p", cells(&p), 5, 2, LEAVE_LATE));
    }
    table(out, columns, view);
    for own in all.iter().filter(|own| own.ruined.is_some()) {
        let date = own.ruined.as_deref().unwrap_or_default();
        out.push_str(&view.warning(&view.wrapped(&format!("! {} lost everything on {date}", own.label))));
    }
    let benchmark = outcome.strategy(&outcome.benchmark).map_or("", |own| own.label.as_str());
    out.push_str(&view.dim(&view.wrapped(&format!(
        "a year, costs paid; turnover one-way; exposure: times wealth, mean; p: that the Sharpe ratio differs from {benchmark}'s \
         by chance (Ledoit & Wolf 2008)"
    ))));
    out.push('\n');
}

/// Returns of the strategies in the benchmark's falls and in named spans.
fn periods(out: &mut String, outcome: &Outcome, view: View) {
    let shown: Vec<&Period> = outcome.periods.iter().filter(|period| period.kind != Kind::Volatility).collect();
    if shown.is_empty() {
        return;
    }
    let what = |period: &&Period| match period.kind {
        Kind::Drawdown => format!("fall of {}", maybe_percent(period.depth, 1)),
        Kind::Volatility | Kind::Named => cut(&period.name, NAME),
    };
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let names: Vec<String> = shown.iter().map(what).collect();
    let width = names_width(names.iter()).max("period".len());
    let mut columns = vec![
        Column::names("period", names, width),
        Column::names("from", shown.iter().map(|period| text(&period.from)).collect(), 10).after(2),
        Column::names("to", shown.iter().map(|period| text(&period.to)).collect(), 10).after(2),
    ];
    for (at, own) in outcome.strategies.iter().enumerate().take(MOST_BESIDE) {
        let returns = shown.iter().map(|period| maybe_percent(period.figures[at].total_return, 1)).collect();
        // The first strategies, and the benchmark, stay longest.
        let leaves = match own.name == outcome.benchmark || at == 0 {
            true => None,
            false => Some(MOST_BESIDE as u8 - at as u8),
        };
        columns.push(Column::numbers(&short(own), returns, 7, 2, leaves));
    }
    let back: Vec<String> = shown.iter().map(|period| recovered(period)).collect();
    if back.iter().any(|text| !text.is_empty()) {
        columns.push(Column { gap: 2, left: true, ..Column::numbers("recovered", back, 9, 2, LEAVE_EARLY) });
    }
    table(out, columns, view);
    out.push('\n');
}

/// A strategy's name in few columns.
fn short(own: &StrategyOutcome) -> String {
    let method = Method::NAMED.into_iter().find(|method| method.name() == own.name);
    method.map_or_else(|| cut(&own.label, SHORT), |method| words::short_method(method, &own.label))
}

fn recovered(period: &Period) -> String {
    match period.kind {
        Kind::Drawdown => period.recovery.clone().unwrap_or_else(|| "not yet".to_string()),
        Kind::Volatility | Kind::Named => String::new(),
    }
}

/// What the settings make of each strategy, and whether the best is more than luck.
fn grid(out: &mut String, outcome: &Outcome, found: &GridOutcome, view: View) {
    let label = |name: &String| {
        outcome
            .strategies
            .iter()
            .find(|own| own.name == *name)
            .map_or_else(|| name.clone(), |own| cut(&own.label, NAME))
    };
    let sharpe = |cell: &Cell| cell.figures.sharpe_monthly.or(cell.figures.sharpe);
    let of = |strategy: &String| -> Vec<f64> {
        let cells = found.cells.iter().filter(|cell| cell.strategy == *strategy);
        let mut all: Vec<f64> = cells.filter_map(sharpe).collect();
        crate::stats::sort(&mut all);
        all
    };
    let best = |own: &Best| match own.deflated {
        Some(deflated) => cut(&found.settings[deflated.best].join(" "), NAME),
        None => "-".to_string(),
    };
    let names: Vec<String> = found.deflated.iter().map(|own| label(&own.strategy)).collect();
    let width = names_width(names.iter()).max("strategy".len());
    let cells = |text: &dyn Fn(&Best) -> String| -> Vec<String> { found.deflated.iter().map(text).collect() };
    let halves = |own: &Best| {
        let half = found.halves.iter().find(|half| half.strategy == own.strategy);
        ratio(half.and_then(|half| half.rank_correlation))
    };
    let columns = vec![
        Column::names("strategy", names, width),
        Column::numbers("lowest", cells(&|own| ratio(of(&own.strategy).first().copied())), 6, 2, None),
        Column::numbers(
            "median",
            cells(&|own| ratio(Some(crate::stats::quantile(&of(&own.strategy), 0.5)))),
            6,
            2,
            None,
        ),
        Column::numbers("highest", cells(&|own| ratio(of(&own.strategy).last().copied())), 7, 2, None),
        Column { gap: 2, left: true, ..Column::numbers("best setting", cells(&best), 12, 2, LEAVE_LATE) },
        Column::numbers("not luck", cells(&|own| ratio(own.deflated.map(|own| own.probability))), 8, 2, None),
        Column::numbers("halves", cells(&halves), 6, 2, LEAVE_EARLY),
    ];
    let settings = counted(found.settings.len() as u64, "setting");
    out.push_str(&view.wrapped(&format!(
        "Sharpe ratios over {settings} ({}), {} from {} on:",
        found.keys.join(" x "),
        counted(found.rows as u64, "row"),
        found.from
    )));
    table(out, columns, view);
    out.push_str(&view.dim(&view.wrapped(
        "not luck: probability that the best beats the best of as many settings without skill (Bailey & Lopez de Prado \
         2014), which is too low where settings are alike; halves: rank correlation of the settings in the two halves",
    )));
    out.push('\n');
}

/// Where the return of those that are levered comes from.
fn attribution(out: &mut String, outcome: &Outcome, view: View) {
    let lines: Vec<String> = outcome.strategies.iter().filter(|own| own.is_levered()).filter_map(line).collect();
    for line in &lines {
        out.push_str(&view.wrapped(line));
    }
    if !lines.is_empty() {
        out.push('\n');
    }
}

/// "risk budgeting above cash: 4.2 % a year from what it holds, +3.1 % from holding more of it, .."
fn line(own: &StrategyOutcome) -> Option<String> {
    let parts = own.metrics.attribution?;
    // What rounds to nothing has no sign.
    let signed = |x: f64| if x.abs() < 0.0005 { "0.0 %".to_string() } else { format!("{:+.1} %", 100.0 * x) };
    Some(format!(
        "{}, {} a year above cash: {} from what it holds, {} from holding {:.2} times wealth of it, {} from when it held more, \
         {} for borrowing, {} for trading",
        own.label,
        signed(parts.excess),
        signed(parts.source),
        signed(parts.magnification),
        own.metrics.exposure_mean.unwrap_or(f64::NAN),
        signed(parts.covariance),
        signed(parts.financing),
        signed(parts.trading),
    ))
}

fn evidence(out: &mut String, outcome: &Outcome, view: View) {
    let costs: Vec<String> = outcome
        .strategies
        .iter()
        .filter_map(|own| own.break_even_bps.map(|cost| format!("{} {cost:.0} bp", own.label)))
        .collect();
    if !costs.is_empty() {
        let text = format!("cost of trading at which growth is the benchmark's: {}", crate::wording::joined(&costs));
        out.push_str(&view.wrapped(&text));
    }
    for note in &outcome.notes {
        out.push_str(&view.wrapped(&format!("note: {}", view.text(note.clone()))));
    }
    let kkt = outcome.kkt_error.map_or(String::new(), |kkt| format!(", kkt_error at most {:.1e}", kkt.max));
    let certificates = words::certificates(&outcome.solves, outcome.rc_error.max) + &kkt;
    let gap = outcome.gap.max.map_or(String::new(), |gap| format!("; gap at most {gap:.1e}"));
    let paths = outcome.paths.as_ref().map_or(String::new(), |paths| {
        let engine = words::engine(outcome.run.adapter.as_deref(), outcome.run.precision);
        format!("; along paths: {}; {engine}", words::certificates(&paths.solves, paths.max_error))
    });
    let fine = outcome.solves.unsolved() == 0 && outcome.paths.as_ref().is_none_or(|own| own.solves.unsolved() == 0);
    out.push_str(&view.verdict(&view.wrapped(&format!("certificates: {certificates}{gap}; CPU, f64{paths}")), fine));
}
