//! Which engine solves: what the flags ask for, or what pays.

use crate::engine::Engine;
use crate::engine::Precision;
use crate::engine::cpu::CpuEngine;
use crate::engine::gpu::{self, ACCEPTANCE, GpuEngine};
use crate::solver::Options;
use crate::study::setup::Setup;
use crate::{Error, Result};

use super::args::{EngineChoice, MachineArguments, PrecisionChoice};
use super::output;

/// Below this many operations the GPU does not pay: opening it and compiling its kernels takes longer.
const GPU_PAYS: f64 = 2e11;

/// An engine.
pub struct Machine {
    pub engine: Box<dyn Engine>,
}

/// Chooses the engine for about `work` floating-point operations, and sets the number of threads. With `finish`, the
/// CPU brings every solution to the rounding floor.
///
/// # Errors
/// A GPU was asked for and there is none.
pub fn choose(
    machine: &MachineArguments,
    tolerance: Option<f64>,
    finish: bool,
    work: f64,
    quiet: bool,
) -> Result<Machine> {
    let options = Options { tolerance: tolerance.unwrap_or(Options::default().tolerance), finish };
    let cpu = || Machine { engine: Box::new(CpuEngine { options }) };
    let precision = machine.precision.map_or(Precision::Single, PrecisionChoice::precision);
    let fits_gpu = precision == Precision::Double || tolerance.is_none_or(|t| t >= ACCEPTANCE);
    let open = |allow_software| {
        GpuEngine::open(gpu::Options {
            select: machine.device.clone(),
            allow_software,
            memory: machine.memory,
            tolerance,
            finish,
            precision,
            ..gpu::Options::default()
        })
    };
    let say = |message: &str| {
        if !quiet {
            output::notice(message);
        }
    };
    match machine.engine {
        EngineChoice::Cpu => {
            if machine.device.is_some() {
                return Err(
                    Error::usage("--device names a GPU, but --engine cpu was given").hint("leave one of the two out")
                );
            }
            if machine.precision == Some(PrecisionChoice::F32) {
                return Err(Error::usage("--precision f32 is for a GPU, but --engine cpu was given")
                    .hint("leave one of the two out: the CPU computes in f64"));
            }
            Ok(cpu())
        }
        EngineChoice::Gpu => {
            if !fits_gpu {
                say(&format!(
                    "single precision promises {ACCEPTANCE:.0e}: what stays above the tolerance is solved again on the \
                     CPU; --precision f64 may reach it on the GPU"
                ));
            }
            Ok(Machine { engine: Box::new(open(true)?) })
        }
        EngineChoice::Auto => {
            if !fits_gpu {
                say("engine: cpu (the tolerance is beyond the GPU's single precision)");
                return Ok(cpu());
            }
            if machine.device.is_some() {
                return Ok(Machine { engine: Box::new(open(true)?) });
            }
            if work < GPU_PAYS {
                say("engine: cpu (the job is too small for a GPU to pay)");
                return Ok(cpu());
            }
            match open(false) {
                Ok(engine) => {
                    let name = engine.info().adapter.unwrap_or_default();
                    say(&format!("engine: gpu ({name})"));
                    Ok(Machine { engine: Box::new(engine) })
                }
                Err(error) => {
                    say(&format!("engine: cpu ({error})"));
                    Ok(cpu())
                }
            }
        }
    }
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

/// Estimated operations of a batch.
pub fn work(problems: u64, rows: usize, assets: usize) -> f64 {
    let (n, rows) = (assets as f64, rows as f64);
    problems as f64 * (rows * n * n + 20.0 * n * n)
}
