//! Cuts bytes that come in chunks into lines.

/// Longest line in bytes that is given whole. Core's messages are far shorter; what is longer is a dump of data.
pub const DEFAULT_LIMIT: usize = 64 * 1024;

/// Cuts chunks of one log into complete lines. The chunks may end anywhere: what follows the last line end is kept
/// until the rest of its line comes.
#[derive(Clone, Debug)]
pub struct Splitter {
    /// Offset of the first byte after the last complete line.
    offset: u64,
    /// The beginning of the unfinished line, at most `limit` bytes of it.
    torn: Vec<u8>,
    /// Bytes of the unfinished line so far, those included that `torn` does not keep.
    torn_len: u64,
    limit: usize,
}

/// A complete line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// Offset of its first byte in the log.
    pub offset: u64,
    /// Its bytes without the line feed, or the first ones when it is over-long.
    pub bytes: &'a [u8],
    /// The line is longer than the limit, and `bytes` is only its beginning.
    pub cut: bool,
}

impl Splitter {
    /// A splitter for a log that is read from `offset` on, where a line must begin.
    pub const fn new(offset: u64) -> Self {
        Self::with_limit(offset, DEFAULT_LIMIT)
    }

    /// The same with another longest line, in bytes without the line feed.
    pub const fn with_limit(offset: u64, limit: usize) -> Self {
        Self { offset, torn: Vec::new(), torn_len: 0, limit }
    }

    /// Takes the bytes that follow those of the last call, and gives each line that they complete.
    #[inline]
    pub fn feed(&mut self, chunk: &[u8], mut each: impl FnMut(RawLine<'_>)) {
        let mut start = 0;
        for end in memchr::memchr_iter(b'\n', chunk) {
            let bytes = chunk.get(start..end).unwrap_or_default();
            start = end + 1;
            if self.torn_len == 0 {
                let cut = bytes.len() > self.limit;
                let kept = if cut { bytes.get(..self.limit).unwrap_or_default() } else { bytes };
                each(RawLine { offset: self.offset, bytes: kept, cut });
                self.offset += bytes.len() as u64 + 1;
            } else {
                self.hold(bytes);
                let cut = self.torn_len > self.limit as u64;
                each(RawLine { offset: self.offset, bytes: &self.torn, cut });
                self.offset += self.torn_len + 1;
                self.torn.clear();
                self.torn_len = 0;
            }
        }
        self.hold(chunk.get(start..).unwrap_or_default());
    }

    /// Offset of the first byte after the last complete line: where a reader that starts anew goes on.
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes after the last complete line that were fed already.
    pub const fn torn(&self) -> u64 {
        self.torn_len
    }

    fn hold(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.torn.len()).min(bytes.len());
        self.torn.extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.torn_len += bytes.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines<'a>(
        splitter: &mut Splitter,
        chunks: impl IntoIterator<Item = &'a [u8]>,
    ) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Vec::new();
        for chunk in chunks {
            splitter.feed(chunk, |line| lines.push((line.offset, line.bytes.to_vec(), line.cut)));
        }
        lines
    }

    #[test]
    fn a_torn_line_waits_for_its_rest() {
        let mut splitter = Splitter::new(100);
        assert_eq!(lines(&mut splitter, [b"one\ntw".as_slice()]), [(100, b"one".to_vec(), false)]);
        assert_eq!((splitter.offset(), splitter.torn()), (104, 2));
        assert_eq!(
            lines(&mut splitter, [b"".as_slice(), b"o", b"\n\n"]),
            [(104, b"two".to_vec(), false), (108, b"".to_vec(), false)]
        );
        assert_eq!((splitter.offset(), splitter.torn()), (109, 0));
    }

    #[test]
    fn an_over_long_line_is_cut_and_costs_no_memory() {
        let mut splitter = Splitter::with_limit(0, 4);
        let cut = lines(&mut splitter, [b"12345\n1234".as_slice(), b"\n123", b"45", b"6789", b"\nx\n"]);
        assert_eq!(
            cut,
            [
                (0, b"1234".to_vec(), true),
                (6, b"1234".to_vec(), false),
                (11, b"1234".to_vec(), true),
                (21, b"x".to_vec(), false)
            ]
        );
        assert!(splitter.torn.capacity() < 64);
    }

    proptest! {
        #[test]
        fn the_lines_do_not_depend_on_where_chunks_end(
            bytes in prop::collection::vec(prop_oneof![Just(b'\n'), any::<u8>()], 0..200),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
            limit in 1_usize..20,
        ) {
            let mut ends: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            ends.sort_unstable();
            let starts = [0].into_iter().chain(ends.iter().copied());
            let chunks = starts.zip(ends.iter().copied().chain([bytes.len()])).map(|(start, end)| &bytes[start..end]);
            let (mut whole, mut parts) = (Splitter::with_limit(7, limit), Splitter::with_limit(7, limit));
            prop_assert_eq!(lines(&mut parts, chunks), lines(&mut whole, [bytes.as_slice()]));
            prop_assert_eq!(parts.offset(), whole.offset());
            prop_assert_eq!(parts.offset() + parts.torn(), 7 + bytes.len() as u64);
        }
    }
}
