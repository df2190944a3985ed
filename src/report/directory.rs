//! A run directory: `run.json`, `summary.json`, `summary.txt`, `assets.csv`, `weights.parquet`.
//!
//! Every file appears by atomic rename. `run.json` marks the directory before the work and vouches for the results after
//! it. All but `run.json`, which holds the command and timings, are byte-identical between equal runs.

use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::io::atomic::{self, Existing};
use crate::panel::Returns;
use crate::report::weights::write_weights;
use crate::run::chunks::chunk_size;
use crate::study::asset::WeightStatistics;
use crate::study::block::Block;
use crate::study::bootstrap::{Config, Outcome};

const MANIFEST: &str = "run.json";
const SUMMARY: &str = "summary.json";
const TABLE: &str = "summary.txt";
const ASSETS: &str = "assets.csv";
const WEIGHTS: &str = "weights.parquet";

/// What `run.json` vouches for.
const RESULTS: [&str; 4] = [SUMMARY, TABLE, ASSETS, WEIGHTS];

/// What makes two runs the same job, beside the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    study: String,
    /// SHA-256 of the returns: names, row labels and values.
    returns_sha256: String,
    budgets: Vec<f64>,
    resamples: u64,
    scheme: String,
    block: String,
    sensitivity: bool,
    engine: String,
    /// None where none was asked for.
    #[serde(default)]
    precision: Option<String>,
    tolerance: Option<f64>,
    periods_per_year: Option<f64>,
    /// The seed asked for; none asks for any.
    #[serde(skip)]
    seed: Option<u64>,
}

impl Job {
    pub fn of(
        returns: &Returns,
        budgets: &[f64],
        config: &Config,
        seed: Option<u64>,
        (engine, precision): (&str, Option<&str>),
        tolerance: Option<f64>,
    ) -> Job {
        Job {
            study: "bootstrap".to_string(),
            returns_sha256: digest(returns),
            budgets: budgets.to_vec(),
            resamples: config.resamples,
            scheme: config.scheme.name().to_string(),
            block: match config.block {
                Block::Auto => "auto".to_string(),
                Block::AutoReturns => "auto-returns".to_string(),
                Block::Length(length) => length.to_string(),
            },
            sensitivity: config.sensitivity,
            engine: engine.to_string(),
            precision: precision.map(str::to_string),
            tolerance,
            periods_per_year: config.periods_per_year,
            seed,
        }
    }
}

fn digest(returns: &Returns) -> String {
    let mut hasher = Sha256::new();
    for name in &returns.assets {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
    }
    hasher.update(format!("{:?}", returns.labels));
    for value in &returns.values {
        hasher.update(value.to_le_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a run records beside its results.
#[derive(Debug, Clone)]
pub struct Manifest {
    pub job: Job,
    /// The command line.
    pub command: Vec<String>,
    /// Where the data came from.
    pub input: String,
}

/// What a directory holds before a run.
#[derive(Debug, Clone)]
pub enum Found {
    /// Nothing that matters.
    Nothing,
    /// This job, interrupted: it lends its seed.
    Unfinished { seed: u64 },
    /// This job, finished: its summary, its table, and how it ended.
    Finished { summary: String, table: String, unsolved: u64, disagreements: u64 },
}

/// Looks into a directory before the work. With `force`, whatever it holds may be replaced.
///
/// # Errors
/// The directory holds another job, or results that no manifest vouches for.
pub fn examine(directory: &Path, job: &Job, force: bool) -> Result<Found> {
    let shown = directory.display();
    if directory.exists() && !directory.is_dir() {
        return Err(Error::usage(format!("`{shown}` is not a directory")).hint("give another -o DIR"));
    }
    if force {
        return Ok(Found::Nothing);
    }
    let hint = "give another -o DIR, or --force to replace what is there";
    let Ok(bytes) = std::fs::read(directory.join(MANIFEST)) else {
        let taken = RESULTS.iter().find(|name| directory.join(name).exists());
        return match taken {
            Some(name) => Err(Error::usage(format!("`{shown}` holds a `{name}` but no `{MANIFEST}`")).hint(hint)),
            None => Ok(Found::Nothing),
        };
    };
    let other = || Error::usage(format!("`{shown}` holds a different run")).hint(hint);
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| other())?;
    let held: Job = serde_json::from_value(manifest["job"].clone()).map_err(|_| other())?;
    let seed = manifest["seed"].as_u64().ok_or_else(other)?;
    if held != (Job { seed: None, ..job.clone() }) || job.seed.is_some_and(|asked| asked != seed) {
        return Err(other());
    }
    if manifest["finished"] != true || !intact(directory, &manifest["outputs_sha256"]) {
        return Ok(Found::Unfinished { seed });
    }
    let read = |name: &str| {
        std::fs::read_to_string(directory.join(name)).map_err(|error| {
            Error::failed(format!("`{}` cannot be read: {error}", directory.join(name).display()))
                .hint("pass --force to run again")
        })
    };
    let (summary, table) = (read(SUMMARY)?, read(TABLE)?);
    let outcome: serde_json::Value = serde_json::from_str(&summary).map_err(|_| other())?;
    let number = |value: &serde_json::Value| value.as_u64().unwrap_or_default();
    let unsolved = number(&outcome["solves"]["total"]) - number(&outcome["solves"]["converged"]);
    let disagreements = number(&outcome["crosscheck"]["disagreements"]);
    Ok(Found::Finished { summary, table, unsolved, disagreements })
}

/// Whether all results are there as the manifest knows them.
fn intact(directory: &Path, digests: &serde_json::Value) -> bool {
    RESULTS.iter().all(|name| {
        std::fs::read(directory.join(name)).is_ok_and(|bytes| digests[name] == hex(&Sha256::digest(&bytes)).as_str())
    })
}

/// Marks the directory as this run's before the work: if it is interrupted, the same command goes on with its seed.
///
/// # Errors
/// The directory cannot be made or written to.
pub fn begin(directory: &Path, manifest: &Manifest, seed: u64) -> Result<()> {
    std::fs::create_dir_all(directory).map_err(|error| {
        Error::failed(format!("`{}` cannot be created: {error}", directory.display())).hint("give another -o DIR")
    })?;
    let started = serde_json::json!({ "finished": false });
    write_manifest(directory, manifest, seed, started)
}

/// Writes the results, and last the manifest that vouches for them.
///
/// # Errors
/// A file cannot be written.
pub fn finish(
    directory: &Path,
    outcome: &Outcome,
    summary: &str,
    table: &str,
    manifest: &Manifest,
    seconds: f64,
) -> Result<()> {
    let text = |name: &str, text: &str| {
        atomic::write(&directory.join(name), Existing::Replace, |file| file.write_all(text.as_bytes()))
    };
    text(SUMMARY, summary)?;
    text(TABLE, table)?;
    text(ASSETS, &assets_csv(outcome)?)?;
    let run = serde_json::to_string(&outcome.run).map_err(|error| Error::failed(error.to_string()))?;
    let metadata = [("equirisk".to_string(), env!("CARGO_PKG_VERSION").to_string()), ("run".to_string(), run)];
    let weights = directory.join(WEIGHTS);
    write_weights(&weights, Existing::Replace, &outcome.names, &outcome.solutions, 0, &metadata)?;

    let mut outputs = serde_json::Map::new();
    for name in RESULTS {
        let bytes = std::fs::read(directory.join(name))
            .map_err(|error| Error::failed(format!("`{name}` cannot be read again: {error}")))?;
        outputs.insert(name.to_string(), hex(&Sha256::digest(&bytes)).into());
    }
    let finished = serde_json::json!({
        "finished": true,
        "run": outcome.run,
        "range": [0, outcome.run.resamples],
        "chunk": chunk_size(outcome.run.rows, outcome.run.assets),
        "solves": outcome.solves,
        "outputs_sha256": outputs,
        "timings": { "seconds": seconds },
    });
    write_manifest(directory, manifest, outcome.run.seed, finished)
}

/// `run.json`: what was asked for, and `state`.
fn write_manifest(directory: &Path, manifest: &Manifest, seed: u64, state: serde_json::Value) -> Result<()> {
    let mut run = serde_json::json!({
        "schema": 1,
        "program": "equirisk",
        "version": env!("CARGO_PKG_VERSION"),
        "command": manifest.command,
        "input": manifest.input,
        "job": manifest.job,
        "seed": seed,
    });
    if let (Some(run), serde_json::Value::Object(state)) = (run.as_object_mut(), state) {
        run.extend(state);
    }
    let text = serde_json::to_string_pretty(&run).map_err(|error| Error::failed(error.to_string()))? + "\n";
    atomic::write(&directory.join(MANIFEST), Existing::Replace, |file| file.write_all(text.as_bytes()))
}

/// One line per asset: the weight's distribution, its Monte Carlo errors, and the realised risk share.
fn assets_csv(outcome: &Outcome) -> Result<String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let failed = |error: csv::Error| Error::failed(format!("`{ASSETS}` cannot be written: {error}"));
    let statistics = ["mean", "sd", "q025", "q05", "q25", "q50", "q75", "q95", "q975"];
    let mut header: Vec<String> = ["asset", "budget", "point"].map(String::from).to_vec();
    header.extend(statistics.map(String::from));
    header.extend(
        ["bias", "mean_rank", "rank_sd", "p_rank_1", "p_rank_3", "p_rank_5", "p_double", "p_half"].map(String::from),
    );
    header.extend(statistics.map(|s| format!("mc_error_{s}")));
    header.extend(["mean", "sd", "q05", "q50", "q95"].map(|s| format!("realised_risk_share_{s}")));
    writer.write_record(&header).map_err(failed)?;
    // Shortest text that reads back to the same number; nothing where there is none.
    let number = |x: f64| if x.is_finite() { x.to_string() } else { String::new() };
    let maybe = |x: Option<f64>| x.map_or(String::new(), number);
    for asset in &outcome.assets {
        let columns =
            |w: &WeightStatistics| [w.mean, w.sd, w.q025, w.q05, w.q25, w.q50, w.q75, w.q95, w.q975].map(number);
        let mut record = vec![asset.name.clone(), number(asset.budget), maybe(asset.point)];
        record.extend(columns(&asset.weight));
        record.extend([maybe(asset.bias), number(asset.mean_rank), number(asset.rank_sd)]);
        record.extend(
            [1, 3, 5].map(|k| maybe(asset.rank_probabilities.iter().find(|p| p.k == k).map(|p| p.probability))),
        );
        record.extend([maybe(asset.p_double), maybe(asset.p_half)]);
        record.extend(columns(&asset.mc_error));
        let share = outcome.methods.erc.realised.shares.iter().find(|share| share.name == asset.name);
        record.extend(match share {
            Some(s) => [s.summary.mean, s.summary.sd, s.summary.q05, s.summary.q50, s.summary.q95].map(number),
            None => [const { String::new() }; 5],
        });
        writer.write_record(&record).map_err(failed)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| Error::failed(error.to_string()))
}
