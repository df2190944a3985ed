//! An engine that is not there: it says what it was, and solves nothing.

use super::cpu::CpuEngine;
use super::{Engine, EngineInfo, Job};
use crate::batch::{Batch, Request};
use crate::error::{Error, Result};
use crate::methods::risk_budgeting::Options;

/// The engine of a run that is read, not made, or whose device has gone since it was begun; and what the CPU beside it
/// was asked for.
#[derive(Debug, Clone)]
pub struct Absent(pub EngineInfo, pub Options);

impl Engine for Absent {
    fn info(&self) -> EngineInfo {
        self.0.clone()
    }

    fn reserve(&self) -> CpuEngine {
        CpuEngine { options: self.1 }
    }

    fn prepare<'a>(&'a self, _: &'a Batch<'_>, _: &'a Request) -> Result<Box<dyn Job + 'a>> {
        let what = self.0.adapter.as_deref().unwrap_or("the engine of this run");
        Err(Error::failed(format!("{what} is not there")))
    }
}
