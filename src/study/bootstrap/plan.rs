//! The study before and after the work: what follows from data and configuration, and what solutions make of it.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::{Config, Methods, Outcome, Portfolio, Run, Sensitivity, SensitivityAsset};
use crate::batch::part::{Part, scaled};
use crate::batch::{Batch, Request, Solutions};
use crate::covariance::{Estimate, Estimator, RiskModel, estimate};
use crate::engine::{EngineInfo, Precision};
use crate::error::{Error, Result, Text};
use crate::methods::certificate::Status;
use crate::methods::downside::measured;
use crate::methods::risk_budgeting::Options;
use crate::methods::{Method, Program, RiskMeasure, Selection};
use crate::observer::{Noted, Observer};
use crate::panel::{Panel, Returns};
use crate::resample::{LAW, Law};
use crate::run::crosscheck::{CrossCheck, sample};
use crate::run::{self, Context, RcError, Solves, Work};
use crate::sampling::Rows;
use crate::store::Checkpoint;
#[cfg(feature = "files")]
use crate::store::blocks::OfMethod;
use crate::store::blocks::{Blocks, Spread, Stored};
use crate::study::block::{BlockEstimates, block_length, sensitivity_lengths};
use crate::study::budgeted::warn_of_short_tail;
use crate::study::change::Change;
use crate::study::estimation::Estimation;
use crate::study::estimators;
use crate::study::holdings::Holdings;
use crate::study::influence::Influence;
use crate::study::limited::Within;
use crate::study::limits::NamedLimits;
use crate::study::measures::Components;
use crate::study::statistics::asset::{self, Asset, with_excluded};
use crate::study::statistics::distribution::Distribution;
use crate::study::statistics::figure::{Column, Figure, Setting};
use crate::study::statistics::limited::{self, Unlimited};
use crate::study::statistics::passes::{self, Passes};
use crate::study::statistics::summary::Summary;
use crate::study::statistics::{certificates, convergence, method, paired};

/// The effective number of bets is left out for more assets than this: the eigenvectors would take longer than all else.
const MOST_COMPONENTS: usize = 500;

/// Periods told that decide most.
const DAYS: usize = 20;

/// The batches of a study in a checkpoint: the resamples, then those at other block lengths; from the second number on,
/// those under other estimators.
const MAIN: u32 = 0;
const UNDER: u32 = 1 << 16;
/// A tenth of the resamples without limits.
const UNLIMITED: u32 = 1 << 17;

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
    /// The sample covariance of the full history: the truth of the world that resamples are drawn from.
    full: RiskModel,
    /// What the estimator makes of the full history.
    estimate: Estimate,
    components: Option<Components>,
    point: Option<Vec<f64>>,
    /// Contributions to the risk of the full-history portfolio, where risk is not volatility.
    contributions: Option<Vec<f64>>,
    /// Methods beside risk budgeting, over the assets with a budget, and the full-history portfolio of each.
    pub(super) selection: Selection,
    points: Vec<Option<Vec<f64>>>,
    block_length: f64,
    block_estimates: Option<BlockEstimates>,
    law: Law,
    pub(super) batch: Batch<'static>,
    /// Limits of the weights, where there are any.
    limits: Option<NamedLimits>,
    /// 1 or -1: returns are those of sizes.
    pub(super) signs: Vec<f64>,
    /// Other block lengths, with their laws.
    lengths: Vec<(f64, Law)>,
    /// Other estimators, and what they make of the full history.
    estimators: Vec<Estimate>,
    /// What was said of the history.
    notes: Vec<Text>,
    /// What somebody holds.
    given: Option<Holdings>,
}

/// What was done for a study, or for a part of one: its resamples are kept.
#[derive(Debug)]
pub(super) struct Solved {
    /// Resamples of the part.
    pub range: Range<u64>,
    pub crosscheck: Option<CrossCheck>,
}

/// The precision of certificates that a device made.
pub(super) fn device(info: &EngineInfo) -> Option<Precision> {
    info.on_device().then_some(info.precision)
}

impl Plan {
    /// Without limits.
    ///
    /// # Errors
    /// As [`Plan::within`].
    pub fn new(returns: &Returns, budgets: &[f64], config: &Config, observer: &mut dyn Observer) -> Result<Plan> {
        Plan::within(returns, budgets, &Within::none(budgets.len()), config, observer)
    }

    /// # Errors
    /// A panel that cannot be resampled, a block length out of range, limits that contradict each other.
    pub fn within(
        returns: &Returns,
        budgets: &[f64],
        within: &Within,
        config: &Config,
        observer: &mut dyn Observer,
    ) -> Result<Plan> {
        if budgets.len() != returns.assets.len() {
            return Err(Error::input(format!("{} risk budgets for {} assets", budgets.len(), returns.assets.len())));
        }
        let observer = &mut Noted::new(observer);
        let keep = within.keep(budgets);
        let names = returns.assets.clone();
        let signs: Vec<f64> = keep.iter().map(|&i| within.terms.sign(i)).collect();
        let returns = returns.select(&keep).signed(&signs);
        let panel = Arc::new(Panel::new(&returns)?);
        let full = Estimate::sample(&panel).model;
        let estimate = estimate(&panel, config.estimator).map_err(|still| still.named(&returns.assets))?;
        let budgets_kept: Vec<f64> = keep.iter().map(|&i| budgets[i]).collect();
        let program = within.program(&budgets_kept, &keep, &names, config.periods_per_year)?.under(config.measure);
        let limits = program.is_limited().then(|| within.limits.over(&keep));
        let (point, contributions) = match config.measure {
            RiskMeasure::Volatility if program.is_limited() => {
                (Method::RiskBudgeting.finished(&program, &estimate.model), None)
            }
            RiskMeasure::Volatility => (point(&estimate.model, &budgets_kept)?, None),
            measure => losses(measure, &panel, program.budgets()),
        };
        let (block_length, block_estimates) =
            block_length(&returns, point.as_deref(), config.scheme, config.block, observer);
        let law = Law::new(config.scheme, block_length, panel.rows(), config.seed, 0)?;
        let rows = Rows::Resampled { law, resamples: config.resamples };
        let batch = Batch::of_rows(Arc::clone(&panel), rows, config.estimator, program)?;
        let lengths =
            if config.sensitivity { sensitivity_lengths(&law, block_length, config.scheme) } else { Vec::new() };
        let components = (panel.assets() <= MOST_COMPONENTS).then(|| Components::of(&full));
        warn_of_short_tail(config.measure, panel.rows(), observer);
        warn_of_short_history(panel.rows(), panel.assets(), components.as_ref(), observer);
        Ok(Plan {
            config: *config,
            names,
            keep,
            returns,
            panel,
            full,
            estimate,
            components,
            points: vec![point.clone()],
            point,
            contributions,
            selection: Selection::NONE,
            block_length,
            block_estimates,
            law,
            batch,
            lengths,
            limits,
            signs,
            estimators: Vec::new(),
            notes: std::mem::take(&mut observer.notes),
            given: None,
        }
        .beside(Selection::CLOSED_FORMS))
    }

    /// Compares these methods, whose mixes are over all assets, with risk budgeting.
    #[must_use]
    pub fn beside(self, selection: Selection) -> Plan {
        let program = self.batch.program();
        let limits = program.is_limited().then(|| program.limits());
        let selection = selection.over(&self.keep).under(self.config.measure).within(limits);
        let mut points = estimators::points(self.batch.program(), &selection, &self.estimate);
        points[0].clone_from(&self.point);
        Plan { selection, points, ..self }
    }

    /// Repeats the study under these estimators, on a tenth of the resamples, beside its own.
    ///
    /// # Errors
    /// An asset that does not move over the rows that one of them weighs.
    pub fn under(self, estimators: &[Estimator]) -> Result<Plan> {
        let of = |estimator: &Estimator| {
            estimate(&self.panel, *estimator).map_err(|still| still.named(&self.returns.assets))
        };
        let own =
            (!estimators.is_empty() && !estimators.contains(&self.config.estimator)).then_some(self.config.estimator);
        let estimators = own.iter().chain(estimators).map(of).collect::<Result<_>>()?;
        Ok(Plan { estimators, ..self })
    }

    /// Compares the weights that somebody holds, one for each asset of `returns`, with the study's.
    ///
    /// # Errors
    /// Not as many as assets; they do not move.
    pub fn holding(self, returns: &Returns, weights: &[f64]) -> Result<Plan> {
        if weights.len() != self.names.len() {
            return Err(Error::input(format!("{} weights for {} assets", weights.len(), self.names.len())));
        }
        let held = match self.config.estimator {
            Estimator::Sample if self.config.measure.is_volatility() => Holdings::over(returns, weights)?,
            Estimator::Sample => Holdings::over(returns, weights)?.measured(self.config.measure, &Panel::new(returns)?),
            estimator => {
                let all = estimate(&Panel::new(returns)?, estimator).map_err(|still| still.named(&returns.assets))?;
                Holdings::under(&all.model.covariance(), weights)?
            }
        };
        Ok(Plan { given: Some(held), ..self })
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

    /// The laws of the resamples at other block lengths and the batches they are kept as; a length that comes to the
    /// study's own law takes its resamples.
    fn others(&self) -> impl Iterator<Item = (u32, f64, &Law)> {
        let number = |law: &Law, number| if *law == self.law { MAIN } else { number };
        (MAIN + 1..).zip(&self.lengths).map(move |(next, (length, law))| (number(law, next), *length, law))
    }

    /// Other estimators and the batches they are kept as; the study's own takes its resamples.
    fn under_others(&self) -> impl Iterator<Item = (u32, &Estimate)> {
        let number = |own: Estimator, number| if own == self.config.estimator { MAIN } else { number };
        (UNDER..).zip(&self.estimators).map(move |(next, estimate)| (number(estimate.estimator, next), estimate))
    }

    /// The batches beside the study's own resamples, a tenth of these each.
    fn tenths(&self) -> impl Iterator<Item = (u32, Law, Estimator)> {
        let lengths = self.others().map(|(number, _, law)| (number, *law, self.config.estimator));
        let estimators = self.under_others().map(|(number, estimate)| (number, self.law, estimate.estimator));
        lengths.chain(estimators).filter(|(number, ..)| *number != MAIN)
    }

    /// Problems of all batches.
    pub fn problems(&self) -> u64 {
        let tenths = self.tenths().count() + usize::from(self.limits.is_some());
        self.config.resamples + tenths as u64 * self.tenth()
    }

    /// Solves what is not kept, for the store of `context`.
    pub(super) fn solve(&self, part: Option<Part>, context: &mut Context) -> Result<Solved> {
        context.observer.phase("solving");
        let resamples = self.config.resamples;
        let range = part.map_or(Ok(0..resamples), |part| part.range(resamples, 1))?;
        let sampled = match context.engine.info().on_device() {
            true => sample(resamples, self.config.seed, self.config.crosscheck),
            false => Vec::new(),
        };
        let request = self.request();
        let main = Work { batch: &self.batch, request: &request, number: MAIN, sample: &sampled };
        let check = run::keep(main, range.clone(), context)?;
        for (number, law, estimator) in self.tenths() {
            context.observer.phase(if number < UNDER {
                "solving at other block lengths"
            } else {
                "solving under other estimators"
            });
            let rows = Rows::Resampled { law, resamples: self.tenth() };
            let batch = Batch::of_rows(Arc::clone(&self.panel), rows, estimator, self.batch.program().clone())?;
            let work = Work { batch: &batch, request: &request, number, sample: &[] };
            run::keep(work, scaled(&range, resamples, self.tenth()), context)?;
        }
        if self.limits.is_some() {
            context.observer.phase("solving without limits");
            let rows = Rows::Resampled { law: self.law, resamples: self.tenth() };
            let program = self.batch.program().clone().unlimited();
            let batch = Batch::of_rows(Arc::clone(&self.panel), rows, self.config.estimator, program)?;
            let work = Work { batch: &batch, request: &Request::COMPARED, number: UNLIMITED, sample: &[] };
            run::keep(work, scaled(&range, resamples, self.tenth()), context)?;
        }
        Ok(Solved { range, crosscheck: check.map(CrossCheck::from) })
    }

    /// Statistics want the volatilities of the assets, which come with the other methods: with some, where none is compared.
    pub(super) fn request(&self) -> Request {
        let beside = match self.selection.methods() {
            [] => Selection::CLOSED_FORMS,
            _ => self.selection.clone(),
        };
        Request::Portfolios { beside }
    }

    /// The first resamples of a batch that were solved for the store.
    fn blocks<'a>(&self, store: &'a Checkpoint, number: u32, range: Range<u64>) -> Result<Stored<'a>> {
        Stored::new(store, number, range, self.panel.assets())
    }

    /// The solutions of a study that was solved for the store, with the weights of all assets: zero where the budget is.
    ///
    /// # Errors
    /// They are not kept there, or cannot be read.
    pub fn solutions(&self, store: &Checkpoint) -> Result<Solutions> {
        self.with_solutions(store, |blocks| blocks.all())
    }

    /// The same, block by block.
    pub(super) fn with_solutions<T>(
        &self,
        store: &Checkpoint,
        take: impl FnOnce(&dyn Blocks) -> Result<T>,
    ) -> Result<T> {
        let blocks = self.blocks(store, MAIN, 0..self.config.resamples)?;
        take(&Spread { blocks: &blocks, keep: &self.keep, signs: &self.signs, assets: self.names.len() })
    }

    /// The solutions of a method beside risk budgeting, block by block.
    #[cfg(feature = "files")]
    pub(super) fn with_portfolios<T>(
        &self,
        method: Method,
        store: &Checkpoint,
        take: impl FnOnce(&dyn Blocks) -> Result<T>,
    ) -> Result<T> {
        let blocks = self.blocks(store, MAIN, 0..self.config.resamples)?;
        let blocks = OfMethod { blocks: &blocks, method, beside: &self.selection };
        take(&Spread { blocks: &blocks, keep: &self.keep, signs: &self.signs, assets: self.names.len() })
    }

    /// What other estimators are compared on.
    fn history(&self) -> estimators::History<'_> {
        estimators::History {
            panel: &self.panel,
            law: &self.law,
            full: &self.full,
            names: &self.returns.assets,
            program: self.batch.program(),
            selection: &self.selection,
        }
    }

    /// What all statistics of resamples drawn by `law` share.
    fn setting<'a>(&'a self, law: &'a Law) -> Setting<'a> {
        Setting::new(
            (&self.panel, law),
            (&self.full, &self.estimate.model, self.components.as_ref()),
            (&self.returns.assets, self.batch.program()),
            (&self.selection, &self.points),
            self.config.periods_per_year,
        )
        .contributing(self.contributions.as_deref())
        .within(self.limits.as_ref())
    }

    /// Problems that the statistics and the file of weights read, all in all: what an observer is told of.
    pub fn reading(&self) -> u64 {
        let (resamples, tenth) = (self.config.resamples, self.tenth());
        let columns = self.columns(&self.setting(&self.law)).len();
        let others = self.lengths.len() as u64 * passes::work(sensitivity_columns(self.panel.assets()).len(), tenth);
        let under = |estimate: &Estimate| {
            passes::work(estimators::columns(&self.setting(&self.law), estimate.estimator).len(), tenth)
        };
        let under: u64 = self.estimators.iter().map(under).sum();
        let unlimited =
            self.limits.as_ref().map_or(0, |_| passes::work(sensitivity_columns(self.panel.assets()).len(), tenth));
        passes::work(columns, resamples) + convergence::work(resamples) + others + under + unlimited + resamples
    }

    /// The same for a part of so many resamples.
    pub fn reading_of_part(&self, resamples: u64) -> u64 {
        passes::work(1, resamples)
    }

    /// How the resamples of a part ended, and their certified errors.
    pub(super) fn certified(
        &self,
        range: &Range<u64>,
        info: &EngineInfo,
        store: &Checkpoint,
        observer: &mut dyn Observer,
    ) -> Result<(Solves, RcError)> {
        let blocks = self.blocks(store, MAIN, range.clone())?;
        let problems = range.end - range.start;
        let passes = Passes { setting: &self.setting(&self.law), blocks: &blocks, problems };
        certificates::certified(&passes, device(info), observer)
    }

    pub(super) fn outcome(
        &self,
        solved: &Solved,
        info: EngineInfo,
        store: &Checkpoint,
        observer: &mut dyn Observer,
    ) -> Result<Outcome> {
        let config = &self.config;
        let mut sensitivity = Vec::new();
        for (number, length, law) in self.others() {
            let problems = if number == MAIN { config.resamples } else { self.tenth() };
            sensitivity.push(self.sensitivity(law, length, &self.blocks(store, number, 0..problems)?, observer)?);
        }
        let mut under = Vec::new();
        for (number, estimate) in self.under_others() {
            let problems = if number == MAIN { config.resamples } else { self.tenth() };
            let blocks = self.blocks(store, number, 0..problems)?;
            under.push(estimators::under(&self.history(), estimate, &blocks, self.tenth(), observer)?);
        }
        let setting = self.setting(&self.law);
        let solutions = &self.blocks(store, MAIN, 0..config.resamples)?;
        let passes = Passes { setting: &setting, blocks: solutions, problems: config.resamples };
        let (found, solves) = passes.distributions(self.columns(&setting), observer)?;
        let influence = self.influence();
        let robust = influence.as_ref().and_then(Influence::bands);
        let mut assets = asset::assets(&setting, &found, robust.as_deref());
        // Parts are compared by standard errors, which are known of volatility alone.
        let Change { halves, windows, rolling } = match config.measure {
            // Within limits neither.
            RiskMeasure::Volatility if self.limits.is_none() => Change::of(
                (&self.returns, self.batch.budgets()),
                config.estimator,
                &self.selection,
                config.windows,
                &observer.stop(),
            )?,
            _ => Change::default(),
        };
        let halves = halves.map(|(halves, of_assets)| {
            assets.iter_mut().zip(of_assets).for_each(|(asset, own)| asset.halves = Some(own));
            halves
        });
        let limited = limited::limited(&setting, &found);
        if limited.is_some() {
            let blocks = self.blocks(store, UNLIMITED, 0..self.tenth())?;
            let free = self.sensitivity(&self.law, self.block_length, &blocks, observer)?;
            for (asset, SensitivityAsset { mean, sd, q05, q95, .. }) in assets.iter_mut().zip(free.assets) {
                asset.unlimited = Some(Unlimited { mean, sd, q05, q95 });
            }
        }
        let convergence = match asset::mover(&assets) {
            Some(asset) => {
                let weight = found.of(Method::RiskBudgeting, Figure::Weight(asset));
                convergence::convergence(&passes, asset, Summary::from(weight), observer)?
            }
            None => Vec::new(),
        };
        let (keep, signs, names) = (&self.keep, &self.signs, &self.names);
        let statistics = method::methods(&setting, solutions, (&found, &solves), observer)?;
        let noise = |method| setting.place_of(method).map_or(f64::NAN, |at| statistics[at].pairwise_turnover);
        let noise = (noise(Method::RiskBudgeting), noise(Method::VolatilityParity));
        let paired = paired::paired(&setting, &found, noise).map(|paired| paired.spread(names));
        let statistics = statistics.into_iter().map(|method| method.spread((keep, signs), names)).collect();
        let methods = Methods { selection: self.selection.clone(), statistics };
        let erc = methods.own();
        let assets = with_excluded(assets, (keep, signs), names);
        Ok(Outcome {
            given: self.given.clone().map(|held| beside(held, &assets, names)),
            assets,
            portfolio: Portfolio {
                volatility: erc.volatility.clone(),
                volatility_annual: config.periods_per_year.map(|_| Summary::from(found.of(ANNUAL.0, ANNUAL.1))),
                diversification_ratio: erc.diversification_ratio.clone(),
                effective_assets: erc.effective_assets.clone(),
                budget_miss: limited.as_ref().map(|limited| limited.budget_miss.clone()),
            },
            groups: limited.as_ref().map(|limited| limited.groups.clone()),
            limits: limited.as_ref().map(|limited| limited.rows.clone()),
            turnover: limited.as_ref().and_then(|limited| limited.turnover.clone()),
            kkt_error: limited.as_ref().and_then(|limited| limited.kkt_error),
            methods,
            paired,
            solves,
            rc_error: certificates::rc_error(&found, &solves, device(&info)),
            crosscheck: solved.crosscheck,
            sensitivity,
            estimators: under,
            halves,
            windows,
            rolling: rolling.map(|rolling| rolling.signed(signs)),
            correlation: self.correlation(),
            days: influence.map_or(Vec::new(), |found| found.days(DAYS, &self.returns.labels, &self.returns.assets)),
            run: self.run(info, found.get(PARAMETER.0, PARAMETER.1)),
            notes: self.notes.clone(),
            convergence,
        })
    }

    /// Of the assets themselves, whatever the signs of their positions.
    fn correlation(&self) -> Vec<f64> {
        let (n, signs) = (self.signs.len(), &self.signs);
        self.full.correlation.iter().enumerate().map(|(k, c)| c * signs[k / n] * signs[k % n]).collect()
    }

    /// What each period does to the weights of the full history; not known where risk is not volatility.
    fn influence(&self) -> Option<Influence> {
        if !self.config.measure.is_volatility() || self.limits.is_some() {
            return None;
        }
        Influence::of(&self.panel, &self.estimate, self.point.as_deref()?, self.batch.budgets())
    }

    /// `parameters` are those of the estimator over the resamples, where they are known.
    pub(super) fn run(&self, info: EngineInfo, parameters: Option<&Distribution>) -> Run {
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
            windows: config.windows,
            estimator: Estimation::of(&self.estimate, self.panel.rows()).over(parameters.map(Summary::from)),
            risk: config.measure.into(),
            limits: self.limits.clone(),
        }
    }
}

/// Says what a history short beside its assets means: a resample of T rows holds about 0.632 T distinct ones, and spectra
/// of resampled covariances are unreliable where n / T is not small (El Karoui & Purdom 2018).
fn warn_of_short_history(rows: usize, assets: usize, components: Option<&Components>, observer: &mut dyn Observer) {
    let ratio = assets as f64 / rows as f64;
    if (rows as f64) < 1.6 * assets as f64 {
        observer.notice(&format!(
            "{rows} rows for {assets} assets: a resample holds fewer distinct rows than assets, so its covariance is \
             singular; risk budgeting needs no inverse, but read the bands with care"
        ).into());
    } else if ratio > 0.1 {
        let smallest = components
            .map(|c| format!(", the smallest eigenvalue is {:.1e} of the total", c.smallest_share()))
            .unwrap_or_default();
        observer.notice(&format!(
            "{assets} assets over {rows} rows (n/T = {ratio:.2}{smallest}): resampled covariances are unreliable where \
             n/T is not small; a longer history or fewer assets help"
        ).into());
    }
}

/// The full-sample portfolio, finished to rounding; none where it does not exist.
fn point(full: &RiskModel, budgets: &[f64]) -> Result<Option<Vec<f64>>> {
    // Its error is that of rounding alone: budgets that miss one by as much are scaled here, too.
    let total: f64 = budgets.iter().sum();
    let program = Program::new(&budgets.iter().map(|b| b / total).collect::<Vec<f64>>())?;
    Ok(Method::RiskBudgeting.finished(&program, full))
}

/// The same where risk is not volatility, with its contributions.
fn losses(measure: RiskMeasure, panel: &Panel, budgets: &[f64]) -> (Option<Vec<f64>>, Option<Vec<f64>>) {
    let found = measured::whole(measure, panel, budgets, Options::default().tolerance);
    let point = (found.found.status == Status::Converged).then_some(found.weights);
    (point, found.contributions)
}

/// What is held beside the study's portfolio and the bands of its resamples.
fn beside(held: Holdings, assets: &[Asset], names: &[String]) -> Holdings {
    let portfolio: Option<Vec<f64>> = assets.iter().map(|asset| asset.point).collect();
    let band = |i: usize| (assets[i].weight.q05, assets[i].weight.q95);
    let banded = assets.iter().all(|asset| asset.weight.q05.is_finite());
    let bands: Option<&dyn Fn(usize) -> (f64, f64)> = if banded { Some(&band) } else { None };
    held.beside(names, portfolio.as_deref(), bands)
}

/// The column of the yearly volatility.
const ANNUAL: (Method, Figure) = (Method::RiskBudgeting, Figure::VolatilityAnnual);

/// The column of the parameters of the estimator.
const PARAMETER: (Method, Figure) = (Method::RiskBudgeting, Figure::Parameter);

impl Plan {
    /// The columns of the resamples; those of the assets ask for more than those of the method they belong to.
    fn columns(&self, setting: &Setting) -> Vec<Column> {
        let mut columns = asset::columns(setting);
        columns.push(certificates::column());
        columns.extend(certificates::slack(setting));
        columns.extend(limited::columns(setting));
        columns.extend(paired::columns(setting));
        columns.extend(setting.periods_per_year.map(|_| Column::summarised(ANNUAL.0, ANNUAL.1)));
        columns.extend(self.estimate.refined.parameter.map(|_| Column::summarised(PARAMETER.0, PARAMETER.1)));
        for rule in self.selection.all() {
            let own = method::columns(setting, rule).into_iter();
            let known: HashSet<(Method, Figure)> =
                columns.iter().map(|column| (column.method, column.figure)).collect();
            columns.extend(own.filter(|column| !known.contains(&(column.method, column.figure))));
        }
        // Figures of one method are computed together.
        columns.sort_by_key(|column| column.method.code());
        columns
    }
}

/// The columns that are looked at again at other block lengths.
fn sensitivity_columns(assets: usize) -> Vec<Column> {
    let figures = (0..assets).map(Figure::Weight).chain([Figure::Volatility]);
    figures.map(|figure| Column::summarised(Method::RiskBudgeting, figure)).collect()
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
        let summary = |figure| Summary::from(found.of(Method::RiskBudgeting, figure));
        let asset = |(i, name): (usize, &String)| {
            let Summary { mean, sd, q05, q95, .. } = summary(Figure::Weight(i));
            let (low, high) = if self.signs[i] < 0.0 { (-q95, -q05) } else { (q05, q95) };
            SensitivityAsset { name: name.clone(), mean: mean * self.signs[i], sd, q05: low, q95: high }
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
