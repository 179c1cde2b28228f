//! Messages of `-debug=txpackages`: transactions that wait for a parent, and packages. Up to 25 they are of the
//! category `mempool`.

use bmon_event::{Txid, Wtxid};

use crate::message::message;

message! {
    /// A transaction is kept until its parent comes.
    OrphanStored {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 25.
        wtxid: Option<Wtxid>,
        /// Its weight (BIP 141), `None` up to 26.
        weight: Option<u32>,
        /// Transactions that are kept now.
        orphans: u32,
    }
    in TxPackages | Mempool;
    "29?.." "src/node/txorphanage.cpp:340@31.99": "stored orphan tx %s (wtxid=%s), weight: %u (mapsz %u outsz %u)" (txid, wtxid, weight, orphans, _);
    "26..=26?" "src/txorphanage.cpp:51@v26.0": "stored orphan tx %s (wtxid=%s) (mapsz %u outsz %u)" (txid, wtxid, orphans, _) { weight: None };
    "0.16?..=25" "src/txorphanage.cpp:50@v25.1": "stored orphan tx %s (mapsz %u outsz %u)" (txid, orphans, _) { wtxid: None, weight: None };
}

message! {
    /// A transaction that waited for its parent entered the mempool.
    OrphanAccepted {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 25.
        wtxid: Option<Wtxid>,
    }
    in TxPackages | Mempool;
    "26.." "src/net_processing.cpp:3243@31.99": "   accepted orphan tx %s (wtxid=%s)" (txid, wtxid);
    "0.16?..=25" "src/net_processing.cpp:2963@v25.1": "   accepted orphan tx %s" (txid) { wtxid: None };
}

message! {
    /// A transaction that waited for its parent was refused.
    OrphanInvalid<'a> {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 25.
        wtxid: Option<Wtxid>,
        /// The peer that sent it.
        peer: u64,
        /// Why.
        reason: &'a [u8],
    }
    in TxPackages | Mempool;
    "26.." "src/net_processing.cpp:3247@31.99": "   invalid orphan tx %s (wtxid=%s) from peer=%d. %s" (txid, wtxid, peer, reason);
    "0.21..=25" "src/net_processing.cpp:2973@v25.1": "   invalid orphan tx %s from peer=%d. %s" (txid, peer, reason) { wtxid: None };
}

message! {
    /// A transaction waits for its parent no longer.
    OrphanRemoved {
        /// The transaction.
        txid: Txid,
        /// Its id with witness, `None` up to 25.
        wtxid: Option<Wtxid>,
    }
    in TxPackages | Mempool;
    "31?.." "src/node/txorphanage.cpp:400@31.99": "removed orphan tx %s (wtxid=%s) (%u announcements)" (txid, wtxid, _);
    "29?" "src/txorphanage.cpp:110@29.99": "   removed orphan tx %s (wtxid=%s) after %ds" (txid, wtxid, _);
    "26.." "src/node/txdownloadman_impl.cpp:490@31.99": "   removed orphan tx %s (wtxid=%s)" (txid, wtxid);
    "0.16?..=25" "src/net_processing.cpp:2982@v25.1": "   removed orphan tx %s" (txid) { wtxid: None };
}

message! {
    /// A transaction without a known parent is too large to be kept.
    OrphanTooLarge {
        /// The transaction.
        txid: Txid,
        /// Its weight (BIP 141).
        weight: u32,
    }
    in TxPackages | Mempool;
    "26.." "src/node/txorphanage.cpp:314@31.99": "ignoring large orphan tx (size: %u, txid: %s, wtxid: %s)" (weight, txid, _);
    "0.16?..=25" "src/txorphanage.cpp:37@v25.1": "ignoring large orphan tx (size: %u, hash: %s)" (weight, txid);
}

message! {
    /// There are too many transactions that wait for a parent.
    OrphansOverflow {
        /// How many were dropped.
        transactions: u32,
    }
    in TxPackages | Mempool;
    "31?.." "src/node/txorphanage.cpp:524@31.99": "orphanage overflow, removed %u tx (%u announcements)" (transactions, _);
    "22..=29?" "src/txorphanage.cpp:172@29.99": "orphanage overflow, removed %u tx" (transactions);
    "0.16?..=0.21" "src/net_processing.cpp:3137@v0.21.2": "mapOrphan overflow, removed %u tx" (transactions);
}

message! {
    /// The parent of a transaction came, and it will be tried again.
    OrphanQueued {
        /// The transaction.
        txid: Txid,
        /// Its id with witness.
        wtxid: Wtxid,
        /// The peer that sent it.
        peer: u64,
    }
    in TxPackages;
    "26.." "src/node/txorphanage.cpp:559@31.99": "added %s (wtxid=%s) to peer %d workset" (txid, wtxid, peer);
}

message! {
    /// A parent and its child were tried together.
    PackageEvaluated<'a> {
        /// Both, with their ids.
        package: &'a [u8],
        /// What came of it.
        result: &'a [u8],
    }
    in TxPackages;
    "29?.." "src/net_processing.cpp:4441@31.99": "package evaluation for %s: %s" (package, result);
}

message! {
    /// A package may take the place of what conflicts with it.
    PackageReplacementPassed {
        /// The parent.
        parent: Txid,
        /// The child.
        child: Txid,
    }
    in TxPackages;
    "29?.." "src/validation.cpp:1123@31.99": "package RBF checks passed: parent %s (wtxid=%s), child %s (wtxid=%s), package hash (%s)"
        (parent, _, child, _, _);
}

message! {
    /// A transaction pays too little alone; its child may pay for it.
    ParentTooCheap {
        /// The transaction.
        txid: Txid,
        /// Its id with witness.
        wtxid: Wtxid,
    }
    in TxPackages;
    "29?.." "src/node/txdownloadman_impl.cpp:463@31.99": "tx %s (wtxid=%s) failed but reconsiderable, looking for child in orphanage" (txid, wtxid);
}
