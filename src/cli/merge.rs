//! `equirisk merge`: the shards of a run, joined.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use equirisk::engine::Absent;
use equirisk::panel::Returns;
use equirisk::report::directory::{self, Asked, CHUNKS, Place};
use equirisk::report::history;
use equirisk::report::manifest::Manifest;
use equirisk::report::{bootstrap as bootstraps, screen as screens};
use equirisk::run::checkpoint::Checkpoint;
use equirisk::run::{Means, Unwatched};
use equirisk::solver::Options;
use equirisk::study::bootstrap::bootstrap;
use equirisk::{Error, Result};

use super::args::MergeArguments;
use super::progress::Progress;
use super::study::{self, Ending, Start};
use super::{bootstrap as bootstrapping, machine, memory, screen as screening};

pub fn run(arguments: &MergeArguments) -> Result<ExitCode> {
    machine::threads(arguments.threads)?;
    let shards = Shards::read(&arguments.shards, arguments.allow_mixed)?;
    let manifest = shards.manifest();
    let results: &[&str] =
        if manifest.job["study"] == screens::STUDY { &screens::RESULTS } else { &bootstraps::RESULTS };
    let asked = Asked { job: &manifest.job, seed: manifest.seed, shard: None, results, force: arguments.force };
    let found = directory::examine(&arguments.output, &asked)?;
    if let Start::Shown(ending) = study::start(found, Some(&arguments.output), false, &arguments.out)? {
        return study::ended(ending, arguments.strict, "problem");
    }
    let (ending, noun) = match manifest.job["study"].as_str() {
        Some(bootstraps::STUDY) => (bootstrapped(arguments, shards)?, bootstrapping::NOUN),
        Some(screens::STUDY) => (screened(arguments, shards)?, screening::NOUN),
        _ => return Err(unknown(&shards.paths[0])),
    };
    study::ended(ending, arguments.strict, noun)
}

fn unknown(path: &Path) -> Error {
    Error::input(format!("`{}` holds a run that cannot be joined", path.display())).hint("run its shards again")
}

fn bootstrapped(arguments: &MergeArguments, shards: Shards) -> Result<Ending> {
    let wrong = || unknown(&shards.paths[0]);
    let manifest = shards.manifest();
    let job: bootstraps::Job = serde_json::from_value(manifest.job.clone()).map_err(|_| wrong())?;
    let config = manifest.seed.and_then(|seed| job.config(seed)).ok_or_else(wrong)?;
    let returns = shards.data(&job.returns_sha256)?;
    if job.budgets.len() != returns.assets.len() {
        return Err(wrong());
    }
    memory::check_resamples(config.resamples, returns.rows(), returns.assets.len(), arguments.memory)?;
    let (mut place, engine, options) = shards.join(&arguments.output, &returns, job.setup.tolerance)?;
    let mut progress = Progress::new(config.resamples, "resamples", arguments.out.quiet);
    let (outcome, solutions) = {
        let checkpoint = &mut place.checkpoint;
        let mut means = Means { engine: &engine, options, checkpoint, watch: &mut progress };
        bootstrap(&returns, &job.budgets, &config, &mut means, &mut Unwatched)?
    };
    progress.finish();
    bootstrapping::conclude(&outcome, &solutions, Some(&mut place), &arguments.out)
}

fn screened(arguments: &MergeArguments, shards: Shards) -> Result<Ending> {
    let wrong = || unknown(&shards.paths[0]);
    let manifest = shards.manifest();
    let job: screens::Job = serde_json::from_value(manifest.job.clone()).map_err(|_| wrong())?;
    let seed = manifest.seed;
    let data = shards.data(&job.data_sha256)?;
    let (mut place, engine, options) = shards.join(&arguments.output, &data, job.setup.tolerance)?;
    let found = screening::joined(&job, seed, data, (&engine, options), &mut place, arguments.out.quiet)?;
    screening::conclude(&found, Some(&mut place), &arguments.out)
}

/// The shards of one run, all of them and whole.
struct Shards {
    /// In the order of the shards.
    paths: Vec<PathBuf>,
    manifests: Vec<Manifest>,
}

impl Shards {
    /// # Errors
    /// What is no shard, or of another run; shards that are missing, given twice, unfinished or damaged, by number.
    fn read(paths: &[PathBuf], allow_mixed: bool) -> Result<Shards> {
        let mut found: Vec<(PathBuf, Manifest)> = Vec::new();
        for path in paths {
            let shown = path.display();
            let manifest = Manifest::read(path)?.ok_or_else(|| {
                Error::usage(format!("`{shown}` holds no run"))
                    .hint("name the directories that --shard I/N -o DIR made")
            })?;
            if manifest.shard.is_none_or(|shard| shard.index >= shard.of) {
                return Err(Error::usage(format!("`{shown}` holds a whole run, not a shard"))
                    .hint("name the directories that --shard I/N -o DIR made"));
            }
            found.push((path.clone(), manifest));
        }
        found.sort_by_key(|(_, manifest)| manifest.shard.map(|shard| shard.index));
        let (first, manifest) = &found[0];
        for (path, other) in &found[1..] {
            let differs = |what: &str| {
                Error::usage(format!(
                    "`{}` and `{}` are shards of different runs: {what}",
                    first.display(),
                    path.display()
                ))
                .hint("name shards of one run")
            };
            if other.job != manifest.job {
                return Err(differs(&difference(&manifest.job, &other.job)));
            }
            if other.seed != manifest.seed {
                return Err(differs("their seeds differ"));
            }
            if other.shard.map(|shard| shard.of) != manifest.shard.map(|shard| shard.of) {
                return Err(differs("they are not of equally many shards"));
            }
            if let Some(difference) = manifest.maker.differs(&other.maker).filter(|_| !allow_mixed) {
                let difference = difference.replace(" there, ", " and ").replace(" here", "");
                return Err(Error::usage(format!(
                    "`{}` and `{}` were made differently: {difference}",
                    first.display(),
                    path.display()
                ))
                .hint("run one of them again, or pass --allow-mixed to join them all the same"));
            }
        }
        let of = manifest.shard.map_or(1, |shard| shard.of);
        let mut bad = Vec::new();
        for (path, manifest) in &found {
            let index = manifest.shard.map_or(0, |shard| shard.index);
            let twice = found.iter().filter(|(_, other)| other.shard == manifest.shard).count() > 1;
            if twice {
                return Err(Error::usage(format!("shard {index}/{of} is given twice, once as `{}`", path.display()))
                    .hint("name each shard once"));
            }
            if !manifest.finished {
                bad.push((index, "is not finished"));
            } else if !manifest.damaged(path).is_empty() {
                bad.push((index, "is damaged"));
            }
        }
        // A file may claim to be one of very many.
        let held: Vec<u64> = found.iter().filter_map(|(_, manifest)| Some(manifest.shard?.index)).collect();
        let missing = of - held.len() as u64;
        bad.extend((0..of).filter(|index| !held.contains(index)).take(MOST_LISTED).map(|index| (index, "is missing")));
        bad.sort_unstable();
        if !bad.is_empty() {
            let listed: Vec<String> =
                bad.iter().take(MOST_LISTED).map(|(index, what)| format!("--shard {index}/{of} {what}")).collect();
            let more = if missing as usize > MOST_LISTED { ", and more" } else { "" };
            return Err(Error::usage(format!("the run is not complete: {}{more}", listed.join(", ")))
                .hint("run these shards again with the same command, then merge"));
        }
        let (paths, manifests) = found.into_iter().unzip();
        Ok(Shards { paths, manifests })
    }

    fn manifest(&self) -> &Manifest {
        &self.manifests[0]
    }

    /// The data they were made of.
    fn data(&self, sha256: &str) -> Result<Returns> {
        history::read_known(&self.paths[0].join(history::NAME), sha256)
    }

    /// All their chunks, in a directory for the whole.
    fn join(&self, output: &Path, data: &Returns, tolerance: Option<f64>) -> Result<(Place, Absent, Options)> {
        let mut all = Checkpoint::none();
        for path in &self.paths {
            all.join(Checkpoint::open(&path.join(CHUNKS), false)?.0);
        }
        let first = self.manifest();
        let manifest = Manifest {
            command: std::env::args().collect(),
            input: first.input.clone(),
            ..Manifest::new(&first.job, first.seed, None, first.maker.clone())?
        };
        let place = Place::join(output, manifest, data, all.whole())?;
        let options = Options { tolerance: tolerance.unwrap_or(Options::default().tolerance), ..Options::default() };
        Ok((place, Absent(first.maker.info.clone()), options))
    }
}

/// Shards named in a message at most.
const MOST_LISTED: usize = 50;

/// The first entry in which two jobs differ.
fn difference(a: &serde_json::Value, b: &serde_json::Value) -> String {
    let names = a.as_object().into_iter().chain(b.as_object()).flat_map(serde_json::Map::keys);
    names
        .map(String::as_str)
        .find(|name| a[*name] != b[*name])
        .map_or_else(|| "their jobs differ".to_string(), |name| format!("their `{name}` differs"))
}
