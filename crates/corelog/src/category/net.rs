//! Messages of `-debug=net`: what peers sent.

use bmon_event::{BlockHash, Kind};

use crate::message::message;

message! {
    /// A peer sent a whole block. Not written for compact blocks.
    BlockReceived {
        /// The block.
        block: BlockHash,
        /// The peer that sent it.
        peer: u64,
    }
    in Net
    => |message, _| Some(Kind::BlockReceived { block: message.block, peer: message.peer });
    "0.10.." "src/net_processing.cpp@v30": "received block %s peer=%d" (block, peer);
}
