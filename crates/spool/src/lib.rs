//! A queue of numbered records on disk, bounded, checksummed and recovered after a crash. The agent's spool and the
//! server's journal are both one of these.
//!
//! # Constraints
//!
//! - A record given to [`Spool::append`] survives the death of the process (`kill -9`) from the moment `append`
//!   returns, and the loss of power from the moment a later [`Spool::sync`] returns.
//! - A crash at any instant leaves a directory that opens by itself. At most the records since the last `sync` are
//!   missing, and nothing that is left is taken for a record that it is not.
//! - Damage (a flipped bit, a lost page) costs the records it hits. It is reported with the numbers of the records
//!   lost, and everything else stays readable.
//! - The size on disk has a bound, and what is dropped to keep it is reported. Memory does not grow with the number of
//!   records: what is kept for each segment is two numbers.
//! - One writer. Another process that opens the directory gets an error.
//!
//! # Layout
//!
//! All numbers are little-endian. The directory holds:
//!
//! - `spool`: the text `bmon-spool 1`, then `epoch` and 16 hexadecimal digits: the version of this layout and the
//!   random number that names this spool.
//! - `lock`: empty, locked by the process that has the spool open.
//! - Segments named by the number of their first record in 20 digits, `00000000000000000001.seg`. A segment is records
//!   one after the other. The last segment is the one written to.
//!
//! A record:
//!
//! | bytes | holds |
//! | --- | --- |
//! | 4 | length of the payload in bytes |
//! | 4 | CRC-32C of the epoch, the length, the number and the payload |
//! | 8 | number: 1 for the first record of the spool, one more for each next |
//! | length | payload |
//!
//! The epoch in the checksum keeps a stretch of another spool's file from being taken for a record of this one. The
//! number in the record lets a reader find its way again behind damage and say exactly which records are gone.
//!
//! # Operation
//!
//! `append` writes the record with one `write` call and does not wait for the disk. `sync` is `fdatasync` on the last
//! segment. When a segment is full it is synced, the next one is created and the directory is synced, so that only the
//! last segment can ever be torn and a file that was written to cannot vanish. Records are released by whole segments;
//! the segment that holds the last record always stays, because that record says where its sources stand. When the
//! bound is exceeded the oldest segment is dropped after a sync of the newest. An `append` that wrote its record never
//! fails: what could not be dropped is told beside the record's number.
//!
//! A failed `write` leaves the spool as it was: the next record is written over its remains. After a segment could not
//! be created nothing is written until it could be, because its remains would hide what went to the one before. After
//! a failed `sync` nothing is known of what the disk holds, and the spool refuses everything until it is opened anew.
//!
//! # Recovery
//!
//! [`Spool::open`] reads the last segment. Bytes at its end that are no record are a torn tail: they are cut off and
//! counted. Damage with a record behind it is kept and reported. What is left is synced. Other segments are checked when they are read. After
//! a loss of power, segments that were released can be there again; their records are old ones.

mod identity;
mod record;
mod records;
mod segment;

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

pub use records::{Record, Records};

use identity::Identity;
use segment::Segment;

/// How large a spool and its segments may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of all segments together. The oldest segment is dropped when they are more.
    pub total_bytes: u64,
    /// Bytes after which the next segment is begun; at most a quarter of `total_bytes` is used.
    pub segment_bytes: u64,
}

/// What opening a spool found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bytes of an unfinished record that were cut off the end. Not 0 after a crash in the middle of an append.
    pub torn_bytes: u64,
    /// Records of the last segment that are damaged beyond reading.
    pub lost: Vec<RangeInclusive<u64>>,
}

/// A record was appended.
#[derive(Debug)]
pub struct Appended {
    /// Its number.
    pub sequence: u64,
    /// Records that had to be dropped to keep the bound, oldest first; they were never released.
    pub dropped: Option<RangeInclusive<u64>>,
    /// Why there is still more than the bound allows, `None` if there is not. The next record tries to drop it again.
    pub over_bound: Option<SpoolError>,
}

/// A spool cannot do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The system refused. The spool is as it was, unless the call was [`Spool::sync`] or [`Spool::skip_to`].
    #[error("failed to {action} `{path}`")]
    Io {
        /// What was tried.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// Another process has the directory open.
    #[error("`{0}` is in use by another process")]
    InUse(PathBuf),
    /// The file that names the spool cannot be understood, or is missing beside segments.
    #[error("`{0}` does not name a spool of layout 1")]
    Identity(PathBuf),
    /// The record can never fit.
    #[error("a record of {size} bytes is larger than the limit of {limit}")]
    TooLarge {
        /// Size of the payload in bytes.
        size: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// These records are damaged beyond reading; those after them are not.
    #[error("records {} to {} are damaged", .0.start(), .0.end())]
    Damaged(RangeInclusive<u64>),
    /// An earlier sync or skip failed: what the disk holds is not known until the spool is opened anew.
    #[error("an earlier sync or skip failed and the spool has to be opened anew")]
    Failed,
}

impl SpoolError {
    fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// An open spool. Dropping it loses nothing that was appended.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    identity: Identity,
    limits: Limits,
    /// Oldest first, never empty; the last one is written to.
    segments: VecDeque<Segment>,
    tail: File,
    last: u64,
    bytes: u64,
    /// Whether anything was appended since the last sync.
    unsynced: bool,
    failed: bool,
    /// Whether the next segment may be there already, because creating it failed half way. It would hide whatever is
    /// written to the newest one, so only that segment may be begun again.
    half_rotated: bool,
    cursor: Option<Cursor>,
    buffer: Vec<u8>,
}

/// Where the record after the last one read begins, so that reading one after the other does not search.
#[derive(Debug)]
struct Cursor {
    file: File,
    next: u64,
    offset: u64,
}

impl Spool {
    /// Opens the spool in `dir`, or makes a new one with a random epoch if there is none.
    pub fn open(dir: &Path, limits: Limits) -> Result<(Self, Recovery), SpoolError> {
        let identity = Identity::open(dir)?;
        let mut segments = segment::list(dir)?;
        let newest = match segments.pop_back() {
            Some(segment) => segment.first,
            None => segment::create(dir, 1)?.0.first,
        };
        let newest = segment::recover(dir, newest, identity.epoch())?;
        segments.push_back(newest.segment);
        let limits = Limits { segment_bytes: limits.segment_bytes.min(limits.total_bytes / 4), ..limits };
        let bytes = segments.iter().map(|segment| segment.bytes).sum();
        let spool = Self {
            dir: dir.to_owned(),
            identity,
            limits,
            segments,
            tail: newest.file,
            last: newest.last,
            bytes,
            unsynced: false,
            failed: false,
            half_rotated: false,
            cursor: None,
            buffer: Vec::new(),
        };
        Ok((spool, newest.recovery))
    }

    /// The random number that was made together with the directory.
    pub fn epoch(&self) -> u64 {
        self.identity.epoch()
    }

    /// Number of the oldest record that is there; one more than [`Self::last`] when there is none.
    pub fn first(&self) -> u64 {
        self.segments.front().map_or(1, |segment| segment.first)
    }

    /// Number of the newest record ever appended or skipped, 0 before the first.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// Size of all segments in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Number of the last record of the oldest segment, `None` while it is the only one with records. Releasing up to
    /// it frees that segment.
    pub fn oldest_segment_end(&self) -> Option<u64> {
        self.segments.get(1).map(|second| second.first - 1).filter(|&end| end < self.last)
    }

    /// Appends a record. It survives the death of the process from here on, a loss of power after [`Self::sync`].
    pub fn append(&mut self, payload: &[u8]) -> Result<Appended, SpoolError> {
        self.check()?;
        let limit = self.limits.total_bytes.min(record::MAX_PAYLOAD);
        let size = (record::HEADER + payload.len()) as u64;
        if size > limit {
            return Err(SpoolError::TooLarge { size: payload.len() as u64, limit });
        }
        if self.must_rotate(size) {
            self.rotate()?;
        }
        let sequence = self.last + 1;
        record::write(&mut self.buffer, self.identity.epoch(), sequence, payload);
        let offset = self.newest().bytes;
        self.tail
            .write_all_at(&self.buffer, offset)
            .map_err(SpoolError::io("write to", &segment::path(&self.dir, self.newest().first)))?;
        self.last = sequence;
        self.unsynced = true;
        self.bytes += size;
        self.newest_mut().bytes += size;
        let first = self.first();
        let over_bound = self.keep_bound().err();
        let dropped = (self.first() > first).then(|| first..=self.first() - 1);
        Ok(Appended { sequence, dropped, over_bound })
    }

    /// The records that a payload of `size` bytes would cost if it was appended now: those that [`Appended::dropped`]
    /// would tell of, so that the payload itself can.
    pub fn cost(&self, size: usize) -> Option<RangeInclusive<u64>> {
        let size = (record::HEADER + size) as u64;
        let staying = usize::from(!self.must_rotate(size));
        let mut bytes = self.bytes + size;
        let over_bound = |segment: &&Segment| {
            let over = bytes > self.limits.total_bytes;
            bytes -= segment.bytes;
            over
        };
        let dropped = self.segments.iter().take(self.segments.len() - staying).take_while(over_bound).count();
        let end = self.segments.get(dropped).map_or(self.last, |next| next.first - 1);
        (dropped > 0).then(|| self.first()..=end)
    }

    /// Waits until everything appended is on the disk.
    pub fn sync(&mut self) -> Result<(), SpoolError> {
        self.check()?;
        if self.unsynced {
            let synced = self.tail.sync_data();
            self.failed = synced.is_err();
            synced.map_err(SpoolError::io("sync", &segment::path(&self.dir, self.newest().first)))?;
            self.unsynced = false;
        }
        Ok(())
    }

    /// Goes on behind number `sequence` where records up to it are known to have existed elsewhere, so that no number is
    /// given twice. What is left out is reported by readers like damage. A lower number changes nothing.
    pub fn skip_to(&mut self, sequence: u64) -> Result<(), SpoolError> {
        if sequence <= self.last {
            return Ok(());
        }
        self.sync()?;
        let created = segment::create(&self.dir, sequence + 1);
        // What is left of it would hide the records written to the segments before it.
        self.failed = created.is_err();
        let (segment, file) = created?;
        let old = *self.newest();
        self.tail = file;
        self.segments.push_back(segment);
        self.last = sequence;
        if old.bytes == 0 {
            segment::remove(&self.dir, old.first)?;
            self.segments.remove(self.segments.len() - 2);
        }
        Ok(())
    }

    /// The record with this number, `None` if it was released or dropped, or is not there yet.
    pub fn get(&mut self, sequence: u64) -> Result<Option<Vec<u8>>, SpoolError> {
        if sequence < self.first() || sequence > self.last {
            return Ok(None);
        }
        if let Some(payload) = self.next_at_cursor(sequence) {
            return Ok(Some(payload));
        }
        self.cursor = None;
        let place = self.place_of(sequence);
        let mut scan = segment::Scan::of(self, place)?;
        while let Some(found) = scan.next_item() {
            match found {
                segment::Item::Record { sequence: at, payload, end } if at == sequence => {
                    let payload = payload.to_vec();
                    let file = segment::open(&self.dir, self.segments[place].first)?;
                    self.cursor = Some(Cursor { file, next: sequence + 1, offset: end });
                    return Ok(Some(payload));
                }
                segment::Item::Lost(range) if range.contains(&sequence) => {
                    return Err(SpoolError::Damaged(range));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Reads the records from `sequence` on, or from the oldest one that is there. Damage is an item of its own and
    /// does not end the reading.
    pub fn iter_from(&self, sequence: u64) -> Records<'_> {
        Records::new(self, sequence)
    }

    /// Frees the segments all of whose records have numbers up to `sequence`, but never the one that holds the last
    /// record.
    pub fn release(&mut self, sequence: u64) -> Result<(), SpoolError> {
        while self.oldest_segment_end().is_some_and(|end| end <= sequence) {
            self.remove_oldest()?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), SpoolError> {
        if self.failed { Err(SpoolError::Failed) } else { Ok(()) }
    }

    fn newest(&self) -> &Segment {
        self.segments.back().expect("a spool always has a segment")
    }

    fn newest_mut(&mut self) -> &mut Segment {
        self.segments.back_mut().expect("a spool always has a segment")
    }

    /// Index of the segment that holds the record, which must not be older than the oldest.
    fn place_of(&self, sequence: u64) -> usize {
        self.segments.partition_point(|segment| segment.first <= sequence).saturating_sub(1)
    }

    /// Whether a record of this size, header included, has to go to a new segment.
    fn must_rotate(&self, size: u64) -> bool {
        let used = self.newest().bytes;
        self.half_rotated || (used > 0 && used + size > self.limits.segment_bytes)
    }

    fn rotate(&mut self) -> Result<(), SpoolError> {
        self.sync()?;
        self.half_rotated = true;
        let (segment, file) = segment::create(&self.dir, self.last + 1)?;
        self.half_rotated = false;
        self.tail = file;
        self.segments.push_back(segment);
        Ok(())
    }

    /// Drops the oldest segments while there is more than the bound allows.
    fn keep_bound(&mut self) -> Result<(), SpoolError> {
        while self.bytes > self.limits.total_bytes && self.oldest_segment_end().is_some() {
            self.sync()?;
            self.remove_oldest()?;
        }
        Ok(())
    }

    fn remove_oldest(&mut self) -> Result<(), SpoolError> {
        segment::remove(&self.dir, self.first())?;
        if let Some(segment) = self.segments.pop_front() {
            self.bytes -= segment.bytes;
        }
        Ok(())
    }

    /// The record, if it is the one after the last one read and is whole.
    fn next_at_cursor(&mut self, sequence: u64) -> Option<Vec<u8>> {
        let cursor = self.cursor.as_mut().filter(|cursor| cursor.next == sequence)?;
        let payload = record::read_at(&cursor.file, cursor.offset, self.identity.epoch(), sequence)?;
        cursor.next += 1;
        cursor.offset += (record::HEADER + payload.len()) as u64;
        Some(payload)
    }
}

#[cfg(test)]
mod tests;
