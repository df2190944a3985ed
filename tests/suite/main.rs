//! The test suite: one binary, one module per question.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bootstrap;
mod cases;
mod gpu;
mod io;
mod readme;
mod solver;
