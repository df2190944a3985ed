//! Plain facts about adapters and their self-test, for people and JSON.

use std::fmt;

use serde::Serialize;

use super::pci::Pci;

/// An adapter as the system lists it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AdapterFacts {
    /// Place in the list, as `--device` takes it.
    pub index: usize,
    pub name: String,
    /// `vulkan` or `metal`.
    pub backend: String,
    /// `discrete`, `integrated`, `virtual`, `cpu`, `other`.
    pub device_type: &'static str,
    /// The processor plays the graphics card: right, but slow.
    pub software: bool,
    /// Driver and its version.
    pub driver: String,
    pub pci_bus_id: Option<String>,
    /// PCI id of the maker, such as 0x10de for NVIDIA.
    pub vendor: u32,
    /// Smallest and largest subgroup, where lanes can talk through subgroups.
    pub subgroup_sizes: Option<[u32; 2]>,
    pub double_precision: bool,
    /// 64-bit integers in shaders.
    pub wide_integers: bool,
    pub timestamps: bool,
    pub limits: AdapterLimits,
}

/// The limits that decide how problems are spread.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct AdapterLimits {
    pub buffer_bytes: u64,
    pub binding_bytes: u64,
    pub workgroup_memory_bytes: u32,
    pub lanes_per_workgroup: u32,
    pub workgroups_per_dimension: u32,
    pub storage_buffers: u32,
}

/// What the start-up self-test found. An adapter that fails any part is refused.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SelfTest {
    /// Philox4x32-10 gives its published known answers.
    pub philox: bool,
    /// The index law gives the same rows as the CPU, for every scheme.
    pub law: bool,
    /// Second moments of resamples, from counts of rows and from steps of counts, are the CPU's.
    pub moments: bool,
    /// So are volatilities and correlations.
    pub correlate: bool,
    /// Coordinate descent solves small problems, however they are spread, certified on the CPU in double precision.
    pub descend: bool,
    /// Weights, certificates and the volatilities of other portfolios are what the CPU makes of them.
    pub certify: bool,
    /// Subsets, and figures of their portfolios, are the CPU's.
    pub measure: bool,
    /// Largest relative error of a risk contribution in those problems.
    pub descend_error: f64,
}

/// Nothing has failed.
impl Default for SelfTest {
    fn default() -> SelfTest {
        SelfTest {
            philox: true,
            law: true,
            moments: true,
            correlate: true,
            descend: true,
            certify: true,
            measure: true,
            descend_error: 0.0,
        }
    }
}

impl SelfTest {
    /// What two parts of a test found.
    pub(super) fn and(self, other: SelfTest) -> SelfTest {
        SelfTest {
            philox: self.philox && other.philox,
            law: self.law && other.law,
            moments: self.moments && other.moments,
            correlate: self.correlate && other.correlate,
            descend: self.descend && other.descend,
            certify: self.certify && other.certify,
            measure: self.measure && other.measure,
            descend_error: self.descend_error.max(other.descend_error),
        }
    }

    pub fn passed(&self) -> bool {
        self.failed().is_empty()
    }

    /// Names of the parts that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        let parts = [
            ("philox", self.philox),
            ("law", self.law),
            ("moments", self.moments),
            ("correlate", self.correlate),
            ("descend", self.descend),
            ("certify", self.certify),
            ("measure", self.measure),
        ];
        parts.into_iter().filter(|(_, passed)| !passed).map(|(part, _)| part).collect()
    }
}

impl AdapterFacts {
    /// Where it is plugged in, where it says so.
    pub(super) fn place(&self) -> Option<Pci> {
        self.pci_bus_id.as_deref().and_then(Pci::parse)
    }

    /// A card of NVIDIA's.
    #[cfg(test)]
    pub fn made_up(name: &str, pci_bus_id: &str) -> AdapterFacts {
        AdapterFacts {
            index: 0,
            name: name.to_owned(),
            backend: "vulkan".to_owned(),
            device_type: "discrete",
            software: false,
            driver: String::new(),
            pci_bus_id: Some(pci_bus_id.to_owned()).filter(|id| !id.is_empty()),
            vendor: 0x10de,
            subgroup_sizes: None,
            double_precision: false,
            wide_integers: false,
            timestamps: false,
            limits: AdapterLimits {
                buffer_bytes: 0,
                binding_bytes: 0,
                workgroup_memory_bytes: 0,
                lanes_per_workgroup: 0,
                workgroups_per_dimension: 0,
                storage_buffers: 0,
            },
        }
    }
}

impl fmt::Display for AdapterFacts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bus = self.pci_bus_id.as_ref().map(|id| format!(", at {id}")).unwrap_or_default();
        writeln!(f, "{}: {} ({} through {}{bus})", self.index, self.name, self.device_type, self.backend)?;
        writeln!(f, "   driver    {}", self.driver)?;
        let subgroups = match self.subgroup_sizes {
            Some([least, most]) if least == most => format!("subgroups of {least}"),
            Some([least, most]) => format!("subgroups of {least} to {most}"),
            None => "no subgroups".to_owned(),
        };
        let double = if self.double_precision { "double precision" } else { "no double precision" };
        writeln!(f, "   features  {subgroups}, {double}")?;
        let AdapterLimits { buffer_bytes, binding_bytes, workgroup_memory_bytes, lanes_per_workgroup, .. } =
            self.limits;
        write!(
            f,
            "   limits    buffers of {} MiB, bindings of {} MiB, {} KiB of workgroup memory, {lanes_per_workgroup} lanes \
             per workgroup",
            buffer_bytes >> 20,
            binding_bytes >> 20,
            workgroup_memory_bytes >> 10,
        )
    }
}
