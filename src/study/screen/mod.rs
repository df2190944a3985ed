//! Which k of these n assets make the best risk-parity portfolio? Solve every subset, or a sample of them, and rank.
//!
//! 1. A sample of the space, solved in f64, fixes the bins of the [`histogram`].
//! 2. All subsets are measured chunk by chunk; a [`tally`] keeps counts, the histogram and the best, whatever the chunks.
//! 3. The best are solved again, finished to rounding, and ranked again by what is then known ([`finalist`]): ties, up to
//!    rounding, by rank. Where bulk figures cannot tell the last place from the next, more are solved again.
//! 4. A figure of the [`path`] is computed for a shortlist: the best by a metric of the covariance.
//! 5. How much of the ranking is luck is measured on the two [`halves`] of the history.

pub mod best;
pub mod figure;
pub mod finalist;
pub mod halves;
pub mod histogram;
pub mod path;
pub mod tally;

use rayon::prelude::*;
use serde::Serialize;

use crate::Want;
use crate::batch::{Batch, Source};
use crate::engine::cpu::CpuEngine;
use crate::engine::{Engine, Job as _};
use crate::error::{Error, Result};
use crate::measure::{Measured, Metric};
use crate::panel::Returns;
use crate::run::crosscheck::{Sample, sample};
use crate::run::measure::{MetricCheck, Screening, chunk, measure};
use crate::run::{Solves, Watch};
use crate::solver::Options;
use crate::subsets::cap::Cap;
use crate::subsets::universe::Universe;
use crate::subsets::{Draw, LAW, Subsets};
use best::Candidate;
use figure::{Figure, Figures, Filter};
use finalist::{Finalist, Setting};
use halves::{Halves, InHalves, Split};
use histogram::Histogram;
use tally::{Rule, Statistics, Tally};

/// Subsets of the sample that fixes the bins.
const PILOT: u64 = 4096;

/// Subsets kept by value at most: 64 MiB of them.
const MOST_KEPT: usize = 1 << 22;

/// The share of all subsets in which the inclusion of assets is counted.
const INCLUSION: f64 = 0.01;

/// Finalists solved again beyond those asked for, before it is known whether more are needed.
const SPARE: usize = 16;

/// Bulk figures lie within this of the exact ones, relative: twice the tolerance, and room for rounding.
const BULK_ERROR: f64 = 4e-8;

/// The same for single precision.
const BULK_ERROR_SINGLE: f64 = 2e-5;

/// What is screened.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub assets: &'a [String],
    pub universe: &'a Universe,
    /// Simple returns; none where a covariance was given.
    pub returns: Option<&'a Returns>,
    pub subsets: &'a Subsets,
    /// Largest correlation between two assets of a subset.
    pub max_correlation: Option<f64>,
    pub periods_per_year: Option<f64>,
}

/// What changes for the user.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    pub by: Figure,
    pub top: usize,
    pub filters: Vec<Filter>,
    /// Where `by` is a figure of the path: the metric that makes the shortlist, and its length.
    pub shortlist_by: Metric,
    pub shortlist: usize,
    /// Compare the halves of the history.
    pub halves: bool,
    /// Measure these as well, for the sink.
    pub also: Vec<Metric>,
    /// How many subsets of a run on a device are measured again on the CPU.
    pub crosscheck: Sample,
    /// Subsets per chunk; none for the usual number.
    pub chunk: Option<u64>,
}

impl Config {
    /// Bytes that a screen of so many subsets of `size` assets holds at most, beside the data.
    pub fn memory(&self, problems: u64, size: usize) -> f64 {
        let kept = kept(self, problems).min(usize::try_from(problems).unwrap_or(usize::MAX));
        let columns = 2 + self.also.len() + self.filters.len();
        // A chunk is held in parts and whole; finalists of a path figure with their weights.
        let chunk = chunk(size, false).min(problems) as f64 * (2.0 * (1.0 + 8.0 * columns as f64));
        let finalists = if self.by.is_of_the_path() { kept as f64 * (12.0 * size as f64 + 256.0) } else { 0.0 };
        2.0 * size_of::<Candidate>() as f64 * kept as f64 + chunk + finalists
    }
}

/// How many subsets there are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Counts {
    /// That meet the constraints of the space; null beyond 2^64.
    pub space: Option<u64>,
    pub space_approximate: f64,
    /// Looked at: all of them, or a sample.
    pub screened: u64,
    /// Of these, within the cap on correlations.
    pub feasible: u64,
    /// Of these, with a portfolio whose metrics keep all bounds.
    pub passing: u64,
}

/// One of the best subsets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Rank in revolving-door order, or the number of the draw where the space has no ranks.
    pub rank_index: u64,
    pub assets: Vec<String>,
    pub weights: Vec<f64>,
    /// The figure it is ranked by.
    pub value: f64,
    #[serde(flatten)]
    pub figures: Figures,
    pub rc_error: f64,
    /// The figure in each half of the history; null without one.
    pub halves: Option<InHalves>,
}

/// How a figure is distributed over the subsets that pass.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Distribution {
    pub figure: &'static str,
    #[serde(flatten)]
    pub statistics: Option<Statistics>,
    pub histogram: Histogram,
}

/// How often each asset occurs in the best subsets.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inclusion {
    /// What the subsets were ranked by for it.
    pub figure: &'static str,
    /// The best so many.
    pub subsets: u64,
    /// Of those that pass.
    pub share: f64,
    pub assets: Vec<Included>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Included {
    pub name: String,
    pub count: u64,
    pub frequency: f64,
}

/// What was run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    pub size: usize,
    pub assets: usize,
    pub by: &'static str,
    /// Whether the largest value is the best.
    pub larger_is_better: bool,
    /// Where `by` is a figure of the path: what made the shortlist, and how many were on it.
    pub shortlist_by: Option<&'static str>,
    pub shortlist: Option<u64>,
    pub filters: Vec<String>,
    pub max_correlation: Option<f64>,
    /// Null where all subsets were screened.
    pub sample: Option<u64>,
    pub seed: Option<u64>,
    pub law: &'static str,
    pub rows: Option<usize>,
    pub first: Option<String>,
    pub last: Option<String>,
    pub periods_per_year: Option<f64>,
    pub engine: &'static str,
    pub adapter: Option<String>,
    pub driver: Option<String>,
    pub tolerance: f64,
}

/// Certified errors of the bulk.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct LargestError {
    /// Null where nothing converged.
    pub max: Option<f64>,
}

/// What the screen found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Outcome {
    pub subsets: Counts,
    pub top: Vec<Entry>,
    pub distribution: Distribution,
    pub inclusion: Inclusion,
    pub halves: Option<Halves>,
    pub solves: Solves,
    pub rc_error: LargestError,
    /// Null on the CPU.
    pub crosscheck: Option<MetricCheck>,
    pub run: Run,
    /// The best subsets by asset number, ascending.
    #[serde(skip)]
    pub winners: Vec<Vec<u32>>,
}

/// Takes every subset's metrics as they come: the number of the first problem and the columns of `Sink::metrics`.
pub type Sink<'a> = dyn FnMut(u64, &[Metric], &Measured) -> Result<()> + 'a;

/// Runs the screen of the first `problems` of the question's subsets.
///
/// # Errors
/// A figure that the data do not allow; what the sink says.
pub fn screen(
    question: &Question,
    problems: u64,
    config: &Config,
    engine: &dyn Engine,
    options: Options,
    watch: &mut dyn Watch,
    sink: &mut Sink,
) -> Result<Outcome> {
    check(question, config)?;
    let Question { universe, subsets, .. } = *question;
    let k = subsets.size();
    let cap = question.max_correlation.map(|largest| Cap::new(&universe.correlation, largest));
    let batch = |subsets: Subsets| {
        let source = Source::Subsets { universe: universe.clone(), subsets, cap: cap.clone() };
        Batch::new(source, &vec![1.0; k])
    };
    let rule = rule(question, config);
    let kept = kept(config, problems);
    let histogram = pilot(&batch(Subsets::sampled(subsets.space().clone(), PILOT, halves::SEED)?)?, &rule, options)?;
    let mut tally = Tally::new(&rule, subsets, histogram, kept);

    let batch = batch(subsets.clone())?;
    let info = engine.info();
    let device = info.engine != "cpu";
    let chunk = config.chunk.unwrap_or_else(|| chunk(k, device));
    let checked = if device { sample(problems, halves::SEED, config.crosscheck) } else { Vec::new() };
    let screening = Screening { batch: &batch, metrics: &rule.metrics, problems, chunk, sample: &checked };
    let crosscheck = measure(&screening, engine, options, watch, |start, measured| {
        tally.add(start, &measured);
        sink(start, &rule.metrics, &measured)
    })?;

    let (space, solves) = (subsets.space().count(), tally.solves);
    let counts = Counts {
        space,
        space_approximate: subsets.space().approximate_count(),
        screened: problems,
        feasible: tally.admitted,
        passing: tally.passing,
    };
    let statistics = tally.statistics(space, problems);
    let largest_error = (solves.converged > 0).then_some(tally.largest_error);
    let best = tally.best.sorted();
    let histogram = tally.histogram;

    let finals = Finals { question, config, bulk_error: if device { BULK_ERROR_SINGLE } else { BULK_ERROR } };
    let (finalists, shortlisted) = finals.select(&best, kept, watch);
    let split = match question.returns {
        Some(returns) if config.halves => Split::new(returns, question.periods_per_year)
            .map_err(|error| watch.notice(&format!("the halves of the history are not compared: {error}")))
            .ok(),
        _ => None,
    };
    let halves = match &split {
        Some(split) => split.compare(subsets, cap.as_ref(), config.by)?,
        None => None,
    };
    let ranked_by = if config.by.is_of_the_path() { Figure::Metric(config.shortlist_by) } else { config.by };
    let name = |&asset: &u32| question.assets[asset as usize].clone();
    let top: Vec<Entry> = finalists
        .iter()
        .map(|finalist| Entry {
            rank_index: finalist.rank,
            assets: finalist.assets.iter().map(name).collect(),
            weights: finalist.weights.clone(),
            value: finalist.figures.get(config.by),
            figures: finalist.figures.clone(),
            rc_error: finalist.rc_error,
            halves: split.as_ref().and_then(|split| split.figure(&finalist.assets, config.by)),
        })
        .collect();
    let (first, last) = question.returns.map_or((None, None), Returns::span);
    let sampled = match subsets.draw() {
        Draw::All => (problems < counts.space.unwrap_or(u64::MAX)).then_some((problems, None)),
        Draw::Permuted { seed } | Draw::Floyd { seed } => Some((problems, Some(seed))),
    };
    Ok(Outcome {
        inclusion: inclusion(question, ranked_by, &best, counts.passing),
        subsets: counts,
        top,
        distribution: Distribution { figure: ranked_by.name(), statistics, histogram },
        halves,
        solves,
        rc_error: LargestError { max: largest_error },
        crosscheck,
        run: Run {
            size: k,
            assets: question.assets.len(),
            by: config.by.name(),
            larger_is_better: config.by.larger_is_better(),
            shortlist_by: config.by.is_of_the_path().then(|| config.shortlist_by.name()),
            shortlist: shortlisted,
            filters: config.filters.iter().map(ToString::to_string).collect(),
            max_correlation: question.max_correlation,
            sample: sampled.map(|(count, _)| count),
            seed: sampled.and_then(|(_, seed)| seed),
            law: LAW,
            rows: question.returns.map(Returns::rows),
            first,
            last,
            periods_per_year: question.periods_per_year,
            engine: info.engine,
            adapter: info.adapter,
            driver: info.driver,
            tolerance: info.tolerance,
        },
        winners: finalists.into_iter().map(|finalist| finalist.assets).collect(),
    })
}

/// Refuses a figure that the data cannot have.
fn check(question: &Question, config: &Config) -> Result<()> {
    let asked = std::iter::once(("--by", config.by)).chain(config.filters.iter().map(|f| ("--where", f.figure)));
    for (flag, figure) in asked {
        let name = figure.name();
        if figure.is_of_the_path() && question.returns.is_none() {
            return Err(Error::usage(format!(
                "{flag} {name}: a figure of the path of returns, and a covariance has no history"
            ))
            .hint("give prices or returns in place of --covariance, or rank by a metric of the covariance"));
        }
        if figure.is_annual() && question.periods_per_year.is_none() {
            return Err(Error::usage(format!("{flag} {name}: the number of periods per year is not known"))
                .hint("give --periods-per-year"));
        }
        if figure == Figure::Metric(Metric::MeanCorrelation) && question.subsets.size() < 2 {
            return Err(
                Error::usage(format!("{flag} {name}: one asset has no correlation")).hint("choose --size 2 or more")
            );
        }
    }
    Ok(())
}

/// The metrics to measure, and what is done with them.
fn rule(question: &Question, config: &Config) -> Rule {
    let (by, scale) = config.by.metric(question.periods_per_year).unwrap_or((config.shortlist_by, 1.0));
    let mut metrics = vec![by];
    let mut column = |metric: Metric| {
        metrics.iter().position(|known| *known == metric).unwrap_or_else(|| {
            metrics.push(metric);
            metrics.len() - 1
        })
    };
    let filters = config.filters.iter().filter_map(|filter| {
        let (metric, scale) = filter.figure.metric(question.periods_per_year)?;
        Some((column(metric), filter.relation, filter.bound / scale))
    });
    let filters = filters.collect();
    config.also.iter().for_each(|&metric| {
        column(metric);
    });
    Rule { metrics, by: 0, larger_is_better: by.larger_is_better(), scale, filters }
}

/// How many subsets are kept by value: enough for the list and for the inclusion of assets.
fn kept(config: &Config, problems: u64) -> usize {
    let inclusion = (INCLUSION * problems as f64).ceil() as usize;
    let list = if config.by.is_of_the_path() { config.shortlist.max(4 * config.top) } else { 4 * config.top + 256 };
    inclusion.min(MOST_KEPT).max(list)
}

/// The bins that a sample of the space suggests.
fn pilot(batch: &Batch, rule: &Rule, options: Options) -> Result<Histogram> {
    let Source::Subsets { subsets, .. } = &batch.source else { unreachable!("a screen is made of subsets") };
    let count = subsets.space().count().map_or(PILOT, |count| count.min(PILOT));
    let engine = CpuEngine { options };
    let measured = engine.job(batch, Want::default()).measure(0..count, &rule.metrics[..1])?;
    Ok(Histogram::for_values(measured.columns[0].iter().map(|value| value * rule.scale)))
}

/// How the best are chosen among the kept.
struct Finals<'a> {
    question: &'a Question<'a>,
    config: &'a Config,
    bulk_error: f64,
}

impl Finals<'_> {
    /// The list asked for, in order, and the length of the shortlist where there was one.
    fn select(&self, best: &[Candidate], capacity: usize, watch: &mut dyn Watch) -> (Vec<Finalist>, Option<u64>) {
        let Config { by, top, shortlist, .. } = *self.config;
        if by.is_of_the_path() {
            let list = &best[..best.len().min(shortlist)];
            return (self.ranked(self.solved(list)), Some(list.len() as u64));
        }
        let mut finalists = Vec::new();
        let mut solved = 0;
        loop {
            let next = best.len().min((solved + SPARE).max(top + SPARE));
            finalists.extend(self.solved(&best[solved..next]));
            solved = next;
            finalists.sort_by(|a: &Finalist, b| a.key(by).total_cmp(&b.key(by)).then(a.rank.cmp(&b.rank)));
            // The place that the next by bulk figures might still take.
            let last = finalists.get(top - 1).map(|finalist| finalist.key(by));
            let within = |value: f64| last.is_none_or(|last| value <= last + self.bulk_error * last.abs());
            match best.get(solved) {
                Some(candidate) if within(candidate.value) => {}
                Some(_) => break,
                None => {
                    if best.len() == capacity && best.last().is_some_and(|candidate| within(candidate.value)) {
                        watch.notice(&format!(
                            "more than {} subsets are as good as the last of the list: of these, those of lowest rank \
                             are shown",
                            best.len()
                        ));
                    }
                    break;
                }
            }
        }
        finalists.truncate(top);
        (finalists, None)
    }

    /// Solved again by themselves; those that keep all bounds.
    fn solved(&self, candidates: &[Candidate]) -> Vec<Finalist> {
        let Question { universe, returns, periods_per_year, subsets, .. } = *self.question;
        let setting = Setting { universe, returns, periods_per_year };
        let keeps = |finalist: &Finalist| {
            let holds = |filter: &Filter| filter.relation.holds(finalist.figures.get(filter.figure), filter.bound);
            self.config.filters.iter().all(holds) && !finalist.figures.get(self.config.by).is_nan()
        };
        let solve = |candidate: &Candidate| {
            let mut assets = vec![0; subsets.size()];
            subsets.assets(candidate.rank, &mut assets);
            Finalist::of(&setting, candidate.rank, assets).filter(keeps)
        };
        candidates.par_iter().filter_map(solve).collect()
    }

    fn ranked(&self, mut finalists: Vec<Finalist>) -> Vec<Finalist> {
        let by = self.config.by;
        finalists.sort_by(|a, b| a.key(by).total_cmp(&b.key(by)).then(a.rank.cmp(&b.rank)));
        finalists.truncate(self.config.top);
        finalists
    }
}

/// Counts each asset in the best hundredth of the subsets that pass, or in as many as were kept.
fn inclusion(question: &Question, figure: Figure, best: &[Candidate], passing: u64) -> Inclusion {
    let wanted = (INCLUSION * passing as f64).ceil() as usize;
    let counted = &best[..best.len().min(wanted)];
    let subsets = question.subsets;
    let none = || vec![0_u64; question.assets.len()];
    let add = |mut counts: Vec<u64>, more: Vec<u64>| {
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
        counts
    };
    let count = |mut counts: Vec<u64>, candidate: &Candidate| {
        let mut assets = vec![0; subsets.size()];
        subsets.assets(candidate.rank, &mut assets);
        assets.iter().for_each(|&asset| counts[asset as usize] += 1);
        counts
    };
    let counts = counted.par_iter().fold(none, count).reduce(none, add);
    let frequency = |count: u64| if counted.is_empty() { 0.0 } else { count as f64 / counted.len() as f64 };
    Inclusion {
        figure: figure.name(),
        subsets: counted.len() as u64,
        share: if passing == 0 { 0.0 } else { counted.len() as f64 / passing as f64 },
        assets: question
            .assets
            .iter()
            .zip(counts)
            .map(|(name, count)| Included { name: name.clone(), count, frequency: frequency(count) })
            .collect(),
    }
}
