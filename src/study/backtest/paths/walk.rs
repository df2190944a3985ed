//! A path, gone through by all strategies.

use std::ops::Range;

use pulp::Arch;
use rayon::prelude::*;

use super::lockstep::{Targets, Tracks};
use super::plan::Paths;
use crate::batch::Solutions;
use crate::batch::counts::Solves;
use crate::error::Result;
use crate::lanes::LANES;
use crate::methods::certificate::Status;
use crate::resample::Law;
use crate::run::crosscheck::{Check, larger};
use crate::run::{Added, Chunk, Fold};
use crate::store::Columns;
use crate::study::backtest::account::{Order, account};
use crate::study::backtest::decide::Solved;
use crate::study::backtest::exposure::Target;
use crate::study::backtest::figures::{FIGURES, Market as Shared, PathFigures, Scratch, Side, Summed, monthly};
use crate::study::backtest::plan::Plan;
use crate::study::backtest::solve::Evaluated;

/// What a path left.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// Of each strategy; NaN where a figure does not exist.
    pub figures: Vec<[f64; FIGURES]>,
    /// Wealth at the marks, of each strategy that is drawn, in their order.
    pub wealth: Vec<f64>,
    /// Decisions of each strategy without a certified portfolio.
    pub unsolved: Vec<u64>,
    /// Whether wealth was gone, of each strategy.
    pub ruined: Vec<bool>,
}

/// What is the same for all paths of a law.
pub struct Walker<'a> {
    pub plan: &'a Plan,
    pub paths: &'a Paths,
    pub evaluated: &'a Evaluated,
    pub law: Law,
    pub arch: Arch,
}

/// Room for one path after the other.
#[derive(Debug, Default)]
struct Room {
    cash: Vec<f64>,
    monthly_cash: Vec<f64>,
    /// Of each strategy.
    targets: Vec<Targets>,
    tracks: Tracks,
    summed: Summed,
}

impl Walker<'_> {
    /// Goes through consecutive paths, whose problems `solutions` holds in order.
    pub fn walk(&self, paths: Range<u64>, solutions: &Solutions) -> Vec<Walk> {
        let dates = self.paths.windows.len();
        let own = |room: &mut Room, (at, path): (usize, u64)| self.one(path, solutions, at * dates, room);
        let paths: Vec<(usize, u64)> = paths.enumerate().collect();
        paths.into_par_iter().map_init(Room::default, own).collect()
    }

    /// Path number `path`, whose problems stand from position `first` on.
    fn one(&self, path: u64, solutions: &Solutions, first: usize, room: &mut Room) -> Walk {
        let Walker { plan, paths, evaluated, law, .. } = *self;
        let source = law.rows(path);
        let (question, selection) = (plan.question(), &paths.selection);
        let scaling = plan.scaling();
        let n = plan.market.assets();
        room.targets.resize_with(plan.strategies.len(), Targets::default);
        for (strategy, (own, targets)) in plan.strategies.iter().zip(&mut room.targets).enumerate() {
            targets.begin(paths.windows.len(), n);
            for (date, window) in paths.windows.iter().enumerate() {
                let solved = Solved { assets: &paths.assets, selection, solutions, at: first + date };
                let holdings = &mut targets.holdings[date * n..][..n];
                let volatility = |strategy: usize| question.volatility(plan.strategies.get(strategy).kind, solved);
                let last = |rows: usize| plan.last_rows(&source, window.row, rows);
                let is_certified = question.weights(own.kind, solved, holdings);
                targets.unsolved += u64::from(!is_certified);
                let scale = is_certified.then(|| scaling.scale(strategy, holdings, volatility, last)).flatten();
                if let Some(scale) = scale.filter(|scale| *scale != 1.0) {
                    holdings.iter_mut().for_each(|holding| *holding *= scale);
                }
                targets.known[date] = scale.is_some();
            }
        }
        let (market, timeline) = (&plan.market, evaluated.timeline());
        room.cash.clear();
        room.cash.extend(source[plan.start + 1..].iter().map(|row| market.cash[*row as usize]));
        room.monthly_cash.clear();
        if timeline.has_shorter_rows_than_months() {
            room.monthly_cash.extend(monthly(timeline, &room.cash));
        }
        let wealth = vec![f64::NAN; paths.drawn.len() * paths.marks.len()];
        let mut walk = Walk { figures: Vec::new(), wealth, unsolved: Vec::new(), ruined: Vec::new() };
        let Room { cash, monthly_cash, targets, tracks, summed } = room;
        for (group, targets) in targets.chunks(LANES).enumerate() {
            tracks.run(self.arch, &paths.rows, &source, plan.start, (&paths.due, targets), plan.terms());
            let side = Side {
                timeline,
                cash,
                monthly_cash,
                net: &tracks.net,
                exposure: &tracks.exposure,
                unlevered: &tracks.unlevered,
                marks: &paths.marks,
            };
            summed.sum(self.arch, side, targets.len());
            for (lane, targets) in targets.iter().enumerate() {
                let strategy = group * LANES + lane;
                let aim = scaling.aim(strategy);
                let ruined = tracks.ruined[lane];
                let (figures, wealth): (_, Vec<f64>) = if ruined {
                    self.alone(&source, cash, targets, aim)
                } else {
                    let wealth = summed.marked.iter().map(|own| own.0[lane]).collect();
                    (summed.figures(side, lane, tracks.turned_over[lane], aim), wealth)
                };
                walk.figures.push(figures.into_array().map(|figure| figure.unwrap_or(f64::NAN)));
                if let Some(place) = paths.drawn.iter().position(|own| *own == strategy) {
                    walk.wealth[place * wealth.len()..][..wealth.len()].copy_from_slice(&wealth);
                }
                walk.unsolved.push(targets.unsolved);
                walk.ruined.push(ruined);
            }
        }
        walk
    }

    /// A strategy that loses everything, by itself: its figures, and its wealth at the marks.
    fn alone(&self, source: &[u32], cash: &[f64], targets: &Targets, aim: Option<f64>) -> (PathFigures, Vec<f64>) {
        let Walker { plan, paths, evaluated, .. } = *self;
        let spread = source[plan.start + 1..].iter();
        let spread: Vec<f64> = spread.map(|row| plan.market.spread(*row as usize, plan.config.costs.spread)).collect();
        let shared = Shared { timeline: evaluated.timeline(), cash, spread: &spread };
        let n = plan.market.assets();
        let order = |(date, row): (usize, &usize)| {
            // What it is a multiple of is asked by nobody here.
            let target = targets.of(date, n).map(|holdings| Target { scale: 1.0, holdings: holdings.to_vec() });
            Order { row: *row, target, budgets: None, bands: None }
        };
        let orders: Vec<Order> = paths.due.iter().enumerate().map(order).collect();
        let account = account(&plan.market, source, plan.start, &orders, plan.terms());
        let figures = PathFigures::of(&shared, &account.track, aim, &mut Scratch::default());
        let wealth = |close: &usize| close.checked_sub(1).map_or(1.0, |row| account.track.wealth[row]);
        (figures, paths.marks.iter().map(wealth).collect())
    }
}

/// Paths that were gone through, in order.
#[derive(Debug, Default)]
pub struct Walked {
    /// Figures, paths x strategies x [`FIGURES`].
    pub figures: Vec<f64>,
    /// Wealth, paths x strategies that are drawn x marks.
    pub wealth: Vec<f64>,
    /// Of each strategy.
    pub unsolved: Vec<u64>,
    pub ruined: Vec<u64>,
    pub solves: Solves,
    /// Largest certified error of risk budgeting.
    pub error: Option<f64>,
    pub check: Option<Check>,
}

/// Goes through the paths of finished chunks.
pub struct Walking<'a> {
    pub walker: Walker<'a>,
    pub walked: Walked,
}

impl<'a> Walking<'a> {
    pub fn new(walker: Walker<'a>) -> Walking<'a> {
        let none = vec![0; walker.plan.strategies.len()];
        Walking { walker, walked: Walked { unsolved: none.clone(), ruined: none, ..Walked::default() } }
    }
}

impl Fold for Walking<'_> {
    fn columns(&self, chunk: Chunk) -> Columns {
        let solutions = chunk.block.portfolios();
        let walks = self.walker.walk(chunk.range, &solutions);
        let solves = Solves::count(&solutions);
        let converged = solutions.certificates.iter().filter(|own| own.status == Status::Converged);
        let error: Vec<f64> = converged.map(|own| own.error()).reduce(f64::max).into_iter().collect();
        let counts = |of: &dyn Fn(&Walk, usize) -> u64| -> Vec<u64> {
            (0..self.walked.unsolved.len()).map(|own| walks.iter().map(|walk| of(walk, own)).sum()).collect()
        };
        Columns::default()
            .with("figures", walks.iter().flat_map(|walk| walk.figures.iter().flatten().copied()).collect::<Vec<f64>>())
            .with("wealth", walks.iter().flat_map(|walk| walk.wealth.iter().copied()).collect::<Vec<f64>>())
            .with("unsolved", counts(&|walk, own| walk.unsolved[own]))
            .with("ruined", counts(&|walk, own| u64::from(walk.ruined[own])))
            .with("solves", solves.into_numbers().to_vec())
            .with("error", error)
            .with("check", Check::numbers(chunk.check))
    }

    fn add(&mut self, range: &Range<u64>, columns: &Columns) -> Result<Added> {
        let (count, strategies) = ((range.end - range.start) as usize, self.walked.unsolved.len());
        let marks = self.walker.paths.drawn.len() * self.walker.paths.marks.len();
        let numbers = |name, expected: usize| columns.f64s(name).filter(|found| found.len() == expected);
        let counts = |name, expected: usize| columns.u64s(name).filter(|found| found.len() == expected);
        let figures = numbers("figures", count * strategies * FIGURES);
        let (Some(figures), Some(wealth)) = (figures, numbers("wealth", count * marks)) else {
            return Ok(Added::Foreign);
        };
        let (Some(unsolved), Some(ruined)) = (counts("unsolved", strategies), counts("ruined", strategies)) else {
            return Ok(Added::Foreign);
        };
        let Some(solves) = columns.u64s("solves").and_then(Solves::of_numbers) else { return Ok(Added::Foreign) };
        let walked = &mut self.walked;
        walked.figures.extend(figures);
        walked.wealth.extend(wealth);
        walked.unsolved.iter_mut().zip(unsolved).for_each(|(sum, own)| *sum += own);
        walked.ruined.iter_mut().zip(ruined).for_each(|(sum, own)| *sum += own);
        walked.solves += solves;
        let error = columns.f64s("error").and_then(|own| own.first().copied());
        walked.error = larger(walked.error, error);
        walked.check = Check::both(walked.check, columns.f64s("check").and_then(Check::of_numbers));
        Ok(Added::Taken)
    }
}
