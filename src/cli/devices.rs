//! `equirisk devices`: adapters, features, limits, start-up self-test.

use crate::Result;
use crate::engine::Precision;
use crate::engine::gpu::{self, AdapterFacts, GpuEngine, SelfTest};

use crate::error::Text;
use serde::Serialize;

use super::args::DevicesArguments;
use super::output;

#[derive(Serialize)]
struct Device {
    #[serde(flatten)]
    facts: AdapterFacts,
    usable: bool,
    self_test: Option<SelfTest>,
    /// In double precision, where the adapter has it.
    self_test_double: Option<SelfTest>,
    /// Why the adapter cannot be used.
    refused: Option<String>,
    /// Why it cannot be used in double precision, although it has it.
    refused_double: Option<String>,
}

impl Device {
    fn describe(&self) -> String {
        let test = match (&self.self_test, &self.refused) {
            (Some(test), _) => {
                let double = self.self_test_double.as_ref().map(|test| format!(", f64 {:.1e}", test.descend_error));
                let error = test.descend_error;
                format!("passed (draws bit-equal to the CPU's, rc_error {error:.1e}{})", double.unwrap_or_default())
            }
            (None, reason) => format!("refused: {}", reason.as_deref().unwrap_or("unknown reason")),
        };
        let double = self.refused_double.as_ref().map(|reason| format!("   f64       refused: {reason}\n"));
        format!("{}\n   self-test {test}\n{}", self.facts, double.unwrap_or_default())
    }

    /// Opens the adapter in each precision that it has.
    fn of(facts: AdapterFacts) -> Device {
        let test = |precision| {
            let select = Some(facts.index.to_string());
            let opened = GpuEngine::open(gpu::Options { select, precision, ..gpu::Options::default() });
            match opened {
                Ok(engine) => (Some(engine.self_test().clone()), None),
                Err(error) => (None, Some(error.message.render(output::option))),
            }
        };
        let (self_test, refused) = test(Precision::Single);
        let both = self_test.is_some() && facts.double_precision;
        let (self_test_double, refused_double) = if both { test(Precision::Double) } else { (None, None) };
        Device { usable: self_test.is_some(), facts, self_test, self_test_double, refused, refused_double }
    }
}

/// Where there is more than fits into a hint.
const PAGE: &str = "docs/gpu.md says more";

pub fn run(arguments: &DevicesArguments) -> Result<u8> {
    let listed = gpu::adapters();
    let missing = gpu::missing(&listed);
    let chosen = gpu::choice(&listed, &gpu::Options { allow_software: true, ..gpu::Options::default() });
    let devices: Vec<Device> = listed.into_iter().map(Device::of).collect();
    if arguments.json {
        let chosen = chosen.as_ref().ok().map(|chosen| chosen.index);
        let all = serde_json::json!({ "devices": devices, "chosen": chosen, "missing": missing });
        output::print(&output::json(&all)?)?;
    } else {
        let mut text: String = devices.iter().map(Device::describe).collect();
        // With no adapter at all, this is the error.
        for missing in missing.iter().filter(|_| !devices.is_empty()) {
            text += &format!("missing: {}\n   mend      {}\n", missing.what, missing.mend);
        }
        output::print(&text)?;
    }
    match chosen {
        Ok(chosen) => {
            if SAYING.iter().any(|name| std::env::var_os(name).is_some()) {
                let name = &devices[chosen.index].facts.name;
                output::notice(&format!(
                    "a run on the GPU takes {} ({name}) unless --device names another",
                    chosen.index
                ));
            }
            // What is missing has been said.
            let said = |notice: &Text| missing.iter().any(|missing| notice.contains(&missing.what));
            let notices: Vec<Text> = chosen.notices.into_iter().filter(|notice| !said(notice)).collect();
            output::notices(&notices, false);
            if !missing.is_empty() {
                output::notice(PAGE);
            }
            Ok(0)
        }
        Err(error) if devices.is_empty() => {
            // The same words as for a run that asks for a GPU.
            let hint = error.hint.as_ref().map_or(String::new(), |hint| format!("{}; ", hint.nested()));
            Err(error.hint(format!("{hint}{PAGE}")))
        }
        // The list is what was asked for.
        Err(error) => {
            output::notice(&error.message.render(output::option));
            Ok(0)
        }
    }
}

/// Variables that have a say in which adapter is taken.
const SAYING: [&str; 2] = ["EQUIRISK_DEVICE", "CUDA_VISIBLE_DEVICES"];
