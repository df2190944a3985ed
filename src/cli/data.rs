//! From the data flags to a history or a covariance, with budgets and the number of periods per year.

use std::fmt;

use crate::batch::submatrix;
use crate::io::{self, Detected, Input, Kind, Missing, Notation, ReadOptions};
use crate::panel::{Covariance, Returns};
use crate::store::digest;
use crate::{Error, Result};

use super::args::{DataArguments, MissingRule, ProblemArguments};
use super::output;
use crate::calendar::{self, Periods};

/// Where data come from: one file or several.
pub struct Inputs(Vec<Input>);

impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Input::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

pub fn input(data: &DataArguments, quiet: bool) -> Inputs {
    if data.data.is_empty() {
        if !quiet {
            output::notice("no DATA given: using the embedded sample, ten indices 1998-2014");
        }
        return Inputs(vec![Input::Sample]);
    }
    Inputs(data.data.iter().map(|path| Input::from_argument(Some(path))).collect())
}

/// The history as returns, within so many bytes of memory, and what was detected in each file.
pub fn returns(
    data: &DataArguments,
    inputs: &Inputs,
    memory: Option<u64>,
    quiet: bool,
) -> Result<(Returns, Vec<Detected>)> {
    let options = ReadOptions {
        kind: if data.returns { Kind::Returns } else { Kind::Prices },
        log_returns: data.log_returns,
        assets: data.assets.clone(),
        exclude: data.exclude.clone(),
        from: data.from,
        to: data.to,
        last: data.last,
        missing: match data.missing {
            MissingRule::CompleteRows => Missing::CompleteRows,
            MissingRule::ExcludeAssets => Missing::ExcludeAssets,
            MissingRule::Error => Missing::Error,
        },
        notation: Notation {
            delimiter: data.delimiter,
            decimal_comma: data.decimal_comma,
            thousands: data.thousands,
            thirty_seconds: data.thirty_seconds,
            missing: data.missing_values.clone(),
            date_format: data.date_format.clone(),
            long: data.long,
            percent: data.percent,
            table: data.table,
        },
        memory,
    };
    let mut reading = io::read_returns(&inputs.0, &options)?;
    output::notices(&reading.notices, quiet);
    // They go to tables and records, which speak the command line too.
    for remark in reading.detected.iter_mut().flat_map(|found| &mut found.remarks) {
        *remark = remark.render(output::option).into();
    }
    Ok((reading.returns, reading.detected))
}

/// What `run.json` says of the data: the files they came from, how these were read, and what came of it.
pub fn origin(inputs: &Inputs, detected: &[Detected], data: &Returns) -> serde_json::Value {
    let (first, last) = data.span();
    let file = |input: &Input| {
        let held = match input {
            Input::Path(path) => std::fs::metadata(path).ok().zip(digest::file(path).ok()),
            _ => None,
        };
        let name = input.to_string();
        let detected = detected.iter().find(|detected| detected.source == name);
        serde_json::json!({
            "source": name,
            "bytes": held.as_ref().map(|(metadata, _)| metadata.len()),
            "sha256": held.map(|(_, sha256)| sha256),
            "detected": detected,
        })
    };
    serde_json::json!({
        "files": inputs.0.iter().map(file).collect::<Vec<_>>(),
        "rows": data.rows(),
        "assets": data.assets,
        "first": first,
        "last": last,
    })
}

pub fn covariance(data: &DataArguments, inputs: &Inputs, memory: Option<u64>, quiet: bool) -> Result<Covariance> {
    let [input] = &inputs.0[..] else {
        return Err(Error::usage("--covariance takes one file").hint("name one file that holds the whole matrix"));
    };
    let (mut covariance, notices) = io::read_covariance(input, data.assets.as_deref(), memory)?;
    output::notices(&notices, quiet);
    let excluded = io::positions("--exclude", &covariance.assets, &data.exclude)?;
    let keep: Vec<usize> = (0..covariance.assets.len()).filter(|asset| !excluded.contains(asset)).collect();
    if !excluded.is_empty() {
        covariance = Covariance {
            values: submatrix(&covariance.values, covariance.assets.len(), &keep),
            assets: keep.iter().map(|&asset| covariance.assets[asset].clone()).collect(),
        };
    }
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

/// As it was asked for, or from the dates; none where neither tells. Where the dates hold more or fewer returns a year
/// than are taken, that is said.
pub fn periods_per_year(data: &DataArguments, returns: &Returns, quiet: bool) -> Option<f64> {
    if data.periods_per_year.is_some() {
        return data.periods_per_year;
    }
    let Periods { taken, counted } = calendar::periods_per_year(&returns.labels)?;
    if let Some(counted) = counted.filter(|_| !quiet) {
        output::notice(&format!(
            "a year is taken as {taken:.0} periods, and these dates hold {counted:.1} returns a year: \
             --periods-per-year {counted:.0} annualises with that"
        ));
    }
    Some(taken)
}
