//! Kernels as wgpu hands them to a driver: SPIR-V without run-time checks, workgroup memory not zeroed first (`Device` of
//! the GPU engine asks for both). The options are those of wgpu-hal 30, `vulkan/adapter.rs` and `vulkan/device.rs`.

use equirisk::engine::gpu::KernelText;
use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{AddressSpace, Module, ShaderStage};

pub const UNCHECKED: BoundsCheckPolicies = BoundsCheckPolicies {
    index: BoundsCheckPolicy::Unchecked,
    buffer: BoundsCheckPolicy::Unchecked,
    image_load: BoundsCheckPolicy::Unchecked,
    binding_array: BoundsCheckPolicy::Unchecked,
};

/// How a buffer is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Binding {
    Uniform,
    Storage,
}

/// A kernel, parsed and validated.
pub struct Translated {
    pub module: Module,
    pub info: ModuleInfo,
    /// Which of the module's entry points it is.
    pub entry: usize,
}

impl Translated {
    pub fn new(kernel: &KernelText) -> Result<Translated, String> {
        let failed = |error: String| format!("{}: {error}", kernel.name);
        let module =
            naga::front::wgsl::parse_str(&kernel.wgsl).map_err(|error| failed(error.emit_to_string(&kernel.wgsl)))?;
        let info = Validator::new(ValidationFlags::all(), Capabilities::all())
            .validate(&module)
            .map_err(|error| failed(error.emit_to_string(&kernel.wgsl)))?;
        let named = |entry: &naga::EntryPoint| entry.name == kernel.entry;
        let entry = module.entry_points.iter().position(named).ok_or_else(|| failed("no entry point".to_owned()))?;
        Ok(Translated { module, info, entry })
    }

    pub fn spirv(&self) -> Result<Vec<u32>, String> {
        let options = spv::Options {
            lang_version: (1, 6),
            flags: spv::WriterFlags::LABEL_VARYINGS | spv::WriterFlags::FORCE_POINT_SIZE,
            // The bindings that the kernel names.
            fake_missing_bindings: true,
            bounds_check_policies: UNCHECKED,
            zero_initialize_workgroup_memory: spv::ZeroInitializeWorkgroupMemoryMode::None,
            force_loop_bounding: false,
            ray_query_initialization_tracking: false,
            task_dispatch_limits: None,
            mesh_shader_primitive_indices_clamp: false,
            emit_int_div_checks: false,
            use_storage_input_output_16: false,
            ..spv::Options::default()
        };
        let pipeline = spv::PipelineOptions {
            shader_stage: ShaderStage::Compute,
            entry_point: self.module.entry_points[self.entry].name.clone(),
        };
        spv::write_vec(&self.module, &self.info, &options, Some(&pipeline)).map_err(|error| error.to_string())
    }

    /// The buffers that the entry point uses, by number.
    pub fn bindings(&self) -> Vec<(u32, Binding)> {
        let used = self.info.get_entry_point(self.entry);
        let variables = self.module.global_variables.iter().filter(|(handle, _)| !used[*handle].is_empty());
        let bound = variables.filter_map(|(_, variable)| {
            let kind = if variable.space == AddressSpace::Uniform { Binding::Uniform } else { Binding::Storage };
            Some((variable.binding?.binding, kind))
        });
        bound.collect()
    }
}
