//! All that follows from data and configuration before anything is solved: decisions, windows, the first trade.

use std::sync::Arc;

use super::account::Terms;
use super::config::{Config, Leverage, Lookback};
use super::decide::Question;
use super::exposure::Scaling;
use super::market::Market;
use super::strategies::Strategies;
use super::windows::{Window, Windows};
use crate::batch::active;
use crate::covariance::Estimator;
use crate::error::{Error, Result, option};
use crate::methods::{Method, Mix};
use crate::study::limited::Within;
use crate::wording::{counted, joined};

/// What is asked of a history.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// One for each asset; zero leaves it out of all methods.
    pub budgets: &'a [f64],
    pub methods: &'a [Method],
    pub mixes: &'a [Mix],
    /// By name.
    pub benchmark: &'a str,
    pub estimator: Estimator,
    pub config: &'a Config,
    pub tolerance: f64,
    /// What weights are within at every decision, those of the assets that are eligible.
    pub within: Option<&'a Within>,
    /// Decisions before this row are none.
    pub not_before: usize,
}

/// A backtest, ready to be solved.
#[derive(Debug)]
pub struct Plan {
    pub market: Arc<Market>,
    pub budgets: Vec<f64>,
    pub strategies: Strategies,
    /// What the others are compared with.
    pub benchmark: usize,
    pub estimator: Estimator,
    pub config: Config,
    pub tolerance: f64,
    pub within: Option<Within>,
    /// Of the decisions, in order.
    pub windows: Vec<Window>,
    /// What a decision at the last row looks at.
    pub latest: Window,
    /// The close of the first trade: wealth is one there.
    pub start: usize,
}

impl Plan {
    /// # Errors
    /// Names that are no strategies; a history that is too short, or in which no two assets are ever eligible together; rates
    /// that do not cover the rows.
    pub fn new(market: Arc<Market>, asked: &Asked) -> Result<Plan> {
        let Asked { budgets, methods, mixes, config, .. } = *asked;
        let strategies = Strategies::new(methods, config.exposure.regime.is_some(), mixes);
        let benchmark = named(&strategies, "benchmark", asked.benchmark)?;
        for name in config.exposure.applies_to.iter().flatten() {
            named(&strategies, "lever", name)?;
        }
        if let Leverage::Match(name) = &config.exposure.leverage {
            named(&strategies, "target-vol", name)?;
        }
        let rows = market.rows();
        let seen = config.lookback.seen(config.overlap);
        let needed = seen.saturating_add(config.lag).saturating_add(2);
        if rows < needed {
            return Err(Error::input(format!(
                "{} of returns: a window of {}, a lag of {} and a row to hold take {needed}",
                counted(rows as u64, "row"),
                seen,
                config.lag,
            ))
            .hint(format!("take a shorter {}, or a longer history", option("lookback"))));
        }
        if config.rebalance.needs_dates() && market.dates().is_none() {
            return Err(Error::usage(format!("{} needs dates, and these rows have none", calendar(config)))
                .hint(format!("say {}", option("rebalance").word("every-21"))));
        }
        let windows = Windows::new(&market, budgets, config.lookback, config.overlap);
        let held: Vec<usize> = strategies.held_by_mixes().collect();
        let feasible = |row: usize| {
            row >= asked.not_before
                && row.saturating_add(config.lag).saturating_add(1) < rows
                && held.iter().all(|&asset| market.lives[asset].contains(&row))
                && windows.at(row).assets.len() >= 2
        };
        let decisions = config.rebalance.decisions(rows, market.dates(), feasible);
        let plan = Plan {
            windows: decisions.iter().map(|&row| windows.at(row)).collect(),
            latest: windows.at(rows - 1),
            start: decisions.first().map_or(0, |row| row + config.lag),
            budgets: budgets.to_vec(),
            estimator: asked.estimator,
            config: config.clone(),
            tolerance: asked.tolerance,
            within: asked.within.cloned(),
            strategies,
            benchmark,
            market: Arc::clone(&market),
        };
        if plan.windows.is_empty() {
            return Err(plan.never(&held, &windows.entries(rows)));
        }
        plan.check_match()?;
        plan.check_cash()?;
        Ok(plan)
    }

    /// Returns of all assets over so many rows up to `row`, oldest first, where row t has those of row `source[t]`.
    pub fn last_rows(&self, source: &[u32], row: usize, rows: usize) -> Vec<Vec<f64>> {
        let n = self.market.assets();
        let values = &self.market.returns.values;
        let own = |from: &u32| values[*from as usize * n..(*from as usize + 1) * n].to_vec();
        source[row + 1 - rows.min(row + 1)..=row].iter().map(own).collect()
    }

    pub fn question(&self) -> Question<'_> {
        Question {
            returns: &self.market.returns,
            budgets: &self.budgets,
            strategies: &self.strategies,
            estimator: self.estimator,
            overlap: self.config.overlap,
            tolerance: self.tolerance,
            within: self.within.as_ref(),
        }
    }

    pub fn scaling(&self) -> Scaling<'_> {
        Scaling::new(&self.config.exposure, &self.strategies, self.config.periods_per_year)
    }

    pub fn terms(&self) -> Terms<'_> {
        Terms { costs: &self.config.costs, trading: self.config.trading }
    }

    /// Budgets in force after a decision, of all assets.
    pub fn budgets_of(&self, window: &Window) -> Vec<f64> {
        let total: f64 = window.assets.iter().map(|&asset| self.budgets[asset]).sum();
        let mut budgets = vec![0.0; self.budgets.len()];
        window.assets.iter().for_each(|&asset| budgets[asset] = self.budgets[asset] / total);
        budgets
    }

    /// Cash has a rate in every row that is held through.
    fn check_cash(&self) -> Result<()> {
        let market = &self.market;
        match (self.start + 1..market.rows()).find(|&row| !market.cash[row].is_finite()) {
            Some(row) => Err(Error::input(format!("no rate of cash is known for {}", market.label(row)))
                .hint("give rates for all dates, or shorten the dates")),
            None => Ok(()),
        }
    }

    /// A mix whose volatility others take must have one.
    fn check_match(&self) -> Result<()> {
        let Leverage::Match(name) = &self.config.exposure.leverage else { return Ok(()) };
        let Some(place) = self.strategies.position(name).filter(|place| self.strategies.get(*place).kind.is_mix())
        else {
            return Ok(());
        };
        let mix = self.strategies.mixes().iter().find(|mix| mix.name == self.strategies.get(place).name);
        let outside = mix.and_then(|mix| {
            (0..mix.weights.len()).find(|&i| mix.weights[i] != 0.0 && !self.windows[0].assets.contains(&i))
        });
        let Some(asset) = outside else { return Ok(()) };
        Err(Error::usage(format!(
            "{}: `{}` of that mix is not eligible at the first decision, {}",
            option("target-vol").plain(format!("match:{name}")),
            self.market.returns.assets[asset],
            self.market.label(self.windows[0].row)
        ))
        .hint(format!("begin later with {}, or match another strategy", option("from"))))
    }

    /// Why there is no decision.
    fn never(&self, held: &[usize], entries: &[Option<usize>]) -> Error {
        let (assets, rows) = (&self.market.returns.assets, self.market.rows());
        let ready = |asset: usize| match entries[asset] {
            Some(row) => format!("`{}` from {} on", assets[asset], self.market.label(row)),
            None => format!("`{}` never", assets[asset]),
        };
        let budgeted = active(&self.budgets);
        if budgeted.len() < 2 {
            return Error::input("a backtest needs two assets with a risk budget").hint("name more assets");
        }
        let window = match self.config.lookback {
            Lookback::Rolling(rows) => format!("a window of {}", counted(rows as u64, "row")),
            Lookback::Expanding(rows) => format!("at least {}", counted(rows as u64, "row")),
        };
        let list: Vec<String> = budgeted.iter().map(|&asset| ready(asset)).collect();
        let begins = |asset: usize| self.market.lives[asset].start;
        let late = held.iter().copied().filter(|&asset| begins(asset) > 0).max_by_key(|&asset| begins(asset));
        let error = Error::input(format!(
            "none of the {} is a decision of {} at which two assets have {window}{}: {}",
            counted(rows as u64, "row"),
            calendar(&self.config),
            if held.is_empty() { "" } else { " and every asset of the fixed mixes a return" },
            joined(&list)
        ));
        match late {
            Some(asset) => error.hint(format!(
                "`{}` of a fixed mix starts {}: leave it out, or take a shorter {}",
                assets[asset],
                self.market.label(begins(asset)),
                option("lookback")
            )),
            None => error.hint(format!("take a shorter {} or a longer history", option("lookback"))),
        }
    }
}

/// As it is asked for.
fn calendar(config: &Config) -> String {
    option("rebalance").word(&config.rebalance).to_string()
}

/// # Errors
/// No strategy is called that.
fn named(strategies: &Strategies, flag: &str, name: &str) -> Result<usize> {
    strategies.position(name).ok_or_else(|| {
        let names: Vec<String> = strategies.iter().map(|strategy| format!("`{}`", strategy.name)).collect();
        Error::usage(format!("{}: no strategy is called `{name}`", option(flag)))
            .hint(format!("there are {}", joined(&names)))
    })
}
