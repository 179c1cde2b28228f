//! Messages of `-debug=validation`: what the node tells the parts of itself that follow the chain and the mempool.
//!
//! Most of them are written twice: with `Enqueuing ` in front by the thread that did it, when it was done, and again
//! without by the thread `scheduler`, when the wallet, the indexes and ZMQ are told, which in a busy node can be
//! seconds later. Only the first becomes an event: it is the fact, and it stands in one order with `UpdateTip`. The
//! second is read as a message of its own, with `Told` in its name, for the delay between them.

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
    "0.20.." "src/validationinterface.cpp:202@31.99":
        "Enqueuing TransactionAddedToMempool: txid=%s wtxid=%s" (txid, wtxid);
}

message! {
    /// A transaction left the mempool for another reason than inclusion in a block.
    TransactionRemovedFromMempool<'a> {
        /// The transaction.
        txid: Txid,
        /// Its id with witness.
        wtxid: Wtxid,
        /// Why, `None` up to 24.
        reason: Option<&'a [u8]>,
    }
    in Validation
    => |message, _| Some(Kind::TxRemoved {
        txid: message.txid,
        reason: message.reason.map(|word| RemovalReason::from_word(&text(word))),
        mempool_sequence: None,
    });
    "25.." "src/validationinterface.cpp:212@31.99":
        "Enqueuing TransactionRemovedFromMempool: txid=%s wtxid=%s reason=%s" (txid, wtxid, reason);
    "0.20..=24" "src/validationinterface.cpp:218@v24.2":
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
    "0.20.." "src/validationinterface.cpp:267@31.99": "BlockChecked: block hash=%s state=%s" (block, state);
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
    "0.20.." "src/validationinterface.cpp:224@31.99":
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
    "0.20.." "src/validationinterface.cpp:246@31.99":
        "Enqueuing BlockDisconnected: block hash=%s block height=%d" (block, height);
}

message! {
    /// A block has enough work and a valid form, and follows the tip: it is sent on before it is validated.
    NewPowValidBlock {
        /// The block.
        block: BlockHash,
    }
    in Validation;
    "0.20.." "src/validationinterface.cpp:273@31.99": "NewPoWValidBlock: block hash=%s" (block);
}

message! {
    /// The active chain ends in another block than before. Written once, by the thread that changed it.
    ActiveTipChange {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Validation;
    "29?.." "src/validationinterface.cpp:196@31.99": "ActiveTipChange: new block hash=%s block height=%d" (block, height);
}

message! {
    /// The active chain has been changed as far as it will be for now. Where the fork is not the block before, it was
    /// a reorg. Unlike [`ActiveTipChange`] it is never written for a tip that is still the same.
    UpdatedBlockTip {
        /// The last block.
        block: BlockHash,
        /// The last block that the chain had before and has now, `None` before the first block.
        fork: Option<BlockHash>,
        /// Whether the node is in initial block download.
        initial_download: bool,
    }
    in Validation
    => |message, _| (!message.initial_download).then_some(Kind::TipSettled { block: message.block });
    "0.20.." "src/validationinterface.cpp:184@31.99": "Enqueuing UpdatedBlockTip: new block hash=%s fork block hash=%s (in IBD=%s)" (block, fork, initial_download);
}

message! {
    /// The transactions of a block, and those that conflict with them, left the mempool.
    MempoolRemovedForBlock {
        /// Height of the block.
        height: u32,
        /// Transactions of the mempool that are in the block.
        transactions: u64,
    }
    in Validation;
    "29?.." "src/validationinterface.cpp:235@31.99": "Enqueuing MempoolTransactionsRemovedForBlock: block height=%s txs removed=%s" (height, transactions);
}

message! {
    /// The UTXO set was written to disk up to a block.
    ChainstateFlushed {
        /// The block, `None` for an empty chain.
        block: Option<BlockHash>,
    }
    in Validation;
    "0.20.." "src/validationinterface.cpp:257@31.99": "Enqueuing ChainStateFlushed: block hash=%s" (block);
}

message! {
    /// The parts of the node are told of [`TransactionAddedToMempool`].
    ToldTransactionAdded {
        /// The transaction.
        txid: Txid,
    }
    in Validation;
    "0.20.." "src/validationinterface.cpp:202@31.99": "TransactionAddedToMempool: txid=%s wtxid=%s" (txid, _);
}

message! {
    /// The parts of the node are told of [`TransactionRemovedFromMempool`].
    ToldTransactionRemoved {
        /// The transaction.
        txid: Txid,
    }
    in Validation;
    "25.." "src/validationinterface.cpp:212@31.99": "TransactionRemovedFromMempool: txid=%s wtxid=%s reason=%s" (txid, _, ..);
    "0.20..=24" "src/validationinterface.cpp:218@v24.2": "TransactionRemovedFromMempool: txid=%s wtxid=%s" (txid, _);
}

message! {
    /// The parts of the node are told of [`BlockConnected`].
    ToldBlockConnected {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Validation;
    "0.20.." "src/validationinterface.cpp:224@31.99": "BlockConnected: block hash=%s block height=%d" (block, height);
}

message! {
    /// The parts of the node are told of [`BlockDisconnected`].
    ToldBlockDisconnected {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Validation;
    "0.20.." "src/validationinterface.cpp:246@31.99": "BlockDisconnected: block hash=%s block height=%d" (block, height);
}

message! {
    /// The parts of the node are told of [`UpdatedBlockTip`].
    ToldUpdatedBlockTip {
        /// The last block.
        block: BlockHash,
        /// The last block that the chain had before and has now, `None` before the first block.
        fork: Option<BlockHash>,
    }
    in Validation;
    "0.20.." "src/validationinterface.cpp:184@31.99": "UpdatedBlockTip: new block hash=%s fork block hash=%s (in IBD=%s)" (block, fork, _);
}

message! {
    /// The parts of the node are told of [`MempoolRemovedForBlock`].
    ToldMempoolRemovedForBlock {
        /// Height of the block.
        height: u32,
    }
    in Validation;
    "29?.." "src/validationinterface.cpp:235@31.99": "MempoolTransactionsRemovedForBlock: block height=%s txs removed=%s" (height, _);
}

message! {
    /// The parts of the node are told of [`ChainstateFlushed`].
    ToldChainstateFlushed {
        /// The block, `None` for an empty chain.
        block: Option<BlockHash>,
    }
    in Validation;
    "0.20.." "src/validationinterface.cpp:257@31.99": "ChainStateFlushed: block hash=%s" (block);
}

message! {
    /// A header or block is refused because it, or a block before it, was found invalid before.
    MarkedInvalid {
        /// The block.
        block: BlockHash,
    }
    in Validation;
    "23.." "src/validation.cpp:4190@31.99": "AcceptBlockHeader: block %s is marked invalid" (block);
}

message! {
    /// A header is refused because the node has not seen its parent.
    ParentUnknown {
        /// The block.
        block: BlockHash,
    }
    in Validation;
    "25.." "src/validation.cpp:4206@31.99": "header %s has prev block not found: %s" (block, ..);
    "23..=24" "src/validation.cpp:3620@v24.2": "AcceptBlockHeader: %s prev block not found" (block);
}

message! {
    /// A header is refused because the node found its parent invalid.
    ParentInvalid {
        /// The block.
        block: BlockHash,
    }
    in Validation;
    "25.." "src/validation.cpp:4211@31.99": "header %s has prev block invalid: %s" (block, ..);
    "23..=24" "src/validation.cpp:3625@v24.2": "AcceptBlockHeader: %s prev block invalid" (block);
}

message! {
    /// A header is refused for what it says.
    HeaderRefused<'a> {
        /// The block.
        block: BlockHash,
        /// Why.
        reason: &'a [u8],
    }
    in Validation;
    "0.21.." "src/validation.cpp:4198@31.99": "AcceptBlockHeader: Consensus::CheckBlockHeader: %s, %s" (block, reason);
    "23.." "src/validation.cpp:4215@31.99": "AcceptBlockHeader: Consensus::ContextualCheckBlockHeader: %s, %s" (block, reason);
}

message! {
    /// The transactions of a block are not those that its header commits to.
    BlockMutated<'a> {
        /// Why.
        reason: &'a [u8],
    }
    in Validation;
    "29?.." "src/validation.cpp:4021@31.99": "Block mutated: %s" (reason);
}

message! {
    /// A block template passed the check of all its parts.
    TemplateValid {}
    in Validation;
    "knots 29" "bitcoind@knots-29.4.3": "NewBlockTemplate" ();
}
