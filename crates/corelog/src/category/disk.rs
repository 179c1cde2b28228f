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
