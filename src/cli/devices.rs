//! `equirisk devices`: adapters, features, limits, start-up self-test.

use crate::Result;
use crate::engine::gpu::{self, AdapterFacts, GpuEngine, SelfTest};
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
        let test = match (&self.self_test, &self.refused) {
            (Some(test), _) => format!("passed (draws bit-equal to the CPU's, rc_error {:.1e})", test.descend_error),
            (None, reason) => format!("refused: {}", reason.as_deref().unwrap_or("unknown reason")),
        };
        format!("{}\n   self-test {test}\n", self.facts)
    }
}

pub fn run(arguments: &DevicesArguments) -> Result<u8> {
    let devices: Vec<Device> = gpu::adapters()
        .into_iter()
        .map(|facts| {
            match GpuEngine::open(gpu::Options { select: Some(facts.index.to_string()), ..gpu::Options::default() }) {
                Ok(engine) => {
                    Device { facts, usable: true, self_test: Some(engine.self_test().clone()), refused: None }
                }
                Err(error) => Device {
                    facts,
                    usable: false,
                    self_test: None,
                    refused: Some(error.message.render(output::option)),
                },
            }
        })
        .collect();
    if arguments.json {
        output::print(&output::json(&serde_json::json!({ "devices": devices }))?)?;
    } else {
        output::print(&devices.iter().map(Device::describe).collect::<String>())?;
    }
    if devices.is_empty() {
        // The same words as for a run that asks for a GPU.
        GpuEngine::open(gpu::Options { allow_software: true, ..gpu::Options::default() })?;
    }
    Ok(0)
}
