//! One log file, read line by line, that notices when its content is no longer what was read.
//!
//! A file is known by content, not by name or inode: a rename keeps the inode, a freed inode number comes back at
//! once, copy-truncate and bitcoind's own shrinking keep the inode and change what is in it. So every read begins
//! some bytes before the place it is to go on at, and compares them with what was there before.

use std::{
    fs::{File, Metadata},
    io,
    ops::Range,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

use bmon_event::LogPosition;

/// How many bytes of the head, and how many before the place, a file is known by.
pub(super) const KNOWN_BY: usize = 256;
/// With fewer bytes than this before the place, content alone does not tell files apart: a node's first five lines
/// are blank (`src/logging.cpp@v30`). A line with its time is longer.
const CONTENT_TELLS: usize = 32;
/// How much is read at once.
const CHUNK: usize = 64 * 1024;
/// A line longer than this is given in pieces. bitcoind's own longest lines are a few kilobytes.
const LONGEST_LINE: usize = 1024 * 1024;

/// What bitcoind keeps when it shrinks its log at start (`BCLog::Logger::ShrinkDebugFile`, `src/logging.cpp@v30`).
const KEPT_BY_SHRINKING: u64 = 10_000_000;

/// Names a file for as long as it is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileId {
    pub(super) device: u64,
    pub(super) inode: u64,
}

impl From<&Metadata> for FileId {
    fn from(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// An open log file and the place up to which it was read.
#[derive(Debug)]
pub(super) struct LogFile {
    file: File,
    id: FileId,
    offset: u64,
    /// The first bytes of what was read, at most [`KNOWN_BY`].
    head: Vec<u8>,
    /// The bytes before `offset`, at most [`KNOWN_BY`].
    tail: Vec<u8>,
}

/// What the next read found. Ranges are of the caller's buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Whole lines.
    Lines(Range<usize>),
    /// The beginning of a line that is not complete yet.
    Torn(Range<usize>),
    /// Nothing new.
    End,
    /// What was read before is no longer there.
    Changed,
}

impl LogFile {
    /// Opens `path` to be read from `offset` on. An offset beyond the end is moved to the end.
    pub(super) fn open(path: &Path, offset: u64) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let offset = offset.min(metadata.len());
        let known = usize::try_from(offset).map_or(KNOWN_BY, |offset| offset.min(KNOWN_BY));
        Ok(Self {
            id: FileId::from(&metadata),
            offset,
            head: read_up_to(&file, 0, known)?,
            tail: read_up_to(&file, offset - known as u64, known)?,
            file,
        })
    }

    /// Opens `path` at `position` if it is the file that the position was taken from, or a copy of it.
    pub(super) fn open_same(path: &Path, position: &LogPosition) -> io::Result<Option<Self>> {
        let file = Self::open(path, position.offset)?;
        let same_content = file.offset == position.offset
            && file
                .head
                .get(..position.head_len as usize)
                .is_some_and(|head| hash(head) == position.head_hash)
            && file.ends_with(position);
        let same_inode = file.id.device == position.device && file.id.inode == position.inode;
        let content_tells = position.tail_len as usize >= CONTENT_TELLS;
        Ok((same_content && (content_tells || same_inode)).then_some(file))
    }

    /// Opens `path` at its end if it is a copy of the file that `position` was taken from, made before that was read:
    /// what was written between the copy and the truncation was read, and is in no file any more.
    pub(super) fn open_early_copy(path: &Path, position: &LogPosition) -> io::Result<Option<Self>> {
        let file = Self::open(path, position.offset)?;
        let content_tells = position.head_len as usize >= CONTENT_TELLS;
        Ok((content_tells && file.offset < position.offset && file.begins_with(position)).then_some(file))
    }

    /// Opens `path` where the content before `position` now stands, if the node shrunk the file from its beginning.
    pub(super) fn open_shrunk(path: &Path, position: &LogPosition) -> io::Result<Option<Self>> {
        Self::open_shrunk_to(KEPT_BY_SHRINKING, path, position)
    }

    fn open_shrunk_to(limit: u64, path: &Path, position: &LogPosition) -> io::Result<Option<Self>> {
        let known = position.tail_len as usize;
        if known < CONTENT_TELLS {
            return Ok(None);
        }
        let file = File::open(path)?;
        let mut window = Vec::with_capacity(CHUNK + known);
        let mut end = 0;
        while end < limit {
            let kept = window.len().min(known);
            window.drain(..window.len() - kept);
            let more = read_up_to(&file, end, CHUNK)?;
            if more.is_empty() {
                break;
            }
            window.extend_from_slice(&more);
            end += more.len() as u64;
            let after_line = memchr::memchr_iter(b'\n', &window).map(|newline| newline + 1);
            let place = after_line
                .filter(|&after| after > kept && after >= known)
                .find(|&after| hash(&window[after - known..after]) == position.tail_hash);
            if let Some(place) = place {
                return Self::open(path, end - (window.len() - place) as u64).map(Some);
            }
        }
        Ok(None)
    }

    /// Names the file.
    pub(super) fn id(&self) -> FileId {
        self.id
    }

    /// Reads on from the place, without moving it.
    pub(super) fn read(&self, buffer: &mut Vec<u8>) -> io::Result<Found> {
        let known = self.tail.len();
        let mut wanted = CHUNK;
        loop {
            buffer.resize(known + wanted, 0);
            let length = read_full(&self.file, buffer, self.offset - known as u64)?;
            if buffer.get(..known) != Some(&self.tail[..]) || length < known {
                return Ok(Found::Changed);
            }
            let new = &buffer[known..length];
            if new.is_empty() {
                return Ok(Found::End);
            }
            if let Some(newline) = memchr::memrchr(b'\n', new) {
                return Ok(Found::Lines(known..known + newline + 1));
            }
            if new.len() < wanted {
                return Ok(Found::Torn(known..length));
            }
            if wanted >= LONGEST_LINE {
                return Ok(Found::Lines(known..length));
            }
            wanted *= 4;
        }
    }

    /// Moves the place behind `bytes`, which [`Self::read`] gave.
    pub(super) fn advance(&mut self, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        let room = KNOWN_BY.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..room]);
        let newest = &bytes[bytes.len().saturating_sub(KNOWN_BY)..];
        let kept = self.tail.len().min(KNOWN_BY - newest.len());
        self.tail.drain(..self.tail.len() - kept);
        self.tail.extend_from_slice(newest);
    }

    /// Moves the place behind the next end of a line: the rest of a line is no line.
    pub(super) fn skip_line(&mut self, buffer: &mut Vec<u8>) -> io::Result<()> {
        if let Found::Lines(range) = self.read(buffer)? {
            let newline = memchr::memchr(b'\n', &buffer[range.clone()]);
            let end = newline.map_or(range.end, |newline| range.start + newline + 1);
            self.advance(&buffer[range.start..end]);
        }
        Ok(())
    }

    /// What stands before the place, up to `most` bytes of it.
    pub(super) fn before(&self, most: usize) -> io::Result<Vec<u8>> {
        let length = usize::try_from(self.offset).map_or(most, |offset| offset.min(most));
        read_up_to(&self.file, self.offset - length as u64, length)
    }

    /// The place, to find it again. `None` while nothing has been read.
    pub(super) fn position(&self) -> Option<LogPosition> {
        let length = |known: &[u8]| u32::try_from(known.len()).expect("at most 256 bytes are kept");
        (self.offset > 0).then(|| LogPosition {
            device: self.id.device,
            inode: self.id.inode,
            offset: self.offset,
            head_len: length(&self.head),
            head_hash: hash(&self.head),
            tail_len: length(&self.tail),
            tail_hash: hash(&self.tail),
            last_line_us: None,
        })
    }

    fn begins_with(&self, position: &LogPosition) -> bool {
        self.head.get(..position.head_len as usize).is_some_and(|head| hash(head) == position.head_hash)
    }

    fn ends_with(&self, position: &LogPosition) -> bool {
        let known = position.tail_len as usize;
        known <= self.tail.len() && hash(&self.tail[self.tail.len() - known..]) == position.tail_hash
    }
}

/// FNV-1a of 64 bits. It is part of the positions in the spool: changing it makes every agent lose its place.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

fn read_up_to(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    let read = read_full(file, &mut bytes, offset)?;
    bytes.truncate(read);
    Ok(bytes)
}

/// Reads until the buffer is full or the file ends.
fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str =
        "2026-01-02T03:04:05.000001Z one line of a log\n2026-01-02T03:04:05.000002Z another\n";

    fn log(content: &str) -> (tempfile::TempDir, std::path::PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("debug.log");
        std::fs::write(&path, content).unwrap();
        (dir, path)
    }

    fn read_all(file: &mut LogFile) -> String {
        let mut buffer = Vec::new();
        let mut all = Vec::new();
        while let Found::Lines(range) = file.read(&mut buffer).unwrap() {
            all.extend_from_slice(&buffer[range.clone()]);
            file.advance(&buffer[range]);
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn a_torn_line_waits_for_its_end() {
        let (_dir, path) = log("whole\ntorn");
        let mut file = LogFile::open(&path, 0).unwrap();
        assert_eq!(read_all(&mut file), "whole\n");
        let mut buffer = Vec::new();
        assert!(
            matches!(file.read(&mut buffer).unwrap(), Found::Torn(range) if &buffer[range.clone()] == b"torn")
        );
        std::fs::write(&path, "whole\ntorn no more\n").unwrap();
        assert_eq!(read_all(&mut file), "torn no more\n");
        assert_eq!(file.read(&mut buffer).unwrap(), Found::End);
    }

    #[test]
    fn a_line_longer_than_the_buffer_is_whole_and_an_endless_one_comes_in_pieces() {
        let long = format!("{}\n", "x".repeat(CHUNK * 3));
        let (_dir, path) = log(&long);
        assert_eq!(read_all(&mut LogFile::open(&path, 0).unwrap()), long);
        let endless = "x".repeat(LONGEST_LINE * 3);
        let (_dir, path) = log(&endless);
        assert!(read_all(&mut LogFile::open(&path, 0).unwrap()).len() >= LONGEST_LINE);
    }

    #[test]
    fn content_that_changed_under_the_place_is_noticed_even_if_the_file_grew_past_it() {
        let (_dir, path) = log(LINES);
        let mut file = LogFile::open(&path, 0).unwrap();
        read_all(&mut file);
        std::fs::write(&path, LINES.replace("one", "two").repeat(5)).unwrap();
        assert_eq!(file.read(&mut Vec::new()).unwrap(), Found::Changed);
        std::fs::write(&path, "").unwrap();
        assert_eq!(file.read(&mut Vec::new()).unwrap(), Found::Changed);
    }

    #[test]
    fn a_place_is_found_again_in_a_copy_and_in_a_shrunk_file() {
        let long = (0..5000).fold(String::new(), |log, n| format!("{log}2026-01-02T03:04:05Z line {n}\n"));
        let (dir, path) = log(&long);
        let mut file = LogFile::open(&path, 0).unwrap();
        read_all(&mut file);
        let position = file.position().unwrap();
        let copy = dir.path().join("copy");
        std::fs::write(&copy, format!("{long}more\n")).unwrap();
        assert_eq!(read_all(&mut LogFile::open_same(&copy, &position).unwrap().unwrap()), "more\n");
        std::fs::write(&path, format!("{}after\n", &long[1000..])).unwrap();
        assert!(LogFile::open_same(&path, &position).unwrap().is_none());
        assert!(LogFile::open_shrunk_to(1000, &path, &position).unwrap().is_none());
        assert_eq!(read_all(&mut LogFile::open_shrunk(&path, &position).unwrap().unwrap()), "after\n");
    }

    #[test]
    fn blank_lines_alone_do_not_make_two_files_the_same() {
        let (dir, path) = log("\n\n\n\n\n");
        let mut file = LogFile::open(&path, 0).unwrap();
        read_all(&mut file);
        let position = file.position().unwrap();
        assert!(LogFile::open_same(&path, &position).unwrap().is_some());
        let other = dir.path().join("other");
        std::fs::write(&other, "\n\n\n\n\n").unwrap();
        assert!(LogFile::open_same(&other, &position).unwrap().is_none());
    }
}
