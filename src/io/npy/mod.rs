//! NPY arrays of numbers: batches of matrices, and histories without names or dates.
//!
//! Layout (NumPy enhancement proposal 1): magic `93 NUMPY`, version (major, minor), length of the header (u16 in
//! version 1, u32 in 2 and 3, little-endian), the header as a Python dict
//! `{'descr': '<f8', 'fortran_order': False, 'shape': (3, 4, 4), }`, padded with spaces to a multiple of 64, and a line
//! end; then the numbers. The declared shape is compared with the length of the file before memory is asked for.
//! Pickled objects are never touched.

mod header;
pub(crate) mod history;
pub(crate) mod member;

use std::io::{self, BufReader, Read, Write};

use crate::error::{Error, Result};
use crate::io::input::{self, Format};
use crate::io::{Input, Limits};

use member::{Cells, Member, parse_within};

const MAGIC: &[u8] = b"\x93NUMPY";
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
    read_within(input, None)
}

/// The same within so many bytes of memory, if a number is given.
///
/// # Errors
/// Anything else, and an array that takes more.
pub fn read_within(input: &Input, memory: Option<u64>) -> Result<Array> {
    if let Input::Path(path) = input {
        // A plain file is streamed: batches of matrices are large.
        let mut file = BufReader::new(input::open(path)?);
        let name = input.to_string();
        let metadata = file.get_ref().metadata().map_err(|e| input::unreadable(&name, &e))?;
        let first = io::BufRead::fill_buf(&mut file).map_err(|e| input::unreadable(&name, &e))?;
        if metadata.is_file() && Format::of(first) == Format::Npy {
            return matrices(&name, file, metadata.len(), memory);
        }
    }
    let contents = input.load(Limits::new(memory))?;
    match contents.format {
        Format::Npy => matrices(&contents.name, &contents.bytes[..], contents.bytes.len() as u64, memory),
        _ => Err(Error::input(format!("{}: this is not an NPY file", contents.name)).hint(HINT)),
    }
}

fn matrices(name: &str, source: impl Read, length: u64, memory: Option<u64>) -> Result<Array> {
    let Member { shape, cells } = parse_within(name, source, length, memory)?;
    if !(2..=3).contains(&shape.len()) {
        return Err(refuse(name, format!("an array of shape {shape:?}, where two or three dimensions are needed")));
    }
    match cells {
        Cells::Numbers(values) => Ok(Array { shape, values }),
        other => Err(refuse(name, format!("an array of {}, where numbers are needed", other.name()))),
    }
}

fn refuse(name: &str, what: String) -> Error {
    Error::input(format!("{name}: {what}")).hint(HINT)
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
