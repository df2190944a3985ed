//! Results to standard output, everything else to standard error.

use std::io::{ErrorKind, Write as _};

use equirisk::{Error, Result};
use serde::Serialize;

/// Prints results. A reader that has gone away, such as `head`, has what it wanted: the program ends.
pub fn print(text: &str) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        Err(error) => Err(Error::failed(format!("standard output cannot be written: {error}"))),
    }
}

/// One JSON object, every float in full precision; numbers that do not exist are null.
pub fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map(|text| text + "\n")
        .map_err(|error| Error::failed(format!("the result cannot be written as JSON: {error}")))
}

/// Something the user should know, on standard error.
pub fn notice(message: &str) {
    // Nothing can be done about a stderr that is gone.
    let _ = writeln!(std::io::stderr().lock(), "note: {message}");
}

/// Notices, unless the user wants quiet.
pub fn notices(messages: &[String], quiet: bool) {
    if !quiet {
        messages.iter().for_each(|message| notice(message));
    }
}
