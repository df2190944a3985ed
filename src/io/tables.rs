//! Which lines of a text are the table that is read.
//!
//! A file may hold remarks above and below its data, the line of names again on every page, and several tables below each
//! other, as Kenneth French's files do. Rows of data are told by a date or number at their beginning and numbers behind
//! it; three or more make a table, and what stands between two tables is the head of the second.

use crate::error::{Error, Result, option};
use crate::io::cells::{Cell, Decimal, Numbers, is_missing};
use crate::io::csv::Table;
use crate::io::detect::Dialect;
use crate::io::fields::is_date_name;
use crate::io::{Notices, count, dates, shown};

/// Fewer rows of data are no table of their own, but part of the prose around one.
const LEAST_ROWS: usize = 3;

/// A table with its head, cut out of a text.
pub(crate) struct Piece<'a> {
    pub text: &'a str,
    /// The line of the file in which it begins.
    pub line: u64,
    pub remarks: Notices,
}

/// Rows of data without a break.
struct Run {
    /// Offset of the text after its last row.
    end: usize,
    lines: [u64; 2],
    rows: usize,
    /// Its first row begins with a date.
    is_dated: bool,
    /// What stood between it and the run before.
    before: Vec<Words>,
}

/// A row that is no data.
struct Words {
    line: u64,
    cells: Vec<String>,
}

impl Words {
    /// More than one cell: a line of names, as far as can be told.
    fn is_header(&self) -> bool {
        self.cells.iter().filter(|cell| !cell.is_empty()).count() > 1
    }
}

/// Cuts out the table of this number (from 1), or the first.
pub(crate) fn choose<'a>(source: &str, text: &'a str, dialect: &Dialect, wanted: Option<usize>) -> Result<Piece<'a>> {
    let (runs, after) = runs(source, text, dialect);
    let mut remarks = Notices::new();
    // Runs that go on under the same names are one table; short ones belong to the head of the next.
    let mut tables: Vec<Run> = Vec::new();
    let mut prose: Vec<Words> = Vec::new();
    let mut repeats = 0;
    let mut header: Vec<Vec<String>> = Vec::new();
    for mut run in runs {
        let is_again = |words: &Words| header.contains(&words.cells);
        if let Some(table) = tables.last_mut()
            && prose.is_empty()
            && run.before.iter().all(is_again)
        {
            repeats += run.before.len();
            (table.end, table.lines[1], table.rows) = (run.end, run.lines[1], table.rows + run.rows);
            continue;
        }
        let goes_on = run.rows >= LEAST_ROWS || run.is_dated && tables.last().is_some_and(|table| table.is_dated);
        if let Some(words) = run.before.first()
            && !tables.is_empty()
            && goes_on
            && !prose.iter().chain(&run.before).any(Words::is_header)
        {
            return Err(broken(source, words));
        }
        prose.append(&mut run.before);
        if run.rows < LEAST_ROWS {
            continue;
        }
        run.before = std::mem::take(&mut prose);
        header = run.before.iter().map(|words| words.cells.clone()).collect();
        tables.push(run);
    }
    let number = wanted.unwrap_or(1);
    if number > tables.len().max(1) {
        let found = count(tables.len().max(1), "table");
        return Err(Error::usage(format!("{source}: {}: the file holds {found}", option("table").plain(number)))
            .hint("tables are numbered from 1, as they stand in the file"));
    }
    let Some(table) = tables.get(number - 1) else { return Ok(Piece { text, line: 1, remarks }) };
    if repeats > 0 {
        remarks.push(format!("{} of names again left out", count(repeats, "line")).into());
    }
    if tables.len() > 1 {
        let spans: Vec<String> = tables
            .iter()
            .enumerate()
            .map(|(place, table)| {
                let title = table.before.iter().find(|words| !words.is_header()).map(|words| words.cells.join(" "));
                let title = title.map_or(String::new(), |title| format!(", `{}`", shown(title.trim())));
                format!("{} is lines {} to {}{title}", place + 1, table.lines[0], table.lines[1])
            })
            .take(4)
            .collect();
        remarks.push(
            format!(
                "{} in the file, number {number} is read ({} reads another): {}",
                count(tables.len(), "table"),
                option("table").plain("N"),
                spans.join("; ")
            )
            .into(),
        );
    }
    // What stands below the last table.
    let below: Vec<&Words> = prose.iter().chain(&after).collect();
    if number == tables.len()
        && let Some(first) = below.first()
    {
        let what = shown(first.cells.join(" ").trim());
        remarks.push(format!("{} below the data left out (`{what}`)", count(below.len(), "line")).into());
    }
    let mut start = if number == 1 { 0 } else { tables[number - 2].end };
    // The second half of CRLF.
    start += usize::from(start > 0 && text[..start].ends_with('\r') && text[start..].starts_with('\n'));
    let line = if number == 1 { 1 } else { 1 + lines_in(&text[..start]) };
    Ok(Piece { text: &text[start..table.end], line, remarks })
}

fn broken(source: &str, words: &Words) -> Error {
    Error::input(format!(
        "{source}: line {}: `{}` stands between rows of data, and is neither data nor a line of names",
        words.line,
        shown(words.cells.join(" ").trim())
    ))
    .hint("take the line out; a second table needs a line of names of its own")
}

/// Ends of lines: LF, CRLF or CR.
fn lines_in(text: &str) -> u64 {
    let bytes = text.as_bytes();
    let ends = |(place, byte): (usize, &u8)| *byte == b'\n' || *byte == b'\r' && bytes.get(place + 1) != Some(&b'\n');
    bytes.iter().enumerate().filter(|&(place, byte)| ends((place, byte))).count() as u64
}

/// The runs of data, and what stands below the last.
fn runs(source: &str, text: &str, dialect: &Dialect) -> (Vec<Run>, Vec<Words>) {
    let mut table = Table::start(source, text, 1, dialect.clone());
    let (mut runs, mut between): (Vec<Run>, Vec<Words>) = (Vec::new(), Vec::new());
    // What cannot be read is reported where it is read.
    while let Ok(Some(line)) = table.next_record() {
        let end = table.offset();
        if !is_data(&table) {
            between.push(Words { line, cells: table.cells().map(str::to_string).collect() });
            continue;
        }
        match runs.last_mut().filter(|_| between.is_empty()) {
            Some(run) => (run.end, run.lines[1], run.rows) = (end, line, run.rows + 1),
            None => runs.push(Run {
                end,
                lines: [line; 2],
                rows: 1,
                is_dated: dates::looks_like_a_date(table.cell(0)),
                before: std::mem::take(&mut between),
            }),
        }
    }
    // A quote left open, or a row too long: the reader must meet it.
    if table.offset() < text.len()
        && let Some(run) = runs.last_mut()
    {
        run.end = text.len();
        between.clear();
    }
    (runs, between)
}

/// Whether the current row holds data: a date or a number, and numbers behind it.
fn is_data(table: &Table<'_>) -> bool {
    let is_number = |cell: &str| {
        cell.bytes().any(|b| b.is_ascii_digit())
            && [Decimal::Point, Decimal::Comma]
                .into_iter()
                .any(|decimal| !matches!(Numbers::new(decimal, true).parse(cell), Cell::Text | Cell::Missing))
    };
    let mut cells = table.cells();
    let first = cells.next().unwrap_or_default();
    if dates::looks_like_a_date(first) {
        return cells.next().is_some();
    }
    let (mut numbers, mut gaps, mut dated, mut words) = (0, 0, 0, 0);
    for cell in cells {
        match cell {
            _ if is_missing(cell) => gaps += 1,
            _ if is_number(cell) || table.numbers.is_missing(cell) => numbers += 1,
            _ if dates::looks_like_a_date(cell) || dates::is_time(cell) => dated += 1,
            _ => words += 1,
        }
    }
    // A row of a long table whose one value is missing has a date or number of its own.
    let is_gap = gaps > 0 && (is_number(first) || dated == 1 && !first.is_empty() && !is_date_name(first));
    is_gap || numbers > 0 && (is_number(first) || dated > 0 || numbers >= words)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::Notation;

    fn piece(text: &str, wanted: Option<usize>) -> Result<(String, Notices)> {
        let dialect = Dialect::detect("f", text, &Notation::default())?;
        let piece = choose("f", text, &dialect, wanted)?;
        Ok((piece.text.to_string(), piece.remarks))
    }

    const DATA: &str = "2020-01-01,1,2\n2020-01-02,2,3\n2020-01-03,3,1\n";

    #[test]
    fn what_stands_below_the_data_is_cut_off() {
        let table = format!("date,A,B\n{DATA}");
        assert_eq!(piece(&table, None).expect("a table"), (table.clone(), vec![]));
        for below in [
            "\n\"Copyright, all rights reserved\"\n",
            "Source: a vendor\n\nDownloaded today\n",
            "\nSummary\nmean,1.5\n",
        ] {
            let (text, remarks) = piece(&(table.clone() + below), None).expect("a table");
            assert_eq!((text, remarks.len()), (table.clone(), 1), "{below}");
        }
    }

    #[test]
    fn tables_are_told_apart_by_their_names() {
        let text = format!("Monthly\n\n,A,B\n{DATA}\nAnnual\n,A,B\n2019,1,2\n2020,1,3\n2021,1,4\n\nthe end\n");
        let (first, remarks) = piece(&text, None).expect("the first");
        assert!(first.starts_with("Monthly") && first.ends_with("3,1\n"), "{first}");
        assert!(remarks[0].contains("2 tables") && remarks[0].contains("`Annual`"), "{remarks:?}");
        let (second, _) = piece(&text, Some(2)).expect("the second");
        assert!(second.trim().starts_with("Annual") && second.ends_with("1,4\n"), "{second}");
        assert!(piece(&text, Some(3)).is_err());
    }

    #[test]
    fn a_row_whose_only_value_is_missing_is_data() {
        let text =
            "date,ticker,close\n43831,A,1\n43832,A,2\n43833,A,3\n43834,A,\n43831,B,\n43832,B,2\n43833,B,1\n43834,B,4\n";
        assert_eq!(piece(text, None).expect("one table"), (text.to_string(), vec![]));
        let first = "ticker,date,close\nA,2020-01-01,1\nA,2020-01-02,2\nA,2020-01-03,\nB,2020-01-01,5\nB,2020-01-02,\nB,2020-01-03,2\n";
        assert_eq!(piece(first, None).expect("one table"), (first.to_string(), vec![]));
    }

    #[test]
    fn several_lines_of_names_may_stand_again() {
        let head = "Price,Close,Close\nTicker,A,B\ndate,,\n";
        let text = format!("{head}{DATA}{head}2020-01-06,1,2\n2020-01-07,1,2\n2020-01-08,1,2\n");
        let (found, remarks) = piece(&text, None).expect("one table");
        assert_eq!((found, remarks), (text, vec!["3 lines of names again left out".into()]));
    }

    #[test]
    fn names_may_stand_again_on_each_page_but_no_other_words() {
        let text = format!("date,A,B\n{DATA}date,A,B\n2020-01-06,1,2\n");
        let (found, remarks) = piece(&text, None).expect("one table");
        assert_eq!((found, remarks), (text, vec!["1 line of names again left out".into()]));
        let broken = format!("date,A,B\n{DATA}half way\n2020-01-06,1,2\n2020-01-07,1,2\n2020-01-08,1,2\n");
        let error = piece(&broken, None).expect_err("a broken table");
        assert!(error.message.contains("line 5") && error.message.contains("half way"), "{error}");
    }
}
