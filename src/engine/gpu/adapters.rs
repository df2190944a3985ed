//! The adapters that the system lists, and which of them is opened.

use super::facts::{AdapterFacts, AdapterLimits};
use super::options::Options;
use crate::error::{Error, Mention, Result, option};

/// An adapter to open.
pub struct Found {
    pub adapter: wgpu::Adapter,
    pub facts: AdapterFacts,
}

/// The adapter that the options ask for.
///
/// # Errors
/// There is none.
pub fn find(options: &Options) -> Result<Found> {
    let instance = instance();
    let mut listed = enumerate(&instance);
    let described: Vec<_> = listed.iter().enumerate().map(|(index, adapter)| facts(index, adapter)).collect();
    let index = choose(&described, options)?;
    Ok(Found { adapter: listed.swap_remove(index), facts: described[index].clone() })
}

fn instance() -> wgpu::Instance {
    // Honours WGPU_BACKEND, WGPU_VALIDATION and their like.
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle_from_env();
    if std::env::var_os("WGPU_BACKEND").is_none() {
        descriptor.backends = wgpu::Backends::PRIMARY;
    }
    wgpu::Instance::new(descriptor)
}

fn enumerate(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

/// Every adapter that the system lists.
pub fn adapters() -> Vec<AdapterFacts> {
    enumerate(&instance()).iter().enumerate().map(|(index, adapter)| facts(index, adapter)).collect()
}

fn facts(index: usize, adapter: &wgpu::Adapter) -> AdapterFacts {
    let (info, limits, features) = (adapter.get_info(), adapter.limits(), adapter.features());
    let subgroups = features.contains(wgpu::Features::SUBGROUP);
    AdapterFacts {
        index,
        name: info.name,
        backend: info.backend.to_str().to_owned(),
        device_type: match info.device_type {
            wgpu::DeviceType::DiscreteGpu => "discrete",
            wgpu::DeviceType::IntegratedGpu => "integrated",
            wgpu::DeviceType::VirtualGpu => "virtual",
            wgpu::DeviceType::Cpu => "cpu",
            wgpu::DeviceType::Other => "other",
        },
        software: info.device_type == wgpu::DeviceType::Cpu,
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        pci_bus_id: Some(info.device_pci_bus_id).filter(|id| !id.is_empty()),
        subgroup_sizes: subgroups.then_some([info.subgroup_min_size, info.subgroup_max_size]),
        double_precision: features.contains(wgpu::Features::SHADER_F64),
        wide_integers: features.contains(wgpu::Features::SHADER_INT64),
        timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
        limits: AdapterLimits {
            buffer_bytes: limits.max_buffer_size,
            binding_bytes: limits.max_storage_buffer_binding_size,
            workgroup_memory_bytes: limits.max_compute_workgroup_storage_size,
            lanes_per_workgroup: limits.max_compute_invocations_per_workgroup,
            workgroups_per_dimension: limits.max_compute_workgroups_per_dimension,
            storage_buffers: limits.max_storage_buffers_per_shader_stage,
        },
    }
}

/// Which of the adapters to open: the one asked for by index, PCI bus id or part of its name, else the fastest kind.
fn choose(listed: &[AdapterFacts], options: &Options) -> Result<usize> {
    let Some(wanted) = options.select.as_deref() else {
        let rank = |a: &AdapterFacts| match a.device_type {
            "discrete" => 0,
            "integrated" => 1,
            "cpu" => 3,
            _ => 2,
        };
        let usable = listed.iter().filter(|a| options.allow_software || !a.software);
        return usable.min_by_key(|a| (rank(a), a.index)).map(|a| a.index).ok_or_else(|| match listed {
            [] => Error::device("no graphics adapter with Vulkan, Metal or DirectX 12 was found").hint(no_adapter()),
            _ => Error::device("only software adapters were found").hint(format!(
                "name one with {}, or use {}",
                option("device"),
                cpu()
            )),
        });
    };
    let lower = wanted.to_lowercase();
    let by_index = || wanted.parse().ok().filter(|&index: &usize| index < listed.len());
    let by_bus = || {
        let matches = |id: &str| id.to_lowercase() == lower || id.to_lowercase().ends_with(&format!(":{lower}"));
        listed.iter().find(|a| a.pci_bus_id.as_deref().is_some_and(matches)).map(|a| a.index)
    };
    let by_name = || {
        let exact = listed.iter().find(|a| a.name.to_lowercase() == lower);
        exact.or_else(|| listed.iter().find(|a| a.name.to_lowercase().contains(&lower))).map(|a| a.index)
    };
    by_index().or_else(by_bus).or_else(by_name).ok_or_else(|| {
        let names: Vec<_> = listed.iter().map(|a| format!("{} ({})", a.index, a.name)).collect();
        let error = Error::device(format!("no adapter is called, numbered or plugged in at `{wanted}`"));
        error.hint(match names[..] {
            [] => no_adapter(),
            _ => format!("there are: {}", names.join(", ")),
        })
    })
}

fn no_adapter() -> String {
    format!("install a driver (the Debian package mesa-vulkan-drivers has a software one), or use {}", cpu())
}

/// The option that does without a device.
pub fn cpu() -> Mention {
    option("engine").word("cpu")
}
