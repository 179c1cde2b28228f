//! Messages of `-debug=net` about what peers sent and what was sent to them. Those about headers are in
//! [`header`](super::header), those about connections in [`connection`](super::connection).

use bmon_event::{BlockHash, Kind};

use crate::{format::Word, message::message};

message! {
    /// A peer sent a whole block. Not written for compact blocks.
    BlockReceived {
        /// The block.
        block: BlockHash,
        /// The peer that sent it.
        peer: u64,
    }
    in Net
    => |message, _| Some(Kind::BlockReceived { block: message.block, peer: message.peer, bytes: None });
    "0.16?.." "src/net_processing.cpp:4784@31.99": "received block %s peer=%d" (block, peer);
}

message! {
    /// A P2P message arrived. Written when the node begins to work on it.
    MessageReceived<'a> {
        /// Its command, a text of the peer's choice.
        command: &'a [u8],
        /// Size of its payload in bytes.
        bytes: u64,
        /// The peer that sent it.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:3582@31.99": "received: %s (%u bytes) peer=%d" (command, bytes, peer);
}

message! {
    /// A P2P message is sent.
    MessageSent<'a> {
        /// Its command.
        command: Word<'a>,
        /// Size of its payload in bytes.
        bytes: u64,
        /// The peer that it is sent to.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net.cpp:4083@31.99": "sending %s (%d bytes) peer=%d" (command, bytes, peer);
}

message! {
    /// A block is sent as a compact block to a peer that asked for that (high bandwidth), before it is validated.
    CompactBlockForwarded {
        /// The block.
        block: BlockHash,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:2147@31.99": "PeerManager::NewPoWValidBlock sending header-and-ids %s to peer=%d" (block, peer);
    "0.16?.." "src/net_processing.cpp:2147@31.99": "PeerLogicValidation::NewPoWValidBlock sending header-and-ids %s to peer=%d" (block, peer);
}

message! {
    /// A block is announced to a peer as a compact block after it became part of the active chain.
    CompactBlockAnnounced {
        /// The block.
        block: BlockHash,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:5905@31.99": "SendMessages sending header-and-ids %s to peer=%d" (block, peer);
}

message! {
    /// A block is announced to a peer by its header.
    HeaderAnnounced {
        /// The block.
        block: BlockHash,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:5932@31.99": "SendMessages: sending header %s to peer=%d" (block, peer);
}

message! {
    /// Several blocks are announced to a peer by their headers.
    HeadersAnnounced {
        /// Number of headers.
        headers: u32,
        /// The lowest block.
        first: BlockHash,
        /// The highest block.
        last: BlockHash,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:5927@31.99": "SendMessages: %u headers, range (%s, %s), to peer=%d" (headers, first, last, peer);
}

message! {
    /// A block is announced to a peer by its hash.
    BlockAnnounced {
        /// The peer.
        peer: u64,
        /// The block.
        block: BlockHash,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:5960@31.99": "SendMessages: sending inv peer=%d hash=%s" (peer, block);
}

message! {
    /// A block is asked for that is the next in the peer's chain, or that a header announced.
    BlockRequested {
        /// The block.
        block: BlockHash,
        /// Its height, `None` where the message does not tell.
        height: Option<u32>,
        /// The peer.
        peer: u64,
    }
    in Net
    => |message, _| Some(Kind::BlockRequested {
        block: message.block,
        height: message.height,
        peer: message.peer,
    });
    "0.16?.." "src/net_processing.cpp:6199@31.99": "Requesting block %s (%d) peer=%d" (block, height, peer);
    "23.." "src/net_processing.cpp:1994@31.99": "Requesting block %s from peer=%d" (block, peer) { height: None };
    "0.16?..=30?" "src/net_processing.cpp:2851@30.99": "Requesting block %s from  peer=%d" (block, peer) { height: None };
}

message! {
    /// The node asks a peer for the blocks after those that it has, because the peer announced headers.
    DirectFetch {
        /// The highest of the blocks.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:2887@31.99": "Downloading blocks toward %s (%d) via headers direct fetch" (block, height);
}

message! {
    /// The node does not ask for announced blocks at once, because they are not near its chain.
    LargeReorgNotFetched {
        /// The highest of the blocks.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:2869@31.99": "Large reorg, won't direct fetch to %s (%d)" (block, height);
}

message! {
    /// A transaction is asked for.
    TransactionRequested<'a> {
        /// `wtx` or `tx`: what the hash is.
        kind: Word<'a>,
        /// The hash, as hexadecimal digits.
        hash: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.21.." "src/node/txdownloadman_impl.cpp:275@31.99": "Requesting wtx %s peer=%d" (hash, peer) { kind: Word(b"wtx") };
    "0.21.." "src/node/txdownloadman_impl.cpp:275@31.99": "Requesting tx %s peer=%d" (hash, peer) { kind: Word(b"tx") };
    "0.21.." "src/node/txdownloadman_impl.cpp:275@31.99": "Requesting witness-tx %s peer=%d" (hash, peer) { kind: Word(b"witness-tx") };
}

message! {
    /// A peer did not send a transaction in time that it was asked for.
    TransactionTimeout<'a> {
        /// `wtx` or `tx`: what the hash is.
        kind: Word<'a>,
        /// The hash, as hexadecimal digits.
        hash: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.21.." "src/node/txdownloadman_impl.cpp:270@31.99": "timeout of inflight %s %s from peer=%d" (kind, hash, peer);
}

message! {
    /// A peer announced a transaction or a block by its hash.
    InventoryReceived<'a> {
        /// `wtx`, `tx` or `block`: what the hash is.
        kind: Word<'a>,
        /// The hash, as hexadecimal digits.
        hash: Word<'a>,
        /// `new`, or `have` when the node has it already.
        state: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in Net
    => |message, _| match (message.kind.0, message.state.0) {
        (b"block", b"new") => {
            message.hash.parse().map(|block| Kind::BlockAnnounced { block, peer: message.peer })
        }
        _ => None,
    };
    "32?.." "src/net_processing.cpp:4071@31.99": "got inv: %s %s %s peer=%d" (kind, hash, state, peer);
    "0.16?..=30?" "src/net_processing.cpp:4127@30.99": "got inv: %s %s  %s peer=%d" (kind, hash, state, peer);
}

message! {
    /// A peer asks for transactions or blocks. The first is told by [`DataRequested`].
    DataRequestReceived {
        /// How many it asks for.
        count: u32,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:4141@31.99": "received getdata (%u invsz) peer=%d" (count, peer);
}

message! {
    /// A peer asks for a transaction or a block.
    DataRequested<'a> {
        /// `wtx`, `witness-tx`, `witness-block`, `cmpctblock` and others: what the hash is, and how it is wanted.
        kind: Word<'a>,
        /// The hash, as hexadecimal digits.
        hash: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:4144@31.99": "received getdata for: %s %s peer=%d" (kind, hash, peer);
}

message! {
    /// A peer sent a compact block whose header has too little work.
    LowWorkCompactBlockIgnored {
        /// The peer.
        peer: u64,
    }
    in Net;
    "24.." "src/net_processing.cpp:4496@31.99": "Ignoring low-work compact block from peer %d" (peer);
}

message! {
    /// A peer sent a block whose transactions are not those that its header commits to.
    MutatedBlock {
        /// The peer.
        peer: u64,
    }
    in Net;
    "29?.." "src/net_processing.cpp:4791@31.99": "Received mutated block from peer=%d" (peer);
}

message! {
    /// A peer announced a compact block of a block that is being completed for another peer already.
    CompactBlockInFlight {}
    in Net;
    "0.16?.." "src/net_processing.cpp:4589@31.99": "Peer sent us compact block we were already syncing!" ();
}

message! {
    /// A peer sent the missing transactions of a compact block that the node did not ask it for.
    UnexpectedBlockTransactions {
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:3469@31.99": "Peer %d sent us block transactions for block we weren't expecting" (peer);
}

message! {
    /// A compact block could not be completed from the mempool, and another peer's is still awaited.
    ReconstructionFailed {
        /// The peer.
        peer: u64,
    }
    in Net;
    "25.." "src/net_processing.cpp:3504@31.99": "Peer %d sent us a compact block but it failed to reconstruct, waiting on first download to complete" (peer);
}

message! {
    /// A peer told the lowest fee rate of transactions that it wants to hear of (BIP 133).
    FeeFilterReceived {
        /// The fee rate in BTC per 1,000 virtual bytes, per 1,000 bytes in old versions: the unit follows it.
        fee_rate: f64,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:4990@31.99": "received: feefilter of %s %s from peer=%d" (fee_rate, _, peer);
}

message! {
    /// A peer sent addresses of nodes.
    AddressesReceived {
        /// How many.
        addresses: u32,
        /// How many of these were taken.
        processed: u32,
        /// How many were not, because the peer sends too many.
        rate_limited: u32,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.21.." "src/net_processing.cpp:5708@31.99": "Received addr: %u addresses (%u processed, %u rate-limited) from peer=%d"
        (addresses, processed, rate_limited, peer);
}

message! {
    /// A peer sent a message of a kind that the node does not know.
    UnknownMessage<'a> {
        /// Its command, a text of the peer's choice.
        command: &'a [u8],
        /// The peer.
        peer: u64,
    }
    in Net;
    "31?.." "src/net_processing.cpp:5027@31.99": "Unknown message type \"%s\" from peer=%d" (command, peer);
    "0.16?..=30?" "src/net_processing.cpp:4883@29.99": "Unknown command \"%s\" from peer=%d" (command, peer);
}

message! {
    /// A peer answered a ping with something else.
    PongMismatch<'a> {
        /// The peer.
        peer: u64,
        /// What is wrong.
        problem: Word<'a>,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:5605@31.99": "pong peer=%d: %s, %x expected, %x received, %u bytes" (peer, problem, _, _, _);
}

message! {
    /// Fetching blocks waits for one peer: it is dropped if it does not deliver in time.
    StallStarted {
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:6205@31.99": "Stall started peer=%d" (peer);
}

message! {
    /// The time that a peer has before it counts as stalling was made longer, because one was dropped.
    StallTimeoutIncreased {
        /// The time in seconds.
        seconds: u32,
    }
    in Net;
    "25.." "src/net_processing.cpp:6115@31.99": "Increased stalling timeout temporarily to %d seconds" (seconds);
}

message! {
    /// The time that a peer has before it counts as stalling was made shorter, because blocks arrive.
    StallTimeoutDecreased {
        /// The time in seconds.
        seconds: u32,
    }
    in Net;
    "25.." "src/net_processing.cpp:2083@31.99": "Decreased stalling timeout to %d seconds" (seconds);
}

message! {
    /// A block is announced that left the active chain before that.
    StaleBlockAnnounced {
        /// The block.
        block: BlockHash,
        /// The last block of the active chain.
        tip: BlockHash,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:5953@31.99": "Announcing block %s not on main chain (tip=%s)" (block, tip);
}
