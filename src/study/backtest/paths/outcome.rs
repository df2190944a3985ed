//! What paths say together.

use std::ops::Range;

use serde::Serialize;

use super::plan::Paths;
use super::walk::Walked;
use crate::batch::counts::Solves;
use crate::batch::part::Part;
use crate::methods::Method;
use crate::resample::Scheme;
use crate::run::crosscheck::CrossCheck;
use crate::stats;
use crate::study::backtest::figures::{FIGURES, PathFigures};
use crate::study::backtest::label;
use crate::study::backtest::plan::Plan;
use crate::study::block::BlockEstimates;
use crate::study::statistics::distribution::{Asked, Distribution, QUANTILES, Statistics};

/// Drawdowns whose probability is told.
const DEEP: [f64; 3] = [0.2, 0.3, 0.5];

/// Quantiles of wealth that are told.
const FAN: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// What paths found.
#[derive(Debug, Clone, Serialize)]
pub struct PathsOutcome {
    pub count: u64,
    pub scheme: Scheme,
    pub block_length: f64,
    /// The law's real parameter, of 2^32; null for fixed blocks.
    pub threshold: Option<u64>,
    pub block_estimates: Option<BlockEstimates>,
    /// Decisions of a path.
    pub rebalances: usize,
    pub strategies: Vec<OfStrategy>,
    /// Every strategy against every other.
    pub beats: Vec<Beats>,
    /// Wealth of risk budgeting and of the benchmark.
    pub wealth: Vec<Fan>,
    /// The main figures at other block lengths, and of as many of the paths.
    pub sensitivity: Vec<Sensitivity>,
    /// Of risk budgeting, at all dates of all paths.
    pub solves: Solves,
    /// Largest certified error of risk budgeting.
    pub max_error: Option<f64>,
    /// Figures of all paths, paths x strategies x figures.
    #[serde(skip)]
    pub figures: Vec<f64>,
}

/// A strategy over the paths.
#[derive(Debug, Clone, Serialize)]
pub struct OfStrategy {
    pub name: String,
    /// As tables call it.
    pub label: String,
    /// Null where no path has the figure.
    #[serde(flatten)]
    pub figures: PathFigures<Option<Figure>>,
    /// How often the largest drawdown is deeper than some.
    pub drawdowns: Vec<Deep>,
    /// Paths on which wealth was gone.
    pub ruined: u64,
    /// Decisions without a certified portfolio, on all paths: what was held stayed.
    pub unsolved: u64,
}

/// A figure over the paths that have it.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub paths: usize,
    #[serde(flatten)]
    pub statistics: Statistics,
    pub mc_error: Statistics,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Deep {
    pub beyond: f64,
    pub probability: f64,
    pub mc_error: f64,
}

/// How often `a` does better than `b` on the same path; a tie counts half.
#[derive(Debug, Clone, Serialize)]
pub struct Beats {
    pub a: String,
    pub b: String,
    /// `sharpe`, of months where rows are shorter than months; or `max_drawdown`, of which less is better.
    pub by: &'static str,
    /// Null where no path has the figure of both.
    pub probability: Option<f64>,
    pub mc_error: Option<f64>,
}

/// Wealth of a strategy over time.
#[derive(Debug, Clone, Serialize)]
pub struct Fan {
    pub strategy: String,
    /// Labels of the closes.
    pub at: Vec<String>,
    pub quantiles: Quantiles,
    /// Along the history.
    #[serde(skip)]
    pub closes: Vec<usize>,
}

/// One number for each close.
#[derive(Debug, Clone, Serialize)]
pub struct Quantiles {
    pub q05: Vec<f64>,
    pub q25: Vec<f64>,
    pub q50: Vec<f64>,
    pub q75: Vec<f64>,
    pub q95: Vec<f64>,
}

/// The main figures at one block length.
#[derive(Debug, Clone, Serialize)]
pub struct Sensitivity {
    pub block_length: f64,
    pub threshold: Option<u64>,
    pub paths: u64,
    pub strategies: Vec<OfLength>,
}

#[derive(Debug, Clone, Serialize)]
pub struct OfLength {
    pub name: String,
    /// Null where no path has the figure.
    pub sharpe: Option<Figure>,
    pub max_drawdown: Option<Figure>,
    pub cagr: Option<Figure>,
}

/// What one machine of several found: its paths are kept, and statistics wait until all are together.
#[derive(Debug, Clone, Serialize)]
pub struct Share {
    pub shard: Part,
    /// Paths from the first up to, but without, the second.
    pub range: [u64; 2],
    pub solves: Solves,
    pub crosscheck: Option<CrossCheck>,
}

/// The strategies whose wealth is told: risk budgeting, or the first where it is not asked for, and the benchmark.
pub fn drawn(plan: &Plan) -> Vec<usize> {
    let own = plan.strategies.place(Method::RiskBudgeting);
    let own = own.or_else(|| (0..plan.strategies.len()).find(|at| *at != plan.benchmark));
    let mut drawn: Vec<usize> = own.into_iter().chain([plan.benchmark]).collect();
    drawn.dedup();
    drawn
}

pub fn share(shard: Part, range: &Range<u64>, walked: &Walked) -> Share {
    Share {
        shard,
        range: [range.start, range.end],
        solves: walked.solves,
        crosscheck: walked.check.map(CrossCheck::from),
    }
}

/// Figures of all paths, by strategy and figure.
struct Table<'a> {
    figures: &'a [f64],
    strategies: usize,
}

impl<'a> Table<'a> {
    fn column(&self, strategy: usize, figure: usize) -> impl Iterator<Item = f64> + Clone + 'a {
        let figures = self.figures;
        let first = strategy * FIGURES + figure;
        figures.iter().skip(first).step_by(self.strategies * FIGURES).copied()
    }

    fn figure(&self, strategy: usize, figure: usize) -> Option<Figure> {
        let values: Vec<f64> = self.column(strategy, figure).filter(|value| value.is_finite()).collect();
        let found = Distribution::of(Asked::quantiles(&QUANTILES), &values);
        let [statistics, mc_error] = found.statistics();
        (!values.is_empty()).then_some(Figure { paths: values.len(), statistics, mc_error })
    }

    fn figures(&self, strategy: usize) -> PathFigures<Option<Figure>> {
        PathFigures::from_array(std::array::from_fn(|figure| self.figure(strategy, figure)))
    }
}

/// Where a figure stands among those of a path.
fn place(name: &str) -> usize {
    PathFigures::<f64>::NAMES.iter().position(|own| *own == name).expect("a figure of paths")
}

pub fn outcome<'a>(
    plan: &Plan,
    paths: &Paths,
    main: &Walked,
    lengths: impl Iterator<Item = (f64, Option<u64>, &'a Walked)>,
) -> PathsOutcome {
    let strategies = plan.strategies.len();
    let all = Table { figures: &main.figures, strategies };
    let name = |strategy: usize| plan.strategies.get(strategy).name.clone();
    let (cagr, drawdown) = (place("cagr"), place("max_drawdown"));
    // Of months, where there are shorter rows than months.
    let has_months = |strategy: usize| all.column(strategy, place("sharpe_monthly")).any(f64::is_finite);
    let monthly = (0..strategies).any(has_months);
    let sharpe = if monthly { place("sharpe_monthly") } else { place("sharpe") };
    let of_strategy = |strategy: usize| OfStrategy {
        name: name(strategy),
        label: label(plan.strategies.get(strategy)),
        figures: all.figures(strategy),
        drawdowns: DEEP.into_iter().filter_map(|beyond| deep(all.column(strategy, drawdown), beyond)).collect(),
        ruined: main.ruined[strategy],
        unsolved: main.unsolved[strategy],
    };
    let pairs = (0..strategies).flat_map(|a| (0..strategies).filter(move |b| a != *b).map(move |b| (a, b)));
    let beats = pairs.flat_map(|(a, b)| {
        let by = |by: &'static str, figure: usize, sign: f64| {
            let found = probability(all.column(a, figure).zip(all.column(b, figure)).map(|(a, b)| sign * (a - b)));
            Beats { a: name(a), b: name(b), by, probability: found.map(|own| own.0), mc_error: found.map(|own| own.1) }
        };
        [by("sharpe", sharpe, 1.0), by("max_drawdown", drawdown, -1.0)]
    });
    let tenth = (paths.resampling.tenth() as usize).min(paths.resampling.paths as usize);
    let sensitivity = lengths.map(|(block_length, threshold, walked)| {
        let figures = &walked.figures[..walked.figures.len().min(tenth * strategies * FIGURES)];
        let own = Table { figures, strategies };
        let of_length = |strategy: usize| OfLength {
            name: name(strategy),
            sharpe: own.figure(strategy, sharpe),
            max_drawdown: own.figure(strategy, drawdown),
            cagr: own.figure(strategy, cagr),
        };
        let strategies = (0..strategies).map(of_length).collect();
        Sensitivity { block_length, threshold, paths: tenth as u64, strategies }
    });
    PathsOutcome {
        count: paths.resampling.paths,
        scheme: paths.resampling.scheme,
        block_length: paths.block_length,
        threshold: paths.law.threshold(),
        block_estimates: paths.block_estimates.clone(),
        rebalances: paths.windows.len(),
        strategies: (0..strategies).map(of_strategy).collect(),
        beats: beats.collect(),
        wealth: (0..paths.drawn.len()).map(|place| fan(plan, paths, main, place)).collect(),
        sensitivity: sensitivity.collect(),
        solves: main.solves,
        max_error: main.error,
        figures: main.figures.clone(),
    }
}

impl PathsOutcome {
    /// How often strategy `a` does better than `b`, both by name.
    pub fn probability(&self, a: &str, b: &str, by: &str) -> Option<f64> {
        self.beats.iter().find(|own| own.a == a && own.b == b && own.by == by)?.probability
    }

    /// Whether Sharpe ratios are those of months: where rows are shorter.
    pub fn is_monthly(&self) -> bool {
        self.strategies.iter().any(|own| own.figures.sharpe_monthly.is_some())
    }

    /// The Sharpe ratio by which a strategy is compared.
    pub fn sharpe<'a>(&self, of: &'a OfStrategy) -> Option<&'a Figure> {
        if self.is_monthly() { of.figures.sharpe_monthly.as_ref() } else { of.figures.sharpe.as_ref() }
    }
}

/// None where no path has a drawdown.
fn deep(drawdowns: impl Iterator<Item = f64>, beyond: f64) -> Option<Deep> {
    let (probability, mc_error) = frequency(drawdowns, |drawdown| f64::from(drawdown > beyond))?;
    Some(Deep { beyond, probability, mc_error })
}

/// How often differences are above zero, ties half, and the Monte Carlo error; none where there is no difference.
fn probability(differences: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    frequency(differences, |difference| match difference {
        above if above > 0.0 => 1.0,
        0.0 => 0.5,
        _ => 0.0,
    })
}

/// The mean of `hit` over the finite values, and its Monte Carlo error; none where there is none.
fn frequency(values: impl Iterator<Item = f64>, hit: impl Fn(f64) -> f64) -> Option<(f64, f64)> {
    let hits: Vec<f64> = values.filter(|value| value.is_finite()).map(hit).collect();
    let probability = stats::mean(&hits);
    (!hits.is_empty()).then(|| (probability, stats::probability_error(probability, hits.len())))
}

/// Wealth of the strategy that is drawn at this place.
fn fan(plan: &Plan, paths: &Paths, main: &Walked, place: usize) -> Fan {
    let marks = paths.marks.len();
    let at = |mark: usize| -> [f64; FAN.len()] {
        let each = paths.drawn.len() * marks;
        let mut wealth: Vec<f64> = main.wealth.iter().skip(place * marks + mark).step_by(each).copied().collect();
        stats::sort(&mut wealth);
        FAN.map(|q| stats::quantile(&wealth, q))
    };
    let found: Vec<[f64; FAN.len()]> = (0..marks).map(at).collect();
    let [q05, q25, q50, q75, q95] = std::array::from_fn(|q| found.iter().map(|own| own[q]).collect());
    Fan {
        strategy: plan.strategies.get(paths.drawn[place]).name.clone(),
        at: paths.marks.iter().map(|close| plan.market.label(plan.start + close)).collect(),
        quantiles: Quantiles { q05, q25, q50, q75, q95 },
        closes: paths.marks.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_beats_himself_more_often_than_not() {
        let figures = [0.3, 0.1, f64::NAN, 0.7];
        assert_eq!(probability(figures.iter().map(|x| x - x)).unwrap().0, 0.5);
        let (p, error) = probability([1.0, 2.0, -1.0, 0.0].into_iter()).unwrap();
        assert_eq!(p, 2.5 / 4.0);
        assert!((error - (p * (1.0 - p) / 4.0_f64).sqrt()).abs() < 1e-16);
        assert_eq!(probability([f64::NAN].into_iter()), None);
    }

    #[test]
    fn drawdowns_are_counted_beyond_a_depth_not_at_it() {
        let found = deep([0.1, 0.2, 0.21, f64::NAN].into_iter(), 0.2).unwrap();
        assert_eq!(found.probability, 1.0 / 3.0);
    }
}
