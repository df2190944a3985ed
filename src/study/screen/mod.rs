//! Which k of these n assets make the best risk-parity portfolio? Solve every subset, or a sample of them, and rank.
//!
//! 1. A sample of the space, solved in f64, fixes the bins of the [`histogram`].
//! 2. All subsets are measured chunk by chunk; a [`tally`] keeps counts, the histogram and the best, whatever the chunks.
//! 3. The best are solved again, finished to rounding, and ranked again by what is then known ([`finalist`]): ties, up to
//!    rounding, by rank. Where bulk figures cannot tell the last place from the next, more are solved again.
//! 4. A figure of the [`path`] is computed for a shortlist: the best by a metric of the covariance, or all. Histogram and
//!    inclusion are then of what is known by the figure.
//! 5. How much of the ranking is luck is measured on the two [`halves`] of the history, over a sample of the subsets that
//!    keep all bounds; the same sample makes the [`cloud`].

pub mod best;
mod bounds;
pub mod cloud;
pub mod figure;
pub mod finalist;
pub mod finals;
pub mod fold;
pub mod growth;
pub mod halves;
pub mod histogram;
pub mod inclusion;
pub mod outcome;
pub mod passing;
pub mod path;
pub mod sample;
#[cfg(feature = "files")]
mod spec;
#[cfg(feature = "files")]
mod study;
pub mod tally;
#[cfg(feature = "files")]
pub mod universe;
pub mod values;
pub mod verify;

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::batch::part::{Part, scaled};
use crate::batch::{Batch, Block, Request};
use crate::covariance::estimator::Parameter;
use crate::covariance::{Estimator, Universe};
use crate::engine::{Engine, Job as _};
use crate::error::{Error, Result, option};
use crate::measure::{Measured, Metric};
use crate::methods::certificate::Status;
use crate::methods::limits::Bounds;
use crate::panel::Returns;
use crate::run::chunks::{self, PIECE};
use crate::run::crosscheck::{self, MetricCheck, Sample};
use crate::run::{self, Added, Chunk, Context, Solves, Work};
use crate::stop::Stop;
use crate::store::Columns;
use crate::study::estimation::Estimation;
use crate::study::limited::Bound;
use crate::subsets::cap::Cap;
use crate::subsets::{Draw, LAW, Subsets};
use best::Candidate;
pub use bounds::allows_some;
use cloud::Cloud;
use figure::{Figure, Filter};
use finalist::Finalist;
use finals::{Finals, Ranked, Selected};
use fold::Fold;
use growth::Growth;
use halves::{InHalves, Split};
use histogram::Histogram;
use inclusion::inclusion;
pub use outcome::{Counts, Distribution, Entry, Outcome, Run};
use passing::{Asked, passing};
use sample::Admission;
#[cfg(feature = "files")]
pub use spec::{Again, Spec};
#[cfg(feature = "files")]
pub use study::{Screen, Screened};
pub use tally::LargestError;
use tally::{Rule, Statistics, Tally, left_out};

/// Subsets kept by value at most: 64 MiB of them.
const MOST_KEPT: usize = 1 << 22;

/// Bulk figures lie within this many tolerances of the exact ones, relative: weights within two, and room for rounding.
const BULK_ERROR: f64 = 4.0;

/// What is screened.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub assets: &'a [String],
    pub universe: &'a Universe,
    pub estimator: Estimator,
    /// The returns that the covariance is of, which may be logarithmic; none where a covariance was given.
    pub returns: Option<&'a Returns>,
    /// Simple returns of the same rows, for figures of the path: a portfolio's return is the mean of these.
    pub simple: Option<&'a Returns>,
    pub subsets: &'a Subsets,
    /// Largest correlation between two assets of a subset.
    pub max_correlation: Option<f64>,
    /// Least and largest weight of each asset; a subset that no weights are within is infeasible.
    pub bounds: Option<&'a Bounds>,
    pub periods_per_year: Option<f64>,
}

/// What changes for the user. A run keeps its cross-check elsewhere ([`crate::study::setup`]).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub by: Figure,
    pub top: usize,
    pub filters: Vec<Filter>,
    /// Where `by` is a figure of the path: the metric that makes the shortlist, and its length.
    pub shortlist_by: Metric,
    pub shortlist: usize,
    /// Compare the halves of the history.
    pub halves: bool,
    /// Measure these as well, for the sink: every subset's metrics are then kept in a checkpoint.
    #[serde(skip)]
    pub also: Vec<Metric>,
    /// How many subsets of a run on a device are measured again on the CPU.
    #[serde(skip)]
    pub crosscheck: Sample,
}

impl Config {
    /// Bytes that a screen of so many subsets of `size` assets holds at most, beside the data.
    pub fn memory(&self, problems: u64, size: usize) -> f64 {
        let kept = kept(self, problems).min(usize::try_from(problems).unwrap_or(usize::MAX));
        let columns = 2 + self.also.len() + self.filters.len();
        // A chunk is held in parts and whole; finalists of a path figure with their weights.
        let chunk = chunks::measured(size, false).min(problems) as f64 * (2.0 * (1.0 + 8.0 * columns as f64));
        let finalists = if self.by.is_of_the_path() { kept as f64 * (12.0 * size as f64 + 256.0) } else { 0.0 };
        2.0 * size_of::<Candidate>() as f64 * kept as f64 + chunk + finalists
    }
}

/// Takes every subset's metrics as they come: the number of the first problem and the columns of `Sink::metrics`.
pub type Sink<'a> = dyn FnMut(u64, &[Metric], &Measured) -> Result<()> + 'a;

/// Runs the screen of the first `problems` of the question's subsets.
///
/// # Errors
/// A figure that the data do not allow; what the sink says; a disk that is full.
pub fn screen(
    question: &Question,
    problems: u64,
    config: &Config,
    context: &mut Context,
    sink: &mut Sink,
) -> Result<Outcome> {
    let ready = Ready::new(question, problems, config, context)?;
    let tally = ready.solve(None, context, sink)?;
    let sampled = ready.sampled(context)?;
    let halves = ready.halves(None, &sampled, context)?;
    ready.outcome(tally, &sampled, halves, context)
}

/// What one machine of several found: its subsets are counted and its best kept, and the ranking waits until all are
/// together.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub shard: Part,
    /// Subsets from the first up to, but without, the second.
    pub range: [u64; 2],
    pub solves: Solves,
    pub rc_error: LargestError,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kkt_error: Option<LargestError>,
    pub crosscheck: Option<MetricCheck>,
}

/// Measures one part of the screen, as [`screen`] would, for the store of `context`.
///
/// # Errors
/// As [`screen`].
pub fn part(question: &Question, problems: u64, config: &Config, part: Part, context: &mut Context) -> Result<Share> {
    let ready = Ready::new(question, problems, config, context)?;
    let tally = ready.solve(Some(part), context, &mut |_, _, _| Ok(()))?;
    let range = part.range(problems, PIECE)?;
    if config.halves {
        ready.halves(Some(&range), &ready.sampled(context)?, context)?;
    }
    let [rc_error, kkt_error] = tally.errors(question.bounds.is_some());
    Ok(Share {
        shard: part,
        range: [range.start, range.end],
        solves: tally.solves,
        rc_error: rc_error.unwrap_or_default(),
        kkt_error,
        crosscheck: tally.check.map(MetricCheck::from),
    })
}

/// The batches of a screen in a checkpoint: its subsets; the sample in each half of the history; and, once the ranking is
/// known, the list in each half and on resamples, and all subsets on resamples.
const SUBSETS: u32 = 0;
const SAMPLE: u32 = 1;
const LIST: u32 = 3;
pub const AGAIN: u32 = 5;

/// The last batch that belongs to parts.
pub const LAST_OF_PART: u32 = LIST - 1;

/// A screen before the work.
struct Ready<'a> {
    question: &'a Question<'a>,
    problems: u64,
    config: &'a Config,
    rule: Rule,
    cap: Option<Cap>,
    batch: Batch<'static>,
    /// The study's own sample of the space, its problems 0..drawn, and the bins that it suggests.
    sample: Subsets,
    drawn: u64,
    histogram: Histogram,
    bulk_error: f64,
}

/// A tally that takes the chunks of a run, and hands every subset's metrics on where these are wanted.
struct Counting<'a, 'b> {
    tally: Tally<'a>,
    metrics: &'a [Metric],
    /// Every rank lies below this.
    ranks: u64,
    /// Whether the sink wants every subset.
    every: bool,
    sink: &'b mut Sink<'b>,
}

impl run::Fold for Counting<'_, '_> {
    fn columns(&self, chunk: Chunk) -> Columns {
        match chunk.block {
            Block::Metrics(measured) => {
                self.tally.fold(chunk.range.start, &measured, chunk.check).columns(self.every.then_some(measured))
            }
            Block::Portfolios(_) => Columns::default(),
        }
    }

    fn add(&mut self, range: &Range<u64>, columns: &Columns) -> Result<Added> {
        let problems = range.end - range.start;
        let bins = self.tally.histogram.counts.len();
        let Some(fold) = Fold::of_columns(columns, bins).filter(|fold| fold.is_of(problems, self.ranks)) else {
            return Ok(Added::Foreign);
        };
        if self.every {
            match fold::measured(columns, self.metrics.len()).filter(|all| all.statuses.len() as u64 == problems) {
                Some(measured) => (self.sink)(range.start, self.metrics, &measured)?,
                // What was kept before the sink had a use for it.
                None => return Ok(Added::Again),
            }
        }
        self.tally.add(&fold);
        Ok(Added::Taken)
    }
}

impl<'a> Ready<'a> {
    fn new(question: &'a Question, problems: u64, config: &'a Config, context: &Context) -> Result<Ready<'a>> {
        check(question, config)?;
        let Question { universe, subsets, .. } = *question;
        let cap = question.max_correlation.map(|largest| Cap::new(&universe.model().correlation, largest));
        let universe = Arc::new(universe.clone());
        let batch = |subsets: Subsets, count| {
            Batch::subsets(Arc::clone(&universe), subsets, count, cap.clone())?.within(question.bounds.cloned())
        };
        let bulk_error = BULK_ERROR * context.engine.info().tolerance;
        let rule = rule(question, config, bulk_error);
        let (sample, drawn) = sample::sample(subsets, Admission { cap: cap.as_ref(), bounds: question.bounds })?;
        let stop = context.observer.stop();
        let histogram = pilot(&batch(sample.clone(), drawn)?, &rule, context.engine, &stop)?;
        let batch = batch(subsets.clone(), problems)?;
        Ok(Ready { question, problems, config, rule, cap, batch, sample, drawn, histogram, bulk_error })
    }

    /// Measures what is not kept of a part, and adds all of it to a tally.
    fn solve(&self, part: Option<Part>, context: &mut Context, sink: &mut Sink) -> Result<Tally<'_>> {
        let range = part.map_or(Ok(0..self.problems), |part| part.range(self.problems, PIECE))?;
        let sample = match context.engine.info().on_device() {
            true => crosscheck::sample(self.problems, sample::SEED, self.config.crosscheck),
            false => Vec::new(),
        };
        let kept = kept(self.config, self.problems);
        let mut counting = Counting {
            tally: Tally::new(&self.rule, self.question.subsets, self.histogram.clone(), kept),
            metrics: &self.rule.metrics,
            ranks: self.question.subsets.ranks(self.problems),
            every: !self.config.also.is_empty(),
            sink: &mut |start, metrics, measured| sink(start, metrics, measured),
        };
        let request = Request::Metrics(self.rule.metrics.clone());
        let work = Work { batch: &self.batch, request: &request, number: SUBSETS, sample: &sample };
        run::run(work, range, context, &mut counting)?;
        Ok(counting.tally)
    }

    /// The study's own sample on the whole history: those that keep all bounds. Empty without a history.
    fn sampled(&self, context: &Context) -> Result<Vec<Finalist>> {
        let (question, stop) = (self.question, context.observer.stop());
        let admission = Admission { cap: self.cap.as_ref(), bounds: question.bounds };
        let asked = Asked { question, filters: &self.config.filters, figure: None, paths: false };
        if question.returns.is_none() {
            return Ok(Vec::new());
        }
        let numbered = |sets: Vec<Vec<u32>>| -> Vec<(u64, Vec<u32>)> { (0..).zip(sets).collect() };
        let found = passing(&asked, &numbered(sample::admitted(&self.sample, self.drawn, admission)), &stop)?;
        if self.rule.filters.is_empty() || found.len() >= sample::FEW {
            return Ok(found);
        }
        // Of a larger sample, the metrics tell most of those that miss a bound.
        let (larger, drawn) = sample::larger(question.subsets)?;
        let batch = Batch::subsets(Arc::new(question.universe.clone()), larger.clone(), drawn, self.cap.clone())?
            .within(question.bounds.cloned())?;
        let request = Request::Metrics(self.rule.metrics.clone());
        let measured = context.engine.reserve().job(&batch, &request).run(0..drawn, &stop)?.metrics();
        let (mut sets, mut at) = (Vec::new(), 0);
        larger.visit(0..drawn, |_, assets| {
            if measured.statuses[at] == Some(Status::Converged) && self.rule.keeps(&measured, at, 0.0) {
                sets.push(assets.to_vec());
            }
            at += 1;
        });
        passing(&asked, &numbered(sample::evenly(sets)), &stop)
    }

    /// The history cut in two, with the figures of the sample in both halves; none where they are not compared. Of a part
    /// its share of the sample.
    fn halves(
        &self,
        part: Option<&Range<u64>>,
        sampled: &[Finalist],
        context: &mut Context,
    ) -> Result<Option<(Split, [Vec<f64>; 2])>> {
        let Question { returns, simple, estimator, periods_per_year, bounds, .. } = *self.question;
        let (Some(returns), Some(simple), true) = (returns, simple, self.config.halves) else { return Ok(None) };
        let split = match Split::new((returns, simple), estimator, periods_per_year, bounds) {
            Ok(split) => split,
            Err(error) => {
                let what = format!("the halves of the history are not compared: {}", error.message.nested());
                context.observer.notice(&what.into());
                return Ok(None);
            }
        };
        let sets: Vec<Vec<u32>> = sampled.iter().map(|finalist| finalist.assets.clone()).collect();
        let share = part.map(|part| scaled(part, self.problems, sets.len() as u64));
        context.observer.phase("solving the halves");
        let figures = split.figures(&sets, self.config.by, SAMPLE, share.as_ref(), context)?;
        Ok(Some((split, figures)))
    }

    fn outcome(
        &self,
        tally: Tally,
        sampled: &[Finalist],
        halves: Option<(Split, [Vec<f64>; 2])>,
        context: &mut Context,
    ) -> Result<Outcome> {
        let Ready { question, problems, config, bulk_error, .. } = *self;
        let subsets = question.subsets;
        let (space, solves) = (subsets.space().count(), tally.solves);
        let counts = Counts {
            space,
            space_approximate: subsets.space().approximate_count(),
            screened: problems,
            feasible: solves.total - solves.infeasible,
            passing: tally.passing,
        };
        let (by, count) = (config.by, counts.passing);
        let statistics = tally.statistics(space, problems);
        let ([rc_error, kkt_error], crosscheck) =
            (tally.errors(question.bounds.is_some()), tally.check.map(MetricCheck::from));
        let best = tally.best.sorted();
        let bulk = tally.histogram;

        context.observer.phase("ranking");
        let finals = Finals { question, config, bulk_error };
        let Selected { list: finalists, ranked } = finals.select(&best, count, context.observer)?;
        let shortlisted = ranked.as_ref().and_then(|ranked| ranked.shortlist);
        let listed: Vec<Vec<u32>> = finalists.iter().map(|finalist| finalist.assets.clone()).collect();
        // All of the list is in f64.
        let host = context.engine.reserve();
        let on_host = &mut Context { engine: &host, store: context.store, observer: context.observer };
        let in_halves = match &halves {
            Some((split, _)) => Some(split.figures(&listed, config.by, LIST, None, on_host)?),
            None => None,
        };
        let halves = halves.and_then(|(split, sample)| split.compare(&sample, config.by));
        // Of what is known by the figure itself: all that pass, or the shortlist.
        let (distribution, inclusion) = match &ranked {
            Some(Ranked { values, ranks, .. }) => {
                let left = if shortlisted.is_some() { 0.0 } else { left_out(space, problems) };
                let (statistics, histogram) = (Statistics::of(values, left), Histogram::of(values));
                let (subsets, shortlist) = (values.len() as u64, shortlisted.is_some());
                let distribution =
                    Distribution { figure: by, subsets, shortlist, of_metrics: false, statistics, histogram };
                (distribution, inclusion(question, by, ranks, subsets))
            }
            None => {
                let ranks: Vec<u64> = best.iter().map(|candidate| candidate.rank).collect();
                let distribution = Distribution {
                    figure: by,
                    subsets: count,
                    shortlist: false,
                    of_metrics: true,
                    statistics,
                    histogram: bulk,
                };
                (distribution, inclusion(question, by, &ranks, count))
            }
        };
        let name = |&asset: &u32| question.assets[asset as usize].clone();
        let held = |finalist: &Finalist| {
            let of = |(&asset, weight): (&u32, &f64)| (asset as usize, *weight);
            let pairs = finalist.assets.iter().zip(&finalist.weights).map(of);
            question.bounds.map(|bounds| pairs.map(|(asset, w)| Bound::of_weight(w, bounds.of(asset))).collect())
        };
        let top: Vec<Entry> = finalists
            .iter()
            .enumerate()
            .map(|(at, finalist)| Entry {
                rank_index: finalist.rank,
                assets: finalist.assets.iter().map(name).collect(),
                weights: finalist.weights.clone(),
                value: finalist.figures.get(config.by),
                figures: finalist.figures.clone(),
                rc_error: finalist.rc_error,
                kkt_error: finalist.kkt_error,
                bounds: held(finalist),
                shrinkage: finalist.parameter.filter(|_| question.estimator.parameter() == Some(Parameter::Intensity)),
                halves: in_halves.as_ref().and_then(|[first, second]| InHalves::of(first[at], second[at])),
            })
            .collect();
        let (first, last) = question.returns.map_or((None, None), Returns::span);
        let drawn = match subsets.draw() {
            Draw::All => (problems < counts.space.unwrap_or(u64::MAX)).then_some((problems, None)),
            Draw::Permuted { seed } | Draw::Floyd { seed } => Some((problems, Some(seed))),
        };
        let info = context.engine.info();
        Ok(Outcome {
            inclusion,
            subsets: counts,
            top,
            distribution,
            halves,
            solves,
            rc_error: rc_error.unwrap_or_default(),
            kkt_error,
            crosscheck,
            run: Run {
                size: subsets.size(),
                assets: question.assets.len(),
                by: config.by,
                larger_is_better: config.by.larger_is_better(),
                shortlist_by: shortlisted.map(|_| config.shortlist_by),
                shortlist: shortlisted,
                filters: config.filters.clone(),
                max_correlation: question.max_correlation,
                bounds: question.bounds.cloned(),
                sample: drawn.map(|(count, _)| count),
                seed: drawn.and_then(|(_, seed)| seed),
                law: LAW,
                rows: question.returns.map(Returns::rows),
                first,
                last,
                periods_per_year: question.periods_per_year,
                engine: info.engine,
                adapter: info.adapter,
                driver: info.driver,
                precision: info.precision,
                tolerance: info.tolerance,
                // Every subset has its own parameter.
                estimator: question.returns.map(|returns| Estimation::by(question.estimator, returns.rows())),
            },
            winners: listed,
            cloud: question.simple.map(|simple| Cloud::of(sampled, &finalists, simple, question.periods_per_year)),
            growth: question
                .simple
                .filter(|_| !finalists.is_empty())
                .map(|simple| Growth::of(&finalists, simple, question.periods_per_year)),
        })
    }
}

/// Refuses a figure that the data cannot have, as [`screen`] does before its work.
///
/// # Errors
/// Names the option and the figure.
pub fn check(question: &Question, config: &Config) -> Result<()> {
    let filters = config.filters.iter().map(|filter| ("where", filter.figure));
    let mut asked: Vec<(&str, Figure)> = std::iter::once(("by", config.by)).chain(filters).collect();
    if config.by.is_of_the_path() {
        asked.push(("shortlist-by", Figure::Metric(config.shortlist_by)));
    }
    for (name, figure) in asked {
        let asked = option(name).word(figure.name());
        if figure.is_of_the_path() && question.returns.is_none() {
            return Err(Error::usage(format!(
                "{asked}: a figure of the path of returns, and a covariance has no history"
            ))
            .hint(format!(
                "give prices or returns in place of {}, or rank by a metric of the covariance",
                option("covariance")
            )));
        }
        if figure.is_annual() && question.periods_per_year.is_none() {
            return Err(Error::usage(format!("{asked}: the number of periods per year is not known"))
                .hint(format!("give {}", option("periods-per-year"))));
        }
        if figure == Figure::Metric(Metric::MeanCorrelation) && question.subsets.size() < 2 {
            return Err(Error::usage(format!("{asked}: one asset has no correlation"))
                .hint(format!("choose {} or more", option("size").plain(2))));
        }
    }
    Ok(())
}

/// The metrics to measure, and what is done with them.
fn rule(question: &Question, config: &Config, bulk_error: f64) -> Rule {
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
    Rule { metrics, by: 0, larger_is_better: by.larger_is_better(), scale, filters, bulk_error }
}

/// How many subsets are kept by value: enough for the list and for the inclusion of assets.
fn kept(config: &Config, problems: u64) -> usize {
    let inclusion = (inclusion::SHARE * problems as f64).ceil() as usize;
    // What the path decides is decided among the shortlist.
    let of_the_path = config.by.is_of_the_path() || config.filters.iter().any(|f| f.figure.is_of_the_path());
    let list = config.top.saturating_mul(4);
    let list = if of_the_path { config.shortlist.max(list) } else { list.saturating_add(256) };
    inclusion.min(MOST_KEPT).max(list)
}

/// The bins that a sample of the space suggests.
fn pilot(batch: &Batch, rule: &Rule, engine: &dyn Engine, stop: &Stop) -> Result<Histogram> {
    let request = Request::Metrics(vec![rule.metrics[0]]);
    let measured = engine.reserve().job(batch, &request).run(0..batch.problems(), stop)?.metrics();
    Ok(Histogram::for_values(measured.columns[0].iter().map(|value| value * rule.scale)))
}
