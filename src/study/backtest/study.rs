//! The backtest as a [`Study`].

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::fan::Fan;
use super::figures::FIGURES;
use super::files::{
    FAN, FAN_NUMBERS, HOLDINGS, PATHS, WEALTH, WEIGHTS, write_fan, write_holdings, write_paths, write_wealth,
    write_weights,
};
use super::grid::Grid;
use super::paths::{Paths, Share};
use super::{Asked, Outcome, Plan, Spec, solve_with};
use crate::batch::part::Part;
use crate::engine::EngineInfo;
use crate::error::{Error, Result, option};
use crate::methods::risk_budgeting::Options;
use crate::observer::{Observer, Unwatched};
use crate::run::Context;
use crate::run::crosscheck::{CrossCheck, Sample, larger, sample};
use crate::store::history::{self, Funded};
use crate::store::manifest::Manifest;
use crate::store::{Checkpoint, table};
use crate::study::backtest::market::Market;
use crate::study::protocol::{Ending, Study};

/// Those of a window whose resamples a device solved in single precision.
const DEVICE_TOLERANCE: f64 = 1e-5;

const GRID: &str = "grid.csv";

/// Weights of a window may differ by this where they are made again: the last bits depend on the machine.
const WEIGHT_TOLERANCE: f64 = 1e-9;

/// A backtest, ready to be solved.
#[derive(Debug, Clone)]
pub struct Backtest {
    plan: Arc<Plan>,
    /// With a plan for each setting.
    grid: Option<Arc<(Grid, Vec<Plan>)>>,
    paths: Option<Arc<Paths>>,
    fan: Option<Fan>,
}

impl Backtest {
    /// All that is not drawn.
    ///
    /// # Errors
    /// As [`Study::prepare`].
    pub fn history(spec: &Spec, data: Funded) -> Result<Backtest> {
        let market = Arc::new(Market::new(data.returns, data.cash, spec.config.periods_per_year));
        let methods = spec.methods();
        let asked = Asked {
            budgets: &spec.budgets,
            methods: &methods,
            mixes: &spec.fixed,
            benchmark: &spec.benchmark,
            estimator: spec.estimator,
            config: &spec.config,
            tolerance: spec.setup.tolerance.unwrap_or(Options::default().tolerance),
            within: spec.within.as_ref(),
            not_before: 0,
        };
        let plan = Arc::new(Plan::new(market, &asked)?);
        let grid = match &spec.grid {
            Some(grid) => Some(Arc::new((grid.clone(), grid.plans(&plan)?))),
            None => None,
        };
        Ok(Backtest { plan, grid, paths: None, fan: None })
    }

    /// With the paths and the resamples of windows that are asked for.
    ///
    /// # Errors
    /// As [`Paths::new`] and [`Fan::new`].
    pub fn drawing(self, spec: &Spec, seed: Option<u64>, observer: &mut dyn Observer) -> Result<Backtest> {
        let seed = seed.unwrap_or_default();
        let drawn = (seed, spec.setup.crosscheck);
        let paths = match spec.paths {
            Some(asked) => Some(Arc::new(Paths::new(&self.plan, asked, drawn, observer)?)),
            None => None,
        };
        let fan = spec.fan.map(|asked| Fan::new(&self.plan, asked, drawn)).transpose()?;
        Ok(Backtest { paths, fan, ..self })
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn fan(&self) -> Option<&Fan> {
        self.fan.as_ref()
    }

    pub fn paths(&self) -> Option<&Paths> {
        self.paths.as_deref()
    }

    /// Decides again at a sample of the dates, and compares the weights of all strategies with those that were written.
    fn verify_weights(&self, size: Sample, directory: &Path) -> Result<CrossCheck> {
        let (plan, n) = (&self.plan, self.plan.market.assets());
        let (count, strategies) = (plan.windows.len(), plan.strategies.len());
        let what = format!("{count} decisions of {strategies} strategies");
        let kept = written(directory, WEIGHTS, n, count * strategies, &what)?;
        let sampled = sample(count as u64, 0, size);
        let windows: Vec<_> = sampled.iter().map(|&at| plan.windows[at as usize].clone()).collect();
        let decisions = plan.question().decide(&windows, &mut Unwatched)?;
        let mut check = CrossCheck { sampled: sampled.len() as u64, ..CrossCheck::default() };
        let none = vec![f64::NAN; n];
        for (&at, decision) in sampled.iter().zip(&decisions) {
            let mut agrees = true;
            for (strategy, portfolio) in decision.portfolios.iter().enumerate() {
                let first = (strategy * count + at as usize) * n;
                let own = portfolio.weights.as_deref().unwrap_or(&none);
                for (kept, own) in kept[first..first + n].iter().zip(own) {
                    let differs = kept.is_nan() != own.is_nan() || (kept - own).abs() > WEIGHT_TOLERANCE;
                    agrees &= !differs;
                    let difference = Some((kept - own).abs()).filter(|difference| difference.is_finite());
                    check.max_weight_difference = larger(check.max_weight_difference, difference);
                }
                check.max_rc_error = larger(check.max_rc_error, portfolio.error);
            }
            check.disagreements += u64::from(!agrees);
        }
        Ok(check)
    }

    /// Resamples the windows of a sample of the decisions again, and compares the bands with those that were written.
    fn verify_fan(&self, fan: &Fan, on_device: bool, size: Sample, directory: &Path) -> Result<CrossCheck> {
        let (plan, n) = (&self.plan, self.plan.market.assets());
        let count = plan.windows.len();
        let kept = written(directory, FAN, FAN_NUMBERS, count * n, &format!("{count} decisions"))?;
        let tolerance = if on_device { DEVICE_TOLERANCE } else { WEIGHT_TOLERANCE };
        let sampled = sample(count as u64, 0, size);
        let windows: Vec<_> = sampled.iter().map(|&at| plan.windows[at as usize].clone()).collect();
        let decisions = plan.question().decide(&windows, &mut Unwatched)?;
        let mut check = CrossCheck { sampled: sampled.len() as u64, ..CrossCheck::default() };
        for (&at, decision) in sampled.iter().zip(&decisions) {
            let again = fan.again(plan, decision, at as usize)?;
            let kept = kept[at as usize * n * FAN_NUMBERS..].chunks_exact(FAN_NUMBERS);
            let agrees = again.assets.iter().zip(kept).all(|(own, kept)| {
                let own = [own.weight, own.q05, own.q50, own.q95].map(|x| x.unwrap_or(f64::NAN));
                own.iter().zip(kept).all(|(a, b)| a.is_nan() && b.is_nan() || (a - b).abs() <= tolerance)
            });
            check.disagreements += u64::from(!agrees);
        }
        Ok(check)
    }

    /// Goes again through a sample of the paths, and compares their figures with those that were written.
    fn verify_paths(&self, paths: &Paths, on_device: bool, size: Sample, directory: &Path) -> Result<CrossCheck> {
        let count = paths.resampling.paths as usize;
        let rows = count.saturating_mul(self.plan.strategies.len());
        let kept = written(directory, PATHS, FIGURES, rows, &format!("{count} paths"))?;
        paths.check(&self.plan, &kept, on_device, size)
    }
}

impl Study for Backtest {
    type Spec = Spec;
    type Data = Funded;
    type Outcome = Outcome;
    type Share = Share;

    const NAME: &'static str = "backtest";
    const NOUN: &'static str = "decision";
    const PART_NOUN: &'static str = "path";
    const PIECE: u64 = 1;
    const FILES: &'static [&'static str] = &["metrics.csv", "periods.csv", "report.html", WEIGHTS, HOLDINGS, WEALTH];
    const FURTHER: &'static [&'static str] = &[GRID, PATHS, FAN];
    const DATA: Option<&'static str> = Some(history::NAME);
    const LAST_OF_PART: u32 = u32::MAX;
    const SOLVES_JOINED: bool = false;

    fn prepare(spec: &Spec, seed: Option<u64>, data: Funded, observer: &mut dyn Observer) -> Result<Backtest> {
        Backtest::history(spec, data)?.drawing(spec, seed, observer)
    }

    /// Paths; without them decisions, and that after the last row.
    fn problems(&self) -> u64 {
        match &self.paths {
            Some(paths) => paths.resampling.paths,
            None => self.plan.windows.len() as u64 + 1,
        }
    }

    /// In decisions.
    fn work(&self, range: &Range<u64>, part: bool) -> u64 {
        let history = if part { 0 } else { self.plan.windows.len() as u64 + 1 };
        let fan = self.fan.as_ref().map_or(0, |fan| fan.problems(&self.plan));
        history + fan + self.paths.as_ref().map_or(0, |paths| paths.problems(range))
    }

    fn whole(&self, context: &mut Context) -> Result<Outcome> {
        let mut outcome = solve_with(&self.plan, self.fan.as_ref(), context)?;
        if let Some(fan) = &self.fan {
            outcome.run = outcome.run.drawn(fan.seed(), context.engine.info());
        }
        if let Some((grid, plans)) = self.grid.as_deref() {
            outcome.grid = Some(grid.run(plans, context.observer)?);
        }
        if let Some(paths) = &self.paths {
            let solved = paths.solve(&self.plan, None, context)?;
            let info = context.engine.info();
            outcome.crosscheck = paths.checked(&self.plan, &solved, &info)?;
            outcome.paths = Some(paths.outcome(&self.plan, &solved));
            outcome.notes.extend(paths.notes(&self.plan, &solved));
            outcome.run = outcome.run.drawn(paths.seed(), info);
        }
        Ok(outcome)
    }

    fn part(&self, part: Part, context: &mut Context) -> Result<Share> {
        let Some(paths) = &self.paths else {
            return Err(Error::usage("a backtest of one history is not cut into parts")
                .hint(format!("leave {} out", option("shard"))));
        };
        let solved = paths.solve(&self.plan, Some(part), context)?;
        Ok(paths.share(part, &solved))
    }

    fn further(&self) -> Vec<&'static str> {
        let grid = self.grid.iter().map(|_| GRID);
        grid.chain(self.paths.iter().map(|_| PATHS)).chain(self.fan.iter().map(|_| FAN)).collect()
    }

    fn shared(share: &Share) -> Ending {
        Ending { solves: share.solves, disagreements: disagreements(share.crosscheck), part: true }
    }

    fn ending(outcome: &Outcome) -> Ending {
        let mut solves = outcome.solves;
        if let Some(paths) = &outcome.paths {
            solves += paths.solves;
        }
        Ending { solves, disagreements: disagreements(outcome.crosscheck), part: false }
    }

    fn state(outcome: &Outcome) -> Value {
        let problems = outcome.paths.as_ref().map_or(outcome.rebalances as u64 + 1, |paths| paths.count);
        serde_json::json!({ "run": outcome.run, "range": [0, problems], "solves": outcome.solves, "crosscheck": outcome.crosscheck })
    }

    fn state_of_part(share: &Share) -> Value {
        serde_json::json!({ "range": share.range, "solves": share.solves, "crosscheck": share.crosscheck })
    }

    fn write(&self, outcome: &Outcome, _: &mut Checkpoint, _: &mut dyn Observer, directory: &Path) -> Result<()> {
        write_weights(&self.plan, outcome, directory)?;
        write_holdings(&self.plan, outcome, directory)?;
        write_wealth(&self.plan, outcome, directory)?;
        if let Some(fan) = &outcome.fan {
            write_fan(&self.plan, fan, directory)?;
        }
        match &outcome.paths {
            Some(paths) => write_paths(paths, directory),
            None => Ok(()),
        }
    }

    fn keep(data: &Funded, directory: &Path) -> Result<()> {
        history::write_funded(&directory.join(history::NAME), data)
    }

    fn data(_: &Manifest, spec: &Spec, directory: &Path) -> Result<Funded> {
        history::read_funded(&directory.join(history::NAME), &spec.data_sha256)
    }

    /// Solves a sample of the dates of the history again, and of the paths where there are any.
    fn verify(&self, maker: &EngineInfo, size: Sample, directory: &Path) -> Result<CrossCheck> {
        let weights = self.verify_weights(size, directory)?;
        let paths = self.paths().map(|paths| self.verify_paths(paths, maker.on_device(), size, directory));
        let fan = self.fan.as_ref().map(|fan| self.verify_fan(fan, maker.on_device(), size, directory));
        [paths, fan].into_iter().flatten().try_fold(weights, |all, found| {
            let found = found?;
            Ok(CrossCheck {
                sampled: all.sampled + found.sampled,
                disagreements: all.disagreements + found.disagreements,
                ..all
            })
        })
    }
}

/// The last so many columns of a table of a run, which must have so many rows.
///
/// # Errors
/// As [`table::read_numbers`]; it has other rows.
fn written(directory: &Path, name: &str, columns: usize, rows: usize, what: &str) -> Result<Vec<f64>> {
    let kept = table::read_numbers(&directory.join(name), columns)?;
    match kept.len() == rows.saturating_mul(columns) {
        true => Ok(kept),
        false => Err(Error::input(format!("`{name}` does not hold {what}"))
            .hint(format!("run the job again with {}", option("force")))),
    }
}

fn disagreements(check: Option<CrossCheck>) -> u64 {
    check.map_or(0, |check| check.disagreements)
}
