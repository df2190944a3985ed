//! Which engine solves: what is asked for, or what pays.

use super::cpu::CpuEngine;
use super::{ACCEPTANCE, Choice, Engine, Precision};
use crate::error::{Error, Result, Text, option};
use crate::methods::risk_budgeting::Options;

/// Below this many operations the GPU does not pay: opening it and compiling its kernels takes longer.
const GPU_PAYS: f64 = 2e11;

/// What is asked of an engine.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    pub engine: Choice,
    /// The GPU to use: its name or part of it, its index, or its PCI bus id. None leaves it to the environment
    /// (EQUIRISK_DEVICE, CUDA_VISIBLE_DEVICES), which says which GPU, not whether one is used.
    pub device: Option<String>,
    /// On the GPU; none for single.
    pub precision: Option<Precision>,
    /// Device memory to use, in bytes.
    pub memory: Option<u64>,
    /// None for that of the engine.
    pub tolerance: Option<f64>,
    /// The CPU brings every solution to the rounding floor.
    pub finish: bool,
}

impl Wish {
    fn options(&self) -> Options {
        Options { tolerance: self.tolerance.unwrap_or(Options::default().tolerance), finish: self.finish }
    }

    fn cpu(&self) -> Box<dyn Engine> {
        Box::new(CpuEngine { options: self.options() })
    }

    #[cfg(feature = "gpu")]
    fn gpu(&self, allow_software: bool, say: &mut dyn FnMut(&Text)) -> Result<Box<dyn Engine>> {
        let engine = super::gpu::GpuEngine::open(super::gpu::Options {
            select: self.device.clone(),
            allow_software,
            memory: self.memory,
            tolerance: self.tolerance,
            finish: self.finish,
            precision: self.precision.unwrap_or_default(),
            ..super::gpu::Options::default()
        })?;
        engine.notices().iter().for_each(say);
        Ok(Box::new(engine))
    }

    /// What would let a card that is here be used.
    #[cfg(feature = "gpu")]
    fn mends() -> Vec<String> {
        super::gpu::missing(&super::gpu::adapters()).into_iter().map(|missing| missing.mend).collect()
    }

    #[cfg(not(feature = "gpu"))]
    fn mends() -> Vec<String> {
        Vec::new()
    }

    #[cfg(not(feature = "gpu"))]
    #[expect(clippy::unused_self, reason = "the engine that is there needs it")]
    fn gpu(&self, _: bool, _: &mut dyn FnMut(&Text)) -> Result<Box<dyn Engine>> {
        Err(Error::device("this build has no GPU engine")
            .hint(format!("build it with the feature `gpu`, or use {}", option("engine").word("cpu"))))
    }
}

/// Chooses the engine for about `work` floating-point operations ([`work`]); `say` hears of one that is not the
/// CPU, and why a job that would pay does not have it.
///
/// # Errors
/// A GPU was asked for and there is none; wishes that contradict each other.
pub fn choose(wish: &Wish, work: f64, say: &mut dyn FnMut(&Text)) -> Result<Box<dyn Engine>> {
    let precision = wish.precision.unwrap_or_default();
    let fits_gpu = precision == Precision::Double || wish.tolerance.is_none_or(|t| t >= ACCEPTANCE);
    let cpu = option("engine").word("cpu");
    match wish.engine {
        Choice::Cpu => {
            if wish.device.is_some() {
                return Err(Error::usage(format!("{} names a GPU, but {cpu} was given", option("device")))
                    .hint("leave one of the two out"));
            }
            if wish.precision == Some(Precision::Single) {
                let single = option("precision").word(Precision::Single);
                return Err(Error::usage(format!("{single} is for a GPU, but {cpu} was given"))
                    .hint("leave one of the two out: the CPU computes in f64"));
            }
            Ok(wish.cpu())
        }
        Choice::Gpu => {
            if !fits_gpu {
                let double = option("precision").word(Precision::Double);
                say(&format!(
                    "single precision promises {ACCEPTANCE:.0e}: what stays above the tolerance is solved again on the \
                     CPU; {double} may reach it on the GPU"
                )
                .into());
            }
            wish.gpu(true, say)
        }
        Choice::Auto => {
            if !fits_gpu {
                say(&"engine: cpu (the tolerance is beyond the GPU's single precision)".into());
                return Ok(wish.cpu());
            }
            if wish.device.is_some() {
                return wish.gpu(true, say);
            }
            if work < GPU_PAYS {
                return Ok(wish.cpu());
            }
            match wish.gpu(false, say) {
                Ok(engine) => {
                    let name = engine.info().adapter.unwrap_or_default();
                    say(&format!("engine: gpu ({name})").into());
                    Ok(engine)
                }
                Err(error) => {
                    say(&format!("engine: cpu ({})", error.message.nested()).into());
                    for mend in Wish::mends() {
                        say(&format!("to use the GPU: {mend}").into());
                    }
                    Ok(wish.cpu())
                }
            }
        }
    }
}

/// Estimated operations of a batch.
pub fn work(problems: u64, rows: usize, assets: usize) -> f64 {
    let (n, rows) = (assets as f64, rows as f64);
    problems as f64 * (rows * n * n + 20.0 * n * n)
}
