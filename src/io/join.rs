//! Several histories to one, by date.
//!
//! The joined history has every date of any file; what a file lacks on a date is missing there, and the rule for missing
//! cells decides: by default only dates remain on which every file has every asset.

use std::collections::HashMap;

use jiff::civil::Date;

use crate::error::{Error, Result};
use crate::io::dates::Keys;
use crate::io::history::History;
use crate::io::{Limits, shown};

/// Joins histories that are in order and checked.
pub(crate) fn join(histories: Vec<History>, limits: Limits) -> Result<History> {
    let source = histories.iter().map(|history| history.source.as_str()).collect::<Vec<_>>().join(", ");
    let mut seen: HashMap<&str, &str> = HashMap::new();
    let mut dates: Vec<Date> = Vec::new();
    for history in &histories {
        let Keys::Dates(own) = &history.keys else {
            return Err(Error::input(format!("{}: files are joined by date, and this one has none", history.source))
                .hint("put dates (yyyy-mm-dd) in the first column of each file"));
        };
        dates.extend(own);
        for asset in &history.assets {
            if let Some(first) = seen.insert(asset, &history.source) {
                return Err(Error::input(format!(
                    "`{}` stands in two files: {first} and {}",
                    shown(asset),
                    history.source
                ))
                .hint("give each asset its own name, or leave one file out"));
            }
        }
    }
    dates.sort_unstable();
    dates.dedup();
    let assets: Vec<String> = histories.iter().flat_map(|history| history.assets.iter().cloned()).collect();
    limits.check(&source, dates.len(), dates.len().saturating_mul(assets.len()))?;
    let mut values = vec![f64::NAN; dates.len() * assets.len()];
    let mut first = 0;
    for history in &histories {
        let Keys::Dates(own) = &history.keys else { continue };
        let mut row = 0;
        for (place, date) in own.iter().enumerate() {
            // Both are in order.
            while dates[row] < *date {
                row += 1;
            }
            let start = row * assets.len() + first;
            values[start..start + history.assets.len()].copy_from_slice(history.row(place));
        }
        first += history.assets.len();
    }
    Ok(History {
        source,
        columns: (0..assets.len()).map(|asset| asset + 2).collect(),
        assets,
        labels: dates.iter().map(Date::to_string).collect(),
        lines: (1..=dates.len() as u64).collect(),
        keys: Keys::Dates(dates),
        cell_lines: Vec::new(),
        noun: "joined row",
        values,
    })
}
