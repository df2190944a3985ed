//! What can be said about a GPU engine when it is opened.

use super::faults::Faults;
use super::precision::Precision;
use super::system::System;

/// How to open a [`super::GpuEngine`].
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Name (or part of it), index or PCI bus id of the adapter. None takes what the environment variable EQUIRISK_DEVICE
    /// names, and without it the fastest kind, of NVIDIA's cards one that CUDA_VISIBLE_DEVICES leaves.
    pub select: Option<String>,
    /// Let a software adapter be picked without being named.
    pub allow_software: bool,
    /// Device memory to use, in bytes; none for 2 GiB, or 512 MiB on a software adapter.
    pub memory: Option<u64>,
    /// Largest `rc_error` that counts as converged: in single precision where it is below [`crate::engine::ACCEPTANCE`], in
    /// double precision 1e-8 unless told otherwise.
    pub tolerance: Option<f64>,
    /// What the device leaves to the CPU takes the finishing step ([`crate::methods::risk_budgeting::Options::finish`]).
    pub finish: bool,
    /// Precision of all that the device computes.
    pub precision: Precision,
    /// Take timestamps around every dispatch, for [`super::GpuEngine::stage_times`]. One job at a time.
    pub profile: bool,
    /// Tests only: pretend that bindings are no larger.
    #[doc(hidden)]
    pub binding_bytes: Option<u64>,
    /// Tests only: pretend that workgroup memory is no larger.
    #[doc(hidden)]
    pub workgroup_bytes: Option<u32>,
    /// Tests only: pretend that the adapter has no optional features, such as subgroups.
    #[doc(hidden)]
    pub plain: bool,
    /// Tests only: let wgpu check every index and loop of the kernels.
    #[doc(hidden)]
    pub checked: bool,
    /// Tests only: trouble to come.
    #[doc(hidden)]
    pub faults: Faults,
    /// Tests only: where cards and their drivers are looked up.
    #[doc(hidden)]
    pub system: Option<System>,
}
