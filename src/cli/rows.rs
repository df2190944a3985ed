//! `equirisk rows`: the rows that resamples use.

use std::fmt::Write as _;
use std::process::ExitCode;

use equirisk::Result;
use equirisk::resample::{Law, Scheme};
use equirisk::study::bootstrap::{Block, block_length};
use equirisk::{Error, run::Unwatched};

use super::args::RowsArguments;
use super::{bootstrap, data, output};

pub fn run(arguments: &RowsArguments) -> Result<ExitCode> {
    let scheme = arguments.law.scheme.scheme();
    let (rows, length) = match arguments.rows {
        Some(rows) => match arguments.law.block {
            _ if scheme == Scheme::Iid => (rows, 1.0),
            Block::Length(length) if scheme == Scheme::Stationary => (rows, length),
            Block::Length(length) => (rows, length.round()),
            _ => {
                return Err(Error::usage("an automatic block length needs a history to be estimated from")
                    .hint("give DATA in place of --rows, or --block L"));
            }
        },
        None => {
            let input = data::input(&arguments.data, arguments.quiet);
            let returns = data::returns(&arguments.data, &input, arguments.quiet)?;
            let (length, _) = block_length(&returns, None, scheme, arguments.law.block, &mut Unwatched);
            (returns.rows(), length)
        }
    };
    if rows < 2 {
        return Err(Error::usage(format!("--rows {rows}: a resample needs at least 2 rows")).hint("ask for more rows"));
    }
    let seed = bootstrap::seed(arguments.law.seed);
    let law = Law::new(scheme, length, rows, seed, 0)?;
    if !arguments.quiet {
        output::notice(&format!("{} of {rows} rows, block length {length}, seed {seed}", scheme.name()));
    }
    output::print("resample,position,row\n")?;
    let mut text = String::new();
    for resample in arguments.resample.clone() {
        text.clear();
        for (position, row) in law.rows(resample).into_iter().enumerate() {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{resample},{position},{row}");
        }
        output::print(&text)?;
    }
    Ok(ExitCode::SUCCESS)
}
