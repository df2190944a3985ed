//! The study before and after the work: what follows from data and configuration, and what solutions make of it.

use std::collections::HashSet;
use std::ops::Range;

use super::{Config, Methods, Outcome, Portfolio, Run, Sensitivity, SensitivityAsset};
use crate::batch::{Batch, Solutions, Source, Want, active};
use crate::certificate::Status;
use crate::covariance::{RiskModel, full_sample};
use crate::engine::{EngineInfo, Precision};
use crate::error::{Error, Result};
use crate::panel::{Panel, Returns};
use crate::resample::{LAW, Law};
use crate::run::checkpoint::Segment;
use crate::run::crosscheck::{CrossCheck, sample};
use crate::run::shard::Shard;
use crate::run::{self, Means, RcError, Solves, Watch};
use crate::solver::{self, Options};
use crate::study::block::{BlockEstimates, block_length, sensitivity_lengths};
use crate::study::measures::Components;
use crate::study::statistics::asset::{self, with_excluded};
use crate::study::statistics::blocks::Blocks;
use crate::study::statistics::figure::{Column, Figure, Rule, Setting};
use crate::study::statistics::observer::Observer;
use crate::study::statistics::passes::{self, Passes};
use crate::study::statistics::summary::Summary;
use crate::study::statistics::{certificates, convergence, method};

/// The effective number of bets is left out for more assets than this: the eigenvectors would take longer than all else.
const MOST_COMPONENTS: usize = 500;

/// The batches of a study in a checkpoint: the resamples, then those at other block lengths.
const MAIN: u32 = 0;

/// And what the cross-check of the first found, by the problems it looked at.
const CROSSCHECK: u32 = u32::MAX;

/// The study before the work: everything that does not depend on the engine.
#[derive(Debug)]
pub struct Plan {
    config: Config,
    /// All assets, and the positions of those with a budget.
    pub(super) names: Vec<String>,
    pub(super) keep: Vec<usize>,
    /// Of the assets with a budget.
    returns: Returns,
    panel: Panel,
    full: RiskModel,
    components: Option<Components>,
    point: Option<Vec<f64>>,
    block_length: f64,
    block_estimates: Option<BlockEstimates>,
    law: Law,
    pub(super) batch: Batch,
    /// Other block lengths, with their laws.
    lengths: Vec<(f64, Law)>,
}

/// Certified solutions of all batches of a study, or of a shard of each.
#[derive(Debug)]
pub(super) struct Solved {
    pub main: Solutions,
    pub crosscheck: Option<CrossCheck>,
    /// One for each of the other block lengths; none where it is the study's own.
    others: Vec<Option<Solutions>>,
}

/// The precision of certificates that a device made.
fn device(info: &EngineInfo) -> Option<Precision> {
    info.on_device().then_some(info.precision)
}

impl Plan {
    /// # Errors
    /// A panel that cannot be resampled, a block length out of range.
    pub fn new(returns: &Returns, budgets: &[f64], config: &Config, watch: &mut dyn Watch) -> Result<Plan> {
        let keep = active(budgets);
        let names = returns.assets.clone();
        let returns = returns.select(&keep);
        let panel = Panel::new(&returns)?;
        let full = full_sample(&panel);
        let budgets_kept: Vec<f64> = keep.iter().map(|&i| budgets[i]).collect();
        let point = point(&full, &budgets_kept);
        let (block_length, block_estimates) =
            block_length(&returns, point.as_deref(), config.scheme, config.block, watch);
        let law = Law::new(config.scheme, block_length, panel.rows(), config.seed, 0)?;
        let batch = Batch::new(Source::Resampled { panel: panel.clone(), law }, &budgets_kept)?;
        let lengths =
            if config.sensitivity { sensitivity_lengths(&law, block_length, config.scheme) } else { Vec::new() };
        let components = (panel.assets() <= MOST_COMPONENTS).then(|| Components::of(&full));
        warn_of_short_history(panel.rows(), panel.assets(), components.as_ref(), watch);
        Ok(Plan {
            config: *config,
            names,
            keep,
            returns,
            panel,
            full,
            components,
            point,
            block_length,
            block_estimates,
            law,
            batch,
            lengths,
        })
    }

    /// Resamples at each of the other block lengths.
    fn tenth(&self) -> u64 {
        self.config.resamples.div_ceil(10)
    }

    /// The resamples at the study's own block length.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Problems of all batches.
    pub fn problems(&self) -> u64 {
        let others = self.lengths.iter().filter(|(_, law)| *law != self.law).count() as u64;
        self.config.resamples + others * self.tenth()
    }

    pub(super) fn solve(&self, shard: Shard, means: &mut Means) -> Result<Solved> {
        let want = Want { comparisons: true };
        let mut solve = |number: u32, batch: &Batch, problems: u64| {
            let kept = &mut means.checkpoint.of(number);
            run::resume(means.engine, means.options, batch, shard.range(problems, 1), want, means.watch, kept)
        };
        let main = solve(MAIN, &self.batch, self.config.resamples)?;
        let mut others = Vec::new();
        for (number, (_, law)) in (MAIN + 1..).zip(&self.lengths) {
            let own = *law == self.law;
            let source = Source::Resampled { panel: self.panel.clone(), law: *law };
            let batch = Batch::new(source, self.batch.budgets())?;
            others.push(if own { None } else { Some(solve(number, &batch, self.tenth())?) });
        }
        let crosscheck = self.crosscheck(shard.range(self.config.resamples, 1), &main, means)?;
        Ok(Solved { main, crosscheck, others })
    }

    /// Of the sampled problems within `range`, whose solutions these are; what was looked at before is known.
    fn crosscheck(&self, range: Range<u64>, solutions: &Solutions, means: &mut Means) -> Result<Option<CrossCheck>> {
        if !means.engine.info().on_device() {
            return Ok(None);
        }
        let sample = sample(self.config.resamples, self.config.seed, self.config.crosscheck);
        let mut kept = means.checkpoint.of(CROSSCHECK);
        let mut found: Option<CrossCheck> = None;
        for segment in kept.segments(range.clone())? {
            let checked = match segment {
                Segment::Kept(range) => kept.read(&range, |bytes| serde_json::from_slice(bytes).ok())?,
                Segment::Missing(missing) => {
                    let inside = |problem: u64| sample.partition_point(|&p| p < problem);
                    let sampled = &sample[inside(missing.start)..inside(missing.end)];
                    let solutions = (range.start, solutions);
                    let checked =
                        run::crosschecked(means.engine, means.options, &self.batch, solutions, sampled, means.watch);
                    let text = serde_json::to_vec(&checked).map_err(|error| Error::failed(error.to_string()))?;
                    kept.keep(missing, || text)?;
                    checked
                }
            };
            found = match (found, checked) {
                (Some(a), Some(b)) => Some(a.and(b)),
                (a, b) => a.or(b),
            };
        }
        Ok(found)
    }

    /// What all statistics of resamples drawn by `law` share.
    fn setting<'a>(&'a self, law: &'a Law) -> Setting<'a> {
        Setting::new(
            (&self.panel, law),
            (&self.full, self.components.as_ref()),
            (&self.returns.assets, self.batch.budgets()),
            self.point.as_deref(),
            self.config.periods_per_year,
        )
    }

    /// Problems that the statistics and the file of weights read, all in all: what an observer is told of.
    pub fn reading(&self) -> u64 {
        let (resamples, tenth) = (self.config.resamples, self.tenth());
        let columns = columns(&self.setting(&self.law)).len();
        let others = self.lengths.len() as u64 * passes::work(sensitivity_columns(self.panel.assets()).len(), tenth);
        passes::work(columns, resamples) + convergence::work(resamples) + others + resamples
    }

    /// How so many problems ended, and their certified errors.
    pub(super) fn certified(
        &self,
        blocks: &dyn Blocks,
        problems: u64,
        info: &EngineInfo,
        observer: &mut dyn Observer,
    ) -> Result<(Solves, RcError)> {
        let passes = Passes { setting: &self.setting(&self.law), blocks, problems };
        certificates::certified(&passes, device(info), observer)
    }

    pub(super) fn outcome(self, solved: &Solved, info: EngineInfo, observer: &mut dyn Observer) -> Result<Outcome> {
        let Solved { main: solutions, crosscheck, others } = solved;
        let config = &self.config;
        let mut sensitivity = Vec::new();
        for ((length, law), own) in self.lengths.iter().zip(others) {
            sensitivity.push(self.sensitivity(law, *length, own.as_ref().unwrap_or(solutions), observer)?);
        }
        let setting = self.setting(&self.law);
        let passes = Passes { setting: &setting, blocks: solutions, problems: config.resamples };
        let (found, solves) = passes.distributions(columns(&setting), observer)?;
        let assets = asset::assets(&setting, &found);
        let convergence = match asset::mover(&assets) {
            Some(asset) => {
                let weight = found.of(Rule::RiskBudgeting, Figure::Weight(asset));
                convergence::convergence(&passes, asset, Summary::from(weight), observer)?
            }
            None => Vec::new(),
        };
        let (keep, names) = (&self.keep, &self.names);
        let [erc, inverse_volatility, equal_weight] =
            method::methods(&setting, solutions, &found, observer)?.map(|method| method.spread(keep, names));
        Ok(Outcome {
            assets: with_excluded(assets, keep, names),
            portfolio: Portfolio {
                volatility: erc.volatility.clone(),
                volatility_annual: config.periods_per_year.map(|_| Summary::from(found.of(ANNUAL.0, ANNUAL.1))),
                diversification_ratio: erc.diversification_ratio.clone(),
                effective_assets: erc.effective_assets.clone(),
            },
            methods: Methods { erc, inverse_volatility, equal_weight },
            solves,
            rc_error: certificates::rc_error(&found, &solves, device(&info)),
            crosscheck: *crosscheck,
            sensitivity,
            run: self.run(info),
            convergence,
            names: self.names.clone(),
            keep: self.keep.clone(),
        })
    }

    pub(super) fn run(&self, info: EngineInfo) -> Run {
        let (first, last) = self.returns.span();
        let (config, names) = (&self.config, &self.names);
        Run {
            seed: config.seed,
            scheme: config.scheme,
            block_length: self.block_length,
            threshold: self.law.threshold(),
            block_estimates: self.block_estimates.clone(),
            resamples: config.resamples,
            rows: self.panel.rows(),
            assets: self.panel.assets(),
            excluded: (0..names.len()).filter(|i| !self.keep.contains(i)).map(|i| names[i].clone()).collect(),
            first,
            last,
            engine: info.engine,
            adapter: info.adapter,
            driver: info.driver,
            precision: info.precision,
            law: LAW,
            tolerance: info.tolerance,
            periods_per_year: config.periods_per_year,
        }
    }
}

/// Says what a history short beside its assets means: a resample of T rows holds about 0.632 T distinct ones, and spectra
/// of resampled covariances are unreliable where n / T is not small (El Karoui & Purdom 2018).
fn warn_of_short_history(rows: usize, assets: usize, components: Option<&Components>, watch: &mut dyn Watch) {
    let ratio = assets as f64 / rows as f64;
    if (rows as f64) < 1.6 * assets as f64 {
        watch.notice(&format!(
            "{rows} rows for {assets} assets: a resample holds fewer distinct rows than assets, so its covariance is \
             singular; risk budgeting needs no inverse, but read the bands with care"
        ));
    } else if ratio > 0.1 {
        let smallest = components
            .map(|c| format!(", the smallest eigenvalue is {:.1e} of the total", c.smallest_share()))
            .unwrap_or_default();
        watch.notice(&format!(
            "{assets} assets over {rows} rows (n/T = {ratio:.2}{smallest}): resampled covariances are unreliable where \
             n/T is not small; a longer history or fewer assets help"
        ));
    }
}

/// The full-sample portfolio, finished to rounding; none where it does not exist.
fn point(full: &RiskModel, budgets: &[f64]) -> Option<Vec<f64>> {
    let total: f64 = budgets.iter().sum();
    let budgets: Vec<f64> = budgets.iter().map(|b| b / total).collect();
    let mut weights = vec![0.0; budgets.len()];
    let problem = solver::Problem {
        correlation: &full.correlation,
        volatilities: &full.volatilities,
        budgets: &budgets,
        covariance: None,
    };
    let options = Options { finish: true, ..Options::default() };
    let certificate = solver::solve(problem, options, &mut solver::Workspace::default(), &mut weights);
    (certificate.status == Status::Converged).then_some(weights)
}

/// The column of the yearly volatility.
const ANNUAL: (Rule, Figure) = (Rule::RiskBudgeting, Figure::VolatilityAnnual);

/// The columns of the resamples; those of the assets ask for more than those of the method they belong to.
fn columns(setting: &Setting) -> Vec<Column> {
    let mut columns = asset::columns(setting);
    columns.push(certificates::column());
    columns.extend(setting.periods_per_year.map(|_| Column::summarised(ANNUAL.0, ANNUAL.1)));
    for rule in Rule::ALL {
        let own = method::columns(setting, rule).into_iter();
        let known: HashSet<(Rule, Figure)> = columns.iter().map(|column| (column.rule, column.figure)).collect();
        columns.extend(own.filter(|column| !known.contains(&(column.rule, column.figure))));
    }
    // Figures of one method are computed together.
    columns.sort_by_key(|column| column.rule as usize);
    columns
}

/// The columns that are looked at again at other block lengths.
fn sensitivity_columns(assets: usize) -> Vec<Column> {
    let figures = (0..assets).map(Figure::Weight).chain([Figure::Volatility]);
    figures.map(|figure| Column::summarised(Rule::RiskBudgeting, figure)).collect()
}

impl Plan {
    /// Over the first tenth of the resamples that `blocks` are of.
    fn sensitivity(
        &self,
        law: &Law,
        block_length: f64,
        blocks: &dyn Blocks,
        observer: &mut dyn Observer,
    ) -> Result<Sensitivity> {
        let setting = self.setting(law);
        let passes = Passes { setting: &setting, blocks, problems: self.tenth() };
        let (found, solves) = passes.distributions(sensitivity_columns(self.panel.assets()), observer)?;
        let summary = |figure| Summary::from(found.of(Rule::RiskBudgeting, figure));
        let asset = |(i, name): (usize, &String)| {
            let Summary { mean, sd, q05, q95, .. } = summary(Figure::Weight(i));
            SensitivityAsset { name: name.clone(), mean, sd, q05, q95 }
        };
        Ok(Sensitivity {
            block_length,
            threshold: law.threshold(),
            resamples: self.tenth(),
            converged: solves.converged,
            assets: self.returns.assets.iter().enumerate().map(asset).collect(),
            volatility: summary(Figure::Volatility),
        })
    }
}
