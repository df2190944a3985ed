//! The command line: parse, call, print, exit code.

mod args;
mod backtest;
mod batch;
mod bootstrap;
mod canonical;
mod compare;
mod data;
#[cfg(feature = "gpu")]
mod devices;
mod driver;
mod estimator;
mod help;
mod interrupt;
mod limits;
mod machine;
mod manual;
mod merge;
mod methods;
mod mistakes;
mod output;
mod plan;
mod progress;
mod risk;
mod rows;
mod screen;
mod solve;
mod values;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::FromArgMatches as _;

use crate::{Error, ErrorKind};

/// Some problems of a batch stayed unsolved and `--strict` was given.
const UNSOLVED: u8 = 3;

/// The program.
pub fn main() -> ExitCode {
    ExitCode::from(run(std::env::args_os()))
}

/// Runs the command line of these words, the first of them the program's name, on standard output and standard error.
/// Returns the exit code. Signals are listened to, and `XDG_RUNTIME_DIR` is set where it is not, on behalf of the process.
pub fn run(words: impl IntoIterator<Item = OsString>) -> u8 {
    silence_mesa();
    let parsed = help::command().try_get_matches_from(words);
    let arguments = match parsed.and_then(|matches| args::Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => {
            let error = mistakes::advised(error);
            // Nothing can be done about a stream that is gone.
            let _ = error.print();
            return error.exit_code() as u8;
        }
    };
    if let Ok(level) = std::env::var("EQUIRISK_LOG") {
        let level = level.parse().unwrap_or(tracing::Level::INFO);
        // A second call in one process keeps the first one's.
        let _ = tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).try_init();
    }
    machine::with_threads(arguments.command.threads(), || command(&arguments.command))
        .unwrap_or_else(|error| fail(&error))
}

fn command(command: &args::Command) -> crate::Result<u8> {
    match command {
        args::Command::Bootstrap(arguments) => bootstrap::run(arguments),
        args::Command::Screen(arguments) => screen::run(arguments),
        args::Command::Solve(arguments) => solve::run(arguments),
        args::Command::Backtest(arguments) => backtest::run(arguments),
        args::Command::Batch(arguments) => batch::run(arguments),
        args::Command::Rows(arguments) => rows::run(arguments),
        args::Command::Merge(arguments) => merge::run(arguments),
        args::Command::Compare(arguments) => compare::run(arguments),
        args::Command::Verify(arguments) => verify::run(arguments),
        #[cfg(feature = "gpu")]
        args::Command::Devices(arguments) => devices::run(arguments),
        #[cfg(not(feature = "gpu"))]
        args::Command::Devices(_) => Err(Error::device("this build has no GPU engine")),
        args::Command::Completions(arguments) => manual::completions(arguments.shell),
        args::Command::Man(arguments) => manual::man(arguments),
    }
}

/// Mesa's Vulkan drivers complain on standard error, once per call, where no session has set this variable; they need
/// no such folder to compute.
fn silence_mesa() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: as a program this has just started and has a single thread; whoever calls it in a process of
        // their own knows that it sets this variable.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
}

/// Says what went wrong and what to do next.
fn fail(error: &Error) -> u8 {
    output::say("error", AnsiColor::Red.on_default().bold(), &error.message.render(output::option));
    if let Some(hint) = &error.hint {
        output::say("hint", AnsiColor::Green.on_default(), &hint.render(output::option));
    }
    match error.kind {
        ErrorKind::Failed => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Unsolved => UNSOLVED,
        ErrorKind::Input => 4,
        ErrorKind::Device => 5,
        ErrorKind::Disagreement => 6,
        ErrorKind::Interrupted => interrupt::exit_code(),
    }
}
