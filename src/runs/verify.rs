//! Is a finished run what it says it is? Every file against its digest, and a sample solved again on the CPU.

use std::path::Path;

use serde::Serialize;

use super::{Visitor, finished, study_of, visit};
use crate::error::{Error, Result};
use crate::observer::Unwatched;
use crate::report::Shown;
use crate::run::crosscheck::{CrossCheck, Sample};
use crate::store::manifest::Manifest;
use crate::study::protocol::Study;

/// What was found.
#[derive(Debug, Clone, Serialize)]
pub struct Verified {
    pub directory: String,
    pub study: String,
    /// Files that are what `run.json` says.
    pub files: usize,
    /// Problems solved again on the CPU.
    pub crosscheck: CrossCheck,
}

/// # Errors
/// No finished run, a file that is not what it was, or a study that this version does not know.
pub fn verify(directory: &Path, sample: Sample) -> Result<Verified> {
    let shown = directory.display();
    let manifest = finished(directory)?;
    let wrong = || {
        Error::input(format!("`{shown}` holds a run that this version cannot verify"))
            .hint("verify it with the version that made it")
    };
    let again = Again { manifest: &manifest, directory, sample, wrong: &wrong };
    let crosscheck = visit(&manifest, again).ok_or_else(wrong)??;
    let study = manifest.job["study"].as_str().unwrap_or_default().to_string();
    Ok(Verified { directory: shown.to_string(), study, files: manifest.outputs_sha256.len(), crosscheck })
}

struct Again<'a> {
    manifest: &'a Manifest,
    directory: &'a Path,
    sample: Sample,
    wrong: &'a dyn Fn() -> Error,
}

impl Visitor for Again<'_> {
    type Output = CrossCheck;

    fn visit<S: Study>(self) -> Result<CrossCheck>
    where
        S::Outcome: Shown,
    {
        let study = study_of::<S>(self.manifest, self.directory, self.wrong, &mut Unwatched)?;
        study.verify(&self.manifest.maker.info, self.sample, self.directory)
    }
}
