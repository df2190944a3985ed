//! From the flags to the one configuration, with defaults that depend on how often there are rows.

use super::arguments::BacktestArguments;
use super::values::{Calendar, Lookback as Asked};
use super::{costs, days};
use crate::error::option;
use crate::panel::{Labels, Returns};
use crate::study::backtest::calendar::{Period, Rebalance};
use crate::study::backtest::config::{Config, Costs, Exposure, Leverage, Lookback, Regime, Trading};
use crate::{Error, Result};

pub fn config(arguments: &BacktestArguments, returns: &Returns, periods_per_year: f64) -> Result<Config> {
    let lookback = lookback(arguments, periods_per_year)?;
    if arguments.overlap >= lookback.least() {
        return Err(Error::usage(format!(
            "{} of rows that overlap by {}: a window is longer than what overlaps",
            option("lookback").plain(lookback.least()),
            arguments.overlap
        ))
        .hint(format!("take a longer {} or a shorter {}", option("lookback"), option("overlap"))));
    }
    let seen = lookback.seen(arguments.overlap);
    if let Some(rows) = arguments.regime.filter(|rows| !(2..=seen).contains(rows)) {
        return Err(Error::usage(format!(
            "{}: the twin looks at 2 to {seen} rows, those of a window",
            option("regime").plain(rows)
        ))
        .hint(format!("take fewer rows, or a longer {}", option("lookback"))));
    }
    let dated = matches!(returns.labels, Labels::Dates(_));
    let rebalance = match &arguments.rebalance {
        Some(Calendar::Rule(rule)) => rule.clone(),
        Some(Calendar::File(path)) => Rebalance::Dates(days::days(path)?),
        None if dated => Rebalance::MONTHLY,
        None => Rebalance::WITHOUT_DATES,
    };
    let leverage = arguments.target_vol.clone().unwrap_or(Leverage::Constant(arguments.leverage.unwrap_or(1.0)));
    let mut periods = arguments.period.clone();
    if let Some(path) = &arguments.periods {
        periods.extend(days::periods(path)?);
    }
    if !periods.is_empty() && !dated {
        return Err(Error::usage(format!("{} needs dates, and these rows have none", option("period")))
            .hint(format!("leave {} out", option("period"))));
    }
    Ok(Config {
        periods_per_year,
        rebalance,
        lag: arguments.lag.unwrap_or(usize::from(Period::of_rows(periods_per_year) == Some(Period::Day))),
        lookback,
        overlap: arguments.overlap,
        exposure: Exposure {
            leverage,
            most: arguments.max_leverage,
            applies_to: arguments.lever.clone(),
            regime: arguments.regime.map(|rows| Regime { rows, floor: arguments.regime_floor }),
        },
        costs: Costs {
            rates: costs::rates(&arguments.cost_bps, &returns.assets)?,
            initial: !arguments.no_initial_cost,
            spread: arguments.financing_spread,
        },
        trading: Trading {
            band: arguments.band,
            no_trade: arguments.no_trade,
            delisting_return: arguments.delisting_return,
        },
        periods: days::united(periods),
    })
}

/// As it is asked for, or what is usual for rows like these.
fn lookback(arguments: &BacktestArguments, periods_per_year: f64) -> Result<Lookback> {
    let usual = match Period::of_rows(periods_per_year) {
        Some(Period::Day) => Some(252),
        Some(Period::Week) => Some(104),
        Some(Period::Month) => Some(36),
        _ => None,
    };
    let needed = |flag: &str| {
        Error::usage(format!("how many rows of {periods_per_year} a year make a window is not known"))
            .hint(format!("say {}", option(flag).plain("ROWS")))
    };
    if arguments.min_history.is_some() && arguments.lookback != Some(Asked::Expanding) {
        return Err(Error::usage("--min-history is for windows that expand")
            .hint("add --lookback expanding, or leave --min-history out"));
    }
    if let Some(rows) = arguments.min_history.filter(|rows| *rows < 2) {
        return Err(
            Error::usage(format!("--min-history {rows}: a covariance takes 2 rows at least")).hint("ask for more rows")
        );
    }
    match arguments.lookback {
        Some(Asked::Rolling(rows)) => Ok(Lookback::Rolling(rows)),
        Some(Asked::Expanding) => {
            let least = arguments.min_history.or(usual).ok_or_else(|| needed("min-history"))?;
            Ok(Lookback::Expanding(least))
        }
        None => usual.map(Lookback::Rolling).ok_or_else(|| needed("lookback")),
    }
}
