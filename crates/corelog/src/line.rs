//! The prefix that stands before every message.
//!
//! `[*] `? time (` (mocktime: …)`)? blank (`[thread] `)? (`[file:line] [function] `)? (`[category]` |
//! `[category:level]` | `[level]`)? text, as `Format` and `GetLogPrefix` of `src/logging.cpp` put it together: the
//! category since 24.0, source locations since 22.0, thread names since 0.19, ISO time since 0.17.
//!
//! Reading it never fails: what is not a prefix is text.

use bmon_event::NodeTime;

use crate::{
    label::{Category, Label, Level},
    stamp::{self, Minute},
};

/// One line without its end, taken apart. Everything is borrowed from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Line<'a> {
    /// When the node wrote it, `None` for continuations of the line before and with `-logtimestamps=0`.
    pub time: Option<NodeTime>,
    /// The time that `setmocktime` pretends, `None` when it does not.
    pub mock_time: Option<NodeTime>,
    /// The line has the mark `[*]`: while it was written, the node suppressed the lines of some source location
    /// (29.1 and later).
    pub suppressing: bool,
    /// Name of the thread that wrote it, `None` without `-logthreadnames`.
    pub thread: Option<&'a [u8]>,
    /// Where in the node's source the message is, `None` without `-logsourcelocations`.
    pub location: Option<Location<'a>>,
    /// The category, `None` where none was printed: always up to 23, and for uncategorised messages.
    pub category: Option<Category>,
    /// The level, `None` where none was printed.
    pub level: Option<Level>,
    /// The message. Leading blanks belong to it.
    pub text: &'a [u8],
}

/// A place in the node's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The file: relative to `src`, in some builds (Knots 29.4) with `src/` before it.
    pub file: &'a [u8],
    /// The line in it.
    pub line: u32,
    /// Short name (22 to 29.0, 31.0) or whole signature (29.1, 30) of the function.
    pub function: &'a [u8],
}

impl<'a> Line<'a> {
    /// Takes a line apart. `bytes` may be anything; an end of line (LF or CR LF) is left out.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Self {
        Self::parse_after(bytes, &mut { Minute::NONE })
    }

    /// The same, faster when the line is of the `minute` of the line before.
    #[inline]
    pub(crate) fn parse_after(bytes: &'a [u8], minute: &mut Minute) -> Self {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        let (suppressing, bytes) = match bytes.strip_prefix(b"[*] ") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let (time, bytes) = optional(stamp::take(bytes, minute), bytes);
        let mut line = Self { time, suppressing, text: bytes, ..Self::default() };
        if let [b'(', ..] = line.text {
            (line.mock_time, line.text) = optional(stamp::take_mock(line.text), line.text);
        }
        if let [b'[', ..] = line.text {
            line.take_brackets();
        }
        line
    }

    /// Moves the bracketed fields from the front of `text` to where they belong.
    ///
    /// The thread `net` and the category `net` look alike, so a category counts as a thread where a category, level or
    /// location follows; so does a name that is not in the list, which is otherwise taken for text such as `[snapshot]`
    /// or a wallet's name.
    #[inline]
    fn take_brackets(&mut self) {
        let Some((word, rest)) = bracket(self.text) else { return };
        match Label::from_word(word) {
            Some(label) if label.level.is_some() || !self.take_thread(word, rest) => {
                (self.category, self.level, self.text) = (label.category, label.level, rest);
            }
            None if is_known_thread(word) => {
                self.thread = Some(word);
                self.take_place_and_label(rest);
            }
            None if place(word).is_some() => self.take_place_and_label(self.text),
            None => {
                self.take_thread(word, rest);
            }
            Some(_) => {}
        }
    }

    /// Takes `word` for a thread if what follows it can only follow a thread.
    #[inline]
    fn take_thread(&mut self, word: &'a [u8], rest: &'a [u8]) -> bool {
        let is_thread = bracket(rest)
            .is_some_and(|(next, after)| Label::from_word(next).is_some() || location(next, after).is_some());
        if is_thread {
            self.thread = Some(word);
            self.take_place_and_label(rest);
        }
        is_thread
    }

    #[inline]
    fn take_place_and_label(&mut self, text: &'a [u8]) {
        self.text = text;
        let Some((mut word, mut rest)) = bracket(text) else { return };
        if let Some((location, after)) = location(word, rest) {
            (self.location, self.text) = (Some(location), after);
            let Some(next) = bracket(after) else { return };
            (word, rest) = next;
        }
        if let Some(label) = Label::from_word(word) {
            (self.category, self.level, self.text) = (label.category, label.level, rest);
        }
    }
}

/// What `taken` took, and what is left of `whole`.
#[inline]
fn optional<'a, T>(taken: Option<(T, &'a [u8])>, whole: &'a [u8]) -> (Option<T>, &'a [u8]) {
    match taken {
        Some((value, rest)) => (Some(value), rest),
        None => (None, whole),
    }
}

/// The content of `[…] ` at the front, which has no brackets in it, and what follows.
#[inline]
fn bracket(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let inner = bytes.strip_prefix(b"[")?;
    let end = inner.iter().position(|byte| *byte == b']')?;
    let (word, rest) = inner.split_at_checked(end)?;
    Some((word, rest.strip_prefix(b"] ")?))
}

/// Whether Core gives a thread this name (`ThreadRename`, `TraceThread`).
#[rustfmt::skip]
fn is_known_thread(word: &[u8]) -> bool {
    let families: [&[u8]; 4] = [b"httpworker.", b"http_pool_", b"scriptch.", b"b-"];
    matches!(
        word,
        b"msghand" | b"scheduler" | b"init" | b"shutoff" | b"http" | b"net" | b"opencon" | b"addcon" | b"dnsseed"
        | b"i2paccept" | b"initload" | b"loadblk" | b"torcontrol" | b"mapport" | b"upnp" | b"privbcast" | b"unknown"
        | b"capnp-loop" | b"main" | b"bitcoind" | b"txindex" | b"txospenderindex" | b"coinstatsindex"
        | b"basic block filter index" | b"qt-init" | b"qt-clientmodl" | b"qt-walletctrl" | b"qt-rpcconsole"
    ) || families.iter().any(|family| word.starts_with(family))
}

/// Parts `file:line`, `None` for anything else.
#[inline]
fn place(word: &[u8]) -> Option<(&[u8], u32)> {
    word.last().filter(|last| last.is_ascii_digit())?;
    let colon = word.iter().rposition(|byte| *byte == b':')?;
    let (file, line) = word.split_at_checked(colon)?;
    let line = std::str::from_utf8(line.get(1..)?).ok()?.parse().ok()?;
    file.contains(&b'.').then_some((file, line))
}

/// The location of `[word] [function] `, `rest` being what follows the first bracket, and what follows the second. The
/// function may hold pairs of brackets.
#[inline]
fn location<'a>(word: &'a [u8], rest: &'a [u8]) -> Option<(Location<'a>, &'a [u8])> {
    let (file, line) = place(word)?;
    let inner = rest.strip_prefix(b"[")?;
    let mut depth = 1_u32;
    let end = inner.iter().position(|byte| {
        depth = match byte {
            b'[' => depth + 1,
            b']' => depth - 1,
            _ => depth,
        };
        depth == 0
    })?;
    let (function, rest) = inner.split_at_checked(end)?;
    Some((Location { file, line, function }, rest.strip_prefix(b"] ")?))
}

#[cfg(test)]
mod tests;
