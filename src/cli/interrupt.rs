//! Ctrl-C and SIGTERM: the program ends at once, loses at most the chunk under way, and says how to go on.

use std::fs::File;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

/// The file of finished chunks and its directory, while a run keeps them.
static KEPT: Mutex<Option<(File, PathBuf)>> = Mutex::new(None);

/// From now on, finished chunks are kept in this file of this directory.
pub fn keeps(file: Option<File>, directory: PathBuf) {
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = file.map(|file| (file, directory));
}

/// From now on, nothing is kept, or everything is.
pub fn done() {
    *KEPT.lock().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Waits for a signal beside whatever the program does.
#[cfg(unix)]
pub fn listen() {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;

    // Without it the signals end the program all the same, with less grace.
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM]) else { return };
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            end(signal);
        }
    });
}

#[cfg(not(unix))]
pub fn listen() {}

/// Ends the program from beside it. A chunk that is being added is cut off by the next run.
#[cfg(unix)]
fn end(signal: i32) -> ! {
    use std::io::{IsTerminal as _, Write as _};

    equirisk::io::atomic::discard();
    let kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner).take();
    let mut stderr = std::io::stderr();
    // Over a progress bar. Nothing can be done about a stderr that is gone.
    let clear = if stderr.is_terminal() { "\r\x1b[K" } else { "" };
    let _ = match kept {
        Some((file, directory)) => {
            let flushed = file.sync_data();
            let directory = directory.display();
            match flushed {
                Ok(()) => writeln!(
                    stderr,
                    "{clear}error: interrupted\nhint: what is finished is kept in `{directory}`: the same command goes \
                     on from there"
                ),
                Err(error) => {
                    writeln!(stderr, "{clear}error: interrupted, and `{directory}` cannot be written: {error}")
                }
            }
        }
        None => {
            writeln!(stderr, "{clear}error: interrupted: nothing is kept\nhint: studies with -o DIR can be resumed")
        }
    };
    // Without the destructors of drivers whose threads are still at work.
    signal_hook::low_level::exit(128 + signal)
}
