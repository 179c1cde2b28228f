//! Stretches of a log's own time, and what was counted in each.

use bmon_event::{
    Kind, NodeTime,
    event::{LogMessages, MessageCount},
};

use super::Counts;
use crate::{
    category::node::Setting,
    label::Category,
    message::{Message, Wording},
};

/// How long a stretch is: short beside the hours over which logs are compared, and long enough to cost nothing.
const LENGTH_US: i64 = 10 * 60 * 1_000_000;

/// The settings about what is logged (`src/init/common.cpp@v30`, `SetLoggingCategories` and `SetLoggingLevel`).
const LOGGING: [&[u8]; 3] = [b"debug", b"debugexclude", b"loglevel"];

/// The most settings that are told, and the longest: a node has one for each category.
const MOST_SETTINGS: usize = 64;

/// The stretch that is being read.
#[derive(Clone, Debug)]
pub(super) struct Stretch {
    /// Time of its first line, `None` before the first line.
    from: Option<NodeTime>,
    /// The first time that is no longer of it: a multiple of the length, so that all readers end it there.
    until: NodeTime,
    /// What was counted before it.
    since: Counts,
    /// Settings told in it.
    settings: Vec<String>,
}

impl Stretch {
    /// Before the first line.
    pub(super) const NONE: Self = Self {
        from: None,
        until: NodeTime::from_micros(i64::MIN),
        since: Counts::NONE,
        settings: Vec::new(),
    };

    /// Whether a line of this time is not of it.
    #[inline]
    pub(super) fn ends_before(&self, time: NodeTime) -> bool {
        time >= self.until
    }

    /// Begins the next with a line of this time, and tells what this one held; `None` when it held nothing. `last` is the
    /// time of its last line.
    pub(super) fn next(&mut self, time: NodeTime, counts: &Counts, last: Option<NodeTime>) -> Option<Kind> {
        let until = time.as_micros().div_euclid(LENGTH_US).saturating_add(1).saturating_mul(LENGTH_US);
        let next = Self {
            from: Some(time),
            until: NodeTime::from_micros(until),
            since: *counts,
            settings: Vec::new(),
        };
        let this = std::mem::replace(self, next);
        let timed = |counts: &Counts| counts.lines.saturating_sub(counts.without_time);
        let lines = timed(counts).saturating_sub(timed(&this.since));
        let since = counts.messages.since(&this.since.messages);
        let messages: Vec<_> = since.filter_map(|(wordings, lines)| count(wordings, lines)).collect();
        let unmatched = lines.saturating_sub(messages.iter().map(|count| count.lines).sum());
        let (from, to) = (this.from?, last?);
        let settings = this.settings;
        (lines > 0).then_some(Kind::LogMessages(LogMessages {
            from,
            to,
            lines,
            unmatched,
            messages,
            settings,
        }))
    }

    /// Remembers what the node's settings say of its log.
    #[inline]
    pub(super) fn note(&mut self, message: &Message<'_>) {
        if let Message::Setting(setting) = message {
            self.note_setting(setting);
        }
    }

    fn note_setting(&mut self, setting: &Setting<'_>) {
        // A setting of one network has its section before it, `[regtest] debug`.
        let name = setting.name.0.rsplit(|byte| *byte == b' ').next().unwrap_or_default();
        let value = setting.value;
        let value = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
        if LOGGING.contains(&name) && value.len() <= MOST_SETTINGS && self.settings.len() < MOST_SETTINGS {
            let [name, value] = [name, value].map(String::from_utf8_lossy);
            self.settings.push(format!("{name}={value}"));
        }
    }
}

/// `None` for a message without a wording: there is none.
fn count(wordings: &[Wording], lines: u64) -> Option<MessageCount> {
    let declared = wordings.first()?;
    let category = declared.categories.first().filter(|category| **category != Category::All);
    let category = category.map_or("", |category| category.as_str());
    Some(MessageCount { name: declared.message.to_owned(), category: category.to_owned(), lines })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reader;

    fn told(reader: &mut Reader, log: &str) -> Vec<LogMessages> {
        let mut told = Vec::new();
        reader.read(log.as_bytes(), None, |event| {
            if let Kind::LogMessages(messages) = event.kind {
                assert_eq!(event.node_time, Some(messages.to));
                told.push(messages);
            }
        });
        told
    }

    fn names(messages: &LogMessages) -> Vec<(&str, &str, u64)> {
        messages.messages.iter().map(|count| (&*count.name, &*count.category, count.lines)).collect()
    }

    const START: &str = "2026-01-02T03:04:00Z Bitcoin Core version v31.99.0-unk (release build)\n";

    #[test]
    fn a_stretch_ends_where_ten_minutes_do_and_at_a_start() {
        let mut reader = Reader::new(0, None);
        let log = "2026-01-02T03:01:00Z [net] Added connection peer=1\n\
                   a continuation\n\
                   2026-01-02T03:02:00Z never seen before\n\
                   2026-01-02T03:03:00Z [net] Added connection peer=2\n";
        assert_eq!(told(&mut reader, log), []);
        let first = told(&mut reader, START);
        assert_eq!(names(&first[0]), [("ConnectionAdded", "net", 2)]);
        assert_eq!((first[0].lines, first[0].unmatched, first.len()), (3, 1, 1));
        assert_eq!(first[0].to.micros_since(first[0].from), 120_000_000);
        assert_eq!(told(&mut reader, "2026-01-02T03:09:59Z x\n"), []);
        let second = told(&mut reader, "2026-01-02T03:10:00Z x\n");
        assert_eq!(names(&second[0]), [("NodeStarted", "", 1)]);
        assert_eq!((second[0].lines, second[0].unmatched), (2, 1));
        reader.interrupt();
        assert_eq!(told(&mut reader, "2026-01-02T03:21:00Z x\n"), []);
    }

    #[test]
    fn settings_about_the_log_are_told_and_no_others() {
        let mut reader = Reader::new(0, None);
        let log = format!(
            "{START}2026-01-02T03:04:01Z Config file arg: [regtest] debug=\"net\"\n\
             2026-01-02T03:04:01Z Command-line arg: debugexclude=\"http\"\n\
             2026-01-02T03:04:01Z Config file arg: rpcuser=****\n\
             2026-01-02T03:04:01Z Command-line arg: debug=\"\"\n\
             2026-01-02T04:04:01Z x\n"
        );
        assert_eq!(told(&mut reader, &log)[0].settings, ["debug=net", "debugexclude=http", "debug="]);
    }
}
