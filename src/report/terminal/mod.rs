//! Tables for a terminal, to be read in ten seconds: the answer first, the evidence below, how to read it last.

mod backtest;
mod bootstrap;
mod columns;
mod compare;
mod fan;
mod limits;
mod paths;
pub mod screen;
mod solve;
mod table;
mod view;

use crate::report::words;

pub use super::words::{counted, duration, grouped, size, solves};
pub use backtest::backtest;
pub use bootstrap::bootstrap;
pub use columns::columns;
pub use compare::compare;
pub use solve::solve;
pub use view::View;

/// Widest an asset's name may stand.
const NAME: usize = 22;

/// The order in which columns leave a table that is too wide.
const LEAVE_EARLY: Option<u8> = Some(1);
const LEAVE_NEXT: Option<u8> = Some(2);
const LEAVE_LATE: Option<u8> = Some(3);
const LEAVE_LAST: Option<u8> = Some(4);

/// Columns for these names.
fn names_width<'a>(names: impl Iterator<Item = &'a String>) -> usize {
    names.map(|name| words::columns(name)).max().unwrap_or(0).clamp(5, NAME)
}
