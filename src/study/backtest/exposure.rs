//! How much of a portfolio is held.
//!
//! ```text
//! h* = l m w
//! l = min(cap, X / sqrt(A w'S w))             to an annual volatility X; to that of another strategy; or a constant
//! m = min(1, max(floor, slow / fast))         of the twin alone: slow = sqrt(w'S w), fast = sd of w'r over the last F rows
//! ```
//!
//! S is the covariance of the window that w came from. l < 1 holds cash, l > 1 borrows.

use super::config::{Exposure, Leverage, Regime};
use super::decide::Portfolio;
use super::strategies::{Kind, Strategies};
use crate::methods::Method;
use crate::stats;

/// A target at one decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// l m.
    pub scale: f64,
    /// Fractions of wealth, of all assets.
    pub holdings: Vec<f64>,
}

/// What scales portfolios to targets.
#[derive(Debug)]
pub struct Scaling<'a> {
    pub exposure: &'a Exposure,
    pub strategies: &'a Strategies,
    pub periods_per_year: f64,
    /// The strategy whose volatility the others take.
    matched: Option<usize>,
    levered: Vec<bool>,
}

impl<'a> Scaling<'a> {
    /// With names that are known to be strategies.
    pub fn new(exposure: &'a Exposure, strategies: &'a Strategies, periods_per_year: f64) -> Scaling<'a> {
        let named = |name: &String| strategies.position(name);
        let levered = match &exposure.applies_to {
            Some(names) => {
                let places: Vec<usize> = names.iter().filter_map(named).collect();
                // The twin goes with what it is a twin of.
                let own = |strategy: usize| match strategies.get(strategy).kind {
                    Kind::Regime => strategies.position(Method::RiskBudgeting.name()).unwrap_or(strategy),
                    Kind::Method(_) | Kind::Fixed(_) => strategy,
                };
                (0..strategies.len()).map(|at| places.contains(&at) || places.contains(&own(at))).collect()
            }
            None => strategies.iter().map(|strategy| !strategy.kind.is_mix()).collect(),
        };
        let matched = match &exposure.leverage {
            Leverage::Match(name) => strategies.position(name),
            Leverage::Constant(_) | Leverage::Volatility(_) => None,
        };
        Scaling { exposure, strategies, periods_per_year, matched, levered }
    }

    /// Whether exposure of this strategy is anything but one.
    pub fn applies_to(&self, strategy: usize) -> bool {
        self.levered[strategy]
    }

    /// The annual volatility that a strategy is levered to, where it is a number.
    pub fn aim(&self, strategy: usize) -> Option<f64> {
        self.exposure.leverage.target().filter(|_| self.levered[strategy])
    }

    /// sqrt(A w'S w), a year.
    pub fn annual(&self, portfolio: &Portfolio) -> Option<f64> {
        portfolio.volatility.map(|volatility| volatility * self.periods_per_year.sqrt())
    }

    /// What a strategy holds after a decision; none where its portfolio, or a volatility that it needs, is not known.
    /// `portfolios` are those of all strategies. `last` gives the returns of all assets over the last rows, oldest first, as
    /// many as it is asked for.
    pub fn target(
        &self,
        portfolios: &[Portfolio],
        strategy: usize,
        last: impl Fn(usize) -> Vec<Vec<f64>>,
    ) -> Option<Target> {
        let weights = portfolios[strategy].weights.as_ref()?;
        let scale = self.scale(strategy, weights, |strategy| portfolios[strategy].volatility, last)?;
        Some(Target { scale, holdings: weights.iter().map(|weight| scale * weight).collect() })
    }

    /// l m: what the weights of a strategy are multiplied by; none where a volatility that it needs is not known.
    pub fn scale(
        &self,
        strategy: usize,
        weights: &[f64],
        volatility: impl Fn(usize) -> Option<f64>,
        last: impl Fn(usize) -> Vec<Vec<f64>>,
    ) -> Option<f64> {
        let mut scale = if self.levered[strategy] { self.leverage(strategy, &volatility)? } else { 1.0 };
        if let (Kind::Regime, Some(regime)) = (self.strategies.get(strategy).kind, self.exposure.regime) {
            scale *= damping(regime, volatility(strategy)?, weights, &last(regime.rows));
        }
        Some(scale)
    }

    fn leverage(&self, strategy: usize, volatility: impl Fn(usize) -> Option<f64>) -> Option<f64> {
        let own = |strategy: usize| volatility(strategy).map(|volatility| volatility * self.periods_per_year.sqrt());
        let aim = match &self.exposure.leverage {
            Leverage::Constant(leverage) => return Some(*leverage),
            Leverage::Volatility(aim) => *aim,
            Leverage::Match(_) if self.matched == Some(strategy) => return Some(1.0_f64.min(self.exposure.most)),
            Leverage::Match(_) => own(self.matched?)?,
        };
        Some((aim / own(strategy)?).min(self.exposure.most))
    }
}

/// m.
fn damping(regime: Regime, slow: f64, weights: &[f64], rows: &[Vec<f64>]) -> f64 {
    // Of an asset without a weight nothing need be known.
    let earned = |row: &Vec<f64>| {
        row.iter().zip(weights).filter(|(_, weight)| **weight != 0.0).map(|(r, weight)| r * weight).sum::<f64>()
    };
    let returns: Vec<f64> = rows.iter().map(earned).collect();
    let fast = stats::moments(&returns).sd;
    // Rows without a move are no wilder than any.
    if fast > 0.0 { (slow / fast).max(regime.floor).min(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::methods::Mix;
    use crate::methods::certificate::Status;

    fn portfolio(weights: &[f64], volatility: f64) -> Portfolio {
        let (weights, volatility) = (Some(weights.to_vec()), Some(volatility));
        Portfolio { status: Status::Converged, error: None, unique: true, weights, volatility }
    }

    fn strategies() -> Strategies {
        let mix = Mix { name: "60/40".to_string(), weights: vec![0.6, 0.4] };
        Strategies::new(&[Method::RiskBudgeting, Method::EqualWeight], true, &[mix])
    }

    fn portfolios() -> Vec<Portfolio> {
        let erc = portfolio(&[0.25, 0.75], 0.01);
        vec![erc.clone(), erc, portfolio(&[0.5, 0.5], 0.04), portfolio(&[0.6, 0.4], 0.05)]
    }

    fn scales(leverage: Leverage, applies_to: Option<&[&str]>) -> Vec<f64> {
        let applies_to = applies_to.map(|names| names.iter().map(ToString::to_string).collect());
        let exposure = Exposure { leverage, most: 3.0, applies_to, regime: Some(Regime { rows: 2, floor: 0.25 }) };
        let (strategies, portfolios) = (strategies(), portfolios());
        let scaling = Scaling::new(&exposure, &strategies, 4.0);
        // Returns of the portfolio 0.02 and -0.02: an sd of 0.02 times the root of two.
        let last = |rows: usize| vec![vec![0.02, 0.02], vec![-0.02, -0.02]][..rows].to_vec();
        (0..4).map(|strategy| scaling.target(&portfolios, strategy, last).unwrap().scale).collect()
    }

    #[test]
    fn exposure_reaches_for_a_volatility_up_to_its_cap() {
        let damped = 0.01 / (0.02 * 2.0_f64.sqrt());
        // 10 % a year is 5 % a row: five times 1 %, capped; 1.25 times 4 %. Mixes are as they are.
        let found = scales(Leverage::Volatility(0.1), None);
        assert_eq!([found[0], found[2], found[3]], [3.0, 1.25, 1.0]);
        assert!((found[1] - 3.0 * damped).abs() < 1e-15);
        let found = scales(Leverage::Match("60/40".to_string()), None);
        assert!((found[2] - 1.25).abs() < 1e-15 && found[3] == 1.0);
        let found = scales(Leverage::Match("equal-weight".to_string()), None);
        assert_eq!(found[2], 1.0, "it has its own volatility");
        let found = scales(Leverage::Constant(2.0), Some(&["equal-weight", "60/40"]));
        assert_eq!([found[0], found[2], found[3]], [1.0, 2.0, 2.0]);
        assert!((found[1] - damped).abs() < 1e-15);
        // The twin goes with risk budgeting.
        let found = scales(Leverage::Constant(2.0), Some(&["erc"]));
        assert!(found[0] == 2.0 && (found[1] - 2.0 * damped).abs() < 1e-15 && found[2] == 1.0);
    }

    #[test]
    fn what_is_not_known_gives_no_target() {
        let exposure = Exposure { leverage: Leverage::Volatility(0.1), most: 3.0, applies_to: None, regime: None };
        let (strategies, mut portfolios) = (strategies(), portfolios());
        portfolios[0].weights = None;
        portfolios[2].volatility = None;
        let scaling = Scaling::new(&exposure, &strategies, 4.0);
        let found: Vec<bool> =
            (0..4).map(|strategy| scaling.target(&portfolios, strategy, |_| Vec::new()).is_some()).collect();
        assert_eq!(found, [false, true, false, true]);
    }
}
