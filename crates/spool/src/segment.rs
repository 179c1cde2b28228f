//! Segment files: their names, and reading one from beginning to end, through damage.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use crate::record::HEADER;
use crate::{Recovery, Spool, SpoolError, identity, record};

/// One file of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Number of its first record.
    pub(crate) first: u64,
    /// Its size in bytes; of the last segment, up to the end of the last record.
    pub(crate) bytes: u64,
}

const DIGITS: usize = 20;

pub(crate) fn path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:0DIGITS$}.seg"))
}

fn first_of(path: &Path) -> Option<u64> {
    let digits = path.file_name()?.to_str()?.strip_suffix(".seg")?;
    (digits.len() == DIGITS).then(|| digits.parse().ok())?
}

/// The segments of a directory, oldest first. Other files are left alone.
pub(crate) fn list(dir: &Path) -> Result<VecDeque<Segment>, SpoolError> {
    let read = || -> io::Result<Vec<Segment>> {
        let mut segments = Vec::new();
        for entry in fs::read_dir(dir)? {
            let entry = entry?;
            if let Some(first) = first_of(&entry.path()) {
                segments.push(Segment { first, bytes: entry.metadata()?.len() });
            }
        }
        Ok(segments)
    };
    let mut segments = read().map_err(SpoolError::io("list", dir))?;
    segments.sort_unstable_by_key(|segment| segment.first);
    Ok(segments.into())
}

/// Creates an empty segment and makes its name durable. Remains of an attempt that failed half way are emptied.
pub(crate) fn create(dir: &Path, first: u64) -> Result<(Segment, File), SpoolError> {
    let path = path(dir, first);
    let mut options = File::options();
    let file = options.read(true).write(true).create(true).truncate(true).open(&path);
    let file = file.map_err(SpoolError::io("create", &path))?;
    identity::sync_dir(dir)?;
    Ok((Segment { first, bytes: 0 }, file))
}

/// Opens a segment to read and write at given offsets.
pub(crate) fn open(dir: &Path, first: u64) -> Result<File, SpoolError> {
    let path = path(dir, first);
    File::options().read(true).write(true).open(&path).map_err(SpoolError::io("open", &path))
}

/// Removes a segment. One that is gone already is as good as removed.
pub(crate) fn remove(dir: &Path, first: u64) -> Result<(), SpoolError> {
    let path = path(dir, first);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(SpoolError::io("remove", &path)(error)),
        _ => Ok(()),
    }
}

/// The newest segment after a torn tail was cut off.
pub(crate) struct Recovered {
    pub(crate) segment: Segment,
    pub(crate) file: File,
    /// Number of the last record; the one before the segment's first if it has none.
    pub(crate) last: u64,
    pub(crate) recovery: Recovery,
}

/// Reads the newest segment and cuts off a torn tail. What is left counts as durable from here on, although the process
/// that wrote it may have died before it synced it: so it is synced here.
pub(crate) fn recover(dir: &Path, first: u64, epoch: u64) -> Result<Recovered, SpoolError> {
    let mut scan = Scan { bytes: read(dir, first)?, offset: 0, expected: first, end: None, epoch };
    let mut lost = Vec::new();
    while let Some(item) = scan.next_item() {
        if let Item::Lost(range) = item {
            lost.push(range);
        }
    }
    let segment = Segment { first, bytes: scan.offset as u64 };
    let torn_bytes = scan.bytes.len() as u64 - segment.bytes;
    let file = open(dir, first)?;
    if torn_bytes > 0 {
        file.set_len(segment.bytes).map_err(SpoolError::io("cut the torn end off", &path(dir, first)))?;
    }
    file.sync_all().map_err(SpoolError::io("sync", &path(dir, first)))?;
    identity::sync_dir(dir)?;
    Ok(Recovered { segment, file, last: scan.expected - 1, recovery: Recovery { torn_bytes, lost } })
}

fn read(dir: &Path, first: u64) -> Result<Vec<u8>, SpoolError> {
    let path = path(dir, first);
    fs::read(&path).map_err(SpoolError::io("read", &path))
}

/// What stands next in a segment.
pub(crate) enum Item<'a> {
    /// A whole record.
    Record {
        /// Its number.
        sequence: u64,
        /// What it holds.
        payload: &'a [u8],
        /// Offset of the byte after it.
        end: u64,
    },
    /// Records that are damaged or missing.
    Lost(RangeInclusive<u64>),
}

/// Reads a segment that is in memory, record by record.
pub(crate) struct Scan {
    bytes: Vec<u8>,
    /// Offset after the last whole record.
    offset: usize,
    /// Number that the next record must have if nothing is missing.
    expected: u64,
    /// Number of the segment's last record, `None` while it is being found out.
    end: Option<u64>,
    epoch: u64,
}

impl Scan {
    /// Of the segment of `spool` at `place`. All records of one whose file is gone are lost.
    pub(crate) fn of(spool: &Spool, place: usize) -> Result<Self, SpoolError> {
        let segment = spool.segments[place];
        let end = spool.segments.get(place + 1).map_or(spool.last, |next| next.first - 1);
        let bytes = match read(&spool.dir, segment.first) {
            Err(SpoolError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        Ok(Self { bytes, offset: 0, expected: segment.first, end: Some(end), epoch: spool.epoch() })
    }

    /// The next record or the next stretch of lost ones; `None` at the end.
    pub(crate) fn next_item(&mut self) -> Option<Item<'_>> {
        let Some((start, sequence, length)) = self.find() else {
            let lost = self.expected..=self.end?;
            self.expected = lost.end() + 1;
            return (!lost.is_empty()).then_some(Item::Lost(lost));
        };
        if sequence > self.expected {
            let lost = self.expected..=sequence - 1;
            self.offset = start;
            self.expected = sequence;
            return Some(Item::Lost(lost));
        }
        let payload = start + HEADER..start + HEADER + length;
        self.offset = payload.end;
        self.expected = sequence + 1;
        let end = payload.end as u64;
        self.bytes.get(payload).map(|payload| Item::Record { sequence, payload, end })
    }

    /// Offset, number and payload length of the first whole record from here on. Normally it is right here; behind
    /// damage every offset is tried. A number that this many bytes cannot reach is refused before its checksum is
    /// computed, so that garbage is passed over quickly.
    fn find(&self) -> Option<(usize, u64, usize)> {
        let reach = self.expected.saturating_add((self.bytes.len() / HEADER) as u64);
        let numbers = self.expected..=self.end.map_or(reach, |end| end.min(reach));
        (self.offset..self.bytes.len()).find_map(|start| {
            let (sequence, payload) = record::parse(self.bytes.get(start..)?, self.epoch, numbers.clone())?;
            Some((start, sequence, payload.len()))
        })
    }
}
