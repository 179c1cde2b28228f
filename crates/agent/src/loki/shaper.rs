//! From the lines of a log to the entries of streams.

use std::borrow::Cow;

use bmon_corelog::{Category, Level, Line, Mention, Message, private};
use bmon_event::{AgentTime, Txid};
use serde::{Deserialize, Serialize};

use super::{
    instant::{Instants, Resolution},
    push::{Entry, Labelled, Pair, Push, Timestamp},
};
use crate::privacy::Privacy;

/// Whose lines a log has. It is the value of the label `source`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The node's `debug.log`.
    DebugLog,
    /// What the node writes to its standard error.
    Stderr,
    /// What the agent writes about itself.
    Bmon,
}

impl Origin {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::DebugLog => "debug.log",
            Self::Stderr => "stderr",
            Self::Bmon => "bmon",
        }
    }
}

/// What the entries of lines depend on beside the lines themselves: what the lines before them said. It is durable together with
/// the place they were read up to, so that they are the same when they are read again.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Past {
    instants: Instants,
    /// Time of the last line, which is that of the lines without one that continue it.
    last_us: Option<i64>,
    /// A line has told its time.
    has_times: bool,
    /// The node's version, from the first line of its last start.
    version: Option<String>,
    /// Of the last line with a time, for those that continue it.
    resolution: Resolution,
    label: Label,
    withheld: bool,
}

impl Past {
    /// Before the first line that is read, of a node whose version is known.
    pub(super) fn of_version(version: Option<String>) -> Self {
        Self { version, ..Self::default() }
    }

    /// Lines come whose time nothing tells yet. They get that of their reading, which must be durable before they are sent.
    pub(super) fn needs_time(&self, bytes: &[u8]) -> bool {
        !self.has_times && first_time(bytes).is_none()
    }

    /// Time of the last line, 0 before the first.
    pub(super) fn last_us(&self) -> i64 {
        self.last_us.unwrap_or_default()
    }

    /// Gives such lines their time.
    pub(super) fn set_time(&mut self, now: AgentTime) {
        self.last_us = Some(now.as_micros());
    }
}

fn first_time(bytes: &[u8]) -> Option<i64> {
    bytes
        .split(|byte| *byte == b'\n')
        .find_map(|line| Line::parse(line).time)
        .map(bmon_event::NodeTime::as_micros)
}

/// What became of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    /// Lines that are a wallet's, and stay.
    pub(super) withheld: u64,
    /// Lines of which only the beginning is an entry.
    pub(super) cut: u64,
    /// Lines with an address that was hidden.
    pub(super) hidden: u64,
}

/// Makes entries of lines.
pub(super) struct Shaper {
    pub(super) origin: Origin,
    /// The labels that all streams have.
    pub(super) labels: Vec<(&'static str, String)>,
    pub(super) privacy: Privacy,
    pub(super) line_max_bytes: usize,
    pub(super) past: Past,
    pub(super) tally: Tally,
}

/// Entries that wait to be pushed together.
#[derive(Default)]
pub(super) struct Batch {
    keys: Vec<Key>,
    push: Push,
    /// Bytes of text.
    pub(super) bytes: usize,
}

/// What the labels of a line's stream depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Words", from = "Words")]
struct Label {
    category: Option<Category>,
    level: Level,
}

/// A [`Label`] as the node's words.
#[derive(Serialize, Deserialize)]
struct Words {
    category: String,
    level: String,
}

impl Default for Label {
    fn default() -> Self {
        Self { category: None, level: Level::Info }
    }
}

impl From<Label> for Words {
    fn from(label: Label) -> Self {
        let category = label.category.map_or("", Category::as_str).to_owned();
        Self { category, level: label.level.as_str().to_owned() }
    }
}

impl From<Words> for Label {
    fn from(words: Words) -> Self {
        let level = Level::from_word(words.level.as_bytes()).unwrap_or(Level::Info);
        Self { category: Category::from_word(words.category.as_bytes()), level }
    }
}

#[derive(PartialEq, Eq)]
struct Key {
    label: Label,
    version: Option<String>,
}

impl Batch {
    pub(super) fn take(&mut self) -> Push {
        std::mem::take(self).push
    }

    fn add(&mut self, shaper: &Shaper, label: Label, entry: Entry) {
        self.bytes += entry.line.len();
        let version = &shaper.past.version;
        let known = self.keys.iter().position(|key| key.label == label && key.version == *version);
        let stream = known.unwrap_or_else(|| {
            self.keys.push(Key { label, version: version.clone() });
            self.push.streams.push(Labelled::new(shaper.labels_of(label)));
            self.keys.len() - 1
        });
        self.push.streams[stream].stream.entries.push(entry);
    }
}

impl Shaper {
    /// Adds the entries of lines, of which the last may lack its end.
    pub(super) fn shape(&mut self, bytes: &[u8], batch: &mut Batch) {
        if self.past.last_us.is_none() {
            self.past.last_us = first_time(bytes);
        }
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            self.add(line.strip_suffix(b"\r").unwrap_or(line), batch);
        }
    }

    fn add(&mut self, raw: &[u8], batch: &mut Batch) {
        let line = Line::parse(raw);
        let label = self.learn(raw, &line);
        // The time is taken also of lines that stay, so that those of others do not depend on what is a wallet's.
        let us = self.past.last_us.unwrap_or_default();
        let nanos = self.past.instants.next(us, self.past.resolution);
        if self.past.withheld {
            self.tally.withheld += 1;
            return;
        }
        let shown = self.privacy.hide_from(raw, raw.len() - line.text.len());
        self.tally.hidden += u64::from(matches!(shown, Cow::Owned(_)));
        let text = self.cut(&shown);
        let entry = Entry {
            timestamp: Some(Timestamp::from_nanos(nanos)),
            line: text,
            structured_metadata: if line.time.is_some() { metadata(&line) } else { Vec::new() },
        };
        batch.add(self, label, entry);
    }

    /// Notes what a line says of itself and of those that continue it.
    fn learn(&mut self, raw: &[u8], line: &Line<'_>) -> Label {
        let past = &mut self.past;
        if let Some(time) = line.time {
            (past.last_us, past.resolution) = (Some(time.as_micros()), resolution(raw));
            past.has_times = true;
        } else if past.has_times {
            // A dump of a transaction continues the line of a wallet, but other lines may have come between the two.
            past.withheld |= private::is_wallets(line);
            return past.label;
        }
        if self.origin == Origin::DebugLog {
            past.version = version_of(line).or(past.version.take());
        }
        past.withheld = self.origin != Origin::Bmon && private::is_wallets(line);
        past.label = Label { category: line.category, level: level(self.origin, line) };
        past.label
    }

    /// The text of at most so many bytes, marked if it was longer. What is not UTF-8 is replaced.
    fn cut(&mut self, line: &[u8]) -> String {
        let Some(kept) = line.get(..self.line_max_bytes).filter(|_| line.len() > self.line_max_bytes) else {
            return String::from_utf8_lossy(line).into_owned();
        };
        self.tally.cut += 1;
        let mark = format!(" … [{} bytes cut by bmon]", line.len() - kept.len());
        let kept = kept.get(..kept.len().saturating_sub(mark.len() + 3)).unwrap_or_default();
        let kept = kept.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        format!("{kept} … [{} bytes cut by bmon]", line.len() - kept.len())
    }

    fn labels_of(&self, label: Label) -> Vec<(&'static str, String)> {
        let mut labels = self.labels.clone();
        labels.push(("source", self.origin.as_str().to_owned()));
        labels.push(("version", self.past.version.clone().unwrap_or_else(|| "unknown".to_owned())));
        labels.push(("level", label.level.as_str().to_owned()));
        labels.extend(label.category.map(|category| ("category", category.as_str().to_owned())));
        labels
    }
}

/// How exact the time at the beginning of a line is.
fn resolution(raw: &[u8]) -> Resolution {
    let stamp = raw.strip_prefix(b"[*] ").unwrap_or(raw);
    if stamp.get("2026-11-26T05:13:04".len()) == Some(&b'.') {
        Resolution::Microsecond
    } else {
        Resolution::Second
    }
}

/// The level of a line that does not tell it: what has a category is `debug` (`BCLog::Logger::GetLogPrefix`,
/// `src/logging.cpp@v30`), and older nodes begin errors and warnings with a word.
fn level(origin: Origin, line: &Line<'_>) -> Level {
    if let Some(level) = line.level {
        return level;
    }
    let text = line.text.trim_ascii_start();
    let begins =
        |word: &str| text.get(..word.len()).is_some_and(|text| text.eq_ignore_ascii_case(word.as_bytes()));
    match origin {
        Origin::Bmon if begins("trace ") => Level::Trace,
        Origin::Bmon if begins("debug ") => Level::Debug,
        Origin::Bmon if begins("error ") => Level::Error,
        Origin::Bmon if begins("warn ") => Level::Warning,
        _ if begins("error:") => Level::Error,
        _ if begins("warning:") => Level::Warning,
        _ if line.category.is_some_and(|category| category != Category::All) => Level::Debug,
        _ => Level::Info,
    }
}

/// The version that a node's first line tells, such as `Bitcoin Core version v30.0.0 (release build)`, with whose it is; `None` of any
/// other line.
pub(super) fn version_of(line: &Line<'_>) -> Option<String> {
    // Looked for first, because it is in hardly any line.
    memchr::memmem::find(line.text.get(..64).unwrap_or(line.text), b" version ")?;
    let Some(Message::NodeStarted(_)) = Message::parse(line) else { return None };
    let banner = String::from_utf8_lossy(line.text);
    let (whose, rest) = banner.split_once(" version ")?;
    let number = rest.split_whitespace().next()?;
    Some(format!("{} {number}", whose.trim()))
}

/// The hashes in a message's fields, the first of each kind.
fn metadata(line: &Line<'_>) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = Vec::new();
    let Some(message) = Message::parse(line) else { return pairs };
    message.mentions(&mut |mention| {
        let (name, value) = match mention {
            Mention::Block(block) => ("block_hash", block.to_string()),
            Mention::Tx(txid) => ("txid", txid.to_string()),
            Mention::Wtx(wtxid) => ("wtxid", wtxid.to_string()),
            Mention::Any(bytes) => {
                let value = Txid::from_bytes(bytes).to_string();
                let Some(name) = name_before(line.text, &value) else { return };
                (name, value)
            }
        };
        if pairs.iter().all(|pair| pair.name != name) {
            pairs.push(Pair { name: name.to_owned(), value });
        }
    });
    pairs
}

/// What the word before a hash says of it.
fn name_before(text: &[u8], hash: &str) -> Option<&'static str> {
    let place = memchr::memmem::find(text, hash.as_bytes())?;
    let before = text.get(..place)?.trim_ascii_end();
    [(b"wtx".as_slice(), "wtxid"), (b"tx", "txid"), (b"block", "block_hash")]
        .into_iter()
        .find_map(|(word, name)| before.ends_with(word).then_some(name))
}

#[cfg(test)]
mod tests;
