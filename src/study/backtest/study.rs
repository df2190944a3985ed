//! The backtest as a [`Study`].

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::files::{HOLDINGS, WEALTH, WEIGHTS, write_holdings, write_wealth, write_weights};
use super::grid::Grid;
use super::{Asked, Outcome, Plan, Spec, solve};
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

/// Weights of a window may differ by this where they are made again: the last bits depend on the machine.
const WEIGHT_TOLERANCE: f64 = 1e-9;

/// A backtest, ready to be solved.
#[derive(Debug)]
pub struct Backtest {
    plan: Plan,
    /// With a plan for each setting.
    grid: Option<(Grid, Vec<Plan>)>,
}

impl Backtest {
    pub fn plan(&self) -> &Plan {
        &self.plan
    }
}

impl Study for Backtest {
    type Spec = Spec;
    type Data = Funded;
    type Outcome = Outcome;
    type Share = Never;

    const NAME: &'static str = "backtest";
    const NOUN: &'static str = "decision";
    const PIECE: u64 = 1;
    const FILES: &'static [&'static str] = &["metrics.csv", "periods.csv", WEIGHTS, HOLDINGS, WEALTH];
    const FURTHER: &'static [&'static str] = &["grid.csv"];
    const DATA: Option<&'static str> = Some(history::NAME);
    const LAST_OF_PART: u32 = u32::MAX;
    const SOLVES_JOINED: bool = false;

    fn prepare(spec: &Spec, _: Option<u64>, data: Funded, _: &mut dyn Observer) -> Result<Backtest> {
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
        let plan = Plan::new(market, &asked)?;
        let grid = match &spec.grid {
            Some(grid) => Some((grid.clone(), grid.plans(&plan)?)),
            None => None,
        };
        Ok(Backtest { plan, grid })
    }

    /// Decisions, and that after the last row.
    fn problems(&self) -> u64 {
        self.plan.windows.len() as u64 + 1
    }

    fn work(&self, range: &Range<u64>, _: bool) -> u64 {
        range.end - range.start
    }

    fn whole(&self, context: &mut Context) -> Result<Outcome> {
        let mut outcome = solve(&self.plan, context.observer)?;
        if let Some((grid, plans)) = &self.grid {
            outcome.grid = Some(grid.run(plans, context.observer)?);
        }
        Ok(outcome)
    }

    fn part(&self, _: Part, _: &mut Context) -> Result<Never> {
        Err(Error::usage("a backtest of one history is not cut into parts")
            .hint(format!("leave {} out", option("shard"))))
    }

    fn further(&self) -> Vec<&'static str> {
        self.grid.iter().map(|_| Backtest::FURTHER[0]).collect()
    }

    fn shared(share: &Never) -> Ending {
        match *share {}
    }

    fn ending(outcome: &Outcome) -> Ending {
        Ending { solves: outcome.solves, disagreements: 0, part: false }
    }

    fn state(outcome: &Outcome) -> Value {
        let problems = outcome.rebalances as u64 + 1;
        serde_json::json!({ "run": outcome.run, "range": [0, problems], "solves": outcome.solves })
    }

    fn state_of_part(share: &Never) -> Value {
        match *share {}
    }

    fn write(&self, outcome: &Outcome, _: &mut Checkpoint, _: &mut dyn Observer, directory: &Path) -> Result<()> {
        write_weights(&self.plan, outcome, directory)?;
        write_holdings(&self.plan, outcome, directory)?;
        write_wealth(&self.plan, outcome, directory)
    }

    fn keep(data: &Funded, directory: &Path) -> Result<()> {
        history::write_funded(&directory.join(history::NAME), data)
    }

    fn data(_: &Manifest, spec: &Spec, directory: &Path) -> Result<Funded> {
        history::read_funded(&directory.join(history::NAME), &spec.data_sha256)
    }

    /// Decides again at a sample of the dates, and compares the weights of all strategies.
    fn verify(&self, _: &EngineInfo, size: Sample, directory: &Path) -> Result<CrossCheck> {
        let (plan, n) = (&self.plan, self.plan.market.assets());
        let kept = table::read_numbers(&directory.join(WEIGHTS), n)?;
        let (count, strategies) = (plan.windows.len(), plan.strategies.len());
        if kept.len() != count * strategies * n {
            return Err(Error::input(format!(
                "`{WEIGHTS}` does not hold {count} decisions of {strategies} strategies"
            ))
            .hint(format!("run the job again with {}", option("force"))));
        }
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
}

/// A backtest of one history has no parts.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub enum Never {}
