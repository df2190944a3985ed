//! The protocol of a study on the command line, once: look into the directory, lend its seed, choose the engine, plan,
//! begin, solve or part, show, exit code.

use std::path::Path;

use super::args::{EngineChoice, MachineArguments, OutputArguments, RunArguments};
use super::canonical::canonical;
use super::machine;
use super::output;
use super::progress::Progress;
use crate::engine::Engine;
use crate::observer::Observer;
use crate::report::{Shown, words};
use crate::runs::{Desk, Found, Order, without_notes};
use crate::store::directory::Terms;
use crate::store::origin::Origin;
use crate::study::protocol::{Ending, Study};
use crate::wording::counted;
use crate::{Error, ErrorKind, Result};

/// A study as it is asked for on the command line.
pub struct Asked<'a, S: Study> {
    pub spec: &'a S::Spec,
    pub data: &'a S::Data,
    /// Where the data came from; with digests of the files where there is a directory.
    pub origin: &'a dyn Fn(bool) -> Origin,
    pub seed: Seed,
    pub run: &'a RunArguments,
    pub machine: &'a MachineArguments,
    pub tolerance: Option<f64>,
    pub out: &'a OutputArguments,
    /// Operations, of which the choice of the engine depends.
    pub work: f64,
}

/// The seed of the draws.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    pub given: Option<u64>,
    /// Whether anything is drawn.
    pub needed: bool,
}

impl Seed {
    /// # Errors
    /// A part of a run whose seed is drawn by lot would belong to no other.
    pub fn check(self, part: bool) -> Result<()> {
        if part && self.needed && self.given.is_none() {
            return Err(Error::usage("a part of a run needs --seed: all parts draw alike")
                .hint("give every part the same --seed"));
        }
        Ok(())
    }
}

/// What a command adds to the protocol.
pub trait Steps<S: Study> {
    /// What a directory holds already is at odds with what is asked for beside the study.
    ///
    /// # Errors
    /// Says why.
    fn accepts(&self, found: &Found) -> Result<()> {
        let _ = found;
        Ok(())
    }

    /// Says what the run would take.
    ///
    /// # Errors
    /// What the data do not allow.
    fn dry_run(&self, seed: Option<u64>, engine: &dyn Engine) -> Result<u8>;

    /// Refuses what does not fit into memory, and says what a user should know before the work.
    ///
    /// # Errors
    /// There is too little memory.
    fn check(&self, seed: Option<u64>) -> Result<()>;

    /// The study, ready to be solved, with its seed; whatever it says goes to the observer.
    ///
    /// # Errors
    /// What the data do not allow.
    fn ready(&self, seed: Option<u64>, observer: &mut dyn Observer) -> Result<S>;

    /// Runs the whole of it. Commands that write something on the way do that here.
    ///
    /// # Errors
    /// As [`Study::whole`].
    fn whole(&self, study: S, context: &mut crate::run::Context) -> Result<(S, S::Outcome)> {
        let outcome = study.whole(context)?;
        Ok((study, outcome))
    }
}

/// Runs a study. Returns the exit code.
///
/// # Errors
/// Whatever goes wrong on the way.
pub fn drive<S: Study>(asked: &Asked<S>, steps: &dyn Steps<S>) -> Result<u8>
where
    S::Outcome: Shown,
{
    let Asked { run, out, seed, .. } = *asked;
    let part = run.part();
    seed.check(part.is_some())?;
    let order = Order::<S> {
        spec: asked.spec,
        seed: seed.given.filter(|_| seed.needed),
        part,
        directory: run.output.as_deref().filter(|_| !run.dry_run),
        terms: Terms {
            allow_mixed: run.allow_mixed,
            any_engine: asked.machine.engine == EngineChoice::Auto || run.allow_mixed,
            force: run.force,
        },
    };
    let found = order.look()?;
    steps.accepts(&found)?;
    let lent = match found {
        Found::Nothing => None,
        Found::Unfinished { seed } => seed,
        Found::Finished { .. } => return shown(found, run.output.as_deref(), part.is_some(), run.strict, out, S::NOUN),
    };
    let drawn = seed.needed.then(|| lent.unwrap_or_else(|| draw(order.seed)));
    let engine = machine::choose(asked.machine, asked.tolerance, false, asked.work, out.quiet)?;
    if run.dry_run {
        return steps.dry_run(drawn, &*engine);
    }
    steps.check(drawn)?;
    let mut progress = Progress::new(S::NOUN, out.quiet);
    // Files alone hold the command and digests.
    let kept = order.directory.is_some();
    let command = if kept { canonical(&std::env::args_os().collect::<Vec<_>>(), drawn) } else { String::new() };
    let origin = (words(), Origin { command, ..(asked.origin)(kept) });
    let mut desk = order.begin(drawn, asked.data, origin, engine, &mut progress)?;
    let ending = solved(asked, steps, &order, drawn, &mut desk, progress).map_err(|error| match error.kind {
        ErrorKind::Interrupted => interrupted(error, order.directory),
        _ => error,
    })?;
    ended(&ending, run.strict, S::NOUN)
}

/// The command, for `run.json`.
pub fn words() -> Vec<String> {
    std::env::args_os().map(|word| word.to_string_lossy().into_owned()).collect()
}

/// Solves and shows.
fn solved<S: Study>(
    asked: &Asked<S>,
    steps: &dyn Steps<S>,
    order: &Order<S>,
    drawn: Option<u64>,
    desk: &mut Desk,
    mut progress: Progress,
) -> Result<Ending>
where
    S::Outcome: Shown,
{
    let out = asked.out;
    let study = steps.ready(drawn, &mut progress)?;
    Ok(match order.part {
        None => {
            progress.total(study.work(&(0..study.problems()), false));
            let (study, outcome) = steps.whole(study, &mut desk.context(&mut progress))?;
            desk.note(progress.faults());
            let summary = desk.conclude(&study, &outcome, output::plain(), &mut progress)?;
            progress.finish();
            output::print(&if out.json { summary } else { outcome.table(output::view()) })?;
            if let Some(place) = &desk.place {
                output::wrote_run(&place.path, &place.manifest, out.quiet);
            }
            S::ending(&outcome)
        }
        Some(part) => {
            let range = part.range(study.problems(), S::PIECE)?;
            progress.total(study.work(&range, true));
            let share = study.part(part, &mut desk.context(&mut progress))?;
            desk.note(progress.faults());
            progress.finish();
            let (summary, table) = desk.hand_in::<S>(&share, output::plain())?;
            output::print(if out.json { &summary } else { &table })?;
            S::shared(&share)
        }
    })
}

/// What an interrupted run leaves.
pub fn interrupted(error: Error, directory: Option<&Path>) -> Error {
    match directory {
        Some(directory) => error.hint(format!(
            "what is finished is kept in `{}`: the same command goes on from there",
            directory.display()
        )),
        None => Error { message: format!("{}: nothing is kept", error.message.nested()).into(), ..error }
            .hint("studies with -o DIR can be resumed"),
    }
}

/// Shows a run that is there already, finished.
///
/// # Errors
/// As [`ended`].
pub fn shown(
    found: Found,
    path: Option<&Path>,
    part: bool,
    strict: bool,
    out: &OutputArguments,
    noun: &str,
) -> Result<u8> {
    let Found::Finished { summary, table, solves, disagreements } = found else { return Ok(0) };
    if let Some(path) = path.filter(|_| !out.quiet) {
        output::notice(&format!("`{}` holds this run already, finished: here is its summary", path.display()));
    }
    output::print(if out.json { &summary } else { without_notes(&table) })?;
    ended(&Ending { solves, disagreements, part }, strict, noun)
}

/// The seed given, or a random one of 53 bits, which every reader of JSON keeps exact.
pub fn draw(given: Option<u64>) -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _};
    given.unwrap_or_else(|| std::hash::RandomState::new().build_hasher().finish() >> 11)
}

/// The exit code of a finished study.
///
/// # Errors
/// Disagreements; nothing solved at all; with `strict`, something that stayed unsolved
/// although weights may be within its limits.
pub fn ended(ending: &Ending, strict: bool, noun: &str) -> Result<u8> {
    let Ending { solves, disagreements, part } = *ending;
    if disagreements > 0 {
        let message = format!(
            "the GPU and the CPU disagree on {}: see `crosscheck`",
            counted(disagreements, "cross-checked problem")
        );
        return Err(Error::new(ErrorKind::Disagreement, message)
            .hint("run `equirisk devices`; use --engine cpu until the driver is mended"));
    }
    if solves.total > 0 && solves.converged == 0 && !part {
        let message = words::nothing(solves.total, noun);
        return Err(Error::new(ErrorKind::Unsolved, message).hint(words::remedy(&solves)));
    }
    let unsolved = solves.failed();
    if strict && unsolved > 0 {
        let message = format!("{} stayed unsolved", counted(unsolved, noun));
        return Err(Error::new(ErrorKind::Unsolved, message).hint("leave --strict out to accept that"));
    }
    Ok(0)
}
