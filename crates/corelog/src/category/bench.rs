//! Messages of `-debug=bench`: how long the steps of connecting a block took.
//!
//! A block that becomes the tip writes them from [`LoadBlock`] (or [`CachedBlock`]) to [`ConnectBlock`], with
//! `UpdateTip` before the last two. The checks of a block template write the first few alone, and so does a block
//! that turns out invalid. None of them names its block: see [`crate::assembler`].

use crate::message::message;

message! {
    /// The block to connect was read from disk.
    LoadBlock {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "26.." "src/validation.cpp:3029@31.99": "  - Load block from disk: %.2fms" (ms);
    "24..=25" "src/validation.cpp:2717@v24.2": "  - Load block from disk: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
    "0.16?..=23" "src/validation.cpp:2633@v23.2": "  - Load block from disk: %.2fms [%.2fs]" (ms, _);
}

message! {
    /// The block to connect was still in memory.
    CachedBlock {}
    in Bench;
    "24.." "src/validation.cpp:3022@31.99": "  - Using cached block" ();
}

message! {
    /// The checks that need no context.
    SanityChecks {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:2384@31.99": "    - Sanity checks: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// The checks that depend on the chain before the block.
    ForkChecks {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:2486@31.99": "    - Fork checks: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// The transactions were applied to the UTXO set.
    ConnectTransactions {
        /// Transactions in the block.
        transactions: u32,
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:2601@31.99": "      - Connect %u transactions: %.2fms (%.3fms/tx, %.3fms/txin) [%.2fs (%.2fms/blk)]"
        (transactions, ms, _, _, _, _);
}

message! {
    /// The scripts were verified. The time is that from the beginning of [`ConnectTransactions`].
    VerifyInputs {
        /// Inputs of all transactions but the coinbase.
        inputs: u32,
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:2624@31.99": "    - Verify %u txins: %.2fms (%.3fms/txin) [%.2fs (%.2fms/blk)]" (inputs, ms, _, _, _);
}

message! {
    /// The undo data were written.
    WriteUndo {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "24.." "src/validation.cpp:2640@31.99": "    - Write undo data: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// The block index was updated; up to 23 the undo data with it.
    WriteIndex {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:2655@31.99": "    - Index writing: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// All of the checks and changes above.
    ConnectTotal {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:3047@31.99": "  - Connect total: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// The block's changes went into the cache of the UTXO set.
    FlushView {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:3055@31.99": "  - Flush: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// The cache of the UTXO set was written to disk where that was due.
    WriteChainstate {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:3065@31.99": "  - Writing chainstate: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// The mempool was freed of the block's transactions, and the tip was moved.
    ConnectPostprocess {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:3082@31.99": "  - Connect postprocess: %.2fms [%.2fs (%.2fms/blk)]" (ms, _, _);
}

message! {
    /// The block is connected: all of the steps.
    ConnectBlock {
        /// Duration in milliseconds.
        ms: f64,
        /// Duration in seconds of connecting all blocks since the node started.
        total_s: f64,
        /// The mean of these in milliseconds.
        mean_ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:3086@31.99": "- Connect block: %.2fms [%.2fs (%.2fms/blk)]" (ms, total_s, mean_ms);
}

message! {
    /// A block was disconnected.
    DisconnectBlock {
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.16?.." "src/validation.cpp:2952@31.99": "- Disconnect block: %.2fms" (ms);
}

message! {
    /// A block template was made.
    TemplateTime {
        /// Choosing the transactions, in milliseconds.
        selection_ms: f64,
        /// Checking the block, in milliseconds.
        validity_ms: f64,
        /// Both, in milliseconds.
        total_ms: f64,
    }
    in Bench;
    "31?.." "src/node/miner.cpp:231@31.99": "CreateNewBlock() chunks: %.2fms, validity: %.2fms (total %.2fms)" (selection_ms, validity_ms, total_ms);
    "0.16?..=30?" "src/node/miner.cpp:186@29.99":
        "CreateNewBlock() packages: %.2fms (%d packages, %d updated descendants), validity: %.2fms (total %.2fms)"
        (selection_ms, _, _, validity_ms, total_ms);
}

message! {
    /// A step of writing to disk began.
    FlushStep<'a> {
        /// What is written, for example `write block index to disk`.
        step: &'a [u8],
    }
    in Bench;
    "0.20.." "src/logging/timer.h:38@31.99": "FlushStateToDisk: %s started" (step);
    "32?.." "src/logging/timer.h:38@31.99": "BatchWrite: %s started" (step);
}

message! {
    /// A step of writing to disk is done.
    FlushStepDone<'a> {
        /// What was written; of the UTXO set it is followed by numbers in brackets.
        step: &'a [u8],
        /// Duration in milliseconds.
        ms: f64,
    }
    in Bench;
    "0.20.." "src/logging/timer.h:73@31.99": "FlushStateToDisk: %s completed (%.2fms)" (step, ms);
    "32?.." "src/logging/timer.h:73@31.99": "BatchWrite: %s completed (%.2fms)" (step, ms);
}
