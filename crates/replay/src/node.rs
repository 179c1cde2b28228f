//! One node: its files as one stream.

use std::{
    path::PathBuf,
    sync::{Arc, mpsc::SyncSender},
};

use bmon_analysis::{
    explain::{LogStory, Witness},
    replay::{Merge, Reading, Told},
};
use bmon_event::{NodeName, Subject};

use crate::{
    Node, ReplayError, Window,
    history::{self, History},
    log::Log,
    progress::Shared,
};

/// Events that are sent at once, at most.
const LIST: usize = 4_096;

/// A node whose files were looked into.
pub(crate) struct Opened {
    pub(crate) name: NodeName,
    streams: Vec<Stream>,
}

enum Stream {
    Log(Box<Log>),
    History(History),
}

impl Opened {
    pub(crate) fn new(node: &Node, window: Window, shared: &Arc<Shared>) -> Result<Self, ReplayError> {
        let (histories, logs): (Vec<PathBuf>, Vec<PathBuf>) =
            node.files.iter().cloned().partition(|file| history::is_history(file));
        let look = |file: &PathBuf| Log::look(file, window, shared);
        let mut logs = logs.iter().map(look).collect::<Result<Vec<_>, _>>()?;
        logs.sort_by_key(Log::first);
        let mut streams: Vec<_> = logs.into_iter().map(|log| Stream::Log(Box::new(log))).collect();
        if !histories.is_empty() {
            streams.push(Stream::History(History::read(&histories, window, shared)?));
        }
        Ok(Self { name: node.name.clone(), streams })
    }

    /// Reads all files and sends what they tell, until the end or until nobody listens any more.
    pub(crate) fn read(
        self,
        sender: &SyncSender<Vec<Told>>,
        shared: &Shared,
    ) -> Result<Reading, ReplayError> {
        let mut merge = Merge::new(self.streams);
        let mut list = Vec::new();
        for (_, told) in merge.by_ref() {
            let is_bound = matches!(told, Told::NothingBefore(_));
            list.push(told);
            if (is_bound || list.len() >= LIST) && sender.send(std::mem::take(&mut list)).is_err() {
                shared.stop();
                break;
            }
        }
        // Nobody listens any more only when the replay has failed elsewhere.
        let _ = sender.send(list);
        let mut whole = Reading::default();
        for stream in merge.into_logs() {
            let reading = match stream {
                Stream::Log(log) => log.finish()?,
                Stream::History(history) => history.finish(),
            };
            whole.files.extend(reading.files);
            whole.counts += reading.counts;
            whole.warnings.extend(reading.warnings);
        }
        Ok(whole)
    }
}

impl Opened {
    /// Reads all files for what they tell of `subject` alone, one after the other.
    pub(crate) fn explain(self, subject: Subject, window: Window) -> Result<Witness, ReplayError> {
        let (mut story, mut warnings, mut histories) = (LogStory::new(subject), Vec::new(), Vec::new());
        let has_logs = self.streams.iter().any(|stream| matches!(stream, Stream::Log(_)));
        for stream in self.streams {
            match stream {
                Stream::Log(log) => {
                    warnings.extend(log.each_line(|line| story.feed(line, |at| window.holds(at)))?);
                }
                Stream::History(history) => histories.push(history),
            }
        }
        let mut witness = story.into_witness(self.name);
        for history in histories {
            history.explain(subject, &mut witness, has_logs);
        }
        witness.unknown.extend(warnings);
        Ok(witness)
    }
}

impl Iterator for Stream {
    type Item = Told;

    fn next(&mut self) -> Option<Told> {
        match self {
            Self::Log(log) => log.next(),
            Self::History(history) => history.next(),
        }
    }
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("name", &self.name).finish_non_exhaustive()
    }
}
