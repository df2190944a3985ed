//! Bytes to text: UTF-8, UTF-16 with a byte order mark, or, where neither fits, Windows-1252.

use std::borrow::Cow;

use crate::error::{Error, Result};
use crate::io::EMPTY;

/// Text without its byte order mark, and the name of an encoding other than UTF-8.
pub(crate) fn decode<'a>(source: &str, bytes: &'a [u8]) -> Result<(Cow<'a, str>, Option<&'static str>)> {
    let (text, encoding) = match bytes {
        [0xff, 0xfe, rest @ ..] => (Cow::Owned(utf16(source, rest, u16::from_le_bytes)?), Some("UTF-16")),
        [0xfe, 0xff, rest @ ..] => (Cow::Owned(utf16(source, rest, u16::from_be_bytes)?), Some("UTF-16")),
        _ => {
            let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
            if let Some(place) = bytes.iter().position(|&byte| is_binary(byte)) {
                let line = 1 + bytes[..place].iter().filter(|&&byte| byte == b'\n').count();
                let byte = bytes[place];
                return Err(Error::input(format!(
                    "{source}: line {line}: byte {byte:#04x} does not occur in text: this is no table that can be read"
                ))
                .hint("save it as CSV in UTF-8, or as Parquet, Arrow or NPY"));
            }
            match std::str::from_utf8(bytes) {
                Ok(text) => (Cow::Borrowed(text), None),
                Err(_) => (Cow::Owned(bytes.iter().map(|&byte| windows_1252(byte)).collect()), Some("Windows-1252")),
            }
        }
    };
    let start = text.trim_start();
    if start.is_empty() {
        return Err(Error::input(format!("{source}: empty file")).hint(EMPTY));
    }
    if let Some(name) = not_a_table(start) {
        return Err(Error::input(format!("{source}: this is {name}, not a table")).hint(
            "was an error page downloaded? save the data as CSV: dates in the first column, one column per asset",
        ));
    }
    Ok((text, encoding))
}

fn utf16(source: &str, bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String> {
    let units = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let text: std::result::Result<String, _> = char::decode_utf16(units).collect();
    match text {
        Ok(text) if bytes.len().is_multiple_of(2) && !text.contains('\0') => Ok(text),
        _ => Err(Error::input(format!("{source}: begins like UTF-16 text and is none")).hint("save it as UTF-8")),
    }
}

/// Control characters that no text holds; tab, line ends, form feed, escape and the mark of an old end of file may occur.
fn is_binary(byte: u8) -> bool {
    matches!(byte, 0..=8 | 0x0e..=0x19 | 0x1c..=0x1f)
}

/// The code page of Western Windows; Latin-1 but for 0x80 to 0x9f.
fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

fn not_a_table(start: &str) -> Option<&'static str> {
    let head: String = start.chars().take(64).flat_map(char::to_lowercase).collect();
    let is_markup = head.starts_with("<!doctype") || head.starts_with("<html") || head.starts_with("<head");
    match head.as_bytes() {
        _ if is_markup => Some("an HTML page"),
        // `<DATE>,<CLOSE>` is a line of names.
        [b'<', b'?' | b'a'..=b'z', ..] if !begins_with_names(start) => Some("XML"),
        [b'{', ..] => Some("JSON"),
        [b'[', b'{' | b'[' | b'\n' | b'"' | b'0'..=b'9', ..] => Some("JSON"),
        [b'%', b'p', b'd', b'f', ..] => Some("a PDF document"),
        _ => None,
    }
}

/// Names in angle brackets, as MetaStock and its followers write them: the first is one, and no other cell is half of one.
fn begins_with_names(start: &str) -> bool {
    let line = start.split(['\n', '\r']).next().unwrap_or_default();
    let cells: Vec<&str> = line.split([',', ';', '\t', '|']).map(str::trim).collect();
    let is_name =
        |cell: &&str| cell.len() > 2 && cell.starts_with('<') && cell.ends_with('>') && !cell.contains(['/', '=']);
    cells.len() > 1 && is_name(&cells[0]) && cells.iter().all(|cell| is_name(cell) || !cell.contains(['<', '>']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        let utf16: Vec<u8> = "\u{feff}däte,A".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let swapped: Vec<u8> = "\u{feff}däte,A".encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (bytes, encoding) in [
            ("däte,A".as_bytes(), None),
            ("\u{feff}däte,A".as_bytes(), None),
            (&utf16, Some("UTF-16")),
            (&swapped, Some("UTF-16")),
            (b"d\xe4te,A", Some("Windows-1252")),
        ] {
            let (text, found) = decode("f", bytes).expect("text");
            assert_eq!((&*text, found), ("däte,A", encoding));
        }
    }

    #[test]
    fn what_is_no_table_is_refused_by_name() {
        for (bytes, said) in [
            (&b""[..], "empty file"),
            (b"\n\n  \n", "empty file"),
            (b"\xef\xbb\xbf", "empty file"),
            (b"\xff\xfed\0\0", "UTF-16"),
            (b"d,A\n1,\0\n", "line 2: byte 0x00"),
            (b"<!DOCTYPE html><html>", "HTML"),
            (b"{\"date\": 1}", "JSON"),
            (b"[[1,2]]", "JSON"),
            (b"%PDF-1.4", "PDF"),
        ] {
            let error = decode("f", bytes).expect_err("no table");
            assert!(error.message.contains(said) && error.hint.is_some(), "{said}: {error}");
        }
    }
}
