//! How far can you trust a risk-parity portfolio?
pub mod batch;
pub mod engine;
pub mod error;
pub mod io;
pub mod panel;
pub mod philox;
pub mod resample;

pub use batch::{Batch, Certificate, Solutions, Source, Status, Want};
pub use error::{Error, ErrorKind, Result};
