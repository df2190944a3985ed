//! From the data flags to a history or a covariance, with budgets and the number of periods per year.

use std::fmt;

use crate::batch::submatrix;
use crate::error::{Text, option};
use crate::io::{self, Detected, Input, Kind, Missing, Notation, ReadOptions, Reading};
use crate::panel::{Covariance, Returns};
use crate::store::origin::{Origin, SourceFile};
use crate::{Error, Result};

use super::args::{DataArguments, MissingRule};
use super::output;
use crate::calendar::{self, Periods};

/// What a user should know of the data: said at once, unless the user wants quiet, and kept for those who read the results.
#[derive(Debug)]
pub struct Notes {
    quiet: bool,
    pub kept: Vec<String>,
}

impl Notes {
    pub fn new(quiet: bool) -> Notes {
        Notes { quiet, kept: Vec::new() }
    }

    pub fn say(&mut self, messages: &[Text]) {
        output::notices(messages, self.quiet);
        self.kept.extend(messages.iter().map(|message| message.render(output::option)));
    }
}

/// Where data come from: one file or several.
pub struct Inputs(Vec<Input>);

impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Input::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

pub fn input(data: &DataArguments, notes: &mut Notes) -> Inputs {
    if data.data.is_empty() {
        if !notes.quiet {
            output::notice("no DATA given: using the embedded sample, ten indices 1998-2014");
        }
        return Inputs(vec![Input::Sample]);
    }
    Inputs(data.data.iter().map(|path| Input::from_argument(Some(path))).collect())
}

/// How histories are to be read, within so many bytes of memory.
pub fn options(data: &DataArguments, memory: Option<u64>) -> ReadOptions {
    ReadOptions {
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
        cash: None,
    }
}

/// Reads histories, and says what is to be said of them.
pub fn read(inputs: &Inputs, options: &ReadOptions, notes: &mut Notes) -> Result<Reading> {
    let mut reading = io::read_returns(&inputs.0, options)?;
    notes.say(&reading.notices);
    // They go to tables and records, which speak the command line too.
    for remark in reading.detected.iter_mut().flat_map(|found| &mut found.remarks) {
        *remark = remark.render(output::option).into();
    }
    Ok(reading)
}

/// The history as returns, within so many bytes of memory, and what was detected in each file.
pub fn returns(
    data: &DataArguments,
    inputs: &Inputs,
    memory: Option<u64>,
    notes: &mut Notes,
) -> Result<(Returns, Vec<Detected>)> {
    let reading = read(inputs, &options(data, memory), notes)?;
    Ok((reading.returns, reading.detected))
}

/// The files that data came from, how these were read, and what came of it; with their digests, where asked for.
pub fn origin(inputs: &Inputs, detected: &[Detected], data: &Returns, notes: &Notes, digested: bool) -> Origin {
    let (first, last) = data.span();
    let file = |input: &Input| {
        let source = input.to_string();
        let found = detected.iter().find(|detected| detected.source == source);
        let path = match input {
            Input::Path(path) => Some(path.as_path()),
            _ => None,
        };
        SourceFile { source, detected: serde_json::json!(found), ..SourceFile::default() }
            .digested(path.filter(|_| digested))
    };
    Origin {
        command: String::new(),
        files: inputs.0.iter().map(file).collect(),
        rows: Some(data.rows()),
        assets: data.assets.clone(),
        first,
        last,
        notes: notes.kept.clone(),
    }
}

pub fn covariance(data: &DataArguments, inputs: &Inputs, memory: Option<u64>, notes: &mut Notes) -> Result<Covariance> {
    let [input] = &inputs.0[..] else {
        return Err(Error::usage("--covariance takes one file").hint("name one file that holds the whole matrix"));
    };
    let (mut covariance, notices) = io::read_covariance(input, data.assets.as_deref(), memory)?;
    notes.say(&notices);
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

/// What the user holds, one weight for each asset, where it is given.
pub fn holdings(given: Option<&str>, assets: &[String], notes: &mut Notes) -> Result<Option<Vec<f64>>> {
    let Some(argument) = given else { return Ok(None) };
    let (weights, notices) = io::read_holdings(argument, assets)?;
    notes.say(&notices);
    Ok(Some(weights))
}

/// As it was asked for, or from the dates; none where neither tells. Where the dates hold more or fewer returns a year
/// than are taken, that is said.
pub fn periods_per_year(data: &DataArguments, returns: &Returns, notes: &mut Notes) -> Option<f64> {
    if data.periods_per_year.is_some() {
        return data.periods_per_year;
    }
    let Periods { taken, counted } = calendar::periods_per_year(&returns.labels)?;
    if let Some(counted) = counted {
        let flag = option("periods-per-year").plain(format!("{counted:.0}"));
        let note = format!(
            "a year is taken as {taken:.0} periods, and these dates hold {counted:.1} returns a year: {flag} annualises \
             with that"
        );
        notes.say(&[note.into()]);
    }
    Some(taken)
}
