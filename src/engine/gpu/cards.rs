//! What the machine shows of cards and of their drivers, whether or not Vulkan finds them. On other systems than Linux it
//! shows nothing.

use super::packages::Family;
use super::system::{Access, System};

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Cards {
    /// /dev/nvidia0 and so on.
    pub nvidia: Vec<Node>,
    /// NVIDIA's kernel driver, where it is loaded.
    pub nvidia_version: Option<String>,
    /// /dev/dri/renderD128 and so on, with the PCI id of the card's maker.
    pub render: Vec<(Node, u32)>,
    /// /dev/dxg: Windows lends its card.
    pub wsl: bool,
    pub libraries: Libraries,
    /// The drivers that the Vulkan loader is told of.
    pub drivers: Vec<Driver>,
    /// A variable that tells it of these alone, with its value.
    pub forced: Option<(&'static str, String)>,
    /// A file of NVIDIA's driver where the loader does not look.
    pub stray: Option<String>,
    pub container: Option<Container>,
    /// NVIDIA_DRIVER_CAPABILITIES: which parts of the driver a container gets.
    pub capabilities: Option<String>,
    /// CUDA_VISIBLE_DEVICES names a slice of a card.
    pub slice: bool,
    pub family: Family,
    /// What follows `libnvidia-compute-` in the name of an installed package of Ubuntu's: `550-server`.
    pub branch: Option<String>,
}

/// A device file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub path: String,
    pub access: Access,
}

/// Which libraries there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Libraries {
    /// libvulkan.so.1.
    pub loader: bool,
    /// libGLX_nvidia.so.0 and libEGL_nvidia.so.0: NVIDIA's driver for Vulkan, for machines with X11 and without.
    pub glx: bool,
    pub egl: bool,
    /// libX11.so.6 and libXext.so.6, which the former needs.
    pub x11: bool,
}

/// A driver that the loader is told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Driver {
    /// The file that says so.
    pub file: String,
    pub library: String,
}

/// What kind of container this runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    Docker,
    Kubernetes,
    Apptainer,
}

impl Cards {
    pub fn seen(system: &System) -> Cards {
        let node = |path: String| Node { access: system.access(&path), path };
        let numbered = |name: &str, prefix: &str| {
            name.strip_prefix(prefix)
                .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let devices = system.names("/dev").into_iter().filter(|name| numbered(name, "nvidia"));
        // A container is shown the cards of the machine here, also where it has no file for them.
        let render = system.names("/sys/class/drm").into_iter().filter(|name| numbered(name, "renderD"));
        let made_by = |name: &String| {
            let text = system.read(&format!("/sys/class/drm/{name}/device/vendor"))?;
            u32::from_str_radix(text.trim().trim_start_matches("0x"), 16).ok()
        };
        let folders = library_folders(system);
        let library = |name: &str| folders.iter().any(|folder| system.has(&format!("{folder}/{name}")));
        let (drivers, forced) = drivers(system);
        Cards {
            nvidia: devices.map(|name| node(format!("/dev/{name}"))).collect(),
            nvidia_version: system.read("/proc/driver/nvidia/version").map(|text| version(&text)),
            render: render.filter_map(|name| Some((node(format!("/dev/dri/{name}")), made_by(&name)?))).collect(),
            wsl: system.has("/dev/dxg"),
            libraries: Libraries {
                loader: library("libvulkan.so.1"),
                glx: library("libGLX_nvidia.so.0"),
                egl: library("libEGL_nvidia.so.0"),
                x11: library("libX11.so.6") && library("libXext.so.6"),
            },
            drivers,
            forced,
            stray: Some("/usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json".to_owned())
                .filter(|path| system.has(path)),
            container: container(system),
            capabilities: system.variable("NVIDIA_DRIVER_CAPABILITIES").map(str::to_owned),
            slice: system.variable(super::visible::VISIBLE).is_some_and(|entries| entries.trim().starts_with("MIG-")),
            family: Family::of(system),
            branch: system.names("/var/lib/dpkg/info").iter().find_map(|name| {
                let rest = name.strip_prefix("libnvidia-compute-")?.strip_suffix(".list")?;
                Some(rest.split(':').next().unwrap_or(rest).to_owned())
            }),
        }
    }
}

/// From `NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.90.07  ...`: the first word that is a version.
fn version(text: &str) -> String {
    let mut words = text.split_whitespace();
    let version =
        words.find(|word| word.contains('.') && word.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
    version.unwrap_or("of unknown version").to_owned()
}

/// Where libraries are looked up: what the environment and the linker's configuration say, and the usual places.
fn library_folders(system: &System) -> Vec<String> {
    let said = system.variable("LD_LIBRARY_PATH").unwrap_or_default();
    let mut folders: Vec<String> = said.split(':').filter(|folder| !folder.is_empty()).map(str::to_owned).collect();
    let configured = system.names("/etc/ld.so.conf.d").into_iter().map(|name| format!("/etc/ld.so.conf.d/{name}"));
    for file in configured.chain(["/etc/ld.so.conf".to_owned()]) {
        let text = system.read(&file).unwrap_or_default();
        folders.extend(text.lines().map(str::trim).filter(|line| line.starts_with('/')).map(str::to_owned));
    }
    let triple = format!("{}-linux-gnu", std::env::consts::ARCH);
    for base in ["/usr/lib", "/lib"] {
        folders.extend([format!("{base}/{triple}"), format!("{base}64"), base.to_owned()]);
    }
    folders.extend(["/usr/local/lib", "/run/opengl-driver/lib"].map(str::to_owned));
    folders
}

/// The drivers that the Vulkan loader is told of, and the variable that names them where one does
/// (LoaderDriverInterface.md of the Vulkan loader).
fn drivers(system: &System) -> (Vec<Driver>, Option<(&'static str, String)>) {
    let set = |name: &'static str| {
        system.variable(name).filter(|value| !value.is_empty()).map(|value| (name, value.to_owned()))
    };
    let forced = set("VK_DRIVER_FILES").or_else(|| set("VK_ICD_FILENAMES"));
    let files: Vec<String> = match &forced {
        Some((_, value)) => value.split(':').flat_map(|path| manifests(system, path)).collect(),
        None => driver_folders(system).iter().flat_map(|folder| manifests(system, folder)).collect(),
    };
    let drivers = files.into_iter().filter_map(|file| Some(Driver { library: library(&system.read(&file)?)?, file }));
    (drivers.collect(), forced)
}

fn driver_folders(system: &System) -> Vec<String> {
    let home = system.variable("HOME").unwrap_or_default();
    let said = |name: &str, usual: String| system.variable(name).map_or(usual, str::to_owned);
    let bases = [
        said("XDG_CONFIG_HOME", format!("{home}/.config")),
        said("XDG_CONFIG_DIRS", "/etc/xdg".to_owned()),
        "/usr/local/etc:/etc".to_owned(),
        said("XDG_DATA_HOME", format!("{home}/.local/share")),
        said("XDG_DATA_DIRS", "/usr/local/share:/usr/share".to_owned()),
        "/run/opengl-driver/share".to_owned(),
    ];
    let bases = bases.iter().flat_map(|bases| bases.split(':')).filter(|base| !base.is_empty());
    bases.map(|base| format!("{base}/vulkan/icd.d")).collect()
}

/// A file, or those in a folder.
fn manifests(system: &System, path: &str) -> Vec<String> {
    if path.ends_with(".json") {
        return vec![path.to_owned()];
    }
    let names = system.names(path).into_iter().filter(|name| name.ends_with(".json"));
    names.map(|name| format!("{path}/{name}")).collect()
}

/// The `library_path` of a driver's file.
fn library(json: &str) -> Option<String> {
    let (_, rest) = json.split_once("\"library_path\"")?;
    rest.split('"').nth(1).map(str::to_owned)
}

fn container(system: &System) -> Option<Container> {
    let set = |name| system.variable(name).is_some();
    if set("APPTAINER_NAME") || set("SINGULARITY_NAME") || system.has("/.singularity.d") {
        return Some(Container::Apptainer);
    }
    if set("KUBERNETES_SERVICE_HOST") || system.has("/var/run/secrets/kubernetes.io") {
        return Some(Container::Kubernetes);
    }
    let marks = ["/.dockerenv", "/run/.containerenv"];
    let group = system.read("/proc/1/cgroup").unwrap_or_default();
    let grouped = ["docker", "kubepods", "containerd", "libpod"].iter().any(|name| group.contains(name));
    (grouped || marks.iter().any(|mark| system.has(mark))).then_some(Container::Docker)
}
