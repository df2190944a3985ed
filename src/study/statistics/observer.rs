//! Whoever watches statistics, and may stop them.

use crate::error::Result;
use crate::run::Unwatched;

/// Called on the thread that asked for the statistics, between groups of blocks and of columns.
pub trait Observer {
    /// Asked whether to go on.
    ///
    /// # Errors
    /// An error stops the work and is passed on.
    fn check(&mut self) -> Result<()>;

    /// So many problems were read once more: the unit of [`work`](super::passes::work).
    fn advance(&mut self, problems: u64);
}

impl Observer for Unwatched {
    fn check(&mut self) -> Result<()> {
        Ok(())
    }

    fn advance(&mut self, _: u64) {}
}
