use std::{
    fs::{self, File, Metadata},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

use bmon_corelog::{Line, Splitter};
use bmon_event::AgentTime;

use crate::source::log_is_rotated;

/// How much is read at once: of lines one after the other, and to look at one of them.
pub(super) const CHUNK: usize = 64 * 1024;
const GLANCE: usize = 4 * 1024;

/// What a node writes to its log before everything else when it starts, so that runs can be told apart
/// (`BCLog::Logger::StartLogging`, `src/logging.cpp@v30`; up to 0.18 in `src/init.cpp`).
const START: &[u8] = b"\n\n\n\n\n";

/// A log is not read.
#[derive(Debug, thiserror::Error)]
pub(super) enum LogError {
    /// The system refuses it.
    #[error("read the log")]
    Unreadable(#[from] io::Error),
    /// It takes longer than an answer is of use.
    #[error("find the lines in time")]
    OutOfTime,
}

/// A log that is read from any place, and no more of it than allowed.
pub(super) struct LogReader<'a> {
    path: PathBuf,
    file: File,
    metadata: Metadata,
    read: u64,
    limit: u64,
    is_over: &'a dyn Fn() -> bool,
}

impl<'a> LogReader<'a> {
    /// Opens the log at `path`. `limit` bytes are read of it, and none once `is_over`.
    pub(super) fn open(path: &Path, limit: u64, is_over: &'a dyn Fn() -> bool) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Ok(Self { path: path.to_owned(), file, metadata, read: 0, limit, is_over })
    }

    /// Its length when it was opened.
    pub(super) fn length(&self) -> u64 {
        self.metadata.len()
    }

    /// Bytes that were read.
    pub(super) const fn read_bytes(&self) -> u64 {
        self.read
    }

    /// Whether no more may be read.
    pub(super) const fn is_spent(&self) -> bool {
        self.read >= self.limit
    }

    /// Whether the log begins where the node began it: nothing was cut off its front, or moved to another file.
    pub(super) fn begins_with_the_node(&self) -> io::Result<bool> {
        let mut start = [0; START.len()];
        let begun = match self.file.read_exact_at(&mut start, 0) {
            Ok(()) => start == START,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => false,
            Err(error) => return Err(error),
        };
        Ok(begun && !log_is_rotated(&self.path)?)
    }

    /// Whether what was read up to `offset` is no longer the log that the node writes.
    pub(super) fn was_replaced(&self, offset: u64) -> bool {
        let is_same = |now: Metadata| {
            (now.dev(), now.ino()) == (self.metadata.dev(), self.metadata.ino())
                && now.len() >= offset.max(self.length())
        };
        !fs::metadata(&self.path).is_ok_and(is_same)
    }

    /// At most `wanted` bytes from `offset` on; none at the end, or when no more may be read.
    pub(super) fn chunk<'b>(
        &mut self,
        offset: u64,
        wanted: usize,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], LogError> {
        if (self.is_over)() {
            return Err(LogError::OutOfTime);
        }
        let allowed = usize::try_from(self.limit - self.read).unwrap_or(wanted).min(wanted);
        buffer.resize(allowed, 0);
        let length = loop {
            match self.file.read_at(buffer, offset) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.read += length as u64;
        Ok(&buffer[..length])
    }

    /// The first line that begins in `from..end` and tells a time: where it begins, and its time. What is cut at `from`
    /// is no line, unless the log begins there.
    pub(super) fn first_timed(&mut self, from: u64, end: u64) -> Result<Option<(u64, AgentTime)>, LogError> {
        // From one byte before, so that a line that begins at `from` is known to do so.
        let start = from.saturating_sub(1);
        let (mut splitter, mut offset, mut buffer) = (Splitter::new(start), start, Vec::new());
        let mut found = None;
        while found.is_none() && splitter.offset() < end {
            let chunk = self.chunk(offset, GLANCE, &mut buffer)?;
            if chunk.is_empty() {
                break;
            }
            offset += chunk.len() as u64;
            splitter.feed(chunk, |raw| {
                let is_whole = from == 0 || raw.offset > start;
                if found.is_none() && is_whole && raw.offset < end {
                    let time = Line::parse(raw.bytes).time;
                    found = time.map(|time| (raw.offset, time.on_agent_clock()));
                }
            });
        }
        Ok(found)
    }

    /// Where to begin to read for the lines from `time` on. All before the place are older, and few behind it, if the
    /// log's times do not go back.
    pub(super) fn place_of(&mut self, time: AgentTime) -> Result<u64, LogError> {
        // A line that begins at `low` is older, or the log begins there. Lines behind `high` are not older.
        let (mut low, mut high) = (0, self.length());
        while high - low > CHUNK as u64 {
            let middle = low + (high - low) / 2;
            match self.first_timed(middle, high)? {
                Some((place, found)) if found < time => low = place,
                _ => high = middle,
            }
        }
        Ok(low)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_of_a_line_is_no_line_even_if_it_looks_like_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("debug.log");
        let (cut, whole) = ("2026-01-02T03:04:05Z said 2000-01-02T03:04:05Z x\n", "2026-01-02T03:04:06Z y\n");
        fs::write(&path, [cut, whole].concat()).unwrap();
        let mut log = LogReader::open(&path, 1 << 20, &|| false).unwrap();
        let second = cut.len() as u64;
        for from in 1..=second {
            let (place, time) = log.first_timed(from, log.length()).unwrap().unwrap();
            assert_eq!(
                (place, time.to_string().as_str()),
                (second, "2026-01-02T03:04:06.000000Z"),
                "from {from}"
            );
        }
        assert_eq!(log.first_timed(0, log.length()).unwrap().unwrap().0, 0);
        assert_eq!(log.first_timed(1, second).unwrap(), None);
        assert_eq!(log.first_timed(second + 1, log.length()).unwrap(), None);
    }
}
