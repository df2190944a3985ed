//! Where data come from, and what format they are in.
//!
//! The format is told by the first bytes, never by the file's name: `1f 8b` is gzip, `PAR1` Parquet, `ARROW1` an Arrow
//! file (Feather 2), `ff ff ff ff` an Arrow stream, `93 NUMPY` NPY, `PK 03 04` a zip archive (NPZ, spreadsheets, or one
//! file of any of these formats).
//! Everything else is taken for text.

use std::fmt;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use zip::ZipArchive;

use crate::error::{Error, Result};
use crate::io::guard::damaged;
use crate::io::sample::SAMPLE;
use crate::io::{EMPTY, Limits, listed, nearest, size};

/// Where data come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// The data set embedded in the program.
    Sample,
    Stdin,
    Path(PathBuf),
    /// Bytes already in memory, with the name that messages give them.
    Bytes {
        name: String,
        bytes: Vec<u8>,
    },
}

impl Input {
    /// What a command-line argument means: none is the embedded sample, `-` standard input, all else a path.
    pub fn from_argument(argument: Option<&Path>) -> Input {
        match argument {
            None => Input::Sample,
            Some(path) if path == Path::new("-") => Input::Stdin,
            Some(path) => Input::Path(path.to_path_buf()),
        }
    }

    /// All bytes, unzipped.
    pub(crate) fn load(&self, limits: Limits) -> Result<Contents> {
        let most = limits.bytes;
        let unreadable = |name: &str, error: &io::Error| unreadable_within(name, error, limits);
        let name = self.to_string();
        let bytes = match self {
            Input::Sample => SAMPLE.to_vec(),
            Input::Bytes { bytes, .. } => bytes.clone(),
            Input::Stdin => read_up_to(io::stdin().lock(), most).map_err(|e| unreadable(&name, &e))?,
            Input::Path(path) => {
                let file = open(path)?;
                read_up_to(file, most).map_err(|e| unreadable(&name, &e))?
            }
        };
        Contents::new(name, bytes, limits)
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Sample => f.write_str("the embedded sample"),
            Input::Stdin => f.write_str("standard input"),
            Input::Path(path) => path.display().fmt(f),
            Input::Bytes { name, .. } => f.write_str(name),
        }
    }
}

pub(crate) fn open(path: &Path) -> Result<File> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| unreadable(&name, &e))?;
    if file.metadata().is_ok_and(|m| m.is_dir()) {
        return Err(Error::input(format!("{name}: this is a folder"))
            .hint(format!("name its files, several of which are allowed: {}", path.join("*.csv").display())));
    }
    Ok(file)
}

pub(crate) fn unreadable(name: &str, error: &io::Error) -> Error {
    let refused = Error::input(format!("{name}: cannot be read: {error}"));
    match error.kind() {
        io::ErrorKind::NotFound => refused.hint(match near_file(Path::new(name)) {
            Some(near) => format!("did you mean {}?", near.display()),
            None => "check the path".to_string(),
        }),
        _ => refused.hint("check the file and its permissions"),
    }
}

/// A file in the same folder whose name is almost this one.
fn near_file(path: &Path) -> Option<PathBuf> {
    const MOST_FILES: usize = 10_000;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let entries = std::fs::read_dir(folder.unwrap_or(Path::new("."))).ok()?;
    let mut there: Vec<String> =
        entries.take(MOST_FILES).flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    there.sort_unstable();
    let near = nearest(path.file_name()?.to_str()?, there.iter().map(String::as_str).filter(|name| name.len() >= 3));
    near.first().map(|near| path.with_file_name(near))
}

/// The error for a file that cannot be read, or not within the limits.
fn unreadable_within(name: &str, error: &io::Error, limits: Limits) -> Error {
    match error.kind() {
        io::ErrorKind::FileTooLarge => limits.too_large(name, error.to_string()),
        _ => unreadable(name, error),
    }
}

/// At most `most` bytes; one more is an error, so that neither an endless stream nor a bomb fills the memory.
fn read_up_to(source: impl Read, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {}", size(most as f64))));
    }
    Ok(bytes)
}

/// What was read, and what it looks like.
#[derive(Debug)]
pub(crate) struct Contents {
    pub name: String,
    pub bytes: Vec<u8>,
    pub format: Format,
}

impl Contents {
    fn new(name: String, bytes: Vec<u8>, limits: Limits) -> Result<Contents> {
        let bytes = match Format::of(&bytes) {
            Format::Gzip => read_up_to(MultiGzDecoder::new(&bytes[..]), limits.bytes).map_err(|e| {
                let what = if e.kind() == io::ErrorKind::FileTooLarge { "unzips to" } else { "unzipping failed:" };
                unreadable_within(&name, &io::Error::new(e.kind(), format!("{what} {e}")), limits)
            })?,
            Format::Zip => only_member(&name, &bytes, limits)?.unwrap_or(bytes),
            _ => bytes,
        };
        if bytes.is_empty() {
            return Err(Error::input(format!("{name}: empty file")).hint(EMPTY));
        }
        let format = Format::of(&bytes);
        Ok(Contents { name, bytes, format })
    }

    /// The error for a format that the caller has no reader for.
    pub(crate) fn not_read(&self) -> Error {
        let refused = Error::input(format!("{}: this is {}, which is not read here", self.name, self.format.name()));
        match self.format {
            Format::Gzip => refused.hint("this file is compressed twice: unzip it once"),
            Format::Other(_, hint) => refused.hint(hint),
            _ => refused.hint("save it as CSV"),
        }
    }
}

/// The file that a zip archive holds alone; none where it holds several, or arrays.
fn only_member(name: &str, bytes: &[u8], limits: Limits) -> Result<Option<Vec<u8>>> {
    let bad = |error: &dyn fmt::Display| damaged(name, "zip archive", error);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| bad(&error))?;
    let mut files = Vec::new();
    for place in 0..archive.len() {
        let member = archive.by_index_raw(place).map_err(|error| bad(&error))?;
        let path = member.name().map_err(|error| bad(&error))?.to_string();
        // What macOS adds beside each file.
        if !path.ends_with('/') && !path.starts_with("__MACOSX/") {
            files.push((place, path));
        }
    }
    let is_array = |path: &str| path.ends_with(".npy");
    match &files[..] {
        [(place, path)] if !is_array(path) => {
            let member = archive.by_index(*place).map_err(|error| bad(&error))?;
            let unzipped = read_up_to(member, limits.bytes).map_err(|error| match error.kind() {
                io::ErrorKind::FileTooLarge => limits.too_large(name, format!("unzips to {error}")),
                _ => bad(&error),
            })?;
            Ok(Some(unzipped))
        }
        [_, _, ..]
            if !files.iter().any(|(_, path)| is_array(path) || path.starts_with('[') || path.contains("xl/")) =>
        {
            let names = listed(files.iter().map(|(_, path)| path.as_str()));
            Err(Error::input(format!("{name}: a zip archive of several files: {names}"))
                .hint("unpack it, and name the files to read"))
        }
        _ => Ok(None),
    }
}

const DECOMPRESS: &str = "decompress it first, or use gzip";
const SAVE_AS_CSV: &str = "save it as CSV or Parquet: dates in the first column, one column per asset";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// CSV with any delimiter.
    Text,
    Parquet,
    ArrowFile,
    ArrowStream,
    Npy,
    Zip,
    Gzip,
    /// What is told apart only to be refused: its name, and what to do.
    Other(&'static str, &'static str),
}

impl Format {
    pub(crate) fn of(bytes: &[u8]) -> Format {
        match bytes {
            [0x1f, 0x8b, ..] => Format::Gzip,
            [b'P', b'A', b'R', b'1', ..] => Format::Parquet,
            [b'P', b'A', b'R', b'E', ..] => Format::Other("an encrypted Parquet file", SAVE_AS_CSV),
            [b'A', b'R', b'R', b'O', b'W', b'1', ..] => Format::ArrowFile,
            [0xff, 0xff, 0xff, 0xff, ..] => Format::ArrowStream,
            [b'F', b'E', b'A', b'1', ..] => {
                Format::Other("a Feather file of version 1", "save it as version 2: pyarrow.feather.write_feather")
            }
            [0x93, b'N', b'U', b'M', b'P', b'Y', ..] => Format::Npy,
            [b'P', b'K', 3 | 5, 4 | 6, ..] => Format::Zip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Format::Other("a zstd archive", DECOMPRESS),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Format::Other("an xz archive", DECOMPRESS),
            [b'B', b'Z', b'h', _, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => {
                Format::Other("a bzip2 archive", DECOMPRESS)
            }
            [0x04, 0x22, 0x4d, 0x18, ..] => Format::Other("an lz4 archive", DECOMPRESS),
            [b'7', b'z', 0xbc, 0xaf, ..] => Format::Other("a 7z archive", DECOMPRESS),
            [0xd0, 0xcf, 0x11, 0xe0, ..] => Format::Other("an old Excel workbook", SAVE_AS_CSV),
            [0x89, b'H', b'D', b'F', ..] => Format::Other("an HDF5 file", SAVE_AS_CSV),
            [b'S', b'Q', b'L', b'i', b't', b'e', ..] => Format::Other("an SQLite database", SAVE_AS_CSV),
            [b'O', b'R', b'C', ..] if !bytes.contains(&b'\n') => Format::Other("an ORC file", SAVE_AS_CSV),
            [0x80, 2..=5, ..] => {
                Format::Other("a Python pickle, and unpickling runs code", "save it as CSV, Parquet or NPY")
            }
            _ => Format::Text,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Parquet => "a Parquet file",
            Format::ArrowFile => "an Arrow file",
            Format::ArrowStream => "an Arrow stream",
            Format::Npy => "an NPY file",
            Format::Zip => "a zip archive (NPZ or spreadsheet)",
            Format::Gzip => "a gzip archive",
            Format::Other(name, _) => name,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).expect("writing to memory");
        encoder.finish().expect("writing to memory")
    }

    #[test]
    fn a_decompression_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b'0'; 1 << 20]);
        assert!(bomb.len() < 2_000);
        let error = Contents::new("bomb.gz".into(), bomb, Limits::new(Some(1 << 16))).expect_err("1 MiB in 64 KiB");
        assert_eq!(error.message, "bomb.gz: unzips to more than 64.0 KiB, which is not allowed by `memory`");
    }

    #[test]
    fn a_truncated_gzip_is_an_error() {
        let whole = gzip(b"date,A\n2020-01-01,1\n2020-01-02,2\n");
        for length in 2..whole.len() {
            assert!(Contents::new("cut.gz".into(), whole[..length].to_vec(), Limits::default()).is_err(), "{length}");
        }
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(Format::of(b"PAR1...."), Format::Parquet);
        assert_eq!(Format::of(b"date,A"), Format::Text);
        assert_eq!(Format::of(b""), Format::Text);
        let twice =
            Contents::new("x".into(), gzip(&gzip(b"date,A\n")), Limits::default()).expect("one layer is taken off");
        assert_eq!(twice.format, Format::Gzip);
        assert!(twice.not_read().hint.is_some_and(|hint| hint.contains("twice")));
    }
}
