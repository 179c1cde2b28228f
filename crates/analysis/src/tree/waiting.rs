//! Truths that came before the header they need.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bmon_event::{AgentTime, BlockHash, NodeName};

use super::{
    header::Header,
    view::{Stamp, Word},
};
use crate::{memory::Memory, settings::Retention};

/// Most headers that wait for their parents, and most blocks of which something is kept until their headers come: four
/// retarget periods. More is not lost for ever: who tells it again when the tree has come so far is heard.
const MOST: Retention = Retention { span_us: i64::MAX, entries: 8_064 };
/// Most children of one block that is not there.
const MOST_CHILDREN: usize = 64;

/// A block whose header the tree needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// The block.
    pub block: BlockHash,
    /// Its height, `None` if nobody told it.
    pub height: Option<u32>,
    /// Nodes that spoke of the block, so that they have its header. Empty if it is only named as a parent.
    pub nodes: Vec<NodeName>,
}

/// What was told of a block whose header is not in the tree.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) height: Option<u32>,
    /// The last time that a node said this.
    pub(super) words: BTreeMap<(NodeName, Word), Stamp>,
}

/// All that waits. No block in here is in the tree.
#[derive(Debug)]
pub(super) struct Waiting {
    headers: Memory<BlockHash, Header>,
    /// Those in `headers` by their parent, and maybe some that are not there any more.
    children: Memory<BlockHash, Vec<BlockHash>>,
    told: Memory<BlockHash, Told>,
    dropped_children: u64,
}

impl Waiting {
    pub(super) fn new() -> Self {
        Self {
            headers: Memory::new(MOST),
            children: Memory::new(MOST),
            told: Memory::new(MOST),
            dropped_children: 0,
        }
    }

    /// Keeps a header until its parent is there.
    pub(super) fn header(&mut self, header: Header) {
        let (hash, parent) = (header.hash, header.parent);
        if self.headers.get(&hash).is_some() {
            return;
        }
        let mut siblings = self.children.remove(&parent).unwrap_or_default();
        let is_room = siblings.len() < MOST_CHILDREN;
        if is_room {
            siblings.push(hash);
            self.headers.insert(AgentTime::default(), hash, header);
        } else {
            self.dropped_children += 1;
        }
        self.children.insert(AgentTime::default(), parent, siblings);
    }

    /// Someone told the height of a block.
    pub(super) fn height(&mut self, block: BlockHash, height: u32) {
        // Of two that contradict each other any will do, if only it is always the same.
        self.tell(block, |told| told.height = Some(told.height.map_or(height, |other| other.min(height))));
    }

    /// A node said something of a block.
    pub(super) fn word(&mut self, block: BlockHash, node: NodeName, word: Word, stamp: Stamp) {
        self.tell(block, |told| {
            let last = told.words.entry((node, word)).or_default();
            *last = stamp.max(*last);
        });
    }

    fn tell(&mut self, block: BlockHash, change: impl FnOnce(&mut Told)) {
        let mut told = self.told.remove(&block).unwrap_or_default();
        change(&mut told);
        self.told.insert(AgentTime::default(), block, told);
    }

    /// The block's header came: what was told of it.
    pub(super) fn take_told(&mut self, block: BlockHash) -> Option<Told> {
        self.told.remove(&block)
    }

    /// The header of this block, if it waits.
    pub(super) fn take_header(&mut self, block: BlockHash) -> Option<Header> {
        self.headers.remove(&block)
    }

    /// The headers that waited for this block.
    pub(super) fn take_children(&mut self, parent: BlockHash) -> impl Iterator<Item = Header> {
        let children = self.children.remove(&parent).unwrap_or_default();
        children.into_iter().filter_map(|child| self.headers.remove(&child))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.headers.iter().next().is_none() && self.told.iter().next().is_none()
    }

    /// Headers and words dropped because there were too many.
    pub(super) const fn dropped(&self) -> u64 {
        self.headers.forgotten() + self.told.forgotten() + self.dropped_children
    }

    /// The headers that would let everything go on, in the order of their hashes. The root's parent is among them if
    /// something lies below the root.
    pub(super) fn missing(&self, root_parent: BlockHash, root_height: u32) -> Vec<Missing> {
        let parents = self.headers.iter().map(|(_, header)| header.parent);
        let mut blocks: BTreeSet<BlockHash> =
            parents.chain(self.told.iter().map(|(block, _)| *block)).collect();
        blocks.retain(|block| self.headers.get(block).is_none());
        let heights = self.heights();
        if blocks.iter().filter_map(|block| heights.get(block)).any(|height| *height < root_height) {
            blocks.insert(root_parent);
        }
        let missing = blocks.into_iter().map(|block| {
            let told = self.told.get(&block);
            let nodes =
                told.map(|told| told.words.keys().map(|(node, _)| node.clone()).collect::<BTreeSet<_>>());
            let is_below_root = block == root_parent;
            let height =
                if is_below_root { root_height.checked_sub(1) } else { heights.get(&block).copied() };
            Missing { block, height, nodes: nodes.unwrap_or_default().into_iter().collect() }
        });
        missing.collect()
    }

    /// The heights that were told, and those that follow for the blocks below.
    fn heights(&self) -> HashMap<BlockHash, u32> {
        let mut heights = HashMap::new();
        for (block, told) in self.told.iter() {
            let mut next = told.height.map(|height| (*block, height));
            while let Some((block, height)) = next {
                let is_news = heights.insert(block, height).is_none();
                let parent = self.headers.get(&block).filter(|_| is_news).map(|header| header.parent);
                next = parent.zip(height.checked_sub(1));
            }
        }
        heights
    }
}
