//! What packages are called here.

use super::system::System;

/// Families of Linux distributions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Family {
    Debian,
    Ubuntu,
    Fedora,
    Arch,
    Alpine,
    Suse,
    #[default]
    Unknown,
}

/// Something that can be installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Package {
    /// libvulkan.so.1.
    Loader,
    /// Mesa's drivers for AMD and for Intel.
    Amd,
    Intel,
    /// libXext.so.6, and with it libX11.so.6.
    X11,
}

impl Family {
    pub fn of(system: &System) -> Family {
        let text = ["/etc/os-release", "/usr/lib/os-release"].into_iter().find_map(|path| system.read(path));
        let text = text.unwrap_or_default();
        let value = |key: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once('='));
            lines.find(|(name, _)| *name == key).map_or("", |(_, value)| value.trim_matches('"')).to_owned()
        };
        let names = format!("{} {}", value("ID"), value("ID_LIKE"));
        // The name comes before the names of those it is like.
        let known = names.split_whitespace().find_map(|name| match name {
            "debian" => Some(Family::Debian),
            "ubuntu" => Some(Family::Ubuntu),
            "fedora" | "rhel" | "centos" => Some(Family::Fedora),
            "arch" => Some(Family::Arch),
            "alpine" => Some(Family::Alpine),
            "suse" | "opensuse" | "sles" => Some(Family::Suse),
            _ => None,
        });
        known.unwrap_or_default()
    }

    /// The line that installs a package, as root in a container and by sudo elsewhere.
    pub fn install(self, package: Package, container: bool) -> String {
        use Package::{Amd, Intel, Loader, X11};
        let name = match (self, package) {
            (Family::Debian | Family::Ubuntu | Family::Suse, Loader) => "libvulkan1",
            (Family::Debian | Family::Ubuntu | Family::Fedora, Amd | Intel) => "mesa-vulkan-drivers",
            (Family::Debian | Family::Ubuntu, X11) => "libxext6",
            (Family::Fedora | Family::Alpine, Loader) => "vulkan-loader",
            (Family::Fedora, X11) => "libXext",
            (Family::Arch, Loader) => "vulkan-icd-loader",
            (Family::Arch, Amd) => "vulkan-radeon",
            (Family::Arch, Intel) => "vulkan-intel",
            (Family::Arch | Family::Alpine, X11) => "libxext",
            (Family::Alpine, Amd) => "mesa-vulkan-ati",
            (Family::Alpine, Intel) => "mesa-vulkan-intel",
            (Family::Suse, Amd) => "libvulkan_radeon",
            (Family::Suse, Intel) => "libvulkan_intel",
            (Family::Suse, X11) => "libXext6",
            (Family::Unknown, Loader) => return "install the package that holds libvulkan.so.1".to_owned(),
            (Family::Unknown, Amd | Intel) => return "install Mesa's Vulkan drivers".to_owned(),
            (Family::Unknown, X11) => return "install the package that holds libXext.so.6".to_owned(),
        };
        let sudo = if container { "" } else { "sudo " };
        match self {
            Family::Debian | Family::Ubuntu if container => format!("apt-get update && apt-get install -y {name}"),
            Family::Debian | Family::Ubuntu => format!("sudo apt-get install {name}"),
            Family::Fedora => format!("{sudo}dnf install {name}"),
            Family::Arch => format!("{sudo}pacman -S {name}"),
            Family::Alpine => format!("{sudo}apk add {name}"),
            Family::Suse => format!("{sudo}zypper install {name}"),
            Family::Unknown => unreachable!("it has no names of packages"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_known_by_its_name_or_by_those_it_is_like() {
        for (text, family) in [
            ("NAME=\"Debian GNU/Linux\"\nID=debian\n", Family::Debian),
            ("ID=ubuntu\nID_LIKE=debian\n", Family::Ubuntu),
            ("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", Family::Ubuntu),
            ("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", Family::Fedora),
            ("ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n", Family::Suse),
            ("ID=nixos\n", Family::Unknown),
        ] {
            let root = tempfile::tempdir().unwrap();
            std::fs::create_dir_all(root.path().join("etc")).unwrap();
            std::fs::write(root.path().join("etc/os-release"), text).unwrap();
            assert_eq!(Family::of(&System::made_up(root.path(), &[])), family, "{text}");
        }
    }

    #[test]
    fn every_package_has_a_line() {
        use Family::{Alpine, Arch, Debian, Fedora, Suse, Ubuntu, Unknown};
        for family in [Debian, Ubuntu, Fedora, Arch, Alpine, Suse, Unknown] {
            for package in [Package::Loader, Package::Amd, Package::Intel, Package::X11] {
                assert!(family.install(package, true).contains("install") || matches!(family, Arch | Alpine));
            }
        }
        assert_eq!(Debian.install(Package::Loader, false), "sudo apt-get install libvulkan1");
        assert_eq!(Ubuntu.install(Package::Amd, true), "apt-get update && apt-get install -y mesa-vulkan-drivers");
        assert_eq!(Fedora.install(Package::X11, false), "sudo dnf install libXext");
    }
}
