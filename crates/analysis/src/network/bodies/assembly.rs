use std::collections::BTreeSet;

use bmon_event::{NodeName, event::BlockPart};

/// The first bytes of a block, put together of parts.
#[derive(Debug)]
pub(super) struct Assembly {
    /// Bytes of the whole block, as its first part told.
    size_bytes: usize,
    bytes: Vec<u8>,
    /// The nodes that gave parts.
    nodes: BTreeSet<NodeName>,
    /// The one that gave the last: its agent may keep the block for the rest.
    last: NodeName,
    /// When the last part came: a number that rises.
    pub(super) serial: u64,
}

/// What a part is to what was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// What follows.
    More,
    /// Nothing new, or not what follows.
    Nothing,
    /// It cannot be of the same block.
    Contradiction,
}

impl Assembly {
    /// Of a first part, `None` if the block does not begin with it.
    pub(super) fn begin(node: &NodeName, part: &BlockPart) -> Option<Self> {
        let size_bytes = usize::try_from(part.size_bytes).ok().filter(|_| part.offset == 0)?;
        let mut assembly =
            Self { size_bytes, bytes: Vec::new(), nodes: BTreeSet::new(), last: node.clone(), serial: 0 };
        assembly.add(node, part);
        Some(assembly)
    }

    pub(super) fn add(&mut self, node: &NodeName, part: &BlockPart) -> Added {
        if part.size_bytes != self.size_bytes as u64 {
            return Added::Contradiction;
        }
        let known = usize::try_from(part.offset).ok().and_then(|offset| self.bytes.get(offset..));
        let Some(known) = known else { return Added::Nothing };
        let (again, new) = part.bytes.split_at(known.len().min(part.bytes.len()));
        if !known.starts_with(again) {
            return Added::Contradiction;
        }
        if new.is_empty() {
            return Added::Nothing;
        }
        self.bytes.reserve_exact(new.len());
        self.bytes.extend_from_slice(new);
        self.nodes.insert(node.clone());
        self.last = node.clone();
        Added::More
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) const fn is_whole(&self) -> bool {
        self.bytes.len() == self.size_bytes
    }

    pub(super) const fn nodes(&self) -> &BTreeSet<NodeName> {
        &self.nodes
    }

    pub(super) const fn last(&self) -> &NodeName {
        &self.last
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}
