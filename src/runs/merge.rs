//! The parts of a run, joined.

use std::path::{Path, PathBuf};

use super::{Visitor, results, study_of, summary, texts, visit};
use crate::batch::part::Part;
use crate::engine::choose::{Wish, choose};
use crate::engine::{Absent, Choice, Engine};
use crate::error::{Error, Result, option};
use crate::methods::risk_budgeting::Options;
use crate::observer::Observer;
use crate::report::Shown;
use crate::report::terminal::View;
use crate::run::Context;
use crate::store::Checkpoint;
use crate::store::atomic;
use crate::store::difference::difference;
use crate::store::directory::{self, Asked, Found, Place};
use crate::store::maker::Maker;
use crate::store::manifest::Manifest;
use crate::study::protocol::{Ending, Spec as _, Study};
use crate::study::setup::Setup;

/// The parts of one run, all of them and whole.
#[derive(Debug)]
pub struct Shards {
    /// In the order of their problems.
    paths: Vec<PathBuf>,
    manifests: Vec<Manifest>,
}

/// What joining found.
#[derive(Debug)]
pub struct Joined {
    /// One JSON object.
    pub summary: String,
    pub table: String,
    pub ending: Ending,
    /// What was counted.
    pub noun: &'static str,
}

impl Shards {
    /// # Errors
    /// What is no shard, or of another run; shards that are missing, given twice, unfinished or damaged, by number.
    pub fn read(paths: &[PathBuf], allow_mixed: bool) -> Result<Shards> {
        let mut found: Vec<(PathBuf, Manifest)> = Vec::new();
        for path in paths {
            let shown = path.display();
            let manifest = Manifest::read(path)?.ok_or_else(|| {
                Error::usage(format!("`{shown}` holds no run")).hint(format!(
                    "name the directories that {} {} made",
                    option("shard").plain("I/N"),
                    option("output").plain("DIR")
                ))
            })?;
            if manifest.shard.is_none() {
                return Err(Error::usage(format!("`{shown}` holds a whole run, not a shard")).hint(format!(
                    "name the directories that {} {} made",
                    option("shard").plain("I/N"),
                    option("output").plain("DIR")
                )));
            }
            found.push((path.clone(), manifest));
        }
        found.sort_by_key(|(_, manifest)| place_of(manifest));
        let Some((first, manifest)) = found.first() else {
            return Err(Error::usage("there are no parts to join").hint("name the directories of the parts"));
        };
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
                return Err(differs(&difference(&manifest.job, &other.job).replace(", now ", " and ")));
            }
            if other.seed != manifest.seed {
                return Err(differs("their seeds differ"));
            }
            if of(other).zip(of(manifest)).is_some_and(|(own, others)| own != others) {
                return Err(differs("they are not of equally many shards"));
            }
            if let Some(difference) = manifest.maker.differs(&other.maker).filter(|_| !allow_mixed) {
                let difference = difference.replace(" there, ", " and ").replace(" here", "");
                return Err(Error::usage(format!(
                    "`{}` and `{}` were made differently: {difference}",
                    first.display(),
                    path.display()
                ))
                .hint(format!("run one of them again, or pass {} to join them all the same", option("allow-mixed"))));
            }
        }
        let mut bad = Vec::new();
        for (path, manifest) in &found {
            let part = manifest.shard.map_or(String::new(), |part| part.to_string());
            if found.iter().filter(|(_, other)| other.shard == manifest.shard).count() > 1 {
                return Err(Error::usage(format!("{part} is given twice, once as `{}`", path.display()))
                    .hint("name each shard once"));
            }
            let what = manifest.shard.map_or(String::new(), |part| part.asked().to_string());
            if !manifest.finished {
                bad.push((place_of(manifest), format!("{what} is not finished")));
            } else if !manifest.damaged(path).is_empty() {
                bad.push((place_of(manifest), format!("{what} is damaged")));
            }
        }
        // Ranges of problems are of any number; what is between them is found when they are joined.
        let mut missing = 0;
        if let Some(of) = of(manifest).filter(|_| found.iter().all(|(_, manifest)| of(manifest).is_some())) {
            // A file may claim to be one of very many.
            let held: Vec<(u64, u64)> = found.iter().map(|(_, manifest)| place_of(manifest)).collect();
            missing = of - held.len() as u64;
            let absent = (0..of).filter(|index| !held.contains(&(*index, 0))).take(MOST_LISTED);
            bad.extend(absent.map(|index| ((index, 0), format!("{} is missing", Part::Shard { index, of }.asked()))));
        }
        bad.sort_unstable();
        if !bad.is_empty() {
            let listed: Vec<&str> = bad.iter().take(MOST_LISTED).map(|(_, what)| what.as_str()).collect();
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

    /// Looks into the directory for the whole before the work.
    ///
    /// # Errors
    /// It holds another run, or results that no manifest vouches for; a study that this version does not know.
    pub fn look(&self, output: &Path, force: bool) -> Result<Found> {
        struct Results;
        impl Visitor for Results {
            type Output = Vec<&'static str>;

            fn visit<S: Study>(self) -> Result<Vec<&'static str>>
            where
                S::Outcome: Shown,
            {
                Ok(results::<S>(None, S::FURTHER))
            }
        }
        let manifest = self.manifest();
        if self.paths.iter().any(|path| atomic::same(path, output)) {
            return Err(Error::usage(format!("`{}` holds one of the parts", output.display()))
                .hint(format!("give the whole another {}", option("output").plain("DIR"))));
        }
        let results = visit(manifest, Results).ok_or_else(|| self.unknown())??;
        let asked = Asked { job: &manifest.job, seed: manifest.seed, shard: None, results: &results, force };
        directory::examine(output, &asked)
    }

    /// Joins them in a directory for the whole: byte by byte what one machine would have made. What is solved only now,
    /// such as the winners of a screen on resamples, is so on the device of the parts, or on the CPU where that is not
    /// here. The table is kept as `plain` has it, and comes back as `view` does.
    ///
    /// # Errors
    /// Problems that are in none of the parts; data that are missing; a disk that is full.
    pub fn join(
        &self,
        output: &Path,
        command: Vec<String>,
        (plain, view): (View, View),
        force: bool,
        observer: &mut dyn Observer,
    ) -> Result<Joined> {
        let join = Join { shards: self, output, command, plain, view, force, observer };
        visit(self.manifest(), join).ok_or_else(|| self.unknown())?
    }

    fn unknown(&self) -> Error {
        Error::input(format!("`{}` holds a run that cannot be joined", self.paths[0].display()))
            .hint("run its shards again")
    }
}

struct Join<'a> {
    shards: &'a Shards,
    output: &'a Path,
    command: Vec<String>,
    plain: View,
    view: View,
    force: bool,
    observer: &'a mut dyn Observer,
}

impl Visitor for Join<'_> {
    type Output = Joined;

    fn visit<S: Study>(self) -> Result<Joined>
    where
        S::Outcome: Shown,
    {
        let Join { shards, output, command, plain, view, force, observer } = self;
        let (first, folder) = (shards.manifest(), &shards.paths[0]);
        let study = study_of::<S>(first, folder, || shards.unknown(), observer)?;
        let spec: S::Spec = serde_json::from_value(first.job.clone()).map_err(|_| shards.unknown())?;
        let mut all = Checkpoint::none();
        for (path, manifest) in shards.paths.iter().zip(&shards.manifests) {
            all.join(directory::chunks(path, manifest)?);
        }
        let all = all.whole(S::LAST_OF_PART);
        // Before anything is written.
        all.segments(0, 0..study.problems())?;
        let manifest = Manifest {
            command,
            input: first.input.clone(),
            faults: shards.manifests.iter().flat_map(|part| part.faults.clone()).collect(),
            ..Manifest::new(&first.job, first.seed, None, first.maker.clone())?
        };
        let tolerance = spec.setup().tolerance.unwrap_or(Options::default().tolerance);
        let gone = Absent(first.maker.info.clone(), Options { tolerance, ..Options::default() });
        let engine: Box<dyn Engine> = match same_device(first, spec.setup()).filter(|_| S::SOLVES_JOINED) {
            Some(engine) => engine,
            None => Box::new(gone),
        };
        let keep = |path: &Path| S::keep(&S::data(first, &spec, folder)?, path);
        let mut place = Place::join(output, manifest, &keep, all, force)?;
        observer.total(study.work(&(0..study.problems()), false));
        let outcome = {
            let mut context = Context { engine: &*engine, store: &mut place.checkpoint, observer };
            study.whole(&mut context)?
        };
        let summary = summary(&outcome, &first.input, plain)?;
        let texts = texts(&outcome, &first.input, &summary, plain)?;
        observer.phase("writing");
        study.write(&outcome, &mut place.checkpoint, observer, output)?;
        place.finish(&results::<S>(None, &study.further()), S::DATA, &texts, S::state(&outcome))?;
        Ok(Joined { summary, table: outcome.table(view), ending: S::ending(&outcome), noun: S::NOUN })
    }
}

/// The device that made the parts, where it is here: what is solved when they are joined is then solved as they were.
fn same_device(manifest: &Manifest, setup: &Setup) -> Option<Box<dyn Engine>> {
    if !manifest.maker.info.on_device() {
        return None;
    }
    let Setup { precision, tolerance, .. } = *setup;
    let device = manifest.maker.info.adapter.clone();
    let wish = Wish { engine: Choice::Gpu, device, precision, tolerance, ..Wish::default() };
    let engine = choose(&wish, 0.0, &mut |_| ()).ok()?;
    (Maker::of(engine.info()) == manifest.maker).then_some(engine)
}

/// Of how many shards it is one; none where it is a range of problems.
fn of(manifest: &Manifest) -> Option<u64> {
    match manifest.shard? {
        Part::Shard { index, of } if index < of => Some(of),
        _ => None,
    }
}

/// Where it stands among the parts.
fn place_of(manifest: &Manifest) -> (u64, u64) {
    match manifest.shard {
        Some(Part::Shard { index, .. }) => (index, 0),
        Some(Part::Problems { from, to }) => (from, to),
        None => (0, 0),
    }
}

/// Shards named in a message at most.
const MOST_LISTED: usize = 50;
