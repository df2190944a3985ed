//! NPY arrays of numbers: batches of matrices, and histories without names or dates.
//!
//! Layout (NumPy enhancement proposal 1): magic `93 NUMPY`, version (major, minor), length of the header (u16 in
//! version 1, u32 in 2 and 3, little-endian), the header as a Python dict
//! `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4, 4), }`, padded with spaces to a multiple of 64, and a line
//! end; then the numbers. The declared shape is compared with the length of the file before memory is asked for.
//! Pickled objects are never touched.

use std::io::{self, BufReader, Read, Write};

use crate::error::{Error, Result};
use crate::io::dates::{self, Keys};
use crate::io::history::History;
use crate::io::input::{self, Format};
use crate::io::{Detected, Input, Limits, Request, shown};

const MAGIC: &[u8] = b"\x93NUMPY";
/// A word takes more memory than its bytes in the file.
const MOST_WORDS: usize = 1 << 22;
const LONGEST_HEADER: usize = 64 << 10;
const HINT: &str = "save it with numpy.save(path, array.astype(\"float64\"))";

/// An array, its last index running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// Reads an array of numbers in two or three dimensions, in either byte order and either index order.
///
/// # Errors
/// Anything else; the message says what.
pub fn read(input: &Input) -> Result<Array> {
    if let Input::Path(path) = input {
        // A plain file is streamed: batches of matrices are large.
        let mut file = BufReader::new(input::open(path)?);
        let name = input.to_string();
        let metadata = file.get_ref().metadata().map_err(|e| input::unreadable(&name, &e))?;
        let first = io::BufRead::fill_buf(&mut file).map_err(|e| input::unreadable(&name, &e))?;
        if metadata.is_file() && Format::of(first) == Format::Npy {
            return matrices(&name, file, metadata.len());
        }
    }
    let contents = input.load(Limits::default())?;
    match contents.format {
        Format::Npy => matrices(&contents.name, &contents.bytes[..], contents.bytes.len() as u64),
        _ => Err(Error::input(format!("{}: this is not an NPY file", contents.name)).hint(HINT)),
    }
}

fn matrices(name: &str, source: impl Read, length: u64) -> Result<Array> {
    let Member { shape, cells } = parse(name, source, length)?;
    if !(2..=3).contains(&shape.len()) {
        return Err(refuse(name, format!("an array of shape {shape:?}, where two or three dimensions are needed")));
    }
    match cells {
        Cells::Numbers(values) => Ok(Array { shape, values }),
        other => Err(refuse(name, format!("an array of {}, where numbers are needed", other.name()))),
    }
}

/// A history of numbers alone: rows x assets, or the rows of one asset.
pub(crate) fn history(name: &str, bytes: &[u8], request: &Request<'_>) -> Result<(History, Detected)> {
    let member = parse(name, bytes, bytes.len() as u64)?;
    let mut detected = Detected { source: name.to_string(), format: "npy", layout: "wide", ..Detected::default() };
    let history = tabulate(name, member, None, None, request, &mut detected)?;
    Ok((history, detected))
}

/// Rows x assets with what names and labels there are; without, assets are called 0, 1, 2, ..
pub(crate) fn tabulate(
    source: &str,
    member: Member,
    assets: Option<Vec<String>>,
    labels: Option<Vec<String>>,
    request: &Request<'_>,
    detected: &mut Detected,
) -> Result<History> {
    let Member { shape, cells } = member;
    let (rows, n) = match shape[..] {
        [rows] => (rows, 1),
        [rows, n] => (rows, n),
        _ => {
            return Err(refuse(source, format!("an array of shape {shape:?}, where rows x assets are needed")));
        }
    };
    let Cells::Numbers(values) = cells else {
        return Err(refuse(source, format!("an array of {}, where numbers are needed", cells.name())));
    };
    request.limits.check(source, rows, values.len())?;
    let has_labels = labels.is_some();
    let names = assets.unwrap_or_else(|| (0..n).map(|asset| asset.to_string()).collect());
    let mut history = History {
        source: source.to_string(),
        columns: (1..=n).collect(),
        labels: labels.unwrap_or_else(|| (0..rows).map(|row| row.to_string()).collect()),
        keys: Keys::Numbers((0..rows as i64).collect()),
        lines: (1..=rows as u64).collect(),
        cell_lines: Vec::new(),
        noun: "row",
        assets: names,
        values,
    };
    if has_labels {
        history.read_labels(Some("date"), request.notation, detected)?;
    }
    let chosen = request.choose(source, &history.assets, |asset| asset + 1)?;
    history.take_assets(&chosen);
    Ok(history)
}

fn refuse(name: &str, what: String) -> Error {
    Error::input(format!("{name}: {what}")).hint(HINT)
}

/// An array of any shape, its last index running fastest.
#[derive(Debug)]
pub(crate) struct Member {
    pub shape: Vec<usize>,
    pub cells: Cells,
}

#[derive(Debug)]
pub(crate) enum Cells {
    Numbers(Vec<f64>),
    Text(Vec<String>),
    /// Days as yyyy-mm-dd; empty where there is none.
    Dates(Vec<String>),
}

impl Cells {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Cells::Numbers(_) => "numbers",
            Cells::Text(_) => "text",
            Cells::Dates(_) => "dates",
        }
    }
}

/// Reads an array from a source that holds so many bytes.
pub(crate) fn parse(name: &str, mut source: impl Read, length: u64) -> Result<Member> {
    let (header, header_length) = read_header(&mut source).map_err(|e| refuse(name, format!("bad NPY header: {e}")))?;
    let Header { kind, width, is_big_endian, is_fortran, shape } = header.map_err(|what| refuse(name, what))?;
    if shape.contains(&0) {
        return Err(refuse(name, format!("an array of shape {shape:?} is empty")));
    }
    let count = shape.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
    let declared = count.and_then(|count| count.checked_mul(width)).map(|bytes| bytes as u64);
    let present = length.saturating_sub(header_length);
    let Some(count) = count.filter(|_| declared == Some(present)) else {
        let declared = declared.map_or("more".to_string(), |bytes| bytes.to_string());
        return Err(refuse(name, format!("shape {shape:?} takes {declared} bytes, the file holds {present}")));
    };
    if !matches!(kind, Type::Float | Type::Signed | Type::Unsigned) && count > MOST_WORDS {
        return Err(refuse(name, format!("{count} names or dates, at most {MOST_WORDS}")));
    }
    let cells = match kind {
        Type::Text => Cells::Text(gather(name, source, count, width, |cell| text(cell, is_big_endian))?),
        Type::Bytes => Cells::Text(gather(name, source, count, width, |cell| {
            let end = cell.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            String::from_utf8_lossy(&cell[..end]).into_owned()
        })?),
        Type::Time(per_day) => Cells::Dates(gather(name, source, count, width, |cell| {
            let time = whole(cell, is_big_endian) as i64;
            let day =
                dates::date_of_day(if per_day > 0 { time.div_euclid(per_day) } else { time.saturating_mul(-per_day) });
            // The least number stands for "not a time".
            day.filter(|_| time != i64::MIN).map(|day| day.to_string()).unwrap_or_default()
        })?),
        Type::Float | Type::Signed | Type::Unsigned => {
            let values = gather(name, source, count, width, |cell| number(cell, kind, is_big_endian))?;
            Cells::Numbers(if is_fortran { to_c_order(&shape, &values) } else { values })
        }
    };
    Ok(Member { shape, cells })
}

/// Cell by cell, so many of so many bytes.
fn gather<T>(
    name: &str,
    mut source: impl Read,
    count: usize,
    width: usize,
    cell: impl Fn(&[u8]) -> T,
) -> Result<Vec<T>> {
    const BUFFER: usize = 8 << 10;
    let mut cells: Vec<T> = Vec::new();
    // Words take more room than their bytes; they grow as they come.
    cells.try_reserve_exact(count).map_err(|_| refuse(name, format!("{count} cells do not fit into memory")))?;
    let mut buffer = vec![0; (BUFFER / width).max(1) * width];
    while cells.len() < count {
        let bytes = (count - cells.len()).saturating_mul(width).min(buffer.len());
        source.read_exact(&mut buffer[..bytes]).map_err(|e| input::unreadable(name, &e))?;
        cells.extend(buffer[..bytes].chunks_exact(width).map(&cell));
    }
    Ok(cells)
}

/// The bytes of a cell as a whole number, sign extended.
fn whole(cell: &[u8], is_big_endian: bool) -> i128 {
    let little = cell.iter().rev();
    let big = cell.iter();
    let add = |sum: i128, byte: &u8| sum << 8 | i128::from(*byte);
    let unsigned = if is_big_endian { big.fold(0, add) } else { little.fold(0, add) };
    let bits = 8 * cell.len() as u32;
    if unsigned >> (bits - 1) & 1 == 1 { unsigned - (1 << bits) } else { unsigned }
}

fn number(cell: &[u8], kind: Type, is_big_endian: bool) -> f64 {
    if kind != Type::Float {
        let number = whole(cell, is_big_endian);
        let is_wrapped = kind == Type::Unsigned && number < 0;
        return if is_wrapped { (number + (1 << (8 * cell.len()))) as f64 } else { number as f64 };
    }
    let mut bytes = [0; 8];
    let bytes = &mut bytes[..cell.len()];
    bytes.copy_from_slice(cell);
    if is_big_endian {
        bytes.reverse();
    }
    match *bytes {
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => unreachable!("a float has 4 or 8 bytes, not {}", bytes.len()),
    }
}

/// UCS-4, padded with zeros.
fn text(cell: &[u8], is_big_endian: bool) -> String {
    let code = |unit: &[u8]| {
        let unit = [unit[0], unit[1], unit[2], unit[3]];
        if is_big_endian { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) }
    };
    let text: String = cell.chunks_exact(4).map(|unit| char::from_u32(code(unit)).unwrap_or('\u{fffd}')).collect();
    text.trim_end_matches('\0').to_string()
}

/// From the first index running fastest to the last running fastest.
fn to_c_order(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let (planes, rows, columns) = match *shape {
        [rows, columns] => (1, rows, columns),
        [planes, rows, columns] => (planes, rows, columns),
        // One dimension has one order, and more are refused by all that ask.
        _ => return values.to_vec(),
    };
    let mut ordered = Vec::with_capacity(values.len());
    for plane in 0..planes {
        for row in 0..rows {
            ordered.extend((0..columns).map(|column| values[plane + planes * (row + rows * column)]));
        }
    }
    ordered
}

/// Writes an array as NPY version 1, f64, last index running fastest.
///
/// # Errors
/// Those of the file.
///
/// # Panics
/// When the values do not fill the shape.
pub fn write(file: &mut impl Write, shape: &[usize], values: &[f64]) -> io::Result<()> {
    assert_eq!(shape.iter().product::<usize>(), values.len(), "shape {shape:?}");
    let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
    // A Python tuple: one entry needs its comma.
    let comma = if shape.len() == 1 { "," } else { "" };
    let mut header = format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({}{comma}), }}", extents.join(", "));
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    file.write_all(MAGIC)?;
    file.write_all(&[1, 0])?;
    let length = u16::try_from(header.len()).expect("a header of a few extents is short");
    file.write_all(&length.to_le_bytes())?;
    file.write_all(header.as_bytes())?;
    for chunk in values.chunks(1 << 10) {
        let bytes: Vec<u8> = chunk.iter().flat_map(|value| value.to_le_bytes()).collect();
        file.write_all(&bytes)?;
    }
    Ok(())
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Float,
    Signed,
    Unsigned,
    /// UCS-4
    Text,
    Bytes,
    /// A time since 1970: so many to the day, or, negative, so many days each.
    Time(i64),
}

struct Header {
    kind: Type,
    /// Bytes per cell.
    width: usize,
    is_big_endian: bool,
    is_fortran: bool,
    shape: Vec<usize>,
}

/// The header (or what is wrong with what it says) and the number of bytes before the numbers.
fn read_header(source: &mut impl Read) -> io::Result<(std::result::Result<Header, String>, u64)> {
    let mut start = [0; 8];
    source.read_exact(&mut start)?;
    let [.., major, _minor] = start;
    let (length, prefix) = match major {
        1 => {
            let mut bytes = [0; 2];
            source.read_exact(&mut bytes)?;
            (usize::from(u16::from_le_bytes(bytes)), 10)
        }
        2 | 3 => {
            let mut bytes = [0; 4];
            source.read_exact(&mut bytes)?;
            (u32::from_le_bytes(bytes) as usize, 12)
        }
        _ => return Err(io::Error::other(format!("version {major} is unknown"))),
    };
    if length > LONGEST_HEADER {
        return Err(io::Error::other(format!("it takes {length} bytes, at most {LONGEST_HEADER}")));
    }
    let mut text = vec![0; length];
    source.read_exact(&mut text)?;
    let text = String::from_utf8(text).map_err(io::Error::other)?;
    Ok((interpret(&text), prefix + length as u64))
}

fn interpret(text: &str) -> std::result::Result<Header, String> {
    let Some((descr, is_fortran, shape)) = Dict { rest: text }.read() else {
        return Err(format!("bad NPY header: `{}`", shown(text.trim())));
    };
    let Descr::Simple(dtype) = descr else {
        return Err("an array of records, where plain numbers are needed".to_string());
    };
    if dtype.contains('O') {
        return Err("an array of pickled Python objects: unpickling runs code, so it is never done".to_string());
    }
    let unknown = || Err(format!("an array of type `{}`, where numbers are needed", shown(dtype)));
    let (is_big_endian, rest) = match dtype.split_at_checked(1) {
        Some(("<" | "|", rest)) => (false, rest),
        Some((">", rest)) => (true, rest),
        _ => return unknown(),
    };
    let width = |digits: &str| digits.parse::<usize>().ok().filter(|width| (1..=1 << 20).contains(width));
    let (kind, width) = match rest.split_at_checked(1) {
        Some(("f", "4" | "8")) => (Type::Float, width(&rest[1..])),
        Some(("i", "1" | "2" | "4" | "8")) => (Type::Signed, width(&rest[1..])),
        Some(("u", "1" | "2" | "4" | "8")) => (Type::Unsigned, width(&rest[1..])),
        Some(("U", length)) => (Type::Text, width(length).map(|length| 4 * length)),
        Some(("S", length)) => (Type::Bytes, width(length)),
        Some(("M", unit)) => {
            let per_day = match unit {
                "8[W]" => -7,
                "8[D]" => 1,
                "8[h]" => 24,
                "8[m]" => 1_440,
                "8[s]" => 86_400,
                "8[ms]" => 86_400_000,
                "8[us]" => 86_400_000_000,
                "8[ns]" => 86_400_000_000_000,
                _ => return unknown(),
            };
            (Type::Time(per_day), Some(8))
        }
        _ => return unknown(),
    };
    let Some(width) = width else { return unknown() };
    Ok(Header { kind, width, is_big_endian, is_fortran, shape })
}

enum Descr<'a> {
    Simple(&'a str),
    Records,
}

/// Just enough of Python's syntax: a dict of strings, booleans and tuples of whole numbers.
struct Dict<'a> {
    rest: &'a str,
}

impl<'a> Dict<'a> {
    fn read(mut self) -> Option<(Descr<'a>, bool, Vec<usize>)> {
        let (mut descr, mut fortran, mut shape) = (None, None, None);
        self.take("{")?;
        while self.take("}").is_none() {
            let key = self.string()?;
            self.take(":")?;
            let is_first = match key {
                "descr" => descr.replace(self.descr()?).is_none(),
                "fortran_order" => fortran.replace(self.boolean()?).is_none(),
                "shape" => shape.replace(self.tuple()?).is_none(),
                _ => return None,
            };
            // A comma parts entries; the last may have one too.
            let is_last = self.take(",").is_none();
            if !is_first || is_last && !self.rest.trim_start().starts_with('}') {
                return None;
            }
            if let Some(Descr::Records) = descr {
                return Some((Descr::Records, false, Vec::new()));
            }
        }
        self.rest.trim().is_empty().then_some(())?;
        Some((descr?, fortran?, shape?))
    }

    fn take(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.trim_start().strip_prefix(token)?;
        Some(())
    }

    fn string(&mut self) -> Option<&'a str> {
        let text = self.rest.trim_start();
        let quote = text.chars().next().filter(|c| "'\"".contains(*c))?;
        let (string, rest) = text[1..].split_once(quote)?;
        self.rest = rest;
        Some(string)
    }

    fn descr(&mut self) -> Option<Descr<'a>> {
        if !self.rest.trim_start().starts_with('[') {
            return self.string().map(Descr::Simple);
        }
        // Fields are not looked at: such an array is refused. The entry is closed for the caller.
        self.rest = ",";
        Some(Descr::Records)
    }

    fn boolean(&mut self) -> Option<bool> {
        match self.take("True") {
            Some(()) => Some(true),
            None => self.take("False").map(|()| false),
        }
    }

    fn tuple(&mut self) -> Option<Vec<usize>> {
        self.take("(")?;
        let mut extents = Vec::new();
        while self.take(")").is_none() {
            let text = self.rest.trim_start();
            let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
            extents.push(text[..digits].parse().ok()?);
            self.rest = &text[digits..];
            // Python 2 wrote 3L.
            self.take("L");
            if self.take(",").is_none() && !self.rest.trim_start().starts_with(')') {
                return None;
            }
        }
        Some(extents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(text: &str) -> std::result::Result<(usize, bool, bool, Vec<usize>), String> {
        interpret(text).map(|h| (h.width, h.is_big_endian, h.is_fortran, h.shape))
    }

    #[test]
    fn headers_are_python_dicts() {
        let good = "{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }   \n";
        assert_eq!(header(good), Ok((8, false, false, vec![3, 4])));
        let odd = r#" { "shape":(2L,3L,3L) , "fortran_order":True,"descr":">f4"}"#;
        assert_eq!(header(odd), Ok((4, true, true, vec![2, 3, 3])));
        assert_eq!(header("{'descr': '<f8', 'fortran_order': False, 'shape': (), }"), Ok((8, false, false, vec![])));
    }

    #[test]
    fn other_headers_are_refused_with_the_reason() {
        for (text, said) in [
            ("{'descr': '|O', 'fortran_order': False, 'shape': (3,), }", "unpickling runs code"),
            ("{'descr': [('a', '<f8'), ('b', '<f8')], 'fortran_order': False, 'shape': (3,), }", "records"),
            ("{'descr': '<c16', 'fortran_order': False, 'shape': (3,), }", "`<c16`"),
            ("{'descr': '<f2', 'fortran_order': False, 'shape': (3,), }", "`<f2`"),
            ("{'descr': '|b1', 'fortran_order': False, 'shape': (3,), }", "`|b1`"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3 4), }", "bad NPY header"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (-3, 4), }", "bad NPY header"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 4), }", "bad NPY header"),
            ("{'descr': '<f8', 'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }", "bad NPY header"),
            ("{'descr': '<f8', 'fortran_order': False}", "bad NPY header"),
            ("{'descr': '<f8' 'fortran_order': False, 'shape': (3, 4)}", "bad NPY header"),
            ("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4)} x", "bad NPY header"),
            ("", "bad NPY header"),
            ("{", "bad NPY header"),
            ("{'", "bad NPY header"),
        ] {
            let error = header(text).expect_err(text);
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
