//! Files of a screen: `summary.json`, `summary.txt`, `top.csv`, `histogram.csv`, `inclusion.csv`, `report.html`.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::setup::Setup;
use super::{directory, html};
use crate::covariance::Estimator;
use crate::error::{Error, Result};
use crate::measure::Metric;
use crate::resample::Scheme;
use crate::study::block::Block;
use crate::study::screen::figure::{Figure, Filter};
use crate::study::screen::verify::Listed;
use crate::study::screen::{Config, Outcome};
use crate::study::winners;
use crate::subsets::space::{Pool, Space};

const TOP: &str = "top.csv";
const HISTOGRAM: &str = "histogram.csv";
const INCLUSION: &str = "inclusion.csv";

/// What `run.json` vouches for.
pub const RESULTS: [&str; 6] = [directory::SUMMARY, directory::TABLE, TOP, HISTOGRAM, INCLUSION, directory::REPORT];

/// A screen, and what became of its winners on resamples of the history.
#[derive(Debug, Clone, Serialize)]
pub struct Screened {
    #[serde(flatten)]
    pub outcome: Outcome,
    pub bootstrap: Option<winners::Outcome>,
}

pub const STUDY: &str = "screen";

/// Winners on resamples of the history, as asked for.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Again {
    pub winners: usize,
    pub resamples: u64,
    pub scheme: Scheme,
    pub block: Block,
}

/// The resolved configuration: what makes two runs the same, beside the seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Job {
    pub study: String,
    /// SHA-256 of the returns or the covariance: names, row labels and values.
    pub data_sha256: String,
    /// The data are a covariance.
    pub covariance: bool,
    pub assume_psd: bool,
    /// The returns are logarithmic.
    pub log_returns: bool,
    pub size: usize,
    /// Assets of every subset, and of the others how many of each pool.
    pub included: Vec<u32>,
    pub pools: Vec<Pool>,
    pub sample: Option<u64>,
    pub max_correlation: Option<f64>,
    pub by: Figure,
    pub top: usize,
    pub filters: Vec<Filter>,
    pub shortlist: usize,
    pub shortlist_by: Metric,
    pub halves: bool,
    pub bootstrap: Option<Again>,
    /// Of the returns; none where the data are a covariance.
    pub estimator: Option<Estimator>,
    #[serde(flatten)]
    pub setup: Setup,
    pub periods_per_year: Option<f64>,
}

impl Job {
    /// The configuration that it was made of, but for the metrics to be written; none where no run has such a one.
    pub fn config(&self) -> Option<Config> {
        if self.estimator.is_none() != self.covariance {
            return None;
        }
        Some(Config {
            by: self.by,
            top: self.top.max(self.bootstrap.as_ref().map_or(0, |again| again.winners)),
            filters: self.filters.clone(),
            shortlist_by: self.shortlist_by,
            shortlist: self.shortlist,
            halves: self.halves,
            also: Vec::new(),
            crosscheck: self.setup.crosscheck,
        })
    }

    /// The space of subsets of so many assets.
    ///
    /// # Errors
    /// No subset meets the constraints, or they are of other assets.
    pub fn space(&self, assets: usize) -> Result<Space> {
        let mut named: Vec<u32> = self.included.clone();
        self.pools.iter().for_each(|pool| named.extend(&pool.assets));
        named.sort_unstable();
        let repeated = named.windows(2).any(|pair| pair[0] == pair[1]);
        if repeated || named.last().is_some_and(|&asset| asset as usize >= assets) {
            return Err(Error::input("the run's constraints are not about its assets").hint("run the job again"));
        }
        Space::new(self.size, self.included.clone(), self.pools.clone())
    }
}

/// The texts of an outcome beside summary and table, by file.
///
/// # Errors
/// A text cannot be made.
pub fn texts(screened: &Screened) -> Result<Vec<(&'static str, String)>> {
    let outcome = &screened.outcome;
    Ok(vec![
        (TOP, top_csv(screened)?),
        (HISTOGRAM, histogram_csv(outcome)?),
        (INCLUSION, inclusion_csv(outcome)?),
        (directory::REPORT, html::screen(screened)),
    ])
}

/// What `run.json` says of a finished run.
pub fn state(outcome: &Outcome) -> Value {
    serde_json::json!({
        "run": outcome.run,
        "range": [0, outcome.subsets.screened],
        "solves": outcome.solves,
        "crosscheck": outcome.crosscheck,
    })
}

/// The list of a finished screen.
///
/// # Errors
/// The summary cannot be read.
pub fn read_top(directory: &Path) -> Result<Vec<Listed>> {
    #[derive(Deserialize)]
    struct Summary {
        top: Vec<Listed>,
    }
    let path = directory.join(directory::SUMMARY);
    let wrong = |what: String| Error::input(format!("`{}` cannot be read: {what}", path.display()));
    let text = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    serde_json::from_slice::<Summary>(&text).map(|summary| summary.top).map_err(|error| wrong(error.to_string()))
}

/// Shortest text that reads back to the same number; nothing where there is none.
fn number(x: f64) -> String {
    if x.is_finite() { x.to_string() } else { String::new() }
}

fn maybe(x: Option<f64>) -> String {
    x.map_or(String::new(), number)
}

fn csv_of(name: &str, records: impl Iterator<Item = Vec<String>>) -> Result<String> {
    let failed = |error: String| Error::failed(format!("`{name}` cannot be written: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    for record in records {
        writer.write_record(&record).map_err(|error| failed(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

/// One line per subset of the list: its figures, then its assets, then their weights.
fn top_csv(screened: &Screened) -> Result<String> {
    let Screened { outcome, bootstrap } = screened;
    let k = outcome.run.size;
    let figures = ["volatility", "volatility_annual", "diversification_ratio", "effective_bets", "max_weight"];
    let path = ["sharpe", "sortino", "max_drawdown", "cvar95", "calmar"];
    let mut header: Vec<String> = ["place", "rank_index", "value"].map(String::from).to_vec();
    header.extend(figures.iter().chain(&["mean_correlation"]).chain(&path).map(ToString::to_string));
    header.extend(["rc_error", "first_half", "second_half", "p_best_again"].map(String::from));
    header.extend((1..=k).map(|i| format!("asset_{i}")));
    header.extend((1..=k).map(|i| format!("weight_{i}")));
    let records = outcome.top.iter().enumerate().map(|(at, entry)| {
        let f = &entry.figures;
        let mut record = vec![(at + 1).to_string(), entry.rank_index.to_string(), number(entry.value)];
        record.extend([number(f.volatility), maybe(f.volatility_annual)]);
        record.extend([f.diversification_ratio, f.effective_bets, f.max_weight].map(number));
        record.push(maybe(f.mean_correlation));
        record.extend(match &f.path {
            Some(p) => [p.sharpe, p.sortino, p.max_drawdown, p.cvar95, p.calmar.unwrap_or(f64::NAN)].map(number),
            None => [const { String::new() }; 5],
        });
        record.extend([
            number(entry.rc_error),
            maybe(entry.halves.map(|h| h.first)),
            maybe(entry.halves.map(|h| h.second)),
        ]);
        record.push(maybe(bootstrap.as_ref().and_then(|b| b.winners.get(at)).map(|winner| winner.probability)));
        record.extend(entry.assets.iter().cloned());
        record.extend(entry.weights.iter().map(|&w| number(w)));
        record
    });
    csv_of(TOP, std::iter::once(header).chain(records))
}

fn histogram_csv(outcome: &Outcome) -> Result<String> {
    let histogram = &outcome.distribution.histogram;
    let header = ["from", "to", "count"].map(String::from).to_vec();
    let bins = histogram.edges.windows(2).zip(&histogram.counts);
    let records = bins.map(|(edges, count)| vec![number(edges[0]), number(edges[1]), count.to_string()]);
    csv_of(HISTOGRAM, std::iter::once(header).chain(records))
}

fn inclusion_csv(outcome: &Outcome) -> Result<String> {
    let header = ["asset", "count", "frequency"].map(String::from).to_vec();
    let assets = outcome.inclusion.assets.iter();
    let records = assets.map(|asset| vec![asset.name.clone(), asset.count.to_string(), number(asset.frequency)]);
    csv_of(INCLUSION, std::iter::once(header).chain(records))
}
