//! The active chain of one node as one voice tells it, and the reorgs in it.
//!
//! A reorg is one `ActivateBestChainStep` (`src/validation.cpp@v30`): it disconnects every block above the fork, then
//! connects the other branch until the new tip has more work than the old one had. A branch that turns out invalid on
//! the way, `invalidateblock` and `preciousblock` end a step without that; then nothing in the log marks the end, and
//! what there is is told after a while.

use std::collections::VecDeque;

use bmon_event::{AgentTime, BlockHash, ServerTime};

use crate::settings::Settings;

/// Blocks remembered below the tip: more than any reorg or any rewind after a crash goes back. A deeper one is still
/// followed, since every step names its block; it is only not checked against what was there before.
const MAX_BLOCKS: usize = 1_024;

/// A block of the active chain.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Link {
    pub(crate) block: BlockHash,
    /// Logarithm to base 2 of the work of the chain up to here, `None` where it was not told.
    pub(crate) log2_work: Option<f64>,
}

/// When something was told: by the clock of node and agent, and when the server heard it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) at: AgentTime,
    pub(crate) heard: ServerTime,
}

/// Blocks that left the active chain, and those that came in their place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Switch {
    /// Counts the switches that this voice told of; one that is told again with more blocks keeps its number.
    pub(crate) serial: u64,
    /// Height of the last block that both branches share, `None` if no height was told.
    pub(crate) fork_height: Option<u32>,
    /// Blocks disconnected, lowest first. Never empty.
    pub(crate) old: Vec<BlockHash>,
    /// Blocks connected, lowest first.
    pub(crate) new: Vec<BlockHash>,
    /// Whether the new branch became the longer one.
    pub(crate) complete: bool,
    /// When the first of these blocks had been disconnected.
    pub(crate) from: AgentTime,
    /// When the last of these blocks was connected or disconnected.
    pub(crate) at: AgentTime,
}

/// A switch that is not over.
#[derive(Debug)]
struct Open {
    serial: u64,
    fork_height: Option<u32>,
    /// Highest first.
    old: Vec<BlockHash>,
    /// Work of the chain up to the first of `old`.
    old_log2_work: Option<f64>,
    new: Vec<BlockHash>,
    from: AgentTime,
    last: Moment,
    /// Whether it has been told as it is now.
    told: bool,
    /// Whether what looks like a disconnected block may be a node that lost its last blocks in a crash and connects
    /// them again. Only a new branch makes it a reorg.
    doubtful: bool,
}

impl Open {
    /// Core stops connecting as soon as the new tip has more work than the old one. Printed work has six decimals, so
    /// that it can be equal where the work is not; then the longer branch has more.
    fn is_complete(&self, new_log2_work: Option<f64>) -> bool {
        match (self.old_log2_work, new_log2_work) {
            (Some(old), Some(new)) if new > old => true,
            (Some(old), Some(new)) if new < old => false,
            _ => self.new.len() > self.old.len(),
        }
    }

    fn switch(&self, complete: bool) -> Switch {
        Switch {
            serial: self.serial,
            fork_height: self.fork_height,
            old: self.old.iter().rev().copied().collect(),
            new: self.new.clone(),
            complete,
            from: self.from,
            at: self.last.at,
        }
    }

    /// Whether there is something to tell that has not been told.
    const fn is_news(&self) -> bool {
        let is_reorg = !self.doubtful || !self.new.is_empty();
        is_reorg && !self.told
    }
}

/// The active chain as one voice tells it: a stack of blocks, and the switch that is under way.
#[derive(Debug, Default)]
pub(crate) struct Follow {
    /// Lowest first; the last one is the tip. Empty when the tip is unknown.
    blocks: VecDeque<Link>,
    /// Height of the tip, which may be known even if its hash is not.
    height: Option<u32>,
    open: Option<Open>,
    switches: u64,
}

impl Follow {
    /// The last block of the active chain, `None` if it is unknown.
    pub(crate) fn tip(&self) -> Option<BlockHash> {
        self.blocks.back().map(|link| link.block)
    }

    /// Its height, `None` if it is unknown.
    pub(crate) const fn height(&self) -> Option<u32> {
        self.height
    }

    /// The block below the tip, `None` if it is unknown.
    pub(crate) fn below_tip(&self) -> Option<BlockHash> {
        self.blocks.len().checked_sub(2).and_then(|index| self.blocks.get(index)).map(|link| link.block)
    }

    /// The height of a block of the active chain, `None` if it is not there or heights are unknown.
    pub(crate) fn height_of(&self, block: BlockHash) -> Option<u32> {
        let above = u32::try_from(self.blocks.iter().rev().position(|link| link.block == block)?).ok()?;
        self.height?.checked_sub(above)
    }

    /// Learns that a block of the active chain has this height, if no height was known.
    pub(crate) fn learn_height(&mut self, block: BlockHash, height: u32) {
        if self.height.is_none()
            && let Some(above) = self.blocks.iter().rev().position(|link| link.block == block)
        {
            self.height = u32::try_from(above).ok().and_then(|above| height.checked_add(above));
        }
    }

    /// Takes `link` at `height` as the tip, whatever was before: nothing is known of its parent.
    pub(crate) fn start(&mut self, link: Link, height: Option<u32>, out: &mut Vec<Switch>) {
        self.lose(out);
        self.push(link, height);
    }

    /// Forgets the chain: something was missed. A switch under way is told as it is.
    pub(crate) fn lose(&mut self, out: &mut Vec<Switch>) {
        self.close(out);
        self.blocks.clear();
        self.height = None;
    }

    /// A block was added on the tip; `height` where it was told. True if it was not part of the chain already.
    pub(crate) fn connect(
        &mut self,
        link: Link,
        height: Option<u32>,
        when: Moment,
        out: &mut Vec<Switch>,
    ) -> bool {
        if self.rewind(link.block, out) {
            return false;
        }
        let expected = self.height.and_then(|tip| tip.checked_add(1));
        if height.is_some() && expected.is_some() && height != expected {
            self.lose(out);
        }
        self.push(link, height.or(expected));
        let Some(open) = &mut self.open else { return true };
        if open.new.is_empty() && open.old.last() == Some(&link.block) {
            // The block is back: it was no part of the switch.
            open.old.pop();
            open.fork_height = self.height;
            if open.old.is_empty() {
                self.open = None;
            }
            return true;
        }
        open.new.push(link.block);
        (open.last, open.told) = (when, false);
        if open.is_complete(link.log2_work) {
            out.push(open.switch(true));
            self.open = None;
        }
        true
    }

    /// The tip, `block`, was removed; `height` is its own where it was told.
    pub(crate) fn disconnect(
        &mut self,
        block: BlockHash,
        height: Option<u32>,
        when: Moment,
        out: &mut Vec<Switch>,
    ) {
        if self.open.as_ref().is_some_and(|open| !open.new.is_empty()) {
            self.close(out);
        }
        let other_block = self.tip().is_some_and(|tip| tip != block);
        let other_height = height.is_some() && self.height.is_some() && height != self.height;
        if other_block || other_height {
            self.lose(out);
        }
        let log2_work = self.blocks.pop_back().and_then(|link| link.log2_work);
        self.height = height.or(self.height).and_then(|height| height.checked_sub(1));
        let open = self.open.get_or_insert_with(|| {
            self.switches += 1;
            Open {
                serial: self.switches,
                fork_height: None,
                old: Vec::new(),
                old_log2_work: log2_work,
                new: Vec::new(),
                from: when.at,
                last: when,
                told: false,
                doubtful: false,
            }
        });
        // Tips that keep falling are no blocks that are connected again.
        open.doubtful = false;
        open.old.push(block);
        (open.fork_height, open.last, open.told) = (self.height, when, false);
    }

    /// Names the tip after a disconnection, if it was unknown.
    pub(crate) fn name_tip(&mut self, link: Link) {
        if self.blocks.is_empty() {
            self.blocks.push_back(link);
        }
    }

    /// Doubts that the switch under way is one (see [`Open::doubtful`]).
    pub(crate) const fn doubt(&mut self) {
        if let Some(open) = &mut self.open {
            open.doubtful = true;
        }
    }

    /// Goes back to `block` if it is part of the chain, as a node does that lost its last blocks in a crash, or a
    /// log that is read again.
    pub(crate) fn rewind(&mut self, block: BlockHash, out: &mut Vec<Switch>) -> bool {
        let Some(above) = self.blocks.iter().rev().position(|link| link.block == block) else { return false };
        if above > 0 {
            self.close(out);
            self.blocks.truncate(self.blocks.len() - above);
            let above = u32::try_from(above).ok();
            self.height = self.height.and_then(|height| height.checked_sub(above?));
        }
        true
    }

    /// Ends the switch under way if what comes at `at` is too late to belong to it.
    pub(crate) fn expire(&mut self, at: AgentTime, settings: &Settings, out: &mut Vec<Switch>) {
        let pause = self.open.as_ref().map(|open| at.micros_since(open.last.at));
        if pause.is_some_and(|pause| pause > settings.reorg_pause_us) {
            self.close(out);
        }
    }

    /// Tells the switch under way as it is, if its last part was heard long enough ago.
    pub(crate) fn tick(&mut self, now: ServerTime, settings: &Settings, out: &mut Vec<Switch>) {
        if let Some(open) = &mut self.open
            && now.micros_since(open.last.heard) >= settings.lateness_us
            && open.is_news()
        {
            out.push(open.switch(false));
            open.told = true;
        }
    }

    /// Ends the switch under way, and tells it as it is.
    pub(crate) fn close(&mut self, out: &mut Vec<Switch>) {
        if let Some(open) = self.open.take().filter(Open::is_news) {
            out.push(open.switch(false));
        }
    }

    fn push(&mut self, link: Link, height: Option<u32>) {
        self.blocks.push_back(link);
        self.height = height;
        if self.blocks.len() > MAX_BLOCKS {
            self.blocks.pop_front();
        }
    }
}
