//! Messages of `-debug=mempool`: what entered the mempool from peers, and what it took the place of.

use bmon_event::{Kind, Txid, Wtxid};

use crate::{format::Word, message::message};

message! {
    /// A transaction that a peer sent entered the mempool. Up to 0.11 the peer's user agent stands in the line.
    AcceptToMemoryPool {
        /// The peer that sent it.
        peer: u64,
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 25.
        wtxid: Option<Wtxid>,
    }
    in Mempool
    => |message, _| Some(Kind::TxAdded {
        txid: message.txid,
        wtxid: message.wtxid,
        peer: Some(message.peer),
        mempool_sequence: None,
    });
    "26.." "src/net_processing.cpp:3158@31.99":
        "AcceptToMemoryPool: peer=%d: accepted %s (wtxid=%s) (poolsz %u txn, %u kB)" (peer, txid, wtxid, _, _);
    "0.16?..=25" "src/net_processing.cpp:4097@v25.1":
        "AcceptToMemoryPool: peer=%d: accepted %s (poolsz %u txn, %u kB)" (peer, txid, _, _) { wtxid: None };
    "0.11" "src/main.cpp@v0.11, unconfirmed":
        "AcceptToMemoryPool: peer=%d %s: accepted %s (poolsz %u)" (peer, .., txid, _) { wtxid: None };
    "0.10" "src/main.cpp@v0.10, by copies":
        "AcceptToMemoryPool: peer=%d %s : accepted %s (poolsz %u)" (peer, .., txid, _) { wtxid: None };
}

message! {
    /// A transaction took another's place (BIP 125). Written once for each transaction that left.
    MempoolReplaced {
        /// The transaction that left.
        old: Txid,
        /// The transaction that came.
        new: Txid,
    }
    in Mempool
    => |message, _| Some(Kind::TxReplaced { old: message.old, new: Some(message.new) });
    "29?.." "src/validation.cpp:1197@31.99":
        "replacing mempool tx %s (wtxid=%s, fees=%s, vsize=%s). New tx %s (wtxid=%s, fees=%s, vsize=%s)"
        (old, _, _, _, new, _, _, _);
    "26..=26?" "src/validation.cpp:1103@v26.0":
        "replacing tx %s (wtxid=%s) with %s (wtxid=%s) for %s additional fees, %d delta bytes"
        (old, _, new, _, _, _);
    "0.20..=25" "src/validation.cpp:1073@v25.1":
        "replacing tx %s with %s for %s additional fees, %d delta bytes" (old, new, _, _);
    "0.16?..=0.19" "src/validation.cpp:993@v0.19.2":
        "replacing tx %s with %s for %s BTC additional fees, %d delta bytes" (old, new, _, _);
}

message! {
    /// A package took a transaction's place. Written once for each transaction that left; does not name those that
    /// came.
    MempoolReplacedByPackage {
        /// The transaction that left.
        old: Txid,
        /// Number of transactions in the package.
        transactions: u64,
    }
    in Mempool
    => |message, _| Some(Kind::TxReplaced { old: message.old, new: None });
    "29?.." "src/validation.cpp:1197@31.99":
        "replacing mempool tx %s (wtxid=%s, fees=%s, vsize=%s). New package %s with %lu txs, fees=%s, vsize=%s"
        (old, _, _, _, _, transactions, _, _);
}

message! {
    /// Transactions took others' places. Follows the lines of [`MempoolReplaced`].
    MempoolReplacedSummary<'a> {
        /// Transactions that left.
        left: u32,
        /// Transactions that came.
        came: u32,
        /// By how much they pay more, in bitcoin.
        additional_fees: Word<'a>,
        /// By how much they are larger, in virtual bytes.
        delta_bytes: i64,
    }
    in Mempool;
    "29?.." "src/validation.cpp:1419@31.99": "replaced %u mempool transactions with 1 new transaction for %s additional fees, %d delta bytes"
        (left, additional_fees, delta_bytes) { came: 1 };
    "29?.." "src/validation.cpp:1285@31.99": "replaced %u mempool transactions with %u new one(s) for %s additional fees, %d delta bytes"
        (left, came, additional_fees, delta_bytes);
}

message! {
    /// The mempool was full: the transactions that pay least left it.
    MempoolTrimmed<'a> {
        /// How many.
        transactions: u64,
        /// The fee rate that is needed to enter now, with its unit.
        fee_rate: &'a [u8],
    }
    in Mempool;
    "0.16?.." "src/txmempool.cpp:909@31.99": "Removed %u txn, rolling minimum fee bumped to %s" (transactions, fee_rate);
}

message! {
    /// Transactions left the mempool because they were too old.
    MempoolExpired {
        /// How many.
        transactions: u64,
    }
    in Mempool;
    "0.16?.." "src/validation.cpp:272@31.99": "Expired %i transactions from the memory pool" (transactions);
}

message! {
    /// The first peer has asked for a transaction that came by RPC: it need not be announced again.
    Broadcast {
        /// The transaction.
        txid: Txid,
    }
    in Mempool;
    "32?.." "src/txmempool.cpp:789@31.99": "Removed %s from set of unbroadcast txns" (txid);
    "0.21..=30?" "src/txmempool.cpp:775@30.99": "Removed %i from set of unbroadcast txns" (txid);
}

message! {
    /// The mempool is checked for errors (`-checkmempool`).
    MempoolChecked {
        /// Transactions in it.
        transactions: u64,
        /// Their inputs.
        inputs: u64,
    }
    in Mempool;
    "0.16?.." "src/txmempool.cpp:441@31.99": "Checking mempool with %u transactions and %u inputs" (transactions, inputs);
}

message! {
    /// A transaction without a known parent is dropped, because the parent was refused.
    OrphanRefused {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 25.
        wtxid: Option<Wtxid>,
    }
    in Mempool;
    "26.." "src/node/txdownloadman_impl.cpp:423@31.99": "not keeping orphan with rejected parents %s (wtxid=%s)" (txid, wtxid);
    "0.16?..=25" "src/net_processing.cpp:4152@v25.1": "not keeping orphan with rejected parents %s" (txid) { wtxid: None };
}

message! {
    /// A transaction's fee was changed for mining by RPC `prioritisetransaction`.
    Prioritised<'a> {
        /// The transaction.
        txid: Txid,
        /// By how much, in bitcoin.
        delta: Word<'a>,
    }
    in All;
    "26.." "src/txmempool.cpp:648@31.99": "PrioritiseTransaction: %s (%sin mempool) fee += %s, new delta=%s" (txid, _, delta, _);
    "23..=25" "src/txmempool.cpp:878@v25.1": "PrioritiseTransaction: %s fee += %s" (txid, delta);
}

message! {
    /// A transaction that is not in the mempool is sent on, because its peer has the permission `forcerelay`.
    ForceRelayed {
        /// The transaction.
        txid: Txid,
        /// The peer.
        peer: u64,
    }
    in All;
    "26.." "src/net_processing.cpp:4433@31.99": "Force relaying tx %s (wtxid=%s) from peer=%d" (txid, _, peer);
    "0.21..=25" "src/net_processing.cpp:4077@v25.1": "Force relaying tx %s from peer=%d" (txid, peer);
    "0.16?..=0.20" "src/net_processing.cpp:2633@v0.20.2": "Force relaying tx %s from whitelisted peer=%d" (txid, peer);
}
