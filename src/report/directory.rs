//! A run directory: `run.json` beside the results of a study.
//!
//! Every file appears by atomic rename. `run.json` marks the directory before the work and vouches for the results after
//! it. All but `run.json`, which holds the command and timings, are byte-identical between equal runs.

use std::io::Write as _;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::io::atomic::{self, Existing};
use crate::panel::Returns;

const MANIFEST: &str = "run.json";
pub const SUMMARY: &str = "summary.json";
pub const TABLE: &str = "summary.txt";

/// SHA-256 of a history: names, row labels and values.
pub fn digest(returns: &Returns) -> String {
    digest_of(&returns.assets, &format!("{:?}", returns.labels), &returns.values)
}

/// SHA-256 of named numbers.
pub fn digest_of(names: &[String], labels: &str, values: &[f64]) -> String {
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
    }
    hasher.update(labels);
    for value in values {
        hasher.update(value.to_le_bytes());
    }
    hex(&hasher.finalize())
}

/// SHA-256 of a file.
fn hex_digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a run records beside its results.
#[derive(Debug, Clone)]
pub struct Manifest {
    /// What makes two runs the same, beside the seed.
    job: Value,
    /// The seed asked for; none asks for any.
    seed: Option<u64>,
    /// The files that `run.json` vouches for.
    results: Vec<&'static str>,
    /// The command line.
    command: Vec<String>,
    /// Where the data came from.
    input: String,
}

impl Manifest {
    /// # Errors
    /// A job that cannot be written.
    pub fn new(
        job: &impl Serialize,
        seed: Option<u64>,
        results: &[&'static str],
        command: Vec<String>,
        input: String,
    ) -> Result<Manifest> {
        let job = serde_json::to_value(job).map_err(|error| Error::failed(error.to_string()))?;
        Ok(Manifest { job, seed, results: results.to_vec(), command, input })
    }
}

/// What a directory holds before a run.
#[derive(Debug, Clone)]
pub enum Found {
    /// Nothing that matters.
    Nothing,
    /// This job, interrupted: it lends its seed.
    Unfinished { seed: Option<u64> },
    /// This job, finished: its summary, its table, and how it ended.
    Finished { summary: String, table: String, unsolved: u64, disagreements: u64 },
}

/// Looks into a directory before the work. With `force`, whatever it holds may be replaced.
///
/// # Errors
/// The directory holds another job, or results that no manifest vouches for.
pub fn examine(directory: &Path, manifest: &Manifest, force: bool) -> Result<Found> {
    let shown = directory.display();
    if directory.exists() && !directory.is_dir() {
        return Err(Error::usage(format!("`{shown}` is not a directory")).hint("give another -o DIR"));
    }
    if force {
        return Ok(Found::Nothing);
    }
    let hint = "give another -o DIR, or --force to replace what is there";
    let Ok(bytes) = std::fs::read(directory.join(MANIFEST)) else {
        let taken = manifest.results.iter().find(|name| directory.join(name).exists());
        return match taken {
            Some(name) => Err(Error::usage(format!("`{shown}` holds a `{name}` but no `{MANIFEST}`")).hint(hint)),
            None => Ok(Found::Nothing),
        };
    };
    let other = || Error::usage(format!("`{shown}` holds a different run")).hint(hint);
    let held: Value = serde_json::from_slice(&bytes).map_err(|_| other())?;
    let seed = held["seed"].as_u64();
    if held["job"] != manifest.job || manifest.seed.is_some_and(|asked| Some(asked) != seed) {
        return Err(other());
    }
    if held["finished"] != true || !intact(directory, &manifest.results, &held["outputs_sha256"]) {
        return Ok(Found::Unfinished { seed });
    }
    let read = |name: &str| {
        std::fs::read_to_string(directory.join(name)).map_err(|error| {
            Error::failed(format!("`{}` cannot be read: {error}", directory.join(name).display()))
                .hint("pass --force to run again")
        })
    };
    let (summary, table) = (read(SUMMARY)?, read(TABLE)?);
    let outcome: Value = serde_json::from_str(&summary).map_err(|_| other())?;
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let unsolved = number(&outcome["solves"]["total"]) - number(&outcome["solves"]["converged"]);
    let disagreements = number(&outcome["crosscheck"]["disagreements"]);
    Ok(Found::Finished { summary, table, unsolved, disagreements })
}

/// Whether all results are there as the manifest knows them.
fn intact(directory: &Path, results: &[&str], digests: &Value) -> bool {
    results
        .iter()
        .all(|name| std::fs::read(directory.join(name)).is_ok_and(|bytes| digests[name] == hex_digest(&bytes).as_str()))
}

/// Marks the directory as this run's before the work: if it is interrupted, the same command goes on with its seed.
///
/// # Errors
/// The directory cannot be made or written to.
pub fn begin(directory: &Path, manifest: &Manifest, seed: Option<u64>) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(|error| {
        Error::failed(format!("`{}` cannot be created: {error}", directory.display())).hint("give another -o DIR")
    })?;
    write_manifest(directory, manifest, seed, serde_json::json!({ "finished": false }))
}

/// Writes the `texts` beside what is there already, and last the manifest that vouches for all results, with `state`.
///
/// # Errors
/// A file cannot be written.
pub fn finish(
    directory: &Path,
    manifest: &Manifest,
    seed: Option<u64>,
    texts: &[(&str, &str)],
    mut state: Value,
) -> Result<()> {
    for (name, text) in texts {
        atomic::write(&directory.join(name), Existing::Replace, |file| file.write_all(text.as_bytes()))?;
    }
    let mut outputs = serde_json::Map::new();
    for name in &manifest.results {
        let bytes = std::fs::read(directory.join(name))
            .map_err(|error| Error::failed(format!("`{name}` cannot be read again: {error}")))?;
        outputs.insert((*name).to_string(), hex_digest(&bytes).into());
    }
    state["finished"] = true.into();
    state["outputs_sha256"] = outputs.into();
    write_manifest(directory, manifest, seed, state)
}

/// `run.json`: what was asked for, and `state`.
fn write_manifest(directory: &Path, manifest: &Manifest, seed: Option<u64>, state: Value) -> Result<()> {
    let mut run = serde_json::json!({
        "schema": 1,
        "program": "equirisk",
        "version": env!("CARGO_PKG_VERSION"),
        "command": manifest.command,
        "input": manifest.input,
        "job": manifest.job,
        "seed": seed,
    });
    if let (Some(run), Value::Object(state)) = (run.as_object_mut(), state) {
        run.extend(state);
    }
    let text = serde_json::to_string_pretty(&run).map_err(|error| Error::failed(error.to_string()))? + "\n";
    atomic::write(&directory.join(MANIFEST), Existing::Replace, |file| file.write_all(text.as_bytes()))
}
