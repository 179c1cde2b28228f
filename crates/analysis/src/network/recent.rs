use std::collections::{HashMap, VecDeque};

use bmon_event::BlockHash;

/// What is known of some blocks, those of which something became known last: of too many the first are forgotten.
#[derive(Debug)]
pub(crate) struct Recent<V> {
    of_block: HashMap<BlockHash, V>,
    /// In the order in which they came.
    order: VecDeque<BlockHash>,
    most: usize,
}

impl<V> Recent<V> {
    pub(crate) fn new(most: usize) -> Self {
        Self { of_block: HashMap::new(), order: VecDeque::new(), most }
    }

    pub(crate) fn get(&self, block: BlockHash) -> Option<&V> {
        self.of_block.get(&block)
    }

    pub(crate) fn get_mut(&mut self, block: BlockHash) -> Option<&mut V> {
        self.of_block.get_mut(&block)
    }

    /// The blocks, in the order in which they came.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = BlockHash> {
        self.order.iter().copied()
    }

    pub(crate) fn contains(&self, block: BlockHash) -> bool {
        self.of_block.contains_key(&block)
    }

    /// Keeps this of the block, in place of what was. Whether nothing was.
    pub(crate) fn insert(&mut self, block: BlockHash, value: V) -> bool {
        let is_new = self.of_block.insert(block, value).is_none();
        if is_new {
            self.order.push_back(block);
        }
        if self.order.len() > self.most
            && let Some(first) = self.order.pop_front()
        {
            self.of_block.remove(&first);
        }
        is_new
    }
}
