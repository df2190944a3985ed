//! `equirisk devices`: adapters, features, limits, start-up self-test.

use std::fmt::Write as _;
use std::process::ExitCode;

use equirisk::engine::gpu::{self, AdapterFacts, GpuEngine};
use equirisk::{Error, Result};
use serde::Serialize;

use super::args::DevicesArguments;
use super::output;

#[derive(Serialize)]
struct Device {
    #[serde(flatten)]
    facts: AdapterFacts,
    /// What the self-test found: `passed`, or why the adapter is refused.
    self_test: String,
}

pub fn run(arguments: &DevicesArguments) -> Result<ExitCode> {
    let devices: Vec<Device> = gpu::adapters()
        .into_iter()
        .map(|facts| {
            let opened = GpuEngine::open(Some(&facts.index.to_string()), true, None);
            let self_test = opened.map_or_else(|error| error.to_string(), |_| "passed".to_string());
            Device { facts, self_test }
        })
        .collect();
    if arguments.json {
        output::print(&output::json(&serde_json::json!({ "devices": devices }))?)?;
    } else {
        let mut text = String::new();
        for Device { facts, self_test } in &devices {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{facts}\n   self-test {self_test}");
        }
        output::print(&text)?;
    }
    if devices.is_empty() {
        return Err(Error::device("no GPU adapter was found")
            .hint("install a Vulkan driver (Debian, software: mesa-vulkan-drivers), or use --engine cpu"));
    }
    Ok(ExitCode::SUCCESS)
}
