//! P2P messages that brought a block or told of one.
//!
//! `received: …` is written when the node begins to work on a message, and names no block. One thread (`msghand`) works
//! on one message after the other, so what it says of a block until the next such line, it says because of that message
//! (`PeerManagerImpl::ProcessMessage`, `src/net_processing.cpp@v30`).

use bmon_event::BlockHash;

use super::Thread;
use crate::Message;

/// The message that the node works on, if it can concern a block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Relay(Option<Received>);

#[derive(Clone, Copy, Debug)]
struct Received {
    place: u64,
    thread: Thread,
    command: Command,
    bytes: u64,
    peer: u64,
    /// The block that it brought.
    block: Option<BlockHash>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Command {
    Headers,
    Block,
    CompactBlock,
    BlockTransactions,
}

impl Command {
    fn from_word(word: &[u8]) -> Option<Self> {
        Some(match word {
            b"headers" => Self::Headers,
            b"block" => Self::Block,
            b"cmpctblock" => Self::CompactBlock,
            b"blocktxn" => Self::BlockTransactions,
            _ => return None,
        })
    }
}

impl Relay {
    pub(super) fn take(
        &mut self,
        place: u64,
        thread: Thread,
        message: &Message<'_>,
        each: &mut impl FnMut(u64, BlockHash),
    ) {
        if let Message::MessageReceived(received) = message {
            let (bytes, peer) = (received.bytes, received.peer);
            self.0 = Command::from_word(received.command).map(|command| Received {
                place,
                thread,
                command,
                bytes,
                peer,
                block: None,
            });
            return;
        }
        if let Some(received) = &mut self.0
            && received.thread == thread
            && let Some(block) = received.concerns(message)
        {
            each(received.place, block);
        }
    }

    /// The block that the message brought on which this thread works. `None` where the log does not tell threads: then
    /// another may have written what follows.
    pub(super) fn block(&self, thread: Thread) -> Option<BlockHash> {
        let received = self.0.filter(|received| thread.is_known() && received.thread == thread);
        received.and_then(|received| received.block)
    }

    pub(super) fn waiting(&self) -> Option<u64> {
        self.0.map(|received| received.place)
    }
}

impl Received {
    /// The block that `said` names because of this message.
    fn concerns(&mut self, said: &Message<'_>) -> Option<BlockHash> {
        match (self.command, said) {
            (Command::Headers, Message::HeaderSeen(said)) if self.sent(said.peer) => Some(said.block),
            (Command::CompactBlock, Message::CompactHeaderSeen(said)) if said.peer == self.peer => {
                Some(said.block)
            }
            (Command::CompactBlock, Message::CompactBlockInitializing(said)) if said.bytes == self.bytes => {
                Some(said.block)
            }
            (Command::CompactBlock, Message::CompactBlockInitialized(said)) if said.bytes == self.bytes => {
                Some(said.block)
            }
            (Command::CompactBlock | Command::BlockTransactions, Message::BlockReconstructed(said)) => {
                self.block = Some(said.block);
                self.block
            }
            (Command::Headers | Command::CompactBlock, Message::MarkedInvalid(said))
                if self.thread.is_known() =>
            {
                Some(said.block)
            }
            (Command::Block, Message::BlockReceived(said)) if said.peer == self.peer => {
                self.block = Some(said.block);
                self.block
            }
            _ => None,
        }
    }

    /// Whether a header came from this message's peer. Up to 29 the line does not tell, and RPC can have made it, on
    /// another thread.
    fn sent(&self, peer: Option<u64>) -> bool {
        peer.map_or(self.thread.is_known(), |peer| peer == self.peer)
    }
}
