//! Branches: where they part, how long they are, and which has more work.

use std::cmp::{Ordering, Reverse};

use bmon_event::BlockHash;

use super::{Tree, arena::Index, header::ProofOfWork, work::Work};

/// The blocks from above a fork up to one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Side {
    /// Number of blocks.
    pub length: u32,
    /// Their work, and how all of them show it. `None` if there are no blocks, or if they show it in different ways.
    pub work: Option<(ProofOfWork, Work)>,
}

/// Two blocks, and the chains that end in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The last block that both chains have.
    pub fork: BlockHash,
    /// Its height.
    pub fork_height: u32,
    /// What the first has above the fork.
    pub left: Side,
    /// What the second has above the fork.
    pub right: Side,
}

impl Comparison {
    /// Which side has more work. `None` if that cannot be said, since not all of it is of one proof of work.
    pub fn by_work(&self) -> Option<Ordering> {
        match (self.left, self.right) {
            (Side { length: 0, .. }, Side { length: 0, .. }) => Some(Ordering::Equal),
            (Side { length: 0, .. }, right) => right.work.map(|_| Ordering::Less),
            (left, Side { length: 0, .. }) => left.work.map(|_| Ordering::Greater),
            (left, right) => {
                let ((left_kind, left), (right_kind, right)) = left.work.zip(right.work)?;
                (left_kind == right_kind).then(|| left.cmp(&right))
            }
        }
    }
}

/// A branch off a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Branch {
    /// Its last block.
    pub tip: BlockHash,
    /// That block's height.
    pub tip_height: u32,
    /// The last block that the chain has too.
    pub fork: BlockHash,
    /// Blocks above the fork, at least one. Two branches that part above their fork count what they share twice.
    pub length: u32,
}

impl Tree {
    /// The block at `height` on the way from `block` down to the root. `None` if `block` is not in the tree, or `height`
    /// is above it or below the root.
    pub fn ancestor(&self, block: BlockHash, height: u32) -> Option<BlockHash> {
        let ancestor = self.arena.ancestor(self.arena.find(block)?, height)?;
        Some(self.arena.hash(ancestor))
    }

    /// Whether `ancestor` is `block` or below it. `None` if one of them is not in the tree.
    pub fn is_ancestor(&self, ancestor: BlockHash, block: BlockHash) -> Option<bool> {
        let [ancestor, block] = self.find_both(ancestor, block)?;
        Some(self.arena.is_ancestor(ancestor, block))
    }

    /// The last block that both chains have. `None` if one of the blocks is not in the tree.
    pub fn fork(&self, left: BlockHash, right: BlockHash) -> Option<BlockHash> {
        let [left, right] = self.find_both(left, right)?;
        Some(self.arena.hash(self.arena.fork(left, right)))
    }

    /// The two chains side by side. `None` if one of the blocks is not in the tree.
    pub fn compare(&self, left: BlockHash, right: BlockHash) -> Option<Comparison> {
        let [left, right] = self.find_both(left, right)?;
        Some(self.compare_known(left, right))
    }

    /// The blocks above `fork` up to `tip`, lowest first: the branch of a reorg. Empty if they are one block, `None` if
    /// `fork` is not below `tip`.
    pub fn blocks_between(&self, fork: BlockHash, tip: BlockHash) -> Option<Vec<BlockHash>> {
        let [fork, tip] = self.find_both(fork, tip)?;
        if !self.arena.is_ancestor(fork, tip) {
            return None;
        }
        let down = std::iter::successors(Some(tip), |block| self.arena.parent(*block));
        let mut blocks: Vec<_> =
            down.take_while(|block| *block != fork).map(|block| self.arena.hash(block)).collect();
        blocks.reverse();
        Some(blocks)
    }

    /// Every block without a child: the highest first, at one height in the order of the hashes.
    pub fn tips(&self) -> Vec<BlockHash> {
        self.tips_from(0)
    }

    /// Those of them that are at this height or above it, in the same order. Costs nothing for those below.
    pub fn tips_from(&self, height: u32) -> Vec<BlockHash> {
        let from = self.tips.range((height, Index::FIRST)..);
        let mut tips: Vec<_> = from.map(|(height, tip)| (Reverse(*height), self.arena.hash(*tip))).collect();
        tips.sort_unstable();
        tips.into_iter().map(|(_, tip)| tip).collect()
    }

    /// The blocks without a child that are `block` or above it, the lowest first. None if it is not in the tree.
    pub fn tips_above(&self, block: BlockHash) -> Vec<BlockHash> {
        let Some(block) = self.arena.find(block) else { return Vec::new() };
        let height = self.arena.height(block);
        if self.tips.contains(&(height, block)) {
            return vec![self.arena.hash(block)];
        }
        let from = self.tips.range((height, Index::FIRST)..).map(|(_, tip)| *tip);
        from.filter(|tip| self.arena.is_ancestor(block, *tip)).map(|tip| self.arena.hash(tip)).collect()
    }

    /// The tips that no other has more work than: one; in a race several; and where chains have different proofs of work,
    /// that of each. What nodes found invalid is among them.
    pub fn best_tips(&self) -> Vec<BlockHash> {
        let mut tips: Vec<_> = self
            .tips
            .iter()
            .map(|(_, tip)| (Reverse(self.arena.work_above_root(*tip)), self.arena.hash(*tip), *tip))
            .collect();
        tips.sort_unstable();
        let mut best: Vec<(BlockHash, Index)> = Vec::new();
        for (_, hash, tip) in tips {
            let is_beaten =
                |(_, other): &(_, Index)| self.compare_known(tip, *other).by_work() == Some(Ordering::Less);
            if !best.iter().any(is_beaten) {
                best.push((hash, tip));
            }
        }
        best.into_iter().map(|(hash, _)| hash).collect()
    }

    /// The branches off the chain that ends in `block` whose tips are at this height or above it, in the order of
    /// [`tips`](Self::tips). What goes on above `block` is a branch too. `None` if `block` is not in the tree. Costs nothing for
    /// those that end below.
    pub fn branches_from(&self, block: BlockHash, height: u32) -> Option<Vec<Branch>> {
        let block = self.arena.find(block)?;
        let branch = |tip: Index| {
            let (fork, tip_height) = (self.arena.fork(block, tip), self.arena.height(tip));
            Branch {
                tip: self.arena.hash(tip),
                tip_height,
                fork: self.arena.hash(fork),
                length: tip_height - self.arena.height(fork),
            }
        };
        let tips = self.tips.range((height, Index::FIRST)..);
        let mut branches: Vec<_> = tips.map(|(_, tip)| branch(*tip)).collect();
        branches.retain(|branch| branch.length > 0);
        branches.sort_unstable_by_key(|branch| (Reverse(branch.tip_height), branch.tip));
        Some(branches)
    }

    fn find_both(&self, left: BlockHash, right: BlockHash) -> Option<[Index; 2]> {
        Some([self.arena.find(left)?, self.arena.find(right)?])
    }

    fn compare_known(&self, left: Index, right: Index) -> Comparison {
        let fork = self.arena.fork(left, right);
        let fork_height = self.arena.height(fork);
        let side = |tip| Side {
            length: self.arena.height(tip) - fork_height,
            work: self.arena.work_between(fork, tip),
        };
        Comparison { fork: self.arena.hash(fork), fork_height, left: side(left), right: side(right) }
    }
}
