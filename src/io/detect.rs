//! What separates cells, and what separates whole from fraction, told from the first 64 KiB of a text.
//!
//! Delimiter: of `,` `;` tab `|`, the one under which most rows have as many cells as the header (two at least); among
//! equals the one with more columns. Decimal mark: a comma when some cell reads `41,6`, none has a point, and the commas
//! cannot be thousands separators. What could be either is an error: 1,234 is never guessed.

use crate::error::{Error, Result};
use crate::io::cells::Decimal;
use crate::io::shown;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
const SAMPLE_BYTES: usize = 64 << 10;
/// Long lines are sampled too: at least this many of them, up to this many bytes.
const SAMPLE_LINES: usize = 3;
const LONG_SAMPLE_BYTES: usize = 4 << 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    pub decimal: Decimal,
}

impl Dialect {
    pub(crate) fn detect(source: &str, text: &str) -> Result<Dialect> {
        let sample = sample(text);
        let delimiter = delimiter(sample);
        Ok(Dialect { delimiter, decimal: decimal(source, sample, delimiter)? })
    }

    /// Said when it is not the usual one.
    pub(crate) fn notice(self, source: &str) -> Option<String> {
        let delimiter = match self.delimiter {
            b',' => None,
            b';' => Some("semicolon"),
            b'\t' => Some("tab"),
            _ => Some("vertical bar"),
        };
        let delimiter = delimiter.map(|name| format!("cells are separated by a {name}"));
        let decimal = (self.decimal == Decimal::Comma).then(|| "the decimal mark is a comma".to_string());
        let facts: Vec<String> = delimiter.into_iter().chain(decimal).collect();
        (!facts.is_empty()).then(|| format!("{source}: {}", facts.join(", ")))
    }
}

/// Whole lines from the beginning of the text.
fn sample(text: &str) -> &str {
    let mut lines = 0;
    for (offset, byte) in text.bytes().enumerate().take(LONG_SAMPLE_BYTES) {
        if byte == b'\n' || byte == b'\r' {
            lines += 1;
            if offset >= SAMPLE_BYTES && lines >= SAMPLE_LINES {
                return &text[..offset];
            }
        }
    }
    &text[..text.floor_char_boundary(LONG_SAMPLE_BYTES)]
}

fn records(sample: &str, delimiter: u8) -> impl Iterator<Item = csv::StringRecord> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter);
    builder.from_reader(sample.as_bytes()).into_records().map_while(std::result::Result::ok)
}

fn delimiter(sample: &str) -> u8 {
    let mut best = (0.0, 0, b',');
    for delimiter in DELIMITERS {
        let mut widths = records(sample, delimiter).map(|record| record.len());
        let header = widths.next().unwrap_or(0);
        if header < 2 {
            continue;
        }
        let (mut rows, mut agreeing) = (0_usize, 0_usize);
        for width in widths {
            rows += 1;
            agreeing += usize::from(width == header);
        }
        let consistency = if rows == 0 { 1.0 } else { agreeing as f64 / rows as f64 };
        if (consistency, header) > (best.0, best.1) {
            best = (consistency, header, delimiter);
        }
    }
    best.2
}

fn decimal(source: &str, sample: &str, delimiter: u8) -> Result<Decimal> {
    let mut comma: Option<(usize, String)> = None;
    let mut point: Option<(usize, String)> = None;
    let mut is_certain = false;
    for (row, record) in records(sample, delimiter).enumerate().skip(1) {
        for cell in record.iter().skip(1) {
            let cell = cell.trim().trim_end_matches('%').trim_end();
            let is_numeric = cell.bytes().any(|b| b.is_ascii_digit())
                && cell.bytes().all(|b| b.is_ascii_digit() || b",.+-eE".contains(&b));
            if !is_numeric {
                continue;
            }
            if cell.contains(',') {
                is_certain |= !could_be_thousands(cell);
                comma.get_or_insert_with(|| (row, cell.to_string()));
            }
            if cell.contains('.') {
                point.get_or_insert_with(|| (row, cell.to_string()));
            }
        }
    }
    match (comma, point) {
        (None, _) => Ok(Decimal::Point),
        (Some(_), None) if is_certain => Ok(Decimal::Comma),
        (Some((row, comma)), None) => Err(Error::input(format!(
            "{source}: data row {row}: `{}` may be a decimal comma or a thousands separator",
            shown(&comma)
        ))
        .hint("write numbers with a decimal point and without thousands separators")),
        (Some((comma_row, comma)), Some((point_row, point))) => Err(Error::input(format!(
            "{source}: numbers with commas (`{}`, data row {comma_row}) stand beside numbers with points (`{}`, data row {point_row})",
            shown(&comma),
            shown(&point)
        ))
        .hint("write numbers with a decimal point and without thousands separators")),
    }
}

/// Groups of three digits after one to three digits that are not a lone zero: `1,234` and `12,345,678`, not `0,123`.
fn could_be_thousands(cell: &str) -> bool {
    let mut groups = cell.trim_start_matches(['+', '-']).split(',');
    let first = groups.next().unwrap_or_default();
    let is_first = (1..=3).contains(&first.len()) && first != "0" && first.bytes().all(|b| b.is_ascii_digit());
    is_first && groups.all(|group| group.len() == 3 && group.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> Dialect {
        Dialect::detect("f", text).expect("unambiguous")
    }

    #[test]
    fn the_delimiter_is_the_consistent_one() {
        for delimiter in [',', ';', '\t', '|'] {
            let text = "date,A,B\n2020-01-01,1.5,2\n2020-01-02,,3\n".replace(',', &delimiter.to_string());
            assert_eq!(dialect(&text), Dialect { delimiter: delimiter as u8, decimal: Decimal::Point });
        }
        assert_eq!(dialect("date;S&P, 500;B, C\n1;2;3\n2;3;4\n").delimiter, b';');
        assert_eq!(dialect("alone\n1\n2\n").delimiter, b',');
    }

    #[test]
    fn a_decimal_comma_is_read_only_when_it_can_be_nothing_else() {
        assert_eq!(dialect("d;A;B\n1;41,6182;100\n2;41,7;\n").decimal, Decimal::Comma);
        assert_eq!(dialect("d;A\n1;0,123\n").decimal, Decimal::Comma);
        assert_eq!(dialect("d;A\n1;41.5\n").decimal, Decimal::Point);
        for text in ["d;A\n1;1,234\n", "d;A;B\n1;1,5;2.5\n", "d;A\n1;1.234,5\n", "d,A\n1,\"12,345\"\n"] {
            assert!(Dialect::detect("f", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn long_lines_are_sampled_whole() {
        let wide = |cell: &str| cell.repeat(40_000);
        let text = format!("d{}\n1{}\n2{}\n", wide(";A"), wide(";1,5"), wide(";1,5"));
        assert_eq!(dialect(&text), Dialect { delimiter: b';', decimal: Decimal::Comma });
    }
}
