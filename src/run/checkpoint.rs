//! Where the finished chunks of a run are kept: nowhere, in a file that it adds to, or in the files of its shards.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use super::journal::{Journal, Record};
use crate::error::{Error, Result, option};

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
    /// By batch and first problem: which journal, and where in it.
    chunks: BTreeMap<(u32, u64), (usize, Record)>,
    /// Whether the last journal takes new chunks.
    grows: bool,
    /// Whether nothing may be missing.
    whole: bool,
}

impl Checkpoint {
    /// Keeps nothing.
    pub fn none() -> Checkpoint {
        Checkpoint::default()
    }

    /// A new file that `header` describes.
    ///
    /// # Errors
    /// As [`Journal::create`].
    pub fn create(path: &Path, header: &str) -> Result<Checkpoint> {
        let journals = vec![Journal::create(path, header)?];
        Ok(Checkpoint { journals, grows: true, ..Checkpoint::default() })
    }

    /// The chunks of a file; with `grow`, more are added to it. Returns the file's header beside them, and whether some
    /// of it was damaged and is left out.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open(path: &Path, grow: bool) -> Result<(Checkpoint, String, bool)> {
        let (journal, scan) = Journal::open(path, grow)?;
        let mut checkpoint = Checkpoint { grows: grow, ..Checkpoint::default() };
        checkpoint.add(journal, scan.records);
        Ok((checkpoint, scan.header, scan.damaged))
    }

    /// All shards of a run: nothing of it may be missing, and nothing is added.
    #[must_use]
    pub fn whole(self) -> Checkpoint {
        Checkpoint { whole: true, grows: false, ..self }
    }

    /// Takes the chunks of another as well.
    pub fn join(&mut self, other: Checkpoint) {
        let before = self.journals.len();
        self.journals.extend(other.journals);
        self.chunks.extend(other.chunks.into_iter().map(|(key, (journal, record))| (key, (before + journal, record))));
    }

    fn add(&mut self, journal: Journal, records: Vec<Record>) {
        let number = self.journals.len();
        self.journals.push(journal);
        self.chunks.extend(records.into_iter().map(|record| ((record.batch, record.range.start), (number, record))));
    }

    /// The chunks of one batch.
    pub fn of(&mut self, batch: u32) -> Kept<'_> {
        Kept { checkpoint: self, batch }
    }

    /// Problems of all batches that are finished.
    pub fn finished(&self) -> u64 {
        self.chunks.values().map(|(_, record)| record.range.end - record.range.start).sum()
    }

    /// Flushes what was added to the disk.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn flush(&self) -> Result<()> {
        if self.grows { self.journals.iter().try_for_each(Journal::flush) } else { Ok(()) }
    }

    /// A handle on the file that grows, to flush it while a chunk is under way.
    pub fn handle(&self) -> Option<File> {
        self.journals.last().filter(|_| self.grows).and_then(Journal::handle)
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
        for (_, record) in self.checkpoint.chunks.range((self.batch, range.start)..(self.batch, range.end)).map(|c| c.1)
        {
            let kept = record.range.clone();
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

    /// What a finished chunk holds, as `decode` reads it.
    ///
    /// # Errors
    /// The file cannot be read, or `decode` finds something else in it.
    pub fn read<T>(&mut self, range: &Range<u64>, decode: impl FnOnce(&[u8]) -> Option<T>) -> Result<T> {
        let Checkpoint { journals, chunks, .. } = &mut *self.checkpoint;
        let other = || {
            Error::failed(format!(
                "the chunk of problems {} to {} was written by another version",
                range.start, range.end
            ))
            .hint(format!("finish the run with that version, or start again with {}", option("force")))
        };
        let (journal, record) = chunks.get(&(self.batch, range.start)).ok_or_else(other)?;
        decode(&journals[*journal].read(record)?).ok_or_else(other)
    }

    /// Keeps a finished chunk, where anything is kept.
    ///
    /// # Errors
    /// As [`Journal::append`].
    pub fn keep(&mut self, range: Range<u64>, payload: impl FnOnce() -> Vec<u8>) -> Result<()> {
        let Checkpoint { journals, chunks, grows, .. } = &mut *self.checkpoint;
        let last = journals.len().saturating_sub(1);
        match journals.last_mut().filter(|_| *grows) {
            Some(journal) => {
                let record = journal.append(self.batch, range, &payload())?;
                chunks.insert((self.batch, record.range.start), (last, record));
                Ok(())
            }
            None => Ok(()),
        }
    }
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
            checkpoint.of(batch).keep(range, || vec![batch as u8]).unwrap();
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
        assert_eq!(checkpoint.of(1).read(&(0..5), |bytes| Some(bytes.to_vec())).unwrap(), [1]);
        assert!(checkpoint.of(1).read(&(0..5), |_| None::<()>).is_err());
    }

    #[test]
    fn shards_join_and_nothing_is_added_to_them() {
        let folder = tempfile::tempdir().unwrap();
        let shard = |name: &str, range: Range<u64>| {
            let path = folder.path().join(name);
            Checkpoint::create(&path, "{}").unwrap().of(0).keep(range, || name.as_bytes().to_vec()).unwrap();
            Checkpoint::open(&path, false).unwrap().0
        };
        let mut joined = shard("b", 7..9);
        joined.join(shard("a", 0..7));
        let mut joined = joined.whole();
        assert_eq!(joined.of(0).segments(0..9).unwrap(), [Kept(0..7), Kept(7..9)]);
        assert_eq!(joined.of(0).read(&(0..7), |bytes| Some(bytes.to_vec())).unwrap(), b"a");
        joined.of(0).keep(9..10, || unreachable!("it does not grow")).unwrap();
        assert!(joined.of(0).segments(0..10).is_err_and(|error| error.message.contains("9 to 10")));
    }
}
