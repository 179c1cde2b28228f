//! What was counted while logs were read.

use std::{collections::BTreeMap, ops::AddAssign};

use serde::Serialize;

use super::report::Time;

/// What reading the files of one node came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// The files, in the order in which they were read: by the first time in each.
    pub files: Vec<FileReading>,
    /// What was counted in all of them.
    pub counts: LineCounts,
    /// What a person should know of them, each a sentence without its full stop.
    pub warnings: Vec<String>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileReading {
    /// Its name as it was given.
    pub file: String,
    /// The first time in it, `None` if there is none.
    pub from: Option<Time>,
    /// The latest time in it, `None` if there is none.
    pub to: Option<Time>,
    /// Lines.
    pub lines: u64,
}

/// Lines of one or more logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineCounts {
    /// Lines.
    pub total: u64,
    /// Lines that are a message bmon knows.
    pub matched: u64,
    /// Lines without a time of their own.
    pub without_time: u64,
    /// Lines that were too long to be read.
    pub cut: u64,
    /// Lines that say that the node leaves out lines of some source location.
    pub suppressing: u64,
    /// Times that the log's time went back by more than a second.
    pub steps_back: u64,
    /// The largest of those steps in microseconds.
    pub largest_step_back_us: u64,
    /// Events left out because no line had told a time yet.
    pub unplaced: u64,
    /// Lines by message.
    pub messages: BTreeMap<String, u64>,
}

impl AddAssign for LineCounts {
    fn add_assign(&mut self, other: Self) {
        self.total += other.total;
        self.matched += other.matched;
        self.without_time += other.without_time;
        self.cut += other.cut;
        self.suppressing += other.suppressing;
        self.steps_back += other.steps_back;
        self.largest_step_back_us = self.largest_step_back_us.max(other.largest_step_back_us);
        self.unplaced += other.unplaced;
        for (message, lines) in other.messages {
            *self.messages.entry(message).or_default() += lines;
        }
    }
}

impl LineCounts {
    /// What in them makes a report less sure, for a person to read.
    pub(super) fn warnings(&self) -> Vec<String> {
        let largest = self.largest_step_back_us as f64 / 1e6;
        let all = [
            (
                self.steps_back,
                format!("times its time steps back by more than a second, at most by {largest} s"),
            ),
            (self.cut, "lines are too long to be read".to_owned()),
            (self.suppressing, "lines say that the node leaves out others".to_owned()),
            (self.unplaced, "events have no time before them and are left out".to_owned()),
        ];
        all.into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count} {what}"))
            .collect()
    }
}
