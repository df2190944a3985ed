//! An engine that is not there: it says what it was, and solves nothing.

use super::{Engine, EngineInfo, Job};
use crate::batch::{Batch, Want};
use crate::error::{Error, Result};

/// The engine of a run that is read, not made, or whose device has gone since it was begun.
#[derive(Debug, Clone)]
pub struct Absent(pub EngineInfo);

impl Engine for Absent {
    fn info(&self) -> EngineInfo {
        self.0.clone()
    }

    fn prepare<'a>(&'a self, _: &'a Batch, _: Want) -> Result<Box<dyn Job + 'a>> {
        let what = self.0.adapter.as_deref().unwrap_or("the engine of this run");
        Err(Error::failed(format!("{what} is not there")))
    }
}
