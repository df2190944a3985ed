//! The adapters that the system lists, and which of them is opened.

use super::facts::{AdapterFacts, AdapterLimits};
use super::missing::{Missing, missing};
use super::options::Options;
use super::pci::Pci;
use super::system::System;
use super::visible::{NVIDIA, VISIBLE, Visible, visible};
use crate::error::{Error, Mention, Result, Text, option};

/// Names the adapter where no option does.
const DEVICE: &str = "EQUIRISK_DEVICE";

/// An adapter to open.
pub struct Found {
    pub adapter: wgpu::Adapter,
    pub facts: AdapterFacts,
    /// What the user should know of the choice.
    pub notices: Vec<Text>,
}

/// The adapter that the options ask for, or the environment.
///
/// # Errors
/// There is none.
pub fn find(options: &Options) -> Result<Found> {
    let mut listed = enumerate(&instance());
    let described: Vec<_> = listed.iter().enumerate().map(|(index, adapter)| facts(index, adapter)).collect();
    let Chosen { index, notices } = choice(&described, options)?;
    Ok(Found { adapter: listed.swap_remove(index), facts: described[index].clone(), notices })
}

/// Which of the adapters a [`super::GpuEngine`] of these options opens.
#[derive(Debug, Clone)]
pub struct Chosen {
    pub index: usize,
    /// What the user should know of the choice.
    pub notices: Vec<Text>,
}

/// Chooses as [`super::GpuEngine::open`] does: what the options select, else what EQUIRISK_DEVICE names, else of what
/// CUDA_VISIBLE_DEVICES leaves the fastest kind.
///
/// # Errors
/// There is no such adapter.
pub fn choice(listed: &[AdapterFacts], options: &Options) -> Result<Chosen> {
    choose(listed, options, &options.system.clone().unwrap_or_else(System::here))
}

/// What keeps the cards of this machine from being among the adapters listed.
pub fn missing_here(listed: &[AdapterFacts]) -> Vec<Missing> {
    missing(&System::here(), listed)
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
        vendor: info.vendor,
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

fn choose(listed: &[AdapterFacts], options: &Options, system: &System) -> Result<Chosen> {
    let visible = visible(system, listed);
    if let Some(wanted) = options.select.as_deref() {
        return named(listed, wanted, "", &visible, system);
    }
    match system.variable(DEVICE).map(str::trim).filter(|wanted| !wanted.is_empty()) {
        Some(wanted) => named(listed, wanted, " (EQUIRISK_DEVICE)", &visible, system),
        None => fastest(listed, options.allow_software, &visible, system),
    }
}

/// The adapter of this index, PCI bus id or name, or of which this is part of the name. A name that several have means the
/// first of them that is visible.
fn named(listed: &[AdapterFacts], wanted: &str, source: &str, visible: &Visible, system: &System) -> Result<Chosen> {
    let lower = wanted.trim().to_lowercase();
    let by_index = || lower.parse().ok().filter(|&index: &usize| index < listed.len());
    let by_place = || {
        let place = Pci::parse(&lower)?;
        listed.iter().find(|a| a.place().is_some_and(|listed| listed.agrees(&place))).map(|a| a.index)
    };
    let by_name = || {
        let first = |fits: &dyn Fn(&str) -> bool| {
            let named = listed.iter().filter(|a| fits(&a.name.to_lowercase()));
            named.min_by_key(|a| (turn(a, visible).unwrap_or(usize::MAX), a.index)).map(|a| a.index)
        };
        let part = || first(&|name| !lower.is_empty() && name.contains(&lower));
        first(&|name| name == lower).or_else(part)
    };
    let found = by_index().or_else(by_place).or_else(by_name);
    found.map(|index| Chosen { index, notices: Vec::new() }).ok_or_else(|| {
        let error = Error::device(format!("no adapter matches `{wanted}`{source} by name, index or PCI bus id"));
        let listed: Vec<_> = listed.iter().map(brief).collect();
        error.hint(match listed[..] {
            [] => no_adapter(&missing(system, &[])),
            _ => format!("there are: {}", listed.join(", ")),
        })
    })
}

/// As a choice between several is offered.
fn brief(adapter: &AdapterFacts) -> String {
    let place = adapter.pci_bus_id.as_ref().map(|id| format!(" at {id}")).unwrap_or_default();
    format!("{} ({}, {}{place})", adapter.index, adapter.name, adapter.backend)
}

/// The first of the fastest kind.
fn fastest(listed: &[AdapterFacts], allow_software: bool, visible: &Visible, system: &System) -> Result<Chosen> {
    let rank = |a: &AdapterFacts| match a.device_type {
        "discrete" => 0,
        "integrated" => 1,
        "cpu" => 3,
        _ => 2,
    };
    let usable = listed.iter().filter(|a| allow_software || !a.software);
    let turns = usable.filter_map(|a| Some(((rank(a), turn(a, visible)?, a.index), a)));
    let hides = || listed.iter().any(|a| turn(a, visible).is_none());
    let entries = system.variable(VISIBLE).unwrap_or_default();
    let Some((_, chosen)) = turns.min_by_key(|&(key, _)| key) else {
        let software = listed.iter().any(|a| a.software);
        let missing = missing(system, listed);
        return Err(match listed {
            _ if hides() => Error::device(format!("{VISIBLE}={entries} leaves no NVIDIA adapter")).hint(format!(
                "change it, name the adapter with {} or {DEVICE}, or use {}",
                option("device"),
                cpu()
            )),
            _ if software => Error::device(format!("only software adapters were found{}", reasons(&missing)))
                .hint(format!("{}name one with {}, or use {}", mends(&missing), option("device"), cpu())),
            _ if missing.is_empty() => {
                Error::device("no graphics adapter with Vulkan or Metal was found").hint(no_adapter(&missing))
            }
            _ => {
                Error::device(format!("no graphics adapter was found{}", reasons(&missing))).hint(no_adapter(&missing))
            }
        });
    };
    let mut notices: Vec<Text> = Vec::new();
    if let Visible::Unclear(reason) = visible
        && chosen.vendor == NVIDIA
        && listed.iter().any(|a| a.vendor == NVIDIA && (a.place(), &a.name) != (chosen.place(), &chosen.name))
    {
        let place = chosen.pci_bus_id.as_ref().map(|id| format!(" at {id}")).unwrap_or_default();
        notices.push(
            format!(
                "{VISIBLE}={entries} could not be matched to a card ({reason}): `{}`{place} is used; choose another with \
                 {} or {DEVICE}=PCI",
                chosen.name,
                option("device").plain("PCI")
            )
            .into(),
        );
    }
    if chosen.vendor != NVIDIA && hides() {
        notices.push(format!("{VISIBLE}={entries} leaves no NVIDIA adapter: `{}` is used", chosen.name).into());
    }
    if chosen.software {
        for Missing { what, mend } in missing(system, listed) {
            notices.push(
                format!("`{}` is software, not a graphics card: {what}; to use the card: {mend}", chosen.name).into(),
            );
        }
    }
    Ok(Chosen { index: chosen.index, notices })
}

/// When its turn comes among adapters of one kind; none where CUDA_VISIBLE_DEVICES hides it.
fn turn(adapter: &AdapterFacts, visible: &Visible) -> Option<usize> {
    match visible {
        Visible::Only(places) if adapter.vendor == NVIDIA => match adapter.place() {
            Some(place) => places.iter().position(|visible| visible.agrees(&place)),
            // There is no other, or it would be unclear.
            None => (!places.is_empty()).then_some(0),
        },
        _ => Some(0),
    }
}

/// What is missing, behind a colon.
fn reasons(missing: &[Missing]) -> String {
    let reasons: Vec<_> = missing.iter().map(|missing| missing.what.as_str()).collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) }
}

/// What mends it, before something else that can be done.
fn mends(missing: &[Missing]) -> String {
    missing.iter().map(|missing| format!("{}; ", missing.mend)).collect()
}

fn no_adapter(missing: &[Missing]) -> String {
    match missing {
        [] => format!("install a driver (the Debian package mesa-vulkan-drivers has a software one), or use {}", cpu()),
        _ => format!("{}or use {}", mends(missing), cpu()),
    }
}

/// The option that does without a device.
pub fn cpu() -> Mention {
    option("engine").word("cpu")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::gpu::visible::tests::plug;

    fn node() -> Vec<AdapterFacts> {
        let software = AdapterFacts {
            device_type: "cpu",
            software: true,
            vendor: 0x10005,
            ..AdapterFacts::made_up("llvmpipe", "")
        };
        let card = |place: &str| AdapterFacts::made_up("NVIDIA H200", place);
        numbered(vec![card("0000:3b:00.0"), card("0000:86:00.0"), software])
    }

    fn numbered(adapters: Vec<AdapterFacts>) -> Vec<AdapterFacts> {
        adapters.into_iter().enumerate().map(|(index, adapter)| AdapterFacts { index, ..adapter }).collect()
    }

    fn choose_with(select: Option<&str>, variables: &[(&str, &str)]) -> Result<Chosen> {
        let root = tempfile::tempdir().unwrap();
        let options = Options { select: select.map(str::to_owned), allow_software: true, ..Options::default() };
        choose(&node(), &options, &System::made_up(root.path(), variables))
    }

    fn selected(select: &str) -> Option<usize> {
        choose_with(Some(select), &[]).ok().map(|chosen| chosen.index)
    }

    #[test]
    fn a_card_is_found_by_its_pci_id_as_nvidia_smi_and_others_write_it() {
        for id in ["00000000:86:00.0", "0000:86:00.0", "86:00.0", "86:00", "00000000:86:00.0 "] {
            assert_eq!(selected(id), Some(1), "{id}");
        }
        assert_eq!(selected("00000000:3B:00.0"), Some(0));
        for id in ["00000001:86:00.0", "86:00.1", "6:00.0", ""] {
            assert_eq!(selected(id), None, "{id}");
        }
    }

    #[test]
    fn the_environment_names_a_device_and_an_option_another() {
        let by = |select, variables| choose_with(select, variables).unwrap().index;
        assert_eq!(by(None, &[(DEVICE, "00000000:86:00.0")]), 1);
        assert_eq!(by(None, &[(DEVICE, "llvmpipe")]), 2);
        assert_eq!(by(None, &[(DEVICE, " ")]), 0);
        assert_eq!(by(Some("0"), &[(DEVICE, "1")]), 0);
        let error = choose_with(None, &[(DEVICE, "2f:00.0")]).unwrap_err();
        assert_eq!(error.message, "no adapter matches `2f:00.0` (EQUIRISK_DEVICE) by name, index or PCI bus id");
        let hint = "there are: 0 (NVIDIA H200, vulkan at 0000:3b:00.0), 1 (NVIDIA H200, vulkan at 0000:86:00.0), 2 (llvmpipe, vulkan)";
        assert_eq!(error.hint.unwrap(), hint);
    }

    #[test]
    fn two_jobs_on_a_node_take_the_cards_they_were_given() {
        let by = |select, variables| choose_with(select, variables).unwrap().index;
        assert_eq!(by(None, &[(VISIBLE, "0")]), 0);
        assert_eq!(by(None, &[(VISIBLE, "1")]), 1);
        assert_eq!(by(None, &[(VISIBLE, "1,0")]), 1);
        // A name means a visible card, a place or number that very one.
        assert_eq!(by(Some("h200"), &[(VISIBLE, "1")]), 1);
        assert_eq!(by(Some("3b:00.0"), &[(VISIBLE, "1")]), 0);
        assert_eq!(by(None, &[(VISIBLE, "1"), (DEVICE, "0")]), 0);
    }

    #[test]
    fn where_no_card_is_visible_it_is_said_which_adapter_is_used() {
        for entries in ["", "-1", "NoDevFiles"] {
            let chosen = choose_with(None, &[(VISIBLE, entries)]).unwrap();
            assert_eq!(chosen.index, 2);
            let notice = format!("CUDA_VISIBLE_DEVICES={entries} leaves no NVIDIA adapter: `llvmpipe` is used");
            assert_eq!(chosen.notices, [notice]);
        }
        let root = tempfile::tempdir().unwrap();
        let error =
            choose(&node(), &Options::default(), &System::made_up(root.path(), &[(VISIBLE, "-1")])).unwrap_err();
        assert_eq!(error.message, "CUDA_VISIBLE_DEVICES=-1 leaves no NVIDIA adapter");
        assert!(error.hint.unwrap().contains("EQUIRISK_DEVICE"));
        // Other makers' cards are none of CUDA's.
        let amd = AdapterFacts { vendor: 0x1002, ..AdapterFacts::made_up("AMD Radeon", "0000:03:00.0") };
        let chosen = choose(&[amd], &Options::default(), &System::made_up(root.path(), &[(VISIBLE, "-1")])).unwrap();
        assert!(chosen.notices.is_empty());
    }

    #[test]
    fn what_cannot_be_matched_to_a_card_is_said() {
        let chosen = choose_with(None, &[(VISIBLE, "GPU-8932f937")]).unwrap();
        let notice = "CUDA_VISIBLE_DEVICES=GPU-8932f937 could not be matched to a card (no card in /proc/driver/nvidia/gpus \
                      has that UUID): `NVIDIA H200` at 0000:3b:00.0 is used; choose another with `device=PCI` or \
                      EQUIRISK_DEVICE=PCI";
        assert!(chosen.index == 0 && chosen.notices == [notice], "{:?}", chosen.notices);
        let root = tempfile::tempdir().unwrap();
        plug(root.path(), 0, "0000:3b:00.0", "NVIDIA H200", "GPU-11111111-2222-3333-4444-555555555555");
        plug(root.path(), 1, "0000:86:00.0", "NVIDIA H200", "GPU-8932f937-d72c-4106-c12f-20bd9faed9f6");
        let system = System::made_up(root.path(), &[(VISIBLE, "GPU-8932f937")]);
        let chosen = choose(&node(), &Options::default(), &system).unwrap();
        assert_eq!((chosen.index, chosen.notices), (1, vec![]));
        // Of a single card there is nothing to say, however it is listed.
        let twice = numbered(vec![
            AdapterFacts::made_up("NVIDIA RTX 4090", "0000:01:00.0"),
            AdapterFacts { backend: "gl".to_owned(), ..AdapterFacts::made_up("NVIDIA RTX 4090", "0000:01:00.0") },
        ]);
        let chosen = choose(&twice, &Options::default(), &System::made_up(root.path(), &[(VISIBLE, "GPU-9")])).unwrap();
        assert_eq!((chosen.index, chosen.notices), (0, vec![]));
    }

    #[test]
    fn a_software_adapter_is_not_taken_for_the_card_beside_it() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("dev")).unwrap();
        std::fs::write(root.path().join("dev/dxg"), "").unwrap();
        let system = System::made_up(root.path(), &[]);
        let software = numbered(vec![node().remove(2)]);
        let options = Options { allow_software: true, ..Options::default() };
        let notices = choose(&software, &options, &system).unwrap().notices;
        assert!(
            notices.len() == 1 && notices[0].starts_with("`llvmpipe` is software, not a graphics card: WSL"),
            "{notices:?}"
        );
        let error = choose(&software, &Options::default(), &system).unwrap_err();
        assert!(error.message.starts_with("only software adapters were found: WSL"), "{error}");
        let error = choose(&[], &options, &system).unwrap_err();
        assert!(error.message.starts_with("no graphics adapter was found: WSL"), "{error}");
        // Whoever names it knows it.
        let options = Options { select: Some("0".to_owned()), ..Options::default() };
        assert!(choose(&software, &options, &system).unwrap().notices.is_empty());
    }
}
