//! What subsets are ranked by and filtered on: metrics of the covariance, and figures of the path that the portfolio
//! would have taken, rebalanced every period, without costs.

use serde::{Deserialize, Serialize};

use super::path::PathFigures;
use crate::error::{Error, Result};
use crate::measure::Metric;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "&str", try_from = "String")]
pub enum Figure {
    Metric(Metric),
    /// Volatility times the square root of the number of periods per year.
    VolatilityAnnual,
    Sharpe,
    Sortino,
    MaxDrawdown,
    Cvar95,
    Calmar,
}

impl Figure {
    pub const ALL: [Figure; 11] = [
        Figure::Metric(Metric::Volatility),
        Figure::VolatilityAnnual,
        Figure::Metric(Metric::Diversification),
        Figure::Metric(Metric::EffectiveBets),
        Figure::Metric(Metric::MaxWeight),
        Figure::Metric(Metric::MeanCorrelation),
        Figure::Sharpe,
        Figure::Sortino,
        Figure::MaxDrawdown,
        Figure::Cvar95,
        Figure::Calmar,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Figure::Metric(metric) => metric.name(),
            Figure::VolatilityAnnual => "volatility-annual",
            Figure::Sharpe => "sharpe",
            Figure::Sortino => "sortino",
            Figure::MaxDrawdown => "max-drawdown",
            Figure::Cvar95 => "cvar95",
            Figure::Calmar => "calmar",
        }
    }

    /// By name; `_` counts as `-`, and so do capitals as small letters.
    pub fn named(text: &str) -> Option<Figure> {
        let plain = text.trim().to_lowercase().replace(['_', ' '], "-");
        let plain = match plain.as_str() {
            "diversification-ratio" => "diversification",
            "cvar" | "cvar-95" => "cvar95",
            other => other,
        };
        Figure::ALL.into_iter().find(|figure| figure.name() == plain)
    }

    pub const fn larger_is_better(self) -> bool {
        match self {
            Figure::Metric(metric) => metric.larger_is_better(),
            Figure::Sharpe | Figure::Sortino | Figure::Calmar => true,
            Figure::VolatilityAnnual | Figure::MaxDrawdown | Figure::Cvar95 => false,
        }
    }

    /// The metric it follows from, with a factor; none for those of the path.
    pub fn metric(self, periods_per_year: Option<f64>) -> Option<(Metric, f64)> {
        match self {
            Figure::Metric(metric) => Some((metric, 1.0)),
            Figure::VolatilityAnnual => Some((Metric::Volatility, periods_per_year.map_or(f64::NAN, f64::sqrt))),
            _ => None,
        }
    }

    pub const fn is_of_the_path(self) -> bool {
        matches!(self, Figure::Sharpe | Figure::Sortino | Figure::MaxDrawdown | Figure::Cvar95 | Figure::Calmar)
    }

    pub fn is_of_bets(self) -> bool {
        self == Figure::Metric(Metric::EffectiveBets)
    }

    /// Whether it needs the number of periods per year.
    pub const fn is_annual(self) -> bool {
        matches!(self, Figure::VolatilityAnnual | Figure::Calmar)
    }
}

impl std::fmt::Display for Figure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl From<Figure> for &'static str {
    fn from(figure: Figure) -> &'static str {
        figure.name()
    }
}

impl TryFrom<String> for Figure {
    type Error = Error;

    fn try_from(text: String) -> Result<Figure> {
        Figure::named(&text).ok_or_else(|| Error::input(format!("no figure is called `{text}`")))
    }
}

/// A bound that a subset's figure must keep, such as `volatility-annual<0.10`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Filter {
    pub figure: Figure,
    pub relation: Relation,
    pub bound: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Relation {
    const ALL: [(&'static str, Relation); 4] =
        [("<=", Relation::AtMost), (">=", Relation::AtLeast), ("<", Relation::Less), (">", Relation::More)];

    pub fn symbol(self) -> &'static str {
        Relation::ALL.iter().find(|(_, relation)| *relation == self).map_or("", |(symbol, _)| symbol)
    }

    #[inline]
    pub fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Relation::Less => value < bound,
            Relation::AtMost => value <= bound,
            Relation::More => value > bound,
            Relation::AtLeast => value >= bound,
        }
    }

    /// Whether it holds, or would if the value were off by a share of the bound.
    #[inline]
    pub fn nearly_holds(self, value: f64, bound: f64, share: f64) -> bool {
        let slack = share * bound.abs();
        match self {
            Relation::Less | Relation::AtMost => self.holds(value - slack, bound),
            Relation::More | Relation::AtLeast => self.holds(value + slack, bound),
        }
    }
}

impl Filter {
    /// From `figure<bound`, with `<`, `<=`, `>` or `>=`; a bound may be in percent.
    ///
    /// # Errors
    /// What is no such comparison.
    pub fn parse(text: &str) -> Result<Filter> {
        let names = || Figure::ALL.map(Figure::name).join(", ");
        let wrong = |what: String| {
            Error::usage(what).hint(format!("write a figure, <, <=, > or >=, and a number; figures are {}", names()))
        };
        let (symbol, relation) = Relation::ALL
            .into_iter()
            .find(|(symbol, _)| text.contains(symbol))
            .ok_or_else(|| wrong("no comparison".to_string()))?;
        let (name, bound) = text.split_once(symbol).unwrap_or((text, ""));
        let figure = Figure::named(name).ok_or_else(|| wrong(format!("no figure is called `{}`", name.trim())))?;
        let bound = bound.trim();
        let (number, scale) = bound.strip_suffix('%').map_or((bound, 1.0), |number| (number, 0.01));
        match number.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Filter { figure, relation, bound: number * scale }),
            _ => Err(wrong(format!("`{bound}` is no number"))),
        }
    }
}

impl std::fmt::Display for Filter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}{}", self.figure.name(), self.relation.symbol(), self.bound)
    }
}

impl From<Filter> for String {
    fn from(filter: Filter) -> String {
        filter.to_string()
    }
}

impl TryFrom<String> for Filter {
    type Error = Error;

    fn try_from(text: String) -> Result<Filter> {
        Filter::parse(&text)
    }
}

/// All figures of one subset's portfolio.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figures {
    /// Per period.
    pub volatility: f64,
    /// Null where the number of periods per year is not known.
    pub volatility_annual: Option<f64>,
    pub diversification_ratio: f64,
    /// NaN where it was not asked for.
    pub effective_bets: f64,
    pub max_weight: f64,
    /// Null for one asset.
    pub mean_correlation: Option<f64>,
    /// Null without a history.
    pub path: Option<PathFigures>,
}

impl Figures {
    /// NaN where there is none.
    pub fn get(&self, figure: Figure) -> f64 {
        match figure {
            Figure::Metric(Metric::Volatility) => self.volatility,
            Figure::VolatilityAnnual => self.volatility_annual.unwrap_or(f64::NAN),
            Figure::Metric(Metric::Diversification) => self.diversification_ratio,
            Figure::Metric(Metric::EffectiveBets) => self.effective_bets,
            Figure::Metric(Metric::MaxWeight) => self.max_weight,
            Figure::Metric(Metric::MeanCorrelation) => self.mean_correlation.unwrap_or(f64::NAN),
            figure => self.path.map_or(f64::NAN, |path| path.get(figure)),
        }
    }
}

impl PathFigures {
    /// NaN where there is none, and for what is no figure of the path.
    pub fn get(&self, figure: Figure) -> f64 {
        match figure {
            Figure::Sharpe => self.sharpe,
            Figure::Sortino => self.sortino,
            Figure::MaxDrawdown => self.max_drawdown,
            Figure::Cvar95 => self.cvar95,
            Figure::Calmar => self.calmar.unwrap_or(f64::NAN),
            Figure::Metric(_) | Figure::VolatilityAnnual => f64::NAN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_they_are_written() {
        let filter = Filter::parse("volatility<0.10").unwrap();
        assert_eq!((filter.figure, filter.bound), (Figure::Metric(Metric::Volatility), 0.1));
        assert!(filter.relation.holds(0.0999, 0.1) && !filter.relation.holds(0.1, 0.1));
        assert_eq!(Filter::parse(" Max_Weight <= 30 %").unwrap().to_string(), "max-weight<=0.3");
        assert_eq!(Filter::parse("sharpe>=-1").unwrap().relation, Relation::AtLeast);
        for (text, said) in
            [("volatility", "no comparison"), ("beta<1", "no figure is called `beta`"), ("sharpe>much", "no number")]
        {
            let error = Filter::parse(text).unwrap_err();
            assert!(error.message.contains(said), "{}", error.message);
        }
    }

    #[test]
    fn figures_are_found_by_their_names() {
        for figure in Figure::ALL {
            assert_eq!(Figure::named(figure.name()), Some(figure));
        }
        assert_eq!(Figure::named("Diversification_Ratio"), Figure::named("diversification"));
        assert_eq!(Figure::named("CVaR 95"), Some(Figure::Cvar95));
    }
}
