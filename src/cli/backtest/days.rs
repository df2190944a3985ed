//! Days and spans of the calendar in text files.

use std::path::Path;

use jiff::civil::Date;

use super::text_of;
use super::values::named_span;
use crate::cli::values::first_day;
use crate::error::option;
use crate::study::backtest::config::Named;
use crate::{Error, Result};

/// The days of `dates:FILE`: the first cell of each line; a line of names may stand above.
pub fn days(path: &Path) -> Result<Vec<Date>> {
    let text = text_of("rebalance", path)?;
    let mut days = Vec::new();
    for (line, cell) in (1..).zip(text.lines().map(first_cell)).filter(|(_, cell)| !cell.is_empty()) {
        match first_day(cell) {
            Ok(day) => days.push(day),
            Err(_) if line == 1 => {}
            Err(error) => {
                return Err(Error::input(format!("{}: line {line}: `{cell}` is {error}", path.display()))
                    .hint("give one date a line"));
            }
        }
    }
    if days.is_empty() {
        return Err(Error::input(format!("{}: no dates", path.display())).hint("give one date a line"));
    }
    Ok(days)
}

fn first_cell(line: &str) -> &str {
    line.split([',', ';', '\t']).next().unwrap_or("").trim().trim_matches(['"', '\u{feff}'])
}

/// Spans from lines `name,from,to`; a line of names may stand above.
pub fn periods(path: &Path) -> Result<Vec<Named>> {
    let text = text_of("periods", path)?;
    let failed = |line: u64, what: String| {
        Error::input(format!("{}: line {line}: {what}", path.display()))
            .hint("write name,from,to: crisis,2007-10,2009-03")
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
    let mut found = Vec::new();
    for (at, record) in reader.records().enumerate() {
        let record = record.map_err(|error| failed(at as u64 + 1, error.to_string()))?;
        let line = record.position().map_or(at as u64 + 1, csv::Position::line);
        let cells: Vec<&str> = record.iter().map(str::trim).collect();
        let (name, from, to) = match cells[..] {
            [name, from, to] => (name, from, to),
            [name, from] => (name, from, from),
            [""] => continue,
            _ => return Err(failed(line, format!("{} cells", cells.len()))),
        };
        match named_span(&format!("{name}={from}..{to}")) {
            Ok(span) => found.push(span),
            Err(_) if at == 0 => {}
            Err(error) => return Err(failed(line, error)),
        }
    }
    if found.is_empty() {
        return Err(Error::input(format!("{}: no periods", path.display()))
            .hint(format!("write name,from,to, or give {}", option("period").word("NAME=FROM..TO"))));
    }
    Ok(found)
}

/// Spans of one name together, in the order of their first.
pub fn united(periods: Vec<Named>) -> Vec<Named> {
    let mut all: Vec<Named> = Vec::new();
    for period in periods {
        match all.iter_mut().find(|other| other.name == period.name) {
            Some(other) => other.spans.extend(period.spans),
            None => all.push(period),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn days_and_periods_are_read_with_a_line_of_names_or_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("days.csv");
        std::fs::write(&path, "date,why\n2020-01-31,month\n\n2020-02\n").unwrap();
        assert_eq!(days(&path).unwrap(), [date(2020, 1, 31), date(2020, 2, 1)]);
        std::fs::write(&path, "2020-01-31\nsoon\n").unwrap();
        assert!(days(&path).unwrap_err().message.contains("line 2: `soon`"));
        std::fs::write(
            &path,
            "name,from,to\ndotcom,2000-03,2002-10\n\"bear, long\",2007-10-09,2009-03-09\ndotcom,2022,2022\n",
        )
        .unwrap();
        let found = united(periods(&path).unwrap());
        assert_eq!(
            found.iter().map(|named| (named.name.as_str(), named.spans.len())).collect::<Vec<_>>(),
            [("dotcom", 2), ("bear, long", 1)]
        );
        std::fs::write(&path, "name,from,to\na,2009,2008\n").unwrap();
        assert!(periods(&path).unwrap_err().message.contains("line 2"));
    }
}
