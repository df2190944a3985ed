//! The test suite: one binary, one module per question.

mod cases;
mod gpu;
mod io;
mod solver;
