//! How far can a risk-parity portfolio be trusted? Resample its history, solve every resample, and look at the spread.

use serde::Serialize;

use super::asset::{self, Asset, with_excluded};
use super::block::{Block, BlockEstimates, block_length, sensitivity_lengths};
use super::measures::{Components, Risk, equal_weight, inverse_volatility};
use super::method::{Method, Setting};
use super::summary::Summary;
use crate::batch::{Batch, Solutions, Source, Want, active};
use crate::certificate::Status;
use crate::covariance::full_sample;
use crate::engine::Engine;
use crate::error::Result;
use crate::panel::{Panel, Returns};
use crate::resample::{LAW, Law, Scheme};
use crate::run::crosscheck::{CrossCheck, Sample, sample};
use crate::run::{self, RcError, Solves, Watch};
use crate::solver::{self, Options};

/// What changes for the user.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Config {
    pub resamples: u64,
    pub scheme: Scheme,
    pub block: Block,
    pub seed: u64,
    pub crosscheck: Sample,
    /// Repeat the study at half and twice the block length with a tenth of the resamples.
    pub sensitivity: bool,
    pub periods_per_year: Option<f64>,
}

/// The effective number of bets is left out for more assets than this: the eigenvectors would take longer than all else.
const MOST_COMPONENTS: usize = 500;

/// The risk-budgeting portfolio as a whole, under each resample's own covariance.
#[derive(Debug, Clone, Serialize)]
pub struct Portfolio {
    pub volatility: Summary,
    pub volatility_annual: Option<Summary>,
    pub diversification_ratio: Summary,
    pub effective_assets: Summary,
}

#[derive(Debug, Clone, Serialize)]
pub struct Methods {
    pub erc: Method,
    pub inverse_volatility: Method,
    pub equal_weight: Method,
}

/// The main figures again at another block length.
#[derive(Debug, Clone, Serialize)]
pub struct Sensitivity {
    pub block_length: f64,
    pub threshold: Option<u64>,
    pub resamples: u64,
    pub converged: u64,
    pub assets: Vec<SensitivityAsset>,
    pub volatility: Summary,
}

#[derive(Debug, Clone, Serialize)]
pub struct SensitivityAsset {
    pub name: String,
    pub mean: f64,
    pub sd: f64,
    pub q05: f64,
    pub q95: f64,
}

/// What was run.
#[derive(Debug, Clone, Serialize)]
pub struct Run {
    pub seed: u64,
    pub scheme: &'static str,
    pub block_length: f64,
    /// The law's real parameter, of 2^32; null for fixed blocks.
    pub threshold: Option<u64>,
    pub block_estimates: Option<BlockEstimates>,
    pub resamples: u64,
    pub rows: usize,
    /// Assets solved for; those with a zero budget have left.
    pub assets: usize,
    /// Assets with a zero budget, held at weight zero.
    pub excluded: Vec<String>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub engine: &'static str,
    pub adapter: Option<String>,
    pub driver: Option<String>,
    pub precision: &'static str,
    pub law: &'static str,
    pub tolerance: f64,
    pub periods_per_year: Option<f64>,
}

/// What the study found.
#[derive(Debug, Clone, Serialize)]
pub struct Outcome {
    pub assets: Vec<Asset>,
    pub portfolio: Portfolio,
    pub methods: Methods,
    pub solves: Solves,
    pub rc_error: RcError,
    pub crosscheck: Option<CrossCheck>,
    pub sensitivity: Vec<Sensitivity>,
    pub run: Run,
    /// Names of all assets, in the order of `solutions`.
    #[serde(skip)]
    pub names: Vec<String>,
    /// Weights of every resample over all assets, zero-budget ones included.
    #[serde(skip)]
    pub solutions: Solutions,
}

/// Runs the study. `budgets` has one entry per asset; assets with a zero budget leave.
///
/// # Errors
/// A panel that cannot be resampled, a block length out of range, a device that fails.
pub fn bootstrap(
    returns: &Returns,
    budgets: &[f64],
    config: &Config,
    engine: &dyn Engine,
    options: Options,
    watch: &mut dyn Watch,
) -> Result<Outcome> {
    let keep = active(budgets);
    let names = returns.assets.clone();
    let returns = returns.select(&keep);
    let panel = Panel::new(&returns)?;
    let full = {
        let (correlation, volatilities) = full_sample(&panel);
        Risk { correlation, volatilities }
    };
    let budgets_kept: Vec<f64> = keep.iter().map(|&i| budgets[i]).collect();
    let point = point(&full, &budgets_kept);
    let (length, estimates) = block_length(&returns, point.as_deref(), config.scheme, config.block, watch);
    let law = Law::new(config.scheme, length, panel.rows(), config.seed, 0)?;
    let source = |law| Source::Resampled { panel: panel.clone(), law };
    let batch = Batch::new(source(law), &budgets_kept)?;
    let want = Want { comparisons: true };
    let lengths = if config.sensitivity { sensitivity_lengths(&law, length, config.scheme) } else { Vec::new() };

    let components = (panel.assets() <= MOST_COMPONENTS).then(|| Components::of(&full));
    warn_of_short_history(panel.rows(), panel.assets(), components.as_ref(), watch);

    let solutions = run::solve(engine, options, &batch, 0..config.resamples, want, watch)?;
    let info = engine.info();
    let checked = sample(config.resamples, config.seed, config.crosscheck);
    let crosscheck = run::crosschecked(engine, options, &batch, &solutions, &checked, watch);

    let study = Study { panel: &panel, full: &full, components, batch: &batch, returns: &returns };
    let tenth = config.resamples.div_ceil(10);
    let mut sensitivity = Vec::new();
    for (length, law) in lengths {
        let entry = if Some(law) == batch.law() {
            study.sensitivity(&law, length, &solutions, tenth)
        } else {
            let batch = Batch::new(source(law), &budgets_kept)?;
            let solutions = run::solve(engine, options, &batch, 0..tenth, want, watch)?;
            study.sensitivity(&law, length, &solutions, tenth)
        };
        sensitivity.push(entry);
    }

    let converged = study.converged(&solutions);
    let methods = study.methods(&law, &converged, point.clone(), config.periods_per_year);
    let annual = config.periods_per_year.map(f64::sqrt);
    let (first, last) = returns.span();
    Ok(Outcome {
        assets: with_excluded(
            asset::assets(&returns.assets, batch.budgets(), &converged.weights, point.as_deref()),
            &keep,
            &names,
        ),
        portfolio: Portfolio {
            volatility: methods.erc.volatility.clone(),
            volatility_annual: annual.map(|a| Summary::of(converged.volatility.iter().map(|v| v * a))),
            diversification_ratio: methods.erc.diversification_ratio.clone(),
            effective_assets: methods.erc.effective_assets.clone(),
        },
        methods: Methods {
            erc: methods.erc.spread(&keep, &names),
            inverse_volatility: methods.inverse_volatility.spread(&keep, &names),
            equal_weight: methods.equal_weight.spread(&keep, &names),
        },
        solves: Solves::count(&solutions),
        rc_error: RcError::of(&solutions, (info.engine != "cpu").then_some(info.precision)),
        crosscheck,
        sensitivity,
        run: Run {
            seed: config.seed,
            scheme: config.scheme.name(),
            block_length: length,
            threshold: law.threshold(),
            block_estimates: estimates,
            resamples: config.resamples,
            rows: panel.rows(),
            assets: panel.assets(),
            excluded: (0..names.len()).filter(|i| !keep.contains(i)).map(|i| names[i].clone()).collect(),
            first,
            last,
            engine: info.engine,
            adapter: info.adapter,
            driver: info.driver,
            precision: info.precision,
            law: LAW,
            tolerance: info.tolerance,
            periods_per_year: config.periods_per_year,
        },
        solutions: spread_weights(solutions, &keep, names.len()),
        names,
    })
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
fn point(full: &Risk, budgets: &[f64]) -> Option<Vec<f64>> {
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

/// What the parts of the study share.
struct Study<'a> {
    panel: &'a Panel,
    full: &'a Risk,
    components: Option<Components>,
    batch: &'a Batch,
    returns: &'a Returns,
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

impl Study<'_> {
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

    fn methods(
        &self,
        law: &Law,
        converged: &Converged,
        point: Option<Vec<f64>>,
        periods_per_year: Option<f64>,
    ) -> Methods {
        let n = self.panel.assets();
        let setting = Setting {
            panel: self.panel,
            law,
            full: self.full,
            components: self.components.as_ref(),
            budgets: self.batch.budgets(),
            assets: &self.returns.assets,
            periods_per_year,
            resamples: &converged.resamples,
            volatilities: &converged.volatilities,
        };
        let inverse: Vec<f64> = converged.volatilities.chunks_exact(n).flat_map(inverse_volatility).collect();
        let equal = equal_weight(n).repeat(converged.resamples.len());
        Methods {
            erc: Method::of(&setting, &converged.weights, &converged.volatility, point),
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
