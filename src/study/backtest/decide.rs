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

    /// One set of assets.
    fn solve(&self, assets: &[usize], windows: &[&Window], stop: &Stop) -> Result<Vec<Vec<Portfolio>>> {
        let none = |status: Status| Ok(windows.iter().map(|_| self.none(status)).collect());
        if assets.is_empty() {
            return none(Status::Invalid);
        }
        let limits = self.within.map(|within| within.limits.over(assets).limits());
        if limits.as_ref().is_some_and(|limits| limits.conflict().is_some()) {
            return none(Status::Infeasible);
        }
        let start = windows.iter().map(|window| window.rows.start).min().unwrap_or(0);
        let end = windows.iter().map(|window| window.rows.end).max().unwrap_or(0);
        let spans: Vec<Range<u32>> =
            windows.iter().map(|w| (w.rows.start - start) as u32..(w.rows.end - start) as u32).collect();
        let returns = overlapped(self.returns, assets, start..end, self.overlap);
        let known = spans[0].start as usize..spans[0].end as usize;
        let panel = Arc::new(Panel::standardised_by(&returns, known)?);
        let budgets: Vec<f64> = assets.iter().map(|&asset| self.budgets[asset]).collect();
        let rows = Rows::Spans(spans.into());
        let selection = self.selection(assets).within(limits.as_ref());
        let program = match self.within {
            Some(within) => within.program(&budgets, assets, &self.returns.assets, None)?,
            None => Program::new(&budgets)?,
        };
        let batch = Batch::of_rows(panel, rows, self.estimator, program)?;
        let request = Request::Portfolios { beside: selection.clone() };
        let solutions = self.engine().job(&batch, &request).run(0..batch.problems(), stop)?.portfolios();
        Ok((0..windows.len()).map(|at| self.portfolios(assets, &selection, &solutions, at)).collect())
    }

    /// The methods and mixes of these assets.
    fn selection(&self, assets: &[usize]) -> Selection {
        let part = |mix: &Mix| Mix {
            name: mix.name.clone(),
            weights: assets.iter().map(|&asset| mix.weights[asset]).collect(),
        };
        Selection::new(&self.strategies.methods(), self.strategies.mixes().iter().map(part).collect())
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

    fn portfolios(&self, assets: &[usize], selection: &Selection, solutions: &Solutions, at: usize) -> Vec<Portfolio> {
        let portfolio = |kind: Kind| {
            let method = kind.method();
            let volatility = Some(solutions.volatility_of(method, at)).filter(|volatility| volatility.is_finite());
            if let Kind::Fixed(number) = kind {
                // Its volatility is known where all of it is.
                let held = &self.strategies.mixes()[number].weights;
                let whole = (0..held.len()).all(|asset| held[asset] == 0.0 || assets.binary_search(&asset).is_ok());
                return self.mix(number, volatility.filter(|_| whole));
            }
            let (status, error, unique) = evidence(solutions, method, at);
            let found = (status == Status::Converged).then(|| solutions.weights_of(method, selection, at));
            let weights = found.map(|found| {
                let mut all = vec![0.0; self.budgets.len()];
                assets.iter().zip(found).for_each(|(&asset, weight)| all[asset] = weight);
                all
            });
            Portfolio { status, error, unique, volatility: volatility.filter(|_| weights.is_some()), weights }
        };
        self.strategies.iter().map(|strategy| portfolio(strategy.kind)).collect()
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
