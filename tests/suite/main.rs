//! The test suite: one binary, one module per question.

mod bootstrap;
mod cases;
mod gpu;
mod io;
mod solver;
