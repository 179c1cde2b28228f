//! Messages of `-debug=cmpctblock`: how compact blocks (BIP 152) were completed.

use bmon_event::{BlockHash, Kind, Txid};

use crate::message::message;

message! {
    /// A compact block was completed, from the mempool and what had to be requested.
    BlockReconstructed {
        /// The block.
        block: BlockHash,
        /// Transactions that came with the announcement.
        prefilled: u32,
        /// Transactions found in the mempool, those of the extra pool included.
        from_mempool: u32,
        /// Transactions found in the extra pool; 0 up to 0.14, which have none.
        from_extra: u32,
        /// Transactions that had to be requested.
        requested: u32,
        /// Their size in bytes, `None` up to 29.
        requested_bytes: Option<u64>,
    }
    in CmpctBlock
    => |message, _| Some(Kind::BlockReconstructed {
        block: message.block,
        prefilled: message.prefilled,
        from_mempool: message.from_mempool,
        from_extra: message.from_extra,
        requested: message.requested,
        requested_bytes: message.requested_bytes,
        peer: None,
        message_bytes: None,
    });
    "30.." "src/blockencodings.cpp:226@31.99":
        "Successfully reconstructed block %s with %u txn prefilled, %u txn from mempool (incl at least %u from extra pool) and %u txn (%u bytes) requested"
        (block, prefilled, from_mempool, from_extra, requested, requested_bytes);
    "0.16?..=29" "src/blockencodings.cpp:220@29.99":
        "Successfully reconstructed block %s with %lu txn prefilled, %lu txn from mempool (incl at least %lu from extra pool) and %lu txn requested"
        (block, prefilled, from_mempool, from_extra, requested) { requested_bytes: None };
    "0.13..=0.14" "src/blockencodings.cpp@v0.13, by copies":
        "Successfully reconstructed block %s with %lu txn prefilled, %lu txn from mempool and %lu txn requested"
        (block, prefilled, from_mempool, requested) { from_extra: 0, requested_bytes: None };
}

message! {
    /// The node began to match the short ids of a compact block with its mempool.
    CompactBlockInitializing {
        /// The block.
        block: BlockHash,
        /// Size of the message in bytes.
        bytes: u64,
    }
    in CmpctBlock;
    "30.." "src/blockencodings.cpp:61@31.99": "Initializing PartiallyDownloadedBlock for block %s using a cmpctblock of %u bytes" (block, bytes);
}

message! {
    /// The short ids of a compact block were matched with the mempool: what is missing is now known.
    CompactBlockInitialized {
        /// The block.
        block: BlockHash,
        /// Size of the message in bytes.
        bytes: u64,
    }
    in CmpctBlock
    => |message, _| Some(Kind::CompactBlockMatched { block: message.block, bytes: message.bytes, peer: None });
    "30.." "src/blockencodings.cpp:176@31.99": "Initialized PartiallyDownloadedBlock for block %s using a cmpctblock of %u bytes" (block, bytes);
    "0.16?..=29?" "src/blockencodings.cpp:170@29.99": "Initialized PartiallyDownloadedBlock for block %s using a cmpctblock of size %lu" (block, bytes);
}

message! {
    /// A compact block could be completed only with this transaction from the peer. Written for each of them, and
    /// only where they are fewer than five.
    ReconstructionRequired {
        /// The block.
        block: BlockHash,
        /// The transaction.
        txid: Txid,
    }
    in CmpctBlock;
    "0.16?.." "src/blockencodings.cpp:229@31.99": "Reconstructed block %s required tx %s" (block, txid);
}

message! {
    /// A peer asked for transactions of a block that the node announced to it as a compact block.
    BlockTransactionsSent {
        /// The peer.
        peer: u64,
        /// The block.
        block: BlockHash,
        /// Number of transactions.
        transactions: u32,
        /// Their size in bytes.
        bytes: u64,
    }
    in CmpctBlock;
    "30.." "src/net_processing.cpp:2615@31.99": "Peer %d sent us a GETBLOCKTXN for block %s, sending a BLOCKTXN with %u txns. (%u bytes)"
        (peer, block, transactions, bytes);
}
