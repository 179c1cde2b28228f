//! Messages about headers. Those that the node writes with any settings have no category; the others are of
//! `-debug=net`.

use bmon_event::{BlockHash, Kind};

use crate::{format::Word, message::message};

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

message! {
    /// A peer asks for headers.
    HeadersRequested<'a> {
        /// Height of the first, -1 when the peer's chain is not known.
        height: i64,
        /// The last block wanted, or `end`.
        stop: Word<'a>,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:4365@31.99": "getheaders %d to %s from peer=%d" (height, stop, peer);
}

message! {
    /// The node asks a peer for headers after connecting to it.
    InitialHeadersRequest {
        /// Height from which on.
        height: u32,
        /// The peer.
        peer: u64,
        /// Height that the peer told when it connected, `None` from 32 on.
        peer_height: Option<i64>,
    }
    in Net;
    "0.16?..=30?" "src/net_processing.cpp:5782@30.99": "initial getheaders (%d) to peer=%d (startheight:%d)" (height, peer, peer_height);
    "32?.." "src/net_processing.cpp:5820@31.99": "initial getheaders (%d) to peer=%d" (height, peer) { peer_height: None };
}

message! {
    /// The node asks a peer for more headers, because the last message of them was full.
    MoreHeadersRequest {
        /// Height from which on.
        height: u32,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?..=30?" "src/net_processing.cpp:3079@30.99": "more getheaders (%d) to end to peer=%d (startheight:%d)" (height, peer, _);
    "32?.." "src/net_processing.cpp:3111@31.99": "more getheaders (%d) to end to peer=%d" (height, peer);
}

message! {
    /// The node asks a peer for the headers up to a block that the peer announced.
    HeadersRequestForBlock {
        /// Height of the node's best header.
        height: u32,
        /// The announced block.
        block: BlockHash,
        /// The peer.
        peer: u64,
    }
    in Net;
    "0.16?.." "src/net_processing.cpp:4115@31.99": "getheaders (%d) %s to peer=%d" (height, block, peer);
}

message! {
    /// A peer announced a header whose parent the node does not know.
    HeaderUnconnected {
        /// The block.
        block: BlockHash,
        /// The unknown parent.
        parent: BlockHash,
        /// Height of the node's best header.
        height: u32,
        /// The peer.
        peer: u64,
    }
    in Net;
    "29?.." "src/net_processing.cpp:2661@31.99": "received header %s: missing prev block %s, sending getheaders (%d) to end (peer=%d)"
        (block, parent, height, peer);
    "25..=26?" "src/net_processing.cpp:2531@v26.0":
        "received header %s: missing prev block %s, sending getheaders (%d) to end (peer=%d, m_num_unconnecting_headers_msgs=%d)"
        (block, parent, height, peer, _);
    "0.16?..=24" "src/net_processing.cpp:2431@v24.2":
        "received header %s: missing prev block %s, sending getheaders (%d) to end (peer=%d, nUnconnectingHeaders=%d)"
        (block, parent, height, peer, _);
}

message! {
    /// A peer's chain of headers has too little work to be stored.
    LowWorkHeadersIgnored {
        /// Height of the chain.
        height: u32,
        /// The peer.
        peer: u64,
    }
    in Net;
    "24.." "src/net_processing.cpp:2802@31.99": "Ignoring low-work chain (height=%u) from peer=%d" (height, peer);
}

message! {
    /// The node begins to check the work of a peer's headers before it stores them.
    HeadersSyncStarted {
        /// The peer.
        peer: u64,
        /// Height from which on.
        height: u32,
    }
    in Net;
    "24.." "src/headerssync.cpp:45@31.99": "Initial headers sync started with peer=%d: height=%i, max_commitments=%i, min_work=%s" (peer, height, _, _);
}

message! {
    /// A peer's headers have enough work: they are fetched again and stored.
    HeadersSyncTransition {
        /// The peer.
        peer: u64,
        /// Height that was reached.
        height: u32,
        /// Height from which on they are fetched again.
        from: u32,
    }
    in Net;
    "24.." "src/headerssync.cpp:172@31.99":
        "Initial headers sync transition with peer=%d: reached sufficient work at height=%i, redownloading from height=%i"
        (peer, height, from);
}

message! {
    /// All headers of a peer are checked and stored.
    HeadersSyncComplete {
        /// The peer.
        peer: u64,
        /// Height that was reached.
        height: u32,
    }
    in Net;
    "24.." "src/headerssync.cpp:121@31.99": "Initial headers sync complete with peer=%d: releasing all at height=%i (redownload phase)" (peer, height);
}

message! {
    /// A peer's headers turned out wrong or ended early.
    HeadersSyncAborted<'a> {
        /// The peer.
        peer: u64,
        /// Why, for example `commitment mismatch`.
        reason: Word<'a>,
        /// Height that was reached.
        height: u32,
        /// `presync` or `redownload`.
        phase: Word<'a>,
    }
    in Net;
    "24.." "src/headerssync.cpp:95@31.99": "Initial headers sync aborted with peer=%d: %s at height=%i (%s phase)" (peer, reason, height, phase);
}
