//! Files of a bootstrap study: `summary.json`, `summary.txt`, `assets.csv`, `weights.parquet`.

use std::path::Path;

use serde::Serialize;

use super::directory::{self, Manifest, digest};
use crate::error::{Error, Result};
use crate::io::atomic::Existing;
use crate::panel::Returns;
use crate::report::weights::write_weights;
use crate::run::chunks::chunk_size;
use crate::study::asset::WeightStatistics;
use crate::study::bootstrap::{Config, Outcome};

const ASSETS: &str = "assets.csv";
const WEIGHTS: &str = "weights.parquet";

/// What `run.json` vouches for.
pub const RESULTS: [&str; 4] = [directory::SUMMARY, directory::TABLE, ASSETS, WEIGHTS];

/// What makes two runs the same job, beside the seed.
#[derive(Debug, Clone, Serialize)]
pub struct Job {
    study: &'static str,
    /// SHA-256 of the returns: names, row labels and values.
    returns_sha256: String,
    budgets: Vec<f64>,
    resamples: u64,
    scheme: &'static str,
    block: String,
    sensitivity: bool,
    engine: &'static str,
    /// None where none was asked for.
    precision: Option<&'static str>,
    tolerance: Option<f64>,
    periods_per_year: Option<f64>,
}

impl Job {
    pub fn of(
        returns: &Returns,
        budgets: &[f64],
        config: &Config,
        (engine, precision): (&'static str, Option<&'static str>),
        tolerance: Option<f64>,
    ) -> Job {
        Job {
            study: "bootstrap",
            returns_sha256: digest(returns),
            budgets: budgets.to_vec(),
            resamples: config.resamples,
            scheme: config.scheme.name(),
            block: config.block.to_string(),
            sensitivity: config.sensitivity,
            engine,
            precision,
            tolerance,
            periods_per_year: config.periods_per_year,
        }
    }
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
    let run = serde_json::to_string(&outcome.run).map_err(|error| Error::failed(error.to_string()))?;
    let metadata = [("equirisk".to_string(), env!("CARGO_PKG_VERSION").to_string()), ("run".to_string(), run)];
    let weights = directory.join(WEIGHTS);
    write_weights(&weights, Existing::Replace, &outcome.names, &outcome.solutions, 0, &metadata)?;
    let texts = [(directory::SUMMARY, summary), (directory::TABLE, table), (ASSETS, &assets_csv(outcome)?)];
    let state = serde_json::json!({
        "run": outcome.run,
        "range": [0, outcome.run.resamples],
        "chunk": chunk_size(outcome.run.rows, outcome.run.assets),
        "solves": outcome.solves,
        "timings": { "seconds": seconds },
    });
    directory::finish(directory, manifest, Some(outcome.run.seed), &texts, state)
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
