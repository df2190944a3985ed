//! `equirisk merge`: the parts of a run, joined.

use super::args::MergeArguments;
use super::driver::{ended, shown};
use super::output;
use super::progress::Progress;
use crate::Result;
use crate::runs::{Found, Shards};

pub fn run(arguments: &MergeArguments) -> Result<u8> {
    let shards = Shards::read(&arguments.shards, arguments.allow_mixed)?;
    let found = shards.look(&arguments.output, arguments.force)?;
    if matches!(found, Found::Finished { .. }) {
        return shown(found, Some(&arguments.output), false, arguments.strict, &arguments.out, "problem");
    }
    let mut progress = Progress::new("problem", arguments.out.quiet);
    let joined =
        shards.join(&arguments.output, std::env::args().collect(), (output::plain(), output::view()), &mut progress)?;
    progress.finish();
    output::print(if arguments.out.json { &joined.summary } else { &joined.table })?;
    ended(&joined.ending, arguments.strict, joined.noun)
}
