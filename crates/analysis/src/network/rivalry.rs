//! Branches that compete after a fork, as far as it is of interest what they confirm.

use std::{
    cmp::{Ordering, Reverse},
    collections::BTreeMap,
};

use bmon_event::BlockHash;

use super::{NetworkState, Side};
use crate::{
    double_spend::{MAX_BLOCKS, MAX_BRANCHES},
    tree::Status,
};

/// A fork, and what nodes found valid above it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rivalry {
    pub(crate) fork: BlockHash,
    pub(crate) fork_height: u32,
    /// Whether the main chain has more work than every other branch.
    pub(crate) is_decided: bool,
    /// The first blocks of each branch, lowest first: of the main chain, which comes first, one more than of the longest
    /// other, and of none more than can be compared. At least two branches, of the longest ones.
    pub(crate) branches: Vec<Vec<BlockHash>>,
}

impl Rivalry {
    /// The blocks beside the main chain.
    pub(crate) fn beside(&self) -> impl Iterator<Item = BlockHash> {
        self.branches.iter().skip(1).flatten().copied()
    }

    /// All blocks.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = BlockHash> {
        self.branches.iter().flatten().copied()
    }
}

impl NetworkState {
    /// The forks of these branches, the highest first. What no node found valid confirms nothing.
    pub(crate) fn rivalries(&self, main: BlockHash, sides: &[Side]) -> Vec<Rivalry> {
        let mut by_fork: BTreeMap<_, Vec<&Side>> = BTreeMap::new();
        for side in sides {
            by_fork.entry((Reverse(side.fork_height), side.fork)).or_default().push(side);
        }
        by_fork.into_values().filter_map(|sides| self.rivalry(main, &sides)).collect()
    }

    fn rivalry(&self, main: BlockHash, sides: &[&Side]) -> Option<Rivalry> {
        let Side { fork, fork_height, .. } = **sides.first()?;
        // Of branches that begin with the same block the longest stands for all.
        let mut longest: BTreeMap<BlockHash, Vec<BlockHash>> = BTreeMap::new();
        let mut is_decided = true;
        for side in sides {
            let blocks = self.valid_blocks(fork, fork_height, side.tip);
            let Some(first) = blocks.first() else { continue };
            is_decided &= side.comparison.by_work() == Some(Ordering::Greater);
            let known = longest.entry(*first).or_default();
            if (known.len(), &*known) < (blocks.len(), &blocks) {
                *known = blocks;
            }
        }
        let mut others: Vec<_> = longest.into_values().collect();
        others.sort_by_key(|blocks| (Reverse(blocks.len()), blocks.first().copied()));
        others.truncate(MAX_BRANCHES - 1);
        let mut blocks = self.valid_blocks(fork, fork_height, main);
        blocks.truncate(others.first()?.len() + 1);
        let branches = std::iter::once(blocks).chain(others).collect();
        Some(Rivalry { fork, fork_height, is_decided, branches })
    }

    /// The first blocks from above the fork to `tip`, as far as any node found them valid.
    fn valid_blocks(&self, fork: BlockHash, fork_height: u32, tip: BlockHash) -> Vec<BlockHash> {
        let mut blocks = self.first_blocks(fork, fork_height, tip, MAX_BLOCKS);
        let is_valid = |block: &BlockHash| {
            self.statuses(*block).any(|(_, status)| matches!(status, Status::Active | Status::Valid))
        };
        let valid = blocks.iter().take_while(|block| is_valid(block)).count();
        blocks.truncate(valid);
        blocks
    }

    /// The lowest blocks from above the fork to `tip`, at most so many.
    pub(super) fn first_blocks(
        &self,
        fork: BlockHash,
        fork_height: u32,
        tip: BlockHash,
        most: usize,
    ) -> Vec<BlockHash> {
        let tree = self.known_tree();
        let end = fork_height.saturating_add(u32::try_from(most).unwrap_or(u32::MAX));
        let end = tree.ancestor(tip, end).unwrap_or(tip);
        tree.blocks_between(fork, end).unwrap_or_default()
    }
}
