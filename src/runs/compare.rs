//! What changed between two bootstraps: data, configuration, weights and their bands.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::finished;
use crate::error::{Error, Result};
use crate::store::difference::fields;
use crate::store::directory::SUMMARY;
use crate::store::manifest::Manifest;
use crate::study::bootstrap::Bootstrap;
use crate::study::protocol::Study as _;

/// Two runs beside each other.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compared {
    pub runs: [Compare; 2],
    /// What is not the same of data, configuration, engine and version.
    pub configuration: Vec<Field>,
    /// Of both runs, in the order of the first; what only the second holds comes last.
    pub assets: Vec<Asset>,
    /// Half the absolute change of all weights, of assets that one run does not know from zero; null where a run has no
    /// full-history portfolio.
    pub distance: Option<f64>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Compare {
    pub path: String,
    pub command: String,
    pub data: String,
}

/// An entry that differs, by its path.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    pub field: String,
    pub first: Value,
    pub second: Value,
}

/// A weight in both runs; nulls where a run does not know the asset.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Asset {
    pub name: String,
    pub first: Option<f64>,
    pub second: Option<f64>,
    /// second - first.
    pub difference: Option<f64>,
    /// From the 5 % to the 95 % quantile of the resamples.
    pub first_band: Option<[f64; 2]>,
    pub second_band: Option<[f64; 2]>,
    /// Whether the bands have a weight in common.
    pub overlaps: Option<bool>,
}

/// Compares the finished bootstraps in two directories.
///
/// # Errors
/// No finished run, one of another study, files that are not what they were.
pub fn compare(directories: [&Path; 2]) -> Result<Compared> {
    let [first, second] = [read(directories[0])?, read(directories[1])?];
    let known = |run: &Read, name: &str| run.assets.iter().find(|asset| asset.name == name).cloned();
    let others = second.assets.iter().filter(|asset| known(&first, &asset.name).is_none());
    let names: Vec<String> = first.assets.iter().chain(others).map(|asset| asset.name.clone()).collect();
    let assets: Vec<Asset> =
        names.into_iter().map(|name| beside(known(&first, &name), known(&second, &name), name)).collect();
    let holds = |run: &Read| run.assets.iter().all(|asset| asset.point.is_some());
    let distance = (holds(&first) && holds(&second)).then(|| {
        let change = |asset: &Asset| (asset.second.unwrap_or(0.0) - asset.first.unwrap_or(0.0)).abs();
        0.5 * assets.iter().map(change).sum::<f64>()
    });
    let field = |(field, first, second): (String, Value, Value)| Field { field, first, second };
    let configuration = fields(&first.configuration, &second.configuration).into_iter().map(field).collect();
    Ok(Compared { runs: [first.run, second.run], configuration, assets, distance })
}

/// What is read of a run.
struct Read {
    run: Compare,
    configuration: Value,
    assets: Vec<Weight>,
}

/// An asset as the summary has it.
#[derive(Debug, Clone, Deserialize)]
struct Weight {
    name: String,
    point: Option<f64>,
    q05: Option<f64>,
    q95: Option<f64>,
}

fn read(directory: &Path) -> Result<Read> {
    #[derive(Deserialize)]
    struct Summary {
        assets: Vec<Weight>,
    }
    let shown = directory.display();
    let manifest = finished(directory)?;
    let study = manifest.job["study"].as_str().unwrap_or("run");
    if study != Bootstrap::NAME {
        return Err(Error::usage(format!("`{shown}` holds a {study}, which has no bands to compare"))
            .hint("name the directories of two bootstraps"));
    }
    let path = directory.join(SUMMARY);
    let failed = |error: String| Error::failed(format!("`{}` cannot be read: {error}", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|error| failed(error.to_string()))?;
    let summary: Summary = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let command = match manifest.input.command.is_empty() {
        true => manifest.command.join(" "),
        false => manifest.input.command.clone(),
    };
    Ok(Read {
        run: Compare { path: shown.to_string(), command, data: manifest.input.sources() },
        configuration: configuration(&manifest),
        assets: summary.assets,
    })
}

/// Whatever may explain a difference: what was asked for stands at the top, how it was computed under `setup` and `run`.
fn configuration(manifest: &Manifest) -> Value {
    let input = &manifest.input;
    let run = &manifest.outcome["run"];
    let mut all = serde_json::json!({
        "data": input.sources(),
        "rows": input.rows,
        "first": input.first,
        "last": input.last,
        "assets": input.assets.len(),
        "seed": manifest.seed,
        "run": {
            "block_length": run["block_length"],
            "engine": run["engine"],
            "adapter": run["adapter"],
            "precision": run["precision"],
            "version": manifest.version,
        },
    });
    for part in [&manifest.job, &manifest.job["config"]] {
        for (name, value) in part.as_object().into_iter().flatten().filter(|(name, _)| *name != "config") {
            all[name] = value.clone();
        }
    }
    // Runs of versions that knew no other.
    if all["measure"].is_null() {
        all["measure"] = "volatility".into();
    }
    if let Some((name, parameters)) = all["measure"].as_object().and_then(|own| own.iter().next()) {
        let (name, parameters) = (name.clone(), parameters.clone());
        all["measure"] = name.into();
        all["level"] = parameters["level"].clone();
        all["centred"] = parameters["centred"].clone();
    }
    // By its name, and its parameter beside it.
    if let Some((name, parameters)) = all["estimator"].as_object().and_then(|own| own.iter().next()) {
        let (name, half_life) = (name.clone(), parameters["half_life"].clone());
        all["estimator"] = name.into();
        all["half_life"] = half_life;
    }
    all
}

fn beside(first: Option<Weight>, second: Option<Weight>, name: String) -> Asset {
    let point = |weight: &Option<Weight>| weight.as_ref().and_then(|weight| weight.point);
    let band = |weight: &Option<Weight>| weight.as_ref().and_then(|weight| Some([weight.q05?, weight.q95?]));
    let (first_band, second_band) = (band(&first), band(&second));
    Asset {
        name,
        difference: point(&first).zip(point(&second)).map(|(first, second)| second - first),
        first: point(&first),
        second: point(&second),
        overlaps: first_band.zip(second_band).map(|(a, b)| a[0].max(b[0]) <= a[1].min(b[1])),
        first_band,
        second_band,
    }
}
