//! Who computed a result: two results are equal, byte by byte, where their makers are.

use serde::{Deserialize, Serialize};

use crate::engine::EngineInfo;
use crate::lanes;

/// Program, engine and machine, as far as bytes depend on them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Maker {
    pub version: String,
    #[serde(flatten)]
    pub info: EngineInfo,
    /// The vector instructions of the CPU.
    pub cpu: String,
}

impl Maker {
    /// This program on this machine with this engine.
    pub fn of(info: EngineInfo) -> Maker {
        Maker { version: env!("CARGO_PKG_VERSION").to_string(), info, cpu: lanes::instructions().to_string() }
    }

    /// What differs between the two, for a message; none where bytes are equal.
    pub fn differs(&self, other: &Maker) -> Option<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "none".to_string());
        let (own, others) = (&self.info, &other.info);
        let parts = [
            ("version", self.version.clone(), other.version.clone()),
            ("engine", own.engine.to_string(), others.engine.to_string()),
            ("adapter", text(&own.adapter), text(&others.adapter)),
            ("driver", text(&own.driver), text(&others.driver)),
            ("precision", own.precision.to_string(), others.precision.to_string()),
            ("tolerance", own.tolerance.to_string(), others.tolerance.to_string()),
            ("CPU instructions", self.cpu.clone(), other.cpu.clone()),
        ];
        let (what, own, others) = parts.into_iter().find(|(_, own, others)| own != others)?;
        Some(format!("{what} {own} there, {others} here"))
    }
}
