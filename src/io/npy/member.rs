//! The cells of an NPY array, of whatever type and shape.

use std::io::Read;

use crate::error::Result;
use crate::io::{Limits, dates, input, size};

use super::header::{Header, Type, read_header};
use super::refuse;

/// A word takes more memory than its bytes in the file.
const MOST_WORDS: usize = 1 << 22;

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
pub(crate) fn parse(name: &str, source: impl Read, length: u64) -> Result<Member> {
    parse_within(name, source, length, None)
}

/// The same within so many bytes of memory, if a number is given.
pub(super) fn parse_within(name: &str, mut source: impl Read, length: u64, memory: Option<u64>) -> Result<Member> {
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
    let needed = (count as u64).saturating_mul(8);
    if memory.is_some_and(|memory| needed > memory) {
        let what = format!("an array of shape {shape:?} takes {} of memory", size(needed as f64));
        return Err(Limits::new(memory).too_large(name, what));
    }
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
