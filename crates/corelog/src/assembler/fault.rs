//! Lines about a block that is refused or invalid, which do not name it.
//!
//! Each of the ways below is one thread's that holds `cs_main` (`src/validation.cpp@v30`), and the lines in it say the
//! same reason:
//!
//! - `ProcessNewBlock`: `AcceptBlock: …`, `BlockChecked: …` with the block (`-debug=validation`),
//!   `ProcessNewBlock: AcceptBlock FAILED (…)`;
//! - `ConnectTip`: `Block validation error: …`, `BlockChecked: …` and `ConnectTip: ConnectBlock … failed, …`, both with
//!   the block;
//! - `InvalidChainFound`: one line with the block, then one with the best.
//!
//! None of this holds while the node leaves lines out, see [`crate::Line::suppressing`].

use bmon_event::BlockHash;

use super::{Thread, hash, relay::Relay};
use crate::Message;

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// A line with a reason and without a block.
    reason: Option<Reason>,
    /// The block that was refused for a reason.
    refused: Option<(BlockHash, Reason)>,
    /// The block of which `InvalidChainFound` told first.
    invalid: Option<(BlockHash, Thread)>,
}

#[derive(Clone, Copy, Debug)]
struct Reason {
    place: u64,
    thread: Thread,
    /// Hash of the node's words.
    words: u64,
}

impl Reason {
    fn is_said_again(&self, other: &Self) -> bool {
        self.words == other.words && self.thread == other.thread
    }
}

impl Faults {
    pub(super) fn take(
        &mut self,
        place: u64,
        thread: Thread,
        message: &Message<'_>,
        relay: &Relay,
        each: &mut impl FnMut(u64, BlockHash),
    ) {
        let reason = |words: &[u8]| Reason { place, thread, words: hash(words) };
        match message {
            Message::BlockRefused(message) => self.reason = Some(reason(message.reason)),
            Message::BlockValidationError(message) => self.reason = Some(reason(message.reason)),
            Message::BlockChecked(message) => {
                let reason = reason(message.state);
                self.explain(reason, message.block, each);
                self.refused = Some((message.block, reason));
            }
            Message::ConnectTipFailed(message) => {
                if let Some(words) = message.reason {
                    self.explain(reason(words), message.block, each);
                }
                (self.reason, self.refused) = (None, None);
            }
            Message::AcceptBlockFailed(message) => {
                if let Some(words) = message.reason {
                    self.refuse(reason(words), relay, each);
                }
                (self.reason, self.refused) = (None, None);
            }
            Message::InvalidChainFound(message) => self.invalid = Some((message.block, thread)),
            Message::InvalidChainBest(_) => {
                if let Some((block, _)) = self.invalid.take().filter(|(_, other)| *other == thread) {
                    each(place, block);
                }
            }
            // Another block was connected meanwhile.
            Message::UpdateTip(_) => *self = Self::default(),
            _ => {}
        }
    }

    /// The block that has this reason is this one.
    fn explain(&mut self, reason: Reason, block: BlockHash, each: &mut impl FnMut(u64, BlockHash)) {
        if let Some(before) = self.reason.take_if(|before| before.is_said_again(&reason)) {
            each(before.place, block);
        }
    }

    /// The last line about a block that is refused.
    fn refuse(&mut self, reason: Reason, relay: &Relay, each: &mut impl FnMut(u64, BlockHash)) {
        let refused = self.refused.filter(|(_, before)| before.is_said_again(&reason));
        let Some(block) = refused.map(|(block, _)| block).or_else(|| relay.block(reason.thread)) else {
            return;
        };
        self.explain(reason, block, each);
        each(reason.place, block);
    }

    pub(super) fn waiting(&self) -> Option<u64> {
        self.reason.map(|reason| reason.place)
    }
}
