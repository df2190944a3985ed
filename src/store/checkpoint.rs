//! Where the finished chunks of a run are kept: nowhere, in memory and beyond that in a file without a name, in a file
//! that it adds to, or in the files of its shards.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
#[cfg(feature = "files")]
use std::path::Path;

use super::columns::Columns;
#[cfg(feature = "files")]
use super::journal::{Journal, Record};
use crate::error::{Error, Result, option};

/// Bytes of finished chunks in memory, before they go to a file.
pub const IN_MEMORY: u64 = 512 << 20;

/// A part of a range of problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Segment {
    /// A finished chunk, wholly within the range.
    Kept(Range<u64>),
    /// Not solved yet.
    Missing(Range<u64>),
}

/// The finished chunks of all batches of a run.
#[derive(Debug, Default)]
pub struct Checkpoint {
    #[cfg(feature = "files")]
    journals: Vec<Journal>,
    /// By batch and first problem.
    chunks: BTreeMap<(u32, u64), Chunk>,
    grows: Grows,
    /// Bytes in memory.
    held: u64,
    /// Batches up to this number of which nothing may be missing.
    whole: Option<u32>,
}

/// Where new chunks go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Grows {
    #[default]
    Nowhere,
    /// To memory, up to so many bytes; then to a file of their own.
    Aside { most: u64 },
    /// To the last journal.
    #[cfg(feature = "files")]
    File,
}

/// A finished chunk.
#[derive(Debug)]
enum Chunk {
    Memory {
        end: u64,
        columns: Columns,
    },
    #[cfg(feature = "files")]
    File {
        journal: usize,
        record: Record,
    },
}

impl Chunk {
    fn end(&self) -> u64 {
        match self {
            Chunk::Memory { end, .. } => *end,
            #[cfg(feature = "files")]
            Chunk::File { record, .. } => record.range.end,
        }
    }
}

impl Checkpoint {
    /// Keeps nothing.
    pub fn none() -> Checkpoint {
        Checkpoint::default()
    }

    /// Keeps chunks until the run ends: in memory up to `most` bytes, then in a file without a name. [`IN_MEMORY`] is a
    /// good choice.
    pub fn aside(most: u64) -> Checkpoint {
        Checkpoint { grows: Grows::Aside { most }, ..Checkpoint::default() }
    }

    #[cfg(feature = "files")]
    /// A new file that `header` describes.
    ///
    /// # Errors
    /// As [`Journal::create`].
    pub fn create(path: &Path, header: &str) -> Result<Checkpoint> {
        let journals = vec![Journal::create(path, header)?];
        Ok(Checkpoint { journals, grows: Grows::File, ..Checkpoint::default() })
    }

    #[cfg(feature = "files")]
    /// The chunks of a file; with `grow`, more are added to it. Returns the file's header beside them, and whether some
    /// of it was damaged and is left out.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open(path: &Path, grow: bool) -> Result<(Checkpoint, String, bool)> {
        let (journal, scan) = Journal::open(path, grow)?;
        let grows = if grow { Grows::File } else { Grows::Nowhere };
        let mut checkpoint = Checkpoint { grows, ..Checkpoint::default() };
        checkpoint.add(journal, scan.records);
        Ok((checkpoint, scan.header, scan.damaged))
    }

    #[cfg(feature = "files")]
    /// All parts of a run: nothing may be missing of batches up to `last`, and nothing is added to their files.
    #[must_use]
    pub fn whole(self, last: u32) -> Checkpoint {
        Checkpoint { whole: Some(last), grows: Grows::Nowhere, ..self }
    }

    #[cfg(feature = "files")]
    /// Takes the chunks of another as well.
    pub fn join(&mut self, other: Checkpoint) {
        let before = self.journals.len();
        self.journals.extend(other.journals);
        self.held += other.held;
        self.chunks.extend(other.chunks.into_iter().map(|(key, chunk)| {
            let chunk = match chunk {
                Chunk::File { journal, record } => Chunk::File { journal: before + journal, record },
                chunk @ Chunk::Memory { .. } => chunk,
            };
            (key, chunk)
        }));
    }

    #[cfg(feature = "files")]
    fn add(&mut self, journal: Journal, records: Vec<Record>) {
        let number = self.journals.len();
        self.journals.push(journal);
        let chunk = |record: Record| ((record.batch, record.range.start), Chunk::File { journal: number, record });
        self.chunks.extend(records.into_iter().map(chunk));
    }

    /// Problems of all batches that are finished.
    pub fn finished(&self) -> u64 {
        self.chunks.iter().map(|((_, start), chunk)| chunk.end() - start).sum()
    }

    #[cfg(feature = "files")]
    /// Flushes what was added to the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn flush(&self) -> Result<()> {
        if self.grows == Grows::File { self.journals.iter().try_for_each(Journal::flush) } else { Ok(()) }
    }

    #[cfg(feature = "files")]
    /// Whether chunks outlast the run.
    pub fn lasts(&self) -> bool {
        self.grows == Grows::File
    }

    /// Whether it keeps chunks, or has them.
    pub fn keeps(&self) -> bool {
        self.grows != Grows::Nowhere || self.whole.is_some() || !self.chunks.is_empty()
    }

    /// A range of the problems of a batch cut, in order, into what is finished and what is not.
    ///
    /// # Errors
    /// Something is missing where nothing may be.
    pub fn segments(&self, batch: u32, range: Range<u64>) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        let mut at = range.start;
        for ((_, start), chunk) in self.chunks.range((batch, range.start)..(batch, range.end)) {
            let kept = *start..chunk.end();
            if kept.start < at || kept.end > range.end {
                continue;
            }
            if at < kept.start {
                segments.push(Segment::Missing(at..kept.start));
            }
            at = kept.end;
            segments.push(Segment::Kept(kept));
        }
        if at < range.end {
            segments.push(Segment::Missing(at..range.end));
        }
        let missing = |segment: &&Segment| matches!(segment, Segment::Missing(_));
        match segments.iter().find(missing) {
            Some(Segment::Missing(missing)) if self.whole.is_some_and(|last| batch <= last) => {
                let part = |at: u64| format!("problems {at} to {}", missing.end);
                let before = self.chunks.range((batch, 0)..(batch, missing.start));
                let overlaps = before.rev().find(|(_, chunk)| chunk.end() > missing.start);
                Err(match overlaps {
                    Some(((_, start), _)) => Error::input(format!(
                        "{} are in a part that begins before them, at problem {start} or earlier, and overlaps another",
                        part(missing.start)
                    ))
                    .hint(format!("run {} as a part of their own, and merge that in its place", part(missing.start))),
                    None => Error::input(format!("{} are in none of the parts", part(missing.start)))
                        .hint("run the parts again that are not whole, or those that are missing"),
                })
            }
            _ => Ok(segments),
        }
    }

    /// What a finished chunk of a batch holds.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(&self, batch: u32, range: &Range<u64>) -> Result<Cow<'_, Columns>> {
        match self.chunks.get(&(batch, range.start)) {
            Some(Chunk::Memory { columns, .. }) => Ok(Cow::Borrowed(columns)),
            #[cfg(feature = "files")]
            Some(Chunk::File { journal, record }) => {
                let bytes = self.journals[*journal].read(record)?;
                Columns::decode(&bytes).map(Cow::Owned).ok_or_else(|| foreign(range))
            }
            None => Err(foreign(range)),
        }
    }

    /// Keeps a finished chunk of a batch, where anything is kept.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn keep(&mut self, batch: u32, range: Range<u64>, columns: Columns) -> Result<()> {
        if let Grows::Aside { most } = self.grows {
            self.held += columns.bytes();
            // Without files there is memory alone.
            if self.held <= most || cfg!(not(feature = "files")) {
                self.chunks.insert((batch, range.start), Chunk::Memory { end: range.end, columns });
                return Ok(());
            }
        }
        #[cfg(feature = "files")]
        self.append(batch, range, columns)?;
        Ok(())
    }

    #[cfg(feature = "files")]
    fn append(&mut self, batch: u32, range: Range<u64>, columns: Columns) -> Result<()> {
        let Checkpoint { journals, chunks, grows, .. } = self;
        if matches!(grows, Grows::Aside { .. }) && journals.is_empty() {
            match Journal::unnamed() {
                Ok(journal) => journals.push(journal),
                // Where no file can be made, memory has to do: what is solved is worth more than the room.
                Err(_) => {
                    *grows = Grows::Aside { most: u64::MAX };
                    chunks.insert((batch, range.start), Chunk::Memory { end: range.end, columns });
                    return Ok(());
                }
            }
        }
        let last = journals.len().saturating_sub(1);
        let Some(journal) = journals.last_mut().filter(|_| *grows != Grows::Nowhere) else { return Ok(()) };
        let bytes = columns.encode()?;
        match journal.append(batch, range.clone(), &bytes) {
            Ok(record) => {
                chunks.insert((batch, range.start), Chunk::File { journal: last, record });
                Ok(())
            }
            // A file of the run itself may be full: memory has to do for the rest.
            Err(error) => match Columns::decode(&bytes).filter(|_| matches!(grows, Grows::Aside { .. })) {
                Some(columns) => {
                    *grows = Grows::Aside { most: u64::MAX };
                    chunks.insert((batch, range.start), Chunk::Memory { end: range.end, columns });
                    Ok(())
                }
                None => Err(error),
            },
        }
    }
}

/// A chunk that is not what this version keeps.
pub fn foreign(range: &Range<u64>) -> Error {
    Error::failed(format!("the chunk of problems {} to {} was written by another version", range.start, range.end))
        .hint(format!("finish the run with that version, or start again with {}", option("force")))
}

#[cfg(all(test, feature = "files"))]
mod tests {
    use super::*;
    use Segment::{Kept, Missing};

    #[test]
    fn what_is_missing_lies_between_what_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chunks");
        let mut checkpoint = Checkpoint::create(&path, "{}").unwrap();
        for (batch, range) in [(0, 10..20), (0, 30..40), (1, 0..5), (0, 15..18)] {
            checkpoint.keep(batch, range, Columns::default().with("batch", vec![batch])).unwrap();
        }
        drop(checkpoint);
        let (checkpoint, header, damaged) = Checkpoint::open(&path, true).unwrap();
        assert_eq!((header.as_str(), damaged, checkpoint.finished()), ("{}", false, 28));
        assert_eq!(
            checkpoint.segments(0, 0..45).unwrap(),
            [Missing(0..10), Kept(10..20), Missing(20..30), Kept(30..40), Missing(40..45)]
        );
        assert_eq!(checkpoint.segments(0, 10..35).unwrap(), [Kept(10..20), Missing(20..35)]);
        assert_eq!(checkpoint.segments(1, 0..5).unwrap(), [Kept(0..5)]);
        assert_eq!(checkpoint.segments(2, 0..5).unwrap(), [Missing(0..5)]);
        assert_eq!(checkpoint.segments(2, 5..5).unwrap(), []);
        assert_eq!(checkpoint.read(1, &(0..5)).unwrap().u32s("batch"), Some(&[1][..]));
        assert!(checkpoint.read(1, &(1..5)).is_err());
    }

    #[test]
    fn shards_join_and_nothing_is_added_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| Columns::default().with("name", name.as_bytes().to_vec());
        let shard = |name: &str, range: Range<u64>| {
            let path = folder.path().join(name);
            Checkpoint::create(&path, "{}").unwrap().keep(0, range, named(name)).unwrap();
            Checkpoint::open(&path, false).unwrap().0
        };
        let mut joined = shard("b", 7..9);
        joined.join(shard("a", 0..7));
        let mut joined = joined.whole(0);
        assert_eq!(joined.segments(0, 0..9).unwrap(), [Kept(0..7), Kept(7..9)]);
        assert_eq!(joined.read(0, &(0..7)).unwrap().u8s("name"), Some(&b"a"[..]));
        joined.keep(0, 9..10, Columns::default()).unwrap();
        assert!(joined.segments(0, 0..10).is_err_and(|error| error.message.contains("9 to 10")));
    }

    #[test]
    fn what_memory_does_not_hold_goes_to_a_file() {
        let mut checkpoint = Checkpoint::aside(100);
        let columns = |at: u64| Columns::default().with("numbers", vec![at as f64; 6]);
        for at in 0..5 {
            checkpoint.keep(3, at..at + 1, columns(at)).unwrap();
        }
        assert_eq!(checkpoint.journals.len(), 1);
        for at in 0..5 {
            assert_eq!(*checkpoint.read(3, &(at..at + 1)).unwrap(), columns(at));
        }
        assert!(!checkpoint.lasts());
    }
}
