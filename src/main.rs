//! `equirisk`: the user's words to the library and back.

mod cli;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main()
}
