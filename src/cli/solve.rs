//! `equirisk solve`: one portfolio.

use std::io::Write as _;
use std::path::Path;

use crate::engine::choose;
use crate::io::Detected;
use crate::methods::Selection;
use crate::panel::{Panel, Returns};
use crate::report::solve_csv;
use crate::report::terminal::{self, counted};
use crate::store::atomic::{self, Existing};
use crate::study::memory;
use crate::study::solve::{Question, Risk, solve};
use crate::{Error, Result, observer::Observer as _};

use super::args::{OutputArguments, SolveArguments};
use super::data::{self, Notes};
use super::limits;
use super::progress::Progress;
use super::{machine, output};

pub fn run(arguments: &SolveArguments) -> Result<u8> {
    let quiet = arguments.out.quiet;
    if let Some(path) = &arguments.output {
        check_file(path, arguments)?;
    }
    let estimator = arguments.estimation.estimator()?;
    let measure = arguments.risk.measure(&arguments.estimation, &arguments.machine)?;
    let notes = &mut Notes::new(quiet);
    let input = data::input(&arguments.data, notes);
    let (assets, given, panel, periods_per_year) = if arguments.covariance {
        arguments.estimation.none()?;
        arguments.risk.none()?;
        if arguments.data.data.is_empty() {
            return Err(Error::usage("--covariance needs DATA: the embedded sample holds prices")
                .hint("name a file that holds the matrix and the names of its assets"));
        }
        let covariance = data::covariance(&arguments.data, &input, arguments.machine.memory, notes)?;
        memory::check_portfolio(covariance.assets.len(), arguments.machine.memory)?;
        (covariance.assets, Some(covariance.values), None, arguments.data.periods_per_year)
    } else {
        let (returns, detected) = data::returns(&arguments.data, &input, arguments.machine.memory, notes)?;
        if arguments.dry_run {
            return dry_run(&returns, &detected, &arguments.out);
        }
        let periods_per_year = data::periods_per_year(&arguments.data, &returns, notes);
        memory::check_portfolio(returns.assets.len(), arguments.machine.memory)?;
        let panel = Panel::new(&returns)?;
        (returns.assets, None, Some(panel), periods_per_year)
    };
    let limits::Asked { budgets, within, .. } =
        limits::read(&arguments.problem, &arguments.limits, &arguments.terms, &assets, notes)?;
    limits::check_risk(&within, measure)?;
    limits::check_on_cpu(&within, &arguments.machine)?;
    let weights = data::holdings(arguments.held.weights.as_deref(), &assets, notes)?;
    let mixes = arguments.methods.mixes(&assets, &budgets, notes)?;
    let beside = Selection::new(&arguments.methods.methods(&within, notes)?, mixes);
    let work = choose::work(1, 0, assets.len());
    let engine = machine::choose(&arguments.machine, arguments.problem.tolerance, true, work, quiet)?;
    let risk = match (&given, &panel) {
        (Some(covariance), _) => Risk::Given { covariance, assume_psd: arguments.assume_psd },
        (None, Some(panel)) => Risk::History { panel, estimator },
        (None, None) => unreachable!("one of the two was read"),
    };
    let question = Question {
        assets: &assets,
        risk,
        budgets: &budgets,
        weights: weights.as_deref(),
        measure,
        beside: &beside,
        within: &within,
        periods_per_year,
    };
    let mut progress = Progress::new("problem", quiet);
    let outcome = solve(&question, &*engine, &mut progress)?;
    if periods_per_year.is_none() && !arguments.out.json {
        progress.notice(&"volatilities are per period: give --periods-per-year to annualise them".into());
    }
    progress.finish();
    output::print(&if arguments.out.json {
        output::json(&outcome)?
    } else {
        terminal::solve(&outcome, output::view())
    })?;
    if let Some(path) = &arguments.output {
        let is_table = path.extension().is_some_and(|extension| extension == "csv");
        let text = if is_table { solve_csv(&outcome)? } else { output::json(&outcome)? };
        let existing = if arguments.force { Existing::Replace } else { Existing::Refuse };
        atomic::write(path, existing, |file| file.write_all(text.as_bytes()))?;
        output::wrote(&path.display().to_string(), quiet);
    }
    Ok(0)
}

/// Whether the result may be written to this file: asked before the work.
fn check_file(path: &Path, arguments: &SolveArguments) -> Result<()> {
    if arguments.data.data.iter().any(|data| atomic::same(data, path)) {
        return Err(Error::usage(format!("`{}` holds the data", path.display())).hint("give another -o FILE"));
    }
    if !arguments.force && path.exists() {
        return Err(Error::usage(format!("`{}` exists already", path.display())).hint("pass --force to replace it"));
    }
    Ok(())
}

/// What the columns of the files were taken for, and what would be solved.
fn dry_run(returns: &Returns, detected: &[Detected], out: &OutputArguments) -> Result<u8> {
    let (first, last) = returns.span();
    output::print(&if out.json {
        output::json(&serde_json::json!({
            "dry_run": true,
            "files": detected,
            "rows": returns.rows(),
            "assets": returns.assets,
            "first": first,
            "last": last,
        }))?
    } else {
        let span = first.zip(last).map_or(String::new(), |(first, last)| format!(", {first} to {last}"));
        format!(
            "{}a portfolio of {} would be solved, from {}{span}\n",
            terminal::columns(detected, output::view()),
            counted(returns.assets.len() as u64, "asset"),
            counted(returns.rows() as u64, "return"),
        )
    })?;
    Ok(0)
}
