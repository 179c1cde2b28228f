//! What each node told of how a block went through it, on its own clock, as it is measured later.

use std::collections::BTreeMap;

use bmon_event::{AgentTime, BlockHash, Event, Kind, NodeName, Source};

use super::Member;
use crate::{memory::Memory, settings::Retention};

/// How a block went through one node. The first that was told stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Passage {
    header_at: Option<AgentTime>,
    reconstructed: Option<Reconstructed>,
    /// When it was connected, and how long that took.
    processed: Option<(AgentTime, u64)>,
    /// The node's peers as last told before.
    pub(super) peers: Option<u32>,
    /// The node's version as last told before.
    pub(super) version: Option<String>,
}

#[derive(Clone, Copy, Debug)]
struct Reconstructed {
    at: AgentTime,
    requested: u32,
}

impl Passage {
    /// From the header to the whole block, in microseconds, if it was a compact block. `None` where the clock was set back
    /// between the two.
    pub(super) fn reconstruction_us(&self) -> Option<i64> {
        let us = self.reconstructed?.at.micros_since(self.header_at?);
        (us >= 0).then_some(us)
    }

    /// Transactions that had to be requested, if it was a compact block.
    pub(super) fn requested(&self) -> Option<u32> {
        Some(self.reconstructed?.requested)
    }

    /// How long it took to connect it, in microseconds.
    pub(super) fn processing_us(&self) -> Option<u64> {
        Some(self.processed?.1)
    }

    fn note(&mut self, at: AgentTime, kind: &Kind) {
        match kind {
            Kind::HeaderSeen { .. } if self.header_at.is_none_or(|first| at < first) => {
                self.header_at = Some(at);
            }
            Kind::BlockReconstructed { requested, .. }
                if self.reconstructed.is_none_or(|first| at < first.at) =>
            {
                self.reconstructed = Some(Reconstructed { at, requested: *requested });
            }
            Kind::BlockProcessed { processing, .. } if self.processed.is_none_or(|(first, _)| at < first) => {
                self.processed = Some((at, processing.total_us));
            }
            _ => {}
        }
    }
}

/// The passages of the blocks of the last days.
#[derive(Debug)]
pub(super) struct Passages(Memory<BlockHash, BTreeMap<NodeName, Passage>>);

impl Passages {
    pub(super) fn new(retention: Retention) -> Self {
        Self(Memory::new(retention))
    }

    /// How the block went through the node, `None` if nothing was told or it is forgotten.
    pub(super) fn get(&self, block: BlockHash, node: &NodeName) -> Option<&Passage> {
        self.0.get(&block)?.get(node)
    }

    /// Notes what the log of a node, which is this member, tells of a block.
    pub(super) fn note(&mut self, node: &NodeName, member: &Member, event: &Event) {
        let (Kind::HeaderSeen { block, .. }
        | Kind::BlockReconstructed { block, .. }
        | Kind::BlockProcessed { block, .. }) = &event.kind
        else {
            return;
        };
        if event.source != Source::Log || member.initial_block_download == Some(true) {
            return;
        }
        let at = event.time();
        if self.0.get(block).is_none() {
            self.0.insert(at, *block, BTreeMap::new());
        }
        let Some(of_block) = self.0.get_mut(block) else { return };
        let passage = of_block.entry(node.clone()).or_insert_with(|| Passage {
            peers: member.peers,
            version: member.version.clone(),
            ..Passage::default()
        });
        passage.note(at, &event.kind);
    }
}
