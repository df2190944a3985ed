//! Results to standard output, everything else to standard error.

use std::io::{ErrorKind, IsTerminal as _, Write as _};
use std::path::Path;

use crate::error::{Mention, Text, Value};
use crate::report::REPORT;
use crate::report::terminal::View;
use crate::store::manifest::Manifest;
use crate::{Error, Result};
use anstream::ColorChoice;
use anstyle::{AnsiColor, Style};
use serde::Serialize;

/// Prints results. Returns whether anybody reads on: a reader that has gone away, such as `head`, has what it wanted.
pub fn print(text: &str) -> Result<bool> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Error::failed(format!("standard output cannot be written: {error}"))),
    }
}

/// Columns of a terminal that does not say.
const COLUMNS: usize = 80;

/// What COLUMNS says.
fn asked_columns() -> Option<usize> {
    std::env::var("COLUMNS").ok()?.parse().ok()
}

/// What standard output is: a terminal, whose width COLUMNS overrides and NO_COLOR keeps plain, or something that wants
/// the same bytes everywhere.
pub fn view() -> View {
    let stdout = std::io::stdout();
    if !stdout.is_terminal() {
        return plain();
    }
    let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let styled = anstream::AutoStream::choice(&stdout) != ColorChoice::Never;
    View::terminal(asked_columns().or_else(measured).unwrap_or(COLUMNS), styled).with_front(option)
}

/// A file.
pub fn plain() -> View {
    View::PLAIN.with_front(option)
}

/// A word with its message on standard error, coloured on a terminal, whose lines end between words.
pub fn say(word: &str, style: Style, message: &str) {
    let message = match stderr_columns() {
        // The word takes its part of the first line.
        Some(columns) => {
            wrapped(&format!("{word}: {message}"), columns).get(word.len() + 2..).unwrap_or_default().to_string()
        }
        None => message.to_string(),
    };
    // Nothing can be done about a stderr that is gone.
    let _ = writeln!(anstream::stderr().lock(), "{style}{word}:{style:#} {message}");
}

/// Columns of standard error where it is a terminal.
fn stderr_columns() -> Option<usize> {
    let stderr = std::io::stderr();
    if !stderr.is_terminal() {
        return None;
    }
    asked_columns().or_else(|| terminal_size::terminal_size_of(&stderr).map(|(width, _)| usize::from(width.0)))
}

/// Every line of a message in lines of so many columns.
fn wrapped(message: &str, columns: usize) -> String {
    let view = View::terminal(columns, false);
    let lines: Vec<String> = message.lines().map(|line| view.wrapped(line).trim_end().to_string()).collect();
    lines.join("\n")
}

/// One JSON object, every float in full precision; numbers that do not exist are null.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::failed(format!("the result cannot be written as JSON: {error}")))
}

/// An option as the command line takes it: `--last 5`, `--exclude "S&P 500"`, `-o DIR`.
pub fn option(mention: &Mention) -> String {
    let name = &mention.name;
    let flag = if name == "output" { "-o".to_string() } else { format!("--{name}") };
    match &mention.value {
        None => flag,
        // A number may begin with a minus sign.
        Some(Value::Plain(value)) if name == "na" => format!("{flag}={value}"),
        Some(Value::Word(value) | Value::Plain(value)) => format!("{flag} {value}"),
        Some(Value::Quoted(value)) => format!("{flag} \"{value}\""),
        Some(Value::Off) => format!("{flag}=false"),
    }
}

/// Something the user should know, on standard error.
pub fn notice(message: &str) {
    say("note", AnsiColor::Cyan.on_default(), message);
}

/// Says which files a run has left, the page first.
pub fn wrote_run(directory: &Path, manifest: &Manifest, quiet: bool) {
    let mut names: Vec<&str> = manifest.outputs_sha256.keys().map(String::as_str).collect();
    names.sort_by_key(|name| *name != REPORT);
    wrote(&format!("{}: {}", directory.display(), names.join(", ")), quiet);
}

/// Says what was written.
pub fn wrote(what: &str, quiet: bool) {
    if !quiet {
        say("wrote", AnsiColor::Cyan.on_default(), what);
    }
}

/// Notices of the library, unless the user wants quiet.
pub fn notices(messages: &[Text], quiet: bool) {
    if !quiet {
        messages.iter().for_each(|message| notice(&message.render(option)));
    }
}

#[cfg(test)]
mod tests {
    use crate::error;

    use super::*;

    #[test]
    fn messages_keep_their_lines_and_all_words() {
        let text = "note: one two three four five six seven\nsecond line";
        let lines = wrapped(text, 30);
        assert_eq!(lines, "note: one two three four five\nsix seven\nsecond line");
    }

    #[test]
    fn options_are_given_as_flags() {
        let text: Text = format!(
            "{}, {}, {}, {}, {} or {}",
            error::option("max-correlation"),
            error::option("engine").word("cpu"),
            error::option("exclude").quoted("S&P 500"),
            error::option("na").plain(-99.99),
            error::option("percent").off(),
            error::option("output").plain("DIR")
        )
        .into();
        let flags = "--max-correlation, --engine cpu, --exclude \"S&P 500\", --na=-99.99, --percent=false or -o DIR";
        assert_eq!(text.render(option), flags);
    }
}
