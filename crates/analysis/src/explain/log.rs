//! The lines of one whole log that belong to the subject, and what else has to be known of the log.

use bmon_corelog::{Category, Line, Mention, Message, RawLine, Story};
use bmon_event::{AgentTime, Kind, NodeName, NodeTime, Subject};

use super::witness::{Categories, LogLine, LogRead, Witness};

/// Reads the lines of one node's log and keeps those about the subject. What it keeps else is bounded.
#[derive(Debug)]
pub struct LogStory {
    story: Story,
    lines: Vec<Placed>,
    read: LogRead,
    categories: Categories,
    version: Option<String>,
    /// The time of the last line that has one.
    last: Option<NodeTime>,
    /// Stretches in which the node left out lines of some source location: start, end and reason.
    suppressed: Vec<(Option<AgentTime>, AgentTime, String)>,
}

#[derive(Debug)]
struct Placed {
    /// The latest time of the log when the line was told; of one that was told out of order, its own time.
    order: Option<AgentTime>,
    line: LogLine,
}

impl LogStory {
    /// Of a log of which nothing is read yet.
    pub fn new(subject: Subject) -> Self {
        Self {
            story: Story::new(subject),
            lines: Vec::new(),
            read: LogRead { lines: Some(0), is_complete: true, ..LogRead::default() },
            categories: Categories::default(),
            version: None,
            last: None,
            suppressed: Vec::new(),
        }
    }

    /// Takes the next line. If its time, or the latest before it, is outside what `holds`, it is counted and tells
    /// nothing. The files of a node are fed one after the other, by the first time in each.
    pub fn feed(&mut self, raw: RawLine<'_>, holds: impl Fn(AgentTime) -> bool) {
        let line = Line::parse(raw.bytes);
        self.advance(&line);
        if raw.cut || self.read.to.is_some_and(|at| !holds(at)) {
            return;
        }
        self.note(&line);
        let (newest, last) = (self.read.to, self.last);
        let lines = &mut self.lines;
        self.story.feed(raw.bytes, |raw| lines.push(Placed::new(raw, newest, last)));
    }

    /// What the node has to say, once all its lines were fed.
    pub fn into_witness(mut self, node: NodeName) -> Witness {
        let (newest, last, lines) = (self.read.to, self.last, &mut self.lines);
        self.story.finish(|raw| lines.push(Placed::new(raw, newest, last)));
        self.lines.sort_by_key(|placed| placed.order);
        let unknown = self.unknown();
        Witness {
            version: self.version,
            log: Some(LogRead { categories: Some(self.categories), ..self.read }),
            lines: self.lines.into_iter().map(|placed| placed.line).collect(),
            wtxid: self.story.wtxid(),
            unknown,
            ..Witness::new(node)
        }
    }

    fn advance(&mut self, line: &Line<'_>) {
        self.read.lines = self.read.lines.map(|lines| lines + 1);
        if let Some(time) = line.time {
            let at = time.on_agent_clock();
            self.last = Some(time);
            self.read.from.get_or_insert(at);
            self.read.to = self.read.to.max(Some(at));
        }
    }

    /// Keeps what has to be known of the log besides the subject's lines. Only lines without a category are parsed
    /// for that.
    fn note(&mut self, line: &Line<'_>) {
        match line.category {
            Some(category) if category != Category::All => self.categories.add(category),
            _ => {
                let Some(wording) = bmon_corelog::message::Wording::of(line) else { return };
                // A message of several categories says nothing of which are on.
                if let [category] = wording.categories {
                    self.categories.add(*category);
                }
                self.note_message(line);
            }
        }
    }

    fn note_message(&mut self, line: &Line<'_>) {
        match Message::parse(line).and_then(|message| message.to_kind(self.last)) {
            Some(Kind::NodeStarted { banner }) => self.version = Some(banner),
            Some(Kind::Gap(gap)) => self.suppressed.push((gap.from, gap.to, gap.reason)),
            _ => {}
        }
    }

    /// What the log itself says that it leaves out around the subject's lines, or anywhere if there are none.
    fn unknown(&self) -> Vec<String> {
        let at = |placed: &Placed| placed.line.at.map(NodeTime::on_agent_clock);
        let (first, last) = (self.lines.first().and_then(at), self.lines.last().and_then(at));
        let is_near = |from: Option<AgentTime>, to: AgentTime| {
            first.is_none_or(|first| to >= first) && last.zip(from).is_none_or(|(last, from)| from <= last)
        };
        let near = self.suppressed.iter().filter(|(from, to, _)| is_near(*from, *to));
        near.map(|(_, to, reason)| format!("{reason} (said at {to})")).collect()
    }
}

impl Placed {
    fn new(raw: &[u8], newest: Option<AgentTime>, last: Option<NodeTime>) -> Self {
        let line = Line::parse(raw);
        let at = line.time.or(last);
        let order = if is_told_late(&line) { at.map(NodeTime::on_agent_clock) } else { newest };
        Self { order, line: LogLine { at, raw: raw.to_vec() } }
    }
}

/// Whether a line names its transaction by the id with witness alone, so that it may be told after later ones.
fn is_told_late(line: &Line<'_>) -> bool {
    let mut by_any = false;
    if let Some(message) = Message::parse(line) {
        message.mentions(&mut |mention| by_any |= matches!(mention, Mention::Any(_)));
    }
    by_any
}

#[cfg(test)]
mod tests {
    use super::*;

    const TXID: &str = "f97c2b2e1b4b3c1f0b6c8d8ad05f2e3b1e8c6f4fb2cf0b3d9e4b8f1a7d6c5b4a";
    const WTXID: &str = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809";

    fn witness(log: &str, from: i64) -> Witness {
        let mut story = LogStory::new(Subject::Tx(TXID.parse().unwrap()));
        for line in log.lines() {
            let raw = RawLine { offset: 0, bytes: line.as_bytes(), cut: false };
            story.feed(raw, |at| at >= AgentTime::from_micros(from));
        }
        story.into_witness("alice".parse().unwrap())
    }

    fn log() -> String {
        format!(
            "2023-11-14T22:13:20Z Bitcoin Core version v31.99.0 (release build)\n\
             2023-11-14T22:13:21.000001Z [net] got inv: wtx {WTXID} new peer=3\n\
             2023-11-14T22:13:21.000002Z [net] got inv: tx {TXID} new peer=4\n\
             2023-11-14T22:13:22Z [mempool] AcceptToMemoryPool: peer=3: accepted {TXID} (wtxid={WTXID}) (poolsz 1 txn, 1 kB)\n"
        )
    }

    #[test]
    fn lines_stand_in_the_order_of_the_log_whenever_they_were_told() {
        let witness = witness(&log(), 0);
        let lines: Vec<_> = witness.lines.iter().map(|line| String::from_utf8_lossy(&line.raw)).collect();
        assert_eq!(lines, log().lines().skip(1).collect::<Vec<_>>());
        assert_eq!(witness.wtxid, Some(WTXID.parse().unwrap()));
    }

    #[test]
    fn what_is_known_of_the_log_is_kept() {
        let witness = witness(&log(), 0);
        assert_eq!(witness.version.as_deref(), Some("Bitcoin Core version v31.99.0 (release build)"));
        let read = witness.log.unwrap();
        assert_eq!(
            (read.lines, read.from.unwrap().to_string()),
            (Some(4), "2023-11-14T22:13:20.000000Z".into())
        );
        let categories = read.categories.unwrap();
        assert!(categories.holds(Category::Net) && categories.holds(Category::Mempool));
        assert!(!categories.holds(Category::Validation));
    }

    #[test]
    fn a_log_of_an_old_version_shows_its_categories_by_its_messages() {
        let witness = witness(&log().replace("[net] ", "").replace("[mempool] ", ""), 0);
        let categories = witness.log.unwrap().categories.unwrap();
        assert!(categories.holds(Category::Net) && categories.holds(Category::Mempool));
    }

    #[test]
    fn lines_outside_the_window_are_counted_only() {
        let witness = witness(&log(), 1_700_000_002_000_000);
        assert_eq!((witness.lines.len(), witness.log.unwrap().lines), (1, Some(4)));
    }

    #[test]
    fn a_stretch_that_the_node_left_out_is_told_if_it_is_near() {
        let suppressed = |time: &str| {
            format!(
                "{time} [warning] Excessive logging detected from net.cpp:7 (f): >1048576 bytes logged during the last \
                 time window of 3600s. Suppressing logging to disk from this source location until time window resets. \
                 Console logging unaffected. Last log entry."
            )
        };
        let unknown = |place: usize, line: String| {
            let log = log();
            let mut lines: Vec<_> = log.lines().collect();
            lines.insert(place, &line);
            witness(&lines.join("\n"), 0).unknown.len()
        };
        assert_eq!(unknown(3, suppressed("2023-11-14T22:13:21.500000Z")), 1);
        assert_eq!(unknown(1, suppressed("2023-11-14T22:13:20.500000Z")), 0);
    }
}
