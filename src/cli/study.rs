//! What the studies share: a directory that may hold them already, an engine, and how they end.

use std::path::Path;
use std::process::ExitCode;

use equirisk::engine::{Absent, Fault};
use equirisk::panel::Returns;
use equirisk::report::directory::{self, Asked, Found, Place, SHARD, SUMMARY, TABLE, Terms};
use equirisk::report::maker::Maker;
use equirisk::report::manifest::Manifest;
use equirisk::report::terminal::{self, counted, grouped};
use equirisk::report::words;
use equirisk::run::checkpoint::Checkpoint;
use equirisk::run::shard::Shard;
use equirisk::run::{Means, Solves, Watch};
use equirisk::{Error, ErrorKind, Result};
use serde::Serialize;
use serde_json::Value;

use super::args::{EngineChoice, OutputArguments, RunArguments};
use super::machine::Machine;
use super::{interrupt, output};

/// How a study ended, also when its results were there already.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    pub solves: Solves,
    pub disagreements: u64,
    /// A part of a run: whether anything is solved at all is for the whole to say.
    pub part: bool,
}

impl Ending {
    /// Of these solves, of whose cross-check so many problems disagree.
    pub fn of(solves: &Solves, disagreements: Option<u64>) -> Ending {
        Ending { solves: *solves, disagreements: disagreements.unwrap_or(0), part: false }
    }

    /// Of one shard of several.
    pub fn of_part(solves: &Solves, disagreements: Option<u64>) -> Ending {
        Ending { part: true, ..Ending::of(solves, disagreements) }
    }
}

/// What a directory says before the work.
pub enum Start {
    /// The run is there, finished, and has been shown.
    Shown(Ending),
    /// With the seed of an interrupted run.
    Go { lent: Option<u64> },
}

/// Looks into the directory asked for, if any.
pub fn examine(run: &RunArguments, asked: &Asked) -> Result<Found> {
    match run.output.as_ref().filter(|_| !run.dry_run) {
        Some(path) => directory::examine(path, asked),
        None => Ok(Found::Nothing),
    }
}

/// What follows from what a directory holds. A finished run is shown.
pub fn start(found: Found, path: Option<&Path>, part: bool, out: &OutputArguments) -> Result<Start> {
    match found {
        Found::Nothing => Ok(Start::Go { lent: None }),
        Found::Unfinished { seed } => Ok(Start::Go { lent: seed }),
        Found::Finished { summary, table, solves, disagreements } => {
            if let Some(path) = path.filter(|_| !out.quiet) {
                let path = path.display();
                output::notice(&format!("`{path}` holds this run already, finished: here is its summary"));
            }
            output::print(if out.json { &summary } else { &table })?;
            Ok(Start::Shown(Ending { solves, disagreements, part }))
        }
    }
}

/// A shard of a run whose seed is drawn by lot would belong to no other.
pub fn seeded(run: &RunArguments, needed: bool, given: Option<u64>) -> Result<()> {
    if run.shard.is_some() && needed && given.is_none() {
        return Err(Error::usage("--shard needs --seed: all shards of a run draw alike")
            .hint("give every shard the same --seed"));
    }
    Ok(())
}

/// What makes this run: for `run.json`.
pub struct Origin<'a> {
    pub job: &'a Value,
    pub seed: Option<u64>,
    pub shard: Option<Shard>,
    /// Describes the data, files and digests: asked only where there is a directory.
    pub input: &'a dyn Fn() -> Value,
}

impl Origin<'_> {
    fn manifest(&self, maker: Maker) -> Result<Manifest> {
        let manifest = Manifest::new(self.job, self.seed, self.shard, maker)?;
        Ok(Manifest { command: std::env::args().collect(), input: (self.input)(), ..manifest })
    }
}

/// A machine, and a directory where there is one.
pub struct Desk {
    pub machine: Machine,
    pub place: Option<Place>,
    nowhere: Checkpoint,
}

impl Desk {
    pub fn means<'a>(&'a mut self, watch: &'a mut dyn Watch) -> Means<'a> {
        Means {
            engine: &*self.machine.engine,
            options: self.machine.options,
            checkpoint: self.place.as_mut().map_or(&mut self.nowhere, |place| &mut place.checkpoint),
            watch,
        }
    }

    /// For `run.json`.
    pub fn note(&mut self, faults: Vec<Fault>) {
        if let Some(place) = &mut self.place {
            place.manifest.faults.extend(faults);
        }
    }
}

/// Takes the directory asked for. Where its run was begun on a device that is gone, the machine's engine becomes what
/// is left of it.
pub fn begin(
    run: &RunArguments,
    chosen: EngineChoice,
    origin: &Origin,
    data: &Returns,
    mut machine: Machine,
    watch: &mut dyn Watch,
) -> Result<Desk> {
    let mut place = None;
    if let Some(path) = &run.output {
        let any_engine = chosen == EngineChoice::Auto || run.allow_mixed;
        let terms = Terms { allow_mixed: run.allow_mixed, any_engine, force: run.force };
        let manifest = origin.manifest(Maker::of(&machine.engine.info()))?;
        let begun = Place::begin(path, manifest, data, terms, watch)?;
        if begun.orphaned {
            machine.engine = Box::new(Absent(begun.manifest.maker.info()));
        }
        interrupt::keeps(begun.checkpoint.handle(), path.clone());
        place = Some(begun);
    }
    Ok(Desk { machine, place, nowhere: Checkpoint::none() })
}

/// Writes and prints what one machine of several found.
pub fn hand_in(
    desk: &mut Desk,
    found: &impl Serialize,
    solves: &Solves,
    (range, noun): ([u64; 2], &str),
    state: Value,
    out: &OutputArguments,
) -> Result<()> {
    let summary = output::json(found)?;
    let mut table = String::new();
    if let Some(place) = &mut desk.place {
        let shard = place.manifest.shard.unwrap_or(Shard::WHOLE);
        table = format!(
            "shard {shard}: {} from {} on, {}\nnext: equirisk merge {} .. -o DIR, once all {} are there\n",
            counted(range[1] - range[0], noun),
            grouped(range[0]),
            terminal::solves(solves),
            place.path.display(),
            counted(shard.of, "shard"),
        );
        let texts = [(SUMMARY, summary.clone()), (TABLE, table.clone())];
        place.finish(&SHARD, &texts, state)?;
        interrupt::done();
    }
    output::print(if out.json { &summary } else { &table })
}

/// Tells the user which draws these were.
pub fn tell_seed(watch: &mut dyn Watch, seed: u64) {
    watch.notice(&format!("seed {seed}: pass --seed {seed} for the same draws").into());
}

/// The exit code of a finished study.
pub fn ended(ending: Ending, strict: bool, noun: &str) -> Result<ExitCode> {
    agreed(ending.disagreements)?;
    let Ending { solves, part, .. } = ending;
    if solves.total > 0 && solves.converged == 0 && !part {
        let message = words::nothing(solves.total, noun);
        return Err(Error::new(ErrorKind::Unsolved, message).hint(words::remedy(&solves)));
    }
    let unsolved = solves.unsolved();
    if strict && unsolved > 0 {
        let message = format!("{} stayed unsolved", counted(unsolved, noun));
        return Err(Error::new(ErrorKind::Unsolved, message).hint("leave --strict out to accept that"));
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// A cross-check that found disagreements.
pub fn agreed(disagreements: u64) -> Result<()> {
    if disagreements == 0 {
        return Ok(());
    }
    let message = format!(
        "the GPU and the CPU disagree on {}: see `crosscheck`",
        counted(disagreements, "cross-checked problem")
    );
    Err(Error::new(ErrorKind::Disagreement, message)
        .hint("run `equirisk devices`; use --engine cpu until the driver is mended"))
}
