//! Lines, offsets and cuts are those of the bytes, wherever the chunks end.
//!
//! The first byte is the longest line, the next eight are the lengths of chunks by turns.

#![cfg_attr(fuzzing, no_main)]

use bmon_corelog::Splitter;

/// What a splitter says of one line: offset, bytes, whether they are cut.
type Cut = (u64, Vec<u8>, bool);

/// Where the log begins that the splitter reads.
const OFFSET: u64 = 1 << 40;

pub(crate) fn check(data: &[u8]) {
    let Some((&[limit, ref lengths @ ..], log)) = data.split_first_chunk::<9>() else { return };
    let limit = usize::from(limit);
    let (lines, rest) = expected(log, limit);
    let mut splitter = Splitter::with_limit(OFFSET, limit);
    let (mut found, mut unread) = (Vec::new(), log);
    for length in lengths.iter().cycle() {
        let (chunk, after) = unread.split_at(unread.len().min(usize::from(*length) + 1));
        splitter.feed(chunk, |line| found.push((line.offset, line.bytes.to_vec(), line.cut)));
        unread = after;
        if unread.is_empty() {
            break;
        }
    }
    assert_eq!(found, lines);
    assert_eq!((splitter.offset(), splitter.torn()), (OFFSET + (log.len() - rest) as u64, rest as u64));
}

/// The lines, and the length of what follows the last of them, found in the plainest way.
fn expected(log: &[u8], limit: usize) -> (Vec<Cut>, usize) {
    let mut offset = OFFSET;
    let mut lines = Vec::new();
    let mut pieces: Vec<_> = log.split(|byte| *byte == b'\n').collect();
    let rest = pieces.pop().map_or(0, <[u8]>::len);
    for piece in pieces {
        lines.push((offset, piece[..piece.len().min(limit)].to_vec(), piece.len() > limit));
        offset += piece.len() as u64 + 1;
    }
    (lines, rest)
}

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data));
