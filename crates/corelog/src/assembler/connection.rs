//! Blocks that are disconnected.
//!
//! `DisconnectTip` (`src/validation.cpp@v30`) tells how long it took and then, still holding `cs_main`, of the tip
//! below: the block is the one that was the tip. Whether it is part of a reorg is for those to say who follow the chain.

use bmon_event::BlockHash;

use super::Thread;
use crate::Message;

/// A block that was disconnected.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Disconnected {
    /// The block.
    pub block: BlockHash,
    /// Its height.
    pub height: u32,
    /// How long it took in milliseconds.
    pub ms: f64,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Disconnections {
    tip: Option<(BlockHash, u32)>,
    open: Option<Open>,
}

/// A block that is being disconnected.
#[derive(Clone, Copy, Debug)]
struct Open {
    place: u64,
    thread: Thread,
    ms: f64,
    /// Its height, once the tip below was told. It was not the known tip then.
    height: Option<u32>,
}

impl Disconnections {
    pub(super) fn take(
        &mut self,
        place: u64,
        thread: Thread,
        message: &Message<'_>,
        each: &mut impl FnMut(u64, BlockHash),
    ) -> Option<Disconnected> {
        let (block, height) = match message {
            Message::DisconnectBlock(message) => {
                self.open = Some(Open { place, thread, ms: message.ms, height: None });
                return None;
            }
            Message::UpdateTip(tip) => self.leave((tip.block, tip.height), thread)?,
            Message::BlockDisconnected(message) => {
                let told = (message.block, message.height);
                self.open.filter(|open| open.thread == thread && open.height == Some(told.1))?;
                told
            }
            _ => return None,
        };
        let open = self.open.take()?;
        each(open.place, block);
        Some(Disconnected { block, height, ms: open.ms })
    }

    /// The tip is another. The one before, if it is the block that was disconnected.
    fn leave(&mut self, tip: (BlockHash, u32), thread: Thread) -> Option<(BlockHash, u32)> {
        let before = self.tip.replace(tip);
        let open = self.open.as_mut()?;
        let height = tip.1.checked_add(1);
        match before {
            _ if open.thread != thread || open.height.is_some() => {}
            Some(before) if Some(before.1) == height => return Some(before),
            // The log does not tell of the tip before: `BlockDisconnected` may name it, which comes next.
            None if height.is_some() => {
                open.height = height;
                return None;
            }
            _ => {}
        }
        self.open = None;
        None
    }

    pub(super) fn waiting(&self) -> Option<u64> {
        self.open.map(|open| open.place)
    }
}
