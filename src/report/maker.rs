//! Who computed a result: two results are equal, byte by byte, where their makers are.

use serde::{Deserialize, Serialize};

use crate::engine::EngineInfo;
use crate::lanes;

/// Program, engine and machine, as far as bytes depend on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Maker {
    pub version: String,
    pub engine: String,
    pub adapter: Option<String>,
    pub driver: Option<String>,
    pub precision: String,
    pub tolerance: f64,
    /// The vector instructions of the CPU.
    pub cpu: String,
}

impl Maker {
    /// This program on this machine with this engine.
    pub fn of(info: &EngineInfo) -> Maker {
        Maker {
            version: env!("CARGO_PKG_VERSION").to_string(),
            engine: info.engine.to_string(),
            adapter: info.adapter.clone(),
            driver: info.driver.clone(),
            precision: info.precision.to_string(),
            tolerance: info.tolerance,
            cpu: lanes::instructions().to_string(),
        }
    }

    /// The engine, as it described itself.
    pub fn info(&self) -> EngineInfo {
        EngineInfo {
            engine: if self.engine == "gpu" { "gpu" } else { "cpu" },
            adapter: self.adapter.clone(),
            driver: self.driver.clone(),
            precision: if self.precision == "f32" { "f32" } else { "f64" },
            tolerance: self.tolerance,
        }
    }

    /// What differs between the two, for a message; none where bytes are equal.
    pub fn differs(&self, other: &Maker) -> Option<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_string());
        let parts = [
            ("version", self.version.clone(), other.version.clone()),
            ("engine", self.engine.clone(), other.engine.clone()),
            ("adapter", text(&self.adapter), text(&other.adapter)),
            ("driver", text(&self.driver), text(&other.driver)),
            ("precision", self.precision.clone(), other.precision.clone()),
            ("tolerance", self.tolerance.to_string(), other.tolerance.to_string()),
            ("CPU instructions", self.cpu.clone(), other.cpu.clone()),
        ];
        let (what, own, others) = parts.into_iter().find(|(_, own, others)| own != others)?;
        Some(format!("{what} {own} there, {others} here"))
    }
}
