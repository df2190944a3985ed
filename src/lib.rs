//! How far can you trust a risk-parity portfolio?
pub mod batch;
pub mod block_length;
pub mod covariance;
pub mod engine;
pub mod error;
pub mod feistel;
pub mod io;
pub mod panel;
pub mod philox;
pub mod real;
pub mod report;
pub mod resample;
pub mod run;
pub mod solver;
pub mod stats;
pub mod study;

pub use batch::{Batch, Certificate, Solutions, Source, Status, Want};
pub use error::{Error, ErrorKind, Result};
