//! A run directory: `run.json` beside the results of a study, and while it is at work, its finished chunks.
//!
//! Every file appears by atomic rename; the file of chunks only grows. `run.json` marks the directory before the work and
//! vouches for the results after it. All but `run.json`, which holds the command and timings, are byte-identical between
//! equal runs, interrupted ones included.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::difference::difference;
use super::digest;
use super::maker::Maker;
use super::manifest::{MANIFEST, Manifest};
use crate::batch::counts::Solves;
use crate::batch::part::Part;
use crate::error::{Error, ErrorKind, Result, option};
use crate::observer::Observer;
use crate::store::Checkpoint;
use crate::store::atomic::{self, Existing};

pub const SUMMARY: &str = "summary.json";
pub const TABLE: &str = "summary.txt";
pub const REPORT: &str = "report.html";

/// Finished chunks: of a run at work, or of a shard.
pub const CHUNKS: &str = "chunks.part";

/// The files of a shard.
pub const SHARD: [&str; 3] = [SUMMARY, TABLE, CHUNKS];

fn replace() -> String {
    format!("give another {}, or {} to replace what is there", option("output").plain("DIR"), option("force"))
}

/// What a directory holds before a run.
#[derive(Debug, Clone)]
pub enum Found {
    /// Nothing that matters.
    Nothing,
    /// This job, interrupted: it lends its seed.
    Unfinished { seed: Option<u64> },
    /// This job, finished: its summary, its table, and how it ended.
    Finished { summary: String, table: String, solves: Solves, disagreements: u64 },
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What makes two runs the same, beside seed and shard.
    pub job: &'a Value,
    /// None asks for any.
    pub seed: Option<u64>,
    pub shard: Option<Part>,
    /// The files that a run of this kind writes.
    pub results: &'a [&'a str],
    /// Whatever is there may be replaced.
    pub force: bool,
}

impl Asked<'_> {
    /// Whether this is the job of a directory, up to the shard.
    fn is_of(&self, held: &Manifest) -> bool {
        held.job == *self.job && self.seed.is_none_or(|asked| Some(asked) == held.seed)
    }

    /// What is not that job's, in words.
    fn difference(&self, held: &Manifest) -> String {
        if held.job == *self.job {
            let entry = |seed| serde_json::json!({ "seed": seed });
            return difference(&entry(held.seed), &entry(self.seed));
        }
        difference(&held.job, self.job)
    }
}

/// Looks into a directory before the work.
///
/// # Errors
/// The directory holds another job, or results that no manifest vouches for.
pub fn examine(directory: &Path, asked: &Asked) -> Result<Found> {
    let shown = directory.display();
    if directory.exists() && !directory.is_dir() {
        return Err(Error::usage(format!("`{shown}` is not a directory"))
            .hint(format!("give another {}", option("output").plain("DIR"))));
    }
    if asked.force {
        // Even then, what the same command has begun is not begun again.
        let begun = Manifest::read(directory)
            .ok()
            .flatten()
            .filter(|held| !held.finished && asked.is_of(held) && held.shard == asked.shard);
        return Ok(begun.map_or(Found::Nothing, |held| Found::Unfinished { seed: held.seed }));
    }
    let Some(manifest) = Manifest::read(directory)? else {
        let taken = asked.results.iter().find(|name| directory.join(name).exists());
        return match taken {
            Some(name) => Err(Error::usage(format!("`{shown}` holds a `{name}` but no `{MANIFEST}`")).hint(replace())),
            None => Ok(Found::Nothing),
        };
    };
    let seed = manifest.seed;
    if !asked.is_of(&manifest) {
        let difference = asked.difference(&manifest);
        return Err(Error::usage(format!("`{shown}` holds a different run: {difference}")).hint(replace()));
    }
    if manifest.shard != asked.shard {
        let held = manifest.shard.map_or("the whole of this run".to_string(), |part| part.to_string());
        return Err(Error::usage(format!("`{shown}` holds {held}"))
            .hint(format!("give each shard its own {}", option("output").plain("DIR"))));
    }
    if !manifest.finished || !manifest.damaged(directory).is_empty() {
        return Ok(Found::Unfinished { seed });
    }
    let read = |name: &str| {
        std::fs::read_to_string(directory.join(name)).map_err(|error| {
            Error::failed(format!("`{}` cannot be read: {error}", directory.join(name).display()))
                .hint(format!("pass {} to run again", option("force")))
        })
    };
    let (summary, table) = (read(SUMMARY)?, read(TABLE)?);
    let solves = Solves::deserialize(&manifest.outcome["solves"]).unwrap_or_default();
    let disagreements = manifest.outcome["crosscheck"]["disagreements"].as_u64().unwrap_or_default();
    Ok(Found::Finished { summary, table, solves, disagreements })
}

/// A directory that a run is at work in.
#[derive(Debug)]
pub struct Place {
    pub path: PathBuf,
    pub manifest: Manifest,
    pub checkpoint: Checkpoint,
    /// The run was begun on a device that is not there any more: the CPU goes on in its stead.
    pub orphaned: bool,
    started: Instant,
}

/// Whose chunks a file holds.
#[derive(Debug, Serialize, Deserialize)]
struct Owner {
    run: String,
    shard: Option<Part>,
    maker: Maker,
}

/// How a directory is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terms {
    /// Chunks of another engine, adapter, driver, version or CPU are taken as well.
    pub allow_mixed: bool,
    /// The engine was left to choose: where the run was begun on a device, the CPU may go on.
    pub any_engine: bool,
    /// Start anew.
    pub force: bool,
}

impl Place {
    /// Marks the directory as this run's before the work, with the data it needs. Chunks that an interrupted run of the
    /// same job has finished are taken over, and `observer` is told.
    ///
    /// # Errors
    /// The directory cannot be made or written to, another program is at work in it, or its chunks were made by another
    /// engine.
    pub fn begin(
        path: &Path,
        manifest: Manifest,
        keep: &dyn Fn(&Path) -> Result<()>,
        terms: Terms,
        observer: &mut dyn Observer,
    ) -> Result<Place> {
        let started = Instant::now();
        std::fs::create_dir_all(path).map_err(|error| uncreated(path, &error))?;
        let mut place =
            Place { path: path.to_path_buf(), manifest, checkpoint: Checkpoint::none(), orphaned: false, started };
        let chunks = path.join(CHUNKS);
        let before = match Checkpoint::open(&chunks, true) {
            Ok(found) => Some(found),
            Err(_) if !chunks.exists() => None,
            // Whose chunks they are cannot be told.
            Err(error) if error.kind == ErrorKind::Input => {
                observer.notice(&format!("{}: all is solved again", error.message.nested()).into());
                None
            }
            Err(error) => return Err(error),
        };
        // The lock is held: what other programs left half written is nobody's.
        atomic::sweep(path);
        if terms.force {
            place.clear();
        }
        let before = before.and_then(|(checkpoint, header, damaged)| {
            let owner: Owner = serde_json::from_str(&header).ok()?;
            let same = owner.run == place.manifest.identity() && owner.shard == place.manifest.shard;
            let mixed = terms.force && owner.maker.differs(&place.manifest.maker).is_some();
            (same && !mixed).then_some((checkpoint, owner, damaged))
        });
        match before {
            Some((checkpoint, owner, damaged)) => {
                place.resume(checkpoint, owner.maker, damaged, terms, observer)?;
                // What went wrong in the sessions before is part of the run.
                if let Ok(Some(begun)) = Manifest::read(path) {
                    place.manifest.faults = begun.faults;
                }
                place.mark(keep)?;
            }
            None => {
                let owner = Owner {
                    run: place.manifest.identity(),
                    shard: place.manifest.shard,
                    maker: place.manifest.maker.clone(),
                };
                // First the manifest: a directory with chunks and none would be nobody's.
                place.mark(keep)?;
                let header = serde_json::to_string(&owner).map_err(|error| Error::failed(error.to_string()))?;
                place.checkpoint = Checkpoint::create(&chunks, &header)?;
            }
        }
        Ok(place)
    }

    /// Removes the results of another run: they would else stand beside those of this one.
    fn clear(&self) {
        let Ok(Some(other)) = Manifest::read(&self.path) else { return };
        if other.identity() == self.manifest.identity() && other.shard == self.manifest.shard {
            return;
        }
        // What a manifest says may be anything: files of this directory alone.
        let own = |name: &&String| Path::new(name).file_name().is_some_and(|own| own == name.as_str());
        for name in other.outputs_sha256.keys().filter(own) {
            // What stays is replaced, or is not vouched for.
            let _ = std::fs::remove_file(self.path.join(name));
        }
    }

    fn resume(
        &mut self,
        checkpoint: Checkpoint,
        maker: Maker,
        damaged: bool,
        terms: Terms,
        observer: &mut dyn Observer,
    ) -> Result<()> {
        if let Some(difference) = maker.differs(&self.manifest.maker) {
            self.orphaned = terms.any_engine && maker.info.on_device() && !self.manifest.maker.info.on_device();
            if !self.orphaned && !terms.allow_mixed {
                return Err(Error::usage(format!(
                    "`{}` holds a part of this run that was made otherwise: {difference}",
                    self.path.display()
                ))
                .hint(format!(
                    "ask for the same {} and {}, pass {} to go on all the same, or {} to start again",
                    option("engine"),
                    option("device"),
                    option("allow-mixed"),
                    option("force")
                )));
            }
            observer.notice(&format!("going on although {difference}").into());
            if self.orphaned {
                self.manifest.maker = maker;
            }
        }
        if damaged {
            observer.notice(&"a part of what was kept is damaged: it is solved again".into());
        }
        match checkpoint.finished() {
            0 => {}
            finished => observer.notice(
                &format!(
                    "going on where `{}` was interrupted: {finished} problems are solved already",
                    self.path.display()
                )
                .into(),
            ),
        }
        self.checkpoint = checkpoint;
        Ok(())
    }

    /// A directory for what is joined from the chunks of `checkpoint`.
    ///
    /// # Errors
    /// The directory cannot be made or written to.
    pub fn join(
        path: &Path,
        manifest: Manifest,
        keep: &dyn Fn(&Path) -> Result<()>,
        checkpoint: Checkpoint,
        force: bool,
    ) -> Result<Place> {
        let place = Place { path: path.to_path_buf(), manifest, checkpoint, orphaned: false, started: Instant::now() };
        // Not where a program is at work.
        match Checkpoint::open(&path.join(CHUNKS), true) {
            Err(error) if error.kind == ErrorKind::Usage => return Err(error),
            Ok(_) | Err(_) => {}
        }
        if force {
            place.clear();
        }
        place.mark(keep)?;
        Ok(place)
    }

    /// Before the work: the data it needs, and `run.json`.
    fn mark(&self, keep: &dyn Fn(&Path) -> Result<()>) -> Result<()> {
        std::fs::create_dir_all(&self.path).map_err(|error| uncreated(&self.path, &error))?;
        keep(&self.path)?;
        self.manifest.write(&self.path)
    }

    /// Writes the `texts` beside what is there already, and last the manifest that vouches for all `results` and the data; chunks go,
    /// unless they are a result.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn finish(
        &mut self,
        results: &[&str],
        data: Option<&str>,
        texts: &[(&str, String)],
        outcome: Value,
    ) -> Result<()> {
        self.checkpoint.flush()?;
        for (name, text) in texts {
            atomic::write(&self.path.join(name), Existing::Replace, |file| file.write_all(text.as_bytes()))?;
        }
        self.manifest.outputs_sha256.clear();
        for name in results.iter().copied().chain(data) {
            let sum = digest::file(&self.path.join(name))
                .map_err(|error| Error::failed(format!("`{name}` cannot be read again: {error}")))?;
            self.manifest.outputs_sha256.insert(name.to_string(), sum);
        }
        self.manifest.finished = true;
        self.manifest.outcome = outcome;
        self.manifest.timings = serde_json::json!({ "seconds": self.started.elapsed().as_secs_f64() });
        self.manifest.write(&self.path)?;
        if !results.contains(&CHUNKS) {
            self.checkpoint = Checkpoint::none();
            // What stays behind is found and forgotten by the next run.
            let _ = std::fs::remove_file(self.path.join(CHUNKS));
        }
        Ok(())
    }
}

/// The finished chunks of a part of a run.
///
/// # Errors
/// They cannot be read, or are not of the run that `manifest` describes.
pub fn chunks(directory: &Path, manifest: &Manifest) -> Result<Checkpoint> {
    let path = directory.join(CHUNKS);
    let (checkpoint, header, _) = Checkpoint::open(&path, false)?;
    let owner: Option<Owner> = serde_json::from_str(&header).ok();
    match owner.filter(|owner| owner.run == manifest.identity() && owner.shard == manifest.shard) {
        Some(_) => Ok(checkpoint),
        None => {
            Err(Error::input(format!("`{}` is not of the run that `{MANIFEST}` beside it describes", path.display()))
                .hint("run this part again"))
        }
    }
}

fn uncreated(path: &Path, error: &std::io::Error) -> Error {
    Error::failed(format!("`{}` cannot be created: {error}", path.display()))
        .hint(format!("give another {}", option("output").plain("DIR")))
}
