//! `run.json`: what a run was asked for, on what it ran, and what it vouches for. Times stand apart, under `timings`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::digest;
use super::maker::Maker;
use super::origin::Origin;
use crate::batch::part::Part;
use crate::engine::Fault;
use crate::error::{Error, Result, option};
use crate::store::atomic::{self, Existing};

pub const MANIFEST: &str = "run.json";

const PROGRAM: &str = "equirisk";

/// A file of more than this is no manifest.
const LARGEST: u64 = 1 << 28;

/// Of this form; another is of another version.
const SCHEMA: u64 = 4;

/// What `run.json` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub schema: u64,
    pub program: String,
    pub version: String,
    /// The commit the program was built from, where it was.
    pub commit: Option<String>,
    /// The command line.
    pub command: Vec<String>,
    /// Where the data came from, and how they were read.
    #[serde(default)]
    pub input: Origin,
    /// The resolved configuration: what makes two runs the same, beside seed and shard.
    pub job: Value,
    pub seed: Option<u64>,
    /// Which part of the job; null for all of it.
    pub shard: Option<Part>,
    pub maker: Maker,
    /// What went wrong with the device, where, and what was done about it.
    #[serde(default)]
    pub faults: Vec<Fault>,
    pub finished: bool,
    /// What the study says of its run: laws, thresholds, block lengths, counts; null before the end.
    pub outcome: Value,
    /// SHA-256 of every result.
    pub outputs_sha256: BTreeMap<String, String>,
    pub timings: Value,
}

impl Manifest {
    /// Before the work.
    ///
    /// # Errors
    /// A job that is no JSON.
    pub fn new(job: &impl Serialize, seed: Option<u64>, shard: Option<Part>, maker: Maker) -> Result<Manifest> {
        Ok(Manifest {
            schema: SCHEMA,
            program: PROGRAM.to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            commit: option_env!("EQUIRISK_COMMIT").map(str::to_string),
            command: Vec::new(),
            input: Origin::default(),
            job: serde_json::to_value(job).map_err(|error| Error::failed(error.to_string()))?,
            seed,
            shard,
            maker,
            faults: Vec::new(),
            finished: false,
            outcome: Value::Null,
            outputs_sha256: BTreeMap::new(),
            timings: Value::Null,
        })
    }

    /// The manifest of a directory; none where there is none.
    ///
    /// # Errors
    /// A file of that name that is something else.
    pub fn read(directory: &Path) -> Result<Option<Manifest>> {
        let path = directory.join(MANIFEST);
        let other = |what: String| {
            Error::usage(format!("`{}` is no manifest of this program: {what}", path.display()))
                .hint(format!("give another directory, or {} to replace what is there", option("force")))
        };
        match std::fs::metadata(&path) {
            Err(_) => return Ok(None),
            Ok(metadata) if !metadata.is_file() => return Err(other("it is no regular file".to_string())),
            Ok(metadata) if metadata.len() > LARGEST => return Err(other("it is too large".to_string())),
            Ok(_) => {}
        }
        let bytes = std::fs::read(&path).map_err(|error| other(error.to_string()))?;
        Manifest::parse(&bytes).map(Some).map_err(other)
    }

    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(bytes: &[u8]) -> std::result::Result<Manifest, String> {
        // First what it is, so that another program's or version's file is not called damaged.
        let value: Value = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
        if value["program"] != PROGRAM {
            return Err("another program wrote it".to_string());
        }
        if value["schema"] != SCHEMA {
            let version = value["version"].as_str().unwrap_or("another");
            return Err(format!("it is of schema {}, which version {version} of the program wrote", value["schema"]));
        }
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, directory: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(|error| Error::failed(error.to_string()))? + "\n";
        atomic::write(&directory.join(MANIFEST), Existing::Replace, |file| {
            std::io::Write::write_all(file, text.as_bytes())
        })
    }

    /// Job and seed in short: runs and shards with the same belong together.
    pub fn identity(&self) -> String {
        digest::json(&serde_json::json!([self.job, self.seed]))
    }

    /// The results that are missing, or not what they were.
    pub fn damaged(&self, directory: &Path) -> Vec<String> {
        let intact = |name: &str, sum: &str| digest::file(&directory.join(name)).is_ok_and(|found| found == sum);
        self.outputs_sha256.iter().filter(|(name, sum)| !intact(name, sum)).map(|(name, _)| name.clone()).collect()
    }
}
