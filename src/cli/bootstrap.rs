//! `equirisk bootstrap`: how far the weights can be trusted.

use std::hash::{BuildHasher as _, Hasher as _};
use std::process::ExitCode;
use std::time::Instant;

use equirisk::report::bootstrap as files;
use equirisk::report::directory::{self, Found, Manifest};
use equirisk::report::terminal::{self, grouped};
use equirisk::resample::Scheme;
use equirisk::run::Watch as _;
use equirisk::run::crosscheck::Sample;
use equirisk::study::block::Block;
use equirisk::study::bootstrap::{Config, bootstrap};
use equirisk::{Error, ErrorKind, Result};

use super::args::BootstrapArguments;
use super::progress::Progress;
use super::{data, machine, memory, output};

pub fn run(arguments: &BootstrapArguments) -> Result<ExitCode> {
    let started = Instant::now();
    let quiet = arguments.out.quiet;
    let input = data::input(&arguments.data, quiet);
    let (returns, _) = data::returns(&arguments.data, &input, arguments.machine.memory, quiet)?;
    let budgets = data::budgets(&arguments.problem, &returns.assets, quiet)?;
    memory::resamples(arguments.resamples, returns.assets.len(), arguments.machine.memory)?;
    let periods_per_year = data::periods_per_year(&arguments.data, &returns);
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
    let asked = (arguments.machine.engine.name(), arguments.machine.precision.map(|choice| choice.precision().name()));
    let job = files::Job::of(&returns, &budgets, &config, asked, arguments.problem.tolerance);
    config.seed = seed(arguments.resample.seed);
    let (command, input) = (std::env::args().collect(), input.to_string());
    let manifest = Manifest::new(&job, arguments.resample.seed, &files::RESULTS, command, input)?;
    if let Some(path) = &arguments.output {
        match directory::examine(path, &manifest, arguments.force)? {
            Found::Finished { summary, table, unsolved, disagreements } => {
                if !quiet {
                    output::notice(&format!(
                        "`{}` holds this run already, finished: here is its summary",
                        path.display()
                    ));
                }
                output::print(if arguments.out.json { &summary } else { &table })?;
                return ended(arguments, unsolved, disagreements);
            }
            Found::Unfinished { seed } => config.seed = seed.unwrap_or(config.seed),
            Found::Nothing => {}
        }
    }

    let work = machine::work(arguments.resamples, returns.rows(), returns.assets.len());
    let machine = machine::choose(&arguments.machine, arguments.problem.tolerance, false, work, quiet)?;
    if let Some(path) = &arguments.output {
        directory::begin(path, &manifest, Some(config.seed))?;
    }
    let tenth =
        if config.sensitivity && config.scheme != Scheme::Iid { 2 * arguments.resamples.div_ceil(10) } else { 0 };
    let mut progress = Progress::new(arguments.resamples + tenth, "resamples", quiet);
    let outcome = bootstrap(&returns, &budgets, &config, &*machine.engine, machine.options, &mut progress)?;
    if arguments.resample.seed.is_none() {
        progress.notice(&format!("seed {}: pass --seed {} for the same draws", config.seed, config.seed));
    }
    progress.finish();

    let summary = output::json(&outcome)?;
    let table = terminal::bootstrap(&outcome);
    if let Some(path) = &arguments.output {
        files::finish(path, &outcome, &summary, &table, &manifest, started.elapsed().as_secs_f64())?;
    }
    output::print(if arguments.out.json { &summary } else { &table })?;
    ended(arguments, outcome.solves.unsolved(), outcome.crosscheck.map_or(0, |checked| checked.disagreements))
}

/// The exit code of a finished study, also when its results were there already.
fn ended(arguments: &BootstrapArguments, unsolved: u64, disagreements: u64) -> Result<ExitCode> {
    agreed(disagreements)?;
    if arguments.strict && unsolved > 0 {
        let message = format!("{} of {} resamples stayed unsolved", grouped(unsolved), grouped(arguments.resamples));
        return Err(Error::new(ErrorKind::Unsolved, message).hint("leave --strict out to accept that"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The seed given, or a random one of 53 bits, which every reader of JSON keeps exact.
pub fn seed(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish() >> 11)
}

/// # Errors
/// A cross-check that found disagreements.
pub fn agreed(disagreements: u64) -> Result<()> {
    if disagreements == 0 {
        return Ok(());
    }
    let message = format!(
        "the GPU and the CPU disagree on {}: see `crosscheck`",
        terminal::counted(disagreements, "cross-checked problem")
    );
    Err(Error::new(ErrorKind::Disagreement, message)
        .hint("run `equirisk devices`; use --engine cpu until the driver is mended"))
}
