//! Where the data of a run came from, how they were read, and what a reader should know of them.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::digest;

/// Of one run: the same for its parts and for the whole.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Origin {
    /// The command line, without what its results do not depend on: where they go, and how the work is divided.
    pub command: String,
    pub files: Vec<SourceFile>,
    pub rows: Option<usize>,
    pub assets: Vec<String>,
    pub first: Option<String>,
    pub last: Option<String>,
    /// What a reader of the results should know of the data: rows left out, cells that are doubtful.
    pub notes: Vec<String>,
}

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SourceFile {
    /// As it was named.
    pub source: String,
    pub bytes: Option<u64>,
    pub sha256: Option<String>,
    /// How it was read, where that was found out.
    pub detected: Value,
}

impl SourceFile {
    /// What the file at `path` holds, digested; nothing of what is no file.
    #[must_use]
    pub fn digested(self, path: Option<&Path>) -> SourceFile {
        let held = path.and_then(|path| std::fs::metadata(path).ok().zip(digest::file(path).ok()));
        let (bytes, sha256) = held.map(|(metadata, sha256)| (metadata.len(), sha256)).unzip();
        SourceFile { bytes, sha256, ..self }
    }
}

impl Origin {
    /// Names of the files.
    pub fn sources(&self) -> String {
        self.files.iter().map(|file| file.source.as_str()).collect::<Vec<_>>().join(", ")
    }
}
