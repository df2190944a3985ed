//! A run directory: `run.json`, `summary.json`, `summary.txt`, `assets.csv`, `weights.parquet`.
//!
//! Every file appears by atomic rename, `run.json` last: where it stands, the run is finished. All but `run.json`, which
//! holds the command and timings, are byte-identical between equal runs.

use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::error::{Error, Result};
use crate::io::atomic::{self, Existing};
use crate::io::write_weights;
use crate::panel::Returns;
use crate::run::chunks::chunk_size;
use crate::study::bootstrap::{Block, Config, Outcome};

const MANIFEST: &str = "run.json";
const SUMMARY: &str = "summary.json";
const TABLE: &str = "summary.txt";
const ASSETS: &str = "assets.csv";
const WEIGHTS: &str = "weights.parquet";

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
        engine: &str,
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
    pub seconds: f64,
}

/// A run that the directory holds already.
#[derive(Debug, Clone)]
pub struct Finished {
    pub summary: String,
    pub table: String,
}

/// Looks into a directory before the work: an equal finished run is given back, anything else refused unless `force`.
///
/// # Errors
/// The directory holds another job, or files that no run made.
pub fn examine(directory: &Path, job: &Job, force: bool) -> Result<Option<Finished>> {
    let shown = directory.display();
    if directory.exists() && !directory.is_dir() {
        return Err(Error::usage(format!("`{shown}` is not a directory")).hint("give another -o DIR"));
    }
    if force {
        return Ok(None);
    }
    let Ok(bytes) = std::fs::read(directory.join(MANIFEST)) else {
        return Ok(None);
    };
    let other = || {
        Error::usage(format!("`{shown}` holds the result of a different run"))
            .hint("give another -o DIR, or --force to replace it")
    };
    let manifest: serde_json::Value = serde_json::from_slice(&bytes).map_err(|_| other())?;
    let held: Job = serde_json::from_value(manifest["job"].clone()).map_err(|_| other())?;
    let same_seed = job.seed.is_none_or(|seed| manifest["run"]["seed"] == seed);
    if held != (Job { seed: None, ..job.clone() }) || !same_seed {
        return Err(other());
    }
    let read = |name: &str| {
        std::fs::read_to_string(directory.join(name)).map_err(|error| {
            Error::failed(format!("`{}` cannot be read: {error}", directory.join(name).display()))
                .hint("pass --force to run again")
        })
    };
    Ok(Some(Finished { summary: read(SUMMARY)?, table: read(TABLE)? }))
}

/// Writes a finished run.
///
/// # Errors
/// A file cannot be written.
pub fn write(directory: &Path, outcome: &Outcome, summary: &str, table: &str, manifest: &Manifest) -> Result<()> {
    std::fs::create_dir_all(directory)
        .map_err(|error| Error::failed(format!("`{}` cannot be created: {error}", directory.display())))?;
    // An interrupted rewrite must not look finished.
    match std::fs::remove_file(directory.join(MANIFEST)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(Error::failed(format!("`{}` cannot be replaced: {error}", directory.join(MANIFEST).display())));
        }
        _ => {}
    }
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
    for name in [SUMMARY, TABLE, ASSETS, WEIGHTS] {
        let bytes = std::fs::read(directory.join(name))
            .map_err(|error| Error::failed(format!("`{name}` cannot be read again: {error}")))?;
        outputs.insert(name.to_string(), hex(&Sha256::digest(&bytes)).into());
    }
    let run_json = serde_json::json!({
        "schema": 1,
        "program": "equirisk",
        "version": env!("CARGO_PKG_VERSION"),
        "command": manifest.command,
        "job": manifest.job,
        "input": manifest.input,
        "run": outcome.run,
        "range": [0, outcome.run.resamples],
        "chunk": chunk_size(outcome.run.rows, outcome.run.assets),
        "solves": outcome.solves,
        "outputs_sha256": outputs,
        "timings": { "seconds": manifest.seconds },
    });
    let run_json = serde_json::to_string_pretty(&run_json).map_err(|error| Error::failed(error.to_string()))?;
    text(MANIFEST, &(run_json + "\n"))
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
        let columns = |w: &crate::study::bootstrap::WeightStatistics| {
            [w.mean, w.sd, w.q025, w.q05, w.q25, w.q50, w.q75, w.q95, w.q975].map(number)
        };
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
