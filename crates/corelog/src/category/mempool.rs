//! Messages of `-debug=mempool`: what entered the mempool from peers, and what it took the place of.

use bmon_event::{Kind, Txid, Wtxid};

use crate::message::message;

message! {
    /// A transaction that a peer sent entered the mempool. Up to 0.11 the peer's user agent stands in the line.
    AcceptToMemoryPool {
        /// The peer that sent it.
        peer: u64,
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 24.
        wtxid: Option<Wtxid>,
    }
    in Mempool
    => |message, _| Some(Kind::TxAdded {
        txid: message.txid,
        wtxid: message.wtxid,
        peer: Some(message.peer),
        mempool_sequence: None,
    });
    "25.." "src/net_processing.cpp@v30":
        "AcceptToMemoryPool: peer=%d: accepted %s (wtxid=%s) (poolsz %u txn, %u kB)" (peer, txid, wtxid, _, _);
    "0.12..=24" "src/net_processing.cpp@v22":
        "AcceptToMemoryPool: peer=%d: accepted %s (poolsz %u txn, %u kB)" (peer, txid, _, _) { wtxid: None };
    "0.11" "src/main.cpp@v0.11":
        "AcceptToMemoryPool: peer=%d %s: accepted %s (poolsz %u)" (peer, .., txid, _) { wtxid: None };
    "0.10" "src/main.cpp@v0.10":
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
    "28.." "src/validation.cpp@v30":
        "replacing mempool tx %s (wtxid=%s, fees=%s, vsize=%s). New tx %s (wtxid=%s, fees=%s, vsize=%s)"
        (old, _, _, _, new, _, _, _);
    "25..=27" "src/validation.cpp@v26":
        "replacing tx %s (wtxid=%s) with %s (wtxid=%s) for %s additional fees, %d delta bytes"
        (old, _, new, _, _, _);
    "22..=24" "src/validation.cpp@v23":
        "replacing tx %s with %s for %s additional fees, %d delta bytes" (old, new, _, _);
    "0.12..=0.21" "src/validation.cpp@v0.21":
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
    "28.." "src/validation.cpp@v30":
        "replacing mempool tx %s (wtxid=%s, fees=%s, vsize=%s). New package %s with %lu txs, fees=%s, vsize=%s"
        (old, _, _, _, _, transactions, _, _);
}
