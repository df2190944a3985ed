//! Which rows of a history make a problem.

mod rows;

pub use rows::Rows;
