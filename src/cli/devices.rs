//! `equirisk devices`: adapters, features, limits, start-up self-test.

use std::fmt::Write as _;
use std::process::ExitCode;

use equirisk::engine::gpu::{self, AdapterFacts, GpuEngine, SelfTest};
use equirisk::{Error, Result};
use serde::Serialize;

use super::args::DevicesArguments;
use super::output;

#[derive(Serialize)]
struct Device {
    #[serde(flatten)]
    facts: AdapterFacts,
    usable: bool,
    self_test: Option<SelfTest>,
    /// Why the adapter cannot be used.
    refused: Option<String>,
}

impl Device {
    fn describe(&self) -> String {
        let AdapterFacts { index, name, backend, device_type, driver, pci_bus_id, limits, .. } = &self.facts;
        let mib = |bytes: u64| bytes >> 20;
        let mut text = format!("{index}: {name} ({backend}, {device_type})\n");
        let mut line = |label: &str, value: String| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "   {label:12} {value}");
        };
        line("driver", driver.clone());
        line("PCI bus", pci_bus_id.clone().unwrap_or_else(|| "-".to_string()));
        line("features", {
            let mut features = Vec::new();
            if let Some([least, most]) = self.facts.subgroup_sizes {
                features.push(if least == most {
                    format!("subgroups of {least}")
                } else {
                    format!("subgroups of {least} to {most}")
                });
            }
            if self.facts.double_precision {
                features.push("double precision".to_string());
            }
            if self.facts.timestamps {
                features.push("timestamps".to_string());
            }
            features.join(", ")
        });
        line(
            "limits",
            format!(
                "{} MiB a buffer, {} MiB a binding, {} KiB of workgroup memory, {} lanes a workgroup",
                mib(limits.buffer_bytes),
                mib(limits.binding_bytes),
                limits.workgroup_memory_bytes >> 10,
                limits.lanes_per_workgroup
            ),
        );
        line(
            "self-test",
            match (&self.self_test, &self.refused) {
                (Some(test), _) => format!("passed (draws bit-equal, rc_error {:.1e})", test.descend_error),
                (None, reason) => format!("refused: {}", reason.as_deref().unwrap_or("unknown reason")),
            },
        );
        text
    }
}

pub fn run(arguments: &DevicesArguments) -> Result<ExitCode> {
    let devices: Vec<Device> = gpu::adapters()
        .into_iter()
        .map(|facts| match GpuEngine::open(Some(&facts.index.to_string()), true, None) {
            Ok(engine) => Device { facts, usable: true, self_test: Some(engine.self_test().clone()), refused: None },
            Err(error) => Device { facts, usable: false, self_test: None, refused: Some(error.message) },
        })
        .collect();
    if arguments.json {
        output::print(&output::json(&serde_json::json!({ "devices": devices }))?)?;
    } else {
        output::print(&devices.iter().map(Device::describe).collect::<String>())?;
    }
    if devices.is_empty() {
        return Err(Error::device("no GPU adapter was found")
            .hint("install a Vulkan driver (Debian, software: mesa-vulkan-drivers), or use --engine cpu"));
    }
    Ok(ExitCode::SUCCESS)
}
