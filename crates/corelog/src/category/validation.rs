//! Messages of `-debug=validation`: what the node tells the parts of itself that follow the chain and the mempool.
//!
//! Most of them are written twice: with `Enqueuing ` in front by the thread that did it, when it was done, and again
//! without by the thread `scheduler`, when the wallet, the indexes and ZMQ are told, which in a busy node can be
//! seconds later. Only the first is taken: it is the fact, and it stands in one order with `UpdateTip`.

use bmon_event::{BlockHash, Kind, Txid, Wtxid, event::RemovalReason};

use super::text;
use crate::message::message;

message! {
    /// A transaction entered the mempool, from a peer, RPC, a block that was disconnected, or `mempool.dat`.
    TransactionAddedToMempool {
        /// The transaction.
        txid: Txid,
        /// Its id with witness.
        wtxid: Wtxid,
    }
    in Validation
    => |message, _| Some(Kind::TxAdded {
        txid: message.txid,
        wtxid: Some(message.wtxid),
        peer: None,
        mempool_sequence: None,
    });
    "0.20.." "src/validationinterface.cpp@v30":
        "Enqueuing TransactionAddedToMempool: txid=%s wtxid=%s" (txid, wtxid);
}

message! {
    /// A transaction left the mempool for another reason than inclusion in a block.
    TransactionRemovedFromMempool<'a> {
        /// The transaction.
        txid: Txid,
        /// Its id with witness.
        wtxid: Wtxid,
        /// Why, `None` up to 23.
        reason: Option<&'a [u8]>,
    }
    in Validation
    => |message, _| Some(Kind::TxRemoved {
        txid: message.txid,
        reason: message.reason.map(|word| RemovalReason::from_word(&text(word))),
        mempool_sequence: None,
    });
    "24.." "src/validationinterface.cpp@v30":
        "Enqueuing TransactionRemovedFromMempool: txid=%s wtxid=%s reason=%s" (txid, wtxid, reason);
    "0.20..=23" "src/validationinterface.cpp@v22":
        "Enqueuing TransactionRemovedFromMempool: txid=%s wtxid=%s" (txid, wtxid) { reason: None };
}

message! {
    /// A block passed or failed the checks that connecting it needs. Written once, by the thread that checked.
    BlockChecked<'a> {
        /// The block.
        block: BlockHash,
        /// `Valid`, or why it is not.
        state: &'a [u8],
    }
    in Validation
    => |message, _| Some(match message.state {
        b"Valid" => Kind::BlockValid { block: message.block },
        reason => Kind::BlockInvalid { block: message.block, height: None, reason: Some(text(reason)) },
    });
    "0.20.." "src/validationinterface.cpp@v30": "BlockChecked: block hash=%s state=%s" (block, state);
}

message! {
    /// A block was added to the active chain. It follows `UpdateTip`, and comes for all blocks of an activation step
    /// together; an assumeutxo node writes it for the blocks of the background chain too.
    BlockConnected {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Validation
    => |message, _| Some(Kind::BlockConnected { block: message.block, height: Some(message.height) });
    "0.20.." "src/validationinterface.cpp@v30":
        "Enqueuing BlockConnected: block hash=%s block height=%d" (block, height);
}

message! {
    /// A block was removed from the active chain.
    BlockDisconnected {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Validation
    => |message, _| Some(Kind::BlockDisconnected { block: message.block, height: Some(message.height) });
    "0.20.." "src/validationinterface.cpp@v30":
        "Enqueuing BlockDisconnected: block hash=%s block height=%d" (block, height);
}
