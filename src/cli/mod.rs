//! The command line: parse, call, print, exit code.

mod args;
mod batch;
mod bootstrap;
mod data;
mod devices;
mod interrupt;
mod machine;
mod manual;
mod memory;
mod merge;
mod mistakes;
mod output;
mod plan;
mod progress;
mod rows;
mod screen;
mod solve;
mod study;
mod values;
mod verify;

use std::process::ExitCode;

use anstyle::AnsiColor;
use clap::Parser as _;
use equirisk::{Error, ErrorKind};

/// Some problems of a batch stayed unsolved and `--strict` was given.
const UNSOLVED: u8 = 3;

pub fn main() -> ExitCode {
    silence_mesa();
    let arguments = args::Arguments::try_parse().unwrap_or_else(|error| mistakes::advised(error).exit());
    interrupt::listen();
    if let Ok(level) = std::env::var("EQUIRISK_LOG") {
        let level = level.parse().unwrap_or(tracing::Level::INFO);
        tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).init();
    }
    let result = match arguments.command {
        args::Command::Bootstrap(arguments) => bootstrap::run(&arguments),
        args::Command::Screen(arguments) => screen::run(&arguments),
        args::Command::Solve(arguments) => solve::run(&arguments),
        args::Command::Batch(arguments) => batch::run(&arguments),
        args::Command::Rows(arguments) => rows::run(&arguments),
        args::Command::Merge(arguments) => merge::run(&arguments),
        args::Command::Verify(arguments) => verify::run(&arguments),
        args::Command::Devices(arguments) => devices::run(&arguments),
        args::Command::Completions(arguments) => manual::completions(arguments.shell),
        args::Command::Man => manual::page(),
    };
    result.unwrap_or_else(|error| fail(&error))
}

/// Mesa's Vulkan drivers complain on standard error, once per call, where no session has set this variable; they need
/// no such folder to compute.
fn silence_mesa() {
    if std::env::var_os("XDG_RUNTIME_DIR").is_none() {
        // SAFETY: the program has just started and has a single thread.
        unsafe { std::env::set_var("XDG_RUNTIME_DIR", std::env::temp_dir()) };
    }
}

/// Says what went wrong and what to do next.
fn fail(error: &Error) -> ExitCode {
    output::say("error", AnsiColor::Red.on_default().bold(), &error.message.render(output::option));
    if let Some(hint) = &error.hint {
        output::say("hint", AnsiColor::Green.on_default(), &hint.render(output::option));
    }
    ExitCode::from(match error.kind {
        ErrorKind::Failed => 1,
        ErrorKind::Usage => 2,
        ErrorKind::Unsolved => UNSOLVED,
        ErrorKind::Input => 4,
        ErrorKind::Device => 5,
        ErrorKind::Disagreement => 6,
    })
}
