//! `--grid KEY=V1,V2,..`: the product of lists of values.

use clap::ValueEnum as _;

use super::arguments::BacktestArguments;
use super::values::{self, Lookback as Asked};
use crate::cli::estimator::Name;
use crate::cli::values::{positive, size};
use crate::covariance::Estimator;
use crate::error::option;
use crate::study::backtest::config::{Config, Lookback, Regime};
use crate::study::backtest::grid::{Grid, MOST_SETTINGS, Setting};
use crate::{Error, Result};

/// What may be varied. The half-life comes after the estimator that it is one of.
const KEYS: [&str; 12] = [
    "lookback",
    "estimator",
    "half-life",
    "overlap",
    "rebalance",
    "lag",
    "target-vol",
    "max-leverage",
    "cost-bps",
    "band",
    "no-trade",
    "regime",
];

/// A key, and the values that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Axis {
    key: &'static str,
    values: Vec<String>,
}

/// `lookback=126,252,504`
pub fn axis(text: &str) -> std::result::Result<Axis, String> {
    let (key, values) = text.split_once('=').ok_or("write KEY=V1,V2,.., such as lookback=126,252,504")?;
    let known = KEYS.into_iter().find(|own| *own == key.trim().trim_start_matches('-').replace('_', "-"));
    let key = known.ok_or_else(|| format!("`{key}` cannot be varied; these can: {}", KEYS.join(", ")))?;
    let values: Vec<String> = values.split(',').map(|value| value.trim().to_string()).collect();
    match values.iter().any(String::is_empty) {
        true => Err(format!("a value of {key} is empty: write {key}=V1,V2,..")),
        false => Ok(Axis { key, values }),
    }
}

/// All combinations, the last key changing first; none where nothing is varied.
///
/// # Errors
/// A key that is given twice, values that mean nothing, too many combinations.
pub fn grid(arguments: &BacktestArguments, base: &Config, estimator: Estimator) -> Result<Option<Grid>> {
    let axes = &arguments.grid;
    if let Some(twice) = axes.iter().enumerate().find(|(at, axis)| axes[..*at].iter().any(|own| own.key == axis.key)) {
        return Err(Error::usage(format!("{}: `{}` is given twice", option("grid"), twice.1.key))
            .hint("give all values of a key in one list"));
    }
    if axes.is_empty() {
        return Ok(None);
    }
    let count = axes.iter().fold(1_usize, |count, axis| count.saturating_mul(axis.values.len()));
    if count > MOST_SETTINGS {
        return Err(Error::usage(format!("{}: {count} combinations, {MOST_SETTINGS} at most", option("grid")))
            .hint("vary fewer keys, or fewer values of each"));
    }
    let setting = |number: usize| {
        let (mut config, mut estimator) = (base.clone(), estimator);
        let (mut values, mut left) = (Vec::new(), number);
        for (axis, own) in axes.iter().rev().map(|axis| (axis, axis.values.len())) {
            values.push(axis.values[left % own].clone());
            left /= own;
        }
        values.reverse();
        let mut pairs: Vec<(&Axis, &String)> = axes.iter().zip(&values).collect();
        pairs.sort_by_key(|(axis, _)| KEYS.iter().position(|key| *key == axis.key));
        for (axis, value) in pairs {
            set(axis.key, value, &mut config, &mut estimator, arguments).map_err(|why| {
                Error::usage(format!("{}: {} `{value}`: {why}", option("grid"), axis.key)).hint(format!(
                    "{} takes what {} takes",
                    axis.key,
                    option(axis.key)
                ))
            })?;
        }
        if !estimator.is_sound() {
            return Err(Error::usage(format!("{}: how fast do the weights of ewma decay?", option("grid")))
                .hint("vary half-life as well, or make ewma the estimator and give it one"));
        }
        if !config.is_sound(config.costs.rates.len()) {
            return Err(Error::usage(format!("{}: {} cannot go together", option("grid"), values.join(", ")))
                .hint("windows are longer than what overlaps, and than the rows that a twin looks at"));
        }
        Ok(Setting { values, config, estimator })
    };
    let settings = (0..count).map(setting).collect::<Result<Vec<Setting>>>()?;
    Ok(Some(Grid { keys: axes.iter().map(|axis| axis.key.to_string()).collect(), settings }))
}

/// One value of a key.
fn set(
    key: &str,
    text: &str,
    config: &mut Config,
    estimator: &mut Estimator,
    arguments: &BacktestArguments,
) -> std::result::Result<(), String> {
    match key {
        "lookback" => {
            config.lookback = match values::lookback(text)? {
                Asked::Rolling(rows) => Lookback::Rolling(rows),
                Asked::Expanding => Lookback::Expanding(config.lookback.least()),
            };
        }
        "estimator" => {
            let name = Name::from_str(text, true).map_err(|_| "no estimator is called that".to_string())?;
            let half_life = match (*estimator, arguments.estimation.half_life) {
                (Estimator::Ewma { half_life }, _) => Some(half_life),
                (_, given) => given,
            };
            *estimator = match name {
                // Its half-life may follow.
                Name::Ewma => Estimator::Ewma { half_life: half_life.unwrap_or(f64::NAN) },
                name => name.plain().ok_or("no estimator is called that")?,
            };
        }
        "half-life" => match estimator {
            Estimator::Ewma { half_life } => *half_life = positive(text)?,
            _ => return Err("only the estimator ewma has one".to_string()),
        },
        "overlap" => config.overlap = size(text)?,
        "rebalance" => {
            config.rebalance = match values::rebalance(text)? {
                values::Calendar::Rule(rule) => rule,
                values::Calendar::File(_) => return Err("files are not varied".to_string()),
            };
        }
        "lag" => config.lag = values::rows(text)?,
        "target-vol" => config.exposure.leverage = values::target(text)?,
        "max-leverage" => config.exposure.most = positive(text)?,
        "cost-bps" => {
            let rate = values::decimal(text)? / 1e4;
            config.costs.rates.fill(rate);
        }
        "band" => config.trading.band = Some(values::decimal(text)?),
        "no-trade" => config.trading.no_trade = Some(values::decimal(text)?),
        _ => config.exposure.regime = Some(Regime { rows: size(text)?, floor: arguments.regime_floor }),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_is_a_key_and_its_values() {
        let found = axis("lookback=126, 252").unwrap();
        assert_eq!((found.key, found.values), ("lookback", vec!["126".to_string(), "252".to_string()]));
        assert_eq!(axis("--half_life=20").unwrap().key, "half-life");
        for text in ["lookback", "method=erc", "lag=", "lag=1,,2"] {
            assert!(axis(text).is_err(), "{text}");
        }
    }
}
