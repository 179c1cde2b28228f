//! What one node says of each block.
//!
//! Nearly every block is on every node's active chain. So a view is the end of that chain, and the few blocks about which
//! more was said than that implies. What is kept is what no other word implies, and which word implies which depends on
//! nothing but the two and the tree: so it is the same whatever came first.

use bmon_event::{AgentTime, BlockHash, event::TipStatus};

use super::arena::{Arena, Index};

/// Most words of each kind that are kept of a node. A word is kept for each branch that is not the active one, and a
/// year has some fifty.
const MOST: usize = 256;

/// When a node said something. What it said later counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stamp {
    /// The node's own time.
    pub at: AgentTime,
    /// Which was first of what the node said at the same time: old logs have seconds only. Any number that rises.
    pub serial: u64,
}

/// What a node can say of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// It has the header, so those of all blocks below it.
    Header,
    /// It found the block valid, so all blocks below it.
    Valid,
    /// It found the block invalid, so that all blocks above it are.
    Invalid,
    /// Its active chain ends here. So it found the block valid.
    Active,
}

impl Word {
    /// What a status in `getchaintips` says of the last block of the branch. `None` for a status this version of bmon
    /// does not know.
    pub const fn of(status: &TipStatus) -> Option<Self> {
        match status {
            TipStatus::Active => Some(Self::Active),
            TipStatus::ValidFork => Some(Self::Valid),
            // All blocks of `valid-headers` are there, but never were validated.
            TipStatus::ValidHeaders | TipStatus::HeadersOnly => Some(Self::Header),
            TipStatus::Invalid => Some(Self::Invalid),
            TipStatus::Unknown(_) => None,
        }
    }
}

/// What a block is to a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// The node has not said that it knows the block.
    Unknown,
    /// It has the header, and has not said more.
    HeaderOnly,
    /// It found the block valid, and it is not on the active chain.
    Valid,
    /// It found the block invalid, or one below it, and has not validated that one since.
    Invalid,
    /// The block is on the active chain.
    Active,
}

/// What one node has said.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    tip: Option<(Stamp, BlockHash, Index)>,
    /// No entry is below another that is as late.
    valid: Vec<(Index, Stamp)>,
    /// Blocks found invalid, and neither they nor any block above them found valid later.
    invalid: Vec<(Index, Stamp)>,
    /// Blocks of which nothing else says that the header is there.
    headers: Vec<Index>,
    /// Words dropped because there were too many.
    dropped: u64,
}

impl View {
    /// The node said this of `block`.
    pub(super) fn said(&mut self, arena: &Arena, block: Index, word: Word, stamp: Stamp) {
        match word {
            Word::Header => self.header(arena, block),
            Word::Valid => self.valid(arena, block, stamp),
            Word::Invalid => self.invalid(arena, block, stamp),
            Word::Active => {
                // Of two at the same time any will do, if only it is always the same.
                self.tip = self.tip.max(Some((stamp, arena.hash(block), block)));
                self.valid(arena, block, stamp);
            }
        }
        for words in [&mut self.valid, &mut self.invalid] {
            self.dropped += drop_lowest(words, |(block, _)| arena.height(*block));
        }
        self.dropped += drop_lowest(&mut self.headers, |block| arena.height(*block));
    }

    /// The end of the active chain, `None` if it is not known.
    pub(super) fn tip(&self) -> Option<Index> {
        self.tip.map(|(_, _, block)| block)
    }

    /// The blocks found invalid.
    pub(super) fn found_invalid(&self) -> impl Iterator<Item = Index> {
        self.invalid.iter().map(|(block, _)| *block)
    }

    /// Words dropped because there were too many.
    pub(super) const fn dropped(&self) -> u64 {
        self.dropped
    }

    pub(super) fn status(&self, arena: &Arena, block: Index) -> Status {
        let is_below = |above: Index| arena.is_ancestor(block, above);
        if self.tip().is_some_and(is_below) {
            Status::Active
        } else if self.invalid.iter().any(|(invalid, _)| arena.is_ancestor(*invalid, block)) {
            Status::Invalid
        } else if self.valid.iter().any(|(valid, _)| is_below(*valid)) {
            Status::Valid
        } else if self
            .invalid
            .iter()
            .map(|(block, _)| block)
            .chain(&self.headers)
            .any(|above| is_below(*above))
        {
            Status::HeaderOnly
        } else {
            Status::Unknown
        }
    }

    fn header(&mut self, arena: &Arena, block: Index) {
        let told = self.valid.iter().chain(&self.invalid).map(|(block, _)| block).chain(&self.headers);
        // What was told last is the likeliest.
        if told.rev().any(|above| arena.is_ancestor(block, *above)) {
            return;
        }
        if self.nearest(arena, block).is_none() {
            self.headers.retain(|below| !arena.is_ancestor(*below, block));
        }
        self.headers.push(block);
    }

    fn valid(&mut self, arena: &Arena, block: Index, stamp: Stamp) {
        let implies = |above: &(Index, Stamp)| above.1 >= stamp && arena.is_ancestor(block, above.0);
        if self.valid.iter().rev().any(implies) {
            return;
        }
        let nearest = self.nearest(arena, block);
        let is_implied = |(below, at): &(Index, Stamp)| {
            let is_elsewhere =
                nearest.is_some_and(|(near, since)| *at <= since && *below != near && *below != block);
            *at <= stamp && !is_elsewhere && arena.is_ancestor(*below, block)
        };
        let is_overruled = |(below, at): &(Index, Stamp)| {
            let is_elsewhere = nearest.is_some_and(|(_, since)| *at < since && *below != block);
            *at < stamp && !is_elsewhere && arena.is_ancestor(*below, block)
        };
        self.valid.retain(|word| !is_implied(word));
        self.invalid.retain(|word| !is_overruled(word));
        let is_elsewhere = |below: Index| nearest.is_some() && below != block;
        self.headers.retain(|below| is_elsewhere(*below) || !arena.is_ancestor(*below, block));
        self.valid.push((block, stamp));
    }

    /// A word that found the parent of `block` valid, if there is one. Whatever else is kept of blocks below `block` is
    /// then later than that word: which saves asking of every other word where its block lies, for each new block.
    fn nearest(&self, arena: &Arena, block: Index) -> Option<(Index, Stamp)> {
        let parent = arena.parent(block)?;
        self.valid.iter().rev().find(|(above, _)| arena.is_ancestor(parent, *above)).copied()
    }

    fn invalid(&mut self, arena: &Arena, block: Index, stamp: Stamp) {
        let overrules = |above: &(Index, Stamp)| above.1 > stamp && arena.is_ancestor(block, above.0);
        let repeats = |other: &(Index, Stamp)| other.1 >= stamp && other.0 == block;
        if !self.valid.iter().any(overrules) && !self.invalid.iter().any(repeats) {
            self.invalid.retain(|other| other.0 != block);
            self.invalid.push((block, stamp));
            self.headers.retain(|below| !arena.is_ancestor(*below, block));
        }
    }
}

/// Keeps the highest, and returns how many were dropped.
fn drop_lowest<T>(words: &mut Vec<T>, height: impl Fn(&T) -> u32) -> u64 {
    let mut dropped = 0;
    while words.len() > MOST {
        let lowest = words.iter().enumerate().min_by_key(|(_, word)| height(word));
        let Some((place, _)) = lowest else { break };
        words.remove(place);
        dropped += 1;
    }
    dropped
}
