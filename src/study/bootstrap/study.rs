//! The bootstrap as a [`Study`].

use std::ops::Range;
use std::path::Path;

use serde_json::Value;

use super::{Config, Outcome, Plan, Share, Spec, part, solve, verify};
use crate::batch::part::{Part, scaled};
use crate::engine::EngineInfo;
use crate::error::{Error, Result};
use crate::methods::Method;
use crate::methods::risk_budgeting::Options;
use crate::observer::Observer;
use crate::panel::Returns;
use crate::run::Context;
use crate::run::chunks::chunk_size;
use crate::run::crosscheck::{CrossCheck, Sample};
use crate::store::atomic::Existing;
use crate::store::manifest::Manifest;
use crate::store::weights::{Described, RC_ERROR, read_weights, write_weights};
use crate::store::{Checkpoint, history};
use crate::study::limited::Within;
use crate::study::protocol::{Ending, Study};
use crate::study::statistics::reading::Reading;

pub const WEIGHTS: &str = "weights.parquet";

/// The weights of methods beside risk budgeting.
const FURTHER: [(Method, &str); 5] = [
    (Method::VolatilityParity, "weights.volatility_parity.parquet"),
    (Method::InverseVolatility, "weights.inverse_volatility.parquet"),
    (Method::MinimumVariance, "weights.min_variance.parquet"),
    (Method::MaximumDiversification, "weights.max_diversification.parquet"),
    (Method::HierarchicalRiskParity, "weights.hrp.parquet"),
];

/// A bootstrap, ready to be solved.
#[derive(Debug)]
pub struct Bootstrap {
    plan: Plan,
    config: Config,
    /// Whether methods were asked for by name.
    named: bool,
}

impl Bootstrap {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The files of weights beside those of risk budgeting; where that is not of volatility, what it is paired with is
    /// always there.
    fn files(&self) -> impl Iterator<Item = (Method, &'static str)> {
        let wanted = |(method, _): &(Method, &str)| {
            let named = self.named || *method == Method::VolatilityParity;
            named && self.plan.selection.methods().contains(method)
        };
        FURTHER.into_iter().filter(wanted)
    }
}

fn described<'a>(error: &'a str, assets: &'a [String], metadata: &'a [(String, String)]) -> Described<'a> {
    Described { noun: Bootstrap::NOUN, assets, error, within_limits: false, start: 0, metadata }
}

impl Study for Bootstrap {
    type Spec = Spec;
    type Data = Returns;
    type Outcome = Outcome;
    type Share = Share;

    const NAME: &'static str = "bootstrap";
    const NOUN: &'static str = "resample";
    const PIECE: u64 = 1;
    const FILES: &'static [&'static str] = &["assets.csv", "days.csv", "rolling.csv", "report.html", WEIGHTS];
    const FURTHER: &'static [&'static str] = &[FURTHER[0].1, FURTHER[1].1, FURTHER[2].1, FURTHER[3].1];
    const DATA: Option<&'static str> = Some(history::NAME);
    const LAST_OF_PART: u32 = u32::MAX;
    const SOLVES_JOINED: bool = false;

    fn prepare(spec: &Spec, seed: Option<u64>, data: Returns, observer: &mut dyn Observer) -> Result<Bootstrap> {
        let config = spec.config(seed.unwrap_or_default());
        let none = Within::none(spec.budgets.len());
        let within = spec.within.as_ref().unwrap_or(&none);
        let plan = Plan::within(&data, &spec.budgets, within, &config, observer)?;
        let plan = match &spec.weights {
            Some(weights) => plan.holding(&data, weights)?,
            None => plan,
        };
        let named = spec.comparison.methods.is_some();
        let plan = plan.beside(spec.selection()).under(&spec.comparison.estimators)?;
        Ok(Bootstrap { plan, config, named })
    }

    fn further(&self) -> Vec<&'static str> {
        self.files().map(|(_, name)| name).collect()
    }

    fn problems(&self) -> u64 {
        self.config.resamples
    }

    fn work(&self, range: &Range<u64>, part: bool) -> u64 {
        let (resamples, own) = (self.config.resamples, range.end - range.start);
        let others = self.plan.problems() - resamples;
        let share = scaled(range, resamples, others);
        let reading = if part { self.plan.reading_of_part(own) } else { self.plan.reading() };
        own + (share.end - share.start) + Reading::work(reading)
    }

    fn whole(&self, context: &mut Context) -> Result<Outcome> {
        solve(&self.plan, context)
    }

    fn part(&self, share: Part, context: &mut Context) -> Result<Share> {
        part(&self.plan, share, context)
    }

    fn shared(share: &Share) -> Ending {
        let disagreements = share.crosscheck.map_or(0, |checked| checked.disagreements);
        Ending { solves: share.solves, disagreements, part: true }
    }

    fn ending(outcome: &Outcome) -> Ending {
        let disagreements = outcome.crosscheck.map_or(0, |checked| checked.disagreements);
        Ending { solves: outcome.solves, disagreements, part: false }
    }

    fn state(outcome: &Outcome) -> Value {
        serde_json::json!({
            "run": outcome.run,
            "range": [0, outcome.run.resamples],
            "chunk": chunk_size(outcome.run.rows, outcome.run.assets),
            "solves": outcome.solves,
            "crosscheck": outcome.crosscheck,
        })
    }

    fn state_of_part(share: &Share) -> Value {
        serde_json::json!({
            "run": share.run, "range": share.range, "solves": share.solves, "crosscheck": share.crosscheck,
        })
    }

    fn write(
        &self,
        outcome: &Outcome,
        store: &mut Checkpoint,
        observer: &mut dyn Observer,
        directory: &Path,
    ) -> Result<()> {
        let run = serde_json::to_string(&outcome.run).map_err(|error| Error::failed(error.to_string()))?;
        let metadata = [("equirisk".to_string(), env!("CARGO_PKG_VERSION").to_string()), ("run".to_string(), run)];
        let (path, names, observer) = (directory.join(WEIGHTS), &self.plan.names, &mut Reading::new(observer));
        self.plan.with_solutions(store, |blocks| {
            let within_limits = self.plan.batch().program().is_limited();
            let described = Described { within_limits, ..described(RC_ERROR, names, &metadata) };
            write_weights(&path, Existing::Replace, &described, blocks, observer)
        })?;
        for (method, name) in self.files() {
            let described = described(method.error(), names, &metadata);
            self.plan.with_portfolios(method, store, |blocks| {
                write_weights(&directory.join(name), Existing::Replace, &described, blocks, observer)
            })?;
        }
        Ok(())
    }

    fn keep(data: &Returns, directory: &Path) -> Result<()> {
        history::write(&directory.join(history::NAME), data)
    }

    fn data(_: &Manifest, spec: &Spec, directory: &Path) -> Result<Returns> {
        history::read_known(&directory.join(history::NAME), &spec.data_sha256)
    }

    fn verify(&self, maker: &EngineInfo, sample: Sample, directory: &Path) -> Result<CrossCheck> {
        let assets = self.plan.assets();
        let mut solutions = read_weights(&directory.join(WEIGHTS), assets, self.config.resamples)?;
        for (method, name) in self.files().filter(|(method, _)| method.is_solved()) {
            solutions.join(method, read_weights(&directory.join(name), assets, self.config.resamples)?);
        }
        let options = Options { tolerance: maker.tolerance, ..Options::default() };
        verify(&self.plan, sample, options, maker.precision, solutions)
    }
}
