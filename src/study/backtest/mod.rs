//! How would the strategy have gone? Estimate on a window, solve, hold, drift, trade again, lever to a volatility, pay costs
//! and financing; beside other portfolios on the same dates.
//!
//! ```text
//! close t          a decision looks at rows up to t and no other        t is on the calendar
//! close t + lag    its trade, from what drifted there, costs paid
//! row t + lag + 1  the first return that the new holdings earn
//! ```
//!
//! `calendar` says which rows are decisions, `windows` which assets and rows each is about, `decide` makes the portfolios,
//! `exposure` how much of them is held, `account` goes through the rows in order, and `figures` looks back. `grid` asks the
//! same in many settings, `paths` along many paths, and `fan` how sure each decision is.

pub mod account;
pub mod calendar;
pub mod config;
mod decide;
mod exposure;
pub mod fan;
pub mod figures;
#[cfg(feature = "files")]
mod files;
pub mod grid;
pub mod market;
mod notes;
pub mod outcome;
pub mod paths;
pub mod plan;
mod solve;
#[cfg(feature = "files")]
mod spec;
pub mod strategies;
#[cfg(feature = "files")]
mod study;
mod windows;

pub use decide::{Decision, Portfolio};
pub use outcome::Outcome;
pub use plan::{Asked, Plan};
pub use solve::{solve, solve_with};
#[cfg(feature = "files")]
pub use spec::Spec;
#[cfg(feature = "files")]
pub use study::Backtest;
pub use windows::Window;

use strategies::{Kind, REGIME, Strategy};

/// A strategy as tables call it.
fn label(strategy: &Strategy) -> String {
    match strategy.kind {
        Kind::Regime => REGIME.to_string(),
        Kind::Fixed(_) => strategy.name.clone(),
        Kind::Method(method) => method.words().to_string(),
    }
}
