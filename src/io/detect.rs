//! What separates cells, and what separates whole from fraction, told from the first 256 KiB of a text.
//!
//! Delimiter: of `,` `;` tab `|`, and a space where none of these does, the one under which rows have the same width and
//! cells are numbers. Decimal mark: each number-like cell says what its marks can be, and together they must agree. What
//! could be either is an error: 1,234 alone is never guessed.

use std::collections::BTreeMap;

use crate::error::{Error, Result, option};
use crate::io::cells::{Cell, Decimal, Marks, Numbers, is_missing, marks, thirty_seconds};
use crate::io::{Notation, dates, shown};

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
const SAMPLE_BYTES: usize = 256 << 10;
/// Long lines are sampled too: at least this many of them, up to this many bytes.
const SAMPLE_LINES: usize = 30;
const LONG_SAMPLE_BYTES: usize = 4 << 20;

#[derive(Debug, Clone)]
pub(crate) struct Dialect {
    pub delimiter: u8,
    pub numbers: Numbers,
}

impl Dialect {
    pub(crate) fn detect(source: &str, text: &str, notation: &Notation) -> Result<Dialect> {
        let sample = sample(text);
        let delimiter = notation.delimiter.unwrap_or_else(|| delimiter(sample));
        let decimal_comma = notation.decimal_comma.or(match notation.thousands {
            Some(',') => Some(false),
            Some('.') => Some(true),
            _ => None,
        });
        let numbers = match decimal_comma {
            Some(true) => Numbers::new(Decimal::Comma, true),
            Some(false) => Numbers::new(Decimal::Point, true),
            None => decimal(source, sample, delimiter)?,
        };
        if notation.thousands.is_none() && !notation.thirty_seconds {
            refuse_apostrophes(source, sample, delimiter)?;
        }
        let numbers = Numbers {
            thousands: notation.thousands,
            thirty_seconds: notation.thirty_seconds,
            missing: notation.missing.clone(),
            ..numbers
        };
        Ok(Dialect { delimiter, numbers })
    }

    /// What is not usual about it.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let delimiter = (self.delimiter != b',').then(|| format!("cells are separated by a {}", name(self.delimiter)));
        let decimal = (self.numbers.decimal == Decimal::Comma).then(|| "the decimal mark is a comma".to_string());
        delimiter.into_iter().chain(decimal).collect()
    }
}

/// A delimiter's name in a sentence.
pub(crate) fn name(delimiter: u8) -> &'static str {
    match delimiter {
        b',' => "comma",
        b';' => "semicolon",
        b'\t' => "tab",
        b'|' => "vertical bar",
        b' ' => "space",
        _ => "delimiter of its own",
    }
}

/// Whole lines from the beginning of the text.
pub(crate) fn sample(text: &str) -> &str {
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

/// The records of a sample that are not blank.
pub(crate) fn records(sample: &str, delimiter: u8) -> impl Iterator<Item = csv::StringRecord> {
    let mut builder = csv::ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter);
    let records = builder.from_reader(sample.as_bytes()).into_records().map_while(std::result::Result::ok);
    records.filter(|record| record.iter().any(|cell| !cell.trim().is_empty()))
}

/// `# a remark`: a line that is no data. `#N/A` is a missing cell.
pub(crate) fn is_comment(record: &csv::StringRecord) -> bool {
    record.get(0).map(str::trim).is_some_and(|cell| cell.starts_with('#') && !is_missing(cell))
}

fn delimiter(sample: &str) -> u8 {
    let mut best = (0.0, 0, b',');
    for delimiter in DELIMITERS {
        let (score, width) = score(sample, delimiter);
        if (score, width) > (best.0, best.1) {
            best = (score, width, delimiter);
        }
    }
    match best.1 {
        0 if score(sample, b' ').0 > 0.5 => b' ',
        _ => best.2,
    }
}

/// How well a delimiter fits, and the width of most rows under it: the share of records of that width, the less the
/// fewer of their cells are numbers.
fn score(sample: &str, delimiter: u8) -> (f64, usize) {
    let records: Vec<csv::StringRecord> = records(sample, delimiter).filter(|record| !is_comment(record)).collect();
    let Some(width) = usual_width(&records).filter(|width| *width >= 2) else { return (0.0, 0) };
    let usual: Vec<&csv::StringRecord> = records.iter().filter(|record| record.len() == width).collect();
    let (mut cells, mut numbers) = (0_usize, 0_usize);
    for record in usual.iter().skip(1) {
        for cell in *record {
            cells += 1;
            numbers += usize::from(is_plain(bare(cell)));
        }
    }
    let share = if cells == 0 { 1.0 } else { numbers as f64 / cells as f64 };
    (usual.len() as f64 / records.len() as f64 * (0.1 + share), width)
}

/// A cell that is a number, a date or missing: nothing that a wrong delimiter would leave.
fn is_plain(cell: &str) -> bool {
    is_missing(cell)
        || cell.parse::<f64>().is_ok()
        || marks(cell).is_some()
        || Numbers::new(Decimal::Point, true).parse(cell) != Cell::Text
        || dates::looks_like_a_date(cell)
        || dates::is_time(cell)
}

/// The width of most records; of equally frequent ones the largest.
pub(crate) fn usual_width(records: &[csv::StringRecord]) -> Option<usize> {
    let mut widths: Vec<usize> = records.iter().map(csv::StringRecord::len).collect();
    widths.sort_unstable();
    widths.chunk_by(|a, b| a == b).max_by_key(|run| (run.len(), run[0])).map(|run| run[0])
}

/// The decimal mark that all number-like cells beyond the first row and column allow.
fn decimal(source: &str, sample: &str, delimiter: u8) -> Result<Numbers> {
    // The first cell that is so, and its row: a mark that can only be decimal, that could be either, that parts thousands.
    let mut decimals: [Option<(usize, String)>; 2] = [None, None];
    let mut either: [Option<(usize, String)>; 2] = [None, None];
    let mut thousands: [Option<(usize, String)>; 2] = [None, None];
    // In each column, the first whole number of three digits, and the first with three digits behind a point.
    let (mut hundreds, mut points_in) = (BTreeMap::new(), BTreeMap::new());
    let side = |mark: char| usize::from(mark == ',');
    for (row, record) in records(sample, delimiter).enumerate().skip(1) {
        for (column, cell) in record.iter().enumerate().skip(1).map(|(column, cell)| (column, bare(cell))) {
            // 987 above 1.004 is below a thousand, or far from it.
            let is_hundreds = cell.len() == 3 && cell.bytes().all(|b| b.is_ascii_digit());
            if is_hundreds {
                hundreds.entry(column).or_insert_with(|| (row, cell.to_string()));
            }
            if let Some(Marks::Either('.')) = marks(cell) {
                points_in.entry(column).or_insert_with(|| (row, cell.to_string()));
            }
            let place = match marks(cell) {
                Some(Marks::Decimal(mark)) => &mut decimals[side(mark)],
                Some(Marks::Either(mark)) => &mut either[side(mark)],
                Some(Marks::Thousands(mark)) => &mut thousands[side(mark)],
                None => continue,
            };
            place.get_or_insert_with(|| (row, cell.to_string()));
        }
    }
    let [points, commas] = [0, 1].map(|side| decimals[side].as_ref().or(thousands[1 - side].as_ref()));
    match (points, commas) {
        (Some((point_row, point)), Some((comma_row, comma))) => Err(Error::input(format!(
            "{source}: numbers with a decimal comma (`{}`, data row {comma_row}) stand beside numbers with a decimal point (`{}`, data row {point_row})",
            shown(comma),
            shown(point)
        ))
        .hint("write all numbers with a decimal point and without thousands separators")),
        (None, Some(_)) => Ok(Numbers::new(Decimal::Comma, true)),
        (Some(_), None) => Ok(Numbers::new(Decimal::Point, true)),
        (None, None) => match &either[1] {
            Some((row, cell)) => Err(Error::input(format!(
                "{source}: data row {row}: `{}` may be a decimal comma or a thousands separator",
                shown(cell)
            ))
            .hint(format!("say {}, or {} where commas separate thousands", option("decimal-comma"), option("decimal-comma").off()))),
            None => match points_in.iter().filter_map(|(column, point)| Some((point, hundreds.get(column)?))).find(are_thousands) {
                Some(((row, point), (_, whole))) => Err(Error::input(format!(
                    "{source}: data row {row}: `{}` may be a thousand and more or a number near one, and `{}` stands in \
                     its column",
                    shown(point),
                    shown(whole)
                ))
                .hint(format!("say {} or {}", option("thousands").word("."), option("decimal-comma").off()))),
                None => Ok(Numbers::new(Decimal::Point, false)),
            },
        },
    }
}

/// Whether 1.004 beside 987 is closer to it as a thousand and more; 941.101 beside 947 is not.
fn are_thousands(((_, point), (_, whole)): &(&(usize, String), &(usize, String))) -> bool {
    let [Ok(point), Ok(whole)] = [point, whole].map(|cell| cell.parse::<f64>()) else { return true };
    let distance = |number: f64| (number / whole).ln().abs();
    !(distance(point) <= distance(1_000.0 * point))
}

/// Refuses apostrophes that may separate thousands or whole numbers from 32nds: 118'160 and nothing that settles it.
fn refuse_apostrophes(source: &str, sample: &str, delimiter: u8) -> Result<()> {
    let mut first: Option<(usize, String)> = None;
    for (row, record) in records(sample, delimiter).enumerate().skip(1) {
        for cell in record.iter().skip(1).map(bare).filter(|cell| cell.contains(['\'', '’'])) {
            match thirty_seconds(cell) {
                Some(_) => _ = first.get_or_insert_with(|| (row, cell.to_string())),
                None if marks(cell).is_some() || Numbers::new(Decimal::Point, true).parse(cell) != Cell::Text => {
                    return Ok(());
                }
                None => {}
            }
        }
    }
    let Some((row, cell)) = first else { return Ok(()) };
    Err(Error::input(format!(
        "{source}: data row {row}: `{}` may be thousands, or a whole number and 32nds as bonds are quoted",
        shown(&cell)
    ))
    .hint(format!("say {}, or {}", option("thirty-seconds"), option("thousands").quoted("'"))))
}

/// A cell without surrounding spaces, and without the marks by which spreadsheets keep text as it is: `="1"`, `'1`.
pub(crate) fn bare(cell: &str) -> &str {
    let cell = cell.trim();
    if let Some(inside) = cell.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')) {
        return inside.trim();
    }
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialect(text: &str) -> (u8, Decimal) {
        let dialect = Dialect::detect("f", text, &Notation::default()).expect("unambiguous");
        (dialect.delimiter, dialect.numbers.decimal)
    }

    #[test]
    fn the_delimiter_is_the_consistent_one() {
        for delimiter in [',', ';', '\t', '|', ' '] {
            let text = "date,A,B\n2020-01-01,1.5,2\n2020-01-02,NA,3\n".replace(',', &delimiter.to_string());
            assert_eq!(dialect(&text), (delimiter as u8, Decimal::Point), "{delimiter:?}");
        }
        assert_eq!(dialect("date;S&P, 500;B, C\n1;2;3\n2;3;4\n").0, b';');
        assert_eq!(dialect("date;A;B\n2020-01-01;1,5;2,5\n2020-01-02;1,5;2,5\n"), (b';', Decimal::Comma));
        assert_eq!(dialect("date\tA\tB\nJun 3, 2019\t1\t2\nJun 4, 2019\t1\t2\n").0, b'\t');
        assert_eq!(dialect("alone\n1\n2\n").0, b',');
        let mails = "Date;A;B\nTue, 24 Aug 2004 00:00:00 +0000;=\"1.5\";145 328\nWed, 25 Aug 2004 00:00:00 +0000;=\"2.5\";145 000\n";
        assert_eq!(dialect(mails).0, b';');
        assert_eq!(dialect("some words, and more\n# x;y;z\ndate;A;B\n1;2;3\n2;3;4\n").0, b';');
    }

    #[test]
    fn a_decimal_comma_is_read_only_when_it_can_be_nothing_else() {
        assert_eq!(dialect("d;A;B\n1;41,6182;100\n2;41,7;\n").1, Decimal::Comma);
        assert_eq!(dialect("d;A\n1;0,123\n").1, Decimal::Comma);
        assert_eq!(dialect("d;A\n1;1.234,5\n").1, Decimal::Comma);
        assert_eq!(dialect("d;A\n1;41.5\n").1, Decimal::Point);
        assert_eq!(dialect("d,A\n1,\"1,234.5\"\n").1, Decimal::Point);
        for text in ["d;A\n1;1,234\n", "d;A;B\n1;1,5;2.5\n", "d,A\n1,\"12,345\"\n"] {
            assert!(Dialect::detect("f", text, &Notation::default()).is_err(), "{text:?}");
        }
        let said = Notation { decimal_comma: Some(true), ..Notation::default() };
        assert!(Dialect::detect("f", "d;A\n1;1,234\n", &said).is_ok());
    }

    #[test]
    fn a_point_beside_whole_hundreds_is_asked_after_where_it_may_part_thousands() {
        assert!(Dialect::detect("f", "d;A\n1;987\n2;1.004\n", &Notation::default()).is_err());
        assert_eq!(dialect("d;A\n1;947\n2;941.101\n").1, Decimal::Point);
        assert_eq!(dialect("d;A;B\n1;987;1.004\n2;990;1.005\n").1, Decimal::Point, "other columns say nothing");
    }

    #[test]
    fn long_lines_are_sampled_whole() {
        let wide = |cell: &str| cell.repeat(40_000);
        let text = format!("d{}\n1{}\n2{}\n", wide(";A"), wide(";1,5"), wide(";1,5"));
        assert_eq!(dialect(&text), (b';', Decimal::Comma));
    }
}
