//! Messages without a category about what the node keeps on disk: blocks, the UTXO set, the mempool's file.

use bmon_event::BlockHash;

use crate::message::message;

message! {
    /// The chain is built again from the block files (`-reindex`).
    ReindexFile {
        /// Number of the file.
        file: u32,
        /// How much is done in percent, `None` up to 29.
        percent: Option<u32>,
    }
    in All;
    "31?.." "src/node/blockstorage.cpp:1288@31.99": "Reindexing block file blk%05u.dat (%d%% complete)..." (file, percent);
    "0.16?..=30?" "src/node/blockstorage.cpp:1208@29.99": "Reindexing block file blk%05u.dat..." (file) { percent: None };
}

message! {
    /// All block files were read again.
    ReindexFinished {}
    in All;
    "0.16?.." "src/node/blockstorage.cpp:1297@31.99": "Reindexing finished" ();
}

message! {
    /// Blocks are read from a file (`-loadblock`).
    ImportFile<'a> {
        /// Its path.
        path: &'a [u8],
    }
    in All;
    "0.16?.." "src/node/blockstorage.cpp:1306@31.99": "Importing blocks file %s..." (path);
}

message! {
    /// A file with blocks was read.
    FileImported {
        /// Blocks in it that were new.
        blocks: u64,
        /// Duration in milliseconds.
        ms: u64,
    }
    in All;
    "0.16?.." "src/validation.cpp:5112@31.99": "Loaded %i blocks from external file in %dms" (blocks, ms);
}

message! {
    /// Number of the block file that is written.
    LastBlockFile {
        /// Its number.
        file: u32,
    }
    in All;
    "31?.." "src/node/blockstorage.cpp:545@31.99": "Loading block index db: last block file = %i" (file);
    "0.16?..=29?" "src/node/blockstorage.cpp:508@29.99": "LoadBlockIndexDB: last block file = %i" (file);
}

message! {
    /// A block file is full, and another is begun.
    BlockFileFull<'a> {
        /// Number of the full one.
        file: u32,
        /// Its blocks, their heights and times.
        content: &'a [u8],
    }
    in BlockStorage | All;
    "26.." "src/node/blockstorage.cpp:893@31.99": "Leaving block file %i: %s (onto %i) (height %i)" (file, content, _, _);
    "0.16?..=25" "src/node/blockstorage.cpp:638@v25.1": "Leaving block file %i: %s" (file, content);
}

message! {
    /// Old blocks are missing, because the node prunes.
    BlocksPruned {}
    in All;
    "31?.." "src/node/blockstorage.cpp:586@31.99": "Loading block index db: Block files have previously been pruned" ();
    "0.16?..=29?" "src/node/blockstorage.cpp:549@29.99": "LoadBlockIndexDB(): Block files have previously been pruned" ();
}

message! {
    /// Old blocks were deleted by RPC `pruneblockchain`.
    PrunedByHand {
        /// Height up to which.
        height: u32,
        /// Pairs of block and undo files.
        files: u32,
    }
    in All;
    "26.." "src/node/blockstorage.cpp:317@31.99": "[%s] Prune (Manual): prune_height=%d removed %d blk/rev pairs" (_, height, files);
    "0.16?..=25" "src/node/blockstorage.cpp:172@v25.1": "Prune (Manual): prune_height=%d removed %d blk/rev pairs" (height, files);
}

message! {
    /// The cache of the UTXO set is written to disk and is large.
    LargeFlush {
        /// How large in GiB, `None` where it is told in coins.
        gib: Option<u64>,
        /// How many coins, `None` where it is told in GiB.
        coins: Option<u64>,
    }
    in All;
    "32?.." "src/txdb.cpp:127@31.99": "Flushing large (%d entries) UTXO set to disk, it may take several minutes" (coins) { gib: None };
    "29..=30?" "src/validation.cpp:2829@30.99": "Flushing large (%d GiB) UTXO set to disk, it may take several minutes" (gib) { coins: None };
}

message! {
    /// The cache of the UTXO set is larger than it should be, and is written to disk.
    CacheFull {
        /// Its size in bytes.
        bytes: u64,
        /// What it may take in bytes.
        limit: u64,
    }
    in All;
    "0.20.." "src/validation.cpp:2691@31.99": "Cache size (%s) exceeds total space (%s)" (bytes, limit);
}

message! {
    /// The size of the cache of the UTXO set was changed.
    CacheResized<'a> {
        /// Which chain's: `Chainstate [ibd] @ height …`.
        chainstate: &'a [u8],
        /// Its size in MiB.
        mib: f64,
    }
    in All;
    "0.21.." "src/validation.cpp:5464@31.99": "[%s] resized coinstip cache to %.1f MiB" (chainstate, mib);
}

message! {
    /// A database is opened.
    DatabaseOpening<'a> {
        /// Its path.
        path: &'a [u8],
    }
    in All;
    "0.16?.." "src/dbwrapper.cpp:238@31.99": "Opening LevelDB in %s" (path);
}

message! {
    /// A database is open.
    DatabaseOpened {}
    in All;
    "0.16?.." "src/dbwrapper.cpp:246@31.99": "Opened LevelDB successfully" ();
}

message! {
    /// A database is emptied.
    DatabaseWiped<'a> {
        /// Its path.
        path: &'a [u8],
    }
    in All;
    "0.16?.." "src/dbwrapper.cpp:233@31.99": "Wiping LevelDB in %s" (path);
}

message! {
    /// The database cannot be read: the disk or the data are damaged.
    DatabaseUnreadable<'a> {
        /// Why.
        reason: &'a [u8],
    }
    in All;
    "0.16?.." "src/dbwrapper.cpp:314@31.99": "LevelDB read failure: %s" (reason);
    "0.16?.." "src/coins.cpp:387@31.99": "Error reading from database: %s" (reason);
    "0.17?.." "src/dbwrapper.cpp:51@31.99": "Fatal LevelDB error: %s" (reason);
}

message! {
    /// A crash left the UTXO set in a state that cannot be repaired.
    CoinsInconsistent {}
    in All;
    "26.." "src/txdb.cpp:120@31.99":
        "The coins database detected an inconsistent state, likely due to a previous crash or shutdown. You will need to restart bitcoind with the -reindex-chainstate or -reindex configuration option."
        ();
}

message! {
    /// A block cannot be read from disk.
    BlockUnreadable<'a> {
        /// Where it is: number of the file and offset in it.
        place: &'a [u8],
    }
    in All;
    "30.." "src/node/blockstorage.cpp:1064@31.99": "Errors in block header at %s while reading block" (place);
    "30.." "src/node/blockstorage.cpp:1070@31.99": "Errors in block solution at %s while reading block" (place);
    "30.." "src/node/blockstorage.cpp:1100@31.99": "OpenBlockFile failed for %s while reading raw block" (place);
    "30.." "src/node/blockstorage.cpp:710@31.99": "OpenUndoFile failed for %s while reading block undo" (place);
    "30.." "src/node/blockstorage.cpp:727@31.99": "Checksum mismatch at %s while reading block undo" (place);
    "29?" "src/node/blockstorage.cpp:991@29.99": "ReadRawBlock: OpenBlockFile failed for %s" (place);
    "29?" "src/node/blockstorage.cpp:683@29.99": "UndoReadFromDisk: Checksum mismatch at %s" (place);
    "29?" "src/node/blockstorage.cpp:706@28.99": "UndoReadFromDisk: OpenUndoFile failed for %s" (place);
}

message! {
    /// At its start the node checks the last blocks.
    VerificationStarted {
        /// How many.
        blocks: u32,
        /// How thoroughly, from 0 to 4.
        level: u32,
    }
    in All;
    "0.16?.." "src/validation.cpp:4618@31.99": "Verifying last %i blocks at level %i" (blocks, level);
}

message! {
    /// How far the check of the last blocks is.
    VerificationProgress {
        /// In percent.
        percent: u32,
    }
    in All;
    "25.." "src/validation.cpp:4635@31.99": "Verification progress: %d%%" (percent);
}

message! {
    /// The check of the last blocks found nothing wrong.
    VerificationPassed {
        /// Blocks.
        blocks: u32,
        /// Transactions.
        transactions: u64,
    }
    in All;
    "25.." "src/validation.cpp:4729@31.99": "Verification: No coin database inconsistencies in last %i blocks (%i transactions)" (blocks, transactions);
    "0.16?..=24" "src/validation.cpp:4075@v24.2": "No coin database inconsistencies in last %i blocks (%i transactions)" (blocks, transactions);
}

message! {
    /// The check of the last blocks found the node's data damaged.
    VerificationFailed<'a> {
        /// What is wrong, and where.
        problem: &'a [u8],
    }
    in All;
    "25.." "src/validation.cpp:4652@31.99": "Verification error: %s" (problem);
    "0.16?..=24" "src/validation.cpp:4012@v24.2": "ERROR: VerifyDB(): *** %s" (problem);
}

message! {
    /// After a crash blocks are applied to the UTXO set again.
    ReplayStarted {}
    in All;
    "0.16?.." "src/validation.cpp:4778@31.99": "Replaying blocks" ();
}

message! {
    /// After a crash a block is taken back from the UTXO set.
    RollingBack {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in All;
    "0.16?.." "src/validation.cpp:4812@31.99": "Rolling back %s (%i)" (block, height);
}

message! {
    /// After a crash a block is applied to the UTXO set again.
    RollingForward {
        /// The block.
        block: BlockHash,
        /// Its height.
        height: u32,
    }
    in All;
    "0.16?.." "src/validation.cpp:4836@31.99": "Rolling forward %s (%i)" (block, height);
}

message! {
    /// `mempool.dat` is read.
    MempoolLoading {
        /// Transactions in it.
        transactions: u64,
    }
    in All;
    "29?.." "src/node/mempool_persist.cpp:77@31.99": "Loading %u mempool transactions from file..." (transactions);
}

message! {
    /// How far reading `mempool.dat` is.
    MempoolLoadProgress {
        /// In percent.
        percent: u32,
        /// Transactions tried.
        tried: u64,
        /// Transactions left.
        left: u64,
    }
    in All;
    "29?.." "src/node/mempool_persist.cpp:82@31.99": "Progress loading mempool transactions from file: %d%% (tried %u, %u remaining)" (percent, tried, left);
}

message! {
    /// `mempool.dat` was read.
    MempoolLoaded {
        /// Transactions that entered the mempool.
        succeeded: u64,
        /// Transactions that were refused.
        failed: u64,
        /// Transactions that are too old.
        expired: u64,
        /// Transactions that the mempool has already.
        present: u64,
    }
    in All;
    "29?.." "src/node/mempool_persist.cpp:149@31.99":
        "Imported mempool transactions from file: %i succeeded, %i failed, %i expired, %i already there, %i waiting for initial broadcast"
        (succeeded, failed, expired, present, _);
    "0.21..=26?" "src/kernel/mempool_persist.cpp:128@v26.0":
        "Imported mempool transactions from disk: %i succeeded, %i failed, %i expired, %i already there, %i waiting for initial broadcast"
        (succeeded, failed, expired, present, _);
    "0.16?..=0.20" "src/validation.cpp:5032@v0.20.2":
        "Imported mempool transactions from disk: %i succeeded, %i failed, %i expired, %i already there"
        (succeeded, failed, expired, present);
}

message! {
    /// `mempool.dat` could not be read; the mempool begins empty.
    MempoolNotLoaded {}
    in All;
    "29?.." "src/node/mempool_persist.cpp:49@31.99": "Failed to open mempool file. Continuing anyway." ();
    "0.16?..=26?" "src/kernel/mempool_persist.cpp:46@v26.0": "Failed to open mempool file from disk. Continuing anyway." ();
}

message! {
    /// `mempool.dat` is written.
    MempoolDumping {
        /// Transactions.
        transactions: u64,
    }
    in All;
    "29?.." "src/node/mempool_persist.cpp:195@31.99": "Writing %u mempool transactions to file..." (transactions);
}

message! {
    /// `mempool.dat` keeps which transactions must still be announced.
    UnbroadcastDumping {
        /// How many.
        transactions: u64,
    }
    in All;
    "29?.." "src/node/mempool_persist.cpp:205@31.99": "Writing %d unbroadcast transactions to file." (transactions);
    "0.21..=26?" "src/kernel/mempool_persist.cpp:175@v26.0": "Writing %d unbroadcast transactions to disk." (transactions);
}

message! {
    /// `mempool.dat` was written.
    MempoolDumped {
        /// Duration in seconds.
        seconds: f64,
        /// Its size in bytes, `None` up to 26.
        bytes: Option<u64>,
    }
    in All;
    "29?.." "src/node/mempool_persist.cpp:221@31.99": "Dumped mempool: %.3fs to copy, %.3fs to dump, %d bytes dumped to file" (_, seconds, bytes);
    "0.16?..=26?" "src/kernel/mempool_persist.cpp:186@v26.0": "Dumped mempool: %gs to copy, %gs to dump" (_, seconds) { bytes: None };
}
