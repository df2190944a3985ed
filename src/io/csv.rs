//! A text table, row by row: a header of names, then rows of as many cells, each with its line in the file.
//!
//! Quotes, CRLF and CR line ends, blank lines, spaces around cells, a byte order mark and one delimiter too many at the
//! end of each line are taken care of here. Lines count from 1 and include the header and blank lines.

use std::cell::Cell as Counter;
use std::io::{self, Read};

use crate::error::{Error, Result};
use crate::io::cells::Decimal;
use crate::io::detect::Dialect;
use crate::io::{EMPTY, Notices, count, shown};

/// A row of more bytes is an error; an unclosed quote must not swallow the memory.
const LONGEST_ROW: usize = 16 << 20;
const MOST_COLUMNS: usize = 100_000;
const LONGEST_NAME: usize = 200;

pub(crate) struct Table<'a> {
    pub source: &'a str,
    /// Names of all columns, that of the label column first.
    pub names: Vec<String>,
    pub header_line: u64,
    pub decimal: Decimal,
    reader: csv::Reader<Capped<'a>>,
    lines: Lines<'a>,
    record: csv::StringRecord,
}

impl<'a> Table<'a> {
    /// Reads the header.
    pub(crate) fn open(source: &'a str, bytes: &'a [u8]) -> Result<(Table<'a>, Notices)> {
        let text = text(source, bytes)?;
        let dialect = Dialect::detect(source, text)?;
        let capped = Capped { bytes: text.as_bytes(), allowance: Counter::new(LONGEST_ROW) };
        let mut builder = csv::ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(dialect.delimiter);
        let mut table = Table {
            source,
            names: Vec::new(),
            header_line: 1,
            decimal: dialect.decimal,
            reader: builder.from_reader(capped),
            lines: Lines { text, offset: 0, line: 1 },
            record: csv::StringRecord::new(),
        };
        table.header_line =
            table.next_record()?.ok_or_else(|| Error::input(format!("{source}: empty file")).hint(EMPTY))?;
        table.names = header(source, table.header_line, &table.record)?;
        Ok((table, dialect.notice(source).into_iter().collect()))
    }

    /// Moves to the next row that is not blank and gives its line. Its cells are as many as the header's names.
    pub(crate) fn next(&mut self) -> Result<Option<u64>> {
        let Some(line) = self.next_record()? else { return Ok(None) };
        let (cells, names) = (self.record.len(), self.names.len());
        let is_ragged = cells < names || self.record.iter().skip(names).any(|cell| !cell.trim().is_empty());
        if is_ragged {
            return Err(Error::input(format!(
                "{}: line {line} has {}, the header has {}",
                self.source,
                count(cells, "cell"),
                count(names, "name")
            ))
            .hint("every line needs one cell per column; quote cells that contain the delimiter"));
        }
        Ok(Some(line))
    }

    /// Moves to the next record that is not blank, whatever its width.
    pub(crate) fn next_record(&mut self) -> Result<Option<u64>> {
        loop {
            self.reader.get_ref().allowance.set(LONGEST_ROW);
            let start = self.reader.position().byte() as usize;
            let is_read = self.reader.read_record(&mut self.record).map_err(|error| {
                let line = self.lines.line_at(start);
                Error::input(format!("{}: line {line}: {error}", self.source)).hint("is a quote left open?")
            })?;
            if !is_read {
                return Ok(None);
            }
            if self.record.iter().any(|cell| !cell.trim().is_empty()) {
                return Ok(Some(self.lines.line_at(start)));
            }
        }
    }

    /// The cell in a column (counted from 0) of the current row, without surrounding spaces.
    pub(crate) fn cell(&self, column: usize) -> &str {
        self.record.get(column).unwrap_or_default().trim()
    }

    /// Number of cells in the current row.
    pub(crate) fn width(&self) -> usize {
        self.record.len()
    }
}

/// UTF-8 without its byte order mark, and nothing else.
fn text<'a>(source: &str, bytes: &'a [u8]) -> Result<&'a str> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(Error::input(format!("{source}: this is UTF-16 text")).hint("save it as UTF-8"));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let place = error.valid_up_to();
        let line = 1 + bytes[..place].iter().filter(|&&byte| byte == b'\n').count();
        Error::input(format!("{source}: line {line}: byte {:#04x} is not UTF-8 text", bytes[place]))
            .hint("save it as CSV in UTF-8")
    })?;
    if text.contains('\0') {
        return Err(Error::input(format!("{source}: this is not text: it contains zero bytes")));
    }
    if text.trim().is_empty() {
        return Err(Error::input(format!("{source}: empty file")).hint(EMPTY));
    }
    Ok(text)
}

fn header(source: &str, line: u64, record: &csv::StringRecord) -> Result<Vec<String>> {
    // One line of words: a quoted name may span lines.
    let mut names: Vec<String> =
        record.iter().map(|name| name.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    while names.len() > 1 && names.last().is_some_and(String::is_empty) {
        names.pop();
    }
    if names.len() > MOST_COLUMNS {
        return Err(Error::input(format!("{source}: line {line}: {} columns, at most {MOST_COLUMNS}", names.len()))
            .hint("cut the file down to the assets that are needed"));
    }
    for (column, name) in names.iter().enumerate() {
        let column = column + 1;
        if column > 1 && name.is_empty() {
            return Err(Error::input(format!("{source}: line {line}: column {column} has no name"))
                .hint("the first line names every column"));
        }
        if name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
            return Err(Error::input(format!("{source}: line {line}: `{}` is no name for a column", shown(name)))
                .hint("names are short and without control characters; is a quote left open?"));
        }
    }
    Ok(names)
}

/// A reader that gives out so many bytes only; the allowance is renewed for each row.
struct Capped<'a> {
    bytes: &'a [u8],
    allowance: Counter<usize>,
}

impl Read for Capped<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(self.allowance.get());
        if most == 0 && !self.bytes.is_empty() {
            return Err(io::Error::other(format!("a row of more than {} MiB", LONGEST_ROW >> 20)));
        }
        let length = self.bytes.read(&mut buffer[..most])?;
        self.allowance.set(self.allowance.get() - length);
        Ok(length)
    }
}

/// Turns increasing byte offsets into line numbers; LF, CRLF and CR all end a line.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: u64,
}

impl Lines<'_> {
    /// The line of the first byte at or after `offset` that does not end a line.
    fn line_at(&mut self, offset: usize) -> u64 {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.offset) {
            let ends_line = byte == b'\n' || byte == b'\r';
            if self.offset >= offset && !ends_line {
                break;
            }
            let is_second_half = byte == b'\n' && self.offset > 0 && bytes[self.offset - 1] == b'\r';
            self.line += u64::from(ends_line && !is_second_half);
            self.offset += 1;
        }
        self.line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<(u64, String)>> {
        let (mut table, _) = Table::open("f", text.as_bytes())?;
        let mut rows = Vec::new();
        while let Some(line) = table.next()? {
            let cells: Vec<&str> = (0..table.names.len()).map(|column| table.cell(column)).collect();
            rows.push((line, cells.join("/")));
        }
        Ok(rows)
    }

    #[test]
    fn lines_are_those_of_the_file() {
        let expected = vec![(2, "1/2".to_string()), (5, "3/4".to_string()), (8, "5/6".to_string())];
        let text = "d,A\n1,2\n\n  \n3,4\n,\n\n5,6";
        for ending in ["\n", "\r\n", "\r"] {
            assert_eq!(rows(&text.replace('\n', ending)).expect("well formed"), expected, "{ending:?}");
        }
    }

    #[test]
    fn a_delimiter_too_many_at_the_end_is_harmless() {
        for text in ["d,A,\n1,2,\n", "d,A,\n1,2\n", "d,A\n1,2,\n", "d,A\n1,2,,,\n"] {
            assert_eq!(rows(text).expect("well formed"), [(2, "1/2".to_string())], "{text:?}");
        }
    }

    #[test]
    fn ragged_rows_are_named_by_line() {
        for text in ["d,A,B\n1,2,3\n2,3\n", "d,A,B\n1,2,3\n2,3,4,5\n"] {
            let error = rows(text).expect_err("ragged");
            assert!(error.message.starts_with("f: line 3 has"), "{}", error.message);
        }
    }

    #[test]
    fn quotes_and_marks_are_taken_off() {
        let (table, _) = Table::open("f", "\u{feff}date,\"A,\nB\" , C \r\n".as_bytes()).expect("well formed");
        assert_eq!(table.names, ["date", "A, B", "C"]);
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_memory() {
        let mut text = b"d,A\n1,\"".to_vec();
        text.resize(LONGEST_ROW + 100_000, b'x');
        let (mut table, _) = Table::open("f", &text).expect("the header is fine");
        let error = table.next().expect_err("the row is too long");
        assert!(error.message.contains("line 2") && error.message.contains("16 MiB"), "{}", error.message);
    }

    #[test]
    fn what_is_not_text_is_refused() {
        for bytes in [&b""[..], b"\n\n  \n", b"\xff\xfed\0", b"d,A\n1,\xe9\n", b"d,A\n1,\0\n", b"\xef\xbb\xbf"] {
            assert!(Table::open("f", bytes).is_err(), "{bytes:?}");
        }
    }
}
