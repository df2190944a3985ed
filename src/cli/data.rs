//! From the data flags to a history or a covariance, with budgets and the number of periods per year.

use equirisk::Result;
use equirisk::io::{self, Input, Kind, Missing, ReadOptions};
use equirisk::panel::{Covariance, Labels, Returns};
use equirisk::report::digest;

use super::args::{DataArguments, MissingRule, ProblemArguments};
use super::output;

pub fn input(data: &DataArguments, quiet: bool) -> Input {
    let input = Input::from_argument(data.data.as_deref());
    if matches!(input, Input::Sample) && !quiet {
        output::notice("no DATA given: using the embedded sample, ten indices 1998-2014");
    }
    input
}

pub fn returns(data: &DataArguments, input: &Input, quiet: bool) -> Result<Returns> {
    let options = ReadOptions {
        kind: if data.returns { Kind::Returns } else { Kind::Prices },
        log_returns: data.log_returns,
        assets: data.assets.clone(),
        from: data.from,
        to: data.to,
        last: data.last,
        missing: match data.missing {
            MissingRule::CompleteRows => Missing::CompleteRows,
            MissingRule::ExcludeAssets => Missing::ExcludeAssets,
            MissingRule::Error => Missing::Error,
        },
    };
    let (returns, notices) = io::read_returns(input, &options)?;
    output::notices(&notices, quiet);
    Ok(returns)
}

/// What `run.json` says of the data: where they came from, and what they are.
pub fn origin(input: &Input, data: &Returns) -> serde_json::Value {
    let (first, last) = data.span();
    let file = match input {
        Input::Path(path) => std::fs::metadata(path).ok().map(|metadata| {
            let sha256 = digest::file(path).ok();
            serde_json::json!({ "bytes": metadata.len(), "sha256": sha256 })
        }),
        _ => None,
    };
    serde_json::json!({
        "source": input.to_string(),
        "file": file,
        "rows": data.rows(),
        "assets": data.assets,
        "first": first,
        "last": last,
    })
}

pub fn covariance(data: &DataArguments, input: &Input, quiet: bool) -> Result<Covariance> {
    let (covariance, notices) = io::read_covariance(input, data.assets.as_deref())?;
    output::notices(&notices, quiet);
    Ok(covariance)
}

/// Risk budgets of the assets, summing to one: equal unless given.
pub fn budgets(problem: &ProblemArguments, assets: &[String], quiet: bool) -> Result<Vec<f64>> {
    let Some(argument) = &problem.budgets else {
        return Ok(vec![1.0 / assets.len() as f64; assets.len()]);
    };
    let (budgets, notices) = io::read_budgets(argument, assets)?;
    output::notices(&notices, quiet);
    Ok(budgets)
}

/// Periods per year from the median distance of neighbouring dates; none where rows carry no dates, or uncommon ones.
pub fn periods_per_year(data: &DataArguments, returns: &Returns) -> Option<f64> {
    if data.periods_per_year.is_some() {
        return data.periods_per_year;
    }
    let Labels::Dates(dates) = &returns.labels else { return None };
    let mut days: Vec<i32> = dates.windows(2).map(|pair| (pair[1] - pair[0]).get_days()).collect();
    days.sort_unstable();
    let weekends = days.iter().filter(|d| **d >= 3).count() * 10 >= days.len();
    match days.get(days.len() / 2)? {
        // Seven days a week, as for currencies that never close, or business days.
        1 if !weekends => Some(365.0),
        1 => Some(252.0),
        7 => Some(52.0),
        14 => Some(26.0),
        15..=16 => Some(24.0),
        28..=31 => Some(12.0),
        59..=62 => Some(6.0),
        89..=92 => Some(4.0),
        181..=184 => Some(2.0),
        365..=366 => Some(1.0),
        _ => None,
    }
}
