//! What the values of flags mean.

use std::ops::Range;
use std::path::PathBuf;

use crate::batch::part::Part;
use crate::io::{nearest, plain};
use crate::measure::Metric;
use crate::run::crosscheck::Sample;
use crate::study::block::Block;
use crate::study::screen::figure::{Figure, Filter};
use jiff::civil::Date;

use super::output::option;

/// An asset's name, without the spaces around it and with single ones inside, as files have it.
pub fn asset(text: &str) -> Result<String, String> {
    Ok(plain(text))
}

/// Beyond 2^53 a float no longer says which whole number is meant.
const MOST_EXACT: u64 = 1 << 53;

/// A whole number from 1 up; 10000, 10_000, 1e4 and 10k are the same.
pub fn count(text: &str) -> Result<u64, String> {
    let plain = text.trim().replace('_', "");
    if let Ok(number) = plain.parse::<u64>() {
        return match number {
            0 => Err("at least 1".to_string()),
            1..=MOST_EXACT => Ok(number),
            _ => Err(format!("too large (most: {MOST_EXACT})")),
        };
    }
    let (number, scale) = match plain.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1e3),
        None => plain.strip_suffix('M').map_or((plain.as_str(), 1.0), |number| (number, 1e6)),
    };
    match number.parse::<f64>().map(|x| x * scale) {
        Ok(x) if x < 1.0 && x.fract() == 0.0 => Err("at least 1".to_string()),
        Ok(x) if x > MOST_EXACT as f64 => Err(format!("too large (most: {MOST_EXACT})")),
        Ok(x) if x >= 1.0 && x.fract() == 0.0 => Ok(x as u64),
        _ => Err("not a whole number, such as 10000, 10k or 1e4".to_string()),
    }
}

pub fn size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&size| size >= 1).ok_or_else(|| "not a whole number from 1 up".to_string())
}

/// A file whose name says what it holds.
pub fn table_or_json(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("csv" | "json") => Ok(path),
        _ => Err("a file that ends with .csv or .json, such as weights.csv".to_string()),
    }
}

pub fn windows(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|&count| count >= 2).ok_or_else(|| "at least 2".to_string())
}

pub fn correlation(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|x| (-1.0..=1.0).contains(x)).ok_or_else(|| "not a number from -1 to 1".to_string())
}

pub fn figure(text: &str) -> Result<Figure, String> {
    Figure::named(text)
        .ok_or_else(|| format!("no figure is called that\n{}", meant(text, Figure::ALL.map(Figure::name))))
}

pub fn metric(text: &str) -> Result<Metric, String> {
    match Figure::named(text) {
        Some(Figure::Metric(metric)) => Ok(metric),
        _ => Err(format!("no metric is called that\n{}", meant(text, Metric::ALL.map(Metric::name)))),
    }
}

/// The names that may have been meant, or else all.
fn meant<const N: usize>(text: &str, names: [&'static str; N]) -> String {
    let near = nearest(text, names.into_iter());
    match near.is_empty() {
        true => format!("there are {}", names.join(", ")),
        false => {
            format!("did you mean {}?", near.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or "))
        }
    }
}

pub fn filter(text: &str) -> Result<Filter, String> {
    Filter::parse(text).map_err(|error| {
        let name = text.split(['<', '>']).next().unwrap_or(text).trim();
        match (Figure::named(name), error.hint) {
            (None, _) if name != text.trim() => {
                format!("no figure is called `{name}`\n{}", meant(name, Figure::ALL.map(Figure::name)))
            }
            (_, Some(hint)) => format!("{}\n{}", error.message.render(option), hint.render(option)),
            (_, None) => error.message.render(option),
        }
    })
}

/// An error of one or more would let risk contributions be negative, and prove nothing.
pub fn tolerance(text: &str) -> Result<f64, String> {
    positive(text).ok().filter(|x| *x < 1.0).ok_or_else(|| "not a number between 0 and 1".to_string())
}

pub fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "not a whole number from 0 to 18446744073709551615".to_string())
}

pub fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x.is_finite() => Ok(x),
        _ => Err("not a positive number".to_string()),
    }
}

pub fn block(text: &str) -> Result<Block, String> {
    Block::parse(text).ok_or_else(|| "not `auto`, `auto-returns` or a number of rows from 1 up".to_string())
}

pub fn shard(text: &str) -> Result<Part, String> {
    Part::shard(text).ok_or_else(|| "not a shard I/N with 0 <= I < N, such as 0/4".to_string())
}

pub fn sample(text: &str) -> Result<Sample, String> {
    match text {
        "all" => Ok(Sample::All),
        _ => text.parse().map(Sample::Count).map_err(|_| "not a number of problems or `all`".to_string()),
    }
}

pub fn range(text: &str) -> Result<Range<u64>, String> {
    let parsed = text.split_once("..").and_then(|(lo, hi)| Some(lo.trim().parse().ok()?..hi.trim().parse().ok()?));
    match parsed {
        Some(range) if range.start <= range.end => Ok(range),
        _ => Err("not a range lo..hi of resample numbers, lo <= hi".to_string()),
    }
}

/// The first day of what is named: a day, a month or a year.
pub fn first_day(text: &str) -> Result<Date, String> {
    day(text, |date| date)
}

/// The last day of what is named.
pub fn last_day(text: &str) -> Result<Date, String> {
    day(text, |date| if text.trim().len() == 4 { date.last_of_year() } else { date.last_of_month() })
}

/// A day as it is; `end` makes a day of the first of a month or year.
fn day(text: &str, end: impl Fn(Date) -> Date) -> Result<Date, String> {
    let text = text.trim();
    let parse = |text: &str| text.parse::<Date>().ok();
    let date = match text.len() {
        4 => parse(&format!("{text}-01-01")).map(end),
        7 => parse(&format!("{text}-01")).map(end),
        8 | 10 => parse(text),
        _ => None,
    };
    date.ok_or_else(|| "not a date: write 2007-02-01 (yyyy-mm-dd), 2007-02 or 2007".to_string())
}

/// A mark between thousands, or its name.
pub fn thousands(text: &str) -> Result<char, String> {
    match text.to_lowercase().as_str() {
        "," | "comma" => Ok(','),
        "." | "point" => Ok('.'),
        "'" | "’" | "apostrophe" => Ok('\''),
        " " | "space" => Ok(' '),
        _ => Err("not one of the marks , . ' and `space`".to_string()),
    }
}

/// One character of ASCII, or its name.
pub fn delimiter(text: &str) -> Result<u8, String> {
    match text.to_lowercase().as_str() {
        "tab" | "\\t" => Ok(b'\t'),
        "comma" => Ok(b','),
        "semicolon" => Ok(b';'),
        "space" => Ok(b' '),
        "pipe" => Ok(b'|'),
        _ => match *text.as_bytes() {
            [byte] if (byte.is_ascii_punctuation() || byte == b' ' || byte == b'\t') && !b"\"-+.".contains(&byte) => {
                Ok(byte)
            }
            _ => Err("not one character such as ; or |, nor `tab` or `space`".to_string()),
        },
    }
}

/// Bytes, with an optional unit: 8GiB, 500MB, 1073741824.
pub fn memory(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    let (number, unit) = text.split_at(digits);
    let scale = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1.0,
        "kb" => 1e3,
        "mb" => 1e6,
        "gb" => 1e9,
        "tb" => 1e12,
        "k" | "kib" => 1024.0,
        "m" | "mib" => 1_048_576.0,
        "g" | "gib" => 1_073_741_824.0,
        "t" | "tib" => 1_099_511_627_776.0,
        _ => return Err("unknown unit: write 8GiB, 500MB or a number of bytes".to_string()),
    };
    match number.parse::<f64>() {
        // Nobody has so little; the unit was forgotten.
        Ok(x) if x > 0.0 && unit.trim().is_empty() && x < 1_048_576.0 => {
            Err(format!("{number} bytes: did you mean {number}GiB?"))
        }
        Ok(x) if x > 0.0 => Ok((x * scale) as u64),
        _ => Err("not a size: write 8GiB, 500MB or a number of bytes".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_unit() {
        assert_eq!(memory("8GiB"), Ok(8 << 30));
        assert_eq!(memory("1.5 kb"), Ok(1500));
        assert_eq!(memory("8"), Err("8 bytes: did you mean 8GiB?".to_string()));
        assert_eq!(memory("1073741824"), Ok(1 << 30));
        assert!(memory("much").is_err() && memory("-1").is_err() && memory("8 parsecs").is_err());
    }

    #[test]
    fn a_month_and_a_year_begin_and_end() {
        let date = jiff::civil::date;
        for (text, first, last) in [
            ("2020-02", date(2020, 2, 1), date(2020, 2, 29)),
            ("2020", date(2020, 1, 1), date(2020, 12, 31)),
            ("2020-02-03", date(2020, 2, 3), date(2020, 2, 3)),
        ] {
            assert_eq!((first_day(text), last_day(text)), (Ok(first), Ok(last)), "{text}");
        }
        for text in ["", "20", "2020-13", "01/02/2007", "soon"] {
            assert!(first_day(text).is_err_and(|error| error.contains("2007-02-01")), "{text}");
        }
    }

    #[test]
    fn counts_and_ranges_say_what_they_mean() {
        assert_eq!(range("3..5"), Ok(3..5));
        assert_eq!(count("1e4"), count("10_000"));
        assert_eq!(["10k", "2K", "1.5M", "1e6"].map(count), [Ok(10_000), Ok(2_000), Ok(1_500_000), Ok(1_000_000)]);
        for (text, said) in [
            ("0", "at least 1"),
            ("-3", "at least 1"),
            ("1e30", "too large (most: 9007199254740992)"),
            ("1.5", "not a whole number"),
            ("k", "not a whole number"),
            ("1.0005k", "not a whole number"),
        ] {
            let error = count(text).expect_err(text);
            assert!(error.starts_with(said), "{text}: {error}");
        }
        assert!(range("5..3").is_err() && range("5").is_err() && range("a..b").is_err());
    }
}
