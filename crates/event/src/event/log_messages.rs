use crate::NodeTime;

/// What a node's log held in a stretch of its own time, counted by message. Stretches follow one another; a start of
/// the node, and of its reader, begins another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogMessages {
    /// Time of the stretch's first line.
    pub from: NodeTime,
    /// Time of its last line.
    pub to: NodeTime,
    /// Its lines with a time.
    pub lines: u64,
    /// Those of them that are no message bmon knows.
    pub unmatched: u64,
    /// The messages in it, by name.
    pub messages: Vec<MessageCount>,
    /// The node's settings about what it logs, told after a start, as `debug=net`. Empty when it told none.
    pub settings: Vec<String>,
}

/// How many lines are one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageCount {
    /// The message's name, as in `docs/log-messages.md`.
    pub name: String,
    /// The debug category it is written with, empty for one that is written with any settings.
    pub category: String,
    /// Lines.
    pub lines: u64,
}
