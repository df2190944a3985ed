//! NPY arrays of floating-point numbers in two or three dimensions.
//!
//! Layout (NumPy enhancement proposal 1): magic `93 NUMPY`, version (major, minor), length of the header (u16 in
//! version 1, u32 in 2 and 3, little-endian), the header as a Python dict
//! `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4, 4), }`, padded with spaces to a multiple of 64, and a line
//! end; then the numbers. The declared shape is compared with the length of the file before memory is asked for.
//! Pickled objects are never touched.

use std::io::{self, BufReader, Read, Write};

use crate::error::{Error, Result};
use crate::io::input::{self, Format};
use crate::io::{Input, shown};

const MAGIC: &[u8] = b"\x93NUMPY";
const LONGEST_HEADER: usize = 64 << 10;
const HINT: &str = "save it with numpy.save(path, array.astype(\"float64\"))";

/// An array, its last index running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f64>,
}

/// Reads an array of f32 or f64 in either byte order and either index order.
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
            return parse(&name, file, metadata.len());
        }
    }
    let contents = input.load()?;
    match contents.format {
        Format::Npy => parse(&contents.name, &contents.bytes[..], contents.bytes.len() as u64),
        _ => Err(Error::input(format!("{}: this is not an NPY file", contents.name)).hint(HINT)),
    }
}

fn parse(name: &str, mut source: impl Read, length: u64) -> Result<Array> {
    let refuse = |what: String| Error::input(format!("{name}: {what}")).hint(HINT);
    let (header, header_length) = read_header(&mut source).map_err(|e| refuse(format!("bad NPY header: {e}")))?;
    let Header { width, is_big_endian, is_fortran, shape } = header.map_err(refuse)?;
    if !(2..=3).contains(&shape.len()) || shape.contains(&0) {
        return Err(refuse(format!(
            "an array of shape {shape:?}, where two or three dimensions are needed, none empty"
        )));
    }
    let count = shape.iter().try_fold(1_usize, |product, &extent| product.checked_mul(extent));
    let declared = count.and_then(|count| count.checked_mul(width)).map(|bytes| bytes as u64);
    let present = length.saturating_sub(header_length);
    let Some(count) = count.filter(|_| declared == Some(present)) else {
        let declared = declared.map_or("more".to_string(), |bytes| bytes.to_string());
        return Err(refuse(format!("shape {shape:?} takes {declared} bytes, the file holds {present}")));
    };
    let mut values: Vec<f64> = Vec::new();
    values.try_reserve_exact(count).map_err(|_| refuse(format!("shape {shape:?} does not fit into memory")))?;
    let mut buffer = [0; 8 << 10];
    while values.len() < count {
        let bytes = &mut buffer[..((count - values.len()) * width).min(8 << 10)];
        source.read_exact(bytes).map_err(|e| input::unreadable(name, &e))?;
        values.extend(bytes.chunks_exact(width).map(|cell| number(cell, is_big_endian)));
    }
    match is_fortran {
        false => Ok(Array { shape, values }),
        true => Ok(Array { values: to_c_order(&shape, &values), shape }),
    }
}

fn number(cell: &[u8], is_big_endian: bool) -> f64 {
    let mut bytes = [0; 8];
    let bytes = &mut bytes[..cell.len()];
    bytes.copy_from_slice(cell);
    if is_big_endian {
        bytes.reverse();
    }
    match *bytes {
        [a, b, c, d] => f64::from(f32::from_le_bytes([a, b, c, d])),
        [a, b, c, d, e, f, g, h] => f64::from_le_bytes([a, b, c, d, e, f, g, h]),
        _ => unreachable!("a cell has 4 or 8 bytes, not {}", bytes.len()),
    }
}

/// From the first index running fastest to the last running fastest.
fn to_c_order(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let (planes, rows, columns) = match *shape {
        [rows, columns] => (1, rows, columns),
        [planes, rows, columns] => (planes, rows, columns),
        _ => unreachable!("shape {shape:?} has two or three dimensions"),
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

struct Header {
    /// Bytes per number.
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
        return Err("an array of records, where plain floating-point numbers are needed".to_string());
    };
    let (is_big_endian, width) = match dtype {
        "<f8" => (false, 8),
        ">f8" => (true, 8),
        "<f4" => (false, 4),
        ">f4" => (true, 4),
        _ if dtype.contains('O') => {
            return Err("an array of pickled Python objects: unpickling runs code, so it is never done".to_string());
        }
        _ => return Err(format!("an array of type `{}`, where f4 or f8 is needed", shown(dtype))),
    };
    Ok(Header { width, is_big_endian, is_fortran, shape })
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
            ("{'descr': '<i8', 'fortran_order': False, 'shape': (3,), }", "`<i8`"),
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
