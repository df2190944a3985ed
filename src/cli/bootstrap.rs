//! `equirisk bootstrap`: how far the weights can be trusted.

use std::hash::{BuildHasher as _, Hasher as _};
use std::process::ExitCode;

use equirisk::report::bootstrap as files;
use equirisk::report::directory::{Asked, Place, SHARD, SUMMARY, TABLE};
use equirisk::report::terminal::{self, View};
use equirisk::resample::Scheme;
use equirisk::run::Unwatched;
use equirisk::run::crosscheck::Sample;
use equirisk::run::shard::Shard;
use equirisk::study::block::Block;
use equirisk::study::bootstrap::{Config, Outcome, bootstrap, part};
use equirisk::study::statistics::blocks::Blocks;
use equirisk::{Error, Result};

use super::args::{BootstrapArguments, OutputArguments};
use super::progress::Progress;
use super::study::{self, Ending, Origin, Start};
use super::{data, interrupt, machine, memory, output, plan};

/// What is counted.
pub const NOUN: &str = "resample";

pub fn run(arguments: &BootstrapArguments) -> Result<ExitCode> {
    let quiet = arguments.out.quiet;
    let given = arguments.resample.seed;
    study::seeded(&arguments.run, true, given)?;
    let input = data::input(&arguments.data, quiet);
    let (returns, detected) = data::returns(&arguments.data, &input, arguments.machine.memory, quiet)?;
    let budgets = data::budgets(&arguments.problem, &returns.assets, quiet)?;
    let own = arguments.run.shard.unwrap_or(Shard::WHOLE).range(arguments.resamples, 1);
    let held = if arguments.run.shard.is_some() { own.end - own.start } else { arguments.resamples };
    let periods_per_year = data::periods_per_year(&arguments.data, &returns, quiet);
    let mut config = Config {
        resamples: arguments.resamples,
        scheme: arguments.resample.scheme.scheme(),
        block: arguments.resample.block,
        seed: 0,
        crosscheck: arguments.machine.crosscheck.unwrap_or(Sample::Default),
        sensitivity: !arguments.no_sensitivity,
        periods_per_year,
    };
    if config.scheme == Scheme::Iid && config.block != Block::Auto && !quiet {
        output::notice("--scheme iid draws single rows: --block is not used");
    }
    let chosen = arguments.machine.engine;
    let setup = machine::setup(&arguments.machine, arguments.problem.tolerance);
    let estimator = arguments.data.estimator.estimator();
    let job = files::Job::of(&returns, &budgets, &config, estimator, setup);
    let job = serde_json::to_value(&job).map_err(|error| Error::failed(error.to_string()))?;
    let results: &[&str] = if arguments.run.shard.is_some() { &SHARD } else { &files::RESULTS };
    let (shard, force) = (arguments.run.shard, arguments.run.force);
    let asked = Asked { job: &job, seed: given, shard, results, force };
    let found = study::examine(&arguments.run, &asked)?;
    let lent = match study::start(found, arguments.run.output.as_deref(), shard.is_some(), &arguments.out)? {
        Start::Shown(ending) => return study::ended(ending, arguments.run.strict, NOUN),
        Start::Go { lent } => lent,
    };
    config.seed = lent.unwrap_or_else(|| seed(given));

    let work = machine::work(arguments.resamples, returns.rows(), returns.assets.len());
    let machine = machine::choose(&arguments.machine, arguments.problem.tolerance, false, work, quiet)?;
    if arguments.run.dry_run {
        return plan::bootstrap(arguments, &returns, &budgets, &config, own, &machine, &detected);
    }
    memory::check_resamples(held, returns.rows(), returns.assets.len(), arguments.machine.memory)?;
    let tenth =
        |problems: u64| if config.sensitivity && config.scheme != Scheme::Iid { 2 * problems.div_ceil(10) } else { 0 };
    let mut progress = Progress::new(held + tenth(held), "resamples", quiet);
    let origin =
        Origin { job: &job, seed: Some(config.seed), shard, input: &|| data::origin(&input, &detected, &returns) };
    let mut desk = study::begin(&arguments.run, chosen, &origin, &returns, machine, &mut progress)?;
    let ending = match shard {
        None => {
            let (outcome, solutions) =
                bootstrap(&returns, &budgets, &config, &mut desk.means(&mut progress), &mut Unwatched)?;
            if given.is_none() {
                study::tell_seed(&mut progress, config.seed);
            }
            desk.note(progress.finish());
            conclude(&outcome, &solutions, desk.place.as_mut(), &arguments.out)?
        }
        Some(shard) => {
            let found = part(&returns, &budgets, &config, shard, &mut desk.means(&mut progress), &mut Unwatched)?;
            desk.note(progress.finish());
            let state = serde_json::json!({
                "run": found.run, "range": found.range, "solves": found.solves, "crosscheck": found.crosscheck,
            });
            study::hand_in(&mut desk, &found, &found.solves, (found.range, NOUN), state, &arguments.out)?;
            Ending::of_part(&found.solves, found.crosscheck.map(|checked| checked.disagreements))
        }
    };
    study::ended(ending, arguments.run.strict, NOUN)
}

/// Writes and prints what a study found.
pub fn conclude(
    outcome: &Outcome,
    solutions: &dyn Blocks,
    place: Option<&mut Place>,
    out: &OutputArguments,
) -> Result<Ending> {
    let summary = output::json(outcome)?;
    if let Some(place) = place {
        let table = terminal::bootstrap(outcome, View::PLAIN);
        let mut texts = files::write(&place.path, outcome, solutions, &mut Unwatched)?;
        texts.extend([(SUMMARY, summary.clone()), (TABLE, table)]);
        place.finish(&files::RESULTS, &texts, files::state(outcome))?;
        interrupt::done();
    }
    output::print(&if out.json { summary } else { terminal::bootstrap(outcome, output::view()) })?;
    Ok(Ending::of(&outcome.solves, outcome.crosscheck.map(|checked| checked.disagreements)))
}

/// The seed given, or a random one of 53 bits, which every reader of JSON keeps exact.
pub fn seed(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish() >> 11)
}
