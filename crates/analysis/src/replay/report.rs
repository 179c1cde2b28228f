//! The document that a replay gives. Its keys are stable; more may be added.

use std::collections::BTreeMap;

use bmon_event::{AgentTime, BlockHash, NodeName, Source, Txid, Wtxid, event::Processing};
use serde::{Serialize, Serializer};

use super::{
    block::Blocks,
    finding::Findings,
    reading::{FileReading, Reading},
};
use crate::{
    finding::{Body, Finding},
    row::NodeRow,
};

/// An instant of a log, by its node's clock. As text it is RFC 3339, UTC, with microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub AgentTime);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// What the logs of several nodes tell together. The same logs give the same report, byte for byte.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Report {
    /// The nodes, in the order in which they were given.
    pub nodes: Vec<Node>,
    /// Lines read.
    pub lines: Lines,
    /// Every block, by height and then by time.
    pub blocks: Vec<Block>,
    /// Every reorg, by time.
    pub reorgs: Vec<Reorg>,
    /// Every refused transaction, by time.
    pub rejections: Vec<Rejection>,
    /// Every block that a node found invalid, by time.
    pub invalid_blocks: Vec<InvalidBlock>,
    /// Stretches of time for which events may be missing, by time.
    pub gaps: Vec<Gap>,
    /// Messages that are absent since a node's version changed, by time.
    pub vanished_messages: Vec<VanishedMessage>,
    /// How long blocks took from the first node to the last.
    pub block_spread: Spread,
    /// What in the logs makes the report less sure, for a person to read.
    pub warnings: Vec<String>,
}

/// A node, as its log tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its name.
    pub node: NodeName,
    /// The banner of its last start, `None` if the log tells of none.
    pub version: Option<String>,
    /// The first time in its log, `None` if there is none.
    pub from: Option<Time>,
    /// The latest time in its log, `None` if there is none.
    pub to: Option<Time>,
    /// Lines of its log.
    pub lines: u64,
    /// The end of its active chain in the end, `None` if the log tells of none.
    pub tip: Option<BlockHash>,
    /// Its height.
    pub height: Option<u32>,
    /// The files of its log, in the order in which they were read: by the first time in each.
    pub files: Vec<FileReading>,
}

/// Lines of all logs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Lines {
    /// Lines.
    pub total: u64,
    /// Lines that are a message bmon knows.
    pub matched: u64,
    /// The others.
    pub unmatched: u64,
    /// Lines without a time of their own.
    pub without_time: u64,
    /// Lines by message.
    pub messages: BTreeMap<String, u64>,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Block {
    /// Its hash.
    pub hash: BlockHash,
    /// Its height, `None` if no log tells it.
    pub height: Option<u32>,
    /// What each node that told of it did when.
    pub nodes: BTreeMap<NodeName, Stages>,
}

/// When a node reached each stage with a block, the first time. `None` where its log does not tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Stages {
    /// It saw the header.
    pub header: Option<Time>,
    /// It had the whole block.
    pub block: Option<Time>,
    /// It had checked it.
    pub checked: Option<Time>,
    /// It had added it to its active chain.
    pub connected: Option<Time>,
    /// How long that took.
    pub processing: Option<Processing>,
}

/// A node left one branch for another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reorg {
    /// The node.
    pub node: NodeName,
    /// Height of the last block that both branches share, `None` if the log tells no height.
    pub fork_height: Option<u32>,
    /// Number of blocks disconnected.
    pub depth: u32,
    /// The blocks disconnected, lowest first.
    pub old: Vec<BlockHash>,
    /// The blocks connected in the same step, lowest first: the last made the branch the longer one.
    pub new: Vec<BlockHash>,
    /// From when the first of `old` had left to when the last of `new` had come, in microseconds.
    pub duration_us: Option<i64>,
    /// When the last of these was connected; without any, when the last of `old` was disconnected.
    pub finished_at: Time,
}

/// A node refused a transaction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The node.
    pub node: NodeName,
    /// The transaction.
    pub txid: Txid,
    /// Its id with witness, `None` where the message does not tell.
    pub wtxid: Option<Wtxid>,
    /// The reason's code.
    pub code: String,
    /// The code and what follows it.
    pub reason: String,
    /// The peer that sent it, `None` where the message does not tell.
    pub peer: Option<u64>,
    /// When, the first time.
    pub at: Time,
}

/// A node found a block invalid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InvalidBlock {
    /// The block.
    pub hash: BlockHash,
    /// Its height, `None` if the log does not tell.
    pub height: Option<u32>,
    /// The node.
    pub node: NodeName,
    /// The node's words, `None` if the log does not tell.
    pub reason: Option<String>,
    /// When, the first time.
    pub at: Time,
}

/// A stretch of time for which a source's events may be missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The node.
    pub node: NodeName,
    /// The source that may have said more.
    pub source: Source,
    /// Start, `None` when it is not known.
    pub from: Option<Time>,
    /// End.
    pub to: Time,
    /// Events known to be missing, `None` when their number is not known.
    pub lost: Option<u64>,
    /// Why.
    pub reason: String,
}

/// A message that was common in a node's log is absent since its version changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct VanishedMessage {
    /// The node.
    pub node: NodeName,
    /// The message's name, `None` where no single message vanished, but many more lines than before are no message
    /// that bmon knows.
    pub message: Option<String>,
    /// The banner of the version that had it.
    pub version_before: String,
    /// The banner of the version that has it not.
    pub version_after: String,
    /// Its lines in the last day of the old version; without a message, those that were none.
    pub lines_before: u64,
    /// Lines of it that were to be expected from the new version while it was watched.
    pub expected: f64,
    /// Share of the old version's lines that were no known message, from 0 to 1.
    pub unmatched_before: f64,
    /// The same of the new version.
    pub unmatched_after: f64,
    /// When the version changed.
    pub watched_from: Time,
    /// How far the log was read when this was found.
    pub watched_to: Time,
    /// When the message came after all, `None` if it did not.
    pub came_at: Option<Time>,
}

/// How long blocks took from the first node that connected them to the last.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Spread {
    /// Blocks that every node connected; 0 if there is only one node.
    pub blocks: usize,
    /// `None` without such blocks.
    pub quantiles: Option<Quantiles>,
}

/// Quantiles in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[expect(missing_docs, reason = "each field is named by its percentage")]
pub struct Quantiles {
    pub p50: f64,
    pub p75: f64,
    pub p90: f64,
    pub p95: f64,
    pub p99: f64,
    #[serde(rename = "p99.9")]
    pub p99_9: f64,
}

impl Node {
    /// The node, of whose log nothing is known yet.
    pub(super) fn new(row: NodeRow) -> Self {
        let NodeRow { node, version, tip, height, .. } = row;
        Self { node, version, from: None, to: None, lines: 0, tip, height, files: Vec::new() }
    }
}

impl Report {
    pub(super) fn new(nodes: Vec<Node>, blocks: &Blocks, findings: Findings) -> Self {
        let block_spread = Spread::new(blocks.spreads_us());
        let mut report = Self { nodes, blocks: blocks.report(), block_spread, ..Self::default() };
        findings.into_sorted().into_iter().for_each(|finding| report.list(finding));
        report
    }

    /// Adds what was counted while `node`'s log was read, and warns of what it means. To be called once for each
    /// node, in their order.
    pub fn add_reading(&mut self, node: &NodeName, reading: Reading) {
        let Reading { files, counts, warnings } = reading;
        let nothing = (counts.matched == 0).then(|| "nothing in its log is known".to_owned());
        for warning in warnings.into_iter().chain(counts.warnings()).chain(nothing) {
            self.warnings.push(format!("`{node}`: {warning}"));
        }
        self.lines.total += counts.total;
        self.lines.matched += counts.matched;
        self.lines.unmatched += counts.total - counts.matched;
        self.lines.without_time += counts.without_time;
        for (message, lines) in counts.messages {
            *self.lines.messages.entry(message).or_default() += lines;
        }
        if let Some(known) = self.nodes.iter_mut().find(|known| known.node == *node) {
            known.from = files.iter().filter_map(|file| file.from).min();
            known.to = files.iter().filter_map(|file| file.to).max();
            known.lines = counts.total;
            known.files = files;
        }
    }

    fn list(&mut self, finding: Finding) {
        // A replay compares no headers, so that it finds nothing about a network as a whole.
        let Some(node) = finding.node else { return };
        let at = Time(finding.sighted.at);
        match finding.body {
            Body::Reorg(reorg) => self.reorgs.push(Reorg {
                node,
                fork_height: reorg.fork_height,
                depth: reorg.depth,
                old: reorg.old,
                new: reorg.new,
                duration_us: reorg.duration_us,
                finished_at: at,
            }),
            Body::RejectedTx(tx) => self.rejections.push(Rejection {
                node,
                txid: tx.txid,
                wtxid: tx.wtxid,
                code: tx.code,
                reason: tx.reason,
                peer: tx.peer,
                at,
            }),
            Body::InvalidBlock(block) => {
                let (hash, height, reason) = (block.block, block.height, block.reason);
                self.invalid_blocks.push(InvalidBlock { hash, height, node, reason, at });
            }
            Body::Gap(gap) => self.gaps.push(Gap {
                node,
                source: gap.source,
                from: gap.from.map(Time),
                to: Time(gap.to),
                lost: gap.lost,
                reason: gap.reason,
            }),
            Body::VanishedMessage(found) => self.vanished_messages.push(VanishedMessage {
                node,
                message: found.message,
                version_before: found.version_before,
                version_after: found.version_after,
                lines_before: found.lines_before,
                expected: found.expected,
                unmatched_before: found.unmatched_before,
                unmatched_after: found.unmatched_after,
                watched_from: Time(found.watched_from),
                watched_to: Time(found.watched_to),
                came_at: found.came_at.map(Time),
            }),
            Body::Fork(_)
            | Body::StaleBlock(_)
            | Body::ValidityDisagreement(_)
            | Body::DoubleSpend(_)
            | Body::Partition(_)
            | Body::Lag(_)
            | Body::DeploymentChange(_)
            | Body::VersionBit(_)
            | Body::SelfishMining(_)
            | Body::BlockTimes(_)
            | Body::SlowNode(_)
            | Body::DelayDrift(_)
            | Body::VersionComparison(_)
            | Body::ClockStep(_)
            | Body::ClockDrift(_)
            | Body::Watch(_) => {}
        }
    }
}
