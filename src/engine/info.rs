//! What computed a result, as recorded with it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where problems are solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Cpu,
    Gpu,
}

/// Which of the two is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    /// The GPU where it pays.
    #[default]
    Auto,
    Gpu,
    Cpu,
}

/// Precision of all that a device computes; the CPU always computes in double.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum Precision {
    /// Certificates to about 1e-6.
    #[default]
    #[serde(rename = "f32")]
    Single,
    /// Certificates as on the CPU, where the adapter has double precision.
    #[serde(rename = "f64")]
    Double,
}

impl Precision {
    /// The distance from one to the next number.
    pub const fn epsilon(self) -> f64 {
        match self {
            Precision::Single => f32::EPSILON as f64,
            Precision::Double => f64::EPSILON,
        }
    }
}

/// What computed a result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EngineInfo {
    pub engine: Kind,
    /// The adapter's name; none for the CPU.
    pub adapter: Option<String>,
    /// The driver and its version; none for the CPU.
    pub driver: Option<String>,
    /// Certificates of generated problems included.
    pub precision: Precision,
    /// Largest `rc_error` that counts as converged.
    pub tolerance: f64,
}

impl EngineInfo {
    /// Whether a device solves, so that the CPU stands by and checks.
    pub fn on_device(&self) -> bool {
        self.engine == Kind::Gpu
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Cpu => "cpu",
            Kind::Gpu => "gpu",
        })
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Precision::Single => "f32",
            Precision::Double => "f64",
        })
    }
}
