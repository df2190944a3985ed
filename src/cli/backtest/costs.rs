//! What trading costs: one number, or one for each asset.

use crate::error::option;
use crate::io::{self, plain};
use crate::{Error, ErrorKind, Result};

/// All assets that are not named.
const OTHERS: &str = "*";

/// Basis points of a whole.
const BASIS: f64 = 1e4;

/// Per unit of traded notional, one for each asset, from basis points: `5`, or `A=1,B=3,*=2`.
///
/// # Errors
/// No numbers from 0 up; names that are unknown or repeated; assets without a cost.
pub fn rates(argument: &str, assets: &[String]) -> Result<Vec<f64>> {
    let number = |text: &str, what: &str| {
        let text = text.trim();
        text.parse().ok().filter(|x: &f64| (0.0..BASIS).contains(x)).map(|x| x / BASIS).ok_or_else(|| {
            Error::usage(format!(
                "{}: the cost of {what} is `{text}`, not a number of basis points from 0 up",
                option("cost-bps")
            ))
            .hint("write 5 for 0.05 % of what is traded")
        })
    };
    if !argument.contains('=') {
        return Ok(vec![number(argument, "trading")?; assets.len()]);
    }
    let mut rates: Vec<Option<f64>> = vec![None; assets.len()];
    let mut others = None;
    for entry in argument.split(',') {
        let (name, cost) = entry.rsplit_once('=').ok_or_else(|| {
            Error::usage(format!("{}: `{entry}` has no cost", option("cost-bps"))).hint("write A=1,B=3,*=2")
        })?;
        let name = plain(name);
        let cost = number(cost, &format!("`{name}`"))?;
        let place = match name.as_str() {
            OTHERS => &mut others,
            _ => &mut rates[place_of(&name, assets)?],
        };
        if place.replace(cost).is_some() {
            return Err(Error::usage(format!("{}: `{name}` has two costs", option("cost-bps"))).hint("name each once"));
        }
    }
    let missing = rates.iter().position(Option::is_none).filter(|_| others.is_none());
    if let Some(asset) = missing {
        return Err(Error::usage(format!("{}: `{}` has no cost", option("cost-bps"), assets[asset]))
            .hint(format!("name it, or give all others a cost with {OTHERS}=2")));
    }
    Ok(rates.into_iter().map(|rate| rate.or(others).unwrap_or_default()).collect())
}

/// # Errors
/// No asset is called that.
fn place_of(name: &String, assets: &[String]) -> Result<usize> {
    let found = io::positions(&option("cost-bps").to_string(), assets, std::slice::from_ref(name));
    found.map(|places| places[0]).map_err(|error| Error { kind: ErrorKind::Usage, ..error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_are_one_number_or_one_for_each() {
        let assets = ["A", "S&P 500", "B"].map(String::from);
        assert_eq!(rates("5", &assets).unwrap(), [5e-4; 3]);
        assert_eq!(rates("S&P 500=1, *=20", &assets).unwrap(), [2e-3, 1e-4, 2e-3]);
        for (text, said) in [
            ("-1", "from 0 up"),
            ("x", "from 0 up"),
            ("A=1,B=2", "`S&P 500` has no cost"),
            ("A=1,A=2,*=3", "two costs"),
            ("C=1,*=2", "C"),
            ("A=1,B", "`B` has no cost"),
            ("A=nan,*=1", "from 0 up"),
        ] {
            let error = rates(text, &assets).expect_err(text);
            assert!(error.message.contains(said), "{text}: {}", error.message);
        }
    }
}
