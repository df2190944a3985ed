//! `equirisk merge`: the parts of a run, joined.

use super::args::MergeArguments;
use super::driver::{ended, shown, words};
use super::output;
use super::progress::Progress;
use crate::runs::{Found, Shards};
use crate::{ErrorKind, Result};

pub fn run(arguments: &MergeArguments) -> Result<u8> {
    let shards = Shards::read(&arguments.shards, arguments.allow_mixed)?;
    let found = shards.look(&arguments.output, arguments.force)?;
    if matches!(found, Found::Finished { .. }) {
        return shown(found, Some(&arguments.output), false, arguments.strict, &arguments.out, "problem");
    }
    let mut progress = Progress::new("problem", arguments.out.quiet);
    let views = (output::plain(), output::view());
    let joined =
        shards.join(&arguments.output, words(), views, arguments.force, &mut progress).map_err(
            |error| match error.kind {
                ErrorKind::Interrupted => error.hint("the parts are as they were: merge them again"),
                _ => error,
            },
        )?;
    progress.finish();
    output::print(if arguments.out.json { &joined.summary } else { &joined.table })?;
    ended(&joined.ending, arguments.strict, joined.noun)
}
