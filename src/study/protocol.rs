//! What every study is: a specification, data and a seed make a study; a machine or several solve its problems; what they
//! found makes an outcome.

use std::ops::Range;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::setup::Setup;
use crate::batch::part::Part;
use crate::engine::EngineInfo;
use crate::error::Result;
use crate::observer::Observer;
use crate::run::crosscheck::{CrossCheck, Sample};
use crate::run::{Context, Solves};
use crate::store::Checkpoint;
use crate::store::manifest::Manifest;

/// What makes two runs the same, beside seed and part: the one configuration of a study, as it is asked for, kept in
/// `run.json`, and compared.
pub trait Spec: Clone + Serialize + DeserializeOwned {
    /// How it was asked to compute.
    fn setup(&self) -> &Setup;

    /// Whether a run may have it: a file may say anything.
    fn is_sound(&self) -> bool;
}

/// How a study ended, also when its results were there already.
#[derive(Debug, Clone, Copy)]
pub struct Ending {
    pub solves: Solves,
    /// Of the cross-check.
    pub disagreements: u64,
    /// A part of a run: whether anything is solved at all is for the whole to say.
    pub part: bool,
}

/// A study, ready to be solved.
pub trait Study: Sized {
    type Spec: Spec;
    type Data;
    /// What the study found.
    type Outcome: Serialize;
    /// What one machine of several found, while the answer waits until all parts are together.
    type Share: Serialize;

    /// As `run.json` calls it.
    const NAME: &'static str;
    /// What is counted.
    const NOUN: &'static str;
    /// What parts are ranges of, where that is something else.
    const PART_NOUN: &'static str = Self::NOUN;
    /// Parts are cut at multiples of this many problems.
    const PIECE: u64;
    /// The files of a finished run beside the summary.
    const FILES: &'static [&'static str];
    /// Files that a finished run may have beside these.
    const FURTHER: &'static [&'static str] = &[];
    /// The file that holds the data of a run, where there is one.
    const DATA: Option<&'static str>;
    /// Batches up to this number belong to parts; what comes after them is solved when the parts are joined.
    const LAST_OF_PART: u32;
    /// Whether there is any such batch.
    const SOLVES_JOINED: bool;

    /// All that follows from its specification, its seed and the data, before anything is solved.
    ///
    /// # Errors
    /// What the data do not allow.
    fn prepare(spec: &Self::Spec, seed: Option<u64>, data: Self::Data, observer: &mut dyn Observer) -> Result<Self>;

    /// Problems, of which parts are ranges.
    fn problems(&self) -> u64;

    /// Problems that a run of `range` solves in all batches, and units of work beside them.
    fn work(&self, range: &Range<u64>, part: bool) -> u64;

    /// Solves what is not kept, and answers.
    ///
    /// # Errors
    /// A device that fails, a disk that is full, asked to stop.
    fn whole(&self, context: &mut Context) -> Result<Self::Outcome>;

    /// Solves a part, for the store of `context`.
    ///
    /// # Errors
    /// As [`Study::whole`].
    fn part(&self, part: Part, context: &mut Context) -> Result<Self::Share>;

    /// The problems of a part, counts and check of which `run.json` keeps.
    fn shared(share: &Self::Share) -> Ending;

    fn ending(outcome: &Self::Outcome) -> Ending;

    /// What `run.json` says of a finished run, or of a part of one.
    fn state(outcome: &Self::Outcome) -> Value;

    fn state_of_part(share: &Self::Share) -> Value;

    /// Writes the tables of an outcome that are no texts.
    ///
    /// # Errors
    /// A file cannot be written; asked to stop.
    fn write(
        &self,
        outcome: &Self::Outcome,
        store: &mut Checkpoint,
        observer: &mut dyn Observer,
        directory: &Path,
    ) -> Result<()>;

    /// Which of [`Study::FURTHER`] it writes.
    fn further(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Keeps the data in a run directory, so that it can be verified and its parts joined where the files they came from
    /// are not.
    ///
    /// # Errors
    /// A file cannot be written.
    fn keep(data: &Self::Data, directory: &Path) -> Result<()>;

    /// The data of a run.
    ///
    /// # Errors
    /// They are missing, or not what they were.
    fn data(manifest: &Manifest, spec: &Self::Spec, directory: &Path) -> Result<Self::Data>;

    /// Solves a sample of a finished run again on the CPU, in f64, from the data on, and compares.
    ///
    /// # Errors
    /// Results that cannot be read.
    fn verify(&self, maker: &EngineInfo, sample: Sample, directory: &Path) -> Result<CrossCheck>;
}
