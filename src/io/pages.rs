//! How much the pages of a Parquet file unpack to, before its decoder is let loose on them.
//!
//! The decoder trusts page headers, and unpacks gzip, brotli and LZ4 frames to the end, whatever these say. So headers
//! (Thrift's compact protocol) are read here first: each page must lie inside its chunk, all of a file's pages may say no
//! more than is allowed, and where a codec has no bound of its own, the page is unpacked once into nothing and measured.

use std::io::Read;

use parquet::basic::Compression;

use crate::error::{Error, Result};
use crate::io::Limits;
use crate::io::guard::damaged;

const NAME: &str = "Parquet file";

/// Adds up what the pages of files' chunks unpack to.
pub(crate) struct Pages<'a> {
    pub source: &'a str,
    pub limits: Limits,
    pub unpacked: u64,
}

impl Pages<'_> {
    /// Checks the pages of one column chunk.
    pub(crate) fn check(&mut self, mut chunk: &[u8], codec: Compression) -> Result<()> {
        while !chunk.is_empty() {
            let page = Page::read(chunk).ok_or_else(|| self.bad("a page header that cannot be read"))?;
            let rest = &chunk[page.header..];
            let body = rest.get(..page.packed).ok_or_else(|| self.bad("a page beyond its column"))?;
            self.unpacked = self.unpacked.saturating_add(page.plain as u64);
            self.limits.check_bytes(self.source, self.unpacked)?;
            if page.is_compressed {
                let levels = page.levels.min(body.len());
                let most = page.plain.saturating_sub(levels) as u64;
                // An error while unpacking is left to the decoder, which finds it again.
                if measured(&body[levels..], codec, most, page.plain).is_some_and(|length| length > most) {
                    return Err(self.bad("a page that unpacks to more than it says"));
                }
            }
            chunk = &rest[page.packed..];
        }
        Ok(())
    }

    fn bad(&self, reason: &str) -> Error {
        damaged(self.source, NAME, reason)
    }
}

/// Bytes that a page unpacks to, counted to one more than `most`; none where the codec keeps to what the header says.
fn measured(body: &[u8], codec: Compression, most: u64, plain: usize) -> Option<u64> {
    let count = |unpacked: &mut dyn Read| {
        let mut buffer = [0; 16 << 10];
        let (mut total, mut rest) = (0, unpacked.take(most + 1));
        while let Ok(length @ 1..) = rest.read(&mut buffer) {
            total += length as u64;
        }
        total
    };
    match codec {
        Compression::GZIP(_) => Some(count(&mut flate2::read::MultiGzDecoder::new(body))),
        Compression::BROTLI(_) => Some(count(&mut brotli::Decompressor::new(body, plain.clamp(1, 16 << 10)))),
        Compression::LZ4 => Some(count(&mut lz4_flex::frame::FrameDecoder::new(body))),
        _ => None,
    }
}

struct Page {
    /// Length of the header itself.
    header: usize,
    packed: usize,
    plain: usize,
    /// Bytes of levels before the values, never compressed (pages of version 2).
    levels: usize,
    is_compressed: bool,
}

impl Page {
    fn read(bytes: &[u8]) -> Option<Page> {
        let mut thrift = Thrift { bytes, place: 0 };
        let fields = thrift.fields(0)?;
        let size = |fields: &[(i16, Field)], wanted: i16| {
            fields.iter().find_map(|(id, field)| match field {
                Field::Int(number) if *id == wanted => usize::try_from(*number).ok(),
                _ => None,
            })
        };
        let mut page = Page {
            header: thrift.place,
            packed: size(&fields, 3)?,
            plain: size(&fields, 2)?,
            levels: 0,
            is_compressed: true,
        };
        let second = fields.iter().find_map(|(id, field)| match field {
            Field::Struct(fields) if *id == 8 => Some(fields),
            _ => None,
        });
        if let Some(second) = second {
            page.levels = size(second, 5)?.checked_add(size(second, 6)?)?;
            page.is_compressed = !second.iter().any(|(id, field)| *id == 7 && matches!(field, Field::False));
        }
        Some(page)
    }
}

enum Field {
    Int(i64),
    False,
    Struct(Vec<(i16, Field)>),
    Other,
}

/// Just enough of Thrift's compact protocol to find integers and the end of a struct.
struct Thrift<'a> {
    bytes: &'a [u8],
    place: usize,
}

impl Thrift<'_> {
    const DEEPEST: usize = 8;

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.place)?;
        self.place += 1;
        Some(byte)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn zigzag(&mut self) -> Option<i64> {
        let number = self.varint()?;
        Some((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    fn skip(&mut self, length: u64) -> Option<()> {
        self.place = self.place.checked_add(usize::try_from(length).ok()?).filter(|end| *end <= self.bytes.len())?;
        Some(())
    }

    fn fields(&mut self, depth: usize) -> Option<Vec<(i16, Field)>> {
        let (mut fields, mut id) = (Vec::new(), 0_i16);
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Some(fields);
            }
            id = match head >> 4 {
                0 => i16::try_from(self.zigzag()?).ok()?,
                step => id.checked_add(i16::from(step))?,
            };
            let field = self.field(head & 0x0f, depth)?;
            fields.push((id, field));
        }
    }

    fn field(&mut self, kind: u8, depth: usize) -> Option<Field> {
        match kind {
            1 => {}
            2 => return Some(Field::False),
            3 => drop(self.byte()?),
            4..=6 => return self.zigzag().map(Field::Int),
            7 => self.skip(8)?,
            8 => {
                let length = self.varint()?;
                self.skip(length)?;
            }
            9 | 10 => {
                let head = self.byte()?;
                let length = if head >> 4 == 15 { self.varint()? } else { u64::from(head >> 4) };
                for _ in 0..length {
                    // A truth value in a list takes a byte, unlike one in a struct.
                    match head & 0x0f {
                        1 | 2 => drop(self.byte()?),
                        kind if depth < Self::DEEPEST => drop(self.field(kind, depth + 1)?),
                        _ => return None,
                    }
                }
            }
            12 if depth < Self::DEEPEST => return self.fields(depth + 1).map(Field::Struct),
            _ => return None,
        }
        Some(Field::Other)
    }
}
