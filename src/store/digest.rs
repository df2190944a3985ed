//! SHA-256, in hexadecimal, of files, jobs and data.

use std::io::{self, Read};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::panel::{Labels, Returns};
use crate::store::history::Funded;

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

/// Of a history, and of cash beside it.
pub fn funded(data: &Funded) -> String {
    let cash = numbers(&["cash".to_string()], "", &data.cash);
    bytes(format!("{}\n{cash}", history(&data.returns)).as_bytes())
}

/// Of named numbers. Whatever is not a number counts as the same.
pub fn numbers(names: &[String], labels: &str, values: &[f64]) -> String {
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update((name.len() as u64).to_le_bytes());
        hasher.update(name);
    }
    hasher.update(labels);
    for value in values {
        let value = if value.is_nan() { f64::NAN } else { *value };
        hasher.update(value.to_le_bytes());
    }
    hex(&hasher.finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns(values: &[f64]) -> Returns {
        let labels = Labels::Dates(vec![jiff::civil::date(2020, 1, 1), jiff::civil::date(2020, 1, 2)]);
        Returns { assets: vec!["A".into(), "S&P 500".into()], labels, values: values.to_vec() }
    }

    #[test]
    fn digests_of_runs_that_are_kept_stay_what_they_are() {
        let whole = returns(&[0.5, -0.0, 0.25, -1.5]);
        // Computed apart (Python's hashlib) from the bytes of names, labels and numbers.
        assert_eq!(history(&whole), "c468ce28824a7e14f9debfea930a3f26e716ed160f0878d1d11aedbd98c79050");
        let words = Returns { labels: Labels::Text(vec!["1".into(), "2".into()]), ..whole };
        assert_eq!(history(&words), "6d052a9eb0e5b3b44a36925ff41c90fc3f66bbf69238afa9e63b3b366cb09346");
    }

    #[test]
    fn what_cash_earns_and_where_a_life_begins_are_part_of_the_data() {
        let of = |values: [f64; 4], cash: [f64; 2]| funded(&Funded { returns: returns(&values), cash: cash.to_vec() });
        let digest = of([0.5, f64::NAN, 0.25, -1.5], [0.0, 0.125]);
        assert_eq!(digest, of([0.5, -f64::NAN, 0.25, -1.5], [0.0, 0.125]));
        for other in [
            of([0.5, 0.0, 0.25, -1.5], [0.0, 0.125]),
            of([0.5, f64::NAN, 0.25, -1.5], [0.0, 0.25]),
            of([0.5, f64::NAN, 0.25, -1.5], [f64::NAN, 0.125]),
            of([f64::NAN, 0.5, 0.25, -1.5], [0.0, 0.125]),
        ] {
            assert_ne!(digest, other);
        }
    }
}
