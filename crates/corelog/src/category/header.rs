//! Messages without a category about headers.

use bmon_event::{BlockHash, Kind};

use crate::message::message;

message! {
    /// A header was seen for the first time. In initial download it is of the category `validation`. Up to 29 a
    /// compact block's header is told here too, and the message of [`CompactHeaderSeen`] follows.
    HeaderSeen {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
        /// The peer that sent it, `None` up to 29.
        peer: Option<u64>,
    }
    in All | Validation
    => |message, _| Some(Kind::HeaderSeen {
        block: message.block,
        height: Some(message.height),
        peer: message.peer,
        compact: false,
    });
    "30.." "src/net_processing.cpp:3543@31.99": "Saw new header hash=%s height=%d peer=%d" (block, height, peer);
    "25..=29" "src/validation.cpp:4410@29.99": "Saw new header hash=%s height=%d" (block, height) { peer: None };
}

message! {
    /// A header was seen for the first time, in a compact block (BIP 152).
    CompactHeaderSeen {
        /// The block.
        block: BlockHash,
        /// Its height, `None` up to 29.
        height: Option<u32>,
        /// The peer that sent it.
        peer: u64,
    }
    in All | Validation
    => |message, _| Some(Kind::HeaderSeen {
        block: message.block,
        height: message.height,
        peer: Some(message.peer),
        compact: true,
    });
    "30.." "src/net_processing.cpp:3543@31.99":
        "Saw new cmpctblock header hash=%s height=%d peer=%d" (block, height, peer);
    "25..=29" "src/net_processing.cpp:4322@29.99":
        "Saw new cmpctblock header hash=%s peer=%d" (block, peer) { height: None };
}

message! {
    /// Headers of the initial download that are stored.
    HeadersProgress {
        /// Height of the best header.
        height: u32,
        /// The node's estimate of how far that is, in percent.
        percent: f64,
    }
    in All;
    "0.19?.." "src/validation.cpp:4256@31.99": "Synchronizing blockheaders, height: %d (~%.2f%%)" (height, percent);
}

message! {
    /// Headers of the initial download that are only checked, and will be fetched again.
    HeadersPresyncProgress {
        /// Height that was reached.
        height: u32,
        /// The node's estimate of how far that is, in percent.
        percent: f64,
    }
    in All;
    "24.." "src/validation.cpp:4283@31.99": "Pre-synchronizing blockheaders, height: %d (~%.2f%%)" (height, percent);
}
