//! From the machine flags to what is asked of an engine.

use super::args::{EngineChoice, MachineArguments, PrecisionChoice};
use super::output;
use crate::covariance::Estimator;
use crate::engine::choose::{Wish, choose as choose_engine};
use crate::engine::{Engine, Precision};
use crate::error::Text;
use crate::methods::Selection;
use crate::study::setup::Setup;
use crate::{Error, Result};

/// The engine for about `work` floating-point operations. With `finish`, the CPU brings every solution to the rounding
/// floor.
///
/// # Errors
/// A GPU was asked for and there is none.
pub fn choose(
    machine: &MachineArguments,
    tolerance: Option<f64>,
    finish: bool,
    work: f64,
    quiet: bool,
) -> Result<Box<dyn Engine>> {
    let wish = Wish {
        engine: machine.engine.choice(),
        device: machine.device.clone(),
        precision: machine.precision.map(PrecisionChoice::precision),
        memory: machine.memory,
        tolerance,
        finish,
    };
    let mut say = |text: &Text| {
        if !quiet {
            output::notice(&text.render(output::option));
        }
    };
    choose_engine(&wish, work, &mut say)
}

/// Operations as [`choose`] takes them: devices do not take every estimator and method, and then none of the work.
pub fn work(estimators: &[Estimator], beside: &Selection, assets: usize, work: f64) -> f64 {
    let fits = estimators.iter().all(|estimator| estimator.is_on_devices()) && beside.is_on_devices(assets);
    if fits { work } else { 0.0 }
}

/// What a job says of the machine flags.
pub fn setup(machine: &MachineArguments, tolerance: Option<f64>) -> Setup {
    let device = machine.engine != EngineChoice::Cpu;
    // What is the default anyway, and what the CPU does not heed, makes no other run.
    let precision = machine.precision.map(PrecisionChoice::precision).filter(|p| device && *p == Precision::Double);
    Setup {
        engine: machine.engine.choice(),
        precision,
        tolerance,
        crosscheck: machine.crosscheck.filter(|_| device).unwrap_or_default(),
    }
}

/// Runs `work` on a pool of so many threads, where a number is asked for.
///
/// # Errors
/// The threads cannot be started; those of the work.
pub fn with_threads<T: Send>(threads: Option<u16>, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    let Some(threads) = threads else { return work() };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(threads))
        .build()
        .map_err(|error| Error::failed(format!("{threads} threads cannot be started: {error}")))?;
    pool.install(work)
}
