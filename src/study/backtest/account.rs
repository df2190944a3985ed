//! One strategy through the rows, in order: accrue, sell what ends, trade what is due.
//!
//! Holdings h are fractions of wealth, cash c = 1 - sum h (negative: borrowed).
//!
//! ```text
//! accrue row t     rate = y_t if c >= 0 else y_t + s_t;   a = sum h_i r_ti;   g = a + c rate
//!                  h_i <- h_i (1 + r_ti) / (1 + g);   c <- c (1 + rate) / (1 + g)
//! trade at close t k = sum_i kappa_i |h*_i - h_i|;   h <- h*;   c <- 1 - sum h
//! wealth           1 + r_t = (1 + g)(1 - k);   W_t = W_{t-1} (1 + r_t)
//! ```
//!
//! The first build is paid in the row after it. An asset that has no return in the next row is sold at its last close, and
//! stays in cash until the next trade. Holdings do not depend on what trading costs.

use super::config::{Costs, Trading};
use super::exposure::Target;
use super::figures::{Build, Track};
use super::market::Market;

/// What is traded by, the same for all strategies.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    pub costs: &'a Costs,
    pub trading: Trading,
}

/// A target, and the row at whose close it is traded.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub row: usize,
    /// None where there is no certified portfolio: what is held stays.
    pub target: Option<Target>,
    /// Of the assets, where the strategy has them; renormalised over those that are eligible.
    pub budgets: Option<Vec<f64>>,
    /// What is held between these is not traded, where they are known.
    pub bands: Option<Vec<[f64; 2]>>,
}

/// What was held when an order was due.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    pub row: usize,
    pub holdings: Vec<f64>,
}

/// A trade that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Trade {
    pub row: usize,
    /// sum |h*_i - h_i|.
    pub traded: f64,
    pub cost: f64,
    /// After it.
    pub cash: f64,
    pub holdings: Vec<f64>,
}

/// A holding that ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sale {
    pub row: usize,
    pub asset: usize,
    /// Of wealth, before it.
    pub holding: f64,
}

/// A strategy's rows, and what happened in them.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    pub track: Track,
    pub trades: Vec<Trade>,
    pub sales: Vec<Sale>,
    /// At each order with a target.
    pub before: Vec<Before>,
    /// Wealth was gone in this row.
    pub ruined: Option<usize>,
}

/// Runs a strategy from the close of row `start` to the last row. Row t has the returns of row `source[t]` of the market.
pub fn account(market: &Market, source: &[u32], start: usize, orders: &[Order], terms: Terms) -> Account {
    let last = source.len() - 1;
    let mut ledger = Ledger::new(market, terms);
    let mut orders = orders.iter().peekable();
    for row in start..=last {
        ledger.begin();
        let held = (row > start).then(|| ledger.accrue(source[row] as usize));
        let is_solvent = held.is_none_or(|held| 1.0 + held.gross > 0.0);
        if ledger.ruined.is_none() && is_solvent {
            let is_last = row == last;
            if !is_last {
                ledger.sell(row);
            }
            while let Some(order) = orders.next_if(|order| order.row <= row) {
                ledger.trade(row, order, is_last);
            }
        }
        match held {
            None => ledger.build(),
            Some(held) => ledger.book(row, held),
        }
    }
    ledger.account()
}

/// What a trade took.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Traded {
    /// sum |h*_i - h_i|.
    pub notional: f64,
    pub cost: f64,
}

/// Trades holdings to their aims, but for those that are near enough to them, or within their bands. None where no trade is
/// made. The first build is never too small.
pub fn trade(
    holdings: &mut [f64],
    aim: impl Fn(usize) -> f64,
    bands: Option<&[[f64; 2]]>,
    terms: Terms,
    is_build: bool,
) -> Option<Traded> {
    let (Trading { band, no_trade, .. }, bands) =
        if is_build { (Trading::default(), None) } else { (terms.trading, bands) };
    let is_near = |distance: f64, region: Option<f64>| region.is_some_and(|region| distance <= region);
    let stays = |asset: usize, held: f64, distance: f64| {
        let within = bands.is_some_and(|bands| (bands[asset][0]..=bands[asset][1]).contains(&held));
        within || is_near(distance, no_trade)
    };
    let mut all = holdings.iter().enumerate().map(|(asset, held)| (asset, *held, (aim(asset) - held).abs()));
    if all.all(|(asset, held, distance)| stays(asset, held, distance) || is_near(distance, band)) {
        return None;
    }
    let mut traded = Traded::default();
    for (asset, held) in holdings.iter_mut().enumerate() {
        let distance = (aim(asset) - *held).abs();
        if !stays(asset, *held, distance) {
            traded.notional += distance;
            traded.cost += terms.costs.rates[asset] * distance;
            *held = aim(asset);
        }
    }
    Some(traded)
}

/// What a row earned.
#[derive(Debug, Clone, Copy)]
struct Held {
    /// a.
    earned: f64,
    /// g.
    gross: f64,
}

/// A strategy on its way through the rows.
struct Ledger<'a> {
    market: &'a Market,
    terms: Terms<'a>,
    holdings: Vec<f64>,
    cash: f64,
    wealth: f64,
    ruined: Option<usize>,
    /// At the close of this row: what was traded, what that cost, and what of the cost was lost with assets that ended.
    traded: f64,
    cost: f64,
    lost: f64,
    /// Budgets in force, and for how many rows some were.
    budgets: Option<&'a [f64]>,
    budgeted_rows: usize,
    track: Track,
    trades: Vec<Trade>,
    sales: Vec<Sale>,
    before: Vec<Before>,
}

impl<'a> Ledger<'a> {
    /// All in cash.
    fn new(market: &'a Market, terms: Terms<'a>) -> Ledger<'a> {
        let n = market.assets();
        Ledger {
            market,
            terms,
            holdings: vec![0.0; n],
            cash: 1.0,
            wealth: 1.0,
            ruined: None,
            traded: 0.0,
            cost: 0.0,
            lost: 0.0,
            budgets: None,
            budgeted_rows: 0,
            track: Track { assets: n, budgets: vec![0.0; n], ..Track::default() },
            trades: Vec::new(),
            sales: Vec::new(),
            before: Vec::new(),
        }
    }

    fn begin(&mut self) {
        (self.traded, self.cost, self.lost) = (0.0, 0.0, 0.0);
    }

    /// Holds through a row with the returns of row `from` of the market.
    fn accrue(&mut self, from: usize) -> Held {
        let n = self.holdings.len();
        let returns = &self.market.returns.values[from * n..(from + 1) * n];
        let (cash, spread) = (self.market.cash[from], self.market.spread(from, self.terms.costs.spread));
        self.track.exposure.push(self.holdings.iter().sum());
        if let Some(budgets) = self.budgets {
            self.track.budgets.iter_mut().zip(budgets).for_each(|(sum, budget)| *sum += budget);
            self.budgeted_rows += 1;
        }
        let mut earned = 0.0;
        for (h, r) in self.holdings.iter().zip(returns) {
            // Of what is not held no return need exist.
            let contribution = if *h == 0.0 { 0.0 } else { h * r };
            earned += contribution;
            self.track.contributions.push(contribution);
        }
        if self.ruined.is_some() {
            // Without wealth there is nothing but the rate of cash.
            return Held { earned, gross: cash };
        }
        let rate = if self.cash >= 0.0 { cash } else { cash + spread };
        let gross = earned + self.cash * rate;
        for (h, r) in self.holdings.iter_mut().zip(returns).filter(|(h, _)| **h != 0.0) {
            *h *= (1.0 + r) / (1.0 + gross);
        }
        self.cash *= (1.0 + rate) / (1.0 + gross);
        Held { earned, gross }
    }

    /// Sells what has no return in the next row.
    fn sell(&mut self, row: usize) {
        for asset in 0..self.holdings.len() {
            if self.market.end(asset) != row || self.holdings[asset] == 0.0 {
                continue;
            }
            let holding = std::mem::take(&mut self.holdings[asset]);
            let loss = self.terms.trading.delisting_return.map_or(0.0, f64::abs) * holding.abs();
            self.traded += holding.abs();
            self.cost += self.terms.costs.rates[asset] * holding.abs() + loss;
            self.lost += loss;
            self.cash += holding;
            self.sales.push(Sale { row, asset, holding });
        }
    }

    /// Trades to a target, where there is one that is far enough.
    fn trade(&mut self, row: usize, order: &'a Order, is_last: bool) {
        let Some(target) = &order.target else { return };
        self.before.push(Before { row, holdings: self.holdings.clone() });
        let is_build = self.trades.is_empty();
        // What ends by the time of the trade is not bought. At the last row of all, nobody knows.
        let aim = |asset: usize| match self.market.end(asset) <= row && !is_last {
            true => 0.0,
            false => target.holdings[asset],
        };
        let Some(traded) = trade(&mut self.holdings, aim, order.bands.as_deref(), self.terms, is_build) else { return };
        self.traded += traded.notional;
        self.cost += traded.cost;
        self.cash = 1.0 - self.holdings.iter().sum::<f64>();
        self.budgets = order.budgets.as_deref();
        // What is built is not turned over, and what ends by itself is no trade.
        self.track.turned_over += if is_build { 0.0 } else { 0.5 * self.traded };
        let (traded, cost, cash, holdings) = (self.traded, self.cost, self.cash, self.holdings.clone());
        self.trades.push(Trade { row, traded, cost, cash, holdings });
    }

    /// The first close is over: its cost is paid in the row after it, where it is paid.
    fn build(&mut self) {
        let cost = if self.terms.costs.initial { self.cost } else { 0.0 };
        self.trades.iter_mut().for_each(|trade| trade.cost = cost);
        self.track.build = Build { traded: self.traded, cost };
    }

    /// A row is over.
    fn book(&mut self, row: usize, Held { earned, gross }: Held) {
        let before = if self.track.net.is_empty() { 1.0 - self.track.build.cost } else { 1.0 };
        let mut net = if self.ruined.is_none() { before * (1.0 + gross) * (1.0 - self.cost) - 1.0 } else { 0.0 };
        if self.ruined.is_none() && !(1.0 + gross > 0.0 && net > -1.0) {
            net = -1.0;
            self.ruined = Some(row);
            self.holdings.fill(0.0);
            self.cash = 1.0;
        }
        self.wealth *= 1.0 + net;
        let track = &mut self.track;
        track.net.push(net);
        track.gross.push(gross);
        track.traded.push(self.traded);
        track.cost.push(self.cost);
        track.losses.push(self.lost);
        track.earned.push(earned);
        track.wealth.push(self.wealth);
    }

    fn account(mut self) -> Account {
        self.track.trades = self.trades.len();
        match self.budgeted_rows {
            0 => self.track.budgets.clear(),
            rows => self.track.budgets.iter_mut().for_each(|sum| *sum /= rows as f64),
        }
        Account { track: self.track, trades: self.trades, sales: self.sales, before: self.before, ruined: self.ruined }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Labels, Returns};

    /// Two assets over six rows; B ends at row 3.
    fn market() -> Market {
        let nan = f64::NAN;
        let values = vec![0.0, 0.0, 0.1, -0.1, -0.05, 0.2, 0.02, 0.1, 0.05, nan, -0.01, nan];
        let returns =
            Returns { assets: ["A", "B"].map(String::from).to_vec(), labels: Labels::Text(Vec::new()), values };
        Market::new(returns, vec![0.001; 6], 4.0)
    }

    fn order(row: usize, holdings: [f64; 2]) -> Order {
        Order { row, target: Some(Target { scale: 1.0, holdings: holdings.to_vec() }), budgets: None, bands: None }
    }

    fn run(orders: &[Order], trading: Trading) -> Account {
        let costs = Costs { rates: vec![0.001, 0.002], initial: true, spread: 0.02 };
        account(&market(), &[0, 1, 2, 3, 4, 5], 0, orders, Terms { costs: &costs, trading })
    }

    #[test]
    fn what_is_borrowed_costs_the_spread_and_holdings_drift() {
        let found = run(&[order(0, [1.0, 1.0])], Trading::default());
        // Cash of -1 at 0.001 + 0.02 / 4.
        assert!((found.track.gross[0] - (0.1 - 0.1 - 0.006)).abs() < 1e-16);
        assert!((found.track.net[0] - (0.997 * 0.994 - 1.0)).abs() < 1e-15);
        assert!((found.track.exposure[1] - 2.0 / 0.994).abs() < 1e-15);
        let product: f64 = found.track.net.iter().map(|r| 1.0 + r).product();
        assert!((found.track.wealth.last().unwrap() / product - 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_ends_is_sold_and_not_bought_again() {
        let orders = [order(0, [0.5, 0.5]), order(4, [0.4, 0.6])];
        let found = run(&orders, Trading { delisting_return: Some(-0.5), ..Trading::default() });
        let [Sale { row: 3, asset: 1, holding }] = found.sales[..] else { panic!("{:?}", found.sales) };
        assert!((found.track.cost[2] - 0.502 * holding).abs() < 1e-16 && found.track.losses[2] == 0.5 * holding);
        assert_eq!(found.trades.len(), 2, "a sale is no trade");
        assert_eq!((found.trades[1].holdings[1], found.trades[1].holdings[0]), (0.0, 0.4));
        assert!((found.trades[1].cash - 0.6).abs() < 1e-15);
        assert!((found.track.turned_over - 0.5 * found.trades[1].traded).abs() < 1e-16);
    }

    #[test]
    fn near_enough_is_not_traded() {
        let orders = [order(0, [0.5, 0.5]), order(2, [0.5, 0.5])];
        // By row 2 holdings have drifted to 0.5225 and 0.54 of 1.0629 or so: 0.492 and 0.508.
        let count = |trading: Trading| run(&orders, trading).trades.len();
        assert_eq!(count(Trading { band: Some(0.01), ..Trading::default() }), 1);
        assert_eq!(count(Trading { band: Some(0.005), ..Trading::default() }), 2);
        assert_eq!(count(Trading { no_trade: Some(0.01), ..Trading::default() }), 1);
        // B has drifted to 0.508, A to 0.492.
        let banded = |high: f64| {
            let bands = Some(vec![[0.4, 0.495], [0.4, high]]);
            let found = run(&[order(0, [0.5, 0.5]), Order { bands, ..order(2, [0.5, 0.5]) }], Trading::default());
            found.trades.get(1).map(|trade| trade.holdings.clone())
        };
        assert_eq!(banded(0.51), None, "both are within their bands");
        let traded = banded(0.505).expect("B is outside");
        assert!(traded[1] == 0.5 && traded[0] != 0.5, "{traded:?}");
        let missing = [order(0, [0.5, 0.5]), Order { target: None, ..order(2, [0.0, 0.0]) }];
        assert_eq!(run(&missing, Trading::default()).trades.len(), 1);
    }

    #[test]
    fn a_ruin_is_for_good() {
        // 15 times wealth in what falls by a tenth, and trades that come too late.
        let found = run(&[order(0, [0.0, 15.0]), order(1, [0.5, 0.5]), order(3, [0.5, 0.5])], Trading::default());
        assert_eq!((found.ruined, found.trades.len()), (Some(1), 1));
        assert_eq!(found.track.wealth, [0.0; 5]);
        assert_eq!((found.track.net[0], found.track.net[2], found.track.exposure[2]), (-1.0, 0.0, 0.0));
        assert_eq!(found.track.gross[2], 0.001, "without wealth there is nothing but the rate of cash");
    }
}
