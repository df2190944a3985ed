//! From a plan to its outcome: decide, run the accounts, look back.

use super::account::{Account, Order, account};
use super::config::{Lookback, Named};
use super::decide::Decision;
use super::fan::{self, Fan, Spread};
use super::figures::{
    Market as Shared, Metrics, Month, NamedPeriod, Timeline, Track, break_even, cost_curve, month_returns, periods,
    risk_shares_over, year_returns,
};
use super::outcome::{
    AssetOutcome, Gap, Latest, LatestPortfolio, Outcome, Run, StrategyOutcome, WeightRange, YearShares,
};
use super::plan::Plan;
use super::{label, notes};
use crate::batch::counts::{RcError, Solves};
use crate::engine::{Engine as _, EngineInfo};
use crate::error::{Error, Result};
use crate::methods::Method;
use crate::methods::certificate::{Certificate, Status};
use crate::observer::{Noted, Observer};
use crate::run::Context;
use crate::store::Checkpoint;
use crate::study::estimation::Estimation;
use crate::study::statistics::limited::KktError;

/// What decisions come to for one strategy, where row t has the returns of row `source[t]`. Between the bands of `spreads`,
/// one for each decision where there are any, risk budgeting does not trade.
pub fn orders(
    plan: &Plan,
    source: &[u32],
    (decisions, spreads): (&[Decision], &[Spread]),
    strategy: usize,
) -> Vec<Order> {
    let scaling = plan.scaling();
    let kind = plan.strategies.get(strategy).kind;
    let budgeted = kind.method() == Method::RiskBudgeting;
    let order = |(number, decision): (usize, &Decision)| {
        let last = |rows: usize| plan.last_rows(source, decision.window.row, rows);
        let target = scaling.target(&decision.portfolios, strategy, last);
        let spread = spreads.get(number).filter(|_| budgeted).zip(target.as_ref());
        Order {
            row: decision.window.row + plan.config.lag,
            budgets: budgeted.then(|| plan.budgets_of(&decision.window)),
            bands: spread.and_then(|(spread, target)| fan::bands(spread, target.scale)),
            target,
        }
    };
    decisions.iter().enumerate().map(order).collect()
}

/// The rows after the first trade, the same for all strategies.
pub struct Evaluated {
    start: usize,
    timeline: Timeline,
    spread: Vec<f64>,
}

impl Evaluated {
    /// Those after the close of row `start`.
    pub fn after(plan: &Plan, start: usize) -> Evaluated {
        let (market, config) = (&plan.market, &plan.config);
        let rows = start..market.rows();
        let labels = rows.clone().map(|row| market.label(row)).collect();
        let dates = market.dates().map(|dates| dates[start..].to_vec());
        Evaluated {
            start,
            timeline: Timeline::new(labels, dates, config.periods_per_year),
            spread: rows.skip(1).map(|row| market.spread(row, config.costs.spread)).collect(),
        }
    }

    pub fn timeline(&self) -> &Timeline {
        &self.timeline
    }

    /// As figures take them.
    pub fn shared<'a>(&'a self, plan: &'a Plan) -> Shared<'a> {
        Shared { timeline: &self.timeline, cash: &plan.market.cash[self.start + 1..], spread: &self.spread }
    }
}

/// Solves what is asked, on the CPU, and looks back.
///
/// # Errors
/// Asked to stop; a covariance that cannot be made.
pub fn solve(plan: &Plan, observer: &mut dyn Observer) -> Result<Outcome> {
    let engine = plan.question().engine();
    solve_with(plan, None, &mut Context { engine: &engine, store: &mut Checkpoint::none(), observer })
}

/// The same, with the windows of the decisions resampled for a fan, on the engine of `context`.
///
/// # Errors
/// As [`solve`]; those of the fan.
pub fn solve_with(plan: &Plan, fan: Option<&Fan>, context: &mut Context) -> Result<Outcome> {
    let mut observer = Noted::new(context.observer);
    let mut windows = plan.windows.clone();
    windows.push(plan.latest.clone());
    let mut decisions = plan.question().decide(&windows, &mut observer)?;
    let latest = decisions.pop().ok_or_else(|| Error::failed("a backtest without a decision"))?;
    let said = observer.notes;
    let (mut spreads, crosscheck) = match fan {
        Some(fan) => fan.solve(plan, &decisions, context)?,
        None => (Vec::new(), None),
    };
    let bands = if fan.is_some_and(|fan| fan.resampling.trades) { &spreads[..] } else { &[] };
    let evaluated = Evaluated::after(plan, plan.start);
    let shared = evaluated.shared(plan);
    let source = plan.market.source();
    let orders: Vec<Vec<Order>> =
        (0..plan.strategies.len()).map(|own| orders(plan, &source, (&decisions, bands), own)).collect();
    let accounts: Vec<Account> =
        orders.iter().map(|orders| account(&plan.market, &source, plan.start, orders, plan.terms())).collect();
    if let (Some(fan), Some(own)) = (fan, plan.strategies.place(Method::RiskBudgeting)) {
        fan.direct(plan, (&orders[own], &accounts[own]), &mut spreads, context.store)?;
    }
    let tracks: Vec<(&str, &Track)> =
        plan.strategies.iter().zip(&accounts).map(|(own, account)| (own.name.as_str(), &account.track)).collect();
    let spans = |named: &Named| named.spans.iter().map(|span| (span.from, span.to)).collect();
    let named: Vec<NamedPeriod> =
        plan.config.periods.iter().map(|own| NamedPeriod { name: own.name.clone(), spans: spans(own) }).collect();
    let found = periods(&shared, &tracks, tracks[plan.benchmark].1, &named);
    let strategies: Vec<StrategyOutcome> = (0..accounts.len())
        .map(|strategy| looked_back(plan, &shared, (&accounts, &orders), &decisions, strategy))
        .collect();
    let Evidence { solves, rc_error, kkt_error, gap } = evidence(plan, &decisions, &latest);
    let mut outcome = Outcome {
        rebalances: decisions.len(),
        benchmark: plan.strategies.get(plan.benchmark).name.clone(),
        periods: found,
        latest: after(plan, &source, &latest),
        assets: assets(plan, &decisions),
        solves,
        rc_error,
        kkt_error,
        gap,
        crosscheck,
        fan: fan.map(|_| spreads),
        grid: None,
        paths: None,
        run: run(plan, shared.timeline),
        notes: Vec::new(),
        closes: shared.timeline.labels.clone(),
        decided: decisions.iter().map(|decision| plan.market.label(decision.window.row)).collect(),
        decisions,
        strategies,
    };
    outcome.notes = notes::notes(plan, &outcome);
    outcome.notes.extend(said);
    Ok(outcome)
}

fn looked_back(
    plan: &Plan,
    shared: &Shared,
    (accounts, orders): (&[Account], &[Vec<Order>]),
    decisions: &[Decision],
    strategy: usize,
) -> StrategyOutcome {
    let Account { track, ruined, .. } = &accounts[strategy];
    let Plan { market, config, benchmark, strategies, .. } = plan;
    let others = (strategy != *benchmark).then(|| &accounts[*benchmark].track);
    let own = strategies.get(strategy);
    // Where assets cost differently, there is no one cost to ask for.
    let uniform = config.costs.uniform().is_some();
    let initial = config.costs.initial;
    let costs = if uniform { cost_curve(shared, track, initial) } else { Vec::new() };
    let break_even_bps = others.filter(|_| uniform).and_then(|other| break_even(track, other, initial));
    let unsolved = decisions.iter().filter(|decision| decision.portfolios[strategy].weights.is_none());
    StrategyOutcome {
        name: own.name.clone(),
        label: label(own),
        metrics: Metrics::of(shared, track, others, plan.scaling().aim(strategy)),
        costs,
        break_even_bps,
        calendar_years: year_returns(shared.timeline, &track.net),
        months: if shared.timeline.has_shorter_rows_than_months() {
            month_returns(shared.timeline, &track.net)
        } else {
            Vec::new()
        },
        shares_by_year: shares_by_year(shared.timeline, track),
        scales: orders[strategy].iter().map(|order| order.target.as_ref().map(|target| target.scale)).collect(),
        unsolved: unsolved.map(|decision| market.label(decision.window.row)).collect(),
        ruined: ruined.map(|row| market.label(row)),
        account: accounts[strategy].clone(),
    }
}

/// Of years in which the portfolio moves.
fn shares_by_year(timeline: &Timeline, track: &Track) -> Vec<YearShares> {
    let years = timeline.months.chunk_by(|a, b| a.year == b.year);
    let year = |months: &[Month]| {
        let rows = months.first()?.rows.start..months.last()?.rows.end;
        Some(YearShares { year: months[0].year, shares: risk_shares_over(track, rows)? })
    };
    years.filter_map(year).collect()
}

/// What to hold after the last row.
fn after(plan: &Plan, source: &[u32], latest: &Decision) -> Latest {
    let scaling = plan.scaling();
    let row = latest.window.row;
    let portfolio = |strategy: usize| {
        let own = &latest.portfolios[strategy];
        let target = scaling.target(&latest.portfolios, strategy, |rows| plan.last_rows(source, row, rows));
        LatestPortfolio {
            name: plan.strategies.get(strategy).name.clone(),
            weights: own.weights.clone(),
            exposure: target.map(|target| target.scale),
            exante_volatility: scaling.annual(own),
        }
    };
    let strategies = (0..plan.strategies.len()).map(portfolio).collect();
    Latest { date: plan.market.label(row), strategies }
}

fn assets(plan: &Plan, decisions: &[Decision]) -> Vec<AssetOutcome> {
    let budgeted = plan.strategies.place(Method::RiskBudgeting);
    let last_row = plan.market.rows() - 1;
    let asset = |asset: usize| {
        let eligible = || decisions.iter().filter(move |decision| decision.window.assets.contains(&asset));
        let weights: Vec<f64> =
            eligible().filter_map(|decision| Some(decision.portfolios[budgeted?].weights.as_ref()?[asset])).collect();
        let range = WeightRange {
            mean: crate::stats::mean(&weights),
            min: weights.iter().copied().fold(f64::INFINITY, f64::min),
            max: weights.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        };
        let end = plan.market.end(asset);
        AssetOutcome {
            name: plan.market.returns.assets[asset].clone(),
            first: plan.market.label(plan.market.lives[asset].start),
            last: plan.market.label(end),
            enters: eligible().next().map(|decision| plan.market.label(decision.window.row)),
            leaves: (end < last_row).then(|| plan.market.label(end)),
            weight: (!weights.is_empty()).then_some(range),
        }
    };
    (0..plan.market.assets()).map(asset).collect()
}

/// How risk budgeting ended, and the certified errors.
struct Evidence {
    solves: Solves,
    rc_error: RcError,
    kkt_error: Option<KktError>,
    gap: Gap,
}

fn evidence(plan: &Plan, decisions: &[Decision], latest: &Decision) -> Evidence {
    let portfolios = |method: Method| {
        let place = plan.strategies.place(method);
        let all = decisions.iter().chain([latest]);
        all.filter_map(move |decision| Some(&decision.portfolios[place?])).collect::<Vec<_>>()
    };
    let own = portfolios(Method::RiskBudgeting);
    let mut solves = Solves::default();
    own.iter().for_each(|portfolio| solves.add(&Certificate::unsolved(portfolio.status)));
    let converged = own.iter().filter(|portfolio| portfolio.status == Status::Converged);
    let mut errors: Vec<f64> = converged.filter_map(|portfolio| portfolio.error).collect();
    let kkt_error = plan.within.as_ref().and_then(|_| KktError::among(&mut errors));
    if plan.within.is_some() {
        errors.clear();
    }
    let quadratic = [Method::MinimumVariance, Method::MaximumDiversification];
    let gaps = quadratic.into_iter().flat_map(portfolios).filter_map(|portfolio| portfolio.error);
    let gap = Gap { max: gaps.reduce(f64::max) };
    Evidence { rc_error: RcError::among(errors, &solves, None), solves, kkt_error, gap }
}

fn run(plan: &Plan, timeline: &Timeline) -> Run {
    let Plan { market, config, start, windows, .. } = plan;
    let last = market.rows() - 1;
    let held = &market.cash[start + 1..];
    let lookback = config.lookback.least();
    let EngineInfo { engine, adapter, driver, precision, .. } = plan.question().engine().info();
    Run {
        rows: market.rows(),
        evaluated_rows: last - start,
        assets: market.assets(),
        first: market.returns.labels.get(0),
        first_decision: market.label(windows[0].row),
        first_trade: market.label(*start),
        last: market.label(last),
        years: timeline.years,
        periods_per_year: config.periods_per_year,
        lag: config.lag,
        rebalance: config.rebalance.to_string(),
        lookback,
        expanding: matches!(config.lookback, Lookback::Expanding(_)),
        overlap: config.overlap,
        estimator: Estimation::by(plan.estimator, lookback),
        cash: held.iter().sum::<f64>() / market.years[start + 1..].iter().sum::<f64>(),
        financing_spread: config.costs.spread,
        cost_bps: config.costs.uniform().map(|rate| rate * 1e4),
        target_volatility: config.exposure.leverage.target(),
        max_leverage: config.exposure.most,
        limits: plan.within.as_ref().map(|within| within.limits.clone()),
        seed: None,
        law: None,
        engine,
        adapter,
        driver,
        precision,
        tolerance: plan.tolerance,
    }
}
