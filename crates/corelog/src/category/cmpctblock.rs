//! Messages of `-debug=cmpctblock`: how compact blocks (BIP 152) were completed.

use bmon_event::{BlockHash, Kind};

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
    });
    "30.." "src/blockencodings.cpp@v30":
        "Successfully reconstructed block %s with %u txn prefilled, %u txn from mempool (incl at least %u from extra pool) and %u txn (%u bytes) requested"
        (block, prefilled, from_mempool, from_extra, requested, requested_bytes);
    "0.15..=29" "src/blockencodings.cpp@v29":
        "Successfully reconstructed block %s with %lu txn prefilled, %lu txn from mempool (incl at least %lu from extra pool) and %lu txn requested"
        (block, prefilled, from_mempool, from_extra, requested) { requested_bytes: None };
    "0.13..=0.14" "src/blockencodings.cpp@v0.13":
        "Successfully reconstructed block %s with %lu txn prefilled, %lu txn from mempool and %lu txn requested"
        (block, prefilled, from_mempool, requested) { from_extra: 0, requested_bytes: None };
}
