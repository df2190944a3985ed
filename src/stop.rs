//! Stopping work that is under way: a wish, asked for inside chunks, and heard as an error that comes back.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, ErrorKind, Result};

/// Whether work should end, asked of whoever wants the results: before every few problems, between submissions to a
/// device, and in the statistics after the last problem. What was finished before is kept.
#[derive(Clone, Default)]
pub struct Stop(Option<Arc<Asked<dyn Fn() -> bool + Send + Sync>>>);

/// A wish, and whether it was there once: what was left undone for it stays undone.
struct Asked<W: ?Sized> {
    heard: AtomicBool,
    wish: W,
}

impl Stop {
    /// Nothing is ever stopped.
    pub const NEVER: Stop = Stop(None);

    /// Ends once `wish` says so, whatever it says later. It is asked often, on any thread.
    pub fn when(wish: impl Fn() -> bool + Send + Sync + 'static) -> Stop {
        Stop(Some(Arc::new(Asked { heard: AtomicBool::new(false), wish })))
    }

    /// Ends once the flag is set.
    pub fn on(flag: Arc<AtomicBool>) -> Stop {
        Stop::when(move || flag.load(Ordering::Relaxed))
    }

    pub fn asked(&self) -> bool {
        let Some(asked) = &self.0 else { return false };
        if asked.heard.load(Ordering::Relaxed) {
            return true;
        }
        let wished = (asked.wish)();
        if wished {
            asked.heard.store(true, Ordering::Relaxed);
        }
        wished
    }

    /// # Errors
    /// [`ErrorKind::Interrupted`] once it is asked for.
    pub fn check(&self) -> Result<()> {
        if self.asked() { Err(Error::new(ErrorKind::Interrupted, "interrupted")) } else { Ok(()) }
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.0.is_some()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_heard_once_it_is_there() {
        let flag = Arc::new(AtomicBool::new(false));
        let stop = Stop::on(flag.clone());
        assert!(stop.check().is_ok() && Stop::NEVER.check().is_ok());
        flag.store(true, Ordering::Relaxed);
        assert_eq!(stop.clone().check().unwrap_err().kind, ErrorKind::Interrupted);
        // A wish that was there once: work was left out for it.
        flag.store(false, Ordering::Relaxed);
        assert!(stop.asked());
    }
}
