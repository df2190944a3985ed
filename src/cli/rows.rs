//! `equirisk rows`: the rows that resamples use.

use std::fmt::Write as _;

use crate::Result;
use crate::resample::{Law, Scheme};
use crate::study::block::{Block, block_length};
use crate::{Error, observer::Unwatched};

use super::args::RowsArguments;
use super::{data, driver, output};

/// Text gathered before it is printed.
const BUFFER: usize = 1 << 16;

pub fn run(arguments: &RowsArguments) -> Result<u8> {
    let scheme = arguments.law.scheme.scheme();
    let (rows, length) = match arguments.rows {
        Some(rows) if !(2..1 << 31).contains(&rows) => {
            return Err(Error::usage(format!("--rows {rows}: a history to resample has 2 to 2147483647 rows"))
                .hint("ask for another number of rows"));
        }
        Some(rows) => match arguments.law.block {
            _ if scheme == Scheme::Iid => (rows as usize, 1.0),
            Block::Length(length) if scheme == Scheme::Stationary => (rows as usize, length),
            Block::Length(length) => (rows as usize, length.round()),
            _ => {
                return Err(Error::usage("an automatic block length needs a history to be estimated from")
                    .hint("give DATA in place of --rows, or --block L"));
            }
        },
        None => {
            let notes = &mut data::Notes::new(arguments.quiet);
            let input = data::input(&arguments.data, notes);
            let (returns, _) = data::returns(&arguments.data, &input, None, notes)?;
            let (length, _) = block_length(&returns, None, scheme, arguments.law.block, &mut Unwatched);
            (returns.rows(), length)
        }
    };
    let seed = driver::draw(arguments.law.seed);
    let law = Law::new(scheme, length, rows, seed, 0)?;
    if !arguments.quiet {
        output::notice(&format!("{} of {rows} rows, block length {length}, seed {seed}", scheme.name()));
    }
    let mut text = String::from("resample,position,row\n");
    for resample in arguments.resample.clone() {
        let mut position = 0;
        let mut result = Ok(true);
        law.runs(resample, |start, length| {
            for row in start..start + length {
                let row = if row >= law.rows { row - law.rows } else { row };
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{resample},{position},{row}");
                position += 1;
                if text.len() > BUFFER {
                    if matches!(result, Ok(true)) {
                        result = output::print(&text);
                    }
                    text.clear();
                }
            }
        });
        if !result? {
            return Ok(0);
        }
    }
    output::print(&text)?;
    Ok(0)
}
