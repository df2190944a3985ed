//! SHA-256, in hexadecimal, of files, jobs and data.

use std::io::{self, Read};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::panel::{Labels, Returns};

/// Of bytes.
pub fn bytes(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Of all that a file holds.
///
/// # Errors
/// The file cannot be read.
pub fn file(path: &std::path::Path) -> io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            count => hasher.update(&buffer[..count]),
        }
    }
}

/// Of a JSON value, as it is printed without spaces.
pub fn json(value: &Value) -> String {
    bytes(value.to_string().as_bytes())
}

/// Of a history: names, row labels and values.
pub fn history(returns: &Returns) -> String {
    let labels: Vec<String> = match &returns.labels {
        Labels::Dates(dates) => {
            std::iter::once("dates".to_string()).chain(dates.iter().map(ToString::to_string)).collect()
        }
        Labels::Text(labels) => std::iter::once("text".to_string()).chain(labels.iter().cloned()).collect(),
    };
    numbers(&returns.assets, &labels.join("\n"), &returns.values)
}

/// Of named numbers.
pub fn numbers(names: &[String], labels: &str, values: &[f64]) -> String {
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
    }
    hasher.update(labels);
    for value in values {
        hasher.update(value.to_le_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
