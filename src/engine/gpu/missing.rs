//! Why a card is there and Vulkan lists no adapter for it, and what mends that.

use serde::Serialize;

use super::cards::{Cards, Container, Node};
use super::facts::AdapterFacts;
use super::packages::{Family, Package};
use super::system::{Access, System};
use super::visible::NVIDIA;

/// Something that stands between a card and its use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub what: String,
    /// A line to run, or what to do.
    pub mend: String,
}

/// A file by which the Vulkan loader finds NVIDIA's driver: the library that needs no X11.
const EGL_DRIVER: &str =
    r#"{"file_format_version":"1.0.0","ICD":{"library_path":"libEGL_nvidia.so.0","api_version":"1.3.0"}}"#;

/// How a container gets a card with the part of the driver that holds Vulkan.
const CAPABILITIES: &str = "NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics";

/// Makers whose drivers are Mesa's.
const MESA: [Maker; 2] = [
    Maker { vendor: 0x1002, name: "AMD", package: Package::Amd, libraries: &["radeon", "amdvlk", "amdgpu"] },
    Maker { vendor: 0x8086, name: "Intel", package: Package::Intel, libraries: &["intel"] },
];

struct Maker {
    vendor: u32,
    name: &'static str,
    package: Package,
    /// In the names of their drivers' libraries.
    libraries: &'static [&'static str],
}

/// What keeps cards of this machine from being among the adapters listed.
pub fn missing(system: &System, listed: &[AdapterFacts]) -> Vec<Missing> {
    of(&Cards::seen(system), listed)
}

fn of(cards: &Cards, listed: &[AdapterFacts]) -> Vec<Missing> {
    let hardware: Vec<&AdapterFacts> = listed.iter().filter(|adapter| !adapter.software).collect();
    let lists = |vendor| hardware.iter().any(|adapter| adapter.vendor == vendor);
    if cards.wsl {
        let what = "WSL has no Vulkan driver of use for the card (/dev/dxg)";
        return if hardware.is_empty() { vec![found(what, "run equirisk under Windows")] } else { Vec::new() };
    }
    let mut all = Vec::new();
    let of_nvidia = cards.render.iter().any(|&(_, vendor)| vendor == NVIDIA);
    if !lists(NVIDIA) && (of_nvidia || !cards.nvidia.is_empty() || cards.nvidia_version.is_some()) {
        all.extend(of_nvidias(cards));
    }
    for maker in &MESA {
        let of_maker = cards.render.iter().filter(|&&(_, vendor)| vendor == maker.vendor);
        let nodes: Vec<&Node> = of_maker.map(|(node, _)| node).collect();
        if !lists(maker.vendor) && !nodes.is_empty() {
            all.extend(of_mesas(cards, maker, &nodes));
        }
    }
    // One loader serves all.
    all.dedup();
    all
}

fn found(what: impl Into<String>, mend: impl Into<String>) -> Missing {
    Missing { what: what.into(), mend: mend.into() }
}

/// Of a card of NVIDIA's.
fn of_nvidias(cards: &Cards) -> Vec<Missing> {
    let libraries = cards.libraries;
    if let Some(first) = node(cards) {
        return vec![first];
    }
    if cards.slice {
        return vec![found("CUDA_VISIBLE_DEVICES names a MIG slice, which Vulkan cannot use", "ask for a whole card")];
    }
    if cards.family == Family::Alpine {
        return vec![found(
            "NVIDIA's driver needs glibc, and this system has musl",
            "use an image of Debian or Ubuntu",
        )];
    }
    let mut all = Vec::from_iter(loader(cards));
    if !libraries.glx && !libraries.egl {
        all.push(libraries_missing(cards));
    } else {
        all.extend(driver_file(cards));
    }
    if all.is_empty() {
        all.push(unlisted("NVIDIA"));
    }
    all
}

/// What is wrong with the device files of NVIDIA's cards, if anything.
fn node(cards: &Cards) -> Option<Missing> {
    let Some(node) = cards.nvidia.first() else {
        return Some(match (&cards.nvidia_version, cards.container) {
            (Some(_), Some(container)) => found("this container was given no NVIDIA card", start(container)),
            (Some(version), None) => {
                let what = format!("there is no /dev/nvidia0, although NVIDIA's driver {version} is loaded");
                found(what, "sudo nvidia-modprobe -c 0")
            }
            (None, container) => found(
                "NVIDIA's kernel driver is not loaded",
                match (container, cards.family) {
                    (Some(_), _) => "install NVIDIA's driver on the host",
                    (None, Family::Debian) => "sudo apt-get install nvidia-driver",
                    (None, Family::Ubuntu) => "sudo ubuntu-drivers install",
                    (None, _) => "install NVIDIA's driver",
                },
            ),
        });
    };
    if cards.nvidia.iter().any(|node| node.access == Access::Open) {
        return None;
    }
    let path = &node.path;
    Some(match (node.access, cards.container) {
        (Access::Denied, _) => denied(path),
        (Access::Forbidden, Some(container)) => found(format!("this container may not use {path}"), start(container)),
        (Access::Forbidden, None) => {
            found(format!("this job may not use {path}"), "ask the scheduler for a card (Slurm: --gres=gpu:1)")
        }
        _ => found(format!("{path} does not answer"), "nvidia-smi; sudo dmesg | grep NVRM"),
    })
}

fn denied(path: &str) -> Missing {
    let mend = format!("sudo usermod -aG \"$(stat -c %G {path})\" \"$USER\" (then log in again)");
    found(format!("permission denied: {path}"), mend)
}

/// How a container gets a card of NVIDIA's.
fn start(container: Container) -> String {
    match container {
        Container::Docker => format!("docker run --gpus all -e {CAPABILITIES} IMAGE"),
        Container::Kubernetes => {
            let value = CAPABILITIES.split_once('=').map_or("", |(_, value)| value);
            format!(
                "in the pod's container: resources: {{limits: {{nvidia.com/gpu: 1}}}}, env: [{{name: \
                 NVIDIA_DRIVER_CAPABILITIES, value: \"{value}\"}}]"
            )
        }
        Container::Apptainer => "apptainer exec --nv IMAGE".to_owned(),
    }
}

fn loader(cards: &Cards) -> Option<Missing> {
    let mend = || cards.family.install(Package::Loader, cards.container.is_some());
    (!cards.libraries.loader).then(|| found("the Vulkan loader is not installed (libvulkan.so.1)", mend()))
}

/// Neither of NVIDIA's libraries for Vulkan is there.
fn libraries_missing(cards: &Cards) -> Missing {
    let version = cards.nvidia_version.as_deref().unwrap_or_default();
    let major = version.split('.').next().unwrap_or(version);
    let asked = cards.capabilities.as_deref().unwrap_or_default();
    let lent = asked.split(',').any(|part| ["graphics", "all"].contains(&part.trim()));
    let Some(container) = cards.container else {
        let mend = match (cards.family, &cards.branch) {
            (Family::Debian, _) => "sudo apt-get install nvidia-vulkan-icd".to_owned(),
            (Family::Ubuntu, Some(branch)) => format!("sudo apt-get install libnvidia-gl-{branch}"),
            (Family::Ubuntu, None) if !major.is_empty() => format!("sudo apt-get install libnvidia-gl-{major}"),
            (Family::Arch, _) => "sudo pacman -S nvidia-utils".to_owned(),
            _ => format!("install the graphics libraries of NVIDIA's driver {version}").trim_end().to_owned(),
        };
        return found("NVIDIA's graphics libraries are not installed (libGLX_nvidia.so.0, libEGL_nvidia.so.0)", mend);
    };
    let what = "this container has no graphics libraries of NVIDIA's (libGLX_nvidia.so.0, libEGL_nvidia.so.0)";
    match lent {
        // It has what it asks for: the machine itself has no more.
        true => {
            found(what, format!("install the driver's graphics libraries on the host (Ubuntu: libnvidia-gl-{major})"))
        }
        false => found(what, start(container)),
    }
}

/// What is wrong with the files by which the loader finds NVIDIA's driver, if anything. One of its libraries is there.
fn driver_file(cards: &Cards) -> Option<Missing> {
    let libraries = cards.libraries;
    let library = if libraries.egl { EGL_DRIVER.to_owned() } else { EGL_DRIVER.replace("EGL", "GLX") };
    let write = || format!("echo '{library}' >/tmp/nvidia_icd.json && export VK_ICD_FILENAMES=/tmp/nvidia_icd.json");
    let drivers: Vec<_> = cards.drivers.iter().filter(|driver| driver.library.contains("_nvidia")).collect();
    let Some(first) = drivers.first() else {
        return Some(match (&cards.forced, &cards.stray) {
            (Some((name, value)), _) => forced(name, value, "NVIDIA"),
            (None, Some(stray)) => found(UNTOLD, format!("export VK_ICD_FILENAMES={stray}")),
            (None, None) => found(UNTOLD, write()),
        });
    };
    let there = |library: &str| {
        // Whoever gives a path knows it.
        library.contains('/') || if library.contains("EGL") { libraries.egl } else { libraries.glx }
    };
    if !drivers.iter().any(|driver| there(&driver.library)) {
        return Some(found(format!("{} names {}, which is not installed", first.file, first.library), write()));
    }
    if !libraries.x11 && drivers.iter().all(|driver| driver.library.contains("GLX")) {
        let what = "libGLX_nvidia.so.0 needs libX11.so.6 and libXext.so.6, which are not installed";
        let install = || cards.family.install(Package::X11, cards.container.is_some());
        return Some(found(what, if libraries.egl { write() } else { install() }));
    }
    None
}

const UNTOLD: &str = "no file tells the Vulkan loader of NVIDIA's driver";

fn forced(name: &str, value: &str, maker: &str) -> Missing {
    found(format!("{name}={value} names no driver for {maker}"), format!("unset {name}"))
}

/// All seems to be there.
fn unlisted(maker: &str) -> Missing {
    let what = format!("a driver for {maker} is installed, yet Vulkan does not list the card");
    found(what, "VK_LOADER_DEBUG=error,warn equirisk devices (says why)")
}

/// Of a card that is there as `nodes`, whose driver is Mesa's.
fn of_mesas(cards: &Cards, maker: &Maker, nodes: &[&Node]) -> Vec<Missing> {
    let Maker { vendor, name, package, libraries } = *maker;
    if let Some(node) = nodes.first().filter(|_| nodes.iter().all(|node| node.access != Access::Open)) {
        let path = &node.path;
        let lent = match cards.container {
            Some(Container::Docker) => {
                format!("docker run --device /dev/dri --group-add \"$(stat -c %g {path})\" IMAGE")
            }
            Some(Container::Kubernetes) if vendor == 0x1002 => {
                "in the pod's container: resources: {limits: {amd.com/gpu: 1}}".to_owned()
            }
            Some(Container::Kubernetes) => {
                "in the pod's container: resources: {limits: {gpu.intel.com/i915: 1}}".to_owned()
            }
            Some(Container::Apptainer) => "apptainer exec --bind /dev/dri IMAGE".to_owned(),
            None => "give this process /dev/dri".to_owned(),
        };
        return vec![match (node.access, cards.container) {
            (Access::Denied, None) => denied(path),
            (Access::Denied, Some(_)) => found(format!("permission denied: {path}"), lent),
            (Access::Forbidden, _) => found(format!("this process may not use {path}"), lent),
            _ => found(format!("there is no {path}, although the machine has a card of {name}'s"), lent),
        }];
    }
    let mut all = Vec::from_iter(loader(cards));
    if !cards.drivers.iter().any(|driver| libraries.iter().any(|part| driver.library.contains(part))) {
        all.push(match &cards.forced {
            Some((variable, value)) => forced(variable, value, name),
            None => found(
                format!("no Vulkan driver for {name} is installed"),
                cards.family.install(package, cards.container.is_some()),
            ),
        });
    }
    if all.is_empty() {
        all.push(unlisted(name));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// A machine of these files, and what is missing there where no adapter is listed.
    fn machine(files: &[(&str, &str)], variables: &[(&str, &str)]) -> Vec<(String, String)> {
        let root = tempfile::tempdir().unwrap();
        lay(root.path(), files);
        told(missing(&System::made_up(root.path(), variables), &[]))
    }

    /// Every message has a row on the page for users.
    fn told(all: Vec<Missing>) -> Vec<(String, String)> {
        for Missing { what, .. } in &all {
            assert!(PAGE.contains(&format!("`{what}`")), "docs/gpu.md says nothing of: {what}");
        }
        all.into_iter().map(|missing| (missing.what, missing.mend)).collect()
    }

    const PAGE: &str = include_str!("../../../docs/gpu.md");

    #[test]
    fn the_page_shows_the_lines_that_mend() {
        assert!(PAGE.contains(EGL_DRIVER) && PAGE.contains(CAPABILITIES));
        assert!(PAGE.contains(&start(Container::Docker)));
    }

    fn lay(root: &Path, files: &[(&str, &str)]) {
        for (path, text) in files {
            let path = root.join(&path[1..]);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    }

    fn one(what: &str, mend: &str) -> Vec<(String, String)> {
        vec![(what.to_owned(), mend.to_owned())]
    }

    const DEBIAN: (&str, &str) = ("/etc/os-release", "ID=debian\n");
    const UBUNTU: (&str, &str) = ("/etc/os-release", "ID=ubuntu\nID_LIKE=debian\n");
    const DOCKER: (&str, &str) = ("/.dockerenv", "");
    const CARD: (&str, &str) = ("/dev/nvidia0", "");
    const KERNEL: (&str, &str) = (
        "/proc/driver/nvidia/version",
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.90.07  Fri May 31 09:35:42 UTC 2024\nGCC version:  gcc 12\n",
    );
    // Where the linker of every architecture looks.
    const LOADER: (&str, &str) = ("/usr/lib/libvulkan.so.1", "");
    const GLX: (&str, &str) = ("/usr/lib/libGLX_nvidia.so.0", "");
    const EGL: (&str, &str) = ("/usr/lib/libEGL_nvidia.so.0", "");
    const X11: (&str, &str) = ("/usr/lib/libX11.so.6", "");
    const XEXT: (&str, &str) = ("/usr/lib/libXext.so.6", "");
    const GLX_FILE: (&str, &str) = (
        "/etc/vulkan/icd.d/nvidia_icd.json",
        "{\n  \"file_format_version\" : \"1.0.1\",\n  \"ICD\": {\n    \"library_path\": \"libGLX_nvidia.so.0\",\n    \
         \"api_version\" : \"1.3.277\"\n  }\n}\n",
    );
    const SOFTWARE_FILE: (&str, &str) =
        ("/usr/share/vulkan/icd.d/lvp_icd.x86_64.json", "{\"ICD\": {\"library_path\": \"libvulkan_lvp.so\"}}");
    const AMD: [(&str, &str); 2] =
        [("/dev/dri/renderD128", ""), ("/sys/class/drm/renderD128/device/vendor", "0x1002\n")];
    const GPUS: &str = "docker run --gpus all -e NVIDIA_DRIVER_CAPABILITIES=compute,utility,graphics IMAGE";
    const NO_LIBRARIES: &str =
        "this container has no graphics libraries of NVIDIA's (libGLX_nvidia.so.0, libEGL_nvidia.so.0)";
    const NO_LOADER: &str = "the Vulkan loader is not installed (libvulkan.so.1)";
    const EGL_LINE: &str = "echo '{\"file_format_version\":\"1.0.0\",\"ICD\":{\"library_path\":\"libEGL_nvidia.so.0\",\
                            \"api_version\":\"1.3.0\"}}' >/tmp/nvidia_icd.json && export \
                            VK_ICD_FILENAMES=/tmp/nvidia_icd.json";

    #[test]
    fn where_there_is_no_card_nothing_is_missing() {
        assert_eq!(machine(&[], &[]), []);
        assert_eq!(machine(&[DEBIAN, DOCKER, LOADER, SOFTWARE_FILE], &[("VK_ICD_FILENAMES", "/nonexistent")]), []);
        // A card of a server's console, and one of a virtual machine.
        let console = ("/sys/class/drm/renderD128/device/vendor", "0x1a03\n");
        assert_eq!(machine(&[DEBIAN, ("/dev/dri/renderD128", ""), console], &[]), []);
    }

    #[test]
    fn a_container_needs_the_graphics_part_of_nvidias_driver() {
        let files = [UBUNTU, DOCKER, CARD, KERNEL, LOADER];
        assert_eq!(machine(&files, &[("NVIDIA_DRIVER_CAPABILITIES", "compute,utility")]), one(NO_LIBRARIES, GPUS));
        // Most images have no loader either.
        let both = machine(&files[..4], &[]);
        assert_eq!(both[0], (NO_LOADER.to_owned(), "apt-get update && apt-get install -y libvulkan1".to_owned()));
        assert_eq!(both[1..], one(NO_LIBRARIES, GPUS));
        let pod = machine(&files, &[("KUBERNETES_SERVICE_HOST", "10.96.0.1")]);
        assert!(
            pod[0].1.contains("{name: NVIDIA_DRIVER_CAPABILITIES, value: \"compute,utility,graphics\"}"),
            "{pod:?}"
        );
        assert_eq!(machine(&files, &[("APPTAINER_NAME", "a.sif")]), one(NO_LIBRARIES, "apptainer exec --nv IMAGE"));
        let host = "install the driver's graphics libraries on the host (Ubuntu: libnvidia-gl-550)";
        assert_eq!(machine(&files, &[("NVIDIA_DRIVER_CAPABILITIES", "all")]), one(NO_LIBRARIES, host));
        // The host's driver shows through, its cards do not.
        assert_eq!(machine(&[UBUNTU, DOCKER, KERNEL], &[]), one("this container was given no NVIDIA card", GPUS));
        let alpine = ("/etc/os-release", "ID=alpine\n");
        let musl = one("NVIDIA's driver needs glibc, and this system has musl", "use an image of Debian or Ubuntu");
        assert_eq!(machine(&[alpine, DOCKER, CARD, KERNEL], &[]), musl);
    }

    #[test]
    fn a_machine_without_a_display_uses_the_library_that_needs_none() {
        let files = [UBUNTU, CARD, KERNEL, LOADER, GLX, EGL, GLX_FILE];
        let what = "libGLX_nvidia.so.0 needs libX11.so.6 and libXext.so.6, which are not installed";
        assert_eq!(machine(&files, &[]), one(what, EGL_LINE));
        let [debian, card, kernel, loader, glx, _, file] = files;
        let without_egl = machine(&[debian, card, kernel, loader, glx, file], &[]);
        assert_eq!(without_egl, one(what, "sudo apt-get install libxext6"));
        // Once that is done, it is no longer said.
        let written = ("/tmp/nvidia_icd.json", EGL_DRIVER);
        let unlisted = machine(&[&files[..], &[written]].concat(), &[("VK_ICD_FILENAMES", "/tmp/nvidia_icd.json")]);
        let why = "VK_LOADER_DEBUG=error,warn equirisk devices (says why)";
        assert_eq!(unlisted, one("a driver for NVIDIA is installed, yet Vulkan does not list the card", why));
        assert_eq!(machine(&[&files[..], &[X11, XEXT]].concat(), &[]), unlisted);
    }

    #[test]
    fn the_loader_is_told_of_the_driver_by_a_file() {
        let files = [UBUNTU, CARD, KERNEL, LOADER, GLX, EGL, X11, XEXT, SOFTWARE_FILE];
        assert_eq!(machine(&files, &[]), one(UNTOLD, EGL_LINE));
        let stray = ("/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json", GLX_FILE.1);
        let export = "export VK_ICD_FILENAMES=/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json";
        assert_eq!(machine(&[&files[..], &[stray]].concat(), &[]), one(UNTOLD, export));
        let other = [("VK_DRIVER_FILES", SOFTWARE_FILE.0)];
        let what = "VK_DRIVER_FILES=/usr/share/vulkan/icd.d/lvp_icd.x86_64.json names no driver for NVIDIA";
        assert_eq!(machine(&[&files[..], &[GLX_FILE]].concat(), &other), one(what, "unset VK_DRIVER_FILES"));
        let absent = [UBUNTU, CARD, KERNEL, LOADER, EGL, GLX_FILE];
        let what = "/etc/vulkan/icd.d/nvidia_icd.json names libGLX_nvidia.so.0, which is not installed";
        assert_eq!(machine(&absent, &[]), one(what, EGL_LINE));
    }

    #[test]
    fn packages_are_named_as_the_distribution_does() {
        let complete = [CARD, KERNEL, GLX, EGL, X11, XEXT, GLX_FILE];
        for (release, line) in [
            ("ID=debian\n", "sudo apt-get install libvulkan1"),
            ("ID=rocky\nID_LIKE=\"rhel centos fedora\"\n", "sudo dnf install vulkan-loader"),
            ("ID=arch\n", "sudo pacman -S vulkan-icd-loader"),
            ("", "install the package that holds libvulkan.so.1"),
        ] {
            assert_eq!(machine(&[&complete[..], &[("/etc/os-release", release)]].concat(), &[]), one(NO_LOADER, line));
        }
        let what = "NVIDIA's graphics libraries are not installed (libGLX_nvidia.so.0, libEGL_nvidia.so.0)";
        let bare = [CARD, KERNEL, LOADER];
        let with = |more: &[(&str, &str)]| machine(&[&bare[..], more].concat(), &[]);
        assert_eq!(with(&[DEBIAN]), one(what, "sudo apt-get install nvidia-vulkan-icd"));
        assert_eq!(with(&[UBUNTU]), one(what, "sudo apt-get install libnvidia-gl-550"));
        let server = ("/var/lib/dpkg/info/libnvidia-compute-550-server:amd64.list", "");
        assert_eq!(with(&[UBUNTU, server]), one(what, "sudo apt-get install libnvidia-gl-550-server"));
    }

    #[test]
    fn cards_of_amd_and_intel_need_mesas_driver() {
        let what = "no Vulkan driver for AMD is installed";
        let files = [DEBIAN, LOADER, SOFTWARE_FILE, AMD[0], AMD[1]];
        assert_eq!(machine(&files, &[]), one(what, "sudo apt-get install mesa-vulkan-drivers"));
        let intel = [AMD[0], ("/sys/class/drm/renderD128/device/vendor", "0x8086\n")];
        let missing = machine(&[&files[..3], &intel].concat(), &[]);
        assert_eq!(missing, one("no Vulkan driver for Intel is installed", "sudo apt-get install mesa-vulkan-drivers"));
        // One loader, said once, for two cards.
        let second = [("/dev/dri/renderD129", ""), ("/sys/class/drm/renderD129/device/vendor", "0x8086\n")];
        let radeon = ("/usr/share/vulkan/icd.d/radeon_icd.json", "{\"library_path\": \"libvulkan_radeon.so\"}");
        let anv = ("/usr/share/vulkan/icd.d/intel_icd.json", "{\"library_path\": \"libvulkan_intel.so\"}");
        let two = machine(&[&[DEBIAN, radeon, anv], &AMD[..], &second].concat(), &[]);
        assert_eq!(two, one(NO_LOADER, "sudo apt-get install libvulkan1"));
        // /sys shows a container what it was not given.
        let lent = "docker run --device /dev/dri --group-add \"$(stat -c %g /dev/dri/renderD128)\" IMAGE";
        let what = "there is no /dev/dri/renderD128, although the machine has a card of AMD's";
        assert_eq!(machine(&[DEBIAN, DOCKER, LOADER, AMD[1]], &[]), one(what, lent));
    }

    #[test]
    fn permission_is_named_with_the_group_that_has_it() {
        // Root may open what others may not, so that files cannot show this.
        let node = |path: &str, access| Node { path: path.to_owned(), access };
        let told = |cards: &Cards| told(of(cards, &[]));
        let render = node("/dev/dri/renderD128", Access::Denied);
        let line = "sudo usermod -aG \"$(stat -c %G /dev/dri/renderD128)\" \"$USER\" (then log in again)";
        let cards = Cards { render: vec![(render, 0x1002)], ..Cards::default() };
        assert_eq!(told(&cards), one("permission denied: /dev/dri/renderD128", line));
        let line = "sudo usermod -aG \"$(stat -c %G /dev/nvidia0)\" \"$USER\" (then log in again)";
        let cards = Cards { nvidia: vec![node("/dev/nvidia0", Access::Denied)], ..Cards::default() };
        assert_eq!(told(&cards), one("permission denied: /dev/nvidia0", line));
        let cards = Cards { nvidia: vec![node("/dev/nvidia0", Access::Forbidden)], ..Cards::default() };
        let mend = "ask the scheduler for a card (Slurm: --gres=gpu:1)";
        assert_eq!(told(&cards), one("this job may not use /dev/nvidia0", mend));
        let cards = Cards { container: Some(Container::Docker), ..cards };
        assert_eq!(told(&cards), one("this container may not use /dev/nvidia0", GPUS));
        // One of several is enough.
        let nodes = vec![node("/dev/nvidia0", Access::Forbidden), node("/dev/nvidia1", Access::Open)];
        let cards = Cards { nvidia: nodes, container: Some(Container::Docker), ..Cards::default() };
        assert_eq!(told(&cards)[0].0, NO_LOADER);
    }

    #[test]
    fn of_what_is_listed_nothing_is_missing() {
        let root = tempfile::tempdir().unwrap();
        lay(root.path(), &[DEBIAN, CARD, KERNEL, LOADER, AMD[0], AMD[1]]);
        let system = System::made_up(root.path(), &[]);
        let nvidia = AdapterFacts::made_up("NVIDIA H200", "0000:3b:00.0");
        let amd = AdapterFacts { vendor: 0x1002, ..nvidia.clone() };
        let software = AdapterFacts { vendor: 0x10005, software: true, ..nvidia.clone() };
        assert_eq!(missing(&system, &[nvidia.clone(), amd.clone()]), []);
        let names = |listed: &[AdapterFacts]| missing(&system, listed).into_iter().map(|m| m.what).collect::<Vec<_>>();
        assert_eq!(names(&[nvidia, software.clone()]), ["no Vulkan driver for AMD is installed"]);
        assert_eq!(names(&[amd, software.clone()]).len(), 1);
        assert_eq!(names(&[software]).len(), 2);
    }

    #[test]
    fn wsl_has_nothing_to_install() {
        let dxg = ("/dev/dxg", "");
        // It shows a render node as well, of no use.
        let all = machine(&[UBUNTU, dxg, LOADER, SOFTWARE_FILE, AMD[0]], &[]);
        assert_eq!(all, one("WSL has no Vulkan driver of use for the card (/dev/dxg)", "run equirisk under Windows"));
    }

    #[test]
    fn slices_and_unloaded_drivers_are_told_apart() {
        let slice = [("CUDA_VISIBLE_DEVICES", "MIG-3b1f5c1e-0000-5000-8000-000000000000")];
        let what = "CUDA_VISIBLE_DEVICES names a MIG slice, which Vulkan cannot use";
        assert_eq!(machine(&[UBUNTU, CARD, KERNEL, LOADER], &slice), one(what, "ask for a whole card"));
        let nouveau = [("/dev/dri/renderD128", ""), ("/sys/class/drm/renderD128/device/vendor", "0x10de\n")];
        let line = "sudo apt-get install nvidia-driver";
        assert_eq!(
            machine(&[&[DEBIAN, LOADER], &nouveau[..]].concat(), &[]),
            one("NVIDIA's kernel driver is not loaded", line)
        );
        let what = "there is no /dev/nvidia0, although NVIDIA's driver 550.90.07 is loaded";
        assert_eq!(machine(&[DEBIAN, KERNEL], &[]), one(what, "sudo nvidia-modprobe -c 0"));
    }
}
