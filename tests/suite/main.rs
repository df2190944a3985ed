//! The test suite: one binary, one module per question.

mod bootstrap;
mod cases;
mod cli;
mod gpu;
mod io;
mod law;
mod readme;
mod run;
mod solver;
