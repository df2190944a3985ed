//! Where the finished chunks of a run are kept: nowhere, in memory and beyond that in a file without a name, in a file
//! that it adds to, or in the files of its shards.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use super::columns::Columns;
use super::journal::{Journal, Record};
use crate::error::{Error, Result};

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
    journals: Vec<Journal>,
    /// By batch and first problem.
    chunks: BTreeMap<(u32, u64), Chunk>,
    grows: Grows,
    /// Bytes in memory.
    held: u64,
    /// Whether nothing may be missing.
    whole: bool,
}

/// Where new chunks go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Grows {
    #[default]
    Nowhere,
    /// To memory, up to so many bytes; then to a file of their own.
    Aside { most: u64 },
    /// To the last journal.
    File,
}

/// A finished chunk.
#[derive(Debug)]
enum Chunk {
    Memory { end: u64, columns: Columns },
    File { journal: usize, record: Record },
}

impl Chunk {
    fn end(&self) -> u64 {
        match self {
            Chunk::Memory { end, .. } => *end,
            Chunk::File { record, .. } => record.range.end,
        }
    }
}

impl Checkpoint {
    /// Keeps nothing.
    pub fn none() -> Checkpoint {
        Checkpoint::default()
    }

    /// Keeps chunks until the run ends: in memory up to `most` bytes, then in a file without a name.
    pub fn aside(most: u64) -> Checkpoint {
        Checkpoint { grows: Grows::Aside { most }, ..Checkpoint::default() }
    }

    /// A new file that `header` describes.
    ///
    /// # Errors
    /// As [`Journal::create`].
    pub fn create(path: &Path, header: &str) -> Result<Checkpoint> {
        let journals = vec![Journal::create(path, header)?];
        Ok(Checkpoint { journals, grows: Grows::File, ..Checkpoint::default() })
    }

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

    /// All shards of a run: nothing of it may be missing, and nothing is added.
    #[must_use]
    pub fn whole(self) -> Checkpoint {
        Checkpoint { whole: true, grows: Grows::Nowhere, ..self }
    }

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

    fn add(&mut self, journal: Journal, records: Vec<Record>) {
        let number = self.journals.len();
        self.journals.push(journal);
        let chunk = |record: Record| ((record.batch, record.range.start), Chunk::File { journal: number, record });
        self.chunks.extend(records.into_iter().map(chunk));
    }

    /// The chunks of one batch.
    pub fn of(&mut self, batch: u32) -> Kept<'_> {
        Kept { checkpoint: self, batch }
    }

    /// Problems of all batches that are finished.
    pub fn finished(&self) -> u64 {
        self.chunks.iter().map(|((_, start), chunk)| chunk.end() - start).sum()
    }

    /// Flushes what was added to the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn flush(&self) -> Result<()> {
        if self.grows == Grows::File { self.journals.iter().try_for_each(Journal::flush) } else { Ok(()) }
    }

    /// Whether chunks outlast the run.
    pub fn lasts(&self) -> bool {
        self.grows == Grows::File
    }
}

/// The finished chunks of one batch.
#[derive(Debug)]
pub struct Kept<'a> {
    checkpoint: &'a mut Checkpoint,
    batch: u32,
}

impl Kept<'_> {
    /// `range` cut, in order, into what is finished and what is not.
    ///
    /// # Errors
    /// Something is missing where nothing may be.
    pub fn segments(&self, range: Range<u64>) -> Result<Vec<Segment>> {
        let mut segments = Vec::new();
        let mut at = range.start;
        for ((_, start), chunk) in self.checkpoint.chunks.range((self.batch, range.start)..(self.batch, range.end)) {
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
            Some(Segment::Missing(missing)) if self.checkpoint.whole => {
                Err(Error::input(format!("problems {} to {} are in none of the shards", missing.start, missing.end))
                    .hint("run the shards again that are not whole"))
            }
            _ => Ok(segments),
        }
    }

    /// What a finished chunk holds.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn read(&self, range: &Range<u64>) -> Result<Cow<'_, Columns>> {
        let Checkpoint { journals, chunks, .. } = &*self.checkpoint;
        match chunks.get(&(self.batch, range.start)) {
            Some(Chunk::Memory { columns, .. }) => Ok(Cow::Borrowed(columns)),
            Some(Chunk::File { journal, record }) => {
                let bytes = journals[*journal].read(record)?;
                Columns::decode(&bytes).map(Cow::Owned).ok_or_else(|| foreign(range))
            }
            None => Err(foreign(range)),
        }
    }

    /// Keeps a finished chunk, where anything is kept.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn keep(&mut self, range: Range<u64>, columns: Columns) -> Result<()> {
        let Checkpoint { journals, chunks, grows, held, .. } = &mut *self.checkpoint;
        let key = (self.batch, range.start);
        if let Grows::Aside { most } = *grows {
            *held += columns.bytes();
            if *held <= most {
                chunks.insert(key, Chunk::Memory { end: range.end, columns });
                return Ok(());
            }
            if journals.is_empty() {
                journals.push(Journal::unnamed()?);
            }
        }
        let last = journals.len().saturating_sub(1);
        if let Some(journal) = journals.last_mut().filter(|_| *grows != Grows::Nowhere) {
            let record = journal.append(self.batch, range, &columns.encode()?)?;
            chunks.insert(key, Chunk::File { journal: last, record });
        }
        Ok(())
    }
}

/// A chunk that is not what this version keeps.
pub fn foreign(range: &Range<u64>) -> Error {
    Error::failed(format!("the chunk of problems {} to {} was written by another version", range.start, range.end))
        .hint("finish the run with that version, or start again with --force")
}

#[cfg(test)]
mod tests {
    use super::*;
    use Segment::{Kept, Missing};

    #[test]
    fn what_is_missing_lies_between_what_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chunks");
        let mut checkpoint = Checkpoint::create(&path, "{}").unwrap();
        for (batch, range) in [(0, 10..20), (0, 30..40), (1, 0..5), (0, 15..18)] {
            checkpoint.of(batch).keep(range, Columns::default().with("batch", vec![batch])).unwrap();
        }
        drop(checkpoint);
        let (mut checkpoint, header, damaged) = Checkpoint::open(&path, true).unwrap();
        assert_eq!((header.as_str(), damaged, checkpoint.finished()), ("{}", false, 28));
        let kept = checkpoint.of(0);
        assert_eq!(
            kept.segments(0..45).unwrap(),
            [Missing(0..10), Kept(10..20), Missing(20..30), Kept(30..40), Missing(40..45)]
        );
        assert_eq!(kept.segments(10..35).unwrap(), [Kept(10..20), Missing(20..35)]);
        assert_eq!(checkpoint.of(1).segments(0..5).unwrap(), [Kept(0..5)]);
        assert_eq!(checkpoint.of(2).segments(0..5).unwrap(), [Missing(0..5)]);
        assert_eq!(checkpoint.of(2).segments(5..5).unwrap(), []);
        assert_eq!(checkpoint.of(1).read(&(0..5)).unwrap().u32s("batch"), Some(&[1][..]));
        assert!(checkpoint.of(1).read(&(1..5)).is_err());
    }

    #[test]
    fn shards_join_and_nothing_is_added_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let named = |name: &str| Columns::default().with("name", name.as_bytes().to_vec());
        let shard = |name: &str, range: Range<u64>| {
            let path = folder.path().join(name);
            Checkpoint::create(&path, "{}").unwrap().of(0).keep(range, named(name)).unwrap();
            Checkpoint::open(&path, false).unwrap().0
        };
        let mut joined = shard("b", 7..9);
        joined.join(shard("a", 0..7));
        let mut joined = joined.whole();
        assert_eq!(joined.of(0).segments(0..9).unwrap(), [Kept(0..7), Kept(7..9)]);
        assert_eq!(joined.of(0).read(&(0..7)).unwrap().u8s("name"), Some(&b"a"[..]));
        joined.of(0).keep(9..10, Columns::default()).unwrap();
        assert!(joined.of(0).segments(0..10).is_err_and(|error| error.message.contains("9 to 10")));
    }

    #[test]
    fn what_memory_does_not_hold_goes_to_a_file() {
        let mut checkpoint = Checkpoint::aside(100);
        let columns = |at: u64| Columns::default().with("numbers", vec![at as f64; 6]);
        for at in 0..5 {
            checkpoint.of(3).keep(at..at + 1, columns(at)).unwrap();
        }
        assert_eq!(checkpoint.journals.len(), 1);
        for at in 0..5 {
            assert_eq!(*checkpoint.of(3).read(&(at..at + 1)).unwrap(), columns(at));
        }
        assert!(!checkpoint.lasts());
    }
}
