//! `equirisk screen`: which k assets make the best risk-parity portfolio.

mod constraints;
mod plan;
mod universe;

use std::path::Path;
use std::process::ExitCode;

use equirisk::engine::Engine;
use equirisk::io::atomic::{self, Existing};
use equirisk::measure::Metric;
use equirisk::panel::Returns;
use equirisk::report::directory::{Asked, Found, Place, SHARD, SUMMARY, TABLE};
use equirisk::report::metrics::{self, MetricsWriter};
use equirisk::report::screen::{self as files, Again, Job, Screened};
use equirisk::report::terminal::{self, counted, grouped};
use equirisk::resample::Scheme;
use equirisk::run::crosscheck::{CrossCheck, Sample};
use equirisk::run::measure::PIECE;
use equirisk::run::shard::Shard;
use equirisk::run::{Means, Watch};
use equirisk::solver::Options;
use equirisk::study::block::Block;
use equirisk::study::screen::figure::Figure;
use equirisk::study::screen::verify::{Listed, verify};
use equirisk::study::screen::{Config, Outcome, Question, check, part, screen};
use equirisk::study::winners;
use equirisk::subsets::Subsets;
use equirisk::{Error, Result};
use universe::{Read, Screenable};

use super::args::{OutputArguments, ScreenArguments};
use super::bootstrap::seed as drawn;
use super::progress::Progress;
use super::study::{self, Ending, Origin, Start};
use super::{data, interrupt, machine, memory, output};

/// What is counted.
pub const NOUN: &str = "subset";

pub fn run(arguments: &ScreenArguments) -> Result<ExitCode> {
    let quiet = arguments.out.quiet;
    let Read { data, periods_per_year, input, detected } = universe::read(arguments)?;
    if arguments.halves && arguments.covariance {
        return Err(Error::usage("--halves compares the halves of the history, and a covariance has none")
            .hint("give prices or returns in place of --covariance"));
    }
    if arguments.bootstrap_top.is_some() && arguments.covariance {
        return Err(Error::usage("--bootstrap-top resamples the history, and a covariance has none")
            .hint("give prices or returns in place of --covariance"));
    }
    let config = config(arguments);
    let job = job(arguments, &config, &data, periods_per_year)?;
    let space = job.space(data.assets.len())?;
    let draws = |sample: u64| space.count().is_none_or(|count| sample < count);
    let needs_seed = arguments.sample.is_some_and(draws) || arguments.bootstrap_top.is_some();
    let given = arguments.resample.seed.filter(|_| needs_seed);
    study::seeded(&arguments.run, needs_seed, given)?;
    let (shard, force) = (arguments.run.shard, arguments.run.force);
    let results: &[&str] = if shard.is_some() { &SHARD } else { &files::RESULTS };
    let value = serde_json::to_value(&job).map_err(|error| Error::failed(error.to_string()))?;
    let asked = Asked { job: &value, seed: given, shard, results, force };
    let found = study::examine(&arguments.run, &asked)?;
    if arguments.all.as_ref().is_some_and(|all| !all.exists()) && matches!(found, Found::Finished { .. }) {
        return Err(Error::usage("this run is finished: --all has nothing to measure")
            .hint("leave -o DIR out to write the metrics alone, or say --force to run again"));
    }
    let lent = match study::start(found, arguments.run.output.as_deref(), shard.is_some(), &arguments.out)? {
        Start::Shown(ending) => return study::ended(ending, arguments.run.strict, NOUN),
        Start::Go { lent } => lent,
    };
    let seed = needs_seed.then(|| lent.unwrap_or_else(|| drawn(given)));
    let subsets = subsets(&job, seed, data.assets.len())?;
    let problems = problems(&job, &subsets);
    let screenable = Screenable::of(data.clone(), &job)?;
    let question = screenable.question(&job, &subsets);
    check(&question, &config)?;

    let work = work(problems, subsets.size());
    let machine = machine::choose(&arguments.machine, arguments.tolerance, false, work, quiet)?;
    let needed = config.memory(problems, subsets.size());
    if arguments.run.dry_run {
        return plan::dry_run(arguments, &question, problems, &config, needed, machine.options, &detected);
    }
    memory::check("the best subsets and a chunk", needed, arguments.machine.memory, |_| {
        "choose a shorter --top or --shortlist, or draw fewer subsets with --sample".to_string()
    })?;
    notices(arguments, &question, problems, &config, quiet);
    let own = shard.unwrap_or(Shard::WHOLE).range(problems, PIECE);
    let resamples = job.bootstrap.as_ref().filter(|_| shard.is_none()).map_or(0, |again| again.resamples);
    let mut progress = Progress::new(own.end - own.start + resamples, "subsets", quiet);
    let origin = Origin { job: &value, seed, shard, input: &|| data::origin(&input, &detected, &data) };
    let mut desk = study::begin(&arguments.run, arguments.machine.engine, &origin, &data, machine, &mut progress)?;
    let ending = match shard {
        None => {
            let means = &mut desk.means(&mut progress);
            let outcome = screened(arguments.all.as_deref(), force, &question, problems, &config, means)?;
            let found = with_winners(outcome, &job, &question, seed, &mut progress)?;
            if let Some(seed) = seed.filter(|_| given.is_none()) {
                study::tell_seed(&mut progress, seed);
            }
            desk.note(progress.finish());
            conclude(&found, desk.place.as_mut(), &arguments.out)?
        }
        Some(shard) => {
            let found = part(&question, problems, &config, shard, &mut desk.means(&mut progress))?;
            desk.note(progress.finish());
            let state = serde_json::json!({
                "range": found.range, "solves": found.solves, "crosscheck": found.crosscheck,
            });
            study::hand_in(&mut desk, &found, &found.solves, (found.range, NOUN), state, &arguments.out)?;
            Ending::of_part(&found.solves, found.crosscheck.map(|checked| checked.disagreements))
        }
    };
    study::ended(ending, arguments.run.strict, NOUN)
}

/// A screen whose shards have all been measured, in `place`.
pub fn joined(
    job: &Job,
    seed: Option<u64>,
    data: Returns,
    (engine, options): (&dyn Engine, Options),
    place: &mut Place,
    quiet: bool,
) -> Result<Screened> {
    let wrong = || Error::input("the shards hold a configuration that no screen has").hint("run the shards again");
    let config = job.config().ok_or_else(wrong)?;
    let subsets = subsets(job, seed, data.assets.len())?;
    let problems = problems(job, &subsets);
    let screenable = Screenable::of(data, job)?;
    let question = screenable.question(job, &subsets);
    let mut progress = Progress::new(problems, "subsets", quiet);
    let outcome = {
        let mut means = Means { engine, options, checkpoint: &mut place.checkpoint, watch: &mut progress };
        screen(&question, problems, &config, &mut means, &mut |_, _, _| Ok(()))?
    };
    let found = with_winners(outcome, job, &question, seed, &mut progress)?;
    progress.finish();
    Ok(found)
}

/// The subsets of a list, found by their ranks and solved again.
pub fn verified(job: &Job, seed: Option<u64>, data: Returns, list: &[Listed]) -> Result<CrossCheck> {
    let wrong = || Error::input("the run holds a configuration that no screen has").hint("run the job again");
    let config = job.config().ok_or_else(wrong)?;
    let subsets = subsets(job, seed, data.assets.len())?;
    let screenable = Screenable::of(data, job)?;
    Ok(verify(&screenable.question(job, &subsets), problems(job, &subsets), config.by, list))
}

/// Writes and prints what a screen found.
pub fn conclude(found: &Screened, place: Option<&mut Place>, out: &OutputArguments) -> Result<Ending> {
    let summary = output::json(found)?;
    if let Some(place) = place {
        let table = terminal::screen::screen(found, output::plain());
        let mut texts = files::texts(found)?;
        texts.extend([(SUMMARY, summary.clone()), (TABLE, table)]);
        place.finish(&files::RESULTS, &texts, files::state(&found.outcome))?;
        interrupt::done();
    }
    output::print(&if out.json { summary } else { terminal::screen::screen(found, output::view()) })?;
    let Outcome { solves, crosscheck, .. } = &found.outcome;
    Ok(Ending::of(solves, crosscheck.map(|checked| checked.disagreements)))
}

/// The subsets that are screened.
fn subsets(job: &Job, seed: Option<u64>, assets: usize) -> Result<Subsets> {
    let space = job.space(assets)?;
    match job.sample {
        Some(sample) => Subsets::sampled(space, sample, seed.unwrap_or_default()),
        None => Subsets::all(space),
    }
}

/// How many they are.
fn problems(job: &Job, subsets: &Subsets) -> u64 {
    let asked = job.sample.unwrap_or(u64::MAX);
    subsets.space().count().map_or(asked, |count| count.min(asked))
}

/// The winners on resamples of the history, where that was asked for; and no more of them listed than were asked for.
fn with_winners(
    mut outcome: Outcome,
    job: &Job,
    question: &Question,
    seed: Option<u64>,
    watch: &mut dyn Watch,
) -> Result<Screened> {
    let bootstrap = match (&job.bootstrap, question.returns, question.simple) {
        (Some(again), Some(returns), Some(simple)) if !outcome.winners.is_empty() => {
            let wrong = || Error::input(format!("no scheme `{}` with block `{}`", again.scheme, again.block));
            let config = winners::Config {
                resamples: again.resamples,
                scheme: Scheme::named(&again.scheme).ok_or_else(wrong)?,
                block: Block::parse(&again.block).ok_or_else(wrong)?,
                seed: seed.unwrap_or_default(),
                periods_per_year: question.periods_per_year,
            };
            let count = outcome.winners.len().min(again.winners);
            let by = Figure::named(outcome.run.by).ok_or_else(wrong)?;
            Some(winners::winners((returns, simple), &outcome.winners[..count], by, &config, watch)?)
        }
        _ => None,
    };
    outcome.top.truncate(job.top);
    Ok(Screened { outcome, bootstrap })
}

fn config(arguments: &ScreenArguments) -> Config {
    let top = arguments.top.max(arguments.bootstrap_top.unwrap_or(0));
    let written = arguments.all.is_some();
    Config {
        by: arguments.by,
        top,
        filters: arguments.filters.clone(),
        shortlist_by: arguments.shortlist_by,
        shortlist: arguments.shortlist.max(top.saturating_mul(4)),
        halves: !arguments.no_halves,
        also: if written { vec![Metric::Volatility, Metric::Diversification] } else { Vec::new() },
        crosscheck: arguments.machine.crosscheck.unwrap_or(Sample::Default),
        chunk: None,
    }
}

/// What makes two screens the same, beside the seed.
fn job(arguments: &ScreenArguments, config: &Config, data: &Returns, periods_per_year: Option<f64>) -> Result<Job> {
    let (included, pools) = constraints::constraints(arguments, &data.assets)?;
    Ok(Job {
        study: files::STUDY.to_string(),
        data_sha256: equirisk::report::digest::history(data),
        covariance: arguments.covariance,
        assume_psd: arguments.assume_psd,
        log_returns: arguments.data.log_returns,
        size: arguments.size,
        included,
        pools,
        sample: arguments.sample,
        max_correlation: arguments.max_correlation,
        by: config.by.name().to_string(),
        top: arguments.top,
        filters: config.filters.iter().map(ToString::to_string).collect(),
        shortlist: config.shortlist,
        shortlist_by: config.shortlist_by.name().to_string(),
        halves: config.halves,
        bootstrap: arguments.bootstrap_top.map(|winners| Again {
            winners,
            resamples: arguments.resamples,
            scheme: arguments.resample.scheme.scheme().name().to_string(),
            block: arguments.resample.block.to_string(),
        }),
        estimator: (!arguments.covariance).then(|| arguments.data.estimator.estimator().name().to_string()),
        setup: machine::setup(&arguments.machine, arguments.tolerance),
        periods_per_year,
    })
}

/// Operations that a subset takes in the units of [`machine::choose`], by measurement: a GPU pays from a few seconds of
/// the CPU's work on.
fn work(problems: u64, size: usize) -> f64 {
    20.0 * machine::work(problems, 0, size)
}

fn notices(arguments: &ScreenArguments, question: &Question, problems: u64, config: &Config, quiet: bool) {
    if quiet {
        return;
    }
    let of_volatility = |figure: Figure| figure == Figure::Metric(Metric::Volatility);
    if question.periods_per_year.is_some() && arguments.filters.iter().any(|filter| of_volatility(filter.figure)) {
        output::notice("--where volatility is per period; volatility-annual is per year");
    }
    if let (Some(sample), Some(count)) = (arguments.sample, question.subsets.space().count())
        && sample > count
    {
        output::notice(&format!("there are only {}: all of them are screened", counted(count, "subset")));
    }
    if let Some(path) = &arguments.all {
        let columns = 2 + config.also.len();
        let bytes = metrics::bytes(problems, question.subsets.size(), columns);
        output::notice(&format!(
            "{} will hold {} rows, about {}",
            path.display(),
            grouped(problems),
            terminal::size(bytes)
        ));
    }
    let draws = problems as f64;
    let repeats = draws * draws / (2.0 * question.subsets.space().approximate_count());
    if question.subsets.space().count().is_none() && repeats > 1e-6 {
        output::notice(&format!("about {repeats:.1e} of the subsets drawn are expected to occur twice"));
    }
}

/// The screen itself, with every subset's metrics written on the way where that was asked for.
fn screened(
    all: Option<&Path>,
    force: bool,
    question: &Question,
    problems: u64,
    config: &Config,
    means: &mut Means,
) -> Result<Outcome> {
    let Some(path) = all else {
        return screen(question, problems, config, means, &mut |_, _, _| Ok(()));
    };
    let existing = if force { Existing::Replace } else { Existing::Refuse };
    let mut outcome = None;
    let written = atomic::write(path, existing, |file| {
        let mut file = Some(file);
        let mut writer = None;
        let result = screen(question, problems, config, means, &mut |_, metrics, measured| {
            let failed = |error: std::io::Error| Error::failed(format!("{}: {error}", path.display()));
            if let Some(file) = file.take() {
                writer = Some(MetricsWriter::new(file, question.subsets, metrics, question.assets).map_err(failed)?);
            }
            writer.as_mut().map_or(Ok(()), |writer| writer.push(measured)).map_err(failed)
        });
        let stopped = result.is_err();
        outcome = Some(result);
        match writer {
            Some(writer) if !stopped => writer.finish(),
            // Nothing incomplete stays behind.
            _ => Err(std::io::Error::other("the screen did not finish")),
        }
    });
    match outcome {
        Some(Err(error)) => Err(error),
        Some(outcome) => written.and(outcome),
        None => Err(written.err().unwrap_or_else(|| Error::failed("the screen did not run"))),
    }
}
