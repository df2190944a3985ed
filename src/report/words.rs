//! Names, counts and figures as a reader wants them, the same in every report.

use std::fmt::Write as _;

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use crate::batch::counts::Solves;
use crate::engine::Precision;
use crate::error::{Text, option};
pub use crate::io::size;
use crate::measure::Metric;
use crate::methods::Method;
use crate::methods::limits::Bounds;
use crate::resample::Scheme;
use crate::run::crosscheck::CrossCheck;
use crate::study::bootstrap::{Outcome, Run};
use crate::study::budgeted::Budgeted;
use crate::study::change::Halves;
use crate::study::estimation::{Estimation, Told};
use crate::study::holdings::Holdings;
use crate::study::influence::LEAST_ROWS;
use crate::study::screen::figure::Figure;
use crate::study::statistics::asset::Asset;
pub use crate::wording::{counted, grouped};

/// A name in at most so many columns of a terminal, control characters made visible.
pub fn cut(text: &str, columns: usize) -> String {
    let clean: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    if clean.width() <= columns {
        return clean;
    }
    let mut short = String::new();
    let mut used = 1;
    for character in clean.chars() {
        used += character.width().unwrap_or(0);
        if used > columns {
            break;
        }
        short.push(character);
    }
    short + "…"
}

/// A method's name; of a mix that which results call it by.
pub fn method(method: Method, name: &str) -> String {
    match method {
        Method::Fixed(_) if name != "fixed" => cut(name, NAME),
        method => method.words().to_string(),
    }
}

/// The same in few columns.
pub fn short_method(method: Method, name: &str) -> String {
    match method {
        Method::RiskBudgeting => "budgeting".to_string(),
        Method::InverseVolatility => "inv. vol.".to_string(),
        Method::EqualWeight => "equal".to_string(),
        Method::MinimumVariance => "min. var.".to_string(),
        Method::MaximumDiversification => "max. div.".to_string(),
        Method::HierarchicalRiskParity => "HRP".to_string(),
        Method::VolatilityParity => "vol. parity".to_string(),
        Method::Fixed(_) => cut(name, 10),
    }
}

/// What limits did over the resamples.
pub fn bounds(outcome: &Outcome) -> Option<String> {
    outcome.run.limits.as_ref()?;
    let mut said = Vec::new();
    let held: Vec<&Asset> = outcome.assets.iter().filter(|asset| asset.is_held()).collect();
    let mean = |of: &dyn Fn(&Asset) -> Option<f64>| {
        held.iter().filter_map(|asset| of(asset)).sum::<f64>() / held.len().max(1) as f64
    };
    if held.is_empty() {
        said.push("No bound holds a weight in most resamples.".to_string());
    } else {
        let names = listed(&held.iter().map(|asset| cut(&asset.name, NAME)).collect::<Vec<String>>());
        let (bands, sd, free) = match held.len() {
            1 => ("its bound sets its band, not the data", "sd", "it"),
            _ => ("their bounds set their bands, not the data", "mean sd", "them"),
        };
        let own = percent(mean(&|asset| Some(asset.weight.sd)), 2);
        let without = percent(mean(&|asset| Some(asset.unlimited?.sd)), 2);
        said.push(format!(
            "{names}: {bands}, because a bound holds in most resamples. The {sd} of the weight is {own}, and {without} with no \
             limit on {free}."
        ));
    }
    if let Some(miss) = &outcome.portfolio.budget_miss {
        let (low, high) = (percent(miss.q05, 0), percent(miss.q95, 0));
        said.push(format!("The worst budget is missed by {} of it ({low} to {high}).", percent(miss.mean, 0)));
    }
    if let Some(turnover) = &outcome.turnover {
        let (most, share) = (percent(turnover.max, 1), percent(turnover.at_max, 0));
        said.push(format!("Turnover is at its limit of {most} in {share} of the resamples."));
    }
    Some(said.join(" "))
}

/// "20 % to 50 %", "at most 30 %", "10 %"; nothing of what is not limited.
pub fn range(least: f64, most: f64) -> String {
    let short = |x: f64| format!("{} %", crate::wording::short(100.0 * x));
    match (least > 0.0, most < 1.0) {
        (false, false) => String::new(),
        (true, false) => format!("at least {}", short(least)),
        (false, true) => format!("at most {}", short(most)),
        (true, true) if least == most => short(least),
        (true, true) => format!("{} to {}", short(least), short(most)),
    }
}

/// "expected shortfall (95 %)".
pub fn measure(risk: &Budgeted) -> String {
    let Budgeted { words, level, centred, .. } = risk;
    let raw = if *centred { "" } else { ", from zero" };
    level.map_or((*words).to_string(), |level| format!("{words} ({} %{raw})", trimmed(100.0 * level)))
}

/// Assets that are clear of their noise and named at most.
const MOST_CLEAR: usize = 5;

/// What budgeting another risk than volatility changes; nothing where risk is volatility.
pub fn paired(outcome: &Outcome) -> Option<String> {
    let (paired, risk) = (outcome.paired.as_ref()?, measure(&outcome.run.risk));
    let differs = match paired.distance {
        None => return Some(format!("Budgets of {risk} cannot be set beside volatility parity on the full history.")),
        Some(distance) => {
            let moves =
                format!("Budgeting {risk} in place of volatility moves {} of the portfolio", percent(distance, 1));
            let noise = percent(paired.noise, 1);
            match paired.is_noise() {
                None => return Some(format!("{moves}.")),
                Some(true) => format!(
                    "{moves}, less than two resamples of it differ by ({noise}): the choice of the measure is within its own \
                     noise"
                ),
                Some(false) => format!(
                    "{moves}, more than two resamples of it differ by ({noise}): the choice of the measure matters here"
                ),
            }
        }
    };
    let clear: Vec<String> =
        paired.assets.iter().filter(|asset| asset.clear).map(|asset| cut(&asset.name, NAME)).collect();
    let assets = counted(outcome.run.assets as u64, "weight");
    Some(match clear.len() {
        0 => format!("{differs}. None of {assets} differs clearly (95 %, on the same resamples)."),
        count => format!(
            "{differs}. Clearly different (95 %, on the same resamples): {count} of {assets}, {}{}.",
            clear[..count.min(MOST_CLEAR)].join(", "),
            if count > MOST_CLEAR { ", .." } else { "" }
        ),
    })
}

/// An estimator by the name that results have.
pub fn estimator(name: &str) -> &str {
    match name {
        "sample" => "sample covariance",
        "ewma" => "EWMA",
        "ledoit-wolf" => "Ledoit-Wolf, correlation units",
        "constant-correlation" => "constant correlation",
        "oas" => "OAS, correlation units",
        "ledoit-wolf-raw" => "Ledoit-Wolf, units of returns",
        "oas-raw" => "OAS, units of returns",
        "gerber" => "Gerber statistic",
        "nonlinear" => "nonlinear shrinkage",
        "denoised" => "denoised correlations",
        other => other,
    }
}

/// "+2.9 %".
pub fn signed(x: f64, decimals: usize) -> String {
    if x < 0.0 { format!("-{}", percent(-x, decimals)) } else { format!("+{}", percent(x, decimals)) }
}

/// What is said of an estimator other than the sample covariance.
pub fn estimation(estimation: &Estimation) -> Option<String> {
    let Estimation { name, half_life, effective_rows, intensity, kept } = estimation;
    if *name == "sample" {
        return None;
    }
    let called = estimator(name);
    let told = |what: &str, told: &Told, digits: usize| match told.resamples {
        Some(over) => format!(": {what} {:.digits$} ({:.digits$} on the history)", over.mean, told.point),
        None => format!(": {what} {:.digits$}", told.point),
    };
    let parameter = intensity
        .as_ref()
        .map(|intensity| told("intensity", intensity, 3))
        .or(kept.as_ref().map(|kept| told("eigenvalues kept", kept, usize::from(kept.resamples.is_some()))))
        .or(half_life.zip(*effective_rows).map(|(half_life, rows)| {
            format!(": half-life {} rows, worth {rows:.0} rows of equal weight", trimmed(half_life))
        }))
        .unwrap_or_default();
    Some(format!("Covariances: {called}{parameter}."))
}

/// What a bootstrap of an estimate that follows the last rows cannot say.
pub const EWMA: &str = "EWMA: the bands show how much such an estimate moves over the years, not how wrong today's is.";

/// A number without zeros that say nothing.
fn trimmed(x: f64) -> String {
    if x >= 1e9 {
        return format!("{x:e}");
    }
    let text = format!("{x:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// Robust bands that are wider than those of the resamples by more than this are told.
const WIDER: f64 = 1.15;

/// Names of such assets at most.
const MOST_WIDER: usize = 5;

/// How much wider than the bands of the resamples those are that allow for spells of volatility; nothing where they are
/// about as wide.
pub fn wider(assets: &[Asset]) -> Option<String> {
    let mut wider: Vec<(f64, &str)> = assets
        .iter()
        .filter_map(|asset| Some((asset.widening().filter(|&ratio| ratio > WIDER)?, asset.name.as_str())))
        .collect();
    wider.sort_by(|a, b| b.0.total_cmp(&a.0));
    let named: Vec<String> =
        wider.iter().take(MOST_WIDER).map(|(ratio, name)| format!("{ratio:.1} times for {}", cut(name, 24))).collect();
    let more = match wider.len().saturating_sub(MOST_WIDER) {
        0 => String::new(),
        more => format!(", and for {}", counted(more as u64, "more asset")),
    };
    let named = named.join(", ");
    (!wider.is_empty())
        .then(|| format!("Robust bands, which allow for spells of volatility, are wider: {named}{more}."))
}

/// Names in a sentence at most, and columns of each.
const MOST_NAMES: usize = 8;
const NAME: usize = 24;

/// "A, B, C", and how many more there are.
pub fn listed(names: &[String]) -> String {
    let first: Vec<String> = names.iter().take(MOST_NAMES).map(|name| cut(name, NAME)).collect();
    let first = first.join(", ");
    if names.len() > MOST_NAMES { format!("{first} and {} more", names.len() - MOST_NAMES) } else { first }
}

/// What somebody holds beside the portfolio and its bands, which are called `bands`.
pub fn holdings(held: &Holdings, bands: &str) -> String {
    let differs = held.distance.map_or("Your portfolio".to_string(), |distance| {
        format!("Your portfolio differs from the risk-budgeting portfolio by {}", percent(distance, 1))
    });
    match held.outside.as_deref() {
        None => format!("{differs}; there are no bands to say which differences matter."),
        Some([]) => format!(
            "{differs}, and every weight lies within its {bands}: this history does not tell the two apart, and gives no \
             reason to trade."
        ),
        Some(outside) if outside.len() == held.weights.len() => {
            format!("{differs}: every weight lies beyond its {bands}.")
        }
        Some(outside) => format!(
            "{differs}. Beyond the {bands}: {}. This history does not tell the other weights from the portfolio's.",
            listed(outside)
        ),
    }
}

/// What holdings are compared with in a study, and of a single portfolio.
pub const RESAMPLED: &str = "band of the resamples";
pub const ROBUST: &str = "robust band";

/// Windows that differ by more than this many times their standard errors are told.
const MOVES: f64 = 2.0;

/// How far the portfolio changes within its history; nothing where the halves have no portfolios.
pub fn change(outcome: &Outcome) -> Option<String> {
    let Halves { cut: at, distance, expected_distance, inside, expected_inside, .. } = outcome.halves.as_ref()?;
    let at = at.as_ref().map_or(String::new(), |at| format!(" (cut at {})", cut(at, 24)));
    let moves = outcome.windows.filter(|windows| windows.ratio > MOVES).map_or(String::new(), |windows| {
        format!(
            " Over {} windows weights differ {:.1} times as much as sampling explains.",
            windows.count, windows.ratio
        )
    });
    Some(format!(
        "In two halves{at}: the portfolios differ by {} (sampling explains {}); {inside} of {} of the second lie in the \
         robust bands of the first (expected of a fresh sample: {expected_inside:.1}).{moves}",
        percent(*distance, 1),
        percent(*expected_distance, 1),
        counted(outcome.run.assets as u64, "weight"),
    ))
}

/// Why windows are not compared, where they are not although the halves are.
pub fn short_windows(outcome: &Outcome) -> Option<String> {
    let (rows, windows) = (outcome.run.rows, outcome.run.windows);
    let length = rows / windows.max(1);
    (outcome.halves.is_some() && outcome.windows.is_none()).then(|| {
        if length < LEAST_ROWS {
            format!(
                "{windows} windows of {length} returns are too short to be compared: at least {LEAST_ROWS} are needed."
            )
        } else {
            format!("Not compared: one of {windows} windows of {length} returns has no portfolio.")
        }
    })
}

/// Columns of a terminal.
pub fn columns(text: &str) -> usize {
    text.width()
}

/// A time as people give it: "0.35 s", "12.0 s", "3.2 minutes", "8.6 h", "3.9 days", "10.6 years".
pub fn duration(seconds: f64) -> String {
    const MINUTE: f64 = 60.0;
    const HOUR: f64 = 60.0 * MINUTE;
    const DAY: f64 = 24.0 * HOUR;
    const YEAR: f64 = 365.25 * DAY;
    match seconds {
        s if s < 1.0 => format!("{s:.2} s"),
        s if s < MINUTE => format!("{s:.1} s"),
        s if s < HOUR => format!("{:.1} minutes", s / MINUTE),
        s if s < 2.0 * DAY => format!("{:.1} h", s / HOUR),
        s if s < 2.0 * YEAR => format!("{:.1} days", s / DAY),
        s if s < 1e6 * YEAR => format!("{:.1} years", s / YEAR),
        s => format!("{:.1e} years", s / YEAR),
    }
}

pub fn percent(x: f64, decimals: usize) -> String {
    // Zero has no sign.
    let x = x + 0.0;
    if !x.is_finite() {
        "-".to_string()
    } else if x != 0.0 && (100.0 * x).abs() < 0.5 * 0.1_f64.powi(decimals as i32) {
        // A tiny number is not zero.
        let sign = if x < 0.0 { ">-" } else { "<" };
        format!("{sign}{:.decimals$} %", 0.1_f64.powi(decimals as i32))
    } else {
        format!("{:.decimals$} %", 100.0 * x)
    }
}

/// "23.59–30.57 %".
pub fn band(low: f64, high: f64, decimals: usize) -> String {
    if low.is_finite() && high.is_finite() {
        format!("{:.decimals$}–{:.decimals$} %", 100.0 * low, 100.0 * high)
    } else {
        "-".to_string()
    }
}

/// With two decimals; a dash for none.
pub fn ratio(x: Option<f64>) -> String {
    x.map_or("-".to_string(), |x| format!("{x:.2}"))
}

/// As a sentence begins.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
}

/// A share of a finite number of draws, of which none is certain: "<1 %", "63 %", ">99 %".
pub fn never_certain(share: f64) -> String {
    match 100.0 * share {
        none if none < 0.5 => "<1 %".to_string(),
        all if all >= 99.5 => ">99 %".to_string(),
        other => format!("{other:.0} %"),
    }
}

pub fn maybe_percent(x: Option<f64>, decimals: usize) -> String {
    x.map_or("-".to_string(), |x| percent(x, decimals))
}

/// Whether a figure of a subset reads best in percent.
pub fn is_share(figure: Figure) -> bool {
    matches!(
        figure,
        Figure::VolatilityAnnual
            | Figure::MaxDrawdown
            | Figure::Cvar95
            | Figure::Metric(Metric::Volatility | Metric::MaxWeight)
    )
}

/// A figure of a subset: shares in percent, ratios with digits.
pub fn figure(figure: Figure, value: f64) -> String {
    match figure {
        _ if !value.is_finite() => "-".to_string(),
        Figure::Metric(Metric::Volatility) => percent(value, 4),
        Figure::Cvar95 => percent(value, 3),
        _ if is_share(figure) => percent(value, 2),
        _ => format!("{value:.4}"),
    }
}

/// "all 10,000 converged", or what became of the others.
pub fn solves(solves: &Solves) -> String {
    let mut text = if solves.converged == solves.total {
        match solves.total {
            0 => "nothing to solve".to_string(),
            1 => "converged".to_string(),
            total => format!("all {} converged", grouped(total)),
        }
    } else {
        let mut parts = vec![format!("{} of {} converged", grouped(solves.converged), grouped(solves.total))];
        for (count, what) in [
            (solves.no_solution, "no_solution"),
            (solves.infeasible, "infeasible"),
            (solves.invalid, "invalid"),
            (solves.stalled, "stalled"),
        ] {
            if count > 0 {
                parts.push(format!("{} {what}", grouped(count)));
            }
        }
        parts.join(", ")
    };
    if solves.rescued > 0 {
        // Writing to a string cannot fail.
        let _ = write!(text, "; {} rescued by the CPU", grouped(solves.rescued));
    }
    text
}

/// "none of 30 resamples has a certified portfolio".
pub fn nothing(total: u64, noun: &str) -> String {
    match total {
        1 => format!("the only {noun} has no certified portfolio"),
        _ => format!("none of {} has a certified portfolio", counted(total, noun)),
    }
}

/// The same with what became of them, in place of a table.
pub fn nothing_solved(counts: &Solves, noun: &str) -> String {
    format!("! {}: {}", nothing(counts.total, noun), solves(counts))
}

/// "weights of 5 % to 30 %"; where assets have bounds of their own, "weights within their bounds".
pub fn weights_within(bounds: &Bounds) -> String {
    let same = |all: &[f64]| all.iter().all(|bound| *bound == all[0]);
    match same(&bounds.least) && same(&bounds.most) {
        true => format!("weights of {}", range(bounds.least[0], bounds.most[0])),
        false => "weights within their bounds".to_string(),
    }
}

/// What helps where nothing was solved at all.
pub fn remedy(counts: &Solves) -> Text {
    let Solves { stalled, no_solution, infeasible, invalid, .. } = *counts;
    if infeasible > stalled + no_solution + invalid {
        "loosen the bounds of the weights: no set of assets can hold the whole within them".into()
    } else if stalled > no_solution + invalid {
        format!("loosen {}: rounding alone may exceed it", option("tolerance")).into()
    } else if no_solution >= invalid {
        "some long-only mix has no variance: use fewer assets, or covariances of a longer history".into()
    } else {
        "some asset does not move: leave it out, or use covariances of a longer history".into()
    }
}

/// "all 10,000 converged, rc_error at most 9.0e-9".
pub fn certificates(counts: &Solves, max_rc_error: Option<f64>) -> String {
    let error = max_rc_error.map_or(String::new(), |max| format!(", rc_error at most {max:.1e}"));
    solves(counts) + &error
}

/// "64 problems again on the CPU in f64, 0 disagreements, weights within 3.1e-7".
pub fn crosscheck(check: &CrossCheck) -> String {
    let within = check.max_weight_difference.map_or(String::new(), |d| format!(", weights within {d:.1e}"));
    format!("{}{within}", again(check.sampled, "problem", check.disagreements))
}

/// "64 subsets again on the CPU in f64, 0 disagreements".
pub fn again(sampled: u64, noun: &str, disagreements: u64) -> String {
    format!("{} again on the CPU in f64, {}", counted(sampled, noun), counted(disagreements, "disagreement"))
}

/// ", 252 periods a year", after a history; nothing where the number is not known.
pub fn periods(periods_per_year: Option<f64>) -> String {
    periods_per_year.map_or(String::new(), |number| format!(", {number} periods a year"))
}

/// "10 assets, 3,971 returns, 1999-01-01 to 2014-03-21".
pub fn history(run: &Run) -> String {
    let span = match (&run.first, &run.last) {
        (Some(first), Some(last)) => format!(", {first} to {last}"),
        _ => String::new(),
    };
    format!("{}, {}{span}", counted(run.assets as u64, "asset"), counted(run.rows as u64, "return"))
}

/// "10,000 resamples (stationary, mean block 114.5 rows, seed 1)".
pub fn resamples(run: &Run) -> String {
    let block = match run.scheme {
        Scheme::Iid => String::new(),
        Scheme::Stationary => format!(", mean block {:.1} rows", run.block_length),
        Scheme::Circular | Scheme::Moving => format!(", blocks of {:.0} rows", run.block_length),
    };
    format!("{} ({}{block}, seed {})", counted(run.resamples, "resample"), run.scheme, run.seed)
}

/// "CPU, f64", or the adapter.
pub fn engine(adapter: Option<&str>, precision: Precision) -> String {
    adapter.map_or("CPU, f64".to_string(), |adapter| format!("GPU, {precision}: {adapter}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_by_the_columns_they_take() {
        assert_eq!(cut("S&P 500", 7), "S&P 500");
        assert_eq!(cut("S&P 500", 6), "S&P 5…");
        // Two columns each.
        assert_eq!(cut("日経平均", 8), "日経平均");
        assert_eq!(cut("日経平均", 7), "日経平…");
        assert_eq!(cut("日経平均", 6), "日経…");
        assert_eq!(cut("a\u{1b}[31m\n", 10), "a?[31m?");
    }

    #[test]
    fn a_tiny_share_is_not_zero() {
        assert_eq!([percent(0.0, 2), percent(4e-7, 2), percent(f64::NAN, 2)], ["0.00 %", "<0.01 %", "-"]);
    }

    #[test]
    fn times_and_sizes_come_in_units_that_people_use() {
        let times = [0.25, 12.0, 190.0, 30_787.5, 335_205.7, 335_205_703.1].map(duration);
        assert_eq!(times, ["0.25 s", "12.0 s", "3.2 minutes", "8.6 h", "3.9 days", "10.6 years"]);
        let sizes = [600.0, 65_536.0, 6.2e7, 8.6e9, 9.76e17].map(size);
        assert_eq!(sizes, ["600 B", "64.0 KiB", "59.1 MiB", "8.0 GiB", "866.9 PiB"]);
    }

    #[test]
    fn counts_read_as_they_are_written() {
        assert_eq!([counted(1, "asset"), counted(1_234_567, "asset")], ["1 asset", "1,234,567 assets"]);
    }
}
