//! Messages without a category about the optional indexes (`-txindex`, `-blockfilterindex`, `-coinstatsindex`,
//! `-txospenderindex`), and about chains from a snapshot of the UTXO set (assumeutxo).

use bmon_event::BlockHash;

use crate::{format::Word, message::message};

message! {
    /// An index is being brought up to the chain. Written every 30 seconds.
    IndexSyncing<'a> {
        /// Name of the index.
        index: &'a [u8],
        /// Height that it has reached.
        height: u32,
    }
    in All;
    "0.17.." "src/index/base.cpp:256@31.99": "Syncing %s with block chain from height %d" (index, height);
}

message! {
    /// An index is up to date and follows the chain from here on.
    IndexEnabled<'a> {
        /// Name of the index.
        index: &'a [u8],
        /// Height that it has reached, `None` for an empty chain.
        height: Option<u32>,
    }
    in All;
    "0.17.." "src/index/base.cpp:270@31.99": "txindex is enabled at height %d" (height) { index: b"txindex" };
    "0.17.." "src/index/base.cpp:272@31.99": "txindex is enabled" () { index: b"txindex", height: None };
    "0.17.." "src/index/base.cpp:270@31.99": "coinstatsindex is enabled at height %d" (height) { index: b"coinstatsindex" };
    "0.17.." "src/index/base.cpp:272@31.99": "coinstatsindex is enabled" () { index: b"coinstatsindex", height: None };
    "0.17.." "src/index/base.cpp:270@31.99": "basic block filter index is enabled at height %d" (height) { index: b"basic block filter index" };
    "0.17.." "src/index/base.cpp:272@31.99": "basic block filter index is enabled" () { index: b"basic block filter index", height: None };
    "0.17.." "src/index/base.cpp:270@31.99": "txospenderindex is enabled at height %d" (height) { index: b"txospenderindex" };
    "0.17.." "src/index/base.cpp:272@31.99": "txospenderindex is enabled" () { index: b"txospenderindex", height: None };
}

message! {
    /// An RPC call waits until an index has taken all that was queued for it.
    IndexCatchingUp<'a> {
        /// Name of the index.
        index: &'a [u8],
    }
    in All;
    "31?.." "src/index/base.cpp:449@31.99": "txindex is catching up on block notifications" () { index: b"txindex" };
    "31?.." "src/index/base.cpp:449@31.99": "coinstatsindex is catching up on block notifications" () { index: b"coinstatsindex" };
    "31?.." "src/index/base.cpp:449@31.99": "basic block filter index is catching up on block notifications" () { index: b"basic block filter index" };
    "31?.." "src/index/base.cpp:449@31.99": "txospenderindex is catching up on block notifications" () { index: b"txospenderindex" };
    "0.17..=29?" "src/index/base.cpp:392@29.99": "BlockUntilSyncedToCurrentChain: %s is catching up on block notifications" (index);
}

message! {
    /// An index was given a block that does not follow the one it has.
    IndexForked {
        /// The block.
        block: BlockHash,
        /// The last block of the index.
        tip: BlockHash,
    }
    in All;
    "31?.." "src/index/base.cpp:363@31.99": "Block %s does not connect to an ancestor of known best chain (tip=%s); not updating index" (block, tip);
    "0.17..=29?" "src/index/base.cpp:302@29.99":
        "BlockConnected: WARNING: Block %s does not connect to an ancestor of known best chain (tip=%s); not updating index"
        (block, tip);
}

message! {
    /// An index cannot be read and must be built anew.
    IndexCorrupted<'a> {
        /// Name of the index.
        index: &'a [u8],
    }
    in All;
    "31?.." "src/index/blockfilterindex.cpp:105@31.99": "Cannot read current %s state; index may be corrupted" (index);
    "29?" "src/index/blockfilterindex.cpp:122@29.99": "CustomInit: Cannot read current %s state; index may be corrupted" (index);
}

message! {
    /// An index could not be written.
    IndexNotWritten<'a> {
        /// Name of the index.
        index: &'a [u8],
    }
    in All;
    "31?.." "src/index/base.cpp:290@31.99": "Failed to commit latest %s state" (index);
    "29?" "src/index/base.cpp:241@29.99": "Commit: Failed to commit latest %s state" (index);
}

message! {
    /// An index could not read a block.
    IndexBlockUnreadable {
        /// The block.
        block: BlockHash,
    }
    in All;
    "31?.." "src/index/base.cpp:181@31.99": "Failed to read block %s from disk" (block);
}

message! {
    /// A block's parent is not the block that the index expects.
    IndexParentUnexpected<'a> {
        /// The parent.
        parent: Word<'a>,
        /// The expected one.
        expected: Word<'a>,
    }
    in All;
    "31?.." "src/index/blockfilterindex.cpp:242@31.99": "previous block header belongs to unexpected block %s; expected %s" (parent, expected);
    "23..=29?" "src/index/coinstatsindex.cpp:137@29.99": "WARNING: previous block header belongs to unexpected block %s; expected %s" (parent, expected);
}

message! {
    /// A snapshot of the UTXO set is being loaded.
    SnapshotLoading {
        /// Coins in it.
        coins: u64,
        /// The block after which it was taken.
        block: BlockHash,
    }
    in All;
    "29?.." "src/validation.cpp:5784@31.99": "[snapshot] loading %d coins from snapshot %s" (coins, block);
    "22..=26?" "src/validation.cpp:5383@v26.0": "[snapshot] loading coins from snapshot %s" (block) { coins: 0 };
}

message! {
    /// How far loading a snapshot is.
    SnapshotProgress {
        /// Coins so far.
        coins: u64,
        /// In percent.
        percent: f64,
    }
    in All;
    "22.." "src/validation.cpp:5820@31.99": "[snapshot] %d coins loaded (%.2f%%, %.2f MB)" (coins, percent, _);
}

message! {
    /// A snapshot is loaded.
    SnapshotLoaded {
        /// Coins in it.
        coins: u64,
        /// The block after which it was taken.
        block: BlockHash,
    }
    in All;
    "22.." "src/validation.cpp:5875@31.99": "[snapshot] loaded %d (%.2f MB) coins from snapshot %s" (coins, _, block);
}

message! {
    /// The active chain is now that of the snapshot.
    SnapshotActivated {
        /// The block after which it was taken.
        block: BlockHash,
    }
    in All;
    "22.." "src/validation.cpp:5712@31.99": "[snapshot] successfully activated snapshot %s" (block);
}

message! {
    /// All blocks before the snapshot were checked, and give what it says.
    SnapshotValidated {
        /// The block after which it was taken.
        block: BlockHash,
    }
    in All;
    "25.." "src/validation.cpp:6059@31.99": "[snapshot] snapshot beginning at %s has been fully validated" (block);
}

message! {
    /// The blocks before the snapshot give another UTXO set than it.
    SnapshotMismatch<'a> {
        /// The hash of the one.
        actual: Word<'a>,
        /// The hash of the other.
        expected: Word<'a>,
    }
    in All;
    "25.." "src/validation.cpp:6052@31.99": "[snapshot] hash mismatch: actual=%s, expected=%s" (actual, expected);
}
