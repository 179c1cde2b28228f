//! What one node has to say about the subject.

use bmon_corelog::Category;
use bmon_event::{AgentTime, NodeName, NodeTime, Source, Wtxid};

use crate::row::{Offset, Stage};

/// What one node has to say about the subject, before it is put beside the others.
#[derive(Clone, Debug)]
pub struct Witness {
    /// The node.
    pub node: NodeName,
    /// Its version in its own words, `None` if it is not known.
    pub version: Option<String>,
    /// What was read of its log, `None` if nobody could search it.
    pub log: Option<LogRead>,
    /// The lines of its log that belong to the subject, in the order of the log.
    pub lines: Vec<LogLine>,
    /// What its sources told a live server. What the log told is left out where there are lines.
    pub heard: Vec<Heard>,
    /// The transaction's id with witness, `None` for a block or if the node did not tell it.
    pub wtxid: Option<Wtxid>,
    /// The server's clock minus the node's, `None` if they were not compared.
    pub offset: Option<Offset>,
    /// What else is known to be missing, each a sentence without its full stop.
    pub unknown: Vec<String>,
}

impl Witness {
    /// A node of which nothing is known yet.
    pub const fn new(node: NodeName) -> Self {
        Self {
            node,
            version: None,
            log: None,
            lines: Vec::new(),
            heard: Vec::new(),
            wtxid: None,
            offset: None,
            unknown: Vec::new(),
        }
    }
}

/// A line of a log, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// Its time, or that of the line before if it has none; `None` before the first time.
    pub at: Option<NodeTime>,
    /// Its bytes.
    pub raw: Vec<u8>,
}

/// What was read of a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogRead {
    /// The first time in it, `None` if it has none or that is not known.
    pub from: Option<AgentTime>,
    /// The latest time in it, `None` if it has none or that is not known.
    pub to: Option<AgentTime>,
    /// How many lines, `None` if that is not known.
    pub lines: Option<u64>,
    /// Whether all of it was searched.
    pub is_complete: bool,
    /// The debug categories that its lines are of, `None` if that is not known.
    pub categories: Option<Categories>,
}

/// What a source told a live server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Who told.
    pub source: Source,
    /// When, by the clock of node and agent.
    pub at: AgentTime,
    /// What, in a few words.
    pub text: String,
}

impl Heard {
    /// The stage that a node had reached with a block.
    pub fn stage(source: Source, at: AgentTime, stage: Stage) -> Self {
        let text = match stage {
            Stage::Header => "header known",
            Stage::Block => "whole block there",
            Stage::Checked => "checked",
            Stage::Connected => "connected to the active chain",
        };
        Self { source, at, text: text.to_owned() }
    }

    /// A node had a transaction before it, whether it kept it or not.
    pub fn tx(source: Source, at: AgentTime) -> Self {
        Self { source, at, text: "transaction seen".to_owned() }
    }
}

/// A set of debug categories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Categories(u64);

impl Categories {
    /// Adds one.
    pub const fn add(&mut self, category: Category) {
        self.0 |= 1 << category as u64;
    }

    /// Whether it is there.
    pub const fn holds(self, category: Category) -> bool {
        self.0 & 1 << category as u64 != 0
    }
}
