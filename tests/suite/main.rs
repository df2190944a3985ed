//! The test suite: one binary, one module per question.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod backtest;
mod bands;
mod batch;
mod bootstrap;
mod bounds;
mod cases;
mod cli;
mod covariance;
mod data;
mod estimators;
mod gpu;
mod interrupted;
mod io;
mod json;
mod law;
mod limits;
mod lives;
mod messages;
mod methods;
mod options;
mod reading;
mod readme;
mod records;
mod report;
mod risks;
mod run;
mod screen;
mod solver;
mod table;
mod trust;
mod worlds;
