//! How long after the first node the others told of blocks, counted once for each block; and how long batches took to the server.

use std::collections::{BTreeMap, VecDeque};

use bmon_event::{BlockHash, NodeName, ServerTime};

use super::NetworkState;
use crate::{histogram::Histogram, row::Sighted};

/// A block is counted this long after it was first heard of: 99 in a hundred peers have it after 15 s (KIT, measured from
/// November 2024 to October 2025).
const SETTLED_US: i64 = 60 * 1_000_000;
/// Most blocks that wait.
const MOST: usize = 10_000;

/// The counts, and the blocks that wait to be counted.
#[derive(Debug, Default)]
pub(super) struct Delays {
    fresh: Vec<BlockHash>,
    waiting: VecDeque<(ServerTime, BlockHash)>,
    nodes: BTreeMap<NodeName, Histogram>,
    batches: BTreeMap<NodeName, Histogram>,
    /// Blocks that are not counted because too many waited.
    dropped: u64,
}

impl Delays {
    /// The block was heard of for the first time.
    pub(super) fn note(&mut self, block: BlockHash) {
        if self.fresh.len() + self.waiting.len() < MOST {
            self.fresh.push(block);
        } else {
            self.dropped += 1;
        }
    }

    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }
}

impl NetworkState {
    /// How long after the first node each told of blocks.
    pub(crate) const fn delays(&self) -> &BTreeMap<NodeName, Histogram> {
        &self.delays.nodes
    }

    /// How long after the agents made batches the server received them.
    pub(crate) const fn batch_delays(&self) -> &BTreeMap<NodeName, Histogram> {
        &self.delays.batches
    }

    /// Counts a batch that a node's agent `made` and the server received `at` this time, if the clocks' difference is known.
    pub(crate) fn count_batch(&mut self, node: &NodeName, at: ServerTime, made: Sighted) {
        if made.offset.is_some() {
            let delay_us = at.micros_since(made.on_server_clock());
            self.delays.batches.entry(node.clone()).or_default().add(delay_us);
        }
    }

    /// Passes over the blocks that were heard of since the last call: they came long ago.
    pub(crate) fn pass_delays(&mut self) {
        self.delays.fresh.clear();
    }

    /// Counts the blocks that were heard of long enough ago.
    pub(crate) fn count_delays(&mut self, now: ServerTime) {
        let Delays { fresh, waiting, nodes, .. } = &mut self.delays;
        waiting.extend(fresh.drain(..).map(|block| (now, block)));
        while let Some((_, block)) =
            waiting.front().filter(|(at, _)| now.micros_since(*at) >= SETTLED_US).copied()
        {
            waiting.pop_front();
            let Some(arrival) = self.arrivals.get(block) else { continue };
            let known = || arrival.told().iter().filter(|(_, sighted)| sighted.offset.is_some());
            let Some(first) = known().map(|(_, sighted)| sighted.on_server_clock()).min() else { continue };
            for (node, sighted) in known() {
                let delay_us = sighted.on_server_clock().micros_since(first);
                nodes.entry(node.clone()).or_default().add(delay_us);
            }
        }
    }
}
