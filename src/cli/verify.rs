//! `equirisk verify`: is a finished run what it says it is?

use std::process::ExitCode;

use equirisk::report::manifest::Manifest;
use equirisk::report::terminal::counted;
use equirisk::report::weights::read_weights;
use equirisk::report::{bootstrap as bootstraps, history, screen as screens};
use equirisk::run::crosscheck::{CrossCheck, Sample};
use equirisk::solver::Options;
use equirisk::study::bootstrap;
use equirisk::{Error, ErrorKind, Result};
use serde::Serialize;

use super::args::VerifyArguments;
use super::{machine, output, screen as screening};

/// What was found.
#[derive(Debug, Serialize)]
struct Verified {
    directory: String,
    study: String,
    /// Files that are what `run.json` says.
    files: usize,
    /// Problems solved again on the CPU.
    crosscheck: CrossCheck,
}

pub fn run(arguments: &VerifyArguments) -> Result<ExitCode> {
    machine::threads(arguments.threads)?;
    let directory = &arguments.directory;
    let shown = directory.display();
    let manifest = Manifest::read(directory)?.ok_or_else(|| {
        Error::usage(format!("`{shown}` holds no run")).hint("name a directory that a study with -o DIR has made")
    })?;
    if !manifest.finished {
        return Err(Error::usage(format!("the run in `{shown}` is not finished"))
            .hint("the command that began it goes on with it: see `command` in run.json"));
    }
    if let Some(shard) = manifest.shard {
        return Err(Error::usage(format!("`{shown}` holds {shard}")).hint("merge the shards, then verify the whole"));
    }
    let damaged = manifest.damaged(directory);
    if !damaged.is_empty() {
        return Err(Error::failed(format!("in `{shown}` these are not what they were: {}", damaged.join(", ")))
            .hint("run the job again with --force"));
    }
    let sample = arguments.crosscheck.unwrap_or(Sample::Default);
    let (study, crosscheck) = match manifest.job["study"].as_str() {
        Some(bootstraps::STUDY) => (bootstraps::STUDY, bootstrapped(arguments, &manifest, sample)?),
        Some(screens::STUDY) => (screens::STUDY, screened(arguments, &manifest)?),
        _ => return Err(unknown(arguments)),
    };
    let files = manifest.outputs_sha256.len();
    let found = Verified { directory: shown.to_string(), study: study.to_string(), files, crosscheck };
    let text = if arguments.out.json {
        output::json(&found)?
    } else {
        let largest =
            |x: Option<f64>| x.map_or("-".to_string(), |x| if x == 0.0 { "0".to_string() } else { format!("{x:.1e}") });
        format!(
            "{study} in {shown}: {} as run.json says; {} solved again, weights differ by at most {}, rc_error at most {}\n",
            counted(files as u64, "file"),
            counted(crosscheck.sampled, "problem"),
            largest(crosscheck.max_weight_difference),
            largest(crosscheck.max_rc_error),
        )
    };
    output::print(&text)?;
    if crosscheck.disagreements > 0 {
        let message = format!("{} differ from what the CPU finds", counted(crosscheck.disagreements, "problem"));
        return Err(Error::new(ErrorKind::Disagreement, message).hint("run the job again with --engine cpu --force"));
    }
    Ok(ExitCode::SUCCESS)
}

fn unknown(arguments: &VerifyArguments) -> Error {
    Error::input(format!("`{}` holds a run that this version cannot verify", arguments.directory.display()))
        .hint("verify it with the version that made it")
}

/// Resamples, drawn and solved again from the data on.
fn bootstrapped(arguments: &VerifyArguments, manifest: &Manifest, sample: Sample) -> Result<CrossCheck> {
    let wrong = || unknown(arguments);
    let directory = &arguments.directory;
    let job: bootstraps::Job = serde_json::from_value(manifest.job.clone()).map_err(|_| wrong())?;
    let config = manifest.seed.and_then(|seed| job.config(seed)).ok_or_else(wrong)?;
    let config = bootstrap::Config { crosscheck: sample, ..config };
    let returns = history::read_known(&directory.join(history::NAME), &job.returns_sha256)?;
    if job.budgets.len() != returns.assets.len() {
        return Err(wrong());
    }
    let solutions = read_weights(&directory.join(bootstraps::WEIGHTS), returns.assets.len(), config.resamples)?;
    let options = Options { tolerance: manifest.maker.info.tolerance, ..Options::default() };
    bootstrap::verify(&returns, &job.budgets, &config, options, manifest.maker.info.precision, solutions)
}

/// The subsets of the list, solved again by themselves.
fn screened(arguments: &VerifyArguments, manifest: &Manifest) -> Result<CrossCheck> {
    let wrong = || unknown(arguments);
    let directory = &arguments.directory;
    let job: screens::Job = serde_json::from_value(manifest.job.clone()).map_err(|_| wrong())?;
    let data = history::read_known(&directory.join(history::NAME), &job.data_sha256)?;
    screening::verified(&job, manifest.seed, data, &screens::read_top(directory)?)
}
