//! The study before and after the work: what follows from data and configuration, and what solutions make of it.

use std::ops::Range;
use std::sync::Arc;

use super::{Config, Methods, Outcome, Portfolio, Run, Sensitivity, SensitivityAsset};
use crate::batch::{Batch, Request, Solutions, active};
use crate::certificate::Status;
use crate::covariance::{RiskModel, full_sample};
use crate::engine::{EngineInfo, Precision};
use crate::error::Result;
use crate::observer::Observer;
use crate::panel::{Panel, Returns};
use crate::resample::{LAW, Law};
use crate::run::crosscheck::{CrossCheck, sample};
use crate::run::share::{Part, scaled};
use crate::run::{self, Context, RcError, Solves, Work};
use crate::solver::{self, Options};
use crate::study::asset::{self, with_excluded};
use crate::study::block::{BlockEstimates, block_length, sensitivity_lengths};
use crate::study::measures::{Components, equal_weight, inverse_volatility};
use crate::study::method::{Method, Setting};
use crate::study::summary::Summary;

/// The effective number of bets is left out for more assets than this: the eigenvectors would take longer than all else.
const MOST_COMPONENTS: usize = 500;

/// The batches of a study in a checkpoint: the resamples, then those at other block lengths.
const MAIN: u32 = 0;

/// The study before the work: everything that does not depend on the engine.
#[derive(Debug)]
pub struct Plan {
    pub(super) config: Config,
    /// All assets, and the positions of those with a budget.
    pub(super) names: Vec<String>,
    pub(super) keep: Vec<usize>,
    /// Of the assets with a budget.
    returns: Returns,
    panel: Arc<Panel>,
    full: RiskModel,
    components: Option<Components>,
    point: Option<Vec<f64>>,
    block_length: f64,
    block_estimates: Option<BlockEstimates>,
    law: Law,
    pub(super) batch: Batch<'static>,
    /// Other block lengths, with their laws.
    lengths: Vec<(f64, Law)>,
}

/// Certified solutions of all batches of a study, or of a shard of each.
#[derive(Debug)]
pub(super) struct Solved {
    /// Resamples of the part.
    pub range: Range<u64>,
    pub main: Solutions,
    pub crosscheck: Option<CrossCheck>,
    /// One for each of the other block lengths; none where it is the study's own.
    others: Vec<Option<Solutions>>,
}

/// The precision of certificates that a device made.
pub(super) fn device(info: &EngineInfo) -> Option<Precision> {
    info.on_device().then_some(info.precision)
}

impl Plan {
    /// # Errors
    /// A panel that cannot be resampled, a block length out of range.
    pub fn new(returns: &Returns, budgets: &[f64], config: &Config, watch: &mut dyn Observer) -> Result<Plan> {
        let keep = active(budgets);
        let names = returns.assets.clone();
        let returns = returns.select(&keep);
        let panel = Arc::new(Panel::new(&returns)?);
        let full = full_sample(&panel);
        let budgets_kept: Vec<f64> = keep.iter().map(|&i| budgets[i]).collect();
        let point = point(&full, &budgets_kept);
        let (block_length, block_estimates) =
            block_length(&returns, point.as_deref(), config.scheme, config.block, watch);
        let law = Law::new(config.scheme, block_length, panel.rows(), config.seed, 0)?;
        let batch = Batch::resampled(Arc::clone(&panel), law, config.resamples, &budgets_kept)?;
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
    pub fn batch(&self) -> &Batch<'static> {
        &self.batch
    }

    /// All assets, those without a budget included.
    pub fn assets(&self) -> usize {
        self.names.len()
    }

    /// Problems of all batches.
    pub fn problems(&self) -> u64 {
        let others = self.lengths.iter().filter(|(_, law)| *law != self.law).count() as u64;
        self.config.resamples + others * self.tenth()
    }

    pub(super) fn solve(&self, part: Option<Part>, context: &mut Context) -> Result<Solved> {
        let resamples = self.config.resamples;
        let range = part.map_or(Ok(0..resamples), |part| part.range(resamples, 1))?;
        let sampled = match context.engine.info().on_device() {
            true => sample(resamples, self.config.seed, self.config.crosscheck),
            false => Vec::new(),
        };
        let mut solve = |number: u32, batch: &Batch, range: Range<u64>, sample: &[u64]| {
            let request = Request::Portfolios { comparisons: true };
            run::gather(Work { batch, request: &request, number, sample }, range, context)
        };
        let main = solve(MAIN, &self.batch, range.clone(), &sampled)?;
        let mut others = Vec::new();
        for (number, (_, law)) in (MAIN + 1..).zip(&self.lengths) {
            let own = *law == self.law;
            let batch = Batch::resampled(Arc::clone(&self.panel), *law, self.tenth(), self.batch.budgets())?;
            let range = scaled(&range, resamples, self.tenth());
            others.push(if own { None } else { Some(solve(number, &batch, range, &[])?.solutions) });
        }
        Ok(Solved { range, main: main.solutions, crosscheck: main.check.map(CrossCheck::from), others })
    }

    pub(super) fn outcome(&self, solved: Solved, info: EngineInfo) -> Result<Outcome> {
        let Solved { main: solutions, crosscheck, others, .. } = solved;
        let config = &self.config;
        let sensitivity = self.lengths.iter().zip(&others).map(|((length, law), own)| {
            self.sensitivity(law, *length, own.as_ref().unwrap_or(&solutions), self.tenth())
        });
        let sensitivity = sensitivity.collect();
        let converged = self.converged(&solutions);
        let methods = self.methods(&converged);
        let annual = config.periods_per_year.map(f64::sqrt);
        let (keep, names) = (&self.keep, &self.names);
        Ok(Outcome {
            assets: with_excluded(
                asset::assets(&self.returns.assets, self.batch.budgets(), &converged.weights, self.point.as_deref()),
                keep,
                names,
            ),
            portfolio: Portfolio {
                volatility: methods.erc.volatility.clone(),
                volatility_annual: annual.map(|a| Summary::of(converged.volatility.iter().map(|v| v * a))),
                diversification_ratio: methods.erc.diversification_ratio.clone(),
                effective_assets: methods.erc.effective_assets.clone(),
            },
            methods: Methods {
                erc: methods.erc.spread(keep, names),
                inverse_volatility: methods.inverse_volatility.spread(keep, names),
                equal_weight: methods.equal_weight.spread(keep, names),
            },
            solves: Solves::count(&solutions),
            rc_error: RcError::of(&solutions, device(&info)),
            crosscheck,
            sensitivity,
            run: self.run(info),
            solutions: spread_weights(solutions, keep, names.len()),
            names: self.names.clone(),
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

/// Weights over all assets: zero where the budget is.
fn spread_weights(mut solutions: Solutions, keep: &[usize], assets: usize) -> Solutions {
    if keep.len() < assets {
        let mut all = vec![0.0; solutions.certificates.len() * assets];
        for (row, found) in all.chunks_exact_mut(assets).zip(solutions.weights.chunks_exact(keep.len())) {
            keep.iter().zip(found).for_each(|(&i, w)| row[i] = *w);
        }
        solutions.weights = all;
    }
    solutions
}

/// Says what a history short beside its assets means: a resample of T rows holds about 0.632 T distinct ones, and spectra
/// of resampled covariances are unreliable where n / T is not small (El Karoui & Purdom 2018).
fn warn_of_short_history(rows: usize, assets: usize, components: Option<&Components>, watch: &mut dyn Observer) {
    let ratio = assets as f64 / rows as f64;
    if (rows as f64) < 1.6 * assets as f64 {
        watch.notice(&format!(
            "{rows} rows for {assets} assets: a resample holds fewer distinct rows than assets, so its covariance is \
             singular; risk budgeting needs no inverse, but read the bands with care"
        ).into());
    } else if ratio > 0.1 {
        let smallest = components
            .map(|c| format!(", the smallest eigenvalue is {:.1e} of the total", c.smallest_share()))
            .unwrap_or_default();
        watch.notice(&format!(
            "{assets} assets over {rows} rows (n/T = {ratio:.2}{smallest}): resampled covariances are unreliable where \
             n/T is not small; a longer history or fewer assets help"
        ).into());
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

/// The converged resamples, side by side: the same set for every method.
struct Converged {
    resamples: Vec<u64>,
    /// resamples x n.
    weights: Vec<f64>,
    volatilities: Vec<f64>,
    /// Of the risk-budgeting, inverse-volatility and equal-weight portfolios under each resample's covariance.
    volatility: Vec<f64>,
    inverse_volatility: Vec<f64>,
    equal_weight: Vec<f64>,
}

impl Plan {
    fn converged(&self, solutions: &Solutions) -> Converged {
        self.converged_among(solutions, solutions.certificates.len())
    }

    fn converged_among(&self, solutions: &Solutions, first: usize) -> Converged {
        let n = self.panel.assets();
        let kept: Vec<usize> =
            (0..first).filter(|&at| solutions.certificates[at].status == Status::Converged).collect();
        let rows = |matrix: &[f64]| {
            let mut rows = Vec::with_capacity(kept.len() * n);
            kept.iter().for_each(|at| rows.extend_from_slice(&matrix[at * n..(at + 1) * n]));
            rows
        };
        let column = |values: &[f64]| kept.iter().map(|&at| values[at]).collect();
        let compared = &solutions.comparisons;
        Converged {
            resamples: kept.iter().map(|&at| at as u64).collect(),
            weights: rows(&solutions.weights),
            volatilities: rows(&compared.volatilities),
            volatility: kept.iter().map(|&at| solutions.certificates[at].volatility).collect(),
            inverse_volatility: column(&compared.inverse_volatility),
            equal_weight: column(&compared.equal_weight),
        }
    }

    fn methods(&self, converged: &Converged) -> Methods {
        let n = self.panel.assets();
        let setting = Setting {
            panel: &self.panel,
            law: &self.law,
            full: &self.full,
            components: self.components.as_ref(),
            budgets: self.batch.budgets(),
            assets: &self.returns.assets,
            periods_per_year: self.config.periods_per_year,
            resamples: &converged.resamples,
            volatilities: &converged.volatilities,
        };
        let inverse: Vec<f64> = converged.volatilities.chunks_exact(n).flat_map(inverse_volatility).collect();
        let equal = equal_weight(n).repeat(converged.resamples.len());
        Methods {
            erc: Method::of(&setting, &converged.weights, &converged.volatility, self.point.clone()),
            inverse_volatility: Method::of(
                &setting,
                &inverse,
                &converged.inverse_volatility,
                Some(self.full.inverse_volatility()),
            ),
            equal_weight: Method::of(&setting, &equal, &converged.equal_weight, Some(equal_weight(n))),
        }
    }

    fn sensitivity(&self, law: &Law, block_length: f64, solutions: &Solutions, first: u64) -> Sensitivity {
        let n = self.panel.assets();
        let converged = self.converged_among(solutions, first as usize);
        Sensitivity {
            block_length,
            threshold: law.threshold(),
            resamples: first,
            converged: converged.resamples.len() as u64,
            assets: (0..n)
                .map(|i| {
                    let summary = Summary::of(converged.weights.iter().skip(i).step_by(n).copied());
                    let Summary { mean, sd, q05, q95, .. } = summary;
                    SensitivityAsset { name: self.returns.assets[i].clone(), mean, sd, q05, q95 }
                })
                .collect(),
            volatility: Summary::of(converged.volatility.iter().copied()),
        }
    }
}
