//! A file of finished chunks that only grows, so that whatever happens to the program loses at most the chunk in flight.
//!
//! ```text
//! header   magic (8 bytes), length (u32), JSON: whose chunks these are, CRC-32 of all before
//! record   mark (u32), batch (u32), start (u64), end (u64), length (u64), CRC-32 of the payload, CRC-32 of all before
//!          payload
//! ...
//! ```
//!
//! Integers are little-endian. The header appears by atomic rename; a record is one write at the end. Opening reads
//! everything once: a record whose payload is damaged is left out, and from a damaged record header on nothing is
//! believed. What is left out is solved again.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result, option};
use crate::store::atomic::{self, Existing};

const MAGIC: [u8; 8] = *b"EQRCHNK2";
const MARK: u32 = 0x4b4e_4843;
const RECORD: usize = 40;

/// A header of more than this is no header.
const LONGEST_HEADER: u32 = 1 << 16;

/// A file is flushed to the disk at most this often: a process that dies loses nothing by it, a machine that dies this
/// much.
const FLUSH: Duration = Duration::from_secs(1);

/// One finished chunk: of which batch, which problems, and where its payload lies in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    pub batch: u32,
    pub range: Range<u64>,
    payload: Range<u64>,
}

/// What a file of chunks holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// The JSON text of the header.
    pub header: String,
    /// Whole records, in the order they were written.
    pub records: Vec<Record>,
    /// Up to here records could be told apart.
    end: u64,
    /// Whether there was more, or a record whose payload is not what was written.
    pub damaged: bool,
}

/// Reads a file of chunks of `length` bytes, keeping nothing but where the records are.
///
/// # Errors
/// A file that cannot be read; one without a whole header is [`io::ErrorKind::InvalidData`].
pub fn scan(file: &mut impl Read, length: u64) -> io::Result<Scan> {
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "this is no file of finished chunks");
    let mut start = [0; 12];
    file.read_exact(&mut start).map_err(|_| invalid())?;
    let size = u32::from_le_bytes([start[8], start[9], start[10], start[11]]);
    if start[..8] != MAGIC || size > LONGEST_HEADER || u64::from(size) + 16 > length {
        return Err(invalid());
    }
    let mut text = vec![0; size as usize];
    let mut sum = [0; 4];
    file.read_exact(&mut text)?;
    file.read_exact(&mut sum)?;
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&start);
    hasher.update(&text);
    if hasher.finalize() != u32::from_le_bytes(sum) {
        return Err(invalid());
    }
    let header = String::from_utf8(text).map_err(|_| invalid())?;
    let mut scan = Scan { header, records: Vec::new(), end: 16 + u64::from(size), damaged: false };
    let mut buffer = vec![0; 1 << 20];
    while scan.end < length {
        let Some((record, sum)) = record_at(file, scan.end, length)? else {
            scan.damaged = true;
            break;
        };
        let mut hasher = crc32fast::Hasher::new();
        let mut left = record.payload.end - record.payload.start;
        while left > 0 {
            let part = left.min(buffer.len() as u64) as usize;
            file.read_exact(&mut buffer[..part])?;
            hasher.update(&buffer[..part]);
            left -= part as u64;
        }
        scan.end = record.payload.end;
        if hasher.finalize() == sum {
            scan.records.push(record);
        } else {
            scan.damaged = true;
        }
    }
    Ok(scan)
}

/// The record whose header starts at `at`, and the sum of its payload; none where there is no whole one.
fn record_at(file: &mut impl Read, at: u64, length: u64) -> io::Result<Option<(Record, u32)>> {
    let start = at + RECORD as u64;
    if start > length {
        return Ok(None);
    }
    let mut bytes = [0; RECORD];
    file.read_exact(&mut bytes)?;
    let (head, sum) = bytes.split_at(RECORD - 4);
    let word = |from: usize| u32::from_le_bytes([bytes[from], bytes[from + 1], bytes[from + 2], bytes[from + 3]]);
    let long = |from: usize| u64::from(word(from)) | u64::from(word(from + 4)) << 32;
    let (first, last, size) = (long(8), long(16), long(24));
    let whole = word(0) == MARK && crc32fast::hash(head).to_le_bytes() == *sum;
    if !whole || first >= last || size > length - start {
        return Ok(None);
    }
    Ok(Some((Record { batch: word(4), range: first..last, payload: start..start + size }, word(32))))
}

/// A file of chunks, open.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    end: u64,
    /// None where a machine that dies may lose it all.
    flushed: Option<Instant>,
}

impl Journal {
    /// A new file without chunks, in place of any other.
    ///
    /// # Errors
    /// It cannot be written, or another program has it.
    pub fn create(path: &Path, header: &str) -> Result<Journal> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header.as_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        atomic::write(path, Existing::Replace, |file| file.write_all(&bytes))?;
        Journal::open(path, true).map(|(journal, _)| journal)
    }

    /// A file without a name, which goes when the journal does.
    ///
    /// # Errors
    /// There is no room for temporary files.
    pub fn unnamed() -> Result<Journal> {
        let file = tempfile::tempfile().map_err(|error| {
            Error::failed(format!("a temporary file cannot be made: {error}")).hint(format!(
                "name a folder with room in TMPDIR, or keep the run with {}",
                option("output").plain("DIR")
            ))
        })?;
        Ok(Journal { path: std::env::temp_dir(), file, end: 0, flushed: None })
    }

    /// An existing file and what it holds. To be added to, it is locked, and what is damaged at its end is cut off.
    ///
    /// # Errors
    /// It cannot be read, is no such file, or another program adds to it.
    pub fn open(path: &Path, add: bool) -> Result<(Journal, Scan)> {
        let failed = |error: io::Error| {
            let kind = if error.kind() == io::ErrorKind::InvalidData { ErrorKind::Input } else { ErrorKind::Failed };
            Error::new(kind, format!("`{}` cannot be read: {error}", path.display()))
                .hint(format!("check the file and its permissions, or start again with {}", option("force")))
        };
        // Whatever else bears the name, such as a pipe, might be waited for without end.
        if path.metadata().is_ok_and(|metadata| !metadata.is_file()) {
            return Err(failed(io::Error::new(io::ErrorKind::InvalidData, "it is no regular file")));
        }
        let file = OpenOptions::new().read(true).write(add).open(path).map_err(failed)?;
        if add && file.try_lock().is_err() {
            return Err(Error::usage(format!("another program is at work in `{}`", folder(path).display()))
                .hint(format!("wait until it has finished, or give another {}", option("output").plain("DIR"))));
        }
        let length = file.metadata().map_err(failed)?.len();
        let scan = scan(&mut BufReader::with_capacity(1 << 16, &file), length).map_err(failed)?;
        if add {
            file.set_len(scan.end).map_err(failed)?;
        }
        let journal = Journal { path: path.to_path_buf(), file, end: scan.end, flushed: Some(Instant::now()) };
        Ok((journal, scan))
    }

    /// The payload of a record of this file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self, record: &Record) -> Result<Vec<u8>> {
        let size = record.payload.end - record.payload.start;
        let mut payload = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
        read_at(&self.file, record.payload.start, &mut payload)
            .map_err(|error| Error::failed(format!("`{}` cannot be read: {error}", self.path.display())))?;
        Ok(payload)
    }

    /// Adds a finished chunk.
    ///
    /// # Errors
    /// The disk is full or gone: what was kept before still is.
    pub fn append(&mut self, batch: u32, range: Range<u64>, payload: &[u8]) -> Result<Record> {
        let start = self.end + RECORD as u64;
        let record = Record { batch, range, payload: start..start + payload.len() as u64 };
        let mut bytes = Vec::with_capacity(RECORD + payload.len());
        bytes.extend(MARK.to_le_bytes());
        bytes.extend(batch.to_le_bytes());
        bytes.extend(record.range.start.to_le_bytes());
        bytes.extend(record.range.end.to_le_bytes());
        bytes.extend((payload.len() as u64).to_le_bytes());
        bytes.extend(crc32fast::hash(payload).to_le_bytes());
        bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
        bytes.extend(payload);
        let due = self.flushed.is_some_and(|flushed| flushed.elapsed() >= FLUSH);
        self.file
            .seek(SeekFrom::Start(self.end))
            .and_then(|_| self.file.write_all(&bytes))
            .and_then(|()| if due { self.file.sync_data() } else { Ok(()) })
            .map_err(|error| self.unwritten(&error))?;
        self.end = record.payload.end;
        if due {
            self.flushed = Some(Instant::now());
        }
        Ok(record)
    }

    /// Flushes everything to the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn flush(&self) -> Result<()> {
        self.file.sync_data().map_err(|error| self.unwritten(&error))
    }

    fn unwritten(&self, error: &io::Error) -> Error {
        Error::failed(format!("`{}` cannot be written: {error}", self.path.display()))
            .hint("finished chunks are kept: make room on the disk, then the same command goes on from there")
    }
}

/// Reads without moving the place where the file is written: many threads may read at once.
#[cfg(unix)]
fn read_at(file: &File, start: u64, payload: &mut [u8]) -> io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, payload, start)
}

#[cfg(windows)]
fn read_at(file: &File, mut start: u64, mut payload: &mut [u8]) -> io::Result<()> {
    use std::os::windows::fs::FileExt as _;
    while !payload.is_empty() {
        match file.seek_read(payload, start)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => {
                payload = &mut payload[read..];
                start += read as u64;
            }
        }
    }
    Ok(())
}

fn folder(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<Scan> {
        scan(&mut &bytes[..], bytes.len() as u64)
    }

    /// A file of three chunks, and where each ends.
    fn sample(path: &Path) -> (Vec<u8>, Vec<u64>) {
        let mut journal = Journal::create(path, "{\"job\":1}").unwrap();
        let mut ends = vec![journal.end];
        for (range, payload) in [(0..10, &b"first"[..]), (10..30, b""), (30..31, b"third and last")] {
            journal.append(2, range, payload).unwrap();
            ends.push(journal.end);
        }
        (std::fs::read(path).unwrap(), ends)
    }

    #[test]
    fn chunks_are_read_back_as_they_were_added() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chunks");
        let (bytes, _) = sample(&path);
        let (mut journal, found) = Journal::open(&path, true).unwrap();
        assert_eq!((found.header.as_str(), found.damaged, found.end), ("{\"job\":1}", false, bytes.len() as u64));
        let ranges: Vec<Range<u64>> = found.records.iter().map(|record| record.range.clone()).collect();
        assert_eq!(ranges, [0..10, 10..30, 30..31]);
        assert_eq!(journal.read(&found.records[2]).unwrap(), b"third and last");
        let record = journal.append(0, 5..6, b"more").unwrap();
        assert_eq!(journal.read(&record).unwrap(), b"more");
        assert_eq!(journal.read(&found.records[0]).unwrap(), b"first");
        assert!(Journal::open(&path, true).is_err_and(|error| error.message.contains("another program")));
    }

    #[test]
    fn a_file_cut_anywhere_holds_the_chunks_before_the_cut() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, ends) = sample(&folder.path().join("chunks"));
        for length in 0..bytes.len() {
            let found = read(&bytes[..length]);
            let whole = ends.iter().filter(|&&end| end <= length as u64).count();
            match found {
                Err(_) => assert_eq!(whole, 0, "cut at {length}"),
                Ok(found) => {
                    assert_eq!(found.records.len() + 1, whole, "cut at {length}");
                    assert_eq!(found.damaged, !ends.contains(&(length as u64)));
                }
            }
        }
        // What is cut off is forgotten, and the file grows on from there.
        let path = folder.path().join("cut");
        std::fs::write(&path, &bytes[..bytes.len() - 1]).unwrap();
        let (mut journal, found) = Journal::open(&path, true).unwrap();
        assert!(found.damaged && found.records.len() == 2);
        journal.append(2, 30..31, b"again").unwrap();
        drop(journal);
        let (_, found) = Journal::open(&path, true).unwrap();
        assert!(!found.damaged && found.records.len() == 3);
    }

    #[test]
    fn no_flipped_bit_is_believed() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, _) = sample(&folder.path().join("chunks"));
        let whole = read(&bytes).unwrap();
        for bit in 0..8 * bytes.len() {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            if let Ok(found) = read(&flipped) {
                assert!(found.damaged && found.header == whole.header, "bit {bit}");
                assert!(found.records.iter().all(|record| whole.records.contains(record)), "bit {bit}");
            }
        }
    }
}
