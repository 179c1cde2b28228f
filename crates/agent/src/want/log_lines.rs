//! The lines of the node's log about one block or transaction.
//!
//! The place of a time is found by bisection, because a log is gigabytes and a want minutes long; from there the lines are
//! read until their times are behind the range. Only the log itself is read: what is in a rotated file is told as missing.

use std::path::Path;

use bmon_corelog::{Line, RawLine, Splitter, Story, private};
use bmon_event::{AgentTime, Kind, Subject, event::LogLines};

use super::{
    Bounds,
    log_reader::{CHUNK, LogError, LogReader},
};
use crate::privacy::Privacy;

/// How far the times of a log may go back without a line of the range being missed. Threads overtake one another by
/// milliseconds, and a clock that is set goes back by seconds.
const SLACK_US: i64 = 60_000_000;

/// What to look for.
pub(super) struct Request<'a> {
    pub(super) path: &'a Path,
    pub(super) subject: Subject,
    pub(super) from: AgentTime,
    pub(super) to: AgentTime,
    pub(super) bounds: Bounds,
    pub(super) privacy: &'a Privacy,
}

/// What was found, and what it cost.
pub(super) struct Found {
    pub(super) lines: Result<Lines, LogError>,
    pub(super) read_bytes: u64,
}

/// Lines, and what may be missing.
#[derive(Debug)]
pub(super) struct Lines {
    lines: Vec<String>,
    problems: Vec<String>,
}

impl Lines {
    /// The answer to a want.
    pub(super) fn into_kind(self, want: u64, subject: Subject) -> Kind {
        let problem = (!self.problems.is_empty()).then(|| self.problems.join("; "));
        Kind::LogLines(LogLines { want, subject, lines: self.lines, problem })
    }
}

impl Request<'_> {
    /// Looks for the lines, until `is_over`.
    pub(super) fn fulfil(&self, is_over: &dyn Fn() -> bool) -> Found {
        match LogReader::open(self.path, self.bounds.read_bytes, is_over) {
            Ok(mut log) => {
                let lines = self.collect(&mut log);
                Found { lines, read_bytes: log.read_bytes() }
            }
            Err(error) => Found { lines: Err(error.into()), read_bytes: 0 },
        }
    }

    fn collect(&self, log: &mut LogReader<'_>) -> Result<Lines, LogError> {
        let mut scan = Scan::new(self);
        match log.first_timed(0, log.length())? {
            Some((_, begin)) if begin > self.from && !log.begins_with_the_node()? => {
                scan.problems
                    .push(format!("the log begins at {begin}; what was before is gone or in a rotated file"));
            }
            Some(_) => {}
            None => scan.problems.push("no line of the log tells a time".to_owned()),
        }
        let mut offset = log.place_of(self.from.plus_micros(-SLACK_US))?;
        let (mut splitter, mut buffer) = (Splitter::new(offset), Vec::new());
        while !scan.is_done() {
            let chunk = log.chunk(offset, CHUNK, &mut buffer)?;
            if chunk.is_empty() {
                scan.note_end(log, offset);
                break;
            }
            offset += chunk.len() as u64;
            splitter.feed(chunk, |raw| scan.read(raw));
        }
        Ok(scan.finish())
    }
}

/// Reads lines in the order of the log.
struct Scan<'a> {
    story: Story,
    picked: Picked<'a>,
    /// Behind this no line is in the range any more.
    last: AgentTime,
    newest: Option<AgentTime>,
    is_past: bool,
    steps_back: bool,
    problems: Vec<String>,
}

/// The lines of an answer.
struct Picked<'a> {
    privacy: &'a Privacy,
    lines: Vec<String>,
    /// Bytes that more of them may take.
    room: u64,
    /// One did not fit.
    is_full: bool,
}

impl Picked<'_> {
    fn add(&mut self, line: &[u8]) {
        if private::is_wallets(&Line::parse(line)) {
            return;
        }
        let line = String::from_utf8_lossy(&self.privacy.hide(line)).into_owned();
        // With its end, which the answer does not have but whoever prints it adds.
        let left = self.room.checked_sub(line.len() as u64 + 1);
        match left.filter(|_| !self.is_full) {
            Some(left) => {
                self.room = left;
                self.lines.push(line);
            }
            None => self.is_full = true,
        }
    }
}

impl<'a> Scan<'a> {
    fn new(request: &Request<'a>) -> Self {
        Self {
            story: Story::new(request.subject),
            picked: Picked {
                privacy: request.privacy,
                lines: Vec::new(),
                room: request.bounds.answer_bytes,
                is_full: false,
            },
            last: request.to.plus_micros(SLACK_US),
            newest: None,
            is_past: false,
            steps_back: false,
            problems: Vec::new(),
        }
    }

    const fn is_done(&self) -> bool {
        self.is_past || self.picked.is_full
    }

    fn read(&mut self, raw: RawLine<'_>) {
        if self.is_done() {
            return;
        }
        if let Some(time) = Line::parse(raw.bytes).time {
            self.note_time(time.on_agent_clock());
        }
        if !self.is_past && !raw.cut {
            let Self { story, picked, .. } = self;
            story.feed(raw.bytes, |line| picked.add(line));
        }
    }

    fn finish(mut self) -> Lines {
        self.story.finish(|line| self.picked.add(line));
        if self.picked.is_full {
            self.problems.push("there are more lines than an answer may hold".to_owned());
        }
        Lines { lines: self.picked.lines, problems: self.problems }
    }

    fn note_time(&mut self, time: AgentTime) {
        let back = self.newest.map_or(0, |newest| newest.micros_since(time));
        if back > SLACK_US && !std::mem::replace(&mut self.steps_back, true) {
            self.problems.push(format!("the log's time goes back by {} s at {time}", back / 1_000_000));
        }
        self.newest = self.newest.max(Some(time));
        self.is_past = time > self.last;
    }

    /// Notes why there is nothing more to read.
    fn note_end(&mut self, log: &LogReader<'_>, offset: u64) {
        if log.is_spent() {
            let upto = self.newest.map_or_else(|| "its beginning".to_owned(), |time| time.to_string());
            self.problems.push(format!("the log is read up to {upto}: that is as much as may be read of it"));
        } else if log.was_replaced(offset) {
            self.problems.push("the log was rotated while it was read".to_owned());
        }
    }
}

#[cfg(test)]
mod tests;
