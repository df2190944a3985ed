//! An open device, which answers with an error where wgpu would panic.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::adapters::{self, Found, cpu};
use super::facts::AdapterFacts;
use super::faults::Seam;
use super::kernel::Kernel;
use super::lock::lock;
use super::options::Options;
use super::precision::Precision;
use super::profile::Profile;
use super::watch::Watch;
use crate::error::{Error, Result, Text, option};

/// Why a piece of work on the device came to nothing.
#[derive(Debug)]
pub enum Trouble {
    /// An allocation failed: less at a time may do.
    Memory(String),
    /// The device is gone: another may be opened.
    Lost(String),
    /// The device does not answer, and is not reset either.
    Hung,
    /// The problem is too large for this adapter.
    Unfit(String),
    /// Anything else.
    Failed(String),
}

impl Trouble {
    pub fn into_error(self) -> Error {
        match self {
            Trouble::Memory(what) => Error::failed(format!("the device is out of memory: {what}")).hint(format!(
                "close what else uses it, lower {}, or use {}",
                option("memory"),
                cpu()
            )),
            Trouble::Lost(what) => Error::failed(format!("the device was lost: {what}"))
                .hint(format!("look at the driver's log, or use {}", cpu())),
            Trouble::Hung => Error::failed("the device has stopped answering")
                .hint(format!("look at the driver's log, restart the machine if it stays so, or use {}", cpu())),
            Trouble::Unfit(what) => Error::device(what).hint(format!("use {}", cpu())),
            Trouble::Failed(what) => {
                Error::failed(format!("the GPU engine failed: {what}")).hint(format!("use {}", cpu()))
            }
        }
    }
}

/// The outcome of work on the device.
pub type Attempt<T> = std::result::Result<T, Trouble>;

/// An open device, its kernels, and what has gone wrong with it so far.
pub struct Device {
    pub facts: AdapterFacts,
    /// What the user should know of how the adapter was chosen.
    pub notices: Vec<Text>,
    pub device: wgpu::Device,
    pub queue: wgpu::Queue,
    /// Where times are asked for.
    pub profile: Option<Profile>,
    kernels: Mutex<HashMap<Kernel, wgpu::ComputePipeline>>,
    health: Arc<Health>,
    checks: wgpu::ShaderRuntimeChecks,
    pub watch: Watch,
    pub seam: Arc<Seam>,
}

#[derive(Default)]
struct Health {
    lost: Mutex<Option<String>>,
    uncaptured: Mutex<Vec<String>>,
    /// An allocation has failed as a test asked.
    exhausted: AtomicBool,
}

impl Device {
    /// Opens the adapter that the options ask for, with every feature and limit the kernels can use.
    ///
    /// # Errors
    /// No such adapter, or it cannot be opened.
    pub fn open(options: &Options, seam: Arc<Seam>) -> Result<Device> {
        let Found { adapter, mut facts, notices } = adapters::find(options)?;

        let timestamps = if options.profile { Profile::FEATURES } else { wgpu::Features::empty() };
        let optional =
            wgpu::Features::SUBGROUP | wgpu::Features::SHADER_INT64 | wgpu::Features::SHADER_F64 | timestamps;
        let features = adapter.features() & optional;
        let mut has = adapter.limits();
        if let Some(bytes) = options.workgroup_bytes {
            has.max_compute_workgroup_storage_size = bytes.min(has.max_compute_workgroup_storage_size);
            facts.limits.workgroup_memory_bytes = has.max_compute_workgroup_storage_size;
        }
        // A device grants exactly the limits that are asked for.
        let limits = wgpu::Limits {
            max_buffer_size: has.max_buffer_size,
            max_storage_buffer_binding_size: has.max_storage_buffer_binding_size,
            max_compute_workgroup_storage_size: has.max_compute_workgroup_storage_size,
            max_compute_invocations_per_workgroup: has.max_compute_invocations_per_workgroup,
            max_compute_workgroup_size_x: has.max_compute_workgroup_size_x,
            max_compute_workgroups_per_dimension: has.max_compute_workgroups_per_dimension,
            ..wgpu::Limits::default()
        };
        let opened = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("equirisk"),
            required_features: features,
            required_limits: limits,
            experimental_features: wgpu::ExperimentalFeatures::disabled(),
            memory_hints: wgpu::MemoryHints::Performance,
            trace: wgpu::Trace::Off,
        }));
        let (device, queue) = opened.map_err(|e| {
            Error::device(format!("adapter `{}` could not be opened: {e}", facts.name)).hint(format!(
                "try another adapter with {}, or use {}",
                option("device"),
                cpu()
            ))
        })?;

        let health = Arc::new(Health::default());
        let seen = Arc::clone(&health);
        // The default handler panics.
        device.on_uncaptured_error(Arc::new(move |error: wgpu::Error| lock(&seen.uncaptured).push(error.to_string())));
        let seen = Arc::clone(&health);
        device.set_device_lost_callback(move |reason, message| {
            let said = if message.is_empty() { format!("{reason:?}") } else { format!("{reason:?}: {message}") };
            lock(&seen.lost).get_or_insert(said);
        });
        if options.plain {
            facts.subgroup_sizes = None;
            facts.wide_integers = false;
            facts.double_precision = false;
        }
        if options.precision == Precision::Double && !facts.double_precision {
            return Err(Error::device(format!("adapter `{}` has no double precision", facts.name)).hint(format!(
                "use {}, which has, or leave out {}",
                cpu(),
                option("precision").word("f64")
            )));
        }
        if let Some(bytes) = options.binding_bytes {
            facts.limits.binding_bytes = facts.limits.binding_bytes.min(bytes);
        }
        let checks = match options.checked {
            true => wgpu::ShaderRuntimeChecks::checked(),
            false => wgpu::ShaderRuntimeChecks::unchecked(),
        };
        let (profile, kernels) = (Profile::new(features), Mutex::default());
        let watch = Watch::default();
        Ok(Device { facts, notices, device, queue, profile, kernels, health, checks, watch, seam })
    }

    /// Runs `work` and turns whatever wgpu reports meanwhile into the error it is.
    pub fn guarded<T>(&self, work: impl FnOnce() -> Attempt<T>) -> Attempt<T> {
        self.watch.answers()?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let validation = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let internal = self.device.push_error_scope(wgpu::ErrorFilter::Internal);
        let result = work();
        let internal = pollster::block_on(internal.pop());
        let validation = pollster::block_on(validation.pop());
        let memory = pollster::block_on(memory.pop());
        let uncaptured = std::mem::take(&mut *lock(&self.health.uncaptured));

        let exhausted = self.health.exhausted.swap(false, Ordering::Relaxed).then(|| "as a test asked".to_owned());
        let trouble = memory
            .map(|error| error.to_string())
            .or(exhausted)
            .map(Trouble::Memory)
            .or_else(|| validation.or(internal).map(|error| Trouble::Failed(error.to_string())))
            .or_else(|| uncaptured.into_iter().next().map(Trouble::Failed));
        let mut result = trouble.map_or(result, Err);
        if result.is_err() {
            // Work that is still under way holds its memory, and holds back the news that the device is lost.
            let _ = self.wait(None);
        }
        if let Some(reason) = lock(&self.health.lost).clone() {
            result = Err(Trouble::Lost(reason));
        }
        if let Some(profile) = &self.profile {
            profile.settle(result.is_ok());
        }
        result
    }

    /// Every submission goes through here.
    pub fn submit(&self, encoder: wgpu::CommandEncoder) -> wgpu::SubmissionIndex {
        if self.seam.loses() {
            self.device.destroy();
        }
        let submission = self.queue.submit([encoder.finish()]);
        self.watch.submitted(&self.queue);
        submission
    }

    /// Every allocation that grows with the problem is counted here.
    pub fn allocates(&self, bytes: u64) {
        if self.seam.exhausts(bytes) {
            self.health.exhausted.store(true, Ordering::Relaxed);
        }
    }

    /// The pipeline of a kernel, compiled on first use.
    pub fn pipeline(&self, kernel: Kernel) -> wgpu::ComputePipeline {
        let compiled = lock(&self.kernels).get(&kernel).cloned();
        // Not while others wait: threads compile side by side.
        compiled.unwrap_or_else(|| {
            let compiled = self.compile(kernel);
            lock(&self.kernels).entry(kernel).or_insert(compiled).clone()
        })
    }

    fn compile(&self, kernel: Kernel) -> wgpu::ComputePipeline {
        let label = format!("{kernel:?}");
        let descriptor = wgpu::ShaderModuleDescriptor {
            label: Some(&label),
            source: wgpu::ShaderSource::Wgsl(kernel.text().into()),
        };
        // SAFETY: the text is this crate's own. Every index is guarded or clamped by the kernel against sizes that the
        // host binds (`plan.rs`), every loop is bounded by a parameter or a constant, and no divisor is zero (T >= 2,
        // block lengths >= 1, problems >= 1). The checks would put a counter and a branch into every loop.
        let module = unsafe { self.device.create_shader_module_trusted(descriptor, self.checks) };
        self.device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
            label: Some(&label),
            layout: None,
            module: &module,
            entry_point: Some(kernel.entry()),
            compilation_options: wgpu::PipelineCompilationOptions {
                constants: &[],
                // Every kernel writes workgroup memory before it reads it.
                zero_initialize_workgroup_memory: false,
            },
            cache: None,
        })
    }
}
