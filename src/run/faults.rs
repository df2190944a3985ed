//! Faults of a device on their way from the engine to whoever watches.

use super::Watch;
use crate::engine::{Engine, Fault, Remedy};
use crate::error::{Error, ErrorKind};

/// Tells of the faults that the engine has overcome since it was last asked.
pub fn overcome(engine: &dyn Engine, watch: &mut dyn Watch) {
    engine.faults().iter().for_each(|fault| watch.fault(fault));
}

/// Tells that the CPU takes over from `problem` on: after a fault, or because the problems are not for this device.
pub fn given_up(error: &Error, problem: u64, engine: &dyn Engine, watch: &mut dyn Watch) {
    overcome(engine, watch);
    let fault = Fault { what: error.to_string(), problem: Some(problem), remedy: Remedy::Cpu };
    match error.kind {
        ErrorKind::Device => watch.notice(&fault.to_string().into()),
        _ => watch.fault(&fault),
    }
}
