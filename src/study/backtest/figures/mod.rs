//! Figures of finished rows: pure functions of what the accounts of strategies left.
//!
//! A [`Market`] and a [`Track`] go in. [`Metrics`] are all figures of one strategy, [`PathFigures`] those by which
//! resampled paths are compared, made of the same parts. [`periods()`] puts all strategies on the same rows,
//! [`cost_curve`] and [`break_even`] make the same rows pay other costs, [`SharpeDifference`] and [`Deflated`] say what
//! may be luck.
//!
//! A figure that does not exist, for want of dates, of rows or of a denominator, is none: never 0, never NaN.

mod attribution;
mod costs;
mod deflated;
mod difference;
mod drawdown;
mod growth;
mod lanes;
mod metrics;
mod months;
pub mod normal;
pub mod parzen;
mod path;
mod performance;
mod periods;
mod ratio;
mod relative;
mod risk_shares;
mod rows;
mod shape;
mod tail;
#[cfg(test)]
mod tests;

pub use attribution::{Attribution, Leverage};
pub use costs::{COSTS_BPS, CostFigures, break_even, cost_curve, net_at};
pub use deflated::Deflated;
pub use difference::{SharpeDifference, SharpeSample};
pub use drawdown::{Depth, Fall, deepest, falls};
pub use lanes::{Side, Summed};
pub use metrics::{Drawdown, Metrics};
pub use months::{Month, MonthReturn, YearReturn, month_returns, monthly, year_returns};
pub use path::{FIGURES, PathFigures, Scratch};
pub use performance::Performance;
pub use periods::{Kind, NamedPeriod, Period, PeriodFigures, periods, quarter, trailing};
pub use relative::Relative;
pub use risk_shares::risk_shares_over;
pub use rows::{Build, Market, Timeline, Track};
pub use shape::is_autocorrelated;
