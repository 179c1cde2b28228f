//! When each node first told of each block.

use std::collections::{BTreeMap, BTreeSet};

use bmon_event::{AgentTime, BlockHash, NodeName, Source};

use crate::{memory::Memory, row::Sighted, settings::Retention};

/// Longest reason that is kept.
const REASON_BYTES: usize = 256;

/// When the nodes first told of a block by themselves, not when asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Arrival {
    /// Its height, `None` while nobody told it.
    height: Option<u32>,
    first: BTreeMap<NodeName, Sighted>,
    /// Who told of it in any way.
    sources: BTreeSet<Source>,
    /// The reasons of those that found it invalid, empty where none was told.
    invalid: BTreeMap<NodeName, String>,
}

impl Arrival {
    /// The first time of all, on the server's clock as well as it is known.
    pub(crate) fn first(&self) -> Option<Sighted> {
        self.first.values().min_by_key(|sighted| sighted.on_server_clock()).copied()
    }

    /// When each node first told of it.
    pub(crate) const fn told(&self) -> &BTreeMap<NodeName, Sighted> {
        &self.first
    }

    /// Who told of it in any way.
    pub(crate) const fn sources(&self) -> &BTreeSet<Source> {
        &self.sources
    }

    /// Why the node found the block invalid, `None` if it did not, or not say.
    pub(crate) fn reason(&self, node: &NodeName) -> Option<&str> {
        self.invalid.get(node).map(String::as_str).filter(|reason| !reason.is_empty())
    }
}

/// The arrivals of the blocks of the last days.
#[derive(Debug)]
pub(super) struct Arrivals(Memory<BlockHash, Arrival>);

impl Arrivals {
    pub(super) fn new(retention: Retention) -> Self {
        Self(Memory::new(retention))
    }

    pub(super) fn get(&self, block: BlockHash) -> Option<&Arrival> {
        self.0.get(&block)
    }

    /// The block's height, if it was told lately.
    pub(super) fn height(&self, block: BlockHash) -> Option<u32> {
        self.0.get(&block)?.height
    }

    /// The node told of the block then. The earliest time stays.
    pub(super) fn note(&mut self, block: BlockHash, node: &NodeName, sighted: Sighted, height: Option<u32>) {
        let known = self.0.get(&block);
        let is_known = known.is_some_and(|arrival| {
            arrival.first.get(node).is_some_and(|first| first.at <= sighted.at)
                && (height.is_none() || arrival.height.is_some())
        });
        if is_known {
            return;
        }
        let mut arrival = self.0.remove(&block).unwrap_or_default();
        arrival.height = arrival.height.or(height);
        let first = arrival.first.entry(node.clone()).or_insert(sighted);
        if sighted.at < first.at {
            *first = sighted;
        }
        self.0.insert(sighted.at, block, arrival);
    }

    /// The source told something of the block at `at`.
    pub(super) fn note_source(&mut self, block: BlockHash, source: Source, at: AgentTime) {
        if let Some(arrival) = self.0.get_mut(&block) {
            arrival.sources.insert(source);
        } else {
            let sources = BTreeSet::from([source]);
            self.0.insert(at, block, Arrival { sources, ..Arrival::default() });
        }
    }

    /// The node, which has told of the block, found it invalid.
    pub(super) fn note_invalid(&mut self, block: BlockHash, node: &NodeName, reason: Option<&str>) {
        let Some(arrival) = self.0.get_mut(&block) else { return };
        let known = arrival.invalid.entry(node.clone()).or_default();
        if known.is_empty() || known.starts_with("duplicate-invalid") {
            *known = reason.unwrap_or_default().chars().take(REASON_BYTES).collect();
        }
    }
}
