//! All strategies of a path, side by side: a lane each. The twin of [`account`](mod@crate::study::backtest::account) where every
//! asset is there in every row.
//!
//! Strategies trade at the same closes. Between two of these, holdings need not be followed one by one: with G_i the growth of
//! asset i since the last trade, G_c that of what is lent or borrowed, and h, c in parts of the wealth then,
//!
//! ```text
//! E_t = sum_i h_i G_i,t-1 r_ti     what the assets earn in the row
//! A_t = A_{t-1} + E_t              what they are worth
//! V_t = A_t + c G_ct               wealth            g_t = V_t / V_{t-1} - 1
//! l_t = A_{t-1} / V_{t-1}          exposure          u_t = E_t / A_{t-1} - y_t, 0 where A is
//! ```

use pulp::{Arch, Simd, WithSimd};

use crate::lanes::{LANES, Lanes, vectors, vectors_mut};
use crate::study::backtest::account::{Terms, Traded, trade};
use crate::study::backtest::market::Market;

/// The returns of each row of the market side by side: those of the assets, then those of cash lent and of cash borrowed.
#[derive(Debug)]
pub struct Rows {
    values: Vec<f64>,
    assets: usize,
}

impl Rows {
    pub fn new(market: &Market, spread: f64) -> Rows {
        let n = market.assets();
        let mut rows = Vec::with_capacity(market.rows() * (n + 2));
        for (row, returns) in market.returns.values.chunks_exact(n).enumerate() {
            rows.extend_from_slice(returns);
            rows.extend([market.cash[row], market.cash[row] + market.spread(row, spread)]);
        }
        Rows { values: rows, assets: n }
    }

    fn of(&self, row: u32) -> &[f64] {
        let stride = self.assets + 2;
        &self.values[row as usize * stride..][..stride]
    }
}

/// What a strategy wants to hold after each decision.
#[derive(Debug, Clone, Default)]
pub struct Targets {
    /// Fractions of wealth, decisions x assets.
    pub holdings: Vec<f64>,
    /// Whether there is a target; where there is none, what is held stays.
    pub known: Vec<bool>,
    /// Decisions without a certified portfolio.
    pub unsolved: u64,
}

impl Targets {
    /// Makes room for this many decisions, none of which has a target yet.
    pub fn begin(&mut self, decisions: usize, assets: usize) {
        self.holdings.clear();
        self.holdings.resize(decisions * assets, 0.0);
        self.known.clear();
        self.known.resize(decisions, false);
        self.unsolved = 0;
    }

    pub fn of(&self, decision: usize, assets: usize) -> Option<&[f64]> {
        self.known[decision].then(|| &self.holdings[decision * assets..][..assets])
    }
}

/// What up to eight strategies did on a path, row by row after the first close.
#[derive(Debug, Clone, Default)]
pub struct Tracks {
    /// r_t.
    pub net: Vec<Lanes>,
    /// l_t.
    pub exposure: Vec<Lanes>,
    /// u_t.
    pub unlevered: Vec<Lanes>,
    /// Half of what trades after the build traded.
    pub turned_over: [f64; LANES],
    /// Wealth was gone in some row: the lane holds nothing of use.
    pub ruined: [bool; LANES],
    state: State,
}

/// Where the strategies stand.
#[derive(Debug, Clone, Default)]
struct State {
    /// h, then what is lent and what is borrowed, in parts of the wealth at the last trade.
    sleeves: Vec<Lanes>,
    /// G, then that of cash lent and of cash borrowed.
    growth: Vec<f64>,
    /// A and V.
    held: Lanes,
    wealth: Lanes,
    /// Lowest growth of wealth over a row so far.
    lowest: Lanes,
    /// Of a row.
    gains: Vec<f64>,
    /// Of one lane.
    holdings: Vec<f64>,
}

impl State {
    /// All in cash.
    fn begin(&mut self, assets: usize) {
        self.sleeves.clear();
        self.sleeves.resize(assets + 2, Lanes::default());
        self.sleeves[assets] = Lanes::splat(1.0);
        self.growth.clear();
        self.growth.resize(assets + 2, 1.0);
        self.gains.resize(assets + 2, 0.0);
        (self.held, self.wealth) = (Lanes::default(), Lanes::splat(1.0));
        self.lowest = Lanes::splat(f64::INFINITY);
    }

    /// In parts of the wealth now.
    fn rebase(&mut self) {
        for (sleeve, growth) in self.sleeves.iter_mut().zip(&mut self.growth) {
            sleeve.0.iter_mut().zip(&self.wealth.0).for_each(|(own, wealth)| *own *= *growth / wealth);
            *growth = 1.0;
        }
        self.held.0.iter_mut().zip(&self.wealth.0).for_each(|(held, wealth)| *held /= wealth);
        self.wealth = Lanes::splat(1.0);
    }

    /// Trades in one lane.
    fn trade(&mut self, lane: usize, target: &[f64], terms: Terms, is_build: bool) -> Traded {
        let n = self.growth.len() - 2;
        self.holdings.clear();
        self.holdings.extend(self.sleeves[..n].iter().map(|sleeve| sleeve.0[lane]));
        let aim = |asset: usize| target[asset];
        let Some(traded) = trade(&mut self.holdings, aim, None, terms, is_build) else {
            return Traded::default();
        };
        self.sleeves.iter_mut().zip(&self.holdings).for_each(|(sleeve, held)| sleeve.0[lane] = *held);
        let held: f64 = self.holdings.iter().sum();
        let cash = 1.0 - held;
        (self.sleeves[n].0[lane], self.sleeves[n + 1].0[lane]) = (cash.max(0.0), cash.min(0.0));
        self.held.0[lane] = held;
        traded
    }
}

impl Tracks {
    /// Runs up to eight strategies from the close of row `start` on. Row t has the returns of row `source[t]`; decisions are
    /// traded at the closes of the rows `due`, the first at `start`, to the targets of each strategy.
    pub fn run(
        &mut self,
        arch: Arch,
        market: &Rows,
        source: &[u32],
        start: usize,
        (due, targets): (&[usize], &[Targets]),
        terms: Terms,
    ) {
        let last = source.len() - 1;
        let rows = last - start;
        for column in [&mut self.net, &mut self.exposure, &mut self.unlevered] {
            column.clear();
            column.resize(rows, Lanes::default());
        }
        (self.turned_over, self.ruined) = ([0.0; LANES], [false; LANES]);
        self.state.begin(market.assets);
        let mut built = [false; LANES];
        let mut paid = [0.0; LANES];
        let mut at = start;
        for (number, &row) in due.iter().enumerate().take_while(|(_, row)| **row <= last) {
            self.accrue(arch, market, source, at + 1..row + 1, start, targets.len());
            at = row;
            self.state.rebase();
            for (lane, targets) in targets.iter().enumerate() {
                let Some(target) = targets.of(number, market.assets) else { continue };
                let is_build = !std::mem::replace(&mut built[lane], true);
                let traded = self.state.trade(lane, target, terms, is_build);
                self.turned_over[lane] += if is_build { 0.0 } else { 0.5 * traded.notional };
                if row > start {
                    let net = &mut self.net[row - start - 1].0[lane];
                    *net = (1.0 + *net) * (1.0 - traded.cost) - 1.0;
                } else if terms.costs.initial {
                    paid[lane] = traded.cost;
                }
            }
        }
        self.accrue(arch, market, source, at + 1..last + 1, start, targets.len());
        for lane in 0..targets.len() {
            // The first build is paid in the row after it.
            if let Some(first) = self.net.first_mut() {
                first.0[lane] = (1.0 - paid[lane]) * (1.0 + first.0[lane]) - 1.0;
            }
            let lost = self.net.iter().any(|net| !(net.0[lane] > -1.0));
            self.ruined[lane] = lost || !(self.state.lowest.0[lane] > 0.0);
        }
    }

    fn accrue(
        &mut self,
        arch: Arch,
        market: &Rows,
        source: &[u32],
        rows: std::ops::Range<usize>,
        start: usize,
        lanes: usize,
    ) {
        if rows.is_empty() {
            return;
        }
        let own = rows.start - start - 1..rows.end - start - 1;
        let Tracks { net, exposure, unlevered, state, .. } = self;
        arch.dispatch(Accrue {
            market,
            source: &source[rows],
            state,
            net: &mut net[own.clone()],
            exposure: &mut exposure[own.clone()],
            unlevered: &mut unlevered[own],
            lanes,
        });
    }
}

/// Holds through the rows between two trades.
struct Accrue<'a> {
    market: &'a Rows,
    source: &'a [u32],
    state: &'a mut State,
    net: &'a mut [Lanes],
    exposure: &'a mut [Lanes],
    unlevered: &'a mut [Lanes],
    lanes: usize,
}

impl WithSimd for Accrue<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Accrue { market, source, state, net, exposure, unlevered, lanes } = self;
        let State { sleeves, growth, held, wealth, lowest, gains, .. } = state;
        let n = market.assets;
        let v = LANES / S::F64_LANES;
        let used = lanes.div_ceil(S::F64_LANES);
        let (one, zero) = (simd.splat_f64s(1.0), simd.splat_f64s(0.0));
        let sleeves = vectors::<S>(sleeves);
        let held = vectors_mut::<S>(std::slice::from_mut(held));
        let wealth = vectors_mut::<S>(std::slice::from_mut(wealth));
        let lowest = vectors_mut::<S>(std::slice::from_mut(lowest));
        let (net, exposure, unlevered) =
            (vectors_mut::<S>(net), vectors_mut::<S>(exposure), vectors_mut::<S>(unlevered));
        for (row, &from) in source.iter().enumerate() {
            let returns = market.of(from);
            let yielded = simd.splat_f64s(returns[n]);
            let [lending, borrowing] = [n, n + 1].map(|cash| growth[cash] * (1.0 + returns[cash]));
            // What each asset gains, of what it was worth at the trade.
            growth.iter_mut().zip(returns).zip(&mut *gains).for_each(|((growth, r), gain)| {
                *gain = *growth * r;
                *growth += *gain;
            });
            for k in 0..used {
                let mut earned = zero;
                for i in 0..n {
                    earned = simd.mul_add_e_f64s(sleeves[i * v + k], simd.splat_f64s(gains[i]), earned);
                }
                let lent = simd.mul_f64s(sleeves[n * v + k], simd.splat_f64s(lending));
                let borrowed = simd.mul_f64s(sleeves[(n + 1) * v + k], simd.splat_f64s(borrowing));
                let inverse = simd.div_f64s(one, wealth[k]);
                exposure[row * v + k] = simd.mul_f64s(held[k], inverse);
                let alone = simd.sub_f64s(simd.div_f64s(earned, held[k]), yielded);
                unlevered[row * v + k] = simd.select_f64s(simd.equal_f64s(held[k], zero), zero, alone);
                held[k] = simd.add_f64s(held[k], earned);
                wealth[k] = simd.add_f64s(held[k], simd.add_f64s(lent, borrowed));
                let ratio = simd.mul_f64s(wealth[k], inverse);
                lowest[k] = simd.min_f64s(lowest[k], ratio);
                net[row * v + k] = simd.sub_f64s(ratio, one);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::panel::{Labels, Returns};
    use crate::study::backtest::account::{Order, account};
    use crate::study::backtest::config::{Costs, Trading};
    use crate::study::backtest::exposure::Target;
    use crate::study::backtest::figures::Market as Shared;
    use crate::study::backtest::figures::Timeline;

    const ROWS: usize = 300;
    const ASSETS: usize = 5;

    fn wave(k: usize) -> f64 {
        ((k * k) as f64 * 0.37).sin()
    }

    fn market() -> Market {
        let values = (0..ROWS * ASSETS).map(|k| 0.02 * wave(k)).collect();
        let assets = (0..ASSETS).map(|i| i.to_string()).collect();
        let cash = (0..ROWS).map(|t| 1e-4 * (1.0 + wave(t))).collect();
        Market::new(Returns { assets, labels: Labels::Text(Vec::new()), values }, cash, 252.0)
    }

    /// Exposures from nothing to six times wealth; some decisions have no portfolio.
    fn targets(lane: usize, due: &[usize]) -> Targets {
        let holding = |k: usize| lane as f64 * (1.0 + wave(k / ASSETS * 7 + k % ASSETS)) / 10.0;
        Targets {
            holdings: (0..due.len() * ASSETS).map(holding).collect(),
            known: (0..due.len()).map(|number| (number + lane) % 5 != 3).collect(),
            unsolved: 0,
        }
    }

    fn orders(targets: &Targets, due: &[usize]) -> Vec<Order> {
        let order = |(number, row): (usize, &usize)| {
            let target = targets.of(number, ASSETS).map(|own| Target { scale: 1.0, holdings: own.to_vec() });
            Order { row: *row, target, budgets: None, bands: None }
        };
        due.iter().enumerate().map(order).collect()
    }

    #[test]
    fn strategies_side_by_side_do_what_each_does_by_itself() {
        let market = market();
        let costs = Costs { rates: (0..ASSETS).map(|i| 1e-3 * i as f64).collect(), initial: true, spread: 0.02 };
        let source: Vec<u32> = (0..ROWS as u32).map(|t| t * 7 % ROWS as u32).collect();
        let due = [40, 61, 82, 83, 140, ROWS - 1, ROWS + 4];
        let rows = Rows::new(&market, costs.spread);
        for trading in [
            Trading::default(),
            Trading { band: Some(0.05), ..Trading::default() },
            Trading { no_trade: Some(0.03), ..Trading::default() },
        ] {
            let terms = Terms { costs: &costs, trading };
            let all: Vec<Targets> = (0..7).map(|lane| targets(lane, &due)).collect();
            let mut tracks = Tracks::default();
            tracks.run(Arch::new(), &rows, &source, due[0], (&due, &all), terms);
            for (lane, targets) in all.iter().enumerate() {
                let alone = account(&market, &source, due[0], &orders(targets, &due), terms);
                assert_eq!(tracks.ruined[lane], alone.ruined.is_some(), "{lane}");
                let track = &alone.track;
                let near = |what: &str, own: &[Lanes], expected: &[f64]| {
                    assert_eq!(own.len(), expected.len());
                    for (row, (own, expected)) in own.iter().zip(expected).enumerate() {
                        // Between trades tens of roundings of numbers near one, a few times as many for six times wealth.
                        let off = (own.0[lane] - expected).abs();
                        assert!(off <= 1e-13, "{what} of lane {lane} in row {row}: {} {expected}", own.0[lane]);
                    }
                };
                near("net", &tracks.net, &track.net);
                near("exposure", &tracks.exposure, &track.exposure);
                assert!((tracks.turned_over[lane] - track.turned_over).abs() <= 1e-13);
                let labels = vec![String::new(); track.net.len() + 1];
                let timeline = Timeline::new(labels, None, 252.0);
                let cash: Vec<f64> = source[due[0] + 1..].iter().map(|row| market.cash[*row as usize]).collect();
                let shared = Shared { timeline: &timeline, cash: &cash, spread: &[] };
                let mut unlevered = Vec::new();
                crate::study::backtest::figures::Leverage::of(&shared, track, &mut unlevered);
                near("unlevered", &tracks.unlevered, &unlevered);
            }
        }
    }

    #[test]
    fn a_ruin_is_told_and_leaves_the_others_alone() {
        let market = market();
        let costs = Costs { rates: vec![0.0; ASSETS], initial: true, spread: 0.0 };
        let source: Vec<u32> = (0..ROWS as u32).collect();
        let terms = Terms { costs: &costs, trading: Trading::default() };
        let own = |scale: f64| Targets { holdings: vec![scale; ASSETS], known: vec![true], unsolved: 0 };
        let (all, due) = ([own(0.2), own(30.0)], [0]);
        let mut tracks = Tracks::default();
        tracks.run(Arch::new(), &Rows::new(&market, 0.0), &source, 0, (&due, &all), terms);
        assert_eq!(tracks.ruined[..2], [false, true]);
        let alone = account(&market, &source, 0, &orders(&all[0], &due), terms);
        assert!(tracks.net.iter().zip(&alone.track.net).all(|(own, alone)| (own.0[0] - alone).abs() <= 1e-13));
    }
}
