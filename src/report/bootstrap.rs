//! Files of a bootstrap study: `summary.json`, `summary.txt`, `assets.csv`, `report.html`, `weights.parquet`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::setup::Setup;
use super::{digest, directory, html};
use crate::covariance::Estimator;
use crate::error::{Error, Result};
use crate::io::atomic::Existing;
use crate::panel::Returns;
use crate::report::weights::write_weights;
use crate::resample::Scheme;
use crate::run::chunks::chunk_size;
use crate::study::block::Block;
use crate::study::bootstrap::{Config, Outcome};
use crate::study::statistics::asset::WeightStatistics;
use crate::study::statistics::blocks::{Blocks, Spread};
use crate::study::statistics::observer::Observer;

const ASSETS: &str = "assets.csv";
pub const WEIGHTS: &str = "weights.parquet";

/// What `run.json` vouches for.
pub const RESULTS: [&str; 5] = [directory::SUMMARY, directory::TABLE, ASSETS, directory::REPORT, WEIGHTS];

pub const STUDY: &str = "bootstrap";

/// The resolved configuration: what makes two runs the same, beside the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    study: String,
    /// SHA-256 of the returns: names, row labels and values.
    pub returns_sha256: String,
    /// One for each asset.
    pub budgets: Vec<f64>,
    resamples: u64,
    scheme: Scheme,
    block: Block,
    sensitivity: bool,
    estimator: Estimator,
    #[serde(flatten)]
    pub setup: Setup,
    periods_per_year: Option<f64>,
}

impl Job {
    pub fn of(returns: &Returns, budgets: &[f64], config: &Config, estimator: Estimator, setup: Setup) -> Job {
        Job {
            study: STUDY.to_string(),
            returns_sha256: digest::history(returns),
            budgets: budgets.to_vec(),
            resamples: config.resamples,
            scheme: config.scheme,
            block: config.block,
            sensitivity: config.sensitivity,
            estimator,
            setup,
            periods_per_year: config.periods_per_year,
        }
    }

    /// The configuration that it was made of; none where no run has such a one.
    pub fn config(&self, seed: u64) -> Option<Config> {
        let positive = |x: &f64| *x > 0.0 && x.is_finite();
        let sound = self.resamples > 0
            && self.budgets.iter().all(|b| *b >= 0.0 && b.is_finite())
            && self.periods_per_year.is_none_or(|periods| positive(&periods))
            && self.setup.tolerance.is_none_or(|tolerance| positive(&tolerance));
        sound.then_some(Config {
            resamples: self.resamples,
            scheme: self.scheme,
            block: self.block,
            seed,
            crosscheck: self.setup.crosscheck,
            sensitivity: self.sensitivity,
            periods_per_year: self.periods_per_year,
        })
    }
}

/// Writes the files of an outcome, and the solutions it was made of, but for those `run.json` is finished with, which
/// come back: names and texts.
///
/// # Errors
/// A file cannot be written; those of the blocks and the observer.
pub fn write(
    directory: &Path,
    outcome: &Outcome,
    solutions: &dyn Blocks,
    observer: &mut dyn Observer,
) -> Result<Vec<(&'static str, String)>> {
    let run = serde_json::to_string(&outcome.run).map_err(|error| Error::failed(error.to_string()))?;
    let metadata = [("equirisk".to_string(), env!("CARGO_PKG_VERSION").to_string()), ("run".to_string(), run)];
    let weights = directory.join(WEIGHTS);
    let names = &outcome.names;
    let solutions = Spread { blocks: solutions, keep: &outcome.keep, assets: names.len() };
    write_weights(&weights, Existing::Replace, names, &solutions, 0, &metadata, observer)?;
    Ok(vec![(ASSETS, assets_csv(outcome)?), (directory::REPORT, html::bootstrap(outcome))])
}

/// What `run.json` says of a finished run.
pub fn state(outcome: &Outcome) -> Value {
    serde_json::json!({
        "run": outcome.run,
        "range": [0, outcome.run.resamples],
        "chunk": chunk_size(outcome.run.rows, outcome.run.assets),
        "solves": outcome.solves,
        "crosscheck": outcome.crosscheck,
    })
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
