//! What RADV, Mesa's driver for AMD cards, makes of kernels. `RADV_FORCE_FAMILY` has it compile for a card that is not
//! there: pipelines come with their statistics (VK_KHR_pipeline_executable_properties), and nothing can be run.

use std::ffi::{CStr, CString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use ash::{Device, Entry, Instance, khr, vk};
use equirisk::engine::gpu::{KernelText, kernels};

use crate::record::{Figures, Record};
use crate::translate::{Binding, Translated};

/// Families of cards, as RADV calls them in small letters: RDNA 2, GCN 5, RDNA 3.
pub const FAMILIES: [&str; 3] = ["gfx1100", "navi21", "vega10"];

/// Where drivers are listed.
const FOLDERS: [&str; 4] =
    ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d", "/usr/local/etc/vulkan/icd.d"];

/// Compiles every kernel for one family, in a process of its own: drivers read their environment once.
pub fn begin(family: &str) -> Result<Child, String> {
    let driver = driver()?;
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Command::new(program)
        .args(["radv", family])
        .env("RADV_FORCE_FAMILY", family.to_uppercase())
        .env("VK_ICD_FILENAMES", &driver)
        .env("VK_DRIVER_FILES", &driver)
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())
}

/// The file that tells the Vulkan loader of RADV.
fn driver() -> Result<PathBuf, String> {
    let listed = FOLDERS.iter().filter_map(|folder| Path::new(folder).read_dir().ok()).flatten().flatten();
    let radv = listed.map(|entry| entry.path()).find(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("radeon_icd") && name.ends_with(".json")
    });
    radv.ok_or_else(|| "RADV is not installed (Debian and Ubuntu: mesa-vulkan-drivers libvulkan1)".to_owned())
}

/// Every kernel, compiled for the family that the environment names.
pub fn compile(family: &str) -> Result<Record, String> {
    let driver = Driver::open()?;
    let mut record = Record::default();
    record.compilers.insert(family.to_owned(), driver.compiler.clone());
    for kernel in kernels() {
        let figures = driver.figures(&kernel).map_err(|error| format!("{}: {error}", kernel.name))?;
        record.kernels.entry(kernel.name).or_default().insert(family.to_owned(), figures);
    }
    Ok(record)
}

struct Driver {
    // Holds the loader's library.
    _entry: Entry,
    instance: Instance,
    device: Device,
    executables: khr::pipeline_executable_properties::Device,
    /// Name and version.
    compiler: String,
}

impl Driver {
    fn open() -> Result<Driver, String> {
        // SAFETY: the system's Vulkan loader, which does nothing when it is loaded; it outlives what is made from it.
        let entry = unsafe { Entry::load() }.map_err(|error| format!("no Vulkan loader: {error}"))?;
        let application = vk::ApplicationInfo::default().api_version(vk::API_VERSION_1_3);
        // SAFETY: the structure lives through the call.
        let instance =
            unsafe { entry.create_instance(&vk::InstanceCreateInfo::default().application_info(&application), None) };
        let instance = instance.map_err(|error| format!("no Vulkan instance: {error}"))?;
        // SAFETY: the instance was made above.
        let cards = unsafe { instance.enumerate_physical_devices() }.map_err(|error| error.to_string())?;
        let &card = cards.first().ok_or("RADV does not know this family")?;

        let mut about = vk::PhysicalDeviceDriverProperties::default();
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut about);
        // SAFETY: the card is the instance's, and every structure of the chain lives through the call.
        unsafe { instance.get_physical_device_properties2(card, &mut properties) };
        let text = |name: Result<&CStr, _>| name.map_or_else(|_| "?".to_owned(), |n| n.to_string_lossy().into_owned());
        let compiler = format!("{} {}", text(about.driver_name_as_c_str()), text(about.driver_info_as_c_str()));

        // Everything that the card has, robust access to buffers included, which wgpu asks for too.
        let mut executables = vk::PhysicalDevicePipelineExecutablePropertiesFeaturesKHR::default();
        let mut newer = vk::PhysicalDeviceVulkan13Features::default();
        let mut new = vk::PhysicalDeviceVulkan12Features::default();
        let mut features = vk::PhysicalDeviceFeatures2::default()
            .push_next(&mut executables)
            .push_next(&mut newer)
            .push_next(&mut new);
        // SAFETY: as above.
        unsafe { instance.get_physical_device_features2(card, &mut features) };
        let queues = [vk::DeviceQueueCreateInfo::default().queue_family_index(0).queue_priorities(&[1.0])];
        let extensions = [khr::pipeline_executable_properties::NAME.as_ptr()];
        let wanted = vk::DeviceCreateInfo::default()
            .queue_create_infos(&queues)
            .enabled_extension_names(&extensions)
            .push_next(&mut features);
        // SAFETY: the features are those that the card has, and every structure lives through the call.
        let device = unsafe { instance.create_device(card, &wanted, None) }.map_err(|error| error.to_string())?;
        let executables = khr::pipeline_executable_properties::Device::new(&instance, &device);
        Ok(Driver { _entry: entry, instance, device, executables, compiler })
    }

    fn figures(&self, kernel: &KernelText) -> Result<Figures, String> {
        let translated = Translated::new(kernel)?;
        let (words, bindings) = (translated.spirv()?, translated.bindings());
        let entry = CString::new(kernel.entry).map_err(|error| error.to_string())?;
        let bindings: Vec<_> = bindings.iter().map(|&(number, kind)| layout_of(number, kind)).collect();
        // SAFETY: every structure lives through the call that takes it, every handle was made by this device and is
        // destroyed once, the SPIR-V is what naga writes of a validated module, and the layout has its bindings.
        let pipeline = unsafe {
            let sets = vk::DescriptorSetLayoutCreateInfo::default().bindings(&bindings);
            let set = self.device.create_descriptor_set_layout(&sets, None).map_err(|error| error.to_string())?;
            let sets = [set];
            let layouts = vk::PipelineLayoutCreateInfo::default().set_layouts(&sets);
            let layout = self.device.create_pipeline_layout(&layouts, None).map_err(|error| error.to_string())?;
            let modules = vk::ShaderModuleCreateInfo::default().code(&words);
            let module = self.device.create_shader_module(&modules, None).map_err(|error| error.to_string())?;
            // As wgpu does for devices with subgroups.
            let stage = vk::PipelineShaderStageCreateInfo::default()
                .flags(vk::PipelineShaderStageCreateFlags::ALLOW_VARYING_SUBGROUP_SIZE)
                .stage(vk::ShaderStageFlags::COMPUTE)
                .module(module)
                .name(&entry);
            let wanted = vk::ComputePipelineCreateInfo::default()
                .flags(vk::PipelineCreateFlags::CAPTURE_STATISTICS_KHR)
                .stage(stage)
                .layout(layout);
            let made = self.device.create_compute_pipelines(vk::PipelineCache::null(), &[wanted], None);
            self.device.destroy_shader_module(module, None);
            self.device.destroy_pipeline_layout(layout, None);
            self.device.destroy_descriptor_set_layout(set, None);
            made.map_err(|(_, error)| error.to_string())?[0]
        };
        let figures = self.statistics(pipeline);
        // SAFETY: made above, and used no more.
        unsafe { self.device.destroy_pipeline(pipeline, None) };
        figures
    }

    fn statistics(&self, pipeline: vk::Pipeline) -> Result<Figures, String> {
        // A compute pipeline is one executable.
        let executable = vk::PipelineExecutableInfoKHR::default().pipeline(pipeline).executable_index(0);
        // SAFETY: the pipeline is this device's, and was made to keep its statistics.
        let statistics = unsafe { self.executables.get_pipeline_executable_statistics(&executable) };
        let statistics = statistics.map_err(|error| error.to_string())?;
        let find = |name: &str| {
            let named = |s: &&vk::PipelineExecutableStatisticKHR| {
                s.name_as_c_str().is_ok_and(|n| n.to_bytes() == name.as_bytes())
            };
            let found = statistics.iter().find(named).ok_or_else(|| format!("this driver tells no `{name}`"))?;
            match found.format {
                // SAFETY: the format says which of the union's fields was written.
                vk::PipelineExecutableStatisticFormatKHR::UINT64 => Ok(unsafe { found.value.u64 }),
                format => Err(format!("`{name}` is no count: {format:?}")),
            }
        };
        Ok(Figures {
            registers: find("VGPRs")?,
            spills: find("Spilled VGPRs")?,
            scratch: find("Scratch size")?,
            memory: find("LDS size")?,
            code: find("Code size")?,
            waves: find("Subgroups per SIMD")?,
        })
    }
}

fn layout_of(number: u32, kind: Binding) -> vk::DescriptorSetLayoutBinding<'static> {
    let kind = match kind {
        Binding::Uniform => vk::DescriptorType::UNIFORM_BUFFER,
        Binding::Storage => vk::DescriptorType::STORAGE_BUFFER,
    };
    vk::DescriptorSetLayoutBinding::default()
        .binding(number)
        .descriptor_type(kind)
        .descriptor_count(1)
        .stage_flags(vk::ShaderStageFlags::COMPUTE)
}

impl Drop for Driver {
    fn drop(&mut self) {
        // SAFETY: everything made from the device is destroyed where it was made.
        unsafe {
            self.device.destroy_device(None);
            self.instance.destroy_instance(None);
        }
    }
}
