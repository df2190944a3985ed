//! The portfolios of each decision, from its own window and nothing else.
//!
//! Windows of one set of eligible assets are one batch. Its panel is standardised by the first of these windows: whatever
//! becomes known later changes no digit of an earlier decision.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::strategies::{Kind, Strategies};
use super::windows::{Window, overlapped};
use crate::batch::{Batch, Request, Rows, Solutions};
use crate::covariance::Estimator;
use crate::engine::Job as _;
use crate::engine::cpu::CpuEngine;
use crate::error::Result;
use crate::methods::certificate::Status;
use crate::methods::risk_budgeting::Options;
use crate::methods::{Method, Mix, Program, Selection};
use crate::observer::Observer;
use crate::panel::{Panel, Returns};
use crate::stop::Stop;
use crate::study::limited::Within;

/// What a strategy wants to hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Portfolio {
    pub status: Status,
    /// What certifies it; none of closed forms.
    pub error: Option<f64>,
    /// Whether it is the only one.
    pub unique: bool,
    /// Of all assets of the study, before exposure; none where no portfolio is certified.
    pub weights: Option<Vec<f64>>,
    /// sqrt(w'S w) per row of the window; none where it is not known.
    pub volatility: Option<f64>,
}

/// A decision: one portfolio for each strategy.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    pub window: Window,
    pub portfolios: Vec<Portfolio>,
}

/// What all decisions have in common.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub returns: &'a Returns,
    /// One for each asset, summing to anything.
    pub budgets: &'a [f64],
    pub strategies: &'a Strategies,
    pub estimator: Estimator,
    pub overlap: usize,
    pub tolerance: f64,
    /// What weights are within, but for mixes.
    pub within: Option<&'a Within>,
}

/// Solutions of a problem: the assets that it is about, and where they stand.
#[derive(Debug, Clone, Copy)]
pub struct Solved<'a> {
    pub assets: &'a [usize],
    pub selection: &'a Selection,
    pub solutions: &'a Solutions,
    pub at: usize,
}

/// Problems between two signs of progress.
const SPAN: usize = 256;

impl Question<'_> {
    /// Solves for all windows, on the CPU, every solution to rounding.
    ///
    /// # Errors
    /// Asked to stop; a panel that no covariance can be made of.
    pub fn decide(&self, windows: &[Window], observer: &mut dyn Observer) -> Result<Vec<Decision>> {
        let mut sets: Vec<(&[usize], Vec<usize>)> = Vec::new();
        let mut places: HashMap<&[usize], usize> = HashMap::new();
        for (at, window) in windows.iter().enumerate() {
            let place = *places.entry(&window.assets).or_insert_with(|| {
                sets.push((&window.assets, Vec::new()));
                sets.len() - 1
            });
            sets[place].1.push(at);
        }
        let mut decisions: Vec<Option<Decision>> = vec![None; windows.len()];
        for (assets, members) in sets {
            for members in members.chunks(SPAN) {
                let own: Vec<&Window> = members.iter().map(|&at| &windows[at]).collect();
                for (at, portfolios) in members.iter().zip(self.solve(assets, &own, &observer.stop())?) {
                    decisions[*at] = Some(Decision { window: windows[*at].clone(), portfolios });
                }
                observer.finished(members.len() as u64);
            }
        }
        Ok(decisions.into_iter().flatten().collect())
    }

    /// A history is always solved on the CPU.
    pub fn engine(&self) -> CpuEngine {
        CpuEngine { options: Options { tolerance: self.tolerance, finish: true } }
    }

    /// Where many portfolios tell of a distribution, they are solved to the tolerance and no further.
    pub fn rough(&self) -> CpuEngine {
        CpuEngine { options: Options { tolerance: self.tolerance, ..Options::default() } }
    }

    /// Whether no portfolio of these assets is within the limits.
    pub fn is_infeasible(&self, assets: &[usize]) -> bool {
        self.within.is_some_and(|within| within.limits.over(assets).limits().conflict().is_some())
    }

    /// One set of assets.
    fn solve(&self, assets: &[usize], windows: &[&Window], stop: &Stop) -> Result<Vec<Vec<Portfolio>>> {
        let none = |status: Status| Ok(windows.iter().map(|_| self.none(status)).collect());
        if assets.is_empty() {
            return none(Status::Invalid);
        }
        if self.is_infeasible(assets) {
            return none(Status::Infeasible);
        }
        let start = windows.iter().map(|window| window.rows.start).min().unwrap_or(0);
        let end = windows.iter().map(|window| window.rows.end).max().unwrap_or(0);
        let spans: Vec<Range<u32>> =
            windows.iter().map(|w| (w.rows.start - start) as u32..(w.rows.end - start) as u32).collect();
        let returns = overlapped(self.returns, assets, start..end, self.overlap);
        let known = spans[0].start as usize..spans[0].end as usize;
        let panel = Arc::new(Panel::standardised_by(&returns, known)?);
        let rows = Rows::Spans(spans.into());
        let selection = self.selection(assets);
        let program = self.program(assets)?;
        let batch = Batch::of_rows(panel, rows, self.estimator, program)?;
        let request = Request::Portfolios { beside: selection.clone() };
        let solutions = self.engine().job(&batch, &request).run(0..batch.problems(), stop)?.portfolios();
        let solved = |at: usize| Solved { assets, selection: &selection, solutions: &solutions, at };
        Ok((0..windows.len()).map(|at| self.portfolios(solved(at))).collect())
    }

    /// What portfolios of these assets are asked to be.
    ///
    /// # Errors
    /// Limits that contradict each other.
    pub fn program(&self, assets: &[usize]) -> Result<Program> {
        let budgets: Vec<f64> = assets.iter().map(|&asset| self.budgets[asset]).collect();
        match self.within {
            Some(within) => within.program(&budgets, assets, &self.returns.assets, None),
            None => Program::new(&budgets),
        }
    }

    /// The methods and mixes of these assets, within their limits.
    pub fn selection(&self, assets: &[usize]) -> Selection {
        let limits = self.within.map(|within| within.limits.over(assets).limits());
        let part = |mix: &Mix| Mix {
            name: mix.name.clone(),
            weights: assets.iter().map(|&asset| mix.weights[asset]).collect(),
        };
        let mixes = self.strategies.mixes().iter().map(part).collect();
        Selection::new(&self.strategies.methods(), mixes).within(limits.as_ref())
    }

    /// Mixes alone have portfolios where no asset is eligible, or those that are cannot be within the limits.
    fn none(&self, status: Status) -> Vec<Portfolio> {
        let portfolio = |kind: Kind| match kind {
            Kind::Fixed(number) => self.mix(number, None),
            Kind::Method(_) | Kind::Regime => {
                Portfolio { status, error: None, unique: true, weights: None, volatility: None }
            }
        };
        self.strategies.iter().map(|strategy| portfolio(strategy.kind)).collect()
    }

    fn mix(&self, number: usize, volatility: Option<f64>) -> Portfolio {
        let weights = Some(self.strategies.mixes()[number].weights.clone());
        Portfolio { status: Status::Converged, error: None, unique: true, weights, volatility }
    }

    /// Of each strategy.
    fn portfolios(&self, solved: Solved) -> Vec<Portfolio> {
        let portfolio = |kind: Kind| {
            let volatility = self.volatility(kind, solved);
            if let Kind::Fixed(number) = kind {
                return self.mix(number, volatility);
            }
            let mut weights = vec![0.0; self.budgets.len()];
            let weights = self.weights(kind, solved, &mut weights).then_some(weights);
            let (status, error, unique) = evidence(solved.solutions, kind.method(), solved.at);
            Portfolio { status, error, unique, volatility, weights }
        };
        self.strategies.iter().map(|strategy| portfolio(strategy.kind)).collect()
    }

    /// Puts the weights of a strategy, of all assets of the study, in `to`, which is zero. False where there is no certified
    /// portfolio.
    pub fn weights(&self, kind: Kind, Solved { assets, selection, solutions, at }: Solved, to: &mut [f64]) -> bool {
        if let Kind::Fixed(number) = kind {
            to.copy_from_slice(&self.strategies.mixes()[number].weights);
            return true;
        }
        let method = kind.method();
        let found = evidence(solutions, method, at).0 == Status::Converged;
        if found {
            solutions.with_weights_of(method, selection, at, |found| {
                assets.iter().zip(found).for_each(|(&asset, weight)| to[asset] = *weight);
            });
        }
        found
    }

    /// sqrt(w'S w) of a strategy, per row; none where it is not known, or there is no certified portfolio.
    pub fn volatility(&self, kind: Kind, Solved { assets, solutions, at, .. }: Solved) -> Option<f64> {
        let method = kind.method();
        let volatility = Some(solutions.volatility_of(method, at)).filter(|volatility| volatility.is_finite())?;
        let is_known = match kind {
            // Where all of it is.
            Kind::Fixed(number) => {
                let held = &self.strategies.mixes()[number].weights;
                (0..held.len()).all(|asset| held[asset] == 0.0 || assets.binary_search(&asset).is_ok())
            }
            Kind::Method(_) | Kind::Regime => evidence(solutions, method, at).0 == Status::Converged,
        };
        is_known.then_some(volatility)
    }
}

/// Status, certified error and whether it is the only one.
fn evidence(solutions: &Solutions, method: Method, at: usize) -> (Status, Option<f64>, bool) {
    let certificate = solutions.certificates[at];
    if method == Method::RiskBudgeting {
        return (certificate.status, Some(certificate.error()), true);
    }
    match solutions.comparisons.of(method) {
        Some(solved) => (solved.proofs[at].status, Some(solved.proofs[at].error), solved.proofs[at].unique),
        // What follows from a formula is there wherever the input is valid.
        None if certificate.status == Status::Invalid => (Status::Invalid, None, true),
        None => (Status::Converged, None, true),
    }
}
