//! A text table, row by row: a header of names, then rows of as many cells, each with its line in the file.
//!
//! Quotes, CRLF and CR line ends, blank lines, spaces around cells, lines that begin with # and one delimiter too many at
//! the end of each line are taken care of here. Lines count from 1 and include the header and blank lines.

use std::cell::Cell as Counter;
use std::io::{self, Read};

use crate::error::{Error, Result};
use crate::io::cells::Numbers;
use crate::io::detect::{Dialect, bare, is_comment};
use crate::io::{EMPTY, Notation, count, head};

/// A row of more bytes is an error; an unclosed quote must not swallow the memory.
const LONGEST_ROW: usize = 16 << 20;

pub(crate) struct Table<'a> {
    pub source: &'a str,
    /// Names of all columns.
    pub names: Vec<String>,
    pub header_line: u64,
    /// The lines of names as they stand, where the file has any.
    header: Vec<csv::StringRecord>,
    pub numbers: Numbers,
    reader: csv::Reader<Capped<'a>>,
    lines: Lines<'a>,
    record: csv::StringRecord,
}

impl<'a> Table<'a> {
    /// A plain table, one line of names first, and what was detected about it.
    pub(crate) fn open(source: &'a str, text: &'a str) -> Result<(Table<'a>, Option<String>)> {
        let dialect = Dialect::detect(source, text, &Notation::default())?;
        let remarks = dialect.remarks().join(", ");
        let mut table = Table::start(source, text, 1, dialect);
        table.header_line =
            table.next_record()?.ok_or_else(|| Error::input(format!("{source}: empty file")).hint(EMPTY))?;
        table.names = head::names_of(&table.record);
        head::check(source, table.names.iter().map(String::as_str))?;
        Ok((table, (!remarks.is_empty()).then(|| format!("{source}: {remarks}"))))
    }

    /// A table before its first record; its text begins in this line of the file.
    pub(crate) fn start(source: &'a str, text: &'a str, line: u64, dialect: Dialect) -> Table<'a> {
        let capped = Capped { bytes: text.as_bytes(), allowance: Counter::new(LONGEST_ROW) };
        let mut builder = csv::ReaderBuilder::new();
        builder.has_headers(false).flexible(true).delimiter(dialect.delimiter);
        Table {
            source,
            names: Vec::new(),
            header: Vec::new(),
            header_line: line,
            numbers: dialect.numbers,
            reader: builder.from_reader(capped),
            lines: Lines { text, offset: 0, line },
            record: csv::StringRecord::new(),
        }
    }

    /// Passes over the rows of a header.
    pub(crate) fn skip(&mut self, records: usize) -> Result<()> {
        for _ in 0..records {
            self.header_line = self.next_record()?.unwrap_or(self.header_line);
            self.header.push(self.record.clone());
        }
        Ok(())
    }

    /// Moves to the next row that is neither blank nor the line of names again, and gives its line. Its cells are as many
    /// as the header's names.
    pub(crate) fn next(&mut self) -> Result<Option<u64>> {
        let line = loop {
            let Some(line) = self.next_record()? else { return Ok(None) };
            if !self.header.contains(&self.record) {
                break line;
            }
        };
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

    /// Moves to the next record that is neither blank nor a remark, whatever its width.
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
            if self.record.iter().any(|cell| !cell.trim().is_empty()) && !is_comment(&self.record) {
                return Ok(Some(self.lines.line_at(start)));
            }
        }
    }

    /// The cell in a column (counted from 0) of the current row, without what stands around it.
    pub(crate) fn cell(&self, column: usize) -> &str {
        bare(self.record.get(column).unwrap_or_default())
    }

    /// Where in the text the next record begins.
    pub(crate) fn offset(&self) -> usize {
        self.reader.position().byte() as usize
    }

    /// All cells of the current row, without what stands around them.
    pub(crate) fn cells(&self) -> impl Iterator<Item = &str> {
        self.record.iter().map(bare)
    }

    /// Number of cells in the current row.
    pub(crate) fn width(&self) -> usize {
        self.record.len()
    }
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
        let (mut table, _) = Table::open("f", text)?;
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
        let (table, _) = Table::open("f", "date,\"A,\nB\" , C \r\n").expect("well formed");
        assert_eq!(table.names, ["date", "A, B", "C"]);
    }

    #[test]
    fn remarks_are_no_rows() {
        let text = "# made by hand\nd,A\n# half way\n1,2\n#N/A,3\n";
        assert_eq!(rows(text).expect("well formed"), [(4, "1/2".to_string()), (5, "#N/A/3".to_string())]);
    }

    #[test]
    fn an_open_quote_does_not_swallow_the_memory() {
        let text = "d,A\n1,\"".to_string() + &"x".repeat(LONGEST_ROW + 100_000);
        let (mut table, _) = Table::open("f", &text).expect("the header is fine");
        let error = table.next().expect_err("the row is too long");
        assert!(error.message.contains("line 2") && error.message.contains("16 MiB"), "{}", error.message);
    }
}
