//! Messages of `-debug=coindb`, `-debug=prune`, `-debug=blockstorage`, `-debug=reindex` and `-debug=estimatefee`: what
//! the node writes to disk, deletes and reads again, and what it learns of fees.

use bmon_event::BlockHash;

use crate::{format::Word, message::message};

message! {
    /// The cache of the UTXO set was written to disk.
    CoinsCommitted {
        /// Outputs that changed.
        changed: u64,
        /// Outputs in the cache.
        cached: u64,
    }
    in CoinDb;
    "0.16?.." "src/txdb.cpp:170@31.99": "Committed %u changed transaction outputs (out of %u) to coin database..." (changed, cached);
}

message! {
    /// The cache of the UTXO set is written to disk.
    ChainstateWriting<'a> {
        /// `PERIODIC`, `IF_NEEDED`, `ALWAYS` and others.
        mode: Word<'a>,
        /// Whether old blocks are deleted.
        prune: bool,
        /// Whether the cache is large.
        large: bool,
        /// Whether the cache is too large.
        critical: bool,
        /// Whether it is time.
        periodic: bool,
    }
    in CoinDb;
    "30.." "src/validation.cpp:2771@31.99": "Writing chainstate to disk: flush mode=%s, prune=%d, large=%d, critical=%d, periodic=%d"
        (mode, prune, large, critical, periodic);
}

message! {
    /// Old blocks were deleted because they take too much.
    Pruned {
        /// What blocks may take in MiB.
        target_mib: u64,
        /// What they take in MiB.
        actual_mib: u64,
        /// Height up to which they may be deleted.
        height: i64,
        /// Pairs of block and undo files that were deleted.
        files: u32,
    }
    in Prune;
    "26.." "src/node/blockstorage.cpp:396@31.99": "[%s] target=%dMiB actual=%dMiB diff=%dMiB min_height=%d max_prune_height=%d removed %d blk/rev pairs"
        (_, target_mib, actual_mib, _, _, height, files);
    "24..=25" "src/node/blockstorage.cpp:228@v25.1": "target=%dMiB actual=%dMiB diff=%dMiB max_prune_height=%d removed %d blk/rev pairs"
        (target_mib, actual_mib, _, height, files);
    "0.16?..=23" "src/node/blockstorage.cpp:188@v23.2": "Prune: target=%dMiB actual=%dMiB diff=%dMiB max_prune_height=%d removed %d blk/rev pairs"
        (target_mib, actual_mib, _, height, files);
}

message! {
    /// A pair of block and undo files was deleted.
    BlockFileDeleted {
        /// Its number.
        file: u32,
    }
    in BlockStorage | All;
    "0.16?.." "src/node/blockstorage.cpp:818@31.99": "Prune: UnlinkPrunedFiles deleted blk/rev (%05u)" (file);
}

message! {
    /// A file with blocks holds one that the node has already.
    ImportedAlready {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in Reindex;
    "0.16?.." "src/validation.cpp:5033@31.99": "Block Import: already had block %s at height %d" (block, height);
}

message! {
    /// A file with blocks holds one before its parent.
    ImportedOutOfOrder {
        /// The block.
        block: BlockHash,
        /// The parent.
        parent: BlockHash,
    }
    in Reindex;
    "0.16?.." "src/validation.cpp:5008@31.99": "LoadExternalBlockFile: Out of order block %s, parent %s not known" (block, parent);
}

message! {
    /// The fee estimates took in a block.
    EstimatesUpdated {
        /// Its transactions that were followed since they entered the mempool.
        counted: u32,
        /// Its transactions.
        transactions: u32,
        /// Transactions followed in the mempool.
        mempool: u64,
    }
    in EstimateFee;
    "29?.." "src/policy/fees/block_policy_estimator.cpp:710@31.99":
        "Blockpolicy estimates updated by %u of %u block txs, since last block %u of %u tracked, mempool map size %u, max target %u from %s"
        (counted, transactions, _, _, mempool, _, _);
}

message! {
    /// The fee estimates were written to disk.
    EstimatesFlushed<'a> {
        /// Name of the file.
        file: &'a [u8],
    }
    in EstimateFee | All;
    "29?.." "src/policy/fees/block_policy_estimator.cpp:975@31.99": "Flushed fee estimates to %s." (file);
}

message! {
    /// At its end the node forgets the transactions of the mempool for fee estimates.
    EstimatesForgotten {
        /// How many.
        transactions: u64,
    }
    in EstimateFee;
    "29?.." "src/policy/fees/block_policy_estimator.cpp:1075@31.99": "Recorded %u unconfirmed txs from mempool in %.3fs" (transactions, _);
}

message! {
    /// The last part of the cache of the UTXO set is written to disk.
    CoinsWriting {
        /// Its size in MiB.
        mib: f64,
    }
    in CoinDb;
    "0.16?.." "src/txdb.cpp:168@31.99": "Writing final batch of %.2f MiB" (mib);
    "0.16?.." "src/txdb.cpp:150@31.99": "Writing partial batch of %.2f MiB" (mib);
}

message! {
    /// A reorg moved the height up to which an index lets blocks be deleted.
    PruneLockMoved<'a> {
        /// Name of the index.
        index: &'a [u8],
        /// The height.
        height: i64,
    }
    in Prune;
    "24.." "src/validation.cpp:2962@31.99": "txindex prune lock moved back to %d" (height) { index: b"txindex" };
    "24.." "src/validation.cpp:2962@31.99": "coinstatsindex prune lock moved back to %d" (height) { index: b"coinstatsindex" };
    "24.." "src/validation.cpp:2962@31.99": "basic block filter index prune lock moved back to %d" (height) { index: b"basic block filter index" };
}
