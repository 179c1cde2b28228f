//! The tree as one would write it without a thought of speed: sets, maps and the definitions.

use std::collections::{BTreeMap, BTreeSet};

use bmon_event::{BlockHash, NodeName};

use super::super::{Header, ProofOfWork, Stamp, Status, Word, Work};

/// One thing told.
#[derive(Clone, Debug)]
pub(super) enum Truth {
    Header(Header),
    Height(BlockHash, u32),
    Said(NodeName, BlockHash, Word, Stamp),
}

pub(super) struct Model {
    headers: BTreeMap<BlockHash, Header>,
    words: Vec<(NodeName, BlockHash, Word, Stamp)>,
    pub(super) root: BlockHash,
    pub(super) root_height: u32,
}

impl Model {
    pub(super) fn new(root: &Header, height: u32, truths: &[Truth]) -> Self {
        let mut told = BTreeMap::from([(root.hash(), root.clone())]);
        told.extend(truths.iter().filter_map(|truth| match truth {
            Truth::Header(header) => Some((header.hash(), header.clone())),
            _ => None,
        }));
        let words = truths.iter().filter_map(|truth| match truth {
            Truth::Said(node, block, word, stamp) => Some((node.clone(), *block, *word, *stamp)),
            _ => None,
        });
        let below: Vec<_> = down(&told, root.hash()).collect();
        let lowest = *below.last().unwrap();
        let root_height = height + 1 - u32::try_from(below.len()).unwrap();
        let mut headers = told.clone();
        headers.retain(|block, _| down(&told, *block).any(|other| other == lowest));
        let mut words: Vec<_> = words.collect();
        words.retain(|(_, block, ..)| headers.contains_key(block));
        Self { headers, words, root: lowest, root_height }
    }

    pub(super) fn blocks(&self) -> BTreeSet<BlockHash> {
        self.headers.keys().copied().collect()
    }

    /// The block and those below it, highest first.
    pub(super) fn below(&self, block: BlockHash) -> Vec<BlockHash> {
        down(&self.headers, block).take_while(|block| self.headers.contains_key(block)).collect()
    }

    fn is_ancestor(&self, ancestor: BlockHash, block: BlockHash) -> bool {
        self.below(block).contains(&ancestor)
    }

    pub(super) fn height(&self, block: BlockHash) -> u32 {
        self.root_height + u32::try_from(self.below(block).len()).unwrap() - 1
    }

    pub(super) fn tips(&self) -> BTreeSet<BlockHash> {
        let parents: BTreeSet<_> = self.headers.values().map(Header::parent).collect();
        self.blocks().into_iter().filter(|block| !parents.contains(block)).collect()
    }

    pub(super) fn fork(&self, left: BlockHash, right: BlockHash) -> BlockHash {
        let below = self.below(right);
        self.below(left).into_iter().find(|block| below.contains(block)).unwrap()
    }

    /// Blocks above `fork` up to `tip`, and their work if it is of one kind.
    pub(super) fn side(&self, fork: BlockHash, tip: BlockHash) -> (usize, Option<(ProofOfWork, Work)>) {
        let below = self.below(tip);
        let above: Vec<_> =
            below.iter().take_while(|block| **block != fork).map(|block| &self.headers[block]).collect();
        let kinds: BTreeSet<_> = above.iter().map(|header| header.proof_of_work()).collect();
        let work = above.iter().fold(Work::ZERO, |sum, header| Work(sum.0.wrapping_add(header.work().0)));
        let kind = kinds.first().filter(|_| kinds.len() == 1);
        (above.len(), kind.map(|kind| (*kind, work)))
    }

    pub(super) fn active_tip(&self, node: &NodeName) -> Option<BlockHash> {
        let active = self.said(node, &[Word::Active]);
        active.map(|(block, stamp)| (stamp, block)).max().map(|(_, block)| block)
    }

    pub(super) fn status(&self, node: &NodeName, block: BlockHash) -> Status {
        let found_valid = [Word::Valid, Word::Active];
        let is_overruled = |(invalid, at): &(BlockHash, Stamp)| {
            self.said(node, &found_valid)
                .any(|(above, later)| later > *at && self.is_ancestor(*invalid, above))
        };
        let mut invalid = self.said(node, &[Word::Invalid]).filter(|word| !is_overruled(word));
        if self.active_tip(node).is_some_and(|tip| self.is_ancestor(block, tip)) {
            Status::Active
        } else if invalid.any(|(below, _)| self.is_ancestor(below, block)) {
            Status::Invalid
        } else if self.said(node, &found_valid).any(|(above, _)| self.is_ancestor(block, above)) {
            Status::Valid
        } else if self
            .said(node, &[Word::Header, Word::Invalid])
            .any(|(above, _)| self.is_ancestor(block, above))
        {
            Status::HeaderOnly
        } else {
            Status::Unknown
        }
    }

    fn said(&self, node: &NodeName, words: &[Word]) -> impl Iterator<Item = (BlockHash, Stamp)> {
        self.words
            .iter()
            .filter(move |(who, _, word, _)| who == node && words.contains(word))
            .map(|(_, block, _, stamp)| (*block, *stamp))
    }
}

/// The block and those below it, as far as their headers are there.
fn down(headers: &BTreeMap<BlockHash, Header>, block: BlockHash) -> impl Iterator<Item = BlockHash> {
    let first = headers.contains_key(&block).then_some(block);
    std::iter::successors(first, |block| {
        Some(headers[block].parent()).filter(|parent| headers.contains_key(parent))
    })
}
