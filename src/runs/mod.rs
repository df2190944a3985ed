//! Runs in directories: begun, gone on with, finished, joined and verified, for every study alike.

mod compare;
mod merge;
mod verify;

use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::batch::part::Part;
use crate::engine::{Absent, Engine, Fault};
use crate::error::{Error, Result, option};
use crate::observer::Observer;
use crate::report::Shown;
use crate::report::terminal::View;
use crate::run::Context;
use crate::store::directory::{self, Asked, Place, SHARD, SUMMARY, TABLE, Terms};
use crate::store::maker::Maker;
use crate::store::manifest::Manifest;
use crate::store::origin::Origin;
use crate::store::{Checkpoint, IN_MEMORY};
use crate::study::backtest::Backtest;
use crate::study::bootstrap::Bootstrap;
use crate::study::given::Given;
use crate::study::protocol::Study;
use crate::study::screen::Screen;
use crate::wording::{counted, grouped};
pub use compare::{Asset, Compare, Compared, Field, compare};
pub use directory::Found;
pub use merge::{Joined, Shards};
pub use verify::{Verified, verify};

/// A run that is asked for.
#[derive(Debug)]
pub struct Order<'a, S: Study> {
    pub spec: &'a S::Spec,
    /// None asks for any.
    pub seed: Option<u64>,
    pub part: Option<Part>,
    /// None keeps nothing.
    pub directory: Option<&'a Path>,
    pub terms: Terms,
}

impl<S: Study> Order<'_, S> {
    fn job(&self) -> Result<Value> {
        serde_json::to_value(self.spec).map_err(|error| Error::failed(error.to_string()))
    }

    /// Looks into the directory before the work.
    ///
    /// # Errors
    /// It holds another run, or results that no manifest vouches for.
    pub fn look(&self) -> Result<Found> {
        let Some(path) = self.directory else { return Ok(Found::Nothing) };
        let results = results::<S>(self.part, S::FURTHER);
        let (job, force) = (self.job()?, self.terms.force);
        directory::examine(path, &Asked { job: &job, seed: self.seed, shard: self.part, results: &results, force })
    }

    /// Takes the directory. `seed` is that of the draws; `origin` says where the data came from. Where the run was begun on
    /// a device that is gone, what is left of it takes the engine's place.
    ///
    /// # Errors
    /// The directory cannot be written to, another program is at work in it, or its chunks were made otherwise.
    pub fn begin(
        &self,
        seed: Option<u64>,
        data: &S::Data,
        (command, origin): (Vec<String>, Origin),
        mut engine: Box<dyn Engine>,
        observer: &mut dyn Observer,
    ) -> Result<Desk> {
        let mut place = None;
        if let Some(path) = self.directory {
            let manifest = Manifest::new(&self.job()?, seed, self.part, Maker::of(engine.info()))?;
            let manifest = Manifest { command, input: origin.clone(), ..manifest };
            let begun = Place::begin(path, manifest, &|path| S::keep(data, path), self.terms, observer)?;
            if begun.orphaned {
                engine = Box::new(Absent(begun.manifest.maker.info.clone(), engine.reserve().options));
            }
            place = Some(begun);
        }
        Ok(Desk { engine, place, origin, aside: Checkpoint::aside(IN_MEMORY) })
    }
}

/// The files of a finished run, or of a part of one.
fn results<S: Study>(part: Option<Part>, further: &[&'static str]) -> Vec<&'static str> {
    match part {
        Some(_) => SHARD.to_vec(),
        None => [SUMMARY, TABLE].iter().chain(S::FILES).chain(further).copied().collect(),
    }
}

/// An engine, and a directory where there is one.
pub struct Desk {
    pub engine: Box<dyn Engine>,
    pub place: Option<Place>,
    origin: Origin,
    aside: Checkpoint,
}

impl Desk {
    pub fn context<'a>(&'a mut self, observer: &'a mut dyn Observer) -> Context<'a> {
        let store = self.place.as_mut().map_or(&mut self.aside, |place| &mut place.checkpoint);
        Context { engine: &*self.engine, store, observer }
    }

    /// For `run.json`.
    pub fn note(&mut self, faults: Vec<Fault>) {
        if let Some(place) = &mut self.place {
            place.manifest.faults.extend(faults);
        }
    }

    /// Writes what a study found, where there is a directory, its table as `view` has it. Returns its summary, one JSON object.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn conclude<S: Study>(
        &mut self,
        study: &S,
        outcome: &S::Outcome,
        view: View,
        observer: &mut dyn Observer,
    ) -> Result<String>
    where
        S::Outcome: Shown,
    {
        let summary = summary(outcome, &self.origin, view)?;
        if let Some(place) = &mut self.place {
            let texts = texts(outcome, &self.origin, &summary, view)?;
            observer.phase("writing");
            study.write(outcome, &mut place.checkpoint, observer, &place.path)?;
            place.finish(&results::<S>(None, &study.further()), S::DATA, &texts, S::state(outcome))?;
        }
        Ok(summary)
    }

    /// Writes what one machine of several found. Returns its summary and a table.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn hand_in<S: Study>(&mut self, share: &S::Share, view: View) -> Result<(String, String)> {
        let summary = json(share)?;
        let mut table = String::new();
        if let Some(place) = &mut self.place {
            let state = S::state_of_part(share);
            let [from, to] = [0, 1].map(|at| state["range"][at].as_u64().unwrap_or_default());
            let what = place.manifest.shard.map_or(String::new(), |part| part.to_string());
            let rest = match place.manifest.shard {
                Some(Part::Shard { of, .. }) => {
                    if of == 1 {
                        "the only shard".to_string()
                    } else {
                        format!("once all {} are there", counted(of, "shard"))
                    }
                }
                _ => "once all parts are there".to_string(),
            };
            let into = option("output").plain("DIR");
            table = view.text(format!(
                "{what}: {} from {} on, {}\nnext: equirisk merge {} OTHERS {into}, {rest}\n",
                counted(to - from, S::PART_NOUN),
                grouped(from),
                crate::report::words::solves(&S::shared(share).solves),
                place.path.display(),
            ));
            let texts = [(SUMMARY, summary.clone()), (TABLE, table.clone())];
            place.finish(&results::<S>(place.manifest.shard, &[]), S::DATA, &texts, state)?;
        }
        Ok((summary, table))
    }
}

/// An outcome as one JSON object: the sentence and the notes first.
fn summary<O: Shown + Serialize>(outcome: &O, origin: &Origin, view: View) -> Result<String> {
    #[derive(Serialize)]
    struct Summary<'a, O> {
        #[serde(skip_serializing_if = "Option::is_none")]
        sentence: Option<String>,
        notes: Vec<String>,
        #[serde(flatten)]
        outcome: &'a O,
    }
    json(&Summary { sentence: outcome.sentence(), notes: notes(outcome, origin, view), outcome })
}

/// What a reader should know: of the data, then of the study.
fn notes(outcome: &impl Shown, origin: &Origin, view: View) -> Vec<String> {
    origin.notes.iter().cloned().chain(outcome.notes(view)).collect()
}

/// What stands between a table and the notes on its data.
const NOTES: &str = "\nNotes on the data:\n";

/// The table of a finished run without the notes on its data, which are said when these are read.
pub fn without_notes(table: &str) -> &str {
    table.split_once(NOTES).map_or(table, |(table, _)| table)
}

/// The texts of a run directory.
fn texts<O: Shown>(outcome: &O, origin: &Origin, summary: &str, view: View) -> Result<Vec<(&'static str, String)>> {
    let mut table = outcome.table(view);
    if !origin.notes.is_empty() {
        table.push_str(NOTES);
        origin.notes.iter().for_each(|note| table.push_str(&view.wrapped(&format!("- {note}"))));
    }
    let mut texts = outcome.texts(origin, view)?;
    texts.extend([(SUMMARY, summary.to_string()), (TABLE, table)]);
    Ok(texts)
}

/// One JSON object, every float in full precision; numbers that do not exist are null.
///
/// # Errors
/// None that is known of.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::failed(format!("the result cannot be written as JSON: {error}")))
}

/// Something that is done with the study of a run, whichever it is.
pub trait Visitor {
    type Output;

    /// # Errors
    /// Its own.
    fn visit<S: Study>(self) -> Result<Self::Output>
    where
        S::Outcome: Shown;
}

/// Visits the study that `run.json` names; none where no study is called that.
pub fn visit<V: Visitor>(manifest: &Manifest, visitor: V) -> Option<Result<V::Output>> {
    match manifest.job["study"].as_str()? {
        Bootstrap::NAME => Some(visitor.visit::<Bootstrap>()),
        Screen::NAME => Some(visitor.visit::<Screen>()),
        Given::NAME => Some(visitor.visit::<Given>()),
        Backtest::NAME => Some(visitor.visit::<Backtest>()),
        _ => None,
    }
}

/// What `run.json` says of a whole run that is finished, every file of which is what it was.
///
/// # Errors
/// No such run.
fn finished(directory: &Path) -> Result<Manifest> {
    let shown = directory.display();
    let manifest = Manifest::read(directory)?.ok_or_else(|| {
        Error::usage(format!("`{shown}` holds no run"))
            .hint(format!("name a directory that a study with {} has made", option("output").plain("DIR")))
    })?;
    if !manifest.finished {
        return Err(Error::usage(format!("the run in `{shown}` is not finished"))
            .hint("the command that began it goes on with it: see `command` in run.json"));
    }
    if let Some(part) = manifest.shard {
        return Err(Error::usage(format!("`{shown}` holds {part}")).hint("merge the shards, and name the whole"));
    }
    let damaged = manifest.damaged(directory);
    if !damaged.is_empty() {
        return Err(Error::failed(format!(
            "in `{shown}` these files are missing or were changed after the run: {}",
            damaged.join(", ")
        ))
        .hint(format!("run the job again with {}", option("force"))));
    }
    Ok(manifest)
}

/// The specification of a run, and a study that is ready.
///
/// # Errors
/// No run has such a specification; data that are missing or not what they were.
fn study_of<S: Study>(
    manifest: &Manifest,
    directory: &Path,
    wrong: impl Fn() -> Error,
    observer: &mut dyn Observer,
) -> Result<S> {
    use crate::study::protocol::Spec as _;
    let spec: S::Spec = serde_json::from_value(manifest.job.clone()).map_err(|_| wrong())?;
    if !spec.is_sound() {
        return Err(wrong());
    }
    let data = S::data(manifest, &spec, directory)?;
    S::prepare(&spec, manifest.seed, data, observer).map_err(|error| Error { hint: wrong().hint, ..error })
}
