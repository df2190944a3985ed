//! What a study found, in a few sentences: the answer first, then why, then what a reader can do about it.

pub mod backtest;
pub mod bootstrap;
pub mod screen;
