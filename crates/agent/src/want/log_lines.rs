//! The lines of the node's log about one block or transaction.
//!
//! The place of a time is found by bisection, because a log is gigabytes and a want minutes long; from there the lines are
//! read until their times are behind the range. Only the log itself is read: what is in a rotated file is told as missing.

use std::path::Path;

use bmon_corelog::{Line, RawLine, Splitter, Story};
use bmon_event::{AgentTime, Kind, Subject, event::LogLines};

use super::{
    Bounds, address,
    log_reader::{CHUNK, LogError, LogReader},
};

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
}

/// What was found, and what it cost.
pub(super) struct Found {
    pub(super) lines: Result<Lines, LogError>,
    pub(super) read_bytes: u64,
}

/// Lines, and what may be missing.
#[derive(Debug, Default)]
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
                scan.problem(format!(
                    "the log begins at {begin}; what was before is gone or in a rotated file"
                ));
            }
            Some(_) => {}
            None => scan.problem("no line of the log tells a time".to_owned()),
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
struct Scan {
    story: Story,
    /// Behind this no line is in the range any more.
    last: AgentTime,
    newest: Option<AgentTime>,
    is_past: bool,
    steps_back: bool,
    answer: Answer,
}

/// The lines so far, and how much more they may be.
struct Answer {
    lines: Lines,
    /// Bytes that lines may still take.
    room: u64,
    is_full: bool,
}

impl Answer {
    fn take(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(&address::without(line)).into_owned();
        // With its end, which the answer does not have but whoever prints it adds.
        match self.room.checked_sub(line.len() as u64 + 1) {
            Some(left) if !self.is_full => {
                self.room = left;
                self.lines.lines.push(line);
            }
            _ if !std::mem::replace(&mut self.is_full, true) => {
                self.lines.problems.push("there are more lines than an answer may hold".to_owned());
            }
            _ => {}
        }
    }
}

impl Scan {
    fn new(request: &Request<'_>) -> Self {
        Self {
            story: Story::new(request.subject),
            last: request.to.plus_micros(SLACK_US),
            newest: None,
            is_past: false,
            steps_back: false,
            answer: Answer { lines: Lines::default(), room: request.bounds.answer_bytes, is_full: false },
        }
    }

    const fn is_done(&self) -> bool {
        self.is_past || self.answer.is_full
    }

    fn read(&mut self, raw: RawLine<'_>) {
        if let Some(time) = Line::parse(raw.bytes).time {
            self.note_time(time.on_agent_clock());
        }
        if self.is_done() || raw.cut {
            return;
        }
        let Self { story, answer, .. } = self;
        story.feed(raw.bytes, |line| answer.take(line));
    }

    /// What the request is answered with.
    fn finish(self) -> Lines {
        let Self { mut story, mut answer, .. } = self;
        story.finish(|line| answer.take(line));
        answer.lines
    }

    fn note_time(&mut self, time: AgentTime) {
        let back = self.newest.map_or(0, |newest| newest.micros_since(time));
        if back > SLACK_US && !std::mem::replace(&mut self.steps_back, true) {
            self.problem(format!("the log's time goes back by {} s at {time}", back / 1_000_000));
        }
        self.newest = self.newest.max(Some(time));
        self.is_past = time > self.last;
    }

    /// Notes why there is nothing more to read.
    fn note_end(&mut self, log: &LogReader<'_>, offset: u64) {
        if log.is_spent() {
            let upto = self.newest.map_or_else(|| "its beginning".to_owned(), |time| time.to_string());
            self.problem(format!("the log is read up to {upto}: that is as much as may be read of it"));
        } else if log.was_replaced(offset) {
            self.problem("the log was rotated while it was read".to_owned());
        }
    }

    fn problem(&mut self, problem: String) {
        self.answer.lines.problems.push(problem);
    }
}

#[cfg(test)]
mod tests;
