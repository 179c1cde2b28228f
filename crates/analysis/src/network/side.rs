//! The branches beside the main chain.

use std::collections::BTreeSet;

use bmon_event::{AgentTime, BlockHash, NodeName, ServerTime, Source};

use super::NetworkState;
use crate::{
    row::Sighted,
    tree::{Comparison, Status, Tree},
};

/// Blocks above the end of a branch from which on it is decided for good, and looked at again only when something new is
/// told of it. No coinbase can be spent earlier either (`COINBASE_MATURITY`, `src/consensus/consensus.h@v30`).
pub(super) const SETTLED: u32 = 100;

/// A branch off the main chain: the blocks above `fork` up to `tip`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Side {
    pub(crate) tip: BlockHash,
    pub(crate) fork: BlockHash,
    pub(crate) fork_height: u32,
    pub(crate) length: u32,
    /// The main chain against it.
    pub(crate) comparison: Comparison,
}

/// When a block was first seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) sighted: Sighted,
    /// Whether a node told of it when it came. Otherwise, or if that is forgotten, it is the miner's own time.
    pub(crate) is_told: bool,
}

impl NetworkState {
    /// The end of the chain that has the most work of those that nodes follow; of equal ones the one that was seen first.
    /// Where they cannot be compared, the one that more nodes follow.
    pub(crate) fn main_tip(&self) -> Option<BlockHash> {
        let tree = self.tree()?;
        let tips: Vec<BlockHash> = self.members().keys().filter_map(|node| tree.active_tip(node)).collect();
        let followers =
            |tip: BlockHash| tips.iter().filter(|other| tree.is_ancestor(tip, **other) == Some(true)).count();
        let rank = |tip: BlockHash| (std::cmp::Reverse(self.first_time(tip)), tip);
        let mut distinct: Vec<_> = tips.iter().copied().collect::<BTreeSet<_>>().into_iter().collect();
        distinct.sort_by_key(|tip| std::cmp::Reverse(rank(*tip)));
        distinct.into_iter().reduce(|best, tip| {
            let order = tree.compare(tip, best).and_then(|comparison| comparison.by_work());
            let is_better = match order {
                Some(order) => order.is_gt(),
                None => followers(tip) > followers(best),
            };
            if is_better { tip } else { best }
        })
    }

    /// The branches off the main chain, but for those that are settled and of which nothing new was told.
    pub(crate) fn sides(&mut self, main: BlockHash, touched: &BTreeSet<BlockHash>) -> Vec<Side> {
        let Some(tree) = &self.tree else { return Vec::new() };
        let mut tips = tree.tips_from(self.settled_below);
        tips.extend(settled_of(tree, main, touched, self.settled_below));
        let unsettled = (tree.height(main).unwrap_or_default() + 1).saturating_sub(SETTLED);
        self.settled_below = self.settled_below.max(unsettled);
        tips.into_iter().filter_map(|tip| side(tree, main, tip)).collect()
    }

    /// When the first of all nodes told of a block.
    pub(crate) fn first_seen(&self, block: BlockHash) -> Seen {
        let arrival = self.arrival(block).and_then(super::Arrival::first);
        arrival.map_or_else(
            || {
                let time = self.tree().and_then(|tree| tree.get(block)).map_or(0, |header| header.time());
                let at = AgentTime::from_micros(i64::from(time) * 1_000_000);
                Seen { sighted: Sighted { at, offset: None }, is_told: false }
            },
            |sighted| Seen { sighted, is_told: true },
        )
    }

    /// The same on the server's clock.
    pub(crate) fn first_time(&self, block: BlockHash) -> ServerTime {
        self.first_seen(block).sighted.on_server_clock()
    }

    /// Who told of these blocks.
    pub(crate) fn sources(&self, blocks: impl IntoIterator<Item = BlockHash>) -> Vec<Source> {
        let arrivals = blocks.into_iter().filter_map(|block| self.arrival(block));
        let sources: BTreeSet<_> = arrivals.flat_map(|arrival| arrival.sources().iter().copied()).collect();
        sources.into_iter().collect()
    }

    /// The nodes to which the block is one of these.
    pub(crate) fn nodes_with(&self, block: BlockHash, statuses: &[Status]) -> Vec<NodeName> {
        let with = self.statuses(block).filter(|(_, status)| statuses.contains(status));
        with.map(|(node, _)| node.clone()).collect()
    }

    /// The tree, which there is once there is a main chain.
    pub(crate) fn known_tree(&self) -> &Tree {
        self.tree().expect("a main chain was found in it")
    }
}

/// The branches that end below this height and of which something was told.
fn settled_of(
    tree: &Tree,
    main: BlockHash,
    touched: &BTreeSet<BlockHash>,
    settled_below: u32,
) -> BTreeSet<BlockHash> {
    let height = |block| tree.height(block).unwrap_or_default();
    let of_block = |block: &BlockHash| match tree.is_ancestor(*block, main) {
        Some(false) => tree.tips_above(*block),
        // What was told of a block of the main chain is of interest to the branches beside it.
        Some(true) if height(*block) < settled_below => {
            let tips = tree.tips_from(height(*block).saturating_sub(1));
            tips.into_iter().filter(|tip| is_beside(tree, main, *tip, height(*block))).collect()
        }
        _ => Vec::new(),
    };
    let tips = touched.iter().flat_map(of_block);
    tips.filter(|tip| height(*tip) < settled_below).collect()
}

/// The branch that ends in `tip`. Blocks on top of the main chain that no node has followed yet are none.
fn side(tree: &Tree, main: BlockHash, tip: BlockHash) -> Option<Side> {
    let comparison = tree.compare(main, tip)?;
    let (fork, fork_height, length) = (comparison.fork, comparison.fork_height, comparison.right.length);
    (length > 0 && comparison.left.length > 0).then_some(Side { tip, fork, fork_height, length, comparison })
}

/// Whether the branch that ends in `tip` has a block at this height, or just below it.
fn is_beside(tree: &Tree, main: BlockHash, tip: BlockHash, height: u32) -> bool {
    let height_of = |block| tree.height(block).unwrap_or_default();
    let above_fork = tree.fork(main, tip).map_or(0, height_of) + 1;
    (above_fork..=height_of(tip) + 1).contains(&height)
}
