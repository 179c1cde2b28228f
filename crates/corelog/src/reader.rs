//! One log, from bytes to events: the one place where lines become events, for an agent that follows a log and for
//! the replay of old ones.

use bmon_event::{AgentTime, Event, Kind, NodeTime, Source};

pub use count::MessageCounts;

use self::stretch::Stretch;
use crate::{
    assembler::{Relay, Runs},
    line::Line,
    message::Message,
    split::Splitter,
    stamp::Minute,
};

mod count;
mod stretch;

/// A step back of the log's time that is more than threads overtaking one another.
const STEP_BACK_US: i64 = 1_000_000;

/// Reads one log in the order of its bytes.
#[derive(Clone, Debug)]
pub struct Reader {
    splitter: Splitter,
    clock: Clock,
    context: Context,
    counts: Counts,
    stretch: Stretch,
}

/// What earlier lines of a log are needed for: to tell something together with those that follow.
#[derive(Clone, Debug)]
struct Context {
    runs: Runs,
    relay: Relay,
}

/// The times of a log so far.
#[derive(Clone, Copy, Debug)]
struct Clock {
    /// Of the last line that has one.
    last: Option<NodeTime>,
    /// The latest of all.
    newest: Option<NodeTime>,
    minute: Minute,
}

/// What a reader has seen since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Lines.
    pub lines: u64,
    /// Lines that are a message this crate knows.
    pub matched: u64,
    /// Lines without a time of their own, empty ones included.
    pub without_time: u64,
    /// Lines longer than the limit. They are not read.
    pub cut: u64,
    /// Lines that say that the node leaves out lines of some source location.
    pub suppressing: u64,
    /// Times that the log's time went back by more than a second from one line to the next.
    pub steps_back: u64,
    /// The largest of those steps in microseconds.
    pub largest_step_back_us: u64,
    /// Events left out of a replay because no line had told a time yet.
    pub unplaced: u64,
    /// Lines of each message.
    pub messages: MessageCounts,
}

impl Counts {
    /// Before the first line.
    const NONE: Self = Self {
        lines: 0,
        matched: 0,
        without_time: 0,
        cut: 0,
        suppressing: 0,
        steps_back: 0,
        largest_step_back_us: 0,
        unplaced: 0,
        messages: MessageCounts::NONE,
    };
}

impl Reader {
    /// A reader that begins at `offset`, where a line must begin. `last_line` is the time of the line before it,
    /// `None` at the beginning of a log.
    pub const fn new(offset: u64, last_line: Option<NodeTime>) -> Self {
        Self {
            splitter: Splitter::new(offset),
            clock: Clock { last: last_line, newest: last_line, minute: Minute::NONE },
            context: Context::new(),
            counts: Counts::NONE,
            stretch: Stretch::NONE,
        }
    }

    /// Takes the bytes that follow those of the last call, and gives the events of the lines that they complete.
    ///
    /// `received_at` is when the agent read them. In a replay it is `None`, and an event's agent time is the latest
    /// time of the log so far, so that it never goes back.
    pub fn read(&mut self, chunk: &[u8], received_at: Option<AgentTime>, mut each: impl FnMut(Event)) {
        let Self { splitter, clock, context, counts, stretch } = self;
        splitter.feed(chunk, |raw| {
            let line = Line::parse_after(raw.bytes, &mut clock.minute);
            // In a log with times, a line without one continues the message of the line before. It is that message's
            // text, whatever it looks like.
            let is_read = !raw.cut && (line.time.is_some() || clock.last.is_none());
            let message = if is_read { Message::parse(&line) } else { None };
            if let Some(time) = line.time
                && (stretch.ends_before(time) || matches!(message, Some(Message::NodeStarted(_))))
                && let Some(kind) = stretch.next(time, counts, clock.last)
                && let Some(event) = clock.event(kind, received_at)
            {
                each(event);
            }
            count(&line, raw.cut, clock, counts);
            let Some(message) = message else { return };
            stretch.note(&message);
            if let Some(event) = event(&line, &message, received_at, clock, context, counts) {
                each(event);
            }
        });
    }

    /// Learns what stands right before the bytes of the first [`Self::read`] and was read by a reader before this one,
    /// so that an event of several lines is whole though that reader ended among them. `before` may begin within a
    /// line. It gives no events and counts for nothing.
    pub fn recall(&mut self, before: &[u8]) {
        let lines = before.split_inclusive(|byte| *byte == b'\n').skip(1);
        for line in lines.map(Line::parse).filter(|line| line.time.is_some() || self.clock.last.is_none()) {
            if let Some(message) = Message::parse(&line) {
                self.context.complete(line.thread, &message, &mut None);
            }
        }
    }

    /// Lines are missing before those of the next [`Self::read`]: no event is made of lines before and after them.
    pub fn interrupt(&mut self) {
        self.context = Context::new();
        self.stretch = Stretch::NONE;
    }

    /// Offset of the first byte after the last complete line.
    pub const fn offset(&self) -> u64 {
        self.splitter.offset()
    }

    /// Bytes of an unfinished line after that. In a log that is complete, they are its torn end.
    pub const fn torn(&self) -> u64 {
        self.splitter.torn()
    }

    /// Time of the last line that has one.
    pub const fn last_line(&self) -> Option<NodeTime> {
        self.clock.last
    }

    /// What was seen since the reader was made.
    pub const fn counts(&self) -> &Counts {
        &self.counts
    }
}

#[inline]
fn count(line: &Line<'_>, cut: bool, clock: &mut Clock, counts: &mut Counts) {
    counts.lines += 1;
    counts.suppressing += u64::from(line.suppressing);
    counts.cut += u64::from(cut);
    match line.time {
        Some(time) => clock.advance(time, counts),
        None => counts.without_time += 1,
    }
}

#[inline]
fn event(
    line: &Line<'_>,
    message: &Message<'_>,
    received_at: Option<AgentTime>,
    clock: &Clock,
    context: &mut Context,
    counts: &mut Counts,
) -> Option<Event> {
    counts.matched += 1;
    counts.messages.add(message);
    let mut kind = message.to_kind(clock.last);
    context.complete(line.thread, message, &mut kind);
    let event = clock.event(kind?, received_at);
    counts.unplaced += u64::from(event.is_none());
    event
}

impl Context {
    const fn new() -> Self {
        Self { runs: Runs::new(), relay: Relay::new() }
    }

    /// Adds to what a message tells by itself what it tells together with those before it.
    #[inline]
    fn complete(&mut self, thread: Option<&[u8]>, message: &Message<'_>, kind: &mut Option<Kind>) {
        if let Some(connected) = self.runs.feed(thread, message) {
            kind.get_or_insert_with(|| Kind::BlockProcessed {
                block: connected.block,
                height: connected.height,
                processing: Box::new(connected.processing),
            });
        }
        self.relay.complete(thread, message, kind);
    }
}

impl Clock {
    /// The event of the last line, `None` where no line has told a time that a replay could give it.
    #[inline]
    fn event(&self, kind: Kind, received_at: Option<AgentTime>) -> Option<Event> {
        let agent_time = received_at.or(self.newest.map(NodeTime::on_agent_clock))?;
        Some(Event { source: Source::Log, node_time: self.last, agent_time, kind })
    }

    #[inline]
    fn advance(&mut self, time: NodeTime, counts: &mut Counts) {
        let back = self.last.map_or(0, |last| last.micros_since(time));
        if back > STEP_BACK_US {
            counts.steps_back += 1;
            counts.largest_step_back_us = counts.largest_step_back_us.max(back.unsigned_abs());
        }
        self.last = Some(time);
        self.newest = self.newest.max(Some(time));
    }
}

#[cfg(test)]
mod tests;
