//! Trouble with a device that a run survives.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What went wrong during a run, where, and what was done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    pub what: String,
    /// The first problem that was not finished; null while a batch was made ready.
    pub problem: Option<u64>,
    pub remedy: Remedy,
}

/// What a run does about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Remedy {
    /// The device is opened again, and does again what was not finished.
    Reopened,
    /// The device goes on with so many problems at a time.
    Fewer(u32),
    /// The CPU takes the rest.
    Cpu,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; ", self.what)?;
        let from = self.problem.map(|problem| format!(" from problem {problem} on")).unwrap_or_default();
        match self.remedy {
            Remedy::Reopened => write!(f, "it is opened again and goes on{from}"),
            Remedy::Fewer(problems) => write!(f, "it takes {problems} problems at a time{from}"),
            Remedy::Cpu => write!(f, "the CPU takes over{from}"),
        }
    }
}
