//! The header of an NPY array: what its cells are, how they are ordered, how many there are.

use std::io::{self, Read};

use crate::io::shown;

const LONGEST_HEADER: usize = 64 << 10;

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Float,
    Signed,
    Unsigned,
    /// UCS-4
    Text,
    Bytes,
    /// A time since 1970: so many to the day, or, negative, so many days each.
    Time(i64),
}

pub(super) struct Header {
    pub kind: Type,
    /// Bytes per cell.
    pub width: usize,
    pub is_big_endian: bool,
    pub is_fortran: bool,
    pub shape: Vec<usize>,
}

/// The header (or what is wrong with what it says) and the number of bytes before the numbers.
pub(super) fn read_header(source: &mut impl Read) -> io::Result<(Result<Header, String>, u64)> {
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

fn interpret(text: &str) -> Result<Header, String> {
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

    fn header(text: &str) -> Result<(usize, bool, bool, Vec<usize>), String> {
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
