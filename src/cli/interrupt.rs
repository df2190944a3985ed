//! Ctrl-C and SIGTERM: a wish that a run hears within a chunk. The second one ends the program at once.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use crate::stop::Stop;

/// Whether it was SIGTERM.
static TERMINATED: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// The exit code of a run that was interrupted, as shells count it.
pub fn exit_code() -> u8 {
    let terminated = TERMINATED.get().is_some_and(|flag| flag.load(Ordering::Relaxed));
    if terminated { 128 + 15 } else { 128 + 2 }
}

/// Listens from now on, while a run is under way: before it, signals end the program as they do any other.
#[cfg(unix)]
pub fn listen() -> Stop {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    let asked = Arc::new(AtomicBool::new(false));
    // Which of the two it was decides the exit code.
    let _ = flag::register(SIGTERM, Arc::clone(TERMINATED.get_or_init(Arc::default)));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first sets the flags, the second finds them set. Without either, signals end the program
        // all the same, with less grace.
        let _ = flag::register_conditional_default(signal, Arc::clone(&asked));
        let _ = flag::register(signal, Arc::clone(&asked));
    }
    Stop::on(asked)
}

#[cfg(not(unix))]
pub fn listen() -> Stop {
    Stop::NEVER
}
