//! The explanation itself: a document with stable keys. More may be added.

use bmon_event::{AgentTime, NodeName, NodeTime, Source, Subject, Wtxid};
use serde::Serialize;

use super::{
    missing,
    step::Steps,
    witness::{LogRead, Witness},
};
use crate::{replay::Time, row::Offset};

/// What each node knew of a block or transaction, and when.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// `block` or `tx`.
    pub subject: &'static str,
    /// The block's hash or the transaction's id.
    pub hash: String,
    /// The network as it was given or told; null if it was not.
    pub network: Option<String>,
    /// The block's height; null for a transaction and where no node told it.
    pub height: Option<u32>,
    /// The transaction's id with witness; null for a block and where no node told it.
    pub wtxid: Option<Wtxid>,
    /// The nodes: those that knew it by the time of their first step, then the others.
    pub nodes: Vec<Node>,
    /// What the whole cannot tell, for a person to read.
    pub unknown: Vec<String>,
}

/// What one node knew.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// The node.
    pub node: NodeName,
    /// Its version in its own words; null if it is not known.
    pub version: Option<String>,
    /// What was read of its log; null if nobody could search it.
    pub log: Option<Log>,
    /// The server's clock minus the node's in microseconds: the interval it lies in; null when unknown.
    pub offset_us: Option<[i64; 2]>,
    /// Microseconds from the first node's first step to this node's, corrected by the offsets where both are known;
    /// null if it has none with a time.
    pub delay_us: Option<i64>,
    /// Largest error of `delay_us` and of every `after_us` of this node; 0 for the first node, null when the clocks'
    /// difference is unknown.
    pub bound_us: Option<i64>,
    /// What it knew, in the order in which it said so.
    pub steps: Vec<Step>,
    /// What is not known of this node, for a person to read.
    pub unknown: Vec<String>,
}

/// What was read of a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Log {
    /// The first time in it; null if it is not known.
    pub from: Option<Time>,
    /// The latest time in it; null if it is not known.
    pub to: Option<Time>,
    /// Its lines; null if their number is not known.
    pub lines: Option<u64>,
    /// Whether all of it was searched.
    pub complete: bool,
}

/// One thing that a node knew.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// When, by the clock of the node; null in a log without times.
    pub at: Option<Time>,
    /// Microseconds after the first node's first step; null without a time.
    pub after_us: Option<i64>,
    /// Who told: `log`, `zmq` or `rpc`.
    pub source: Source,
    /// Name of the log's message, as in docs/log-messages.md; null from another source.
    pub message: Option<&'static str>,
    /// What, for a person to read.
    pub text: String,
    /// The log lines themselves: the step's own first, then those that belong to it. Empty from another source.
    pub lines: Vec<String>,
}

impl Explanation {
    /// Puts what the nodes have to say side by side.
    pub fn new(subject: Subject, witnesses: Vec<Witness>) -> Self {
        let wtxid = witnesses.iter().find_map(|witness| witness.wtxid);
        let mut height = None;
        let mut nodes: Vec<_> = witnesses
            .into_iter()
            .map(|witness| {
                let steps = Steps::new(subject, &witness);
                height = height.or(steps.height);
                Known::new(witness, steps.list)
            })
            .collect();
        nodes.sort_by_key(|known| (known.first_us.is_none(), known.node.steps.is_empty(), known.first_us));
        let first = nodes.first().and_then(|known| Some((known.first_us?, known.offset)));
        let first_name = nodes.first().map(|known| known.node.node.clone());
        let nodes: Vec<_> = nodes
            .into_iter()
            .enumerate()
            .map(|(rank, known)| known.beside(first, rank == 0, subject, first_name.as_ref()))
            .collect();
        let (subject, hash) = (subject.word(), subject.hash());
        let unknown = missing::of_all(subject, &nodes);
        Self { subject, hash, network: None, height, wtxid, nodes, unknown }
    }

    /// Whether any node knew it.
    pub fn is_known(&self) -> bool {
        self.nodes.iter().any(|node| !node.steps.is_empty())
    }
}

/// A node before its times are compared.
struct Known {
    node: Node,
    read: Option<LogRead>,
    offset: Option<Offset>,
    /// Its first step, on the server's clock as well as it is known.
    first_us: Option<i64>,
}

impl Known {
    fn new(witness: Witness, steps: Vec<Step>) -> Self {
        let shift = witness.offset.map_or(0, Offset::middle_us);
        let times = steps.iter().filter_map(|step| step.at);
        let first_us = times.map(|at| at.0.as_micros() + shift).min();
        let log = witness.log.as_ref().map(|read| Log {
            from: read.from.map(Time),
            to: read.to.map(Time),
            lines: read.lines,
            complete: read.is_complete,
        });
        let node = Node {
            node: witness.node,
            version: witness.version,
            log,
            offset_us: witness.offset.map(|Offset { min_us, max_us }| [min_us, max_us]),
            delay_us: None,
            bound_us: None,
            steps,
            unknown: witness.unknown,
        };
        Self { node, read: witness.log, offset: witness.offset, first_us }
    }

    /// Measures from the first node's first step on, and says what is not known.
    fn beside(
        self,
        first: Option<(i64, Option<Offset>)>,
        is_first: bool,
        subject: Subject,
        first_name: Option<&NodeName>,
    ) -> Node {
        let Self { mut node, read, offset, first_us } = self;
        let shift = offset.map_or(0, Offset::middle_us);
        if let Some((start_us, start_offset)) = first {
            let after = |at: Time| at.0.as_micros() + shift - start_us;
            node.steps.iter_mut().for_each(|step| step.after_us = step.at.map(after));
            node.delay_us = first_us.map(|first_us| first_us - start_us);
            let sum = start_offset.zip(offset).map(|(one, other)| one.bound_us() + other.bound_us());
            node.bound_us = if is_first { Some(0) } else { sum }.filter(|_| first_us.is_some());
        }
        let start = first.map(|(start_us, _)| AgentTime::from_micros(start_us - shift));
        missing::of_node(&mut node, read.as_ref(), subject, start.zip(first_name));
        node
    }
}

/// The node's time as the document has it.
pub(super) fn time(at: Option<NodeTime>) -> Option<Time> {
    at.map(|at| Time(at.on_agent_clock()))
}

#[cfg(test)]
mod tests;
