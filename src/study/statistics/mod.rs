//! What the solutions of a study's resamples say together, computed in passes over blocks of them.
//!
//! [blocks](crate::store::blocks) are read in [`passes`]; a pass computes [`figure`]s of each resample, eight resamples side by side, and a
//! figure over all resamples is a column, of which its [`distribution`] is kept. [`asset`], [`method`],
//! [`convergence`] and [`certificates`](mod@certificates) say which columns they need and what they make of them.

pub mod asset;
pub mod certificates;
pub mod convergence;
pub mod distribution;
pub mod evidence;
pub mod figure;
pub mod limited;
pub mod method;
mod out_of_bag;
pub mod paired;
pub mod passes;
pub mod reading;
mod selection;
pub mod summary;
mod tile;
pub mod turnover;
