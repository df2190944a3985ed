//! Tables for a terminal, to be read in ten seconds: the answer first, the evidence below, how to read it last.

pub mod screen;

use std::fmt::Write as _;

use crate::run::Solves;
use crate::study::asset::Asset;
use crate::study::bootstrap;
use crate::study::measures::Profile;
use crate::study::method::Method;
use crate::study::solve;

/// Widest an asset's name may stand.
const NAME: usize = 22;

/// Assets listed at most: the largest weights.
const MOST_ASSETS: usize = 40;

/// Characters of the range picture.
const PICTURE: usize = 24;

/// A name cut to the column.
fn name(text: &str, width: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if clean.chars().count() <= width {
        return format!("{clean:width$}");
    }
    clean.chars().take(width - 1).chain(['…']).collect()
}

fn width<'a>(names: impl Iterator<Item = &'a str>) -> usize {
    names.map(|n| n.chars().count()).max().unwrap_or(0).clamp(5, NAME)
}

/// "1 asset", "10,000 assets".
pub fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// 10000 -> 10,000.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn percent(x: f64, decimals: usize) -> String {
    if !x.is_finite() {
        "-".to_string()
    } else if x != 0.0 && (100.0 * x).abs() < 0.5 * 0.1_f64.powi(decimals as i32) {
        // A tiny number is not zero.
        format!("{:.0e} %", 100.0 * x)
    } else {
        format!("{:.decimals$} %", 100.0 * x)
    }
}

fn maybe_percent(x: Option<f64>, decimals: usize) -> String {
    x.map_or("-".to_string(), |x| percent(x, decimals))
}

/// "10,000 converged", or what became of the others.
pub fn solves(solves: &Solves) -> String {
    let mut text = if solves.converged == solves.total {
        match solves.total {
            0 => "nothing to solve".to_string(),
            1 => "converged".to_string(),
            total => format!("all {} converged", grouped(total)),
        }
    } else {
        let mut parts = vec![format!("{} of {} converged", grouped(solves.converged), grouped(solves.total))];
        for (count, what) in
            [(solves.no_solution, "no_solution"), (solves.invalid, "invalid"), (solves.stalled, "stalled")]
        {
            if count > 0 {
                parts.push(format!("{} {what}", grouped(count)));
            }
        }
        parts.join(", ")
    };
    if solves.rescued > 0 {
        // Writing to a string cannot fail, here and below.
        let _ = write!(text, "; {} rescued by the CPU", grouped(solves.rescued));
    }
    text
}

/// The table of `equirisk solve`.
pub fn solve(outcome: &solve::Outcome) -> String {
    let mut out = String::new();
    let column = width(outcome.assets.iter().map(String::as_str));
    let methods = [
        ("risk budgeting", &outcome.profile),
        ("inverse vol", &outcome.methods.inverse_volatility),
        ("equal weight", &outcome.methods.equal_weight),
    ];
    let _ = writeln!(
        out,
        "{:column$}  {:>8}  {:>19}  {:>19}  {:>19}",
        "", "", "risk budgeting", "inverse volatility", "equal weight"
    );
    let _ = write!(out, "{:column$}  {:>8}", "asset", "budget");
    for _ in methods {
        let _ = write!(out, "  {:>8} {:>10}", "weight", "risk share");
    }
    out.push('\n');
    for (i, asset) in outcome.assets.iter().enumerate() {
        let _ = write!(out, "{}  {:>8}", name(asset, column), percent(outcome.budgets[i], 2));
        for (_, profile) in methods {
            let _ = write!(out, "  {:>8} {:>10}", percent(profile.weights[i], 2), percent(profile.risk_shares[i], 2));
        }
        out.push('\n');
    }
    let mut line = |label: &str, value: &dyn Fn(&Profile) -> String| {
        let _ = write!(out, "{label:column$}  {:>8}", "");
        for (_, profile) in methods {
            let _ = write!(out, "  {:>19}", value(profile));
        }
        out.push('\n');
    };
    if outcome.periods_per_year.is_some() {
        line("volatility a year", &|p| maybe_percent(p.volatility_annual, 2));
    } else {
        line("volatility", &|p| percent(p.volatility, 4));
    }
    line("diversification", &|p| format!("{:.3}", p.diversification_ratio));
    let _ = writeln!(
        out,
        "\n{}: risk shares are within {:.1e} of the budgets, relative ({}, kappa {:.2}, {})",
        outcome.status,
        outcome.rc_error,
        counted(u64::from(outcome.sweeps), "sweep"),
        outcome.kappa,
        outcome.engine
    );
    out
}

/// The table of `equirisk bootstrap`.
pub fn bootstrap(outcome: &bootstrap::Outcome) -> String {
    let mut out = String::new();
    let run = &outcome.run;
    let span = match (&run.first, &run.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    let block = match run.scheme {
        "iid" => String::new(),
        "stationary" => format!(", mean block {:.1} rows", run.block_length),
        _ => format!(", blocks of {:.0} rows", run.block_length),
    };
    let _ = writeln!(
        out,
        "{}, {}{span}; {} ({}{block}, seed {})",
        counted(run.assets as u64, "asset"),
        counted(run.rows as u64, "return"),
        counted(run.resamples, "resample"),
        run.scheme,
        run.seed
    );
    let left_out = outcome.solves.unsolved();
    if left_out > 0 {
        let _ = writeln!(
            out,
            "! {} of the resamples have no certified portfolio and are left out of all statistics: {}",
            percent(left_out as f64 / outcome.solves.total as f64, 1),
            solves(&outcome.solves)
        );
    }
    out.push('\n');
    if outcome.solves.converged == 0 {
        let Solves { no_solution, invalid, stalled, .. } = outcome.solves;
        out.push_str(if stalled > no_solution + invalid {
            "No resample reached the tolerance: rounding alone may exceed it; loosen --tolerance.\n"
        } else {
            "No resample has a risk-budgeting portfolio: use a longer history or fewer assets.\n"
        });
        return out;
    }
    weights(&mut out, outcome);
    methods(&mut out, outcome);
    block_lengths(&mut out, outcome);
    evidence(&mut out, outcome);
    out
}

fn weights(out: &mut String, outcome: &bootstrap::Outcome) {
    let column = width(outcome.assets.iter().map(|a| a.name.as_str()));
    let widest =
        outcome.assets.iter().map(|a| a.weight.q975.max(a.point.unwrap_or(0.0))).fold(f64::MIN_POSITIVE, f64::max);
    let realised = |asset: &Asset| {
        let share = outcome.methods.erc.realised.shares.iter().find(|share| share.name == asset.name);
        share.map_or("-".to_string(), |s| format!("{:.1}–{:.1} %", 100.0 * s.summary.q05, 100.0 * s.summary.q95))
    };
    let _ = writeln!(
        out,
        "{:column$}  {:>7}  {:^14}  {:^PICTURE$}  {:>15}  {:>14}",
        "asset",
        "weight",
        "90 % of weights",
        format!("0 % {:>w$}", percent(widest, 0), w = PICTURE - 5),
        "sd (± MC error)",
        "risk share 90 %"
    );
    // Small weights need more digits.
    let digits = if widest < 0.1 { 3 } else { 2 };
    let mut shown: Vec<&Asset> = outcome.assets.iter().collect();
    if shown.len() > MOST_ASSETS {
        shown.sort_by(|a, b| b.weight.mean.total_cmp(&a.weight.mean));
        shown.truncate(MOST_ASSETS);
    }
    for asset in &shown {
        let w = &asset.weight;
        let _ = writeln!(
            out,
            "{}  {:>7}  {:>6.2}–{:>5.2} %  {}  {:>15}  {:>14}",
            name(&asset.name, column),
            maybe_percent(asset.point, 2),
            100.0 * w.q05,
            100.0 * w.q95,
            picture(asset, widest),
            if w.sd.is_finite() {
                format!("{:.digits$} ± {:.*} %", 100.0 * w.sd, digits + 1, 100.0 * asset.mc_error.sd)
            } else {
                "-".to_string()
            },
            realised(asset)
        );
    }
    if shown.len() < outcome.assets.len() {
        let more = outcome.assets.len() - shown.len();
        let _ = writeln!(out, "... and {more} assets with smaller weights: all of them with --json or -o DIR");
    }
    out.push('\n');
}

/// `  ├──●───┤ `: the 90 % range with the full-sample weight, from 0 to `widest`.
fn picture(asset: &Asset, widest: f64) -> String {
    let position = |x: f64| ((x / widest * (PICTURE - 1) as f64).round().max(0.0) as usize).min(PICTURE - 1);
    let mut cells = [' '; PICTURE];
    let (low, high) = (position(asset.weight.q05), position(asset.weight.q95));
    cells[low..=high].fill('─');
    cells[low] = '├';
    cells[high] = '┤';
    if let Some(point) = asset.point {
        cells[position(point)] = '●';
    }
    cells.iter().collect()
}

fn methods(out: &mut String, outcome: &bootstrap::Outcome) {
    let erc = "risk budgeting";
    let methods = [
        (erc, &outcome.methods.erc),
        ("inverse volatility", &outcome.methods.inverse_volatility),
        ("equal weight", &outcome.methods.equal_weight),
    ];
    let annual = outcome.run.periods_per_year.map(f64::sqrt);
    let volatility = if annual.is_some() { "vol a year" } else { "volatility" };
    let _ = writeln!(
        out,
        "{:19} {:>20} {:>24} {:>18} {:>9}",
        "method", "weights move by", "worst risk-share error", volatility, "div. ratio"
    );
    let spread = |s: &crate::study::summary::Summary, scale: f64| {
        format!("{:.1} ({:.1}–{:.1}) %", 100.0 * scale * s.mean, 100.0 * scale * s.q05, 100.0 * scale * s.q95)
    };
    for (label, Method { turnover, realised, volatility, diversification_ratio, .. }) in methods {
        let _ = writeln!(
            out,
            "{label:19} {:>20} {:>24} {:>18} {:>9.2}",
            turnover.as_ref().map_or("-".to_string(), |t| spread(t, 1.0)),
            spread(&realised.max_error, 1.0),
            spread(volatility, annual.unwrap_or(1.0)),
            diversification_ratio.mean
        );
    }
    out.push('\n');
}

fn block_lengths(out: &mut String, outcome: &bootstrap::Outcome) {
    // One resample has no spread.
    if outcome.sensitivity.len() < 2 || outcome.sensitivity.iter().any(|s| s.converged < 2) {
        return;
    }
    let mean_sd = |s: &bootstrap::Sensitivity| s.assets.iter().map(|a| a.sd).sum::<f64>() / s.assets.len() as f64;
    let parts: Vec<String> =
        outcome.sensitivity.iter().map(|s| format!("{} at {:.1}", percent(mean_sd(s), 2), s.block_length)).collect();
    let _ = writeln!(
        out,
        "Block length: mean sd of the weights {} rows ({} each)",
        parts.join(", "),
        counted(outcome.sensitivity[0].resamples, "resample")
    );
}

fn evidence(out: &mut String, outcome: &bootstrap::Outcome) {
    let error = outcome.rc_error.max.map_or(String::new(), |max| format!(", rc_error at most {max:.1e}"));
    let engine = outcome.run.adapter.as_ref().map_or("CPU, f64".to_string(), |adapter| format!("GPU, f32: {adapter}"));
    let _ = writeln!(out, "Certificates: {}{error} ({engine})", solves(&outcome.solves));
    if let Some(check) = &outcome.crosscheck {
        let _ = writeln!(
            out,
            "Cross-check: {} again on the CPU in f64, {}{}",
            counted(check.sampled, "problem"),
            counted(check.disagreements, "disagreement"),
            check.max_weight_difference.map_or(String::new(), |d| format!(", weights within {d:.1e}"))
        );
    }
    out.push_str(
        "\nweight: from the full history. 90 %: between the 5 % and 95 % quantiles over resamples. weights move by: half the\n\
         absolute change against the full-history weights. risk share and its worst error (against the budget): of the\n\
         resampled weights under the full-history covariance, which stands for holding estimated weights under the truth.\n\
         Bands are optimistic where volatility clusters more than the block length sees.\n",
    );
}
