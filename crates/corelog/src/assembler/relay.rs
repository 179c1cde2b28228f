//! P2P messages that brought a block or told of one.
//!
//! `received: …` is written when the node begins to work on a message, and names no block. One thread (`msghand`) works
//! on one message after the other, so what it says of a block until the next such line, it says because of that message
//! (`PeerManagerImpl::ProcessMessage`, `src/net_processing.cpp@v30`).

use bmon_event::{BlockHash, Kind};

use super::Thread;
use crate::{Message, category::net::MessageReceived};

/// The message that the node works on, if it can concern a block.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Relay(Option<Received>);

#[derive(Clone, Copy, Debug)]
struct Received {
    place: u64,
    thread: Thread,
    command: Command,
    bytes: u64,
    peer: u64,
    /// The block that it brought.
    block: Option<BlockHash>,
    /// The block whose header and short ids it brought.
    compact: Option<BlockHash>,
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
    pub(crate) const fn new() -> Self {
        Self(None)
    }

    /// Takes the message of a line that this thread wrote, for one who does not ask for its lines, and adds to what it
    /// tells by itself what it tells as something that the node did because of a P2P message.
    #[inline]
    pub(crate) fn complete(&mut self, thread: Option<&[u8]>, message: &Message<'_>, kind: &mut Option<Kind>) {
        match message {
            Message::MessageReceived(received) => self.0 = Received::new(0, thread, received),
            Message::HeaderSeen(_)
            | Message::CompactHeaderSeen(_)
            | Message::BlockReceived(_)
            | Message::CompactBlockInitialized(_)
            | Message::BlockReconstructed(_)
            | Message::MessageSent(_) => self.join(thread, message, kind),
            _ => {}
        }
    }

    fn join(&mut self, thread: Option<&[u8]>, message: &Message<'_>, kind: &mut Option<Kind>) {
        let Some(received) = self.0.as_mut().filter(|received| received.thread == Thread::of(thread)) else {
            return;
        };
        received.note(message);
        match kind {
            Some(kind) => received.complete(kind),
            None => *kind = received.asks_for(message),
        }
    }

    pub(super) fn take(
        &mut self,
        place: u64,
        thread: Thread,
        message: &Message<'_>,
        each: &mut impl FnMut(u64, BlockHash),
    ) {
        if let Message::MessageReceived(received) = message {
            self.0 = Received::new(place, thread, received);
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
    /// `None` if the message cannot concern a block.
    fn new(place: u64, thread: impl Into<Thread>, received: &MessageReceived<'_>) -> Option<Self> {
        let command = Command::from_word(received.command)?;
        let (bytes, peer) = (received.bytes, received.peer);
        Some(Self { place, thread: thread.into(), command, bytes, peer, block: None, compact: None })
    }

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

    /// Learns which block a compact block is of.
    fn note(&mut self, said: &Message<'_>) {
        if self.command != Command::CompactBlock {
            return;
        }
        match said {
            Message::CompactHeaderSeen(said) if said.peer == self.peer => self.compact = Some(said.block),
            Message::CompactBlockInitialized(said) if said.bytes == self.bytes => {
                self.compact = Some(said.block);
            }
            _ => {}
        }
    }

    /// Adds what this message tells to something that the node did because of it.
    fn complete(&self, kind: &mut Kind) {
        match kind {
            // Up to 29 the line does not tell the peer, and RPC can have made it, on another thread.
            Kind::HeaderSeen { peer: peer @ None, compact, .. }
                if self.thread.is_known() && self.command != Command::BlockTransactions =>
            {
                (*peer, *compact) = (Some(self.peer), self.command == Command::CompactBlock);
            }
            Kind::BlockReceived { peer, bytes, .. }
                if self.command == Command::Block && *peer == self.peer =>
            {
                *bytes = Some(self.bytes);
            }
            Kind::CompactBlockMatched { bytes, peer, .. }
                if self.command == Command::CompactBlock && *bytes == self.bytes =>
            {
                *peer = Some(self.peer);
            }
            Kind::BlockReconstructed { block, peer, .. } if self.compact == Some(*block) => {
                *peer = Some(self.peer);
            }
            Kind::BlockReconstructed { requested: 1.., peer, message_bytes, .. }
                if self.command == Command::BlockTransactions =>
            {
                (*peer, *message_bytes) = (Some(self.peer), Some(self.bytes));
            }
            _ => {}
        }
    }

    /// What the node asks the peer for because of this message. `PeerManagerImpl::ProcessMessage`
    /// (`src/net_processing.cpp@v30`) asks the peer that sent a compact block for what that lacks, and no other.
    fn asks_for(&self, said: &Message<'_>) -> Option<Kind> {
        match said {
            Message::MessageSent(said) if said.command.0 == b"getblocktxn" && said.peer == self.peer => {
                Some(Kind::BlockTransactionsRequested { block: self.compact?, peer: self.peer })
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
