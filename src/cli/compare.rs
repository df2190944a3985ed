//! `equirisk compare`: what changed between two bootstraps.

use super::args::CompareArguments;
use super::output;
use crate::Result;
use crate::report::terminal;
use crate::runs::compare;

pub fn run(arguments: &CompareArguments) -> Result<u8> {
    let found = compare([&arguments.first, &arguments.second])?;
    output::print(&if arguments.out.json { output::json(&found)? } else { terminal::compare(&found, output::view()) })?;
    Ok(0)
}
