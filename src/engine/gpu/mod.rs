//! The GPU engine: WGSL compute shaders through wgpu, which appears nowhere else.
//!
//! The stages `draw -> moments -> correlate -> shrink -> others -> descend -> certify` stay on the device, `limit` in place of
//! `descend` within limits: standardised returns go up once per batch, weights and a few scalars per problem come down. Of a screen one covariance goes up, and figures
//! come down. All is single precision, unless double is asked for and the adapter has it; nothing is ever mixed, so a
//! certificate is against the covariance as that precision builds it. What the device cannot finish (hedged problems; in
//! single precision also tiny budgets and variances that cancel) comes back as `stalled`, for the CPU to solve again.

use std::sync::{Arc, Mutex};

use super::cpu::CpuEngine;
use super::{ACCEPTANCE, Engine, EngineInfo, Fault, Job, Kind};
use crate::batch::{Batch, Request};
use crate::covariance::SUSPICIOUS_VARIANCE;
use crate::error::{Error, Result, Text, option};
use crate::methods::risk_budgeting;
use device::Device;
use faults::Seam;
use lock::lock;
use plan::Accuracy;
use precision::Limits;
use resampled::Resamples;
use way::Way;

mod adapters;
mod cards;
mod catalogue;
mod device;
mod driver;
mod drivers;
mod facts;
mod faults;
mod figures;
mod given;
mod inspect;
mod job;
mod kernel;
mod limited;
mod listed;
mod lock;
mod memory;
mod missing;
mod options;
mod packages;
mod parameters;
mod pci;
mod pieces;
mod plan;
mod precision;
mod profile;
mod resampled;
mod results;
mod screened;
mod selftest;
mod stage_times;
mod stages;
mod suffixes;
mod system;
mod text;
mod unrolled;
mod unrolled_measure;
mod visible;
mod watch;
mod way;
mod windows;

pub use adapters::{Chosen, adapters, choice, missing_here as missing};
pub use facts::{AdapterFacts, AdapterLimits, SelfTest};
pub use missing::Missing;
pub use options::Options;
use precision::Precision;
pub use profile::StageTime;
#[doc(hidden)]
pub use {
    catalogue::{KernelText, kernels},
    faults::Faults,
    inspect::Stages,
    system::System,
};

/// What a single-precision certificate may be off by: a tolerance below [`ACCEPTANCE`] is met with this to spare.
const CERTIFICATE_ROUNDING: f64 = 5e-7;

/// Largest kappa of a single-precision solution that counts as converged: correlations carry about 3e-7 of rounding,
/// which kappa turns into an error of the true risk contributions; 32 x 3e-7 is [`ACCEPTANCE`].
const CONDITION_LIMIT: f64 = 32.0;

/// Below this share of its full-sample variance, single precision leaves an asset's variance in a resample to the CPU.
/// Moments round at the order of the full sample's, so errors of the correlations grow with its inverse: from 5e-7 at one
/// to 4e-6 here.
const SMALLEST_VARIANCE: f64 = 1.0 / 8.0;

/// Single precision does not tell budgets below this share of the mean budget 1/n: they are left to the CPU.
const SMALLEST_BUDGET: f64 = 1e-3;

/// Device memory used unless told otherwise.
const MEMORY: u64 = 2 << 30;
const SOFTWARE_MEMORY: u64 = 512 << 20;

/// Problems between two signs of progress: several batches, each prepared or read while another is computed.
const SPAN: u64 = 1 << 18;
const SOFTWARE_SPAN: u64 = 4096;

/// The GPU engine on one adapter, which has passed its self-test.
pub struct GpuEngine {
    options: Options,
    device: Mutex<Arc<Device>>,
    facts: AdapterFacts,
    self_test: SelfTest,
    seam: Arc<Seam>,
    /// Overcome, and not yet told.
    faults: Mutex<Vec<Fault>>,
}

impl std::fmt::Debug for GpuEngine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GpuEngine").field("facts", &self.facts).finish_non_exhaustive()
    }
}

impl GpuEngine {
    /// Opens an adapter and tests it.
    ///
    /// # Errors
    /// No usable adapter, or one that fails the self-test.
    pub fn open(options: Options) -> Result<GpuEngine> {
        let seam = Arc::new(Seam::new(options.faults.clone()));
        let device = Arc::new(Device::open(&options, Arc::clone(&seam))?);
        // Whether it computes right does not depend on what is asked of it.
        let self_test = selftest::run(&device, accuracy(&Options { tolerance: None, ..options.clone() }))?;
        let facts = device.facts.clone();
        if !self_test.passed() {
            return Err(Error::device(format!(
                "adapter `{}` computes wrong results ({})",
                facts.name,
                self_test.failed().join(", ")
            ))
            .hint(format!(
                "update its driver, try another adapter with {}, or use {}",
                option("device"),
                option("engine").word("cpu")
            )));
        }
        let faults = Mutex::default();
        let engine = GpuEngine { options, device: Mutex::new(device), facts, self_test, seam, faults };
        // Those of the self-test.
        engine.stage_times()?;
        engine.seam.arm();
        Ok(engine)
    }

    /// The adapter.
    pub fn facts(&self) -> &AdapterFacts {
        &self.facts
    }

    /// What the user should know of how the adapter was chosen.
    pub fn notices(&self) -> Vec<Text> {
        self.device().notices.clone()
    }

    /// What the start-up self-test found.
    pub fn self_test(&self) -> &SelfTest {
        &self.self_test
    }

    /// Device time by stage of all that has been solved since the last call, in the order in which stages first ran;
    /// nothing unless [`Options::profile`] is set and the adapter has timestamps. A device lost takes its times along.
    ///
    /// # Errors
    /// When the device cannot be read.
    pub fn stage_times(&self) -> Result<Vec<StageTime>> {
        let device = self.device();
        device.guarded(|| device.stage_times()).map_err(|trouble| trouble.into_error())
    }

    fn device(&self) -> Arc<Device> {
        Arc::clone(&lock(&self.device))
    }

    /// Opens the adapter again, unless another job has already done so.
    fn reopen(&self, lost: &Arc<Device>) -> Result<Arc<Device>> {
        let mut device = lock(&self.device);
        if Arc::ptr_eq(&device, lost) {
            if self.options.faults.gone {
                return Err(Error::device("as a test asked, there is no adapter"));
            }
            *device = Arc::new(Device::open(&self.options, Arc::clone(&self.seam))?);
        }
        Ok(Arc::clone(&device))
    }

    fn accuracy(&self) -> Accuracy {
        accuracy(&self.options)
    }

    fn memory(&self) -> u64 {
        let usual = if self.facts.software { SOFTWARE_MEMORY } else { MEMORY };
        self.options.memory.unwrap_or(usual)
    }

    fn way(&self, resamples: &Resamples, assets: usize) -> Way {
        let Resamples { law, windows, estimator, .. } = resamples;
        if let Some(windows) = windows {
            return Way::Windows { rows: law.rows, windows: windows.len().max(1) as u32 };
        }
        let memory = self.facts.limits.workgroup_memory_bytes;
        match (Way::of(law, *estimator, assets, self.options.precision, memory), self.options.faults.step_groups) {
            (Way::Steps { room, slices }, Some(groups)) => Way::Steps { room: room.min(groups), slices },
            (Way::Decays { room, slices }, Some(groups)) => Way::Decays { room: room.min(groups), slices },
            (way, _) => way,
        }
    }

    fn span(&self) -> u64 {
        if self.facts.software { SOFTWARE_SPAN } else { SPAN }
    }
}

fn accuracy(options: &Options) -> Accuracy {
    let limits = match options.precision {
        Precision::Single => Limits {
            rc_error: options.tolerance.map_or(ACCEPTANCE, |x| (x - CERTIFICATE_ROUNDING).min(ACCEPTANCE)),
            kappa: CONDITION_LIMIT,
            variance: SMALLEST_VARIANCE,
        },
        Precision::Double => {
            let tolerance = options.tolerance.unwrap_or(risk_budgeting::Options::default().tolerance);
            // As on the CPU: an error below the tolerance proves nothing where that lies below the rounding floor.
            Limits { rc_error: tolerance, kappa: tolerance / risk_budgeting::FLOOR, variance: SUSPICIOUS_VARIANCE }
        }
    };
    Accuracy { precision: options.precision, limits }
}

impl Engine for GpuEngine {
    fn info(&self) -> EngineInfo {
        EngineInfo {
            engine: Kind::Gpu,
            adapter: Some(self.facts.name.clone()),
            driver: Some(self.facts.driver.clone()),
            precision: self.options.precision,
            tolerance: match self.options.precision {
                Precision::Single => self.options.tolerance.map_or(ACCEPTANCE, |tolerance| tolerance.min(ACCEPTANCE)),
                Precision::Double => self.accuracy().limits.rc_error,
            },
        }
    }

    fn reserve(&self) -> CpuEngine {
        let usual = risk_budgeting::Options::default();
        let tolerance = self.options.tolerance.unwrap_or(usual.tolerance);
        CpuEngine { options: risk_budgeting::Options { tolerance, finish: self.options.finish } }
    }

    fn prepare<'a>(&'a self, batch: &'a Batch<'_>, request: &'a Request) -> Result<Box<dyn Job + 'a>> {
        Ok(Box::new(job::GpuJob::new(self, batch, request)?))
    }

    fn device_bytes(&self, batch: &Batch) -> Option<u64> {
        drivers::bytes(self, batch).ok()
    }

    fn faults(&self) -> Vec<Fault> {
        std::mem::take(&mut *lock(&self.faults))
    }
}
