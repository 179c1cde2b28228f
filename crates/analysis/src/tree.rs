//! The headers of a network as one tree, and what each node says of each block in it.
//!
//! A tree is rooted at a recent block, and its root moves down when the headers below it come. Headers, heights and
//! what nodes say may come in any order: what needs a header that is not there waits, bounded, and
//! [`missing`](Tree::missing) says which headers would let it go on. The same truths give the same tree and the same
//! views, whatever came first, unless so much waits that some is dropped, which is counted.
//!
//! Work is compared only within one proof of work: what a chain with another one stands for cannot be weighed against it.
//!
//! What this leaves out: whether a header follows its parent's rules (difficulty, time, version). Nodes judge that; here
//! is kept what they say.

mod arena;
mod branch;
mod header;
#[cfg(test)]
mod tests;
mod view;
mod waiting;
mod work;

use std::collections::{BTreeMap, BTreeSet};

use bmon_event::{BlockHash, NodeName};

use self::{
    arena::{Arena, Index},
    view::View,
    waiting::Waiting,
};
pub use self::{
    branch::{Branch, Comparison, Side},
    header::{Header, HeaderError, ProofOfWork},
    view::{Stamp, Status, Word},
    waiting::Missing,
    work::{BitsError, Work},
};

/// The headers of one network, and the views of its nodes.
#[derive(Debug)]
pub struct Tree {
    arena: Arena,
    /// Blocks without a child, by height.
    tips: BTreeSet<(u32, Index)>,
    waiting: Waiting,
    views: BTreeMap<NodeName, View>,
    contradictions: u64,
}

impl Tree {
    /// A tree of one block, at this height: the heights of all others follow.
    pub fn new(root: Header, height: u32) -> Self {
        let arena = Arena::new(root, height);
        let tips = BTreeSet::from([(height, arena.root())]);
        Self { arena, tips, waiting: Waiting::new(), views: BTreeMap::new(), contradictions: 0 }
    }

    /// Takes a header. Returns the blocks that joined the tree, each after its parent unless it went below the root: none
    /// if the header waits for its parent, or was there.
    pub fn insert(&mut self, header: Header) -> Vec<BlockHash> {
        let (mut ready, mut joined) = (vec![header], Vec::new());
        while let Some(header) = ready.pop() {
            let block = header.hash;
            if self.arena.find(block).is_some() {
                continue;
            }
            let is_below_root = block == self.arena.root_parent();
            let Some(index) = self.join(header) else { continue };
            joined.push(block);
            ready.extend(self.waiting.take_children(block));
            if is_below_root {
                ready.extend(self.waiting.take_header(self.arena.root_parent()));
            }
            self.catch_up(block, index);
        }
        joined
    }

    /// Someone told this block's height. It is of use while the block's header is missing.
    pub fn height_told(&mut self, block: BlockHash, height: u32) {
        match self.height(block) {
            Some(known) => self.contradictions += u64::from(known != height),
            None => self.waiting.height(block, height),
        }
    }

    /// A node said this of a block, at this time of its own.
    pub fn said(&mut self, node: &NodeName, block: BlockHash, word: Word, stamp: Stamp) {
        match self.arena.find(block) {
            Some(index) => view(&mut self.views, node).said(&self.arena, index, word, stamp),
            None => self.waiting.word(block, node.clone(), word, stamp),
        }
    }

    /// The lowest block, and its height.
    pub fn root(&self) -> (BlockHash, u32) {
        (self.arena.hash(self.arena.root()), self.arena.height(self.arena.root()))
    }

    /// The block before the lowest.
    pub const fn root_parent(&self) -> BlockHash {
        self.arena.root_parent()
    }

    /// Whether something waits for a header.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Number of headers in the tree.
    pub const fn headers(&self) -> usize {
        self.arena.len()
    }

    /// The block's height, `None` if its header is not in the tree.
    pub fn height(&self, block: BlockHash) -> Option<u32> {
        Some(self.arena.height(self.arena.find(block)?))
    }

    /// The block's header, `None` if it is not in the tree.
    pub fn get(&self, block: BlockHash) -> Option<Header> {
        Some(self.arena.header(self.arena.find(block)?))
    }

    /// The headers that something waits for, in the order of their hashes.
    pub fn missing(&self) -> Vec<Missing> {
        let (_, height) = self.root();
        self.waiting.missing(self.arena.root_parent(), height)
    }

    /// The nodes that said something of a block in the tree.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeName> {
        self.views.keys()
    }

    /// The end of the node's active chain: the last that it told of blocks in the tree. `None` if it told none.
    pub fn active_tip(&self, node: &NodeName) -> Option<BlockHash> {
        Some(self.arena.hash(self.views.get(node)?.tip()?))
    }

    /// The blocks that the node found invalid itself, and neither they nor any block above them valid since.
    pub fn found_invalid(&self, node: &NodeName) -> impl Iterator<Item = BlockHash> {
        let found = self.views.get(node).into_iter().flat_map(View::found_invalid);
        found.map(|block| self.arena.hash(block))
    }

    /// What the block is to the node.
    pub fn status(&self, node: &NodeName, block: BlockHash) -> Status {
        let known = self.views.get(node).zip(self.arena.find(block));
        known.map_or(Status::Unknown, |(view, block)| view.status(&self.arena, block))
    }

    /// Headers and words dropped because too many waited or too much was said.
    pub fn dropped(&self) -> u64 {
        self.waiting.dropped() + self.views.values().map(View::dropped).sum::<u64>()
    }

    /// Heights told that are not those of the tree. Any at all means that the root was given a wrong one, or that a node
    /// is on another network.
    pub const fn contradictions(&self) -> u64 {
        self.contradictions
    }

    /// Puts a header where it belongs, or lets it wait.
    fn join(&mut self, header: Header) -> Option<Index> {
        if header.hash == self.arena.root_parent() {
            return self.arena.push_below(header);
        }
        let Some(parent) = self.arena.find(header.parent) else {
            self.waiting.header(header);
            return None;
        };
        let index = self.arena.push(header, parent);
        let height = self.arena.height(index);
        self.tips.remove(&(height - 1, parent));
        self.tips.insert((height, index));
        Some(index)
    }

    /// Takes in what was told of a block before its header came.
    fn catch_up(&mut self, block: BlockHash, index: Index) {
        let Some(told) = self.waiting.take_told(block) else { return };
        let known = self.arena.height(index);
        self.contradictions += u64::from(told.height.is_some_and(|height| height != known));
        for ((node, word), stamp) in told.words {
            view(&mut self.views, &node).said(&self.arena, index, word, stamp);
        }
    }
}

/// The view of this node, which may be a new one.
fn view<'a>(views: &'a mut BTreeMap<NodeName, View>, node: &NodeName) -> &'a mut View {
    if !views.contains_key(node) {
        views.insert(node.clone(), View::default());
    }
    views.get_mut(node).expect("it was just looked up")
}
